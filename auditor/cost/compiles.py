"""Which wheels are compiled, and because of which component of their build key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.cost.model import Compile, Difference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from auditor.wheel.key import BuildKey


def compiles(old: Iterable[BuildKey], new: Iterable[BuildKey], compiled: Collection[str]) -> Iterator[Compile]:
    """The wheels whose key is another one, or new; in the order of the new keys.

    Args:
        old: the earlier keys of a pair on a target.
        new: its keys now.
        compiled: every readable key of the earlier state: a wheel of another pair or variant is not compiled again.
    """
    before = {key.name: key for key in old}
    for key in new:
        known = before.get(key.name)
        differences = tuple(differing(known, key))
        if (known is None or differences) and key.readable not in compiled:
            yield Compile(
                package=key.name,
                before=known.readable if known is not None else "",
                after=key.readable,
                components=differences if known is not None else (),
            )


def differing(old: BuildKey | None, new: BuildKey | None) -> Iterator[Difference]:
    """The components that differ between two keys, in the order of the keys."""
    before, after = _values(old), _values(new)
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield Difference(name, before.get(name, ""), after.get(name, ""))


def _values(key: BuildKey | None) -> Mapping[str, str]:
    return {component.name: component.value for component in key.components} if key is not None else {}
