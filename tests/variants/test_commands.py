"""What commands say about variants and platforms, held against uv where uv knows it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from auditor.cli.options import Overrides
from auditor.cli.workspace import load_all
from tests.cli.command import check, lockaudit
from tests.rules.clean_pair import git
from tests.standins import uv
from tests.support import require_corpus
from tests.variants.test_bake_file import baked, targets

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.lock.environment import Target

X86, ARM = "linux-x86_64-cp311", "linux-aarch64-cp311"


def edit(project: Path, old: str, new: str, *, path: str = "pyproject.toml") -> None:
    """Replace a text that must be in a file of a project."""
    text = (project / path).read_text("utf-8")
    assert old in text
    (project / path).write_text(text.replace(old, new), encoding="utf-8")


def exported(folder: Path, target: Target, extra: str) -> set[tuple[str, str]]:
    """(name, version) of what uv would install, its markers evaluated by `packaging`."""
    options = ("--no-default-groups", "--extra", extra, "--no-emit-project", "--no-hashes", "--no-header")
    text = uv("export", "--frozen", "--quiet", "--no-annotate", *options, cwd=folder).stdout
    requirements = [Requirement(line) for line in text.splitlines()]
    fitting = [each for each in requirements if each.marker is None or each.marker.evaluate(dict(target.markers))]
    return {(each.name, next(iter(each.specifier)).version) for each in fitting}


def test_each_variant_is_selected_on_each_platform_as_uv_would(project: Path) -> None:
    edit(project, "[tool.lockaudit]\n", f"[tool.lockaudit]\nimage.platforms = {['linux/amd64', 'linux/arm64']}\n")
    seen = set()
    for context in load_all(project, Overrides()):
        assert [str(target) for target in context.targets] == [X86, ARM]
        for target in context.targets:
            for side, folder in ((context.dev, project), (context.prod, project / "prod")):
                own = side.select(target).dependencies
                found = {(package.name, str(package.version)) for package in own}
                assert found == exported(folder, target, context.name)
                seen |= {(context.name, target.machine, str(each.version)) for each in own if each.name == "torch"}
    assert seen == {
        ("cu124", "x86_64", "2.6.0+cu124"),
        ("cu124", "aarch64", "2.6.0"),
        ("cu128", "x86_64", "2.6.0+cu128"),
        ("cu128", "aarch64", "2.6.0"),
    }


def test_check_needs_no_choice_on_the_command_line(project: Path) -> None:
    result = check(project)
    assert (result.code, result.findings) == (0, [])
    assert result.document["summary"]["compared"] == {f"{X86} (cu124)": 15, f"{X86} (cu128)": 15}


def test_one_variant_can_be_chosen(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(project, "--variant", "cu128").document["summary"]["compared"] == {f"{X86} (cu128)": 15}
    monkeypatch.setenv("LOCKAUDIT_VARIANT", "cu124")
    assert check(project).document["summary"]["compared"] == {f"{X86} (cu124)": 15}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("check", "--variant", "cu12"), "there is no variant 'cu12'"),
        (("check", "--pair", "cu124"), "there is no pair 'cu124'"),
        (("bake", "--variant", "cu124"), "there is one bake file of all variants"),
    ],
)
def test_wrong_choices(project: Path, arguments: tuple[str, ...], told: str) -> None:
    command, *rest = arguments
    result = lockaudit(command, project, *rest)
    assert (result.code, result.out, told in result.err) == (2, "", True)


def test_what_is_the_same_everywhere_is_told_once(project: Path) -> None:
    """Another filelock in prod is wrong in both variants, and on both platforms."""
    edit(project, "[tool.lockaudit]\n", f"[tool.lockaudit]\nimage.platforms = {['linux/amd64', 'linux/arm64']}\n")
    edit(project, "3.17.0", "3.17.1", path="prod/uv.lock")
    found = [each for each in check(project, "--select", "LA103").findings if each["package"] == "filelock"]
    assert [each["target"] for each in found] == [f"{X86}, {ARM}"]


def test_what_is_wrong_in_one_variant_names_it(project: Path) -> None:
    edit(project, "2.6.0+cu128", "2.6.1+cu128", path="prod/uv.lock")
    edit(project, "2.6.0%2Bcu128", "2.6.1%2Bcu128", path="prod/uv.lock")
    found = check(project, "--select", "LA201").findings
    assert [(each["message"], each["target"]) for each in found] == [
        ("torch 2.6.1+cu128 in prod, 2.6.0+cu128 in dev", f"{X86} (cu128)")
    ]
    refused = lockaudit("bake", project)
    assert refused.code == 1
    assert "error: cu128: dev and prod cannot share one wheel of flash-attn" in refused.err


def test_the_image_of_a_variant_is_held_against_its_lock(project: Path) -> None:
    edit(project, 'cuda = "12.8.1"', 'cuda = "13.0.1"')
    (found,) = check(project, "--select", "LA203").findings
    assert (found["target"], found["path"]) == (f"{X86} (cu128)", "pyproject.toml")
    assert found["message"] == "the image has CUDA 13.0.1, prod's torch is built for CUDA 12.8"
    assert 'cuda = "13.0.1"' in (project / "pyproject.toml").read_text("utf-8").splitlines()[found["line"] - 1]


def test_the_pins_of_a_variant_count_together(project: Path) -> None:
    """There is no 12.4.1 for Ubuntu 24.04, and nobody builds it: the variant has another CUDA too."""
    edit(project, 'cuda = "12.8.1"', 'cuda = "12.8.1"\nubuntu = "24.04"')
    assert check(project, "--select", "LA402").findings == []
    edit(project, 'cuda = "12.8.1"', 'cuda = "12.4.1"')
    found = check(project, "--select", "LA402").findings
    assert {each["target"] for each in found} == {"every target (cu128)"}
    assert found[0]["message"].startswith("nvidia/cuda:12.4.1-cudnn-devel-ubuntu24.04 (with UBUNTU_VERSION=24.04)")


def test_a_finding_about_the_dockerfile_depends_on_no_variant(project: Path) -> None:
    edit(project, "USER 10001:10001\n", "RUN uv lock\n", path="docker/Dockerfile-uv")
    found = check(project, "--select", "LA409").findings
    assert [each["target"] for each in found] == [None]


PASSED = """\
ARG DEV_SELECTION="--extra cu124"
FROM nvidia/cuda:12.4.1-devel-ubuntu22.04 AS dev
ARG DEV_SELECTION
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --locked @flags@
"""


@pytest.mark.parametrize(("flags", "variants"), [("$DEV_SELECTION", []), ("--extra cu124", ["cu128"])])
def test_the_dockerfile_is_seen_with_the_selection_of_each_variant(
    project: Path, flags: str, variants: list[str]
) -> None:
    """An ARG has one default, and the bake targets pass what each variant has."""
    (project / "docker" / "Dockerfile-uv").write_text(PASSED.replace("@flags@", flags), encoding="utf-8")
    found = check(project, "--select", "LA406").findings
    assert [each["target"] for each in found] == [f"every target ({variant})" for variant in variants]


def test_what_cannot_be_baked_names_the_build(project: Path) -> None:
    edit(project, 'extras = ["cu124"]', "extras = []")
    assert 'target "prod-cu124"' in baked(project)  # nothing is compiled there, and it is built all the same
    text = (project / "uv.lock").read_text("utf-8")
    line = next(line for line in text.splitlines() if "flash_attn-2.8.3.tar.gz" in line)
    edit(project, line, line.partition(", hash")[0] + " }", path="uv.lock")
    (found,) = check(project, "--select", "LA501").findings
    assert found["message"].startswith("docker-bake.hcl cannot be written anew: cu128: the source of flash-attn 2.8.3")


def test_a_stale_bake_file_is_told_once(project: Path) -> None:
    baked(project)
    assert check(project, "--select", "LA5").findings == []
    edit(project, "prod-cu124", "prod-cu126", path="docker-bake.hcl")
    (project / "docker" / "wheels" / "cu128" / "flash-attn" / "key").unlink()
    found = check(project, "--select", "LA5").findings
    assert [(each["code"], each["target"]) for each in found] == [("LA501", None), ("LA502", None)]
    assert found[1]["message"] == "docker/wheels/cu128/flash-attn lacks key"


def test_a_variant_that_is_gone_leaves_no_build_lock(project: Path) -> None:
    baked(project)
    text = (project / "pyproject.toml").read_text("utf-8")
    first, _, rest = text.partition('[[tool.lockaudit.variant]]\nname = "cu128"')
    (project / "pyproject.toml").write_text(first + rest[rest.index("[tool.uv]") :], encoding="utf-8")
    found = [each["message"] for each in check(project, "--select", "LA502").findings]
    assert found == ["docker/wheels/cu128/flash-attn is a build lock that nothing is built from"]
    baked(project)
    assert [each.name for each in (project / "docker" / "wheels").iterdir()] == ["cu124"]


def test_one_variant_has_its_name_too(docker: str, project: Path, tmp_path: Path) -> None:
    """So that a second one changes nothing of it."""
    text = (project / "pyproject.toml").read_text("utf-8")
    first, _, rest = text.partition('[[tool.lockaudit.variant]]\nname = "cu128"')
    (project / "pyproject.toml").write_text(first + rest[rest.index("[tool.uv]") :], encoding="utf-8")
    found = targets(docker, baked(project), tmp_path, "prod", "dev", "wheels")
    assert set(found) == {"prod-cu124", "dev-cu124", "wheel-prod-cu124"}
    assert {each["args"]["WHEELS"] for each in found.values()} == {"cu124"}


def test_keys(project: Path) -> None:
    document = lockaudit("key", project, "--output-format", "json").document
    assert [(each["target"], each["key"].rpartition("-")[0]) for each in document["keys"]] == [
        (f"{X86} ({variant})", f"flash-attn-2.8.3-{variant}-torch2.6.0-cp311") for variant in ("cu124", "cu128")
    ]
    lines = lockaudit("key", project).out.splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["(cu124)", "(cu128)"]
    assert (
        lockaudit("key", project, "--variant", "cu128").out == f"{document['keys'][1]['key']}\n"
    )  # a tag, for scripts


def test_a_variant_that_has_the_key_of_another_compiles_nothing(project: Path) -> None:
    git(project, "init", "--quiet")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=Two variants")
    edit(project, 'name = "cu128"', 'name = "newest"')
    (first, second, third) = lockaudit("key", project, "--diff", "HEAD").out.splitlines()
    assert f"{X86} (cu124): same key, nothing is compiled" in first
    assert f"{X86} (cu128): compiled no more" in second
    assert f"{X86} (newest): same key, nothing is compiled" in third
    edit(project, 'cuda = "12.8.1"', 'cuda = "12.8.0"')
    assert "will be compiled" in lockaudit("key", project, "--diff", "HEAD", "--variant", "newest").out


@pytest.mark.parametrize(("folder", "package"), [("", "pytest"), ("prod", "")])
def test_select_takes_the_extras_of_a_variant(project: Path, folder: str, package: str) -> None:
    options = ("--target", X86, "--output-format", "json")
    for variant in ("cu124", "cu128"):
        found = lockaudit("select", project / folder, "--variant", variant, *options).document["packages"]
        by_name = {each["name"]: each["version"] for each in found}
        assert by_name["torch"] == f"2.6.0+{variant}"
        assert ("pytest" in by_name) == bool(package)


def test_select_refuses_a_folder_that_has_no_such_lock(project: Path) -> None:
    other = shutil.copytree(project / "prod", project / "other")
    result = lockaudit("select", other, "--variant", "cu124", "--target", X86)
    assert (result.code, result.out) == (2, "")
    assert "the variant cu124 has uv.lock and prod/uv.lock, not other/uv.lock" in result.err
    alone = shutil.copytree(project / "prod", project.parent / "alone")
    result = lockaudit("select", alone, "--variant", "cu124", "--target", X86)
    assert "there is no [[tool.lockaudit.variant]] here or above" in result.err


def test_a_picture_of_each_variant(project: Path) -> None:
    baked(project)
    drawn = lockaudit("graph", project).out
    for variant, other in (("cu124", "cu128"), ("cu128", "cu124")):
        _, _, build = drawn.partition(f'"Build of {variant}"')
        build = build.partition("Build of ")[0]
        assert f"prod-{variant}" in build
        assert f"docker/wheels/{variant}/flash-attn" in build
        assert f"prod-{other}" not in build
        assert f"docker/wheels/{other}/flash-attn" not in build


def test_a_python_of_one_variant(project: Path) -> None:
    edit(project, 'cuda = "12.8.1"', 'cuda = "12.8.1"\npython = "3.12"')
    compared = check(project).document["summary"]["compared"]
    assert list(compared) == [f"{X86} (cu124)", "linux-x86_64-cp312 (cu128)"]
    assert 'PYTHON_VERSION = "3.12"' in baked(project)


def test_the_verbose_command_names_variants(project: Path) -> None:
    assert f"target of variant cu128: {X86}\n" in lockaudit("check", project, "--verbose").err


def test_a_real_repository_with_both_extras(tmp_path: Path) -> None:
    """Its root has the extras cu124 and cu128, which conflict: without variants, somebody must choose."""
    source = require_corpus() / "VLMHyperBenchTeam__model_qwen2.5_vl_lora"
    root = shutil.copytree(source, tmp_path / "root")
    assert "conflict, and none is chosen" in lockaudit("check", root).err
    settings = '\n[tool.lockaudit]\ntargets = ["linux-x86_64-cp312"]\n'
    for variant, cuda in (("cu124", "12.4.1"), ("cu128", "12.8.1")):
        settings += f'\n[[tool.lockaudit.variant]]\nname = "{variant}"\ncuda = "{cuda}"\ndev.extras = ["{variant}"]\n'
    (root / "pyproject.toml").write_text((root / "pyproject.toml").read_text("utf-8") + settings, encoding="utf-8")
    result = check(root)
    assert list(result.document["summary"]["compared"]) == [
        f"linux-x86_64-cp312 ({each})" for each in ("cu124", "cu128")
    ]
    options = ("--target", "linux-x86_64-cp312", "--output-format", "json")
    for variant in ("cu124", "cu128"):
        packages = lockaudit("select", root, "--variant", variant, *options).document["packages"]
        assert [each["version"].partition("+")[2] for each in packages if each["name"] == "torch"] == [variant]
