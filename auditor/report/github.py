"""GitHub's workflow commands: annotations on the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.finding import Severity
from auditor.report.sarif import repository_prefix
from auditor.report.text import totals
from auditor.source import printable

if TYPE_CHECKING:
    from auditor.finding import Finding
    from auditor.report.model import Report

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_github(report: Report) -> str:
    """One command a finding, most severe first (GitHub shows ten of each level), then the totals as plain text."""
    ordered = sorted(report.outcome.findings, key=lambda finding: finding.severity.rank)
    prefix = repository_prefix(report)
    return "".join(f"{_command(finding, prefix)}\n" for finding in ordered) + f"{totals(report.outcome)}\n"


def _command(finding: Finding, prefix: str) -> str:
    where = finding.position
    properties = {
        "file": prefix + where.path,
        "line": str(where.line),
        "endLine": str(where.line),
        "col": str(where.column),
        "title": f"{finding.code} {finding.name}",
    }
    text = "\n".join([finding.message, *finding.notes, *([f"help: {finding.help}"] if finding.help else [])])
    message = "%0A".join(_escape(printable(line)) for line in text.split("\n"))
    listed = ",".join(f"{name}={_escape_property(printable(value))}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {listed}::{message}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
