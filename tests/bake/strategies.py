"""Random bake file models, and what bake must make of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from auditor.bake.lint import shared_cache_refs
from auditor.bake.model import BakeFile, Group, Section, Target, Variable
from auditor.bake.reference import (
    ATTRIBUTES,
    FLAG,
    NUMBER,
    TEXT,
    TEXTS,
    ListOf,
    MapOf,
    ObjectOf,
    OneOf,
    Scalar,
    Shape,
)
from auditor.bake.value import Compare, Conditional, Template, Value, Var, VariableType

# What breaks a careless writer: openers of templates, quotes, escapes, comments, heredocs, characters of no width.
_NASTY = (
    *("${", "%{", "$${", "%%{", "$", "%", "{", "}", '"', "\\", "\\n", "\n", "\r\n", "\t", "\0", "\x1b", "\x7f"),
    *(
        "#",
        "//",
        "/*",
        "*/",
        "<<EOF\n",
        "${S}",
        '"\n}\ntarget "evil" {',
        "e\u0301",
        "\u00e9",
        "\u65e5\u672c",
        "\U0001f600",
    ),
    *(
        "\U0001f469\u200d\U0001f4bb",
        "\ufe0f",
        "\u202e",
        "\u2028",
        "\x85",
        "\u00ad",
        "\ufeff",
        "\U000e0041",
        "true",
        "= 1",
    ),
)
_CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXTS_OF_ALL_KINDS = st.lists(st.sampled_from(_NASTY) | st.text(_CHARACTERS, max_size=4), max_size=5).map("".join)
TARGET_NAMES = st.text("abcXYZ019_-", min_size=1, max_size=12)
_KEYS = TEXTS_OF_ALL_KINDS | st.sampled_from(
    ["CUDA_VERSION", "wheel-prod", "org.example.title", "for", "null", "9", "-"]
)

_SCALARS = st.sampled_from([Var("S"), Var("N"), Var("B")])
_TEMPLATES = (
    st.lists(TEXTS_OF_ALL_KINDS | _SCALARS, max_size=4)
    .map(lambda parts: Template(tuple(parts)))
    .filter(lambda template: len(template.parts) != 1)
)
_TESTS = st.just(Var("B")) | st.builds(
    Compare, st.just(Var("S")), st.sampled_from(["==", "!="]), st.just("") | TEXTS_OF_ALL_KINDS
)


_SCALAR_LITERALS: dict[Scalar, st.SearchStrategy[Any]] = {
    FLAG: st.booleans(),
    NUMBER: st.integers(-9, 10**12),
    TEXT: TEXTS_OF_ALL_KINDS,
}


def nfc(text: str) -> str:
    """A string as bake has it."""
    return unicodedata.normalize("NFC", text)


@st.composite
def variables(draw: st.DrawFn) -> list[Variable]:
    """One variable of each type."""
    kinds: list[tuple[str, VariableType, Any]] = [
        ("S", VariableType.STRING, draw(TEXTS_OF_ALL_KINDS)),
        ("N", VariableType.NUMBER, draw(st.integers(-9, 10**12))),
        ("B", VariableType.BOOL, draw(st.booleans())),
        ("L", VariableType.STRINGS, tuple(draw(st.lists(TEXTS_OF_ALL_KINDS, max_size=3)))),
    ]
    return [
        Variable(name=name, type=kind, default=default, description=draw(TEXTS_OF_ALL_KINDS), comment=draw(comments()))
        for name, kind, default in kinds
    ]


def comments() -> st.SearchStrategy[tuple[str, ...]]:
    """Mostly no lines, or a few that try to leave the comment."""
    return st.just(()) | st.lists(TEXTS_OF_ALL_KINDS, max_size=2).map(tuple)


@st.composite
def values(draw: st.DrawFn, shape: Shape, depth: int = 2, *, in_choice: bool = False) -> Any:  # noqa: ANN401
    """A value of a shape: a literal, a reference or a choice, choices at most `depth` deep."""
    way = draw(st.integers(0, 5))
    if way == 0 and depth:
        arm = values(shape, depth - 1, in_choice=True)
        return Conditional(draw(_TESTS), draw(arm), draw(arm))
    if way == 1 and (references := _references(shape, in_choice=in_choice)) is not None:
        return draw(references)
    return draw(_literals(shape, depth, in_choice=in_choice))


@st.composite
def _literals(draw: st.DrawFn, shape: Shape, depth: int, *, in_choice: bool) -> Any:  # noqa: ANN401
    """A value of a shape that is no reference itself."""
    result: Any
    match shape:
        case OneOf(allowed):
            result = draw(st.sampled_from(allowed))
        case ListOf(item):
            result = tuple(draw(st.lists(values(item, depth, in_choice=in_choice), max_size=3)))
        case MapOf(item):
            result = draw(st.dictionaries(_KEYS, values(item, depth, in_choice=in_choice), max_size=3))
        case ObjectOf():
            kind = draw(st.sampled_from(sorted(shape.types)))
            known = shape.types[kind]
            some = draw(st.lists(st.sampled_from(sorted(known)), max_size=4)) if known else []
            keys = dict.fromkeys([key for key in (shape.required.get(kind), *some) if key is not None])
            items = {key: draw(values(known[key], depth, in_choice=in_choice)) for key in keys}
            result = {"type": kind, **items} if kind else items
        case _:
            result = draw(_SCALAR_LITERALS[shape])
    return result


def _references(shape: Shape, *, in_choice: bool) -> st.SearchStrategy[Any] | None:
    scalars = st.just(Var("S")) if in_choice else _SCALARS
    if isinstance(shape, OneOf):
        return scalars
    if shape == TEXTS:
        return st.just(Var("L"))
    known = {FLAG: st.just(Var("B")), NUMBER: st.just(Var("N")), TEXT: scalars | _TEMPLATES}
    return known.get(shape) if isinstance(shape, Scalar) else None


@st.composite
def bake_files(draw: st.DrawFn, attributes: Mapping[str, Shape] = ATTRIBUTES, *, most_targets: int = 3) -> BakeFile:
    """Files with a variable of each type, a group and targets, with all attributes of the reference or those given."""
    names = draw(st.lists(TARGET_NAMES, min_size=1, max_size=most_targets, unique=True))
    targets = []
    for name in names:
        some = draw(st.lists(st.sampled_from(sorted(attributes)), min_size=1, max_size=6, unique=True))
        set_to = {attribute: draw(values(attributes[attribute])) for attribute in some}
        notes = draw(st.dictionaries(st.sampled_from(some), comments(), max_size=2))
        targets.append(Target(name=name, attributes=set_to, comment=draw(comments()), notes=notes))
    group = Group(name="all-of-them", targets=tuple(names), description=draw(TEXTS_OF_ALL_KINDS))
    sections = [
        Section(blocks=tuple(draw(variables())), comment=draw(comments())),
        Section(blocks=(group, *targets), comment=draw(comments())),
    ]
    return BakeFile(header=draw(comments()), sections=tuple(sections))


def writable(bake: BakeFile) -> bool:
    """Whether no two targets happen to write one cache."""
    return not list(shared_cache_refs(bake))


def evaluated(value: Value, bake: BakeFile) -> Any:  # noqa: ANN401 - JSON
    """What bake must make of a value when nothing overrides a variable."""
    result: Any = value
    match value:
        case str():
            result = nfc(value)
        case Var(name):
            result = evaluated(bake.variables[name].default, bake)
        case Template(parts):
            result = nfc("".join(as_text(evaluated(part, bake)) for part in parts))
        case Conditional(test, then, otherwise):
            result = evaluated(then if _holds(test, bake) else otherwise, bake)
        case Mapping():
            result = {nfc(key): evaluated(item, bake) for key, item in value.items()}
        case tuple():
            result = [evaluated(item, bake) for item in value]
    return result


def _holds(test: Var | Compare, bake: BakeFile) -> bool:
    if isinstance(test, Var):
        return bool(evaluated(test, bake))
    return bool(evaluated(test.variable, bake) == nfc(test.literal)) is (test.operator == "==")


def as_text(value: object) -> str:
    """A scalar as bake puts it into a string."""
    return str(value).lower() if isinstance(value, bool) else str(value)
