"""Drifted pairs: mutated as the drift bench does, mended by `fix`, and judged by `check` and by uv."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auditor.errors import LockauditError
from bench.drift.harmful import HARMFUL
from bench.drift.pair import DEV_LOCK, DEV_PROJECT, PROD_PROJECT, findings, write
from bench.drift.run import Workshop
from tests.cli.command import lockaudit
from tests.standins import uv
from tests.standins.uv import shielded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.drift.kind import Kind, Mutated
    from bench.drift.pair import Pair

# What says nothing that could be derived: only a person knows what prod is for.
FOR_A_PERSON: Final = {
    "nothing left for prod to install": "dev does not say what prod is for",
    "every dependency of prod moved to a group": "the settings or the project may be meant",
    "torch removed while a wheel is compiled": "where prod's own extras conflict, which of them is to have torch",
}
_OF_ONE: Final = 3  # dots in the header of a table about one package
_SETTINGS: Final = re.compile(r"\[tool\.lockaudit.*", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What came of one drifted pair.

    Attributes:
        kind: name of the mutation.
        family: of the kind.
        note: what was done to what.
        pair: its name.
        side: `prod` where only prod's files were changed, else `dev`.
        found: codes that were found before.
        result: `clean`, `unsafe` (clean with --unsafe), `told` (a person decides: nothing clean, exit code 1 or 2).
        said: what the last run printed.
        wrong: what must not be: a change of dev, a lost comment, a second run that changes something, uv's refusal.
    """

    kind: str
    family: str
    note: str
    pair: str
    side: str
    found: tuple[str, ...]
    result: str
    said: str
    wrong: tuple[str, ...]


@contextmanager
def uv_environment() -> Iterator[None]:
    """This process's environment, with a cache of uv's own and no settings of the machine."""
    before = dict(os.environ)
    new = shielded()
    os.environ.clear()
    os.environ.update(new)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def drifted(
    pairs: Sequence[Pair], kinds: Sequence[Kind] = HARMFUL, *, seed: int = 1, each: int = 1
) -> Iterator[Measured]:
    """Mutate, fix and judge: each kind so many times."""
    workshop = Workshop(pairs)
    for kind in kinds:
        for number in range(each):
            tried = workshop.attempt(kind, f"{seed}/{kind.name}/{number}", [])
            if tried is None:
                continue
            index, mutated = tried
            with tempfile.TemporaryDirectory(prefix="fix-bench-") as folder:
                measured = measure(Path(folder), workshop.views[index].pair, mutated, kind)
            if measured is not None:
                yield measured


def measure(root: Path, pair: Pair, mutated: Mutated, kind: Kind) -> Measured | None:
    """Write a mutated pair, fix it, and judge; None where nothing was found in it (the local index may hide it)."""
    pair.write(root)
    for path, text in mutated.files.items():
        write(root, path, text)
    (root / PROD_PROJECT).write_text(commented((root / PROD_PROJECT).read_text("utf-8")), "utf-8", newline="")
    try:
        found = tuple(sorted({each.code for each in findings(root)}))
    except LockauditError:
        return None
    if not found:
        return None
    before = snapshot(root)
    result, said = "told", ""
    for name, options in (("clean", ()), ("unsafe", ("--unsafe",))):
        done = lockaudit("fix", root, *options)
        said = done.out + done.err
        if done.code == 0 and not findings(root):
            result = name
            break
    after = snapshot(root)
    return Measured(
        kind=kind.name,
        family=kind.family,
        note=mutated.note,
        pair=pair.name,
        side="prod" if all(path.startswith("prod/") for path in mutated.files) else "dev",
        found=found,
        result=result,
        said=said,
        wrong=tuple(_wrong(root, before, after, result, said)),
    )


def commented(text: str) -> str:
    """A pyproject.toml with a comment on every line that can have one."""
    lines = []
    for number, line in enumerate(text.splitlines()):
        can = bool(re.search(r"""["'\]},]$|^\w[^"]*= (?:true|false|\d+)$""", line)) and '"""' not in line
        lines.append(f"{line}  # comment {number}" if can else line)
    return "\n".join(["# The production environment.", *lines, "# The end.", ""])


def snapshot(root: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _wrong(root: Path, before: dict[str, bytes], after: dict[str, bytes], result: str, said: str) -> Iterator[str]:
    if before[DEV_LOCK] != after[DEV_LOCK]:
        yield "dev's lock changed"
    mine, theirs = (_SETTINGS.sub("", each[DEV_PROJECT].decode()) for each in (before, after))
    if mine != theirs:
        yield "dev's project changed"
    yield from _lost(before[PROD_PROJECT].decode(), after[PROD_PROJECT].decode(), said)
    again = lockaudit("fix", root, *(("--unsafe",) if result == "unsafe" else ()))
    if snapshot(root) != after or (result != "told" and "nothing to fix" not in again.err):
        yield f"a second run changed something: {again.out}{again.err}"
    if result != "told" and uv("lock", "--check", cwd=root / "prod", check=False).returncode:
        yield "uv would lock prod otherwise"


def _lost(before: str, after: str, said: str) -> Iterator[str]:
    """Lines and comments that went away without a word: each must be about something that the command named."""
    kept = set(after.splitlines())
    header, block = "", ""
    for line in before.splitlines():
        if line.startswith("["):
            header, block = line, ""
        if header.startswith("[[") and (named := re.match(r'name = "([^"]+)"', line)):
            block = named[1]
        comment = line.partition("  # ")[2]
        if line in kept or (comment and re.search(rf"# {re.escape(comment)}$", after, re.MULTILINE)):
            continue
        words = set(re.findall(r"[A-Za-z0-9-]{3,}", line.partition("  # ")[0])) - {"extra", "index", "tool"}
        if header.count(".") >= _OF_ONE:  # a table about one package: `[tool.uv.sources.torch]`
            words.add(header.partition("]")[0].rpartition(".")[2])
        if block:  # one of several tables of that header: `[[tool.uv.dependency-metadata]]`, whose name comes first
            words.add(block)
        if not any(word in said for word in words):
            yield f"lost: {line}"
