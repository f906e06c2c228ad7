"""Pairs that compile flash-attn, with a bake file that is generated or written by hand, and what lies beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.cli.command import lockaudit
from tests.rules.cases import Case
from tests.wheel.specimens import COMPILED, Compiled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BAKE, OVERRIDE = "docker-bake.hcl", "docker-bake.override.hcl"


@dataclass(frozen=True, kw_only=True)
class Baked(Case):
    """A pair that compiles flash-attn, with its bake file.

    Attributes:
        pair: what is locked.
        baked: what was locked when `lockaudit bake` ran; None if it never did.
        edits: (file, old text, new text) afterwards; no new text removes the file.
        files: path -> text, written afterwards.
    """

    dev: str = ""
    prod: str = ""
    select: tuple[str, ...] = ("LA5",)
    pair: Compiled = COMPILED
    baked: Compiled | None = COMPILED
    edits: tuple[tuple[str, str, str | None], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write it to a folder."""
        if self.baked is not None:
            self.baked.write(folder)
            assert lockaudit("bake", folder).code == 0
        self.pair.write(folder, self.config)
        lock = folder / "prod" / "uv.lock"  # its project is called as the pyproject.toml beside it says
        lock.write_text(lock.read_text("utf-8").replace('name = "app-prod"', 'name = "app"'), encoding="utf-8")
        settings = folder / "pyproject.toml"
        lines = settings.read_text("utf-8").splitlines(keepends=True)
        text = "".join(f"select = {list(self.select)}\n" if line.startswith("select") else line for line in lines)
        settings.write_text(text, encoding="utf-8")
        for path, old, new in self.edits:
            before = (folder / path).read_bytes().decode()
            assert old in before
            if new is None:
                (folder / path).unlink()
            else:
                (folder / path).write_bytes(before.replace(old, new).encode())
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
        return folder


def override(text: str) -> dict[str, str]:
    """An override beside the bake file."""
    return {OVERRIDE: text}


def target(name: str, *lines: str) -> str:
    """A target block."""
    return f'target "{name}" {{\n' + "".join(f"  {line}\n" for line in lines) + "}\n"


def by_hand(*blocks: str) -> dict[str, str]:
    """A bake file that nobody generated."""
    return {BAKE: "\n".join(blocks)}


def ref(name: str, *more: str) -> str:
    """A cache in the short form."""
    return f'["{",".join((f"type=registry,ref=example.org/app:{name}", *more))}"]'


CACHE = target(
    "_cache", 'cache-from = ["type=registry,ref=example.org/app:dev", "type=registry,ref=example.org/app:prod"]'
)
WHEEL = target(
    "wheel-prod", 'inherits = ["_cache"]', f"cache-to = {ref('wheel', 'mode=min')}", 'output = ["type=cacheonly"]'
)
DEV = target("dev", 'inherits = ["_cache"]', f"cache-to = {ref('dev', 'mode=max')}")
PROD = target("prod", 'inherits = ["_cache"]', f"cache-to = {ref('prod', 'mode=max')}")
