"""A token in an address is in no output, no message, no traceback and no file that lockaudit writes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from tests.cli.command import lockaudit
from tests.fuzz.everywhere import added, files, replaced, said, settled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CANARY: Final = "s3cr3tCanary"
SHA: Final = "0123456789abcdef0123456789abcdef01234567"


def query(rest: str, parameters: str) -> str:
    """An address with parameters, before its fragment."""
    before, mark, fragment = rest.partition("#")
    return f"https://{before}{'&' if '?' in before else '?'}{parameters}{mark}{fragment}"


# How a token gets into an address, of which the rest is given.
FORMS: Final[tuple[Callable[[str], str], ...]] = (
    lambda rest: f"https://user:{CANARY}@{rest}",
    lambda rest: f"https://{CANARY}@{rest}",
    lambda rest: f"https://user%40corp.example:{CANARY}%3A%2F%40x@{rest}",
    lambda rest: f"https://user%3A{CANARY}@{rest}",
    lambda rest: f"https://user:p@{CANARY}@{rest}",
    lambda rest: f"https://user:it's{CANARY}@{rest}",
    lambda rest: f"HTTPS://user:{CANARY}@{rest}",
    lambda rest: query(rest, f"token={CANARY}"),
    lambda rest: query(rest, f"a=b&private_token={CANARY}&c=d"),
    lambda rest: query(rest, f"X-Amz-Signature={CANARY}&X-Amz-Credential={CANARY}"),
)
EACH: Final = 3  # forms of each place; all of them come in turn
SHAPES: Final = frozenset({"text", "json", "gitlab", "html"})  # what they have not in common


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address stands: the file, the text that it replaces (none: it is added), how, and the address's rest."""

    name: str
    path: str
    old: str
    new: str
    rest: str

    def put(self, root: Path, form: Callable[[str], str]) -> None:
        """Put an address there; `@` in `new` is it."""
        new = self.new.replace("@", form(self.rest))
        if self.old:
            replaced(self.path, self.old, lambda _: new)(root, "")
        else:
            added(self.path, lambda _: new)(root, "")


SOURCE: Final = 'source = { registry = "https://index.example/simple" }'
HOST: Final = "index.example/simple"
PLACES: Final = (
    Place("registry of torch", "uv.lock", "https://download.example/whl/cu124", "@", "download.example/whl/cu124"),
    Place("registry in dev", "uv.lock", "https://index.example/simple", "@", HOST),
    Place("registry in prod", "prod/uv.lock", "https://index.example/simple", "@", HOST),
    Place("files", "uv.lock", "https://files.example/", "@", "files.example/"),
    Place("git", "prod/uv.lock", SOURCE, 'source = { git = "@" }', f"git.example/x?tag=v1#{SHA}"),
    Place("broken git", "prod/uv.lock", SOURCE, 'source = { git = "@" }', "git.example/x"),
    Place("version", "prod/uv.lock", 'version = "0.8.1"', 'version = "@"', f"{'index' * 20}.example"),
    Place("marker", "prod/uv.lock", '{ name = "filelock" }', '{ name = "filelock", marker = "x @" }', HOST),
    Place(
        "index",
        "prod/pyproject.toml",
        "",
        '\n[[tool.uv.index]]\nname = "a"\nurl = "@"\n[tool.uv.sources]\neinops = { index = "a" }\n',
        HOST,
    ),
    Place("settings file", "prod/uv.toml", "", 'index-url = "@"\nextra-index-url = ["@"]\n', HOST),
    Place(
        "requirements",
        "prod/pyproject.toml",
        "dependencies = []",
        'dependencies = ["einops \u0040 @", "a \u0040 git+@"]',
        "index.example/einops-0.8.1-py3-none-any.whl",
    ),
    Place(
        "allowed registries", "pyproject.toml", "targets = ", 'allowed-registries = ["@"]\ntargets = ', "index.example/"
    ),
    Place(
        "environment of a compile",
        "pyproject.toml",
        "",
        '\n[tool.lockaudit.wheel.flash-attn.env]\nPIP_INDEX_URL = "@"\n',
        HOST,
    ),
    Place("unknown setting", "pyproject.toml", "targets = ", '"@" = 1\ntargets = ', HOST),
    Place(
        "Dockerfile",
        "docker/Dockerfile-uv",
        "",
        "ARG INDEX=@\nENV UV_INDEX=@\nRUN pip install --index-url @ flash-attn==1.0\nADD @ /x\nRUN git clone @\n"
        "RUN uv pip install @/torch-2.0.0-cp312-cp312-linux_x86_64.whl\nRUN curl -LO @\nFROM @\n",
        HOST,
    ),
    Place(
        "override",
        "docker-bake.override.hcl",
        "",
        'target "wheel-x" {\n  args = { CUDA_VERSION = "@" }\n  cache-to = ["@"]\n  contexts = { a = "@" }\n}\n',
        HOST,
    ),
    Place("broken override", "docker-bake.override.hcl", "", "@\n", f"{'index' * 10}.example/x"),
    Place("bake file", "docker-bake.hcl", "", "# @\n", HOST),
    Place("build lock", "docker/wheels/flash-attn/source.txt", "", "@\n", HOST),
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name.replace(" ", "-"))
def test_no_token_is_told_or_written(place: Place, tmp_path: Path) -> None:
    clean = settled(tmp_path / "clean")
    first = PLACES.index(place)
    for number in range(first, first + EACH * EACH, EACH):
        root = shutil.copytree(clean, tmp_path / f"root-{number}")
        place.put(root, FORMS[number % len(FORMS)])
        before = files(root)
        assert any(CANARY.encode() in data for data in before.values())
        for arguments, _, result in said(root, only=SHAPES):
            assert CANARY not in result.out + result.err, (number, arguments)
        more: tuple[tuple[str | Path, ...], ...] = (
            ("bake", root, "-o", root / "other.hcl"),
            ("bake", root),
            ("graph", root, "-o", root / "graph.html"),
            ("check", root, "--output-file", root / "report.sarif", "--output-format", "sarif"),
        )
        for written in more:
            result = lockaudit(*written)
            assert CANARY not in result.out + result.err, (number, written)
        changed = [path for path, data in files(root).items() if before.get(path) != data]
        assert [path for path in changed if CANARY in path.read_text("utf-8")] == []


def test_a_traceback_has_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = settled(tmp_path / "root")

    def broken(*_: object, **_options: object) -> None:
        message = f"https://user:{CANARY}@host and netloc 'user:{CANARY}@host:x' and ?token={CANARY}"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("auditor.cli.check.audit", broken)
    result = lockaudit("check", root)
    assert result.code == 2
    assert "ZeroDivisionError" in result.err
    assert CANARY not in result.err
