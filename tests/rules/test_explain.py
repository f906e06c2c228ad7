"""Every rule: it explains itself, its table has both kinds of cases, and its text is the committed one."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import TYPE_CHECKING

import pytest

import tests.rules
from auditor.rules import RULES
from tests.cli.command import lockaudit
from tests.rules.cases import SNAPSHOTS, Case, verify_snapshot
from tests.standins import uv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.rules import Rule


def every_case() -> Iterator[Case]:
    """The cases of all tables: `CASES` of each module of tests beside this one."""
    for module in pkgutil.iter_modules(tests.rules.__path__):
        if module.name.startswith("test_") and module.name != __name__.rpartition(".")[2]:
            yield from getattr(importlib.import_module(f"tests.rules.{module.name}"), "CASES", ())


ALL_CASES = list(every_case())
CASES_OF = {rule.code: [case for case in ALL_CASES if case.rule == rule.code] for rule in RULES}
EXPORT = ("export", "--frozen", "--offline", "--no-hashes", "--no-header", "--no-annotate", "-q", "--no-default-groups")
BY_CODE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
WITH_TABLE = pytest.mark.parametrize(
    "rule", [rule for rule in RULES if CASES_OF[rule.code]], ids=lambda rule: rule.code
)


@BY_CODE
def test_docstring_has_every_part(rule: Rule) -> None:
    text = rule.explain()
    parts = {"title": text.title, "what": text.what, "why": text.why, "example": text.example, "fix": text.fix}
    assert [name for name, part in parts.items() if not part] == []
    assert not re.search(r"^(What|Why|Example|Fix):$", "\n".join(parts.values()), re.MULTILINE)


@BY_CODE
def test_name_is_kebab_case(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
    assert re.fullmatch(r"LA\d{3}", rule.code)


def test_codes_are_unique_and_sorted() -> None:
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))


def test_names_are_unique() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)


def test_every_rule_has_a_table() -> None:
    assert [code for code, cases in CASES_OF.items() if not cases] == []


@WITH_TABLE
def test_table_has_cases_that_fire_and_cases_that_do_not(rule: Rule) -> None:
    assert {case.fires for case in CASES_OF[rule.code]} == {True, False}


@WITH_TABLE
def test_text_is_the_snapshot(rule: Rule, tmp_path: Path) -> None:
    """The first case of the table that fires, as a terminal shows it."""
    verify_snapshot(next(case for case in CASES_OF[rule.code] if case.fires), tmp_path)


def test_no_snapshot_is_left_behind() -> None:
    assert {path.stem for path in SNAPSHOTS.iterdir()} == {rule.code for rule in RULES}


@BY_CODE
def test_rule_command_shows_the_page(rule: Rule) -> None:
    text = rule.explain()
    page = lockaudit("rule", rule.code).out
    assert page == lockaudit("rule", rule.name).out == lockaudit("rule", rule.code.lower()).out
    assert page.startswith(f"# {rule.code}: {rule.name}\n\n{text.title}. Severity: {rule.severity}.\n")
    sections = dict(re.findall(r"^## (\w+)\n\n(.*?)\n(?=\n##|\Z)", page, re.MULTILINE | re.DOTALL))
    assert sections == {"What": text.what, "Why": text.why, "Example": text.example, "Fix": text.fix}


@pytest.mark.parametrize("arguments", [(), ("--all",)], ids=["plain", "all"])
def test_rule_command_lists_every_rule(arguments: tuple[str, ...]) -> None:
    rows = [line.split() for line in lockaudit("rule", *arguments).out.splitlines()]
    assert [row[:3] for row in rows] == [[rule.code, rule.severity, rule.name] for rule in RULES]
    assert all(" ".join(row[3:]) == rule.explain().title for row, rule in zip(rows, RULES, strict=True))


@WITH_TABLE
def test_the_specimens_are_locks_that_uv_reads(rule: Rule, tmp_path: Path) -> None:
    """Of each table one: uv exports it, and selects from it what we select."""
    case = CASES_OF[rule.code][0]
    root = case.write(tmp_path)
    for folder in (root, root / "prod"):
        exported = uv(*EXPORT, cwd=folder).stdout.splitlines()
        selected = lockaudit("select", folder, "--no-default-groups", "--target", case.targets[0])
        if selected.code == 0:  # else the target is not covered, which an export for every target cannot say
            names = {line.split()[0] for line in selected.out.splitlines() if not line.startswith(" ")} - {"app"}
            assert names == {line.partition("==")[0].partition(" ")[0] for line in exported if ";" not in line}
