"""Commands read as calls of uv, installs and downloads; the options against uv's own help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from auditor.dockerfile.commands import read_download, read_options, read_uv, verifies
from auditor.dockerfile.installs import read_clone, read_install, read_requirement
from auditor.dockerfile.script import run
from auditor.dockerfile.shell import UNKNOWN, Command, Shell
from tests.standins import UvMissingError, uv, uv_binary
from tests.support import missing

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = (
    "sync",
    "run",
    "export",
    "lock",
    "venv",
    "build",
    "add",
    "pip install",
    "pip sync",
    "tool install",
    "tool run",
)


def command(text: str) -> Command:
    """The first command of a script."""
    shell = Shell(
        variables={}, exported=set(), arguments=frozenset(), cwd="/app", env_known=True, script=lambda _: None
    )
    return run(text, shell)[0]


@pytest.mark.parametrize(
    ("text", "name", "values", "operands", "unknown"),
    [
        ("uv sync --locked", "sync", {"locked": ()}, (), False),
        ("uv sync --extra a --extra=b", "sync", {"extra": ("a", "b")}, (), False),
        ("uv -q --directory /w sync -p 3.12", "sync", {"-q": (), "directory": ("/w",), "python": ("3.12",)}, (), False),
        ("/bin/uv sync $X --locked", "sync", {"locked": ()}, (UNKNOWN,), True),
        ("uv sync --extra $X", "sync", {"extra": (UNKNOWN,)}, (), False),
        ('uv sync "--extra=$X"', "sync", {"extra": (UNKNOWN,)}, (), False),
        ("uv run --with x a --locked", "run", {"with": ("x",)}, (), False),
        ("uv run -w x -- a", "run", {"with": ("x",)}, (), False),
        ("uv venv -c /v", "venv", {"clear": ()}, ("/v",), False),
        ("uv pip install -r a -r b c", "pip install", {"requirements": ("a", "b")}, ("c",), False),
        ("uv pip install --no-binary :all: c", "pip install", {"no-binary": (":all:",)}, ("c",), False),
        ("uv sync --no-binary", "sync", {"no-binary": ()}, (), False),
        ("python3 -m uv sync", "sync", {}, (), False),
    ],
)
def test_calls_of_uv(
    text: str, name: str, values: dict[str, tuple[str, ...]], operands: tuple[str, ...], *, unknown: bool
) -> None:
    call = read_uv(command(text))
    assert call is not None
    assert (call.command, dict(call.options.values)) == (name, values)
    assert (call.options.operands, call.options.open) == (operands, unknown)


@pytest.mark.parametrize("text", ["uvx ruff", "uv", "uv $X sync", "echo uv sync", "$X/uvx", "python -m pip"])
def test_what_is_no_call_of_uv(text: str) -> None:
    assert read_uv(command(text)) is None


def test_inner_command_of_a_run() -> None:
    call = read_uv(command("uv run --no-sync python -m app --locked"))
    assert call is not None
    assert call.inner == ("python", "-m", "app", "--locked")


@pytest.mark.parametrize("name", COMMANDS)
def test_options_with_a_value_are_those_of_uv(name: str, tmp_path: Path) -> None:
    """Each option that `uv COMMAND --help` shows with a value takes the next word, and each other one does not."""
    try:
        uv_binary()
    except UvMissingError as error:
        missing(str(error))
    text = uv(*name.split(), "--help", cwd=tmp_path).stdout
    listed = re.findall(r"^ +(?:(-\w), )?--([a-z-]+)(?:\.\.\.)?( <)?", text, re.MULTILINE)
    assert len(listed) > 20
    wrong = []
    for short, long, value in listed:
        for written in filter(None, (short, f"--{long}")):
            call = read_uv(command(f"uv {name} {written} word"))
            taken = call is not None and call.options.values.get(long) == ("word",)
            wrong += [written] if taken != bool(value) else []
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "kind", "name", "version"),
    [
        ("flash-attn", "index", "flash-attn", ""),
        ("Flash_Attn==2.8.3", "index", "flash-attn", "2.8.3"),
        ("torch[opt]==2.6.0+cu124", "index", "torch", "2.6.0+cu124"),
        ("torch==2.6.0; python_version > '3'", "index", "torch", "2.6.0"),
        ("torch>=2,<3", "index", "torch", ""),
        ("torch==2.*", "index", "torch", ""),
        (f"torch=={UNKNOWN}", "index", "torch", ""),
        ("torch==2.*,>1", "index", "torch", ""),
        (UNKNOWN, "index", "", ""),
        (".", "path", "", ""),
        ("./a.tar.gz", "path", "", ""),
        (".[dev]", "path", "", ""),
        ("/w/*.whl", "wheel", "", ""),
        ("/w/flash_attn-*.whl", "wheel", "", ""),
        ("flash_attn-2.8.3+cu12torch2.8cxx11abiTRUE-cp312-cp312-linux_x86_64.whl", "wheel", "flash-attn", "2.8.3"),
        ("https://x/flash_attn-2.8.3%2Bcu12-cp312-cp312-linux_x86_64.whl", "wheel", "flash-attn", "2.8.3"),
        ("flash-attn @ https://x/flash_attn-2.8.3-cp312-cp312-linux_x86_64.whl", "wheel", "flash-attn", "2.8.3"),
        ("git+https://github.com/Dao-AILab/flash-attention.git@v2.8.3", "git", "flash-attention", "2.8.3"),
        ("git+https://github.com/Dao-AILab/flash-attention", "git", "flash-attention", ""),
        ("git+ssh://git@github.com/a/b.git@main", "git", "b", ""),
        ("flash_attn @ git+https://github.com/Dao-AILab/flash-attention@0123abc", "git", "flash-attn", ""),
        ("https://x/flash-attn.tar.gz", "archive", "", ""),
        ("flash-attn@https://x/y.tar.gz", "archive", "flash-attn", ""),
    ],
)
def test_requirements(text: str, kind: str, name: str, version: str) -> None:
    found = read_requirement(text)
    assert (found.kind, found.name, found.version) == (kind, name, version)


@pytest.mark.parametrize(
    ("text", "tool", "verb"),
    [
        ("pip install a", "pip", "install"),
        ("pip3.12 --no-cache-dir wheel -w /w a", "pip", "wheel"),
        ("python -m pip download a", "pip", "download"),
        ("/v/bin/python3 -I -m pip install a", "pip", "install"),
        ("uv pip sync a.txt", "uv pip", "sync"),
        ("uv run --no-sync pip install a", "pip", "install"),
        ("uv build --wheel a", "uv build", "wheel"),
        ("python -m build a", "build", "wheel"),
        ("python setup.py -q bdist_wheel", "setup.py", "bdist_wheel"),
    ],
)
def test_installs(text: str, tool: str, verb: str) -> None:
    found = read_install(command(text))
    assert found is not None
    assert (found.tool, found.verb) == (tool, verb)


@pytest.mark.parametrize("text", ["pip list", "pip", "uv sync", "python -m app", "pipx install a", "apt install pip"])
def test_what_is_no_install(text: str) -> None:
    assert read_install(command(text)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("git clone https://x/a/flash-attention.git", ("/app/flash-attention", "flash-attention", "")),
        ("git clone -b v2.8.3 --depth 1 https://x/a/b /s", ("/s", "b", "2.8.3")),
        ("git -c a=b clone --branch=main git@x:a/b.git s", ("/app/s", "b", "")),
        ("git clone $X", None),
        ("git fetch", None),
    ],
)
def test_clones(text: str, expected: tuple[str, str, str] | None) -> None:
    assert read_clone(command(text)) == expected


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("curl -LsSf https://x/install | sh", "https://x/install"),
        ("curl $X | bash", ""),
        ("wget https://x/a.tar.gz", "https://x/a.tar.gz"),
        ("wget -O a.sh https://x/a", "https://x/a"),
        ("curl https://x/a | tar xz", "https://x/a"),
        ("curl https://x/key.asc", None),
        ("curl http://localhost/a.sh | sh", None),
        ("curl $X -o y", None),
        ("wget https://x/list.json", None),
    ],
)
def test_downloads(text: str, url: str | None) -> None:
    found = read_download(command(text))
    assert (found.url if found is not None else None) == url


def test_what_verifies() -> None:
    yes = [
        "sha256sum -c x",
        "echo a | shasum -a 256 -c",
        "gpg --verify a.sig",
        "openssl dgst -verify k a",
        "cosign verify a",
    ]
    no = ["gpg --dearmor", "echo sha256sum", "openssl enc"]
    commands = {text: any(map(verifies, run_all(text))) for text in yes + no}
    assert commands == {text: text in yes for text in yes + no}


def run_all(text: str) -> list[Command]:
    """Every command of a script."""
    state = Shell(variables={}, exported=set(), arguments=frozenset(), cwd="/", env_known=True, script=lambda _: None)
    return run(text, state)


def test_last_value_counts_and_commas_separate() -> None:
    options = read_options(("--extra", "a,b", "--extra", "c", "--directory", "x", "--directory", "y"))
    assert (options.all("extra"), options.last("directory"), options.last("project")) == (("a", "b", "c"), "y", None)
