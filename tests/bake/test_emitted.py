"""The bake file that `lockaudit bake` writes: what buildx makes of it, and that no setting can break out of it."""

from __future__ import annotations

import json
import os
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from auditor.bake.files import BakeFiles
from auditor.bake.generate import plan_of
from auditor.bake.lint import lint
from auditor.bake.plan import Plan, make_bake_file
from auditor.bake.read import read_bake
from auditor.bake.write import render
from auditor.cli.options import Overrides
from auditor.cli.workspace import load
from auditor.config import BakeConfig, CacheConfig, SideConfig
from auditor.dockerfile.pins import Pin
from auditor.errors import ConfigError
from auditor.source import read_source
from tests.bake.buildx import printed
from tests.bake.hclfmt import hclfmt
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPECTED = Path(__file__).with_name("expected.json")
EMITTED = REPOSITORY / "docker-bake.hcl"


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The plan of this repository."""
    context = load(REPOSITORY, Overrides())
    return plan_of(context.builds, BakeFiles(REPOSITORY, context.config.bake.file))


def test_buildx_reads_the_committed_file_as_expected(docker: str, tmp_path: Path) -> None:
    """Set LOCKAUDIT_UPDATE=1 to store what buildx says now."""
    names = ("dev", "prod", "wheels", "wheelhouse")
    got = printed(docker, EMITTED.read_text("utf-8"), tmp_path, *names)
    if os.environ.get("LOCKAUDIT_UPDATE"):
        EXPECTED.write_text(json.dumps(got, indent=2) + "\n", encoding="utf-8")
    assert got == json.loads(EXPECTED.read_text("utf-8"))


def test_the_environment_moves_knobs_but_no_pin(docker: str, tmp_path: Path) -> None:
    """CUDA images export CUDA_VERSION; CI exports SOURCE_DATE_EPOCH, which buildx gives to images, not to wheels."""
    text = EMITTED.read_text("utf-8")
    names = ("dev", "prod", "wheels")
    plain = printed(docker, text, tmp_path, *names)["target"]
    pins = ("CUDA_VERSION", "CUDA_VARIANT", "PYTHON_VERSION", "UV_VERSION", "CMAKE_VERSION", "PACKAGE")
    environment = dict.fromkeys(pins, "99")
    moved = printed(docker, text, tmp_path, *names, SOURCE_DATE_EPOCH="1700000000", **environment)["target"]
    assert moved["dev"]["args"].pop("SOURCE_DATE_EPOCH") == "1700000000"
    assert moved["prod"]["args"].pop("SOURCE_DATE_EPOCH") == "1700000000"
    assert moved == plain
    written = printed(docker, text, tmp_path, *names, CACHE_WRITE="1", CACHE_REPO="example.org/cache")["target"]
    refs = [entry["ref"] for target in written.values() for entry in target.get("cache-to", [])]
    assert len(refs) == len(set(refs)) == 3
    assert all(ref.startswith("example.org/cache:") for ref in refs)
    assert {tuple(entry["ref"] for entry in target["cache-from"]) for target in written.values()} == {
        tuple(entry["ref"] for entry in written["prod"]["cache-from"])
    }


def test_the_committed_file_is_formatted_and_sound(plan: Plan) -> None:
    text = EMITTED.read_text("utf-8")
    assert hclfmt(text) == text
    assert lint(make_bake_file(plan)) == []
    assert render(make_bake_file(plan)) == render(make_bake_file(plan)) == text
    document = read_bake(read_source(EMITTED))
    assert {block.name for block in document.of_kind("target")} >= {"dev", "prod", "wheel-dev", "wheel-prod"}


HOSTILE = st.text(st.sampled_from(list('${}%"\\\n\r\t\x00\x1b`#/*<>=,[]()éß漢\U0001f600 abcAB0._-:')), max_size=24)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=HOSTILE, image=HOSTILE, repo=HOSTILE, path=HOSTILE, extra=HOSTILE, cuda=HOSTILE)
def test_no_setting_can_inject(
    plan: Plan, docker: str, tmp_path: Path, name: str, image: str, repo: str, path: str, extra: str, cuda: str
) -> None:
    """Whatever the names are, buildx sees the same targets, and each string as it was given."""
    config = replace(
        plan.config,
        bake=BakeConfig(image=image, cache_repo=repo),
        image=replace(plan.config.image, dockerfile=path),
        prod=SideConfig(lock="prod/uv.lock", extras=(extra,)),
    )
    (images,) = plan.images
    images = replace(images, pins=replace(images.pins, cuda=Pin(cuda)), config=config)
    hostile = replace(plan, name=name, config=config, images=(images,))
    text = render(make_bake_file(hostile))
    targets = printed(docker, text, tmp_path, "dev", "prod", "wheels", "wheelhouse")["target"]
    assert set(targets) == {"dev", "prod", "wheel-dev", "wheel-prod", "wheelhouse"}
    prod = targets["prod"]
    assert prod["args"]["CUDA_VERSION"] == escaped_again(cuda)
    assert prod["args"]["PROD_SELECTION"] == escaped_again(f"--extra {extra}")
    assert prod["tags"] == [normal(f"{image or name or 'app'}:prod")]
    if path:
        assert prod["dockerfile"] == normal(path)


def normal(text: str) -> str:
    """Bake puts strings into normal form C."""
    return unicodedata.normalize("NFC", text)


def escaped_again(text: str) -> str:
    """`--print` writes a bake file again, with its escapes, in args."""
    return normal(text).replace("${", "$${").replace("%{", "%%{")


@pytest.mark.parametrize(
    ("cache", "read", "written"),
    [
        (CacheConfig(backend="local"), {"type": "local", "src": ".lockaudit-cache/prod"}, "dest"),
        (CacheConfig(backend="gha"), {"type": "gha", "scope": "prod"}, "scope"),
        (
            CacheConfig(backend="s3", options={"bucket": "b", "region": "r"}),
            {"type": "s3", "name": "prod", "bucket": "b", "region": "r"},
            "name",
        ),
        (
            CacheConfig(backend="azblob", options={"account_url": "https://example.org"}),
            {"type": "azblob", "name": "prod", "account_url": "https://example.org"},
            "name",
        ),
        (
            CacheConfig(backend="registry", write_options={"compression": "zstd", "compression-level": "3"}),
            {"type": "registry", "ref": "localhost:5000/lockaudit-cache:prod"},
            "ref",
        ),
    ],
    ids=lambda value: value.backend if isinstance(value, CacheConfig) else "",
)
def test_cache_backends(
    plan: Plan, docker: str, tmp_path: Path, cache: CacheConfig, read: Mapping[str, Any], written: str
) -> None:
    """Each backend reads every cache and writes one place for each target; writing is off unless asked for."""
    text = render(make_bake_file(replace(plan, config=replace(plan.config, cache=cache))))
    quiet = printed(docker, text, tmp_path, "dev", "prod", "wheels")["target"]
    assert not any("cache-to" in target for target in quiet.values())
    assert read in quiet["prod"]["cache-from"]
    loud = printed(docker, text, tmp_path, "dev", "prod", "wheels", CACHE_WRITE="1")["target"]
    places = [entry[written] for target in loud.values() for entry in target.get("cache-to", [])]
    assert len(places) == len(set(places)) == 3
    wheel = loud["wheel-prod"]["cache-to"][0]
    assert wheel["mode"] == "min"
    assert "ignore-error" not in wheel


@pytest.mark.parametrize(
    ("cache", "words"),
    [
        (CacheConfig(backend="registri"), "did you mean `registry`"),
        (CacheConfig(backend="s3"), "needs bucket, region"),
        (CacheConfig(backend="gha", options={"buket": "x"}), "no attribute of the gha cache"),
        (CacheConfig(backend="gha", options={"token": "hidden"}), "is a credential"),
        (CacheConfig(backend="gha", write_options={"ghtoken": "hidden"}), "is a credential"),
        (CacheConfig(backend="registry", options={"ref": "x"}), "set by lockaudit itself"),
        (CacheConfig(backend="registry", write_options={"force-compression": "yes"}), '"true" or "false"'),
        (CacheConfig(backend="registry", write_options={"compression-level": "high"}), "is a number"),
        (CacheConfig(backend="registry", write_options={"compression": "zip"}), "'zip' is not"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_cache_settings_are_checked(plan: Plan, cache: CacheConfig, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        make_bake_file(replace(plan, config=replace(plan.config, cache=cache)))
    said = f"{raised.value} {raised.value.hint}"
    assert words in said
    assert "hidden" not in said
