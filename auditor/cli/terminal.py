"""What the commands know about the terminal."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def wants_color(choice: str, stream: TextIO | None = None) -> bool:
    """Whether to colour: `--color` over NO_COLOR over FORCE_COLOR over a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"
