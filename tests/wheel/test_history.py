"""A real project's history: how often it would have compiled flash-attn, by three kinds of key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.history import replay
from tests.support import require_corpus

if TYPE_CHECKING:
    from bench.history import Replay

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def history() -> Replay:
    """343 versions of one lock, from September 2024 to August 2026."""
    return replay(require_corpus() / "history" / "PrimeIntellect-ai__prime-rl.bundle")


def test_every_version_is_read(history: Replay) -> None:
    assert (history.versions, len(history.steps)) == (343, 290)


def test_the_key_compiles_least(history: Replay) -> None:
    assert (history.naive, history.closure, history.ours) == (290, 27, 17)


def test_a_key_is_new_only_with_what_decides_the_wheel(history: Replay) -> None:
    """Two of the keys differ in no version: torch moved to another index, and its wheel got a hash."""
    assert history.combinations == 15
    assert len({(step.key, step.told) for step in history.steps}) == history.ours


def test_versions_that_lock_a_wheel_count_as_compiles(history: Replay) -> None:
    prebuilt = [step for step in history.steps if step.prebuilt]
    assert len(prebuilt) == 192
    assert min(step.date for step in prebuilt) == "2025-12-17"
