"""From a folder and the command line to what the core works on: settings, pair, Dockerfile and targets."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from auditor.bake.builds import MACHINES, Build, as_built, builds_of, image_targets
from auditor.bake.files import BakeFiles
from auditor.cli.options import Overrides
from auditor.config import Config, SideConfig, nearest
from auditor.dockerfile.read import read_dockerfile
from auditor.errors import ConfigError
from auditor.lock.environment import DEFAULT_GLIBC, GLIBC_OF_UBUNTU, Target
from auditor.lock.marker import allows
from auditor.lock.pair import Pair, Side, read_side
from auditor.lock.project import Project, read_project
from auditor.names import normalize
from auditor.rules import RULES
from auditor.rules.context import Baking, PairContext
from auditor.settings import read_config
from auditor.source import display_name, refuse_outside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from auditor.dockerfile.model import Dockerfile

_MINORS: Final = range(8, 21)
_PATCHES: Final = range(30)  # a lock may pin one: `==3.12.9`
_PYTHON: Final = re.compile(r"(?:cpython-|python)?3\.(?P<minor>\d{1,2})(?:\.(?P<patch>\d+))?(?:$|[^\d.])")


def load(root: Path, overrides: Overrides) -> PairContext:
    """What a command about one pair needs: the pair that `--pair` names, else the first. Raises: as `load_all`."""
    return load_all(root, overrides)[0]


def load_all(root: Path, overrides: Overrides) -> list[PairContext]:
    """Every pair of the repository or every variant of its images, or the one that `--pair` or `--variant` names.

    Raises:
        ConfigError: a setting or an option is wrong.
        InputError: a file is missing or unreadable.
        SelectionError: a lock has conflicting extras and nobody chose.
    """
    settings, project = load_config(root, overrides)
    sides: dict[tuple[str, SideConfig], Side] = {}
    contexts: list[PairContext] = []
    builds: dict[str, tuple[Build, ...]] = {}
    for name, config in settings_of_each(settings, overrides):
        beside_dev = project if (root / config.dev.lock).parent == root else None
        for role, side, known in (("dev", config.dev, beside_dev), ("prod", config.prod, None)):
            if (role, side) not in sides:  # pairs may share a lock, which is then read and selected once
                sides[role, side] = read_side(root, role, side, known)
        pair = Pair(root=root, dev=sides["dev", config.dev], prod=sides["prod", config.prod])
        dockerfile = load_dockerfile(root, config, explicit=overrides.dockerfile is not None)
        targets = targets_of(root, config, pair, dockerfile)
        variant = name if settings.variants else ""
        builds[name] = tuple(builds_of(variant, pair.dev, config, dockerfile, targets))
        if not overrides.targets:  # what is built is proven, unless somebody chose what to prove
            targets = tuple(dict.fromkeys((*targets, *(build.target for build in builds[name]))))
        if variant and dockerfile is not None:
            dockerfile = as_built(dockerfile, config, builds[name][0].name)
        contexts.append(PairContext(pair, config, targets, dockerfile, name, is_variant=bool(variant)))
    refuse_unknown_packages(settings, contexts)
    # There is one bake file: that of all variants, or of the first pair.
    baked = {pair.name for pair in settings.pairs[:1]} if settings.pairs else builds.keys()
    as_configured = replace(overrides, pair=None, first_party=()) == Overrides()
    disk = BakeFiles(root, settings.bake.file, as_configured=as_configured)
    baking = Baking(disk, tuple(build for name, own in builds.items() if name in baked for build in own))
    return [replace(context, baking=baking) if context.name in baked else context for context in contexts]


def settings_of_each(settings: Config, overrides: Overrides) -> Iterator[tuple[str, Config]]:
    """(name, settings) of each pair or variant: its own in place of the general ones, the command line over both.

    Raises:
        ConfigError: `--pair` or `--variant` names none of them.
    """
    pairs = list(pair_settings(settings, overrides))
    variants = list(variant_settings(settings, overrides))
    if not pairs and not variants:
        yield "", settings
    yield from pairs
    yield from variants


def pair_settings(settings: Config, overrides: Overrides) -> Iterator[tuple[str, Config]]:
    """(name, settings) of each pair. Raises: as `settings_of_each`."""
    _refuse_unknown("pair", overrides.pair, [pair.name for pair in settings.pairs])
    for pair in settings.pairs:
        if overrides.pair in {None, pair.name}:
            own = replace(
                settings,
                dev=pair.dev,
                prod=pair.prod,
                targets=pair.targets or settings.targets,
                image=replace(settings.image, dockerfile=pair.dockerfile or settings.image.dockerfile),
            )
            yield pair.name, apply(own, overrides)


def variant_settings(settings: Config, overrides: Overrides) -> Iterator[tuple[str, Config]]:
    """(name, settings) of each variant. Raises: as `settings_of_each`."""
    _refuse_unknown("variant", overrides.variant, [variant.name for variant in settings.variants])
    for variant in settings.variants:
        if overrides.variant in {None, variant.name}:
            image = replace(variant.image, dockerfile=settings.image.dockerfile)
            own = replace(settings, dev=variant.dev, prod=variant.prod, targets=variant.targets, image=image)
            yield variant.name, apply(own, overrides)


def _refuse_unknown(word: str, chosen: str | None, known: Sequence[str]) -> None:
    if chosen and chosen not in known:
        similar = nearest(chosen, known)
        hint = f"did you mean {similar}?" if similar else f"{word}s: {', '.join(known) or 'none are configured'}"
        raise ConfigError(f"there is no {word} {chosen!r}", hint=hint)


def refuse_unknown_packages(config: Config, contexts: list[PairContext]) -> None:
    """Raise where a setting is about a package that no lock has: it would silently mean nothing.

    Raises:
        ConfigError: with the nearest name.
    """
    known = {name for context in contexts for side in (context.dev, context.prod) for name in side.lock.by_name}
    for where, names in (("package", config.packages), ("first-party", config.first_party)):
        for name in names:
            if name not in known:
                similar = nearest(name, known)
                position = config.file.find(name) if config.file is not None else None
                raise ConfigError(
                    f"no lock has the package {name!r} that `{where}` names",
                    path=position.path if position else None,
                    line=position.line if position else None,
                    hint=f"did you mean {similar}?" if similar else "remove it",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class SideWorkspace:
    """One side of a project, which may have no other: what `key` needs.

    Attributes:
        variant: the name of the variant, or an empty string.
        side: of the project, with the variant's extras and groups.
        config: settings, with the variant's own.
        dockerfile: of the images, or None.
        targets: what its images run.
    """

    variant: str = ""
    side: Side
    config: Config
    dockerfile: Dockerfile | None
    targets: tuple[Target, ...]


def load_side(root: Path, overrides: Overrides) -> SideWorkspace:
    """The dev side alone, of the first variant if there are any. Raises: as `load_sides`."""
    return load_sides(root, overrides)[0]


def load_sides(root: Path, overrides: Overrides) -> list[SideWorkspace]:
    """The dev side of each variant; prod counts for the default target only, where there is one. Raises: as `load`."""
    settings, project = load_config(root, overrides)
    found = []
    for variant, config in list(variant_settings(settings, overrides)) or [("", settings)]:
        beside_dev = project if (root / config.dev.lock).parent == root else None
        side = read_side(root, "dev", config.dev, beside_dev)
        dockerfile = load_dockerfile(root, config, explicit=overrides.dockerfile is not None)
        prod = read_side(root, "prod", config.prod) if (root / config.prod.lock).is_file() else side
        targets = targets_of(root, config, Pair(root=root, dev=side, prod=prod), dockerfile)
        if not overrides.targets:
            targets = tuple(dict.fromkeys((*targets, *image_targets(config, targets))))
        found.append(SideWorkspace(variant=variant, side=side, config=config, dockerfile=dockerfile, targets=targets))
    return found


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
    if overrides.dev_lock is not None:
        dev = replace(dev, lock=_below("--dev-lock", overrides.dev_lock))
    if overrides.prod_lock is not None:
        prod = replace(prod, lock=_below("--prod-lock", overrides.prod_lock))
    if overrides.dev_extras is not None:
        dev = replace(dev, extras=tuple(map(normalize, overrides.dev_extras)))
    if overrides.prod_extras is not None:
        prod = replace(prod, extras=tuple(map(normalize, overrides.prod_extras)))
    if overrides.dev_groups:
        dev = replace(dev, groups=tuple(map(normalize, overrides.dev_groups)))
    if overrides.prod_groups:
        prod = replace(prod, groups=tuple(map(normalize, overrides.prod_groups)))
    if overrides.dockerfile is not None:
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
    texts = config.targets or (f"linux-{_machine(dockerfile)}-cp3{_minor(root, config, pair, dockerfile)}",)
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
    return next((MACHINES[platform] for platform in reversed(platforms) if platform in MACHINES), "x86_64")


def _minor(root: Path, config: Config, pair: Pair, dockerfile: Dockerfile | None) -> int:
    """The Python that the image runs: PYTHON_VERSION of the Dockerfile, `.python-version`, else the oldest allowed.

    A variant may say it itself.
    """
    if config.image.python is not None:
        return int(config.image.python.removeprefix("3."))
    argument = dockerfile.argument("PYTHON_VERSION") if dockerfile is not None else None
    texts = [argument[0]] if argument else []
    for folder in (root / pair.prod.folder, root):
        path = folder / ".python-version"
        if path.is_file():
            refuse_outside(path, root, name=display_name(path, root))
            texts += path.read_text(encoding="utf-8", errors="replace").split()[:1]
    for text in texts:
        match = _PYTHON.match(text)
        if match:
            return int(match["minor"])
    for minor in _MINORS:
        versions = [f"3.{minor}.{patch}" for patch in (*_PATCHES, 99)]
        if any(allows(pair.prod.lock.requires_python, version) for version in versions):
            return minor
    raise ConfigError(
        f"nothing tells which Python the image runs (requires-python is {pair.prod.lock.requires_python})",
        hint="name the target: --target linux-x86_64-cp312",
    )
