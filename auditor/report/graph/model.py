"""What `lockaudit graph` draws, as values: the two selections side by side, and the build with what a change reaches.

Nothing here knows a format. Every text is safe to show: without logins, and without letters that are not printable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.finding import Severity


class State(StrEnum):
    """Where a package stands, in the order in which a person wants to know it."""

    DRIFTED = "drifted"
    PROD_ONLY = "prod-only"
    SHARED = "shared"
    DEV_ONLY = "dev-only"

    @property
    def heading(self) -> str:
        """As a heading."""
        return _TITLES[self]

    @property
    def rank(self) -> int:
        """0 for what matters most."""
        return list(State).index(self)


_TITLES = {
    State.DRIFTED: "Differs",
    State.PROD_ONLY: "Only in prod",
    State.SHARED: "The same",
    State.DEV_ONLY: "Only in dev",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A finding, as far as the picture shows it.

    Attributes:
        code: of its rule.
        severity: see `Severity`.
        message: what is wrong.
        help: what to do, or an empty string.
        where: `path:line`.
        accepted: the reason why it is accepted, or an empty string.
    """

    code: str
    severity: Severity
    message: str
    help: str = ""
    where: str = ""
    accepted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A package on one side.

    Attributes:
        version: an empty string where it is dynamic.
        kind: of its source: `registry`, `git`, ...
        source: all of it.
        file: name of the artifact that the target installs, or an empty string.
        hash: of that file, or an empty string.
        size: of that file in bytes, or None.
        needs: names of the packages that it depends on there, sorted: the edges that held.
        path: names from the root down to it, along the edges that the walk took first.
    """

    version: str
    kind: str
    source: str
    file: str = ""
    hash: str = ""
    size: int | None = None
    needs: tuple[str, ...] = ()
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageNode:
    """A package on both sides, or on one of them.

    Attributes:
        id: unique in its view; letters, digits and `-` only.
        name: normalised.
        state: see `State`.
        compiled: whether the image compiles it.
        dev: or None.
        prod: or None.
        why: how dev comes to it where prod does not: `group dev`, `extra viz`, `dependency`.
        key: build key of a compiled one, or an empty string.
        remarks: findings about it.
    """

    id: str
    name: str
    state: State
    compiled: bool = False
    dev: Entry | None = None
    prod: Entry | None = None
    why: tuple[str, ...] = ()
    key: str = ""
    remarks: tuple[Remark, ...] = ()

    @property
    def size(self) -> int:
        """The larger of both sides, 0 where it is not known."""
        return max((entry.size or 0 for entry in (self.dev, self.prod) if entry is not None), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Some packages together: how many, their bytes, and how many of them have no known size."""

    count: int
    size: int
    unknown: int


def total(entries: Iterable[Entry | None]) -> Total:
    """The entries that there are, together."""
    sizes = [entry.size for entry in entries if entry is not None]
    known = [size for size in sizes if size is not None]
    return Total(count=len(sizes), size=sum(known), unknown=len(sizes) - len(known))


@dataclass(frozen=True, kw_only=True)
class View:
    """A pair on one target.

    Attributes:
        pair: name of the pair, or an empty string where there is one only.
        target: as text.
        dev_lock: path of dev's lock.
        prod_lock: path of prod's lock.
        packages: sorted by state, then by size, the largest first, then by name.
        notes: what must be known about it: a lock that does not cover the target, groups that conflict.
    """

    pair: str
    target: str
    dev_lock: str
    prod_lock: str
    packages: tuple[PackageNode, ...]
    notes: tuple[str, ...] = ()

    def of(self, state: State) -> tuple[PackageNode, ...]:
        """The packages of a state, in order."""
        return tuple(package for package in self.packages if package.state is state)

    @cached_property
    def dev(self) -> Total:
        """All of dev."""
        return total(package.dev for package in self.packages)

    @cached_property
    def prod(self) -> Total:
        """All of prod."""
        return total(package.prod for package in self.packages)

    @property
    def title(self) -> str:
        """The target, and the pair where there are several."""
        return f"{self.pair}: {self.target}" if self.pair else self.target


class Kind(StrEnum):
    """What a node of the build is, in the order in which a build goes."""

    INPUT = "input"
    IMAGE = "image"
    KEY = "key"
    STAGE = "stage"
    TARGET = "target"
    CACHE = "cache"

    @property
    def word(self) -> str:
        """As a word of a sentence."""
        return _KINDS.get(self, self.value)


_KINDS = {Kind.INPUT: "file", Kind.KEY: "build key", Kind.TARGET: "bake target"}


class Reach(IntEnum):
    """How surely a change arrives. The least sure step of a way decides, and the surest way.

    In any case, if the bytes that are taken differ, or only if a build key differs.
    """

    SURE = 0
    BYTES = 1
    KEY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildNode:
    """A part of the build.

    Attributes:
        id: unique; letters, digits and `-` only.
        kind: see `Kind`.
        label: its name.
        about: one line about it, or an empty string.
        facts: (what, value) of whatever else is known.
        wheel: whether it is on the way to a compiled wheel.
        compiles: whether it is where hours are spent.
        remarks: findings about it.
    """

    id: str
    kind: Kind
    label: str
    about: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    wheel: bool = False
    compiles: bool = False
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildEdge:
    """What one part takes from another.

    Attributes:
        source: id of what is taken.
        target: id of what takes it.
        how: `COPY, line 254`.
        reach: how surely a change of the source arrives.
        carried: ids of inputs whose own bytes go through: their changes arrive for sure.
        quiet: whether it is one of many that say little, such as those of a whole build context.
        redundant: whether others lead the same way, none of them less surely: a drawing can do without it.
    """

    source: str
    target: str
    how: str
    reach: Reach = Reach.SURE
    carried: frozenset[str] = frozenset()
    quiet: bool = False
    redundant: bool = False

    @property
    def is_drawn(self) -> bool:
        """Whether it is drawn where nothing is selected."""
        return not self.quiet and not self.redundant


@dataclass(frozen=True, kw_only=True)
class Build:
    """The build of one pair's images.

    Attributes:
        pair: its name, or an empty string.
        nodes: in the order in which they are written.
        edges: sorted by their ends, in the order of the nodes.
        notes: what is left out, and why.
    """

    pair: str
    nodes: tuple[BuildNode, ...] = ()
    edges: tuple[BuildEdge, ...] = ()
    notes: tuple[str, ...] = ()
    _reached: dict[str, Mapping[str, Reach]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def by_id(self) -> Mapping[str, BuildNode]:
        """The nodes by their id."""
        return {node.id: node for node in self.nodes}

    def invalidated(self, origin: str) -> Mapping[str, Reach]:
        """What a change of a node reaches, and how surely; the node itself left out."""
        if origin not in self._reached:
            self._reached[origin] = self._walk(origin)
        return self._reached[origin]

    def _walk(self, origin: str) -> Mapping[str, Reach]:
        found: dict[str, Reach] = {origin: Reach.SURE}
        for level in Reach:
            before = -1
            while len(found) > before:  # what goes through unchanged may be reached later than where it goes through
                before = len(found)
                for edge in self.edges:
                    if edge.source in found and edge.target not in found:
                        passed = [found[each] for each in edge.carried if each in found]
                        if min((edge.reach, *passed)) <= level:
                            found[edge.target] = level
        del found[origin]
        return {node.id: found[node.id] for node in self.nodes if node.id in found}

    def made_of(self, origin: str) -> tuple[str, ...]:
        """Everything that a node is made of, in the order of the nodes."""
        found: set[str] = set()
        pending = [origin]
        while pending:
            for edge in self._incoming.get(pending.pop(), ()):
                if edge.source not in found and edge.source != origin:
                    found.add(edge.source)
                    pending.append(edge.source)
        return tuple(node.id for node in self.nodes if node.id in found)

    @cached_property
    def _incoming(self) -> Mapping[str, tuple[BuildEdge, ...]]:
        found: dict[str, tuple[BuildEdge, ...]] = {}
        for edge in self.edges:
            found[edge.target] = (*found.get(edge.target, ()), edge)
        return found

    def taken(self, origin: str) -> tuple[BuildEdge, ...]:
        """What a node takes directly."""
        return self._incoming.get(origin, ())


@dataclass(frozen=True, kw_only=True)
class Picture:
    """All that is drawn.

    Attributes:
        name: of the project.
        views: one for each pair and target.
        builds: one for each pair.
        remarks: findings that belong to no node.
        counts: (severity, number) of the findings that are not accepted, most severe first, none of them 0.
    """

    name: str
    views: tuple[View, ...]
    builds: tuple[Build, ...]
    remarks: tuple[Remark, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
