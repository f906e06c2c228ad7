"""A shell script as tokens: words with their quotes and references kept apart, operators, here-documents.

`shlex` splits words too, but forgets which quotes stood around them, and without that nobody can tell which `$NAME` the
shell expands and which result it splits. Nothing here fails: what is not closed ends with the text.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

_OPERATORS: Final = re.compile(r"&&|\|\||;;|\|&|[;|&()\n]")
_REDIRECTS: Final = re.compile(r"\d*(?:<<<|<<-?|&>>?|>>|>\||<>|[<>]&|[<>])")
ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_BRACED: Final = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:(?P<operator>:?[-+?=])(?P<default>.*))?", re.DOTALL)
_ENDS_WORD: Final = frozenset(" \t\n;&|()<>")
# What stands for itself: in a word of a script, in a value (which nothing ends), and in double quotes.
_PLAIN_IN_WORD: Final = re.compile(r"""[^ \t\n;&|()<>\\'"$`]+""")
_PLAIN_IN_VALUE: Final = re.compile(r"""(?:[^\\'"$`<>]|[<>](?!\())+""")
_PLAIN_IN_QUOTES: Final = re.compile(r"""[^\\"$`]+""")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word.

    Attributes:
        kind: `text`, `variable` (text is its name), `commands` (text is a script), `unknown`.
        text: see `kind`.
        quoted: whether it stands in quotes, so that its value is never split.
        operator: `:-` and its like for a variable, or an empty string.
        default: what follows the operator, as written.
    """

    kind: Literal["text", "variable", "commands", "unknown"]
    text: str = ""
    quoted: bool = False
    operator: str = ""
    default: str = ""


Word = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A word, an operator (a line feed ends a line), or a here-document (operator `<<`, its text in `body`)."""

    operator: str = ""
    word: Word = ()
    body: str = ""


def scan(text: str, bodies: Iterable[str] = ()) -> list[Token]:
    """The tokens of a script.

    Args:
        text: the script.
        bodies: here-documents that a Dockerfile parser has taken out of the text, in their order.
    """
    return _Scanner(text, bodies).tokens()


def scan_quoted(text: str) -> Word:
    """A text as the inside of double quotes: a value of ENV or ARG, or the default of a reference."""
    return tuple(_Scanner(text, ()).quoted(until=""))


def scan_value(text: str) -> Word:
    """A text as one word with quotes, wherever it has spaces: how a Dockerfile writes values."""
    return tuple(_Scanner(text, ()).word(frozenset()))


def is_assignment(part: Part) -> bool:
    """Whether a word that begins so is an assignment, where a command could stand."""
    return part.kind == "text" and not part.quoted and bool(ASSIGNMENT.match(part.text))


def literal(word: Word) -> str:
    """A word that is plain text; an empty string for any other."""
    return word[0].text if len(word) == 1 and word[0].kind == "text" and not word[0].quoted else ""


def function_body(tokens: list[Token], at: int) -> tuple[list[Token], int]:
    """The tokens between the braces of a function, and the place after them."""
    while at < len(tokens) and tokens[at].operator == "\n":
        at += 1
    if at >= len(tokens) or literal(tokens[at].word or ()) != "{":
        return [], at
    depth, start = 0, at + 1
    while at < len(tokens):
        text = literal(tokens[at].word) if tokens[at].word else ""
        depth += (text == "{") - (text == "}")
        at += 1
        if depth == 0:
            break
    return tokens[start : at - 1], at


class _Scanner:
    def __init__(self, text: str, bodies: Iterable[str]) -> None:
        self.text = text
        self.at = 0
        self.bodies = deque(bodies)
        self.pending: list[tuple[int, str, bool]] = []
        self.found: list[Token] = []

    def tokens(self) -> list[Token]:
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in " \t\r":
                self.at += 1
            elif self.text.startswith("\\\n", self.at):
                self.at += 2
            elif char == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif redirect := self.redirect():
                self.take_redirect(redirect)
            elif operator := _OPERATORS.match(self.text, self.at):
                self.at = operator.end()
                self.found.append(Token(operator[0]))
                if operator[0] == "\n":
                    self.take_bodies()
            else:
                self.found.append(Token(word=tuple(self.word(_ENDS_WORD))))
        self.take_bodies()
        return self.found

    def redirect(self) -> str:
        """The redirection that starts here, or an empty string; `<(` starts a word instead."""
        match = _REDIRECTS.match(self.text, self.at)
        if match is None or self.text.startswith(("<(", ">("), self.at):
            return ""
        return match[0]

    def take_redirect(self, redirect: str) -> None:
        self.at += len(redirect)
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1
        operator = redirect.lstrip("0123456789")
        target = self.word(_ENDS_WORD)
        if operator in {"<<", "<<-"}:
            delimiter = "".join(part.text for part in target)
            if self.bodies:
                self.found.append(Token("<<", body=self.bodies.popleft()))
            else:
                self.pending.append((len(self.found), delimiter, operator == "<<-"))
                self.found.append(Token("<<"))

    def take_bodies(self) -> None:
        """Read the here-documents that the line before has announced."""
        for index, delimiter, strips_tabs in self.pending:
            lines: list[str] = []
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                line = self.text[self.at : end if end >= 0 else len(self.text)]
                self.at = len(self.text) if end < 0 else end + 1
                line = line.lstrip("\t") if strips_tabs else line
                if line == delimiter:
                    break
                lines.append(line)
            self.found[index] = Token("<<", body="".join(f"{line}\n" for line in lines))
        self.pending.clear()

    def word(self, ends: frozenset[str]) -> list[Part]:
        parts: list[Part] = []
        plain = _PLAIN_IN_WORD if ends else _PLAIN_IN_VALUE
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in "<>" and self.text.startswith("(", self.at + 1):
                self.at += 2
                parts.append(Part("commands", self.balanced("(", ")")))
            elif char in ends:
                break
            elif char == "\\":
                following = self.text[self.at + 1 : self.at + 2]
                parts += [Part("text", following, quoted=True)] if following != "\n" else []
                self.at += 2
            elif char == "'":
                end = self.text.find("'", self.at + 1)
                end = len(self.text) if end < 0 else end
                parts.append(Part("text", self.text[self.at + 1 : end], quoted=True))
                self.at = end + 1
            elif char == '"':
                self.at += 1
                parts += [Part("text", quoted=True), *self.quoted(until='"')]
            elif char in "$`":
                parts.append(self.reference(quoted=False))
            else:
                found = plain.match(self.text, self.at)
                self.at = found.end() if found else self.at + 1
                parts.append(Part("text", found[0] if found else char))
        return parts

    def quoted(self, *, until: str) -> list[Part]:
        """The inside of double quotes, up to the closing one."""
        parts: list[Part] = []
        plain = ""
        while self.at < len(self.text) and self.text[self.at] != until:
            char = self.text[self.at]
            if char == "\\" and self.text[self.at + 1 : self.at + 2] in {"$", "`", '"', "\\", "\n"}:
                plain += self.text[self.at + 1].replace("\n", "")
                self.at += 2
            elif char in "$`":
                parts += [Part("text", plain, quoted=True), self.reference(quoted=True)]
                plain = ""
            else:  # a double quote too, where it does not end the text
                found = _PLAIN_IN_QUOTES.match(self.text, self.at)
                plain += found[0] if found else char
                self.at = found.end() if found else self.at + 1
        self.at += 1
        return [*parts, Part("text", plain, quoted=True)]

    def reference(self, *, quoted: bool) -> Part:  # noqa: PLR0911 - one for each kind of reference
        """What `$` or a backquote starts."""
        if self.text[self.at] == "`":
            end = self.text.find("`", self.at + 1)
            end = len(self.text) if end < 0 else end
            script = self.text[self.at + 1 : end]
            self.at = end + 1
            return Part("commands", script, quoted)
        following = self.text[self.at + 1 : self.at + 2]
        if self.text.startswith("$((", self.at):
            self.at += 2
            self.balanced("(", ")")
            return Part("unknown", quoted=quoted)
        if following == "(":
            self.at += 2
            return Part("commands", self.balanced("(", ")"), quoted)
        if following == "{":
            self.at += 2
            match = _BRACED.fullmatch(self.balanced("{", "}"))
            if match is None:
                return Part("unknown", quoted=quoted)
            return Part("variable", match["name"], quoted, match["operator"] or "", match["default"] or "")
        if following == "'" and not quoted:
            self.at += 1
            return Part("text", quoted=True)
        name = _NAME.match(self.text, self.at + 1)
        if name is not None:
            self.at = name.end()
            return Part("variable", name[0], quoted)
        if following and (following.isdigit() or following in "@*#?!$-"):
            self.at += 2
            return Part("unknown", quoted=quoted)
        self.at += 1
        return Part("text", "$", quoted)

    def balanced(self, opening: str, closing: str) -> str:
        """The text up to the bracket that closes the one before `at`; quotes hide brackets."""
        start, depth, quote = self.at, 1, ""
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "\\" and quote != "'":
                self.at += 1
            elif quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            elif char == opening:
                depth += 1
            elif char == closing:
                depth -= 1
                if depth == 0:
                    break
            self.at += 1
        inside = self.text[start : self.at]
        self.at += 1
        return inside
