"""The composite action: its script with the files that GitHub's runner gives it, and inputs of somebody hostile."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.engine.project import write_project
from tests.standins import uv_binary
from tests.support import REPOSITORY, missing

from .hooks import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.standins import Index

ACTION: Final = REPOSITORY / ".github" / "actions" / "lockaudit"
TEXT: Final = (ACTION / "action.yml").read_text("utf-8")
ARGS: Final = "--target linux-x86_64-cp311"
HOSTILE: Final = (
    "$(touch owned)",
    "`touch owned`",
    "; touch owned",
    "' ; touch owned ; '",
    '" && touch owned "',
    "\n::error::injected\ntouch owned",
    "${{ github.token }} $GITHUB_OUTPUT",
    "--output-file=*",
    "x\nexit-code=0\nsarif-file=/etc/passwd",
)


@dataclass(frozen=True)
class Run:
    """What a run of the action's script left.

    Attributes:
        code: its exit code.
        log: both streams, which the runner searches for commands.
        outputs: of the step.
        summary: Markdown.
    """

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


@pytest.fixture(scope="module")
def pair(index: Index, base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001 (it is served)
    """A pair that tests copy."""
    return write_project(tmp_path_factory.mktemp("pair") / "app", base, wheels=False)


@pytest.fixture
def workspace(pair: Path, tmp_path: Path) -> Iterator[Path]:
    """A workspace with the pair in a folder of its own."""
    shutil.copytree(pair, tmp_path / "workspace" / "services" / "a")
    yield tmp_path / "workspace"
    assert not list(tmp_path.rglob("owned"))


def steps() -> list[str]:
    """The `run:` of every step."""
    return re.findall(r"^ +run: (.*)$", TEXT, re.MULTILINE)


def run(
    workspace: Path,
    *,
    root: str = "services/a",
    args: str = ARGS,
    version: str = "",
    sarif: str = "false",
    plan: str = "false",
    base: str = "",
    path: str | None = None,
) -> Run:
    """Run the step as the runner does: `bash -e` on its text, inputs in the variables that action.yml names."""
    inputs = {"root": root, "args": args, "version": version, "sarif": sarif, "plan": plan}
    named = re.findall(r"^ +(LOCKAUDIT_\w+): \$\{\{ inputs\.(\w+) \}\}$", TEXT, re.MULTILINE)
    assert {name for _, name in named} == set(inputs)
    files = {name: workspace.parent / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
    for file in files.values():
        file.write_text("")
    variables = {
        "GITHUB_ACTION_PATH": str(ACTION),
        "RUNNER_TEMP": str(workspace.parent),
        **{name: str(file) for name, file in files.items()},
        **{variable: inputs[name] for variable, name in named},
        "LOCKAUDIT_BASE": base,
        **({"PATH": path} if path else {}),
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps()[0]],
        cwd=workspace,
        env=environment(Path(sys.executable).parent) | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert files["GITHUB_ENV"].read_text() == ""
    lines = files["GITHUB_OUTPUT"].read_text().splitlines()
    outputs = dict(line.split("=", maxsplit=1) for line in lines)
    assert len(outputs) == len(lines)
    return Run(done.returncode, done.stdout, outputs, files["GITHUB_STEP_SUMMARY"].read_text())


def break_prod(workspace: Path) -> None:
    """Edit a hash of prod's lock."""
    lock = workspace / "services" / "a" / "prod" / "uv.lock"
    edited = re.sub(r"(requests-[\w.]+-py3[^\n]*sha256:)[0-9a-f]{12}", r"\g<1>000000000000", lock.read_text())
    lock.write_text(edited)


def commands(log: str) -> list[str]:
    """The workflow commands in a log: the runner trims the lines before it looks."""
    return [line.strip() for line in log.splitlines() if line.strip().startswith(("::", "##["))]


def test_inputs_are_variables_and_never_text_of_a_script() -> None:
    assert steps() == [f'bash "$GITHUB_ACTION_PATH/{script}"' for script in ("check.sh", "comment.sh")]
    assert not [step for step in steps() if "${{" in step]


def test_sarif_is_a_second_step_with_a_condition() -> None:
    upload = TEXT.split("    - if: ")[1]
    assert upload.startswith("${{ always() && steps.check.outputs.sarif-file != '' }}\n")
    assert "uses: github/codeql-action/upload-sarif@" in upload


def test_a_finding_is_an_annotation_a_summary_and_a_sarif_result(workspace: Path) -> None:
    break_prod(workspace)
    found = run(workspace, sarif="true")
    assert (found.code, found.outputs["exit-code"]) == (1, "1")
    errors = [line for line in commands(found.log) if line.startswith("::error ")]
    assert any("file=services/a/prod/uv.lock," in line and "title=LA106 " in line for line in errors)
    assert found.summary.startswith("### lockaudit\n\n<pre>\n")
    assert found.summary.endswith("</pre>\n")
    assert "error[LA106]: requests-2.32.3-py3-none-any.whl" in found.summary
    document = json.loads(Path(found.outputs["sarif-file"]).read_text())
    places = [result["locations"][0]["physicalLocation"] for result in document["runs"][0]["results"]]
    assert "services/a/prod/uv.lock" in {place["artifactLocation"]["uri"] for place in places}


def test_without_sarif_there_is_no_file_to_upload(workspace: Path) -> None:
    break_prod(workspace)
    assert "sarif-file" not in run(workspace).outputs


def test_an_unreadable_input_is_no_sarif(workspace: Path) -> None:
    found = run(workspace, root="services", sarif="true")
    assert (found.code, found.outputs) == (2, {"exit-code": "2"})
    assert "uv.lock" in found.summary


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("inputs", [("root", "args"), ("args",), ("version",)])
def test_a_hostile_input_stays_data(workspace: Path, inputs: tuple[str, ...], text: str) -> None:
    values = {"root": "services/a", "args": ARGS, "version": ""} | dict.fromkeys(inputs, text)
    found = run(workspace, root=values["root"], args=values["args"], version=values["version"])
    assert found.code == 2 or (inputs == ("args",) and "output-file" in text)
    assert [line for line in commands(found.log) if "injected" in line] == []
    assert found.outputs in ({}, {"exit-code": str(found.code)})
    assert "</pre>\n" not in found.summary.removesuffix("</pre>\n")


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_without_lockaudit_on_path_the_revision_of_the_action_runs(workspace: Path, installer: str) -> None:
    programs = workspace.parent / "programs"
    programs.mkdir()
    (programs / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    if installer == "uv":
        (programs / "uv").symlink_to(uv_binary())
    path = os.pathsep.join([str(programs), "/usr/bin", "/bin"])
    if shutil.which("lockaudit", path=path) or (installer == "pip" and shutil.which("uv", path=path)):
        pytest.skip("a lockaudit or a uv is installed on this machine")
    # What a pull request brings is never imported, and configures no installer.
    module = workspace / "auditor"
    module.mkdir()
    (module / "__init__.py").write_text("import pathlib; pathlib.Path('owned').touch()")
    (workspace / "uv.toml").write_text("no-index = true\n")
    break_prod(workspace)
    found = run(workspace, args=f"{ARGS} --output-format concise", path=path)
    if found.code != 1 and re.search("Failed to fetch|No matching distribution|dns error", found.log):
        missing("no package index, so what lockaudit needs cannot be installed")
    assert (found.code, found.outputs) == (1, {"exit-code": "1"}), found.log
    assert any("title=LA106 " in line for line in commands(found.log))


def test_the_summary_escapes_what_it_shows(workspace: Path) -> None:
    found = run(workspace, root="</pre><script>")
    assert "<script>" not in found.summary
    assert "&lt;/pre&gt;&lt;script&gt;" in found.summary
