"""What a change costs, in the words that every format uses. Every text that comes from a file is made safe to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.cost.model import Change
from auditor.dockerfile.layer import Kind
from auditor.report.size import signed
from auditor.source import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.cost.model import Amount, Cause, Compile, Cost, Difference, PackageChange, PairCost, StageCost

# Facts that a verdict must name, whatever else it says.
_HEADLINES: Final = ("CUDA major of torch", "oldest driver", "Python", "C++ ABI")
_IDENTITY: Final = frozenset({"package", "source"})  # they move with what says more
_NONE: Final = "none"
_SHOWN_DIGITS: Final = 19  # of a hash: `sha256:` and 12 more
_DIGEST: Final = "sha256:"


def verdict(cost: Cost) -> str:
    """One line: what is compiled, what the images gain, what runs again."""
    parts = [_compiles(list(cost.compiles))]
    several = len(cost.pairs) > 1
    for pair in cost.pairs:
        name = f"{printable(pair.name)} " if several and pair.name else ""
        sizes = list(_sizes(pair))
        parts += [f"{name}{each}" for each in sizes]
        parts += [f"{name}{difference(each)}" for target in pair.targets[:1] for each in headlines(target.facts)]
    if not any(target.images[0].changes or target.images[1].changes for pair in cost.pairs for target in pair.targets):
        parts.append("no package changes")
    stages = [stage for pair in cost.pairs for stage in pair.stages]
    if stages:
        parts.append(stages_of(stages))
    return "; ".join(parts)


def _compiles(found: Sequence[Compile]) -> str:
    if not found:
        return "compiles nothing"
    told = [f"{printable(each.package)} (hours): {reason(each)}" for each in found]
    return f"compiles {', '.join(dict.fromkeys(told))}"


def reason(compile_: Compile) -> str:
    """Why a wheel is compiled, in a few words."""
    if compile_.cause is not None:
        return cause(compile_.cause)
    if not compile_.components:
        return "new"
    telling = [each for each in compile_.components if each.name not in _IDENTITY] or list(compile_.components)
    return difference(telling[0])


def _sizes(pair: PairCost) -> Iterator[str]:
    """`prod +12.3 MB` of the first target, which the images run; production first."""
    for target in pair.targets[:1]:
        for image in sorted(target.images, key=lambda each: each.name != "prod"):
            if image.changes:
                yield f"{image.name} {amount(image.amount)}"


def headlines(facts: Sequence[Difference]) -> Iterator[Difference]:
    """The facts that nobody may overlook."""
    yield from (each for each in facts if each.name in _HEADLINES)


def amount(total: Amount) -> str:
    """`+12.3 MB and 1 of unknown size`."""
    if not total.unknown:
        return signed(total.size)
    known = f"{signed(total.size)} and " if total.size else ""
    return f"{known}{total.unknown} of unknown size"


def stages_of(stages: Sequence[StageCost]) -> str:
    """`3 of 9 stages run again`."""
    ran = sum(bool(stage.ran) for stage in stages)
    perhaps = sum(not stage.ran and bool(stage.perhaps) for stage in stages)
    more = f", {perhaps} more perhaps" if perhaps else ""
    verb = "stage runs" if ran == 1 and len(stages) == 1 else "stages run"
    return f"{ran or 'none'} of {len(stages)} {verb} again{more}"


def difference(found: Difference) -> str:
    """`torch 2.6.0 -> 2.7.0`."""
    return f"{printable(found.name)} {value(found.before)} -> {value(found.after)}"


def value(text: str) -> str:
    """A value, a hash by its beginning, nothing as `none`."""
    shown = text[:_SHOWN_DIGITS] if text.startswith(_DIGEST) else text
    return printable(shown) or _NONE


def cause(found: Cause) -> str:
    """Why a step runs: `prod/uv.lock changed`, `CUDA_VERSION 12.4.1 -> 12.8.1`."""
    name = printable(found.name)
    match found.kind:
        case Kind.FILE:
            verb = {(True, False): "removed", (False, True): "added"}.get(
                (bool(found.before), bool(found.after)), "changed"
            )
            others = f" (and {found.others} more)" if found.others else ""
            text = f"{name} {verb}{others}"
        case Kind.INSTRUCTION:
            text = f"{name} edited, line {found.line}"
        case _:
            text = f"{name} {value(found.before)} -> {value(found.after)}"
    return f"{text} (by stage {printable(found.through)})" if found.through else text


def versions(change: PackageChange) -> str:
    """`2.6.0 -> 2.7.0`, or the one version that there is."""
    if change.change is Change.MOVED and change.before != change.after:
        return f"{printable(change.before) or 'dynamic'} -> {printable(change.after) or 'dynamic'}"
    return printable(change.after or change.before)


def remarks(change: PackageChange) -> Iterator[str]:
    """What else there is to say of a package."""
    if change.source_before or change.source_after:
        yield f"{printable(change.source_before)} -> {printable(change.source_after)}"
    elif change.file_changed:
        yield "another file of the same version"
    if change.compiled:
        yield "compiled"


def size_of(change: PackageChange) -> str:
    """`+12.3 MB`, or that nobody knows."""
    return "size unknown" if change.size is None else signed(change.size)


def heading(name: str, target: str, before: str) -> str:
    """`prod on linux-x86_64-cp312`, with the target before where that was another one."""
    moved = f", before on {printable(before)}" if before and before != target else ""
    return f"{name} on {printable(target)}{moved}"
