"""TOML as text to tables: fast where it is good, exact about where it is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from auditor.errors import InputError

if TYPE_CHECKING:
    from auditor.source import SourceFile


_DEEP: Final = re.compile(r"(?:[\w\"'-]++[ \t]*+\.[ \t]*+){300}")  # a key of that many parts


def parse_toml(source: SourceFile, *, what: str = "file") -> dict[str, Any]:
    """The file's tables.

    rtoml parses (0.04 s for 3.2 MB where tomllib takes 0.44 s); when it rejects a file, tomllib's message, which
    has line and column, is what the user sees.

    Raises:
        InputError: not TOML.
    """
    import rtoml  # noqa: PLC0415 - only commands that read TOML pay for it

    try:
        return rtoml.loads(source.text)
    except (rtoml.TomlParsingError, ValueError) as error:
        # What is too deep for rtoml is too slow for tomllib, which takes the square of a dotted key's length.
        if "recurs" in str(error) or _DEEP.search(source.text):
            raise InputError(f"this {what} nests too deeply to be read", path=source.name) from None
        return _parse_slowly(source, what)


def _parse_slowly(source: SourceFile, what: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - needed only for a file that is at fault

    try:
        return tomllib.loads(source.text)
    except RecursionError:
        raise InputError(f"this {what} nests too deeply to be read", path=source.name) from None
    except tomllib.TOMLDecodeError as error:
        message, line, column = _split_position(str(error), source)
        raise InputError(f"not TOML: {message}", path=source.name, line=line, column=column) from None
    except ValueError as error:  # a number of more digits than Python reads
        raise InputError(f"not TOML that can be read: {error}", path=source.name) from None


def _split_position(text: str, source: SourceFile) -> tuple[str, int, int]:
    """Tomllib ends its messages with `(at line 3, column 7)` or `(at end of document)`."""
    message, _, position = text.rpartition(" (at ")
    numbers = [int(word) for word in position.rstrip(")").replace(",", " ").split() if word.isdigit()]
    if len(numbers) == 2:  # noqa: PLR2004 - line and column
        return message, numbers[0], numbers[1]
    return message or text, max(len(source.lines), 1), 1
