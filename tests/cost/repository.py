"""A pair under git, and what `lockaudit plan` says of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import jsonschema  # type: ignore[import-untyped, unused-ignore]

from tests.cli.command import lockaudit
from tests.rules.clean_pair import git
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: Final = jsonschema.Draft7Validator(json.loads((REPOSITORY / "docs" / "plan.schema.json").read_text("utf-8")))


def commit(root: Path) -> None:
    """Make a repository of a folder, or add to it."""
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message=state")


def plan(root: Path, *arguments: str) -> dict[str, Any]:
    """The document that `lockaudit plan` prints, valid by its schema."""
    result = lockaudit("plan", root, "--output-format", "json", *arguments)
    assert (result.code, result.err) == (0, "")
    SCHEMA.validate(result.document)
    return result.document


def shown(root: Path, *arguments: str) -> str:
    """What it prints for people."""
    result = lockaudit("plan", root, *arguments)
    assert (result.code, result.err) == (0, "")
    return result.out


def packages(document: dict[str, Any], image: str) -> dict[str, tuple[str, str | None, str | None, int | None]]:
    """Name -> (change, before, after, bytes) of an image on the first target."""
    (found,) = [each for each in document["pairs"][0]["targets"][0]["images"] if each["image"] == image]
    return {each["name"]: (each["change"], each["before"], each["after"], each["bytes"]) for each in found["packages"]}


def stages(document: dict[str, Any], build: str) -> dict[str, str]:
    """Stage -> yes, no or perhaps, of one build."""
    (found,) = [each for pair in document["pairs"] for each in pair["builds"] if each["build"] == build]
    return {each["stage"]: each["runs"] for each in found["stages"]}


def cause(document: dict[str, Any], build: str, stage: str) -> tuple[str, str, str | None, str | None, str | None]:
    """(kind, name, before, after, by which stage) of why a stage runs."""
    (found,) = [each for pair in document["pairs"] for each in pair["builds"] if each["build"] == build]
    (why,) = [each["cause"] for each in found["stages"] if each["stage"] == stage]
    return why["kind"], why["name"], why["before"], why["after"], why["by_stage"]
