"""Runs the real uv, shielded from the configuration of the machine and of the person who runs the tests."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Set by an activated environment or by a caller; each would change what uv selects.
_LEAKS = ("PIP_", "UV_", "VIRTUAL_ENV", "CONDA_", "PYTHONHOME", "PYTHONPATH")


class UvMissingError(RuntimeError):
    """No uv on this machine."""


def uv_binary() -> str:
    """The path of uv: `$UV`, which `uv run` sets, else PATH, else beside this interpreter.

    Raises:
        UvMissingError: none of them has it.
    """
    beside = str(Path(sys.executable).parent)
    found = os.environ.get("UV") or shutil.which("uv") or shutil.which("uv", path=beside)
    if found is None:
        message = "uv is not on PATH; install it, or set UV to its path"
        raise UvMissingError(message)
    return found


def uv(
    *args: str,
    cwd: Path,
    check: bool = True,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run uv and capture what it prints.

    Args:
        *args: the command and its options.
        cwd: where to run it.
        check: raise when it fails; the exception's notes then show what uv said.
        env: variables that are added to the shielded environment.

    Returns:
        The finished process, with text output.

    Raises:
        subprocess.CalledProcessError: uv failed and `check` is true.
        UvMissingError: there is no uv.
    """
    process = subprocess.run(
        [uv_binary(), *args],
        cwd=cwd,
        env={**shielded(), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if check and process.returncode != 0:
        error = subprocess.CalledProcessError(process.returncode, process.args, process.stdout, process.stderr)
        error.add_note(process.stdout + process.stderr)
        raise error
    return process


def shielded() -> dict[str, str]:
    """This process's variables without those that decide what uv does, and a cache of its own."""
    home = _scratch()
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(_LEAKS)},
        "UV_CACHE_DIR": str(home / "cache"),
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        # Hides a user's and the system's uv.toml. UV_NO_CONFIG would hide more: also the parts of a project's own
        # [tool.uv] that are settings, dependency-metadata among them.
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CONFIG_DIRS": str(home / "config"),
    }


@functools.cache
def _scratch() -> Path:
    """One folder for all calls of this process, removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="standins-uv-")
    _KEPT.append(folder)
    return Path(folder.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []
