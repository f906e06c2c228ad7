"""`python -m auditor` and the `lockaudit` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code.

    `--version` alone is answered before anything is imported: it is what shells, editors and hooks ask for.
    """
    if sys.argv[1:] in (["--version"], ["-V"]):
        from auditor import __version__  # noqa: PLC0415

        sys.stdout.write(f"lockaudit {__version__}\n")
        raise SystemExit(0)
    from auditor.cli.main import run  # noqa: PLC0415

    raise SystemExit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
