"""The bake file of a project: pins, keys and settings become the model. Pure; its style: facts on bake, section 4.

A project without variants and platforms has one build, whose targets are called `dev` and `prod`. Of several, each has
targets of its own, `dev-cu128` and `prod-cu128`, and `dev` and `prod` are groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.bake.builds import folder_arguments, selection_flags
from auditor.bake.cache import read_cache
from auditor.bake.groups import make_groups
from auditor.bake.model import BakeFile, Section, Target, Variable
from auditor.bake.value import Compare, Conditional, Template, Var, VariableType
from auditor.bake.wheels import WheelTargets
from auditor.wheel.known import modules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.bake.cache import Cache
    from auditor.bake.model import Block
    from auditor.bake.value import Value
    from auditor.config import Config
    from auditor.dockerfile.pins import Pins
    from auditor.lock.environment import Target as Environment
    from auditor.wheel.build_lock import BuildLock
    from auditor.wheel.key import BuildKey

MINIMUM_BUILDX: Final = "0.24"
# Values reach the build as secrets, so that another number of jobs or another certificate is no other build.
_SECRETS: Final = (
    ("max_jobs", "MAX_JOBS"),
    ("nvcc_threads", "NVCC_THREADS"),
    ("ca", "LOCKAUDIT_CA"),
    ("netrc", "LOCKAUDIT_NETRC"),
    ("uv", "LOCKAUDIT_UV_TOML"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """One build: what a development and a production image are made from.

    Attributes:
        name: what its targets end in; empty where there is one build only.
        variant: the name of the variant, or an empty string.
        config: settings, with the variant's own.
        pins: of the images.
        target: the environment that they run.
        keys: of the compiled packages, sorted by name.
        locks: their build locks, in the same order.
    """

    name: str = ""
    variant: str = ""
    config: Config
    pins: Pins
    target: Environment
    keys: tuple[BuildKey, ...]
    locks: tuple[BuildLock, ...]

    def called(self, name: str) -> str:
        """The name of one of its targets: `prod` or `prod-cu128`."""
        return f"{name}-{self.name}" if self.name else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the bake file is made from.

    Attributes:
        name: of the project.
        config: settings; of those that a variant can have, the first one's.
        images: what is built, one at least.
    """

    name: str
    config: Config
    images: tuple[Images, ...]


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
        self.several = any(images.name for images in plan.images)
        self.image = plan.config.bake.image or plan.name or "app"
        self.cache: Cache = read_cache(plan.config.cache)
        self.common = {images.name: self.arguments(images) for images in plan.images}
        self.shared_args = dict(
            argument
            for argument in self.common[plan.images[0].name].items()
            if all(argument in args.items() for args in self.common.values())
        )
        self.one_platform = len({images.target.docker_platform for images in plan.images}) == 1
        self.wheels = WheelTargets(
            plan.images, self.cache, {images.name: (self.parent(images), self.about(images)) for images in plan.images}
        )

    def bake_file(self) -> BakeFile:
        sections = [
            Section(blocks=self.variables(), comment=("Knobs. `docker buildx bake --list=variables` explains them.",)),
            Section(blocks=make_groups(self.plan.images, self.wheels)),
            Section(
                blocks=self.shared(),
                comment=(
                    "What every target has in common. The pins are literals: a variable of bake would be overridden by",
                    "one of the environment, and CUDA images export CUDA_VERSION.",
                ),
            ),
        ]
        if self.wheels.keys:
            sections.append(
                Section(
                    blocks=self.wheels.blocks(),
                    comment=(
                        "The wheels. Their caches are named after the build key: everything that decides the wheel's",
                        "bytes. A wheel is compiled when its key is new, and at no other time.",
                    ),
                )
            )
        images = tuple(block for images in self.plan.images for block in self.images(images))
        sections.append(Section(blocks=images, comment=("The images.",)))
        return BakeFile(header=self.header(), sections=tuple(sections))

    def header(self) -> tuple[str, ...]:
        count = len(self.wheels.keys)
        wheels = {0: "", 1: ", with one compiled wheel"}.get(count, f", with {count} compiled wheels")
        name, several = self.plan.name or "The project", self.several
        what = "the development and the production image"
        if len(self.plan.images) > 1:
            what = f"{len(self.plan.images)} development and {len(self.plan.images)} production images"
        example = self.plan.images[-1].called("prod")
        lines = [
            f"{name}: {what}{wheels}.",
            "",
            "Written by `lockaudit bake`. Do not edit; put your own settings into docker-bake.override.hcl.",
            "  lockaudit bake            write it anew, after a change of a lock or a pin",
            "  lockaudit bake --check    fail if it is out of date",
            "",
            f"Needs buildx {MINIMUM_BUILDX} or newer.",
            *([f"  docker buildx bake {example:13} one production image"] if several else []),
            f"  docker buildx bake               {'every' if several else 'the'} production image",
            f"  docker buildx bake dev prod      {'all' if several else 'both'}",
        ]
        if count:
            lines += [
                "  CACHE_WRITE=1 docker buildx bake wheels    compile, and keep the wheels for everybody",
                "",
                "In CI, bake `wheels` first and `prod` in a second step: in one step, a prod that fails also",
                "cancels the export of the wheels' caches. The images are linked to the wheels' targets, so the",
                "second step would write these caches once more; `--set 'wheel-*.cache-to='` prevents that.",
            ]
        if count > 1:
            one = f"`{self.wheels.results[0]}` and its like" if several else "`wheel-<package>`"
            lines += [
                f"For the same reason bake each {one} there in a step of its own: one that fails",
                "cancels the exports of the others.",
            ]
        return tuple(lines)

    # -- variables ----------------------------------------------------------------------------------------------

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
        first = self.plan.images[0]
        found += [
            Variable(
                name=f"{side.upper()}_TAG",
                type=VariableType.STRING,
                default=side,
                description=f"Tag of the {word} images, before the name of the build: {first.called(side)}"
                if self.several
                else f"Tag of the {word} image",
            )
            for side, word in (("dev", "development"), ("prod", "production"))
        ]
        if self.wheels.keys:
            found.append(
                Variable(
                    name="WHEELS_FROM",
                    type=VariableType.STRING,
                    default=self.config.bake.wheels_from,
                    description="Repository of images that already hold the wheels: nothing is compiled then"
                    if self.several
                    else "Image that already holds the wheels: nothing is compiled then",
                )
            )
            found.append(
                Variable(
                    name="WHEELHOUSE",
                    type=VariableType.STRING,
                    default=self.config.bake.wheelhouse or f"{self.image}-wheels",
                    description="Repository of the images that `bake wheelhouse` pushes"
                    if self.several
                    else "Repository of the image that `bake wheelhouse` pushes",
                )
            )
        return tuple(found)

    # -- what targets have in common ----------------------------------------------------------------------------

    def arguments(self, images: Images) -> dict[str, str]:
        """The build arguments of every target of a build."""
        pins = images.pins
        found = {
            "CUDA_VERSION": pins.cuda.value,
            "CUDA_VARIANT": pins.variant.value,
            "UBUNTU_VERSION": pins.ubuntu.value,
            "UV_VERSION": pins.uv.value,
            "PYTHON_VERSION": images.target.python,
            "CMAKE_VERSION": _cmake(images),
        }
        if self.several and any(each.keys for each in self.plan.images):
            found["WHEELS"] = images.name
        folders = [folder_arguments(each.config) for each in self.plan.images]
        differing = {name for each in folders for name in each if each[name] != folders[0][name]}
        return found | {name: folder for name, folder in folder_arguments(images.config).items() if name in differing}

    def own(self, images: Images) -> dict[str, Value]:
        """What the targets of one build have in common, and others have not."""
        args = {name: value for name, value in self.common[images.name].items() if name not in self.shared_args}
        found: dict[str, Value] = {"args": args} if args else {}
        if not self.one_platform:
            found["platforms"] = [images.target.docker_platform]
        return found

    def parent(self, images: Images) -> str:
        """The name of what the targets of a build inherit from."""
        return images.called("_common") if self.several and self.own(images) else "_common"

    def about(self, images: Images) -> str:
        """What tells a build from the others, for descriptions: ` (CUDA 12.8.1, linux/arm64)`."""
        columns = [
            (
                f"CUDA {each.pins.cuda}",
                f"Ubuntu {each.pins.ubuntu}",
                f"Python {each.target.python}",
                each.target.docker_platform,
            )
            for each in self.plan.images
        ]
        own = columns[self.plan.images.index(images)]
        differing = [text for index, text in enumerate(own) if len({column[index] for column in columns}) > 1]
        return f" ({', '.join(differing)})" if differing else ""

    def shared(self) -> tuple[Block, ...]:
        names = [images.called(side) for images in self.plan.images for side in ("dev", "prod")]
        attributes: dict[str, Value] = {
            "inherits": ["_cache"],
            "context": ".",
            "dockerfile": self.config.image.dockerfile,
            "args": self.shared_args,
            "secret": [{"id": name, "env": variable} for name, variable in _SECRETS],
        }
        if self.one_platform:
            attributes["platforms"] = [self.plan.images[0].target.docker_platform]
        found = [
            Target(
                name="_cache",
                comment=(
                    "Every target reads every cache: with a list of its own each, targets that are built at once lose",
                    "hits (moby/buildkit#4674).",
                ),
                attributes={"cache-from": self.cache.read([*self.wheels.caches, *names])},
            ),
            Target(
                name="_common",
                attributes=attributes,
                notes={"secret": ("Optional. Not hashed: another number of jobs compiles nothing anew.",)},
            ),
        ]
        found += [
            Target(name=self.parent(images), attributes={"inherits": ["_common"], **self.own(images)})
            for images in self.plan.images
            if self.parent(images) != "_common"
        ]
        return tuple(found)

    # -- images -------------------------------------------------------------------------------------------------

    def images(self, images: Images) -> tuple[Block, ...]:
        config, about = images.config, self.about(images)
        compiled = " ".join(key.name for key in images.keys)
        return (
            self.app(
                images,
                "dev",
                f"Sources, tools and the locked environment{about}",
                {"DEV_SELECTION": selection_flags(config.dev), "COMPILED": compiled},
            ),
            self.app(
                images,
                "prod",
                f"The minimal image: no sources, no compilers, not root{about}",
                {
                    "PROD_SELECTION": selection_flags(config.prod),
                    "COMPILED": compiled,
                    "IMPORTS": " ".join(_imports(images)),
                },
            ),
        )

    def app(self, images: Images, stage: str, description: str, args: Mapping[str, str]) -> Target:
        name = images.called(stage)
        suffix = f"-{images.name}" if images.name else ""
        attributes: dict[str, Value] = {
            "description": description,
            "inherits": [self.parent(images)],
            "target": stage,
            "args": dict(args),
            "tags": [Template((f"{self.image}:", Var(f"{stage.upper()}_TAG"), suffix))],
            "cache-to": self.cache.write(name, mode="max", lossy=True),
        }
        if images.keys:
            given = Compare(Var("WHEELS_FROM"), "!=", "")
            tag = f":{self.wheels.house_tag(images)}" if self.several else ""
            house = Template(("docker-image://", Var("WHEELS_FROM"), tag))
            attributes["contexts"] = {"wheel-prod": Conditional(given, house, f"target:{self.wheels.result(images)}")}
        return Target(name=name, attributes=attributes)


def _cmake(images: Images) -> str:
    for key in images.keys:
        for component in key.components:
            if component.name == "cmake":
                return component.value
    return images.pins.cmake.value


def _imports(images: Images) -> list[str]:
    if not images.keys:
        return []
    found = ["torch"]
    for key in images.keys:
        wheel = images.config.wheels.get(key.name)
        found += modules(key.name, wheel.modules if wheel is not None else ())
    return list(dict.fromkeys(found))
