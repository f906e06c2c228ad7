"""LA3xx, second part: what a lock says of its files, and what nothing in it needs."""

from __future__ import annotations

import itertools
from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Final

from auditor.finding import Finding, Severity
from auditor.lock.compare import canonical_filename, same_source
from auditor.lock.places import at_artifact, at_key, at_top
from auditor.rules.artifacts import artifact_differs, artifact_unhashed
from auditor.rules.context import TargetContext, covers, other_side
from auditor.rules.rule import pair_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.lock.model import Artifact, Lock, Package
    from auditor.lock.pair import Side
    from auditor.position import Position
    from auditor.rules.context import PairContext

KNOWN_REVISION: Final = 5  # of uv 0.13.9
_DIGITS: Final = {"md5": 32, "sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128, "blake2b": 128}
_SHA256_LENGTH: Final = len("sha256:") + _DIGITS["sha256"]
_WEAK: Final = frozenset({"md5", "sha1"})


@pair_rule("LA303", "hash-weak", Severity.WARNING)
def hash_weak(context: PairContext) -> Iterator[Finding]:
    """A file's hash is weak, missing or no hash.

    What:
        An artifact of either lock has only an md5 or sha1 (a warning); none at all, although its registry serves
        hashes (an error where other files of the same package have one, else a warning); or something that is no digest
        of its algorithm, such as zeros (an error). Files that no target installs count too: another platform may.
    Why:
        The hash proves that a file is the one that was locked. uv installs a file without a hash silently, and an md5
        can be forged. `uv lock --check` looks at neither.

    Example:
        `{ url = ".../pkg-1.0.tar.gz", size = 1234 }`, where the wheels beside it have `hash`.
    Fix:
        `uv lock --refresh-package NAME`. If the index serves weak hashes or none, ask its owner for sha256.
    """
    told = _Told(context)
    for side, other in ((context.prod, context.dev), (context.dev, context.prod)):
        hashed = {
            package.source.location for package in side.lock.packages for artifact in package.artifacts if artifact.hash
        }
        for package in side.lock.packages:
            weak = []
            for artifact in package.artifacts:
                if artifact.hash is not None and _is_ordinary(artifact.hash):
                    continue
                fault = _fault(artifact.hash) if artifact.hash is not None else ""
                serves = package.source.location in hashed
                if (artifact.hash is None and not serves) or _at(side, package, artifact) in told.positions:
                    continue
                if artifact.hash is None:
                    yield _missing(side, package, artifact)
                elif fault:
                    yield _broken(side, package, artifact, fault)
                elif _is_weak(artifact) and not (side.role == "dev" and _has_weak(other, package, artifact, side)):
                    weak.append(artifact)
            if weak:
                yield _weak(side, package, weak)


class _Told:
    """Places that LA106 and LA108 name on some target: nothing is told twice. Worked out when first needed."""

    def __init__(self, context: PairContext) -> None:
        self.context = context

    @cached_property
    def positions(self) -> frozenset[Position]:
        found: set[Position] = set()
        for target in self.context.targets:
            if covers(self.context.dev, target) or covers(self.context.prod, target):
                continue
            on_target = TargetContext(self.context, target)
            for rule in (artifact_differs, artifact_unhashed):
                for finding in rule.check(on_target):  # type: ignore[arg-type,call-arg] # both are target rules
                    found |= {finding.position, *(related.position for related in finding.related)}
        return frozenset(found)


def _at(side: Side, package: Package, artifact: Artifact) -> Position:
    return at_artifact(side.lock, package, artifact)


def _missing(side: Side, package: Package, artifact: Artifact) -> Finding:
    beside = any(other.hash for other in package.artifacts)
    reason = "other files of its package have one" if beside else "its registry serves hashes"
    return hash_weak.finding(
        f"{artifact.filename} has no hash, though {reason}",
        _at(side, package, artifact),
        package=package.name,
        severity=Severity.ERROR if beside else None,
        help=f"run `uv lock --refresh-package {package.name}` for {side.role}'s lock",
    )


def _broken(side: Side, package: Package, artifact: Artifact, fault: str) -> Finding:
    return hash_weak.finding(
        f"the hash of {artifact.filename} is not one: {fault}",
        _at(side, package, artifact),
        package=package.name,
        severity=Severity.ERROR,
        help=f"run `uv lock --refresh-package {package.name}` for {side.role}'s lock",
    )


def _weak(side: Side, package: Package, weak: list[Artifact]) -> Finding:
    kinds = " and ".join(sorted({(artifact.hash or "").partition(":")[0] for artifact in weak}))
    files = weak[0].filename if len(weak) == 1 else f"{len(weak)} files of {package.label}"
    return hash_weak.finding(
        f"{files} can be checked by {kinds} only",
        _at(side, package, weak[0]),
        package=package.name,
        help=f"run `uv lock --refresh-package {package.name}` for {side.role}'s lock, or use an index with sha256",
    )


def _is_ordinary(text: str) -> bool:
    """Whether a text is a sha256 of the right length that does not end in one repeated digit: nearly all of them."""
    return len(text) == _SHA256_LENGTH and text.startswith("sha256:") and text[-8:] != text[-1] * 8


def _fault(text: str) -> str:
    """Why a text is no digest, or an empty string."""
    algorithm, _, digits = text.lower().partition(":")
    wanted = _DIGITS.get(algorithm)
    if wanted is None:
        return ""
    if len(digits) != wanted or not set(digits) <= set("0123456789abcdef"):
        return f"{algorithm} has {wanted} hexadecimal digits"
    return f"every digit of it is {digits[0]}" if len(set(digits)) == 1 else ""


def _is_weak(artifact: Artifact) -> bool:
    return artifact.hash is not None and artifact.hash.partition(":")[0] in _WEAK


def _has_weak(other: Side, package: Package, artifact: Artifact, side: Side) -> bool:
    """Whether the other lock has the same file under a weak hash too: one of the two is enough to tell."""
    name = canonical_filename(artifact)
    return any(
        _is_weak(each) and canonical_filename(each) == name
        for theirs in other.lock.by_name.get(package.name, ())
        if theirs.version == package.version and same_source(package.source, theirs.source, side.folder, other.folder)
        for each in theirs.artifacts
    )


@pair_rule("LA305", "orphan-package", Severity.INFO)
def orphan_package(context: PairContext) -> Iterator[Finding]:
    """Nothing in the lock needs a package of it.

    What:
        No root, member, extra, group or other package has an edge to it, in any environment.
    Why:
        It is never installed, and uv never writes one: somebody added it, or removed the edge that led to it. With an
        edge added later it would be installed.

    Example:
        An entry of a package that no `dependencies` names.
    Fix:
        Run `uv lock`, which drops it, and look at who added it.
    """
    for side in (context.dev, context.prod):
        reached = _reachable(side.lock)
        for package in side.lock.packages:
            if package.index not in reached:
                yield orphan_package.finding(
                    f"nothing in this lock needs {package.label}",
                    at_key(side.lock, package, "name"),
                    package=package.name,
                    help=f"run `uv lock` for {side.role}'s lock: it drops what nothing needs",
                )


def _reachable(lock: Lock) -> set[int]:
    """Every package that an edge leads to from a root, whatever the environment, extra or group."""
    names = set(lock.manifest.members)
    for requirements in (lock.manifest.requirements, *lock.manifest.groups.values()):
        names |= {requirement.name for requirement in requirements}
    queue = deque(root.index for root in lock.roots)
    queue.extend(package.index for name in names for package in lock.by_name.get(name, ()))
    reached = set(queue)
    while queue:
        package = lock.packages[queue.popleft()]
        for edges in (package.dependencies, *package.optional.values(), *package.groups.values()):
            for edge in edges:
                if edge.target not in reached:
                    reached.add(edge.target)
                    queue.append(edge.target)
    return reached


@pair_rule("LA308", "newer-revision", Severity.INFO)
def newer_revision(context: PairContext) -> Iterator[Finding]:
    """A lock has a newer revision than lockaudit knows.

    What:
        `revision` is above the newest known one. The lock is read as if it were known, as uv does.
    Why:
        A newer uv may have added something that decides what is installed, and that is not compared here.

    Example:
        `revision = 6`.
    Fix:
        Upgrade lockaudit, or accept the finding with a reason.
    """
    for side in (context.dev, context.prod):
        if side.lock.revision > KNOWN_REVISION:
            yield newer_revision.finding(
                f"this lock has revision {side.lock.revision}; lockaudit knows revisions up to {KNOWN_REVISION}",
                at_top(side.lock, "revision"),
                help="upgrade lockaudit; until then the lock is read as if it had a known revision",
            )


@pair_rule("LA309", "file-twice", Severity.ERROR)
def file_twice(context: PairContext) -> Iterator[Finding]:
    """One lock lists one file with two contents.

    What:
        Two artifacts of one lock have the same source and file name, or the same URL, and another hash or size.
    Why:
        A file has one content: one of the entries was edited or comes from elsewhere.

    Example:
        `pkg-1.0-py3-none-any.whl` twice in the `wheels` of one entry, with two hashes.
    Fix:
        Remove the lock and run `uv lock`, and look at who added the second entry.
    """
    for side in (context.dev, context.prod):
        by_name: dict[str, list[tuple[Package, Artifact]]] = {}
        for package in side.lock.packages:
            for artifact in package.artifacts:
                by_name.setdefault(artifact.filename, []).append((package, artifact))
        for entries in by_name.values():
            for (package, artifact), (other, second) in itertools.combinations(entries, 2):
                same_place = package.source == other.source or artifact.location == second.location != ""
                if same_place and _contradict(artifact, second):
                    yield file_twice.finding(
                        f"{second.filename} is here twice, with other contents",
                        _second_place(side.lock, other, second),
                        package=other.name,
                        help="remove the lock and run `uv lock`, and look at who added the second entry",
                        notes=tuple(f"{each.hash}, {each.size} bytes" for each in (artifact, second)),
                        related=other_side(at_artifact(side.lock, package, artifact), "the first entry"),
                    )


def _contradict(first: Artifact, second: Artifact) -> bool:
    """Whether two entries of one file cannot both be right; hashes of two algorithms cannot be compared."""
    if first.hash and second.hash and first.hash.partition(":")[0] == second.hash.partition(":")[0]:
        return first.hash != second.hash or (None not in {first.size, second.size} and first.size != second.size)
    return False


def _second_place(lock: Lock, package: Package, artifact: Artifact) -> Position:
    """The line of the second entry: found by its hash, because the file name is in the first one too."""
    found = lock.file.find(artifact.hash or artifact.filename, package.line, package.last_line)
    return found or at_artifact(lock, package, artifact)
