"""Text files as lockaudit reads and writes them: decoded once, lines on demand, written atomically."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from auditor.errors import InputError, OutputError
from auditor.position import Position

_CONFLICT_MARKERS = ("<<<<<<< ", ">>>>>>> ", "||||||| ")


@dataclass(frozen=True)
class SourceFile:
    """A file's text, its place on disk and the name it has in messages.

    Attributes:
        path: where it is.
        name: as messages write it: relative to the audited root, with forward slashes.
        text: decoded, without a byte order mark.
    """

    path: Path
    name: str
    text: str = field(repr=False)

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their endings; `lines[n - 1]` is line n."""
        return self.text.splitlines()

    def line(self, number: int) -> str:
        """Line `number` (1-based), or an empty string past the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def find(self, needle: str, first: int = 1, last: int | None = None) -> Position | None:
        """The first place of `needle` in lines `first` to `last` (1-based, inclusive)."""
        for number in range(max(first, 1), min(last or len(self.lines), len(self.lines)) + 1):
            column = self.lines[number - 1].find(needle)
            if column >= 0:
                return Position(self.name, number, column + 1)
        return None

    def at(self, line: int, column: int = 1) -> Position:
        """A position in this file."""
        return Position(self.name, line, column)


def display_name(path: Path, root: Path) -> str:
    """`path` as messages show it: relative to `root` where it lies below it."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return os.path.relpath(path, root).replace(os.sep, "/")


def read_source(path: Path, root: Path | None = None, *, what: str = "file", hint: str | None = None) -> SourceFile:
    """Read a UTF-8 text file; a byte order mark is accepted and dropped.

    Args:
        path: the file.
        root: messages name the file relative to this folder.
        what: what the file is to the user ("prod lock"), for messages.
        hint: what to do when there is no such file.

    Raises:
        InputError: no such file, a directory, no permission, not UTF-8, or unresolved git merge markers.
    """
    name = display_name(path, root) if root is not None else path.as_posix()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"no {what} here: the file does not exist", path=name, hint=hint) from None
    except IsADirectoryError:
        raise InputError(f"this is a directory, not a {what}", path=name, hint=hint) from None
    except NotADirectoryError:
        raise InputError(f"no {what} here: a parent of the path is a file", path=name, hint=hint) from None
    except PermissionError:
        raise InputError(
            f"no permission to read this {what}", path=name, hint="make it readable for the user who runs lockaudit"
        ) from None
    except OSError as error:
        raise InputError(f"cannot read this {what}: {error.strerror or error}", path=name) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"this {what} is not UTF-8 text (byte {error.start})", path=name, line=line) from None
    source = SourceFile(path, name, text)
    _refuse_merge_markers(source, what)
    return source


def _refuse_merge_markers(source: SourceFile, what: str) -> None:
    if not any(marker in source.text for marker in _CONFLICT_MARKERS):
        return
    for number, line in enumerate(source.lines, start=1):
        if line.startswith(_CONFLICT_MARKERS):
            hint = "resolve the merge; for a lock, take either side and run `uv lock`"
            raise InputError(f"unresolved git merge marker in this {what}", path=source.name, line=number, hint=hint)


def write_atomic(path: Path, text: str, *, name: str | None = None) -> None:
    """Write `text` so that a crash leaves either the old file or the new one, whole.

    The new text goes to a temporary file in the same folder, is flushed to disk, and replaces the old
    file in one step. The mode of an existing file is kept; a link is written through, not replaced.

    Raises:
        OutputError: the file cannot be written; nothing has changed then.
    """
    shown = name or path.as_posix()
    real = Path(os.path.realpath(path))
    temporary: str | None = None
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.", suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(real.stat().st_mode & 0o777 if real.exists() else 0o666 & ~_umask())
        Path(temporary).replace(real)
    except OSError as error:
        raise OutputError(
            f"cannot write: {error.strerror or error}", path=shown, hint="nothing was changed; see the message above"
        ) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
