"""A Markdown table that remembers which of its counts are not what they must be."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field


@dataclass(slots=True)
class Table:
    """The rows so far, and what was wrong in them."""

    lines: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, what: str, key: str = "", ours: object = "", naive: object = "", note: str = "") -> None:
        """Add a row."""
        line = f"| {what} | {key} | {ours} | {naive} | {note} |"
        self.lines.append(line)
        print(line, file=sys.stderr, flush=True)

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Remember a count that is not what it must be."""
        if found != wanted:
            self.wrong.append(f"{what}: {found}, not {wanted}")

    def text(self) -> str:
        """The Markdown."""
        head = ["| what | build key | compiles | by the usual recipe | |", "|---|---|---:|---:|---|"]
        return "\n".join([*head, *self.lines]) + "\n"
