"""What the images are made of: the pins that settings or the Dockerfile's ARGs give, each with where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.errors import ConfigError

if TYPE_CHECKING:
    from auditor.config import Config
    from auditor.dockerfile.model import Dockerfile
    from auditor.position import Position

# The variants, and the flavors of nvidia/cuda tags that exist for each (facts on CUDA, 3.1).
BUILDER_FLAVOR: Final = {"cudnn": "cudnn-devel", "runtime": "devel", "base": "devel"}

# The recipe's own defaults, for a project without a Dockerfile.
_DEFAULTS: Final = {"cuda": "12.4.1", "variant": "cudnn", "ubuntu": "22.04", "cmake": "3.26.1", "uv": "latest"}
_ARGUMENTS: Final = {
    "cuda": "CUDA_VERSION",
    "variant": "CUDA_VARIANT",
    "ubuntu": "UBUNTU_VERSION",
    "cmake": "CMAKE_VERSION",
    "uv": "UV_VERSION",
}


@dataclass(frozen=True, slots=True)
class Pin:
    """A pinned value and where it is written; None where it is the recipe's default."""

    value: str
    position: Position | None = None

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """The pins of the images."""

    cuda: Pin
    variant: Pin
    ubuntu: Pin
    cmake: Pin
    uv: Pin

    @property
    def builder(self) -> str:
        """Flavor of the image that compiles: `cudnn-devel` or `devel`."""
        return BUILDER_FLAVOR[self.variant.value]


def read_pins(config: Config, dockerfile: Dockerfile | None) -> Pins:
    """The settings' values, else the Dockerfile's ARG defaults, else the recipe's.

    Raises:
        ConfigError: a variant that has no images.
    """
    found = {name: _pin(name, config, dockerfile) for name in _ARGUMENTS}
    pins = Pins(**found)
    if pins.variant.value not in BUILDER_FLAVOR:
        where = pins.variant.position
        raise ConfigError(
            f"{pins.variant.value!r} is no variant of the CUDA images",
            path=where.path if where else None,
            line=where.line if where else None,
            hint=f"variants: {', '.join(BUILDER_FLAVOR)}",
        )
    return pins


def _pin(name: str, config: Config, dockerfile: Dockerfile | None) -> Pin:
    setting = getattr(config.image, name, None)
    if setting is not None:
        file = config.file
        line = config.image.lines.get(name) or _section_line(config)
        position = file.find(f"{name} = ", line) if file is not None else None
        return Pin(setting, position)
    argument = dockerfile.argument(_ARGUMENTS[name]) if dockerfile is not None else None
    if argument is not None:
        return Pin(*argument)
    return Pin(_DEFAULTS[name])


def _section_line(config: Config) -> int:
    header = config.file.find("[tool.lockaudit.image]") if config.file is not None else None
    return header.line if header else 1
