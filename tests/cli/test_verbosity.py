"""`--quiet` and `--verbose`: what goes to stderr, and that neither changes the exit code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import lockaudit
from tests.rules.specimens import TARGET, package, plain, write_pair
from tests.wheel.specimens import COMPILED

if TYPE_CHECKING:
    from pathlib import Path

FILELOCK = plain(package("filelock"))
NEWER = plain(package("filelock", "1.1"))


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """A pair without findings."""
    return write_pair(tmp_path / "clean", dev=FILELOCK, prod=FILELOCK)


@pytest.fixture
def drifted(tmp_path: Path) -> Path:
    """A pair with one error."""
    return write_pair(tmp_path / "drifted", dev=FILELOCK, prod=NEWER)


@pytest.mark.parametrize("output_format", ["text", "concise"])
def test_quiet_and_clean_says_nothing(clean: Path, output_format: str) -> None:
    result = lockaudit("check", clean, "--quiet", "--output-format", output_format)
    assert (result.code, result.out, result.err) == (0, "", "")


@pytest.mark.parametrize("output_format", ["json", "sarif", "junit", "gitlab"])
def test_quiet_leaves_documents_whole(clean: Path, output_format: str) -> None:
    plainly = lockaudit("check", clean, "--output-format", output_format)
    assert lockaudit("check", clean, "-q", "--output-format", output_format) == plainly


def test_quiet_shows_findings(drifted: Path) -> None:
    assert lockaudit("check", drifted, "-q") == lockaudit("check", drifted)


def test_quiet_writes_the_file(drifted: Path, tmp_path: Path) -> None:
    result = lockaudit("check", drifted, "-q", "--output-file", tmp_path / "found.txt")
    assert (result.code, result.out, result.err) == (1, "", "")
    assert "LA103" in (tmp_path / "found.txt").read_text()


def test_verbose_says_what_was_read(drifted: Path) -> None:
    result = lockaudit("check", drifted, "-v")
    *said, last = result.err.splitlines()
    assert said == [
        "read uv.lock",
        "read prod/uv.lock",
        "read pyproject.toml",
        "read prod/pyproject.toml",
        f"target: {TARGET}",
        "Dockerfile: none",
    ]
    assert re.fullmatch(r"took \d+\.\d\d s", last)
    assert (result.code, result.out) == (1, lockaudit("check", drifted).out)


def test_bake(tmp_path: Path) -> None:
    root = COMPILED.write(tmp_path)
    told = lockaudit("bake", root, "--verbose")
    assert told.code == 0
    for words in (
        "read uv.lock\n",
        "target: ",
        "Dockerfile: docker/Dockerfile-uv\n",
        "took ",
        "wrote docker-bake.hcl\n",
    ):
        assert words in told.err
    for arguments in ((), ("--check",)):
        quiet = lockaudit("bake", root, "-q", *arguments)
        assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_quiet_bake_says_what_is_out_of_date(tmp_path: Path) -> None:
    result = lockaudit("bake", COMPILED.write(tmp_path), "-q", "--check")
    assert result.code == 1
    assert result.err.startswith("out of date: ")


@pytest.mark.parametrize("command", ["check", "bake"])
def test_both_at_once_are_an_error(clean: Path, command: str) -> None:
    result = lockaudit(command, clean, "-q", "-v")
    assert result.code == 2
    assert "contradict" in result.err
