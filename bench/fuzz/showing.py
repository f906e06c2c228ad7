"""Harnesses of what lockaudit says: every format of the findings, and whole commands."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import tempfile
import xml.etree.ElementTree as ET
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auditor.finding import Finding, Related, Severity
from auditor.position import Position
from auditor.report.github import render_github
from auditor.report.gitlab import render_gitlab
from auditor.report.json import render_json
from auditor.report.junit import render_junit
from auditor.report.model import Report
from auditor.report.sarif import render_sarif
from auditor.report.text import render_concise, render_text
from auditor.rules import RULES
from auditor.rules.accept import Ignored
from auditor.rules.run import Outcome
from auditor.source import hide_logins
from bench.fuzz import seeds
from bench.fuzz.harness import Broken, Harness, require, text_file

if TYPE_CHECKING:
    from auditor.source import SourceFile

SECRET: Final = "s3cr3t-t0k3n"  # noqa: S105 - it must not be shown
_TRACEBACK: Final = re.compile(r'File "[^"]*/(auditor/[^"]*)", line (\d+)')
_COMMANDS: Final = (
    *(("check", "--output-format", name) for name in ("text", "concise", "json", "sarif", "github", "gitlab", "junit")),
    ("check", "--verbose", "--color", "always"),
    ("key", "--explain"),
    ("key", "--output-format", "json"),
    ("bake", "--stdout"),
    ("bake", "--diff"),
    ("bake", "--check"),
    ("graph", "--output-format", "mermaid", "--all"),
    ("graph", "--output-format", "dot"),
    ("graph", "--output-format", "html"),
    ("config",),
    ("select", "--target", "linux-x86_64-cp312"),
)


def reports(text: str) -> None:
    """Findings of any words, written in every format: each is whole, and holds nothing that a terminal acts on."""
    report = _report(text)
    count = len(report.outcome.findings)
    for shown in (render_text(report), render_concise(report), render_github(report)):
        require(all(line.isprintable() for line in shown.split("\n")), "lines are printable")
        require(SECRET not in shown, "no login is shown")
    require(len(render_concise(report).splitlines()) == count + 1, "a line a finding")
    require(len(render_github(report).splitlines()) == count + 1, "a command a finding")
    _check_json(render_json(report, "0"), count, "findings")
    _check_json(render_gitlab(report), count, None)
    sarif = render_sarif(report, "0", RULES[:3])
    _check_json(sarif, count + len(report.outcome.ignored), "runs", "results")
    junit = render_junit(report)
    require(SECRET not in junit, "no login is shown")
    cases = ET.fromstring(junit).iter("testcase")  # noqa: S314 - our own
    require(len(list(cases)) == max(1, count), "a case a finding")


def _check_json(shown: str, count: int, *keys: str | None) -> None:
    require(shown.isascii(), "JSON is plain ASCII")
    require(SECRET not in shown, "no login is shown")
    value: Any = json.loads(shown)
    for key in keys:
        value = value if key is None else value[key]
        value = value[0] if key == "runs" else value
    require(len(value) == count, "an entry a finding")


def _report(text: str) -> Report:
    """Findings of a JSON document of any shape."""
    try:
        tree: Any = json.loads(text)
    except (ValueError, RecursionError):
        tree = [text]
    words = list(_strings(tree)) or [""]
    # A login in front of whatever stands there: it must go, wherever the text is cut.
    words.append(f"https://user:{SECRET}@{words[0]}")
    findings = []
    sources: dict[str, SourceFile] = {}
    for number in range(min(5, len(words) - 1)):
        word = [words[(number + each) % len(words)] for each in range(8)]
        # What a file can be called, which is not any text.
        path = words[number % (len(words) - 1)].encode("utf-8", "replace").decode()
        position = Position(path, number + 1, len(word[1]) + 1)
        findings.append(
            Finding(
                code=RULES[number].code,
                name=RULES[number].name,
                severity=list(Severity)[number % 3],
                message=word[1],
                position=position,
                package=path or None,
                target=words[0] or None,
                help=word[4] or None,
                notes=(word[5], word[6]),
                related=(Related(position=position, message=word[7]),),
            )
        )
        sources[path] = text_file("\n".join(words), path)
    ignored = (Ignored(finding=findings[0], reason=words[-1]),)
    outcome = Outcome(
        findings=tuple(findings), ignored=ignored, targets=(words[0],), compared=((words[-1], len(words)),)
    )
    return Report(outcome=outcome, sources=sources)


def _strings(value: object) -> Any:  # noqa: ANN401 - an iterator of texts
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _strings(each)


@cache
def _scratch() -> Path:
    """A folder of this process, in memory where there is such a place."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    return Path(tempfile.mkdtemp(prefix="lockaudit-fuzz-", dir=memory if memory.is_dir() else None))


def remove_scratch() -> None:
    """Remove what whole commands were run in."""
    shutil.rmtree(_scratch(), ignore_errors=True)


def commands(text: str) -> None:
    """A whole repository, its files one after the other in one text, and a command that its content picks."""
    from auditor.cli.main import run  # noqa: PLC0415 - imports the commands when they are called

    root = _scratch() / "root"
    shutil.rmtree(root, ignore_errors=True)
    for path, content in split(text):
        target = Path(os.path.normpath(root / path))
        if not target.is_relative_to(root) or target == root:
            continue
        with contextlib.suppress(OSError, ValueError):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode("utf-8", "surrogatepass"))
            os.utime(target, (0, 0))  # what has just been written is waited for
    root.mkdir(exist_ok=True)
    command = _COMMANDS[zlib.crc32(text.encode("utf-8", "surrogatepass")) % len(_COMMANDS)]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([command[0], str(root), *command[1:]])
    said = err.getvalue()
    if "Traceback (most recent call last)" in said:
        places = _TRACEBACK.findall(said)
        where = ":".join(places[-1]) if places else "?"
        raise Broken(f"{where} {said.splitlines()[-2][:50]}\n{said}")
    require(code in {0, 1, 2}, f"the exit code {code}")
    require(code != 2 or said, "an error says something")
    # Where every login of the input can still be told for one, none is shown.
    require("s3cr3t" not in out.getvalue() + said or "s3cr3t" in hide_logins(text), "no login is shown")


def split(text: str) -> list[tuple[str, str]]:
    """(path, content) of every file in a text: `=== path` begins one."""
    parts = re.split(r"^=== (.*)\n", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


REPORTS: Final = Harness(
    name="reports",
    what="findings of any words in every format",
    seeds=seeds.reports,
    run=reports,
    tree="json",
    words=seeds.REPORT_WORDS,
    weight=2,
)
COMMANDS: Final = Harness(
    name="commands",
    what="whole repositories: check, bake, key, graph, select and config on mutated files",
    seeds=seeds.repositories,
    run=commands,
    words=seeds.ALL_WORDS,
    weight=1,
)
