"""`docker buildx bake` with the file that `lockaudit bake` wrote, from the locks of real uv to images that run."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from .baking import ONLY_CACHE, Baked, add_causal_conv1d, bake, key, lockaudit, tags, write_bake_file
from .docker import compiles, docker, jobs
from .project import edit, lock

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import NewProject
    from .docker import Engine

pytestmark = pytest.mark.engine


@dataclass(frozen=True, slots=True)
class Images:
    """What one bake of both images left.

    Attributes:
        project: the folder that was baked.
        dev: the development image.
        prod: the production image.
        knobs: the variables that it was baked with.
        cold: the first bake.
    """

    project: Path
    dev: str
    prod: str
    knobs: dict[str, str]
    cold: Baked


@pytest.fixture(scope="module")
def images(engine: Engine, new_project: NewProject) -> Images:
    """Both images of a new project, from one bake without any cache."""
    project = write_bake_file(new_project(wheels=False))
    name = uuid.uuid4().hex[:12]
    knobs = {"CACHE_REPO": "", "DEV_TAG": f"dev-{name}", "PROD_TAG": f"prod-{name}"}
    cold = bake(project, "dev", "prod", env=knobs)
    found = Images(project, f"app:dev-{name}", f"app:prod-{name}", knobs, cold)
    engine.images += [found.dev, found.prod]
    return found


def test_the_bake_file_is_what_lockaudit_would_write(images: Images) -> None:
    assert lockaudit(images.project, "bake", "--check") == ""


def test_both_images_take_one_compile(images: Images) -> None:
    assert compiles(images.cold.log) == 1


def test_both_images_import_what_was_compiled(engine: Engine, images: Images) -> None:
    code = "import torch, flash_attn; print(torch.__version__, flash_attn.__version__)"
    for image in (images.dev, images.prod):
        assert engine.run(image, "python", "-c", code).stdout == "2.6.0+cu124 2.8.3\n"


def test_dev_has_sources_and_tools(engine: Engine, images: Images) -> None:
    code = "import app, pytest; print(app.__file__)"
    assert engine.run(images.dev, "python", "-c", code).stdout == "/workspace/app/__init__.py\n"
    assert engine.run(images.dev, "sh", "-c", "command -v gcc && command -v uv").returncode == 0


@pytest.mark.parametrize("command", ["gcc", "g++", "nvcc", "uv", "pip", "pytest", "git"])
def test_prod_lacks_a_tool(engine: Engine, images: Images, command: str) -> None:
    assert engine.run(images.prod, "sh", "-c", f"command -v {command}", check=False).returncode != 0


def test_prod_lacks_tests_sources_and_caches(engine: Engine, images: Images) -> None:
    for module in ("pytest", "app", "setuptools"):
        assert engine.run(images.prod, "python", "-c", f"import {module}", check=False).returncode != 0
    assert engine.run_as_root(images.prod, "ls", "-A", "/root/.cache", check=False).stdout == ""
    names = ("-name", "uv.lock", "-o", "-name", "flash_attn*.whl", "-o", "-name", "pyproject.toml")
    assert engine.run_as_root(images.prod, "find", "/", "-xdev", *names).stdout == ""


def test_prod_is_not_root(engine: Engine, images: Images) -> None:
    assert engine.run(images.prod, "id", "-u").stdout == "10001\n"


def test_a_second_bake_runs_nothing(images: Images) -> None:
    again = bake(images.project, "dev", "prod", ONLY_CACHE, env=images.knobs)
    assert compiles(again.log) == 0
    assert (images.cold.ran > 5, again.ran) == (True, 0)


def test_knobs_of_the_environment_compile_nothing(images: Images) -> None:
    pins = {"CUDA_VERSION": "11.8.0", "PYTHON_VERSION": "3.12", "UV_VERSION": "0.0.1"}  # as base images export them
    speed = {"MAX_JOBS": "3", "NVCC_THREADS": "1", "SOURCE_DATE_EPOCH": "1700000000"}
    assert compiles(bake(images.project, "dev", "prod", ONLY_CACHE, env={**images.knobs, **pins, **speed}).log) == 0


def test_the_number_of_jobs_reaches_the_compiler(new_project: NewProject) -> None:
    project = write_bake_file(new_project(wheels=False))
    assert jobs(bake(project, "wheels", env={"CACHE_REPO": "", "MAX_JOBS": "7"}).log) == ["7"]


def test_nothing_to_compile_bakes(engine: Engine, new_project: NewProject) -> None:
    project = new_project(wheels=False)
    for pyproject in (project / "pyproject.toml", project / "prod" / "pyproject.toml"):
        edit(pyproject, ', "flash-attn==2.8.3"', "")
    lock(project)
    write_bake_file(project)
    assert not (project / "docker" / "wheels").exists()
    tag = uuid.uuid4().hex[:12]
    engine.images.append(f"app:{tag}")
    assert compiles(bake(project, env={"CACHE_REPO": "", "PROD_TAG": tag}).log) == 0
    assert engine.run(f"app:{tag}", "python", "-c", "import torch").returncode == 0


@pytest.fixture(scope="module")
def two_packages(new_project: NewProject) -> Path:
    """A project that compiles two packages."""
    project = new_project(wheels=False)
    add_causal_conv1d(project)
    lock(project)
    return write_bake_file(project)


def test_two_packages_are_two_targets_and_two_caches(engine: Engine, registry: str, two_packages: Path) -> None:
    name = f"two-{uuid.uuid4().hex[:12]}"
    env = {"CACHE_REPO": f"{registry}/{name}", "CACHE_WRITE": "1", "DEV_TAG": f"d{name}", "PROD_TAG": f"p{name}"}
    wheels = bake(two_packages, "wheels", env=env)
    assert (compiles(wheels.log, "flash-attn"), compiles(wheels.log, "causal-conv1d")) == (1, 1)
    keys = [key(two_packages, package) for package in ("causal-conv1d", "flash-attn")]
    assert tags(registry, name) == [f"wheel-{each}" for each in keys]
    engine.images += [f"app:d{name}", f"app:p{name}"]
    assert compiles(bake(two_packages, "dev", "prod", env=env).log) == 0
    code = "import flash_attn, causal_conv1d"
    for image in (f"app:d{name}", f"app:p{name}"):
        assert engine.run(image, "python", "-c", code).returncode == 0


@pytest.mark.parametrize("count", [1, 2])
def test_an_image_of_wheels_replaces_the_compile(
    engine: Engine, registry: str, images: Images, two_packages: Path, tmp_path: Path, count: int
) -> None:
    """The compile stage is kept out of the cache: where it is part of a build at all, it compiles."""
    project = shutil.copytree({1: images.project, 2: two_packages}[count], tmp_path / "app")
    house, tag = f"house-{uuid.uuid4().hex[:12]}", uuid.uuid4().hex[:12]
    bake(project, "wheelhouse", env={"CACHE_REPO": "", "WHEELHOUSE": f"{registry}/{house}"})
    (keys,) = tags(registry, house)
    edit(project / "docker-bake.override.hcl", "}", '  no-cache-filter = ["compile"]\n}')
    knobs = {"CACHE_REPO": "", "DEV_TAG": f"d{tag}", "PROD_TAG": f"p{tag}"}
    given = bake(project, "dev", "prod", env={**knobs, "WHEELS_FROM": f"{registry}/{house}:{keys}"})
    engine.images += [f"app:d{tag}", f"app:p{tag}", f"{registry}/{house}:{keys}"]
    assert compiles(given.log) == 0
    assert engine.run(f"app:d{tag}", "python", "-c", "import flash_attn").returncode == 0
    assert compiles(bake(project, "dev", "prod", ONLY_CACHE, env=knobs).log) == count


def test_an_image_of_older_wheels_is_refused(registry: str, new_project: NewProject) -> None:
    older, newer = (write_bake_file(new_project(wheels=False)) for _ in range(2))
    house = f"{registry}/house-{uuid.uuid4().hex[:12]}"
    bake(older, "wheelhouse", env={"CACHE_REPO": "", "WHEELHOUSE": house})
    env = {"CACHE_REPO": "", "WHEELS_FROM": f"{house}:{key(older)}"}
    refused = bake(newer, "prod", env=env, check=False)
    docker("image", "rm", f"{house}:{key(older)}", check=False)
    assert refused.code != 0
    assert f"was compiled for the key {key(older)}, but docker/wheels/flash-attn/key is {key(newer)}" in refused.log
