"""Packages that depend on each other at random, and a project that uses them: what nobody thought of."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.standins import Index

_MARKERS = (
    "sys_platform == 'linux'",
    "sys_platform != 'win32'",
    "platform_machine == 'x86_64' or platform_machine == 'AMD64'",
    "python_version < '3.12'",
    "python_version >= '3.13'",
    "python_full_version >= '3.11.3' and os_name == 'posix'",
    "sys_platform == 'darwin' and python_version >= '3.11'",
    "platform_system == 'Windows' or platform_python_implementation == 'PyPy'",
)
_EXTRAS = ("fast", "full", "test")


def random_world(index: Index, number: int) -> str:
    """Write packages that depend on each other at random into the index `world<number>`; a project that uses them."""
    dice = random.Random(number)  # noqa: S311 - the same world each time
    names = [f"node{letter}" for letter in "abcdefghij"]
    where = f"world{number}"

    def requirement(version: str = "") -> str:
        extras = dice.sample(_EXTRAS, dice.choice((0, 0, 0, 1, 2)))
        text = dice.choice(names) + (f"[{','.join(extras)}]" if extras else "") + version
        return f"{text} ; {dice.choice(_MARKERS)}" if dice.random() < 0.4 else text

    def requirements(most: int) -> list[str]:
        return [requirement() for _ in range(dice.randint(0, most))]

    pinned, conflicting = dice.sample(names, 2)
    for name in names:
        for version in ("1.0", "2.0"):
            extras = {extra: requirements(2) for extra in dice.sample(_EXTRAS, dice.randint(1, 3))}
            python = dice.choice((None, ">=3.8", ">=3.12")) if version == "2.0" and name != conflicting else None
            index.wheel(where, name, version, requires=requirements(3), extras=extras, requires_python=python)
    dependencies = [f"{pinned}==1.0 ; {dice.choice(_MARKERS)}", *requirements(2)]
    return f"""
[project]
name = "app"
version = "0.1"
requires-python = ">=3.10"
dependencies = {dependencies}

[project.optional-dependencies]
left = {[f"{conflicting}==1.0", *requirements(2)]}
right = {[f"{conflicting}[{dice.choice(_EXTRAS)}]==2.0", *requirements(2)]}
plain = {requirements(3)}

[dependency-groups]
dev = {requirements(3)}
other = {[*requirements(2), "app[plain]"]}

[tool.uv]
conflicts = [[{{ extra = "left" }}, {{ extra = "right" }}]]

[[tool.uv.index]]
name = "local"
url = "@base@/{where}/simple"
default = true
"""
