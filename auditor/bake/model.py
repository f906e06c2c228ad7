"""The bake file as values: what `docker buildx bake` reads, without a character of HCL in it.

Every value is structured (a literal, a reference, a template, a choice), so that no string can end its own quotes and
become code: quoting is the writer's, `auditor.bake.write`, and happens in one place. Building a model holds it against
`auditor.bake.reference`.

Two kinds of refusal: `ConfigError` for what a configuration can reach (a name, a mode), `ValueError` and `TypeError`
for what only code can get wrong (an unknown attribute, a list or None where a string belongs, a variable that is not
declared). There is no null: bake rejects it in `cache-to`, and in `args` it removes nothing.

bake puts every string into Unicode normalisation form C when it reads the file; the model keeps what it is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from auditor.bake.reference import (
    ATTRIBUTES,
    FLAG,
    NUMBER,
    TEXT,
    TEXTS,
    Keys,
    ListOf,
    MapOf,
    ObjectOf,
    OneOf,
    Scalar,
    Shape,
)
from auditor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TARGET_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_VARIABLE_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

# Words with a meaning in HCL expressions. The language allows most of them as names somewhere; a reader should not have
# to know where.
RESERVED_WORDS = frozenset({"true", "false", "null", "for", "for_each", "in", "if", "else", "endif", "endfor"})


class VariableType(StrEnum):
    """The types of a bake variable, as HCL spells them. Typed variables need buildx 0.24."""

    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"
    STRINGS = "list(string)"


_SCALARS = frozenset({VariableType.STRING, VariableType.NUMBER, VariableType.BOOL})
_SHAPES: Mapping[VariableType, Shape] = {
    VariableType.STRING: TEXT,
    VariableType.NUMBER: NUMBER,
    VariableType.BOOL: FLAG,
    VariableType.STRINGS: TEXTS,
}

# Variables that bake sets itself.
_BUILTIN = {"BAKE_CMD_CONTEXT": VariableType.STRING, "BAKE_LOCAL_PLATFORM": VariableType.STRING}


@dataclass(frozen=True, slots=True)
class Var:
    """A reference to a variable: `CACHE_REPO`."""

    name: str

    def __post_init__(self) -> None:
        _check_variable_name(self.name)


@dataclass(frozen=True, slots=True)
class Compare:
    """A string variable held against a literal: `WHEELS_FROM != ""`."""

    variable: Var
    operator: Literal["==", "!="]
    literal: str

    def __post_init__(self) -> None:
        if self.operator not in {"==", "!="}:
            raise ValueError(f"a comparison is == or !=, not {self.operator!r}")
        _text(self.literal, "the literal of a comparison")


@dataclass(frozen=True, slots=True)
class Template:
    """Text with references in it: `Template((Var("CACHE_REPO"), ":dev"))` is `"${CACHE_REPO}:dev"`.

    Attributes:
        parts: literal strings and references; neighbouring strings are joined and empty ones dropped.
    """

    parts: tuple[str | Var, ...]

    def __post_init__(self) -> None:
        parts: list[str | Var] = []
        for part in self.parts:
            last = parts[-1] if parts else None
            if isinstance(part, str) and isinstance(last, str):
                parts[-1] = last + _text(part, "a part of a template")
            elif isinstance(part, Var) or _text(part, "a part of a template"):
                parts.append(part)
        object.__setattr__(self, "parts", tuple(parts))


@dataclass(frozen=True, slots=True)
class Conditional:
    """A choice: `CACHE_WRITE ? [...] : []`. Both arms have the shape that the attribute asks for."""

    test: Var | Compare
    then: Value
    otherwise: Value


Value: TypeAlias = "str | bool | int | Var | Template | Conditional | Sequence[Value] | Mapping[str, Value]"


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
        _check_variable_name(self.name)
        where = f'variable "{self.name}"'
        uses: list[_Use] = []
        object.__setattr__(self, "default", _checked(self.default, _SHAPES[self.type], f"{where}, default", uses))
        if uses:
            raise TypeError(f"{where}, default: a literal is needed")
        _text(self.description, f"{where}, description")
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
        _text(self.description, f'group "{self.name}", description')
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
        checked = {}
        for name, value in self.attributes.items():
            where = f'target "{self.name}", {name}'
            if name not in ATTRIBUTES:
                raise ValueError(f"{where}: bake has no such attribute and would ignore it")
            checked[name] = _checked(value, ATTRIBUTES[name], where, [])
        if stray := set(self.notes) - set(checked):
            raise ValueError(f'target "{self.name}": notes on attributes that it does not set: {sorted(stray)}')
        object.__setattr__(self, "attributes", MappingProxyType(checked))
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


class _Use(NamedTuple):
    """A variable that a value refers to: where, its name, and the types that fit there."""

    where: str
    name: str
    fitting: frozenset[VariableType]
    is_part: bool = False

    def in_choice(self) -> _Use:
        """The same in an arm of a choice: HCL wants both arms of one type, so a whole string has to be a string."""
        is_string = self.fitting == _SCALARS and not self.is_part
        return self._replace(fitting=frozenset({VariableType.STRING})) if is_string else self


def _checked(value: Value, shape: Shape, where: str, uses: list[_Use]) -> Value:
    """`value` as read-only data if it has the shape; the variables it names are added to `uses`."""
    match value:
        case Conditional(test=test):
            variable = test.variable if isinstance(test, Compare) else test
            wanted = VariableType.STRING if isinstance(test, Compare) else VariableType.BOOL
            uses.append(_Use(where, variable.name, frozenset({wanted})))
            arms: list[_Use] = []
            then = _checked(value.then, shape, where, arms)
            otherwise = _checked(value.otherwise, shape, where, arms)
            uses.extend(use.in_choice() for use in arms)
            return Conditional(test, then, otherwise)
        case Var():
            uses.append(_Use(where, value.name, _fitting(shape)))
            return value
        case Template(parts=() | (_,)):  # a template of one part is that part
            return _checked(value.parts[0] if value.parts else "", shape, where, uses)
        case Template(parts) if _fitting(shape) is _SCALARS:
            uses.extend(_Use(where, part.name, _SCALARS, is_part=True) for part in parts if isinstance(part, Var))
            return value
        case _:
            return _literal(value, shape, where, uses)


def _literal(value: Value, shape: Shape, where: str, uses: list[_Use]) -> Value:
    """`value` where it is no reference itself; lists become tuples, objects read-only mappings."""
    checked: Value
    match shape, value:
        case OneOf(values), str() if value not in values:
            raise ConfigError(f"{where}: {value!r} is not {shape}")
        case Scalar.TEXT | OneOf(), str():
            checked = _text(value, where)
        case (Scalar.FLAG, bool()) | (Scalar.NUMBER, int()) if isinstance(value, bool) is (shape is FLAG):
            checked = value
        case ListOf(item), list() | tuple():
            checked = tuple(_checked(each, item, f"{where}[{index}]", uses) for index, each in enumerate(value))
        case MapOf(item), Mapping():
            checked = _object(value, dict.fromkeys(value, item), where, uses)
        case ObjectOf(), Mapping():
            checked = _object(value, _keys(value, shape, where), where, uses)
        case _:
            raise TypeError(f"{where} is {shape}, not {type(value).__name__}")
    return checked


def _fitting(shape: Shape) -> frozenset[VariableType]:
    """Which types of variables may stand for a whole value of the shape."""
    if isinstance(shape, OneOf) or shape is TEXT:
        return _SCALARS
    return frozenset(kind for kind, known in _SHAPES.items() if known == shape)


def _keys(value: Mapping[str, Value], shape: ObjectOf, where: str) -> Keys:
    """Which keys an object may have, by its own `type`."""
    kind = value.get("type", "")
    if not isinstance(kind, str) or kind not in shape.types:
        known = OneOf(tuple(filter(None, shape.types)))
        raise ConfigError(f"{where}: type {kind!r} is not {known}" if kind else f"{where}: no type, {known}")
    required = shape.required.get(kind)
    if required is not None and required not in value:
        raise ValueError(f"{where} has no {required}")
    return {"type": TEXT, **shape.types[kind]}


def _object(value: Mapping[str, Value], keys: Keys, where: str, uses: list[_Use]) -> Value:
    checked = {}
    for key, each in value.items():
        if key not in keys:
            raise ValueError(f"{where}: bake knows no key {key!r} here and would ignore it")
        checked[_text(key, where)] = _checked(each, keys[key], f"{where}.{key}", uses)
    return MappingProxyType(checked)


def _check_uses(target: Target, types: Mapping[str, VariableType]) -> None:
    """Hold every variable that a target names against its declaration."""
    uses: list[_Use] = []
    for name, value in target.attributes.items():
        _checked(value, ATTRIBUTES[name], f'target "{target.name}", {name}', uses)
    own = target.attributes.get("matrix", {})  # the keys of a matrix are variables of its target
    for where, name, fitting, _ in uses:
        if isinstance(own, Mapping) and name in own:
            continue
        if name not in types:
            raise ValueError(f"{where}: no variable {name!r} is declared")
        if types[name] not in fitting:
            raise ValueError(f"{where}: the variable {name!r} is a {types[name]}, which does not fit here")


def _text(text: str, where: str) -> str:
    """`text` if UTF-8 can carry it: a lone surrogate, from a path that is not UTF-8, has no place in the file."""
    if not isinstance(text, str):
        raise TypeError(f"{where} is a string, not {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{where}: {text!r} is not Unicode text") from None
    return text


def _check_target_name(name: str, kind: str) -> None:
    if not _TARGET_NAME.fullmatch(name):
        hint = "a name has letters, digits, `_` and `-` only"
        raise ConfigError(f"{name!r} cannot name a bake {kind}", hint=hint)


def _check_variable_name(name: str) -> None:
    if not _VARIABLE_NAME.fullmatch(name) or name in RESERVED_WORDS:
        hint = "a name has letters, digits and `_` only, does not start with a digit and is no word of the language"
        raise ConfigError(f"{name!r} cannot name a bake variable", hint=hint)


def _strings(strings: Iterable[str], what: str) -> tuple[str, ...]:
    """`strings` as a tuple; a lone string is a forgotten comma."""
    if isinstance(strings, str):
        raise TypeError(f"{what}: a tuple of strings, not the string {strings!r}")
    return tuple(strings)
