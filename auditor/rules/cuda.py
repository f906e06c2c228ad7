"""LA2xx: torch, CUDA and what is compiled against them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.finding import Finding, Severity
from auditor.lock.compare import same_source
from auditor.lock.places import at_key, at_top
from auditor.rules.artifacts import describe
from auditor.rules.context import other_side
from auditor.rules.rule import target_rule
from auditor.wheel.compiled import compiled_packages
from auditor.wheel.cuda import cuda_of, parse_image, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.position import Position
    from auditor.rules.context import TargetContext


@target_rule("LA201", "torch-pin-differs", Severity.ERROR)
def torch_pin_differs(context: TargetContext) -> Iterator[Finding]:
    """Torch is not the same to the last letter.

    What:
        dev and prod select torch at another version, the local part included, or from another source. `2.6.0`,
        `2.6.0+cu124` and `2.6.0+cu126` are three different builds, although `==2.6.0` accepts them all.
    Why:
        A wheel compiled against one build does not load with another: the CUDA, the C++ ABI or a symbol differs. One
        wheel for both images is only right if both have one torch.

    Example:
        `torch 2.6.0` in dev, `torch 2.6.0+cu124` in prod.
    Fix:
        Give prod the root's torch sources and indexes, pin the same version, and run `uv lock` there.
    """
    for prod, dev in context.common:
        if prod.name != "torch":
            continue
        related = other_side(at_key(context.of.dev.lock, dev, "version"), f"{dev.label} in dev")
        if prod.version != dev.version:
            yield torch_pin_differs.finding(
                f"torch {prod.version} in prod, {dev.version} in dev",
                at_key(context.of.prod.lock, prod, "version"),
                package="torch",
                target=context.target,
                help="give prod the root's torch sources and indexes, pin the same version, and run `uv lock` there",
                notes=_cuda_notes(context),
                related=related,
            )
        elif not same_source(prod.source, dev.source, context.of.prod.folder, context.of.dev.folder):
            yield torch_pin_differs.finding(
                f"torch {prod.version} comes from {describe(prod.source, dev.source)} in prod,"
                f" {describe(dev.source, prod.source)} in dev",
                at_key(context.of.prod.lock, prod, "source"),
                package="torch",
                target=context.target,
                help="the same version from another index is another build: use one index on both sides",
                related=other_side(at_key(context.of.dev.lock, dev, "source"), f"dev: {dev.source}"),
            )


@target_rule("LA202", "torch-missing", Severity.ERROR)
def torch_missing(context: TargetContext) -> Iterator[Finding]:
    """A wheel is compiled for an image without torch.

    What:
        The image compiles a package against torch, but prod's selection has no torch.
    Why:
        The compile step needs torch, and so does the compiled module: the build fails, or the import does.

    Example:
        The Dockerfile compiles flash-attn on top of prod's environment; prod/uv.lock has no torch.
    Fix:
        Add torch to prod/pyproject.toml, or select the extra that has it, and run `uv lock` there.
    """
    if context.prod.get("torch"):
        return
    for name in sorted(_compiled(context) | set(context.config.compiled)):
        yield torch_missing.finding(
            f"{name} is compiled for the images, but prod has no torch",
            _at_dependencies(context),
            package=name,
            target=context.target,
            help="add torch to prod's dependencies, or select the extra that has it, and run `uv lock` there",
        )


@target_rule("LA203", "image-cuda-differs", Severity.ERROR)
def image_cuda_differs(context: TargetContext) -> Iterator[Finding]:
    """The image's CUDA is not the CUDA that torch was built for.

    What:
        The CUDA of the Dockerfile's images differs from the CUDA that prod's lock carries: another major version is an
        error, another minor a warning.
    Why:
        torch refuses to compile extensions with another major of nvcc, and a library of another major is not found at
        run time. Within one major it works, but the build differs from what upstream tests.

    Example:
        `ARG CUDA_VERSION=13.0.1`, and torch 2.6.0+cu124 in prod/uv.lock.
    Fix:
        Change CUDA_VERSION, or take torch from the index of the image's CUDA.
    """
    signal = cuda_of(context.prod.packages, context.target)
    if signal is None or signal.cuda.major is None:
        return
    for text, position in _image_cudas(context):
        image = parse_version(text)
        if image is None or image.major is None:
            continue
        major = image.major != signal.cuda.major
        minor = signal.cuda.minor is not None and image.minor != signal.cuda.minor
        if not major and not minor:
            continue
        yield image_cuda_differs.finding(
            f"the image has CUDA {text}, prod's torch is built for CUDA {signal.cuda}",
            position,
            package="torch",
            target=context.target,
            severity=None if major else Severity.WARNING,
            help=f"use an image of CUDA {signal.cuda}, or a torch that is built for CUDA {image}",
            notes=(f"prod's CUDA is read from {signal.evidence}",),
            related=other_side(at_key(context.of.prod.lock, signal.package, "version"), signal.package.label),
        )


def _compiled(context: TargetContext) -> set[str]:
    """What prod compiles, and what dev compiles of prod's packages: without torch, prod's do not look compiled."""
    also, never = context.config.compiled, context.config.not_compiled
    ours = {package.name for package in compiled_packages(context.prod, also=also, never=never)}
    theirs = {package.name for package in compiled_packages(context.dev, also=also, never=never)}
    built = {package.name for package in context.prod.dependencies if not context.target.usable(package)}
    return ours | (theirs & built)


def _image_cudas(context: TargetContext) -> Iterator[tuple[str, Position]]:
    """(CUDA version, where it is written) of the images: the setting, else the ARG, else each literal FROM."""
    config, dockerfile = context.config, context.of.dockerfile
    if config.image.cuda is not None and config.file is not None:
        header = config.file.find("[tool.lockaudit")
        line = config.image.lines.get("cuda", header.line if header else 1)
        yield config.image.cuda, config.file.find(config.image.cuda, line) or config.file.at(1)
        return
    if dockerfile is None:
        return
    argument = dockerfile.argument("CUDA_VERSION")
    if argument is not None:
        yield argument
        return
    seen: set[str] = set()
    for stage in dockerfile.stages:
        image = parse_image(dockerfile.expand(stage.base))
        if image is not None and image.version not in seen:
            seen.add(image.version)
            yield image.version, dockerfile.file.at(stage.line)


def _at_dependencies(context: TargetContext) -> Position:
    project = context.of.prod.project
    if project is None:
        return at_top(context.of.prod.lock, "version")
    header = project.file.find("[project]") or project.file.at(1)
    keys = range(header.line, len(project.file.lines) + 1)
    found = next((number for number in keys if project.file.line(number).startswith("dependencies")), None)
    return header if found is None else project.file.at(found)


def _cuda_notes(context: TargetContext) -> tuple[str, ...]:
    sides = ((context.prod, "prod"), (context.dev, "dev"))
    signals = [(cuda_of(selection.packages, context.target), role) for selection, role in sides]
    return tuple(f"CUDA in {role}: {signal.cuda} (from {signal.evidence})" for signal, role in signals if signal)
