"""JUnit XML: one suite a file, a failing case a finding, one passing case when clean."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from auditor.finding import Severity
from auditor.report.text import totals
from auditor.source import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.finding import Finding
    from auditor.report.model import Report


def render_junit(report: Report) -> str:
    """The suites, sorted by file. A warning or an info is a passing case that says so in its output."""
    suites: dict[str, list[Finding]] = {}
    for finding in report.outcome.findings:
        suites.setdefault(finding.position.path, []).append(finding)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    count = max(1, len(report.outcome.findings))
    failures = report.outcome.count(Severity.ERROR)
    lines.append(f'<testsuites name="lockaudit" tests="{count}" failures="{failures}" errors="0">')
    for path, findings in sorted(suites.items()):
        lines += _suite(path, findings)
    if not suites:
        lines += [
            '  <testsuite name="lockaudit" tests="1" failures="0" errors="0" skipped="0">',
            f'    <testcase name={_attribute(totals(report.outcome))} classname="lockaudit"/>',
            "  </testsuite>",
        ]
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _suite(path: str, findings: list[Finding]) -> Iterator[str]:
    failures = sum(finding.severity is Severity.ERROR for finding in findings)
    counts = f'tests="{len(findings)}" failures="{failures}" errors="0" skipped="0"'
    yield f"  <testsuite name={_attribute(path)} {counts}>"
    seen: dict[str, int] = {}
    for finding in findings:
        package = f" {finding.package}" if finding.package else ""
        target = f" on {finding.target}" if finding.target else ""
        title = f"{finding.code} {finding.name}{package}{target}"
        seen[title] = seen.get(title, 0) + 1  # of two cases with one name, viewers show one
        name = _attribute(title if seen[title] == 1 else f"{title} ({seen[title]})")
        yield f"    <testcase name={name} classname={_attribute(path)}>"
        where = f"{finding.position.path}:{finding.position.line}:{finding.position.column}"
        body = [f"{where}: {finding.message}", *finding.notes]
        body += [f"help: {finding.help}"] if finding.help else []
        text = "\n".join(_text(line) for line in body)
        if finding.severity is Severity.ERROR:
            message, kind = _attribute(finding.message), _attribute(finding.code)
            yield f"      <failure message={message} type={kind}>{text}</failure>"
        else:
            yield f"      <system-out>{finding.severity}: {text}</system-out>"
        yield "    </testcase>"
    yield "  </testsuite>"


def _attribute(text: str) -> str:
    return quoteattr(printable(text))


def _text(text: str) -> str:
    return escape(printable(text))
