"""Where things stand in a lock: the line of a key, a file or an edge, for findings and for whoever explains a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.lock.model import Artifact, Lock, Package
    from auditor.position import Position


def at_key(lock: Lock, package: Package, key: str) -> Position:
    """The line of `key = ` in a package's entry, else its header."""
    for number in range(package.line, package.last_line + 1):
        if lock.file.line(number).lstrip().startswith(f"{key} ="):
            line = lock.file.line(number)
            return lock.file.at(number, len(line) - len(line.lstrip()) + 1)
    return lock.file.at(package.line)


def at_artifact(lock: Lock, package: Package, artifact: Artifact) -> Position:
    """The line of an artifact in a package's entry, at its hash where it has one."""
    for needle in (artifact.location or None, artifact.filename, artifact.hash):
        found = lock.file.find(f'"{needle}"', package.line, package.last_line) if needle else None
        if found is not None:
            column = lock.file.line(found.line).find("hash = ")
            return lock.file.at(found.line, column + 1 if column >= 0 else found.column)
    return at_key(lock, package, "wheels" if artifact.is_wheel else "sdist")


def at_top(lock: Lock, key: str) -> Position:
    """The line of a top-level key of a lock, else its first line."""
    for number, line in enumerate(lock.file.lines, start=1):
        if line.startswith("[["):
            break
        if line.startswith(f"{key} ="):
            return lock.file.at(number)
    return lock.file.at(1)


def at_lock_key(lock: Lock, key: str) -> Position:
    """The line of a key before the first package: top-level, of `[options]` or `[manifest]`, or a table of those."""
    table = key.partition(".")[0]
    for needle in (f"\n{key} = ", f"[manifest.{key}]", f"[options.{table}]", "[options]", "[manifest]"):
        offset = lock.file.text.find(needle)
        if offset >= 0:
            return lock.file.at(lock.file.text.count("\n", 0, offset + 1) + 1)
    return at_top(lock, "version")


def at_url(lock: Lock, package: Package, artifact: Artifact) -> Position:
    """Where an artifact's address stands in a package's entry."""
    found = lock.file.find(f'"{artifact.location}"', package.line, package.last_line)
    return found or at_key(lock, package, "wheels" if artifact.is_wheel else "sdist")


def at_dependencies(lock: Lock, package: Package) -> Position:
    """The line where a package's dependencies begin, else its name."""
    found = at_key(lock, package, "dependencies")
    return found if found.line > package.line else at_key(lock, package, "name")


def at_edge(lock: Lock, package: Package, name: str) -> Position:
    """The line of an edge to `name` in a package's entry, else its header."""
    found = lock.file.find(f'name = "{name}"', package.line + 2, package.last_line)
    return found or lock.file.at(package.line)
