"""GPU architectures: how build settings list them, and which toolkit's compiler knows which (dated, 2026-11).

Sources: facts on CUDA, 3.3; the toolkits' release notes: 12.0 dropped Kepler, 13.0 everything before Turing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from auditor.wheel.cuda import Cuda

# Variables of build scripts that list architectures: flash-attn, torch's extensions, TransformerEngine, natten,
# flashinfer.
ARCH_VARIABLES: Final = frozenset(
    {
        "FLASH_ATTN_CUDA_ARCHS",
        "TORCH_CUDA_ARCH_LIST",
        "NVTE_CUDA_ARCHS",
        "NATTEN_CUDA_ARCH",
        "FLASHINFER_CUDA_ARCH_LIST",
    }
)

_ARCH: Final = re.compile(r"(?:(\d{1,2})\.(\d)|(\d{1,2})(\d))(?P<kind>[af])?(?:\+PTX)?", re.IGNORECASE)
_NAMES: Final = {"volta": "70", "turing": "75", "ampere": "80", "ada": "89", "hopper": "90"}

# architecture -> the first toolkit whose nvcc knows it.
_FIRST: Final = {
    75: (10, 0),
    80: (11, 0),
    86: (11, 1),
    89: (11, 8),
    90: (11, 8),
    100: (12, 8),
    101: (12, 8),
    120: (12, 8),
    103: (12, 9),
    121: (12, 9),
    110: (13, 0),
}
_FIRST_KIND: Final = {"f": (12, 9), "a": (12, 0)}  # family- and architecture-specific variants
# The oldest architecture that each toolkit still compiles.
_OLDEST: Final = (((13, 0), 75), ((12, 0), 50), ((11, 0), 35))


def read_architectures(text: str) -> tuple[str, ...] | None:
    """A list such as `80;90a`, `8.0 9.0+PTX` or `Ampere;Hopper`, as `80`, `90a`.

    Returns:
        None where a part of it is no architecture: a reference, `native`, `all`.
    """
    found = []
    for word in re.split(r"[;,\s]+", text.strip().strip("\"'")):
        if not word:
            continue
        name = _NAMES.get(word.lower().removesuffix("+ptx"))
        match = _ARCH.fullmatch(word)
        if name is None and match is None:
            return None
        found.append(name or "".join(part.lower() for part in match.groups() if part))  # type: ignore[union-attr]
    return tuple(found) or None


def refusal(architecture: str, cuda: Cuda) -> str:
    """Why a toolkit's nvcc cannot compile for an architecture; an empty string if it can, or if nobody knows."""
    if cuda.major is None or cuda.minor is None:
        return ""
    toolkit = (cuda.major, cuda.minor)
    kind = architecture[-1] if architecture[-1].isalpha() else ""
    number = int(architecture.removesuffix(kind))
    first = max(_FIRST.get(number, (0, 0)), _FIRST_KIND.get(kind, (0, 0)))
    if toolkit < first:
        return f"sm_{architecture} needs CUDA {first[0]}.{first[1]}"
    oldest = next((least for since, least in _OLDEST if toolkit >= since), 0)
    if number < oldest:
        return f"CUDA {cuda} compiles for sm_{oldest} and newer, not for sm_{architecture}"
    return ""
