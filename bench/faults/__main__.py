"""What faults of the machine take away: one Markdown table, with real kills, full disks and dying registries.

    python -m bench.faults            processes and files: about 20 minutes
    python -m bench.faults --engine   the same with a real Docker Engine, and then builders and a registry that die
    python -m bench.faults --quick    the same rows with few repetitions

Exits 1 if anything was lost. `--write` puts the table into docs/faults.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from bench.faults import machine
from bench.faults.adopted import adopted
from bench.faults.disk import disks
from bench.faults.folder import adoption, first_bake, rebake
from bench.faults.interrupt import interrupted
from bench.faults.kill import killed, terminated
from bench.faults.streams import streams
from bench.faults.tally import Tally, table
from bench.faults.together import rewritten, two_bakes
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE: Final = REPOSITORY / "docs" / "faults.md"
_TABLE: Final = r"(?<=<!-- table: {name} -->\n).*?(?=<!-- end -->)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Try every fault, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    parser.add_argument("--engine", action="store_true", help="with a real Docker Engine: the second table too")
    parser.add_argument("--engine-only", action="store_true", help="the second table alone")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (default 0)")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/faults.md")
    options = parser.parse_args(arguments)
    tables: dict[str, list[Tally]] = {}
    since = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lockaudit-faults-") as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # one row is tried as another user
        if not options.engine_only:
            tables["processes"] = told(processes(scratch, options.seed, quick=options.quick))
        if options.engine or options.engine_only:
            from bench.faults.engine import engines  # noqa: PLC0415 - needs an engine

            tables["engine"] = told(engines(scratch, options.seed, quick=options.quick))
    minutes = (time.monotonic() - since) / 60
    for rows in tables.values():
        print(table(rows))
    if options.write:
        write(tables, minutes)
    return any(row.lost for rows in tables.values() for row in rows)


def processes(scratch: Path, seed: int, *, quick: bool) -> Iterator[Tally]:
    """Faults of processes and files."""
    random = Random(seed)  # noqa: S311 - moments, not secrets
    few = 10 if quick else None
    yield from killed("`bake`, after a change", rebake(scratch / "rebake"), few or 125, random)
    yield from killed("the first `bake`", first_bake(scratch / "first"), few or 125, random)
    yield from killed("`init`", adoption(scratch / "adoption"), few or 125, random)
    with adopted(scratch / "adopted") as folder:
        yield from killed("`init --create-prod`, with uv", folder, few or 125, random, stride=3)
    yield terminated(rebake(scratch / "terminated"), few or 50, random)
    yield from interrupted("`bake`, after a change", rebake(scratch / "interrupted"), few or 100, random)
    yield from interrupted("the first `bake`", first_bake(scratch / "interrupted-first"), few or 50, random, stride=2)
    yield two_bakes(scratch / "two", few or 50, random)
    yield from rewritten(scratch / "rewritten", few or 60, random)
    yield from disks(scratch / "disks")
    yield from streams(scratch / "streams")


def told(rows: Iterator[Tally]) -> list[Tally]:
    """The rows, each told on stderr when it is there."""
    found = []
    for row in rows:
        print(row.row(), file=sys.stderr, flush=True)
        found.append(row)
    return found


def write(tables: dict[str, list[Tally]], minutes: float) -> None:
    """Put tables, the date and the machine into the page."""
    text = PAGE.read_text("utf-8")
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    for name, rows in tables.items():
        tried, lost = sum(row.tried for row in rows), sum(len(row.lost) for row in rows)
        measured = f"Measured on {today}, {machine.describe(engine=name == 'engine')}. It took {minutes:.0f} minutes.\n"
        made = f"{measured}\n**{tried:,} tries, {lost} lost.**\n\n{table(rows)}"
        text = re.sub(_TABLE.format(name=name), lambda _, made=made: made, text, flags=re.DOTALL)  # type: ignore[misc]
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
