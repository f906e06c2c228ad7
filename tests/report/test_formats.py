"""The formats for machines: valid by their published schemas whatever a finding says, and safe where they are shown."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import jsonschema  # type: ignore[import-untyped, unused-ignore]
import pytest
import xmlschema
from hypothesis import given, settings, strategies as st

from auditor.finding import Finding, Related, Severity
from auditor.position import Position
from auditor.report.github import render_github
from auditor.report.gitlab import render_gitlab
from auditor.report.json import render_json
from auditor.report.junit import render_junit
from auditor.report.model import Report
from auditor.report.sarif import render_sarif
from auditor.rules import RULES
from auditor.rules.accept import Ignored
from auditor.rules.run import Outcome
from auditor.source import SourceFile
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auditor.rules.rule import Rule

SCHEMAS: Final = Path(__file__).with_name("schemas")
VERSION: Final = "1.2.3"
TARGET: Final = "linux-x86_64-cp312"
NASTY: Final = (
    "100 % of it",
    "%0A::error::injected",
    "two\nlines\r\nand a half\rmore",
    "a:b,c::d",
    "]]> <![CDATA[ & <b> \" '",
    "\x00\x07\x1b[31mred\x9b31m",
    "\u202ereversed\u2066\u200f",
    "\ufffe\uffff\u2028",
    "https://user:token@host.example/simple",
    "##[error]x ::set-output name=a::b",
    "```\n~~~",
    "",
)
FEW: Final = RULES[:3]  # the property tests validate a report of these: one of all rules takes a second
SEVERE: Final = re.compile(r"^::(error|warning|notice) ", re.MULTILINE)


def finding(message: str = "it differs", **values: Any) -> Finding:  # noqa: ANN401 - the fields of a finding
    """A finding with everything a report can show."""
    given_values: dict[str, Any] = {
        "code": "LA103",
        "name": "version-differs",
        "severity": Severity.ERROR,
        "position": Position("prod/uv.lock", 12, 5),
        "package": "torch",
        "target": TARGET,
        "help": message,
        "notes": (message, message),
        "related": (Related(position=Position("uv.lock", 3, 1), message=message),),
    }
    return Finding(message=message, **(given_values | values))


def report(*findings: Finding, accepted: tuple[Finding, ...] = (), root: str = "") -> Report:
    """A report; `root` is the folder that was audited, as it was given."""
    outcome = Outcome(
        findings=findings,
        ignored=tuple(Ignored(finding=each, reason=each.message) for each in accepted),
        targets=(TARGET,),
        compared=((TARGET, 7),),
    )
    files = {name: SourceFile(Path(root) / name, name, "") for name in ("uv.lock", "prod/uv.lock")}
    return Report(outcome=outcome, sources=files)


def sarif(found: Report, rules: Sequence[Rule] = FEW) -> dict[str, Any]:
    """The one run of the SARIF report, after validation."""
    document: dict[str, Any] = json.loads(render_sarif(found, VERSION, rules))
    SARIF.validate(document)
    run: dict[str, Any] = document["runs"][0]
    return run


def gitlab(found: Report) -> list[dict[str, Any]]:
    """The GitLab report, after validation."""
    document: list[dict[str, Any]] = json.loads(render_gitlab(found))
    GITLAB.validate(document)
    return document


def junit(found: Report) -> ET.Element:
    """The JUnit report, after validation."""
    text = render_junit(found)
    JUNIT.validate(text)
    return ET.fromstring(text)  # noqa: S314 - our own


def _schema(path: Path) -> Any:  # noqa: ANN401 - a schema is any JSON
    return json.loads(path.read_text("utf-8"))


SARIF: Final = jsonschema.Draft4Validator(
    _schema(SCHEMAS / "sarif-2.1.0-rtm.5.json"), format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER
)
GITLAB: Final = jsonschema.Draft7Validator(_schema(SCHEMAS / "gitlab-code-quality.json"))
OURS: Final = jsonschema.Draft7Validator(_schema(REPOSITORY / "docs" / "report.schema.json"))
JUNIT: Final = xmlschema.XMLSchema10(str(SCHEMAS / "junit-10.xsd"))

texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=30), st.lists(st.sampled_from(NASTY)).map(" ".join))
findings = st.builds(
    Finding,
    code=st.sampled_from([rule.code for rule in FEW]),
    name=st.just("some-name"),
    severity=st.sampled_from(Severity),
    message=texts.filter(bool),
    position=st.builds(Position, texts.filter(bool), st.integers(1, 10**6), st.integers(1, 10**4)),
    package=st.none() | st.sampled_from(["torch", "numpy"]),
    target=st.none() | st.just(TARGET),
    help=st.none() | texts,
    notes=st.lists(texts, max_size=2).map(tuple),
    related=st.lists(
        st.builds(Related, position=st.builds(Position, st.just("uv.lock"), st.just(1)), message=texts), max_size=2
    ).map(tuple),
)
reports = st.builds(
    lambda found, accepted: report(*found, accepted=tuple(accepted)),
    st.lists(findings, max_size=4),
    st.lists(findings, max_size=2),
)


@settings(max_examples=40, deadline=None)
@given(found=reports)
def test_sarif_is_valid_and_says_it_all(found: Report) -> None:
    run = sarif(found)
    assert len(run["results"]) == len(found.outcome.findings) + len(found.outcome.ignored)
    for each, result in zip(found.outcome.findings, run["results"], strict=False):
        place = result["locations"][0]["physicalLocation"]
        assert unquote(place["artifactLocation"]["uri"]) == each.position.path
        assert place["region"]["startLine"] == each.position.line
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == each.code == result["ruleId"]
        assert "suppressions" not in result
    marks = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(marks)) == len(marks)


@settings(max_examples=40, deadline=None)
@given(found=reports)
def test_gitlab_is_valid_and_its_fingerprints_are_unique(found: Report) -> None:
    with_relative = [each for each in found.outcome.findings if not each.position.path.startswith(("/", "./"))]
    entries = gitlab(report(*with_relative))
    assert [entry["location"]["path"] for entry in entries] == [each.position.path for each in with_relative]
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)


@settings(max_examples=40, deadline=None)
@given(found=reports)
def test_junit_is_valid_and_counts_right(found: Report) -> None:
    root = junit(found)
    cases, failures = root.findall(".//testcase"), root.findall(".//failure")
    assert len(cases) == max(1, len(found.outcome.findings)) == int(root.get("tests", ""))
    assert len(failures) == found.outcome.count(Severity.ERROR) == int(root.get("failures", ""))
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(names)) == len(names)


@settings(max_examples=40, deadline=None)
@given(found=reports)
def test_json_is_valid_by_our_own_schema(found: Report) -> None:
    OURS.validate(json.loads(render_json(found, VERSION)))


@settings(max_examples=40, deadline=None)
@given(found=reports)
def test_github_has_one_command_a_finding_and_no_other(found: Report) -> None:
    text = render_github(found)
    lines = text.removesuffix("\n").split("\n")
    assert len(lines) == len(found.outcome.findings) + 1
    assert not lines[-1].startswith(("::", "##["))
    for line in lines[:-1]:
        kind, properties, message = decoded(line)
        assert kind in {"error", "warning", "notice"}
        assert set(properties) == {"file", "line", "endLine", "col", "title"}
        assert all(part.isprintable() for part in message.split("\n"))
        assert "token@" not in message
    order = [SEVERE.match(line) for line in lines[:-1]]
    kinds = [match[1] for match in order if match]
    assert kinds == sorted(kinds, key=["error", "warning", "notice"].index)


@pytest.mark.parametrize(
    "render", [render_github, render_gitlab, render_junit, lambda it: render_sarif(it, VERSION, FEW)]
)
@pytest.mark.parametrize("message", NASTY)
def test_nothing_moves_the_cursor_or_shows_a_login(render: Callable[[Report], str], message: str) -> None:
    text = render(report(finding(message), accepted=(finding(message),)))
    assert all(line.isprintable() for line in text.split("\n"))
    assert "token@" not in text
    strings = [text] if render in {render_github, render_junit} else list(strings_of(json.loads(text)))
    assert all(line.isprintable() for string in strings for line in string.split("\n"))


def test_github_escapes_as_its_runner_decodes() -> None:
    where = Position("a:b,c%.lock", 3, 7)
    (line, _) = render_github(report(finding("50%: a,b\nc", position=where, notes=(), help=None))).splitlines()
    assert line == ("::error file=a%3Ab%2Cc%25.lock,line=3,endLine=3,col=7,title=LA103 version-differs::50%25: a,b%0Ac")


def test_sarif_lists_every_rule_with_its_help() -> None:
    rules = sarif(report(), RULES)["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.code for rule in RULES]
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]


def test_accepted_findings_are_suppressed_with_their_reason() -> None:
    (result,) = sarif(report(accepted=(finding("we know"),)))["results"]
    assert result["suppressions"] == [{"kind": "external", "justification": "we know"}]


def test_a_fingerprint_survives_other_lines_and_versions() -> None:
    before = finding("torch 2.6.0 in prod, 2.5.1 in dev", position=Position("prod/uv.lock", 812, 1))
    after = finding("torch 2.7.0 in prod, 2.6.0 in dev", position=Position("prod/uv.lock", 840, 3))
    assert mark(before) == mark(after)
    others = (
        replace(before, code="LA105"),
        replace(before, package="numpy"),
        replace(before, target="linux-aarch64-cp312"),
        replace(before, position=Position("uv.lock", 812, 1)),
    )
    assert len({mark(each) for each in (before, *others)}) == 1 + len(others)


def test_two_findings_alike_have_two_fingerprints() -> None:
    marks = [entry["fingerprint"] for entry in gitlab(report(finding("one wheel"), finding("another wheel")))]
    assert [each.rpartition(":")[2] for each in marks] == ["1", "2"]


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("", "prod/uv.lock"),
        ("services/a", "services/a/prod/uv.lock"),
        ("/somewhere/else", "prod/uv.lock"),
        ("../beside", "prod/uv.lock"),
    ],
)
def test_paths_are_relative_to_the_repository(root: str, expected: str) -> None:
    found = report(finding(), root=root)
    result = sarif(found)["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == expected
    assert gitlab(found)[0]["location"]["path"] == expected
    assert decoded(render_github(found).split("\n", maxsplit=1)[0])[1]["file"] == expected


def test_a_clean_junit_report_has_one_passing_case() -> None:
    (case,) = junit(report()).findall(".//testcase")
    assert case.get("name") == f"prod is a consistent subset of dev: 7 packages on {TARGET}"
    assert list(case) == []


def mark(found: Finding) -> str:
    """A finding's fingerprint, the same in SARIF and for GitLab."""
    (result,) = sarif(report(found))["results"]
    fingerprint: str = result["partialFingerprints"]["primaryLocationLineHash"]
    assert gitlab(report(found))[0]["fingerprint"] == fingerprint
    return fingerprint


def decoded(line: str) -> tuple[str, dict[str, str], str]:
    """(command, properties, message), decoded the way GitHub's runner does."""
    head, _, message = line.removeprefix("::").partition("::")
    kind, _, listed = head.partition(" ")
    properties = dict(item.split("=", maxsplit=1) for item in listed.split(","))
    unescaped = {name: value.replace("%2C", ",").replace("%3A", ":") for name, value in properties.items()}
    return kind, {name: _unescape(value) for name, value in unescaped.items()}, _unescape(message)


def _unescape(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def strings_of(value: Any) -> list[str]:  # noqa: ANN401 - any JSON
    """Every string of a JSON document."""
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [string for item in items for string in strings_of(item)]
