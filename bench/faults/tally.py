"""One fault, how often it was tried, what was lost by it, and what the user was told; and the table of all of them."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.faults.process import Ended

_TEMPORARY = re.compile(r"(?:/[\w.+-]+)*/lockaudit-faults-\w+(?:/[\w.+-]+)*/")


@dataclass(slots=True)
class Tally:
    """A row of the table.

    Attributes:
        fault: what is done.
        tried: how often.
        lost: what was lost in a try, or otherwise not as documented; empty is what is wanted.
        codes: the exit codes that were seen.
        line: what the user sees, of one try.
        note: for readers of the table.
        skipped: why it could not be tried here.
        seen: what else came up, one word each time, to be counted.
    """

    fault: str
    tried: int = 0
    lost: list[str] = field(default_factory=list)
    codes: set[int] = field(default_factory=set)
    line: str = ""
    note: str = ""
    skipped: str = ""
    seen: list[str] = field(default_factory=list)

    def lose(self, why: str) -> None:
        """Count a loss."""
        self.lost.append(why)
        print(f"LOST {self.fault}: {why}", file=sys.stderr, flush=True)

    def expect(self, what: str, found: object, wanted: object) -> None:
        """A loss, if something is not what it must be."""
        if found != wanted:
            self.lose(f"{what}: {found!r}, not {wanted!r}")

    def ended(self, ended: Ended, *codes: int, says: str | None = None) -> None:
        """Count a try, whose exit code must be one of these, and which must not end with a traceback.

        Args:
            ended: the process.
            *codes: negative ones are signals.
            says: what the first line of stderr must have; an empty text means that there must be none. None: whatever.
        """
        self.tried += 1
        self.codes.add(ended.code)
        if ended.code not in codes:
            self.lose(f"exit code {ended.code}, not {' or '.join(map(str, codes))}: {ended.err[-400:]}")
        if "Traceback" in ended.err:
            self.lose(f"a traceback: {ended.err[-1000:]}")
        lines = [line for line in ended.err.splitlines() if not line.startswith("help: ")]
        if says is not None:
            told = lines[-1] if lines else ""
            errors = [line for line in lines if line.startswith(("error: ", "Error: "))]
            if says not in told or bool(says) != bool(told) or len(errors) > 1:
                self.lose(f"stderr does not end with one line that has {says!r}: {ended.err!r}")
        if lines and not self.line:
            self.line = lines[-1]

    def row(self) -> str:
        """The row as Markdown."""
        fault = self.fault.replace("|", "\\|")
        if self.skipped:
            return f"| {fault} | not tried | | | {self.skipped} |"
        codes = ", ".join(map(str, sorted({128 - code if code < 0 else code for code in self.codes})))
        line = _TEMPORARY.sub("", self.line).replace("|", "\\|")
        told = f"`{line}`" if line else "nothing"
        words = "; ".join(filter(None, (told, self.note)))
        return f"| {fault} | {self.tried} | {len(self.lost)} | {codes} | {words} |"


def table(rows: Iterable[Tally]) -> str:
    """All rows as Markdown."""
    head = ["| fault | tried | lost | exit codes | what the user sees |", "|---|---:|---:|---|---|"]
    return "\n".join([*head, *(row.row() for row in rows)]) + "\n"
