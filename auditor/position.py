"""Places in files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file. `line` and `column` are 1-based."""

    path: str
    line: int
    column: int = 1
