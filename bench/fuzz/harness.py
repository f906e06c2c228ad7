"""What a harness is: one reader or writer of lockaudit with small inputs to begin with, and what must hold for any."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from auditor.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable

Tree = Literal["toml", "json", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """One thing that is fed.

    Attributes:
        name: short, for the command line and the table.
        what: what is run, for people.
        seeds: inputs to begin with.
        run: takes one input; may raise `LockauditError`, and nothing else.
        tree: how an input can be taken apart and put together again.
        words: what belongs in such an input, for the mutators.
        weight: share of the executions, beside the others'.
    """

    name: str
    what: str
    seeds: Callable[[], list[str]]
    run: Callable[[str], object]
    tree: Tree = "none"
    words: tuple[str, ...] = field(default=(), repr=False)
    weight: int = 1


class Broken(AssertionError):  # noqa: N818 - it says what is broken
    """Something that must hold for every input does not."""


def require(holds: object, what: str) -> None:
    """Raise `Broken` unless it holds."""
    if not holds:
        raise Broken(what)


def text_file(text: str, name: str) -> SourceFile:
    """A file that has been read."""
    return SourceFile(Path(name), name, text)
