"""`lockaudit select`: what uv would install, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.command import lockaudit
from tests.rules.specimens import (
    FILES,
    LINUX,
    MACOS,
    TARGET,
    digest,
    edge,
    lock,
    package,
    registry,
    root as project,
    sdist,
    wheel,
)

if TYPE_CHECKING:
    from pathlib import Path

SHA = "a" * 40
LOCK = lock(
    project(needs=["speedups", "core", "docs"], extras={"viz": ["matplotlib"]}, groups={"dev": ["pytest"]}),
    package("core", "0.1.0", source=f'git = "https://git.example/core?subdirectory=lib&tag=v1#{SHA}"'),
    package("docs", wheels=(), sdist=sdist("docs"), needs=[edge("colorama", marker="sys_platform == 'win32'")]),
    package("colorama"),
    package("matplotlib"),
    package("pytest"),
    package("speedups", wheels=[MACOS, LINUX]),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with its lock."""
    (tmp_path / "uv.lock").write_text(LOCK)
    return tmp_path


def names(folder: Path, *arguments: str) -> list[str]:
    """The packages that are selected."""
    result = lockaudit("select", folder, "--output-format", "json", *arguments)
    assert (result.code, result.err) == (0, "")
    return [each["name"] for each in result.document["packages"]]


SELECTIONS = {
    "the default groups too": (("--target", TARGET), ["app", "core", "docs", "pytest", "speedups"]),
    "no groups": (("--target", TARGET, "--no-default-groups"), ["app", "core", "docs", "speedups"]),
    "an extra": (
        ("--target", TARGET, "--no-default-groups", "--extra", "VIZ"),
        ["app", "core", "docs", "matplotlib", "speedups"],
    ),
    "a group by name": (
        ("--target", TARGET, "--no-default-groups", "--group", "dev"),
        ["app", "core", "docs", "pytest", "speedups"],
    ),
    "another platform": (
        ("--target", "windows-amd64-cp312", "--no-default-groups"),
        ["app", "colorama", "core", "docs", "speedups"],
    ),
}


@pytest.mark.parametrize(("arguments", "expected"), SELECTIONS.values(), ids=SELECTIONS)
def test_what_is_selected(folder: Path, arguments: tuple[str, ...], expected: list[str]) -> None:
    assert names(folder, *arguments) == expected


def test_text_has_a_package_with_its_file(folder: Path) -> None:
    result = lockaudit("select", folder, "--target", TARGET, "--no-default-groups")
    assert result.out == (
        "app 0.1.0  virtual .\n"
        "core 0.1.0  git https://git.example/core@aaaaaaaaaaaa (tag=v1, subdirectory=lib)\n"
        "docs 1.0  registry https://index.example/simple\n"
        f"    docs-1.0.tar.gz  {digest('docs-1.0.tar.gz')}  1,000 bytes\n"
        "speedups 1.0  registry https://index.example/simple\n"
        f"    speedups-1.0-{LINUX}.whl  {digest(f'speedups-1.0-{LINUX}.whl')}  1,000 bytes\n"
    )


def test_json_has_a_package_with_its_source_and_file(folder: Path) -> None:
    result = lockaudit("select", folder, "--target", TARGET, "--no-default-groups", "--output-format", "json")
    document = result.document
    assert (document["version"], document["target"]) == (1, TARGET)
    by_name = {each["name"]: each for each in document["packages"]}
    assert by_name["core"] == {
        "name": "core",
        "version": "0.1.0",
        "source": {"kind": "git", "location": "https://git.example/core", "revision": SHA, "subdirectory": "lib"},
        "artifact": None,
    }
    filename = f"speedups-1.0-{LINUX}.whl"
    assert by_name["speedups"] == {
        "name": "speedups",
        "version": "1.0",
        "source": {"kind": "registry", "location": "https://index.example/simple"},
        "artifact": {
            "filename": filename,
            "kind": "wheel",
            "url": f"{FILES}/{filename}",
            "hash": digest(filename),
            "size": 1000,
        },
    }
    assert by_name["docs"]["artifact"]["kind"] == "sdist"


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_logins_are_not_shown(tmp_path: Path, output_format: str) -> None:
    address = "https://ci-user:s3cret@files.example"
    entries = (
        package("a", source=registry(address), wheels=[wheel("a", base=address)]),
        package("b", source=f'git = "{address}/b?tag=v1#{SHA}"'),
        package("c", source=f'url = "{address}/c-1.0-py3-none-any.whl"', wheels=[wheel("c", base=address)]),
        package("d", source=f'url = "{address}/d-1.0.tar.gz"', sdist=f'{{ hash = "{digest("d")}" }}'),
    )
    (tmp_path / "uv.lock").write_text(lock(project(needs=["a", "b", "c", "d"]), *entries))
    result = lockaudit("select", tmp_path, "--target", TARGET, "--output-format", output_format)
    assert (result.code, result.err) == (0, "")
    assert "s3cret" not in result.out
    assert result.out.count("https://***@files.example") >= 4


def test_control_characters_are_escaped(tmp_path: Path) -> None:
    entry = package("a", source=registry("https://index.example/\\u001b[31m\u202e"))
    (tmp_path / "uv.lock").write_text(lock(project(needs=["a"]), entry))
    out = lockaudit("select", tmp_path, "--target", TARGET).out
    assert "https://index.example/\\u001b[31m\\u202e" in out
    assert all(line.isprintable() for line in out.split("\n"))


def test_a_folder_below_the_root(folder: Path) -> None:
    (folder / "prod").mkdir()
    (folder / "uv.lock").rename(folder / "prod" / "uv.lock")
    assert names(folder / "prod", "--target", TARGET, "--no-default-groups")[0] == "app"
