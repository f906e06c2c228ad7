"""`lockaudit bake`."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.bake.builds import Build, builds_of
from auditor.bake.files import BakeFiles, read_text
from auditor.bake.generate import Written, generate as generate_files
from auditor.change.apply import difference, remove
from auditor.cli.options import audit_options, overrides, voice, voice_options
from auditor.cli.project import refuse_unsafe, require_dockerfile
from auditor.cli.workspace import load_all
from auditor.errors import EXIT_CLEAN, EXIT_FINDINGS, ConfigError
from auditor.source import alone, printable, refuse_outside, sweep, write_together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.rules.context import PairContext


@click.command()
@audit_options
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and show the difference if a file is out of date.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--stdout", is_flag=True, help="Write the bake file to stdout, and nothing else.")
@click.option("--exit-non-zero-on-change", is_flag=True, help="Exit 1 if a file was written: what hooks want.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Bake file to write.")
@voice_options
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
    speaker = voice(options)
    given = overrides(options)
    if given.variant is not None:
        raise ConfigError("--variant: there is one bake file of all variants", hint="leave it out")
    writes = not (check or diff or stdout)
    with alone(root, lambda: speaker.say("waiting for another `lockaudit bake` here")) if writes else nullcontext():
        contexts = load_all(root, given)
        contexts = contexts if contexts[0].is_variant else contexts[:1]
        speaker.describe(contexts)
        files = generate(contexts, output)
        speaker.done()
        changed = [file for file in files if file.changed]
        if writes:
            write(root, files, output)
    if stdout:
        click.echo(files[-1].new, nl=False)
        return EXIT_CLEAN
    if check or diff:
        click.echo("".join(line for file in changed for line in difference(file)), nl=False)
        if check and changed:
            names = ", ".join(file.path for file in changed)
            click.echo(f"out of date: {printable(names)}; run `lockaudit bake`", err=True)
            return EXIT_FINDINGS
        if check:
            speaker.say(f"up to date: {len(files)} files")
        return EXIT_CLEAN
    for file in changed:
        speaker.say(f"{'removed' if file.new is None else 'wrote'} {file.path}")
    if not changed:
        speaker.say(f"nothing to do: {len(files)} files are up to date")
    return EXIT_FINDINGS if changed and exit_non_zero_on_change else EXIT_CLEAN


def generate(contexts: Sequence[PairContext], output: Path | None = None) -> list[Written]:
    """Every generated file, the bake file last.

    Args:
        contexts: of every variant; of several pairs, the one to bake.
        output: the bake file, where that is not the configured one.

    Raises:
        RefusedError: dev and prod cannot share one wheel.
        ConfigError, InputError: as the parts raise them.
    """
    builds: list[Build] = []
    for context in contexts:
        dockerfile = require_dockerfile(context)
        variant = context.name if context.is_variant else ""
        for build in builds_of(variant, context.dev, context.config, dockerfile, context.targets):
            refuse_unsafe(context, build.target)
            builds.append(build)
    disk = BakeFiles(contexts[0].pair.root, contexts[0].config.bake.file)
    files = list(generate_files(builds, disk))
    if output is not None:
        old = read_text(output) if output.is_file() else None  # what a pipe holds is not ours to read
        files[-1] = replace(files[-1], path=output.as_posix(), old=old)
    return files


def write(root: Path, files: Sequence[Written], output: Path | None) -> None:
    """Write what changed, all of it or nothing, and remove what is no longer wanted and what a killed run has left."""
    places = {file.path: root / file.path for file in files}
    for path, place in places.items():
        if output is None or path != output.as_posix():
            refuse_outside(place, root, name=path, writes=True)
    if output is not None:
        places[output.as_posix()] = output
    write_together((places[file.path], file.new, file.path) for file in files if file.changed and file.new is not None)
    for file in files:
        sweep(places[file.path])
        if file.new is None:
            remove(root, file.path)
