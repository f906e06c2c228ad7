"""A lock of the corpus, cut down to the production project that a random selection of its dependencies makes."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import rtoml

from auditor.lock.environment import Target
from auditor.lock.model import LOCAL_TREES
from auditor.lock.selection import Request, known_extras, known_groups, select, uncovered_reason
from auditor.names import normalize
from bench.drift import toml
from bench.drift.origin import PROVIDED, Origin, manifest_requirements, without_members
from bench.drift.pair import DEV_LOCK, DEV_PROJECT, PROD_LOCK, PROD_PROJECT, Pair
from bench.drift.project import pyproject, split_extra
from bench.drift.text import Entry, LockText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
    from random import Random

    from auditor.lock.model import Edge

Table = dict[str, Any]

TARGETS: Final = tuple(
    f"{platform}-cp3{minor}" for platform in ("linux-x86_64", "linux-aarch64", "macos-arm64") for minor in range(9, 15)
)
_GIT: Final = "https://git.example/team"
_MOST: Final = 16  # dependencies of a section that prod takes


class CannotCutError(Exception):
    """Nothing can be cut from a lock in this way."""


def cut(origin: Origin, rng: Random, *, avoid: AbstractSet[str] = frozenset()) -> Pair:
    """A pair: the lock as it is in dev, and cut down in prod.

    Args:
        origin: what to cut.
        rng: chooses targets, extras and dependencies.
        avoid: names of packages that prod must not have.

    Raises:
        CannotCutError: no target is covered, or the choice has nothing to install.
    """
    return _Cut(origin, rng).pair(avoid)


class _Cut:
    def __init__(self, origin: Origin, rng: Random) -> None:
        self.origin = origin
        self.rng = rng
        self.lock = origin.lock
        self.raw: list[Table] = rtoml.loads(origin.files[DEV_LOCK])["package"]
        self.targets = self.choose_targets()
        self.keeps_extras = bool(self.lock.conflicts)
        self.extras = self.choose_extras()
        self.groups = () if self.origin.root.dependencies or self.extras else self.choose_groups()

    def choose_targets(self) -> list[str]:
        python = (self.lock.requires_python,)
        covered = [text for text in TARGETS if not uncovered_reason(self.lock, Target.parse(text).fitted(python))]
        if not covered:
            raise CannotCutError
        linux = [text for text in covered if text.startswith("linux-x86_64")]
        pool = linux if linux and self.rng.random() < 0.6 else covered
        return sorted(self.rng.sample(pool, min(len(pool), self.rng.choice((1, 1, 2)))))

    def choose_extras(self) -> list[str]:
        known = [extra for extra in known_extras(self.lock) if self.origin.root.optional.get(extra)]
        excluding = {item.extra for items in self.lock.conflicts for item in items if item.extra}
        if excluding:
            return [self.rng.choice(sorted(excluding))]
        return sorted(self.rng.sample(known, self.rng.randint(0, min(2, len(known)))))

    def choose_groups(self) -> tuple[str, ...]:
        known = [group for group in known_groups(self.lock) if self.origin.root.groups.get(group)]
        if not known:
            raise CannotCutError
        return (self.rng.choice(known),)

    def pair(self, avoid: AbstractSet[str]) -> Pair:
        chosen = self.choose(avoid)
        reached = self.reach(chosen)
        trees = {index for index in reached if self.lock.packages[index].source.kind in LOCAL_TREES}
        prod = LockText(_prod_head(self.origin.text.head, keep=self.keeps_extras))
        root, requires = self.root(chosen)
        released = {self.lock.packages[index].name for index in trees}
        prod.entries = [self.entry(index, root, released) for index in sorted(reached | {self.origin.root.index})]
        request = Request(extras=tuple(self.extras), groups=self.groups, default_groups=False)
        for text in self.targets:
            target = Target.parse(text).fitted((self.lock.requires_python,))
            if not select(self.lock, target, request).dependencies:
                raise CannotCutError
        project = pyproject(
            root.name,
            self.lock.requires_python,
            version="0.1.0",
            requires=requires,
            extras=known_extras(self.lock) if self.keeps_extras else (),
            settings=self.origin.project.get("tool", {}).get("uv", {}),
            manifest=manifest_requirements(self.lock.manifest.raw),
        )
        files = {**self.origin.files, PROD_LOCK: str(prod), PROD_PROJECT: project}
        files[DEV_PROJECT] = files[DEV_PROJECT].rstrip() + "\n\n" + self.config(sorted(released))
        places = [*self.targets, *(f"extra {extra}" for extra in self.extras), *(f"group {g}" for g in self.groups)]
        return Pair(
            name=f"{self.origin.name}: {len(prod.entries)} of {len(self.raw)}, {', '.join(places)}",
            origin="corpus",
            files=files,
        )

    def config(self, first_party: list[str]) -> str:
        text = f"[tool.lockaudit]\ntargets = {toml.value(self.targets)}\n"
        text += f"first-party = {toml.value(first_party)}\n" if first_party else ""
        text += f"\n[tool.lockaudit.dev]\nextras = {toml.value(self.extras)}\n"
        text += f"groups = {toml.value(list(self.groups))}\n" if self.groups else ""
        return text + (f"\n[tool.lockaudit.prod]\nextras = {toml.value(self.extras)}\n" if self.keeps_extras else "")

    def sections(self) -> Iterator[tuple[str, str, list[str]]]:
        """(kind, name, names of the dependencies) of what counts as production."""
        root = self.origin.root
        yield "", "", [self.lock.packages[edge.target].name for edge in root.dependencies]
        for extra in self.extras:
            yield "extra", extra, [self.lock.packages[edge.target].name for edge in root.optional.get(extra, ())]
        for group in self.groups:
            yield "group", group, [self.lock.packages[edge.target].name for edge in root.groups[group]]

    def choose(self, avoid: AbstractSet[str]) -> dict[str, list[str]]:
        """Names per section. The extras that conflict are kept whole: their markers belong together."""
        found: dict[str, list[str]] = {}
        for kind, name, names in self.sections():
            section = f"{kind} {name}".strip()
            wanted = [
                each
                for each in dict.fromkeys(names)
                if self.requirements(each, kind, name) and not self.names_behind(section, each) & avoid
            ]
            size = self.rng.randint(min(1, len(wanted)), min(len(wanted), _MOST))
            found[section] = sorted(self.rng.sample(wanted, size))
        if not any(found.values()):
            raise CannotCutError
        if self.keeps_extras:
            root = self.origin.root
            for extra, edges in root.optional.items():
                found[f"extra {extra}"] = [self.lock.packages[edge.target].name for edge in edges]
        return found

    def names_behind(self, section: str, name: str) -> set[str]:
        return {self.lock.packages[index].name for index in self.reach({section: [name]})}

    def requirements(self, name: str, kind: str, of: str) -> list[Table]:
        """The entries of the root's metadata that an edge was made from, without the condition of its extra."""
        metadata = self.raw[self.origin.root.index].get("metadata", {})
        if not metadata:
            return [entry for entry in self.declared(kind, of) if normalize(entry["name"]) == name]
        if kind == "group":
            groups = {normalize(group): entries for group, entries in metadata.get("requires-dev", {}).items()}
            return [entry for entry in groups.get(of, []) if normalize(entry["name"]) == name]
        pairs = [split_extra(entry) for entry in metadata.get("requires-dist", [])]
        wanted = of if kind == "extra" else ""
        return [
            rest
            for extra, rest in pairs
            if extra == wanted and normalize(rest["name"]) == name and "extra ==" not in str(rest.get("marker", ""))
        ]

    def declared(self, kind: str, of: str) -> Iterator[Table]:
        """What pyproject.toml declares, of a lock without metadata; what has a source of its own is left out."""
        from packaging.requirements import Requirement  # noqa: PLC0415 - for one lock of the corpus

        project = self.origin.project
        optional = project["project"].get("optional-dependencies", {})
        tables = {"": project["project"].get("dependencies", []), "extra": optional.get(of, [])}
        sources = {normalize(name) for name in project.get("tool", {}).get("uv", {}).get("sources", {})}
        for text in tables.get(kind, []):
            parsed = Requirement(text)
            if normalize(parsed.name) not in sources:
                entry = {
                    "name": normalize(parsed.name),
                    "extras": sorted(parsed.extras),
                    "specifier": str(parsed.specifier),
                }
                entry["marker"] = str(parsed.marker or "").replace('"', "'")
                yield {key: each for key, each in entry.items() if each}

    def root(self, chosen: Mapping[str, list[str]]) -> tuple[Entry, list[Table]]:
        """The root's new entry, and what its project requires."""
        old = self.origin.text.entries[self.origin.root.index]
        name = self.origin.root.name if self.keeps_extras else f"{self.origin.root.name}-prod"
        new = Entry(f'[[package]]\nname = "{name}"\nversion = "0.1.0"\nsource = {{ virtual = "." }}\n\n')
        requires: list[Table] = []
        for section, names in chosen.items():
            place = section if self.keeps_extras else ""
            known = {each.line for each in new.edges() if each.section == place}
            for edge in old.edges():
                if edge.section == section and normalize(edge.name) in names and edge.line not in known:
                    new.add_edge(edge.line, place)
            for entry in self.required(section, names):
                if entry not in requires:
                    requires.append(entry)
        if self.raw[self.origin.root.index].get("metadata"):
            new.set_metadata("requires-dist", [toml.value(entry) for entry in requires])
        if self.keeps_extras:
            new.set_metadata(PROVIDED, [toml.value(extra) for extra in known_extras(self.lock)])
        return new, requires

    def required(self, section: str, names: Sequence[str]) -> Iterator[Table]:
        """What prod's project asks for instead of the chosen dependencies of a section."""
        kind, _, of = section.partition(" ")
        released = self.released_sources()
        for name in dict.fromkeys(names):
            for entry in self.requirements(name, kind, of):
                new = entry
                if kind == "extra" and self.keeps_extras:
                    marker = f"({entry['marker']}) and " if entry.get("marker") else ""
                    new = {**entry, "marker": f"{marker}extra == '{of}'"}
                if name in released:
                    kept: Table = {key: new[key] for key in ("extras", "marker") if key in new}
                    new = {"name": entry["name"], "git": released[name], **kept}
                yield new

    def released_sources(self) -> dict[str, str]:
        """What prod asks for instead of a source tree: a git tag."""
        return {
            package.name: f"{_GIT}/{package.name}.git?tag=v{package.version or 1}"
            for package in self.lock.packages
            if package.source.kind in LOCAL_TREES and package.index != self.origin.root.index
        }

    def entry(self, index: int, root: Entry, released: set[str]) -> Entry:
        """An entry for prod: the root anew, source trees as what was released of them, others as they are."""
        if index == self.origin.root.index:
            return root
        old = self.origin.text.entries[index]
        text = old.text
        if self.lock.packages[index].name in released:
            name = self.lock.packages[index].name
            commit = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
            text = re.sub(
                r"^source = .*$",
                f'source = {{ git = "{self.released_sources()[name]}#{commit}" }}',
                text,
                flags=re.MULTILINE,
            )
            text = (
                re.sub(
                    r"^\[package\.(?:dev-dependencies|metadata).*", "", text, flags=re.MULTILINE | re.DOTALL
                ).rstrip()
                + "\n\n"
            )
        return Entry(text.rstrip() + "\n\n")

    def reach(self, chosen: Mapping[str, list[str]]) -> set[int]:
        """Every package that the chosen dependencies reach in some environment, through whatever extra."""
        packages = self.lock.packages
        root = self.origin.root
        queue: deque[int] = deque()
        seen: set[int] = set()

        def follow(edges: Iterable[Edge]) -> None:
            for edge in edges:
                if edge.target not in seen:
                    seen.add(edge.target)
                    queue.append(edge.target)

        for section, names in chosen.items():
            kind, _, of = section.partition(" ")
            tables = {"": root.dependencies, "extra": root.optional.get(of, ()), "group": root.groups.get(of, ())}
            follow(edge for edge in tables[kind] if packages[edge.target].name in names)
        while queue:
            package = packages[queue.popleft()]
            follow(package.dependencies)
            for edges in package.optional.values():  # the entry keeps every extra that it has
                follow(edges)
        if root.index in seen:
            raise CannotCutError  # the project depends on itself
        return seen


def _prod_head(head: str, *, keep: bool) -> str:
    """The head of a lock for prod: no members, and no conflicts where the extras are gone."""
    text = without_members(head)
    if not keep:
        text = re.sub(r"^conflicts = \[\[\n(?:.*\n)*?\]\]?\n", "", text, flags=re.MULTILINE)
    return text
