"""What a rule says about a pair, as a table: one case is a pair of locks and everything that is found in it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cli.command import check, lockaudit
from tests.rules.specimens import FAMILIES, TARGET, write_pair

if TYPE_CHECKING:
    from collections.abc import Sequence

SNAPSHOTS = Path(__file__).parent / "snapshots"
UPDATE = "LOCKAUDIT_UPDATE_SNAPSHOTS"
_FILE = re.compile(r'/([^/"]+\.(?:whl|tar\.gz))"')


@dataclass(frozen=True, kw_only=True)
class Case:
    """One pair of locks.

    Attributes:
        rule: code of the rule that it is about.
        name: what is special about it.
        dev: text of uv.lock.
        prod: text of prod/uv.lock.
        found: every finding, each as `described` writes it; empty where the rule must be silent.
        config: inside of `[tool.lockaudit]`.
        dockerfile: text of docker/Dockerfile-uv, or nothing.
        targets: what is to be proven.
        select: which rules run.
    """

    rule: str
    name: str
    dev: str
    prod: str
    found: tuple[str, ...] = ()
    config: str = ""
    dockerfile: str = ""
    targets: tuple[str, ...] = (TARGET,)
    select: tuple[str, ...] = FAMILIES

    def __str__(self) -> str:
        return f"{self.rule}-{self.name.replace(' ', '-')}"

    @property
    def fires(self) -> bool:
        """Whether the rule that it is about says anything."""
        return any(f"[{self.rule}]" in text for text in self.found)

    def write(self, folder: Path) -> Path:
        """Write it to a folder."""
        return write_pair(
            folder,
            dev=self.dev,
            prod=self.prod,
            config=self.config,
            dockerfile=self.dockerfile,
            targets=self.targets,
            select=self.select,
        )


def described(finding: dict[str, Any], root: Path) -> str:
    """`error[LA103] filelock prod/uv.lock: version = "1.1"`: of an artifact's line, the name of the file."""
    lines = (root / finding["path"]).read_text(encoding="utf-8").splitlines()
    line = lines[finding["line"] - 1].strip()
    artifact = _FILE.search(line)
    place = artifact[1] if artifact else line
    return f"{finding['severity']}[{finding['code']}] {finding['package'] or '-'} {finding['path']}: {place}"


def verify(case: Case, folder: Path) -> None:
    """Fail unless `lockaudit check` finds in a case what it says, no less and no more, and its exit code agrees."""
    root = case.write(folder)
    result = check(root)
    assert result.err == ""
    assert sorted(described(finding, root) for finding in result.findings) == sorted(case.found)
    assert result.code == any(text.startswith("error") for text in case.found)


def verify_snapshot(case: Case, folder: Path) -> None:
    """Fail unless the text of a case is the committed one, or write it if LOCKAUDIT_UPDATE_SNAPSHOTS is set."""
    text = lockaudit("check", case.write(folder), "--color", "never").out
    path = SNAPSHOTS / f"{case.rule}.txt"
    if os.environ.get(UPDATE):
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"there is no snapshot of {case.rule}; {UPDATE}=1 writes it"
    assert text == path.read_text(encoding="utf-8"), f"another text than in {path.name}; {UPDATE}=1 rewrites it"


def ids(cases: Sequence[Case]) -> list[str]:
    """Their names, for pytest."""
    return [str(case) for case in cases]
