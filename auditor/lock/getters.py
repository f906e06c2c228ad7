"""Typed getters of a lock's tables: a value of another type is an error with the file and the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.errors import InputError
from auditor.lock.marker import Marker, MarkerError, parse as parse_marker
from auditor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.source import SourceFile

    Table = dict[str, Any]

_LARGEST = 2**63 - 1


class Getters:
    """The values of a lock's tables, each of the type that it must have.

    Attributes:
        source: the file.
        line: of the package that is read, for messages.
    """

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.line = 1

    def fail(self, message: str, hint: str | None = None) -> InputError:
        """The error of a lock that uv would not read, at the current line."""
        return InputError(message, path=self.source.name, line=self.line, hint=hint or "run `uv lock` to write it anew")

    def text(self, table: Mapping[str, Any], key: str, where: str) -> str | None:
        """A string, or None."""
        value = table.get(key)
        if value is not None and not isinstance(value, str):
            raise self.fail(f"`{key}` of {where} is {_kind(value)}, not a string")
        return value

    def table_list(self, table: Mapping[str, Any], key: str, where: str) -> list[Table]:
        """A list of tables; empty where there is none."""
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fail(f"`{key}` of {where} is not a list of tables")
        return value

    def names(self, table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        """A list of names, normalised; empty where there is none."""
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(f"`{key}` of {where} is not a list of strings")
        return tuple(normalize(item) for item in value)

    def number(self, table: Mapping[str, Any], key: str, where: str) -> int | None:
        """A whole number that is not negative, or None."""
        value = table.get(key)
        if value is not None and (type(value) is not int or not 0 <= value <= _LARGEST):
            raise self.fail(f"`{key}` of {where} is not a whole number of 64 bits")
        return value

    def default_groups(self, table: Mapping[str, Any], where: str) -> tuple[str, ...] | None:
        """Group names; `("all",)` for every group, which the file writes as a string; None where it says nothing."""
        if "default-groups" not in table:
            return None
        if table["default-groups"] == "all":
            return ("all",)
        return self.names(table, "default-groups", where)

    def aliased(self, table: Mapping[str, Any], key: str, alias: str, where: str) -> str:
        """The one of two spellings of a key that the table has."""
        if key in table and alias in table:
            raise self.fail(f"{where} has both `{key}` and `{alias}`, which mean the same")
        return alias if alias in table else key

    def subtable(self, table: Mapping[str, Any], key: str, where: str) -> Table:
        """A table; empty where there is none."""
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self.fail(f"`{key}` of {where} is {_kind(value)}, not a table")
        return value

    def markers(self, table: Mapping[str, Any], key: str, where: str) -> tuple[Marker, ...]:
        """A list of markers; empty where there is none."""
        value = table.get(key, [])
        if not isinstance(value, list):
            raise self.fail(f"`{key}` of {where} is {_kind(value)}, not a list")
        return tuple(marker for item in value if (marker := self.marker(item, where)) is not None)

    def marker(self, value: object, where: str) -> Marker | None:
        """A marker, or None."""
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.fail(f"a marker of {where} is {_kind(value)}, not a string")
        try:
            return parse_marker(value)
        except (MarkerError, RecursionError) as error:
            raise self.fail(f"a marker of {where} cannot be read: {error}") from None


def _kind(value: object) -> str:
    names: Iterable[tuple[type, str]] = (
        (bool, "a boolean"),
        (int, "a number"),
        (float, "a number"),
        (str, "a string"),
        (list, "a list"),
        (dict, "a table"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), f"a {type(value).__name__}")
