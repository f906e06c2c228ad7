"""Where a pyproject.toml or uv.toml writes versions, indexes and Pythons: each place found, and set.

Edits work on a document of tomlkit, so that comments, order and spacing stay; a changed string keeps its quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import tomlkit
from tomlkit.items import String

from auditor.change.requirement import read_written, with_build, with_version
from auditor.errors import ConfigError
from auditor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.version import Version
    from tomlkit import TOMLDocument

Slot = tuple[Any, Any]  # a table or an array, and the key of a string in it


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a project that one variant of the images has for itself; the rest is common to all variants.

    Attributes:
        extras: that it selects, normalised.
        groups: likewise.
    """

    extras: frozenset[str]
    groups: frozenset[str]

    def has(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry of `[tool.uv.sources]` is for it alone."""
        extra, group = normalize(str(entry.get("extra", ""))), normalize(str(entry.get("group", "")))
        return extra in self.extras or group in self.groups


_UV_LISTS: Final = (
    "constraint-dependencies",
    "override-dependencies",
    "build-constraint-dependencies",
)
_ADDRESSES: Final = ("index-url", "extra-index-url", "find-links")
CUDA_TAG: Final = re.compile(r"cu\d{3,4}")
_SEGMENT: Final = re.compile(r"(?<=/)cu\d{3,4}(?=[/?#]|$)")


def put(slot: Slot, value: str) -> None:
    """Give a string another value; its quotes and whatever stands beside it stay."""
    container, key = slot
    old = container[key]
    if str(old) == value:
        return
    literal = isinstance(old, String) and old.as_string().startswith("'") and "'" not in value
    container[key] = tomlkit.string(value, literal=literal)


def uv_table(document: TOMLDocument, path: str) -> Mapping[str, Any]:
    """What `[tool.uv]` is in a pyproject.toml, and the whole of a uv.toml."""
    return document if path.endswith("uv.toml") else _table(_table(document, "tool"), "uv")


def dependencies(document: TOMLDocument, path: str, scope: Scope | None = None) -> Iterator[Slot]:
    """Every requirement of the project itself, of its extras and of its groups; of a scope, those that it has alone."""
    project = _table(document, "project")
    for extra, values in _table(project, "optional-dependencies").items():
        if scope is None or normalize(extra) in scope.extras:
            yield from _strings(values)
    for group, values in _table(document, "dependency-groups").items():
        if scope is None or normalize(group) in scope.groups:
            yield from _strings(values)
    if scope is None:
        yield from _strings(project.get("dependencies"))
        yield from _strings(uv_table(document, path).get("dev-dependencies"))


def requirements(document: TOMLDocument, path: str, scope: Scope | None = None) -> Iterator[Slot]:
    """Every requirement that decides what is locked: of the project, its extras and groups, and of uv's own lists."""
    yield from dependencies(document, path, scope)
    if scope is not None:
        return
    uv = uv_table(document, path)
    for key in _UV_LISTS:
        yield from _strings(uv.get(key))
    for values in _table(uv, "extra-build-dependencies").values():
        yield from _strings(values)
        yield from ((item, "requirement") for item in _tables(values) if isinstance(item.get("requirement"), str))
    for entry in _tables(uv.get("dependency-metadata")):
        yield from _strings(entry.get("requires-dist"))


def declared(document: TOMLDocument, path: str, scope: Scope | None = None) -> set[str]:
    """Names of the packages that have a requirement."""
    found = (read_written(str(container[key])) for container, key in requirements(document, path, scope))
    return {written.name for written in found if written is not None}


def pinned(document: TOMLDocument, path: str) -> set[str]:
    """Names of the packages that a requirement pins to one version."""
    found = (read_written(str(container[key])) for container, key in requirements(document, path))
    return {written.name for written in found if written is not None and written.is_pin}


def set_package(
    document: TOMLDocument,
    path: str,
    name: str,
    version: Version,
    applies: Callable[[str], bool],
    scope: Scope | None = None,
) -> list[str]:
    """Set a package's version in every requirement of it.

    Args:
        document: to be changed.
        path: of its file.
        name: of the package, normalised.
        version: to set.
        applies: whether a marker holds on a target; a requirement for other environments is left alone.
        scope: the part of the project to look at; None for all of it.

    Returns:
        The requirements that were left, each with its reason.
    """
    left = []
    own = {(id(container), key) for container, key in dependencies(document, path)}
    for container, key in requirements(document, path, scope):
        text = str(container[key])
        written = read_written(text)
        if written is None or written.name != name:
            continue
        if written.marker and not applies(written.marker):
            left.append(f"{path}: {text} stays: it is for none of the targets")
            continue
        new = with_version(text, version, pin=scope is not None)  # a lock's other variants may have another version
        if new == text and not written.is_pin and (id(container), key) in own:
            left.append(f"{path}: {text} stays: it admits {version}, and the lock decides")
        put((container, key), new)
    for entry in metadata_of(document, path, name):
        put((entry, "version"), str(version))
    return left


def metadata_of(document: TOMLDocument, path: str, name: str) -> Iterator[MutableMapping[str, Any]]:
    """The entries of `dependency-metadata` that are about a version of a package."""
    for entry in _tables(uv_table(document, path).get("dependency-metadata")):
        if normalize(str(entry.get("name", ""))) == name and isinstance(entry.get("version"), str):
            yield entry


def sources_of(document: TOMLDocument, path: str, name: str) -> Iterator[Mapping[str, Any]]:
    """The entries of `[tool.uv.sources]` about a package."""
    for key, value in _table(uv_table(document, path), "sources").items():
        if normalize(key) == name:
            yield from _tables(value)


def cuda_tags(document: TOMLDocument, path: str, scope: Scope | None = None) -> set[str]:
    """The builds, `cu124`, that requirements name and that indexes serve, as far as the indexes are used.

    An index is used if a source names it, of a scope one that is not for others, or if it is not `explicit`.
    """
    uv = uv_table(document, path)
    named = {
        str(item[key]) for item, key in _index_references(uv) if scope is None or scope.has(item) or _is_common(item)
    }
    found: set[str] = set()
    for index in _tables(uv.get("index")):
        if index.get("explicit") is not True or str(index.get("name")) in named:
            found |= set(_SEGMENT.findall(str(index.get("url", ""))))
    for container, key in _addresses(uv):
        found |= set(_SEGMENT.findall(str(container[key])))
    for container, key in requirements(document, path, scope):
        written = read_written(str(container[key]))
        found |= set(re.findall(r"\+(cu\d{3,4})(?![\w.])", written.specifier)) if written is not None else set()
    return found


def set_build(document: TOMLDocument, path: str, old: str, new: str, scope: Scope | None = None) -> dict[str, str]:
    """Replace a build, `cu124`, by another: in the addresses and names of indexes, in requirements and settings.

    Returns:
        Names of indexes that are others now, old -> new: sources in other files of the workspace may use them.

    Raises:
        ConfigError: what is to be set for a scope alone is used by others too.
    """
    uv = uv_table(document, path)
    renamed: dict[str, str] = {}
    is_edited = scope is None
    indexes = list(_tables(uv.get("index")))
    for index in indexes:
        url, name = str(index.get("url", "")), str(index.get("name", ""))
        wanted = _replaced(url, old, new)
        if wanted == url or not _is_of(scope, uv, name):
            continue
        ready = next((each for each in indexes if str(each.get("url", "")) == wanted), None)
        if scope is not None and _is_of_others(scope, uv, index, is_kept=ready is not None):
            raise ConfigError(
                f"the index {name or url} serves other variants too",
                path=path,
                hint=f"give the variant a source of its own, `extra = ...`, and an index of {new} in [[tool.uv.index]]",
            )
        if ready is not None and ready.get("name") and name:  # the other index is there: only who uses it changes
            renamed[name] = str(ready["name"])
            continue
        put((index, "url"), wanted)
        is_edited = True
        other = re.sub(rf"(?<![A-Za-z0-9]){old}(?![A-Za-z0-9])", new, name)
        if name and other != name and other not in {str(each.get("name", "")) for each in indexes}:
            put((index, "name"), other)
            renamed[name] = other
    registries = _strings(_lockaudit(document, path).get("allowed-registries")) if is_edited else ()
    for slot in (*registries, *(_addresses(uv) if scope is None else ())):
        put(slot, _replaced(str(slot[0][slot[1]]), old, new))
    for slot in requirements(document, path, scope):
        put(slot, with_build(str(slot[0][slot[1]]), old, new))
    pip = _table(uv, "pip")
    if scope is None and pip.get("torch-backend") == old:
        put((pip, "torch-backend"), new)
    return renamed


def use_indexes(document: TOMLDocument, path: str, renamed: Mapping[str, str], scope: Scope | None = None) -> None:
    """Put the new names of indexes into the sources."""
    for container, key in _index_references(uv_table(document, path)):
        if scope is None or scope.has(container):
            put((container, key), renamed.get(str(container[key]), str(container[key])))


def kept_names(document: TOMLDocument, path: str, build: str) -> list[str]:
    """Extras and groups that are named after a build: an interface, which keeps its name."""
    tables = (
        ("extra", _table(_table(document, "project"), "optional-dependencies")),
        ("group", _table(document, "dependency-groups")),
    )
    return [
        f"{path}: the {kind} {name} keeps its name, which others may ask for"
        for kind, table in tables
        for name in table
        if build in re.split(r"[-_.]", name)
    ]


def set_python(document: TOMLDocument, path: str, old: int, new: int) -> None:
    """Set the Python of the targets, and of a `requires-python` that pins it: `==3.11.*`."""
    settings = _lockaudit(document, path)
    for table in (settings, *_tables(settings.get("pair")), *_tables(settings.get("variant"))):
        for container, key in _strings(table.get("targets")):
            put((container, key), re.sub(rf"-cp3{old}$", f"-cp3{new}", str(container[key])))
    project = _table(document, "project")
    if re.fullmatch(r"===?\s*3\.\d+(?:\.\*|\.\d+)?", str(project.get("requires-python", "")).strip()):
        put((project, "requires-python"), f"==3.{new}.*")


def set_image(document: TOMLDocument, path: str, values: Mapping[str, str]) -> set[str]:
    """Set the pins of `[tool.lockaudit.image]` and of its variants, those that stand there; their names."""
    settings = _lockaudit(document, path)
    image = _table(settings, "image")
    found = {name for name in values if isinstance(image.get(name), str)}
    for name in found:
        put((image, name), values[name])
    for variant in _tables(settings.get("variant")):
        for name, value in values.items():
            if isinstance(variant.get(_of_variant(name)), str):
                put((variant, _of_variant(name)), value)
                found.add(name)
    return found


def set_variant(document: TOMLDocument, path: str, variant: str, values: Mapping[str, str]) -> None:
    """Set the pins of one `[[tool.lockaudit.variant]]`; those that it has not said before are added to it."""
    for table in _tables(_lockaudit(document, path).get("variant")):
        if table.get("name") == variant:
            for name, value in values.items():
                if isinstance(table.get(_of_variant(name)), str):
                    put((table, _of_variant(name)), value)
                else:
                    table[_of_variant(name)] = value


def _of_variant(name: str) -> str:
    return "image-variant" if name == "variant" else name


def _is_common(source: Mapping[str, Any]) -> bool:
    return "extra" not in source and "group" not in source


def _is_of(scope: Scope | None, uv: Mapping[str, Any], index: str) -> bool:
    """Whether a scope takes something from an index; all of a project does from any."""
    if scope is None:
        return True
    return any(item[key] == index and (scope.has(item) or _is_common(item)) for item, key in _index_references(uv))


def _is_of_others(scope: Scope, uv: Mapping[str, Any], index: Mapping[str, Any], *, is_kept: bool) -> bool:
    """Whether an index cannot change for a scope alone; one that is kept may serve others, by sources of their own."""
    others = [item for item, key in _index_references(uv) if item[key] == index.get("name") and not scope.has(item)]
    return index.get("explicit") is not True or any(_is_common(item) or not is_kept for item in others)


def set_required_uv(document: TOMLDocument, path: str, version: str) -> None:
    """Set a `required-version` that pins uv; a range is left alone."""
    uv = uv_table(document, path)
    required = str(uv.get("required-version", ""))
    if re.fullmatch(r"(?:==\s*)?\d+\.\d+\.\d+", required.strip()):
        put((uv, "required-version"), re.sub(r"\d+\.\d+\.\d+", version, required))


def _replaced(address: str, old: str, new: str) -> str:
    return _SEGMENT.sub(lambda match: new if match[0] == old else match[0], address)


def _index_references(uv: Mapping[str, Any]) -> Iterator[Slot]:
    for value in _table(uv, "sources").values():
        yield from ((item, "index") for item in _tables(value) if isinstance(item.get("index"), str))


def _addresses(uv: Mapping[str, Any]) -> Iterator[Slot]:
    for table in (uv, _table(uv, "pip")):
        for key in _ADDRESSES:
            if isinstance(table.get(key), str):
                yield table, key
            else:
                yield from _strings(table.get(key))


def _lockaudit(document: TOMLDocument, path: str) -> Mapping[str, Any]:
    return {} if path.endswith("uv.toml") else _table(_table(document, "tool"), "lockaudit")


def _table(container: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = container.get(key)
    return value if isinstance(value, Mapping) else {}


def _tables(value: object) -> Iterator[MutableMapping[str, Any]]:
    """A table, or each table of an array."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, MutableMapping):
            yield item


def _strings(value: object) -> Iterator[Slot]:
    """Each string of an array."""
    if isinstance(value, list):
        yield from ((value, index) for index, item in enumerate(value) if isinstance(item, str))
