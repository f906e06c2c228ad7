"""Run the rules over a pair: every finding once, in a stable order, with the accepted ones set aside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.rules import RULES
from auditor.rules.context import TargetContext, covers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.finding import Finding, Severity
    from auditor.rules.context import PairContext
    from auditor.rules.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A finding that the configuration accepts, with its reason."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an audit found.

    Attributes:
        findings: sorted by place.
        ignored: accepted findings, sorted likewise.
        targets: the targets, as text; what was proven where there is no error.
        compared: (target, number of packages of prod that were compared).
    """

    findings: tuple[Finding, ...]
    ignored: tuple[Ignored, ...]
    targets: tuple[str, ...]
    compared: tuple[tuple[str, int], ...]

    def count(self, severity: Severity) -> int:
        """The number of findings of a severity."""
        return sum(finding.severity is severity for finding in self.findings)


def audit(context: PairContext, rules: Sequence[Rule] = RULES) -> Outcome:
    """Ask every rule.

    A target that a lock does not cover is not compared: LA109 says so, and it is an error.
    """
    found: list[Finding] = []
    covered = [
        target for target in context.targets if not covers(context.dev, target) and not covers(context.prod, target)
    ]
    contexts = [TargetContext(context, target) for target in covered]
    for rule in rules:
        if rule.scope == "pair":
            found += rule.check(context)  # type: ignore[arg-type] # the scope says which context the check takes
        else:
            for each in contexts:
                found += rule.check(each)  # type: ignore[arg-type]
    merged = merge_targets(found)
    reasons = context.config.ignore
    return Outcome(
        findings=tuple(finding for finding in merged if finding.code not in reasons),
        ignored=tuple(
            Ignored(finding=finding, reason=reasons[finding.code]) for finding in merged if finding.code in reasons
        ),
        targets=tuple(str(target) for target in context.targets),
        compared=tuple((str(each.target), len(each.prod.dependencies)) for each in contexts),
    )


def merge_targets(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for what is the same on several targets, which it then names together; sorted by place."""
    groups: dict[Finding, list[str]] = {}
    for finding in findings:
        key = replace(finding, target=None)
        groups.setdefault(key, [])
        if finding.target is not None and finding.target not in groups[key]:
            groups[key].append(finding.target)
    merged = [replace(finding, target=", ".join(targets) or None) for finding, targets in groups.items()]
    return sorted(merged, key=lambda finding: finding.sort_key)
