"""Edits of pyproject.toml and Dockerfile: nothing changes beside what was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.change.dockerfile import with_default
from auditor.change.pyproject import appended, below_header, edited, inline, table
from auditor.dockerfile.read import parse_dockerfile
from auditor.errors import InputError
from auditor.source import SourceFile

PROJECT = """\
# a comment
[project]
name = "app"   # its name
dependencies = [
    "b",  # second first
    "a",
]

[tool.uv]  # settings
package = false

[tool.uv.sources]
a = { index = "cu124" }
"""


def with_source(document: Any) -> None:  # noqa: ANN401 - tomlkit's document
    table(document, "tool", "uv", "sources")["b"] = inline({"git": "https://git.example/b", "tag": "v1"})


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_an_edit_changes_only_its_line(mark: str, ending: str) -> None:
    text = mark + PROJECT.replace("\n", ending)
    new = edited(text, with_source)
    added = 'b = {git = "https://git.example/b", tag = "v1"}' + ending
    assert new == text + added


def test_no_edit_is_no_change() -> None:
    text = "\ufeff[project]\r\nname='x'\n\n[ tool . uv ]\npackage=false"
    assert edited(text, lambda document: document["tool"]["uv"]) == text


def test_a_table_is_made_where_there_is_none() -> None:
    assert edited('[project]\nname = "x"\n', with_source).endswith(
        '[tool.uv.sources]\nb = {git = "https://git.example/b", tag = "v1"}\n'
    )


def test_what_is_no_toml_is_said() -> None:
    with pytest.raises(InputError, match="cannot edit"):
        edited("[project\n", with_source)


def test_added_text_has_the_endings_of_the_file() -> None:
    assert appended("a = 1\r\n", "[b]\nc = 1\n") == "a = 1\r\n\r\n[b]\r\nc = 1\r\n"
    assert below_header("[a]\r\nb = 1\r\n", "a", "c = 1\n") == "[a]\r\nc = 1\r\nb = 1\r\n"
    assert below_header("a.b = 1\n", "a", "c = 1\n") is None


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("ARG CUDA_VERSION=12.4.1\nFROM x\n", "ARG CUDA_VERSION=12.8.1\nFROM x\n"),
        ("# c\r\nARG CUDA_VERSION=12.4.1\r\nFROM x\r\n", "# c\r\nARG CUDA_VERSION=12.8.1\r\nFROM x\r\n"),
        ("\ufeffARG  CUDA_VERSION='12.4.1'  \nFROM x", "\ufeffARG  CUDA_VERSION='12.8.1'  \nFROM x"),
        ('arg A=1 CUDA_VERSION="12.4.1" B=2\nFROM x\n', 'arg A=1 CUDA_VERSION="12.8.1" B=2\nFROM x\n'),
        ("ARG A=1 \\\n    CUDA_VERSION=12.4.1\nFROM x\n", "ARG A=1 \\\n    CUDA_VERSION=12.8.1\nFROM x\n"),
        (
            "ARG OLD_CUDA_VERSION=1\nARG CUDA_VERSION=\nFROM x\n",
            "ARG OLD_CUDA_VERSION=1\nARG CUDA_VERSION=12.8.1\nFROM x\n",
        ),
        ("ARG CUDA_VERSION=1\nARG CUDA_VERSION=2\nFROM x\n", "ARG CUDA_VERSION=1\nARG CUDA_VERSION=12.8.1\nFROM x\n"),
        ("ARG V=1\nARG CUDA_VERSION=${V}.4\nFROM x\n", None),
        ("ARG CUDA_VERSION\nFROM x\nARG CUDA_VERSION=1\n", None),
        ("FROM x\n", None),
    ],
)
def test_the_default_of_an_argument(text: str, new: str | None) -> None:
    dockerfile = parse_dockerfile(SourceFile(Path("Dockerfile"), "Dockerfile", text.removeprefix("\ufeff")))
    assert with_default(text, dockerfile, "CUDA_VERSION", "12.8.1") == new
    if new is not None:
        again = parse_dockerfile(SourceFile(Path("Dockerfile"), "Dockerfile", new.removeprefix("\ufeff")))
        assert again.arguments["CUDA_VERSION"] == "12.8.1"
