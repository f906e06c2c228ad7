"""A builder that has built nothing yet: a Docker Engine of its own, with an empty data folder, beside the shared one.

A cache in a registry is worth what it saves a machine that starts with nothing. Pruning the shared engine would make
such a machine too, but would take the caches of everybody else who uses it.

    publish_images(registry, IMAGES)
    save_image(UV_IMAGE, archive)
    with new_builder(registry, [archive]) as builder:
        bake(project, "prod", env=builder.environment)

Needs root, and `dockerd` and `ip` on PATH.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .docker import docker
from .project import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SECONDS_TO_START = 30
_SECONDS_TO_STOP = 20
_NUMBERS = itertools.count()


def _pin(name: str) -> str:
    """The default of one of the Dockerfile's ARGs."""
    text = (REPOSITORY / "docker" / "Dockerfile-uv").read_text()
    found = re.search(rf"^ARG {name}=(\S+)$", text, re.MULTILINE)
    assert found is not None, f"docker/Dockerfile-uv has no ARG {name}"
    return found[1]


def cuda_image(flavor: str, *, cuda: str | None = None, ubuntu: str | None = None) -> str:
    """The name of a CUDA image: `cudnn-devel`, by default of the CUDA and the Ubuntu that the Dockerfile pins."""
    return f"nvidia/cuda:{cuda or _pin('CUDA_VERSION')}-{flavor}-ubuntu{ubuntu or _pin('UBUNTU_VERSION')}"


DEVEL, RUNTIME = cuda_image("cudnn-devel"), cuda_image("cudnn-runtime")
UV_IMAGE = f"ghcr.io/astral-sh/uv:{_pin('UV_VERSION')}"


@dataclass(frozen=True, slots=True)
class Builder:
    """A running engine that had no images and no build cache when it started.

    Attributes:
        socket: where it listens.
    """

    socket: Path

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make the docker client use it."""
        return {"DOCKER_HOST": f"unix://{self.socket}"}


def why_no_builder() -> str | None:
    """Why this machine cannot start a builder, or None."""
    if os.geteuid() != 0:
        return "a second Docker Engine needs root"
    missing = [command for command in ("dockerd", "ip") if shutil.which(command) is None]
    return f"no second Docker Engine: {', '.join(missing)} not on PATH" if missing else None


def publish_images(registry: str, images: Sequence[str] = (DEVEL, RUNTIME)) -> None:
    """Push images of the shared engine to a registry, which then is a new builder's mirror of Docker Hub.

    Args:
        registry: host and port.
        images: names on Docker Hub.
    """
    for image in images:
        copy = f"{registry}/{image}"
        docker("tag", image, copy)
        docker("push", "--quiet", copy)
        docker("image", "rm", copy)


def save_image(image: str, archive: Path) -> Path:
    """Write an image of the shared engine to an archive, for what is not on Docker Hub and so has no mirror."""
    docker("save", f"--output={archive}", image)
    return archive


@contextlib.contextmanager
def new_builder(mirror: str, archives: Sequence[Path] = ()) -> Iterator[Builder]:
    """Start an engine; stop and remove it when the block ends.

    Args:
        mirror: the registry that `publish_images` filled; images are pulled from it when a step needs them.
        archives: of `save_image`, to load before it is used.
    """
    number = next(_NUMBERS)
    bridge = f"la{os.getpid() % 10_000_000}n{number % 10_000}"
    folder = Path(tempfile.mkdtemp(prefix="lockaudit-builder-"))  # short: a socket's path has at most 107 characters
    builder = Builder(folder / "docker.sock")
    settings = {
        "features": {"containerd-snapshotter": True},
        "data-root": str(folder / "data"),
        "exec-root": str(folder / "exec"),
        "pidfile": str(folder / "docker.pid"),
        "hosts": [f"unix://{builder.socket}"],
        "registry-mirrors": [f"http://{mirror}"],
        # A bridge of its own that nothing uses, as builds have the host's network. Without one the engine would take
        # docker0, and with `none` it would remove it: docker0 belongs to the shared engine.
        "bridge": bridge,
        "iptables": False,
        "ip6tables": False,
    }
    configuration = folder / "daemon.json"
    configuration.write_text(json.dumps(settings))
    _ip("link", "add", "name", bridge, "type", "bridge")
    try:
        # Of the range for tests of networks, and small, so that it cannot meet one that Docker gives away.
        _ip("addr", "add", f"198.18.{os.getpid() % 256}.{4 * (number % 64) + 1}/30", "dev", bridge)
        _ip("link", "set", bridge, "up")
        with _running(configuration, builder):
            for archive in archives:
                docker("load", "--quiet", f"--input={archive}", env=builder.environment)
            yield builder
    finally:
        _ip("link", "delete", bridge)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running_again(builder: Builder) -> Iterator[None]:
    """Start a builder's engine again after somebody has killed it, with what is on its disk, for as long as the block.

    What the killed one had started, a compile for instance, is ended first, as a machine that dies ends it.
    """
    folder = builder.socket.parent
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        if (place := line.split()[1]).startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", place], check=False)
    (folder / "docker.pid").unlink(missing_ok=True)
    with _running(folder / "daemon.json", builder):
        yield


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextlib.contextmanager
def _running(configuration: Path, builder: Builder) -> Iterator[None]:
    log = configuration.with_name("dockerd.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["dockerd", "--config-file", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + _SECONDS_TO_START
        while docker("info", check=False, env=builder.environment).returncode != 0:
            if process.poll() is not None or time.monotonic() > deadline:
                message = f"dockerd did not start:\n{log.read_text(errors='replace')[-2000:]}"
                raise AssertionError(message)
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
