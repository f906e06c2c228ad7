"""Cases of rules that look at more than two locks: pyproject.toml files and other files beside them are given too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.rules.cases import Case
from tests.rules.specimens import TARGET

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ProjectCase(Case):
    """A case with the projects that the locks are for.

    Attributes:
        dev_project: text of pyproject.toml without `[tool.lockaudit]`; empty for the usual one.
        prod_project: text of prod/pyproject.toml; empty for the usual one.
        files: other files, path -> text.
    """

    dev_project: str = ""
    prod_project: str = ""
    files: tuple[tuple[str, str], ...] = ()

    def write(self, folder: Path) -> Path:
        """Write it to a folder."""
        root = super().write(folder)
        if self.dev_project:
            settings = (
                f"\n[tool.lockaudit]\ntargets = {list(self.targets)}\nselect = {list(self.select)}\n{self.config}"
            )
            (root / "pyproject.toml").write_text(self.dev_project + settings, encoding="utf-8")
        if self.prod_project:
            (root / "prod" / "pyproject.toml").write_text(self.prod_project, encoding="utf-8")
        for name, text in self.files:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return root


def project(
    *needs: str, name: str = "app", requires_python: str = ">=3.12", more: str = "", version: str = "0.1.0"
) -> str:
    """The text of a pyproject.toml with these dependencies."""
    listed = "".join(f'    "{each}",\n' for each in needs)
    return (
        f'[project]\nname = "{name}"\nversion = "{version}"\nrequires-python = "{requires_python}"\n'
        f"dependencies = [\n{listed}]\n{more}"
    )


def with_metadata(
    entry: str,
    *requires: str,
    extras: Iterable[str] = (),
    groups: dict[str, tuple[str, ...]] | None = None,
) -> str:
    """An entry with `package.metadata`; requirements are written as `requirement` writes them."""
    lines = [entry.rstrip("\n"), "", "[package.metadata]", *_list("requires-dist", requires)]
    lines += [f"provides-extras = {[*extras]}"] if extras else []
    if groups is not None:
        lines += ["", "[package.metadata.requires-dev]"]
        for group, tables in groups.items():
            lines += _list(group, tables)
    return "\n".join(lines) + "\n"


def requirement(name: str, specifier: str = "", **fields: str) -> str:
    """An entry of `requires-dist`; `extras` is one extra."""
    words = [f'name = "{name}"']
    words += [f'{key} = ["{value}"]' if key == "extras" else f'{key} = "{value}"' for key, value in fields.items()]
    words += [f'specifier = "{specifier}"'] if specifier else []
    return f"{{ {', '.join(words)} }}"


def _list(key: str, items: Iterable[str]) -> list[str]:
    return [f"{key} = [", *(f"    {item}," for item in items), "]"]


__all__ = ["TARGET", "ProjectCase", "project", "requirement", "with_metadata"]
