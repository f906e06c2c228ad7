"""What a rule is: a code, a name, a severity, and a function whose docstring explains it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from auditor.finding import Finding, Severity
from auditor.rules.context import PairContext, TargetContext
from auditor.source import hide_logins

if TYPE_CHECKING:
    from auditor.finding import Related
    from auditor.lock.environment import Target
    from auditor.position import Position

PairCheck = Callable[[PairContext], Iterator[Finding]]
TargetCheck = Callable[[TargetContext], Iterator[Finding]]
MetaCheck = Callable[[], Iterator[Finding]]
Check = PairCheck | TargetCheck | MetaCheck
HEADINGS = ("What", "Why", "Example", "Fix")


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule's docstring in parts: its title, and one text for each of `HEADINGS`."""

    title: str
    what: str
    why: str
    example: str
    fix: str


@dataclass(frozen=True)
class Rule:
    """One thing that lockaudit looks for.

    Attributes:
        code: stable, never reused.
        name: kebab-case, names the problem.
        severity: of its findings, unless one says otherwise.
        scope: `pair` runs once, `target` once for each target that both locks cover; `meta` is about the audit itself.
        check: takes the context of its scope and yields findings.
    """

    code: str
    name: str
    severity: Severity
    scope: Literal["pair", "target", "meta"]
    check: Check

    def explain(self) -> Explanation:
        """The docstring of the check, in parts."""
        text = inspect.cleandoc(self.check.__doc__ or "")
        title, _, rest = text.partition("\n\n")
        parts = dict.fromkeys(HEADINGS, "")
        current = ""
        for line in rest.splitlines():
            heading = line.removesuffix(":")
            if line.endswith(":") and heading in parts:
                current = heading
            elif current:
                parts[current] += f"{line}\n"
        texts = {heading.lower(): inspect.cleandoc(body).strip() for heading, body in parts.items()}
        return Explanation(title=title.replace("\n", " ").removesuffix("."), **texts)

    def finding(
        self,
        message: str,
        position: Position,
        *,
        package: str | None = None,
        target: Target | None = None,
        severity: Severity | None = None,
        help: str | None = None,  # noqa: A002 - the word that compilers print
        notes: tuple[str, ...] = (),
        related: tuple[Related, ...] = (),
    ) -> Finding:
        """A finding of this rule. No login of a URL gets into it, and so into no report."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            message=hide_logins(message),
            position=position,
            package=package,
            target=None if target is None else str(target),
            help=None if help is None else hide_logins(help),
            notes=tuple(map(hide_logins, notes)),
            related=tuple(replace(each, message=hide_logins(each.message)) for each in related),
        )


def target_rule(
    code: str, name: str, severity: Severity
) -> Callable[[Callable[[TargetContext], Iterator[Finding]]], Rule]:
    """Make a rule of a function that is asked once for each target."""

    def make(check: TargetCheck) -> Rule:
        return Rule(code, name, severity, "target", check)

    return make


def pair_rule(code: str, name: str, severity: Severity) -> Callable[[PairCheck], Rule]:
    """Make a rule of a function that is asked once for the pair."""

    def make(check: PairCheck) -> Rule:
        return Rule(code, name, severity, "pair", check)

    return make


def meta_rule(code: str, name: str, severity: Severity) -> Callable[[MetaCheck], Rule]:
    """Make a rule whose findings the audit itself yields; the function is there to be explained."""

    def make(check: MetaCheck) -> Rule:
        return Rule(code, name, severity, "meta", check)

    return make
