"""Harmful: edges that are not what they were, and locks that contradict themselves or their project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bench.drift.kind import Family
from bench.drift.text import edge_line

if TYPE_CHECKING:
    from random import Random

    from auditor.lock.model import Edge, Package
    from auditor.rules.context import TargetContext
    from bench.drift.kind import Expected
    from bench.drift.text import EdgeLine
    from bench.drift.view import Draft, View

EDGES: Final = Family("edge")

_UNREACHED: Final = "dev no longer reaches what the edge led to, or only through a group or an extra"
ORPHAN: Final = "nothing else needs what the edge led to"
_OTHER_ENTRY: Final = "the entry that the edge now leads to differs from dev's in more than its version"
_BROUGHT: Final = "the extra brings packages that dev does not install"
_OWN: Final = "a package by its URL or path has metadata in the lock, which its edges contradict now"
_LAST_WITH_METADATA: Final = 3  # later revisions may leave it out
MARKER: Final = re.compile(r', marker = "[^"]*"')


def held(view: View, *, root: bool) -> list[tuple[TargetContext, Package, Edge, EdgeLine]]:
    """Edges of prod that hold on a target, of its own entry or of the others (of a package that dev has alike)."""
    lock = view.lock("prod")
    found = []
    for on in view.on_targets:
        alike = {prod.index for prod, dev in on.common if prod.version == dev.version and prod.source == dev.source}
        for index, edges in sorted(on.prod.edges.items()):
            is_root = index in {each.index for each in lock.roots}
            if is_root != root or (not root and index not in alike):
                continue
            held = {lock.packages[edge.target].name: edge for edge in edges}
            lines = list(view.texts["prod"].entries[index].edges())
            for line in lines:
                once = sum(each.name == line.name for each in lines) == 1
                if line.name in held and once and lock.packages[index].name not in view.accepted:
                    found.append((on, lock.packages[index], held[line.name], line))
    return found


@EDGES.kind("edge between two packages removed", LA305=ORPHAN, LA302=_OWN)
def _removed(draft: Draft, rng: Random) -> Expected | None:
    found = [each for each in held(draft.view, root=False) if not each[3].section]
    if not found:
        return None
    _, package, _, line = rng.choice(found)
    draft.entry("prod", package).drop_line(line.line)
    draft.note = f"{package.name} -> {line.name} removed"
    return [("LA113", package.name)]


@EDGES.kind("edge between two packages narrowed to another platform", LA302=_OWN)
def _narrowed(draft: Draft, rng: Random) -> Expected | None:
    found = [each for each in held(draft.view, root=False) if not each[3].section]
    if not found:
        return None
    _, package, _, line = rng.choice(found)
    new = MARKER.sub("", line.line).replace(" },", ", marker = \"sys_platform == 'cygwin'\" },")
    draft.entry("prod", package).replace(line.line, new)
    draft.note = f"{package.name} -> {line.name} on cygwin"
    return [("LA113", package.name)]


@EDGES.kind("edge between two packages added", LA302=_OWN)
def _added(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    victim = view.pick(rng, lambda each: each.from_registry)
    if victim is None:
        return None
    lines = {each.name for each in view.texts["prod"].entries[victim.prod.index].edges()}
    everywhere = set.intersection(*({prod.name for prod, _ in on.common} for on in view.on_targets))
    pool = [
        name
        for name in sorted(everywhere - lines - {victim.name, "torch"})
        if len(view.lock("prod").by_name[name]) == 1
    ]
    if not pool:
        return None
    name = rng.choice(pool)
    draft.entry("prod", victim.prod).add_edge(edge_line(name))
    draft.note = f"{victim.name} -> {name} added"
    return [("LA113", victim.name)]


@EDGES.kind("edge removed in dev", LA305=ORPHAN, LA302=_OWN, LA101=_UNREACHED, LA102=_UNREACHED, LA104=_UNREACHED)
def _removed_in_dev(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    found = []
    for _, package, _, line in held(view, root=False):
        twins = [
            each
            for each in view.lock("dev").by_name.get(package.name, ())
            if each.version == package.version and each.source == package.source
        ]
        if len(twins) == 1 and not line.section and line.line in view.texts["dev"].entries[twins[0].index].text:
            found.append((twins[0], line))
    if not found:
        return None
    package, line = rng.choice(found)
    draft.entry("dev", package).drop_line(line.line)
    draft.note = f"{package.name} -> {line.name} removed in dev"
    return [("LA113", package.name)]


@EDGES.kind("extra of an edge dropped", LA305=ORPHAN, LA302="the project asks for that extra")
def _extra(draft: Draft, rng: Random) -> Expected | None:
    found = []
    for on, package, edge, line in held(draft.view, root=False):
        target = draft.view.lock("prod").packages[edge.target]
        if "extra = [" in line.line and any(each in target.optional for each in edge.extras):
            found.append((on, package, line))
    if not found:
        return None
    _, package, line = rng.choice(found)
    draft.entry("prod", package).replace(line.line, re.sub(r", extra = \[[^\]]*\]", "", line.line))
    draft.note = f"{package.name} -> {line.name} without its extra"
    return [("LA113", package.name)]


@EDGES.kind("extra of an edge added", LA101=_BROUGHT, LA102=_BROUGHT, LA104=_BROUGHT, LA302=_OWN)
def _more_extras(draft: Draft, rng: Random) -> Expected | None:
    found = []
    for _, package, edge, line in held(draft.view, root=False):
        optional = draft.view.lock("prod").packages[edge.target].optional
        if optional and "extra = [" not in line.line and not line.section and not _asked(draft.view, edge.target):
            found.append((package, line, rng.choice(sorted(optional))))
    if not found:
        return None
    package, line, extra = rng.choice(found)
    new = line.line.replace(f'name = "{line.name}"', f'name = "{line.name}", extra = ["{extra}"]')
    draft.entry("prod", package).replace(line.line, new)
    draft.note = f"{package.name} -> {line.name}[{extra}]"
    return [("LA113", package.name)]


def _asked(view: View, target: int) -> bool:
    """Whether any edge of prod asks for an extra of a package."""
    return any(
        edge.target == target and edge.extras
        for each in view.lock("prod").packages
        for edges in (each.dependencies, *each.optional.values(), *each.groups.values())
        for edge in edges
    )


@EDGES.kind("extra of an edge that nothing has")
def _unknown_extra(draft: Draft, rng: Random) -> Expected | None:
    found = [each for each in held(draft.view, root=False) if "extra = [" not in each[3].line]
    if not found:
        return None
    _, package, _, line = rng.choice(found)
    new = line.line.replace(f'name = "{line.name}"', f'name = "{line.name}", extra = ["does-not-exist"]')
    draft.entry("prod", package).replace(line.line, new)
    draft.note = f"{package.name} -> {line.name}[does-not-exist]"
    return [("LA310", line.name)]


def _forks(view: View) -> list[tuple[TargetContext, Package, Package]]:
    """(target, the entry that prod selects, another entry of that name whose dependencies are there too)."""
    lock = view.lock("prod")
    found = []
    for on in view.on_targets:
        shared = {prod.index for prod, _ in on.common}
        for package in on.prod.dependencies:
            for other in lock.by_name[package.name]:
                names = {lock.packages[edge.target].name for edge in other.dependencies}
                known = {each.name for each in on.prod.packages}
                if (
                    other.index != package.index
                    and package.index in shared
                    and package.name not in view.accepted
                    and other.version != package.version
                    and names <= known
                    and on.target.chosen(other) is not None
                ):
                    found.append((on, package, other))
    return found


def _reference(view: View, package: Package) -> str:
    entry = view.texts["prod"].entries[package.index]
    return f'version = "{entry.field("version")}", source = {entry.source}'


@EDGES.kind(
    "edges swapped between two entries of a name",
    LA103=_OTHER_ENTRY,
    LA105=_OTHER_ENTRY,
    LA113=_OTHER_ENTRY,
    LA114=_OTHER_ENTRY,
    LA115=_OTHER_ENTRY,
    LA201=_OTHER_ENTRY,
    LA204=_OTHER_ENTRY,
    LA206=_OTHER_ENTRY,
    LA302=_OTHER_ENTRY,
)
def _swapped(draft: Draft, rng: Random) -> Expected | None:
    found = _forks(draft.view)
    if not found:
        return None
    _, package, other = rng.choice(found)
    mine, theirs = _reference(draft.view, package), _reference(draft.view, other)
    lead = f'{{ name = "{package.name}", '
    for each in draft.lock("prod").entries:
        each.text = (
            each.text.replace(lead + mine, lead + "\0")
            .replace(lead + theirs, lead + mine)
            .replace(lead + "\0", lead + theirs)
        )
    draft.note = f"{package.label} and {other.label} swapped"
    return [("LA201" if package.name == "torch" else "LA103", package.name)]


@EDGES.kind(
    "two entries of a name live at once",
    LA302=_OTHER_ENTRY,
    LA113=_OTHER_ENTRY,
    LA103="the second entry is another version than dev's",
    LA105="the second entry has another source than dev's",
    LA201="the second entry is another torch than dev's",
    LA204=_OTHER_ENTRY,
    LA115="what both entries need may be two entries, too",
    LA206=_OTHER_ENTRY,
)
def _two_live(draft: Draft, rng: Random) -> Expected | None:
    found = []
    for on, package, other in _forks(draft.view):
        wanted = _reference(draft.view, other)
        for parent in on.prod.packages:
            entry = draft.view.texts["prod"].entries[parent.index]
            found += [
                (package, parent, line)
                for line in entry.edges()
                if line.name == package.name and wanted in line.line and not line.section
            ]
    if not found:
        return None
    package, parent, line = rng.choice(found)
    entry = draft.entry("prod", parent)
    entry.replace(line.line, MARKER.sub("", line.line))
    draft.note = f"{parent.name} -> both {package.name}"
    return [("LA115", package.name)]
