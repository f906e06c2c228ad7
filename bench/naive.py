"""The usual recipe, to compare with: the wheel's stage stands on the stage that installs the locked dependencies."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Final

from tests.engine.baking import ONLY_CACHE, bake
from tests.engine.docker import docker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.engine.baking import Baked

# One compile for both images, layers for dependencies before layers for sources, cache mounts, pinned tools: what a
# careful author writes. flash-attn needs torch when it is built, so it is built where torch is.
DOCKERFILE: Final = """\
ARG CUDA_VERSION
ARG FLAVOR
ARG UBUNTU_VERSION
ARG UV_VERSION

FROM ghcr.io/astral-sh/uv:${UV_VERSION} AS uv

FROM nvidia/cuda:${CUDA_VERSION}-${FLAVOR}devel-ubuntu${UBUNTU_VERSION} AS base
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_PROJECT_ENVIRONMENT=/opt/venv UV_PYTHON=3.11 UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy
WORKDIR /workspace

FROM base AS deps-dev
ARG SELECTION
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv \\
    uv sync --locked --no-install-project --no-install-package flash-attn --group wheel-build $SELECTION

FROM deps-dev AS wheel
ARG MAX_JOBS
ARG NVCC_THREADS
ARG BUILD_ENV
ARG INDEX
RUN uv export --frozen --no-hashes --no-annotate --no-emit-project $SELECTION >/tmp/all.txt && \\
    grep '^flash-attn==' /tmp/all.txt >/tmp/flash.txt && \\
    eval "export MAX_JOBS NVCC_THREADS $BUILD_ENV" && \\
    /opt/venv/bin/python -m pip wheel --verbose --no-cache-dir --no-deps --use-pep517 --no-build-isolation \\
        --index-url $INDEX --requirement /tmp/flash.txt --wheel-dir /wheels

FROM deps-dev AS dev
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels uv pip install --no-deps --python /opt/venv /wheels/*.whl
COPY . .
RUN --mount=type=cache,target=/root/.cache/uv \\
    uv sync --locked --inexact --no-install-package flash-attn --group wheel-build $SELECTION

FROM base AS deps-prod
COPY prod/ ./
RUN --mount=type=cache,target=/root/.cache/uv uv sync --locked --no-dev --no-install-package flash-attn
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels uv pip install --no-deps --python /opt/venv /wheels/*.whl

FROM nvidia/cuda:${CUDA_VERSION}-${FLAVOR}runtime-ubuntu${UBUNTU_VERSION} AS prod
COPY --from=deps-prod /opt/venv /opt/venv
RUN /opt/venv/bin/python -c "import torch, flash_attn"
"""


def bake_naive(project: Path, dockerfile: str, index: str, env: Mapping[str, str]) -> Baked:
    """Bake both images by the usual recipe, with the pins that the project's own bake file has.

    Args:
        project: a project that lockaudit has baked.
        dockerfile: `DOCKERFILE`, or an edit of it.
        index: the address of the packages' index.
        env: variables of the row, and which engine.
    """
    printed = docker("buildx", "bake", "--print", "dev", cwd=project, env=env).stdout
    pins = json.loads(printed)["target"]["dev"]["args"]
    flavor = "cudnn-" if pins["CUDA_VARIANT"] == "cudnn" else ""
    build_env = (project / "docker" / "wheels" / "flash-attn" / "build.env").read_text()
    arguments = {
        **{name: pins[name] for name in ("CUDA_VERSION", "UBUNTU_VERSION", "UV_VERSION")},
        "FLAVOR": flavor,
        "SELECTION": pins["DEV_SELECTION"],
        "BUILD_ENV": " ".join(shlex.quote(part) for part in shlex.split(build_env)),
        "INDEX": index,
        # As CI passes them: a bigger machine takes more.
        "MAX_JOBS": env.get("MAX_JOBS", "4"),
        "NVCC_THREADS": env.get("NVCC_THREADS", "2"),
    }
    common = {
        "context": ".",
        "network": "host",
        "dockerfile-inline": dockerfile.replace("${", "$${"),
        "args": arguments,
    }
    labels = re.findall(r'labels = \{ (\w+) = "(\w+)" \}', (project / "docker-bake.override.hcl").read_text())
    targets = {name: {**common, "target": name, "labels": dict(labels)} for name in ("dev", "prod")}
    path = project.with_name(f"{project.name}-naive.json")
    path.write_text(json.dumps({"target": targets}))
    return bake(project, "dev", "prod", f"--file={path}", ONLY_CACHE, env=env)
