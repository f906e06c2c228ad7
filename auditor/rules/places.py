"""Where things stand in a lock, beyond what every rule needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.rules.context import at_key, at_top

if TYPE_CHECKING:
    from auditor.lock.model import Artifact, Lock, Package
    from auditor.position import Position


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
