"""A project with two variants, locked once by the real uv; each test gets a copy."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.bake.conftest import docker
from tests.standins import add_build_tools, make_world, serve
from tests.variants.project import write_variants

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["docker"]
INDEX = "https://index.example"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an index of stand-ins."""
    world = make_world(tmp_path_factory.mktemp("index"))
    add_build_tools(world)
    with serve(world.root) as base:
        yield base


@pytest.fixture(scope="session")
def locked(served: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project; its locks name the index by an address that is the same in every session."""
    project = write_variants(tmp_path_factory.mktemp("variants") / "app", served)
    for folder in (project, project / "prod"):
        for name in ("pyproject.toml", "uv.lock"):
            path = folder / name
            path.write_text(path.read_text("utf-8").replace(served, INDEX), encoding="utf-8")
    return project


@pytest.fixture
def project(locked: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return shutil.copytree(locked, tmp_path / "app")
