"""Findings as a compiler shows them, and one line of totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.finding import Finding, Severity
from auditor.source import hide_logins, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auditor.position import Position
    from auditor.report.model import Report
    from auditor.rules.run import Outcome
    from auditor.source import SourceFile

WINDOW: Final = 100  # columns of a source line that are shown: lock lines run to several hundred

_RESET: Final = "\x1b[0m"
_STYLES: Final = {
    Severity.ERROR: "\x1b[1;31m",
    Severity.WARNING: "\x1b[1;33m",
    Severity.INFO: "\x1b[1;36m",
    "place": "\x1b[34m",
    "help": "\x1b[1;32m",
    "bold": "\x1b[1m",
}


def render_text(report: Report, *, color: bool = False) -> str:
    """The whole report: every finding with its line, then what was accepted, then the totals."""
    painter = _Painter(color=color)
    blocks = ["\n".join(_finding(finding, report.sources, painter)) for finding in report.outcome.findings]
    blocks += ["\n".join(_ignored(report.outcome))] if report.outcome.ignored else []
    blocks.append(totals(report.outcome))
    return "\n\n".join(blocks) + "\n"


def render_findings(findings: Iterable[Finding]) -> str:
    """Findings alone, without the lines that they point at."""
    painter = _Painter(color=False)
    return "".join("\n".join([*_finding(finding, {}, painter), "\n"]) for finding in findings)


def render_concise(report: Report) -> str:
    """`path:line:col: CODE message`, one line each, then the totals."""
    lines = [
        f"{_where(finding.position)}: {finding.code} {printable(finding.message)}"
        for finding in report.outcome.findings
    ]
    return "\n".join([*lines, totals(report.outcome)]) + "\n"


def totals(outcome: Outcome) -> str:
    """One line: what was proven, or how much was found."""
    ignored = f" ({len(outcome.ignored)} accepted)" if outcome.ignored else ""
    compared = ", ".join(
        f"{count} package{'' if count == 1 else 's'} on {printable(target)}" for target, count in outcome.compared
    )
    if not outcome.findings:
        return f"prod is a consistent subset of dev: {compared or 'nothing was compared'}{ignored}"
    counts = [(outcome.count(severity), severity.value) for severity in Severity]
    words = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count]
    where = f"; compared {compared}" if compared else ""
    return f"found {', '.join(words)}{ignored}{where}"


class _Painter:
    def __init__(self, *, color: bool) -> None:
        self.color = color

    def __call__(self, text: str, style: str | Severity) -> str:
        return f"{_STYLES[style]}{text}{_RESET}" if self.color else text


def _finding(finding: Finding, sources: Mapping[str, SourceFile], paint: _Painter) -> Iterator[str]:
    head = paint(f"{finding.severity}[{finding.code}]", finding.severity)
    yield f"{head}: {paint(printable(finding.message), 'bold')}"
    yield from _place(finding.position, sources, paint, caret=True)
    for related in finding.related:
        yield f"  {paint('::', 'place')} {_where(related.position)}: {printable(related.message)}"
    if finding.target is not None:
        yield f"  = target: {printable(finding.target)}"
    for note in finding.notes:
        yield f"  = note: {printable(note)}"
    if finding.help is not None:
        yield f"{paint('help', 'help')}: {printable(finding.help)}"


def _place(position: Position, sources: Mapping[str, SourceFile], paint: _Painter, *, caret: bool) -> Iterator[str]:
    yield f" {paint('-->', 'place')} {_where(position)}"
    source = sources.get(position.path)
    line = source.line(position.line) if source is not None else ""
    if not line.strip() or not caret:
        return
    # Before the line is cut: a cut would hide the `@` that a login is known by.
    text, column = _window(hide_logins(line), len(hide_logins(line[: position.column - 1])) + 1)
    gutter = str(position.line)
    bar = paint("|", "place")
    yield f"{' ' * len(gutter)} {bar}"
    yield f"{paint(gutter, 'place')} {bar} {printable(text)}"
    yield f"{' ' * len(gutter)} {bar} {' ' * (column - 1)}{paint('^', Severity.ERROR)}"


def _window(line: str, column: int) -> tuple[str, int]:
    """At most `WINDOW` columns of a line around a column, and where that column is in them."""
    text = line.replace("\t", " ").rstrip()
    if len(text) <= WINDOW:
        return text, column
    start = max(0, min(column - 1 - WINDOW // 3, len(text) - WINDOW))
    cut = text[start : start + WINDOW]
    before, after = "..." if start else "", "..." if start + WINDOW < len(text) else ""
    return f"{before}{cut}{after}", column - start + len(before)


def _where(position: Position) -> str:
    return f"{printable(position.path)}:{position.line}:{position.column}"


def _ignored(outcome: Outcome) -> Iterator[str]:
    reasons: dict[str, tuple[int, str]] = {}
    for ignored in outcome.ignored:
        count, _ = reasons.get(ignored.finding.code, (0, ""))
        reasons[ignored.finding.code] = (count + 1, ignored.reason)
    for code, (count, reason) in reasons.items():
        yield f"accepted[{code}]: {count} finding{'s' if count > 1 else ''}: {printable(reason)}"
