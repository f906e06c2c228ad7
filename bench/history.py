"""How often one real project would have compiled flash-attn: every version of its uv.lock, by three kinds of key.

The history is a git bundle of the corpus. Nothing is built: a build happens where a key is new.

    naive      the wheel stage stands on the dependency stage: every other lock with flash-attn compiles
    closure    a key of torch's whole dependency closure, flash-attn and Python
    lockaudit  `auditor.wheel.key`

From December 2025 on that project installs flash-attn from wheels that others compiled, named by URL. They count as if
they were compiled from the sdist of that release: as the setting `compiled` says, with the release in place of the URL.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packaging.version import Version

from auditor.config import Config, SideConfig
from auditor.dockerfile.pins import Pin, Pins
from auditor.lock.environment import Target
from auditor.lock.marker import allows
from auditor.lock.model import Artifact, Source, SourceKind
from auditor.lock.pair import Side
from auditor.lock.read import read_lock
from auditor.lock.selection import Request, select
from auditor.wheel.cuda import cuda_of
from auditor.wheel.key import build_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.lock.model import Edge, Lock, Package
    from auditor.lock.selection import Selection

PACKAGE: Final = "flash-attn"
_MINORS: Final = (10, 11, 12, 13)
_INDEX: Final = Source(kind=SourceKind.REGISTRY, location="https://index.example/simple")


@dataclass(frozen=True, slots=True)
class Step:
    """One version of the lock that has flash-attn.

    Attributes:
        date: of its commit.
        naive: a hash of the whole lock.
        closure: torch's closure, flash-attn and Python.
        key: lockaudit's key.
        told: what the key is made of, for people: flash-attn, torch with its CUDA, Python.
        prebuilt: whether it is installed from a wheel by URL, and counted as if it were compiled.
        text: of the lock.
        target: for which all of it is worked out.
        extras: that bring flash-attn.
        cuda: of the image, which follows torch's.
    """

    date: str
    naive: str
    closure: str
    key: str
    told: str
    prebuilt: bool
    text: str
    target: str
    extras: tuple[str, ...]
    cuda: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What a whole history comes to.

    Attributes:
        versions: of the lock, with or without flash-attn.
        steps: those with it, oldest first.
    """

    versions: int
    steps: tuple[Step, ...]

    @property
    def naive(self) -> int:
        """Compiles where the wheel stage sees the lock, and the cache is that of the build before."""
        locks = [step.naive for step in self.steps]
        return sum(lock != before for lock, before in zip(locks, [None, *locks], strict=False))

    @property
    def naive_remembered(self) -> int:
        """The same with a cache that keeps every build: some versions return to an earlier lock."""
        return len({step.naive for step in self.steps})

    @property
    def closure(self) -> int:
        """Compiles by torch's whole closure."""
        return len({step.closure for step in self.steps})

    @property
    def ours(self) -> int:
        """Compiles by lockaudit's key."""
        return len({step.key for step in self.steps})

    @property
    def combinations(self) -> int:
        """Different sets of CUDA, torch, Python and flash-attn, as anybody would count them."""
        return len({step.told for step in self.steps})


def replay(bundle: Path, last: int | None = None) -> Replay:
    """Work out every version's keys.

    Args:
        bundle: a git bundle whose commits each hold a uv.lock.
        last: how many versions to read; None for all.
    """
    steps: list[Step] = []
    versions = 0
    with tempfile.TemporaryDirectory(prefix="lockaudit-history-") as scratch:
        repository, folder = Path(scratch, "repository"), Path(scratch, "project")
        _git("clone", "--quiet", "--bare", str(bundle), str(repository))
        folder.mkdir()
        for commit, date in _commits(repository)[:last]:
            text = _git("show", f"{commit}:uv.lock", cwd=repository)
            (folder / "uv.lock").write_text(text)
            versions += 1
            lock = read_lock(folder / "uv.lock", folder)
            step = _step(lock, date, text)
            steps += [step] if step is not None else []
    return Replay(versions, tuple(steps))


def _commits(repository: Path) -> list[tuple[str, str]]:
    lines = _git("log", "--reverse", "--format=%H %ad", "--date=short", "HEAD", cwd=repository).splitlines()
    return [(commit, date) for commit, _, date in (line.partition(" ") for line in lines)]


def _git(*arguments: str, cwd: Path | None = None) -> str:
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout


def _step(lock: Lock, date: str, text: str) -> Step | None:
    extras = _extras(lock)
    if extras is None:
        return None
    minor = next(minor for minor in _MINORS if allows(lock.requires_python, f"3.{minor}.99"))
    target = Target.parse(f"linux-x86_64-cp3{minor}").fitted([lock.requires_python])
    request = Request(extras=extras, default_groups=False)
    selection = select(lock, target, request)
    (package,) = selection.get(PACKAGE)
    (torch,) = selection.get("torch")
    signal = cuda_of(selection.packages, target)
    if signal is None:
        message = f"torch of {date} shows no CUDA"
        raise ValueError(message)
    prebuilt = package.sdist is None
    if prebuilt:
        selection = _as_sdist(selection, package)
        (package,) = selection.get(PACKAGE)
    side = Side(role="dev", lock=lock, project=None, request=request, folder=".")
    config = Config(compiled=(PACKAGE,), dev=SideConfig(lock="uv.lock", extras=extras))
    # The image's CUDA follows torch's, as `lockaudit check` asks.
    cuda = str(signal.cuda)
    pins = Pins(cuda=Pin(cuda), variant=Pin("cudnn"), ubuntu=Pin("22.04"), cmake=Pin("3.26.1"), uv=Pin("latest"))
    key = next(key for key in build_keys(side, selection, config, pins) if key.name == PACKAGE)
    return Step(
        date=date,
        naive=hashlib.sha256(text.encode()).hexdigest(),
        closure=_digest([target.python, package.label, *sorted(_closure(selection, torch))]),
        key=key.readable,
        told=f"{package.label}, {torch.label}, CUDA {cuda}, Python {target.python}",
        prebuilt=prebuilt,
        text=text,
        target=f"linux-x86_64-cp3{minor}",
        extras=extras,
        cuda=cuda,
    )


def _extras(lock: Lock) -> tuple[str, ...] | None:
    """The extra of the project that brings flash-attn, () if it needs none, None if there is no flash-attn."""
    (root,) = lock.roots
    holders = [extra for extra, edges in root.optional.items() if _names(lock, edges)]
    if _names(lock, root.dependencies):
        return ()
    # It was called fa, train and flash-attn; `all` came beside the last.
    return tuple(sorted(holders, key=lambda extra: (extra == "all", extra))[:1]) or None


def _names(lock: Lock, edges: tuple[Edge, ...]) -> bool:
    return any(lock.packages[edge.target].name == PACKAGE for edge in edges)


def _as_sdist(selection: Selection, package: Package) -> Selection:
    """The same selection with flash-attn as its release's sdist, whose hash the history does not tell: one made up."""
    release = Version(str(package.version).partition("+")[0])
    name = f"flash_attn-{release}.tar.gz"
    digest = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    sdist = Artifact(filename=name, location=f"{_INDEX.location}/{name}", hash=digest, size=None, is_wheel=False)
    released = replace(package, version=release, source=_INDEX, wheels=(), sdist=sdist)
    return replace(selection, packages=tuple(released if each is package else each for each in selection.packages))


def _closure(selection: Selection, torch: Package) -> Iterator[str]:
    """Every package that torch needs, torch included, as name, version and source."""
    found: set[int] = set()
    pending = [torch.index]
    while pending:
        index = pending.pop()
        if index not in found:
            found.add(index)
            package = selection.lock.packages[index]
            yield f"{package.label} {package.source}"
            pending += [edge.target for edge in selection.edges.get(index, ())]


def _digest(parts: list[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
