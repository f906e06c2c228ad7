"""Bytes as people read them."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_STEP: Final = 1000
_DIGITS: Final = 100


def size(count: int | None) -> str:
    """`767 MB`, `2.1 GB`: three digits at most; an empty string where nobody knows."""
    if count is None:
        return ""
    value, unit = float(count), 0
    while value >= _STEP - 0.5 and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    shown = f"{value:.1f}" if unit and value < _DIGITS / 10 else f"{value:.0f}"
    return f"{shown} {_UNITS[unit]}"


def signed(count: int) -> str:
    """The same with its sign: `+767 MB`, `-2.1 GB`; `0 B` for nothing."""
    return f"{'+' if count > 0 else '-' if count else ''}{size(abs(count))}"
