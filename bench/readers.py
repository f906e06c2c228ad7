"""What builders that start with nothing take from each kind of cache."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.lab import two_packages
from tests.engine.baking import ONLY_CACHE, bake, key, layers, lockaudit, tags
from tests.engine.builder import DEVEL, RUNTIME
from tests.engine.docker import compiles
from tests.engine.project import edit, lock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.lab import Lab
    from bench.table import Table
    from tests.engine.baking import Baked


@dataclass(frozen=True, slots=True)
class Readers:
    """What several new builders did with the same project.

    Attributes:
        count: of the builders.
        compiled: how many compiles, in all.
        ran: how many steps ran a command, in all.
        devel: how many builders fetched a layer that only the CUDA devel image has.
        fetched: bytes that the last one fetched from the registry.
    """

    count: int
    compiled: int
    ran: int
    devel: int
    fetched: int

    @property
    def note(self) -> str:
        """For people."""
        steps = f"{self.ran / self.count:.0f} steps ran in each" if self.ran else "no step ran"
        devel = f"{self.devel} fetched the CUDA devel image" if self.devel else "none fetched a layer of CUDA devel"
        return f"{steps}; {devel}"


class NewBuilders:
    """The measurements.

    Args:
        table: where rows go.
        lab: the laboratory.
        repeat: how many builders for each image.
        few: how many for what takes long.
    """

    def __init__(self, table: Table, lab: Lab, repeat: int, few: int) -> None:
        self.table = table
        self.lab = lab
        self.repeat = repeat
        self.few = few
        own = {image: layers(lab.registry, *image.split(":")).keys() for image in (DEVEL, RUNTIME)}
        self.devel = own[DEVEL] - own[RUNTIME]

    def measure(self) -> None:
        """All of them."""
        self.registry()
        self.two_packages()
        self.folder()
        self.wheelhouse()

    def read(self, project: Path, count: int, *arguments: str, env: Mapping[str, str]) -> Readers:
        """Bake a project on new builders, one after the other."""
        bakes: list[Baked] = []
        devel, fetched = 0, 0
        for _ in range(count):
            with self.lab.builder() as builder:
                start = time.time()
                bakes.append(bake(project, *arguments, env={**env, **builder.environment}))
                blobs = self.lab.downloads(start)
            devel += bool(self.devel & blobs.keys())
            fetched = sum(blobs.values())
        compiled, ran = sum(compiles(each.log) for each in bakes), sum(each.ran for each in bakes)
        return Readers(count, compiled, ran, devel, fetched)

    def row(self, what: str, found: Readers, note: str = "", *, devel: bool | None = None) -> None:
        """Add a row, whose builders must have compiled nothing.

        Args:
            what: was baked.
            found: what the builders did.
            note: for people.
            devel: whether each builder must have fetched CUDA devel, or none; None if that is not the point.
        """
        builders = "a new builder" if found.count == 1 else f"{found.count} new builders"
        notes = "; ".join(filter(None, (note, found.note)))
        self.table.add(f"{what}, on {builders}", "same", found.compiled, "", notes)
        self.table.expect(what, found.compiled, 0)
        if devel is not None:
            self.table.expect(f"{what}: builders that fetched devel", found.devel, found.count if devel else 0)

    def registry(self) -> None:
        """The default: a cache in a registry, written as docs/ci.md says."""
        project = self.lab.copy("registry")
        lockaudit(project, "bake")
        cache = {"CACHE_REPO": f"{self.lab.registry}/cache"}
        write = {**cache, "CACHE_WRITE": "1"}
        wheel = f"wheel-{key(project)}"
        with self.lab.builder() as builder:
            first = bake(project, "wheels", env={**write, **builder.environment})
            exported = layers(self.lab.registry, "cache", wheel)
            size = f"the wheel's cache has {len(exported)} layer of {sum(exported.values()):,} bytes"
            self.table.add("`CACHE_WRITE=1 bake wheels`, on a new builder", "", compiles(first.log), "", size)
            self.table.expect("compiles of the first `bake wheels`", compiles(first.log), 1)
            self.table.expect("tags after `bake wheels`", tags(self.lab.registry, "cache"), [wheel])
            self.table.expect("layers of the wheel's cache", len(exported), 1)
            found = self.read(project, self.few, "dev", "prod", ONLY_CACHE, env=cache)
            self.row("`bake dev prod` after `bake wheels` alone", found, "dependencies are not cached")
            bake(project, "dev", "prod", ONLY_CACHE, env={**write, **builder.environment})
            bake(project, "wheels", env={**write, **builder.environment})

        again = len(layers(self.lab.registry, "cache", wheel))
        found = self.read(project, self.few, "wheels", env=cache)
        size = f"its cache, written again by the same builder, names {again} layers; {found.fetched:,} bytes fetched"
        self.row("`bake wheels` after the images were cached too", found, size, devel=False)
        for targets in (("dev", "prod"), ("prod",), ("dev",)):
            found = self.read(project, self.repeat, *targets, ONLY_CACHE, env=cache)
            self.row(f"`bake {' '.join(targets)}` from the registry", found, devel=False)
        found = self.read(project, self.few, "prod", env=cache)
        self.row("`bake prod` from the registry, image unpacked", found, devel=False)

        changed = self.lab.copy("registry-changed")
        for path in (changed / "pyproject.toml", changed / "prod" / "pyproject.toml"):
            edit(path, '"requests==2.32.3"', '"requests==2.32.3", "numpy"')
        lock(changed)
        lockaudit(changed, "bake")
        found = self.read(changed, max(self.few, self.repeat // 10), "dev", "prod", ONLY_CACHE, env=cache)
        self.row("`bake dev prod` from the registry, with a new dependency", found, devel=True)

    def two_packages(self) -> None:
        """Two compiled packages, each with a cache of its own."""
        project = two_packages(self.lab, "registry-two")
        cache = {"CACHE_REPO": f"{self.lab.registry}/two"}
        with self.lab.builder() as builder:
            write = {**cache, "CACHE_WRITE": "1", **builder.environment}
            bake(project, "wheels", env=write)
            bake(project, "dev", "prod", ONLY_CACHE, env=write)
        found = self.read(project, max(self.few, self.repeat // 5), "dev", "prod", ONLY_CACHE, env=cache)
        self.row("`bake dev prod` of two compiled packages from the registry", found, devel=False)

    def folder(self) -> None:
        """The local backend."""
        project = self.lab.copy("local")
        pyproject = project / "pyproject.toml"
        pyproject.write_text(pyproject.read_text() + '\n[tool.lockaudit.cache]\nbackend = "local"\n')
        lockaudit(project, "bake")
        with self.lab.builder() as builder:
            write = {"CACHE_WRITE": "1", **builder.environment}
            bake(project, "wheels", env=write)
            bake(project, "dev", "prod", ONLY_CACHE, env=write)
        found = self.read(project, self.few, "dev", "prod", ONLY_CACHE, env={})
        self.row("`bake dev prod` from a local folder", found, devel=False)

    def wheelhouse(self) -> None:
        """An image of wheels."""
        project = self.lab.copy("wheelhouse")
        house = f"{self.lab.registry}/wheelhouse"
        with self.lab.builder() as builder:
            bake(project, "wheelhouse", env={"CACHE_REPO": "", "WHEELHOUSE": house, **builder.environment})
        env = {"CACHE_REPO": "", "WHEELS_FROM": f"{house}:{key(project)}"}
        found = self.read(project, self.few, "dev", "prod", ONLY_CACHE, env=env)
        self.row("`bake dev prod` with WHEELS_FROM and no cache", found, "dependencies are not cached")
