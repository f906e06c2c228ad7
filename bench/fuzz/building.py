"""Harnesses of what reads a Dockerfile or a bake file, and of what writes a bake file."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from auditor.bake.inspect import shared_caches, unknown_names, weak_caches
from auditor.bake.lint import lint
from auditor.bake.merged import Merged
from auditor.bake.model import BakeFile, Section, Target as BakeTarget, Variable
from auditor.bake.overrides import compose_targets, undone_caches
from auditor.bake.read import read_bake
from auditor.bake.read_json import read_bake_json
from auditor.bake.value import Template, Var, VariableType
from auditor.bake.write import render
from auditor.config import Config
from auditor.dockerfile.pins import read_pins
from auditor.dockerfile.read import parse_dockerfile
from auditor.lock.pair import Pair, Side
from auditor.lock.read import parse_lock
from auditor.lock.selection import Request
from auditor.rules import RULES
from auditor.rules.context import PairContext
from auditor.rules.run import audit
from bench.fuzz import seeds
from bench.fuzz.harness import Harness, require, text_file
from bench.fuzz.reading import NOWHERE, TARGETS

if TYPE_CHECKING:
    from auditor.bake.read import BakeDocument

LOOKING_AT_DOCKERFILES: Final = tuple(rule for rule in RULES if rule.code.startswith("LA4"))


@cache
def _pair() -> Pair:
    sides = [
        Side(
            role=role,
            lock=parse_lock(text_file(seeds.LOCK, name)),
            project=None,
            request=Request(default_groups=False),
            folder=folder,
        )
        for role, name, folder in (("dev", "uv.lock", "."), ("prod", "prod/uv.lock", "prod"))
    ]
    return Pair(root=NOWHERE, dev=sides[0], prod=sides[1])


def dockerfile(text: str) -> None:
    """A Dockerfile is read, interpreted, and looked at by every rule about Dockerfiles."""
    file = text_file(text, "docker/Dockerfile-uv")
    read = parse_dockerfile(file)
    for stage in read.stages:
        read.image_of(stage)
    context = PairContext(_pair(), Config(), TARGETS[:1], read)
    for finding in audit(context, rules=LOOKING_AT_DOCKERFILES).findings:
        require(1 <= finding.position.line <= max(1, len(file.lines)), "a finding's line is one of the file")
    read_pins(Config(), read)


def bake(text: str) -> None:
    """An HCL bake file is read and looked at, alone and as an override."""
    _inspect(read_bake(text_file(text, "docker-bake.override.hcl")))


def bake_json(text: str) -> None:
    """The same in JSON."""
    _inspect(read_bake_json(text_file(text, "docker-bake.override.json")))


@cache
def _base() -> BakeDocument:
    return read_bake(text_file(seeds.BAKE, "docker-bake.hcl"))


def _inspect(document: BakeDocument) -> None:
    found = list(unknown_names(document))
    for merged in (Merged((document,)), Merged((_base(), document))):
        found += [*shared_caches(merged), *weak_caches(merged), *undone_caches(merged, "docker-bake.hcl", None)]
        for name in merged.targets:
            for attribute in ("args", "contexts"):
                merged.mapping(name, attribute)
    for flaw in found:
        require(flaw.at.line >= 1, "a line counts from 1")


def compose(text: str) -> None:
    """A compose file, of which the names of services are read."""
    compose_targets(text_file(text, "compose.yaml"), Merged((_base(),)))


def written(text: str) -> None:
    """Strings go into a bake file, and python-hcl2 reads the same ones out of it.

    The input is cut into four: a variable's default and description, a key and a value of `args`, a comment.
    """
    first, second, third, fourth = (text[at::4] if len(text) > 40 else text for at in range(4))
    model = bake_file(first, second, third, fourth)
    lint(model)
    document = read_bake(text_file(render(model), "docker-bake.hcl"))
    (variable,) = document.of_kind("variable")
    (target,) = document.of_kind("target")
    require(variable.value("default") == nfc(first), "a default comes back")
    require(variable.value("description") == nfc(second), "a description comes back")
    args: Any = target.value("args")
    require(set(args) == {nfc(third), "t"}, "keys come back")
    require(args[nfc(third)] == nfc(fourth) or third == "t", "a value comes back")
    require(target.value("tags") == (nfc(fourth), nfc(first)), "a list comes back")
    require(len(document.blocks) == 2, "no string becomes a block")


def bake_file(first: str, second: str, third: str, fourth: str) -> BakeFile:
    """A bake file that holds these strings wherever one may stand."""
    variable = Variable(name="S", type=VariableType.STRING, default=first, description=second, comment=(second, fourth))
    target = BakeTarget(
        name="dev",
        attributes={
            "args": {third: fourth, "t": Template((first, Var("S"), second))},
            "tags": (fourth, first),
            "description": second,
        },
        comment=(first,),
        notes={"args": (third,)},
    )
    return BakeFile(header=(text for text in (third, fourth)), sections=(Section(blocks=(variable, target)),))  # type: ignore[arg-type]


def nfc(text: str) -> str:
    """A string as bake has it."""
    return unicodedata.normalize("NFC", text)


DOCKERFILE: Final = Harness(
    name="dockerfile",
    what="Dockerfile: read, interpreted, looked at by LA4xx",
    seeds=seeds.dockerfiles,
    run=dockerfile,
    words=seeds.DOCKERFILE_WORDS,
    weight=4,
)
BAKE: Final = Harness(
    name="bake",
    what="docker-bake.hcl: read, merged, looked at",
    seeds=seeds.bakes,
    run=bake,
    words=seeds.BAKE_WORDS,
    weight=1,
)
BAKE_JSON: Final = Harness(
    name="bake-json",
    what="docker-bake.json: read, merged, looked at",
    seeds=seeds.bakes_json,
    run=bake_json,
    tree="json",
    words=seeds.BAKE_WORDS,
    weight=2,
)
COMPOSE: Final = Harness(
    name="compose",
    what="compose.yaml: names of services",
    seeds=seeds.composes,
    run=compose,
    words=seeds.COMPOSE_WORDS,
    weight=2,
)
WRITTEN: Final = Harness(
    name="bake-written",
    what="any strings into docker-bake.hcl, the same ones out of it",
    seeds=seeds.strings,
    run=written,
    words=seeds.BAKE_WORDS,
    weight=1,
)
