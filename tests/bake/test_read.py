"""The reader: values, lines and errors; and what the writer wrote comes back."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st

from auditor.bake.read import BakeDocument, BakeValue, Expression, read_bake
from auditor.bake.value import Conditional, Template, Value, Var
from auditor.bake.write import render
from auditor.errors import InputError
from auditor.source import SourceFile
from tests.bake.strategies import bake_files, nfc, writable

if TYPE_CHECKING:
    from auditor.bake.model import BakeFile


def read(text: str) -> BakeDocument:
    """Read a text as a file of that name."""
    return read_bake(SourceFile(Path("docker-bake.hcl"), "docker-bake.hcl", text))


def value_of(text: str) -> BakeValue:
    """Read one value."""
    return read(f"a = {text}\n").attributes["a"].value


FILE = """\
# A comment, then a constant.
CUDA = "12.4.1"

variable "CACHE_WRITE" {
  type    = bool
  default = false
  validation {
    condition     = CACHE_WRITE != null
    error_message = "say something"
  }
}

target "prod" {
  inherits = ["_cache"] # why
  args = {
    CUDA_VERSION = "${CUDA}"
    "a.b"        = null, c : 1
    # alone
    in = -2
  }

  cache-to = CACHE_WRITE ? [
    { type = "inline" },
  ] : []
  output = [{ type = "cacheonly" }]
}
target prod {}
function "f" {
  params = [a]
  result = upper(a)
}
"""


def test_a_file() -> None:
    document = read(FILE)
    assert [(block.kind, block.name, block.line) for block in document.blocks] == [
        ("variable", "CACHE_WRITE", 4),
        ("target", "prod", 13),
        ("target", "prod", 27),
        ("function", "f", 28),
    ]
    assert document.attributes["CUDA"].value == "12.4.1"
    assert document.attributes["CUDA"].line == 2
    variable, prod, again = document.blocks[:3]
    assert variable.value("type") == Expression("bool")
    assert variable.value("default") is False
    assert [(block.kind, block.name, block.line) for block in variable.blocks] == [("validation", "", 7)]
    assert {name: attribute.line for name, attribute in prod.attributes.items()} == {
        "inherits": 14,
        "args": 15,
        "cache-to": 22,
        "output": 25,
    }
    assert prod.value("inherits") == ("_cache",)
    assert prod.value("args") == {"CUDA_VERSION": Expression('"${CUDA}"'), "a.b": None, "c": 1, "in": -2}
    assert prod.value("cache-to") == Expression('CACHE_WRITE ? [\n    { type = "inline" },\n  ] : []')
    assert prod.value("output") == ({"type": "cacheonly"},)
    assert prod.value("tags") is None
    assert document.of_kind("target") == (prod, again)


def test_line_ends_of_windows_change_nothing() -> None:
    assert read(FILE.replace("\n", "\r\n")).blocks[1].value("inherits") == ("_cache",)
    assert read(FILE.replace("\n", "\r\n")).blocks[2].line == 27


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "/* and\nthis */\n"])
def test_a_file_without_blocks(text: str) -> None:
    assert read(text).blocks == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', ""),
        (r'"a\"b\\n\n\t\r"', 'a"b\\n\n\t\r'),
        (r'"\u00e9\U0001f600"', "\u00e9\U0001f600"),
        ('"e\u0301"', "\u00e9"),
        ('"$${x} %%{y} $x 100% $$ {"', "${x} %{y} $x 100% $$ {"),
        ('"$${ and no end"', "${ and no end"),
        ('"$$${x}"', "$${x}"),
        (r'"$${\"}"', '${"}'),
        ('"# no // comment /* here"', "# no // comment /* here"),
        ("12", 12),
        ("-12", -12),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ("(1)", 1),
        ("[]", ()),
        ('["a", 1, [true],]', ("a", 1, (True,))),
        ("{}", {}),
        ('{ a = 1, "b" : 2\n c = {} }', {"a": 1, "b": 2, "c": {}}),
        ("{ true = 1, for = 2, 3 = 4 }", {"true": 1, "for": 2, "3": 4}),
        ("{ (X) = 1 }", Expression("{ (X) = 1 }")),
        ('{ "${X}" = 1 }', Expression('{ "${X}" = 1 }')),
        ("X", Expression("X")),
        ('"${X}"', Expression('"${X}"')),
        ('"%{ if X }a%{ endif }"', Expression('"%{ if X }a%{ endif }"')),
        ("[X, 1]", (Expression("X"), 1)),
        ("-X", Expression("-X")),
        ("!true", Expression("!true")),
        ("1 + 2", Expression("1 + 2")),
        ("target.base.tags", Expression("target.base.tags")),
        ('split(",", X)[0]', Expression('split(",", X)[0]')),
        ("[for x in Y : x]", Expression("[for x in Y : x]")),
        ("<<EOT\na\nEOT", Expression("<<EOT\na\nEOT")),
    ],
)
def test_a_value(text: str, value: BakeValue) -> None:
    assert value_of(text) == value
    assert type(value_of(text)) is type(value) or isinstance(value, Mapping)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ('target "x" {\n  a = @\n}', "2:7", "'@' has no place here"),
        ('target "x" {\n', "1:13", "the line or the file ends too early"),
        ('\n\n}\ntarget "x" {}', "3:1", "'}' has no place here"),
        ('a = "b', "1:6", "'b' has no place here"),
        ("a = [1,,2]", "1:8", "',2]' has no place here"),
        ('target "x" {\n  a = 1\n  b = 2\n  a = 3\n}', "4", "'a' is set a second time in one block, first on line 2"),
        ('\na = "\\q"', "2", r"HCL has no escape \q"),
        ('\na = "\\u12"', "2", r"HCL has no escape \u"),
        ('\na = "\\ud800"', "2", r"HCL has no escape \ud800"),
        ('\na = "\\U00110000"', "2", r"HCL has no escape \U00110000"),
        (f"a = {'[' * 2000}{']' * 2000}", None, "nests its values too deeply"),
    ],
)
def test_an_error_names_the_line(text: str, where: str | None, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert message in caught.value.message
    assert caught.value.where == ("docker-bake.hcl" if where is None else f"docker-bake.hcl:{where}")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(FILE)), st.sampled_from(['"', "{", "}", "${", "\\", "\n", "=", "\0", ""])))
)
def test_a_broken_file_is_read_or_refused(edits: list[tuple[int, str]]) -> None:
    text = FILE
    for place, character in edits:
        text = text[:place] + character + text[place + 1 :]
    with contextlib.suppress(InputError):  # any other exception is a crash
        assert read(text).name == "docker-bake.hcl"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bake=bake_files())
def test_what_was_written_comes_back(bake: BakeFile) -> None:
    assume(writable(bake))
    document = read(render(bake))
    assert [block.name for block in document.blocks] == [*bake.variables, *bake.groups, *bake.targets]
    for block in document.of_kind("variable"):
        variable = bake.variables[block.name]
        assert block.value("type") == Expression(variable.type.value)
        assert_same(block.value("default"), variable.default)
        assert_same(block.value("description"), variable.description)
    for block in document.of_kind("target"):
        attributes = bake.targets[block.name].attributes
        assert set(block.attributes) == set(attributes)
        for name, value in attributes.items():
            assert_same(block.value(name), value)


def assert_same(found: BakeValue, written: Value) -> None:
    """Literals are equal, references and choices are the expressions that they are."""
    match written:
        case Var(name):
            assert found == Expression(name)
        case Template(parts):
            assert isinstance(found, Expression)
            assert found.text.count("${") >= sum(isinstance(part, Var) for part in parts)
        case Conditional():
            assert isinstance(found, Expression)
            assert " ? " in found.text
        case str():
            assert found == nfc(written)
        case Mapping():
            assert isinstance(found, Mapping)
            wanted = {nfc(key): value for key, value in written.items()}
            assert list(found) == list(wanted)
            for key, value in wanted.items():
                assert_same(found[key], value)
        case tuple():
            assert isinstance(found, tuple)
            for each, value in zip(found, written, strict=True):
                assert_same(each, value)
        case _:
            assert found == written
            assert type(found) is type(written)


def test_the_parser_is_imported_when_a_file_is_read() -> None:
    code = "import sys, auditor.bake.read; sys.exit('hcl2' in sys.modules or 'lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
