"""LA001: what is accepted must still be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.cases import Case, ids, verify
from tests.rules.specimens import package, plain

if TYPE_CHECKING:
    from pathlib import Path

ONE, OTHER = plain(package("filelock")), plain(package("filelock", "1.1"))

CASES = (
    Case(
        rule="LA001",
        name="nothing to accept",
        dev=ONE,
        prod=ONE,
        config='ignore = { LA103 = "until the release" }\n',
        found=('warning[LA001] - pyproject.toml: ignore = { LA103 = "until the release" }',),
    ),
    Case(
        rule="LA001",
        name="nothing to accept of a package",
        dev=ONE,
        prod=ONE,
        config='package.filelock.ignore = { LA103 = "until the release" }\n',
        found=('warning[LA001] filelock pyproject.toml: package.filelock.ignore = { LA103 = "until the release" }',),
    ),
    Case(
        rule="LA001",
        name="something to accept",
        dev=ONE,
        prod=OTHER,
        config='ignore = { LA103 = "until the release" }\n',
    ),
    Case(
        rule="LA001",
        name="something to accept of a package",
        dev=ONE,
        prod=OTHER,
        config='package.filelock.ignore = { LA103 = "until the release" }\n',
    ),
    Case(
        rule="LA001",
        name="a rule that does not run",
        dev=ONE,
        prod=ONE,
        config='ignore = { LA103 = "until the release" }\n',
        select=("LA0", "LA2"),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)
