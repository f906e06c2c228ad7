"""The picture for Mermaid, which GitHub and GitLab draw in Markdown.

Every letter of a label that could mean something to Mermaid is written by its number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.report.graph.boxes import boxes_of
from auditor.report.graph.model import Kind, Reach, State

if TYPE_CHECKING:
    from auditor.report.graph.boxes import Box, Cluster
    from auditor.report.graph.model import Build, BuildNode, Picture

_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,_+-/()@=")
_INDENT: Final = "  "
# Colours that can be read on white and on black pages, since Mermaid knows no media query.
_CLASSES: Final = (
    (State.DRIFTED.value, "fill:#fdecea,stroke:#b42318,color:#7a1710"),
    (State.PROD_ONLY.value, "fill:#f4ecfb,stroke:#7433b8,color:#4b1f7a"),
    (State.SHARED.value, "fill:#edf1f5,stroke:#52657a,color:#2b3845"),
    (State.DEV_ONLY.value, "fill:#e4f3f4,stroke:#0c6a70,color:#07474b"),
    ("compiled", "fill:#fdf1d8,stroke:#875300,color:#5c3900"),
)
_ARROWS: Final = {Reach.SURE: "-->", Reach.BYTES: "-.->", Reach.KEY: "-. new key .->"}
_SHAPES: Final = {
    Kind.INPUT: ('["', '"]'),
    Kind.IMAGE: ('[["', '"]]'),
    Kind.KEY: ('{{"', '"}}'),
    Kind.STAGE: ('("', '")'),
    Kind.TARGET: ('(["', '"])'),
    Kind.CACHE: ('[("', '")]'),
}


def render_mermaid(picture: Picture, *, everything: bool = False) -> str:
    """One flowchart: for each view its clusters, then the builds.

    Args:
        picture: what to draw.
        everything: whether every package is a node, with what it depends on.
    """
    lines = ["flowchart LR"]
    for number, view in enumerate(picture.views):
        drawing = boxes_of(view, f"v{number}", everything=everything)
        lines += [f"{_INDENT}subgraph v{number}[{_quoted(drawing.title)}]", f"{_INDENT * 2}direction LR"]
        for cluster in drawing.clusters:
            lines += _cluster(cluster, _INDENT * 2)
        if len(drawing.clusters) > 1:  # side by side
            lines.append(f"{_INDENT * 2}{' ~~~ '.join(cluster.id for cluster in drawing.clusters)}")
        lines.append(f"{_INDENT}end")
        lines += [
            f"{_INDENT}{one} {'<-. differs .->' if differs else '-->'} {other}" for one, other, differs in drawing.edges
        ]
    for number, build in enumerate(picture.builds):
        if build.nodes:
            lines += _build(build, f"b{number}")
    lines += [f"{_INDENT}classDef {name} {style}" for name, style in _CLASSES]
    return "".join(f"{line}\n" for line in lines)


def _cluster(cluster: Cluster, indent: str) -> list[str]:
    lines = [f"{indent}subgraph {cluster.id}[{_quoted(cluster.title)}]", f"{indent}{_INDENT}direction LR"]
    lines += [f"{indent}{_INDENT}{each.id}[{_quoted(*each.lines)}]" for each in cluster.boxes]
    lines.append(f"{indent}end")
    lines += [f"{indent}class {','.join(names)} {kind}" for kind, names in _by_class(cluster.boxes)]
    return lines


def _by_class(boxes: tuple[Box, ...]) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for box in boxes:
        found.setdefault(box.kind, []).append(box.id)
    return list(found.items())


def _build(build: Build, own: str) -> list[str]:
    title = f"Build of {build.pair}" if build.pair else "Build"
    names = {node.id: f"{own}n{number}" for number, node in enumerate(build.nodes)}
    lines = [f"{_INDENT}subgraph {own}[{_quoted(title)}]", f"{_INDENT * 2}direction LR"]
    lines += [f"{_INDENT * 2}{names[node.id]}{_shape(node)}" for node in build.nodes]
    lines.append(f"{_INDENT}end")
    lines += [
        f"{_INDENT}{names[edge.source]} {_ARROWS[edge.reach]} {names[edge.target]}"
        for edge in build.edges
        if edge.is_drawn
    ]
    marked = [names[node.id] for node in build.nodes if node.wheel]
    return lines + ([f"{_INDENT}class {','.join(marked)} compiled"] if marked else [])


def _shape(node: BuildNode) -> str:
    before, after = _SHAPES[node.kind]
    about = node.about if node.kind in {Kind.INPUT, Kind.KEY} else "takes hours" if node.compiles else ""
    return f"{before}{_escaped(*filter(None, (node.label, about)))}{after}"


def _quoted(*lines: str) -> str:
    return f'"{_escaped(*lines)}"'


def _escaped(*lines: str) -> str:
    return "<br>".join("".join(each if each in _PLAIN else f"#{ord(each)};" for each in line) for line in lines)
