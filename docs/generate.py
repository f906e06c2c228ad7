"""Write the pages that are made from the code: rules, commands and settings, and the output shown in the README.

`python -m docs.generate` rewrites them; `--check` names those that are out of date and exits 1.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from auditor import __version__
from auditor.cli.main import cli, run
from auditor.cli.rule import page
from auditor.config import KEYS
from auditor.rules import RULES
from auditor.schema import render_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[1]
_NOTE: Final = "<!-- Made from the code by `python -m docs.generate`. Do not edit. -->\n\n"
_SETTINGS: Final = """\
All settings stand in `[tool.lockaudit]` of the root's pyproject.toml; `*` is the name of a package, `[]` an array of
tables. An unknown key is an error that names the nearest one. Options may come from the
[environment](#environment-variables) too: the command line goes over the environment, the environment over the
settings, and these over the Dockerfile's ARGs. `lockaudit config` prints what counts and where it comes from.

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
_VARIABLES: Final = """
## Environment variables

Several values are separated by spaces or commas; an empty variable says nothing.

| variable | option | commands |
|---|---|---|
"""
_STATUS: Final = (
    ("0", "Clean: no finding of severity error, every file up to date."),
    ("1", "Findings of severity error, or files that are out of date."),
    ("2", "Usage, configuration, input that cannot be read, or a result that cannot be written."),
    ("130", "Interrupted (Ctrl-C)."),
)
_FILES: Final = (
    ("pyproject.toml", "Settings, in [tool.lockaudit]."),
    ("uv.lock, prod/uv.lock", "The two locks."),
    ("docker/Dockerfile-uv", "The Dockerfile of both images."),
    ("docker-bake.hcl, docker/wheels/", "Written by lockaudit bake."),
)
# Written by hand, but for what the commands print.
_WITH_OUTPUT: Final = ("README.md", "docs/index.md", "docs/how-to/read-a-finding.md", "docs/how-to/plan.md")
# What the README shows is a repository's files, and nothing that a run leaves behind.
_SHOWN: Final = ("pyproject.toml", "uv.lock", "prod", "docker", "docker-bake.hcl", ".dockerignore")


def pages() -> dict[str, str]:
    """Every generated page, path relative to the repository -> text."""
    return {
        "docs/rules.md": rules(),
        "docs/commands.md": commands(),
        "docs/configuration.md": configuration(),
        "docs/lockaudit.1": manual(),
        "auditor/lockaudit.schema.json": render_schema(),
        **{page: readme((ROOT / page).read_text("utf-8")) for page in _WITH_OUTPUT},
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
    parts.append(f"```console\n$ lockaudit --help\n{cli.get_help(root_context())}\n```\n")
    for name, command, child in children():
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
    parts.append(_VARIABLES)
    parts += [f"| `{name}` | `{option}` | {commands} |\n" for name, option, commands in variables()]
    return "".join(parts)


def root_context() -> click.Context:
    """As `lockaudit` itself makes it, on a terminal of a fixed width."""
    settings = {**cli.context_settings, "max_content_width": 110}
    return click.Context(cli, info_name="lockaudit", terminal_width=110, **settings)


def children() -> Iterator[tuple[str, click.Command, click.Context]]:
    """(name, command, context) of every command."""
    context = root_context()
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is None:
            raise LookupError(name)
        yield name, command, click.Context(command, info_name=name, parent=context, terminal_width=110)


def variables() -> list[tuple[str, str, str]]:
    """(variable, option, commands that read it) of every option that may come from the environment."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, command, _ in children():
        for parameter in command.params:
            if isinstance(parameter.envvar, str):
                found.setdefault((parameter.envvar, max(parameter.opts, key=len)), []).append(name)
    return [(variable, option, ", ".join(commands)) for (variable, option), commands in found.items()]


def manual() -> str:
    """The manual page, in the macros of man(7)."""
    lines = [
        '.\\" Made from the code by `python -m docs.generate`. Do not edit.',
        f'.TH LOCKAUDIT 1 "" "lockaudit {__version__}" "User Commands"',
        ".SH NAME",
        "lockaudit \\- prove that a production uv.lock is a consistent subset of the development one",
        ".SH SYNOPSIS",
        ".B lockaudit",
        "[OPTIONS] COMMAND [ARGS]...",
        ".SH DESCRIPTION",
        *_paragraphs(cli.help or ""),
        ".SH OPTIONS",
        *_options(cli, root_context()),
        ".SH COMMANDS",
    ]
    for name, command, child in children():
        usage = " ".join(command.collect_usage_pieces(child))
        lines += [f'.SS "lockaudit {_roff(f"{name} {usage}")}"', *_paragraphs(command.help or "")]
        lines += _options(command, child)
    lines += [".SH ENVIRONMENT", "Several values are separated by spaces or commas. The command line goes over them."]
    for variable, option, users in variables():
        lines += [".TP", f".B {variable}", f"{_roff(option)} of {_roff(users)}"]
    for status, meaning in _STATUS:
        lines += [".SH EXIT STATUS"] if status == "0" else []
        lines += [".TP", f".B {status}", meaning]
    for path, meaning in _FILES:
        lines += [".SH FILES"] if path == _FILES[0][0] else []
        lines += [".TP", f".I {_roff(path)}", _roff(meaning)]
    lines += [".SH SEE ALSO", ".BR uv (1),", ".BR docker\\-buildx\\-bake (1)"]
    return "\n".join(lines) + "\n"


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record is not None:
            yield from (".TP", f".B {_roff(record[0])}", _roff(" ".join(record[1].split())))


def _paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a help text; those after click's mark keep their lines."""
    for paragraph in text.strip().split("\n\n"):
        lines = [line.strip() for line in paragraph.splitlines()]
        if lines[0] == "\b":
            yield from (".PP", ".nf", *map(_roff, lines[1:]), ".fi")
        else:
            yield from (".PP", _roff(" ".join(lines)))


def _roff(text: str) -> str:
    """Text without meaning to roff; minus signs stay such, so that options can be copied."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def readme(text: str) -> str:
    """The README, or a page like it, with what the commands print now."""
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
        if name == "check":
            return _console(folder, "check")
        if name == "plan":
            _edit_for_plan(folder)
            return _console(folder, "plan")
        if name == "audit":
            return _console(folder, "check") + _console(folder, "bake", "--check")
        # Without the line that names a registry: which one it is, is the lock's business.
        shown = _console(folder, "key", "--explain").replace("key --explain", "key --explain | grep -v 'torch source'")
        return "".join(line for line in shown.splitlines(keepends=True) if not line.startswith("    torch source "))


def _edit_for_plan(folder: Path) -> None:
    """Commit a copy of the repository's files; then another CUDA, and another filelock in both locks."""
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message=base")
    dockerfile = folder / "docker" / "Dockerfile-uv"
    dockerfile.write_text(dockerfile.read_text("utf-8").replace("CUDA_VERSION=12.4.1", "CUDA_VERSION=12.6.3"), "utf-8")
    entry = re.compile(
        r'(name = "filelock"\nversion = ")[^"]+("(?:\n(?!\[\[).*)*?filelock-)[\d.]+(-py3[^\n]* size = )(\d+)'
    )
    for lock in (folder / "uv.lock", folder / "prod" / "uv.lock"):
        text = entry.sub(
            lambda match: f"{match[1]}4.3.0{match[2]}4.3.0{match[3]}{int(match[4]) + 1200}", lock.read_text("utf-8")
        )
        lock.write_text(text, "utf-8")


def _git(folder: Path, *arguments: str) -> None:
    author = ["-c", "user.name=docs", "-c", "user.email=docs@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *author, *arguments], cwd=folder, check=True)  # noqa: S603, S607 - our own words, the user's git


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
