"""The real buildx, for what bake makes of a file."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.support import missing


@pytest.fixture(scope="session")
def docker() -> str:
    """The path of a docker client with buildx; no daemon is needed."""
    client = shutil.which("docker")
    known = client and subprocess.run([client, "buildx", "version"], capture_output=True, check=False).returncode == 0
    if client is None or not known:
        missing("docker buildx is not on PATH")
        raise AssertionError
    return client
