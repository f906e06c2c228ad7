"""What SECURITY.md promises: commands that read start no program and open no socket. Watched by Python itself."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

import pytest

from tests.support import REPOSITORY

# Runs a command with a hook on everything that the interpreter reports of processes and sockets.
WATCHED: Final = """\
import json, sys
seen = []
names = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "pty.", "urllib.")
sys.addaudithook(lambda name, args: seen.append(name) if name.startswith(names) else None)
from auditor.cli.main import run
code = run(sys.argv[1:])
print(json.dumps([code, seen]), file=sys.stderr)
"""
READING: Final = (
    ("check", "."),
    ("check", ".", "--output-format", "sarif"),
    ("select", "prod", "--target", "linux-x86_64-cp311"),
    ("bake", ".", "--check"),
    ("bake", ".", "--diff"),
    ("key", ".", "--explain"),
    ("graph", ".", "--output-format", "mermaid"),
    ("rule", "LA103"),
    ("config", "."),
)


def watched(*arguments: str) -> tuple[int, list[str]]:
    """The exit code of a command, and what it did of processes and sockets."""
    command = [sys.executable, "-c", WATCHED, *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    code, seen = json.loads(done.stderr.splitlines()[-1])
    return code, seen


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_command_that_reads_starts_nothing_and_connects_to_nothing(arguments: tuple[str, ...]) -> None:
    assert watched(*arguments) == (0, [])


def test_the_watch_sees_a_program() -> None:
    code, seen = watched("key", ".", "--diff", "HEAD")
    assert (code, "subprocess.Popen" in seen) == (0, True)
