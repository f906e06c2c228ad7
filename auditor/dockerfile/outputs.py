"""What a RUN leaves behind, as far as that can be told from a Dockerfile.

Mostly it cannot. But the recipe's step that gathers the manifests leaves copies of known files, and some steps leave
other bytes whenever they run: environments with compiled Python files, and compiled wheels.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from typing import TYPE_CHECKING, Final

from auditor.dockerfile.layer import Kind, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from auditor.dockerfile.context import File
    from auditor.dockerfile.facts import StageFacts
    from auditor.dockerfile.model import Instruction

BUILD_LOCKS: Final = "docker/wheels/"
# The scripts that the stage `manifests` of docker/Dockerfile-uv has had, as hashes: an edited one is like any other.
_MANIFESTS: Final = frozenset(
    {
        "de4a1ead8cc64c8734fcca0c5b4ea437bd0112dd74aa27382f6f9d15cdca40d5",
        "a5f82aaf25b7c0542fbe6703df8144a051c3a4893a490180392222876792759d",  # before the folder was an argument
    }
)
_ALWAYS: Final = ("pyproject.toml", "uv.lock", "uv.toml")
_OF_MEMBER: Final = ("pyproject.toml", "setup.py", "setup.cfg")
_MEMBER: Final = re.compile(r'.*(?:editable|virtual|directory) = "([^"]+)"')
_ARCHIVE: Final = re.compile(r'.*source = \{ path = "([^"]+)"')
_BYTECODE: Final = "UV_COMPILE_BYTECODE"
_OFF: Final = frozenset({"", "0", "false", "no", "off"})


def gathers_manifests(instruction: Instruction) -> bool:
    """Whether a RUN is the recipe's step that copies the manifests."""
    return any(hashlib.sha256(each.encode()).hexdigest() in _MANIFESTS for each in instruction.heredocs)


def manifests(files: Mapping[str, File], text: Callable[[str], str | None], folder: str) -> Iterator[tuple[str, Part]]:
    """(path in the stage, file) of what that step leaves.

    Args:
        files: of the context.
        text: reads one of them.
        folder: of the project; an empty one is the context itself.
    """
    place = posixpath.normpath(posixpath.join(folder, "uv.lock"))
    lock = text(place) or "" if place in files else ""
    lines = lock.splitlines()
    members = sorted({match[1] for line in lines if (match := _MEMBER.match(line))})
    paths = [*_ALWAYS, *(f"{member}/{name}" for member in members for name in _OF_MEMBER)]
    paths += sorted({match[1] for line in lines if (match := _ARCHIVE.match(line))})
    for path in dict.fromkeys(posixpath.normpath(posixpath.join(folder, path)) for path in paths):
        if path in files:
            yield f"/manifests/{path}", file_part(path, files[path])


def file_part(path: str, file: File, name: str = "") -> Part:
    """A file as a part of a key.

    Args:
        path: in the context.
        file: what it is.
        name: where it arrives, relative to what is copied.
    """
    return Part(kind=Kind.FILE, name=path, value=f"{name}\n{file.digest}\n{file.mode}")


def compiled_by(parts: Iterable[Part]) -> tuple[str, ...]:
    """The packages whose build locks are among what a RUN mounts, sorted."""
    found: set[str] = set()
    seen: set[str] = set()
    pending = list(parts)
    while pending:
        part = pending.pop()
        if part.kind is Kind.FILE and part.name.startswith(BUILD_LOCKS) and part.name.endswith("/key"):
            found.add(part.name.split("/")[-2])
        elif part.value not in seen:
            seen.add(part.value)
            pending += part.inner
    return tuple(sorted(found))


def compiling_lines(facts: StageFacts) -> frozenset[int]:
    """The lines of the RUNs of a stage that make wheels."""
    return frozenset(step.line for step in facts.steps if step.install is not None and step.install.verb == "wheel")


def volatile(facts: StageFacts) -> tuple[tuple[int, str], ...]:
    """(line, path) of what has other bytes whenever it is made: environments with compiled Python files.

    Such a file holds the time at which its source was installed.
    """
    return tuple(
        (step.line, step.venv)
        for step in facts.steps
        if step.uv is not None
        and step.uv.command == "sync"
        and (step.command.variable(_BYTECODE) or "").lower() not in _OFF
    )
