"""`lockaudit fix`."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from auditor.change.apply import apply, difference
from auditor.change.fix import fix as work_out
from auditor.cli.check import chosen_rules, exit_code, sources_of
from auditor.cli.options import audit_options, overrides, shared_option, voice, voice_options
from auditor.cli.terminal import wants_color
from auditor.cli.workspace import load_all
from auditor.report.model import Report
from auditor.report.text import render_text
from auditor.source import alone, printable, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.change.fix import Fixed


@click.command()
@audit_options
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option(
    "--only",
    multiple=True,
    metavar="CODE",
    help="Findings to fix: a code, or its beginning such as LA1. Repeatable.  [default: all]",
)
@click.option("--unsafe", is_flag=True, help="Also change what prod says itself, and CUDA's major of the images.")
@shared_option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@voice_options
def fix(
    root: Path,
    only: tuple[str, ...],
    *,
    diff: bool,
    unsafe: bool,
    color: str,
    **options: Any,  # noqa: ANN401 - the shared options, taken apart by `overrides`
) -> int:
    """Derive prod from dev anew, and mend what disagrees with the locks.

    uv locks prod again out of dev's lock, which keeps every version and prunes the rest. Settings of the root that
    prod lacks for that (sources, constraints, indexes) are copied into prod/pyproject.toml. The CUDA of the images,
    the bake file and the build locks follow. Dev's versions never change. All files change, or none.

    What prod says otherwise than dev, a dependency that dev does not have for example, is changed with --unsafe only.
    What is left is shown as `check` shows it; the exit code is check's.

    \b
    lockaudit fix --diff
    lockaudit fix
    lockaudit fix --only LA1 --unsafe
    """  # noqa: D301
    speaker = voice(options)
    chosen = overrides(options)
    codes = tuple(each.upper() for each in only) if chosen_rules(only) else ()
    with nullcontext() if diff else alone(root, lambda: speaker.say("waiting for another lockaudit here")):
        fixed = work_out(root, lambda folder: load_all(folder, chosen), shutil.which("uv"), only=codes, unsafe=unsafe)
        changes = fixed.result.changes
        if not diff:
            apply(root, changes)
            for path in {file.name for context in fixed.contexts for file in context.files}:
                sweep(root / path)  # what a killed run has left
    speaker.describe(fixed.contexts)
    colored = wants_color(color)
    lines = (line for each in changes for line in difference(each)) if diff else map(_line, fixed.result.lines)
    click.echo("".join(lines), nl=False)
    speaker.done()
    for line in _left(fixed):
        click.echo(printable(line), err=diff)
    if fixed.outcome.findings:
        report = Report(outcome=fixed.outcome, sources=sources_of(fixed.contexts))
        click.echo(render_text(report, color=colored), nl=False, color=colored, err=diff)
    for each in () if diff else changes:
        speaker.say(f"{'removed' if each.new is None else 'wrote' if each.old is None else 'changed'} {each.path}")
    if not changes:
        speaker.say("nothing to fix" if not fixed.outcome.findings else "nothing was changed")
    return exit_code(fixed.outcome, exit_zero=False)


def _line(text: str) -> str:
    return f"{printable(text)}\n"


def _left(fixed: Fixed) -> Iterator[str]:
    """What was not fixed, and why."""
    for fault in fixed.faults:
        yield f"not fixed: {fault}"
    for offer in fixed.offers:
        about = f" {offer.package}" if offer.package else ""
        yield f"not fixed, needs --unsafe: {offer.code}{about}: {offer.what}"
