"""A quick slice of the drift bench: every kind of mutation once or twice, with fixed seeds; the bench itself, too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auditor.lock.read import parse_lock
from auditor.source import SourceFile
from bench.drift.__main__ import DOCUMENT, KINDS, NOISE
from bench.drift.harmful import HARMFUL
from bench.drift.harmless import HARMLESS
from bench.drift.made import made_pairs
from bench.drift.pair import DEV_LOCK, DEV_PROJECT, PROD_LOCK
from bench.drift.pairs import Refused, corpus_pairs, is_clean
from bench.drift.run import Workshop, run
from bench.drift.text import LockText
from tests.support import REPOSITORY, corpus_locks, require_corpus

if TYPE_CHECKING:
    from bench.drift.kind import Kind
    from bench.drift.pair import Pair
    from bench.drift.run import Score

SEED = 3
# What the pairs of uv have nothing for: sizes and upload times, which the local index does not serve, packages whose
# extras other packages ask for, and a lock of an old revision.
SELDOM = {
    "best wheel removed in prod, another is left",
    "extra of an edge added",
    "extra of an edge dropped",
    "keys of a file in another order",
    "metadata of the project removed from the lock",
    "size changed, one hash",
    "sizes left out",
    "upload times left out",
}


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    """Pairs made by the real uv."""
    return made_pairs()


@pytest.fixture(scope="module")
def workshop(pairs: list[Pair]) -> Workshop:
    """The same, read."""
    return Workshop(pairs)


def by_name(name: str) -> Kind:
    """A kind of mutation."""
    return next(kind for kind in KINDS if kind.name == name)


def mistakes(scores: dict[str, Score]) -> list[str]:
    """What lockaudit was wrong about, readably."""
    return [
        f"{each.seed}: {each.pair}: {each.note}: {each.problem}"
        for score in scores.values()
        if score.found != score.pairs
        for each in score.failures
    ]


def test_there_are_as_many_kinds_as_wanted() -> None:
    assert len(HARMFUL) >= 40
    assert len(HARMLESS) >= 15
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_the_pairs_of_uv_are_clean_and_various(pairs: list[Pair]) -> None:
    assert len(pairs) >= 8
    assert [(pair.name, is_clean(pair)) for pair in pairs] == [(pair.name, ()) for pair in pairs]
    text = "".join(pair.files[DEV_LOCK] for pair in pairs)
    for needle in (
        "conflicts = [[",
        "git = ",
        "{ url = ",
        "{ path = ",
        "editable = ",
        "subdirectory=",
        "overrides = [",
    ):
        assert needle in text, needle


def test_every_kind_on_the_pairs_of_uv(pairs: list[Pair]) -> None:
    """What only other pairs have is in the next test."""
    scores = run(pairs, KINDS, len(KINDS), SEED, noise=NOISE)
    assert mistakes(scores) == []
    unused = {name for name, score in scores.items() if not score.pairs}
    assert unused <= SELDOM


@pytest.mark.corpus
def test_every_kind_on_pairs_of_the_corpus() -> None:
    refused = Refused()
    pairs = corpus_pairs(require_corpus(), 12, SEED, refused)
    assert len(pairs) == 12
    scores = run(pairs, KINDS, len(KINDS), SEED, noise=NOISE)
    assert mistakes(scores) == []
    assert sum(score.pairs for score in scores.values()) > len(KINDS) * 0.8


def test_a_blind_spot_is_seen(pairs: list[Pair]) -> None:
    """With the rule about hashes switched off, the bench says that a changed hash was missed."""
    blind = [
        replace(
            pair,
            files={
                **pair.files,
                DEV_PROJECT: pair.files[DEV_PROJECT].replace(
                    "[tool.lockaudit]\n", '[tool.lockaudit]\nselect = ["LA105"]\n', 1
                ),
            },
        )
        for pair in pairs[:2]
    ]
    kind = by_name("wheel hash changed in prod")
    scores = run(blind, [kind], 2, SEED)
    assert (scores[kind.name].pairs, scores[kind.name].found, scores[kind.name].missed) == (2, 0, 2)
    assert "found nothing" in scores[kind.name].failures[0].problem


def test_a_finding_that_nothing_explains_is_counted(pairs: list[Pair]) -> None:
    kind = replace(by_name("torch removed while a wheel is compiled"), follows={})
    scores = run(pairs, [kind], 1, SEED)
    assert scores[kind.name].found == 1
    assert scores[kind.name].extra["LA113"] == 1


def test_a_harmless_kind_that_is_reported_counts_as_wrong(pairs: list[Pair]) -> None:
    kind = replace(by_name("wheel hash changed in prod"), family="harmless")
    scores = run(pairs, [kind], 1, SEED)
    assert (scores[kind.name].found, scores[kind.name].wrong) == (0, 1)


@pytest.mark.parametrize("name", ["version raised in prod", "wheel hash changed in dev", "packages in another order"])
def test_the_seed_decides_everything(workshop: Workshop, name: str) -> None:
    kind = by_name(name)
    first, again, other = (workshop.attempt(kind, seed, NOISE) for seed in ("1/x/0", "1/x/0", "1/x/1"))
    assert first is not None
    assert first == again
    assert first != other


def test_jobs_do_not_change_the_result(pairs: list[Pair]) -> None:
    kinds = HARMFUL[:6]
    one, two = (run(pairs[:4], kinds, 12, SEED, noise=NOISE, jobs=jobs) for jobs in (1, 2))
    assert {name: (s.pairs, s.found, s.follows) for name, s in one.items()} == {
        name: (s.pairs, s.found, s.follows) for name, s in two.items()
    }


def test_a_lock_in_pieces_is_the_same_text_with_the_same_parts(pairs: list[Pair]) -> None:
    """The reader of lockaudit is the oracle: it parses TOML, the bench looks at lines."""
    texts = [pair.files[path] for pair in pairs for path in (DEV_LOCK, PROD_LOCK)]
    texts += [path.read_text(encoding="utf-8") for path in corpus_locks()]
    for text in texts:
        pieces, lock = LockText.parse(text), parse_lock(SourceFile(Path(DEV_LOCK), DEV_LOCK, text))
        assert str(pieces) == text
        for entry, package in zip(pieces.entries, lock.packages, strict=True):
            assert len(list(entry.files())) == len(package.artifacts), entry.text
            sections = (package.dependencies, *package.optional.values(), *package.groups.values())
            names = [lock.packages[edge.target].name for edges in sections for edge in edges]
            assert sorted(edge.name for edge in entry.edges()) == sorted(names), entry.text
            assert len(entry.metadata("requires-dist")) == len(package.metadata.get("requires-dist", []))
            assert len(entry.metadata("provides-extras")) == len(package.metadata.get("provides-extras", []))


def test_the_document_is_of_a_whole_run() -> None:
    text = (REPOSITORY / DOCUMENT).read_text(encoding="utf-8")
    assert "--pairs 5000" in text
    for kind in KINDS:
        assert f"| {kind.name} | {kind.family} |" in text, kind.name
