"""The oldest NVIDIA driver that runs a CUDA, on Linux (2026-11).

Source: NVIDIA's table of minor version compatibility (facts on CUDA, 3.3). Within one major version every minor runs on
every driver from that of the family on; across majors only with forward compatibility packages. A CUDA that is not here
is not known, and nothing is said about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.wheel.cuda import Cuda

# CUDA major -> branch of the driver.
MINIMUM_DRIVER: Final = {11: 450, 12: 525, 13: 580}


def driver_floor(cudas: Iterable[Cuda | None]) -> int | None:
    """The driver that all of them need; None where there is no CUDA, or one that is not known."""
    majors = {cuda.major for cuda in cudas if cuda is not None and cuda.major is not None}
    if not majors or not majors <= MINIMUM_DRIVER.keys():
        return None
    return max(MINIMUM_DRIVER[major] for major in majors)
