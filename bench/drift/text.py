"""The text of a uv.lock in pieces that can be changed one by one: uv writes every lock in the same form."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER: Final = re.compile(r"^(?=\[\[package\]\]$)", re.MULTILINE)
_NAME: Final = re.compile(r'^name = "(?P<name>[^"]+)"$', re.MULTILINE)
_LIST: Final = re.compile(r"(?P<key>[A-Za-z0-9_-]+) = \[$")
_TABLE: Final = re.compile(r"\[package\.(?P<name>[a-z.-]+)\]$")
_FILE: Final = re.compile(r"^(?P<lead>sdist = |    )\{ (?P<inside>[^{}]*) \},?$", re.MULTILINE)
_FIELD: Final = re.compile(r'(?P<key>[a-z-]+) = (?:"(?P<text>[^"]*)"|(?P<number>\d+))')
_HASH: Final = re.compile(r'hash = "([^"]*)"')

# Where edges stand in an entry.
SECTIONS: Final = {"optional-dependencies": "extra", "dev-dependencies": "group"}


@dataclass(frozen=True, slots=True)
class FileLine:
    """One artifact as the lock writes it.

    Attributes:
        line: the whole line, without its end.
        is_wheel: else the sdist.
        location: URL, path or file name; empty for the sdist of a direct URL.
        hash: or an empty string.
    """

    line: str
    is_wheel: bool
    location: str
    hash: str

    @property
    def filename(self) -> str:
        """The last part of the location, as written."""
        return self.location.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class EdgeLine:
    """One edge as the lock writes it.

    Attributes:
        line: the whole line, without its end.
        name: of the target.
        section: empty, `extra x` or `group x`.
    """

    line: str
    name: str
    section: str


@dataclass
class Entry:
    """The text of one `[[package]]`."""

    text: str

    @property
    def name(self) -> str:
        """As written."""
        match = _NAME.search(self.text)
        return match["name"] if match else ""

    @property
    def body(self) -> str:
        """Without the metadata: where the edges and the artifacts are."""
        return self.text[: self._metadata()]

    def _metadata(self) -> int:
        found = self.text.find("\n[package.metadata]")
        return len(self.text) if found < 0 else found

    def field(self, key: str) -> str:
        """The value of a top-level string, or an empty string."""
        match = re.search(rf'^{key} = "([^"]*)"$', self.text, re.MULTILINE)
        return match[1] if match else ""

    @property
    def source(self) -> str:
        """The source, as its line has it: `{ registry = "..." }`."""
        match = re.search(r"^source = (\{.*\})$", self.text, re.MULTILINE)
        return match[1] if match else ""

    def files(self) -> Iterator[FileLine]:
        """The artifacts, in the file's order."""
        for match in _FILE.finditer(self.body):
            fields = {each["key"]: each["text"] or each["number"] or "" for each in _FIELD.finditer(match["inside"])}
            location = fields.get("url") or fields.get("path") or fields.get("filename") or ""
            is_wheel = match["lead"] != "sdist = "
            if not is_wheel or location.endswith(".whl"):
                yield FileLine(match[0], is_wheel, location, fields.get("hash", ""))

    def edges(self) -> Iterator[EdgeLine]:
        """The edges of every section, in the file's order."""
        table, key = "", ""
        for line in self.body.splitlines():
            if match := _TABLE.fullmatch(line):
                table = SECTIONS.get(match["name"], "?")
            elif match := _LIST.fullmatch(line):
                key = match["key"]
            elif line.startswith('    { name = "') and (table or key == "dependencies"):
                name = line.removeprefix('    { name = "').partition('"')[0]
                yield EdgeLine(line, name, f"{table} {key}" if table else "")

    def replace(self, old: str, new: str, count: int = 1) -> None:
        """Replace text, which must be there."""
        if old not in self.text:
            message = f"{self.name}: {old!r} is not in its entry"
            raise ValueError(message)
        self.text = self.text.replace(old, new, count)

    def sub(self, pattern: str, new: str, count: int = 1) -> None:
        """Replace what a pattern matches, which must be there."""
        self.text, number = re.subn(pattern, new, self.text, count=count, flags=re.MULTILINE)
        if not number:
            message = f"{self.name}: nothing matches {pattern!r} in its entry"
            raise ValueError(message)

    def drop_line(self, line: str) -> None:
        """Remove one whole line, and the list around it if it was the only item."""
        self.replace(f"{line}\n", "")
        self.text = re.sub(r"^[a-z-]+ = \[\n\]\n", "", self.text, flags=re.MULTILINE)
        self.text = re.sub(r"\n\[package\.(?:optional|dev)-dependencies\]\n(?=\n|\Z)", "", self.text)

    def add_edge(self, line: str, section: str = "") -> None:
        """Add an edge at the end of a section, which is made where the entry has none."""
        kind, _, key = section.partition(" ")
        if not section:
            self._append("dependencies", line, 0)
            return
        table = next(name for name, each in SECTIONS.items() if each == kind)
        header = f"[package.{table}]\n"
        if header not in self.text:
            place = self._metadata()
            self.text = f"{self.text[:place].rstrip()}\n\n{header}{self.text[place:] or chr(10)}"
        self._append(key, line, self.text.index(header) + len(header))

    def _append(self, key: str, line: str, start: int) -> None:
        match = re.compile(rf"^{re.escape(key)} = \[\n(?:.*\n)*?\]\n", re.MULTILINE).search(self.body, start)
        if match is not None:
            self.text = f"{self.text[: match.end() - 2]}{line}\n]\n{self.text[match.end() :]}"
            return
        if start:
            place = start
        else:
            before = re.search(r"^(?:sdist = |wheels = |\n|\Z)", self.body, re.MULTILINE)
            place = before.start() if before else len(self.body)
        self.text = f"{self.text[:place]}{key} = [\n{line}\n]\n{self.text[place:]}"

    def add_wheel(self, line: str) -> None:
        """Add a wheel at the end of the list."""
        self._append("wheels", line, 0) if "\nwheels = [\n" in self.text else self.sub(
            r"\n*\Z", f"\nwheels = [\n{line}\n]\n\n"
        )

    def set_metadata(self, key: str, items: list[str]) -> None:
        """Set a list of the metadata (`requires-dist`, `provides-extras`), each item without comma and indentation."""
        text = f"{key} = [\n{''.join(f'    {item},{chr(10)}' for item in items)}]\n"
        pattern = re.compile(rf"^{re.escape(key)} = \[(?:.*\]\n|\n(?:.*\n)*?\]\n)", re.MULTILINE)
        match = pattern.search(self.text, self._metadata())
        if match:
            self.text = self.text[: match.start()] + text + self.text[match.end() :]
        else:
            if "\n[package.metadata]\n" not in self.text:
                self.text = f"{self.text.rstrip()}\n\n[package.metadata]\n"
            self.text = self.text.replace("\n[package.metadata]\n", f"\n[package.metadata]\n{text}", 1)

    def metadata(self, key: str) -> list[str]:
        """The items of a list of the metadata, as written."""
        rest = self.text[self._metadata() :]
        match = re.search(rf"^{re.escape(key)} = \[(?P<items>.*?)\]$", rest, re.MULTILINE | re.DOTALL)
        return _items(match["items"]) if match is not None else []


@dataclass
class LockText:
    """The text of a lock: its head, and its entries in the file's order."""

    head: str
    entries: list[Entry] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> LockText:
        """Split a lock. Line endings must be those of uv."""
        head, *entries = _HEADER.split(text)
        return cls(head, [Entry(each) for each in entries])

    def __str__(self) -> str:
        return self.head + "".join(each.text for each in self.entries)

    def find(self, name: str, version: str = "", source: str = "") -> Entry:
        """The entry of a package, by name and, where it has several, by version and source.

        Raises:
            KeyError: there is none.
        """
        for each in self.entries:
            if each.name == name and version in {"", each.field("version")} and source in {"", each.source}:
                return each
        raise KeyError(name)

    def named(self, name: str) -> list[Entry]:
        """Every entry of a name."""
        return [each for each in self.entries if each.name == name]

    @property
    def root(self) -> Entry:
        """The project's own entry."""
        return next(each for each in self.entries if each.source in {'{ virtual = "." }', '{ editable = "." }'})

    def prune(self) -> None:
        """Remove the entries that no edge leads to any more, as uv does."""
        queue, kept = [self.root], {id(self.root)}
        while queue:
            for edge in queue.pop().edges():
                for each in self.named(edge.name):
                    version, source = each.field("version"), each.source
                    named = 'version = "' not in edge.line or f'version = "{version}", source = {source}' in edge.line
                    if named and id(each) not in kept:
                        kept.add(id(each))
                        queue.append(each)
        self.entries = [each for each in self.entries if id(each) in kept]

    def copy_entry(self, entry: Entry) -> Entry:
        """Add a copy of another lock's entry, in the order of the names."""
        new = Entry(entry.text.rstrip() + "\n\n")
        place = next((i for i, each in enumerate(self.entries) if each.name > new.name), len(self.entries))
        if place and not self.entries[place - 1].text.endswith("\n\n"):
            self.entries[place - 1].text = self.entries[place - 1].text.rstrip() + "\n\n"
        self.entries.insert(place, new)
        return new


def _items(text: str) -> list[str]:
    """The items of a list, as written: split at the commas that stand in no string, table or list."""
    found, start, depth, quoted = [], 0, 0, False
    for place, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif not quoted:
            depth += (sign in "{[") - (sign in "}]")
            if sign == "," and not depth:
                found.append(text[start:place])
                start = place + 1
    return [each.strip() for each in (*found, text[start:]) if each.strip()]


def with_hash(line: str, digest: str | None) -> str:
    """A line of an artifact with another hash, or without one."""
    if digest is None:
        return re.sub(r', hash = "[^"]*"|hash = "[^"]*", |hash = "[^"]*"', "", line)
    return _HASH.sub(f'hash = "{digest}"', line)


def edge_line(name: str, **fields: str) -> str:
    """An edge as uv writes it, with `marker` and the like."""
    rest = "".join(f', {key} = "{value}"' for key, value in fields.items())
    return f'    {{ name = "{name}"{rest} }},'
