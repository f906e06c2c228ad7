"""`docker buildx bake --print`: bake itself is the oracle. It needs no daemon."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def printed(docker: str, text: str, folder: Path, *names: str, **environment: str) -> dict[str, Any]:
    """What `bake --print` makes of a file."""
    (folder / "bake.hcl").write_text(text, encoding="utf-8")
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_CONFIG") if name in os.environ}
    command = [docker, "buildx", "bake", "--print", "--progress", "quiet", "--file", "bake.hcl", *names]
    result = subprocess.run(command, cwd=folder, env=clean | environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{result.stderr}\n{text}"
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed
