"""Cases about Dockerfiles: the locks beside them, and how a case is written."""

from __future__ import annotations

from textwrap import dedent
from typing import Final

from tests.rules.cases import Case
from tests.rules.specimens import CU124, LINUX, lock, package, registry, root, sdist

PLACE: Final = "docker/Dockerfile-uv"

FILELOCK = package("filelock", "3.16.0")
PYTEST = package("pytest", "8.3.0")
TORCH = package("torch", "2.6.0+cu124", source=registry(CU124), wheels=[LINUX])
FLASH_ATTN = package("flash-attn", "2.8.3", wheels=(), sdist=sdist("flash-attn", "2.8.3"), needs=["torch"])

# Nothing to compile; a default group; an extra that nobody asks for.
PLAIN = lock(
    root(needs=["filelock", "torch"], extras={"gpu": ["torch"]}, groups={"dev": ["pytest"]}),
    *(FILELOCK, PYTEST, TORCH),
)
WITHOUT_GROUPS = lock(root(needs=["filelock", "torch"]), FILELOCK, TORCH)
WITH_WHEEL = lock(
    root(needs=["filelock", "torch", "flash-attn"], groups={"dev": ["pytest"]}), FILELOCK, FLASH_ATTN, PYTEST, TORCH
)
FORCED = "ENV FLASH_ATTENTION_FORCE_BUILD=TRUE\n"
DEVEL = "FROM nvidia/cuda:12.4.1-devel-ubuntu22.04"


def case(
    rule: str,
    name: str,
    dockerfile: str,
    *found: tuple[str, str, str],
    locked: str = PLAIN,
    prod: str = "",
    config: str = "",
) -> Case:
    """A case about one Dockerfile.

    Args:
        rule: its code; only this rule runs.
        name: what is special.
        dockerfile: its text, indented as one likes.
        *found: (severity, package or `-`, the line that the finding points at).
        locked: both locks.
        prod: prod's lock, where it is another.
        config: inside of `[tool.lockaudit]`.
    """
    return Case(
        rule=rule,
        name=name,
        dev=locked,
        prod=prod or locked,
        config=config,
        dockerfile=dedent(dockerfile),
        found=tuple(f"{severity}[{rule}] {subject} {PLACE}: {line}" for severity, subject, line in found),
        select=(rule,),
    )
