"""`lockaudit config`: every setting, what it is worth here, and where that comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from auditor.config import KEYS
from tests.cli.command import lockaudit
from tests.rules.specimens import TARGET, package, plain, write_pair

if TYPE_CHECKING:
    from pathlib import Path

LOCK = plain(package("filelock"))
DOCKERFILE = "ARG CUDA_VERSION=12.6.3\nARG PYTHON_VERSION=3.12\nFROM scratch AS prod\n"
SETTINGS = """\
first-party = ["Core_Lib"]
allowed-registries = ["https://ci-user:s3cret@index.example/simple", "https://x.example/?sig=s3cret&a=b"]

[tool.lockaudit.dev]
extras = ["cu124"]

[tool.lockaudit.image]
ubuntu = "24.04"

[tool.lockaudit.cache]
backend = "s3"
options = { bucket = "b", region = "r", secret_access_key = "s3cret" }

[tool.lockaudit.package.Torch.ignore]
LA103 = "tested by hand"

[tool.lockaudit.wheel.flash-attn.env]
PIP_INDEX_URL = "https://ci-user:s3cret@index.example/simple"
"""
PAIRS = """
[[tool.lockaudit.pair]]
name = "serving"
prod.lock = "prod/uv.lock"

[[tool.lockaudit.pair]]
name = "training"
targets = ["linux-x86_64-cp313"]
dev.extras = ["cu124"]
prod.lock = "training/uv.lock"
"""


VARIANTS = """
[[tool.lockaudit.variant]]
name = "cu124"
dev.extras = ["cu124"]

[[tool.lockaudit.variant]]
name = "cu128"
cuda = "12.8.1"
python = "3.13"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A pair with settings."""
    return write_pair(tmp_path, dev=LOCK, prod=LOCK, config=SETTINGS, dockerfile=DOCKERFILE)


def settings(root: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """Key -> setting."""
    result = lockaudit("config", root, "--output-format", "json", *arguments)
    assert (result.code, result.err) == (0, "")
    assert result.document["version"] == 1
    return {setting["key"]: setting for setting in result.document["settings"]}


def line(root: Path, text: str) -> int:
    """The line of pyproject.toml that begins so."""
    lines = (root / "pyproject.toml").read_text().splitlines()
    return next(number for number, each in enumerate(lines, start=1) if each.startswith(text))


# key -> value, origin, name, path, beginning of the line
ORIGINS: dict[str, tuple[object, str, str | None, str | None, str | None]] = {
    "targets": ([TARGET], "pyproject.toml", None, "pyproject.toml", "targets"),
    "first-party": (["core-lib"], "pyproject.toml", None, "pyproject.toml", "first-party"),
    "dev.extras": (["cu124"], "pyproject.toml", None, "pyproject.toml", "extras"),
    "prod.extras": (None, "default", None, None, None),
    "prod.lock": ("prod/uv.lock", "default", None, None, None),
    "image.ubuntu": ("24.04", "pyproject.toml", None, "pyproject.toml", "ubuntu"),
    "image.cuda": ("12.6.3", "Dockerfile", "CUDA_VERSION", "docker/Dockerfile-uv", None),
    "image.variant": ("cudnn", "default", None, None, None),
    "bake.image": ("app", "default", None, None, None),
    "bake.cache-repo": ("app-cache", "default", None, None, None),
    "package.torch.ignore": (
        {"LA103": "tested by hand"},
        "pyproject.toml",
        None,
        "pyproject.toml",
        "[tool.lockaudit.p",
    ),
}


@pytest.mark.parametrize("key", ORIGINS)
def test_a_setting_has_a_value_and_an_origin(root: Path, key: str) -> None:
    value, origin, name, path, start = ORIGINS[key]
    found = settings(root)[key]
    wanted_line = None if path is None else 1 if start is None else line(root, start)
    assert found == {"key": key, "value": value, "origin": origin, "name": name, "path": path, "line": wanted_line}


@pytest.mark.parametrize("config", ["", SETTINGS, PAIRS, VARIANTS], ids=["none", "some", "pairs", "variants"])
def test_every_key_is_there(tmp_path: Path, config: str) -> None:
    found = settings(write_pair(tmp_path, dev=LOCK, prod=LOCK, config=config))
    patterns = {re.sub(r"^(package|wheel)\.(?!group)[^.]+", r"\1.*", re.sub(r"\[\w*\]", "[]", key)) for key in found}
    assert patterns == {key.path for key in KEYS}


def test_the_command_line_counts_before_the_environment_before_the_file(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCKAUDIT_TARGET", "linux-x86_64-cp313, linux-x86_64-cp314")
    found = settings(root)["targets"]
    assert (found["value"], found["origin"], found["name"]) == (
        ["linux-x86_64-cp313", "linux-x86_64-cp314"],
        "environment",
        "LOCKAUDIT_TARGET",
    )
    found = settings(root, "--target", "linux-x86_64-cp311")["targets"]
    assert (found["value"], found["origin"], found["name"]) == (["linux-x86_64-cp311"], "command line", "--target")


def test_no_extras_is_said_by_its_own_option(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKAUDIT_DEV_EXTRA", "cu128")
    assert settings(root)["dev.extras"]["name"] == "LOCKAUDIT_DEV_EXTRA"
    found = settings(root, "--no-dev-extras")["dev.extras"]
    assert (found["value"], found["name"]) == ([], "--no-dev-extras")


def test_targets_that_nobody_named_come_from_the_dockerfile(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=LOCK, prod=LOCK, dockerfile=DOCKERFILE, targets=())
    found = settings(root)["targets"]
    assert (found["value"], found["origin"], found["line"]) == ([TARGET], "Dockerfile", 2)


def test_it_needs_no_lock_and_no_project(tmp_path: Path) -> None:
    assert {setting["origin"] for setting in settings(tmp_path).values()} == {"default"}


def test_pairs_have_their_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_pair(tmp_path, dev=LOCK, prod=LOCK, config=PAIRS)
    found = settings(root)
    assert found["pair[serving].targets"]["value"] == [TARGET]
    assert found["pair[serving].targets"]["line"] == line(root, "targets")
    assert found["pair[training].targets"]["value"] == ["linux-x86_64-cp313"]
    assert found["pair[training].targets"]["line"] == line(root, 'name = "training"') + 1
    assert found["pair[training].prod.lock"]["line"] == line(root, 'prod.lock = "training')
    assert found["pair[training].dev.lock"]["origin"] == "default"
    assert not any(key.startswith("pair[serving]") for key in settings(root, "--pair", "training"))
    monkeypatch.setenv("LOCKAUDIT_TARGET", TARGET)
    assert settings(root)["pair[training].targets"]["origin"] == "environment"


def test_variants_have_their_own_settings(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=LOCK, prod=LOCK, config=VARIANTS, dockerfile=DOCKERFILE)
    found = settings(root)
    assert found["variant[cu124].cuda"] == {
        "key": "variant[cu124].cuda",
        "value": "12.6.3",
        "origin": "Dockerfile",
        "name": "CUDA_VERSION",
        "path": "docker/Dockerfile-uv",
        "line": 1,
    }
    assert (found["variant[cu128].cuda"]["value"], found["variant[cu128].cuda"]["line"]) == (
        "12.8.1",
        line(root, 'cuda = "12.8.1"'),
    )
    assert found["variant[cu124].dev.extras"]["line"] == line(root, 'dev.extras = ["cu124"]')
    assert found["variant[cu128].dev.extras"]["origin"] == "default"
    assert found["variant[cu128].targets"]["value"] == ["linux-x86_64-cp313"]
    assert not any(key.startswith("variant[cu124]") for key in settings(root, "--variant", "cu128"))


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_secrets_are_never_shown(root: Path, output_format: str) -> None:
    result = lockaudit("config", root, "--output-format", output_format)
    assert result.code == 0
    assert "s3cret" not in result.out
    assert "https://***@index.example/simple" in result.out
    assert "?sig=***&a=b" in result.out


def test_text_is_one_line_for_each_setting(root: Path) -> None:
    lines = lockaudit("config", root).out.splitlines()
    assert any(re.fullmatch(rf'targets +\["{TARGET}"\]  \(pyproject\.toml:6\)', x) for x in lines)
    assert any(re.fullmatch(r'image\.cuda +"12\.6\.3"  \(docker/Dockerfile-uv:1 ARG CUDA_VERSION\)', x) for x in lines)
    assert len(lines) == len(settings(root))


def test_a_wrong_setting_is_told(tmp_path: Path) -> None:
    result = lockaudit("config", write_pair(tmp_path, dev=LOCK, prod=LOCK, config="first-part = []\n"))
    assert result.code == 2
    assert "did you mean `first-party`?" in result.err
