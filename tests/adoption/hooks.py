"""The real pre-commit and prek, and a git repository whose hooks come from this one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auditor import __version__
from tests.standins import uv, uv_binary
from tests.support import REPOSITORY, missing

if TYPE_CHECKING:
    from collections.abc import Mapping

TOOLS: Final = ("pre-commit", "prek")
PUBLISHED: Final = "https://github.com/lockaudit/lockaudit"

# What `pip install` of a hook's repository needs, and what pre-commit reads.
_SOURCES: Final = ("auditor", "docker/Dockerfile-uv", ".dockerignore", ".pre-commit-hooks.yaml")
_SOURCE_FILES: Final = ("README.md", "LICENSE", "pyproject.toml")
_LEAKS: Final = ("GIT_", "PYTHON", "VIRTUAL_ENV", "CONDA_", "PRE_COMMIT", "PREK_", "FORCE_COLOR", "NO_COLOR")
_LEAKED: Final = frozenset({"UV_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_PROJECT", "SKIP"})


def install_tools() -> Path:
    """The folder of the two programs, as uv.lock has them, by their hashes; kept in the user's cache.

    Without them and without a package index, a named skip.
    """
    pins = uv("export", "--frozen", "--only-group", "hooks", "--no-emit-project", "--no-header", cwd=REPOSITORY).stdout
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lockaudit-tests"
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = home / f"hooks-{sha256(pins.encode()).hexdigest()[:12]}-{minor}"
    programs = folder / "bin"
    if all((programs / name).exists() for name in TOOLS):
        return programs
    shutil.rmtree(folder, ignore_errors=True)
    steps = (
        ["venv", "--quiet", "--python", sys.executable, str(folder)],
        ["pip", "install", "--quiet", "--python", str(folder), "--require-hashes", "--requirement", "-"],
    )
    for step in steps:
        done = subprocess.run([uv_binary(), *step], input=pins, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            missing(f"pre-commit and prek cannot be installed: {done.stderr.strip()}")
    return programs


def make_source(folder: Path) -> Path:
    """A git repository with what is in this working tree, committed or not, tagged as the version that it is."""
    for name in (*_SOURCES, *_SOURCE_FILES):
        source, target = REPOSITORY / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["commit", "--quiet", "-m", "as it is"],
        ["tag", f"v{__version__}"],
    ):
        subprocess.run(["git", *command], cwd=folder, env=environment(), check=True, capture_output=True)
    return folder


def environment(*paths: Path, source: Path | None = None, **more: str) -> dict[str, str]:
    """The variables of this process without what would change a tool, and with an author for git.

    Args:
        *paths: folders of programs that are found first.
        source: what stands in for the published repository.
        **more: variables that are added.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEAKS) and name not in _LEAKED}
    git = {
        "user.name": "A Tester",
        "user.email": "tester@example.invalid",
        "init.defaultBranch": "main",
        "protocol.file.allow": "always",
        "commit.gpgSign": "false",
    }
    if source is not None:
        git[f"url.{source.as_uri()}.insteadOf"] = PUBLISHED
    # By number, not by file: pre-commit takes every other GIT_ variable away from what it starts.
    for number, (key, value) in enumerate(git.items()):
        kept |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    path = os.pathsep.join([*map(str, paths), str(Path(uv_binary()).parent), kept.get("PATH", "")])
    none = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return {**kept, **none, "GIT_CONFIG_COUNT": str(len(git)), "PATH": path, **more}


@dataclass(frozen=True)
class Repository:
    """A git repository in which one of the tools is installed as the commit hook.

    Attributes:
        root: its folder.
        tool: `pre-commit` or `prek`.
        env: the variables of everything that runs in it.
    """

    root: Path
    tool: str
    env: Mapping[str, str] = field(repr=False)

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program; its two streams are one, as on a terminal."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        assert not check or done.returncode == 0, f"{' '.join(command)} exited {done.returncode}:\n{done.stdout}"
        return done

    def commit(self) -> subprocess.CompletedProcess[str]:
        """Commit everything, hooks included; it may fail."""
        self.run("git", "add", "--all")
        return self.run("git", "commit", "--quiet", "-m", "a change", check=False)

    @property
    def head(self) -> str:
        """The current commit."""
        return self.run("git", "rev-parse", "HEAD").stdout.strip()
