"""The fenced blocks of the documentation, and the lockaudit commands in them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY: Final = Path(__file__).resolve().parents[2]
# An HTML comment right above a block says why nobody can run it here, or that another test does.
_NOT_RUN: Final = re.compile(r"\s*<!-- (?:not run: (?P<reason>.+?)|step: (?P<step>.+?)) -->\s*")
_FENCE: Final = re.compile(r"(?P<indent> *)```(?P<language>[\w-]*)\s*")
_PROMPT: Final = "$ "


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block.

    Attributes:
        page: path of the page, relative to the repository.
        line: 1-based, of its fence.
        language: after the fence; may be empty.
        lines: what is in it, without its indent.
        reason: why its commands are not run, or None.
    """

    page: str
    line: int
    language: str
    lines: tuple[str, ...]
    reason: str | None = None

    @property
    def place(self) -> str:
        """`page:line`."""
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[tuple[str, ...]]:
        """The words of each line that runs lockaudit; the shell's own part of it, from `|` or `>` on, left out."""
        found = []
        for text in "\n".join(self.lines).replace("\\\n", " ").split("\n"):
            if self.language == "console" and not text.startswith(_PROMPT):
                continue
            command = text.removeprefix(_PROMPT)
            if command.startswith("lockaudit "):
                words = shlex.split(command, comments=True)
                shell = (number for number, word in enumerate(words) if word[0:1] in {"|", ">", ";", "&"})
                found.append(tuple(words[1 : next(shell, len(words))]))
        return found


def pages() -> list[Path]:
    """The README and every page of the documentation."""
    return [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


def blocks() -> Iterator[Block]:
    """Every fenced block of every page."""
    for page in pages():
        yield from read_blocks(page.relative_to(REPOSITORY).as_posix(), page.read_text("utf-8"))


def read_blocks(page: str, text: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        fence = _FENCE.fullmatch(lines[number])
        if fence is None:
            number += 1
            continue
        closing = f"{fence['indent']}```"
        end = next(each for each in range(number + 1, len(lines)) if lines[each].rstrip() == closing)
        above = _NOT_RUN.fullmatch(lines[number - 1]) if number else None
        yield Block(
            page=page,
            line=number + 1,
            language=fence["language"],
            lines=tuple(each.removeprefix(fence["indent"]) for each in lines[number + 1 : end]),
            reason=None if above is None else above["reason"] or f"the step {above['step']!r} of another test",
        )
        number = end + 1
