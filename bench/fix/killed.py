"""`fix` killed at random moments: each file is the old or the new one, and the next run heals what is mixed."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench.drift.pair import PROD_PROJECT
from bench.fix.drifted import snapshot
from tests.standins import uv

if TYPE_CHECKING:
    from pathlib import Path

    from bench.drift.pair import Pair

_DOCKERFILE: Final = """\
ARG CUDA_VERSION=12.6.3
FROM nvidia/cuda:${CUDA_VERSION}-base-ubuntu22.04 AS prod
"""
_COMMAND: Final = (sys.executable, "-m", "auditor", "fix")


@dataclass
class Kills:
    """What was counted.

    Attributes:
        count: runs that were killed before they ended.
        late: runs that had ended already.
        old: after which every file was the old one.
        new: after which every file was the new one.
        mixed: after which some were old and some new.
        torn: files that were neither; none is what must be.
        healed: runs after which the next `fix` led to what an unkilled one leads to.
        litter: temporary files that a killed run left behind.
    """

    count: int = 0
    late: int = 0
    old: int = 0
    new: int = 0
    mixed: int = 0
    torn: list[str] = field(default_factory=list)
    healed: int = 0
    litter: int = 0

    def add(self, other: Kills) -> None:
        """Add what another process counted."""
        for name in ("count", "late", "old", "new", "mixed", "healed", "litter"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.torn += other.torn


def drift(root: Path, pair: Pair) -> None:
    """A pair whose prod lacks dev's sources, was locked so, and has an image of another CUDA: three files to mend."""
    pair.write(root)
    project = root / PROD_PROJECT
    text = project.read_text("utf-8")
    project.write_text(text.partition("\n[tool.uv.sources]")[0] + "\n", "utf-8", newline="")
    uv("lock", cwd=root / "prod")
    (root / "docker").mkdir()
    (root / "docker" / "Dockerfile-uv").write_text(_DOCKERFILE, "utf-8")


def kill(folder: Path, pair: Pair, times: int, seed: int = 1) -> Kills:
    """Kill `fix` so many times: half of them anywhere, half of them once the first new file is being written."""
    kills = Kills()
    rng = random.Random(seed)  # noqa: S311 - moments, not secrets
    origin, done, place = folder / "origin", folder / "done", folder / "place"
    drift(origin, pair)
    shutil.copytree(origin, done)
    started = time.monotonic()
    subprocess.run([*_COMMAND, str(done)], capture_output=True, check=False)
    lasts = time.monotonic() - started
    old, new = snapshot(origin), snapshot(done)
    changed = {path for path in new if new[path] != old.get(path)}
    while kills.count < times:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(origin, place)
        process = subprocess.Popen([*_COMMAND, str(place)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if kills.count % 2:
            time.sleep(rng.uniform(0, lasts))
        else:
            _wait_for_writing(process, place)
            time.sleep(rng.uniform(0, 0.004))
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            kills.late += 1
            continue
        kills.count += 1
        _judge(kills, place, old, new, changed)
        subprocess.run([*_COMMAND, str(place)], capture_output=True, check=False)
        kills.healed += {path: data for path, data in snapshot(place).items() if not path.endswith(".tmp")} == new
    return kills


def _wait_for_writing(process: subprocess.Popen[bytes], place: Path) -> None:
    """Until a temporary file stands beside one that is to be replaced, or the process has ended."""
    folders = [place, place / "prod", place / "docker"]
    while process.poll() is None:
        if any(path.suffix == ".tmp" for folder in folders for path in folder.iterdir()):
            return


def _judge(kills: Kills, place: Path, old: dict[str, bytes], new: dict[str, bytes], changed: set[str]) -> None:
    found = snapshot(place)
    kills.litter += sum(path.endswith(".tmp") for path in found)
    whole = {path: data for path, data in found.items() if not path.endswith(".tmp")}
    kills.torn += [path for path in whole if whole[path] not in {old.get(path), new.get(path)}]
    kills.torn += [f"{path} is gone" for path in old if path not in whole]
    states = {whole.get(path) == new[path] for path in changed}
    kills.old += states == {False}
    kills.new += states == {True}
    kills.mixed += len(states) > 1
