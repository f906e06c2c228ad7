"""What one process of the bench does."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.drift.harmful import HARMFUL
from bench.drift.made import living_pairs
from bench.fix.drifted import Measured, drifted, uv_environment
from bench.fix.killed import Kills, kill


def share(names: list[str], seed: int, each: int, kills: int, number: int) -> tuple[list[Measured], Kills]:
    """What one process does, with an index and a cache of its own."""
    kinds = [kind for kind in HARMFUL if kind.name in names]
    measured: list[Measured] = []
    with uv_environment(), living_pairs() as pairs, tempfile.TemporaryDirectory(prefix="fix-kill-") as folder:
        for found in drifted(pairs, kinds, seed=seed, each=each):
            measured.append(found)
            lines = "".join(f"\n    WRONG {problem}" for problem in found.wrong)
            print(f"{found.side:5}{found.result:7}{found.kind}: {found.note[:90]}{lines}", flush=True)
        return measured, kill(Path(folder), pairs[0], kills, seed + number) if kills else Kills()
