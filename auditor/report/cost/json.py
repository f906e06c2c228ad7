"""What a change costs, for programs. The format is versioned and documented by docs/plan.schema.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from auditor.report.cost.words import verdict
from auditor.source import hide_logins

if TYPE_CHECKING:
    from auditor.cost.model import (
        Amount,
        BuildCost,
        Cause,
        Compile,
        Cost,
        Difference,
        ImageCost,
        PairCost,
        StageCost,
        TargetCost,
    )


def render_json(cost: Cost) -> str:
    """An object with `version`, `base`, `verdict` and `pairs`."""
    document = {
        "version": 1,
        "base": {"revision": cost.base, "commit": cost.commit},
        "verdict": verdict(cost),
        "compiles": [each.package for each in cost.compiles],
        "pairs": [_pair(pair) for pair in cost.pairs],
    }
    return json.dumps(document, indent=2) + "\n"


def _pair(pair: PairCost) -> dict[str, Any]:
    return {
        "name": pair.name,
        "new": pair.is_new,
        "targets": [_target(target) for target in pair.targets],
        "builds": [_build(build) for build in pair.builds],
        "notes": list(pair.notes),
    }


def _target(target: TargetCost) -> dict[str, Any]:
    return {
        "target": target.target,
        "before": target.before or None,
        "images": [_image(image) for image in target.images],
        "compiles": [_compile(each) for each in target.compiles],
        "compiled_no_more": list(target.dropped),
        "needs": [_difference(fact) for fact in target.facts],
    }


def _image(image: ImageCost) -> dict[str, Any]:
    return {
        "image": image.name,
        **_amount(image.amount),
        "packages": [
            {
                "name": change.name,
                "change": change.change.value,
                "before": change.before or None,
                "after": change.after or None,
                "source_before": change.source_before or None,
                "source_after": change.source_after or None,
                "other_file": change.file_changed,
                "compiled": change.compiled,
                "bytes": change.size,
            }
            for change in image.changes
        ],
    }


def _amount(amount: Amount) -> dict[str, Any]:
    return {"bytes": amount.size, "unknown": amount.unknown}


def _compile(found: Compile) -> dict[str, Any]:
    return {
        "package": found.package,
        "before": found.before or None,
        "after": found.after,
        "components": [_difference(each) for each in found.components],
        "cause": _cause(found.cause) if found.cause is not None else None,
    }


def _difference(found: Difference) -> dict[str, Any]:
    return {
        "name": found.name,
        "before": hide_logins(found.before) or None,
        "after": hide_logins(found.after) or None,
    }


def _build(build: BuildCost) -> dict[str, Any]:
    return {"build": build.name, "stages": [_stage(stage) for stage in build.stages]}


def _stage(stage: StageCost) -> dict[str, Any]:
    return {
        "stage": stage.name,
        "line": stage.line,
        "runs": "yes" if stage.ran else "perhaps" if stage.perhaps else "no",
        "steps": stage.steps,
        "steps_run": stage.ran,
        "first": stage.first or None,
        "cause": _cause(stage.cause) if stage.cause is not None else None,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "kind": cause.kind.value,
        "name": cause.name,
        "before": hide_logins(cause.before) or None,
        "after": hide_logins(cause.after) or None,
        "others": cause.others,
        "line": cause.line or None,
        "by_stage": cause.through or None,
    }
