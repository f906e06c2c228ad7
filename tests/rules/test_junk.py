"""Values of any shape where a table, a list or a string should be: never a traceback."""

from __future__ import annotations

import copy
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import rtoml

from tests.cli.command import check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dynamic = ["readme"]
dependencies = ["idna; os_name == 'nt'", "torch", "app[a]"]

[project.optional-dependencies]
a = ["idna"]

[dependency-groups]
dev = ["idna", { include-group = "b" }]
b = ["filelock"]

[tool.uv]
package = false
default-groups = ["dev"]
environments = ["sys_platform == 'linux'"]
constraint-dependencies = ["idna<4"]
exclude-dependencies = ["nose"]
build-constraint-dependencies = ["setuptools<80"]
dev-dependencies = ["idna"]
conflicts = [[{ extra = "a" }, { group = "b" }]]
resolution = "highest"
extra-index-url = ["https://x.example/simple"]
index = [{ name = "cu", url = "https://x.example/simple", default = true }]
dependency-metadata = [{ name = "idna", version = "1", requires-dist = ["filelock"] }]

[tool.uv.dependency-groups]
b = { requires-python = ">=3.12" }

[tool.uv.workspace]
members = ["packages/*"]
exclude = ["packages/a"]

[tool.uv.sources]
torch = [{ index = "cu", extra = "a", marker = "os_name == 'nt'" }, { git = "https://g.example/x", tag = "v1" }]
idna = { path = "../x", editable = true }
filelock = { workspace = true }
"""
LOCK = f"""\
version = 1
revision = 5
requires-python = ">=3.11"

[options]
exclude-newer = "2026-01-01T00:00:00Z"
exclude-newer-package = {{ idna = false }}

[manifest]
members = ["app"]
constraints = [{{ name = "idna", specifier = "<4" }}]
overrides = [{{ name = "idna", marker = "os_name == 'nt'" }}, {{ package = "idna", dependencies = [{{ name = "x" }}] }}]
excludes = ["nose", {{ package = "idna", dependencies = ["filelock"] }}]
build-constraints = [{{ name = "setuptools", specifier = "<80" }}]
dependency-metadata = [{{ name = "foo", version = "1", requires-dist = ["filelock"] }}]

[[package]]
name = "app"
version = "0.1.0"
source = {{ virtual = "." }}
dependencies = [{{ name = "idna", marker = "os_name == 'nt'", extra = ["x"] }}]
optional-dependencies = {{ a = [{{ name = "idna" }}] }}
dev-dependencies = {{ dev = [{{ name = "idna" }}] }}

[package.metadata]
requires-dist = [{{ name = "idna", marker = "os_name == 'nt'", specifier = ">=1", extras = ["x"] }}]
provides-extras = ["a"]
requires-dev = {{ dev = [{{ name = "g", git = "https://g.example/x?tag=1" }}] }}

[[package]]
name = "idna"
version = "1.0"
source = {{ registry = "https://x.example/simple" }}
sdist = {{ url = "https://x.example/idna-1.0.tar.gz", hash = "sha256:{"0" * 64}", size = 1 }}
wheels = [{{ url = "https://x.example/idna-1.0-py3-none-any.whl", hash = "md5:{"0" * 32}" }}]
"""
JUNK: tuple[object, ...] = (
    1,
    True,
    "x",
    [],
    {},
    [1],
    [["x"]],
    ["x"],
    [{}],
    [{"name": 1}],
    {"a": [1]},
    {"name": "idna"},
    "[",
    1.5,
)
PER_PLACE = 4  # values that are tried, others at the next place


def spoiled(tables: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(what was done, the tables) for values of another shape at every place."""
    number = 0
    for place in list(places(tables)):
        for _ in range(PER_PLACE):
            number += 1
            value = JUNK[number % len(JUNK)]
            changed = copy.deepcopy(tables)
            inner: Any = changed
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = value
            yield f"{'.'.join(map(str, place))} = {value!r}", changed


def places(value: object, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value inside."""
    if above:
        yield above
    inside: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    for key, each in inside:
        yield from places(each, (*above, key))


@pytest.mark.parametrize("name", ["pyproject.toml", "uv.lock", "uv.toml"])
def test_never_a_traceback(name: str, tmp_path: Path) -> None:
    prod = tmp_path / "prod"
    prod.mkdir()
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (prod / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "uv.lock").write_text(LOCK, encoding="utf-8")
    (prod / "uv.lock").write_text(LOCK, encoding="utf-8")
    tables = tomllib.loads(LOCK if name == "uv.lock" else PROJECT)
    count = 0
    for what, changed in spoiled(tables["tool"]["uv"] if name == "uv.toml" else tables):
        (prod / name).write_text(rtoml.dumps(changed), encoding="utf-8")
        result = check(tmp_path, "--target", "linux-x86_64-cp312")
        assert result.code in {0, 1, 2}, what
        assert "Traceback" not in result.err, f"{what}\n{result.err}"
        count += 1
    assert count > 100
