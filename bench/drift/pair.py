"""A pair of projects as files, ready to be written to a folder, mutated and audited."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from auditor.cli.options import Overrides
from auditor.cli.workspace import load_all
from auditor.rules.run import audit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auditor.finding import Finding

DEV_LOCK: Final = "uv.lock"
PROD_LOCK: Final = "prod/uv.lock"
DEV_PROJECT: Final = "pyproject.toml"
PROD_PROJECT: Final = "prod/pyproject.toml"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two projects and their locks.

    Attributes:
        name: where it comes from, and what is special about it.
        origin: `corpus` for a lock that a public repository published, `uv` for locks that the real uv made here.
        files: relative path -> text.
        archives: relative path -> bytes, of a pair that is to be locked again.
    """

    name: str
    origin: str
    files: Mapping[str, str] = field(repr=False)
    archives: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def write(self, folder: Path) -> None:
        """Write every file below a folder."""
        for name, text in self.files.items():
            write(folder, name, text)
        for name, data in self.archives.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)


def write(folder: Path, name: str, text: str) -> None:
    """Write one file of a pair; its line endings stay as they are."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def findings(folder: Path) -> tuple[Finding, ...]:
    """What lockaudit finds in the pair in a folder. Raises: as `load_all` and `audit`."""
    return audit(*load_all(folder, Overrides())).findings
