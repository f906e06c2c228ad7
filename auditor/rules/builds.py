"""What the steps of a Dockerfile compile, and which of its stages are the production image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.dockerfile.environments import is_set
from auditor.dockerfile.files import below
from auditor.dockerfile.installs import Requirement
from auditor.dockerfile.shell import UNKNOWN, is_known, join
from auditor.errors import LockauditError
from auditor.finding import Related
from auditor.lock.selection import Request, default_groups, known_extras, known_groups
from auditor.names import normalize
from auditor.wheel.compiled import compiled_packages
from auditor.wheel.known import KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.dockerfile.commands import UvCall
    from auditor.dockerfile.facts import StageFacts, Step
    from auditor.dockerfile.installs import Install
    from auditor.lock.pair import Side
    from auditor.position import Position
    from auditor.rules.context import PairContext

# package -> the variable without which its build may download a wheel instead; `FORCE` is exactly TRUE or it is not.
FORCED: Final = {
    package: variable for package, known in KNOWN.items() for variable in known.env if variable.endswith("_FORCE_BUILD")
}
# Repositories that are not called like the package that they build.
_REPOSITORIES: Final = {
    "flash-attention": "flash-attn",
    "mamba": "mamba-ssm",
    "transformerengine": "transformer-engine",
    "transformer-engine": "transformer-engine",
}
_DEVELOPMENT: Final = re.compile(
    r"(?:dev|devel|development|devcontainer|test|tests|ci|lint|docs|build|builder)(?:[-_].*)?"
)
_WITH_EXTENSION: Final = frozenset({"bdist_wheel", "install", "develop", "build_ext", "build"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Compile:
    """A step that compiles a package.

    Attributes:
        step: the step.
        package: its name, or the repository's.
        version: exact, or an empty string.
        how: the command.
        own: whether it is the project's own source, which no lock decides.
        by_wheel: whether it goes through the building of a wheel, where setup files download.
    """

    step: Step
    package: str
    version: str
    how: str
    own: bool = False
    by_wheel: bool = True


def at(context: PairContext, line: int) -> Position:
    """A line of the Dockerfile."""
    if context.dockerfile is None:
        raise AssertionError  # there would be no stages to ask about
    return context.dockerfile.file.at(line)


def related_line(context: PairContext, line: int, message: str) -> Related:
    """Another line of the Dockerfile that belongs to a finding."""
    return Related(position=at(context, line), message=message)


def label(facts: StageFacts) -> str:
    """A stage as messages name it."""
    return f"`{facts.stage.name}`" if facts.stage.name else str(facts.stage.index + 1)


def production(context: PairContext) -> tuple[StageFacts, ...]:
    """The production stages: those that are called so, else the last one unless it is called otherwise."""
    named = tuple(facts for facts in context.stages if facts.stage.name in {"prod", "production"})
    if named or not context.stages:
        return named
    last = context.stages[-1]
    found = () if _DEVELOPMENT.fullmatch(last.stage.name) else (last,)
    chain = [facts.stage.index for each in found for facts in each.chain]
    runtime = [facts for facts in context.stages if facts.stage.name == "runtime" and facts.stage.index not in chain]
    return (*runtime, *found)


def contributors(context: PairContext, images: tuple[StageFacts, ...]) -> tuple[StageFacts, ...]:
    """The stages that images are made of: those that they stand on, and those whose environments they copy."""
    wanted: set[int] = set()
    todo = [facts for image in images for facts in image.chain]
    while todo:
        facts = todo.pop()
        if facts.stage.index in wanted:
            continue
        wanted.add(facts.stage.index)
        for carried in facts.carried:
            if carried.stage is None or carried.is_mount:
                continue
            other = context.stages[carried.stage]
            if any(below(carried.source, each.path) is not None for each in other.environments):
                todo += other.chain
    return tuple(facts for facts in context.stages if facts.stage.index in wanted)


def compiled_names(context: PairContext) -> frozenset[str]:
    """The packages of both sides that have to be compiled, and those that settings name."""
    names = set(context.config.compiled)
    for side in (context.dev, context.prod):
        names |= set(_compiled(context, side, side.request))
    return frozenset(names - set(context.config.not_compiled))


def compiles(context: PairContext, names: frozenset[str], facts: StageFacts) -> Iterator[Compile]:
    """What the RUNs of a stage compile: packages that are known to be, or that are built without isolation."""
    for step in facts.steps:
        if step.install is not None:
            yield from _installed(step, step.install, names)
        elif step.uv is not None and step.uv.command == "sync":
            for name in synced(context, step, step.uv):
                yield Compile(step=step, package=name, version="", how="uv sync")


def _installed(step: Step, install: Install, names: frozenset[str]) -> Iterator[Compile]:
    options, env = install.options, step.command.env
    ready = options.has("find-links", "no-index", "no-build", "only-binary")
    if install.verb == "download" or ready or "UV_FIND_LINKS" in env or "PIP_FIND_LINKS" in env:
        return
    isolated = not options.has("no-build-isolation") and not is_set(env.get("UV_NO_BUILD_ISOLATION"))
    how = install.tool if install.tool in {"setup.py", "uv build", "build"} else f"{install.tool} {install.verb}"
    how = f"{how} {install.verb}" if how == "setup.py" else how
    for requirement in install.requirements:
        editable = requirement.text in options.values.get("editable", ())
        by_wheel = not editable and (install.tool != "setup.py" or install.verb == "bdist_wheel")
        found = from_source(step, requirement) if requirement.kind == "path" else requirement
        if found is None:
            if not isolated or (install.tool == "setup.py" and install.verb in _WITH_EXTENSION):
                yield Compile(step=step, package="", version="", how=how, own=True, by_wheel=by_wheel)
            continue
        name = package_name(found)
        built = found.kind != "index" or install.verb == "wheel" or not isolated or options.has("no-binary")
        is_compiled = name in FORCED or name in names or (built and name in KNOWN)
        if found.kind == "wheel" or not (is_compiled or (found.kind == "git" and name and not isolated)):
            continue
        by_wheel = by_wheel and not found.subdirectory  # another package than the repository's own
        yield Compile(step=step, package=name, version=found.version, how=how, by_wheel=by_wheel)


def package_name(requirement: Requirement) -> str:
    """The package that a requirement means, by its name or by its repository's."""
    if requirement.name == "transformer-engine" and requirement.kind == "index" and "pytorch" in requirement.extras:
        return "transformer-engine-torch"
    return _REPOSITORIES.get(requirement.name, requirement.name) if requirement.kind == "git" else requirement.name


def from_source(step: Step, requirement: Requirement) -> Requirement | None:
    """A path as the repository that it lies in; None if it is the project's own, or unknown."""
    path = join(step.command.cwd, requirement.text)
    for source in reversed(step.sources):
        rest = below(source.folder, path)
        if rest is not None and source.repository:
            return Requirement(kind="git", name=source.repository, version=source.version, subdirectory=rest)
    return None


def side_of(context: PairContext, lock: str) -> Side | None:
    """The side whose lock is at a path of the build context, or None."""
    if lock == context.config.dev.lock:
        return context.dev
    return context.prod if lock == context.config.prod.lock else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a call of uv selects of a lock.

    Attributes:
        extras: of the project.
        groups: the default ones that are left included.
        project: whether the project's own dependencies come.
        open: whether there may be more, or less, than can be seen.
    """

    extras: frozenset[str]
    groups: frozenset[str]
    project: bool
    open: bool


def chosen(side: Side, step: Step, call: UvCall) -> Chosen:
    """What a call of uv selects of a side's lock."""
    options, env = call.options, step.command.env
    extras = set(map(normalize, options.all("extra")))
    if options.has("all-extras"):
        extras |= set(known_extras(side.lock))
    extras -= set(map(normalize, options.all("no-extra")))
    only = set(map(normalize, options.all("only-group"))) | ({"dev"} if options.has("only-dev") else set())
    groups = set(map(normalize, options.all("group"))) | only | ({"dev"} if options.has("dev") else set())
    excluded = set(map(normalize, options.all("no-group"))) | set(map(normalize, env.get("UV_NO_GROUP", "").split()))
    excluded |= {"dev"} if options.has("no-dev") or is_set(env.get("UV_NO_DEV")) else set()
    if not only and not options.has("no-default-groups") and not is_set(env.get("UV_NO_DEFAULT_GROUPS")):
        configured = side.project.default_groups if side.project is not None else None
        groups |= set(default_groups(side.lock, configured)) & set(known_groups(side.lock))
    if options.has("all-groups"):
        groups |= set(known_groups(side.lock))
    unknown = any(not is_known(name) for name in (*extras, *groups, *excluded))
    return Chosen(
        extras=frozenset(extras),
        groups=frozenset(groups - excluded),
        project=not only,
        open=options.open or unknown or options.has("package", "all-packages", "script"),
    )


def synced(context: PairContext, step: Step, call: UvCall) -> tuple[str, ...]:
    """The packages that a `uv sync` compiles; none where that cannot be told."""
    side = side_of(context, step.lock)
    if side is None:
        return ()
    selection = chosen(side, step, call)
    left_out = set(map(normalize, call.options.all("no-install-package")))
    kept_out = call.options.has("no-build", "dry-run", "check") or is_set(step.command.env.get("UV_NO_BUILD"))
    if selection.open or kept_out or any(not is_known(name) for name in left_out):
        return ()
    request = Request(
        extras=tuple(sorted(selection.extras)),
        groups=tuple(sorted(selection.groups)),
        default_groups=False,
        project=selection.project,
    )
    left_out |= set(map(normalize, call.options.all("no-build-package")))
    return tuple(name for name in _compiled(context, side, request) if name not in left_out)


def _compiled(context: PairContext, side: Side, request: Request) -> tuple[str, ...]:
    config = context.config
    names: set[str] = set()
    for target in context.targets:
        try:
            selection = side.select(target, request)
        except LockauditError:  # the call asks for what the lock does not have
            continue
        names |= {each.name for each in compiled_packages(selection, also=config.compiled, never=config.not_compiled)}
    return tuple(sorted(names))


def shown(text: str) -> str:
    """A text with what cannot be told as an ellipsis."""
    return text.replace(UNKNOWN, "…")
