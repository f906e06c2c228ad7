"""What the bake file builds: each variant of the images on each of its platforms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.config import Config, SideConfig
    from auditor.dockerfile.model import Dockerfile
    from auditor.lock.environment import Target
    from auditor.lock.pair import Side

MACHINES: Final = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}


@dataclass(frozen=True, kw_only=True)
class Build:
    """What one development and one production image are built for.

    Attributes:
        name: what its bake targets end in: `cu128`, `arm64`, `cu128-arm64`; empty where there is one build only.
        variant: the name of the variant, or an empty string.
        side: whose lock the wheels are compiled from (dev).
        target: the environment that the images run.
        config: settings, with the variant's own in place of the general ones.
        dockerfile: of the images.
    """

    name: str = ""
    variant: str = ""
    side: Side
    target: Target
    config: Config
    dockerfile: Dockerfile


def builds_of(
    variant: str, side: Side, config: Config, dockerfile: Dockerfile | None, targets: Sequence[Target]
) -> Iterator[Build]:
    """The builds of one variant, or of a project that has none: one for each platform; none without a Dockerfile."""
    if dockerfile is None:
        return
    chosen = image_targets(config, targets)
    for target in chosen:
        platform = target.docker_platform.rpartition("/")[2] if len(chosen) > 1 else ""
        yield Build(
            name="-".join(filter(None, (variant, platform))),
            variant=variant,
            side=side,
            target=target,
            config=config,
            dockerfile=dockerfile,
        )


def image_targets(config: Config, targets: Sequence[Target]) -> tuple[Target, ...]:
    """The environment of the images on each platform: the first target of a platform, else the first one moved to it.

    Args:
        config: settings, which may name platforms.
        targets: what is proven, one at least.
    """
    first = targets[0]
    found = []
    for platform in config.image.platforms or (first.docker_platform,):
        named = next((target for target in targets if target.docker_platform == platform), None)
        found.append(named or replace(first, platform="linux", machine=MACHINES[platform]))
    return tuple(found)


def selection_flags(side: SideConfig) -> str:
    """A side's extras and groups as flags of `uv sync`."""
    flags = [f"--extra {extra}" for extra in side.extras or ()] + [f"--group {group}" for group in side.groups]
    return " ".join(flags)


def as_built(dockerfile: Dockerfile, config: Config, name: str) -> Dockerfile:
    """A Dockerfile as the bake targets of a variant build it: with the arguments that say what each side installs.

    Pins are not put in: rules look at the Dockerfile's own ones too.

    Args:
        dockerfile: as it is.
        config: the variant's settings.
        name: of the variant.
    """
    given = {**folder_arguments(config), "WHEELS": name} | {
        "DEV_SELECTION": selection_flags(config.dev),
        "PROD_SELECTION": selection_flags(config.prod),
    }
    passed = {argument: given.get(argument, value) for argument, value in dockerfile.arguments.items()}
    return replace(dockerfile, arguments=passed)


def folder_arguments(config: Config) -> dict[str, str]:
    """The arguments that say where the projects of both sides are."""
    return {"DEV_FOLDER": _folder(config.dev.lock), "PROD_FOLDER": _folder(config.prod.lock)}


def _folder(lock: str) -> str:
    return lock.rpartition("/")[0] or "."


def own_builds(builds: Iterable[Build], variant: str) -> tuple[Build, ...]:
    """The builds of one variant."""
    return tuple(build for build in builds if build.variant == variant)
