"""A quick part of `python -m bench.faults`: kills, interrupts, full disks and closed streams. Nothing may be lost."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from bench.faults.disk import full, limits, read_only_folder, read_only_system
from bench.faults.folder import adoption, first_bake, rebake
from bench.faults.interrupt import interrupted
from bench.faults.kill import killed, terminated
from bench.faults.streams import FAULTS, streams
from bench.faults.together import WRITES, rewritten, two_bakes
from tests.support import missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench.faults.tally import Tally


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder that everybody can enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="lockaudit-faults-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "app"


def seeded(number: int) -> Random:
    """The same moments in every run, as far as the machine allows."""
    return Random(number)  # noqa: S311 - moments, not secrets


def nothing_lost(rows: Iterable[Tally]) -> int:
    """How often something was tried; a part that the machine lacks is a named skip, and a failure in CI."""
    found = list(rows)
    for row in found:
        if row.skipped:
            missing(row.skipped)
        assert row.lost == [], row.fault
        assert row.tried > 0, row.fault
    return sum(row.tried for row in found)


def test_kills_of_a_bake(scratch: Path) -> None:
    assert nothing_lost(killed("`bake`", rebake(scratch), 6, seeded(1), stride=4)) >= 14


def test_kills_of_a_first_bake(scratch: Path) -> None:
    assert nothing_lost(killed("`bake`", first_bake(scratch), 4, seeded(2), stride=8)) >= 8


def test_kills_of_an_adoption(scratch: Path) -> None:
    assert nothing_lost(killed("`init`", adoption(scratch), 4, seeded(3), stride=20)) >= 10


def test_the_end_that_is_asked_for(scratch: Path) -> None:
    assert nothing_lost([terminated(rebake(scratch), 2, seeded(4))]) == 2


def test_interrupts(scratch: Path) -> None:
    assert nothing_lost(interrupted("`bake`", rebake(scratch), 8, seeded(5), stride=10)) >= 12


def test_two_bakes_at_once(scratch: Path) -> None:
    assert nothing_lost([two_bakes(scratch, 3, seeded(6))]) == 3


def test_locks_that_are_rewritten(scratch: Path) -> None:
    assert nothing_lost(rewritten(scratch, 2, seeded(7))) == 2 * len(WRITES)


@pytest.mark.parametrize("fault", [full, read_only_system, read_only_folder])
def test_disks(fault: object, scratch: Path) -> None:
    assert callable(fault)
    assert nothing_lost([fault(scratch)]) >= 1


def test_limits(scratch: Path) -> None:
    assert nothing_lost(limits(scratch)) == 11


def test_streams(scratch: Path) -> None:
    assert nothing_lost(streams(scratch)) >= len(FAULTS)
