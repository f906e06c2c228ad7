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
    first = dockerfile.argument_lines.get(name)
    if first is None or dockerfile.arguments.get(name) is None:
        return None
    lines = text.splitlines(keepends=True) if "\r" not in text.replace("\r\n", "") else text.split("\n")
    joint = "" if lines and lines[0].endswith("\n") else "\n"
    default = re.compile(
        rf"""(?P<before>(?:^|\s){re.escape(name)}=)(?P<quote>["']?)(?P<old>[^\s"'$]*)(?P=quote)(?=\s|$)"""
    )
    for index in range(first - 1, len(lines)):
        match = default.search(lines[index])
        if match is not None:
            quote = match["quote"]
            new = f"{match['before']}{quote}{value}{quote}"
            lines[index] = lines[index][: match.start()] + new + lines[index][match.end() :]
            return joint.join(lines)
        if not lines[index].rstrip().endswith("\\"):  # the instruction ends here
            return None
    return None
