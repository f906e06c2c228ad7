"""Which tags nvidia/cuda has: a dated table, and the nearest real tag to one that does not exist.

Sources: NVIDIA's own lists (doc/supported-tags.md and doc/unsupported-tags.md of its container-images/cuda, when CUDA
13.2.1 was the newest), which agree with the registry scan that Cog keeps (facts on CUDA, 3.1). Only Ubuntu tags are in
it. NVIDIA deletes tags six months after their end of life and adds new ones: what is newer than the table is no error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from auditor.dockerfile.shell import is_known

if TYPE_CHECKING:
    from collections.abc import Iterator

DATE: Final = "2026-05"

# CUDA -> (how its cuDNN flavors are called, Ubuntu releases that have all flavors, releases that have no cuDNN).
_TABLE: Final = {
    **dict.fromkeys(("11.0.3", "11.1.1", "11.2.2", "11.3.1"), ("cudnn8", "16.04 18.04 20.04", "")),
    **dict.fromkeys(("11.4.3", "11.5.2", "11.6.2"), ("cudnn8", "18.04 20.04", "")),
    "11.6.1": ("cudnn8", "20.04", ""),
    **dict.fromkeys(("11.7.1", "11.8.0", "12.0.0", "12.0.1"), ("cudnn8", "18.04 20.04 22.04", "")),
    "12.1.0": ("cudnn8", "20.04 22.04", "18.04"),
    **dict.fromkeys(("12.1.1", "12.2.2"), ("cudnn8", "20.04 22.04", "")),
    **dict.fromkeys(("12.2.0", "12.3.0", "12.3.1", "12.4.0", "12.5.0"), ("", "", "20.04 22.04")),
    "12.3.2": ("cudnn9", "20.04 22.04", ""),
    "12.4.1": ("cudnn", "20.04 22.04", ""),
    "12.5.1": ("cudnn", "20.04 22.04", "24.04"),
    **dict.fromkeys(("12.6.0", "12.6.1", "12.6.2", "12.6.3"), ("cudnn", "20.04 22.04 24.04", "")),
    **dict.fromkeys(("12.8.0", "12.8.1", "12.9.0", "12.9.1"), ("cudnn", "20.04 22.04 24.04", "")),
    "12.8.2": ("", "", "20.04 22.04 24.04"),
    **dict.fromkeys(("13.0.0", "13.0.1", "13.0.2", "13.0.3"), ("cudnn", "22.04 24.04", "")),
    "13.1.0": ("", "", "22.04 24.04"),
    **dict.fromkeys(("13.1.1", "13.1.2", "13.2.0", "13.2.1"), ("cudnn", "22.04 24.04", "")),
}
_KINDS: Final = ("base", "runtime", "devel")
_REPOSITORY: Final = re.compile(r"(?:(?:docker\.io|index\.docker\.io|nvcr\.io)/)?nvidia/cuda")
_SYSTEM: Final = re.compile(r"(?:ubuntu|ubi|rockylinux|centos|oraclelinux|opensuse|amzn|rhel|azl|cm)[\d.]+")
_VERSION: Final = re.compile(r"\d+\.\d+(?:\.\d+)?")
_CUDNN: Final = re.compile(r"cudnn\d*")
# Flavors that exist for a few versions; the table does not list them.
_LONGEST: Final = 9  # digits of a number in a version; Python refuses to read thousands of them
_RARE: Final = frozenset({"tensorrt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TagProblem:
    """What is wrong with a tag.

    Attributes:
        reason: one clause.
        nearest: a tag that exists and comes nearest, or an empty string.
        newer: whether the tag may simply be newer than the table.
    """

    reason: str
    nearest: str = ""
    newer: bool = False


def check_tag(reference: str) -> TagProblem | None:
    """What is wrong with an image's tag; None if it is fine, unknown, pinned by a digest, or not one of nvidia/cuda."""
    if not is_known(reference) or "$" in reference or "@" in reference:
        return None
    folder, slash, last = reference.rpartition("/")
    name, _, tag = last.partition(":")
    if not _REPOSITORY.fullmatch(f"{folder}{slash}{name}"):
        return None
    words = tag.split("-")
    if not _VERSION.fullmatch(words[0]):
        return TagProblem(reason="nvidia/cuda has no `latest`" if tag in {"", "latest"} else "it names no CUDA version")
    if set(words) & _RARE:
        return None
    system = words[-1] if _SYSTEM.fullmatch(words[-1]) else ""
    return _problem(words[0], words[1 : -1 if system else None], system)


def _problem(version: str, flavor: list[str], system: str) -> TagProblem | None:  # noqa: PLR0911 - one for each defect
    written = "-".join(flavor)
    if f"{version}-{written}-{system}" in _tags():
        return None
    nearest = _nearest(version, flavor, system)
    if version.count(".") < 2:  # noqa: PLR2004 - major.minor.patch
        return TagProblem(reason=f"its CUDA version {version} has no patch number", nearest=nearest)
    if not flavor or not _is_flavor(flavor):
        reason = f"there is no flavor `{written}`" if flavor else "it names no flavor"
        return TagProblem(reason=reason, nearest=nearest)
    if not system:
        return TagProblem(reason="it names no operating system", nearest=nearest)
    if not system.startswith("ubuntu"):
        return None
    ubuntu = system.removeprefix("ubuntu")
    newer = _is_newer(version) or _numbers(ubuntu) > max(_numbers(each) for each in _releases())
    if version not in _TABLE:
        return TagProblem(reason=f"there is no CUDA {version}", nearest=nearest, newer=newer)
    cudnn, full, plain = _TABLE[version]
    if ubuntu not in f"{full} {plain}".split():
        reason = f"CUDA {version} has no image of Ubuntu {ubuntu}"
    elif not cudnn or ubuntu not in full.split():
        reason = f"CUDA {version} has no cuDNN image" + (f" of Ubuntu {ubuntu}" if cudnn else "")
    else:
        reason = f"the cuDNN of CUDA {version} is called `{cudnn}`, not `{flavor[0]}`"
    return TagProblem(reason=reason, nearest=nearest, newer=newer)


def _is_flavor(words: list[str]) -> bool:
    if _CUDNN.fullmatch(words[0]):
        return words[1:] in (["runtime"], ["devel"])
    return len(words) == 1 and words[0] in _KINDS


@cache
def _tags() -> frozenset[str]:
    return frozenset(known_tags())


def known_tags() -> Iterator[str]:
    """Every tag of the table."""
    for version, (cudnn, full, plain) in _TABLE.items():
        for ubuntu in f"{full} {plain}".split():
            yield from (f"{version}-{kind}-ubuntu{ubuntu}" for kind in _KINDS)
        for ubuntu in full.split():
            yield from (f"{version}-{cudnn}-{kind}-ubuntu{ubuntu}" for kind in ("runtime", "devel"))


def newest_patch(cuda: str, ubuntu: str) -> tuple[str, bool] | None:
    """The newest release of a CUDA `12.4` for an Ubuntu, and whether its cuDNN flavors are called plainly `cudnn`.

    A release with plain cuDNN flavors goes before a newer one without; None where the table has no such image, or
    where only the major is known.
    """
    found = [
        (cudnn == "cudnn" and ubuntu in full.split(), _numbers(version), version)
        for version, (cudnn, full, plain) in _TABLE.items()
        if version.rpartition(".")[0] == cuda and ubuntu in f"{full} {plain}".split()
    ]
    return (max(found)[2], max(found)[0]) if found else None


def _releases() -> set[str]:
    return {ubuntu for _, full, plain in _TABLE.values() for ubuntu in f"{full} {plain}".split()}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part[:_LONGEST]) for part in version.split(".") if part.isdecimal())


def _is_newer(version: str) -> bool:
    """Whether the table may be too old for a version: nothing that it has of the same line comes after it."""
    wanted = _numbers(version)
    known = [_numbers(each) for each in _TABLE]
    line = [each for each in known if each[:2] == wanted[:2]] or [each for each in known if each[:1] == wanted[:1]]
    return wanted > max(line or known)


def _nearest(version: str, flavor: list[str], system: str) -> str:
    """The tag of the table that is nearest: of the same use, then of the nearest version, then of the same Ubuntu."""
    cudnn = any(_CUDNN.fullmatch(word) for word in flavor)
    kind = next((each for each in reversed(_KINDS) if each in flavor), "runtime" if cudnn else "devel")
    if cudnn and kind == "base":
        kind = "runtime"
    wanted = _numbers(version)
    ubuntu = _numbers(system.removeprefix("ubuntu")) if system.startswith("ubuntu") else ()

    def distance(tag: str) -> tuple[int, int, int, int, int]:
        number, *_, last = tag.split("-")
        major, minor, patch = _numbers(number)
        release = _numbers(last.removeprefix("ubuntu"))
        # The newest of a line, unless the patch that is asked for says which.
        lacks_patch = len(wanted) < 3 or (major, minor) != wanted[:2]  # noqa: PLR2004 - major.minor.patch
        return (
            abs(major - wanted[0]),
            abs(minor - wanted[1]),
            -patch if lacks_patch else abs(patch - wanted[2]),
            abs(release[0] - ubuntu[0]) if ubuntu else -release[0],
            -release[0],
        )

    same_use = [tag for tag in known_tags() if f"-{kind}-" in tag and ("cudnn" in tag) == cudnn]
    return min(same_use, key=distance, default="")
