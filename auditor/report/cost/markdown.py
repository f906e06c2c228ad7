"""What a change costs, as a comment on a pull request: the verdict, and everything else folded away.

Whatever comes from a file stands in `<code>`, with every character that Markdown or GitHub could take for more as a
character reference: no name can close a table, mention a user or load an image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.report.cost.words import (
    amount,
    cause,
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
    from collections.abc import Iterable, Iterator

    from auditor.cost.model import BuildCost, Cost, ImageCost, PairCost, TargetCost

MARK: Final = "<!-- lockaudit plan -->"
_PLAIN: Final = frozenset(" .,:;=+-/()%")  # of no meaning inside of a line


def code(text: str) -> str:
    """A text as code, whatever is in it."""
    return f"<code>{safe(text)}</code>" if text else ""


def safe(text: str) -> str:
    """A text of which Markdown takes no character for more than it is."""
    return "".join(char if char in _PLAIN or char.isalnum() else f"&#{ord(char)};" for char in printable(text))


def render_markdown(cost: Cost) -> str:
    """The comment."""
    base = f"Compared with {code(cost.base)}" + (f" ({code(cost.commit[:12])})" if cost.commit else "")
    lines = [MARK, "### lockaudit plan", "", f"**{safe(verdict(cost))}**", "", f"{base}."]
    for pair in cost.pairs:
        lines += _pair(pair, several=len(cost.pairs) > 1)
    return "\n".join(lines) + "\n"


def _pair(pair: PairCost, *, several: bool) -> Iterator[str]:
    if several:
        yield ""
        yield f"#### {code(pair.name) or 'pair'}{' (new)' if pair.is_new else ''}"
    for target in pair.targets:
        yield from _target(target)
    for build in pair.builds:
        yield from _build(build)
    for note in pair.notes:
        yield ""
        yield f"> {safe(note)}"


def _target(target: TargetCost) -> Iterator[str]:
    if target.compiles:
        rows: list[tuple[str, ...]] = []
        for each in target.compiles:
            components = each.components or ()
            rows += [
                (code(each.package), code(item.name), code(value(item.before)), code(value(item.after)))
                for item in components
            ] or [(code(each.package), safe(reason(each)), "", code(each.after))]
        title = f"Compiled: {', '.join(code(each.package) for each in target.compiles)}"
        yield from _folded(title, _table(("wheel", "because of", "before", "after"), rows), opened=True)
    if target.dropped:
        yield ""
        yield f"Compiled no more: {', '.join(map(code, target.dropped))}."
    if target.facts:
        rows = [(safe(each.name), code(value(each.before)), code(value(each.after))) for each in target.facts]
        yield from _folded("What the images need", _table(("", "before", "after"), rows), opened=True)
    for image in target.images:
        yield from _image(image, target)


def _image(image: ImageCost, target: TargetCost) -> Iterator[str]:
    if not image.changes:
        return
    rows = [
        (
            code(change.name),
            change.change.value,
            code(versions(change)),
            safe(size_of(change)),
            safe("; ".join(remarks(change))),
        )
        for change in image.changes
    ]
    count = f"{len(rows)} package{'s' if len(rows) > 1 else ''}"
    title = f"{safe(heading(image.name, target.target, target.before))}: {count}, {safe(amount(image.amount))}"
    yield from _folded(title, _table(("package", "", "version", "download", ""), rows))


def _build(build: BuildCost) -> Iterator[str]:
    rows = [
        (
            code(stage.name),
            "no" if stage.cause is None else "runs" if stage.ran else "perhaps",
            safe(f"{stage.ran or stage.perhaps} of {stage.steps}") if stage.cause is not None else "",
            safe(cause(stage.cause)) if stage.cause is not None else "",
        )
        for stage in build.stages
    ]
    title = f"Build of {code(build.name)}: {safe(stages_of(build.stages))}"
    yield from _folded(title, _table(("stage", "", "steps", "because of"), rows))


def _folded(title: str, lines: Iterable[str], *, opened: bool = False) -> Iterator[str]:
    yield ""
    yield f"<details{' open' if opened else ''}><summary>{title}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = tuple(head)
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
