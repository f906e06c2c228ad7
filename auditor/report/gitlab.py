"""GitLab's code quality report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from auditor.finding import Severity
from auditor.report.sarif import fingerprints, repository_prefix
from auditor.source import printable

if TYPE_CHECKING:
    from auditor.report.model import Report

_SEVERITIES: Final = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def render_gitlab(report: Report) -> str:
    """A list of what GitLab shows in a merge request; the fingerprints are the ones of SARIF."""
    findings, prefix = report.outcome.findings, repository_prefix(report)
    entries = [
        {
            "description": printable(f"{finding.code} {finding.message}"),
            "check_name": finding.name,
            "fingerprint": mark,
            "severity": _SEVERITIES[finding.severity],
            "location": {"path": prefix + finding.position.path, "lines": {"begin": finding.position.line}},
        }
        for finding, mark in zip(findings, fingerprints(findings, prefix), strict=True)
    ]
    return json.dumps(entries, indent=2) + "\n"
