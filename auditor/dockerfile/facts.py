"""What is known of a stage: its commands with what they meet, its files, environments and variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.dockerfile.shell import UNKNOWN

if TYPE_CHECKING:
    from auditor.dockerfile.commands import Download, UvCall
    from auditor.dockerfile.files import View
    from auditor.dockerfile.installs import Install
    from auditor.dockerfile.model import Instruction, Stage
    from auditor.dockerfile.shell import Command


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the cache key of a stage depends on a lock: what it does, at which line."""

    lock: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Declared:
    """An ARG or ENV of a stage; its value is `UNKNOWN` where it has none."""

    instruction: str
    name: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Source:
    """A repository's working tree in a stage: its folder, the repository's name, the version that its tag names."""

    folder: str
    repository: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A COPY --from or a mount of one.

    Attributes:
        reference: what `--from` names, expanded.
        stage: index of that stage, or None for an image or a context that is given to the build.
        source: path there.
        destination: path here.
        line: of the instruction.
        is_mount: whether it is there during one RUN only.
    """

    reference: str
    stage: int | None
    source: str
    destination: str
    line: int
    is_mount: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment.

    Attributes:
        path: where it was made, or where it was copied to; may be `UNKNOWN`.
        made_at: where it was made.
        how: the command that made it.
        line: of that command.
        relocatable: whether it may be moved.
    """

    path: str
    made_at: str
    how: str
    line: int
    relocatable: bool = False


@dataclass(frozen=True, slots=True)
class Activation:
    """An ENV that says where an environment is: its path, the variable, the line."""

    path: str
    variable: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of a RUN, CMD, ENTRYPOINT or HEALTHCHECK (or an ADD of a URL), and what it meets.

    Attributes:
        stage: index of the stage.
        instruction: where it stands.
        command: the command.
        uv: it as a call of uv.
        install: it as an install or a build.
        download: it as a download.
        lock: for uv, the path in the context of the project's lock; empty if none is seen, else may be `UNKNOWN`.
        venv: for uv, the project's environment; `UNKNOWN` where it cannot be told.
        reasons: why its cache key depends on a lock.
        declared: the ARGs and ENVs in force.
        sources: the working trees of repositories.
        caches: targets of its cache mounts.
    """

    stage: int
    instruction: Instruction
    command: Command
    uv: UvCall | None = None
    install: Install | None = None
    download: Download | None = None
    lock: str = ""
    venv: str = UNKNOWN
    reasons: tuple[Reason, ...] = field(default=(), repr=False)
    declared: tuple[Declared, ...] = field(default=(), repr=False)
    sources: tuple[Source, ...] = field(default=(), repr=False)
    caches: tuple[str, ...] = ()

    @property
    def line(self) -> int:
        """Of the instruction."""
        return self.instruction.line


@dataclass(frozen=True, kw_only=True)
class StageFacts:
    """A stage when it has ended. Everything but `steps` and `carried` includes what it stands on.

    Attributes:
        stage: the stage.
        parent: the stage that it stands on, or None.
        image: the image that it stands on in the end, expanded; may be `UNKNOWN`.
        steps: the commands of its own RUNs, and its own ADDs of URLs.
        starts: what a container runs: ENTRYPOINT, CMD and HEALTHCHECK, as far as they are set.
        view: its files.
        environments: the environments that were made in it or copied to it.
        activated: where its variables say that one is.
        carried: what it copies and mounts from other stages and images.
        hidden: whether it ran something, or stands on something, that may have made environments unseen.
        declared: its ARGs and ENVs.
        changing: (path, lock) of the files and environments whose content changes with a lock.
    """

    stage: Stage
    parent: StageFacts | None
    image: str
    steps: tuple[Step, ...]
    starts: tuple[Step, ...]
    view: View
    environments: tuple[Environment, ...]
    activated: tuple[Activation, ...]
    carried: tuple[Carried, ...]
    hidden: bool
    declared: tuple[Declared, ...]
    changing: tuple[tuple[str, str], ...]

    @property
    def chain(self) -> tuple[StageFacts, ...]:
        """The stages that it stands on, the first one first, and itself."""
        return (*(self.parent.chain if self.parent is not None else ()), self)

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """The commands of every RUN that made it."""
        return tuple(step for facts in self.chain for step in facts.steps)
