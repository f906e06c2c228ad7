"""What is accepted: settings and comments that set findings aside or change their severity, each with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from auditor.errors import ConfigError
from auditor.finding import Finding, Severity
from auditor.rules.rule import meta_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.config import Config
    from auditor.position import Position
    from auditor.source import SourceFile

_COMMENT: Final = re.compile(r"#\s*lockaudit:\s*ignore\[(?P<codes>[^\]]*)\]\s*(?P<reason>.*)")


@meta_rule("LA001", "ignore-unused", Severity.WARNING)
def ignore_unused() -> Iterator[Finding]:
    """Something is accepted that is no longer there.

    What:
        An entry of `ignore` in [tool.lockaudit], or a comment `# lockaudit: ignore[...]`, matches no finding.
    Why:
        It was right once. Left behind, it hides the next finding of that code, which may be another one.

    Example:
        `ignore = { LA111 = "until the next release" }`, and both locks have had one `requires-python` for months.
    Fix:
        Remove the entry or the comment.
    """
    yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A finding that is accepted, with its reason."""

    finding: Finding
    reason: str


@dataclass(slots=True)
class _Entry:
    """One reason to accept a code: everywhere, of one package, or at the lines that a comment is about."""

    code: str
    reason: str
    position: Position
    package: str | None = None
    lines: frozenset[int] = field(default_factory=frozenset)
    used: bool = False

    def accepts(self, finding: Finding) -> bool:
        if finding.code != self.code or (self.package is not None and finding.package != self.package):
            return False
        return not self.lines or (finding.position.path == self.position.path and finding.position.line in self.lines)


def accept(
    findings: Iterable[Finding], config: Config, files: Iterable[SourceFile], codes: Sequence[str]
) -> tuple[list[Finding], list[Ignored]]:
    """Set accepted findings aside and apply the settings' severities.

    Args:
        findings: of every pair.
        config: the settings.
        files: whose comments count: Dockerfiles and pyproject.toml files.
        codes: of the rules that ran; an entry for another rule cannot be called unused.

    Returns:
        What is left, LA001 for unused entries included; and what is accepted.

    Raises:
        ConfigError: a comment without a reason, or with a code that does not exist.
    """
    entries = [*_entries(config), *(entry for file in files for entry in _comments(file))]
    kept: list[Finding] = []
    ignored: list[Ignored] = []
    for finding in findings:
        matching = [entry for entry in entries if entry.accepts(finding)]
        for entry in matching:
            entry.used = True
        if matching:
            ignored.append(Ignored(finding=finding, reason=matching[-1].reason))
        else:
            kept.append(_with_severity(finding, config))
    for entry in entries:
        if not entry.used and entry.code in codes:
            of = f" of {entry.package}" if entry.package else ""
            unused = ignore_unused.finding(
                f"{entry.code}{of} is accepted here, but there is no such finding",
                entry.position,
                package=entry.package,
                help="remove the entry",
            )
            accepted = config.ignore.get(unused.code)
            if accepted is None:
                kept.append(_with_severity(unused, config))
            else:
                ignored.append(Ignored(finding=unused, reason=accepted))
    return kept, ignored


def _with_severity(finding: Finding, config: Config) -> Finding:
    chosen = config.severity.get(finding.code)
    package = config.packages.get(finding.package or "")
    if package is not None:
        chosen = package.severity.get(finding.code, chosen)
    return finding if chosen is None else replace(finding, severity=Severity(chosen))


def _entries(config: Config) -> Iterator[_Entry]:
    if config.file is None:
        return
    for code, reason in config.ignore.items():
        if code != ignore_unused.code:
            yield _Entry(code, reason, _at(config.file, "ignore", code))
    for name, package in config.packages.items():
        for code, reason in package.ignore.items():
            yield _Entry(code, reason, _at(config.file, name, code), package=name)


def _at(file: SourceFile, first: str, code: str) -> Position:
    """The line of a code in the settings: after its section's name, if that can be found."""
    header = file.find("[tool.lockaudit")
    section = file.find(first, header.line if header else 1)
    line = section.line if section else header.line if header else 1
    return file.find(code, line) or file.at(line)


def _comments(file: SourceFile) -> Iterator[_Entry]:
    for number, text in enumerate(file.lines, start=1):
        match = _COMMENT.search(text) if "lockaudit" in text else None
        if match is None:
            continue
        codes = [code.strip() for code in match["codes"].split(",") if code.strip()]
        reason = match["reason"].strip()
        if not codes or not reason:
            raise ConfigError(
                "this comment accepts a finding without a code or a reason",
                path=file.name,
                line=number,
                hint="write `# lockaudit: ignore[LA402] why it is accepted`",
            )
        lines = frozenset({number}) if text[: match.start()].strip() else frozenset({number, _next(file, number)})
        for code in codes:
            yield _Entry(code, reason, file.at(number, match.start() + 1), lines=lines)


def _next(file: SourceFile, number: int) -> int:
    """The first line after a comment that is neither empty nor a comment."""
    following = number + 1
    while following <= len(file.lines) and file.line(following).lstrip()[:1] in {"", "#"}:
        following += 1
    return following
