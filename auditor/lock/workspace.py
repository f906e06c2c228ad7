"""What belongs to a uv workspace, and which file's settings count in a folder, read from disk as uv does.

Sources: uv's `uv-workspace` (`Workspace::discover`, members and exclude) and `uv-settings` (`FilesystemOptions::find`),
verified with uv 0.13.9.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from auditor.errors import InputError
from auditor.lock.project import Project, read_project
from auditor.lock.shape import texts
from auditor.source import read_source
from auditor.toml import parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from auditor.lock.pair import Side
    from auditor.source import SourceFile

# Keys of [tool.uv] that belong to the project, not to the settings: uv reads them of the workspace's root only, and
# refuses or ignores them in a uv.toml.
PROJECT_KEYS: Final = frozenset(
    {
        "build-constraint-dependencies",
        "conflicts",
        "constraint-dependencies",
        "default-groups",
        "dependency-groups",
        "dev-dependencies",
        "environments",
        "exclude-dependencies",
        "managed",
        "override-dependencies",
        "package",
        "required-environments",
        "sources",
        "workspace",
        "build-backend",
    }
)


_LONGEST: Final = 1000  # characters of a glob
_NOTHING: Final = re.compile(r"(?!)")  # matches nothing


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings file that counts in a folder: a uv.toml, or the `[tool.uv]` of a pyproject.toml.

    Attributes:
        file: where they stand.
        folder: relative to the root.
        values: keys that are settings.
    """

    file: SourceFile
    folder: str
    values: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Member:
    """A member of a workspace.

    Attributes:
        folder: relative to the workspace's root, `.` for the root itself.
        project: its pyproject.toml.
    """

    folder: str
    project: Project


@dataclass(frozen=True)
class Workspace:
    """The workspace that a lock is for: its root is the lock's folder.

    Attributes:
        path: the folder.
        root: the pyproject.toml there.
    """

    path: Path
    root: Project

    @property
    def declared(self) -> Mapping[str, Any] | None:
        """`[tool.uv.workspace]`, or None."""
        value = self.root.uv.get("workspace")
        return value if isinstance(value, dict) else None

    @property
    def outermost(self) -> Path:
        """The audited root, which the workspace lies in."""
        above = len(PurePosixPath(self.root.file.name).parts) - 1
        return self.path.joinpath(*[".."] * above)

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """Folders of the members beside the root, as the globs name them."""
        declared = self.declared
        if declared is None:
            return ()
        excluded = [_pattern(text) for text in texts(declared.get("exclude"))]
        found: set[str] = set()
        for text in texts(declared.get("members")):
            for folder in self._expand(text):
                if folder != "." and not any(pattern.fullmatch(folder) for pattern in excluded):
                    found.add(folder)
        return tuple(sorted(found))

    def _expand(self, text: str) -> Iterator[str]:
        clean = posixpath.normpath(text)
        within = posixpath.normpath(posixpath.join(posixpath.dirname(self.root.file.name), clean))
        if clean.startswith("/") or within.startswith(".."):
            return  # nothing outside of the audited root is looked at
        if not re.search(r"[*?\[]", clean):
            if (self.path / clean / "pyproject.toml").is_file():
                yield clean
            return
        try:
            paths = list(self.path.glob(clean))
        except (ValueError, NotImplementedError, OSError):
            return
        for path in paths:
            if (path / "pyproject.toml").is_file():
                yield path.relative_to(self.path).as_posix()

    @cached_property
    def members(self) -> Mapping[str, Member] | None:
        """The members by name, the root included; None where one of them cannot be read."""
        found: dict[str, Member] = {}
        if self.root.name:
            found[self.root.name] = Member(folder=".", project=self.root)
        for folder in self.folders:
            try:
                project = read_project(self.path / folder / "pyproject.toml", self.path, self.outermost)
            except InputError:
                return None
            if project.uv.get("managed") is False:
                continue
            if not project.name:
                return None
            found[project.name] = Member(folder=folder, project=project)
        return found


def workspace_of(side: Side) -> Workspace | None:
    """The workspace of a side; None where it has no pyproject.toml."""
    return None if side.project is None else Workspace(side.project.file.path.parent, side.project)


def settings_of(root: Path, folder: str) -> Settings | None:
    """The settings file that uv uses in a folder: the nearest one, in it or above it, up to the audited root.

    A uv.toml hides the `[tool.uv]` beside it; an empty `[tool.uv]` is a settings file too, and ends the search.

    Args:
        root: the audited folder.
        folder: relative to it.

    Raises:
        InputError: a uv.toml or pyproject.toml that cannot be read.
    """
    current = posixpath.normpath(folder)
    while not current.startswith(".."):
        found = _settings_in(root, current)
        if found is not None:
            return found
        if current == ".":
            return None
        current = posixpath.dirname(current) or "."
    return None


def _settings_in(root: Path, folder: str) -> Settings | None:
    path = root / folder / "uv.toml"
    if path.is_file():
        file = read_source(path, root, what="uv.toml")
        return Settings(file, folder, parse_toml(file, what="uv.toml"))
    path = root / folder / "pyproject.toml"
    if not path.is_file():
        return None
    project = read_project(path, root)
    if "uv" not in project.tables.get("tool", {}):
        return None
    values = {key: value for key, value in project.uv.items() if key not in PROJECT_KEYS}
    return Settings(project.file, folder, values)


def _pattern(text: str) -> re.Pattern[str]:
    """An `exclude` of a workspace: a glob whose `*` crosses slashes (Rust's `glob::Pattern` with its defaults)."""
    clean = posixpath.normpath(text)
    if len(clean) > _LONGEST:
        return _NOTHING
    first, *others = re.split(r"\*+", clean)
    # What stands between two stars is looked for once, at its first place: trying all of them can take forever.
    middle = "".join(f"(?>.*?{_segment(part)})" for part in others[:-1])
    last = f".*{_segment(others[-1])}" if others else ""
    try:
        return re.compile(_segment(first) + middle + last)
    except re.error:  # a range that is none, `[z-a]`
        return _NOTHING


def _segment(text: str) -> str:
    """A part of a glob without a star."""
    parts = re.split(r"(\?|\[[^\]]*\])", text)
    return "".join(re.escape(part) if index % 2 == 0 else _wildcard(part) for index, part in enumerate(parts))


def _wildcard(part: str) -> str:
    return "." if part == "?" else part.replace("[!", "[^")
