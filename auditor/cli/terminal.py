"""What the commands know about the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

from auditor.errors import EXIT_INTERRUPTED


def wants_color(choice: str, stream: TextIO | None = None) -> bool:
    """Whether to colour: `--color` over NO_COLOR over FORCE_COLOR over a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def interrupted() -> int:
    """Tell that the user has ended the command; on a terminal, on a line after its `^C`. Returns the exit code."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write("\nlockaudit: interrupted\n" if sys.stderr.isatty() else "lockaudit: interrupted\n")
    return EXIT_INTERRUPTED
