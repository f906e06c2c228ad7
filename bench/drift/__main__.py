"""`python -m bench.drift`: the whole bench, its table, and docs/drift-bench.md."""

from __future__ import annotations

import argparse
import datetime as dt
import difflib
import os
import sys
import tempfile
import time
from pathlib import Path

from bench.drift.harmful import HARMFUL
from bench.drift.harmless import HARMLESS
from bench.drift.made import made_pairs
from bench.drift.pair import Pair, findings, write
from bench.drift.pairs import Refused, corpus_pairs
from bench.drift.report import Summary, document, failures, table, totals
from bench.drift.run import Workshop, run
from tests.support import REPOSITORY, corpus

KINDS = (*HARMFUL, *HARMLESS)
NOISE = tuple(kind for kind in HARMLESS if kind.is_noise)
DOCUMENT = "docs/drift-bench.md"
CUT = 52  # pairs from the corpus
QUICK_CUT = 10


def main() -> int:
    """Run the bench; 1 if lockaudit was wrong about a pair, 2 if there is no corpus."""
    arguments = _arguments()
    started = time.monotonic()
    refused = Refused()
    kinds = [kind for kind in KINDS if not arguments.only or arguments.only in kind.name]
    pairs = clean_pairs(arguments.seed, refused, QUICK_CUT if arguments.quick else CUT)
    if pairs is None:
        print("there is no corpus of real locks beside the repository (LOCKAUDIT_CORPUS)", file=sys.stderr)
        return 2
    if arguments.again:
        return _again(pairs, arguments.again)
    count = len(kinds) if arguments.quick else arguments.pairs
    for title, each in (("mended", refused.repaired), ("accepted", refused.accepted), ("not used", refused.locks)):
        for name, why in each.items():
            print(f"{title}: {name}: {why}")
    print(f"seed {arguments.seed}: {len(pairs)} clean pairs, {len(kinds)} kinds, {count} mutated pairs", flush=True)
    summary = Summary(
        date=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        seed=arguments.seed,
        pairs=pairs,
        refused=refused,
        kinds=kinds,
        scores=run(pairs, kinds, count, arguments.seed, noise=NOISE, jobs=arguments.jobs),
    )
    print(table(summary))
    for line in failures(summary):
        print(line)
    print(totals(summary))
    print(f"{time.monotonic() - started:.0f} s")
    if not arguments.quick and not arguments.only:
        (REPOSITORY / DOCUMENT).write_text(document(summary), encoding="utf-8")
        print(f"written: {DOCUMENT}")
    return 0 if summary.is_perfect else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.drift", description=main.__doc__)
    parser.add_argument("--pairs", type=int, default=5000, help="mutated pairs to make  [default: 5000]")
    parser.add_argument("--seed", type=int, default=1, help="decides every choice  [default: 1]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes  [default: all cores]")
    parser.add_argument("--quick", action="store_true", help="each kind once, from fewer pairs; writes nothing")
    parser.add_argument("--only", default="", metavar="TEXT", help="kinds with this in their name; writes nothing")
    parser.add_argument("--again", default="", metavar="SEED", help="make one mutated pair again and show it")
    return parser.parse_args()


def clean_pairs(seed: int, refused: Refused, count: int) -> list[Pair] | None:
    """The clean pairs of a run: those of uv, and `count` of the corpus; None where there is no corpus."""
    folder = corpus()
    return None if folder is None else [*made_pairs(), *corpus_pairs(folder, count, seed, refused)]


def _again(pairs: list[Pair], seed: str) -> int:
    """Show one mutated pair: what was done, and what is found."""
    name = seed.partition("/")[2].rpartition("/")[0]
    kind = next((kind for kind in KINDS if kind.name == name), None)
    workshop = Workshop(pairs)
    tried = workshop.attempt(kind, seed, NOISE) if kind is not None else None
    if tried is None:
        print(f"no such mutation: {seed}", file=sys.stderr)
        return 2
    index, mutated = tried
    pair = workshop.views[index].pair
    print(f"{pair.name}\n{mutated.note}\nexpected: {sorted(mutated.expected, key=str)}")
    with tempfile.TemporaryDirectory(prefix="drift-") as folder:
        pair.write(Path(folder))
        for path, text in mutated.files.items():
            write(Path(folder), path, text)
            old = pair.files.get(path, "")
            for line in difflib.unified_diff(old.splitlines(), text.splitlines(), path, path, n=0, lineterm=""):
                print(line[:200])
        for each in findings(Path(folder)):
            place = f"{each.position.path}:{each.position.line}"
            print(f"{place}: {each.severity}[{each.code}] {each.package}: {each.message}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
