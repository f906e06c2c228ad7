"""A step of a build as its cache key: everything that BuildKit hashes for it, part by part (facts on bake, 3.1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Kind(StrEnum):
    """What a part of a key is."""

    IMAGE = "image"
    LAYER = "layer"  # the step before, or one whose files nobody can tell: by everything that is in its key
    INSTRUCTION = "instruction"
    ARGUMENT = "argument"
    VARIABLE = "variable"
    SETTING = "setting"
    FILE = "file"
    FILES = "files"  # several files, of the context or of a stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that is in a key.

    Attributes:
        kind: what it is.
        name: for people: the path of a file, the name of an argument. Not in the key.
        value: what is hashed.
        inner: what it is made of, where that is known.
        layer: the step that it stands for.
        line: 1-based, of the instruction that it is; 0 for anything else.
    """

    kind: Kind
    name: str
    value: str
    inner: tuple[Part, ...] = ()
    layer: Layer | None = field(default=None, repr=False)
    line: int = 0

    @classmethod
    def of(cls, name: str, inner: Iterable[Part]) -> Part:
        """Several files as one part."""
        parts = tuple(inner)
        return cls(kind=Kind.FILES, name=name, value=digest(parts), inner=parts)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One step: a RUN, COPY, ADD or WORKDIR, or the image that a stage begins with (without an instruction).

    Attributes:
        stage: name of the stage that it belongs to, or its number.
        instruction: `RUN`, or an empty string for the start.
        line: 1-based, of the instruction or the FROM.
        parts: of its key, but for the step before.
        parent: the step before, or None for a start.
        linked: whether it is a `--link`: its own key goes without the step before.
        always: whether it is never taken from a cache.
        compiles: the packages whose wheels it compiles.
    """

    stage: str
    instruction: str
    line: int
    parts: tuple[Part, ...]
    parent: Layer | None = field(default=None, repr=False)
    linked: bool = False
    always: bool = False
    compiles: tuple[str, ...] = ()

    @cached_property
    def key(self) -> str:
        """The key that a cache is asked for."""
        before = self.parent.result if self.parent is not None and not self.linked else ""
        return _hash((before, digest(self.parts)))

    @cached_property
    def result(self) -> str:
        """The key by which the steps after it know what there is so far."""
        return _hash((self.key, self.parent.result)) if self.linked and self.parent is not None else self.key

    @property
    def chain(self) -> tuple[Layer, ...]:
        """The steps up to this one, the first one first."""
        found: list[Layer] = []
        current: Layer | None = self
        while current is not None:
            found.append(current)
            current = current.parent
        return tuple(reversed(found))

    def as_part(self) -> Part:
        """It as a part of another key: whatever is in its own counts."""
        return Part(kind=Kind.LAYER, name=self.stage, value=self.result, layer=self)


def digest(parts: Iterable[Part]) -> str:
    """A hash over kinds and values; ARG and ENV are the same to a command."""
    return _hash(text for part in parts for text in _hashed(part))


def _hashed(part: Part) -> Iterator[str]:
    kind = Kind.VARIABLE if part.kind is Kind.ARGUMENT else part.kind
    yield f"{kind}"
    yield part.value


def _hash(texts: Iterable[str]) -> str:
    state = hashlib.sha256()
    for text in texts:
        state.update(f"{len(text)}:".encode())
        state.update(text.encode(errors="surrogateescape"))
    return state.hexdigest()
