"""The hooks, run by the real pre-commit and the real prek in a git repository that takes them from this one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from auditor import __version__
from tests.engine.baking import lockaudit
from tests.engine.project import edit, write_project

from .hooks import PUBLISHED, TOOLS, Repository, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = f"""\
repos:
  - repo: {PUBLISHED}
    rev: v{__version__}
    hooks:
      - id: lockaudit-check
      - id: lockaudit-bake
"""


@pytest.fixture(scope="module", params=TOOLS)
def repository(
    request: pytest.FixtureRequest, programs: Path, source: Path, base: str, tmp_path_factory: pytest.TempPathFactory
) -> Repository:
    """A repository with a clean pair, one for each tool, so that each tool makes one environment."""
    tool: str = request.param
    homes = tmp_path_factory.mktemp("homes")
    env = environment(programs, source=source, PRE_COMMIT_HOME=str(homes / "one"), PREK_HOME=str(homes / "other"))
    made = Repository(write_project(tmp_path_factory.mktemp("repository") / "app", base, wheels=False), tool, env)
    lockaudit(made.root, "bake")
    (made.root / ".pre-commit-config.yaml").write_text(CONFIG)
    made.run("git", "init", "--quiet")
    made.run(tool, "install")
    first = made.commit()
    assert first.returncode == 0, first.stdout
    assert results(first.stdout) == {"lockaudit check": "Passed", "lockaudit bake": "Passed"}
    return made


@pytest.fixture(autouse=True)
def as_it_was(repository: Repository) -> Iterator[None]:
    """Every test starts with a clean tree."""
    yield
    repository.run("git", "reset", "--quiet", "--hard")


def results(output: str) -> dict[str, str]:
    """What happened to each hook: its name -> Passed, Failed or Skipped."""
    found = re.findall(r"^(lockaudit \w+)\.+(?:\(no files to check\))?(Passed|Failed|Skipped)$", output, re.MULTILINE)
    return dict(found)


def test_an_edited_hash_in_prod_blocks_the_commit(repository: Repository) -> None:
    lock = repository.root / "prod" / "uv.lock"
    text = lock.read_text()
    lock.write_text(re.sub(r"(requests-[\w.]+-py3[^\n]*sha256:)[0-9a-f]{12}", r"\g<1>000000000000", text))
    before = repository.head
    done = repository.commit()
    assert done.returncode != 0
    assert "error[LA106]: requests-2.32.3-py3-none-any.whl: sha256 000000000000 in prod" in done.stdout
    assert results(done.stdout)["lockaudit check"] == "Failed"
    assert repository.head == before


def test_a_clean_change_of_prod_passes(repository: Repository) -> None:
    edit(repository.root / "prod" / "pyproject.toml", "[project]\n", "# What the image runs.\n[project]\n")
    before = repository.head
    done = repository.commit()
    assert done.returncode == 0, done.stdout
    assert results(done.stdout) == {"lockaudit check": "Passed", "lockaudit bake": "Passed"}
    assert repository.head != before


def test_a_commit_without_our_files_runs_nothing(repository: Repository) -> None:
    (repository.root / "README.md").write_text("Nothing that decides an image.\n")
    done = repository.commit()
    assert done.returncode == 0, done.stdout
    assert results(done.stdout) == {"lockaudit check": "Skipped", "lockaudit bake": "Skipped"}
    assert done.stdout.count("(no files to check)Skipped") == len(TOOLS)


def test_the_bake_hook_rewrites_fails_once_and_passes(repository: Repository) -> None:
    settings = '\n[tool.lockaudit.bake]\nimage = "renamed"\n'
    pyproject = repository.root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + settings)
    before = repository.head
    first = repository.commit()
    assert first.returncode != 0
    assert results(first.stdout)["lockaudit bake"] == "Failed"
    assert "files were modified by this hook" in first.stdout
    assert "wrote docker-bake.hcl" in first.stdout
    assert (repository.head, "renamed" in (repository.root / "docker-bake.hcl").read_text()) == (before, True)
    second = repository.commit()
    assert second.returncode == 0, second.stdout
    assert results(second.stdout) == {"lockaudit check": "Passed", "lockaudit bake": "Passed"}


def test_all_files(repository: Repository) -> None:
    done = repository.run(repository.tool, "run", "--all-files")
    assert results(done.stdout) == {"lockaudit check": "Passed", "lockaudit bake": "Passed"}
