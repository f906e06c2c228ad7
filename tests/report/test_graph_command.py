"""`lockaudit graph`: formats, files, exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.command import lockaudit, process
from tests.report.pictures import CONFIG, DEV, PROD, write_project
from tests.rules.specimens import write_pair

if TYPE_CHECKING:
    from pathlib import Path

BEGINNINGS = {"mermaid": "flowchart LR\n", "dot": "digraph lockaudit {\n", "html": "<!DOCTYPE html>\n"}


@pytest.mark.parametrize(("output_format", "beginning"), BEGINNINGS.items())
def test_formats(tmp_path: Path, output_format: str, beginning: str) -> None:
    result = lockaudit("graph", write_project(tmp_path), "--output-format", output_format)
    assert result.out.startswith(beginning)
    assert (result.code, result.err) == (0, "")


def test_findings_do_not_change_the_exit_code(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=DEV, prod=PROD, config=CONFIG)
    assert lockaudit("check", root).code == 1
    assert lockaudit("graph", root).code == 0


@pytest.mark.parametrize(
    ("name", "arguments", "beginning"),
    [
        ("picture.html", (), BEGINNINGS["html"]),
        ("picture.mmd", (), BEGINNINGS["mermaid"]),
        ("picture", (), BEGINNINGS["mermaid"]),
        ("picture.html", ("--output-format", "dot"), BEGINNINGS["dot"]),
    ],
)
def test_the_output_file_decides_where_nothing_else_does(
    tmp_path: Path, name: str, arguments: tuple[str, ...], beginning: str
) -> None:
    root = write_pair(tmp_path / "pair", dev=DEV, prod=PROD, config=CONFIG)
    target = tmp_path / name
    result = lockaudit("graph", root, "-o", target, *arguments)
    assert (result.code, result.out) == (0, "")
    assert result.err == f"wrote {target}\n"
    assert target.read_text("utf-8").startswith(beginning)


def test_a_file_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    root = write_pair(tmp_path / "pair", dev=DEV, prod=PROD, config=CONFIG)
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = lockaudit("graph", root, "-o", tmp_path / "file" / "picture.html")
    assert result.code == 2
    assert result.err.startswith("error: ")
    assert "cannot write" in result.err


def test_a_lock_that_is_none_is_one_message(tmp_path: Path) -> None:
    result = lockaudit("graph", write_pair(tmp_path, dev=DEV, prod="", config=CONFIG))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: prod/uv.lock")


def test_the_comparison_is_drawn_even_where_its_rules_are_not_selected(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=DEV, prod=PROD, config=CONFIG, select=("LA3",))
    assert "LA103" in lockaudit("graph", root).out
    assert "LA103" not in lockaudit("check", root).out


def test_the_page_is_the_same_in_another_process(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    pages = {
        process("graph", root, "--output-format", "html", env={"PYTHONHASHSEED": seed}).out for seed in ("1", "2", "3")
    }
    assert len(pages) == 1
