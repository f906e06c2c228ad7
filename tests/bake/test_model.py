"""What a model refuses to be: everything that bake would reject, or ignore without a word."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.bake.model import BakeFile, Group, Section, Target, Variable
from auditor.bake.value import Compare, Conditional, Template, Var, VariableType
from auditor.errors import ConfigError


def target(**attributes: Any) -> Target:  # noqa: ANN401 - also what does not fit
    """A target; `_` in a keyword stands for `-`."""
    return Target(name="t", attributes={name.replace("_", "-"): value for name, value in attributes.items()})


def file_of(*blocks: Variable | Group | Target) -> BakeFile:
    """A file of one section."""
    return BakeFile(sections=(Section(blocks=blocks),))


@pytest.mark.parametrize("name", ["", "a.b", "a b", "é", 'a" {', "a\n"])
def test_names_of_targets_and_groups(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a bake target"):
        Target(name=name, attributes={})
    with pytest.raises(ConfigError, match="cannot name a bake group"):
        Group(name=name, targets=(), description="")
    with pytest.raises(ConfigError, match="cannot name a bake target"):
        Group(name="g", targets=(name,), description="")


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A.B", "é", "A\n", "true", "null", "for", "in"])
def test_names_of_variables(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a bake variable"):
        Var(name)
    with pytest.raises(ConfigError, match="cannot name a bake variable"):
        Variable(name=name, type=VariableType.STRING, default="", description="")


@pytest.mark.parametrize(
    ("attributes", "error", "message"),
    [
        ({"cache_form": []}, ValueError, "cache-form: bake has no such attribute"),
        ({"tags": "a"}, TypeError, "tags is a list, not str"),
        ({"tags": [1]}, TypeError, r"tags\[0\] is a string, not int"),
        ({"tags": [None]}, TypeError, r"tags\[0\] is a string, not NoneType"),
        ({"tags": None}, TypeError, "tags is a list, not NoneType"),
        ({"args": {"A": 1}}, TypeError, r"args\.A is a string, not int"),
        ({"args": {"A": None}}, TypeError, r"args\.A is a string, not NoneType"),
        ({"args": {1: "a"}}, TypeError, "args is a string, not int"),
        ({"args": [("A", "a")]}, TypeError, "args is a map, not list"),
        ({"pull": "true"}, TypeError, "pull is a bool, not str"),
        ({"pull": 1}, TypeError, "pull is a bool, not int"),
        ({"context": "\ud800"}, ConfigError, "is not Unicode text"),
        ({"labels": {"\udcff": ""}}, ConfigError, "is not Unicode text"),
        ({"network": "bridge"}, ConfigError, "'bridge' is not one of default, host, none"),
        ({"cache_to": None}, TypeError, "cache-to is a list, not NoneType"),
        ({"cache_to": ["type=inline"]}, TypeError, r"cache-to\[0\] is an object, not str"),
        ({"cache_to": [{"ref": "a"}]}, ConfigError, "no type, one of registry"),
        ({"cache_to": [{"type": "regsitry", "ref": "a"}]}, ConfigError, "type 'regsitry' is not one of registry"),
        ({"cache_to": [{"type": "registry"}]}, ValueError, "has no ref"),
        ({"cache_to": [{"type": "registry", "ref": "a", "mode": "maximum"}]}, ConfigError, "not one of min, max"),
        ({"cache_to": [{"type": "registry", "ref": "a", "compression": "xz"}]}, ConfigError, "not one of uncompressed"),
        ({"cache_to": [{"type": "registry", "ref": "a", "ignore-error": "yes"}]}, TypeError, "is a bool, not str"),
        ({"cache_to": [{"type": "registry", "ref": "a", "compression-level": True}]}, TypeError, "a whole number"),
        ({"cache_to": [{"type": "registry", "ref": "a", "scope": "b"}]}, ValueError, "knows no key 'scope'"),
        ({"cache_from": [{"type": "registry", "ref": "a", "mode": "max"}]}, ValueError, "knows no key 'mode'"),
        ({"cache_from": [{"type": "inline"}]}, ConfigError, "type 'inline' is not one of registry"),
        ({"output": [{"type": "local"}]}, ValueError, "has no dest"),
        ({"secret": [{"env": "A"}]}, ValueError, "has no id"),
        ({"secret": [{"type": "env", "id": "a", "src": "b"}]}, ValueError, "knows no key 'src'"),
        ({"resources": {"memroy": "1g"}}, ValueError, "knows no key 'memroy'"),
        ({"inherits": Template(("a", Var("S")))}, TypeError, "inherits is a list, not Template"),
        ({"pull": Template(("a", Var("S")))}, TypeError, "pull is a bool, not Template"),
        ({"tags": Conditional(Var("B"), ["a"], "b")}, TypeError, "tags is a list, not str"),
    ],
)
def test_what_a_target_refuses(attributes: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        target(**attributes)


def test_a_null_fits_nowhere() -> None:
    anything: Any = None
    for build in (
        lambda: Template(("a", anything)),
        lambda: Compare(Var("S"), "==", anything),
        lambda: Variable(name="S", type=VariableType.STRING, default=anything, description=""),
        lambda: Variable(name="S", type=VariableType.STRING, default="", description=anything),
    ):
        with pytest.raises(TypeError):
            build()


VARIABLES = (
    Variable(name="S", type=VariableType.STRING, default="", description=""),
    Variable(name="B", type=VariableType.BOOL, default=False, description=""),
    Variable(name="N", type=VariableType.NUMBER, default=1, description=""),
    Variable(name="L", type=VariableType.STRINGS, default=("a",), description=""),
)


@pytest.mark.parametrize(
    "attributes",
    [
        {"target": Var("N")},
        {"target": Template(("a", Var("B")))},
        {"pull": Var("B")},
        {"tags": Var("L")},
        {"tags": ["a", Var("N")]},
        {"tags": Conditional(Compare(Var("S"), "!=", ""), Var("L"), [])},
        {"target": Conditional(Var("B"), Template(("a", Var("N"))), Var("S"))},
        {"network": Var("S")},
        {"cache_to": [{"type": "local", "dest": "a", "compression-level": Var("N"), "ignore-error": Var("B")}]},
        {"context": Var("BAKE_CMD_CONTEXT")},
        {"matrix": {"py": ["310"]}, "args": {"PY": Var("py")}},
    ],
)
def test_references_that_fit(attributes: dict[str, Any]) -> None:
    assert file_of(*VARIABLES, target(**attributes)).targets["t"].name == "t"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"target": Var("X")}, "target: no variable 'X' is declared"),
        ({"target": Template(("a", Var("X")))}, "no variable 'X'"),
        ({"target": Var("L")}, "'L' is a list"),
        ({"target": Template(("a", Var("L")))}, "'L' is a list"),
        ({"pull": Var("S")}, "'S' is a string"),
        ({"tags": Var("S")}, "'S' is a string"),
        ({"tags": Conditional(Var("S"), [], [])}, "'S' is a string"),
        ({"tags": Conditional(Compare(Var("B"), "==", ""), [], [])}, "'B' is a bool"),
        ({"args": Var("L")}, "'L' is a list"),
        ({"cache_to": [{"type": "local", "dest": "a", "compression-level": Var("S")}]}, "'S' is a string"),
        # HCL finds no common type for a number and a bool, in whatever depth of the two arms they stand.
        ({"target": Conditional(Var("B"), Var("N"), "a")}, "'N' is a number"),
        ({"args": Conditional(Var("B"), {"A": Template((Var("B"),))}, {})}, "'B' is a bool"),
    ],
)
def test_references_that_do_not_fit(attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        file_of(*VARIABLES, target(**attributes))


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        (VariableType.STRING, 1),
        (VariableType.STRING, Var("S")),
        (VariableType.BOOL, "true"),
        (VariableType.NUMBER, True),
        (VariableType.NUMBER, 1.5),
        (VariableType.STRINGS, "a"),
        (VariableType.STRINGS, (Var("S"),)),
        (VariableType.STRINGS, (1,)),
    ],
)
def test_defaults_of_another_type(kind: VariableType, default: Any) -> None:  # noqa: ANN401
    with pytest.raises(TypeError, match='variable "A", default'):
        Variable(name="A", type=kind, default=default, description="")


def test_one_name_twice() -> None:
    with pytest.raises(ConfigError, match='two blocks named target "t"'):
        file_of(target(), target())
    with pytest.raises(ConfigError, match='two blocks named variable "S"'):
        file_of(*VARIABLES, VARIABLES[0])
    assert file_of(target(), Group(name="t", targets=("t",), description="")).groups["t"].targets == ("t",)


def test_a_lone_string_is_no_list_of_comment_lines() -> None:
    with pytest.raises(TypeError, match="not the string 'why'"):
        Target(name="t", attributes={}, comment="why")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not the string 't'"):
        Group(name="g", targets="t", description="")  # type: ignore[arg-type]


def test_notes_belong_to_attributes() -> None:
    with pytest.raises(ValueError, match=r"notes on attributes that it does not set: \['tags'\]"):
        Target(name="t", attributes={"target": "a"}, notes={"tags": ("why",)})


def test_a_comparison_is_of_two_kinds() -> None:
    with pytest.raises(ValueError, match="a comparison is == or !="):
        Compare(Var("S"), "<", "a")  # type: ignore[arg-type]


def test_a_model_does_not_change_with_what_it_was_made_of() -> None:
    tags, args = ["a"], {"A": "a"}
    made = target(tags=tags, args=args)
    tags.append("b")
    args["B"] = "b"
    assert made == target(tags=["a"], args={"A": "a"})
    assert made.attributes["tags"] == ("a",)
    with pytest.raises(TypeError):
        made.attributes["tags"] = ()  # type: ignore[index]


def test_a_template_joins_its_neighbours() -> None:
    assert Template(("a", "", "b", Var("S"), "")) == Template(("ab", Var("S")))
    assert target(target=Template(("a", "b"))).attributes["target"] == "ab"
