"""Harmful: what is compiled, and what is built for another torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import tomlkit

from auditor.wheel.compiled import compiled_packages
from auditor.wheel.cuda import cuda_of
from auditor.wheel.local_tag import parse_wheel
from bench.drift.kind import Family

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from bench.drift.kind import Expected
    from bench.drift.view import Draft, Victim

WHEELS: Final = Family("compiled wheel")

_NEEDS: Final = "what depends on torch has no edge to it any more"
_BOTH: Final = "the version that prod has is another one than dev's"


def _compiled(draft: Draft, rng: Random) -> tuple[Any, Any] | None:
    """(target, package that the image compiles) on both sides."""
    found = []
    for on in draft.view.on_targets:
        config = draft.view.context.config
        names = {each.name for each in compiled_packages(on.dev, also=config.compiled)}
        found += [(on, each) for each in compiled_packages(on.prod, also=config.compiled) if each.name in names]
    return rng.choice(found) if found else None


@WHEELS.kind(
    "torch removed while a wheel is compiled",
    LA113=_NEEDS,
    LA302="the project asks for torch",
    LA305="only torch needed it",
    LA110="nothing is left to install",
    LA207="what is compiled is no longer seen to be",
)
def _no_torch(draft: Draft, rng: Random) -> Expected | None:
    found = _compiled(draft, rng)
    if found is None or not draft.view.roots("prod"):
        return None
    on, package = found
    lock = draft.lock("prod")
    for entry in draft.entries_with_edge_to("prod", "torch"):
        if entry is not lock.root:
            for edge in list(entry.edges()):
                if edge.name == "torch":
                    entry.drop_line(edge.line)
    if "torch" in draft.view.direct:
        draft.remove_dependency("prod", "torch")
    lock.entries = [each for each in lock.entries if each.name != "torch"]
    draft.note = f"no torch for {package.name} on {on.target}"
    return [("LA202", package.name)]


@WHEELS.kind("image of another CUDA major")
def _image(draft: Draft, rng: Random) -> Expected | None:
    return _cuda(draft, rng, lambda major, minor: f"{major + 1}.{minor}.0")


@WHEELS.kind("image of another CUDA minor")
def _image_minor(draft: Draft, rng: Random) -> Expected | None:
    return _cuda(draft, rng, lambda major, minor: f"{major}.{minor + 1}.1")


def _cuda(draft: Draft, rng: Random, change: Callable[[int, int], str]) -> Expected | None:
    found = []
    for on in draft.view.on_targets:
        signal = cuda_of(on.prod.packages, on.target)
        if signal is not None and signal.cuda.major is not None and signal.cuda.minor is not None:
            found.append((signal.cuda.major, signal.cuda.minor))
    settings = draft.project("dev")["tool"]["lockaudit"]
    if not found or "image" in settings:
        return None
    table = tomlkit.table()
    table["cuda"] = change(*rng.choice(found))
    settings["image"] = table
    draft.note = f"image with CUDA {table['cuda']}"
    return [("LA203", "torch")]


def _tagged(draft: Draft, rng: Random) -> Victim | None:
    """A package whose locked version names the torch that it was built for."""
    return draft.view.pick(
        rng,
        lambda each: (
            each.from_registry
            and each.name != "torch"
            and each.installed is not None
            and each.installed.is_wheel
            and bool(parse_wheel(each.installed.filename).torch)
            and each.prod.version is not None
            and bool(each.prod.version.local)
            and bool(each.on.prod.get("torch"))
        ),
    )


def _retagged(draft: Draft, rng: Random, old: str, new: str, code: str) -> Expected | None:
    victim = _tagged(draft, rng)
    if victim is None or victim.prod.version is None:
        return None
    local = victim.prod.version.local or ""
    changed = __import__("re").sub(old, new, local)
    if changed == local:
        return None
    text = f"{victim.prod.version.public}+{changed}"
    for side, package in (("dev", victim.dev), ("prod", victim.prod)):
        draft.set_version(side, package, text)  # type: ignore[arg-type]
    draft.note = f"{victim.prod.label} -> {text} in both"
    return [(code, victim.name)]


@WHEELS.kind("wheel built for another torch, in both locks", LA302="the project asks for that version")
def _other_torch(draft: Draft, rng: Random) -> Expected | None:
    return _retagged(draft, rng, r"torch\.?\d\.?\d{1,2}", "torch2.3", "LA205")


@WHEELS.kind("wheel built for another CUDA major, in both locks", LA302="the project asks for that version")
def _other_cuda(draft: Draft, rng: Random) -> Expected | None:
    return _retagged(draft, rng, r"cu\.?\d\d", "cu11", "LA205")


@WHEELS.kind("wheel built with the other C++ ABI, in both locks", LA302="the project asks for that version")
def _abi(draft: Draft, rng: Random) -> Expected | None:
    return _retagged(draft, rng, r"abitrue", "abifalse", "LA206")


def _settings(draft: Draft, rng: Random, key: str, value: Callable[[str], Any]) -> Expected | None:
    """Give prod's pyproject.toml another build setting of a package that is built from source."""
    found = _compiled(draft, rng)
    if found is None:
        return None
    _, package = found
    uv = draft.project("prod")["tool"]["uv"]
    uv[key] = value(package.name)
    draft.note = f"{key} of {package.name} in prod alone"
    return [("LA207", package.name)]


@WHEELS.kind("build variables of one project alone")
def _variables(draft: Draft, rng: Random) -> Expected | None:
    return _settings(draft, rng, "extra-build-variables", lambda name: {name: {"MAX_JOBS": "4", "A_FLAG": "1"}})


@WHEELS.kind("build dependencies of one project alone")
def _dependencies(draft: Draft, rng: Random) -> Expected | None:
    return _settings(draft, rng, "extra-build-dependencies", lambda name: {name: ["torch==2.3.0", "ninja"]})


@WHEELS.kind("build isolation of one project alone")
def _isolation(draft: Draft, rng: Random) -> Expected | None:
    return _settings(draft, rng, "no-build-isolation-package", lambda name: [name])
