"""The repositories that are measured: pairs of the corpus, and generated ones of any size."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.rules.specimens import INDEX, lock, package, root, sdist
from tests.support import REPOSITORY

_DOCKERFILE: Final = "docker/Dockerfile-uv"
_FILES: Final = tuple(
    f"cp3{minor}-cp3{minor}-{platform}"
    for minor in (11, 12)
    for platform in ("manylinux_2_28_x86_64", "macosx_14_0_arm64", "win_amd64")
)
_TARGET: Final = "linux-x86_64-cp312"
_CHILDREN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A folder with a pair in it.

    Attributes:
        title: in the tables.
        folder: where `lockaudit check` runs.
        dev: folder of the dev lock, below it.
        prod: folder of the prod lock.
        target: for `select`.
        is_clean: whether no command finds anything: true of generated ones, of hardly any in the corpus.
    """

    title: str
    folder: Path
    dev: str = "."
    prod: str = "prod"
    target: str = _TARGET
    is_clean: bool = True

    @property
    def size(self) -> str:
        """The sizes of both locks."""
        kilobytes = [round((self.folder / side / "uv.lock").stat().st_size / 1000) for side in (self.dev, self.prod)]
        return " and ".join(f"{each:,} kB" for each in kilobytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A pair of the corpus; `settings` and `python` are what `lockaudit bake` needs to be told about it."""

    title: str
    folder: str
    dev: str
    prod: str
    settings: str = ""
    python: int = 11


SMALL: Final = Origin(
    title="small", folder="VLMHyperBenchTeam__model_qwen2.5_vl_lora", dev="staging", prod="prod", python=10
)
MIDDLE: Final = Origin(
    title="middle", folder="huggingface__text-generation-inference", dev="server", prod="integration-tests"
)
LARGEST: Final = Origin(
    title="largest", folder="allenai__molmoweb", dev=".", prod="train", settings='not-compiled = ["ai2-molmo2"]\n'
)
ORIGINS: Final = (SMALL, MIDDLE, LARGEST)


def copied(corpus: Path, origin: Origin, scratch: Path, *, baked: bool) -> Repository:
    """A pair of the corpus in a scratch folder, with settings that say where its locks are.

    Args:
        corpus: the folder of real locks.
        origin: which pair.
        scratch: where to copy it to.
        baked: whether it gets this project's own Dockerfile, and what `lockaudit bake` writes.
    """
    folder = scratch / f"{origin.title}{'-baked' if baked else ''}"
    shutil.copytree(corpus / origin.folder, folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    sides = "".join(
        f'\n[tool.lockaudit.{role}]\nlock = "{Path(side, "uv.lock").as_posix()}"\n'
        for role, side in (("dev", origin.dev), ("prod", origin.prod))
    )
    path = folder / "pyproject.toml"
    text = path.read_text("utf-8") if path.exists() else '[project]\nname = "app"\nversion = "0.1.0"\n'
    target = f"linux-x86_64-cp3{origin.python}"
    settings = f'\n[tool.lockaudit]\ntargets = ["{target}"]\n{origin.settings}{sides}'
    path.write_text(text + settings, "utf-8")
    if baked:
        add_dockerfile(folder, origin.python)
    return Repository(
        title=origin.title, folder=folder, dev=origin.dev, prod=origin.prod, target=target, is_clean=False
    )


def add_dockerfile(folder: Path, python: int) -> None:
    """This project's own Dockerfile, for a Python: `lockaudit bake` works with it."""
    text = (REPOSITORY / _DOCKERFILE).read_text("utf-8")
    path = folder / _DOCKERFILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(re.sub(r"(?m)^ARG PYTHON_VERSION=.*$", f"ARG PYTHON_VERSION=3.{python}", text), "utf-8")


def generated(folder: Path, packages: int, *, baked: bool = False) -> Repository:
    """A clean pair whose locks have this many packages each, with six wheels and an sdist a package."""
    text = _lock(packages)
    _side(folder, text, f'\n[tool.lockaudit]\ntargets = ["{_TARGET}"]\n')
    _side(folder / "prod", text)
    if baked:
        add_dockerfile(folder, 12)
    return Repository(title=f"{packages:,} packages", folder=folder)


def several(folder: Path, pairs: int, packages: int) -> Repository:
    """One repository with this many pairs of two locks each, which are generated."""
    text = _lock(packages)
    settings = f'\n[tool.lockaudit]\ntargets = ["{_TARGET}"]\n'
    for number in range(pairs):
        name = f"pair{number}"
        _side(folder / name, text)
        _side(folder / name / "prod", text)
        settings += (
            f'\n[[tool.lockaudit.pair]]\nname = "{name}"\n'
            f'dev.lock = "{name}/uv.lock"\nprod.lock = "{name}/prod/uv.lock"\n'
        )
    (folder / "pyproject.toml").write_text(f'[project]\nname = "app"\nversion = "0.1.0"\n{settings}', "utf-8")
    return Repository(title=f"{pairs:,} pairs", folder=folder, dev="pair0", prod="pair0/prod")


def _name(number: int) -> str:
    return f"package-{number:05}"


def _needs(number: int, packages: int) -> list[str]:
    """A tree: every package is reached, and has up to three of its own."""
    first = number * _CHILDREN + 1
    return [_name(child) for child in range(first, min(first + _CHILDREN, packages))]


def _lock(packages: int) -> str:
    top = root(needs=[_name(0)])
    metadata = f'\n[package.metadata]\nrequires-dist = [{{ name = "{_name(0)}" }}]\n'
    entries = [
        package(name, needs=_needs(number, packages), wheels=_FILES, sdist=sdist(name))
        for number in range(packages)
        for name in (_name(number),)
    ]
    return lock(top + metadata, *entries, requires_python=">=3.11")


def _side(folder: Path, text: str, settings: str = "") -> None:
    """A project with its lock."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "uv.lock").write_text(text, "utf-8")
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "0.1.0"\nrequires-python = ">=3.11"\ndependencies = ["{_name(0)}"]\n'
        f'\n[tool.uv]\npackage = false\n\n[[tool.uv.index]]\nurl = "{INDEX}"\ndefault = true\n{settings}',
        "utf-8",
    )
