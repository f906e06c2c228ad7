"""The schema of the settings accepts what the reader accepts, and refuses what it refuses."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from auditor.config import KEYS
from auditor.errors import ConfigError
from auditor.schema import get_schema, make_schema
from auditor.settings import read_config
from auditor.source import SourceFile

FILE = SourceFile(Path("pyproject.toml"), "pyproject.toml", "[tool.lockaudit]\n")
GOOD: tuple[dict[str, Any], ...] = (
    {},
    {"targets": ["linux-x86_64-cp312"], "dev": {"extras": ["cu124"]}, "prod": {"lock": "serve/uv.lock"}},
    {"wheel": {"group": "tools", "flash-attn": {"env": {"FLASH_ATTN_CUDA_ARCHS": "90"}}}},
    {"package": {"numpy": {"ignore": {"LA103": "until 2.0"}}}, "severity": {"LA111": "error"}},
    {"pair": [{"name": "a", "prod": {"lock": "a/uv.lock"}}, {"name": "b", "prod": {"lock": "b/uv.lock"}}]},
    {"variant": [{"name": "cu124"}, {"name": "cu128", "cuda": "12.8.1", "dev": {"extras": ["cu128"]}}]},
    {"variant": [{"name": "a", "image-variant": "base", "python": "3.12", "platforms": ["linux/arm64"]}]},
    {"cache": {"backend": "s3", "options": {"bucket": "b", "region": "r"}}, "image": {"variant": "base"}},
)
BAD: tuple[dict[str, Any], ...] = (
    {"target": ["linux-x86_64-cp312"]},
    {"targets": "linux-x86_64-cp312"},
    {"dev": {"lock": "../uv.lock"}},
    {"dev": {"lock": "/etc/uv.lock"}},
    {"prod": "prod/uv.lock"},
    {"pair": [{"prod": {"lock": "a/uv.lock"}}]},
    {"pair": [{"name": "a"}]},
    {"wheel": {"flash-attn": {"envs": {}}}},
    {"ignore": ["LA103"]},
    {"image": {"variant": "cudn"}},
    {"cache": {"backend": "disk"}},
    {"image": {"platforms": ["linux/arm"]}},
    {"variant": [{"cuda": "12.8.1"}]},
    {"variant": [{"name": "a", "image-variant": "devel"}]},
)


def valid(value: Any, schema: dict[str, Any]) -> bool:  # noqa: ANN401 - JSON
    """A validator of the few words of draft-07 that the schema uses, so that no dependency is needed for it."""
    unknown = schema.keys() - {
        *("$schema", "$id", "title", "description", "type", "properties", "patternProperties", "additionalProperties"),
        *("items", "enum", "pattern", "required"),
    }
    assert not unknown, f"teach `valid` the words {unknown}"
    kinds: dict[str, type] = {"object": dict, "array": list, "string": str, "boolean": bool}
    if not isinstance(value, kinds[schema["type"]]):
        return False
    if isinstance(value, str):
        return value in schema.get("enum", [value]) and bool(re.search(schema.get("pattern", ""), value))
    if isinstance(value, list):
        return all(valid(item, schema["items"]) for item in value)
    if isinstance(value, dict):
        return set(schema.get("required", [])) <= value.keys() and all(
            valid_member(name, member, schema) for name, member in value.items()
        )
    return True


def valid_member(name: str, value: Any, schema: dict[str, Any]) -> bool:  # noqa: ANN401 - JSON
    if name in schema.get("properties", {}):
        return valid(value, schema["properties"][name])
    for pattern, member in schema.get("patternProperties", {}).items():
        if re.search(pattern, name):
            return valid(value, member)
    rest = schema.get("additionalProperties", True)
    return valid(value, rest) if isinstance(rest, dict) else bool(rest)


@pytest.mark.parametrize("tables", GOOD)
def test_what_the_reader_accepts_is_valid(tables: dict[str, Any]) -> None:
    read_config(tables, FILE)
    assert valid(tables, make_schema())


@pytest.mark.parametrize("tables", BAD)
def test_what_the_reader_refuses_is_invalid(tables: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        read_config(tables, FILE)
    assert not valid(tables, make_schema())


def test_every_key_is_described() -> None:
    text = str(make_schema())
    assert all((key.doc and key.doc.replace("'", "\\'") in text) or key.doc in text for key in KEYS)


def test_validators_find_the_schema() -> None:
    (entry,) = entry_points(group="validate_pyproject.tool_schema", name="lockaudit")
    assert entry.load()("lockaudit") == get_schema() == make_schema()
