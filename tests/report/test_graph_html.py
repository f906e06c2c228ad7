"""The page: nothing gets out of its place, nothing is loaded, letters are legible, the same input, the same bytes."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given, settings

from auditor.report.graph.html import render_html
from auditor.report.graph.model import Picture, State
from tests.cli.command import lockaudit
from tests.report.hostile import pictures
from tests.report.pictures import CONFIG, DEV, PROD, picture_of, write_project
from tests.rules.specimens import package, plain, wheel, write_pair
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

TAGS: Final = (
    "a aside b body br button caption code dd details div dl dt em footer form h1 h2 h3 head header html i input"
    " kbd label li link main meta nav output p path rect script section small span style summary svg table tbody"
    " td th thead title tr ul"
)
ATTRIBUTES: Final = (
    "aria-hidden aria-label aria-labelledby aria-live aria-pressed autocomplete charset class content d data-all"
    " data-build data-empty data-filter data-from data-roving data-search data-show data-to data-view"
    " for height hidden href http-equiv id lang name open placeholder preserveaspectratio rel role scope"
    " spellcheck tabindex title type viewbox width x"
)


class Page(HTMLParser):
    """What a browser would make of a page: its tags, its attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that may have something in it."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in {"meta", "link", "input", "br", "path", "rect"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that ends itself."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Every tag ends the one that was opened last."""
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text, or the content of a script or a style."""
        where = self.open[-1] if self.open else ""
        self.raw.get(where, self.texts).append(data)

    def handle_comment(self, data: str) -> None:
        """There is none: whatever begins one is text."""
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        """Likewise."""
        raise AssertionError(data)


@settings(max_examples=60, deadline=None)
@given(pictures())
def test_no_text_gets_out_of_its_place(drawn: tuple[Picture, list[str]]) -> None:
    picture, readable = drawn
    page = Page(render_html(picture))
    assert set(page.tags) <= set(TAGS.split())
    assert {name for _, name, _ in page.attributes} <= set(ATTRIBUTES.split())
    assert page.tags.count("script") == 1
    assert page.tags.count("style") == 2
    assert page.open == []
    assert page.raw["script"] == [asset("page.js")]
    assert page.raw["style"][0] == asset("page.css")
    assert re.fullmatch(r"[\w\s.:;#{}%@()-]*", page.raw["style"][1])
    links = {value for _, name, value in page.attributes if name == "href"}
    assert all(value == "data:," or re.fullmatch(r"#[\w-]+", value) for value in links)
    shown = "\0".join(page.texts)
    for text in readable:
        assert text in shown


def asset(name: str) -> str:
    return files("auditor.report.graph").joinpath("assets", name).read_text("utf-8")


def test_a_hostile_lock_is_harmless(tmp_path: Path) -> None:
    """From a lock to the page: an address with an end of a script, with a login, with what turns the direction."""
    evil = "https://user:secret@index.example/</script><script>alert(1)</script>\\u202e${x}'"
    source = f'registry = "{evil}"'
    text = plain(package("rich", source=source, wheels=[wheel("rich", base="https://u:token@files.example")]))
    root = write_pair(tmp_path, dev=text, prod=text)
    for output_format in ("html", "mermaid", "dot"):
        result = lockaudit("graph", root, "--output-format", output_format, "--all")
        assert result.code == 0
        assert "secret" not in result.out
        assert "token" not in result.out
        assert "\u202e" not in result.out
    page = Page(lockaudit("graph", root, "--output-format", "html").out)
    assert page.tags.count("script") == 1
    assert any("</script><script>alert(1)</script>" in text for text in page.texts)


def test_the_policy_names_the_hashes_of_what_is_there() -> None:
    page = Page(render_html(picture_of(REPOSITORY)))
    (policy,) = [value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for kind in ("script", "style"):
        for content in page.raw[kind]:
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy
    assert not [name for _, name, _ in page.attributes if name == "style" or name.startswith("on")]


def test_nothing_is_loaded() -> None:
    page = Page(render_html(picture_of(REPOSITORY)))
    assert not {"img", "iframe", "object", "video", "audio", "embed", "base"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name in {"src", "srcset", "action", "poster", "background"}]
    for content in (*page.raw["script"], *page.raw["style"]):
        assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|innerHTML|eval\(|import\(", content)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    assert render_html(picture_of(root)) == render_html(picture_of(root))


def test_the_repository_itself_is_small() -> None:
    assert len(render_html(picture_of(REPOSITORY)).encode()) < 200_000


def test_everything_drawn_is_in_the_tables(tmp_path: Path) -> None:
    page = Page(render_html(picture_of(write_project(tmp_path))))
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    parts = {value for value in ids if re.match(r"[vb]\d+-[pb]-", value)}
    assert len(parts) > 20
    assert {f"t-{value}" for value in parts} <= set(ids)
    ends = {value for _, name, value in page.attributes if name in {"data-from", "data-to"}}
    assert ends <= parts
    targets = {value.removeprefix("#") for _, name, value in page.attributes if name == "href" and value != "data:,"}
    assert targets <= set(ids)


def test_several_targets_can_be_chosen(tmp_path: Path) -> None:
    root = write_pair(
        tmp_path, dev=DEV, prod=PROD, config=CONFIG, targets=("linux-x86_64-cp312", "linux-aarch64-cp312")
    )
    page = Page(render_html(picture_of(root)))
    assert [value for _, name, value in page.attributes if name == "data-show"] == ["v0", "v1"]


def test_what_a_lock_does_not_cover_is_said(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=DEV, prod=PROD, config=CONFIG, targets=("linux-x86_64-cp311",))
    page = Page(render_html(picture_of(root)))
    assert any("does not cover linux-x86_64-cp311" in text for text in page.texts)


# --- contrast, as WCAG 2 reckons it

_COLORS: Final = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")


def _palettes() -> dict[str, dict[str, str]]:
    style = asset("page.css")
    dark = style.index("@media (prefers-color-scheme: dark)")
    light = dict(_COLORS.findall(style[:dark]))
    return {"light": light, "dark": {**light, **dict(_COLORS.findall(style[dark : style.index("* {", dark)]))}}


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_that_of_wcag_aa(scheme: str) -> None:
    colors = _palettes()[scheme]
    states = [state.value for state in State] + ["compiled"]
    grounds = ["page", "box", *(f"{state}-back" for state in states)]
    for text in ("text", "muted"):
        for ground in grounds:
            assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)
    for text in ("link", "good", *states):
        for ground in ("page", "box", *([f"{text}-back"] if text in states else [])):
            assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)
    for shape in ("edge", "focus", *states):
        assert contrast(colors[shape], colors["page"]) >= 3, shape
