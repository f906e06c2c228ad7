"""Commands in scripts, workflows and Dockerfiles that install something without a hash."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Where commands stand that install something.
LOOKED_AT: Final = ("script/", ".ci/", ".github/", "docker/")

# A command, and what makes it verify what it takes. apt is none of them: Debian's archive key signs what it installs.
_COMMANDS: Final = {
    "pip": (
        re.compile(r"(?<![\w-])pip[\d.]*\"?\s+(?:install|wheel|download|sync)\b"),
        # A pylock.toml has a hash for every file; without an index, only files that are there already are taken.
        re.compile(r"--require-hashes|pylock\.toml|--no-index"),
    ),
    "uv": (
        re.compile(r"(?<![\w-])uv\"?\s+(?:run|sync)\b"),
        re.compile(r"--locked\b"),
    ),
    "uv build": (
        re.compile(r"(?<![\w-])uv\"?\s+build\b|-m\s+build\b"),
        re.compile(r"--require-hashes"),
    ),
    "a tool": (
        re.compile(r"(?<![\w-])(?:uvx|pipx\s+(?:run|install)|uv\"?\s+tool\s+(?:run|install))\b"),
        None,
    ),
    "a download into a shell": (
        re.compile(r"\b(?:curl|wget)\b[^|;&]*\|\s*(?:sudo\s+)?(?:env\s+\S+\s+)*(?:ba|da|z)?sh\b"),
        None,
    ),
    "a shell of a download": (
        re.compile(r"(?:\b(?:ba|da|z)?sh\b|\beval\b|\bsource\b|(?<=\s)\.)[^|;&]*[<$]\(\s*(?:curl|wget)\b"),
        None,
    ),
    "another ecosystem": (
        re.compile(
            r"(?<![\w./-])(?:npx|npm\s+(?:i|install)|yarn\s+add|cargo\s+install|go\s+install|gem\s+install"
            r"|easy_install|conda\s+install|brew\s+install)\b"
        ),
        None,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """An install without a hash that has a reason.

    Attributes:
        path: of the file, relative to the repository.
        words: part of the command.
        reason: why it cannot have one.
    """

    path: str
    words: str
    reason: str


EXEMPT: Final = (
    Exemption(
        path=".github/actions/lockaudit/check.sh",
        words='uv tool run --quiet --from "lockaudit==$version"',
        reason="the user of the action names a version of the package index, for which this revision has no hash",
    ),
    Exemption(
        path=".github/actions/lockaudit/check.sh",
        words="pipx run --quiet --spec",
        reason="pipx has no way to check hashes; it is only used where there is no uv",
    ),
    Exemption(
        path="docker/Dockerfile-uv",
        words="$verify --requirement",
        reason="verify is --require-hashes, or empty for a full git commit, which is a hash itself",
    ),
)


def unhashed(files: Mapping[str, str], exempt: Iterable[Exemption] = EXEMPT) -> Iterator[str]:
    """Every install without a hash and without an exemption, and every exemption that exempts nothing.

    Args:
        files: path relative to the repository -> text.
        exempt: what may install without a hash.

    Yields:
        One sentence each, with the path and the number of the line.
    """
    unused = list(exempt)
    for path, text in sorted(files.items()):
        for number, command in _commands(text):
            for what, (called, verified) in _COMMANDS.items():
                if not called.search(command) or (verified is not None and verified.search(command)):
                    continue
                exempted = [one for one in exempt if one.path == path and one.words in command]
                unused = [one for one in unused if one not in exempted]
                if not exempted:
                    yield f"{path}:{number}: {what} without a hash: {command}"
    for one in unused:
        yield f"{one.path}: nothing here says {one.words!r} any more; remove its exemption"


def _commands(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines without comments: the number of the first line, and all of them in one."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        first = number
        parts = [lines[number]]
        while parts[-1].endswith("\\") and number + 1 < len(lines):
            number += 1
            parts.append(lines[number])
        number += 1
        command = " ".join(part.removesuffix("\\").strip() for part in parts)
        if command and not command.startswith("#"):
            yield first + 1, command.partition(" # ")[0]
