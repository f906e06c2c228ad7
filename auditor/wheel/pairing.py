"""Which torchvision, torchaudio and triton fit which torch, and other dated facts about published builds (2026-11).

Sources: the compatibility tables of torchvision's README, of PyTorch's wiki (PyTorch Versions) and of torchaudio's
installation page; the requirements that the releases themselves state; facts on CUDA, table 3.2. What is not here is
not known, and nothing is said about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.version import Version

from auditor.wheel.cuda import Cuda

if TYPE_CHECKING:
    from auditor.wheel.local_tag import LocalTag

Release = tuple[int, int]  # major, minor

# torch -> the CUDA that it is built with where nothing else is asked for, torchvision, triton.
_TORCH: Final[dict[Release, tuple[Cuda, Release, Release]]] = {
    (2, 0): (Cuda(11, 7), (0, 15), (2, 0)),
    (2, 1): (Cuda(12, 1), (0, 16), (2, 1)),
    (2, 2): (Cuda(12, 1), (0, 17), (2, 2)),
    (2, 3): (Cuda(12, 1), (0, 18), (2, 3)),
    (2, 4): (Cuda(12, 1), (0, 19), (3, 0)),
    (2, 5): (Cuda(12, 4), (0, 20), (3, 1)),
    (2, 6): (Cuda(12, 4), (0, 21), (3, 2)),
    (2, 7): (Cuda(12, 6), (0, 22), (3, 3)),
    (2, 8): (Cuda(12, 8), (0, 23), (3, 4)),
    (2, 9): (Cuda(12, 8), (0, 24), (3, 5)),
    (2, 10): (Cuda(12, 8), (0, 25), (3, 6)),
    (2, 11): (Cuda(13, 0), (0, 26), (3, 6)),
    (2, 12): (Cuda(13, 0), (0, 27), (3, 7)),
    (2, 13): (Cuda(13, 0), (0, 28), (3, 7)),
    (2, 14): (Cuda(13, 0), (0, 29), (3, 8)),
    (2, 15): (Cuda(13, 2), (0, 29), (3, 9)),
}
# From this release on torchaudio is built against torch's stable ABI, and fits that torch and every later one.
STABLE_TORCHAUDIO: Final = (2, 11)

# The wheels of flash-attn 2.8.0 to 2.8.2 that are named torch2.6cxx11abiFALSE were built with the new C++ ABI:
# Dao-AILab/flash-attention#1717 and #1783 (facts on CUDA, theme 13).
_MISNAMED: Final = ("flash-attn", Version("2.8.0"), Version("2.8.3.dev0"), (2, 6))


def fitting_torches(companion: str, version: Version) -> tuple[Release, ...]:
    """The releases of torch that a torchvision, torchaudio or triton was made for; empty where that is not known."""
    release = _release(version)
    known = tuple(_TORCH)
    match companion:
        case "torchvision":
            return tuple(torch for torch, (_, vision, _) in _TORCH.items() if vision == release)
        case "triton":
            return tuple(torch for torch, (_, _, triton) in _TORCH.items() if triton == release)
        case "torchaudio" if release >= STABLE_TORCHAUDIO:
            return tuple(torch for torch in known if torch >= STABLE_TORCHAUDIO) if release in known else ()
        case "torchaudio" if release in known:
            return (release,)
    return ()


def companion_of(companion: str, torch: Version) -> Version | None:
    """The torchvision or torchaudio that was released together with a torch; None where that is not known.

    Their patch releases follow torch's (torchvision's README; torchaudio's installation page), but for torch 2.0.1,
    whose patch releases were numbered apart, and for torchaudio after it has stopped to need one torch.
    """
    release = _release(torch)
    patch = torch.micro
    if torch.is_prerelease or release not in _TORCH or (release == (2, 0) and patch):
        return None
    match companion:
        case "torchvision":
            return Version(f"{_TORCH[release][1][0]}.{_TORCH[release][1][1]}.{patch}")
        case "torchaudio" if release <= STABLE_TORCHAUDIO:
            return Version(f"{release[0]}.{release[1]}.{patch}")
    return None


def is_known_torch(version: Version) -> bool:
    """Whether the tables know this release of torch: of an unknown one, nothing is said."""
    return _release(version) in _TORCH


def default_cuda(torch: Release) -> Cuda | None:
    """The CUDA of the builds without a local version, on linux and x86_64; companions follow torch's."""
    return _TORCH[torch][0] if torch in _TORCH else None


def is_misnamed(package: str, version: Version, tag: LocalTag) -> bool:
    """Whether a wheel is one of those whose name is known to be wrong about its C++ ABI."""
    name, first, end, torch = _MISNAMED
    return package == name and first <= version < end and torch in tag.torch and tag.cxx11_abi == 0


def _release(version: Version) -> Release:
    return (version.major, version.minor)
