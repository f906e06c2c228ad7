"""Targets: the environment that an image runs, its marker variables and the wheels that it can install.

Sources: PEP 508 (markers), PEP 425 and 600 (tags), uv's `MarkerEnvironment`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from auditor.errors import ConfigError
from auditor.lock.marker import allows
from auditor.lock.tags import cpython_tags, expanded, tags_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auditor.lock.model import Artifact, Package

_PATTERN: Final = re.compile(r"(?P<platform>[a-z]+)-(?P<machine>[a-z0-9_]+)-cp(?P<major>3)(?P<minor>\d{1,2})")
_SHAPE: Final = "a target is written platform-machine-python, for example linux-x86_64-cp312"

# The newest patch release of each Python that uv 0.13.9 installs. A few markers single out early patch releases; an
# image has a later one, so the newest is the better guess where nothing names the patch.
_NEWEST_PATCH: Final = {7: 17, 8: 20, 9: 25, 10: 22, 11: 18, 12: 16, 13: 18, 14: 10, 15: 2}
_LAST_PATCH: Final = 99

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
# manylinux1 is glibc 2.5 and of x86 only; the other machines began with manylinux2014.
_FIRST_GLIBC_OF_X86: Final = 5
_FIRST_GLIBC: Final = 17
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

        A lock may pin the patch (`==3.12.9`), or demand one that is newer than those known here. Where no patch fits,
        the target stays as it is: it is then not covered.
        """
        wanted = [text for text in specifiers if text]
        for patch in (*range(self.patch, -1, -1), *range(self.patch + 1, _LAST_PATCH + 1)):
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
                "platform_machine": self._platform_machine,
                "platform_python_implementation": "CPython",
                "platform_release": "",
                "platform_system": system,
                "platform_version": "",
                "python_full_version": f"3.{self.minor}.{self.patch}",
                "python_version": f"3.{self.minor}",
                "sys_platform": sys_platform,
            }
        )

    @property
    def _platform_machine(self) -> str:
        """Windows alone writes its 64-bit machines in capitals."""
        return self.machine.upper() if self.platform == "windows" and self.machine != "x86" else self.machine

    @cached_property
    def _priorities(self) -> Mapping[str, int]:
        """Rank of every tag that this target installs; lower is better."""
        ranked: dict[str, int] = {}
        for tag in cpython_tags(self.minor, list(self._platform_tags())):
            ranked.setdefault(tag, len(ranked))
        return ranked

    @cached_property
    def _ranks(self) -> dict[str, int | None]:
        """Rank of what wheels' names said of their tags so far: a lock repeats them."""
        return {}

    def _platform_tags(self) -> Iterator[str]:
        if self.platform == "linux":
            major, newest = self.glibc
            first = _FIRST_GLIBC_OF_X86 if self.machine in {"x86_64", "i686"} else _FIRST_GLIBC
            for minor in range(newest, first - 1, -1):
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
        tags = tags_in(wheel.filename)
        ranks = self._ranks
        if tags not in ranks:
            priorities = self._priorities
            ranks[tags] = min((priorities[tag] for tag in expanded(tags) if tag in priorities), default=None)
        return ranks[tags]

    def usable(self, package: Package) -> tuple[Artifact, ...]:
        """The wheels of a package that this target can install, best first: by tag, build number, place in the file."""
        known = self._usable.get(id(package))
        if known is None:
            known = self._usable[id(package)] = (package, self._sorted(package))
        return known[1]

    @cached_property
    def _usable(self) -> dict[int, tuple[Package, tuple[Artifact, ...]]]:
        """What `usable` found: several rules ask about a package. Each is kept here, so that its id stays its own."""
        return {}

    def _sorted(self, package: Package) -> tuple[Artifact, ...]:
        ranked = [(rank, wheel) for wheel in package.wheels if (rank := self.rank(wheel)) is not None]
        ranked.sort(key=lambda item: _build_tag(item[1].filename), reverse=True)
        return tuple(wheel for _, wheel in sorted(ranked, key=lambda item: item[0]))

    def chosen(self, package: Package) -> Artifact | None:
        """What this target installs: the best usable wheel, else the sdist, else nothing."""
        usable = self.usable(package)
        return usable[0] if usable else package.sdist


def _build_tag(filename: str) -> tuple[int, str]:
    """The build number of a wheel's name and what follows it; without one it is lower than any other (PEP 427)."""
    parts = filename.removesuffix(".whl").split("-")
    match = re.match(r"(\d{1,20})(.*)", parts[2]) if len(parts) == 6 else None  # noqa: PLR2004 - name, version, build, 3 tags
    return (int(match[1]), match[2]) if match else (-1, "")
