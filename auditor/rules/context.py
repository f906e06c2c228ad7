"""What a rule is given: the pair, its settings, both selections on a target, and where things stand in the files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.bake.builds import own_builds
from auditor.errors import LockauditError
from auditor.finding import Related
from auditor.lock.selection import uncovered_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.bake.builds import Build
    from auditor.bake.files import BakeFiles
    from auditor.bake.generate import Written
    from auditor.config import Config
    from auditor.dockerfile.facts import StageFacts
    from auditor.dockerfile.model import Dockerfile
    from auditor.lock.environment import Target
    from auditor.lock.model import Package
    from auditor.lock.pair import Pair, Side
    from auditor.lock.selection import Selection
    from auditor.position import Position
    from auditor.source import SourceFile


@dataclass(frozen=True)
class Baking:
    """The bake file of a project, one for all variants: what is on disk, and what it builds.

    Attributes:
        disk: the bake file and what lies beside it.
        builds: every variant on every platform; empty where there is no Dockerfile.
    """

    disk: BakeFiles
    builds: tuple[Build, ...]

    @cached_property
    def generated(self) -> tuple[Written, ...] | LockauditError:
        """What `lockaudit bake` would write, or why it cannot; empty where there is nothing to hold against it."""
        disk, builds = self.disk, self.builds
        if not builds or not disk.as_configured or any(covers(build.side, build.target) for build in builds):
            return ()
        if not disk.is_ours and not disk.build_locks():
            return ()
        from auditor.bake.generate import generate  # noqa: PLC0415 - for projects that bake

        try:
            return generate(builds, disk)
        except LockauditError as error:
            return error


@dataclass(frozen=True)
class PairContext:
    """A pair with its settings.

    Attributes:
        pair: both sides.
        config: the effective settings.
        targets: what is to be proven.
        dockerfile: the Dockerfile of the images, or None where there is none.
        name: of the pair, where the repository has several; of the variant, where its images have variants.
        is_variant: whether `name` is that of a variant.
        baking: the bake file, or None where it belongs to another pair.
    """

    pair: Pair
    config: Config
    targets: tuple[Target, ...]
    dockerfile: Dockerfile | None = None
    name: str = ""
    is_variant: bool = False
    baking: Baking | None = None

    @property
    def bake(self) -> BakeFiles | None:
        """The bake file and what lies beside it, or None where they belong to another pair."""
        return self.baking.disk if self.baking is not None else None

    @property
    def builds(self) -> tuple[Build, ...]:
        """What is built of this pair or variant: one for each platform."""
        variant = self.name if self.is_variant else ""
        return own_builds(self.baking.builds, variant) if self.baking is not None else ()

    @property
    def build_names(self) -> tuple[list[str], list[str]]:
        """The names of what is built of this pair or variant, and those of the others."""
        every = self.baking.builds if self.baking is not None else ()
        own = [build.name for build in self.builds]
        return own, [build.name for build in every if build.name not in own]

    @property
    def generated(self) -> tuple[Written, ...] | LockauditError:
        """What `lockaudit bake` would write, or why it cannot; empty where there is nothing to hold against it."""
        return self.baking.generated if self.baking is not None else ()

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """Every file that a finding may point into."""
        own = (self.config.file,) if self.config.file is not None else ()
        baked = self.bake.sources if self.bake is not None else ()
        return (self.dev.lock.file, self.prod.lock.file, *own, *self.commented_files, *baked)

    @property
    def commented_files(self) -> tuple[SourceFile, ...]:
        """Files whose comments can accept findings: the Dockerfile and the pyproject.toml of each side."""
        projects = [side.project.file for side in (self.dev, self.prod) if side.project is not None]
        return (*projects, *((self.dockerfile.file,) if self.dockerfile is not None else ()))

    @property
    def dev(self) -> Side:
        """The development side."""
        return self.pair.dev

    @property
    def prod(self) -> Side:
        """The production side."""
        return self.pair.prod

    @property
    def locks(self) -> tuple[str, ...]:
        """Paths of every audited lock, this pair's first."""
        own = (self.config.dev.lock, self.config.prod.lock)
        others = (lock for pair in self.config.pairs for lock in (pair.dev.lock, pair.prod.lock))
        variants = (lock for variant in self.config.variants for lock in (variant.dev.lock, variant.prod.lock))
        return tuple(dict.fromkeys((*own, *others, *variants)))

    @cached_property
    def stages(self) -> tuple[StageFacts, ...]:
        """What each stage of the Dockerfile sees and does; empty where there is no Dockerfile."""
        if self.dockerfile is None:
            return ()
        from auditor.dockerfile.stages import analyse  # noqa: PLC0415 - for rules that look into a Dockerfile

        return analyse(self.dockerfile, self.locks)


@dataclass(frozen=True)
class TargetContext:
    """A pair on one target that both locks cover."""

    of: PairContext
    target: Target

    @property
    def config(self) -> Config:
        """The effective settings."""
        return self.of.config

    @cached_property
    def dev(self) -> Selection:
        """What dev's production selection installs: its dependencies and chosen extras, without dev groups."""
        return self.of.dev.select(self.target)

    @cached_property
    def prod(self) -> Selection:
        """What the production image installs."""
        return self.of.prod.select(self.target)

    @cached_property
    def common(self) -> tuple[tuple[Package, Package], ...]:
        """(prod, dev) for every name that both sides select, the roots left out."""
        by_name: Mapping[str, tuple[Package, ...]] = self.dev_by_name
        return tuple(
            (package, by_name[package.name][0]) for package in self.prod.dependencies if package.name in by_name
        )

    @cached_property
    def dev_by_name(self) -> Mapping[str, tuple[Package, ...]]:
        """Dev's selection by name; its root counts too, since prod may depend on it as a package."""
        found: dict[str, tuple[Package, ...]] = {}
        for package in self.dev.packages:
            found[package.name] = (*found.get(package.name, ()), package)
        return found


def covers(side: Side, target: Target) -> str:
    """Why a side's lock does not cover a target; an empty string if it does."""
    return uncovered_reason(side.lock, target)


def other_side(position: Position, message: str) -> tuple[Related, ...]:
    """A related place, ready for `Finding.related`."""
    return (Related(position=position, message=message),)
