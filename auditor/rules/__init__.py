"""The rules, in the order of their codes. A new rule is a new row here."""

from __future__ import annotations

from auditor.rules.accept import ignore_unused
from auditor.rules.artifacts import (
    artifact_differs,
    artifact_unhashed,
    artifact_unknown,
    nothing_to_install,
    source_differs,
)
from auditor.rules.cuda import image_cuda_differs, torch_missing, torch_pin_differs
from auditor.rules.rule import Rule
from auditor.rules.subset import (
    dev_only_extra,
    dev_only_group,
    empty_selection,
    not_in_dev,
    requires_python_wider,
    target_not_covered,
    version_differs,
)

RULES: tuple[Rule, ...] = (
    ignore_unused,  # LA001
    not_in_dev,  # LA101
    dev_only_group,  # LA102
    version_differs,  # LA103
    dev_only_extra,  # LA104
    source_differs,  # LA105
    artifact_differs,  # LA106
    artifact_unknown,  # LA107
    artifact_unhashed,  # LA108
    target_not_covered,  # LA109
    empty_selection,  # LA110
    requires_python_wider,  # LA111
    nothing_to_install,  # LA114
    torch_pin_differs,  # LA201
    torch_missing,  # LA202
    image_cuda_differs,  # LA203
)

__all__ = ["RULES", "Rule"]
