"""The development image: the same wheel, with the sources and the tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .docker import compiles
from .project import edit, lock

if TYPE_CHECKING:
    from pathlib import Path

    from .docker import Build, Engine


def test_the_wheel_is_the_one_of_production(dev_build: Build) -> None:
    assert compiles(dev_build.log) == 0


def test_it_has_sources_and_tools(engine: Engine, dev_build: Build) -> None:
    code = "import app, flash_attn, pytest; print(app.__file__)"
    assert engine.run(dev_build.image, "python", "-c", code).stdout == "/workspace/app/__init__.py\n"
    assert engine.run(dev_build.image, "sh", "-c", "command -v gcc git uv").returncode == 0


def test_a_source_change_installs_no_dependency(engine: Engine, dev_build: Build, copied_project: Path) -> None:
    (copied_project / "app" / "new.py").write_text('"""New."""\n')
    build = engine.build(copied_project, "dev")
    assert compiles(build.log) == 0
    assert not [line for line in build.log.splitlines() if "+ torch==" in line]
    assert engine.run(build.image, "python", "-c", "import app.new, flash_attn").returncode == 0
    assert dev_build.image != build.image


def test_a_workspace_builds(engine: Engine, copied_project: Path) -> None:
    """The members' manifests decide the dependencies, their sources do not."""
    core = copied_project / "packages" / "core"
    (core / "core").mkdir(parents=True)
    (core / "core" / "__init__.py").write_text('"""A member."""\n')
    (core / "pyproject.toml").write_text(CORE)
    root = copied_project / "pyproject.toml"
    edit(root, '"requests==2.32.3"', '"requests==2.32.3", "core"')
    edit(
        root,
        "[tool.uv.sources]\n",
        '[tool.uv.workspace]\nmembers = ["packages/*"]\n\n[tool.uv.sources]\ncore = { workspace = true }\n',
    )
    lock(copied_project)
    first = engine.build(copied_project, "dev")
    assert "+ idna==3.10" in first.log
    assert "+ app==0.1.0 (from file:///workspace)" in first.log
    (core / "core" / "new.py").write_text('"""New."""\n')
    second = engine.build(copied_project, "dev")
    assert "+ idna==3.10" not in second.log
    code = "import app, core.new; print(core.__file__)"
    assert engine.run(second.image, "python", "-c", code).stdout == "/workspace/packages/core/core/__init__.py\n"


CORE = """\
[project]
name = "core"
version = "0.1.0"
dependencies = ["idna"]

[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
"""
