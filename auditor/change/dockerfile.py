"""Edits of a Dockerfile: the default of an ARG, and not a byte beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.dockerfile.model import Dockerfile


def with_default(text: str, dockerfile: Dockerfile, name: str, value: str) -> str | None:
    """The Dockerfile with another default of a global ARG.

    Args:
        text: of the file, as on disk: line endings and mark included.
        dockerfile: the same file, read.
        name: of the ARG: `CUDA_VERSION`.
        value: without blanks or quotes.

    Returns:
        None where there is no such ARG, or where its default is made of other ARGs: then the value is written there.
    """
    line = dockerfile.argument_lines.get(name)
    return None if line is None else with_default_at(text, line, name, value)


def with_default_at(text: str, line: int, name: str, value: str) -> str | None:
    """The Dockerfile with another default of the ARG in one of its instructions.

    Args:
        text: of the file, as on disk: line endings and mark included.
        line: 1-based, of the instruction.
        name: of the ARG: `CUDA_VERSION`.
        value: without blanks or quotes.

    Returns:
        None where the ARG has no default there, or one that is made of other ARGs.
    """
    lines = text.split("\n")
    default = re.compile(
        rf"""(?P<before>(?:^|\s){re.escape(name)}=)(?P<quote>["']?)(?P<old>[^\s"'$]*)(?P=quote)(?=\s|$)"""
    )
    for index in range(line - 1, len(lines)):
        match = default.search(lines[index])
        if match is not None:
            new = f"{match['before']}{match['quote']}{value}{match['quote']}"
            lines[index] = lines[index][: match.start()] + new + lines[index][match.end() :]
            return "\n".join(lines)
        if not lines[index].rstrip().endswith("\\"):  # the instruction ends here
            return None
    return None
