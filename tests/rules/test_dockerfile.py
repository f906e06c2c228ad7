"""LA401, LA404, LA405, LA411 and LA413: what a Dockerfile compiles, and where its environments are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.cases import Case, ids, verify
from tests.rules.dockerfiles import DEVEL, FORCED, WITH_WHEEL, case

if TYPE_CHECKING:
    from pathlib import Path

COMPILE = "RUN pip wheel --no-deps --no-build-isolation -w /wheels flash-attn==2.8.3"

LA401 = (
    case(
        "LA401",
        "the lock is copied",
        f"{DEVEL} AS deps\nCOPY pyproject.toml uv.lock ./\nFROM deps AS wheel\n{COMPILE}\n",
        ("error", "flash-attn", COMPILE),
    ),
    case("LA401", "the whole context", f"{DEVEL}\nCOPY . .\n{COMPILE}\n", ("error", "flash-attn", COMPILE)),
    case("LA401", "a folder with a lock", f"{DEVEL}\nCOPY prod /p\n{COMPILE}\n", ("error", "flash-attn", COMPILE)),
    case("LA401", "a pattern", f"{DEVEL}\nCOPY *.toml *.lock ./\n{COMPILE}\n", ("error", "flash-attn", COMPILE)),
    case(
        "LA401",
        "a mount",
        f"{DEVEL}\nRUN --mount=type=bind,target=/ctx ls /ctx\n{COMPILE}\n",
        ("error", "flash-attn", COMPILE),
    ),
    case(
        "LA401",
        "an environment made from the lock",
        f"""\
        FROM python:3.11 AS deps
        WORKDIR /app
        COPY uv.lock pyproject.toml ./
        RUN uv sync --locked
        {DEVEL} AS wheel
        COPY --from=deps /app/.venv /app/.venv
        {COMPILE}
        """,
        ("error", "flash-attn", COMPILE),
    ),
    case(
        "LA401",
        "a sync that compiles",
        "FROM python:3.11\nCOPY uv.lock pyproject.toml ./\nRUN uv sync --locked\n",
        ("error", "flash-attn", "RUN uv sync --locked"),
        locked=WITH_WHEEL,
    ),
    case(
        "LA401",
        "a sync behind a cache mount is a warning",
        "FROM python:3.11\nCOPY uv.lock pyproject.toml ./\n"
        "RUN --mount=type=cache,target=/root/.cache/uv uv sync --locked\n",
        ("warning", "flash-attn", "RUN --mount=type=cache,target=/root/.cache/uv uv sync --locked"),
        locked=WITH_WHEEL,
    ),
    case(
        "LA401",
        "a repository, and a package that is not known",
        f"{DEVEL}\nCOPY uv.lock /\n"
        "RUN git clone https://github.com/acme/kernels /k && pip wheel --no-build-isolation /k\n",
        (
            "error",
            "kernels",
            "RUN git clone https://github.com/acme/kernels /k && pip wheel --no-build-isolation /k",
        ),
    ),
    case("LA401", "a build lock alone", f"{DEVEL}\nCOPY docker/wheels/flash-attn /lock\n{COMPILE}\n"),
    case("LA401", "the lock comes after the compile", f"{DEVEL}\n{COMPILE}\nCOPY . .\n"),
    case("LA401", "a lock that is left out", f"{DEVEL}\nCOPY --exclude=uv.lock --exclude=prod . .\n{COMPILE}\n"),
    case(
        "LA401",
        "what was taken out of the lock first",
        "FROM python:3.11 AS pins\nCOPY uv.lock /\nRUN grep torch /uv.lock >/pin\n"
        f"{DEVEL}\nCOPY --from=pins /pin /\n{COMPILE}\n",
    ),
    case("LA401", "the project's own wheel", f"{DEVEL}\nCOPY . .\nRUN python setup.py bdist_wheel && uv build\n"),
    case(
        "LA401",
        "a sync without the compiled package",
        "FROM python:3.11\nCOPY uv.lock pyproject.toml ./\nRUN uv sync --locked --no-install-package flash-attn\n",
        locked=WITH_WHEEL,
    ),
    case(
        "LA401",
        "a sync whose options nobody knows",
        'FROM python:3.11\nCOPY uv.lock pyproject.toml ./\nRUN uv sync --locked "$@"\n',
        locked=WITH_WHEEL,
    ),
    case(
        "LA401",
        "a finished wheel",
        f"{DEVEL}\nCOPY . .\n"
        "RUN pip install --no-build-isolation /wheels/flash_attn-2.8.3-cp311-cp311-linux_x86_64.whl\n"
        "RUN uv pip install --no-index --find-links /wheels flash-attn\n",
    ),
)
LA404 = (
    case(
        "LA404",
        "another path is activated",
        """\
        FROM python:3.11
        WORKDIR /app
        COPY uv.lock pyproject.toml ./
        RUN uv sync --locked
        ENV PATH="/opt/venv/bin:$PATH"
        """,
        ("error", "-", 'ENV PATH="/opt/venv/bin:$PATH"'),
    ),
    case(
        "LA404",
        "copied from where there is none",
        """\
        FROM python:3.11 AS build
        ENV UV_PROJECT_ENVIRONMENT=/opt/venv
        WORKDIR /app
        COPY . .
        RUN uv sync --locked
        FROM python:3.11
        COPY --from=build /app/.venv /app/.venv
        """,
        ("error", "-", "COPY --from=build /app/.venv /app/.venv"),
    ),
    case(
        "LA404",
        "moved",
        """\
        FROM python:3.11 AS build
        WORKDIR /build
        COPY . .
        RUN uv sync --locked
        FROM python:3.11
        COPY --from=build /build /app
        """,
        ("error", "-", "COPY --from=build /build /app"),
    ),
    case(
        "LA404",
        "a folder of a command",
        """\
        FROM python:3.11
        COPY . /src
        RUN cd /src/prod && uv sync --locked
        ENV VIRTUAL_ENV=/src/.venv
        """,
        ("error", "-", "ENV VIRTUAL_ENV=/src/.venv"),
    ),
    case(
        "LA404",
        "one path",
        """\
        FROM python:3.11 AS build
        ENV UV_PROJECT_ENVIRONMENT=/opt/venv VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH
        COPY . /app
        RUN uv sync --locked --directory /app
        FROM python:3.11
        COPY --from=build /opt/venv /opt/venv
        ENV PATH=/opt/venv/bin:$PATH
        """,
    ),
    case(
        "LA404",
        "a path that is set for all, and made by one",
        """\
        FROM python:3.11 AS base
        ENV PATH=/opt/venv/bin:$PATH
        FROM base AS docs
        RUN uv venv /docs/.venv
        FROM base AS build
        RUN python -m venv /opt/venv
        FROM base
        COPY --from=build /opt/venv /opt/venv
        """,
    ),
    case(
        "LA404",
        "the system's prefix",
        "FROM python:3.11\nENV UV_PROJECT_ENVIRONMENT=/usr/local\nRUN uv sync --locked\n",
    ),
    case(
        "LA404",
        "moved by a command",
        "FROM python:3.11\nRUN uv venv /build/.venv && mv /build/.venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH\n",
    ),
    case(
        "LA404",
        "relocatable",
        "FROM python:3.11 AS a\nRUN uv venv --relocatable /a/.venv\n"
        "FROM python:3.11\nCOPY --from=a /a/.venv /b/.venv\n",
    ),
    case(
        "LA404",
        "an image of the team",
        "FROM team.example/base:1\nRUN uv venv /a/.venv\nENV PATH=/opt/venv/bin:$PATH\n",
    ),
    case(
        "LA404",
        "a script that nobody knows",
        "FROM python:3.11\nCOPY setup.sh /\nRUN uv venv /a/.venv && sh /setup.sh\nENV PATH=/opt/venv/bin:$PATH\n",
    ),
    case(
        "LA404",
        "other folders of PATH",
        "FROM python:3.11\nRUN uv venv /v\nENV PATH=/root/.local/bin:/usr/local/cuda/bin:$PATH\n",
    ),
)
LA405 = (
    case("LA405", "not set", f"{DEVEL}\n{COMPILE}\n", ("error", "flash-attn", COMPILE)),
    case(
        "LA405",
        "set to something else",
        f"{DEVEL}\nENV FLASH_ATTENTION_FORCE_BUILD=1\n{COMPILE}\n",
        ("error", "flash-attn", COMPILE),
    ),
    case(
        "LA405",
        "set and not exported",
        f"{DEVEL}\nRUN FLASH_ATTENTION_FORCE_BUILD=TRUE; pip install flash-attn\n",
        ("error", "flash-attn", "RUN FLASH_ATTENTION_FORCE_BUILD=TRUE; pip install flash-attn"),
    ),
    case(
        "LA405",
        "without the CUDA code",
        f"{DEVEL}\n{FORCED}ENV FLASH_ATTENTION_SKIP_CUDA_BUILD=TRUE\n{COMPILE}\n",
        ("error", "flash-attn", COMPILE),
    ),
    case(
        "LA405",
        "others of its kind",
        f"{DEVEL}\nRUN pip install --no-build-isolation causal-conv1d 'transformer_engine[pytorch]'\n"
        "RUN git clone https://github.com/state-spaces/mamba && cd mamba && pip install .\n",
        ("error", "causal-conv1d", "RUN pip install --no-build-isolation causal-conv1d 'transformer_engine[pytorch]'"),
        (
            "error",
            "transformer-engine-torch",
            "RUN pip install --no-build-isolation causal-conv1d 'transformer_engine[pytorch]'",
        ),
        (
            "error",
            "mamba-ssm",
            "RUN git clone https://github.com/state-spaces/mamba && cd mamba && pip install .",
        ),
    ),
    case(
        "LA405",
        "a sync that compiles",
        "FROM python:3.11\nCOPY . .\nRUN uv sync --locked\n",
        ("error", "flash-attn", "RUN uv sync --locked"),
        locked=WITH_WHEEL,
    ),
    *(
        case("LA405", name, f"{DEVEL}\n{text}\n")
        for name, text in {
            "ENV": f"{FORCED}{COMPILE}",
            "ARG": f"ARG FLASH_ATTENTION_FORCE_BUILD=TRUE\n{COMPILE}",
            "ARG without a value": f"ARG FLASH_ATTENTION_FORCE_BUILD\n{COMPILE}",
            "the command's own": "RUN FLASH_ATTENTION_FORCE_BUILD=TRUE pip wheel flash-attn",
            "exported": "RUN export FLASH_ATTENTION_FORCE_BUILD=TRUE && pip wheel flash-attn",
            "env": "RUN env MAX_JOBS=4 FLASH_ATTENTION_FORCE_BUILD=TRUE pip wheel flash-attn",
            "a file": "COPY build.env /\nRUN set -a && . /build.env && pip wheel flash-attn",
            "a file that is written here": (
                "COPY <<EOF /build.env\nFLASH_ATTENTION_FORCE_BUILD=TRUE\nEOF\n"
                "RUN set -a; . /build.env; pip wheel flash-attn"
            ),
            "no wheel is built": "RUN pip install -e git+https://github.com/Dao-AILab/flash-attention.git@v2.8.3",
            "a condition": "RUN if true; then export FLASH_ATTENTION_FORCE_BUILD=TRUE; fi; pip wheel flash-attn",
        }.items()
    ),
    case("LA405", "an image of the team", f"FROM team.example/builder:1\n{COMPILE}\n"),
    case(
        "LA405",
        "uv's settings",
        "FROM python:3.11\nCOPY . .\nRUN uv sync --locked\n",
        locked=WITH_WHEEL,
        config='[tool.uv.extra-build-variables]\nflash-attn = { FLASH_ATTENTION_FORCE_BUILD = "TRUE" }\n',
    ),
)
LA411 = (
    case("LA411", "ARG", f"{DEVEL}\nARG MAX_JOBS=4\n{COMPILE}\n", ("warning", "flash-attn", "ARG MAX_JOBS=4")),
    case(
        "LA411",
        "ENV of a stage below",
        f"{DEVEL} AS base\nENV NVCC_THREADS=2\nFROM base\nARG max_jobs\n{COMPILE}\n",
        ("warning", "flash-attn", "ENV NVCC_THREADS=2"),
        ("warning", "flash-attn", "ARG max_jobs"),
    ),
    case(
        "LA411", "a secret", f"{DEVEL}\n{COMPILE.replace('RUN', 'RUN --mount=type=secret,id=max_jobs,env=MAX_JOBS')}\n"
    ),
    case("LA411", "the script's own", f"{DEVEL}\nRUN MAX_JOBS=$(nproc) pip wheel flash-attn\n"),
    case("LA411", "after the compile", f"{DEVEL}\n{COMPILE}\nENV MAX_JOBS=4\n"),
    case(
        "LA411", "nothing is compiled", "FROM python:3.11\nENV MAX_JOBS=4\nCOPY . .\nRUN uv sync --locked && uv build\n"
    ),
    case("LA411", "an ARG that the stage does not declare", f"ARG MAX_JOBS=4\n{DEVEL}\n{COMPILE}\n"),
)
OLD = "RUN FLASH_ATTN_CUDA_ARCHS=90 pip wheel flash-attn==2.6.1"
LA413 = (
    case("LA413", "the command's own", f"{DEVEL}\n{OLD}\n", ("warning", "flash-attn", OLD)),
    case(
        "LA413",
        "a tag",
        f"{DEVEL}\nENV FLASH_ATTN_CUDA_ARCHS=90\n"
        "RUN pip wheel git+https://github.com/Dao-AILab/flash-attention@v2.5.8\n",
        ("warning", "flash-attn", "RUN pip wheel git+https://github.com/Dao-AILab/flash-attention@v2.5.8"),
    ),
    case("LA413", "a version that reads it", f"{DEVEL}\n{OLD.replace('2.6.1', '2.8.3')}\n"),
    case("LA413", "a version that nobody has looked at", f"{DEVEL}\n{OLD.replace('2.6.1', '2.6.3')}\n"),
    case("LA413", "no list", f"{DEVEL}\nRUN pip wheel flash-attn==2.6.1\n"),
    case("LA413", "no version", f"{DEVEL}\nRUN FLASH_ATTN_CUDA_ARCHS=90 pip wheel flash-attn\n"),
)
CASES = (*LA401, *LA404, *LA405, *LA411, *LA413)


@pytest.mark.parametrize("each", CASES, ids=ids(CASES))
def test_rule(each: Case, tmp_path: Path) -> None:
    verify(each, tmp_path)
