"""A lock of the corpus with its project, mended where the corpus has less than the repository."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import rtoml

from auditor.lock.read import parse_lock, read_lock
from auditor.source import SourceFile
from bench.drift.pair import DEV_LOCK, DEV_PROJECT
from bench.drift.project import pyproject
from bench.drift.text import LockText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from auditor.lock.model import Lock, Package

Table = dict[str, Any]

PROVIDED: Final = "provides-extras"


class Repair(IntEnum):
    """How much of dev's side is left as it was published: a lock may be stale, or its project incomplete here."""

    NONE = 0
    PROJECT = 1
    MEMBERS = 2

    def __str__(self) -> str:
        return ("as published", "its pyproject.toml written anew", "cut to its root project")[self]


@dataclass
class Origin:
    """A lock of the corpus with its project.

    Attributes:
        name: relative to the corpus.
        repair: what was done to it.
        lock: as read.
        text: in pieces.
        files: what dev's side of a pair is made of.
        project: dev's pyproject.toml, as read.
    """

    name: str
    repair: Repair
    lock: Lock
    text: LockText
    files: dict[str, str]
    project: Table = field(repr=False)

    @property
    def root(self) -> Package:
        """The project itself."""
        return self.lock.roots[0]


def read_origin(path: Path, corpus: Path, repair: Repair = Repair.NONE) -> Origin | None:
    """A lock of the corpus; None where it has no single root, or is no lock that uv wrote in its usual form."""
    lock = read_lock(path, corpus)
    text = LockText.parse(lock.file.text)
    if len(lock.roots) != 1 or len(text.entries) != len(lock.packages):
        return None
    if repair is Repair.MEMBERS:
        kept = _reachable(lock)
        text.entries = [each for index, each in enumerate(text.entries) if index in kept]
        text.head = without_members(text.head)
        lock = parse_lock(SourceFile(path, lock.file.name, str(text)))
    files = {DEV_LOCK: str(text)}
    raw = rtoml.loads(str(text))
    beside = path.parent / "pyproject.toml"
    published = beside.read_text(encoding="utf-8") if beside.is_file() and path.name == "uv.lock" else ""
    settings = rtoml.loads(published).get("tool", {}).get("uv", {}) if published else _settings_of(raw)
    members = lock.manifest.members
    root = lock.roots[0]
    if published and repair is Repair.NONE:
        files[DEV_PROJECT] = published
    else:
        files[DEV_PROJECT] = _project_of(raw, root, settings, members)
    for package in lock.packages:
        folder = package.source.location
        if package.name in members and package.source.is_local_tree and package.index != root.index:
            own = path.parent / folder / "pyproject.toml"
            is_there = own.is_file() and repair is Repair.NONE
            files[f"{folder}/pyproject.toml"] = (
                own.read_text(encoding="utf-8") if is_there else _project_of(raw, package, {}, members)
            )
    name = path.relative_to(corpus).as_posix().removesuffix("uv.lock").rstrip("/.")
    return Origin(name, repair, lock, text, files, rtoml.loads(files[DEV_PROJECT]))


def without_members(head: str) -> str:
    """The head of a lock for one project alone."""
    text = re.sub(r"^members = \[\n(?:.*\n)*?\]\n", "", head, flags=re.MULTILINE)
    return re.sub(r"^\[manifest\]\n(?=\n|\Z|\[)", "", text, flags=re.MULTILINE)


def _reachable(lock: Lock) -> set[int]:
    """Every package that the root reaches through any edge, groups included."""
    found = {lock.roots[0].index}
    queue = deque(found)
    while queue:
        package = lock.packages[queue.popleft()]
        for edges in (package.dependencies, *package.optional.values(), *package.groups.values()):
            for edge in edges:
                if edge.target not in found:
                    found.add(edge.target)
                    queue.append(edge.target)
    return found


def _settings_of(raw: Table) -> Table:
    """`[tool.uv]` as far as a lock tells."""
    options, manifest = raw.get("options", {}), raw.get("manifest", {})
    found: Table = {key: options[key] for key in ("exclude-newer",) if key in options}
    for key, name in (("supported-markers", "environments"), ("required-markers", "required-environments")):
        if key in raw:
            found[name] = raw[key]
    if "dependency-metadata" in manifest:
        found["dependency-metadata"] = manifest["dependency-metadata"]
    return found


def _project_of(raw: Table, package: Package, settings: Table, members: Sequence[str]) -> str:
    """The pyproject.toml of an entry that is a project, by its metadata."""
    table = raw["package"][package.index]
    metadata = table.get("metadata", {})
    return pyproject(
        package.name,
        raw["requires-python"],
        version=table.get("version", ""),
        requires=metadata.get("requires-dist", []),
        extras=metadata.get(PROVIDED, []),
        groups=metadata.get("requires-dev", {}),
        settings=settings,
        manifest=manifest_requirements(raw.get("manifest", {})),
        members=[name for name in members if name != package.name],
        package="virtual" not in table["source"],
    )


def manifest_requirements(manifest: Mapping[str, Any]) -> list[Table]:
    """The requirements of a manifest, whose sources a pyproject.toml must have, too."""
    lists = ("overrides", "constraints", "build-constraints")
    return [entry for key in lists for entry in manifest.get(key, []) if isinstance(entry, dict) and "name" in entry]
