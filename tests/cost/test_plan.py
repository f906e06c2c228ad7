"""`lockaudit plan`: packages, bytes, compiles and what the images need, of a pair under git."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import lockaudit
from tests.rules.clean_pair import git
from tests.rules.specimens import LINUX, TARGET, lock, package, plain, registry, root, sdist, wheel, write_pair
from tests.wheel.specimens import COMPILED, Compiled

from .repository import commit, packages, plan, shown

if TYPE_CHECKING:
    from pathlib import Path


def sized(name: str, version: str, size: int | None, **more: str) -> str:
    """An entry with one wheel of a size."""
    return package(name, version, wheels=[wheel(name, version, size=size)], **more)


def test_nothing_changed(tmp_path: Path) -> None:
    commit(COMPILED.write(tmp_path))
    document = plan(tmp_path)
    assert document["verdict"] == "compiles nothing; no package changes"
    assert (packages(document, "dev"), packages(document, "prod")) == ({}, {})


def test_packages_come_go_and_move_with_their_bytes(tmp_path: Path) -> None:
    old = (sized("gone", "1.0", 300), sized("moves", "1.0", 1_000), sized("stays", "1.0", 5))
    write_pair(tmp_path, dev=plain(*old), prod=plain(*old, name="app-prod"))
    commit(tmp_path)
    new = (sized("comes", "2.0", 12_000_000), sized("moves", "1.1", 1_500), sized("stays", "1.0", 5))
    write_pair(tmp_path, dev=plain(*new), prod=plain(*new, name="app-prod"))
    document = plan(tmp_path)
    expected = {
        "comes": ("added", None, "2.0", 12_000_000),
        "gone": ("removed", "1.0", None, -300),
        "moves": ("moved", "1.0", "1.1", 500),
    }
    assert packages(document, "dev") == packages(document, "prod") == expected
    assert document["pairs"][0]["targets"][0]["images"][0]["bytes"] == 12_000_200
    assert document["verdict"] == "compiles nothing; prod +12 MB; dev +12 MB"


def test_a_size_that_no_lock_tells_is_counted_and_never_zero(tmp_path: Path) -> None:
    old = (sized("moves", "1.0", 1_000),)
    write_pair(tmp_path, dev=plain(*old), prod=plain(*old, name="app-prod"))
    commit(tmp_path)
    new = (sized("moves", "1.1", None), sized("comes", "1.0", None), sized("known", "1.0", 70))
    write_pair(tmp_path, dev=plain(*old), prod=plain(*new, name="app-prod"))
    document = plan(tmp_path)
    assert packages(document, "prod") == {
        "comes": ("added", None, "1.0", None),
        "known": ("added", None, "1.0", 70),
        "moves": ("moved", "1.0", "1.1", None),
    }
    assert document["verdict"] == "compiles nothing; prod +70 B and 2 of unknown size"
    assert "  + comes 1.0         size unknown\n" in shown(tmp_path)


def test_a_compiled_package_is_of_unknown_size_whatever_its_sdist_weighs(tmp_path: Path) -> None:
    commit(COMPILED.write(tmp_path))
    COMPILED.but(flash_attn="2.8.4").write(tmp_path)
    document = plan(tmp_path)
    assert packages(document, "prod") == {"flash-attn": ("moved", "2.8.3", "2.8.4", None)}
    assert "  ~ flash-attn 2.8.3 -> 2.8.4  size unknown  compiled\n" in shown(tmp_path)


def test_another_source_and_another_file_are_changes_too(tmp_path: Path) -> None:
    old = (sized("same", "1.0", 10), package("moved", "1.0", wheels=[wheel("moved", "1.0", size=10)]))
    write_pair(tmp_path, dev=plain(*old), prod=plain(*old, name="app-prod"))
    commit(tmp_path)
    address = "https://user:secret@other.example/simple"
    new = (
        package("same", "1.0", wheels=[wheel("same", "1.0", hash="sha256:" + "a" * 64, size=12)]),
        package("moved", "1.0", source=registry(address), wheels=[wheel("moved", "1.0", size=10)]),
    )
    write_pair(tmp_path, dev=plain(*old), prod=plain(*new, name="app-prod"))
    text = shown(tmp_path)
    assert "  ~ same 1.0   +2 B  another file of the same version\n" in text
    assert "-> registry https://***@other.example/simple\n" in text
    assert "secret" not in "".join(shown(tmp_path, "--output-format", each) for each in ("text", "json", "markdown"))


def test_dev_has_its_default_groups_and_prod_all_but_dev(tmp_path: Path) -> None:
    """As the recipe installs them: `uv sync` and `uv sync --no-dev`."""
    own = root(needs=["stays"], groups={"dev": ["pytest"], "lint": ["ruff"], "docs": ["sphinx"]})
    parts = [package(name) for name in ("pytest", "ruff", "sphinx", "stays")]
    write_pair(tmp_path, dev=plain(package("stays")), prod=plain(package("stays")))
    commit(tmp_path)
    write_pair(tmp_path, dev=lock(own, *parts), prod=lock(own, *parts))
    for path in (tmp_path / "pyproject.toml", tmp_path / "prod" / "pyproject.toml"):
        path.write_text(path.read_text() + '\n[tool.uv]\ndefault-groups = ["dev", "lint"]\n')
    document = plan(tmp_path)
    assert set(packages(document, "dev")) == {"pytest", "ruff"}
    assert set(packages(document, "prod")) == {"ruff"}


# what moved, and how the verdict begins
COMPILES = {
    "another torch": (COMPILED.but(torch="2.7.0+cu126"), "flash-attn (hours): torch 2.6.0+cu124 -> 2.7.0+cu126; prod"),
    "another flash-attn": (COMPILED.but(flash_attn="2.8.4"), "flash-attn (hours): version 2.8.3 -> 2.8.4; prod"),
    "another CMake": (COMPILED.but(cmake="3.27.0"), "flash-attn (hours): cmake 3.26.1 -> 3.27.0; no package"),
    "another CUDA": (COMPILED.but(cuda="12.6.3"), "flash-attn (hours): cuda 12.4.1 -> 12.6.3; no package"),
    "a variable": (COMPILED.but(env=(("A", "1"),)), "flash-attn (hours): env A none -> 1; no package"),
    "a dependency of torch": (COMPILED.but(filelock="3.17.0"), "nothing; prod"),
    "a build tool": (COMPILED.but(ninja="1.13.0"), "nothing; no package"),
}


@pytest.mark.parametrize(("pair", "verdict"), COMPILES.values(), ids=COMPILES)
def test_what_is_compiled_and_why(tmp_path: Path, pair: Compiled, verdict: str) -> None:
    commit(COMPILED.write(tmp_path))
    pair.write(tmp_path)
    document = plan(tmp_path)
    assert document["verdict"].startswith(f"compiles {verdict}")
    (target,) = document["pairs"][0]["targets"]
    by_key = lockaudit("key", tmp_path, "--diff", "HEAD", "--output-format", "json").document["changes"]
    moved = [each for each in by_key if each["compile"]]
    assert [(each["package"], each["before"], each["after"]) for each in target["compiles"]] == [
        (each["package"], each["before"], each["after"]) for each in moved
    ]
    assert [each["components"] for each in target["compiles"]] == [each["components"] for each in moved]


def test_a_package_that_is_compiled_from_now_on_and_one_that_is_not(tmp_path: Path) -> None:
    write_pair(tmp_path, dev=plain(package("rich")), prod=plain(package("rich")))
    commit(tmp_path)
    COMPILED.write(tmp_path)
    assert plan(tmp_path)["verdict"].startswith("compiles flash-attn (hours): new; ")
    commit(tmp_path)
    write_pair(tmp_path, dev=plain(package("rich")), prod=plain(package("rich")))
    document = plan(tmp_path)
    assert document["compiles"] == []
    assert document["pairs"][0]["targets"][0]["compiled_no_more"] == ["flash-attn"]


def needs(root: Path) -> dict[str, tuple[str | None, str | None]]:
    """Name -> (before, after) of what the images need."""
    found = plan(root)["pairs"][0]["targets"][0]["needs"]
    return {each["name"]: (each["before"], each["after"]) for each in found}


def test_what_the_images_need(tmp_path: Path) -> None:
    commit(COMPILED.write(tmp_path))
    index = "https://download.example/whl/cu130"
    COMPILED.but(torch="2.9.0+cu130", torch_index=index, cuda="13.0.2", ubuntu="24.04").write(tmp_path)
    assert needs(tmp_path) == {
        "CUDA major of torch": ("12", "13"),
        "CUDA of torch": ("12.4", "13.0"),
        "CUDA of the image": ("12.4.1", "13.0.2"),
        "oldest driver": ("525", "580"),
        "Ubuntu": ("22.04", "24.04"),
    }
    verdict = plan(tmp_path)["verdict"]
    assert "; CUDA major of torch 12 -> 13; oldest driver 525 -> 580" in verdict


def test_the_driver_is_the_one_of_the_newer_cuda_of_torch_and_image(tmp_path: Path) -> None:
    commit(COMPILED.write(tmp_path))
    COMPILED.but(cuda="13.0.2").write(tmp_path)
    assert needs(tmp_path)["oldest driver"] == ("525", "580")


def test_the_abi_and_python(tmp_path: Path) -> None:
    commit(COMPILED.but(torch_tag="manylinux1").write(tmp_path))
    COMPILED.write(tmp_path)
    assert needs(tmp_path) == {"C++ ABI": ("0", "1")}
    commit(tmp_path)
    COMPILED.but(target="linux-x86_64-cp313").write(tmp_path)
    assert needs(tmp_path) == {"Python": ("3.12", "3.13")}
    (target,) = plan(tmp_path)["pairs"][0]["targets"]
    assert (target["before"], target["target"]) == (TARGET, "linux-x86_64-cp313")


def test_a_revision_that_is_older_than_the_locks(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Nothing yet\n")
    commit(tmp_path)
    write_pair(tmp_path, dev=plain(package("rich")), prod=plain(package("rich")))
    document = plan(tmp_path)
    assert document["pairs"][0]["new"] is True
    assert packages(document, "prod") == {"rich": ("added", None, "1.0", 1000)}


def test_a_project_below_the_root_of_its_repository(tmp_path: Path) -> None:
    root = write_pair(tmp_path / "services" / "a", dev=plain(package("rich")), prod=plain(package("rich")))
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    write_pair(root, dev=plain(package("rich", "2.0")), prod=plain(package("rich")))
    assert packages(plan(root), "dev") == {"rich": ("moved", "1.0", "2.0", 0)}


def test_base_names_any_revision(tmp_path: Path) -> None:
    for version in ("1.0", "2.0", "3.0"):
        write_pair(tmp_path, dev=plain(package("rich", version)), prod=plain(package("rich")))
        commit(tmp_path)
    assert packages(plan(tmp_path), "dev") == {}
    assert packages(plan(tmp_path, "--base", "HEAD~2"), "dev") == {"rich": ("moved", "1.0", "3.0", 0)}
    document = plan(tmp_path, "--base", "HEAD~1")
    assert document["base"] == {"revision": "HEAD~1", "commit": git(tmp_path, "rev-parse", "HEAD~1").strip()}


def test_every_pair_has_its_name(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_pair(tmp_path / name, dev=plain(package("rich")), prod=plain(package("rich")))
    write_pair(tmp_path, dev=plain(package("rich")), prod=plain(package("rich")), config=PAIRS)
    commit(tmp_path)
    write_pair(tmp_path / "two", dev=plain(package("rich")), prod=plain(package("rich", "2.0")))
    document = plan(tmp_path)
    assert [pair["name"] for pair in document["pairs"]] == ["first", "second"]
    assert document["verdict"] == "compiles nothing; second prod 0 B"
    assert plan(tmp_path, "--pair", "first")["verdict"] == "compiles nothing; no package changes"


PAIRS = """
[[tool.lockaudit.pair]]
name = "first"
prod.lock = "one/prod/uv.lock"

[[tool.lockaudit.pair]]
name = "second"
prod.lock = "two/prod/uv.lock"
"""


def test_a_pair_that_the_revision_does_not_have(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_pair(tmp_path / name, dev=plain(package("rich")), prod=plain(package("rich")))
    write_pair(tmp_path, dev=plain(package("rich")), prod=plain(package("rich")), config=PAIRS)
    shutil.move(tmp_path / "two", tmp_path.with_name("away"))
    commit(tmp_path)
    shutil.move(tmp_path.with_name("away"), tmp_path / "two")
    document = plan(tmp_path)
    assert [(pair["name"], pair["new"]) for pair in document["pairs"]] == [("first", False), ("second", True)]


def test_fail_on_compile(tmp_path: Path) -> None:
    commit(COMPILED.write(tmp_path))
    assert lockaudit("plan", tmp_path, "--fail-on", "compile").code == 0
    COMPILED.but(cmake="3.27.0").write(tmp_path)
    assert lockaudit("plan", tmp_path).code == 0
    assert lockaudit("plan", tmp_path, "--fail-on", "compile").code == 1


def test_it_writes_nothing(tmp_path: Path) -> None:
    commit(COMPILED.write(tmp_path))
    COMPILED.but(torch="2.7.0+cu126").write(tmp_path)
    (tmp_path / "new.txt").write_text("new")
    before = git(tmp_path, "status", "--porcelain"), (tmp_path / ".git" / "index").read_bytes()
    shown(tmp_path)
    assert (git(tmp_path, "status", "--porcelain"), (tmp_path / ".git" / "index").read_bytes()) == before


def test_text_shows_what_the_json_has(tmp_path: Path) -> None:
    old = (sized("gone", "1.0", 300), package("torch", "1.0", wheels=[wheel("torch", "1.0", LINUX)]))
    write_pair(tmp_path, dev=plain(*old), prod=plain(*old, name="app-prod"))
    commit(tmp_path)
    flash = package("flash-attn", "2.8.3", needs=["torch"], wheels=(), sdist=sdist("flash-attn", "2.8.3"))
    write_pair(tmp_path, dev=plain(flash, old[1]), prod=plain(*old, name="app-prod"))
    assert shown(tmp_path) == TEXT.format(key=plan(tmp_path)["pairs"][0]["targets"][0]["compiles"][0]["after"])


TEXT = """\
compiles flash-attn (hours): new; dev -300 B and 1 of unknown size

compile flash-attn: {key}
  new

dev on linux-x86_64-cp312: -300 B and 1 of unknown size
  + flash-attn 2.8.3  size unknown  compiled
  - gone 1.0          -300 B

prod on linux-x86_64-cp312: no package changes

note: There is no Dockerfile at docker/Dockerfile-uv: no stages to predict.
"""


# what is wrong with the base, and what is said
BROKEN = {
    "a lock with merge markers": ("uv.lock", "<<<<<<< ours\n", "(at HEAD)"),
    "a lock that is no TOML": ("prod/uv.lock", "version = [\n", "(at HEAD)"),
    "a setting that does not exist": ("pyproject.toml", "[tool.lockaudit]\ntargetz = []\n", "(at HEAD)"),
    "a Dockerfile that is none": ("docker/Dockerfile-uv", "RUN x\n", "(at HEAD)"),
}


@pytest.mark.parametrize(("path", "text", "says"), BROKEN.values(), ids=BROKEN)
def test_a_base_that_cannot_be_read_is_said_in_one_message(tmp_path: Path, path: str, text: str, says: str) -> None:
    COMPILED.write(tmp_path)
    (tmp_path / path).write_text(text)
    commit(tmp_path)
    COMPILED.write(tmp_path)
    result = lockaudit("plan", tmp_path)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {path}")
    assert says in result.err
    assert len(result.err.splitlines()) <= 2


def test_no_repository_and_no_such_revision(tmp_path: Path) -> None:
    COMPILED.write(tmp_path)
    assert "this folder is in no git repository" in lockaudit("plan", tmp_path).err
    commit(tmp_path)
    for revision in ("no-such", "--output=x", ""):
        result = lockaudit("plan", tmp_path, f"--base={revision}")
        assert (result.code, result.err.splitlines()[0]) == (2, f"error: git knows no revision {revision!r}")
