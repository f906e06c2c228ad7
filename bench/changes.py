"""The changes that are measured: those that must compile nothing, and one for each part of the key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench.lab import OTHER_CMAKE, OTHER_CUDA, OTHER_FLASH, OTHER_TORCH, OTHER_UBUNTU, OTHER_UV
from bench.naive import DOCKERFILE
from tests.engine.project import edit, lock
from tests.standins import uv

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable
    from pathlib import Path

    from bench.lab import Lab


@dataclass(slots=True)
class Row:
    """One copy of the project, and what else a change may touch.

    Attributes:
        lab: the laboratory.
        project: the copy.
        stack: what must stay open until the row has been built.
        env: variables of `docker buildx bake`.
        naive: the usual recipe, for comparison.
    """

    lab: Lab
    project: Path
    stack: contextlib.ExitStack
    env: dict[str, str] = field(default_factory=dict)
    naive: str = DOCKERFILE

    @property
    def root(self) -> Path:
        """The root's pyproject.toml."""
        return self.project / "pyproject.toml"

    @property
    def both(self) -> tuple[Path, Path]:
        """The pyproject.toml of both sides."""
        return self.root, self.project / "prod" / "pyproject.toml"

    def edit_both(self, old: str, new: str) -> None:
        """Edit both sides and lock them."""
        for path in self.both:
            edit(path, old, new)
        lock(self.project)

    def edit_root(self, old: str, new: str) -> None:
        """Edit the root and lock both sides."""
        edit(self.root, old, new)
        lock(self.project)

    def setting(self, section: str, line: str) -> None:
        """Add a setting of lockaudit."""
        text = self.root.read_text()
        header = f"[tool.lockaudit.{section}]\n"
        self.root.write_text(
            text.replace(header, f"{header}{line}\n") if header in text else f"{text}\n{header}{line}\n"
        )

    def upgrade(self, package: str, version: str) -> None:
        """Lock another version of one package on both sides."""
        for folder in (self.project, self.project / "prod"):
            uv("lock", "--upgrade-package", f"{package}=={version}", cwd=folder)

    def lock_anew(self) -> None:
        """Forget both locks and make new ones."""
        for folder in (self.project, self.project / "prod"):
            (folder / "uv.lock").unlink()
        lock(self.project)


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the table.

    Attributes:
        name: what is changed.
        apply: changes a row.
    """

    name: str
    apply: Callable[[Row], object]


def _note(row: Row) -> None:
    row.root.write_text("# A comment.\n" + row.root.read_text())


def _upload_times(row: Row) -> None:
    for path in (row.project / "uv.lock", row.project / "prod" / "uv.lock"):
        text = re.sub(
            r"(hash = \"sha256:[0-9a-f]+\")", r'\1, upload-time = "2026-01-02T03:04:05.678Z"', path.read_text()
        )
        path.write_text(text)


def _dockerfile(row: Row) -> None:
    path = row.project / "docker" / "Dockerfile-uv"
    edit(path, 'CMD ["bash"]', 'ENV EDITED=1\nCMD ["bash"]')
    edit(path, "# Installs the wheel of every", "# It installs the wheel of every")
    row.naive = row.naive.replace("AS dev\n", "AS dev\nENV EDITED=1\n")


def _umask(row: Row) -> None:
    for path in row.project.rglob("*"):
        path.chmod(0o775 if path.is_dir() else 0o664)


def _sources(row: Row) -> None:
    (row.project / "app" / "new.py").write_text('"""New."""\n')


def _readme(row: Row) -> None:
    (row.project / "README.md").write_text("# A stand-in\n\nWith more words.\n")


def _labels(row: Row) -> None:
    edit(row.project / "docker-bake.override.hcl", "}", '  labels = { release = "another" }\n}')


def _extra(row: Row) -> None:
    edit(row.root, "[dependency-groups]", 'lint = ["ruff"]\n\n[dependency-groups]')
    edit(row.root, 'extras = ["flash"]', 'extras = ["flash", "lint"]')
    lock(row.project)


def _companion(row: Row) -> None:
    for path in row.both:
        edit(path, 'torch = { index = "cu124" }', 'torch = { index = "cu124" }\ntorchvision = { index = "cu124" }')
    row.edit_both('"torch==2.6.0"', '"torch==2.6.0", "torchvision"')


def _prod_adds(row: Row) -> None:
    edit(row.both[1], '"requests==2.32.3"', '"requests==2.32.3", "einops"')
    lock(row.project)


def _prod_drops(row: Row) -> None:
    edit(row.both[1], '"requests==2.32.3", ', "")
    lock(row.project)


def _torch_rebuilt(row: Row) -> None:
    row.lab.rebuild_torch(row.stack.enter_context(row.lab.uploaded_again("cu124", "torch")))
    row.lock_anew()


def _flash_rebuilt(row: Row) -> None:
    row.lab.rebuild_flash_attn(row.stack.enter_context(row.lab.uploaded_again("pypi", "flash-attn")))
    row.lock_anew()


def _flash(row: Row) -> None:
    for path in row.both:
        edit(path, 'version = "2.8.3"', f'version = "{OTHER_FLASH}"')
    row.edit_both("flash-attn==2.8.3", f"flash-attn=={OTHER_FLASH}")


def _environment(name: str, value: str) -> Callable[[Row], object]:
    return lambda row: row.env.update({name: value})


KEEP: Final = (
    Change("a new dependency", lambda row: row.edit_both('"requests==2.32.3"', '"requests==2.32.3", "numpy"')),
    Change("a transitive dependency of torch bumped (filelock)", lambda row: row.upgrade("filelock", "3.16.1")),
    Change("a dependency of flash-attn bumped (einops)", lambda row: row.upgrade("einops", "0.8.0")),
    Change("a companion of torch added (torchvision)", _companion),
    Change("a dependency removed", lambda row: row.edit_both('"requests==2.32.3"', '"idna"')),
    Change("a dependency added to prod alone", _prod_adds),
    Change("a dependency removed from prod alone", _prod_drops),
    Change("the dev group changed", lambda row: row.edit_root('dev = ["pytest"]', 'dev = ["pluggy"]')),
    Change("a lint tool added to the dev group", lambda row: row.edit_root('["pytest"]', '["pytest", "ruff"]')),
    Change("a dev extra added", _extra),
    Change("a build tool bumped (ninja)", lambda row: row.upgrade("ninja", "1.11.1.3")),
    Change("both locks written again with upload times", _upload_times),
    Change("a comment in pyproject.toml", _note),
    Change("the version of the project", lambda row: row.edit_root('version = "0.1.0"', 'version = "0.2.0"')),
    Change("the README", _readme),
    Change("the sources", _sources),
    Change("file modes, by another umask", _umask),
    Change("the Dockerfile, outside of the compile stage", _dockerfile),
    Change("uv of the images", lambda row: row.setting("image", f'uv = "{OTHER_UV}"')),
    Change("labels", _labels),
    Change("tags (DEV_TAG, PROD_TAG)", lambda row: row.env.update(DEV_TAG="d2", PROD_TAG="p2")),
    Change("MAX_JOBS", _environment("MAX_JOBS", "7")),
    Change("NVCC_THREADS", _environment("NVCC_THREADS", "1")),
    Change("SOURCE_DATE_EPOCH", _environment("SOURCE_DATE_EPOCH", "1700000000")),
    Change("CACHE_REPO", lambda row: row.env.update(CACHE_REPO=f"{row.lab.registry}/nothing")),
    Change(
        "a login for private indexes", _environment("LOCKAUDIT_NETRC", "machine example.invalid login a password b")
    ),
)

RENEW: Final = (
    Change("torch's version", lambda row: row.edit_both('"torch==2.6.0"', f'"torch=={OTHER_TORCH}"')),
    Change("torch's local version and index (cu128)", lambda row: row.edit_both("cu124/simple", "cu128/simple")),
    Change("torch's index alone, same wheel", lambda row: row.edit_both("/cu124/simple", "/moved-cu124/simple")),
    Change("the hash of torch's wheel alone", _torch_rebuilt),
    Change("flash-attn's version", _flash),
    Change("the hash of flash-attn's sdist alone", _flash_rebuilt),
    Change(f"CUDA of the image ({OTHER_CUDA})", lambda row: row.setting("image", f'cuda = "{OTHER_CUDA}"')),
    Change("the variant (runtime)", lambda row: row.setting("image", 'variant = "runtime"')),
    Change("the Ubuntu release", lambda row: row.setting("image", f'ubuntu = "{OTHER_UBUNTU}"')),
    Change("CMake", lambda row: row.edit_root("cmake==3.26.1", f"cmake=={OTHER_CMAKE}")),
    Change("a variable of the compile", lambda row: row.setting("wheel.flash-attn.env", 'OPT_DIM = "64"')),
    Change("the GPU architectures", lambda row: edit(row.root, '"80;90"', '"90"')),
)
