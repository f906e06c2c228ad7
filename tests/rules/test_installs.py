"""LA406 to LA410, LA412 and LA414: what the images install, from which lock, and what they fetch beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.cases import Case, ids, verify
from tests.rules.dockerfiles import TORCH, WITH_WHEEL, WITHOUT_GROUPS, case
from tests.rules.specimens import lock, package, root

if TYPE_CHECKING:
    from pathlib import Path

SYNC = "RUN uv sync --locked --no-dev"
IN_PROD = "FROM python:3.11 AS prod\nCOPY prod/pyproject.toml prod/uv.lock ./\n"
LA406 = (
    case(
        "LA406",
        "an extra of prod",
        f"{IN_PROD}{SYNC}\n",
        ("error", "-", SYNC),
        config='prod.extras = ["gpu"]\n',
    ),
    case(
        "LA406",
        "an extra of dev, and a group",
        "FROM python:3.11 AS dev\nCOPY . .\nRUN uv sync --locked --no-dev --extra other\n",
        ("error", "-", "RUN uv sync --locked --no-dev --extra other"),
        config='dev.extras = ["gpu"]\ndev.groups = ["dev"]\n',
    ),
    case(
        "LA406",
        "an extra that a later sync removes",
        f"{IN_PROD}RUN uv sync --locked --no-dev --extra gpu\n{SYNC}\n",
        ("error", "-", SYNC),
        config='prod.extras = ["gpu"]\n',
    ),
    case(
        "LA406",
        "the default of an ARG",
        f'ARG SELECTION="--extra cpu"\n{IN_PROD}ARG SELECTION\n{SYNC} $SELECTION\n',
        ("warning", "-", f"{SYNC} $SELECTION"),
        config='prod.extras = ["gpu"]\n',
    ),
    case(
        "LA406",
        "default groups in production",
        f"{IN_PROD}RUN uv sync --locked\n",
        ("warning", "-", "RUN uv sync --locked"),
    ),
    case(
        "LA406",
        "passed",
        f"{IN_PROD}{SYNC} --no-install-project\nCOPY prod .\n{SYNC} --extra gpu\n",
        config='prod.extras = ["gpu"]\n',
    ),
    case("LA406", "all of them", f"{IN_PROD}{SYNC} --all-extras\n", config='prod.extras = ["gpu"]\n'),
    case(
        "LA406",
        "kept by an inexact sync",
        f"{IN_PROD}{SYNC} --extra gpu\n{SYNC} --inexact\n",
        config='prod.extras = ["gpu"]\n',
    ),
    case(
        "LA406",
        "an empty ARG that exists to be set",
        f'ARG SELECTION=""\n{IN_PROD}ARG SELECTION\nRUN uv sync --locked $SELECTION\n',
        config='prod.extras = ["gpu"]\n',
    ),
    case(
        "LA406",
        "a branch of a condition",
        f"{IN_PROD}ARG GPU=\n"
        'RUN if [ "$GPU" ]; then uv sync --locked --extra gpu; else uv sync --locked --no-dev; fi\n',
        config='prod.extras = ["gpu"]\n',
    ),
    case("LA406", "no lock in sight", "FROM python:3.11\nRUN uv sync --locked\n", config='prod.extras = ["gpu"]\n'),
    case("LA406", "a variable of uv", f"{IN_PROD}ENV UV_NO_DEV=1\nRUN uv sync --locked\n"),
    case("LA406", "no groups", f"{IN_PROD}RUN uv sync --locked\n", locked=WITHOUT_GROUPS),
    case(
        "LA406", "a group that production wants", f"{IN_PROD}RUN uv sync --locked\n", config='prod.groups = ["dev"]\n'
    ),
    case(
        "LA406",
        "one stage of several",
        "FROM python:3.11 AS lint\nCOPY . .\nRUN uv sync --locked --only-group dev\n"
        "FROM python:3.11 AS dev\nCOPY . .\nRUN uv sync --locked --extra gpu\n",
        config='dev.extras = ["gpu"]\n',
    ),
)
LA407 = (
    case("LA407", "CMD", 'FROM python:3.11\nCMD ["uv", "run", "app"]\n', ("error", "-", 'CMD ["uv", "run", "app"]')),
    case("LA407", "a shell's CMD", "FROM python:3.11\nCMD exec uv run app\n", ("error", "-", "CMD exec uv run app")),
    case(
        "LA407",
        "ENTRYPOINT and CMD",
        'FROM python:3.11\nENTRYPOINT ["tini", "--"]\nCMD ["uv", "run", "app"]\n',
        ("error", "-", 'CMD ["uv", "run", "app"]'),
    ),
    case(
        "LA407",
        "a script that is written here",
        'FROM python:3.11\nCOPY <<EOF /start.sh\n#!/bin/sh\nuv run app\nEOF\nENTRYPOINT ["sh", "/start.sh"]\n',
        ("error", "-", 'ENTRYPOINT ["sh", "/start.sh"]'),
    ),
    case(
        "LA407",
        "what an environment was made with",
        """\
        FROM python:3.11 AS build
        COPY . /app
        WORKDIR /app
        RUN uv sync --locked --no-dev
        RUN uv run python -m compileall .
        FROM python:3.11
        COPY --from=build /app /app
        """,
        ("error", "-", "RUN uv run python -m compileall ."),
    ),
    case(
        "LA407",
        "frozen, with a default group",
        "FROM python:3.11\nCMD uv run --frozen app\n",
        ("warning", "-", "CMD uv run --frozen app"),
    ),
    case("LA407", "no sync", 'FROM python:3.11\nCMD ["uv", "run", "--no-sync", "app"]\n'),
    case("LA407", "no sync for ENTRYPOINT", 'FROM python:3.11\nENTRYPOINT ["uv", "run"]\nCMD ["--no-sync", "app"]\n'),
    case("LA407", "a variable", "FROM python:3.11\nENV UV_NO_SYNC=1\nCMD uv run app\n"),
    case("LA407", "frozen, without groups", "FROM python:3.11\nCMD uv run --frozen app\n", locked=WITHOUT_GROUPS),
    case("LA407", "frozen, without the group", "FROM python:3.11\nCMD uv run --frozen --no-dev app\n"),
    case("LA407", "development", "FROM python:3.11 AS dev\nCMD uv run app\n"),
    case("LA407", "a CMD that is replaced", "FROM python:3.11 AS base\nCMD uv run app\nFROM base\nCMD app\n"),
    case(
        "LA407",
        "undone by a sync",
        "FROM python:3.11\nCOPY . .\nRUN uv run pytest\nRUN uv sync --locked --no-dev\n",
    ),
)
LA408 = (
    case(
        "LA408",
        "another version",
        "FROM python:3.11\nRUN pip install torch==2.5.1\n",
        ("error", "torch", "RUN pip install torch==2.5.1"),
    ),
    case(
        "LA408",
        "the same version is a warning",
        "FROM python:3.11\nRUN pip install torch==2.6.0 'filelock===3.16'\n",
        ("warning", "torch", "RUN pip install torch==2.6.0 'filelock===3.16'"),
        ("warning", "filelock", "RUN pip install torch==2.6.0 'filelock===3.16'"),
    ),
    case(
        "LA408",
        "an ARG",
        "ARG TORCH_VERSION=2.5.1\nFROM pytorch/pytorch:${TORCH_VERSION}-cuda12.4-cudnn9-runtime\n",
        ("error", "torch", "ARG TORCH_VERSION=2.5.1"),
    ),
    case(
        "LA408",
        "an ARG and its install are one finding",
        "FROM python:3.11\nARG FILELOCK_VERSION=3.0\nRUN pip install filelock==$FILELOCK_VERSION\n",
        ("error", "filelock", "ARG FILELOCK_VERSION=3.0"),
    ),
    case(
        "LA408",
        "a wheel and a tag",
        """\
        FROM python:3.11
        RUN pip install https://files.example/flash_attn-2.7.4%2Bcu12torch2.6-cp311-cp311-linux_x86_64.whl
        RUN git clone -b v2.7.4 https://github.com/Dao-AILab/flash-attention /f && cd /f && pip install .
        """,
        (
            "error",
            "flash-attn",
            "RUN pip install https://files.example/flash_attn-2.7.4%2Bcu12torch2.6-cp311-cp311-linux_x86_64.whl",
        ),
        (
            "error",
            "flash-attn",
            "RUN git clone -b v2.7.4 https://github.com/Dao-AILab/flash-attention /f && cd /f && pip install .",
        ),
        locked=WITH_WHEEL,
    ),
    case(
        "LA408",
        "beside the lock",
        "FROM python:3.11\nCOPY . .\nRUN uv sync --locked\nRUN uv pip install httpx==0.28.0\n",
        ("warning", "httpx", "RUN uv pip install httpx==0.28.0"),
    ),
    case(
        "LA408",
        "versions that are none of the lock's business",
        """\
        ARG CMAKE_VERSION=3.26.1
        ARG REDIS_VERSION=7.2
        FROM redis:${REDIS_VERSION}
        RUN apt-get install cmake=$CMAKE_VERSION && pip install uv==0.13.9 'torch>=2,<3' numpy==1.*
        RUN uv tool install filelock==1.0
        """,
        locked=lock(root(needs=["redis", "torch"]), package("redis", "5.0"), TORCH),
    ),
    case("LA408", "an ARG that nobody uses", "ARG TORCH_VERSION=2.5.1\nFROM python:3.11\n"),
    case("LA408", "tools of a stage without a lock", "FROM python:3.11\nRUN pip install ninja==1.11 httpx==0.28.0\n"),
)
LA409 = (
    case("LA409", "sync", "FROM python:3.11\nRUN uv sync\n", ("warning", "-", "RUN uv sync")),
    case(
        "LA409",
        "a lock that is not read",
        "FROM python:3.11\nCOPY uv.lock .\nRUN uv pip install -r uv.lock\nRUN uv pip sync /uv.lock\n"
        "RUN pip install -r ./uv.lock\n",
        ("error", "-", "RUN uv pip install -r uv.lock"),
        ("error", "-", "RUN uv pip sync /uv.lock"),
        ("error", "-", "RUN pip install -r ./uv.lock"),
    ),
    case(
        "LA409",
        "pyproject.toml",
        "FROM python:3.11\nRUN uv pip install --requirement pyproject.toml\n",
        ("warning", "-", "RUN uv pip install --requirement pyproject.toml"),
    ),
    case(
        "LA409",
        "locked in the build",
        "FROM python:3.11\nRUN uv lock && uv sync --locked\n",
        ("warning", "-", "RUN uv lock && uv sync --locked"),
    ),
    case(
        "LA409",
        "frozen and never checked",
        "FROM python:3.11\nRUN uv sync --frozen\nRUN uv export --frozen\n",
        ("info", "-", "RUN uv sync --frozen"),
    ),
    case("LA409", "locked", "FROM python:3.11\nRUN uv sync --locked && uv sync --frozen\n"),
    case("LA409", "variables", "FROM python:3.11\nENV UV_LOCKED=true\nRUN uv sync && uv export\n"),
    case("LA409", "checked first", "FROM python:3.11\nRUN uv lock --check && uv sync --frozen\n"),
    case("LA409", "unknown", "FROM team.example/base:1\nARG FLAGS\nRUN uv sync\nRUN uv sync $FLAGS\n"),
    case(
        "LA409",
        "a standard lock",
        "FROM python:3.11\nRUN uv pip install -r pylock.toml && uv pip install --no-deps -r pyproject.toml\n",
    ),
)
INSTALLER = "RUN curl -LsSf https://astral.sh/uv/0.13.9/install.sh | sh"
LA410 = (
    case("LA410", "into a shell", f"FROM debian:12\n{INSTALLER}\n", ("warning", "-", INSTALLER)),
    *(
        case("LA410", text, f"FROM debian:12\n{text}\n", ("warning", subject, text))
        for text, subject in {
            'RUN sh -c "$(wget -qO- https://example.com/install)"': "-",
            "RUN bash <(curl -s https://example.com/install)": "-",
            "RUN wget https://example.com/cmake-3.26.1.tar.gz && tar xf cmake-3.26.1.tar.gz": "-",
            "RUN curl -L -o cmake.sh 'https://example.com/get?file=cmake' && sh cmake.sh": "-",
            "RUN curl -L https://example.com/latest | tar xz": "-",
            "ADD https://example.com/cmake.sh /": "-",
            "RUN pip install --upgrade pip uv": "uv",
            "COPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/": "uv",
            "COPY --from=ghcr.io/astral-sh/uv /uv /bin/": "uv",
        }.items()
    ),
    case(
        "LA410",
        "uv as a stage",
        "ARG UV=latest\nFROM ghcr.io/astral-sh/uv:$UV AS uv\nFROM debian:12\n",
        ("warning", "uv", "FROM ghcr.io/astral-sh/uv:$UV AS uv"),
    ),
    *(
        case("LA410", text, f"FROM debian:12\n{text}\n")
        for text in (
            "RUN curl -fsSLO https://example.com/x.tar.gz && echo '0  x.tar.gz' | sha256sum -c -",
            "ADD --checksum=sha256:00 https://example.com/cmake.sh /",
            "ADD https://github.com/acme/kernels.git#v1 /src",
            "RUN curl -fsSL https://example.com/key.gpg | gpg --dearmor -o /etc/apt/keyrings/x.gpg",
            "RUN curl --fail http://localhost:8000/install.sh | sh",
            "RUN pip install uv==0.13.9",
            "RUN pip install 'uv>=0.13,<0.14'",
            "COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /bin/",
            f"COPY --from=ghcr.io/astral-sh/uv@sha256:{'0' * 64} /uv /bin/",
        )
    ),
)
LA412 = (
    case(
        "LA412",
        "a third lock",
        "FROM python:3.11\nCOPY staging/uv.lock staging/pyproject.toml ./\nRUN uv sync --locked\n",
        ("warning", "-", "RUN uv sync --locked"),
    ),
    case(
        "LA412",
        "under the name of uv's",
        "FROM python:3.11\nWORKDIR /a\nRUN --mount=type=bind,source=old/uv.lock,target=uv.lock uv sync --locked\n",
        ("warning", "-", "RUN --mount=type=bind,source=old/uv.lock,target=uv.lock uv sync --locked"),
    ),
    case("LA412", "prod's", "FROM python:3.11\nCOPY prod/uv.lock prod/pyproject.toml ./\nRUN uv sync --locked\n"),
    case("LA412", "the root's", "FROM python:3.11\nCOPY . /src\nWORKDIR /src/packages/member\nRUN uv sync --locked\n"),
    case(
        "LA412", "a folder that nobody knows", "FROM python:3.11\nCOPY staging /s\nWORKDIR /s\nRUN uv sync --locked\n"
    ),
    case(
        "LA412",
        "a lock that another stage has",
        "FROM python:3.11 AS a\nCOPY uv.lock pyproject.toml /a/\n"
        "FROM python:3.11\nCOPY --from=a /a /b\nRUN uv sync --locked --project /b\n",
    ),
    case("LA412", "no sync", "FROM python:3.11\nCOPY staging/uv.lock ./\nRUN uv tree\n"),
)
LA414 = (
    case(
        "LA414",
        "in one stage",
        "FROM python:3.11\nCOPY . .\nRUN uv sync --locked\nRUN uv sync --locked\n",
        ("warning", "-", "RUN uv sync --locked"),
    ),
    case(
        "LA414",
        "in the stage above",
        "FROM python:3.11 AS deps\nCOPY . /app\nWORKDIR /app\nRUN uv sync --frozen -q\n"
        "FROM deps\nENV A=1\nRUN uv sync --frozen -q\n",
        ("warning", "-", "RUN uv sync --frozen -q"),
    ),
    case(
        "LA414",
        "a list",
        "FROM python:3.11\nCOPY r.txt /\nRUN uv pip sync r.txt\nCOPY --from=x /w /w\nRUN uv pip sync r.txt\n",
        ("warning", "-", "RUN uv pip sync r.txt"),
    ),
    case(
        "LA414",
        "other options",
        "FROM python:3.11\nCOPY . .\nRUN uv sync --locked --no-install-project\nRUN uv sync --locked\n",
    ),
    case(
        "LA414",
        "files in between",
        "FROM python:3.11\nCOPY uv.lock pyproject.toml ./\nRUN uv sync --locked\nCOPY . .\nRUN uv sync --locked\n",
    ),
    case(
        "LA414",
        "two environments",
        "FROM python:3.11\nCOPY . .\nRUN uv sync --locked\nENV UV_PROJECT_ENVIRONMENT=/b\nRUN uv sync --locked\n",
    ),
    case(
        "LA414",
        "two projects",
        "FROM python:3.11\nCOPY . .\nRUN uv sync --locked\nRUN uv sync --locked --project prod\n",
    ),
    case(
        "LA414",
        "another in between",
        "FROM python:3.11\nCOPY . .\nRUN uv sync --locked\nRUN uv sync --locked --extra gpu\nRUN uv sync --locked\n",
    ),
)
CASES = (*LA406, *LA407, *LA408, *LA409, *LA410, *LA412, *LA414)


@pytest.mark.parametrize("each", CASES, ids=ids(CASES))
def test_rule(each: Case, tmp_path: Path) -> None:
    verify(each, tmp_path)
