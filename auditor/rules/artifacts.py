"""LA1xx, second half: what both sides install comes from the same place and is the same file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.finding import Finding, Severity
from auditor.lock.compare import canonical_filename, is_tree_against_release, same_source
from auditor.lock.model import SourceKind
from auditor.lock.places import at_artifact, at_key
from auditor.rules.context import other_side
from auditor.rules.rule import target_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.lock.model import Artifact, Package, Source
    from auditor.rules.context import TargetContext


@target_rule("LA105", "source-differs", Severity.ERROR)
def source_differs(context: TargetContext) -> Iterator[Finding]:
    """A package comes from another source in prod than in dev.

    What:
        Both sides install the package at the same version, but from another index, repository, commit, archive or
        folder. Spelling does not count: a trailing slash, `.git`, `%2B`, the case of a host.
    Why:
        The same version can be different bits: torch 2.5.1 exists on several indexes, a moved git tag is other code.
        Declared first-party packages may be a source tree in dev and a release in prod; their versions are compared.

    Example:
        `registry = ".../simple"` in dev, `registry = ".../whl/cu124"` in prod.
    Fix:
        Copy the root's `[tool.uv.sources]` and `[[tool.uv.index]]` to prod/pyproject.toml and lock it, or declare the
        package in `[tool.lockaudit] first-party`.
    """
    for prod, dev in context.common:
        if _same_source(context, prod, dev) or prod.name == "torch":
            continue
        if prod.version != dev.version and prod.version and dev.version and not _is_first_party_shape(prod, dev):
            continue  # LA103 says it
        if _is_first_party_shape(prod, dev) and prod.name in context.config.first_party:
            continue
        same_bytes = _same_hash(prod, dev)
        yield source_differs.finding(
            f"{prod.name} comes from {describe(prod.source, dev.source)} in prod,"
            f" {describe(dev.source, prod.source)} in dev",
            at_key(context.of.prod.lock, prod, "source"),
            package=prod.name,
            target=context.target,
            severity=Severity.WARNING if same_bytes else None,
            help=f"declare {prod.name} in `first-party` of [tool.lockaudit] if this is meant"
            if _is_first_party_shape(prod, dev)
            else "give both projects the same `tool.uv.sources` and indexes, and run `uv lock`",
            notes=("both lock the same hash for this target",) if same_bytes else (),
            related=other_side(at_key(context.of.dev.lock, dev, "source"), f"dev: {dev.source}"),
        )


@target_rule("LA106", "artifact-differs", Severity.ERROR)
def artifact_differs(context: TargetContext) -> Iterator[Finding]:
    """One file name, two contents.

    What:
        Both locks list an artifact of the same name, with another hash (or with the same hash and another size).
    Why:
        Files of a release do not change. Somebody replaced one, rebuilt it, or edited a lock: prod would install, or
        fail to install, something that dev never saw. `uv lock --check` does not compare hashes.

    Example:
        `torch-2.6.0-...whl` with `sha256:aa...` in dev and `sha256:bb...` in prod.
    Fix:
        Find out which is right, then `uv lock --refresh-package NAME` on the other side.
    """
    for prod, dev in _same_pin(context):
        theirs = {canonical_filename(artifact): artifact for artifact in dev.artifacts}
        for artifact in prod.artifacts:
            other = theirs.get(canonical_filename(artifact))
            if other is None or not artifact.hash or not other.hash:
                continue
            difference = _difference(artifact, other)
            if difference:
                yield artifact_differs.finding(
                    f"{artifact.filename}: {difference}",
                    at_artifact(context.of.prod.lock, prod, artifact),
                    package=prod.name,
                    target=context.target,
                    help=f"find out which is right, then run `uv lock --refresh-package {prod.name}` on the other side",
                    related=other_side(at_artifact(context.of.dev.lock, dev, other), "the same file in dev"),
                )


@target_rule("LA107", "artifact-unknown", Severity.ERROR)
def artifact_unknown(context: TargetContext) -> Iterator[Finding]:
    """Prod can install a file that dev does not know.

    What:
        Prod's lock lists a wheel that this target can use, or the sdist that it would have to build, and dev's lock
        does not list it. Files for other platforms do not count.
    Why:
        The file was uploaded between the two locks, or comes from elsewhere: it may be chosen before the one that was
        tested.

    Example:
        A build `torch-2.10.0-3-...whl` was uploaded after dev was locked.
    Fix:
        `uv lock --refresh-package NAME` on the older side.
    """
    for prod, dev in _same_pin(context):
        known = {canonical_filename(artifact) for artifact in dev.artifacts}
        for artifact in _installable(context, prod):
            if canonical_filename(artifact) not in known:
                yield artifact_unknown.finding(
                    f"{artifact.filename} can be installed in prod, but dev's lock does not list it",
                    at_artifact(context.of.prod.lock, prod, artifact),
                    package=prod.name,
                    target=context.target,
                    help=f"run `uv lock --refresh-package {prod.name}` for dev's lock",
                    related=other_side(at_key(context.of.dev.lock, dev, "version"), f"{dev.label} in dev"),
                )


@target_rule("LA108", "artifact-unhashed", Severity.ERROR)
def artifact_unhashed(context: TargetContext) -> Iterator[Finding]:
    """A file has no hash.

    What:
        An artifact that this target can install has no hash in the lock: in prod an error, in dev alone a warning,
        because then prod's file cannot be compared.
    Why:
        uv installs an unhashed file silently, whatever its content.

    Example:
        A wheel entry `{ url = "..." }` without `hash`.
    Fix:
        `uv lock --refresh-package NAME`. If the index serves no hashes, use one that does. Files of a find-links
        folder never have one in uv.lock: that is a warning.
    """
    for package in context.prod.dependencies:
        for artifact in _installable(context, package):
            if artifact.hash is None:
                folder = package.source.kind is SourceKind.REGISTRY and "://" not in package.source.location
                yield artifact_unhashed.finding(
                    f"{artifact.filename} has no hash in prod's lock",
                    at_artifact(context.of.prod.lock, package, artifact),
                    package=package.name,
                    target=context.target,
                    severity=Severity.WARNING if folder else None,
                    help="serve the folder as an index: uv.lock has no hashes for files of a find-links folder"
                    if folder
                    else f"run `uv lock --refresh-package {package.name}`, or use an index that serves hashes",
                )
    for prod, dev in _same_pin(context):
        mine = {canonical_filename(artifact): artifact for artifact in _installable(context, prod) if artifact.hash}
        for artifact in dev.artifacts:
            if artifact.hash is None and canonical_filename(artifact) in mine:
                yield artifact_unhashed.finding(
                    f"{artifact.filename} has no hash in dev's lock: prod's cannot be compared with it",
                    at_artifact(context.of.dev.lock, dev, artifact),
                    package=prod.name,
                    target=context.target,
                    severity=Severity.WARNING,
                    help=f"run `uv lock --refresh-package {prod.name}` for dev's lock",
                )


@target_rule("LA114", "nothing-to-install", Severity.ERROR)
def nothing_to_install(context: TargetContext) -> Iterator[Finding]:
    """A selected package has no file that the target can install.

    What:
        No wheel of the package fits the target, and the lock has no sdist to build.
    Why:
        `uv sync` fails in the image, after everything before it was downloaded.

    Example:
        A package with wheels for macOS only, reached on linux.
    Fix:
        Take a version or an index with a wheel for the target, or exclude the package there with a marker.
    """
    for package in context.prod.dependencies:
        if package.source.is_local_tree or package.source.kind is SourceKind.GIT:
            continue
        if context.target.chosen(package) is None:
            count = len(package.wheels)
            files = f"none of its {count} wheels fits" if count else "the lock lists no file for it"
            yield nothing_to_install.finding(
                f"{package.label} cannot be installed on {context.target}: {files}, and it has no sdist",
                at_key(context.of.prod.lock, package, "wheels"),
                package=package.name,
                target=context.target,
                help="take a version or an index that has a wheel for this target",
            )


@target_rule("LA118", "artifact-missing", Severity.WARNING)
def artifact_missing(context: TargetContext) -> Iterator[Finding]:
    """Prod installs another file than dev, because its lock lacks the one that dev installs.

    What:
        Both sides lock one version from one source, and dev's lock lists every file of prod's. But the wheel that dev
        installs on this target is not in prod's lock, so prod takes a wheel that fits less well, or builds the sdist.
        Wheels that this target would not take may be missing.
    Why:
        What is tested is a compiled wheel; what is shipped is a pure one, an older ABI's, or the result of a compiler
        that ran in the image. An index that lost a file for an hour leaves such a lock, and so does an editor.

    Example:
        `numpy-2.2.0-cp312-...whl` in dev; in prod only `numpy-2.2.0.tar.gz`.
    Fix:
        `uv lock --refresh-package NAME` for prod's lock.
    """
    for prod, dev in _same_pin(context):
        mine, theirs = context.target.chosen(prod), context.target.chosen(dev)
        if mine is None or theirs is None:
            continue  # LA114, LA107
        listed = {canonical_filename(artifact) for artifact in prod.artifacts}
        known = {canonical_filename(artifact) for artifact in dev.artifacts}
        if canonical_filename(theirs) in listed or canonical_filename(mine) not in known:
            continue  # LA107 tells of files that dev does not know
        does = "installs" if mine.is_wheel else "builds"
        yield artifact_missing.finding(
            f"prod {does} {mine.filename}, dev installs {theirs.filename}, which prod's lock does not list",
            at_artifact(context.of.prod.lock, prod, mine),
            package=prod.name,
            target=context.target,
            help=f"run `uv lock --refresh-package {prod.name}` for prod's lock",
            related=other_side(at_artifact(context.of.dev.lock, dev, theirs), "what dev installs"),
        )


def describe(source: Source, other: Source) -> str:
    """A source as this comparison should show it: with its full commit where only the commit differs."""
    if source.kind is SourceKind.GIT and other.kind is SourceKind.GIT and source.location == other.location:
        reference = f" ({source.reference})" if source.reference else ""
        return f"git commit {source.revision[:12]}{reference}"
    return str(source)


def _same_source(context: TargetContext, prod: Package, dev: Package) -> bool:
    return same_source(prod.source, dev.source, context.of.prod.folder, context.of.dev.folder)


def _same_pin(context: TargetContext) -> Iterator[tuple[Package, Package]]:
    """Pairs of one version and one source: only their files can be compared."""
    for prod, dev in context.common:
        if prod.version == dev.version and _same_source(context, prod, dev):
            yield prod, dev


def _is_first_party_shape(prod: Package, dev: Package) -> bool:
    return is_tree_against_release(dev.source, prod.source)


def _same_hash(prod: Package, dev: Package) -> bool:
    """Another kind of source, but the same file by its hash (11)."""
    if prod.source.kind is dev.source.kind:
        return False
    theirs = {artifact.hash for artifact in dev.artifacts if artifact.hash}
    return any(artifact.hash in theirs for artifact in prod.artifacts)


def _installable(context: TargetContext, package: Package) -> tuple[Artifact, ...]:
    """The files that this target can install: its usable wheels, or the sdist where there is none (23, 25)."""
    usable = context.target.usable(package)
    if usable:
        return usable
    return (package.sdist,) if package.sdist is not None else ()


def _difference(artifact: Artifact, other: Artifact) -> str:
    """How two files of one name differ, or an empty string."""
    mine, theirs = (artifact.hash or "").lower(), (other.hash or "").lower()
    if mine != theirs:
        my_kind, _, my_hex = mine.partition(":")
        their_kind, _, their_hex = theirs.partition(":")
        if my_kind != their_kind:
            return f"{my_kind} in prod, {their_kind} in dev: the hashes cannot be compared"
        return f"{my_kind} {my_hex[:12]} in prod, {their_hex[:12]} in dev"
    if artifact.size is not None and other.size is not None and artifact.size != other.size:
        return f"one hash, but {artifact.size} bytes in prod and {other.size} in dev"
    return ""
