"""What a change costs, for a terminal: the verdict first, then where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.cost.model import Change
from auditor.report.cost.words import (
    amount,
    cause,
    difference,
    heading,
    reason,
    remarks,
    size_of,
    stages_of,
    value,
    verdict,
    versions,
)
from auditor.source import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.cost.model import BuildCost, Compile, Cost, ImageCost, PairCost, TargetCost

_MARKS: Final = {Change.ADDED: "+", Change.REMOVED: "-", Change.MOVED: "~"}


def render_text(cost: Cost) -> str:
    """The whole of it."""
    blocks = [[verdict(cost)]]
    for pair in cost.pairs:
        blocks += _pair(pair, several=len(cost.pairs) > 1)
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _pair(pair: PairCost, *, several: bool) -> Iterator[list[str]]:
    if several:
        yield [f"== {printable(pair.name) or 'pair'}{' (new)' if pair.is_new else ''}"]
    for target in pair.targets:
        yield from _target(target)
    for build in pair.builds:
        yield list(_build(build))
    yield [f"note: {printable(note)}" for note in pair.notes]


def _target(target: TargetCost) -> Iterator[list[str]]:
    yield [line for each in target.compiles for line in _compile(each)]
    yield [f"compiled no more: {printable(name)}" for name in target.dropped]
    for image in target.images:
        yield list(_image(image, target))
    if target.facts:
        yield [f"needed on {printable(target.target)}", *(f"  {difference(fact)}" for fact in target.facts)]


def _compile(found: Compile) -> Iterator[str]:
    moved = (
        f"{value(found.before)} -> {value(found.after)}"
        if found.before not in {"", found.after}
        else value(found.after)
    )
    yield f"compile {printable(found.package)}: {moved}"
    if found.components:
        for each in found.components:
            yield f"  {printable(each.name)}: {value(each.before)} -> {value(each.after)}"
    else:
        yield f"  {reason(found)}"


def _image(image: ImageCost, target: TargetCost) -> Iterator[str]:
    where = heading(image.name, target.target, target.before)
    if not image.changes:
        yield f"{where}: no package changes"
        return
    yield f"{where}: {amount(image.amount)}"
    labels = [f"{printable(change.name)} {versions(change)}".rstrip() for change in image.changes]
    width = max(map(len, labels))
    for change, label in zip(image.changes, labels, strict=True):
        about = f"  {'; '.join(remarks(change))}" if list(remarks(change)) else ""
        yield f"  {_MARKS[change.change]} {label:{width}}  {size_of(change)}{about}"


def _build(build: BuildCost) -> Iterator[str]:
    yield f"build of {printable(build.name)}: {stages_of(build.stages)}"
    width = max((len(printable(stage.name)) for stage in build.stages), default=0)
    for stage in build.stages:
        name = f"{printable(stage.name):{width}}"
        if stage.cause is None:
            yield f"  keeps  {name}".rstrip()
            continue
        verb = "runs " if stage.ran else "may  "
        count = f"{stage.ran or stage.perhaps} of {stage.steps} step{'s' if stage.steps > 1 else ''}"
        yield f"  {verb}  {name}  {count}, from {stage.first}: {cause(stage.cause)}"
