"""The stand-ins themselves: real uv locks them, installs them, and always sees the same bytes."""

from __future__ import annotations

import hashlib
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.standins import FLASH_ATTN_METADATA, Index, make_world, sdist, serve, uv, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["numpy", "requests", "flash-attn==2.8.3"]

[project.optional-dependencies]
cu124 = ["torch==2.6.0", "torchvision"]
cu128 = ["torch==2.6.0", "torchvision"]

[dependency-groups]
dev = ["pytest", "ruff"]

[tool.uv]
conflicts = [[{ extra = "cu124" }, { extra = "cu128" }]]

[tool.uv.sources]
torch = [{ index = "cu124", extra = "cu124" }, { index = "cu128", extra = "cu128" }]
torchvision = [{ index = "cu124", extra = "cu124" }, { index = "cu128", extra = "cu128" }]

[[tool.uv.index]]
name = "cu124"
url = "@base@/cu124/simple"
explicit = true

[[tool.uv.index]]
name = "cu128"
url = "@base@/cu128/simple"
explicit = true

[[tool.uv.index]]
name = "local"
url = "@base@/pypi/simple"
default = true
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a served world."""
    with serve(make_world(tmp_path_factory.mktemp("index")).root) as address:
        yield address


@pytest.fixture(scope="module")
def project(base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A locked project with conflicting CUDA extras."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "pyproject.toml").write_text(PROJECT.replace("@base@", base) + "\n" + FLASH_ATTN_METADATA)
    uv("lock", cwd=folder)
    return folder


def packages(project: Path) -> list[dict[str, Any]]:
    """The packages of a project's lock."""
    lock: dict[str, list[dict[str, Any]]] = tomllib.loads((project / "uv.lock").read_text())
    return lock["package"]


def versions(project: Path, name: str) -> set[str]:
    """The versions that a lock has of a package."""
    return {package["version"] for package in packages(project) if package["name"] == name}


def test_conflicting_extras_lock_to_one_torch_each(project: Path) -> None:
    assert versions(project, "torch") == {"2.6.0", "2.6.0+cu124", "2.6.0+cu128"}
    exported = {
        extra: uv("export", "--frozen", "--no-hashes", "--no-dev", "--extra", extra, cwd=project).stdout
        for extra in ("cu124", "cu128")
    }
    assert "torch==2.6.0+cu124" in exported["cu124"]
    assert "nvidia-cuda-runtime-cu12==12.4.127" in exported["cu124"]
    assert "torch==2.6.0+cu128" in exported["cu128"]
    assert "nvidia-cuda-runtime-cu12==12.8.90" in exported["cu128"]


def test_numpy_forks_by_python(project: Path) -> None:
    assert versions(project, "numpy") == {"2.2.6", "2.3.1"}


def test_flash_attn_is_locked_as_an_sdist_only(project: Path) -> None:
    (flash,) = [package for package in packages(project) if package["name"] == "flash-attn"]
    assert flash["sdist"]["hash"].startswith("sha256:")
    assert "wheels" not in flash
    assert {edge["name"] for edge in flash["dependencies"]} == {"torch", "einops"}


def test_windows_only_packages_stay_out_of_linux(project: Path) -> None:
    exported = uv("export", "--frozen", "--no-hashes", "--extra", "cu124", cwd=project).stdout
    assert "colorama==0.4.6 ; sys_platform == 'win32'" in exported


def test_wheels_install(base: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    arguments = ("--index-url", f"{base}/pypi/simple", "--extra-index-url", f"{base}/cu124/simple")
    platform = ("--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.11")
    wanted = ("torch==2.6.0+cu124", "requests[socks]", "pytest")
    uv("pip", "install", "--target", str(target), *arguments, *platform, *wanted, cwd=tmp_path)
    assert '"2.6.0+cu124"' in (target / "torch" / "version.py").read_text()
    assert (target / "torch" / "include" / "standin_torch.h").is_file()
    assert (target / "socks.py").is_file() or (target / "pysocks.py").is_file()


def test_bytes_depend_on_the_arguments_only(tmp_path: Path) -> None:
    def digests(folder: Path) -> list[str]:
        paths = [
            wheel(folder, "Flash.Attn", "1.0+cu124", tag="cp311-cp311-linux_x86_64", requires=["torch"]),
            sdist(folder, "flash-attn", "1.0", extras={"test": ["pytest; sys_platform == 'linux'"]}),
        ]
        assert [path.name for path in paths] == [
            "flash_attn-1.0+cu124-cp311-cp311-linux_x86_64.whl",
            "flash_attn-1.0.tar.gz",
        ]
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]

    assert digests(tmp_path / "first") == digests(tmp_path / "second")


def test_a_page_follows_what_is_added(tmp_path: Path) -> None:
    index = Index(tmp_path)
    path = index.wheel("pypi", "torch", "2.6.0+cu124", requires_python=">=3.9")
    page = (path.parent / "index.html").read_text()
    assert f'href="torch-2.6.0%2Bcu124-py3-none-any.whl#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}"' in page
    assert 'data-requires-python="&gt;=3.9"' in page
    index.sdist("pypi", "torch", "2.6.0")
    assert "torch-2.6.0.tar.gz" in (path.parent / "index.html").read_text()
