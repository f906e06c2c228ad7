"""Which files reach the builder: the patterns of .dockerignore, against what BuildKit itself copies."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from typing import TYPE_CHECKING, Final

import pytest

from auditor.dockerfile.context import File, ignore_file, read_patterns, taken, without_ignored
from tests.support import missing

if TYPE_CHECKING:
    from pathlib import Path

FILES: Final = (
    "README.md",
    "a.py",
    "b.pyc",
    ".hidden",
    "docs/index.md",
    "docs/api/deep.md",
    "docs/api/deep.py",
    "src/app/__init__.py",
    "src/app/__pycache__/x.pyc",
    "src/app/data.txt",
    "src/lib/a.py",
    "node/a",
    "node-2/a",
    "we ird/a b.md",
)
# a .dockerignore for each way in which patterns work together
IGNORES: Final = (
    "",
    "# docs\n\ndocs\n",
    "docs/\n",
    "/docs\n",
    "./docs/./api\n",
    "*.md\n",
    "**/*.md\n",
    "**/*.md\n!docs\n",
    "**/*.md\n!**/deep.md\n",
    "*\n!src\n",
    "*\n!src/app\n",
    "*\n!src/app/*.txt\n",
    "docs\n!docs/api\ndocs/api/*.py\n",
    "!docs\ndocs\n",
    "**\n!a.py\n",
    "**/__pycache__\n",
    "src/**\n!src/lib\n",
    "src/**/a.py\n",
    "nod?\n",
    "node*\n!node-2\n",
    "**/*.py[cod]\n",
    "*/*.md\n",
    ".*\n",
    "we ird/a*\n",
    "  docs  \n",
    "docs/../src\n",
    "src/*/__init__.py\nsrc/*/data.txt\n",
    "**/app/\n",
    " # no comment\n",
)


def kept(text: str) -> set[str]:
    """The files that our reading of the patterns leaves."""
    return set(without_ignored({path: File("0") for path in FILES}, read_patterns(text)))


def test_some_of_them_by_hand() -> None:
    assert kept("") == set(FILES)
    assert kept("**\n!a.py\n") == {"a.py"}
    assert kept("docs\n!docs/api\ndocs/api/*.py\n") == set(FILES) - {"docs/index.md", "docs/api/deep.py"}


@pytest.mark.engine
def test_buildkit_copies_the_same_files(tmp_path: Path) -> None:
    """One build for all of them: each context is a named one, copied by one step."""
    if shutil.which("docker") is None:
        missing("there is no docker client")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        missing("there is no Docker Engine")
    nonce = uuid.uuid4().hex
    for number, text in enumerate(IGNORES):
        context = tmp_path / f"context-{number}"
        for path in FILES:
            (context / path).parent.mkdir(parents=True, exist_ok=True)
            (context / path).write_text(nonce)
        (context / "Dockerfile").write_text(f"FROM scratch\nCOPY . /{number}/\n")
        (context / "Dockerfile.dockerignore").write_text(f"{text}\n")
        output = tmp_path / f"output-{number}"
        command = ["docker", "buildx", "build", "--quiet", f"--output=type=local,dest={output}", str(context)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        folder = output / str(number)
        copied = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert copied - {"Dockerfile", "Dockerfile.dockerignore"} == kept(text), text


def test_a_dockerfile_may_have_patterns_of_its_own() -> None:
    assert ignore_file("docker/Dockerfile-uv", [".dockerignore"]) == ".dockerignore"
    own = "docker/Dockerfile-uv.dockerignore"
    assert ignore_file("docker/Dockerfile-uv", [".dockerignore", own]) == own


# what COPY names -> what it takes, and where that is below it
TAKEN: Final = {
    "src/lib": {("src/lib/a.py", "a.py")},
    "./src/lib/": {("src/lib/a.py", "a.py")},
    "/a.py": {("a.py", "")},
    "*.md": {("README.md", "")},
    "s[r]c/li?": {("src/lib/a.py", "a.py")},
    "nothing": set(),
}


@pytest.mark.parametrize(("pattern", "expected"), TAKEN.items())
def test_what_a_source_of_copy_takes(pattern: str, expected: set[tuple[str, str]]) -> None:
    assert set(taken({path: File("0") for path in FILES}, pattern)) == expected


def test_an_empty_source_takes_everything_but_what_is_excluded() -> None:
    files = {path: File("0") for path in FILES}
    assert {path for path, _ in taken(files, ".")} == set(FILES)
    assert {path for path, _ in taken(files, ".", ["docs", "*.py"])} == {
        path for path in FILES if not path.startswith("docs/") and path != "a.py"
    }
