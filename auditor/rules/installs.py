"""LA4xx, second half: what the images install, and from which lock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.dockerfile.environments import is_set
from auditor.dockerfile.files import LOCK
from auditor.dockerfile.shell import is_known
from auditor.finding import Finding, Severity
from auditor.rules.builds import (
    at,
    chosen,
    contributors,
    label,
    production,
    related_line,
    side_of,
)
from auditor.rules.rule import pair_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.config import SideConfig
    from auditor.dockerfile.facts import StageFacts, Step
    from auditor.lock.pair import Side
    from auditor.rules.context import PairContext


@pair_rule("LA406", "selection-not-passed", Severity.ERROR)
def selection_not_passed(context: PairContext) -> Iterator[Finding]:
    """The image does not install what the settings say.

    What:
        [tool.lockaudit] says which extras and groups an image installs, and the `uv sync` of that lock does not pass
        them. Where an ARG's default passes others it is a warning: a build may set it, as `lockaudit bake` does. It is
        one, too, if production's `uv sync` installs default groups for want of `--no-dev` or `--no-default-groups`.
    Why:
        The proof is about the selection in the settings. An image that installs another one was not proven: with a
        conflicting extra left out it gets another torch, with a group too many it gets the developers' tools.

    Example:
        `extras = ["cu124"]` in [tool.lockaudit.prod], and `RUN uv sync --locked` in the Dockerfile.
    Fix:
        Pass `--extra` and `--group` as the settings have them, and `--no-dev` in production.
    """
    made_of = contributors(context, production(context))
    for side, config in ((context.dev, context.config.dev), (context.prod, context.config.prod)):
        found = _last_syncs(context, side)
        in_images = [each for each in found if any(each.facts is facts for facts in made_of)]
        counted = in_images if side is context.prod and in_images else found
        yield from _missing(context, config, side, counted)
        if side is context.prod:
            for each in counted:
                extra = sorted(each.certain - set(config.groups)) if not each.open else []
                if extra:
                    yield selection_not_passed.finding(
                        f"production's `uv {_name(each.step)}` installs the default group {', '.join(extra)} too",
                        at(context, each.step.line),
                        severity=Severity.WARNING,
                        help="pass `--no-dev`, or `--no-default-groups`",
                    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Synced:
    """What a stage has of a lock in the end.

    Attributes:
        facts: the stage.
        step: the call that decided last.
        extras: that it may have.
        groups: that it may have.
        certain: groups that it has in any case.
        open: whether there may be more.
    """

    facts: StageFacts
    step: Step
    extras: frozenset[str]
    groups: frozenset[str]
    certain: frozenset[str]
    open: bool


def _last_syncs(context: PairContext, side: Side) -> list[_Synced]:
    """For each stage that syncs a lock and on which no other such stage stands: what it selects in the end."""
    found: list[_Synced] = []
    for facts in context.stages:
        if not any(_syncs(context, side, step) for step in facts.steps):
            continue
        extras: frozenset[str] = frozenset()
        groups: frozenset[str] = frozenset()
        certain: frozenset[str] = frozenset()
        last: Step | None = None
        is_open = False
        for step in facts.all_steps:
            call = step.uv
            if call is None or not _syncs(context, side, step):
                continue
            selection = chosen(side, step, call)
            # Two in one RUN are branches of a condition, of which either may run.
            branch = last is not None and last.line == step.line
            inexact = call.options.has("inexact")
            keeps = inexact or branch
            certain = (
                selection.groups | certain if inexact else selection.groups & certain if branch else selection.groups
            )
            extras = selection.extras | extras if keeps else selection.extras
            groups = selection.groups | groups if keeps else selection.groups
            is_open = selection.open or (keeps and is_open)
            last = step
        if last is not None:
            below = [each for each in found if each.facts in facts.chain]
            found = [each for each in found if each not in below]
            found.append(_Synced(facts=facts, step=last, extras=extras, groups=groups, certain=certain, open=is_open))
    return found


def _syncs(context: PairContext, side: Side, step: Step) -> bool:
    return step.uv is not None and step.uv.command in {"sync", "export"} and side_of(context, step.lock) is side


def _name(step: Step) -> str:
    return step.uv.command if step.uv is not None else ""


def _missing(context: PairContext, config: SideConfig, side: Side, found: Sequence[_Synced]) -> Iterator[Finding]:
    """The extras and groups of the settings that no call passes."""
    if not found:
        return
    wanted = [("extra", name) for name in config.extras or ()] + [("group", name) for name in config.groups]
    passed = [
        (option, name)
        for option, name in wanted
        if any(each.open or name in (each.extras if option == "extra" else each.groups) for each in found)
    ]
    missing = [each for each in wanted if each not in passed]
    if not missing:
        return
    step = found[-1].step
    arguments = [each for each in step.declared if each.instruction == "ARG" and each.name in step.command.references]
    filled = [each for each in arguments if re.search(r"--(?:extra|group|all-)", each.value)]
    flags = " ".join(f"--{option} {name}" for option, name in missing)
    yield selection_not_passed.finding(
        f"the settings say that {side.role} installs {flags}, but `uv {_name(step)}` does not pass it",
        at(context, step.line),
        severity=Severity.WARNING if filled else None,
        help=f"pass {flags}",
        notes=tuple(f"ARG {each.name} is {each.value!r} unless the build sets it" for each in filled),
    )


@pair_rule("LA407", "run-resyncs", Severity.ERROR)
def run_resyncs(context: PairContext) -> Iterator[Finding]:
    """`uv run` changes the production environment.

    What:
        CMD, ENTRYPOINT, HEALTHCHECK or a RUN of production, or of a stage whose environment it copies, calls `uv run`
        without `--no-sync`. With `--frozen` alone, where there are default groups, it is a warning.
    Why:
        `uv run` syncs first: it may lock anew, it installs the development group, it removes what came from a compiled
        wheel, and at the start of a container it needs the network and the right to write.

    Example:
        `CMD ["uv", "run", "python", "-m", "app"]`.
    Fix:
        Put the environment into PATH and call the program itself, or set UV_NO_SYNC=1.
    """
    images = production(context)
    made_of = contributors(context, images)
    steps = [(facts, step) for facts in made_of for step in facts.steps]
    steps += [(facts, step) for facts in images for step in facts.starts]
    for facts, step in steps:
        call, env = step.uv, step.command.env
        if call is None or call.command != "run" or call.options.open or not step.command.env_known:
            continue
        switches = ("UV_NO_SYNC", "UV_NO_PROJECT", "UV_ISOLATED")
        kept = call.options.has("no-sync", "no-project", "isolated", "script", "help")
        if kept or any(is_set(env.get(name)) for name in switches) or _synced_after(made_of, facts, step):
            continue
        frozen = call.options.has("frozen") or is_set(env.get("UV_FROZEN"))
        selection = chosen(context.prod, step, call)
        if frozen and (not selection.groups or selection.open):
            continue
        groups = f" and installs the group {', '.join(sorted(selection.groups))}" if selection.groups else ""
        yield run_resyncs.finding(
            f"`uv run` in {step.instruction.name} of stage {label(facts)} syncs the environment first{groups}",
            at(context, step.line),
            severity=Severity.WARNING if frozen else None,
            help="call the program from the environment's bin folder, or set UV_NO_SYNC=1",
        )


def _synced_after(made_of: Sequence[StageFacts], facts: StageFacts, step: Step) -> bool:
    """Whether an exact `uv sync` of the same environment comes later and undoes what `uv run` did."""
    for other in made_of:
        if facts not in other.chain or step not in other.all_steps:
            continue
        later = other.all_steps[other.all_steps.index(step) + 1 :]
        for each in later:
            if each.uv is not None and each.uv.command == "sync" and each.venv == step.venv:
                return not each.uv.options.has("inexact")
    return False


@pair_rule("LA409", "lock-not-enforced", Severity.WARNING)
def lock_not_enforced(context: PairContext) -> Iterator[Finding]:
    """An environment is made, and nothing makes sure that it is what the lock says.

    What:
        `uv sync` and `uv export` without `--locked` or `--frozen`, `uv lock` in a build, dependencies installed from a
        pyproject.toml. An error: a uv.lock given to `uv pip` or pip, which do not read one. Information: `--frozen`,
        and no call anywhere with `--locked`.
    Why:
        Without `--locked`, uv locks anew inside of the build when the lock is out of date, and the image gets versions
        that no repository has. With `--frozen` alone, nobody notices that the lock does not fit pyproject.toml.

    Example:
        `RUN uv pip install -r uv.lock`.
    Fix:
        `uv sync --locked`.
    """
    steps = [step for facts in context.stages for step in facts.steps]
    frozen: list[Step] = []
    checked = False
    for step in steps:
        call = step.uv
        if step.install is not None:
            yield from _from_files(context, step)
        if call is None or call.command not in {"sync", "export", "lock"}:
            continue
        by_variable = {name: step.command.variable(name) for name in ("UV_LOCKED", "UV_FROZEN")}
        if any(value is not None and not is_known(value) for value in by_variable.values()):
            checked = True  # or not: nobody can tell
            continue
        checks = call.options.has("locked", "check") or is_set(by_variable["UV_LOCKED"])
        keeps = call.options.has("frozen") or is_set(by_variable["UV_FROZEN"])
        checked = checked or checks
        if keeps and not checks:
            frozen.append(step)
        if checks or keeps or call.options.open or call.options.has("script", "dry-run", "help"):
            continue
        yield lock_not_enforced.finding(
            f"`uv {call.command}` may lock anew inside of the build",
            at(context, step.line),
            help="lock in the repository, and let the build check it: `uv sync --locked`"
            if call.command == "lock"
            else "pass `--locked`",
        )
    if frozen and not checked:
        yield lock_not_enforced.finding(
            "`--frozen` takes the lock as it is, and nothing checks it with `--locked`",
            at(context, frozen[0].line),
            severity=Severity.INFO,
            help="pass `--locked` instead, or run `uv lock --check` in CI",
        )


def _from_files(context: PairContext, step: Step) -> Iterator[Finding]:
    """What an install reads that is no list of pinned requirements."""
    install = step.install
    if install is None:
        return
    files = [path.rpartition("/")[2] for path in install.options.values.get("requirements", ()) if is_known(path)]
    if LOCK in files:
        yield lock_not_enforced.finding(
            f"`{install.tool} {install.verb}` is given a uv.lock, which it does not read",
            at(context, step.line),
            severity=Severity.ERROR,
            help="`uv sync --locked` reads it",
        )
    if "pyproject.toml" in files and install.tool == "uv pip" and not install.options.has("no-deps"):
        yield lock_not_enforced.finding(
            f"`uv pip {install.verb}` resolves pyproject.toml anew, without the lock",
            at(context, step.line),
            help="`uv sync --locked` installs what the lock says",
        )


@pair_rule("LA412", "lock-not-audited", Severity.WARNING)
def lock_not_audited(context: PairContext) -> Iterator[Finding]:
    """An image installs from a lock that nobody compares.

    What:
        A `uv sync` works on a uv.lock of the repository that belongs to no pair of [tool.lockaudit].
    Why:
        The proof is about other locks than the one that is installed.

    Example:
        `COPY staging/uv.lock ./` and `uv sync --locked`, while the pair is uv.lock and prod/uv.lock.
    Fix:
        Install from an audited lock, or add a pair for this one.
    """
    for facts in context.stages:
        for step in facts.steps:
            lock = step.lock
            known = is_known(lock) and lock.rpartition("/")[2] == LOCK
            if step.uv is not None and step.uv.command == "sync" and known and lock not in context.locks:
                yield lock_not_audited.finding(
                    f"stage {label(facts)} installs from {lock}, which is in no audited pair",
                    at(context, step.line),
                    help=f"install from {' or '.join(context.locks[:2])}, or add a pair with {lock}",
                )


@pair_rule("LA414", "synced-twice", Severity.WARNING)
def synced_twice(context: PairContext) -> Iterator[Finding]:
    """One environment is synced twice in the same way.

    What:
        Two calls of `uv sync` with the same options work on the same environment, and no file came in between.
    Why:
        The second does nothing but take time and a layer; usually it was meant for another project or selection.

    Example:
        `RUN uv sync --locked` in the stage of the dependencies, and again in the stage that stands on it.
    Fix:
        Remove one of them.
    """
    for facts in context.stages:
        first: dict[tuple[str, ...], Step] = {}
        last: dict[str, Step] = {}
        for step in facts.all_steps:
            key, environment = _sync_key(step)
            if not key:
                continue
            before = first.get(key)
            own = any(step is each for each in facts.steps)
            # Nothing to do, unless another sync of the environment or a new file came in between.
            if own and before is not None and last[environment] is before and not _came(facts, before, step):
                yield synced_twice.finding(
                    f"{environment} was synced in the same way in line {before.line}",
                    at(context, step.line),
                    help="remove one of the two",
                    related=(related_line(context, before.line, "the first time"),),
                )
            first[key] = last[environment] = step


def _sync_key(step: Step) -> tuple[tuple[str, ...], str]:
    """What a sync does, and the environment that it works on; nothing where that cannot be told."""
    install = step.install
    if install is not None and install.tool == "uv pip" and install.verb == "sync":
        options, environment = install.options, "the environment of `uv pip sync`"
    elif step.uv is not None and step.uv.command == "sync" and is_known(step.venv):
        options, environment = step.uv.options, step.venv
    else:
        return (), ""
    words = [f"{name}={' '.join(values)}" for name, values in sorted(options.values.items())]
    return ((environment, step.command.cwd, step.lock, *words), environment) if not options.open else ((), "")


def _came(facts: StageFacts, before: Step, step: Step) -> bool:
    """Whether a file that a sync reads came between two."""
    if before.line == step.line:
        return True
    files = set(step.install.options.values.get("requirements", ())) if step.install is not None else set()
    names = {path.rpartition("/")[2] for path in files}
    between = [item for item in facts.view.placed if before.line < item.line <= step.line]
    return any(not names or item.path.rpartition("/")[2] in names for item in between)
