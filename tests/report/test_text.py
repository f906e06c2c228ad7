"""How findings read: the line with its caret, what is cut, what is escaped, what is masked, and the totals."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from auditor.finding import Finding, Related, Severity
from auditor.position import Position
from auditor.report.model import Report
from auditor.report.text import WINDOW, render_concise, render_text, totals
from auditor.rules.accept import Ignored
from auditor.rules.run import Outcome
from auditor.source import SourceFile, hide_logins, printable

TARGET = "linux-x86_64-cp312"


def finding(
    severity: Severity = Severity.ERROR,
    *,
    message: str = "it differs",
    path: str = "uv.lock",
    line: int = 1,
    column: int = 1,
    target: str | None = None,
) -> Finding:
    """A finding without help and notes."""
    return Finding(
        code="LA103",
        name="version-differs",
        severity=severity,
        message=message,
        position=Position(path, line, column),
        target=target,
    )


def outcome(
    *findings: Finding, ignored: tuple[Ignored, ...] = (), compared: tuple[tuple[str, int], ...] = ()
) -> Outcome:
    """An outcome of these findings."""
    return Outcome(findings=findings, ignored=ignored, targets=(TARGET,), compared=compared)


def render(*findings: Finding, text: str = "", ignored: tuple[Ignored, ...] = ()) -> str:
    """The report on findings in a file with this text."""
    source = SourceFile(Path("uv.lock"), "uv.lock", text)
    return render_text(Report(outcome=outcome(*findings, ignored=ignored), sources={"uv.lock": source}))


def test_everything_that_a_finding_can_say() -> None:
    whole = Finding(
        code="LA103",
        name="version-differs",
        severity=Severity.WARNING,
        message="one differs from the other",
        position=Position("uv.lock", 12, 5),
        package="one",
        target=TARGET,
        help="make them equal",
        notes=("it was so yesterday", "and before"),
        related=(Related(position=Position("prod/uv.lock", 3, 1), message="the other"),),
    )
    assert render(whole, text="\n" * 11 + "    here it is\n") == (
        "warning[LA103]: one differs from the other\n"
        " --> uv.lock:12:5\n"
        "   |\n"
        "12 |     here it is\n"
        "   |     ^\n"
        "  :: prod/uv.lock:3:1: the other\n"
        f"  = target: {TARGET}\n"
        "  = note: it was so yesterday\n"
        "  = note: and before\n"
        "help: make them equal\n"
        "\n"
        "found 1 warning\n"
    )


# what has no line to show: the text, and where the finding points
WITHOUT_A_LINE = {
    "an empty line": ("\n\n", finding(line=1)),
    "a blank line": ("   \n", finding(line=1)),
    "past the end": ("a\n", finding(line=9)),
    "a file that was not read": ("a\n", finding(path="other.lock")),
}


@pytest.mark.parametrize(("text", "what"), WITHOUT_A_LINE.values(), ids=WITHOUT_A_LINE)
def test_without_a_line_only_the_place_is_shown(text: str, what: Finding) -> None:
    assert render(what, text=text).splitlines()[:3] == [
        "error[LA103]: it differs",
        f" --> {what.position.path}:{what.position.line}:1",
        "",
    ]


@given(length=st.integers(1, 600), data=st.data())
def test_a_long_line_is_cut_to_a_window_around_its_place(length: int, data: st.DataObject) -> None:
    """Whatever the length and the place: the caret stands below the letter that was meant."""
    column = data.draw(st.integers(1, length))
    line = "".join(chr(0x4E00 + number) for number in range(length))  # no two letters are the same
    _, _, _, shown, caret, *_ = render(finding(column=column), text=line).splitlines()
    assert shown[caret.index("^")] == line[column - 1]
    assert len(shown) <= len("1 | ") + WINDOW + len("......")
    text = shown.removeprefix("1 | ")
    assert text.removeprefix("...").removesuffix("...") in line
    assert text.startswith("...") != text.startswith(line[0])
    assert text.endswith("...") != text.endswith(line[-1])


def test_a_tab_is_one_column() -> None:
    _, _, _, shown, caret, *_ = render(finding(column=3), text="\t\tx = 1").splitlines()
    assert shown[caret.index("^")] == "x"


@given(st.text())
def test_printable_text_cannot_harm_a_terminal(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable() or shown == ""
    assert (shown == text) == (text.isprintable() and hide_logins(text) == text)


ESCAPES = {
    "a\x1b[31mb": "a\\u001b[31mb",
    "a\nb\r\tc": "a\\u000ab\\u000d\\u0009c",
    "\u202eabc\u2066": "\\u202eabc\\u2066",
    "\x00\x07\x7f\x9b": "\\u0000\\u0007\\u007f\\u009b",
    "\u200b\ufeff": "\\u200b\\ufeff",
    "größe проверено 検証 🔒": "größe проверено 検証 🔒",
    "back\\slash": "back\\slash",
}


@pytest.mark.parametrize(("text", "shown"), ESCAPES.items())
def test_control_characters(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("hostile", ["uv\x1b[31m.lock", "uv\u202e.lock", "uv\n.lock"])
def test_names_of_files_and_targets_are_escaped_too(hostile: str) -> None:
    report = Report(outcome=outcome(finding(path=hostile), compared=((hostile, 1),)), sources={})
    for text in (render_text(report), render_concise(report)):
        assert all(line.isprintable() for line in text.split("\n"))
        assert text.count(printable(hostile)) == 2


LOGINS = {
    "https://user:token@host/simple": "https://***@host/simple",
    "https://token@host": "https://***@host",
    "http://user:@host:8080/x": "http://***@host:8080/x",
    "https://user:pa@ss@host/x": "https://***@host/x",
    "https://user:pa%40ss@host/x": "https://***@host/x",
    "git+https://user:token@host/repo": "git+https://***@host/repo",
    "HTTPS://user:token@HOST/x": "HTTPS://***@HOST/x",
    "a https://u:t@h/x and b https://v:s@i/y": "a https://***@h/x and b https://***@i/y",
    '{ registry = "https://u:t@h/x" }': '{ registry = "https://***@h/x" }',
    "ssh://git@host/repo": "ssh://git@host/repo",
    "git+ssh://git@host/repo": "git+ssh://git@host/repo",
    "ssh://git:token@host/repo": "ssh://git@host/repo",
    "https://host/a@b": "https://host/a@b",
    "https://host/x?mail=a@b": "https://host/x?mail=a@b",
    "https://host/x#a@b": "https://host/x#a@b",
    "name @ https://host/x": "name @ https://host/x",
    "somebody@example.org": "somebody@example.org",
    "git@host:team/repo": "git@host:team/repo",
    "": "",
}


@pytest.mark.parametrize(("text", "shown"), LOGINS.items())
def test_logins_are_masked(text: str, shown: str) -> None:
    assert hide_logins(text) == shown
    assert hide_logins(shown) == shown
    assert hide_logins(text, mask="") == shown.replace("***@", "")


TOTALS = {
    "prod is a consistent subset of dev: 1 package on a, 25 packages on b": outcome(compared=(("a", 1), ("b", 25))),
    "prod is a consistent subset of dev: nothing was compared": outcome(),
    "found 2 errors, 1 warning, 1 info; compared 3 packages on a": outcome(
        *map(finding, (Severity.ERROR, Severity.ERROR, Severity.WARNING, Severity.INFO)), compared=(("a", 3),)
    ),
    "found 1 error (1 accepted)": outcome(finding(), ignored=(Ignored(finding=finding(), reason="so"),)),
}


@pytest.mark.parametrize(("text", "given_outcome"), TOTALS.items())
def test_totals(text: str, given_outcome: Outcome) -> None:
    assert totals(given_outcome) == text


def test_accepted_findings_are_counted_by_code_with_their_reason() -> None:
    ignored = tuple(Ignored(finding=finding(), reason="it is tested by hand") for _ in range(2))
    assert render(ignored=ignored) == (
        "accepted[LA103]: 2 findings: it is tested by hand\n\n"
        "prod is a consistent subset of dev: nothing was compared (2 accepted)\n"
    )


def test_concise_has_one_line_for_each() -> None:
    report = Report(outcome=outcome(finding(line=3, column=4), finding(message="a\nb")), sources={})
    assert render_concise(report) == ("uv.lock:3:4: LA103 it differs\nuv.lock:1:1: LA103 a\\u000ab\nfound 2 errors\n")


def test_severities_are_ordered_from_the_worst() -> None:
    assert sorted(Severity, key=lambda severity: severity.rank) == [Severity.ERROR, Severity.WARNING, Severity.INFO]
