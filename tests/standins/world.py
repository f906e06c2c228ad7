"""A realistic world of stand-in packages: what a PyTorch team's two locks are made of, in kilobytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .index import Index
from .native import causal_conv1d_sdist, flash_attn_sdist, torch_files

if TYPE_CHECKING:
    from pathlib import Path

FLASH_ATTN_METADATA = """\
# The sdist computes its metadata by importing torch: state it, so that locking never runs it.
[[tool.uv.dependency-metadata]]
name = "flash-attn"
version = "2.8.3"
requires-dist = ["torch", "einops"]
"""

_PYTHONS = ("cp311", "cp312")
_ON_LINUX = "platform_system == 'Linux' and platform_machine == 'x86_64'"

# The CUDA libraries of a torch, by CUDA version: real names, real versions.
_NVIDIA = {
    "12.4": {
        "nvidia-cublas-cu12": "12.4.5.8",
        "nvidia-cuda-runtime-cu12": "12.4.127",
        "nvidia-cudnn-cu12": "9.1.0.70",
        "nvidia-nvjitlink-cu12": "12.4.127",
    },
    "12.8": {
        "nvidia-cublas-cu12": "12.8.4.1",
        "nvidia-cuda-runtime-cu12": "12.8.90",
        "nvidia-cudnn-cu12": "9.8.0.87",
        "nvidia-nvjitlink-cu12": "12.8.93",
    },
}
_TRITON = "3.2.0"


def make_world(root: Path) -> Index:
    """Write the indexes `pypi`, `cu124` and `cu128`.

    `pypi` has torch 2.6.0 (CUDA 12.4) with torchvision, the nvidia libraries of both CUDA versions, triton, numpy in
    two versions of which the newer refuses Python 3.11, flash-attn 2.8.3 and causal-conv1d 1.5.2 as source
    distributions only, and small pure packages: filelock, einops, requests with its four, pytest with its three (one of
    them on Windows only), ruff. `cu124` and `cu128` have torch 2.6.0+cu124 and 2.6.0+cu128 with torchvision and the
    nvidia libraries; as on the real ones, torch for aarch64 is there without a local version.

    Args:
        root: the folder of the index, made if missing.

    Returns:
        The index, to which tests may add more.
    """
    index = Index(root)
    _pure_packages(index)
    _numpy(index)
    _torch(index, "pypi", "2.6.0", "12.4")
    _torch(index, "cu124", "2.6.0+cu124", "12.4")
    _torch(index, "cu128", "2.6.0+cu128", "12.8")
    for name, version in _NVIDIA["12.8"].items():
        index.wheel("pypi", name, version, tag="py3-none-manylinux2014_x86_64")
    index.add("pypi", "flash-attn", flash_attn_sdist(index.folder("pypi", "flash-attn")))
    index.add("pypi", "causal-conv1d", causal_conv1d_sdist(index.folder("pypi", "causal-conv1d")))
    return index


def _pure_packages(index: Index) -> None:
    for name, version in {
        "certifi": "2025.1.31",
        "charset-normalizer": "3.4.1",
        "colorama": "0.4.6",
        "einops": "0.8.1",
        "filelock": "3.17.0",
        "idna": "3.10",
        "iniconfig": "2.0.0",
        "pluggy": "1.5.0",
        "typing-extensions": "4.12.2",
        "urllib3": "2.3.0",
    }.items():
        index.wheel("pypi", name, version, requires_python=">=3.8")
    for name, version in (("einops", "0.8.0"), ("filelock", "3.16.1"), ("idna", "3.9")):
        index.wheel("pypi", name, version, requires_python=">=3.8")
    index.wheel(
        "pypi",
        "requests",
        "2.32.3",
        requires=["charset-normalizer<4,>=2", "idna<4,>=2.5", "urllib3<3,>=1.21.1", "certifi>=2017.4.17"],
        extras={"socks": ["PySocks!=1.5.7,>=1.5.6"]},
        requires_python=">=3.8",
    )
    index.wheel("pypi", "pysocks", "1.7.1")
    index.wheel(
        "pypi",
        "pytest",
        "8.3.4",
        requires=["iniconfig", "pluggy<2,>=1.5", "colorama; sys_platform == 'win32'"],
        requires_python=">=3.8",
    )
    for platform in ("manylinux_2_17_x86_64.manylinux2014_x86_64", "macosx_11_0_arm64", "win_amd64"):
        index.wheel("pypi", "ruff", "0.9.4", tag=f"py3-none-{platform}", requires_python=">=3.7")


def _numpy(index: Index) -> None:
    """Two versions, of which uv takes one for each Python: a fork."""
    for version, pythons, requires_python in (
        ("2.2.6", _PYTHONS, ">=3.10"),
        ("2.3.1", ("cp312",), ">=3.12"),
    ):
        for python in pythons:
            for platform in ("manylinux_2_27_x86_64.manylinux_2_28_x86_64", "manylinux_2_27_aarch64", "win_amd64"):
                tag = f"{python}-{python}-{platform}"
                index.wheel("pypi", "numpy", version, tag=tag, requires_python=requires_python)
            tag = f"{python}-{python}-macosx_11_0_arm64"
            index.wheel("pypi", "numpy", version, tag=tag, requires_python=requires_python)


def _torch(index: Index, where: str, version: str, cuda: str) -> None:
    """Torch, torchvision, triton and the nvidia libraries of one CUDA version, in one index.

    (The real 2.6.0 wheels are tagged manylinux1 on PyPI and linux on PyTorch's own index.)
    """
    public, _, local = version.partition("+")
    suffix = f"+{local}" if local else ""
    libraries = _NVIDIA[cuda]
    requires = [
        "filelock",
        "typing-extensions>=4.10.0",
        *(f"{name}=={pin}; {_ON_LINUX}" for name, pin in libraries.items()),
        f"triton=={_TRITON}; {_ON_LINUX}",
    ]
    for name, pin in libraries.items():
        index.wheel(where, name, pin, tag="py3-none-manylinux2014_x86_64")
    for python in _PYTHONS:
        builds = [
            (version, f"{python}-{python}-manylinux_2_28_x86_64"),
            (public, f"{python}-{python}-manylinux_2_28_aarch64"),
            (version, f"{python}-{python}-win_amd64"),
        ]
        if not local:  # PyTorch's CUDA indexes have nothing for macOS
            builds.append((public, f"{python}-none-macosx_11_0_arm64"))
        for build, tag in builds:
            files = torch_files(build)
            index.wheel(where, "torch", build, tag=tag, requires=requires, files=files, requires_python=">=3.9")
        tag = f"{python}-{python}-manylinux_2_28_x86_64"
        index.wheel(where, "triton", _TRITON, tag=tag)
        index.wheel(where, "torchvision", f"0.21.0{suffix}", tag=tag, requires=["numpy", f"torch=={version}"])
