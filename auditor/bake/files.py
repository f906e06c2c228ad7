"""The files that a bake reads beside the locks: bake file, overrides, compose files and build locks, each read once.

Nothing is read before it is asked for, since most commands ask for little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from auditor.errors import InputError
from auditor.source import read_source, refuse_outside

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.bake.read import BakeDocument
    from auditor.source import SourceFile

# What `docker buildx bake` merges where no file is named, in its order (facts on bake, 1.4).
LOOKUP: Final = ("docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl")
COMPOSE: Final = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_MARK: Final = "# Written by `lockaudit bake`."
_HEADER_LINES: Final = 12  # among which the mark stands


@dataclass(frozen=True)
class BakeFiles:
    """The files of one project.

    Attributes:
        root: of the project.
        name: of the bake file that `lockaudit bake` writes, relative to the root.
        as_configured: whether the settings are those of `lockaudit bake` without options; with others, what is
            committed cannot be held against them.
    """

    root: Path
    name: str
    as_configured: bool = True
    _read: dict[str, SourceFile | None] = field(default_factory=dict, repr=False, compare=False)
    _parsed: dict[str, BakeDocument | InputError] = field(default_factory=dict, repr=False, compare=False)

    def text(self, path: str) -> str | None:
        """A file's text as it is on disk, line endings and byte order mark included; None where there is none."""
        refuse_outside(self.root / path, self.root, name=path)
        return read_text(self.root / path)

    def source(self, path: str) -> SourceFile | None:
        """A file for messages, or None where there is none. Raises: InputError, as `read_source`."""
        if path not in self._read:
            exists = (self.root / path).is_file()
            self._read[path] = read_source(self.root / path, self.root, what="bake file") if exists else None
        return self._read[path]

    def document(self, source: SourceFile) -> BakeDocument | InputError:
        """A bake file as values, or why it cannot be read."""
        if source.name not in self._parsed:
            self._parsed[source.name] = _parse(source)
        return self._parsed[source.name]

    @property
    def committed(self) -> SourceFile | None:
        """The bake file, or None where there is none."""
        return self.source(self.name)

    @property
    def is_ours(self) -> bool:
        """Whether the bake file says that `lockaudit bake` wrote it."""
        return self.committed is not None and any(
            line.startswith(_MARK) for line in self.committed.lines[:_HEADER_LINES]
        )

    @property
    def beside(self) -> tuple[SourceFile, ...]:
        """The files that bake merges with the bake file without being asked; none where it has a name of its own."""
        if self.name not in LOOKUP:
            return ()
        return tuple(found for name in LOOKUP if name != self.name and (found := self.source(name)) is not None)

    @property
    def compose(self) -> tuple[SourceFile, ...]:
        """Compose files at the root, whose services become targets too."""
        if self.name not in LOOKUP:
            return ()
        return tuple(found for name in COMPOSE if (found := self.source(name)) is not None)

    @property
    def sources(self) -> tuple[SourceFile, ...]:
        """The files that have been read for messages so far."""
        return tuple(found for found in self._read.values() if found is not None)

    def build_lock(self, place: str) -> dict[str, str]:
        """The files of a build lock that are there, name -> text.

        Args:
            place: as `build_locks` gives it.
        """
        from auditor.wheel.build_lock import FOLDER, NAMES  # noqa: PLC0415 - for projects that bake

        return {name: text for name in NAMES if (text := self.text(f"{FOLDER}/{place}/{name}")) is not None}

    def build_locks(self) -> tuple[str, ...]:
        """The folders with a key in them, sorted: `flash-attn`, or of several builds `cu124/flash-attn`."""
        from auditor.wheel.build_lock import FOLDER, KEY  # noqa: PLC0415

        folder = self.root / FOLDER
        if not folder.is_dir():
            return ()
        keys = (*folder.glob(f"*/{KEY}"), *folder.glob(f"*/*/{KEY}"))
        return tuple(sorted(key.parent.relative_to(folder).as_posix() for key in keys if key.is_file()))


def read_text(path: Path) -> str | None:
    """A file's text with its line endings as they are, or None where there is no readable text."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _parse(source: SourceFile) -> BakeDocument | InputError:
    try:
        if source.name.endswith(".json"):
            from auditor.bake.read_json import read_bake_json  # noqa: PLC0415 - few projects have one

            return read_bake_json(source)
        from auditor.bake.read import read_bake  # noqa: PLC0415 - 90 ms, for files that differ from what is generated

        return read_bake(source)
    except InputError as error:
        return error
