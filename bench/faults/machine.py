"""What a measurement was made on, in words."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from tests.standins import uv_binary


def describe(*, engine: bool) -> str:
    """Versions and size of the machine."""
    parts = [f"Python {platform.python_version()}", f"{platform.system()} {platform.release()}"]
    parts.append(f"uv {_version([uv_binary(), '--version'], 1)}")
    if engine:
        parts.append(f"Docker Engine {_version(['docker', 'version', '--format={{.Server.Version}}'], 0)}")
        parts.append(f"buildx {_version(['docker', 'buildx', 'version'], 1)}")
    return f"with {', '.join(parts)}; {os.cpu_count()} cores and {_gigabytes()} GB of memory, busy with other work"


def _version(command: list[str], word: int) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return words[word].removeprefix("v") if len(words) > word else "unknown"


def _gigabytes() -> int:
    line = next(line for line in Path("/proc/meminfo").read_text("ascii").splitlines() if line.startswith("MemTotal"))
    return round(int(line.split()[1]) / 1024 / 1024)
