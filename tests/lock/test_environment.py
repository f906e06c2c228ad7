"""Targets: how they are written, which Python they mean, and which wheel they install, as the real uv says."""

from __future__ import annotations

import itertools
import platform
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from packaging.specifiers import SpecifierSet
from packaging.tags import compatible_tags, cpython_tags, mac_platforms, sys_tags

from auditor.errors import ConfigError
from auditor.lock.environment import GLIBC_OF_UBUNTU, Target
from auditor.lock.model import Artifact, Package, Source, SourceKind
from auditor.lock.read import read_lock
from auditor.lock.tags import cpython_tags as tags_of_cpython
from tests.standins import sdist, uv, wheel

if TYPE_CHECKING:
    from pathlib import Path


def artifact(filename: str) -> Artifact:
    """A file of that name."""
    return Artifact(filename=filename, location=filename, hash=None, size=None, is_wheel=filename.endswith(".whl"))


def package(*filenames: str) -> Package:
    """A package with wheels of these names, and an sdist where one is no wheel."""
    wheels = tuple(artifact(name) for name in filenames if name.endswith(".whl"))
    others = [artifact(name) for name in filenames if not name.endswith(".whl")]
    source = Source(kind=SourceKind.REGISTRY, location="https://index.example/simple")
    return Package(
        index=0, name="a", version=None, source=source, wheels=wheels, sdist=others[0] if others else None, line=1
    )


def usable(target: Target, *filenames: str) -> list[str]:
    """The names of the wheels that the target can install, best first."""
    return [found.filename for found in target.usable(package(*filenames))]


# -- how targets are written --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "'' is not a target", "linux-x86_64-cp312"),
        ("linux-x86_64", "is not a target", "linux-x86_64-cp312"),
        ("linux-x86_64-312", "is not a target", "linux-x86_64-cp312"),
        ("linux-x86_64-cp312t", "is not a target", "linux-x86_64-cp312"),
        ("linux-x86_64-pp310", "is not a target", "linux-x86_64-cp312"),
        ("linux-x86_64-cp27", "is not a target", "linux-x86_64-cp312"),
        ("linux-x86_64-cp3", "is not a target", "linux-x86_64-cp312"),
        (" linux-x86_64-cp312", "is not a target", "linux-x86_64-cp312"),
        ("Linux-x86_64-cp312", "is not a target", "linux-x86_64-cp312"),
        ("linux-x86-64-cp312", "is not a target", "linux-x86_64-cp312"),
        ("linux/amd64", "is not a target", "linux-x86_64-cp312"),
        ("beos-x86_64-cp312", "names no known platform", "platforms: linux, macos, windows"),
        ("linux-amd64-cp312", "names no machine of linux", "x86_64"),
        ("macos-aarch64-cp312", "names no machine of macos", "machines of macos: arm64, x86_64"),
        ("windows-x86_64-cp312", "names no machine of windows", "machines of windows: amd64, arm64, x86"),
    ],
)
def test_what_is_no_target_says_what_one_is(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Target.parse(text)
    assert message in caught.value.message
    assert repr(text) in caught.value.message
    assert caught.value.hint is not None
    assert hint in caught.value.hint


@given(st.text(max_size=20) | st.from_regex(r"[a-z]{1,7}-[a-z0-9_]{1,7}-cp3[0-9]{0,3}"))
def test_any_text_is_a_target_or_one_error(text: str) -> None:
    try:
        target = Target.parse(text)
    except ConfigError as error:
        assert error.hint  # noqa: PT017 - not raising is fine too
    else:
        assert str(target) == text


@pytest.mark.parametrize(
    ("text", "python", "docker", "machine", "sys_platform"),
    [
        ("linux-x86_64-cp312", "3.12", "linux/amd64", "x86_64", "linux"),
        ("linux-aarch64-cp39", "3.9", "linux/arm64", "aarch64", "linux"),
        ("macos-arm64-cp313", "3.13", "macos/arm64", "arm64", "darwin"),
        ("windows-amd64-cp311", "3.11", "windows/amd64", "AMD64", "win32"),
        ("windows-arm64-cp311", "3.11", "windows/arm64", "ARM64", "win32"),
        ("windows-x86-cp311", "3.11", "windows/x86", "x86", "win32"),
    ],
)
def test_targets(text: str, python: str, docker: str, machine: str, sys_platform: str) -> None:
    target = Target.parse(text, patch=7)
    assert (str(target), target.python, target.docker_platform) == (text, python, docker)
    assert target.markers["platform_machine"] == machine
    assert target.markers["sys_platform"] == sys_platform
    assert target.markers["python_version"] == python
    assert target.markers["python_full_version"] == target.markers["implementation_version"] == f"{python}.7"
    assert target == Target.parse(text)
    assert hash(target) == hash(Target.parse(text))


# -- which patch release ------------------------------------------------------------------------------------------


@given(
    minor=st.integers(8, 16),
    wanted=st.lists(
        st.lists(
            st.builds(
                "{}3.{}{}".format,
                st.sampled_from((">=", "<", "!=", "==", "~=", ">", "<=")),
                st.integers(8, 16),
                st.sampled_from(("", ".0", ".1", ".5", ".11", ".40", ".*")),
            ),
            max_size=3,
        ),
        max_size=3,
    ),
)
def test_the_newest_patch_that_fits(minor: int, wanted: list[list[str]]) -> None:
    texts = [
        ",".join(part for part in parts if not part.endswith("*") or part.startswith(("==", "!="))) for parts in wanted
    ]
    target = Target.parse(f"linux-x86_64-cp3{minor}")
    both = SpecifierSet(",".join(text for text in texts if text))
    fits = [patch for patch in range(100) if both.contains(f"3.{minor}.{patch}")]
    known = [patch for patch in fits if patch <= target.patch]
    expected = max(known) if known else min(fits, default=target.patch)
    fitted = target.fitted(texts)
    assert fitted.patch == expected
    assert (fitted, fitted.glibc) == (target, target.glibc)


def test_a_target_without_a_fitting_patch_stays() -> None:
    target = Target.parse("linux-x86_64-cp312")
    assert target.fitted([">=3.13"]) is target
    assert target.fitted([">=3.12", ""]) is target
    assert target.fitted(["==3.12.3", ">=3.11"]).markers["python_full_version"] == "3.12.3"
    assert target.fitted(["==3.12.3", "!=3.12.3"]) is target


# -- which wheels: this machine ---------------------------------------------------------------------------------------

MACHINE = platform.machine()
GLIBC = platform.libc_ver()


@pytest.mark.skipif(
    sys.platform != "linux" or GLIBC[0] != "glibc" or platform.python_implementation() != "CPython",
    reason="the tags of this machine are compared on linux with glibc only",
)
@pytest.mark.skipif(bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="this Python has another ABI")
def test_tags_of_this_machine_in_their_order() -> None:
    """`packaging` knows them from the running interpreter, we from the name of the target alone."""
    major, minor = (int(part) for part in GLIBC[1].split(".")[:2])
    target = Target.parse(f"linux-{MACHINE}-cp3{sys.version_info.minor}", glibc=(major, minor))
    real = [f"a-1-{tag}.whl" for tag in sys_tags()]
    ours = usable(target, *reversed(real))
    assert set(ours) == set(real)
    # `packaging` prefers plain linux wheels to manylinux ones, uv the other way round: below, uv is asked.
    plain = f"-linux_{MACHINE}.whl"
    assert [name for name in ours if not name.endswith(plain)] == [name for name in real if not name.endswith(plain)]


@pytest.mark.parametrize("minor", range(7, 21))
@pytest.mark.parametrize(
    "platforms",
    [["any_machine"], ["manylinux_2_35_x86_64", "linux_x86_64"], ["win_amd64"], [*mac_platforms((14, 0), "arm64")]],
    ids=lambda platforms: platforms[0],
)
def test_tags_as_packaging_orders_them(minor: int, platforms: list[str]) -> None:
    abi = f"cp3{minor}" if minor > 7 else "cp37m"
    real = [*cpython_tags((3, minor), [abi], platforms), *compatible_tags((3, minor), f"cp3{minor}", platforms)]
    assert list(tags_of_cpython(minor, platforms)) == list(map(str, real))


@pytest.mark.parametrize("variable", ["Py_GIL_DISABLED", "Py_DEBUG"])
def test_tags_do_not_depend_on_the_running_interpreter(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sysconfig.get_config_var
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: 1 if name == variable else real(name))
    good = ["a-1-cp313-cp313-linux_x86_64.whl", "a-1-cp313-abi3-linux_x86_64.whl"]
    assert usable(Target.parse("linux-x86_64-cp313"), *good, "a-1-cp313-cp313t-linux_x86_64.whl") == good


@pytest.mark.parametrize("glibc", [*GLIBC_OF_UBUNTU.values(), (2, 17), (2, 5)])
def test_manylinux_up_to_the_glibc_of_the_image(glibc: tuple[int, int]) -> None:
    target = Target.parse("linux-x86_64-cp312", glibc=glibc)
    wheels = {minor: f"a-1-cp312-cp312-manylinux_2_{minor}_x86_64.whl" for minor in range(5, 60)}
    assert usable(target, *wheels.values()) == [wheels[minor] for minor in range(glibc[1], 4, -1)]
    for legacy, minor in (("manylinux1", 5), ("manylinux2010", 12), ("manylinux2014", 17)):
        assert bool(usable(target, f"a-1-py3-none-{legacy}_x86_64.whl")) is (minor <= glibc[1])


@pytest.mark.parametrize("tags", ["py3.-none-any", "py2.3-none-any", "py9.zz-abi99-plan9_vax", "_-_-_"])
def test_tags_that_mean_nothing_are_not_usable_and_no_crash(tags: str) -> None:
    target = Target.parse("linux-x86_64-cp312")
    assert usable(target, f"a-1-{tags}.whl") == ([f"a-1-{tags}.whl"] if tags == "py3.-none-any" else [])


# -- which wheel: build numbers and sdists --------------------------------------------------------------------------


def test_build_numbers_from_the_highest_to_none() -> None:
    builds = ["10", "2", "1ab", "1a", "1", "0", "0"]
    names = [f"a-1-{build}-py3-none-any.whl" for build in builds[:-1]] + ["a-1-py3-none-any.whl"]
    target = Target.parse("linux-x86_64-cp312")
    for order in (names, names[::-1], sorted(names)):
        assert usable(target, *order) == names


def test_a_better_tag_beats_a_higher_build() -> None:
    target = Target.parse("linux-x86_64-cp312")
    best, other = "a-1-cp312-cp312-linux_x86_64.whl", "a-1-9-py3-none-any.whl"
    assert usable(target, other, best) == [best, other]


def test_equal_wheels_stay_in_the_order_of_the_file() -> None:
    target = Target.parse("linux-x86_64-cp312")
    names = [f"a-1-cp312-cp312-{platform}manylinux_2_28_x86_64.whl" for platform in ("", "linux_x86_64.", "win32.")]
    for order in itertools.permutations(names):
        assert usable(target, *order) == list(order)


def test_the_sdist_is_chosen_where_no_wheel_fits() -> None:
    target = Target.parse("linux-x86_64-cp312")
    fits, foreign, archive = "a-1-py3-none-any.whl", "a-1-py3-none-win_amd64.whl", "a-1.tar.gz"
    for names, expected in (
        ((foreign, fits, archive), fits),
        ((foreign, archive), archive),
        ((archive,), archive),
        ((foreign,), None),
        ((), None),
    ):
        chosen = target.chosen(package(*names))
        assert (chosen.filename if chosen else None) == expected


# -- which wheel: real uv -------------------------------------------------------------------------------------------

# target -> uv's name of it
TRIPLES = {
    "linux-x86_64": "x86_64-manylinux_2_28",
    "linux-aarch64": "aarch64-manylinux_2_28",
    "macos-arm64": "aarch64-apple-darwin",
    "macos-x86_64": "x86_64-apple-darwin",
    "windows-amd64": "x86_64-pc-windows-msvc",
    "windows-arm64": "aarch64-pc-windows-msvc",
}
OF_PLATFORM = {
    "linux": (
        *(
            "linux_{}",
            "manylinux1_{}",
            "manylinux2010_{}",
            "manylinux2014_{}",
            "manylinux_2_17_{}",
            "manylinux_2_28_{}",
        ),
        *("manylinux_2_24_{}", "manylinux_2_29_{}", "manylinux_2_39_{}", "musllinux_1_2_{}"),
        "manylinux_2_17_{}.manylinux2014_{}",
    ),
    "macos": (
        *("macosx_10_9_{}", "macosx_10_16_{}", "macosx_11_0_{}", "macosx_13_0_{}", "macosx_14_0_{}", "macosx_15_0_{}"),
        *("macosx_10_9_universal2", "macosx_11_0_universal2", "macosx_14_0_universal2", "macosx_10_9_intel"),
    ),
    "windows": ("win32", "win_amd64", "win_arm64", "win_{}"),
}


@st.composite
def tags(draw: st.DrawFn, target: Target) -> str:
    """`[build-]python-abi-platform` around what the target can install."""
    own = f"cp3{target.minor}"
    near = [f"cp3{target.minor + step}" for step in (-1, 1)]
    python = draw(
        st.sampled_from(
            (own, own, own, *near, "cp32", "py3", f"py3{target.minor}", "py2.py3", "py2", f"{own}.{near[0]}")
        )
    )
    abi = draw(st.sampled_from((own, own, "abi3", "none", near[0], f"{own}t", "none.abi3")))
    templates = [*OF_PLATFORM[target.platform], *OF_PLATFORM[target.platform], "any", "manylinux_2_17_ppc64le", "win32"]
    place = draw(st.sampled_from(templates)).replace("{}", target.machine)
    build = draw(st.sampled_from(("", "", "", "0-", "1-", "1a-", "1ab-", "2-", "10-")))
    return f"{build}{python}-{abi}-{place}"


def write(folder: Path, name: str, tag: str) -> str:
    """Write a wheel whose one module says its file name, and return the name."""
    build, plain = ("", tag) if tag.count("-") == 2 else tag.split("-", 1)
    path = wheel(folder, name, "1", tag=plain, files={})
    filename = f"{name}-1-{build}-{plain}.whl" if build else path.name
    path = wheel(folder, name, "1", tag=plain, files={f"{name}.txt": filename})
    path.rename(folder / filename)
    return filename


def universal(draw: st.DrawFn, target: Target) -> list[list[str]]:
    """The tags of a few packages, each with a wheel that every target can install, so that uv never gives up."""
    lists = st.lists(tags(target), max_size=5, unique=True)
    found = draw(st.lists(lists, min_size=12, max_size=12))
    for each in found:
        each.insert(draw(st.integers(0, len(each))), "py2.py3-none-any")
    return [list(dict.fromkeys(each)) for each in found]


@st.composite
def choices(draw: st.DrawFn, minors: tuple[int, ...]) -> tuple[Target, list[list[str]]]:
    """A target, and the tags of a few packages."""
    target = Target.parse(f"{draw(st.sampled_from(sorted(TRIPLES)))}-cp3{draw(st.sampled_from(minors))}", glibc=(2, 28))
    return target, universal(draw, target)


def installed(folder: Path) -> dict[str, str]:
    """Which wheel of each package is installed below a folder."""
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.rglob("asked*.txt")}


ASKING_UV = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would ask uv a thousand times
)
ENVIRONMENT = {"MACOSX_DEPLOYMENT_TARGET": "14.0"}  # the macOS that a target means


@ASKING_UV
@given(drawn=choices((sys.version_info.minor,)))
def test_the_wheel_that_uv_installs_from_a_lock(
    drawn: tuple[Target, list[list[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`uv sync --frozen`, for another platform, with the interpreter that is here."""
    target, packages = drawn
    folder = tmp_path_factory.mktemp("sync")
    names = [f"asked{number}" for number in range(len(packages))]
    lock = f'version = 1\nrequires-python = ">={target.python}"\n\n[[package]]\nname = "app"\nversion = "0"\n'
    lock += (
        'source = { virtual = "." }\ndependencies = [' + ", ".join(f'{{ name = "{name}" }}' for name in names) + "]\n"
    )
    for name, found in zip(names, packages, strict=True):
        files = ", ".join(f'{{ path = "{write(folder / "find", name, tag)}" }}' for tag in found)
        lock += f'\n[[package]]\nname = "{name}"\nversion = "1"\nsource = {{ registry = "find" }}\nwheels = [{files}]\n'
    (folder / "uv.lock").write_text(lock, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "0"\nrequires-python = ">={target.python}"\ndependencies = {names}\n',
        encoding="utf-8",
    )
    uv(
        *("sync", "--frozen", "--offline", "--quiet", "--python", sys.executable),
        *("--python-platform", TRIPLES[f"{target.platform}-{target.machine}"]),
        cwd=folder,
        env=ENVIRONMENT,
    )
    chosen = {found.name: target.chosen(found) for found in read_lock(folder / "uv.lock").packages[1:]}
    assert {name: found and found.filename for name, found in chosen.items()} == installed(folder / ".venv"), target


@ASKING_UV
@given(drawn=choices((9, 10, 12, 13, 14)))
def test_the_wheel_that_uv_installs_for_another_python(
    drawn: tuple[Target, list[list[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`uv pip install --target`, for a Python that need not be here."""
    target, packages = drawn
    folder = tmp_path_factory.mktemp("install")
    names = {
        f"asked{number}": [write(folder / "find", f"asked{number}", tag) for tag in found]
        for number, found in enumerate(packages)
    }
    uv(
        *("pip", "install", "--no-deps", "--no-index", "--find-links", "find", "--quiet", "--target", "to"),
        *("--python-platform", TRIPLES[f"{target.platform}-{target.machine}"], "--python-version", target.python),
        *names,
        cwd=folder,
        env=ENVIRONMENT,
    )
    theirs = installed(folder / "to")
    assert set(theirs) == set(names)
    for name, filenames in names.items():
        ranks = {filename: target.rank(artifact(filename)) for filename in filenames}
        best = usable(target, *filenames)
        # Of two wheels that fit equally well, the resolver takes whichever the index names first.
        equal = {each for each in best if ranks[each] == ranks[best[0]] and each.count("-") == best[0].count("-")}
        assert theirs[name] in equal, (target, filenames)


def test_uv_builds_the_sdist_only_where_no_wheel_fits(tmp_path: Path) -> None:
    for name in ("fits", "foreign"):
        sdist(tmp_path / "find", name, "1")
    write(tmp_path / "find", "fits", "py3-none-any")
    write(tmp_path / "find", "foreign", "py3-none-win32")
    target = Target.parse("linux-x86_64-cp312", glibc=(2, 28))
    for name, wheels in (("fits", ["fits-1-py3-none-any.whl"]), ("foreign", ["foreign-1-py3-none-win32.whl"])):
        done = uv(
            *("pip", "install", "--dry-run", "--no-deps", "--no-index", "--find-links", "find", "--target", "to"),
            *("--python-platform", TRIPLES["linux-x86_64"], "--python-version", "3.12", "--no-build", name),
            cwd=tmp_path,
            check=False,
        )
        chosen = target.chosen(package(*wheels, f"{name}-1.tar.gz"))
        assert chosen is not None
        assert (done.returncode == 0) is chosen.is_wheel, done.stderr
