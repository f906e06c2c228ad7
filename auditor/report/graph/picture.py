"""From the pairs of a repository to everything that is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.bake.generate import keys_of
from auditor.errors import LockauditError
from auditor.finding import Severity
from auditor.report.graph.build import make_build
from auditor.report.graph.model import Picture
from auditor.report.graph.packages import all_remarks, make_view
from auditor.source import printable
from auditor.wheel.compiled import compiled_packages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.lock.environment import Target
    from auditor.report.graph.model import Build, Remark, View
    from auditor.rules.context import PairContext
    from auditor.rules.run import Outcome
    from auditor.wheel.key import BuildKey


def make_picture(contexts: Sequence[PairContext], outcome: Outcome) -> Picture:
    """The picture of all pairs.

    Args:
        contexts: the pairs, one at least.
        outcome: of their audit.
    """
    views: list[View] = []
    builds: list[Build] = []
    for context in contexts:
        known: list[tuple[BuildKey, ...]] = []
        notes: list[str] = []
        for target in context.targets:
            keys, why = _keys(context, target)
            known.append(keys)
            notes += why
            views.append(make_view(context, target, outcome, {key.name: key.readable for key in keys}))
        selection = context.dev.select(context.targets[0])
        compiled = compiled_packages(selection, also=context.config.compiled, never=context.config.not_compiled)
        build = make_build(context, outcome, known[0], [package.name for package in compiled])
        builds.append(replace(build, notes=(*build.notes, *dict.fromkeys(notes))))
    project = contexts[0].dev.project
    return Picture(
        name=printable(project.name) if project is not None else "",
        views=tuple(views),
        builds=tuple(builds),
        remarks=_others(views, builds, outcome),
        counts=tuple((severity.value, count) for severity in Severity if (count := outcome.count(severity))),
    )


def _keys(context: PairContext, target: Target) -> tuple[tuple[BuildKey, ...], tuple[str, ...]]:
    """The build keys of dev on a target, or why there are none: a picture shows what it can."""
    try:
        return keys_of(context.dev, target, context.config, context.dockerfile), ()
    except LockauditError as error:
        return (), (printable(f"No build key for {target}: {error}."),)


def _others(views: Sequence[View], builds: Sequence[Build], outcome: Outcome) -> tuple[Remark, ...]:
    """The findings that no node shows."""
    shown = {remark for view in views for package in view.packages for remark in package.remarks}
    shown |= {remark for build in builds for node in build.nodes for remark in node.remarks}
    return tuple(remark for _, remark in all_remarks(outcome) if remark not in shown)
