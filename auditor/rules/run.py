"""Run the rules over a pair: every finding once, in a stable order, with the accepted ones set aside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.rules import RULES
from auditor.rules.accept import accept
from auditor.rules.context import TargetContext, covers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from auditor.finding import Finding, Severity
    from auditor.lock.environment import Target
    from auditor.rules.accept import Ignored
    from auditor.rules.context import PairContext
    from auditor.rules.rule import Rule


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


def audit(*contexts: PairContext, rules: Sequence[Rule] = RULES) -> Outcome:
    """Ask every selected rule about every pair.

    A target that a lock does not cover is not compared: LA109 says so, and it is an error.

    Args:
        contexts: one for each pair; their settings are the same but for the pair's own.
        rules: to ask.

    Raises:
        ConfigError: a comment accepts a finding without a reason.
    """
    config = contexts[0].config
    chosen = [rule for rule in rules if not config.select or rule.code.startswith(config.select)]
    found: list[tuple[str, Finding]] = []
    compared: dict[str, int] = {}
    variants: dict[str, tuple[str, ...]] = {}
    for context in contexts:
        on_targets = [TargetContext(context, target) for target in context.targets if _is_covered(context, target)]
        variant = context.name if context.is_variant else ""
        variants[variant] = tuple(map(str, context.targets))
        for each in on_targets:
            label = f"{each.target} ({context.name})" if context.name else str(each.target)
            compared[label] = len(each.prod.dependencies)
        for rule in chosen:
            found += [(variant, finding) for finding in _ask(rule, context, on_targets)]
    files = {file.name: file for context in contexts for file in context.commented_files}
    merged = merge_targets(found, variants)
    kept, ignored = accept(merged, config, files.values(), [rule.code for rule in chosen])
    return Outcome(
        findings=tuple(sorted(kept, key=lambda finding: finding.sort_key)),
        ignored=tuple(ignored),
        targets=tuple(dict.fromkeys(str(target) for context in contexts for target in context.targets)),
        compared=tuple(compared.items()),
    )


def _is_covered(context: PairContext, target: Target) -> bool:
    return not covers(context.dev, target) and not covers(context.prod, target)


def _ask(rule: Rule, context: PairContext, on_targets: Iterable[TargetContext]) -> Iterator[Finding]:
    """The findings of one rule. Its scope says which context its check takes."""
    if rule.scope == "pair":
        yield from rule.check(context)  # type: ignore[arg-type,call-arg]
    elif rule.scope == "target":
        for each in on_targets:
            yield from rule.check(each)  # type: ignore[arg-type,call-arg]


def merge_targets(found: Iterable[tuple[str, Finding]], variants: Mapping[str, Sequence[str]]) -> list[Finding]:
    """One finding for what is the same on several targets and in several variants, which it then names together.

    Args:
        found: (variant, finding).
        variants: every variant that was asked -> its targets. Without variants, one without a name.

    Returns:
        Sorted by place. Of a finding that not every variant has, each target has the variant's name in brackets.
    """
    groups: dict[Finding, dict[str, list[str]]] = {}
    for variant, finding in found:
        places = groups.setdefault(replace(finding, target=None), {})
        names = places.setdefault(finding.target or "", [])
        if variant not in names:
            names.append(variant)
    merged = []
    for finding, places in groups.items():
        labels = [label for target, names in places.items() for label in _labels(target, names, variants)]
        merged.append(replace(finding, target=", ".join(labels) or None))
    return sorted(merged, key=lambda finding: finding.sort_key)


def _labels(target: str, names: Sequence[str], variants: Mapping[str, Sequence[str]]) -> list[str]:
    """A target, or nothing where a finding depends on none; with variants if there are others without the finding."""
    others = [name for name, targets in variants.items() if not target or target in targets]
    if set(names) >= set(others):
        return [target] if target else []
    return [f"{target or 'every target'} ({name})" for name in names]
