"""Markers compared by meaning: enough environments to tell them apart, and no more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from packaging.markers import Marker as Reference

from auditor.lock.marker import parse
from auditor.lock.space import LIMIT, conjuncts, environments, extras_of, same_pythons

LINUX = "sys_platform == 'linux'"
ATOMS = (
    LINUX,
    "sys_platform != 'win32'",
    "os_name == 'nt'",
    "platform_system == 'Darwin'",
    "platform_machine == 'x86_64'",
    "'arm' in platform_machine",
    "python_version >= '3.11'",
    "python_full_version < '3.12.4'",
    "python_full_version == '3.12.*'",
    "implementation_name == 'cpython'",
)
MARKERS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
    max_leaves=6,
)


def values(text: str, requires_python: str = ">=3.9", *, among: str = "") -> list[bool]:
    """A marker's values in the environments that tell it and another apart."""
    markers = frozenset(parse(each) for each in (text, among or text))
    sample = environments(markers, requires_python)
    assert sample is not None
    return [parse(text).evaluate(environment) for environment in sample]


def same(one: str, other: str, requires_python: str = ">=3.9") -> bool:
    """Whether two markers mean the same."""
    return values(one, requires_python, among=other) == values(other, requires_python, among=one)


@pytest.mark.parametrize(
    ("one", "other", "requires_python"),
    [
        ("python_version >= '3.12'", "python_full_version >= '3.12'", ""),
        ("python_version < '3.13' and sys_platform == 'linux'", LINUX, "<3.13"),
        ("python_full_version == '3.12.*'", "python_version == '3.12'", ">=3.9"),
        ("os_name == 'nt'", "sys_platform == 'win32'", ">=3.9"),
        ("sys_platform == 'never'", "python_version < '3'", ">=3.9"),
        (f"{LINUX} or sys_platform != 'linux'", "python_version >= '3.9'", ">=3.9"),
        (
            "platform_machine == 'arm64' and sys_platform == 'darwin'",
            "'darwin' == sys_platform and platform_machine == 'arm64'",
            "",
        ),
    ],
)
def test_the_same(one: str, other: str, requires_python: str) -> None:
    assert same(one, other, requires_python)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("python_full_version >= '3.12'", "python_full_version > '3.12.0'"),
        ("python_full_version < '3.12.4'", "python_full_version < '3.12.5'"),
        ("python_version <= '3.11'", "python_full_version <= '3.11'"),
        (LINUX, "sys_platform != 'win32'"),
        ("platform_machine == 'x86_64'", "platform_machine != 'aarch64'"),
        ("implementation_name == 'cpython'", "python_version >= '3'"),
    ],
)
def test_not_the_same(one: str, other: str) -> None:
    assert not same(one, other)


@given(text=MARKERS)
@settings(max_examples=150, deadline=None)
def test_conjuncts_mean_the_whole(text: str) -> None:
    marker = parse(text)
    for environment in environments(frozenset({marker}), ">=3.9") or ():
        expected = Reference(text).evaluate({**environment, "extra": ""})
        assert marker.evaluate(environment) == expected
        assert all(part.evaluate(environment) for part in conjuncts(marker)) == expected


def test_what_every_alternative_repeats_is_taken_out() -> None:
    marker = parse("(sys_platform == 'linux' and extra == 'a') or (os_name == 'nt' and extra == 'a')")
    assert [str(part) for part in conjuncts(marker)] == ["sys_platform == 'linux' or os_name == 'nt'", "extra == 'a'"]
    assert [str(part) for part in conjuncts(parse("extra == 'a' or (extra == 'a' and os_name == 'nt')"))] == [
        "extra == 'a'"
    ]
    assert extras_of([marker]) == {"a"}


def test_only_where_a_lock_was_resolved() -> None:
    linux = parse(LINUX)
    assert {each["sys_platform"] for each in environments(frozenset(), ">=3.12", (linux,)) or ()} == {"linux"}
    assert environments(frozenset({linux}), ">3,<3") == ()


def test_too_many_environments_are_none() -> None:
    machines = " or ".join(
        f"platform_machine == 'm{number}' or platform_release == 'r{number}'" for number in range(99)
    )
    assert environments(frozenset({parse(machines)})) is None
    assert LIMIT < 99 * 99


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (">=3.12", ">= 3.12.0", True),
        ("~=3.12.0", "==3.12.*", True),
        (">=3.10, !=3.11.*, <3.13", ">=3.10,<3.13", True),
        (">=3.11.13, <3.12", ">=3.11.13,<3.12", True),
        (">=3.12", ">=3.12,<4", False),
        (">=3.11", ">=3.11.4", False),
        (">=3.11,<3.13", ">=3.11,<=3.13", False),
        ("==3.12.9", "==3.12.8", False),
    ],
)
def test_bounds_of_requires_python(one: str, other: str, *, expected: bool) -> None:
    assert same_pythons(one, other) is expected
