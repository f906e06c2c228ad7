"""uv.lock -> `Lock`: version 1, revisions 0 to 5 and whatever comes after, as uv reads them.

What uv refuses when it parses a lock is refused here too, with the line: a foreign version, a missing name, an edge to
nothing, one package twice, a wheel of another version, a url or path wheel without its hash (`Lock::new`,
`PackageWire::unwire`). What uv accepts silently (unknown keys, a higher revision, an extra that the target lacks) is
accepted.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from packaging.version import InvalidVersion, Version

from auditor.errors import InputError
from auditor.lock.marker import Marker, MarkerError, parse as parse_marker
from auditor.lock.model import (
    Artifact,
    ConflictItem,
    Edge,
    Lock,
    Manifest,
    Package,
    Requirement,
    Source,
    SourceKind,
)
from auditor.source import read_source
from auditor.toml import parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from auditor.source import SourceFile

LOCK_VERSION = 1
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*(?:package|distribution)[ \t]*\]\]", re.MULTILINE)
_SEPARATORS = re.compile(r"[-_.]+")
_FULL_SHA = re.compile(r"[0-9a-f]{40}")

Table = dict[str, Any]


def normalize(name: str) -> str:
    """A name as PEP 503 compares it; extras and groups follow the same rule."""
    return _SEPARATORS.sub("-", name).lower()


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
        self.line = 1
        self.tables_of_packages: list[Table] = []
        self.spans: list[tuple[int, int]] = []
        self.by_name: dict[str, list[int]] = {}
        self.identities: list[tuple[str, Version | None, Source]] = []
        self.sources: dict[tuple[tuple[str, Any], ...], Source] = {}

    def fail(self, message: str, hint: str | None = None) -> InputError:
        return InputError(message, path=self.source.name, line=self.line, hint=hint or "run `uv lock` to write it anew")

    # -- typed getters ------------------------------------------------------------------------------------------

    def text(self, table: Mapping[str, Any], key: str, where: str) -> str | None:
        value = table.get(key)
        if value is not None and not isinstance(value, str):
            raise self.fail(f"`{key}` of {where} is {_kind(value)}, not a string")
        return value

    def table_list(self, table: Mapping[str, Any], key: str, where: str) -> list[Table]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fail(f"`{key}` of {where} is not a list of tables")
        return value

    def names(self, table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(f"`{key}` of {where} is not a list of strings")
        return tuple(normalize(item) for item in value)

    def subtable(self, table: Mapping[str, Any], key: str, where: str) -> Table:
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self.fail(f"`{key}` of {where} is {_kind(value)}, not a table")
        return value

    def markers(self, table: Mapping[str, Any], key: str, where: str) -> tuple[Marker, ...]:
        value = table.get(key, [])
        if not isinstance(value, list):
            raise self.fail(f"`{key}` of {where} is {_kind(value)}, not a list")
        return tuple(marker for item in value if (marker := self.marker(item, where)) is not None)

    def marker(self, value: object, where: str) -> Marker | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.fail(f"a marker of {where} is {_kind(value)}, not a string")
        try:
            return parse_marker(value)
        except (MarkerError, RecursionError) as error:
            raise self.fail(f"a marker of {where} cannot be read: {error}") from None

    # -- the parts ----------------------------------------------------------------------------------------------

    def lock(self) -> Lock:
        self.check_version()
        tables = self.tables
        requires_python = self.text(tables, "requires-python", "the lock")
        if requires_python is None:
            raise self.fail("the lock has no `requires-python`")
        self.tables_of_packages = self.table_list(tables, "package" if "package" in tables else "distribution", "it")
        self.spans = _package_spans(self.source, len(self.tables_of_packages))
        self.index_identities()
        packages = tuple(self.package(index) for index in range(len(self.tables_of_packages)))
        self.line = 1
        return Lock(
            file=self.source,
            revision=tables["revision"] if isinstance(tables.get("revision"), int) else 0,
            requires_python=requires_python,
            resolution_markers=self.markers(tables, "resolution-markers", "the lock"),
            supported_markers=self.markers(tables, "supported-markers", "the lock"),
            required_markers=self.markers(tables, "required-markers", "the lock"),
            conflicts=self.conflicts(),
            options=self.subtable(tables, "options", "the lock"),
            manifest=self.manifest(self.subtable(tables, "manifest", "the lock")),
            packages=packages,
            by_name={name: tuple(packages[index] for index in indices) for name, indices in self.by_name.items()},
        )

    def check_version(self) -> None:
        version = self.tables.get("version")
        found = self.source.find("version")
        self.line = found.line if found is not None and version is not None else 1
        if version is None:
            raise self.fail("this is not a uv.lock: it has no `version`", "name the uv.lock of a uv project")
        if version != LOCK_VERSION or isinstance(version, bool):
            raise self.fail(
                f"the lock has version {version}; lockaudit reads version {LOCK_VERSION}",
                "lock with a uv that writes version 1, or upgrade lockaudit",
            )
        self.line = 1

    def index_identities(self) -> None:
        for index, table in enumerate(self.tables_of_packages):
            self.line = self.spans[index][0]
            raw_name = self.text(table, "name", "a package")
            if not raw_name:
                raise self.fail("a package has no name")
            name = normalize(raw_name)
            identity = (name, self.version(table, name), self.source_of(table.get("source"), name))
            if identity[1] is None and identity[2].kind is SourceKind.REGISTRY:
                raise self.fail(f"{name} comes from a registry but has no version")
            for other in self.by_name.setdefault(name, []):
                if self.identities[other] == identity:
                    first = self.spans[other][0]
                    raise self.fail(f"{name} is here twice with the same version and source (first at line {first})")
            self.identities.append(identity)
            self.by_name[name].append(index)

    def package(self, index: int) -> Package:
        table = self.tables_of_packages[index]
        self.line, last = self.spans[index]
        name, version, source = self.identities[index]
        optional = self.subtable(table, "optional-dependencies", name)
        groups = self.subtable(table, "dev-dependencies" if "dev-dependencies" in table else "dependency-groups", name)
        sdist = table.get("sdist")
        return Package(
            index=index,
            name=name,
            version=version,
            source=source,
            dependencies=self.edges(table, "dependencies", name),
            optional={normalize(extra): self.edges(optional, extra, name) for extra in optional},
            groups={normalize(group): self.edges(groups, group, name) for group in groups},
            wheels=tuple(self.wheel(item, name, version, source) for item in self.table_list(table, "wheels", name)),
            sdist=None if sdist is None else self.sdist(sdist, name, source),
            resolution_markers=self.markers(table, "resolution-markers", name),
            default_groups=self.names(table, "default-groups", name) if "default-groups" in table else None,
            metadata=self.metadata(table, name),
            line=self.line,
            last_line=last,
        )

    def metadata(self, table: Table, where: str) -> Table:
        """`package.metadata`, with the shapes that everything below relies on."""
        metadata = self.subtable(table, "metadata", where)
        if metadata:
            self.names(metadata, "provides-extras", f"the metadata of {where}")
            self.table_list(metadata, "requires-dist", f"the metadata of {where}")
            groups = self.subtable(metadata, "requires-dev", f"the metadata of {where}")
            for group in groups:
                self.table_list(groups, group, f"the metadata of {where}")
        return metadata

    def version(self, table: Table, where: str) -> Version | None:
        text = self.text(table, "version", where)
        if text is None:
            return None
        try:
            return Version(text)
        except InvalidVersion:
            raise self.fail(f"`{text}` of {where} is not a version (PEP 440)") from None

    def source_of(self, value: object, where: str) -> Source:
        if not isinstance(value, dict):
            raise self.fail(f"{where} has no source" if value is None else f"the source of {where} is not a table")
        try:
            key = tuple(sorted(value.items()))
            known = self.sources.get(key)
        except TypeError:
            raise self.fail(f"the source of {where} has a value that is not a string") from None
        if known is None:
            known = self.sources[key] = self.parse_source(value, where)
        return known

    def parse_source(self, table: Table, where: str) -> Source:
        kinds = [kind for kind in SourceKind if kind.value in table]
        if len(kinds) != 1:
            known = ", ".join(SourceKind)
            raise self.fail(f"the source of {where} is none of {known}: {', '.join(table) or 'an empty table'}")
        kind = kinds[0]
        location = table[kind.value]
        if isinstance(location, dict):  # the reader of uv also takes `registry = { url = ... }` and `{ path = ... }`
            location = location.get("url") or location.get("path")
        if not isinstance(location, str) or not location:
            raise self.fail(f"the {kind} source of {where} is not a string")
        subdirectory = self.text(table, "subdirectory", f"the source of {where}") or ""
        if kind is SourceKind.GIT:
            return self.git_source(location, where)
        return Source(kind=kind, location=location, subdirectory=subdirectory)

    def git_source(self, location: str, where: str) -> Source:
        rest, _, revision = location.partition("#")
        url, _, query = rest.partition("?")
        if not _FULL_SHA.fullmatch(revision.lower()):
            raise self.fail(f"the git source of {where} has no full commit: {location}")
        items = [(key, unquote(value)) for key, _, value in (item.partition("=") for item in query.split("&") if item)]
        reference = next((f"{key}={value}" for key, value in items if key in {"tag", "branch", "rev"}), "")
        if reference.startswith("rev=") and _FULL_SHA.fullmatch(reference[4:]) and reference[4:] != revision:
            raise self.fail(f"the git source of {where} asks for {reference[4:]} and is locked to {revision}")
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
        edges = tuple(self.edge(item, where) for item in self.table_list(table, key, where))
        if len(set(edges)) != len(edges):
            names = [self.identities[edge.target][0] for edge in edges]
            twice = next(name for i, name in enumerate(names) if edges[i] in edges[:i])
            raise self.fail(f"{where} depends on {twice} twice, word for word")
        return edges

    def edge(self, table: Table, where: str) -> Edge:
        raw_name = self.text(table, "name", f"a dependency of {where}")
        if not raw_name:
            raise self.fail(f"a dependency of {where} has no name")
        name = normalize(raw_name)
        candidates = self.by_name.get(name, [])
        if "version" in table and len(candidates) != 1:
            version = self.version(table, f"a dependency of {where}")
            candidates = [index for index in candidates if self.identities[index][1] == version]
        if "source" in table and len(candidates) != 1:
            source = self.source_of(table["source"], f"a dependency of {where}")
            candidates = [index for index in candidates if self.identities[index][2] == source]
        if len(candidates) == 1:
            index = candidates[0]
            if self.contradicts(table, index, where):
                candidates = []
        if len(candidates) != 1:
            what = "which is not in this lock" if not candidates else "and does not say which of several"
            described = " ".join(str(part) for part in (name, table.get("version")) if part)
            raise self.fail(f"{where} depends on {described}, {what}")
        extra = "extra" if "extra" in table else "extras"
        return Edge(candidates[0], self.names(table, extra, where), self.marker(table.get("marker"), where))

    def contradicts(self, table: Table, index: int, where: str) -> bool:
        """Whether the edge names another version or source than the only entry of that name."""
        _, version, source = self.identities[index]
        if "version" in table and self.version(table, where) != version:
            return True
        return "source" in table and self.source_of(table["source"], where) != source

    def wheel(self, table: Table, name: str, version: Version | None, source: Source) -> Artifact:
        location = table.get("url") or table.get("path") or table.get("filename") or ""
        if not isinstance(location, str) or not location:
            raise self.fail(f"a wheel of {name} has neither url, path nor filename")
        filename = unquote(location.partition("?")[0].partition("#")[0].rpartition("/")[2])
        if not filename.endswith(".whl"):
            raise self.fail(f"a wheel of {name} is no wheel: {filename}")
        self.check_wheel_version(filename, name, version)
        artifact = self.artifact(table, filename, location, is_wheel=True)
        if artifact.hash is None and source.kind in {SourceKind.URL, SourceKind.PATH}:
            raise self.fail(f"the wheel of {name}, a {source.kind} source, has no hash")
        return artifact

    def check_wheel_version(self, filename: str, name: str, version: Version | None) -> None:
        parts = filename.split("-")
        if len(parts) < 5:  # noqa: PLR2004 - name, version, python, abi, platform
            raise self.fail(f"a wheel of {name} has no valid file name: {filename}")
        if version is None or parts[1] == str(version):
            return
        try:
            found = Version(parts[1])
        except InvalidVersion:
            raise self.fail(f"a wheel of {name} has no valid version: {filename}") from None
        # uv takes a local part that only the file has: publishers put the build's key there.
        if found != version and not (version.local is None and found.public == version.public):
            raise self.fail(f"{name} is locked at {version}, but its wheel is of version {found}: {filename}")

    def sdist(self, table: object, name: str, source: Source) -> Artifact:
        if not isinstance(table, dict):
            raise self.fail(f"the sdist of {name} is not a table")
        location = table.get("url") or table.get("path") or ""
        if not isinstance(location, str):
            raise self.fail(f"the sdist of {name} has a location that is not a string")
        whole = location or source.location
        filename = unquote(whole.partition("?")[0].partition("#")[0].rpartition("/")[2])
        return self.artifact(table, filename, location, is_wheel=False)

    def artifact(self, table: Table, filename: str, location: str, *, is_wheel: bool) -> Artifact:
        digest, size = table.get("hash"), table.get("size")
        if digest is not None and (not isinstance(digest, str) or ":" not in digest):
            raise self.fail(f"the hash of {filename} is not `algorithm:hex`")
        if size is not None and (not isinstance(size, int) or isinstance(size, bool)):
            raise self.fail(f"the size of {filename} is not a number")
        return Artifact(filename=filename, location=location, hash=digest, size=size, is_wheel=is_wheel)

    def conflicts(self) -> tuple[tuple[ConflictItem, ...], ...]:
        sets = self.tables.get("conflicts", [])
        if not isinstance(sets, list) or not all(isinstance(items, list) for items in sets):
            raise self.fail("`conflicts` of the lock is not a list of lists")
        return tuple(tuple(self.conflict_item(item) for item in items) for items in sets)

    def conflict_item(self, item: object) -> ConflictItem:
        if not isinstance(item, dict):
            raise self.fail("an item of `conflicts` is not a table")
        package = self.text(item, "package", "a conflict") or ""
        extra, group = self.text(item, "extra", "a conflict"), self.text(item, "group", "a conflict")
        return ConflictItem(
            package=normalize(package),
            extra=None if extra is None else normalize(extra),
            group=None if group is None else normalize(group),
        )

    def manifest(self, table: Table) -> Manifest:
        groups = self.subtable(table, "dependency-groups", "the manifest")
        return Manifest(
            members=self.names(table, "members", "the manifest"),
            default_groups=self.names(table, "default-groups", "the manifest") if "default-groups" in table else None,
            requirements=self.requirements(table, "requirements"),
            groups={normalize(group): self.requirements(groups, group) for group in groups},
            raw=table,
        )

    def requirements(self, table: Table, key: str) -> tuple[Requirement, ...]:
        found = []
        for item in self.table_list(table, key, "the manifest"):
            name = self.text(item, "name", "a requirement of the manifest")
            if not name:
                raise self.fail("a requirement of the manifest has no name")
            extras = self.names(item, "extras", "the manifest")
            found.append(Requirement(normalize(name), extras, self.marker(item.get("marker"), "the manifest")))
        return tuple(found)


def _package_spans(source: SourceFile, count: int) -> list[tuple[int, int]]:
    """First and last line of each package, 1-based and inclusive.

    Headers are found in the text because no fast TOML parser reports positions. A header inside a multi-line string,
    or packages written as an inline array, would break the count: then every package gets the whole file.
    """
    text = source.text
    newlines = _newline_offsets(text)
    starts = [bisect_right(newlines, match.start()) + 1 for match in _HEADER.finditer(text)]
    last = len(newlines) + 1
    if len(starts) != count:
        return [(1, last)] * count
    return list(zip(starts, [start - 1 for start in starts[1:]] + [last], strict=True))


def _newline_offsets(text: str) -> list[int]:
    return [match.end() - 1 for match in re.finditer("\n", text)]


def _kind(value: object) -> str:
    names: Iterable[tuple[type, str]] = (
        (bool, "a boolean"),
        (int, "a number"),
        (float, "a number"),
        (str, "a string"),
        (list, "a list"),
        (dict, "a table"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), f"a {type(value).__name__}")
