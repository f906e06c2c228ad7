"""Commands read as installs and builds of packages: what they name, and at which version."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from auditor.dockerfile.commands import ARCHIVES, PYTHON, Options, read_options, read_uv
from auditor.dockerfile.shell import is_known, join
from auditor.names import normalize

if TYPE_CHECKING:
    from auditor.dockerfile.shell import Command

_PIP: Final = re.compile(r"pip(?:\d+(?:\.\d+)?)?")
_REQUIREMENT: Final = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*+)\s*+(?:\[(?P<extras>[^\]]*+)\])?\s*+"
    r"(?:@\s*+(?P<url>\S++)|===?\s*+(?P<version>[\w.+!-]+))?"
    r"(?P<rest>(?:[<>~!=,;\s]|(?<=\s)).*)?"
)
_WHEEL: Final = re.compile(r"(?P<name>\w[\w.]*)-(?P<version>\d[\w.!]*)(?:\+[^-]*)?-")
_REVISION: Final = re.compile(r"@[vV]?(?P<version>\d+(?:\.\d+)+[\w.]*)(?:#|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What an install names.

    Attributes:
        kind: `index`, `wheel` (a file or a URL), `git`, `archive`, `path`.
        name: normalised; of a git repository, its own name; an empty string where nothing tells.
        version: exact, or an empty string.
        extras: normalised.
        text: as written.
        subdirectory: below a repository's root, or an empty string.
    """

    kind: str
    name: str
    version: str = ""
    extras: tuple[str, ...] = ()
    text: str = ""
    subdirectory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """An install or a build of packages.

    Attributes:
        tool: `pip`, `uv pip`, `uv build`, `build`, `setup.py`.
        verb: `install`, `wheel`, `sync`, `download`, or the command of setup.py.
        options: of the command.
        requirements: what it names, `-e` included.
    """

    tool: str
    verb: str
    options: Options
    requirements: tuple[Requirement, ...]


def read_install(command: Command) -> Install | None:  # noqa: PLR0911 - one for each tool
    """A command as an install or a build of packages, or None. `uv sync` is none: what it installs is in a lock."""
    call = read_uv(command)
    if call is not None:
        if call.inner:
            return read_install(replace(command, words=call.inner))
        tool, _, verb = call.command.rpartition(" ")
        if tool == "pip" and verb in {"install", "sync"}:
            return _install("uv pip", verb, call.options)
        if call.command == "build":
            return _build("uv build", "wheel", call.options)
        return None
    words = command.words
    module = bool(PYTHON.fullmatch(command.name)) and len(words) > 1
    if module and posixpath.basename(words[1]) == "setup.py":
        verb = next((word for word in words[2:] if not word.startswith("-")), "")
        return _build("setup.py", verb, read_options(()))
    arguments: tuple[str, ...] | None = words[1:] if _PIP.fullmatch(command.name) else None
    if module and "-m" in words:
        at = words.index("-m")
        if words[at + 1 : at + 2] == ("build",):
            return _build("build", "wheel", read_options(words[at + 2 :]))
        arguments = words[at + 2 :] if words[at + 1 : at + 2] == ("pip",) else None
    if arguments is None:
        return None
    head = read_options(arguments, stop=True)
    if not head.operands or head.open or head.operands[0] not in {"install", "wheel", "download"}:
        return None
    return _install("pip", head.operands[0], read_options((*_options_of(arguments, head), *head.operands[1:])))


def _options_of(arguments: tuple[str, ...], head: Options) -> tuple[str, ...]:
    return arguments[: len(arguments) - len(head.operands)]


def _install(tool: str, verb: str, options: Options) -> Install:
    if "no-binary" in options.values and not options.values["no-binary"]:
        options = replace(options, values={**options.values, "no-binary": (":all:",)})
    named = () if verb == "sync" else options.operands
    if verb == "sync":
        options = replace(
            options,
            values={**options.values, "requirements": (*options.values.get("requirements", ()), *options.operands)},
        )
    texts = (*named, *options.values.get("editable", ()))
    return Install(tool=tool, verb=verb, options=options, requirements=tuple(map(read_requirement, texts)))


def _build(tool: str, verb: str, options: Options) -> Install:
    path = next(iter(options.operands), ".")
    return Install(tool=tool, verb=verb, options=options, requirements=(Requirement(kind="path", name="", text=path),))


def read_requirement(text: str) -> Requirement:
    """What one operand of an install names."""
    if not is_known(text[:1]) or not text:
        return Requirement(kind="index", name="", text=text)
    bare = text.partition(";")[0].strip()
    match = _REQUIREMENT.fullmatch(bare)
    named = match is not None and match["name"] != "git"
    extras = (
        tuple(normalize(each.strip()) for each in (match["extras"] or "").split(",") if each.strip()) if match else ()
    )
    if match is not None and named and match["url"]:
        return replace(_from_url(match["url"], normalize(match["name"]), text), extras=extras)
    if "://" in bare or bare.startswith("git+") or bare.endswith(".whl"):
        return _from_url(bare, "", text)
    path = bare.split("[")[0]
    if path.startswith((".", "/", "~")) or "/" in path or path.endswith(ARCHIVES):
        return Requirement(kind="path", name="", text=path)
    if match is None:
        return Requirement(kind="index", name="", text=text)
    version, rest = match["version"] or "", (match["rest"] or "").strip()
    exact = "" if rest or "*" in version else version
    return Requirement(kind="index", name=normalize(match["name"]), version=exact, extras=extras, text=text)


def _from_url(url: str, name: str, text: str) -> Requirement:
    path, _, fragment = url.partition("#")
    below = path.partition("?")[0].partition("://")[2].partition("/")[2] if "://" in path else path
    filename = unquote(posixpath.basename(below))
    items = dict(item.partition("=")[::2] for item in fragment.split("&"))
    name = name or normalize(items.get("egg", ""))
    if filename.endswith(".whl") and is_known(filename):
        wheel = _WHEEL.match(filename)
        if wheel is None:
            return Requirement(kind="wheel", name=name, text=text)
        return Requirement(kind="wheel", name=normalize(wheel["name"]), version=wheel["version"], text=text)
    if url.startswith(("git+", "git@")) or path.partition("@")[0].endswith(".git"):
        revision = _REVISION.search(url.partition("://")[2])
        return Requirement(
            kind="git",
            name=name or repository_name(url),
            version=revision["version"] if revision and is_known(revision["version"]) else "",
            text=text,
            subdirectory=items.get("subdirectory", ""),
        )
    return Requirement(kind="archive", name=name, text=text)


def repository_name(url: str) -> str:
    """The name of a git repository: the last part of its URL, normalised."""
    path = url.partition("#")[0]
    scheme, _, rest = path.rpartition("://")
    rest = rest.rpartition("@")[0] if "@" in posixpath.basename(rest) else rest
    name = posixpath.basename(rest.rstrip("/")).removesuffix(".git")
    return normalize(name) if is_known(name) and (scheme or rest) else ""


def read_clone(command: Command) -> tuple[str, str, str] | None:
    """(folder, name of the repository, version that its tag names) of a `git clone`, or None."""
    if command.name != "git" or "clone" not in command.words:
        return None
    words = command.words[command.words.index("clone") + 1 :]
    values = {
        "-b",
        "--branch",
        "--depth",
        "-o",
        "--origin",
        "-c",
        "--config",
        "-j",
        "--jobs",
        "--filter",
        "--reference",
    }
    operands: list[str] = []
    tag = ""
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word in values:
            tag = words[at] if word in {"-b", "--branch"} and at < len(words) else tag
            at += 1
        elif word.startswith("--branch="):
            tag = word.removeprefix("--branch=")
        elif not word.startswith("-"):
            operands.append(word)
    if not operands or not is_known(operands[0]):
        return None
    folder = operands[1] if len(operands) > 1 else posixpath.basename(operands[0].rstrip("/")).removesuffix(".git")
    version = re.fullmatch(r"[vV]?(\d+(?:\.\d+)+[\w.]*)", tag)
    return join(command.cwd, folder), repository_name(operands[0]), version[1] if version else ""
