"""Values of a TOML file that may be anything: what has the wanted shape, and nothing else.

They are for the parts of a pyproject.toml, a uv.toml or a lock's manifest that uv would refuse in another shape.
Nothing is concluded from a part that is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def table(value: object) -> Mapping[str, Any]:
    """A table, or an empty one."""
    return value if isinstance(value, dict) else {}


def tables(value: object) -> list[Mapping[str, Any]]:
    """The tables of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """The strings of a list, or a single string as one."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def items(value: object) -> list[Any]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []
