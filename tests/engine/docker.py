"""Calls `docker` the way a user would, and reads what BuildKit prints."""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# How a stand-in sdist says that its compiler runs; BuildKit puts the step's number and the seconds before it.
_COMPILING = re.compile(r"^#\d+ [\d.]+ +COMPILING (\S+) jobs=(\S*)$", re.MULTILINE)


def compiles(log: str, package: str | None = None) -> int:
    """How many times a stand-in package was compiled, according to a log of `--progress=plain`.

    Args:
        log: what docker printed.
        package: count this one only.
    """
    return sum(package in {None, name} for name, _ in _COMPILING.findall(log))


def jobs(log: str) -> list[str]:
    """The MAX_JOBS of each compile, in the order of the log."""
    return [count for _, count in _COMPILING.findall(log)]


@dataclass(frozen=True, slots=True)
class Build:
    """A finished build.

    Attributes:
        image: its tag.
        log: what docker printed, both streams.
        ok: whether it succeeded.
    """

    image: str
    log: str
    ok: bool


@dataclass(slots=True)
class Engine:
    """A running Docker Engine, and the images that these tests left in it."""

    images: list[str] = field(default_factory=list)

    def build(
        self,
        project: Path,
        target: str,
        *options: str,
        args: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> Build:
        """Run `docker build --target TARGET` in a project, without bake.

        Args:
            project: the build context.
            target: the stage to build.
            *options: more options, `--secret` for instance.
            args: build arguments.
            env: variables of the client, which secrets read.
            check: fail the test when the build fails.

        Returns:
            The build, whose image `remove` deletes.
        """
        image = f"lockaudit-test:{target}-{uuid.uuid4().hex[:12]}"
        arguments = [f"--build-arg={name}={value}" for name, value in (args or {}).items()]
        # The host's network, because that is where the index of stand-ins is.
        command = ["build", "--network=host", "--progress=plain", "--file=docker/Dockerfile-uv"]
        process = docker(
            *command,
            f"--target={target}",
            f"--tag={image}",
            *arguments,
            *options,
            ".",
            cwd=project,
            env=env,
            check=False,
        )
        log = process.stdout + process.stderr
        if process.returncode == 0:
            self.images.append(image)
        elif check:
            message = f"docker build --target {target} failed:\n{log}"
            raise AssertionError(message)
        return Build(image, log, process.returncode == 0)

    def run(self, image: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in a new container of an image, without a network."""
        return docker("run", "--rm", "--network=none", image, *command, check=check)

    def run_as_root(self, image: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The same as root, who can look everywhere."""
        return docker("run", "--rm", "--network=none", "--user=0", image, *command, check=check)

    def remove_images(self) -> None:
        """Delete what `build` made; its build cache stays."""
        if self.images:
            docker("image", "rm", "--force", *self.images, check=False)
            self.images.clear()


def docker(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run the docker client and capture what it prints.

    Args:
        *arguments: the command and its options.
        cwd: where to run it.
        env: variables that are added to the environment.
        check: fail the test when the command fails.
    """
    process = subprocess.run(
        ["docker", *arguments],
        cwd=cwd,
        env={**_environment(), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if check and process.returncode != 0:
        message = f"docker {' '.join(arguments)} exited {process.returncode}:\n{process.stdout}{process.stderr}"
        raise AssertionError(message)
    return process


def _environment() -> dict[str, str]:
    """This process's environment without what a build would read from it: buildx forwards SOURCE_DATE_EPOCH."""
    return {name: value for name, value in os.environ.items() if name not in {"SOURCE_DATE_EPOCH", "MAX_JOBS"}}
