"""LA1xx: prod is a consistent subset of dev."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.errors import SelectionError
from auditor.finding import Finding, Severity
from auditor.lock.marker import allows, split_specifiers
from auditor.lock.model import SourceKind
from auditor.lock.places import at_key, at_top
from auditor.lock.selection import Request, known_extras, known_groups
from auditor.rules.context import covers, other_side
from auditor.rules.rule import pair_rule, target_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.lock.model import Package
    from auditor.rules.context import PairContext, TargetContext


@target_rule("LA101", "not-in-dev", Severity.ERROR)
def not_in_dev(context: TargetContext) -> Iterator[Finding]:
    """A package is installed in production that development never installs.

    What:
        On this target, prod's selection has a package that no selection of dev reaches: dev's lock does not have it at
        all, or has it for other environments only.
    Why:
        Nobody has run or tested this package together with the rest. It usually arrives when prod is locked later than
        dev, or without dev's constraints and overrides.

    Example:
        prod/uv.lock has `orjson 3.10.0`, uv.lock has no orjson.
    Fix:
        Add the package to the root project and lock it, or remove it from prod/pyproject.toml and run `uv lock` there.
    """
    for package, brought in _missing(context, wanted="absent"):
        elsewhere = context.of.dev.lock.by_name.get(package.name)
        reason = "dev's lock has it for other environments only" if elsewhere else "dev's lock does not have it"
        yield not_in_dev.finding(
            f"{package.label} is installed in prod, but {reason}",
            at_key(context.of.prod.lock, package, "name"),
            package=package.name,
            target=context.target,
            help=f"add {package.name} to the root project and lock it, or remove it from prod and run `uv lock` there",
            notes=(*_path_note(context, package), *brought),
            related=()
            if not elsewhere
            else other_side(at_key(context.of.dev.lock, elsewhere[0], "name"), "dev's entry, not for this target"),
        )


@target_rule("LA102", "dev-only-group", Severity.ERROR)
def dev_only_group(context: TargetContext) -> Iterator[Finding]:
    """A development tool reaches production.

    What:
        Prod installs a package that dev reaches only through its dependency groups, never through the project's own
        dependencies.
    Why:
        Test and build tools do not belong into a production image: they add size and attack surface.

    Example:
        pytest is in the root's `dev` group, and prod/pyproject.toml depends on it.
    Fix:
        Remove the package from prod. If production needs it, move it from the group to the root's dependencies.
    """
    for package, brought in _missing(context, wanted="group"):
        groups = _reaching_groups(context, package.name)
        yield dev_only_group.finding(
            f"{package.label} is installed in prod, but dev has it only through {_named('group', groups)}",
            at_key(context.of.prod.lock, package, "name"),
            package=package.name,
            target=context.target,
            help=f"remove {package.name} from prod, or move it to the root project's own dependencies",
            notes=(*_path_note(context, package), *brought),
        )


@target_rule("LA103", "version-differs", Severity.ERROR)
def version_differs(context: TargetContext) -> Iterator[Finding]:
    """A package has another version in prod than in dev.

    What:
        Both sides install the package on this target, at different versions, the local part (`+cu124`) included.
    Why:
        What is tested is not what is shipped. torch has a rule of its own, LA201.

    Example:
        filelock 3.18.0 in dev, where a constraint holds it back, and 3.19.1 in prod, which does not know of it.
    Fix:
        Lock both sides to one version: copy uv.lock's constraint to prod/pyproject.toml and run `uv lock` there.
    """
    for prod, dev in _comparable(context):
        if prod.version is not None and dev.version is not None and prod.version != dev.version:
            yield version_differs.finding(
                f"{prod.name} {prod.version} in prod, {dev.version} in dev",
                at_key(context.of.prod.lock, prod, "version"),
                package=prod.name,
                target=context.target,
                help=_version_help(context, prod, dev),
                related=other_side(at_key(context.of.dev.lock, dev, "version"), f"{dev.label} in dev"),
            )


@target_rule("LA104", "dev-only-extra", Severity.ERROR)
def dev_only_extra(context: TargetContext) -> Iterator[Finding]:
    """A package of an extra that production does not select is installed in production.

    What:
        Prod installs a package that dev reaches only through an extra outside dev's production selection.
    Why:
        Either the comparison selects too little of dev, or prod installs too much. Both make the proof hollow.

    Example:
        The root's `viz` extra brings matplotlib; prod depends on matplotlib, but `viz` is not in
        `[tool.lockaudit.dev] extras`.
    Fix:
        Add the extra to `[tool.lockaudit.dev] extras` if production is meant to have it, else remove the package from
        prod.
    """
    for package, brought in _missing(context, wanted="extra"):
        extras = _reaching_extras(context, package.name)
        yield dev_only_extra.finding(
            f"{package.label} is installed in prod, but is not in dev's production selection: dev has it only through"
            f" {_named('extra', extras)}",
            at_key(context.of.prod.lock, package, "name"),
            package=package.name,
            target=context.target,
            help=f"choose it with --dev-extra {extras[0]} or `extras` in [tool.lockaudit.dev], or remove"
            f" {package.name} from prod",
            notes=(*_path_note(context, package), *brought),
        )


@pair_rule("LA109", "target-not-covered", Severity.ERROR)
def target_not_covered(context: PairContext) -> Iterator[Finding]:
    """A lock does not cover a target that must be proven.

    What:
        The target lies outside the lock's `requires-python`, or outside all of its resolution markers.
    Why:
        Outside of what it was resolved for, a lock says nothing: every edge is false, and an empty selection would pass
        every comparison.

    Example:
        `requires-python = ">=3.10, !=3.11.*"` and the target linux-x86_64-cp311.
    Fix:
        Widen `requires-python` or `tool.uv.environments` and lock again, or drop the target from
        `[tool.lockaudit] targets`.
    """
    for target in context.targets:
        for side in (context.dev, context.prod):
            reason = covers(side, target)
            if not reason:
                continue
            key = "requires-python" if reason.startswith("its requires-python") else "resolution-markers"
            message = (
                f"dev never resolved {target}: {reason}"
                if side is context.dev
                else f"the prod lock cannot serve {target}: {reason}"
            )
            yield target_not_covered.finding(
                message,
                at_top(side.lock, key),
                target=target,
                help="widen it in pyproject.toml and run `uv lock`, or remove the target",
            )


@target_rule("LA110", "empty-selection", Severity.ERROR)
def empty_selection(context: TargetContext) -> Iterator[Finding]:
    """The production image would install nothing.

    What:
        Prod's selection holds nothing but the project itself.
    Why:
        An empty selection is a subset of everything: it would pass, and prove nothing. All dependencies being in groups
        or extras that nobody selected is the usual reason.

    Example:
        Every dependency of prod is in the `serve` group, and the image is built without `--group serve`.
    Fix:
        Say what the image installs: `[tool.lockaudit.prod]` extras and groups, or `--prod-extra` and `--prod-group`.
    """
    if context.prod.dependencies:
        return
    lock = context.of.prod.lock
    offers = [
        _named(kind, names) for kind, names in (("group", known_groups(lock)), ("extra", known_extras(lock))) if names
    ]
    root = lock.roots[0] if lock.roots else None
    yield empty_selection.finding(
        "prod's selection is empty: nothing would be installed",
        at_top(lock, "version") if root is None else at_key(lock, root, "dependencies"),
        target=context.target,
        help="say what the image installs with --prod-group or --prod-extra, or in [tool.lockaudit.prod]",
        notes=(f"prod has {' and '.join(offers)}",) if offers else (),
    )


_FIRST_MINOR, _LAST_MINOR = 6, 20


@pair_rule("LA111", "requires-python-wider", Severity.WARNING)
def requires_python_wider(context: PairContext) -> Iterator[Finding]:
    """Prod allows Pythons that dev never resolved.

    What:
        A version of Python satisfies prod's `requires-python` but not dev's, or lies outside dev's resolution markers.
    Why:
        An image built with such a Python installs packages that nobody tested. Where a target itself is outside,
        LA109 is an error; this is the warning before it.

    Example:
        `>=3.10` in prod, `>=3.10, !=3.11.*, <3.13` in dev.
    Fix:
        Give prod/pyproject.toml the same `requires-python` as the root, and lock it.
    """
    wider = [version for version in _sample(context) if _prod_only(context, version)]
    if not wider:
        return
    prod, dev = context.prod.lock, context.dev.lock
    yield requires_python_wider.finding(
        f"prod allows Python {prod.requires_python}, dev was resolved for {dev.requires_python}:"
        f" nobody resolved {_spans(wider)}",
        at_top(prod, "requires-python"),
        help=f'set `requires-python = "{dev.requires_python}"` in {context.prod.folder}/pyproject.toml, and lock it',
        related=other_side(at_top(dev, "requires-python"), "dev's"),
    )


def _sample(context: PairContext) -> list[str]:
    """Versions of Python at which an answer can change: every minor's first and last, and each one that is named."""
    named = {
        literal.removesuffix(".*")
        for side in (context.dev, context.prod)
        for _, literal in split_specifiers(side.lock.requires_python)
    }
    found = {f"3.{minor}.{patch}" for minor in range(_FIRST_MINOR, _LAST_MINOR + 1) for patch in (0, 99)}
    found |= {name for name in named if name.count(".") == 2 and name.replace(".", "").isdigit()}  # noqa: PLR2004
    return sorted(found, key=lambda text: tuple(int(part) for part in text.split(".")))


def _prod_only(context: PairContext, version: str) -> bool:
    if not allows(context.prod.lock.requires_python, version):
        return False
    if not allows(context.dev.lock.requires_python, version):
        return True
    forks = context.dev.lock.resolution_markers or context.dev.lock.supported_markers
    environment = dict(context.targets[0].markers) if context.targets else {}
    environment |= {"python_full_version": version, "python_version": version.rpartition(".")[0]}
    return bool(forks) and not any(marker.without_extras(environment) for marker in forks)


def _spans(versions: list[str]) -> str:
    """`3.11, 3.13 and later`."""
    minors = sorted({int(version.split(".")[1]) for version in versions})
    runs: list[list[int]] = []
    for minor in minors:
        if runs and minor == runs[-1][-1] + 1:
            runs[-1].append(minor)
        else:
            runs.append([minor])
    words = []
    for run in runs:
        if run[-1] == _LAST_MINOR:
            words.append(f"3.{run[0]} and later")
        else:
            words.append(f"3.{run[0]}" if len(run) == 1 else f"3.{run[0]} to 3.{run[-1]}")
    return ", ".join(words)


def _version_help(context: TargetContext, prod: Package, dev: Package) -> str:
    folder = context.of.prod.folder
    if prod.source.kind is SourceKind.REGISTRY:
        return f"run `uv lock --upgrade-package {prod.name}=={dev.version}` in {folder}"
    return f"point {prod.name} in {folder}/pyproject.toml at the release of {dev.version}, or release what dev has"


def _comparable(context: TargetContext) -> Iterator[tuple[Package, Package]]:
    """(prod, dev) of every shared package but torch, whose pin has a rule of its own."""
    return (pair for pair in context.common if pair[0].name != "torch")


def _missing(context: TargetContext, wanted: str) -> Iterator[tuple[Package, tuple[str, ...]]]:
    """Packages of prod that dev's production selection lacks and that dev reaches in the `wanted` way.

    A package that only comes because a missing one depends on it is told in that one's notes, not on its own.
    """
    lacking = {
        package.index: package for package in context.prod.dependencies if package.name not in context.dev_by_name
    }
    parents: dict[int, set[int]] = {}
    for parent, edges in context.prod.edges.items():
        for edge in edges:
            parents.setdefault(edge.target, set()).add(parent)
    brought: dict[int, list[str]] = {}
    for index, package in lacking.items():
        top = index
        while _only_through(context, top, lacking, parents):
            top = context.prod.reached[top].parent or 0
        if top != index:
            brought.setdefault(top, []).append(package.label)
    for index, package in lacking.items():
        if _only_through(context, index, lacking, parents) or _how_dev_reaches(context, package.name) != wanted:
            continue
        names = brought.get(index, [])
        yield package, (f"it brings {', '.join(names)} with it",) if names else ()


def _only_through(
    context: TargetContext, index: int, lacking: dict[int, Package], parents: dict[int, set[int]]
) -> bool:
    """Whether every package of prod that depends on this one is missing in dev too."""
    parent = context.prod.reached[index].parent
    return parent in lacking and parents.get(index, set()) <= lacking.keys()


def _how_dev_reaches(context: TargetContext, name: str) -> str:
    if name not in context.of.dev.lock.by_name:
        return "absent"
    if _reaching_extras(context, name):
        return "extra"
    return "group" if _reaching_groups(context, name) else "absent"


def _reaching_groups(context: TargetContext, name: str) -> list[str]:
    groups = known_groups(context.of.dev.lock)
    request = context.of.dev.request
    return [
        group
        for group in groups
        if _reaches(context, name, Request(extras=request.extras, groups=(group,), default_groups=False))
    ]


def _reaching_extras(context: TargetContext, name: str) -> list[str]:
    chosen = context.of.dev.request
    found = []
    for extra in known_extras(context.of.dev.lock):
        if extra in chosen.extras:
            continue
        alone = Request(extras=(extra,), groups=chosen.groups, default_groups=False)
        if _reaches(context, name, alone):
            found.append(extra)
    return found


def _reaches(context: TargetContext, name: str, request: Request) -> bool:
    try:
        selection = context.of.dev.select(context.target, request)
    except SelectionError:  # conflicts with what is chosen: then it is no way to reach anything
        return False
    return bool(selection.get(name))


def _path_note(context: TargetContext, package: Package) -> tuple[str, ...]:
    path = context.prod.path_to(package)
    return (f"prod: {' -> '.join(path)}",) if len(path) > 1 else ()


def _named(kind: str, names: tuple[str, ...] | list[str]) -> str:
    """`the group dev`, `the groups dev, docs`."""
    return f"the {kind}{'s' if len(names) > 1 else ''} {', '.join(names)}"
