"""What a kind of mutation is, and how the modules that hold them declare one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.drift.view import Draft

if TYPE_CHECKING:
    from random import Random

    from bench.drift.view import View

Expected = Iterable[tuple[str, str | None]]
Make = Callable[[Draft, "Random"], Expected | None]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of mutation.

    Attributes:
        name: as the table has it.
        family: the part of the table that it stands in; `harmless` for those that must find nothing.
        make: changes a draft, and returns what must be found: (code, package) of each; None where it cannot be done.
        follows: code -> why this code is found too, of whatever package, and rightly so.
        is_noise: of a harmless kind: it may be laid over a harmful mutation, because it hides nothing.
        is_alone: what is expected depends on the order of the file: nothing is laid over it.
        is_last: it changes a file as a whole, after everything that changes it in pieces.
    """

    name: str
    family: str
    make: Make
    follows: Mapping[str, str] = field(default_factory=dict)
    is_noise: bool = False
    is_last: bool = False
    is_alone: bool = False

    @property
    def is_harmful(self) -> bool:
        """Whether something must be found."""
        return self.family != "harmless"


@dataclass(frozen=True, kw_only=True)
class Mutated:
    """A mutated pair.

    Attributes:
        files: those that differ.
        expected: (code, package) of each finding that must be there.
        note: what was done to what.
    """

    files: Mapping[str, str]
    expected: frozenset[tuple[str, str | None]]
    note: str


def mutate(kind: Kind, view: View, rng: Random, noise: Iterable[Kind] = ()) -> Mutated | None:
    """Apply a kind to a pair, and harmless ones over it; None where the pair has nothing to apply it to."""
    draft = Draft(view)
    expected = kind.make(draft, rng)
    if expected is None or not draft.changed():
        return None
    notes = [draft.note]
    for each in () if kind.is_alone else sorted(noise, key=lambda other: other.is_last):
        draft.note = ""
        each.make(draft, rng)
        notes.append(each.name)
    return Mutated(files=draft.changed(), expected=frozenset(expected), note="; with ".join(notes))


class Family:
    """The kinds of one module, in the order in which they are declared."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kinds: list[Kind] = []

    def kind(
        self, name: str, *, noise: bool = False, last: bool = False, alone: bool = False, **follows: str
    ) -> Callable[[Make], Make]:
        """Declare a kind; `follows` are codes that are found too, each with the reason."""

        def declare(make: Make) -> Make:
            kind = Kind(
                name=name, family=self.name, make=make, follows=follows, is_noise=noise, is_last=last, is_alone=alone
            )
            self.kinds.append(kind)
            return make

        return declare
