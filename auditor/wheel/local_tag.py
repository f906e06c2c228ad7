"""What the name of a wheel says that it was built for: torch, CUDA, C++ ABI, Python.

A wheel that is compiled against torch cannot say so in its tags, so its makers write it into the local version or the
build tag, each in their own way (facts on CUDA, 3.6):

    +cu12torch2.8cxx11abiTRUE                           flash-attn, causal-conv1d, mamba-ssm
    +cu128torch2.11                                     prebuilt wheels of flash-attn
    +cu.12.8.torch.2.11                                 Astral's index
    +20260610.cu130torch2110cxx11abitrue.fb02fc.sm80    nightly builds
    +9241ae3-1torch211cu130cuda131sm90a                 the key in the build tag
    +pt25cu124, +5043d15pt2.6.0cu124, +py310_cu118_pyt201, +cu129, +torch260cu126

Whatever names nothing (a git commit, a date) says nothing, and nothing is made of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from auditor.wheel.cuda import Cuda, parse_build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.version import Version

# Where a word may start: not inside another one. A git commit before it ends in a hexadecimal letter at most.
_START: Final = r"(?<![g-z])"
# Where dotted digits may end: before the end, a separator or the next word, but not inside a git commit.
_END: Final = r"(?=$|[._\-+]|torch|py|pt|cp|cu|cxx|sm|abi)"
_SEPARATOR: Final = r"[._\-]?"

_TORCH: Final = re.compile(
    rf"(?:torch|{_START}(?:pyt|pt)){_SEPARATOR}"
    rf"(?:(?P<dotted>[1-9]\.\d{{1,2}}(?!\d)(?:\.\d{{1,2}}(?!\d){_END})?)|(?P<glued>[1-9]\d{{1,3}})(?!\d))"
)
_CUDA: Final = re.compile(
    rf"{_START}cu(?P<toolkit>da)?{_SEPARATOR}(?P<major>1\d)(?:\.(?P<dotted>\d{{1,2}}){_END}|(?P<glued>\d{{1,2}})(?!\d)|(?!\d))"
)
_OTHER_BUILD: Final = re.compile(r"(?<![a-z])(?P<build>cpu|rocm(?:[._]?\d+(?:\.\d+)*)?|xpu)(?![a-z])")
_ABI: Final = re.compile(rf"cxx11{_SEPARATOR}abi{_SEPARATOR}(?P<value>true|false|[01](?![\da-z]))")
_PYTHON: Final = re.compile(r"(?<![a-z])(?:py|cp)3(?P<minor>\d{1,2})(?!\d)")
_NEWEST_MINOR: Final = 30  # `torch271` is 2.7.1, not 2.71

_INDEX: Final = re.compile(r"/whl/(?:test/|nightly/)?(?P<build>cu\d{3,4}|cpu|rocm[\d.]+|xpu)/?$")
_WITH_BUILD_TAG: Final = 6  # name, version, build, python, abi, platform


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTag:
    """What a name says; everything that it does not say is empty.

    Attributes:
        torch: the releases of torch that it can mean, as (major, minor); more than one where digits run together, as
            in `torch210`, which is 2.10 or 2.1.0.
        cuda: of the torch that it was built with, or a build without CUDA (`cpu`, `rocm6.2`).
        cxx11_abi: 1 for the new C++ ABI, 0 for the old one, None where the name does not tell.
        python: minor version of Python 3.
    """

    torch: tuple[tuple[int, int], ...] = ()
    cuda: Cuda | None = None
    cxx11_abi: int | None = None
    python: int | None = None

    @property
    def torch_text(self) -> str:
        """The releases of torch, `2.10 or 2.1`."""
        return " or ".join(f"{major}.{minor}" for major, minor in self.torch)

    def fits_torch(self, version: Version) -> bool:
        """Whether the name can mean this torch; a name that says nothing fits every one."""
        return not self.torch or version.release[:2] in self.torch


def parse_local(text: str) -> LocalTag:
    """Read a local version, a build tag or both; upper or lower case, as written or normalised."""
    words = text.lower()
    torch = _TORCH.search(words)
    python = _PYTHON.search(words)
    return LocalTag(
        torch=tuple(dict.fromkeys(_releases(torch["dotted"], torch["glued"]))) if torch else (),
        cuda=_cuda(words),
        cxx11_abi=_abi(words),
        python=int(python["minor"]) if python else None,
    )


def wheel_local(filename: str) -> str:
    """The local version and the build tag of a wheel's file name, joined; empty where it has neither."""
    parts = unquote(filename).removesuffix(".whl").split("-")
    local = parts[1].partition("+")[2] if len(parts) > 1 else ""
    build = parts[2].lstrip("0123456789") if len(parts) == _WITH_BUILD_TAG else ""
    return ".".join(part for part in (local, build) if part)


def parse_wheel(filename: str) -> LocalTag:
    """Read a wheel's file name."""
    return parse_local(wheel_local(filename))


def index_build(location: str) -> Cuda | None:
    """The build that an index of PyTorch's layout serves, `.../whl/cu128`; None for any other index."""
    match = _INDEX.search(location)
    return parse_build(match["build"]) if match else None


def _releases(dotted: str | None, glued: str | None) -> Iterator[tuple[int, int]]:
    """The (major, minor) that digits can mean: `2.8`, `2.8.0`, `28`, `280`, `211`, `2110`."""
    if dotted:
        major, minor = dotted.split(".")[:2]
        yield int(major), int(minor)
        return
    digits = glued or ""
    rest = digits[1:]
    for length in (2, 1):
        minor, patch = rest[:length], rest[length:]
        plain = all(part == "0" or not part.startswith("0") for part in (minor, patch) if part)
        if len(minor) == length and plain and int(minor) <= _NEWEST_MINOR and len(patch) <= 1:
            yield int(digits[0]), int(minor)


def _cuda(words: str) -> Cuda | None:
    """The first `cuNNN`: torch's; else the first `cudaNNN`, the toolkit's; else another build."""
    found = sorted(_CUDA.finditer(words), key=lambda match: match["toolkit"] is not None)
    if found:
        return _version(found[0])
    other = _OTHER_BUILD.search(words)
    return parse_build(other["build"]) if other else None


def _version(match: re.Match[str]) -> Cuda:
    minor = match["dotted"] or (match["glued"] or "")[:1]  # `cu1281` is 12.8.1
    return Cuda(int(match["major"]), int(minor) if minor else None)


def _abi(words: str) -> int | None:
    match = _ABI.search(words)
    return int(match["value"] in {"true", "1"}) if match else None
