"""Which builds of torch there are: for which CUDA, and with wheels for which Python. Dated facts (2026-11).

Sources: the release compatibility matrix of PyTorch and its page of previous versions for 2.0 to 2.3; the table of
builds that Cog keeps, for 2.4 to 2.11; the wheels on the default index (facts on CUDA, table 3.2). What is not here is
not known: an empty answer never means that there is no such build.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.wheel.cuda import Cuda, parse_version

if TYPE_CHECKING:
    from auditor.wheel.pairing import Release

DATE: Final = "2026-11"

# torch -> CUDA versions that it is built for (none: not known), first and last minor of CPython 3 with wheels.
_BUILDS: Final[dict[Release, tuple[str, int, int]]] = {
    (2, 0): ("11.7 11.8", 8, 11),
    (2, 1): ("11.8 12.1", 8, 11),
    (2, 2): ("11.8 12.1", 8, 12),
    (2, 3): ("11.8 12.1", 8, 12),
    (2, 4): ("11.8 12.1 12.4", 8, 12),
    (2, 5): ("11.8 12.1 12.4", 9, 13),
    (2, 6): ("11.8 12.4 12.6", 9, 13),
    (2, 7): ("11.8 12.6 12.8", 9, 13),
    (2, 8): ("12.6 12.8 12.9", 9, 13),
    (2, 9): ("12.6 12.8 13.0", 10, 14),
    (2, 10): ("12.6 12.8 13.0", 10, 14),
    (2, 11): ("12.6 12.8 12.9 13.0", 10, 14),
    **dict.fromkeys(((2, 12), (2, 13), (2, 14)), ("", 10, 14)),
    (2, 15): ("", 11, 15),
}


def cudas_of(torch: Release) -> tuple[Cuda, ...]:
    """The CUDA versions that a release of torch is built for, oldest first; empty where that is not known."""
    words = _BUILDS[torch][0].split() if torch in _BUILDS else []
    return tuple(cuda for word in words if (cuda := parse_version(word)) is not None)


def torches_of(cuda: Cuda) -> tuple[Release, ...]:
    """The releases of torch that are known to have builds for a CUDA, oldest first."""
    return tuple(torch for torch in _BUILDS if cuda in cudas_of(torch))


def pythons_of(torch: Release) -> range:
    """The minors of CPython 3 that a release of torch has wheels for; empty where that is not known."""
    if torch not in _BUILDS:
        return range(0)
    _, first, last = _BUILDS[torch]
    return range(first, last + 1)


def torches_with_python(minor: int) -> tuple[Release, ...]:
    """The releases of torch that are known to have wheels for CPython 3.`minor`, oldest first."""
    return tuple(torch for torch in _BUILDS if minor in pythons_of(torch))
