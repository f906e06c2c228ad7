"""Every file that `lockaudit bake` writes, as it should be and as it is on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.bake.lint import refuse_problems
from auditor.bake.plan import Plan, make_bake_file
from auditor.bake.write import render
from auditor.dockerfile.pins import read_pins
from auditor.wheel.build_lock import FOLDER, NAMES, build_lock
from auditor.wheel.key import build_keys

if TYPE_CHECKING:
    from auditor.bake.files import BakeFiles
    from auditor.config import Config
    from auditor.dockerfile.model import Dockerfile
    from auditor.lock.environment import Target
    from auditor.lock.pair import Side
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


def locks_of(
    side: Side,
    target: Target,
    config: Config,
    dockerfile: Dockerfile | None,
    keys: tuple[BuildKey, ...],
    disk: BakeFiles,
) -> tuple[BuildLock, ...]:
    """The build lock of every key: kept from disk where it is for that key. Raises: as `build_lock`."""
    selection = side.select(target)
    pins = read_pins(config, dockerfile)
    return tuple(build_lock(key, side, selection, config, pins, disk.build_lock(key.name)) for key in keys)


def generate(
    side: Side, target: Target, config: Config, dockerfile: Dockerfile, disk: BakeFiles
) -> tuple[Written, ...]:
    """Every generated file: build locks, build locks to be removed, and the bake file last.

    Args:
        side: whose lock the wheels are compiled from (dev).
        target: the environment that the images run.
        config: settings.
        dockerfile: of the images.
        disk: what is there.

    Raises:
        ConfigError: a setting that no build key and no bake file can hold.
        InputError: a source that cannot be verified.
    """
    keys = keys_of(side, target, config, dockerfile)
    locks = locks_of(side, target, config, dockerfile, keys, disk)
    files = [
        Written(path=f"{lock.folder}/{name}", new=text, old=disk.text(f"{lock.folder}/{name}"))
        for lock in locks
        for name, text in lock.files.items()
    ]
    files += _stale(locks, disk)
    plan = Plan(
        name=side.project.name if side.project is not None else "",
        config=config,
        pins=read_pins(config, dockerfile),
        target=target,
        keys=keys,
        locks=locks,
    )
    model = make_bake_file(plan)
    refuse_problems(model)
    files.append(Written(path=config.bake.file, new=render(model), old=disk.text(config.bake.file)))
    return tuple(files)


def _stale(locks: tuple[BuildLock, ...], disk: BakeFiles) -> list[Written]:
    """Build locks of packages that are compiled no more: the files that we wrote there go away."""
    wanted = {lock.package for lock in locks}
    return [
        Written(path=f"{FOLDER}/{package}/{name}", new=None, old=old)
        for package in disk.build_locks()
        if package not in wanted
        for name in NAMES
        if (old := disk.build_lock(package).get(name)) is not None
    ]
