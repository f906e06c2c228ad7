"""What a measurement needs: an index of stand-in packages, a registry that logs, a locked project, and new builders."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.engine.baking import add_causal_conv1d, lockaudit, write_bake_file
from tests.engine.builder import DEVEL, UV_IMAGE, Builder, cuda_image, new_builder, publish_images, save_image
from tests.engine.docker import docker
from tests.engine.project import edit, lock, write_project
from tests.standins import add_build_tools, flash_attn_sdist, make_world, serve
from tests.standins.native import torch_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.standins import Index

OTHER_TORCH: Final = "2.5.1"
OTHER_FLASH: Final = "2.8.2"
OTHER_CMAKE: Final = "3.31.6"
OTHER_CUDA: Final = "12.8.1"
OTHER_UBUNTU: Final = "24.04"
OTHER_UV: Final = "0.0.0"  # a stand-in: the same uv with other bytes
_TORCH_TAG: Final = "cp311-cp311-manylinux_2_28_x86_64"
_GET: Final = re.compile(r'"GET /v2/\S+/blobs/(sha256:[0-9a-f]{64})\S* HTTP/[\d.]+" 200 (\d+)')


@dataclass(frozen=True, slots=True)
class Lab:
    """Everything that rows have in common.

    Attributes:
        scratch: a folder for copies and archives.
        index: the world of stand-ins, served at `base`.
        base: its address.
        registry: host and port of the registry, the mirror of Docker Hub too.
        container: the registry's.
        project: the project that every row starts from; rows change copies of it.
        archive: uv's image, for new builders.
    """

    scratch: Path
    index: Index
    base: str
    registry: str
    container: str
    project: Path
    archive: Path

    def copy(self, name: str) -> Path:
        """A copy of the project to change."""
        return shutil.copytree(self.project, self.scratch / "rows" / name)

    def builder(self) -> contextlib.AbstractContextManager[Builder]:
        """A builder that has built nothing."""
        return new_builder(self.registry, [self.archive])

    def downloads(self, since: float) -> dict[str, int]:
        """The blobs that were fetched from the registry, digest -> bytes.

        Args:
            since: seconds since the epoch.
        """
        process = docker("logs", f"--since={since:.3f}", self.container)
        found: dict[str, int] = {}
        for digest, size in _GET.findall(process.stdout + process.stderr):
            found[digest] = found.get(digest, 0) + int(size)
        return found

    @contextlib.contextmanager
    def uploaded_again(self, index: str, package: str) -> Iterator[Path]:
        """Let an index serve other bytes for one package while the block runs; yields the folder of its files."""
        folder = self.index.folder(index, package)
        kept = shutil.copytree(folder, self.scratch / "kept" / index / package)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
            # With new dates, which are what clients ask for.
            shutil.copytree(kept, folder, copy_function=shutil.copyfile)
            shutil.rmtree(kept)

    def rebuild_torch(self, folder: Path) -> None:
        """Replace torch's wheel by one of the same name with one more file."""
        torch_wheel(self.index, folder.parents[1].name, "2.6.0+cu124", {"torch/rebuilt.py": ""})

    def rebuild_flash_attn(self, folder: Path) -> None:
        """Replace flash-attn's sdist by one of the same name with other bytes."""
        path = folder / "flash_attn-2.8.3.tar.gz"
        path.write_bytes(flash_attn_sdist(self.scratch / "rebuilt", "2.8.3").read_bytes() + b"\0" * 512)
        self.index.add("pypi", "flash-attn", path)


@contextlib.contextmanager
def open_lab(scratch: Path) -> Iterator[Lab]:
    """Set everything up, and take the registry's container down in the end."""
    index = make_world(scratch / "index")
    add_build_tools(index)
    _more_packages(index)
    container = docker("run", "--detach", "--publish=127.0.0.1::5000", "registry:2").stdout.strip()
    try:
        registry = docker("port", container, "5000").stdout.split()[0]
        _wait(registry)
        _publish(registry)
        archive = save_image(UV_IMAGE, scratch / "uv.tar")
        with serve(index.root) as base:
            project = write_project(scratch / "app", base, wheels=False)
            settle(project)
            yield Lab(scratch, index, base, registry, container, project, archive)
    finally:
        docker("rm", "--force", "--volumes", container, check=False)


def settle(project: Path) -> None:
    """What rows need to find in the project; architectures by hand, so that another CUDA is another CUDA only."""
    pyproject = project / "pyproject.toml"
    (project / "README.md").write_text("# A stand-in\n")
    write_bake_file(project)
    edit(pyproject, "\nTEST = ", '\nFLASH_ATTN_CUDA_ARCHS = "80;90"\nTEST = ')
    lockaudit(project, "bake")


def two_packages(lab: Lab, name: str) -> Path:
    """A copy of the project that compiles causal-conv1d too."""
    project = lab.copy(name)
    add_causal_conv1d(project)
    lock(project)
    lockaudit(project, "bake")
    return project


def torch_wheel(index: Index, where: str, version: str, more: dict[str, str | bytes] | None = None) -> None:
    """Write a torch wheel beside the one of the world, with the same dependencies."""
    with zipfile.ZipFile(next(index.folder(where, "torch").glob(f"torch-2.6.0*-{_TORCH_TAG}.whl"))) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        headers = archive.read(name).decode().splitlines()
    requires = [line.partition(": ")[2] for line in headers if line.startswith("Requires-Dist: ")]
    files = {**torch_files(version), **(more or {})}
    index.wheel(where, "torch", version, tag=_TORCH_TAG, requires=requires, files=files, requires_python=">=3.9")


def _more_packages(index: Index) -> None:
    torch_wheel(index, "cu124", f"{OTHER_TORCH}+cu124")
    flash_attn_sdist(index.folder("pypi", "flash-attn"), OTHER_FLASH)
    index.add("pypi", "flash-attn", index.folder("pypi", "flash-attn") / f"flash_attn-{OTHER_FLASH}.tar.gz")
    for name, version in (("cmake", OTHER_CMAKE), ("ninja", "1.11.1.3")):
        says = f"cmake version {version}" if name == "cmake" else version
        script = f'#!/bin/sh\n# A stand-in for {name}.\necho "{says}"\n'
        index.wheel("pypi", name, version, files={f"{name}-{version}.data/scripts/{name}": script})
    shutil.copytree(index.root / "cu124", index.root / "moved-cu124")


def _publish(registry: str) -> None:
    images = [
        cuda_image(flavor, cuda=cuda)
        for cuda in (None, OTHER_CUDA)
        for flavor in ("cudnn-devel", "cudnn-runtime", "devel", "runtime")
    ]
    publish_images(registry, images)
    # Another Ubuntu, as far as a cache can tell.
    for flavor in ("cudnn-devel", "cudnn-runtime"):
        copy = f"{registry}/{cuda_image(flavor, ubuntu=OTHER_UBUNTU)}"
        _build(copy, f"FROM {cuda_image(flavor)}\nRUN echo {OTHER_UBUNTU} >/etc/other-ubuntu\n")
        docker("push", "--quiet", copy)
        docker("image", "rm", copy)


def other_uv(builder: Builder) -> None:
    """Give a builder an image of uv with other bytes under another version."""
    text = (
        f"FROM {UV_IMAGE} AS uv\nFROM {DEVEL} AS other\nCOPY --from=uv /uv /uv\nRUN echo >>/uv\n"
        "FROM scratch\nCOPY --from=other /uv /uv\n"
    )
    _build(f"{UV_IMAGE.partition(':')[0]}:{OTHER_UV}", text, builder)


def _build(image: str, text: str, builder: Builder | None = None) -> None:
    environment = builder.environment if builder is not None else None
    with tempfile.TemporaryDirectory(prefix="lockaudit-image-") as folder:
        Path(folder, "Dockerfile").write_text(text)
        docker("build", "--quiet", "--network=host", f"--tag={image}", folder, env=environment)


def _wait(registry: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://{registry}/v2/", timeout=1):
                return
        except (OSError, urllib.error.URLError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
