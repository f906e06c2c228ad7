"""TOML as text: the few forms that a generated pyproject.toml needs."""

from __future__ import annotations

import json
from typing import Any


def value(item: Any) -> str:  # noqa: ANN401 - whatever a TOML file can hold
    """A value on one line; tables become inline tables."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, dict):
        inside = ", ".join(f"{key(name)} = {value(each)}" for name, each in item.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(item, list):
        return f"[{', '.join(map(value, item))}]"
    return json.dumps(item, ensure_ascii=False) if isinstance(item, str) else str(item)


def key(name: str) -> str:
    """A key, quoted where it must be."""
    return name if name and all(each.isalnum() or each in "-_" for each in name) else json.dumps(name)


def lines(name: str, items: list[Any]) -> str:
    """A list with one item a line."""
    return f"{key(name)} = [\n{''.join(f'    {value(each)},{chr(10)}' for each in items)}]\n"
