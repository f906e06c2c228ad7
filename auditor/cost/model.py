"""What a change costs, as values: packages, bytes, compiles, stages, and what the images need to run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.dockerfile.layer import Kind


class Change(StrEnum):
    """What happens to a package of an image."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that has another value: its name, the old value and the new one, an empty string for none."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Amount:
    """Bytes that are downloaded more (or less, below zero), and how many packages have no known size."""

    size: int = 0
    unknown: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.size + other.size, self.unknown + other.unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """A package that an image has more, less, or in another state.

    Attributes:
        name: normalised.
        change: see `Change`.
        before: its old version; an empty string where it had none or is new.
        after: likewise.
        source_before: where it came from, and only if that has changed; without logins.
        source_after: likewise.
        file_changed: whether the version and the source are the same, and the file is another one.
        compiled: whether the image compiles it, so that the lock cannot tell the size of its wheel.
        size: bytes more or less; None where a size is unknown.
    """

    name: str
    change: Change
    before: str = ""
    after: str = ""
    source_before: str = ""
    source_after: str = ""
    file_changed: bool = False
    compiled: bool = False
    size: int | None = None

    @property
    def amount(self) -> Amount:
        """Its part of the sum."""
        return Amount(unknown=1) if self.size is None else Amount(self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCost:
    """The packages of one side of a pair on one target.

    Attributes:
        name: `dev` or `prod`.
        changes: sorted by name.
    """

    name: str
    changes: tuple[PackageChange, ...]

    @property
    def amount(self) -> Amount:
        """The sum over all of them."""
        return sum((each.amount for each in self.changes), Amount())


@dataclass(frozen=True, slots=True, kw_only=True)
class Compile:
    """A wheel that is compiled.

    Attributes:
        package: whose.
        before: the old build key, or an empty string.
        after: the new one.
        components: what of the key has changed; empty where it is new, or where the compile runs with the same key.
        cause: why the compile runs although the key is the same; None else.
    """

    package: str
    before: str
    after: str
    components: tuple[Difference, ...] = ()
    cause: Cause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a step runs.

    Attributes:
        kind: of what has changed.
        name: of it: a path, an argument, `RUN`.
        before: old value, where one can be told; an empty string for none.
        after: new value, likewise.
        others: how many others of its kind have changed with it.
        line: 1-based, of an instruction that has changed; 0 without one.
        through: the stage by which it comes, or an empty string.
    """

    kind: Kind
    name: str
    before: str = ""
    after: str = ""
    others: int = 0
    line: int = 0
    through: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCost:
    """A stage of a build.

    Attributes:
        name: of the stage, or its number.
        line: of its FROM.
        steps: how many it has of its own.
        ran: how many of them run again for sure.
        perhaps: how many more run, if the files that they take have other bytes.
        first: the first instruction that runs: `COPY, line 254`; an empty string without one.
        cause: why; None where it keeps its cache.
        compiles: the packages whose wheels it compiles when it runs.
    """

    name: str
    line: int
    steps: int
    ran: int
    perhaps: int
    first: str = ""
    cause: Cause | None = None
    compiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCost:
    """What a build of one image runs again, on a builder that has built all images of the earlier state.

    Attributes:
        name: of the bake target or, without a bake file, of the stage.
        stages: those with steps of their own that it needs, in the order of the Dockerfile.
    """

    name: str
    stages: tuple[StageCost, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCost:
    """What changes on one target.

    Attributes:
        target: as text.
        before: the target that it is compared with.
        images: dev and prod.
        compiles: wheels that are compiled, sorted by name.
        dropped: packages that are compiled no more.
        facts: CUDA, driver, Python, C++ ABI: those that change.
    """

    target: str
    before: str
    images: tuple[ImageCost, ...]
    compiles: tuple[Compile, ...]
    dropped: tuple[str, ...]
    facts: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCost:
    """What changes for one pair, or one variant of it.

    Attributes:
        name: of it; an empty string where the repository has one.
        is_new: whether the earlier state does not have it.
        targets: in the order of the settings.
        builds: of its images.
        notes: what else is worth knowing, as sentences.
    """

    name: str
    is_new: bool
    targets: tuple[TargetCost, ...]
    builds: tuple[BuildCost, ...]
    notes: tuple[str, ...]

    @property
    def stages(self) -> tuple[StageCost, ...]:
        """The stages of all its builds, each once: where builds differ, as the one that runs more of it says."""
        found: dict[tuple[str, int], StageCost] = {}
        for build in self.builds:
            for stage in build.stages:
                known = found.setdefault((stage.name, stage.line), stage)
                if (stage.ran, stage.perhaps) > (known.ran, known.perhaps):
                    found[stage.name, stage.line] = stage
        return tuple(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a change costs.

    Attributes:
        base: the revision that it is compared with, as the user wrote it.
        commit: which that is.
        pairs: one at least.
    """

    base: str
    commit: str
    pairs: tuple[PairCost, ...]

    @property
    def compiles(self) -> Iterator[Compile]:
        """Every wheel that is compiled, each key once."""
        seen = set()
        for pair in self.pairs:
            for target in pair.targets:
                for each in target.compiles:
                    if each.after not in seen:
                        seen.add(each.after)
                        yield each
