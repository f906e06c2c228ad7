"""What several bake files come to together: values one by one, and `docker buildx bake --print` as the oracle."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from auditor.bake.inspect import unknown_names
from auditor.bake.merged import Merged, place_of
from auditor.bake.read import BakeDocument, Expression, read_bake
from auditor.bake.read_json import read_bake_json
from auditor.errors import InputError
from auditor.source import SourceFile
from tests.support import REPOSITORY

EMITTED = (REPOSITORY / "docker-bake.hcl").read_text("utf-8")


def document(text: str, name: str = "docker-bake.hcl") -> BakeDocument:
    """A file as values."""
    source = SourceFile(Path(name), name, text)
    return read_bake_json(source) if name.endswith(".json") else read_bake(source)


def places(text: str, name: str = "t") -> list[str]:
    """Where the target `t` of a file writes its caches."""
    merged = Merged((document(text),))
    setting = merged.last(name, "cache-to")
    assert setting is not None
    return [place_of(entry) for entry in merged.entries(setting.value)]


# The value of a `cache-to` -> the places in it. VAR is "example.org/x", NONE has no default.
VALUES = {
    '["type=registry,ref=a/b:c"]': ["registry ref=a/b:c"],
    '["type=registry,ref=a/b"]': ["registry ref=a/b:latest"],
    '["type=registry,ref=localhost:5000/b"]': ["registry ref=localhost:5000/b:latest"],
    '["type=registry,ref=a/b@sha256:00"]': ["registry ref=a/b@sha256:00"],
    '["type=registry,\\"ref=a/b:c\\""]': ["registry ref=a/b:c"],
    '["a/b:c"]': ["registry ref=a/b:c"],
    '[{ type = "registry", ref = "a/b:c", mode = "max" }]': ["registry ref=a/b:c"],
    '[{ type = "registry", ref = "${VAR}:c" }]': ["registry ref=example.org/x:c"],
    '[{ type = "registry", ref = VAR }]': ["registry ref=example.org/x:latest"],
    '["type=registry,ref=${VAR}:c"]': ["registry ref=example.org/x:c"],
    '["type=registry,ref=${NONE}"]': ["registry ref=${NONE}:latest"],
    'CI ? [{ type = "registry", ref = "${VAR}:c" }] : ["type=gha,scope=s"]': [
        "registry ref=example.org/x:c",
        "gha scope=s",
    ],
    'compact([VAR != "" ? "type=registry,ref=${VAR}:c" : ""])': ["registry ref=example.org/x:c"],
    'concat(["type=local,dest=d"], [for r in ["a"] : { type = "registry", ref = r }])': [
        "registry ref=${r}:latest",
        "local dest=d",
    ],
    "make()": ["registry ref=made:latest"],
    'with("x")': ['registry ref=app:${tag} ("x")'],
    "loop()": [],
    '["type=gha"]': ["gha scope=buildkit"],
    '["type=local,dest=d,tag=t"]': ["local dest=d tag=t"],
    '["type=s3,bucket=b,name=n"]': ["s3 bucket=b name=n"],
    '["type=inline"]': [""],
    "[]": [],
    '[""]': [],
}
FUNCTIONS = """\
variable "VAR" {
  default = "example.org/x"
}
variable "NONE" {}
function "make" {
  params = []
  result = ["type=registry,ref=made"]
}
function "with" {
  params = [tag]
  result = ["type=registry,ref=app:${tag}"]
}
function "loop" {
  params = []
  result = loop()
}
"""


@pytest.mark.parametrize("value", VALUES)
def test_places_of_caches(value: str) -> None:
    assert places(f'{FUNCTIONS}target "t" {{\n  cache-to = {value}\n}}\n') == VALUES[value]


def test_what_is_built() -> None:
    text = """\
group "default" { targets = ["app", "_hidden"] }
target "_common" {}
target "_hidden" { inherits = ["_common"] }
target "meta" {}
target "app" { inherits = ["_common", "meta"] }
target "alone" {}
"""
    assert Merged((document(text),)).built == ("_hidden", "app", "alone")


def test_a_circle_of_targets_ends() -> None:
    text = 'target "a" {\n  inherits = ["b"]\n}\ntarget "b" {\n  inherits = ["a"]\n  args = { X = "1" }\n}\n'
    merged = Merged((document(text),))
    assert list(merged.mapping("a", "args")) == ["X"]


OVERRIDES = {
    "nothing": "",
    "what replaces": """\
target "prod" {
  network  = "host"
  shm-size = "1g"
  tags     = ["a:1"]
  output   = [{ type = "local", dest = "out" }]
  cache-to = [{ type = "local", dest = "cache" }]
}
""",
    "what is added": """\
target "_cache" {
  cache-from = ["type=registry,ref=example.org/more:1"]
}
target "_common" {
  ulimits = ["nofile=1:1"]
}
target "dev" {
  ulimits = ["nproc=2:2"]
}
""",
    "what is merged": """\
target "_common" {
  args = { CUDA_VERSION = "12.8.1", MINE = "1" }
}
target "wheel-prod" {
  args = { UV_VERSION = "0.1.0" }
}
target "prod" {
  contexts = { wheel-prod = "", mine = "docker" }
}
""",
    "another parent": """\
target "_mine" {
  args    = { CUDA_VERSION = "13.0.0", MINE = "2" }
  network = "none"
}
target "prod" {
  inherits = ["_mine"]
}
""",
    "a switch": """\
variable "CACHE_REPO" {
  default = "example.org/other"
}
target "dev" {
  no-cache = true
}
""",
    "JSON": """\
{
  "target": {"prod": {"args": {"IMPORTS": "torch"}, "network": "host"}},
  "variable": {"CACHE_REPO": {"default": "example.org/json"}}
}
""",
}
UNKNOWN = """\
targt "b" {}
variable "X" {
  default = "1"
  bogus   = 1
}
group "default" {
  targets = ["a"]
  bogus   = 1
}
target "a" {
  cache_from = ["type=registry,ref=x"]
  cache-to   = [{ type = "registry", ref = "y", mod = "max" }]
}
"""


def printed(docker: str, folder: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """What bake makes of the files of a folder, with the caches written."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_CONFIG") if name in os.environ}
    command = [docker, "buildx", "bake", "--print", "--progress", "quiet", *names]
    result = subprocess.run(
        command, cwd=folder, env={**clean, "CACHE_WRITE": "1"}, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    targets: dict[str, Any] = json.loads(result.stdout)["target"]
    return targets


@pytest.mark.parametrize("name", OVERRIDES)
def test_bake_merges_as_we_do(name: str, docker: str, tmp_path: Path) -> None:
    """Arguments, networks and places of caches of every target that is built."""
    kind = "json" if OVERRIDES[name].startswith("{") else "hcl"
    files = {"docker-bake.hcl": EMITTED, f"docker-bake.override.{kind}": OVERRIDES[name]}
    for path, text in files.items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    merged = Merged(tuple(document(text, path) for path, text in files.items()))
    targets = printed(docker, tmp_path, merged.built)
    assert sorted(targets) == sorted(merged.built)
    for target, real in targets.items():
        args = {
            key: merged.text(setting.value[key])  # type: ignore[index,call-overload]
            for key, setting in merged.mapping(target, "args").items()
        }
        assert args == real.get("args", {}), target
        for attribute in ("network", "shm-size", "no-cache"):
            last = merged.last(target, attribute)
            assert (merged.text(last.value) if last else "") == str(real.get(attribute, "")).lower(), (
                target,
                attribute,
            )
        ulimits = [text for setting in merged.settings(target, "ulimits") for text in merged.texts(setting.value)]
        assert ulimits == real.get("ulimits", []), target
        assert caches(merged, target, "cache-from") == {
            place_of(entry) or entry["src"] for entry in real.get("cache-from", [])
        }
        last = merged.last(target, "cache-to")
        written = {place_of(entry) for entry in merged.entries(last.value)} if last else set()
        assert written == {place_of(entry) for entry in real.get("cache-to", [])}, target


def caches(merged: Merged, target: str, attribute: str) -> set[str]:
    """Every place that a target reads."""
    return {
        place_of(entry) for setting in merged.settings(target, attribute) for entry in merged.entries(setting.value)
    }


def test_bake_ignores_what_we_call_unknown(docker: str, tmp_path: Path) -> None:
    """Without a word: that is why it is a finding. Some errors of its own would make it unnecessary."""
    (tmp_path / "docker-bake.hcl").write_text(UNKNOWN, encoding="utf-8")
    assert "cache-from" not in printed(docker, tmp_path, ("a",))["a"]
    assert len(list(unknown_names(document(UNKNOWN)))) == 5


def test_json_is_read_as_hcl_is() -> None:
    own = '"args": {"X": "${Y}", "N": 1}, "tags": ["t"], "no-cache": true'
    text = f'{{"target": {{"a": {{{own}}}}}, "group": {{"g": {{"targets": ["a"]}}}}}}'
    block, group = document(text, "docker-bake.json").blocks
    assert (block.kind, block.name, group.kind, group.name) == ("target", "a", "group", "g")
    assert block.value("args") == {"X": Expression('"${Y}"'), "N": 1}
    assert (block.value("tags"), block.value("no-cache")) == (("t",), True)


@pytest.mark.parametrize(("text", "line"), [("{\n  oops\n}", 2), ("[]", 1), ("", 1), ("[" * 100_000, None)])
def test_what_is_no_bake_file(text: str, line: int | None) -> None:
    with pytest.raises(InputError) as caught:
        document(text, "docker-bake.json")
    assert caught.value.line == line


@pytest.mark.parametrize(
    "text", ['{"target": 1}', '{"target": {"a": 1}}', '{"X": null, "target": {"a": {"args": null}}}', "{}"]
)
def test_any_json_object_is_read(text: str) -> None:
    merged = Merged((document(text, "docker-bake.json"),))
    assert [
        merged.entries(setting.value) for name in merged.targets for setting in merged.settings(name, "cache-to")
    ] == []
