"""`lockaudit key`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from auditor.bake.generate import keys_of
from auditor.cli.options import audit_options, overrides
from auditor.cli.revision import keys_at, variant_target
from auditor.cli.workspace import load_sides
from auditor.source import printable
from auditor.wheel.changes import key_changes

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.wheel.changes import KeyChange
    from auditor.wheel.key import BuildKey


@click.command()
@audit_options
@click.option("--explain", is_flag=True, help="Show every component of the key, its value and where it comes from.")
@click.option("--diff", "revision", metavar="REV", help="Show what changed since a git revision, and what is compiled.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def key(root: Path, output_format: str, revision: str | None, *, explain: bool, **options: Any) -> int:  # noqa: ANN401
    """Print the build key of each compiled package: everything that decides its wheel's bytes, and nothing else.

    A package is compiled if it depends on torch, has a source, and no wheel that the target can use. Speed knobs
    (MAX_JOBS, NVCC_THREADS) are not in the key.

    \b
    lockaudit key
    lockaudit key --explain
    lockaudit key --diff main      does this branch compile anything?
    """  # noqa: D301
    choices = overrides(options)
    keys = [
        (variant_target(workspace.variant, target), each)
        for workspace in load_sides(root, choices)
        for target in workspace.targets
        for each in keys_of(workspace.side, target, workspace.config, workspace.dockerfile)
    ]
    if revision is not None:
        chosen = f" ({choices.variant})"  # of what is compiled no more, the others are not asked for
        changes = [
            change
            for change in key_changes(keys_at(root, revision, choices), keys)
            if change.after or not choices.variant or change.target.endswith(chosen)
        ]
        click.echo(_difference(changes, revision, output_format), nl=False)
        return 0
    if output_format == "json":
        document = {"version": 1, "keys": [_document(target, each) for target, each in keys]}
        click.echo(json.dumps(document, indent=2))
        return 0
    shown = [(target if choices.variant is None else "", each) for target, each in keys]
    click.echo("".join(_text(target, each, explain=explain) for target, each in shown), nl=False)
    if not keys:
        click.echo(
            "nothing is compiled: every package has a wheel for the target, or does not depend on torch", err=True
        )
    return 0


def _text(target: str, each: BuildKey, *, explain: bool) -> str:
    """A key, with its variant in brackets where the target names one."""
    _, bracket, variant = target.partition(" (")
    lines = [f"{each.readable}{bracket}{variant}"]
    if explain:
        width = max(len(component.name) for component in each.components)
        for component in each.components:
            where = component.position
            origin = "lockaudit" if where is None else f"{where.path}:{where.line}"
            if component.name in {"python", "platform"}:
                origin = "target"
            lines.append(f"    {component.name:{width}}  {component.value}  ({origin})")
    return "".join(f"{printable(line)}\n" for line in lines)


def _document(target: str, each: BuildKey) -> dict[str, Any]:
    return {
        "package": each.name,
        "target": target,
        "key": each.readable,
        "components": [
            {
                "name": component.name,
                "value": component.value,
                "path": component.position.path if component.position else None,
                "line": component.position.line if component.position else None,
            }
            for component in each.components
        ],
    }


def _difference(changes: list[KeyChange], revision: str, output_format: str) -> str:
    if output_format == "json":
        document = {"version": 1, "since": revision, "changes": [_change(change) for change in changes]}
        return json.dumps(document, indent=2) + "\n"
    lines = [line for change in changes for line in change.lines]
    return "".join(f"{printable(line)}\n" for line in lines or [f"nothing is compiled, now or at {revision}"])


def _change(change: KeyChange) -> dict[str, Any]:
    return {
        "package": change.package,
        "target": change.target,
        "before": change.before,
        "after": change.after,
        "compile": change.is_compiled,
        "components": [{"name": each.name, "before": each.before, "after": each.after} for each in change.components],
    }
