"""Which tags of wheels a CPython installs, and in which order (PEP 425).

`packaging.tags` knows them too, and is what the tests hold this against. It asks the running interpreter about
itself, though, which no target is, and imports `logging`, `platform` and `subprocess` for that: 8 ms at every start.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FIRST_WITHOUT_MALLOC: Final = 8  # up to 3.7 the ABI tag ends in an m, for pymalloc
_FIRST_STABLE_ABI: Final = 2  # PEP 384


def cpython_tags(minor: int, platforms: Sequence[str]) -> Iterator[str]:
    """The tags that CPython 3.`minor` installs, best first: `cp312-cp312-linux_x86_64` to `py30-none-any`.

    Args:
        minor: version of CPython 3, built with the GIL.
        platforms: platform tags of the machine, best first.
    """
    own = f"cp3{minor}"
    abi = own if minor >= _FIRST_WITHOUT_MALLOC else f"{own}m"
    pairs = [(own, abi), (own, "abi3"), (own, "none")]
    pairs += [(f"cp3{older}", "abi3") for older in range(minor - 1, _FIRST_STABLE_ABI - 1, -1)]
    pythons = [f"py3{minor}", "py3", *(f"py3{older}" for older in range(minor - 1, -1, -1))]
    pairs += [(python, "none") for python in pythons]
    for python, kind in pairs:
        for platform in platforms:
            yield f"{python}-{kind}-{platform}"
    for python in (own, *pythons):
        yield f"{python}-none-any"


def tags_in(filename: str) -> str:
    """What a wheel's file name says of its tags, which may be several at once: `py2.py3-none-any`."""
    return "-".join(filename.removesuffix(".whl").rsplit("-", 3)[-3:])


@cache
def expanded(tags: str) -> frozenset[str]:
    """Each tag of `py2.py3-none-any`. Cached by the text: a lock repeats a few hundred of them."""
    pythons, abis, platforms = (part.split(".") for part in tags.lower().split("-"))
    return frozenset(f"{python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms)
