"""pyproject.toml as far as uv and lockaudit read it beside a lock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auditor.errors import InputError
from auditor.names import normalize
from auditor.source import read_source
from auditor.toml import parse_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auditor.source import SourceFile


@dataclass(frozen=True, kw_only=True)
class Project:
    """A uv project's pyproject.toml.

    Attributes:
        file: its text, for positions.
        name: normalised, or an empty string for a root without `[project]`.
        requires_python: as written, or an empty string.
        extras: names of `project.optional-dependencies`, normalised.
        groups: names of `dependency-groups`, normalised.
        default_groups: `tool.uv.default-groups`, `("all",)` for every group, or None where it is not set.
        tables: everything, as read.
    """

    file: SourceFile
    name: str
    requires_python: str
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    default_groups: tuple[str, ...] | None
    tables: Mapping[str, Any] = field(repr=False)

    def tool(self, name: str) -> Mapping[str, Any]:
        """The table `[tool.<name>]`, empty where there is none."""
        return _table(_table(self.tables, "tool", self.file), name, self.file)

    @property
    def uv(self) -> Mapping[str, Any]:
        """`[tool.uv]`."""
        return self.tool("uv")


def read_project(path: Path, root: Path | None = None, within: Path | None = None) -> Project:
    """Read a pyproject.toml.

    Args:
        path: the file.
        root: messages name the file relative to this folder.
        within: the folder that the path must not lead out of, where that is not `root`.

    Raises:
        InputError: missing, unreadable, not TOML, or a table that is something else.
    """
    hint = "a uv project has one beside its uv.lock"
    return parse_project(read_source(path, root, what="pyproject.toml", hint=hint, within=within))


def parse_project(source: SourceFile) -> Project:
    """The project in a file that has been read. Raises: as `read_project`."""
    tables = parse_toml(source, what="pyproject.toml")
    project = _table(tables, "project", source)
    uv = _table(_table(tables, "tool", source), "uv", source)
    default_groups = uv.get("default-groups")
    return Project(
        file=source,
        name=normalize(_string(project, "name", source)),
        requires_python=_string(project, "requires-python", source),
        extras=tuple(normalize(extra) for extra in _table(project, "optional-dependencies", source)),
        groups=tuple(normalize(group) for group in _table(tables, "dependency-groups", source)),
        default_groups=None if default_groups is None else _names(default_groups, source),
        tables=tables,
    )


def _names(value: object, source: SourceFile) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        position = source.find("default-groups")
        raise InputError(
            '`tool.uv.default-groups` is neither a list of group names nor "all"',
            path=source.name,
            line=position.line if position else None,
        )
    return tuple(normalize(item) for item in values)


def _table(tables: Mapping[str, Any], key: str, source: SourceFile) -> Mapping[str, Any]:
    value = tables.get(key, {})
    if not isinstance(value, dict):
        position = source.find(key)
        raise InputError(f"`{key}` is not a table", path=source.name, line=position.line if position else None)
    return value


def _string(table: Mapping[str, Any], key: str, source: SourceFile) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        position = source.find(key)
        raise InputError(f"`{key}` is not a string", path=source.name, line=position.line if position else None)
    return value
