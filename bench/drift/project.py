"""A pyproject.toml for a lock that has none: what the lock's own metadata says that it was made from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from bench.drift import toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Table = dict[str, Any]

_EXTRA: Final = re.compile(r"""^extra == '([^']*)'$|\s+and extra == '([^']*)'$""")
# Settings that decide what is locked or how it is built; a production project copies them from the development one.
_COPIED: Final = (
    "environments",
    "required-environments",
    "conflicts",
    "constraint-dependencies",
    "override-dependencies",
    "exclude-dependencies",
    "build-constraint-dependencies",
    "dependency-metadata",
    "exclude-newer",
    "exclude-newer-package",
    "prerelease",
    "resolution",
    "fork-strategy",
    "index",
    "extra-build-dependencies",
    "extra-build-variables",
    "no-build-isolation",
    "no-build-isolation-package",
)


def split_extra(entry: Table) -> tuple[str, Table]:
    """The extra that an entry of `requires-dist` belongs to (empty: none), and the entry without that condition."""
    marker = str(entry.get("marker", ""))
    match = _EXTRA.search(marker)
    if match is None:
        return "", entry
    rest = marker[: match.start()].strip()
    if rest.startswith("(") and rest.endswith(")") and rest.count("(") == 1:
        rest = rest[1:-1]
    new = {name: each for name, each in entry.items() if name != "marker"}
    return match[1] or match[2], {**new, "marker": rest} if rest else new


def requirement(entry: Table) -> str:
    """An entry as PEP 508 writes it, without its source."""
    extras = f"[{','.join(entry['extras'])}]" if entry.get("extras") else ""
    specifier = str(entry.get("specifier", ""))
    marker = f" ; {entry['marker']}" if entry.get("marker") else ""
    return f"{entry['name']}{extras}{'' if specifier == '*' else specifier}{marker}"


def source(entry: Table, indexes: Mapping[str, str], members: Iterable[str] = ()) -> Table | None:
    """The item of `[tool.uv.sources]` that makes an entry's source; None where it is any configured index."""
    found: Table = {}
    if "git" in entry:
        url, _, query = str(entry["git"]).partition("?")
        items = {name: unquote(each) for name, _, each in (part.partition("=") for part in query.split("&") if part)}
        found = {
            "git": url,
            **{name: items[name] for name in ("subdirectory", "tag", "branch", "rev") if name in items},
        }
    elif "url" in entry:
        found = {"url": entry["url"]}
    elif "index" in entry:
        found = {"index": indexes[str(entry["index"]).rstrip("/")]}
    if found == {} and entry["name"] in members and {"editable", "virtual", "directory"} & entry.keys():
        return {"workspace": True}
    for kind in ("editable", "directory", "path", "virtual"):
        if kind in entry:
            found = {"path": entry[kind], **({"editable": True} if kind == "editable" else {})}
    if not found:
        return None
    return {**found, "marker": entry["marker"]} if entry.get("marker") else found


def pyproject(
    name: str,
    requires_python: str,
    *,
    version: str = "",
    requires: Iterable[Table] = (),
    extras: Iterable[str] = (),
    groups: Mapping[str, Iterable[Table]] | None = None,
    settings: Mapping[str, Any] | None = None,
    manifest: Iterable[Table] = (),
    members: Iterable[str] = (),
    package: bool = False,
) -> str:
    """The text of a pyproject.toml.

    Args:
        name: of the project.
        requires_python: as in the lock.
        version: empty makes it dynamic.
        requires: entries of `requires-dist`, those of extras included.
        extras: names of the extras.
        groups: entries per dependency group.
        settings: `[tool.uv]` to copy from.
        manifest: entries of the manifest, whose sources count too.
        members: names that come from the workspace.
        package: whether uv builds it.
    """
    copied = {key: each for key, each in (settings or {}).items() if key in _COPIED}
    indexes = {str(each["url"]).rstrip("/"): str(each["name"]) for each in copied.get("index", []) if "name" in each}
    sections: dict[str, list[str]] = {"": [], **{extra: [] for extra in extras}}
    sources: dict[str, list[Table]] = {}
    everything: list[tuple[Table, str]] = []
    for entry in requires:
        extra, rest = split_extra(entry)
        sections.setdefault(extra, []).append(requirement(rest))
        everything.append((rest, extra))
    by_group = {group: list(entries) for group, entries in (groups or {}).items()}
    everything += [(entry, "") for entries in by_group.values() for entry in entries]
    everything += [(entry, "") for entry in manifest]
    for entry, extra in everything:
        url = str(entry.get("index", "")).rstrip("/")
        if url and url not in indexes:
            indexes[url] = f"index-{len(indexes)}"
            copied["index"] = [*copied.get("index", []), {"name": indexes[url], "url": url, "explicit": True}]
        item = source(entry, indexes, members)
        if item is not None:
            item = {**item, "extra": extra} if extra and "conflicts" in copied else item
            if item not in sources.setdefault(entry["name"], []):
                sources[entry["name"]].append(item)
    text = f'[project]\nname = "{name}"\n'
    text += f'version = "{version}"\n' if version else 'dynamic = ["version"]\n'
    text += f'requires-python = "{requires_python}"\n' + toml.lines("dependencies", sections.pop(""))
    text += _lists("project.optional-dependencies", sections)
    text += _lists("dependency-groups", {group: list(map(requirement, each)) for group, each in by_group.items()})
    text += f"\n[tool.uv]\npackage = {toml.value(package)}\n"
    text += "".join(f"{key} = {toml.value(each)}\n" for key, each in copied.items())
    items = {name: each[0] if len(each) == 1 else each for name, each in sources.items()}
    text += "\n[tool.uv.sources]\n" if items else ""
    return text + "".join(f"{toml.key(key)} = {toml.value(each)}\n" for key, each in items.items())


def _lists(header: str, lists: Mapping[str, list[str]]) -> str:
    """A table of lists, or nothing where there is none."""
    return f"\n[{header}]\n" + "".join(toml.lines(*each) for each in lists.items()) if lists else ""
