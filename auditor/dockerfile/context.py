"""The build context as BuildKit hashes it: its files by content and mode, without what .dockerignore leaves out.

The patterns are those of `moby/patternmatcher`: rooted, `**` for any depth, `!` takes files back, the last one wins,
and what matches a folder matches everything in it.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.dockerfile.files import context_path
from auditor.dockerfile.shell import is_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

IGNORE: Final = ".dockerignore"
_SPECIAL: Final = frozenset(".$+(){}|^")


@dataclass(frozen=True, slots=True)
class File:
    """A file of the context.

    Attributes:
        digest: of its content, by whatever hash; of a link, of where it leads.
        mode: as git has it: `100644`, `100755`, `120000`. Other bits depend on the umask of whoever checked it out.
    """

    digest: str
    mode: str = "100644"


def ignore_file(dockerfile: str, files: Iterable[str]) -> str:
    """The path of the file whose patterns count: the Dockerfile's own, else the context's."""
    own = f"{dockerfile}{IGNORE}"
    return own if own in set(files) else IGNORE


def read_patterns(text: str) -> tuple[str, ...]:
    """The patterns of a .dockerignore, cleaned; an exclamation mark stays in front."""
    found = []
    for line in text.removeprefix("\ufeff").splitlines():
        pattern = line.strip()
        if not pattern or line.startswith("#"):
            continue
        mark = "!" if pattern.startswith("!") else ""
        path = posixpath.normpath(pattern.removeprefix("!").strip() or ".")
        found.append(mark + (path.lstrip("/") or path))
    return tuple(found)


def without_ignored(files: Mapping[str, File], patterns: Iterable[str]) -> dict[str, File]:
    """The files that reach the builder."""
    compiled = [(pattern.startswith("!"), _expression(pattern.removeprefix("!"))) for pattern in patterns]
    if not compiled:
        return dict(files)
    known: dict[str, tuple[tuple[bool, ...], bool]] = {"": ((False,) * len(compiled), False)}
    return {path: file for path, file in files.items() if not _matched(path, compiled, known)[1]}


def _matched(
    path: str,
    patterns: Sequence[tuple[bool, re.Pattern[str] | None]],
    known: dict[str, tuple[tuple[bool, ...], bool]],
) -> tuple[tuple[bool, ...], bool]:
    """(which patterns match a path, whether it is ignored): `MatchesUsingParentResults` of the original.

    A pattern that matches a folder matches everything in it. One that could change nothing there is not looked at, and
    so does not match: after `*.md`, `!docs` takes no file of docs back, because docs itself was never ignored.
    """
    parts = path.split("/")
    above, state = known[""], known[""]
    for count in range(1, len(parts) + 1):
        place = "/".join(parts[:count])
        if place not in known:
            found, ignored = [], False
            for (takes_back, pattern), inherited in zip(patterns, above[0], strict=True):
                matches = inherited
                if not matches and takes_back == ignored and pattern is not None:
                    matches = pattern.fullmatch(place) is not None
                found.append(matches)
                ignored = not takes_back if matches else ignored
            known[place] = (tuple(found), ignored)
        above = state = known[place]
    return state


def _expression(pattern: str) -> re.Pattern[str] | None:
    """A pattern as a regular expression; None for one that matches nothing."""
    found, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            if pattern[at : at + 1] != "*":
                found += "[^/]*"
                continue
            at += 1
            at += pattern[at : at + 1] == "/"
            found += "(?:.*/)?" if at < len(pattern) else ".*"
        elif char == "?":
            found += "[^/]"
        elif char in _SPECIAL:
            found += f"\\{char}"
        elif char == "\\":
            found += re.escape(pattern[at : at + 1])
            at += 1
        else:
            found += char
    try:
        return re.compile(found, re.DOTALL)
    except re.error:
        return None


def taken(files: Mapping[str, File], pattern: str, excluded: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """(path, path below what the pattern names) of every file that a source of COPY or a mount brings along.

    Args:
        files: of the context.
        pattern: expanded; an empty one is the whole context. One that cannot be told brings everything.
        excluded: patterns of `--exclude`, relative to the context.
    """
    wanted = context_path(pattern)
    parts = wanted.split("/") if wanted and is_known(wanted) else []
    left_out = [_expression(context_path(each)) for each in excluded]
    for path in files:
        names = path.split("/")
        if len(names) < len(parts) or not all(map(fnmatch.fnmatchcase, names, parts)):
            continue
        if any(each is not None and _covers(each, path) for each in left_out):
            continue
        yield path, "/".join(names[len(parts) :])


def _covers(expression: re.Pattern[str], path: str) -> bool:
    names = path.split("/")
    return any(expression.fullmatch("/".join(names[:count])) for count in range(1, len(names) + 1))
