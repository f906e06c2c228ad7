"""LA3xx, first part: the lock belongs to its project, and its edges to its own metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.finding import Finding, Severity
from auditor.lock.contradictions import Contradiction, Kind, contradictions
from auditor.lock.declarations import lowering_of
from auditor.lock.places import at_edge, at_key, at_lock_key
from auditor.lock.staleness import staleness
from auditor.rules.context import other_side
from auditor.rules.rule import pair_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.lock.model import Lock
    from auditor.lock.pair import Side
    from auditor.lock.staleness import Difference
    from auditor.position import Position
    from auditor.rules.context import PairContext

_SHOWN = 8  # items of a list in a note


@pair_rule("LA301", "lock-stale", Severity.ERROR)
def lock_stale(context: PairContext) -> Iterator[Finding]:
    """A lock does not belong to the pyproject.toml beside it.

    What:
        The project's inputs are other than those the lock was made from: dependencies, extras, groups, sources,
        `requires-python`, members, constraints, overrides, exclusions, environments, conflicts. This is what
        `uv lock --check` compares, here without uv, network or an interpreter. Spelling does not count. What only a
        build can tell (dynamic dependencies) is not judged.
    Why:
        `uv sync --locked` fails in the image; `uv sync --frozen` installs what the project no longer asks for.

    Example:
        `numpy>=2` in pyproject.toml, `{ name = "numpy", specifier = ">=1.26" }` in the lock.
    Fix:
        Run `uv lock` in that folder, and commit both files.
    """
    for side in (context.dev, context.prod):
        for difference in staleness(side, context.pair.root):
            yield _stale(side, difference)


def _stale(side: Side, difference: Difference) -> Finding:
    file = difference.project.file
    place = file.find(difference.at) or file.at(1)
    return lock_stale.finding(
        f"this lock is stale: {difference.what}",
        _at_difference(side.lock, difference),
        package=None if difference.package is None else difference.package.name,
        help=f"run `uv lock` for {side.role}'s lock, and commit both files",
        notes=(
            *_listed("only in pyproject.toml", difference.only_project),
            *_listed("only in the lock", difference.only_lock),
        ),
        related=other_side(place, "the project now"),
    )


def _at_difference(lock: Lock, difference: Difference) -> Position:
    package, key = difference.package, difference.key
    if package is not None:
        return at_key(lock, package, key)
    return at_lock_key(lock, key)


def _listed(title: str, items: tuple[str, ...]) -> tuple[str, ...]:
    if not items:
        return ()
    more = f", and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return (f"{title}: {', '.join(items[:_SHOWN])}{more}",)


@pair_rule("LA302", "contradicts-metadata", Severity.ERROR)
def contradicts_metadata(context: PairContext) -> Iterator[Finding]:
    """A lock contradicts itself: its edges are not what its metadata asks for.

    What:
        A dependency of the project has no edge, an edge has no dependency, or the locked version or source is not one
        that the requirement admits. Overrides, exclusions, forks and conflicting extras count. Constraints and
        overrides are compared with every locked version.
    Why:
        uv never writes such a lock: somebody edited it, or a merge went wrong. `uv lock --check` compares the
        requirements with pyproject.toml, but not with the edges, and `uv sync` installs what the edges say.

    Example:
        `numpy>=2` in `requires-dist`, and numpy locked at 1.26.4.
    Fix:
        Restore the lock from before the edit, or remove it and run `uv lock`.
    """
    for side in (context.dev, context.prod):
        for each in contradictions(side.lock, lowering_of(side, context.pair.root)):
            yield contradicts_metadata.finding(
                _contradiction(each),
                _at_contradiction(side.lock, each),
                package=each.name,
                help="restore the lock from before the edit, or remove it and run `uv lock`",
                notes=(f"asked for: {each.requirement}",) if each.requirement else (),
            )


def _contradiction(each: Contradiction) -> str:
    of = f"{each.package.name} ({each.section})" if each.section else each.package.name
    label = each.target.label if each.target is not None else each.name
    place = each.target.source if each.target is not None else ""
    verb, edge = ("asks for", "without") if each.requirement else ("does not ask for", "with")
    return {
        Kind.MISSING: f"{of} asks for {each.name}, but the lock has no edge to it: it is not installed",
        Kind.GAP: f"{of} asks for {each.name}, but the lock has no edge to it for {each.where}",
        Kind.SURPLUS: f"the lock lets {of} depend on {each.name}, which its metadata does not ask for",
        Kind.VERSION: f"{label} is locked for {of}, whose requirement does not admit it",
        Kind.SOURCE: f"{each.name} is locked from {place} for {of}, which asks for another source",
        Kind.EXTRA: f"{of} {verb} {each.name}[{each.extra}], but its edge is {edge} that extra",
        Kind.BOUND: f"{each.package.label} is locked, which the project's constraints or overrides do not admit",
    }[each.kind]


def _at_contradiction(lock: Lock, each: Contradiction) -> Position:
    if each.kind is Kind.BOUND:
        return at_key(lock, each.package, "version")
    if each.kind is Kind.MISSING:
        return at_key(lock, each.package, "requires-dist" if not each.section.startswith("group") else "metadata")
    if each.kind is Kind.VERSION and each.target is not None:
        return at_key(lock, each.target, "version")
    if each.kind is Kind.SOURCE and each.target is not None:
        return at_key(lock, each.target, "source")
    return at_edge(lock, each.package, each.name)


@pair_rule("LA310", "extra-unknown", Severity.WARNING)
def extra_unknown(context: PairContext) -> Iterator[Finding]:
    """An edge asks for an extra that its target does not have.

    What:
        A dependency is written `{ name = "x", extra = ["y"] }`, and the entry of x has no extra y.
    Why:
        uv drops such an extra when it writes a lock, and ignores it when it reads one: what the extra should bring is
        not installed, and nobody is told.

    Example:
        `{ name = "requests", extra = ["sock"] }`, where the extra is called socks.
    Fix:
        Run `uv lock`; if it stays, correct the extra in pyproject.toml.
    """
    for side in (context.dev, context.prod):
        for package in side.lock.packages:
            for edges in (package.dependencies, *package.optional.values(), *package.groups.values()):
                for edge in edges:
                    target = side.lock.packages[edge.target]
                    for extra in edge.extras:
                        if extra not in target.optional:
                            yield extra_unknown.finding(
                                f"{package.name} asks for {target.name}[{extra}], but {target.label} has no such extra",
                                at_edge(side.lock, package, target.name),
                                package=target.name,
                                help=f"run `uv lock` for {side.role}'s lock, or correct the extra in pyproject.toml",
                            )
