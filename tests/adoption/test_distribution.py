"""The wheel and the sdist: built by the real uv, installed by pip and by uv where nothing else is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from packaging.metadata import Metadata

from auditor import __version__
from auditor.cli.adopt import template
from tests.engine.baking import lockaudit
from tests.engine.project import write_project
from tests.standins import uv_binary
from tests.support import REPOSITORY, missing

from .hooks import environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BUILT_OF: Final = ("auditor", "docker", "docs", ".dockerignore", ".pre-commit-hooks.yaml")
BUILT_OF_FILES: Final = ("CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml")
ENTRY_POINT: Final = """\
from importlib.metadata import entry_points
(point,) = entry_points(group="validate_pyproject.tool_schema", name="lockaudit")
import json
print(json.dumps(point.load()("lockaudit")))
"""


@dataclass(frozen=True)
class Built:
    """What `uv build` made.

    Attributes:
        wheel: built from the sdist.
        sdist: its source.
    """

    wheel: Path
    sdist: Path


def call(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a program and return what it prints; what it says on stderr is in the failure."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment() | dict(env or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command} exited {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both distributions of this working tree, or those that LOCKAUDIT_DIST holds: a release tests its very files."""
    given = os.environ.get("LOCKAUDIT_DIST")
    if given:
        return distributions(REPOSITORY / given)
    return build(copied(tmp_path_factory.mktemp("tree")), tmp_path_factory.mktemp("dist"))


def copied(tree: Path) -> Path:
    """The files of this repository that distributions are built of."""
    for name in (*BUILT_OF, *BUILT_OF_FILES):
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / name)
    return tree


def build(tree: Path, out: Path, **variables: str) -> Built:
    """Build both as `script/build` does: with the locked backend, and its hashes checked."""
    backend = out / "backend.txt"
    export = ["export", "--quiet", "--frozen", "--only-group", "build", "--no-emit-project"]
    call(uv_binary(), *export, "--output-file", backend, cwd=REPOSITORY)
    options = ["--require-hashes", "--build-constraints", str(backend), "--out-dir", str(out)]
    command = [uv_binary(), "build", "--quiet", *options, str(tree)]
    variables = {"SOURCE_DATE_EPOCH": "1700000000", **variables}
    done = subprocess.run(command, env=environment() | variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        if re.search(r"dns error|[Cc]onnection|network|failed to fetch", done.stderr, re.IGNORECASE):
            missing(f"no package index, so nothing can be built: {done.stderr.strip()}")
        pytest.fail(done.stderr)
    return distributions(out)


def distributions(folder: Path) -> Built:
    """The one wheel and the one sdist of a folder."""
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="module", params=["uv", "pip"])
def programs(request: pytest.FixtureRequest, built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a clean environment with the wheel."""
    folder = tmp_path_factory.mktemp(request.param) / "venv"
    seed = ["--seed"] if request.param == "pip" else []
    call(uv_binary(), "venv", "--quiet", *seed, "--python", sys.executable, folder)
    if request.param == "uv":
        call(uv_binary(), "pip", "install", "--quiet", "--python", folder, built.wheel)
    else:
        call(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", built.wheel)
    return folder / "bin"


@pytest.fixture(scope="module")
def pair(base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean, baked pair."""
    root = write_project(tmp_path_factory.mktemp("pair") / "app", base, wheels=False)
    lockaudit(root, "bake")
    return root


def test_what_is_in_them(built: Built) -> None:
    assert (built.wheel.name, built.sdist.name) == (
        f"lockaudit-{__version__}-py3-none-any.whl",
        f"lockaudit-{__version__}.tar.gz",
    )
    with zipfile.ZipFile(built.wheel) as archive:
        names = set(archive.namelist())
    assert {name.partition("/")[0] for name in names} == {"auditor", f"lockaudit-{__version__}.dist-info"}
    wanted = {"templates/Dockerfile-uv", "templates/.dockerignore", "lockaudit.schema.json"}
    assert {f"auditor/{name}" for name in wanted} <= names
    with tarfile.open(built.sdist) as archive:
        members = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", ".pre-commit-hooks.yaml", "docker/Dockerfile-uv"} <= members


def test_two_builds_are_equal_to_the_byte(tmp_path: Path) -> None:
    trees = [copied(tmp_path / name) for name in ("here", "elsewhere/and deeper")]
    for file in trees[1].rglob("*"):
        file.chmod(0o700 if file.is_dir() else 0o600)
        os.utime(file, (1, 1))
    outs = [tmp_path / name for name in ("first", "second")]
    for out in outs:
        out.mkdir()
    first, second = (
        build(tree, out, **others)
        for tree, out, others in zip(trees, outs, ({}, {"TZ": "Asia/Tokyo", "LC_ALL": "C"}), strict=True)
    )
    assert first.wheel.read_bytes() == second.wheel.read_bytes()
    assert first.sdist.read_bytes() == second.sdist.read_bytes()


def test_the_metadata_is_what_an_index_accepts(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        wheel = archive.read(f"lockaudit-{__version__}.dist-info/METADATA")
    with tarfile.open(built.sdist) as archive:
        member = archive.extractfile(f"lockaudit-{__version__}/PKG-INFO")
        assert member is not None
        sdist = member.read()
    for content in (wheel, sdist):
        metadata = Metadata.from_email(content, validate=True)
        assert (metadata.name, str(metadata.version)) == ("lockaudit", __version__)
        assert metadata.description_content_type == "text/markdown"
        assert metadata.license_expression == "Apache-2.0"


def test_version_and_help(programs: Path) -> None:
    assert call(programs / "lockaudit", "--version") == f"lockaudit {__version__}\n"
    assert "Exit codes: 0 clean" in call(programs / "lockaudit", "--help")


def test_the_entry_point_of_the_schema(programs: Path) -> None:
    schema = json.loads(call(programs / "python", "-c", ENTRY_POINT))
    assert schema == json.loads((REPOSITORY / "auditor" / "lockaudit.schema.json").read_text())


def test_check_works(programs: Path, pair: Path) -> None:
    assert "prod is a consistent subset of dev" in call(programs / "lockaudit", "check", cwd=pair)


def test_init_writes_its_templates(programs: Path, pair: Path, tmp_path: Path) -> None:
    root = tmp_path / "app"
    root.mkdir()
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(pair / name, root)
    call(programs / "lockaudit", "init", "--no-lock", cwd=root)
    assert (root / ".dockerignore").read_text() == template(".dockerignore")
    lines = zip((root / "docker" / "Dockerfile-uv").read_text().splitlines(), template().splitlines(), strict=True)
    assert {ours.partition("=")[0] for ours, theirs in lines if ours != theirs} <= {"ARG DEV_SELECTION"}


def test_uvx_runs_the_wheel(built: Built, pair: Path) -> None:
    said = call(uv_binary(), "tool", "run", "--quiet", "--from", built.wheel, "lockaudit", "check", cwd=pair)
    assert "prod is a consistent subset of dev" in said
