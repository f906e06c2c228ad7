"""`lockaudit plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import audit_options, overrides
from auditor.cli.revision import commit_of, state_at, state_now
from auditor.cost.cost import cost_of
from auditor.errors import EXIT_CLEAN, EXIT_FINDINGS

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.cost.model import Cost


@click.command()
@audit_options
@click.option("--base", default="HEAD", metavar="REV", show_default=True, help="Git revision to compare with.")
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="markdown is a comment for a pull request.",
)
@click.option("--fail-on", type=click.Choice(["compile"]), help="Exit 1 if a wheel is compiled.")
def plan(root: Path, base: str, output_format: str, fail_on: str | None, **options: Any) -> int:  # noqa: ANN401
    """Print what a change costs before it is merged: the working tree against a git revision.

    Packages and bytes that each image gains, wheels that are compiled and why, stages of the Dockerfile that run again
    on a builder that has built the revision, and what the images need to run: CUDA, driver, Python, C++ ABI. Nothing is
    built and nothing is downloaded. A prediction is no finding: the exit code is 0.

    \b
    lockaudit plan                       what is not committed yet
    lockaudit plan --base origin/main    what this branch costs
    """  # noqa: D301
    choices = overrides(options)
    commit = commit_of(root, base)
    now = state_now(root, choices)
    with state_at(root, base, choices) as before:
        cost = cost_of(before, now, base, commit)
    click.echo(render(cost, output_format), nl=False)
    return EXIT_FINDINGS if fail_on and list(cost.compiles) else EXIT_CLEAN


def render(cost: Cost, output_format: str) -> str:
    """The cost in a format; each format's module is imported when it is asked for."""
    match output_format:
        case "json":
            from auditor.report.cost.json import render_json  # noqa: PLC0415

            return render_json(cost)
        case "markdown":
            from auditor.report.cost.markdown import render_markdown  # noqa: PLC0415

            return render_markdown(cost)
    from auditor.report.cost.text import render_text  # noqa: PLC0415

    return render_text(cost)
