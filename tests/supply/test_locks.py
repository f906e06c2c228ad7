"""The checks of our own locks: silent on the repository, loud on every kind of damage."""

from __future__ import annotations

import re
import tomllib
from typing import Final

import pytest

from script.supply_chain.__main__ import offline
from script.supply_chain.locks import build_lock, origin, requirements, uv_lock
from tests.standins.uv import uv
from tests.support import REPOSITORY

LOCK: Final = (REPOSITORY / "uv.lock").read_text("utf-8")
PROD: Final = (REPOSITORY / "prod" / "uv.lock").read_text("utf-8")
BUILD: Final = (REPOSITORY / "docker" / "wheels" / "flash-attn" / "pylock.toml").read_text("utf-8")
ORIGIN: Final = origin(LOCK)
REQUIREMENTS: Final = REPOSITORY / ".github" / "actions" / "lockaudit" / "requirements.txt"


def changed(text: str, pattern: str, replacement: str) -> str:
    """A text with the first match of a pattern replaced."""
    damaged, count = re.subn(pattern, replacement, text, count=1)
    assert count == 1
    return damaged


def test_nothing_is_wrong_here() -> None:
    assert list(offline(REPOSITORY)) == []


def test_every_package_of_the_locks_was_looked_at() -> None:
    for text in (LOCK, PROD):
        packages = [one for one in tomllib.loads(text)["package"] if "registry" in one["source"]]
        bare = re.sub(r", hash = \"sha256:[0-9a-f]+\"", "", text)
        files = sum(len(one.get("wheels", ())) + ("sdist" in one) for one in packages)
        assert sum("has no sha256" in fault for fault in uv_lock("uv.lock", bare, ORIGIN)) == files > len(packages)


@pytest.mark.parametrize(
    ("pattern", "replacement", "said"),
    [
        (r'hash = "sha256:', 'hash = "md5:', "has no sha256"),
        (r', hash = "sha256:[0-9a-f]{64}"', "", "has no sha256"),
        (r'hash = "sha256:[0-9a-f]', 'hash = "sha256:', "has no sha256"),
        (r"registry = \"[^\"]+\"", 'registry = "https://index.example/simple"', "not from the registry of uv.lock"),
        (r"registry = \"[^\"]+\"", 'git = "https://git.example/a?rev=b#b"', "not from the registry of uv.lock"),
        (r"url = \"https://[^/]+/", 'url = "https://mirror.example/', "not served by the host of the others"),
        (r"url = \"https:", 'url = "http:', "not served by the host of the others"),
        (r"url = \"https:[^\"]+\"", 'path = "here.whl"', "not served by the host of the others"),
    ],
)
def test_damage_of_a_lock_is_told(pattern: str, replacement: str, said: str) -> None:
    for text in (LOCK, PROD):
        (fault,) = uv_lock("uv.lock", changed(text, pattern, replacement), ORIGIN)
        assert said in fault


def test_a_package_without_files_is_told() -> None:
    text = f'[[package]]\nname = "a"\nversion = "1"\nsource = {{ registry = "{ORIGIN.registry}" }}\n'
    assert list(uv_lock("uv.lock", text, ORIGIN)) == ["uv.lock: a 1 has no file at all"]


@pytest.mark.parametrize(
    ("pattern", "replacement", "said"),
    [
        (r"sha256 = \"[0-9a-f]{64}\"", 'sha512 = "00"', "has no sha256"),
        (r"url = \"https://[^/]+/", 'url = "https://mirror.example/', "not served by the host of the others"),
    ],
)
def test_damage_of_a_build_lock_is_told(pattern: str, replacement: str, said: str) -> None:
    (fault,) = build_lock("pylock.toml", changed(BUILD, pattern, replacement), ORIGIN)
    assert said in fault


HASH: Final = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (f"uv==1.0 \\\n    {HASH} \\\n    {HASH}\n", True),
        (f"# why\nuv==1.0 ; sys_platform == 'linux' \\\n    {HASH}\n", True),
        (f"a @ https://files.example/a-1.tar.gz {HASH}", True),
        ("uv==1.0", False),
        (f"uv>=1.0 {HASH}", False),
        (f"uv {HASH}", False),
        ("uv==1.0 --hash=md5:" + "0" * 32, False),
        ("a @ https://files.example/a-1.tar.gz", False),
        ("-r other.txt", False),
        ("--index-url https://index.example/simple", False),
    ],
)
def test_requirements_are_pinned_with_a_hash(text: str, good: bool) -> None:  # noqa: FBT001 (a table's column)
    assert bool(list(requirements("requirements.txt", text))) is not good


def test_the_requirements_of_the_action_are_those_of_the_lock() -> None:
    command = "export --frozen --no-default-groups --no-emit-project --no-header --no-annotate"
    exported = uv(*command.split(), cwd=REPOSITORY).stdout
    assert REQUIREMENTS.read_text("utf-8") == exported, f"write it anew: `uv {command} -o {REQUIREMENTS}`"
