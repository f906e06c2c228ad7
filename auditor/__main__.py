"""`python -m auditor` and the `lockaudit` command."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # whatever is imported here takes time, in which an interrupt ends with a traceback
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit with its code; an interrupt ends with one line and 130, at whatever moment."""
    try:
        sys.unraisablehook = _in_a_callback
        code = _main()
        _ignore_interrupts()
    except KeyboardInterrupt:
        _ignore_interrupts()
        code = _interrupted()
    raise SystemExit(code)


def _main() -> int:
    """The command's exit code.

    `--version` alone is answered before anything is imported: it is what shells, editors and hooks ask for.
    """
    if sys.argv[1:] in (["--version"], ["-V"]) and sys.stdout is not None:
        from auditor import __version__  # noqa: PLC0415

        try:
            sys.stdout.write(f"lockaudit {__version__}\n")
            sys.stdout.flush()
        except OSError:
            pass  # what follows says why
        else:
            return 0
    # What a command reads lives until it ends, so that looking for garbage in it finds none; with large locks, the
    # looking is a third of the time.
    gc.disable()
    from auditor.cli.main import run  # noqa: PLC0415

    return run(sys.argv[1:])


def _ignore_interrupts() -> None:
    """The result is there, and Python is about to clean up: an interrupt would only show where it was doing that."""
    if "enum" in sys.modules:  # else the import takes longer than all that `--version` does
        import signal  # noqa: PLC0415

        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupted() -> int:
    from auditor.cli.terminal import interrupted  # noqa: PLC0415

    return interrupted()


def _in_a_callback(failure: sys.UnraisableHookArgs) -> None:
    """Python tells of an exception in a callback, of its imports for instance, and goes on; not of an interrupt."""
    if issubclass(failure.exc_type, KeyboardInterrupt):
        os._exit(_interrupted())
    sys.__unraisablehook__(failure)


if __name__ == "__main__":
    # `python -m` searches the folder that one stands in, which may be the repository that is to be audited.
    try:
        if sys.path[:1] in ([""], [os.getcwd()]):  # noqa: PTH109 - pathlib takes time that `--version` has not
            del sys.path[0]
    except OSError:  # that folder has been deleted
        pass
    main()
