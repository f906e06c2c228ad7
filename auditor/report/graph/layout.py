"""Where the parts of a build stand: columns from files to caches, with few crossings; the same input, the same places.

The usual layered drawing: columns by the longest way, long edges through invisible points, then barycentres for the
order in a column and for the heights.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from auditor.report.graph.model import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.report.graph.model import Build, BuildEdge

NODE_HEIGHT: Final = 42
_WIDTHS: Final = {Kind.INPUT: 178, Kind.CACHE: 178}
_WIDTH: Final = 108
_GAP: Final = 30
_SPACE: Final = 12  # between two nodes
_POINT: Final = 10  # between a long edge and its neighbours
_TOP: Final = 34  # for the titles
_LEFT: Final = 22  # for edges within the first column
_SWEEPS: Final = 12
_FILES: Final = frozenset({Kind.INPUT, Kind.IMAGE, Kind.KEY})
# What stands in a column is called so.
TITLES: Final = (
    ("Files and images", _FILES),
    ("Stages", frozenset({Kind.STAGE})),
    ("Bake targets", frozenset({Kind.TARGET})),
    ("Caches", frozenset({Kind.CACHE})),
)


@dataclass(frozen=True, slots=True)
class Box:
    """A node's place: its column, and its upper left corner and width in pixels."""

    column: int
    x: int
    y: int
    width: int

    @property
    def middle(self) -> int:
        """Height of its middle."""
        return self.y + NODE_HEIGHT // 2


@dataclass(frozen=True, slots=True)
class Curve:
    """An edge as the path of an SVG, with its ends."""

    edge: BuildEdge
    path: str


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A whole drawing, in pixels.

    Attributes:
        width: of it.
        height: of it.
        boxes: node id -> place.
        curves: in the order of the graph's edges.
        titles: (title, x) of the columns.
    """

    width: int
    height: int
    boxes: Mapping[str, Box]
    curves: tuple[Curve, ...]
    titles: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class _Point:
    """A node, or a place in a column that a long edge goes through."""

    column: int
    is_node: bool
    y: float = 0.0
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)

    @property
    def height(self) -> int:
        return NODE_HEIGHT + _SPACE if self.is_node else _POINT


def lay_out(build: Build) -> Layout:
    """Places for all nodes, and curves for the edges that are not redundant; quiet ones take no room."""
    columns = _columns(build)
    points, chains = _chains(build, columns)
    order = _order(points)
    _gather(build, order)
    _place(points, order)
    widths = [_width(build, columns, number) for number in range(len(order))]
    lefts = [_LEFT + sum(widths[:number]) + number * _GAP for number in range(len(order))]
    boxes = {
        name: Box(point.column, lefts[point.column], round(point.y) + _TOP, widths[point.column])
        for name, point in points.items()
        if point.is_node
    }
    curves = []
    for edge in build.edges:
        if not edge.redundant:
            chain = chains.get((edge.source, edge.target), [edge.source, edge.target])
            curves.append(Curve(edge, _path(chain, points, boxes, lefts, widths)))
    return Layout(
        width=lefts[-1] + widths[-1] + 2 if lefts else 0,
        height=max((box.y for box in boxes.values()), default=0) + NODE_HEIGHT + 4,
        boxes=boxes,
        curves=tuple(curves),
        titles=tuple(_titles(build, columns, lefts)),
    )


def _columns(build: Build) -> dict[str, int]:
    """Files first, then the stages by the longest way, the last ones side by side, then targets, then caches."""
    kinds = {node.id: node.kind for node in build.nodes}
    columns = {name: 0 for name, kind in kinds.items() if kind in _FILES}
    stages = [node.id for node in build.nodes if node.kind is Kind.STAGE]
    inner = [edge for edge in build.edges if kinds[edge.source] is Kind.STAGE and kinds[edge.target] is Kind.STAGE]
    for name in stages:  # in the order of the Dockerfile, so whatever a stage takes stands before it
        before = [columns.get(edge.source, 0) for edge in inner if edge.target == name]
        columns[name] = 1 + max(before, default=0)
    last = max((columns[name] for name in stages), default=0)
    taken = {edge.source for edge in inner}
    columns |= {name: last for name in stages if name not in taken}
    for kind, step in ((Kind.TARGET, 1), (Kind.CACHE, 2)):
        columns |= {name: last + step for name, each in kinds.items() if each is kind}
    used = sorted(set(columns.values()))
    return {name: used.index(number) for name, number in columns.items()}


def _width(build: Build, columns: Mapping[str, int], number: int) -> int:
    return max((_WIDTHS.get(node.kind, _WIDTH) for node in build.nodes if columns[node.id] == number), default=_WIDTH)


def _titles(build: Build, columns: Mapping[str, int], lefts: list[int]) -> list[tuple[str, int]]:
    found = []
    for title, kinds in TITLES:
        numbers = [columns[node.id] for node in build.nodes if node.kind in kinds]
        if numbers:
            found.append((title, lefts[min(numbers)]))
    return found


def _chains(build: Build, columns: Mapping[str, int]) -> tuple[dict[str, _Point], dict[tuple[str, str], list[str]]]:
    """Nodes and the points of long edges; per edge, the names from its source to its target."""
    points = {node.id: _Point(columns[node.id], is_node=True) for node in build.nodes}
    chains: dict[tuple[str, str], list[str]] = {}
    for edge in build.edges:
        first, last = columns[edge.source], columns[edge.target]
        if not edge.is_drawn or last <= first:
            continue
        chain = [edge.source]
        for number in range(first + 1, last):
            name = f"{edge.source}>{edge.target}>{number}"
            points[name] = _Point(number, is_node=False)
            chain.append(name)
        chain.append(edge.target)
        for one, other in pairwise(chain):
            points[one].after.append(other)
            points[other].before.append(one)
        chains[edge.source, edge.target] = chain
    return points, chains


def _order(points: Mapping[str, _Point]) -> list[list[str]]:
    """The names of each column from top to bottom."""
    order: list[list[str]] = [[] for _ in range(1 + max((point.column for point in points.values()), default=-1))]
    for name, point in points.items():
        order[point.column].append(name)
    best, fewest = [list(column) for column in order], _crossings(points, order)
    for sweep in range(_SWEEPS):
        forwards = sweep % 2 == 0
        for column in order if forwards else reversed(order):
            centres = _centres(points, order, column, forwards=forwards)
            column.sort(key=centres.__getitem__)
        count = _crossings(points, order)
        if count < fewest:
            best, fewest = [list(column) for column in order], count
    return best


def _gather(build: Build, order: list[list[str]]) -> None:
    """Put a build key above the build lock that it decides: their edge runs beside the column."""
    keys = {node.id for node in build.nodes if node.kind is Kind.KEY}
    for edge in build.edges:
        column = next((names for names in order if edge.source in names and edge.target in names), None)
        if edge.source in keys and column is not None:
            column.remove(edge.source)
            column.insert(column.index(edge.target), edge.source)


def _centres(
    points: Mapping[str, _Point], order: list[list[str]], column: list[str], *, forwards: bool
) -> dict[str, float]:
    """Where each name of a column would like to be, 0 to 1 from the top: amid its neighbours on one side."""
    places = {name: (rank + 0.5) / len(names) for names in order for rank, name in enumerate(names)}
    found = {}
    for name in column:
        others = points[name].before if forwards else points[name].after
        found[name] = sum(places[other] for other in others) / len(others) if others else places[name]
    return found


def _crossings(points: Mapping[str, _Point], order: list[list[str]]) -> int:
    count = 0
    for left, right in pairwise(order):
        ranks = {name: rank for rank, name in enumerate(right)}
        ends = [rank for name in left for rank in sorted(ranks[other] for other in points[name].after)]
        count += sum(one > other for at, one in enumerate(ends) for other in ends[at + 1 :])
    return count


def _place(points: Mapping[str, _Point], order: list[list[str]]) -> None:
    """Heights: towards the mean of the neighbours, in order, and never on top of each other."""
    for column in order:
        _stack(points, column, dict.fromkeys(column, 0.0))
    for sweep in range(_SWEEPS * 2):
        for column in order if sweep % 2 == 0 else reversed(order):
            wanted = {}
            for name in column:
                point = points[name]
                others = point.before + point.after
                here = _middle(point)
                wanted[name] = sum(_middle(points[other]) for other in others) / len(others) if others else here
            _stack(points, column, wanted)
    top = min((point.y for point in points.values() if point.is_node), default=0.0)
    for point in points.values():
        point.y -= top


def _middle(point: _Point) -> float:
    return point.y + (NODE_HEIGHT / 2 if point.is_node else 0)


def _stack(points: Mapping[str, _Point], column: list[str], wanted: Mapping[str, float]) -> None:
    """Give each name of a column the middle that it wants, as far as there is room: blocks that touch move as one."""
    blocks: list[tuple[list[str], float]] = []  # names, sum of the starts that they want
    for name in column:
        point = points[name]
        start = wanted[name] - (NODE_HEIGHT / 2 if point.is_node else 0)
        block: tuple[list[str], float] = ([name], start)
        while blocks and _start(blocks[-1]) + _length(points, blocks[-1][0]) > _start(block):
            names, total = blocks.pop()
            shift = _length(points, names)
            block = ([*names, *block[0]], total + block[1] - shift * len(block[0]))
        blocks.append(block)
    for block in blocks:
        y = _start(block)
        for name in block[0]:
            points[name].y = y
            y += points[name].height


def _start(block: tuple[list[str], float]) -> float:
    return block[1] / len(block[0])


def _length(points: Mapping[str, _Point], names: list[str]) -> float:
    return sum(points[name].height for name in names)


def _path(
    chain: list[str], points: Mapping[str, _Point], boxes: Mapping[str, Box], lefts: list[int], widths: list[int]
) -> str:
    """The path from the right of the first node to the left of the last; within a column, an arc beside it."""
    first, last = boxes[chain[0]], boxes[chain[-1]]
    if last.column == first.column:
        bend = first.x - min(_LEFT - 4, 8 + abs(last.middle - first.middle) // 12)
        return f"M{first.x} {first.middle}C{bend} {first.middle} {bend} {last.middle} {last.x} {last.middle}"
    x, y = first.x + first.width, first.middle
    if last.column < first.column:
        return f"M{x} {y}C{x + _GAP} {y} {last.x - _GAP} {last.middle} {last.x} {last.middle}"
    parts = [f"M{x} {y}"]
    for name in chain[1:]:
        point = points[name]
        left, there = lefts[point.column], boxes[name].middle if name in boxes else round(point.y) + _TOP
        half = (left - x) // 2
        parts.append(f"C{x + half} {y} {left - half} {there} {left} {there}")
        x, y = left, there
        if not point.is_node:
            x = left + widths[point.column]
            parts.append(f"H{x}")
    return "".join(parts)
