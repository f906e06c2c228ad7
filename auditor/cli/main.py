"""The command line: commands loaded when they are called, errors turned into one message and an exit code."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from auditor import __version__
from auditor.cli.terminal import interrupted
from auditor.errors import EXIT_CLEAN, EXIT_ERROR, LockauditError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

# command -> (module, attribute, the line in `lockaudit --help`)
_COMMANDS: Final = {
    "check": ("auditor.cli.check", "check", "Prove that the prod lock is a consistent subset of the dev lock."),
    "fix": ("auditor.cli.fix", "fix", "Derive prod from dev anew, and mend what disagrees with the locks."),
    "bake": ("auditor.cli.bake", "bake", "Write docker-bake.hcl and the wheels' build locks."),
    "select": ("auditor.cli.select", "select", "Print what uv would install from a lock on a target."),
    "set": ("auditor.cli.set", "set_", "Set a version in every place that has it, and lock and bake anew."),
    "key": ("auditor.cli.key", "key", "Print the build key of each compiled package."),
    "plan": ("auditor.cli.plan", "plan", "Print what a change costs: bytes, compiles, stages that run again."),
    "init": ("auditor.cli.init", "init", "Set a repository up: settings, Dockerfile, hooks; then check and bake."),
    "graph": ("auditor.cli.graph", "graph", "Draw both selections and the build, and what a change invalidates."),
    "rule": ("auditor.cli.rule", "rule", "Explain a finding's code."),
    "config": ("auditor.cli.config", "config", "Print the settings that count here, and where each comes from."),
    "completion": ("auditor.cli.completion", "completion", "Print the script that completes commands in a shell."),
}
_NAME: Final = "lockaudit"
# In a traceback, where a library may repeat an address without its scheme: `netloc 'user:token@host'`.
_ANY_LOGIN: Final = re.compile(r"(?P<before>^|[\s'\"/(])[^\s'\"/@]+@(?=[\w.\[])", re.MULTILINE)
_COMPLETE: Final = "_LOCKAUDIT_COMPLETE"  # click's variable


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands, in the order of their importance."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module of a command."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in _COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name without importing any command."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - shells ask for it, users do not wait

        names = [
            CompletionItem(name, help=summary)
            for name, (_, _, summary) in _COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when there is none of that name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from auditor.config import nearest  # noqa: PLC0415

            similar = nearest(args[0], _COMMANDS)
            if similar and not args[0].startswith("-"):
                message = f"{error.message} Did you mean `{similar}`?"
                raise click.UsageError(message, ctx) from None
            raise


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 clean, 1 findings of severity error or stale files, 2 usage, configuration, bad input,"
    " or a result that cannot be written, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", prog_name="lockaudit", message="%(prog)s %(version)s")
def cli() -> None:
    """Prove that a production uv.lock is a consistent subset of the development one, and build both images with one
    compiled wheel.

    \b
    lockaudit check                 does prod match dev, on the environment that the image runs?
    lockaudit bake                  write docker-bake.hcl: the flash-attn wheel is compiled once and shared
    lockaudit check path/to/repo --target linux-x86_64-cp312 --dev-extra cu124
    """  # noqa: D205, D301 - \b is click's mark for "do not rewrap"


def run(arguments: Sequence[str]) -> int:
    """Run the command line.

    Returns:
        The exit code. Whatever is no error of ours keeps its traceback and exits 2.
    """
    try:
        return _run(arguments)
    except OSError:  # nor can stderr be written, so that there is nobody to tell
        _silence()
        return EXIT_ERROR


def _run(arguments: Sequence[str]) -> int:  # noqa: PLR0911 - one return for each way to end
    try:
        prepare_streams()
        code = _call(arguments)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        _show_usage(error)
        return EXIT_ERROR
    except LockauditError as error:
        report_error(error)
        return error.exit_code
    except (click.Abort, EOFError, KeyboardInterrupt):
        return interrupted()
    except BrokenPipeError:  # the reader has left: whoever does that wants no message
        _silence()
        return EXIT_ERROR
    except OSError as error:  # of files, `source` makes errors of its own: this is the output, or the system's limits
        sys.stderr.write(f"error: {shown(_reason(error))}\n")
        _silence()
        return EXIT_ERROR
    except Exception:  # noqa: BLE001 - a bug keeps its traceback, but never the exit code of a finding
        import traceback  # noqa: PLC0415

        sys.stderr.write(shown(_ANY_LOGIN.sub(r"\g<before>***@", traceback.format_exc())))
        sys.stderr.write("lockaudit: this is a bug in lockaudit; please report it with the lines above\n")
        return EXIT_ERROR
    return code if isinstance(code, int) else EXIT_CLEAN


def _call(arguments: Sequence[str]) -> object:
    """What a command returns. Not with click's `main`, which answers an interrupt and a closed pipe itself."""
    if _COMPLETE in os.environ:  # a shell asks for completions
        try:
            return cli.main(args=list(arguments), prog_name=_NAME, standalone_mode=False)
        except SystemExit as stop:
            return stop.code
    with cli.make_context(_NAME, list(arguments)) as context:
        return cli.invoke(context)


def _reason(error: OSError) -> str:
    """What the system refused."""
    reason = error.strerror or str(error)
    if error.filename:
        return f"{error.filename}: {reason}"
    if not isinstance(error, FileNotFoundError):
        return f"cannot write the output: {reason}"
    try:
        Path.cwd()
    except OSError:
        return "the current folder does not exist any more"
    return reason


def _silence() -> None:
    """Let what is still in a stream's buffer go nowhere, since Python would complain about it at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # a stream of a test has no number
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def prepare_streams() -> None:
    """Make stdout and stderr such that a finding cannot become a crash: closed, or in a locale without UTF-8."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed by the caller: else the next file would get its number, and messages for a stream
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # `>&-`: whoever does that wants the exit code only
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def shown(text: str) -> str:
    """Lines that a terminal only shows, without logins."""
    from auditor.source import printable  # noqa: PLC0415 - for errors

    return "\n".join(map(printable, text.split("\n")))


def _show_usage(error: click.ClickException) -> None:
    """Click's own message. It repeats what the command line holds, which may come from anywhere."""
    stream = io.StringIO()
    error.show(file=stream)
    sys.stderr.write(shown(stream.getvalue()))


def report_error(error: LockauditError) -> None:
    """One error on stderr: what and where, then what to do."""
    from auditor.report.text import render_findings  # noqa: PLC0415
    from auditor.source import printable  # noqa: PLC0415

    if isinstance(error, RefusedError):
        sys.stdout.write(render_findings(error.findings))
        sys.stdout.flush()
    # What follows a line end may come from a file: it gets a mark, so that no line begins as it likes.
    first, *rest = map(printable, str(error).split("\n"))
    sys.stderr.write("".join([f"error: {first}\n", *(f"  | {line}\n" for line in rest)]))
    if error.hint:
        sys.stderr.write(f"help: {printable(error.hint)}\n")
