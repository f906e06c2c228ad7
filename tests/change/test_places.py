"""Every place of a pyproject.toml that has a version, an index or a Python, and one requirement as text."""

from __future__ import annotations

from typing import Any, Final

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings, strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

from auditor.change import places
from auditor.change.requirement import read_written, with_build, with_version
from auditor.change.show import changed_lines
from auditor.change.tree import Change

MOVED: Final = {
    "torch==2.6.0": "torch==2.8.0",
    "torch == 2.6.0": "torch == 2.8.0",
    "torch===2.6.0": "torch===2.8.0",
    "torch (==2.6.0)": "torch (==2.8.0)",
    "torch[opt-einsum] ==2.6.0 ; python_version < '3.14'": "torch[opt-einsum] ==2.8.0 ; python_version < '3.14'",
    "torch==2.6.0+cu124": "torch==2.8.0+cu124",
    "torch==2.6.*": "torch==2.8.0",
    "torch~=2.6.0": "torch==2.8.0",
    "torch>=2.5,<2.7;sys_platform=='linux'": "torch==2.8.0;sys_platform=='linux'",
    "torch!=2.8.0": "torch==2.8.0",
    # These have it already.
    "torch==2.8": "torch==2.8",
    "torch==2.8.0+cu128": "torch==2.8.0+cu128",
    "torch>=2.6": "torch>=2.6",
    "torch~=2.6": "torch~=2.6",
    "torch": "torch",
    "torch ; sys_platform == 'linux'": "torch ; sys_platform == 'linux'",
    # These are not ours to read.
    "torch @ https://index.example/torch-2.6.0.whl": "torch @ https://index.example/torch-2.6.0.whl",
    "torch ==": "torch ==",
}


@pytest.mark.parametrize(("text", "expected"), MOVED.items(), ids=MOVED)
def test_a_pin_moves_and_a_range_that_has_the_version_stays(text: str, expected: str) -> None:
    assert with_version(text, Version("2.8.0")) == expected


def test_a_build_is_part_of_a_pin() -> None:
    assert with_version("torch==2.6.0+cu124", Version("2.8.0+cu128")) == "torch==2.8.0+cu128"
    assert with_build("torch==2.6.0+cu124 ; x", "cu124", "cu128") == "torch==2.6.0+cu128 ; x"
    assert with_build("flash-attn==2.8.1+cu12torch2.6", "cu12", "cu13") == "flash-attn==2.8.1+cu12torch2.6"
    assert with_build("torch==2.6.0+cu1240", "cu124", "cu128") == "torch==2.6.0+cu1240"


NAMES: Final = st.sampled_from(["torch", "Torch_Vision", "a.b-c", "x"])
OPERATORS: Final = st.sampled_from(["==", ">=", "<", "~=", "!=", "<=", ">"])
VERSIONS: Final = st.sampled_from(["1.0", "2.6.0", "2.8.0", "3.1rc1"])
SPECIFIERS: Final = st.lists(st.tuples(OPERATORS, VERSIONS).map("".join), max_size=3).map(",".join)
SPACE: Final = st.sampled_from(["", " "])
MARKERS: Final = st.sampled_from(["", "; sys_platform == 'linux'", " ;python_version<'3.13' and extra == \"x\""])
REQUIREMENTS: Final = st.tuples(NAMES, SPACE, st.sampled_from(["", "[a]", "[a, b]"]), SPACE, SPECIFIERS, MARKERS)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # machines that have more to do
@given(REQUIREMENTS.map("".join), VERSIONS.map(Version))
def test_a_requirement_admits_what_is_set_and_is_otherwise_the_same(text: str, version: Version) -> None:
    before, after = Requirement(text), Requirement(with_version(text, version))
    assert after.specifier.contains(version, prereleases=True)
    assert (after.name, after.extras, str(after.marker)) == (before.name, before.extras, str(before.marker))
    assert with_version(str(after), version) == str(after)
    written = read_written(text)
    assert written is not None
    assert written.is_pin == (len(before.specifier) == 1 and str(before.specifier).startswith("=="))


PROJECT: Final = """\
[project]
dependencies = ["torch==2.6.0", "core"]
requires-python = "==3.11.*"  # as the image

[project.optional-dependencies]
cu124 = ['torch==2.6.0+cu124']

[dependency-groups]
build-cu124 = ["torch==2.6.0", { include-group = "x" }]
x = []

[tool.uv]
required-version = "==0.13.9"
index-url = "https://index.example/simple"
extra-index-url = ["https://index.example/whl/cu124", "https://index.example/whl/cu124-extra"]
dev-dependencies = ["torch==2.6.0"]
constraint-dependencies = ["torch==2.6.0"]
override-dependencies = ["torch==2.6.0; sys_platform == 'linux'"]
build-constraint-dependencies = ["torch==2.6.0"]

[tool.uv.extra-build-dependencies]
flash-attn = ["torch==2.6.0", { requirement = "torch==2.6.0", match-runtime = false }]

[tool.uv.pip]
torch-backend = "cu124"

[tool.uv.sources]
torch = [{ index = "pytorch-cu124", extra = "cu124" }, { index = "cpu", marker = "sys_platform == 'darwin'" }]
core = { path = "../core" }

[[tool.uv.index]]
name = "pytorch-cu124"
url = "https://index.example/whl/cu124/"
explicit = true

[[tool.uv.index]]
name = "cpu"
url = "https://index.example/whl/cpu"
explicit = true

[[tool.uv.index]]
name = "unused"
url = "https://index.example/whl/cu118"
explicit = true

[[tool.uv.dependency-metadata]]
name = "torch"
version = "2.6.0"

[[tool.uv.dependency-metadata]]
name = "flash_attn"
requires-dist = ["torch==2.6.0"]

[tool.lockaudit]
targets = ["linux-x86_64-cp311", "linux-aarch64-cp310"]
allowed-registries = ["https://index.example/whl/cu124"]

[[tool.lockaudit.pair]]
targets = ["linux-x86_64-cp311"]

[tool.lockaudit.image]
cuda = "12.4.1"
"""


def parsed() -> Any:  # noqa: ANN401 - tomlkit's document
    """The project, to change."""
    return tomlkit.parse(PROJECT)


def test_every_requirement_is_found() -> None:
    document = parsed()
    left = places.set_package(document, "pyproject.toml", "torch", Version("2.8.0"), lambda _: True)
    expected = PROJECT.replace("2.6.0", "2.8.0")
    assert (tomlkit.dumps(document), left) == (expected, [])
    assert places.declared(document, "pyproject.toml") == {"torch", "core"}
    assert places.pinned(document, "pyproject.toml") == {"torch"}


def test_a_requirement_for_other_environments_stays() -> None:
    document = parsed()
    left = places.set_package(document, "pyproject.toml", "torch", Version("2.8.0"), lambda _: False)
    assert left == [
        "pyproject.toml: torch==2.6.0; sys_platform == 'linux' stays: it is for none of the targets",
    ]
    assert "torch==2.6.0; sys_platform" in tomlkit.dumps(document)


def test_every_address_and_name_of_a_build_is_found() -> None:
    document = parsed()
    assert places.cuda_tags(document, "pyproject.toml") == {"cu124"}  # cu118 is used by no source
    renamed = places.set_build(document, "pyproject.toml", "cu124", "cu128")
    places.use_indexes(document, "pyproject.toml", renamed)
    assert renamed == {"pytorch-cu124": "pytorch-cu128"}
    kept = ("cu124 = [", "build-cu124 = [", 'extra = "cu124"', "cu124-extra")
    expected = PROJECT.replace("cu124", "cu128")
    for text in kept:
        expected = expected.replace(text.replace("cu124", "cu128"), text)
    assert tomlkit.dumps(document) == expected
    assert places.kept_names(document, "pyproject.toml", "cu124") == [
        "pyproject.toml: the extra cu124 keeps its name, which others may ask for",
        "pyproject.toml: the group build-cu124 keeps its name, which others may ask for",
    ]


def test_an_index_that_is_there_is_used_instead_of_renaming_one() -> None:
    text = PROJECT.replace('"unused"', '"torch-new"').replace("/cu118", "/cu128/")
    document = tomlkit.parse(text)
    renamed = places.set_build(document, "pyproject.toml", "cu124", "cu128")
    places.use_indexes(document, "pyproject.toml", renamed)
    assert renamed == {"pytorch-cu124": "torch-new"}
    after = tomlkit.dumps(document)
    assert '{ index = "torch-new", extra = "cu124" }' in after
    assert 'name = "pytorch-cu124"\nurl = "https://index.example/whl/cu124/"' in after


def test_the_python_of_targets_and_of_a_pin_is_set() -> None:
    document = parsed()
    places.set_python(document, "pyproject.toml", 11, 12)
    assert tomlkit.dumps(document) == PROJECT.replace("-cp311", "-cp312").replace("==3.11.*", "==3.12.*")


@pytest.mark.parametrize("written", [">=3.11,<3.12", ">=3.11", "~=3.11.0", "3.11"])
def test_a_range_of_pythons_is_its_authors(written: str) -> None:
    document = tomlkit.parse(PROJECT.replace("==3.11.*", written))
    places.set_python(document, "pyproject.toml", 11, 12)
    assert document["project"]["requires-python"] == written


def test_the_rest() -> None:
    document = parsed()
    places.set_required_uv(document, "pyproject.toml", "0.13.10")
    assert places.set_image(document, "pyproject.toml", {"cuda": "12.8.1", "ubuntu": "24.04"}) == {"cuda"}
    assert tomlkit.dumps(document) == PROJECT.replace("0.13.9", "0.13.10").replace("12.4.1", "12.8.1")


def test_a_uv_toml_is_what_tool_uv_is() -> None:
    text = 'constraint-dependencies = ["torch==2.6.0"]\n\n[[index]]\nurl = "https://index.example/whl/cu124"\n'
    document = tomlkit.parse(text)
    assert places.cuda_tags(document, "prod/uv.toml") == {"cu124"}
    places.set_build(document, "prod/uv.toml", "cu124", "cu128")
    places.set_package(document, "prod/uv.toml", "torch", Version("2.8.0"), lambda _: True)
    assert tomlkit.dumps(document) == text.replace("2.6.0", "2.8.0").replace("cu124", "cu128")


def test_changed_lines_are_cut_to_what_differs() -> None:
    old = 'a = 1\ndependencies = ["torch==2.6.0", "x"]  # y\nARG CUDA_VERSION=12.4.1\n3.11\n'
    new = 'a = 1\ndependencies = ["torch==2.8.0", "x"]  # y\nARG CUDA_VERSION=12.8.1\n3.12\n'
    assert list(changed_lines(Change(path="x", old=old, new=new))) == [
        (2, "torch==2.6.0", "torch==2.8.0"),
        (3, "CUDA_VERSION=12.4.1", "CUDA_VERSION=12.8.1"),
        (4, "3.11", "3.12"),
    ]
