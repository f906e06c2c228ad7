"""Writes a stand-in project whose images have two CUDA variants: extras that conflict, each with an index of its own.

Both locks are made by the real uv, from the stand-in packages of `tests.standins`.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.standins import FLASH_ATTN_METADATA, uv
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

CONFLICT = """\
[tool.uv]
conflicts = [[{ extra = "cu124" }, { extra = "cu128" }]]

[tool.uv.sources]
torch = [{ index = "cu124", extra = "cu124" }, { index = "cu128", extra = "cu128" }]

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

ROOT = """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["requests==2.32.3"]

[project.optional-dependencies]
cu124 = ["torch==2.6.0", "flash-attn==2.8.3"]
cu128 = ["torch==2.6.0", "flash-attn==2.8.3"]

[dependency-groups]
dev = ["pytest"]
wheel-build = ["cmake==3.26.1", "ninja", "packaging", "pip", "psutil", "setuptools<81", "wheel"]

[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
packages = ["app"]

"""

PROD = """\
[project]
name = "app-prod"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["requests==2.32.3"]

[project.optional-dependencies]
cu124 = ["torch==2.6.0", "flash-attn==2.8.3"]
cu128 = ["torch==2.6.0", "flash-attn==2.8.3"]

"""

SETTINGS = """\
[tool.lockaudit]
targets = ["linux-x86_64-cp311"]

[[tool.lockaudit.variant]]
name = "cu124"
dev.extras = ["cu124"]
prod.extras = ["cu124"]

[[tool.lockaudit.variant]]
name = "cu128"
cuda = "12.8.1"
dev.extras = ["cu128"]
prod.extras = ["cu128"]

"""


# A second development and a second production project, for what one lock cannot hold: here without conflicting extras.
APART = """\
[tool.lockaudit]
targets = ["linux-x86_64-cp311"]
bake.image = "app"

[[tool.lockaudit.variant]]
name = "cu124"
dev.extras = ["cu124"]
prod.extras = ["cu124"]

[[tool.lockaudit.variant]]
name = "cu128"
cuda = "12.8.1"
dev.lock = "dev-cu128/uv.lock"
prod.lock = "prod-cu128/uv.lock"

"""
DEV_APART = """\
[project]
name = "app-dev-cu128"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["app", "torch==2.6.0", "flash-attn==2.8.3"]

[dependency-groups]
dev = ["pytest"]
wheel-build = ["cmake==3.26.1", "ninja", "packaging", "pip", "psutil", "setuptools<81", "wheel"]

"""
PROD_APART = """\
[project]
name = "app-prod-cu128"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["requests==2.32.3", "torch==2.6.0", "flash-attn==2.8.3"]

"""


def write_apart(folder: Path, base: str, settings: str = APART) -> Path:
    """Write and lock the project with a pair of locks for each variant. Arguments: as of `write_variants`."""
    write_variants(folder, base, settings)
    shared = CONFLICT.replace("@base@", base).replace("[tool.uv]\n", "[tool.uv]\npackage = false\n")
    shared = shared.replace('conflicts = [[{ extra = "cu124" }, { extra = "cu128" }]]\n', "")
    shared = shared.replace(
        '[{ index = "cu124", extra = "cu124" }, { index = "cu128", extra = "cu128" }]', '{ index = "cu128" }'
    )
    source = 'app = { path = "..", editable = true }\n'
    for name, project, sources in (("dev-cu128", DEV_APART, source), ("prod-cu128", PROD_APART, "")):
        (folder / name).mkdir()
        text = project + shared.replace("[tool.uv.sources]\n", f"[tool.uv.sources]\n{sources}") + FLASH_ATTN_METADATA
        (folder / name / "pyproject.toml").write_text(text)
        uv("lock", cwd=folder / name)
    return folder


def write_variants(folder: Path, base: str, settings: str = SETTINGS, *, root: str = ROOT, prod: str = PROD) -> Path:
    """Write and lock the project.

    Args:
        folder: where to, made if missing.
        base: the address of the served world, with the build tools in its index `pypi`.
        settings: its `[tool.lockaudit]`.
        root: the beginning of the root's pyproject.toml.
        prod: the beginning of prod's.

    Returns:
        The folder.
    """
    for name in ("prod", "docker", "app"):
        (folder / name).mkdir(parents=True)
    (folder / "app" / "__init__.py").write_text('"""The sources of a stand-in project."""\n')
    shutil.copy(REPOSITORY / "docker" / "Dockerfile-uv", folder / "docker")
    shutil.copy(REPOSITORY / ".dockerignore", folder)
    shared = CONFLICT.replace("@base@", base) + FLASH_ATTN_METADATA
    (folder / "pyproject.toml").write_text(root + settings + shared)
    (folder / "prod" / "pyproject.toml").write_text(
        prod + shared.replace("[tool.uv]\n", "[tool.uv]\npackage = false\n")
    )
    uv("lock", cwd=folder)
    uv("lock", cwd=folder / "prod")
    return folder
