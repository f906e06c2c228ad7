"""The build of a page: a graph that Python has laid out, what a change reaches, and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.report.graph.layout import TITLES, lay_out
from auditor.report.graph.markup import attribute, cell, head, link, remark_list, text
from auditor.report.graph.model import Kind, Reach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.report.graph.model import Build, BuildNode

_CLASSES: Final = {Reach.SURE: "sure", Reach.BYTES: "bytes", Reach.KEY: "late"}
_LINES: Final = {Reach.SURE: "sure", Reach.BYTES: "bytes", Reach.KEY: "key"}
_COLUMNS: Final = ("Part", "Kind", "About", "Known of it", "Findings")
_CHANGES: Final = {
    Reach.SURE: "A change of it builds again",
    Reach.BYTES: "Builds again only if the bytes that are taken differ",
    Reach.KEY: "Builds again only if a build key differs",
}
_SEARCHED: Final = 4
_FIRST: Final = "b0"  # where the page's navigation goes
_WIDE: Final = 901  # below, page.css shows the parts as lists
_INTRODUCTION: Final = (
    "From left to right: files, the stages of the Dockerfile that take them, the bake targets that build those stages,"
    " and the caches that they write."
)
_LONG: Final = 26  # letters of a label that needs several lines
_MIDDLE: Final = 18  # and of one that needs smaller letters


def build_styles(build: Build, own: str) -> str:
    """Where everything stands, as rules of a style sheet: the page's policy allows no style in a tag."""
    if not build.nodes:
        return ""
    layout = lay_out(build)
    rules = [f"#{own}-graph{{width:{layout.width}px;height:{layout.height}px}}"]
    rules += [
        f"#{own}-{name}{{left:{box.x}px;top:{box.y}px;width:{box.width}px}}" for name, box in layout.boxes.items()
    ]
    rules += [f"#{own}-h{number}{{left:{x}px}}" for number, (_, x) in enumerate(layout.titles)]
    return f"@media (min-width:{_WIDE}px){{{''.join(rules)}}}"


def build_section(build: Build, own: str) -> str:
    """The graph of a build."""
    title = f"Build of {build.pair}" if build.pair else "Build"
    parts = [
        f'<section class="build" id="{own}" aria-labelledby="{own}-title">',
        '<span id="build"></span>' if own == _FIRST else "",
        f'<h2 id="{own}-title">{text(title)}: what a change builds again</h2>',
    ]
    if build.nodes:
        parts.append(f"<p>{_INTRODUCTION}</p>")
    if build.notes:
        parts.append(f'<p class="muted">{text(" ".join(build.notes))}</p>')
    if build.nodes:
        parts.append(_legend())
        parts.append(f'<div class="scroll" tabindex="-1">{_graph(build, own)}</div>')
        parts.append(_help(own))
    parts.append("</section>")
    return "\n".join(parts)


def _legend() -> str:
    lines = "".join(
        f'<span><svg viewBox="0 0 30 8" aria-hidden="true"><path class="{name}" d="M0 4H30"/></svg>{words}</span>'
        for name, words in (
            ("sure", "every change goes through"),
            ("bytes", "only other bytes go through"),
            ("key", "only another build key goes through"),
        )
    )
    return f'<p class="legend">{lines}<span><i class="swatch hours"></i>on the way to a compiled wheel</span></p>'


def _graph(build: Build, own: str) -> str:
    layout = lay_out(build)
    paths = "".join(
        f'<path class="{_LINES[curve.edge.reach]}{" quiet" if curve.edge.quiet else ""}"'
        f' data-from="{own}-{curve.edge.source}" data-to="{own}-{curve.edge.target}" d="{curve.path}"/>'
        for curve in layout.curves
    )
    order = sorted(build.nodes, key=lambda node: (layout.boxes[node.id].column, layout.boxes[node.id].y))
    groups = []
    titles = {title: number for number, (title, _) in enumerate(layout.titles)}
    for title, kinds in TITLES:
        nodes = "".join(f"<li>{_node(node, own)}</li>" for node in order if node.kind in kinds)
        if nodes:
            groups.append(f'<h3 id="{own}-h{titles[title]}">{title}</h3><ul role="list">{nodes}</ul>')
    return (
        f'<div class="graph" id="{own}-graph" data-roving="graph" role="group" aria-label="Parts of the build">'
        f'<svg aria-hidden="true">{paths}</svg>{"".join(groups)}</div>'
    )


def _node(node: BuildNode, own: str) -> str:
    label, small = node.label, node.about if node.kind in {Kind.INPUT, Kind.KEY} else ""
    if node.kind is Kind.IMAGE:
        repository, separator, tag = node.label.rpartition(":")
        label, small = (repository, tag) if separator and "/" not in tag else (node.label, "")
    elif node.compiles:
        small = "takes hours"
    long = len(label) > _LONG
    classes = f"node {node.kind.value}{' hours' if node.wheel else ''}{' flag' if node.remarks else ''}"
    classes += " long" if long else " mid" if len(label) > _MIDDLE else ""
    told = f"{node.label}, {node.kind.word}" + (f", {node.about}" if node.about else "")
    told += _hours(node)
    told += f", {len(node.remarks)} findings" if node.remarks else ""
    second = f"<small>{text(small)}</small>" if small and not long else ""
    return (
        f'<button type="button" class="{classes}" id="{own}-{node.id}" aria-label="{attribute(told)}"'
        f' title="{attribute(node.label)}"><b>{text(label)}</b>{second}<em hidden></em></button>'
    )


def _hours(node: BuildNode) -> str:
    """What goes behind a kind: whether hours are spent here, or it is on the way."""
    return ", compiles for hours" if node.compiles else ", on the way to a compiled wheel" if node.wheel else ""


def _help(own: str) -> str:
    return (
        f'<div class="card" id="{own}-details" role="region" aria-label="Details of the selected'
        ' part"><h3>Select a part to see what it is made of, and what a change of it builds again</h3>'
        '<p class="muted">Arrow keys move, <kbd>Enter</kbd> selects, <kbd>Esc</kbd> clears. Try a lock: its change runs'
        " to the images, and reaches the wheel only through the build key.</p></div>"
    )


def build_table(build: Build, own: str) -> str:
    """Everything about the parts of a build, one row each."""
    if not build.nodes:
        return ""
    rows = "".join(_table_row(build, node, own) for node in build.nodes)
    caption = f"Parts of the build{f' of {build.pair}' if build.pair else ''}, and what a change of each reaches"
    titles = head((*_COLUMNS, *_CHANGES.values(), "Takes", "Made of"))
    return (
        f'<div class="tables" tabindex="0" role="region" aria-label="Table of the build"><table class="parts">'
        f"<caption>{text(caption)}</caption>{titles}<tbody>{rows}</tbody></table></div>"
    )


def _table_row(build: Build, node: BuildNode, own: str) -> str:
    reached = build.invalidated(node.id)
    facts = "<br>".join(f"{text(what)}: {text(value)}" for what, value in node.facts)
    takes = "<br>".join(
        f"{link(f'{own}-{edge.source}', build.by_id[edge.source].label)}: {text(edge.how)}"
        for edge in build.taken(node.id)
    )
    cells = [
        cell(f"{node.kind.word}{_hours(node)}"),
        cell(text(node.about)),
        cell(facts),
        cell(remark_list(node.remarks)),
    ]
    for reach, name in _CLASSES.items():
        empty = "nothing" if reach is Reach.SURE else ""
        there = [each for each, level in reached.items() if level is reach]
        cells.append(cell(_links(build, there, own), name, empty=empty))
    cells += [cell(takes), cell(_links(build, build.made_of(node.id), own), "made")]
    shown = f"{own}-{node.id}"
    return (
        f'<tr id="t-{shown}" data-search="{_SEARCHED}"><th scope="row">{text(node.label)}</th>{"".join(cells)}</tr>\n'
    )


def _links(build: Build, names: Iterable[str], own: str) -> str:
    """Links to parts, by kind: a stage, its target and its cache often have one name."""
    found: dict[Kind, list[str]] = {}
    for name in names:
        node = build.by_id[name]
        found.setdefault(node.kind, []).append(link(f"{own}-{name}", node.label))
    return "<br>".join(
        f"{kind.word}{'s' if len(links) > 1 else ''} {', '.join(links)}" for kind, links in found.items()
    )
