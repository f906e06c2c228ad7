"""What several test modules need: the corpus, the clock-free environment, and named skips."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
IN_CI = os.environ.get("CI", "").lower() == "true"


def corpus() -> Path | None:
    """The folder of real locks beside the repository, or where LOCKAUDIT_CORPUS says."""
    candidates = [os.environ.get("LOCKAUDIT_CORPUS"), REPOSITORY.parent / "shared" / "corpus"]
    return next((Path(path) for path in candidates if path and Path(path).is_dir()), None)


def missing(reason: str) -> None:
    """A part that the machine lacks: a failure in CI, a named skip elsewhere."""
    if IN_CI:
        pytest.fail(f"CI must have this: {reason}")
    pytest.skip(reason)


def require_corpus() -> Path:
    """The corpus, or a named skip (a failure in CI)."""
    found = corpus()
    if found is None:
        missing("the corpus of real locks is not beside the repository (LOCKAUDIT_CORPUS)")
        raise AssertionError
    return found


def corpus_locks() -> list[Path]:
    """Every lock of the corpus; empty where there is none."""
    found = corpus()
    return sorted(found.rglob("*uv.lock")) if found is not None else []
