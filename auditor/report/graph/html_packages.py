"""The packages of a page: how many of each kind, both sides row by row, and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.report.graph.markup import attribute, cell, head, link, remark_list, text
from auditor.report.graph.model import Entry, State, total
from auditor.report.graph.words import amount, file_of, packages, summary
from auditor.report.size import size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auditor.report.graph.model import PackageNode, View

_MARKS: Final = {State.DRIFTED: "\u2260", State.PROD_ONLY: "\u25b8", State.SHARED: "=", State.DEV_ONLY: "\u25c2"}
_TILES: Final = {
    State.DRIFTED: "differ",
    State.PROD_ONLY: "only in prod",
    State.SHARED: "the same",
    State.DEV_ONLY: "only in dev",
}
_ABOUT: Final = {
    State.DRIFTED: "what is tested is not what is shipped",
    State.PROD_ONLY: "nobody has tested them with the rest",
    State.SHARED: "name, version, source and files are equal",
    State.DEV_ONLY: "tools, and whatever production leaves out",
}
# Of what is no problem, the largest are shown, and the others folded away.
_SHOWN: Final = 10
_SPARE: Final = 4  # so few are not worth folding
_SCALE: Final = 1000  # width of the summary bars, in units of their own
# The first of them are what a search looks into: what a package needs would find half of the page.
_COLUMNS: Final = (
    *("Package", "State", "Findings", "Dev", "Dev, download", "Prod", "Prod, download", "Source", "File"),
    *("Build key", "How it gets there", "Needs"),
)
_SEARCHED: Final = 10


def view_section(view: View, own: str, build: str, *, several: bool) -> str:
    """One pair on one target.

    Args:
        view: what to show.
        own: its id.
        build: id of the build that belongs to it.
        several: whether there are others, so that it needs a title of its own.
    """
    parts = [f'<section class="view" id="{own}" data-build="{build}" aria-labelledby="{own}-title">']
    where = f" on {view.title}" if several or view.title else ""
    parts.append(f'<h2 id="{own}-title">Packages{text(where)}</h2>')
    parts += [f'<p class="note">{text(note)}</p>' for note in view.notes]
    if view.packages:
        parts.append(_tiles(view))
        parts.append('<div class="split"><div>')
        parts.append(_heads(view))
        parts += _groups(view, own)
        parts.append('<p class="nothing" hidden>No package fits.</p>')
        parts.append("</div>")
        parts.append(_help(own))
        parts.append("</div>")
    parts.append("</section>")
    return "\n".join(parts)


def _tiles(view: View) -> str:
    """What there is, in numbers; each of them shows only its own when it is pressed."""
    compiled = [package for package in view.packages if package.compiled]
    tiles = [(state.value, _MARKS[state], view.of(state), _TILES[state]) for state in State]
    tiles.insert(2, ("compiled", "\u2699", tuple(compiled), "compiled here"))
    buttons = []
    for name, mark, nodes, label in tiles:
        whole = total(node.prod or node.dev for node in nodes)
        told = amount(whole) if nodes else "none"
        buttons.append(
            f'<button type="button" class="tile {name}{"" if nodes else " none"}" data-filter="{name}"'
            f' aria-pressed="false"><span aria-hidden="true">{mark}</span> <b>{len(nodes)}</b> {label}'
            f"<small>{told}</small></button>"
        )
    return f'<div class="tiles" role="group" aria-label="Show only">{"".join(buttons)}</div>'


def _heads(view: View) -> str:
    widest = max(view.dev.size, view.prod.size, 1)
    sides = []
    for name, lock, whole, entry_of in (
        ("dev", view.dev_lock, view.dev, _dev),
        ("prod", view.prod_lock, view.prod, _prod),
    ):
        bar = _stack(view, entry_of, widest, backwards=name == "dev")
        sides.append(f"<div><b>{name}</b> <code>{text(lock)}</code><br>{packages(whole)}{bar}</div>")
    return f'<div class="heads">{sides[0]}<div class="muted" aria-hidden="true">package</div>{sides[1]}</div>'


def _dev(node: PackageNode) -> Entry | None:
    return node.dev


def _prod(node: PackageNode) -> Entry | None:
    return node.prod


def _stack(view: View, entry_of: Callable[[PackageNode], Entry | None], widest: int, *, backwards: bool) -> str:
    """The bytes of a side by state, as one bar that begins at the middle of the page."""
    at, shapes, words = 0.0, [], []
    for state in State:
        whole = total(entry_of(node) for node in view.of(state))
        width = whole.size * _SCALE / widest
        if whole.count:
            words.append(f"{_TILES[state]} {size(whole.size)}")
        if width:
            left = max(0.0, _SCALE - at - width) if backwards else at
            shapes.append(f'<rect class="{state.value}" x="{left:.1f}" width="{width:.1f}" height="10"/>')
            at += width
    label = attribute(", ".join(words))
    return (
        f'<svg viewBox="0 0 {_SCALE} 10" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f"{''.join(shapes)}</svg>"
    )


def _groups(view: View, own: str) -> list[str]:
    """The packages by state, what matters most first; compiled ones that do not differ come before the others."""
    largest = max((node.size for node in view.packages), default=0)
    groups: list[tuple[State, str, str, Sequence[PackageNode]]] = []
    for state in State:
        nodes: Sequence[PackageNode] = view.of(state)
        compiled = [node for node in nodes if node.compiled and state is State.SHARED]
        if compiled:
            groups.append((state, "Compiled here, the same", "built once from source, shared by both", compiled))
        rest = [node for node in nodes if node not in compiled]
        if rest:
            groups.append((state, state.heading, _ABOUT[state], rest))
    parts = []
    for state, title, about, nodes in groups:
        urgent = state in {State.DRIFTED, State.PROD_ONLY} or len(nodes) <= _SHOWN + _SPARE
        shown = nodes if urgent else nodes[:_SHOWN]
        whole = total(node.prod or node.dev for node in nodes)
        kind = "compiled" if state is State.SHARED and nodes[0].compiled else state.value
        parts.append(
            f'<details class="group {kind}" open>'
            f"<summary><h3>{text(title)}</h3>"
            f' <b class="shown" data-all="{len(nodes)}">{len(nodes)}</b>'
            f' <span class="muted">{amount(whole)} &middot; {about}</span></summary>'
            f"{_rows(shown, own, largest)}{_folded(nodes[len(shown) :], own, largest)}</details>"
        )
    return parts


def _rows(nodes: Sequence[PackageNode], own: str, largest: int) -> str:
    rows = "".join(_row(node, own, largest) for node in nodes)
    return f'<ul class="rows" role="list" data-roving="rows">{rows}</ul>'


def _folded(nodes: Sequence[PackageNode], own: str, largest: int) -> str:
    if not nodes:
        return ""
    whole = total(node.prod or node.dev for node in nodes)
    title = f"{len(nodes)} smaller ones, {amount(whole)}"
    return f'<details class="more"><summary>{title}</summary>{_rows(nodes, own, largest)}</details>'


def _row(node: PackageNode, own: str, largest: int) -> str:
    chips = ['<span class="chip compiled">compiled</span>'] if node.compiled else []
    codes = list(dict.fromkeys(each.code for each in node.remarks))
    chips += [f'<span class="chip drifted">{text(codes[0])}{"+" if len(codes) > 1 else ""}</span>'] if codes else []
    kinds = f"row {node.state.value}{' compiled' if node.compiled else ''}"
    why = ", ".join(node.why)
    return (
        f'<li class="{kinds}" id="{own}-{node.id}"><button type="button" aria-label="{attribute(summary(node))}">'
        f"{_side('dev', node.dev, largest, 'not in dev')}"
        f'<span class="name"><b>{text(node.name)}</b>{"".join(chips)}</span>'
        f"{_side('prod', node.prod, largest, why or 'not in prod')}</button></li>"
    )


def _side(name: str, entry: Entry | None, largest: int, gone: str) -> str:
    if entry is None:
        return f'<span class="side {name}"><span class="gone">{text(gone)}</span></span>'
    width = round(100 * (entry.size or 0) / largest) if largest else 0
    bar = f'<span class="bar"><i class="w{width}"></i></span>' if entry.size else '<span class="bar"></span>'
    version = entry.version or entry.kind
    return (
        f'<span class="side {name}"><span class="ver">{text(version)}</span>'
        f'<span class="size">{size(entry.size) or "?"}</span>{bar}</span>'
    )


def _help(own: str) -> str:
    return (
        f'<aside class="card" id="{own}-details" aria-label="Details of the selected package">'
        "<h3>What you see</h3>"
        "<p>One row for each package: dev on the left, prod on the right, and bars for the size of the file that is"
        " downloaded.</p>"
        "<p>Select a package to see where it comes from, who needs it and what is wrong with it.</p>"
        '<p class="muted"><kbd>/</kbd> search &middot; <kbd>&uarr;</kbd> <kbd>&darr;</kbd> move &middot;'
        " <kbd>Enter</kbd> select &middot; <kbd>Esc</kbd> clear</p></aside>"
    )


def package_table(view: View, own: str) -> str:
    """Everything about the packages of a view, one row each."""
    if not view.packages:
        return ""
    ids = {node.name: f"{own}-{node.id}" for node in reversed(view.packages)}
    rows = "".join(_table_row(node, own, ids) for node in view.packages)
    caption = f"Packages on {view.title}: {packages(view.dev)} in dev, {packages(view.prod)} in prod"
    return (
        f'<div class="tables" data-view="{own}" tabindex="0" role="region" aria-label="Table of packages"><table>'
        f"<caption>{text(caption)}</caption>{head(_COLUMNS)}<tbody>{rows}</tbody></table></div>"
    )


def _table_row(node: PackageNode, own: str, ids: dict[str, str]) -> str:
    dev, prod = node.dev, node.prod
    why = f" ({', '.join(node.why)})" if node.why else ""
    state = f"{node.state.heading.lower()}{why}{', compiled' if node.compiled else ''}"
    cells = [
        cell(text(state)),
        cell(remark_list(node.remarks)),
        cell(text(dev.version or "dynamic") if dev else ""),
        cell(size(dev.size) if dev else "", "num"),
        cell(text(prod.version or "dynamic") if prod else ""),
        cell(size(prod.size) if prod else "", "num"),
        cell(_both(dev.source if dev else None, prod.source if prod else None)),
        cell(_both(file_of(dev) if dev else None, file_of(prod) if prod else None)),
        cell(text(node.key)),
        cell(_way(node)),
        cell(_needs(node, ids), "needs"),
    ]
    shown = f"{own}-{node.id}"
    return f'<tr id="t-{shown}" data-search="{_SEARCHED}"><th scope="row">{text(node.name)}</th>{"".join(cells)}</tr>\n'


def _both(dev: str | None, prod: str | None) -> str:
    """What both sides say, once where it is the same."""
    if not dev or not prod or dev == prod:
        return text(dev or prod or "")
    return f"dev: {text(dev)}<br>prod: {text(prod)}"


def _way(node: PackageNode) -> str:
    """From the project down to the package, on each side that has it."""
    return _both(
        *(" > ".join(entry.path) if entry is not None else None for entry in (node.dev, node.prod)),
    )


def _needs(node: PackageNode, ids: dict[str, str]) -> str:
    dev, prod = (set(entry.needs) if entry is not None else set() for entry in (node.dev, node.prod))
    links = []
    for name in sorted(dev | prod):
        shown = link(ids[name], name) if name in ids else text(name)
        both = node.dev is None or node.prod is None or (name in dev and name in prod)
        links.append(shown if both else f"{shown} (only in {'dev' if name in dev else 'prod'})")
    return ", ".join(links)
