"""`[tool.lockaudit]`: what it may hold, what it means, and how a mistake in it is told."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from auditor.config import KEYS, CacheConfig, Config, ImageConfig, Key, SideConfig, WheelConfig, nearest
from auditor.errors import ConfigError
from auditor.rules import RULES
from auditor.settings import read_config
from auditor.source import SourceFile

CODES = [rule.code for rule in RULES]
VALUES: dict[str, Any] = {
    "string": '"x"',
    "path": '"a/b"',
    "boolean": "true",
    "strings": '["x"]',
    "string-table": '{ LA103 = "x" }',
}
WRONG = {"string": "1", "path": "1", "boolean": '"true"', "strings": '"x"', "string-table": '["x"]'}
EVERYTHING = """\
[tool.lockaudit]
targets = ["linux-x86_64-cp312", "linux-aarch64-cp312"]
first-party = ["Core_Lib", "print.utils"]
compiled = ["Flash_Attn"]
not-compiled = ["kernels"]

[tool.lockaudit.ignore]
LA111 = "until the next release"

[tool.lockaudit.dev]
lock = "locks/dev.lock"
extras = ["CU_124"]
groups = ["Serve"]

[tool.lockaudit.prod]
extras = []

[tool.lockaudit.image]
dockerfile = "Dockerfile"
cuda = "12.4.1"

[tool.lockaudit.bake]
cache-repo = "registry.example/cache"

[tool.lockaudit.cache]
backend = "s3"
options = { bucket = "b", region = "r" }

[tool.lockaudit.wheel]
group = "Build_Tools"

[tool.lockaudit.wheel.Flash_Attn]
modules = ["flash_attn"]
env = { FLASH_ATTN_CUDA_ARCHS = "90" }
"""


def read(text: str) -> Config:
    """The settings of a pyproject.toml with this text."""
    file = SourceFile(Path("pyproject.toml"), "pyproject.toml", text)
    return read_config(tomllib.loads(text).get("tool", {}).get("lockaudit", {}), file, CODES)


def error(text: str) -> ConfigError:
    """What is said about settings that are wrong."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    return caught.value


def test_without_settings_everything_has_a_default() -> None:
    config = read("")
    assert (config.dev, config.prod) == (SideConfig(lock="uv.lock"), SideConfig(lock="prod/uv.lock"))
    assert config.image == ImageConfig()
    assert config.cache == CacheConfig()
    assert (config.targets, config.ignore, config.wheels, config.wheel_group) == ((), {}, {}, "wheel-build")


def test_every_setting_arrives_and_names_are_normalised() -> None:
    config = read(EVERYTHING)
    assert config.targets == ("linux-x86_64-cp312", "linux-aarch64-cp312")
    assert config.first_party == ("core-lib", "print-utils")
    assert (config.compiled, config.not_compiled) == (("flash-attn",), ("kernels",))
    assert config.ignore == {"LA111": "until the next release"}
    assert config.dev == SideConfig(lock="locks/dev.lock", extras=("cu-124",), groups=("serve",))
    assert (config.image.dockerfile, config.image.cuda, config.image.ubuntu) == ("Dockerfile", "12.4.1", None)
    assert config.bake.cache_repo == "registry.example/cache"
    assert (config.cache.backend, config.cache.options) == ("s3", {"bucket": "b", "region": "r"})
    assert config.wheel_group == "build-tools"
    assert config.wheels == {"flash-attn": WheelConfig(env={"FLASH_ATTN_CUDA_ARCHS": "90"}, modules=("flash_attn",))}


def test_no_extras_is_a_choice_and_not_choosing_is_none() -> None:
    assert read(EVERYTHING).prod.extras == ()
    assert read("").prod.extras is None


def test_a_variant_has_the_general_settings_but_for_its_own() -> None:
    first, second = read(
        """\
[tool.lockaudit]
targets = ["linux-x86_64-cp311", "linux-aarch64-cp311"]
dev.extras = ["web"]
prod.groups = ["serve"]

[tool.lockaudit.image]
cuda = "12.4.1"
ubuntu = "24.04"
platforms = ["linux/amd64", "linux/arm64", "linux/amd64"]

[[tool.lockaudit.variant]]
name = "cu124"

[[tool.lockaudit.variant]]
name = "cu128"
cuda = "12.8.1"
image-variant = "base"
python = "3.12"
platforms = ["linux/amd64"]
dev.extras = ["web", "cu128"]
dev.lock = "cu128/uv.lock"
prod.groups = []
"""
    ).variants
    assert (first.name, first.dev, first.image.cuda) == ("cu124", SideConfig(lock="uv.lock", extras=("web",)), "12.4.1")
    assert first.prod == SideConfig(lock="prod/uv.lock", groups=("serve",))
    assert first.targets == ("linux-x86_64-cp311", "linux-aarch64-cp311")
    assert first.image.platforms == ("linux/amd64", "linux/arm64")
    assert second.dev == SideConfig(lock="cu128/uv.lock", extras=("web", "cu128"))
    assert second.prod == SideConfig(lock="prod/uv.lock")
    assert (second.image.cuda, second.image.variant, second.image.ubuntu) == ("12.8.1", "base", "24.04")
    assert second.targets == ("linux-x86_64-cp312", "linux-aarch64-cp312")
    assert second.image.platforms == ("linux/amd64",)
    assert second.image.lines == {"cuda": 16, "variant": 17, "python": 18}


def settings_of(key: Key, value: str) -> str:
    """A pyproject.toml that sets one key."""
    table, separator, rest = key.path.replace("*", "some-package").partition("[].")
    if not separator:
        return f"[tool.lockaudit]\n{table} = {value}\n"
    needed = {"name": '"x"', "prod.lock": '"a/b"'} | {rest: value}
    return f"[[tool.lockaudit.{table}]]\n" + "".join(f"{name} = {each}\n" for name, each in needed.items())


def fitting(key: Key) -> str:
    """A value that a key takes."""
    if key.path.endswith("severity"):
        return '{ LA103 = "warning" }'
    if key.path == "select":
        return '["LA1"]'
    if key.path == "variant[].python":
        return '"3.12"'
    value = f'"{key.choices[-1]}"' if key.choices else str(VALUES[key.kind])
    return f"[{value}]" if key.choices and key.kind == "strings" else value


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_every_key_is_read(key: Key) -> None:
    assert read(settings_of(key, fitting(key))) != Config()
    assert key.doc.endswith((".", ")"))


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_every_key_refuses_another_kind_of_value(key: Key) -> None:
    text = settings_of(key, WRONG[key.kind])
    wrong = error(text)
    shown = re.escape(key.path.replace("*", "some-package"))
    assert re.fullmatch(rf"`{shown}` of \[tool\.lockaudit\] must be (a|true) .*", wrong.message)
    assert text.splitlines()[(wrong.line or 0) - 1].endswith(WRONG[key.kind])


def test_keys_are_unique() -> None:
    assert len({key.path for key in KEYS}) == len(KEYS)


# the settings, the line at fault, what the message has, what the hint has
MISTAKES = {
    "unknown key": ("[tool.lockaudit]\ntarget = []", 2, "unknown key `target`", "did you mean `targets`?"),
    "unknown key of a section": (
        '[tool.lockaudit.dev]\nextra = ["a"]',
        2,
        "unknown key `dev.extra`",
        "did you mean `dev.extras`?",
    ),
    "unknown section": ('[tool.lockaudit]\n\n[tool.lockaudit.zzz]\nyyy = "x"', 3, "unknown key `zzz`", "known: "),
    "a table where a value belongs": ("[tool.lockaudit.targets]\nx = 1", 1, "`targets` of [tool.lockaudit]", None),
    "unknown code": (
        '[tool.lockaudit]\nignore = { LA13 = "x" }',
        2,
        "unknown code `LA13` in `ignore`",
        "did you mean LA",
    ),
    "a value that is none of the choices": (
        '[tool.lockaudit.cache]\nbackend = "registri"',
        2,
        "'registri' is no value of `cache.backend`",
        "did you mean `registry`?",
    ),
    "a severity that is none": (
        '[tool.lockaudit.severity]\nLA103 = "fatal"',
        2,
        "'fatal' in `severity` of [tool.lockaudit] is no severity",
        "severities: error, warning, info",
    ),
    "a code without a reason": (
        '[tool.lockaudit.ignore]\nLA103 = "it is so"\nLA105 = " "',
        3,
        "`LA105`",
        "say why it is accepted",
    ),
    "a path that climbs out": (
        '[tool.lockaudit.prod]\nlock = "../other/uv.lock"',
        2,
        "`prod.lock` of [tool.lockaudit] leaves the project: '../other/uv.lock'",
        "below the root",
    ),
    "an absolute path": ('[tool.lockaudit.prod]\nlock = "/etc/uv.lock"', 2, "leaves the project", "below the root"),
    "a home": ('[tool.lockaudit.bake]\nfile = "~/x.hcl"', 2, "leaves the project", "below the root"),
    "a drive": ('[tool.lockaudit.bake]\nfile = "C:/x.hcl"', 2, "leaves the project", "below the root"),
    "backslashes": ("[tool.lockaudit.bake]\nfile = 'a\\..\\..\\b'", 2, "leaves the project", "forward slashes"),
    "an empty path": ('[tool.lockaudit.image]\ndockerfile = ""', 2, "leaves the project", "below the root"),
    "a name that is none": (
        '[tool.lockaudit.dev]\nextras = ["--index-url"]',
        2,
        "'--index-url' in `dev.extras` of [tool.lockaudit] is not a name",
        None,
    ),
    "the second of two sections": (
        '[tool.lockaudit.dev]\nextras = ["a"]\n\n[tool.lockaudit.prod]\nextras = "a"',
        5,
        "`prod.extras` of [tool.lockaudit] must be a list of strings",
        None,
    ),
    "the second of two packages": (
        '[tool.lockaudit.wheel.one]\nmodules = ["a"]\n\n[tool.lockaudit.wheel.two]\nmodules = "a"',
        5,
        "`wheel.two.modules` of [tool.lockaudit] must be a list of strings",
        None,
    ),
    "the second of two pairs": (
        '[[tool.lockaudit.pair]]\nname = "a"\nprod.lock = "a"\n\n[[tool.lockaudit.pair]]\nname = "b"\nprod.lock = 1',
        7,
        "`pair[].prod.lock` of [tool.lockaudit] must be a string",
        None,
    ),
    "a platform that is none": (
        '[tool.lockaudit.image]\nplatforms = ["linux/amd64", "linux/arm"]',
        2,
        "'linux/arm' is no value of `image.platforms`",
        "did you mean `linux/arm64`?",
    ),
    "a variant without a name": (
        '[[tool.lockaudit.variant]]\ncuda = "12.8.1"',
        1,
        "every [[tool.lockaudit.variant]] needs a `name`",
        "cu124",
    ),
    "the name of a variant that cannot be a target": (
        '[[tool.lockaudit.variant]]\nname = "cu12.8"',
        2,
        "'cu12.8' cannot name a variant",
        "letters, digits",
    ),
    "a variant that reads as wheels": (
        '[[tool.lockaudit.variant]]\nname = "wheel"',
        2,
        "'wheel' cannot name a variant: its images would be taken for wheels",
        None,
    ),
    "a variant that reads as a platform": (
        '[[tool.lockaudit.variant]]\nname = "arm64"',
        2,
        "'arm64' cannot name a variant: it is a platform",
        "`platforms`",
    ),
    "two variants of one name": (
        '[[tool.lockaudit.variant]]\nname = "cu128"\n\n[[tool.lockaudit.variant]]\nname = "CU128"',
        5,
        "two variants are called 'CU128'",
        None,
    ),
    "a Python that is none": (
        '[[tool.lockaudit.variant]]\nname = "a"\npython = "3.12.1"',
        3,
        "'3.12.1' is not a Python of a variant",
        "3.12",
    ),
    "two Pythons of a variant": (
        '[[tool.lockaudit.variant]]\nname = "a"\ntargets = ["linux-x86_64-cp312"]\npython = "3.12"',
        4,
        "a variant has `targets` or `python`, not both",
        "remove `python`",
    ),
    "pairs and variants": (
        '[[tool.lockaudit.pair]]\nname = "a"\nprod.lock = "a"\n\n[[tool.lockaudit.variant]]\nname = "b"',
        5,
        "[[tool.lockaudit.pair]] and [[tool.lockaudit.variant]] in one file: not both, yet",
        "keep one pair",
    ),
    "a dotted key": (
        '[tool.lockaudit]\ndev.extras = ["a"]\nprod.extras = "a"',
        3,
        "`prod.extras` of [tool.lockaudit] must be a list of strings",
        None,
    ),
}


@pytest.mark.parametrize(("text", "line", "message", "hint"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_told_with_its_line(text: str, line: int, message: str, hint: str | None) -> None:
    wrong = error(f"[project]\nname = 'targets extras lock'\n\n{text}\n")
    assert message in wrong.message
    assert (wrong.path, wrong.line) == ("pyproject.toml", line + 3)
    assert (hint is None) == (wrong.hint is None)
    assert hint is None or hint in (wrong.hint or "")


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("targts", ["targets", "compiled"], "targets"),
        ("LA13", ["LA103", "LA201"], "LA103"),
        ("zzz", ["targets"], None),
        ("x", [], None),
    ],
)
def test_nearest(name: str, known: list[str], found: str | None) -> None:
    assert nearest(name, known) == found
