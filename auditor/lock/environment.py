"""Targets: the environment that an image runs, its marker variables and the wheels that it can install.

Sources: PEP 508 (markers), PEP 425 and 600 (tags), uv's `MarkerEnvironment`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from packaging.tags import Tag, compatible_tags, cpython_tags, parse_tag

from auditor.errors import ConfigError
from auditor.lock.marker import allows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auditor.lock.model import Artifact, Package

_PATTERN: Final = re.compile(r"(?P<platform>[a-z]+)-(?P<machine>[a-z0-9_]+)-cp(?P<major>3)(?P<minor>\d{1,2})")
_SHAPE: Final = "a target is written platform-machine-python, for example linux-x86_64-cp312"

# The newest patch release of each Python on 2026-11-24. A few markers single out early patch releases; an image has
# a later one, so the newest is the better guess where nothing names the patch.
_NEWEST_PATCH: Final = {
    7: 17,
    8: 20,
    9: 25,
    10: 20,
    11: 15,
    12: 13,
    13: 12,
    14: 4,
}

# platform -> sys_platform, os_name, platform_system
_PLATFORMS: Final = {
    "linux": ("linux", "posix", "Linux"),
    "macos": ("darwin", "posix", "Darwin"),
    "windows": ("win32", "nt", "Windows"),
}
_MACHINES: Final = {
    "linux": {"x86_64", "aarch64", "armv7l", "i686", "ppc64le", "riscv64", "s390x", "loongarch64"},
    "macos": {"x86_64", "arm64"},
    "windows": {"amd64", "arm64", "x86"},
}
# glibc of the Ubuntu releases that nvidia/cuda images stand on.
GLIBC_OF_UBUNTU: Final = MappingProxyType(
    {"18.04": (2, 27), "20.04": (2, 31), "22.04": (2, 35), "24.04": (2, 39), "26.04": (2, 43)}
)
DEFAULT_GLIBC: Final = GLIBC_OF_UBUNTU["22.04"]
_FIRST_GLIBC: Final = 5  # manylinux1 is glibc 2.5
_LEGACY_MANYLINUX: Final = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_MACOS: Final = 14


@dataclass(frozen=True)
class Target:
    """The environment that an image runs.

    Attributes:
        platform: `linux`, `macos` or `windows`.
        machine: as `platform.machine()` says there: `x86_64`, `aarch64`, `arm64`, `amd64`.
        minor: minor version of CPython 3.
        patch: patch version; only markers that name one depend on it.
        glibc: major and minor version of the C library (linux), which decides the manylinux wheels.
    """

    platform: str
    machine: str
    minor: int
    patch: int = field(compare=False)
    glibc: tuple[int, int] = field(default=DEFAULT_GLIBC, compare=False)

    @classmethod
    def parse(cls, text: str, *, patch: int | None = None, glibc: tuple[int, int] = DEFAULT_GLIBC) -> Target:
        """Read `linux-x86_64-cp312`.

        Raises:
            ConfigError: not of that form, or no such platform or machine.
        """
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ConfigError(f"{text!r} is not a target", hint=_SHAPE)
        platform, machine, minor = match["platform"], match["machine"], int(match["minor"])
        if platform not in _PLATFORMS:
            raise ConfigError(f"{text!r} names no known platform", hint=f"platforms: {', '.join(_PLATFORMS)}")
        if machine not in _MACHINES[platform]:
            known = ", ".join(sorted(_MACHINES[platform]))
            raise ConfigError(f"{text!r} names no machine of {platform}", hint=f"machines of {platform}: {known}")
        return cls(platform, machine, minor, _NEWEST_PATCH.get(minor, 0) if patch is None else patch, glibc)

    def __str__(self) -> str:
        return f"{self.platform}-{self.machine}-cp3{self.minor}"

    def fitted(self, specifiers: Iterable[str]) -> Target:
        """This target at the newest patch release that every `requires-python` of `specifiers` admits.

        A lock may pin the patch (`==3.12.9`). Where no patch fits, the target stays as it is: it is then not covered.
        """
        wanted = [text for text in specifiers if text]
        for patch in range(self.patch, -1, -1):
            if all(allows(text, f"3.{self.minor}.{patch}") for text in wanted):
                return self if patch == self.patch else replace(self, patch=patch)
        return self

    @property
    def python(self) -> str:
        """`3.12`."""
        return f"3.{self.minor}"

    @property
    def docker_platform(self) -> str:
        """As Docker writes it: `linux/amd64`."""
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(self.machine, self.machine)
        return f"{self.platform}/{machine}"

    @cached_property
    def markers(self) -> Mapping[str, str]:
        """The marker variables of PEP 508, without `extra`."""
        sys_platform, os_name, system = _PLATFORMS[self.platform]
        return MappingProxyType(
            {
                "implementation_name": "cpython",
                "implementation_version": f"3.{self.minor}.{self.patch}",
                "os_name": os_name,
                "platform_machine": "AMD64" if self.machine == "amd64" else self.machine,
                "platform_python_implementation": "CPython",
                "platform_release": "",
                "platform_system": system,
                "platform_version": "",
                "python_full_version": f"3.{self.minor}.{self.patch}",
                "python_version": f"3.{self.minor}",
                "sys_platform": sys_platform,
            }
        )

    @cached_property
    def _priorities(self) -> Mapping[Tag, int]:
        """Rank of every tag that this target installs; lower is better."""
        platforms = list(self._platform_tags())
        tags: list[Tag] = list(cpython_tags((3, self.minor), platforms=platforms))
        tags += compatible_tags((3, self.minor), f"cp3{self.minor}", platforms)
        ranked: dict[Tag, int] = {}
        for tag in tags:
            ranked.setdefault(tag, len(ranked))
        return ranked

    def _platform_tags(self) -> Iterator[str]:
        if self.platform == "linux":
            major, newest = self.glibc
            for minor in range(newest, _FIRST_GLIBC - 1, -1):
                yield f"manylinux_{major}_{minor}_{self.machine}"
                if minor in _LEGACY_MANYLINUX:
                    yield f"{_LEGACY_MANYLINUX[minor]}_{self.machine}"
            yield f"linux_{self.machine}"
        elif self.platform == "macos":
            from packaging.tags import mac_platforms  # noqa: PLC0415 - images are rarely macOS

            yield from mac_platforms((_MACOS, 0), self.machine)
        else:
            yield {"amd64": "win_amd64", "arm64": "win_arm64", "x86": "win32"}[self.machine]

    def rank(self, wheel: Artifact) -> int | None:
        """How well a wheel fits, lower is better; None if the target cannot install it."""
        priorities = self._priorities
        ranks = [priorities[tag] for tag in wheel_tags(wheel.filename) if tag in priorities]
        return min(ranks) if ranks else None

    def usable(self, package: Package) -> tuple[Artifact, ...]:
        """The wheels of a package that this target can install, best first (tags, then build number)."""
        ranked = []
        for wheel in package.wheels:
            rank = self.rank(wheel)
            if rank is not None:
                build = _build_tag(wheel.filename)
                ranked.append((rank, -build[0], tuple(-ord(letter) for letter in build[1]), wheel.filename, wheel))
        return tuple(item[-1] for item in sorted(ranked, key=lambda item: item[:-1]))

    def chosen(self, package: Package) -> Artifact | None:
        """What this target installs: the best usable wheel, else the sdist, else nothing."""
        usable = self.usable(package)
        return usable[0] if usable else package.sdist


@cache
def _tags_of(suffix: str) -> frozenset[Tag]:
    return parse_tag(suffix)


def wheel_tags(filename: str) -> frozenset[Tag]:
    """The tags of a wheel's file name. Cached by their text: a lock repeats a few hundred of them."""
    return _tags_of("-".join(filename.removesuffix(".whl").split("-")[-3:]))


def _build_tag(filename: str) -> tuple[int, str]:
    """The build number of a wheel's name, `(0, "")` without one (PEP 427: without sorts first, i.e. lowest)."""
    parts = filename.removesuffix(".whl").split("-")
    if len(parts) != 6:  # noqa: PLR2004 - name, version, build, python, abi, platform
        return 0, ""
    match = re.match(r"(\d+)(.*)", parts[2])
    return (int(match[1]), match[2]) if match else (0, "")
