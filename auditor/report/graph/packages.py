"""The two selections of a pair on one target, put side by side."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from auditor.errors import LockauditError, SelectionError
from auditor.lock.selection import Request, default_groups, uncovered_reason
from auditor.report.graph.model import Entry, PackageNode, Remark, State, View
from auditor.source import printable
from auditor.wheel.compiled import compiled_packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from auditor.finding import Finding
    from auditor.lock.environment import Target
    from auditor.lock.model import Package
    from auditor.lock.pair import Side
    from auditor.lock.selection import Selection
    from auditor.rules.context import PairContext
    from auditor.rules.run import Outcome

# Families whose findings say that a package is not the same on both sides.
_DRIFT: Final = ("LA1", "LA2")
_NOT_IN_ID: Final = re.compile(r"[^a-z0-9]+")
_ID_LENGTH: Final = 32


def make_view(context: PairContext, target: Target, outcome: Outcome, keys: Mapping[str, str]) -> View:
    """A pair on one target.

    Args:
        context: the pair.
        target: one of its targets.
        outcome: what the audit found.
        keys: package -> build key of what is compiled.
    """
    notes = list(_uncovered(context, target))
    packages: tuple[PackageNode, ...] = ()
    if not notes:
        packages = _Comparison(context, target, outcome, keys, notes).nodes()
    return View(
        pair=printable(context.name),
        target=str(target),
        dev_lock=printable(context.dev.lock.file.name),
        prod_lock=printable(context.prod.lock.file.name),
        packages=packages,
        notes=tuple(map(printable, notes)),
    )


def remark(finding: Finding, accepted: str = "") -> Remark:
    """A finding as the picture shows it."""
    return Remark(
        code=finding.code,
        severity=finding.severity,
        message=printable(finding.message),
        help=printable(finding.help or ""),
        where=printable(f"{finding.position.path}:{finding.position.line}"),
        accepted=printable(accepted),
    )


def all_remarks(outcome: Outcome) -> Iterator[tuple[Finding, Remark]]:
    """Every finding with what is shown of it, the accepted ones last."""
    for finding in outcome.findings:
        yield finding, remark(finding)
    for ignored in outcome.ignored:
        yield ignored.finding, remark(ignored.finding, ignored.reason)


def make_id(prefix: str, name: str, taken: set[str]) -> str:
    """An id of letters, digits and `-` that is not taken yet; it is taken then."""
    base = f"{prefix}-{_NOT_IN_ID.sub('-', name.lower()).strip('-') or 'x'}"[:_ID_LENGTH].rstrip("-")
    found, number = base, 1
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    taken.add(found)
    return found


def _uncovered(context: PairContext, target: Target) -> Iterator[str]:
    for side in (context.dev, context.prod):
        reason = uncovered_reason(side.lock, target)
        if reason:
            yield f"{side.lock.file.name} does not cover {target}: {reason}"


class _Comparison:
    """One view while it is made."""

    def __init__(
        self,
        context: PairContext,
        target: Target,
        outcome: Outcome,
        keys: Mapping[str, str],
        notes: list[str],
    ) -> None:
        self.context = context
        self.target = target
        self.keys = keys
        self.production = context.dev.select(target)
        self.prod = context.prod.select(target)
        self.dev = self.full_dev(notes)
        self.found: dict[str, list[Remark]] = {}
        for finding, shown in all_remarks(outcome):
            if finding.package and self.is_about(finding):
                self.found.setdefault(finding.package, []).append(shown)
        self.compiled = {
            package.name
            for selection in (self.production, self.prod)
            for package in compiled_packages(selection, also=context.config.compiled, never=context.config.not_compiled)
        }

    def is_about(self, finding: Finding) -> bool:
        """Whether a finding is about this target, and this pair's locks where it points into one."""
        here = {str(self.target), *(f"{each} ({self.context.name})" for each in (self.target, "every target"))}
        if finding.target is not None and here.isdisjoint(finding.target.split(", ")):
            return False
        path = finding.position.path
        own = {self.context.dev.lock.file.name, self.context.prod.lock.file.name}
        return path in own or not path.endswith("uv.lock")

    def full_dev(self, notes: list[str]) -> Selection:
        """What the development image installs: the production selection and the groups that uv installs unasked."""
        side = self.context.dev
        try:
            return side.select(self.target, Request(extras=side.request.extras, groups=side.request.groups))
        except SelectionError as error:
            notes.append(f"dev is shown without its default groups: {error}")
            return self.production

    def nodes(self) -> tuple[PackageNode, ...]:
        dev, prod = _by_name(self.dev, self.prod), _by_name(self.prod, self.dev)
        in_production = {package.name for package in self.production.packages}
        ways = self.ways({name for name in dev if name not in prod or name not in in_production})
        taken: set[str] = set()
        found = []
        for name in sorted(dev.keys() | prod.keys()):
            remarks = tuple(self.found.get(name, ()))
            for one, other in zip_longest(dev.get(name, ()), prod.get(name, ())):
                state = _state(one, other, remarks, in_production)
                found.append(
                    PackageNode(
                        id=make_id("p", name, taken),
                        name=printable(name),
                        state=state,
                        compiled=name in self.compiled,
                        dev=None if one is None else self.entry(self.dev, one),
                        prod=None if other is None else self.entry(self.prod, other),
                        why=ways.get(name, ()),
                        key=printable(self.keys.get(name, "")) if name in self.compiled else "",
                        remarks=remarks,
                    )
                )
        return tuple(sorted(found, key=lambda node: (node.state.rank, -node.size, node.id)))

    def entry(self, selection: Selection, package: Package) -> Entry:
        artifact = self.target.chosen(package)
        source, packages = package.source, selection.lock.packages
        edges = selection.edges.get(package.index, ())
        return Entry(
            version="" if package.version is None else printable(str(package.version)),
            kind=source.kind.value,
            source=printable(str(source)),
            file=printable(artifact.filename) if artifact is not None else "",
            hash=printable(artifact.hash or "") if artifact is not None else "",
            size=artifact.size if artifact is not None else None,
            needs=tuple(sorted({printable(packages[edge.target].name) for edge in edges})),
            path=tuple(map(printable, selection.path_to(package))),
        )

    def ways(self, names: set[str]) -> dict[str, tuple[str, ...]]:
        """How dev comes to each of these packages: by the project itself, else through extras, else through groups."""
        side = self.context.dev
        groups = (*side.request.groups, *_defaults(side))
        extras = side.request.extras
        found: dict[str, tuple[str, ...]] = {}
        for level in (
            [("dependency", Request(default_groups=False))],
            [(f"extra {extra}", Request(extras=(extra,), default_groups=False)) for extra in extras],
            [
                (f"group {group}", Request(extras=extras, groups=(group,), default_groups=False))
                for group in dict.fromkeys(groups)
            ],
        ):
            left = names - found.keys()
            reached = {label: self.reached(request) & left for label, request in level} if left else {}
            for name in left:
                labels = tuple(printable(label) for label, there in reached.items() if name in there)
                if labels:
                    found[name] = labels
        return found

    def reached(self, request: Request) -> set[str]:
        try:
            return {package.name for package in self.context.dev.select(self.target, request).packages}
        except LockauditError:  # it conflicts with the rest: then it is no way to anything
            return set()


def _defaults(side: Side) -> tuple[str, ...]:
    return default_groups(side.lock, side.project.default_groups if side.project is not None else None)


def _by_name(selection: Selection, other: Selection) -> dict[str, list[Package]]:
    """Packages by name. A side's own project is none, unless the other side installs it as a package."""
    roots = {root.index for root in selection.lock.roots}
    there = {package.name for package in other.dependencies}
    found: dict[str, list[Package]] = {}
    for package in selection.packages:
        if package.index not in roots or package.name in there:
            found.setdefault(package.name, []).append(package)
    return found


def _state(dev: Package | None, prod: Package | None, remarks: Sequence[Remark], in_production: set[str]) -> State:
    if dev is None:
        return State.PROD_ONLY
    if prod is None:
        return State.DEV_ONLY
    other = dev.version is not None and prod.version is not None and dev.version != prod.version
    told = any(each.code.startswith(_DRIFT) for each in remarks)
    return State.DRIFTED if told or other or dev.name not in in_production else State.SHARED
