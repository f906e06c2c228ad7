"""Two CUDA variants of one project: what is compiled how often, and that each image runs what it was built for."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.standins.native import torch_files
from tests.variants.project import APART, PROD, ROOT, SETTINGS, write_apart, write_variants

from .baking import ONLY_CACHE, OVERRIDE, Baked, bake, lockaudit
from .docker import compiles
from .project import edit, lock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins import Index

    from .docker import Engine

pytestmark = pytest.mark.engine

VARIANTS = ("cu124", "cu128")


@dataclass(frozen=True, slots=True)
class Images:
    """What one bake of all images left.

    Attributes:
        project: the folder that was baked.
        tag: what follows `dev-` and `prod-`, before the name of the variant.
        cold: the bake.
    """

    project: Path
    tag: str
    cold: Baked

    def named(self, stage: str, variant: str) -> str:
        """The tag of one image."""
        return f"app:{stage}-{self.tag}-{variant}"

    @property
    def knobs(self) -> dict[str, str]:
        """The variables that it was baked with."""
        return knobs(self.tag)


def knobs(tag: str) -> dict[str, str]:
    """Variables for a bake without a registry, with tags of its own."""
    return {"CACHE_REPO": "", "DEV_TAG": f"dev-{tag}", "PROD_TAG": f"prod-{tag}"}


def baked_project(folder: Path, base: str, settings: str = SETTINGS, *, root: str = ROOT, prod: str = PROD) -> Path:
    """A project with variants whose wheels nobody has compiled, with its bake file; see `write_variants`."""
    own = f'[tool.lockaudit.wheel.flash-attn.env]\nTEST = "{uuid.uuid4().hex}"\n\n'
    project = write_variants(folder, base, settings + own, root=root, prod=prod)
    (project / "docker-bake.override.hcl").write_text(OVERRIDE)
    lockaudit(project, "bake")
    return project


@pytest.fixture(scope="module")
def images(engine: Engine, base: str, tmp_path_factory: pytest.TempPathFactory) -> Images:
    """All images of a new project, from one bake without any cache."""
    project = baked_project(tmp_path_factory.mktemp("variants") / "app", base)
    tag = uuid.uuid4().hex[:12]
    found = Images(project, tag, bake(project, "dev", "prod", env=knobs(tag)))
    engine.images += [found.named(stage, variant) for stage in ("dev", "prod") for variant in VARIANTS]
    return found


def test_a_cold_bake_compiles_once_for_each_variant(images: Images) -> None:
    assert compiles(images.cold.log) == len(VARIANTS)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_each_image_imports_the_wheel_of_its_torch(engine: Engine, images: Images, stage: str, variant: str) -> None:
    """The stand-in refuses to be imported with another torch than the one that it was compiled against."""
    code = "import torch, flash_attn; print(torch.__version__, torch.version.cuda)"
    cuda = f"{variant[2:4]}.{variant[4]}"
    assert engine.run(images.named(stage, variant), "python", "-c", code).stdout == f"2.6.0+{variant} {cuda}\n"


def test_what_was_baked_is_audited(images: Images) -> None:
    assert "(cu124), 15 packages on linux-x86_64-cp311 (cu128)" in lockaudit(images.project, "check")
    assert lockaudit(images.project, "bake", "--check") == ""


def test_a_second_bake_runs_nothing(images: Images) -> None:
    again = bake(images.project, "dev", "prod", ONLY_CACHE, env=images.knobs)
    assert (compiles(again.log), again.ran) == (0, 0)


def test_another_torch_of_one_variant_compiles_that_one(images: Images, index: Index, tmp_path: Path) -> None:
    newer, tag = "2.7.1+cu128", "cp311-cp311-manylinux_2_28_x86_64"
    needs = ["filelock", "typing-extensions"]
    index.wheel("cu128", "torch", newer, tag=tag, requires=needs, files=torch_files(newer))
    project = shutil.copytree(images.project, tmp_path / "app")
    for pyproject in (project / "pyproject.toml", project / "prod" / "pyproject.toml"):
        edit(pyproject, 'cu128 = ["torch==2.6.0"', 'cu128 = ["torch==2.7.1"')
        edit(pyproject, "[tool.uv]\n", """[tool.uv]\nenvironments = ["platform_machine == 'x86_64'"]\n""")
    lock(project)
    lockaudit(project, "bake")
    assert compiles(bake(project, "wheels", env=images.knobs).log) == 1


def test_build_locks_that_move_compile_nothing(images: Images, tmp_path: Path) -> None:
    """The same bytes give the same layer, whichever folder they come from."""
    project = shutil.copytree(images.project, tmp_path / "app")
    edit(project / "pyproject.toml", 'name = "cu128"', 'name = "newest"')
    lockaudit(project, "bake")
    assert (project / "docker" / "wheels" / "newest" / "flash-attn" / "key").is_file()
    assert not (project / "docker" / "wheels" / "cu128").exists()
    assert compiles(bake(project, "wheels", env=images.knobs).log) == 0


def test_one_variant_alone_needs_no_folder(images: Images, tmp_path: Path) -> None:
    """A project that gives up its variants keeps the wheel of the one that stays."""
    project = shutil.copytree(images.project, tmp_path / "app")
    settings = '[tool.lockaudit.dev]\nextras = ["cu124"]\n\n[tool.lockaudit.prod]\nextras = ["cu124"]\n\n'
    pyproject = project / "pyproject.toml"
    before, _, rest = pyproject.read_text().partition("[[tool.lockaudit.variant]]")
    pyproject.write_text(before + settings + rest[rest.index("[tool.lockaudit.wheel") :])
    lockaudit(project, "bake")
    assert [path.name for path in (project / "docker" / "wheels").iterdir()] == ["flash-attn"]
    assert compiles(bake(project, "prod", ONLY_CACHE, env=images.knobs).log) == 0


@pytest.mark.usefixtures("engine")
def test_variants_with_one_key_share_the_compile(base: str, tmp_path: Path) -> None:
    """A variant that differs in something else than the wheel: here in what else the images install."""
    extras = 'cu124 = ["torch==2.6.0", "flash-attn==2.8.3"]\n'
    settings = SETTINGS.replace("cu128", "tools").replace('cuda = "12.8.1"\n', "")
    settings = settings.replace('extras = ["tools"]', 'extras = ["cu124", "tools"]')
    project = baked_project(
        tmp_path / "app",
        base,
        settings,
        root=ROOT.replace(extras, f'{extras}tools = ["ruff"]\n'),
        prod=PROD.replace(extras, f'{extras}tools = ["ruff"]\n'),
    )
    both = bake(project, "prod", ONLY_CACHE, env=knobs("none"))  # whose last step imports the wheel
    assert compiles(both.log) == 1
    assert both.log.count(" flash_attn 2.8.3\n") == len(VARIANTS)


def test_a_lock_for_each_variant(engine: Engine, base: str, tmp_path: Path) -> None:
    """What one lock cannot hold: each variant has projects of its own, in folders that the bake targets name."""
    own = f'[tool.lockaudit.wheel.flash-attn.env]\nTEST = "{uuid.uuid4().hex}"\n\n'
    project = write_apart(tmp_path / "app", base, APART + own)
    (project / "docker-bake.override.hcl").write_text(OVERRIDE)
    lockaudit(project, "check", "--select", "LA1", "--select", "LA2", "--select", "LA4")
    lockaudit(project, "bake")
    tag = uuid.uuid4().hex[:12]
    both = bake(project, "dev", "prod", env=knobs(tag))
    engine.images += [f"app:{stage}-{tag}-{variant}" for stage in ("dev", "prod") for variant in VARIANTS]
    assert compiles(both.log) == len(VARIANTS)
    code = "import torch, flash_attn, importlib.util as u; print(torch.__version__, u.find_spec('app') is not None)"
    for stage, sources in (("dev", True), ("prod", False)):
        for variant in VARIANTS:
            shown = engine.run(f"app:{stage}-{tag}-{variant}", "python", "-c", code).stdout
            assert shown == f"2.6.0+{variant} {sources}\n"
