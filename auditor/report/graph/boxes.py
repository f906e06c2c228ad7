"""The packages of a view as few enough boxes to be drawn: what Mermaid and Graphviz show of it.

What is equal, what only dev has (per reason), and the smaller ones of many that differ are one box each, unless
everything is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.report.graph.model import State, total
from auditor.report.graph.words import amount, packages
from auditor.report.size import size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.report.graph.model import Entry, PackageNode, View

_NOTHING: Final = ("nothing of its own",)
_SINGLE: Final = 12  # packages that differ, or that only prod has: so many have a box of their own
_NAMED: Final = 4  # of the packages in one box, the largest are named


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One box: its id, its class (a state, or `compiled`) and its lines of text."""

    id: str
    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Boxes under a title."""

    id: str
    title: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A view as boxes.

    Attributes:
        title: of all.
        clusters: dev, what both have, prod; empty ones left out.
        edges: (from, to, whether they are the two sides of one package that differs).
    """

    title: str
    clusters: tuple[Cluster, ...]
    edges: tuple[tuple[str, str, bool], ...]


def boxes_of(view: View, own: str, *, everything: bool) -> Drawing:
    """A view as boxes.

    Args:
        view: what to draw.
        own: what every id begins with; letters and digits.
        everything: whether every package has a box.
    """
    names = {node.id: f"{own}p{number}" for number, node in enumerate(view.packages)}
    drifted, more = _split(view.of(State.DRIFTED), everything=everything)
    dev = [_box(f"{names[node.id]}d", node, node.dev) for node in drifted]
    dev += [_together(f"{own}mored", State.DRIFTED, "more that differ", more)] if more else []
    dev += _side(view.of(State.DEV_ONLY), names, own, everything=everything)
    both = list(_shared(view.of(State.SHARED), names, own, everything=everything))
    prod = [_box(f"{names[node.id]}p", node, node.prod) for node in drifted]
    prod += [_together(f"{own}morep", State.DRIFTED, "more that differ", more)] if more else []
    single, rest = _split(view.of(State.PROD_ONLY), everything=everything)
    prod += [_box(names[node.id], node, node.prod) for node in single]
    prod += [_together(f"{own}only", State.PROD_ONLY, "more only in prod", rest)] if rest else []
    if view.packages:
        dev = dev or [Box(id=f"{own}nodev", kind=State.SHARED.value, lines=_NOTHING)]
        prod = prod or [Box(id=f"{own}noprod", kind=State.SHARED.value, lines=_NOTHING)]
    shared = total(node.prod for node in view.of(State.SHARED))
    clusters = (
        Cluster(id=f"{own}dev", title=f"dev, {view.dev_lock}: {packages(view.dev)}", boxes=tuple(dev)),
        Cluster(id=f"{own}both", title=f"the same in both: {packages(shared)}", boxes=tuple(both)),
        Cluster(id=f"{own}prod", title=f"prod, {view.prod_lock}: {packages(view.prod)}", boxes=tuple(prod)),
    )
    edges = [(f"{names[node.id]}d", f"{names[node.id]}p", True) for node in drifted]
    edges += [(f"{own}mored", f"{own}morep", True)] if more else []
    edges += _needs(view, names) if everything else []
    title = f"{view.title}: {packages(view.dev)} in dev, {packages(view.prod)} in prod"
    return Drawing(
        title="; ".join((title, *view.notes)),
        clusters=tuple(cluster for cluster in clusters if cluster.boxes),
        edges=tuple(edges),
    )


def _split(nodes: Sequence[PackageNode], *, everything: bool) -> tuple[Sequence[PackageNode], Sequence[PackageNode]]:
    """The packages that have a box of their own, and the others: never a single one."""
    if everything or len(nodes) <= _SINGLE + 1:
        return nodes, ()
    return nodes[:_SINGLE], nodes[_SINGLE:]


def _box(own: str, node: PackageNode, entry: Entry | None) -> Box:
    lines = [node.name]
    if entry is not None:
        lines.append(", ".join(filter(None, (entry.version or entry.kind, size(entry.size)))))
    if node.compiled:
        lines.append("compiled")
    kind = "compiled" if node.compiled and node.state is State.SHARED else node.state.value
    codes = dict.fromkeys(remark.code for remark in node.remarks)
    return Box(id=own, kind=kind, lines=(*lines, *([", ".join(codes)] if codes else [])))


def _shared(nodes: Sequence[PackageNode], names: dict[str, str], own: str, *, everything: bool) -> Iterator[Box]:
    single = [node for node in nodes if everything or node.compiled]
    yield from (_box(names[node.id], node, node.prod) for node in single)
    rest = [node for node in nodes if node not in single]
    if rest:
        yield _together(f"{own}same", State.SHARED, "", rest)


def _side(nodes: Sequence[PackageNode], names: dict[str, str], own: str, *, everything: bool) -> Iterator[Box]:
    """What only dev has: one box for each reason."""
    if everything:
        yield from (_box(names[node.id], node, node.dev) for node in nodes)
        return
    reasons: dict[str, list[PackageNode]] = {}
    for node in nodes:
        reasons.setdefault(", ".join(node.why), []).append(node)
    for number, (why, there) in enumerate(sorted(reasons.items())):
        yield _together(f"{own}w{number}", State.DEV_ONLY, why, there)


def _together(own: str, state: State, why: str, nodes: Sequence[PackageNode]) -> Box:
    whole = total(node.prod or node.dev for node in nodes)
    count = f"{len(nodes)} package{'s' if len(nodes) > 1 else ''}"
    largest = ", ".join(node.name for node in nodes[:_NAMED])
    more = ", ..." if len(nodes) > _NAMED else ""
    lines = (f"{why}: {count}" if why else count, amount(whole), f"{largest}{more}")
    return Box(id=own, kind=state.value, lines=lines)


def _needs(view: View, names: dict[str, str]) -> Iterator[tuple[str, str, bool]]:
    """The edges that held, between the boxes of one side."""
    known = {node.name: node for node in reversed(view.packages)}

    def box(node: PackageNode, side: str) -> str:
        return names[node.id] + (side if node.state is State.DRIFTED else "")

    found: dict[tuple[str, str], None] = {}
    for node in view.packages:
        for side, entry in (("d", node.dev), ("p", node.prod)):
            for name in entry.needs if entry is not None else ():
                if name in known:
                    found[box(node, side), box(known[name], side)] = None
    yield from ((one, other, False) for one, other in found if one != other)
