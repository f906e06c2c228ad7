"""Inputs that once broke something, each as small as it is still broken by what was there before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding.

    Attributes:
        harness: of `bench.fuzz` that found it.
        text: the input.
        found: what it broke.
        fix: what was done.
    """

    harness: str
    text: str
    found: str
    fix: str


_DIGITS: Final = "9" * 5000
_LOCK: Final = 'version = 1\nrequires-python = ">=3.11"\n[[package]]\nname = "a"\nsource = { virtual = "." }\n'

CASES: Final[tuple[Found, ...]] = (
    Found(
        harness="lock",
        text=f'{_LOCK}[package.metadata]\nrequires-dist = [{{ name = "a", git = "https://[x" }}]\n',
        found="a traceback: an address of which no parser finds the host",
        fix="it is a requirement that only uv can read",
    ),
    Found(
        harness="lock",
        text=f"{_LOCK}{'a.' * 16_000}a = 1\n",
        found="3 s, and the square of it: a dotted key",
        fix="what is too deep for the fast parser does not go to the slow one",
    ),
    Found(
        harness="project",
        text='[project]\nname = "app"\n[dependency-groups]\ng0 = ["a"]\n'
        + "".join(f'g{n + 1} = [{{ include-group = "g{n}" }}]\n' for n in range(600)),
        found="a traceback: a chain of hundreds of groups",
        fix="a group that deep is one that only uv can read",
    ),
    Found(
        harness="settings",
        text=f"[tool.lockaudit.{_DIGITS}]\na = 1\n",
        found="a traceback: a key of more digits than Python reads",
        fix="only the index of an array is read as a number",
    ),
    Found(
        harness="settings",
        text='[tool.lockaudit.9999999999999999]\ntargets = ["linux-x86_64-cp312"]\n',
        found="a hang: a key that was taken for an index",
        fix="only the index of an array is read as a number",
    ),
    Found(
        harness="settings",
        text='[tool.lockaudit."pair[]"."\u00b2"]\nname = 1\n',
        found="a traceback: a key that is written as arrays are",
        fix="such a key is unknown",
    ),
    Found(
        harness="texts",
        text="a" + "-" * 5_000 + "a" + " " * 5_000 + "@",
        found="minutes: a requirement of dashes and spaces",
        fix="no part of the expression gives back what it has taken",
    ),
    Found(
        harness="texts",
        text="a" * 60_000 + "@",
        found="minutes: a long word, in which a login was looked for",
        fix="a scheme begins where a word does",
    ),
    Found(
        harness="dockerfile",
        text=f"# {_DIGITS}\nARG A=1.0\nFROM $A\n",
        found="3 s, and the square of it: a long word in the comment above an ARG",
        fix="items of a list do not give letters back",
    ),
    Found(
        harness="dockerfile",
        text=f"FROM scratch\nCOPY --from={_DIGITS} a b\n",
        found="a traceback: a stage's number of more digits than Python reads",
        fix="no stage has such a number",
    ),
    Found(
        harness="dockerfile",
        text=f"FROM scratch\nRUN {'[' * 5_000}\n",
        found="a traceback: an exec form of brackets",
        fix="refused, with the file's name",
    ),
    Found(
        harness="dockerfile",
        text="FROM scratch\nRUN pip install https://[x/y\n",
        found="a traceback: an install from an address without a host",
        fix="the file's name is taken from the text",
    ),
    Found(
        harness="dockerfile",
        text="ARG A0=aaaaaaaaaa\n" + "".join(f"ARG A{n + 1}=${{A{n}}}${{A{n}}}\n" for n in range(40)) + "FROM $A40\n",
        found="all of the memory: arguments that double with every line",
        fix="a value has 4096 characters at most",
    ),
    Found(
        harness="dockerfile",
        text="FROM scratch\nCOPY <<EOF /x.sh\n" + ". /x.sh\nsh /x.sh\n" * 50 + "EOF\nRUN sh /x.sh\n",
        found="a hang: a script that calls itself a few dozen times",
        fix="the scripts of one Dockerfile share a budget",
    ),
    Found(
        harness="bake-json",
        text=_DIGITS,
        found="a traceback: a number of more digits than Python reads",
        fix="refused, with the file's name",
    ),
    Found(
        harness="bake",
        text='target "t0" {}\n'
        + "".join(f'target "t{n + 1}" {{\n  inherits = ["t{n}", "t{n}"]\n}}\n' for n in range(40)),
        found="a hang: parents that double with every target",
        fix="each ancestor counts once, where it is reached last",
    ),
    Found(
        harness="bake",
        text="".join(
            f'function "f{n}" {{\n  params = []\n  result = [{", ".join(f"f{m}()" for m in range(9))}]\n}}\n'
            for n in range(9)
        )
        + 'target "t" {\n  cache-to = [f0()]\n}\n',
        found="a hang: functions that call each other",
        fix="each function is looked at once",
    ),
    Found(
        harness="reports",
        text='["\\ud800", "b"]',
        found="a traceback: half of a character in a name, in SARIF and in GitLab's report",
        fix="the fingerprint takes it as it is",
    ),
    Found(
        harness="reports",
        text='["a", "\\u001b[2J"]',
        found="a target and a pair's name were written as they are, and logins in JSON",
        fix="they are shown like all other texts",
    ),
)
