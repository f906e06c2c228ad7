"""The build of a pair's images as a graph: files -> stages -> bake targets -> caches, with what a change reaches.

Sources: what each stage takes, from the Dockerfile; the targets, from the bake file that is there; how BuildKit keys
each step: facts on bake, section 3.1. FROM and COPY of the context pass every change on; COPY --from and a mount of a
stage go by the bytes that they take; a build lock changes when its build key does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from auditor.bake.files import BakeFiles
from auditor.bake.targets import Baked, of_builds, read_targets
from auditor.dockerfile.reach import (
    SCRATCH,
    about_stage,
    compiles,
    is_alias,
    last_line,
    needed_stages,
    synced_locks,
)
from auditor.dockerfile.shell import UNKNOWN
from auditor.dockerfile.stages import analyse
from auditor.report.graph.inputs import Carriers, Input
from auditor.report.graph.model import Build, Kind, Reach
from auditor.report.graph.packages import all_remarks
from auditor.report.graph.parts import Parts
from auditor.source import printable
from auditor.wheel.build_lock import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.bake.targets import TargetFacts
    from auditor.dockerfile.facts import Carried, StageFacts
    from auditor.dockerfile.model import Dockerfile
    from auditor.report.graph.model import Remark
    from auditor.rules.context import PairContext
    from auditor.rules.run import Outcome
    from auditor.wheel.key import BuildKey

_WHOLE: Final = "the whole build context"
_REST: Final = "sources"


def make_build(context: PairContext, outcome: Outcome, keys: Sequence[BuildKey], compiled: Iterable[str]) -> Build:
    """The build graph of a pair.

    Args:
        context: the pair.
        outcome: what the audit found.
        keys: of the packages that are compiled, as far as they are known.
        compiled: names of those packages.
    """
    name = printable(context.name)
    if context.dockerfile is None:
        path = printable(context.config.image.dockerfile)
        return Build(pair=name, notes=(f"There is no Dockerfile at {path}, so there is no build to draw.",))
    disk = context.bake or BakeFiles(context.pair.root, context.config.bake.file)
    baked = of_builds(read_targets(disk), context.build_names) if context.bake is not None else Baked()
    arguments = {**context.dockerfile.arguments, **baked.arguments(context.dockerfile.file.name)}
    builder = _Builder(
        context, replace(context.dockerfile, arguments=arguments), baked, tuple(keys), frozenset(compiled), disk
    )
    builder.collect()
    return builder.finished(name, outcome)


@dataclass
class _Builder:
    """A build while it is collected."""

    context: PairContext
    dockerfile: Dockerfile
    baked: Baked
    keys: tuple[BuildKey, ...]
    compiled: frozenset[str]
    disk: BakeFiles

    def __post_init__(self) -> None:
        self.facts = analyse(self.dockerfile, self.context.locks)
        self.parts = Parts()
        self.inputs: list[Input] = []
        self.stages: dict[int, str] = {}
        self.images: dict[str, str] = {}
        self.targets: dict[str, str] = {}
        self.caches: dict[str, str] = {}
        self.named: dict[str, str] = {}  # build key -> node
        self.builds = [build.name for build in self.context.builds] or [""]

    def collect(self) -> None:
        self.add_inputs()
        self.add_keys()
        carriers = Carriers(self.dockerfile, self.facts, self.inputs)
        for index in self.needed:
            self.add_stage(self.facts[index], carriers)
        for target in self.own_targets:
            self.targets[target.name] = self.parts.node(Kind.TARGET, target.name, target.description, target.facts)
        for target in self.own_targets:
            self.link_target(target)
        for key, node in self.named.items():
            for cache, there in self.caches.items():
                if key in cache:
                    self.parts.link(node, there, "is named after it", quiet=True)

    def finished(self, name: str, outcome: Outcome) -> Build:
        edges = self.parts.edges
        wheel, hours = self.hours(Build(pair=name, nodes=tuple(self.parts.nodes), edges=edges))
        remarks = self.remarks(outcome)
        nodes = tuple(
            replace(node, wheel=node.id in wheel, compiles=node.id in hours, remarks=tuple(remarks.get(node.id, ())))
            for node in self.parts.nodes
        )
        return Build(pair=name, nodes=nodes, edges=edges, notes=tuple(map(printable, self.notes())))

    @cached_property
    def own_targets(self) -> tuple[TargetFacts, ...]:
        """The targets of this Dockerfile, and those that only gather what others make."""
        name = self.context.config.image.dockerfile
        return tuple(target for target in self.baked.targets if target.dockerfile in {name, ""})

    @cached_property
    def needed(self) -> list[int]:
        """The stages that the targets build, and what those stand on."""
        return needed_stages(
            self.facts, [index for target in self.own_targets if (index := self.stage_of(target)) is not None]
        )

    def stage_of(self, target: TargetFacts) -> int | None:
        """The stage that a target builds: the one that it names, else the last."""
        if target.dockerfile == "":
            return None
        if not target.stage:
            return self.facts[-1].stage.index
        found = self.dockerfile.stage(target.stage)
        return None if found is None else found.index

    # --- files and keys

    def add_inputs(self) -> None:
        for side in (self.context.dev, self.context.prod):
            if side.project is not None:
                self.add_input(side.project.file.name, f"dependencies of {side.role}")
            packages = f"{len(side.lock.packages)} packages, for every environment"
            self.add_input(side.lock.file.name, f"{side.role} lock", (("holds", packages),))
        for place in self.disk.build_locks():
            build, _, package = place.rpartition("/")
            if build in self.builds or not build:
                fact = ("is", "all that the compile of its wheel sees")
                self.add_input(f"{FOLDER}/{place}", f"build lock of {package}", (fact,))
        self.add_input("", "all other files")

    def add_input(self, path: str, about: str, facts: Iterable[tuple[str, str]] = ()) -> None:
        if self.input(path) is None:
            node = self.parts.node(Kind.INPUT, path or _REST, about, facts)
            self.inputs.append(Input(node, path, is_folder=path.startswith(f"{FOLDER}/")))

    def folders(self, package: str) -> Iterator[str]:
        """Where the build lock of a package may lie."""
        for build in self.builds:
            yield "/".join(filter(None, (FOLDER, build, package)))

    def input(self, path: str) -> str | None:
        return next((each.id for each in self.inputs if each.path == path), None)

    def add_keys(self) -> None:
        """The build keys that something is named after: between a lock and its build lock, they hold a change back."""
        for key in self.keys:
            folder = next(filter(None, map(self.input, self.folders(key.name))), None)
            lock = self.input(self.context.dev.lock.file.name)
            names_cache = any(key.readable in cache for target in self.baked.targets for cache in target.writes)
            if lock is None or (folder is None and not names_cache):
                continue
            facts = ((component.name, component.value) for component in key.components)
            found = self.parts.node(Kind.KEY, key.readable, "decides whether the wheel is compiled", facts)
            self.named[key.readable] = found
            self.parts.link(lock, found, "what decides the wheel's bytes, and nothing else", Reach.KEY)
            project = self.context.dev.project
            settings = self.input(project.file.name) if project is not None else None
            if settings is not None:
                self.parts.link(settings, found, "[tool.lockaudit]", Reach.KEY, quiet=True)
            if folder is not None:
                self.parts.link(found, folder, "`lockaudit bake` writes it anew when the key differs")

    # --- stages

    def add_stage(self, facts: StageFacts, carriers: Carriers) -> None:
        stage = facts.stage
        if is_alias(facts):
            self.stages[stage.index] = self.image(facts.image, stage.name)
            return
        name = stage.name or f"stage {stage.index}"
        own = self.stages[stage.index] = self.parts.node(Kind.STAGE, name, f"line {stage.line}", about_stage(facts))
        if facts.parent is not None:
            self.parts.link(self.stages[facts.parent.stage.index], own, f"FROM, line {stage.line}")
        elif facts.image != SCRATCH:
            self.parts.link(self.image(facts.image), own, f"FROM, line {stage.line}")
        for use in carriers.uses[stage.index]:
            for each in self.inputs:
                if use.takes(each, self.inputs):
                    how = f"{use.how} ({_WHOLE})" if use.is_whole else use.how
                    self.parts.link(each.id, own, how, quiet=use.is_whole and each.path != "")
        for item in facts.carried:
            self.link_carried(item, own, carriers)
        for lock in synced_locks(facts):
            found = self.input(lock)
            if found is not None:
                self.parts.link(found, own, f"uv sync of {lock}", quiet=self.parts.is_loud(found, own))

    def image(self, reference: str, stage: str = "") -> str:
        label = reference.replace(UNKNOWN, "...")
        if label not in self.images:
            self.images[label] = self.parts.node(Kind.IMAGE, label, f"image, stage {stage}" if stage else "image")
        return self.images[label]

    def link_carried(self, item: Carried, own: str, carriers: Carriers) -> None:
        carried: set[str] = set()
        if item.stage is None:
            source = self.image(item.reference)
        else:
            source = self.stages[item.stage]
            carried = {each.id for each in self.inputs if carriers.carries(item.stage, item.source, each)}
        verb, path = "mount" if item.is_mount else "COPY", item.source.replace(UNKNOWN, "...")
        how = f"{verb} of {path}, line {item.line}"
        self.parts.link(source, own, how, Reach.BYTES, carried=frozenset(carried))

    # --- targets and caches

    def link_target(self, target: TargetFacts) -> None:
        here, index = self.targets[target.name], self.stage_of(target)
        if index is not None and index in self.stages:
            self.parts.link(self.stages[index], here, f"builds stage {self.facts[index].stage.name or index}")
        for parent in target.linked:
            if parent in self.targets:
                how = f"takes the result of {parent}"
                self.parts.link(self.targets[parent], here, how, Reach.BYTES, quiet=index is not None)
        for cache in target.writes:
            if cache not in self.caches:
                where, _, label = cache.rpartition(":")
                self.caches[cache] = self.parts.node(Kind.CACHE, label, f"cache in {where}" if where else "cache")
            self.parts.link(here, self.caches[cache], "writes it")

    # --- what else there is to say

    def notes(self) -> Iterator[str]:
        yield from self.baked.notes
        if self.context.bake is not None and not self.baked.targets and not self.baked.notes:
            yield f"There is no {self.disk.name}; `lockaudit bake` writes one."
        left = [
            facts.stage.name or str(facts.stage.index) for facts in self.facts if facts.stage.index not in self.needed
        ]
        if left:
            yield f"Not built with these settings: {', '.join(left)}."
        reads = {target.reads for target in self.own_targets}
        if len(reads) == 1 and next(iter(reads)):
            yield "Every target reads every cache."

    def remarks(self, outcome: Outcome) -> dict[str, list[Remark]]:
        """Findings by the node whose lines they point at."""
        found: dict[str, list[Remark]] = {}
        for finding, shown in all_remarks(outcome):
            where = finding.position
            if where.path == self.dockerfile.file.name:
                for index, node in self.stages.items():
                    if self.facts[index].stage.line <= where.line <= last_line(self.facts[index]):
                        found.setdefault(node, []).append(shown)
            elif finding.code.startswith("LA5"):
                for target in self.own_targets:
                    if (where.path, where.line) in target.lines or f'"{target.name}"' in finding.message:
                        found.setdefault(self.targets[target.name], []).append(shown)
        return found

    def hours(self, build: Build) -> tuple[set[str], set[str]]:
        """What is on the way from a build lock to the wheels, and the stages in which something is compiled."""
        locks = {each.id for each in self.inputs if each.path.startswith(f"{FOLDER}/")}
        wheels = {self.targets[target.name] for target in self.own_targets if target.makes_wheels}
        above = {node for wheel in wheels for node in (*build.made_of(wheel), wheel)}
        chain = above & {node for lock in locks for node in build.invalidated(lock)}
        if chain:
            written = {edge.target for edge in build.edges if edge.source in wheels}
            chain |= locks | set(self.named.values()) | written & set(self.caches.values())
        places = {
            node
            for index, node in self.stages.items()
            if (node in chain and self.facts[index].steps)
            or any(compiles(step, self.compiled) for step in self.facts[index].steps)
        }
        return chain | places, places
