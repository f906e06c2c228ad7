"""Settings of uv that decide what is locked and built: dev's, and the same in prod's own files.

A setting is looked at as what it says about one package (or index), so that only what prod's selection needs is carried
over. What dev says and prod does not is added; what prod says otherwise is replaced only when that is allowed.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from packaging.requirements import InvalidRequirement, Requirement

from auditor.change.pyproject import edited, inline, same_endings, table
from auditor.lock.shape import items, table as table_of
from auditor.lock.workspace import PROJECT_KEYS
from auditor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.change.tree import Tree

_AT_TOP: Final[tuple[str, ...]] = ()
ORIGIN: Final = "from {}, by lockaudit fix"

# Keys of [tool.uv] by their shape: lists of requirements or names, lists of tables with a name, tables by name.
LISTS: Final = (
    "constraint-dependencies",
    "override-dependencies",
    "exclude-dependencies",
    "build-constraint-dependencies",
    "no-build-isolation-package",
    "no-binary-package",
    "no-build-package",
    "reinstall-package",
)
TABLES: Final = ("dependency-metadata", "index")
MAPPINGS: Final = (
    "sources",
    "extra-build-dependencies",
    "extra-build-variables",
    "config-settings-package",
    "exclude-newer-package",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one file says to uv.

    Attributes:
        path: of the file, relative to the root.
        below: the tables that the settings stand in: `("tool", "uv")`, or none in a uv.toml.
        values: as read.
    """

    path: str
    below: tuple[str, ...]
    values: Mapping[str, Any]

    @property
    def folder(self) -> str:
        """Of the file."""
        return posixpath.dirname(self.path) or "."


def settings_in(tree: Tree, folder: str, key: str) -> Settings | None:
    """The file of a folder in which uv looks for a key; None where the folder has none.

    A uv.toml hides the settings of the `[tool.uv]` beside it, but not what belongs to the project.
    """
    import rtoml  # noqa: PLC0415 - only commands that read TOML pay for it

    prefix = "" if folder == "." else f"{folder}/"
    path, below = f"{prefix}uv.toml", _AT_TOP
    text = tree.text(path) if key not in PROJECT_KEYS else None
    if text is None:
        path, below = f"{prefix}pyproject.toml", ("tool", "uv")
        text = tree.text(path)
    if text is None:
        return None
    values: Any = rtoml.loads(text.removeprefix("\ufeff"))
    for each in below:
        values = table_of(values.get(each))
    return Settings(path=path, below=below, values=values)


def about(value: Any, name: str | None) -> list[Any]:  # noqa: ANN401 - a value of the file
    """What a setting says about a package or an index; with no name, the value itself; empty where it says nothing."""
    if value is None:
        return []
    if name is None:
        return [value]
    if isinstance(value, list):
        return [each for each in value if name_of(each) == name]
    return [each for key, each in table_of(value).items() if normalize(key) == name]


def name_of(entry: Any) -> str:  # noqa: ANN401 - an entry of a list of the file
    """The package or index that an entry of a list is about: a requirement, a name, or a table with one."""
    if isinstance(entry, dict):
        named = entry.get("name")
        return normalize(str(named if isinstance(named, str) else entry.get("package", "")))
    match = re.match(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)", str(entry))
    return normalize(match[1]) if match else ""


def same(first: list[Any], second: list[Any]) -> bool:
    """Whether two settings mean one thing: the spelling and the order of requirements do not count."""
    return bool(_meaning(first) == _meaning(second))


def _meaning(value: Any) -> Any:  # noqa: ANN401 - a value of the file
    if isinstance(value, dict):
        return {key: _meaning(each) for key, each in value.items()}
    if isinstance(value, list):
        return sorted((_meaning(each) for each in value), key=repr)
    if isinstance(value, str):
        try:
            return str(Requirement(value))
        except InvalidRequirement:
            return value
    return value


def moved(value: Any, old: str, new: str) -> Any:  # noqa: ANN401 - a value of the file
    """A setting with its relative paths as another folder writes them: sources, flat indexes, editables."""
    if isinstance(value, list):
        return [moved(each, old, new) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: relative(each, old, new) if key in {"path", "url"} and isinstance(each, str) else each
        for key, each in value.items()
    }


def relative(text: str, old: str, new: str) -> str:
    """A relative path of one folder as another folder writes it; a URL or an absolute path stays."""
    if "://" in text or text.startswith("/") or re.match(r"[A-Za-z]:|\\\\|git\+|\$", text):
        return text
    found = posixpath.relpath(posixpath.join(old, text), new)
    return f"./{found}" if text.startswith("./") and not found.startswith("../") else found


def write(tree: Tree, place: Settings, key: str, name: str | None, wanted: list[Any], origin: str) -> bool:
    """Let a file say about a package what `wanted` says, and nothing else; whether that changed the file.

    Args:
        tree: holds the file.
        place: the file.
        key: of the setting.
        name: of the package or index, normalised; None for the whole value.
        wanted: its entries; of a table by name or a whole value, the only one; empty removes what there is.
        origin: where it comes from, for the comment beside it.
    """
    comment = ORIGIN.format(origin)

    def edit(document: Any) -> None:  # noqa: ANN401 - tomlkit's document
        if not wanted and key not in table_at(document, place.below):
            return
        uv = table(document, *place.below) if place.below else document
        if name is None:
            _write_value(uv, key, wanted, comment)
        elif key in MAPPINGS:
            _write_mapping(uv, key, name, wanted, comment)
        else:
            _write_list(uv, key, name, wanted, comment)

    old = tree.text(place.path) or ""
    new = same_endings(_spaced(edited(old, edit, path=place.path), comment), old)
    tree.replace(place.path, new)
    return new != old


def table_at(document: Any, names: tuple[str, ...]) -> Any:  # noqa: ANN401 - tomlkit's tables
    """The table at a path, or an empty one."""
    for name in names:
        document = document.get(name, {})
    return document


def _write_value(uv: Any, key: str, wanted: list[Any], comment: str) -> None:  # noqa: ANN401 - tomlkit's tables
    if wanted:
        uv[key] = inline(wanted[0])
        uv[key].comment(comment)
    else:
        del uv[key]


def _write_mapping(uv: Any, key: str, name: str, wanted: list[Any], comment: str) -> None:  # noqa: ANN401 - likewise
    from tomlkit.items import Table  # noqa: PLC0415 - as in `edited`

    mapping = table(uv, key)
    known = next((each for each in mapping if normalize(each) == name), name)
    old = mapping.get(known)
    if wanted and isinstance(old, Table) and isinstance(wanted[0], dict):
        _update(old, wanted[0])
    elif wanted:
        mapping[known] = inline(wanted[0])
        if not _is_inline(mapping):
            mapping[known].comment(comment)
    elif known in mapping:
        del mapping[known]
        if isinstance(old, Table):
            _keep_comments(old, next((each for each in mapping.values() if isinstance(each, Table)), mapping))


def _update(old: Any, new: Mapping[str, Any]) -> None:  # noqa: ANN401 - tomlkit's table
    """Change a table where it stands: what follows it, comments of the next table among it, is a part of it."""
    for key in [each for each in old if each not in new]:
        del old[key]
    for key, each in new.items():
        if plain(old.get(key)) != each:
            old[key] = inline(each)


def _keep_comments(removed: Any, other: Any) -> None:  # noqa: ANN401 - tomlkit's tables
    """Comments after the last key of a table that goes away: they may be about what comes next."""
    from tomlkit.items import Comment  # noqa: PLC0415 - as in `edited`

    last = max((place for place, (key, _) in enumerate(removed.value.body) if key is not None), default=-1)
    for _, item in removed.value.body[last + 1 :]:
        if isinstance(item, Comment):
            other.add(item)


def _is_inline(value: Any) -> bool:  # noqa: ANN401 - tomlkit's items
    from tomlkit.items import InlineTable  # noqa: PLC0415 - as in `edited`

    return isinstance(value, InlineTable)


def _write_list(uv: Any, key: str, name: str, wanted: list[Any], comment: str) -> None:  # noqa: ANN401 - likewise
    from tomlkit.items import AoT  # noqa: PLC0415 - as in `edited`

    if key not in uv and key in TABLES:
        import tomlkit  # noqa: PLC0415 - as in `edited`

        uv[key] = tomlkit.aot()
    elif key not in uv:
        uv[key] = inline([])
    entries = uv[key]
    keeps: Callable[[Any], bool] = lambda each: name_of(plain(each)) != name  # noqa: E731 - one word for one use
    if isinstance(entries, AoT):
        old = [place for place in range(len(entries)) if not keeps(entries[place])]
        for place, each in zip(old, wanted, strict=False):
            _update(entries[place], each)
        for place in reversed(old[len(wanted) :]):
            removed = entries[place]
            del entries[place]
            _keep_comments(removed, entries[max(place - 1, 0)] if len(entries) else uv)
        for each in wanted[len(old) :]:
            entries.append(_block(each, comment))
        return
    for place in reversed(range(len(entries))):
        if not keeps(entries[place]):
            del entries[place]
    add_lines(entries, wanted, comment)
    if not len(entries):
        del uv[key]


def add_lines(array: Any, values: list[Any], comment: str) -> None:  # noqa: ANN401 - tomlkit's array
    """Add values to an array, each on a line of its own with a comment."""
    text = array.as_string()
    if "\n" not in text:
        old = list(array)
        array.clear()
        for each in old:
            array.add_line(each)
    lines = [line for line in text.splitlines()[1:] if line.strip() and line.strip()[0] not in "#]"]
    indent = lines[-1][: len(lines[-1]) - len(lines[-1].lstrip())] if lines else "    "
    for each in values:
        array.add_line(inline(each), indent=indent, comment=comment)
    if values and "\n" in text and text.splitlines()[-1].strip() != "]":  # the bracket closes beside the last value
        array.add_line(indent="")


def plain(value: Any) -> Any:  # noqa: ANN401 - tomlkit's items
    """A value of tomlkit as Python's."""
    return value.unwrap() if hasattr(value, "unwrap") else value


def _block(value: Mapping[str, Any], comment: str) -> Any:  # noqa: ANN401 - tomlkit's table
    """A table of an array of tables, with the comment beside its header."""
    import tomlkit  # noqa: PLC0415 - as in `edited`

    block = tomlkit.table()
    block.comment(comment)
    for key, each in value.items():
        block.add(key, inline(each))
    return block


def _spaced(text: str, comment: str) -> str:
    """An empty line before and after each block that was added: tomlkit writes none."""
    lines: list[str] = []
    is_ours = False
    for line in text.splitlines(keepends=True):
        is_header = line.startswith("[")
        if is_header and lines and lines[-1].strip() and (is_ours or comment in line):
            lines.append("\n")
        is_ours = comment in line if is_header else is_ours
        lines.append(line)
    return "".join(lines)


def entries_of(tree: Tree, folder: str, key: str, name: str | None) -> list[Any]:
    """What the file of a folder says with a key about a package."""
    found = settings_in(tree, folder, key)
    return [] if found is None else about(found.values.get(key), name)


def listed_names(value: Any) -> list[str]:  # noqa: ANN401 - a value of the file
    """The names that a list or a table by name is about."""
    if isinstance(value, dict):
        return [normalize(key) for key in value]
    return [name_of(each) for each in items(value)]
