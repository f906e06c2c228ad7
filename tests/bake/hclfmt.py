"""What HashiCorp's hclfmt makes of a text: the oracle for the layout that the writer emits.

Written from the rules of hcl/v2, hclwrite/format.go, on tokens, knowing nothing of models or of the writer: tokens are
cut into lines, lines into a lead, an assignment and a comment; indentation follows the brackets, spaces follow pairs of
tokens, and neighbouring assignments are moved into one column. Covers what a bake file can have: no heredocs, and the
width of a token is its length, so keys must be of characters that are one grapheme cluster each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""(?P<newline>\n)|(?P<comment>(?:\#|//)[^\n]*\n?)|(?P<ident>[^\W\d][\w-]*)|(?P<number>\d+(?:\.\d+)?)
      |(?P<quote>")|(?P<operator>==|!=|<=|>=|=>|&&|\|\||\.\.\.|::|[-=?:,.(){}\[\]+*/%!<>])""",
    re.VERBOSE,
)
_LITERAL = re.compile(r'(?:\\.|\$\$\{|%%\{|[$%](?!\{)|[^"\\$%])+', re.DOTALL)
_OPENING = {"{", "[", "(", "${"}
_CLOSING = {"}", "]", ")", "end"}
_BEFORE_NEGATION = set("({[=:,?+*/%-!<>") | {"", "==", "!=", "<=", ">=", "&&", "||"}


@dataclass
class Token:
    """A token: its kind is its own text for operators, otherwise ident, number, open, close, literal, end, ..."""

    kind: str
    text: str
    spaces: int = 0

    @property
    def change(self) -> int:
        """How many brackets it opens."""
        return (self.kind in _OPENING) - (self.kind in _CLOSING)


@dataclass
class Line:
    """A line of tokens, in the three cells that are aligned separately."""

    lead: list[Token]
    assign: list[Token] = field(default_factory=list)
    comment: list[Token] = field(default_factory=list)


def hclfmt(text: str) -> str:
    """`text` as the formatter would write it."""
    lines = [_cells(line) for line in _lines(_tokens(text))]
    _indent(lines)
    for line in lines:
        _space(line.lead)
        if line.assign:
            line.assign[0].spaces = 1
            _space(line.assign)
    _align(lines)
    return "".join(
        " " * token.spaces + token.text for line in lines for token in line.lead + line.assign + line.comment
    )


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    inside: list[str] = []  # what encloses the place: a quote, or a brace or interpolation
    position = spaces = 0
    while position < len(text):
        if inside and inside[-1] == '"':
            if match := _LITERAL.match(text, position):
                token = Token("literal", match.group())
            elif text[position] == '"':
                inside.pop()
                token = Token("close", '"')
            else:
                inside.append("${")
                token = Token("${", text[position : position + 2])
            tokens.append(token)
            position += len(token.text)
            continue
        if text[position] == " ":
            spaces, position = spaces + 1, position + 1
            continue
        match = _TOKEN.match(text, position)
        assert match, f"no token at {text[position : position + 20]!r}"
        kind = "open" if match.lastgroup == "quote" else str(match.lastgroup)
        token = Token(match.group() if kind == "operator" else kind, match.group(), spaces)
        if token.text in {'"', "{"}:
            inside.append(token.text)
        elif token.text == "}" and inside.pop() == "${":
            token.kind = "end"
        tokens.append(token)
        position, spaces = match.end(), 0
    return tokens


def _lines(tokens: list[Token]) -> list[list[Token]]:
    lines: list[list[Token]] = [[]]
    for token in tokens:
        lines[-1].append(token)
        if token.text.endswith("\n"):  # a comment takes its line end with it
            lines.append([])
    return [line for line in lines if line]


def _cells(tokens: list[Token]) -> Line:
    line = Line(tokens)
    if len(line.lead) > 1 and line.lead[-1].kind == "comment":
        line.lead, line.comment = line.lead[:-1], line.lead[-1:]
    first = next((index for index, token in enumerate(line.lead) if token.kind == "=" and index), None)
    if first is not None and sum(token.change for token in line.lead[first:]) == 0:
        line.lead, line.assign = line.lead[:first], line.lead[first:]
    return line


def _indent(lines: list[Line]) -> None:
    open_brackets: list[int] = []
    for line in lines:
        if line.lead[0].kind == "newline":
            line.lead[0].spaces = 0
            continue
        change = sum(token.change for token in line.lead + line.assign)
        closed = -change
        while closed > 0 and open_brackets:
            if closed < open_brackets[-1]:
                open_brackets[-1] -= closed
                break
            closed -= open_brackets.pop()
        line.lead[0].spaces = 2 * len(open_brackets)
        if change > 0:
            open_brackets.append(change)


def _space(cell: list[Token]) -> None:
    for index, token in enumerate(cell[:-1]):
        before = cell[index - 1].kind if index else ""
        cell[index + 1].spaces = int(_has_space(before, token, cell[index + 1]))


def _has_space(before: str, token: Token, after: Token) -> bool:
    pair = (token.kind, after.kind)
    rules = [
        (after.kind == "newline", False),
        (pair == ("ident", "("), False),
        ("::" in pair and "ident" in pair, False),
        ("." in pair, False),
        (after.kind in {",", "..."}, False),
        (token.kind == ",", True),
        (token.kind in {"literal", "open"} or after.kind in {"literal", "close"}, False),
        (token.text == "in" and before == "ident", True),
        (after.kind == "[" and (token.kind in {"ident", "number"} or token.change < 0), False),
        (token.kind == "!", False),
        (token.kind == "-", before not in _BEFORE_NEGATION),
        (pair == ("{", "}"), False),
        (token.kind == "{" or after.kind == "}", True),
        (pair in {("${", "{"), ("}", "end")}, True),
        (pair == ("end", "${"), False),
        (token.change > 0 or after.change < 0, False),
    ]
    return next((space for applies, space in rules if applies), True)


def _width(cell: list[Token]) -> int:
    return sum(token.spaces + len(token.text) for token in cell)


def _align(lines: list[Line]) -> None:
    for run in _runs(lines, [bool(line.assign) for line in lines]):
        widest = max(_width(line.lead) for line in run)
        for line in run:
            line.assign[0].spaces = widest - _width(line.lead) + 1
    for run in _runs(lines, [bool(line.comment) for line in lines]):
        widest = max(_width(line.lead + line.assign) for line in run)
        for line in run:
            line.comment[0].spaces = widest - _width(line.lead + line.assign) + 1


def _runs(lines: list[Line], members: list[bool]) -> list[list[Line]]:
    runs: list[list[Line]] = [[]]
    for line, member in zip(lines, members, strict=True):
        if member:
            runs[-1].append(line)
        else:
            runs.append([])
    return [run for run in runs if run]
