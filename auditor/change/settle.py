"""From what is asked for to what can be: the CUDA in full, torch's companions along, and a refusal of what is not.

Only dated tables refuse (`wheel.builds`, `wheel.pairing`, `dockerfile.tags`). What they do not know is let through with
a note, since a newer torch or CUDA than theirs is no mistake, and uv and the registry have the last word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from packaging.version import Version

from auditor.config import nearest
from auditor.dockerfile import tags
from auditor.dockerfile.pins import BUILDER_FLAVOR
from auditor.errors import ConfigError
from auditor.wheel import builds
from auditor.wheel.cuda import Cuda, parse_build, parse_version
from auditor.wheel.pairing import companion_of, default_cuda, fitting_torches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from auditor.change.wanted import Wanted
    from auditor.wheel.pairing import Release

_SIBLINGS: Final = ("torchvision", "torchaudio")
_RUNTIME_FLAVOR: Final = {"cudnn": "cudnn-runtime", "runtime": "runtime", "base": "base"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What a repository has before anything is set.

    Attributes:
        declared: packages that a project declares, normalised.
        locked: versions of the packages that dev selects on the first target.
        others: names of all packages in the locks.
        builds: for each lock, the CUDA builds that its projects take torch from, `cu124`; empty for the default index.
        minor: of the Python that the images run.
        cuda: of the images, `12.4.1`; an empty string where nothing says it.
        variant: of the images.
        ubuntu: of the images.
    """

    declared: frozenset[str]
    locked: Mapping[str, Version]
    others: frozenset[str]
    builds: tuple[tuple[str, ...], ...]
    minor: int
    cuda: str
    variant: str
    ubuntu: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What to set.

    Attributes:
        wanted: with companions and, where a CUDA is set, its patch release.
        build: the CUDA build that replaces the present one, `cu128`; an empty string where none does.
        notes: what was added and what is not known, one line each.
    """

    wanted: Wanted
    build: str
    notes: tuple[str, ...]


def settle(wanted: Wanted, present: Present) -> Settled:
    """Complete what is asked for.

    Raises:
        ConfigError: a package that no project declares, an ambiguous CUDA, or a combination that does not exist; with
            the nearest that does.
    """
    return _Settling(wanted, present).settled()


class _Settling:
    def __init__(self, wanted: Wanted, present: Present) -> None:
        self.wanted = wanted
        self.present = present
        self.notes: list[str] = []
        self.torch = _public(wanted.packages.get("torch") or present.locked.get("torch"))
        self.builds = tuple(sorted({each for group in present.builds for each in group}))
        self.is_other_torch = self.torch != _public(present.locked.get("torch"))

    def settled(self) -> Settled:
        self.refuse_undeclared()
        self.refuse_ambiguous()
        cuda = self.cuda()
        self.refuse_tag(cuda)
        build = self.build(cuda)
        self.refuse_torch(build, cuda)
        self.refuse_python()
        packages = {**self.wanted.packages, **self.companions()}
        wanted = replace(self.wanted, packages=MappingProxyType(packages), cuda=cuda)
        return Settled(wanted=wanted, build=build, notes=tuple(self.notes))

    @property
    def release(self) -> Release | None:
        """Of torch, as it is to be."""
        return None if self.torch is None else (self.torch.major, self.torch.minor)

    def refuse_undeclared(self) -> None:
        for name in self.wanted.packages:
            if name in self.present.declared:
                continue
            if name in self.present.others:
                hint = f"another package needs it: `uv lock --upgrade-package {name}`, or declare it first"
            else:
                similar = nearest(name, self.present.declared)
                hint = f"did you mean {similar}?" if similar else "declare it with `uv add` first"
            raise ConfigError(f"no project declares {name}, so there is nothing to set", hint=hint)

    def refuse_ambiguous(self) -> None:
        several = next((group for group in self.present.builds if len(group) > 1), ())
        if self.wanted.cuda and several:
            raise ConfigError(
                f"cuda={self.wanted.cuda} is ambiguous: one project takes torch from {_and(several)}",
                hint="describe them as [[tool.lockaudit.variant]], and name one with --variant",
            )

    def cuda(self) -> str:
        """The CUDA to set, with its patch release; an empty string where it stays."""
        along = "" if self.wanted.cuda else self.cuda_of_torch()
        found = self.in_full(self.wanted.cuda or along)
        if along:
            self.notes.append(f"cuda={found} along: torch {self.torch} of the default index is built for CUDA {along}")
        return found

    def in_full(self, said: str) -> str:
        """A CUDA with its patch release. Raises: ConfigError, no image of it is known."""
        if said.count(".") != 1:
            return said
        ubuntu = self.wanted.ubuntu or self.present.ubuntu
        variant = self.wanted.variant or self.present.variant
        found = tags.newest_patch(said, ubuntu)
        if found is not None and (found[1] or variant != "cudnn"):
            return found[0]
        lacks = "image with cuDNN" if found else "image"
        nearby = self.nearest_tag(f"{said}.0", variant, ubuntu)
        raise ConfigError(
            f"no {lacks} of CUDA {said} on Ubuntu {ubuntu} is known (nvidia/cuda, tables of {tags.DATE})",
            hint=f"give its patch release, as in cuda={said}.0, if there is one{_nearest(nearby)}",
        )

    def cuda_of_torch(self) -> str:
        """The CUDA that the default index's torch brings, where it moves and the image had the one of the old."""
        old, release = self.present.locked.get("torch"), self.release
        image = parse_version(self.present.cuda)
        if self.builds or old is None or release is None or image is None or not self.is_other_torch:
            return ""
        before, after = default_cuda((old.major, old.minor)), default_cuda(release)
        return str(after) if after is not None and before == image != after else ""

    def refuse_tag(self, cuda: str) -> None:
        """Raise where the images that CUDA, variant and Ubuntu name together do not exist."""
        if not self.present.cuda or not (cuda or self.wanted.variant or self.wanted.ubuntu):
            return
        version = cuda or self.present.cuda
        variant = self.wanted.variant or self.present.variant
        ubuntu = self.wanted.ubuntu or self.present.ubuntu
        for flavor in (BUILDER_FLAVOR.get(variant, "devel"), _RUNTIME_FLAVOR.get(variant, "base")):
            tag = f"{version}-{flavor}-ubuntu{ubuntu}"
            problem = tags.check_tag(f"nvidia/cuda:{tag}")
            if problem is None:
                continue
            if problem.newer:
                self.notes.append(f"nvidia/cuda:{tag} is newer than the tables of {tags.DATE}: see that it exists")
                return
            raise ConfigError(
                f"there is no image nvidia/cuda:{tag}: {problem.reason}",
                hint=f"the nearest that exists is {problem.nearest}",
            )

    def nearest_tag(self, version: str, variant: str, ubuntu: str) -> str:
        problem = tags.check_tag(f"nvidia/cuda:{version}-{BUILDER_FLAVOR.get(variant, 'devel')}-ubuntu{ubuntu}")
        return problem.nearest if problem is not None else ""

    def build(self, cuda: str) -> str:
        """The build that replaces the one of the indexes."""
        version = parse_version(cuda) if cuda else None
        return version.tag if version is not None and self.builds not in {(), (version.tag,)} else ""

    def refuse_torch(self, build: str, cuda: str) -> None:
        """Raise where torch has no build for the CUDA of its index, or of the image that is asked for."""
        release = self.release
        if release is None or not (self.is_other_torch or cuda):
            return
        known = builds.cudas_of(release)
        for each in (build,) if build else self.builds:
            wanted = parse_build(each)
            if wanted is None or wanted in known:
                continue
            if not known:
                unknown = f"which CUDA builds torch {self.torch} has is not known here"
                self.notes.append(f"{unknown} (tables of {builds.DATE}): uv will tell")
                return
            raise ConfigError(
                f"torch {self.torch} has no build for CUDA {wanted}: torch {_shown(release)} is built for CUDA"
                f" {_and(map(str, known))}",
                hint=self.other_cuda(wanted, known) if build or len(self.builds) == 1 else self.one_variant(wanted),
            )
        default, version = default_cuda(release), parse_version(cuda)
        if self.builds or default is None or version is None or default == version:
            return
        if default.major != version.major:
            raise ConfigError(
                f"torch {self.torch} of the default index is built for CUDA {default}, not for CUDA {version}",
                hint=f"set cuda={default}, or take torch from an index of {version.tag} ([tool.uv.sources])",
            )
        self.notes.append(
            f"torch {self.torch} of the default index is built for CUDA {default}, the image is to have {version}"
        )

    def other_cuda(self, wanted: Cuda, known: Sequence[Cuda]) -> str:
        """What to write instead: the nearest CUDA that torch has, and a torch that has this one."""
        near = min(known, key=lambda each: _distance(each, wanted))
        return f"the nearest that exists is cuda={near}" + _has_torches(wanted)

    def one_variant(self, wanted: Cuda) -> str:
        """What to write instead, where there are several builds, and not all of them have this torch."""
        return "name a variant that has one with --variant" + _has_torches(wanted)

    def refuse_python(self) -> None:
        """Raise where torch has no wheels for the Python."""
        release = self.release
        if release is None or not (self.is_other_torch or self.wanted.python):
            return
        minor = int(self.wanted.python.partition(".")[2]) if self.wanted.python else self.present.minor
        known = builds.pythons_of(release)
        if not known or minor in known:
            return
        if minor > known[-1] and release == max(builds.torches_with_python(known[-1])):
            unknown = f"whether torch {self.torch} has wheels for Python 3.{minor} is not known here"
            self.notes.append(f"{unknown} (tables of {builds.DATE}): uv will tell")
            return
        near = min(known, key=lambda each: abs(each - minor))
        torches = builds.torches_with_python(minor)
        last = f" to {_shown(torches[-1])}" if torches[1:] else ""
        also = f"; Python 3.{minor} has torch {_shown(torches[0])}{last}" if torches else ""
        raise ConfigError(
            f"torch {self.torch} has no wheels for Python 3.{minor}: torch {_shown(release)} has them for"
            f" 3.{known[0]} to 3.{known[-1]}",
            hint=f"the nearest that exists is python=3.{near}{also}",
        )

    def companions(self) -> dict[str, Version]:
        """Torchvision and torchaudio of the torch that is set, where a project declares them and nobody says which."""
        torch, release = self.torch, self.release
        if torch is None or release is None:
            return {}
        along: dict[str, Version] = {}
        for name in (*_SIBLINGS, "triton"):
            said = self.wanted.packages.get(name)
            fitting = companion_of(name, torch)
            if said is not None:
                made_for = fitting_torches(name, said)
                if made_for and release not in made_for:
                    proposal = f"; {name} {fitting} goes with torch {torch}" if fitting else ""
                    raise ConfigError(
                        f"{name} {said} does not fit torch {torch}: it goes with torch {_and(map(_shown, made_for))}",
                        hint=f"leave it out, and it is set along with torch{proposal}",
                    )
            elif name in self.present.declared and name != "triton" and self.is_other_torch:
                if fitting is None:
                    self.notes.append(f"which {name} goes with torch {torch} is not known here: set it too")
                elif self.present.locked.get(name) is None or _public(self.present.locked[name]) != fitting:
                    along[name] = fitting
                    self.notes.append(f"{name}=={fitting} along: it was released with torch {torch}")
        return along


def _public(version: Version | None) -> Version | None:
    return None if version is None else Version(version.public)


def _distance(one: Cuda, other: Cuda) -> int:
    """How far two versions are apart, a major as far as ten minors: 11.8 is nearer to 12.6 than to 12.9."""
    return abs(((one.major or 0) - (other.major or 0)) * 10 + (one.minor or 0) - (other.minor or 0))


def _shown(release: Release) -> str:
    return f"{release[0]}.{release[1]}"


def _has_torches(cuda: Cuda) -> str:
    torches = builds.torches_of(cuda)
    return f"; CUDA {cuda} has torch {_and(map(_shown, torches))}" if torches else ""


def _nearest(tag: str) -> str:
    return f"; the nearest that exists is {tag}" if tag else ""


def _and(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
