"""The mirror: uv writes there what it would write in the repository, and the repository does not change."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from auditor.change.apply import apply
from auditor.change.tree import Tree, mirror
from auditor.change.uv import culprit, lock
from auditor.errors import OutputError, UvError
from tests.standins import distributions, uv, uv_binary

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "pyproject.toml": """
[project]
name = "app"
version = "0.1"
requires-python = ">=3.11"
dependencies = ["core", "tree", "edit", "beside"]

[tool.uv.workspace]
members = ["packages/*"]

[tool.uv.sources]
core = { workspace = true }
tree = { path = "libs/tree" }
edit = { path = "libs/edit", editable = true }
beside = { path = "../beside" }
""",
    "prod/pyproject.toml": """
[project]
name = "app-prod"
version = "0.1"
requires-python = ">=3.11"
dependencies = ["core", "tree", "edit", "beside", "delta", "archive"]

[tool.uv.sources]
core = { path = "../packages/core" }
tree = { path = "../libs/tree" }
edit = { path = "../libs/edit", editable = true }
beside = { path = "../../beside" }
archive = { path = "vendor/archive-1.0-py3-none-any.whl" }
delta = { index = "flat" }

[[tool.uv.index]]
name = "flat"
url = "../flat"
format = "flat"
explicit = true
""",
    ".python-version": "3.11\n",
    "packages/core/pyproject.toml": '[project]\nname = "core"\nversion = "1"\nrequires-python = ">=3.11"\n',
    "libs/tree/pyproject.toml": '[project]\nname = "tree"\nversion = "1"\nrequires-python = ">=3.11"\n',
    "libs/edit/pyproject.toml": '[project]\nname = "edit"\nversion = "1"\nrequires-python = ">=3.11"\n',
    "../beside/pyproject.toml": '[project]\nname = "beside"\nversion = "1"\nrequires-python = ">=3.11"\n',
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A workspace and a prod project whose sources lie in, beside and outside the repository."""
    root = tmp_path / "home" / "repository"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    distributions.wheel(root / "flat", "delta", "1.0")
    distributions.wheel(root / "prod" / "vendor", "archive", "1.0")
    return root


def snapshot(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_uv_locks_in_the_mirror_as_in_the_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    before = snapshot(repository.parent)
    with mirror(repository) as tree:
        for folder in (".", "prod"):
            lock(tree, folder, uv_binary())
        changes = tree.changes()
    assert snapshot(repository.parent) == before
    for folder in (".", "prod"):
        uv("lock", "--offline", cwd=repository / folder)
    assert {each.path: each.new for each in changes} == {
        path: (repository / path).read_text(encoding="utf-8") for path in ("uv.lock", "prod/uv.lock")
    }


def test_only_what_differs_is_a_change_and_is_applied(repository: Path) -> None:
    with mirror(repository) as tree:
        tree.replace("packages/core/pyproject.toml", tree.text("packages/core/pyproject.toml"))
        tree.replace("packages/core/NOTES", "new\r\n")
        tree.replace("docker/wheels/x/pylock.toml", "new")
        tree.replace(".python-version", None)
        tree.replace("nothing", None)
        changes = tree.changes()
    assert [(each.path, each.old, each.new) for each in changes] == [
        (".python-version", "3.11\n", None),
        ("docker/wheels/x/pylock.toml", None, "new"),
        ("packages/core/NOTES", None, "new\r\n"),
    ]
    apply(repository, changes)
    assert (repository / "packages/core/NOTES").read_bytes() == b"new\r\n"
    assert not (repository / ".python-version").exists()
    with mirror(repository) as tree:
        assert tree.text("docker/wheels/x/pylock.toml") == "new"


@pytest.mark.parametrize("path", ["../beside/new", "/etc/new", "outside/new", "outside-file", "prod/../../new"])
def test_nothing_is_changed_outside_the_repository(repository: Path, path: str) -> None:
    (repository / "outside").symlink_to(repository.parent / "beside")
    (repository / "outside-file").symlink_to(repository.parent / "beside" / "pyproject.toml")
    before = snapshot(repository.parent)
    with mirror(repository) as tree, pytest.raises(OutputError, match="out of the repository"):
        tree.replace(path, "new")
    assert snapshot(repository.parent) == before


def test_settings_above_the_repository_count(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    above = repository / "uv.toml"  # three folders above, and it hides the pyproject.toml beside it
    above.write_text('exclude-newer = "2020-01-01T00:00:00Z"\n', encoding="utf-8")
    deep = repository / "deep" / "er" / "repository"
    shutil.copytree(repository / "libs" / "tree", deep)
    with mirror(deep) as tree:
        lock(tree, ".", uv_binary())
        assert 'exclude-newer = "2020-01-01' in (tree.text("uv.lock") or "")


def test_uv_that_is_missing_or_fails_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    root = tmp_path / "app"
    root.mkdir()
    (root / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["einops"]\n', "utf-8"
    )
    with mirror(root) as tree:
        with pytest.raises(UvError, match="uv is not on PATH"):
            lock(tree, ".", None)
        with pytest.raises(UvError, match="uv could not resolve einops") as caught:
            lock(tree, ".", uv_binary())
    assert "nothing was changed" in (caught.value.hint or "")
    assert "lockaudit-" not in str(caught.value)
    assert not (root / "uv.lock").exists()


def test_the_mirror_goes_away(repository: Path) -> None:
    with mirror(repository) as tree:
        folder = tree.folder
        assert isinstance(tree, Tree)
        assert folder.is_dir()
    assert not folder.exists()
    assert (repository / "libs" / "tree" / "pyproject.toml").is_file()


@pytest.mark.parametrize(
    ("output", "name"),
    [
        (
            "  \u00d7 No solution found when resolving dependencies:\n  ╰─▶ Because nothere was not\n      found in",
            "nothere",
        ),
        ("error: No solution found\n  cause: Because there is no version of einops==9 and your", "einops"),
        ("Because your project depends on einops>=0.8 and einops<0.5, we", "einops"),
        ("error: Failed to fetch: http://127.0.0.1:1/simple/einops/\n  cause: error sending", "einops"),
        ("error: Failed to download and build `einops @ git+https://git.invalid/x.git`", "einops"),
        ("Failed to build `e @ file:///x`\n  cause: Failed to parse entry: `einops`\n", "einops"),
        ("Because all versions of pytest depend on pluggy>=1.5,<2 and your project", "pytest"),
        ("error: Distribution not found at: file:///tmp/libs/nope", "nope"),
        ("error: something else", None),
    ],
)
def test_the_package_is_read_from_what_uv_says(output: str, name: str | None) -> None:
    assert culprit(output) == name
