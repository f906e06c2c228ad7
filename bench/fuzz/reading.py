"""Harnesses of what reads a lock, a pyproject.toml, settings and the small texts in them."""

from __future__ import annotations

import contextlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auditor.errors import InputError, LockauditError
from auditor.lock.contradictions import contradictions
from auditor.lock.environment import Target
from auditor.lock.marker import MarkerError, allows, is_specifier_set, parse as parse_marker, parse_version
from auditor.lock.pair import Side
from auditor.lock.project import parse_project
from auditor.lock.read import parse_lock
from auditor.lock.requirements import UnknownRequirementError, parse_requirement
from auditor.lock.selection import Request, known_extras, known_groups, select
from auditor.lock.space import conjuncts, environments, extras_of, same_pythons
from auditor.lock.staleness import staleness
from auditor.lock.tags import expanded, tags_in
from auditor.names import normalize
from auditor.position import Position
from auditor.rules import RULES
from auditor.settings import read_config, read_stated
from auditor.source import hide_logins, printable
from auditor.wheel.cuda import parse_image
from auditor.wheel.local_tag import index_build, parse_local, wheel_local
from auditor.wheel.nvcc import read_architectures
from bench.fuzz import seeds
from bench.fuzz.harness import Harness, require, text_file

if TYPE_CHECKING:
    from auditor.lock.model import Lock

NOWHERE: Final = Path("/nonexistent")
TARGETS: Final = tuple(Target.parse(text) for text in ("linux-x86_64-cp312", "windows-amd64-cp311"))
CODES: Final = tuple(rule.code for rule in RULES)


def lock(text: str) -> None:
    """A lock is read or refused with its name and a line; what it is then asked is answered or refused."""
    file = text_file(text, "prod/uv.lock")
    try:
        read = parse_lock(file)
    except InputError as error:
        require(error.path == "prod/uv.lock", "the error names the file")
        require(error.line is None or 1 <= error.line <= len(file.lines) + 1, "the error's line is one of the file")
        raise
    for target in TARGETS:
        for request in (Request(), Request(extras=known_extras(read), groups=known_groups(read))):
            with contextlib.suppress(LockauditError):
                selection = select(read, target, request)
                for package in selection.packages:
                    target.chosen(package)
                    selection.path_to(package)
                    _within(read, Position(file.name, package.line))
    list(contradictions(read, None))


def _within(read: Lock, position: Position) -> None:
    require(1 <= position.line <= len(read.file.lines), "a package's line is one of the file")


@cache
def _side_lock() -> Lock:
    return parse_lock(text_file(seeds.LOCK, "uv.lock"))


def project(text: str) -> None:
    """A pyproject.toml is read, its settings too, and held against a lock."""
    read = parse_project(text_file(text, "pyproject.toml"))
    side = Side(role="dev", lock=_side_lock(), project=read, request=Request(), folder=".")
    read_stated(read.tool("lockaudit"), read.file)
    read_config(read.tool("lockaudit"), read.file, CODES)
    for difference in staleness(side, NOWHERE):
        str(difference)


def settings(text: str) -> None:
    """`[tool.lockaudit]` alone, where every error has a line."""
    read = parse_project(text_file(text, "pyproject.toml"))
    file = read.file
    try:
        read_config(read.tool("lockaudit"), file, CODES)
    except LockauditError as error:
        require(error.line is None or 1 <= error.line <= len(file.lines), "the error's line is one of the file")
        raise


def texts(text: str) -> None:
    """Every text of a lock that is read on its own: markers, requirements, specifiers, versions, names of files."""
    line = text.strip()
    with contextlib.suppress(MarkerError):
        marker = parse_marker(line)
        for target in TARGETS:
            marker.evaluate(target.markers, {"a"})
            marker.without_extras(target.markers)
        sample = environments(frozenset(conjuncts(marker)))
        for environment in sample or ():
            marker.evaluate(environment, extras_of([marker]))
    with contextlib.suppress(UnknownRequirementError):
        declared = parse_requirement(line)
        str(declared)
        version = parse_version("1.2")
        if version is not None:
            declared.admits(version)
    parse_version(line)
    if is_specifier_set(line):
        allows(line, "3.12.1")
        same_pythons(line, ">=3.11")
        environments(frozenset(), line)
    with contextlib.suppress(LockauditError):
        Target.parse(line).fitted([line])
    normalize(line)
    require(printable(line).isprintable(), "what is printable can be printed")
    hide_logins(line)
    if line.count("-") >= 3 and len(line) <= 255:  # as a lock is read
        expanded(tags_in(line))
        wheel_local(line)
    parse_local(line)
    index_build(line)
    parse_image(line)
    read_architectures(line)


LOCK: Final = Harness(
    name="lock",
    what="uv.lock: read, selected on two targets, held against itself",
    seeds=seeds.locks,
    run=lock,
    tree="toml",
    words=seeds.LOCK_WORDS,
    weight=4,
)
PROJECT: Final = Harness(
    name="project",
    what="pyproject.toml: read, lowered, held against a lock",
    seeds=seeds.projects,
    run=project,
    tree="toml",
    words=seeds.PROJECT_WORDS,
    weight=6,
)
SETTINGS: Final = Harness(
    name="settings",
    what="`[tool.lockaudit]`",
    seeds=seeds.settings,
    run=settings,
    tree="toml",
    words=seeds.SETTINGS_WORDS,
    weight=6,
)
TEXTS: Final = Harness(
    name="texts",
    what="markers, requirements, specifiers, versions, file names, targets, images",
    seeds=seeds.texts,
    run=texts,
    words=seeds.TEXT_WORDS,
    weight=6,
)
