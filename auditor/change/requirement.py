"""One requirement as text with another version in it: name, extras, marker and spacing stay as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from auditor.names import normalize
from auditor.wheel.cuda import parse_build

_REQUIREMENT: Final = re.compile(
    r"(?P<head>\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\]\s*)?)"
    r"(?P<open>\(\s*)?(?P<specifier>[^;@()]*?)(?P<tail>\s*\)?\s*(?:;\s*(?P<marker>.*))?)",
    re.DOTALL,
)
_URL: Final = re.compile(r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\]\s*)?@")
_PIN: Final = re.compile(r"(?P<sign>={2,3}\s*)(?P<version>[^\s,*]+)")


@dataclass(frozen=True, slots=True)
class Written:
    """A requirement as it is written.

    Attributes:
        name: normalised.
        specifier: its version specifiers, or an empty string.
        marker: its marker, or an empty string.
        is_url: whether it names a file or a repository instead of a version.
    """

    name: str
    specifier: str
    marker: str
    is_url: bool = False

    @property
    def is_pin(self) -> bool:
        """Whether it demands one version: `==2.6.0`."""
        return _PIN.fullmatch(self.specifier) is not None


def read_written(text: str) -> Written | None:
    """Take a requirement apart; None where it is none."""
    url = _URL.match(text)
    if url is not None:
        return Written(normalize(url["name"]), "", text.partition(" ;")[2].strip(), is_url=True)
    match = _REQUIREMENT.fullmatch(text)
    if match is None:
        return None
    return Written(normalize(match["name"]), match["specifier"].strip(), (match["marker"] or "").strip())


def with_version(text: str, version: Version, *, pin: bool = False) -> str:
    """The requirement such that it demands or, where it is a range that has the version already, admits it.

    A pin moves, `==2.6.0+cu124` with its local part. A range that excludes the version becomes a pin: whoever writes
    `<2.7` has decided something, and says with `set` that it is decided anew. A range that has it is left alone, since
    the lock decides then, but for `pin`, which makes a pin of it.
    """
    match = _REQUIREMENT.fullmatch(text)
    if match is None:
        return text
    specifier = match["specifier"]
    pinned = _PIN.fullmatch(specifier.strip())
    if pinned is not None:
        if _is_same(pinned["version"], version):
            return text
        local = pinned["version"].partition("+")[2]
        wanted = f"{version}+{local}" if local and version.local is None else str(version)
        new = specifier.replace(pinned["version"], wanted)
    elif not pin and _admits(specifier, version):
        return text
    else:
        new = f"=={version}"
    return text[: match.start("specifier")] + new + text[match.end("specifier") :]


def with_build(text: str, old: str, new: str) -> str:
    """The requirement with the local part `+cu124` of its pins replaced."""
    match = _REQUIREMENT.fullmatch(text)
    if match is None or parse_build(old) is None:
        return text
    specifier = re.sub(rf"\+{re.escape(old)}(?![\w.])", f"+{new}", match["specifier"])
    return text[: match.start("specifier")] + specifier + text[match.end("specifier") :]


def _is_same(text: str, version: Version) -> bool:
    """Whether a pin has the version: `==2.6` is 2.6.0, and `==2.6.0+cu124` is it too where no build is asked for."""
    try:
        pinned = Version(text)
    except InvalidVersion:
        return False
    return pinned == version or (version.local is None and pinned.local is not None and _public(pinned) == version)


def _public(version: Version) -> Version:
    return Version(version.public)


def _admits(specifier: str, version: Version) -> bool:
    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True  # whatever it is, it is not ours to change
