"""Findings for machines: a frozen, versioned shape, not a dump of the model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from auditor.finding import Finding, Severity
from auditor.source import hide_logins

if TYPE_CHECKING:
    from auditor.report.model import Report

VERSION: Final = 1


def render_json(report: Report, tool_version: str) -> str:
    """`{"version": 1, "tool", "findings": [...], "ignored": [...], "summary"}`, keys in that order, two spaces."""
    outcome = report.outcome
    document = {
        "version": VERSION,
        "tool": {"name": "lockaudit", "version": tool_version},
        "findings": [_finding(finding) for finding in outcome.findings],
        "ignored": [
            {**_finding(ignored.finding), "reason": hide_logins(ignored.reason)} for ignored in outcome.ignored
        ],
        "summary": {
            "targets": list(outcome.targets),
            "compared": {hide_logins(target): count for target, count in outcome.compared},
            **{severity.value: outcome.count(severity) for severity in Severity},
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": hide_logins(finding.message),
        "package": finding.package,
        "target": finding.target,
        "path": finding.position.path,
        "line": finding.position.line,
        "column": finding.position.column,
        "help": None if finding.help is None else hide_logins(finding.help),
        "notes": [hide_logins(note) for note in finding.notes],
        "related": [
            {
                "path": related.position.path,
                "line": related.position.line,
                "column": related.position.column,
                "message": hide_logins(related.message),
            }
            for related in finding.related
        ],
    }
