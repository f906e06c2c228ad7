"""Options that several commands share: what to audit, and what each side selects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What the command line says instead of `[tool.lockaudit]`; empty values leave the setting as it is."""

    pair: str | None = None
    targets: tuple[str, ...] = ()
    dev_lock: str | None = None
    prod_lock: str | None = None
    dev_extras: tuple[str, ...] | None = None
    dev_groups: tuple[str, ...] = ()
    prod_extras: tuple[str, ...] | None = None
    prod_groups: tuple[str, ...] = ()
    first_party: tuple[str, ...] = ()
    compiled: tuple[str, ...] = ()
    dockerfile: str | None = None


root_argument = click.argument(
    "root", default=".", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="[ROOT]"
)

_OPTIONS = (
    click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="TARGET",
        help="Environment that the image runs, for example linux-x86_64-cp312. Repeatable. Default: `targets` of"
        " [tool.lockaudit], else the Dockerfile's platform and Python.",
    ),
    click.option("--pair", metavar="NAME", help="One of the pairs of [[tool.lockaudit.pair]]."),
    click.option("--dev-lock", metavar="PATH", help="Development lock, below ROOT.  [default: uv.lock]"),
    click.option("--prod-lock", metavar="PATH", help="Production lock, below ROOT.  [default: prod/uv.lock]"),
    click.option("--dev-extra", "dev_extras", multiple=True, metavar="EXTRA", help="Extra that dev's side selects."),
    click.option("--dev-group", "dev_groups", multiple=True, metavar="GROUP", help="Group of dev that is production."),
    click.option("--no-dev-extras", is_flag=True, help="Choose none of dev's extras, even if they conflict."),
    click.option("--prod-extra", "prod_extras", multiple=True, metavar="EXTRA", help="Extra that the image installs."),
    click.option("--prod-group", "prod_groups", multiple=True, metavar="GROUP", help="Group that the image installs."),
    click.option("--no-prod-extras", is_flag=True, help="Choose none of prod's extras, even if they conflict."),
    click.option(
        "--first-party",
        multiple=True,
        metavar="PACKAGE",
        help="Package that may be a source tree in dev and a git tag or release in prod; its version is compared.",
    ),
    click.option(
        "--compiled", multiple=True, metavar="PACKAGE", help="Package that the image compiles, beside the found ones."
    ),
    click.option("--dockerfile", metavar="PATH", help="Dockerfile, below ROOT.  [default: docker/Dockerfile-uv]"),
)


def audit_options(command: Command) -> Command:
    """Give a command the shared options; it receives them as keywords for `overrides`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return root_argument(command)


def overrides(options: dict[str, Any]) -> Overrides:
    """The shared options out of a command's keywords; they are removed from `options`."""
    no_dev, no_prod = options.pop("no_dev_extras"), options.pop("no_prod_extras")
    dev_extras, prod_extras = options.pop("dev_extras"), options.pop("prod_extras")
    for role, none, extras in (("dev", no_dev, dev_extras), ("prod", no_prod, prod_extras)):
        if none and extras:
            message = f"--no-{role}-extras and --{role}-extra contradict each other"
            raise click.UsageError(message)
    return Overrides(
        pair=options.pop("pair"),
        targets=options.pop("targets"),
        dev_lock=options.pop("dev_lock"),
        prod_lock=options.pop("prod_lock"),
        dev_extras=() if no_dev else dev_extras or None,
        dev_groups=options.pop("dev_groups"),
        prod_extras=() if no_prod else prod_extras or None,
        prod_groups=options.pop("prod_groups"),
        first_party=options.pop("first_party"),
        compiled=options.pop("compiled"),
        dockerfile=options.pop("dockerfile"),
    )
