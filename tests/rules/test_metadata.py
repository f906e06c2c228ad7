"""LA301, LA302 and LA310: a lock belongs to its project, and its edges to its own metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.cases import Case, ids, verify
from tests.rules.project_case import ProjectCase, project, requirement, with_metadata
from tests.rules.specimens import INDEX, edge, lock, package, plain, registry, root

if TYPE_CHECKING:
    from pathlib import Path

FILELOCK = package("filelock")
IDNA = package("idna")
CU124 = "https://download.example/whl/cu124"
LINUX = "sys_platform == 'linux'"
INDEXES = """
[tool.uv.sources]
torch = [{ index = "cu124", extra = "gpu" }]
core = { git = "https://git.example/core.git", tag = "v1", marker = "sys_platform == 'linux'" }
tool = { path = "../tool", editable = true }

[[tool.uv.index]]
name = "cu124"
url = "https://user:secret@download.example/whl/cu124/"
explicit = true
"""
GROUPS = """
[dependency-groups]
dev = ["idna", { include-group = "Lint" }]
lint = ["filelock"]
"""


def stale(name: str, prod: str, prod_project: str, *found: str, files: tuple[tuple[str, str], ...] = ()) -> ProjectCase:
    """A case of LA301 about prod; dev is a project without dependencies."""
    return ProjectCase(
        rule="LA301",
        name=name,
        dev=lock(root()),
        dev_project=project(),
        prod=prod,
        prod_project=prod_project,
        found=tuple(f"error[LA301] {text}" for text in found),
        files=files,
        select=("LA301",),
    )


def of_app(*requires: str, extras: tuple[str, ...] = (), groups: dict[str, tuple[str, ...]] | None = None) -> str:
    """A lock whose metadata asks for these; there are no edges, which LA301 does not look at."""
    return lock(with_metadata(root(), *requires, extras=extras, groups=groups))


def same(name: str, prod: str, prod_project: str) -> ProjectCase:
    """A lock that belongs to its project."""
    return stale(f"not stale: {name}", prod, prod_project)


def headed(text: str) -> str:
    """A lock without dependencies, with something above its entry."""
    return lock(root(), top=f"\n{text}\n")


REQUIRES = "app prod/uv.lock: requires-dist = ["
FILELOCK_2 = requirement("filelock", ">=2")

STALE = (
    stale("another specifier", of_app(requirement("filelock", ">=1")), project("filelock>=2"), REQUIRES),
    stale("a dependency that the lock does not know", of_app(FILELOCK_2), project("filelock>=2", "idna"), REQUIRES),
    stale("a dependency that is gone", of_app(FILELOCK_2, requirement("idna")), project("filelock>=2"), REQUIRES),
    stale("a marker", of_app(requirement("idna")), project(f"idna; {LINUX}"), REQUIRES),
    stale("an extra of a dependency", of_app(requirement("idna")), project("idna[all]"), REQUIRES),
    stale(
        "another index",
        of_app(requirement("torch", index="https://other.example/simple", marker="extra == 'gpu'"), extras=("gpu",)),
        project(more='\n[project.optional-dependencies]\ngpu = ["torch"]\n' + INDEXES),
        REQUIRES,
    ),
    stale(
        "another tag",
        of_app(
            requirement("core", git="https://git.example/core.git?tag=v2", marker=LINUX),
            requirement("core", marker="sys_platform != 'linux'"),
        ),
        project("core", more=INDEXES),
        REQUIRES,
    ),
    stale(
        "an extra",
        of_app(requirement("idna", marker="extra == 'a'"), extras=("a",)),
        project(more='\n[project.optional-dependencies]\na = ["idna"]\nb = []\n'),
        "app prod/uv.lock: provides-extras = ['a']",
    ),
    stale(
        "a group",
        of_app(groups={"dev": (requirement("idna"),), "lint": (requirement("filelock"),)}),
        project(more=GROUPS),
        "app prod/uv.lock: dev = [",
    ),
    stale(
        "a group that is gone",
        of_app(groups={"docs": (requirement("idna"),)}),
        project(),
        "app prod/uv.lock: docs = [",
    ),
    stale(
        "another Python", lock(root()), project(requires_python=">=3.13"), '- prod/uv.lock: requires-python = ">=3.12"'
    ),
    stale(
        "an upper bound",
        lock(root()),
        project(requires_python=">=3.12,<3.14"),
        '- prod/uv.lock: requires-python = ">=3.12"',
    ),
    stale(
        "another version of the project", lock(root()), project(version="0.2.0"), 'app prod/uv.lock: version = "0.1.0"'
    ),
    stale(
        "the project is built now",
        lock(root()),
        project(more='\n[build-system]\nrequires = ["hatchling"]\n'),
        'app prod/uv.lock: source = { virtual = "." }',
    ),
    stale("another project", lock(root()), project(name="other"), "- prod/uv.lock: version = 1"),
    stale(
        "a constraint of a package that is locked",
        plain(FILELOCK).replace("revision = 3", "revision = 4"),
        project("filelock", more='\n[tool.uv]\nconstraint-dependencies = ["filelock<2"]\n'),
        "- prod/uv.lock: version = 1",
    ),
    stale(
        "an override that is gone",
        headed('[manifest]\noverrides = [{ name = "idna", specifier = "<4" }]'),
        project(),
        '- prod/uv.lock: overrides = [{ name = "idna", specifier = "<4" }]',
    ),
    stale(
        "an exclusion that is gone",
        headed('[manifest]\nexcludes = ["idna"]'),
        project(),
        '- prod/uv.lock: excludes = ["idna"]',
    ),
    stale(
        "a build constraint",
        lock(root()),
        project(more='\n[tool.uv]\nbuild-constraint-dependencies = ["setuptools<80"]\n'),
        "- prod/uv.lock: version = 1",
    ),
    stale(
        "static metadata",
        headed('[[manifest.dependency-metadata]]\nname = "idna"\nversion = "1.0"\nrequires-dist = ["filelock"]'),
        project(more='\n[[tool.uv.dependency-metadata]]\nname = "idna"\nversion = "1.0"\nrequires-dist = []\n'),
        "- prod/uv.lock: [[manifest.dependency-metadata]]",
    ),
    stale(
        "environments",
        headed("supported-markers = [\n    \"sys_platform == 'linux'\",\n]"),
        project(more="\n[tool.uv]\nenvironments = [\"sys_platform == 'darwin'\"]\n"),
        "- prod/uv.lock: supported-markers = [",
    ),
    stale(
        "required environments",
        lock(root()),
        project(more="\n[tool.uv]\nrequired-environments = [\"sys_platform == 'darwin'\"]\n"),
        "- prod/uv.lock: version = 1",
    ),
    stale(
        "conflicts",
        lock(root()),
        project(more='\n[tool.uv]\nconflicts = [[{ extra = "a" }, { group = "b" }]]\n'),
        "- prod/uv.lock: version = 1",
    ),
    stale(
        "default groups",
        lock(root()).replace("revision = 3", "revision = 5"),
        project(more='\n[tool.uv]\ndefault-groups = ["docs"]\n'),
        "app prod/uv.lock: [[package]]",
    ),
    stale(
        "a member that is gone",
        headed('[manifest]\nmembers = [\n    "app",\n    "gone",\n]'),
        project(more='\n[tool.uv.workspace]\nmembers = ["packages/*"]\n'),
        "- prod/uv.lock: members = [",
    ),
    stale(
        "a member that is new",
        lock(root()),
        project(more='\n[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/old*"]\n'),
        "- prod/uv.lock: version = 1",
        files=(
            ("prod/packages/new/pyproject.toml", project(name="new")),
            ("prod/packages/older/pyproject.toml", project(name="older")),
        ),
    ),
    stale(
        "the dependencies of a member",
        lock(
            root(),
            with_metadata(package("core", "0.1.0", source='virtual = "packages/core"'), requirement("idna")),
            top='\n[manifest]\nmembers = [\n    "app",\n    "core",\n]\n',
        ),
        project(more='\n[tool.uv.workspace]\nmembers = ["packages/*"]\n'),
        "core prod/uv.lock: requires-dist = [",
        files=(("prod/packages/core/pyproject.toml", project("filelock", name="core")),),
    ),
    stale(
        "a group of a root without a project",
        lock(top='\n[manifest]\n\n[manifest.dependency-groups]\ndev = [{ name = "idna" }]\n'),
        '[dependency-groups]\ndev = ["filelock"]\n',
        "- prod/uv.lock: [manifest.dependency-groups]",
    ),
)

SAME = (
    same(
        "spelling, order, repetition",
        of_app(requirement("file-lock", ">=1.0,<2"), requirement("idna", marker="python_full_version >= '3.13'")),
        project("Idna ; python_version>='3.13'", "File_Lock <2, >=1", "file.lock>=1.0.0,<2.0"),
    ),
    same(
        "what requires-python implies",
        of_app(requirement("idna"), requirement("filelock", marker=LINUX)),
        project("idna; python_version >= '3.9'", f"filelock; {LINUX} and python_full_version >= '3.12'"),
    ),
    same(
        "sources of an extra, and for a platform",
        of_app(
            requirement("core", git="https://git.example/core?tag=v1", marker=LINUX),
            requirement("core", ">=1", marker="sys_platform != 'linux'"),
            requirement("tool", editable="../tool"),
            requirement("torch", index="https://download.example/whl/cu124", marker="extra == 'gpu'"),
            requirement("torch", ">=2"),
            extras=("gpu",),
        ),
        project("core>=1", "tool", "torch>=2", more='\n[project.optional-dependencies]\ngpu = ["torch"]\n' + INDEXES),
    ),
    same(
        "included groups",
        of_app(groups={"dev": (requirement("filelock"), requirement("idna")), "lint": (requirement("filelock"),)}),
        project(more=GROUPS),
    ),
    same(
        "the old spelling of a group",
        of_app(groups={"dev": (requirement("idna"),)}),
        project(more='\n[tool.uv]\ndev-dependencies = ["idna"]\n'),
    ),
    same(
        "dynamic dependencies",
        of_app(requirement("idna")),
        project().replace("dependencies = [\n]", 'dynamic = ["dependencies", "optional-dependencies"]'),
    ),
    same(
        "dependencies of which only uv can read the source",
        of_app(requirement("idna"), requirement("core", path="/srv/core-1.0.tar.gz")),
        project("idna", "core", more='\n[tool.uv.sources]\ncore = { path = "/srv/core-1.0.tar.gz" }\n'),
    ),
    same("a hole in requires-python", lock(root()), project(requires_python=">=3.12,!=3.12.1")),
    same(
        "another spelling of the bounds", lock(root(), requires_python="==3.12.*"), project(requires_python="~=3.12.0")
    ),
    same(
        "constraints of what is not locked",
        lock(root()),
        project(
            more='\n[tool.uv]\nconstraint-dependencies = ["sphinx<8"]\noverride-dependencies = ["sphinx<8"]\n'
            'exclude-dependencies = ["sphinx"]\n'
        ),
    ),
    same(
        "constraints that are there",
        headed(
            '[manifest]\nconstraints = [{ name = "idna", specifier = "<4" }]\n'
            'build-constraints = [{ name = "setuptools", specifier = "<80" }]\nexcludes = ["nose"]'
        ),
        project(
            more='\n[tool.uv]\nconstraint-dependencies = ["Idna <4"]\nexclude-dependencies = ["nose"]\n'
            'build-constraint-dependencies = ["setuptools<80"]\n'
        ),
    ),
    same(
        "environments in another spelling",
        headed("supported-markers = [\n    \"python_full_version < '3.13' and sys_platform == 'linux'\",\n]"),
        project(more="\n[tool.uv]\nenvironments = \"'linux' == sys_platform and python_version < '3.13'\"\n"),
    ),
    same(
        "conflicts in another order",
        headed('conflicts = [[\n    { package = "app", group = "b" },\n    { package = "app", extra = "a" },\n]]'),
        project(more='\n[tool.uv]\nconflicts = [[{ extra = "a" }, { group = "b" }]]\n'),
    ),
    same(
        "revision 0 has no extras",
        of_app().replace("revision = 3\n", ""),
        project(more="\n[project.optional-dependencies]\na = []\n"),
    ),
    same(
        "a lock without metadata",
        lock(root(needs=["idna"]), IDNA).replace("revision = 3", "revision = 4"),
        project("idna>=1"),
    ),
    same(
        "an extra that names others, written out by a backend",
        lock(
            with_metadata(
                root().replace('version = "0.1.0"\n', ""),
                requirement("idna", marker="extra == 'a'"),
                requirement("idna", marker="extra == 'all'"),
                extras=("a", "all"),
            )
        ),
        project(more='\n[project.optional-dependencies]\na = ["idna"]\nall = ["app[a]"]\n').replace(
            'version = "0.1.0"', 'dynamic = ["version"]'
        ),
    ),
    same(
        "a workspace",
        lock(
            with_metadata(root(needs=["core"]), requirement("core", virtual="packages/core")),
            package("core", "0.1.0", source='virtual = "packages/core"'),
            top='\n[manifest]\nmembers = [\n    "app",\n    "core",\n]\n',
        ),
        project(
            "core",
            more='\n[tool.uv.workspace]\nmembers = ["packages/*"]\n\n[tool.uv.sources]\ncore = { workspace = true }\n',
        ),
    ),
)
WORKSPACE = SAME[-1]


def contradiction(name: str, prod: str, *found: str, prod_project: str = "", config: str = "") -> ProjectCase:
    """A case of LA302 about prod; dev has no dependencies."""
    return ProjectCase(
        rule="LA302",
        name=name,
        dev=lock(root()),
        prod=prod,
        prod_project=prod_project,
        config=config,
        found=tuple(f"error[LA302] {text}" for text in found),
        select=("LA302",),
    )


def asking(
    *requires: str,
    needs: tuple[str, ...] = (),
    extras: dict[str, tuple[str, ...]] | None = None,
    groups: dict[str, tuple[str, ...]] | None = None,
    asked: dict[str, tuple[str, ...]] | None = None,
    packages: tuple[str, ...] = (FILELOCK, IDNA),
    top: str = "",
) -> str:
    """A lock whose root asks for `requires` (groups: `asked`) and has these edges."""
    head = root(needs=needs, groups=groups)
    for title, edges in (extras or {}).items():
        listed = "".join(f"    {each if each.startswith('{') else edge(each)},\n" for each in edges)
        head += f"\n[package.optional-dependencies]\n{title} = [\n{listed}]\n"
    return lock(with_metadata(head, *requires, groups=asked), *packages, top=top)


TORCH = (
    package("torch", "2.6.0"),
    package("torch", "2.6.0+cu124", source=registry(CU124)),
)


def torch(version: str, url: str = INDEX, marker: str = LINUX) -> str:
    """An edge to one of the two."""
    return f'{{ name = "torch", version = "{version}", source = {{ {registry(url)} }}, marker = "{marker}" }}'


EXTRA_A = requirement("idna", marker="extra == 'a'")
NEVER = '\n[manifest]\noverrides = [{ name = "idna", marker = "sys_platform == \'never\'" }]\n'

CONTRADICTIONS = (
    contradiction(
        "an edge that is not there",
        asking(requirement("filelock"), requirement("idna"), needs=("filelock",)),
        "idna prod/uv.lock: requires-dist = [",
    ),
    contradiction(
        "an edge that nothing asks for",
        asking(requirement("filelock"), needs=("filelock", "idna")),
        'idna prod/uv.lock: { name = "idna" },',
    ),
    contradiction(
        "a version below its specifier",
        asking(requirement("filelock", ">=1.1"), needs=("filelock",)),
        'filelock prod/uv.lock: version = "1.0"',
    ),
    contradiction(
        "a version below its specifier, asked for by a group",
        asking(
            groups={"dev": ("filelock",)},
            asked={"dev": (requirement("filelock", "==1.1"),)},
        ),
        'filelock prod/uv.lock: version = "1.0"',
    ),
    contradiction(
        "an edge of an extra",
        asking(EXTRA_A, requirement("filelock", marker="extra == 'a'"), extras={"a": ("idna",)}),
        "filelock prod/uv.lock: requires-dist = [",
    ),
    contradiction(
        "all edges of an extra",
        asking(EXTRA_A, needs=()),
        "idna prod/uv.lock: requires-dist = [",
    ),
    contradiction(
        "an edge of a group",
        asking(groups={"dev": ("idna",)}, asked={"dev": (requirement("idna"), requirement("filelock"))}),
        "filelock prod/uv.lock: [[package]]",
    ),
    contradiction(
        "an edge for one platform of two",
        asking(
            requirement("torch"),
            needs=(torch("2.6.0"),),
            packages=TORCH,
        ),
        f"torch prod/uv.lock: {torch('2.6.0')},",
    ),
    contradiction(
        "another index than the one asked for",
        asking(requirement("torch", index="https://other.example/simple"), needs=("torch",), packages=TORCH[:1]),
        f"torch prod/uv.lock: source = {{ {registry(INDEX)} }}",
    ),
    contradiction(
        "another repository than the one asked for",
        asking(
            requirement("core", git="https://git.example/core?tag=v1"),
            needs=("core",),
            packages=(package("core", source=f'git = "https://evil.example/core?tag=v1#{"a" * 40}"'),),
        ),
        f'core prod/uv.lock: source = {{ git = "https://evil.example/core?tag=v1#{"a" * 40}" }}',
    ),
    contradiction(
        "an extra that the edge lacks",
        asking(
            requirement("requests", extras="socks"),
            needs=("requests",),
            packages=(IDNA, package("requests") + '\n[package.optional-dependencies]\nsocks = [{ name = "idna" }]\n'),
        ),
        'requests prod/uv.lock: { name = "requests" },',
    ),
    contradiction(
        "an extra that nobody asked for",
        asking(
            requirement("requests"),
            needs=(edge("requests", extra="socks"),),
            packages=(IDNA, package("requests") + '\n[package.optional-dependencies]\nsocks = [{ name = "idna" }]\n'),
        ),
        'requests prod/uv.lock: { name = "requests", extra = ["socks"] },',
    ),
    contradiction(
        "a constraint",
        asking(
            requirement("filelock"),
            needs=("filelock",),
            top='\n[manifest]\nconstraints = [{ name = "filelock", specifier = "<1" }]\n',
        ),
        'filelock prod/uv.lock: version = "1.0"',
    ),
    contradiction(
        "an override",
        asking(
            requirement("idna"),
            needs=("idna",),
            top='\n[manifest]\noverrides = [{ name = "filelock", specifier = ">1" }]\n',
        ),
        'filelock prod/uv.lock: version = "1.0"',
    ),
    contradiction(
        "a lock without metadata is compared with the project",
        lock(root(needs=["idna"]), FILELOCK, IDNA).replace("revision = 3", "revision = 4"),
        "filelock prod/uv.lock: [[package]]",
        prod_project=project("filelock", "idna"),
    ),
)

CONSISTENT = (
    contradiction(
        "none: everything as asked",
        asking(requirement("filelock", ">=1"), EXTRA_A, needs=("filelock",), extras={"a": ("idna",)}),
    ),
    contradiction(
        "none: two edges for two platforms",
        asking(
            requirement("torch", "==2.6.0"),
            needs=(torch("2.6.0", marker="sys_platform != 'linux'"), torch("2.6.0+cu124", CU124)),
            packages=TORCH,
        ),
    ),
    contradiction(
        "none: a requirement for a Python that the lock is not for",
        asking(requirement("filelock"), requirement("idna", marker="python_full_version < '3.9'"), needs=("filelock",)),
    ),
    contradiction(
        "none: a requirement outside of the lock's environments",
        asking(
            requirement("filelock"),
            requirement("idna", marker="sys_platform == 'win32'"),
            needs=("filelock",),
            top=f'resolution-markers = [\n    "{LINUX}",\n]\n',
        ),
    ),
    contradiction("none: an override takes a dependency away", asking(requirement("idna"), top=NEVER)),
    contradiction(
        "none: an override admits another version",
        asking(
            requirement("idna", ">=2"),
            needs=("idna",),
            top='\n[manifest]\noverrides = [{ name = "idna", specifier = "<2" }]\n',
        ),
    ),
    contradiction(
        "none: an exclusion takes a dependency away",
        asking(requirement("idna"), top='\n[manifest]\nexcludes = ["idna"]\n'),
    ),
    contradiction(
        "none: rules for one package's dependencies are uv's",
        asking(
            requirement("idna", ">=2"),
            needs=("idna",),
            top='\n[manifest]\noverrides = [{ package = "app", dependencies = [{ name = "idna" }] }]\n',
        ),
    ),
    contradiction(
        "none: an extra that names another",
        asking(
            EXTRA_A,
            requirement("app", extras="a", marker="extra == 'all'"),
            extras={"a": ("idna",), "all": ("idna",)},
        ).replace("\n[package.optional-dependencies]\nall", "all"),
    ),
    contradiction(
        "none: one requirement of two platforms of an extra",
        asking(
            requirement(
                "idna", marker="(sys_platform == 'linux' and extra == 'a') or (os_name == 'nt' and extra == 'a')"
            ),
            extras={"a": (edge("idna", marker="sys_platform == 'linux' or os_name == 'nt'"),)},
        ),
    ),
    contradiction(
        "none: a local version where the specifier names none",
        asking(requirement("torch", "==2.6.0"), needs=("torch",), packages=TORCH[1:]),
    ),
    contradiction(
        "none: conflicting extras, each with its torch",
        asking(
            requirement("torch", "==2.6.0", marker="extra == 'cpu'"),
            requirement("torch", "==2.6.0", index=CU124, marker="extra == 'gpu'"),
            extras={
                "cpu": (torch("2.6.0", marker="extra == 'extra-3-app-cpu'"),),
                "gpu": (torch("2.6.0+cu124", CU124, marker="extra == 'extra-3-app-gpu'"),),
            },
            packages=TORCH,
            top='conflicts = [[{ package = "app", extra = "cpu" }, { package = "app", extra = "gpu" }]]\n',
        ).replace("\n[package.optional-dependencies]\ngpu", "gpu"),
        config='[tool.lockaudit.prod]\nextras = ["gpu"]\n',
    ),
    contradiction(
        "none: a project that nothing is known of",
        lock(root(needs=["idna"]), IDNA).replace("revision = 3", "revision = 4"),
        prod_project=project().replace("dependencies = [\n]", 'dynamic = ["dependencies"]'),
    ),
    contradiction(
        "none: a folder whose groups are its own",
        lock(
            with_metadata(root(needs=["core"]), requirement("core", directory="core")),
            with_metadata(package("core", source='directory = "core"'), groups={"dev": (requirement("idna"),)}),
        ),
    ),
)
SOCKS = package("requests") + '\n[package.optional-dependencies]\nsocks = [{ name = "idna" }]\n'


def with_extra(*needs: str, entry: str = SOCKS) -> Case:
    """A case of LA310 about prod, with an edge to `requests[socks]`."""
    prod = lock(root(needs=[edge("requests", extra="socks"), *needs]), IDNA, entry)
    return Case(rule="LA310", name="an extra that is there", dev=prod, prod=prod, select=("LA310",))


CASES: tuple[Case, ...] = (
    *STALE,
    *(each for each in SAME if each is not WORKSPACE),
    ProjectCase(
        rule="LA301",
        name=WORKSPACE.name,
        dev=WORKSPACE.dev,
        dev_project=WORKSPACE.dev_project,
        prod=WORKSPACE.prod,
        prod_project=WORKSPACE.prod_project,
        files=(("prod/packages/core/pyproject.toml", project(name="core")),),
        select=("LA301",),
    ),
    *CONTRADICTIONS,
    *CONSISTENT,
    Case(
        rule="LA310",
        name="an extra that is not there",
        dev=plain(FILELOCK),
        prod=lock(root(needs=[edge("filelock", extra="gpu")]), FILELOCK),
        found=('warning[LA310] filelock prod/uv.lock: { name = "filelock", extra = ["gpu"] },',),
        select=("LA310",),
    ),
    Case(
        rule="LA310",
        name="an extra of a transitive dependency",
        dev=plain(FILELOCK),
        prod=lock(root(needs=["filelock"]), package("filelock", needs=[edge("idna", extra="all")]), IDNA),
        found=('warning[LA310] idna prod/uv.lock: { name = "idna", extra = ["all"] },',),
        select=("LA310",),
    ),
    with_extra(),
)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)
