"""A `docker buildx bake` that runs while something is done to it, its builder or its registry."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.engine.baking import Baked

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS: Final = 180
_LEAKS: Final = frozenset({"SOURCE_DATE_EPOCH", "MAX_JOBS"})
COMPILING: Final = r"^#\d+ [\d.]+ +COMPILING "
EXPORTING: Final = r"^#\d+ exporting cache"
_LAST: Final = re.compile(r"^(?:ERROR|error|#\d+ ERROR|#\d+ [\d.]+ error): .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Baking:
    """A bake that runs."""

    process: subprocess.Popen[bytes]
    log: Path

    def reaches(self, pattern: str) -> bool:
        """Wait for a line; False where the bake ends without it."""
        line = re.compile(pattern, re.MULTILINE)
        while not line.search(self.text):
            if self.process.poll() is not None:
                return bool(line.search(self.text))
            time.sleep(0.01)
        return True

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return self.log.read_text("utf-8", errors="replace")

    def kill(self) -> None:
        """`kill -9` of the client."""
        os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> Baked:
        """Wait for its end; one that hangs is killed, with a code of its own."""
        try:
            code = self.process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self.process.wait()
        text = self.text
        self.log.unlink()
        return Baked(text, code)


def begin(project: Path, *arguments: str, env: Mapping[str, str]) -> Baking:
    """Start a bake in a project."""
    handle, name = tempfile.mkstemp(prefix="lockaudit-bake-", suffix=".log")
    clean = {name: value for name, value in os.environ.items() if name not in _LEAKS}
    command = ["docker", "buildx", "bake", "--progress=plain", "--allow=network.host", *arguments]
    process = subprocess.Popen(
        command,
        cwd=project,
        env={**clean, **env},
        stdin=subprocess.DEVNULL,
        stdout=handle,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    os.close(handle)
    return Baking(process, Path(name))


def said(baked: Baked) -> str:
    """The last error of a log, shortened."""
    found = _LAST.findall(baked.log)
    return re.sub(r"^#\d+ [\d.]* *", "", found[-1])[:160] if found else ""
