"""Harmful: the same pin, and files that only one lock lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.drift.artifacts import digest
from bench.drift.kind import Family

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from auditor.lock.model import Artifact
    from bench.drift.kind import Expected
    from bench.drift.view import Draft, Victim

FILES: Final = Family("artifact")


@FILES.kind("sdist only in prod, where no wheel is left")
def _only_sdist(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(
        rng,
        lambda each: each.from_registry and bool(each.usable) and each.prod.sdist is None and each.dev.sdist is None,
    )
    if victim is None or "://" not in victim.usable[0].location:
        return None
    base = victim.usable[0].location.rpartition("/")[0]
    name = f"{victim.name.replace('-', '_')}-{victim.prod.version}.tar.gz"
    draft.drop_files("prod", victim.prod)
    draft.entry("prod", victim.prod).sub(
        r"(?=\n*\Z)", f'\nsdist = {{ url = "{base}/{name}", hash = "{digest(rng)}", size = 1000 }}'
    )
    entry = draft.entry("prod", victim.prod)
    line = next(each.line for each in entry.files())
    entry.text = entry.text.replace(f"\n{line}", "", 1)
    entry.replace(f"\nsource = {entry.source}\n", f"\nsource = {entry.source}\n{line}\n")
    draft.note = f"{name} instead of wheels"
    return [("LA107", victim.name)]


@FILES.kind("no usable wheel and no sdist")
def _nothing(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(rng, lambda each: each.from_registry and bool(each.usable))
    if victim is None:
        return None
    entry = draft.entry("prod", victim.prod)
    usable = {each.location for each in victim.usable}
    for each in list(entry.files()):
        if not each.is_wheel or each.location in usable:
            entry.drop_line(each.line)
    draft.note = f"{victim.name}: nothing for {victim.on.target}"
    return [("LA114", victim.name)]


@FILES.kind("best wheel removed in prod, another is left")
def _lesser(draft: Draft, rng: Random) -> Expected | None:
    return _without(draft, rng, lambda each: each.usable[:1] if len(each.usable) > 1 else ())


@FILES.kind("usable wheels removed in prod, the sdist is left")
def _sdist_left(draft: Draft, rng: Random) -> Expected | None:
    return _without(draft, rng, lambda each: each.usable if each.prod.sdist is not None else ())


def _without(draft: Draft, rng: Random, gone: Callable[[Victim], Sequence[Artifact]]) -> Expected | None:
    """Remove wheels of prod; whatever is left is known to dev."""
    victim = draft.view.pick(rng, lambda each: each.from_registry and each.is_same and bool(gone(each)))
    if victim is None:
        return None
    removed = {each.location for each in gone(victim)}
    entry = draft.entry("prod", victim.prod)
    for each in list(entry.files()):
        if each.location in removed:
            entry.drop_line(each.line)
    draft.note = f"{victim.name}: without {len(removed)} wheels"
    return [("LA118", victim.name)]
