"""A Dockerfile as stages, arguments and instructions, with lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.position import Position
    from auditor.source import SourceFile

# `$NAME`, `${NAME}` and `${NAME:-word}`; a word may hold a reference of its own.
_REFERENCE: Final = re.compile(
    r"\$(?:\{(?P<braced>\w+)(?:(?P<colon>:?)(?P<operator>[-+?])(?P<word>(?:\$\{[^{}]*\}|[^}])*))?\}|(?P<plain>\w+))"
)


_LONGEST: Final = 4096  # characters of a value; no path and no image is longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction.

    Attributes:
        name: upper case, `RUN`.
        flags: `--mount=...`, `--from=...`, as written.
        arguments: the words, as written; for the shell form of RUN, one element with the whole command.
        heredocs: contents of its here-documents, in order.
        line: 1-based.
        last_line: 1-based, inclusive.
        exec_form: whether the arguments are a JSON array: no shell reads them.
    """

    name: str
    flags: tuple[str, ...]
    arguments: tuple[str, ...]
    heredocs: tuple[str, ...]
    line: int
    last_line: int
    exec_form: bool = False

    def flag(self, name: str) -> str | None:
        """The value of the first `--name=value`, or None."""
        prefix = f"--{name}="
        return next((flag.removeprefix(prefix) for flag in self.flags if flag.startswith(prefix)), None)

    @property
    def script(self) -> str:
        """What a RUN executes: its command and its here-documents."""
        return "\n".join((" ".join(self.arguments), *self.heredocs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage.

    Attributes:
        index: position among the stages.
        name: lower case, or an empty string.
        base: what FROM names, as written.
        platform: `--platform` of FROM, or None.
        instructions: without the FROM.
        line: of the FROM.
    """

    index: int
    name: str
    base: str
    platform: str | None
    instructions: tuple[Instruction, ...]
    line: int


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """A whole Dockerfile.

    Attributes:
        file: its text, for positions.
        arguments: global ARGs (before the first FROM) with their default, in which the ARGs above it are put in,
            or None.
        argument_lines: the line of each.
        stages: in order.
    """

    file: SourceFile
    arguments: Mapping[str, str | None] = field(repr=False)
    argument_lines: Mapping[str, int] = field(repr=False)
    stages: tuple[Stage, ...] = field(repr=False)

    @cached_property
    def comments(self) -> tuple[tuple[int, str], ...]:
        """(line, text from its `#` on) of each line that is a comment."""
        lines = ((number, text.strip()) for number, text in enumerate(self.file.lines, start=1))
        return tuple((number, text) for number, text in lines if text.startswith("#"))

    def stage(self, name: str) -> Stage | None:
        """The last stage of that name, as BuildKit resolves it."""
        return next((stage for stage in reversed(self.stages) if stage.name == name.lower()), None)

    def argument(self, name: str) -> tuple[str, Position] | None:
        """A global ARG that has a default, expanded, and where it stands."""
        value = self.arguments.get(name)
        return None if value is None else (value, self.file.at(self.argument_lines[name]))

    def expand(self, text: str, values: Mapping[str, str | None] | None = None) -> str:
        """`text` with the global ARGs put in, or with `values`; an unknown reference stays as it is."""
        return expand(text, self.arguments if values is None else values)

    def image_of(self, stage: Stage) -> str | None:
        """The image that a stage stands on in the end, expanded; None for `scratch` or a loop."""
        seen: set[int] = set()
        current = stage
        while current.index not in seen:
            seen.add(current.index)
            base = self.expand(current.base)
            parent = next((s for s in reversed(self.stages[: current.index]) if s.name == base.lower()), None)
            if parent is None:
                return None if base == "scratch" else base
            current = parent
        return None


def expand(text: str, values: Mapping[str, str | None]) -> str:
    """`text` with `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}` put in, as BuildKit does.

    With the colon an empty value counts as none. A reference to what has no value stays as it is.
    """
    if len(text) > _LONGEST:
        return text

    def substitute(match: re.Match[str]) -> str:
        value = values.get(match["braced"] or match["plain"])
        missing = not value if match["colon"] else value is None
        word = expand(match["word"] or "", values)
        if match["operator"] == "+":
            return "" if missing else word
        if match["operator"] == "-" and missing:
            return word
        return match[0] if value is None else value

    expanded = _REFERENCE.sub(substitute, text)
    return expanded if len(expanded) <= _LONGEST else text  # variables of variables double with every step
