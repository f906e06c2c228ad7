"""The build lock: a standard lock of what compiles the wheel, which the real uv installs from, and which stays."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from packaging.pylock import Pylock

from auditor.config import Config
from auditor.errors import InputError
from auditor.wheel.build_lock import ENVIRONMENT, KEY, NAMES, PYLOCK, SOURCE, BuildLock, build_lock
from auditor.wheel.key import build_keys
from tests.cli.command import lockaudit
from tests.rules.specimens import CU124, INDEX, LINUX, MACOS, edge, lock, package, registry, root, sdist, wheel
from tests.standins import FLASH_ATTN_METADATA, make_world, serve, uv
from tests.wheel.specimens import COMPILED, Compiled, make_pins, select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


def locked(pair: Compiled, current: Mapping[str, str] | None = None, *, uv_version: str = "0.13.9") -> BuildLock:
    """The build lock of a pair, given what is on disk."""
    side, selection = select(pair.lock(), pair.target)
    pins = make_pins(cuda=pair.cuda, variant=pair.variant, ubuntu=pair.ubuntu, uv=uv_version)
    return build_lock(pair.key(), side, selection, Config(), pins, current or {})


def locked_text(text: str) -> BuildLock:
    """The build lock of the text of a dev lock."""
    side, selection = select(text)
    (key,) = build_keys(side, selection, Config(), make_pins())
    return build_lock(key, side, selection, Config(), make_pins(), {})


def names(found: BuildLock) -> list[str]:
    """The packages of a build lock."""
    return [str(each.name) for each in parsed(found.files).packages]


def parsed(files: Mapping[str, str]) -> Pylock:
    """The pylock, read by the standard's own implementation."""
    lock = Pylock.from_dict(tomllib.loads(files[PYLOCK]))
    lock.validate()
    return lock


def test_it_is_a_standard_lock() -> None:
    found = parsed(locked(COMPILED).files)
    assert str(found.lock_version) == "1.0"
    assert str(found.requires_python) == "==3.12.*"
    for each in found.packages:
        assert each.wheels is not None
        assert [list(file.hashes) for file in each.wheels] == [["sha256"]]


def test_it_has_the_closure_of_torch_and_of_the_build_tools() -> None:
    assert names(locked(COMPILED)) == ["cmake", "filelock", "ninja", "torch"]


def test_the_closure_follows_what_holds_on_the_target() -> None:
    text = lock(
        root(needs=["torch", "flash-attn"], groups={"wheel-build": ["cmake", edge("dlls", marker="os_name == 'nt'")]}),
        package("torch", "2.6.0", wheels=[LINUX], needs=["typing", edge("triton", marker="sys_platform == 'linux'")]),
        package("flash-attn", "2.8.3", wheels=(), sdist=sdist("flash-attn", "2.8.3"), needs=["torch", "einops"]),
        package("cmake", needs=["typing"]),
        *(package(name) for name in ("dlls", "einops", "triton", "typing")),
    )
    assert names(locked_text(text)) == ["cmake", "torch", "triton", "typing"]


def test_without_the_group_it_is_torch_alone() -> None:
    text = re.sub(r"wheel-build = \[.*?\n\]\n", "", COMPILED.lock(), flags=re.DOTALL)
    assert names(locked_text(text)) == ["filelock", "torch"]


def test_the_file_that_is_locked_is_the_one_for_the_target() -> None:
    text = lock(
        root(needs=["torch", "flash-attn"]),
        package("torch", "2.6.0", source=registry(CU124), wheels=[MACOS, LINUX, LINUX.replace("cp312", "cp311")]),
        package("flash-attn", "2.8.3", wheels=(), sdist=sdist("flash-attn", "2.8.3"), needs=["torch"]),
    )
    (entry,) = parsed(locked_text(text).files).packages
    assert entry.wheels is not None
    assert [each.name for each in entry.wheels] == [f"torch-2.6.0-{LINUX}.whl"]
    assert entry.index == CU124


SHA = "a" * 40
GIT = f'git = "ssh://git@git.example/tool?subdirectory=py&tag=v1#{SHA}"'


def test_a_tool_from_git_is_locked_by_its_commit() -> None:
    text = COMPILED.lock().replace(package("ninja", "1.11.1"), package("ninja", "1.11.1", source=GIT))
    (entry,) = [each for each in parsed(locked_text(text).files).packages if each.name == "ninja"]
    assert entry.vcs is not None
    assert (entry.vcs.type, entry.vcs.url, entry.vcs.commit_id, entry.vcs.subdirectory) == (
        "git",
        "ssh://git@git.example/tool",
        SHA,
        "py",
    )


UNLOCKABLE = {
    "no hash": package("ninja", "1.11.1", wheels=[wheel("ninja", "1.11.1", hash=None)]),
    "no file for the target": package("ninja", "1.11.1", wheels=[MACOS]),
    "a folder of files": package(
        "ninja", "1.11.1", source=registry("wheels"), wheels=['{ path = "ninja-1.11.1-py3-none-any.whl" }']
    ),
    "a source tree": package("ninja", "1.11.1", source='directory = "ninja"'),
}


@pytest.mark.parametrize("entry", UNLOCKABLE.values(), ids=UNLOCKABLE)
def test_what_cannot_be_verified_is_no_part_of_it(entry: str) -> None:
    with pytest.raises(InputError, match=r"ninja 1\.11\.1 belongs to the environment that compiles wheels"):
        locked_text(COMPILED.lock().replace(package("ninja", "1.11.1"), entry))


# sources and the one requirement that pip verifies
SOURCES = {
    "a release": (
        registry(INDEX),
        sdist("flash-attn", "2.8.3"),
        r"flash-attn @ https://\S+\.tar\.gz --hash=sha256:[0-9a-f]{64}",
    ),
    "a commit": (
        f'git = "https://git.example/fa?tag=v1#{SHA}"',
        "",
        rf"flash-attn @ git\+https://git\.example/fa@{SHA}",
    ),
    "a part of a repository": (
        f'git = "https://git.example/fa?subdirectory=hopper&tag=v1#{SHA}"',
        "",
        rf"flash-attn @ git\+https://git\.example/fa@{SHA}#subdirectory=hopper",
    ),
    "an archive": (
        'url = "https://files.example/fa-2.8.3.tar.gz"',
        f'{{ hash = "sha256:{"0" * 64}" }}',
        r"flash-attn @ https://files\.example/fa-2\.8\.3\.tar\.gz --hash=sha256:0{64}",
    ),
}


@pytest.mark.parametrize(("source", "archive", "expected"), SOURCES.values(), ids=SOURCES)
def test_source(source: str, archive: str, expected: str) -> None:
    entry = package("flash-attn", "2.8.3", source=source, sdist=archive, needs=["torch"], wheels=())
    text = lock(root(needs=["torch", "flash-attn"]), package("torch", "2.6.0", wheels=[LINUX]), entry)
    assert re.fullmatch(f"{expected}\n", locked_text(text).files[SOURCE])


VALUES = ("80;90", "", "two words", "it's", '"quoted"', "$HOME `id` $(id)", "back\\slash", "#", "ä", "a=b")


@pytest.mark.parametrize("value", VALUES)
def test_a_shell_reads_the_environment_as_it_was_meant(tmp_path: Path, value: str) -> None:
    (tmp_path / "build.env").write_text(locked(COMPILED.but(env=(("A", value),))).files[ENVIRONMENT])
    script = 'set -eua; . ./build.env; printf %s "$A"; printf "|%s" "$FLASH_ATTENTION_FORCE_BUILD"'
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"{value}|TRUE"


def test_all_files_are_there_and_name_the_key() -> None:
    found = locked(COMPILED)
    assert set(found.files) == set(NAMES)
    assert found.files[KEY] == f"{COMPILED.key().readable}\n"
    tool = tomllib.loads(found.files[PYLOCK])["tool"]["lockaudit"]
    assert tool["key"] == found.key == COMPILED.key().readable
    assert tool["components"]["torch"] == "2.6.0+cu124"
    assert all(text.endswith("\n") for text in found.files.values())


# what moves -> whether the files stay
MOVES: dict[str, tuple[dict[str, Any], bool]] = {
    "nothing": ({}, True),
    "a dependency of torch": ({"filelock": "3.17.0"}, True),
    "a build tool": ({"ninja": "1.13.0"}, True),
    "a tool of dev": ({"pytest": "9.0"}, True),
    "the order": ({"backwards": True}, True),
    "the compiled package": ({"flash_attn": "2.8.2"}, False),
    "torch": ({"torch": "2.6.0+cu126"}, False),
    "the file of torch": ({"torch_sha": f"sha256:{'0' * 64}"}, False),
    "the toolkit": ({"cuda": "12.4.0"}, False),
    "the system": ({"ubuntu": "24.04"}, False),
    "the Python": ({"target": "linux-x86_64-cp311"}, False),
    "cmake": ({"cmake": "3.27.0"}, False),
    "the environment": ({"env": (("A", "1"),)}, False),
}


@pytest.mark.parametrize(("changes", "stays"), MOVES.values(), ids=MOVES)
def test_it_stays_until_the_key_changes(changes: dict[str, Any], *, stays: bool) -> None:
    before = locked(COMPILED)
    moved = COMPILED.but(**changes)
    after = locked(moved, before.files)
    assert after.kept == stays
    assert (after.files == before.files) == stays
    assert after.files[KEY] == f"{moved.key().readable}\n"
    assert locked(moved, after.files).kept


def test_the_uv_that_compiled_stays_with_it() -> None:
    before = locked(COMPILED, uv_version="0.13.9")
    assert locked(COMPILED, before.files, uv_version="0.14.0").uv == "0.13.9"
    assert locked(COMPILED.but(cmake="3.27.0"), before.files, uv_version="0.14.0").uv == "0.14.0"


EDITS: dict[str, tuple[str, Callable[[str], str]]] = {
    "a version": (PYLOCK, lambda text: text.replace("3.16.1", "3.16.2")),
    "a hash": (PYLOCK, lambda text: re.sub(r'sha256 = "\w+"', f'sha256 = "{"0" * 64}"', text, count=1)),
    "a comment": (PYLOCK, lambda text: f"{text}# mine\n"),
    "the key": (PYLOCK, lambda text: text.replace("cu124-torch2.6.0-cp312-", "cu124-torch2.6.0-cp312-0")),
    "the digest": (PYLOCK, lambda text: re.sub(r'digest = "\w+"', 'digest = "0"', text)),
    "not TOML": (PYLOCK, lambda text: f"{text}["),
    "emptied": (PYLOCK, lambda _: ""),
    "line ends": (PYLOCK, lambda text: text.replace("\n", "\r\n")),
    "the environment": (ENVIRONMENT, lambda text: f"{text}B=2\n"),
    "the source": (SOURCE, lambda text: text.replace("flash_attn-2.8.3", "flash_attn-2.8.4")),
    "the key's file": (KEY, lambda text: text.replace("2.8.3", "2.8.4")),
}


@pytest.mark.parametrize(("name", "edit"), EDITS.values(), ids=EDITS)
def test_an_edit_by_hand_is_undone(name: str, edit: Callable[[str], str]) -> None:
    before = locked(COMPILED)
    edited = {**before.files, name: edit(before.files[name])}
    assert edited != before.files
    after = locked(COMPILED, edited)
    assert not after.kept
    assert after.files == before.files


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_gone_comes_back(name: str) -> None:
    before = locked(COMPILED)
    rest = {other: text for other, text in before.files.items() if other != name}
    assert locked(COMPILED, rest).files == before.files


# -- with the real uv -------------------------------------------------------------------------------------------------

PROJECT = """\
[project]
name = "@name@"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["torch==2.6.0", "flash-attn==2.8.3"]

[dependency-groups]
wheel-build = ["cmake==3.26.1", "ninja"]

[tool.uv]
package = false
environments = ["sys_platform == 'linux' and platform_machine == 'x86_64'"]

[tool.uv.sources]
torch = { index = "cu124" }

[[tool.uv.index]]
name = "cu124"
url = "@base@/cu124/simple"
explicit = true

[[tool.uv.index]]
name = "local"
url = "@base@/pypi/simple"
default = true

"""


@dataclass(frozen=True)
class Baked:
    """A pair that the real uv locked and lockaudit baked.

    Attributes:
        root: its folder.
        build: the folder of its build lock.
    """

    root: Path
    build: Path


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baked]:
    """It, while its index is served."""
    index = make_world(tmp_path_factory.mktemp("index"))
    for name, version in (("cmake", "3.26.1"), ("ninja", "1.11.1"), ("ninja", "1.11.2")):
        index.wheel("pypi", name, version)
    root = tmp_path_factory.mktemp("pair")
    with serve(index.root) as base:
        for folder, name in ((root, "app"), (root / "prod", "app-prod")):
            folder.mkdir(exist_ok=True)
            text = PROJECT.replace("@base@", base).replace("@name@", name)
            (folder / "pyproject.toml").write_text(text + FLASH_ATTN_METADATA)
        (root / "docker").mkdir()
        (root / "docker" / "Dockerfile-uv").write_text(
            "ARG CUDA_VERSION=12.4.1\nARG PYTHON_VERSION=3.11\nFROM nvidia/cuda:${CUDA_VERSION}-devel-ubuntu22.04\n"
        )
        uv("lock", "--upgrade-package", "ninja==1.11.1", cwd=root)
        uv("lock", cwd=root / "prod")
        assert lockaudit("bake", root).code == 0
        yield Baked(root, root / "docker" / "wheels" / "flash-attn")


def install(build: Path, target: Path, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Install a build lock as the compile stage does, for the platform of the images."""
    platform = ("--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.11", "--python", sys.executable)
    arguments = ("--preview-features", "pylock", "--requirement", str(build / PYLOCK), "--target", str(target))
    return uv("pip", "install", *platform, *arguments, cwd=build, check=check)


def test_uv_installs_it(baked: Baked, tmp_path: Path) -> None:
    install(baked.build, tmp_path)
    installed = {path.name.removesuffix(".dist-info") for path in tmp_path.glob("*.dist-info")}
    listed = {f"{str(each.name).replace('-', '_')}-{each.version}" for each in parsed(files(baked.build)).packages}
    assert installed == listed
    assert {"cmake-3.26.1", "ninja-1.11.1", "torch-2.6.0+cu124", "triton-3.2.0"} <= installed
    assert not any(name.startswith(("flash_attn", "einops")) for name in installed)


def files(folder: Path) -> dict[str, str]:
    """The files of a build lock."""
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_uv_refuses_another_file_than_the_one_that_was_locked(baked: Baked, tmp_path: Path) -> None:
    build = shutil.copytree(baked.build, tmp_path / "build")
    text = (build / PYLOCK).read_text()
    (build / PYLOCK).write_text(re.sub(r'sha256 = "\w{64}"', f'sha256 = "{"0" * 64}"', text, count=1))
    done = install(build, tmp_path / "target", check=False)
    assert done.returncode != 0
    assert "Hash mismatch" in done.stderr


def test_uv_checks_it_against_another_python(baked: Baked, tmp_path: Path) -> None:
    done = uv(
        *("pip", "install", "--preview-features", "pylock", "--dry-run", "--requirement", str(baked.build / PYLOCK)),
        *("--python-version", "3.12", "--python", sys.executable, "--target", str(tmp_path)),
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode != 0
    assert "3.11" in done.stderr


def test_a_transitive_pin_that_uv_moves_leaves_it_alone(baked: Baked, tmp_path: Path) -> None:
    """The point of it all: the lock changes, and not a byte of what the compile stage sees."""
    root = shutil.copytree(baked.root, tmp_path / "pair")
    before = files(baked.build)
    for folder in (root, root / "prod"):
        uv("lock", "--upgrade-package", "filelock==3.16.1", cwd=folder)
    uv("lock", "--upgrade-package", "ninja", cwd=root)
    assert (root / "uv.lock").read_text() != (baked.root / "uv.lock").read_text()
    assert lockaudit("bake", root).err == "nothing to do: 5 files are up to date\n"
    assert files(root / "docker" / "wheels" / "flash-attn") == before
