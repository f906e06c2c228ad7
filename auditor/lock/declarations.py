"""A pyproject.toml as uv would lock it: requirements with `[tool.uv.sources]` applied, groups flattened.

The result equals what uv writes to `package.metadata`. Sources: uv's `uv-distribution` (`metadata/lowering.rs`,
`requires_dist.rs`) and PEP 735 for groups. What only a build or uv itself can tell is None, never a guess.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.lock.compare import canonical
from auditor.lock.model import Source, SourceKind
from auditor.lock.requirements import (
    Condition,
    Declared,
    UnknownRequirementError,
    git_source,
    index_source,
    marker_of,
    parse_requirement,
)
from auditor.lock.shape import table, tables, texts
from auditor.lock.space import environments, extras_of
from auditor.lock.workspace import settings_of, workspace_of
from auditor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from auditor.lock.pair import Side
    from auditor.lock.project import Project
    from auditor.lock.workspace import Member, Settings, Workspace

_DEEPEST = 30  # groups, one included in the other: a chain of thousands costs each of them that many steps
LEGACY_GROUP = "dev"  # `tool.uv.dev-dependencies`, before there were dependency groups
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tbz", ".txz")


@dataclass(frozen=True, kw_only=True)
class Declarations:
    """What a project declares.

    Attributes:
        requires: dependencies and optional dependencies; None where they are dynamic or cannot be read here.
        extras: names of the extras; None likewise.
        groups: requirements of each group; None for a group that cannot be read here.
    """

    requires: tuple[Declared, ...] | None
    extras: frozenset[str] | None
    groups: Mapping[str, tuple[Declared, ...] | None] = field(repr=False)


@dataclass(frozen=True)
class Lowering:
    """How requirements of one workspace get their sources."""

    workspace: Workspace
    members: Mapping[str, Member]
    settings: Settings | None = None

    @cached_property
    def _without_sources(self) -> frozenset[str]:
        """`no-sources-package` of the settings; `no-sources` goes over it, as true and as false."""
        values = self.settings.values if self.settings is not None else {}
        if isinstance(values.get("no-sources"), bool):
            return frozenset()
        return frozenset(normalize(name) for name in texts(values.get("no-sources-package")))

    def uses_sources(self, name: str) -> bool:
        """Whether `[tool.uv.sources]` count for a package: settings of the workspace, not of a member, decide it."""
        if self.settings is not None and self.settings.values.get("no-sources") is True:
            return False
        return name not in self._without_sources

    @cached_property
    def root_sources(self) -> Mapping[str, Any]:
        """`[tool.uv.sources]` of the workspace's root."""
        return _by_name(self.workspace.root)

    def declarations(self, member: Member) -> Declarations:
        """What a member declares, with its sources."""
        return _Reader(self, member.project, member.folder).declarations()

    def root_list(self, key: str) -> tuple[Declared, ...] | None:
        """A list of requirements of the root's `[tool.uv]`; None where it cannot be read here."""
        values = self.workspace.root.uv.get(key, [])
        reader = _Reader(self, self.workspace.root, ".")
        try:
            return tuple(reader.lowered_all(_strings(values)))
        except UnknownRequirementError:
            return None


def lowering_of(side: Side, root: Path) -> Lowering | None:
    """How the requirements of a side get their sources; None where it has no pyproject.toml.

    Raises:
        InputError: a settings file that cannot be read.
    """
    workspace = workspace_of(side)
    return None if workspace is None else Lowering(workspace, workspace.members or {}, settings_of(root, side.folder))


class _Reader:
    """One pyproject.toml while it is lowered."""

    def __init__(self, lowering: Lowering, project: Project, folder: str) -> None:
        self.lowering = lowering
        self.project = project
        self.folder = folder

    def declarations(self) -> Declarations:
        project = self.project.tables.get("project", {})
        dynamic = set(texts(project.get("dynamic")))
        optional = project.get("optional-dependencies", {})
        known = not dynamic & {"dependencies", "optional-dependencies"}
        requires: tuple[Declared, ...] | None = None
        if known and self.project.name:
            try:
                requires = tuple(self.requires(project, optional))
            except UnknownRequirementError:
                requires = None
        extras = None if "optional-dependencies" in dynamic else frozenset(normalize(extra) for extra in optional)
        return Declarations(requires=requires, extras=extras, groups=self.groups())

    def requires(self, project: Mapping[str, Any], optional: Mapping[str, Any]) -> Iterator[Declared]:
        yield from self.lowered_all(_strings(project.get("dependencies", [])))
        for name, values in optional.items():
            extra = normalize(name)
            marker = marker_of(f"extra == '{extra}'")
            for each in _strings(values):
                declared = parse_requirement(each)
                condition = Condition((*declared.condition.needed, marker))
                yield from self.lowered(replace(declared, condition=condition), extra=extra)

    def groups(self) -> Mapping[str, tuple[Declared, ...] | None]:
        groups = {normalize(name): values for name, values in self.project.tables.get("dependency-groups", {}).items()}
        found: dict[str, tuple[Declared, ...] | None] = {}
        for name in groups:
            try:
                found[name] = tuple(self.group(name, groups, ()))
            except UnknownRequirementError:
                found[name] = None
        legacy = self.project.uv.get("dev-dependencies", [])
        if legacy:
            try:
                own = tuple(self.lowered_all(_strings(legacy), group=LEGACY_GROUP))
            except UnknownRequirementError:
                found[LEGACY_GROUP] = None
            else:
                first = found.get(LEGACY_GROUP, ())
                found[LEGACY_GROUP] = None if first is None else (*first, *own)
        return found

    def group(self, name: str, groups: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Declared]:
        """A group's requirements, included groups in their place."""
        if (
            name in path
            or len(path) > _DEEPEST
            or not isinstance(groups.get(name), list)
            or name in self.narrowed_groups
        ):
            message = f"a group that only uv can read: {name}"
            raise UnknownRequirementError(message)
        for item in groups[name]:
            if isinstance(item, str):
                # Sources apply for the group that holds the requirement once it is flattened: the outermost one.
                yield from self.lowered(parse_requirement(item), group=(*path, name)[0])
            elif isinstance(item, dict) and isinstance(item.get("include-group"), str):
                yield from self.group(normalize(item["include-group"]), groups, (*path, name))
            else:
                message = f"an entry of a group that only uv can read: {item!r}"
                raise UnknownRequirementError(message)

    @cached_property
    def narrowed_groups(self) -> frozenset[str]:
        """Groups with a `requires-python` of their own, which uv works into each requirement's condition."""
        return frozenset(normalize(name) for name in table(self.project.uv.get("dependency-groups")))

    def lowered_all(self, texts: Iterable[str], *, group: str | None = None) -> Iterator[Declared]:
        for text in texts:
            yield from self.lowered(parse_requirement(text), group=group)

    def lowered(self, declared: Declared, *, extra: str | None = None, group: str | None = None) -> Iterator[Declared]:
        """A requirement with its sources: one for each source that applies, and one for where none does."""
        if declared.source:
            yield declared
            return
        items, base = self.sources_of(declared.name)
        applying = [
            item
            for item in items
            if item.get("extra") is None or normalize(str(item["extra"])) == extra
            if item.get("group") is None or normalize(str(item["group"])) == group
        ]
        if not applying:
            yield declared
            return
        markers = []
        for item in applying:
            marker = marker_of(item["marker"]) if "marker" in item else None
            markers.append(marker)
            needed = declared.condition.needed if marker is None else (marker, *declared.condition.needed)
            condition = Condition(needed)
            if marker is None or _can_hold(condition):  # uv drops a source that is for other environments
                yield self.with_source(replace(declared, condition=condition), item, base)
        if None in markers:
            return
        rest = Condition(declared.condition.needed, tuple(marker for marker in markers if marker is not None))
        if _can_hold(rest):
            yield replace(declared, condition=rest)

    def sources_of(self, name: str) -> tuple[list[Mapping[str, Any]], str]:
        """`[tool.uv.sources]` of a package, and the folder that its paths are relative to: own, else the root's."""
        if not self.lowering.uses_sources(name):
            return [], self.folder
        root = self.lowering.workspace.root
        for project, folder in ((self.project, self.folder), (root, ".")):
            sources = self.own_sources if project is self.project else self.lowering.root_sources
            if name in sources:
                value = sources[name]
                return tables(value if isinstance(value, list) else [value]), folder
        return [], self.folder

    @cached_property
    def own_sources(self) -> Mapping[str, Any]:
        """`[tool.uv.sources]` by normalised name; of two spellings of one name, the first counts."""
        return _by_name(self.project)

    def with_source(self, declared: Declared, item: Mapping[str, Any], base: str) -> Declared:
        if "index" in item:
            return replace(declared, source=self.index(str(item["index"])))
        # Only an index keeps the version specifiers: elsewhere the source is the version.
        bare = replace(declared, specifiers=frozenset(), constraint="")
        subdirectory = str(item.get("subdirectory") or "")
        if "git" in item:
            reference = next((f"{key}={item[key]}" for key in ("tag", "branch", "rev") if key in item), "")
            return replace(bare, source=git_source(str(item["git"]), reference, subdirectory))
        if "url" in item:
            source = Source(kind=SourceKind.URL, location=str(item["url"]), subdirectory=subdirectory)
            return replace(bare, source=canonical(source, "."))
        if "path" in item:
            return replace(bare, source=_path_source(str(item["path"]), base, subdirectory))
        if item.get("workspace") is True and declared.name in self.lowering.members:
            folder = self.lowering.members[declared.name].folder
            return replace(bare, source=canonical(Source(kind=SourceKind.DIRECTORY, location=folder), "."))
        message = f"a source that only uv can read: {dict(item)!r}"
        raise UnknownRequirementError(message)

    def index(self, name: str) -> tuple[str, ...]:
        """The address of a named index: the project's own, the root's, then those of the settings."""
        settings = self.lowering.settings
        for values in (self.project.uv, self.lowering.workspace.root.uv, settings.values if settings else {}):
            for item in tables(values.get("index")):
                if item.get("name") == name and isinstance(item.get("url"), str):
                    return index_source(item["url"])
        message = f"an index without an address here: {name}"
        raise UnknownRequirementError(message)


def _by_name(project: Project) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table(project.uv.get("sources")).items():
        found.setdefault(normalize(key), value)
    return found


def _path_source(path: str, base: str, subdirectory: str) -> tuple[str, ...]:
    if path.startswith(("/", "~", "file:")) or "$" in path or "\\" in path:
        message = f"a path that depends on the machine: {path}"
        raise UnknownRequirementError(message)
    location = posixpath.normpath(posixpath.join(base, path))
    kind = SourceKind.PATH if location.lower().endswith(_ARCHIVES) else SourceKind.DIRECTORY
    return canonical(Source(kind=kind, location=location, subdirectory=subdirectory), ".")


def _can_hold(condition: Condition) -> bool:
    """Whether a condition holds anywhere, in any Python: uv drops what never does."""
    sample = environments(frozenset(condition.markers))
    if sample is None:
        return True
    extras = extras_of(condition.markers)
    return any(condition.holds(environment, extras) for environment in sample)


def _strings(values: object) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        message = "a list that holds more than strings"
        raise UnknownRequirementError(message)
    return values
