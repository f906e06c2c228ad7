"""Numbers and lists as the pictures write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.report.graph.model import State
from auditor.report.size import size

if TYPE_CHECKING:
    from auditor.report.graph.model import Entry, PackageNode, Picture, Total

HASH: Final = 12  # hex digits that are shown


def packages(total: Total) -> str:
    """`25 packages, 3.1 GB`, and how many of them have no known size."""
    word = "package" if total.count == 1 else "packages"
    return f"{total.count} {word}, {amount(total)}"


def amount(total: Total) -> str:
    """`3.1 GB`, and how many have no known size."""
    if total.unknown == total.count:
        return "size unknown" if total.count else size(0)
    return f"{size(total.size)} and {total.unknown} of unknown size" if total.unknown else size(total.size)


def file_of(entry: Entry) -> str:
    """The artifact with the beginning of its hash, or an empty string."""
    algorithm, _, digest = entry.hash.partition(":")
    return f"{entry.file} ({algorithm} {digest[:HASH]})" if digest else entry.file


def summary(node: PackageNode) -> str:
    """One package in a sentence: what a screen reader says of it."""
    dev, prod = (
        "" if entry is None else " ".join(filter(None, (entry.version, size(entry.size))))
        for entry in (node.dev, node.prod)
    )
    match node.state:
        case State.SHARED:
            text = f"{prod}, the same in dev and prod"
        case State.DRIFTED:
            text = f"differs: {dev} in dev, {prod} in prod"
        case State.PROD_ONLY:
            text = f"{prod}, only in prod"
        case State.DEV_ONLY:
            text = f"{dev}, only in dev ({', '.join(node.why)})" if node.why else f"{dev}, only in dev"
    return f"{node.name}, {text}{', compiled' if node.compiled else ''}"


def verdict(picture: Picture) -> str:
    """What the audit says, in one line."""
    if not picture.counts:
        return "Prod is a consistent subset of dev: `lockaudit check` finds nothing."
    words = [f"{count} {word}{'s' if count > 1 else ''}" for word, count in picture.counts]
    return f"`lockaudit check` finds {', '.join(words)}."
