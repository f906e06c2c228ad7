"""What `lockaudit set` is asked for: `torch==2.8.0 cuda=12.8.1 python=3.12`, read and checked for their form."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from packaging.version import InvalidVersion, Version

from auditor.config import VARIANTS, nearest
from auditor.errors import ConfigError
from auditor.names import normalize
from auditor.wheel.cuda import parse_build

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
# What an image is made of: name -> (form of its value, an example).
_IMAGE: Final = {
    "cuda": (re.compile(r"\d{2}\.\d{1,2}(?:\.\d{1,2})?"), "cuda=12.8.1, or cuda=12.8 for its newest patch release"),
    "python": (re.compile(r"3\.\d{1,2}"), "python=3.12"),
    "ubuntu": (re.compile(r"\d{2}\.\d{2}"), "ubuntu=22.04"),
    "variant": (re.compile("|".join(VARIANTS)), " or ".join(f"variant={each}" for each in VARIANTS)),
    "uv": (re.compile(r"\d+\.\d+\.\d+"), "uv=0.13.9"),
    "cmake": (re.compile(r"\d+(?:\.\d+){1,3}"), "cmake=3.26.1"),
}
SHAPE: Final = "name==version for a package, or one of " + ", ".join(f"{name}=..." for name in _IMAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to set; an empty text leaves a part of the image as it is.

    Attributes:
        packages: normalised name -> version. CMake is not among them.
        cuda: `12.8.1`, or `12.8` where any patch release will do.
        python: `3.12`.
        ubuntu: `22.04`.
        variant: of the CUDA images.
        uv: of the images.
        cmake: of the image that compiles, and of the build tools' group.
    """

    packages: Mapping[str, Version] = field(default_factory=lambda: MappingProxyType({}))
    cuda: str = ""
    python: str = ""
    ubuntu: str = ""
    variant: str = ""
    uv: str = ""
    cmake: str = ""

    def image(self, name: str) -> str:
        """A part of the image by its name."""
        value: str = getattr(self, name)
        return value


def parse_wanted(assignments: Iterable[str]) -> Wanted:
    """Read the arguments.

    Raises:
        ConfigError: one is no assignment, has a value of another form, or contradicts another.
    """
    packages: dict[str, Version] = {}
    image: dict[str, str] = {}
    for text in assignments:
        name, sign, value = _split(text)
        if sign == "==" and (name not in _IMAGE or name == "uv"):  # uv is a package too, where `==` says so
            version = _version(text, value)
            if packages.setdefault(name, version) != version:
                raise ConfigError(f"{name} is to be {packages[name]} and {version}", hint="give it once")
            continue
        _check_image(text, name, sign, value)
        if image.setdefault(name, value) != value:
            raise ConfigError(f"{name} is to be {image[name]} and {value}", hint="give it once")
    torch = packages.get("torch")
    local = parse_build(torch.local) if torch is not None and torch.local else None
    if local is not None and local.major is not None:
        said = image.setdefault("cuda", str(local))
        if said != str(local) and not said.startswith(f"{local}."):
            raise ConfigError(f"torch {torch} is built for CUDA {local}, and cuda={said} says another", hint="drop one")
    return Wanted(packages=MappingProxyType(packages), **image)


def _split(text: str) -> tuple[str, str, str]:
    match = re.fullmatch(r"(?P<name>[^=]*?)\s*(?P<sign>={1,3})\s*(?P<value>[^=]*)", text.strip())
    if match is None or not _NAME.fullmatch(match["name"]) or match["sign"] == "===":
        raise ConfigError(f"{text!r} sets nothing", hint=f"write {SHAPE}")
    return normalize(match["name"]), match["sign"], match["value"]


def _version(text: str, value: str) -> Version:
    try:
        return Version(value)
    except InvalidVersion:
        hint = "write one version, in full: torch==2.8.0"
        raise ConfigError(f"{text!r}: {value!r} is no version", hint=hint) from None


def _check_image(text: str, name: str, sign: str, value: str) -> None:
    if name not in _IMAGE:
        similar = nearest(name, _IMAGE)
        meant = f" or, for the image, {similar}={value}" if similar else ""
        raise ConfigError(f"{text!r} names no part of the image", hint=f"a package is written {name}=={value}{meant}")
    form, example = _IMAGE[name]
    if sign == "==" and name != "cmake":
        raise ConfigError(f"{text!r}: {name} is no package, but a part of the image", hint=f"write {name}={value}")
    if not form.fullmatch(value):
        raise ConfigError(f"{text!r}: {value!r} is no {name}", hint=f"write {example}")
