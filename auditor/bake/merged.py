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
_OBJECT: Final = re.compile(r"(?<![$%])\{(?:[^{}\"]|" + _STRING + r")*\}", re.DOTALL)
_MEMBER: Final = re.compile(rf"(?P<key>[\w.-]+|{_STRING})\s*[=:]\s*(?P<value>{_STRING}|[^,}}\n]+)")
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
        blocks = self.targets.get(name, ())
        return tuple(parent for _, block in blocks for parent in self.texts(block.value("inherits")))

    def lineage(self, name: str, below: tuple[str, ...] = ()) -> Iterator[tuple[BakeDocument, BakeBlock]]:
        """The blocks that make up a target: of its parents, then its own. The last one wins."""
        for parent in self.parents(name):
            if parent not in (*below, name):
                yield from self.lineage(parent, (*below, name))
        yield from self.targets.get(name, ())

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

    def entries(self, value: BakeValue, calls: tuple[str, ...] = ()) -> Iterator[Entry]:
        """The entries of `cache-from`, `cache-to`, `output` and their like: objects, or `type=registry,ref=...`.

        Args:
            value: of the attribute.
            calls: the functions that it stands in.
        """
        match value:
            case tuple():
                for each in value:
                    yield from self.entries(each, calls)
            case Mapping():
                yield {key: self.text(each) for key, each in value.items()}
            case str():
                yield from _csv(value)
            case Expression(text) if _QUOTED.fullmatch(text):
                yield from _csv(self.text(value))
            case Expression(text):
                yield from self._in_expression(text, calls)

    def _in_expression(self, text: str, calls: tuple[str, ...]) -> Iterator[Entry]:
        """What looks like an entry in an expression, or in the function that it calls."""
        call = _CALL.fullmatch(text.strip())
        function = self.functions.get(call["name"], ()) if call else ()
        if call and function:
            if call["name"] not in calls:
                yield from self._called(function[-1][1], call["arguments"], (*calls, call["name"]))
            return
        rest = text
        for match in _OBJECT.finditer(text):
            members = {_unquoted(each["key"]): self._member(each["value"]) for each in _MEMBER.finditer(match[0][1:-1])}
            if "type" in members:
                rest = rest.replace(match[0], "")
                yield members
        for match in _QUOTED.finditer(rest):
            if "type=" in match[0]:
                yield from _csv(self.text(Expression(match[0])))

    def _called(self, function: BakeBlock, arguments: str, calls: tuple[str, ...]) -> Iterator[Entry]:
        """The entries in a function's result; those that depend on a parameter carry the arguments of the call."""
        given = function.value("params")
        names = (
            [each.text if isinstance(each, Expression) else str(each) for each in given]
            if isinstance(given, tuple)
            else []
        )
        parameter = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b") if names else None
        for entry in self.entries(function.value("result"), calls):
            depends = parameter is not None and any(parameter.search(value) for value in entry.values())
            yield {**entry, _ARGUMENTS: arguments} if depends else entry

    def _member(self, text: str) -> str:
        word = text.strip()
        return self.text(Expression(word)) if _QUOTED.fullmatch(word) or _NAME.fullmatch(word) else word


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
