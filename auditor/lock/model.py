"""uv.lock as types: what `read` makes of the file and everything else works on.

The words and the shapes follow uv's own reader (`uv-resolver`, structs `LockWire`, `PackageWire`, `SourceWire`,
`DependencyWire`); names are normalised (PEP 503), versions parsed (PEP 440), markers parsed (PEP 508 plus uv's
conflict items), and every edge already points at the entry that it means.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.version import Version

    from auditor.lock.marker import Marker
    from auditor.source import SourceFile

EMPTY: Mapping[str, Any] = MappingProxyType({})


class SourceKind(StrEnum):
    """Where a package comes from. `REGISTRY` covers indexes and find-links folders alike."""

    REGISTRY = "registry"
    GIT = "git"
    URL = "url"
    PATH = "path"
    DIRECTORY = "directory"
    EDITABLE = "editable"
    VIRTUAL = "virtual"


LOCAL_TREES = frozenset({SourceKind.DIRECTORY, SourceKind.EDITABLE, SourceKind.VIRTUAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A package's source.

    Attributes:
        kind: see `SourceKind`.
        location: index URL or folder, repository URL without query and fragment, archive URL, or path as written.
        revision: full commit of a git source.
        reference: what a git source asked for, `tag=v1`, `branch=main`, `rev=abc`, or an empty string.
        subdirectory: of a git or url source, or an empty string.
        extra: other query items of a git source (`path`, `lfs`), as written.
    """

    kind: SourceKind
    location: str
    revision: str = ""
    reference: str = ""
    subdirectory: str = ""
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def is_local_tree(self) -> bool:
        """Whether it is a source tree on disk, which has no artifact and no hash."""
        return self.kind in LOCAL_TREES

    def __str__(self) -> str:
        """As messages write it: `registry https://...`, `git https://...@sha`, `editable packages/x`."""
        if self.kind is SourceKind.GIT:
            parts = [self.reference] if self.reference else []
            parts += [f"subdirectory={self.subdirectory}"] if self.subdirectory else []
            wanted = f" ({', '.join(parts)})" if parts else ""
            return f"git {self.location}@{self.revision[:12]}{wanted}"
        suffix = f" (subdirectory={self.subdirectory})" if self.subdirectory else ""
        return f"{self.kind} {self.location}{suffix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One file that can be installed: a wheel or an sdist.

    Attributes:
        filename: unquoted file name; for an sdist of a direct URL or path, the last part of the source's location.
        location: URL or path as written; an empty string where the source itself is the location.
        hash: `algorithm:hex`, or None.
        size: bytes, or None.
        is_wheel: else an sdist.
    """

    filename: str
    location: str
    hash: str | None
    size: int | None
    is_wheel: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A dependency: the index of the package it means, the extras it asks for, and when it holds."""

    target: int
    extras: tuple[str, ...] = ()
    marker: Marker | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One `[[package]]`. Its identity is (name, version, source).

    Attributes:
        index: position in `Lock.packages`.
        name: normalised.
        version: None for a source tree with a dynamic version.
        source: where it comes from.
        dependencies: unconditional edges.
        optional: edges per extra.
        groups: edges per dependency group (`dev-dependencies` in the file); only roots' count.
        wheels: in the file's order.
        sdist: or None.
        resolution_markers: the forks it belongs to, when the name has several entries.
        default_groups: from revision 5 on, for members: group names, or `("all",)`; None if not written.
        metadata: `package.metadata` as read, or empty. May be missing from revision 4 on.
        line: 1-based line of its `[[package]]` header.
        last_line: 1-based line before the next header.
    """

    index: int
    name: str
    version: Version | None
    source: Source
    dependencies: tuple[Edge, ...] = ()
    optional: Mapping[str, tuple[Edge, ...]] = field(default_factory=lambda: EMPTY)
    groups: Mapping[str, tuple[Edge, ...]] = field(default_factory=lambda: EMPTY)
    wheels: tuple[Artifact, ...] = ()
    sdist: Artifact | None = None
    resolution_markers: tuple[Marker, ...] = ()
    default_groups: tuple[str, ...] | None = None
    metadata: Mapping[str, Any] = field(default_factory=lambda: EMPTY, repr=False)
    line: int = 1
    last_line: int = 1

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Wheels, then the sdist."""
        return self.wheels if self.sdist is None else (*self.wheels, self.sdist)

    @property
    def label(self) -> str:
        """`torch 2.6.0+cu124`, or the name alone where the version is dynamic."""
        return self.name if self.version is None else f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class ConflictItem:
    """One member of a conflict set: an extra or a group of a package, or the package itself."""

    package: str
    extra: str | None = None
    group: str | None = None

    @property
    def encoded(self) -> str:
        """As uv writes it into markers: `extra-3-app-cu124`, `group-3-app-dev`, `project-3-app`."""
        size = len(self.package.encode())
        if self.extra is not None:
            return f"extra-{size}-{self.package}-{self.extra}"
        if self.group is not None:
            return f"group-{size}-{self.package}-{self.group}"
        return f"project-{size}-{self.package}"

    def __str__(self) -> str:
        if self.extra is not None:
            return f"extra {self.extra}"
        if self.group is not None:
            return f"group {self.group}"
        return f"package {self.package}"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement of the manifest: what a root without `[project]` asks for, by name only."""

    name: str
    extras: tuple[str, ...] = ()
    marker: Marker | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`[manifest]`: members, and the requirements of a root without `[project]`; the rest stays as read in `raw`."""

    members: tuple[str, ...] = ()
    default_groups: tuple[str, ...] | None = None
    requirements: tuple[Requirement, ...] = ()
    groups: Mapping[str, tuple[Requirement, ...]] = field(default_factory=lambda: EMPTY)
    raw: Mapping[str, Any] = field(default_factory=lambda: EMPTY, repr=False)


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A whole uv.lock.

    Attributes:
        file: its text and name, for positions.
        revision: 0 where absent. Unknown higher ones are read as if they were known, as uv does.
        requires_python: specifier as written.
        resolution_markers: the forks; outside their union no edge holds.
        supported_markers: `tool.uv.environments`.
        required_markers: `tool.uv.required-environments`.
        conflicts: the conflict sets.
        options: resolver options that are not the default, as read.
        manifest: see `Manifest`.
        packages: in the file's order.
    """

    file: SourceFile
    revision: int
    requires_python: str
    resolution_markers: tuple[Marker, ...]
    supported_markers: tuple[Marker, ...]
    required_markers: tuple[Marker, ...]
    conflicts: tuple[tuple[ConflictItem, ...], ...]
    options: Mapping[str, Any] = field(repr=False)
    manifest: Manifest = field(repr=False)
    packages: tuple[Package, ...] = field(repr=False)
    by_name: Mapping[str, tuple[Package, ...]] = field(repr=False)

    @property
    def roots(self) -> tuple[Package, ...]:
        """What `uv sync` in the lock's folder installs: the root project, or every member of a root without one."""
        for package in self.packages:
            if package.source.kind in {SourceKind.EDITABLE, SourceKind.VIRTUAL} and package.source.location == ".":
                return (package,)
        members = set(self.manifest.members)
        return tuple(package for package in self.packages if package.name in members and package.source.is_local_tree)
