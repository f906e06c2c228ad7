"""`lockaudit key`: the build keys, where their parts come from, and whether a branch compiles anything."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import Result, lockaudit
from tests.rules.clean_pair import git
from tests.rules.specimens import TARGET, package, plain, write_pair
from tests.wheel.specimens import COMPILED, Compiled

if TYPE_CHECKING:
    from pathlib import Path

READABLE = re.compile(r"flash-attn-2\.8\.3-cu124-torch2\.6\.0-cp312-[0-9a-f]{12}")


def key_of(root: Path) -> str:
    """The one key of a project."""
    result = lockaudit("key", root)
    assert (result.code, result.err) == (0, "")
    return result.out.strip()


def test_it_prints_the_key(tmp_path: Path) -> None:
    assert READABLE.fullmatch(key_of(COMPILED.write(tmp_path)))


def test_it_is_the_key_that_bake_writes(tmp_path: Path) -> None:
    root = COMPILED.write(tmp_path)
    lockaudit("bake", root)
    assert (root / "docker" / "wheels" / "flash-attn" / "key").read_text() == f"{key_of(root)}\n"


def test_explain_says_what_each_part_is_and_where_it_stands(tmp_path: Path) -> None:
    root = COMPILED.but(env=(("FLASH_ATTN_CUDA_ARCHS", "90"),)).write(tmp_path)
    first, *lines = lockaudit("key", root, "--explain").out.splitlines()
    assert READABLE.fullmatch(first)
    parts = {}
    for line in lines:
        match = re.fullmatch(r" {4}(?P<name>\S+(?: \S+)*) {2,}(?P<value>\S.*?) {2}\((?P<where>.+)\)", line)
        assert match, line
        parts[match["name"]] = (match["value"], match["where"])
    assert [name for name, (_, where) in parts.items() if where == "target"] == ["python", "platform"]
    assert parts["env FLASH_ATTENTION_FORCE_BUILD"] == ("TRUE", "lockaudit")
    for name, (value, where) in parts.items():
        path, _, line = where.partition(":")
        if line:
            shown = (root / path).read_text().splitlines()[int(line) - 1]
            assert value.split()[-1] in shown or name in {"torch cuda", "c++ abi", "image"}, name
    assert parts["env FLASH_ATTN_CUDA_ARCHS"][0] == "90"
    assert parts["cuda"][1] == "docker/Dockerfile-uv:1"


def test_json_has_the_same(tmp_path: Path) -> None:
    root = COMPILED.write(tmp_path)
    document = lockaudit("key", root, "--output-format", "json").document
    assert document["version"] == 1
    (key,) = document["keys"]
    assert (key["package"], key["target"], key["key"]) == ("flash-attn", TARGET, key_of(root))
    assert {"name": "torch", "value": "2.6.0+cu124", "path": "uv.lock", "line": 52} in key["components"]
    assert {"name": "python", "value": "cp312", "path": None, "line": None} in key["components"]


def test_a_key_for_each_target(tmp_path: Path) -> None:
    root = COMPILED.write(tmp_path)
    result = lockaudit("key", root, "--target", TARGET, "--target", "linux-x86_64-cp313", "--output-format", "json")
    assert [each["target"] for each in result.document["keys"]] == [TARGET, "linux-x86_64-cp313"]


def test_a_project_without_prod(tmp_path: Path) -> None:
    whole = COMPILED.write(tmp_path / "whole")
    alone = shutil.copytree(whole, tmp_path / "alone")
    shutil.rmtree(alone / "prod")
    assert key_of(alone) == key_of(whole)


def test_nothing_is_compiled(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=plain(package("filelock")), prod=plain(package("filelock")))
    result = lockaudit("key", root)
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("nothing is compiled: ")
    assert lockaudit("key", root, "--output-format", "json").document["keys"] == []


def commit(root: Path) -> None:
    """Commit everything below a folder; the repository is made if there is none."""
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "A state")


def difference(root: Path, *arguments: str) -> str:
    """What `--diff HEAD` says."""
    result = lockaudit("key", root, "--diff", "HEAD", *arguments)
    assert (result.code, result.err) == (0, "")
    return result.out


# what moved since the commit, and the components that are named
MOVES = {
    "a dependency of torch": (COMPILED.but(filelock="3.17.0"), []),
    "a tool of dev": (COMPILED.but(pytest="8.4.0"), []),
    "a build tool": (COMPILED.but(ninja="1.13.0"), []),
    "cmake": (COMPILED.but(cmake="3.27.0"), ["cmake: 3.26.1 -> 3.27.0"]),
    "the image": (COMPILED.but(ubuntu="24.04"), ["image: cudnn-devel-ubuntu22.04 -> cudnn-devel-ubuntu24.04"]),
    "a variable": (COMPILED.but(env=(("A", "1"),)), ["env A: none -> 1"]),
}


@pytest.mark.parametrize(("pair", "components"), MOVES.values(), ids=MOVES)
def test_diff_names_what_moved(tmp_path: Path, pair: Compiled, components: list[str]) -> None:
    root = COMPILED.write(tmp_path)
    commit(root)
    before = key_of(root)
    pair.write(root)
    head, *lines = difference(root).splitlines()
    if components:
        assert head == f"flash-attn on {TARGET}: will be compiled, {before} -> {key_of(root)}"
    else:
        assert head == f"flash-attn on {TARGET}: same key, nothing is compiled ({before})"
    assert [line.removeprefix("    ") for line in lines] == components


def test_diff_of_another_torch_names_all_of_it(tmp_path: Path) -> None:
    root = COMPILED.write(tmp_path)
    commit(root)
    COMPILED.but(torch="2.6.0+cu126").write(root)
    names = [line.split(":")[0].strip() for line in difference(root).splitlines()[1:]]
    assert names == ["torch", "torch wheel", "torch cuda"]


def test_diff_as_json(tmp_path: Path) -> None:
    root = COMPILED.write(tmp_path)
    commit(root)
    before = key_of(root)
    COMPILED.but(cmake="3.27.0").write(root)
    document = lockaudit("key", root, "--diff", "HEAD", "--output-format", "json").document
    assert document == {
        "version": 1,
        "since": "HEAD",
        "changes": [
            {
                "package": "flash-attn",
                "target": TARGET,
                "before": before,
                "after": key_of(root),
                "compile": True,
                "components": [{"name": "cmake", "before": "3.26.1", "after": "3.27.0"}],
            }
        ],
    }


def test_diff_of_what_is_new_and_of_what_is_gone(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=plain(package("filelock")), prod=plain(package("filelock")))
    commit(root)
    COMPILED.write(root)
    assert difference(root).splitlines()[0] == f"flash-attn on {TARGET}: will be compiled, new -> {key_of(root)}"
    commit(root)
    write_pair(root, dev=plain(package("filelock")), prod=plain(package("filelock")))
    assert difference(root) == f"flash-attn on {TARGET}: compiled no more\n"


def test_diff_where_nothing_is_compiled(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=plain(package("filelock")), prod=plain(package("filelock")))
    commit(root)
    assert difference(root) == "nothing is compiled, now or at HEAD\n"


def test_diff_with_a_revision_that_is_older_than_the_lock(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("A beginning.")
    commit(tmp_path)
    COMPILED.write(tmp_path)
    assert difference(tmp_path).startswith(f"flash-attn on {TARGET}: will be compiled, new -> ")


def test_diff_of_a_project_below_the_root_of_its_repository(tmp_path: Path) -> None:
    root = COMPILED.write(tmp_path / "services" / "app")
    commit(tmp_path)
    COMPILED.but(cmake="3.27.0").write(root)
    assert "cmake: 3.26.1 -> 3.27.0" in difference(root)


def test_diff_reads_the_revision_and_changes_nothing(tmp_path: Path) -> None:
    root = COMPILED.write(tmp_path)
    commit(root)
    COMPILED.but(cmake="3.27.0").write(root)
    before = git(root, "status", "--porcelain")
    difference(root)
    assert git(root, "status", "--porcelain") == before


def test_diff_with_a_revision_that_cannot_be_read(tmp_path: Path) -> None:
    root = COMPILED.write(tmp_path)
    (root / "uv.lock").write_text("version = 2\n")
    commit(root)
    COMPILED.write(root)
    result = lockaudit("key", root, "--diff", "HEAD")
    assert result == Result(2, "", result.err)
    assert "error: uv.lock:1: the lock has version 2" in result.err
