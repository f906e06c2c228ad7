"""Selection equals `uv export --frozen` on every lock of the corpus."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from auditor.lock.project import read_project
from auditor.lock.read import read_lock
from tests.lock.uv_oracle import compare
from tests.support import corpus_locks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lock.uv_oracle import Totals

# Its project is called "turkish-legal-qa/training", which uv refuses; the lock itself is sound.
UNREADABLE_BY_UV = "training"


@pytest.mark.corpus
@pytest.mark.parametrize("path", corpus_locks(), ids=lambda path: "/".join(path.parts[-3:]))
def test_selection_equals_uv_export(path: Path, tmp_path: Path, totals: Totals) -> None:
    folder = usable_project(path, tmp_path)
    lock = read_lock(folder / "uv.lock")
    configured = read_project(folder / "pyproject.toml").default_groups
    totals.check(compare(folder, lock, configured))


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
