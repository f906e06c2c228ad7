"""What `lockaudit init` would write into a repository, worked out from what is there. Pure but for reading."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from packaging.requirements import InvalidRequirement, Requirement

from auditor.bake.files import read_text
from auditor.bake.generate import Written
from auditor.change.pyproject import appended, same_endings
from auditor.cli.edits import replaced, settings_table, with_exclusions, with_group
from auditor.cli.options import Overrides
from auditor.cli.workspace import load_side
from auditor.dockerfile.tags import newest_patch
from auditor.errors import InputError, SelectionError
from auditor.lock.model import LOCAL_TREES
from auditor.lock.selection import Request, excluded_extras, known_extras
from auditor.names import normalize
from auditor.wheel.compiled import compiled_packages
from auditor.wheel.cuda import cuda_of
from auditor.wheel.known import modules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.lock.environment import Target
    from auditor.lock.pair import Side
    from auditor.lock.project import Project
    from auditor.lock.selection import Selection

DOCKERFILE: Final = "docker/Dockerfile-uv"
HOOKS: Final = ".pre-commit-config.yaml"
IGNORE: Final = ".dockerignore"
_REPOSITORY: Final = "https://github.com/lockaudit/lockaudit"
# What `[tool.uv]` says about where packages come from and how they are resolved and built: prod needs the same.
_INHERITED: Final = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "index-strategy",
    "keyring-provider",
    "environments",
    "required-environments",
    "resolution",
    "prerelease",
    "fork-strategy",
    "exclude-newer",
    "exclude-newer-package",
    "constraint-dependencies",
    "build-constraint-dependencies",
    "override-dependencies",
    "exclude-dependencies",
    "no-build",
    "no-build-package",
    "no-binary",
    "no-binary-package",
    "no-build-isolation",
    "no-build-isolation-package",
    "config-settings",
    "config-settings-package",
    "extra-build-dependencies",
    "extra-build-variables",
    "index",
    "dependency-metadata",
)
_HOOK: Final = re.compile(r"^[^#\n]*\bid:\s*[\"']?lockaudit-", re.MULTILINE)
_REPOS: Final = re.compile(
    r"^repos:[ \t]*(?:#[^\n]*)?\r?\n(?P<between>(?:[ \t]*(?:#[^\n]*)?\r?\n)*)(?P<indent>[ ]*)-", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What to write and what to tell.

    Attributes:
        files: new and changed files; those that are kept are not among them.
        kept: files that are there already, with the reason why they stay.
        found: what was seen in the repository, one line each.
        relock: folders whose lock is stale once the files are written, in the order in which uv must lock them.
    """

    files: tuple[Written, ...]
    kept: tuple[str, ...]
    found: tuple[str, ...]
    relock: tuple[str, ...]


def plan_adoption(root: Path, *, force: bool, create_prod: bool, version: str) -> Adoption:
    """Look at a repository and work out what it needs.

    Args:
        root: with a pyproject.toml and a uv.lock.
        force: write over what is there.
        create_prod: make prod/pyproject.toml out of the root's where there is none.
        version: of lockaudit, for the hook.

    Raises:
        InputError: no lock, or one that cannot be read.
        ConfigError: nothing tells which Python the image runs.
    """
    return _Planner(root, force=force, create_prod=create_prod, version=version).plan()


class _Planner:
    def __init__(self, root: Path, *, force: bool, create_prod: bool, version: str) -> None:
        self.root = root
        self.force = force
        self.create_prod = create_prod
        self.version = version
        self.files: list[Written] = []
        self.kept: list[str] = []
        self.found: list[str] = []
        self.relock: list[str] = []
        self.left_out: list[str] = []
        # Conflicting extras are no obstacle here: which one to take is what this finds out.
        workspace = load_side(root, Overrides(dev_extras=()))
        self.side: Side = workspace.side
        self.target: Target = workspace.targets[0]
        if self.side.project is None:
            raise InputError(
                "no pyproject.toml here", path="pyproject.toml", hint="lockaudit belongs into a uv project"
            )

    def plan(self) -> Adoption:
        extras = self.extras()
        selection = self.side.select(self.target, Request(extras=extras, default_groups=False))
        compiled = compiled_packages(selection)
        self.describe(selection, extras, [package.label for package in compiled])
        self.pyproject(selection, extras, compiled=bool(compiled))
        self.prod(extras)
        self.dockerfile(selection, extras, [package.name for package in compiled])
        self.hook()
        self.ignore()
        return Adoption(
            files=tuple(file for file in self.files if file.changed),
            kept=tuple(self.kept),
            found=tuple(self.found),
            relock=tuple(dict.fromkeys(self.relock)),
        )

    def describe(self, selection: Selection, extras: tuple[str, ...], compiled: list[str]) -> None:
        self.found.append(f"the image runs {self.target}")
        for torch in selection.get("torch"):
            signal = cuda_of(selection.packages, self.target)
            through = f", through the extra {extras[0]}" if extras else ""
            cuda = f", CUDA {signal.cuda} (from {signal.evidence})" if signal else ""
            self.found.append(f"{torch.label}{cuda}{through}")
        self.found.append(f"compiled: {', '.join(compiled)}" if compiled else "nothing is compiled")

    def extras(self) -> tuple[str, ...]:
        """The extra that brings torch, where the project itself does not; of several, the first."""
        if self.side.select(self.target).get("torch"):
            return ()
        found = []
        for extra in known_extras(self.side.lock):
            try:
                selection = self.side.select(self.target, Request(extras=(extra,), default_groups=False))
            except SelectionError:
                continue
            if selection.get("torch"):
                found.append(extra)
        rivals = [extra for extra in found[1:] if extra in excluded_extras(self.side.lock, found[0])]
        if rivals:
            names = f"{', '.join([found[0], *rivals[:-1]])} and {rivals[-1]}"
            taken = f"{found[0]} is taken; [[tool.lockaudit.variant]] builds all of them"
            self.found.append(f"{names} exclude each other, and each has a torch: {taken}")
        return tuple(found[:1])

    def pyproject(self, selection: Selection, extras: tuple[str, ...], *, compiled: bool) -> None:
        project = self.side.project
        if project is None:
            raise AssertionError
        old = read_text(self.root / "pyproject.toml") or ""
        new = old
        table = settings_table(str(self.target), self.first_party(selection), extras)
        if "lockaudit" not in project.tables.get("tool", {}):
            new = appended(new, table)
        elif self.force:
            new = replaced(new, table)
        else:
            self.kept.append("pyproject.toml: [tool.lockaudit] is there already")
        if compiled and "wheel-build" not in project.groups:
            new = with_group(new)
            self.relock.append(".")
        elif compiled and not any("wheel-build" in each.groups for each in self.side.lock.roots):
            self.relock.append(".")  # the group is there, but the run that wrote it was killed before uv locked it
        claimed = self.claimed(project)
        if claimed:
            new = with_exclusions(new, claimed)
            self.found.append(f"the workspace's members match {' and '.join(claimed)}: excluded, else uv fails")
        self.files.append(Written(path="pyproject.toml", new=new, old=old))

    def claimed(self, project: Project) -> list[str]:
        """Folders that this makes and that the workspace would take for members."""
        made = ["docker"] if not (self.root / "docker").is_dir() else []
        if self.create_prod and not (self.root / "prod").is_dir():
            made.append("prod")
        workspace: Any = project.uv.get("workspace", {})
        members, excluded = (
            [pattern.removeprefix("./").rstrip("/") for pattern in workspace.get(key, [])]
            for key in ("members", "exclude")
        )
        return [
            name
            for name in made
            if any(fnmatchcase(name, pattern) for pattern in members)
            and not any(fnmatchcase(name, pattern) for pattern in excluded)
        ]

    def first_party(self, selection: Selection) -> list[str]:
        """Source trees of dev that prod takes from elsewhere."""
        prod = self.root / "prod" / "uv.lock"
        if not prod.is_file():
            return []
        trees = {package.name for package in selection.dependencies if package.source.kind in LOCAL_TREES}
        text = prod.read_text("utf-8", errors="replace")
        return sorted(name for name in trees if f'name = "{name}"' in text)

    def prod(self, extras: tuple[str, ...]) -> None:
        path = self.root / "prod" / "pyproject.toml"
        if path.exists():
            self.kept.append("prod/pyproject.toml is there already")
            lock = path.with_name("uv.lock")
            # A copy of the root's is where uv was to start from, in a run that was killed there.
            if not lock.exists() or read_text(lock) == self.side.lock.file.text:
                self.relock.append("prod")
        elif self.create_prod:
            self.files.append(Written(path="prod/pyproject.toml", new=self.prod_project(extras), old=None))
            self.relock.append("prod")
            if "project" not in self.tables():
                self.found.append("the root has no [project]: say in prod/pyproject.toml what the image installs")
            for name in self.left_out:
                self.found.append(f"{name} is a source tree: prod/ needs a release, a git tag or a wheel of it")

    def prod_project(self, extras: tuple[str, ...]) -> str:
        """The root's dependencies, and those of the chosen extra, with what decides where they come from."""
        import tomlkit  # noqa: PLC0415 - as above

        project = self.side.project
        if project is None:
            raise AssertionError
        tables: Any = project.tables
        root = tables.get("project", {})
        document = tomlkit.document()
        document.add(tomlkit.comment("The production image's environment. `lockaudit check` proves that its lock is a"))
        document.add(tomlkit.comment("consistent subset of the root's; remove what production does not need."))
        made = tomlkit.table()
        made.add("name", f"{project.name or 'app'}-prod")
        made.add("version", str(root.get("version", "0.1.0")))
        made.add("requires-python", project.requires_python or f">={self.target.python}")
        dependencies = tomlkit.array()
        sources, trees = self.prod_sources(extras)
        for text in self.wanted(extras):
            name = _name_of(text)
            if name in trees and name not in sources:
                self.left_out.append(name)
                dependencies.add_line(comment=f"{text}: a source tree of the root; add a release, a git tag or a wheel")
            else:
                dependencies.add_line(text)
        dependencies.add_line(indent="")
        made.add("dependencies", dependencies)
        document.add("project", made)
        uv = tomlkit.table()
        uv.add("package", False)  # noqa: FBT003 - tomlkit's signature
        for key in _INHERITED:
            if key in project.uv:
                uv.add(key, tomlkit.item(project.uv[key]))
        if sources:
            uv.add("sources", tomlkit.item(sources))
        tool = tomlkit.table(is_super_table=True)
        tool.add("uv", uv)
        document.add("tool", tool)
        return tomlkit.dumps(document)

    def wanted(self, extras: tuple[str, ...]) -> list[str]:
        """What prod requires: the root's dependencies and those of its chosen extras, which may name one another."""
        root: Any = self.tables().get("project", {})
        optional = {normalize(name): texts for name, texts in root.get("optional-dependencies", {}).items()}
        found: list[str] = []
        waiting, seen = list(root.get("dependencies", [])), set(extras)
        for extra in extras:
            waiting += optional.get(extra, [])
        while waiting:
            text = waiting.pop(0)
            if _name_of(text) != normalize(root.get("name", "")):
                found.append(text)
                continue
            for extra in sorted(map(normalize, Requirement(text).extras)):  # the project itself, with other extras
                if extra not in seen:
                    seen.add(extra)
                    waiting += optional.get(extra, [])
        return list(dict.fromkeys(found))

    def prod_sources(self, extras: tuple[str, ...]) -> tuple[dict[str, Any], set[str]]:
        """The root's sources that mean something in prod, and the packages that are source trees of the root.

        A choice of another extra or of a group means nothing there, nor does a path, which prod would not have.
        """
        project = self.side.project
        found: dict[str, Any] = {}
        trees: set[str] = set()
        for name, value in (project.uv.get("sources", {}) if project is not None else {}).items():
            choices = value if isinstance(value, list) else [value]
            fitting = []
            for choice in choices:
                if "group" in choice or choice.get("extra", next(iter(extras), None)) not in {None, *extras}:
                    continue
                if choice.keys() & {"workspace", "path"}:
                    trees.add(normalize(name))
                else:
                    fitting.append({key: item for key, item in choice.items() if key != "extra"})
            if fitting:
                found[normalize(name)] = fitting if len(fitting) > 1 else fitting[0]
        return found, trees - found.keys()

    def dockerfile(self, selection: Selection, extras: tuple[str, ...], compiled: list[str]) -> None:
        if (self.root / DOCKERFILE).exists() and not self.force:
            self.kept.append(f"{DOCKERFILE} is there already")
            return
        values = {
            "PYTHON_VERSION": self.target.python,
            "DEV_SELECTION": f'"{" ".join(f"--extra {extra}" for extra in extras)}"',
            "PROD_SELECTION": '""',
            "COMPILED": f'"{" ".join(compiled)}"',
            "IMPORTS": f'"{" ".join(self.imports(selection, compiled))}"',
        }
        cmake = (
            self.side.lock.by_name.get("cmake", ())
            if "wheel-build" in self.tables().get("dependency-groups", {})
            else ()
        )
        if len(cmake) == 1:  # the build checks that its CMake is the one of this ARG
            values["CMAKE_VERSION"] = str(cmake[0].version)
        signal = cuda_of(selection.packages, self.target)
        text = template()
        ubuntu = re.search(r"^ARG UBUNTU_VERSION=(.*)$", text, re.MULTILINE)
        image = newest_patch(str(signal.cuda), ubuntu[1]) if signal and ubuntu else None
        if image is not None:
            values["CUDA_VERSION"] = image[0]
            if not image[1]:  # `cudnn-devel` does not exist there: older releases write `cudnn8`
                values["CUDA_VARIANT"] = "runtime"
        for name, value in values.items():
            text = re.sub(rf"^ARG {name}=.*$", f"ARG {name}={value}", text, flags=re.MULTILINE)
        self.files.append(Written(path=DOCKERFILE, new=text, old=read_text(self.root / DOCKERFILE)))

    def tables(self) -> Mapping[str, Any]:
        """The root's pyproject.toml, as read."""
        return self.side.project.tables if self.side.project is not None else {}

    def imports(self, selection: Selection, compiled: list[str]) -> list[str]:
        torch = ["torch"] if selection.get("torch") else []
        return torch + [module for name in compiled for module in modules(name, ())]

    def hook(self) -> None:
        old = read_text(self.root / HOOKS)
        if old is not None and _HOOK.search(old):
            self.kept.append(f"{HOOKS} has lockaudit's hooks already")
            return
        lines = (
            f"- repo: {_REPOSITORY}",
            f"  rev: v{self.version}",
            "  hooks:",
            "    - id: lockaudit-check",
            "    - id: lockaudit-bake",
        )
        if old is None or not old.strip():
            new = "repos:\n" + "".join(f"  {line}\n" for line in lines)
        elif found := _REPOS.search(old):
            entry = "".join(f"{found['indent']}{line}\n" for line in lines)
            at = found.start("indent")
            new = old[:at] + same_endings(entry, old) + old[at:]
        else:
            self.kept.append(f"{HOOKS} has no plain `repos:` list: add lockaudit's hooks by hand")
            return
        self.files.append(Written(path=HOOKS, new=new, old=old))

    def ignore(self) -> None:
        if (self.root / IGNORE).exists() and not self.force:
            self.kept.append(f"{IGNORE} is there already")
            return
        text = template(".dockerignore")
        self.files.append(Written(path=IGNORE, new=text, old=read_text(self.root / IGNORE)))


def _name_of(requirement: str) -> str:
    """The normalised name of a requirement, or an empty string where it is not one."""
    try:
        return normalize(Requirement(requirement).name)
    except InvalidRequirement:
        return ""


def template(name: str = "Dockerfile-uv") -> str:
    """A file that lockaudit ships: from the installed package, else from the repository that this is."""
    package = Path(__file__).resolve().parents[1]
    root = package.parent
    places = (package / "templates" / name, root / "docker" / name, root / name)
    for place in places:
        if place.is_file():
            return place.read_text("utf-8")
    raise InputError(f"this installation has no {name}", hint="install lockaudit again")
