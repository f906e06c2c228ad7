"""Which files of the build context a stage takes, and whether their bytes go through it to others."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from auditor.dockerfile.files import below, context_path
from auditor.dockerfile.images import global_values
from auditor.dockerfile.shell import UNKNOWN, is_known, join

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from auditor.dockerfile.facts import StageFacts
    from auditor.dockerfile.model import Dockerfile, Instruction

_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)[^}]*\}|(\w+))")
_REMOTE: Final = ("http://", "https://", "git@", "ssh://", "git://")


@dataclass(frozen=True, slots=True)
class Input:
    """A file or a folder of the build context that the picture knows; an empty path is all the rest of it."""

    id: str
    path: str
    is_folder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A COPY, an ADD or a bind mount of the context.

    Attributes:
        paths: patterns relative to the context; an empty one is all of it.
        excluded: patterns of `--exclude`.
        destination: absolute, or `UNKNOWN`.
        is_mount: whether it is there during one RUN only.
        how: `COPY, line 254`.
    """

    paths: tuple[str, ...]
    excluded: tuple[str, ...]
    destination: str
    is_mount: bool
    how: str

    @property
    def is_whole(self) -> bool:
        """Whether it takes the whole context."""
        return "" in self.paths

    def takes(self, wanted: Input, known: Sequence[Input]) -> bool:
        """Whether it takes an input; the rest is taken by whatever names nothing that is known."""
        if not wanted.path:
            others = [each for each in known if each.path]
            return self.is_whole or any(not any(_brings(path, each) for each in others) for path in self.paths)
        if any(_brings(pattern, wanted) for pattern in self.excluded):
            return False
        return any(_brings(path, wanted) for path in self.paths)

    def at(self, path: str) -> Use:
        """What of it arrives at a path, or below it: of `COPY prod/ /app/`, `/app/uv.lock` is `prod/uv.lock`."""
        rest = below(self.destination, path) if is_known(path) else None
        if not rest:
            return self
        inside = [f"{each}/{rest}" if each else rest for each in self.paths]
        itself = [each for each in self.paths if each.rpartition("/")[2] == rest]
        return replace(self, paths=(*inside, *itself))


def _brings(pattern: str, wanted: Input) -> bool:
    """Whether a pattern names an input, something above it or, in a folder, something in it."""
    names, parts = pattern.split("/") if pattern else [], wanted.path.split("/")
    if len(names) > len(parts) and not wanted.is_folder:
        return False
    return all(fnmatch.fnmatchcase(part, name) for name, part in zip(names, parts, strict=False))


def uses(dockerfile: Dockerfile, facts: StageFacts) -> Iterator[Use]:
    """What the instructions of a stage take from the context."""
    values = {**global_values(dockerfile), **{each.name: each.value for each in facts.declared}}
    for instruction in facts.stage.instructions:
        if instruction.name in {"COPY", "ADD"} and instruction.flag("from") is None:
            found = _copied(instruction, values)
            if found is not None:
                yield found
        elif instruction.name == "RUN":
            yield from _mounted(instruction, values)


def _copied(instruction: Instruction, values: Mapping[str, str]) -> Use | None:
    *written, last = instruction.arguments or ("",)
    sources = [word for word in written if not word.startswith(("<<", *_REMOTE))]
    if not sources:
        return None
    excluded = tuple(flag.removeprefix("--exclude=") for flag in instruction.flags if flag.startswith("--exclude="))
    target = _expand(last, values)
    return Use(
        paths=tuple(context_path(_expand(source, values)) for source in sources),
        excluded=tuple(map(context_path, excluded)),
        destination=join("/", target) if target.startswith("/") and "*" not in target else UNKNOWN,
        is_mount=False,
        how=f"{instruction.name}, line {instruction.line}",
    )


def _mounted(instruction: Instruction, values: Mapping[str, str]) -> Iterator[Use]:
    for flag in instruction.flags:
        if not flag.startswith("--mount="):
            continue
        items = dict(item.partition("=")[::2] for item in flag.removeprefix("--mount=").split(","))
        if items.get("type", "bind") == "bind" and "from" not in items:
            source = items.get("source", items.get("src", ""))
            yield Use(
                paths=(context_path(_expand(source, values)),),
                excluded=(),
                destination=UNKNOWN,
                is_mount=True,
                how=f"mount, line {instruction.line}",
            )


def _expand(text: str, values: Mapping[str, str]) -> str:
    """A text with its variables put in; what has no value may be anything."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1] or match[2], UNKNOWN)
        return found if is_known(found) else "*"

    return _VARIABLE.sub(value, text)


class Carriers:
    """Whether the bytes of an input arrive where a stage is copied from."""

    def __init__(self, dockerfile: Dockerfile, facts: Sequence[StageFacts], known: Sequence[Input]) -> None:
        self.facts = facts
        self.known = known
        self.uses = [tuple(uses(dockerfile, each)) for each in facts]

    def carries(self, stage: int, path: str, wanted: Input, seen: frozenset[int] = frozenset()) -> bool:
        """Whether `path` of a stage changes for sure when an input does.

        Args:
            stage: index of the stage.
            path: absolute.
            wanted: the input.
            seen: stages that have been asked.
        """
        facts = self.facts[stage]
        if any(lock == wanted.path and _overlap(path, where) for where, lock in facts.changing):
            return True
        for each in facts.chain:
            index = each.stage.index
            if index in seen:
                continue
            if any(
                not use.is_mount and _overlap(path, use.destination) and use.at(path).takes(wanted, self.known)
                for use in self.uses[index]
            ):
                return True
            if any(
                not item.is_mount
                and item.stage is not None
                and _overlap(path, item.destination)
                and self.carries(item.stage, item.source, wanted, seen | {index})
                for item in each.carried
            ):
                return True
        return False


def _overlap(path: str, place: str) -> bool:
    """Whether one of two folders holds the other; what is not known may be anywhere."""
    if not is_known(path) or not is_known(place):
        return True
    return below(path, place) is not None or below(place, path) is not None
