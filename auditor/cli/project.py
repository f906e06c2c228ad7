"""From a workspace to everything that `bake` and `key` work out: keys, build locks and the files to write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.dockerfile.pins import read_pins
from auditor.errors import InputError, OutputError, RefusedError
from auditor.finding import Severity
from auditor.rules.run import audit
from auditor.wheel.build_lock import FOLDER, NAMES, build_lock
from auditor.wheel.compiled import compiled_packages
from auditor.wheel.key import build_keys

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.config import Config
    from auditor.dockerfile.model import Dockerfile
    from auditor.finding import Finding
    from auditor.lock.environment import Target
    from auditor.lock.pair import Side
    from auditor.rules.context import PairContext
    from auditor.wheel.build_lock import BuildLock
    from auditor.wheel.key import BuildKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One generated file: its path relative to the root, its new text (None: to be removed), its old one."""

    path: str
    new: str | None
    old: str | None

    @property
    def changed(self) -> bool:
        """Whether the file on disk is not what it should be."""
        return self.new != self.old


def keys_of(side: Side, target: Target, config: Config, dockerfile: Dockerfile | None) -> tuple[BuildKey, ...]:
    """The build keys of a side on a target. Raises: as `build_keys`."""
    return build_keys(side, side.select(target), config, read_pins(config, dockerfile))


def refuse_unsafe(context: PairContext, target: Target) -> None:
    """Raise if dev and prod cannot share one wheel.

    Raises:
        RefusedError: with the findings: torch or a compiled package differs, or a lock does not cover the target.
    """
    outcome = audit(context)
    compiled: set[str] = set()
    for side in (context.dev, context.prod):
        selection = side.select(target)
        found = compiled_packages(selection, also=context.config.compiled, never=context.config.not_compiled)
        compiled |= {package.name for package in found}
    if not compiled:
        return
    decisive = {"torch", *compiled}
    unsafe = [finding for finding in outcome.findings if _is_unsafe(finding, decisive)]
    differing = _differing_components(context, target) if not unsafe else []
    if unsafe or differing:
        count = f"{len(unsafe)} finding{'s' if len(unsafe) > 1 else ''}"
        raise RefusedError(
            f"dev and prod cannot share one wheel of {', '.join(sorted(compiled))}: "
            + ("; ".join(differing) if differing else count),
            unsafe,
            hint="nothing was written; mend what differs, then run `lockaudit bake` again",
        )


def _differing_components(context: PairContext, target: Target) -> list[str]:
    """Components in which the two sides' keys differ: what no finding about torch or the package itself shows.

    CMake is left out: it comes from the build tools' group, which only dev's lock has.
    """
    values: dict[str, dict[tuple[str, str], str]] = {}
    for side in (context.dev, context.prod):
        keys = keys_of(side, target, context.config, context.dockerfile)
        values[side.role] = {(key.name, c.name): c.value for key in keys for c in key.components if c.name != "cmake"}
    dev, prod = values["dev"], values["prod"]
    shared = {package for package, _ in dev.keys() & prod.keys()}
    return [
        f"{name} of {package} is {dev.get((package, name))} in dev, {prod.get((package, name))} in prod"
        for package, name in sorted(dev.keys() | prod.keys())
        if package in shared and dev.get((package, name)) != prod.get((package, name))
    ]


def _is_unsafe(finding: Finding, decisive: set[str]) -> bool:
    """Whether a finding means that the two images would need two wheels, or that nothing is known of one of them."""
    if finding.severity is not Severity.ERROR:
        return False
    return finding.package in decisive or finding.code in {"LA109", "LA110"}


def locks_of(context: PairContext, target: Target, keys: tuple[BuildKey, ...]) -> tuple[BuildLock, ...]:
    """The build lock of every key: kept from disk where it is for that key."""
    selection = context.dev.select(target)
    pins = read_pins(context.config, context.dockerfile)
    return tuple(
        build_lock(key, context.dev, selection, context.config, pins, read_folder(context.pair.root, key.name))
        for key in keys
    )


def read_folder(root: Path, package: str) -> dict[str, str]:
    """The files of a build lock that are there, name -> text."""
    folder = root / FOLDER / package
    return {name: text for name in NAMES if (text := read_text(folder / name)) is not None}


def read_text(path: Path) -> str | None:
    """A file's text with its line endings as they are, or None where there is no readable text."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def stale_folders(root: Path, locks: tuple[BuildLock, ...]) -> list[Written]:
    """Build locks of packages that are compiled no more: the files that we wrote there go away."""
    wanted = {lock.package for lock in locks}
    folder = root / FOLDER
    found = []
    for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
        if entry.name in wanted or not (entry / "key").is_file():
            continue
        for name in NAMES:
            old = read_text(entry / name)
            if old is not None:
                found.append(Written(path=f"{FOLDER}/{entry.name}/{name}", new=None, old=old))
    return found


def primary(context: PairContext) -> Target:
    """The target that the images are built for: the first one."""
    return context.targets[0]


def require_dockerfile(context: PairContext) -> Dockerfile:
    """The Dockerfile, which a bake file needs.

    Raises:
        InputError: there is none.
    """
    if context.dockerfile is None:
        raise InputError(
            "no Dockerfile here to bake",
            path=context.config.image.dockerfile,
            hint="name it in [tool.lockaudit.image] dockerfile, or take docker/Dockerfile-uv of lockaudit's repository",
        )
    return context.dockerfile


def remove(root: Path, path: str) -> None:
    """Remove a generated file, and its folder once it is empty."""
    file = root / path
    try:
        file.unlink(missing_ok=True)
        if not any(file.parent.iterdir()):
            file.parent.rmdir()
    except OSError as error:
        raise OutputError(f"cannot remove: {error.strerror or error}", path=path) from None
