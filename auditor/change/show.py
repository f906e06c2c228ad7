"""An edit of a file that people write, line by line, as what stood there and what stands there now."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.change.tree import Change

_BOUNDARY: Final = re.compile(r"[\s\"',;]")


def changed_lines(change: Change) -> Iterator[tuple[int, str, str]]:
    """(line, old, new) of each changed line, cut down to the words that differ; for edits that keep every line."""
    lines = zip((change.old or "").splitlines(), (change.new or "").splitlines(), strict=False)
    for number, (old, new) in enumerate(lines, start=1):
        if old != new:
            start = _common(old, new)
            end = _common(old[start:][::-1], new[start:][::-1])
            start = max((match.end() for match in _BOUNDARY.finditer(old, 0, start)), default=0)
            yield number, _word(old, start, len(old) - end), _word(new, start, len(new) - end)


def _common(one: str, other: str) -> int:
    """How many letters two texts begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _word(line: str, start: int, end: int) -> str:
    """The part of a line from `start` to the first boundary at or after `end`."""
    boundary = _BOUNDARY.search(line, end)
    return line[start : boundary.start() if boundary else len(line)].strip()
