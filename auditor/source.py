"""Text files as lockaudit reads and writes them: decoded once, lines on demand, written atomically."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auditor.errors import InputError, OutputError
from auditor.position import Position

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOGIN: Final = re.compile(r"""(?P<scheme>[a-z][a-z0-9+.-]*://)(?P<login>[^\s/?#"'<>]*)@""", re.IGNORECASE)
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
        r"""The lines without their endings; `lines[n - 1]` is line n. Lines end in `\n` or `\r\n`, in nothing else."""
        return [line.removesuffix("\r") for line in self.text.removesuffix("\n").split("\n")] if self.text else []

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


def hide_logins(text: str, mask: str = "***@") -> str:
    """`text` with the login of every URL in it replaced: `https://user:token@host` becomes `https://***@host`.

    The user of an ssh address stays, since it is no secret and the address is of no use without it.
    """

    def hidden(match: re.Match[str]) -> str:
        scheme, (user, _, password) = match["scheme"], match["login"].partition(":")
        if not scheme.lower().endswith("ssh://"):
            return scheme + mask
        return match[0] if not password else f"{scheme}{user}@"

    return _LOGIN.sub(hidden, text) if "@" in text else text


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
    except ValueError:
        raise InputError(f"no {what} here: the path holds a null character", path=name, hint=hint) from None
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
    """Write `text` so that a crash leaves either the old file or the new one, whole. Raises: as `write_together`."""
    write_together([(path, text, name or path.as_posix())])


def write_together(files: Iterable[tuple[Path, str, str]]) -> None:
    """Write (path, text, name in messages) of several files: all of them or, where one cannot be written, none.

    Each text goes to a temporary file in the folder of its file and is flushed to disk; once all are there, each
    replaces the old file in one step. The mode of an existing file is kept; a link, a device or a pipe is written
    through, not replaced.

    Raises:
        OutputError: a file cannot be written; nothing has changed then, or the hint says what has.
    """
    prepared: list[tuple[Path, Path, str]] = []
    written: list[str] = []
    shown = ""
    try:
        for path, text, name in files:
            shown = name
            if path.exists() and not path.is_file() and not path.is_dir():
                path.write_text(text, encoding="utf-8", newline="")
            else:
                real = Path(os.path.realpath(path))
                prepared.append((_beside(real, text), real, name))
        for temporary, real, name in prepared:
            shown = name
            temporary.replace(real)
            written.append(name)
    except OSError as error:
        message = f"cannot write: {error.strerror or error}"
        hint = f"already written: {', '.join(written)}" if written else "nothing was changed"
        raise OutputError(message, path=shown, hint=hint) from None
    finally:
        for temporary, _, _ in prepared:
            temporary.unlink(missing_ok=True)


def _beside(real: Path, text: str) -> Path:
    """A temporary file in the folder of `real`, with this text and the mode that `real` has or is to have."""
    import tempfile  # noqa: PLC0415 - 4 ms, for who writes

    if real.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    real.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(real.stat().st_mode & 0o777 if real.exists() else 0o666 & ~_umask())
    except BaseException:  # an interrupt too: no temporary file stays behind
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
