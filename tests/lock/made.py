"""Projects whose locks the tests make with the real uv: every kind of source, extra, group, conflict and fork.

`@base@` in a file is the address of the index that `make_index` writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.standins import FLASH_ATTN_METADATA, Index, make_world, sdist, wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Files = dict[str, str]

INDEXES = """
[[tool.uv.index]]
name = "cu124"
url = "@base@/cu124/simple"
explicit = true

[[tool.uv.index]]
name = "cu128"
url = "@base@/cu128/simple"
explicit = true

[[tool.uv.index]]
name = "local"
url = "@base@/pypi/simple"
default = true
"""


def make_index(root: Path) -> Index:
    """The world of the stand-ins, and packages whose edges have extras, markers, circles and several versions."""
    index = make_world(root)
    add = index.wheel
    add("pypi", "speed", "1.0", extras={"c": ["cffi; platform_python_implementation == 'CPython'"], "rust": ["cargo"]})
    add("pypi", "cffi", "1.17", requires=["pycparser"])
    add("pypi", "pycparser", "2.22")
    add("pypi", "cargo", "0.1")
    add(
        *("pypi", "web", "3.0"),
        requires=["idna", "plat"],
        extras={"fast": ["speed[c]"], "slow": ["filelock"], "all": ["web[fast,slow]", "speed[rust] ; os_name == 'nt'"]},
    )
    add(
        *("pypi", "plat", "1.0"),
        requires=[
            "on-windows; sys_platform == 'win32'",
            "on-mac; sys_platform == 'darwin' and platform_machine == 'arm64'",
            "on-linux; 'linux' in sys_platform",
            "on-arm; platform_machine == 'aarch64' or platform_machine == 'arm64' or platform_machine == 'ARM64'",
            "not-pypy; implementation_name != 'pypy' and python_version >= '3.12'",
            "early; python_full_version < '3.11.4'",
        ],
    )
    for name in ("on-windows", "on-mac", "on-linux", "on-arm", "not-pypy", "early", "old-only", "new-only"):
        add("pypi", name, "1.0")
    add("pypi", "two", "1.0", requires=["old-only"])
    add("pypi", "two", "2.0", requires=["new-only", "plat"])
    add("pypi", "around", "1.0", requires=["about"], extras={"more": ["about[more]"]})
    add("pypi", "about", "1.0", requires=["around"], extras={"more": ["around[more]", "two"]})
    add("pypi", "heavy", "1.0", requires=["cargo", "idna", "early"])
    return index


def project(name: str = "app", *, dependencies: str = "[]", python: str = ">=3.10", more: str = "") -> str:
    """A pyproject.toml that gets its packages from the index."""
    head = f'[project]\nname = "{name}"\nversion = "0.1"\nrequires-python = "{python}"\ndependencies = {dependencies}\n'
    return f"{head}\n{more}\n{INDEXES}"


def member(name: str, *, dependencies: str = "[]", more: str = "") -> str:
    """A pyproject.toml of a member or of a source tree: its indexes are those of the root."""
    head = f'[project]\nname = "{name}"\nversion = "1.0"\nrequires-python = ">=3.9"\ndependencies = {dependencies}\n'
    return f'{head}{more}\n[build-system]\nrequires = []\nbuild-backend = "none"\n'


TORCH = "torch==2.6.0"
CUDA_EXTRAS = project(
    python=">=3.11,<3.13",
    dependencies='["numpy", "requests[socks]", "flash-attn==2.8.3"]',
    more=f"""
[project.optional-dependencies]
cu124 = ["{TORCH}", "torchvision"]
cu128 = ["{TORCH}", "torchvision"]
Data_Tools = ["web[all]"]

[dependency-groups]
dev = ["pytest", "ruff"]

[tool.uv]
conflicts = [[{{ extra = "cu124" }}, {{ extra = "cu128" }}]]

[tool.uv.sources]
torch = [{{ index = "cu124", extra = "cu124" }}, {{ index = "cu128", extra = "cu128" }}]
torchvision = [{{ index = "cu124", extra = "cu124" }}, {{ index = "cu128", extra = "cu128" }}]

{FLASH_ATTN_METADATA}
""",
)
CUDA_GROUPS = project(
    python=">=3.11,<3.13",
    dependencies='["numpy"]',
    more=f"""
[project.optional-dependencies]
cu124 = ["{TORCH}"]
cpu = ["two==1.0"]

[dependency-groups]
cu128 = ["{TORCH}"]
dev = [{{ include-group = "lint" }}, "pytest"]
lint = ["ruff", "two==2.0"]

[tool.uv]
conflicts = [
    [{{ extra = "cu124" }}, {{ group = "cu128" }}],
    [{{ extra = "cpu" }}, {{ group = "lint" }}, {{ group = "dev" }}],
]
default-groups = []

[tool.uv.sources]
torch = [{{ index = "cu124", extra = "cu124" }}, {{ index = "cu128", group = "cu128" }}]
""",
)
PROJECT_AGAINST_GROUP = project(
    dependencies='["two==2.0", "idna"]',
    more="""
[dependency-groups]
old = ["two==1.0", "filelock"]
dev = ["pytest"]

[tool.uv]
conflicts = [[{ package = "app" }, { group = "old" }]]
""",
)
SOURCES: Files = {
    "pyproject.toml": project(
        dependencies='["one", "two", "tree", "edit", "ghost", "remote[fast]", "packed"]',
        more="""
[tool.uv.sources]
one = { path = "vendor/one-1.0-py3-none-any.whl" }
packed = { path = "vendor/packed-1.0.tar.gz" }
tree = { path = "libs/tree" }
edit = { path = "libs/edit", editable = true }
ghost = { path = "libs/ghost", package = false }
remote = { url = "@base@/pypi/simple/remote/remote-1.0-py3-none-any.whl" }
""",
    ),
    "libs/tree/pyproject.toml": member(
        "tree", dependencies='["speed[c]"]', more='[dependency-groups]\ndev = ["ruff"]\n'
    ),
    "libs/edit/pyproject.toml": member("edit", dependencies='["tree", "plat"]'),
    "libs/ghost/pyproject.toml": member("ghost", dependencies='["cargo ; sys_platform == \'win32\'", "idna"]'),
}
FIND_LINKS = """
[project]
name = "app"
version = "0.1"
requires-python = ">=3.10"
dependencies = ["beta[more]", "delta", "native"]

[dependency-groups]
dev = ["gamma"]

[tool.uv]
find-links = ["wheels"]

[tool.uv.sources]
delta = { index = "flat" }

[[tool.uv.index]]
name = "flat"
url = "./flat"
format = "flat"
explicit = true
"""
PYTHON_FORKS = project(
    python=">=3.9,!=3.10.*,<3.15",
    dependencies="""[
    "two==1.0 ; python_version < '3.12'",
    "two==2.0 ; python_version >= '3.12'",
    "numpy ; python_version >= '3.12' and python_version < '3.14'",
    "cffi ; python_full_version >= '3.12.4'",
]""",
)
PLATFORM_FORKS = project(
    dependencies="""[
    "two==1.0 ; sys_platform == 'linux' and platform_machine == 'aarch64'",
    "two==2.0 ; sys_platform != 'linux' or platform_machine != 'aarch64'",
    "web[all]",
]""",
    more="""
[tool.uv]
environments = ["sys_platform == 'linux'", "sys_platform == 'darwin' and platform_machine == 'arm64'"]
required-environments = ["sys_platform == 'linux' and platform_machine == 'x86_64'"]
""",
)
NESTED = project(
    dependencies='["around"]',
    more="""
[project.optional-dependencies]
a = ["web[slow]"]
b = ["speed[c,rust]", "around[more]"]
all = ["app[a,b]"]
none = []

[dependency-groups]
dev = [{ include-group = "test" }, "app[a]"]
test = ["pytest", { include-group = "base" }]
base = ["web[fast]"]
every = ["app[all]"]
nothing = []
""",
)
NESTED_CONFLICT = project(
    dependencies='["idna"]',
    more="""
[project.optional-dependencies]
old = ["two==1.0"]
new = ["two==2.0"]
both-ways = ["app[new]", "cffi"]

[dependency-groups]
dev = ["app[old]"]
other = ["app[both-ways]"]

[tool.uv]
conflicts = [
    [{ extra = "old" }, { extra = "new" }],
    [{ extra = "old" }, { extra = "both-ways" }],
    [{ extra = "old" }, { group = "other" }],
    [{ group = "dev" }, { extra = "new" }],
    [{ group = "dev" }, { extra = "both-ways" }],
    [{ group = "dev" }, { group = "other" }],
]
default-groups = []
""",
)
GROUPS = """
[dependency-groups]
dev = ["pytest"]
lint = ["ruff"]
Doc_Tools = ["web[slow]"]
late = ["two"]

[tool.uv]
default-groups = {}

[tool.uv.dependency-groups]
late = {{ requires-python = ">=3.12" }}
"""
OVERRIDES = project(
    dependencies='["heavy", "requests", "two"]',
    more="""
[dependency-groups]
dev = ["web[all]"]

[tool.uv]
override-dependencies = ["cargo ; sys_platform == 'never'", "urllib3==2.3.0", "early ; sys_platform == 'win32'"]
constraint-dependencies = ["idna<3.10", "two<2"]
exclude-dependencies = ["charset-normalizer"]
""",
)
BACKEND = """
import pathlib


def get_requires_for_build_editable(config_settings=None):
    return []


def prepare_metadata_for_build_editable(directory, config_settings=None):
    info = pathlib.Path(directory, "app-7.0.dist-info")
    info.mkdir()
    (info / "WHEEL").write_text("Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\\nName: app\\nVersion: 7.0\\nRequires-Dist: web[fast]\\nProvides-Extra: more\\n"
        "Requires-Dist: two ; extra == 'more'\\n"
    )
    return info.name
"""
DYNAMIC: Files = {
    "backend.py": BACKEND,
    "pyproject.toml": f"""
[project]
name = "app"
dynamic = ["version"]
requires-python = ">=3.10"
dependencies = ["web[fast]"]
optional-dependencies = {{ more = ["two"] }}

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
{INDEXES}""",
}
WORKSPACE: Files = {
    "pyproject.toml": project(
        dependencies='["core", "model[cu124]"]',
        more="""
[project.optional-dependencies]
serve = ["api[fast]"]

[dependency-groups]
dev = ["pytest", "api"]

[tool.uv.workspace]
members = ["packages/*"]
exclude = ["packages/apart"]

[tool.uv.sources]
core = { workspace = true }
model = { workspace = true }
api = { workspace = true }
torch = { index = "cu124" }

[tool.uv]
conflicts = [[{ package = "model", extra = "cu124" }, { package = "model", extra = "cu128" }]]
""",
    ),
    "packages/core/pyproject.toml": member(
        "core", dependencies='["idna"]', more='[dependency-groups]\ndev = ["ruff"]\n'
    ),
    "packages/model/pyproject.toml": member(
        "model",
        dependencies='["core", "numpy<2.3"]',
        more="""
[project.optional-dependencies]
cu124 = ["two==1.0"]
cu128 = ["two==2.0"]

[tool.uv.sources]
core = { workspace = true }
""",
    ),
    "packages/api/pyproject.toml": member(
        "api",
        dependencies='["core"]',
        more="""
[project.optional-dependencies]
fast = ["web[fast]"]

[tool.uv.sources]
core = { workspace = true }
""",
    ),
    "packages/apart/pyproject.toml": "not TOML",
}
ACROSS: Files = {
    "pyproject.toml": project(
        more="""
[project.optional-dependencies]
with-left = ["left[old]"]
with-right = ["right[new]"]
left-alone = ["left"]

[tool.uv.workspace]
members = ["left", "right"]

[tool.uv.sources]
left = { workspace = true }
right = { workspace = true }

[tool.uv]
conflicts = [[{ package = "left", extra = "old" }, { package = "right", extra = "new" }]]
""",
    ),
    "left/pyproject.toml": member("left", more='[project.optional-dependencies]\nold = ["two==1.0"]\n'),
    "right/pyproject.toml": member("right", more='[project.optional-dependencies]\nnew = ["two==2.0"]\n'),
}
NO_PROJECT: Files = {
    "pyproject.toml": f"""
[dependency-groups]
dev = ["pytest", {{ include-group = "lint" }}]
lint = ["ruff", "plat"]
two = ["two ; python_version >= '3.12'"]

[tool.uv]
default-groups = ["lint"]

[tool.uv.workspace]
members = ["packages/*"]

[tool.uv.sources]
core = {{ workspace = true }}
{INDEXES}""",
    "packages/core/pyproject.toml": member(
        "core", dependencies='["speed[c]"]', more='[dependency-groups]\ndev = ["cargo"]\n'
    ),
    "packages/tool/pyproject.toml": member(
        "tool",
        dependencies='["core"]',
        more="""
[project.optional-dependencies]
net = ["requests[socks]"]

[dependency-groups]
lint = ["cffi"]

[tool.uv.sources]
core = { workspace = true }
""",
    ),
}

PROJECTS: dict[str, Files] = {
    "conflicting CUDA extras": {"pyproject.toml": CUDA_EXTRAS},
    "extras against groups": {"pyproject.toml": CUDA_GROUPS},
    "the project against a group": {"pyproject.toml": PROJECT_AGAINST_GROUP},
    "every source": SOURCES,
    "find-links": {"pyproject.toml": FIND_LINKS},
    "forks by Python": {"pyproject.toml": PYTHON_FORKS},
    "forks by platform": {"pyproject.toml": PLATFORM_FORKS},
    "nested extras": {"pyproject.toml": NESTED},
    "conflicts through extras of itself": {"pyproject.toml": NESTED_CONFLICT},
    "all groups by default": {"pyproject.toml": project(more=GROUPS.format('"all"'))},
    "some groups by default": {"pyproject.toml": project(more=GROUPS.format('["lint", "doc-tools"]'))},
    "overrides that never hold": {"pyproject.toml": OVERRIDES},
    "a dynamic version": DYNAMIC,
    "a workspace": WORKSPACE,
    "conflicts across members": ACROSS,
    "a root without a project": NO_PROJECT,
}


def _vendored(folder: Path) -> None:
    wheel(folder / "vendor", "one", "1.0", requires=["web[slow]"])
    sdist(folder / "vendor", "packed", "1.0", requires=["pycparser"])


def _flat(folder: Path) -> None:
    wheel(folder / "wheels", "alpha", "1.0")
    wheel(folder / "wheels", "beta", "1.0+local", requires=["alpha ; os_name == 'posix'"], extras={"more": ["gamma"]})
    sdist(folder / "wheels", "gamma", "1.0")
    wheel(folder / "flat", "delta", "1.0")
    for tag in ("cp312-cp312-manylinux_2_28_x86_64", "cp311-abi3-win_amd64", "py3-none-any"):
        wheel(folder / "wheels", "native", "1.0", tag=tag)


PREPARED: Mapping[str, Callable[[Path], None]] = {"every source": _vendored, "find-links": _flat}


def write(folder: Path, name: str, base: str) -> None:
    """Write the files of a project, and whatever lies beside them."""
    for path, text in PROJECTS[name].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text.replace("@base@", base), encoding="utf-8")
    if name in PREPARED:
        PREPARED[name](folder)
