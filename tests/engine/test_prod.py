"""The production image: what it can do, and what it must not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .docker import compiles

if TYPE_CHECKING:
    from .docker import Build, Engine


def test_the_wheel_is_compiled_once(prod_build: Build) -> None:
    assert compiles(prod_build.log) == 1


def test_it_imports_what_was_compiled(engine: Engine, prod_build: Build) -> None:
    code = "import torch, flash_attn, requests; print(torch.__version__, torch.version.cuda, flash_attn.__version__)"
    assert engine.run(prod_build.image, "python", "-c", code).stdout == "2.6.0+cu124 12.4 2.8.3\n"


def test_it_runs_as_nobody_special(engine: Engine, prod_build: Build) -> None:
    assert engine.run(prod_build.image, "id", "-u").stdout == "10001\n"
    assert engine.run(prod_build.image, "touch", "/opt/venv/x", check=False).returncode != 0


@pytest.mark.parametrize("command", ["gcc", "cc", "g++", "make", "nvcc", "git", "uv", "uvx", "pip", "pytest"])
def test_it_lacks_tools(engine: Engine, prod_build: Build, command: str) -> None:
    assert engine.run(prod_build.image, "sh", "-c", f"command -v {command}", check=False).returncode != 0


def test_it_has_no_dev_packages(engine: Engine, prod_build: Build) -> None:
    installed = engine.run(prod_build.image, "ls", "/opt/venv/lib/python3.11/site-packages").stdout.split()
    distributions = {name.partition("-")[0] for name in installed if name.endswith(".dist-info")}
    assert {"torch", "flash_attn", "einops", "requests"} <= distributions
    assert not {"pytest", "setuptools", "pip", "cmake", "app"} & distributions


def test_it_has_no_sources_and_no_caches(engine: Engine, prod_build: Build) -> None:
    places = ("/workspace", "/wheels", "/locks", "/manifests", "/run/steps.sh", "/run/install-wheels.sh")
    present = engine.run(prod_build.image, "sh", "-c", f"ls -d {' '.join(places)} 2>/dev/null", check=False).stdout
    assert present == ""
    # As root: the image's own user cannot look everywhere.
    names = ("uv", "uvx", "uv.lock", "pylock.toml", "*.whl", "flash_attn_2_cuda.c")
    find = ("find", "/", "-xdev", "-name", names[0], *(part for name in names[1:] for part in ("-o", "-name", name)))
    # Debian's Python has its own pip and setuptools there, for its venv module.
    found = engine.run_as_root(prod_build.image, *find).stdout.split()
    assert [path for path in found if not path.startswith("/usr/share/python-wheels/")] == []
    assert engine.run_as_root(prod_build.image, "ls", "-A", "/root/.cache", check=False).stdout == ""


def test_it_keeps_the_settings_of_nvidia(engine: Engine, prod_build: Build) -> None:
    environment = engine.run(prod_build.image, "env").stdout.splitlines()
    assert "NVIDIA_VISIBLE_DEVICES=all" in environment
    assert "NVIDIA_DRIVER_CAPABILITIES=compute,utility" in environment
    assert any(line.startswith("PATH=/opt/venv/bin:") for line in environment)
    assert not [line for line in environment if line.startswith("UV_")]


def test_nothing_in_it_is_writable_by_its_user(engine: Engine, prod_build: Build) -> None:
    find = ("find", "/opt", "-xdev", "-not", "-type", "l", "-perm", "/o+w")
    assert engine.run_as_root(prod_build.image, *find).stdout == ""
