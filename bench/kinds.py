"""The kinds of change whose cost `lockaudit plan` predicts: one for everything that a stage can depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.changes import Change, Row
from bench.lab import OTHER_CMAKE, OTHER_CUDA, OTHER_FLASH, OTHER_TORCH, OTHER_UBUNTU, OTHER_UV
from tests.engine.project import edit, lock
from tests.standins import uv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MEMBER: Final = """\
[project]
name = "lib"
version = "0.1.0"
requires-python = ">=3.11,<3.13"

[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
packages = ["lib"]
"""


def add_member(project: Path) -> None:
    """Give a stand-in project a workspace member, tests and a folder that no image needs; locks it anew."""
    root = project / "pyproject.toml"
    edit(root, 'dependencies = ["requests==2.32.3"]', 'dependencies = ["requests==2.32.3", "lib"]')
    edit(root, "[tool.uv.sources]\n", "[tool.uv.sources]\nlib = { workspace = true }\n")
    root.write_text(f'{root.read_text()}\n[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    texts = {
        "packages/lib/pyproject.toml": MEMBER,
        "packages/lib/lib/__init__.py": '"""A member."""\n',
        "tests/test_app.py": "def test_app() -> None: ...\n",
        "docs/index.md": "# A stand-in\n",
        ".github/note.md": "No image needs it.\n",
    }
    for name, text in texts.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    lock(project)


def _append(name: str, text: str = "# Another line.\n") -> Callable[[Row], object]:
    def change(row: Row) -> None:
        path = row.project / name
        path.write_text((path.read_text() if path.exists() else "") + text)

    return change


def _dockerfile(old: str, new: str) -> Callable[[Row], object]:
    return lambda row: edit(row.project / "docker" / "Dockerfile-uv", old, new)


def _root_lock(package: str, version: str) -> Callable[[Row], object]:
    return lambda row: uv("lock", "--upgrade-package", f"{package}=={version}", cwd=row.project)


def _extra(row: Row) -> None:
    edit(row.root, "[dependency-groups]", 'lint = ["ruff"]\n\n[dependency-groups]')
    edit(row.root, 'extras = ["flash"]', 'extras = ["flash", "lint"]')
    lock(row.project)


def _flash(row: Row) -> None:
    for path in row.both:
        edit(path, 'version = "2.8.3"', f'version = "{OTHER_FLASH}"')
    row.edit_both("flash-attn==2.8.3", f"flash-attn=={OTHER_FLASH}")


def _prod_adds(row: Row) -> None:
    edit(row.both[1], '"requests==2.32.3"', '"requests==2.32.3", "numpy"')
    lock(row.project)


def _executable(row: Row) -> None:
    (row.project / "tests" / "test_app.py").chmod(0o755)


KINDS: Final = (
    Change("a source file", _append("app/__init__.py")),
    Change("the README", _append("README.md")),
    Change("a test", _append("tests/test_app.py")),
    Change("a file that .dockerignore leaves out", _append(".github/note.md")),
    Change("a new file", _append("app/new.py")),
    Change("a file that is gone", lambda row: (row.project / "docs" / "index.md").unlink()),
    Change("a file that is made executable", _executable),
    Change(".dockerignore, which then leaves the tests out", _append(".dockerignore", "tests\n")),
    Change(".python-version", _append(".python-version", "3.11\n")),
    Change("a comment in pyproject.toml", _append("pyproject.toml")),
    Change("a comment in prod/pyproject.toml", _append("prod/pyproject.toml")),
    Change("the dev group", lambda row: row.edit_root('dev = ["pytest"]', 'dev = ["pluggy"]')),
    Change("a dependency of dev alone (idna)", _root_lock("idna", "3.9")),
    Change("a dependency of both (einops)", lambda row: row.upgrade("einops", "0.8.0")),
    Change("a dependency added to prod alone", _prod_adds),
    Change("a transitive dependency of torch (filelock)", lambda row: row.upgrade("filelock", "3.16.1")),
    Change("a build tool (ninja)", lambda row: row.upgrade("ninja", "1.11.1.3")),
    Change("an extra of dev's selection", _extra),
    Change("the version of the project", lambda row: row.edit_root('version = "0.1.0"', 'version = "0.2.0"')),
    Change("a workspace member's manifest", _append("packages/lib/pyproject.toml")),
    Change("a workspace member's source", _append("packages/lib/lib/__init__.py")),
    Change("torch", lambda row: row.edit_both('"torch==2.6.0"', f'"torch=={OTHER_TORCH}"')),
    Change("flash-attn", _flash),
    Change("CMake", lambda row: row.edit_root("cmake==3.26.1", f"cmake=={OTHER_CMAKE}")),
    Change("the GPU architectures", lambda row: edit(row.root, '"80;90"', '"90"')),
    Change(f"CUDA of the image ({OTHER_CUDA})", lambda row: row.setting("image", f'cuda = "{OTHER_CUDA}"')),
    Change("the variant of the image (runtime)", lambda row: row.setting("image", 'variant = "runtime"')),
    Change("the Ubuntu release", lambda row: row.setting("image", f'ubuntu = "{OTHER_UBUNTU}"')),
    Change("uv of the images", lambda row: row.setting("image", f'uv = "{OTHER_UV}"')),
    Change(
        "the modules that production must import",
        lambda row: row.setting("wheel.flash-attn", 'modules = ["flash_attn", "einops"]'),
    ),
    Change("the name of the images", lambda row: row.setting("bake", 'image = "another"')),
    Change("MAX_JOBS", lambda row: row.env.update(MAX_JOBS="7")),
    Change(
        "labels, in docker-bake.override.hcl",
        lambda row: edit(row.project / "docker-bake.override.hcl", "}", '  labels = { release = "another" }\n}'),
    ),
    Change("a comment in the Dockerfile", _dockerfile("# Which images.", "# Which of the images.")),
    Change("a CMD in the Dockerfile", _dockerfile('CMD ["bash"]', 'ENV EDITED=1\nCMD ["bash", "-l"]')),
    Change("a RUN of the stage prod", _dockerfile("useradd --uid 10001", "useradd --shell /bin/sh --uid 10001")),
    Change("an ENV of the stage base", _dockerfile("UV_LINK_MODE=copy \\\n", "UV_LINK_MODE=copy EDITED=1 \\\n")),
    Change("steps.sh", _dockerfile("# apt_install PACKAGE", "# Also: apt_install PACKAGE")),
    Change("install-wheels.sh", _dockerfile("# Installs the wheel of every", "# It installs the wheel of every")),
    Change("compile.sh", _dockerfile("# Compiles every package", "# It compiles every package")),
    Change(
        "the step that gathers manifests",
        _dockerfile('mkdir -p "/manifests/$DEV_FOLDER"\n', 'mkdir -p "/manifests/$DEV_FOLDER" # edited\n'),
    ),
)
# What a test can afford: one of each way in which a change reaches a stage, or does not.
FEW: Final = (
    "the README",
    "a file that .dockerignore leaves out",
    "a comment in prod/pyproject.toml",
    "a dependency of dev alone (idna)",
    "a workspace member's manifest",
    "the GPU architectures",
    "install-wheels.sh",
    "MAX_JOBS",
)
