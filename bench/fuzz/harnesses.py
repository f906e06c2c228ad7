"""The harnesses, in the order of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.fuzz.building import BAKE, BAKE_JSON, COMPOSE, DOCKERFILE, WRITTEN
from bench.fuzz.reading import LOCK, PROJECT, SETTINGS, TEXTS
from bench.fuzz.showing import COMMANDS, REPORTS

if TYPE_CHECKING:
    from bench.fuzz.harness import Harness

HARNESSES: Final[tuple[Harness, ...]] = (
    LOCK,
    PROJECT,
    SETTINGS,
    TEXTS,
    DOCKERFILE,
    BAKE,
    BAKE_JSON,
    COMPOSE,
    WRITTEN,
    REPORTS,
    COMMANDS,
)
