"""The build of a pair's images as a graph: files -> stages -> bake targets -> caches, with what a change reaches.

Sources: what each stage takes, from the Dockerfile; the targets, from the bake file that is there; how BuildKit keys
each step: facts on bake, section 3.1. FROM and COPY of the context pass every change on; COPY --from and a mount of a
stage go by the bytes that they take; a build lock changes when its build key does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from auditor.bake.files import BakeFiles
from auditor.dockerfile.files import LOCK
from auditor.dockerfile.shell import UNKNOWN, is_known
from auditor.dockerfile.stages import analyse
from auditor.report.graph.inputs import Carriers, Input
from auditor.report.graph.model import Build, BuildEdge, BuildNode, Kind, Reach, Remark
from auditor.report.graph.packages import all_remarks, make_id
from auditor.report.graph.targets import Baked, read_targets
from auditor.report.text import printable
from auditor.wheel.build_lock import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.dockerfile.facts import Carried, StageFacts, Step
    from auditor.dockerfile.model import Dockerfile
    from auditor.report.graph.targets import TargetFacts
    from auditor.rules.context import PairContext
    from auditor.rules.run import Outcome
    from auditor.wheel.key import BuildKey

_SCRATCH: Final = "scratch"
_WHOLE: Final = "the whole build context"


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
    baked = read_targets(disk) if context.bake is not None else Baked()
    arguments = {**context.dockerfile.arguments, **baked.arguments(context.dockerfile.file.name)}
    dockerfile = replace(context.dockerfile, arguments=arguments)
    builder = _Builder(context, dockerfile, baked, tuple(keys), frozenset(compiled), disk)
    return builder.build(name, outcome)


@dataclass(slots=True)
class _Parts:
    """Nodes and edges while they are collected."""

    nodes: list[BuildNode] = field(default_factory=list)
    edges: dict[tuple[str, str], BuildEdge] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def node(self, kind: Kind, label: str, **more: object) -> str:
        found = make_id(f"b-{kind.value}", label, self.taken)
        self.nodes.append(BuildNode(id=found, kind=kind, label=printable(label), **more))  # type: ignore[arg-type]
        return found

    def edge(self, edge: BuildEdge) -> None:
        """Add an edge; of two between the same ends, the surer one stays, and says both."""
        known = self.edges.get((edge.source, edge.target))
        if known is not None:
            first, second = sorted((known, edge), key=lambda each: each.reach)
            how = ", ".join(dict.fromkeys((*known.how.split(", and "), edge.how)))
            edge = replace(first, how=how, carried=first.carried | second.carried, quiet=first.quiet and second.quiet)
        self.edges[edge.source, edge.target] = edge


class _Builder:
    def __init__(
        self,
        context: PairContext,
        dockerfile: Dockerfile,
        baked: Baked,
        keys: tuple[BuildKey, ...],
        compiled: frozenset[str],
        disk: BakeFiles,
    ) -> None:
        self.context = context
        self.dockerfile = dockerfile
        self.baked = baked
        self.keys = keys
        self.compiled = compiled
        self.disk = disk
        self.facts = analyse(dockerfile, context.locks)
        self.parts = _Parts()
        self.inputs: list[Input] = []
        self.stages: dict[int, str] = {}
        self.images: dict[str, str] = {}
        self.targets: dict[str, str] = {}

    def build(self, name: str, outcome: Outcome) -> Build:
        needed = self.needed()
        self.add_inputs()
        self.add_keys()
        self.add_stages(needed)
        self.add_targets()
        places = {node.id: place for place, node in enumerate(self.parts.nodes)}
        edges = sorted(self.parts.edges.values(), key=lambda edge: (places[edge.source], places[edge.target]))
        build = Build(pair=name, nodes=tuple(self.parts.nodes), edges=tuple(reduce_edges(edges)))
        remarks = self.remarks(outcome)
        wheel, compiles = self.hours(build)
        nodes = tuple(
            replace(
                node,
                wheel=node.id in wheel,
                compiles=node.id in compiles,
                remarks=tuple(remarks.get(node.id, ())),
            )
            for node in build.nodes
        )
        return Build(pair=name, nodes=nodes, edges=build.edges, notes=tuple(self.notes(needed)))

    # --- which stages

    def needed(self) -> list[int]:
        """The stages that the targets build, and what those stand on; without targets, all that leads somewhere."""
        pending = [index for target in self.own_targets() if (index := self.stage_of(target)) is not None]
        if not pending:
            taken = {index for facts in self.facts for index in self.before(facts)}
            pending = [
                facts.stage.index
                for facts in self.facts
                if facts.stage.index not in taken and (facts.stage.instructions or facts is self.facts[-1])
            ]
        found: set[int] = set()
        while pending:
            index = pending.pop()
            if index not in found:
                found.add(index)
                pending += self.before(self.facts[index])
        return sorted(found)

    def own_targets(self) -> tuple[TargetFacts, ...]:
        """The targets of this Dockerfile, and those that only gather what others make."""
        name = self.context.config.image.dockerfile
        return tuple(target for target in self.baked.targets if target.dockerfile in {name, ""})

    def stage_of(self, target: TargetFacts) -> int | None:
        """The stage that a target builds: the one that it names, else the last."""
        if target.dockerfile == "":
            return None
        if not target.stage:
            return self.facts[-1].stage.index
        found = self.dockerfile.stage(target.stage)
        return None if found is None else found.index

    @staticmethod
    def before(facts: StageFacts) -> list[int]:
        parent = [facts.parent.stage.index] if facts.parent is not None else []
        return parent + [item.stage for item in facts.carried if item.stage is not None]

    # --- files and keys

    def add_inputs(self) -> None:
        dev, prod = self.context.dev, self.context.prod
        for side in (dev, prod):
            if side.project is not None:
                about = f"dependencies of {side.role}"
                self.add_input(side.project.file.name, about)
            packages = f"{len(side.lock.packages)} packages, for every environment"
            self.add_input(side.lock.file.name, f"{side.role} lock", (("holds", packages),))
        for package in self.disk.build_locks():
            about = f"build lock of {package}"
            self.add_input(f"{FOLDER}/{package}", about, (("is", "all that the compile of its wheel sees"),))
        self.add_input("", "all other files")

    def add_input(self, path: str, about: str, facts: tuple[tuple[str, str], ...] = ()) -> None:
        if path not in {each.path for each in self.inputs}:
            found = self.parts.node(Kind.INPUT, path or "sources", about=printable(about), facts=facts)
            self.inputs.append(Input(found, path))

    def input(self, path: str) -> str | None:
        return next((each.id for each in self.inputs if each.path == path), None)

    def add_keys(self) -> None:
        """The build keys that something is named after: between a lock and its build lock, they hold a change back."""
        for key in self.keys:
            folder = self.input(f"{FOLDER}/{key.name}")
            lock = self.input(self.context.dev.lock.file.name)
            named = any(key.readable in cache for target in self.baked.targets for cache in target.writes)
            if lock is None or (folder is None and not named):
                continue
            facts = tuple((component.name, printable(component.value)) for component in key.components)
            about = "decides whether the wheel is compiled"
            found = self.parts.node(Kind.KEY, key.readable, about=about, facts=facts)
            self.link(lock, found, "what decides the wheel's bytes, and nothing else", Reach.KEY)
            project = self.context.dev.project
            if project is not None and (settings := self.input(project.file.name)) is not None:
                self.link(settings, found, "[tool.lockaudit]", Reach.KEY, quiet=True)
            if folder is not None:
                self.link(found, folder, "`lockaudit bake` writes it anew when the key changes")

    def link(self, source: str, target: str, how: str, reach: Reach = Reach.SURE, *, quiet: bool = False) -> None:
        self.parts.edge(BuildEdge(source=source, target=target, how=printable(how), reach=reach, quiet=quiet))

    # --- stages

    def add_stages(self, needed: list[int]) -> None:
        carriers = Carriers(self.dockerfile, self.facts, self.inputs)
        for index in needed:
            facts = self.facts[index]
            if facts.parent is None and not facts.stage.instructions and facts.image != _SCRATCH:
                self.stages[index] = self.image(facts.image, facts.stage.name)
                continue
            own = self.parts.node(
                Kind.STAGE,
                facts.stage.name or f"stage {index}",
                about=printable(f"line {facts.stage.line}"),
                facts=tuple(_about_stage(facts)),
            )
            self.stages[index] = own
            if facts.parent is not None:
                self.link(self.stages[facts.parent.stage.index], own, f"FROM, line {facts.stage.line}")
            elif facts.image != _SCRATCH:
                self.link(self.image(facts.image), own, f"FROM, line {facts.stage.line}")
            for use in carriers.uses[index]:
                for each in self.inputs:
                    if use.takes(each, self.inputs):
                        how = f"{use.how} ({_WHOLE})" if use.is_whole else use.how
                        self.link(each.id, own, how, quiet=use.is_whole and each.path != "")
            for item in facts.carried:
                self.carry(item, own, carriers)
            for lock in dict.fromkeys(_synced(facts)):
                found = self.input(lock)
                if found is not None:
                    self.link(found, own, f"uv sync --locked of {lock}", quiet=self.has(found, own))

    def has(self, source: str, target: str) -> bool:
        """Whether there is an edge already that is drawn."""
        known = self.parts.edges.get((source, target))
        return known is not None and not known.quiet

    def image(self, reference: str, stage: str = "") -> str:
        label = reference.replace(UNKNOWN, "...")
        if label not in self.images:
            about = f"image, stage {stage}" if stage else "image"
            self.images[label] = self.parts.node(Kind.IMAGE, label, about=printable(about))
        return self.images[label]

    def carry(self, item: Carried, own: str, carriers: Carriers) -> None:
        verb = "mount" if item.is_mount else "COPY"
        if item.stage is None:
            source = self.image(item.reference)
            carried: frozenset[str] = frozenset()
        else:
            source = self.stages[item.stage]
            carried = frozenset(
                each.id for each in self.inputs if carriers.carries(item.stage, item.source, each)
            )
        how = f"{verb} of {item.source.replace(UNKNOWN, '...')}, line {item.line}"
        self.parts.edge(
            BuildEdge(source=source, target=own, how=printable(how), reach=Reach.BYTES, carried=carried)
        )

    # --- targets and caches

    def add_targets(self) -> None:
        own = self.own_targets()
        for target in own:
            self.targets[target.name] = self.parts.node(
                Kind.TARGET, target.name, about=printable(target.description), facts=_shown(target.facts)
            )
        caches: dict[str, str] = {}
        for target in own:
            here = self.targets[target.name]
            index = self.stage_of(target)
            if index is not None and index in self.stages:
                self.link(self.stages[index], here, f"builds stage {self.facts[index].stage.name or index}")
            for parent in target.linked:
                if parent in self.targets:
                    edge = BuildEdge(
                        source=self.targets[parent],
                        target=here,
                        how=f"takes its result as {printable(parent)}",
                        reach=Reach.BYTES,
                        quiet=index is not None,
                    )
                    self.parts.edge(edge)
            for cache in target.writes:
                if cache not in caches:
                    about, _, label = cache.rpartition(":")
                    caches[cache] = self.parts.node(Kind.CACHE, label, about=printable(f"cache in {about or 'there'}"))
                self.link(here, caches[cache], "writes it")
        for key in self.keys:
            node = next((n.id for n in self.parts.nodes if n.kind is Kind.KEY and n.label == key.readable), None)
            for cache, there in caches.items():
                if node is not None and key.readable in cache:
                    self.link(node, there, "is named after it", quiet=True)

    # --- what else there is to say

    def notes(self, needed: list[int]) -> Iterator[str]:
        yield from map(printable, self.baked.notes)
        if self.context.bake is not None and not self.baked.targets and not self.baked.notes:
            yield f"There is no {printable(self.disk.name)}; `lockaudit bake` writes one."
        left = [facts.stage.name or str(facts.stage.index) for facts in self.facts if facts.stage.index not in needed]
        if left:
            yield printable(f"Not built with these settings: {', '.join(left)}.")
        reads = {target.reads for target in self.own_targets()}
        if len(reads) == 1 and next(iter(reads)):
            yield "Every target reads every cache."

    def remarks(self, outcome: Outcome) -> dict[str, list[Remark]]:
        """Findings by the node whose lines they point at."""
        found: dict[str, list[Remark]] = {}
        ends = {facts.stage.index: _last_line(facts) for facts in self.facts}
        for finding, shown in all_remarks(outcome):
            where = finding.position
            if where.path == self.dockerfile.file.name:
                for index, node in self.stages.items():
                    if self.facts[index].stage.line <= where.line <= ends[index]:
                        found.setdefault(node, []).append(shown)
            elif finding.code.startswith("LA5"):
                for target in self.own_targets():
                    if (where.path, where.line) in target.lines or f'"{target.name}"' in finding.message:
                        found.setdefault(self.targets[target.name], []).append(shown)
        return found

    def hours(self, build: Build) -> tuple[set[str], set[str]]:
        """What is on the way from a build lock to the wheels, and the stages in which something is compiled."""
        locks = [each.id for each in self.inputs if each.path.startswith(f"{FOLDER}/")]
        wheels = [self.targets[target.name] for target in self.own_targets() if target.makes_wheels]
        found = {node for lock in locks for node in build.invalidated(lock)}
        above = {node for wheel in wheels for node in (*build.made_of(wheel), wheel)}
        chain = found & above
        if chain:
            chain |= set(locks) | {node.id for node in build.nodes if node.kind is Kind.KEY}
            chain |= {
                edge.target
                for edge in build.edges
                if edge.source in wheels and build.by_id[edge.target].kind is Kind.CACHE
            }
        compiles = {
            node
            for index, node in self.stages.items()
            if (node in chain and self.facts[index].steps)
            or any(_compiles(step, self.compiled) for step in self.facts[index].steps)
        }
        return chain | compiles, compiles


def reduce_edges(edges: Sequence[BuildEdge]) -> Iterator[BuildEdge]:
    """The edges, those marked as redundant that a drawing can do without; loud ones never for the sake of quiet ones.

    What has quiet edges only keeps them as loud ones.
    """
    heard = {edge.source for edge in edges if not edge.quiet}
    edges = [replace(edge, quiet=edge.quiet and edge.source in heard) for edge in edges]
    left = {(edge.source, edge.target): edge for edge in edges}
    for edge in edges:
        others = [each for each in left.values() if each is not edge and (edge.quiet or not each.quiet)]
        redundant = _leads(others, edge)
        if redundant:
            del left[edge.source, edge.target]
        yield replace(edge, redundant=redundant)


def _leads(edges: Sequence[BuildEdge], besides: BuildEdge) -> bool:
    """Whether edges that are no less sure lead from one end of another one to the other."""
    found, pending = {besides.source}, [besides.source]
    while pending:
        current = pending.pop()
        for edge in edges:
            if edge.source == current and edge.target not in found and edge.reach <= besides.reach:
                found.add(edge.target)
                pending.append(edge.target)
    return besides.target in found


def _about_stage(facts: StageFacts) -> Iterator[tuple[str, str]]:
    if is_known(facts.image) and facts.image != _SCRATCH:
        yield "image", printable(facts.image)
    own = [
        each.name
        for each in facts.declared
        if each.instruction == "ARG" and (facts.parent is None or each not in facts.parent.declared)
    ]
    if own:
        yield "arguments", printable(", ".join(dict.fromkeys(own)))


def _shown(facts: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((printable(what), printable(value)) for what, value in facts)


def _synced(facts: StageFacts) -> Iterator[str]:
    """The locks that a stage installs from."""
    for step in facts.steps:
        if step.uv is not None and step.uv.command == "sync" and step.uv.options.has("locked", "frozen"):
            yield step.lock if step.lock and is_known(step.lock) else LOCK


def _compiles(step: Step, compiled: frozenset[str]) -> bool:
    """Whether a command compiles one of these packages: it installs it by name, or syncs without leaving it out."""
    if step.install is not None and step.install.verb in {"install", "wheel"}:
        offline = step.install.options.has("no-index")
        return not offline and any(each.name in compiled for each in step.install.requirements)
    if step.uv is None or step.uv.command != "sync" or not compiled:
        return False
    left_out = step.uv.options.values.get("no-install-package", ())
    open_ended = any(not is_known(word) for word in step.command.words)
    return not open_ended and not compiled <= set(left_out)


def _last_line(facts: StageFacts) -> int:
    instructions = facts.stage.instructions
    return instructions[-1].last_line if instructions else facts.stage.line


