"""A bake file on disk as plain values, each with its line: what lint rules see of a file that somebody else wrote.

python-hcl2 does the parsing; this module turns its tree into values. Literals become Python values; heredocs and
whatever needs bake to evaluate it stay text (`Expression`). Strings are in Unicode normalisation form C, as bake has
them.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from auditor.errors import InputError
from auditor.source import hide_logins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lark import Token, Tree
    from lark.exceptions import UnexpectedInput

    from auditor.source import SourceFile

# python-hcl2 8.1 takes `$${` for the start of something that ends at the next `}`, wherever that is. So it gets other
# characters in the place of the escape, as many, and the text is taken from the file itself.
_ESCAPED_OPENER = re.compile(r"\$\$\{|%%\{")
_PLACEHOLDER = "\ue000" * 3

_ESCAPE = re.compile(r"\$\$\{|%%\{|\\(?:u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|.)", re.DOTALL)
_SURROGATES = range(0xD800, 0xE000)
_LITERALS = {"true": True, "false": False, "null": None}
_SIMPLE_ESCAPES = {'\\"': '"', "\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t", "$${": "${", "%%{": "%{"}
_LONGEST = 262_144  # characters
_LONGEST_NUMBER = 40  # digits; what is longer stays text
_HINT = "`docker buildx bake --print` shows how bake itself reads the file"


@dataclass(frozen=True, slots=True)
class Expression:
    """HCL that only bake can evaluate, as it stands in the file: `"${CACHE_REPO}:dev"`, `CACHE_WRITE ? [] : []`."""

    text: str


BakeValue: TypeAlias = "str | bool | int | float | Expression | tuple[BakeValue, ...] | Mapping[str, BakeValue] | None"


@dataclass(frozen=True, slots=True)
class BakeAttribute:
    """`name = value`, with its 1-based line."""

    name: str
    value: BakeValue
    line: int


@dataclass(frozen=True, slots=True)
class BakeBlock:
    """A block, with the 1-based line it starts on.

    Attributes:
        kind: `target`, `group`, `variable`, `function`, or what a later bake brings.
        name: the label; empty without one.
        attributes: name -> attribute, in file order.
        blocks: the blocks inside, such as a variable's `validation`.
        line: of the block's first word.
    """

    kind: str
    name: str
    attributes: Mapping[str, BakeAttribute]
    blocks: tuple[BakeBlock, ...]
    line: int

    def value(self, name: str) -> BakeValue:
        """The value of an attribute, None where it is missing or null."""
        return self.attributes[name].value if name in self.attributes else None


@dataclass(frozen=True, slots=True)
class BakeDocument:
    """A whole file.

    Attributes:
        name: the file as messages write it.
        attributes: top-level `name = value`, which bake takes for constants.
        blocks: in file order; blocks of one kind and name may repeat, bake merges them.
    """

    name: str
    attributes: Mapping[str, BakeAttribute]
    blocks: tuple[BakeBlock, ...]

    def of_kind(self, kind: str) -> tuple[BakeBlock, ...]:
        """The blocks of one kind, in file order."""
        return tuple(block for block in self.blocks if block.kind == kind)


def read_bake(source: SourceFile) -> BakeDocument:
    """Read an HCL bake file.

    Raises:
        InputError: not HCL, an attribute set twice in one block, or a string escape that HCL does not have; with the
            line.
    """
    if len(source.text) > _LONGEST:
        message = f"this bake file has more than {_LONGEST} characters, which take minutes to read"
        raise InputError(message, path=source.name, hint="move what is generated into a file of its own")
    import hcl2  # noqa: PLC0415 - 90 ms, which commands that read no bake file must not pay
    from lark.exceptions import UnexpectedInput  # noqa: PLC0415

    try:
        tree = hcl2.parses_to_tree(_ESCAPED_OPENER.sub(_PLACEHOLDER, source.text))
        attributes, blocks = _body(_branches(tree)[0], source)
    except UnexpectedInput as error:
        raise _syntax_error(error, source) from None
    except RecursionError:
        raise InputError("this bake file nests its values too deeply to be read", path=source.name) from None
    return BakeDocument(source.name, attributes, blocks)


def _syntax_error(error: UnexpectedInput, source: SourceFile) -> InputError:
    line, column = max(error.line, 1), max(error.column, 1)
    last = max(len(source.lines), 1)
    if line > last:  # the parser sees a line end after the last one
        line, column = last, len(source.line(last)) + 1
    rest = source.line(line)[column - 1 :].split(maxsplit=1)
    problem = f"{hide_logins(rest[0])[:40]!r} has no place here" if rest else "the line or the file ends too early"
    return InputError(f"not a bake file: {problem}", path=source.name, line=line, column=column, hint=_HINT)


def _body(body: Tree[Token], source: SourceFile) -> tuple[Mapping[str, BakeAttribute], tuple[BakeBlock, ...]]:
    """The attributes and the blocks of a file or of a block."""
    attributes: dict[str, BakeAttribute] = {}
    blocks = []
    for item in _branches(body):
        if item.data == "block":
            blocks.append(_block(item, source))
            continue
        name, value = _branches(item)
        attribute = BakeAttribute(_text(name, source), _value(value, source), item.meta.line)
        if attribute.name in attributes:
            first = attributes[attribute.name].line
            message = f"{attribute.name!r} is set a second time in one block, first on line {first}"
            raise InputError(message, path=source.name, line=attribute.line, hint="remove one of the two lines")
        attributes[attribute.name] = attribute
    return MappingProxyType(attributes), tuple(blocks)


def _block(block: Tree[Token], source: SourceFile) -> BakeBlock:
    kind, *labels, body = _branches(block)
    name = _text(labels[0], source).strip('"') if labels else ""  # a label is a name: nothing to unescape
    attributes, blocks = _body(body, source)
    return BakeBlock(_text(kind, source), name, attributes, blocks, block.meta.line)


def _branches(tree: Tree[Token]) -> list[Tree[Token]]:
    """The parts of a tree that mean something: no punctuation, no line ends, no comments."""
    return [each for each in tree.children if not isinstance(each, str) and each.data != "new_line_or_comment"]


def _text(tree: Tree[Token], source: SourceFile) -> str:
    return source.text[tree.meta.start_pos : tree.meta.end_pos].strip()


def _value(tree: Tree[Token], source: SourceFile) -> BakeValue:
    """A literal as a Python value, anything else as text."""
    text = _text(tree, source)
    parts = _branches(tree)
    value: BakeValue = Expression(text)
    match tree.data:
        case "expr_term" if len(parts) == 1:  # with or without parentheses
            value = _value(parts[0], source)
        case "string" if not any(_branches(part) for part in parts):
            value = _unquoted(text[1:-1], tree.meta.line, source)
        case "int_lit":
            value = int(text) if len(text) < _LONGEST_NUMBER else value
        case "float_lit":
            value = float(text)
        case "unary_op" if text.startswith("-"):
            number = _value(parts[0], source)
            value = -number if isinstance(number, (int, float)) and not isinstance(number, bool) else value
        case "literal_value":
            value = _LITERALS[text]
        case "tuple":
            value = tuple(_value(part, source) for part in parts)
        case "object":
            members = [(_object_key(part, source), _value(_branches(part)[1], source)) for part in parts]
            known = {key: each for key, each in members if key is not None}
            value = MappingProxyType(known) if all(key is not None for key, _ in members) else value
    return value


def _object_key(member: Tree[Token], source: SourceFile) -> str | None:
    """The key of an object's member; None where bake has to compute it."""
    key = _branches(_branches(member)[0])[0]
    while key.data == "expr_term" and len(key.children) == 1:
        [key] = _branches(key)
    if key.data == "string":
        value = _value(key, source)
        return value if isinstance(value, str) else None
    return _text(key, source) if key.data in {"identifier", "keyword", "literal_value", "int_lit"} else None


def _unquoted(text: str, line: int, source: SourceFile) -> str:
    """The value of a quoted string without interpolations, from what stands between its quotes."""

    def escape(match: re.Match[str]) -> str:
        found = match.group()
        if found in _SIMPLE_ESCAPES:
            return _SIMPLE_ESCAPES[found]
        digits = match["short"] or match["long"]
        code = int(digits, 16) if digits else None
        if code is None or code > sys.maxunicode or code in _SURROGATES:
            raise InputError(f"HCL has no escape {found}", path=source.name, line=line, hint=_HINT)
        return chr(code)

    return unicodedata.normalize("NFC", _ESCAPE.sub(escape, text))
