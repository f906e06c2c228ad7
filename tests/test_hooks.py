"""The hooks that other repositories take from here: when they run."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.support import REPOSITORY

HOOKS: Final = REPOSITORY / ".pre-commit-hooks.yaml"
MUST: Final = (
    "uv.lock",
    "prod/uv.lock",
    "services/a/prod/uv.lock",
    "pyproject.toml",
    "prod/pyproject.toml",
    "uv.toml",
    ".python-version",
    "prod/.python-version",
    "Dockerfile",
    "docker/Dockerfile-uv",
    "docker/Dockerfile.prod",
    "prod.Dockerfile",
    "dockerfile",
    "docker-bake.hcl",
    "docker-bake.override.hcl",
    "docker-bake.json",
    "docker/wheels/flash-attn/pylock.toml",
    "docker/wheels/flash-attn/key",
)
MUST_NOT: Final = (
    "README.md",
    "auditor/lock/read.py",
    "poetry.lock",
    "uv.lock.bak",
    "my-uv.lock.md",
    "notuv.lock",
    "pyproject.toml.orig",
    "docs/dockerfiles.md",
    "docker/compose.yaml",
    "docker/wheels/README",
    "docker-bake.hcl.tmpl",
    "python-version",
)


def patterns() -> list[str]:
    """The `files:` of both hooks."""
    return re.findall(r"^  files: (.*)$", HOOKS.read_text("utf-8"), re.MULTILINE)


def test_both_hooks_watch_the_same_files() -> None:
    first, second = patterns()
    assert first == second


@pytest.mark.parametrize("path", MUST)
def test_a_hook_runs_for(path: str) -> None:
    assert re.search(patterns()[0], path)


@pytest.mark.parametrize("path", MUST_NOT)
def test_a_hook_does_not_run_for(path: str) -> None:
    assert not re.search(patterns()[0], path)
