"""The groups of a bake file: names for several targets, by what they make, by variant and by platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.bake.model import Group

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.bake.plan import Images
    from auditor.bake.wheels import WheelTargets

_WORDS: Final = {"dev": "development", "prod": "production"}


def make_groups(images: Sequence[Images], wheels: WheelTargets) -> tuple[Group, ...]:
    """The groups of all builds.

    Args:
        images: what is built.
        wheels: the targets of the wheels.
    """
    if any(each.name for each in images):
        return tuple(_of_several(images, wheels))
    found = [Group(name="default", targets=("prod",), description="The production image")]
    if wheels.keys:
        found.append(
            Group(name="wheels", targets=("wheel-dev", "wheel-prod"), description="The compiled wheels, as cache")
        )
    return tuple(found)


def _of_several(images: Sequence[Images], wheels: WheelTargets) -> Iterator[Group]:
    variants: dict[str, list[Images]] = {}
    platforms: dict[str, list[Images]] = {}
    for each in images:
        variants.setdefault(each.variant, []).append(each)
        platforms.setdefault(each.target.docker_platform, []).append(each)
    yield Group(name="default", targets=("prod",), description="The production images")
    for stage, word in _WORDS.items():
        whole = f"The {word} images"
        gathered = {name: own for name, own in variants.items() if name and len(own) > 1}
        members = [
            target
            for name, own in variants.items()
            for target in ([f"{stage}-{name}"] if name in gathered else [each.called(stage) for each in own])
        ]
        yield Group(name=stage, targets=tuple(members), description=whole)
        for name, own in gathered.items():
            targets = tuple(each.called(stage) for each in own)
            yield Group(name=f"{stage}-{name}", targets=targets, description=f"{whole} of {name}")
        if len(platforms) > 1 and len(variants) > 1:
            for platform, own in platforms.items():
                targets = tuple(each.called(stage) for each in own)
                yield Group(name=f"{stage}-{_short(platform)}", targets=targets, description=f"{whole} for {platform}")
    if not wheels.keys:
        return
    yield Group(name="wheels", targets=tuple(wheels.results), description="The compiled wheels, as caches")
    if len(platforms) > 1:
        for platform, own in platforms.items():
            results = tuple(dict.fromkeys(wheels.result(each) for each in own if each.keys))
            if results:
                description = f"The compiled wheels for {platform}, as caches"
                yield Group(name=f"wheels-{_short(platform)}", targets=results, description=description)
    yield Group(name="wheelhouse", targets=tuple(wheels.houses), description="Push the wheels as images of their own")


def _short(platform: str) -> str:
    return platform.rpartition("/")[2]
