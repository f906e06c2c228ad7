"""The build key: everything that decides a compiled wheel's bytes, and nothing else.

Same key, same wheel: bake files a wheel's cache under its key, the build lock is rewritten only when the key changes,
and the images refuse a wheel of another key. Components: design, section 7.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.errors import ConfigError, InputError
from auditor.lock.compare import canonical
from auditor.lock.model import SourceKind
from auditor.lock.places import at_key
from auditor.source import hide_logins
from auditor.wheel.compiled import compiled_packages
from auditor.wheel.cuda import cuda_of, cxx11_abi, parse_version
from auditor.wheel.known import HOLLOWING, SPEED_KNOBS, build_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.config import Config
    from auditor.dockerfile.pins import Pins
    from auditor.lock.model import Artifact, Package
    from auditor.lock.pair import Side
    from auditor.lock.selection import Selection
    from auditor.position import Position

SCHEMA: Final = 1  # of the key: another one re-keys every wheel
_ENV_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Component:
    """One thing that decides the wheel: its name, its value, and where it comes from (None: lockaudit's own facts)."""

    name: str
    value: str
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildKey:
    """The key of one compiled package.

    Attributes:
        package: the entry of the lock.
        source: its sdist, or None for a git source.
        torch: the torch that it is compiled against.
        env: the compile's environment, sorted.
        components: everything that is hashed, in a fixed order.
    """

    package: Package
    source: Artifact | None
    torch: Package
    env: Mapping[str, str]
    components: tuple[Component, ...]

    @property
    def name(self) -> str:
        """Name of the package."""
        return self.package.name

    @property
    def digest(self) -> str:
        """12 hex digits of the hash over names and values of the components."""
        return digest_of({component.name: component.value for component in self.components})

    @property
    def readable(self) -> str:
        """`flash-attn-2.8.3-cu124-torch2.6.0-cp312-<hex>`: also a valid tag of an image."""
        values = {component.name: component.value for component in self.components}
        cuda = parse_version(values["cuda"])
        torch = self.torch.version.public if self.torch.version is not None else "git"
        version = str(self.package.version or "0").replace("+", ".").replace("!", "-")
        return f"{self.name}-{version}-{cuda.tag if cuda else 'cpu'}-torch{torch}-{values['python']}-{self.digest}"


def digest_of(components: Mapping[str, str]) -> str:
    """The digest of a key's components, whatever their order."""
    text = json.dumps([SCHEMA, *sorted(components.items())], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def build_keys(side: Side, selection: Selection, config: Config, pins: Pins) -> tuple[BuildKey, ...]:
    """The key of every compiled package of a selection, sorted by name.

    Args:
        side: the side whose lock it is; its wheel group holds CMake.
        selection: what that side installs on the target.
        config: settings: what is compiled, and with which environment.
        pins: of the images.

    Raises:
        ConfigError: an environment that holds a speed knob or hollows the wheel.
        InputError: a source that cannot be verified (no hash, a source tree), or a package without torch.
    """
    found = compiled_packages(selection, also=config.compiled, never=config.not_compiled)
    return tuple(_Builder(side, selection, config, pins, package).key() for package in found)


class _Builder:
    def __init__(self, side: Side, selection: Selection, config: Config, pins: Pins, package: Package) -> None:
        self.side = side
        self.selection = selection
        self.config = config
        self.pins = pins
        self.package = package
        self.lock = selection.lock

    def key(self) -> BuildKey:
        torch = next(iter(self.selection.get("torch")), None)
        if torch is None:
            raise InputError(
                f"{self.package.name} is compiled, but this selection has no torch to compile it against",
                path=self.lock.file.name,
                line=self.package.line,
                hint="select the extra that has torch",
            )
        env = self.environment()
        source = self.source()
        return BuildKey(
            package=self.package,
            source=source,
            torch=torch,
            env=env,
            components=tuple(self.components(torch, source, env)),
        )

    def components(self, torch: Package, source: Artifact | None, env: Mapping[str, str]) -> list[Component]:
        target, pins, package = self.selection.target, self.pins, self.package
        wheel = target.chosen(torch)
        signal = cuda_of(self.selection.packages, target)
        abi = cxx11_abi(torch, target)
        return [
            Component("package", package.name, at_key(self.lock, package, "name")),
            Component("version", str(package.version or ""), at_key(self.lock, package, "version")),
            Component(
                "source",
                self.source_identity(source),
                at_key(self.lock, package, "source" if source is None else "sdist"),
            ),
            Component("torch", str(torch.version or ""), at_key(self.lock, torch, "version")),
            Component("torch source", _shown(torch, self.side.folder), at_key(self.lock, torch, "source")),
            Component("torch wheel", (wheel.hash if wheel else None) or "", self.at_wheel(torch, wheel)),
            Component("torch cuda", str(signal.cuda) if signal else "", self.at_signal(signal)),
            Component("c++ abi", "" if abi is None else str(abi), self.at_wheel(torch, wheel)),
            Component("cuda", pins.cuda.value, pins.cuda.position),
            Component("image", f"{pins.builder}-ubuntu{pins.ubuntu}", pins.variant.position or pins.ubuntu.position),
            Component("python", f"cp3{target.minor}"),
            Component("platform", target.docker_platform),
            self.cmake(),
            *(Component(f"env {name}", value, self.at_env(name)) for name, value in env.items()),
        ]

    def at_wheel(self, torch: Package, wheel: Artifact | None) -> Position | None:
        if wheel is None:
            return None
        return self.lock.file.find(wheel.hash or wheel.location, torch.line, torch.last_line)

    def at_signal(self, signal: object) -> Position | None:
        package = getattr(signal, "package", None)
        return None if package is None else at_key(self.lock, package, "version")

    def at_env(self, name: str) -> Position | None:
        wheel = self.config.wheels.get(self.package.name)
        if wheel is None or name not in wheel.env or self.config.file is None:
            return None
        return self.config.file.find(name)

    def cmake(self) -> Component:
        """The CMake of the build tools' group, as locked; without the group, the Dockerfile's."""
        for root in self.lock.roots:
            for edge in root.groups.get(self.config.wheel_group, ()):
                tool = self.lock.packages[edge.target]
                if tool.name == "cmake" and tool.version is not None:
                    return Component("cmake", str(tool.version), at_key(self.lock, tool, "version"))
        return Component("cmake", self.pins.cmake.value, self.pins.cmake.position)

    def environment(self) -> dict[str, str]:
        wheel = self.config.wheels.get(self.package.name)
        configured = dict(wheel.env) if wheel is not None else {}
        for name, value in configured.items():
            self.check_variable(name, value)
        return build_environment(self.package.name, parse_version(self.pins.cuda.value), configured)

    def check_variable(self, name: str, value: str) -> None:
        position = self.at_env(name)
        where = {"path": position.path if position else None, "line": position.line if position else None}
        label = f"`{name}` of [tool.lockaudit.wheel.{self.package.name}.env]"
        if not _ENV_NAME.fullmatch(name):
            raise ConfigError(f"{label} is not the name of a variable", **where)  # type: ignore[arg-type]
        if name in SPEED_KNOBS:
            raise ConfigError(
                f"{label} changes how fast the wheel is compiled, not what it is: it would compile it anew",
                hint=f"set {name} in the environment of `docker buildx bake`",
                **where,  # type: ignore[arg-type]
            )
        if name in HOLLOWING and value.upper() not in {"", "0", "FALSE"}:
            raise ConfigError(f"{label} makes a wheel without its extension", hint="remove it", **where)  # type: ignore[arg-type]
        if hide_logins(value) != value:
            raise ConfigError(
                f"{label} holds a login or a token, which would be written to files that are committed",
                hint="leave it out of the address: the compile stage has a netrc as a secret",
                **where,  # type: ignore[arg-type]
            )
        if any(not letter.isprintable() for letter in value):
            raise ConfigError(f"{label} has a control character in its value", **where)  # type: ignore[arg-type]

    def source(self) -> Artifact | None:
        """The sdist that is compiled; None for a commit, which names its bytes itself."""
        package = self.package
        if package.source.kind is SourceKind.GIT:
            return None
        sdist = package.sdist
        if package.source.is_local_tree or sdist is None:
            raise self.unverifiable("has no sdist and no commit", "lock a release or a git commit of it")
        if sdist.hash is None or not sdist.hash.startswith("sha256:"):
            raise self.unverifiable("has no sha256 in the lock", f"run `uv lock --refresh-package {package.name}`")
        if "://" not in (sdist.location or package.source.location):
            raise self.unverifiable("is a file on this machine", "serve it from an index, or name its URL")
        return sdist

    def unverifiable(self, why: str, hint: str) -> InputError:
        return InputError(
            f"the source of {self.package.label}, which is to be compiled, {why}",
            path=self.lock.file.name,
            line=self.package.line,
            hint=hint,
        )

    def source_identity(self, source: Artifact | None) -> str:
        if source is not None:
            return source.hash or ""
        return hide_logins(" ".join(canonical(self.package.source, self.side.folder)[1:]))


def _shown(torch: Package, folder: str) -> str:
    return hide_logins(" ".join(canonical(torch.source, folder)))
