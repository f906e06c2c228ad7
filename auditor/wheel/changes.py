"""What becomes of the compiled wheels when build keys change: which are compiled anew, and because of what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.wheel.key import BuildKey


@dataclass(frozen=True, slots=True)
class ComponentChange:
    """One component that differs; None where a key does not have it."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """One compiled package on one target.

    Attributes:
        package: its name.
        target: as text.
        before: the readable key, or None where it was not compiled.
        after: likewise, or None where it is compiled no more.
        is_compiled: whether its wheel has to be compiled: no key before was this one, on this target or another.
        components: those that differ.
    """

    package: str
    target: str
    before: str | None
    after: str | None
    is_compiled: bool
    components: tuple[ComponentChange, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """As text: what happens, then each component that differs."""
        head = f"{self.package} on {self.target}"
        if self.after is None:
            return (f"{head}: compiled no more",)
        if not self.is_compiled:
            return (f"{head}: same key, nothing is compiled ({self.after})",)
        return (
            f"{head}: will be compiled, {self.before or 'new'} -> {self.after}",
            *(f"    {each.name}: {each.before or 'none'} -> {each.after or 'none'}" for each in self.components),
        )


def key_changes(before: Iterable[tuple[str, BuildKey]], after: Iterable[tuple[str, BuildKey]]) -> tuple[KeyChange, ...]:
    """Every package that is compiled in one of two states, given as (target, key), sorted by target and name."""
    old = {(target, each.name): each for target, each in before}
    new = {(target, each.name): each for target, each in after}
    there = {key.readable for key in old.values()}
    return tuple(_change(name, old.get(name), new.get(name), there) for name in sorted(old.keys() | new.keys()))


def _change(name: tuple[str, str], old: BuildKey | None, new: BuildKey | None, there: set[str]) -> KeyChange:
    before = {component.name: component.value for component in old.components} if old else {}
    after = {component.name: component.value for component in new.components} if new else {}
    return KeyChange(
        package=name[1],
        target=name[0],
        before=old.readable if old else None,
        after=new.readable if new else None,
        is_compiled=new is not None and new.readable not in there,
        components=tuple(
            ComponentChange(component, before.get(component), after.get(component))
            for component in dict.fromkeys((*before, *after))
            if before.get(component) != after.get(component)
        ),
    )
