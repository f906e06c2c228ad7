"""uv's own answer to "what would be installed": `uv export` evaluated per environment.

Two exports of each request are compared with the walk: requirements.txt gives name and version, pylock.toml gives the
source, and once per lock the files. Their markers are evaluated with `packaging`, not with ours.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import repeat
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import rtoml
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename

from auditor.errors import SelectionError
from auditor.lock.environment import Target
from auditor.lock.model import SourceKind
from auditor.lock.selection import Request, known_extras, known_groups, select, uncovered_reason
from auditor.names import normalize
from tests.standins import uv

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from auditor.lock.model import Lock, Package

PLATFORMS = ("linux-x86_64", "linux-aarch64", "macos-arm64", "windows-amd64", "macos-x86_64", "windows-arm64")
COVERED, ENVIRONMENTS = 9, 11
# (name, version or "", kind of source, location, revision or "")
Row = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Comparison:
    """One request on one target, both answers."""

    where: str
    request: Request
    target: Target
    ours: frozenset[Row]
    theirs: frozenset[Row]

    def __str__(self) -> str:
        only_ours = sorted(self.ours - self.theirs)
        only_theirs = sorted(self.theirs - self.ours)
        return f"{self.where} {self.request} {self.target}: only ours {only_ours}, only uv's {only_theirs}"


@dataclass
class Totals:
    """What a module of tests has compared, for the line at the end of the run."""

    locks: int = 0
    comparisons: int = 0
    differences: int = 0

    def check(self, found: Iterable[Comparison]) -> None:
        """Count the comparisons of one lock, and fail where one of them differs."""
        comparisons = list(found)
        differences = [comparison for comparison in comparisons if comparison.ours != comparison.theirs]
        self.locks += 1
        self.comparisons += len(comparisons)
        self.differences += len(differences)
        assert comparisons
        assert not differences, "\n".join(map(str, differences[:5]))

    def __str__(self) -> str:
        return f"{self.locks} locks, {self.comparisons} comparisons, {self.differences} differences"


@cache
def _parsed(text: str) -> Marker:
    return Marker(text)


@cache
def _evaluate(text: str, target: Target, patch: int) -> bool:
    assert target.patch == patch  # not part of a target's identity, but of what its markers are
    return _parsed(text).evaluate(dict(target.markers))


def targets_for(lock: Lock) -> list[Target]:
    """Environments to compare on: most that the lock covers, a few that it does not."""
    found: dict[bool, list[Target]] = {True: [], False: []}
    for platform in PLATFORMS:
        for minor in (12, 10, 13, 11, 14, 9):
            target = Target.parse(f"{platform}-cp3{minor}").fitted([lock.requires_python])
            found[not uncovered_reason(lock, target)].append(target)
    # Spread over the platforms: every n-th of what there is.
    covered = found[True]
    step = max(1, len(covered) // COVERED)
    chosen = covered[::step][:COVERED]
    return chosen + found[False][: ENVIRONMENTS - len(chosen)]


def _options(request: Request) -> list[str]:
    options = []
    for extra in request.extras:
        options += ["--extra", extra]
    for group in request.groups:
        options += ["--group" if request.project else "--only-group", group]
    if not request.default_groups:
        options.append("--no-default-groups")
    return options


def _installs(folder: Path, request: Request) -> bool:
    arguments = ["sync", "--frozen", "--dry-run", "--offline", "-q", *_options(request)]
    done = uv(*arguments, cwd=folder, check=False)
    assert not done.returncode or "onflict" in done.stderr, done.stderr
    return not done.returncode


def _export(folder: Path, request: Request, kind: str) -> str | None:
    """What uv exports, or None where it refuses the request (conflicting items)."""
    arguments = ["export", "--frozen", "--offline", "--format", kind, "--no-header", "-q", *_options(request)]
    if kind == "requirements.txt":
        arguments += ["--no-hashes", "--no-annotate"]
    done = uv(*arguments, cwd=folder, check=False)
    if done.returncode:
        assert "onflict" in done.stderr or "incompatible" in done.stderr, done.stderr
        return None
    return done.stdout


def _covers(pylock: Mapping[str, Any], target: Target) -> bool:
    """Whether the lock file that uv wrote says that it is for this environment."""
    specifiers = SpecifierSet(pylock.get("requires-python", ""))
    environments = pylock.get("environments", [])
    return specifiers.contains(target.markers["python_full_version"]) and (
        not environments or any(_holds(text, target) for text in environments)
    )


def _row(table: Mapping[str, object]) -> Row:
    name, version = normalize(str(table["name"])), str(table.get("version", ""))
    match table:
        case {"vcs": {"url": url, "commit-id": commit}}:
            return name, version, "git", str(url), str(commit)
        case {"directory": {"path": path, **rest}}:
            return name, version, "editable" if rest.get("editable") else "directory", str(path), ""
        case {"archive": {"url": url}}:
            return name, version, "url", str(url), ""
        case {"archive": {"path": path}}:
            return name, version, "path", str(path), ""
    return name, version, "registry", str(table.get("index", "")), ""


def _ours(package: Package, folder: Path) -> Row:
    source = package.source
    version = "" if package.version is None else str(package.version)
    # pylock.toml leaves out the version of source trees, and writes a registry that is a folder as its address.
    if source.is_local_tree:
        version = ""
    location = source.location
    if source.kind is SourceKind.REGISTRY and "://" not in location:
        location = (folder / location).resolve().as_uri()
    return package.name, version, str(source.kind), location, source.revision


def requests_of(lock: Lock) -> Iterator[Request]:
    """The default selection, each extra alone, each group alone (and only it), and all groups."""
    yield Request()
    yield Request(default_groups=False)
    for extra in known_extras(lock):
        yield Request(extras=(extra,))
    for group in known_groups(lock):
        yield Request(groups=(group,))
        yield Request(groups=(group,), default_groups=False)
        yield Request(groups=(group,), default_groups=False, project=False)
    if known_groups(lock):
        yield Request(groups=known_groups(lock))
    if known_extras(lock):
        yield Request(extras=known_extras(lock))


def compare(folder: Path, lock: Lock, configured: tuple[str, ...] | None) -> Iterator[Comparison]:
    """Every request of a lock on every target, as uv and as we answer it.

    A request that uv refuses must be refused by us too; a target that uv's file excludes must be uncovered for us.
    """
    requests = list(requests_of(lock))
    with ThreadPoolExecutor(2) as pool:
        texts = pool.map(partial(_export, folder), requests, repeat("requirements.txt"))
        exports = pool.map(partial(_export, folder), requests, repeat("pylock.toml"))
        for request, text, exported in zip(requests, texts, exports, strict=True):
            if request == Request() and exported is not None:
                yield _compare_files(folder, lock, rtoml.loads(exported))
            yield from _compare(folder, lock, configured, request, text, exported)


def _compare(
    folder: Path,
    lock: Lock,
    configured: tuple[str, ...] | None,
    request: Request,
    text: str | None,
    exported: str | None,
) -> Iterator[Comparison]:
    targets = targets_for(lock)
    if text is None or exported is None:
        assert all(_refused(lock, target, request, configured) for target in targets), f"uv refuses {request}"
        return
    pylock = rtoml.loads(exported)
    requirements = list(_requirements(text))
    refused = [target for target in targets if _refused(lock, target, request, configured)]
    # Two extras that conflict, each reached through another package: the export has both, the installer refuses.
    assert not refused or not _installs(folder, request), f"uv installs {request}"
    for target in targets:
        if target in refused:
            continue
        selection = select(lock, target, request, configured)
        packages = [package for package in selection.packages if package.source.kind is not SourceKind.VIRTUAL]
        covered = _covers(pylock, target)
        assert covered == (not selection.uncovered), f"{folder.name} {target}: uv says covered={covered}"
        if not covered:
            ours = frozenset(_ours(package, folder) for package in selection.dependencies)
            yield Comparison(folder.name, request, target, ours, frozenset())
            continue
        theirs = frozenset(
            _row(table) for table in pylock.get("packages", []) if _holds(table.get("marker", ""), target)
        )
        ours = frozenset(_ours(package, folder) for package in packages)
        yield Comparison(folder.name, request, target, ours, theirs)
        pinned = frozenset(
            (name, version, "", "", "") for name, version, marker in requirements if _holds(marker, target)
        )
        ours = frozenset((package.name, str(package.version), "", "", "") for package in packages if _pinned(package))
        yield Comparison(f"{folder.name} (requirements.txt)", request, target, ours, pinned)


def _compare_files(folder: Path, lock: Lock, pylock: Mapping[str, Any]) -> Comparison:
    """The files of every package that comes from a registry: names, hashes and sizes."""
    tables = [table for table in pylock.get("packages", []) if "index" in table]
    rows = {_row(table) for table in tables}
    ours = [
        (package.name, str(package.version), _normal(file.filename), file.hash or "", str(file.size or ""))
        for package in lock.packages
        if _pinned(package) and _ours(package, folder) in rows
        for file in package.artifacts
    ]
    theirs = []
    for table in tables:
        for file in [*table.get("wheels", []), *([table["sdist"]] if "sdist" in table else [])]:
            name = file.get("name") or unquote(file["url"].rpartition("/")[2])
            # The lock has no hash of a file in a folder; uv computes it for the export.
            hashes = {} if table["index"].startswith("file:") else file.get("hashes", {})
            digest = ",".join(f"{algorithm}:{value}" for algorithm, value in hashes.items())
            theirs.append((*_row(table)[:2], _normal(name), digest, str(file.get("size", ""))))
    where, target = f"{folder.name} (files)", targets_for(lock)[0]
    return Comparison(where, Request(), target, frozenset(ours), frozenset(theirs))


def _normal(filename: str) -> str:
    """The export normalises the name and the version in some file names."""
    if not filename.endswith(".whl"):
        return filename
    name, version, build, tags = parse_wheel_filename(filename)
    return f"{name} {version} {build} {sorted(map(str, tags))}"


def _pinned(package: Package) -> bool:
    return package.source.kind is SourceKind.REGISTRY


def _holds(marker: str, target: Target) -> bool:
    return not marker or _evaluate(marker, target, target.patch)


def _requirements(text: str) -> Iterator[tuple[str, str, str]]:
    """(name, version, marker) of the `name==version ; marker` lines; names of other lines come with the sources."""
    for line in text.splitlines():
        requirement, _, marker = line.partition(" ; ")
        name, separator, version = requirement.partition("==")
        if separator and not line.startswith(("-", ".", "/")):
            yield normalize(name), version.strip(), marker.strip()


def _refused(lock: Lock, target: Target, request: Request, configured: tuple[str, ...] | None) -> bool:
    try:
        select(lock, target, request, configured)
    except SelectionError:
        return True
    return False
