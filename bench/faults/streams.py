"""Streams that are closed, full or left by their reader, locales without UTF-8, and places that are not there."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench.faults.process import shell
from bench.faults.tally import Tally
from tests.rules.specimens import package, plain, write_pair

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_FULL: Final = "error: cannot write the output: No space left on device"
_HEAD: Final = "| head -1; exit ${PIPESTATUS[0]}"
_VERDICTS: Final = (("clean", 0), ("drifted", 1), ("broken", 2))  # a pair of each kind, and what `check` exits with
_ASCII: Final = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What the shell does to a command.

    Attributes:
        name: for people.
        arguments: of lockaudit; with none, `check` of a clean, a drifted and a broken pair, which must exit as ever.
        prefix: shell code before it.
        suffix: shell code after it.
        env: variables.
        code: its exit code; None: as ever.
        says: the one line on stderr; None: whatever the verdict says there.
    """

    name: str
    arguments: tuple[str, ...] = ()
    prefix: str = ""
    suffix: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    code: int | None = None
    says: str | None = None


FAULTS: Final = (
    *(
        Fault(name=f"{what} (`{redirection}`)", suffix=redirection)
        for what, redirection in (
            ("stdout closed", ">&-"),
            ("stderr closed", "2>&-"),
            ("stdin closed", "<&-"),
            ("all three closed", "<&- >&- 2>&-"),
        )
    ),
    *(
        Fault(name=f"stdout full (`{' '.join(words)} >/dev/full`)", arguments=words, suffix=">/dev/full", says=_FULL)
        for words in (("check", "drifted"), ("rule", "--all"), ("--help",), ("--version",), ("config", "clean"))
    ),
    Fault(name="stderr full (`check 2>/dev/full`)", arguments=("check", "broken"), suffix="2>/dev/full", says=""),
    Fault(
        name="the reader leaves (`check drifted --output-format=sarif | head -1`)",
        arguments=("check", "drifted", "--output-format=sarif"),
        suffix=_HEAD,
        says="",
    ),
    *(
        Fault(
            name=f"the reader had left before (`{' '.join(words)}`)",
            arguments=words,
            prefix="exec 3> >(exit); wait $!;",
            suffix=">&3",
            says="",
        )
        for words in (("check", "drifted"), ("--help",), ("--version",))
    ),
    *(
        Fault(name=f"a locale without UTF-8 (`{' '.join(f'{name}={value}' for name, value in env.items())}`)", env=env)
        for env in (_ASCII, {**_ASCII, "PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "ascii"})
    ),
    *(
        Fault(
            name=f"the current folder deleted (`{' '.join(words)}`)",
            arguments=words,
            prefix='mkdir gone && cd gone && rmdir "$PWD" &&',
            says="does not exist",
        )
        for words in (("check",), ("bake",), ("key",))
    ),
    Fault(name="HOME unset", prefix="unset HOME;"),
    Fault(name="no folder for temporary files (TMPDIR=/proc)", env={"TMPDIR": "/proc"}),
)


def streams(scratch: Path) -> Iterator[Tally]:
    """All of them."""
    _pairs(scratch)
    for fault in FAULTS:
        tally = Tally(fault.name)
        if fault.arguments:
            ended = shell(*fault.arguments, prefix=fault.prefix, suffix=fault.suffix, cwd=scratch, env=fault.env)
            tally.ended(ended, 2 if fault.code is None else fault.code, says=fault.says)
            shutil.rmtree(scratch / "gone", ignore_errors=True)
        else:
            for pair, code in _VERDICTS:
                ended = shell("check", pair, prefix=fault.prefix, suffix=fault.suffix, cwd=scratch, env=fault.env)
                tally.ended(ended, code, says="" if code < 2 or "2>&-" in fault.suffix else "no dev lock here")
            tally.note = "the verdict is as ever"
        yield tally


def _pairs(scratch: Path) -> None:
    """One pair of each verdict, with what no ASCII terminal can show in each."""
    one, other = plain(package("filelock")), plain(package("filelock", "1.1"))
    config = 'ignore = { LA104 = "geprüft \u2014 проверено" }\n'
    write_pair(scratch / "clean", dev=one, prod=one)
    write_pair(scratch / "drifted", dev=one, prod=other, config=config)
    write_pair(scratch / "broken", dev=one, prod=one)
    (scratch / "broken" / "uv.lock").unlink()
