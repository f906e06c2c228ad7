"""Every file that a lock names: has it a sha256, and does it come from where the rest comes from?

Read with the standard library, not with lockaudit's own reader: what that one overlooks is found here.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHA256: Final = re.compile(r"sha256:[0-9a-f]{64}")
_HASHED_PIN: Final = re.compile(r"[A-Za-z0-9._-]+==[^\s;]+(\s*;[^#]*?)?(\s+--hash=sha256:[0-9a-f]{64})+")
_HASHED_URL: Final = re.compile(r"[A-Za-z0-9._-]+ @ https://\S+(\s+--hash=sha256:[0-9a-f]{64})+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where packages may come from.

    Attributes:
        registry: the index that lists them.
        host: the one that serves their files.
    """

    registry: str
    host: str


def origin(lock: str) -> Origin:
    """The registry and the host of a uv.lock's first package of a registry: what every other one is held to."""
    for package in tomllib.loads(lock)["package"]:
        files = list(_files(package))
        if "registry" in package["source"] and files:
            return Origin(registry=package["source"]["registry"], host=urlsplit(files[0]["url"]).netloc)
    message = "no package of a registry"
    raise ValueError(message)


def uv_lock(name: str, text: str, expected: Origin) -> Iterator[str]:
    """What is wrong in a uv.lock, one sentence each."""
    for package in tomllib.loads(text)["package"]:
        which = f"{name}: {package['name']} {package.get('version', '')}".rstrip()
        source = package["source"]
        if source in ({"virtual": "."}, {"editable": "."}):
            continue
        if source != {"registry": expected.registry}:
            yield f"{which} comes from {source}, not from the registry of uv.lock"
        files = list(_files(package))
        if not files:
            yield f"{which} has no file at all"
        for file in files:
            yield from _file(which, file.get("url", ""), file.get("hash", ""), expected)


def build_lock(name: str, text: str, expected: Origin) -> Iterator[str]:
    """What is wrong in a pylock.toml (PEP 751), one sentence each."""
    for package in tomllib.loads(text)["packages"]:
        which = f"{name}: {package['name']} {package.get('version', '')}".rstrip()
        files = list(_files(package))
        if not files:
            yield f"{which} has no file at all"
        for file in files:
            digest = file.get("hashes", {}).get("sha256", "")
            yield from _file(which, file.get("url", ""), f"sha256:{digest}", expected)


def requirements(name: str, text: str) -> Iterator[str]:
    """Requirements without an exact version or URL and a sha256, one sentence each."""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        requirement = line.partition(" #")[0].strip()
        if not requirement or requirement.startswith("#"):
            continue
        if not _HASHED_PIN.fullmatch(requirement) and not _HASHED_URL.fullmatch(requirement):
            yield f"{name}: {requirement.split()[0]} is not pinned with a sha256"


def _files(package: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from package.get("wheels", ())
    if "sdist" in package:
        yield package["sdist"]


def _file(which: str, url: str, digest: str, expected: Origin) -> Iterator[str]:
    parts = urlsplit(url)
    file = parts.path.rpartition("/")[2] or "a file without a URL"
    if not _SHA256.fullmatch(digest):
        yield f"{which}: {file} has no sha256"
    if (parts.scheme, parts.netloc) != ("https", expected.host):
        yield f"{which}: {file} is not served by the host of the others"
