"""The build key: everything that decides a compiled wheel's bytes changes it, and nothing else does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from auditor.config import Config
from auditor.errors import ConfigError, InputError
from auditor.wheel.key import build_keys, digest_of
from auditor.wheel.known import HOLLOWING, SPEED_KNOBS
from tests.rules.specimens import CU128, INDEX, digest, package, plain, registry, sdist
from tests.wheel.specimens import COMPILED, Compiled, make_pins, select

# Hashes that do not follow from the names, so that one thing can change alone.
FIXED = COMPILED.but(flash_attn_sha=digest("sdist"), torch_sha=digest("wheel"))

# what is changed -> the components that then differ
CHANGES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "the package": (
        {"name": "natten"},
        {"package", "env NATTEN_CUDA_ARCH", "env FLASH_ATTN_CUDA_ARCHS", "env FLASH_ATTENTION_FORCE_BUILD"},
    ),
    "its version": ({"flash_attn": "2.8.2"}, {"version"}),
    "its source": ({"flash_attn_sha": digest("other")}, {"source"}),
    "torch": ({"torch": "2.6.1+cu124"}, {"torch"}),
    "the CUDA of torch": ({"torch": "2.6.0+cu126"}, {"torch", "torch cuda"}),
    "torch without a local part": (
        {"torch": "2.6.0", "torch_index": "https://i.example"},
        {"torch", "torch source", "torch cuda"},
    ),
    "the index of torch": ({"torch_index": CU128}, {"torch source"}),
    "the wheel of torch": ({"torch_sha": digest("other")}, {"torch wheel"}),
    "the ABI of torch": ({"torch_tag": "manylinux1"}, {"c++ abi"}),
    "the toolkit's patch": ({"cuda": "12.4.0"}, {"cuda"}),
    "the toolkit": ({"cuda": "12.8.1"}, {"cuda", "env FLASH_ATTN_CUDA_ARCHS"}),
    "the image's variant": ({"variant": "runtime"}, {"image"}),
    "the image's system": ({"ubuntu": "24.04"}, {"image"}),
    "the Python": ({"target": "linux-x86_64-cp313"}, {"python"}),
    "the machine": ({"target": "linux-aarch64-cp312"}, {"platform"}),
    "cmake": ({"cmake": "3.27.0"}, {"cmake"}),
    "a variable more": ({"env": (("A", "1"),)}, {"env A"}),
    "the architectures": ({"env": (("FLASH_ATTN_CUDA_ARCHS", "90"),)}, {"env FLASH_ATTN_CUDA_ARCHS"}),
    "an empty variable": ({"env": (("FLASH_ATTENTION_FORCE_BUILD", ""),)}, {"env FLASH_ATTENTION_FORCE_BUILD"}),
}


def values(pair: Compiled) -> dict[str, str]:
    """The components of a key."""
    return {component.name: component.value for component in pair.key().components}


def differing(one: Compiled, other: Compiled) -> set[str]:
    """The components in which two keys differ."""
    first, second = values(one), values(other)
    return {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)}


@pytest.mark.parametrize(("changes", "components"), CHANGES.values(), ids=CHANGES)
def test_each_component_changes_the_key(changes: dict[str, Any], components: set[str]) -> None:
    changed = FIXED.but(**changes)
    assert differing(FIXED, changed) == components
    assert changed.key().digest != FIXED.key().digest


def test_every_component_is_in_the_table() -> None:
    covered = set().union(*(components for _, components in CHANGES.values()))
    assert set(values(FIXED)) <= covered


def test_no_two_of_the_table_have_one_key() -> None:
    keys = [FIXED.but(**changes).key().readable for changes, _ in CHANGES.values()]
    assert len({FIXED.key().readable, *keys}) == len(CHANGES) + 1


def versions() -> st.SearchStrategy[str]:
    """Versions of packages."""
    return st.lists(st.integers(0, 99), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))


@settings(max_examples=40, deadline=None)
@given(filelock=versions(), pytest_=versions(), ninja=versions(), backwards=st.booleans())
def test_nothing_else_changes_the_key(*, filelock: str, pytest_: str, ninja: str, backwards: bool) -> None:
    moved = FIXED.but(filelock=filelock, pytest=pytest_, ninja=ninja, backwards=backwards)
    assert moved.key().readable == FIXED.key().readable


@pytest.mark.parametrize("name", sorted(SPEED_KNOBS))
def test_the_environment_of_the_machine_does_not_change_the_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = FIXED.key().readable
    monkeypatch.setenv(name, "7")
    assert FIXED.key().readable == before


texts = st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=5)


@given(one=texts, other=texts)
def test_a_digest_tells_components_apart_and_not_their_order(one: dict[str, str], other: dict[str, str]) -> None:
    assert (digest_of(one) == digest_of(other)) == (one == other)
    assert digest_of(dict(reversed(one.items()))) == digest_of(one)
    assert re.fullmatch(r"[0-9a-f]{12}", digest_of(one))


def test_the_digest_is_what_it_was() -> None:
    """A key that changes without a reason compiles every wheel of every user anew."""
    assert digest_of({}) == "080a9ed42855"
    assert FIXED.key().readable == "flash-attn-2.8.3-cu124-torch2.6.0-cp312-40072002377e"


PREFIXES: tuple[tuple[dict[str, str], str], ...] = (
    ({}, "flash-attn-2.8.3-cu124-torch2.6.0-cp312"),
    ({"flash_attn": "2.8.3.post2"}, "flash-attn-2.8.3.post2-cu124-torch2.6.0-cp312"),
    ({"flash_attn": "1!2.0+local.1"}, "flash-attn-1-2.0.local.1-cu124-torch2.6.0-cp312"),
    ({"cuda": "13.0.1", "target": "linux-aarch64-cp313"}, "flash-attn-2.8.3-cu130-torch2.6.0-cp313"),
    ({"torch": "2.7.0.dev20250101+cu128"}, "flash-attn-2.8.3-cu124-torch2.7.0.dev20250101-cp312"),
)


@pytest.mark.parametrize(("changes", "prefix"), PREFIXES, ids=[prefix for _, prefix in PREFIXES])
def test_the_readable_key_is_a_tag_of_an_image(changes: dict[str, str], prefix: str) -> None:
    readable = COMPILED.but(**changes).key().readable
    assert readable.rpartition("-")[0] == prefix
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", readable)


def refusal(name: str, value: str) -> ConfigError:
    """Why a variable of the compile is refused."""
    with pytest.raises(ConfigError) as caught:
        COMPILED.but(env=((name, value),)).keys()
    return caught.value


@pytest.mark.parametrize("name", sorted(SPEED_KNOBS))
def test_speed_knobs_are_refused_with_the_way_to_set_them(name: str) -> None:
    refused = refusal(name, "8")
    assert f"`{name}` of [tool.lockaudit.wheel.flash-attn.env]" in refused.message
    assert refused.hint == f"set {name} in the environment of `docker buildx bake`"


def product(*values: str) -> list[tuple[str, str]]:
    """Each variable that hollows a wheel with each of these values."""
    return [(name, value) for name in sorted(HOLLOWING) for value in values]


@pytest.mark.parametrize(("name", "value"), product("TRUE", "true", "1", "yes"))
def test_a_wheel_without_its_extension_is_refused(name: str, value: str) -> None:
    assert "makes a wheel without its extension" in refusal(name, value).message


@pytest.mark.parametrize(("name", "value"), product("FALSE", "false", "0", ""))
def test_saying_that_it_is_not_hollow_is_allowed(name: str, value: str) -> None:
    assert COMPILED.but(env=((name, value),)).key().env[name] == value


@pytest.mark.parametrize("name", ["", "A B", "1A", "A-B", "A=B", "A\nB", "Ä"])
def test_a_name_that_no_shell_takes_is_refused(name: str) -> None:
    assert "is not the name of a variable" in refusal(name, "1").message


@pytest.mark.parametrize("value", ["a\nb", "a\x00b", "\x1b[31m", "a\u202eb"])
def test_a_control_character_is_refused(value: str) -> None:
    assert "has a control character" in refusal("A", value).message


def with_source(source: str, *, sdist: str = "") -> str:
    """The lock of the pair with flash-attn from elsewhere."""
    entry = package("flash-attn", "2.8.3", source=source, sdist=sdist, needs=["torch"], wheels=())
    pattern = r'\[\[package\]\]\nname = "flash-attn"\n.*?(?=\n\[\[)'
    return re.sub(pattern, lambda _: entry, COMPILED.lock(), count=1, flags=re.DOTALL)


SHA = "a" * 40
COMMITS = (
    (f'git = "https://git.example/fa?tag=v1#{SHA}"', f"https://git.example/fa {SHA} ."),
    (f'git = "https://me:s3cret@git.example/fa.git?rev={SHA}#{SHA}"', f"https://git.example/fa {SHA} ."),
    (f'git = "https://git.example/fa?subdirectory=hopper&tag=v1#{SHA}"', f"https://git.example/fa {SHA} hopper"),
)


@pytest.mark.parametrize(("source", "value"), COMMITS, ids=["tag", "commit", "subdirectory"])
def test_a_commit_names_its_bytes_itself(source: str, value: str) -> None:
    (key,) = build_keys(*select(with_source(source)), Config(), make_pins())
    assert key.source is None
    assert {component.name: component.value for component in key.components}["source"] == value


UNVERIFIABLE = {
    "no sdist": (registry(INDEX), "", "has no sdist and no commit"),
    "a folder": ('directory = "flash-attn"', "", "has no sdist and no commit"),
    "no hash": (registry(INDEX), sdist("flash-attn", "2.8.3", hash=None), "has no sha256"),
    "a weak hash": (registry(INDEX), sdist("flash-attn", "2.8.3", hash=digest("x", "md5")), "has no sha256"),
    "a file of this machine": (
        'path = "flash_attn-2.8.3.tar.gz"',
        f'{{ hash = "{digest("x")}" }}',
        "is a file on this machine",
    ),
}


@pytest.mark.parametrize(("source", "archive", "why"), UNVERIFIABLE.values(), ids=UNVERIFIABLE)
def test_what_cannot_be_verified_is_not_compiled(source: str, archive: str, why: str) -> None:
    side, selection = select(with_source(source, sdist=archive))
    with pytest.raises(InputError, match=why) as caught:
        build_keys(side, selection, Config(compiled=("flash-attn",)), make_pins())
    assert caught.value.path == "uv.lock"
    assert side.lock.file.line((caught.value.line or 0) + 1) == 'name = "flash-attn"'


def test_nothing_is_compiled_without_torch() -> None:
    text = plain(package("flash-attn", "2.8.3", sdist=sdist("flash-attn", "2.8.3"), wheels=()))
    with pytest.raises(InputError, match="no torch to compile it against"):
        build_keys(*select(text), Config(compiled=("flash-attn",)), make_pins())
