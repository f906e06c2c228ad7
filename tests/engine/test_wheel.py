"""The compile stage: what compiles again, what does not, and what must fail."""

from __future__ import annotations

import json
import subprocess
import tarfile
import urllib.request
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.standins import serve, uv

from .docker import compiles, jobs
from .project import KEY, edit, lock, write_build_lock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins import Index

    from .conftest import NewProject
    from .docker import Build, Engine

pytestmark = pytest.mark.usefixtures("prod_build")  # so that what did not change is in the cache


def git(*arguments: str, cwd: Path) -> str:
    """Run git and return what it prints."""
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


def git_commit(folder: Path) -> str:
    """Make a repository of a folder, and return its commit."""
    git("init", "--quiet", cwd=folder)
    git("add", ".", cwd=folder)
    author = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid", "-c", "commit.gpgsign=false")
    git(*author, "commit", "--quiet", "--message", "A stand-in", cwd=folder)
    return git("rev-parse", "HEAD", cwd=folder)


def test_its_result_is_the_wheel_and_its_key(engine: Engine, project: Path, tmp_path: Path) -> None:
    build = engine.build(project, "wheel-prod", f"--output=type=local,dest={tmp_path}")
    assert compiles(build.log) == 0
    wheel = "flash_attn-2.8.3-cp311-cp311-linux_x86_64.whl"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flash-attn.key", wheel]
    assert (tmp_path / "flash-attn.key").read_text() == f"{KEY}\n"


@pytest.mark.parametrize("count", ["7", "8"])
def test_another_number_of_jobs_compiles_nothing(engine: Engine, project: Path, count: str) -> None:
    secrets = ("--secret=id=max_jobs,env=MAX_JOBS", "--secret=id=nvcc_threads,env=NVCC_THREADS")
    build = engine.build(project, "wheel-prod", *secrets, env={"MAX_JOBS": count, "NVCC_THREADS": count})
    assert compiles(build.log) == 0


def test_a_source_date_compiles_nothing(engine: Engine, project: Path) -> None:
    for date in ("1700000000", "1700000001"):
        build = engine.build(project, "prod", args={"SOURCE_DATE_EPOCH": date})
        assert compiles(build.log) == 0
        assert "Installed" not in build.log  # the environments are as expensive to upload as the wheel is to compile


def test_a_named_package_compiles_nothing(engine: Engine, project: Path) -> None:
    assert compiles(engine.build(project, "prod", args={"PACKAGE": "flash-attn"}).log) == 0


def test_another_umask_compiles_nothing(engine: Engine, copied_project: Path) -> None:
    for path in (copied_project / "docker" / "wheels").rglob("*"):
        path.chmod(0o775 if path.is_dir() else 0o664)
    assert compiles(engine.build(copied_project, "prod").log) == 0


def test_an_edit_of_other_stages_compiles_nothing(engine: Engine, copied_project: Path) -> None:
    dockerfile = copied_project / "docker" / "Dockerfile-uv"
    edit(dockerfile, "# Installs the wheel of every", "# It installs the wheel of every")
    edit(dockerfile, "ENV VIRTUAL_ENV", "ENV TEST=1 VIRTUAL_ENV")
    edit(dockerfile, "ENV UV_PROJECT_ENVIRONMENT", "ENV TEST=1 UV_PROJECT_ENVIRONMENT")
    assert compiles(engine.build(copied_project, "prod").log) == 0


def test_a_lock_change_compiles_nothing(engine: Engine, copied_project: Path) -> None:
    for pyproject in (copied_project / "pyproject.toml", copied_project / "prod" / "pyproject.toml"):
        edit(pyproject, '"requests==2.32.3"', '"requests==2.32.3", "idna==3.9"')
    lock(copied_project)
    for target in ("prod", "dev"):
        build = engine.build(copied_project, target)
        assert compiles(build.log) == 0
        assert "+ idna==3.9" in build.log


def test_another_build_environment_compiles(engine: Engine, copied_project: Path) -> None:
    build_env = copied_project / "docker" / "wheels" / "flash-attn" / "build.env"
    build_env.write_text(build_env.read_text() + f"FLASH_ATTN_CUDA_ARCHS='80;90'\nTEST={uuid.uuid4().hex}\n")
    build = engine.build(copied_project, "wheel-prod", "--secret=id=max_jobs,env=MAX_JOBS", env={"MAX_JOBS": "7"})
    assert compiles(build.log) == 1
    assert jobs(build.log) == ["7"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FLASH_ATTENTION_FORCE_BUILD=TRUE\n", ""),
        ("FORCE_BUILD=TRUE\n", "FORCE_BUILD=TRUE\nFLASH_ATTENTION_SKIP_CUDA_BUILD=TRUE\n"),
    ],
)
def test_a_hollow_wheel_fails(engine: Engine, copied_project: Path, old: str, new: str) -> None:
    edit(copied_project / "docker" / "wheels" / "flash-attn" / "build.env", old, new)
    build = engine.build(copied_project, "wheel-prod", check=False)
    assert not build.ok
    assert "error: hollow wheel: flash_attn-2.8.3-py3-none-any.whl has no compiled extension (*.so)" in build.log


def test_another_hash_of_the_source_fails(engine: Engine, copied_project: Path) -> None:
    text = copied_project / "docker" / "wheels" / "flash-attn" / "source.txt"
    address = text.read_text().partition("sha256:")[0]
    text.write_text(f"{address}sha256:{'0' * 64}\n")
    build = engine.build(copied_project, "wheel-prod", check=False)
    assert not build.ok
    assert "DO NOT MATCH THE HASHES" in build.log
    assert compiles(build.log) == 0


def test_a_commit_is_as_good_as_a_hash(engine: Engine, index: Index, copied_project: Path, tmp_path: Path) -> None:
    with tarfile.open(next(index.folder("pypi", "flash-attn").glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    work, bare = tmp_path / "flash_attn-2.8.3", tmp_path / "served" / "flash-attention.git"
    commit = git_commit(work)
    git("clone", "--quiet", "--bare", str(work), str(bare), cwd=tmp_path)
    git("update-server-info", cwd=bare)  # what a plain web server needs to be cloned from
    source = copied_project / "docker" / "wheels" / "flash-attn" / "source.txt"
    with serve(bare.parent) as base:
        source.write_text(f"flash-attn @ git+{base}/flash-attention.git@{commit}\n")
        build = engine.build(copied_project, "wheel-prod")
    assert compiles(build.log) == 1


@pytest.mark.parametrize("pin", ["", "git+https://127.0.0.1:1/flash-attention@v2.8.3"])
def test_an_unpinned_source_fails(engine: Engine, copied_project: Path, pin: str) -> None:
    text = copied_project / "docker" / "wheels" / "flash-attn" / "source.txt"
    text.write_text(f"flash-attn @ {pin}\n" if pin else text.read_text().partition(" --hash")[0] + "\n")
    build = engine.build(copied_project, "wheel-prod", check=False)
    assert not build.ok
    assert "error: docker/wheels/flash-attn/source.txt names neither a hash nor a full commit" in build.log


def test_another_hash_in_the_build_lock_fails(engine: Engine, copied_project: Path) -> None:
    pylock = copied_project / "docker" / "wheels" / "flash-attn" / "pylock.toml"
    text = pylock.read_text()
    (line,) = [line for line in text.splitlines() if "cmake-3.26.1" in line]
    digest = line.partition('sha256 = "')[2][:64]
    pylock.write_text(text.replace(digest, "0" * 64))
    build = engine.build(copied_project, "wheel-prod", "--no-cache-filter=compile", check=False)
    assert not build.ok
    assert "Hash mismatch for `cmake==3.26.1`" in build.log


def test_another_cmake_fails(engine: Engine, project: Path) -> None:
    build = engine.build(project, "wheel-prod", args={"CMAKE_VERSION": "3.31.0"}, check=False)
    assert not build.ok
    assert "pylock.toml has cmake version 3.26.1, but CMAKE_VERSION is 3.31.0" in build.log


@pytest.mark.parametrize("target", ["prod", "dev"])
def test_another_key_fails(engine: Engine, project: Path, tmp_path: Path, target: str) -> None:
    """As when an image of older wheels is used instead of the stage."""
    engine.build(project, "wheel-prod", f"--output=type=local,dest={tmp_path}")
    (tmp_path / "flash-attn.key").write_text("flash-attn-2.8.2-cu121-torch2.4.0-cp311-ba9876543210\n")
    build = engine.build(project, target, f"--build-context=wheel-{target}={tmp_path}", check=False)
    assert not build.ok
    given = "flash-attn-2.8.2-cu121-torch2.4.0-cp311-ba9876543210"
    assert f"was compiled for the key {given}, but docker/wheels/flash-attn/key is {KEY}" in build.log


def test_a_missing_wheel_fails(engine: Engine, project: Path, tmp_path: Path) -> None:
    build = engine.build(project, "prod", f"--build-context=wheel-prod={tmp_path}", check=False)
    assert not build.ok
    assert "error: no wheel of flash-attn reached this build" in build.log


def test_an_import_that_fails_fails_the_build(engine: Engine, project: Path) -> None:
    build = engine.build(project, "prod", args={"IMPORTS": "torch flash_attn nowhere"}, check=False)
    assert not build.ok
    assert "ModuleNotFoundError: No module named 'nowhere'" in build.log


def test_another_torch_fails_the_build(engine: Engine, copied_project: Path) -> None:
    """A wheel compiled for cu124 must not pass beside torch for cu128."""
    edit(copied_project / "prod" / "pyproject.toml", "cu124/simple", "cu128/simple")
    lock(copied_project)
    build = engine.build(copied_project, "prod", check=False)
    assert not build.ok
    assert "flash-attn was compiled against torch 2.6.0+cu124, this is torch 2.6.0+cu128" in build.log


def test_a_second_package_leaves_the_first_one_alone(engine: Engine, copied_project: Path) -> None:
    for pyproject in (copied_project / "pyproject.toml", copied_project / "prod" / "pyproject.toml"):
        edit(pyproject, '"flash-attn==2.8.3"', '"flash-attn==2.8.3", "causal-conv1d==1.5.2"')
        metadata = '\n[[tool.uv.dependency-metadata]]\nname = "causal-conv1d"\nrequires-dist = ["torch", "einops"]\n'
        pyproject.write_text(pyproject.read_text() + metadata)
    lock(copied_project)
    write_build_lock(copied_project, "causal-conv1d", "CAUSAL_CONV1D")
    both = {"COMPILED": "flash-attn causal-conv1d", "IMPORTS": "flash_attn causal_conv1d"}
    build = engine.build(copied_project, "wheel-prod", args={"PACKAGE": "causal-conv1d"})
    assert compiles(build.log, "flash-attn") == 0
    assert compiles(build.log, "causal-conv1d") == 1
    build = engine.build(copied_project, "prod", args=both)
    assert compiles(build.log) == 2
    assert engine.run(build.image, "python", "-c", "import flash_attn, causal_conv1d").returncode == 0


def test_its_cache_is_small(engine: Engine, new_project: NewProject, registry: str) -> None:
    """A runner that starts with nothing downloads the wheel, not the devel image or what was unpacked to compile.

    In a project of its own: a builder that has exported a layer once, in mode=max, exports it in mode=min too.
    """
    export = f"--cache-to=type=registry,ref={registry}/cache:wheel,mode=min"
    build = engine.build(new_project(), "wheel-prod", export, "--output=type=cacheonly")
    assert compiles(build.log) == 1
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    request = urllib.request.Request(f"http://{registry}/v2/cache/manifests/wheel", headers=accept)
    with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310 (http, on the loopback)
        manifest = json.load(response)
    sizes = [layer["size"] for layer in manifest["layers"]]
    assert 1 <= len(sizes) <= 4
    assert sum(sizes) < 100_000


def test_nothing_to_compile_needs_no_folder(engine: Engine, new_project: NewProject) -> None:
    folder = new_project(wheels=False)
    for pyproject in (folder / "pyproject.toml", folder / "prod" / "pyproject.toml"):
        edit(pyproject, ', "flash-attn==2.8.3"', "")
    lock(folder)
    build: Build = engine.build(folder, "prod", args={"COMPILED": "", "IMPORTS": "torch requests"})
    assert compiles(build.log) == 0
    assert engine.run(build.image, "python", "-c", "import torch").returncode == 0


def test_a_missing_build_lock_says_what_to_do(engine: Engine, new_project: NewProject) -> None:
    build = engine.build(new_project(wheels=False), "prod", check=False)
    assert not build.ok
    assert "docker/wheels/flash-attn/key is missing: run `lockaudit bake`" in build.log


def test_a_stale_lock_fails(engine: Engine, copied_project: Path) -> None:
    edit(copied_project / "prod" / "pyproject.toml", '"requests==2.32.3"', '"requests==2.32.3", "idna"')
    build = engine.build(copied_project, "prod", check=False)
    assert not build.ok
    assert "The lockfile at `uv.lock` needs to be updated, but `--locked` was provided" in build.log
    assert uv("lock", "--check", cwd=copied_project / "prod", check=False).returncode != 0


@pytest.mark.parametrize("variant", ["runtime", "base"])
def test_the_variants_map_to_tags_that_exist(engine: Engine, project: Path, variant: str) -> None:
    build = engine.build(project, "prod", args={"CUDA_VARIANT": variant})
    assert engine.run(build.image, "cat", "/etc/cuda-flavor").stdout == f"{variant}\n"
