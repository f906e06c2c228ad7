"""Edits of a pyproject.toml: what is not edited stays as it is, comments, order, line endings and mark included."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MARK: Final = "\ufeff"


def edited(text: str, edit: Callable[[Any], None], *, path: str = "pyproject.toml") -> str:
    """The text after an edit of its tomlkit document; as it was, to the byte, where the edit changes nothing.

    Args:
        text: of the file, as on disk.
        edit: changes the document in place.
        path: of the file, for messages.

    Raises:
        InputError: not TOML, or TOML that cannot be edited without changing more than what was asked for.
    """
    import tomlkit  # noqa: PLC0415 - only commands that edit pay for it
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    mark, body = (MARK, text[1:]) if text.startswith(MARK) else ("", text)
    try:
        document = tomlkit.parse(body)
        before = tomlkit.dumps(document)
        edit(document)
        after = tomlkit.dumps(document)
    except TOMLKitError as error:
        raise InputError(f"cannot edit this file: {error}", path=path) from None
    if before != body:
        raise InputError("cannot edit this file without changing what it says", path=path, hint="edit it by hand")
    return text if after == before else mark + same_endings(after, text)


def table(document: Any, *names: str) -> Any:  # noqa: ANN401 - tomlkit's tables
    """The table at a path of a document, made where there is none; tables above it are made without a header."""
    import tomlkit  # noqa: PLC0415 - as above

    found = document
    for depth, name in enumerate(names, start=1):
        if name not in found:
            found[name] = tomlkit.table(is_super_table=depth < len(names))
        found = found[name]
    return found


def inline(value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """A value as tomlkit's, with tables on one line as people write sources; an array of tables has one a line."""
    import tomlkit  # noqa: PLC0415 - as above

    if isinstance(value, dict):
        found: Any = tomlkit.inline_table()
        for key, each in value.items():
            found.append(key, inline(each))
        return found
    if isinstance(value, list):
        array = tomlkit.array()
        array.extend(inline(each) for each in value)
        return array.multiline(any(isinstance(each, dict) for each in value) and len(value) > 1)
    return tomlkit.item(value)


def listed(names: Iterable[str]) -> str:
    """An array of strings, as TOML."""
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def appended(text: str, added: str) -> str:
    """A table after all others, so that no byte before it changes."""
    end = "" if not text or text.endswith("\n") else "\n"
    return text + same_endings(f"{end}\n{added}" if text.strip() else added, text)


def below_header(text: str, name: str, added: str) -> str | None:
    r"""Lines added at the top of a table, where nothing that is there moves; None where it has no header of its own.

    Args:
        text: of the file.
        name: of the table, as a regular expression: `tool\.uv`.
        added: lines, each with its ending.
    """
    header = re.search(rf"^[ \t]*\[[ \t]*{name}[ \t]*\][ \t]*(?:#[^\n]*)?\r?\n", text, re.MULTILINE)
    if header is None:
        return None
    return text[: header.end()] + same_endings(added, text) + text[header.end() :]


def same_endings(added: str, text: str) -> str:
    """`added` with the line endings of `text`, where it has but one kind."""
    crlf = "\r\n" in text and text.count("\n") == text.count("\r\n")
    return re.sub(r"\r?\n", "\r\n", added) if crlf else added
