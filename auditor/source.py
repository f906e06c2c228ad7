"""Text files as lockaudit reads and writes them: decoded once, lines on demand, written atomically."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auditor.errors import InputError, OutputError
from auditor.position import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO, TextIO

# A scheme begins where a word does: without that, a line of a million letters takes hours. Quotes end a login unless
# they are single ones, which may be part of it.
_LOGIN: Final = re.compile(r"""(?<![a-z0-9+.-])(?P<scheme>[a-z0-9+.-]*+://)(?P<login>[^\s/?#"<>]*)@""", re.IGNORECASE)
_SECRET: Final = re.compile(
    r"""(?P<name>[?&;](?:[\w.-]*(?:token|secret|passw(?:or)?d|key|signature|credential|auth)|sig|pwd|pass)=)[^\s&;#"'<>]+""",
    re.IGNORECASE,
)
_MARK, _SUFFIX = ".lockaudit-", ".tmp"  # of temporary files: `.uv.lock.lockaudit-a1b2c3d4.tmp`
_PAGE: Final = 4096  # bytes: a file grows by pages as it is written, so a smaller one is there as a whole
_TICK: Final = 20_000_000  # nanoseconds: longer than what a file system's clock takes to move on
_PATIENCE: Final = 100  # ticks that a file may go on changing
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

    So is what a query says after `token=`, `key=` and their like. The user of an ssh address stays, since it is no
    secret and the address is of no use without it.
    """

    def hidden(match: re.Match[str]) -> str:
        scheme, (user, _, password) = match["scheme"], match["login"].partition(":")
        if not scheme.lower().endswith("ssh://"):
            return scheme + mask
        return match[0] if not password else f"{scheme}{user}@"

    shown = _LOGIN.sub(hidden, text) if "@" in text else text
    return _SECRET.sub(r"\g<name>***", shown) if "=" in shown else shown


def printable(text: str) -> str:
    """Text that cannot move the cursor, switch direction or break the line, and gives no login away.

    Control characters are shown escaped, logins in URLs as `***`.
    """
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in hide_logins(text))


def public_address(url: str) -> str:
    """A URL without its login and without the secrets of its query, for files that are committed."""
    address, mark, query = hide_logins(url, mask="").partition("?")
    query, fragment_mark, fragment = query.partition("#")
    kept = [item for item in query.split("&") if not _SECRET.match(f"?{item}")]
    return f"{address}{mark if any(kept) else ''}{'&'.join(kept)}{fragment_mark}{fragment}"


def refuse_outside(path: Path, root: Path, *, name: str, what: str = "file", writes: bool = False) -> None:
    """Raise where a path leads out of a folder, through a link or `..`: nothing outside is read or written unasked.

    The folder itself may be a link.

    Raises:
        InputError: with where it leads; OutputError where it was to be written.
    """
    try:
        real, top = os.path.realpath(path), os.path.realpath(root)
    except ValueError:  # a null character, which no file's name has
        return
    if real != top and not real.startswith(top.rstrip(os.sep) + os.sep):
        message = f"this {what} leads out of the project, to {real}"
        hint = "put a file there, or a link that stays inside of the project"
        raise (OutputError if writes else InputError)(message, path=name, hint=hint)


def read_source(
    path: Path, root: Path | None = None, *, what: str = "file", hint: str | None = None, within: Path | None = None
) -> SourceFile:
    """Read a UTF-8 text file; a byte order mark is accepted and dropped.

    Args:
        path: the file.
        root: messages name the file relative to this folder.
        what: what the file is to the user ("prod lock"), for messages.
        hint: what to do when there is no such file.
        within: the folder that the path must not lead out of, where that is not `root`.

    Raises:
        InputError: a path that leads out of the root, no such file, a directory, no permission, not UTF-8, unresolved
            git merge markers, or a file that does not stop changing.
    """
    name = display_name(path, root) if root is not None else path.as_posix()
    if root is not None:
        refuse_outside(path, within or root, name=name, what=what)
    try:
        data = _read_settled(path)
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
    if data is None:
        raise InputError(
            f"another program keeps changing this {what}", path=name, hint="run lockaudit again when that has ended"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"this {what} is not UTF-8 text (byte {error.start})", path=name, line=line) from None
    source = SourceFile(path, name, text)
    _refuse_merge_markers(source, what)
    return source


def _read_settled(path: Path) -> bytes | None:
    """The bytes of one version of a file, even while another program writes it in place, as `git checkout` does.

    A file that is replaced is one version or the other by itself. Of one that is written in place, a part may be there
    already; so what was read counts only if the file is older than the read, by more than its clock is precise.

    Returns:
        The bytes, or None where the file does not stop changing. Only whether to read again depends on the clock.
    """
    for _ in range(_PATIENCE):
        with path.open("rb") as stream:
            data = _unchanged(stream)
        if data is not None:
            return data
        time.sleep(_TICK / 1e9)
    return None


def _unchanged(stream: BinaryIO) -> bytes | None:
    """All of a file, or None where it changes meanwhile, or has changed just before."""
    before = os.fstat(stream.fileno())
    data = stream.read()
    after = os.fstat(stream.fileno())
    if not stat.S_ISREG(after.st_mode):
        return data
    if 0 < len(data) < _PAGE and len(data) == after.st_size:
        return data
    is_new = 0 <= time.time_ns() - after.st_mtime_ns < _TICK
    same = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
    return data if same and not is_new and len(data) == after.st_size else None


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
    through, not replaced. A process that is killed between two steps leaves some files new and some old, each of them
    whole, and temporary files, which the next write of the same files removes.

    Raises:
        OutputError: a file cannot be written; nothing has changed then, or the hint says what has.
    """
    prepared: list[_Prepared] = []
    written: list[str] = []
    shown = ""
    try:
        for path, text, name in files:
            shown = name
            if path.exists() and not path.is_file() and not path.is_dir():
                path.write_text(text, encoding="utf-8", newline="")
            else:
                sweep(path)
                with _undisturbed():
                    prepared.append(_beside(Path(os.path.realpath(path)), text, name))
        with _undisturbed():
            for each in prepared:
                shown = each.name
                each.temporary.replace(each.real)
                written.append(each.name)
        for folder in dict.fromkeys(each.real.parent for each in prepared):
            _flush_folder(folder)
    except OSError as error:
        message = f"cannot write: {error.strerror or error}"
        hint = f"already written: {', '.join(written)}" if written else "nothing was changed"
        raise OutputError(message, path=shown, hint=hint) from None
    finally:
        for each in prepared:
            each.temporary.unlink(missing_ok=True)
            each.stream.close()


def sweep(path: Path) -> None:
    """Remove temporary files for `path` that a killed process has left; those of one that still writes stay."""
    real = Path(os.path.realpath(path))
    try:
        names = os.listdir(real.parent)  # noqa: PTH208 - names are what is compared
    except OSError:
        return
    for name in names:
        if name.startswith(f".{real.name}{_MARK}") and name.endswith(_SUFFIX):
            with contextlib.suppress(OSError), (real.parent / name).open("rb") as stream:
                if _hold(stream.fileno(), wait=False):
                    (real.parent / name).unlink()


@contextlib.contextmanager
def alone(folder: Path, waits: Callable[[], None]) -> Iterator[None]:
    """Let one process at a time run such a block for a folder: others wait, and `waits` is called before they do.

    What two processes write at once could be files of both. Nothing is left on disk: the folder itself is what is
    locked, and the lock ends with the process. Without effect where the file system has no locks.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        if not _hold(handle, wait=False):
            waits()
            _hold(handle, wait=True)
        yield
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A temporary file with the new text, which is held as long as `stream` is open."""

    temporary: Path
    real: Path
    name: str
    stream: TextIO


def _beside(real: Path, text: str, name: str) -> _Prepared:
    """A temporary file in the folder of `real`, with this text and the mode that `real` has or is to have."""
    if real.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    real.parent.mkdir(parents=True, exist_ok=True)
    temporary, stream = _temporary(real)
    try:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
        temporary.chmod(real.stat().st_mode & 0o777 if real.exists() else 0o666 & ~_umask())
    except BaseException:  # an interrupt too: no temporary file stays behind
        temporary.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # what could not be written before cannot be written now
            stream.close()
        raise
    return _Prepared(temporary, real, name, stream)


def _temporary(real: Path) -> tuple[Path, TextIO]:
    """A new temporary file that is held by this process."""
    import tempfile  # noqa: PLC0415 - 4 ms, for who writes

    while True:
        handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}{_MARK}", suffix=_SUFFIX)
        try:
            _hold(handle, wait=True)
            if os.fstat(handle).st_nlink:  # else another process has just swept it, before it was held
                return Path(name), os.fdopen(handle, "w", encoding="utf-8", newline="")
        except BaseException:
            os.close(handle)
            Path(name).unlink(missing_ok=True)
            raise
        os.close(handle)


def _hold(handle: int, *, wait: bool) -> bool:
    """Lock an open file or folder until it is closed, which a process that dies does too; False if another has it."""
    if sys.platform == "win32":
        return wait  # without locks nobody knows whose a file is: what was left stays
    import fcntl  # noqa: PLC0415 - Windows has none

    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held by another, or a file system without locks
        return False
    return True


def _flush_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, so that not even a power cut takes the replaced files back."""
    with contextlib.suppress(OSError):  # some systems cannot open a folder, some file systems cannot flush one
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold back Ctrl-C and a polite end for the length of a block: it is done whole, or not begun."""
    import signal  # noqa: PLC0415 - for who writes

    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
