"""Inputs that once broke something, each as small as it is still broken by what was there before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding.

    Attributes:
        harness: of `bench.fuzz` that found it.
        text: the input.
        found: what it broke.
        fix: what was done.
    """

    harness: str
    text: str
    found: str
    fix: str


CASES: Final[tuple[Found, ...]] = ()
