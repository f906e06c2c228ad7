"""LA112, LA113, LA115 to LA117: both locks were resolved alike, and prod can be installed from prod alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.cases import Case, ids, verify
from tests.rules.specimens import INDEX, digest, edge, lock, package, plain, registry, root

if TYPE_CHECKING:
    from pathlib import Path

SHA = "a" * 40
MIRROR = "https://mirror.example/simple"
HASHED = f'{{ hash = "{digest("core")}" }}'
FILELOCK = package("filelock")
IDNA = package("idna")
GROUPED = """
[package.dev-dependencies]
dev = [{ name = "sphinx" }]
"""


def options(text: str) -> str:
    """A lock of one package with options."""
    return plain(FILELOCK, top=f"\n[options]\n{text}\n")


def manifest(text: str, *packages: str) -> str:
    """A lock with a manifest."""
    return plain(*(packages or (FILELOCK,)), top=f"\n[manifest]\n{text}\n")


def needing(*names: str, top: str = "", version: str = "1.0") -> str:
    """A lock whose project needs requests, and requests these; all are there."""
    requests = package("requests", version, needs=names)
    return lock(root(needs=["requests", "filelock", "idna"]), FILELOCK, IDNA, requests, top=top)


def from_git(reference: str, version: str | None = "1.2.0", sha: str = SHA) -> str:
    """A lock of a package from git."""
    return plain(package("core", version, source=f'git = "https://git.example/core{reference}#{sha}"'))


def from_place(source: str, name: str = "core") -> str:
    """A lock of a package from a path."""
    return plain(package(name, "0.1.0", source=source))


def of_git(place: str) -> tuple[str, ...]:
    """A finding at the source of the package from git."""
    return (f'warning[LA117] core prod/uv.lock: source = {{ git = "https://git.example/core{place}#{SHA}" }}',)


def numpy(version: str, marker: str) -> str:
    """An edge to one of two numpys."""
    return f'{{ name = "numpy", version = "{version}", source = {{ {registry(INDEX)} }}, marker = "{marker}" }}'


# Both numpys hold on the target.
TWICE = lock(
    root(needs=[numpy("1.0", "os_name == 'posix'"), numpy("2.0", "sys_platform == 'linux'")]),
    package("numpy", "1.0"),
    package("numpy", "2.0"),
)
FORKED = lock(
    root(
        needs=[numpy("1.0", "python_full_version < '3.12'"), numpy("2.0", "python_full_version >= '3.12'")],
    ),
    package("numpy", "1.0"),
    package("numpy", "2.0"),
    requires_python=">=3.11",
)
BY_EXTRA = """
[package.optional-dependencies]
socks = [{ name = "idna" }]
"""

CASES = (
    # -- LA112 --------------------------------------------------------------------------------------------------
    Case(
        rule="LA112",
        name="a constraint that dev has alone",
        dev=manifest('constraints = [{ name = "filelock", specifier = "<2" }]'),
        prod=manifest(""),
        found=("warning[LA112] filelock prod/uv.lock: [manifest]",),
    ),
    Case(
        rule="LA112",
        name="a constraint that holds dev back",
        dev=manifest('constraints = [{ name = "filelock", specifier = "<1.1" }]'),
        prod=plain(package("filelock", "1.1")),
        found=(
            "warning[LA112] filelock prod/uv.lock: version = 1",
            'error[LA103] filelock prod/uv.lock: version = "1.1"',
        ),
    ),
    Case(
        rule="LA112",
        name="a cut-off date",
        dev=options('exclude-newer = "2026-01-01T00:00:00Z"'),
        prod=options('exclude-newer = "2026-02-01T00:00:00Z"'),
        found=('warning[LA112] - prod/uv.lock: exclude-newer = "2026-02-01T00:00:00Z"',),
    ),
    Case(
        rule="LA112",
        name="a cut-off that prod lacks",
        dev=options('exclude-newer = "2026-01-01T00:00:00Z"'),
        prod=plain(FILELOCK),
        found=('warning[LA112] - prod/uv.lock: requires-python = ">=3.12"',),
    ),
    Case(
        rule="LA112",
        name="the same span, whatever the placeholder says",
        dev=options('exclude-newer = "2026-01-01T00:00:00Z"\nexclude-newer-span = "P7D"'),
        prod=options('exclude-newer = "0001-01-01T00:00:00Z"\nexclude-newer-span = "P7D"'),
    ),
    Case(
        rule="LA112",
        name="another span",
        dev=options('exclude-newer = "0001-01-01T00:00:00Z"\nexclude-newer-span = "P7D"'),
        prod=options('exclude-newer = "0001-01-01T00:00:00Z"\nexclude-newer-span = "P8D"'),
        found=('warning[LA112] - prod/uv.lock: exclude-newer = "0001-01-01T00:00:00Z"',),
    ),
    Case(
        rule="LA112",
        name="one package may be newer",
        dev=options("exclude-newer-package = { filelock = false }"),
        prod=options('exclude-newer-package = { filelock = "2026-01-01T00:00:00Z" }'),
        found=("warning[LA112] - prod/uv.lock: [options]",),
    ),
    Case(
        rule="LA112",
        name="a package that prod does not lock may be newer",
        dev=options("exclude-newer-package = { sphinx = false }"),
        prod=plain(FILELOCK),
    ),
    *(
        Case(
            rule="LA112",
            name=f"another {key}",
            dev=options(f'{key} = "{one}"'),
            prod=options(f'{key} = "{other}"'),
            found=(f'warning[LA112] - prod/uv.lock: {key} = "{other}"',),
        )
        for key, one, other in (
            ("resolution-mode", "lowest", "lowest-direct"),
            ("prerelease-mode", "allow", "disallow"),
            ("fork-strategy", "fewest", "requires-python"),
            ("minimum-libc-version", "glibc-2.28", "glibc-2.35"),
        )
    ),
    Case(
        rule="LA112",
        name="the same constraint in another order and spelling of the name",
        dev=manifest('constraints = [{ name = "File_Lock", specifier = "<2" }, { name = "idna" }]'),
        prod=manifest('constraints = [{ name = "idna" }, { name = "file-lock", specifier = "<2" }]'),
    ),
    *(
        Case(rule="LA112", name=f"the same {what} in other words", dev=manifest(one), prod=manifest(other))
        for what, one, other in (
            (
                "constraint",
                'constraints = [{ name = "filelock", specifier = ">=3.12,<4", marker = "os_name == \'nt\'" }]',
                'constraints = [{ name = "filelock", specifier = "< 4.0, >= 3.12", marker = "\'nt\'==os_name" }]',
            ),
            (
                "constraint, its marker simplified for prod's Pythons,",
                'constraints = [{ name = "filelock", specifier = "<4", marker = "python_full_version >= \'3.10\'" }]',
                'constraints = [{ name = "filelock", specifier = "<4" }]',
            ),
            (
                "pair of constraints",
                'constraints = [{ name = "filelock", specifier = "<4" }, { name = "filelock", specifier = ">=1" }]',
                'constraints = [{ name = "filelock", specifier = ">=1.0" }, { name = "filelock", specifier = "<4" }]',
            ),
            (
                "override",
                'overrides = [{ name = "filelock", specifier = "==1.0", marker = "os_name == \'nt\'" }]',
                'overrides = [{ name = "filelock", specifier = "==1.0.0", marker = "os_name==\'nt\'" }]',
            ),
            (
                "build constraint",
                'build-constraints = [{ name = "setuptools", specifier = ">= 75, < 81" }]',
                'build-constraints = [{ name = "setuptools", specifier = "<81,>=75" }]',
            ),
            (
                "static metadata",
                'dependency-metadata = [{ name = "filelock", version = "1.0", requires-dist = ["idna >= 3"] }]',
                'dependency-metadata = [{ name = "Filelock", version = "1", requires-dist = ["idna>=3.0"] }]',
            ),
            (
                "static Python",
                'dependency-metadata = [{ name = "filelock", version = "1.0", requires-python = ">=3.8" }]',
                'dependency-metadata = [{ name = "filelock", version = "1.0", requires-python = ">= 3.8.0" }]',
            ),
        )
    ),
    *(
        Case(
            rule="LA112",
            name=f"another {what}",
            dev=manifest(one),
            prod=manifest(other),
            found=(f"warning[LA112] filelock prod/uv.lock: {other}",),
        )
        for what, one, other in (
            (
                "marker of a constraint",
                'constraints = [{ name = "filelock", specifier = "<4", marker = "os_name == \'nt\'" }]',
                'constraints = [{ name = "filelock", specifier = "<4", marker = "os_name == \'posix\'" }]',
            ),
            (
                "operator of a constraint",
                'constraints = [{ name = "filelock", specifier = "<4" }]',
                'constraints = [{ name = "filelock", specifier = "<=4" }]',
            ),
            (
                "source of an override",
                'overrides = [{ name = "filelock", git = "https://git.example/a?tag=v1" }]',
                'overrides = [{ name = "filelock", git = "https://git.example/a?tag=v2" }]',
            ),
            (
                "static Python",
                'dependency-metadata = [{ name = "filelock", version = "1.0", requires-python = ">=3.8" }]',
                'dependency-metadata = [{ name = "filelock", version = "1.0", requires-python = ">=3.9" }]',
            ),
            (
                "static metadata in a shape that nobody knows",
                'dependency-metadata = [{ name = "filelock", requires-dist = ["a b"] }]',
                'dependency-metadata = [{ name = "filelock", requires-dist = ["a  b"] }]',
            ),
        )
    ),
    Case(
        rule="LA112",
        name="a constraint about a tool of dev",
        dev=lock(root(needs=["filelock"]) + GROUPED, FILELOCK, package("sphinx")).replace(
            '\n[[package]]\nname = "app"',
            '\n[manifest]\nconstraints = [{ name = "sphinx", specifier = "<8" }]\n\n[[package]]\nname = "app"',
        ),
        prod=plain(FILELOCK),
    ),
    Case(
        rule="LA112",
        name="an override in prod alone",
        dev=plain(FILELOCK),
        prod=manifest('overrides = [{ name = "filelock", specifier = "==1.0" }]'),
        found=('warning[LA112] filelock prod/uv.lock: overrides = [{ name = "filelock", specifier = "==1.0" }]',),
    ),
    Case(
        rule="LA112",
        name="an exclusion in dev of what prod locks",
        dev=manifest('excludes = ["filelock"]', IDNA),
        prod=plain(FILELOCK, IDNA),
        found=(
            "warning[LA112] filelock prod/uv.lock: version = 1",
            'error[LA101] filelock prod/uv.lock: name = "filelock"',
        ),
    ),
    Case(
        rule="LA112",
        name="a build constraint",
        dev=manifest('build-constraints = [{ name = "setuptools", specifier = "<80" }]'),
        prod=plain(FILELOCK),
        found=("warning[LA112] setuptools prod/uv.lock: version = 1",),
    ),
    Case(
        rule="LA112",
        name="static metadata of another version",
        dev=manifest('dependency-metadata = [{ name = "filelock", version = "1.0", requires-dist = ["idna"] }]'),
        prod=manifest('dependency-metadata = [{ name = "filelock", version = "1.0" }]'),
        found=('warning[LA112] filelock prod/uv.lock: dependency-metadata = [{ name = "filelock", version = "1.0" }]',),
    ),
    # -- LA113 --------------------------------------------------------------------------------------------------
    Case(
        rule="LA113",
        name="an edge that prod lacks, unexplained",
        dev=needing("idna"),
        prod=needing(),
        found=('error[LA113] requests prod/uv.lock: name = "requests"',),
    ),
    Case(
        rule="LA113",
        name="an edge that only prod has",
        dev=needing("idna"),
        prod=needing("idna", "filelock"),
        found=("error[LA113] requests prod/uv.lock: dependencies = [",),
    ),
    Case(
        rule="LA113",
        name="an exclusion explains it",
        dev=needing("idna"),
        prod=needing(top='\n[manifest]\nexcludes = ["idna"]\n'),
        found=(
            'warning[LA113] requests prod/uv.lock: name = "requests"',
            'warning[LA112] idna prod/uv.lock: excludes = ["idna"]',
        ),
    ),
    Case(
        rule="LA113",
        name="static metadata of the package explains it",
        dev=needing("idna", top='\n[[manifest.dependency-metadata]]\nname = "requests"\nrequires-dist = ["idna"]\n'),
        prod=needing(),
        found=(
            'warning[LA113] requests prod/uv.lock: name = "requests"',
            "warning[LA112] requests prod/uv.lock: version = 1",
        ),
    ),
    Case(
        rule="LA113",
        name="an override of one package's dependencies explains it",
        dev=needing("idna"),
        prod=needing(top='\n[manifest]\noverrides = [{ package = "requests", dependencies = [] }]\n'),
        found=(
            'warning[LA113] requests prod/uv.lock: name = "requests"',
            'warning[LA112] requests prod/uv.lock: overrides = [{ package = "requests", dependencies = [] }]',
        ),
    ),
    Case(
        rule="LA113",
        name="another marker that means the same on the target",
        dev=needing(edge("idna", marker="sys_platform == 'linux'")),
        prod=needing("idna"),
    ),
    Case(
        rule="LA113",
        name="an edge for another platform",
        dev=needing(edge("idna", marker="sys_platform == 'win32'")),
        prod=needing(),
    ),
    Case(
        rule="LA113",
        name="another version may have other edges",
        dev=needing("idna"),
        prod=needing(version="1.1"),
        found=('error[LA103] requests prod/uv.lock: version = "1.1"',),
    ),
    Case(
        rule="LA113",
        name="an extra that only dev asks for",
        dev=lock(root(needs=[edge("requests", extra="socks"), "idna"]), IDNA, package("requests") + BY_EXTRA),
        prod=lock(root(needs=["requests", "idna"]), IDNA, package("requests") + BY_EXTRA),
    ),
    Case(
        rule="LA113",
        name="the edges of an extra that both ask for",
        dev=lock(root(needs=[edge("requests", extra="socks"), "idna"]), IDNA, package("requests") + BY_EXTRA),
        prod=lock(
            root(needs=[edge("requests", extra="socks"), "idna"]),
            IDNA,
            package("requests") + "\n[package.optional-dependencies]\nsocks = []\n",
        ),
        found=('error[LA113] requests prod/uv.lock: name = "requests"',),
    ),
    Case(
        rule="LA113",
        name="an extra asked of a dependency",
        dev=lock(
            root(needs=["other"]),
            IDNA,
            package("requests") + BY_EXTRA,
            package("other", needs=[edge("requests", extra="socks")]),
        ),
        prod=lock(
            root(needs=["other", "idna"]), IDNA, package("requests") + BY_EXTRA, package("other", needs=["requests"])
        ),
        found=("error[LA113] other prod/uv.lock: dependencies = [",),
    ),
    Case(
        rule="LA113",
        name="a folder may have changed",
        dev=lock(root(needs=["core", "idna"]), IDNA, package("core", source='directory = "core"', needs=["idna"])),
        prod=lock(root(needs=["core", "idna"]), IDNA, package("core", source='directory = "../core"')),
        found=(
            'warning[LA113] core prod/uv.lock: name = "core"',
            'warning[LA116] core prod/uv.lock: source = { directory = "../core" }',
        ),
    ),
    # -- LA115 --------------------------------------------------------------------------------------------------
    Case(
        rule="LA115",
        name="one version from two indexes",
        dev=plain(FILELOCK),
        prod=lock(
            root(
                needs=[
                    f'{{ name = "filelock", version = "1.0", source = {{ {registry(INDEX)} }} }}',
                    f'{{ name = "filelock", version = "1.0", source = {{ {registry(MIRROR)} }} }}',
                ]
            ),
            FILELOCK,
            package("filelock", source=registry(MIRROR)),
        ),
        found=(
            'error[LA105] filelock prod/uv.lock: source = { registry = "https://mirror.example/simple" }',
            'error[LA115] filelock prod/uv.lock: version = "1.0"',
        ),
    ),
    Case(
        rule="LA115",
        name="two that hold on the target",
        dev=plain(package("numpy", "2.0")),
        prod=TWICE,
        found=(
            'error[LA115] numpy prod/uv.lock: version = "1.0"',
            'error[LA103] numpy prod/uv.lock: version = "1.0"',
        ),
    ),
    Case(rule="LA115", name="two of which one is live", dev=FORKED, prod=FORKED),
    # -- LA116 --------------------------------------------------------------------------------------------------
    Case(rule="LA116", name="everything from an index", dev=plain(FILELOCK), prod=plain(FILELOCK)),
    *(
        Case(
            rule="LA116",
            name=name,
            dev=from_place(dev),
            prod=from_place(prod),
            found=(f"{severity}[LA116] core prod/uv.lock: source = {{ {prod} }}",),
        )
        for name, severity, dev, prod in (
            ("an editable neighbour", "warning", 'editable = "core"', 'editable = "../core"'),
            ("a folder of the repository", "warning", 'directory = "core"', 'directory = "../core"'),
            ("the root itself", "warning", 'virtual = "./"', 'directory = "../"'),
            ("editable below prod", "warning", 'editable = "prod/core"', 'editable = "core"'),
            ("outside the repository", "error", 'directory = "../core"', 'directory = "../../core"'),
            ("an absolute path", "error", 'directory = "/srv/core"', 'directory = "/srv/core"'),
        )
    ),
    Case(
        rule="LA116",
        name="an archive of the repository",
        dev=plain(package("core", "0.1.0", source='path = "w/core-0.1.0.tar.gz"', sdist=HASHED)),
        prod=plain(package("core", "0.1.0", source='path = "../w/core-0.1.0.tar.gz"', sdist=HASHED)),
        found=("warning[LA116] core prod/uv.lock: core-0.1.0.tar.gz",),
    ),
    Case(
        rule="LA116",
        name="a folder below prod",
        dev=from_place('directory = "prod/core"'),
        prod=from_place('directory = "core"'),
    ),
    Case(
        rule="LA116",
        name="an editable neighbour in dev alone",
        dev=lock(root(needs=["filelock", "core"]), FILELOCK, package("core", source='editable = "core"')),
        prod=plain(FILELOCK),
    ),
    # -- LA117 --------------------------------------------------------------------------------------------------
    *(
        Case(rule="LA117", name=name, dev=from_git(place, version), prod=from_git(place, version), found=of_git(place))
        for name, place, version in (
            ("a branch", "?branch=main", "1.2.0"),
            ("the default branch", "", "1.2.0"),
            ("a name that may be a branch", "?rev=nv_dev", "1.2.0"),
            ("a tag of another version", "?tag=1.2.1", "1.2.0"),
            ("a tag of a version that was not raised", "?tag=v1.2.0", "1.2.0.dev1"),
            ("a tag that is asked for as a revision", "?rev=v1.3.0", "1.2.0"),
        )
    ),
    *(
        Case(rule="LA117", name=name, dev=from_git(place, version), prod=from_git(place, version))
        for name, place, version in (
            ("a tag", "?tag=1.2.0", "1.2.0"),
            ("a tag with a prefix", "?tag=core-v1.2.0", "1.2.0"),
            ("a tag in another spelling", "?tag=v1.2", "1.2.0"),
            ("a tag of the public version", "?tag=v1.2.0", "1.2.0+cu124"),
            ("a tag without a version", "?tag=stable", "1.2.0"),
            ("a commit", f"?rev={SHA}", "1.2.0"),
            ("a short commit", f"?rev={SHA[:7]}", "1.2.0"),
            ("a tag as a revision", "?rev=v1.2.0", "1.2.0"),
            ("a version that only a build knows", "?tag=v1.2.0", None),
        )
    ),
    Case(rule="LA117", name="a branch in dev alone", dev=from_git("?branch=main"), prod=from_git("?tag=v1.2.0")),
)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)
