"""`[tool.lockaudit]` as read from a pyproject.toml, checked key by key against `config.KEYS`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from auditor.config import (
    KEYS,
    PLATFORMS,
    BakeConfig,
    CacheConfig,
    Config,
    ImageConfig,
    Key,
    PackageConfig,
    PairConfig,
    SideConfig,
    VariantConfig,
    WheelConfig,
    nearest,
)
from auditor.errors import ConfigError
from auditor.finding import Severity
from auditor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.source import SourceFile

Path = tuple[str, ...]

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VARIANT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
_WHEEL: Final = re.compile(r"(?:^|[-_])wheels?(?:$|[-_])")  # what bake targets of wheels are told by
_PYTHON: Final = re.compile(r"3\.\d{1,2}")
_PYTHON_OF_TARGET: Final = re.compile(r"cp3\d+$")
_PATTERNS: Final = tuple((tuple(key.path.split(".")), key) for key in KEYS)
_LONGEST: Final = 200  # characters of a key that is looked for
_WANTED: Final = {
    "strings": "a list of strings",
    "string-table": "a table of strings",
    "boolean": "true or false",
}


def read_config(tables: Mapping[str, Any], file: SourceFile, codes: Iterable[str] = ()) -> Config:
    """The settings of `[tool.lockaudit]`.

    Args:
        tables: that table, as read; empty where there is none.
        file: the pyproject.toml.
        codes: every rule code; empty accepts any.

    Raises:
        ConfigError: an unknown key or code (with the nearest name), a value of another kind, a path that leaves
            the project.
    """
    return _Reader(tables, file, tuple(codes)).config()


class Stated(NamedTuple):
    """The settings as they stand in the file.

    Attributes:
        values: by path, checked.
        line_of: the line of a path, or None where the text does not show it.
    """

    values: Mapping[Path, Any]
    line_of: Callable[[Path], int | None]


def read_stated(tables: Mapping[str, Any], file: SourceFile) -> Stated:
    """The keys that a file sets, before defaults. Raises: as `read_config`."""
    reader = _Reader(tables, file, ())
    reader.flatten(tables, ())
    return Stated(reader.values, reader.line_of)


class _Reader:
    """The tables key by key: `values` by path, checked, and where each stands."""

    def __init__(self, tables: Mapping[str, Any], file: SourceFile, codes: tuple[str, ...]) -> None:
        self.tables = tables
        self.file = file
        self.codes = codes
        self.values: dict[Path, Any] = {}

    def fail(self, message: str, path: Path, hint: str | None = None) -> ConfigError:
        return ConfigError(message, path=self.file.name, line=self.line_of(path), hint=hint)

    def line_of(self, path: Path) -> int | None:
        """The line of a setting: below the deepest of its tables that has a header, each part after the one before.

        No fast TOML parser reports positions; where the text is written in another way, the line is one of its table.
        """
        header = self.file.find("[tool.lockaudit")
        if header is None:
            return None
        line, rest = header.line, path
        for depth in range(len(path), 0, -1):
            name = ".".join(_without_indices(path[:depth])).replace("[]", "")
            found = self.file.find(f"[tool.lockaudit.{name}]", line)
            if found is None:
                continue
            # The n-th element of an array of tables has the n-th header.
            indices = (int(part) for above, part in pairwise(path[:depth]) if above.endswith("[]"))
            for _ in range(next(indices, 0)):
                found = self.file.find(f"[tool.lockaudit.{name}]", found.line + 1) or found
            line, rest = found.line, path[depth:]
            break
        for part in _without_indices(rest):
            if len(part) > _LONGEST:
                continue
            word = re.compile(rf"(?<![\w-]){re.escape(part.removesuffix('[]'))}(?![\w-])")
            lines = range(line, len(self.file.lines) + 1)
            line = next((number for number in lines if word.search(self.file.line(number))), line)
        return line

    def config(self) -> Config:
        self.flatten(self.tables, ())
        bake, cache = BakeConfig(), CacheConfig()
        dev = self.side((), "dev", SideConfig(lock="uv.lock"))
        prod = self.side((), "prod", SideConfig(lock="prod/uv.lock"))
        image = self.image()
        return Config(
            file=self.file,
            targets=self.get("targets", ()),
            first_party=self.names("first-party"),
            compiled=self.names("compiled"),
            not_compiled=self.names("not-compiled"),
            allowed_registries=self.get("allowed-registries", ()),
            select=self.selected(),
            ignore=self.reasons(("ignore",)),
            severity=self.severities(("severity",)),
            packages=self.packages(),
            pairs=self.pairs(),
            variants=self.variants(dev, prod, image),
            dev=dev,
            prod=prod,
            image=image,
            bake=BakeConfig(
                file=self.get("bake.file", bake.file),
                image=self.get("bake.image", None),
                cache_repo=self.get("bake.cache-repo", None),
                wheelhouse=self.get("bake.wheelhouse", None),
                wheels_from=self.get("bake.wheels-from", bake.wheels_from),
            ),
            cache=CacheConfig(
                backend=self.get("cache.backend", cache.backend),
                options=MappingProxyType(self.get("cache.options", {})),
                write_options=MappingProxyType(self.get("cache.write-options", {})),
            ),
            wheel_group=normalize(self.get("wheel.group", "wheel-build")),
            wheels=self.wheels(),
        )

    # -- the tables, key by key ---------------------------------------------------------------------------------

    def flatten(self, table: Mapping[str, Any], prefix: Path) -> None:
        """Every value under its path, each checked against `KEYS`."""
        for name, value in table.items():
            path = (*prefix, name)
            if name.endswith("[]"):  # which marks an array of tables here
                raise self.unknown(path)
            key = _known(path)
            if key is not None:
                self.values[path] = self.checked(key, path, value)
            elif isinstance(value, Mapping) and _is_section(path):
                self.flatten(value, path)
            elif isinstance(value, list) and _is_section((*prefix, f"{name}[]")):
                for index, item in enumerate(value):
                    if not isinstance(item, Mapping):
                        raise self.fail(f"`{name}` of [tool.lockaudit] is a list of tables", path)
                    self.flatten(item, (*prefix, f"{name}[]", str(index)))
            else:
                raise self.unknown(path)

    def unknown(self, path: Path) -> ConfigError:
        shown = _shown(path)
        known = [key.path for key in KEYS]
        similar = nearest(shown, known) or nearest(path[-1], [name.rpartition(".")[2] for name in known])
        hint = f"did you mean `{similar}`?" if similar else f"known: {', '.join(known)}"
        return self.fail(f"unknown key `{shown}` in [tool.lockaudit]", path, hint)

    def checked(self, key: Key, path: Path, value: object) -> object:
        match key.kind, value:
            case "path", str():
                self.refuse_escape(path, value)
                return value
            case "string", str():
                self.refuse_others(key, path, [value])
                return value
            case "boolean", bool():
                return value
            case "strings", list() if _all_strings(value):
                self.refuse_others(key, path, value)
                return tuple(value)
            case "string-table", Mapping() if _all_strings(value.values()):
                return dict(value)
        wanted = _WANTED.get(key.kind, "a string")
        raise self.fail(f"`{_shown(path)}` of [tool.lockaudit] must be {wanted}", path)

    def refuse_others(self, key: Key, path: Path, values: Iterable[str]) -> None:
        for value in values:
            if key.choices and value not in key.choices:
                similar = nearest(value, key.choices)
                hint = f"did you mean `{similar}`?" if similar else f"values: {', '.join(key.choices)}"
                raise self.fail(f"{value!r} is no value of `{_shown(path)}` of [tool.lockaudit]", path, hint)

    def refuse_escape(self, path: Path, value: str) -> None:
        parts = PurePosixPath(value).parts
        if not value or value.startswith(("/", "~")) or ".." in parts or "\\" in value or ":" in value:
            raise self.fail(
                f"`{_shown(path)}` of [tool.lockaudit] leaves the project: {value!r}",
                path,
                "write a path below the root, with forward slashes",
            )

    # -- the parts ----------------------------------------------------------------------------------------------

    def get(self, path: str, default: Any) -> Any:  # noqa: ANN401 - each caller knows its key's kind
        return self.values.get(tuple(path.split(".")), default)

    def names(self, path: str) -> tuple[str, ...]:
        return self.names_or_none(tuple(path.split("."))) or ()

    def names_or_none(self, path: Path) -> tuple[str, ...] | None:
        values = self.values.get(path)
        if values is None:
            return None
        return tuple(self.name(value, path) for value in values)

    def name(self, value: str, path: Path) -> str:
        if not _NAME.fullmatch(value):
            raise self.fail(f"{value!r} in `{_shown(path)}` of [tool.lockaudit] is not a name", path)
        return normalize(value)

    def side(self, prefix: Path, role: str, general: SideConfig) -> SideConfig:
        extras, groups = (self.names_or_none((*prefix, role, key)) for key in ("extras", "groups"))
        return SideConfig(
            lock=self.values.get((*prefix, role, "lock"), general.lock),
            extras=general.extras if extras is None else extras,
            groups=general.groups if groups is None else groups,
        )

    def image(self) -> ImageConfig:
        return ImageConfig(
            dockerfile=self.get("image.dockerfile", ImageConfig().dockerfile),
            cuda=self.get("image.cuda", None),
            variant=self.get("image.variant", None),
            ubuntu=self.get("image.ubuntu", None),
            uv=self.get("image.uv", None),
            platforms=tuple(dict.fromkeys(self.get("image.platforms", ()))),
        )

    def pairs(self) -> tuple[PairConfig, ...]:
        found: list[PairConfig] = []
        known: set[str] = set()
        for index in range(len(self.tables.get("pair", []))):
            prefix = ("pair[]", str(index))
            name, lock = self.values.get((*prefix, "name"), ""), self.values.get((*prefix, "prod", "lock"))
            if not name or lock is None:
                raise self.fail("every [[tool.lockaudit.pair]] needs a `name` and a `prod.lock`", prefix)
            if name in known:
                raise self.fail(f"two pairs are called {name!r}", (*prefix, "name"))
            known.add(name)
            found.append(
                PairConfig(
                    name=name,
                    dev=self.side(prefix, "dev", SideConfig(lock="uv.lock")),
                    prod=self.side(prefix, "prod", SideConfig(lock=lock)),
                    targets=self.values.get((*prefix, "targets"), ()),
                    dockerfile=self.values.get((*prefix, "dockerfile")),
                )
            )
        return tuple(found)

    def variants(self, dev: SideConfig, prod: SideConfig, image: ImageConfig) -> tuple[VariantConfig, ...]:
        found: list[VariantConfig] = []
        for index in range(len(self.tables.get("variant", []))):
            prefix = ("variant[]", str(index))
            found.append(
                VariantConfig(
                    name=self.variant_name(prefix, [variant.name for variant in found]),
                    dev=self.side(prefix, "dev", dev),
                    prod=self.side(prefix, "prod", prod),
                    image=self.variant_image(prefix, image),
                    targets=self.variant_targets(prefix),
                )
            )
        if found and self.tables.get("pair"):
            message = "[[tool.lockaudit.pair]] and [[tool.lockaudit.variant]] in one file: not both, yet"
            raise self.fail(
                message, ("variant[]", "0"), "take the variants away, or keep one pair, as [tool.lockaudit]"
            )
        return tuple(found)

    def variant_name(self, prefix: Path, taken: list[str]) -> str:
        name: str = self.values.get((*prefix, "name"), "")
        path = (*prefix, "name") if name else prefix
        if not name:
            raise self.fail("every [[tool.lockaudit.variant]] needs a `name`", path, 'for example `name = "cu124"`')
        if not _VARIANT.fullmatch(name):
            hint = "letters, digits, `-` and `_`: it becomes a part of bake targets, tags and folders"
            raise self.fail(f"{name!r} cannot name a variant", path, hint)
        if _WHEEL.search(name):
            raise self.fail(f"{name!r} cannot name a variant: its images would be taken for wheels", path)
        if name in {platform.rpartition("/")[2] for platform in PLATFORMS}:
            raise self.fail(f"{name!r} cannot name a variant: it is a platform", path, "say it with `platforms`")
        if name.lower() in map(str.lower, taken):  # folders are called after it, and not every disk tells case apart
            raise self.fail(f"two variants are called {name!r}", path)
        return name

    def variant_image(self, prefix: Path, general: ImageConfig) -> ImageConfig:
        keys = {"cuda": "cuda", "variant": "image-variant", "ubuntu": "ubuntu", "python": "python"}
        own = {field: (*prefix, key) for field, key in keys.items() if (*prefix, key) in self.values}
        python = self.values.get((*prefix, "python"))
        if python is not None and not _PYTHON.fullmatch(python):
            raise self.fail(f"{python!r} is not a Python of a variant", own["python"], "write its minor version: 3.12")
        platforms: tuple[str, ...] = self.values.get((*prefix, "platforms"), general.platforms)
        lines = {field: line for field, path in own.items() if (line := self.line_of(path)) is not None}
        return replace(
            general,
            **{field: self.values[path] for field, path in own.items()},
            platforms=tuple(dict.fromkeys(platforms)),
            lines=MappingProxyType(lines),
        )

    def variant_targets(self, prefix: Path) -> tuple[str, ...]:
        """Its targets, with its own Python in the general ones."""
        own: tuple[str, ...] | None = self.values.get((*prefix, "targets"))
        python: str | None = self.values.get((*prefix, "python"))
        if own is not None and python is not None:
            message = "a variant has `targets` or `python`, not both: a target names its Python"
            raise self.fail(message, (*prefix, "python"), "remove `python`")
        targets: tuple[str, ...] = self.get("targets", ()) if own is None else own
        if python is None:
            return targets
        tag = f"cp{python.replace('.', '')}"
        return tuple(dict.fromkeys(_PYTHON_OF_TARGET.sub(tag, target) for target in targets))

    def selected(self) -> tuple[str, ...]:
        prefixes: tuple[str, ...] = self.get("select", ())
        for prefix in prefixes:
            if self.codes and not any(code.startswith(prefix) for code in self.codes):
                raise self.unknown_code(prefix, ("select",))
        return prefixes

    def reasons(self, path: Path) -> Mapping[str, str]:
        table: dict[str, str] = self.values.get(path, {})
        for code, reason in table.items():
            self.check_code(code, path)
            if not reason.strip():
                raise self.fail(f"`{code}` in `{_shown(path)}` has no reason", (*path, code), "say why it is accepted")
        return MappingProxyType(dict(table))

    def severities(self, path: Path) -> Mapping[str, str]:
        table: dict[str, str] = self.values.get(path, {})
        for code, severity in table.items():
            self.check_code(code, path)
            if severity not in set(Severity):
                hint = f"severities: {', '.join(Severity)}"
                message = f"{severity!r} in `{_shown(path)}` of [tool.lockaudit] is no severity"
                raise self.fail(message, (*path, code), hint)
        return MappingProxyType(dict(table))

    def check_code(self, code: str, path: Path) -> None:
        if self.codes and code not in self.codes:
            raise self.unknown_code(code, path)

    def unknown_code(self, code: str, path: Path) -> ConfigError:
        similar = nearest(code, self.codes)
        hint = f"did you mean {similar}?" if similar else "`lockaudit rule --all` lists every code"
        return self.fail(f"unknown code `{code}` in `{_shown(path)}` of [tool.lockaudit]", (*path, code), hint)

    def packages(self) -> Mapping[str, PackageConfig]:
        names = dict.fromkeys(path[1] for path in self.values if path[0] == "package")
        return MappingProxyType(
            {
                self.name(name, ("package", name)): PackageConfig(
                    ignore=self.reasons(("package", name, "ignore")),
                    severity=self.severities(("package", name, "severity")),
                )
                for name in names
            }
        )

    def wheels(self) -> Mapping[str, WheelConfig]:
        names = dict.fromkeys(path[1] for path in self.values if path[0] == "wheel" and path != ("wheel", "group"))
        return MappingProxyType(
            {
                self.name(name, ("wheel", name)): WheelConfig(
                    env=MappingProxyType(self.values.get(("wheel", name, "env"), {})),
                    modules=self.values.get(("wheel", name, "modules"), ()),
                )
                for name in names
            }
        )


def _all_strings(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _known(path: Path) -> Key | None:
    given = _without_indices(path)
    return next((key for pattern, key in _PATTERNS if _matches(pattern, given)), None)


def _is_section(path: Path) -> bool:
    given = _without_indices(path)
    return any(len(pattern) > len(given) and _matches(pattern[: len(given)], given) for pattern, _ in _PATTERNS)


def _without_indices(path: Path) -> Path:
    return tuple(part for index, part in enumerate(path) if index == 0 or not path[index - 1].endswith("[]"))


def _matches(pattern: Path, path: Path) -> bool:
    if len(pattern) != len(path) or pattern[0] != path[0]:  # no key begins with a star
        return False
    return all(w in {"*", g} for w, g in zip(pattern, path, strict=True))


def _shown(path: Path) -> str:
    return ".".join(_without_indices(path))
