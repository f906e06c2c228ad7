"""A pair as a mutation sees it: locks, selections, and texts in pieces; and a draft that can be changed."""

from __future__ import annotations

import copy
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import tomlkit

from auditor.cli.options import Overrides
from auditor.cli.workspace import load_all
from auditor.errors import SelectionError
from auditor.lock.model import LOCAL_TREES, SourceKind
from auditor.lock.selection import Request, known_extras, known_groups
from auditor.rules.context import TargetContext
from bench.drift.pair import DEV_LOCK, DEV_PROJECT, PROD_LOCK, PROD_PROJECT, Pair
from bench.drift.text import Entry, LockText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from auditor.lock.model import Artifact, Lock, Package
    from auditor.lock.pair import Side as LockSide
    from auditor.rules.context import PairContext
    from bench.drift.text import FileLine

Side = Literal["dev", "prod"]
LOCKS: Final[dict[Side, str]] = {"dev": DEV_LOCK, "prod": PROD_LOCK}
PROJECTS: Final[dict[Side, str]] = {"dev": DEV_PROJECT, "prod": PROD_PROJECT}


@dataclass(frozen=True)
class Victim:
    """A package that both sides install on one target.

    Attributes:
        prod: prod's entry.
        dev: dev's entry.
        on: the target.
    """

    prod: Package
    dev: Package
    on: TargetContext

    @property
    def name(self) -> str:
        """Its normalised name."""
        return self.prod.name

    @property
    def is_same(self) -> bool:
        """Whether both sides have one version and one kind of source: first-party packages have two."""
        return self.prod.version == self.dev.version and self.prod.source.kind is self.dev.source.kind

    @property
    def from_registry(self) -> bool:
        """Whether it comes from an index on both sides."""
        return self.is_same and self.prod.source.kind is SourceKind.REGISTRY

    @property
    def usable(self) -> tuple[Artifact, ...]:
        """The wheels that its target can install."""
        return self.on.target.usable(self.prod)

    @property
    def installed(self) -> Artifact | None:
        """What its target installs."""
        return self.on.target.chosen(self.prod)


class View:
    """A clean pair, read once."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.texts = {side: LockText.parse(pair.files[path]) for side, path in LOCKS.items()}
        with tempfile.TemporaryDirectory(prefix="drift-view-") as folder:
            pair.write(Path(folder))
            self.context: PairContext = load_all(Path(folder), Overrides())[0]
        self.accepted = frozenset(self.context.config.packages)
        self.on_targets = tuple(TargetContext(self.context, target) for target in self.context.targets)
        for each in self.on_targets:
            each.common  # noqa: B018 - selects on both sides, while the files are there

    def side(self, side: Side) -> LockSide:
        """One side as lockaudit reads it."""
        return self.context.dev if side == "dev" else self.context.prod

    def lock(self, side: Side) -> Lock:
        """One lock as lockaudit reads it."""
        return self.side(side).lock

    @cached_property
    def victims(self) -> tuple[Victim, ...]:
        """Every package that both sides install, once for each target; without those that the corpus itself accepts."""
        return tuple(
            Victim(prod, dev, each)
            for each in self.on_targets
            for prod, dev in each.common
            if prod.name not in self.accepted
        )

    def pick(self, rng: Random, wanted: Callable[[Victim], bool]) -> Victim | None:
        """One of the victims that a mutation can use, or None."""
        found = [each for each in self.victims if wanted(each)]
        return rng.choice(found) if found else None

    def roots(self, side: Side) -> bool:
        """Whether a side is a project of its own: not a workspace without one."""
        lock = self.lock(side)
        return len(lock.roots) == 1 and lock.roots[0].source.location == "."

    @cached_property
    def direct(self) -> frozenset[str]:
        """Names that prod's own entry has edges to."""
        (root,) = self.lock("prod").roots
        sections = (root.dependencies, *root.optional.values(), *root.groups.values())
        return frozenset(self.lock("prod").packages[edge.target].name for edges in sections for edge in edges)

    def reached(
        self, on: TargetContext, *, extras: tuple[str, ...] = (), groups: tuple[str, ...] = ()
    ) -> frozenset[str]:
        """Names that dev reaches on a target; none where the extras conflict."""
        request = Request(extras=extras, groups=groups, default_groups=False)
        try:
            return frozenset(each.name for each in self.context.dev.select(on.target, request).packages)
        except SelectionError:
            return frozenset()

    def only_in_groups(self, on: TargetContext) -> dict[str, str]:
        """Names that dev reaches through its groups alone -> a group."""
        chosen = self.context.dev.request
        known = self.by_extras(on).keys() | {each.name for each in on.dev.packages}
        found: dict[str, str] = {}
        for group in known_groups(self.lock("dev")):
            for name in sorted(self.reached(on, extras=chosen.extras, groups=(group,)) - known):
                found.setdefault(name, group)
        return found

    def by_extras(self, on: TargetContext) -> dict[str, str]:
        """Names that dev reaches through extras that nobody chose, and not without them -> an extra."""
        chosen = self.context.dev.request
        known = {each.name for each in on.dev.packages}
        found: dict[str, str] = {}
        for extra in known_extras(self.lock("dev")):
            if extra not in chosen.extras:
                for name in sorted(self.reached(on, extras=(extra,), groups=chosen.groups) - known):
                    found.setdefault(name, extra)
        return found


class Draft:
    """What a mutation changes: a copy of a pair's files, made only where something is touched."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._locks: dict[Side, LockText] = {}
        self._projects: dict[Side, tomlkit.TOMLDocument] = {}
        self._files: dict[str, str] = {}
        self.note = ""

    def lock(self, side: Side) -> LockText:
        """A lock, to be changed."""
        if side not in self._locks:
            self._locks[side] = copy.deepcopy(self.view.texts[side])
        return self._locks[side]

    def project(self, side: Side) -> Any:  # noqa: ANN401 - tomlkit's items are what they are
        """A pyproject.toml, to be changed."""
        if side not in self._projects:
            self._projects[side] = tomlkit.parse(self.view.pair.files[PROJECTS[side]])
        return self._projects[side]

    def file(self, path: str) -> str:
        """The text of any file of the pair as it now is; an empty one where there is none."""
        return self.changed().get(path, self.view.pair.files.get(path, ""))

    def set_file(self, path: str, text: str) -> None:
        """Replace a whole file; what was changed in its pieces before is in the text that `file` gave."""
        for side in LOCKS:
            if path == LOCKS[side]:
                self._locks.pop(side, None)
            if path == PROJECTS[side]:
                self._projects.pop(side, None)
        self._files[path] = text

    def changed(self) -> dict[str, str]:
        """Every file that differs."""
        found = dict(self._files)
        found |= {LOCKS[side]: str(text) for side, text in self._locks.items()}
        found |= {PROJECTS[side]: tomlkit.dumps(each) for side, each in self._projects.items()}
        return {path: text for path, text in found.items() if text != self.view.pair.files.get(path)}

    # -- entries ------------------------------------------------------------------------------------------------

    def entry(self, side: Side, package: Package) -> Entry:
        """The entry of a package; ask before entries are added or removed."""
        return self.lock(side).entries[package.index]

    def line_of(self, side: Side, package: Package, artifact: Artifact) -> FileLine:
        """The line of an artifact."""
        return next(
            each
            for each in self.entry(side, package).files()
            if each.is_wheel == artifact.is_wheel and each.location == artifact.location
        )

    def set_source(self, side: Side, package: Package, source: str) -> None:
        """Give a package another source, and every edge to it that names one."""
        self.set_pin(side, package, self.entry(side, package).field("version"), source)

    def set_version(self, side: Side, package: Package, version: str) -> None:
        """Give a package another version: in its entry, in the names of its files and in the edges to it."""
        self.set_pin(side, package, version, self.entry(side, package).source)

    def set_pin(self, side: Side, package: Package, version: str, source: str) -> None:
        """Give a package another version and another source, at once."""
        entry = self.entry(side, package)
        old = (entry.field("version"), entry.source)
        if version != old[0]:
            for each in list(entry.files()):
                entry.replace(each.line, _renamed(each, old[0], version))
            entry.replace(f'\nversion = "{old[0]}"\n', f'\nversion = "{version}"\n')
        entry.replace(f"\nsource = {old[1]}\n", f"\nsource = {source}\n")
        self._redirect(side, package.name, old, (version, source))

    def _redirect(self, side: Side, name: str, old: tuple[str, str], new: tuple[str, str]) -> None:
        lead = f'{{ name = "{name}", version = "'
        before, after = (f'{lead}{version}", source = {source}' for version, source in (old, new))
        for each in self.lock(side).entries:
            if lead in each.text:
                each.text = each.text.replace(before, after)

    def drop_files(self, side: Side, package: Package) -> None:
        """Remove every artifact of an entry."""
        entry = self.entry(side, package)
        for each in list(entry.files()):
            entry.drop_line(each.line)

    # -- the project --------------------------------------------------------------------------------------------

    def add_dependency(self, side: Side, name: str, source: str = "") -> None:
        """Let the project depend on a package, consistently: edge, metadata and pyproject.toml."""
        lock = self.lock(side)
        root = lock.root
        root.add_edge(f'    {{ name = "{name}"{source} }},')
        if "[package.metadata]" in root.text:
            root.set_metadata("requires-dist", [*root.metadata("requires-dist"), f'{{ name = "{name}" }}'])
        self.project(side)["project"]["dependencies"].append(name)

    def remove_dependency(self, side: Side, name: str) -> None:
        """Let the project no longer depend on a package, consistently, whatever extra or group asks for it."""
        root = self.lock(side).root
        for edge in list(root.edges()):
            if edge.name == name:
                root.drop_line(edge.line)
        kept = [each for each in root.metadata("requires-dist") if f'name = "{name}"' not in each]
        root.set_metadata("requires-dist", kept)
        project = self.project(side)["project"]
        for items in (project["dependencies"], *project.get("optional-dependencies", {}).values()):
            for place in reversed(range(len(items))):
                if _name_of(str(items[place])) == name:
                    del items[place]

    def copy_closure(self, package: Package) -> bool:
        """Copy a package of dev's lock, and all that it can need, to prod's; whether that is possible."""
        dev, prod = self.view.lock("dev"), self.view.lock("prod")
        queue, seen = [package], {package.index}
        missing: list[Package] = []
        while queue:
            each = queue.pop()
            known = prod.by_name.get(each.name, ())
            if not any(other.version == each.version and other.source == each.source for other in known):
                if (
                    known
                    or each.source.kind in LOCAL_TREES
                    or "'extra-" in self.view.texts["dev"].entries[each.index].text
                ):
                    return False
                missing.append(each)
            for edges in (each.dependencies, *each.optional.values()):
                for edge in edges:
                    if edge.target not in seen:
                        seen.add(edge.target)
                        queue.append(dev.packages[edge.target])
        for each in missing:
            self.lock("prod").copy_entry(self.view.texts["dev"].entries[each.index])
        return True

    def entries_with_edge_to(self, side: Side, name: str) -> Iterator[Entry]:
        """Entries that have an edge to a name."""
        for each in self.lock(side).entries:
            if any(edge.name == name for edge in each.edges()):
                yield each


def _name_of(requirement: str) -> str:
    name = requirement.strip()
    for place, sign in enumerate(name):
        if not (sign.isalnum() or sign in "._-"):
            name = name[:place]
            break
    return name.replace("_", "-").replace(".", "-").lower()


def _renamed(file: FileLine, old: str, new: str) -> str:
    """The line of a file whose name has another version, spelled as before."""
    spellings = {old, old.replace("+", "%2B"), old.replace("-", "_")}
    filename = file.filename
    parts = filename.split("-")
    if file.is_wheel and len(parts) > 1:
        public, plus, local = parts[1].partition("%2B") if "%2B" in parts[1] else parts[1].partition("+")
        sign = plus or "+"
        kept = f"{sign}{local}" if plus and "+" not in old else ""
        parts[1] = new.replace("+", "%2B" if sign == "%2B" else "+") + (kept if "+" not in new else "")
        del public
        renamed = "-".join(parts)
    else:
        renamed = filename
        for spelling in spellings:
            renamed = renamed.replace(f"-{spelling}.", f"-{new}.")
    return file.line.replace(
        f"/{filename}" if "/" in file.location else filename, f"/{renamed}" if "/" in file.location else renamed
    )
