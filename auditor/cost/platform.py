"""What an image needs to run: CUDA, driver, Python and C++ ABI, and which of it a change moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.cost.model import Difference
from auditor.dockerfile.pins import read_pins
from auditor.errors import LockauditError
from auditor.wheel.cuda import cuda_of, cxx11_abi, parse_version
from auditor.wheel.driver import driver_floor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.lock.environment import Target
    from auditor.rules.context import PairContext


def platform_changes(
    old: tuple[PairContext, Target] | None, new: tuple[PairContext, Target] | None
) -> Iterator[Difference]:
    """The facts that differ, in a fixed order; none where one of the two states is not there."""
    if old is None or new is None:
        return
    before, after = facts_of(*old), facts_of(*new)
    for name, value in after.items():
        if before[name] != value:
            yield Difference(name, before[name], value)


def facts_of(context: PairContext, target: Target) -> Mapping[str, str]:
    """Name -> value of what prod needs on a target; an empty string where nobody knows or there is none."""
    selection = context.prod.select(target)
    signal = cuda_of(selection.packages, target)
    of_torch = signal.cuda if signal is not None else None
    try:
        pins = read_pins(context.config, context.dockerfile) if context.dockerfile is not None else None
    except LockauditError:
        pins = None
    of_image = parse_version(pins.cuda.value) if pins is not None else None
    torch = next(iter(selection.get("torch")), None)
    abi = cxx11_abi(torch, target) if torch is not None else None
    floor = driver_floor((of_torch, of_image if of_torch is not None and of_torch.major is not None else None))
    major = of_torch.major if of_torch is not None else None
    return {
        "CUDA major of torch": str(major or ""),
        "CUDA of torch": str(of_torch) if of_torch is not None else "",
        "CUDA of the image": pins.cuda.value if pins is not None else "",
        "oldest driver": str(floor or ""),
        "Python": target.python,
        "C++ ABI": "" if abi is None else str(abi),
        "Ubuntu": pins.ubuntu.value if pins is not None else "",
        "platform": target.docker_platform,
    }
