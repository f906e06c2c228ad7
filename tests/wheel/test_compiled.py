"""Which packages an image compiles: no list of names, but what a lock says."""

from __future__ import annotations

import pytest

from auditor.wheel.compiled import compiled_packages
from tests.rules.specimens import INDEX, LINUX, MACOS, PURE, edge, lock, package, registry, root, sdist
from tests.wheel.specimens import select

TORCH = package("torch", "2.6.0", wheels=[LINUX])
SDIST = sdist("kernels")
GIT = f'git = "https://git.example/kernels?tag=v1#{"a" * 40}"'


def kernels(
    *, wheels: tuple[str, ...] = (), archive: str = SDIST, needs: tuple[str, ...] = ("torch",), source: str = ""
) -> str:
    """A package beside torch."""
    return package("kernels", source=source or registry(INDEX), needs=needs, wheels=wheels, sdist=archive)


# the package, whether it is compiled
PACKAGES = {
    "an sdist and torch": (kernels(), True),
    "a commit and torch": (kernels(source=GIT, archive=""), True),
    "wheels for other platforms": (kernels(wheels=(MACOS,)), True),
    "wheels for other Pythons": (kernels(wheels=(LINUX.replace("cp312", "cp310"),)), True),
    "a wheel for the target": (kernels(wheels=(MACOS, LINUX)), False),
    "a wheel for everything": (kernels(wheels=(PURE,)), False),
    "a wheel of a stable ABI": (kernels(wheels=("cp39-abi3-manylinux_2_28_x86_64",)), False),
    "wheels only and none that fits": (kernels(wheels=(MACOS,), archive=""), False),
    "no torch": (kernels(needs=()), False),
    "torch on other platforms": (kernels(needs=(edge("torch", marker="sys_platform == 'darwin'"),)), False),
    "torch through another package": (kernels(needs=("lightning",)), False),
    "a source tree": (kernels(source='editable = "packages/kernels"', archive=""), False),
    "a folder": (kernels(source='directory = "packages/kernels"', archive=""), False),
}
LIGHTNING = package("lightning", needs=["torch"])


def names(entry: str, *, also: tuple[str, ...] = (), never: tuple[str, ...] = ()) -> list[str]:
    """The names of what is compiled."""
    text = lock(root(needs=["torch", "kernels", "lightning"]), TORCH, LIGHTNING, entry)
    _, selection = select(text)
    return [each.name for each in compiled_packages(selection, also=also, never=never)]


@pytest.mark.parametrize(("entry", "compiled"), PACKAGES.values(), ids=PACKAGES)
def test_what_is_compiled(entry: str, *, compiled: bool) -> None:
    assert names(entry) == (["kernels"] if compiled else [])


def test_a_team_may_compile_what_has_a_wheel() -> None:
    assert names(kernels(wheels=(LINUX,)), also=("kernels",)) == ["kernels"]


def test_a_team_may_know_better() -> None:
    assert names(kernels(), never=("kernels",)) == []
    assert names(kernels(), also=("kernels",), never=("kernels",)) == []


def test_what_is_not_selected_is_not_compiled() -> None:
    text = lock(root(needs=["torch"], extras={"fast": ["kernels"]}), TORCH, kernels())
    assert compiled_packages(select(text)[1], also=("kernels",)) == ()
    assert [each.name for each in compiled_packages(select(text, extras=("fast",))[1])] == ["kernels"]


def test_several_come_in_the_order_of_their_names() -> None:
    entries = [package(name, needs=["torch"], wheels=(), sdist=sdist(name)) for name in ("z", "a", "m")]
    text = lock(root(needs=["z", "a", "m"]), *entries, TORCH)
    assert [each.name for each in compiled_packages(select(text)[1])] == ["a", "m", "z"]
