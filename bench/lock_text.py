"""Ways to edit the text of a lock by hand, one function each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[str], str]

ELSEWHERE: Final = "https://files.elsewhere.example"
_SHA: Final = r"sha256:[0-9a-f]{64}"


def entry(text: str, name: str) -> tuple[int, int]:
    """Where the entry of a package starts and ends in a lock's text."""
    match = re.search(rf'^\[\[package\]\]\nname = "{re.escape(name)}"\n.*?(?=^\[\[|\Z)', text, re.DOTALL | re.MULTILINE)
    if match is None:
        message = f"the lock has no {name}"
        raise LookupError(message)
    return match.span()


def within(name: str, old: str, new: str, *, count: int = 1) -> Change:
    """Replace a pattern in the entry of a package."""

    def change(text: str) -> str:
        start, end = entry(text, name)
        changed = re.sub(old, new, text[start:end], count=count, flags=re.DOTALL)
        if changed == text[start:end]:
            message = f"{old} is not in the entry of {name}"
            raise LookupError(message)
        return text[:start] + changed + text[end:]

    return change


def replaced(old: str, new: str) -> Change:
    """Replace the first occurrence of a text."""

    def change(text: str) -> str:
        if old not in text:
            message = f"{old} is not in the lock"
            raise LookupError(message)
        return text.replace(old, new, 1)

    return change


def appended(addition: str) -> Change:
    """Add text at the end."""
    return lambda text: text + addition


def zeros(name: str) -> Change:
    """The hash of a wheel becomes zeros."""
    return within(name, rf"(\.whl\", hash = \"){_SHA}", rf"\g<1>sha256:{'0' * 64}")


def another_hash(name: str) -> Change:
    """The hash of a wheel becomes another that looks like one."""
    return within(name, rf"(\.whl\", hash = \"){_SHA}", rf"\g<1>sha256:{'0123456789abcdef' * 4}")


def unhashed(name: str, suffix: str) -> Change:
    """A file loses its hash."""
    return within(name, rf"({re.escape(suffix)}\"), hash = \"{_SHA}\"", r"\1")


def without(name: str, suffix: str) -> Change:
    """A file is removed."""
    return within(name, rf"\n *\{{ url = \"[^\"]*{re.escape(suffix)}\"[^\n]*", "")


def to_md5(name: str) -> Change:
    """The hash of a wheel becomes an md5."""
    return within(name, rf"(\.whl\", hash = \"){_SHA}", rf"\g<1>md5:{'9e107d9d372bb6826bd81d3542a419d6'}")


def moved(name: str) -> Change:
    """A wheel is downloaded from elsewhere."""
    return within(name, r"http://127\.0\.0\.1:\d+(/[^\"]*\.whl)", rf"{ELSEWHERE}\1")


def registered_elsewhere(name: str) -> Change:
    """The registry of a package changes, and with it where its files come from."""
    return within(name, r"http://127\.0\.0\.1:\d+", ELSEWHERE, count=0)


def duplicated(name: str) -> Change:
    """An entry is there twice."""

    def change(text: str) -> str:
        start, end = entry(text, name)
        return text[:end] + "\n" + text[start:end] + text[end:]

    return change


ORPHAN: Final = f"""
[[package]]
name = "orphan"
version = "1.0"
source = {{ registry = "@registry@" }}
wheels = [
    {{ url = "@registry@/orphan/orphan-1.0-py3-none-any.whl", hash = "sha256:{"0123456789abcdef" * 4}", size = 1 }},
]
"""


def with_orphan(text: str) -> str:
    """An entry that nothing needs is added."""
    match = re.search(r'registry = "([^"]+)"', text)
    return text + ORPHAN.replace("@registry@", match[1] if match else "")


def older_einops(spelling: str = "0.8.0") -> Change:
    """A direct dependency is pinned below its specifier."""
    return within("einops", r"0\.8\.1", spelling, count=0)
