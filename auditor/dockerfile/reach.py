"""What stages take from each other, and what there is to say about one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.dockerfile.files import LOCK
from auditor.dockerfile.shell import is_known

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.dockerfile.facts import StageFacts, Step

SCRATCH = "scratch"


def taken_stages(facts: StageFacts) -> list[int]:
    """The stages that a stage stands on, copies from or mounts."""
    parent = [facts.parent.stage.index] if facts.parent is not None else []
    return parent + [item.stage for item in facts.carried if item.stage is not None]


def needed_stages(facts: Sequence[StageFacts], wanted: Sequence[int]) -> list[int]:
    """The wanted stages and all that they take, in the order of the file; without any, all that leads somewhere."""
    pending = list(wanted)
    if not pending:
        taken = {index for each in facts for index in taken_stages(each)}
        pending = [
            each.stage.index
            for each in facts
            if each.stage.index not in taken and (each.stage.instructions or each is facts[-1])
        ]
    found: set[int] = set()
    while pending:
        index = pending.pop()
        if index not in found:
            found.add(index)
            pending += taken_stages(facts[index])
    return sorted(found)


def is_alias(facts: StageFacts) -> bool:
    """Whether a stage is no more than another name of an image."""
    return facts.parent is None and not facts.stage.instructions and facts.image != SCRATCH


def about_stage(facts: StageFacts) -> Iterator[tuple[str, str]]:
    """(what, value): the image that it stands on in the end, and its own build arguments."""
    if is_known(facts.image) and facts.image != SCRATCH:
        yield "image", facts.image
    inherited = facts.parent.declared if facts.parent is not None else ()
    own = [each.name for each in facts.declared if each.instruction == "ARG" and each not in inherited]
    if own:
        yield "arguments", ", ".join(dict.fromkeys(own))


def synced_locks(facts: StageFacts) -> tuple[str, ...]:
    """The locks that its own `uv sync` installs from."""
    found = [
        step.lock if step.lock and is_known(step.lock) else LOCK
        for step in facts.steps
        if step.uv is not None and step.uv.command == "sync" and step.uv.options.has("locked", "frozen")
    ]
    return tuple(dict.fromkeys(found))


def compiles(step: Step, compiled: frozenset[str]) -> bool:
    """Whether a command compiles one of these packages: it installs it by name, or syncs without leaving it out."""
    if step.install is not None and step.install.verb in {"install", "wheel"}:
        offline = step.install.options.has("no-index")
        return not offline and any(each.name in compiled for each in step.install.requirements)
    if step.uv is None or step.uv.command != "sync" or not compiled:
        return False
    left_out = step.uv.options.values.get("no-install-package", ())
    open_ended = any(not is_known(word) for word in step.command.words)
    return not open_ended and not compiled <= set(left_out)


def last_line(facts: StageFacts) -> int:
    """The last line of a stage."""
    instructions = facts.stage.instructions
    return instructions[-1].last_line if instructions else facts.stage.line
