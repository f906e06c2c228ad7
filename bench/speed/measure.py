"""Measures commands side by side: A B C, A B C, ..., so that a noisy machine is as noisy for each of them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Quantity = Literal["cpu", "wall", "memory"]
QUANTITIES: Final[tuple[Quantity, ...]] = ("cpu", "wall", "memory")
_CHILD: Final = Path(__file__).with_name("child.py")


class CommandFailedError(Exception):
    """A command of the bench did not end as it must; the message says which, and what it printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is measured under one name: one command, or several whose costs are added.

    Attributes:
        name: in the tables.
        runs: (folder, arguments) of each process.
        codes: exit codes with which it counts as done.
    """

    name: str
    runs: tuple[tuple[Path, tuple[str, ...]], ...]
    codes: frozenset[int] = frozenset({0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One run: CPU seconds (user and system), wall seconds, and peak memory in MiB (the largest process's)."""

    cpu: float
    wall: float
    memory: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The least, the middle and the greatest of several numbers."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Spread:
        """The spread of at least one number."""
        ordered = sorted(numbers)
        return cls(low=ordered[0], median=statistics.median(ordered), high=ordered[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The costs of commands that ran in turn: the lists are of one length, and what has one index ran in one round."""

    costs: Mapping[str, Sequence[Cost]]
    codes: Mapping[str, tuple[int, ...]]

    def spread(self, name: str, quantity: Quantity) -> Spread:
        """What a command costs."""
        return Spread.of(getattr(cost, quantity) for cost in self.costs[name])

    def ratio(self, name: str, base: str, quantity: Quantity) -> Spread:
        """How much more a command costs than another, round by round."""
        pairs = zip(self.costs[name], self.costs[base], strict=True)
        return Spread.of(getattr(ours, quantity) / getattr(theirs, quantity) for ours, theirs in pairs)


def environment(scratch: Path) -> dict[str, str]:
    """The environment of every command: Python keeps its bytecode, as it does for a user, below `scratch`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LOCKAUDIT_", "PYTHON"))}
    return {**kept, "PYTHONPYCACHEPREFIX": str(scratch / "bytecode"), "UV_PYTHON_DOWNLOADS": "never"}


def measure(commands: Sequence[Command], repeat: int, scratch: Path) -> Measured:
    """Run each command once without counting it, which fills caches, then all of them in turn, `repeat` times.

    Raises:
        CommandFailedError: a command ended with another code than it may.
    """
    env = environment(scratch)
    codes = {command.name: _warm(command, env) for command in commands}
    costs: dict[str, list[Cost]] = {command.name: [] for command in commands}
    for _ in range(repeat):
        for command in commands:
            costs[command.name].append(_run(command, env, codes[command.name]))
    return Measured(costs=costs, codes=codes)


def _warm(command: Command, env: Mapping[str, str]) -> tuple[int, ...]:
    found = []
    for folder, arguments in command.runs:
        done = subprocess.run(arguments, cwd=folder, env=env, capture_output=True, text=True, check=False)
        if done.returncode not in command.codes:
            said = (done.stderr or done.stdout)[-2000:]
            raise CommandFailedError(f"{command.name}: exit {done.returncode} of {' '.join(arguments)}\n{said}")
        found.append(done.returncode)
    return tuple(found)


def _run(command: Command, env: Mapping[str, str], codes: tuple[int, ...]) -> Cost:
    costs = []
    for (folder, arguments), code in zip(command.runs, codes, strict=True):
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(_CHILD), *arguments],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        cpu, wall, memory, ended = done.stdout.split()
        if int(ended) != code:
            raise CommandFailedError(f"{command.name}: exit {ended}, and {code} before: {' '.join(arguments)}")
        costs.append(Cost(cpu=float(cpu), wall=float(wall), memory=int(memory) / 1024))
    return Cost(
        cpu=sum(cost.cpu for cost in costs),
        wall=sum(cost.wall for cost in costs),
        memory=max(cost.memory for cost in costs),
    )
