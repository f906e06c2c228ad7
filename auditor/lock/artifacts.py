"""Wheels and sdists of a lock: what their file names and hashes must be (`PackageWire::unwire` of uv)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from packaging.version import Version

from auditor.lock.marker import parse_version
from auditor.lock.model import Artifact, Source, SourceKind

if TYPE_CHECKING:
    from auditor.lock.getters import Getters, Table

# Name, version, an optional build, then three sets of tags, of which the Pythons begin with no digit.
_WHEEL = re.compile(r"[^-]+-[^-]+(?:-[^-]+)?-(?!\d)[\w.]+-[\w.]+-[\w.]+\.whl", re.ASCII)
_LONGEST_NAME = 255  # of a file, on every file system; a longer one could hold a billion tags
_HASH = re.compile(r"md5:[0-9a-f]{32}|(?:sha256|blake2b):[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")


def read_wheels(
    get: Getters, found: list[Table], name: str, version: Version | None, source: Source
) -> tuple[Artifact, ...]:
    """The wheels of a package, in the order of the file.

    Args:
        get: of the lock.
        found: the tables.
        name: of the package, as is what follows.
        version: None where the lock has none.
        source: where it comes from, which decides whether a hash must be there.

    Raises:
        InputError: a wheel of another version, without a name or a hash of its own, or with a hash that nothing has.
    """
    archive = source.kind is SourceKind.GIT and any(key == "path" for key, _ in source.extra)
    needs_hash = source.kind in {SourceKind.URL, SourceKind.PATH} or archive
    has_none = source.is_local_tree or (source.kind is SourceKind.GIT and not archive)
    written = None if version is None else str(version)
    wheels = []
    for table in found:
        artifact = _wheel(get, table, name, version, written)
        if artifact.hash is None and needs_hash:
            raise get.fail(f"the wheel of {name}, a {source.kind} source, has no hash")
        if artifact.hash is not None and has_none:
            raise get.fail(f"{name} is a {source.kind} source, but has a wheel with a hash: {artifact.filename}")
        wheels.append(artifact)
    return tuple(wheels)


def _wheel(get: Getters, table: Table, name: str, version: Version | None, written: str | None) -> Artifact:
    """One wheel; `written` is the text of `version`, made once for all of a package's wheels."""
    location = table.get("url") or table.get("path") or table.get("filename") or ""
    if not isinstance(location, str) or not location:
        raise get.fail(f"a wheel of {name} has neither url, path nor filename")
    filename = _file_name(location)
    if not filename.endswith(".whl"):
        raise get.fail(f"a wheel of {name} is no wheel: {filename}")
    if not _WHEEL.fullmatch(filename) or len(filename) > _LONGEST_NAME:
        raise get.fail(f"a wheel of {name} has no valid file name: {filename}")
    if version is not None and (text := filename.split("-", 2)[1]) != written:
        _check_version(get, text, filename, name, version)
    return _artifact(get, table, filename, location, is_wheel=True)


def _check_version(get: Getters, text: str, filename: str, name: str, version: Version) -> None:
    """Refuse a version, as a wheel's name writes it, that is not the locked one."""
    found = parse_version(text)
    if found is None:
        raise get.fail(f"a wheel of {name} has no valid version: {filename}")
    # uv takes a local part that only the file has: publishers put the build's key there.
    if found != version and not (version.local is None and Version(found.public) == version):
        raise get.fail(f"{name} is locked at {version}, but its wheel is of version {found}: {filename}")


def read_sdist(get: Getters, table: object, name: str, source: Source) -> Artifact:
    """The sdist of a package. Raises: `InputError`, where it is no table, or its hash is none."""
    if not isinstance(table, dict):
        raise get.fail(f"the sdist of {name} is not a table")
    location = table.get("url") or table.get("path") or ""
    if not isinstance(location, str):
        raise get.fail(f"the sdist of {name} has a location that is not a string")
    return _artifact(get, table, _file_name(location or source.location), location, is_wheel=False)


def _artifact(get: Getters, table: Table, filename: str, location: str, *, is_wheel: bool) -> Artifact:
    digest, size = get.text(table, "hash", filename), get.number(table, "size", filename)
    if digest is not None and not _HASH.fullmatch(digest):
        digest = digest.lower()  # so that equal hashes are equal text
        if not _HASH.fullmatch(digest):
            raise get.fail(f"the hash of {filename} is not `algorithm:hex` of a known algorithm: {digest}")
    return Artifact(filename=filename, location=location, hash=digest, size=size, is_wheel=is_wheel)


def _file_name(location: str) -> str:
    """The last part of an address; few have a query or a fragment."""
    if "?" in location or "#" in location:
        location = location.partition("?")[0].partition("#")[0]
    return unquote(location.rpartition("/")[2])
