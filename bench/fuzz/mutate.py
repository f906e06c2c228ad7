"""Random changes of an input: of its characters, of its lines, and of the tree that it is."""

from __future__ import annotations

import copy
import json
import tomllib
from typing import TYPE_CHECKING, Any, Final

import rtoml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from bench.fuzz.harness import Harness, Tree

LONGEST: Final = 20_000  # characters: small inputs are fast, and large ones have a test of their own
# What ends, escapes, hides or overflows something somewhere.
NASTY: Final = (
    *(
        "",
        " ",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "\0",
        "\x1b[2J",
        "\x7f",
        "\x85",
        "\u2028",
        "\u202e",
        "\u200b",
        "\ufeff",
        "\xa0",
    ),
    *("\u0130", "\u0660", "\u00b2", "\uff11", "e\u0301", "\U0001f600", "\ue000\ue000\ue000", "\udcff"),
    *(
        "'",
        '"',
        "\\",
        "`",
        "$",
        "${",
        "%{",
        "$${",
        "%%{",
        "}",
        "{{",
        "]]",
        "[[",
        "(",
        ")",
        "<<EOF",
        "#",
        "//",
        "/*",
        "*/",
    ),
    *("../", "/", "//", "..", ".", "~", "-", "--", "@", ":", "://", "?", "&", "=", ",", ";", "*", "!", "|", "<", ">"),
    *(
        "0",
        "-1",
        "1e999",
        "nan",
        "inf",
        "9" * 25,
        "0x" + "f" * 20,
        "1_000",
        "1.0.0.0",
        "1!2.0+cu124.post1.dev0",
        "true",
    ),
    *("9" * 5000, "A" * 300, "((((((((((", "1" + ".0" * 100),
)
_ATOMS: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 2**63 - 1, 2**64, 10**40, 0.0, -0.5, float("inf"), float("nan")),
    *("", ".", "all", "*", [], {}, [[]], [{}], {"": ""}, [""], ["x", 1], {"name": "x"}, {"name": 1}, [None]),
)


class Mutator:
    """Makes inputs out of inputs.

    Args:
        random: decides.
        harness: what the inputs are for.
        seeds: inputs, some of which others are crossed with.
    """

    def __init__(self, random: Random, harness: Harness, seeds: Sequence[str]) -> None:
        self.random = random
        self.words = (*harness.words, *NASTY)
        self.tree = harness.tree
        self.seeds = seeds

    def next(self, text: str) -> str:
        """Another input."""
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 6))):
            if self.tree != "none" and self.random.random() < 0.7:
                text = self.changed_tree(text)
            else:
                text = self.changed_text(text)
        return text[:LONGEST]

    # -- text ---------------------------------------------------------------------------------------------------

    def changed_text(self, text: str) -> str:  # noqa: PLR0911 - one for each kind of change
        """Characters or lines left out, put in, doubled or put in the place of others."""
        random = self.random
        at = random.randint(0, len(text))
        end = min(len(text), at + random.choice((0, 1, 1, 2, 4, 8, 30, 200)))
        match random.randrange(9):
            case 0:
                return text[:at] + text[end:]
            case 1:
                return text[:at] + random.choice(self.words) + text[at:]
            case 2:
                return text[:at] + random.choice(self.words) + text[end:]
            case 3:
                return text[:at] + chr(random.choice((random.randrange(128), random.randrange(0xD7FF)))) + text[end:]
            case 4:
                return text[:end] + text[at:end] * random.choice((1, 1, 2, 10)) + text[end:]
            case 5:
                return self.changed_lines(text)
            case 6:
                other = random.choice(self.seeds)
                cut = random.randint(0, len(other))
                return text[:at] + other[cut : cut + random.choice((5, 40, 400, 10_000))] + text[end:]
            case 7:
                return self.changed_word(text)
        return text[:at] + text[at:end].swapcase() + text[end:]

    def changed_lines(self, text: str) -> str:
        """Lines moved, doubled or left out."""
        lines = text.splitlines(keepends=True)
        if not lines:
            return random_line(self.random, self.words)
        at, to = self.random.randrange(len(lines)), self.random.randrange(len(lines))
        match self.random.randrange(4):
            case 0:
                del lines[at]
            case 1:
                lines.insert(to, lines[at])
            case 2:
                lines[at], lines[to] = lines[to], lines[at]
            case _:
                lines.insert(at, random_line(self.random, self.words))
        return "".join(lines)

    def changed_word(self, text: str) -> str:
        """One of the words that belong in such a text, put in the place of another."""
        present = [word for word in self.words if len(word) > 1 and word in text]
        if not present:
            return text
        word = self.random.choice(present)
        start = text.find(word, self.random.randrange(len(text)))
        start = start if start >= 0 else text.find(word)
        return text[:start] + self.random.choice(self.words) + text[start + len(word) :]

    # -- trees --------------------------------------------------------------------------------------------------

    def changed_tree(self, text: str) -> str:
        """The text taken apart, changed at one place, and written again; other text where that cannot be done."""
        tree = parsed(text, self.tree)
        if not isinstance(tree, dict) or not tree:
            return self.changed_text(text)
        self.change(tree)
        return dumped(tree, self.tree) or self.changed_text(text)

    def change(self, tree: dict[str, Any]) -> None:  # noqa: C901 - one branch for each kind of change
        """One value of a tree dropped, doubled, moved, wrapped, or put in the place of another."""
        random = self.random
        parent, key = self.place(tree)
        value = parent[key]
        match random.randrange(9):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, list):
                parent.insert(key, copy.deepcopy(value))
            case 1 if isinstance(parent, dict):
                other, name = self.place(tree)
                parent[key] = copy.deepcopy(other[name]) if not _holds(other[name], parent) else 0
            case 2:
                parent[key] = copy.deepcopy(random.choice(_ATOMS))
            case 3:
                parent[key] = self.word()
            case 4 if isinstance(value, str):
                parent[key] = self.changed_text(value)
            case 5:
                parent[key] = [value] if random.random() < 0.5 else {self.word(): value}
            case 6 if isinstance(parent, dict):
                parent[self.word()] = parent.pop(key)
            case 7 if isinstance(value, list):
                value.append(self.word() if random.random() < 0.5 else copy.deepcopy(random.choice(_ATOMS)))
            case 7 if isinstance(value, dict):
                value[self.word()] = self.word() if random.random() < 0.5 else copy.deepcopy(random.choice(_ATOMS))
            case _ if isinstance(value, str):
                parent[key] = self.changed_text(value)
            case _:
                parent[key] = self.word()

    def place(self, tree: dict[str, Any]) -> tuple[Any, Any]:
        """(container, key) of some value, at any depth."""
        node: Any = tree
        while True:
            key = self.random.choice(list(node)) if isinstance(node, dict) else self.random.randrange(len(node))
            child = node[key]
            if not (isinstance(child, dict | list) and child) or self.random.random() < 0.2:
                return node, key
            node = child

    def word(self) -> str:
        """What belongs in such an input, or breaks it."""
        return self.random.choice(self.words)


def random_line(random: Random, words: Sequence[str]) -> str:
    """A line of words that belong in such a text."""
    return " ".join(random.choice(words) for _ in range(random.randint(1, 6))) + "\n"


def parsed(text: str, tree: Tree) -> object:
    """The tree of a text, or None where it is none."""
    try:
        return json.loads(text) if tree == "json" else tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def dumped(tree: dict[str, Any], kind: Tree) -> str | None:
    """The text of a tree, or None where it has none."""
    try:
        return json.dumps(tree, indent=1) if kind == "json" else rtoml.dumps(tree, none_value="@none")
    except (ValueError, TypeError, RecursionError, rtoml.TomlSerializationError):
        return None


def _holds(value: object, wanted: object) -> bool:
    """Whether a container is inside a value: a tree must not hold itself."""
    if value is wanted:
        return True
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_holds(each, wanted) for each in inside)
