"""The state of a shell and the commands that it runs: what `script` makes of the text of a RUN.

What depends on anything outside of the Dockerfile is `UNKNOWN`.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Stands in a text for what cannot be told. No word, path or value of a Dockerfile can hold it.
UNKNOWN: Final = "\0"
SHELLS: Final = frozenset({"sh", "bash", "dash", "ash", "zsh"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command.

    Attributes:
        words: expanded; a part that cannot be told is `UNKNOWN`.
        env: the variables that it is given.
        env_known: whether `env` is all of them.
        cwd: the folder that it runs in.
        feeds: the program that its output is piped or substituted into, or an empty string.
        references: the variables in its words.
    """

    words: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    env_known: bool
    cwd: str
    feeds: str = ""
    references: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Of the program, without its folder."""
        return posixpath.basename(self.words[0])

    def variable(self, name: str) -> str | None:
        """The value of a variable: None where it is not set, with `UNKNOWN` in it where nobody knows."""
        return self.env.get(name, None if self.env_known else UNKNOWN)


def is_known(text: str) -> bool:
    """Whether all of a text can be told."""
    return UNKNOWN not in text


def join(folder: str, path: str) -> str:
    """A path in a folder, without `.`, `..` and a last slash; `UNKNOWN` if it cannot be told."""
    if not is_known(path) or (not is_known(folder) and not path.startswith("/")):
        return UNKNOWN
    return posixpath.normpath("/" + posixpath.join(folder, path).lstrip("/"))


@dataclass(slots=True)
class Effort:
    """How much work is left for the scripts of one Dockerfile: one that calls itself would take forever.

    Attributes:
        left: characters to be read; a command counts as some, and so do the variables that a subshell copies.
    """

    left: int = 500_000

    def spend(self, amount: int) -> bool:
        """Whether there is enough left, which is then less."""
        self.left -= amount
        return self.left >= 0


@dataclass(slots=True, kw_only=True)
class Shell:
    """The state of a shell.

    Attributes:
        variables: all of them.
        exported: the ones that commands are given.
        arguments: the ones that whoever builds can set: an empty default says nothing about the value.
        cwd: the current folder.
        env_known: whether `variables` has every variable that commands are given.
        script: the text of a script at a path, or None where it is not known.
        allexport: whether every assignment exports (`set -a`).
        effort: what is left of it; where nothing is, scripts are not followed any more.
    """

    variables: dict[str, str]
    exported: set[str]
    arguments: frozenset[str]
    cwd: str
    env_known: bool
    script: Callable[[str], str | None]
    allexport: bool = False
    effort: Effort = field(default_factory=Effort)

    def child(self) -> Shell:
        """A copy that changes without this one."""
        return replace(self, variables=dict(self.variables), exported=set(self.exported))

    def become(self, other: Shell) -> None:
        """Take over the state of another."""
        self.variables, self.exported = dict(other.variables), set(other.exported)
        self.cwd, self.env_known, self.allexport = other.cwd, other.env_known, other.allexport

    def merge(self, *others: Shell) -> None:
        """Keep what all agree about; the rest is unknown."""
        for other in others:
            for name in self.variables.keys() | other.variables.keys():
                if self.variables.get(name) != other.variables.get(name):
                    self.variables[name] = UNKNOWN
            self.exported |= other.exported
            self.cwd = self.cwd if self.cwd == other.cwd else UNKNOWN
            self.env_known = self.env_known and other.env_known

    def process(self, inline: Mapping[str, str]) -> Shell:
        """The state that a script starts with when this one calls it."""
        variables = {name: value for name, value in self.variables.items() if name in self.exported} | dict(inline)
        return replace(self, variables=variables, exported=set(variables), allexport=False)
