"""The table and docs/fuzz.md."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import TYPE_CHECKING, Final

from tests.fuzz.cases import CASES
from tests.fuzz.large import LARGE, MEMORY, PER_MEGABYTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.fuzz.harness import Harness
    from bench.fuzz.result import Score

_PACKAGES: Final = ("atheris", "rtoml", "python-hcl2", "lark", "e2b-dockerfile-utils", "packaging", "click")


def table(harnesses: Sequence[Harness], scores: Mapping[str, Score]) -> str:
    """One row a harness, then all of them."""
    rows = [
        "| harness | what is fed | executions | of them guided | refused | seconds | executions/s | findings | fixed |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in harnesses:
        fixed = sum(case.harness == each.name for case in CASES)
        rows.append(_row(each.name, each.what, [scores[each.name]], fixed))
    known = {each.name for each in harnesses}
    rows.append(_row("**all**", "", scores.values(), sum(case.harness in known for case in CASES)))
    return "\n".join(rows)


def _row(name: str, what: str, scores: Iterable[Score], fixed: int) -> str:
    every = list(scores)
    count, seconds = sum(score.executions for score in every), sum(score.seconds for score in every)
    cells = [
        name,
        what,
        f"{count:,}",
        f"{sum(score.guided for score in every):,}",
        f"{sum(score.refused for score in every):,}",
        f"{seconds:.0f}",
        f"{count / seconds:,.0f}" if seconds else "",
        fixed + sum(len(score.findings) for score in every),
        fixed,
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def page(harnesses: Sequence[Harness], scores: Mapping[str, Score], date: str, seed: str) -> str:
    """docs/fuzz.md."""
    versions = []
    for name in _PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    count = sum(score.executions for score in scores.values())
    open_ones = sum(len(score.findings) for score in scores.values())
    slowest = max(score.slowest for score in scores.values())
    machine = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    found = "\n".join(f"| {case.harness} | {case.found} | {case.fix} |" for case in CASES)
    big = "\n".join(f"| {large.harness} | {large.name} |" for large in LARGE)
    return f"""\
# Fuzzing

Written by `python -m bench.fuzz` on {date}; do not edit.

lockaudit reads files that somebody else wrote, often from a branch that nobody has looked at. Whatever is in them, it
answers with a result or with one clear error and exit code 2: never with a traceback, never after minutes, never with
all of the machine's memory. And whatever is in them, what it writes cannot be mistaken for something else: a string
stays a string, a finding stays a line.

In this run {count:,} inputs were tried, {open_ones} of them broke something, and the slowest took {slowest:.1f} s of
processor time. The inputs are real-looking files, changed at random: byte by byte, line by line, and as trees (keys
and values of a TOML or JSON document dropped, doubled, moved, replaced by another type). One process in four follows
coverage with atheris.

{table(harnesses, scores)}

*Refused* inputs gave one error, as broken input must. *Findings* are kinds of inputs that broke something, in this run
and in those before it; all that are *fixed* are in the second table.

{machine}; {", ".join(versions)}. Seed {seed}.

## Run it again

```console
$ uv sync --group fuzz                                      # atheris, where there is a wheel of it
$ python -m bench.fuzz --executions 1000000 --seed {seed}
$ python -m bench.fuzz --seconds 60 --harness lock          # prints its row; writes no page
```

The exit code is 1 if anything is found; its input and how it ended are then in `build/fuzz`.

## What was found

Each was fixed, and is a test (`tests/fuzz/cases.py`).

| harness | what broke | what was done |
|---|---|---|
{found}

## Large inputs

A small input shows no hang. So files of up to a megabyte are made to be as bad as possible for each reader, and the
tests hold every one of them to {PER_MEGABYTE:g} s of processor time a megabyte and to {MEMORY} times its size in
memory, both beside a fixed base (`tests/fuzz/large.py`; one in six by default, all with `LOCKAUDIT_FUZZ_LARGE=1`). The
parsers of Dockerfiles and of HCL are slower by themselves, so a Dockerfile of more than a mebibyte and a bake file of
more than a quarter of one are refused.

| harness | what is large |
|---|---|
{big}
"""
