"""Applies kinds of mutation to pairs at random, audits what comes out, and counts."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from auditor.errors import LockauditError
from bench.drift.kind import mutate
from bench.drift.pair import findings, write
from bench.drift.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.drift.kind import Kind, Mutated
    from bench.drift.pair import Pair

_NOISE = 0.4  # how many of the harmful pairs are also reformatted


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A mutated pair with which lockaudit was wrong.

    Attributes:
        kind: name of the kind.
        seed: makes the same mutation again.
        pair: name of the pair.
        note: what was done.
        problem: what was expected and what was found.
    """

    kind: str
    seed: str
    pair: str
    note: str
    problem: str


@dataclass
class Score:
    """What was counted of one kind.

    Attributes:
        pairs: mutated pairs.
        found: of which everything that was expected was found; of a harmless kind, with which nothing was found.
        wrong: with which something else was found instead; of a harmless kind, with which anything was found.
        missed: with which nothing was found.
        follows: code -> in how many pairs it was found too, as the kind says it may.
        extra: code -> in how many pairs it was found too, though the kind says nothing of it.
        sources: names of the locks that were mutated.
    """

    pairs: int = 0
    found: int = 0
    wrong: int = 0
    missed: int = 0
    follows: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)
    sources: set[str] = field(default_factory=set)


class Workshop:
    """The pairs, each written to a folder of its own; a mutation replaces files there and is undone afterwards."""

    def __init__(self, pairs: Sequence[Pair], folder: Path) -> None:
        self.places: list[tuple[View, Path]] = []
        for number, pair in enumerate(pairs):
            place = folder / str(number)
            pair.write(place)
            self.places.append((View(pair), place))

    def audit(self, view: View, place: Path, mutated: Mutated) -> set[tuple[str, str | None]]:
        """(code, package) of every finding in a mutated pair. Raises: as lockaudit."""
        try:
            for name, text in mutated.files.items():
                write(place, name, text)
            return {(each.code, each.package) for each in findings(place)}
        finally:
            for name in mutated.files:
                if name in view.pair.files:
                    write(place, name, view.pair.files[name])
                else:
                    (place / name).unlink(missing_ok=True)


@dataclass
class Result:
    """Everything that was counted."""

    scores: dict[str, Score]
    failures: list[Failure]
    unused: list[str]

    @property
    def pairs(self) -> int:
        """Mutated pairs in all."""
        return sum(each.pairs for each in self.scores.values())


def run(
    pairs: Sequence[Pair], kinds: Sequence[Kind], count: int, seed: int, progress: Callable[[int], None] | None = None
) -> Result:
    """Mutate and audit.

    Args:
        pairs: clean ones.
        kinds: to apply, in turn, each to a pair chosen at random among those that it can be applied to.
        count: of mutated pairs.
        seed: decides every choice.
        progress: is told how many are done.
    """
    result = Result({kind.name: Score() for kind in kinds}, [], [])
    noise = [kind for kind in kinds if kind.is_noise]
    with tempfile.TemporaryDirectory(prefix="drift-") as folder:
        workshop = Workshop(pairs, Path(folder))
        for number, (kind, name) in enumerate(_turns(kinds, count, seed)):
            _one(workshop, kind, name, noise, result)
            if progress is not None:
                progress(number + 1)
    result.unused = [name for name, score in result.scores.items() if not score.pairs]
    return result


def _turns(kinds: Sequence[Kind], count: int, seed: int) -> Iterator[tuple[Kind, str]]:
    """Each kind in turn, with the seed of its mutation."""
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield kind, f"{seed}/{kind.name}/{number // len(kinds)}"


def attempt(workshop: Workshop, kind: Kind, seed: str, noise: Sequence[Kind]) -> tuple[View, Path, Mutated] | None:
    """Mutate a pair that the kind can be applied to; None where there is none. The seed decides everything."""
    rng = Random(seed)
    order = list(range(len(workshop.places)))
    rng.shuffle(order)
    for index in order:
        view, place = workshop.places[index]
        some = rng.sample(list(noise), min(len(noise), rng.randint(1, 3))) if noise else []
        over = some if kind.is_harmful and rng.random() < _NOISE else []
        mutated = mutate(kind, view, rng, over)
        if mutated is not None:
            return view, place, mutated
    return None


def _one(workshop: Workshop, kind: Kind, seed: str, noise: Sequence[Kind], result: Result) -> None:
    tried = attempt(workshop, kind, seed, noise)
    if tried is None:
        return
    view, place, mutated = tried
    score = result.scores[kind.name]
    score.pairs += 1
    score.sources.add(view.pair.name.partition(": ")[0] if view.pair.origin == "corpus" else view.pair.name)
    try:
        found = workshop.audit(view, place, mutated)
        refused = ""
    except LockauditError as error:
        found, refused = set(), f"refused: {error}"
    rest = found - mutated.expected
    score.follows.update({code for code, _ in rest if code in kind.follows})
    extra = {each for each in rest if each[0] not in kind.follows}
    score.extra.update({code for code, _ in extra})
    problem = refused
    is_right = mutated.expected <= found if kind.is_harmful else not found
    if is_right and not refused:
        score.found += 1
        if extra:
            problem = f"extra {_shown(extra)}"
    elif found or not kind.is_harmful:
        score.wrong += 1
        problem = refused or f"expected {_shown(mutated.expected)}, found {_shown(found)}"
    else:
        score.missed += 1
        problem = refused or f"expected {_shown(mutated.expected)}, found nothing"
    if problem:
        failure = Failure(kind=kind.name, seed=seed, pair=view.pair.name, note=mutated.note, problem=problem)
        result.failures.append(failure)


def _shown(findings: set[tuple[str, str | None]] | frozenset[tuple[str, str | None]]) -> str:
    return ", ".join(sorted(f"{code} {package or '-'}" for code, package in findings)) or "nothing"
