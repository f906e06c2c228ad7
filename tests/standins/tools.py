"""The packages that build a wheel: pip, setuptools, wheel and packaging are real, the others are stand-ins."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .uv import uv_binary

if TYPE_CHECKING:
    from .index import Index

# setuptools 81 dropped pkg_resources, which legacy setup.py files import.
# It imports packaging and wheel where they are installed, and its own copies elsewhere.
_REAL = {"pip": "25.0.1", "setuptools": "80.9.0", "wheel": "0.45.1", "packaging": "25.0"}


def add_build_tools(index: Index, *, cmake: str = "3.26.1", where: str = "pypi") -> None:
    """Add what a build lock pins beside torch: pip, setuptools, wheel, packaging, psutil, ninja, cmake.

    pip, setuptools, wheel and packaging are the real ones, downloaded once with the machine's own client and kept in
    the user's cache. The others are stand-ins: no stand-in sdist uses them, and `cmake` and `ninja` are scripts that
    say their version.

    Args:
        index: the index to add them to.
        cmake: the version of the stand-in CMake.
        where: the name of the index.
    """
    cache = _real_tools()
    for name in _REAL:
        index.add(where, name, next(cache.glob(f"{name}-*.whl")))
    index.wheel(where, "psutil", "7.0.0")
    for name, version in {"cmake": cmake, "ninja": "1.11.1.4"}.items():
        says = f"cmake version {version}" if name == "cmake" else version
        script = f'#!/bin/sh\n# A stand-in for {name}.\necho "{says}"\n'
        index.wheel(where, name, version, files={f"{name}-{version}.data/scripts/{name}": script})


def _real_tools() -> Path:
    """The folder of the real wheels, filled if something is missing.

    Raises:
        subprocess.CalledProcessError: the download failed.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "lockaudit-tests" / "-".join(f"{name}-{version}" for name, version in _REAL.items())
    if not all(list(folder.glob(f"{name}-*.whl")) for name in _REAL):
        folder.mkdir(parents=True, exist_ok=True)
        pins = [f"{name}=={version}" for name, version in _REAL.items()]
        # uv cannot download wheels, pip can; uv runs it without installing it anywhere.
        command = [uv_binary(), "tool", "run", "--from", f"pip=={_REAL['pip']}", "pip", "download"]
        subprocess.run(
            [*command, "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), *pins], check=True
        )
    return folder
