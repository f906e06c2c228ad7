"""Commands of a shell script, read as what they do: calls of uv with their options, and downloads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.dockerfile.shell import SHELLS, is_known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.dockerfile.shell import Command

# Options of uv and pip that take a value (`uv COMMAND --help` of uv 0.13, `pip COMMAND --help` of pip 26); all other
# options are switches. `--no-binary` takes one in `uv pip` and pip, and none in `uv sync`.
_OPTIONS: Final = """\
abi allow-insecure-host annotation-style bounds branch build-constraint build-constraints build-option bump cache-dir
cert
client-cert color config-file config-setting config-settings config-settings-package constraint constraints
custom-compile-command default-index directory editable env-file exclude exclude-newer exclude-newer-package
excludes exists-action extra extra-index-url find-links fork-strategy format from global-option group hash
implementation index index-strategy index-url install-dir keyring-provider link-mode log marker mirror no-binary
no-binary-package no-build-isolation-package no-build-package no-editable-package no-emit-package no-extra no-group
no-install-package no-sources-package only-binary only-group optional out-dir outdir output-file output-format
override overrides package platform prefix prerelease prerelease-package preview-features progress-bar project
prompt proxy prune pypy-mirror python python-downloads-json-url python-platform python-version refresh-package
reinstall-package report requirement requirements resolution retries rev root root-user-action script src tag target
timeout torch-backend trusted-host upgrade-group upgrade-package upgrade-strategy use-deprecated use-feature
wheel-dir with with-editable with-executables-from with-requirements
"""
_VALUES: Final = frozenset(_OPTIONS.split())
_SHORT: Final = {
    "-b": "build-constraints",
    "-C": "config-setting",
    "-c": "constraints",
    "-e": "editable",
    "-f": "find-links",
    "-i": "index-url",
    "-o": "output-file",
    "-P": "upgrade-package",
    "-p": "python",
    "-r": "requirements",
    "-t": "target",
    "-w": "wheel-dir",
}
_ALIASES: Final = {"requirement": "requirements", "constraint": "constraints"}
# Options that mean something else in one command.
_SHORT_OF: Final = {
    "run": {**_SHORT, "-w": "with"},
    "tool run": {**_SHORT, "-w": "with"},
    "tool install": {**_SHORT, "-w": "with"},
    "venv": {**_SHORT, "-c": "clear"},
    "build": {**_SHORT, "-o": "out-dir"},
    "add": {**_SHORT, "-m": "marker"},
}
_SWITCHES_OF: Final = {
    "run": frozenset({"script"}),
    "add": frozenset({"editable"}),
    "tool install": frozenset({"editable"}),
}
_GROUPED: Final = frozenset({"pip", "tool", "python", "cache", "self", "auth"})
PYTHON: Final = re.compile(r"python(?:\d+(?:\.\d+)?)?")
ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tar.zst", ".zip", ".whl", ".gz", ".xz")
_LOCAL: Final = re.compile(r"https?://(?:localhost|127\.|0\.0\.0\.0|\[::1\])")
_PROGRAMS: Final = (".sh", ".run", ".bin", ".py", ".appimage", ".bash")
_VERIFYING: Final = frozenset(
    {"sha256sum", "sha512sum", "sha1sum", "sha384sum", "shasum", "md5sum", "b2sum", "cosign", "gpgv"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options and operands of a command.

    Attributes:
        values: long name without dashes -> its values; none for a switch.
        operands: the other words.
        open: whether there are words that cannot be told, so that an option that is missing may be given all the same.
    """

    values: Mapping[str, tuple[str, ...]]
    operands: tuple[str, ...]
    open: bool

    def has(self, *names: str) -> bool:
        """Whether one of these options is given."""
        return any(name in self.values for name in names)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of an option; commas separate values too."""
        return tuple(item for value in self.values.get(name, ()) for item in value.split(",") if item)

    def last(self, name: str) -> str | None:
        """The value of an option that counts, or None."""
        return next(iter(reversed(self.values.get(name, ()))), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class UvCall:
    """A call of uv.

    Attributes:
        command: `sync`, `run`, `pip install`.
        options: of all of it.
        inner: for `run`, the words of the command that it runs.
    """

    command: str
    options: Options
    inner: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file from the network: its URL as far as it can be told, and whether a shell or an interpreter runs it."""

    url: str
    runs: bool


def read_options(
    words: tuple[str, ...],
    *,
    stop: bool = False,
    switches: frozenset[str] = frozenset(),
    short: Mapping[str, str] = _SHORT,
) -> Options:
    """The options of a command.

    Args:
        words: without the program.
        stop: leave everything from the first operand on as it is (`uv run`).
        switches: options that take no value here, although they do elsewhere.
        short: the long names of short options.
    """
    values: dict[str, list[str]] = {}
    operands: list[str] = []
    unknown = False
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--":
            operands += words[at:]
            break
        if not word.startswith("-") or word == "-":
            # A word that begins with something unknown may be an option, or may be several.
            unknown = unknown or not is_known(word[:1])
            operands.append(word)
            if stop and is_known(word[:1]):
                operands += words[at:]
                break
            continue
        name, separator, value = word.partition("=")
        if not word.startswith("--"):
            name, separator, value = (
                short.get(word[:2], word[:2]),
                word[2:].removeprefix("="),
                word[2:].removeprefix("="),
            )
        name = name.removeprefix("--")
        name = _ALIASES.get(name, name)
        given = values.setdefault(name, [])
        if separator:
            given.append(value)
        elif name in _VALUES - switches and at < len(words):
            given.append(words[at])
            at += 1
    return Options(
        values={name: tuple(given) for name, given in values.items()}, operands=tuple(operands), open=unknown
    )


def read_uv(command: Command) -> UvCall | None:
    """A command as a call of uv, or None."""
    words = command.words
    if PYTHON.fullmatch(command.name) and words[1:3] == ("-m", "uv"):
        words = words[2:]
    elif command.name != "uv":
        return None
    head = read_options(words[1:], stop=True)
    if not head.operands or head.open:
        return None
    name, rest = head.operands[0], head.operands[1:]
    if name in _GROUPED and rest:
        name, rest = f"{name} {rest[0]}", rest[1:]
    runs = name in {"run", "tool run"}
    switches = _SWITCHES_OF.get(name, frozenset()) | (frozenset() if name.startswith("pip") else {"no-binary"})
    options = read_options(rest, stop=runs, switches=switches, short=_SHORT_OF.get(name, _SHORT))
    values = dict(head.values)
    for key, given in options.values.items():
        values[key] = (*values.get(key, ()), *given)
    inner = options.operands if runs and not options.open else ()
    operands = () if runs else options.operands
    return UvCall(command=name, options=Options(values=values, operands=operands, open=options.open), inner=inner)


def is_program(url: str) -> bool:
    """Whether a URL is that of a program or an archive: keys, lists and pages are none."""
    path = url.partition("?")[0].partition("#")[0].lower()
    return not _LOCAL.match(url) and path.endswith((*ARCHIVES, *_PROGRAMS))


def read_download(command: Command) -> Download | None:
    """A command as the download of a program or an archive, or None."""
    if command.name not in {"curl", "wget"}:
        return None
    written = [word for word in command.words[1:] if re.match(r"(?:https?|ftp)://", word)]
    urls = [url for url in written if not _LOCAL.match(url)]
    runs = command.feeds in SHELLS or bool(PYTHON.fullmatch(command.feeds)) or command.feeds == "eval"
    unpacks = command.feeds in {"tar", "unzip", "bsdtar"}
    kept = any(is_program(word) for word in command.words[1:])  # by the name that it gets
    found = next((url for url in urls if runs or unpacks or kept), None)
    if found is None:
        return Download(url="", runs=True) if runs and not written else None
    return Download(url=found, runs=runs)


def verifies(command: Command) -> bool:
    """Whether a command checks a downloaded file against a known hash or a signature."""
    if command.name in {"gpg", "openssl"}:
        return bool({"--verify", "dgst"} & set(command.words))
    return command.name in _VERIFYING
