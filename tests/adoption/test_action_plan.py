"""The action's comment: the plan that check.sh writes, and what comment.sh asks of GitHub.

GitHub cannot be reached from a test. In the place of `gh` stands a script that keeps what it is asked for, and answers
with comments of a file; the real jq reads them, as the real gh would.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.rules.clean_pair import git
from tests.rules.specimens import package, plain, write_pair
from tests.support import missing

from .test_action import ACTION, TEXT, run

if TYPE_CHECKING:
    from collections.abc import Sequence

MARK: Final = "<!-- lockaudit plan -->"
BOT: Final = "github-actions[bot]"
STAND_IN: Final = f"""\
#!{sys.executable}
import json, os, pathlib, subprocess, sys
folder = pathlib.Path(os.environ["STAND_IN"])
words = sys.argv[1:]
body = [word.partition("=@")[2] for word in words if word.startswith("body=@")]
text = pathlib.Path(body[0]).read_text() if body else None
asked = {{"words": words, "token": os.environ.get("GH_TOKEN"), "body": text}}
with (folder / "asked").open("a") as file:
    file.write(json.dumps(asked) + "\\n")
if (folder / "refuse").exists() and (folder / "refuse").read_text() in words:
    sys.exit("gh: Resource not accessible by integration (HTTP 403)")
if "--jq" in words:
    filter = words[words.index("--jq") + 1]
    for page in sorted(folder.glob("page-*.json")):
        subprocess.run(["jq", "--raw-output", filter, page], check=True)
"""


@dataclass(frozen=True)
class Asked:
    """One call of gh."""

    words: list[str]
    body: str | None
    token: str

    @property
    def method(self) -> str:
        """PATCH or POST; GET where it says none."""
        return self.words[self.words.index("--method") + 1] if "--method" in self.words else "GET"

    @property
    def path(self) -> str:
        """What it asks for."""
        (path,) = [word for word in self.words if word.startswith("repos/")]
        return path


def comment(folder: Path, pages: Sequence[list[dict[str, Any]]] = (), **variables: str) -> tuple[str, list[Asked]]:
    """Run comment.sh; returns what it told on stderr, and what it asked of gh."""
    if shutil.which("jq") is None:
        missing("jq is not on PATH, which stands for the one in gh")
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "gh").write_text(STAND_IN)
    (programs / "gh").chmod(0o755)
    for number, page in enumerate(pages):
        (folder / f"page-{number}.json").write_text(json.dumps(list(page)))
    plan = folder / "plan.md"
    if not plan.exists():
        plan.write_text(f"{MARK}\n### lockaudit plan\n\n**compiles nothing**\n")
    given = {
        "GITHUB_REPOSITORY": "owner/name",
        "LOCKAUDIT_PULL_REQUEST": "7",
        "LOCKAUDIT_PLAN_FILE": str(plan),
        "LOCKAUDIT_ROOT": ".",
        "GH_TOKEN": "token",
        "RUNNER_TEMP": str(folder),
        "STAND_IN": str(folder),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        **variables,
    }
    (folder / "asked").unlink(missing_ok=True)
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(ACTION / "comment.sh")]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    asked = (folder / "asked").read_text().splitlines() if (folder / "asked").exists() else []
    return done.stderr, [Asked(**json.loads(line)) for line in asked]


def one(number: int, body: str, login: str = BOT) -> dict[str, Any]:
    """A comment as GitHub's API gives it."""
    return {"id": number, "body": body, "user": {"login": login}}


def test_the_first_plan_is_a_new_comment(tmp_path: Path) -> None:
    said, (found, posted) = comment(tmp_path, [[one(1, "Nice!", "somebody")]])
    assert said == ""
    assert (found.method, found.path) == ("GET", "repos/owner/name/issues/7/comments?per_page=100")
    assert (posted.method, posted.path) == ("POST", "repos/owner/name/issues/7/comments")
    assert posted.body == f"{MARK}\n### lockaudit plan\n\n**compiles nothing**\n"
    assert posted.token == "token"  # noqa: S105 - of the stand-in


def test_the_next_one_updates_it_in_place(tmp_path: Path) -> None:
    pages = [[one(1, "Nice!", "somebody")], [one(22, f"{MARK}\n### lockaudit plan\nold\n"), one(33, f"{MARK}\n")]]
    _, (_, patched) = comment(tmp_path, pages)
    assert (patched.method, patched.path) == ("PATCH", "repos/owner/name/issues/comments/22")
    assert patched.body is not None
    assert patched.body.startswith(MARK)


def test_a_comment_that_somebody_else_wrote_is_left_alone(tmp_path: Path) -> None:
    pages = [[one(1, f"{MARK}\nmine\n", "somebody"), one(2, f"> {MARK}\n", BOT)]]
    _, (_, posted) = comment(tmp_path, pages)
    assert posted.method == "POST"


def test_each_root_has_a_comment_of_its_own(tmp_path: Path) -> None:
    _, (_, first) = comment(tmp_path, [[one(1, f"{MARK}\nof the root\n")]], LOCKAUDIT_ROOT="services/a")
    assert first.method == "POST"
    assert first.body is not None
    mark = first.body.splitlines()[0]
    assert mark != MARK
    pages = [[one(1, f"{MARK}\n"), one(2, first.body), one(3, "<!-- lockaudit plan of 000000000000 -->\n")]]
    _, (_, second) = comment(tmp_path, pages, LOCKAUDIT_ROOT="services/a")
    assert (second.method, second.path) == ("PATCH", "repos/owner/name/issues/comments/2")


def test_a_plan_that_is_too_long_is_cut_before_its_tables(tmp_path: Path) -> None:
    table = "<details><summary>prod</summary>\n" + "| a |\n" * 20_000 + "</details>\n"
    (tmp_path / "plan.md").write_text(f"{MARK}\n### lockaudit plan\n\n**verdict**\n\n{table}")
    _, (_, posted) = comment(tmp_path)
    assert posted.body is not None
    assert posted.body.startswith(f"{MARK}\n### lockaudit plan\n\n**verdict**\n\nThe tables are too long")


@pytest.mark.parametrize(("refused", "asked"), [("--jq", 1), ("POST", 2)])
def test_without_the_right_to_comment_it_says_so_and_fails_nothing(tmp_path: Path, refused: str, asked: int) -> None:
    (tmp_path / "refuse").write_text(refused)
    said, calls = comment(tmp_path)
    assert "needs the permission pull-requests: write" in said
    assert len(calls) == asked


@pytest.mark.parametrize(
    "variables",
    [
        {"LOCKAUDIT_PULL_REQUEST": ""},
        {"LOCKAUDIT_PULL_REQUEST": "7; touch owned"},
        {"GITHUB_REPOSITORY": "owner/name/../../user"},
    ],
)
def test_without_a_pull_request_nothing_is_asked(tmp_path: Path, variables: dict[str, str]) -> None:
    assert comment(tmp_path, (), **variables)[1] == []
    assert not list(tmp_path.rglob("owned"))


def test_the_token_reaches_only_the_step_that_comments() -> None:
    *before, last = TEXT.split("    - ")
    assert "GH_TOKEN" in last
    assert not [step for step in before if "github.token" in step]


def changed(folder: Path) -> tuple[Path, str]:
    """A workspace whose pair has changed since a commit, and that commit."""
    text = plain(package("rich"))
    root = write_pair(folder / "workspace" / "services" / "a", dev=text, prod=text)
    git(folder / "workspace", "init", "--quiet")
    git(folder / "workspace", "add", "--all")
    git(folder / "workspace", "commit", "--quiet", "--message=base")
    base = git(folder / "workspace", "rev-parse", "HEAD").strip()
    text = plain(package("rich", "2.0"))
    write_pair(root, dev=text, prod=text)
    return folder / "workspace", base


def test_check_writes_the_plan_and_shows_it_in_the_summary(tmp_path: Path) -> None:
    workspace, base = changed(tmp_path)
    found = run(workspace, args="", plan="true", base=base)
    text = Path(found.outputs["plan-file"]).read_text("utf-8")
    assert text.startswith(f"{MARK}\n### lockaudit plan\n\n**compiles nothing; prod 0 B; dev 0 B**\n")
    assert found.summary.endswith(text)


def test_the_base_of_a_shallow_clone_is_fetched(tmp_path: Path) -> None:
    workspace, base = changed(tmp_path)
    git(workspace, "add", "--all")
    git(workspace, "commit", "--quiet", "--message=change")
    git(workspace, "config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "runner" / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", workspace.as_uri(), str(clone))
    assert "plan-file" in run(clone, args="", plan="true", base=base).outputs


@pytest.mark.parametrize("base", ["", "main", "--output=x", "$(touch owned)", "0" * 40])
def test_without_a_base_there_is_no_plan_and_the_check_counts_alone(tmp_path: Path, base: str) -> None:
    workspace, _ = changed(tmp_path)
    found = run(workspace, args="", plan="true", base=base)
    assert "plan-file" not in found.outputs
    assert found.outputs["exit-code"] == str(found.code)
    assert not list(tmp_path.rglob("owned"))


def test_no_plan_unless_it_is_asked_for(tmp_path: Path) -> None:
    workspace, base = changed(tmp_path)
    assert "plan-file" not in run(workspace, args="", base=base).outputs
