"""The JSON report: a shape that is frozen, in ASCII, in a fixed order."""

from __future__ import annotations

import json

from hypothesis import given, strategies as st

from auditor.finding import Finding, Related, Severity
from auditor.position import Position
from auditor.report.json import render_json
from auditor.report.model import Report
from auditor.rules.accept import Ignored
from auditor.rules.run import Outcome

FINDING = Finding(
    code="LA201",
    name="torch-pin-differs",
    severity=Severity.ERROR,
    message="torch 2.6.0+cu126 in prod, 2.6.0+cu124 in dev",
    position=Position("prod/uv.lock", 12, 5),
    package="torch",
    target="linux-x86_64-cp312",
    help="pin one",
    notes=("a note",),
    related=(Related(position=Position("uv.lock", 3, 1), message="torch in dev"),),
)
BARE = Finding(
    code="LA111",
    name="requires-python-wider",
    severity=Severity.WARNING,
    message="wider",
    position=Position("prod/uv.lock", 3),
)
EXPECTED = """\
{
  "version": 1,
  "tool": {
    "name": "lockaudit",
    "version": "1.2.3"
  },
  "findings": [
    {
      "code": "LA201",
      "name": "torch-pin-differs",
      "severity": "error",
      "message": "torch 2.6.0+cu126 in prod, 2.6.0+cu124 in dev",
      "package": "torch",
      "target": "linux-x86_64-cp312",
      "path": "prod/uv.lock",
      "line": 12,
      "column": 5,
      "help": "pin one",
      "notes": [
        "a note"
      ],
      "related": [
        {
          "path": "uv.lock",
          "line": 3,
          "column": 1,
          "message": "torch in dev"
        }
      ]
    }
  ],
  "ignored": [
    {
      "code": "LA111",
      "name": "requires-python-wider",
      "severity": "warning",
      "message": "wider",
      "package": null,
      "target": null,
      "path": "prod/uv.lock",
      "line": 3,
      "column": 1,
      "help": null,
      "notes": [],
      "related": [],
      "reason": "next release"
    }
  ],
  "summary": {
    "targets": [
      "linux-x86_64-cp312"
    ],
    "compared": {
      "linux-x86_64-cp312": 7
    },
    "error": 1,
    "warning": 0,
    "info": 0
  }
}
"""


def rendered(*findings: Finding, ignored: tuple[Ignored, ...] = ()) -> str:
    """The report."""
    outcome = Outcome(
        findings=findings,
        ignored=ignored,
        targets=("linux-x86_64-cp312",),
        compared=(("linux-x86_64-cp312", 7),),
    )
    return render_json(Report(outcome=outcome, sources={}), "1.2.3")


def test_the_whole_shape() -> None:
    assert rendered(FINDING, ignored=(Ignored(finding=BARE, reason="next release"),)) == EXPECTED


@given(message=st.text(), path=st.text(min_size=1))
def test_any_text_comes_through_in_ascii(message: str, path: str) -> None:
    found = Finding(code="LA101", name="x", severity=Severity.ERROR, message=message, position=Position(path, 1))
    text = rendered(found)
    assert text.isascii()
    assert all(line.isprintable() for line in text.split("\n"))
    (only,) = json.loads(text)["findings"]
    assert (only["message"], only["path"]) == (message, path)
