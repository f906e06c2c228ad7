"""Runs `docker buildx bake` on a file that `lockaudit bake` wrote, and asks a registry what has arrived there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .docker import docker
from .project import edit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The network of the machine, where the index of stand-ins is. Bake merges this file into the emitted one.
OVERRIDE = 'target "_common" {\n  network = "host"\n}\n'
NOWHERE = "127.0.0.1:1"  # nothing listens there
ONLY_CACHE = "--set=*.output=type=cacheonly"  # an option: solves all of a build, but makes no image

_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json"
)


@dataclass(frozen=True, slots=True)
class Baked:
    """A finished bake.

    Attributes:
        log: what buildx printed, both streams.
        code: its exit code.
    """

    log: str
    code: int

    @property
    def ran(self) -> int:
        """How many steps ran a command, instead of coming from a cache (or being cancelled, when a later one did)."""
        steps = set(re.findall(r"^(#\d+) \[[^\]]* \d+/\d+\] RUN ", self.log, re.MULTILINE))
        done = set(re.findall(r"^(#\d+) DONE", self.log, re.MULTILINE))
        cached = set(re.findall(r"^(#\d+) CACHED$", self.log, re.MULTILINE))
        return len(steps & done - cached)


def bake(project: Path, *arguments: str, env: Mapping[str, str] | None = None, check: bool = True) -> Baked:
    """Run `docker buildx bake` in a project.

    Args:
        project: its folder.
        *arguments: targets and options.
        env: variables: knobs of the bake file, values of secrets, and which engine.
        check: fail the test when the bake fails.
    """
    command = ("buildx", "bake", "--progress=plain", "--allow=network.host")
    process = docker(*command, *arguments, cwd=project, env=env, check=False)
    log = process.stdout + process.stderr
    if check and process.returncode != 0:
        message = f"docker buildx bake {' '.join(arguments)} exited {process.returncode}:\n{log}"
        raise AssertionError(message)
    return Baked(log, process.returncode)


def lockaudit(project: Path, *arguments: str) -> str:
    """Run lockaudit in a project and return what it prints to stdout."""
    command = [sys.executable, "-m", "auditor", *arguments]
    process = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if process.returncode != 0:
        message = f"lockaudit {' '.join(arguments)} exited {process.returncode}:\n{process.stdout}{process.stderr}"
        raise AssertionError(message)
    return process.stdout


def write_bake_file(project: Path) -> Path:
    """Let lockaudit write the bake file and the build locks of a stand-in project; its wheels get keys of their own.

    Returns:
        The project.
    """
    pyproject = project / "pyproject.toml"
    pyproject.write_text(
        pyproject.read_text() + f'\n[tool.lockaudit.wheel.flash-attn.env]\nTEST = "{uuid.uuid4().hex}"\n'
    )
    (project / "docker-bake.override.hcl").write_text(OVERRIDE)
    lockaudit(project, "bake")
    return project


def add_causal_conv1d(project: Path, **env: str) -> None:
    """Make a stand-in project compile a second package.

    Args:
        project: its folder; it is not locked yet when this returns.
        **env: more variables of its compile.
    """
    for pyproject in (project / "pyproject.toml", project / "prod" / "pyproject.toml"):
        edit(pyproject, '"flash-attn==2.8.3"', '"flash-attn==2.8.3", "causal-conv1d==1.5.2"')
        metadata = '\n[[tool.uv.dependency-metadata]]\nname = "causal-conv1d"\nrequires-dist = ["torch", "einops"]\n'
        pyproject.write_text(pyproject.read_text() + metadata)
    variables = {"TEST": uuid.uuid4().hex, **env}
    lines = "".join(f'{name} = "{value}"\n' for name, value in variables.items())
    root = project / "pyproject.toml"
    root.write_text(f"{root.read_text()}\n[tool.lockaudit.wheel.causal-conv1d.env]\n{lines}")


def key(project: Path, package: str = "flash-attn") -> str:
    """The build key of a package, from its build lock."""
    return (project / "docker" / "wheels" / package / "key").read_text().strip()


def tags(registry: str, repository: str) -> list[str]:
    """The tags of a repository, sorted; empty where nobody has pushed to it."""
    try:
        found: list[str] | None = _get(f"http://{registry}/v2/{repository}/tags/list")["tags"]
    except urllib.error.HTTPError:
        return []
    return sorted(found or [])


def manifest(registry: str, repository: str, reference: str) -> dict[str, Any]:
    """An image's manifest; of an index, its first."""
    address = f"http://{registry}/v2/{repository}/manifests"
    found = _get(f"{address}/{reference}")
    return _get(f"{address}/{found['manifests'][0]['digest']}") if "manifests" in found else found


def layers(registry: str, repository: str, reference: str) -> dict[str, int]:
    """The layers of an image or a cache: digest -> size in bytes."""
    return {layer["digest"]: layer["size"] for layer in manifest(registry, repository, reference)["layers"]}


def _get(address: str) -> dict[str, Any]:
    request = urllib.request.Request(address, headers={"Accept": _MANIFESTS})  # noqa: S310 (http, on the loopback)
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        found: dict[str, Any] = json.load(response)
    return found
