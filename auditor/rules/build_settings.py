"""LA2xx, last part: the settings that decide how a package is built from source, which no lock holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from auditor.finding import Finding, Severity
from auditor.lock.model import SourceKind
from auditor.lock.workspace import Settings, settings_of
from auditor.names import normalize
from auditor.rules.context import other_side
from auditor.rules.rule import target_rule
from auditor.wheel.compiled import compiled_packages
from auditor.wheel.cuda import parse_image, parse_version
from auditor.wheel.nvcc import ARCH_VARIABLES, read_architectures, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.dockerfile.model import Dockerfile, Stage
    from auditor.lock.model import Package
    from auditor.lock.pair import Side
    from auditor.position import Position
    from auditor.rules.context import TargetContext
    from auditor.source import SourceFile
    from auditor.wheel.cuda import Cuda

# What each setting does to one package, with the keys of `[tool.uv]` that decide it: for all packages, for one.
_SWITCHES: Final = (
    ("no-build-isolation", "no-build-isolation-package"),
    ("no-binary", "no-binary-package"),
    ("no-build", "no-build-package"),
)
_DEPENDENCIES: Final = "extra-build-dependencies"
_VARIABLES: Final = "extra-build-variables"
_METADATA: Final = "dependency-metadata"
_CONFIG: Final = ("config-settings", "config-settings-package")

_ASSIGNMENT: Final = re.compile(
    rf"\b(?P<name>{'|'.join(sorted(ARCH_VARIABLES))})=(?P<value>\"[^\"]*\"|'[^']*'|[^\s;&|)]+)"
)
# Up to here flash-attn's setup.py compiles for a fixed list (facts on CUDA, 3.4).
_FIXED_ARCHS: Final = (2, 6, 1)


@target_rule("LA207", "build-settings-differ", Severity.WARNING)
def build_settings_differ(context: TargetContext) -> Iterator[Finding]:
    """Dev and prod build a package with different settings.

    What:
        Prod installs a package from an sdist or a git commit, and the two pyproject.toml files disagree about how it
        is built: `extra-build-dependencies`, `extra-build-variables`, `no-build-isolation`, `config-settings`,
        `no-binary`, `no-build` or `dependency-metadata` of `[tool.uv]`, each in its form for one package too. An error
        where the package is compiled against torch.
    Why:
        None of these is in uv.lock, so the locks agree, `uv lock --check` is green, and the two environments still hold
        two different builds of one version.

    Example:
        The root has `extra-build-variables = { flash-attn = { FLASH_ATTENTION_FORCE_BUILD = "TRUE" } }`, prod has not.
    Fix:
        Write the same setting into both files.
    """
    prod, dev = (_own_settings(context.of.pair.root, side) for side in (context.of.prod, context.of.dev))
    if prod is None or dev is None:
        return
    compiled = compiled_packages(context.prod, also=context.config.compiled, never=context.config.not_compiled)
    names = {package.name for package in compiled}
    for package in context.prod.dependencies:
        if not _is_built(context, package, prod.values):
            continue
        ours, theirs = _settings(prod.values, package), _settings(dev.values, package)
        for setting in ours:
            if ours[setting] == theirs[setting] or _meaning(ours[setting]) == _meaning(theirs[setting]):
                continue
            yield build_settings_differ.finding(
                f"{package.label} is built from source, with `{setting}` {_shown(ours[setting])} in prod and"
                f" {_shown(theirs[setting])} in dev",
                _at_setting(prod.file, setting),
                package=package.name,
                target=context.target,
                severity=Severity.ERROR if package.name in names else None,
                help=f"write the same `{setting}` for {package.name} into both pyproject.toml files",
                related=other_side(_at_setting(dev.file, setting), "dev's"),
            )


@target_rule("LA209", "architectures-impossible", Severity.ERROR)
def architectures_impossible(context: TargetContext) -> Iterator[Finding]:
    """A list of GPU architectures cannot be compiled, or is read by nobody.

    What:
        A list in `[tool.lockaudit.wheel.NAME.env]` or in the Dockerfile (FLASH_ATTN_CUDA_ARCHS, TORCH_CUDA_ARCH_LIST,
        NVTE_CUDA_ARCHS and others) names an architecture that the image's nvcc does not know: sm_90 needs CUDA 11.8,
        sm_100 and sm_120 need 12.8, sm_110 needs 13.0, and 13.0 knows nothing before sm_75. A warning: flash-attn 2.6.1
        and older do not read FLASH_ATTN_CUDA_ARCHS, and no flash-attn reads TORCH_CUDA_ARCH_LIST.
    Why:
        The compile ends with an error, or leaves the architecture out without a word, as flash-attn does: then the
        wheel has no kernels for the GPU that it was compiled for.

    Example:
        `FLASH_ATTN_CUDA_ARCHS = "80;120"` with `ARG CUDA_VERSION=12.4.1`.
    Fix:
        Take the architecture out, or take an image and a torch of a newer CUDA.
    """
    image = _image_cuda(context)
    for package, name, value, position in _configured(context):
        yield from _impossible(context, package, name, value, position, image)
    if context.of.dockerfile is not None:
        for stage in context.of.dockerfile.stages:
            cuda = _stage_cuda(context.of.dockerfile, stage) or image
            for name, value, position in _assigned(context.of.dockerfile, stage):
                package = "flash-attn" if name == "FLASH_ATTN_CUDA_ARCHS" else ""
                yield from _impossible(context, package, name, value, position, cuda)


# -- LA207 --------------------------------------------------------------------------------------------------------


def _own_settings(root: Path, side: Side) -> Settings | None:
    """The settings of a side's own folder, as the image has them: a uv.toml hides the `[tool.uv]` beside it."""
    if side.project is None:
        return None
    if (side.project.file.path.parent / "uv.toml").is_file():
        return settings_of(root, side.folder)
    return Settings(side.project.file, side.folder, side.project.uv)


def _is_built(context: TargetContext, package: Package, uv: Mapping[str, Any]) -> bool:
    """Whether prod installs a package from its sdist or its commit."""
    if package.source.kind is SourceKind.GIT:
        return True
    if package.source.is_local_tree or package.sdist is None:
        return False
    chosen = context.target.chosen(package)
    return chosen is package.sdist or bool(_switch(uv, package, *_SWITCHES[1]))


def _settings(uv: Mapping[str, Any], package: Package) -> dict[str, object]:
    """Per setting, what it comes to for one package."""
    found: dict[str, object] = {one: _switch(uv, package, every, one) for every, one in _SWITCHES}
    found[_DEPENDENCIES] = _entry(uv.get(_DEPENDENCIES), package)
    found[_VARIABLES] = _entry(uv.get(_VARIABLES), package)
    general, own = _mapping(uv.get(_CONFIG[0])), _mapping(_entry(uv.get(_CONFIG[1]), package))
    found[_CONFIG[1]] = {**general, **own} or None
    found[_METADATA] = _metadata(uv.get(_METADATA), package)
    return found


def _switch(uv: Mapping[str, Any], package: Package, every: str, one: str) -> bool:
    names = uv.get(one)
    named = isinstance(names, list) and package.name in {normalize(str(name)) for name in names}
    return uv.get(every) is True or named


def _entry(table: object, package: Package) -> Any:  # noqa: ANN401 - whatever the file has there
    return next((value for name, value in _mapping(table).items() if normalize(name) == package.name), None)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _metadata(value: object, package: Package) -> object:
    """The metadata that replaces the package's own: an entry for its version, else one for every version."""
    entries = [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
    mine = [each for each in entries if normalize(str(each.get("name", ""))) == package.name]
    exact = [each for each in mine if "version" in each and str(each["version"]) == str(package.version)]
    chosen = exact or [each for each in mine if "version" not in each]
    if not chosen:
        return None
    return {key: each for key, each in sorted(chosen[0].items()) if key not in {"name", "version"}}


def _meaning(value: object) -> object:
    """A value without what does not matter: the order and the spelling of requirements, which are all its lists."""
    if isinstance(value, Mapping):
        return {key: _requirement(str(each)) if key == "requirement" else _meaning(each) for key, each in value.items()}
    if isinstance(value, list):
        plain = [_requirement(each) if isinstance(each, str) else _meaning(each) for each in value]
        return sorted(plain, key=repr)
    return value


def _requirement(text: str) -> str:
    """`Torch >= 2.0` as `torch>=2.0`; whatever is no requirement stays as it is."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - 15 ms, for settings that differ

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return text
    requirement.name = normalize(requirement.name)
    return str(requirement)


def _shown(value: object) -> str:
    match value:
        case None:
            return "not set"
        case bool():
            return "on" if value else "off"
        case Mapping():
            return "{" + ", ".join(f"{key} = {_shown(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(_shown(each) for each in value) + "]"
    return str(value)


def _at_setting(file: SourceFile, setting: str) -> Position:
    """Where a setting stands, in its form for one package or for all; else `[tool.uv]`, else the file's first line."""
    general = setting.removesuffix("-package")
    for key in dict.fromkeys((setting, general)):
        pattern = re.compile(rf"\s*(?:\[+(?:tool\.uv\.)?{key}[\].]|(?:tool\.uv\.)?{key}(?:\.[\w.-]+)?\s*=)")
        for number, line in enumerate(file.lines, start=1):
            if pattern.match(line):
                return file.at(number)
    return file.find("[tool.uv]") or file.at(1)


# -- LA209 --------------------------------------------------------------------------------------------------------


def _impossible(
    context: TargetContext, package: str, name: str, value: str, position: Position, cuda: Cuda | None
) -> Iterator[Finding]:
    listed = read_architectures(value)
    if listed is None:
        return
    unread = _unread(context, package, name)
    if unread:
        yield architectures_impossible.finding(
            f"{name} decides nothing: {unread}",
            position,
            package=package or None,
            target=context.target,
            severity=Severity.WARNING,
            help="remove it, or take a version that reads it"
            if name == "FLASH_ATTN_CUDA_ARCHS"
            else "list the architectures in FLASH_ATTN_CUDA_ARCHS, as `80;90`",
        )
        return
    refused = [reason for each in listed if cuda is not None and (reason := refusal(each, cuda))]
    if refused:
        yield architectures_impossible.finding(
            f"{name} asks for what CUDA {cuda} of the image cannot compile: {', '.join(dict.fromkeys(refused))}",
            position,
            package=package or None,
            target=context.target,
            help="take the architecture out of the list, or take an image of a CUDA that knows it",
        )


def _unread(context: TargetContext, package: str, name: str) -> str:
    """Why nobody reads a list, or an empty string."""
    if package != "flash-attn":
        return ""
    if name == "TORCH_CUDA_ARCH_LIST":
        return "flash-attn reads FLASH_ATTN_CUDA_ARCHS instead"
    found = [*context.prod.get(package), *context.dev.get(package)]
    version = found[0].version if found else None
    if name == "FLASH_ATTN_CUDA_ARCHS" and version is not None and version.release <= _FIXED_ARCHS:
        return f"flash-attn {version} compiles for a fixed list"
    return ""


def _configured(context: TargetContext) -> Iterator[tuple[str, str, str, Position]]:
    """(package, variable, value, where) of the settings."""
    file = context.config.file
    for package, wheel in context.config.wheels.items():
        for name, value in wheel.env.items():
            if name in ARCH_VARIABLES and file is not None:
                header = file.find("[tool.lockaudit")
                yield package, name, value, file.find(name, header.line if header else 1) or file.at(1)


def _assigned(dockerfile: Dockerfile, stage: Stage) -> Iterator[tuple[str, str, Position]]:
    """(variable, value, where) of what a stage assigns: ARG, ENV, or in a RUN."""
    for instruction in stage.instructions:
        words = instruction.arguments
        match instruction.name:
            case "ARG":
                pairs = [(name, value) for name, _, value in (word.partition("=") for word in words)]
            case "ENV":  # name, value and what stood between them
                pairs = list(zip(words[::3], words[1::3], strict=False))
            case "RUN":
                pairs = [(match["name"], match["value"]) for match in _ASSIGNMENT.finditer(instruction.script)]
            case _:
                continue
        for name, value in pairs:
            if name in ARCH_VARIABLES:
                place = dockerfile.file.find(name, instruction.line, instruction.last_line)
                yield name, dockerfile.expand(value), place or dockerfile.file.at(instruction.line)


def _stage_cuda(dockerfile: Dockerfile, stage: Stage) -> Cuda | None:
    image = parse_image(dockerfile.image_of(stage) or "")
    return image.cuda if image is not None else None


def _image_cuda(context: TargetContext) -> Cuda | None:
    """The CUDA of the images: the setting, else the Dockerfile's ARG, else that of its stages if they have one."""
    dockerfile = context.of.dockerfile
    argument = dockerfile.argument("CUDA_VERSION") if dockerfile is not None else None
    text = context.config.image.cuda or (argument[0] if argument else "")
    if text or dockerfile is None:
        return parse_version(text)
    found = {cuda for stage in dockerfile.stages if (cuda := _stage_cuda(dockerfile, stage)) is not None}
    return found.pop() if len(found) == 1 else None
