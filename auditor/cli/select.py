"""`lockaudit select`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.config import SideConfig
from auditor.errors import SelectionError
from auditor.lock.environment import Target
from auditor.lock.pair import read_side
from auditor.lock.selection import Request
from auditor.names import normalize
from auditor.source import hide_logins, printable

if TYPE_CHECKING:
    from auditor.lock.model import Artifact, Package
    from auditor.lock.selection import Selection


@click.command()
@click.argument(
    "directory", default=".", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="[DIR]"
)
@click.option("--target", required=True, metavar="TARGET", help="Environment, for example linux-x86_64-cp312.")
@click.option("--extra", "extras", multiple=True, help="Extra of the project. Repeatable.")
@click.option("--group", "groups", multiple=True, help="Dependency group, beside the default ones. Repeatable.")
@click.option("--no-default-groups", is_flag=True, help="Leave out the groups that uv installs by default.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def select(
    directory: Path,
    target: str,
    extras: tuple[str, ...],
    groups: tuple[str, ...],
    *,
    no_default_groups: bool,
    output_format: str,
) -> int:
    """Print what uv would install from the uv.lock of DIR on a target: name, version, source, chosen artifact.

    \b
    lockaudit select --target linux-x86_64-cp312 --extra cu124
    lockaudit select prod --target linux-aarch64-cp311 --no-default-groups --output-format json
    """  # noqa: D301
    side = read_side(directory, "project", SideConfig(lock="uv.lock", extras=()))
    environment = Target.parse(target).fitted([side.lock.requires_python])
    request = Request(
        extras=tuple(map(normalize, extras)),
        groups=tuple(map(normalize, groups)),
        default_groups=not no_default_groups,
    )
    selection = side.select(environment, request)
    if selection.uncovered:
        raise SelectionError(
            f"the lock does not cover {target}: {selection.uncovered}",
            path=side.lock.file.name,
            hint="choose a target that the lock was resolved for",
        )
    click.echo(_json(selection) if output_format == "json" else _text(selection), nl=False)
    return 0


def _text(selection: Selection) -> str:
    lines = []
    for package in selection.packages:
        artifact = selection.target.chosen(package)
        lines.append(f"{package.label}  {package.source}")
        if artifact is not None:
            size = "" if artifact.size is None else f"  {artifact.size:,} bytes"
            lines.append(f"    {artifact.filename}  {artifact.hash or 'no hash'}{size}")
    return "".join(f"{printable(line)}\n" for line in lines)


def _json(selection: Selection) -> str:
    document = {
        "version": 1,
        "target": str(selection.target),
        "packages": [_package(package, selection.target.chosen(package)) for package in selection.packages],
    }
    return json.dumps(document, indent=2) + "\n"


def _package(package: Package, artifact: Artifact | None) -> dict[str, Any]:
    source = package.source
    described = {"kind": source.kind.value, "location": hide_logins(source.location)}
    described |= {"revision": source.revision} if source.revision else {}
    described |= {"subdirectory": source.subdirectory} if source.subdirectory else {}
    return {
        "name": package.name,
        "version": None if package.version is None else str(package.version),
        "source": described,
        "artifact": None
        if artifact is None
        else {
            "filename": artifact.filename,
            "kind": "wheel" if artifact.is_wheel else "sdist",
            "url": hide_logins(artifact.location or source.location),
            "hash": artifact.hash,
            "size": artifact.size,
        },
    }
