"""Requirements of pyproject.toml files and of locks, as one type."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from auditor.lock.requirements import (
    UnknownRequirementError,
    differences,
    flattened,
    parse_requirement,
    parse_specifiers,
    read_requirement,
    read_requirements,
)
from tests.support import corpus

if TYPE_CHECKING:
    from collections.abc import Iterator


def corpus_requirements() -> Iterator[str]:
    """Every requirement of every pyproject.toml of the corpus."""
    folder = corpus()
    for path in sorted(folder.rglob("pyproject.toml")) if folder is not None else []:
        tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        project = tables.get("project", {})
        lists = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
        lists += tables.get("dependency-groups", {}).values()
        yield from (text for values in lists for text in values if isinstance(text, str))


@pytest.mark.corpus
def test_every_requirement_of_the_corpus_is_read_as_packaging_reads_it() -> None:
    texts = list(corpus_requirements())
    assert len(texts) > 500
    for text in texts:
        ours, theirs = parse_requirement(text), Requirement(text)
        assert ours.name == canonicalize_name(theirs.name)
        assert set(ours.extras) == {canonicalize_name(extra) for extra in theirs.extras}
        assert {part for part in ours.constraint.split(",") if part} == {str(each) for each in theirs.specifier}
        assert bool(ours.source) == (theirs.url is not None)
        assert bool(ours.condition.markers) == (theirs.marker is not None)


@pytest.mark.parametrize(
    "text",
    [
        "numpy",
        "NumPy[all,extra_one]>=1.2, <2; python_version >= '3.9'",
        "numpy (>=1.2)",
        "numpy ~= 1.2",
        "numpy==1.2.*,!=1.2.3",
        "numpy @ https://files.example/numpy-1.0.tar.gz ; sys_platform == 'linux'",
        "numpy@https://files.example/numpy-1.0.tar.gz",
    ],
)
def test_is_read_as_packaging_reads_it(text: str) -> None:
    ours, theirs = parse_requirement(text), Requirement(text)
    assert ours.name == canonicalize_name(theirs.name)
    assert len(ours.specifiers) == len(list(theirs.specifier))
    assert bool(ours.condition.markers) == (theirs.marker is not None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "numpy ^1.2",
        "numpy >=1.2 <2",
        "numpy >= banana",
        "-e .",
        "./numpy",
        "numpy @ file:///srv/numpy.whl",
        "numpy @ ./numpy.whl",
        "numpy @ https://$TOKEN@files.example/numpy.whl",
        "numpy; python_version",
        "numpy; colour == 'red'",
    ],
)
def test_what_only_uv_can_read(text: str) -> None:
    with pytest.raises(UnknownRequirementError):
        parse_requirement(text)


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("Flash_Attn >=2,<3.0", {"name": "flash-attn", "specifier": "<3,>=2.0"}),
        ("x[B,a]", {"name": "x", "extras": ["a", "b"]}),
        ("x @ git+https://git.example/x.git@v1", {"name": "x", "git": "https://git.example/x.git?rev=v1"}),
        (
            "x @ git+https://user@git.example/x@release/1.0#subdirectory=py/x",
            {"name": "x", "git": "https://git.example/x?subdirectory=py%2Fx&rev=release%2F1.0"},
        ),
        ("x @ https://f.example/x-1%2Bcu.whl#sha256=00", {"name": "x", "url": "https://f.example/x-1+cu.whl"}),
        ("x; extra == 'a' and os_name == 'nt'", {"name": "x", "marker": "os_name == 'nt' and extra == 'a'"}),
    ],
)
def test_a_project_and_its_lock_mean_the_same(text: str, table: dict[str, Any]) -> None:
    assert differences([parse_requirement(text)], [read_requirement(table)], ">=3.9") == ([], [])


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("x>=2", {"name": "x", "specifier": ">2"}),
        ("x==1.*", {"name": "x", "specifier": "==1"}),
        ("x===1.0", {"name": "x", "specifier": "==1.0"}),
        ("x", {"name": "x", "index": "https://index.example/simple"}),
        ("x @ git+https://git.example/x@v1", {"name": "x", "git": "https://git.example/x?rev=v2"}),
        ("x; extra == 'a'", {"name": "x", "marker": "extra == 'b'"}),
        ("x; extra == 'a'", {"name": "x"}),
        ("x; python_version < '3.8'", {"name": "y"}),
    ],
)
def test_a_difference(text: str, table: dict[str, Any]) -> None:
    declared, locked = parse_requirement(text), read_requirement(table)
    assert differences([declared], [locked], ">=3.9") == ([declared], [locked])


@pytest.mark.parametrize(
    ("specifier", "version", "expected"),
    [
        ("==2.6.0", "2.6.0+cu124", True),
        ("==2.6.0+cu124", "2.6.0+cu128", False),
        ("==2.6.*", "2.6.1", True),
        ("~=2.6.1", "2.7", False),
        (">=2.6,<2.8", "2.8.0", False),
        ("<2.8", "2.8.0rc1", False),
        ("!=2.6.0", "2.6.0", False),
        ("===2.6.0", "2.6.0", True),
        ("", "2.6.0", True),
    ],
)
def test_admits(specifier: str, version: str, *, expected: bool) -> None:
    assert parse_requirement(f"torch{specifier}").admits(Version(version)) is expected


def test_unknown_shapes() -> None:
    assert read_requirements("numpy") is None
    assert read_requirements([{"specifier": ">=1"}]) is None
    assert read_requirements([{"name": "x", "specifier": "^1"}]) is None
    assert read_requirements([{"name": "x", "index": "file:///srv/index"}]) is None
    assert read_requirements([]) == ()
    assert parse_specifiers(" ") == frozenset()


def test_self_references_are_written_out() -> None:
    declared = [
        parse_requirement(text)
        for text in (
            "x; extra == 'a'",
            "y; extra == 'b' and os_name == 'nt'",
            "app[a,b]; extra == 'all'",
            "app[all]; extra == 'more' and sys_platform == 'win32'",
            "app[loop]; extra == 'loop'",
            "z",
        )
    ]
    expected = [
        parse_requirement(text)
        for text in (
            "z",
            "x; extra == 'a'",
            "x; extra == 'all'",
            "x; extra == 'more' and sys_platform == 'win32'",
            "y; extra == 'b' and os_name == 'nt'",
            "y; extra == 'all' and os_name == 'nt'",
            "y; extra == 'more' and os_name == 'nt'",
        )
    ]
    assert differences(expected, flattened(declared, "app"), ">=3.9") == ([], [])


def test_shown_as_people_write_them() -> None:
    text = "torch[opt]>=2,<3; (sys_platform == 'linux' or os_name == 'nt') and extra == 'gpu'"
    assert str(parse_requirement(text)) == f"{text.partition(';')[0]} ; {text.partition('; ')[2]}"
    located = read_requirement({"name": "torch", "index": "https://index.example/simple/"})
    assert str(located) == "torch from registry https://index.example/simple"
