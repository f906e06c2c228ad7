"""Runs lockaudit in a process of its own, as its console script does, and does something to it meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.support import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# What the console script does; `-P`, so that what lies in the current folder is no module.
SCRIPT: Final = "import sys; from auditor.__main__ import main; sys.exit(main())"
COMMAND: Final = (sys.executable, "-P", "-c", SCRIPT)
_LEAKS: Final = ("PYTHON", "LC_", "LANG", "NO_COLOR", "FORCE_COLOR", "TERM", "GIT_", "LOCKAUDIT_", "COLUMNS")
_SECONDS: Final = 120  # nothing here takes that long, unless it hangs


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended: exit code (negative: the signal), what it wrote, and seconds it ran."""

    code: int
    out: str
    err: str
    seconds: float


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables for lockaudit: none that decide anything, and the modules of this repository."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_LEAKS)}
    clean |= {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}
    return clean | dict(more or {})


def start(*arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Running:
    """Start lockaudit in a session of its own."""
    return begin([*COMMAND, *map(str, arguments)], cwd=cwd, env=env)


def begin(command: list[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Running:
    """Start a command in a session of its own, in which Ctrl-C counts, even if this one was started without (`&`)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # which a child would inherit
        signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="backslashreplace",
        start_new_session=True,
    )
    return Running(process, time.monotonic())


@dataclass(frozen=True, slots=True)
class Running:
    """A process that runs."""

    process: subprocess.Popen[str]
    since: float

    def hit(self, number: signal.Signals, after: float = 0.0) -> None:
        """Send a signal to it and to its children, some seconds after its start, unless it has ended."""
        time.sleep(max(0.0, self.since + after - time.monotonic()))
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def end(self) -> Ended:
        """Wait for its end."""
        try:
            out, err = self.process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            out, err = self.process.communicate()
            err += "\nTraceback: it hung, and was killed"
        return Ended(self.process.returncode, out, err, time.monotonic() - self.since)


def run(*arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Ended:
    """Run lockaudit to its end."""
    return start(*arguments, cwd=cwd, env=env).end()


def shell(
    *arguments: str | Path,
    prefix: str = "",
    suffix: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run lockaudit through bash, which limits it (`ulimit -f 1;`), redirects it (`>&-`) or pipes it."""
    command = ["bash", "-c", f'{prefix} "$@" {suffix}', "bash", *COMMAND, *map(str, arguments)]
    return begin(command, cwd=cwd, env=env).end()
