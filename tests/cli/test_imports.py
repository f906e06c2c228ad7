"""Start-up is a feature: what a command does not need, it does not import."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.rules.specimens import TARGET, package, plain, write_pair
from tests.wheel.specimens import COMPILED

if TYPE_CHECKING:
    from pathlib import Path

CODE = """\
import sys

from auditor.__main__ import main

try:
    main()
except SystemExit as stop:
    code = stop.code
modules = sorted(sys.modules)
import json

print(json.dumps([code, modules]), file=sys.stderr)
"""
HEAVY = frozenset(
    {
        *("hcl2", "tomlkit", "tomllib", "importlib.metadata", "auditor.cli.revision"),
        *("packaging.tags", "packaging.specifiers", "logging", "subprocess", "tempfile", "hashlib", "difflib"),
    }
)


def imported(root: Path, *arguments: str) -> tuple[int, frozenset[str]]:
    """The exit code of a command, and the modules that its process has imported in the end."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *arguments],
        cwd=root,
        env={"PYTHONPATH": ":".join(path for path in sys.path if path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, frozenset(modules)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pair without findings."""
    lock = plain(package("filelock"))
    return write_pair(tmp_path_factory.mktemp("clean"), dev=lock, prod=lock)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pair that compiles a wheel."""
    return COMPILED.write(tmp_path_factory.mktemp("compiled"))


# The pair has no Dockerfile.
BUILD = frozenset({"e2b_dockerfile_utils", "auditor.dockerfile.stages", "auditor.bake.generate", "auditor.wheel.key"})
# arguments, what they must not import
COMMANDS = {
    "version": (("--version",), HEAVY | {"click", "packaging", "rtoml", "json", "subprocess", "auditor.cli.main"}),
    "help": (("--help",), HEAVY | {"packaging", "rtoml", "json", "subprocess", "auditor.rules"}),
    "check": (("check",), HEAVY | BUILD | {"json", "auditor.bake.read", "auditor.bake.write", "auditor.cli.bake"}),
    "check as text": (("check", "--output-format", "concise"), HEAVY | {"json", "auditor.report.json"}),
    "check as JSON": (("check", "--output-format", "json"), HEAVY),
    "rule": (("rule", "LA103"), HEAVY | {"json", "rtoml", "e2b_dockerfile_utils"}),
    "select": (("select", "--target", TARGET), HEAVY | BUILD | {"auditor.rules", "auditor.cli.workspace"}),
    "key": (("key",), HEAVY - {"auditor.cli.revision", "hashlib", "subprocess", "tempfile"}),
}


@pytest.mark.parametrize(("arguments", "unwanted"), COMMANDS.values(), ids=COMMANDS)
def test_a_command_does_not_import(clean: Path, arguments: tuple[str, ...], unwanted: frozenset[str]) -> None:
    code, modules = imported(clean, *arguments)
    assert code == 0
    assert sorted(unwanted & modules) == []


def test_only_who_asks_for_json_pays_for_it(clean: Path) -> None:
    assert "auditor.report.json" in imported(clean, "check", "--output-format", "json")[1]


def test_bake_reads_no_bake_file_to_write_one(compiled: Path) -> None:
    code, modules = imported(compiled, "bake", "--stdout")
    assert code == 0
    assert sorted(modules & {"hcl2", "lark", "tomlkit", "tomllib", "importlib.metadata"}) == []


def test_a_lock_that_is_at_fault_may_cost_more(tmp_path: Path) -> None:
    """What the tests above forbid can be seen by them."""
    root = write_pair(tmp_path, dev="x = [", prod="")
    code, modules = imported(root, "check")
    assert code == 2
    assert "tomllib" in modules
