"""A bake file in JSON as the values that `read` makes of one in HCL: docker-bake.json and docker-bake.override.json."""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from auditor.bake.read import BakeAttribute, BakeBlock, BakeDocument, Expression
from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.bake.read import BakeValue
    from auditor.source import SourceFile

_KINDS = ("variable", "function", "group", "target")
_TEMPLATE = re.compile(r"[$%]\{")


def read_bake_json(source: SourceFile) -> BakeDocument:
    """Read a JSON bake file. A string with `${` in it is a template, which bake evaluates.

    Lines are those where a name first stands after the one it belongs to: JSON parsers keep no positions.

    Raises:
        InputError: not JSON, or no object at its top.
    """
    try:
        tables = json.loads(source.text)
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error.msg}", path=source.name, line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise InputError("this bake file nests its values too deeply to be read", path=source.name) from None
    except ValueError as error:  # a number of more digits than Python reads
        raise InputError(f"not JSON that can be read: {error}", path=source.name) from None
    if not isinstance(tables, dict):
        raise InputError("not a bake file: no object at its top", path=source.name, line=1)
    blocks = [
        _block(kind, name, body, source) for kind, named in tables.items() for name, body in _named(kind, named).items()
    ]
    own = {name: value for name, value in tables.items() if not _named(name, value)}
    attributes = {name: BakeAttribute(name, _value(value), _line(source, name, 1)) for name, value in own.items()}
    return BakeDocument(source.name, MappingProxyType(attributes), tuple(blocks))


def _named(kind: str, value: object) -> Mapping[str, Any]:
    """The blocks of a kind by name; none where the value is no table of tables."""
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        return {}
    return value if kind in _KINDS else {}


def _block(kind: str, name: str, body: Mapping[str, Any], source: SourceFile) -> BakeBlock:
    line = _line(source, name, _line(source, kind, 1))
    attributes = {key: BakeAttribute(key, _value(value), _line(source, key, line)) for key, value in body.items()}
    return BakeBlock(kind, name, MappingProxyType(attributes), (), line)


def _line(source: SourceFile, key: str, first: int) -> int:
    found = source.find(f"{json.dumps(key, ensure_ascii=False)}", first)
    return found.line if found else first


def _value(value: object) -> BakeValue:
    match value:
        case str():
            return Expression(json.dumps(value, ensure_ascii=False)) if _TEMPLATE.search(value) else value
        case list():
            return tuple(_value(each) for each in value)
        case dict():
            return MappingProxyType({str(key): _value(each) for key, each in value.items()})
        case bool() | int() | float():
            return value
    return None
