"""SARIF 2.1.0, complete for code scanning: every rule, full regions, fingerprints that survive re-locking."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from auditor.finding import Severity
from auditor.source import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.finding import Finding
    from auditor.position import Position
    from auditor.report.model import Report
    from auditor.rules.rule import Rule

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
HOME: Final = "https://github.com/lockaudit/lockaudit"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(report: Report, tool_version: str, rules: Sequence[Rule]) -> str:
    """One run with every rule, accepted findings as suppressed results, two spaces of indentation."""
    indices = {rule.code: index for index, rule in enumerate(rules)}
    outcome = report.outcome
    prefix = repository_prefix(report)
    marks = iter(fingerprints([*outcome.findings, *(ignored.finding for ignored in outcome.ignored)], prefix))
    results = [_result(finding, next(marks), indices, prefix) for finding in outcome.findings]
    for ignored in outcome.ignored:
        suppression = {"kind": "external", "justification": printable(ignored.reason)}
        result = _result(ignored.finding, next(marks), indices, prefix)
        results.append(result | {"suppressions": [suppression]})
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "lockaudit",
                        "informationUri": HOME,
                        "version": tool_version,
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


def _result(finding: Finding, mark: str, indices: dict[str, int], prefix: str) -> dict[str, Any]:
    lines = [finding.message, *finding.notes, *([f"Help: {finding.help}"] if finding.help else [])]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n".join(map(printable, lines))},
        "locations": [{"physicalLocation": _location(finding.position, prefix)}],
        "partialFingerprints": {"primaryLocationLineHash": mark},
    }
    if finding.code in indices:
        result["ruleIndex"] = indices[finding.code]
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": _location(related.position, prefix),
                "message": {"text": printable(related.message)},
            }
            for number, related in enumerate(finding.related, start=1)
        ]
    return result


def fingerprints(findings: Iterable[Finding], prefix: str = "") -> list[str]:
    """One for each finding: a hash over code, package, target and file, then which of its like it is, from 1.

    Not over the line or the versions: re-locking keeps an alert. Numbered, because of several findings with one
    fingerprint, code scanning and merge requests show one.
    """
    seen: dict[str, int] = {}
    marks = []
    for finding in findings:
        parts = (finding.code, finding.package or "", finding.target or "", prefix + finding.position.path)
        mark = hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:16]
        seen[mark] = seen.get(mark, 0) + 1
        marks.append(f"{mark}:{seen[mark]}")
    return marks


def repository_prefix(report: Report) -> str:
    """What comes before a finding's path, where the audited root is a folder below the one that lockaudit runs in.

    Findings name files relative to the root; code hosts want them relative to the repository. An absolute root, or one
    beside the working folder, has no such prefix, and the paths stay as they are.
    """
    for name, source in report.sources.items():
        path = PurePosixPath(source.path.as_posix())
        if not path.is_absolute() and path.parts[:1] != ("..",) and path.as_posix().endswith(f"/{name}"):
            return path.as_posix().removesuffix(name)
    return ""


def _location(position: Position, prefix: str) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": quote(prefix + position.path, errors="surrogateescape"), "uriBaseId": "ROOT"},
        "region": {
            "startLine": position.line,
            "startColumn": position.column,
            "endLine": position.line,
            "endColumn": position.column + 1,
        },
    }
