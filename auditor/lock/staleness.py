"""Whether a lock belongs to the pyproject.toml beside it: what `uv lock --check` compares, from the files alone.

The order and the leniencies are uv's (`ValidatedLock::validate`, `Lock::satisfies`, verified with uv 0.13.9): bounds of
`requires-python` only, requirements as sets, and constraints, overrides, exclusions and static metadata only for names
that the lock has. What only a build can tell is not judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auditor.lock.declarations import lowering_of
from auditor.lock.marker import parse_version
from auditor.lock.model import SourceKind
from auditor.lock.requirements import (
    Condition,
    Declared,
    UnknownRequirementError,
    differences,
    flattened,
    marker_of,
    parse_requirement,
    read_requirements,
)
from auditor.lock.selection import DEFAULT_GROUPS
from auditor.lock.shape import items, table, tables, texts
from auditor.lock.space import same_pythons
from auditor.lock.workspace import Member
from auditor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from auditor.lock.declarations import Declarations, Lowering
    from auditor.lock.model import Lock, Package
    from auditor.lock.pair import Side
    from auditor.lock.project import Project
    from auditor.lock.workspace import Workspace

EXTRAS_REVISION: Final = 1  # the first revision that writes `provides-extras` and empty groups
GROUPS_REVISION: Final = 5  # the first that writes default groups
_LISTS: Final = (
    ("constraint-dependencies", "constraints"),
    ("override-dependencies", "overrides"),
    ("build-constraint-dependencies", "build-constraints"),
)
# setting, option of the lock, what it is where the lock does not say
_OPTIONS: Final = (
    ("resolution", "resolution-mode", "highest"),
    ("prerelease", "prerelease-mode", "if-necessary-or-explicit"),
    ("fork-strategy", "fork-strategy", "requires-python"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing in which a lock and its pyproject.toml disagree.

    Attributes:
        what: as a message says it.
        key: of the lock, where it stands: of `package`, or a top-level one.
        package: the entry that it is about, or None.
        only_project: what only the pyproject.toml has.
        only_lock: what only the lock has.
        project: the pyproject.toml.
        at: text that it stands at there.
    """

    what: str
    key: str
    at: str
    project: Project
    package: Package | None = None
    only_project: tuple[str, ...] = ()
    only_lock: tuple[str, ...] = ()


def staleness(side: Side, root: Path) -> Iterator[Difference]:
    """Every difference between a side's lock and its pyproject.toml.

    Args:
        side: with a project; a side without one has nothing to compare.
        root: the audited folder.

    Raises:
        InputError: a settings file that cannot be read.
    """
    lowering = lowering_of(side, root)
    if lowering is None:
        return
    workspace = lowering.workspace
    members = workspace.members
    if members is not None:
        yield from _pythons(side.lock, workspace.root, members)
        yield from _member_names(side.lock, workspace, members)
        yield from _conflicts(side.lock, workspace.root, members)
        for name, member in members.items():
            for package in side.lock.by_name.get(name, ()):
                if package.source.is_local_tree and package.source.location.rstrip("/") == member.folder:
                    yield from _member(side.lock, package, member, lowering)
    if not workspace.root.name:
        root_member = Member(folder=".", project=workspace.root)
        locked = table(side.lock.manifest.raw.get("dependency-groups"))
        yield from _groups(side.lock, None, root_member, lowering.declarations(root_member), locked)
    yield from _lists(side.lock, lowering)
    yield from _excludes(side.lock, workspace.root)
    yield from _static_metadata(side.lock, lowering)
    yield from _options(side.lock, lowering)
    yield from _environments(side.lock, workspace.root)


def _pythons(lock: Lock, root: Project, members: Mapping[str, Member]) -> Iterator[Difference]:
    """The bounds of `requires-python`: of a workspace, what all members admit."""
    wanted = ", ".join(dict.fromkeys(text for member in members.values() if (text := member.project.requires_python)))
    if wanted and not same_pythons(wanted, lock.requires_python):
        yield Difference(
            what=f"it was resolved for Python {lock.requires_python}, the project asks for {wanted}",
            key="requires-python",
            at="requires-python",
            project=root,
        )


def _member_names(lock: Lock, workspace: Workspace, members: Mapping[str, Member]) -> Iterator[Difference]:
    """`manifest.members`: empty for a single project, which is its own root."""
    single = workspace.root.name and len(members) == 1
    wanted = set() if single else set(members)
    locked = set(lock.manifest.members)
    missing = {name for name in members if name not in lock.by_name}
    if wanted != locked or missing:
        yield Difference(
            what="the workspace has other members",
            key="members",
            at="[tool.uv.workspace]" if workspace.declared is not None else "[project]",
            project=workspace.root,
            only_project=tuple(sorted((wanted - locked) | missing)),
            only_lock=tuple(sorted(locked - wanted)),
        )


def _member(lock: Lock, package: Package, member: Member, lowering: Lowering) -> Iterator[Difference]:
    declared = lowering.declarations(member)
    yield from _version(package, member.project)
    yield from _kind(lock, package, member.project)
    if package.metadata:  # from revision 4 on it may be missing
        yield from _requires(lock, package, member.project, declared)
        yield from _extras(lock, package, member.project, declared)
        yield from _groups(lock, package, member, declared, table(package.metadata.get("requires-dev")))
    if lock.revision >= GROUPS_REVISION:
        yield from _default_groups(package, member.project)


def _version(package: Package, project: Project) -> Iterator[Difference]:
    text = project.tables.get("project", {}).get("version")
    version = parse_version(text) if isinstance(text, str) else None
    if version is not None and package.version is not None and version != package.version:
        yield Difference(
            what=f"it has {package.label}, the project is at {text}",
            key="version",
            at="version =",
            project=project,
            package=package,
        )


def _kind(lock: Lock, package: Package, project: Project) -> Iterator[Difference]:
    """Whether uv builds the project: `tool.uv.package`, else whether it has a build system."""
    explicit = project.uv.get("package")
    builds = explicit if isinstance(explicit, bool) else "build-system" in project.tables
    if explicit is None and not builds and _is_needed(lock, package):
        return  # a member that others need counts as a package, but not for every version of uv
    if (package.source.kind is SourceKind.VIRTUAL) == builds:
        yield Difference(
            what=f"{package.name} is {'' if builds else 'not '}built, by `tool.uv.package` or `[build-system]`",
            key="source",
            at="[build-system]" if explicit is None else "package =",
            project=project,
            package=package,
        )


def _is_needed(lock: Lock, package: Package) -> bool:
    return any(
        edge.target == package.index
        for other in lock.packages
        if other.index != package.index
        for edges in (other.dependencies, *other.optional.values(), *other.groups.values())
        for edge in edges
    )


def _requires(lock: Lock, package: Package, project: Project, declared: Declarations) -> Iterator[Difference]:
    locked = read_requirements(package.metadata.get("requires-dist", []))
    if declared.requires is None or locked is None:
        return
    missing, surplus = differences(declared.requires, locked, lock.requires_python)
    if (missing or surplus) and package.version is None:
        # The metadata of a dynamic project may come from its backend, and some write self-references out.
        flat = flattened(declared.requires, package.name)
        if differences(flat, locked, lock.requires_python) == ([], []):
            return
    if missing or surplus:
        yield Difference(
            what=f"{package.name} has other dependencies",
            key="requires-dist",
            at="dependencies = [",
            project=project,
            package=package,
            only_project=_shown(missing),
            only_lock=_shown(surplus),
        )


def _extras(lock: Lock, package: Package, project: Project, declared: Declarations) -> Iterator[Difference]:
    provided = {normalize(extra) for extra in texts(package.metadata.get("provides-extras"))}
    if lock.revision >= EXTRAS_REVISION and declared.extras is not None and provided != declared.extras:
        yield Difference(
            what=f"{package.name} has other extras",
            key="provides-extras",
            at="[project.optional-dependencies]",
            project=project,
            package=package,
            only_project=tuple(sorted(declared.extras - provided)),
            only_lock=tuple(sorted(provided - declared.extras)),
        )


def _groups(
    lock: Lock, package: Package | None, member: Member, declared: Declarations, written: Mapping[str, Any]
) -> Iterator[Difference]:
    """Dependency groups: of a package in its metadata, of a root without `[project]` in the manifest."""
    locked = {normalize(name): value for name, value in written.items()}
    counts_empty = package is not None and lock.revision >= EXTRAS_REVISION
    for name in sorted(declared.groups.keys() | locked.keys()):
        wanted, found = declared.groups.get(name, ()), read_requirements(locked.get(name, []))
        if wanted is None or found is None:
            continue
        missing, surplus = differences(wanted, found, lock.requires_python)
        if missing or surplus or (counts_empty and (name in declared.groups) != (name in locked)):
            yield Difference(
                what=f"the group {name} has other dependencies",
                key=name if package is not None else "dependency-groups",
                at=f"{name} = [",
                project=member.project,
                package=package,
                only_project=_shown(missing) or (() if name in locked else ("the group itself",)),
                only_lock=_shown(surplus) or (() if name in declared.groups else ("the group itself",)),
            )


def _default_groups(package: Package, project: Project) -> Iterator[Difference]:
    wanted = set(DEFAULT_GROUPS if project.default_groups is None else project.default_groups)
    locked = set(DEFAULT_GROUPS if package.default_groups is None else package.default_groups)
    if wanted != locked:
        yield Difference(
            what="uv installs other dependency groups by default",
            key="default-groups",
            at="default-groups",
            project=project,
            package=package,
            only_project=tuple(sorted(wanted - locked)),
            only_lock=tuple(sorted(locked - wanted)),
        )


def _lists(lock: Lock, lowering: Lowering) -> Iterator[Difference]:
    for key, name in _LISTS:
        wanted, locked = lowering.root_list(key), read_requirements(lock.manifest.raw.get(name, []))
        if wanted is None or locked is None:
            continue
        if name != "build-constraints":
            known = lock.by_name.keys() | {each.name for each in locked}
            wanted = tuple(each for each in wanted if each.name in known)
        missing, surplus = differences(wanted, locked, lock.requires_python)
        if missing or surplus:
            yield Difference(
                what=f"other {key}",
                key=name,
                at=key,
                project=lowering.workspace.root,
                only_project=_shown(missing),
                only_lock=_shown(surplus),
            )


def _excludes(lock: Lock, root: Project) -> Iterator[Difference]:
    asked, written = items(root.uv.get("exclude-dependencies")), items(lock.manifest.raw.get("excludes"))
    if not all(isinstance(item, str) for item in (*asked, *written)):
        return  # exclusions of one package's dependencies
    locked = {normalize(item) for item in written}
    wanted = {normalize(item) for item in asked} & (lock.by_name.keys() | locked)
    if wanted != locked:
        yield Difference(
            what="other exclude-dependencies",
            key="excludes",
            at="exclude-dependencies",
            project=root,
            only_project=tuple(sorted(wanted - locked)),
            only_lock=tuple(sorted(locked - wanted)),
        )


def _static_metadata(lock: Lock, lowering: Lowering) -> Iterator[Difference]:
    """`[[tool.uv.dependency-metadata]]`, which replaces a package's own dependencies."""
    values = lowering.settings.values if lowering.settings is not None else {}
    try:
        locked = dict(_static_entries(tables(lock.manifest.raw.get("dependency-metadata"))))
        wanted = dict(_static_entries(tables(values.get("dependency-metadata"))))
    except UnknownRequirementError:
        return
    known = lock.by_name.keys() | {name for name, _ in locked}
    wanted = {key: value for key, value in wanted.items() if key[0] in known}
    changed = [
        key[0]
        for key in sorted(wanted.keys() | locked.keys())
        if key not in wanted
        or key not in locked
        or differences(wanted[key], locked[key], lock.requires_python) != ([], [])
    ]
    if changed:
        yield Difference(
            what=f"other dependency-metadata of {', '.join(dict.fromkeys(changed))}",
            key="dependency-metadata",
            at="dependency-metadata",
            project=lowering.workspace.root,
        )


def _static_entries(entries: Iterable[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], tuple[Declared, ...]]]:
    for entry in entries:
        version = parse_version(str(entry.get("version", "")))
        requirements = tuple(parse_requirement(text) for text in texts(entry.get("requires-dist")))
        yield (normalize(str(entry.get("name", ""))), "" if version is None else str(version)), requirements


def _options(lock: Lock, lowering: Lowering) -> Iterator[Difference]:
    """Options that the settings name. One that only the lock has may come from a command line or the environment."""
    values = lowering.settings.values if lowering.settings is not None else {}
    for key, name, default in _OPTIONS:
        wanted, locked = values.get(key), lock.options.get(name, default)
        if isinstance(wanted, str) and wanted != locked:
            yield Difference(
                what=f"it was resolved with {key} {locked}, the settings say {wanted}",
                key=name if name in lock.options else "requires-python",
                at=f"{key} =",
                project=lowering.workspace.root,
            )


def _environments(lock: Lock, root: Project) -> Iterator[Difference]:
    for key, name, markers in (
        ("environments", "supported-markers", lock.supported_markers),
        ("required-environments", "required-markers", lock.required_markers),
    ):
        try:
            wanted = [marker_of(text) for text in texts(root.uv.get(key))]
        except UnknownRequirementError:
            continue
        one, other = ([(Declared(name=key, condition=Condition((each,))),) for each in s] for s in (wanted, markers))
        if len(one) != len(other) or any(
            differences(first, second, lock.requires_python) != ([], [])
            for first, second in zip(one, other, strict=True)
        ):
            yield Difference(
                what=f"it was resolved for other {key}",
                key=name,
                at=f"{key} =",
                project=root,
                only_project=tuple(str(marker) for marker in wanted),
                only_lock=tuple(str(marker) for marker in markers),
            )


def _conflicts(lock: Lock, root: Project, members: Mapping[str, Member]) -> Iterator[Difference]:
    wanted: set[frozenset[tuple[str, str, str]]] = set()
    projects = [(name, member.project) for name, member in members.items()]
    for name, project in projects if root.name else [("", root), *projects]:
        groups = project.tables.get("dependency-groups", {})
        includes = any(tables(values) for values in groups.values())
        for conflict in items(project.uv.get("conflicts")):
            if includes and any("group" in item for item in tables(conflict)):
                return  # uv adds the groups that include a conflicting one
            wanted.add(frozenset(_conflict_item(item, name) for item in tables(conflict)))
    locked = {
        frozenset((item.package, item.extra or "", item.group or "") for item in conflict)
        for conflict in lock.conflicts
    }
    if wanted != locked:
        yield Difference(what="other conflicts", key="conflicts", at="conflicts", project=root)


def _conflict_item(item: Mapping[str, Any], project: str) -> tuple[str, str, str]:
    package, extra, group = (str(item.get(key, "")) for key in ("package", "extra", "group"))
    return normalize(package) or project, normalize(extra), normalize(group)


def _shown(declared: Iterable[Declared]) -> tuple[str, ...]:
    return tuple(str(each) for each in declared)
