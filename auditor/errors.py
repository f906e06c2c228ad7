"""The one hierarchy of errors: each says what, where and what to do, and carries its exit code.

The core raises, `cli.main` prints and exits. Nothing below `cli` catches these to print them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.finding import Finding

EXIT_CLEAN = 0
EXIT_FINDINGS = 1
EXIT_ERROR = 2
EXIT_INTERRUPTED = 130  # as shells say it: 128 and the number of SIGINT


class LockauditError(Exception):
    """Anything that ends a command before it has a result.

    Args:
        message: what is wrong, without a trailing period.
        path: the file that is at fault, as the user would write it.
        line: 1-based line in `path`, if there is one.
        column: 1-based column in `line`, if there is one.
        hint: what to do about it, one sentence.
    """

    exit_code = EXIT_ERROR

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.column = column
        self.hint = hint

    @property
    def where(self) -> str:
        """`path:line:column` with as many parts as are known, or an empty string."""
        parts = [self.path, self.line, self.column]
        known = [str(part) for part in parts if part is not None]
        return ":".join(known) if self.path is not None else ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class InputError(LockauditError):
    """A file that cannot be read as what it should be: missing, not TOML, not a lock."""


class ConfigError(LockauditError):
    """`[tool.lockaudit]` or the command line asks for something that does not exist."""


class SelectionError(LockauditError):
    """A selection that uv would refuse too, or that is ambiguous without a choice."""


class OutputError(LockauditError):
    """A result that could not be written."""


class UvError(LockauditError):
    """uv is missing, or could not write a lock.

    Args:
        message: as of every error.
        path: likewise.
        hint: likewise.
        package: what could not be resolved, where uv says so.
        is_offline: whether something could not be fetched: then nothing is known about the package.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        hint: str | None = None,
        package: str | None = None,
        is_offline: bool = False,
    ) -> None:
        super().__init__(message, path=path, hint=hint)
        self.package = package
        self.is_offline = is_offline


class RefusedError(LockauditError):
    """`bake` will not write a file that would build something wrong; the findings say why."""

    exit_code = EXIT_FINDINGS

    def __init__(self, message: str, findings: Sequence[Finding], *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.findings = tuple(findings)
