"""`python -m script.supply_chain`: exits 1 when something is wrong, and says loudly what could not be asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from script.supply_chain.advisories import Answer, Verdict, canary, vulnerabilities, yanked
from script.supply_chain.installs import LOOKED_AT, unhashed
from script.supply_chain.locks import Origin, build_lock, origin, requirements, uv_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
_UV: Final = (str(ROOT / "script" / "uv"),)
_REQUIREMENTS: Final = ("script/uv-requirements.txt", ".github/actions/lockaudit/requirements.txt")


def offline(root: Path) -> Iterator[str]:
    """Everything that can be told without a network, one sentence for each fault.

    Args:
        root: of the repository.
    """
    expected = _origin(root)
    for name in ("uv.lock", "prod/uv.lock"):
        yield from uv_lock(name, _text(root, name), expected)
    for folder in sorted((root / "docker" / "wheels").iterdir()):
        name = folder.relative_to(root).as_posix()
        yield from build_lock(f"{name}/pylock.toml", _text(root, f"{name}/pylock.toml"), expected)
        yield from requirements(f"{name}/source.txt", _text(root, f"{name}/source.txt"))
    for name in _REQUIREMENTS:
        yield from requirements(name, _text(root, name))
    yield from unhashed(commands(root))


def commands(root: Path) -> dict[str, str]:
    """The files that may hold commands which install something: path -> text. What git ignores is not among them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *LOOKED_AT],  # noqa: S607 (from PATH)
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    # This package holds the words that it looks for.
    return {name: _text(root, name) for name in listed if not name.startswith("script/supply_chain/")}


def main(arguments: list[str]) -> int:
    """Check everything; exits 0 when nothing is wrong, although something may not have been asked."""
    if set(arguments) - {"--require-service"}:
        print("usage: script/supply [--require-service]", file=sys.stderr)
        return 2
    faults = list(offline(ROOT))
    for fault in faults:
        print(f"error: {fault}")
    if not faults:
        print("pins and hashes: every file has a sha256, and nothing is installed without one")
    strict = "--require-service" in arguments
    wrong = [_tell(question, answer, strict=strict) for question, answer in online(ROOT)]
    return int(bool(faults) or any(wrong))


def online(root: Path) -> Iterator[tuple[str, Answer]]:
    """Everything that others know about the locks: the question, and the answer."""
    vulnerable = "known vulnerabilities"
    known = canary(_UV, _origin(root).registry)
    if known.verdict is Verdict.NOT_ASKED:
        yield f"{vulnerable} in uv.lock and prod/uv.lock", known
    for project in (root, root / "prod"):
        name = (project / "uv.lock").relative_to(root).as_posix()
        if known.verdict is Verdict.FOUND:
            yield f"{vulnerable} in {name}", vulnerabilities(_UV, project)
        yield f"yanked releases in {name}", yanked(_UV, project)


def _tell(question: str, answer: Answer, *, strict: bool) -> bool:
    """Print an answer; true when it must fail the run."""
    if answer.verdict is Verdict.CLEAN:
        print(f"{question}: none. {answer.text}".rstrip(". "))
        return False
    if answer.verdict is Verdict.FOUND:
        print(f"error: {question}:\n{answer.text}")
        return True
    bar = "!" * 100
    level = "error" if strict else "warning"
    lines = "\n".join(f"  {line}" for line in answer.text.splitlines())
    print(f"{bar}\n{level}: NOT ASKED: {question}. Nothing is known about them.\n{lines}\n{bar}", file=sys.stderr)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print(f"::{level} title=Not asked::{question}: the service did not answer")
    return strict


def _origin(root: Path) -> Origin:
    return origin(_text(root, "uv.lock"))


def _text(root: Path, name: str) -> str:
    return (root / name).read_text("utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
