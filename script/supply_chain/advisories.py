"""Known vulnerabilities and yanked releases: what only the network knows.

`uv audit` reads the lock itself: every package of every group, extra, fork and platform, where an exported list of
requirements would be cut to the machine that runs the audit. It asks a service that may be down, or out of reach of a
machine, or replaced by something that answers anything; so it is first asked about a release that is known to be
vulnerable. A service that does not know that one has audited nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# A sandbox escape, fixed in 2.8.1 in the year 2016.
_CANARY: Final = ("jinja2", "2.4.1")
_CANARY_PROJECT: Final = """\
[project]
name = "canary"
version = "0"
requires-python = ">=3.11"
dependencies = ["{name}=={version}"]
"""
_CANARY_LOCK: Final = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "canary"
version = "0"
source = {{ virtual = "." }}
dependencies = [{{ name = "{name}" }}]

[[package]]
name = "{name}"
version = "{version}"
source = {{ registry = "{registry}" }}
"""
# What uv says of a request that failed, whatever the reason: no name, no route, no certificate, an error of the server,
# an answer that is not JSON.
_REQUEST_FAILED: Final = re.compile(r"for url \(|Request failed after")
_YANKED: Final = re.compile(r"^warning: `(?P<pin>[^`]+)` is yanked.*$", re.MULTILINE)


class Verdict(Enum):
    """What came of asking."""

    CLEAN = auto()
    FOUND = auto()
    NOT_ASKED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verdict and what it rests on.

    Attributes:
        verdict: what came of asking.
        text: what uv said, or why nothing was asked.
    """

    verdict: Verdict
    text: str


def canary(uv: Sequence[str], registry: str, *, service: str | None = None) -> Answer:
    """Ask the vulnerability service about a release that it must know.

    Args:
        uv: the command that runs uv.
        registry: where the release claims to come from; the one that the lock names.
        service: another service of the OSV interface, instead of uv's own.

    Returns:
        FOUND when the service can be believed, else NOT_ASKED with the reason.

    Raises:
        RuntimeError: uv failed for a reason other than the service.
    """
    name, version = _CANARY
    with tempfile.TemporaryDirectory(prefix="canary-") as folder:
        project = Path(folder)
        (project / "pyproject.toml").write_text(_CANARY_PROJECT.format(name=name, version=version), "utf-8")
        lock = _CANARY_LOCK.format(name=name, version=version, registry=registry)
        (project / "uv.lock").write_text(lock, "utf-8")
        answer = vulnerabilities(uv, project, service=service)
    if answer.verdict is not Verdict.CLEAN:
        return answer
    text = f"the service knows no vulnerability of {name} {version}, which has several: it is not the real one"
    return Answer(verdict=Verdict.NOT_ASKED, text=text)


def vulnerabilities(uv: Sequence[str], project: Path, *, service: str | None = None) -> Answer:
    """Ask the vulnerability service about every package of a project's lock.

    Args:
        uv: the command that runs uv.
        project: the folder with pyproject.toml and uv.lock.
        service: another service of the OSV interface, instead of uv's own.

    Returns:
        FOUND with the list, CLEAN with uv's summary, or NOT_ASKED with uv's error.

    Raises:
        RuntimeError: uv failed for a reason other than the service.
    """
    options = ["--preview-features", "audit-command", "audit", "--frozen", "--project", str(project)]
    options += ["--service-url", service] if service else []
    done = _run([*uv, *options])
    said = (done.stdout + done.stderr).strip()
    if done.returncode in {0, 1}:
        return Answer(verdict=Verdict.FOUND if done.returncode else Verdict.CLEAN, text=said)
    return _not_asked(done)


def yanked(uv: Sequence[str], project: Path) -> Answer:
    """Ask the package index whether a locked release was withdrawn; a lock does not say that.

    Args:
        uv: the command that runs uv.
        project: the folder with pyproject.toml and uv.lock, which stay as they are.

    Raises:
        RuntimeError: uv failed for a reason other than the index.
    """
    done = _run([*uv, "lock", "--dry-run", "--refresh", "--project", str(project)])
    if done.returncode != 0:
        return _not_asked(done)
    pins = [f"{found['pin']} is yanked" for found in _YANKED.finditer(done.stderr)]
    return Answer(verdict=Verdict.FOUND if pins else Verdict.CLEAN, text="\n".join(pins))


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    # One retry: who is out of reach stays so, and the waiting between retries doubles.
    environment = {"UV_HTTP_RETRIES": "1", **os.environ}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _not_asked(done: subprocess.CompletedProcess[str]) -> Answer:
    if not _REQUEST_FAILED.search(done.stderr):
        message = f"{' '.join(done.args)} failed:\n{done.stderr}"
        raise RuntimeError(message)
    return Answer(verdict=Verdict.NOT_ASKED, text=done.stderr.strip())
