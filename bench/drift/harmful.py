"""Every harmful kind of mutation, by family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.drift.artifacts import ARTIFACTS
from bench.drift.edges import EDGES
from bench.drift.files import FILES
from bench.drift.membership import MEMBERSHIP
from bench.drift.metadata import METADATA
from bench.drift.settings import SETTINGS
from bench.drift.sources import SOURCES
from bench.drift.stale import STALE
from bench.drift.versions import VERSIONS
from bench.drift.wheels import WHEELS

if TYPE_CHECKING:
    from bench.drift.kind import Kind

HARMFUL: Final[tuple[Kind, ...]] = tuple(
    kind
    for family in (VERSIONS, SOURCES, ARTIFACTS, FILES, MEMBERSHIP, EDGES, METADATA, STALE, SETTINGS, WHEELS)
    for kind in family.kinds
)
