"""The build lock: the pinned environment that compiles one wheel, in a folder of its own.

`docker/wheels/<package>/`, or `docker/wheels/<build>/<package>/` where there are several builds, is all that the
compile stage sees of the project:

- `pylock.toml`: torch's closure and the build tools, each with its hash (PEP 751);
- `source.txt`: the source, one pip requirement with its hash or commit;
- `build.env`: the compile's environment;
- `key`: the build key.

It is *sticky*: as long as the key is the same, the files keep their bytes, so that a transitive pin that moves in
uv.lock does not compile anything.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import rtoml

from auditor.errors import InputError
from auditor.lock.model import SourceKind
from auditor.lock.selection import Request
from auditor.source import public_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.config import Config
    from auditor.dockerfile.pins import Pins
    from auditor.lock.environment import Target
    from auditor.lock.model import Package
    from auditor.lock.pair import Side
    from auditor.lock.selection import Selection
    from auditor.wheel.key import BuildKey

FOLDER: Final = "docker/wheels"
PYLOCK, SOURCE, ENVIRONMENT, KEY = "pylock.toml", "source.txt", "build.env", "key"
NAMES: Final = (PYLOCK, SOURCE, ENVIRONMENT, KEY)
_DIGEST_LINE: Final = re.compile(r'^digest = ".*"\n', re.MULTILINE)
_HEADER: Final = """\
# Written by `lockaudit bake`: the environment that compiles {package}. Do not edit: the compile stage sees this file
# instead of a lock, and changes of it compile the wheel anew. It is rewritten only when the build key changes.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildLock:
    """The files of one package, name -> text, and what the wheel is compiled with.

    Attributes:
        package: whose wheel.
        key: readable build key.
        uv: version of uv in the compile stage; sticky like the rest.
        files: relative name -> text.
        kept: whether the files on disk were kept as they are.
        build: whose images it is for; an empty string where there is one build only.
    """

    package: str
    key: str
    uv: str
    files: Mapping[str, str]
    kept: bool
    build: str = ""

    @property
    def folder(self) -> str:
        """Relative to the root."""
        return "/".join(filter(None, (FOLDER, self.build, self.package)))


def build_lock(
    key: BuildKey, side: Side, selection: Selection, config: Config, pins: Pins, current: Mapping[str, str]
) -> BuildLock:
    """The build lock of a key: what is on disk if it is for that key and whole, else a new one.

    Args:
        key: of the package.
        side: whose lock has the build tools (dev).
        selection: what that side installs on the target.
        config: names the group of build tools.
        pins: of the images.
        current: the files that are there, name -> text.

    Raises:
        InputError: a package of the environment cannot be installed from a hash.
    """
    kept = _kept(key, current)
    if kept is not None:
        return kept
    files = {
        SOURCE: source_text(key),
        ENVIRONMENT: "".join(f"{name}={shlex.quote(value)}\n" for name, value in key.env.items()),
        KEY: f"{key.readable}\n",
    }
    packages = _environment(key, side, selection, config)
    uv = pins.uv.value
    document: dict[str, Any] = {
        "lock-version": "1.0",
        "requires-python": f"=={selection.target.python}.*",
        "created-by": "lockaudit",
        "packages": [_entry(package, selection.target) for package in packages],
        "tool": {
            "lockaudit": {
                "key": key.readable,
                "uv": uv,
                "components": {component.name: component.value for component in key.components},
            }
        },
    }
    document["tool"]["lockaudit"]["digest"] = ""
    text = _HEADER.format(package=key.name) + rtoml.dumps(document)
    digest = _digest(text, files)
    files[PYLOCK] = _DIGEST_LINE.sub(f'digest = "{digest}"\n', text)
    return BuildLock(package=key.name, key=key.readable, uv=uv, files=files, kept=False)


def _kept(key: BuildKey, current: Mapping[str, str]) -> BuildLock | None:
    """The files on disk, if they are for this key, complete, and as they were written."""
    if set(NAMES) - current.keys():
        return None
    try:
        document = rtoml.loads(current[PYLOCK])
        tool = document["tool"]["lockaudit"]
        uv = str(tool["uv"])
        same = tool["key"] == key.readable and current[KEY] == f"{key.readable}\n"
        intact = tool["digest"] == _digest(current[PYLOCK], {name: current[name] for name in NAMES if name != PYLOCK})
    except (rtoml.TomlParsingError, KeyError, TypeError):
        return None
    if not same or not intact:
        return None
    return BuildLock(package=key.name, key=key.readable, uv=uv, files=dict(current), kept=True)


def _digest(pylock: str, others: Mapping[str, str]) -> str:
    """A hash over all files but for its own line, so that an edit by hand is seen."""
    state = hashlib.sha256(_DIGEST_LINE.sub("", pylock).encode())
    for name in sorted(others):
        state.update(f"\0{name}\0{others[name]}".encode())
    return state.hexdigest()


def source_text(key: BuildKey) -> str:
    """The source as one pip requirement that pip verifies: `name @ url --hash=sha256:...`, or a full commit."""
    package = key.package
    source = package.source
    if key.source is None:
        subdirectory = f"#subdirectory={source.subdirectory}" if source.subdirectory else ""
        text = f"{package.name} @ git+{_address(source.location)}@{source.revision}{subdirectory}"
    else:
        text = f"{package.name} @ {_address(key.source.location or source.location)} --hash={key.source.hash}"
    if not text.isprintable():
        raise InputError(f"the source of {package.name} has a control character in its address")
    return f"{text}\n"


def _environment(key: BuildKey, side: Side, selection: Selection, config: Config) -> list[Package]:
    """Torch's closure and the build tools with theirs, sorted by name."""
    lock = side.lock
    request = side.request
    tools: list[int] = []
    has_group = any(config.wheel_group in root.groups for root in lock.roots)
    chosen = selection
    if has_group:
        chosen = side.select(
            selection.target,
            Request(extras=request.extras, groups=(*request.groups, config.wheel_group), default_groups=False),
        )
        roots = {root.index for root in lock.roots}
        wanted = {edge.target for root in lock.roots for edge in root.groups.get(config.wheel_group, ())}
        held = {edge.target for index in roots for edge in chosen.edges.get(index, ())}
        tools = sorted(wanted & held)
    found: set[int] = set()
    pending = [key.torch.index, *tools]
    while pending:
        index = pending.pop()
        if index not in found:
            found.add(index)
            pending += [edge.target for edge in chosen.edges.get(index, ())]
    return sorted((lock.packages[index] for index in found), key=lambda package: package.name)


def _address(url: str) -> str:
    """A URL without its login: these files are committed, and the compile stage has a netrc as a secret."""
    return public_address(url)


def _entry(package: Package, target: Target) -> dict[str, Any]:
    """A package as PEP 751 writes it: its one artifact for the target, with its hash."""
    entry: dict[str, Any] = {"name": package.name}
    if package.version is not None:
        entry["version"] = str(package.version)
    source = package.source
    if source.kind is SourceKind.GIT:
        vcs = {"type": "git", "url": _address(source.location), "commit-id": source.revision}
        return entry | {"vcs": vcs | ({"subdirectory": source.subdirectory} if source.subdirectory else {})}
    artifact = target.chosen(package)
    if artifact is None or artifact.hash is None or "://" not in (artifact.location or source.location):
        raise InputError(
            f"{package.label} belongs to the environment that compiles wheels, but the lock has no hashed file of it"
            f" for {target}",
            hint="take it from an index that serves hashes",
        )
    algorithm, _, digest = artifact.hash.partition(":")
    described: dict[str, Any] = {"url": _address(artifact.location or source.location)}
    described |= {"size": artifact.size} if artifact.size is not None else {}
    described["hashes"] = {algorithm: digest}
    if source.kind is not SourceKind.REGISTRY:
        return entry | {"archive": described}
    entry["index"] = _address(source.location)
    named = {"name": artifact.filename} | described
    return entry | ({"wheels": [named]} if artifact.is_wheel else {"sdist": named})
