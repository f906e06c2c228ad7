"""Prod's lock out of dev's: uv keeps the versions that it finds in a lock, and prunes the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.change import uv
from auditor.change.pyproject import MARK
from auditor.change.seed import seed
from auditor.errors import UvError

if TYPE_CHECKING:
    from auditor.change.tree import Tree
    from auditor.lock.model import Lock, Package

_SHOWN = 6  # versions that a line names


def derive(tree: Tree, dev: str, prod: str, program: str | None) -> None:
    """Lock prod anew, from dev's lock.

    Measured with uv 0.13.9: the versions, forks and git commits of dev's lock stay, and nothing else of it does: files
    and their hashes are those that the index has. Nothing of the old prod lock is kept, which may have been edited.

    Args:
        tree: the mirror.
        dev: dev's lock, relative to the root.
        prod: prod's lock, likewise.
        program: uv's path, or None where there is none.

    Raises:
        UvError: there is no uv, it could not resolve, or prod's lock is one that uv would not write.
    """
    folder, _, name = prod.rpartition("/")
    if name != "uv.lock" or dev == prod:
        raise UvError("uv writes a uv.lock only, so this lock cannot be derived", path=prod)
    before = tree.text(dev)
    tree.replace(prod, seed((before or "").removeprefix(MARK), None))
    uv.lock(tree, folder or ".", program)
    if tree.text(dev) != before:
        tree.replace(dev, before)
        raise UvError(f"uv takes {folder} for a part of dev's project, and wrote dev's lock", path=prod)


def told(old: Lock, new: Lock) -> str:
    """What another lock means for what is installed, in one line."""
    mine, theirs = _versions(old), _versions(new)
    parts = [
        f"{name} {_joined(mine[name])} -> {_joined(theirs[name])}"
        for name in sorted(mine.keys() & theirs.keys())
        if mine[name] != theirs[name]
    ]
    parts += [f"{name} added" for name in sorted(theirs.keys() - mine.keys())]
    parts += [f"{name} removed" for name in sorted(mine.keys() - theirs.keys())]
    more = f", and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return ", ".join(parts[:_SHOWN]) + more


def _versions(lock: Lock) -> dict[str, tuple[str, ...]]:
    return {name: tuple(sorted(map(_label, packages))) for name, packages in lock.by_name.items()}


def _label(package: Package) -> str:
    return str(package.version) if package.version is not None else str(package.source)


def _joined(versions: tuple[str, ...]) -> str:
    return " and ".join(versions)
