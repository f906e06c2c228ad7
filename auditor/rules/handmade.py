"""LA408 and LA410: versions and downloads that stand in the Dockerfile by hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from packaging.version import InvalidVersion, Version

from auditor.dockerfile.commands import verifies
from auditor.dockerfile.facts import Declared
from auditor.dockerfile.images import ends, tag_of
from auditor.dockerfile.shell import is_known
from auditor.finding import Finding, Severity
from auditor.names import normalize
from auditor.rules.builds import at, compiled_names, from_source, package_name, shown
from auditor.rules.rule import pair_rule
from auditor.wheel.known import KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.dockerfile.facts import Step
    from auditor.dockerfile.installs import Requirement
    from auditor.rules.context import PairContext

_VERSION_ARG: Final = re.compile(r"(?P<name>[A-Za-z0-9_]+?)_VER(?:SION)?", re.IGNORECASE)
# What an image itself is made of (settings of [tool.lockaudit.image]), and tools that install others.
_PINS_OF_IMAGES: Final = frozenset({"cuda", "ubuntu", "python", "cmake", "uv"})
_TOOLS: Final = frozenset({"uv", "pip", "setuptools", "wheel", "pipx", "poetry", "build", "virtualenv", "hatch", "pdm"})
_UV_IMAGES: Final = ("ghcr.io/astral-sh/uv", "astral/uv", "docker.io/astral/uv")
_FAMILY: Final = frozenset({"torch", "torchvision", "torchaudio", "triton", "vllm", "flashinfer-python"})
_UNPINNED_UV: Final = re.compile(r"uv(?:\[[^\]]*\])?")


@pair_rule("LA408", "version-by-hand", Severity.ERROR)
def version_by_hand(context: PairContext) -> Iterator[Finding]:
    """A version is written into the Dockerfile that a lock should decide.

    What:
        A RUN installs, or an ARG names, one version of a package: an error where the locks have another one, a warning
        where they have the same, or where the package is installed beside a lock that does not have it.
    Why:
        The line is forgotten when the lock moves. Then the image has a version that nothing was resolved or tested
        with, or the environment is changed after the lock has made it.

    Example:
        `RUN pip install flash-attn==2.7.4`, and 2.8.3 in both locks.
    Fix:
        Add the package to the projects and install it from the lock, or from a wheel that is made for the lock.
    """
    said: set[str] = set()
    for declared, name in _version_arguments(context):
        said.add(declared.name)
        yield from _by_hand(context, name, declared.value, declared.line, f"ARG {declared.name}")
    compiled = compiled_names(context) | KNOWN.keys() if context.stages else frozenset()
    with_lock = {facts.stage.index for facts in context.stages if any(map(_sees_lock, facts.all_steps))}
    for facts in context.stages:
        for step in facts.steps:
            if step.install is None or said & step.command.references:
                continue
            for named in step.install.requirements:
                requirement = (from_source(step, named) or named) if named.kind == "path" else named
                name, version = package_name(requirement), requirement.version
                if not name or not version or not is_known(version) or name in _TOOLS or requirement.subdirectory:
                    continue
                if _locked(context, name):
                    yield from _by_hand(context, name, version, step.line, _what(requirement))
                elif (name in compiled and with_lock) or (facts.environments and facts.stage.index in with_lock):
                    yield version_by_hand.finding(
                        f"{name} {version} is installed beside the lock, and neither lock has it",
                        at(context, step.line),
                        package=name,
                        severity=Severity.WARNING,
                        help=f"add {name} to the projects, so that it is resolved with the rest",
                    )


def _sees_lock(step: Step) -> bool:
    return bool(step.reasons) or (step.uv is not None and step.uv.command == "sync")


def _what(requirement: Requirement) -> str:
    return {"wheel": "a wheel", "git": "a git tag"}.get(requirement.kind, "an install")


def _version_arguments(context: PairContext) -> Iterator[tuple[Declared, str]]:
    """(ARG, package) of each ARG that is called after a locked package, has a version and is used."""
    if context.dockerfile is None:
        return
    file = context.dockerfile
    found = [Declared("ARG", name, value or "", file.argument_lines[name]) for name, value in file.arguments.items()]
    for facts in context.stages:
        inherited = facts.parent.declared if facts.parent is not None else ()
        found += [
            each
            for each in facts.declared
            if each.instruction == "ARG" and each not in inherited and "=" in file.file.line(each.line)
        ]
    for declared in dict.fromkeys(found):
        match = _VERSION_ARG.fullmatch(declared.name)
        name = normalize(match["name"]) if match else ""
        if (
            name
            and name not in _PINS_OF_IMAGES | _TOOLS
            and _locked(context, name)
            and _is_used(context, declared, name)
        ):
            yield declared, name


def _is_used(context: PairContext, declared: Declared, name: str) -> bool:
    """Whether an ARG is about the Python package: there is more than one Redis."""
    file = context.dockerfile
    if file is None or not re.search(rf"\$\{{?{re.escape(declared.name)}\b", file.file.text):
        return False
    installs = (
        package_name(requirement)
        for facts in context.stages
        for step in facts.steps
        if step.install is not None and declared.name in step.command.references
        for requirement in step.install.requirements
    )
    return name in KNOWN or name in _FAMILY or name in installs


def _locked(context: PairContext, name: str) -> list[tuple[str, Version]]:
    """(role, version) of each entry of the locks."""
    return [
        (side.role, package.version)
        for side in (context.dev, context.prod)
        for package in side.lock.by_name.get(name, ())
        if package.version is not None and not package.source.is_local_tree
    ]


def _by_hand(context: PairContext, name: str, written: str, line: int, what: str) -> Iterator[Finding]:
    """The finding about one version, if it is one."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - 10 ms, for versions by hand

    try:
        version = Version(written)
        accepted = SpecifierSet(f"=={version}")
    except (InvalidVersion, InvalidSpecifier):
        return
    locked = _locked(context, name)
    same = any(accepted.contains(each, prereleases=True) for _, each in locked)
    versions = sorted({each for _, each in locked})
    sides = ", ".join(dict.fromkeys(f"{each} in {role}" for role, each in locked))
    pinned = str(versions[0]) if len(versions) == 1 else sides
    yield version_by_hand.finding(
        f"{what} names {name} {version} by hand, as the lock does"
        if same
        else f"{what} names {name} {version} by hand, but the locks have {pinned}",
        at(context, line),
        package=name,
        severity=Severity.WARNING if same else None,
        help=f"install {name} from the lock, or from the wheel that is compiled for it",
    )


@pair_rule("LA410", "unhashed-download", Severity.WARNING)
def unhashed_download(context: PairContext) -> Iterator[Finding]:
    """The build fetches a program that may be another one tomorrow.

    What:
        curl, wget or ADD fetch a program or an archive without a checksum, uv is installed without a version, or uv's
        image is taken as `latest`.
    Why:
        What was downloaded runs as root in the build. Nothing notices that it was changed, and two builds of one commit
        may differ.

    Example:
        `RUN curl -LsSf https://astral.sh/uv/install.sh | sh`.
    Fix:
        `ADD --checksum=sha256:...`, `sha256sum -c` in the same RUN, or for uv
        `COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/`.
    """
    for facts in context.stages:
        verified = max((step.line for step in facts.steps if verifies(step.command)), default=0)
        for step in facts.steps:
            if step.download is not None and step.line > verified:
                what = shown(step.download.url) or "a program"
                runs = " and run" if step.download.runs else ""
                yield unhashed_download.finding(
                    f"{what} is downloaded{runs} without a check of its hash",
                    at(context, step.line),
                    help="copy it from its image: COPY --from=ghcr.io/astral-sh/uv:VERSION /uv /usr/local/bin/"
                    if "astral.sh/uv" in what
                    else "check it with `sha256sum -c`, or use `ADD --checksum=sha256:...`",
                )
            requirements = step.install.requirements if step.install is not None else ()
            if any(each.kind == "index" and _UNPINNED_UV.fullmatch(each.text.strip()) for each in requirements):
                yield unhashed_download.finding(
                    "uv is installed without a version",
                    at(context, step.line),
                    package="uv",
                    help="pin it: uv==VERSION, or copy it from its image",
                )
    yield from _latest_uv(context)


def _latest_uv(context: PairContext) -> Iterator[Finding]:
    """Images of uv that are taken without a version."""
    if context.dockerfile is None:
        return
    found: dict[int, str] = {}
    for facts in context.stages:
        if facts.parent is None:
            found.setdefault(facts.stage.line, next(ends(context.dockerfile, facts.stage)).reference)
        found |= {carried.line: carried.reference for carried in facts.carried if carried.stage is None}
    for line, reference in found.items():
        name = reference.partition("@")[0].partition(":")[0]
        if name in _UV_IMAGES and tag_of(reference) == "latest":
            yield unhashed_download.finding(
                f"{reference} is whatever uv is the newest",
                at(context, line),
                package="uv",
                help=f"name a version: {name}:0.13.9",
            )
