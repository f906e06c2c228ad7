"""Write the pages that are made from the code: rules, commands and settings, and the output shown in the README.

`python -m docs.generate` rewrites them; `--check` names those that are out of date and exits 1.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Final

import click

from auditor.cli.main import cli, run
from auditor.cli.rule import page
from auditor.config import KEYS
from auditor.rules import RULES
from auditor.schema import render_schema

ROOT: Final = Path(__file__).resolve().parents[1]
_NOTE: Final = "<!-- Made from the code by `python -m docs.generate`. Do not edit. -->\n\n"
_SETTINGS: Final = """\
All settings stand in `[tool.lockaudit]` of the root's pyproject.toml; `*` is the name of a package, `[]` an array of
tables. An unknown key is an error that names the nearest one. The command line goes over the settings.

A finding is accepted at one place by a comment in a Dockerfile or pyproject.toml, on the line or above it:
`# lockaudit: ignore[LA402] the tag is our own mirror's`. An `ignore` or a comment that matches nothing is LA001.

"""
_BLOCK: Final = re.compile(r"(<!-- output: (?P<name>[\w-]+) -->\n```console\n).*?(```\n<!-- end -->)", re.DOTALL)
_FAMILIES: Final = {
    "LA0": "The audit itself",
    "LA1": "Prod is a subset of dev",
    "LA2": "torch, CUDA and compiled packages",
    "LA3": "Lock health",
    "LA4": "Dockerfile",
    "LA5": "Bake file",
}
# What the README shows is a repository's files, and nothing that a run leaves behind.
_SHOWN: Final = ("pyproject.toml", "uv.lock", "prod", "docker", "docker-bake.hcl", ".dockerignore")


def pages() -> dict[str, str]:
    """Every generated page, path relative to the repository -> text."""
    return {
        "docs/rules.md": rules(),
        "docs/commands.md": commands(),
        "docs/configuration.md": configuration(),
        "auditor/lockaudit.schema.json": render_schema(),
        "README.md": readme((ROOT / "README.md").read_text("utf-8")),
    }


def rules() -> str:
    """A table of all rules, and the explanation of each."""
    parts = ["# Rules\n", _NOTE, "`lockaudit rule CODE` prints these explanations.\n\n"]
    parts.append("| code | name | severity | what |\n|---|---|---|---|\n")
    for rule in RULES:
        anchor = f"{rule.code}-{rule.name}".lower()
        parts.append(f"| [{rule.code}](#{anchor}) | {rule.name} | {rule.severity} | {rule.explain().title} |\n")
    family = ""
    for rule in RULES:
        if rule.code[:3] != family:
            family = rule.code[:3]
            parts.append(f"\n# {family}xx: {_FAMILIES[family]}\n")
        text = re.sub(r"^## ", "### ", page(rule), flags=re.MULTILINE)
        parts.append(f"\n#{text}")
    return "".join(parts)


def commands() -> str:
    """The help of every command, as the terminal shows it."""
    parts = ["# Commands\n\n", _NOTE]
    context = click.Context(cli, info_name="lockaudit", max_content_width=110, terminal_width=110)
    parts.append(f"```console\n$ lockaudit --help\n{cli.get_help(context)}\n```\n")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is None:
            raise LookupError(name)
        child = click.Context(command, info_name=name, parent=context, max_content_width=110, terminal_width=110)
        shown = f"```console\n$ lockaudit {name} --help\n{command.get_help(child)}\n```\n"
        parts.append(f"\n## lockaudit {name}\n\n{shown}")
    return "".join(parts)


def configuration() -> str:
    """Every setting."""
    kinds = {
        "string": "string",
        "path": "path below the root",
        "boolean": "true or false",
        "strings": "list of strings",
        "string-table": "table of strings",
    }
    parts = [
        "# Settings\n\n",
        _NOTE,
        _SETTINGS,
        "| key | value | meaning |\n|---|---|---|\n",
    ]
    for key in KEYS:
        value = ", ".join(f"`{choice}`" for choice in key.choices) or kinds[key.kind]
        parts.append(f"| `{key.path}` | {value} | {key.doc} |\n")
    return "".join(parts)


def readme(text: str) -> str:
    """The README with what the commands print now."""
    return _BLOCK.sub(lambda match: f"{match[1]}{_shown(match['name'])}{match[3]}", text)


def _shown(name: str) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for entry in _SHOWN:
            source = ROOT / entry
            if source.is_dir():
                shutil.copytree(source, folder / entry)
            else:
                shutil.copy(source, folder / entry)
        if name == "check-edited":
            lock = folder / "prod" / "uv.lock"
            text = lock.read_text("utf-8")
            edited = re.sub(r"(filelock-[\w.]+-py3[^\n]*sha256:)[0-9a-f]{12}", r"\g<1>000000000000", text)
            lock.write_text(edited, "utf-8")
            return _console(folder, "check")
        if name == "audit":
            return _console(folder, "check") + _console(folder, "bake", "--check")
        return _console(folder, "key", "--explain")


def _console(folder: Path, *arguments: str) -> str:
    """A command and what it prints in a folder."""
    printed = StringIO()
    with chdir(folder), redirect_stdout(printed), redirect_stderr(printed):
        run(arguments)
    return f"$ lockaudit {' '.join(arguments)}\n{printed.getvalue()}"


def main() -> int:
    """Write what is out of date, or only name it."""
    stale = {path: text for path, text in pages().items() if not _is_current(ROOT / path, text)}
    for path, text in stale.items():
        if "--check" in sys.argv[1:]:
            print(f"out of date: {path}; run `python -m docs.generate`")  # noqa: T201
        else:
            (ROOT / path).write_text(text, encoding="utf-8")
            print(f"wrote {path}")  # noqa: T201
    return 1 if stale and "--check" in sys.argv[1:] else 0


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


if __name__ == "__main__":
    raise SystemExit(main())
