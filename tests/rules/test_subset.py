"""LA101 to LA104 and LA109 to LA111: prod is a consistent subset of dev."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.cases import Case, ids, verify
from tests.rules.specimens import CU124, INDEX, TARGET, edge, lock, package, plain, registry, root, wheel

if TYPE_CHECKING:
    from pathlib import Path

CP311 = "linux-x86_64-cp311"
ON_WINDOWS = "sys_platform == 'win32'"
FILELOCK = package("filelock")
PYTEST = package("pytest", needs=["pluggy", "iniconfig"])
TOOLS = (PYTEST, package("pluggy"), package("iniconfig"))
WITH_TOOLS = lock(root(needs=["filelock"], groups={"dev": ["pytest"]}), FILELOCK, *TOOLS)
WITH_VIZ = lock(root(needs=["filelock"], extras={"viz": ["matplotlib"]}), FILELOCK, package("matplotlib"))
WITH_SERVE = lock(root(groups={"serve": ["filelock"]}), FILELOCK)
FORKED = lock(
    root(
        needs=[
            edge("numpy", version="2.2", source=registry(INDEX), marker="python_full_version < '3.12'"),
            edge("numpy", version="2.3", source=registry(INDEX), marker="python_full_version >= '3.12'"),
        ]
    ),
    package("numpy", "2.2", forks=["python_full_version < '3.12'"]),
    package("numpy", "2.3", forks=["python_full_version >= '3.12'"]),
    requires_python=">=3.11",
)


def forks(marker: str) -> str:
    """The top of a lock that was resolved for one part of the world."""
    return f'resolution-markers = [\n    "{marker}",\n]\n'


CASES = (
    Case(
        rule="LA101",
        name="dev does not have it",
        dev=plain(FILELOCK),
        prod=plain(FILELOCK, package("orjson")),
        found=('error[LA101] orjson prod/uv.lock: name = "orjson"',),
    ),
    Case(
        rule="LA101",
        name="dev has it for Windows only",
        dev=lock(root(needs=["filelock", edge("colorama", marker=ON_WINDOWS)]), FILELOCK, package("colorama")),
        prod=plain(FILELOCK, package("colorama")),
        found=('error[LA101] colorama prod/uv.lock: name = "colorama"',),
    ),
    Case(
        rule="LA101",
        name="what it brings is told with it",
        dev=plain(FILELOCK),
        prod=lock(root(needs=["filelock", "a"]), package("a", needs=["b"]), package("b", needs=["a"]), FILELOCK),
        found=('error[LA101] a prod/uv.lock: name = "a"',),
    ),
    Case(
        rule="LA101",
        name="what others need too is told on its own",
        dev=plain(FILELOCK),
        prod=lock(root(needs=["filelock", "a", "b"]), package("a", needs=["b"]), package("b"), FILELOCK),
        found=('error[LA101] a prod/uv.lock: name = "a"', 'error[LA101] b prod/uv.lock: name = "b"'),
    ),
    Case(
        rule="LA101",
        name="prod has it for Windows only",
        dev=plain(FILELOCK),
        prod=lock(root(needs=["filelock", edge("colorama", marker=ON_WINDOWS)]), FILELOCK, package("colorama")),
    ),
    Case(
        rule="LA101",
        name="an orphan is not installed",
        dev=plain(FILELOCK),
        prod=lock(root(needs=["filelock"]), FILELOCK, package("orjson")),
    ),
    Case(
        rule="LA101",
        name="the root of dev is a dependency of prod",
        dev=plain(FILELOCK, name="core"),
        prod=lock(
            root(needs=["core"]), package("core", "0.1.0", source='directory = "../"', needs=["filelock"]), FILELOCK
        ),
        select=("LA10",),
    ),
    Case(
        rule="LA102",
        name="a test tool in prod",
        dev=WITH_TOOLS,
        prod=lock(root(needs=["filelock", "pytest"]), FILELOCK, *TOOLS),
        found=('error[LA102] pytest prod/uv.lock: name = "pytest"',),
    ),
    Case(
        rule="LA102",
        name="only a part of a tool",
        dev=WITH_TOOLS,
        prod=plain(FILELOCK, package("pluggy")),
        found=('error[LA102] pluggy prod/uv.lock: name = "pluggy"',),
    ),
    Case(
        rule="LA102",
        name="reached both ways",
        dev=lock(root(needs=["filelock", "pytest"], groups={"dev": ["pytest"]}), FILELOCK, *TOOLS),
        prod=lock(root(needs=["filelock", "pytest"]), FILELOCK, *TOOLS),
    ),
    Case(
        rule="LA102",
        name="a group of prod that the image leaves out",
        dev=plain(FILELOCK),
        prod=lock(root(needs=["filelock"], groups={"dev": ["pytest"]}), FILELOCK, *TOOLS),
    ),
    Case(
        rule="LA102",
        name="a group of prod that the image installs",
        dev=WITH_TOOLS,
        prod=WITH_TOOLS,
        config='prod.groups = ["dev"]\n',
        found=('error[LA102] pytest prod/uv.lock: name = "pytest"',),
    ),
    Case(
        rule="LA102",
        name="a group of dev that counts as production",
        dev=lock(root(groups={"serve": ["filelock"]}), FILELOCK),
        prod=plain(FILELOCK),
        config='dev.groups = ["serve"]\n',
    ),
    Case(
        rule="LA103",
        name="another version",
        dev=plain(FILELOCK),
        prod=plain(package("filelock", "1.1")),
        found=('error[LA103] filelock prod/uv.lock: version = "1.1"',),
    ),
    Case(
        rule="LA103",
        name="another local part",
        dev=plain(package("torchvision", "0.21.0+cu124", source=registry(CU124))),
        prod=plain(package("torchvision", "0.21.0", source=registry(CU124))),
        found=('error[LA103] torchvision prod/uv.lock: version = "0.21.0"',),
    ),
    Case(
        rule="LA103",
        name="a git tag behind its tree",
        dev=plain(package("core", "0.2.0.dev0", source='editable = "packages/core"')),
        prod=plain(package("core", "0.1.0", source=f'git = "https://git.example/core?tag=0.1.0#{"a" * 40}"')),
        config='first-party = ["core"]\n',
        found=('error[LA103] core prod/uv.lock: version = "0.1.0"',),
    ),
    Case(
        rule="LA103",
        name="one version in two spellings",
        dev=plain(package("filelock", "1.0", wheels=[wheel("filelock")])),
        prod=plain(package("filelock", "1.0.0", wheels=[wheel("filelock")])),
    ),
    Case(
        rule="LA103",
        name="two versions of which one is live",
        dev=FORKED,
        prod=plain(package("numpy", "2.3")),
    ),
    Case(
        rule="LA103",
        name="another version than the one that is live",
        dev=FORKED,
        prod=plain(package("numpy", "2.2")),
        found=('error[LA103] numpy prod/uv.lock: version = "2.2"',),
    ),
    Case(
        rule="LA103",
        name="a dynamic version",
        dev=plain(package("core", None, source='editable = "packages/core"')),
        prod=plain(package("core", "0.1.0", source=f'git = "https://git.example/core?tag=0.1.0#{"a" * 40}"')),
        config='first-party = ["core"]\n',
    ),
    Case(
        rule="LA104",
        name="an extra that nobody chose",
        dev=WITH_VIZ,
        prod=plain(FILELOCK, package("matplotlib")),
        found=('error[LA104] matplotlib prod/uv.lock: name = "matplotlib"',),
    ),
    Case(
        rule="LA104",
        name="the extra is chosen",
        dev=WITH_VIZ,
        prod=plain(FILELOCK, package("matplotlib")),
        config='dev.extras = ["viz"]\n',
    ),
    Case(
        rule="LA104",
        name="an extra and a group",
        dev=lock(
            root(needs=["filelock"], extras={"viz": ["matplotlib"]}, groups={"dev": ["matplotlib"]}),
            FILELOCK,
            package("matplotlib"),
        ),
        prod=plain(FILELOCK, package("matplotlib")),
        found=('error[LA104] matplotlib prod/uv.lock: name = "matplotlib"',),
    ),
    Case(
        rule="LA109",
        name="prod excludes the Python and nothing is compared",
        dev=plain(FILELOCK, requires_python=">=3.11"),
        prod=plain(package("filelock", "1.1"), package("orjson")),
        targets=(CP311,),
        found=('error[LA109] - prod/uv.lock: requires-python = ">=3.12"',),
    ),
    Case(
        rule="LA109",
        name="dev excludes the Python",
        dev=plain(FILELOCK, requires_python=">=3.10, !=3.11.*"),
        prod=plain(FILELOCK, requires_python=">=3.11, <3.12"),
        targets=(CP311,),
        found=(
            'error[LA109] - uv.lock: requires-python = ">=3.10, !=3.11.*"',
            'warning[LA111] - prod/uv.lock: requires-python = ">=3.11, <3.12"',
        ),
    ),
    Case(
        rule="LA109",
        name="the forks of prod leave the platform out",
        dev=plain(FILELOCK),
        prod=plain(FILELOCK, top=forks("sys_platform == 'darwin'")),
        found=("error[LA109] - prod/uv.lock: resolution-markers = [",),
    ),
    Case(
        rule="LA109",
        name="one of two targets",
        dev=plain(FILELOCK, requires_python=">=3.11"),
        prod=plain(package("filelock", "1.1")),
        targets=(CP311, TARGET),
        found=(
            'error[LA103] filelock prod/uv.lock: version = "1.1"',
            'error[LA109] - prod/uv.lock: requires-python = ">=3.12"',
        ),
    ),
    Case(
        rule="LA109",
        name="a fork whose extra nobody chose",
        dev=plain(FILELOCK),
        prod=plain(FILELOCK, top=forks("sys_platform == 'linux' and extra == 'extra-3-app-cpu'")),
    ),
    Case(
        rule="LA110",
        name="everything is in a group",
        dev=plain(FILELOCK),
        prod=WITH_SERVE,
        found=("error[LA110] - prod/uv.lock: [[package]]",),
    ),
    Case(
        rule="LA110",
        name="everything is in an extra",
        dev=plain(FILELOCK),
        prod=lock(root(extras={"serve": ["filelock"]}), FILELOCK),
        found=("error[LA110] - prod/uv.lock: [[package]]",),
    ),
    Case(
        rule="LA110",
        name="everything is for another platform",
        dev=plain(FILELOCK),
        prod=lock(root(needs=[edge("filelock", marker=ON_WINDOWS)]), FILELOCK),
        found=("error[LA110] - prod/uv.lock: dependencies = [",),
    ),
    Case(
        rule="LA110",
        name="the group is chosen",
        dev=plain(FILELOCK),
        prod=WITH_SERVE,
        config='prod.groups = ["serve"]\n',
    ),
    Case(
        rule="LA110",
        name="the extra is chosen",
        dev=plain(FILELOCK),
        prod=lock(root(extras={"serve": ["filelock"]}), FILELOCK),
        config='prod.extras = ["serve"]\n',
    ),
    Case(
        rule="LA111",
        name="prod is wider at both ends",
        dev=plain(FILELOCK, requires_python=">=3.10, !=3.11.*, <3.13"),
        prod=plain(FILELOCK, requires_python=">=3.10"),
        found=('warning[LA111] - prod/uv.lock: requires-python = ">=3.10"',),
    ),
    Case(
        rule="LA111",
        name="the forks of dev are narrower",
        dev=plain(FILELOCK, requires_python=">=3.10", top=forks("python_full_version >= '3.12'")),
        prod=plain(FILELOCK, requires_python=">=3.10"),
        found=('warning[LA111] - prod/uv.lock: requires-python = ">=3.10"',),
    ),
    Case(
        rule="LA111",
        name="one patch release",
        dev=plain(FILELOCK, requires_python=">=3.12.4"),
        prod=plain(FILELOCK, requires_python=">=3.12.3"),
        found=('warning[LA111] - prod/uv.lock: requires-python = ">=3.12.3"',),
    ),
    Case(rule="LA111", name="prod is narrower", dev=plain(FILELOCK, requires_python=">=3.10"), prod=plain(FILELOCK)),
    Case(
        rule="LA111",
        name="one range in two spellings",
        dev=plain(FILELOCK, requires_python=">=3.12, <3.14"),
        prod=plain(FILELOCK, requires_python=">=3.12.0, <4, <3.14"),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)
