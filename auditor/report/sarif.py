"""SARIF 2.1.0, complete for code scanning: every rule, full regions, fingerprints that survive re-locking."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from auditor.finding import Severity
from auditor.source import hide_logins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.finding import Finding
    from auditor.position import Position
    from auditor.report.model import Report
    from auditor.rules.rule import Rule

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(report: Report, tool_version: str, rules: Sequence[Rule]) -> str:
    """One run with every rule, accepted findings as suppressed results, two spaces of indentation."""
    indices = {rule.code: index for index, rule in enumerate(rules)}
    outcome = report.outcome
    results = [_result(finding, indices) for finding in outcome.findings]
    for ignored in outcome.ignored:
        suppression = {"kind": "external", "justification": hide_logins(ignored.reason)}
        results.append(_result(ignored.finding, indices) | {"suppressions": [suppression]})
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "lockaudit",
                        "semanticVersion": tool_version,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "originalUriBaseIds": {"ROOT": {"description": {"text": "The root of the audited repository."}}},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    text = rule.explain()
    parts = (("What", text.what), ("Why", text.why), ("Example", text.example), ("Fix", text.fix))
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": f"{text.title}."},
        "fullDescription": {"text": text.what},
        "help": {
            "text": "\n\n".join(f"{heading}: {body}" for heading, body in parts),
            "markdown": "\n\n".join(f"**{heading}.** {body}" for heading, body in parts),
        },
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, indices: dict[str, int]) -> dict[str, Any]:
    text = "\n".join([finding.message, *finding.notes, *([f"Help: {finding.help}"] if finding.help else [])])
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": hide_logins(text)},
        "locations": [{"physicalLocation": _location(finding.position)}],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint(finding)},
    }
    if finding.code in indices:
        result["ruleIndex"] = indices[finding.code]
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": _location(related.position),
                "message": {"text": hide_logins(related.message)},
            }
            for number, related in enumerate(finding.related, start=1)
        ]
    return result


def fingerprint(finding: Finding) -> str:
    """A hash over code, package, target and file, not over the line or the versions: re-locking keeps an alert."""
    identity = "\0".join((finding.code, finding.package or "", finding.target or "", finding.position.path))
    return f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}:1"


def _location(position: Position) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": quote(position.path), "uriBaseId": "ROOT"},
        "region": {
            "startLine": position.line,
            "startColumn": position.column,
            "endLine": position.line,
            "endColumn": position.column + 1,
        },
    }
