"""What each stage of a Dockerfile really sees and does: a small abstract interpretation, in the order of the file.

A stage begins as the one that it stands on has ended: with its variables, folder, files and environments, and with what
its cache key depends on. BuildKit keys the root file system of a RUN by its definition, and mounts and COPY by content
(facts on bake, 3.1): a stage depends on a lock once it, or one that it stands on, has seen that lock.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from auditor.dockerfile.commands import Download, is_program, read_download, read_uv
from auditor.dockerfile.environments import activations, hides, is_system, made_by, project_environment, project_folder
from auditor.dockerfile.facts import Carried, Declared, Environment, Reason, Source, StageFacts, Step
from auditor.dockerfile.files import LOCK, Copied, Placed, View, below, from_context, from_stage, locks_of
from auditor.dockerfile.images import bases, global_values, is_plain, named_stage
from auditor.dockerfile.installs import read_clone, read_install, repository_name
from auditor.dockerfile.scan import scan_value
from auditor.dockerfile.script import expand_value, run, run_words
from auditor.dockerfile.shell import SHELLS, UNKNOWN, Command, Effort, Shell, is_known, join

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.dockerfile.facts import Activation
    from auditor.dockerfile.model import Dockerfile, Instruction, Stage

_MOVING: Final = frozenset({"cp", "mv", "ln", "install", "rsync", "tar", "unzip"})
_EFFORT: Final = 500_000  # for scripts, beside what a Dockerfile of its size may take


@dataclass(slots=True)
class _State:
    """A stage while its instructions are read. The one above it hands over a copy."""

    env: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    declared: list[Declared] = field(default_factory=list)
    cwd: str = "/"
    placed: list[Placed] = field(default_factory=list)
    environments: list[Environment] = field(default_factory=list)
    activated: list[Activation] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    changing: list[tuple[str, str]] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    hidden: bool = False
    env_known: bool = True
    posix: bool = True
    entrypoint: Instruction | None = None
    cmd: Instruction | None = None
    healthcheck: Instruction | None = None

    def inherited(self) -> _State:
        """The state of a stage that stands on this one."""
        lists = {
            name: copy.copy(getattr(self, name))
            for name in self.__slots__
            if isinstance(getattr(self, name), (list, dict))
        }
        return replace(self, **lists)

    @property
    def values(self) -> dict[str, str]:
        """The variables in force: an ENV goes over an ARG."""
        return {**self.arguments, **self.env}


def analyse(dockerfile: Dockerfile, locks: Sequence[str]) -> tuple[StageFacts, ...]:
    """What every stage sees and does.

    Args:
        dockerfile: the Dockerfile.
        locks: paths of the locks in the build context.
    """
    done: list[StageFacts] = []
    states: list[_State] = []
    effort = Effort(_EFFORT + 2 * len(dockerfile.file.text))
    for stage in dockerfile.stages:
        reference = bases(dockerfile, stage)[0].reference
        named = named_stage(dockerfile, reference, stage.index)
        if named is not None:
            parent, image, state = done[named.index], done[named.index].image, states[named.index].inherited()
        else:
            plain = is_plain(reference)
            parent, image, state = None, reference, _State(env_known=plain, hidden=not plain)
        interpreter = _Interpreter(dockerfile, stage, state, done, tuple(locks), effort)
        for instruction in stage.instructions:
            interpreter.read(instruction)
        states.append(state)
        done.append(interpreter.facts(parent, image))
    return tuple(done)


class _Interpreter:
    def __init__(
        self,
        dockerfile: Dockerfile,
        stage: Stage,
        state: _State,
        before: list[StageFacts],
        locks: tuple[str, ...],
        effort: Effort,
    ) -> None:
        self.dockerfile = dockerfile
        self.effort = effort
        self.stage = stage
        self.state = state
        self.before = before
        self.views = [facts.view for facts in before]
        self.locks = locks
        self.known = (*locks, *(lock.removesuffix(LOCK) + "pyproject.toml" for lock in locks if lock.endswith(LOCK)))
        self.steps: list[Step] = []
        self.carried: list[Carried] = []
        self.own_cmd = False

    def facts(self, parent: StageFacts | None, image: str) -> StageFacts:
        """What is known when every instruction has been read."""
        return StageFacts(
            stage=self.stage,
            parent=parent,
            image=image,
            steps=tuple(self.steps),
            starts=tuple(self.starts()),
            view=self.view(),
            environments=tuple(self.state.environments),
            activated=tuple(self.state.activated),
            carried=tuple(self.carried),
            hidden=self.state.hidden,
            declared=tuple(self.state.declared),
            changing=tuple(self.state.changing),
        )

    def view(self, mounted: Iterable[Placed] = ()) -> View:
        return View((*self.state.placed, *mounted), self.views)

    def expand(self, text: str) -> str:
        return expand_value(scan_value(text), self.state.values)

    def read(self, instruction: Instruction) -> None:
        """Let one instruction change the state."""
        match instruction.name:
            case "ENV":
                self.read_env(instruction)
            case "ARG":
                self.read_arg(instruction)
            case "WORKDIR":
                self.state.cwd = join(self.state.cwd, self.expand(" ".join(instruction.arguments)))
            case "COPY" | "ADD":
                self.read_copy(instruction)
            case "RUN":
                self.read_run(instruction)
            case "SHELL":
                shell = instruction.arguments[0].rpartition("/")[2] if instruction.arguments else ""
                self.state.posix = shell in SHELLS
            case "ENTRYPOINT":
                self.state.entrypoint = instruction
                self.state.cmd = self.state.cmd if self.own_cmd else None  # as BuildKit does
            case "CMD":
                self.state.cmd, self.own_cmd = instruction, True
            case "HEALTHCHECK":
                self.state.healthcheck = instruction if instruction.arguments[:1] == ("CMD",) else None
            case _:
                pass

    # --- variables

    def read_env(self, instruction: Instruction) -> None:
        words = instruction.arguments
        values = self.state.values
        for name, text in zip(words[::3], words[1::3], strict=False):
            value = expand_value(scan_value(text), values)
            self.state.env[name] = value
            self.state.declared.append(Declared("ENV", name, value, instruction.line))
            found = list(activations(name, value, instruction.line))
            if name in {"VIRTUAL_ENV", "PATH"}:
                kept = [each for each in self.state.activated if each.variable != name]
                if name == "PATH" and not is_known(value):  # it goes before what PATH was
                    kept = self.state.activated
                self.state.activated = [*kept, *(each for each in found if each not in kept)]

    def read_arg(self, instruction: Instruction) -> None:
        declared = global_values(self.dockerfile)
        for word in instruction.arguments:
            name, separator, text = word.partition("=")
            value = self.expand(text) if separator else declared.get(name, UNKNOWN)
            self.state.arguments[name] = value
            self.state.declared.append(Declared("ARG", name, value, instruction.line))

    # --- files

    def read_copy(self, instruction: Instruction) -> None:
        if not instruction.arguments:
            return
        bodies = list(instruction.heredocs)
        *written, last = instruction.arguments
        destination = join(self.state.cwd, self.expand(last))
        folder = last.endswith("/") or last in {".", ".."} or len(written) > 1
        sources: list[str] = []
        for word in written:
            if word.startswith("<<") and bodies:
                name = word.lstrip("<-").strip("'\"")
                path = join(destination, name) if folder else destination
                self.state.placed.append(Placed(path=path, origin="text", text=bodies.pop(0), line=instruction.line))
            else:
                sources.append(self.expand(word))
        given = instruction.flag("from")
        if instruction.name == "ADD":
            sources = self.without_urls(sources, destination, instruction)
        excluded = tuple(flag.removeprefix("--exclude=") for flag in instruction.flags if flag.startswith("--exclude="))
        parents = any(flag in {"--parents", "--parents=true"} for flag in instruction.flags)
        copies = [Copied(tuple(sources), destination, folder, excluded, instruction.line)]
        if parents:
            copies = [Copied((each,), join(destination, each), folder=False, line=instruction.line) for each in sources]
        for copied in copies:
            if given is None:
                self.state.placed += self.from_context(copied, self.state.changing)
            else:
                self.state.placed += self.from_stage(self.expand(given), copied)

    def without_urls(self, sources: list[str], destination: str, instruction: Instruction) -> list[str]:
        """The sources of an ADD that are in the context; the others are downloads and repositories."""
        local = []
        for source in sources:
            if not source.startswith(("http://", "https://", "git@", "ssh://", "git://")):
                local.append(source)
                continue
            path, _, fragment = source.partition("#")
            if path.endswith(".git") or not source.startswith("http"):
                version = fragment.partition(":")[0].lstrip("vV")
                self.state.sources.append(Source(destination, repository_name(source), version))
            elif is_program(source) and instruction.flag("checksum") is None:
                command = Command(words=("ADD", source), env={}, env_known=True, cwd=self.state.cwd)
                self.steps.append(self.step(instruction, command, download=Download(url=source, runs=False)))
            self.state.placed.append(Placed(path=destination, origin="unknown", line=instruction.line))
        return local

    def from_context(self, copied: Copied, changing: list[tuple[str, str]]) -> list[Placed]:
        """What the context gives, with the reasons that it is; `changing` gets what changes with a lock."""
        whole = any(source.strip("./") == "" for source in copied.sources if is_known(source))
        brought = list(locks_of(copied, self.locks))
        for lock in brought:
            text = "the whole context" if whole else lock
            self.because(lock, text, copied.line)
        placed = list(from_context(copied, self.locks))
        for lock in brought:
            for item in placed:
                rest = below(item.source, lock) if item.origin == "context" else None
                if rest is not None:
                    changing.append((join(item.path, rest) if rest else item.path, lock))
        return placed

    def from_stage(self, reference: str, copied: Copied, *, is_mount: bool = False) -> list[Placed]:
        """What another stage gives, likewise."""
        named = named_stage(self.dockerfile, reference, self.stage.index)
        for source in copied.sources:
            self.carried.append(
                Carried(
                    reference=reference,
                    stage=None if named is None else named.index,
                    source=join("/", source),
                    destination=copied.destination,
                    line=copied.line,
                    is_mount=is_mount,
                )
            )
        if named is None:
            return [Placed(path=copied.destination, origin="unknown", line=copied.line)]
        other = self.before[named.index]
        for source in copied.sources:
            self.carry(other, join("/", source), copied, is_mount=is_mount)
        return list(from_stage(copied, named.index))

    def carry(self, other: StageFacts, source: str, copied: Copied, *, is_mount: bool) -> None:
        """What changes with a lock, and environments, on their way from another stage."""
        for path, lock in other.changing:
            rest = below(source, path)
            if rest is None and below(path, source) is None:
                continue
            self.because(lock, f"{path} of stage {other.stage.name or other.stage.index}", copied.line)
            if not is_mount:
                self.state.changing.append((join(copied.destination, rest or "."), lock))
        for environment in () if is_mount else other.environments:
            rest = below(source, environment.path)
            if rest is not None:
                arrived = join(copied.destination, rest or ".")
                self.state.environments.append(replace(environment, path=arrived))

    def because(self, lock: str, text: str, line: int) -> None:
        reason = Reason(lock, text, line)
        if reason not in self.state.reasons:
            self.state.reasons.append(reason)

    # --- commands

    def read_run(self, instruction: Instruction) -> None:
        mounted: list[Placed] = []
        caches: list[str] = []
        secrets: dict[str, str] = {}
        for flag in instruction.flags:
            if flag.startswith("--mount="):
                items = dict(item.partition("=")[::2] for item in flag.removeprefix("--mount=").split(","))
                mounted += self.mount({key: self.expand(value) for key, value in items.items()}, instruction)
                if items.get("type") == "cache":
                    caches.append(join(self.state.cwd, self.expand(_target(items))))
                elif items.get("type") == "secret" and items.get("env"):
                    secrets[items["env"]] = UNKNOWN
        view = self.view(mounted)
        for command in self.commands(instruction, view, secrets):
            self.run_command(instruction, command, view, tuple(caches))

    def mount(self, items: dict[str, str], instruction: Instruction) -> list[Placed]:
        if items.get("type", "bind") != "bind":
            return []
        target = join(self.state.cwd, _target(items))
        source = items.get("source", items.get("src", "."))
        copied = Copied((source,), target, folder=False, line=instruction.line)
        if "from" in items:
            return self.from_stage(items["from"], copied, is_mount=True)
        return self.from_context(copied, [])

    def commands(self, instruction: Instruction, view: View, secrets: dict[str, str]) -> list[Command]:
        """What an instruction runs."""
        values = {**self.state.values, **secrets}
        shell = Shell(
            variables=values,
            exported=set(values),
            arguments=frozenset(self.state.arguments.keys() - self.state.env.keys()),
            cwd=self.state.cwd,
            env_known=self.state.env_known,
            script=view.script,
            effort=self.effort,
        )
        words = instruction.arguments
        if instruction.name == "HEALTHCHECK":
            words = words[1:]
        if instruction.exec_form:
            return run_words(words, shell) if words else []
        if not self.state.posix:
            self.state.hidden = True
            return []
        return run(" ".join(words), shell, instruction.heredocs)

    def step(self, instruction: Instruction, command: Command, **more: object) -> Step:
        return replace(
            Step(
                stage=self.stage.index,
                instruction=instruction,
                command=command,
                uv=read_uv(command),
                install=read_install(command),
                download=read_download(command),
                reasons=tuple(self.state.reasons),
                declared=tuple(self.state.declared),
                sources=tuple(self.state.sources),
            ),
            **more,  # type: ignore[arg-type] # fields of Step
        )

    def run_command(self, instruction: Instruction, command: Command, view: View, caches: tuple[str, ...]) -> None:
        state = self.state
        call = read_uv(command)
        lock, venv = "", UNKNOWN
        if call is not None:
            folder, lock = project_folder(command, call, view, self.known)
            venv = project_environment(command, call, folder)
        self.steps.append(self.step(instruction, command, lock=lock, venv=venv, caches=caches))
        state.hidden = state.hidden or hides(command, state.commands)
        state.commands.append(command)
        clone = read_clone(command)
        if clone is not None:
            state.sources.append(Source(*clone))
        if command.name in _MOVING and len(command.words) > 1:
            target = join(command.cwd, command.words[-1])
            if is_known(target):
                state.placed.append(Placed(path=target, origin="unknown", line=instruction.line))
        for environment in made_by(command, call, venv, instruction.line):
            if not is_system(environment.path):
                state.environments.append(environment)
        if call is not None and call.command == "sync":
            seen = lock if lock and is_known(lock) else LOCK
            if is_known(venv):
                state.changing.append((venv, seen))
            if call.options.has("locked", "frozen"):
                self.because(seen, "`uv sync`", instruction.line)

    def starts(self) -> list[Step]:
        """What a container of this stage runs."""
        entrypoint, cmd = self.state.entrypoint, self.state.cmd
        found: list[tuple[Instruction, Instruction]] = []  # (where it stands, what runs)
        if entrypoint is None or not entrypoint.exec_form:
            found += [(each, each) for each in (entrypoint or cmd,) if each is not None]
        else:
            words = entrypoint.arguments
            if cmd is not None:
                words = (*words, *(cmd.arguments if cmd.exec_form else ("sh", "-c", " ".join(cmd.arguments))))
            own = cmd if cmd is not None and "uv" not in entrypoint.arguments else entrypoint
            found.append((own, replace(entrypoint, arguments=words)))
        if self.state.healthcheck is not None:
            found.append((self.state.healthcheck, self.state.healthcheck))
        view = self.view()
        return [self.step(place, command) for place, runs in found for command in self.commands(runs, view, {})]


def _target(items: dict[str, str]) -> str:
    return items.get("target") or items.get("dst") or items.get("destination") or UNKNOWN
