"""What the tests of pictures draw: a pair with one package of each kind, and a build of every kind of step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.cli.options import Overrides
from auditor.cli.workspace import load_all
from auditor.report.graph.picture import make_picture
from auditor.rules.run import audit
from tests.rules.specimens import LINUX, digest, lock, package, root, sdist, wheel, write_pair

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.report.graph.model import Build, BuildNode, Picture

TORCH = package("torch", "2.6.0", wheels=[wheel("torch", "2.6.0", LINUX, size=760_000_000)])
FLASH = package("flash-attn", "2.8.3", needs=["torch"], wheels=(), sdist=sdist("flash-attn", "2.8.3", size=8_000_000))
DEV = lock(
    root(
        needs=["torch", "flash-attn", "numpy", "rich"],
        extras={"viz": ["matplotlib"], "web": ["starlette"]},
        groups={"dev": ["pytest"], "docs": ["sphinx"]},
    ),
    FLASH,
    package("iniconfig", wheels=[wheel("iniconfig", size=None)]),
    package("matplotlib"),
    package("numpy", "2.1.0"),
    package("pytest", needs=["iniconfig"]),
    package("rich"),
    package("sphinx"),
    package("starlette"),
    TORCH,
)
PROD = lock(
    root("app-prod", needs=["torch", "flash-attn", "numpy", "orjson"]),
    FLASH,
    package("numpy", "2.0.0"),
    package("orjson", wheels=[wheel("orjson", tag=LINUX, size=140_000)]),
    TORCH,
)
CONFIG = '[tool.lockaudit.dev]\nextras = ["viz"]\n'

# A lock, a key and caches in between; a stage for each way in which a change goes on.
DOCKERFILE = """\
ARG CUDA_VERSION=12.4.1
FROM nvidia/cuda:${CUDA_VERSION}-devel-ubuntu22.04 AS devel
FROM nvidia/cuda:${CUDA_VERSION}-base-ubuntu22.04 AS slim
FROM nvidia/cuda:11.8.0-base-ubuntu22.04 AS left-out

FROM scratch AS build-locks
COPY docker/wheels/ /locks/

FROM devel AS compile
RUN --mount=type=bind,from=build-locks,source=/locks,target=/locks pip wheel -r /locks/flash-attn/source.txt -w /wheels

FROM scratch AS wheel-prod
COPY --from=compile /wheels/ /

FROM devel AS deps-prod
COPY prod/pyproject.toml prod/uv.lock /app/
RUN uv sync --directory /app --locked --no-install-package flash-attn

FROM slim AS prod
COPY --from=deps-prod /app/.venv /app/.venv
RUN --mount=type=bind,from=wheel-prod,target=/wheels uv pip install --no-index --find-links /wheels flash-attn

FROM devel AS dev
COPY pyproject.toml uv.lock /app/
RUN uv sync --directory /app --locked --no-install-package flash-attn
COPY . /app/
"""
BAKE = """\
target "_common" {
  dockerfile = "docker/Dockerfile-uv"
  args       = { CUDA_VERSION = "12.6.3" }
}
target "wheel-prod" {
  inherits = ["_common"]
  target   = "wheel-prod"
  cache-to = [{ type = "registry", ref = "cache.example/app:wheel" }]
}
target "prod" {
  description = "What runs"
  inherits    = ["_common"]
  target      = "prod"
  contexts    = { wheel-prod = "target:wheel-prod" }
  cache-from  = ["type=registry,ref=cache.example/app:prod"]
  cache-to    = ["type=registry,ref=cache.example/app:prod,mode=max"]
}
target "dev" {
  inherits = ["_common"]
  target   = "dev"
}
target "other" {
  dockerfile = "other/Dockerfile"
}
"""


def write_project(folder: Path, *, dockerfile: str = DOCKERFILE, bake: str = BAKE) -> Path:
    """The pair with the build."""
    write_pair(folder, dev=DEV, prod=PROD, config=CONFIG, dockerfile=dockerfile)
    lock_folder = folder / "docker" / "wheels" / "flash-attn"
    lock_folder.mkdir(parents=True)
    (lock_folder / "key").write_text("flash-attn-2.8.3\n", encoding="utf-8")
    (lock_folder / "source.txt").write_text(f"flash-attn --hash={digest('x')}\n", encoding="utf-8")
    if bake:
        (folder / "docker-bake.hcl").write_text(bake, encoding="utf-8")
    return folder


def picture_of(folder: Path, overrides: Overrides | None = None) -> Picture:
    """What is drawn of a folder."""
    contexts = load_all(folder, overrides or Overrides())
    return make_picture(contexts, audit(*contexts))


def node(build: Build, kind: str, label: str) -> BuildNode:
    """The one node of a kind whose label begins so."""
    (found,) = [each for each in build.nodes if each.kind == kind and each.label.startswith(label)]
    return found
