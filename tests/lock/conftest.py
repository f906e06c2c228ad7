"""Totals of the comparisons with uv, as the last lines of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lock.uv_oracle import Totals

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOTALS = pytest.StashKey[dict[str, Totals]]()


@pytest.fixture(scope="module")
def totals(request: pytest.FixtureRequest) -> Iterator[Totals]:
    """Counts what a module compares; the sums are printed under its name."""
    counted = Totals()
    yield counted
    request.config.stash.setdefault(_TOTALS, {})[request.module.__name__.rpartition(".")[2]] = counted


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the totals: how many locks and requests stand behind the word "equals"."""
    for module, counted in config.stash.get(_TOTALS, {}).items():
        terminalreporter.write_line(f"{module}, selection against uv export: {counted}")
