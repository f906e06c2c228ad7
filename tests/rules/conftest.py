"""What the tests of rules share: readable failures of the tables, and a clean pair made by the real uv."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.register_assert_rewrite("tests.rules.cases")

from tests.rules.clean_pair import CleanPair, make_index, make_pair  # noqa: E402 - after what it rewrites
from tests.standins import serve  # noqa: E402 - likewise

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def clean_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CleanPair]:
    """A pair in which there is nothing to find; its index is served until the session ends. Copy it to change it."""
    folder = tmp_path_factory.mktemp("clean")
    with serve(make_index(folder / "index").root) as base:
        yield make_pair(folder / "pair", base, folder / "core-lib")
