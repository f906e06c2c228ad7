"""What a project asks for: the requirements in a pyproject.toml that count as production, and edits of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from packaging.requirements import InvalidRequirement, Requirement

from auditor.change.pyproject import edited, table
from auditor.change.settings import ORIGIN, add_lines, name_of
from auditor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.change.tree import Tree
    from auditor.config import SideConfig

_PROJECT: Final = "pyproject.toml"


def project_of(folder: str) -> str:
    """The path of a folder's pyproject.toml."""
    return _PROJECT if folder == "." else f"{folder}/{_PROJECT}"


def asked(tree: Tree, folder: str, side: SideConfig, name: str) -> list[str]:
    """The requirements about a package, as written, in the sections that count as production."""
    import rtoml  # noqa: PLC0415 - only commands that read TOML pay for it

    document: Any = rtoml.loads((tree.text(project_of(folder)) or "").removeprefix("\ufeff"))
    return [str(each) for array in _arrays(document, side) for each in array if _is_about(each, name)]


def drop(tree: Tree, folder: str, side: SideConfig, name: str) -> bool:
    """Let the project no longer ask for a package; whether it did."""

    def edit(document: Any) -> None:  # noqa: ANN401 - tomlkit's document
        for array in _arrays(document, side):
            for place in reversed(range(len(array))):
                if _is_about(array[place], name):
                    del array[place]

    return _edit(tree, folder, edit)


def restate(tree: Tree, folder: str, side: SideConfig, name: str, wanted: list[str]) -> bool:
    """Let the project ask for a package as dev does, with the extras that it asks for itself.

    Args:
        tree: the mirror.
        folder: of the project.
        side: which sections count.
        name: of the package, normalised.
        wanted: dev's requirements; where it has none, any version will do.
    """

    def edit(document: Any) -> None:  # noqa: ANN401 - tomlkit's document
        for array in _arrays(document, side):
            for place in range(len(array)):
                if _is_about(array[place], name):
                    array[place] = _as_wanted(str(array[place]), wanted)

    return _edit(tree, folder, edit)


def add(tree: Tree, folder: str, wanted: list[str], origin: str) -> bool:
    """Let the project ask for a package too, as dev does."""

    def edit(document: Any) -> None:  # noqa: ANN401 - tomlkit's document
        project = table(document, "project")
        if "dependencies" not in project:
            project["dependencies"] = []
        add_lines(project["dependencies"], wanted, ORIGIN.format(origin))

    return _edit(tree, folder, edit)


def with_python(tree: Tree, folder: str, specifier: str) -> bool:
    """Give the project another `requires-python`."""

    def edit(document: Any) -> None:  # noqa: ANN401 - tomlkit's document
        if "requires-python" in document.get("project", {}):
            document["project"]["requires-python"] = specifier

    return _edit(tree, folder, edit)


def without_extras(text: str, extras: set[str]) -> str:
    """A requirement that asks for fewer extras."""
    requirement = Requirement(text)
    requirement.extras = {each for each in requirement.extras if normalize(each) not in extras}
    return str(requirement)


def narrow(tree: Tree, folder: str, side: SideConfig, name: str, extras: set[str]) -> bool:
    """Let the project ask for a package without some of its extras."""

    def edit(document: Any) -> None:  # noqa: ANN401 - tomlkit's document
        for array in _arrays(document, side):
            for place in range(len(array)):
                if _is_about(array[place], name):
                    array[place] = without_extras(str(array[place]), extras)

    return _edit(tree, folder, edit)


def extras_of(texts: list[str]) -> set[str]:
    """The extras that requirements ask for, normalised."""
    found: set[str] = set()
    for text in texts:
        try:
            found |= {normalize(each) for each in Requirement(text).extras}
        except InvalidRequirement:
            continue
    return found


def _as_wanted(text: str, wanted: list[str]) -> str:
    """One requirement with dev's specifier: the marker and the extras stay."""
    try:
        mine = Requirement(text)
        theirs = [Requirement(each) for each in wanted]
    except InvalidRequirement:
        return text
    alike = [each for each in theirs if str(each.marker) == str(mine.marker)] or theirs
    extras = f"[{','.join(sorted(mine.extras))}]" if mine.extras else ""
    marker = f" ; {mine.marker}" if mine.marker else ""
    if alike and alike[0].url:
        return f"{mine.name}{extras} @ {alike[0].url}{marker}"
    return f"{mine.name}{extras}{alike[0].specifier if alike else ''}{marker}"


def _arrays(document: Any, side: SideConfig) -> Iterator[Any]:  # noqa: ANN401 - plain or tomlkit's tables
    project = document.get("project", {})
    if "dependencies" in project:
        yield project["dependencies"]
    for tables, names in (
        (project.get("optional-dependencies", {}), side.extras or ()),
        (document.get("dependency-groups", {}), side.groups),
    ):
        for key in tables:
            if normalize(key) in names:
                yield tables[key]


def _is_about(entry: Any, name: str) -> bool:  # noqa: ANN401 - an entry of a list of the file
    return isinstance(entry, str) and name_of(entry) == name


def _edit(tree: Tree, folder: str, edit: Any) -> bool:  # noqa: ANN401 - what `edited` takes
    path = project_of(folder)
    old = tree.text(path) or ""
    new = edited(old, edit, path=path)
    tree.replace(path, new)
    return new != old
