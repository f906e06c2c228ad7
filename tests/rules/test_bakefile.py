"""LA501 and LA502: a bake file and build locks that are not what `lockaudit bake` would write; and what that costs."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import check, lockaudit
from tests.rules.baked import BAKE, CACHE, DEV, OVERRIDE, PROD, WHEEL, Baked, by_hand, target
from tests.rules.cases import Case, ids, verify
from tests.support import REPOSITORY
from tests.wheel.specimens import COMPILED

if TYPE_CHECKING:
    from pathlib import Path

LOCKS = "docker/wheels/flash-attn"
KEY = COMPILED.keys()[0].readable
NEWER = replace(COMPILED, torch="2.7.1+cu124")
NEWER_KEY = NEWER.keys()[0].readable
LAST = 'ref = "${CACHE_REPO}:prod", mode = "max", ignore-error = true }] : []\n}\n'

CASES = (
    Baked(
        rule="LA501",
        name="torch moved on",
        pair=NEWER,
        found=(
            f'error[LA501] - {BAKE}: {{ type = "registry", ref = "${{CACHE_REPO}}:wheel-{KEY}" }},',
            f"error[LA502] - {LOCKS}/key: {KEY}",
        ),
    ),
    Baked(
        rule="LA501",
        name="edited by hand",
        edits=((BAKE, 'default     = "prod"', 'default     = "latest"'),),
        found=(f'error[LA501] - {BAKE}: default     = "latest"',),
    ),
    Baked(
        rule="LA501",
        name="a setting changed",
        config='bake.image = "other"\n',
        found=(f'error[LA501] - {BAKE}: default     = "app-cache"',),
    ),
    Baked(
        rule="LA501",
        name="other line endings",
        edits=((BAKE, "\n", "\r\n"),),
        found=(f"error[LA501] - {BAKE}: # app: the development and the production image, with one compiled wheel.",),
    ),
    Baked(
        rule="LA501",
        name="more at the end",
        edits=((BAKE, LAST, f'{LAST}\ntarget "mine" {{\n}}\n'),),
        found=(f"error[LA501] - {BAKE}: ",),
    ),
    Baked(
        rule="LA501",
        name="it cannot be written",
        config='wheel.flash-attn.env = { MAX_JOBS = "4" }\n',
        found=('error[LA501] - pyproject.toml: wheel.flash-attn.env = { MAX_JOBS = "4" }',),
    ),
    Baked(rule="LA501", name="up to date"),
    Baked(rule="LA501", name="never baked", baked=None),
    Baked(rule="LA501", name="written by hand", baked=None, files=by_hand(CACHE, WHEEL, DEV, PROD)),
    Baked(rule="LA501", name="what decides no wheel moved", pair=replace(COMPILED, filelock="3.17.0", pytest="8.3.5")),
    Baked(
        rule="LA502",
        name="edited by hand",
        edits=((f"{LOCKS}/build.env", "FORCE_BUILD=TRUE", "FORCE_BUILD=FALSE"),),
        found=(f"error[LA502] - {LOCKS}/build.env: FLASH_ATTENTION_FORCE_BUILD=FALSE",),
    ),
    Baked(
        rule="LA502",
        name="the pins were edited",
        edits=((f"{LOCKS}/pylock.toml", 'name = "torch"', 'name = "Torch"'),),
        found=(f'error[LA502] - {LOCKS}/pylock.toml: name = "Torch"',),
    ),
    Baked(
        rule="LA502",
        name="a file is missing",
        edits=((f"{LOCKS}/source.txt", "", None),),
        found=(f"error[LA502] - {LOCKS}/build.env: FLASH_ATTENTION_FORCE_BUILD=TRUE",),
    ),
    Baked(
        rule="LA502",
        name="all of it is missing",
        edits=tuple((f"{LOCKS}/{name}", "", None) for name in ("source.txt", "build.env", "key", "pylock.toml")),
        found=(f"error[LA502] - {BAKE}: # app: the development and the production image, with one compiled wheel.",),
    ),
    Baked(
        rule="LA502",
        name="of a package that is compiled no more",
        files={"docker/wheels/apex/key": "apex-0.1\n"},
        found=("error[LA502] - docker/wheels/apex/key: apex-0.1",),
    ),
    Baked(rule="LA502", name="up to date"),
    Baked(rule="LA502", name="a folder that is no build lock", files={"docker/wheels/readme/README.md": "wheels\n"}),
    Baked(rule="LA502", name="no build locks", baked=None, files=by_hand(CACHE, WHEEL, DEV, PROD)),
)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)


@pytest.fixture
def baked(tmp_path: Path) -> Path:
    """A pair that is baked, up to date, and in which every rule is asked."""
    folder = Baked(rule="LA501", name="up to date", select=("LA",)).write(tmp_path / "root")
    assert [finding["code"] for finding in check(folder).findings if finding["code"] >= "LA5"] == []
    return folder


@pytest.mark.parametrize("option", [("--target", "linux-x86_64-cp313"), ("--compiled", "einops"), ("--no-dev-extras",)])
def test_other_options_than_those_of_bake_make_nothing_stale(baked: Path, option: tuple[str, ...]) -> None:
    found = check(baked, *option).findings
    assert [finding["code"] for finding in found if finding["code"].startswith("LA5")] == []


def test_a_stale_file_is_told_and_bake_mends_it(baked: Path) -> None:
    """What is on disk never keeps `lockaudit bake` from writing."""
    NEWER.write(baked, 'ignore = { LA101 = "x" }\n'.replace("LA101", "LA501"))
    (baked / f"{LOCKS}/build.env").write_text("FLASH_ATTENTION_FORCE_BUILD=FALSE\n", encoding="utf-8")
    assert lockaudit("bake", baked, "--check").code == 1
    assert lockaudit("bake", baked).code == 0
    assert lockaudit("bake", baked, "--check").code == 0
    assert (baked / f"{LOCKS}/key").read_text("utf-8").strip() == NEWER_KEY


def test_bake_check_and_the_rules_agree(tmp_path: Path) -> None:
    """`bake --check` fails exactly where LA501 or LA502 is found."""
    for number, case in enumerate(CASES):
        if case.baked is None or "MAX_JOBS" in case.config:
            continue
        root = case.write(tmp_path / str(number))
        codes = {finding["code"] for finding in check(root).findings}
        assert lockaudit("bake", root, "--check").code == bool(codes & {"LA501", "LA502"}), case.name


def test_build_settings_do_not_keep_bake_from_writing(baked: Path) -> None:
    with (baked / "prod" / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.uv.extra-build-variables]\nflash-attn = { A = "1" }\n')
    assert ("error", "LA207") in {(each["severity"], each["code"]) for each in check(baked).findings}
    assert lockaudit("bake", baked, "--check").code == 0


def test_only_the_first_pair_has_a_bake_file(baked: Path) -> None:
    text = (baked / "pyproject.toml").read_text("utf-8")
    pairs = "".join(f'\n[[tool.lockaudit.pair]]\nname = "{name}"\nprod.lock = "prod/uv.lock"\n' for name in ("a", "b"))
    (baked / "pyproject.toml").write_text(text + pairs, encoding="utf-8")
    (baked / BAKE).write_text((baked / BAKE).read_text("utf-8").replace("hours, once", "minutes"), encoding="utf-8")
    for arguments, count in (((), 1), (("--pair", "a"), 1), (("--pair", "b"), 0)):
        codes = [finding["code"] for finding in check(baked, *arguments).findings]
        assert codes.count("LA501") == count, arguments


MODULES = """\
import sys
from auditor.cli.main import run
code = run(sys.argv[1:])
names = ("hcl2", "lark", "auditor.bake.merged", "auditor.bake.inspect", "auditor.bake.overrides", "auditor.bake.plan")
print(*[name for name in names if name in sys.modules], sep=",", file=sys.stderr)
"""


def imported(root: Path) -> str:
    """Which of the modules that parse and look into bake files a check has imported."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", MODULES, "check", str(root)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stderr.strip()


def test_a_file_that_is_up_to_date_is_not_parsed(baked: Path) -> None:
    assert imported(baked) == "auditor.bake.plan"


def test_without_a_bake_file_nothing_is_worked_out(tmp_path: Path) -> None:
    assert imported(COMPILED.write(tmp_path)) == ""


def test_a_file_that_differs_is_parsed(baked: Path) -> None:
    (baked / OVERRIDE).write_text(target("prod", 'network = "host"'), encoding="utf-8")
    assert imported(baked).split(",")[:2] == ["hcl2", "lark"]


def test_this_repository_is_clean() -> None:
    found = [finding for finding in check(REPOSITORY).findings if finding["code"].startswith(("LA2", "LA5"))]
    assert found == []
