"""Every file that `lockaudit bake` writes, as it should be and as it is on disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.bake.lint import refuse_problems
from auditor.bake.plan import Images, Plan, make_bake_file
from auditor.bake.write import render
from auditor.dockerfile.pins import read_pins
from auditor.errors import LockauditError
from auditor.wheel.build_lock import FOLDER, KEY, NAMES, build_lock
from auditor.wheel.key import build_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.bake.builds import Build
    from auditor.bake.files import BakeFiles
    from auditor.config import Config
    from auditor.dockerfile.model import Dockerfile
    from auditor.dockerfile.pins import Pins
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


def plan_of(builds: Sequence[Build], disk: BakeFiles) -> Plan:
    """What the bake file is made from.

    Args:
        builds: one at least.
        disk: what is there; build locks are kept where they are for their key.

    Raises:
        ConfigError: a setting that no build key can hold.
        InputError: a source that cannot be verified.
    """
    known: dict[str, BuildLock] = {}
    images = []
    for build in builds:
        try:
            images.append(_images(build, disk, known))
        except LockauditError as error:
            if build.name:  # what is wrong with one of several builds says which
                error.message = f"{build.name}: {error.message}"
            raise
    project = builds[0].side.project
    return Plan(name=project.name if project is not None else "", config=builds[0].config, images=tuple(images))


def _images(build: Build, disk: BakeFiles, known: dict[str, BuildLock]) -> Images:
    keys = keys_of(build.side, build.target, build.config, build.dockerfile)
    pins = read_pins(build.config, build.dockerfile)
    return Images(
        name=build.name,
        variant=build.variant,
        config=build.config,
        pins=pins,
        target=build.target,
        keys=keys,
        locks=tuple(_lock(build, key, pins, disk, known) for key in keys),
    )


def _lock(build: Build, key: BuildKey, pins: Pins, disk: BakeFiles, known: dict[str, BuildLock]) -> BuildLock:
    """The build lock of a key: kept from disk where it is for that key, wherever it lies. Raises: as `build_lock`.

    Builds with one key share one wheel, so they have the same bytes.
    """
    folder = f"{build.name}/{key.name}" if build.name else key.name
    if key.readable not in known:
        places = [folder, *(each for each in disk.build_locks() if each.rpartition("/")[2] == key.name)]
        found = [disk.build_lock(place) for place in places]
        current = next((files for files in found if files.get(KEY) == f"{key.readable}\n"), found[0])
        selection = build.side.select(build.target)
        known[key.readable] = build_lock(key, build.side, selection, build.config, pins, current)
    return replace(known[key.readable], build=build.name)


def generate(builds: Sequence[Build], disk: BakeFiles) -> tuple[Written, ...]:
    """Every generated file: build locks, build locks to be removed, and the bake file last.

    Args:
        builds: what is built; one at least.
        disk: what is there.

    Raises:
        ConfigError: a setting that no build key and no bake file can hold.
        InputError: a source that cannot be verified.
    """
    plan = plan_of(builds, disk)
    locks = [lock for images in plan.images for lock in images.locks]
    files = [
        Written(path=f"{lock.folder}/{name}", new=text, old=disk.text(f"{lock.folder}/{name}"))
        for lock in locks
        for name, text in lock.files.items()
    ]
    files += _stale(locks, disk)
    model = make_bake_file(plan)
    refuse_problems(model)
    files.append(Written(path=disk.name, new=render(model), old=disk.text(disk.name)))
    return tuple(files)


def _stale(locks: Sequence[BuildLock], disk: BakeFiles) -> list[Written]:
    """Build locks that nothing is built from any more: the files that we wrote there go away."""
    wanted = {lock.folder for lock in locks}
    return [
        Written(path=f"{FOLDER}/{place}/{name}", new=None, old=old)
        for place in disk.build_locks()
        if f"{FOLDER}/{place}" not in wanted
        for name in NAMES
        if (old := disk.build_lock(place).get(name)) is not None
    ]
