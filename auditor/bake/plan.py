"""The bake file of a project: pins, keys and settings become the model. Pure; its style: facts on bake, section 4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.bake.cache import read_cache
from auditor.bake.model import (
    BakeFile,
    Compare,
    Conditional,
    Group,
    Section,
    Target,
    Template,
    Var,
    Variable,
    VariableType,
)
from auditor.wheel.known import modules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.bake.cache import Cache
    from auditor.bake.model import Block, Value
    from auditor.config import Config, SideConfig
    from auditor.dockerfile.pins import Pins
    from auditor.lock.environment import Target as Environment
    from auditor.wheel.build_lock import BuildLock
    from auditor.wheel.key import BuildKey

MINIMUM_BUILDX: Final = "0.24"
# Values reach the build as secrets, so that another number of jobs or another certificate is no other build.
# buildx passes SOURCE_DATE_EPOCH of the environment to every target that does not set it.
_NO_DATE: Final = {"SOURCE_DATE_EPOCH": "0"}
_SECRETS: Final = (
    ("max_jobs", "MAX_JOBS"),
    ("nvcc_threads", "NVCC_THREADS"),
    ("ca", "LOCKAUDIT_CA"),
    ("netrc", "LOCKAUDIT_NETRC"),
    ("uv", "LOCKAUDIT_UV_TOML"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the bake file is made from.

    Attributes:
        name: of the project.
        config: settings.
        pins: of the images.
        target: the environment that the images run.
        keys: of the compiled packages, sorted by name.
        locks: their build locks, in the same order.
    """

    name: str
    config: Config
    pins: Pins
    target: Environment
    keys: tuple[BuildKey, ...]
    locks: tuple[BuildLock, ...]


def make_bake_file(plan: Plan) -> BakeFile:
    """The bake file.

    Raises:
        ConfigError: a setting that no bake file can hold.
    """
    return _Planner(plan).bake_file()


class _Planner:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.config = plan.config
        self.image = plan.config.bake.image or plan.name or "app"
        self.cache: Cache = read_cache(plan.config.cache)
        self.wheel_caches = [f"wheel-{key.readable}" for key in plan.keys]

    def bake_file(self) -> BakeFile:
        sections = [
            Section(blocks=self.variables(), comment=("Knobs. `docker buildx bake --list=variables` explains them.",)),
            Section(blocks=self.groups()),
            Section(
                blocks=self.shared(),
                comment=(
                    "What every target has in common. The pins are literals: a variable of bake would be overridden by",
                    "one of the environment, and CUDA images export CUDA_VERSION.",
                ),
            ),
        ]
        if self.plan.keys:
            sections.append(
                Section(
                    blocks=self.wheels(),
                    comment=(
                        "The wheels. Their caches are named after the build key: everything that decides the wheel's",
                        "bytes. A wheel is compiled when its key is new, and at no other time.",
                    ),
                )
            )
        sections.append(Section(blocks=self.images(), comment=("The images.",)))
        return BakeFile(header=self.header(), sections=tuple(sections))

    def header(self) -> tuple[str, ...]:
        count = len(self.plan.keys)
        wheels = {0: "", 1: ", with one compiled wheel"}.get(count, f", with {count} compiled wheels")
        lines = [
            f"{self.plan.name or 'The project'}: the development and the production image{wheels}.",
            "",
            "Written by `lockaudit bake`. Do not edit; put your own settings into docker-bake.override.hcl.",
            "  lockaudit bake            write it anew, after a change of a lock or a pin",
            "  lockaudit bake --check    fail if it is out of date",
            "",
            f"Needs buildx {MINIMUM_BUILDX} or newer.",
            "  docker buildx bake               the production image",
            "  docker buildx bake dev prod      both",
        ]
        if self.plan.keys:
            lines += [
                "  CACHE_WRITE=1 docker buildx bake wheels    compile, and keep the wheels for everybody",
                "",
                "In CI, bake `wheels` first and `prod` in a second step: in one step, a prod that fails also",
                "cancels the export of the wheels' caches.",
            ]
        if count > 1:
            lines += [
                "For the same reason bake each `wheel-<package>` there in a step of its own: one that fails",
                "cancels the exports of the others.",
            ]
        return tuple(lines)

    # -- variables and groups -----------------------------------------------------------------------------------

    def variables(self) -> tuple[Block, ...]:
        found: list[Block] = []
        if self.cache.backend == "registry":
            found.append(
                Variable(
                    name="CACHE_REPO",
                    type=VariableType.STRING,
                    default=self.config.bake.cache_repo or f"{self.image}-cache",
                    description="Repository of the build cache; empty switches it off",
                )
            )
        found.append(
            Variable(
                name="CACHE_WRITE",
                type=VariableType.BOOL,
                default=False,
                description="Write the caches too; off, because readers have no right to push",
            )
        )
        found += [
            Variable(
                name=f"{side.upper()}_TAG",
                type=VariableType.STRING,
                default=side,
                description=f"Tag of the {word} image",
            )
            for side, word in (("dev", "development"), ("prod", "production"))
        ]
        if self.plan.keys:
            found.append(
                Variable(
                    name="WHEELS_FROM",
                    type=VariableType.STRING,
                    default=self.config.bake.wheels_from,
                    description="Image that already holds the wheels: nothing is compiled then",
                )
            )
            found.append(
                Variable(
                    name="WHEELHOUSE",
                    type=VariableType.STRING,
                    default=self.config.bake.wheelhouse or f"{self.image}-wheels",
                    description="Repository of the image that `bake wheelhouse` pushes",
                )
            )
        return tuple(found)

    def groups(self) -> tuple[Block, ...]:
        found: list[Block] = [Group(name="default", targets=("prod",), description="The production image")]
        if self.plan.keys:
            found.append(
                Group(name="wheels", targets=("wheel-dev", "wheel-prod"), description="The compiled wheels, as cache")
            )
        return tuple(found)

    # -- targets ------------------------------------------------------------------------------------------------

    def shared(self) -> tuple[Block, ...]:
        pins, target = self.plan.pins, self.plan.target
        return (
            Target(
                name="_cache",
                comment=(
                    "Every target reads every cache: with a list of its own each, targets that are built at once lose",
                    "hits (moby/buildkit#4674).",
                ),
                attributes={"cache-from": self.cache.read([*self.wheel_caches, "dev", "prod"])},
            ),
            Target(
                name="_common",
                attributes={
                    "inherits": ["_cache"],
                    "context": ".",
                    "dockerfile": self.config.image.dockerfile,
                    "args": {
                        "CUDA_VERSION": pins.cuda.value,
                        "CUDA_VARIANT": pins.variant.value,
                        "UBUNTU_VERSION": pins.ubuntu.value,
                        "UV_VERSION": pins.uv.value,
                        "PYTHON_VERSION": target.python,
                        "CMAKE_VERSION": self.cmake(),
                    },
                    "platforms": [target.docker_platform],
                    "secret": [{"id": name, "env": variable} for name, variable in _SECRETS],
                },
                notes={"secret": ("Optional. Not hashed: another number of jobs compiles nothing anew.",)},
            ),
        )

    def cmake(self) -> str:
        for key in self.plan.keys:
            for component in key.components:
                if component.name == "cmake":
                    return component.value
        return self.plan.pins.cmake.value

    def wheels(self) -> tuple[Block, ...]:
        keys, locks = self.plan.keys, self.plan.locks
        layers = "one layer" if len(keys) == 1 else "a layer for each wheel"
        found: list[Block] = []
        if len(keys) == 1:
            found.append(self.wheel("wheel-prod", keys[0], locks[0]))
        else:
            found += [self.wheel(f"wheel-{key.name}", key, lock) for key, lock in zip(keys, locks, strict=True)]
            found.append(self.all_wheels([key.name for key in keys]))
        found.append(
            Target(
                name="wheel-dev",
                comment=("The same wheels: `lockaudit check` proves that dev and prod ask for the same ones (LA201).",),
                attributes={
                    "description": "The wheels of the development image",
                    "inherits": ["_common"],
                    "target": "wheel-dev",
                    "contexts": {"wheel-prod": "target:wheel-prod"},
                    "args": _NO_DATE,
                    "output": [{"type": "cacheonly"}],
                },
            )
        )
        found.append(
            Target(
                name="wheelhouse",
                attributes={
                    "description": "Push the wheels as an image of their own, to use as WHEELS_FROM",
                    "inherits": ["_common"],
                    "target": "wheel-dev",
                    "contexts": {"wheel-prod": "target:wheel-prod"},
                    "args": _NO_DATE,
                    "tags": [Template((Var("WHEELHOUSE"), f":{self.wheelhouse_tag()}"))],
                    "attest": [{"type": "provenance", "disabled": True}],
                    "output": [{"type": "image", "push": True}],
                },
                notes={"attest": (f"One manifest with {layers}; an attestation would make an index of it.",)},
            )
        )
        return tuple(found)

    def wheelhouse_tag(self) -> str:
        """The key of the wheel, or of all of them together."""
        keys = self.plan.keys
        if len(keys) == 1:
            return keys[0].readable
        from auditor.wheel.key import digest_of  # noqa: PLC0415

        return f"wheels-{digest_of({key.name: key.readable for key in keys})}"

    def wheel(self, name: str, key: BuildKey, lock: BuildLock) -> Target:
        return Target(
            name=name,
            attributes={
                "description": f"Compile {key.package.label} for torch {key.torch.version}; takes hours, once",
                "inherits": ["_common"],
                "target": "wheel-prod",
                "args": {
                    "PACKAGE": key.name,
                    "UV_VERSION": lock.uv,
                    **_NO_DATE,
                },
                "cache-to": self.cache.write(f"wheel-{key.readable}", mode="min", lossy=False),
                "output": [{"type": "cacheonly"}],
            },
            notes={
                "args": (
                    "The uv that the wheel was first compiled with, and no date from the environment: neither may",
                    "compile it anew.",
                )
            },
        )

    def all_wheels(self, names: Sequence[str]) -> Target:
        """One image of several wheels. In the Dockerfile the stage of this name compiles all of them, one by one."""
        lines = ["FROM scratch", *(f"COPY --from=wheel-{name} / /" for name in names)]
        return Target(
            name="wheel-prod",
            comment=("Each wheel is a target and a cache of its own; here they come together.",),
            attributes={
                "description": "The wheels of the production image",
                "inherits": ["_common"],
                "dockerfile-inline": "".join(f"{line}\n" for line in lines),
                "contexts": {f"wheel-{name}": f"target:wheel-{name}" for name in names},
                "args": _NO_DATE,
                "output": [{"type": "cacheonly"}],
            },
        )

    def images(self) -> tuple[Block, ...]:
        config = self.config
        compiled = " ".join(key.name for key in self.plan.keys)
        imports = self.imports()
        return (
            self.app(
                "dev",
                "Sources, tools and the locked environment",
                {"DEV_SELECTION": _flags(config.dev), "COMPILED": compiled},
            ),
            self.app(
                "prod",
                "The minimal image: no sources, no compilers, not root",
                {"PROD_SELECTION": _flags(config.prod), "COMPILED": compiled, "IMPORTS": " ".join(imports)},
            ),
        )

    def imports(self) -> list[str]:
        if not self.plan.keys:
            return []
        found = ["torch"]
        for key in self.plan.keys:
            wheel = self.config.wheels.get(key.name)
            found += modules(key.name, wheel.modules if wheel is not None else ())
        return list(dict.fromkeys(found))

    def app(self, name: str, description: str, args: Mapping[str, str]) -> Target:
        attributes: dict[str, Value] = {
            "description": description,
            "inherits": ["_common"],
            "target": name,
            "args": dict(args),
            "tags": [Template((f"{self.image}:", Var(f"{name.upper()}_TAG")))],
            "cache-to": self.cache.write(name, mode="max", lossy=True),
        }
        if self.plan.keys:
            given = Compare(Var("WHEELS_FROM"), "!=", "")
            image = Template(("docker-image://", Var("WHEELS_FROM")))
            attributes["contexts"] = {"wheel-prod": Conditional(given, image, "target:wheel-prod")}
        return Target(name=name, attributes=attributes)


def _flags(side: SideConfig) -> str:
    """A side's extras and groups as flags of `uv sync`."""
    flags = [f"--extra {extra}" for extra in side.extras or ()] + [f"--group {group}" for group in side.groups]
    return " ".join(flags)
