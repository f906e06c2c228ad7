"""`lockaudit init`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from auditor import __version__
from auditor.change.apply import apply, difference
from auditor.change.derive import derive
from auditor.change.tree import mirror
from auditor.change.uv import lock
from auditor.cli.adopt import Adoption, plan_adoption
from auditor.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INTERRUPTED, UvError
from auditor.source import refuse_outside, write_atomic


@click.command()
@click.argument("root", default=".", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="[ROOT]")
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would be written.")
@click.option("--force", is_flag=True, help="Write over files that are there already.")
@click.option("--create-prod", is_flag=True, help="Make prod/ out of the root project where there is none.")
@click.option("--no-lock", is_flag=True, help="Do not run `uv lock`, even where a lock has become stale.")
def init(root: Path, *, dry_run: bool, force: bool, create_prod: bool, no_lock: bool) -> int:
    """Set a repository up: settings, Dockerfile, hooks, .dockerignore; then check and bake.

    Looks at what is there (locks, Python, torch and its CUDA, what is compiled) and writes what is missing; nothing is
    overwritten without --force. Lock files are only ever written by uv.

    \b
    lockaudit init --dry-run
    lockaudit init --create-prod
    """  # noqa: D301
    has_prod = (root / "prod" / "pyproject.toml").exists()
    if not has_prod and not create_prod and not dry_run and _is_terminal():
        create_prod = click.confirm("There is no prod/ here. Make it out of the root project?", default=True, err=True)
    adoption = plan_adoption(root, force=force, create_prod=create_prod, version=__version__)
    for line in adoption.found:
        click.echo(f"found: {line}", err=True)
    for line in adoption.kept:
        click.echo(f"kept: {line}", err=True)
    if dry_run:
        click.echo("".join(line for file in adoption.files for line in difference(file)), nl=False)
        for folder in () if no_lock else adoption.relock:
            click.echo(f"would lock {folder}", err=True)
        return EXIT_CLEAN
    for file in adoption.files:
        refuse_outside(root / file.path, root, name=file.path, writes=True)
    for file in adoption.files:
        write_atomic(root / file.path, file.new or "", name=file.path)
        click.echo(f"{'wrote' if file.old is None else 'changed'} {file.path}", err=True)
    stale = _lock(root, adoption, run_uv=not no_lock)
    if not has_prod and not create_prod:
        stale.append("make prod/ (`lockaudit init --create-prod`)")
    if stale:
        click.echo("next: " + "; ".join([*stale, "`lockaudit check`", "`lockaudit bake`"]), err=True)
        return EXIT_CLEAN
    return _finish(root)


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _lock(root: Path, adoption: Adoption, *, run_uv: bool) -> list[str]:
    """Lock what has become stale; what could not be locked, as the next steps of a person."""
    uv = shutil.which("uv") if run_uv else None
    steps: list[str] = []
    for folder in adoption.relock:
        command = f"`uv lock --directory {folder}`" if folder != "." else "`uv lock`"
        if uv is None or steps:
            steps.append(command)
            continue
        try:
            _lock_one(root, folder, uv)
        except UvError as error:
            click.echo(f"uv could not lock {folder}:\n{error.message}", err=True)
            steps.append(command)
        else:
            click.echo(f"locked {folder}", err=True)
    return steps


def _lock_one(root: Path, folder: str, uv: str) -> None:
    """Lock one project, prod's first lock out of the root's. Raises: UvError, and nothing has changed then."""
    with mirror(root) as tree:
        path = f"{folder}/uv.lock"
        if folder != "." and tree.text(path) is None:
            derive(tree, "uv.lock", path, uv)
        else:
            lock(tree, folder, uv)
        apply(root, tree.changes())


def _finish(root: Path) -> int:
    """Check and bake, as the first use; an error there is a result of init, not its failure."""
    from auditor.cli.main import run  # noqa: PLC0415 - the other way round, main imports this module

    code = run(["check", str(root)])
    baked = run(["bake", str(root)]) if code != EXIT_INTERRUPTED else code
    if baked == EXIT_INTERRUPTED:
        return baked
    if code or baked:
        click.echo("next: mend the findings above, then `lockaudit check` and `lockaudit bake`", err=True)
        return EXIT_FINDINGS
    click.echo("next: commit these files, then `pre-commit install` and `docker buildx bake prod`", err=True)
    return EXIT_CLEAN
