"""Markers: the values of `packaging` and of the real uv, uv's conflict items, and errors that people can read."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, assume, given, settings, strategies as st
from packaging.markers import InvalidMarker, Marker as ReferenceMarker, UndefinedComparison
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from auditor.lock.environment import Target
from auditor.lock.marker import MarkerError, allows, is_specifier_set, parse
from auditor.lock.model import ConflictItem
from tests.standins import uv, wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PYTHONS = ("3.12", "3.9", "3.8", "3.13", "3.14", "2.7", "3")
FULL_PYTHONS = ("3.12.1", "3.12.0", "3.9.25", "3.8.20", "3.13.2", "3.14.0")
EARLY_PYTHONS = ("3.12.0rc1", "3.13.0a1", "3.14.0b3", "3.12.0.dev1", "3.12.1.post1", "3.12.1+local", "1!3.12")
# Values of the real world, and a few that nobody has.
VALUES = {
    "os_name": ("posix", "nt", "java"),
    "sys_platform": ("linux", "darwin", "win32", "emscripten"),
    "platform_machine": ("x86_64", "aarch64", "arm64", "AMD64", "ARM64", ""),
    "platform_system": ("Linux", "Darwin", "Windows", ""),
    "platform_python_implementation": ("CPython", "PyPy"),
    "implementation_name": ("cpython", "pypy"),
    "platform_version": ("#1 SMP Debian", "10.0.1", ""),
}
VERSIONS = {
    "python_version": PYTHONS,
    "python_full_version": (*FULL_PYTHONS, *EARLY_PYTHONS),
    "implementation_version": (*FULL_PYTHONS, *EARLY_PYTHONS),
    "platform_release": ("6.8.0", "23.5.0", "10", "6.8.0-45-generic", ""),
}
ALIASES = {
    "os_name": "os.name",
    "sys_platform": "sys.platform",
    "platform_version": "platform.version",
    "platform_machine": "platform.machine",
    "platform_python_implementation": "python_implementation",
}
ORDER = ("<", "<=", ">", ">=")
EQUALITY = ("==", "!=")
MEMBERSHIP = ("in", "not in", "not  in")
ENVIRONMENTS = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in (VALUES | VERSIONS).items()})
SPACES = st.sampled_from(("", " ", "  ", "\t"))


@st.composite
def literals(draw: st.DrawFn, variable: str) -> str:
    """What a variable is compared with: a value of it, a part of one, a version with every suffix, any text."""
    known = (VALUES | VERSIONS)[variable]
    text = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\\"), max_size=8)
    parts = st.builds(
        lambda value, start, end: value[start:end], st.sampled_from(known), st.integers(0, 4), st.integers(3, 12)
    )
    joined = st.lists(st.sampled_from(known), min_size=2, max_size=3).map(" ".join)
    if variable not in VERSIONS:
        return draw(st.sampled_from(known) | parts | joined | text)
    releases = st.sampled_from((*PYTHONS, *FULL_PYTHONS, "3.12.0.0", "03.12"))
    suffixes = st.sampled_from(
        ("", "", "", ".*", "rc1", "a1", ".dev1", ".post1", ".post1.dev2", "+local", "rc1.*", "+")
    )
    frames = st.sampled_from(("{}", "{}", "{}", "v{}", " {} ", "0!{}", "1!{}"))
    versions = st.builds(lambda release, suffix, frame: frame.format(release + suffix), releases, suffixes, frames)
    return draw(versions | versions | st.sampled_from(known) | joined | text)


def quoted(draw: st.DrawFn, text: str) -> str:
    """The text between quotes that it does not contain itself."""
    usable = [quote for quote in "'\"" if quote not in text]
    assume(usable)
    quote = draw(st.sampled_from(usable))
    return f"{quote}{text}{quote}"


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    """`variable operator literal`, or the other way round, with spaces as they come."""
    variable = draw(st.sampled_from(sorted(VALUES | VERSIONS)))
    operators = (*ORDER, *EQUALITY, *MEMBERSHIP, *(("~=", "===") if variable in VERSIONS else ()))
    operator = draw(st.sampled_from(operators))
    literal = quoted(draw, draw(literals(variable)))
    name = draw(st.sampled_from((variable, ALIASES.get(variable, variable))))
    left, right = (literal, name) if draw(st.booleans()) else (name, literal)
    before, after = draw(SPACES), draw(SPACES)
    if operator in MEMBERSHIP:  # words: a variable must not run into them
        before, after = before or " ", after or " "
    return f"{left}{before}{operator}{after}{right}"


def nested(leaves: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Markers of such leaves, with `and`, `or` and parentheses."""

    def extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        joined = st.builds(
            lambda parts, word: f" {word} ".join(parts),
            st.lists(inner, min_size=2, max_size=3),
            st.sampled_from(("and", "or")),
        )
        return joined | st.builds(lambda text, space: f"({space}{text}{space})", inner | joined, SPACES)

    return st.recursive(leaves, extend, max_leaves=6)


@settings(max_examples=800, deadline=None)
@given(text=nested(comparisons()), environment=ENVIRONMENTS)
def test_values_are_those_of_packaging(text: str, environment: dict[str, str]) -> None:
    try:
        expected = ReferenceMarker(text).evaluate(environment)
    except UndefinedComparison:  # `~=` where there is no order: uv writes no such thing
        assume(False)  # noqa: FBT003 - that is how hypothesis is called
    assert parse(text).evaluate(environment) is expected


@pytest.mark.parametrize("operator", ["~=", "==="])
def test_operators_without_a_meaning_for_the_text_never_hold_by_order(operator: str) -> None:
    """`packaging` raises here; a lock must not end in a traceback, so `~=` is false and `===` is equality."""
    environment = {"os_name": "posix", "python_version": "3.12"}
    for text in (f"os_name {operator} 'posix'", f"'posix' {operator} os_name"):
        with pytest.raises(UndefinedComparison):
            ReferenceMarker(text).evaluate(environment)
        assert parse(text).evaluate(environment) is (operator == "===")
    assert parse(f"python_version {operator} '3'").evaluate(environment) is False


@pytest.mark.parametrize(
    ("text", "python"),
    [  # each was wrong once, or is easily so
        ("python_full_version < '3.12'", "3.12.0rc1"),
        ("python_full_version > '3.12'", "3.12.0.post1"),
        ("python_full_version == '3.12.*'", "3.12.0rc1"),
        ("python_full_version != '3.12.*'", "3.13.0"),
        ("'3.12.1rc1' < python_full_version", "3.12.1"),
        ("'3.12' ~= python_full_version", "3.12.1"),
        ("python_full_version >= '3.12.*'", "3.12.1"),
        ("python_full_version ~= '3.12.1'", "3.13.0"),
        ("python_full_version in '3.12.1, 3.12.2'", "3.12.1"),
        ("python_full_version == ' 3.12.* '", "3.12.1"),
        ("python_full_version === '3.12.1 '", "3.12.1"),
    ],
)
def test_versions_at_the_edges(text: str, python: str) -> None:
    environment = {"python_full_version": python}
    assert parse(text).evaluate(environment) is ReferenceMarker(text).evaluate(environment)


SPECIFIERS = st.lists(
    st.builds(
        lambda operator, space, literal: f"{operator}{space}{literal}",
        st.sampled_from((*ORDER, *EQUALITY, "~=", "=", "")),
        st.sampled_from(("", " ")),
        literals("python_full_version"),
    ),
    max_size=3,
).map(", ".join)


@settings(max_examples=300, deadline=None)
@given(text=SPECIFIERS, version=st.sampled_from((*FULL_PYTHONS, *EARLY_PYTHONS)))
def test_requires_python_admits_what_packaging_admits(text: str, version: str) -> None:
    assume("===" not in text)  # takes any text: below
    try:
        expected = SpecifierSet(text).contains(version, prereleases=True)
    except InvalidSpecifier:
        assert not is_specifier_set(text)
    else:
        # `packaging` skips empty parts, uv refuses them.
        assert is_specifier_set(text) or any(not part.strip() for part in text.split(","))
        assert allows(text, version) is expected


def test_arbitrary_equality_is_that_of_text() -> None:
    assert is_specifier_set("===3.12.1, ===foo")
    assert not is_specifier_set("===")
    assert allows("===3.12.1", "3.12.1")
    assert not allows("===3.12.01", "3.12.1")


# -- what uv itself says ------------------------------------------------------------------------------------------

TRIPLES = {
    "linux-x86_64": "x86_64-manylinux_2_28",
    "linux-aarch64": "aarch64-manylinux_2_28",
    "macos-arm64": "aarch64-apple-darwin",
    "macos-x86_64": "x86_64-apple-darwin",
    "windows-amd64": "x86_64-pc-windows-msvc",
    "windows-arm64": "aarch64-pc-windows-msvc",
}
ASKED = 50


@st.composite
def lock_comparisons(draw: st.DrawFn) -> str:
    """Comparisons as locks and requirements of the real world write them."""
    variable = draw(st.sampled_from((*sorted(VALUES), "python_version", "python_full_version")))
    if variable not in VERSIONS:
        literal = draw(st.sampled_from([value for value in VALUES[variable] if value]))
        # uv gives `platform_version` an order, but no other string; nobody compares it so.
        order = () if variable == "platform_version" else ORDER
        operator = draw(st.sampled_from((*EQUALITY, *EQUALITY, *order, "in", "not in")))
        swapped = draw(st.booleans())
    else:
        release = draw(st.sampled_from((*PYTHONS[:5], *FULL_PYTHONS)))
        operator = draw(st.sampled_from((*ORDER, *EQUALITY, *EQUALITY, "~=")))
        # uv calls `python_version != '3.12.1.*'` false, PEP 440 true: two numbers are never three.
        star = operator in EQUALITY and draw(st.booleans()) and (variable, release.count(".")) != ("python_version", 2)
        literal = f"{release}.*" if star else release
        swapped = operator != "~=" and not star and draw(st.booleans())
    return f"'{literal}' {operator} {variable}" if swapped else f"{variable} {operator} '{literal}'"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `find/`, the packages that the questions to uv are about."""
    folder = tmp_path_factory.mktemp("markers")
    for number in range(ASKED):
        wheel(folder / "find", f"asked{number}", "1")
    return folder


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # no slow shrinking
@given(
    texts=st.lists(nested(lock_comparisons()), min_size=ASKED, max_size=ASKED),
    platform=st.sampled_from(sorted(TRIPLES)),
    python=st.sampled_from(("cp312", "cp39", "cp313", "cp314")),
    patch=st.integers(0, 3),
)
def test_values_are_those_of_uv(asked: Path, texts: list[str], platform: str, python: str, patch: int) -> None:
    """`uv pip compile` leaves out the requirements whose markers do not hold on the target."""
    target = Target.parse(f"{platform}-{python}", patch=patch)
    lines = [f"asked{number} ; {text}\n" for number, text in enumerate(texts)]
    (asked / "requirements.in").write_text("".join(lines), encoding="utf-8")
    compiled = uv(
        *("pip", "compile", "--no-index", "--find-links", "find", "--no-header", "--no-annotate", "--quiet"),
        *("--python-platform", TRIPLES[platform], "--python-version", target.markers["python_full_version"]),
        "requirements.in",
        cwd=asked,
    )
    kept = set(re.findall(r"^asked(\d+)==1$", compiled.stdout, re.MULTILINE))
    differences = [
        text for number, text in enumerate(texts) if parse(text).evaluate(target.markers) != (str(number) in kept)
    ]
    assert not differences, target


# -- extras and uv's conflict items ---------------------------------------------------------------------------------

NAMES = ("cu124", "Foo_Bar", "foo-bar", "a", "b.c")


@st.composite
def extra_comparisons(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(NAMES))
    operator = draw(st.sampled_from(EQUALITY))
    return f"'{name}' {operator} extra" if draw(st.booleans()) else f"extra {operator} '{name}'"


@given(
    text=nested(extra_comparisons() | st.just("os_name == 'nt'")),
    extra=st.sampled_from(("", "cu124", "foo-bar", "a", "b-c")),
)
def test_one_extra_is_that_of_packaging(text: str, extra: str) -> None:
    expected = ReferenceMarker(text).evaluate({"extra": extra, "os_name": "posix"})
    assert parse(text).evaluate({"os_name": "posix"}, {extra}) is expected


@given(
    text=nested(
        st.builds(
            "'{}' {} {}".format,
            st.sampled_from(NAMES),
            st.sampled_from(("in", "not in")),
            st.sampled_from(("extras", "dependency_groups")),
        )
    ),
    names=st.frozensets(st.sampled_from(("cu124", "foo-bar", "a", "b-c"))),
)
def test_sets_of_names_are_those_of_packaging(text: str, names: frozenset[str]) -> None:
    environment: dict[str, str | frozenset[str]] = {"extras": names, "dependency_groups": names}
    expected = ReferenceMarker(text).evaluate(environment, context="lock_file")
    assert parse(text).evaluate({}, names) is expected
    assert parse(text).mentions_extras()


ITEMS = (
    ConflictItem("app", extra="cu124"),
    ConflictItem("app", extra="cu128"),
    ConflictItem("app", group="cu124"),
    ConflictItem("app"),
    ConflictItem("vlm-hyperbench", extra="cu124"),
)
Expected = tuple[str, "Callable[[frozenset[str]], bool]"]


def _atom(item: ConflictItem, positive: bool) -> Expected:  # noqa: FBT001 - drawn by hypothesis
    name = item.encoded
    operator = "==" if positive else "!="
    return f"extra {operator} '{name}'", lambda active: (name in active) is positive


def _joined(parts: list[Expected], word: str) -> Expected:
    combine = all if word == "and" else any
    text = f" {word} ".join(f"({text})" for text, _ in parts)
    return text, lambda active: combine(holds(active) for _, holds in parts)


ENCODED: st.SearchStrategy[Expected] = st.recursive(
    st.builds(_atom, st.sampled_from(ITEMS), st.booleans()),
    lambda inner: st.builds(_joined, st.lists(inner, min_size=2, max_size=4), st.sampled_from(("and", "or"))),
    max_leaves=10,
)


@given(expected=ENCODED, active=st.frozensets(st.sampled_from([item.encoded for item in ITEMS])))
def test_conflict_items_are_members_of_the_activated_set(expected: Expected, active: frozenset[str]) -> None:
    text, holds = expected
    assert parse(text).evaluate({}, active) is holds(active)


def test_conflict_items_are_written_as_uv_writes_them() -> None:
    assert [item.encoded for item in ITEMS] == [
        "extra-3-app-cu124",
        "extra-3-app-cu128",
        "group-3-app-cu124",
        "project-3-app",
        "extra-14-vlm-hyperbench-cu124",
    ]


def test_several_conflict_items_hold_at_once() -> None:
    text = "extra == 'extra-3-app-cu124' and extra == 'group-3-app-dev'"
    assert parse(text).evaluate({}, {"extra-3-app-cu124", "group-3-app-dev"})
    assert not parse(text).evaluate({}, {"extra-3-app-cu124"})


@given(
    data=st.data(),
    operators=st.lists(st.sampled_from(EQUALITY), min_size=1, max_size=5),
    os_name=st.sampled_from(VALUES["os_name"]),
)
def test_without_extras_holds_where_some_choice_of_extras_does(
    data: st.DataObject, operators: list[str], os_name: str
) -> None:
    """Every item is mentioned once, so that no choice can contradict itself."""
    atoms = [f"extra {operator} '{item.encoded}'" for operator, item in zip(operators, ITEMS, strict=False)]
    text = data.draw(st.sampled_from(("os_name == 'nt'", "os_name != 'nt'")))
    for atom in atoms:
        word = data.draw(st.sampled_from(("and", "or")))
        text = f"({text}) {word} {atom}"
    marker, environment = parse(text), {"os_name": os_name}
    names = [item.encoded for item in ITEMS]
    choices = itertools.chain.from_iterable(itertools.combinations(names, size) for size in range(len(names) + 1))
    assert marker.without_extras(environment) is any(marker.evaluate(environment, set(some)) for some in choices)


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("expected a variable or a quoted string", "character 1")),
        ("   ", ("expected a variable",)),
        ("os_name", ("expected an operator", "character 8")),
        ("os_name ==", ("expected a variable or a quoted string", "character 11")),
        ("os_name == 'nt", ("cannot read the marker", "character 12", "'nt")),
        ("os_name = 'nt'", ("cannot read the marker", "character 9")),
        ("os_name == 'nt' 'posix'", ("expected `and`, `or` or the end", "character 17")),
        ("os_name == 'nt' and", ("expected a variable",)),
        ("(os_name == 'nt'", ("expected `)`", "character 17")),
        ("os_name == 'nt')", ("expected `and`, `or` or the end", "character 16")),
        ("()", ("expected a variable",)),
        ("os_nam == 'nt'", ("unknown marker variable 'os_nam'",)),
        ("not os_name == 'nt'", ("unknown marker variable 'not'",)),
        ("os_name not 'nt'", ("expected an operator", "character 9")),
        ("os_name == sys_platform", ("compares a variable with a quoted string", "os_name == sys_platform")),
        ("'nt' == 'nt'", ("compares a variable with a quoted string",)),
        ("os_name == 'nt' && os_name == 'posix'", ("cannot read the marker", "character 17")),
        ("python_version >= 3.8", ("cannot read the marker", "character 19")),
    ],
)
def test_bad_markers_say_what_and_where(text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(MarkerError) as caught:
        parse(text)
    for word in words:
        assert word in str(caught.value)


TOKENS = st.sampled_from(
    (
        *("os_name", "python_version", "extra", "os.name", "os_nam", "'nt'", '"3.8"', "''", "'", "3.8", "=", "&&", ","),
        *("==", "!=", "~=", "===", "<", "<=", ">=", "in", "not in", "not", "and", "or", "(", ")"),
    )
)


@settings(max_examples=300, deadline=None)
@given(st.lists(TOKENS, max_size=9).map(" ".join) | nested(comparisons()) | st.text(max_size=12))
def test_markers_are_refused_where_packaging_refuses_them(text: str) -> None:
    try:
        parse(text)
    except MarkerError as error:
        # Two variables, or two strings, are grammatical and mean nothing: uv ignores them, we refuse.
        assume("compares a variable" not in str(error))
        with pytest.raises(InvalidMarker):
            ReferenceMarker(text)
    else:
        ReferenceMarker(text)


@pytest.mark.parametrize("depth", [101, 5_000, 200_000])
def test_deep_nesting_is_an_error_and_no_crash(depth: int) -> None:
    for text in ("(" * depth, "(" * depth + "os_name == 'nt'" + ")" * depth):
        with pytest.raises(MarkerError, match="nests more than 100 parentheses"):
            parse(text)


def test_reasonable_nesting_and_long_chains_are_read() -> None:
    deep = "(" * 100 + "os_name == 'nt'" + ")" * 100
    assert parse(deep).evaluate({"os_name": "nt"})
    long = " or ".join(f"python_full_version == '3.12.{patch}'" for patch in range(5_000))
    assert parse(long).evaluate({"python_full_version": "3.12.4999"})
    assert not parse(long).evaluate({"python_full_version": "3.12.5000"})


def test_the_same_text_is_parsed_once() -> None:
    assert parse("os_name == 'nt'") is parse("os_name == " + repr("nt"))
