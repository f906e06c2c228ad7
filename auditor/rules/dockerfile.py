"""LA4xx, first half: the images of a Dockerfile, and the wheels that it compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.version import InvalidVersion, Version

from auditor.dockerfile.environments import existence, looks_like_environment
from auditor.dockerfile.files import below
from auditor.dockerfile.images import bases, ends, is_devel, named_stage
from auditor.dockerfile.shell import is_known, join
from auditor.dockerfile.tags import DATE, check_tag
from auditor.finding import Finding, Severity
from auditor.names import normalize
from auditor.rules.builds import (
    FORCED,
    at,
    compiled_names,
    compiles,
    label,
    production,
    related_line,
    shown,
    side_of,
)
from auditor.rules.rule import pair_rule
from auditor.wheel.known import HOLLOWING, KNOWN, SPEED_KNOBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.dockerfile.facts import Carried, StageFacts
    from auditor.dockerfile.model import Dockerfile, Stage
    from auditor.rules.builds import Compile
    from auditor.rules.context import PairContext

# The ARGs that settings of [tool.lockaudit.image] are passed as.
_SETTINGS: Final = {"cuda": "CUDA_VERSION", "variant": "CUDA_VARIANT", "ubuntu": "UBUNTU_VERSION"}
# The newest version that is known not to read its list of architectures (facts on CUDA, 3.4).
_UNREAD: Final = {"flash-attn": Version("2.6.1")}


@pair_rule("LA401", "compile-depends-on-lock", Severity.ERROR)
def compile_depends_on_lock(context: PairContext) -> Iterator[Finding]:
    """Every change of a lock compiles a wheel anew.

    What:
        A step compiles a package in a stage that has seen a uv.lock: it copies or mounts the lock or the whole context,
        stands on a stage that does, or copies an environment that was made from one. Where `uv sync` itself compiles,
        behind a cache mount, it is a warning: only the builder that has the cache is spared.
    Why:
        A step's cache key holds all that the stage has seen before. A lock changes every few days, what decides the
        wheel a few times a year: hours of compiling for nothing.

    Example:
        `FROM deps AS wheel`, and `deps` ran `COPY uv.lock .`.
    Fix:
        Start the stage from the CUDA devel image, and give it nothing but a build lock, which `lockaudit bake` writes.
    """
    for compiled in _compiles(context):
        reasons = {reason.text: reason for reason in reversed(compiled.step.reasons)}
        if compiled.own or not (reasons or compiled.how == "uv sync"):
            continue
        lock = next((reason.lock for reason in compiled.step.reasons), compiled.step.lock)
        cached = compiled.how == "uv sync" and bool(compiled.step.caches)
        related = [related_line(context, each.line, f"sees {each.text}") for each in reversed(reasons.values())]
        yield compile_depends_on_lock.finding(
            f"{compiled.package} is compiled in a stage that depends on {lock}: every change of it compiles anew",
            at(context, compiled.step.line),
            package=compiled.package,
            severity=Severity.WARNING if cached else None,
            help="compile it in a stage of its own, from the CUDA devel image and a build lock (`lockaudit bake`)",
            notes=("its cache mount spares only the builder that has it; a new one compiles",) if cached else (),
            related=tuple(related),
        )


@pair_rule("LA402", "cuda-tag-unknown", Severity.ERROR)
def cuda_tag_unknown(context: PairContext) -> Iterator[Finding]:
    """A tag of nvidia/cuda does not exist.

    What:
        FROM or `--from` names a tag that nvidia/cuda does not have, with the defaults of its ARGs, with a setting of
        [tool.lockaudit.image], or with a value that a comment documents for an ARG. A version that is newer than
        lockaudit's table is a warning.
    Why:
        The build fails, for the one variant that nobody has tried. cuDNN exists as `cudnn-runtime` and `cudnn-devel`
        only, plain development images have no variant in their name, a patch number is a must, and NVIDIA deletes old
        tags.

    Example:
        `FROM nvidia/cuda:12.4.1-${CUDA_VARIANT}-devel-ubuntu22.04`, where `runtime` makes `runtime-devel` of it.
    Fix:
        Take the tag that the finding names. For variants, give each its own stage with a tag that exists.
    """
    if context.dockerfile is None:
        return
    for reference, chosen, line in _references(context, context.dockerfile):
        problem = check_tag(reference)
        if problem is None:
            continue
        name = reference.rpartition(":")[0] or reference
        with_value = f" (with {chosen})" if chosen else ""
        yield cuda_tag_unknown.finding(
            f"{reference}{with_value} is newer than what lockaudit knows: {problem.reason} as of {DATE}"
            if problem.newer
            else f"{reference}{with_value} does not exist: {problem.reason}",
            at(context, line),
            severity=Severity.WARNING if problem.newer else None,
            help=f"the nearest tag is {name}:{problem.nearest}"
            if problem.nearest
            else "name a CUDA version and a flavor",
            notes=(f"the tags were listed in {DATE}",),
        )
    for stage, reference, chosen in _missing_stages(context, context.dockerfile):
        yield cuda_tag_unknown.finding(
            f"{chosen} asks for the stage `{reference}`, which does not exist",
            at(context, stage.line),
            help=f"add a stage `{reference}` with an image that exists, or do not document the value",
        )


@pair_rule("LA403", "production-on-devel", Severity.ERROR)
def production_on_devel(context: PairContext) -> Iterator[Finding]:
    """Production stands on a development image.

    What:
        The production stage (called `prod`, `production` or `runtime`, else the last one) stands on a `devel` image.
    Why:
        It ships compilers, headers and static libraries: gigabytes that nothing runs, and everything an intruder wants.
        torch's own wheels bring CUDA's libraries, so production needs no more than a `base` or `runtime` image.

    Example:
        `FROM nvidia/cuda:12.4.1-devel-ubuntu22.04 AS prod`.
    Fix:
        Start from the `runtime` or `base` flavor and copy the environment. Where something compiles at run time (triton
        needs gcc), install that compiler, or accept the finding with its reason.
    """
    if context.dockerfile is None:
        return
    for facts in production(context):
        found = [base for base in ends(context.dockerfile, facts.stage, _settings(context)) if is_devel(base.reference)]
        for base in found[:1]:
            with_value = f" (with {base.chosen})" if base.chosen else ""
            yield production_on_devel.finding(
                f"production, stage {label(facts)}, stands on {base.reference}{with_value}, a development image",
                at(context, facts.stage.line),
                help="start it from a `runtime` or `base` image and copy the environment there",
            )


@pair_rule("LA404", "venv-path-differs", Severity.ERROR)
def venv_path_differs(context: PairContext) -> Iterator[Finding]:
    """An environment is not where the Dockerfile says it is.

    What:
        PATH or VIRTUAL_ENV names an environment where none was made, `COPY --from` copies one from where none was made,
        or copies one to another path than it was made at.
    Why:
        A missing folder in PATH is no error: the system's Python runs instead, without the packages. A moved
        environment has scripts that start with the old path, unless it is relocatable.

    Example:
        `uv sync` in /app makes /app/.venv, and `ENV PATH=/opt/venv/bin:$PATH`.
    Fix:
        Set UV_PROJECT_ENVIRONMENT to one path, activate that path, and copy it to the same path.
    """
    # A variable that several stages have inherited is right if one of them has the environment.
    right = {
        each
        for facts in context.stages
        for each in facts.activated
        if existence(context.stages, facts, each.path) != "no"
    }
    reported: set[tuple[int, str]] = set()
    for facts in context.stages:
        for activation in facts.activated:
            path, place = activation.path, (activation.line, activation.path)
            made = [each for each in facts.environments if is_known(each.path)]
            if made and activation not in right and place not in reported:
                reported.add(place)
                yield venv_path_differs.finding(
                    f"{activation.variable} names an environment at {path}, but it was made at {made[-1].path}",
                    at(context, activation.line),
                    help=f"set UV_PROJECT_ENVIRONMENT={path} where it is made, or activate {made[-1].path}",
                    related=(related_line(context, made[-1].line, f"`{made[-1].how}` makes {made[-1].path}"),),
                )
        for carried in facts.carried:
            yield from _carried(context, facts, carried)


def _carried(context: PairContext, facts: StageFacts, carried: Carried) -> Iterator[Finding]:
    """Findings about one COPY --from."""
    if carried.stage is None or carried.is_mount:
        return
    other = context.stages[carried.stage]
    made = [each for each in other.environments if is_known(each.path)]
    is_there = existence(context.stages, other, carried.source)
    if made and is_there == "no" and looks_like_environment(carried.source):
        yield venv_path_differs.finding(
            f"stage {label(other)} has no environment at {carried.source}: it was made at {made[-1].path}",
            at(context, carried.line),
            help=f"copy {made[-1].path}, or set UV_PROJECT_ENVIRONMENT={carried.source} in stage {label(other)}",
            related=(related_line(context, made[-1].line, f"`{made[-1].how}` makes {made[-1].path}"),),
        )
    repaired = any(
        step.command.name in {"sed", "find", "uv"} and any(carried.destination in word for word in step.command.words)
        for step in facts.all_steps
    )
    for environment in made:
        rest = below(carried.source, environment.path)
        arrived = join(carried.destination, rest or ".") if rest is not None else ""
        moved = arrived and arrived != environment.made_at and is_known(arrived)
        if moved and not environment.relocatable and not repaired:
            yield venv_path_differs.finding(
                f"the environment that was made at {environment.made_at} is copied to {arrived}",
                at(context, carried.line),
                help=f"copy it to {environment.made_at}, or make it there: its scripts start with that path",
                related=(related_line(context, environment.line, f"`{environment.how}` makes {environment.made_at}"),),
            )
            break


@pair_rule("LA405", "build-not-forced", Severity.ERROR)
def build_not_forced(context: PairContext) -> Iterator[Finding]:
    """A package is to be compiled, but its build may download a wheel, or leave the CUDA code out.

    What:
        flash-attn, or a package that copied its setup file, is built and its FORCE_BUILD variable is not exactly TRUE,
        or SKIP_CUDA_BUILD is. ARG, ENV, the command's own variables, build.env and `extra-build-variables` of [tool.uv]
        count.
    Why:
        Without the first, the setup file fetches a wheel that nobody has hashed, chosen by CUDA's major version alone,
        and compiles only if there is none. With the second, the wheel has no CUDA code, and installs all the same.

    Example:
        `RUN pip wheel --no-build-isolation flash-attn==2.8.3` without `FLASH_ATTENTION_FORCE_BUILD=TRUE`.
    Fix:
        Set the variable where the package is built.
    """
    for compiled in _compiles(context):
        command, package = compiled.step.command, compiled.package
        hollowing = f"{FORCED.get(package, '').removesuffix('_FORCE_BUILD')}_SKIP_CUDA_BUILD"
        skipped = command.variable(hollowing) if hollowing in HOLLOWING else None
        if skipped is not None and skipped.upper() == "TRUE":
            yield build_not_forced.finding(
                f"{package} is built with {hollowing}={skipped}: the wheel has no CUDA code",
                at(context, compiled.step.line),
                package=package,
                help=f"remove {hollowing}",
            )
        if package not in FORCED or not compiled.by_wheel or _is_configured(context, compiled):
            continue
        value = command.variable(FORCED[package])
        if value == "TRUE" or (value is not None and not is_known(value)):
            continue
        given = "is not set" if value is None else f"is {value!r}, which does not force it"
        yield build_not_forced.finding(
            f"{package} is built by `{compiled.how}`, and {FORCED[package]} {given}: it may download an unhashed wheel",
            at(context, compiled.step.line),
            package=package,
            help=f"set {FORCED[package]}=TRUE for this step",
        )


def _is_configured(context: PairContext, compiled: Compile) -> bool:
    """Whether pyproject.toml sets the variable for every build by uv."""
    if not compiled.how.startswith("uv"):
        return False
    known = side_of(context, compiled.step.lock)
    for side in (context.dev, context.prod) if known is None else (known,):
        variables = side.project.uv.get("extra-build-variables") if side.project is not None else None
        for name, values in variables.items() if isinstance(variables, dict) else ():
            if normalize(name) == compiled.package and isinstance(values, dict):
                return values.get(FORCED[compiled.package]) == "TRUE"
    return False


@pair_rule("LA411", "speed-knob-rekeys", Severity.WARNING)
def speed_knob_rekeys(context: PairContext) -> Iterator[Finding]:
    """A variable that only makes a compile faster is part of its cache key.

    What:
        MAX_JOBS, NVCC_THREADS or the like is an ARG or ENV of a stage, before the step that compiles.
    Why:
        BuildKit keys a RUN by every ARG and ENV in force. A runner with more memory passes another number, and compiles
        for hours what is already in the cache.

    Example:
        `ARG MAX_JOBS=4` above `RUN pip wheel flash-attn`.
    Fix:
        Pass it as a secret, whose value is not hashed (`--mount=type=secret,id=max_jobs,env=MAX_JOBS`), or compute it
        from the memory in the script.
    """
    seen: set[tuple[int, str]] = set()
    for compiled in _compiles(context):
        if compiled.own and not is_devel(context.stages[compiled.step.stage].image):
            continue
        for declared in compiled.step.declared:
            if declared.name.upper() not in SPEED_KNOBS or (declared.line, declared.name) in seen:
                continue
            seen.add((declared.line, declared.name))
            yield speed_knob_rekeys.finding(
                f"{declared.instruction} {declared.name} is part of the cache key of the compile in line"
                f" {compiled.step.line}: another number compiles it anew",
                at(context, declared.line),
                package=compiled.package or None,
                help=f"pass it as a secret: --mount=type=secret,id={declared.name.lower()},env={declared.name.upper()}",
            )


@pair_rule("LA413", "arch-list-unread", Severity.WARNING)
def arch_list_unread(context: PairContext) -> Iterator[Finding]:
    """A list of GPU architectures is set that the package does not read.

    What:
        The variable that lists architectures is set for the build of a version that has no such variable.
    Why:
        The wheel is compiled for other GPUs than the Dockerfile says, without a word: too many, which takes longer, or
        not the one that production has.

    Example:
        `FLASH_ATTN_CUDA_ARCHS=90` for flash-attn 2.6.1, which always compiles for 80 and 90.
    Fix:
        Take a version that reads the list, or remove the variable.
    """
    for compiled in _compiles(context):
        newest = _UNREAD.get(compiled.package)
        variable = KNOWN[compiled.package].arch_variable if newest is not None else ""
        value = compiled.step.command.env.get(variable)
        if newest is None or value is None or not compiled.version:
            continue
        try:
            if Version(compiled.version) > newest:
                continue
        except InvalidVersion:
            continue
        yield arch_list_unread.finding(
            f"{compiled.package} {compiled.version} does not read {variable}, which is {shown(value)!r} here",
            at(context, compiled.step.line),
            package=compiled.package,
            help=f"take a version that reads it, or remove {variable}",
        )


def _compiles(context: PairContext) -> Iterator[Compile]:
    """What all stages compile."""
    names = compiled_names(context) if context.stages else frozenset()
    for facts in context.stages:
        yield from compiles(context, names, facts)


def _settings(context: PairContext) -> dict[str, str]:
    """The values that `lockaudit bake` passes for ARGs because of settings."""
    values = {argument: getattr(context.config.image, name) for name, argument in _SETTINGS.items()}
    return {argument: value for argument, value in values.items() if value}


def _references(context: PairContext, dockerfile: Dockerfile) -> Iterator[tuple[str, str, int]]:
    """(image, `NAME=value` where an ARG is not at its default, line) of every FROM and --from."""
    seen: set[tuple[str, int]] = set()
    settings = _settings(context)
    for facts in context.stages:
        found = [(base.reference, base.chosen, facts.stage.line) for base in bases(dockerfile, facts.stage, settings)]
        found += [(carried.reference, "", carried.line) for carried in facts.carried if carried.stage is None]
        for reference, chosen, line in found:
            if (reference, line) not in seen:
                seen.add((reference, line))
                yield reference, chosen, line


def _missing_stages(context: PairContext, dockerfile: Dockerfile) -> Iterator[tuple[Stage, str, str]]:
    """(stage, name, `NAME=value`) of each FROM that names a stage by an ARG, with a value for which there is none."""
    for stage in dockerfile.stages:
        found = bases(dockerfile, stage, _settings(context))
        if not any(named_stage(dockerfile, base.reference, stage.index) for base in found):
            continue
        for base in found:
            plain = base.chosen and is_known(base.reference) and not set("/:@") & set(base.reference)
            if plain and named_stage(dockerfile, base.reference, stage.index) is None and base.reference != "scratch":
                yield stage, base.reference, base.chosen
