"""Texts that a terminal, a log or a page would act on are shown, whatever file they come from and in every format."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Final

import pytest

from tests.cli.command import lockaudit
from tests.fuzz.everywhere import added, replaced, said, settled, toml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Escapes that clear, colour and rename; bidirectional overrides; ends of lines; what a log takes for a command.
HOSTILE: Final = "a\x1b[2J\x1b]0;x\x07\u202eb\u2066\u200b\u2028\x85\r\n::error file=x::y\n\x9b31m\u0000"
WITHOUT_NULL: Final = HOSTILE.replace("\u0000", "")

PLACES: Final[dict[str, Callable[[Path, str], None]]] = {
    "name of a package": replaced("uv.lock", 'name = "einops"', lambda text: f"name = {toml(text)}"),
    "version of a package": replaced("uv.lock", 'version = "0.8.1"', lambda text: f"version = {toml(text)}"),
    "registry": replaced("prod/uv.lock", '"https://index.example/simple"', lambda text: toml(f"https://x/{text}")),
    "address of a wheel": replaced(
        "prod/uv.lock", "https://files.example/filelock", lambda text: toml(f"https://{text}/filelock")[1:-1]
    ),
    "file name of a wheel": replaced("prod/uv.lock", "einops-0.8.1-py3", lambda text: toml(f"einops-{text}-py3")[1:-1]),
    "marker": replaced(
        "uv.lock", '{ name = "filelock" }', lambda text: f'{{ name = "filelock", marker = {toml(text)} }}'
    ),
    "literal of a marker": replaced(
        "prod/uv.lock",
        '{ name = "filelock" }',
        lambda text: '{ name = "filelock", marker = ' + toml(f"os_name != '{text}'") + " }",
    ),
    "extra": replaced(
        "prod/uv.lock", '{ name = "filelock" }', lambda text: f'{{ name = "filelock", extra = [{toml(text)}] }}'
    ),
    "requires-python": replaced("prod/uv.lock", '">=3.11"', lambda text: toml(f">=3.11,!={text}")),
    "group": added("uv.lock", lambda text: f"\n[manifest.dependency-groups]\n{toml(text)} = []\n"),
    "option of a lock": added("prod/uv.lock", lambda text: f"\n[options]\nresolution-mode = {toml(text)}\n"),
    "broken lock": added("prod/uv.lock", lambda text: f"\n{text}\n"),
    "dependency": replaced("prod/pyproject.toml", "dependencies = []", lambda text: f"dependencies = [{toml(text)}]"),
    "dependency from an address": replaced(
        "prod/pyproject.toml", "dependencies = []", lambda text: f"dependencies = [{toml(f'a @ https://x/{text}')}]"
    ),
    "name of the project": replaced("pyproject.toml", 'name = "app"', lambda text: f"name = {toml(text)}"),
    "setting": added("pyproject.toml", lambda text: f"\n[tool.lockaudit.image]\ncuda = {toml(text)}\n"),
    "unknown setting": added("pyproject.toml", lambda text: f"\n[tool.lockaudit.{toml(text)}]\na = 1\n"),
    "reason": added(
        "pyproject.toml",
        lambda text: "\n[tool.lockaudit.ignore]\n" + "".join(f"LA{n} = {toml(text)}\n" for n in (301, 305, 105, 404)),
    ),
    "name of a pair": added(
        "pyproject.toml", lambda text: f'\n[[tool.lockaudit.pair]]\nname = {toml(text)}\nprod.lock = "prod/uv.lock"\n'
    ),
    "registry that is allowed": added(
        "pyproject.toml", lambda text: f"\n[tool.lockaudit.package.torch]\nignore = {{ LA304 = {toml(text)} }}\n"
    ),
    "environment of a compile": added(
        "pyproject.toml", lambda text: f"\n[tool.lockaudit.wheel.flash-attn.env]\nA = {toml(text)}\n"
    ),
    "group of settings of uv": added("prod/pyproject.toml", lambda text: f"\n[tool.uv]\nresolution = {toml(text)}\n"),
    "settings file": added("prod/uv.toml", lambda text: f"index-url = {toml(f'https://x/{text}')}\n"),
    "argument of a Dockerfile": replaced("docker/Dockerfile-uv", "12.4.1", lambda text: repr(text)[1:-1] + text[:2]),
    "stages of a Dockerfile": added(
        "docker/Dockerfile-uv", lambda text: f"FROM {text.splitlines()[0]} AS b\nRUN pip install '{text}'\n"
    ),
    "instruction of a Dockerfile": added("docker/Dockerfile-uv", lambda text: f"{text}\n"),
    "target of an override": added(
        "docker-bake.override.hcl",
        lambda text: f'target "wheel-x" {{\n  a = {toml(text)}\n  cache-to = [{toml(text)}]\n}}\n',
    ),
    "target of an override in JSON": added(
        "docker-bake.override.json", lambda text: json.dumps({"target": {text: {text: text, "cache-to": [text]}}})
    ),
    "broken override": added("docker-bake.override.hcl", lambda text: f"{text}\n"),
    "service of a compose file": added("compose.yaml", lambda text: f"services:\n  dev: {text}\n  {text}:\n"),
    "bake file": added("docker-bake.hcl", lambda text: f"# {text}\n"),
    "build lock": added("docker/wheels/flash-attn/source.txt", lambda text: text),
}


def check(shape: str, out: str) -> None:
    """Nothing in the output of a format can do anything."""
    lines = out.split("\n")
    if shape == "html":
        # The page's own script and style are ASCII; entities and escapes are how the rest would get back.
        assert all(letter.isprintable() or letter in "\n\t" for letter in out)
        assert not re.search(r"&#(?:0*27|x0*1b|0*8238|x0*202e);", out, re.IGNORECASE)
        return
    assert [line for line in lines if not all(letter.isprintable() or letter == "\t" for letter in line)] == []
    if shape in {"json", "sarif", "gitlab"}:
        assert out.isascii()
        assert not out or json.loads(out) is not None
    if shape == "junit" and out:
        ET.fromstring(out)  # noqa: S314 - our own
    if shape == "github":
        assert [
            line for line in lines if line.startswith("::") and not re.match(r"::(?:error|warning|notice) file=", line)
        ] == []
        assert [line for line in lines if line.startswith("::error file=x::y")] == []
    elif shape != "hcl":
        assert [line for line in lines if line.lstrip().startswith("::error")] == []


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.replace(" ", "-"))
def test_hostile_text(place: str, tmp_path: Path) -> None:
    root = settled(tmp_path / "root")
    PLACES[place](root, HOSTILE)
    for arguments, shape, result in said(root):
        try:
            check(shape, result.out)
            check("text", result.err)
        except AssertionError as error:
            raise AssertionError(f"{' '.join(arguments)}\n{result.out[:2000]!r}\n{result.err[:2000]!r}") from error


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "@", "--target", WITHOUT_NULL),
        ("check", "@", "--pair", WITHOUT_NULL),
        ("check", "@", "--select", WITHOUT_NULL),
        ("check", "@", "--dockerfile", WITHOUT_NULL),
        ("check", "@", "--dev-extra", WITHOUT_NULL),
        ("check", "@", "--first-party", WITHOUT_NULL),
        ("check", "@", "--output-format", WITHOUT_NULL),
        ("check", "@", "--output-file", f"@/{WITHOUT_NULL}/x"),
        ("check", WITHOUT_NULL),
        ("check", "@", f"--{WITHOUT_NULL}"),
        ("bake", "@", "-o", f"@/{WITHOUT_NULL}"),
        ("bake", "@", "-o", f"@/{WITHOUT_NULL}", "--check"),
        ("graph", "@", "-o", f"@/{WITHOUT_NULL}"),
        ("key", "@", "--diff", WITHOUT_NULL),
        ("select", "@", "--target", WITHOUT_NULL),
        ("rule", WITHOUT_NULL),
        (WITHOUT_NULL,),
    ],
    ids=lambda arguments: "-".join(each for each in arguments if "\x1b" not in each),
)
def test_hostile_arguments(arguments: tuple[str, ...], tmp_path: Path) -> None:
    root = settled(tmp_path / "root")
    result = lockaudit(*(argument.replace("@", str(root)) for argument in arguments))
    assert "Traceback" not in result.err
    check("text", result.err)
    check("text", result.out)
