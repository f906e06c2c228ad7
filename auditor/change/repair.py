"""One pair while it is repaired: what was done, what was not because nobody allowed it, and settings carried over."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

from auditor.change import requirements
from auditor.change.settings import about, moved, same, settings_in, write
from auditor.lock.workspace import workspace_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.change.settings import Settings
    from auditor.change.tree import Tree
    from auditor.finding import Finding
    from auditor.rules.context import PairContext

_CONDITIONS: Final = frozenset({"extra", "group"})


class Repair:
    """What the fixers of one pair work on.

    Attributes:
        tree: the mirror, which they edit.
        context: the pair as it is in the mirror now.
        findings: all that is found in it now.
        unsafe: whether what prod says itself may be replaced or removed.
        lines: what was done.
        offers: (code, package) -> what would be done with `--unsafe`.
        is_edited: whether any file was edited since this was last set to False.
        is_stale: whether prod's lock must be derived anew, because its project was edited.
    """

    def __init__(self, tree: Tree, context: PairContext, *, unsafe: bool) -> None:
        self.tree = tree
        self.context = context
        self.findings: tuple[Finding, ...] = ()
        self.unsafe = unsafe
        self.lines: list[str] = []
        self.offers: dict[tuple[str, str | None], str] = {}
        self.is_edited = False
        self.is_stale = False

    @property
    def prod(self) -> str:
        """Prod's folder."""
        return self.context.prod.folder

    @property
    def dev(self) -> str:
        """Dev's folder."""
        return self.context.dev.folder

    def edited(self, line: str, *, project: bool = True) -> None:
        """Something was done; `project` where prod's lock depends on it."""
        self.is_edited = True
        self.is_stale = self.is_stale or project
        if line not in self.lines:
            self.lines.append(line)

    def may(self, finding: Finding, what: str) -> bool:
        """Whether a change may be made that alters what prod says itself; if not, it is offered."""
        if not self.unsafe:
            self.offers.setdefault((finding.code, finding.package), what)
        return self.unsafe

    # -- settings -----------------------------------------------------------------------------------------------

    def carry(self, finding: Finding, key: str, name: str | None = None) -> bool:
        """Let prod's settings say about a package or an index what dev's say; whether they do now."""
        wanted, origin = self.of_dev(key, name)
        place = settings_in(self.tree, self.prod, key)
        if place is None:
            return False
        mine = about(place.values.get(key), name)
        if same(mine, wanted):
            return True
        what = f"{key} of {name}" if name else key
        is_new = not mine
        if not is_new and not self.may(finding, f"{place.path} says otherwise than {origin} with `{what}`"):
            return False
        if write(self.tree, place, key, name, wanted, origin):
            done = f"`{what}` as in {origin}" if wanted else f"`{what}` removed, which {origin} does not have"
            self.edited(f"{place.path}: {done}")
        if key == "sources":
            self.carry_indexes(finding, wanted)
        return True

    def carry_indexes(self, finding: Finding, sources: list[Any]) -> None:
        """The indexes that sources name."""
        for source in (each for value in sources for each in (value if isinstance(value, list) else [value])):
            if isinstance(source, dict) and isinstance(source.get("index"), str):
                self.carry(finding, "index", source["index"])

    def of_dev(self, key: str, name: str | None) -> tuple[list[Any], str]:
        """(what dev's settings say about a package as prod's folder would write it, the file that says so)."""
        first = "pyproject.toml"
        for place in self._places_of_dev(key):
            first = place.path if first == "pyproject.toml" else first
            found = about(place.values.get(key), name)
            if key == "sources":
                found = [each for value in found if (each := self._applying(value)) is not None]
            if found:
                return [moved(each, place.folder, self.prod) for each in found], place.path
        return [], first

    def _places_of_dev(self, key: str) -> Iterator[Settings]:
        """The root's file, then for sources those of its members, which have their own."""
        found = settings_in(self.tree, self.dev, key)
        if found is not None:
            yield found
        workspace = workspace_of(self.context.dev)
        if key == "sources" and workspace is not None:
            for folder in workspace.folders:
                member = settings_in(self.tree, posixpath.normpath(posixpath.join(self.dev, folder)), key)
                if member is not None:
                    yield member

    def _applying(self, value: Any) -> Any:  # noqa: ANN401 - a source of the file
        """The parts of a source that count for what dev selects as production, without their conditions on extras.

        None where nothing is left, or where it is a member of dev's workspace, which prod is not in.
        """
        config = self.context.config.dev
        chosen = []
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, dict) or each.get("workspace") is True:
                continue
            if ("extra" in each and each["extra"] not in (config.extras or ())) or (
                "group" in each and each["group"] not in config.groups
            ):
                continue
            chosen.append({key: item for key, item in each.items() if key not in _CONDITIONS})
        if not chosen:
            return None
        return chosen if len(chosen) > 1 else chosen[0]

    # -- requirements -------------------------------------------------------------------------------------------

    def asked_by_prod(self, name: str) -> list[str]:
        """Prod's own requirements about a package."""
        return requirements.asked(self.tree, self.prod, self.context.config.prod, name)

    def asked_by_dev(self, name: str) -> list[str]:
        """Dev's own requirements about a package."""
        return requirements.asked(self.tree, self.dev, self.context.config.dev, name)
