"""The site builds without a warning (links and anchors included), and the manual page is one."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs.blocks import REPOSITORY
from tests.support import missing

if TYPE_CHECKING:
    from pathlib import Path


def build(folder: Path, configuration: Path) -> subprocess.CompletedProcess[str]:
    """Build the site in strict mode."""
    if importlib.util.find_spec("mkdocs") is None:
        missing("mkdocs is not installed: `uv sync --group docs`")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(configuration)]
    return subprocess.run(
        [*command, "--site-dir", str(folder / "site")], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


def test_the_site_builds_in_strict_mode_and_loads_nothing(tmp_path: Path) -> None:
    done = build(tmp_path, REPOSITORY / "mkdocs.yml")
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert {"index.html", "tutorial.html", "explanation.html", "rules.html"} <= {page.name for page in pages}
    loaded = re.compile(r'<(?:script|link|img)\b[^>]*(?:src|href)="(?:https?:)?//[^"]*')
    assert [found for page in pages for found in loaded.findall(page.read_text("utf-8"))] == []


@pytest.mark.parametrize("link", ["gone.md", "rules.md#no-such-anchor", "../gone.md"])
def test_a_dead_link_fails_the_build(tmp_path: Path, link: str) -> None:
    shutil.copytree(REPOSITORY / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "mkdocs.yml", tmp_path)
    page = tmp_path / "docs" / "explanation.md"
    page.write_text(f"{page.read_text('utf-8')}\n[here]({link})\n", "utf-8")
    done = build(tmp_path, tmp_path / "mkdocs.yml")
    assert done.returncode == 1
    assert link.removeprefix("../") in done.stderr


@pytest.mark.parametrize(
    "command",
    [["groff", "-man", "-ww", "-z", "-Tutf8"], ["man", "--warnings", "--local-file"]],
    ids=["groff", "man"],
)
def test_the_manual_page_has_no_warnings(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not on this machine")
    done = subprocess.run(
        [*command, REPOSITORY / "docs" / "lockaudit.1"],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANPAGER": "cat", "MANWIDTH": "120"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    if command[0] == "man":
        for words in ("lockaudit check", "--no-dev-extras", "LOCKAUDIT_TARGET", "EXIT STATUS"):
            assert words in re.sub(".\b", "", done.stdout)
