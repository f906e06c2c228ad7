"""The bake file of several builds: what buildx makes of it, how it looks, and what lies beside it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from auditor.bake.files import BakeFiles
from auditor.bake.generate import plan_of
from auditor.bake.lint import lint
from auditor.bake.plan import make_bake_file
from auditor.cli.options import Overrides
from auditor.cli.workspace import load_all
from tests.bake.buildx import printed
from tests.bake.hclfmt import hclfmt
from tests.cli.command import lockaudit

EXPECTED = Path(__file__).with_name("expected.json")
PLATFORMS = '\n[tool.lockaudit.image]\nplatforms = ["linux/amd64", "linux/arm64"]\n'
BAKE = "docker-bake.hcl"


def baked(project: Path, settings: str = "") -> str:
    """The text of the bake file, written with more settings."""
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text("utf-8") + settings, encoding="utf-8")
    result = lockaudit("bake", project)
    assert result.code == 0, result.err
    return (project / BAKE).read_text("utf-8")


def targets(docker: str, text: str, folder: Path, *names: str, **environment: str) -> dict[str, dict[str, Any]]:
    """The targets that buildx would build."""
    found: dict[str, dict[str, Any]] = printed(docker, text, folder, *names, **environment)["target"]
    return found


def test_buildx_reads_it_as_expected(docker: str, project: Path, tmp_path: Path) -> None:
    """Set LOCKAUDIT_UPDATE=1 to store what buildx says now."""
    got = printed(docker, baked(project), tmp_path, "dev", "prod", "wheels", "wheelhouse")
    if os.environ.get("LOCKAUDIT_UPDATE"):
        EXPECTED.write_text(json.dumps(got, indent=2) + "\n", encoding="utf-8")
    assert got == json.loads(EXPECTED.read_text("utf-8"))


@pytest.mark.parametrize("settings", ["", PLATFORMS], ids=["variants", "platforms"])
def test_it_is_formatted_sound_and_the_same_each_time(project: Path, settings: str) -> None:
    text = baked(project, settings)
    assert hclfmt(text) == text
    (first, *_) = load_all(project, Overrides())
    assert first.baking is not None
    assert lint(make_bake_file(plan_of(first.baking.builds, BakeFiles(project, BAKE)))) == []
    again = lockaudit("bake", project, "--check")
    assert (again.code, again.out) == (0, "")


def test_every_target_reads_one_list_and_writes_a_place_of_its_own(docker: str, project: Path, tmp_path: Path) -> None:
    knobs = {"CACHE_WRITE": "1", "CACHE_REPO": "example.org/c"}
    found = targets(docker, baked(project, PLATFORMS), tmp_path, "dev", "prod", "wheels", "wheelhouse", **knobs)
    reads = {tuple(entry["ref"] for entry in target["cache-from"]) for target in found.values()}
    writes = [entry["ref"] for target in found.values() for entry in target.get("cache-to", [])]
    assert len(reads) == 1
    assert sorted(writes) == sorted(*reads)
    assert len(set(writes)) == 2 * 2 * 3  # variants, platforms; dev, prod and the wheel


def test_knobs_move_nothing_that_is_pinned(docker: str, project: Path, tmp_path: Path) -> None:
    text = baked(project)
    pins = dict.fromkeys(("CUDA_VERSION", "PYTHON_VERSION", "WHEELS", "PACKAGE", "PROD_FOLDER"), "99")
    plain = targets(docker, text, tmp_path, "dev", "prod", "wheels")
    assert targets(docker, text, tmp_path, "dev", "prod", "wheels", **pins) == plain


def test_what_differs_is_in_each_build_alone(docker: str, project: Path, tmp_path: Path) -> None:
    found = targets(docker, baked(project, PLATFORMS), tmp_path, "prod")
    assert {
        name: (each["args"]["CUDA_VERSION"], each["args"]["WHEELS"], each["platforms"], each["tags"])
        for name, each in found.items()
        if name.startswith("prod")
    } == {
        f"prod-{variant}-{arch}": (
            cuda,
            f"{variant}-{arch}",
            [f"linux/{arch}"],
            [f"app:prod-{variant}-{arch}"],
        )
        for variant, cuda in (("cu124", "12.4.1"), ("cu128", "12.8.1"))
        for arch in ("amd64", "arm64")
    }
    assert {each["args"]["PYTHON_VERSION"] for each in found.values()} == {"3.11"}
    for name, each in found.items():
        if name.startswith("prod"):
            assert each["contexts"] == {"wheel-prod": name.replace("prod", "target:wheel-prod")}
            assert each["args"]["PROD_SELECTION"] == f"--extra {name.split('-')[1]}"


def test_wheelhouses_are_found_by_their_keys(docker: str, project: Path, tmp_path: Path) -> None:
    """One variable for all of them: each build adds the tag of its own wheels, under which they were pushed."""
    text = baked(project, PLATFORMS)
    given = targets(docker, text, tmp_path, "prod", WHEELS_FROM="example.org/house")
    pushed = targets(docker, text, tmp_path, "wheelhouse", WHEELHOUSE="example.org/house")
    assert {each["contexts"]["wheel-prod"] for each in given.values()} == {
        f"docker-image://{tag}" for each in pushed.values() for tag in each.get("tags", [])
    }
    assert set(given) == {f"prod-{variant}-{arch}" for variant in ("cu124", "cu128") for arch in ("amd64", "arm64")}


GROUPS = {
    "": {
        "default": ["prod"],
        "dev": ["dev-cu124", "dev-cu128"],
        "prod": ["prod-cu124", "prod-cu128"],
        "wheels": ["wheel-prod-cu124", "wheel-prod-cu128"],
        "wheelhouse": ["wheelhouse-cu124", "wheelhouse-cu128"],
    },
    PLATFORMS: {
        "default": ["prod"],
        "dev": ["dev-cu124", "dev-cu128"],
        "dev-cu124": ["dev-cu124-amd64", "dev-cu124-arm64"],
        "dev-cu128": ["dev-cu128-amd64", "dev-cu128-arm64"],
        "dev-amd64": ["dev-cu124-amd64", "dev-cu128-amd64"],
        "dev-arm64": ["dev-cu124-arm64", "dev-cu128-arm64"],
        "prod": ["prod-cu124", "prod-cu128"],
        "prod-cu124": ["prod-cu124-amd64", "prod-cu124-arm64"],
        "prod-cu128": ["prod-cu128-amd64", "prod-cu128-arm64"],
        "prod-amd64": ["prod-cu124-amd64", "prod-cu128-amd64"],
        "prod-arm64": ["prod-cu124-arm64", "prod-cu128-arm64"],
        "wheels": [f"wheel-prod-{variant}-{arch}" for variant in ("cu124", "cu128") for arch in ("amd64", "arm64")],
        "wheels-amd64": ["wheel-prod-cu124-amd64", "wheel-prod-cu128-amd64"],
        "wheels-arm64": ["wheel-prod-cu124-arm64", "wheel-prod-cu128-arm64"],
        "wheelhouse": [f"wheelhouse-{variant}-{arch}" for variant in ("cu124", "cu128") for arch in ("amd64", "arm64")],
    },
}


@pytest.mark.parametrize("settings", GROUPS, ids=["variants", "platforms"])
def test_groups(project: Path, settings: str) -> None:
    baked(project, settings)
    (first, *_) = load_all(project, Overrides())
    assert first.baking is not None
    model = make_bake_file(plan_of(first.baking.builds, BakeFiles(project, BAKE)))
    assert {name: list(group.targets) for name, group in model.groups.items()} == GROUPS[settings]


def test_the_list_of_targets_explains_each(docker: str, project: Path) -> None:
    baked(project)
    command = [docker, "buildx", "bake", "--list=type=targets,format=json", "--progress=quiet", f"--file={BAKE}"]
    listed = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout
    shown = {each["name"]: each.get("description", "") for each in json.loads(listed)}
    assert all(shown.values())
    assert shown["prod-cu128"] == "The minimal image: no sources, no compilers, not root (CUDA 12.8.1)"
    assert shown["wheel-prod-cu124"].endswith("takes hours, once (CUDA 12.4.1)")


def test_build_locks_have_a_folder_for_each_build(project: Path) -> None:
    baked(project)
    keys = sorted(path.relative_to(project).as_posix() for path in (project / "docker" / "wheels").rglob("key"))
    assert keys == [f"docker/wheels/{variant}/flash-attn/key" for variant in ("cu124", "cu128")]
    baked(project, PLATFORMS)
    folders = sorted(path.name for path in (project / "docker" / "wheels").iterdir())
    assert folders == ["cu124-amd64", "cu124-arm64", "cu128-amd64", "cu128-arm64"]


def test_a_build_lock_keeps_its_bytes_when_it_moves(project: Path) -> None:
    baked(project)
    wheels = project / "docker" / "wheels"
    before = {path.name: path.read_bytes() for path in (wheels / "cu124" / "flash-attn").iterdir()}
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text("utf-8").replace('name = "cu124"', 'name = "older"'), encoding="utf-8")
    lock = project / "uv.lock"  # a pin of torch's closure moves meanwhile, which is not in the key
    lock.write_text(lock.read_text("utf-8").replace("3.17.0", "3.17.1"), encoding="utf-8")
    prod = project / "prod" / "uv.lock"
    prod.write_text(prod.read_text("utf-8").replace("3.17.0", "3.17.1"), encoding="utf-8")
    baked(project)
    assert not (wheels / "cu124").exists()
    assert {path.name: path.read_bytes() for path in (wheels / "older" / "flash-attn").iterdir()} == before


def test_two_variants_that_differ_in_no_key_share_target_and_cache(docker: str, project: Path, tmp_path: Path) -> None:
    pyproject = project / "pyproject.toml"
    text = pyproject.read_text("utf-8").replace('extras = ["cu128"]', 'extras = ["cu124"]')
    pyproject.write_text(text.replace('cuda = "12.8.1"\n', ""), encoding="utf-8")
    found = targets(docker, baked(project), tmp_path, "dev", "prod", "wheels", "wheelhouse")
    assert [name for name in found if name.startswith("wheel")] == ["wheel-prod-cu124", "wheelhouse-cu124"]
    assert {each["contexts"]["wheel-prod"] for each in found.values() if "contexts" in each} == {
        "target:wheel-prod-cu124"
    }
    folders = [project / "docker" / "wheels" / name / "flash-attn" for name in ("cu124", "cu128")]
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert first == second


def test_one_platform_that_is_named_has_no_suffix(docker: str, project: Path, tmp_path: Path) -> None:
    found = targets(docker, baked(project, PLATFORMS.replace('"linux/amd64", ', "")), tmp_path, "prod")
    assert {name: each["platforms"] for name, each in found.items()} == {
        name: ["linux/arm64"] for name in ("prod-cu124", "prod-cu128", "wheel-prod-cu124", "wheel-prod-cu128")
    }


def test_names_that_would_mean_two_things_are_refused(project: Path) -> None:
    """`prod-cu124-arm64` would be that variant, and cu124 on that platform."""
    pyproject = project / "pyproject.toml"
    text = pyproject.read_text("utf-8")
    text = text.replace('name = "cu128"', 'name = "cu124-arm64"\nplatforms = ["linux/amd64"]')
    pyproject.write_text(text + PLATFORMS, encoding="utf-8")
    result = lockaudit("bake", project)
    assert (result.code, "two blocks named" in result.err) == (2, True)
    assert not (project / BAKE).exists()


def test_platforms_without_variants(docker: str, project: Path, tmp_path: Path) -> None:
    pyproject = project / "pyproject.toml"
    before, _, rest = pyproject.read_text("utf-8").partition("[[tool.lockaudit.variant]]")
    sides = '[tool.lockaudit.dev]\nextras = ["cu124"]\n\n[tool.lockaudit.prod]\nextras = ["cu124"]\n\n'
    pyproject.write_text(before + sides + rest[rest.index("[tool.uv]") :], encoding="utf-8")
    text = baked(project, PLATFORMS)
    found = targets(docker, text, tmp_path, "prod", "dev")
    names = {f"{stage}-{arch}" for stage in ("prod", "dev", "wheel-prod") for arch in ("amd64", "arm64")}
    assert set(found) == names
    assert all(each["platforms"] == [f"linux/{name.rpartition('-')[2]}"] for name, each in found.items())
    assert set(targets(docker, text, tmp_path, "wheels-arm64")) == {"wheel-prod-arm64"}
    folders = sorted(path.name for path in (project / "docker" / "wheels").iterdir())
    assert folders == ["amd64", "arm64"]
    assert hclfmt(text) == text


def test_a_target_on_the_command_line_is_all_that_is_proven(project: Path) -> None:
    baked(project, PLATFORMS)
    arguments = ("--target", "linux-x86_64-cp311", "--output-format", "json")
    assert lockaudit("check", project, *arguments).document["summary"]["targets"] == ["linux-x86_64-cp311"]
    assert lockaudit("check", project, *arguments[2:]).document["summary"]["targets"] == [
        "linux-x86_64-cp311",
        "linux-aarch64-cp311",
    ]
