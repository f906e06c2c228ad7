"""From a folder and the command line to what the core works on: settings, pair, Dockerfile and targets."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from auditor.config import Config, read_config
from auditor.dockerfile.read import read_dockerfile
from auditor.errors import ConfigError
from auditor.lock.environment import DEFAULT_GLIBC, GLIBC_OF_UBUNTU, Target
from auditor.lock.marker import allows
from auditor.lock.pair import Pair, Side, read_pair, read_side
from auditor.lock.project import Project, read_project
from auditor.lock.read import normalize
from auditor.rules import RULES
from auditor.rules.context import PairContext

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.cli.options import Overrides
    from auditor.dockerfile.model import Dockerfile

_MINORS: Final = range(8, 21)
_PYTHON: Final = re.compile(r"(?:cpython-|python)?3\.(?P<minor>\d{1,2})(?:\.(?P<patch>\d+))?(?:$|[^\d.])")
_MACHINES: Final = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}


def load(root: Path, overrides: Overrides) -> PairContext:
    """Everything that a pair's commands need.

    Raises:
        ConfigError: a setting or an option is wrong.
        InputError: a file is missing or unreadable.
        SelectionError: a lock has conflicting extras and nobody chose.
    """
    config, project = load_config(root, overrides)
    beside_dev = project if (root / config.dev.lock).parent == root else None
    pair = read_pair(root, config.dev, config.prod, beside_dev)
    dockerfile = load_dockerfile(root, config, explicit=overrides.dockerfile is not None)
    return PairContext(pair, config, targets_of(root, config, pair, dockerfile), dockerfile)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideWorkspace:
    """One side of a project, which may have no other: what `key` needs."""

    side: Side
    config: Config
    dockerfile: Dockerfile | None
    targets: tuple[Target, ...]


def load_side(root: Path, overrides: Overrides) -> SideWorkspace:
    """The dev side alone; prod counts for the default target only, where there is one. Raises: as `load`."""
    config, project = load_config(root, overrides)
    beside_dev = project if (root / config.dev.lock).parent == root else None
    side = read_side(root, "dev", config.dev, beside_dev)
    dockerfile = load_dockerfile(root, config, explicit=overrides.dockerfile is not None)
    prod = read_side(root, "prod", config.prod) if (root / config.prod.lock).is_file() else side
    targets = targets_of(root, config, Pair(root=root, dev=side, prod=prod), dockerfile)
    return SideWorkspace(side=side, config=config, dockerfile=dockerfile, targets=targets)


def load_config(root: Path, overrides: Overrides) -> tuple[Config, Project | None]:
    """`[tool.lockaudit]` of the root's pyproject.toml with the command line on top, and that pyproject.toml."""
    path = root / "pyproject.toml"
    project = read_project(path, root) if path.exists() else None
    config = Config()
    if project is not None:
        config = read_config(project.tool("lockaudit"), project.file, [rule.code for rule in RULES])
    return apply(config, overrides), project


def apply(config: Config, overrides: Overrides) -> Config:
    """The settings with the command line's values in place of theirs."""
    dev, prod, image = config.dev, config.prod, config.image
    if overrides.dev_lock:
        dev = replace(dev, lock=_below("--dev-lock", overrides.dev_lock))
    if overrides.prod_lock:
        prod = replace(prod, lock=_below("--prod-lock", overrides.prod_lock))
    if overrides.dev_extras is not None:
        dev = replace(dev, extras=tuple(map(normalize, overrides.dev_extras)))
    if overrides.prod_extras is not None:
        prod = replace(prod, extras=tuple(map(normalize, overrides.prod_extras)))
    if overrides.dev_groups:
        dev = replace(dev, groups=tuple(map(normalize, overrides.dev_groups)))
    if overrides.prod_groups:
        prod = replace(prod, groups=tuple(map(normalize, overrides.prod_groups)))
    if overrides.dockerfile:
        image = replace(image, dockerfile=_below("--dockerfile", overrides.dockerfile))
    return replace(
        config,
        targets=overrides.targets or config.targets,
        first_party=tuple(map(normalize, overrides.first_party)) or config.first_party,
        compiled=tuple(map(normalize, overrides.compiled)) or config.compiled,
        dev=dev,
        prod=prod,
        image=image,
    )


def _below(option: str, value: str) -> str:
    from pathlib import PurePosixPath  # noqa: PLC0415

    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts:
        raise ConfigError(f"{option} leaves ROOT: {value!r}", hint="give a path below ROOT")
    return path.as_posix()


def load_dockerfile(root: Path, config: Config, *, explicit: bool = False) -> Dockerfile | None:
    """The Dockerfile of the images; None where there is none and nobody named one."""
    path = root / config.image.dockerfile
    named = explicit or (config.file is not None and config.image.dockerfile != Config().image.dockerfile)
    return read_dockerfile(path, root) if named or path.is_file() else None


def targets_of(root: Path, config: Config, pair: Pair, dockerfile: Dockerfile | None) -> tuple[Target, ...]:
    """What is to be proven: as configured, else the Dockerfile's platform and the project's Python.

    Raises:
        ConfigError: a target is not one, or nothing tells which Python the image runs.
    """
    texts = config.targets or (f"linux-{_machine(dockerfile)}-cp3{_minor(root, pair, dockerfile)}",)
    specifiers = (pair.prod.lock.requires_python, pair.dev.lock.requires_python)
    glibc = glibc_of(config, dockerfile)
    found = dict.fromkeys(Target.parse(text, glibc=glibc).fitted(specifiers) for text in texts)
    return tuple(found)


def glibc_of(config: Config, dockerfile: Dockerfile | None) -> tuple[int, int]:
    """The C library of the image: that of its Ubuntu release."""
    argument = dockerfile.argument("UBUNTU_VERSION") if dockerfile is not None else None
    release = config.image.ubuntu or (argument[0] if argument else "")
    return GLIBC_OF_UBUNTU.get(release, DEFAULT_GLIBC)


def _machine(dockerfile: Dockerfile | None) -> str:
    platforms = [stage.platform for stage in dockerfile.stages] if dockerfile is not None else []
    return next((_MACHINES[platform] for platform in reversed(platforms) if platform in _MACHINES), "x86_64")


def _minor(root: Path, pair: Pair, dockerfile: Dockerfile | None) -> int:
    """The Python that the image runs: PYTHON_VERSION of the Dockerfile, `.python-version`, else the oldest allowed."""
    argument = dockerfile.argument("PYTHON_VERSION") if dockerfile is not None else None
    texts = [argument[0]] if argument else []
    for folder in (root / pair.prod.folder, root):
        path = folder / ".python-version"
        if path.is_file():
            texts += path.read_text(encoding="utf-8", errors="replace").split()[:1]
    for text in texts:
        match = _PYTHON.match(text)
        if match:
            return int(match["minor"])
    for minor in _MINORS:
        versions = [f"3.{minor}.{patch}" for patch in (0, 99)]
        if any(allows(pair.prod.lock.requires_python, version) for version in versions):
            return minor
    raise ConfigError(
        f"nothing tells which Python the image runs (requires-python is {pair.prod.lock.requires_python})",
        hint="name the target: --target linux-x86_64-cp312",
    )
