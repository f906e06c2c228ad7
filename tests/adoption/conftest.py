"""Fixtures of the tests that do what a new user does: real git, real hooks, real uv, a real engine.

programs    the folder of pre-commit and prek.
source      this repository as it is, as a git repository with a tag, which stands in for the published one.
index, base the world of stand-ins with the build tools, and its address (of tests/engine).
engine      a running Docker Engine (of tests/engine).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.conftest import base, engine, index

from .hooks import install_tools, make_source

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["base", "engine", "index"]


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of pre-commit and prek."""
    return install_tools()


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository, with what is not committed yet."""
    return make_source(tmp_path_factory.mktemp("published") / "lockaudit")
