"""The builds of a pair's images, as `docker buildx bake` starts them, or `docker build` where there is no bake file."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.bake.inspect import WHEEL
from auditor.bake.targets import TargetFacts, of_builds, read_targets
from auditor.dockerfile.built import Solve
from auditor.dockerfile.context import ignore_file, read_patterns, without_ignored
from auditor.dockerfile.outputs import gathers_manifests
from auditor.dockerfile.reach import needed_stages, taken_stages
from auditor.dockerfile.read import parse_dockerfile
from auditor.errors import InputError
from auditor.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.cost.state import State
    from auditor.dockerfile.context import File
    from auditor.dockerfile.model import Dockerfile
    from auditor.rules.context import PairContext


@dataclass(frozen=True, slots=True)
class Solves:
    """All builds, which of them make images, and what there is to say about them."""

    all: tuple[Solve, ...]
    images: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def knows_manifests(self) -> bool:
        """Whether the recipe's step that gathers manifests is there as the recipe has it."""
        instructions = (each for solve in self.all for stage in solve.dockerfile.stages for each in stage.instructions)
        return any(gathers_manifests(each) for each in instructions if each.name == "RUN")


def solves_of(state: State, context: PairContext) -> Solves:
    """The builds of a pair in a state."""
    if context.dockerfile is None:
        return Solves((), (), (f"There is no Dockerfile at {context.config.image.dockerfile}: no stages to predict.",))
    disk = state.bake_files(context)
    baked = of_builds(read_targets(disk), context.build_names) if disk is not None else None
    path = context.config.image.dockerfile
    own = [target for target in baked.targets if target.dockerfile in {path, ""}] if baked is not None else []
    notes = list(baked.notes) if baked is not None else []
    found: list[Solve] = []
    for target in own:
        solve = _solve(state, context, context.dockerfile, target)
        if solve is None:
            notes.append(f"The target {target.name} of {disk.name if disk else 'bake'} cannot be predicted.")
        else:
            found.append(solve)
    names = {solve.name for solve in found}
    images = tuple(target.name for target in own if target.name in names and _is_image(target, own))
    if not images:
        plain = _without_bake(state, context, context.dockerfile)
        return Solves(plain, tuple(solve.name for solve in plain), tuple(notes))
    return Solves(tuple(found), images, tuple(notes))


def _is_image(target: TargetFacts, targets: Sequence[TargetFacts]) -> bool:
    """Whether a target makes an image: no wheels, and nothing that other targets only take."""
    taken = {name for each in targets for name in each.linked}
    return not (target.makes_wheels or WHEEL.search(target.stage) or not target.dockerfile or target.name in taken)


def _solve(state: State, context: PairContext, dockerfile: Dockerfile, target: TargetFacts) -> Solve | None:
    folder = posixpath.normpath(target.context)
    if folder.startswith("..") or "://" in target.context or posixpath.isabs(folder):
        return None
    facts = context.stages
    if target.inline:
        try:
            dockerfile = parse_dockerfile(SourceFile(state.root, f"{target.name} (inline)", target.inline))
        except InputError:
            return None
        facts = ()
    stage = dockerfile.stage(target.stage) if target.stage else dockerfile.stages[-1]
    if stage is None:
        return None
    return Solve(
        name=target.name,
        dockerfile=dockerfile,
        facts=facts,
        stage=stage.index,
        arguments=dict(target.all_arguments),
        contexts=dict(target.contexts),
        files=_context(state, folder, context.config.image.dockerfile),
        text=lambda path: state.text(posixpath.normpath(posixpath.join(folder, path))),
        platform=target.platforms,
        settings=target.keyed,
        uncached=target.uncached,
    )


def _without_bake(state: State, context: PairContext, dockerfile: Dockerfile) -> tuple[Solve, ...]:
    """A build of each stage that leads somewhere: that nothing else takes."""
    facts = context.stages
    files = _context(state, ".", context.config.image.dockerfile)
    taken = {index for each in facts for index in taken_stages(each)}
    ends = [index for index in needed_stages(facts, ()) if index not in taken]
    return tuple(
        Solve(
            name=dockerfile.stages[index].name or str(index),
            dockerfile=dockerfile,
            facts=facts,
            stage=index,
            arguments={},
            contexts={},
            files=files,
            text=state.text,
        )
        for index in ends
    )


def _context(state: State, folder: str, dockerfile: str) -> Mapping[str, File]:
    """The files of a build context, without those that .dockerignore leaves out."""
    prefix = "" if folder == "." else f"{folder}/"
    files = {path.removeprefix(prefix): file for path, file in state.files.items() if path.startswith(prefix)}
    ignore = prefix + ignore_file(dockerfile, files)
    return without_ignored(files, read_patterns(state.text(ignore) or "") if ignore in state.files else ())
