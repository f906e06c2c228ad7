"""`python -m bench.fix`: drifted pairs mended, `fix` killed, and docs/fix-bench.md."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
import time
from pathlib import Path

from bench.drift.harmful import HARMFUL
from bench.drift.made import living_pairs
from bench.fix.drifted import Measured, drifted, uv_environment
from bench.fix.killed import kill
from bench.fix.report import document, mistakes
from tests.support import REPOSITORY

DOCUMENT = "docs/fix-bench.md"


def main() -> int:
    """Run the bench; 1 if `fix` did anything that it must not do."""
    parser = argparse.ArgumentParser(prog="python -m bench.fix", description=main.__doc__)
    parser.add_argument("--each", type=int, default=2, help="pairs per kind of mutation  [default: 2]")
    parser.add_argument("--kills", type=int, default=100, help="kills  [default: 100]")
    parser.add_argument("--seed", type=int, default=1, help="decides every choice  [default: 1]")
    parser.add_argument("--only", default="", metavar="TEXT", help="kinds with this in their name; writes nothing")
    arguments = parser.parse_args()
    started = time.monotonic()
    kinds = [kind for kind in HARMFUL if arguments.only in kind.name]
    with uv_environment(), living_pairs() as pairs:
        measured: list[Measured] = []
        for each in drifted(pairs, kinds, seed=arguments.seed, each=arguments.each):
            measured.append(each)
            lines = "".join(f"\n    WRONG {problem}" for problem in each.wrong)
            print(f"{each.side:5}{each.result:7}{each.kind}: {each.note[:90]}{lines}", flush=True)
        kills = None
        if not arguments.only:
            with tempfile.TemporaryDirectory(prefix="fix-kill-") as folder:
                kills = kill(Path(folder), pairs[0], arguments.kills, arguments.seed)
            print(kills)
    wrong = mistakes(measured, kills)
    for line in wrong:
        print(line)
    print(f"{len(measured)} pairs, {len(wrong)} mistakes, {time.monotonic() - started:.0f} s")
    if kills is not None:
        today = dt.datetime.now(tz=dt.UTC).date().isoformat()
        text = document(measured, kills, today, f"python -m bench.fix --each {arguments.each}")
        (REPOSITORY / DOCUMENT).write_text(text, encoding="utf-8")
        print(f"written: {DOCUMENT}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
