"""The picture for Graphviz: `dot -Tsvg`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.report.graph.boxes import boxes_of
from auditor.report.graph.model import Kind, Reach, State

if TYPE_CHECKING:
    from auditor.report.graph.boxes import Cluster
    from auditor.report.graph.model import Build, BuildNode, Picture

_INDENT: Final = "  "
# class -> (fill, line)
_COLORS: Final = {
    State.DRIFTED.value: ("#fdecea", "#b42318"),
    State.PROD_ONLY.value: ("#f4ecfb", "#7433b8"),
    State.SHARED.value: ("#edf1f5", "#52657a"),
    State.DEV_ONLY.value: ("#e4f3f4", "#0c6a70"),
    "compiled": ("#fdf1d8", "#875300"),
}
_HEAD: Final = (
    'rankdir=LR; charset="UTF-8"; fontname="Helvetica";',
    'node [shape=box, style="rounded,filled", fillcolor="#ffffff", fontname="Helvetica", fontsize=11];',
    'edge [fontname="Helvetica", fontsize=9, arrowsize=0.7];',
)
_LINES: Final = {
    Reach.SURE: "style=solid",
    Reach.BYTES: "style=dashed",
    Reach.KEY: 'style=dotted, color="#875300", label="new key"',
}
_SHAPES: Final = {
    Kind.INPUT: "note",
    Kind.IMAGE: "box3d",
    Kind.KEY: "hexagon",
    Kind.STAGE: "box",
    Kind.TARGET: "component",
    Kind.CACHE: "cylinder",
}


def render_dot(picture: Picture, *, everything: bool = False) -> str:
    """One directed graph: for each view its clusters, then the builds.

    Args:
        picture: what to draw.
        everything: whether every package is a node, with what it depends on.
    """
    lines = ["digraph lockaudit {", *(f"{_INDENT}{line}" for line in _HEAD)]
    for number, view in enumerate(picture.views):
        drawing = boxes_of(view, f"v{number}", everything=everything)
        lines.append(f"{_INDENT}subgraph cluster_v{number} {{")
        lines.append(f"{_INDENT * 2}label={_quoted(drawing.title)};")
        for cluster in drawing.clusters:
            lines += _cluster(cluster, _INDENT * 2)
        first = [cluster.boxes[0].id for cluster in drawing.clusters]
        lines += [f"{_INDENT * 2}{' -> '.join(first)} [style=invis];"] if len(first) > 1 else []
        lines.append(f"{_INDENT}}}")
        lines += [
            f"{_INDENT}{one} -> {other}" + (' [dir=both, style=dashed, color="#b42318"];' if differs else ";")
            for one, other, differs in drawing.edges
        ]
    for number, build in enumerate(picture.builds):
        if build.nodes:
            lines += _build(build, f"b{number}")
    return "".join(f"{line}\n" for line in [*lines, "}"])


def _cluster(cluster: Cluster, indent: str) -> list[str]:
    lines = [f"{indent}subgraph cluster_{cluster.id} {{", f"{indent}{_INDENT}label={_quoted(cluster.title)};"]
    for box in cluster.boxes:
        fill, line = _COLORS[box.kind]
        lines.append(f'{indent}{_INDENT}{box.id} [label={_quoted(*box.lines)}, fillcolor="{fill}", color="{line}"];')
    return [*lines, f"{indent}}}"]


def _build(build: Build, own: str) -> list[str]:
    title = f"Build of {build.pair}" if build.pair else "Build"
    names = {node.id: f"{own}n{number}" for number, node in enumerate(build.nodes)}
    lines = [f"{_INDENT}subgraph cluster_{own} {{", f"{_INDENT * 2}label={_quoted(title)};"]
    lines += [f"{_INDENT * 2}{names[node.id]} [{_attributes(node)}];" for node in build.nodes]
    lines.append(f"{_INDENT}}}")
    lines += [
        f"{_INDENT}{names[edge.source]} -> {names[edge.target]} [{_LINES[edge.reach]}];"
        for edge in build.edges
        if edge.is_drawn
    ]
    return lines


def _attributes(node: BuildNode) -> str:
    about = node.about if node.kind in {Kind.INPUT, Kind.KEY} else "takes hours" if node.compiles else ""
    fill, line = _COLORS["compiled"] if node.wheel else ("#ffffff", "#52657a")
    label = _quoted(*filter(None, (node.label, about)))
    return f'label={label}, shape={_SHAPES[node.kind]}, style=filled, fillcolor="{fill}", color="{line}"'


def _quoted(*lines: str) -> str:
    r"""Lines as one quoted string: `\` begins an escape there, and `&` an entity."""
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines]
    return '"' + "\\n".join(escaped) + '"'
