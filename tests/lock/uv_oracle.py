"""uv's own answer to "what would be installed": `uv export` evaluated per environment.

Two exports of each request are compared with the walk: requirements.txt gives name and version, pylock.toml gives the
source. Their markers are evaluated with `packaging`, not with ours.
"""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from auditor.lock.environment import Target
from auditor.lock.model import SourceKind
from auditor.lock.read import normalize
from auditor.lock.selection import Request, known_extras, known_groups, select, uncovered_reason
from tests.standins import uv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
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


@cache
def _evaluate(text: str, target: Target) -> bool:
    return Marker(text).evaluate(dict(target.markers))


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


def _export(folder: Path, request: Request, kind: str) -> str | None:
    """uv's export, or None where uv refuses the request (conflicting items)."""
    arguments = ["export", "--directory", str(folder), "--frozen", "--offline", "--format", kind, "--no-header", "-q"]
    if kind == "requirements.txt":
        arguments += ["--no-hashes", "--no-annotate"]
    for extra in request.extras:
        arguments += ["--extra", extra]
    for group in request.groups:
        arguments += ["--group" if request.project else "--only-group", group]
    if not request.default_groups:
        arguments.append("--no-default-groups")
    done: subprocess.CompletedProcess[str] = uv(*arguments, cwd=folder, check=False)
    if done.returncode:
        assert "onflict" in done.stderr or "incompatible" in done.stderr, done.stderr
        return None
    return done.stdout


def _covers(pylock: Mapping[str, Any], target: Target) -> bool:
    """Whether the lock file that uv wrote says that it is for this environment."""
    specifiers = SpecifierSet(pylock.get("requires-python", ""))
    environments = pylock.get("environments", [])
    return specifiers.contains(target.markers["python_full_version"]) and (
        not environments or any(_evaluate(text, target) for text in environments)
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


def _ours(package: Package) -> Row:
    source = package.source
    version = "" if package.version is None else str(package.version)
    # pylock.toml leaves out the version of source trees, and writes the index of registries only.
    if source.is_local_tree:
        version = ""
    return package.name, version, str(source.kind), source.location, source.revision


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
    targets = targets_for(lock)
    for request in requests_of(lock):
        text = _export(folder, request, "requirements.txt")
        exported = _export(folder, request, "pylock.toml")
        if text is None or exported is None:
            assert all(_refused(lock, target, request, configured) for target in targets), f"uv refuses {request}"
            continue
        pylock = tomllib.loads(exported)
        for target in targets:
            selection = select(lock, target, request, configured)
            packages = [package for package in selection.packages if package.source.kind is not SourceKind.VIRTUAL]
            covered = _covers(pylock, target)
            assert covered == (not selection.uncovered), f"{folder.name} {target}: uv says covered={covered}"
            if not covered:
                yield Comparison(folder.name, request, target, frozenset(map(_ours, selection.dependencies)), frozenset())
                continue
            theirs = frozenset(
                _row(table) for table in pylock.get("packages", []) if _holds(table.get("marker", ""), target)
            )
            yield Comparison(folder.name, request, target, frozenset(_ours(package) for package in packages), theirs)
            pinned = frozenset((name, version) for name, version, marker in _requirements(text) if _holds(marker, target))
            yield Comparison(
                f"{folder.name} (requirements.txt)",
                request,
                target,
                frozenset((p.name, str(p.version), "", "", "") for p in packages if _pinned(p)),
                frozenset((name, version, "", "", "") for name, version in pinned),
            )


def _pinned(package: Package) -> bool:
    return package.source.kind is SourceKind.REGISTRY


def _holds(marker: str, target: Target) -> bool:
    return not marker or _evaluate(marker, target)


def _requirements(text: str) -> Iterator[tuple[str, str, str]]:
    """(name, version, marker) of the `name==version ; marker` lines; names of other lines come with the sources."""
    for line in text.splitlines():
        requirement, _, marker = line.partition(" ; ")
        name, separator, version = requirement.partition("==")
        if separator and not line.startswith(("-", ".", "/")):
            yield normalize(name), version.strip(), marker.strip()


def _refused(lock: Lock, target: Target, request: Request, configured: tuple[str, ...] | None) -> bool:
    from auditor.errors import SelectionError  # noqa: PLC0415

    try:
        select(lock, target, request, configured)
    except SelectionError:
        return True
    return False
