"""LA301 is what `uv lock --check` says: the same project, changed in many ways, asked of both."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import check
from tests.standins import make_world, serve, uv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PROJECT = """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = [
    "einops>=0.8",
    "requests[socks]>=2.32; sys_platform == 'linux'",
    "numpy",
    "torch==2.6.0",
    "core",
]

[project.optional-dependencies]
gpu = ["torch==2.6.0"]
all = ["app[gpu]", "filelock"]

[dependency-groups]
dev = ["pytest", { include-group = "Lint" }]
lint = ["certifi"]

[tool.lockaudit]
targets = ["linux-x86_64-cp311"]
select = ["LA301"]

[tool.uv.workspace]
members = ["packages/*"]

[tool.uv.sources]
core = { workspace = true }
torch = [
    { index = "cu124", marker = "sys_platform == 'linux'" },
]

[[tool.uv.index]]
name = "cu124"
url = "@base@/cu124/simple"
explicit = true

[[tool.uv.index]]
name = "local"
url = "@base@/pypi/simple"
default = true

[tool.uv]
environments = ["sys_platform == 'linux'", "sys_platform == 'win32'"]
conflicts = [[{ extra = "gpu" }, { group = "lint" }]]
constraint-dependencies = ["idna<4"]
override-dependencies = ["filelock>=3.16"]
default-groups = []
"""
# The groups of this project conflict through an include, which only uv follows.
PROJECT = PROJECT.replace('{ group = "lint" }', '{ package = "core", extra = "x" }')
MEMBER = """\
[project]
name = "core"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["filelock"]

[project.optional-dependencies]
x = ["einops"]
"""
PROD = """\
[project]
name = "prod"
version = "0"
requires-python = ">=3.11"
dependencies = []
"""


@dataclass(frozen=True)
class Change:
    """A change of a pyproject.toml: a text, what it becomes, and of which project."""

    name: str
    old: str
    new: str
    path: str = "pyproject.toml"

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


UV = "[tool.uv]\n"
STALE = (
    Change("a specifier", "einops>=0.8", "einops>=0.8.1"),
    Change("a dependency is gone", '    "numpy",\n', ""),
    Change("a dependency is new", '    "numpy",\n', '    "numpy",\n    "filelock",\n'),
    Change("a dependency that is never needed is new", '"numpy",', '"numpy", "idna; python_version < \'3.8\'",'),
    Change("a marker", "; sys_platform == 'linux'", "; sys_platform == 'win32'"),
    Change("an extra of a dependency", "requests[socks]", "requests"),
    Change("a self-reference", '"app[gpu]", ', ""),
    Change("an extra is gone", 'gpu = ["torch==2.6.0"]\nall = ["app[gpu]", "filelock"]', 'all = ["filelock"]'),
    Change("an empty extra is new", "[dependency-groups]", "none = []\n\n[dependency-groups]"),
    Change("a group", '"certifi"', '"certifi", "iniconfig"'),
    Change("an empty group is new", 'lint = ["certifi"]', 'lint = ["certifi"]\nnone = []'),
    Change("a group without what it included", ', { include-group = "Lint" }', ""),
    Change("a source is gone", '    { index = "cu124", marker = "sys_platform == \'linux\'" },\n', ""),
    Change("a source of another index", '{ index = "cu124", marker', '{ index = "local", marker'),
    Change("a source for another platform", "marker = \"sys_platform == 'linux'\" }", "marker = \"os_name == 'nt'\" }"),
    Change("requires-python, upper", ">=3.11,<3.13", ">=3.11,<3.14"),
    Change("requires-python, lower", ">=3.11,<3.13", ">=3.11.4,<3.13"),
    Change("the version", 'version = "0.1.0"', 'version = "0.2.0"'),
    Change("it is built", UV, UV + "package = true\n"),
    Change("default groups", "default-groups = []", 'default-groups = ["lint"]'),
    Change("environments", ", \"sys_platform == 'win32'\"", ""),
    Change(
        "environments in another order", "'linux'\", \"sys_platform == 'win32'", "'win32'\", \"sys_platform == 'linux'"
    ),
    Change("required environments", UV, UV + "required-environments = [\"sys_platform == 'linux'\"]\n"),
    Change("conflicts", '{ extra = "gpu" }', '{ extra = "all" }'),
    Change("a constraint", "idna<4", "idna<5"),
    Change("a constraint is gone", '"idna<4"', ""),
    Change("a constraint is new", '"idna<4"', '"idna<4", "einops<2"'),
    Change("an override", "filelock>=3.16", "filelock>=3.15"),
    Change("an exclusion is new", UV, UV + 'exclude-dependencies = ["idna"]\n'),
    Change("a build constraint is new", UV, UV + 'build-constraint-dependencies = ["setuptools<80"]\n'),
    Change("static metadata is new", UV, UV + 'dependency-metadata = [{ name = "einops", version = "1" }]\n'),
    Change("the resolution", UV, UV + 'resolution = "lowest"\n'),
    Change("pre-releases", UV, UV + 'prerelease = "allow"\n'),
    Change("the fork strategy", UV, UV + 'fork-strategy = "fewest"\n'),
    Change("sources are ignored", UV, UV + "no-sources = true\n"),
    Change("sources of one package are ignored", UV, UV + 'no-sources-package = ["Core"]\n'),
    Change("a member is gone", 'members = ["packages/*"]', 'members = ["others/*"]'),
    Change("dependencies of a member", '"filelock"', '"filelock>=3"', "packages/core/pyproject.toml"),
    Change("requires-python of a member", ">=3.10", ">=3.11.2", "packages/core/pyproject.toml"),
    Change("version of a member", '"1.0"', '"1.1"', "packages/core/pyproject.toml"),
    Change("an extra of a member", 'x = ["einops"]', 'x = ["einops"]\ny = []', "packages/core/pyproject.toml"),
)
SAME = (
    Change("nothing", "einops>=0.8", "einops>=0.8"),
    Change("spelling", "einops>=0.8", "Einops >= 0.8.0"),
    Change("a repeated specifier", "einops>=0.8", "einops>=0.8,>=0.8.0"),
    Change("order", '    "einops>=0.8",\n', '    "numpy",\n    "einops>=0.8",\n'),
    Change(
        "a marker in other words", "sys_platform == 'linux'\"", "'linux' == sys_platform and python_version >= '3.8'\""
    ),
    Change("a hole in requires-python", ">=3.11,<3.13", ">=3.11,<3.13,!=3.11.2"),
    Change("it is not built, in words", UV, UV + "package = false\n"),
    Change("a constraint of what is not locked", '"idna<4"', '"idna<4", "sphinx<8"'),
    Change("an override of what is not locked", '"filelock>=3.16"', '"filelock>=3.16", "sphinx<8"'),
    Change("an exclusion of what is not locked", UV, UV + 'exclude-dependencies = ["sphinx"]\n'),
    Change("static metadata of what is not locked", UV, UV + 'dependency-metadata = [{ name = "x", version = "1" }]\n'),
    Change(
        "conflicts in another order",
        '{ extra = "gpu" }, { package = "core", extra = "x" }',
        '{ package = "core", extra = "x" }, { extra = "gpu" }',
    ),
    Change("the default resolution, in words", UV, UV + 'resolution = "highest"\n'),
    Change("a wider requires-python of a member", ">=3.10", ">=3.9", "packages/core/pyproject.toml"),
    Change("sources are not ignored, in words", UV, UV + "no-sources = false\n"),
    Change("sources are not ignored, of no package", UV, UV + 'no-sources = false\nno-sources-package = ["torch"]\n'),
    Change(
        "a member has no say in sources",
        '"filelock"]\n',
        '"filelock"]\n\n[tool.uv]\nno-sources = true\n\n[project.urls]\n',
        "packages/core/pyproject.toml",
    ),
    Change("the old name of the dev group, empty", UV, UV + "dev-dependencies = []\n"),
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A locked workspace, and a prod/ beside it in which there is nothing."""
    folder = tmp_path_factory.mktemp("stale")
    root = folder / "project"
    with serve(make_world(folder / "index").root) as base:
        for path, text in (
            ("pyproject.toml", PROJECT.replace("@base@", base)),
            ("packages/core/pyproject.toml", MEMBER),
            ("prod/pyproject.toml", PROD),
        ):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        uv("lock", cwd=root)
        uv("lock", cwd=root / "prod")
        yield root


# A package without sources, and one with: uv 0.13.9 refuses `no-sources-package` where another source is a workspace.
SOURCED = """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["einops", "torch==2.6.0"]

[tool.lockaudit]
targets = ["linux-x86_64-cp311"]
select = ["LA301"]

[tool.uv.sources]
einops = { index = "local" }
torch = { index = "cu124", marker = "sys_platform == 'linux'" }

[tool.uv]
index = [
    { name = "cu124", url = "@base@/cu124/simple", explicit = true },
    { name = "local", url = "@base@/pypi/simple", default = true },
]
"""
SETTINGS = ("", "no-sources = true\n", 'no-sources-package = ["Torch"]\n', 'no-sources-package = ["idna"]\n')


@pytest.fixture(scope="module")
def sourced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Path]]:
    """One project, locked with each of the settings."""
    folder = tmp_path_factory.mktemp("sourced")
    with serve(make_world(folder / "index").root) as base:
        found = {}
        for number, settings in enumerate(SETTINGS):
            root = found[settings] = folder / str(number)
            (root / "prod").mkdir(parents=True)
            (root / "pyproject.toml").write_text(SOURCED.replace("@base@", base).replace(UV, UV + settings))
            (root / "prod" / "pyproject.toml").write_text(PROD)
            uv("lock", cwd=root)
            uv("lock", cwd=root / "prod")
        yield found


@pytest.mark.parametrize("now", SETTINGS)
@pytest.mark.parametrize("then", SETTINGS)
def test_ignored_sources_are_those_of_uv(sourced: Mapping[str, Path], tmp_path: Path, then: str, now: str) -> None:
    root = shutil.copytree(sourced[then], tmp_path / "project")
    shutil.copy(sourced[now] / "pyproject.toml", root)
    says = uv("lock", "--check", "--offline", cwd=root, check=False)
    found = [finding for finding in check(root).findings if finding["path"] == "uv.lock"]
    assert bool(found) == (says.returncode != 0), says.stderr
    assert bool(found) == (then != now and {then, now} != {"", SETTINGS[3]})


@pytest.mark.parametrize(("change", "stale"), [*((c, True) for c in STALE), *((c, False) for c in SAME)], ids=str)
def test_lockaudit_agrees_with_uv(change: Change, stale: bool, project: Path, tmp_path: Path) -> None:  # noqa: FBT001
    root = shutil.copytree(project, tmp_path / "project")
    path = root / change.path
    text = path.read_text(encoding="utf-8")
    assert change.old in text
    path.write_text(text.replace(change.old, change.new, 1), encoding="utf-8")
    says = uv("lock", "--check", "--offline", "-v", cwd=root, check=False)
    assert (says.returncode != 0) == stale, says.stderr
    found = [finding["message"] for finding in check(root).findings if finding["path"] == "uv.lock"]
    assert bool(found) == stale, found
    assert ("satisfies workspace requirements" in says.stderr) != stale
