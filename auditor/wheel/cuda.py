"""Which CUDA a selection carries, and what CUDA an image is.

Signals and their order: facts on CUDA, section 3.2. `nvidia-nvjitlink`, `cuda-bindings` and `nvidia-cublas` are left
out on purpose: their versions do not follow the toolkit's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.lock.environment import Target
    from auditor.lock.model import Package

_INDEX: Final = re.compile(r"/whl/(?:test/|nightly/)?(?P<build>cu\d{3,4}|cpu|rocm[\d.]+|xpu)/?$")
_RUNTIME: Final = re.compile(r"nvidia-cuda-runtime(?:-cu\d+)?")
_CUDNN: Final = re.compile(r"nvidia-cudnn-cu(\d{2})")
_CUXXX: Final = re.compile(r"cu(\d{2})(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Cuda:
    """A CUDA version. `minor` is None where only the major is known; `build` names what is no CUDA: cpu, rocm6.2."""

    major: int | None
    minor: int | None = None
    build: str = ""

    def __str__(self) -> str:
        if self.major is None:
            return self.build or "none"
        return str(self.major) if self.minor is None else f"{self.major}.{self.minor}"

    @property
    def tag(self) -> str:
        """`cu124`, or the name of another build."""
        return (
            (self.build or "cpu") if self.major is None else f"cu{self.major}{'' if self.minor is None else self.minor}"
        )


@dataclass(frozen=True, slots=True)
class CudaSignal:
    """A CUDA version, the package that shows it, and how."""

    cuda: Cuda
    package: Package
    evidence: str


def parse_build(text: str) -> Cuda | None:
    """`cu124`, `cu130`, `cu118`, `cpu`, `rocm6.2`, `xpu`; None for anything else."""
    match = _CUXXX.fullmatch(text)
    if match:
        return Cuda(int(match[1]), int(match[2]))
    return Cuda(None, build=text) if text == "cpu" or text.startswith(("rocm", "xpu")) else None


def parse_version(text: str) -> Cuda | None:
    """`12.4.1` or `12.4`; None if it is no such version."""
    match = re.match(r"(\d{2})\.(\d{1,2})(?:\.|$)", text)
    return Cuda(int(match[1]), int(match[2])) if match else None


def cuda_of(packages: Iterable[Package], target: Target) -> CudaSignal | None:
    """The CUDA that selected packages carry, by the strongest signal; None without torch or without a signal."""
    by_name = {package.name: package for package in packages}
    torch = by_name.get("torch")
    if torch is None:
        return None
    return _from_torch(torch, target) or _from_companions(by_name)


def _from_torch(torch: Package, target: Target) -> CudaSignal | None:
    local = torch.version.local if torch.version is not None else None
    if local and (build := parse_build(local)):
        return CudaSignal(build, torch, f"local version +{local}")
    index = _INDEX.search(torch.source.location)
    if index and (build := parse_build(index["build"])):
        return CudaSignal(build, torch, f"index {index['build']}")
    chosen = target.chosen(torch)
    if chosen is not None and chosen.is_wheel:
        local = chosen.filename.split("-")[1].partition("+")[2]
        if local and (build := parse_build(local)):
            return CudaSignal(build, torch, f"wheel {chosen.filename}")
    return None


def _from_companions(by_name: dict[str, Package]) -> CudaSignal | None:
    for name, package in by_name.items():
        if _RUNTIME.fullmatch(name) and (cuda := parse_version(str(package.version))):
            return CudaSignal(cuda, package, f"{name} {package.version}")
    toolkit = by_name.get("cuda-toolkit")
    if toolkit is not None and (cuda := parse_version(str(toolkit.version))):
        return CudaSignal(cuda, toolkit, f"cuda-toolkit {toolkit.version}")
    for name, package in by_name.items():
        match = _CUDNN.fullmatch(name)
        if match:
            return CudaSignal(Cuda(int(match[1])), package, name)
    return None


_IMAGE: Final = re.compile(
    r"(?:.*/)?nvidia/cuda:(?P<version>\d+\.\d+(?:\.\d+)?)-(?P<flavor>[a-z0-9-]+?)-(?P<os>ubuntu(?P<ubuntu>[\d.]+)|[a-z0-9.]+)"
)


@dataclass(frozen=True, slots=True)
class CudaImage:
    """An nvidia/cuda image: version `12.4.1`, flavor `cudnn-devel`, system `ubuntu22.04`."""

    version: str
    flavor: str
    system: str
    ubuntu: str

    @property
    def cuda(self) -> Cuda | None:
        """Major and minor."""
        return parse_version(self.version)


def parse_image(reference: str) -> CudaImage | None:
    """An image reference as a CUDA image, or None if it is no nvidia/cuda image or still has an ARG in it."""
    match = _IMAGE.fullmatch(reference.partition("@")[0])
    if match is None:
        return None
    return CudaImage(match["version"], match["flavor"], match["os"], match["ubuntu"] or "")


def cxx11_abi(torch: Package, target: Target) -> int | None:
    """The C++ ABI that a torch wheel was built with: 1 for the new one, 0 for the old, None if nothing tells.

    From the wheel's tag: manylinux_2_28 builds use the new ABI, older tags the old one (facts on CUDA, table 3.2);
    2.6.0+cu126 is the exception in name, but its tag says so too. From 2.7 on every build has the new one.
    """
    if torch.version is None:
        return None
    if torch.version.release[:2] >= (2, 7):
        return 1
    chosen = target.chosen(torch)
    if chosen is None or not chosen.is_wheel:
        return None
    if torch.version.release[:2] == (2, 6) and torch.version.local == "cu126":
        return 1
    return 1 if "manylinux_2_28" in chosen.filename else 0
