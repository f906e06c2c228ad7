"""Options from the environment: over the settings, under the command line, and shown in the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from auditor.cli.main import cli
from tests.cli.command import check, lockaudit
from tests.rules.specimens import TARGET, package, plain, write_pair

if TYPE_CHECKING:
    from pathlib import Path

FILELOCK = plain(package("filelock"))
NEWER = plain(package("filelock", "1.1"))
OTHER = "linux-x86_64-cp313"
# Variables of tests, scripts and builds, which mean something else.
TAKEN = frozenset({"CA", "NETRC", "UV_TOML", "CORPUS", "ENGINE", "UPDATE", "UPDATE_SNAPSHOTS", "PYTHON"})
SHARED = frozenset(
    {
        "TARGET",
        "PAIR",
        "VARIANT",
        "DEV_LOCK",
        "PROD_LOCK",
        "DEV_EXTRA",
        "DEV_GROUP",
        "NO_DEV_EXTRAS",
        "PROD_EXTRA",
        "PROD_GROUP",
        "NO_PROD_EXTRAS",
        "FIRST_PARTY",
        "COMPILED",
        "DOCKERFILE",
    }
)


@pytest.fixture
def drifted(tmp_path: Path) -> Path:
    """A pair with one error."""
    return write_pair(tmp_path, dev=FILELOCK, prod=NEWER)


def variables(name: str) -> frozenset[str]:
    """The variables of a command, without their prefix."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    found = [parameter.envvar for parameter in command.params if parameter.envvar is not None]
    return frozenset(str(variable).removeprefix("LOCKAUDIT_") for variable in found)


@pytest.mark.parametrize("name", ["check", "bake", "key", "graph", "config"])
def test_variables_are_those_of_the_shared_options(name: str) -> None:
    own = {"OUTPUT_FORMAT", "COLOR"} if name == "check" else set()
    assert variables(name) == SHARED | own
    assert not variables(name) & TAKEN


def test_the_help_names_them() -> None:
    shown = " ".join(lockaudit("check", "--help").out.split())
    assert [name for name in SHARED if f"LOCKAUDIT_{name}" not in shown] == []


@pytest.mark.parametrize("value", [f"{TARGET} {OTHER}", f"{TARGET},{OTHER}", f" {TARGET}, {OTHER},"])
def test_several_values(drifted: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LOCKAUDIT_TARGET", value)
    assert [finding["target"] for finding in check(drifted).findings] == [f"{TARGET}, {OTHER}"]


def test_the_command_line_counts_alone(drifted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKAUDIT_TARGET", OTHER)
    monkeypatch.setenv("LOCKAUDIT_OUTPUT_FORMAT", "concise")
    assert lockaudit("check", drifted).out.startswith("prod/uv.lock:15:1: LA103 ")
    assert [finding["target"] for finding in check(drifted, "--target", TARGET).findings] == [TARGET]


@pytest.mark.parametrize("value", ["", " , "])
def test_an_empty_variable_says_nothing(drifted: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LOCKAUDIT_TARGET", value)
    assert [finding["target"] for finding in check(drifted).findings] == [TARGET]


def test_a_wrong_value_is_a_usage_error_that_names_the_option(drifted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKAUDIT_OUTPUT_FORMAT", "yaml")
    result = lockaudit("check", drifted)
    assert (result.code, result.out) == (2, "")
    assert "--output-format" in result.err


def test_color(drifted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("LOCKAUDIT_COLOR", "always")
    assert "\x1b[" in lockaudit("check", drifted).out
    assert "\x1b[" not in lockaudit("check", drifted, "--color", "never").out


@pytest.mark.parametrize(
    ("variables", "arguments", "code", "told"),
    [
        ({"LOCKAUDIT_DEV_EXTRA": "no-such"}, ("--no-dev-extras",), 1, ""),
        ({"LOCKAUDIT_NO_DEV_EXTRAS": "1"}, ("--dev-extra", "no-such"), 2, "no-such"),
        ({"LOCKAUDIT_NO_DEV_EXTRAS": "1", "LOCKAUDIT_DEV_EXTRA": "no-such"}, (), 2, "contradict each other"),
        ({}, ("--no-dev-extras", "--dev-extra", "no-such"), 2, "contradict each other"),
    ],
)
def test_opposite_options(
    drifted: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    arguments: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    """Of two that contradict each other, the one on the command line counts; from one place, they are an error."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    result = lockaudit("check", drifted, *arguments)
    assert result.code == code
    assert told in result.err
    assert ("contradict" in result.err) == ("contradict" in told)
