"""Real locks, damaged at random: a lock or one error comes of it, never another exception."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
import rtoml
from hypothesis import HealthCheck, given, settings, strategies as st

from auditor.errors import InputError, LockauditError
from auditor.lock.environment import Target
from auditor.lock.read import read_lock
from auditor.lock.selection import Request, known_extras, known_groups, select
from auditor.source import read_source
from tests.lock.written import (
    DIGEST,
    EVERYTHING,
)
from tests.support import REPOSITORY, corpus_locks

if TYPE_CHECKING:
    from pathlib import Path


TARGETS = [Target.parse(text) for text in ("linux-x86_64-cp312", "windows-amd64-cp311")]
EXAMPLES = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def survives(path: Path) -> None:
    """The file becomes a lock, or one error that names it; and what a lock is asked is answered or refused."""
    refused: InputError | None = None
    try:
        lock = read_lock(path, path.parent)
    except InputError as error:
        refused = error
    if refused is not None:
        assert refused.path == path.name
        assert refused.line is None or refused.line >= 1
        return
    for target in TARGETS:
        for request in (Request(), Request(extras=known_extras(lock), groups=known_groups(lock))):
            with contextlib.suppress(LockauditError):
                for found in select(lock, target, request).packages:
                    target.chosen(found)


@pytest.fixture(scope="module", params=["everything", "the repository's own", "of the corpus"])
def original(request: pytest.FixtureRequest) -> str:
    """The text of a lock that is to be damaged."""
    if request.param == "everything":
        return EVERYTHING
    if request.param == "of the corpus":
        small = sorted(corpus_locks(), key=lambda path: path.stat().st_size)
        if not small:
            pytest.skip("the corpus of real locks is not beside the repository")
        return read_source(small[len(small) // 4]).text
    return read_source(REPOSITORY / "uv.lock").text


ATOMS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**64),
    st.floats(),
    st.dates(),
    st.text(max_size=6),
    st.sampled_from(("", ".", "1.0", "*", "all", "extra == 'x'", "os_name", "a-1-py3-none-any.whl", "x.whl", DIGEST)),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


def damage(data: st.DataObject, tables: Any) -> None:  # noqa: ANN401 - whatever TOML holds
    """Change one value somewhere: drop it, double it, or put another in its place."""
    node = tables
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        child = node[key]
        if not (isinstance(child, dict | list) and child) or data.draw(st.integers(0, 4)) == 0:
            break
        node = child
    match data.draw(st.sampled_from(("drop", "double", "replace", "replace"))):
        case "drop":
            del node[key]
        case "double" if isinstance(node, list):
            node.append(child)
        case _:
            node[key] = data.draw(VALUES)


@EXAMPLES
@given(data=st.data(), count=st.integers(1, 3))
def test_damaged_tables_never_crash(original: str, data: st.DataObject, count: int, tmp_path: Path) -> None:
    tables = rtoml.loads(original)
    for _ in range(count):
        damage(data, tables)
    (tmp_path / "uv.lock").write_text(rtoml.dumps(tables), encoding="utf-8")
    survives(tmp_path / "uv.lock")


PIECES = st.sampled_from(
    (
        *(b"\xff", b"\x00", b"\r", b"\n", b"'", b'"', b'"""', b"{", b"}", b"[[package]]\n", b"]", b"=", b",", b"#"),
        *(b"\xef\xbb\xbf", b"<<<<<<< x\n", b'version = "2"\n', b"\xe2\x80\xa8", b"1", b"-", b".", b" or ", b"extra"),
    )
)


@EXAMPLES
@given(
    cuts=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 40), PIECES | st.binary(max_size=6) | st.just(b"")),
        min_size=1,
        max_size=4,
    )
)
def test_damaged_bytes_never_crash(original: str, cuts: list[tuple[float, int, bytes]], tmp_path: Path) -> None:
    raw = original.encode()
    for place, length, piece in cuts:
        start = int(place * len(raw))
        raw = raw[:start] + piece + raw[start + length :]
    (tmp_path / "uv.lock").write_bytes(raw)
    survives(tmp_path / "uv.lock")
