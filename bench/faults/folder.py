"""A repository whose files are changed from one complete state to another, with something happening on the way."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench.faults.process import run
from tests.wheel.specimens import COMPILED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

State = dict[str, bytes]
OTHER: Final = COMPILED.but(cuda="12.8.1", flash_attn="2.8.2", env=(("FLASH_ATTN_CUDA_ARCHS", "80"),))
_LEFT: Final = ".lockaudit-"
_OF_UV: Final = re.compile(r"(?:.*/)?\.tmp\w{6}")  # what uv leaves where it is killed as it replaces a lock


@dataclass(slots=True)
class Folder:
    """A repository, and the states in which a command may leave it.

    Attributes:
        root: where it is.
        arguments: of the command.
        old: every file before it, path -> bytes; a file that is not there is in `new` only.
        new: every file after it.
        env: variables of the command.
        between: a third state of a file, which is whole too.
    """

    root: Path
    arguments: tuple[str, ...]
    old: State
    new: State
    env: Mapping[str, str]
    between: State = field(default_factory=dict)

    def restore(self) -> None:
        """Back to the old state."""
        shutil.rmtree(self.root)
        for path, data in self.old.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def neither(self) -> list[str]:
        """Files that are neither as before nor as after: half written, missing, or not expected at all."""
        found = read(self.root)
        allowed = {path: [self.old.get(path), self.new.get(path)] for path in self.old.keys() | self.new.keys()}
        for path, data in self.between.items():
            allowed[path].append(data)
        wrong = [path for path, whole in allowed.items() if found.get(path) not in whole]
        ours = [path for path in found if path not in allowed and _LEFT not in path and not _OF_UV.fullmatch(path)]
        return sorted(wrong + ours)

    def changed(self) -> int:
        """How many files are as after."""
        found = read(self.root)
        return sum(found.get(path) == self.new[path] != self.old.get(path) for path in self.new)

    @property
    def to_change(self) -> int:
        """How many files the command changes."""
        return sum(data != self.old.get(path) for path, data in self.new.items())

    def left(self) -> list[str]:
        """Temporary files."""
        return [path for path in read(self.root) if _LEFT in path]

    def left_by_uv(self) -> bool:
        """Whether uv, which `init` runs, was killed too and has left a temporary file of its own."""
        return any(_OF_UV.fullmatch(path) for path in read(self.root))

    def is_whole(self) -> bool:
        """Whether every file is as after, and there is no other, but for one that uv has left."""
        return {path: data for path, data in read(self.root).items() if not _OF_UV.fullmatch(path)} == self.new


def read(root: Path) -> State:
    """Every file below a folder."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def prepared(
    root: Path, arguments: Sequence[str], make: Callable[[Path], object], env: Mapping[str, str] | None = None
) -> Folder:
    """A folder that `make` has filled, and what a command makes of it.

    Raises:
        AssertionError: the command fails even when nothing happens.
    """
    root.mkdir(parents=True)
    make(root)
    old = read(root)
    done = run(*arguments, cwd=root, env=env)
    if done.code not in {0, 1}:
        raise AssertionError(done.err)
    folder = Folder(root, tuple(arguments), old, read(root), dict(env or {}))
    folder.restore()
    return folder


def rebake(root: Path) -> Folder:
    """`bake` after a change of everything that a build key is made of: every generated file is written anew."""

    def make(root: Path) -> None:
        COMPILED.write(root)
        run("bake", cwd=root)
        OTHER.write(root)

    return prepared(root, ["bake"], make)


def first_bake(root: Path) -> Folder:
    """The first `bake`, where no generated file is there yet."""
    return prepared(root, ["bake"], COMPILED.write)


def adoption(root: Path) -> Folder:
    """`init` in a repository that has its locks: settings, Dockerfile and hooks, then a first check and bake."""

    def make(root: Path) -> None:
        COMPILED.but(target="linux-x86_64-cp311").write(root)
        shutil.rmtree(root / "docker")
        pyproject = root / "pyproject.toml"
        text = pyproject.read_text("utf-8")
        groups = '[dependency-groups]\ndev = ["pytest"]\nwheel-build = ["cmake", "ninja"]\n'
        pyproject.write_text(text[: text.index("[tool.lockaudit]")] + groups, "utf-8")

    return prepared(root, ["init", "--no-lock"], make)
