"""Options that several commands share: what to audit, what each side selects, and how much is told.

Each may come from the environment too. The command line goes over the environment, which goes over the settings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.core import ParameterSource

from auditor.source import printable

if TYPE_CHECKING:
    from auditor.rules.context import PairContext

    TextType = click.ParamType[str]
else:  # older releases of click have no such generic class
    TextType = click.ParamType

Command = TypeVar("Command", bound=Callable[..., Any])
ENVIRONMENT: Final = "LOCKAUDIT_"


class Words(TextType):
    """Text; in an environment variable several, separated by spaces or commas."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401, ARG002
        """The text as it is."""
        return str(value)

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """The words of a variable."""
        return rv.replace(",", " ").split()


def shared_option(*names: str, **attributes: Any) -> Callable[[Command], Command]:  # noqa: ANN401 - click's own
    """An option that may come from the environment: `--dev-extra` from LOCKAUDIT_DEV_EXTRA."""
    long = next(name for name in names if name.startswith("--"))
    if attributes.get("multiple"):
        attributes["type"] = Words()
    variable = ENVIRONMENT + long.removeprefix("--").replace("-", "_").upper()
    return click.option(*names, envvar=variable, show_envvar=True, **attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What the command line says instead of `[tool.lockaudit]`; empty values leave the setting as it is."""

    pair: str | None = None
    variant: str | None = None
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
    shared_option(
        "--target",
        "targets",
        multiple=True,
        metavar="TARGET",
        help="Environment that the image runs, for example linux-x86_64-cp312. Repeatable. Default: `targets` of"
        " [tool.lockaudit], else the Dockerfile's platform and Python.",
    ),
    shared_option("--pair", metavar="NAME", help="One of the pairs of [[tool.lockaudit.pair]]."),
    shared_option("--variant", metavar="NAME", help="One of the variants of [[tool.lockaudit.variant]]."),
    shared_option("--dev-lock", metavar="PATH", help="Development lock, below ROOT.  [default: uv.lock]"),
    shared_option("--prod-lock", metavar="PATH", help="Production lock, below ROOT.  [default: prod/uv.lock]"),
    shared_option("--dev-extra", "dev_extras", multiple=True, metavar="EXTRA", help="Extra that dev's side selects."),
    shared_option("--dev-group", "dev_groups", multiple=True, metavar="GROUP", help="Group of dev that is production."),
    shared_option("--no-dev-extras", is_flag=True, help="Choose none of dev's extras, even if they conflict."),
    shared_option("--prod-extra", "prod_extras", multiple=True, metavar="EXTRA", help="Extra that the image installs."),
    shared_option("--prod-group", "prod_groups", multiple=True, metavar="GROUP", help="Group that the image installs."),
    shared_option("--no-prod-extras", is_flag=True, help="Choose none of prod's extras, even if they conflict."),
    shared_option(
        "--first-party",
        multiple=True,
        metavar="PACKAGE",
        help="Package that may be a source tree in dev and a git tag or release in prod; its version is compared.",
    ),
    shared_option(
        "--compiled", multiple=True, metavar="PACKAGE", help="Package that the image compiles, beside the found ones."
    ),
    shared_option("--dockerfile", metavar="PATH", help="Dockerfile, below ROOT.  [default: docker/Dockerfile-uv]"),
)


def pair_options(command: Command) -> Command:
    """Give a command the shared options; it receives them as keywords for `overrides`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def audit_options(command: Command) -> Command:
    """Give a command the shared options and the argument ROOT."""
    return root_argument(pair_options(command))


def overrides(options: dict[str, Any]) -> Overrides:
    """The shared options out of a command's keywords; they are removed from `options`."""
    no_dev, dev_extras = _extras("dev", none=options.pop("no_dev_extras"), extras=options.pop("dev_extras"))
    no_prod, prod_extras = _extras("prod", none=options.pop("no_prod_extras"), extras=options.pop("prod_extras"))
    return Overrides(
        pair=options.pop("pair"),
        variant=options.pop("variant"),
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


def _extras(role: str, *, none: bool, extras: tuple[str, ...]) -> tuple[bool, tuple[str, ...]]:
    """Whether a side is to have no extras, and those that it is to have; what the command line says counts alone."""
    if none and extras:
        context = click.get_current_context()
        said = {name: context.get_parameter_source(name) for name in (f"no_{role}_extras", f"{role}_extras")}
        if len(set(said.values())) == 1:
            message = f"--no-{role}-extras and --{role}-extra contradict each other"
            raise click.UsageError(message)
        none = said[f"no_{role}_extras"] is ParameterSource.COMMANDLINE
    return none, () if none else extras


def origin_of(context: click.Context, name: str) -> str | None:
    """Where a parameter's value comes from, as a user would say it; None where nobody gave it."""
    parameter = next((each for each in context.command.params if each.name == name), None)
    source = context.get_parameter_source(name)
    if parameter is None or source not in {ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT}:
        return None
    if source is ParameterSource.ENVIRONMENT:
        return f"environment {parameter.envvar}"
    return f"command line {max(parameter.opts, key=len)}"


class Voice:
    """How much a command tells on stderr: progress unless `--quiet`, what it works on with `--verbose`."""

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        if quiet and verbose:
            message = "--quiet and --verbose contradict each other"
            raise click.UsageError(message)
        self.quiet = quiet
        self.verbose = verbose
        self._started = time.perf_counter()

    def say(self, message: str) -> None:
        """One line of progress."""
        if not self.quiet:
            click.echo(printable(message), err=True)

    def describe(self, contexts: Sequence[PairContext]) -> None:
        """What was read and what it is read for."""
        if not self.verbose:
            return
        names = dict.fromkeys(file.name for context in contexts for file in context.files)
        for name in names:
            click.echo(f"read {printable(name)}", err=True)
        for context in contexts:
            word = "variant" if context.is_variant else "pair"
            of = f" of {word} {printable(context.name)}" if context.name else ""
            click.echo(f"target{of}: {', '.join(map(str, context.targets))}", err=True)
            dockerfile = printable(context.dockerfile.file.name) if context.dockerfile is not None else "none"
            click.echo(f"Dockerfile{of}: {dockerfile}", err=True)

    def done(self) -> None:
        """How long it took."""
        if self.verbose:
            click.echo(f"took {time.perf_counter() - self._started:.2f} s", err=True)


def voice_options(command: Command) -> Command:
    """Give a command `--quiet` and `--verbose`; it receives them as keywords for `voice`."""
    for option in (
        click.option("-v", "--verbose", is_flag=True, help="Tell on stderr what was read, for which target, how long."),
        click.option("-q", "--quiet", is_flag=True, help="Tell results only: no progress, no totals when clean."),
    ):
        command = option(command)
    return command


def voice(options: dict[str, Any]) -> Voice:
    """`--quiet` and `--verbose` out of a command's keywords; they are removed from `options`."""
    return Voice(quiet=options.pop("quiet"), verbose=options.pop("verbose"))
