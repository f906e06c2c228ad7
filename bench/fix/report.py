"""docs/fix-bench.md: what was measured, as Markdown."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bench.fix.drifted import FOR_A_PERSON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.fix.drifted import Measured
    from bench.fix.killed import Kills


def mistakes(measured: Sequence[Measured], kills: Kills | None) -> list[str]:
    """What is not as it must be."""
    found = [f"{each.kind}: {each.note} ({each.pair}): {problem}" for each in measured for problem in each.wrong]
    found += [
        f"{each.kind}: {each.note} ({each.pair}): not clean: {each.said[-600:]}"
        for each in measured
        if each.side == "prod" and each.result == "told" and each.kind not in FOR_A_PERSON
    ]
    if kills is not None:
        found += [f"torn: {path}" for path in kills.torn]
        if kills.healed != kills.count:
            found.append(f"not healed: {kills.count - kills.healed} of {kills.count}")
    return found


def document(measured: Sequence[Measured], kills: Kills, date: str, command: str) -> str:
    """The whole page."""
    prod = [each for each in measured if each.side == "prod"]
    dev = [each for each in measured if each.side == "dev"]
    mendable = [each for each in prod if each.kind not in FOR_A_PERSON]
    results = Counter(each.result for each in mendable)
    others = Counter(each.result for each in dev)
    person = Counter(each.kind for each in prod if each.kind in FOR_A_PERSON and each.result == "told")
    told = "\n".join(f"- {kind} ({count}): {FOR_A_PERSON[kind]}" for kind, count in sorted(person.items()))
    return f"""\
# Fix bench

Written by `{command}` on {date}; do not edit.

Does `lockaudit fix` mend what drifted? Pairs that the real uv locked from a local index were mutated as in the
[drift bench](drift-bench.md), with a comment on every line of prod/pyproject.toml. Each was then fixed, with `--unsafe`
where plain `fix` left a finding, and judged by `lockaudit check` and by `uv lock --check`.

## Drift in prod's files

{len(mendable)} drifted pairs: **{results["clean"]} clean after `fix`, {results["unsafe"]} after `fix --unsafe`,
{results["told"]} not clean**. In all of them dev's files are what they were to the byte, no comment of
prod/pyproject.toml is lost beside the keys that the command names, and a second run changes nothing.

{_table(mendable)}

Left out of these counts, because only a person can decide; nothing was changed there:

{told or "- nothing"}

## Drift in dev's files

{len(dev)} pairs in which dev's lock, dev's project or the settings were mutated. `fix` never changes dev, so there is
less that it can do: {others["clean"]} clean after `fix`, {others["unsafe"]} after `fix --unsafe`, and in
{others["told"]} it says what is wrong with dev, with the findings.

{_table(dev)}

## Killed

`fix` of three files (prod/pyproject.toml, prod/uv.lock, Dockerfile) was killed with SIGKILL {kills.count} times, half
of them at any moment, half of them within four milliseconds of the first new file. After {kills.old} kills every file
was the old one, after {kills.new} every one was new, after {kills.mixed} some were old and some new, and
**{len(kills.torn)} files were anything else**. The next `fix` led to the same files as an unkilled one after
{kills.healed} of {kills.count}. Killed runs left {kills.litter} temporary files (`.uv.lock.*.tmp`) behind, which may be
removed.
"""


def _table(measured: Sequence[Measured]) -> str:
    rows = ["| family | pairs | clean after `fix` | after `fix --unsafe` | told |", "|---|---:|---:|---:|---:|"]
    for family in dict.fromkeys(each.family for each in measured):
        of = Counter(each.result for each in measured if each.family == family)
        rows.append(f"| {family} | {sum(of.values())} | {of['clean']} | {of['unsafe']} | {of['told']} |")
    return "\n".join(rows)
