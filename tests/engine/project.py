"""Writes a stand-in project: two locks, made by the real uv, and this repository's own Dockerfile."""

from __future__ import annotations

import shutil
import tomllib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.standins import FLASH_ATTN_METADATA, uv

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).parents[2]

KEY = "flash-attn-2.8.3-cu124-torch2.6.0-cp311-0123456789ab"

INDEXES = """\
[tool.uv.sources]
torch = { index = "cu124" }

[[tool.uv.index]]
name = "cu124"
url = "@base@/cu124/simple"
explicit = true

[[tool.uv.index]]
name = "local"
url = "@base@/pypi/simple"
default = true
"""

ROOT = """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["requests==2.32.3"]

[project.optional-dependencies]
flash = ["torch==2.6.0", "flash-attn==2.8.3"]

[dependency-groups]
dev = ["pytest"]
wheel-build = ["cmake==3.26.1", "ninja", "packaging", "pip", "psutil", "setuptools<81", "wheel"]

[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
packages = ["app"]

[tool.lockaudit]
targets = ["linux-x86_64-cp311"]

[tool.lockaudit.dev]
extras = ["flash"]

"""

PROD = """\
[project]
name = "app-prod"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["requests==2.32.3", "torch==2.6.0", "flash-attn==2.8.3"]

[dependency-groups]
dev = ["pytest"]

[tool.uv]
package = false

"""


def write_project(folder: Path, base: str, *, wheels: bool = True, env: Mapping[str, str] | None = None) -> Path:
    """Write and lock a stand-in project.

    The root has an extra `flash` (torch 2.6.0+cu124 and flash-attn), the groups `dev` and `wheel-build`, and one
    package `app`. `prod/` has torch, flash-attn and requests, and a `dev` group that must not reach the image.

    Args:
        folder: where to, made if missing.
        base: the address of the served world, with the build tools in its index `pypi`.
        wheels: write docker/wheels/flash-attn by hand; false leaves that to `lockaudit bake`.
        env: variables for uv, the logins of a private index for instance.

    Returns:
        The folder.
    """
    (folder / "prod").mkdir(parents=True)
    (folder / "docker").mkdir()
    (folder / "app").mkdir()
    (folder / "app" / "__init__.py").write_text('"""The sources of a stand-in project."""\n')
    shutil.copy(REPOSITORY / "docker" / "Dockerfile-uv", folder / "docker")
    shutil.copy(REPOSITORY / ".dockerignore", folder)
    settings = INDEXES.replace("@base@", base) + "\n" + FLASH_ATTN_METADATA
    (folder / "pyproject.toml").write_text(ROOT + settings)
    (folder / "prod" / "pyproject.toml").write_text(PROD + settings)
    lock(folder, env=env)
    if wheels:
        write_build_lock(folder)
    return folder


def lock(folder: Path, *, env: Mapping[str, str] | None = None) -> None:
    """Lock both sides of a project."""
    uv("lock", cwd=folder, env=env)
    uv("lock", cwd=folder / "prod", env=env)


def write_build_lock(folder: Path, package: str = "flash-attn", prefix: str = "FLASH_ATTENTION") -> Path:
    """Write docker/wheels/<package> by hand, as `lockaudit bake` would.

    Args:
        folder: the project, locked, with the package in its extra `flash`.
        package: what to compile.
        prefix: of the environment variables that its sdist reads.

    Returns:
        The folder of the build lock. No other build lock has the same bytes, so that a first build compiles.
    """
    target = folder / "docker" / "wheels" / package
    target.mkdir(parents=True)
    selection = ["--no-default-groups", "--group", "wheel-build", "--extra", "flash", "--no-emit-project"]
    sdists = [f"--no-emit-package={name}" for name in ("flash-attn", "causal-conv1d")]
    command = ["export", "--frozen", "--quiet", "--no-header", "--format", "pylock.toml"]
    exported = uv(*command, *selection, *sdists, cwd=folder)
    (target / "pylock.toml").write_text(exported.stdout)
    (target / "source.txt").write_text(f"{package} @ {source(folder, package)}\n")
    (target / "build.env").write_text(f"{prefix}_FORCE_BUILD=TRUE\nTEST_SESSION={uuid.uuid4().hex}\n")
    (target / "key").write_text(KEY.replace("flash-attn", package) + "\n")
    return target


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that must be in a file."""
    text = path.read_text()
    assert old in text, f"{path} does not have {old!r}"
    path.write_text(text.replace(old, new))


def source(folder: Path, package: str) -> str:
    """The address and the hash of an sdist, as a lock has them and as pip's requirement files write them."""
    locked: dict[str, list[dict[str, Any]]] = tomllib.loads((folder / "uv.lock").read_text())
    sdist = next(entry["sdist"] for entry in locked["package"] if entry["name"] == package)
    return f"{sdist['url']} --hash={sdist['hash']}"
