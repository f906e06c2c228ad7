"""`lockaudit set` in other layouts: members of a workspace, several pairs, a uv.toml, other line endings."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import rtoml

from auditor.change.seed import seed
from tests.change.set_world import make_index
from tests.cli.command import Result, lockaudit
from tests.engine.project import REPOSITORY
from tests.standins import serve, uv, uv_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD: Final = '[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.13"\n'
ROOT: Final = (
    HEAD.format(name="app")
    + """\
dependencies = ["requests==2.32.3", "trainer"]

[dependency-groups]
wheel-build = ["cmake==3.26.1"]

[tool.uv]
package = false

[tool.uv.workspace]
members = ["packages/*"]

[tool.uv.sources]
trainer = { workspace = true }
torch = { index = "pytorch-cu124" }

[tool.lockaudit]
first-party = ["trainer"]

[[tool.lockaudit.pair]]
name = "serving"
prod.lock = "serving/uv.lock"

[[tool.lockaudit.pair]]
name = "batch"
prod.lock = "batch/uv.lock"
"""
)
MEMBER: Final = (
    HEAD.format(name="trainer")
    + """\
dependencies = ["torch==2.6.0"]  # for training

[tool.uv.sources]
torch = { index = "pytorch-cu124" }

[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
"""
)
PROD: Final = """\
dependencies = ["requests==2.32.3", "torch=={torch}"]

[tool.uv.sources]
torch = {{ index = "pytorch-cu124" }}

[tool.uv]
package = false
"""
# An index that a source names stands in the project, the others may stand in a uv.toml beside it.
INDEX: Final = """
[[tool.uv.index]]
name = "pytorch-cu124"
url = "@base@/cu124/simple"
explicit = true
"""
SETTINGS: Final = """\
constraint-dependencies = ["torch==2.6.0"]

[[index]]
name = "local"
url = "@base@/pypi/simple"
default = true
"""


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with a member and two production projects, locked; half of its files have Windows' line endings."""
    folder = tmp_path_factory.mktemp("layouts")
    root = folder / "repository"
    for name in ("packages/trainer", "serving", "batch", "docker"):
        (root / name).mkdir(parents=True)
    shutil.copy(REPOSITORY / "docker" / "Dockerfile-uv", root / "docker")
    with serve(make_index(folder / "index").root) as base:
        index, indexes = INDEX.replace("@base@", base), SETTINGS.replace("@base@", base)
        (root / "pyproject.toml").write_text((ROOT + index).replace("\n", "\r\n"), newline="")
        (root / "packages" / "trainer" / "pyproject.toml").write_text(MEMBER.replace("\n", "\r\n"), newline="")
        (root / "uv.toml").write_text(indexes)
        uv("lock", cwd=root)
        for name in ("serving", "batch"):
            (root / name / "pyproject.toml").write_text(HEAD.format(name=name) + PROD.format(torch="2.6.0") + index)
            (root / name / "uv.toml").write_text(indexes)
            shutil.copy(root / "uv.lock", root / name / "uv.lock")
            uv("lock", cwd=root / name)
        yield root


@pytest.fixture
def repository(clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to change."""
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_", "LOCKAUDIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", f"{Path(uv_binary()).parent}{os.pathsep}{os.environ['PATH']}")
    return Path(shutil.copytree(clean, tmp_path / "repository"))


def change(root: Path, *arguments: str) -> Result:
    """Run `lockaudit set` on a repository."""
    return lockaudit("set", "--root", root, *arguments)


def written(root: Path) -> dict[str, bytes]:
    """The files that people write."""
    names = ("pyproject.toml", "uv.toml", "Dockerfile-uv")
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.name in names}


def test_members_pairs_and_settings_files_change_alike(repository: Path) -> None:
    before = lockaudit("check", repository)
    assert before.code == 0, before.out
    old = written(repository)
    result = change(repository, "torch==2.8.0", "cuda=12.8")
    assert result.code == 0, result.out + result.err
    moves = (("torch==2.6.0", "torch==2.8.0"), ("cu124", "cu128"), ("CUDA_VERSION=12.4.1", "CUDA_VERSION=12.8.1"))
    for path, data in written(repository).items():
        text = old[path]
        for one, other in moves if not path.startswith("docker") else moves[2:]:
            text = text.replace(one.encode(), other.encode())
        assert data == text, path
    for folder in (".", "serving", "batch"):
        torch = [entry for entry in rtoml.load(repository / folder / "uv.lock")["package"] if entry["name"] == "torch"]
        assert [entry["version"] for entry in torch] == ["2.8.0+cu128"]
        uv("lock", "--check", cwd=repository / folder)
    assert lockaudit("check", repository).code == 0


def test_a_member_is_no_version(repository: Path) -> None:
    result = change(repository, "trainer==0.2.0")
    assert (result.code, result.out) == (2, "")
    assert "pyproject.toml:" in result.err
    assert "the version of trainer is that of its source, a member of the workspace" in result.err


def test_a_repository_that_never_baked_is_not_baked(repository: Path) -> None:
    assert change(repository, "requests==2.32.4").code == 0
    assert not (repository / "docker-bake.hcl").exists()


DEV: Final = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "app"
source = { virtual = "." }
dependencies = [{ name = "idna" }]

[[package]]
name = "idna"
version = "3.10"
source = { registry = "https://index.example/simple" }
dependencies = [{ name = "x" }]
wheels = [{ url = "https://index.example/idna-3.10-py3-none-any.whl", hash = "sha256:aa" }]

[[package]]
name = "core"
source = { editable = "core" }
"""
PROD_LOCK: Final = """\
version = 1

[[package]]
name = "core"
version = "1.0"
source = { git = "https://git.example/core?tag=v1#0123" }

[[package]]
name = "idna"
version = "3.9"
source = { registry = "https://index.example/simple" }

[[package]]
name = "prod"
source = { virtual = "." }

[[package]]
name = "only"
version = "2"
source = { registry = "https://index.example/simple" }
"""


def test_prod_is_locked_with_devs_versions_and_its_own_of_what_dev_lacks() -> None:
    found = rtoml.loads(seed(DEV, PROD_LOCK))
    assert [(entry["name"], entry.get("version")) for entry in found["package"]] == [
        ("idna", "3.10"),
        ("core", "1.0"),
        ("only", "2"),
    ]
    assert found["package"][1]["source"]["git"].endswith("#0123")
    assert not any("dependencies" in entry for entry in found["package"])
    assert [entry["name"] for entry in rtoml.loads(seed(DEV, None))["package"]] == ["idna"]
