"""Selection equals `uv export --frozen` on locks that the real uv makes here, from stand-in packages."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from auditor.lock.model import SourceKind
from auditor.lock.project import read_project
from auditor.lock.read import read_lock
from auditor.lock.selection import known_extras, known_groups
from tests.lock import made
from tests.lock.random_worlds import random_world
from tests.lock.uv_oracle import compare
from tests.standins import Index, serve, uv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auditor.lock.model import Lock
    from tests.lock.uv_oracle import Totals

RANDOM = range(8)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """The packages of all projects."""
    return made.make_index(tmp_path_factory.mktemp("index"))


@pytest.fixture(scope="module")
def base(index: Index) -> Iterator[str]:
    """The address of the index."""
    index.wheel("pypi", "remote", "1.0", requires=["idna"], extras={"fast": ["speed[c]"]})
    with serve(index.root) as address:
        yield address


def check(folder: Path, totals: Totals) -> Lock:
    """Lock a project, compare every selection of its lock, and return it."""
    uv("lock", "--preview-features", "package-conflicts", "--quiet", cwd=folder)
    configured = read_project(folder / "pyproject.toml").default_groups
    lock = read_lock(folder / "uv.lock")
    totals.check(compare(folder, lock, configured))
    return lock


def versions(lock: Lock, name: str) -> set[str]:
    """The locked versions of a package."""
    return {str(package.version) for package in lock.by_name.get(name, ())}


# What each lock is made for: without it, its test would prove nothing.
CLAIMS: dict[str, Callable[[Lock], object]] = {
    "conflicting CUDA extras": lambda lock: versions(lock, "torch") == {"2.6.0", "2.6.0+cu124", "2.6.0+cu128"},
    "extras against groups": lambda lock: "group-3-app-cu128" in lock.file.text and len(versions(lock, "two")) == 2,
    "the project against a group": lambda lock: len(lock.by_name["two"]) == 2 and "project-3-app" in lock.file.text,
    "every source": lambda lock: {package.source.kind for package in lock.packages} == {*SourceKind} - {SourceKind.GIT},
    "find-links": lambda lock: (
        {lock.by_name[name][0].source.location for name in ("beta", "delta")} == {"wheels", "flat"}
    ),
    "forks by Python": lambda lock: len(lock.resolution_markers) > 1 and len(versions(lock, "two")) == 2,
    "forks by platform": lambda lock: (
        lock.supported_markers and lock.required_markers and len(versions(lock, "two")) == 2
    ),
    "nested extras": lambda lock: (
        {"a", "b", "all", "none"} == {*known_extras(lock)} and "nothing" in known_groups(lock)
    ),
    "conflicts through extras of itself": lambda lock: len(lock.conflicts) == 6,
    "all groups by default": lambda lock: lock.roots[0].default_groups == ("all",),
    "some groups by default": lambda lock: {*(lock.roots[0].default_groups or ())} == {"lint", "doc-tools"},
    "overrides that never hold": lambda lock: "'never'" in lock.file.text and "charset-normalizer" not in lock.by_name,
    "a dynamic version": lambda lock: lock.roots[0].version is None and lock.roots[0].groups == {},
    "a workspace": lambda lock: lock.manifest.members == ("api", "app", "core", "model") and lock.conflicts,
    "conflicts across members": lambda lock: {item.package for item in lock.conflicts[0]} == {"left", "right"},
    "a root without a project": lambda lock: (
        [root.name for root in lock.roots] == ["core", "tool"] and lock.manifest.groups
    ),
}


@pytest.mark.parametrize("name", made.PROJECTS)
def test_selection_equals_uv_export(name: str, base: str, tmp_path: Path, totals: Totals) -> None:
    made.write(tmp_path, name, base)
    lock = check(tmp_path, totals)
    assert CLAIMS[name](lock), name


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not on PATH, so uv has no repository to lock")
def test_selection_equals_uv_export_of_git(base: str, tmp_path: Path, totals: Totals) -> None:
    """One commit asked for by tag, by branch and by nothing; one package below a folder of its repository."""
    repository, folder = tmp_path / "repository", tmp_path / "app"
    for name in ("top", "sub"):
        place = repository if name == "top" else repository / "libs" / name
        place.mkdir(parents=True)
        (place / "pyproject.toml").write_text(made.member(name, dependencies='["speed[c]", "idna"]'), encoding="utf-8")
    author = ("-c", "user.name=a", "-c", "user.email=a@mail.example", "-c", "commit.gpgsign=false")
    for command in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "."),
        ("commit", "--quiet", "-m", "a"),
        ("tag", "v1"),
    ):
        subprocess.run(["git", *author, *command], cwd=repository, check=True)
    folder.mkdir()
    text = made.project(
        dependencies='["top", "sub"]',
        more=f"""
[dependency-groups]
dev = ["top"]

[tool.uv.sources]
top = {{ git = "{repository.as_uri()}", tag = "v1" }}
sub = {{ git = "{repository.as_uri()}", branch = "main", subdirectory = "libs/sub" }}
""",
    )
    (folder / "pyproject.toml").write_text(text.replace("@base@", base), encoding="utf-8")
    lock = check(folder, totals)
    top, sub = (lock.by_name[name][0].source for name in ("top", "sub"))
    assert (top.reference, sub.reference, sub.subdirectory) == ("tag=v1", "branch=main", "libs/sub")
    assert top.revision == sub.revision


@pytest.mark.parametrize("number", RANDOM)
def test_selection_equals_uv_export_at_random(
    number: int, index: Index, base: str, tmp_path: Path, totals: Totals
) -> None:
    text = random_world(index, number)
    (tmp_path / "pyproject.toml").write_text(text.replace("@base@", base), encoding="utf-8")
    check(tmp_path, totals)
