"""What faults of builders and registries need: a mirror that stays, a registry that may die, builders and projects."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import tempfile
import urllib.error
import urllib.request
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.faults.together import wait_for
from tests.engine.baking import bake, key, write_bake_file
from tests.engine.builder import UV_IMAGE, Builder, new_builder, publish_images, save_image
from tests.engine.docker import docker
from tests.engine.project import write_project
from tests.standins import add_build_tools, make_world, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_TYPES: Final = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry in a container of its own, on a port that it keeps when it is started again.

    Attributes:
        address: host and port.
        container: its name.
    """

    address: str
    container: str

    def kill(self) -> None:
        """`kill -9`."""
        docker("kill", "--signal=KILL", self.container)

    def start(self) -> None:
        """Start it again, with what it had stored."""
        docker("start", self.container)
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        if not wait_for(lambda: self.get("/v2/") is not None, 30):
            message = f"the registry at {self.address} does not answer"
            raise AssertionError(message)

    def get(self, path: str, accept: str = _TYPES) -> bytes | None:
        """A document of its, or None."""
        request = urllib.request.Request(f"http://{self.address}{path}", headers={"Accept": accept})
        try:
            with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310 - http, on the loopback
                found: bytes = response.read()
        except (OSError, urllib.error.URLError):
            return None
        return found

    def point(self, repository: str, tag: str, at: str) -> None:
        """Let a tag name what another tag of the repository names."""
        data = self.get(f"/v2/{repository}/manifests/{at}") or b""
        kind = json.loads(data)["mediaType"]
        request = urllib.request.Request(
            f"http://{self.address}/v2/{repository}/manifests/{tag}",
            data=data,
            headers={"Content-Type": kind},
            method="PUT",
        )
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - http, on the loopback

    def damage(self, digest: str) -> None:
        """Change a byte of a stored blob."""
        algorithm, _, name = digest.partition(":")
        path = f"/var/lib/registry/docker/registry/v2/blobs/{algorithm}/{name[:2]}/{name}/data"
        docker("exec", self.container, "sh", "-c", f"printf X | dd of={path} bs=1 seek=10 conv=notrunc 2>/dev/null")


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that rows have in common.

    Attributes:
        registry: the one that may die.
        fresh: starts a builder that has built nothing.
        project: makes a project whose wheel nobody has compiled.
    """

    registry: Registry
    fresh: Callable[[], contextlib.AbstractContextManager[Builder]]
    project: Callable[[], Path]

    def cache(self, address: str | None = None) -> dict[str, str]:
        """Variables for a cache repository that is empty."""
        return {"CACHE_REPO": f"{address or self.registry.address}/faults-{uuid.uuid4().hex[:12]}"}


def wheel(project: Path) -> str:
    """The tag of a project's wheel."""
    return f"wheel-{key(project)}"


def holds_wheel(project: Path, env: Mapping[str, str]) -> bool:
    """Whether a builder's wheel stage gives the wheel of the project's key, and nothing else."""
    with tempfile.TemporaryDirectory(prefix="lockaudit-wheels-") as name:
        bake(project, "wheel-prod", f"--set=wheel-prod.output=type=local,dest={name}", env=env)
        found = {path.name: path for path in Path(name).iterdir()}
        own = found.pop("flash-attn.key", None)
        return (
            own is not None and own.read_text() == f"{key(project)}\n" and [*map(_is_archive, found.values())] == [True]
        )


def _is_archive(path: Path) -> bool:
    return path.suffix == ".whl" and zipfile.is_zipfile(path) and zipfile.ZipFile(path).testzip() is None


def process_of(builder: Builder) -> int:
    """The number of a builder's engine."""
    return int(builder.socket.with_name("docker.pid").read_text())


@contextlib.contextmanager
def own_registry() -> Iterator[Registry]:
    """An empty registry that goes away afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    name = f"lockaudit-faults-{uuid.uuid4().hex[:12]}"
    docker("run", "--detach", f"--name={name}", f"--publish=127.0.0.1:{port}:5000", "registry:2")
    registry = Registry(f"127.0.0.1:{port}", name)
    try:
        registry.wait()
        yield registry
    finally:
        docker("rm", "--force", "--volumes", name, check=False)


@contextlib.contextmanager
def open_site(scratch: Path) -> Iterator[Site]:
    """A site of its own: two registries, one of which is the mirror that builders pull images from."""
    index = make_world(scratch / "index")
    add_build_tools(index)
    with own_registry() as mirror, own_registry() as registry, serve(index.root) as base:
        publish_images(mirror.address)
        archive = save_image(UV_IMAGE, scratch / "uv.tar")
        template = write_project(scratch / "template", base, wheels=False)

        def project() -> Path:
            return write_bake_file(shutil.copytree(template, scratch / uuid.uuid4().hex[:8] / "app"))

        yield Site(registry, lambda: new_builder(mirror.address, [archive]), project)
