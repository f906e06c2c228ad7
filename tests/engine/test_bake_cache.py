"""What the caches of a bake are worth: to a builder that starts with nothing, and when something breaks."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.support import missing

from .baking import NOWHERE, ONLY_CACHE, add_causal_conv1d, bake, key, layers, lockaudit, tags, write_bake_file
from .builder import DEVEL, RUNTIME, UV_IMAGE, Builder, new_builder, publish_images, save_image, why_no_builder
from .docker import compiles
from .project import lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from .conftest import NewProject
    from .docker import Engine

    NewBuilder: TypeAlias = Callable[[], AbstractContextManager[Builder]]

pytestmark = pytest.mark.engine

NO_WHEELS = "--set=wheel-*.cache-to="  # the step of the images exports no wheel, as docs/ci.md says


@pytest.fixture(scope="module")
def fresh(engine: Engine, registry: str, tmp_path_factory: pytest.TempPathFactory) -> NewBuilder:  # noqa: ARG001
    """Starts a builder that has built nothing; the registry is its mirror of Docker Hub."""
    reason = why_no_builder()
    if reason is not None:
        missing(reason)
    publish_images(registry)
    archive = save_image(UV_IMAGE, tmp_path_factory.mktemp("images") / "uv.tar")
    return lambda: new_builder(registry, [archive])


@pytest.fixture
def project(new_project: NewProject) -> Path:
    """A project whose wheel nobody has compiled."""
    return write_bake_file(new_project(wheels=False))


def test_a_new_builder_takes_the_wheel_from_the_registry(registry: str, project: Path, fresh: NewBuilder) -> None:
    """The recipe of docs/ci.md, on a builder that is new in each step."""
    name = f"cache-{uuid.uuid4().hex[:12]}"
    cache = {"CACHE_REPO": f"{registry}/{name}"}
    write = {**cache, "CACHE_WRITE": "1"}
    wheel = f"wheel-{key(project)}"

    with fresh() as builder:
        first = bake(project, "wheels", env={**write, **builder.environment})
        assert compiles(first.log) == 1
        assert tags(registry, name) == [wheel]
        (size,) = layers(registry, name, wheel).values()  # one layer, so the wheel and nothing else
        assert size < 50_000

        # Production breaks in the middle, after the wheel. What `wheels` wrote is not lost by it.
        failing = ("prod", "--set=prod.args.IMPORTS=nowhere", NO_WHEELS)
        broken = bake(project, *failing, env={**write, **builder.environment}, check=False)
        assert broken.code != 0
        assert "No module named 'nowhere'" in broken.log
        assert wheel in tags(registry, name)

    with fresh() as builder:
        second = bake(project, "prod", ONLY_CACHE, env={**cache, **builder.environment})
        assert compiles(second.log) == 0
        assert "+ torch==2.6.0+cu124" in second.log  # the rest was not cached: this builder was new
        bake(project, "dev", "prod", ONLY_CACHE, NO_WHEELS, env={**write, **builder.environment})
        assert len(layers(registry, name, wheel)) == 1

    devel = layers(registry, *DEVEL.split(":")).keys() - layers(registry, *RUNTIME.split(":")).keys()
    assert devel
    with fresh() as builder:
        third = bake(project, "dev", "prod", ONLY_CACHE, env={**cache, **builder.environment})
        assert (compiles(third.log), third.ran) == (0, 0)
        assert not [digest for digest in devel if f"{digest} " in third.log]  # neither fetched nor unpacked


def test_a_new_builder_takes_the_wheel_from_a_folder(project: Path, fresh: NewBuilder) -> None:
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + '\n[tool.lockaudit.cache]\nbackend = "local"\n')
    lockaudit(project, "bake")
    first = bake(project, "wheels", env={"CACHE_WRITE": "1"})  # reads folders that do not exist yet
    assert compiles(first.log) == 1
    assert (project / ".lockaudit-cache" / f"wheel-{key(project)}" / "index.json").is_file()
    with fresh() as builder:
        second = bake(project, "wheels", env=builder.environment)
    assert (compiles(second.log), second.ran) == (0, 0)


def test_a_broken_package_does_not_lose_the_cache_of_another(
    registry: str, new_project: NewProject, fresh: NewBuilder
) -> None:
    """Each in a step of its own, as docs/ci.md says: one bake of both would cancel the export of the first."""
    project = new_project(wheels=False)
    add_causal_conv1d(project, CAUSAL_CONV1D_FORCE_BUILD="FALSE")  # it downloads, so its wheel is hollow
    lock(project)
    write_bake_file(project)
    name = f"apart-{uuid.uuid4().hex[:12]}"
    cache = {"CACHE_REPO": f"{registry}/{name}"}
    write = {**cache, "CACHE_WRITE": "1"}
    assert compiles(bake(project, "wheel-flash-attn", env=write).log) == 1
    broken = bake(project, "wheel-causal-conv1d", env=write, check=False)
    assert broken.code != 0
    assert "error: hollow wheel: causal_conv1d" in broken.log
    assert bake(project, "wheels", env=write, check=False).code != 0
    with fresh() as builder:
        second = bake(project, "wheel-flash-attn", env={**cache, **builder.environment})
    assert (compiles(second.log), second.ran) == (0, 0)


def test_readers_do_not_fail_where_there_is_no_registry(project: Path) -> None:
    build = bake(project, "dev", "prod", ONLY_CACHE, env={"CACHE_REPO": f"{NOWHERE}/cache"})
    assert compiles(build.log) == 1
    assert f"importing cache manifest from {NOWHERE}/cache:wheel-{key(project)}" in build.log


def test_writers_of_a_wheel_fail_loudly_where_there_is_no_registry(project: Path) -> None:
    env = {"CACHE_REPO": f"{NOWHERE}/cache", "CACHE_WRITE": "1"}
    build = bake(project, "wheels", env=env, check=False)
    assert compiles(build.log) == 1
    assert build.code != 0
    last = build.log.strip().splitlines()[-1]
    assert last.startswith("ERROR: target wheel-prod: failed to solve: error writing layer blob")
    assert f"{NOWHERE}/v2/cache/" in last
    assert f"{NOWHERE}/cache:wheel-{key(project)}" in build.log
    # The builder still has it, so that trying again is cheap.
    assert compiles(bake(project, "wheels", env={"CACHE_REPO": ""}).log) == 0


def test_images_do_not_fail_where_their_caches_cannot_be_written(project: Path) -> None:
    env = {"CACHE_REPO": f"{NOWHERE}/cache", "CACHE_WRITE": "1"}
    build = bake(project, "dev", "prod", ONLY_CACHE, NO_WHEELS, env=env)
    assert f"{NOWHERE}/v2/cache/" in build.log
