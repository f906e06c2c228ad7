"""`lockaudit plan` names the stages that BuildKit then runs: a few kinds of change; `bench.plan` has all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.kinds import FEW, KINDS
from bench.lab import Lab, settle
from bench.plan import base_project, measure
from tests.support import missing

from .baking import ONLY_CACHE, bake
from .builder import UV_IMAGE, publish_images, save_image, why_no_builder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins import Index

    from .conftest import NewProject

pytestmark = pytest.mark.engine


def test_the_stages_that_are_predicted_are_those_that_run(
    registry: str, index: Index, base: str, new_project: NewProject, tmp_path: Path
) -> None:
    reason = why_no_builder()
    if reason is not None:
        missing(reason)
    publish_images(registry)
    archive = save_image(UV_IMAGE, tmp_path / "uv.tar")
    project = new_project(wheels=False)
    settle(project)
    lab = Lab(tmp_path, index, base, registry, "", project, archive)
    kinds = [change for change in KINDS if change.name in FEW]
    assert len(kinds) == len(FEW)
    committed = base_project(lab)
    with lab.builder() as builder:
        bake(committed, "dev", "prod", ONLY_CACHE, env={"CACHE_REPO": "", **builder.environment})
        found = [measure(lab, builder, committed, change, str(number)) for number, change in enumerate(kinds)]
    assert [(each.kind, sorted(each.predicted), each.perhaps) for each in found] == [
        (each.kind, sorted(each.ran), frozenset()) for each in found
    ]
    ran = {each.kind: each.ran for each in found}
    assert ran["the README"] == {"manifests", "dev"}
    assert ran["MAX_JOBS"] == frozenset()
    assert "compile" in ran["the GPU architectures"]
