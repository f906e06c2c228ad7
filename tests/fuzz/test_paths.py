"""Paths that lead out of the repository: through `..`, as absolute ones, and through links; read and written."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import lockaudit
from tests.wheel.specimens import COMPILED

if TYPE_CHECKING:
    from pathlib import Path

BAKE = "docker-bake.hcl"
# What is read without being named on the command line, and a command that reads it.
READ = (
    ("pyproject.toml", "check"),
    ("uv.lock", "check"),
    ("prod/uv.lock", "check"),
    ("prod/pyproject.toml", "check"),
    ("docker/Dockerfile-uv", "check"),
    ("docker-bake.hcl", "check"),
    ("docker-bake.override.hcl", "check"),
    ("docker-bake.override.json", "check"),
    ("compose.yaml", "check"),
    ("uv.toml", "check"),
    (".python-version", "key"),
    ("docker/wheels/flash-attn/pylock.toml", "bake"),
    ("docker/wheels/flash-attn/source.txt", "bake"),
    ("uv.lock", "key"),
    ("docker/Dockerfile-uv", "key"),
    ("uv.lock", "graph"),
    ("uv.lock", "bake"),
    ("docker-bake.hcl", "bake"),
    ("docker/Dockerfile-uv", "config"),
    ("pyproject.toml", "config"),
)
SETTINGS = (
    'prod.lock = "@"',
    'dev.lock = "@"',
    'image.dockerfile = "@"',
    'bake.file = "@"',
    '[[tool.lockaudit.pair]]\nname = "a"\nprod.lock = "@"',
    '[[tool.lockaudit.pair]]\nname = "a"\nprod.lock = "prod/uv.lock"\ndev.lock = "@"',
    '[[tool.lockaudit.pair]]\nname = "a"\nprod.lock = "prod/uv.lock"\ndockerfile = "@"',
)
OUTSIDE = ("../../etc/passwd", "/etc/passwd", "docker/../../x", "~/x", "C:/x", "..\\\\x")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A pair that compiles a wheel, baked, with settings that make everything count."""
    folder = COMPILED.write(tmp_path / "repository")
    assert lockaudit("bake", folder).code == 0
    (folder / ".python-version").write_text("3.12\n")
    (folder / "docker-bake.override.hcl").write_text('target "dev" {}\n')
    (folder / "docker-bake.override.json").write_text('{"target": {"dev": {}}}\n')
    (folder / "compose.yaml").write_text("services: {}\n")
    (folder / "uv.toml").write_text("")
    settings = folder / "pyproject.toml"
    text = settings.read_text("utf-8")
    settings.write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith("select")))
    return folder


def moved_out(root: Path, path: str) -> Path:
    """A file moved out of the repository, with a link to it left behind."""
    outside = root.parent / "outside" / path
    outside.parent.mkdir(parents=True, exist_ok=True)
    if (root / path).exists():
        shutil.move(root / path, outside)
    else:
        outside.write_text("")
    (root / path).symlink_to(outside)
    return outside


@pytest.mark.parametrize(("path", "command"), READ)
def test_a_link_that_leads_out_is_not_read(root: Path, path: str, command: str) -> None:
    arguments = {"key": ["--target", "linux-x86_64-cp312"], "check": ["--output-format", "json"]}.get(command, [])
    if path == ".python-version":
        settings = root / "pyproject.toml"
        settings.write_text(settings.read_text().replace("targets", "first-party = []\n# "))
        arguments = []
    outside = moved_out(root, path)
    result = lockaudit(command, root, *arguments)
    assert (result.code, result.out) == (2, "")
    assert f"error: {path}: this " in result.err
    assert f"leads out of the project, to {outside}\n" in result.err
    assert "help: put a file there" in result.err


def test_a_folder_that_leads_out_is_not_read(root: Path) -> None:
    shutil.move(root / "prod", root.parent / "elsewhere")
    (root / "prod").symlink_to(root.parent / "elsewhere")
    result = lockaudit("check", root)
    assert (result.code, result.out) == (2, "")
    assert f"leads out of the project, to {root.parent / 'elsewhere' / 'uv.lock'}" in result.err


def test_a_link_that_stays_inside_is_read_and_written_through(root: Path) -> None:
    for path, place in ((BAKE, "docker/bake.hcl"), ("prod/uv.lock", "docker/prod.lock")):
        shutil.move(root / path, root / place)
        (root / path).symlink_to(root / place)
    assert lockaudit("bake", "--check", root).code == 0
    (root / "docker" / "bake.hcl").write_text("")
    assert lockaudit("bake", root).code == 0
    assert (root / BAKE).is_symlink()
    assert (root / "docker" / "bake.hcl").stat().st_size > 0


def test_the_root_may_be_a_link(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    before = lockaudit("check", root, "--output-format", "json")
    assert lockaudit("check", link, "--output-format", "json") == before
    assert lockaudit("bake", "--check", link).code == 0


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("path", OUTSIDE)
def test_settings_that_lead_out(root: Path, setting: str, path: str) -> None:
    with (root / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(setting.replace("@", path) + "\n")
    before = sorted(root.parent.rglob("*"))
    for command in ("check", "bake", "key", "graph", "config"):
        result = lockaudit(command, root)
        assert (result.code, result.out) == (2, "")
        assert "leaves the project" in result.err
    assert sorted(root.parent.rglob("*")) == before


@pytest.mark.parametrize("option", ["--dockerfile", "--dev-lock", "--prod-lock"])
@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "prod/../../x"])
def test_options_that_lead_out(root: Path, option: str, path: str) -> None:
    for command in ("check", "bake", "key", "graph", "config"):
        result = lockaudit(command, root, option, path)
        assert (result.code, result.out) == (2, "")
        assert f"{option} leaves ROOT" in result.err


@pytest.mark.parametrize(
    "link", [BAKE, "docker/wheels/flash-attn/key", "docker/wheels/flash-attn", "docker/wheels", "docker"]
)
def test_nothing_is_written_through_a_link_that_leads_out(root: Path, link: str) -> None:
    outside = root.parent / "outside"
    if (root / link).is_dir():
        shutil.move(root / link, outside)
    else:
        (root / link).unlink()
        outside.write_text("mine\n")
    (root / link).symlink_to(outside)
    before = {path: path.read_bytes() for path in (outside, *outside.rglob("*")) if path.is_file()}
    for command in ("bake", "bake --check", "bake --diff", "bake --stdout"):
        result = lockaudit(*command.split(), root)
        assert result.code == 2
        assert "leads out of the project, to " in result.err
        assert "mine" not in result.out
    assert {path: path.read_bytes() for path in (outside, *outside.rglob("*")) if path.is_file()} == before


def test_what_is_asked_for_may_be_anywhere(root: Path) -> None:
    """`-o` and `--output-file` name a place that somebody chose."""
    elsewhere = root.parent / "elsewhere"
    elsewhere.mkdir()
    link = root / "link"
    link.symlink_to(elsewhere / "through.json")
    assert lockaudit("bake", root, "-o", elsewhere / "bake.hcl").code == 0
    assert lockaudit("graph", root, "-o", elsewhere / "graph.html").code == 0
    assert lockaudit("check", root, "--exit-zero", "--output-file", link).code == 0
    assert sorted(path.name for path in elsewhere.iterdir()) == ["bake.hcl", "graph.html", "through.json"]


def test_workspace_members_that_lead_out_are_not_looked_at(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "pyproject.toml").write_text("not TOML, which would be an error")
    with (root / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(
            '\n[tool.uv.workspace]\nmembers = ["../outside", "../*", "../../**", "/etc/*", "prod/../../outside"]\n'
        )
    assert "outside" not in lockaudit("check", root).err
