"""The table, as Markdown: what was found of each kind, and what that says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.drift.kind import Kind
    from bench.drift.pair import Pair
    from bench.drift.pairs import Refused
    from bench.drift.run import Score

_HEAD = "| kind | family | pairs | found | wrong code or package | missed | found beside it |"
_RULE = "|---|---|---:|---:|---:|---:|---|"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A run.

    Attributes:
        date: ISO date.
        seed: of the run.
        pairs: the clean pairs.
        refused: what was not used of the corpus.
        kinds: that were applied.
        scores: by the name of the kind.
    """

    date: str
    seed: int
    pairs: Sequence[Pair]
    refused: Refused
    kinds: Sequence[Kind]
    scores: dict[str, Score]

    @property
    def unused(self) -> list[str]:
        """Kinds that could be applied to no pair."""
        return [kind.name for kind in self.kinds if not self.scores[kind.name].pairs]

    @property
    def is_perfect(self) -> bool:
        """Whether all that is harmful was found, and nothing that is harmless, and every kind was applied."""
        return not self.unused and all(score.found == score.pairs for score in self.scores.values())

    def total(self, *, harmful: bool) -> tuple[int, int, int, int]:
        """(pairs, found, wrong, missed) of the harmful or the harmless kinds."""
        scores = [self.scores[kind.name] for kind in self.kinds if kind.is_harmful == harmful]
        return (
            sum(score.pairs for score in scores),
            sum(score.found for score in scores),
            sum(score.wrong for score in scores),
            sum(score.missed for score in scores),
        )


def table(summary: Summary) -> str:
    """One row a kind, then the totals."""
    rows = [_HEAD, _RULE]
    for kind in summary.kinds:
        score = summary.scores[kind.name]
        beside = [f"{code} in {count}" for code, count in sorted(score.follows.items())]
        beside += [f"**{code} in {count}**" for code, count in sorted(score.extra.items())]
        cells = [kind.name, kind.family, score.pairs, score.found, score.wrong, score.missed, ", ".join(beside)]
        rows.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    for harmful, title in ((True, "harmful"), (False, "harmless")):
        pairs, found, wrong, missed = summary.total(harmful=harmful)
        rows.append(f"| **all {title}** | | {pairs} | {found} | {wrong} | {missed} | |")
    return "\n".join(rows)


def totals(summary: Summary) -> str:
    """The result in a few lines."""
    harmful, harmless = summary.total(harmful=True), summary.total(harmful=False)
    count = sum(kind.is_harmful for kind in summary.kinds)
    every = sum(score.pairs for score in summary.scores.values())
    lines = [f"{every} mutated pairs, from {len(summary.pairs)} clean ones; seed {summary.seed}"]
    lines.append(
        f"harmful: {count} kinds, {harmful[0]} pairs, {harmful[1]} found with the right code and package,"
        f" {harmful[2]} wrong, {harmful[3]} missed"
    )
    silent = harmless[1]
    lines.append(
        f"harmless: {len(summary.kinds) - count} kinds, {harmless[0]} pairs, {harmless[0] - silent} with a finding"
    )
    extra = sum(sum(score.extra.values()) for score in summary.scores.values())
    lines.append(f"findings beside the right one that the kind does not explain: {extra}")
    if summary.unused:
        lines.append(f"never applied: {', '.join(summary.unused)}")
    return "\n".join(lines)


def failures(summary: Summary, limit: int = 40) -> Iterator[str]:
    """What was not as expected, each with the seed that makes it again."""
    every = [failure for kind in summary.kinds for failure in summary.scores[kind.name].failures]
    for each in every[:limit]:
        yield f"{each.seed!r}: {each.pair}: {each.note}: {each.problem}"
    if len(every) > limit:
        yield f"... and {len(every) - limit} more"


def document(summary: Summary) -> str:
    """docs/drift-bench.md."""
    made = [pair.name.removeprefix("uv: ") for pair in summary.pairs if pair.origin == "uv"]
    cut = [pair for pair in summary.pairs if pair.origin == "corpus"]
    locks = {pair.name.partition(": ")[0] for pair in cut}
    harmful, harmless = summary.total(harmful=True), summary.total(harmful=False)
    kinds = sum(kind.is_harmful for kind in summary.kinds)
    every = harmful[0] + harmless[0]
    return f"""\
# Drift bench

Written by `python -m bench.drift` on {summary.date}; do not edit.

How much drift between two locks does `lockaudit check` find, and does it keep quiet where there is none? From
{len(summary.pairs)} pairs in which there is nothing to find, {every} mutated pairs were made at random and audited:

- **harmful**: {kinds} kinds of mutation, {harmful[0]} pairs; {harmful[1]} found with the right code and the right
  package, {harmful[2]} with another, {harmful[3]} not at all;
- **harmless**: {len(summary.kinds) - kinds} kinds, {harmless[0]} pairs; a finding in {harmless[0] - harmless[1]}.

Four in ten of the harmful pairs also carry one to three harmless mutations, which must not hide the other one.

## Run it again

```console
$ python -m bench.drift --pairs {every} --seed {summary.seed}
$ python -m bench.drift --quick                             # a minute; writes nothing
$ python -m bench.drift --again '{summary.seed}/{summary.kinds[0].name}/0'
```

Every choice follows from the seed of the run, {summary.seed}, and from the seed of each mutated pair,
`{summary.seed}/KIND/NUMBER`, which is printed for whatever is not as expected; `--again` shows that pair's difference
and its findings. It needs uv on PATH, and the corpus of real locks beside the repository or where `LOCKAUDIT_CORPUS`
says. The exit code is 1 if anything harmful is missed, or anything harmless is reported.

## The pairs

{len(cut)} pairs are cut from {len(locks)} locks, of public repositories and of plain releases of torch, which stay
outside this repository: a random selection of the project's dependencies, with extras and groups, becomes a production
project, and its lock is the text of the original for whatever that selection reaches in any environment. Source trees
of the original become git tags in production. {len(made)} pairs are made by the real uv from stand-in packages, for
what the others have little of:

{chr(10).join(f"- {name}" for name in made)}

Each pair is audited as it is first, and used only if nothing is found.{_corpus(summary)}

## By kind

In the last column are findings beside the right one, with the number of pairs that have them: each follows from the
mutation, for the reason given below. One in **bold** has no such reason, and is a finding too many.

{table(summary)}

## What is found beside it, and why

{_reasons(summary)}

## What this does not show

- Locks, pyproject.toml files, `.python-version` and the settings are mutated, each pair in one harmful way; Dockerfiles
  and bake files, which LA4xx and LA5xx are about, are not.
- Edits that leave every installed byte what it was are no drift: another path or scheme of a file's URL under one hash,
  a login in a registry's address.
"""


def _corpus(summary: Summary) -> str:
    refused = summary.refused
    parts = []
    if refused.repaired:
        repaired = " or ".join(sorted(set(refused.repaired.values())))
        parts.append(f"Of {len(refused.repaired)} locks, dev's side had to be mended first: {repaired}.")
    if refused.accepted:
        codes = " and ".join(sorted({each.rpartition(" ")[2] for each in refused.accepted}))
        parts.append(
            f"What a lock has of its own accord ({codes} of {len(refused.accepted)} packages) is accepted in the pair's"
            " settings, and those packages are left alone."
        )
    if refused.locks:
        codes = ", ".join(sorted(set(refused.locks.values())))
        parts.append(f"No clean pair could be cut from {len(refused.locks)} locks ({codes}).")
    return "\n" + "\n".join(parts) if parts else ""


def _reasons(summary: Summary) -> str:
    by_reason: dict[tuple[str, str], list[str]] = {}
    for kind in summary.kinds:
        for code in sorted(summary.scores[kind.name].follows):
            by_reason.setdefault((code, kind.follows[code]), []).append(kind.name)
    rows = ["| code | after | because |", "|---|---|---|"]
    rows += [f"| {code} | {'; '.join(names)} | {why} |" for (code, why), names in sorted(by_reason.items())]
    return "\n".join(rows) if by_reason else "Nothing."
