"""`kill -9` and SIGTERM at any moment: every file is the old one or the new one, and the next run completes the set."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from bench.faults.process import run, start
from bench.faults.steps import stopped, writing
from bench.faults.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from bench.faults.folder import Folder

_SLACK = 0.15  # of a run's time: how much later than its usual end a signal may come


def killed(what: str, folder: Folder, count: int, random: Random, stride: int = 1) -> Iterator[Tally]:
    """Kill the folder's command at random moments of its run, at random moments of its writing, and at each step of it.

    Args:
        what: the command, for people.
        folder: where it runs.
        count: how many kills at random.
        random: where moments come from.
        stride: 2 for one in two of the steps.
    """
    first, last, steps = writing(folder)
    seconds = run(*folder.arguments, cwd=folder.root, env=folder.env).seconds
    whole, around = Tally(f"`kill -9` of {what}, at random over its run"), Tally(f"`kill -9` of {what}, as it writes")
    spread = max(0.02, last - first)
    for number in range(count):
        folder.restore()
        tally, low, high = (
            (around, first - spread, last + spread) if number % 2 else (whole, 0.0, seconds * (1 + _SLACK))
        )
        process = start(*folder.arguments, cwd=folder.root, env=folder.env)
        process.hit(signal.SIGKILL, random.uniform(low, high))
        tally.ended(process.end(), -signal.SIGKILL, 0, 1)
        inspect(tally, folder)
    yield _told(whole)
    yield _told(around)
    yield each_step(what, folder, steps, stride)


def each_step(what: str, folder: Folder, steps: int, stride: int = 1) -> Tally:
    """Kill before each call to the file system of the writing, or before one in `stride`."""
    each = "each" if stride == 1 else f"one in {stride}"
    tally = Tally(f"`kill -9` of {what}, before {each} of the {steps} calls of its writing")
    for at in range(1, steps + 1, stride):
        folder.restore()
        ended = stopped(folder, at, signal.SIGKILL)
        tally.ended(ended, -signal.SIGKILL)
        inspect(tally, folder)
    return _told(tally)


def terminated(folder: Folder, count: int, random: Random) -> Tally:
    """SIGTERM, which ends the process without a word, as it does any other."""
    seconds = run(*folder.arguments, cwd=folder.root, env=folder.env).seconds
    tally = Tally("SIGTERM of `bake`, at random over its run")
    for _ in range(count):
        folder.restore()
        process = start(*folder.arguments, cwd=folder.root, env=folder.env)
        process.hit(signal.SIGTERM, random.uniform(0, seconds * (1 + _SLACK)))
        tally.ended(process.end(), -signal.SIGTERM, 0)
        inspect(tally, folder)
    return _told(tally)


def _told(tally: Tally) -> Tally:
    tally.line = ""  # whatever it had said before it was killed is not the point
    mixed = sum(word == "mixed" for word in tally.seen)
    left = sum(word == "left" for word in tally.seen)
    if mixed or left:
        tally.note = f"{mixed} left some files new and some old, {left} left temporary files; the next run mended all"
    if of_uv := tally.seen.count("uv"):
        tally.note += f"; {of_uv} left a temporary file of uv, killed too: `.tmp…`, which stays"
    return tally


def inspect(tally: Tally, folder: Folder) -> None:
    """What a killed run has left must be whole files, which the next run brings to the new state."""
    wrong = folder.neither()
    if wrong:
        tally.lose(f"neither old nor new: {', '.join(wrong)}")
    changed = folder.changed()
    is_mixed = 0 < changed < folder.to_change
    tally.seen += ["mixed"] * is_mixed + ["left"] * bool(folder.left()) + ["uv"] * folder.left_by_uv()
    if is_mixed and folder.arguments == ("bake",):
        tally.expect("exit code of `bake --check` on a mixed set", run("bake", "--check", cwd=folder.root).code, 1)
    after = run(*folder.arguments, cwd=folder.root, env=folder.env)
    tally.expect("exit code of the next run", after.code in {0, 1}, wanted=True)
    if not folder.is_whole():
        tally.lose(f"the next run does not mend: {', '.join(folder.neither() + folder.left())} {after.err}")
