"""The keys of an earlier state of the repository, read from git into a folder that goes away again."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.bake.generate import keys_of
from auditor.cli.workspace import load_config, load_sides, variant_settings
from auditor.errors import ConfigError, InputError, SelectionError

if TYPE_CHECKING:
    from auditor.cli.options import Overrides
    from auditor.lock.environment import Target
    from auditor.wheel.key import BuildKey


def keys_at(root: Path, revision: str, overrides: Overrides) -> list[tuple[str, BuildKey]]:
    """(target, key) of every compiled package at a git revision.

    Raises:
        ConfigError: no git, no repository, or no such revision.
        InputError: a file of that revision is unreadable.
    """
    _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", revision=revision)
    with tempfile.TemporaryDirectory(prefix="lockaudit-") as scratch:
        folder = Path(scratch)
        _export(root, revision, ["pyproject.toml"], folder)
        config, _ = load_config(folder, overrides)
        each = [own for _, own in variant_settings(config, replace(overrides, variant=None))] or [config]
        locks = [side.lock for own in each for side in (own.dev, own.prod)]
        folders = [str(Path(lock).parent / "pyproject.toml") for lock in locks]
        versions = [".python-version", *(str(Path(own.prod.lock).parent / ".python-version") for own in each)]
        paths = [*locks, config.image.dockerfile, *folders, *versions]
        _export(root, revision, [Path(path).as_posix() for path in paths], folder)
        if not all((folder / own.dev.lock).exists() for own in each):
            return []  # the revision is older than the lock
        try:  # all variants: a key that is new in one may be that of another
            workspaces = load_sides(folder, replace(overrides, variant=None))
        except SelectionError:
            return []  # it has conflicting extras, and is older than the choice
        return [
            (variant_target(workspace.variant, target), key)
            for workspace in workspaces
            for target in workspace.targets
            for key in keys_of(workspace.side, target, workspace.config, workspace.dockerfile)
        ]


def variant_target(variant: str, target: Target) -> str:
    """A target as commands name it, with its variant if it is one's: `linux-x86_64-cp312 (cu124)`."""
    return f"{target} ({variant})" if variant else str(target)


def _export(root: Path, revision: str, paths: list[str], folder: Path) -> None:
    for path in dict.fromkeys(paths):
        found = _run(root, "show", f"{revision}:./{path}")
        if found.returncode == 0:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(found.stdout)


def _git(root: Path, *arguments: str, revision: str) -> None:
    if _run(root, *arguments).returncode:
        inside = _run(root, "rev-parse", "--git-dir").returncode == 0
        if not inside:
            raise InputError(
                "this folder is in no git repository", path=root.as_posix(), hint="--diff compares with git"
            )
        raise ConfigError(f"git knows no revision {revision!r}", hint="name a commit, a branch or a tag")


def _run(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - git, with arguments that cannot be options
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the git of the user
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise ConfigError("there is no git on this machine", hint="--diff needs git") from None
