"""Registries and builders that die: what was reported as stored is there, what failed is mended by the next run."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from bench.faults.baking import COMPILING, EXPORTING, begin, said
from bench.faults.gate import gate
from bench.faults.poison import poisoned
from bench.faults.site import Site, holds_wheel, open_site, process_of, wheel
from bench.faults.tally import Tally
from tests.engine.baking import bake, tags
from tests.engine.builder import running_again
from tests.engine.docker import compiles, docker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bench.faults.gate import Gate
    from tests.engine.baking import Baked
    from tests.engine.builder import Builder

_WRITE = {"CACHE_WRITE": "1"}
_PAUSE = 0.4  # seconds within which a registry dies, once the export has begun


def engines(scratch: Path, seed: int, *, quick: bool) -> Iterator[Tally]:
    """Every fault of builders and registries."""
    random = Random(seed)  # noqa: S311 - moments, not secrets
    with open_site(scratch / "site") as site, site.fresh() as writer, site.fresh() as reader:
        rows = Rows(site, writer, reader, random)
        yield from rows.all(2 if quick else 10, stride=8 if quick else 1)
        yield from poisoned(site, reader)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows in which something dies.

    Attributes:
        site: the mirror, the registry and the projects.
        writer: a builder that compiles and stores.
        reader: a builder that has nothing but the cache: it is pruned before each use.
        random: where moments come from.
    """

    site: Site
    writer: Builder
    reader: Builder
    random: Random

    def all(self, count: int, stride: int = 1) -> Iterator[Tally]:
        """Every row, `count` times each; where requests are counted, at one in `stride` of them."""
        yield self.export_killed(count)
        with gate(self.site.registry.address) as door:
            yield self.export_cut(door, stride)
            yield self.import_cut(door, stride)
        yield self.import_killed(count)
        yield self.pruned(count)
        yield self.two_builders(count)
        yield self.client_killed(count)
        yield self.engine_killed(max(1, count // 3))

    def export_killed(self, count: int) -> Tally:
        """The registry is killed while the wheel is exported."""
        tally = Tally("registry killed (`kill -9`) while `bake wheels` exports")
        for _ in range(count):
            project, cache = self.site.project(), self.site.cache()
            baking = begin(project, "wheels", env={**cache, **_WRITE, **self.writer.environment})
            if baking.reaches(EXPORTING):
                time.sleep(self.random.uniform(0, _PAUSE))
            self.site.registry.kill()
            baked = baking.end()
            self.site.registry.start()
            self.judge(tally, baked, project, cache)
        return _summed(tally)

    def export_cut(self, door: Gate, stride: int) -> Tally:
        """The registry is gone from one request of the export on: from the first, the second, and so on."""
        project, cache = self.site.project(), self.site.cache(door.address)
        door.open()
        bake(project, "wheels", env={**cache, **_WRITE, **self.writer.environment})
        total = door.requests
        each = "each" if stride == 1 else f"one in {stride}"
        tally = Tally(f"registry gone from {each} of the {total} requests of the import and export on")
        for at in range(stride, total + 1, stride):
            project, cache = self.site.project(), self.site.cache(door.address)
            door.open(falls_at=at)
            baked = begin(project, "wheels", env={**cache, **_WRITE, **self.writer.environment}).end()
            tally.seen += [] if door.has_fallen else ["never asked"]
            door.open()
            self.judge(tally, baked, project, cache)
        return _summed(tally)

    def import_cut(self, door: Gate, stride: int) -> Tally:
        """The registry is gone from one request of the import on."""
        project, cache = self.site.project(), self.site.cache(door.address)
        door.open()
        bake(project, "wheels", env={**cache, **_WRITE, **self.writer.environment})
        door.open()
        self.compiled_by_reader(project, cache)
        total = door.requests
        each = "each" if stride == 1 else f"one in {stride}"
        tally = Tally(f"registry gone from {each} of the {total} requests of an import on")
        for at in range(stride, total + 1, stride):
            self.prune(self.reader)
            door.open(falls_at=at)
            baked = begin(project, "wheels", env={**cache, **self.reader.environment}).end()
            door.open()
            self.judge_reader(tally, baked, project, cache)
        return _summed(tally)

    def import_killed(self, count: int) -> Tally:
        """The registry is killed while a new builder reads from it."""
        tally = Tally("registry killed while a new builder imports")
        project, cache = self.site.project(), self.site.cache()
        bake(project, "wheels", env={**cache, **_WRITE, **self.writer.environment})
        for _ in range(count):
            self.prune(self.reader)
            baking = begin(project, "wheels", env={**cache, **self.reader.environment})
            baking.reaches(r"importing cache manifest|load build definition")
            time.sleep(self.random.uniform(0, _PAUSE))
            self.site.registry.kill()
            baked = baking.end()
            self.site.registry.start()
            self.judge_reader(tally, baked, project, cache)
        return _summed(tally)

    def pruned(self, count: int) -> Tally:
        """The builder's disk is pruned again and again while it compiles and exports."""
        tally = Tally("`docker builder prune --all` while it compiles and exports")
        for _ in range(count):
            project, cache = self.site.project(), self.site.cache()
            baking = begin(project, "wheels", env={**cache, **_WRITE, **self.writer.environment})
            baking.reaches(COMPILING)
            while baking.process.poll() is None:
                self.prune(self.writer)
            self.judge(tally, baking.end(), project, cache)
        return _summed(tally)

    def two_builders(self, count: int) -> Tally:
        """Two builders compile and export the same wheel at once."""
        tally = Tally("two builders export the same wheel at once")
        for _ in range(count):
            project, cache = self.site.project(), self.site.cache()
            self.prune(self.reader)
            both = [
                begin(project, "wheels", env={**cache, **_WRITE, **builder.environment})
                for builder in (self.writer, self.reader)
            ]
            ends = [each.end() for each in both]
            tally.expect("exit codes", [each.code for each in ends], [0, 0])
            tally.expect("tags", tags(self.site.registry.address, _repository(cache)), [wheel(project)])
            self.judge(tally, ends[0], project, cache)
        return _summed(tally)

    def client_killed(self, count: int) -> Tally:
        """The client is killed while the wheel is compiled, or exported."""
        tally = Tally("client killed while it compiles or exports")
        for number in range(count):
            project, cache = self.site.project(), self.site.cache()
            baking = begin(project, "wheels", env={**cache, **_WRITE, **self.writer.environment})
            baking.reaches((COMPILING, EXPORTING)[number % 2])
            time.sleep(self.random.uniform(0, _PAUSE))
            baking.kill()
            self.judge(tally, baking.end(), project, cache)
        return _summed(tally)

    def engine_killed(self, count: int) -> Tally:
        """The builder is killed in the middle of a compile, and started again with what is on its disk."""
        tally = Tally("builder killed (`kill -9` of its engine) while it compiles")
        for _ in range(count):
            with self.site.fresh() as builder:
                project, cache = self.site.project(), self.site.cache()
                baking = begin(project, "wheels", env={**cache, **_WRITE, **builder.environment})
                baking.reaches(COMPILING)
                os.kill(process_of(builder), signal.SIGKILL)
                baked = baking.end()
                with running_again(builder):
                    self.judge(tally, baked, project, cache, builder)
        return _summed(tally)

    def judge(
        self, tally: Tally, baked: Baked, project: Path, cache: Mapping[str, str], builder: Builder | None = None
    ) -> None:
        """Success must mean that the wheel is stored; after a failure, the next run of the builder must store it."""
        self.count(tally, baked)
        if baked.code == 0:
            tally.seen.append("stored")
        else:
            tally.seen.append("failed")
            environment = (builder or self.writer).environment
            again = begin(project, "wheels", env={**cache, **_WRITE, **environment}).end()
            tally.expect("exit code of the next run", again.code, 0)
            tally.seen += ["compiled again"] * compiles(again.log)
        if (found := self.compiled_by_reader(project, cache)) != 0:
            tally.lose(f"a new builder compiled {found} times, after exit code {baked.code}: {baked.log[-2000:]}")

    def judge_reader(self, tally: Tally, baked: Baked, project: Path, cache: Mapping[str, str]) -> None:
        """A reader may fail or compile; it must not take anything else, and the next run must work."""
        self.count(tally, baked)
        tally.seen.append("failed" if baked.code else "compiled" if compiles(baked.log) else "read")
        if baked.code == 0:
            tally.expect("wheel", holds_wheel(project, {**cache, **self.reader.environment}), wanted=True)
        tally.expect("compiles of the next new builder", self.compiled_by_reader(project, cache), 0)

    def count(self, tally: Tally, baked: Baked) -> None:
        """One try more."""
        tally.tried += 1
        tally.codes.add(baked.code)
        if baked.code and not tally.line:
            tally.line = said(baked)

    def compiled_by_reader(self, project: Path, cache: Mapping[str, str]) -> int:
        """How often a builder compiles that has nothing but the cache."""
        self.prune(self.reader)
        return compiles(bake(project, "wheels", env={**cache, **self.reader.environment}).log)

    def prune(self, builder: Builder) -> None:
        """Remove all that a builder has built, of one that belongs to this measurement."""
        docker("builder", "prune", "--all", "--force", env=builder.environment, check=False)


def _repository(cache: Mapping[str, str]) -> str:
    return cache["CACHE_REPO"].partition("/")[2]


def _summed(tally: Tally) -> Tally:
    words = {word: tally.seen.count(word) for word in dict.fromkeys(tally.seen)}
    tally.note = ", ".join(f"{count} {word}" for word, count in words.items())
    return tally
