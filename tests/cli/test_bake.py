"""`lockaudit bake`: what it writes, when it refuses, and that it never leaves half of anything."""

from __future__ import annotations

import os
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import lockaudit, process
from tests.rules.clean_pair import git
from tests.rules.specimens import package, plain, write_pair
from tests.support import REPOSITORY
from tests.wheel.specimens import COMPILED, Compiled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BAKE_FILE = "docker-bake.hcl"
LOCKS = "docker/wheels/flash-attn"
WRITTEN = [f"{LOCKS}/{name}" for name in ("source.txt", "build.env", "key", "pylock.toml")] + [BAKE_FILE]


def tree(root: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder, with its content and when it was written."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A pair that compiles flash-attn, not baked yet."""
    return COMPILED.write(tmp_path / "root")


@pytest.fixture
def baked(root: Path) -> Path:
    """The same, baked."""
    assert lockaudit("bake", root).code == 0
    return root


def test_it_writes_the_bake_file_and_the_build_locks(root: Path) -> None:
    before = tree(root)
    result = lockaudit("bake", root)
    assert (result.code, result.out) == (0, "")
    assert result.err == "".join(f"wrote {path}\n" for path in WRITTEN)
    after = tree(root)
    assert after.keys() - before.keys() == set(WRITTEN)
    assert {path: after[path] for path in before} == before
    key = (root / LOCKS / "key").read_text().strip()
    assert (root / BAKE_FILE).read_text().count(key) == 3


def test_a_second_run_changes_nothing(baked: Path) -> None:
    before = tree(baked)
    result = lockaudit("bake", baked)
    assert (result.code, result.out, result.err) == (0, "", "nothing to do: 5 files are up to date\n")
    assert tree(baked) == before


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    roots = [COMPILED.write(tmp_path / name) for name in ("one", "other")]
    for each in roots:
        lockaudit("bake", each)
    one, other = ({path: data for path, (data, _) in tree(each).items()} for each in roots)
    assert one == other


def test_check_of_what_is_up_to_date(baked: Path) -> None:
    before = tree(baked)
    result = lockaudit("bake", baked, "--check")
    assert (result.code, result.out, result.err) == (0, "", "up to date: 5 files\n")
    assert tree(baked) == before


def crlf(path: Path) -> bytes:
    """A file's content with the line ends of Windows."""
    return path.read_bytes().replace(b"\n", b"\r\n")


# how the files on disk or what decides them change, and which files are then out of date
STALE: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "the bake file by hand": (lambda root: (root / BAKE_FILE).write_text("# mine\n"), [BAKE_FILE]),
    "the bake file is gone": (lambda root: (root / BAKE_FILE).unlink(), [BAKE_FILE]),
    "Windows line ends": (lambda root: (root / BAKE_FILE).write_bytes(crlf(root / BAKE_FILE)), [BAKE_FILE]),
    "the pylock by hand": (lambda root: (root / LOCKS / "pylock.toml").write_text(""), [f"{LOCKS}/pylock.toml"]),
    "the environment by hand": (lambda root: (root / LOCKS / "build.env").write_text("A=1\n"), [f"{LOCKS}/build.env"]),
    "another CUDA": (lambda root: COMPILED.but(cuda="12.8.1").write(root), [*WRITTEN[1:]]),
    "another flash-attn": (
        lambda root: COMPILED.but(flash_attn="2.8.2").write(root),
        [path for path in WRITTEN if not path.endswith("build.env")],
    ),
}


@pytest.mark.parametrize(("spoil", "paths"), STALE.values(), ids=STALE)
def test_check_and_diff_of_what_is_stale(baked: Path, spoil: Callable[[Path], object], paths: list[str]) -> None:
    spoil(baked)
    before = tree(baked)
    checked = lockaudit("bake", baked, "--check")
    assert checked.code == 1
    assert checked.err == f"out of date: {', '.join(paths)}; run `lockaudit bake`\n"
    assert [line[6:] for line in checked.out.splitlines() if line.startswith("+++ b/")] == paths
    shown = lockaudit("bake", baked, "--diff")
    assert (shown.code, shown.out, shown.err) == (0, checked.out, "")
    assert tree(baked) == before
    assert lockaudit("bake", baked).err == "".join(f"wrote {path}\n" for path in paths)
    assert lockaudit("bake", baked, "--check").code == 0


def test_the_diff_is_one_that_git_applies(baked: Path) -> None:
    COMPILED.but(cuda="12.8.1").write(baked)
    patch = lockaudit("bake", baked, "--diff").out
    (baked / "change.patch").write_text(patch)
    copied = shutil.copytree(baked, baked.parent / "patched")
    git(copied, "apply", "change.patch")
    assert lockaudit("bake", copied, "--check").code == 0


def test_stdout_has_the_bake_file_and_nothing_is_written(root: Path) -> None:
    before = tree(root)
    result = lockaudit("bake", root, "--stdout")
    assert (result.code, result.err) == (0, "")
    assert tree(root) == before
    lockaudit("bake", root)
    assert result.out == (root / BAKE_FILE).read_text()


def test_another_place_for_the_bake_file(root: Path, tmp_path: Path) -> None:
    place = tmp_path / "somewhere" / "else.hcl"
    assert lockaudit("bake", root, "-o", place).code == 0
    assert not (root / BAKE_FILE).exists()
    assert place.read_text() == lockaudit("bake", root, "--stdout").out
    assert lockaudit("bake", root, "-o", place).err == "nothing to do: 5 files are up to date\n"


def test_a_place_in_the_settings(tmp_path: Path) -> None:
    root = COMPILED.write(tmp_path, config='bake.file = "build/images.hcl"\n')
    lockaudit("bake", root)
    assert (root / "build" / "images.hcl").is_file()


def test_a_mode_and_a_link_are_kept(baked: Path) -> None:
    real = baked / "real.hcl"
    (baked / BAKE_FILE).rename(real)
    (baked / BAKE_FILE).symlink_to(real)
    real.write_text("# mine\n")
    real.chmod(0o640)
    assert lockaudit("bake", baked).code == 0
    assert (baked / BAKE_FILE).is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.read_text().startswith("# app")


def test_a_pipe_is_written_to_and_not_replaced(root: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()))
    reader.start()
    assert lockaudit("bake", root, "-o", pipe).code == 0
    reader.join()
    assert pipe.is_fifo()
    assert received == [lockaudit("bake", root, "--stdout").out]


def test_a_pipe_of_the_shell(root: Path) -> None:
    result = process("bake", root, suffix="-o >(cat); wait $!")
    assert result.out == lockaudit("bake", root, "--stdout").out


REFUSED = {
    "torch of another CUDA": (COMPILED.but(prod_torch="2.6.0+cu126"), "LA201"),
    "a Python that no lock covers": (COMPILED.but(target="linux-x86_64-cp310"), "LA109"),
}


@pytest.mark.parametrize(("pair", "code"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("flags", [(), ("--check",), ("--diff",), ("--stdout",)], ids=" ".join)
def test_it_refuses_with_the_finding_and_writes_nothing(
    baked: Path, pair: Compiled, code: str, flags: tuple[str, ...]
) -> None:
    pair.write(baked)
    before = tree(baked)
    result = lockaudit("bake", baked, *flags)
    assert result.code == 1
    assert f"error[{code}]: " in result.out
    assert "nothing was written" in result.err
    assert tree(baked) == before


SILENCED = {
    "rules that do not run": 'select = ["LA0"]\n',
    "a severity": 'severity = { LA201 = "warning" }\n',
}


@pytest.mark.parametrize("config", list(SILENCED.values()), ids=list(SILENCED))
def test_it_refuses_even_if_check_is_told_to_be_quiet(tmp_path: Path, config: str) -> None:
    root = COMPILED.but(prod_torch="2.6.0+cu126").write(tmp_path)
    path = root / "pyproject.toml"
    kept = [line for line in path.read_text().splitlines() if not line.startswith(config.partition(" ")[0])]
    path.write_text("\n".join(kept) + f"\n{config}")
    result = lockaudit("bake", root)
    assert result.code == 1
    assert "2.6.0+cu126 in prod" in result.out + result.err
    assert not (root / BAKE_FILE).exists()


def test_a_difference_that_does_not_decide_the_wheel_is_no_reason_to_refuse(tmp_path: Path) -> None:
    root = write_pair(
        tmp_path,
        dev=COMPILED.lock(),
        prod=COMPILED.but(filelock="3.17.0").lock(prod=True),
        dockerfile="ARG CUDA_VERSION=12.4.1\nFROM scratch\n",
    )
    assert lockaudit("check", root).code == 1
    assert lockaudit("bake", root).code == 0


@pytest.mark.parametrize("blocks", [1, 2], ids=["the first file", "a later file"])
def test_a_write_that_fails_leaves_everything_as_it_was(baked: Path, blocks: int) -> None:
    """The kernel itself stops the write: files may not grow beyond one or two kilobytes."""
    COMPILED.but(cuda="12.8.1", flash_attn="2.8.2").write(baked)
    before = tree(baked)
    result = process("bake", baked, prefix=f"ulimit -f {blocks};")
    assert (result.code, result.out) == (2, "")
    assert result.err.endswith(": cannot write: File too large\nhelp: nothing was changed\n")
    assert tree(baked) == before
    assert lockaudit("bake", baked).code == 0


def test_a_build_lock_of_what_is_compiled_no_more_goes_away(baked: Path) -> None:
    write_pair(baked, dev=plain(package("filelock")), prod=plain(package("filelock")))
    assert lockaudit("bake", baked, "--check").code == 1
    result = lockaudit("bake", baked)
    assert result.code == 0
    assert result.err.splitlines()[:-1] == [
        f"removed {LOCKS}/{name}" for name in ("pylock.toml", "source.txt", "build.env", "key")
    ]
    assert not (baked / LOCKS).exists()
    assert "flash-attn" not in (baked / BAKE_FILE).read_text()
    assert lockaudit("bake", baked, "--check").code == 0


def test_files_of_others_are_left_alone(baked: Path) -> None:
    (baked / LOCKS / "notes.md").write_text("ours")
    (baked / "docker" / "wheels" / "vendored").mkdir()
    (baked / "docker" / "wheels" / "vendored" / "source.txt").write_text("theirs")
    write_pair(baked, dev=plain(package("filelock")), prod=plain(package("filelock")))
    assert lockaudit("bake", baked).code == 0
    assert [path.name for path in (baked / LOCKS).iterdir()] == ["notes.md"]
    assert (baked / "docker" / "wheels" / "vendored" / "source.txt").read_text() == "theirs"


def test_logins_reach_no_file(tmp_path: Path) -> None:
    index = "https://ci-user:s3cret@download.example/whl/cu124"
    pair = COMPILED.but(torch_index=index)
    root = pair.write(tmp_path)
    for path in (root / "uv.lock", root / "prod" / "uv.lock"):
        path.write_text(path.read_text().replace("https://files.example", "https://ci-user:s3cret@files.example"))
    results = [lockaudit("bake", root, *flags) for flags in ((), ("--check",), ("--stdout",))]
    results += [lockaudit("key", root, *flags) for flags in ((), ("--explain",), ("--output-format", "json"))]
    assert [result.code for result in results] == [0] * 6
    assert [path for path in WRITTEN if "s3cret" in (root / path).read_text()] == []
    assert [result for result in results if "s3cret" in result.out + result.err] == []
    assert 'url = "https://files.example/' in (root / LOCKS / "pylock.toml").read_text()
    assert " @ https://files.example/" in (root / LOCKS / "source.txt").read_text()


def test_a_login_does_not_decide_the_wheel(tmp_path: Path, baked: Path) -> None:
    other = COMPILED.but(torch_index="https://ci-user:s3cret@download.example/whl/cu124").write(tmp_path / "other")
    assert lockaudit("key", other).out == lockaudit("key", baked).out


def test_this_repository_is_up_to_date() -> None:
    """The first user."""
    result = lockaudit("bake", REPOSITORY, "--check")
    assert (result.code, result.out) == (0, "")


def test_this_repository_is_clean() -> None:
    result = lockaudit("check", REPOSITORY)
    assert (result.code, result.err) == (0, "")
