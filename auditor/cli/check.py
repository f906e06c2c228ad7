"""`lockaudit check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor import __version__
from auditor.cli.options import audit_options, overrides, shared_option, voice, voice_options
from auditor.cli.terminal import wants_color
from auditor.cli.workspace import load_all
from auditor.config import nearest
from auditor.errors import EXIT_CLEAN, EXIT_FINDINGS, ConfigError
from auditor.finding import Severity
from auditor.report.model import Report
from auditor.report.text import render_concise, render_text, totals
from auditor.rules import RULES
from auditor.rules.run import audit
from auditor.source import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.rules.context import PairContext
    from auditor.rules.rule import Rule
    from auditor.rules.run import Outcome
    from auditor.source import SourceFile


@click.command()
@audit_options
@shared_option(
    "--output-format",
    type=click.Choice(["text", "concise", "json", "sarif", "github", "gitlab", "junit"]),
    default="text",
    show_default=True,
    help="How findings are written. The format never changes the exit code.",
)
@click.option(
    "--output-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the findings there, whole or not at all, and only the totals to stderr.",
)
@click.option(
    "--select",
    "selected",
    multiple=True,
    metavar="CODE",
    help="Rules to run: a code, or its beginning such as LA1. Repeatable.  [default: `select` of [tool.lockaudit]]",
)
@click.option("--exit-zero", is_flag=True, help="Exit 0 even when there are findings.")
@shared_option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@voice_options
def check(
    root: Path,
    output_format: str,
    output_file: Path | None,
    selected: tuple[str, ...],
    *,
    exit_zero: bool,
    color: str,
    **options: Any,  # noqa: ANN401 - the shared options, taken apart by `overrides`
) -> int:
    """Prove that the prod lock is a consistent subset of the dev lock.

    For each target, both sides are selected exactly as uv would install them, and compared: names, versions, sources,
    and every artifact that the target can use, by hash. torch must be equal to the last letter.

    \b
    lockaudit check
    lockaudit check --target linux-x86_64-cp312 --dev-extra cu124
    lockaudit check ../repo --first-party core-lib --select LA1 --select LA2 --output-format json
    """  # noqa: D301
    speaker = voice(options)
    contexts = load_all(root, overrides(options))
    speaker.describe(contexts)
    outcome = audit(*contexts, rules=chosen_rules(selected))
    speaker.done()
    report = Report(outcome=outcome, sources=sources_of(contexts))
    has_nothing = speaker.quiet and not outcome.findings and output_format in {"text", "concise"}
    if output_file is None and has_nothing:
        return EXIT_CLEAN
    if output_file is None:
        colored = wants_color(color)
        click.echo(render(report, output_format, color=colored), nl=False, color=colored)
    else:
        write_atomic(output_file, render(report, output_format, color=color == "always"))
        speaker.say(totals(outcome))
    return exit_code(outcome, exit_zero=exit_zero)


def chosen_rules(selected: tuple[str, ...]) -> tuple[Rule, ...]:
    """The rules whose codes begin with one of the given ones; every rule without a choice.

    Raises:
        ConfigError: no code begins so, with the nearest.
    """
    codes = [rule.code for rule in RULES]
    for prefix in selected:
        if not prefix or not any(code.startswith(prefix.upper()) for code in codes):
            similar = nearest(prefix.upper(), codes)
            hint = f"did you mean {similar}?" if similar else "`lockaudit rule --all` lists every code"
            raise ConfigError(f"no rule's code begins with {prefix!r}", hint=hint)
    prefixes = tuple(prefix.upper() for prefix in selected)
    return tuple(rule for rule in RULES if not prefixes or rule.code.startswith(prefixes))


def render(  # noqa: PLR0911 - one return for each format
    report: Report, output_format: str, *, color: bool
) -> str:
    """The report in a format; each format's module is imported when it is asked for."""
    match output_format:
        case "json":
            from auditor.report.json import render_json  # noqa: PLC0415

            return render_json(report, __version__)
        case "sarif":
            from auditor.report.sarif import render_sarif  # noqa: PLC0415

            return render_sarif(report, __version__, RULES)
        case "github":
            from auditor.report.github import render_github  # noqa: PLC0415

            return render_github(report)
        case "gitlab":
            from auditor.report.gitlab import render_gitlab  # noqa: PLC0415

            return render_gitlab(report)
        case "junit":
            from auditor.report.junit import render_junit  # noqa: PLC0415

            return render_junit(report)
        case "concise":
            return render_concise(report)
    return render_text(report, color=color)


def sources_of(contexts: Iterable[PairContext]) -> dict[str, SourceFile]:
    """Every file that a finding may point into, by name."""
    return {file.name: file for context in contexts for file in context.files}


def exit_code(outcome: Outcome, *, exit_zero: bool) -> int:
    """1 where a finding is an error, unless nobody wants to know."""
    return EXIT_FINDINGS if outcome.count(Severity.ERROR) and not exit_zero else EXIT_CLEAN
