"""GitLab's code quality report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from auditor.finding import Severity
from auditor.report.sarif import fingerprint
from auditor.source import hide_logins

if TYPE_CHECKING:
    from auditor.report.model import Report

_SEVERITIES: Final = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def render_gitlab(report: Report) -> str:
    """A list of what GitLab shows in a merge request; the fingerprints are the ones of SARIF, made unique."""
    seen: dict[str, int] = {}
    entries = []
    for finding in report.outcome.findings:
        mark = fingerprint(finding)
        seen[mark] = seen.get(mark, 0) + 1
        entries.append(
            {
                "description": hide_logins(f"{finding.code} {finding.message}"),
                "check_name": finding.name,
                "fingerprint": mark if seen[mark] == 1 else f"{mark}:{seen[mark]}",
                "severity": _SEVERITIES[finding.severity],
                "location": {"path": finding.position.path, "lines": {"begin": finding.position.line}},
            }
        )
    return json.dumps(entries, indent=2) + "\n"
