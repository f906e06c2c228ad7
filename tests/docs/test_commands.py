"""Every `lockaudit` line of the documentation is run on a copy of the repository, and every setting is read."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import click
import pytest

from auditor.cli.main import cli
from auditor.rules import RULES
from auditor.settings import read_config
from auditor.source import SourceFile
from tests.cli.command import lockaudit
from tests.cost.repository import commit
from tests.docs.blocks import REPOSITORY, Block, blocks, read_blocks

SHELLS = frozenset({"console", "sh", "bash", "shell"})
COPIED = ("pyproject.toml", "uv.lock", "README.md", "prod", "docker", "docker-bake.hcl", ".dockerignore", "auditor")
DOCUMENTED = {0, 1, 2}
CLEAN = {0}
# Pages whose unmarked commands must succeed; others have examples about repositories that are not here.
OF_THIS_REPOSITORY = ("docs/how-to/", "docs/index.md", "docs/commands.md")
COMMANDS = [
    pytest.param(block, words, id=f"{block.place} {' '.join(words)}")
    for block in blocks()
    if block.language in SHELLS
    for words in block.commands
]
SETTINGS = [
    pytest.param(block, id=block.place)
    for block in blocks()
    if block.language == "toml" and any("tool.lockaudit" in line for line in block.lines)
]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the repository, which is the working folder; the pages' `path/to/repo` and `../repo` are the same."""
    for name in ("work", "work/path/to/repo", "repo"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        for entry in COPIED:
            source = REPOSITORY / entry
            if source.is_dir():
                shutil.copytree(source, folder / entry, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / entry)
    monkeypatch.chdir(tmp_path / "work")


def parse(words: tuple[str, ...]) -> None:
    """Raise click's own error where a command or an option does not exist; `--help` ends it early."""
    context = click.Context(cli, info_name="lockaudit", **cli.context_settings)
    if words[0].startswith("-"):
        cli.make_context("lockaudit", list(words))
    else:
        name, command, rest = cli.resolve_command(context, list(words))
        assert command is not None
        command.make_context(name, rest, parent=context).close()


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(("block", "words"), COMMANDS)
def test_a_command_runs(block: Block, words: tuple[str, ...]) -> None:
    if block.reason is not None:
        pytest.skip(f"{block.place}: {block.reason}")
    try:
        parse(words)
    except click.exceptions.Exit as stop:
        assert stop.exit_code == 0  # noqa: PT017 - `--help` and `--version` end here
    if words[0] == "plan":  # against a revision, so that there must be one
        commit(Path.cwd())
    result = lockaudit(*words)
    assert result.code in (CLEAN if block.page.startswith(OF_THIS_REPOSITORY) else DOCUMENTED), result.err
    assert "this is a bug" not in result.err


@pytest.mark.parametrize("block", SETTINGS)
def test_settings_are_read(block: Block) -> None:
    text = "\n".join(block.lines)
    table = tomllib.loads(text)["tool"]["lockaudit"]
    read_config(table, SourceFile(Path("pyproject.toml"), "pyproject.toml", text), [rule.code for rule in RULES])


def test_blocks_are_found_and_may_be_marked() -> None:
    text = """\
```sh
lockaudit check   # a comment
lockaudit graph --output-format dot | dot -Tsvg >x.svg
```
1. indented

    <!-- not run: needs Docker -->
    ```console
    $ lockaudit key
    lockaudit prints this
    ```
"""
    first, second = read_blocks("page.md", text)
    assert first.commands == [("check",), ("graph", "--output-format", "dot")]
    assert (second.commands, second.reason, second.line) == ([("key",)], "needs Docker", 8)
    assert first.reason is None


def test_a_wrong_option_is_seen() -> None:
    with pytest.raises(click.UsageError):
        parse(("check", "--no-such-option"))
