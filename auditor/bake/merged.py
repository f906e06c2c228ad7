"""What bake makes of several files together, as far as that can be told without evaluating them.

bake merges blocks of one kind and name over its files first, then what a target inherits (buildx, `bake.go`,
`Target.Merge`). Values stay as the reader has them; where they hold expressions, the texts in them are looked at: a
choice counts with both of its arms, a variable with its default.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final

from auditor.bake.read import Expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.bake.read import BakeAttribute, BakeBlock, BakeDocument, BakeValue

Entry = Mapping[str, str]

_REFERENCE: Final = re.compile(r"\$\{\s*(?P<name>[A-Za-z_]\w*)\s*\}")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_CALL: Final = re.compile(r"(?P<name>[A-Za-z_]\w*)\((?P<arguments>.*)\)", re.DOTALL)
_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_PIECE: Final = re.compile(_STRING + r"|[{}]", re.DOTALL)
_MEMBER: Final = re.compile(rf"(?P<key>(?<![\w.-])[\w.-]++|{_STRING})\s*+[=:]\s*+(?P<value>{_STRING}|[^,}}\n]+)")
_MOST_ANCESTORS: Final = 100
_DEEPEST: Final = 20  # calls inside calls
_MOST_ENTRIES: Final = 100  # of one function
_QUOTED: Final = re.compile(_STRING)
_CHOICE: Final = re.compile(
    rf'(?P<name>[A-Za-z_]\w*)\s*(?P<operator>[!=]=)\s*""\s*\?\s*(?P<given>{_STRING})\s*:\s*(?P<other>{_STRING})'
)

_ARGUMENTS: Final = "()"  # key of an entry that a function makes of its arguments

# type of a cache -> the keys that make one place of it, with what BuildKit takes where one is left out.
_PLACES: Final[Mapping[str, Mapping[str, str]]] = {
    "registry": {"ref": ""},
    "local": {"dest": "", "tag": "latest"},
    "gha": {"scope": "buildkit"},
    "s3": {"bucket": "", "prefix": "", "manifests_prefix": "", "name": "buildkit"},
    "azblob": {"account_url": "", "container": "", "prefix": "", "manifests_prefix": "", "name": "buildkit"},
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One attribute that counts for a target: in which file and block it stands."""

    document: BakeDocument
    block: BakeBlock
    attribute: BakeAttribute

    @property
    def value(self) -> BakeValue:
        """As the reader has it."""
        return self.attribute.value


@dataclass(frozen=True)
class Merged:
    """Files in the order in which bake merges them."""

    documents: tuple[BakeDocument, ...]

    @cached_property
    def targets(self) -> Mapping[str, tuple[tuple[BakeDocument, BakeBlock], ...]]:
        """The blocks of every target, in the order of the files."""
        return self._by_name("target")

    @cached_property
    def variables(self) -> Mapping[str, tuple[tuple[BakeDocument, BakeBlock], ...]]:
        """The blocks of every variable."""
        return self._by_name("variable")

    @cached_property
    def functions(self) -> Mapping[str, tuple[tuple[BakeDocument, BakeBlock], ...]]:
        """The blocks of every function."""
        return self._by_name("function")

    def _by_name(self, kind: str) -> Mapping[str, tuple[tuple[BakeDocument, BakeBlock], ...]]:
        found: dict[str, tuple[tuple[BakeDocument, BakeBlock], ...]] = {}
        for document in self.documents:
            for block in document.of_kind(kind):
                found[block.name] = (*found.get(block.name, ()), (document, block))
        return found

    @cached_property
    def built(self) -> tuple[str, ...]:
        """The targets that are built, not only inherited from: no `_` in front, or named by a group."""
        grouped = {
            name
            for document in self.documents
            for group in document.of_kind("group")
            for name in self.texts(group.value("targets"))
        }
        parents = {parent for name in self.targets for parent in self.parents(name)}
        return tuple(
            name for name in self.targets if name in grouped or (not name.startswith("_") and name not in parents)
        )

    def parents(self, name: str) -> tuple[str, ...]:
        """What a target inherits from, in the order in which it is merged."""
        if name not in self._parents:
            blocks = self.targets.get(name, ())
            self._parents[name] = tuple(p for _, block in blocks for p in self.texts(block.value("inherits")))
        return self._parents[name]

    @cached_property
    def _parents(self) -> dict[str, tuple[str, ...]]:
        """What `parents` has found."""
        return {}

    def lineage(self, name: str) -> Iterator[tuple[BakeDocument, BakeBlock]]:
        """The blocks that make up a target: of its parents, then its own. The last one wins.

        A target that is reached several times counts where it is reached last. Of more than a few dozen, the ones that
        are furthest away are left out.
        """
        # From the last to the first, so that the first time a target is met is the one that counts.
        found: list[str] = []
        pending = [name]
        while pending and len(found) < _MOST_ANCESTORS:
            each = pending.pop()
            if each not in found:
                found.append(each)
                pending += self.parents(each)
        for each in reversed(found):
            yield from self.targets.get(each, ())

    def settings(self, name: str, attribute: str) -> tuple[Setting, ...]:
        """Every setting of an attribute that counts for a target, in the order in which bake merges them."""
        return tuple(
            Setting(document, block, block.attributes[attribute])
            for document, block in self.lineage(name)
            if attribute in block.attributes
        )

    def last(self, name: str, attribute: str) -> Setting | None:
        """The one that wins, of an attribute that replaces: `cache-to`, `output`, `network`."""
        found = self.settings(name, attribute)
        return found[-1] if found else None

    def mapping(self, name: str, attribute: str) -> dict[str, Setting]:
        """Of an attribute that merges key by key, `args` and `contexts`: key -> the setting that has the last word."""
        return {
            key: setting
            for setting in self.settings(name, attribute)
            if isinstance(setting.value, Mapping)
            for key in setting.value
        }

    # -- texts and entries --------------------------------------------------------------------------------------

    def text(self, value: BakeValue) -> str:
        """A value as text, variables with their defaults; what has none, or is empty, stays as it is written."""
        if isinstance(value, bool):
            return str(value).lower()
        if not isinstance(value, Expression):
            return "" if value is None else str(value)
        if _NAME.fullmatch(value.text):
            return self._default(value.text) or f"${{{value.text}}}"
        inside = value.text[1:-1] if _QUOTED.fullmatch(value.text) else value.text
        return _REFERENCE.sub(lambda match: self._default(match["name"]) or match[0], inside)

    def chosen(self, value: BakeValue) -> str:
        """A value as text; of a choice by a variable, `X != "" ? a : b`, the arm that the variable's default takes."""
        choice = _CHOICE.fullmatch(value.text) if isinstance(value, Expression) else None
        if choice is None:
            return self.text(value)
        given = bool(self._default(choice["name"])) == (choice["operator"] == "!=")
        return self.text(Expression(choice["given" if given else "other"]))

    def _default(self, name: str) -> str:
        value = next((block.value("default") for _, block in reversed(self.variables.get(name, ()))), None)
        return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""

    def texts(self, value: BakeValue) -> tuple[str, ...]:
        """The strings of a list or of one value; those in an expression too."""
        match value:
            case tuple():
                return tuple(text for each in value for text in self.texts(each))
            case Expression(text) if not _QUOTED.fullmatch(text) and not _NAME.fullmatch(text):
                return tuple(self.text(Expression(match[0])) for match in _QUOTED.finditer(text))
            case None:
                return ()
        return (self.text(value),)

    def entries(self, value: BakeValue) -> Iterator[Entry]:
        """The entries of `cache-from`, `cache-to`, `output` and their like: objects, or `type=registry,ref=...`."""
        match value:
            case tuple():
                for each in value:
                    yield from self.entries(each)
            case Mapping():
                yield {key: self.text(each) for key, each in value.items()}
            case str():
                yield from _csv(value)
            case Expression(text) if _QUOTED.fullmatch(text):
                yield from _csv(self.text(value))
            case Expression(text):
                yield from self._in_expression(text)

    def _in_expression(self, text: str) -> Iterator[Entry]:
        """What looks like an entry in an expression, or in the function that it calls."""
        call = _CALL.fullmatch(text.strip())
        if call and call["name"] in self.functions:
            for entry, depends in self._result(call["name"]):
                yield {**entry, _ARGUMENTS: call["arguments"]} if depends else entry
            return
        rest = []
        end = 0
        for start, stop in _objects(text):
            members = {
                _unquoted(each["key"]): self._member(each["value"])
                for each in _MEMBER.finditer(text, start + 1, stop - 1)
            }
            if "type" in members:
                rest.append(text[end:start])
                end = stop
                yield members
        for match in _QUOTED.finditer("".join([*rest, text[end:]])):
            if "type=" in match[0]:
                yield from _csv(self.text(Expression(match[0])))

    def _result(self, name: str) -> tuple[tuple[Entry, bool], ...]:
        """The entries in a function's result, and whether each depends on a parameter: it is another for each call."""
        if name not in self._results and len(self._open) > _DEEPEST:
            return ()
        if name not in self._results:
            self._open.append(name)
            self._results[name] = ()  # what a function that calls itself adds
            function = self.functions[name][-1][1]
            given = function.value("params")
            names = (
                [each.text if isinstance(each, Expression) else str(each) for each in given]
                if isinstance(given, tuple)
                else []
            )
            parameter = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b") if names else None
            entries = islice(self.entries(function.value("result")), _MOST_ENTRIES)
            self._results[name] = tuple(
                (entry, parameter is not None and any(parameter.search(value) for value in entry.values()))
                for entry in entries
            )
            self._open.pop()
        return self._results[name]

    @cached_property
    def _open(self) -> list[str]:
        """The functions that are being looked at, each called by the one before."""
        return []

    @cached_property
    def _results(self) -> dict[str, tuple[tuple[Entry, bool], ...]]:
        """What `_result` has found."""
        return {}

    def _member(self, text: str) -> str:
        word = text.strip()
        return self.text(Expression(word)) if _QUOTED.fullmatch(word) or _NAME.fullmatch(word) else word


def _objects(text: str) -> Iterator[tuple[int, int]]:
    """Where the objects of an expression begin and end, the innermost ones; braces in strings and of `${` are none."""
    start = -1
    for match in _PIECE.finditer(text):
        if match[0] == "{":
            start = match.start() if text[match.start() - 1 : match.start()] not in {"$", "%"} else -1
        elif match[0] == "}":
            if start >= 0:
                yield start, match.end()
            start = -1


def place_of(entry: Entry) -> str:
    """Where a cache is written, as text that is equal for equal places; empty for one that is nowhere, as inline."""
    kind = entry.get("type", "")
    if kind not in _PLACES:
        return ""
    values = {key: entry.get(key, default) for key, default in _PLACES[kind].items()}
    if kind == "registry":
        values["ref"] = _tagged(values["ref"])
    shown = [
        f"{key}={value}" for key, value in values.items() if value != _PLACES[kind][key] or key in {"ref", "scope"}
    ]
    return " ".join((kind, *shown, *([f"({entry[_ARGUMENTS]})"] if _ARGUMENTS in entry else [])))


def _tagged(ref: str) -> str:
    """A reference with the tag that it has when it names none."""
    return ref if "@" in ref or ":" in ref.rpartition("/")[2] or not ref else f"{ref}:latest"


def _csv(text: str) -> Iterator[Entry]:
    """`type=registry,ref=x` as an entry; a lone word is a reference of a cache or the folder of an output."""
    if not text.strip():
        return
    try:
        fields = next(csv.reader([text]))
    except (csv.Error, StopIteration):
        return
    if len(fields) == 1 and "=" not in fields[0]:
        yield {"type": "registry", "ref": fields[0]}
        return
    pairs = (field.partition("=") for field in fields)
    yield {key.strip().lower(): value.strip() for key, _, value in pairs}


def _unquoted(text: str) -> str:
    return text[1:-1] if text.startswith('"') else text
