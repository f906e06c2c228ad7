"""Ctrl-C at any moment, from the first import to the last write: one line, 130, and nothing half written."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from bench.faults.kill import inspect
from bench.faults.process import run, start
from bench.faults.steps import stopped, writing
from bench.faults.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from bench.faults.folder import Folder
    from bench.faults.process import Ended

_LINE = "lockaudit: interrupted"
_OF_PYTHON = ("init_import_site", "<frozen ", "site.py", "<string>")


def interrupted(what: str, folder: Folder, count: int, random: Random, stride: int = 1) -> Iterator[Tally]:
    """SIGINT at random over the run of a folder's command, then before each step of its writing."""
    seconds = run(*folder.arguments, cwd=folder.root, env=folder.env).seconds
    tally = Tally(f"Ctrl-C in {what}, at random over its run")
    for _ in range(count):
        folder.restore()
        process = start(*folder.arguments, cwd=folder.root, env=folder.env)
        process.hit(signal.SIGINT, random.uniform(0, seconds))
        _judge(tally, process.end())
        inspect(tally, folder)
    early, ended = tally.seen.count("early"), tally.seen.count("ended")
    tally.note = (
        f"{early} came before Python had started lockaudit, and ended as Python ends then;"
        f" {ended} after the result; {tally.seen.count('left')} left temporary files"
    )
    yield tally
    _, _, steps = writing(folder)
    each = "each" if stride == 1 else f"one in {stride}"
    tally = Tally(f"Ctrl-C in {what}, before {each} of the {steps} calls of its writing")
    for at in range(1, steps + 1, stride):
        folder.restore()
        _judge(tally, stopped(folder, at, signal.SIGINT))
        tally.expect("files after an interrupt", folder.changed() in {0, folder.to_change}, wanted=True)
        tally.expect("temporary files after an interrupt", folder.left(), [])
        inspect(tally, folder)
    yield tally


def _judge(tally: Tally, ended: Ended) -> None:
    """130 with one line; but nobody can answer before Python has started, and nobody has to after the result."""
    if ended.code == -signal.SIGINT or ("Traceback" in ended.err and _is_of_python(ended.err)):
        tally.tried += 1
        tally.codes.add(ended.code)
        tally.seen.append("early")
        return
    tally.ended(ended, 130, 0)
    said = [line for line in ended.err.splitlines() if not line.startswith(("wrote ", "nothing to do"))]
    tally.expect("stderr of an interrupted run", said, [_LINE] if ended.code else [])
    if ended.code:
        tally.line = _LINE
    else:
        tally.seen.append("ended")


def _is_of_python(text: str) -> bool:
    """Whether a traceback has no line of lockaudit, nor of anything that it imports."""
    files = [line.strip() for line in text.splitlines() if line.strip().startswith('File "')]
    return all(any(part in line for part in _OF_PYTHON) for line in files)
