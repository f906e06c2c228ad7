"""Acceptance: a clean pair has no finding, and each way to spoil it has its own, at its line, and no other."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import check, lockaudit
from tests.rules.clean_pair import CleanPair, commit
from tests.rules.specimens import COMPARING
from tests.standins import uv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Spoil = Callable[[Path, CleanPair], None]

LOCK = "prod/uv.lock"
LINUX = "cp312-cp312-manylinux_2_28_x86_64"
BOTH = "linux-x86_64-cp311, linux-x86_64-cp312"


def entry(text: str, name: str) -> tuple[int, int]:
    """Where the entry of a package starts and ends in a lock's text."""
    match = re.search(rf'^\[\[package\]\]\nname = "{re.escape(name)}"\n.*?(?=^\[\[|\Z)', text, re.DOTALL | re.MULTILINE)
    assert match, name
    return match.span()


def line_of(text: str, name: str, needle: str) -> int:
    """The line of the first `needle` in the entry of a package."""
    start, end = entry(text, name)
    found = text.find(needle, start, end)
    assert found >= 0, f"{needle} is not in the entry of {name}"
    return text.count("\n", 0, found) + 1


def edit(name: str, old: str, new: str, *, everywhere: bool = False) -> Spoil:
    """Replace text in one entry of the prod lock, once or in all of it."""

    def spoil(root: Path, _: CleanPair) -> None:
        path = root / LOCK
        text = path.read_text()
        start, end = entry(text, name)
        changed = re.sub(old, new, text[start:end], count=0 if everywhere else 1)
        assert changed != text[start:end], f"{old} is not in the entry of {name}"
        path.write_text(text[:start] + changed + text[end:])

    return spoil


def edit_all(*replacements: tuple[str, str]) -> Spoil:
    """Replace text wherever the prod lock has it: in an entry, in the names of its files and in the edges to it."""

    def spoil(root: Path, _: CleanPair) -> None:
        path = root / LOCK
        text = path.read_text()
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)

    return spoil


def relock(*arguments: str) -> Spoil:
    """Lock prod anew with the real uv."""

    def spoil(root: Path, _: CleanPair) -> None:
        uv("lock", *arguments, cwd=root / "prod")

    return spoil


def depend(requirement: str) -> Spoil:
    """Add a dependency to prod and lock it."""

    def spoil(root: Path, _: CleanPair) -> None:
        path = root / "prod" / "pyproject.toml"
        path.write_text(path.read_text().replace("dependencies = [", f'dependencies = ["{requirement}", ', 1))
        uv("lock", cwd=root / "prod")

    return spoil


def move_tag(root: Path, pair: CleanPair) -> None:
    """Move the tag of the git dependency to a new commit, in a repository of this pair's own, and lock prod anew."""
    repository = root.parent / "core-lib"
    shutil.copytree(pair.repository, repository)
    commit(repository, "v1.0", " moved")
    for path in (root / "pyproject.toml", root / "uv.lock", root / "prod" / "pyproject.toml", root / LOCK):
        path.write_text(path.read_text().replace(pair.repository.as_uri(), repository.as_uri()))
    uv("lock", "--upgrade-package", "core-lib", cwd=root / "prod")


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One way to spoil the pair: what is done, and the one finding (code, package, line by its text) that it makes."""

    name: str
    spoil: Spoil
    code: str
    package: str
    at: str
    target: str = BOTH


MUTATIONS = (
    Mutation(
        name="a version that prod holds back",
        spoil=relock("--upgrade-package", "filelock==3.16.1"),
        code="LA103",
        package="filelock",
        at='version = "3.16.1"',
    ),
    Mutation(
        name="a version that was bumped by hand",
        spoil=edit("httpx", r"1\.0", "1.1", everywhere=True),
        code="LA103",
        package="httpx",
        at='version = "1.1"',
    ),
    Mutation(
        name="a version on one of two Pythons",
        spoil=edit_all(("2.2.6", "2.2.7")),
        code="LA103",
        package="numpy",
        at='version = "2.2.7"',
        target="linux-x86_64-cp311",
    ),
    Mutation(
        name="torch of another CUDA",
        spoil=edit_all(("2.6.0+cu124", "2.6.0+cu128"), ("2.6.0%2Bcu124", "2.6.0%2Bcu128")),
        code="LA201",
        package="torch",
        at='version = "2.6.0+cu128"',
    ),
    Mutation(
        name="torch without its local part",
        spoil=edit_all(("2.6.0+cu124", "2.6.0"), ("2.6.0%2Bcu124", "2.6.0")),
        code="LA201",
        package="torch",
        at='version = "2.6.0"',
    ),
    Mutation(
        name="torch from another index",
        spoil=edit("torch", "/cu124/simple", "/cu128/simple"),
        code="LA201",
        package="torch",
        at="source = ",
    ),
    Mutation(
        name="the same version from another index",
        spoil=edit("requests", "/pypi/simple", "/mirror/simple"),
        code="LA105",
        package="requests",
        at="source = ",
    ),
    Mutation(
        name="another hash of a wheel",
        spoil=edit("fastapi", r"(\.whl\", hash = \"sha256:)[0-9a-f]{64}", rf"\g<1>{'0' * 64}"),
        code="LA106",
        package="fastapi",
        at=".whl",
    ),
    Mutation(
        name="another hash of an sdist",
        spoil=edit("fastapi", r"(\.tar\.gz\", hash = \"sha256:)[0-9a-f]{64}", rf"\g<1>{'0' * 64}"),
        code="LA106",
        package="fastapi",
        at=".tar.gz",
    ),
    Mutation(
        name="another hash of what is compiled",
        spoil=edit("flash-attn", r"sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}"),
        code="LA106",
        package="flash-attn",
        at=".tar.gz",
    ),
    Mutation(
        name="no hash of a wheel",
        spoil=edit("pyyaml", r", hash = \"sha256:[0-9a-f]{64}\"", ""),
        code="LA108",
        package="pyyaml",
        at=".whl",
    ),
    Mutation(
        name="no hash of torch on one of two Pythons",
        spoil=edit("torch", rf"({LINUX}\.whl\"), hash = \"sha256:[0-9a-f]{{64}}\"", r"\1"),
        code="LA108",
        package="torch",
        at=f"{LINUX}.whl",
        target="linux-x86_64-cp312",
    ),
    Mutation(
        name="a wheel that dev does not list",
        spoil=edit("tqdm", r"tqdm-1\.0-py3", "tqdm-1.0-2-py3"),
        code="LA107",
        package="tqdm",
        at=".whl",
    ),
    Mutation(
        name="a test tool",
        spoil=depend("pytest"),
        code="LA102",
        package="pytest",
        at='name = "pytest"',
    ),
    Mutation(
        name="a package that dev does not have",
        spoil=depend("pysocks"),
        code="LA101",
        package="pysocks",
        at='name = "pysocks"',
    ),
    Mutation(
        name="a tag of git that moved",
        spoil=move_tag,
        code="LA105",
        package="core-lib",
        at="source = ",
    ),
)


def test_the_clean_pair_is_clean(clean_pair: CleanPair) -> None:
    """Dozens of packages, two targets, both of a numpy, one of two torches: nothing to find."""
    text = lockaudit("check", clean_pair.root)
    assert text.code == 0
    assert text.err == ""
    assert re.fullmatch(
        r"prod is a consistent subset of dev: 4\d packages on linux-x86_64-cp311, 4\d packages on linux-x86_64-cp312\n",
        text.out,
    )
    assert check(clean_pair.root).findings == []


def test_the_clean_pair_has_what_makes_it_hard(clean_pair: CleanPair) -> None:
    """Otherwise the test above would prove little."""
    dev, prod = ((clean_pair.root / path).read_text() for path in ("uv.lock", LOCK))
    assert 'version = "2.6.0+cu124"' in dev
    assert 'version = "2.6.0+cu128"' in dev
    assert "conflicts = [[" in dev
    assert 'name = "pytest"' in dev
    assert 'name = "pytest"' not in prod
    assert "tag=v1.0#" in prod
    assert prod.count('name = "numpy"\nversion') == 2
    assert uv("lock", "--check", cwd=clean_pair.root).returncode == 0
    assert uv("lock", "--check", cwd=clean_pair.root / "prod").returncode == 0


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "-"))
def test_mutation_has_its_finding_and_no_other(clean_pair: CleanPair, mutation: Mutation, tmp_path: Path) -> None:
    root = clean_pair.copy(tmp_path)
    mutation.spoil(root, clean_pair)
    result = check(root)
    line = line_of((root / LOCK).read_text(), mutation.package, mutation.at)
    found = [
        (f["severity"], f["code"], f["package"], f["path"], f["line"], f["target"])
        for f in result.findings
        if f["code"] in COMPARING  # a lock that was edited by hand is no healthy lock either, which others say
    ]
    assert found == [("error", mutation.code, mutation.package, LOCK, line, mutation.target)]
    assert result.code == 1


def test_another_cuda_locked_by_uv(clean_pair: CleanPair, tmp_path: Path) -> None:
    """The real thing: prod takes torch of CUDA 12.8, and with it its companions and the CUDA libraries."""
    root = clean_pair.copy(tmp_path)
    path = root / "prod" / "pyproject.toml"
    path.write_text(path.read_text().replace('= { index = "cu124" }', '= { index = "cu128" }'))
    uv("lock", cwd=root / "prod")
    found = {(f["code"], f["package"]) for f in check(root).findings}
    libraries = ("cublas", "cuda-runtime", "cudnn", "nvjitlink")
    assert found == {
        ("LA201", "torch"),
        ("LA103", "torchvision"),
        *(("LA103", f"nvidia-{library}-cu12") for library in libraries),
    }


def test_the_other_extra_is_another_torch(clean_pair: CleanPair) -> None:
    codes = {f["package"]: f["code"] for f in check(clean_pair.root, "--dev-extra", "cu128").findings}
    assert codes["torch"] == "LA201"
    assert codes["torchvision"] == "LA103"


def test_a_tree_in_dev_and_a_tag_in_prod(clean_pair: CleanPair, tmp_path: Path) -> None:
    """The usual way to develop a library of one's own: clean once it is declared."""
    root = clean_pair.copy(tmp_path)
    shutil.copytree(clean_pair.repository, root / "packages" / "core-lib", ignore=shutil.ignore_patterns(".git"))
    path = root / "pyproject.toml"
    source = f'{{ git = "{clean_pair.repository.as_uri()}", tag = "v1.0" }}'
    assert source in path.read_text()
    path.write_text(path.read_text().replace(source, '{ path = "packages/core-lib", editable = true }'))
    uv("lock", cwd=root)
    assert [(f["code"], f["package"]) for f in check(root).findings] == [("LA105", "core-lib")]
    assert check(root, "--first-party", "core-lib").findings == []
