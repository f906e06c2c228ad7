"""Which packages an image has more, less or in another state, and how many bytes that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.cost.model import Change, ImageCost, PackageChange
from auditor.lock.compare import canonical
from auditor.lock.model import LOCAL_TREES
from auditor.lock.selection import Request, default_groups
from auditor.source import hide_logins
from auditor.wheel.compiled import compiled_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.config import Config
    from auditor.lock.environment import Target
    from auditor.lock.model import Package
    from auditor.lock.pair import Side
    from auditor.rules.context import PairContext


class Installed:
    """What the image of one side installs on a target.

    Both get their default groups, as `uv sync` does; prod without `dev`, as the recipe's `uv sync --no-dev` says.
    """

    def __init__(self, side: Side, target: Target, config: Config) -> None:
        configured = side.project.default_groups if side.project is not None else None
        unasked = default_groups(side.lock, configured)
        groups = (*side.request.groups, *(each for each in unasked if each != "dev" or side.role == "dev"))
        request = Request(extras=side.request.extras, groups=tuple(dict.fromkeys(groups)), default_groups=False)
        self.folder = side.folder
        self.target = target
        selection = side.select(target, request)
        compiled = compiled_packages(selection, also=config.compiled, never=config.not_compiled)
        self.compiled = frozenset(package.name for package in compiled)
        self.by_name = {package.name: package for package in selection.dependencies}

    def size(self, package: Package) -> int | None:
        """Bytes of the file that is downloaded; 0 for a source tree, None for what the lock does not tell."""
        if package.source.kind in LOCAL_TREES:
            return 0
        if package.name in self.compiled:
            return None
        artifact = self.target.chosen(package)
        return artifact.size if artifact is not None else None

    def file(self, package: Package) -> str:
        """The file that is installed, by its hash."""
        artifact = self.target.chosen(package)
        return (artifact.hash or artifact.filename) if artifact is not None else package.source.revision


def image_cost(old: tuple[PairContext, Target] | None, new: tuple[PairContext, Target] | None, role: str) -> ImageCost:
    """What one image costs.

    Args:
        old: the earlier pair with its target, or None where there was none.
        new: the pair now.
        role: `dev` or `prod`.
    """
    before, after = _installed(old, role), _installed(new, role)
    return ImageCost(name=role, changes=tuple(_changes(before, after)))


def _installed(state: tuple[PairContext, Target] | None, role: str) -> Installed | None:
    if state is None:
        return None
    context, target = state
    return Installed(context.dev if role == "dev" else context.prod, target, context.config)


def _changes(before: Installed | None, after: Installed | None) -> Iterator[PackageChange]:
    old = before.by_name if before is not None else {}
    new = after.by_name if after is not None else {}
    for name in sorted(old.keys() | new.keys()):
        if name not in old and after is not None:
            package = new[name]
            yield PackageChange(
                name=name,
                change=Change.ADDED,
                after=_version(package),
                compiled=name in after.compiled,
                size=after.size(package),
            )
        elif name not in new and before is not None:
            package = old[name]
            size = before.size(package)
            yield PackageChange(
                name=name,
                change=Change.REMOVED,
                before=_version(package),
                compiled=name in before.compiled,
                size=None if size is None else -size,
            )
        elif before is not None and after is not None and (moved := _moved(before, after, name)) is not None:
            yield moved


def _moved(before: Installed, after: Installed, name: str) -> PackageChange | None:
    old, new = before.by_name[name], after.by_name[name]
    versions = _version(old), _version(new)
    same_source = canonical(old.source, before.folder) == canonical(new.source, after.folder)
    same_file = before.file(old) == after.file(new)
    if versions[0] == versions[1] and same_source and same_file:
        return None
    sizes = before.size(old), after.size(new)
    sources = ("", "") if same_source else (_source(old), _source(new))
    return PackageChange(
        name=name,
        change=Change.MOVED,
        before=versions[0],
        after=versions[1],
        source_before=sources[0],
        source_after=sources[1],
        file_changed=versions[0] == versions[1] and same_source,
        compiled=name in after.compiled,
        size=None if sizes[0] is None or sizes[1] is None else sizes[1] - sizes[0],
    )


def _version(package: Package) -> str:
    return "" if package.version is None else str(package.version)


def _source(package: Package) -> str:
    return hide_logins(str(package.source))
