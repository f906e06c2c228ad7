"""What a shell script runs: its commands with their words, environment and folder, as far as they can be told.

A small abstract interpretation, not a shell: every branch of a condition runs, each from the state before it, and what
differs afterwards is unknown. Scripts whose text is known (here-documents that a stage copies or mounts) are followed,
others are not.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from auditor.dockerfile.scan import ASSIGNMENT, Token, function_body, is_assignment, literal, scan, scan_quoted
from auditor.dockerfile.shell import SHELLS, UNKNOWN, Command, Shell, is_known, join

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from auditor.dockerfile.scan import Part, Word

_DEEPEST: Final = 8  # nested scripts, functions and substitutions
_MOST: Final = 2000  # commands of one instruction
_LONGEST: Final = 131_072  # characters of a script: the kernel takes no longer argument
_LONGEST_VALUE: Final = 32_768  # characters of a variable: one made of others doubles with every step
_EFFORT: Final = 20  # of a command and of a block, beside the characters
_TESTS: Final = frozenset({"[", "[[", "test", "command", "grep", "which", "type", "cmp", "diff", "false"})
_OPENING: Final = frozenset({"if", "while", "until", "for", "select", "case"})
_BRANCHING: Final = frozenset({"if", "case"})
_CLOSING: Final = frozenset({"fi", "done", "esac", "}"})
_KEYWORDS: Final = _OPENING | _CLOSING | {"then", "elif", "else", "do", "{", "!", "time"}
_DECLARING: Final = frozenset({"export", "declare", "readonly", "local", "typeset"})
# Commands that run another command, with the number of operands that stand before it.
_WRAPPERS: Final = {
    **dict.fromkeys(
        ("exec", "command", "nohup", "sudo", "nice", "ionice", "stdbuf", "tini", "dumb-init", "setpriv"), 0
    ),
    **dict.fromkeys(("gosu", "su-exec", "timeout"), 1),
}
_WRAPPER_VALUES: Final = frozenset({"-u", "-g", "-n", "-k", "-s", "--unset", "--user"})


def run(script: str, shell: Shell, bodies: Iterable[str] = ()) -> list[Command]:
    """The commands of a script, in order. `shell` ends as the script leaves it.

    Args:
        script: its text.
        shell: the state that it starts in.
        bodies: here-documents that are not in the text any more.
    """
    commands: list[Command] = []
    _Runner(shell, commands).run(script, bodies)
    return commands


def run_words(words: Sequence[str], shell: Shell) -> list[Command]:
    """The commands of an exec form, whose words are taken as they are."""
    commands: list[Command] = []
    _Runner(shell, commands).invoke(list(words), {}, ())
    return commands


def expand_value(word: Word, values: Mapping[str, str]) -> str:
    """What a Dockerfile makes of a value: references put in, quotes taken off."""
    shell = Shell(
        variables=dict(values),
        exported=set(),
        arguments=frozenset(),
        cwd=UNKNOWN,
        env_known=False,
        script=lambda _: None,
    )
    runner = _Runner(shell, [], depth=_DEEPEST)
    value = "".join(runner.value(part) for part in word)
    return value if len(value) <= _LONGEST_VALUE else UNKNOWN


@dataclass(slots=True)
class _Block:
    """An open block: its keyword, the state before it, the `&&` around it, and how its earlier branches ended."""

    kind: str
    before: Shell
    chain: Shell | None
    outcomes: list[Shell] = field(default_factory=list)


class _Runner:
    def __init__(self, shell: Shell, commands: list[Command], *, depth: int = 0) -> None:
        self.shell = shell
        self.commands = commands
        self.depth = depth
        self.blocks: list[_Block] = []
        self.chain: Shell | None = None  # the state before what `&&` or `||` may leave out
        self.functions: dict[str, list[Token]] = {}
        self.references: set[str] = set()

    def run(self, script: str, bodies: Iterable[str] = ()) -> None:
        bodies = tuple(bodies)
        size = len(script) + sum(map(len, bodies))
        if self.depth < _DEEPEST and size <= _LONGEST and self.shell.effort.spend(size):
            self.run_tokens(scan(script, bodies))
        else:
            self.shell.env_known = False

    def run_nested(self, script: str, shell: Shell, functions: Mapping[str, list[Token]] | None = None) -> None:
        """Run a script in a shell of its own; a substitution has the functions of this one."""
        runner = _Runner(shell, self.commands, depth=self.depth + 1)
        runner.functions = dict(functions or {})
        runner.run(script)

    def run_text(self, text: str) -> None:
        """Run a sourced file, or the here-document that is the script itself, in this shell."""
        if len(text) <= _LONGEST and self.shell.effort.spend(len(text)):
            self.run_here(scan(text))
        else:
            self.shell.env_known = False

    def run_here(self, tokens: list[Token]) -> None:
        """Run a function or a sourced file in this shell."""
        if self.depth >= _DEEPEST or self.shell.effort.left <= 0:
            return
        before = self.blocks, self.chain
        self.blocks, self.chain = [], None
        self.depth += 1
        self.run_tokens(tokens)
        self.depth -= 1
        self.blocks, self.chain = before

    def run_tokens(self, tokens: list[Token]) -> None:
        words: list[Word] = []
        bodies: list[str] = []
        outer: list[Shell] = []
        piped: list[int] = []
        at = 0
        while at < len(tokens) and len(self.commands) < _MOST and self.shell.effort.left > 0:
            token = tokens[at]
            at += 1
            if token.operator == "<<":
                bodies.append(token.body)
            elif not token.operator:
                words.append(token.word)
            elif token.operator == "(":
                name = literal(words[0]) if len(words) == 1 else ""
                if name and tokens[at : at + 1] == [Token(")")]:
                    self.functions[name], at = function_body(tokens, at + 1)
                else:
                    outer.append(self.shell)
                    self.shell = self.shell.child()
                    self.open("(")
                words = []
            elif token.operator == ")" and self.is_pattern(words):
                words, bodies = [], []
            else:
                piped = self.finish(words, bodies, piped, token.operator)
                words, bodies = [], []
                if token.operator == ")" and outer:
                    self.shell = outer.pop()
                    while self.blocks and self.blocks.pop().kind != "(":
                        pass
        self.finish(words, bodies, piped, "\n")
        self.shell = outer[0] if outer else self.shell
        while self.blocks:  # a script that ends in the middle
            self.close()

    def is_pattern(self, words: list[Word]) -> bool:
        """Whether a closing bracket ends a pattern of `case`."""
        if words and literal(words[0]) == "case":
            self.open("case")
            return True
        return bool(self.blocks) and self.blocks[-1].kind == "case"

    # --- branches

    def open(self, kind: str) -> None:
        """A block begins: what it changes may not happen."""
        self.shell.effort.spend(len(self.shell.variables) + _EFFORT)
        self.blocks.append(_Block(kind, self.shell.child(), self.chain))
        self.chain = None

    def branch(self) -> None:
        """Another branch of the same block begins, from the state before it."""
        if self.blocks and self.blocks[-1].kind in _BRANCHING:
            block = self.blocks[-1]
            block.outcomes.append(self.shell.child())
            self.shell.become(block.before)
            self.chain = None

    def close(self) -> None:
        """A block ends: what its branches disagree about is unknown."""
        block = self.blocks.pop()
        if block.kind in _OPENING:
            self.shell.merge(block.before, *block.outcomes)
        self.chain = block.chain

    def finish(self, words: list[Word], bodies: list[str], piped: list[int], operator: str) -> list[int]:
        """Run one simple command; the commands whose output the next one reads."""
        first = len(self.commands)
        self.shell.effort.spend(_EFFORT)
        name = self.simple(words, bodies)
        for index in piped if name else ():
            self.commands[index] = replace(self.commands[index], feeds=name)
        if operator in {"|", "|&"}:
            return [*piped, *range(first, len(self.commands))]
        if operator in {"&&", "||"}:
            if self.chain is None and (operator == "||" or name in _TESTS):
                self.chain = self.shell.child()
        elif self.chain is not None:
            self.shell.merge(self.chain)
            self.chain = None
        if operator == ";;":
            self.branch()
        return []

    def without_keywords(self, words: list[Word]) -> list[Word]:
        """A command without the keywords before it, which open and close blocks."""
        at = 0
        while at < len(words) and (keyword := literal(words[at])) in _KEYWORDS and self.shell.effort.left > 0:
            if keyword in _OPENING or keyword == "{":
                self.open(keyword)
            elif keyword in {"elif", "else"}:
                self.branch()
            elif keyword in _CLOSING and self.blocks and self.blocks[-1].kind != "(":
                self.close()
            if keyword in {"for", "select", "case"}:
                self.assign(literal(words[at + 1]) if keyword != "case" and len(words) > at + 1 else "", UNKNOWN)
                return []
            at += 1
        return words[at:]

    def simple(self, words: list[Word], bodies: Sequence[str]) -> str:
        """One command with its assignments before it; the name of its program, if it has one."""
        words = self.without_keywords(words)
        first = len(self.commands)
        self.references = set()
        inline: dict[str, str] = {}
        while words and words[0] and is_assignment(words[0][0]):
            name, _, start = words[0][0].text.partition("=")
            inline[name] = start + "".join(self.value(part) for part in words[0][1:])
            words = words[1:]
        expanded = [text for word in words for text in self.fields(word)]
        if expanded:
            substituted = len(self.commands)
            program = self.invoke(expanded, inline, bodies)
            for index in range(first, substituted) if program in SHELLS or program == "eval" else ():
                self.commands[index] = replace(self.commands[index], feeds=program)
            return program
        for name, value in inline.items():
            self.assign(name, value)
        if bodies and not inline:
            self.run_body(bodies[0])
        return ""

    def run_body(self, body: str) -> None:
        """A here-document that is the script itself."""
        first = body.partition("\n")[0]
        if first.startswith("#!") and posixpath.basename(first.split()[-1]) not in SHELLS:
            self.shell.env_known = False
            return
        self.run_text(body)

    # --- words and values

    def fields(self, word: Word) -> list[str]:
        """What the shell makes of a word: none, one or several."""
        if len(word) == 1 and word[0].kind == "variable" and not word[0].quoted:
            name = word[0].text
            if name in self.shell.arguments and not self.shell.variables.get(name):
                self.references.add(name)
                return [UNKNOWN]
        found = [""]
        empty = not any(part.quoted for part in word)
        for part in word:
            value = self.value(part)
            if part.quoted or part.kind == "text":
                found[-1] += value
                continue
            pieces = value.split()
            if pieces and not value[0].isspace():
                found[-1] += pieces.pop(0)
            found += pieces
        return [text for text in found if text] if empty else found

    def value(self, part: Part) -> str:
        if part.kind == "text":
            return part.text
        if part.kind == "commands":
            self.run_nested(part.text, self.shell.child(), self.functions)
            return UNKNOWN
        if part.kind == "unknown":
            return UNKNOWN
        self.references.add(part.text)
        # What is not set here may be set by the image or by whoever builds.
        value = self.shell.variables.get(part.text, UNKNOWN)
        if not is_known(value) or part.operator[-1:] not in {"-", "=", "+"}:
            return value
        given = bool(value) or not part.operator.startswith(":")
        if part.operator.endswith("+"):
            return self.default(part) if given else ""
        return value if given else self.default(part)

    def default(self, part: Part) -> str:
        nested = scan_quoted(part.default)
        return "".join(UNKNOWN if each.operator else self.value(each) for each in nested)

    def assign(self, name: str, value: str, *, export: bool = False) -> None:
        if not name:
            return
        self.shell.variables[name] = value if len(value) <= _LONGEST_VALUE else UNKNOWN
        if export or self.shell.allexport:
            self.shell.exported.add(name)

    # --- commands

    def invoke(self, words: list[str], inline: dict[str, str], bodies: Sequence[str]) -> str:
        """Run a program, a builtin, a function or a script; the name of the program."""
        words = _unwrapped(words, inline)
        if not words:
            return ""
        name = posixpath.basename(words[0])
        if self.builtin(name, words[1:]):
            return name
        if words[0] in self.functions:
            self.run_here(self.functions[words[0]])
            return name
        script = self.script_of(name, words, bodies)
        if script is not None:
            self.run_nested(script, self.shell.process(inline))
            return name
        exported = {each: self.shell.variables[each] for each in self.shell.exported if each in self.shell.variables}
        self.commands.append(
            Command(
                words=tuple(words),
                env=exported | inline,
                env_known=self.shell.env_known,
                cwd=self.shell.cwd,
                references=frozenset(self.references),
            )
        )
        return name

    def builtin(self, name: str, operands: list[str]) -> bool:  # noqa: C901, PLR0912 - one branch for each builtin
        """Run what changes the shell itself; False if it is another command."""
        if name in {"cd", "pushd", "popd"}:
            target = next((word for word in operands if word not in {"--", "-P", "-L"}), "-")
            moved = UNKNOWN if name == "popd" or target.startswith(("-", "~")) else join(self.shell.cwd, target)
            self.shell.cwd = moved
        elif name in _DECLARING:
            export = name == "export" or any(word.startswith("-") and "x" in word for word in operands)
            for word in operands:
                if ASSIGNMENT.match(word):
                    self.assign(*word.split("=", 1), export=export)
                elif not is_known(word):
                    self.shell.env_known = False
                elif export:
                    self.shell.exported.add(word)
        elif name == "unset":
            for word in operands:
                self.shell.variables.pop(word, None)
                self.shell.exported.discard(word)
        elif name == "set":
            if {"-a", "allexport", "+a"} & set(operands):
                self.shell.allexport = "+a" not in operands
        elif name == "read":
            for word in operands:
                self.assign(word if is_known(word) else "", UNKNOWN)
        elif name in {".", "source"}:
            self.source(operands)
        elif name == "eval":
            self.shell.env_known = False
        else:
            return False
        return True

    def source(self, operands: list[str]) -> None:
        path = join(self.shell.cwd, operands[0]) if operands else UNKNOWN
        text = self.shell.script(path)
        if text is not None:
            self.run_text(text)
        elif path.endswith("/bin/activate"):
            self.assign("VIRTUAL_ENV", path.removesuffix("/bin/activate"), export=True)
        else:
            self.shell.env_known = False

    def script_of(self, name: str, words: list[str], bodies: Sequence[str]) -> str | None:
        """The text that a command runs as a script, if it is one and its text is known."""
        if name not in SHELLS:
            return self.shell.script(join(self.shell.cwd, words[0])) if "/" in words[0] else None
        at = 1
        while at < len(words) and words[at].startswith(("-", "+")) and words[at] not in {"-", "--"}:
            option = words[at]
            at += 2 if not option.startswith("--") and "o" in option else 1
            if not option.startswith("--") and "c" in option:
                return words[at] if at < len(words) and is_known(words[at]) else None
        operands = [word for word in words[at:] if word not in {"-", "--"}]
        if operands:
            return self.shell.script(join(self.shell.cwd, operands[0]))
        return bodies[0] if bodies else None


def _unwrapped(words: list[str], inline: dict[str, str]) -> list[str]:
    """The command that `env`, `exec`, `sudo` and their like run; their assignments go to `inline`."""
    while words:
        name = posixpath.basename(words[0])
        if name != "env" and name not in _WRAPPERS:
            break
        if name == "command" and words[1:2] in (["-v"], ["-V"]):
            break
        skip = _WRAPPERS.get(name, 0)
        words = words[1:]
        while words and (words[0].startswith("-") or ASSIGNMENT.match(words[0])):
            if ASSIGNMENT.match(words[0]):
                key, _, value = words[0].partition("=")
                inline[key] = value
            words = words[2 if words[0] in _WRAPPER_VALUES else 1 :]
        words = words[skip:]
    return words
