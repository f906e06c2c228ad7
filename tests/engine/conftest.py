"""Fixtures of the tests that need a Docker Engine: an engine, a registry, an index, stand-in projects, built images.

    engine          an `Engine`: `build(project, target, ...)` is `docker build` without bake, `run(image, ...)` runs a
                    command in a new container. Without an engine the test is skipped, or fails where CI=true.
    registry        `127.0.0.1:<port>` of an empty registry (compose.yaml), reached by the engine and by the test.
    index           the folder of the world of stand-ins, with the build tools, as an `Index`.
    base            the address where `index` is served, with one port for the whole session.
    project         a locked stand-in project with its build lock, shared by the session: read it, do not change it.
    new_project     makes another one: `new_project()`, or `new_project(wheels=False)` without docker/wheels, for
                    `lockaudit bake` to write. Each has a build lock of its own, so its first build compiles.
    copied_project  a copy of `project`, to change: it starts with the same bytes, so with every layer cached.
    prod_build      `project` built to its stage `prod`, once for the session.
    dev_build       the same for `dev`, built after `prod_build`.

`compiles(log)` in docker.py counts the compiles in a log of `--progress=plain`. Builds need the host's network, where
the index listens: `engine.build` passes `--network=host`; a bake file needs an override with `network = "host"` on its
targets, and `--allow=network.host`.
"""

from __future__ import annotations

import os
import shutil
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.standins import add_build_tools, make_world, serve

from .docker import Build, Engine, docker
from .project import write_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_docker.plugin import Services

    from tests.standins import Index


class NewProject(Protocol):
    """The type of the fixture `new_project`."""

    def __call__(self, *, wheels: bool = True) -> Path:
        """Write and lock a stand-in project."""


def _why_not() -> str | None:
    """Why there is no engine, or None."""
    if shutil.which("docker") is None:
        return "no Docker Engine: the docker client is not on PATH"
    process = docker("info", "--format={{.ServerVersion}}", check=False)
    if process.returncode != 0:
        return f"no Docker Engine: {process.stderr.strip()}"
    return None


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A running Docker Engine."""
    reason = _why_not()
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    found = Engine()
    yield found
    found.remove_images()


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    """What pytest-docker starts."""
    return str(Path(__file__).with_name("compose.yaml"))


@pytest.fixture(scope="session")
def registry(engine: Engine, request: pytest.FixtureRequest) -> str:  # noqa: ARG001 (skips before compose is asked)
    """The address of an empty registry, without a scheme."""
    services: Services = request.getfixturevalue("docker_services")
    port = services.port_for("registry", 5000)

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=1) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    services.wait_until_responsive(check=answers, timeout=30, pause=0.1)
    return f"127.0.0.1:{port}"


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """The world of stand-ins, with the build tools."""
    world = make_world(tmp_path_factory.mktemp("index"))
    add_build_tools(world)
    return world


@pytest.fixture(scope="session")
def base(index: Index) -> Iterator[str]:
    """The address where the world is served."""
    with serve(index.root) as address:
        yield address


@pytest.fixture(scope="session")
def new_project(engine: Engine, base: str, tmp_path_factory: pytest.TempPathFactory) -> NewProject:  # noqa: ARG001
    """Makes stand-in projects."""

    def make(*, wheels: bool = True) -> Path:
        return write_project(tmp_path_factory.mktemp("project") / "app", base, wheels=wheels)

    return make


@pytest.fixture(scope="session")
def project(new_project: NewProject) -> Path:
    """A stand-in project that no test changes."""
    return new_project()


@pytest.fixture
def copied_project(project: Path, tmp_path: Path) -> Path:
    """A copy of the stand-in project, to change."""
    return shutil.copytree(project, tmp_path / "app")


@pytest.fixture(scope="session")
def prod_build(engine: Engine, project: Path) -> Build:
    """The production image of the stand-in project."""
    return engine.build(project, "prod")


@pytest.fixture(scope="session")
def dev_build(engine: Engine, project: Path, prod_build: Build) -> Build:  # noqa: ARG001 (the order is the point)
    """The development image of the stand-in project, built after the production image."""
    return engine.build(project, "dev")
