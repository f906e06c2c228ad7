"""Bring changes into the repository, all of them or none, and show them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from auditor.errors import OutputError
from auditor.source import printable, refuse_outside, write_together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from auditor.change.tree import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command would change.

    Attributes:
        changes: every file that differs afterwards, in the order of their paths; empty where nothing is to be done.
        lines: what is done, one line each, as a person would say it.
    """

    changes: tuple[Change, ...]
    lines: tuple[str, ...] = ()


class Changed(Protocol):
    """A file before and after; None where there is none."""

    @property
    def path(self) -> str:
        """Relative to the root, with forward slashes."""

    @property
    def old(self) -> str | None:
        """Its text on disk."""

    @property
    def new(self) -> str | None:
        """Its text as it should be."""


def apply(root: Path, changes: Sequence[Changed]) -> None:
    """Write every change below the root. Files that go away go last, since nothing depends on them.

    Raises:
        OutputError: a file cannot be written, and the hint says what was; or somebody has changed one meanwhile.
    """
    for each in changes:
        refuse_outside(root / each.path, root, name=each.path, writes=True)
        if _now(root / each.path) != each.old:
            hint = "nothing was changed; run this again"
            raise OutputError("this file was changed while lockaudit worked on it", path=each.path, hint=hint)
    write_together((root / each.path, each.new, each.path) for each in changes if each.new is not None)
    for each in changes:
        if each.new is None:
            remove(root, each.path)


def _now(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except OSError:
        return None


def remove(root: Path, path: str) -> None:
    """Remove a file, and its folders below the root once they are empty. Raises: OutputError."""
    file = root / path
    refuse_outside(file.parent, root, name=path, writes=True)
    try:
        file.unlink(missing_ok=True)
        for folder in file.parents:
            if folder == root or any(folder.iterdir()):
                break
            folder.rmdir()
    except OSError as error:
        raise OutputError(f"cannot remove: {error.strerror or error}", path=path) from None


def difference(change: Changed) -> Iterator[str]:
    """The lines of a unified diff from what is on disk to what should be; logins of URLs are hidden."""
    old, new = ((text or "").splitlines(keepends=True) for text in (change.old, change.new))
    for line in difflib.unified_diff(old, new, f"a/{change.path}", f"b/{change.path}"):
        text = "\t".join(map(printable, line.removesuffix("\n").split("\t")))
        yield f"{text}\n" if line.endswith("\n") else f"{text}\n\\ No newline at end of file\n"
