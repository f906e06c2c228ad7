"""The real BuildKit runs what the picture calls sure after a change, and nothing that the picture does not name."""

from __future__ import annotations

import re
import shutil
import subprocess
import uuid
from typing import TYPE_CHECKING, Final

import pytest

from auditor.report.graph.model import Build, Kind, Reach
from tests.engine.docker import docker
from tests.report.pictures import node, picture_of
from tests.rules.specimens import package, plain, write_pair
from tests.support import missing

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.engine

# A step of every kind. The files that RUN makes have the bytes of what it read, or always the same ones.
DOCKERFILE: Final = """\
FROM ubuntu AS base
RUN echo NONCE >/nonce

FROM scratch AS build-locks
COPY docker/wheels/ /locks/

FROM base AS compile
RUN --mount=type=bind,from=build-locks,source=/locks,target=/locks \\
    mkdir /wheels && cat /locks/flash-attn/key >/wheels/wheel

FROM scratch AS wheel-prod
COPY --from=compile /wheels/ /

FROM base AS manifests
RUN --mount=type=bind,target=/context cp /context/uv.lock /manifest

FROM base AS deps-dev
COPY --from=manifests /manifest /manifest
RUN cat /manifest >/venv

FROM base AS deps-prod
COPY prod/ /workspace/
RUN cp /workspace/uv.lock /venv

FROM base AS prod
COPY --from=deps-prod /workspace/uv.lock /lock
COPY --from=deps-prod /venv /venv
RUN --mount=type=bind,from=wheel-prod,target=/wheels cat /wheels/wheel >/installed

FROM deps-dev AS dev
COPY . /sources/
RUN --mount=type=bind,from=wheel-prod,target=/wheels cat /wheels/wheel >/installed
"""
# what the picture calls it -> the file that is edited
CHANGES: Final = {
    "prod/uv.lock": "prod/uv.lock",
    "prod/pyproject.toml": "prod/pyproject.toml",
    "uv.lock": "uv.lock",
    "pyproject.toml": "pyproject.toml",
    "docker/wheels/flash-attn": "docker/wheels/flash-attn/key",
    "sources": "sources.txt",
}
_STEP: Final = re.compile(r"^#(\d+) \[(\S+) +\d+/\d+\] (?:RUN|COPY)", re.MULTILINE)
_CACHED: Final = re.compile(r"^#(\d+) CACHED", re.MULTILINE)


@pytest.fixture
def image() -> str:
    """An image that the engine has and that has a shell: none is downloaded."""
    if shutil.which("docker") is None:
        missing("there is no docker client")
    listed = docker("image", "ls", "--format={{.Repository}}:{{.Tag}}", check=False)
    found = next((line for line in listed.stdout.split() if line.startswith("nvidia/cuda:")), None)
    if found is None:
        missing("there is no Docker Engine with a stand-in for nvidia/cuda")
        raise AssertionError
    return found


def built(root: Path) -> set[str]:
    """The stages of which a step ran."""
    ran = set()
    for target in ("prod", "dev"):
        options = ["--progress=plain", "--output=type=cacheonly", "--file=docker/Dockerfile-uv", f"--target={target}"]
        command = ["docker", "buildx", "build", *options, "."]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        cached = set(_CACHED.findall(done.stderr))
        ran |= {stage for number, stage in _STEP.findall(done.stderr) if number not in cached}
    return ran


def predicted(build: Build, label: str) -> tuple[set[str], set[str]]:
    """The stages that a change reaches for sure, and those that it may reach."""
    found: tuple[set[str], set[str]] = (set(), set())
    for name, reach in build.invalidated(node(build, "input", label).id).items():
        if build.by_id[name].kind is Kind.STAGE:
            found[reach is not Reach.SURE].add(build.by_id[name].label)
    return found


def test_buildkit_builds_again_what_the_picture_says(tmp_path: Path, image: str) -> None:
    nonce = uuid.uuid4().hex
    text = plain(package("rich"))
    dockerfile = DOCKERFILE.replace("FROM ubuntu", f"FROM {image}").replace("NONCE", nonce)
    root = write_pair(tmp_path / "project", dev=text, prod=text, dockerfile=dockerfile)
    (root / "docker" / "wheels" / "flash-attn").mkdir(parents=True)
    for path in ("docker/wheels/flash-attn/key", "sources.txt"):
        (root / path).write_text(f"{nonce}\n", encoding="utf-8")
    (build,) = picture_of(root).builds
    built(root)
    assert built(root) == set()
    for label, path in CHANGES.items():
        with (root / path).open("a", encoding="utf-8") as file:
            file.write(f"# {nonce}\n")
        sure, maybe = predicted(build, label)
        ran = built(root)
        assert sure <= ran <= sure | maybe, label
        assert sure, label
