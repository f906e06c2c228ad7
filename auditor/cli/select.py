"""`lockaudit select`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.config import Config, SideConfig
from auditor.errors import ConfigError, SelectionError
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
@click.option("--variant", metavar="NAME", help="Extras and groups that a variant of the settings gives this lock.")
@click.option("--extra", "extras", multiple=True, help="Extra of the project. Repeatable.")
@click.option("--group", "groups", multiple=True, help="Dependency group, beside the default ones. Repeatable.")
@click.option("--no-default-groups", is_flag=True, help="Leave out the groups that uv installs by default.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def select(
    directory: Path,
    target: str,
    variant: str | None,
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
    lockaudit select prod --target linux-x86_64-cp312 --variant cu128
    """  # noqa: D301
    side = read_side(directory, "project", SideConfig(lock="uv.lock", extras=()))
    environment = Target.parse(target).fitted([side.lock.requires_python])
    chosen = _chosen(directory, variant) if variant is not None else SideConfig(lock="uv.lock")
    request = Request(
        extras=(*(chosen.extras or ()), *map(normalize, extras)),
        groups=(*chosen.groups, *map(normalize, groups)),
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


def _chosen(directory: Path, variant: str) -> SideConfig:
    """What a variant of the settings, which stand here or above, selects of the lock of a folder.

    Raises:
        ConfigError: there are no such settings, or they give that variant another lock.
    """
    from auditor.cli.options import Overrides  # noqa: PLC0415 - only a choice of a variant needs the settings
    from auditor.cli.workspace import load_config, variant_settings  # noqa: PLC0415

    folder = directory.resolve()
    for root in (folder, *folder.parents):
        settings, _ = load_config(root, Overrides()) if (root / "pyproject.toml").is_file() else (Config(), None)
        if not settings.variants:
            continue
        ((_, config),) = variant_settings(settings, Overrides(variant=variant))
        lock = (folder / "uv.lock").relative_to(root).as_posix()
        for side in (config.dev, config.prod):
            if side.lock == lock:
                return side
        raise ConfigError(
            f"the variant {variant} has {config.dev.lock} and {config.prod.lock}, not {lock}",
            hint="name the folder of one of them",
        )
    raise ConfigError("there is no [[tool.lockaudit.variant]] here or above", hint="name extras: --extra cu124")


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
