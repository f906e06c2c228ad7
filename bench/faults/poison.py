"""Wheels and caches that are not what their names say: none of them may reach an image."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.wheel.build_lock import NAMES
from bench.faults.baking import begin, said
from bench.faults.site import holds_wheel, wheel
from bench.faults.tally import Tally
from tests.engine.baking import ONLY_CACHE, bake, key, layers, lockaudit
from tests.engine.docker import compiles, docker
from tests.engine.project import edit, lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.faults.site import Site
    from tests.engine.baking import Baked
    from tests.engine.builder import Builder


def poisoned(site: Site, builder: Builder) -> Iterator[Tally]:
    """All of them."""
    yield other_key(site, builder)
    yield no_wheel(site, builder)
    yield other_torch(site, builder)
    yield other_cache(site, builder)
    yield damaged_cache(site, builder)
    yield mixed_build_lock(site, builder)


def other_key(site: Site, builder: Builder) -> Tally:
    """An image of wheels of another key."""
    tally = Tally("WHEELS_FROM holds a wheel of another key")
    older, newer = site.project(), site.project()
    house = f"{site.registry.address}/house"
    bake(older, "wheelhouse", env={"CACHE_REPO": "", "WHEELHOUSE": house, **builder.environment})
    _refused(tally, _prod(newer, f"{house}:{key(older)}", builder), f"was compiled for the key {key(older)}")
    return tally


def no_wheel(site: Site, builder: Builder) -> Tally:
    """An image with the right key, but without the wheel."""
    tally = Tally("WHEELS_FROM holds the right key and no wheel")
    project = site.project()
    image = _image(site, builder, {"flash-attn.key": f"{key(project)}\n".encode()})
    _refused(tally, _prod(project, image, builder), "flash-attn was not found in the provided package locations")
    return tally


def other_torch(site: Site, builder: Builder) -> Tally:
    """An image with the right key, and a wheel that was compiled against another torch."""
    tally = Tally("WHEELS_FROM holds the right key and a wheel of another torch")
    project, other = site.project(), site.project()
    for pyproject in (other / "pyproject.toml", other / "prod" / "pyproject.toml"):
        edit(pyproject, "cu124/simple", "cu128/simple")
    lock(other)
    lockaudit(other, "bake")
    files = _wheels(other, builder)
    files["flash-attn.key"] = f"{key(project)}\n".encode()
    image = _image(site, builder, files)
    _refused(tally, _prod(project, image, builder), "flash-attn was compiled against torch 2.6.0+cu128")
    return tally


def other_cache(site: Site, builder: Builder) -> Tally:
    """The tag of a wheel's cache names the cache of another wheel."""
    tally = Tally("the tag of the wheel's cache names another wheel's cache")
    older, newer, cache = site.project(), site.project(), site.cache()
    env = {**cache, **builder.environment}
    bake(older, "wheels", env={**env, "CACHE_WRITE": "1"})
    site.registry.point(cache["CACHE_REPO"].partition("/")[2], wheel(newer), wheel(older))
    baked = begin(newer, "wheels", env=env).end()
    tally.tried += 1
    tally.codes.add(baked.code)
    tally.expect("compiles", compiles(baked.log), 1)
    tally.expect("wheel", holds_wheel(newer, env), wanted=True)
    tally.note = "what is cached there is not used: the wheel is compiled"
    return tally


def damaged_cache(site: Site, builder: Builder) -> Tally:
    """A stored layer of the wheel's cache has another byte."""
    tally = Tally("a byte of the stored wheel is another one")
    project, cache = site.project(), site.cache()
    repository = cache["CACHE_REPO"].partition("/")[2]
    env = {**cache, **builder.environment}
    bake(project, "wheels", env={**env, "CACHE_WRITE": "1"})
    (digest,) = layers(site.registry.address, repository, wheel(project))
    site.registry.damage(digest)
    docker("builder", "prune", "--all", "--force", env=builder.environment)
    baked = _prod(project, "", builder, cache)
    tally.tried += 1
    tally.codes.add(baked.code)
    tally.line = said(baked)
    if baked.code == 0 and compiles(baked.log) != 1:
        tally.lose("a damaged wheel was used")
    told = "the build fails" if baked.code else "the wheel is compiled"
    tally.note = f"{told}; a registry that loses bytes must be told to forget them: delete the tag and the blob"
    return tally


def mixed_build_lock(site: Site, builder: Builder, names: Sequence[str] = NAMES) -> Tally:
    """A build lock with one file of another key, as a killed bake may leave it."""
    tally = Tally("a build lock with one file of another key")
    for name in names:
        one, other = site.project(), site.project()
        if name == "source.txt":  # the same in both: another hash in the address
            path = one / "docker" / "wheels" / "flash-attn" / name
            path.write_text(path.read_text().replace("flash-attn @", "flash_attn @"))
        else:
            shutil.copy(other / "docker" / "wheels" / "flash-attn" / name, one / "docker" / "wheels" / "flash-attn")
        baked = begin(one, "wheels", env={"CACHE_REPO": "", **builder.environment}).end()
        _refused(tally, baked, "docker/wheels/flash-attn was edited or is half written: run `lockaudit bake`")
        tally.expect("compiles", compiles(baked.log), 0)
    return tally


def _refused(tally: Tally, baked: Baked, reason: str) -> None:
    tally.tried += 1
    tally.codes.add(baked.code)
    tally.line = next((line.partition(" ")[2] for line in baked.log.splitlines() if reason in line), "")[:200]
    tally.line = tally.line.partition("error: ")[2] or tally.line
    if baked.code == 0 or not tally.line:
        tally.lose(f"exit code {baked.code}, without {reason!r}: {baked.log[-1500:]}")


def _prod(project: Path, image: str, builder: Builder, cache: dict[str, str] | None = None) -> Baked:
    env = {**(cache or {"CACHE_REPO": ""}), "WHEELS_FROM": image, **builder.environment}
    return begin(project, "prod", ONLY_CACHE, env=env).end()


def _wheels(project: Path, builder: Builder) -> dict[str, bytes]:
    """What the wheel stage of a project holds."""
    with tempfile.TemporaryDirectory(prefix="lockaudit-wheels-") as name:
        output = f"--set=wheel-prod.output=type=local,dest={name}"
        bake(project, "wheel-prod", output, env={"CACHE_REPO": "", **builder.environment})
        return {path.name: path.read_bytes() for path in Path(name).iterdir()}


def _image(site: Site, builder: Builder, files: dict[str, bytes]) -> str:
    """Push an image with these files."""
    image = f"{site.registry.address}/forged:{len(files)}"
    with tempfile.TemporaryDirectory(prefix="lockaudit-forged-") as name:
        for path, data in files.items():
            Path(name, path).write_bytes(data)
        Path(name, "Dockerfile").write_text(f"FROM scratch\nCOPY {' '.join(files)} /\n")
        options = ("--provenance=false", f"--output=type=image,name={image},push=true", name)
        docker("buildx", "build", *options, env=builder.environment)
    return image
