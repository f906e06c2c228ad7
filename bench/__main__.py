"""How fast lockaudit is: Markdown tables, and docs/benchmarks.md.

    python -m bench              everything, 15 rounds: about five minutes
    python -m bench --quick      every command once on tiny inputs: do they still run? Writes nothing

Compiles are counted by `python -m bench.wheel`, findings by `python -m bench.drift` and `python -m bench.hand_edits`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.speed import subjects
from bench.speed.document import Growth, OfPair, document
from bench.speed.measure import CommandFailedError, measure
from bench.speed.pairs import MIDDLE, ORIGINS, SMALL, Repository, add_dockerfile, copied, generated, several
from tests.support import IN_CI, REPOSITORY, corpus

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCUMENT: Final = "docs/benchmarks.md"
NO_CORPUS: Final = "the pairs of the corpus, which is not beside the repository (LOCKAUDIT_CORPUS)"
PACKAGES: Final = (100, 1_000, 10_000)
PAIRS: Final = (1, 10, 100)
PACKAGES_OF_A_PAIR: Final = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 1 if a command failed, 2 if CI has no corpus."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="every command once on tiny inputs; writes nothing")
    parser.add_argument("--repeat", type=int, default=15, metavar="N", help="rounds  [default: 15]")
    options = parser.parse_args(arguments)
    repeat = 1 if options.quick else options.repeat
    folder = corpus()
    if folder is None and IN_CI:
        print(f"CI must measure {NO_CORPUS}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="lockaudit-bench-") as name:
        try:
            text = run(Path(name), folder, repeat, quick=options.quick)
        except CommandFailedError as error:
            print(error, file=sys.stderr)
            return 1
    print(text, end="")
    if not options.quick and folder is not None:
        (REPOSITORY / DOCUMENT).write_text(text, encoding="utf-8")
        print(f"written: {DOCUMENT}", file=sys.stderr)
    return 0


def run(scratch: Path, folder: Path | None, repeat: int, *, quick: bool) -> str:
    """Measure everything, and say it."""
    pairs: list[OfPair] = []
    if quick:
        plain, baked = generated(scratch / "plain", 3), generated(scratch / "baked", 3)
        add_dockerfile(baked.folder, 12)
        pairs.append(of_pair(plain, baked, scratch, repeat))
    if folder is not None:
        for origin in (SMALL,) if quick else ORIGINS:
            plain, baked = (copied(folder, origin, scratch, baked=each) for each in (False, True))
            pairs.append(of_pair(plain, baked, scratch, repeat))
    stages = [of_stages(each.repository, scratch, repeat) for each in pairs if each.repository.title != MIDDLE.title]
    packages, several_pairs = ((1, 2), (1, 2)) if quick else (PACKAGES, PAIRS)
    growth = [of_packages(scratch, packages, repeat), of_pairs(scratch, several_pairs, repeat)]
    return document(pairs, stages, growth, repeat, [NO_CORPUS] if folder is None else [])


def of_pair(plain: Repository, baked: Repository, scratch: Path, repeat: int) -> OfPair:
    """Every command on one pair."""
    print(f"measuring: {plain.title}", file=sys.stderr)
    measure([subjects.bake(baked)], 0, scratch)
    return OfPair(repository=plain, measured=measure(subjects.of_pair(plain, baked), repeat, scratch))


def of_stages(repository: Repository, scratch: Path, repeat: int) -> OfPair:
    """What `check` consists of, on one pair."""
    print(f"measuring: the steps of {repository.title}", file=sys.stderr)
    return OfPair(repository=repository, measured=measure(subjects.stages_of(repository), repeat, scratch))


def of_packages(scratch: Path, sizes: Sequence[int], repeat: int) -> Growth:
    """`check` on locks of growing size, beside `uv export`."""
    print("measuring: growth with packages", file=sys.stderr)
    repositories = [(size, generated(scratch / f"packages-{size}", size)) for size in sizes]
    commands = [make(each) for _, each in repositories for make in (subjects.check_of, subjects.export_of)]
    return Growth(
        unit="package",
        sizes=[(size, subjects.check_of(each).name, subjects.export_of(each).name) for size, each in repositories],
        measured=measure(commands, max(1, repeat // 3), scratch),
    )


def of_pairs(scratch: Path, counts: Sequence[int], repeat: int) -> Growth:
    """`check` on a repository of more and more pairs."""
    print("measuring: growth with pairs", file=sys.stderr)
    repositories = [(count, several(scratch / f"pairs-{count}", count, PACKAGES_OF_A_PAIR)) for count in counts]
    commands = [subjects.check_of(each) for _, each in repositories]
    return Growth(
        unit="pair",
        sizes=[(count, subjects.check_of(each).name, None) for count, each in repositories],
        measured=measure(commands, max(1, repeat // 3), scratch),
    )


if __name__ == "__main__":
    sys.exit(main())
