"""How often flash-attn is compiled: one Markdown table, measured with real engines, and with a real project's history.

    python -m bench.wheel            everything, with 50 new builders for each image: about 20 minutes
    python -m bench.wheel --quick    the same rows with few repetitions, for CI

Needs a Docker Engine, root and `dockerd` on PATH. The packages are stand-ins: their compiles take a second, what is
counted is whether they run. Exits 1 if a count is not what it must be.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.changes import KEEP, RENEW, Change, Row
from bench.history import replay
from bench.lab import Lab, open_lab, other_uv, two_packages
from bench.naive import bake_naive
from bench.readers import NewBuilders
from bench.table import Table
from tests.engine.baking import ONLY_CACHE, bake, lockaudit
from tests.engine.docker import compiles
from tests.engine.project import edit
from tests.support import corpus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.engine.baking import Baked
    from tests.engine.builder import Builder

HISTORY: Final = Path("history") / "PrimeIntellect-ai__prime-rl.bundle"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.wheel", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions, for CI")
    parser.add_argument("--repeat", type=int, metavar="N", help="new builders for each image (default 50; quick: 2)")
    options = parser.parse_args(arguments)
    repeat = options.repeat or (2 if options.quick else 50)
    few = 1 if options.quick else 3
    table = Table()
    measure_history(table)
    with tempfile.TemporaryDirectory(prefix="lockaudit-bench-") as scratch, open_lab(Path(scratch)) as lab:
        measure_changes(table, lab)
        NewBuilders(table, lab, repeat, few).measure()
    print(table.text(), end="")
    for line in table.wrong:
        print(f"WRONG {line}", file=sys.stderr)
    return bool(table.wrong)


def measure_history(table: Table) -> None:
    """Every version of a real project's lock, by keys."""
    found = corpus()
    if found is None:
        table.add("a real project's history", note="not measured: the corpus is not beside the repository")
        return
    result = replay(found / HISTORY)
    table.add(
        f"{result.versions} versions of a real project's uv.lock, {len(result.steps)} with flash-attn (by keys)",
        f"{result.ours} different",
        result.ours,
        result.naive,
        f"{result.closure} with a key of torch's whole closure; {result.naive_remembered} by the usual recipe if no"
        f" cache is ever replaced; {sum(step.prebuilt for step in result.steps)} of them lock a wheel that others"
        " compiled, counted as a compile of that release",
    )
    table.expect("compiles of the history beyond 24", max(0, result.ours - 24), 0)


def measure_changes(table: Table, lab: Lab) -> None:
    """Each change of its own, on one builder that has built the unchanged project."""
    with lab.builder() as builder:
        other_uv(builder)
        cold = Row(lab, lab.copy("cold"), contextlib.ExitStack())
        ours, naive = _build(cold, builder)
        table.add("`bake dev prod`, nothing cached", "", compiles(ours.log), compiles(naive.log))
        table.expect("cold", compiles(ours.log), 1)
        for changes, wanted in ((KEEP, 0), (RENEW, 1)):
            for number, change in enumerate(changes):
                _measure_change(table, lab, builder, change, f"{wanted}-{number}", wanted)
        _measure_second_package(table, lab, builder)
    other = lab.copy("python")
    digests = {_digest(other), _digest(other, "--target=linux-x86_64-cp312")}
    table.add("Python 3.12", "new", "not run", "not run", "the stand-in images have 3.11 only")
    table.expect("keys of two Pythons", len(digests), 2)


def _measure_change(table: Table, lab: Lab, builder: Builder, change: Change, name: str, wanted: int) -> None:
    with contextlib.ExitStack() as stack:
        row = Row(lab, lab.copy(name), stack)
        before = _digest(row.project)
        change.apply(row)
        renewed = _digest(row.project) != before
        ours, naive = _build(row, builder)
    count = compiles(ours.log)
    table.add(change.name, "new" if renewed else "same", count, compiles(naive.log))
    table.expect(f"compiles after a change of {change.name}", count, wanted)
    table.expect(f"new key after a change of {change.name}", renewed, bool(count))


def _measure_second_package(table: Table, lab: Lab, builder: Builder) -> None:
    """Two compiled packages: each compiles for reasons of its own."""
    project = two_packages(lab, "two")
    env = {"CACHE_REPO": "", **builder.environment}

    def count(what: str, *targets: str, wanted: tuple[int, int]) -> None:
        log = bake(project, *targets, env=env).log
        found = compiles(log, "flash-attn"), compiles(log, "causal-conv1d")
        note = f"flash-attn {found[0]}, causal-conv1d {found[1]}"
        table.add(what, "new" if sum(wanted) else "same", sum(found), "", note)
        table.expect(what, found, wanted)

    count("a second compiled package (causal-conv1d), `bake wheels`", "wheels", wanted=(0, 1))
    count("both packages, `bake dev prod`", "dev", "prod", ONLY_CACHE, wanted=(0, 0))
    edit(project / "pyproject.toml", '"80;90"', '"80"')
    lockaudit(project, "bake")
    count("the GPU architectures of one of two packages", "dev", "prod", ONLY_CACHE, wanted=(1, 0))


def _build(row: Row, builder: Builder) -> tuple[Baked, Baked]:
    """Bake a row by both recipes; lockaudit first writes what is to be written."""
    lockaudit(row.project, "bake")
    env = {"CACHE_REPO": "", **row.env, **builder.environment}
    ours = bake(row.project, "dev", "prod", ONLY_CACHE, env=env)
    return ours, bake_naive(row.project, row.naive, f"{row.lab.base}/pypi/simple", env)


def _digest(project: Path, *options: str) -> str:
    """The build key that `lockaudit key` prints."""
    found: dict[str, list[dict[str, str]]] = json.loads(lockaudit(project, "key", "--output-format=json", *options))
    (document,) = found["keys"]
    return document["key"]


if __name__ == "__main__":
    raise SystemExit(main())
