"""A repository for `lockaudit set`: three releases of torch for two CUDA versions, and every place that names one."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from tests.cli.command import lockaudit
from tests.engine.project import REPOSITORY
from tests.standins import Index, flash_attn_sdist, uv

if TYPE_CHECKING:
    from pathlib import Path

# torch -> torchvision, and the CUDA builds that this world has of both; a plain one is in the index `pypi`.
RELEASES: Final = {
    "2.6.0": ("0.21.0", ("cu124", "")),
    "2.7.1": ("0.22.1", ("cu128",)),
    "2.8.0": ("0.23.0", ("cu128", "")),
}
_RUNTIME: Final = {"cu124": "12.4.127", "cu128": "12.8.90", "": "12.4.127"}
_PYTHONS: Final = ("cp311", "cp312")
_PURE: Final = {
    "cmake": ("3.26.1", "3.31.6"),
    "einops": ("0.8.1",),
    "filelock": ("3.16.1", "3.17.0"),
    "idna": ("3.9", "3.10"),
    "ninja": ("1.11.1",),
    "requests": ("2.32.3", "2.32.4"),
    "setuptools": ("80.9.0",),
}

ROOT: Final = """\
# The development environment.
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11,<3.13"  # both have wheels
dependencies = ["requests==2.32.3"]  # until 2.33

[project.optional-dependencies]
# what the images run
cu124 = [
    'torch==2.6.0 ; sys_platform == "linux"',  # the linux build
    "torch==2.2.2; sys_platform == 'darwin' and platform_machine == 'x86_64'",
    "torchvision==0.21.0 ; sys_platform == 'linux'",
    "flash-attn == 2.8.3; sys_platform == 'linux'", # compiled
    ]

[dependency-groups]
wheel-build = ["cmake==3.26.1", "ninja", "setuptools<81"]  # locked, too

[tool.uv]
package = false
environments = ["sys_platform == 'linux'"]
constraint-dependencies = ["torch<2.9"]

[tool.uv.sources]
torch = [{ index = "pytorch-cu124", marker = "sys_platform == 'linux'" }]
torchvision = { index = 'pytorch-cu124' }

[[tool.uv.index]]
name = "pytorch-cu124"  # torch and its companions
url = '@base@/cu124/simple'
explicit = true
"""
PROD: Final = """\
[project]
name = "app-prod"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["requests", "torch==2.6.0", "torchvision==0.21.0", "flash-attn==2.8.3"]

[tool.uv]
package = false
environments = ["sys_platform == 'linux'"]
constraint-dependencies = ["torch<2.9"]

[tool.uv.sources]
torch = [{ index = "pytorch-cu124", marker = "sys_platform == 'linux'" }]
torchvision = { index = "pytorch-cu124" }

[[tool.uv.index]]
name = "pytorch-cu124"
url = "@base@/cu124/simple"
explicit = true
"""
COMMON: Final = """
[[tool.uv.index]]
name = "local"
url = "@base@/pypi/simple"
default = true

# The sdist computes its metadata by importing torch.
[[tool.uv.dependency-metadata]]
name = "flash-attn"
version = "2.8.3"
requires-dist = ["torch", "einops"]
"""
SETTINGS: Final = """
[tool.lockaudit]
targets = ["linux-x86_64-cp311"]  # what runs in production

[tool.lockaudit.dev]
extras = ["cu124"]

[tool.lockaudit.image]
cuda = "12.4.1"
"""


def make_index(root: Path) -> Index:
    """Write the indexes `pypi`, `cu124` and `cu128`."""
    index = Index(root)
    for name, versions in _PURE.items():
        for version in versions:
            requires = ["idna"] if name == "requests" else []
            index.wheel("pypi", name, version, requires=requires)
    for torch, (vision, built) in RELEASES.items():
        for build in built:
            where, local = build or "pypi", f"+{build}" if build else ""
            runtime = f"nvidia-cuda-runtime-cu12=={_RUNTIME[build]}; platform_system == 'Linux'"
            index.wheel("pypi", "nvidia-cuda-runtime-cu12", _RUNTIME[build], tag="py3-none-manylinux2014_x86_64")
            for python in _PYTHONS:
                tag = f"{python}-{python}-manylinux_2_28_x86_64"
                index.wheel(where, "torch", torch + local, tag=tag, requires=["filelock", runtime])
                index.wheel(where, "torchvision", vision + local, tag=tag, requires=[f"torch=={torch}{local}"])
    for version in ("2.8.3", "2.8.4"):
        index.add("pypi", "flash-attn", flash_attn_sdist(index.folder("pypi", "flash-attn"), version))
    return index


def make_repository(folder: Path, base: str) -> Path:
    """Write, lock and bake the repository: `lockaudit check` and `lockaudit bake --check` are clean on it."""
    (folder / "prod").mkdir(parents=True)
    (folder / "docker").mkdir()
    template = (REPOSITORY / "docker" / "Dockerfile-uv").read_text()
    template = template.replace('DEV_SELECTION="--extra flash"', 'DEV_SELECTION="--extra cu124"')
    (folder / "docker" / "Dockerfile-uv").write_text(template)
    shutil.copy(REPOSITORY / ".dockerignore", folder)
    (folder / "pyproject.toml").write_text((ROOT + COMMON).replace("@base@", base) + SETTINGS)
    (folder / "prod" / "pyproject.toml").write_text((PROD + COMMON).replace("@base@", base))
    (folder / ".python-version").write_text("# for everybody\n3.11\n")
    (folder / "prod" / ".python-version").write_text("3.11\n")
    uv("lock", cwd=folder)
    shutil.copy(folder / "uv.lock", folder / "prod" / "uv.lock")
    uv("lock", cwd=folder / "prod")
    baked = lockaudit("bake", folder)
    assert baked.code == 0, baked.err
    return folder
