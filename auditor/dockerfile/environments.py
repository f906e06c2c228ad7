"""Where the virtual environments of a stage are: made by uv or Python, copied along, and said to be."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final, Literal

from auditor.dockerfile.commands import ARCHIVES, PYTHON, read_download
from auditor.dockerfile.facts import Activation, Environment
from auditor.dockerfile.files import below
from auditor.dockerfile.shell import SHELLS, UNKNOWN, is_known, join

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.dockerfile.commands import UvCall
    from auditor.dockerfile.facts import StageFacts
    from auditor.dockerfile.files import View
    from auditor.dockerfile.shell import Command

# Not `.env`, which is a file of variables.
_NAME: Final = re.compile(r"(?:.*[-_.])?(?:virtualenv|venv)(?:[-_.]\w+)?|env", re.IGNORECASE)
# Prefixes of an operating system: packages are installed there, but nothing is moved or activated.
_SYSTEM: Final = frozenset({"/", "/usr", "/usr/local", "/opt/conda"})
_BUILDERS: Final = frozenset({"make", "just", "task", "nox", "tox", "conda", "mamba", "micromamba", "pixi", "poetry"})
_FALSE: Final = frozenset({"", "0", "false", "no", "off", "f", "n"})


def is_set(value: str | None) -> bool:
    """Whether a switch of uv's environment is on. Something unknown counts as on: it may be."""
    return value is not None and value.lower() not in _FALSE


def project_folder(command: Command, call: UvCall, view: View, known: Sequence[str]) -> tuple[str, str]:
    """(folder, lock) of the project that a call of uv works on: the nearest folder upwards that has a lock.

    Args:
        command: the command.
        call: it as a call of uv.
        view: the files that it sees.
        known: files of the context: locks, and the pyproject.toml beside each.

    Returns:
        `UNKNOWN` for what cannot be told, an empty lock where there is none.
    """
    folder = command.cwd
    for option, variable in (("directory", "UV_WORKING_DIR"), ("project", "UV_PROJECT")):
        value = call.options.last(option) or command.env.get(variable)
        folder = join(folder, value) if value else folder
    if not is_known(folder):
        return UNKNOWN, UNKNOWN
    folders = [folder]
    while folders[-1] != "/":
        folders.append(posixpath.dirname(folders[-1]))
    for name in ("uv.lock", "pyproject.toml"):
        for each in folders:
            found = view.context_file(join(each, name), known)
            if found:
                lock = found if name == "uv.lock" else ""
                return (each, lock) if is_known(found) else (UNKNOWN, UNKNOWN)
    return UNKNOWN, ""


def project_environment(command: Command, call: UvCall, folder: str) -> str:
    """The environment of a project."""
    if call.options.has("active") and (active := command.variable("VIRTUAL_ENV")):
        return join(command.cwd, active)
    value = command.variable("UV_PROJECT_ENVIRONMENT")
    return join(folder, ".venv") if not value else join(folder, value)


def made_by(command: Command, call: UvCall | None, venv: str, line: int) -> Iterator[Environment]:
    """The environments that a command makes.

    Args:
        command: the command.
        call: it as a call of uv, or None.
        venv: the environment of uv's project.
        line: of the instruction.
    """
    movable = is_set(command.env.get("UV_VENV_RELOCATABLE"))
    if call is not None:
        kept = call.options.has("no-sync", "no-project", "isolated", "dry-run", "check", "help")
        kept = kept or (call.command != "sync" and is_set(command.env.get("UV_NO_SYNC")))
        if call.command in {"sync", "run", "add"} and not kept:
            yield _environment(venv, f"uv {call.command}", line, relocatable=movable)
        elif call.command == "venv":
            movable = movable or call.options.has("relocatable")
            paths = [join(command.cwd, path) for path in call.options.operands[:1]]
            # Without a path it is the project's, or .venv here.
            for path in paths or sorted({venv, join(command.cwd, ".venv")}):
                yield _environment(path, "uv venv", line, relocatable=movable)
        return
    words = command.words
    if PYTHON.fullmatch(command.name) and words[1:2] == ("-m",) and words[2:3] in (("venv",), ("virtualenv",)):
        words = words[2:]
    elif command.name != "virtualenv":
        return
    paths = [word for word in words[1:] if not word.startswith("-")]
    yield _environment(join(command.cwd, paths[-1]) if paths else UNKNOWN, words[0], line)


def _environment(path: str, how: str, line: int, *, relocatable: bool = False) -> Environment:
    return Environment(path=path, made_at=path, how=how, line=line, relocatable=relocatable)


def activations(name: str, value: str, line: int) -> Iterator[Activation]:
    """The environments that an ENV puts in force."""
    if name == "VIRTUAL_ENV" and is_known(value) and value.startswith("/"):
        yield Activation(join("/", value), name, line)
    elif name == "PATH":
        for entry in value.split(":"):
            path, last = posixpath.split(entry.rstrip("/"))
            if last == "bin" and is_known(path) and path.startswith("/") and looks_like_environment(path):
                yield Activation(join("/", path), name, line)


def looks_like_environment(path: str) -> bool:
    """Whether a path is named like a virtual environment."""
    return bool(_NAME.fullmatch(posixpath.basename(path)))


def is_system(path: str) -> bool:
    """Whether a path is the operating system's own prefix."""
    return path in _SYSTEM


def hides(command: Command, before: Sequence[Command]) -> bool:
    """Whether a command may make environments that nobody sees here: a script whose text is not known.

    Args:
        command: the command.
        before: the ones that ran before it: an installer that was downloaded installs its program.
    """
    if command.name in _BUILDERS:
        return True
    script = command.name.endswith((".sh", ".bash")) or not is_known(command.name)
    if command.name not in SHELLS and not script:
        return False
    operands = [word for word in command.words[0 if script else 1 :] if not word.startswith("-")]
    names = {posixpath.basename(word) for word in operands}
    for other in before:
        download = read_download(other)
        if download is None:
            continue
        outputs = {posixpath.basename(word) for word in other.words[1:] if not word.startswith("-")}
        if other.feeds == command.name or names & outputs:
            return False
    return True


def existence(stages: Sequence[StageFacts], facts: StageFacts, path: str) -> Literal["yes", "no", "maybe"]:
    """Whether a stage has an environment at a path when it has ended.

    Args:
        stages: all of them.
        facts: the stage.
        path: absolute.
    """
    if any(environment.path == path for environment in facts.environments):
        return "yes"
    unknown = any(not is_known(environment.path) for environment in facts.environments)
    if facts.hidden or unknown or _mentions(facts, path):
        return "maybe"
    for item in facts.view.placed:
        rest = below(item.path, path)
        archive = item.origin == "context" and item.source.endswith(ARCHIVES)
        if rest is None or (item.origin in {"context", "text"} and rest and not archive):
            continue
        if item.origin != "stage":
            return "maybe"
        source = join(item.source, rest) if rest else item.source
        if existence(stages, stages[item.stage], source) != "no":
            return "maybe"
    return "no"


def _mentions(facts: StageFacts, path: str) -> bool:
    """Whether a command names a path: it may make it, or would fail without it."""
    for step in facts.all_steps:
        if step.uv is not None and step.uv.command == "sync":
            continue
        for word in step.command.words:
            if path in word or below(path, join(step.command.cwd, word)) is not None:
                return True
    return False
