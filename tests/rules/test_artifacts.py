"""LA105 to LA108, LA114 and LA118: both sides install the same files from the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.command import check
from tests.rules.cases import Case, ids, verify
from tests.rules.specimens import (
    FILES,
    LINUX,
    MACOS,
    PURE,
    WINDOWS,
    digest,
    edge,
    lock,
    package,
    plain,
    registry,
    root,
    sdist,
    wheel,
    write_pair,
)
from tests.support import require_corpus

if TYPE_CHECKING:
    from pathlib import Path

SHA, OTHER_SHA = "a" * 40, "b" * 40
CORE = "https://git.example/core"
FILELOCK = package("filelock")
SPEEDUPS = package("speedups", wheels=[LINUX, MACOS])
IN_TREE = package("core", "0.1.0", source='editable = "packages/core"')
WHEEL_URL = f"{FILES}/core-0.1.0-{PURE}.whl"
REBUILT = digest("rebuilt")


def git(repository: str = CORE, reference: str = "tag=v1", sha: str = SHA) -> str:
    """A package at a commit."""
    return package("core", "0.1.0", source=f'git = "{repository}?{reference}#{sha}"')


def same(one: str, other: str, name: str) -> Case:
    """A pair of packages whose sources differ in their spelling only."""
    return Case(rule="LA105", name=f"one source: {name}", dev=plain(one), prod=plain(other))


def by_index(url: str) -> str:
    """A package from an index."""
    return package("filelock", source=registry(url))


CASES = (
    Case(
        rule="LA105",
        name="another index",
        dev=plain(FILELOCK),
        prod=plain(by_index("https://mirror.example/simple")),
        found=('error[LA105] filelock prod/uv.lock: source = { registry = "https://mirror.example/simple" }',),
    ),
    Case(
        rule="LA105",
        name="an index without TLS",
        dev=plain(FILELOCK),
        prod=plain(by_index("http://index.example/simple")),
        found=('error[LA105] filelock prod/uv.lock: source = { registry = "http://index.example/simple" }',),
    ),
    Case(
        rule="LA105",
        name="a tag that moved",
        dev=plain(git()),
        prod=plain(git(sha=OTHER_SHA)),
        found=(f'error[LA105] core prod/uv.lock: source = {{ git = "https://git.example/core?tag=v1#{OTHER_SHA}" }}',),
    ),
    Case(
        rule="LA105",
        name="a part of another folder",
        dev=plain(git(reference="subdirectory=one&tag=v1")),
        prod=plain(git(reference="subdirectory=two&tag=v1")),
        found=(f'error[LA105] core prod/uv.lock: source = {{ git = "{CORE}?subdirectory=two&tag=v1#{SHA}" }}',),
    ),
    Case(
        rule="LA105",
        name="a tree in dev and a tag in prod",
        dev=plain(IN_TREE),
        prod=plain(git()),
        found=(f'error[LA105] core prod/uv.lock: source = {{ git = "https://git.example/core?tag=v1#{SHA}" }}',),
    ),
    Case(
        rule="LA105",
        name="first-party: a tree in dev and a tag in prod",
        dev=plain(IN_TREE),
        prod=plain(git()),
        config='first-party = ["Core"]\n',
    ),
    Case(
        rule="LA105",
        name="first-party does not excuse a tree in prod",
        dev=plain(git()),
        prod=plain(package("core", "0.1.0", source='directory = "core"')),
        config='first-party = ["core"]\n',
        found=('error[LA105] core prod/uv.lock: source = { directory = "core" }',),
    ),
    Case(
        rule="LA105",
        name="a URL of the same file is a warning",
        dev=plain(package("core", "0.1.0", wheels=[wheel("core", "0.1.0")])),
        prod=plain(package("core", "0.1.0", source=f'url = "{WHEEL_URL}"', wheels=[wheel("core", "0.1.0")])),
        found=(f"warning[LA105] core prod/uv.lock: core-0.1.0-{PURE}.whl",),
    ),
    Case(
        rule="LA105",
        name="another version is told by LA103 alone",
        dev=plain(FILELOCK),
        prod=plain(package("filelock", "1.1", source=registry("https://mirror.example/simple"))),
        found=('error[LA103] filelock prod/uv.lock: version = "1.1"',),
    ),
    same(by_index("https://index.example/simple"), by_index("https://index.example/simple/"), "a slash at the end"),
    same(by_index("https://index.example/simple"), by_index("HTTPS://Index.Example/simple"), "case of the host"),
    same(by_index("https://index.example/a+b"), by_index("https://index.example/a%2Bb"), "an escaped letter"),
    same(git(), git("https://git.example/core.git"), ".git"),
    same(git(), git(reference=f"rev={SHA}"), "a tag and a commit"),
    same(git(), git(reference="subdirectory=.&tag=v1"), "a folder that is none"),
    same(git("https://github.com/Team/Core"), git("https://github.com/team/core"), "case of a GitHub path"),
    same(git("https://git.example/core"), git("https://token@git.example/core"), "a login"),
    Case(
        rule="LA105",
        name="one folder from two locks",
        dev=plain(package("core", "0.1.0", source='directory = "packages/core"')),
        prod=plain(package("core", "0.1.0", source='directory = "../packages/core"')),
        select=("LA105",),
    ),
    Case(
        rule="LA106",
        name="another hash",
        dev=plain(FILELOCK),
        prod=plain(package("filelock", wheels=[wheel("filelock", hash=REBUILT)])),
        found=("error[LA106] filelock prod/uv.lock: filelock-1.0-py3-none-any.whl",),
    ),
    Case(
        rule="LA106",
        name="another hash of the sdist",
        dev=plain(package("filelock", sdist=sdist("filelock"))),
        prod=plain(package("filelock", sdist=sdist("filelock", hash=REBUILT))),
        found=("error[LA106] filelock prod/uv.lock: filelock-1.0.tar.gz",),
    ),
    Case(
        rule="LA106",
        name="even of a file for another platform",
        dev=plain(SPEEDUPS),
        prod=plain(package("speedups", wheels=[LINUX, wheel("speedups", "1.0", MACOS, hash=REBUILT)])),
        found=(f"error[LA106] speedups prod/uv.lock: speedups-1.0-{MACOS}.whl",),
    ),
    Case(
        rule="LA106",
        name="hashes that cannot be compared",
        dev=plain(FILELOCK),
        prod=plain(package("filelock", wheels=[wheel("filelock", hash=digest("filelock", "md5"))])),
        found=("error[LA106] filelock prod/uv.lock: filelock-1.0-py3-none-any.whl",),
    ),
    Case(
        rule="LA106",
        name="one hash and two sizes",
        dev=plain(FILELOCK),
        prod=plain(package("filelock", wheels=[wheel("filelock", size=1001)])),
        found=("error[LA106] filelock prod/uv.lock: filelock-1.0-py3-none-any.whl",),
    ),
    Case(
        rule="LA106",
        name="a size that one side does not know",
        dev=plain(FILELOCK),
        prod=plain(package("filelock", wheels=[wheel("filelock", size=None)])),
    ),
    Case(
        rule="LA106",
        name="the case of the digits",
        dev=plain(package("filelock", wheels=[wheel("filelock", hash=REBUILT)])),
        prod=plain(package("filelock", wheels=[wheel("filelock", hash=f"sha256:{REBUILT[7:].upper()}")])),
    ),
    Case(
        rule="LA106",
        name="one file on two hosts",
        dev=plain(FILELOCK),
        prod=plain(package("filelock", wheels=[wheel("filelock", base="https://mirror.example/files")])),
    ),
    Case(
        rule="LA106",
        name="one file name in two spellings",
        dev=plain(package("torchvision", "1.0+cu124", wheels=[wheel("torchvision", "1.0+cu124", LINUX, hash=REBUILT)])),
        prod=plain(
            package("torchvision", "1.0+cu124", wheels=[wheel("torchvision", "1.0%2BCU124", LINUX, hash=REBUILT)])
        ),
    ),
    Case(
        rule="LA107",
        name="a wheel that was added",
        dev=plain(package("speedups", wheels=[LINUX])),
        prod=plain(package("speedups", wheels=[LINUX, wheel("speedups", "1.0-3", LINUX)])),
        found=(f"error[LA107] speedups prod/uv.lock: speedups-1.0-3-{LINUX}.whl",),
    ),
    Case(
        rule="LA107",
        name="an sdist that has to be built",
        dev=plain(package("speedups", wheels=[MACOS])),
        prod=plain(package("speedups", wheels=[MACOS], sdist=sdist("speedups"))),
        found=("error[LA107] speedups prod/uv.lock: speedups-1.0.tar.gz",),
    ),
    Case(
        rule="LA107",
        name="a wheel for another platform",
        dev=plain(package("speedups", wheels=[LINUX])),
        prod=plain(package("speedups", wheels=[LINUX, WINDOWS])),
    ),
    Case(
        rule="LA107",
        name="an sdist that nobody needs",
        dev=plain(package("speedups", wheels=[LINUX])),
        prod=plain(package("speedups", wheels=[LINUX], sdist=sdist("speedups"))),
    ),
    Case(
        rule="LA107",
        name="a wheel that only dev has",
        dev=plain(package("speedups", wheels=[LINUX, PURE])),
        prod=plain(package("speedups", wheels=[LINUX])),
    ),
    Case(
        rule="LA118",
        name="the best wheel is gone, another is left",
        dev=plain(package("speedups", wheels=[LINUX, PURE])),
        prod=plain(package("speedups", wheels=[PURE])),
        found=(f"warning[LA118] speedups prod/uv.lock: speedups-1.0-{PURE}.whl",),
    ),
    Case(
        rule="LA118",
        name="a higher build is gone",
        dev=plain(package("speedups", wheels=[LINUX, wheel("speedups", "1.0-3", LINUX)])),
        prod=plain(package("speedups", wheels=[LINUX])),
        found=(f"warning[LA118] speedups prod/uv.lock: speedups-1.0-{LINUX}.whl",),
    ),
    Case(
        rule="LA118",
        name="all usable wheels are gone, the sdist is left",
        dev=plain(package("speedups", wheels=[LINUX, MACOS], sdist=sdist("speedups"))),
        prod=plain(package("speedups", wheels=[MACOS], sdist=sdist("speedups"))),
        found=("warning[LA118] speedups prod/uv.lock: speedups-1.0.tar.gz",),
    ),
    Case(
        rule="LA118",
        name="nothing is left: LA114 says it",
        dev=plain(package("speedups", wheels=[LINUX, MACOS])),
        prod=plain(package("speedups", wheels=[MACOS])),
        found=("error[LA114] speedups prod/uv.lock: wheels = [",),
    ),
    Case(
        rule="LA118",
        name="what is left is unknown to dev: LA107 says it",
        dev=plain(package("speedups", wheels=[LINUX])),
        prod=plain(package("speedups", wheels=[PURE])),
        found=(f"error[LA107] speedups prod/uv.lock: speedups-1.0-{PURE}.whl",),
    ),
    Case(
        rule="LA118",
        name="wheels of other targets are gone, and an sdist that nobody builds",
        dev=plain(package("speedups", wheels=[LINUX, MACOS, WINDOWS, PURE], sdist=sdist("speedups"))),
        prod=plain(package("speedups", wheels=[LINUX])),
    ),
    Case(
        rule="LA118",
        name="one file name in two spellings",
        dev=plain(package("torchvision", "1.0+cu124", wheels=[wheel("torchvision", "1.0+cu124", LINUX, hash=REBUILT)])),
        prod=plain(
            package("torchvision", "1.0+cu124", wheels=[wheel("torchvision", "1.0%2BCU124", LINUX, hash=REBUILT)])
        ),
    ),
    Case(
        rule="LA118",
        name="another version is told by LA103 alone",
        dev=plain(package("speedups", wheels=[LINUX, PURE])),
        prod=plain(package("speedups", "1.1", wheels=[PURE])),
        found=('error[LA103] speedups prod/uv.lock: version = "1.1"',),
    ),
    Case(
        rule="LA108",
        name="no hash in prod",
        dev=plain(FILELOCK),
        prod=plain(package("filelock", wheels=[wheel("filelock", hash=None)])),
        found=("error[LA108] filelock prod/uv.lock: filelock-1.0-py3-none-any.whl",),
    ),
    Case(
        rule="LA108",
        name="no hash in dev is a warning",
        dev=plain(package("filelock", wheels=[wheel("filelock", hash=None)])),
        prod=plain(FILELOCK),
        found=("warning[LA108] filelock uv.lock: filelock-1.0-py3-none-any.whl",),
    ),
    Case(
        rule="LA108",
        name="no hash of the sdist that has to be built",
        dev=plain(package("speedups", wheels=[MACOS], sdist=sdist("speedups"))),
        prod=plain(package("speedups", wheels=[MACOS], sdist=sdist("speedups", hash=None))),
        found=("error[LA108] speedups prod/uv.lock: speedups-1.0.tar.gz",),
    ),
    Case(
        rule="LA108",
        name="a folder has no hashes",
        dev=plain(package("filelock", source=registry("wheels"), wheels=[f'{{ path = "filelock-1.0-{PURE}.whl" }}'])),
        prod=plain(
            package("filelock", source=registry("../wheels"), wheels=[f'{{ path = "filelock-1.0-{PURE}.whl" }}'])
        ),
        found=(f'warning[LA108] filelock prod/uv.lock: {{ path = "filelock-1.0-{PURE}.whl" }},',),
        select=("LA105", "LA108"),
    ),
    Case(
        rule="LA108",
        name="no hash for another platform",
        dev=plain(SPEEDUPS),
        prod=plain(package("speedups", wheels=[LINUX, wheel("speedups", "1.0", MACOS, hash=None)])),
    ),
    Case(
        rule="LA108",
        name="no hash of an sdist that nobody needs",
        dev=plain(package("speedups", wheels=[LINUX])),
        prod=plain(package("speedups", wheels=[LINUX], sdist=sdist("speedups", hash=None))),
    ),
    Case(
        rule="LA114",
        name="wheels for other platforms only",
        dev=plain(package("speedups", wheels=[MACOS])),
        prod=plain(package("speedups", wheels=[MACOS])),
        found=("error[LA114] speedups prod/uv.lock: wheels = [",),
    ),
    Case(
        rule="LA114",
        name="no file at all",
        dev=plain(package("speedups", wheels=())),
        prod=plain(package("speedups", wheels=())),
        found=("error[LA114] speedups prod/uv.lock: [[package]]",),
    ),
    Case(
        rule="LA114",
        name="a wheel for a newer C library",
        dev=plain(package("speedups", wheels=["cp312-cp312-manylinux_2_39_x86_64"])),
        prod=plain(package("speedups", wheels=["cp312-cp312-manylinux_2_39_x86_64"])),
        dockerfile="ARG UBUNTU_VERSION=22.04\nFROM ubuntu:${UBUNTU_VERSION}\n",
        found=("error[LA114] speedups prod/uv.lock: wheels = [",),
    ),
    Case(
        rule="LA114",
        name="a wheel for the C library of the image",
        dev=plain(package("speedups", wheels=["cp312-cp312-manylinux_2_39_x86_64"])),
        prod=plain(package("speedups", wheels=["cp312-cp312-manylinux_2_39_x86_64"])),
        dockerfile="ARG UBUNTU_VERSION=24.04\nFROM ubuntu:${UBUNTU_VERSION}\n",
    ),
    Case(
        rule="LA114",
        name="an sdist can be built",
        dev=plain(package("speedups", wheels=[MACOS], sdist=sdist("speedups"))),
        prod=plain(package("speedups", wheels=[MACOS], sdist=sdist("speedups"))),
    ),
    Case(rule="LA114", name="a commit can be built", dev=plain(git()), prod=plain(git())),
    Case(
        rule="LA114",
        name="not reached on the target",
        dev=plain(FILELOCK),
        prod=lock(
            root(needs=["filelock", edge("speedups", marker="sys_platform == 'darwin'")]),
            FILELOCK,
            package("speedups", wheels=[MACOS]),
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)


@pytest.mark.corpus
def test_a_build_of_torch_that_was_uploaded_later(tmp_path: Path) -> None:
    """It happened: torch 2.10.0 got a third build of its wheels, nine months after the release."""
    locks = require_corpus() / "torch-on-index"
    names = ("torch-2.10.0-locked-2026-02.uv.lock", "torch-2.10.0-locked-2026-11.uv.lock")
    older, newer = ((locks / name).read_text(encoding="utf-8") for name in names)
    target = "linux-x86_64-cp311"
    found = check(write_pair(tmp_path, dev=older, prod=newer, targets=(target,))).findings
    assert [finding["message"].split()[0] for finding in found if finding["code"] == "LA107"] == [
        "torch-2.10.0-3-cp311-cp311-manylinux_2_28_x86_64.whl"
    ]
    again = check(write_pair(tmp_path, dev=newer, prod=older, targets=(target,))).findings
    assert [finding["code"] for finding in again if finding["code"] == "LA107"] == []
