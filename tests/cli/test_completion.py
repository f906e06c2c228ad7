"""`lockaudit completion`: real shells source the script and complete a command and an option with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import lockaudit
from tests.support import missing

if TYPE_CHECKING:
    from pathlib import Path

# What a shell does when the user presses the tabulator after these words.
ASK = {
    "bash": "source ./script; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); compopt() {{ :; }};"
    ' _lockaudit_completion lockaudit; printf "%s\\n" "${{COMPREPLY[@]}}"',
    # Outside of an editor there is no `compadd`: it and `_describe` print what they would offer.
    "zsh": 'compdef() {{ :; }}; _describe() {{ print -l -- "${{completions_with_descriptions[@]}}"; }};'
    ' compadd() {{ print -l -- "${{completions[@]}}"; }}; source ./script; words=({words}); CURRENT=$#words;'
    " _lockaudit_completion",
    "fish": 'source ./script; complete --do-complete "{words}"',
}


def complete(shell: str, folder: Path, words: str) -> set[str]:
    """What a shell offers for the last of these words."""
    if shutil.which(shell) is None:
        if shell == "bash":
            missing("bash is not on this machine")
        pytest.skip(f"{shell} is not on this machine")
    script = lockaudit("completion", shell)
    assert (script.code, script.err) == (0, "")
    (folder / "script").write_text(script.out)
    command = folder / "lockaudit"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m auditor "$@"\n')
    command.chmod(0o755)
    environment = {
        "HOME": str(folder),
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "TERM": "dumb",
    }
    quiet = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]}
    done = subprocess.run(
        [shell, *quiet[shell], "-c", ASK[shell].format(words=words)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return {line.partition("\t")[0].partition(":")[0].strip() for line in done.stdout.splitlines()} - {""}


@pytest.mark.parametrize("shell", ASK)
def test_a_command(shell: str, tmp_path: Path) -> None:
    assert complete(shell, tmp_path, "lockaudit ch") == {"check"}


@pytest.mark.parametrize("shell", ASK)
def test_an_option(shell: str, tmp_path: Path) -> None:
    assert complete(shell, tmp_path, "lockaudit check --dev-") == {"--dev-lock", "--dev-extra", "--dev-group"}


@pytest.mark.parametrize("shell", ASK)
def test_a_value(shell: str, tmp_path: Path) -> None:
    assert complete(shell, tmp_path, "lockaudit check --output-format s") == {"sarif"}


def test_another_shell_is_a_usage_error() -> None:
    assert lockaudit("completion", "tcsh").code == 2
