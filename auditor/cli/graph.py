"""`lockaudit graph`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import audit_options, overrides
from auditor.cli.workspace import load_all
from auditor.errors import EXIT_CLEAN
from auditor.report.graph.picture import make_picture
from auditor.rules.run import audit
from auditor.source import printable, write_atomic

if TYPE_CHECKING:
    from auditor.config import Config
    from auditor.report.graph.model import Picture

_HTML = "html"


@click.command()
@audit_options
@click.option(
    "--output-format",
    type=click.Choice(["mermaid", "dot", _HTML]),
    help="How the picture is written.  [default: html if the output file is called so, else mermaid]",
)
@click.option(
    "-o",
    "--output-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the picture there, whole or not at all.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="mermaid and dot: every package on its own, with what it depends on, instead of one node for what is equal.",
)
def graph(
    root: Path,
    output_format: str | None,
    output_file: Path | None,
    *,
    everything: bool,
    **options: Any,  # noqa: ANN401 - the shared options, taken apart by `overrides`
) -> int:
    """Draw the two selections side by side, and the build with what a change invalidates.

    Packages are equal, different, only in prod, only in dev or compiled, with the size of what is downloaded. The build
    goes from locks through stages and bake targets to caches. The HTML is one file that loads nothing.

    \b
    lockaudit graph -o lockaudit.html
    lockaudit graph --output-format dot | dot -Tsvg >lockaudit.svg
    """  # noqa: D301
    contexts = load_all(root, overrides(options))
    asked = [replace(context, config=_with_comparison(context.config)) for context in contexts]
    picture = make_picture(contexts, audit(*asked))
    wanted = output_format or (_HTML if output_file is not None and output_file.suffix == ".html" else "mermaid")
    text = render(picture, wanted, everything=everything)
    if output_file is None:
        click.echo(text, nl=False)
    else:
        write_atomic(output_file, text)
        click.echo(f"wrote {printable(str(output_file))}", err=True)
    return EXIT_CLEAN


def render(picture: Picture, output_format: str, *, everything: bool) -> str:
    """The picture in a format; each format's module is imported when it is asked for."""
    match output_format:
        case "dot":
            from auditor.report.graph.dot import render_dot  # noqa: PLC0415

            return render_dot(picture, everything=everything)
        case "html":
            from auditor.report.graph.html import render_html  # noqa: PLC0415

            return render_html(picture)
    from auditor.report.graph.mermaid import render_mermaid  # noqa: PLC0415

    return render_mermaid(picture, everything=everything)


def _with_comparison(config: Config) -> Config:
    """The settings with the rules that compare both sides, even where they are not selected: the picture needs them."""
    return replace(config, select=(*config.select, "LA1", "LA2")) if config.select else config
