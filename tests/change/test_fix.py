"""`lockaudit fix`: what drifted is derived from dev anew, nothing else changes, and nothing is left half done."""

from __future__ import annotations

import difflib
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from bench.drift.harmful import HARMFUL
from bench.drift.made import living_pairs
from bench.drift.pair import findings
from bench.fix.drifted import drifted, snapshot, uv_environment
from bench.fix.killed import drift, kill
from tests.cli.command import Result, lockaudit
from tests.standins import uv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.drift.pair import Pair

# One pair each: another CUDA index, git tags of which one is first-party, constraints and overrides.
NAMES = ("conflicting CUDA extras in dev, cu124", "a workspace member in dev, its git tag", "constraints, overrides")
QUICK = {
    "torch of another CUDA",
    "wheel hash changed in prod",
    "host of a wheel's URL changed in prod",
    "package of a dev group added to prod",
    "specifier changed in pyproject.toml alone",
    "first-party package of another version in prod",
}


@pytest.fixture(scope="module")
def pairs() -> Iterator[list[Pair]]:
    """Pairs whose index and repository can be asked again."""
    with uv_environment(), living_pairs(*NAMES) as made:
        yield made


@pytest.fixture
def root(pairs: list[Pair], tmp_path: Path) -> Path:
    """A clean pair with torch of a CUDA index."""
    pairs[0].write(tmp_path / "root")
    return tmp_path / "root"


@pytest.fixture
def constrained(pairs: list[Pair], tmp_path: Path) -> Path:
    """A clean pair with constraints, overrides and exclusions."""
    pairs[2].write(tmp_path / "root")
    return tmp_path / "root"


def edit(path: Path, pattern: str, new: str) -> None:
    text = path.read_text("utf-8")
    changed = re.sub(pattern, new, text, count=1, flags=re.MULTILINE)
    assert changed != text
    path.write_text(changed, "utf-8", newline="")


def another_version(folder: Path) -> None:
    """A lock that somebody edited."""
    path = folder / "uv.lock"
    text = path.read_text("utf-8")
    assert "3.17.0" in text
    path.write_text(text.replace("3.17.0", "3.17.1"), "utf-8", newline="")


def fix_and_check(root: Path, *options: str) -> Result:
    """Fix; then check is clean, uv agrees, dev is as it was, and a second run changes nothing."""
    dev = {name: (root / name).read_bytes() for name in ("uv.lock", "pyproject.toml")}
    result = lockaudit("fix", root, *options)
    assert result.code == 0, result.out + result.err
    assert findings(root) == ()
    uv("lock", "--check", cwd=root / "prod")
    assert {name: (root / name).read_bytes() for name in dev} == dev
    after = snapshot(root)
    again = lockaudit("fix", root, *options)
    assert (again.code, again.out, again.err) == (0, "", "nothing to fix\n")
    assert snapshot(root) == after
    return result


def test_drift_of_every_sort_is_mended(pairs: list[Pair]) -> None:
    kinds = [kind for kind in HARMFUL if kind.name in QUICK]
    measured = list(drifted(pairs, kinds, seed=2))
    assert [each.kind for each in measured if each.side == "prod"] == [kind.name for kind in kinds]
    assert [each for each in measured if each.wrong or each.result == "told"] == []
    assert {each.kind for each in measured if each.result == "unsafe"} == {"package of a dev group added to prod"}


def test_missing_settings_are_copied_with_a_comment_and_nothing_else_changes(constrained: Path) -> None:
    project = constrained / "prod" / "pyproject.toml"
    edit(project, r"^(constraint|override|exclude)-dependencies = .*\n", "")
    edit(project, r"^(constraint|override|exclude)-dependencies = .*\n", "")
    edit(project, r"^\[tool\.uv\]\n", "[tool.uv]  # how prod is locked\n")
    edit(project, r"^(name = .*)\n", r"\g<1>  # its name" + "\r\n")
    uv("lock", cwd=constrained / "prod")
    before = project.read_bytes().decode().splitlines(keepends=True)
    result = fix_and_check(constrained)
    after = project.read_bytes().decode().splitlines(keepends=True)
    difference = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    assert difference == [
        "+ constraint-dependencies = [\n",
        '+     "filelock<3.17", # from pyproject.toml, by lockaudit fix\n',
        "+ ]\n",
        "+ override-dependencies = [\n",
        '+     "idna==3.9", # from pyproject.toml, by lockaudit fix\n',
        "+ ]\n",
    ]
    assert "prod/pyproject.toml: `constraint-dependencies of filelock` as in pyproject.toml\n" in result.out


def test_sources_and_a_requirement_are_copied_where_torch_comes_from_elsewhere(root: Path) -> None:
    project = root / "prod" / "pyproject.toml"
    edit(project, r"\n\[tool\.uv\.sources\]\n(.*\n)+", "\n")
    edit(project, r'^    "torch==2\.6\.0",\n    "torchvision",\n', "")
    uv("lock", cwd=root / "prod")
    assert {"LA201"} <= {each.code for each in findings(root)}
    result = fix_and_check(root)
    assert 'torch = {index = "cu124"} # from pyproject.toml, by lockaudit fix\n' in project.read_text("utf-8")
    assert '    "torch==2.6.0", # from pyproject.toml, by lockaudit fix\n' in project.read_text("utf-8")
    assert "prod/uv.lock: derived from uv.lock: " in result.out
    assert "torch 2.6.0 -> 2.6.0 and 2.6.0+cu124" in result.out


def test_diff_changes_nothing_and_shows_what_fix_does(root: Path, tmp_path: Path) -> None:
    another_version(root / "prod")
    before = snapshot(root)
    shown = lockaudit("fix", root, "--diff")
    assert snapshot(root) == before
    assert shown.out.startswith("--- a/prod/uv.lock\n+++ b/prod/uv.lock\n")
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    (tmp_path / "patch").write_text(shown.out, "utf-8")
    lockaudit("fix", root)
    assert _patched(copy, tmp_path / "patch") == snapshot(root)


def _patched(folder: Path, patch: Path) -> dict[str, bytes]:
    import subprocess  # noqa: PLC0415 - for one test

    subprocess.run(["git", "apply", "--unsafe-paths", "--directory", str(folder), str(patch)], cwd="/", check=True)
    return snapshot(folder)


def test_what_prod_says_itself_needs_unsafe(constrained: Path) -> None:
    project = constrained / "prod" / "pyproject.toml"
    edit(project, r'^    "gateway",\n', '    "gateway",\n    "pillow",\n')
    uv("lock", cwd=constrained / "prod")
    before = snapshot(constrained)
    result = lockaudit("fix", constrained)
    assert result.code == 1
    assert (
        "not fixed, needs --unsafe: LA101 pillow: prod/pyproject.toml asks for pillow, which dev does not install in"
        " production" in result.out
    )
    assert "error[LA101]: pillow 1.0" in result.out
    assert snapshot(constrained) == before
    fix_and_check(constrained, "--unsafe")
    assert "pillow" not in project.read_text("utf-8")


def test_only_the_asked_for_findings_are_mended(root: Path) -> None:
    another_version(root / "prod")
    before = snapshot(root)
    result = lockaudit("fix", root, "--only", "la2", "--only", "LA5")
    assert (result.code, snapshot(root)) == (1, before)
    assert "nothing was changed\n" in result.err
    fix_and_check(root, "--only", "LA103")
    assert lockaudit("fix", root, "--only", "LA9").code == 2


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (
            lambda root: edit(root / "pyproject.toml", r'^    "gateway', '    "hub>=1",\n    "gateway'),
            "not fixed: nothing is built on a dev lock that is at fault: LA301 at uv.lock:",
        ),
        (
            lambda root: edit(root / "uv.lock", r"(filelock-3\.17\.0[^\n]*sha256:)....", r"\g<1>0000"),
            "not fixed: uv.lock is not what uv locks now (filelock",
        ),
    ],
    ids=["stale", "tampered"],
)
def test_nothing_is_built_on_a_dev_lock_that_is_at_fault(root: Path, spoil: Callable[[Path], None], says: str) -> None:
    spoil(root)
    before = snapshot(root)
    result = lockaudit("fix", root, "--unsafe")
    assert result.code == 1
    assert says in result.out
    assert snapshot(root) == before


def test_without_uv_or_a_network_nothing_changes(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    another_version(root / "prod")
    before = snapshot(root)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    offline = lockaudit("fix", root, "--unsafe")
    assert offline.code == 2
    assert re.search(r"^error: prod/pyproject\.toml: uv could not resolve [a-z-]+$", offline.err, re.MULTILINE)
    assert "help: nothing was changed; uv needs the package index" in offline.err
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = lockaudit("fix", root)
    assert (missing.code, missing.err) == (
        2,
        "error: uv is not on PATH, and only uv writes a lock\nhelp: install uv, or put it on PATH\n",
    )
    assert snapshot(root) == before


def test_a_person_decides_where_prod_is_a_member_of_the_workspace(root: Path) -> None:
    edit(
        root / "pyproject.toml", r"^\[tool\.lockaudit\]", '[tool.uv.workspace]\nmembers = ["prod"]\n\n[tool.lockaudit]'
    )
    before = snapshot(root)
    result = lockaudit("fix", root, "--unsafe")
    assert result.code == 1
    assert "at fault: LA306" in result.out
    assert snapshot(root) == before


def test_each_pair_is_mended_on_its_own(root: Path) -> None:
    shutil.copytree(root / "prod", root / "second")
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        for name in ("prod", "second"):
            file.write(f'\n[[tool.lockaudit.pair]]\nname = "{name}"\n')
            file.write('\n[tool.lockaudit.pair.dev]\nextras = ["cu124"]\n')
            file.write(f'\n[tool.lockaudit.pair.prod]\nlock = "{name}/uv.lock"\n')
    assert findings(root) == ()
    another_version(root / "second")
    before = snapshot(root)
    fix_and_check(root)
    changed = {path for path, data in snapshot(root).items() if data != before.get(path)}
    assert changed == {"second/uv.lock"}


def test_killed_at_any_moment_each_file_is_old_or_new_and_the_next_run_heals(pairs: list[Pair], tmp_path: Path) -> None:
    kills = kill(tmp_path, pairs[0], 2)
    assert kills.torn == []
    assert kills.healed == kills.count == 2


def test_the_image_has_the_cuda_of_the_lock(pairs: list[Pair], tmp_path: Path) -> None:
    drift(tmp_path, pairs[0])
    lockaudit("fix", tmp_path)
    dockerfile = tmp_path / "docker" / "Dockerfile-uv"
    assert dockerfile.read_text("utf-8").startswith("ARG CUDA_VERSION=12.4.1\n")
    edit(dockerfile, r"=12\.4\.1", "=13.0.1")
    result = lockaudit("fix", tmp_path)
    assert "not fixed, needs --unsafe: LA203 torch: CUDA 13.0.1 of the images is another major" in result.out
    assert lockaudit("fix", tmp_path, "--unsafe").out.startswith(
        "docker/Dockerfile-uv: ARG CUDA_VERSION=12.4.1, as the locks have it\n"
    )
