"""Applies kinds of mutation to pairs at random, audits what comes out, and counts."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from auditor.errors import LockauditError
from bench.drift.kind import mutate
from bench.drift.pair import findings, write
from bench.drift.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.drift.kind import Kind, Mutated
    from bench.drift.pair import Pair

Found = set[tuple[str, str | None]]
Turn = tuple[str, str]  # name of a kind, seed of the mutation

_NOISE: Final = 0.4  # how many of the harmful pairs are also reformatted
_MOST_NOISE: Final = 3  # harmless kinds over one harmful mutation


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A mutated pair with which something was not as expected.

    Attributes:
        seed: makes the same mutation again.
        pair: name of the pair.
        note: what was done.
        problem: what was expected and what was found.
    """

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
        places: names of the locks and projects that were mutated.
        failures: what was not as expected, extra findings included.
    """

    pairs: int = 0
    found: int = 0
    wrong: int = 0
    missed: int = 0
    follows: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)
    places: set[str] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Add what another process counted of the same kind."""
        self.pairs += other.pairs
        self.found += other.found
        self.wrong += other.wrong
        self.missed += other.missed
        self.follows += other.follows
        self.extra += other.extra
        self.places |= other.places
        self.failures += other.failures


class Workshop:
    """Clean pairs, read once, and a folder for each; a mutation replaces files there and is undone afterwards."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.views = [View(pair) for pair in pairs]
        self.folder = Path()

    def settle(self, folder: Path) -> None:
        """Write every pair below a folder."""
        self.folder = folder
        for number, view in enumerate(self.views):
            view.pair.write(folder / str(number))

    def attempt(self, kind: Kind, seed: str, noise: Sequence[Kind]) -> tuple[int, Mutated] | None:
        """Mutate a pair that the kind can be applied to: (its number, what came out). The seed decides everything.

        Large pairs come up less often than small ones, since they take longer.
        """
        rng = Random(seed)  # noqa: S311 - it must give the same again
        sizes = [sum(map(len, view.pair.files.values())) for view in self.views]
        order = sorted(range(len(sizes)), key=lambda index: rng.expovariate(1.0) * sizes[index] ** 0.5)
        for index in order:
            some = rng.sample(list(noise), min(len(noise), rng.randint(1, _MOST_NOISE)))
            over = some if kind.is_harmful and rng.random() < _NOISE else []
            mutated = mutate(kind, self.views[index], rng, over)
            if mutated is not None:
                return index, mutated
        return None

    def audit(self, index: int, mutated: Mutated) -> Found:
        """(code, package) of every finding in a mutated pair. Raises: as lockaudit."""
        place, files = self.folder / str(index), self.views[index].pair.files
        try:
            for name, text in mutated.files.items():
                write(place, name, text)
            return {(each.code, each.package) for each in findings(place)}
        finally:
            for name in mutated.files:
                if name in files:
                    write(place, name, files[name])
                else:
                    (place / name).unlink()

    def score(self, kind: Kind, seed: str, noise: Sequence[Kind]) -> Score:
        """What comes out of one mutation."""
        score = Score()
        tried = self.attempt(kind, seed, noise)
        if tried is None:
            return score
        index, mutated = tried
        pair = self.views[index].pair
        score.pairs = 1
        score.places.add(pair.name.partition(": ")[0] if pair.origin == "corpus" else pair.name)
        found: Found = set()
        refused = ""
        try:
            found = self.audit(index, mutated)
        except LockauditError as error:
            refused = f"refused: {error}"
        rest = found - mutated.expected
        extra = {each for each in rest if each[0] not in kind.follows}
        score.follows = Counter({code for code, _ in rest - extra})
        score.extra = Counter({code for code, _ in extra})
        is_right = mutated.expected <= found if kind.is_harmful else not found
        score.found = int(is_right and not refused)
        score.missed = int(not score.found and not found)
        score.wrong = int(not score.found and bool(found))
        problem = refused
        if not score.found and not refused:
            problem = f"expected {_shown(mutated.expected)}, found {_shown(found)}"
        elif extra:
            problem = f"extra {_shown(extra)}"
        if problem:
            score.failures.append(Failure(seed=seed, pair=pair.name, note=mutated.note, problem=problem))
        return score


def turns(kinds: Sequence[Kind], count: int, seed: int) -> Iterator[Turn]:
    """Each kind in turn, with the seed of its mutation."""
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield kind.name, f"{seed}/{kind.name}/{number // len(kinds)}"


def run(
    pairs: Sequence[Pair], kinds: Sequence[Kind], count: int, seed: int, *, noise: Sequence[Kind] = (), jobs: int = 1
) -> dict[str, Score]:
    """Mutate and audit.

    Args:
        pairs: clean ones.
        kinds: to apply, in turn, each to a pair chosen at random among those that it can be applied to.
        count: of mutated pairs.
        seed: decides every choice, whatever the number of jobs.
        noise: harmless kinds that are laid over some of the harmful mutations.
        jobs: processes.

    Returns:
        What was counted, by the name of the kind.
    """
    every = list(turns(kinds, count, seed))
    shares = [(pairs, kinds, noise, every[number::jobs]) for number in range(jobs)]
    scores = {kind.name: Score() for kind in kinds}
    if jobs == 1:
        done = [_share(*shares[0])]
    else:
        with multiprocessing.get_context("spawn").Pool(jobs) as pool:
            done = pool.starmap(_share, shares, chunksize=1)
    for share in done:
        for name, score in share.items():
            scores[name].add(score)
    return scores


def _share(
    pairs: Sequence[Pair], kinds: Sequence[Kind], noise: Sequence[Kind], wanted: Sequence[Turn]
) -> dict[str, Score]:
    workshop = Workshop(pairs)
    by_name = {kind.name: kind for kind in kinds}
    scores: dict[str, Score] = {}
    with tempfile.TemporaryDirectory(prefix="drift-") as folder:
        workshop.settle(Path(folder))
        for name, seed in wanted:
            scores.setdefault(name, Score()).add(workshop.score(by_name[name], seed, noise))
    return scores


def _shown(found: Found | frozenset[tuple[str, str | None]]) -> str:
    return ", ".join(sorted(f"{code} {package or '-'}" for code, package in found)) or "nothing"
