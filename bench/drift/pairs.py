"""Every consistent pair: cut from the corpus, and made by the real uv; each is shown to be clean before it is used."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from bench.drift.cut import CannotCutError, cut
from bench.drift.origin import Repair, read_origin
from bench.drift.pair import DEV_LOCK, DEV_PROJECT, Pair, findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.finding import Finding
    from bench.drift.origin import Origin

_TRIES: Final = 48
# What only another target helps against: a package without a file for this one.
_OF_TARGET: Final = frozenset({"LA114"})
# What the corpus has of its own accord: known of a package, whatever prod selects of it.
_OWN: Final = frozenset({"LA204", "LA303"})


@dataclass
class Refused:
    """What the corpus has of its own accord.

    Attributes:
        locks: of which nothing could be used -> why.
        repaired: whose dev side had to be cleaned -> how.
        accepted: package and code that the settings of its pairs accept -> lock.
    """

    locks: dict[str, str] = field(default_factory=dict)
    repaired: dict[str, str] = field(default_factory=dict)
    accepted: dict[str, str] = field(default_factory=dict)


def corpus_pairs(corpus: Path, count: int, seed: int, refused: Refused) -> list[Pair]:
    """Clean pairs from the locks of the corpus, in turn, until there are `count`; fewer if the locks have no more."""
    paths = sorted(corpus.rglob("*uv.lock"))
    makers = [_clean_cuts(path, corpus, _random(f"{seed}:{index}"), refused) for index, path in enumerate(paths)]
    found: list[Pair] = []
    while makers and len(found) < count:
        for maker in list(makers):
            pair = next(maker, None)
            if pair is None:
                makers.remove(maker)
            elif pair.files not in [each.files for each in found]:
                found.append(pair)
            if len(found) == count:
                break
    return found


def _random(seed: str) -> Random:
    return Random(seed)  # noqa: S311 - it must give the same again


def is_clean(pair: Pair) -> tuple[Finding, ...]:
    """What lockaudit finds in a pair as it is."""
    with tempfile.TemporaryDirectory(prefix="drift-") as folder:
        pair.write(Path(folder))
        return findings(Path(folder))


def _clean_cuts(path: Path, corpus: Path, rng: Random, refused: Refused) -> Iterator[Pair]:
    """Different clean pairs of one lock: the least repair that makes dev clean, without what is not clean in prod."""
    name = path.relative_to(corpus).as_posix()
    reasons: Counter[str] = Counter()
    for repair in Repair:
        origin = read_origin(path, corpus, repair)
        if origin is None:
            refused.locks[name] = "it has several root projects"
            return
        made = 0
        for pair in _cuts_of(origin, rng, refused, reasons):
            made += 1
            if repair is not Repair.NONE:
                refused.repaired[origin.name] = str(repair)
            yield pair
        if made:
            return
    refused.locks[name] = ", ".join(code for code, _ in reasons.most_common(3))


def _cuts_of(origin: Origin, rng: Random, refused: Refused, reasons: Counter[str]) -> Iterator[Pair]:
    """Clean pairs of a lock, until enough were tried or dev itself turns out not to be clean."""
    avoid: set[str] = set()
    for _ in range(_TRIES):
        try:
            pair = cut(origin, rng, avoid=avoid)
        except CannotCutError:
            reasons["nothing to cut"] += 1
            continue
        found = is_clean(pair)
        if found and all(each.code in _OWN and each.package for each in found):
            pair, found = _accepting(pair, found, refused)
        if not found:
            yield pair
            continue
        reasons.update(each.code for each in found)
        foreign = [each for each in found if each.code not in _OWN | _OF_TARGET]
        members = {None, *origin.lock.manifest.members}
        if any(each.package in members or each.position.path == DEV_LOCK for each in foreign):
            return
        avoid |= {each.package for each in foreign if each.package is not None}


def _accepting(pair: Pair, found: Iterable[Finding], refused: Refused) -> tuple[Pair, tuple[Finding, ...]]:
    """The pair with what the corpus has of its own accord accepted in its settings, as a team would."""
    text = pair.files[DEV_PROJECT]
    names = sorted({f"{each.package} {each.code}" for each in found})
    for name, code in (each.split() for each in names):
        text += f'\n[tool.lockaudit.package.{name}]\nignore = {{ {code} = "the corpus has it so" }}\n'
        refused.accepted[f"{name} {code}"] = re.sub(r":.*", "", pair.name)
    new = replace(pair, files={**pair.files, DEV_PROJECT: text})
    return new, is_clean(new)
