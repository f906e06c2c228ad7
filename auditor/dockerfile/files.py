"""Which files of the build context a stage sees, and where: COPY, ADD and mounts as far as they can be told.

Whether a source is a file or a folder cannot be seen in a Dockerfile. What matters here are locks, and those are known:
the ones of the pair, and whatever is called uv.lock.
"""

from __future__ import annotations

import fnmatch
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from auditor.dockerfile.shell import UNKNOWN, is_known, join

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LOCK: Final = "uv.lock"
_GLOB: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A file or a folder that an instruction puts into an image.

    Attributes:
        path: where it is, absolute.
        origin: `context`, `stage`, `text` (a here-document), or `unknown`.
        source: path in the context (an empty string for all of it) or in the stage.
        stage: index of the stage, for that origin.
        text: the content of a here-document.
        line: of the instruction.
    """

    path: str
    origin: Literal["context", "stage", "text", "unknown"]
    source: str = UNKNOWN
    stage: int = -1
    text: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Copied:
    """COPY, ADD or a bind mount.

    Attributes:
        sources: as written, expanded.
        destination: absolute.
        folder: whether the destination must be a folder.
        excluded: patterns of `--exclude`.
        line: of the instruction.
    """

    sources: tuple[str, ...]
    destination: str
    folder: bool
    excluded: tuple[str, ...] = ()
    line: int = 0


def context_path(pattern: str) -> str:
    """A path in the build context without `./` and slashes around it; an empty string for all of it."""
    path = posixpath.normpath("/" + pattern.lstrip("/")).strip("/") if is_known(pattern) else UNKNOWN
    return "" if path == "." else path


def below(folder: str, path: str) -> str | None:
    """`path` relative to `folder` (an empty string if it is the folder itself), or None if it is not in it."""
    if not is_known(folder) or not is_known(path):
        return None
    if path == folder:
        return ""
    if not folder:
        return path
    prefix = folder.rstrip("/") + "/"
    return path.removeprefix(prefix) if path.startswith(prefix) else None


def covered(pattern: str, locks: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(lock, its path below what the pattern names) for each lock that a source of COPY brings along."""
    wanted = context_path(pattern)
    if not is_known(wanted):
        return
    parts = wanted.split("/") if wanted else []
    found = False
    for lock in locks:
        mine = lock.split("/")
        if len(mine) >= len(parts) and all(map(fnmatch.fnmatchcase, mine, parts)):
            found = True
            yield lock, "/".join(mine[len(parts) :])
    if not found and parts and fnmatch.fnmatchcase(LOCK, parts[-1]) and not _GLOB & set(wanted):
        yield wanted, ""


def locks_of(copied: Copied, locks: Sequence[str]) -> Iterator[str]:
    """The locks that a COPY from the context brings along."""
    for source in copied.sources:
        for lock, _ in covered(source, locks):
            if not any(_excludes(pattern, lock) for pattern in copied.excluded):
                yield lock
    path = context_path(copied.sources[0]) if copied.sources else ""
    renamed = posixpath.basename(copied.destination) == LOCK and path and posixpath.basename(path) != LOCK
    if renamed and is_known(path) and path not in locks:
        yield path


def _excludes(pattern: str, lock: str) -> bool:
    path = context_path(pattern)
    return any(fnmatch.fnmatchcase(each, path) for each in (lock, posixpath.basename(lock))) or (
        below(path, lock) is not None and path != ""
    )


def from_context(copied: Copied, locks: Sequence[str]) -> Iterator[Placed]:
    """What a COPY from the context puts where."""
    for source in copied.sources:
        path = context_path(source)
        if not is_known(path):
            yield Placed(path=copied.destination, origin="unknown", line=copied.line)
            continue
        if _GLOB & set(path):
            for lock, rest in covered(source, locks):
                name = rest or posixpath.basename(lock)
                yield Placed(path=join(copied.destination, name), origin="context", source=lock, line=copied.line)
            continue
        name = posixpath.basename(path)
        # A file goes into a folder of that name, and onto a file; which of the two the destination is may be unknown.
        if "." in name[1:] or path in locks:
            inside = join(copied.destination, name)
            yield Placed(path=inside, origin="context", source=path, line=copied.line)
            if copied.folder:
                continue
        yield Placed(path=copied.destination, origin="context", source=path, line=copied.line)


def from_stage(copied: Copied, stage: int) -> Iterator[Placed]:
    """What a COPY from a stage puts where."""
    for source in copied.sources:
        path = join("/", source)
        if not is_known(path) or _GLOB & set(path):
            yield Placed(path=copied.destination, origin="unknown", line=copied.line)
            continue
        inside = join(copied.destination, posixpath.basename(path))
        yield Placed(path=inside, origin="stage", source=path, stage=stage, line=copied.line)
        yield Placed(path=copied.destination, origin="stage", source=path, stage=stage, line=copied.line)


@dataclass(frozen=True, slots=True)
class View:
    """The files that a stage sees at one moment, and those of the stages before it."""

    placed: tuple[Placed, ...]
    stages: Sequence[View]

    def context_file(self, path: str, known: Sequence[str]) -> str:
        """The path in the context of the file at `path`.

        Args:
            path: in the image.
            known: files that the context has: a folder that is copied brings those along.

        Returns:
            An empty string where there is none, `UNKNOWN` where something that cannot be told may have put it.
        """
        for item in reversed(self.placed):
            rest = below(item.path, path)
            if rest is None:
                continue
            if item.origin == "context":
                candidate = posixpath.join(item.source, rest) if rest else item.source
                if not rest or candidate in known:
                    return candidate
            elif item.origin == "stage" and item.stage < len(self.stages):
                source = join(item.source, rest) if rest else item.source
                return self.stages[item.stage].context_file(source, known) or UNKNOWN
            else:
                return UNKNOWN
        return ""

    def script(self, path: str) -> str | None:
        """The text of the here-document at `path`, or None."""
        for item in reversed(self.placed):
            rest = below(item.path, path)
            if rest is None:
                continue
            if item.origin == "text" and not rest:
                return item.text
            if item.origin == "stage" and item.stage < len(self.stages):
                found = self.stages[item.stage].script(join(item.source, rest) if rest else item.source)
                if found is not None:
                    return found
            elif not rest:
                return None
        return None
