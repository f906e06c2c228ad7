"""Selection equals `uv export --frozen` on every lock of the corpus."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from auditor.lock.project import read_project
from auditor.lock.read import read_lock
from tests.lock.uv_oracle import Comparison, compare
from tests.support import corpus_locks

if TYPE_CHECKING:
    from pathlib import Path

# Its project is called "turkish-legal-qa/training", which uv refuses; the lock itself is sound.
UNREADABLE_BY_UV = "training"
TOTALS = {"comparisons": 0, "differences": 0, "locks": 0}


@pytest.mark.corpus
@pytest.mark.parametrize("path", corpus_locks(), ids=lambda path: "/".join(path.parts[-3:]))
def test_selection_equals_uv_export(path: Path, tmp_path: Path) -> None:
    folder = usable_project(path, tmp_path)
    lock = read_lock(folder / "uv.lock")
    configured = read_project(folder / "pyproject.toml").default_groups
    found = list(compare(folder, lock, configured))
    differences = [comparison for comparison in found if comparison.ours != comparison.theirs]
    TOTALS["comparisons"] += len(found)
    TOTALS["differences"] += len(differences)
    TOTALS["locks"] += 1
    assert found
    assert not differences, _report(differences)


def usable_project(path: Path, scratch: Path) -> Path:
    """The lock's own folder, or a copy with a minimal pyproject.toml where uv cannot read the one that is there."""
    lock = read_lock(path)
    root = lock.roots[0].name if lock.roots else ""
    if path.name == "uv.lock" and UNREADABLE_BY_UV not in path.parts:
        return path.parent
    shutil.copyfile(path, scratch / "uv.lock")
    (scratch / "pyproject.toml").write_text(
        f'[project]\nname = "{root}"\nversion = "0"\nrequires-python = "{lock.requires_python}"\n', encoding="utf-8"
    )
    return scratch


def _report(differences: list[Comparison]) -> str:
    return "\n".join(str(difference) for difference in differences[:5])


@pytest.fixture(scope="module", autouse=True)
def _print_totals(request: pytest.FixtureRequest) -> object:
    yield
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(
            f"\nselection against uv export: {TOTALS['locks']} locks, {TOTALS['comparisons']} comparisons, "
            f"{TOTALS['differences']} differences"
        )
