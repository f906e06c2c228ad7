"""Fifty consecutive versions of a real project's lock: a plan compiles where the build key moves, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from auditor.cli.options import Overrides
from auditor.cli.workspace import load_all
from auditor.cost.cost import cost_of
from auditor.cost.state import State
from bench.history import replay
from tests.support import require_corpus

if TYPE_CHECKING:
    from pathlib import Path

    from bench.history import Step

pytestmark = pytest.mark.corpus

LAST: Final = 103  # of the versions that are read; the fifty before it lock flash-attn as an sdist
PYPROJECT: Final = """\
[project]
name = "app"
version = "0"

[tool.lockaudit]
targets = ["{target}"]
image.cuda = "{cuda}"
dev.extras = {extras}
prod = {{ lock = "uv.lock", extras = {extras} }}
"""


def state(folder: Path, step: Step) -> State:
    """A version as a repository whose two sides have one lock."""
    folder.mkdir(parents=True)
    text = PYPROJECT.format(target=step.target, cuda=step.cuda, extras=list(step.extras))
    (folder / "pyproject.toml").write_text(text)
    (folder / "uv.lock").write_text(step.text)
    return State(root=folder, contexts=tuple(load_all(folder, Overrides())), files={})


def test_what_is_compiled_is_what_the_build_key_says(tmp_path: Path) -> None:
    bundle = require_corpus() / "history" / "PrimeIntellect-ai__prime-rl.bundle"
    steps = replay(bundle, LAST).steps
    assert len(steps) == 50
    assert not any(step.prebuilt for step in steps)
    states = [state(tmp_path / str(number), step) for number, step in enumerate(steps)]
    told, expected = [], []
    for number in range(1, len(steps)):
        cost = cost_of(states[number - 1], states[number], "before", "0" * 40)
        told.append([(each.before, each.after) for each in cost.compiles])
        before, after = steps[number - 1].key, steps[number].key
        expected.append([(before, after)] if before != after else [])
    assert told == expected
    assert sum(map(bool, told)) == 7
