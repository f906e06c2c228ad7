"""One repository whose every file can hold one text, and every command and format that may show it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tests.cli.command import Result, lockaudit
from tests.wheel.specimens import COMPILED

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping
    from pathlib import Path

CHECKS: Final = ("text", "concise", "json", "sarif", "github", "gitlab", "junit")
# Commands about the repository, `@` being its folder, and the format of what they print.
COMMANDS: Final = (
    *((("check", "@", "--output-format", name), name) for name in CHECKS),
    (("check", "@", "--verbose"), "text"),
    (("check", "@", "--target", "linux-x86_64-cp312", "--first-party", "einops", "--output-format", "json"), "json"),
    (("bake", "@", "--diff", "--verbose"), "text"),
    (("bake", "@", "--check"), "text"),
    (("bake", "@", "--stdout"), "hcl"),
    (("key", "@", "--explain"), "text"),
    (("key", "@", "--output-format", "json"), "json"),
    (("graph", "@", "--output-format", "html"), "html"),
    (("graph", "@", "--output-format", "mermaid", "--all"), "mermaid"),
    (("graph", "@", "--output-format", "dot", "--all"), "dot"),
    (("select", "@", "--target", "linux-x86_64-cp312"), "text"),
    (("select", "@", "--target", "linux-x86_64-cp312", "--output-format", "json"), "json"),
    (("config", "@"), "text"),
    (("config", "@", "--output-format", "json"), "json"),
)


def toml(text: str) -> str:
    """A text as TOML and HCL quote it."""
    return json.dumps(text)


def replaced(path: str, old: str, new: Callable[[str], str]) -> Callable[[Path, str], None]:
    """Put a text into a file, in the place of what is there."""

    def put(root: Path, text: str) -> None:
        file = root / path
        before = file.read_text("utf-8")
        assert old in before, (path, old)
        file.write_text(before.replace(old, new(text)), encoding="utf-8")

    return put


def added(path: str, new: Callable[[str], str]) -> Callable[[Path, str], None]:
    """Add a text to a file, which may not be there yet."""

    def put(root: Path, text: str) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        with (root / path).open("a", encoding="utf-8") as stream:
            stream.write(new(text))

    return put


def settled(root: Path) -> Path:
    """A pair that compiles a wheel, baked, and all of whose rules count."""
    COMPILED.write(root)
    settings = root / "pyproject.toml"
    lines = settings.read_text("utf-8").splitlines(keepends=True)
    settings.write_text("".join(line for line in lines if not line.startswith("select")), encoding="utf-8")
    assert lockaudit("bake", root).code == 0
    return root


def said(root: Path, only: Container[str] | None = None) -> Iterator[tuple[tuple[str, ...], str, Result]]:
    """(arguments, format, result) of every command, or of those whose output has one of some formats."""
    for arguments, shape in COMMANDS:
        if only is not None and shape not in only:
            continue
        result = lockaudit(*(argument.replace("@", str(root)) for argument in arguments))
        assert result.code in {0, 1, 2}
        assert "Traceback" not in result.err, result.err
        yield arguments, shape, result


def files(root: Path) -> Mapping[Path, bytes]:
    """Every file with its content."""
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
