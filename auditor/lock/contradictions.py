"""Where the edges of a lock contradict the requirements that the same lock says they were made from.

uv writes both, `package.metadata` and the edges, and compares neither with the other: an edge that was removed by hand,
or a version below its specifier, stays. Overrides and exclusions of the manifest change what the edges must be.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from auditor.lock.compare import canonical
from auditor.lock.model import ConflictItem, SourceKind
from auditor.lock.requirements import Condition, Declared, flattened, read_requirements
from auditor.lock.shape import items, table, tables
from auditor.lock.space import comparisons, environments, extras_of
from auditor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Set as AbstractSet

    from auditor.lock.declarations import Lowering
    from auditor.lock.marker import Marker
    from auditor.lock.model import Edge, Lock, Package

METADATA_FREE: Final = 4  # the first revision whose locks may leave out `package.metadata`
_CHOICES: Final = 256  # ways to choose among conflicting items that are looked at


class Kind(StrEnum):
    """What contradicts what."""

    MISSING = "missing"
    GAP = "gap"
    SURPLUS = "surplus"
    VERSION = "version"
    SOURCE = "source"
    EXTRA = "extra"
    BOUND = "bound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """One contradiction.

    Attributes:
        kind: see `Kind`.
        package: whose edges they are; for `BOUND`, the entry itself.
        name: the package that the edge is to.
        section: empty for plain dependencies, else `extra x` or `group g`.
        requirement: what the metadata or the manifest asks for, or an empty string.
        target: the entry that the edge is to, where there is an edge.
        extra: the extra in question.
        where: an environment without an edge, for `GAP`.
    """

    kind: Kind
    package: Package
    name: str
    section: str = ""
    requirement: str = ""
    target: Package | None = None
    extra: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class _Section:
    """One list of edges, the requirements it was made from, and the items that are active in it."""

    title: str
    edges: tuple[Edge, ...]
    requirements: Mapping[str, Sequence[Declared]]
    active: frozenset[str]
    unknown: AbstractSet[str]
    is_member: bool


def contradictions(lock: Lock, lowering: Lowering | None) -> Iterator[Contradiction]:
    """Every contradiction of a lock with itself.

    Args:
        lock: any.
        lowering: of the pyproject.toml beside it: stands in for metadata that a member does not have.
    """
    changes = _Changes(lock)
    roots = {root.index for root in lock.roots} | {
        package.index
        for package in lock.packages
        if package.name in lock.manifest.members and package.source.is_local_tree
    }
    for package in lock.packages:
        if package.source.kind in {SourceKind.REGISTRY, SourceKind.GIT} or package.name in changes.static:
            continue
        for section in _sections(lock, package, lowering, changes, is_member=package.index in roots):
            yield from _in_section(lock, package, section, changes)
    yield from _bounds(lock, changes)


class _Changes:
    """What the manifest changes in every package's requirements."""

    def __init__(self, lock: Lock) -> None:
        raw = lock.manifest.raw
        entries = tables(raw.get("overrides"))
        scoped = [entry for entry in entries if "name" not in entry]
        self.overrides: dict[str, list[Declared]] = defaultdict(list)
        for each in read_requirements([entry for entry in entries if "name" in entry]) or ():
            self.overrides[each.name].append(each)
        excludes = items(raw.get("excludes"))
        self.excluded = {normalize(entry) for entry in excludes if isinstance(entry, str)}
        # Rules for one package's dependencies: what they touch is not judged.
        self.unknown = {
            normalize(str(each.get("name", "") if isinstance(each, dict) else each))
            for entry in (*scoped, *tables(excludes))
            for each in items(entry.get("dependencies"))
        }
        self.static = {normalize(str(entry.get("name", ""))) for entry in tables(raw.get("dependency-metadata"))}
        self.constraints = read_requirements(raw.get("constraints", [])) or ()

    def applied(self, declared: Sequence[Declared]) -> dict[str, list[Declared]]:
        """Requirements by name, after overrides and exclusions: an override replaces all but the extra's condition."""
        found: dict[str, list[Declared]] = defaultdict(list)
        for each in declared:
            if each.name not in self.excluded:
                found[each.name] += self.overrides.get(each.name) or [each]
        return found


def _sections(
    lock: Lock, package: Package, lowering: Lowering | None, changes: _Changes, *, is_member: bool
) -> Iterator[_Section]:
    known = _requirements(lock, package, lowering, is_member=is_member)
    if known is None:
        return
    requires, groups = known
    by_extra: dict[str | None, list[Declared]] = defaultdict(list)
    unknown = set(changes.unknown)
    for each in flattened(requires, package.name):
        extra, rest = _split_extra(each)
        by_extra[extra].append(rest)
        if extras_of(rest.condition.markers):  # one requirement of several extras: only uv can take it apart
            unknown.add(rest.name)
    project = frozenset({ConflictItem(package.name).encoded}) if is_member else frozenset[str]()
    yield _Section("", package.dependencies, changes.applied(by_extra[None]), project, unknown, is_member)
    extras = package.optional.keys() | (by_extra.keys() - {None} if is_member else frozenset())
    for extra in sorted(str(name) for name in extras):
        active = project | {ConflictItem(package.name, extra=extra).encoded}
        requirements = changes.applied(by_extra.get(extra, ()))
        yield _Section(f"extra {extra}", package.optional.get(extra, ()), requirements, active, unknown, is_member)
    for group in sorted(groups.keys() | package.groups.keys()) if is_member else ():
        wanted = groups.get(group, ())
        if wanted is not None:
            active = frozenset({ConflictItem(package.name, group=group).encoded})
            edges = package.groups.get(group, ())
            yield _Section(f"group {group}", edges, changes.applied(wanted), active, unknown, is_member)


def _requirements(
    lock: Lock, package: Package, lowering: Lowering | None, *, is_member: bool
) -> tuple[Sequence[Declared], Mapping[str, Sequence[Declared] | None]] | None:
    """(dependencies with extras, groups) of a package; None where nothing tells."""
    if package.metadata or (lock.revision < METADATA_FREE and is_member):
        requires = read_requirements(package.metadata.get("requires-dist", []))
        groups = {
            normalize(name): read_requirements(values)
            for name, values in table(package.metadata.get("requires-dev")).items()
        }
        return None if requires is None else (requires, groups)
    member = lowering.members.get(package.name) if lowering is not None and is_member else None
    if lowering is None or member is None:
        return None
    declared = lowering.declarations(member)
    return None if declared.requires is None else (declared.requires, declared.groups)


def _split_extra(declared: Declared) -> tuple[str | None, Declared]:
    """The extra that a requirement belongs to, and the requirement without that condition."""
    extra, rest = None, []
    for marker in declared.condition.needed:
        atoms = list(comparisons(marker.root))
        if len(atoms) == 1 and atoms[0].variable == "extra" and atoms[0].operator == "==":
            extra = normalize(atoms[0].literal)
        else:
            rest.append(marker)
    return extra, replace(declared, condition=Condition(tuple(rest), declared.condition.excluded))


def _in_section(lock: Lock, package: Package, section: _Section, changes: _Changes) -> Iterator[Contradiction]:
    edges: dict[str, list[Edge]] = defaultdict(list)
    for edge in section.edges:
        edges[lock.packages[edge.target].name].append(edge)
    for name in sorted((section.requirements.keys() | edges.keys()) - section.unknown):
        wanted, found = section.requirements.get(name, []), edges.get(name, [])
        if not wanted:
            if name not in changes.excluded:
                yield Contradiction(
                    kind=Kind.SURPLUS,
                    package=package,
                    name=name,
                    section=section.title,
                    target=lock.packages[found[0].target],
                )
            continue
        if not found:
            lost = next((each for each in wanted if _can_hold(lock, each.condition)), None)
            if lost is not None:
                yield Contradiction(
                    kind=Kind.MISSING, package=package, name=name, section=section.title, requirement=str(lost)
                )
            continue
        where = next((place for each in wanted if (place := _gap(lock, section, each, found))), "")
        if where:
            yield Contradiction(
                kind=Kind.GAP,
                package=package,
                name=name,
                section=section.title,
                requirement=", ".join(str(each) for each in wanted),
                where=where,
            )
        yield from _extras(lock, package, section, wanted, found)
        for edge, each in itertools.product(found, wanted):
            target = lock.packages[edge.target]
            kind = _mismatch(each, target)
            if kind is not None and _meet(lock, edge, each.condition, section.active):
                yield Contradiction(
                    kind=kind,
                    package=package,
                    name=name,
                    section=section.title,
                    requirement=str(each),
                    target=target,
                )


def _extras(
    lock: Lock, package: Package, section: _Section, wanted: Sequence[Declared], found: Sequence[Edge]
) -> Iterator[Contradiction]:
    """Extras that the requirement names and no edge asks for, though the target has them; and the reverse."""
    asked = {extra for each in wanted for extra in each.extras}
    given = {extra for edge in found for extra in edge.extras}
    for extra in sorted(asked ^ given):
        targets = [lock.packages[edge.target] for edge in found]
        target = next((target for target in targets if extra in target.optional), None)
        source = next((each for each in wanted if extra in each.extras), None)
        # An edge to an extra that its target lacks is a finding of its own (LA310).
        if target is None or (source is not None and not _can_hold(lock, source.condition)):
            continue
        yield Contradiction(
            kind=Kind.EXTRA,
            package=package,
            name=target.name,
            section=section.title,
            requirement="" if source is None else str(source),
            target=target,
            extra=extra,
        )


def _mismatch(declared: Declared, target: Package) -> Kind | None:
    """How an entry is not what was asked for."""
    if target.version is not None and not declared.admits(target.version):
        return Kind.VERSION
    if not declared.source:
        return None
    found: tuple[str, ...] = canonical(target.source, ".")
    wanted: tuple[str, ...] = declared.source
    if target.source.kind is SourceKind.GIT:  # repository and subdirectory; the commit is the lock's to choose
        found, wanted = (*found[:2], *found[3:4]), (*wanted[:2], *wanted[3:4])
    return None if wanted == found else Kind.SOURCE


def _bounds(lock: Lock, changes: _Changes) -> Iterator[Contradiction]:
    """Constraints and overrides without a condition, which hold for every entry of their name."""
    for each in (*changes.constraints, *(one for entries in changes.overrides.values() for one in entries)):
        if each.condition.markers or not each.specifiers:
            continue
        for package in lock.by_name.get(each.name, ()):
            if package.version is not None and not each.admits(package.version):
                yield Contradiction(kind=Kind.BOUND, package=package, name=each.name, requirement=str(each))


def _within(lock: Lock) -> tuple[Marker, ...]:
    return lock.resolution_markers or lock.supported_markers


def _can_hold(lock: Lock, condition: Condition) -> bool:
    """Whether a requirement counts in some environment of the lock."""
    if not condition.markers:
        return True
    sample = environments(frozenset(condition.markers), lock.requires_python, _within(lock))
    return sample is not None and any(condition.holds(environment) for environment in sample)


def _gap(lock: Lock, section: _Section, declared: Declared, edges: Sequence[Edge]) -> str:
    """An environment where a requirement counts and none of its edges holds; an empty string if there is none.

    Only of members: uv simplifies the markers of other packages by where they are reached at all.
    """
    markers = [edge.marker for edge in edges if edge.marker is not None]
    if len(markers) < len(edges) or not section.is_member:
        return ""
    sample = environments(frozenset((*markers, *declared.condition.markers)), lock.requires_python, _within(lock))
    choices = _choices(lock, edges, section.active)
    for environment in sample or () if choices is not None else ():
        if not declared.condition.holds(environment):
            continue
        for choice in choices or ():
            if _is_resolved(lock, environment, choice) and not any(
                marker.evaluate(environment, choice) for marker in markers
            ):
                return _place(environment, [*markers, *declared.condition.markers])
    return ""


def _is_resolved(lock: Lock, environment: Mapping[str, str], choice: frozenset[str]) -> bool:
    """Whether a fork of the lock is for an environment and a choice of conflicting items."""
    forks = _within(lock)
    return not forks or any(marker.evaluate(environment, choice) for marker in forks)


def _place(environment: Mapping[str, str], markers: Sequence[Marker]) -> str:
    """An environment, by the variables that the markers look at."""
    names = sorted({atom.variable for marker in markers for atom in comparisons(marker.root)} & environment.keys())
    return ", ".join(f"{name} {environment[name]}" for name in names)


def _meet(lock: Lock, edge: Edge, condition: Condition, active: frozenset[str]) -> bool:
    """Whether an edge and a requirement hold together in some environment and some choice of conflicting items."""
    if edge.marker is None and not condition.markers:
        return True
    markers = frozenset(condition.markers if edge.marker is None else (edge.marker, *condition.markers))
    sample = environments(markers, lock.requires_python, _within(lock))
    choices = _choices(lock, (edge,), active)
    if sample is None or choices is None:
        return False
    return any(
        condition.holds(environment) and (edge.marker is None or edge.marker.evaluate(environment, choice))
        for environment in sample
        for choice in choices
    )


def _choices(lock: Lock, edges: Sequence[Edge], active: frozenset[str]) -> list[frozenset[str]] | None:
    """Every set of conflicting items that can be active together with `active`; None where there are too many."""
    fixed = active | {
        ConflictItem(lock.packages[edge.target].name, extra=extra).encoded for edge in edges for extra in edge.extras
    }
    if not any(edge.marker is not None and edge.marker.mentions_extras() for edge in edges):
        return [fixed]
    found = [fixed]
    for conflict in lock.conflicts:
        names = {item.encoded for item in conflict}
        if not names & fixed:
            found = [
                choice | extra
                for choice in found
                for extra in (frozenset[str](), *(frozenset({name}) for name in sorted(names)))
            ]
        if len(found) > _CHOICES:
            return None
    return found
