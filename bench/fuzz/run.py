"""Executions of one harness for some time, each watched: what it raises, how long it takes, what of it is new."""

from __future__ import annotations

import hashlib
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from auditor.errors import LockauditError
from bench.fuzz.mutate import Mutator

if TYPE_CHECKING:
    from types import FrameType

    from bench.fuzz.harness import Harness

PER_MEGABYTE: Final = 2.0  # seconds of processor time, beside the floor
FLOOR: Final = 1.0
_HANG: Final = 60  # seconds, after which an execution is ended


class Hang(BaseException):
    """An execution that does not end."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that breaks something.

    Attributes:
        harness: which.
        kind: what was raised, and where: inputs of one kind are one finding.
        text: the input.
        details: the traceback.
    """

    harness: str
    kind: str
    text: str
    details: str


@dataclass(slots=True)
class Watch:
    """Runs a harness and remembers what breaks it, each kind with its shortest input."""

    harness: Harness
    executions: int = 0
    refused: int = 0
    slowest: float = 0.0
    findings: dict[str, Finding] = field(default_factory=dict)

    def run(self, text: str) -> None:
        """One execution."""
        self.executions += 1
        started = time.process_time()
        signal.setitimer(signal.ITIMER_REAL, _HANG)
        try:
            self.harness.run(text)
        except LockauditError:
            self.refused += 1
        except Hang:
            self.remember(text, "hang", traceback.format_exc())
        except Exception as error:  # noqa: BLE001 - finding these is what it is for
            self.remember(text, _kind(error), traceback.format_exc())
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        took = time.process_time() - started
        self.slowest = max(self.slowest, took)
        if took > FLOOR + PER_MEGABYTE * len(text) / 1_000_000:
            self.remember(text, "slow", f"{took:.1f} s for {len(text)} characters")

    def remember(self, text: str, kind: str, details: str) -> None:
        """Keep an input that broke something, unless a shorter one of its kind is there."""
        known = self.findings.get(kind)
        if known is None or len(text) < len(known.text):
            self.findings[kind] = Finding(self.harness.name, kind, text, details[-4000:])


def end_hangs() -> None:
    """Let the timer of a watch end an execution."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    signal.signal(signal.SIGALRM, ring)


def fuzz(watch: Watch, seed: str, seconds: float, executions: int) -> None:
    """Run the seeds, then mutations of them and of what was interesting, until time or executions are used up."""
    end_hangs()
    random = Random(seed)  # noqa: S311 - a seed must give the same run again
    pool = watch.harness.seeds()
    mutator = Mutator(random, watch.harness, tuple(pool))
    seeds = len(pool)
    for text in pool:
        watch.run(text)
    watch.findings.pop("slow", None)  # the first of them imported what they need
    until = time.monotonic() + seconds
    while watch.executions < executions and time.monotonic() < until:
        text = mutator.next(random.choice(pool))
        before = watch.refused
        watch.run(text)
        # What is accepted after a change is worth changing again: it gets deeper than what is refused.
        if watch.refused == before and random.random() < 0.05:
            if len(pool) < seeds + 200:
                pool.append(text)
            else:
                pool[random.randrange(seeds, len(pool))] = text


def write_findings(watch: Watch, folder: Path) -> None:
    """One file a finding: its input, and beside it how it ended."""
    folder.mkdir(parents=True, exist_ok=True)
    for finding in watch.findings.values():
        name = f"{finding.harness}-{hashlib.sha256(finding.kind.encode()).hexdigest()[:8]}"
        (folder / f"{name}.input").write_bytes(finding.text.encode("utf-8", "surrogatepass"))
        (folder / f"{name}.txt").write_text(f"{finding.kind}\n\n{finding.details}\n", "utf-8", "backslashreplace")


def _kind(error: Exception) -> str:
    """What was raised, and the line of lockaudit that it came through last."""
    frames: list[Any] = traceback.extract_tb(sys.exc_info()[2] or error.__traceback__)
    own = [frame for frame in frames if "/auditor/" in frame.filename] or frames
    where = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "?"
    said = str(error)[:60] if type(error).__name__ == "Broken" else ""
    return f"{type(error).__name__} at {where} {said}".strip()
