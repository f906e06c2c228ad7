"""`lockaudit set`."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.change.apply import apply, difference
from auditor.change.set import set_versions
from auditor.change.show import changed_lines
from auditor.change.wanted import parse_wanted
from auditor.cli.bake import generate
from auditor.cli.check import exit_code, sources_of
from auditor.cli.options import overrides, pair_options, voice, voice_options
from auditor.cli.workspace import load_all
from auditor.errors import EXIT_CLEAN, ConfigError
from auditor.finding import Severity
from auditor.report.model import Report
from auditor.report.text import render_text
from auditor.source import alone, printable

if TYPE_CHECKING:
    from auditor.change.set import Setting
    from auditor.cli.options import Voice


@click.command("set")
@click.argument("assignments", nargs=-1, required=True, metavar="WHAT=VALUE...")
@click.option(
    "-C",
    "--root",
    default=".",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The repository.  [default: .]",
)
@click.option("--diff", is_flag=True, help="Write nothing; show what would change, the locks included.")
@pair_options
@voice_options
def set_(assignments: tuple[str, ...], root: Path, *, diff: bool, **options: Any) -> int:  # noqa: ANN401
    """Set a version in every place that has it: both projects, the Dockerfile, both locks and the bake file.

    \b
    WHAT=VALUE is  name==version     a package that a project declares: torch, flash-attn
                   cuda=12.8.1       or cuda=12.8: indexes, +cu128, CUDA_VERSION
                   python=3.12       targets, .python-version, PYTHON_VERSION
                   ubuntu=22.04  variant=cudnn|runtime|base  uv=0.13.9  cmake=3.26.1

    A pin moves; a range that has the version stays, and the lock decides. torchvision and torchaudio go along with
    torch. Combinations that do not exist are refused, with the nearest that does. All files change, or none: uv locks
    a copy first. Names of extras, and what is not in the tables of lockaudit, stay.

    \b
    lockaudit set torch==2.8.0 cuda=12.8.1
    lockaudit set flash-attn==2.8.4 --diff
    lockaudit set python=3.12 -C path/to/repo
    lockaudit set torch==2.8.0 cuda=12.9 --variant cu128
    """  # noqa: D301
    speaker = voice(options)
    choices = overrides(options)
    if choices.pair is not None:
        raise ConfigError("--pair: what dev has is set for all pairs", hint="leave it out")
    variant = choices.variant or ""
    wanted = parse_wanted(assignments)
    with nullcontext() if diff else alone(root, lambda: speaker.say("waiting for another lockaudit here")):
        if variant:
            load_all(root, choices)  # there is such a variant, or this says which there are
            choices = replace(choices, variant=None)
        found = set_versions(
            root, wanted, lambda folder: load_all(folder, choices), generate, shutil.which("uv"), variant
        )
        if not diff:
            apply(root, found.changes)
    speaker.describe(found.contexts)
    speaker.done()
    if not found.changes:
        speaker.say(f"nothing to do: {' '.join(assignments)} is set everywhere")
        return EXIT_CLEAN
    if diff:
        click.echo("".join(line for change in found.changes for line in difference(change)), nl=False)
    else:
        _tell(speaker, found)
    for note in found.notes:
        speaker.say(printable(f"note: {note}"))
    lines = [line for change in found.keys for line in change.lines]
    click.echo("".join(f"{printable(line)}\n" for line in lines), err=diff, nl=False)
    if found.outcome.count(Severity.ERROR):
        report = Report(outcome=found.outcome, sources=sources_of(found.contexts))
        click.echo(render_text(report), err=diff, nl=False)
    return exit_code(found.outcome, exit_zero=False)


def _tell(speaker: Voice, found: Setting) -> None:
    """Each edited line, and what was written beside."""
    for change in found.edits:
        for number, old, new in changed_lines(change):
            speaker.say(printable(f"{change.path}:{number}: {old} -> {new}"))
    edited = {change.path for change in found.edits}
    for change in found.changes:
        if change.path not in edited:
            speaker.say(printable(f"{'removed' if change.new is None else 'wrote'} {change.path}"))
