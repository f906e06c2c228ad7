"""What lockaudit says: findings, with their severity and their places."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.position import Position


class Severity(StrEnum):
    """How much a finding matters. Only `error` changes the exit code."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return ("error", "warning", "info").index(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A second place that belongs to a finding, with what is there."""

    position: Position
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, at one place.

    Attributes:
        code: stable code, `LA103`.
        name: kebab-case name of the rule, `version-differs`.
        severity: see `Severity`.
        message: what is wrong, one line, naming both sides.
        position: the line that must change.
        package: normalised name of the package it is about, if it is about one.
        target: the target it was found on, if it depends on one.
        help: what to do, one sentence.
        notes: further facts, one line each.
        related: the other side, and other places that matter.
    """

    code: str
    name: str
    severity: Severity
    message: str
    position: Position
    package: str | None = None
    target: str | None = None
    help: str | None = None
    notes: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()

    @property
    def sort_key(self) -> tuple[str, int, int, str, str, str, str]:
        """Order of findings in every report: by place, then by code and package."""
        where = self.position
        return (where.path, where.line, where.column, self.code, self.package or "", self.target or "", self.message)
