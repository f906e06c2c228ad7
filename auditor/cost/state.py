"""One state of a repository: its pairs, the files of its build context, and the texts that decide something."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from auditor.bake.files import BakeFiles, read_text
from auditor.dockerfile.context import File
from auditor.errors import LockauditError
from auditor.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from auditor.rules.context import PairContext

_SHA1_DIGITS: Final = 40


@dataclass(frozen=True, kw_only=True)
class State:
    """A state.

    Attributes:
        root: the folder where the texts are.
        contexts: the pairs.
        files: every file of the repository below its root, by path: content as git hashes it.
        texts: files whose text is another one than that in `root`; None for one that is not there.
    """

    root: Path
    contexts: tuple[PairContext, ...]
    files: Mapping[str, File] = field(repr=False)
    texts: Mapping[str, str | None] = field(default_factory=dict, repr=False)

    def text(self, path: str) -> str | None:
        """The text of a file, or None."""
        return self.texts[path] if path in self.texts else read_text(self.root / path)

    def bake_files(self, context: PairContext) -> BakeFiles | None:
        """The bake file of a pair and what lies beside it, in this state."""
        disk = context.bake
        if disk is None or disk.name not in self.texts:
            return disk
        text = self.texts[disk.name]
        own = None if text is None else SourceFile(self.root / disk.name, disk.name, text)
        return replace(disk, _read={disk.name: own}, _parsed={})


def as_baked(state: State) -> tuple[State, tuple[str, ...]]:
    """A state with its generated files as `lockaudit bake` would write them, and the paths of those that differ."""
    texts: dict[str, str | None] = {}
    for context in state.contexts:
        written = context.generated
        if not isinstance(written, LockauditError):
            texts |= {each.path: each.new for each in written if each.changed}
    if not texts:
        return state, ()
    files = {path: file for path, file in state.files.items() if path not in texts}
    known = next((file.digest for file in state.files.values()), "")
    for path, text in texts.items():
        if text is not None:
            files[path] = File(_blob(text, sha1=len(known) <= _SHA1_DIGITS))
    return replace(state, files=files, texts=texts), tuple(texts)


def _blob(text: str, *, sha1: bool) -> str:
    """The hash that git gives a file of this text."""
    data = text.encode()
    state = hashlib.sha1(usedforsecurity=False) if sha1 else hashlib.sha256()
    state.update(b"blob %d\0" % len(data) + data)
    return state.hexdigest()


def matched(old: Sequence[PairContext], new: Sequence[PairContext]) -> list[tuple[PairContext | None, PairContext]]:
    """(old, new) by name; where a side has one pair without a name, that is the counterpart of every other one."""
    by_name = {context.name: context for context in old}
    only = old[0] if len(old) == 1 and (not old[0].name or (len(new) == 1 and not new[0].name)) else None
    return [(by_name.get(context.name, only), context) for context in new]
