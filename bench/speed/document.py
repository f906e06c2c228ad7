"""docs/benchmarks.md: the tables and the words around them."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.speed import subjects
from bench.speed.measure import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.speed.measure import Measured, Spread
    from bench.speed.pairs import Repository

PROSE: Final = Path(__file__).with_name("changes.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPair:
    """What was measured on one pair."""

    repository: Repository
    measured: Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What was measured on repositories of growing size.

    Attributes:
        unit: `package` or `pair`.
        sizes: how many of them, with the names of the measured commands: lockaudit's, and uv's where there is one.
        measured: their costs.
    """

    unit: str
    sizes: Sequence[tuple[int, str, str | None]]
    measured: Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a ratio must be."""

    text: str
    found: str
    is_met: bool


def targets(pairs: Sequence[OfPair]) -> list[Target]:
    """The targets, with what was measured; those of pairs that were not measured are left out."""
    found: list[Target] = []
    by_title = {each.repository.title: each.measured for each in pairs}
    if pairs:
        starts = [each.measured.ratio(subjects.VERSION, subjects.BARE, "cpu") for each in pairs]
        worst = max(starts, key=lambda spread: spread.median)
        found.append(_target("`--version` takes at most 3 times a bare interpreter", worst, 3))
    for title, base, words, limit in (
        ("largest", subjects.EXPORT, "both `uv export` runs", 3),
        ("small", subjects.CLICK, "importing click", 2),
    ):
        for command in (subjects.CHECK, subjects.CHECK_BAKED) if title in by_title else ():
            how = command.partition(", ")[2]
            text = f"`check` of the {title} pair ({how}) takes at most {limit} times {words}"
            found.append(_target(text, by_title[title].ratio(command, base, "cpu"), limit))
    if "largest" in by_title:
        peaks = [
            by_title["largest"].spread(command, "memory").high for command in (subjects.CHECK, subjects.CHECK_BAKED)
        ]
        text = "`check` of the largest pair stays under 120 MiB"
        found.append(Target(text=text, found=f"{max(peaks):.0f} MiB", is_met=max(peaks) < 120))
    if pairs:
        bakes = [each.measured.ratio(subjects.BAKE, subjects.CHECK_BAKED, "cpu") for each in pairs]
        worst = max(bakes, key=lambda spread: spread.median)
        found.append(_target("`bake --check` takes at most 1.3 times `check`, on every pair", worst, 1.3))
    return found


def _target(text: str, found: Spread, limit: float) -> Target:
    return Target(text=text, found=_times(found), is_met=found.median <= limit)


def document(
    pairs: Sequence[OfPair], stages: Sequence[OfPair], growth: Sequence[Growth], repeat: int, skipped: Sequence[str]
) -> str:
    """The whole page; `stages` is what `subjects.stages_of` measured, pair by pair."""
    parts = [_head(repeat, skipped), _targets(pairs), _pairs(pairs), _stages(stages), _growth(growth)]
    return "\n".join([*(line for part in parts for line in part), PROSE.read_text("utf-8")])


def _head(repeat: int, skipped: Sequence[str]) -> Iterator[str]:
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    yield f"""# Measured: fast

Written by `python -m bench` on {today}; do not edit.

How long does lockaudit take, beside what runs in such a repository anyway? Each ratio is of two commands that were
measured side by side, {repeat} rounds of all commands in turn (A B C, A B C, ...): the median of the rounds, then
the least and the greatest. The headline is CPU time (user and system) of the whole process, because other
work on the machine moves wall time far more; wall time and peak memory follow it. Every command ran once
before, so that files are in memory and Python has its bytecode, as after the first run at a user's.

```console
$ python -m bench               # needs uv on PATH, and the corpus of real locks (LOCKAUDIT_CORPUS)
$ python -m bench --quick       # every command once on tiny inputs; writes nothing
```

Machine: {_machine()}. {_versions()}.

How often a wheel is compiled is counted in the [wheel bench](wheel-bench.md), and what is found in the
[drift bench](drift-bench.md).
"""
    for reason in skipped:
        yield f"Not measured: {reason}.\n"


def _targets(pairs: Sequence[OfPair]) -> Iterator[str]:
    yield "## Targets\n"
    yield "| target | measured | |\n|---|---:|---|"
    for each in targets(pairs):
        yield f"| {each.text} | {each.found} | {'met' if each.is_met else '**not met**'} |"
    yield ""


def _pairs(pairs: Sequence[OfPair]) -> Iterator[str]:
    yield "## Side by side\n"
    yield "Pairs of public repositories, as their locks are. How many times as much as:\n"
    for each in pairs:
        measured, repository = each.measured, each.repository
        yield f"### {repository.title.capitalize()}: locks of {repository.size}\n"
        yield f"| | | {' | '.join(subjects.BASES)} |\n|---|---|{'---:|' * len(subjects.BASES)}"
        for name in subjects.SUBJECTS:
            for quantity in QUANTITIES:
                ratios = [_times(measured.ratio(name, base, quantity)) for base in subjects.BASES]
                yield f"| {name if quantity == 'cpu' else ''} | {quantity} | {' | '.join(ratios)} |"
        yield "\nIn numbers:\n\n| | CPU ms | wall ms | peak MiB |\n|---|---:|---:|---:|"
        for name in (*subjects.BASES, *subjects.SUBJECTS):
            cpu, wall = _span(measured.spread(name, "cpu"), 1000), _span(measured.spread(name, "wall"), 1000)
            yield f"| {name} | {cpu} | {wall} | {_span(measured.spread(name, 'memory'), 1)} |"
        failed = [code for code in measured.codes[subjects.LOCK] if code]
        if failed:
            yield (
                f"\n`uv lock --check` ended with exit code {' and '.join(map(str, failed))} here: it would have to"
                " resolve again, or fetch a repository, and has no network."
            )
        yield ""


def _stages(stages: Sequence[OfPair]) -> Iterator[str]:
    yield "## Where the time goes\n"
    yield "`lockaudit check` of the locks alone, in steps, each of which does what the one before it does, and more.\n"
    for each in stages:
        measured = each.measured
        _, click, *_ = measured.costs
        yield f"| {each.repository.title}: locks of {each.repository.size} | CPU ms | more | against importing click |"
        yield "|---|---:|---:|---:|"
        before = 0.0
        for name in measured.costs:
            spent = measured.spread(name, "cpu")
            more = (spent.median - before) * 1000
            before = spent.median
            yield f"| {name} | {_span(spent, 1000)} | {more:.0f} | {_times(measured.ratio(name, click, 'cpu'))} |"
        yield ""


def _growth(growth: Sequence[Growth]) -> Iterator[str]:
    yield "## Growth\n"
    yield "Generated locks, `lockaudit check`. What a bare start costs is left out of what each further one costs.\n"
    for each in growth:
        further_unit = f"CPU ms for each further {each.unit}"
        yield f"| {each.unit}s | CPU ms | peak MiB | {further_unit} | KiB for it | CPU against `uv export` of both |"
        yield "|---:|---:|---:|---:|---:|---:|"
        before: tuple[int, float, float] | None = None
        for size, ours, theirs in each.sizes:
            cpu, memory = each.measured.spread(ours, "cpu"), each.measured.spread(ours, "memory")
            further = ("", "")
            if before is not None:
                count = size - before[0]
                time = (cpu.median - before[1]) * 1000 / count
                further = (f"{time:.3f}", f"{(memory.median - before[2]) * 1024 / count:.1f}")
            before = (size, cpu.median, memory.median)
            against = _times(each.measured.ratio(ours, theirs, "cpu")) if theirs else ""
            yield (f"| {size:,} | {_span(cpu, 1000)} | {_span(memory, 1)} | {further[0]} | {further[1]} | {against} |")
        yield ""


def _times(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f} to {spread.high:.2f})"


def _span(spread: Spread, factor: float) -> str:
    low, median, high = (f"{number * factor:,.0f}" for number in (spread.low, spread.median, spread.high))
    return median if low == high else f"{median} ({low} to {high})"


def _machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text("utf-8")) if cpuinfo.exists() else None
    processor = found[1].strip() if found else platform.processor() or platform.machine()
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    return f"{os.cpu_count()} cores ({processor}), {system}"


def _versions() -> str:
    uv = subprocess.run(["uv", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return f"Python {platform.python_version()}, uv {uv}, lockaudit {version('lockaudit')}, click {version('click')}"
