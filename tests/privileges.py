"""Without root's privileges, which no permission of a file stops."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """Run a block as a user whom permissions stop; a named skip where root may not become one."""
    if os.geteuid() != 0:
        yield
        return
    try:
        os.seteuid(NOBODY)
    except PermissionError:
        pytest.skip("root may read and write everything here, and may not become another user")
    try:
        yield
    finally:
        os.seteuid(0)
