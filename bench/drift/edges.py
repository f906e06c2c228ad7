"""Harmful: edges that are not what they were, and locks that contradict themselves or their project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import tomlkit

from auditor.lock.model import SourceKind
from auditor.lock.read import normalize
from bench.drift.kind import Family
from bench.drift.text import edge_line
from bench.drift.versions import raised

if TYPE_CHECKING:
    from random import Random

    from auditor.lock.model import Edge, Package
    from auditor.rules.context import TargetContext
    from bench.drift.kind import Expected
    from bench.drift.text import EdgeLine
    from bench.drift.view import Draft, Side, View

EDGES: Final = Family("edge")

_UNREACHED: Final = "dev no longer reaches what the edge led to, or only through a group or an extra"
_ORPHAN: Final = "nothing else needs what the edge led to"
_OTHER_ENTRY: Final = "the entry that the edge now leads to differs from dev's in more than its version"
_BROUGHT: Final = "the extra brings packages that dev does not install"
_OWN: Final = "a package by its URL or path has metadata in the lock, which its edges contradict now"
_LAST_WITH_METADATA: Final = 3  # later revisions may leave it out
_MARKER: Final = re.compile(r', marker = "[^"]*"')


def _held(view: View, *, root: bool) -> list[tuple[TargetContext, Package, Edge, EdgeLine]]:
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


@EDGES.kind("edge between two packages removed", LA305=_ORPHAN, LA302=_OWN)
def _removed(draft: Draft, rng: Random) -> Expected | None:
    found = [each for each in _held(draft.view, root=False) if not each[3].section]
    if not found:
        return None
    _, package, _, line = rng.choice(found)
    draft.entry("prod", package).drop_line(line.line)
    draft.note = f"{package.name} -> {line.name} removed"
    return [("LA113", package.name)]


@EDGES.kind("edge between two packages narrowed to another platform", LA302=_OWN)
def _narrowed(draft: Draft, rng: Random) -> Expected | None:
    found = [each for each in _held(draft.view, root=False) if not each[3].section]
    if not found:
        return None
    _, package, _, line = rng.choice(found)
    new = _MARKER.sub("", line.line).replace(" },", ", marker = \"sys_platform == 'cygwin'\" },")
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


@EDGES.kind("edge removed in dev", LA305=_ORPHAN, LA302=_OWN, LA101=_UNREACHED, LA102=_UNREACHED, LA104=_UNREACHED)
def _removed_in_dev(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    found = []
    for _, package, _, line in _held(view, root=False):
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


@EDGES.kind("extra of an edge dropped", LA305=_ORPHAN, LA302="the project asks for that extra")
def _extra(draft: Draft, rng: Random) -> Expected | None:
    found = []
    for on, package, edge, line in _held(draft.view, root=False):
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
    for _, package, edge, line in _held(draft.view, root=False):
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
    found = [each for each in _held(draft.view, root=False) if "extra = [" not in each[3].line]
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
    entry.replace(line.line, _MARKER.sub("", line.line))
    draft.note = f"{parent.name} -> both {package.name}"
    return [("LA115", package.name)]


# -- the lock against its own metadata -----------------------------------------------------------------------------


def _has_metadata(view: View) -> bool:
    return view.roots("prod") and "requires-dist = [" in view.texts["prod"].root.text


@EDGES.kind("edge of the project removed, its requirement kept", LA305=_ORPHAN, LA110="nothing is left to install")
def _root_edge(draft: Draft, rng: Random) -> Expected | None:
    if not _has_metadata(draft.view):
        return None
    lines = list(draft.view.texts["prod"].root.edges())
    pool = sorted({each.name for each in lines if "'extra-" not in each.line})
    changed = {
        str(each.get("name", ""))
        for key in ("overrides", "excludes")
        for each in draft.view.lock("prod").manifest.raw.get(key, [])
        if isinstance(each, dict)
    }
    pool = [name for name in pool if name not in changed]
    if not pool:
        return None
    name = rng.choice(pool)
    section = rng.choice([each.section for each in lines if each.name == name])
    for line in lines:
        if line.name == name and line.section == section:
            draft.lock("prod").root.drop_line(line.line)
    draft.note = f"edge to {name} removed"
    return [("LA302", name)]


@EDGES.kind("edge of the project without a requirement")
def _surplus(draft: Draft, rng: Random) -> Expected | None:
    if not _has_metadata(draft.view):
        return None
    view = draft.view
    everywhere = set.intersection(*({prod.name for prod, _ in on.common} for on in view.on_targets))
    pool = [name for name in sorted(everywhere - view.direct) if len(view.lock("prod").by_name[name]) == 1]
    if not pool:
        return None
    name = rng.choice(pool)
    draft.lock("prod").root.add_edge(edge_line(name))
    draft.note = f"edge to {name} added"
    return [("LA302", name)]


@EDGES.kind("edge of the project narrowed to another platform", LA110="nothing is left to install")
def _root_narrowed(draft: Draft, rng: Random) -> Expected | None:
    if not _has_metadata(draft.view):
        return None
    found = [each for each in _held(draft.view, root=True) if "'extra-" not in each[3].line]
    if not found:
        return None
    _, _, _, line = rng.choice(found)
    new = _MARKER.sub("", line.line).replace(" },", ", marker = \"sys_platform == 'cygwin'\" },")
    draft.lock("prod").root.replace(line.line, new)
    draft.note = f"edge to {line.name} on cygwin"
    return [("LA302", line.name)]


@EDGES.kind("extra of the project's edge dropped", LA305=_ORPHAN)
def _root_extra(draft: Draft, rng: Random) -> Expected | None:
    if not _has_metadata(draft.view):
        return None
    found = [
        (line, edge)
        for _, _, edge, line in _held(draft.view, root=True)
        if any(each in draft.view.lock("prod").packages[edge.target].optional for each in edge.extras)
    ]
    if not found:
        return None
    line, _ = rng.choice(found)
    draft.lock("prod").root.replace(line.line, re.sub(r", extra = \[[^\]]*\]", "", line.line))
    draft.note = f"edge to {line.name} without its extra"
    return [("LA302", line.name)]


@EDGES.kind("requirement that the locked version does not satisfy")
def _unsatisfied(draft: Draft, rng: Random) -> Expected | None:
    """In metadata and pyproject.toml alike, so that only the version is wrong."""
    view = draft.view
    if not _has_metadata(view):
        return None
    root = view.texts["prod"].root
    entries = root.metadata("requires-dist")
    pool = []
    for victim in view.victims:
        mine = [each for each in entries if f'name = "{victim.name}"' in each]
        plain = len(mine) == 1 and "extra ==" not in mine[0] and "specifier" not in mine[0]
        if (
            plain
            and victim.from_registry
            and victim.prod.version
            and f'"{victim.name}"' in view.pair.files["prod/pyproject.toml"]
        ):
            pool.append((victim, mine[0]))
    pool = [(v, m) for v, m in pool if v.name in view.direct]
    if not pool:
        return None
    victim, entry = rng.choice(pool)
    if victim.prod.version is None:
        return None
    specifier = f">={raised(victim.prod.version).partition('+')[0]}"
    changed = entry.replace(" }", f', specifier = "{specifier}" }}')
    draft.lock("prod").root.set_metadata("requires-dist", [changed if each == entry else each for each in entries])
    items = draft.project("prod")["project"]["dependencies"]
    for place, each in enumerate(items):
        if str(each) == victim.name:
            items[place] = f"{victim.name}{specifier}"
            draft.note = f"{victim.name}{specifier}, locked at {victim.prod.version}"
            return [("LA302", victim.name)]
    return None


@EDGES.kind("entry that nothing needs")
def _orphan(draft: Draft, rng: Random) -> Expected | None:
    from bench.drift.membership import invented  # noqa: PLC0415 - membership builds on this module's neighbours

    name = invented(draft, rng)
    if name is None:
        return None
    draft.note = f"{name}, and no edge to it"
    return [("LA305", name)]


# -- the lock against its project ----------------------------------------------------------------------------------


def _requirement_name(text: str) -> str:
    return normalize(re.split(r"[^A-Za-z0-9._-]", text.strip())[0])


def _root_name(view: View, side: Side) -> str:
    return view.lock(side).roots[0].name


@EDGES.kind("dependency added to pyproject.toml alone")
def _stale_added(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("prod", "dev"))
    view = draft.view
    project = draft.project(side).get("project", {})
    if not view.roots(side) or "dependencies" not in project or "[package.metadata]" not in view.texts[side].root.text:
        return None
    project["dependencies"].append("a-new-dependency>=1")
    draft.note = f"a dependency added in {side}"
    return [("LA301", _root_name(view, side))]


@EDGES.kind("specifier changed in pyproject.toml alone")
def _stale_specifier(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    if not _has_metadata(view):
        return None
    items = draft.project("prod")["project"]["dependencies"]
    indexed = {each.name for each in view.lock("prod").packages if each.source.kind is SourceKind.REGISTRY}
    places = [place for place, each in enumerate(items) if _requirement_name(str(each)) in indexed]
    if not places:  # elsewhere the source is the version: uv drops the specifier
        return None
    place = rng.choice(places)
    name = _requirement_name(str(items[place]))
    if str(items[place]) == f"{name}>=0.0.1":
        return None
    items[place] = f"{name}>=0.0.1"
    draft.note = f"{name}>=0.0.1 in pyproject.toml"
    return [("LA301", _root_name(view, "prod"))]


@EDGES.kind("dependency removed from pyproject.toml alone")
def _stale_removed(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    if not _has_metadata(view):
        return None
    items = draft.project("prod")["project"]["dependencies"]
    if not len(items):
        return None
    place = rng.randrange(len(items))
    draft.note = f"{items[place]} removed from pyproject.toml"
    del items[place]
    return [("LA301", _root_name(view, "prod"))]


@EDGES.kind("source changed in pyproject.toml alone")
def _stale_source(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    if not _has_metadata(view):
        return None
    found = [
        each.name
        for each in view.victims
        if each.from_registry
        and each.name in view.direct
        and f'"{each.name}"' in view.pair.files["prod/pyproject.toml"]
    ]
    document = draft.project("prod")
    sources = document["tool"]["uv"].setdefault("sources", tomlkit.table())
    found = [each for each in found if each not in sources]
    if not found:
        return None
    name = rng.choice(sorted(set(found)))
    sources[name] = {"git": f"https://git.example/{name}.git", "tag": "v1"}
    draft.note = f"{name} from git in pyproject.toml"
    return [("LA301", _root_name(view, "prod"))]


@EDGES.kind("constraint added to pyproject.toml alone")
def _stale_constraint(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    victim = view.pick(rng, lambda each: each.prod.source.kind is SourceKind.REGISTRY)
    if victim is None:
        return None
    uv = draft.project("prod")["tool"]["uv"]
    uv["constraint-dependencies"] = [*uv.get("constraint-dependencies", []), f"{victim.name}<9999"]
    draft.note = f"{victim.name}<9999 in pyproject.toml"
    return [("LA301", None)]


@EDGES.kind("requires-python changed in pyproject.toml alone")
def _stale_python(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("prod", "dev"))
    project = draft.project(side).get("project", {})
    old = str(project.get("requires-python", ""))
    if not old or not draft.view.roots(side) or draft.view.lock(side).manifest.members:
        return None  # of a workspace, what every member admits counts
    project["requires-python"] = f">=3.{7 if '3.7' not in old else 6}"
    draft.note = f"requires-python {project['requires-python']} in {side}'s pyproject.toml"
    return [("LA301", None)]


@EDGES.kind("requirement of the metadata changed in the lock alone")
def _stale_metadata(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    if not _has_metadata(view):
        return None
    root = draft.lock("prod").root
    entries = root.metadata("requires-dist")
    places = [place for place, each in enumerate(entries) if "specifier" in each]
    if not places:
        return None
    place = rng.choice(places)
    entries[place] = re.sub(r'specifier = "[^"]*"', 'specifier = ">=0.0.1"', entries[place])
    root.set_metadata("requires-dist", entries)
    draft.note = entries[place]
    return [("LA301", _root_name(view, "prod"))]


@EDGES.kind("metadata of the project removed from the lock", LA302="every dependency has no requirement any more")
def _no_metadata(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    del rng
    if not _has_metadata(view) or view.lock("prod").revision > _LAST_WITH_METADATA or not view.direct:
        return None
    root = draft.lock("prod").root
    root.text = root.body.rstrip() + "\n\n"
    draft.note = "no metadata"
    return [("LA302", name) for name in sorted(view.direct)[:1]]


@EDGES.kind("conflicts removed from the lock alone", LA302="the edges were resolved with them")
def _no_conflicts(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("prod", "dev"))
    lock = draft.lock(side)
    old = lock.head
    lock.head = re.sub(r"^conflicts = \[\[\n(?:.*\n)*?\]\]?\n", "", lock.head, flags=re.MULTILINE)
    if lock.head == old:
        return None
    draft.note = f"no conflicts in {side}"
    return [("LA301", None)]


@EDGES.kind("extra of the metadata added in the lock alone")
def _stale_extra(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("prod", "dev"))
    view = draft.view
    if not view.roots(side) or "[package.metadata]" not in view.texts[side].root.text or not view.lock(side).revision:
        return None
    root = draft.lock(side).root
    root.set_metadata("provides-extras", [*root.metadata("provides-extras"), '"more"'])
    draft.note = f"an extra more in {side}"
    return [("LA301", _root_name(view, side))]


@EDGES.kind("lock of another project")
def _other_project(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    if not view.roots("prod") or view.lock("prod").conflicts:
        return None
    del rng
    root = draft.lock("prod").root
    root.replace(f'\nname = "{root.name}"\n', '\nname = "another-project"\n')
    draft.note = "the lock of another-project"
    return [("LA301", None)]


@EDGES.kind("environments of pyproject.toml changed alone")
def _stale_environments(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("prod", "dev"))
    uv = draft.project(side).get("tool", {}).get("uv")
    if uv is None:
        return None
    uv["environments"] = ["sys_platform == 'linux' and platform_machine == 'riscv64'"]
    draft.note = f"other environments in {side}"
    return [("LA301", None)]


@EDGES.kind("version of the project raised in pyproject.toml alone")
def _stale_version(draft: Draft, rng: Random) -> Expected | None:
    del rng
    project = draft.project("prod").get("project", {})
    if "version" not in project or not draft.view.roots("prod"):
        return None
    project["version"] = "9.9.9"
    draft.note = "the project at 9.9.9"
    return [("LA301", _root_name(draft.view, "prod"))]
