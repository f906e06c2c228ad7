"""`lockaudit config`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from auditor.cli.options import audit_options, origin_of, overrides
from auditor.cli.workspace import load_config, load_dockerfile, load_side, pair_settings, variant_settings
from auditor.config import KEYS
from auditor.dockerfile.pins import read_pins
from auditor.errors import LockauditError
from auditor.names import normalize
from auditor.settings import Stated, read_stated
from auditor.source import hide_logins, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.cli.options import Overrides
    from auditor.config import Config
    from auditor.lock.project import Project
    from auditor.position import Position

Value = str | tuple[str, ...] | Mapping[str, str] | None

_FIELDS: Final = {"wheel.group": "wheel_group", "package": "packages", "wheel": "wheels"}
# Settings that options replace, and the parameters of these options.
_PARAMETERS: Final = {
    "targets": ("targets",),
    "first-party": ("first_party",),
    "compiled": ("compiled",),
    "dev.lock": ("dev_lock",),
    "dev.extras": ("dev_extras", "no_dev_extras"),
    "dev.groups": ("dev_groups",),
    "prod.lock": ("prod_lock",),
    "prod.extras": ("prod_extras", "no_prod_extras"),
    "prod.groups": ("prod_groups",),
    "image.dockerfile": ("dockerfile",),
}
# Settings of a variant, and the general ones that they stand in for.
_GENERAL: Final = {
    "cuda": "image.cuda",
    "image-variant": "image.variant",
    "ubuntu": "image.ubuntu",
    "python": "image.python",
    "platforms": "image.platforms",
}
_PINS: Final = ("image.cuda", "image.variant", "image.ubuntu", "image.uv")
_SECRET: Final = re.compile(
    r"(?:^|[_-])(?:secret|token|password|passwd|credentials?|(?:api|access|account)[_-]?key)", re.IGNORECASE
)
_MASK: Final = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as it counts.

    Attributes:
        key: dotted; the name of a pair or a variant in brackets, `pair[serving].targets`.
        value: None where there is none.
        origin: `default`, `pyproject.toml`, `Dockerfile`, `environment` or `command line`.
        name: of the variable, option or ARG that gave it.
        position: where it is written.
    """

    key: str
    value: Value
    origin: str = "default"
    name: str | None = None
    position: Position | None = None

    @property
    def shown_origin(self) -> str:
        """Where it comes from, in words."""
        if self.position is None:
            return f"{self.origin} {self.name}" if self.name else self.origin
        where = f"{self.position.path}:{self.position.line}"
        return f"{where} ARG {self.name}" if self.name else where


@click.command()
@audit_options
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def config(context: click.Context, /, root: Path, output_format: str, **options: Any) -> int:  # noqa: ANN401
    """Print the settings that count here, and where each of them comes from.

    The command line goes over the environment, the environment over pyproject.toml, and that over the Dockerfile's
    ARGs. Logins and secrets are not shown.

    \b
    lockaudit config
    lockaudit config --target linux-x86_64-cp312 --output-format json
    """  # noqa: D301
    settings = list(_Settings(context, root, overrides(options)))
    click.echo(_json(settings) if output_format == "json" else _text(settings), nl=False)
    return 0


class _Settings:
    """Every key of `KEYS` with its value and origin."""

    def __init__(self, context: click.Context, root: Path, choices: Overrides) -> None:
        self.context = context
        self.root = root
        self.choices = choices
        self.config, self.project = load_config(root, choices)
        self.dockerfile = load_dockerfile(root, self.config, explicit=choices.dockerfile is not None)
        self.stated = _stated(self.project)

    def __iter__(self) -> Iterator[Setting]:
        for key in KEYS:
            if key.path.startswith("pair[]."):
                yield from self.of_pairs(key.path)
            elif key.path.startswith("variant[]."):
                yield from self.of_variants(key.path)
            elif ".*." in key.path:
                yield from self.of_packages(key.path)
            else:
                yield self.general(key.path)

    def general(self, path: str) -> Setting:
        """A setting that stands for itself."""
        if path in _PINS:
            return self.pin(path, path, self.config)
        if path == "targets" and not self.config.targets:
            return self.derived_targets()
        value = _value(self.config, path)
        if value is None and path.startswith("bake."):
            value = self.image_name(path)
        return self.said(path, value, tuple(path.split("."))) or Setting(key=path, value=value)

    def said(self, key: str, value: Value, *places: tuple[str, ...], option: str | None = None) -> Setting | None:
        """A setting that somebody gave: an option or a variable, else the first of these places in pyproject.toml."""
        for parameter in _PARAMETERS.get(option or key, ()):
            told = origin_of(self.context, parameter)
            # Of `--dev-extra` and `--no-dev-extras`, one in the environment may lose against the other.
            if told is not None and self.context.params[parameter] and parameter.startswith("no_") != bool(value):
                origin, _, name = told.rpartition(" ")
                return Setting(key=key, value=value, origin=origin, name=name)
        for place in places:
            if self.stated is not None and self.project is not None and place in self.stated.values:
                line = self.stated.line_of(place)
                position = self.project.file.at(line) if line is not None else None
                return Setting(key=key, value=value, origin="pyproject.toml", position=position)
        return None

    def pin(self, key: str, path: str, config: Config, *places: tuple[str, ...]) -> Setting:
        """A version of the images: the settings' or that of an ARG."""
        name = path.removeprefix("image.")
        pin = getattr(read_pins(config, self.dockerfile), name)
        told = self.said(key, pin.value, *places, tuple(path.split(".")), option=path)
        if told is not None or pin.position is None:
            return told or Setting(key=key, value=pin.value)
        argument = {"uv": "UV_VERSION", "variant": "CUDA_VARIANT"}.get(name, f"{name.upper()}_VERSION")
        return Setting(key=key, value=pin.value, origin="Dockerfile", name=argument, position=pin.position)

    def derived_targets(self) -> Setting:
        """The target that is proven where nobody named one; none where the locks cannot be read."""
        try:
            value = tuple(map(str, load_side(self.root, self.choices).targets))
        except LockauditError:
            return Setting(key="targets", value=None)
        argument = self.dockerfile.argument("PYTHON_VERSION") if self.dockerfile is not None else None
        if argument is None:
            return Setting(key="targets", value=value)
        return Setting(key="targets", value=value, origin="Dockerfile", name="PYTHON_VERSION", position=argument[1])

    def image_name(self, path: str) -> str | None:
        """The names that the bake file gives where the settings have none."""
        name = self.config.bake.image or (self.project.name if self.project is not None else "") or "app"
        suffix = {"bake.image": "", "bake.cache-repo": "-cache", "bake.wheelhouse": "-wheels"}.get(path)
        return None if suffix is None else name + suffix

    def of_packages(self, path: str) -> Iterator[Setting]:
        """A setting of each package that has one."""
        table, _, rest = path.split(".")
        names = self.names(table, rest)
        for written, name in names.items():
            value = getattr(getattr(self.config, _FIELDS[table])[name], rest)
            key = f"{table}.{name}.{rest}"
            yield self.said(key, value, (table, written, rest)) or Setting(key=key, value=value)
        if not names:
            yield Setting(key=path, value=None)

    def names(self, table: str, rest: str) -> dict[str, str]:
        """Packages with that setting, as written -> normalised."""
        if self.stated is None:
            return {}
        places = [place for place in self.stated.values if place[0] == table and place[2:] == (rest,)]
        return {place[1]: normalize(place[1]) for place in places}

    def of_pairs(self, path: str) -> Iterator[Setting]:
        """A setting of each pair."""
        inner = path.removeprefix("pair[].")
        if not self.config.pairs:
            yield Setting(key=path, value=None)
            return
        numbers = {pair.name: str(number) for number, pair in enumerate(self.config.pairs)}
        for name, settings in pair_settings(self.config, self.choices):
            key = f"pair[{name}].{inner}"
            general = {"dockerfile": "image.dockerfile"}.get(inner, inner)
            value = name if inner == "name" else _value(settings, general)
            places = [("pair[]", numbers[name], *inner.split("."))]
            if inner in {"targets", "dockerfile"}:
                places.append(tuple(general.split(".")))
            yield self.said(key, value, *places, option=general) or Setting(key=key, value=value)

    def of_variants(self, path: str) -> Iterator[Setting]:
        """A setting of each variant."""
        inner = path.removeprefix("variant[].")
        if not self.config.variants:
            yield Setting(key=path, value=None)
            return
        numbers = {variant.name: str(number) for number, variant in enumerate(self.config.variants)}
        for name, settings in variant_settings(self.config, self.choices):
            key = f"variant[{name}].{inner}"
            general = _GENERAL.get(inner, inner)
            places = [("variant[]", numbers[name], *inner.split("."))]
            if general in _PINS:
                yield self.pin(key, general, settings, *places)
                continue
            value = name if inner == "name" else _value(settings, general)
            if inner not in {"name", "python"}:
                places.append(tuple(general.split(".")))
            yield self.said(key, value, *places, option=general) or Setting(key=key, value=value)


def _stated(project: Project | None) -> Stated | None:
    """What pyproject.toml says, key by key, with lines."""
    return None if project is None else read_stated(project.tool("lockaudit"), project.file)


def _value(config: Config, path: str) -> Value:
    """The value of a key that has one place in `Config`."""
    found: Any = config
    for part in [_FIELDS[path]] if path in _FIELDS else path.replace("-", "_").split("."):
        found = getattr(found, part)
    value: Value = found
    return value


def _hidden(text: str) -> str:
    """Text without logins and without secrets in the parameters of a URL."""
    return hide_logins(text)


def _public(value: Value) -> str | list[str] | dict[str, str] | None:
    """A value as it may be shown."""
    match value:
        case None:
            return None
        case str():
            return _hidden(value)
        case tuple():
            return [_hidden(item) for item in value]
    return {name: _MASK if _SECRET.search(name) else _hidden(item) for name, item in value.items()}


def _toml(value: str | list[str] | dict[str, str] | None) -> str:
    """A value as it would be written in pyproject.toml; `-` for none."""
    match value:
        case None:
            return "-"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(map(_toml, value))}]"
    inside = ", ".join(f"{name} = {_toml(item)}" for name, item in value.items())
    return f"{{ {inside} }}" if inside else "{}"


def _text(settings: list[Setting]) -> str:
    rows = [(setting.key, _toml(_public(setting.value)), setting.shown_origin) for setting in settings]
    width = max(len(key) for key, _, _ in rows)
    return "".join(f"{printable(f'{key:{width}}  {value}  ({origin})')}\n" for key, value, origin in rows)


def _json(settings: list[Setting]) -> str:
    document = {
        "version": 1,
        "settings": [
            {
                "key": setting.key,
                "value": _public(setting.value),
                "origin": setting.origin,
                "name": setting.name,
                "path": setting.position.path if setting.position else None,
                "line": setting.position.line if setting.position else None,
            }
            for setting in settings
        ],
    }
    return json.dumps(document, indent=2) + "\n"
