"""A pair: the development lock and the production lock, with what each side is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import InputError, SelectionError
from auditor.lock.project import Project, read_project
from auditor.lock.read import read_lock
from auditor.lock.selection import Request, Selection, known_extras, select

if TYPE_CHECKING:
    from auditor.config import SideConfig
    from auditor.lock.environment import Target
    from auditor.lock.model import Lock


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a pair.

    Attributes:
        role: `dev` or `prod`, as messages write it.
        lock: its lock.
        project: the pyproject.toml beside the lock, or None where there is none.
        request: extras and groups that count as production.
        folder: of the lock, relative to the root, with forward slashes (`.` for the root).
    """

    role: str
    lock: Lock
    project: Project | None
    request: Request
    folder: str
    _cache: dict[tuple[str, int, Request], Selection] = field(default_factory=dict, repr=False, compare=False)

    def select(self, target: Target, request: Request | None = None) -> Selection:
        """What uv would install of this side; `request` instead of the side's own. Each selection is made once."""
        wanted = request or self.request
        key = (str(target), target.patch, wanted)
        if key not in self._cache:
            configured = self.project.default_groups if self.project is not None else None
            self._cache[key] = select(self.lock, target, wanted, configured)
        return self._cache[key]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The two locks that must agree."""

    root: Path
    dev: Side
    prod: Side


def read_side(root: Path, role: str, config: SideConfig, project: Project | None = None) -> Side:
    """Read one side.

    Args:
        root: the audited folder.
        role: `dev` or `prod`, as messages write it.
        config: its lock, extras and groups.
        project: the pyproject.toml beside the lock, if it has been read already.

    Raises:
        InputError: the lock or its pyproject.toml is missing or unreadable.
        SelectionError: the lock has conflicting extras and nobody chose.
    """
    path = root / config.lock
    lock = read_lock(path, root, what=f"{role} lock")
    beside = path.parent / "pyproject.toml"
    if project is None and beside.exists():
        project = read_project(beside, root)
    if project is None and role == "prod":
        name = (Path(config.lock).parent / "pyproject.toml").as_posix()
        raise InputError(
            "the prod lock has no pyproject.toml beside it", path=name, hint="uv needs it to install from the lock"
        )
    _refuse_ambiguity(lock, role, config)
    request = Request(extras=config.extras or (), groups=config.groups, default_groups=False)
    return Side(role=role, lock=lock, project=project, request=request, folder=Path(config.lock).parent.as_posix())


def _refuse_ambiguity(lock: Lock, role: str, config: SideConfig) -> None:
    """A root whose extras exclude each other has several dependency sets; guessing one would prove nothing."""
    if config.extras is not None:
        return
    own = {root.name for root in lock.roots}
    known = set(known_extras(lock))
    for items in lock.conflicts:
        choices = [item.extra for item in items if item.package in own and item.extra in known and item.extra]
        if len(choices) > 1:
            position = lock.file.find("conflicts")
            raise SelectionError(
                f"the extras {', '.join(choices)} of the {role} project conflict, and none is chosen",
                path=lock.file.name,
                line=position.line if position else None,
                hint=f"choose with --{role}-extra {choices[0]} or `extras` in [tool.lockaudit.{role}] (an empty list"
                " there means none of them)",
            )
