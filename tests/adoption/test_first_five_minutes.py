"""The first five minutes with lockaudit, word for word; what the terminal shows stands in docs/tutorial.md.

From an empty folder: `uv init`, torch and a few packages, `lockaudit init`, a commit through pre-commit, a prod that no
longer matches and a commit that is refused, and `docker buildx bake prod` with a real engine. LOCKAUDIT_UPDATE=1 writes
the transcript anew.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.engine.baking import OVERRIDE
from tests.engine.docker import compiles
from tests.support import REPOSITORY, missing

from .hooks import Repository, environment

if TYPE_CHECKING:
    from tests.engine.docker import Engine

pytestmark = pytest.mark.engine

TUTORIAL: Final = REPOSITORY / "docs" / "tutorial.md"
BLOCK: Final = re.compile(r"(<!-- step: (?P<name>[\w-]+) -->\n```console\n)(?P<text>.*?)(```\n<!-- end -->)", re.DOTALL)
METADATA: Final = """\

[[tool.uv.dependency-metadata]]
name = "flash-attn"
version = "2.8.3"
requires-dist = ["torch", "einops"]
"""
INDEX: Final = """\

[[tool.uv.index]]
name = "stand-ins"
url = "@base@/pypi/simple"
default = true
"""


class Session:
    """Runs commands and keeps what a terminal would show."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.steps: dict[str, list[str]] = {}

    def run(self, step: str, command: str, *, fails: bool = False) -> str:
        """Run a command and add it to a step.

        Args:
            step: its name in the tutorial.
            command: as it is typed.
            fails: whether it must fail.
        """
        done = self.repository.run(*shlex.split(command), check=not fails)
        assert not fails or done.returncode != 0, done.stdout
        self.show(step, f"$ {command}\n{done.stdout}")
        return done.stdout

    def show(self, step: str, text: str) -> None:
        """Add text to a step."""
        self.steps.setdefault(step, []).append(text)

    def transcript(self) -> dict[str, str]:
        """Step -> what the terminal shows, without what differs between two machines."""
        return {step: normalized("".join(parts), self.repository.root) for step, parts in self.steps.items()}


def normalized(text: str, root: Path) -> str:
    """Paths, addresses, hashes, ports, times and interpreters as they are nowhere and everywhere."""
    for pattern, replacement in (
        (re.escape(str(root)), "~/my-model"),
        (r"http://127\.0\.0\.1:\d+/pypi/simple", "https://index.example/simple"),
        (r"\bin \d+(?:\.\d+)?(?:ms|s)\b", "in [time]"),
        (r"(?m)^Using CPython .*\n", ""),
        (r"(?m)^warning: `VIRTUAL_ENV=.*\n", ""),
        (r"(?m)^\[INFO\] (?:Once installed|This may take).*\n", ""),
        (r"(?m)^- duration: .*\n", ""),
        (r"(cp3\d+-)[0-9a-f]{12}\b", r"\1[hash]"),
        (r"\b[0-9a-f]{40,64}\b", "[hash]"),
        (r"(?m)[ \t]+$", ""),
    ):
        text = re.sub(pattern, replacement, text)
    return text


def play(repository: Repository, base: str, engine: Engine) -> Session:
    """The first five minutes."""
    session = Session(repository)
    root = repository.root
    if repository.run("uv", "python", "find", "3.11", check=False).returncode != 0:
        missing("no Python 3.11, which the stand-in images have")

    session.run("project", "uv init --python 3.11")
    session.show("project", f"$ cat >> pyproject.toml <<'EOF'{METADATA}EOF\n")
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + METADATA + INDEX.replace("@base@", base))
    session.run("project", "uv add --no-sync torch==2.6.0 flash-attn==2.8.3 requests")
    session.run("project", "uv add --no-sync --dev pytest")

    session.run("init", "lockaudit init --create-prod")

    # The index of the stand-ins listens on the machine's loopback.
    (root / "docker-bake.override.hcl").write_text(OVERRIDE)
    (root / ".git" / "info" / "exclude").write_text("docker-bake.override.hcl\n")
    session.run("commit", "pre-commit install")
    session.run("commit", "git add .")
    session.run("commit", 'git commit -q -m "Two locks, one wheel"')

    session.run("break", "uv add --no-sync --directory prod filelock==3.16.1")
    session.run("break", "git add .")
    refused = session.run("break", 'git commit -q -m "An older filelock"', fails=True)
    assert "error[LA103]" in refused
    session.run("restore", "git restore --staged --worktree .")
    session.run("restore", "lockaudit check")

    baked = repository.run("docker", "buildx", "bake", "--progress=plain", "--allow=network.host", "prod").stdout
    engine.images.append("my-model:prod")
    assert compiles(baked) <= 1  # 0: another run with the same port has left it in the engine's cache
    named = [line.partition(" ")[2] for line in baked.splitlines() if re.search(r"naming to .*done", line)]
    assert len(named) == 1
    session.show("bake", f"$ docker buildx bake prod\n...\n{re.sub(r' [0-9.]+s done', ' done', named[0])}\n")
    code = "import torch, flash_attn; print(torch.__version__, flash_attn.__version__)"
    session.run("bake", f'docker run --rm my-model:prod python -c "{code}"')
    return session


@pytest.fixture(scope="module")
def transcript(
    engine: Engine, programs: Path, source: Path, base: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Step -> what the terminal shows."""
    home = tmp_path_factory.mktemp("home")
    root = tmp_path_factory.mktemp("five-minutes") / "my-model"
    root.mkdir()
    env = environment(
        Path(sys.executable).parent,
        programs,
        source=source,
        PRE_COMMIT_HOME=str(home / "pre-commit"),
        UV_NO_PROGRESS="1",
        UV_PYTHON_DOWNLOADS="never",
        CACHE_REPO="",
        COLUMNS="100",
    )
    return play(Repository(root, "pre-commit", env), base, engine).transcript()


def test_the_tutorial_shows_what_happens(transcript: dict[str, str]) -> None:
    text = TUTORIAL.read_text("utf-8")
    assert [match["name"] for match in BLOCK.finditer(text)] == list(transcript)
    if os.environ.get("LOCKAUDIT_UPDATE"):
        text = BLOCK.sub(lambda match: f"{match[1]}{transcript[match['name']]}{match[4]}", text)
        TUTORIAL.write_text(text, encoding="utf-8")
    shown = {match["name"]: match["text"] for match in BLOCK.finditer(text)}
    assert shown == transcript


def test_the_image_runs_what_was_compiled(transcript: dict[str, str]) -> None:
    assert transcript["bake"].endswith("2.6.0 2.8.3\n")
