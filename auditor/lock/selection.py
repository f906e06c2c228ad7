"""Selection: what uv would install from a lock on a target, with chosen extras and groups.

The walk is uv's own (`uv-resolver`, `installable.rs` `to_resolution_from_packages` and `export/mod.rs`; steps numbered
as in the facts on uv.lock, section 2); `uv export --frozen` is the oracle that the tests compare it with.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.errors import SelectionError
from auditor.lock.marker import allows
from auditor.lock.model import ConflictItem, Edge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.lock.environment import Target
    from auditor.lock.marker import Marker
    from auditor.lock.model import Lock, Package, Requirement

DEFAULT_GROUPS = ("dev",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a lock. Names are normalised.

    Attributes:
        extras: of the root project.
        groups: dependency groups of the root, beside the default ones.
        default_groups: whether the groups that uv installs by default come too (off is `--no-default-groups`).
        project: whether the root's own dependencies come (off is `--only-group`).
    """

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    default_groups: bool = True
    project: bool = True


@dataclass(frozen=True, slots=True)
class Reached:
    """How the walk came to a package first: from which package (None: a root), and through which group or extra."""

    parent: int | None
    group: str | None = None
    extra: str | None = None


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The packages that a target gets.

    Attributes:
        lock: where they come from.
        target: the environment.
        request: what was asked for.
        packages: sorted by name, version and source, the roots included.
        reached: per index of a package, how it was reached first.
        edges: per index of a package, the edges that held.
        uncovered: why the lock does not cover the target, or an empty string.
    """

    lock: Lock
    target: Target
    request: Request
    packages: tuple[Package, ...]
    reached: Mapping[int, Reached] = field(repr=False)
    edges: Mapping[int, tuple[Edge, ...]] = field(repr=False)
    uncovered: str = ""

    @property
    def dependencies(self) -> tuple[Package, ...]:
        """The packages without the roots: what an image installs beside the project itself."""
        roots = {root.index for root in self.lock.roots}
        return tuple(package for package in self.packages if package.index not in roots)

    def get(self, name: str) -> tuple[Package, ...]:
        """The selected packages of a name; more than one only in a malformed lock."""
        return tuple(package for package in self.packages if package.name == name)

    def path_to(self, package: Package) -> tuple[str, ...]:
        """Names from a root down to the package, along the edges that the walk took first."""
        names = [package.name]
        step = self.reached[package.index]
        while step.parent is not None and len(names) <= len(self.reached):
            names.append(self.lock.packages[step.parent].name)
            step = self.reached[step.parent]
        return tuple(reversed(names))


def uncovered_reason(lock: Lock, target: Target) -> str:
    """Why a lock does not cover a target; an empty string if it does.

    Outside `requires-python`, or outside the union of the fork markers, no edge of the lock holds (facts, 2, step 2):
    the selection is then void, never a proof.
    """
    if not allows(lock.requires_python, target.markers["python_full_version"]):
        return f"its requires-python is {lock.requires_python}"
    forks = lock.resolution_markers or lock.supported_markers
    if forks and not any(marker.without_extras(target.markers) for marker in forks):
        return "none of its resolution-markers holds there"
    return ""


def default_groups(lock: Lock, configured: tuple[str, ...] | None) -> tuple[str, ...]:
    """The groups that uv installs unasked.

    Args:
        lock: from revision 5 on it says so itself, unless they are `["dev"]`.
        configured: `tool.uv.default-groups` of the project, or None if it has none; `("all",)` is every group.
    """
    root = lock.roots[0] if len(lock.roots) == 1 else None
    written = root.default_groups if root is not None else lock.manifest.default_groups
    groups = configured if configured is not None else written
    known = tuple(known_groups(lock))
    if groups is None:
        return tuple(group for group in DEFAULT_GROUPS if group in known)
    return known if groups == ("all",) else groups


def known_extras(lock: Lock) -> tuple[str, ...]:
    """The extras of the root project, sorted."""
    roots = lock.roots
    declared = {extra for root in roots for extra in root.metadata.get("provides-extras", [])} if roots else set()
    return tuple(sorted(declared | {extra for root in roots for extra in root.optional}))


def excluded_extras(lock: Lock, extra: str) -> frozenset[str]:
    """The extras of the project that conflict with one of them."""
    own = {root.name for root in lock.roots}
    sets = [{item.extra for item in items if item.package in own and item.extra} for items in lock.conflicts]
    return frozenset(other for conflict in sets if extra in conflict for other in conflict - {extra})


def known_groups(lock: Lock) -> tuple[str, ...]:
    """The dependency groups of the roots and the manifest, sorted."""
    declared = {group for root in lock.roots for group in root.metadata.get("requires-dev", {})}
    return tuple(sorted(declared | {group for root in lock.roots for group in root.groups} | set(lock.manifest.groups)))


def select(lock: Lock, target: Target, request: Request, configured: tuple[str, ...] | None = None) -> Selection:
    """What uv would install.

    Args:
        lock: a lock.
        target: the environment.
        request: extras and groups.
        configured: `tool.uv.default-groups` of the project, see `default_groups`.

    Raises:
        SelectionError: an extra or group that the root does not have, or two that conflict.
    """
    groups = dict.fromkeys(request.groups)
    if request.default_groups:
        groups = dict.fromkeys((*default_groups(lock, configured), *request.groups))
    _check_known(lock, request, tuple(groups))
    return _Walk(lock, target, request, tuple(groups)).run()


def _check_known(lock: Lock, request: Request, groups: tuple[str, ...]) -> None:
    for kind, wanted, known in (
        ("extra", request.extras, known_extras(lock)),
        ("dependency group", groups, known_groups(lock)),
    ):
        unknown = dict.fromkeys(wanted).keys() - set(known)
        for name in wanted:
            if name in unknown:
                shown = ", ".join(known) or "none"
                raise SelectionError(
                    f"the root of this lock has no {kind} {name!r}", path=lock.file.name, hint=f"it has: {shown}"
                )


class _Walk:
    """One selection while it is made."""

    def __init__(self, lock: Lock, target: Target, request: Request, groups: tuple[str, ...]) -> None:
        self.lock = lock
        self.target = target
        self.request = request
        self.groups = groups
        self.activated: set[str] = set()
        self.fixed = False
        self.values: dict[Marker, bool] = {}

    def run(self) -> Selection:
        uncovered = uncovered_reason(self.lock, self.target)
        self.activate_roots()
        self.refuse_conflicts("the selection")
        reached: dict[int, Reached] = {}
        edges: dict[int, list[Edge]] = {}
        if self.lock.conflicts and not uncovered:
            self.walk({}, {})  # step 6: what is activated anywhere first, then the walk with that fixed set
            self.refuse_conflicts("the dependencies of the selection")
            self.fixed = True
            self.values.clear()
        self.walk(reached, edges, uncovered=bool(uncovered))
        chosen = [self.lock.packages[index] for index in reached]
        chosen.sort(key=lambda package: (package.name, str(package.version), str(package.source)))
        return Selection(
            lock=self.lock,
            target=self.target,
            request=self.request,
            packages=tuple(chosen),
            reached=reached,
            edges={index: tuple(found) for index, found in edges.items()},
            uncovered=uncovered,
        )

    def activate_roots(self) -> None:
        """Step 3. A root's own extras and groups count for every root: uv passes them to all members alike."""
        for root in self.lock.roots:
            if self.request.project:
                self.activated.add(ConflictItem(root.name).encoded)
            self.activated.update(ConflictItem(root.name, extra=extra).encoded for extra in self.request.extras)
            self.activated.update(ConflictItem(root.name, group=group).encoded for group in self.groups)

    def refuse_conflicts(self, what: str) -> None:
        for items in self.lock.conflicts:
            active = [item for item in items if item.encoded in self.activated]
            if len(active) > 1:
                names = " and ".join(str(item) for item in active[:2])
                raise SelectionError(
                    f"{what} contains {names}, which are declared to conflict",
                    path=self.lock.file.name,
                    hint="choose one of them",
                )

    def holds(self, marker: Marker | None, more: Iterable[str] = ()) -> bool:
        """Whether an edge holds, with `more` activated for this question only."""
        if marker is None:
            return True
        if not marker.mentions_extras():
            known = self.values.get(marker)
            if known is None:
                known = self.values[marker] = marker.evaluate(self.target.markers)
            return known
        extra = set(more) - self.activated
        if extra:
            return marker.evaluate(self.target.markers, self.activated | extra)
        if self.fixed and marker in self.values:
            return self.values[marker]
        value = marker.evaluate(self.target.markers, self.activated)
        if self.fixed:
            self.values[marker] = value
        return value

    def walk(  # noqa: C901 - one algorithm, in uv's order
        self, reached: dict[int, Reached], edges: dict[int, list[Edge]], *, uncovered: bool = False
    ) -> None:
        """Steps 4, 5 and 7: breadth first from the roots, each (package, extra) once."""
        queue: deque[tuple[int, str | None]] = deque()
        seen: set[tuple[int, str | None]] = set()

        def visit(index: int, extra: str | None, how: Reached) -> None:
            reached.setdefault(index, how)
            if (index, extra) not in seen:
                seen.add((index, extra))
                queue.append((index, extra))

        def follow(edge: Edge, parent: int | None, *, group: str | None = None, extra: str | None = None) -> None:
            package = self.lock.packages[edge.target]
            asked = [ConflictItem(package.name, extra=name).encoded for name in edge.extras]
            if not self.holds(edge.marker, asked):
                return
            if not self.fixed or group is not None:
                self.activated.update(asked)
            how = Reached(parent, group, extra)
            if parent is not None:
                edges.setdefault(parent, []).append(edge)
            visit(edge.target, None, how)
            for name in edge.extras:
                if name in package.optional:
                    visit(edge.target, name, how)

        for root in self.lock.roots if self.request.project else ():
            visit(root.index, None, Reached(None))
            for chosen in self.request.extras:
                if chosen in root.optional:
                    visit(root.index, chosen, Reached(None))
        if uncovered:
            return
        for root in self.lock.roots:
            for name in self.groups:
                for edge in root.groups.get(name, ()):
                    follow(edge, root.index, group=name)
        for edge, wanted_by in self.manifest_edges():
            follow(edge, None, group=wanted_by)
        while queue:
            index, through = queue.popleft()
            package = self.lock.packages[index]
            for edge in package.dependencies if through is None else package.optional[through]:
                follow(edge, index, extra=through)

    def manifest_edges(self) -> Iterable[tuple[Edge, str | None]]:
        """Requirements of a root without `[project]`, resolved by name and fork marker."""
        manifest = self.lock.manifest
        wanted: list[tuple[Requirement, str | None]] = []
        if self.request.project:
            wanted += [(requirement, None) for requirement in manifest.requirements]
        for name in self.groups:
            wanted += [(requirement, name) for requirement in manifest.groups.get(name, ())]
        for requirement, group in wanted:
            for package in self.lock.by_name.get(requirement.name, ()):
                forks = package.resolution_markers
                if not forks or any(marker.without_extras(self.target.markers) for marker in forks):
                    yield Edge(package.index, requirement.extras, requirement.marker), group
                    break
