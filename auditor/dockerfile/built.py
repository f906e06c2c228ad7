"""What a build is given, and its stages as they are read: the records that `builds` fills."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.dockerfile.scan import scan_value
from auditor.dockerfile.script import expand_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from auditor.dockerfile.context import File
    from auditor.dockerfile.facts import StageFacts
    from auditor.dockerfile.layer import Layer, Part
    from auditor.dockerfile.model import Dockerfile, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Solve:
    """One build: what `docker build` or a target of bake is given.

    Attributes:
        name: of the target.
        dockerfile: whose stages are built.
        facts: of its stages, in order; empty where nobody looked.
        stage: index of the one that is built.
        arguments: build arguments.
        contexts: named contexts: the name of another solve (`target:x`), an image, or a folder.
        files: of its build context.
        text: reads a file of the context.
        platform: that it is built for, or an empty string.
        settings: (name, value) of what is in the key of every RUN.
        uncached: names of stages that are always built anew; an empty one is all of them.
    """

    name: str
    dockerfile: Dockerfile
    facts: Sequence[StageFacts]
    stage: int
    arguments: Mapping[str, str]
    contexts: Mapping[str, str]
    files: Mapping[str, File]
    text: Callable[[str], str | None]
    platform: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    uncached: tuple[str, ...] = ()


@dataclass(slots=True)
class Files:
    """What an instruction puts into a stage: path -> file."""

    at: dict[str, Part]


@dataclass(slots=True)
class Taken:
    """A COPY --from: what it takes, and where that arrives."""

    source: Built | str
    path: str
    destination: str


@dataclass(slots=True)
class Ran:
    """A RUN: its layer, what it leaves if that is known, and what is other bytes whenever it runs."""

    layer: Layer
    left: dict[str, Part] | None = None
    volatile: tuple[str, ...] = ()


@dataclass(slots=True)
class Built:
    """A stage of one solve.

    Attributes:
        solve: whose.
        stage: the stage.
        last: its last layer, or that of what it stands on.
        base: the stage that it stands on.
        own: its layers.
        effects: what its layers do to its files.
        takes: the stages that it copies from or mounts.
        image: that it stands on in the end, or `scratch`.
    """

    solve: Solve
    stage: Stage
    last: Layer
    base: Built | None
    image: str
    own: list[Layer] = field(default_factory=list)
    effects: list[Files | Taken | Ran] = field(default_factory=list)
    takes: list[Built] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    user: str = ""
    shell: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the stage, or its number."""
        return self.stage.name or str(self.stage.index)

    @property
    def all_effects(self) -> list[Files | Taken | Ran]:
        """Those of what it stands on first."""
        found: list[list[Files | Taken | Ran]] = []
        current: Built | None = self
        while current is not None:
            found.append(current.effects)
            current = current.base
        return [effect for effects in reversed(found) for effect in effects]

    @property
    def values(self) -> dict[str, str]:
        """The variables in force."""
        return {**self.arguments, **self.env}

    def expand(self, text: str) -> str:
        """A text of an instruction with its variables put in."""
        return expand_value(scan_value(text), self.values)
