"""Which packages of a selection an image has to compile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.lock.model import LOCAL_TREES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.lock.model import Package
    from auditor.lock.selection import Selection


def compiled_packages(
    selection: Selection, *, also: Iterable[str] = (), never: Iterable[str] = ()
) -> tuple[Package, ...]:
    """The packages that have no usable wheel for the target, a source to build, and an edge to torch; sorted by name.

    No list of names is needed: whatever is built against torch is coupled to its version, its CUDA and its ABI.

    Args:
        selection: what is installed.
        also: names to add if they are selected (a wheel exists, but the team compiles its own).
        never: names to leave out.
    """
    added, excluded = set(also), set(never)
    return tuple(
        package
        for package in selection.dependencies
        if package.name not in excluded and (package.name in added or _is_compiled(selection, package))
    )


def _is_compiled(selection: Selection, package: Package) -> bool:
    if package.source.kind in LOCAL_TREES or selection.target.usable(package):
        return False
    if package.wheels and package.sdist is None:  # only wheels, and none that fits: nothing to compile from
        return False
    packages = selection.lock.packages
    return any(packages[edge.target].name == "torch" for edge in selection.edges.get(package.index, ()))
