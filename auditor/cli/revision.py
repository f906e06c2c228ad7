"""The keys of an earlier state of the repository, read from git into a folder that goes away again."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.bake.generate import keys_of
from auditor.cli.workspace import load_config, load_side
from auditor.errors import ConfigError, InputError

if TYPE_CHECKING:
    from auditor.cli.options import Overrides
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
        folders = [str(Path(side.lock).parent / "pyproject.toml") for side in (config.dev, config.prod)]
        versions = [".python-version", str(Path(config.prod.lock).parent / ".python-version")]
        paths = [config.dev.lock, config.prod.lock, config.image.dockerfile, *folders, *versions]
        _export(root, revision, [Path(path).as_posix() for path in paths], folder)
        if not (folder / config.dev.lock).exists():
            return []  # the revision is older than the lock
        workspace = load_side(folder, overrides)
        return [
            (str(target), key)
            for target in workspace.targets
            for key in keys_of(workspace.side, target, workspace.config, workspace.dockerfile)
        ]


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
