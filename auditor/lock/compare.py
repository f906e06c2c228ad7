"""Whether two locks mean the same thing: sources and artifact names, freed from spelling.

Verdicts follow the edge cases of the facts on uv.lock, section 4 (numbers in the comments).
"""

from __future__ import annotations

import posixpath
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.version import InvalidVersion, Version

from auditor.lock.model import LOCAL_TREES, SourceKind
from auditor.names import normalize

if TYPE_CHECKING:
    from auditor.lock.model import Artifact, Source

# Hosts whose repository paths are case-insensitive.
_FOLDING_HOSTS = frozenset({"github.com", "gitlab.com", "bitbucket.org"})

_PORTS = {"https": 443, "http": 80}


def same_source(first: Source, second: Source, first_folder: str, second_folder: str) -> bool:
    """Whether two sources are the same, whatever their spelling.

    Args:
        first: a source.
        second: another.
        first_folder: folder of the first one's lock, relative to the root: paths in a lock are relative to it.
        second_folder: likewise.
    """
    return canonical(first, first_folder) == canonical(second, second_folder)


def canonical(source: Source, folder: str) -> tuple[str, ...]:
    """A source in a form that compares equal exactly when the meaning is the same."""
    if source.kind is SourceKind.REGISTRY:
        return "registry", _canonical_url(source.location.removesuffix("/"), folder)  # 15
    if source.kind is SourceKind.GIT:  # 33: the commit decides, not how it was asked for
        return "git", _canonical_repository(source.location), source.revision, _subdirectory(source), *_items(source)
    if source.kind is SourceKind.URL:
        return "url", _canonical_url(source.location, folder), _subdirectory(source)
    if source.kind is SourceKind.PATH:
        return "path", _below(folder, source.location), _subdirectory(source)
    # 30: the root is `virtual = "."` for itself and `directory = "../"` for its neighbour.
    return "tree", _below(folder, source.location)


def is_tree_against_release(dev: Source, prod: Source) -> bool:
    """Dev has the source tree, prod a git commit, a release or an archive of it: first-party packages look so (29)."""
    return dev.kind in LOCAL_TREES and prod.kind not in LOCAL_TREES


def canonical_filename(artifact: Artifact) -> str:
    """An artifact's file name with `%2B` unquoted; of a wheel, with name and version normalised (17, 18, 39)."""
    name = unquote(artifact.filename)
    if not artifact.is_wheel:
        return name
    project, _, rest = name.partition("-")
    version, separator, tags = rest.partition("-")
    canonical_version = _canonical_version(version)
    if canonical_version is None:
        return name
    return f"{_canonical_project(project)}-{canonical_version}{separator}{tags}"


@cache
def _canonical_project(text: str) -> str:
    """The first part of a wheel's name. Cached, as is the second: the wheels of a release repeat both."""
    return normalize(text).replace("-", "_")


@cache
def _canonical_version(text: str) -> str | None:
    try:
        return str(Version(text))
    except InvalidVersion:
        return None


def _subdirectory(source: Source) -> str:
    return posixpath.normpath(source.subdirectory) if source.subdirectory else "."


def _items(source: Source) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in source.extra)


def _canonical_repository(url: str) -> str:
    text = _canonical_url(url.removesuffix("/").removesuffix(".git"), "")
    folds = any(
        text.startswith(f"{scheme}://{host}/") for scheme in ("https", "http", "ssh") for host in _FOLDING_HOSTS
    )
    return text.lower() if folds else text


def _canonical_url(text: str, folder: str) -> str:
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port and parts.port != _PORTS.get(parts.scheme.lower()) else ""
    except ValueError:  # no port or host that anybody could reach: compare as written
        return text
    if parts.scheme == "file":  # a folder, absolute
        return posixpath.normpath(unquote(parts.path))
    if not parts.scheme or not parts.netloc:  # a find-links folder
        return _below(folder, text)
    host = (parts.hostname or "").lower()
    return urlunsplit((parts.scheme.lower(), f"{host}{port}", unquote(parts.path), parts.query, ""))


def _below(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))
