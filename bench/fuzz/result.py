"""What a process found, as it hands it to the one that started it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.fuzz.run import Watch


@dataclass(slots=True)
class Score:
    """What all processes of a harness did.

    Attributes:
        executions: in all; `guided` of them followed coverage.
        refused: inputs that gave one error, as broken input must.
        seconds: of wall-clock time.
        slowest: processor time of the slowest execution, in seconds.
        findings: kind -> (input, how it ended), the shortest input of each kind.
    """

    executions: int = 0
    guided: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    findings: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, document: Mapping[str, Any]) -> None:
        """Add what a process found."""
        self.executions += document["executions"]
        self.guided += document["executions"] if document["guided"] else 0
        self.refused += document["refused"]
        self.seconds += document["seconds"]
        self.slowest = max(self.slowest, document["slowest"])
        for kind, (text, details) in document["findings"].items():
            known = self.findings.get(kind)
            if known is None or len(text) < len(known[0]):
                self.findings[kind] = (text, details)


def as_document(watch: Watch, seconds: float, *, guided: bool) -> dict[str, Any]:
    """A watch as JSON."""
    return {
        "executions": watch.executions,
        "guided": guided,
        "refused": watch.refused,
        "seconds": seconds,
        "slowest": watch.slowest,
        "findings": {kind: [finding.text, finding.details] for kind, finding in watch.findings.items()},
    }
