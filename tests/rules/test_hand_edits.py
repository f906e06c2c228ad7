"""Acceptance: every harmful hand edit of a lock is noticed, no harmless one is an error; the bench prints the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.hand_edits import EDITS, Edit, Verdict, judge, make_index, make_projects, table
from tests.cli.command import check
from tests.standins import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What the rules must say, so that another finding of the same edit does not hide one that was lost.
CODES = {
    "wheel sha256 replaced by zeros": {"LA106"},
    "wheel sha256 replaced by zeros (dev)": {"LA106"},
    "wheel sha256 replaced by zeros (dev and prod)": {"LA303"},
    "wheel sha256 replaced by another": {"LA106"},
    "the only wheel removed, the sdist is left": {"LA118"},
    "zeros for the hash of a tool (dev)": {"LA303"},
    "wheel URL host changed": {"LA304"},
    "wheel URL host changed (dev and prod)": {"LA304"},
    "wheel URL host changed, of a package with one file": {"LA304"},
    "host changed, one file (dev and prod)": {"LA304"},
    "sdist hash removed": {"LA303"},
    "sdist hash removed (dev)": {"LA303"},
    "sdist hash removed (dev and prod)": {"LA303"},
    "wheel hash removed": {"LA108"},
    "wheel hash removed (dev)": {"LA108"},
    "hash of a tool removed (dev)": {"LA303"},
    "sha256 replaced by md5": {"LA106"},
    "sha256 replaced by md5 (dev)": {"LA106"},
    "sha256 replaced by md5 (dev and prod)": {"LA303"},
    "md5 for the hash of a tool (dev)": {"LA303"},
    "registry of a package changed, no index configured": {"LA105", "LA311"},
    "registry changed, no index configured (dev and prod)": {"LA311"},
    "registry of a transitive package changed, indexes configured": {"LA105", "LA311"},
    "registry of a direct dependency changed, indexes configured": {"LA105", "LA311"},
    "registry changed (dev and prod)": {"LA311"},
    "direct dependency pinned below its specifier": {"LA103", "LA302"},
    "direct dependency below its specifier (dev and prod)": {"LA302"},
    "root edge removed": {"LA302", "LA305"},
    "transitive edge removed": {"LA113", "LA305"},
    "unknown extra on an edge": {"LA310"},
    "orphan package added": {"LA305"},
    "revision 99": {"LA308"},
    "requires-dist is not the project's": {"LA301"},
    "requires-python is not the project's": {"LA111", "LA301"},
    "name spelled Ein_Ops, which is another name": {"LA101", "LA301", "LA304"},
}
# Of the 23: what uv itself refuses. It passes all others.
REFUSED_BY_UV = {"17": 2, "18": 2, "19": 2, "20": 2, "21": 2, "22": 2, "23": 1}


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The two pairs, locked."""
    folder = tmp_path_factory.mktemp("hand-edits")
    with serve(make_index(folder / "index").root) as base:
        make_projects(folder / "projects", base)
        yield folder / "projects"


def test_there_are_23(projects: Path) -> None:
    assert {edit.number for edit in EDITS} == {*(str(number) for number in range(1, 24)), "+"}
    for title in ("plain", "indexed"):
        assert check(projects / title).findings == []


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.number}-{edit}".replace(" ", "-"))
def test_edit(edit: Edit, projects: Path, tmp_path: Path) -> None:
    verdict = judge(edit, projects, tmp_path)
    assert verdict.right, verdict
    assert {text.split()[1] for text in verdict.findings} == CODES.get(str(edit), set())
    if edit.number != "+":
        assert verdict.uv == REFUSED_BY_UV.get(edit.number, 0)
    if edit.number in REFUSED_BY_UV and edit.number != "23":
        assert verdict.lockaudit == 2


def test_the_table_marks_what_is_wrong() -> None:
    missed = Verdict(edit=EDITS[0], uv=0, lockaudit=0, findings=())
    found = Verdict(edit=EDITS[0], uv=0, lockaudit=1, findings=("error LA106",))
    assert not missed.right
    assert "| silent **(wrong)** |" in table([missed])
    assert table([found]).endswith("| passes | error LA106 |")
