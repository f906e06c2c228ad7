"""Writes what is settled into every file of a mirror that decides it: projects, Dockerfiles, `.python-version`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import rtoml
from packaging.version import Version

from auditor.change import places
from auditor.change.dockerfile import with_default
from auditor.change.pyproject import MARK, edited
from auditor.change.requirement import read_written
from auditor.dockerfile.read import parse_dockerfile
from auditor.errors import ConfigError
from auditor.lock.marker import MarkerError, allows, parse
from auditor.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from auditor.change.settle import Settled
    from auditor.change.tree import Tree
    from auditor.change.wanted import Wanted
    from auditor.dockerfile.model import Dockerfile
    from auditor.lock.environment import Target

# What decides a part of the images: an ARG of the Dockerfile, and for some a key of [tool.lockaudit.image].
ARGUMENTS: Final = {
    "cuda": "CUDA_VERSION",
    "variant": "CUDA_VARIANT",
    "ubuntu": "UBUNTU_VERSION",
    "uv": "UV_VERSION",
    "python": "PYTHON_VERSION",
    "cmake": "CMAKE_VERSION",
}
SETTINGS: Final = "pyproject.toml"  # of the root, which has [tool.lockaudit]
_SETTINGS: Final = ("cuda", "variant", "ubuntu", "uv")
_PYTHON_LINE: Final = re.compile(
    r"^(?P<before>[ \t]*(?:cpython-|cpython@|python)?)3\.\d+(?:\.\d+)?(?=\s|-|$)", re.MULTILINE
)
_OTHER_SOURCES: Final = ("git", "url", "path", "workspace")
_PATCHES: Final = range(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The files that are looked at, paths relative to the root.

    Attributes:
        projects: for each lock, its folder's pyproject.toml and uv.toml, and the pyproject.toml of its members.
        scopes: for each lock, the part of its projects that is to be set; None for all of it.
        dockerfiles: of the images.
        variant: the one of the images that is to be set; an empty string for all of them, and for what has none.
    """

    projects: tuple[tuple[str, ...], ...]
    scopes: tuple[places.Scope | None, ...]
    dockerfiles: tuple[str, ...]
    variant: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """Every pyproject.toml and uv.toml, each once."""
        return tuple(dict.fromkeys(path for group in self.projects for path in group))


def look(tree: Tree, where: Places) -> tuple[frozenset[str], tuple[tuple[str, ...], ...]]:
    """The packages that the projects declare, and for each lock the CUDA builds in use, sorted. Raises: as `edited`."""
    declared: set[str] = set()
    builds: list[tuple[str, ...]] = []
    for group, scope in zip(where.projects, where.scopes, strict=True):
        declared |= _found(tree, group, partial(places.declared, scope=scope))
        builds.append(tuple(sorted(_found(tree, group, partial(places.cuda_tags, scope=scope)))))
    return frozenset(declared), tuple(builds)


def pinned(tree: Tree, where: Places) -> frozenset[str]:
    """The packages that a requirement pins to one version. Raises: as `edited`."""
    return frozenset(_found(tree, where.files, places.pinned))


def _found(tree: Tree, paths: Sequence[str], find: Callable[[Any, str], set[str]]) -> set[str]:
    """What a function of a document finds in several files."""
    found: set[str] = set()
    for path in paths:
        edited(tree.text(path) or "", partial(_add, found, find, path), path=path)
    return found


def _add(found: set[str], find: Callable[[Any, str], set[str]], path: str, document: Any) -> None:  # noqa: ANN401
    found |= find(document, path)


def without_settings(text: str) -> dict[str, Any]:
    """The tables of a pyproject.toml without lockaudit's own: what uv reads."""
    tables = rtoml.loads(text.removeprefix(MARK))
    tables.get("tool", {}).pop("lockaudit", None)
    return tables


def assign(
    tree: Tree, where: Places, settled: Settled, targets: Sequence[Target], builds: Sequence[tuple[str, ...]]
) -> tuple[str, ...]:
    """Write everything, in the mirror.

    Args:
        tree: the mirror.
        where: the files.
        settled: what to set.
        targets: as they are before; the first one's Python is the one that moves.
        builds: for each lock, the CUDA builds in use; at most one, where another is to be set.

    Returns:
        What stays though one might expect otherwise, one line each.

    Raises:
        ConfigError: a place that cannot be set, or none at all for a part of the image; with file and line.
        InputError: a file that cannot be edited.
    """
    assigning = _Assigning(tree, where, settled, targets, builds)
    assigning.projects()
    assigning.dockerfiles()
    assigning.python_versions()
    assigning.refuse_missing()
    return tuple(dict.fromkeys(assigning.notes))


class _Assigning:
    def __init__(
        self,
        tree: Tree,
        where: Places,
        settled: Settled,
        targets: Sequence[Target],
        builds: Sequence[tuple[str, ...]],
    ) -> None:
        self.tree = tree
        self.where = where
        self.build = settled.build
        self.wanted: Wanted = settled.wanted
        self.targets = targets
        self.builds = builds
        self.old_minor = targets[0].minor
        self.minor = int(self.wanted.python.partition(".")[2]) if self.wanted.python else self.old_minor
        self.versions: dict[str, Version] = dict(self.wanted.packages)
        if self.wanted.cmake:
            self.versions["cmake"] = Version(self.wanted.cmake)
        self.settable = {name: value for name in (*_SETTINGS, "python") if (value := self.wanted.image(name))}
        self.notes: list[str] = []
        self.found: set[str] = set()

    # -- projects -----------------------------------------------------------------------------------------------

    def projects(self) -> None:
        for group, scope, builds in zip(self.where.projects, self.where.scopes, self.builds, strict=True):
            renamed: dict[str, str] = {}
            for path in group:
                self.edit(path, partial(self.project, path=path, scope=scope, builds=builds, renamed=renamed))
            for path in group:
                self.edit(path, partial(places.use_indexes, path=path, renamed=renamed, scope=scope))
        if self.where.variant:
            of_variant = partial(places.set_variant, path=SETTINGS, variant=self.where.variant, values=self.settable)
            self.edit(SETTINGS, of_variant)
            self.found.update(self.settable)
        for path in self.where.files:
            if self.wanted.python:
                self.refuse_python(path)

    def edit(self, path: str, change: Callable[[Any], None]) -> None:
        text = self.tree.text(path) or ""
        new = edited(text, change, path=path)
        if new != text:
            self.tree.replace(path, new)

    def project(
        self,
        document: Any,  # noqa: ANN401 - of tomlkit
        path: str,
        scope: places.Scope | None,
        builds: tuple[str, ...],
        renamed: dict[str, str],
    ) -> None:
        for name, version in self.versions.items():
            self.refuse_other_sources(document, path, name)
            if scope is not None and any(places.metadata_of(document, path, name)):
                raise ConfigError(
                    f"the dependency-metadata of {name} states one version for all variants",
                    path=path,
                    hint="set it for all of them, without --variant",
                )
            self.notes += places.set_package(document, path, name, version, self.applies, scope)
        if "cmake" in places.declared(document, path):
            self.found.add("cmake")
        for old in builds if self.build else ():
            renamed |= places.set_build(document, path, old, self.build, scope)
            self.notes += places.kept_names(document, path, old) if old != self.build else []
        if self.where.variant:
            return
        if self.wanted.python:
            places.set_python(document, path, self.old_minor, self.minor)
        if self.wanted.uv:
            places.set_required_uv(document, path, self.wanted.uv)
        self.found |= places.set_image(document, path, self.settable)

    def applies(self, marker: str) -> bool:
        """Whether a marker holds on a target; one that cannot be read is taken to."""
        try:
            parsed = parse(marker)
        except MarkerError:
            return True
        return any(parsed.without_extras(environment) for environment in self.environments())

    def environments(self) -> Iterator[Mapping[str, str]]:
        for target in self.targets:
            minor = self.minor if target.minor == self.old_minor else target.minor
            yield type(target).parse(f"{target.platform}-{target.machine}-cp3{minor}").markers

    def refuse_other_sources(self, document: Any, path: str, name: str) -> None:  # noqa: ANN401
        """Raise where a package's version is that of a file or a commit, which no version moves."""
        urls = [
            str(container[key])
            for container, key in places.requirements(document, path)
            if (written := read_written(str(container[key]))) is not None
            and written.name == name
            and written.is_url
            and (not written.marker or self.applies(written.marker))
        ]
        for source in places.sources_of(document, path, name):
            kind = next((key for key in _OTHER_SOURCES if key in source), None)
            if kind is not None and ("marker" not in source or self.applies(str(source["marker"]))):
                urls.append(f"{kind} = {source[kind]!r}" if kind != "workspace" else "a member of the workspace")
        if urls:
            position = self.file(path).find(urls[0].partition(" = ")[2].strip("'\"")) or self.file(path).find(name)
            raise ConfigError(
                f"the version of {name} is that of its source, {urls[0]}",
                path=path,
                line=position.line if position else None,
                hint="change the source by hand, or take the package from an index",
            )

    def refuse_python(self, path: str) -> None:
        """Raise where a project does not allow the Python: which ones it allows is its author's to say."""
        file = self.file(path)
        match = re.search(r"^[ \t]*requires-python[ \t]*=[ \t]*[\"'](?P<value>[^\"']*)[\"']", file.text, re.MULTILINE)
        if match is None or any(allows(match["value"], f"3.{self.minor}.{patch}") for patch in _PATCHES):
            return
        raise ConfigError(
            f"requires-python = {match['value']!r} does not allow Python 3.{self.minor}",
            path=path,
            line=file.text.count("\n", 0, match.start("value")) + 1,
            hint=f'widen it, or pin it as "==3.{self.old_minor}.*", which `lockaudit set` moves',
        )

    def file(self, path: str) -> SourceFile:
        return SourceFile(Path(path), path, self.tree.text(path) or "")

    # -- Dockerfiles and .python-version ------------------------------------------------------------------------

    def dockerfiles(self) -> None:
        for path in self.where.dockerfiles if not self.where.variant else ():
            for name, argument in ARGUMENTS.items():
                value = self.wanted.image(name)
                text = self.tree.text(path)
                if not value or text is None:
                    continue
                dockerfile = parse_dockerfile(SourceFile(Path(path), path, text.removeprefix(MARK)))
                new = self.with_argument(text, dockerfile, argument, value)
                if new is not None:
                    self.found.add(name)
                    self.tree.replace(path, new)

    def with_argument(self, text: str, dockerfile: Dockerfile, argument: str, value: str) -> str | None:
        """The Dockerfile with another default of an ARG, wherever a stage gives it one too; None where none does."""
        new = with_default(text, dockerfile, argument, value)
        if new is None and dockerfile.arguments.get(argument) is not None:
            raise ConfigError(
                f"the default of {argument} is made of other ARGs",
                path=dockerfile.file.name,
                line=dockerfile.argument_lines[argument],
                hint="set those by hand",
            )
        lines = (new or text).split("\n")
        default = re.compile(rf"(?<![\w]){argument}=(?P<quote>[\"']?)(?P<old>[^\s\"'$]+)(?P=quote)")
        is_found = new is not None
        for stage in dockerfile.stages:
            for instruction in stage.instructions:
                if instruction.name != "ARG":
                    continue
                for index in range(instruction.line - 1, instruction.last_line):
                    match = default.search(lines[index])
                    if match is not None:
                        lines[index] = lines[index][: match.start("old")] + value + lines[index][match.end("old") :]
                        is_found = True
        return "\n".join(lines) if is_found else None

    def python_versions(self) -> None:
        if not self.wanted.python or self.where.variant:
            return
        for path in dict.fromkeys(str(PurePosixPath(file).parent / ".python-version") for file in self.where.files):
            text = self.tree.text(path)
            if text is not None:
                new = _PYTHON_LINE.sub(lambda match: f"{match['before']}3.{self.minor}", text, count=1)
                self.tree.replace(path, new)

    def refuse_missing(self) -> None:
        """Raise where no file says which CUDA, Ubuntu or uv the images have: there is nothing to set."""
        for name, argument in ARGUMENTS.items():
            if name == "python" or not self.wanted.image(name) or name in self.found:
                continue
            shown = ", ".join(self.where.dockerfiles) or "a Dockerfile"
            setting = f", [tool.lockaudit.image] no `{name}`" if name in _SETTINGS else ""
            raise ConfigError(
                f"nothing says which {name} the images have: {shown} has no ARG {argument} with a default{setting}",
                hint=f"add `ARG {argument}={self.wanted.image(name)}` above the first FROM",
            )
