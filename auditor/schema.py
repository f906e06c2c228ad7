"""The JSON Schema of `[tool.lockaudit]`, made from `config.KEYS`, and the entry point that validators ask for it.

`validate_pyproject.tool_schema` is the entry point's group (validate-pyproject, and editors through SchemaStore): the
schema itself is a file of the package, `lockaudit.schema.json`, so that nothing has to import the settings to get it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("lockaudit.schema.json")
_NAMES: Final = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"


def get_schema(tool_name: str = "lockaudit") -> dict[str, Any]:  # noqa: ARG001 - the entry point's signature
    """The schema, as validate-pyproject calls it."""
    schema: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return schema


def render_schema() -> str:
    """The text of the schema file."""
    return json.dumps(make_schema(), indent=2) + "\n"


def make_schema() -> dict[str, Any]:
    """The schema: draft-07, every object closed, every key with what it does."""
    from auditor.config import KEYS  # noqa: PLC0415 - only whoever makes the file needs the keys

    root: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://lockaudit.example/lockaudit.schema.json",
        "title": "Settings of lockaudit",
        "description": "The table [tool.lockaudit] of a pyproject.toml.",
        "type": "object",
        "additionalProperties": False,
        "properties": {},
    }
    for key in KEYS:
        node = root
        *sections, last = key.path.split(".")
        for section in sections:
            node = _section(node, section)
        leaf = {"description": key.doc, **_value(key.kind)}
        if key.choices:
            leaf.get("items", leaf)["enum"] = list(key.choices)
        node["properties"][last] = leaf
    root["properties"]["pair"]["items"]["required"] = ["name", "prod"]
    root["properties"]["variant"]["items"]["required"] = ["name"]
    return root


def _section(node: dict[str, Any], name: str) -> dict[str, Any]:
    """The object below `node` of that name; `*` is any package, `name[]` an array of tables."""
    child: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
    if name == "*":
        found: dict[str, Any] = node.setdefault("patternProperties", {}).setdefault(_NAMES, child)
        return found
    if name.endswith("[]"):
        array = node["properties"].setdefault(name.removesuffix("[]"), {"type": "array", "items": child})
        items: dict[str, Any] = array["items"]
        return items
    section: dict[str, Any] = node["properties"].setdefault(name, child)
    return section


def _value(kind: str) -> dict[str, Any]:
    match kind:
        case "boolean":
            return {"type": "boolean"}
        case "strings":
            return {"type": "array", "items": {"type": "string"}}
        case "string-table":
            return {"type": "object", "additionalProperties": {"type": "string"}}
        case "path":
            return {"type": "string", "pattern": r"^(?![/~])(?!.*(^|/)\.\.(/|$))[^\\:]+$"}
    return {"type": "string"}
