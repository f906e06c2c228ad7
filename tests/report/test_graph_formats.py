"""Mermaid and Graphviz: valid whatever a lock says, and few enough boxes to read."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings

from auditor.cli.options import Overrides
from auditor.report.graph.dot import render_dot
from auditor.report.graph.mermaid import render_mermaid
from auditor.report.graph.model import Entry, PackageNode, Picture, State, View
from tests.report.hostile import pictures
from tests.report.pictures import picture_of, write_project
from tests.rules.specimens import package, plain, write_pair
from tests.support import REPOSITORY, missing, require_corpus

if TYPE_CHECKING:
    from pathlib import Path

_LABEL: Final = r'"(?:[A-Za-z0-9 .,_+\-/()@=]|\#\d+;|<br>)*"'
_ID: Final = r"[vb]\w+"
# Every line that Mermaid may get. A label has nothing in it that means something there.
LINES: Final = re.compile(
    rf"""flowchart\ LR
    | \ +subgraph\ {_ID}\[{_LABEL}\] | \ +end | \ +direction\ LR
    | \ +{_ID}(?:\[{_LABEL}\]|\[\[{_LABEL}\]\]|\({_LABEL}\)|\(\[{_LABEL}\]\)|\[\({_LABEL}\)\]|\{{\{{{_LABEL}\}}\}})
    | \ +{_ID}(?:\ ~~~\ {_ID})+
    | \ +{_ID}\ (?:-->|-\.->|<-\.\ differs\ \.->|-\.\ new\ key\ \.->)\ {_ID}
    | \ +class\ {_ID}(?:,{_ID})*\ [\w-]+
    | \ +classDef\ [\w-]+\ fill:\#\w{{6}},stroke:\#\w{{6}},color:\#\w{{6}}""",
    re.VERBOSE,
)


@pytest.fixture(scope="module")
def dot() -> str:
    """The path of Graphviz."""
    found = shutil.which("dot")
    if found is None:
        missing("Graphviz is not installed")
        raise AssertionError
    return found


def drawn(dot: str, text: str) -> list[str]:
    """The texts of the SVG that Graphviz draws, one each line of a label."""
    done = subprocess.run([dot, "-Tsvg"], input=text.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    tree = ET.fromstring(done.stdout)  # noqa: S314 - Graphviz wrote it just now
    return ["".join(each.itertext()) for each in tree.iter("{http://www.w3.org/2000/svg}text")]


@settings(max_examples=40, deadline=None)
@given(pictures())
def test_mermaid_has_only_lines_that_we_know(picture: tuple[Picture, list[str]]) -> None:
    for everything in (False, True):
        for line in render_mermaid(picture[0], everything=everything).splitlines():
            assert LINES.fullmatch(line), line


def test_graphviz_draws_every_text_as_it_is(dot: str) -> None:
    hostile = ['a"b', "a\\", "a\\nb\\l", "<b>x</b>", "&lt;&amp;&#65;", "a]; b [label=c", "//x", "/*x", "#x", "\\N\\G"]
    for number, text in enumerate(hostile):
        picture = _named(text)
        assert text in drawn(dot, render_dot(picture, everything=True)), number


def _named(text: str) -> Picture:
    entry = Entry(version="1", kind="registry", source="registry")
    package = PackageNode(id="p", name=text, state=State.PROD_ONLY, prod=entry)
    view = View(pair="", target="linux", dev_lock="uv.lock", prod_lock="prod/uv.lock", packages=(package,))
    return Picture(name="app", views=(view,), builds=())


@pytest.mark.parametrize("everything", [False, True])
def test_graphviz_takes_this_repository(dot: str, *, everything: bool) -> None:
    texts = drawn(dot, render_dot(picture_of(REPOSITORY), everything=everything))
    assert {"uv.lock", "compile", "flash-attn"} <= set(texts)
    assert ("torch" in texts) is everything


@pytest.mark.corpus
def test_graphviz_takes_a_large_pair(dot: str) -> None:
    overrides = Overrides(prod_lock="train/uv.lock", targets=("linux-x86_64-cp312",))
    picture = picture_of(require_corpus() / "allenai__molmoweb", overrides)
    assert "torch" in drawn(dot, render_dot(picture))
    assert len(render_mermaid(picture)) < 50_000  # what GitHub draws


def test_what_is_equal_is_one_box_unless_all_is_asked_for(tmp_path: Path) -> None:
    text = plain(*(package(f"package-{number}") for number in range(30)))
    picture = picture_of(write_pair(tmp_path, dev=text, prod=text))
    assert "30 packages" in render_mermaid(picture)
    assert render_mermaid(picture).count("package-29") == 0
    assert render_mermaid(picture, everything=True).count('"package-29<br>') == 1


def test_many_differences_are_drawn_as_the_largest_and_the_rest(tmp_path: Path) -> None:
    dev, prod = (plain(*(package(f"p-{number}", version) for number in range(30))) for version in ("1.0", "2.0"))
    picture = picture_of(write_pair(tmp_path, dev=dev, prod=prod))
    text = render_mermaid(picture)
    assert text.count("differs") == 13
    assert text.count("more that differ#58; 18 packages") == 2
    assert render_mermaid(picture, everything=True).count("differs") == 30


def test_both_formats_show_the_same_build(tmp_path: Path) -> None:
    picture = picture_of(write_project(tmp_path))
    (build,) = picture.builds
    drawn_edges = sum(edge.is_drawn for edge in build.edges)
    assert len(re.findall(r"b0n\d+ -.*> b0n\d+", render_mermaid(picture))) == drawn_edges
    assert len(re.findall(r"b0n\d+ -> b0n\d+", render_dot(picture))) == drawn_edges


def test_edges_that_held_are_drawn_when_all_is_asked_for(tmp_path: Path) -> None:
    picture = picture_of(write_project(tmp_path))
    (view,) = picture.views
    numbers = {package.name: number for number, package in enumerate(view.packages)}
    edge = f"v0p{numbers['flash-attn']} --> v0p{numbers['torch']}"
    assert edge not in render_mermaid(picture)
    assert edge in render_mermaid(picture, everything=True)
    assert edge.replace("-->", "->") in render_dot(picture, everything=True)
