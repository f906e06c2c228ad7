"""`python -m bench.fix`: drifted pairs mended, `fix` killed, and docs/fix-bench.md."""

from __future__ import annotations

import argparse
import datetime as dt
import multiprocessing
import os
import sys
import time
from typing import Final

from bench.drift.harmful import HARMFUL
from bench.fix.killed import Kills
from bench.fix.report import document, mistakes
from bench.fix.run import share
from tests.support import REPOSITORY

DOCUMENT: Final = "docs/fix-bench.md"


def main() -> int:
    """Run the bench; 1 if `fix` did anything that it must not do."""
    parser = argparse.ArgumentParser(prog="python -m bench.fix", description=main.__doc__)
    parser.add_argument("--each", type=int, default=1, help="pairs per kind of mutation  [default: 1]")
    parser.add_argument("--kills", type=int, default=100, help="kills  [default: 100]")
    parser.add_argument("--seed", type=int, default=1, help="decides every choice  [default: 1]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes  [default: all cores]")
    parser.add_argument("--only", default="", metavar="TEXT", help="kinds with this in their name; writes nothing")
    arguments = parser.parse_args()
    started = time.monotonic()
    names = [kind.name for kind in HARMFUL if arguments.only in kind.name]
    jobs = arguments.jobs
    kills = [0 if arguments.only else len(range(number, arguments.kills, jobs)) for number in range(jobs)]
    shares = [(names[number::jobs], arguments.seed, arguments.each, kills[number], number) for number in range(jobs)]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        done = pool.starmap(share, shares, chunksize=1)
    measured = sorted((each for found, _ in done for each in found), key=lambda each: names.index(each.kind))
    killed = Kills()
    for _, each in done:
        killed.add(each)
    wrong = mistakes(measured, killed)
    for line in wrong:
        print(line)
    print(killed)
    print(f"{len(measured)} pairs, {len(wrong)} mistakes, {time.monotonic() - started:.0f} s")
    if not arguments.only and not wrong:
        today = dt.datetime.now(tz=dt.UTC).date().isoformat()
        text = document(measured, killed, today, f"python -m bench.fix --each {arguments.each}")
        (REPOSITORY / DOCUMENT).write_text(text, encoding="utf-8")
        print(f"written: {DOCUMENT}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
