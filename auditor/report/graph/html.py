"""The picture as one HTML file: no network, no framework, and nothing in it that a lock could have put there.

A policy in the page forbids every request and every script but the one whose hash it names; texts are escaped as well.
Whatever the pictures show stands in the tables too, and the script shows details from there: there is no second copy.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from auditor.report.graph.html_build import build_section, build_styles, build_table
from auditor.report.graph.html_packages import package_table, view_section
from auditor.report.graph.markup import attribute, remark_list, text
from auditor.report.graph.words import verdict

if TYPE_CHECKING:
    from auditor.report.graph.model import Picture

_PACKAGE: Final = "auditor.report.graph"
_WIDTHS: Final = "".join(f".w{percent}{{width:{percent}%}}" for percent in range(101))
_ICON: Final = "data:,"  # without one, a browser asks its server for favicon.ico
_NAVIGATION: Final = '<a href="#main">Packages</a> <a href="#build">Build</a> <a href="#tables">Tables</a>'
_SEARCH: Final = (
    '<input id="q" type="search" placeholder="name, version, source ... ( / )" autocomplete="off" spellcheck="false">'
    '<output id="hits" for="q" aria-live="polite"></output>'
)
_ERROR: Final = "error"


def render_html(picture: Picture) -> str:
    """The whole page."""
    style, script = _asset("page.css"), _asset("page.js")
    own = _WIDTHS + "".join(build_styles(build, f"b{number}") for number, build in enumerate(picture.builds))
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; script-src '{_digest(script)}';"
        f" style-src '{_digest(style)}' '{_digest(own)}'"
    )
    title = f"{picture.name or 'lockaudit'}: dev and prod"
    pairs = {build.pair: f"b{number}" for number, build in enumerate(picture.builds)}
    views = [
        view_section(view, f"v{number}", pairs.get(view.pair, ""), several=len(picture.views) > 1)
        for number, view in enumerate(picture.views)
    ]
    builds = [build_section(build, f"b{number}") for number, build in enumerate(picture.builds)]
    tables = [package_table(view, f"v{number}") for number, view in enumerate(picture.views)]
    tables += [build_table(build, f"b{number}") for number, build in enumerate(picture.builds)]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{attribute(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="referrer" content="no-referrer">',
            f'<link rel="icon" href="{_ICON}">',
            f"<title>{text(title)}</title>",
            f"<style>{style}</style>",
            f"<style>{own}</style>",
            "</head>",
            "<body>",
            *_top(title),
            "<main>",
            *_verdict(picture),
            *_switch(picture),
            *views,
            *builds,
            *_others(picture),
            '<section id="tables" aria-labelledby="tables-title">',
            '<h2 id="tables-title">The same as tables</h2>',
            *tables,
            "</section>",
            "<footer>Made by <code>lockaudit graph</code>. This page loads nothing and sends nothing.</footer>",
            "</main>",
            f"<script>{script}</script>",
            "</body>",
            "</html>\n",
        ]
    )


def _asset(name: str) -> str:
    return files(_PACKAGE).joinpath("assets", name).read_text("utf-8")


def _digest(content: str) -> str:
    """As a Content-Security-Policy names an inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def _top(title: str) -> list[str]:
    return [
        '<a class="skip" href="#main">Skip to the packages</a>',
        '<header class="top"><div class="wrap">',
        f"<h1>{text(title)}</h1>",
        f'<nav aria-label="Parts of this page">{_NAVIGATION}</nav>',
        f'<form class="search" role="search"><label for="q">Search</label>{_SEARCH}</form>',
        "</div></header>",
        '<p class="said" id="said" aria-live="polite"></p>',
    ]


def _verdict(picture: Picture) -> list[str]:
    kind = "bad" if any(word == _ERROR for word, _ in picture.counts) else "good"
    mark = "\u2716" if kind == "bad" else "\u2714"
    message = text(verdict(picture)).replace("`lockaudit check`", "<code>lockaudit check</code>")
    return [f'<p class="verdict {kind}" id="main"><span aria-hidden="true">{mark}</span> {message}</p>']


def _switch(picture: Picture) -> list[str]:
    """Buttons for the views, where there are several. Without a script, all of them are shown."""
    if len(picture.views) == 1:
        return []
    buttons = [
        f'<button type="button" data-show="v{number}" aria-pressed="false">{text(view.title)}</button>'
        for number, view in enumerate(picture.views)
    ]
    return [f'<div class="views" role="group" aria-label="Targets">{"".join(buttons)}</div>']


def _others(picture: Picture) -> list[str]:
    if not picture.remarks:
        return []
    return [
        '<section aria-labelledby="others-title">',
        '<h2 id="others-title">Findings about something else</h2>',
        remark_list(picture.remarks),
        "</section>",
    ]
