"""Harmful: another version on one side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from packaging.version import Version

from bench.drift.kind import Family

if TYPE_CHECKING:
    from random import Random

    from auditor.lock.model import Package
    from bench.drift.kind import Expected
    from bench.drift.view import Draft, Side, Victim

VERSIONS: Final = Family("version")

# Packages that come in versions of torch or CUDA: what else their change breaks has rules of its own.
_COUPLED: Final = re.compile(r"torch.*|triton|nvidia-.*|cuda-.*|flash-attn.*")
_SPECIFIER: Final = "a version that the project's own specifiers do not admit also contradicts the lock's metadata"


def is_plain(victim: Victim) -> bool:
    """A package of an index that is not coupled to torch."""
    return victim.from_registry and not _COUPLED.fullmatch(victim.name)


def raised(version: Version) -> str:
    """The next patch release, local part kept."""
    release = [*version.release, 0, 0][: max(3, len(version.release))]
    release[-1] += 1
    return ".".join(map(str, release)) + (f"+{version.local}" if version.local else "")


def lowered(version: Version) -> str | None:
    """An earlier release, or None for 0.0.0."""
    release = list(version.release)
    place = next((index for index in reversed(range(len(release))) if release[index]), None)
    if place is None:
        return None
    release[place] -= 1
    return ".".join(map(str, release)) + (f"+{version.local}" if version.local else "")


def free(draft: Draft, side: Side, package: Package, version: str) -> bool:
    """Whether no other entry of the name has this version already."""
    wanted = Version(version)
    return all(each.version != wanted for each in draft.view.lock(side).by_name[package.name])


def _change(draft: Draft, rng: Random, side: Side, how: str) -> Expected | None:
    victim = draft.view.pick(rng, is_plain)
    if victim is None:
        return None
    package = victim.prod if side == "prod" else victim.dev
    version = package.version or Version("0")
    new = {
        "raised": raised(version),
        "lowered": lowered(version),
        "post": f"{version.base_version}.post9" if not version.is_postrelease else None,
        "local": f"{version.public}+edited.1" if not version.local else None,
    }[how]
    if new is None or not free(draft, side, package, new):
        return None
    draft.set_version(side, package, new)
    draft.note = f"{victim.name} {version} -> {new} in {side}"
    return [("LA103", victim.name)]


@VERSIONS.kind("version raised in prod", LA302=_SPECIFIER)
def _raised_in_prod(draft: Draft, rng: Random) -> Expected | None:
    return _change(draft, rng, "prod", "raised")


@VERSIONS.kind("version raised in dev", LA302=_SPECIFIER)
def _raised_in_dev(draft: Draft, rng: Random) -> Expected | None:
    return _change(draft, rng, "dev", "raised")


@VERSIONS.kind("version lowered in prod", LA302=_SPECIFIER)
def _lowered(draft: Draft, rng: Random) -> Expected | None:
    return _change(draft, rng, "prod", "lowered")


@VERSIONS.kind("post-release in prod", LA302=_SPECIFIER)
def _post(draft: Draft, rng: Random) -> Expected | None:
    return _change(draft, rng, "prod", "post")


@VERSIONS.kind("local part added in prod")
def _local_added(draft: Draft, rng: Random) -> Expected | None:
    return _change(draft, rng, "prod", "local")


def _local(draft: Draft, rng: Random, *, torch: bool, new: str) -> Expected | None:
    """Drop (an empty `new`) or change the local part of torch, or of another package."""
    victim = draft.view.pick(
        rng,
        lambda each: (
            each.from_registry
            and (each.name == "torch") == torch
            and each.prod.version is not None
            and bool(each.prod.version.local)
        ),
    )
    if victim is None or victim.prod.version is None:
        return None
    version = victim.prod.version
    local = new and (re.sub(r"\d(?!.*\d)", lambda match: str((int(match[0]) + 1) % 10), version.local or ""))
    text = version.public + (f"+{local}" if local else "")
    if text == str(version) or not free(draft, "prod", victim.prod, text):
        return None
    draft.set_version("prod", victim.prod, text)
    draft.note = f"{victim.name} {version} -> {text}"
    return [("LA201" if torch else "LA103", victim.name)]


_COMPANIONS: Final = "what stands beside torch was made for the build that it was, and no longer fits"
_TAGS: Final = "the local part names the torch that the wheel was built for, and that is another one now"


@VERSIONS.kind("local part dropped, not torch", LA204=_COMPANIONS, LA205=_TAGS, LA302=_SPECIFIER)
def _local_dropped(draft: Draft, rng: Random) -> Expected | None:
    return _local(draft, rng, torch=False, new="")


@VERSIONS.kind("local part changed, not torch", LA204=_COMPANIONS, LA205=_TAGS, LA302=_SPECIFIER)
def _local_changed(draft: Draft, rng: Random) -> Expected | None:
    return _local(draft, rng, torch=False, new="another")


@VERSIONS.kind("torch without its local part", LA204=_COMPANIONS, LA205=_TAGS, LA206=_COMPANIONS, LA302=_SPECIFIER)
def _torch_dropped(draft: Draft, rng: Random) -> Expected | None:
    return _local(draft, rng, torch=True, new="")


@VERSIONS.kind("torch of another CUDA", LA204=_COMPANIONS, LA205=_TAGS, LA206=_COMPANIONS, LA302=_SPECIFIER)
def _torch_changed(draft: Draft, rng: Random) -> Expected | None:
    return _local(draft, rng, torch=True, new="another")


def _torch(draft: Draft, rng: Random) -> Victim | None:
    return draft.view.pick(rng, lambda each: each.from_registry and each.name == "torch")


@VERSIONS.kind("torch with a local part that dev's has not", LA204=_COMPANIONS, LA205=_TAGS, LA206=_COMPANIONS)
def _torch_local(draft: Draft, rng: Random) -> Expected | None:
    victim = _torch(draft, rng)
    if victim is None or victim.prod.version is None or victim.prod.version.local:
        return None
    text = f"{victim.prod.version}+{rng.choice(('cu118', 'cu126', 'cu128', 'cu130', 'cpu'))}"
    if not free(draft, "prod", victim.prod, text):
        return None
    draft.set_version("prod", victim.prod, text)
    draft.note = f"torch {victim.prod.version} -> {text}"
    return [("LA201", "torch")]


@VERSIONS.kind("torch raised in prod", LA204=_COMPANIONS, LA205=_TAGS, LA206=_COMPANIONS, LA302=_SPECIFIER)
def _torch_raised(draft: Draft, rng: Random) -> Expected | None:
    victim = _torch(draft, rng)
    if victim is None or victim.prod.version is None:
        return None
    text = raised(victim.prod.version)
    if not free(draft, "prod", victim.prod, text):
        return None
    draft.set_version("prod", victim.prod, text)
    draft.note = f"torch {victim.prod.version} -> {text}"
    return [("LA201", "torch")]


@VERSIONS.kind("torchvision or torchaudio of another CUDA in prod", LA302=_SPECIFIER)
def _companion(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(
        rng,
        lambda each: (
            each.from_registry
            and each.name in {"torchvision", "torchaudio"}
            and each.prod.version is not None
            and (each.prod.version.local or "").startswith("cu")
        ),
    )
    if victim is None or victim.prod.version is None:
        return None
    other = next(each for each in ("cu118", "cu121") if each != victim.prod.version.local)
    text = f"{victim.prod.version.public}+{other}"
    draft.set_version("prod", victim.prod, text)
    draft.note = f"{victim.prod.label} -> {text}"
    return [("LA103", victim.name), ("LA204", victim.name)]


@VERSIONS.kind("CUDA library of another version in prod", LA302=_SPECIFIER, LA204=_COMPANIONS)
def _library(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(rng, lambda each: each.from_registry and each.name.startswith("nvidia-"))
    if victim is None or victim.prod.version is None:
        return None
    text = raised(victim.prod.version)
    if not free(draft, "prod", victim.prod, text):
        return None
    draft.set_version("prod", victim.prod, text)
    draft.note = f"{victim.prod.label} -> {text}"
    return [("LA103", victim.name)]
