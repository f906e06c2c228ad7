"""Nodes and edges of a build while they are collected, and which edges a drawing can do without."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from auditor.report.graph.model import BuildEdge, BuildNode, Reach
from auditor.report.graph.packages import make_id
from auditor.source import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.report.graph.model import Kind


@dataclass(slots=True)
class Parts:
    """What has been collected so far. Every text is made safe to show."""

    nodes: list[BuildNode] = field(default_factory=list)
    _edges: dict[tuple[str, str], BuildEdge] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def node(self, kind: Kind, label: str, about: str = "", facts: Iterable[tuple[str, str]] = ()) -> str:
        """Add a node; returns its id."""
        found = make_id(f"b-{kind.value}", label, self._taken)
        shown = tuple((printable(what), printable(value)) for what, value in facts)
        self.nodes.append(BuildNode(id=found, kind=kind, label=printable(label), about=printable(about), facts=shown))
        return found

    def link(  # the fields of an edge
        self,
        source: str,
        target: str,
        how: str,
        reach: Reach = Reach.SURE,
        *,
        carried: frozenset[str] = frozenset(),
        quiet: bool = False,
    ) -> None:
        """Add an edge; of two between the same ends, the surer one stays, and says both."""
        edge = BuildEdge(source=source, target=target, how=printable(how), reach=reach, carried=carried, quiet=quiet)
        known = self._edges.get((source, target))
        if known is not None:
            first, second = sorted((known, edge), key=lambda each: each.reach)
            edge = replace(
                first,
                how=", ".join(dict.fromkeys((known.how, edge.how))),
                carried=first.carried | second.carried,
                quiet=first.quiet and second.quiet,
            )
        self._edges[source, target] = edge

    def is_loud(self, source: str, target: str) -> bool:
        """Whether there is an edge already, and not a quiet one."""
        known = self._edges.get((source, target))
        return known is not None and not known.quiet

    @property
    def edges(self) -> tuple[BuildEdge, ...]:
        """The edges, sorted by the order of the nodes, the redundant ones marked."""
        places = {node.id: place for place, node in enumerate(self.nodes)}
        ordered = sorted(self._edges.values(), key=lambda edge: (places[edge.source], places[edge.target]))
        return tuple(reduce_edges(ordered))


def reduce_edges(edges: Sequence[BuildEdge]) -> Iterator[BuildEdge]:
    """The edges, those marked as redundant that a drawing can do without; loud ones never for the sake of quiet ones.

    What has quiet edges only keeps them as loud ones.
    """
    heard = {edge.source for edge in edges if not edge.quiet}
    edges = [replace(edge, quiet=edge.quiet and edge.source in heard) for edge in edges]
    left = {(edge.source, edge.target): edge for edge in edges}
    for edge in edges:
        others = [each for each in left.values() if each is not edge and (edge.quiet or not each.quiet)]
        redundant = _leads(others, edge)
        if redundant:
            del left[edge.source, edge.target]
        yield replace(edge, redundant=redundant)


def _leads(edges: Sequence[BuildEdge], besides: BuildEdge) -> bool:
    """Whether edges that are no less sure lead from one end of another one to the other."""
    found, pending = {besides.source}, [besides.source]
    while pending:
        current = pending.pop()
        for edge in edges:
            if edge.source == current and edge.target not in found and edge.reach <= besides.reach:
                found.add(edge.target)
                pending.append(edge.target)
    return besides.target in found
