"""LA1xx, third part: both locks were resolved alike, and what prod selects can be installed from prod alone."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from auditor.finding import Finding, Severity
from auditor.lock import shape
from auditor.lock.compare import same_source
from auditor.lock.manifest import entries_of, same_entries, shown
from auditor.lock.marker import parse_version
from auditor.lock.model import SourceKind
from auditor.lock.places import at_dependencies, at_key, at_lock_key, at_top
from auditor.names import normalize
from auditor.rules.context import TargetContext, covers, other_side
from auditor.rules.rule import pair_rule, target_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auditor.lock.model import Lock, Package
    from auditor.lock.selection import Selection
    from auditor.rules.context import PairContext

_OPTIONS: Final = ("resolution-mode", "prerelease-mode", "fork-strategy", "minimum-libc-version")
# Lists of the manifest that decide versions or edges, and what they are called in [tool.uv].
_LISTS: Final = {
    "constraints": "constraint-dependencies",
    "overrides": "override-dependencies",
    "excludes": "exclude-dependencies",
    "build-constraints": "build-constraint-dependencies",
    "dependency-metadata": "dependency-metadata",
}
_CHANGES_EDGES: Final = ("overrides", "excludes", "dependency-metadata")
_SHA: Final = re.compile(r"[0-9a-f]{7,40}")
_VERSION_IN_TAG: Final = re.compile(r"v?(?P<version>\d+(?:\.\d+)+[A-Za-z0-9.+_-]*)$")


@pair_rule("LA112", "resolver-options-differ", Severity.WARNING)
def resolver_options_differ(context: PairContext) -> Iterator[Finding]:
    """The two locks were resolved under different rules.

    What:
        An option (`exclude-newer`, resolution, pre-releases, fork strategy, minimum libc) or an entry of the
        constraints, overrides, exclusions, build constraints or static metadata is in one lock only. Entries are
        compared by meaning: neither order nor the spelling of a version or a marker counts. Entries about packages
        that prod does not lock are left out, except build constraints.
    Why:
        This is how two locks drift: nothing differs today, and the next `uv lock` in prod takes a version that dev's
        constraint holds back. Where a version differs already, the note says so.

    Example:
        `constraint-dependencies = ["filelock<3.19"]` in the root only.
    Fix:
        Copy the setting to the other pyproject.toml, and lock it.
    """
    dev, prod = context.dev.lock, context.prod.lock
    for key, (in_dev, in_prod) in _options(dev, prod).items():
        yield resolver_options_differ.finding(
            f"{key} is {in_prod} in prod, {in_dev} in dev",
            at_top(prod, "requires-python") if in_prod == "not set" else at_lock_key(prod, key),
            help=f"set `{key}` alike in both pyproject.toml files, and lock them",
            related=other_side(at_lock_key(dev, key), "dev's"),
        )
    changed: dict[str, str] | None = None
    for key, title in _LISTS.items():
        entries = [entries_of(lock.manifest.raw.get(key, [])) for lock in (prod, dev)]
        for name in sorted(entries[0].keys() | entries[1].keys()):
            mine, theirs = (side.get(name, ()) for side in entries)
            relevant = key == "build-constraints" or name in prod.by_name or name in entries[0]
            if not relevant or same_entries(key, mine, theirs, prod.requires_python):
                continue
            changed = _changed_versions(context) if changed is None else changed
            cause = changed.get(name)
            yield resolver_options_differ.finding(
                f"{title} about {name}: {shown(mine) or 'none'} in prod, {shown(theirs) or 'none'} in dev",
                at_lock_key(prod, key),
                package=name,
                help=f"set the same `{title}` in both pyproject.toml files, and lock them",
                notes=(f"this is why {cause}",) if cause else (),
                related=other_side(at_lock_key(dev, key), "dev's"),
            )


@target_rule("LA113", "edges-differ", Severity.WARNING)
def edges_differ(context: TargetContext) -> Iterator[Finding]:
    """One package depends on other packages in prod than in dev.

    What:
        Name, version and source are equal on both sides, but on this target the package's dependencies are not. An
        override, an exclusion or static metadata of one side explains it, or the package is a folder that may have
        changed: a warning. Where nothing explains it, it is an error: a release has one set of dependencies, so one
        of the locks was edited, or resolved wrongly.
    Why:
        Prod lacks something that dev has when it is tested, or brings something that dev never saw.

    Example:
        `exclude-dependencies = ["triton"]` in prod only: torch has no triton there.
    Fix:
        Give both projects the same overrides, exclusions and `dependency-metadata`; if they have, restore the lock.
    """
    asked_of_prod, asked_of_dev = _asked(context.prod), _asked(context.dev)
    for prod, dev in context.common:
        if prod.version != dev.version or not same_source(
            prod.source, dev.source, context.of.prod.folder, context.of.dev.folder
        ):
            continue
        mine = _edges(context.prod, prod, asked_of_prod.get(prod.index, ()))
        theirs = _edges(context.dev, dev, asked_of_dev.get(dev.index, ()))
        if mine == theirs:
            continue
        for extra in sorted(mine.keys() & theirs.keys()):
            lacking, added = _unlike(context, mine[extra], theirs[extra])
            if not lacking and not added:
                continue
            of = f"{prod.label} ({extra})" if extra else prod.label
            parts = [f"does not depend on {', '.join(lacking)} in prod"] if lacking else []
            parts += [f"depends on {', '.join(added)} in prod only"] if added else []
            reason = _explained(context, prod, {name.partition("[")[0] for name in (*lacking, *added)})
            yield edges_differ.finding(
                f"{of} {', and '.join(parts)}",
                at_dependencies(context.of.prod.lock, prod),
                package=prod.name,
                target=context.target,
                severity=None if reason else Severity.ERROR,
                help="give both projects the same overrides, exclusions and dependency-metadata"
                if reason
                else "one of the locks was edited or resolved wrongly: restore it, or remove it and run `uv lock`",
                notes=(reason or "no override, exclusion or dependency-metadata of either side explains it",),
                related=other_side(at_dependencies(context.of.dev.lock, dev), f"{dev.label} in dev"),
            )


@target_rule("LA115", "two-live-versions", Severity.ERROR)
def two_live_versions(context: TargetContext) -> Iterator[Finding]:
    """One environment would get two versions of a package.

    What:
        On this target, a selection reaches two entries of one name. Their edges should exclude each other.
    Why:
        Only one can be installed. uv refuses it or takes either; the comparison of the two sides has no answer.

    Example:
        torch 2.6.0 from one index and 2.6.0+cu124 from another, both reached on linux.
    Fix:
        Declare the extras that bring them as conflicting, or remove the lock and run `uv lock`.
    """
    for side, selection in ((context.of.prod, context.prod), (context.of.dev, context.dev)):
        by_name: dict[str, list[Package]] = {}
        for package in selection.packages:
            by_name.setdefault(package.name, []).append(package)
        for name, packages in by_name.items():
            if len(packages) > 1:
                first, *others = packages
                yield two_live_versions.finding(
                    f"{name} is selected twice: {' and '.join(f'{each.version} ({each.source})' for each in packages)}",
                    at_key(side.lock, first, "version"),
                    package=name,
                    target=context.target,
                    help="declare the extras that bring them as conflicting, or remove the lock and run `uv lock`",
                    notes=tuple(f"{each.version}: {' -> '.join(selection.path_to(each))}" for each in packages),
                    related=other_side(at_key(side.lock, others[0], "version"), "the other entry"),
                )


@target_rule("LA116", "source-needs-tree", Severity.ERROR)
def source_needs_tree(context: TargetContext) -> Iterator[Finding]:
    """Prod installs a package from a folder or file that the image may not have.

    What:
        A package of prod's selection comes from a path. Outside the repository or absolute, it is an error; outside
        prod's own folder, or editable, it is a warning.
    Why:
        The image is built from prod/ alone: another folder is not in the build context, and an editable install is a
        link to sources that production does not have.

    Example:
        `source = { editable = "../packages/core" }` in prod/uv.lock.
    Fix:
        Depend on a release, a git tag or a built wheel of the package in prod.
    """
    folder = context.of.prod.folder
    for package in context.prod.dependencies:
        location = _local_path(package)
        if location is None:
            continue
        inside = posixpath.normpath(posixpath.join(folder, location))
        editable = package.source.kind is SourceKind.EDITABLE
        if _leaves(location, inside):
            reason = "leaves the repository"
        elif posixpath.normpath(location).startswith(".."):
            reason = f"is outside {folder}, and an image that copies {folder} alone does not have it"
        elif editable:
            reason = "is editable: the image would need its sources at run time"
        else:
            continue
        yield source_needs_tree.finding(
            f"{package.name} comes from {package.source} in prod, which {reason}",
            at_key(context.of.prod.lock, package, "source"),
            package=package.name,
            target=context.target,
            severity=None if _leaves(location, inside) else Severity.WARNING,
            help=f"depend on a release, a git tag or a built wheel of {package.name} in {folder}/pyproject.toml",
        )


@target_rule("LA117", "git-ref-moves", Severity.WARNING)
def git_ref_moves(context: TargetContext) -> Iterator[Finding]:
    """A git dependency of prod asks for something that moves, or for another version than it got.

    What:
        The reference is a branch, or none (the default branch); or it is a tag whose version is not the locked one.
    Why:
        The commit is pinned, so this image is reproducible; the next `uv lock` takes whatever the branch holds then. A
        tag that names another version than the package has is a wrong tag, or a version that nobody raised.

    Example:
        `git = "https://.../repo.git?branch=main#..."`, or tag 0.0.1 of a package whose version is 0.0.1.dev1.
    Fix:
        Ask for a tag or a full commit in `tool.uv.sources`.
    """
    for package in context.prod.dependencies:
        if package.source.kind is not SourceKind.GIT:
            continue
        problem = _moves(package) or _other_version(package)
        if problem:
            yield git_ref_moves.finding(
                f"{package.name} is locked from git {problem}",
                at_key(context.of.prod.lock, package, "source"),
                package=package.name,
                target=context.target,
                help=f"ask for a tag of its version or a full commit of {package.name} in `tool.uv.sources`",
                notes=(f"locked: {package.source.revision}",),
            )


# -- LA112 ------------------------------------------------------------------------------------------------------


def _options(dev: Lock, prod: Lock) -> dict[str, tuple[str, str]]:
    """Options that differ: key -> (in dev, in prod)."""
    found = {}
    for key in _OPTIONS:
        values = tuple(_shown(lock.options.get(key)) for lock in (dev, prod))
        if values[0] != values[1]:
            found[key] = (values[0], values[1])
    # With a span (`7 days`), the timestamp is a placeholder.
    in_dev, in_prod = (
        _shown(lock.options.get("exclude-newer-span") or lock.options.get("exclude-newer")) for lock in (dev, prod)
    )
    if in_dev != in_prod:
        found["exclude-newer"] = (in_dev, in_prod)
    for table in ("exclude-newer-package", "prerelease-package"):
        first, second = (shape.table(lock.options.get(table)) for lock in (dev, prod))
        names = {name for name in (*first, *second) if normalize(name) in prod.by_name}
        for name in sorted(names):
            if first.get(name) != second.get(name):
                found[f"{table}.{name}"] = (_shown(first.get(name)), _shown(second.get(name)))
    return found


def _shown(value: Any) -> str:  # noqa: ANN401 - any value of the file
    return "not set" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _changed_versions(context: PairContext) -> dict[str, str]:
    """Packages whose versions differ on a target, as a note says it."""
    found = {}
    for target in context.targets:
        if covers(context.dev, target) or covers(context.prod, target):
            continue
        for prod, dev in TargetContext(context, target).common:
            if prod.version != dev.version:
                found[prod.name] = f"{prod.name} is {prod.version} in prod and {dev.version} in dev"
    return found


# -- LA113 ------------------------------------------------------------------------------------------------------


def _asked(selection: Selection) -> dict[int, set[str]]:
    """The extras that a selection asks of each package."""
    found: dict[int, set[str]] = {}
    for edges in selection.edges.values():
        for edge in edges:
            if edge.extras:
                found.setdefault(edge.target, set()).update(edge.extras)
    return found


def _edges(selection: Selection, package: Package, asked: Iterable[str]) -> dict[str, dict[str, frozenset[str]]]:
    """The edges that held: per extra that was asked for (empty: none), target name -> extras asked of it."""
    packages = selection.lock.packages
    held = {id(edge) for edge in selection.edges.get(package.index, ())}
    sections = {"": package.dependencies, **{extra: package.optional.get(extra, ()) for extra in asked}}
    found: dict[str, dict[str, frozenset[str]]] = {}
    for extra, edges in sections.items():
        targets: dict[str, frozenset[str]] = {}
        for edge in edges:
            if id(edge) in held:
                target = packages[edge.target]
                known = frozenset(edge.extras) & target.optional.keys()
                targets[target.name] = targets.get(target.name, frozenset()) | known
        found[extra] = targets
    return found


def _unlike(
    context: TargetContext, mine: Mapping[str, frozenset[str]], theirs: Mapping[str, frozenset[str]]
) -> tuple[list[str], list[str]]:
    """(edges that only dev has, edges that only prod has), extras in brackets."""
    lacking, added = sorted(theirs.keys() - mine.keys()), sorted(mine.keys() - theirs.keys())
    for name in sorted(mine.keys() & theirs.keys()):
        # An extra that one side's version of the target does not have is no difference between the edges.
        known = _extras(context.of.prod.lock, name) & _extras(context.of.dev.lock, name)
        lacking += [f"{name}[{extra}]" for extra in sorted((theirs[name] - mine[name]) & known)]
        added += [f"{name}[{extra}]" for extra in sorted((mine[name] - theirs[name]) & known)]
    return lacking, added


def _extras(lock: Lock, name: str) -> frozenset[str]:
    return frozenset(extra for package in lock.by_name.get(name, ()) for extra in package.optional)


def _explained(context: TargetContext, package: Package, targets: set[str]) -> str:
    """What can have changed a package's edges to these targets: a list of a manifest, or its own folder."""
    name = package.name
    for role, lock in (("prod", context.of.prod.lock), ("dev", context.of.dev.lock)):
        for key in _CHANGES_EDGES:
            values = lock.manifest.raw.get(key)
            for value in shape.items(values):
                touched = _names_in(value)
                if touched & targets or name in touched:
                    return f"`{_LISTS[key]}` of {role} names {', '.join(sorted(touched & {name, *targets}))}"
    return "its folder may have changed between the two locks" if package.source.is_local_tree else ""


def _names_in(value: Any) -> set[str]:  # noqa: ANN401 - an entry of the manifest
    if isinstance(value, str):
        return {normalize(value)}
    found: set[str] = set()
    if isinstance(value, dict):
        for key in ("name", "package"):
            found |= _names_in(value[key]) if isinstance(value.get(key), (str, dict)) else set()
        for item in shape.items(value.get("dependencies")):
            found |= _names_in(item)
    return found


# -- LA116 and LA117 --------------------------------------------------------------------------------------------


def _local_path(package: Package) -> str | None:
    source = package.source
    if source.is_local_tree or source.kind is SourceKind.PATH:
        return source.location
    if source.kind is SourceKind.REGISTRY and "://" not in source.location:
        return source.location
    return None


def _leaves(location: str, inside: str) -> bool:
    return inside.startswith(("/", "..")) or bool(re.match(r"[A-Za-z]:|file:|\\\\", location))


def _moves(package: Package) -> str:
    """A reference that can point at another commit tomorrow, as a message says it; or an empty string."""
    kind, _, name = package.source.reference.partition("=")
    if not kind:
        return "at its default branch"
    if kind == "branch":
        return f"at the branch {name}"
    named = kind == "rev" and not _SHA.fullmatch(name.lower()) and not _VERSION_IN_TAG.search(name)
    return f"at {name}, which may be a branch" if named else ""


def _other_version(package: Package) -> str:
    """A tag whose version is not the locked one; a tag without a version says nothing."""
    kind, _, name = package.source.reference.partition("=")
    match = _VERSION_IN_TAG.search(name) if kind in {"tag", "rev"} and not _SHA.fullmatch(name.lower()) else None
    version = parse_version(match["version"]) if match else None
    if version is None or package.version is None or parse_version(package.version.public) == version:
        return ""
    return f"at {name}, but its version is {package.version}"
