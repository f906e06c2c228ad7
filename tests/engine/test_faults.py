"""A quick part of `python -m bench.faults --engine`: what was stored is there, and no wrong wheel is used."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from bench.faults.engine import Rows
from bench.faults.gate import gate
from bench.faults.poison import mixed_build_lock, no_wheel, other_cache
from bench.faults.site import Site, own_registry
from tests.support import missing

from .baking import write_bake_file
from .builder import UV_IMAGE, new_builder, publish_images, save_image, why_no_builder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.faults.tally import Tally

    from .conftest import NewProject
    from .docker import Engine

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def rows(
    engine: Engine,  # noqa: ARG001 - skips before a registry is started
    registry: str,
    new_project: NewProject,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Rows]:
    """Two builders of their own, a mirror, and a registry that may die."""
    reason = why_no_builder()
    if reason is not None:
        missing(reason)
    publish_images(registry)
    archive = save_image(UV_IMAGE, tmp_path_factory.mktemp("images") / "uv.tar")
    with (
        own_registry() as mortal,
        new_builder(registry, [archive]) as writer,
        new_builder(registry, [archive]) as reader,
    ):
        site = Site(
            mortal, lambda: new_builder(registry, [archive]), lambda: write_bake_file(new_project(wheels=False))
        )
        yield Rows(site, writer, reader, Random(1))  # noqa: S311 - moments, not secrets


def nothing_lost(row: Tally) -> None:
    """It was tried, and held."""
    assert row.lost == []
    assert row.tried > 0


def test_a_registry_that_is_killed_while_it_is_written_to(rows: Rows) -> None:
    nothing_lost(rows.export_killed(1))


def test_a_registry_that_is_gone_from_some_request_on(rows: Rows) -> None:
    with gate(rows.site.registry.address) as door:
        nothing_lost(rows.export_cut(door, stride=8))


def test_the_tag_of_another_wheels_cache(rows: Rows) -> None:
    nothing_lost(other_cache(rows.site, rows.reader))


def test_a_key_without_its_wheel(rows: Rows) -> None:
    nothing_lost(no_wheel(rows.site, rows.reader))


def test_a_build_lock_of_two_keys_compiles_nothing(rows: Rows) -> None:
    nothing_lost(mixed_build_lock(rows.site, rows.reader, ["key"]))
