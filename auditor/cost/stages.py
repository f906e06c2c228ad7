"""Which stages run again, and why: the keys of one state's steps held against all those of the state before.

A stage runs when one of its own steps does: a RUN, COPY, ADD or WORKDIR whose key nothing has been built with. The
builder that is meant has built every image of the state before, and has no other cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.cost.model import BuildCost, Cause, StageCost
from auditor.dockerfile.builds import Builds
from auditor.dockerfile.layer import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.cost.solves import Solves
    from auditor.dockerfile.built import Built
    from auditor.dockerfile.layer import Layer, Part


def build_costs(old: Sequence[Solves], own: Solves, new: Solves) -> tuple[BuildCost, ...]:
    """What the build of each image runs again.

    Args:
        old: the earlier builds of every pair and variant, which the builder has made.
        own: those of the pair itself.
        new: its builds now.
    """
    certain, all_in_all = (_Comparison(old, own, new, hopeful=hopeful) for hopeful in (True, False))
    return tuple(BuildCost(name=name, stages=tuple(_stages(name, certain, all_in_all))) for name in new.images)


class _Comparison:
    """Both states' builds, and every key that the old ones have left in the builder."""

    def __init__(self, old: Sequence[Solves], own: Solves, new: Solves, *, hopeful: bool) -> None:
        same = all(each.knows_manifests == new.knows_manifests for each in (*old, own))
        self.new = Builds(new.all, hopeful=hopeful, knows_manifests=same)
        self.known: set[str] = set()
        self.earlier: dict[tuple[str, str], Built] = {}
        for each in (own, *(each for each in old if each is not own)):
            builds = Builds(each.all, hopeful=hopeful, knows_manifests=same)
            for built in (built for name in each.images for built in builds.needed(name)):
                self.known |= {layer.key for layer in built.own}
                self.earlier.setdefault((built.solve.name, built.name), built)

    def runs(self, layer: Layer) -> bool:
        return layer.always or layer.key not in self.known

    def before(self, built: Built) -> Built | None:
        """The stage of that name before: of the same target, else of any."""
        found = self.earlier.get((built.solve.name, built.name))
        return found or next((each for (_, name), each in self.earlier.items() if name == built.name), None)


def _stages(name: str, certain: _Comparison, all_in_all: _Comparison) -> Iterator[StageCost]:
    seen: dict[tuple[str, int], StageCost] = {}
    pairs = zip(certain.new.needed(name), all_in_all.new.needed(name), strict=True)
    for sure, maybe in pairs:
        if not sure.own:
            continue
        ran = [layer for layer in sure.own if certain.runs(layer)]
        more = [layer for layer in maybe.own if all_in_all.runs(layer)]
        known, source, layers = (certain, sure, ran) if ran else (all_in_all, maybe, more)
        cost = StageCost(
            name=sure.name,
            line=sure.stage.line,
            steps=len(sure.own),
            ran=len(ran),
            perhaps=max(0, len(more) - len(ran)),
            first=f"{layers[0].instruction}, line {layers[0].line}" if layers else "",
            cause=_cause(known, source, layers[0]) if layers else None,
            compiles=tuple(package for layer in sure.own for package in layer.compiles),
        )
        place = (cost.name, cost.line)
        if place not in seen or (cost.ran, cost.perhaps) > (seen[place].ran, seen[place].perhaps):
            seen[place] = cost
    yield from seen.values()


def _cause(comparison: _Comparison, built: Built, layer: Layer) -> Cause:
    """What has changed, of a step that runs."""
    before = comparison.before(built)
    place = built.own.index(layer)
    counterpart = before.own[place] if before is not None and place < len(before.own) else None
    found = _differing(counterpart, layer, built.name)
    if found is not None:
        return found
    name = "no-cache" if layer.always else layer.instruction
    return Cause(kind=Kind.SETTING if layer.always else Kind.INSTRUCTION, name=name, line=layer.line)


def _differing(old: Layer | None, new: Layer, stage: str) -> Cause | None:
    """The first difference between two steps, which may be one of a step before them."""
    if old is None:
        return Cause(kind=Kind.INSTRUCTION, name=new.instruction, line=new.line, through=_through(new, stage))
    if new.parent is not None and old.parent is not None and new.parent.result != old.parent.result:
        first = _first(old.parent.chain, new.parent.chain)
        if first is not None:
            return _differing(*first, stage)
    for part, other in _paired(old.parts, new.parts):
        if (part.value if part is not None else None) != (other.value if other is not None else None):
            found = _told(part, other, new, stage)
            if found is not None:
                return found
    return None


def _first(old: Sequence[Layer], new: Sequence[Layer]) -> tuple[Layer | None, Layer] | None:
    """The first step of a chain with another key, and the one in its place before."""
    for place, layer in enumerate(new):
        if place >= len(old):
            return None, layer
        if old[place].key != layer.key:
            return old[place], layer
    return None


def _told(old: Part | None, new: Part | None, layer: Layer, stage: str) -> Cause | None:
    """Two parts that differ, as the cause that a user can do something about."""
    part = new or old
    if part is None:
        return None
    if old is not None and new is not None:
        if new.layer is not None and old.layer is not None:
            first = _first(old.layer.chain, new.layer.chain)
            return _differing(*first, stage) if first is not None else None
        if part.kind is Kind.FILES and (new.inner or old.inner):
            return _among(old.inner, new.inner, layer, stage)
        if part.kind is Kind.IMAGE:
            for argument, other in _paired(old.inner, new.inner):
                if argument is not None and other is not None and argument.value != other.value:
                    return _cause_of(argument, other, layer, stage)
    return _cause_of(old, new, layer, stage)


def _among(old: Sequence[Part], new: Sequence[Part], layer: Layer, stage: str) -> Cause | None:
    """The first of several files that differs, and how many others do."""
    pairs = [pair for pair in _paired(old, new) if _value(pair[0]) != _value(pair[1])]
    for before, after in pairs:
        found = _told(before, after, layer, stage)
        if found is not None:
            others = len(pairs) - 1 if found.kind is Kind.FILE else 0
            return Cause(
                kind=found.kind,
                name=found.name,
                before=found.before,
                after=found.after,
                others=max(others, found.others),
                line=found.line,
                through=found.through,
            )
    return None


def _cause_of(old: Part | None, new: Part | None, layer: Layer, stage: str) -> Cause:
    part = new or old
    assert part is not None  # noqa: S101 - one of the two is there
    before, after = "", ""
    if part.kind in {Kind.ARGUMENT, Kind.VARIABLE, Kind.IMAGE, Kind.SETTING}:
        before, after = (_shown(each) for each in (old, new))
    elif part.kind is Kind.FILE:
        before, after = ("there" if each is not None else "" for each in (old, new))
    return Cause(
        kind=part.kind,
        name=part.name,
        before=before,
        after=after,
        line=part.line,
        through=_through(layer, stage),
    )


def _through(layer: Layer, stage: str) -> str:
    """The stage of a step; none for an image, which no stage has made."""
    return layer.stage if layer.stage != stage and layer.instruction else ""


def _shown(part: Part | None) -> str:
    return "" if part is None else part.value.removeprefix(f"{part.name}=").partition("\n")[0]


def _value(part: Part | None) -> str | None:
    return None if part is None else part.value


def _paired(old: Sequence[Part], new: Sequence[Part]) -> Iterator[tuple[Part | None, Part | None]]:
    """(old, new) of the parts of one name, those of the new state first."""
    before: dict[tuple[Kind, str], list[Part]] = {}
    for part in old:
        before.setdefault((part.kind, part.name), []).append(part)
    for part in new:
        known = before.get((part.kind, part.name))
        yield (known.pop(0) if known else None), part
    for left in before.values():
        for part in left:
            yield part, None
