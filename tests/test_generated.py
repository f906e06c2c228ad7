"""Everything generated is committed and up to date."""

from __future__ import annotations

import pytest

from auditor.cli.main import run
from docs.generate import ROOT, pages


@pytest.mark.parametrize("path", sorted(pages()))
def test_a_page_is_what_the_code_says(path: str) -> None:
    assert (ROOT / path).read_text("utf-8") == pages()[path], "run `python -m docs.generate`"


def test_the_repository_passes_its_own_audit(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(ROOT)]) == 0, capsys.readouterr().out
    assert run(["bake", str(ROOT), "--check"]) == 0, capsys.readouterr().out
