"""`lockaudit bake`."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.bake.lint import refuse_problems
from auditor.bake.plan import Plan, make_bake_file
from auditor.bake.write import render
from auditor.cli.options import audit_options, overrides
from auditor.cli.project import (
    Written,
    keys_of,
    locks_of,
    primary,
    read_text,
    refuse_unsafe,
    remove,
    require_dockerfile,
    stale_folders,
)
from auditor.cli.workspace import load
from auditor.dockerfile.pins import read_pins
from auditor.errors import EXIT_CLEAN, EXIT_FINDINGS
from auditor.source import hide_logins, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.rules.context import PairContext


@click.command()
@audit_options
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and show the difference if a file is out of date.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--stdout", is_flag=True, help="Write the bake file to stdout, and nothing else.")
@click.option("--exit-non-zero-on-change", is_flag=True, help="Exit 1 if a file was written: what hooks want.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Bake file to write.")
def bake(
    root: Path,
    output: Path | None,
    *,
    check: bool,
    diff: bool,
    stdout: bool,
    exit_non_zero_on_change: bool,
    **options: Any,  # noqa: ANN401 - the shared options, taken apart by `overrides`
) -> int:
    """Write docker-bake.hcl, and the build locks of the compiled wheels under docker/wheels.

    `docker buildx bake prod` then compiles each wheel once per CUDA x torch x Python, and never again: the wheel's
    cache is named after its build key, and its stage sees nothing that is not in the key. Where dev and prod would
    need two different wheels, bake refuses and shows the findings.

    \b
    lockaudit bake
    lockaudit bake --check      in CI and in the hook
    """  # noqa: D301
    if sum((check, diff, stdout)) > 1:
        message = "--check, --diff and --stdout exclude each other"
        raise click.UsageError(message)
    context = load(root, overrides(options))
    files = generate(context, output)
    if stdout:
        click.echo(files[-1].new, nl=False)
        return EXIT_CLEAN
    changed = [file for file in files if file.changed]
    if check or diff:
        click.echo("".join(line for file in changed for line in difference(file)), nl=False)
        if check and changed:
            names = ", ".join(file.path for file in changed)
            click.echo(f"out of date: {names}; run `lockaudit bake`", err=True)
            return EXIT_FINDINGS
        if check:
            click.echo(f"up to date: {len(files)} files", err=True)
        return EXIT_CLEAN
    write(root, changed, output)
    for file in changed:
        click.echo(f"{'removed' if file.new is None else 'wrote'} {file.path}", err=True)
    if not changed:
        click.echo(f"nothing to do: {len(files)} files are up to date", err=True)
    return EXIT_FINDINGS if changed and exit_non_zero_on_change else EXIT_CLEAN


def generate(context: PairContext, output: Path | None = None) -> list[Written]:
    """Every generated file, the bake file last.

    Raises:
        RefusedError: dev and prod cannot share one wheel.
        ConfigError, InputError: as the parts raise them.
    """
    require_dockerfile(context)
    target = primary(context)
    refuse_unsafe(context, target)
    keys = keys_of(context.dev, target, context.config, context.dockerfile)
    locks = locks_of(context, target, keys)
    root = context.pair.root
    files = [
        Written(path=f"{lock.folder}/{name}", new=text, old=read_text(root / lock.folder / name))
        for lock in locks
        for name, text in lock.files.items()
    ]
    files += stale_folders(root, locks)
    project = context.dev.project
    plan = Plan(
        name=project.name if project is not None else "",
        config=context.config,
        pins=read_pins(context.config, context.dockerfile),
        target=target,
        keys=keys,
        locks=locks,
    )
    model = make_bake_file(plan)
    refuse_problems(model)
    path = output if output is not None else root / context.config.bake.file
    shown = path.as_posix() if output is not None else context.config.bake.file
    files.append(Written(path=shown, new=render(model), old=read_text(path)))
    return files


def write(root: Path, changed: Iterable[Written], output: Path | None) -> None:
    """Write what changed: the build locks first, so that the bake file never names a key that is not there."""
    for file in changed:
        path = output if output is not None and file.path == output.as_posix() else root / file.path
        if file.new is None:
            remove(root, file.path)
        else:
            write_atomic(path, file.new, name=file.path)


def difference(file: Written) -> Iterator[str]:
    """A unified diff from what is on disk to what should be."""
    old, new = file.old or "", file.new or ""
    for line in difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{file.path}", f"b/{file.path}"
    ):
        shown = hide_logins(line)
        yield shown if shown.endswith("\n") else f"{shown}\n\\ No newline at end of file\n"
