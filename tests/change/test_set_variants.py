"""`lockaudit set` where one project has several CUDA versions as conflicting extras: for all of them, or for one."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.change.set_world import COMMON, make_index
from tests.cli.command import Result, lockaudit
from tests.engine.project import REPOSITORY
from tests.standins import serve, uv, uv_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTRAS: Final = """
[project.optional-dependencies]
cu124 = ["torch==2.6.0", "torchvision==0.21.0", "flash-attn==2.8.3"]
cu128 = ["torch==2.7.1", "torchvision==0.22.1", "flash-attn==2.8.3"]

[tool.uv]
package = false
environments = ["sys_platform == 'linux'"]
conflicts = [[{ extra = "cu124" }, { extra = "cu128" }]]

[tool.uv.sources]
torch = [{ index = "pytorch-cu124", extra = "cu124" }, { index = "pytorch-cu128", extra = "cu128" }]
torchvision = [{ index = "pytorch-cu124", extra = "cu124" }, { index = "pytorch-cu128", extra = "cu128" }]

[[tool.uv.index]]
name = "pytorch-cu124"
url = "@base@/cu124/simple"
explicit = true

[[tool.uv.index]]
name = "pytorch-cu128"
url = "@base@/cu128/simple"
explicit = true
"""
HEAD: Final = '[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.13"\ndependencies = []\n'
GROUP: Final = '\n[dependency-groups]\nwheel-build = ["cmake==3.26.1", "ninja", "setuptools<81"]\n'
SETTINGS: Final = """
[tool.lockaudit]
targets = ["linux-x86_64-cp311"]

[[tool.lockaudit.variant]]
name = "cu124"
cuda = "12.4.1"
dev.extras = ["cu124"]
prod.extras = ["cu124"]

[[tool.lockaudit.variant]]
name = "cu128"
cuda = "12.8.0"
dev.extras = ["cu128"]
prod.extras = ["cu128"]
"""


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two locks with two variants, clean and baked; the index is served for as long as the module runs."""
    folder = tmp_path_factory.mktemp("variants")
    root = folder / "repository"
    (root / "prod").mkdir(parents=True)
    (root / "docker").mkdir()
    shutil.copy(REPOSITORY / "docker" / "Dockerfile-uv", root / "docker")
    shutil.copy(REPOSITORY / ".dockerignore", root)
    with serve(make_index(folder / "index").root) as base:
        common = (EXTRAS + COMMON).replace("@base@", base)
        (root / "pyproject.toml").write_text(HEAD.format(name="app") + GROUP + common + SETTINGS)
        (root / "prod" / "pyproject.toml").write_text(HEAD.format(name="app-prod") + common)
        uv("lock", cwd=root)
        shutil.copy(root / "uv.lock", root / "prod" / "uv.lock")
        uv("lock", cwd=root / "prod")
        baked = lockaudit("bake", root)
        assert baked.code == 0, baked.err
        checked = lockaudit("check", root)
        assert checked.code == 0, checked.out
        yield root


@pytest.fixture
def repository(clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to change."""
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_", "LOCKAUDIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", f"{Path(uv_binary()).parent}{os.pathsep}{os.environ['PATH']}")
    return Path(shutil.copytree(clean, tmp_path / "repository"))


def change(root: Path, *arguments: str) -> Result:
    """Run `lockaudit set` on a repository."""
    return lockaudit("set", "--root", root, *arguments)


def projects(root: Path) -> list[str]:
    """Both pyproject.toml."""
    return [(root / folder / "pyproject.toml").read_text() for folder in (".", "prod")]


def keys(root: Path) -> list[str]:
    """The build key of each variant."""
    return [line.split()[0] for line in lockaudit("key", root).out.splitlines()]


def is_clean(root: Path) -> bool:
    """Whether check and bake find nothing to say."""
    results = [lockaudit("check", root), lockaudit("bake", root, "--check")]
    assert [result.code for result in results] == [0, 0], "".join(each.out + each.err for each in results)
    return True


def test_one_variant_is_set_alone(repository: Path) -> None:
    before, old = projects(repository), keys(repository)
    result = change(repository, "torch==2.8.0", "cuda=12.8", "--variant", "cu128")
    assert result.code == 0, result.out + result.err
    assert is_clean(repository)
    moved = [text.replace("2.7.1", "2.8.0").replace("0.22.1", "0.23.0").replace("12.8.0", "12.8.1") for text in before]
    assert projects(repository) == moved
    assert "torchvision==0.23.0 along" in result.err
    new = keys(repository)
    assert (new[0], len(new)) == (old[0], 2)
    assert new[1].startswith("flash-attn-2.8.3-cu128-torch2.8.0-cp311-")
    assert "(cu124): same key, nothing is compiled" in result.out
    assert f"(cu128): will be compiled, {old[1]} -> {new[1]}" in result.out
    again = change(repository, "torch==2.8.0", "cuda=12.8", "--variant", "cu128")
    assert (again.code, again.out) == (0, "")
    assert "nothing to do" in again.err


def test_an_index_of_its_own_moves_with_the_variant(repository: Path) -> None:
    """To a CUDA that another variant has: its index is there, and nothing of the other variant changes."""
    before = projects(repository)
    result = change(repository, "torch==2.6.0", "cuda=12.4", "--variant", "cu128")
    assert result.code == 0, result.out + result.err
    assert is_clean(repository)
    for old, new in zip(before, projects(repository), strict=True):
        assert 'index = "pytorch-cu124", extra = "cu128"' in new
        moved = new.replace('index = "pytorch-cu124", extra = "cu128"', 'index = "pytorch-cu128", extra = "cu128"')
        moved = re.sub(
            r'cu128 = \["torch==2\.6\.0", "torchvision==0\.21\.0"',
            'cu128 = ["torch==2.7.1", "torchvision==0.22.1"',
            moved,
        )
        assert moved.replace('name = "cu128"\ncuda = "12.4.1"', 'name = "cu128"\ncuda = "12.8.0"') == old
    assert len(set(keys(repository))) == 1


def test_a_range_becomes_a_pin_where_only_one_variant_is_set(repository: Path) -> None:
    """One lock has several versions then: what uv is told of one would hold for all."""
    for folder in (".", "prod"):
        path = repository / folder / "pyproject.toml"
        ranges = path.read_text().replace('"torch==2.7.1", "torchvision==0.22.1"', '"torch>=2.6,<2.9", "torchvision"')
        path.write_text(ranges)
        uv("lock", cwd=path.parent)
    result = change(repository, "torch==2.8.0", "--variant", "cu128")
    assert result.code == 0, result.out + result.err
    assert is_clean(repository)
    for text in projects(repository):
        assert 'cu128 = ["torch==2.8.0", "torchvision==0.23.0"' in text
        assert 'cu124 = ["torch==2.6.0", "torchvision==0.21.0"' in text


def test_all_variants_are_set_at_once(repository: Path) -> None:
    before = projects(repository)
    result = change(repository, "flash-attn==2.8.4", "cmake=3.31.6")
    assert result.code == 0, result.out + result.err
    assert is_clean(repository)
    assert projects(repository) == [text.replace("2.8.3", "2.8.4").replace("3.26.1", "3.31.6") for text in before]
    assert all("flash-attn-2.8.4" in key for key in keys(repository))
    assert result.out.count("will be compiled") == 2


def test_the_python_of_one_variant_is_added_to_it(repository: Path) -> None:
    before = projects(repository)
    result = change(repository, "python=3.12", "--variant", "cu128")
    assert result.code == 0, result.out + result.err
    assert is_clean(repository)
    first, second = projects(repository)
    assert second == before[1]
    assert first.replace('python = "3.12"\n', "") == before[0]
    assert ["cp311" in key for key in keys(repository)] == [True, False]


REFUSED: Final = {
    "which CUDA": (
        ("cuda=12.9",),
        r"cuda=12\.9 is ambiguous: the variants have 12\.4\.1 and 12\.8\.0",
        "--variant cu124",
    ),
    "no such variant": (("torch==2.8.0", "--variant", "cu129"), "there is no variant 'cu129'", "cu12"),
    "no build for one of them": (
        ("torch==2.8.0",),
        r"torch 2\.8\.0 has no build for CUDA 12\.4",
        "--variant; CUDA 12.4 has torch 2.4",
    ),
    "stated for all": (
        ("flash-attn==2.8.4", "--variant", "cu128"),
        "dependency-metadata of flash-attn",
        "without --variant",
    ),
    "common to all": (("cmake==3.31.6", "--variant", "cu128"), "all variants have one cmake", "leave --variant out"),
    "of a group of all": (
        ("ninja==1.11.1", "--variant", "cu128"),
        "ninja is declared for all variants",
        "leave --variant",
    ),
    "a pair": (("torch==2.8.0", "--pair", "x"), "--pair", "leave it out"),
}


@pytest.mark.parametrize(("arguments", "message", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_is_ambiguous_or_common_is_refused(
    repository: Path, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    before = projects(repository)
    result = change(repository, *arguments)
    assert (result.code, result.out) == (2, "")
    error, help_ = result.err.split("help: ")
    assert re.search(message, error), error
    assert hint in help_
    assert projects(repository) == before


def test_without_variants_conflicting_indexes_are_ambiguous(repository: Path) -> None:
    project = repository / "pyproject.toml"
    text, _, _ = project.read_text().partition("\n[[tool.lockaudit.variant]]")
    project.write_text(text + '\n[tool.lockaudit.dev]\nextras = ["cu124"]\n[tool.lockaudit.prod]\nextras = ["cu124"]\n')
    result = change(repository, "cuda=12.8.1")
    assert result.code == 2
    assert "ambiguous: one project takes torch from cu124 and cu128" in result.err
    assert "[[tool.lockaudit.variant]]" in result.err
