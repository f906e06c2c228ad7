"""`[tool.lockaudit]` of the root pyproject.toml: what it may hold, and its values as types.

`KEYS` is the one description: it checks the file, and the documentation and the JSON Schema are made from it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

from auditor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.source import SourceFile

Kind = Literal["string", "boolean", "strings", "string-table", "path"]


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its path (`*` stands for any name), the kind of its value, and what it does."""

    path: str
    kind: Kind
    doc: str


KEYS: Final = (
    Key("targets", "strings", "Environments to prove, written platform-machine-python: `linux-x86_64-cp312`."),
    Key("first-party", "strings", "Packages that may be a source tree in dev and a git tag or release in prod."),
    Key("compiled", "strings", "Packages that the image compiles, beside the ones that are found."),
    Key("not-compiled", "strings", "Packages that look compiled (no wheel, depends on torch) but are not."),
    Key("ignore", "string-table", "Findings that are accepted: code -> reason. The reason is shown."),
    Key("dev.lock", "path", "The development lock. Default: `uv.lock`."),
    Key("dev.extras", "strings", "Extras that dev's side of the comparison selects."),
    Key("dev.groups", "strings", "Dependency groups of dev that count as production."),
    Key("prod.lock", "path", "The production lock. Default: `prod/uv.lock`."),
    Key("prod.extras", "strings", "Extras that the production image installs."),
    Key("prod.groups", "strings", "Dependency groups that the production image installs."),
    Key("image.dockerfile", "path", "The Dockerfile of both images. Default: `docker/Dockerfile-uv`."),
    Key("image.cuda", "string", "CUDA version of the image. Default: the Dockerfile's CUDA_VERSION."),
    Key("image.variant", "string", "`cudnn`, `runtime` or `base`. Default: the Dockerfile's CUDA_VARIANT."),
    Key("image.ubuntu", "string", "Ubuntu release of the image. Default: the Dockerfile's UBUNTU_VERSION."),
    Key("image.uv", "string", "uv in the images. Default: the Dockerfile's UV_VERSION."),
    Key("bake.file", "path", "The bake file to write. Default: `docker-bake.hcl`."),
    Key("bake.image", "string", "Name of the images. Default: the root project's name."),
    Key("bake.cache-repo", "string", "Repository of the registry cache. Default: the image's name with `-cache`."),
    Key("bake.wheelhouse", "string", "Repository of the wheelhouse image. Default: the image's name with `-wheels`."),
    Key("cache.backend", "string", "`registry` (default), `local`, `gha`, `s3` or `azblob`."),
    Key("cache.options", "string-table", "Attributes of the backend, for reading and writing: `bucket`, `region`."),
    Key("cache.write-options", "string-table", "Attributes of the backend for writing only: `compression`."),
    Key("wheel.group", "string", "Dependency group of the root with the wheel's build tools. Default: `wheel-build`."),
    Key("wheel.*.env", "string-table", "Environment of one package's compile; part of its build key."),
    Key("wheel.*.modules", "strings", "Modules of one compiled package that the production image must import."),
)

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_CODE: Final = re.compile(r"LA\d{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SideConfig:
    """One side of a pair. `extras` is None where nobody chose: then a lock with conflicting extras is ambiguous."""

    lock: str
    extras: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """Pins of the images; None where the Dockerfile's ARG decides."""

    dockerfile: str = "docker/Dockerfile-uv"
    cuda: str | None = None
    variant: str | None = None
    ubuntu: str | None = None
    uv: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BakeConfig:
    """The bake file."""

    file: str = "docker-bake.hcl"
    image: str | None = None
    cache_repo: str | None = None
    wheelhouse: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheConfig:
    """Where BuildKit keeps its cache; the options are checked by `bake.cache`, which knows each backend's."""

    backend: str = "registry"
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    write_options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelConfig:
    """One compiled package."""

    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    modules: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Config:
    """The effective settings. Names are normalised, paths are relative to the root with forward slashes.

    Attributes:
        file: the pyproject.toml that they come from, or None.
    """

    file: SourceFile | None = None
    targets: tuple[str, ...] = ()
    first_party: tuple[str, ...] = ()
    compiled: tuple[str, ...] = ()
    not_compiled: tuple[str, ...] = ()
    ignore: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    dev: SideConfig = field(default_factory=lambda: SideConfig(lock="uv.lock"))
    prod: SideConfig = field(default_factory=lambda: SideConfig(lock="prod/uv.lock"))
    image: ImageConfig = field(default_factory=ImageConfig)
    bake: BakeConfig = field(default_factory=BakeConfig)
    cache: CacheConfig = field(default_factory=CacheConfig)
    wheel_group: str = "wheel-build"
    wheels: Mapping[str, WheelConfig] = field(default_factory=lambda: MappingProxyType({}))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` most resembles, for "did you mean"."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return found[0] if found else None


def read_config(tables: Mapping[str, Any], file: SourceFile, codes: Iterable[str] = ()) -> Config:
    """The settings of `[tool.lockaudit]`.

    Args:
        tables: that table, as read; empty where there is none.
        file: the pyproject.toml.
        codes: every rule code, for `ignore`; empty accepts any.

    Raises:
        ConfigError: an unknown key or code (with the nearest name), a value of another kind, a path that leaves
            the project.
    """
    return _Reader(tables, file).config(tuple(codes))


class _Reader:
    def __init__(self, tables: Mapping[str, Any], file: SourceFile) -> None:
        self.tables = tables
        self.file = file
        self.values: dict[str, Any] = {}

    def fail(self, message: str, key: str, hint: str | None = None) -> ConfigError:
        last = key.rpartition(".")[2]
        header = self.file.find("[tool.lockaudit")
        position = self.file.find(last, header.line if header else 1)
        return ConfigError(message, path=self.file.name, line=position.line if position else None, hint=hint)

    def config(self, codes: tuple[str, ...]) -> Config:
        self.flatten(self.tables, "")
        dev = SideConfig(
            lock=self.get("dev.lock", "uv.lock"),
            extras=self.names_or_none("dev.extras"),
            groups=self.names("dev.groups"),
        )
        prod = SideConfig(
            lock=self.get("prod.lock", "prod/uv.lock"),
            extras=self.names_or_none("prod.extras"),
            groups=self.names("prod.groups"),
        )
        return Config(
            file=self.file,
            targets=tuple(self.get("targets", ())),
            first_party=self.names("first-party"),
            compiled=self.names("compiled"),
            not_compiled=self.names("not-compiled"),
            ignore=self.ignore(codes),
            dev=dev,
            prod=prod,
            image=ImageConfig(
                dockerfile=self.get("image.dockerfile", ImageConfig().dockerfile),
                cuda=self.get("image.cuda", None),
                variant=self.get("image.variant", None),
                ubuntu=self.get("image.ubuntu", None),
                uv=self.get("image.uv", None),
            ),
            bake=BakeConfig(
                file=self.get("bake.file", BakeConfig().file),
                image=self.get("bake.image", None),
                cache_repo=self.get("bake.cache-repo", None),
                wheelhouse=self.get("bake.wheelhouse", None),
            ),
            cache=CacheConfig(
                backend=self.get("cache.backend", "registry"),
                options=MappingProxyType(self.get("cache.options", {})),
                write_options=MappingProxyType(self.get("cache.write-options", {})),
            ),
            wheel_group=_normalize(self.get("wheel.group", "wheel-build")),
            wheels=self.wheels(),
        )

    def flatten(self, table: Mapping[str, Any], prefix: str) -> None:
        """Every value under its dotted path, each checked against `KEYS`."""
        for name, value in table.items():
            path = f"{prefix}{name}"
            key = _known(path)
            if key is not None:
                self.values[path] = self.checked(key, path, value)
            elif isinstance(value, Mapping) and _is_section(path):
                self.flatten(value, f"{path}.")
            else:
                raise self.unknown(path)

    def unknown(self, path: str) -> ConfigError:
        known = [key.path for key in KEYS]
        similar = nearest(path, known) or nearest(path.rpartition(".")[2], [name.rpartition(".")[2] for name in known])
        hint = f"did you mean `{similar}`?" if similar else f"known: {', '.join(known)}"
        return self.fail(f"unknown key `{path}` in [tool.lockaudit]", path, hint)

    def checked(self, key: Key, path: str, value: object) -> object:
        if key.kind in {"string", "path"} and isinstance(value, str):
            if key.kind == "path":
                self.refuse_escape(path, value)
            return value
        if key.kind == "boolean" and isinstance(value, bool):
            return value
        if key.kind == "strings" and isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        if (
            key.kind == "string-table"
            and isinstance(value, Mapping)
            and all(isinstance(v, str) for v in value.values())
        ):
            return dict(value)
        wanted = {"strings": "a list of strings", "string-table": "a table of strings", "boolean": "true or false"}
        raise self.fail(f"`{path}` of [tool.lockaudit] must be {wanted.get(key.kind, 'a string')}", path)

    def refuse_escape(self, path: str, value: str) -> None:
        parts = PurePosixPath(value).parts
        if not value or value.startswith(("/", "~")) or ".." in parts or "\\" in value or ":" in value:
            raise self.fail(
                f"`{path}` of [tool.lockaudit] leaves the project: {value!r}",
                path,
                "write a path below the root, with forward slashes",
            )

    def get(self, path: str, default: Any) -> Any:  # noqa: ANN401 - each caller knows its key's kind
        return self.values.get(path, default)

    def names(self, path: str) -> tuple[str, ...]:
        return self.names_or_none(path) or ()

    def names_or_none(self, path: str) -> tuple[str, ...] | None:
        values = self.values.get(path)
        if values is None:
            return None
        for value in values:
            if not _NAME.fullmatch(value):
                raise self.fail(f"{value!r} in `{path}` of [tool.lockaudit] is not a name", path)
        return tuple(_normalize(value) for value in values)

    def ignore(self, codes: tuple[str, ...]) -> Mapping[str, str]:
        table: dict[str, str] = self.get("ignore", {})
        for code, reason in table.items():
            if not _CODE.fullmatch(code) or (codes and code not in codes):
                similar = nearest(code, codes)
                hint = f"did you mean {similar}?" if similar else "`lockaudit rule --all` lists every code"
                raise self.fail(f"unknown code `{code}` in `ignore` of [tool.lockaudit]", code, hint)
            if not reason.strip():
                raise self.fail(f"`ignore.{code}` of [tool.lockaudit] has no reason", code, "say why it is accepted")
        return MappingProxyType(dict(table))

    def wheels(self) -> Mapping[str, WheelConfig]:
        found: dict[str, WheelConfig] = {}
        for path, value in self.values.items():
            section, _, rest = path.partition(".")
            name, _, key = rest.rpartition(".")
            if section != "wheel" or not name:
                continue
            package = _normalize(name)
            current = found.get(package, WheelConfig())
            if key == "env":
                found[package] = replace(current, env=MappingProxyType(value))
            else:
                found[package] = replace(current, modules=value)
        return MappingProxyType(found)


def _all_strings(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _known(path: str) -> Key | None:
    return next((key for key in KEYS if _matches(key.path, path)), None)


def _is_section(path: str) -> bool:
    depth = path.count(".") + 1
    return any(key.path.count(".") >= depth and _matches(".".join(key.path.split(".")[:depth]), path) for key in KEYS)


def _matches(pattern: str, path: str) -> bool:
    wanted, given = pattern.split("."), path.split(".")
    return len(wanted) == len(given) and all(w in {"*", g} for w, g in zip(wanted, given, strict=True))


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
