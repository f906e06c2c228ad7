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
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.changes import KEEP, RENEW, Change, Row
from bench.history import replay
from bench.lab import Lab, open_lab, other_uv
from bench.naive import bake_naive
from tests.engine.baking import bake, key, layers, lockaudit, tags
from tests.engine.builder import DEVEL, RUNTIME
from tests.engine.docker import compiles
from tests.engine.project import edit, lock
from tests.support import corpus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.engine.baking import Baked
    from tests.engine.builder import Builder

ONLY_CACHE: Final = "--set=*.output=type=cacheonly"
HISTORY: Final = Path("history") / "PrimeIntellect-ai__prime-rl.bundle"


@dataclass(slots=True)
class Table:
    """The rows so far, and what was wrong in them."""

    lines: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, what: str, key: str = "", ours: object = "", naive: object = "", note: str = "") -> None:
        """Add a row."""
        line = f"| {what} | {key} | {ours} | {naive} | {note} |"
        self.lines.append(line)
        print(line, file=sys.stderr, flush=True)

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Remember a count that is not what it must be."""
        if found != wanted:
            self.wrong.append(f"{what}: {found}, not {wanted}")

    def text(self) -> str:
        """The Markdown."""
        head = ["| | build key | lockaudit | usual recipe | |", "|---|---|---:|---:|---|"]
        return "\n".join([*head, *self.lines]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.wheel", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions, for CI")
    parser.add_argument("--repeat", type=int, metavar="N", help="new builders for each image (default 50; quick: 2)")
    options = parser.parse_args(arguments)
    repeat = options.repeat or (2 if options.quick else 50)
    few = 1 if options.quick else 5
    table = Table()
    measure_history(table)
    with tempfile.TemporaryDirectory(prefix="lockaudit-bench-") as scratch, open_lab(Path(scratch)) as lab:
        measure_changes(table, lab)
        measure_new_builders(table, lab, repeat, few)
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


@dataclass(frozen=True, slots=True)
class Readers:
    """What several new builders did with the same project.

    Attributes:
        compiled: how many compiles, in all.
        ran: how many steps ran a command, in all.
        devel: how many builders fetched a layer that only the CUDA devel image has.
        fetched: bytes that the last one fetched.
        seconds: a bake takes, on average.
    """

    compiled: int
    ran: int
    devel: int
    fetched: int
    seconds: float

    @property
    def note(self) -> str:
        """For people."""
        devel = f"the CUDA devel image was fetched by {self.devel}" if self.devel else "no layer of CUDA devel fetched"
        return f"{self.ran} steps ran; {devel}; {self.seconds:.1f} s each"


def measure_new_builders(table: Table, lab: Lab, repeat: int, few: int) -> None:
    """What builders that start with nothing take from each kind of cache."""
    devel = layers(lab.registry, *DEVEL.split(":")).keys() - layers(lab.registry, *RUNTIME.split(":")).keys()

    def read(project: Path, count: int, *arguments: str, env: dict[str, str]) -> Readers:
        logs: list[Baked] = []
        fetched_devel, fetched, seconds = 0, 0, 0.0
        for _ in range(count):
            with lab.builder() as builder:
                start = time.time()
                logs.append(bake(project, *arguments, env={**env, **builder.environment}))
                seconds += time.time() - start
                blobs = lab.downloads(start)
            fetched_devel += bool(devel & blobs.keys())
            fetched = sum(blobs.values())
        compiled = sum(compiles(each.log) for each in logs)
        return Readers(compiled, sum(each.ran for each in logs), fetched_devel, fetched, seconds / count)

    def row(what: str, count: int, found: Readers, note: str = "") -> None:
        table.add(
            f"{what}: {count} new builders", "same", found.compiled, "", "; ".join(filter(None, (note, found.note)))
        )
        table.expect(what, found.compiled, 0)

    project = lab.copy("registry")
    lockaudit(project, "bake")
    cache = {"CACHE_REPO": f"{lab.registry}/cache"}
    write = {**cache, "CACHE_WRITE": "1"}
    wheel = f"wheel-{key(project)}"

    with lab.builder() as builder:
        first = bake(project, "wheels", env={**write, **builder.environment})
        table.expect("compiles of the first `bake wheels`", compiles(first.log), 1)
        table.expect("tags", tags(lab.registry, "cache"), [wheel])
        exported = layers(lab.registry, "cache", wheel)
        table.expect("layers of the wheel's cache", len(exported), 1)
        table.add(
            "`CACHE_WRITE=1 bake wheels` on a new builder",
            "",
            1,
            "",
            f"the cache has {len(exported)} layer of {sum(exported.values()):,} bytes",
        )
        found = read(project, few, "dev", "prod", ONLY_CACHE, env=cache)
        row("`bake dev prod` after `bake wheels` alone", few, found, "dependencies are not cached")
        bake(project, "dev", "prod", ONLY_CACHE, env={**write, **builder.environment})
        bake(project, "wheels", env={**write, **builder.environment})

    again = layers(lab.registry, "cache", wheel)
    found = read(project, few, "wheels", env=cache)
    size = f"the wheel's cache now names {len(again)} layers, as the caches of the images do; a builder fetched"
    row("`bake wheels` after the images were cached too", few, found, f"{size} {found.fetched:,} bytes")
    for targets in (("dev", "prod"), ("prod",), ("dev",)):
        found = read(project, repeat, *targets, ONLY_CACHE, env=cache)
        row(f"`bake {' '.join(targets)}` from the registry", repeat, found)
        table.expect(f"builders of {targets} that fetched devel", found.devel, 0)
    found = read(project, few, "prod", env=cache)
    row("`bake prod` from the registry, image unpacked", few, found)
    table.expect("builders of an unpacked prod that fetched devel", found.devel, 0)

    changed = lab.copy("registry-changed")
    for path in (changed / "pyproject.toml", changed / "prod" / "pyproject.toml"):
        edit(path, '"requests==2.32.3"', '"requests==2.32.3", "numpy"')
    lock(changed)
    lockaudit(changed, "bake")
    found = read(changed, few, "dev", "prod", ONLY_CACHE, env=cache)
    row("`bake dev prod` from the registry, with a new dependency", few, found)

    _measure_folder(lab, few, read, row)
    _measure_wheelhouse(lab, few, read, row)


def _measure_folder(lab: Lab, few: int, read: Callable[..., Readers], row: Callable[..., None]) -> None:
    project = lab.copy("local")
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + '\n[tool.lockaudit.cache]\nbackend = "local"\n')
    lockaudit(project, "bake")
    with lab.builder() as builder:
        write = {"CACHE_WRITE": "1", **builder.environment}
        bake(project, "wheels", env=write)
        bake(project, "dev", "prod", ONLY_CACHE, env=write)
    found = read(project, few, "dev", "prod", ONLY_CACHE, env={})
    row("`bake dev prod` from a local folder", few, found)


def _measure_wheelhouse(lab: Lab, few: int, read: Callable[..., Readers], row: Callable[..., None]) -> None:
    project = lab.copy("wheelhouse")
    house = f"{lab.registry}/wheelhouse"
    with lab.builder() as builder:
        bake(project, "wheelhouse", env={"CACHE_REPO": "", "WHEELHOUSE": house, **builder.environment})
    env = {"CACHE_REPO": "", "WHEELS_FROM": f"{house}:{key(project)}"}
    found = read(project, few, "dev", "prod", ONLY_CACHE, env=env)
    row("`bake dev prod` with WHEELS_FROM and no cache", few, found, "dependencies are not cached")


if __name__ == "__main__":
    raise SystemExit(main())
