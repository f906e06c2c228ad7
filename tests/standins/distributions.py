"""Writes wheels and source distributions whose bytes depend on their arguments only, so that hashes are stable.

Nothing is compressed: the output of a compressor differs between the zlib libraries of two machines.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING, TypeAlias

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Files: TypeAlias = "Mapping[str, str | bytes]"

_ZIP_DATE = (2020, 1, 1, 0, 0, 0)
_TAR_DATE = 1_577_836_800  # the same day, in seconds


def file_name(name: str) -> str:
    """The name as wheel and sdist file names spell it: `flash-attn` is `flash_attn`."""
    return canonicalize_name(name).replace("-", "_")


def metadata(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    requires_python: str | None = None,
    metadata_version: str = "2.2",
) -> str:
    """The text of a METADATA or PKG-INFO file.

    Args:
        name: the distribution's name, spelled as its author would.
        version: any PEP 440 version, local part included.
        requires: PEP 508 requirements.
        extras: requirements of each extra, without the `extra == ...` marker.
        requires_python: a specifier, or None for no such line.
        metadata_version: 2.2 makes an sdist's metadata static, so that uv locks it without building it.

    Returns:
        RFC 822 headers.
    """
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    for extra, requirements in (extras or {}).items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {_with_extra(requirement, extra)}" for requirement in requirements]
    return "\n".join(lines) + "\n"


def _with_extra(requirement: str, extra: str) -> str:
    base, separator, marker = requirement.partition(";")
    condition = f"({marker.strip()}) and extra == '{extra}'" if separator else f"extra == '{extra}'"
    return f"{base.strip()}; {condition}"


def wheel(
    directory: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    tag: str = "py3-none-any",
    files: Files | None = None,
    requires_python: str | None = None,
) -> Path:
    """Write a stand-in wheel.

    Args:
        directory: where to, made if missing.
        name: the distribution's name.
        version: any PEP 440 version, local part included.
        requires: PEP 508 requirements.
        extras: requirements of each extra, without the `extra == ...` marker.
        tag: `python-abi-platform`, compressed sets allowed.
        files: content by path in the wheel; a path below `*.data/scripts/` is made executable. None writes one
            module named after the distribution, which says its `__version__`.
        requires_python: a specifier.

    Returns:
        The path of the wheel.
    """
    module = file_name(name)
    stem = f"{module}-{version}"
    content = (
        {f"{module}.py": f'"""A stand-in for {name}."""\n\n__version__ = "{version}"\n'} if files is None else files
    )
    info = f"{stem}.dist-info"
    purelib = "true" if tag.endswith("-none-any") else "false"
    tags = "".join(f"Tag: {each}\n" for each in _expanded(tag))
    members = {path: _bytes(data) for path, data in content.items()}
    members[f"{info}/METADATA"] = metadata(
        name, version, requires=requires, extras=extras, requires_python=requires_python
    ).encode()
    members[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: stand-in\nRoot-Is-Purelib: {purelib}\n{tags}".encode()
    record = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in members.items()]
    members[f"{info}/RECORD"] = ("\n".join([*record, f"{info}/RECORD,,"]) + "\n").encode()

    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{stem}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for member, data in members.items():
            entry = zipfile.ZipInfo(member, _ZIP_DATE)
            entry.external_attr = (0o755 if ".data/scripts/" in member else 0o644) << 16
            archive.writestr(entry, data)
    return path


def sdist(
    directory: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    files: Files | None = None,
    requires_python: str | None = None,
    metadata_version: str = "2.2",
) -> Path:
    """Write a stand-in source distribution.

    Args:
        directory: where to, made if missing.
        name: the distribution's name.
        version: any PEP 440 version.
        requires: PEP 508 requirements.
        extras: requirements of each extra, without the `extra == ...` marker.
        files: content by path below the top folder. None writes a setuptools project of one module.
        requires_python: a specifier.
        metadata_version: below 2.2 the metadata counts as dynamic, and uv builds the sdist to lock it.

    Returns:
        The path of the archive.
    """
    stem = f"{file_name(name)}-{version}"
    content = _plain_project(name, version, requires) if files is None else dict(files)
    content["PKG-INFO"] = metadata(
        name,
        version,
        requires=requires,
        extras=extras,
        requires_python=requires_python,
        metadata_version=metadata_version,
    )
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for member, text in sorted(content.items()):
            data = _bytes(text)
            entry = tarfile.TarInfo(f"{stem}/{member}")
            entry.size, entry.mtime, entry.mode = len(data), _TAR_DATE, 0o644
            archive.addfile(entry, io.BytesIO(data))
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{stem}.tar.gz"
    with path.open("wb") as out, gzip.GzipFile("", "wb", compresslevel=0, fileobj=out, mtime=0) as zipped:
        zipped.write(raw.getvalue())
    return path


def _plain_project(name: str, version: str, requires: Sequence[str]) -> dict[str, str | bytes]:
    module = file_name(name)
    setup = (
        "from setuptools import setup\n\n"
        f"setup(name={name!r}, version={version!r}, py_modules=[{module!r}], install_requires={list(requires)!r})\n"
    )
    return {"setup.py": setup, f"{module}.py": f'"""A stand-in for {name}."""\n\n__version__ = "{version}"\n'}


def _expanded(tag: str) -> list[str]:
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    return [f"{python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms]


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
