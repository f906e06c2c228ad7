"""LA401 to LA414: what is found in Dockerfiles, and what is not.

The specimens are whole files: one with every defect, and good ones in which nothing may be found.
"""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Final

import pytest

from tests.cli.command import check
from tests.rules.cases import Case, ids, verify
from tests.rules.specimens import CU124, LINUX, lock, package, registry, root, sdist, write_pair
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

SPECIMENS: Final = REPOSITORY / "tests" / "dockerfile" / "specimens"
PLACE: Final = "docker/Dockerfile-uv"

FILELOCK = package("filelock", "3.16.0")
PYTEST = package("pytest", "8.3.0")
TORCH = package("torch", "2.6.0+cu124", source=registry(CU124), wheels=[LINUX])
FLASH_ATTN = package("flash-attn", "2.8.3", wheels=(), sdist=sdist("flash-attn", "2.8.3"), needs=["torch"])

# Nothing to compile; a default group; an extra that nobody asks for.
PLAIN = lock(
    root(needs=["filelock", "torch"], extras={"gpu": ["torch"]}, groups={"dev": ["pytest"]}),
    *(FILELOCK, PYTEST, TORCH),
)
WITHOUT_GROUPS = lock(root(needs=["filelock", "torch"]), FILELOCK, TORCH)
WITH_WHEEL = lock(
    root(needs=["filelock", "torch", "flash-attn"], groups={"dev": ["pytest"]}), FILELOCK, FLASH_ATTN, PYTEST, TORCH
)
FORCED = "ENV FLASH_ATTENTION_FORCE_BUILD=TRUE\n"
DEVEL = "FROM nvidia/cuda:12.4.1-devel-ubuntu22.04"


def case(
    rule: str,
    name: str,
    dockerfile: str,
    *found: tuple[str, str, str],
    locked: str = PLAIN,
    prod: str = "",
    config: str = "",
) -> Case:
    """A case about one Dockerfile.

    Args:
        rule: its code; only this rule runs.
        name: what is special.
        dockerfile: its text, indented as one likes.
        *found: (severity, package or `-`, the line that the finding points at).
        locked: both locks.
        prod: prod's lock, where it is another.
        config: inside of `[tool.lockaudit]`.
    """
    return Case(
        rule=rule,
        name=name,
        dev=locked,
        prod=prod or locked,
        config=config,
        dockerfile=dedent(dockerfile),
        found=tuple(f"{severity}[{rule}] {subject} {PLACE}: {line}" for severity, subject, line in found),
        select=(rule,),
    )


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
LA402 = (
    case(
        "LA402",
        "a variant of a devel image",
        """\
        # CUDA_VARIANT: cudnn, runtime or base
        ARG CUDA_VARIANT=cudnn
        FROM nvidia/cuda:12.4.1-${CUDA_VARIANT}-devel-ubuntu22.04
        """,
        ("error", "-", "FROM nvidia/cuda:12.4.1-${CUDA_VARIANT}-devel-ubuntu22.04"),
        ("error", "-", "FROM nvidia/cuda:12.4.1-${CUDA_VARIANT}-devel-ubuntu22.04"),
    ),
    case(
        "LA402",
        "the setting's variant",
        "ARG CUDA_VARIANT=cudnn\nFROM nvidia/cuda:12.4.1-${CUDA_VARIANT}-devel-ubuntu22.04\n",
        ("error", "-", "FROM nvidia/cuda:12.4.1-${CUDA_VARIANT}-devel-ubuntu22.04"),
        config='image.variant = "runtime"\n',
    ),
    case(
        "LA402",
        "no stage for a variant",
        """\
        # One of cudnn | runtime | base.
        ARG CUDA_VARIANT=cudnn
        FROM nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04 AS devel-cudnn
        FROM nvidia/cuda:12.4.1-devel-ubuntu22.04 AS devel-runtime
        FROM devel-${CUDA_VARIANT}
        """,
        ("error", "-", "FROM devel-${CUDA_VARIANT}"),
    ),
    *(
        case("LA402", f"tag {tag}", f"FROM nvidia/cuda:{tag}\n", ("error", "-", f"FROM nvidia/cuda:{tag}"))
        for tag in (
            "latest",
            "12.4-devel-ubuntu22.04",
            "12.4.0-cudnn-devel-ubuntu22.04",
            "12.4.1-base-devel-ubuntu22.04",
            "12.4.1-cudnn-base-ubuntu22.04",
            "12.4.1-cudnn9-devel-ubuntu22.04",
            "12.4.1-devel-ubuntu24.04",
            "12.4.1-devel",
            "12.7.0-devel-ubuntu22.04",
        )
    ),
    case(
        "LA402",
        "newer than the table",
        "FROM nvidia/cuda:13.3.0-base-ubuntu24.04\n",
        ("warning", "-", "FROM nvidia/cuda:13.3.0-base-ubuntu24.04"),
    ),
    case(
        "LA402",
        "copied from",
        "FROM debian:12\nCOPY --from=nvidia/cuda:12.4.1-cudnn-base-ubuntu22.04 /usr/local/cuda /cuda\n",
        ("error", "-", "COPY --from=nvidia/cuda:12.4.1-cudnn-base-ubuntu22.04 /usr/local/cuda /cuda"),
    ),
    case(
        "LA402",
        "a stage for each variant",
        """\
        # One of cudnn | runtime | base.
        ARG CUDA_VARIANT=cudnn
        ARG CUDA=12.4.1
        FROM nvidia/cuda:${CUDA}-cudnn-devel-ubuntu22.04 AS devel-cudnn
        FROM nvidia/cuda:${CUDA}-devel-ubuntu22.04 AS devel-runtime
        FROM devel-runtime AS devel-base
        FROM devel-${CUDA_VARIANT}
        """,
    ),
    case("LA402", "an ARG without a value", "ARG CUDA\nFROM nvidia/cuda:${CUDA}-devel-ubuntu22.04\n"),
    case("LA402", "a digest", f"FROM nvidia/cuda:12.4.0-cudnn-devel-ubuntu22.04@sha256:{'0' * 64}\n"),
    case("LA402", "another image", "FROM team.example/nvidia/cuda:latest\n"),
    case(
        "LA402",
        "words in a comment that are no values",
        "# The builder, runtime or base stage.\nARG FLAVOR=runtime\nFROM nvidia/cuda:12.4.1-${FLAVOR}-ubuntu22.04\n",
    ),
)
LA403 = (
    case(
        "LA403",
        "by its own name",
        f"{DEVEL} AS prod\nFROM python:3.11 AS dev\n",
        ("error", "-", f"{DEVEL} AS prod"),
    ),
    case(
        "LA403",
        "through stages and ARGs",
        "ARG FLAVOR=devel\nFROM nvidia/cuda:12.4.1-${FLAVOR}-ubuntu22.04 AS base\nFROM base AS tools\nFROM tools\n",
        ("error", "-", "FROM tools"),
    ),
    case(
        "LA403",
        "with a documented value",
        "# runtime or devel\nARG FLAVOR=runtime\nFROM nvidia/cuda:12.4.1-${FLAVOR}-ubuntu22.04 AS production\n",
        ("error", "-", "FROM nvidia/cuda:12.4.1-${FLAVOR}-ubuntu22.04 AS production"),
    ),
    case(
        "LA403",
        "another image's devel",
        "FROM pytorch/pytorch:2.6.0-cuda12.4-cudnn9-devel\n",
        ("error", "-", "FROM pytorch/pytorch:2.6.0-cuda12.4-cudnn9-devel"),
    ),
    case("LA403", "a runtime image", f"{DEVEL} AS build\nFROM nvidia/cuda:12.4.1-runtime-ubuntu22.04 AS prod\n"),
    case("LA403", "only development", f"{DEVEL} AS dev\n"),
    case("LA403", "an image of the team", "FROM team.example/cuda-devel/base:1\n"),
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
CASES = (
    *(*LA401, *LA402, *LA403, *LA404, *LA405, *LA406, *LA407),
    *(*LA408, *LA409, *LA410, *LA411, *LA412, *LA413, *LA414),
)


@pytest.mark.parametrize("each", CASES, ids=ids(CASES))
def test_rule(each: Case, tmp_path: Path) -> None:
    verify(each, tmp_path)


# What is wrong in every-defect.Dockerfile: (what, code, severity, the beginning of the line).
DEFECTS: Final = (
    ("the documented variant `runtime` makes a tag that does not exist", "LA402", "error", "FROM nvidia/cuda:"),
    ("so does `base`", "LA402", "error", "FROM nvidia/cuda:"),
    ("uv is downloaded unhashed", "LA410", "warning", "RUN curl -LsSf https://astral.sh/uv"),
    ("dev's lock is not enforced", "LA409", "warning", "RUN uv sync"),
    ("dev's extra, which chooses its torch, is not passed", "LA406", "error", "RUN uv sync"),
    ("prod's lock is installed with a command that does not read it", "LA409", "error", "RUN uv venv /env/prod"),
    ("a speed knob is part of the key of dev's wheel", "LA411", "warning", "ARG MAX_JOBS"),
    ("CMake is downloaded unhashed", "LA410", "warning", "RUN wget -q https://github.com/Kitware"),
    ("dev's wheel stands on the dependencies", "LA401", "error", "RUN FLASH_ATTN_CUDA_ARCHS"),
    ("dev's wheel may be a download", "LA405", "error", "RUN FLASH_ATTN_CUDA_ARCHS"),
    ("dev's flash-attn is in neither lock", "LA408", "warning", "RUN FLASH_ATTN_CUDA_ARCHS"),
    ("dev's flash-attn does not read the list", "LA413", "warning", "RUN FLASH_ATTN_CUDA_ARCHS"),
    ("a speed knob is part of the key of prod's wheel", "LA411", "warning", "ENV NVCC_THREADS"),
    ("CMake is downloaded unhashed once more", "LA410", "warning", "ADD https://github.com/Kitware"),
    ("prod's wheel stands on the dependencies", "LA401", "error", "RUN python3 -m pip wheel"),
    ("prod's wheel may be a download", "LA405", "error", "RUN python3 -m pip wheel"),
    ("prod's flash-attn is in neither lock", "LA408", "warning", "RUN python3 -m pip wheel"),
    ("prod's flash-attn does not read the list", "LA413", "warning", "RUN python3 -m pip wheel"),
    ("dev activates an environment where none was made", "LA404", "error", "ENV VIRTUAL_ENV=/opt/venv"),
    ("production stands on the devel image", "LA403", "error", "FROM system AS prod"),
    ("prod's extra is not passed", "LA406", "error", "RUN uv sync --locked"),
    ("prod gets the development group", "LA406", "warning", "RUN uv sync --locked"),
    ("prod is synced twice", "LA414", "warning", "RUN uv sync --locked"),
    ("the container syncs once more when it starts", "LA407", "error", 'CMD ["uv", "run"'),
)


def found_in(folder: Path, dockerfile: str, *, locked: str = PLAIN, config: str = "") -> list[tuple[str, str, str]]:
    """(code, severity, line) of each finding of LA4xx in a Dockerfile."""
    write_pair(folder, dev=locked, prod=locked, config=config, dockerfile=dockerfile, select=("LA4",))
    lines = dockerfile.splitlines()
    findings = check(folder).findings
    return [(each["code"], each["severity"], lines[each["line"] - 1]) for each in findings]


def test_every_defect_of_the_specimen_is_found_and_nothing_else(tmp_path: Path) -> None:
    text = (SPECIMENS / "every-defect.Dockerfile").read_text(encoding="utf-8")
    found = found_in(tmp_path, text, config='dev.extras = ["gpu"]\nprod.extras = ["gpu"]\n')
    assert len(found) == len(DEFECTS)
    for what, code, severity, start in DEFECTS:
        match = next((each for each in found if each[:2] == (code, severity) and each[2].startswith(start)), None)
        assert match is not None, what
        found.remove(match)


@pytest.mark.parametrize("path", sorted(SPECIMENS.glob("good-*")), ids=lambda path: path.stem)
@pytest.mark.parametrize("locked", [PLAIN, WITHOUT_GROUPS], ids=["groups", "no-groups"])
def test_nothing_is_found_in_good_ones(path: Path, locked: str, tmp_path: Path) -> None:
    assert found_in(tmp_path, path.read_text(encoding="utf-8"), locked=locked) == []


def test_nothing_is_found_where_the_wheel_is_kept_out_of_the_sync(tmp_path: Path) -> None:
    text = (SPECIMENS / "good-keyed-wheel.Dockerfile").read_text(encoding="utf-8")
    assert found_in(tmp_path, text, locked=WITH_WHEEL) == []


def test_nothing_is_found_in_our_own() -> None:
    assert [each for each in check(REPOSITORY).findings if each["code"].startswith("LA4")] == []


def test_ours_serves_a_project_without_a_wheel_and_one_with_a_selection(tmp_path: Path) -> None:
    text = (REPOSITORY / PLACE).read_text(encoding="utf-8")
    assert found_in(tmp_path / "plain", text) == []
    # What its syncs install is also in "$@", and `lockaudit bake` fills in the selections: nothing can be told.
    settings = 'dev.extras = ["gpu"]\nprod.extras = ["gpu"]\n'
    assert found_in(tmp_path / "chosen", text, config=settings) == []


def test_every_message_says_what_to_do(tmp_path: Path) -> None:
    text = (SPECIMENS / "every-defect.Dockerfile").read_text(encoding="utf-8")
    write_pair(tmp_path, dev=PLAIN, prod=PLAIN, dockerfile=text, select=("LA4",))
    for finding in check(tmp_path).findings:
        assert finding["help"]
        assert "\0" not in finding["message"]
        assert "\n" not in finding["message"]
