"""`lockaudit init` in repositories of every kind, with the real uv against an index of stand-ins."""

from __future__ import annotations

import difflib
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING, Final

import pytest

from auditor.cli.adopt import HOOKS, template
from auditor.cli.edits import TOOLS
from tests.cli.command import lockaudit
from tests.standins import FLASH_ATTN_METADATA, uv, uv_binary

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.command import Result

INDEX: Final = """
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
HEAD: Final = '[project]\nname = "app"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.13"\n'
TORCH: Final = '\n[tool.uv.sources]\ntorch = { index = "cu124" }\n'
PLAIN: Final = f'{HEAD}dependencies = ["requests==2.32.3", "torch==2.6.0", "flash-attn==2.8.3"]\n{TORCH}'
SMALL: Final = f'{HEAD}dependencies = ["requests==2.32.3"]\n'
CONFLICTS: Final = f"""{SMALL}
[project.optional-dependencies]
cu124 = ["torch==2.6.0", "app[flash]"]
cu128 = ["torch==2.6.0", "app[flash]"]
flash = ["flash-attn==2.8.3"]

[tool.uv]
conflicts = [[{{ extra = "cu124" }}, {{ extra = "cu128" }}]]

[tool.uv.sources]
torch = [{{ index = "cu124", extra = "cu124" }}, {{ index = "cu128", extra = "cu128" }}]
"""
WORKSPACE: Final = f"""{HEAD}dependencies = ["requests==2.32.3", "core-lib", "torch==2.6.0"]

[tool.uv.workspace]
members = ["packages/*"]

[tool.uv.sources]
core-lib = {{ workspace = true }}
torch = {{ index = "cu124" }}
"""
# Everything that an edit of a pyproject.toml could lose, after the project itself.
ODD: Final = {
    "comments": "\n# the tests\n[dependency-groups] # tools\n  dev = [ 'pytest' ]   # odd   spaces\n\n\n# the end\n",
    "no-newline-at-the-end": "\n[tool.other]\nx = 1  # last",
    "tables-out-of-order": '\n[tool.a]\nx = 1\n[dependency-groups]\ndev = ["pytest"]\n[tool.b]\ny = 2 # two\n',
    "dotted-groups": "",
}


@pytest.fixture(scope="module", autouse=True)
def _uv_on_path(tmp_path_factory: pytest.TempPathFactory) -> object:
    """`init` runs the uv of PATH, without the configuration of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", uv_binary().rpartition("/")[0], prepend=":")
        patch.setenv("UV_PYTHON_DOWNLOADS", "never")
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def project(root: Path, base: str, text: str, after: str = "", *, newline: str = "\n") -> Path:
    """Write and lock the root project."""
    whole = f"{text}{INDEX.replace('@base@', base)}{FLASH_ATTN_METADATA}{after}"
    (root / "pyproject.toml").write_text(whole, newline=newline)
    uv("lock", cwd=root)
    return root


def files(root: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def init(root: Path, *arguments: str, code: int = 0) -> Result:
    """Run it, and run it again: nothing may change then."""
    found = lockaudit("init", root, *arguments)
    assert found.code == code, found.out + found.err
    if "--dry-run" not in arguments and "--force" not in arguments and code == 0:
        before = files(root)
        again = lockaudit("init", root, *arguments)
        assert (again.code, files(root)) == (0, before), again.err
    return found


def only_added(before: str, after: str) -> str:
    """What was added, where nothing else happened."""
    lines = list(difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True)))
    assert [line for line in lines if line.startswith(("-", "?"))] == []
    return "".join(line[2:] for line in lines if line.startswith("+"))


def arguments(root: Path) -> dict[str, str]:
    """The defaults of the Dockerfile's ARGs."""
    text = (root / "docker" / "Dockerfile-uv").read_text()
    return {name: value.strip('"') for name, value in re.findall(r"^ARG (\w+)=(.*)$", text, re.MULTILINE)}


def test_only_a_root_lock(root: Path, base: str) -> None:
    project(root, base, PLAIN)
    before = (root / "pyproject.toml").read_text()
    found = init(root, "--create-prod")
    assert "found: torch 2.6.0+cu124, CUDA 12.4 (from local version +cu124)" in found.err
    assert "prod is a consistent subset of dev: 15 packages on linux-x86_64-cp311" in found.out
    added = tomllib.loads(only_added(before, (root / "pyproject.toml").read_text()))
    assert added == {
        "dependency-groups": {"wheel-build": list(TOOLS)},
        "tool": {"lockaudit": {"targets": ["linux-x86_64-cp311"]}},
    }
    made = tomllib.loads((root / "prod" / "pyproject.toml").read_text())
    assert made["project"]["dependencies"] == ["requests==2.32.3", "torch==2.6.0", "flash-attn==2.8.3"]
    assert made["tool"]["uv"]["sources"] == {"torch": {"index": "cu124"}}
    values = arguments(root)
    assert (values["COMPILED"], values["IMPORTS"]) == ("flash-attn", "torch flash_attn")
    assert (values["CUDA_VERSION"], values["PYTHON_VERSION"], values["CMAKE_VERSION"]) == ("12.4.1", "3.11", "3.26.1")
    assert (root / "docker" / "wheels" / "flash-attn" / "key").is_file()
    assert lockaudit("check", root).code == lockaudit("bake", root, "--check").code == 0
    uv("lock", "--check", cwd=root)
    uv("lock", "--check", cwd=root / "prod")


def test_without_prod_it_says_what_comes_next(root: Path, base: str) -> None:
    found = init(project(root, base, SMALL))
    assert "next: make prod/ (`lockaudit init --create-prod`); `lockaudit check`; `lockaudit bake`" in found.err
    assert not (root / "prod").exists()


def test_both_locks(root: Path, base: str) -> None:
    project(root, base, PLAIN)
    (root / "prod").mkdir()
    project(root / "prod", base, PLAIN.replace('"app"', '"app-prod"'))
    before = files(root)
    found = init(root)
    assert "kept: prod/pyproject.toml is there already" in found.err
    after = files(root)
    assert {name for name in before if before[name] != after[name]} == {"pyproject.toml", "uv.lock"}


def test_a_prod_without_a_lock_gets_one(root: Path, base: str) -> None:
    project(root, base, SMALL)
    (root / "prod").mkdir()
    text = (root / "pyproject.toml").read_text().replace('"app"', '"app-prod"')
    (root / "prod" / "pyproject.toml").write_text(text)
    assert "locked prod\n" in init(root).err


def test_nothing_that_is_there_is_overwritten_without_force(root: Path, base: str) -> None:
    project(root, base, SMALL, '\n[tool.lockaudit]\ntargets = ["linux-x86_64-cp312"]  # ours\n')
    (root / "docker").mkdir()
    dockerfile = template().replace("ARG PYTHON_VERSION=3.11", "ARG PYTHON_VERSION=3.12  # ours")
    dockerfile = re.sub(r'^ARG (DEV_SELECTION|COMPILED|IMPORTS)=".*"$', r'ARG \1=""', dockerfile, flags=re.MULTILINE)
    theirs = {
        "docker/Dockerfile-uv": dockerfile,
        ".dockerignore": ".git\n.venv\n# ours\n",
        HOOKS: "repos:\n- repo: local\n  hooks:\n  - id: lockaudit-check\n    name: ours\n",
    }
    for name, text in theirs.items():
        (root / name).write_text(text)
    before = files(root)
    found = init(root, "--create-prod")
    assert found.err.count("kept: ") == 4
    after = files(root)
    assert {name: after[name] for name in before} == before
    forced = init(root, "--force")
    assert "changed docker/Dockerfile-uv" in forced.err
    assert "changed .dockerignore" in forced.err
    assert "# ours" not in (root / "pyproject.toml").read_text()
    assert (root / HOOKS).read_bytes() == before[HOOKS]


def test_a_dry_run_writes_nothing_and_shows_everything(root: Path, base: str) -> None:
    before = files(project(root, base, PLAIN))
    found = init(root, "--create-prod", "--dry-run")
    assert files(root) == before
    for name in ("pyproject.toml", "prod/pyproject.toml", "docker/Dockerfile-uv", HOOKS, ".dockerignore"):
        assert f"+++ b/{name}\n" in found.out
    assert "would lock .\nwould lock prod\n" in found.err


def test_no_lock_leaves_locking_to_a_person(root: Path, base: str) -> None:
    project(root, base, PLAIN)
    before = (root / "uv.lock").read_bytes()
    found = lockaudit("init", root, "--create-prod", "--no-lock")
    assert (found.code, (root / "uv.lock").read_bytes()) == (0, before)
    assert "next: `uv lock`; `uv lock --directory prod`; `lockaudit check`; `lockaudit bake`" in found.err
    assert not (root / "prod" / "uv.lock").exists()


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_pyproject_keeps_every_byte(root: Path, base: str, odd: str, newline: str) -> None:
    text = f'dependency-groups.dev = ["pytest"]\n{PLAIN}' if odd == "dotted-groups" else f"# first\n{PLAIN}"
    project(root, base, text, ODD[odd], newline=newline)
    before = (root / "pyproject.toml").read_bytes().decode()
    init(root, "--no-lock")
    after = (root / "pyproject.toml").read_bytes().decode()
    end = "" if before.endswith("\n") else newline
    added = only_added(before + end, after)
    assert after.count("\n") == after.count(newline)
    assert '"cmake==3.26.1"' in added
    assert "[tool.lockaudit]" in added
    old, new = tomllib.loads(before), tomllib.loads(after)
    del new["tool"]["lockaudit"]
    assert new["dependency-groups"].pop("wheel-build") == list(TOOLS)
    assert {**new, "dependency-groups": new["dependency-groups"] or None} == {
        **old,
        "dependency-groups": old.get("dependency-groups"),
    }


def test_conflicting_extras(root: Path, base: str) -> None:
    found = init(project(root, base, CONFLICTS), "--create-prod")
    assert "torch 2.6.0+cu124, CUDA 12.4 (from local version +cu124), through the extra cu124" in found.err
    assert "found: cu124 and cu128 exclude each other, and each has a torch: cu124 is taken" in found.err
    assert tomllib.loads((root / "pyproject.toml").read_text())["tool"]["lockaudit"]["dev"] == {"extras": ["cu124"]}
    assert arguments(root)["DEV_SELECTION"] == "--extra cu124"
    made = tomllib.loads((root / "prod" / "pyproject.toml").read_text())
    assert made["project"]["dependencies"] == ["requests==2.32.3", "torch==2.6.0", "flash-attn==2.8.3"]
    assert made["tool"]["uv"]["sources"] == {"torch": {"index": "cu124"}}


def test_nothing_to_compile(root: Path, base: str) -> None:
    found = init(project(root, base, SMALL), "--create-prod")
    assert "found: nothing is compiled" in found.err
    assert (arguments(root)["COMPILED"], arguments(root)["IMPORTS"]) == ("", "")
    assert not (root / "docker" / "wheels").exists()
    assert "dependency-groups" not in (root / "pyproject.toml").read_text()


def test_a_workspace(root: Path, base: str) -> None:
    member = root / "packages" / "core-lib"
    member.mkdir(parents=True)
    about = '[project]\nname = "core-lib"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = ["filelock"]\n'
    (member / "pyproject.toml").write_text(about)
    before = files(member)
    found = init(project(root, base, WORKSPACE), "--create-prod")
    assert "core-lib is a source tree: prod/ needs a release, a git tag or a wheel of it" in found.err
    text = (root / "prod" / "pyproject.toml").read_text()
    assert "    # core-lib: a source tree of the root" in text
    assert tomllib.loads(text)["project"]["dependencies"] == ["requests==2.32.3", "torch==2.6.0"]
    assert files(member) == before


@pytest.mark.parametrize("exclude", ["", 'exclude = ["old"]  # ours\n'])
def test_a_workspace_of_every_folder_does_not_take_ours(root: Path, base: str, exclude: str) -> None:
    member = root / "core-lib"
    member.mkdir()
    (member / "pyproject.toml").write_text(
        '[project]\nname = "core-lib"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
    )
    project(root, base, f'{SMALL}\n[tool.uv.workspace]\nmembers = ["*"]\n{exclude}')
    found = init(root, "--create-prod")
    assert "found: the workspace's members match docker and prod: excluded, else uv fails" in found.err
    workspace = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]
    assert workspace == {"members": ["*"], "exclude": [*(["old"] if exclude else []), "docker", "prod"]}
    uv("lock", "--check", cwd=root)
    uv("lock", "--check", cwd=root / "prod")


def test_a_root_without_a_project_leaves_prod_to_a_person(root: Path, base: str) -> None:
    member = root / "packages" / "core-lib"
    member.mkdir(parents=True)
    (member / "pyproject.toml").write_text(
        '[project]\nname = "core-lib"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
    )
    project(root, base, '[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    found = init(root, "--create-prod", code=1)
    assert "the root has no [project]: say in prod/pyproject.toml what the image installs" in found.err
    assert "error[LA110]" in found.out


def test_sources_by_platform_reach_prod(root: Path, base: str) -> None:
    choices = (
        'torch = [{ index = "cu124", marker = "sys_platform == \'linux\'" }, '
        '{ index = "local", marker = "sys_platform != \'linux\'" }]'
    )
    init(project(root, base, PLAIN.replace('torch = { index = "cu124" }', choices)), "--create-prod")
    made = tomllib.loads((root / "prod" / "pyproject.toml").read_text())
    assert [choice["index"] for choice in made["tool"]["uv"]["sources"]["torch"]] == ["cu124", "local"]


def test_settings_of_the_resolver_reach_prod(root: Path, base: str) -> None:
    text = PLAIN.replace("\n[tool.uv.sources]", '\n[tool.uv]\nresolution = "lowest-direct"\n\n[tool.uv.sources]')
    init(project(root, base, text), "--create-prod")
    assert tomllib.loads((root / "prod" / "pyproject.toml").read_text())["tool"]["uv"]["resolution"] == "lowest-direct"


def test_a_lock_that_uv_cannot_make_leaves_no_lock(root: Path, base: str) -> None:
    project(root, base, SMALL)
    (root / "prod").mkdir()
    (root / "prod" / "pyproject.toml").write_text(SMALL.replace("requests==2.32.3", "not-on-any-index==1"))
    found = lockaudit("init", root)
    assert "uv could not lock prod:" in found.err
    assert "next: `uv lock --directory prod`" in found.err
    assert not (root / "prod" / "uv.lock").exists()


HOOKED: Final = {
    "indented": "repos:\n  - repo: https://x.example\n    rev: v1\n    hooks:\n      - id: y\n",
    "at-the-margin": "fail_fast: true\nrepos:\n- repo: https://x.example\n  rev: v1\n  hooks:\n  - id: y\n",
    "with-comments": "repos:  # ours\n\n  # first\n  -   repo: https://x.example\n      hooks:\n      -   id: y\n",
    "carriage-returns": "repos:\r\n- repo: https://x.example\r\n  hooks:\r\n  - id: y\r\n",
    "only-mentioned": "# lockaudit comes later\nrepos:\n- repo: local\n  hooks:\n  - id: y\n",
}


@pytest.mark.parametrize("old", HOOKED.values(), ids=HOOKED)
def test_hooks_are_added_to_the_others(root: Path, base: str, programs: Path, old: str) -> None:
    project(root, base, SMALL)
    (root / HOOKS).write_bytes(old.encode())
    lockaudit("init", root, "--no-lock")
    new = (root / HOOKS).read_bytes().decode()
    assert new.count("\n") == new.count("\r\n") or "\r" not in new
    assert "id: lockaudit-check" in only_added(old, new)
    assert ids(programs, new) == ["lockaudit-check", "lockaudit-bake", "y"]


def test_hooks_without_a_list_are_left_to_a_person(root: Path, base: str) -> None:
    project(root, base, SMALL)
    (root / HOOKS).write_text("repos: []\n")
    assert "has no plain `repos:` list" in lockaudit("init", root, "--no-lock").err
    assert (root / HOOKS).read_text() == "repos: []\n"


def ids(programs: Path, text: str) -> list[str]:
    """The ids of the hooks, as pre-commit's own YAML reader sees them."""
    code = (
        "import sys, yaml; found = yaml.safe_load(sys.stdin.buffer.read())\n"
        "print(*[hook['id'] for repo in found['repos'] for hook in repo['hooks']])"
    )
    done = subprocess.run([str(programs / "python"), "-c", code], input=text.encode(), capture_output=True, check=True)
    return done.stdout.decode().split()
