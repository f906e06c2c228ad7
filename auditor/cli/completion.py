"""`lockaudit completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the script that completes commands, options and their values in a shell.

    \b
    lockaudit completion bash >~/.local/share/bash-completion/completions/lockaudit
    lockaudit completion zsh >~/.zfunc/_lockaudit
    lockaudit completion fish >~/.config/fish/completions/lockaudit.fish
    """  # noqa: D301
    maker = get_completion_class(shell)
    if maker is None:
        raise LookupError(shell)
    click.echo(maker(context.find_root().command, {}, "lockaudit", "_LOCKAUDIT_COMPLETE").source())
    return 0
