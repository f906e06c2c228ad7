"""A scratch mirror of the repository: edits and uv happen there, and the repository changes once, at the end.

The mirror holds what `uv lock` of any folder needs: whatever does not change is a link into the repository, members,
source trees and flat indexes among them. uv takes links as they are, so that relative paths in a lock come out as they
would in the repository (measured with uv 0.13.9). A file that is read for a change is a copy, in a real folder.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from auditor.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Files whose paths may lead out of the repository: `path = "../../shared/lib"`.
_DECLARING: Final = ("pyproject.toml", "uv.toml", "uv.lock", "*/pyproject.toml", "*/uv.lock")
_UPWARDS: Final = re.compile(r"\.\.(?:/\.\.)*")
_LOCK: Final = "uv.lock"
_LARGE: Final = 64_000_000  # bytes
_LEAST: Final = 2  # levels above the root that are mirrored whatever those files say
# What uv looks for in every folder above a project.
_INHERITED: Final = ("pyproject.toml", "uv.toml", ".python-version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file before and after.

    Attributes:
        path: relative to the root, with forward slashes.
        old: its text, line endings and byte order mark included; None for a file that is new.
        new: its text; None for a file that goes away.
    """

    path: str
    old: str | None
    new: str | None


class Tree:
    """The mirror. Paths are relative to the repository's root, with forward slashes.

    Attributes:
        root: of the repository, without links.
        folder: of the mirror.
    """

    def __init__(self, root: Path, scratch: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self._old: dict[str, str | None] = {}
        self._scratch = scratch
        self.folder = scratch / self.root.relative_to("/")
        self._make(_levels_above(self.root))

    def _make(self, whole: int) -> None:
        """Real folders down to the root, in which everything else is a link; higher up, settings files only."""
        ancestors = [self.root, *self.root.parents]
        for level, real in enumerate(ancestors):
            mirrored = self._scratch / real.relative_to("/")
            mirrored.mkdir(parents=True, exist_ok=True)
            below = ancestors[level - 1].name if level else None
            if level <= whole:
                _link_all(real, mirrored, but=below)
            else:
                for name in _INHERITED:
                    if name != below and (real / name).is_file():
                        mirrored.joinpath(name).symlink_to(real / name)

    def text(self, path: str) -> str | None:
        """A file's text as it is now, or None where there is none. Raises: InputError, not a text file."""
        try:
            return (self.folder / path).read_bytes().decode("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read this as text: {error}", path=path) from None

    def replace(self, path: str, text: str | None) -> None:
        """Give a file another text, in the mirror; None removes it.

        Raises:
            OutputError: the path leads out of the repository.
        """
        place = self.own(path)
        if text is None:
            place.unlink(missing_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode("utf-8"))

    def own(self, path: str) -> Path:
        """Make a file the mirror's own, so that a program may write it there; where it lies.

        Raises:
            OutputError: the path leads out of the repository.
        """
        parts = PurePosixPath(path).parts
        if not parts or PurePosixPath(path).is_absolute() or ".." in parts:
            raise OutputError("this path leads out of the repository", path=path)
        place = self.folder
        for part in parts[:-1]:
            place /= part
            self._unfold(place, path)
        place /= parts[-1]
        if path not in self._old:
            self._old[path] = self.text(path)
        if place.is_symlink():
            self._refuse_outside(place, path)
            data = place.read_bytes() if place.exists() else None
            place.unlink()
            if data is not None:
                place.write_bytes(data)
        return place

    def settle(self, folder: str, *, deep: bool = False) -> None:
        """Copy the files of a folder instead of linking them: what reads a project follows no link that leaves it.

        Files that lead out of the repository stay links, and large ones, which nothing reads.

        Args:
            folder: relative to the root; one that is not there is none to copy.
            deep: with all folders below it.
        """
        place = self.folder
        if not (self.root / folder).is_dir():
            return
        for part in PurePosixPath(folder).parts:
            place /= part
            self._unfold(place, folder)
        for entry in sorted(place.iterdir()):
            real = Path(os.path.realpath(entry))
            if deep and real.is_dir():
                self.settle(f"{folder}/{entry.name}", deep=True)
            elif entry.is_symlink() and self.root in real.parents and real.is_file() and real.stat().st_size <= _LARGE:
                entry.unlink()
                shutil.copyfile(real, entry)

    def _unfold(self, place: Path, path: str) -> None:
        """Make a real folder of a linked one, with a link for each entry."""
        if not place.is_symlink():
            return
        self._refuse_outside(place, path)
        real = Path(os.path.realpath(place))
        place.unlink()
        place.mkdir()
        _link_all(real, place)

    def _refuse_outside(self, place: Path, path: str) -> None:
        real = Path(os.path.realpath(place))
        if real != self.root and self.root not in real.parents:
            raise OutputError(
                f"this leads out of the repository, to {real}", path=path, hint="lockaudit changes nothing there"
            )

    def as_real(self, text: str) -> str:
        """A lock's text with the places of the repository: uv writes some indexes as absolute addresses."""
        return text.replace(f"file://{self._scratch.as_posix()}/", "file:///")

    def mark(self) -> dict[str, str | None]:
        """What every file of the mirror's own holds now, for `restore`."""
        return {path: self.text(path) for path in self._old}

    def restore(self, marked: Mapping[str, str | None]) -> None:
        """Undo what was done since the mark."""
        for path, old in self._old.items():
            text = marked.get(path, old)
            if self.text(path) != text:
                self.replace(path, text)

    def without_scratch(self, text: str) -> str:
        """A message with the places of the repository instead of the mirror's."""
        return text.replace(self._scratch.as_posix(), "")

    def changes(self) -> tuple[Change, ...]:
        """Every file whose text is another one than in the repository, in the order of their paths."""
        now = {path: self.text(path) for path in self._old}
        return tuple(
            Change(path=path, old=old, new=now[path]) for path, old in sorted(self._old.items()) if now[path] != old
        )


@contextmanager
def mirror(root: Path) -> Iterator[Tree]:
    """A mirror of the repository, for as long as the block runs. Raises: OutputError, no room for it."""
    try:
        scratch = tempfile.TemporaryDirectory(prefix="lockaudit-")
    except OSError as error:
        raise OutputError(f"cannot make a temporary folder: {error.strerror or error}", hint="set TMPDIR") from None
    with scratch as folder:
        yield Tree(root, Path(os.path.realpath(folder)))


def _link_all(real: Path, mirrored: Path, but: str | None = None) -> None:
    try:
        entries = sorted(real.iterdir())
    except PermissionError:  # a folder above the root, which nobody may list
        return
    for entry in entries:
        if entry.name == but:
            continue
        if entry.name == _LOCK and entry.is_file():  # uv may write one in any folder, and would write through a link
            shutil.copyfile(entry, mirrored / _LOCK)
        else:
            mirrored.joinpath(entry.name).symlink_to(entry)


def _levels_above(root: Path) -> int:
    """How many folders above the root must be whole, for paths that lead out of it."""
    levels = _LEAST
    for pattern in _DECLARING:
        for path in root.glob(pattern):
            text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
            ups = max((match[0].count("..") for match in _UPWARDS.finditer(text)), default=0)
            levels = max(levels, ups - pattern.count("/"))
    return levels
