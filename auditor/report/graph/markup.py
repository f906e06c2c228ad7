"""The little pieces of HTML that every part of the page is made of. Whatever is shown goes through `text`."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.report.graph.model import Remark


def text(value: str) -> str:
    """A text between tags."""
    return escape(value, quote=True)


def attribute(value: str) -> str:
    """A text in an attribute that stands in double quotes."""
    return escape(value, quote=True)


def link(target: str, label: str) -> str:
    """A link to something on the page."""
    return f'<a href="#{attribute(target)}">{text(label)}</a>'


def cell(content: str, classes: str = "", *, empty: str = "") -> str:
    """A cell of a table; `empty` is what details say of it when it has no content."""
    named = f' class="{classes}"' if classes else ""
    told = f' data-empty="{attribute(empty)}"' if empty and not content else ""
    return f"<td{named}{told}>{content}</td>"


def head(titles: Iterable[str]) -> str:
    """The first row of a table."""
    cells = "".join(f'<th scope="col">{text(title)}</th>' for title in titles)
    return f"<thead><tr>{cells}</tr></thead>"


def remark_list(remarks: Iterable[Remark]) -> str:
    """Findings as a list; an empty string without one."""
    items = []
    for each in remarks:
        shown = f'<b>{text(each.code)}</b> {text(each.message)} <span class="muted">({text(each.where)})</span>'
        if each.help:
            shown += f"<br>{text(each.help)}"
        if each.accepted:
            shown += f"<br>accepted: {text(each.accepted)}"
        items.append(f"<li>{shown}</li>")
    return f'<ul class="findings">{"".join(items)}</ul>' if items else ""
