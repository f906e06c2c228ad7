"""A pair of projects in which there is nothing to find, locked by the real uv from a local index.

Dev has two CUDA extras that conflict and two groups of tools; prod is a second uv project with what dev has in its
production selection: torch from the index of CUDA 12.4, a compiled package, a package from git, a fork of numpy by
Python, and a few dozen others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.standins import FLASH_ATTN_METADATA, make_world, uv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins import Index

# A web service, in names and edges: what a lock of a few dozen packages looks like.
SERVICE = {
    "fastapi": ["starlette", "pydantic", "typing-extensions"],
    "starlette": ["anyio"],
    "anyio": ["idna", "sniffio", "typing-extensions"],
    "pydantic": ["annotated-types", "pydantic-core", "typing-extensions"],
    "uvicorn": ["click", "h11"],
    "httpx": ["anyio", "certifi", "httpcore", "idna"],
    "httpcore": ["certifi", "h11"],
    "transformers": ["filelock", "huggingface-hub", "numpy", "pyyaml", "regex", "requests", "safetensors", "tqdm"],
    "huggingface-hub": ["filelock", "fsspec", "pyyaml", "requests", "tqdm", "hf-xet; platform_machine == 'x86_64'"],
    "accelerate": ["huggingface-hub", "numpy", "psutil", "pyyaml", "safetensors", "torch>=2.0"],
    "jinja2": ["markupsafe"],
}
LEAVES = (
    *("annotated-types", "click", "fsspec", "h11", "hf-xet", "markupsafe", "psutil", "pydantic-core", "pyyaml"),
    *("regex", "safetensors", "sniffio", "tqdm"),
)
NATIVE = ("hf-xet", "markupsafe", "pydantic-core", "pyyaml", "regex", "safetensors")
PLATFORMS = ("manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "win_amd64")

SOURCES = """\
[tool.uv.sources]
core-lib = { git = "@repository@", tag = "v1.0" }
torch = @torch@
torchvision = @torch@

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

DEPENDENCIES = '"accelerate", "core-lib", "einops", "fastapi", "httpx", "jinja2", "transformers", "uvicorn"'

DEV = f"""\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = [{DEPENDENCIES}]

[project.optional-dependencies]
cu124 = ["torch==2.6.0", "torchvision", "flash-attn==2.8.3"]
cu128 = ["torch==2.6.0", "torchvision", "flash-attn==2.8.3"]

[dependency-groups]
dev = ["pytest", "ruff"]
docs = ["jinja2", "pluggy"]

[tool.lockaudit]
targets = ["linux-x86_64-cp311", "linux-x86_64-cp312"]

[tool.lockaudit.dev]
extras = ["cu124"]

[tool.uv]
environments = ["sys_platform == 'linux' and platform_machine == 'x86_64'"]
conflicts = [[{{ extra = "cu124" }}, {{ extra = "cu128" }}]]

"""

PROD = f"""\
[project]
name = "app-prod"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["torch==2.6.0", "torchvision", "flash-attn==2.8.3", {DEPENDENCIES}]

[tool.uv]
package = false
environments = ["sys_platform == 'linux' and platform_machine == 'x86_64'"]

"""

EXTRAS = '[{ index = "cu124", extra = "cu124" }, { index = "cu128", extra = "cu128" }]'
CORE_LIB = """\
[project]
name = "core-lib"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["filelock", "jinja2"]
"""


@dataclass(frozen=True)
class CleanPair:
    """The pair.

    Attributes:
        root: its folder.
        base: the address of the index that it was locked against.
        repository: the git repository of `core-lib`.
    """

    root: Path
    base: str
    repository: Path

    def copy(self, folder: Path) -> Path:
        """A copy to change."""
        return shutil.copytree(self.root, folder / "pair")


def make_index(folder: Path) -> Index:
    """The index that the pair is locked against."""
    index = make_world(folder)
    for name in LEAVES:
        for tag in [f"cp311-abi3-{platform}" for platform in PLATFORMS] if name in NATIVE else ["py3-none-any"]:
            index.wheel("pypi", name, "1.0", tag=tag)
    for name, needs in SERVICE.items():
        index.wheel("pypi", name, "1.0", requires=needs)
        index.sdist("pypi", name, "1.0", requires=needs)
    return index


def make_pair(root: Path, base: str, repository: Path) -> CleanPair:
    """Write the pair and lock it; the git repository is made first if it is not there."""
    if not repository.exists():
        commit(repository, "v1.0")
    for folder, text, torch in ((root, DEV, EXTRAS), (root / "prod", PROD, '{ index = "cu124" }')):
        folder.mkdir(parents=True)
        sources = SOURCES.replace("@base@", base).replace("@repository@", repository.as_uri())
        (folder / "pyproject.toml").write_text(text + sources.replace("@torch@", torch) + FLASH_ATTN_METADATA)
        uv("lock", cwd=folder)
    return CleanPair(root, base, repository)


def commit(repository: Path, tag: str, note: str = "") -> str:
    """Commit a state of `core-lib`, move a tag to it, and return the commit."""
    repository.mkdir(parents=True, exist_ok=True)
    (repository / "core_lib.py").write_text(f'"""A library of the team.{note}"""\n')
    (repository / "pyproject.toml").write_text(CORE_LIB)
    if not (repository / ".git").exists():
        git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", f"A state{note}")
    git(repository, "tag", "--force", tag)
    return git(repository, "rev-parse", "HEAD").strip()


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, with an author and without anybody's configuration."""
    author = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", "A Tester"), ("EMAIL", "tester@example.org"), ("DATE", "2026-01-01T00:00:00Z"))
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **author},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
