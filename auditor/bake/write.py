"""A bake file model as HCL text, byte for byte what `hclfmt` leaves alone.

The layout follows HashiCorp's formatter (hcl/v2, hclwrite/format.go): two spaces of indentation; the `=` of
neighbouring one-line attributes stand in one column; a value over several lines, a comment and a blank line each end
such a run. Strings are escaped as hclwrite/generate.go does, which is what makes every string safe: nothing but this
module's own quotes can end one.

What the formatter leaves open is house style: attributes in the order of `reference.ATTRIBUTES`; lists and maps of at
most one element on one line, others one element a line; commas after list elements, none between an object's lines; a
line for every object of a list; sections and blocks apart by one blank line.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from auditor.bake.lint import refuse_shared_cache_refs
from auditor.bake.model import Group, Target, Variable
from auditor.bake.reference import ATTRIBUTES
from auditor.bake.value import RESERVED_WORDS, Compare, Conditional, Template, Value, Var

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.bake.model import BakeFile, Block

_WIDTH = 120
_INDENT = "  "
_BARE_KEY = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]*")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
# hclfmt measures a key in grapheme clusters, whose rules change with every Unicode version. Below this code point every
# printable character is a cluster of its own; those above are escaped in keys, so that the width is the length.
_LAST_PLAIN = 0x2FF
_LAST_SHORT = 0xFFFF
_OPENER = re.compile(r"[$%](?=\{)")
_NO_NOTES: Mapping[str, Sequence[str]] = MappingProxyType({})

# Comment lines above, key, and the value's lines as `_value` makes them.
_Item: TypeAlias = tuple[Sequence[str], str, list[str]]


def render(bake: BakeFile) -> str:
    """The file's text, with a newline at its end; the same model gives the same bytes.

    Raises:
        ConfigError: two targets write one cache ref, so that each would replace what the other kept.
    """
    refuse_shared_cache_refs(bake)
    paragraphs = [_comment(bake.header)]
    for section in bake.sections:
        paragraphs.append(_comment(section.comment))
        paragraphs.extend(_block(block) for block in section.blocks)
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines) + "\n"


def _comment(lines: Iterable[str], indent: str = "") -> list[str]:
    """Comment lines. A line break in the text starts a further comment line; whatever cannot be seen is spelt out."""
    shown = []
    for line in lines:
        for part in line.expandtabs(4).splitlines() or [""]:
            visible = "".join(char if char.isprintable() else _code_point(char) for char in part)
            shown.append(f"{indent}# {visible}".rstrip())
    return shown


def _block(block: Block) -> list[str]:
    """A block with the comment above it."""
    items: list[_Item]
    match block:
        case Variable(name=name):
            opening = f'variable "{name}" {{'
            items = [((), "type", [block.type.value])]
            items += _items({"default": block.default, "description": block.description}, _INDENT)
        case Group(name=name):
            opening = f'group "{name}" {{'
            items = _items({"description": block.description, "targets": block.targets}, _INDENT)
        case Target(name=name, attributes=attributes):
            opening = f'target "{name}" {{'
            ordered = {key: attributes[key] for key in ATTRIBUTES if key in attributes}
            items = _items(ordered, _INDENT, block.notes)
    return [*_comment(block.comment), opening, *_assignments(items, _INDENT), "}"]


def _items(values: Mapping[str, Value], indent: str, notes: Mapping[str, Sequence[str]] = _NO_NOTES) -> list[_Item]:
    keys = [(name, _key(name), value) for name, value in values.items()]
    return [(_comment(notes.get(name, ()), indent), key, _value(value, key, indent)) for name, key, value in keys]


def _assignments(items: Iterable[_Item], indent: str) -> list[str]:
    """`key = value` lines, the `=` of neighbouring one-line values in one column."""
    lines: list[str] = []
    run: list[tuple[str, str]] = []
    for comment, key, value in items:
        if comment or len(value) > 1:
            lines += _aligned(run, indent)
            run = []
        lines += comment
        if len(value) == 1:
            run.append((key, value[0]))
        else:
            lines += [f"{indent}{key} = {value[0]}", *value[1:]]
    return lines + _aligned(run, indent)


def _aligned(run: Sequence[tuple[str, str]], indent: str) -> list[str]:
    width = max((len(key) for key, _ in run), default=0)
    return [f"{indent}{key:<{width}} = {value}" for key, value in run]


def _value(value: Value, key: str, indent: str) -> list[str]:
    """A value after `key =`: the first line without its indentation, the others with theirs."""
    line = _inline(value)
    wide = len(f"{indent}{key} = {line}") > _WIDTH
    inner = indent + _INDENT
    match value:
        case tuple() if len(value) > 1 or (wide and value):
            return ["[", *(f"{inner}{_inline(item)}," for item in value), f"{indent}]"]
        case Mapping() if len(value) > 1 or (wide and value):
            return ["{", *_assignments(_items(value, inner), inner), f"{indent}}}"]
        case Conditional(test, tuple() as then, otherwise) if wide and then:
            # The other arm stays on the line of the bracket: the formatter would indent a second list wrongly.
            items = [f"{inner}{_inline(item)}," for item in then]
            return [f"{_test(test)} ? [", *items, f"{indent}] : {_arm(otherwise)}"]
        case _:
            return [line]


def _inline(value: Value) -> str:
    """A value on one line."""
    match value:
        case bool() | int():
            text = str(value).lower()
        case str():
            text = f'"{_escaped(value)}"'
        case Var(name):
            text = name
        case Template(parts):
            text = _template(parts)
        case Conditional(test, then, otherwise):
            text = f"{_test(test)} ? {_arm(then)} : {_arm(otherwise)}"
        case Mapping():
            inside = ", ".join(f"{_key(name)} = {_inline(item)}" for name, item in value.items())
            text = f"{{ {inside} }}" if inside else "{}"
        case Sequence():
            text = f"[{', '.join(map(_inline, value))}]"
    return text


def _test(test: Var | Compare) -> str:
    return f"{test.variable.name} {test.operator} {_inline(test.literal)}" if isinstance(test, Compare) else test.name


def _arm(value: Value) -> str:
    return f"({_inline(value)})" if isinstance(value, Conditional) else _inline(value)


def _key(name: str) -> str:
    """A key of an object, bare where that can mean nothing else."""
    if _BARE_KEY.fullmatch(name) and name not in RESERVED_WORDS:
        return name
    return f'"{_escaped(name, _LAST_PLAIN)}"'


def _template(parts: Sequence[str | Var]) -> str:
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += _escaped(part)
        else:
            # A `$` of the text before `${` would make it `$${`, which is text.
            text = f"{text[:-1]}\\u0024" if text.endswith("$") else text
            text += f"${{{part.name}}}"
    return f'"{text}"'


def _escaped(text: str, last_plain: int = sys.maxunicode) -> str:
    """The inside of a quoted string. What is printable is Unicode's word, of the version that this Python carries."""
    shown = []
    for char in text:
        if char in _ESCAPES:
            shown.append(_ESCAPES[char])
        elif char.isprintable() and ord(char) <= last_plain:
            shown.append(char)
        else:
            shown.append(_code_point(char))
    return _OPENER.sub(r"\g<0>\g<0>", "".join(shown))


def _code_point(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= _LAST_SHORT else f"\\U{ord(char):08x}"
