"""Names of packages, extras and groups."""

from __future__ import annotations

import re
from typing import Final

_SEPARATORS: Final = re.compile(r"[-_.]+")


def normalize(name: str) -> str:
    """A name as PEP 503 compares it; extras and groups follow the same rule."""
    return _SEPARATORS.sub("-", name).lower()
