"""What the real zizmor says of the workflows, and what it must not be silent about."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support import REPOSITORY

RELEASE: Final = REPOSITORY / ".github" / "workflows" / "release.yml"
ZIZMOR: Final = Path(sys.executable).parent / "zizmor"


def zizmor(folder: Path) -> tuple[int, str]:
    """Its exit code and what it printed, with the options of `script/supply`."""
    script = (REPOSITORY / "script" / "supply").read_text("utf-8")
    command = re.search(r"^script/run zizmor (.*) \.github$", script, re.MULTILINE)
    assert command is not None
    options = [*command[1].split(), "--color=never"]
    done = subprocess.run([ZIZMOR, *options, folder], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_it_has_nothing_to_say_of_ours() -> None:
    assert zizmor(REPOSITORY / ".github") == (0, "No findings to report. Good job!\n")


@pytest.mark.parametrize(
    ("pattern", "replacement", "code"),
    [
        (r"(actions/checkout)@[0-9a-f]{40} # v[\d.]+", r"\1@v6", "unpinned-uses"),
        (r"^permissions: \{\}$", "permissions: write-all", "excessive-permissions"),
        (r'^  push:\n    tags: \["v\[0-9\]\*"\]$', "  pull_request_target:", "dangerous-triggers"),
        (r"script/lint && script/audit", 'echo "${{ github.event.head_commit.message }}"', "template-injection"),
        (r"persist-credentials: false", "fetch-depth: 0", "artipacked"),
        (r"print-hash: true", "password: ${{ secrets.TOKEN }}", "use-trusted-publishing"),
    ],
)
def test_it_sees_what_would_be_wrong(tmp_path: Path, pattern: str, replacement: str, code: str) -> None:
    folder = tmp_path / ".github"
    shutil.copytree(RELEASE.parent, folder / "workflows")
    text, count = re.subn(pattern, replacement, RELEASE.read_text("utf-8"), flags=re.MULTILINE)
    assert count == 1
    (folder / "workflows" / RELEASE.name).write_text(text)
    status, said = zizmor(folder)
    assert status >= 10, said
    assert f"[{code}]" in said


def test_only_jobs_that_run_nothing_of_the_repository_may_sign() -> None:
    jobs = re.split(r"^  (?=\w+:$)", RELEASE.read_text("utf-8").partition("\njobs:\n")[2], flags=re.MULTILINE)[1:]
    assert len(jobs) == 3
    signing = [job for job in jobs if "id-token: write" in job]
    assert len(signing) == 2
    for job in signing:
        assert "run:" not in job
        assert "actions/checkout" not in job
