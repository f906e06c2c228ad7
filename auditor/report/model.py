"""What a report shows: findings, and the files that they point into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.rules.run import Outcome
    from auditor.source import SourceFile


@dataclass(frozen=True, kw_only=True)
class Report:
    """An outcome with the text of the files that it names.

    Attributes:
        outcome: the findings.
        sources: by the name that positions use.
    """

    outcome: Outcome
    sources: Mapping[str, SourceFile] = field(repr=False)
