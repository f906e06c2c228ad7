"""`lockaudit rule`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from auditor.config import nearest
from auditor.errors import ConfigError
from auditor.rules import RULES

if TYPE_CHECKING:
    from auditor.rules import Rule


@click.command()
@click.argument("name", required=False, metavar="[CODE|NAME]")
@click.option("--all", "everything", is_flag=True, help="List every rule.")
def rule(name: str | None, *, everything: bool) -> int:
    """Explain a finding: what it says, why it matters, an example, and the fix.

    \b
    lockaudit rule LA103
    lockaudit rule version-differs
    lockaudit rule --all
    """  # noqa: D301
    if everything or name is None:
        click.echo("".join(_row(each) for each in RULES), nl=False)
        return 0
    wanted = name.casefold()
    for each in RULES:
        if wanted in {each.code.casefold(), each.name}:
            click.echo(page(each), nl=False)
            return 0
    known = [word for each in RULES for word in (each.code, each.name)]
    similar = nearest(name.upper(), known) or nearest(wanted, known)
    hint = f"did you mean {similar}?" if similar else "`lockaudit rule --all` lists every rule"
    raise ConfigError(f"there is no rule {name!r}", hint=hint)


def _row(each: Rule) -> str:
    return f"{each.code}  {each.severity:7}  {each.name:24}  {each.explain().title}\n"


def page(each: Rule) -> str:
    """A rule's explanation as Markdown: what the documentation shows too."""
    text = each.explain()
    return (
        f"# {each.code}: {each.name}\n\n{text.title}. Severity: {each.severity}.\n\n"
        f"## What\n\n{text.what}\n\n## Why\n\n{text.why}\n\n## Example\n\n{text.example}\n\n## Fix\n\n{text.fix}\n"
    )
