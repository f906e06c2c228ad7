"""Members of a workspace and the settings that count in a folder, as the real uv sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.lock.project import read_project
from auditor.lock.workspace import Workspace, settings_of
from tests.standins import uv

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = ("packages/a", "packages/b", "packages/deep/c", "tools/d", "prod", "old-packages/e")


def project(name: str = "app", more: str = "") -> str:
    """The text of a pyproject.toml."""
    return f'[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n{more}'


def workspace(folder: Path, inside: str) -> Workspace:
    """A workspace of these folders, with `[tool.uv.workspace]`."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
        (folder / name / "pyproject.toml").write_text(project(name=name.rpartition("/")[2]), encoding="utf-8")
    path = folder / "pyproject.toml"
    path.write_text(project(more=f"\n[tool.uv.workspace]\n{inside}\n"), encoding="utf-8")
    return Workspace(folder, read_project(path, folder))


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ('members = ["packages/*"]\nexclude = ["packages/deep"]', ["packages/a", "packages/b"]),
        ('members = ["packages/a", "prod"]', ["packages/a", "prod"]),
        ('members = ["packages/**/c", "./tools/d/"]', ["packages/deep/c", "tools/d"]),
        ('members = ["*/a", "*"]\nexclude = ["packages", "tools", "old-*"]', ["packages/a", "prod"]),
        ('members = ["packages/?"]\nexclude = ["packages/[a]"]', ["packages/b"]),
        ('members = ["packages/[!a]"]', ["packages/b"]),
        ('members = ["nothing/*"]', []),
        # `*` of an exclusion crosses slashes.
        (
            'members = ["packages/*", "packages/deep/*"]\nexclude = ["pack*c", "packages/deep"]',
            ["packages/a", "packages/b"],
        ),
    ],
)
def test_members_are_those_of_uv(inside: str, expected: list[str], tmp_path: Path) -> None:
    found = workspace(tmp_path, inside)
    assert list(found.folders) == sorted(expected)
    uv("lock", "--offline", cwd=tmp_path)
    lock = (tmp_path / "uv.lock").read_text(encoding="utf-8")
    assert {name for name in FOLDERS if f'"{name}" }}' in lock} == set(expected)
    assert found.members is not None
    assert set(found.members) == {"app", *(name.rpartition("/")[2] for name in expected)}


def test_a_member_that_cannot_be_read(tmp_path: Path) -> None:
    found = workspace(tmp_path, 'members = ["packages/*"]\nexclude = ["packages/deep"]')
    (tmp_path / "packages" / "a" / "pyproject.toml").write_text("[project", encoding="utf-8")
    assert found.members is None


def test_a_folder_that_uv_does_not_manage(tmp_path: Path) -> None:
    found = workspace(tmp_path, 'members = ["packages/a", "packages/b"]')
    text = project("a", more="\n[tool.uv]\nmanaged = false\n")
    (tmp_path / "packages" / "a" / "pyproject.toml").write_text(text, encoding="utf-8")
    assert found.members is not None
    assert set(found.members) == {"app", "b"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"prod/pyproject.toml": "", "pyproject.toml": "[tool.uv]\n"}, "pyproject.toml"),
        ({"prod/pyproject.toml": "[tool.uv]\n", "pyproject.toml": "[tool.uv]\n"}, "prod/pyproject.toml"),
        ({"prod/pyproject.toml": "[tool.uv]\n", "prod/uv.toml": ""}, "prod/uv.toml"),
        ({"prod/pyproject.toml": "[tool.x]\n", "uv.toml": "", "pyproject.toml": "[tool.uv]\n"}, "uv.toml"),
        ({"prod/pyproject.toml": ""}, None),
        ({}, None),
    ],
)
def test_the_nearest_settings_count(files: dict[str, str], expected: str | None, tmp_path: Path) -> None:
    (tmp_path / "prod").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = settings_of(tmp_path, "prod")
    assert (found.file.name if found is not None else None) == expected


def test_uv_inherits_settings_and_an_empty_table_stops_it(tmp_path: Path) -> None:
    """What LA307 rests on: uv itself takes a cut-off date from the folder above, unless prod has a `[tool.uv]`."""
    (tmp_path / "pyproject.toml").write_text('[tool.uv]\nexclude-newer = "2026-01-01T00:00:00Z"\n', encoding="utf-8")
    prod = tmp_path / "prod"
    prod.mkdir()
    for more, inherits in (("", True), ("\n[tool.uv]\n", False)):
        (prod / "pyproject.toml").write_text(project(more=more), encoding="utf-8")
        (prod / "uv.lock").unlink(missing_ok=True)
        uv("lock", "--offline", cwd=prod)
        assert ("exclude-newer" in (prod / "uv.lock").read_text(encoding="utf-8")) is inherits
        settings = settings_of(tmp_path, "prod")
        assert settings is not None
        assert ("exclude-newer" in settings.values) is inherits
