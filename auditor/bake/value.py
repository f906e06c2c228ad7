"""What stands behind an attribute of a bake file: literals, references, templates and choices.

Every value is structured, so that no string can end its own quotes and become code: quoting is the writer's,
`auditor.bake.write`, and happens in one place. `checked` holds a value against the shape that an attribute asks for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from auditor.bake.reference import FLAG, NUMBER, TEXT, TEXTS, Keys, ListOf, MapOf, ObjectOf, OneOf, Scalar, Shape
from auditor.errors import ConfigError

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
SHAPES: Mapping[VariableType, Shape] = {
    VariableType.STRING: TEXT,
    VariableType.NUMBER: NUMBER,
    VariableType.BOOL: FLAG,
    VariableType.STRINGS: TEXTS,
}


@dataclass(frozen=True, slots=True)
class Var:
    """A reference to a variable: `CACHE_REPO`."""

    name: str

    def __post_init__(self) -> None:
        check_variable_name(self.name)


@dataclass(frozen=True, slots=True)
class Compare:
    """A string variable held against a literal: `WHEELS_FROM != ""`."""

    variable: Var
    operator: Literal["==", "!="]
    literal: str

    def __post_init__(self) -> None:
        if self.operator not in {"==", "!="}:
            raise ValueError(f"a comparison is == or !=, not {self.operator!r}")
        checked_text(self.literal, "the literal of a comparison")


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
                parts[-1] = last + checked_text(part, "a part of a template")
            elif isinstance(part, Var) or checked_text(part, "a part of a template"):
                parts.append(part)
        object.__setattr__(self, "parts", tuple(parts))


@dataclass(frozen=True, slots=True)
class Conditional:
    """A choice: `CACHE_WRITE ? [...] : []`. Both arms have the shape that the attribute asks for."""

    test: Var | Compare
    then: Value
    otherwise: Value


Value: TypeAlias = "str | bool | int | Var | Template | Conditional | Sequence[Value] | Mapping[str, Value]"


class Use(NamedTuple):
    """A variable that a value refers to: where, its name, and the types that fit there."""

    where: str
    name: str
    fitting: frozenset[VariableType]
    is_part: bool = False

    def in_choice(self) -> Use:
        """The same in an arm of a choice: HCL wants both arms of one type, so a whole string has to be a string."""
        is_string = self.fitting == _SCALARS and not self.is_part
        return self._replace(fitting=frozenset({VariableType.STRING})) if is_string else self


def checked(value: Value, shape: Shape, where: str, uses: list[Use]) -> Value:
    """`value` as read-only data if it has the shape; the variables it names are added to `uses`.

    Raises:
        ConfigError: a value that an enumeration does not have, or text that is no Unicode.
        ValueError: a key that bake does not know, or one that is missing.
        TypeError: a value of another shape.
    """
    match value:
        case Conditional(test=test):
            variable = test.variable if isinstance(test, Compare) else test
            wanted = VariableType.STRING if isinstance(test, Compare) else VariableType.BOOL
            uses.append(Use(where, variable.name, frozenset({wanted})))
            arms: list[Use] = []
            then = checked(value.then, shape, where, arms)
            otherwise = checked(value.otherwise, shape, where, arms)
            uses.extend(use.in_choice() for use in arms)
            return Conditional(test, then, otherwise)
        case Var():
            uses.append(Use(where, value.name, _fitting(shape)))
            return value
        case Template(parts=() | (_,)):  # a template of one part is that part
            return checked(value.parts[0] if value.parts else "", shape, where, uses)
        case Template(parts) if _fitting(shape) is _SCALARS:
            uses.extend(Use(where, part.name, _SCALARS, is_part=True) for part in parts if isinstance(part, Var))
            return value
        case _:
            return _literal(value, shape, where, uses)


def _literal(value: Value, shape: Shape, where: str, uses: list[Use]) -> Value:
    """`value` where it is no reference itself; lists become tuples, objects read-only mappings."""
    found: Value
    match shape, value:
        case OneOf(values), str() if value not in values:
            raise ConfigError(f"{where}: {value!r} is not {shape}")
        case Scalar.TEXT | OneOf(), str():
            found = checked_text(value, where)
        case (Scalar.FLAG, bool()) | (Scalar.NUMBER, int()) if isinstance(value, bool) is (shape is FLAG):
            found = value
        case ListOf(item), list() | tuple():
            found = tuple(checked(each, item, f"{where}[{index}]", uses) for index, each in enumerate(value))
        case MapOf(item), Mapping():
            found = _object(value, dict.fromkeys(value, item), where, uses)
        case ObjectOf(), Mapping():
            found = _object(value, _keys(value, shape, where), where, uses)
        case _:
            raise TypeError(f"{where} is {shape}, not {type(value).__name__}")
    return found


def _fitting(shape: Shape) -> frozenset[VariableType]:
    """Which types of variables may stand for a whole value of the shape."""
    if isinstance(shape, OneOf) or shape is TEXT:
        return _SCALARS
    return frozenset(kind for kind, known in SHAPES.items() if known == shape)


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


def _object(value: Mapping[str, Value], keys: Keys, where: str, uses: list[Use]) -> Value:
    found = {}
    for key, each in value.items():
        if key not in keys:
            raise ValueError(f"{where}: bake knows no key {key!r} here and would ignore it")
        found[checked_text(key, where)] = checked(each, keys[key], f"{where}.{key}", uses)
    return MappingProxyType(found)


def checked_text(text: str, where: str) -> str:
    """`text` if UTF-8 can carry it: a lone surrogate, from a path that is not UTF-8, has no place in the file."""
    if not isinstance(text, str):
        raise TypeError(f"{where} is a string, not {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{where}: {text!r} is not Unicode text") from None
    return text


def check_variable_name(name: str) -> None:
    """Raise `ConfigError` for what cannot name a variable everywhere."""
    if not _VARIABLE_NAME.fullmatch(name) or name in RESERVED_WORDS:
        hint = "a name has letters, digits and `_` only, does not start with a digit and is no word of the language"
        raise ConfigError(f"{name!r} cannot name a bake variable", hint=hint)
