"""Entries of a lock's manifest (constraints, overrides, static metadata and the like), compared by meaning.

Their shapes are those of uv's lock (`uv-resolver/src/lock/mod.rs`, `ResolverManifest`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.lock import shape
from auditor.lock.marker import parse_version
from auditor.lock.requirements import (
    UnknownRequirementError,
    differences,
    parse_requirement,
    parse_specifiers,
    read_requirements,
)
from auditor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from auditor.lock.requirements import Declared

    Entry = Mapping[str, Any]


def entries_of(values: object) -> dict[str, tuple[Entry, ...]]:
    """Entries of a list of the manifest, as tables, by the name of their package."""
    found: dict[str, list[Entry]] = {}
    for value in shape.items(values):
        table = {"name": value} if isinstance(value, str) else shape.table(value)
        found.setdefault(normalize(str(table.get("name") or table.get("package") or "")), []).append(table)
    return {name: tuple(tables) for name, tables in found.items()}


def same_entries(key: str, mine: Sequence[Entry], theirs: Sequence[Entry], requires_python: str) -> bool:
    """Whether entries about one package mean the same.

    Args:
        key: the list of the manifest: `constraints`, `overrides`, `excludes`, `build-constraints`,
            `dependency-metadata`.
        mine: entries of one lock.
        theirs: of the other.
        requires_python: the Pythons that count.

    Returns:
        False too where they are of a shape that this version does not know, and their texts differ.
    """
    if not mine or not theirs:
        return not mine and not theirs
    if shown(mine) == shown(theirs):
        return True
    if key == "dependency-metadata":
        return _same_static(mine, theirs, requires_python)
    one, other = read_requirements(list(mine)), read_requirements(list(theirs))
    return one is not None and other is not None and differences(one, other, requires_python) == ([], [])


def _same_static(mine: Sequence[Entry], theirs: Sequence[Entry], requires_python: str) -> bool:
    try:
        one, other = (dict(map(_static, tables)) for tables in (mine, theirs))
    except UnknownRequirementError:
        return False
    return one.keys() == other.keys() and all(
        differences(one[key], other[key], requires_python) == ([], []) for key in one
    )


def _static(table: Entry) -> tuple[object, tuple[Declared, ...]]:
    """Static metadata: what must be equal, and the requirements."""
    version = str(table.get("version", ""))
    extras = frozenset(map(normalize, shape.texts(table.get("provides-extras"))))
    python = parse_specifiers(str(table.get("requires-python", "")))
    requirements = tuple(map(parse_requirement, shape.texts(table.get("requires-dist"))))
    return (parse_version(version) or version, python, extras), requirements


def shown(tables: Iterable[Entry]) -> str:
    """Entries as a message shows them, in an order of their own."""
    return ", ".join(sorted(map(_text, tables)))


def _text(table: Entry) -> str:
    rest = {key: item for key, item in sorted(table.items()) if key not in {"name", "specifier"}}
    name = normalize(str(table.get("name") or table.get("package") or ""))
    return f"{name}{table.get('specifier', '')}" + "".join(f" {key}={item}" for key, item in rest.items())
