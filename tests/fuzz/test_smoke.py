"""Every harness of `bench.fuzz`, for a moment: its seeds, some mutations of them, and what once broke it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.errors import LockauditError
from bench.fuzz.harness import Harness
from bench.fuzz.harnesses import HARNESSES
from bench.fuzz.run import Watch, fuzz
from tests.fuzz.cases import CASES

if TYPE_CHECKING:
    from tests.fuzz.cases import Found

EXECUTIONS = 400  # of each, the same ones every time
SECONDS = 20  # at most, on a machine that has much else to do
LEAST = 15


@pytest.mark.parametrize("harness", HARNESSES, ids=lambda harness: harness.name)
def test_a_moment_of(harness: Harness) -> None:
    watch = Watch(harness)
    fuzz(watch, "smoke", SECONDS, EXECUTIONS)
    assert watch.executions > LEAST
    assert watch.refused < watch.executions
    assert [f"{finding.kind}\n{finding.text!r}\n{finding.details}" for finding in watch.findings.values()] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.harness}-{case.found.replace(' ', '-')}")
def test_what_once_broke(case: Found) -> None:
    watch = Watch(next(each for each in HARNESSES if each.name == case.harness))
    watch.run(case.text)
    assert [finding.details for finding in watch.findings.values()] == []


def test_a_harness_sees_what_breaks() -> None:
    """Otherwise a million executions say nothing."""

    def breaks(text: str) -> None:
        if "[" in text:
            raise LockauditError("refused")
        if "x" in text:
            raise KeyError(text)

    harness = Harness(name="none", what="", seeds=lambda: ["a"], run=breaks, words=("x", "["))
    watch = Watch(harness)
    fuzz(watch, "1", 5, 500)
    assert watch.refused > 0
    (finding,) = watch.findings.values()
    assert finding.kind.startswith("KeyError")
