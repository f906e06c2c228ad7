"""Runs lockaudit: in this process, which is fast, or in one of its own, which is what a user does."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# What a terminal or a CI system may set, and what decides colours and encodings.
_LEAKS = ("PYTHON", "LC_", "LANG", "NO_COLOR", "FORCE_COLOR", "TERM", "GIT_", "LOCKAUDIT_")


@dataclass(frozen=True)
class Result:
    """What a run of the command gave."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as JSON."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings of `check --output-format json`."""
        findings: list[dict[str, Any]] = self.document["findings"]
        return findings


def lockaudit(*arguments: str | Path) -> Result:
    """Run the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return Result(code, out.getvalue(), err.getvalue())


def check(root: Path, *arguments: str) -> Result:
    """Run `lockaudit check` for its JSON."""
    return lockaudit("check", root, "--output-format", "json", *arguments)


def process(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    prefix: str = "",
    suffix: str = "",
) -> Result:
    """Run `python -m auditor` in a process of its own, through a shell that can limit it or pipe it.

    Args:
        *arguments: of the command; the shell sees them quoted.
        cwd: where to run it.
        env: variables, beside the ones of this process that decide nothing.
        prefix: shell code before the command, such as `ulimit -f 1;`.
        suffix: shell code after it, such as `| head -1`.

    Returns:
        The result. Output that is not UTF-8 fails.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_LEAKS)}
    # A limit on the size of files must not truncate what Python caches.
    python = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        ["bash", "-c", f'{prefix} "$@" {suffix}', "bash", sys.executable, "-m", "auditor", *map(str, arguments)],
        cwd=cwd,
        env={**clean, **python, **(env or {})},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)
