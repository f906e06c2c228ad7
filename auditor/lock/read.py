"""uv.lock -> `Lock`: version 1, revisions 0 to 5 and whatever comes after, as uv reads them.

What uv refuses when it parses a lock is refused here too, with the line: a foreign version, a missing name, an edge to
nothing, one package twice, a wheel of another version, a url or path wheel without its hash (`Lock::new`,
`PackageWire::unwire`). What uv accepts silently (unknown keys, a higher revision, an extra that the target lacks) is
accepted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from auditor.errors import InputError
from auditor.lock.artifacts import read_sdist, read_wheels
from auditor.lock.getters import Getters
from auditor.lock.marker import is_specifier_set, parse_version
from auditor.lock.model import (
    ConflictItem,
    Edge,
    Lock,
    Manifest,
    Package,
    Requirement,
    Source,
    SourceKind,
)
from auditor.names import normalize
from auditor.source import hide_logins, read_source
from auditor.toml import parse_toml

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.version import Version

    from auditor.source import SourceFile

LOCK_VERSION = 1
_HEADER = re.compile(r"\[\[[ \t]*(?:package|distribution)[ \t]*\]\]")
_VERSION = re.compile(r"^[ \t]*version[ \t]*=", re.MULTILINE)
_FULL_SHA = re.compile(r"[0-9a-f]{40}")

Table = dict[str, Any]


def read_lock(path: Path, root: Path | None = None, *, what: str = "uv.lock") -> Lock:
    """Read a uv.lock.

    Args:
        path: the file.
        root: messages name the file relative to this folder.
        what: what the lock is to the user, for the message when it is missing.

    Raises:
        InputError: unreadable, not TOML, or not a lock that uv would read; with file and line.
    """
    hint = "run `uv lock` in that folder, or name the lock with --dev-lock or --prod-lock"
    return parse_lock(read_source(path, root, what=what, hint=hint))


def parse_lock(source: SourceFile) -> Lock:
    """The lock in a file that has been read. Raises: as `read_lock`."""
    if not source.text.strip():
        raise InputError("this lock is empty", path=source.name, line=1, hint="run `uv lock`")
    return _Reader(source, parse_toml(source, what="lock")).lock()


class _Reader:
    """One lock file while it is read: the tables, and where each package begins."""

    def __init__(self, source: SourceFile, tables: Table) -> None:
        self.source = source
        self.tables = tables
        self.get = Getters(source)
        self.tables_of_packages: list[Table] = []
        self.spans: list[tuple[int, int]] = []
        self.by_name: dict[str, list[int]] = {}
        self.identities: list[tuple[str, Version | None, Source]] = []
        self.by_identity: dict[tuple[str, Version | None, Source], int] = {}
        self.sources: dict[tuple[tuple[str, Any], ...], Source] = {}

    def lock(self) -> Lock:
        self.check_version()
        tables = self.tables
        requires_python = self.get.text(tables, "requires-python", "the lock")
        if requires_python is None:
            raise self.get.fail("the lock has no `requires-python`")
        if not is_specifier_set(requires_python):
            raise self.get.fail(f"`requires-python` of the lock is no list of version specifiers: {requires_python!r}")
        self.tables_of_packages = self.get.table_list(
            tables, self.get.aliased(tables, "package", "distribution", "the lock"), "the lock"
        )
        self.spans = _package_spans(self.source, len(self.tables_of_packages))
        self.index_identities()
        packages = tuple(self.package(index) for index in range(len(self.tables_of_packages)))
        self.get.line = 1
        return Lock(
            file=self.source,
            revision=self.get.number(tables, "revision", "the lock") or 0,
            requires_python=requires_python,
            resolution_markers=self.get.markers(tables, "resolution-markers", "the lock"),
            supported_markers=self.get.markers(tables, "supported-markers", "the lock"),
            required_markers=self.get.markers(tables, "required-markers", "the lock"),
            conflicts=self.conflicts(),
            options=self.get.subtable(tables, "options", "the lock"),
            manifest=self.manifest(self.get.subtable(tables, "manifest", "the lock")),
            packages=packages,
            by_name={name: tuple(packages[index] for index in indices) for name, indices in self.by_name.items()},
        )

    def check_version(self) -> None:
        version = self.get.number(self.tables, "version", "the lock")
        if version is None:
            raise self.get.fail("this is not a uv.lock: it has no `version`", "name the uv.lock of a uv project")
        found = _VERSION.search(self.source.text)
        self.get.line = self.source.text.count("\n", 0, found.start()) + 1 if found is not None else 1
        if version != LOCK_VERSION:
            raise self.get.fail(
                f"the lock has version {version}; lockaudit reads version {LOCK_VERSION}",
                "lock with a uv that writes version 1, or upgrade lockaudit",
            )
        self.get.line = 1

    def index_identities(self) -> None:
        for index, table in enumerate(self.tables_of_packages):
            self.get.line = self.spans[index][0]
            raw_name = self.get.text(table, "name", "a package")
            if not raw_name:
                raise self.get.fail("a package has no name")
            name = normalize(raw_name)
            identity = (name, self.version(table, name), self.source_of(table.get("source"), name))
            if identity[1] is None and identity[2].kind is SourceKind.REGISTRY:
                raise self.get.fail(f"{name} comes from a registry but has no version")
            other = self.by_identity.setdefault(identity, index)
            if other != index:
                first = self.spans[other][0]
                raise self.get.fail(f"{name} is here twice with the same version and source (first at line {first})")
            self.identities.append(identity)
            self.by_name.setdefault(name, []).append(index)

    def package(self, index: int) -> Package:
        table = self.tables_of_packages[index]
        self.get.line, last = self.spans[index]
        name, version, source = self.identities[index]
        optional = self.get.subtable(table, "optional-dependencies", name)
        groups = self.get.subtable(table, self.get.aliased(table, "dev-dependencies", "dependency-groups", name), name)
        sdist = table.get("sdist")
        return Package(
            index=index,
            name=name,
            version=version,
            source=source,
            dependencies=self.edges(table, "dependencies", name),
            optional={normalize(extra): self.edges(optional, extra, name) for extra in optional},
            groups={normalize(group): self.edges(groups, group, name) for group in groups},
            wheels=read_wheels(self.get, self.get.table_list(table, "wheels", name), name, version, source),
            sdist=None if sdist is None else read_sdist(self.get, sdist, name, source),
            resolution_markers=self.get.markers(table, "resolution-markers", name),
            default_groups=self.get.default_groups(table, name),
            metadata=self.metadata(table, name),
            line=self.get.line,
            last_line=last,
        )

    def metadata(self, table: Table, where: str) -> Table:
        """`package.metadata`, with the shapes that everything below relies on."""
        metadata = self.get.subtable(table, "metadata", where)
        if metadata:
            self.get.names(metadata, "provides-extras", f"the metadata of {where}")
            self.get.table_list(metadata, "requires-dist", f"the metadata of {where}")
            groups = self.get.subtable(metadata, "requires-dev", f"the metadata of {where}")
            for group in groups:
                self.get.table_list(groups, group, f"the metadata of {where}")
        return metadata

    def version(self, table: Table, where: str) -> Version | None:
        text = self.get.text(table, "version", where)
        if text is None:
            return None
        version = parse_version(text)
        if version is None:
            raise self.get.fail(f"`{hide_logins(text)[:80]}` of {where} is not a version (PEP 440)")
        return version

    def source_of(self, value: object, where: str) -> Source:
        if not isinstance(value, dict):
            raise self.get.fail(f"{where} has no source" if value is None else f"the source of {where} is not a table")
        try:
            key = tuple(sorted(value.items()))
            known = self.sources.get(key)
        except TypeError:
            raise self.get.fail(f"the source of {where} has a value that is not a string") from None
        if known is None:
            known = self.sources[key] = self.parse_source(value, where)
        return known

    def parse_source(self, table: Table, where: str) -> Source:
        kinds = [kind for kind in SourceKind if kind.value in table]
        if len(kinds) != 1:
            known = ", ".join(SourceKind)
            raise self.get.fail(f"the source of {where} is none of {known}: {', '.join(table) or 'an empty table'}")
        kind = kinds[0]
        location = table[kind.value]
        if not isinstance(location, str) or not location:
            raise self.get.fail(f"the {kind} source of {where} is not a string")
        subdirectory = self.get.text(table, "subdirectory", f"the source of {where}") or ""
        if kind is SourceKind.GIT:
            return self.git_source(location, where)
        return Source(kind=kind, location=location, subdirectory=subdirectory)

    def git_source(self, location: str, where: str) -> Source:
        rest, _, fragment = location.partition("#")
        url, _, query = rest.partition("?")
        revision = fragment.lower()
        if not _FULL_SHA.fullmatch(revision):
            raise self.get.fail(f"the git source of {where} has no full commit: {location}")
        items = [(key, unquote(value)) for key, _, value in (item.partition("=") for item in query.split("&") if item)]
        reference = next((f"{key}={value}" for key, value in items if key in {"tag", "branch", "rev"}), "")
        wanted = reference.removeprefix("rev=").lower()
        if reference.startswith("rev=") and _FULL_SHA.fullmatch(wanted) and wanted != revision:
            raise self.get.fail(f"the git source of {where} asks for {wanted} and is locked to {revision}")
        subdirectory = next((value for key, value in items if key == "subdirectory"), "")
        extra = tuple(sorted(item for item in items if item[0] not in {"tag", "branch", "rev", "subdirectory"}))
        return Source(
            kind=SourceKind.GIT,
            location=url,
            revision=revision,
            reference=reference,
            subdirectory="" if subdirectory == "." else subdirectory.strip("/"),
            extra=extra,
        )

    def edges(self, table: Table, key: str, where: str) -> tuple[Edge, ...]:
        if key not in table:
            return ()
        edges = tuple(self.edge(item, where) for item in self.get.table_list(table, key, where))
        if len({edge.target for edge in edges}) == len(edges):
            return edges
        meanings = set()
        for edge in edges:
            meaning = (edge.target, frozenset(edge.extras), edge.marker and edge.marker.root)
            if meaning in meanings:
                name = self.identities[edge.target][0]
                raise self.get.fail(f"{where} depends on {name} twice, with the same extras and the same marker")
            meanings.add(meaning)
        return edges

    def edge(self, table: Table, where: str) -> Edge:
        raw_name = self.get.text(table, "name", f"a dependency of {where}")
        if not raw_name:
            raise self.get.fail(f"a dependency of {where} has no name")
        name = normalize(raw_name)
        candidates = self.by_name.get(name, [])
        if len(candidates) > 1 and "source" not in table:
            raise self.get.fail(f"{where} depends on {name}, and does not say which of {len(candidates)} entries")
        # Of several entries, a left out version means the one that has none; of one, it means that one.
        found = candidates[0] if candidates else None
        if found is not None and ("version" in table or "source" in table):
            _, version, source = self.identities[found]
            if "version" in table or len(candidates) > 1:
                version = self.version(table, f"a dependency of {where}")
            if "source" in table:
                source = self.source_of(table["source"], f"a dependency of {where}")
            found = self.by_identity.get((name, version, source))
        if found is None:
            described = " ".join(str(part) for part in (name, table.get("version")) if part)
            raise self.get.fail(f"{where} depends on {described}, which is not in this lock")
        extra = "extra" if "extra" in table else "extras"
        return Edge(found, self.get.names(table, extra, where), self.get.marker(table.get("marker"), where))

    def conflicts(self) -> tuple[tuple[ConflictItem, ...], ...]:
        sets = self.tables.get("conflicts", [])
        if not isinstance(sets, list) or not all(isinstance(items, list) for items in sets):
            raise self.get.fail("`conflicts` of the lock is not a list of lists")
        if any(len(items) < 2 for items in sets):  # noqa: PLR2004 - nothing conflicts with itself
            raise self.get.fail("a set of `conflicts` has fewer than two items")
        return tuple(tuple(self.conflict_item(item) for item in items) for items in sets)

    def conflict_item(self, item: object) -> ConflictItem:
        if not isinstance(item, dict):
            raise self.get.fail("an item of `conflicts` is not a table")
        package = self.get.text(item, "package", "a conflict")
        if not package:
            raise self.get.fail("an item of `conflicts` names no package")
        extra, group = self.get.text(item, "extra", "a conflict"), self.get.text(item, "group", "a conflict")
        if extra is not None and group is not None:
            raise self.get.fail("an item of `conflicts` is both an extra and a group")
        return ConflictItem(
            package=normalize(package),
            extra=None if extra is None else normalize(extra),
            group=None if group is None else normalize(group),
        )

    def manifest(self, table: Table) -> Manifest:
        groups = self.get.subtable(table, "dependency-groups", "the manifest")
        return Manifest(
            members=self.get.names(table, "members", "the manifest"),
            default_groups=self.get.default_groups(table, "the manifest"),
            requirements=self.requirements(table, "requirements"),
            groups={normalize(group): self.requirements(groups, group) for group in groups},
            raw=table,
        )

    def requirements(self, table: Table, key: str) -> tuple[Requirement, ...]:
        found = []
        for item in self.get.table_list(table, key, "the manifest"):
            name = self.get.text(item, "name", "a requirement of the manifest")
            if not name:
                raise self.get.fail("a requirement of the manifest has no name")
            extras = self.get.names(item, "extras", "the manifest")
            found.append(Requirement(normalize(name), extras, self.get.marker(item.get("marker"), "the manifest")))
        return tuple(found)


def _package_spans(source: SourceFile, count: int) -> list[tuple[int, int]]:
    """First and last line of each package, 1-based and inclusive.

    Headers are found in the text because no fast TOML parser reports positions. A header inside a multi-line string,
    or packages written as an inline array, would break the count: then every package gets the whole file.
    """
    text = source.text
    starts: list[int] = []
    line, offset = 1, 0
    for match in _HEADER.finditer(text):
        start = match.start()
        if not text[text.rfind("\n", 0, start) + 1 : start].strip(" \t"):  # else it is no header
            line += text.count("\n", offset, start)
            offset = start
            starts.append(line)
    last = line + text.count("\n", offset)
    if len(starts) != count or not count:
        return [(1, last)] * count
    return list(zip(starts, [start - 1 for start in starts[1:]] + [last], strict=True))
