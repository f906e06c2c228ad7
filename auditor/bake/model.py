"""The bake file as values: what `docker buildx bake` reads, without a character of HCL in it.

Values are those of `auditor.bake.value`. Building a model holds it against `auditor.bake.reference`.

Two kinds of refusal: `ConfigError` for what a configuration can reach (a name, a mode), `ValueError` and `TypeError`
for what only code can get wrong (an unknown attribute, a list or None where a string belongs, a variable that is not
declared). There is no null: bake rejects it in `cache-to`, and in `args` it removes nothing.

bake puts every string into Unicode normalisation form C when it reads the file; the model keeps what it is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from auditor.bake.reference import ATTRIBUTES
from auditor.bake.value import SHAPES, Use, Value, VariableType, check_variable_name, checked, checked_text
from auditor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TARGET_NAME = re.compile(r"[a-zA-Z0-9_-]+")
# Variables that bake sets itself.
_BUILTIN = {"BAKE_CMD_CONTEXT": VariableType.STRING, "BAKE_LOCAL_PLATFORM": VariableType.STRING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable block. A default is required: buildx 0.29 rejects an argument whose variable has none.

    Raises:
        ConfigError: the name is not an identifier, or is a word of the language.
        TypeError: the default is not a literal of the type.
    """

    name: str
    type: VariableType
    default: str | bool | int | tuple[str, ...]
    description: str
    comment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_variable_name(self.name)
        where = f'variable "{self.name}"'
        uses: list[Use] = []
        object.__setattr__(self, "default", checked(self.default, SHAPES[self.type], f"{where}, default", uses))
        if uses:
            raise TypeError(f"{where}, default: a literal is needed")
        checked_text(self.description, f"{where}, description")
        object.__setattr__(self, "comment", _strings(self.comment, f"{where}, comment"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group block: a name for several targets or groups."""

    name: str
    targets: tuple[str, ...]
    description: str
    comment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_target_name(self.name, "group")
        object.__setattr__(self, "targets", _strings(self.targets, f'group "{self.name}", targets'))
        for target in self.targets:
            _check_target_name(target, "target")
        checked_text(self.description, f'group "{self.name}", description')
        object.__setattr__(self, "comment", _strings(self.comment, f'group "{self.name}", comment'))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target block.

    Attributes:
        name: letters, digits, `_` and `-`; a leading `_` marks a target that is only inherited from.
        attributes: name -> value, in any order; the writer has its own. Kept as read-only tuples and mappings.
        comment: lines above the block.
        notes: attribute -> lines above it.

    Raises:
        ConfigError: the name, or the value of an enumeration (`mode`, `compression`).
        ValueError: an attribute or key that bake does not know, or an entry without the key that matters.
        TypeError: a value of the wrong shape.
    """

    name: str
    attributes: Mapping[str, Value]
    comment: tuple[str, ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_target_name(self.name, "target")
        attributes = {}
        for name, value in self.attributes.items():
            where = f'target "{self.name}", {name}'
            if name not in ATTRIBUTES:
                raise ValueError(f"{where}: bake has no such attribute and would ignore it")
            attributes[name] = checked(value, ATTRIBUTES[name], where, [])
        if stray := set(self.notes) - set(attributes):
            raise ValueError(f'target "{self.name}": notes on attributes that it does not set: {sorted(stray)}')
        object.__setattr__(self, "attributes", MappingProxyType(attributes))
        object.__setattr__(self, "comment", _strings(self.comment, f'target "{self.name}", comment'))
        notes = {name: _strings(lines, f'target "{self.name}", note on {name}') for name, lines in self.notes.items()}
        object.__setattr__(self, "notes", MappingProxyType(notes))

    @property
    def is_abstract(self) -> bool:
        """Whether it is only there to be inherited from."""
        return self.name.startswith("_")


Block: TypeAlias = Variable | Group | Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Blocks that belong together, under a comment."""

    blocks: tuple[Block, ...]
    comment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))
        object.__setattr__(self, "comment", _strings(self.comment, "section comment"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BakeFile:
    """A whole file: a header and sections, in the order in which they are written.

    Raises:
        ConfigError: two blocks of one kind and name, which bake would merge without a word.
        ValueError: a reference to a variable that is not declared, or whose type does not fit its place.
    """

    sections: tuple[Section, ...]
    header: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sections", tuple(self.sections))
        object.__setattr__(self, "header", _strings(self.header, "header"))
        seen = set()
        for block in self._blocks():
            key = (type(block).__name__.lower(), block.name)
            if key in seen:
                raise ConfigError(f'two blocks named {key[0]} "{key[1]}" in one bake file', hint="rename one of them")
            seen.add(key)
        types = _BUILTIN | {name: variable.type for name, variable in self.variables.items()}
        for target in self.targets.values():
            _check_uses(target, types)

    def _blocks(self) -> Iterator[Block]:
        for section in self.sections:
            yield from section.blocks

    @property
    def variables(self) -> dict[str, Variable]:
        """Variables by name, in file order."""
        return {block.name: block for block in self._blocks() if isinstance(block, Variable)}

    @property
    def groups(self) -> dict[str, Group]:
        """Groups by name, in file order."""
        return {block.name: block for block in self._blocks() if isinstance(block, Group)}

    @property
    def targets(self) -> dict[str, Target]:
        """Targets by name, in file order."""
        return {block.name: block for block in self._blocks() if isinstance(block, Target)}


def _check_uses(target: Target, types: Mapping[str, VariableType]) -> None:
    """Hold every variable that a target names against its declaration."""
    uses: list[Use] = []
    for name, value in target.attributes.items():
        checked(value, ATTRIBUTES[name], f'target "{target.name}", {name}', uses)
    own = target.attributes.get("matrix", {})  # the keys of a matrix are variables of its target
    for where, name, fitting, _ in uses:
        if isinstance(own, Mapping) and name in own:
            continue
        if name not in types:
            raise ValueError(f"{where}: no variable {name!r} is declared")
        if types[name] not in fitting:
            raise ValueError(f"{where}: the variable {name!r} is a {types[name]}, which does not fit here")


def _check_target_name(name: str, kind: str) -> None:
    if not _TARGET_NAME.fullmatch(name):
        hint = "a name has letters, digits, `_` and `-` only"
        raise ConfigError(f"{name!r} cannot name a bake {kind}", hint=hint)


def _strings(strings: Iterable[str], what: str) -> tuple[str, ...]:
    """`strings` as a tuple; a lone string is a forgotten comma."""
    if isinstance(strings, str):
        raise TypeError(f"{what}: a tuple of strings, not the string {strings!r}")
    return tuple(strings)
