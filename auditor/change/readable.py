"""What an audit reads is made the mirror's own: it follows no link that leads out of the folder that it audits."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from auditor.lock.workspace import workspace_of
from auditor.wheel.build_lock import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.change.tree import Tree
    from auditor.rules.context import PairContext


def settle_read(tree: Tree, contexts: Sequence[PairContext]) -> None:
    """Copy the files of every folder that is read when these pairs are, and the build locks."""
    for folder in _folders(contexts):
        tree.settle(folder)
    tree.settle(FOLDER, deep=True)


def _folders(contexts: Sequence[PairContext]) -> Iterator[str]:
    """The folders of the locks and what is above them, of members, of files."""
    yield "."
    for context in contexts:
        for file in context.files:
            yield from (each.as_posix() for each in reversed(PurePosixPath(file.name).parents))
        for side in (context.dev, context.prod):
            workspace = workspace_of(side)
            for folder in workspace.folders if workspace is not None else ():
                yield posixpath.normpath(posixpath.join(side.folder, folder))
