"""What `fix` mends without uv: CUDA of the images, versions in the Dockerfile, bake file and build locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.change.fixers import FOR_A_PERSON, REMEDIES
from auditor.change.settings import moved
from auditor.rules import RULES
from tests.cli.command import lockaudit
from tests.wheel.specimens import COMPILED

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = "docker/Dockerfile-uv"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pair that compiles flash-attn, baked; there is no uv."""
    root = COMPILED.write(tmp_path / "root")
    project = root / "pyproject.toml"
    project.write_text(project.read_text("utf-8").replace("'LA0', 'LA1', 'LA2'", "'LA2', 'LA5'"), "utf-8")
    assert lockaudit("bake", root).code == 0
    monkeypatch.setenv("PATH", str(tmp_path))
    return root


def texts(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in root.rglob("*") if path.is_file()}


def test_bake_file_and_build_locks_are_written_anew(root: Path) -> None:
    before = texts(root)
    for path in ("docker-bake.hcl", "docker/wheels/flash-attn/pylock.toml"):
        (root / path).write_text(before[path] + "# edited\n", "utf-8")
    (root / "docker/wheels/flash-attn/key").unlink()
    assert {each["code"] for each in lockaudit("check", root, "--output-format", "json").findings} >= {"LA501", "LA502"}
    result = lockaudit("fix", root)
    assert texts(root) == before
    assert "docker-bake.hcl: as `lockaudit bake` writes it\n" in result.out
    again = lockaudit("fix", root)
    assert (again.out.count("bake"), texts(root)) == (0, before)


def test_a_bake_file_of_somebody_else_stays(root: Path) -> None:
    (root / "docker-bake.hcl").write_text('target "prod" {}\n', "utf-8")
    (root / "docker/wheels/flash-attn/key").write_text("another\n", "utf-8")
    lockaudit("fix", root)
    after = texts(root)
    assert after["docker-bake.hcl"] == 'target "prod" {}\n'
    assert after["docker/wheels/flash-attn/key"].startswith("flash-attn-")


def test_the_setting_of_cuda_follows_the_lock_and_so_does_the_bake_file(root: Path) -> None:
    project = root / "pyproject.toml"
    good = texts(root)
    project.write_text(good["pyproject.toml"] + '\n[tool.lockaudit.image]\ncuda = "12.6.3" # why\n', "utf-8")
    lockaudit("bake", root)
    result = lockaudit("fix", root)
    assert "pyproject.toml: cuda 12.4.1 in place of 12.6.3, as prod's torch has it\n" in result.out
    assert project.read_text("utf-8").endswith('cuda = "12.4.1" # why\n')
    assert "12.6.3" not in (root / "docker-bake.hcl").read_text("utf-8")


def test_only_lets_the_rest_be(root: Path) -> None:
    before = texts(root)
    for path in ("docker-bake.hcl", "docker/wheels/flash-attn/pylock.toml"):
        (root / path).write_text(before[path] + "# edited\n", "utf-8")
    lockaudit("fix", root, "--only", "LA2")
    assert texts(root)["docker-bake.hcl"] == before["docker-bake.hcl"] + "# edited\n"


def test_every_rule_is_mended_or_left_to_a_person() -> None:
    assert REMEDIES.keys() | FOR_A_PERSON == {rule.code for rule in RULES}
    assert not REMEDIES.keys() & FOR_A_PERSON


@pytest.mark.parametrize(
    ("setting", "new"),
    [
        ({"path": "libs/x", "editable": True}, {"path": "../libs/x", "editable": True}),
        ({"path": "prod/vendor/x.whl"}, {"path": "vendor/x.whl"}),
        ({"path": "/opt/x"}, {"path": "/opt/x"}),
        ({"name": "flat", "url": "./flat"}, {"name": "flat", "url": "../flat"}),
        ({"name": "near", "url": "./prod/flat"}, {"name": "near", "url": "./flat"}),
        ({"name": "a", "url": "https://a.example/simple"}, {"name": "a", "url": "https://a.example/simple"}),
        ([{"path": "x"}, {"index": "a"}], [{"path": "../x"}, {"index": "a"}]),
        ("filelock<3", "filelock<3"),
    ],
)
def test_relative_paths_are_prods(setting: object, new: object) -> None:
    assert moved(setting, ".", "prod") == new
