"""What a change costs: one state of a repository against an earlier one."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
    notes: list[str] = []
    keys = {
        (context.name, str(target)): _earlier_keys(context, target, notes)
        for context in old.contexts
        for target in context.targets
    }
    pairs = tuple(
        _Pair(old, before, baked, after, keys).cost(stale, notes)
        for before, after in matched(old.contexts, baked.contexts)
    )
    return Cost(base=base, commit=commit, pairs=pairs)


def _earlier_keys(context: PairContext, target: Target, notes: list[str]) -> tuple[BuildKey, ...]:
    try:
        return keys_of(context.dev, target, context.config, context.dockerfile)
    except LockauditError as error:
        notes.append(f"The earlier build key cannot be told: {error.message}.")
        return ()


@dataclass(frozen=True, slots=True)
class _Pair:
    """One pair in both states, and every build key of the earlier one by pair and target."""

    old: State
    before: PairContext | None
    new: State
    after: PairContext
    keys: Mapping[tuple[str, str], tuple[BuildKey, ...]]

    def cost(self, stale: Sequence[str], notes: Sequence[str]) -> PairCost:
        told = [*notes]
        if stale and self.after.bake is not None:
            files = ", ".join(stale[:2]) + (f" and {len(stale) - 2} more" if len(stale) > 2 else "")  # noqa: PLR2004
            told.append(f"Out of date: {files}. This is the cost once `lockaudit bake` has written them.")
        targets = [self.target(earlier, target) for earlier, target in _targets(self.before, self.after)]
        solves = solves_of(self.new, self.after)
        earlier = [(context, solves_of(self.old, context)) for context in self.old.contexts]
        own = next((each for context, each in earlier if context is self.before), Solves((), ()))
        builds = build_costs([each for _, each in earlier], own, solves)
        return PairCost(
            name=self.after.name,
            is_new=self.before is None,
            targets=tuple(_with_compiles_of_stages(targets, builds, self.after)),
            builds=builds,
            notes=tuple(dict.fromkeys((*told, *solves.notes))),
        )

    def target(self, earlier: Target | None, target: Target) -> TargetCost:
        before, after = self.before, self.after
        old = (before, earlier) if before is not None and earlier is not None else None
        new = (after, target)
        keys = keys_of(after.dev, target, after.config, after.dockerfile)
        known = self.keys[old[0].name, str(old[1])] if old is not None else ()
        compiled = {key.readable for each in self.keys.values() for key in each}
        return TargetCost(
            target=str(target),
            before=str(earlier) if earlier is not None else "",
            images=tuple(image_cost(old, new, role) for role in ("dev", "prod")),
            compiles=tuple(compiles(known, keys, compiled)),
            dropped=tuple(key.name for key in known if key.name not in {each.name for each in keys}),
            facts=tuple(platform_changes(old, new)),
        )


def _targets(before: PairContext | None, after: PairContext) -> Iterator[tuple[Target | None, Target]]:
    """(old, new): the same one, else the one in its place."""
    old = before.targets if before is not None else ()
    for place, target in enumerate(after.targets):
        same = next((each for each in old if str(each) == str(target)), None)
        in_place = old[place] if place < len(old) and str(old[place]) not in map(str, after.targets) else None
        yield same or in_place, target


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
