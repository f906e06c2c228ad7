"""What `docker buildx bake --print` makes of written files: bake itself is the oracle. It needs no daemon."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings

from auditor.bake.model import BakeFile, Section, Target, Variable
from auditor.bake.reference import ATTRIBUTES, FLAG, TEXT, TEXTS, ListOf, MapOf, ObjectOf, Shape
from auditor.bake.value import Compare, Conditional, Template, Value, Var, VariableType
from auditor.bake.write import render
from tests.bake.buildx import printed
from tests.bake.strategies import as_text, bake_files, evaluated

if TYPE_CHECKING:
    from pathlib import Path

# Attributes whose values bake passes on as they are, whatever they hold.
_PASSED_ON: dict[str, Shape] = {
    **dict.fromkeys(("description", "dockerfile", "dockerfile-inline", "target"), TEXT),
    **dict.fromkeys(("args", "labels", "contexts", "extra-hosts"), MapOf(TEXT)),
    **dict.fromkeys(("tags", "no-cache-filter", "entitlements"), TEXTS),
    **dict.fromkeys(("pull", "no-cache"), FLAG),
    "cache-from": ListOf(ObjectOf({"registry": {"ref": TEXT, "registry.insecure": FLAG}}, {"registry": "ref"})),
    "output": ListOf(ObjectOf({"registry": {"name": TEXT, "push": FLAG}})),
}
# `--print` writes a bake file again, with the escapes that HCL needs there; but in these attributes alone.
_ESCAPED_AGAIN = {"args", "labels", "extra-hosts", "dockerfile-inline"}


def shown(attribute: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    """An evaluated value as `--print` shows it: scalars as strings, without what is empty or there twice."""
    match value:
        case dict():
            members = {key: shown(attribute, each) for key, each in value.items()}
            return {key: each for key, each in members.items() if each or attribute != "contexts"}
        case list():
            items = [shown(attribute, each) for each in value]
            return [each for index, each in enumerate(items) if each and each not in items[:index]]
        case bool() if _PASSED_ON[attribute] == FLAG:
            return value
    text = as_text(value)
    return re.sub(r"[$%](?=\{)", r"\g<0>\g<0>", text) if attribute in _ESCAPED_AGAIN else text


# One call of docker costs 0.1 s: few examples, many targets in each.
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(bake=bake_files(_PASSED_ON, most_targets=8))
def test_bake_reads_the_values_that_were_written(bake: BakeFile, docker: str, tmp_path: Path) -> None:
    targets = printed(docker, render(bake), tmp_path, "all-of-them")["target"]
    for name, target in bake.targets.items():
        for attribute, value in target.attributes.items():
            want = shown(attribute, evaluated(value, bake)) or {"dockerfile": "Dockerfile"}.get(attribute)
            assert (targets[name].get(attribute) or None) == (want or None), attribute


def test_what_the_environment_may_change(docker: str, tmp_path: Path) -> None:
    """The pattern that the emitted file is made of: literals stay, a variable follows the environment."""
    variables = (
        Variable(name="CACHE_WRITE", type=VariableType.BOOL, default=False, description="Write the caches"),
        Variable(name="WHEELS_FROM", type=VariableType.STRING, default="", description="An image with the wheels"),
    )
    target = Target(
        name="prod",
        attributes={
            "args": {"CUDA_VERSION": "12.4.1"},
            "contexts": {
                "wheel": Conditional(
                    Compare(Var("WHEELS_FROM"), "!=", ""), Template(("docker-image://", Var("WHEELS_FROM"))), "wheels"
                )
            },
            "cache-to": Conditional(Var("CACHE_WRITE"), [{"type": "registry", "ref": "example.org/c:prod"}], []),
        },
    )
    text = render(BakeFile(sections=(Section(blocks=(*variables, target)),)))
    plain = printed(docker, text, tmp_path, "prod")["target"]["prod"]
    assert plain["contexts"] == {"wheel": "wheels"}
    assert "cache-to" not in plain
    changed = {"CACHE_WRITE": "1", "WHEELS_FROM": "example.org/wheels", "CUDA_VERSION": "11.8.0"}
    other = printed(docker, text, tmp_path, "prod", **changed)["target"]["prod"]
    assert other["contexts"] == {"wheel": "docker-image://example.org/wheels"}
    assert other["cache-to"] == [{"type": "registry", "ref": "example.org/c:prod"}]
    assert other["args"] == plain["args"] == {"CUDA_VERSION": "12.4.1"}


def test_every_attribute_is_one_of_bakes(docker: str, tmp_path: Path) -> None:
    """What this buildx shows again of a target that sets everything; the rest needs a newer one."""
    attributes: dict[str, Value] = {
        "description": "a",
        "context": "b",
        "dockerfile": "c",
        "dockerfile-inline": "FROM d",
        "target": "e",
        "contexts": {"f": "g"},
        "args": {"h": "i"},
        "platforms": ["linux/amd64"],
        "labels": {"j": "k"},
        "annotations": ["index:l=m"],
        "tags": ["n"],
        "secret": [{"id": "o", "env": "p"}],
        "network": "host",
        "extra-hosts": {"q": "127.0.0.1"},
        "shm-size": "1g",
        "ulimits": ["nofile=1:2"],
        "resources": {"memory": "1g", "cpu-shares": 2},
        "entitlements": ["network.host"],
        "policy": [{"filename": "r", "strict": True}],
        "attest": [{"type": "sbom", "disabled": True}],
        "call": "check",
        "pull": True,
        "no-cache": True,
        "no-cache-filter": ["s"],
        "cache-from": [{"type": "gha", "scope": "t"}],
        "cache-to": [{"type": "local", "dest": "u", "mode": "max", "compression": "zstd", "compression-level": 3}],
        "output": [{"type": "cacheonly"}],
    }
    assert set(ATTRIBUTES) - set(attributes) == {"name", "matrix", "inherits", "ssh"}
    text = render(BakeFile(sections=(Section(blocks=(Target(name="all", attributes=attributes),)),)))
    target = printed(docker, text, tmp_path, "all")["target"]["all"]
    assert set(attributes) - set(target) <= {"policy", "resources"}
    cache_to = {"type": "local", "dest": "u", "mode": "max", "compression": "zstd", "compression-level": "3"}
    assert target["cache-to"] == [cache_to]


def test_a_matrix_and_what_it_inherits(docker: str, tmp_path: Path) -> None:
    base = Target(name="_base", attributes={"tags": ["base"]})
    target = Target(
        name="app",
        attributes={"name": Template(("app-", Var("py"))), "matrix": {"py": ["310", "311"]}, "inherits": ["_base"]},
    )
    shown_targets = printed(docker, render(BakeFile(sections=(Section(blocks=(base, target)),))), tmp_path, "app")[
        "target"
    ]
    assert {name: each["tags"] for name, each in shown_targets.items()} == {"app-310": ["base"], "app-311": ["base"]}
