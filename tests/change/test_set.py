"""`lockaudit set` with the real uv: every place changes, nothing beside it, and the repository is clean afterwards."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.change.set_world import make_index, make_repository
from tests.cli.command import Result, lockaudit
from tests.rules.clean_pair import git
from tests.standins import serve, uv_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

# Arguments -> texts that no file which decides the images has any more, and texts that the files have instead.
CASES: Final = {
    "torch and CUDA": (
        ("torch==2.8.0", "cuda=12.8.1"),
        (r"torch==2\.6\.0", r"2\.6\.0", r"torchvision==0\.21", r"0\.21\.0", r"12\.4", r"/cu124", r"pytorch-cu124"),
        ("torch==2.8.0", "torchvision==0.23.0", "CUDA_VERSION=12.8.1", 'cuda = "12.8.1"', "pytorch-cu128"),
    ),
    "torch, another release": (
        ("torch==2.7.1", "cuda=12.8"),
        (r"2\.6\.0", r"0\.21\.0", r"12\.4", r"/cu124"),
        ("torch==2.7.1", "torchvision==0.22.1", "CUDA_VERSION=12.8.1"),
    ),
    "Python": (
        ("python=3.12",),
        (r"_64-cp311\"", r"cp311-[0-9a-f]{12}", r"^3\.11$", r"PYTHON_VERSION.*3\.11"),
        ("linux-x86_64-cp312", "PYTHON_VERSION=3.12"),
    ),
    "flash-attn": (("flash-attn==2.8.4",), (r"2\.8\.3",), ("flash-attn == 2.8.4", 'version = "2.8.4"')),
    "CMake": (("cmake=3.31.6",), (r"3\.26\.1",), ("CMAKE_VERSION=3.31.6", "cmake==3.31.6")),
    "Ubuntu": (("ubuntu=20.04",), (r"ubuntu22\.04", r"UBUNTU_VERSION.*22\.04"), ("UBUNTU_VERSION=20.04",)),
    "variant": (("variant=runtime",), (r"CUDA_VARIANT.*cudnn", r"cudnn-devel-ubuntu"), ("CUDA_VARIANT=runtime",)),
    # What compiles the wheel keeps its uv until the key changes: docker-bake.hcl says so.
    "uv": (("uv=0.13.8",), (r"ARG UV_VERSION=0\.13\.9",), ('UV_VERSION     = "0.13.8"',)),
    "a package that prod names without a version": (
        ("requests==2.32.4",),
        (r"requests==2\.32\.3", r'"2\.32\.3"'),
        ("requests==2.32.4",),
    ),
}
# Lines of the Dockerfile that show tags of variants that are not in use.
_TEMPLATE: Final = re.compile(r"^FROM nvidia|^#")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The repository, which is a git repository with one commit; its index is served for as long as the module runs."""
    folder = tmp_path_factory.mktemp("set")
    with serve(make_index(folder / "index").root) as base:
        root = make_repository(folder / "repository", base)
        assert (lockaudit("check", root).code, lockaudit("bake", root, "--check").code) == (0, 0)
        git(root, "init", "--quiet")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message=all")
        yield root


@pytest.fixture
def repository(clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_cache: Path) -> Path:
    """A copy of it, to change, and an environment in which uv is shielded from this machine's settings."""
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_", "LOCKAUDIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_CACHE_DIR", str(shared_cache))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", f"{Path(uv_binary()).parent}{os.pathsep}{os.environ['PATH']}")
    return Path(shutil.copytree(clean, tmp_path / "repository"))


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of uv for the whole module."""
    return tmp_path_factory.mktemp("cache")


def change(root: Path, *arguments: str) -> Result:
    """Run `lockaudit set` on a repository."""
    return lockaudit("set", "--root", root, *arguments)


def state(root: Path) -> dict[str, bytes]:
    """Every file but git's own."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


@pytest.mark.parametrize(("arguments", "gone", "there"), CASES.values(), ids=CASES)
def test_every_place_is_set_and_the_repository_is_clean(
    repository: Path, arguments: tuple[str, ...], gone: tuple[str, ...], there: tuple[str, ...]
) -> None:
    result = change(repository, *arguments)
    assert result.code == 0, result.err
    for command in (("check",), ("bake", "--check")):
        after = lockaudit(command[0], repository, *command[1:])
        assert after.code == 0, after.out + after.err
    for folder in (repository, repository / "prod"):
        check = [uv_binary(), "lock", "--check", "--directory", str(folder), "--python", sys.executable]
        subprocess.run(check, check=True, capture_output=True)
    lines = [
        (path, line)
        for path, data in state(repository).items()
        for line in data.decode().splitlines()
        if not _TEMPLATE.search(line)
    ]
    for old in gone:
        assert [each for each in lines if re.search(old, each[1])] == []
    for new in there:
        assert any(new in line for _, line in lines), new
    again = change(repository, *arguments)
    assert (again.code, again.out) == (0, "")
    assert again.err == f"nothing to do: {' '.join(arguments)} is set everywhere\n"


def test_only_the_values_change(repository: Path) -> None:
    """Line by line, an edited file is the old one with other words in it: comments, quotes and spaces are the same."""
    before = state(repository)
    assert change(repository, "torch==2.8.0", "cuda=12.8.1", "flash-attn==2.8.4", "cmake=3.31.6").code == 0
    after = state(repository)
    assert before.keys() == after.keys()
    moved = {"2.6.0": "2.8.0", "0.21.0": "0.23.0", "12.4.1": "12.8.1", "2.8.3": "2.8.4", "3.26.1": "3.31.6"}
    for path in ("pyproject.toml", "prod/pyproject.toml", "docker/Dockerfile-uv"):
        text = before[path].decode()
        for old, new in moved.items():
            text = text.replace(old, new)
        names = re.compile(r"^cu124 = \[|extras = ")  # of extras
        of_index = path.endswith(".toml")
        expected = [
            line.replace("cu124", "cu128") if of_index and not names.search(line) else line for line in text.split("\n")
        ]
        assert after[path].decode().split("\n") == expected


def test_it_says_what_is_set_along_what_stays_and_what_is_compiled(repository: Path) -> None:
    result = change(repository, "torch==2.8.0", "cuda=12.8.1")
    told = result.err.splitlines()
    assert "docker/Dockerfile-uv:23: CUDA_VERSION=12.4.1 -> CUDA_VERSION=12.8.1" in told
    assert "pyproject.toml:11: torch==2.6.0 -> torch==2.8.0" in told
    assert "wrote uv.lock" in told
    assert "note: torchvision==0.23.0 along: it was released with torch 2.8.0" in told
    assert "note: pyproject.toml: the extra cu124 keeps its name, which others may ask for" in told
    assert any("torch==2.2.2" in line and "for none of the targets" in line for line in told)
    head, *components = result.out.splitlines()
    assert re.fullmatch(
        r"flash-attn on linux-x86_64-cp311: will be compiled, flash-attn-2\.8\.3-cu124-torch2\.6\.0-cp311-[0-9a-f]{12}"
        r" -> flash-attn-2\.8\.3-cu128-torch2\.8\.0-cp311-[0-9a-f]{12}",
        head,
    )
    assert "    cuda: 12.4.1 -> 12.8.1" in components
    key = (repository / "docker" / "wheels" / "flash-attn" / "key").read_text().strip()
    assert head.endswith(f" -> {key}")


def test_what_compiles_nothing_says_so(repository: Path) -> None:
    result = change(repository, "requests==2.32.4")
    assert "same key, nothing is compiled" in result.out
    assert "note: prod/pyproject.toml: requests stays: it admits 2.32.4, and the lock decides" in result.err


def test_quiet_tells_the_keys_only(repository: Path) -> None:
    result = change(repository, "flash-attn==2.8.4", "--quiet")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("flash-attn on linux-x86_64-cp311: will be compiled")


def test_diff_changes_nothing_and_is_what_set_does(repository: Path, tmp_path: Path) -> None:
    before = state(repository)
    shown = change(repository, "torch==2.8.0", "cuda=12.8.1", "--diff")
    assert shown.code == 0
    assert state(repository) == before
    patched = Path(shutil.copytree(repository, tmp_path / "patched"))
    (tmp_path / "patch").write_text(shown.out)
    git(patched, "apply", str(tmp_path / "patch"))
    assert change(repository, "torch==2.8.0", "cuda=12.8.1").code == 0
    assert state(patched) == state(repository)


REFUSED: Final = {
    "a release that no index has": (
        ("torch==2.16.0",),
        r"error: pyproject\.toml: uv could not resolve torch\n(.|\n)*2\.16\.0",
    ),
    "a package that nobody declares": (("tourch==2.8.0",), r"no project declares tourch.*\nhelp: did you mean torch\?"),
    "a package that another one needs": (
        ("idna==3.10",),
        r"no project declares idna.*\nhelp: another package needs it",
    ),
    "no build for the CUDA of the index": (("torch==2.8.0",), r"no build for CUDA 12\.4.*\nhelp: .*cuda=12\.6"),
    "an image that does not exist": (("ubuntu=24.04",), r"no image nvidia/cuda:12\.4\.1-cudnn-devel-ubuntu24\.04"),
    "a Python without wheels": (("python=3.14",), r"torch 2\.6\.0 has no wheels for Python 3\.14"),
    "a Python that a project does not allow": (
        ("python=3.13",),
        r"^error: pyproject\.toml:5: requires-python = '>=3\.11,<3\.13' does not allow Python 3\.13",
    ),
    "no assignment": (("torch",), r"'torch' sets nothing"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_and_nothing_changes(
    repository: Path, arguments: tuple[str, ...], message: str
) -> None:
    before = state(repository)
    result = change(repository, *arguments)
    assert (result.code, result.out) == (2, "")
    assert re.search(message, result.err), result.err
    assert len(re.findall("^error: ", result.err, re.MULTILINE)) == 1  # what uv says is indented below it
    assert state(repository) == before


def test_without_a_network_uv_says_so_and_nothing_changes(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    before = state(repository)
    result = change(repository, "flash-attn==2.8.4")
    assert result.code == 2
    assert "uv could not resolve" in result.err
    assert "nothing was changed; uv needs the package index" in result.err
    assert state(repository) == before


def test_without_uv_it_says_so(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    before = state(repository)
    result = change(repository, "flash-attn==2.8.4")
    assert result.code == 2
    assert "uv is not on PATH" in result.err
    assert state(repository) == before
    assert change(repository, "variant=runtime").code == 0  # no lock says anything about that


def test_what_is_not_clean_afterwards_is_shown(repository: Path) -> None:
    """A finding that was there before: set does its work, and does not hide it."""
    dockerfile = repository / "docker" / "Dockerfile-uv"
    dockerfile.write_text(dockerfile.read_text().replace("-cudnn-devel-ubuntu", "-cudnn-level-ubuntu"))
    result = change(repository, "flash-attn==2.8.4")
    assert result.code == 1
    assert "error[LA4" in result.out
    assert "flash-attn==2.8.4" in (repository / "prod" / "pyproject.toml").read_text()


def test_a_stale_lock_is_locked_even_where_nothing_else_is_to_be_done(repository: Path) -> None:
    """As a run leaves it that is killed between its two last files."""
    project = repository / "prod" / "pyproject.toml"
    assert change(repository, "flash-attn==2.8.4").code == 0
    done = state(repository)
    git(repository, "checkout", "--quiet", "uv.lock", "docker-bake.hcl")
    assert change(repository, "flash-attn==2.8.4").code == 0
    assert state(repository) == done
    assert "2.8.4" in project.read_text()


def test_a_kill_at_any_time_leaves_whole_files_and_the_next_run_ends_the_same(repository: Path, tmp_path: Path) -> None:
    before = state(repository)
    wanted = Path(shutil.copytree(repository, tmp_path / "wanted"))
    started = time.monotonic()
    arguments = ("torch==2.8.0", "cuda=12.8.1")
    command = [sys.executable, "-m", "auditor", "set", "--quiet", *arguments]
    subprocess.run([*command, "--root", str(wanted)], check=True, capture_output=True)
    takes = time.monotonic() - started
    after = state(wanted)
    for part in (0.7, 0.95):
        process = subprocess.Popen(
            [*command, "--root", str(repository)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(takes * part)
        process.send_signal(signal.SIGKILL)
        process.wait()
        left = {path: data for path, data in state(repository).items() if not path.endswith(".tmp")}
        assert left.keys() == before.keys()
        assert all(data in {before[path], after[path]} for path, data in left.items())
    assert change(repository, *arguments).code == 0
    assert state(repository) == after
