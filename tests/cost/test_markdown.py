"""The comment for a pull request, and the text for a terminal, with names of somebody hostile."""

from __future__ import annotations

import re
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

from hypothesis import given, strategies as st

from auditor.cost.model import (
    BuildCost,
    Cause,
    Change,
    Compile,
    Cost,
    Difference,
    ImageCost,
    PackageChange,
    PairCost,
    StageCost,
    TargetCost,
)
from auditor.dockerfile.layer import Kind
from auditor.report.cost.json import render_json
from auditor.report.cost.markdown import MARK, render_markdown
from auditor.report.cost.text import render_text
from tests.cli.command import lockaudit
from tests.wheel.specimens import COMPILED

from .repository import SCHEMA, commit

if TYPE_CHECKING:
    from pathlib import Path

NASTY: Final = (
    "</code></td><script>alert(1)</script>",
    "| a | b |",
    "a\nb",
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe",
    "@everyone please see #1",
    "[click](https://evil.example)",
    "![](https://evil.example/pixel.png)",
    "`code`",
    "**bold** _it_ ~~gone~~",
    "</details>",
    "<!-- lockaudit plan -->",
    "-->",
    "https://user:secret@host.example/x",
    "\\",
    "::error::x",
)
WORDS: Final = st.one_of(
    st.sampled_from(NASTY), st.text(min_size=1, max_size=20), st.lists(st.sampled_from(NASTY), min_size=1).map(" ".join)
)
DIFFERENCES: Final = st.builds(Difference, WORDS, WORDS, WORDS)
CAUSES: Final = st.builds(
    Cause,
    kind=st.sampled_from(Kind),
    name=WORDS,
    before=st.just("") | WORDS,
    after=st.just("") | WORDS,
    others=st.integers(0, 3),
    line=st.integers(0, 99),
    through=st.just("") | WORDS,
)
CHANGES: Final = st.builds(
    PackageChange,
    name=WORDS,
    change=st.sampled_from(Change),
    before=WORDS,
    after=WORDS,
    source_before=st.just("") | WORDS,
    source_after=st.just("") | WORDS,
    file_changed=st.booleans(),
    compiled=st.booleans(),
    size=st.none() | st.integers(-(10**12), 10**12),
)
STAGES: Final = st.builds(
    StageCost,
    name=WORDS,
    line=st.integers(1, 99),
    steps=st.integers(1, 9),
    ran=st.integers(0, 9),
    perhaps=st.integers(0, 9),
    first=st.just("COPY, line 3"),
    cause=st.none() | CAUSES,
)
COSTS: Final = st.builds(
    Cost,
    base=WORDS,
    commit=st.just("0" * 40),
    pairs=st.lists(
        st.builds(
            PairCost,
            name=st.just("") | WORDS,
            is_new=st.booleans(),
            targets=st.lists(
                st.builds(
                    TargetCost,
                    target=st.just("linux-x86_64-cp312"),
                    before=st.just("") | WORDS,
                    images=st.tuples(
                        st.builds(ImageCost, name=st.just("dev"), changes=st.lists(CHANGES, max_size=2).map(tuple)),
                        st.builds(ImageCost, name=st.just("prod"), changes=st.lists(CHANGES, max_size=2).map(tuple)),
                    ),
                    compiles=st.lists(
                        st.builds(
                            Compile,
                            package=WORDS,
                            before=st.just("") | WORDS,
                            after=WORDS,
                            components=st.lists(DIFFERENCES, max_size=2).map(tuple),
                            cause=st.none() | CAUSES,
                        ),
                        max_size=2,
                    ).map(tuple),
                    dropped=st.lists(WORDS, max_size=1).map(tuple),
                    facts=st.lists(DIFFERENCES, max_size=2).map(tuple),
                ),
                min_size=1,
                max_size=1,
            ).map(tuple),
            builds=st.lists(
                st.builds(BuildCost, name=WORDS, stages=st.lists(STAGES, max_size=2).map(tuple)), max_size=1
            ).map(tuple),
            notes=st.lists(WORDS, max_size=1).map(tuple),
        ),
        min_size=1,
        max_size=2,
    ).map(tuple),
)
ALLOWED: Final = {"details", "summary", "code"}
# Of Markdown, what can stand in a cell: nothing but character references and characters without a meaning.
CELL: Final = re.compile(r"(?:&#\d+;|[\w .,:;=+\-/()%]|</?code>)*")


class Tags(HTMLParser):
    """The tags and comments of a document, and whether they are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.comments: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Ours, and without attributes."""
        assert tag in ALLOWED
        assert [name for name, _ in attrs] in ([], ["open"])
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Of the one that was opened last."""
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        """To be counted."""
        self.comments.append(data)


@given(COSTS)
def test_markdown_has_our_own_tags_only_and_tables_of_equal_width(cost: Cost) -> None:
    text = render_markdown(cost)
    parser = Tags()
    parser.feed(text)
    parser.close()
    assert (parser.open, parser.comments) == ([], [" lockaudit plan "])
    assert text.startswith(f"{MARK}\n### lockaudit plan\n")
    width = 0
    for line in text.splitlines():
        assert line.isprintable()
        if not line.startswith("|"):
            width = 0
            continue
        cells = line.strip("|").split("|")
        width = width or len(cells)
        assert len(cells) == width
        assert all(CELL.fullmatch(cell) for cell in cells), line


@given(COSTS)
def test_no_format_gives_a_login_away_or_moves_the_cursor(cost: Cost) -> None:
    assert all(line.isprintable() for line in render_text(cost).splitlines())
    assert "user:secret" not in render_text(cost)
    assert "secret" not in render_markdown(cost)


@given(COSTS)
def test_json_is_as_its_schema_says(cost: Cost) -> None:
    import json  # noqa: PLC0415

    SCHEMA.validate(json.loads(render_json(cost)))


def test_a_hostile_file_name_is_shown_harmlessly(tmp_path: Path) -> None:
    root = COMPILED.write(tmp_path)
    dockerfile = root / "docker" / "Dockerfile-uv"
    dockerfile.write_text("FROM scratch AS dev\nCOPY . /\n")
    commit(root)
    name = "|x|\x1b[31m<img src=x>`a`\n@team"
    (root / name).write_text("")
    text = lockaudit("plan", root).out
    assert "dev  1 of 1 step, from COPY, line 2: |x|\\u001b[31m<img src=x>`a`\\u000a@team added" in text
    markdown = lockaudit("plan", root, "--output-format", "markdown").out
    assert "<img" not in markdown
    assert "@team" not in markdown


def test_names_that_git_quotes_are_the_same_on_both_sides(tmp_path: Path) -> None:
    root = COMPILED.write(tmp_path)
    (root / "docker" / "Dockerfile-uv").write_text("FROM scratch AS dev\nCOPY . /\n")
    for name in ("with space", 'quo"te', "tab\there", "line\nfeed", "ümlaut", "-dash"):
        (root / name).write_text(name)
    (root / "link").symlink_to("with space")
    (root / "script").write_text("")
    (root / "script").chmod(0o755)
    commit(root)
    subprocess.run(["touch", *(str(path) for path in root.iterdir() if path.is_file())], check=True)
    assert "none of 1 stages run again" in lockaudit("plan", root).out
    (root / "line\nfeed").write_text("other")
    assert "from COPY, line 2: line\\u000afeed changed" in lockaudit("plan", root).out
