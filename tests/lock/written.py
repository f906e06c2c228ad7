"""Locks that tests write by hand, whole and changed, and what the real uv says to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from auditor.lock.read import parse_lock
from auditor.source import SourceFile
from tests.standins import uv

if TYPE_CHECKING:
    from auditor.lock.model import Lock, Package

DIGEST = "sha256:" + "a1" * 32
SHA = "0123456789abcdef0123456789abcdef01234567"
INDEX = "https://index.example/simple"

# Line numbers in the tests are those of this text.
BASE = f"""\
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "wide"
version = "1.0"
source = {{ registry = "{INDEX}" }}
sdist = {{ url = "https://files.example/wide-1.0.tar.gz", hash = "{DIGEST}", size = 10 }}
wheels = [
    {{ url = "https://files.example/wide-1.0-py3-none-any.whl", hash = "{DIGEST}", size = 10 }},
]

[[package]]
name = "app"
version = "0"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "wide" }},
]

[package.metadata]
requires-dist = [{{ name = "wide" }}]
"""
PROJECT = '[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["wide"]\n'
SOURCE = f'source = {{ registry = "{INDEX}" }}\n'
SDIST = f'sdist = {{ url = "https://files.example/wide-1.0.tar.gz", hash = "{DIGEST}", size = 10 }}\n'
WHEELS = f"""\
wheels = [
    {{ url = "https://files.example/wide-1.0-py3-none-any.whl", hash = "{DIGEST}", size = 10 }},
]
"""
WHEEL = "wide-1.0-py3-none-any.whl"
SECOND = f'\n[[package]]\nname = "wide"\nversion = "2.0"\nsource = {{ registry = "{INDEX}" }}\n'


def changed(*pairs: tuple[str, str]) -> str:
    """The base lock with the first occurrence of each text replaced."""
    text = BASE
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def parsed(text: str) -> Lock:
    """The lock of a text."""
    return parse_lock(SourceFile(Path("uv.lock"), "prod/uv.lock", text))


def package(*lines: str, name: str = "wide") -> Package:
    """The package of a lock with `app` and one other, of which these are the lines."""
    text = "\n".join(['version = 1\nrequires-python = ">=3.11"\n\n[[package]]', f'name = "{name}"', *lines])
    (found,) = parsed(text).packages
    return found


def uv_exports(text: str | bytes, folder: Path) -> bool:
    """Whether the real uv exports a project with this lock."""
    (folder / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (folder / "uv.lock").write_bytes(text if isinstance(text, bytes) else text.encode())
    done = uv("export", "--frozen", "--offline", "--quiet", cwd=folder, check=False)
    assert done.returncode in {0, 2}, done.stderr
    return done.returncode == 0


# Every part that a lock can have.
NT = "\"os_name == 'nt'\""
EVERYTHING = f"""\
version = 1
revision = 5
requires-python = ">=3.11, <3.14"
resolution-markers = [
    "python_full_version >= '3.12' and extra == 'extra-3-app-cu124' and extra != 'extra-3-app-cu128'",
    "python_full_version < '3.12'",
]
supported-markers = ["sys_platform == 'linux'"]
required-markers = ["platform_machine == 'x86_64'"]
conflicts = [[
    {{ package = "app", extra = "cu124" }},
    {{ package = "app", extra = "cu128" }},
], [
    {{ package = "App", group = "Old_Torch" }},
    {{ package = "core" }},
]]

[options]
resolution-mode = "lowest-direct"
exclude-newer = "2026-01-01T00:00:00Z"

[manifest]
members = ["app", "core"]
default-groups = "all"
requirements = [{{ name = "Wide", extras = ["Fast_IO"], marker = "os_name == 'posix'" }}]
constraints = [{{ name = "wide", specifier = "<2" }}]

[manifest.dependency-groups]
Test = [{{ name = "wide" }}]

[[package]]
name = "app"
source = {{ editable = "." }}
default-groups = ["dev", "Lint_Er"]
dependencies = [
    {{ name = "core" }},
    {{ name = "wide", version = "1.0", source = {{ registry = "{INDEX}" }}, extra = ["Fast_IO"], marker = {NT} }},
]

[package.optional-dependencies]
cu124 = [
    {{ name = "wide", version = "2.0", source = {{ registry = "{INDEX}" }} }},
]
Empty_One = []

[package.dev-dependencies]
dev = [
    {{ name = "git-one" }},
]

[package.metadata]
requires-dist = [{{ name = "core", editable = "core" }}]
provides-extras = ["cu124", "Empty_One"]

[package.metadata.requires-dev]
dev = [{{ name = "git-one" }}]

[[package]]
name = "core"
version = "1.2"
source = {{ directory = "core" }}

[[package]]
name = "git-one"
version = "0.1"
source = {{ git = "https://git.example/one?tag=v1#{SHA}" }}

[[package]]
name = "wide"
version = "1.0"
source = {{ registry = "{INDEX}" }}
resolution-markers = ["python_full_version < '3.12'"]
sdist = {{ url = "https://files.example/wide-1.0.tar.gz", hash = "{DIGEST}", size = 10 }}

[package.optional-dependencies]
fast-io = [
    {{ name = "git-one", marker = "sys_platform == 'linux'" }},
]

[[package]]
name = "wide"
version = "2.0"
source = {{ registry = "{INDEX}" }}
resolution-markers = ["python_full_version >= '3.12'"]
wheels = [
    {{ url = "https://files.example/wide-2.0-1-cp312-cp312-manylinux_2_28_x86_64.whl", hash = "{DIGEST}" }},
    {{ url = "https://files.example/wide-2.0-cp312-abi3-macosx_11_0_arm64.whl", hash = "{DIGEST}" }},
]
"""
