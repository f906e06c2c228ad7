"""What a change costs: one state of a repository against an earlier one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.bake.generate import keys_of
from auditor.cost.compiles import compiles
from auditor.cost.model import Compile, Cost, PairCost, TargetCost
from auditor.cost.packages import image_cost
from auditor.cost.platform import platform_changes
from auditor.cost.solves import Solves, solves_of
from auditor.cost.stages import build_costs
from auditor.cost.state import as_baked, matched
from auditor.errors import LockauditError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.cost.model import BuildCost
    from auditor.cost.state import State
    from auditor.lock.environment import Target
    from auditor.rules.context import PairContext
    from auditor.wheel.key import BuildKey


def cost_of(old: State, new: State, base: str, commit: str) -> Cost:
    """What a change costs.

    Args:
        old: the earlier state; without contexts where it had no locks.
        new: the state now; its generated files count as `lockaudit bake` would write them.
        base: the revision of the earlier state, as the user wrote it.
        commit: which that is.

    Raises:
        ConfigError: a setting that no build key can hold.
        InputError: a source that cannot be verified.
    """
    baked, stale = as_baked(new)
    pairs = tuple(_pair(old, before, baked, after, stale) for before, after in matched(old.contexts, baked.contexts))
    return Cost(base=base, commit=commit, pairs=pairs)


def _pair(old: State, before: PairContext | None, new: State, after: PairContext, stale: Sequence[str]) -> PairCost:
    notes: list[str] = []
    if stale and after.bake is not None:
        files = ", ".join(stale[:2]) + (f" and {len(stale) - 2} more" if len(stale) > 2 else "")  # noqa: PLR2004
        notes.append(f"Out of date: {files}. This is the cost once `lockaudit bake` has written them.")
    targets = [_target(before, after, earlier, target, notes) for earlier, target in _targets(before, after)]
    solves = solves_of(new, after)
    earlier_solves = solves_of(old, before) if before is not None else Solves((), ())
    notes += solves.notes
    builds = build_costs(earlier_solves, solves)
    return PairCost(
        name=after.name,
        is_new=before is None,
        targets=tuple(_with_compiles_of_stages(targets, builds, after)),
        builds=builds,
        notes=tuple(dict.fromkeys(notes)),
    )


def _targets(before: PairContext | None, after: PairContext) -> Iterator[tuple[Target | None, Target]]:
    """(old, new): the same one, else the one in its place."""
    old = before.targets if before is not None else ()
    for place, target in enumerate(after.targets):
        same = next((each for each in old if str(each) == str(target)), None)
        in_place = old[place] if place < len(old) and str(old[place]) not in map(str, after.targets) else None
        yield same or in_place, target


def _target(
    before: PairContext | None, after: PairContext, earlier: Target | None, target: Target, notes: list[str]
) -> TargetCost:
    old = (before, earlier) if before is not None and earlier is not None else None
    new = (after, target)
    keys = keys_of(after.dev, target, after.config, after.dockerfile)
    known: tuple[BuildKey, ...] = ()
    if old is not None:
        try:
            known = keys_of(old[0].dev, old[1], old[0].config, old[0].dockerfile)
        except LockauditError as error:
            notes.append(f"The earlier build key cannot be told: {error.message}.")
    return TargetCost(
        target=str(target),
        before=str(earlier) if earlier is not None else "",
        images=tuple(image_cost(old, new, role) for role in ("dev", "prod")),
        compiles=tuple(compiles(known, keys)),
        dropped=tuple(key.name for key in known if key.name not in {each.name for each in keys}),
        facts=tuple(platform_changes(old, new)),
    )


def _with_compiles_of_stages(
    targets: Iterable[TargetCost], builds: Sequence[BuildCost], after: PairContext
) -> Iterator[TargetCost]:
    """The targets, with the compiles that run although their key is the same: the images' target is the first one."""
    for place, target in enumerate(targets):
        if place:
            yield target
            continue
        known = {each.package for each in target.compiles}
        keys = {key.name: key for key in keys_of(after.dev, after.targets[0], after.config, after.dockerfile)}
        found = {
            package: Compile(
                package=package, before=keys[package].readable, after=keys[package].readable, cause=stage.cause
            )
            for build in builds
            for stage in build.stages
            if stage.ran
            for package in stage.compiles
            if package in keys and package not in known
        }
        every = sorted((*target.compiles, *found.values()), key=lambda each: each.package)
        yield replace(target, compiles=tuple(every))
