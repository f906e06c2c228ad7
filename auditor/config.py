"""`[tool.lockaudit]` of the root pyproject.toml: what it may hold, and its values as types.

`KEYS` is the one description: it checks the file, and the documentation and the JSON Schema are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.source import SourceFile

Kind = Literal["string", "boolean", "strings", "string-table", "path"]


@dataclass(frozen=True, slots=True)
class Key:
    """One setting.

    Attributes:
        path: dotted; `*` stands for any name, `[]` marks an array of tables.
        kind: of its value.
        doc: what it does.
        choices: the only values of a string, or of the items of a list; empty for any.
    """

    path: str
    kind: Kind
    doc: str
    choices: tuple[str, ...] = ()


_LONGEST_NAME: Final = 100  # characters; comparing takes their square, and nobody means such a name
VARIANTS: Final = ("cudnn", "runtime", "base")
PLATFORMS: Final = ("linux/amd64", "linux/arm64")
CACHE_BACKENDS: Final = ("registry", "local", "gha", "s3", "azblob")

KEYS: Final = (
    Key("targets", "strings", "Environments to prove, written platform-machine-python: `linux-x86_64-cp312`."),
    Key("first-party", "strings", "Packages that may be a source tree in dev and a git tag or release in prod."),
    Key("compiled", "strings", "Packages that the image compiles, beside the ones that are found."),
    Key("not-compiled", "strings", "Packages that look compiled (no wheel, depends on torch) but are not."),
    Key("allowed-registries", "strings", "Beginnings of the URLs that packages may come from. Default: no policy."),
    Key("select", "strings", "Rules to run: codes, or their beginnings such as `LA1`. Default: every rule."),
    Key("ignore", "string-table", "Findings that are accepted: code -> reason. The reason is shown."),
    Key("severity", "string-table", "Severity of a rule's findings: code -> `error`, `warning` or `info`."),
    Key("package.*.ignore", "string-table", "Findings about one package that are accepted: code -> reason."),
    Key("package.*.severity", "string-table", "Severity of findings about one package: code -> severity."),
    Key("dev.lock", "path", "The development lock. Default: `uv.lock`."),
    Key("dev.extras", "strings", "Extras that dev's side of the comparison selects."),
    Key("dev.groups", "strings", "Dependency groups of dev that count as production."),
    Key("prod.lock", "path", "The production lock. Default: `prod/uv.lock`."),
    Key("prod.extras", "strings", "Extras that the production image installs."),
    Key("prod.groups", "strings", "Dependency groups that the production image installs."),
    Key("pair[].name", "string", "Name of one pair, where the repository has several."),
    Key("pair[].targets", "strings", "Environments of this pair. Default: `targets`."),
    Key("pair[].dev.lock", "path", "Development lock of this pair. Default: `uv.lock`."),
    Key("pair[].dev.extras", "strings", "Extras that this pair selects of dev."),
    Key("pair[].dev.groups", "strings", "Groups of dev that count as production in this pair."),
    Key("pair[].prod.lock", "path", "Production lock of this pair; needed."),
    Key("pair[].prod.extras", "strings", "Extras that this pair's image installs."),
    Key("pair[].prod.groups", "strings", "Groups that this pair's image installs."),
    Key("pair[].dockerfile", "path", "Dockerfile of this pair. Default: `image.dockerfile`."),
    Key("variant[].name", "string", "Name of one CUDA variant of the images, `cu124`: its bake targets end in it."),
    Key("variant[].cuda", "string", "CUDA version of this variant. Default: `image.cuda`."),
    Key("variant[].image-variant", "string", "Its variant of the CUDA images. Default: `image.variant`.", VARIANTS),
    Key("variant[].ubuntu", "string", "Ubuntu release of this variant. Default: `image.ubuntu`."),
    Key("variant[].python", "string", "Python of this variant, `3.12`: in place of the one in every target."),
    Key("variant[].targets", "strings", "Environments of this variant. Default: `targets`."),
    Key("variant[].platforms", "strings", "Platforms of this variant. Default: `image.platforms`.", PLATFORMS),
    Key("variant[].dev.lock", "path", "Development lock of this variant. Default: `dev.lock`."),
    Key("variant[].dev.extras", "strings", "Extras that this variant selects of dev. Default: `dev.extras`."),
    Key("variant[].dev.groups", "strings", "Groups of dev that count as production in it. Default: `dev.groups`."),
    Key("variant[].prod.lock", "path", "Production lock of this variant. Default: `prod.lock`."),
    Key("variant[].prod.extras", "strings", "Extras that this variant's image installs. Default: `prod.extras`."),
    Key("variant[].prod.groups", "strings", "Groups that this variant's image installs. Default: `prod.groups`."),
    Key("image.dockerfile", "path", "The Dockerfile of both images. Default: `docker/Dockerfile-uv`."),
    Key("image.cuda", "string", "CUDA version of the image. Default: the Dockerfile's CUDA_VERSION."),
    Key("image.variant", "string", "Variant of the CUDA images. Default: the Dockerfile's CUDA_VARIANT.", VARIANTS),
    Key("image.ubuntu", "string", "Ubuntu release of the image. Default: the Dockerfile's UBUNTU_VERSION."),
    Key("image.uv", "string", "uv in the images. Default: the Dockerfile's UV_VERSION."),
    Key(
        "image.platforms",
        "strings",
        "Platforms to build for; of several, each is a bake target of its own. Default: that of the first target.",
        PLATFORMS,
    ),
    Key("bake.file", "path", "The bake file to write. Default: `docker-bake.hcl`."),
    Key("bake.image", "string", "Name of the images. Default: the root project's name."),
    Key("bake.cache-repo", "string", "Repository of the registry cache. Default: the image's name with `-cache`."),
    Key("bake.wheels-from", "string", "Image that already holds the wheels: the default of WHEELS_FROM."),
    Key("bake.wheelhouse", "string", "Repository of the wheelhouse image. Default: the image's name with `-wheels`."),
    Key("cache.backend", "string", "Where BuildKit keeps its cache. Default: `registry`.", CACHE_BACKENDS),
    Key("cache.options", "string-table", "Attributes of the backend, for reading and writing: `bucket`, `region`."),
    Key("cache.write-options", "string-table", "Attributes of the backend for writing only: `compression`."),
    Key("wheel.group", "string", "Dependency group of the root with the wheel's build tools. Default: `wheel-build`."),
    Key("wheel.*.env", "string-table", "Environment of one package's compile; part of its build key."),
    Key("wheel.*.modules", "strings", "Modules of one compiled package that the production image must import."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideConfig:
    """One side of a pair. `extras` is None where nobody chose: then a lock with conflicting extras is ambiguous."""

    lock: str
    extras: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """Pins of the images; None where the Dockerfile's ARG decides.

    Attributes:
        python: minor version, where a variant has one of its own.
        platforms: as Docker writes them; empty for that of the first target.
        lines: of the settings that a variant has in place of the general ones, by the name of the field.
    """

    dockerfile: str = "docker/Dockerfile-uv"
    cuda: str | None = None
    variant: str | None = None
    ubuntu: str | None = None
    uv: str | None = None
    python: str | None = None
    platforms: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class BakeConfig:
    """The bake file."""

    file: str = "docker-bake.hcl"
    image: str | None = None
    cache_repo: str | None = None
    wheelhouse: str | None = None
    wheels_from: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageConfig:
    """What is accepted of one package's findings, and how severe they are: code -> reason, code -> severity."""

    ignore: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    severity: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairConfig:
    """One pair of a repository that has several; None where the general setting counts."""

    name: str
    dev: SideConfig
    prod: SideConfig
    targets: tuple[str, ...] = ()
    dockerfile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantConfig:
    """One CUDA variant of the images, what is general filled in.

    Attributes:
        name: letters, digits, `-` and `_`: a part of the names of bake targets, tags, caches and folders.
        dev: the development side.
        prod: the production side.
        image: the pins; their `lines` are those of the variant's own settings.
        targets: its environments; empty where nobody says, which leaves it to the Dockerfile.
    """

    name: str
    dev: SideConfig
    prod: SideConfig
    image: ImageConfig
    targets: tuple[str, ...] = ()


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
    allowed_registries: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    severity: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    packages: Mapping[str, PackageConfig] = field(default_factory=lambda: MappingProxyType({}))
    pairs: tuple[PairConfig, ...] = ()
    variants: tuple[VariantConfig, ...] = ()
    dev: SideConfig = field(default_factory=lambda: SideConfig(lock="uv.lock"))
    prod: SideConfig = field(default_factory=lambda: SideConfig(lock="prod/uv.lock"))
    image: ImageConfig = field(default_factory=ImageConfig)
    bake: BakeConfig = field(default_factory=BakeConfig)
    cache: CacheConfig = field(default_factory=CacheConfig)
    wheel_group: str = "wheel-build"
    wheels: Mapping[str, WheelConfig] = field(default_factory=lambda: MappingProxyType({}))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` most resembles, for "did you mean"."""
    if len(name) > _LONGEST_NAME:
        return None
    import difflib  # noqa: PLC0415 - for names that are wrong

    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return found[0] if found else None
