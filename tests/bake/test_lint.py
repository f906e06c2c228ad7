"""Each rule of the bake file's lint: files that it speaks of, and files that it must not."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.bake.lint import RULES, Problem, lint, refuse_problems, refuse_shared_cache_refs
from auditor.bake.model import BakeFile, Block, Group, Section, Target, Variable
from auditor.bake.value import Compare, Conditional, Template, Var, VariableType
from auditor.errors import ConfigError

KNOBS = (
    Variable(name="CACHE_REPO", type=VariableType.STRING, default="example.org/cache", description=""),
    Variable(name="CACHE_WRITE", type=VariableType.BOOL, default=False, description=""),
    Variable(name="WHEELS_FROM", type=VariableType.STRING, default="", description=""),
)
CACHE = Target(name="_cache", attributes={"cache-from": [{"type": "registry", "ref": "example.org/cache:dev"}]})
EPOCH = {"SOURCE_DATE_EPOCH": "0"}
CACHE_ONLY = [{"type": "cacheonly"}]


def target(name: str, **attributes: Any) -> Target:  # noqa: ANN401
    """A target that inherits the caches; `_` in a keyword stands for `-`."""
    given = {key.replace("_", "-"): value for key, value in attributes.items()}
    return Target(name=name, attributes={"inherits": ["_cache"], **given})


def file_of(*blocks: Block) -> BakeFile:
    """A file with the knobs, the caches and some blocks."""
    return BakeFile(sections=(Section(blocks=(*KNOBS, CACHE, *blocks)),))


def problems(*blocks: Block) -> list[tuple[str, str]]:
    """Rule and block of each problem."""
    return [(problem.rule, problem.block) for problem in lint(file_of(*blocks))]


def registry(tag: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A registry cache below CACHE_REPO."""
    return {"type": "registry", "ref": Template((Var("CACHE_REPO"), f":{tag}")), **more}


def written(*entries: dict[str, Any]) -> Conditional:
    """A cache-to that is off by default."""
    return Conditional(Var("CACHE_WRITE"), entries, ())


def wheel(**attributes: Any) -> Target:  # noqa: ANN401
    """A wheel target without a fault, apart from what is given."""
    return target(
        "wheel-prod", **{"output": CACHE_ONLY, "args": EPOCH, "cache_to": written(registry("w")), **attributes}
    )


def test_a_good_file() -> None:
    contexts = {
        "wheel": Conditional(
            Compare(Var("WHEELS_FROM"), "!=", ""),
            Template(("docker-image://", Var("WHEELS_FROM"))),
            "target:wheel-prod",
        )
    }
    blocks: list[Block] = [
        Target(
            name="_common", attributes={"inherits": ["_cache"], "context": ".", "dockerfile": "docker/Dockerfile-uv"}
        ),
        wheel(),
        target("dev", inherits=["_common"], contexts=contexts, cache_to=written(registry("dev", mode="max"))),
        target("prod", inherits=["_common"], contexts=contexts, cache_to=written(registry("prod", mode="max"))),
        Group(name="default", targets=("dev", "prod"), description=""),
        Group(name="everything", targets=("default", "wheel-prod"), description=""),
    ]
    assert problems(*blocks) == []
    refuse_problems(file_of(*blocks))


SHARED = ("shared-cache-ref", 'target "prod"')


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ([registry("a")], [registry("b")], []),
        ([registry("a")], [registry("a")], [SHARED]),
        ([registry("a")], written(registry("a")), [SHARED]),
        ([registry("a")], [{"type": "registry", "ref": "example.org/cache:a"}], [SHARED]),
        ([{"type": "registry", "ref": "a:5000/b"}], [{"type": "registry", "ref": "a:5000/b:latest"}], [SHARED]),
        ([registry("a"), registry("b")], [registry("c"), registry("b")], [SHARED]),
        ([registry("a")], [registry("b"), registry("b")], [SHARED]),
        ([registry("a")], Conditional(Var("CACHE_WRITE"), [registry("b")], [registry("b", mode="max")]), []),
        ([registry("a")], [Conditional(Var("CACHE_WRITE"), registry("b"), registry("b", mode="max"))], []),
        ([registry("a")], [{"type": "local", "dest": "a"}], []),
        ([{"type": "local", "dest": "a"}], [{"type": "local", "dest": "a", "tag": "b"}], []),
        ([{"type": "local", "dest": "a"}], [{"type": "local", "dest": "a", "tag": "latest"}], [SHARED]),
        ([{"type": "gha"}], [{"type": "gha", "scope": "buildkit"}], [SHARED]),
        ([{"type": "gha", "scope": "a"}], [{"type": "gha", "scope": "b"}], []),
        ([{"type": "s3", "bucket": "a", "prefix": "b"}], [{"type": "s3", "bucket": "a", "name": "b"}], []),
        ([{"type": "s3", "bucket": "a"}], [{"type": "s3", "bucket": "a", "mode": "max"}], [SHARED]),
        ([{"type": "inline"}], [{"type": "inline"}], []),
        ([], [], []),
    ],
)
def test_shared_cache_refs(first: Any, second: Any, found: list[tuple[str, str]]) -> None:  # noqa: ANN401
    blocks = (target("dev", cache_to=first), target("prod", cache_to=second))
    assert problems(*blocks) == found
    if found:
        with pytest.raises(ConfigError, match='target "prod": cache-to'):
            refuse_shared_cache_refs(file_of(*blocks))
    else:
        refuse_shared_cache_refs(file_of(*blocks))


def test_an_inherited_cache_ref_is_written_too() -> None:
    base = Target(name="_base", attributes={"inherits": ["_cache"], "cache-to": [registry("a")]})
    dev = Target(name="dev", attributes={"inherits": ["_base"]})
    prod = Target(name="prod", attributes={"inherits": ["_base"]})
    assert problems(base, dev) == []
    assert problems(base, dev, prod) == [SHARED]
    own = Target(name="prod", attributes={"inherits": ["_base"], "cache-to": []})
    assert problems(base, dev, own) == []


def test_the_last_of_two_parents_wins() -> None:
    one = Target(name="_one", attributes={"inherits": ["_cache"], "cache-to": [registry("a")]})
    two = Target(name="_two", attributes={"inherits": ["_cache"], "cache-to": [registry("b")]})
    dev = Target(name="dev", attributes={"inherits": ["_one", "_two"]})
    prod = Target(name="prod", attributes={"inherits": ["_two", "_one"]})
    assert problems(one, two, dev, prod) == []


@pytest.mark.parametrize(
    ("inherits", "found"),
    [
        ({"dev": ["_cache"]}, []),
        ({"_common": ["_cache"], "dev": ["_common"]}, []),
        ({"_a": [], "_common": ["_a", "_cache"], "dev": ["_a", "_common"]}, []),
        ({"dev": []}, ["dev"]),
        ({"_common": [], "dev": ["_common"], "prod": ["dev"]}, ["dev", "prod"]),
        ({"_common": []}, []),
        ({"dev": ["prod"], "prod": ["dev"]}, ["dev", "prod"]),
        ({"dev": ["prod"], "prod": ["dev", "_cache"]}, []),
    ],
)
def test_cache_not_inherited(inherits: dict[str, list[str]], found: list[str]) -> None:
    blocks = [Target(name=name, attributes={"inherits": parents}) for name, parents in inherits.items()]
    assert problems(*blocks) == [("cache-not-inherited", f'target "{name}"') for name in found]


@pytest.mark.parametrize(
    ("attributes", "messages"),
    [
        ({}, []),
        ({"cache_to": [registry("w", mode="min")]}, []),
        ({"cache_to": []}, []),
        ({"output": Conditional(Var("CACHE_WRITE"), CACHE_ONLY, CACHE_ONLY)}, []),
        ({"cache_to": [registry("w", mode="max")]}, ['cache-to has a mode other than "min"']),
        ({"cache_to": [registry("w", mode=Var("CACHE_REPO"))]}, ['cache-to has a mode other than "min"']),
        ({"cache_to": written(registry("w", mode="max"))}, ['cache-to has a mode other than "min"']),
        ({"output": []}, ['output is not [{ type = "cacheonly" }]']),
        ({"output": Conditional(Var("CACHE_WRITE"), CACHE_ONLY, [])}, ['output is not [{ type = "cacheonly" }]']),
        ({"output": [{"type": "local", "dest": "out"}]}, ['output is not [{ type = "cacheonly" }]']),
        ({"output": [*CACHE_ONLY, {"type": "image"}]}, ['output is not [{ type = "cacheonly" }]']),
        ({"args": {}}, ["args do not pin SOURCE_DATE_EPOCH to a literal"]),
        ({"args": {"SOURCE_DATE_EPOCH": Var("CACHE_REPO")}}, ["args do not pin SOURCE_DATE_EPOCH to a literal"]),
    ],
)
def test_wheel_targets(attributes: dict[str, Any], messages: list[str]) -> None:
    assert lint(file_of(wheel(**attributes))) == [
        Problem("wheel-target", 'target "wheel-prod"', message) for message in messages
    ]


def test_a_wheel_target_may_inherit_what_it_needs() -> None:
    base = Target(name="_wheel", attributes={"inherits": ["_cache"], "output": CACHE_ONLY, "args": EPOCH})
    prod = Target(name="wheel-prod", attributes={"inherits": ["_wheel"], "args": {"A": "a"}})
    assert problems(base, prod) == []
    assert problems(target("wheel-dev")) == [("wheel-target", 'target "wheel-dev"')] * 2
    assert problems(target("wheelhouse")) == []


@pytest.mark.parametrize(
    ("attributes", "path"),
    [
        ({"context": "."}, None),
        ({"context": "docker/uv"}, None),
        ({"context": "a..b/..c"}, None),
        ({"context": "https://example.org/a/../b.git"}, None),
        ({"context": "git@example.org:a/../b.git"}, None),
        ({"contexts": {"a": "target:dev", "b": "docker-image://a/b", "c": "oci-layout://layout"}}, None),
        ({"context": Var("WHEELS_FROM")}, None),
        ({"output": [{"type": "local", "dest": "out"}]}, None),
        ({"context": ".."}, "context is outside the project: .."),
        ({"context": "a/../../b"}, "context is outside the project: a/../../b"),
        ({"context": "a\\..\\b"}, "context is outside the project: a\\..\\b"),
        ({"context": "/a"}, "context is outside the project: /a"),
        ({"context": "~/a"}, "context is outside the project: ~/a"),
        ({"context": "C:\\a"}, "context is outside the project: C:\\a"),
        ({"context": "cwd://../a"}, "context is outside the project: cwd://../a"),
        ({"context": Template(("../", Var("WHEELS_FROM")))}, "context is outside the project: ../"),
        ({"context": Conditional(Var("CACHE_WRITE"), "a", "../b")}, "context is outside the project: ../b"),
        ({"dockerfile": "../Dockerfile"}, "dockerfile is outside the project: ../Dockerfile"),
        ({"contexts": {"a": "../a"}}, "contexts is outside the project: ../a"),
        ({"contexts": {"a": "oci-layout:///a"}}, "contexts is outside the project: oci-layout:///a"),
        ({"cache_from": [{"type": "local", "src": "/a"}]}, "cache-from src is outside the project: /a"),
        ({"cache_to": written({"type": "local", "dest": "~a"})}, "cache-to dest is outside the project: ~a"),
        ({"output": [{"type": "tar", "dest": "../a"}]}, "output dest is outside the project: ../a"),
        ({"ssh": [{"id": "a", "paths": ["/b"]}]}, "ssh paths is outside the project: /b"),
    ],
)
def test_paths_outside(attributes: dict[str, Any], path: str | None) -> None:
    wanted = [] if path is None else [Problem("path-outside-project", 'target "dev"', path)]
    assert lint(file_of(target("dev", **attributes))) == wanted


@pytest.mark.parametrize(
    ("secret", "fires"),
    [
        ({"id": "a", "env": "A"}, False),
        ({"env": "A", "id": "a"}, False),
        ({"id": "a"}, True),
        ({"type": "env", "id": "a", "env": "A"}, True),
        ({"id": "a", "src": "a.txt"}, True),
    ],
)
def test_secret_form(secret: dict[str, Any], fires: bool) -> None:  # noqa: FBT001
    assert problems(target("dev", secret=[secret])) == [("secret-form", 'target "dev"')] * fires


@pytest.mark.parametrize("name", ["CUDA_VERSION", "PYTHON_VERSION", "VERSION", "HOME", "PATH", "CI", "USER", "DEBUG"])
def test_exported_names(name: str) -> None:
    variable = Variable(name=name, type=VariableType.STRING, default="", description="")
    assert problems(variable) == [("exported-name", f'variable "{name}"')]


@pytest.mark.parametrize(
    ("block", "where"),
    [
        (Group(name="g", targets=("_cache", "dev"), description=""), None),
        (Group(name="g", targets=("nobody",), description=""), 'group "g"'),
        (target("prod", contexts={"wheel": "target:dev"}), None),
        (target("prod", contexts={"wheel": "target:nobody"}), 'target "prod"'),
        (target("prod", contexts={"a": Conditional(Var("CACHE_WRITE"), "b", "target:nobody")}), 'target "prod"'),
        (target("prod", contexts={"a": "docker-image://nobody"}), None),
        (target("prod", inherits=["_cache", "nobody"]), 'target "prod"'),
    ],
)
def test_unknown_targets(block: Block, where: str | None) -> None:
    assert problems(target("dev"), block) == ([] if where is None else [("unknown-target", where)])


def test_all_problems_at_once() -> None:
    blocks = file_of(target("dev", context=".."), target("prod", contexts={"a": "target:nobody"}))
    with pytest.raises(ConfigError) as caught:
        refuse_problems(blocks)
    assert caught.value.message.splitlines() == [
        "this bake file would build something wrong",
        'target "dev": context is outside the project: ..',
        'target "prod": a context is linked to "nobody", which is no target',
    ]


def test_every_rule_is_listed_once() -> None:
    assert len(RULES) == len(set(RULES)) == 7
