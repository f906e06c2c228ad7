"""The two selections side by side: states, reasons, sizes, findings, and what cannot be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.cli.options import Overrides
from auditor.report.graph.model import State
from auditor.report.size import size
from tests.report.pictures import CONFIG, DEV, PROD, TORCH, picture_of
from tests.rules.specimens import TARGET, lock, package, plain, root, wheel, write_pair

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.report.graph.model import View


@pytest.fixture
def view(tmp_path: Path) -> View:
    """One package of each kind."""
    (found,) = picture_of(write_pair(tmp_path, dev=DEV, prod=PROD, config=CONFIG)).views
    return found


def names(view: View, state: State) -> set[str]:
    return {package.name for package in view.of(state)}


def test_states(view: View) -> None:
    assert names(view, State.DRIFTED) == {"numpy"}
    assert names(view, State.PROD_ONLY) == {"orjson"}
    assert names(view, State.SHARED) == {"torch", "flash-attn"}
    assert names(view, State.DEV_ONLY) == {"rich", "matplotlib", "pytest", "iniconfig"}


def test_what_no_side_installs_is_not_shown(view: View) -> None:
    shown = {package.name for package in view.packages}
    assert not shown & {"app", "app-prod", "sphinx", "starlette"}


def test_why_dev_has_what_prod_has_not(view: View) -> None:
    assert {package.name: package.why for package in view.of(State.DEV_ONLY)} == {
        "rich": ("dependency",),
        "matplotlib": ("extra viz",),
        "pytest": ("group dev",),
        "iniconfig": ("group dev",),
    }


def test_order_is_state_then_size(view: View) -> None:
    assert [package.name for package in view.packages][:4] == ["numpy", "orjson", "torch", "flash-attn"]


def test_compiled_has_no_other_state(view: View) -> None:
    assert [package.name for package in view.packages if package.compiled] == ["flash-attn"]


def test_each_side_has_its_version_file_and_way(view: View) -> None:
    (numpy,) = view.of(State.DRIFTED)
    assert numpy.dev is not None
    assert numpy.prod is not None
    assert (numpy.dev.version, numpy.prod.version) == ("2.1.0", "2.0.0")
    assert numpy.dev.file == "numpy-2.1.0-py3-none-any.whl"
    assert numpy.dev.path == ("app", "numpy")
    assert numpy.prod.path == ("app-prod", "numpy")
    assert numpy.dev.kind == "registry"
    assert [remark.code for remark in numpy.remarks] == ["LA103"]


def test_edges_that_held(tmp_path: Path) -> None:
    needs = ["rich", '{ name = "colorama", marker = "sys_platform == \'win32\'" }']
    text = plain(package("typer", needs=needs), package("rich"), package("colorama"))
    (found,) = picture_of(write_pair(tmp_path, dev=text, prod=text)).views
    (typer,) = [each for each in found.packages if each.name == "typer"]
    assert typer.dev is not None
    assert typer.dev.needs == ("rich",)


def test_totals(view: View) -> None:
    assert (view.dev.count, view.dev.unknown) == (7, 1)
    assert view.dev.size == 760_000_000 + 8_000_000 + 4 * 1000
    assert (view.prod.count, view.prod.size) == (4, 760_000_000 + 8_000_000 + 140_000 + 1000)


def test_in_dev_only_as_a_tool_is_a_difference(tmp_path: Path) -> None:
    """Both images have it, but dev's production selection does not: that is what LA102 is about."""
    tools = lock(root(needs=["rich"], groups={"dev": ["pytest"]}), package("rich"), package("pytest"))
    folder = write_pair(tmp_path, dev=tools, prod=plain(package("rich"), package("pytest")))
    (found,) = picture_of(folder).views
    (pytest_node,) = found.of(State.DRIFTED)
    assert pytest_node.why == ("group dev",)
    assert [remark.code for remark in pytest_node.remarks] == ["LA102"]


def test_another_file_of_one_version_is_a_difference(tmp_path: Path) -> None:
    other = package("torch", "2.6.0", wheels=[wheel("torch", "2.6.0", hash="sha256:" + 64 * "0")])
    (found,) = picture_of(write_pair(tmp_path, dev=plain(TORCH), prod=plain(other))).views
    assert names(found, State.DRIFTED) == {"torch"}


def test_an_accepted_difference_is_one_and_says_why(tmp_path: Path) -> None:
    folder = write_pair(
        tmp_path,
        dev=plain(package("numpy", "2.1.0")),
        prod=plain(package("numpy", "2.0.0")),
        config='ignore = { LA103 = "until March" }\n',
    )
    picture = picture_of(folder)
    (numpy,) = picture.views[0].of(State.DRIFTED)
    assert [remark.accepted for remark in numpy.remarks] == ["until March"]
    assert picture.counts == ()


def test_a_target_that_is_not_covered_says_so(tmp_path: Path) -> None:
    folder = write_pair(tmp_path, dev=DEV, prod=PROD, config=CONFIG, targets=("linux-x86_64-cp311",))
    (found,) = picture_of(folder).views
    assert found.packages == ()
    assert any("does not cover linux-x86_64-cp311" in note for note in found.notes)


def test_default_groups_that_conflict_are_left_out_with_a_note(tmp_path: Path) -> None:
    conflicts = 'conflicts = [[{ package = "app", extra = "viz" }, { package = "app", group = "dev" }]]\n'
    text = lock(
        root(needs=["rich"], extras={"viz": ["numpy"]}, groups={"dev": ["pytest"]}),
        package("rich"),
        package("numpy"),
        package("pytest"),
        top=conflicts,
    )
    folder = write_pair(tmp_path, dev=text, prod=plain(package("rich")), config=CONFIG)
    (found,) = picture_of(folder).views
    assert names(found, State.DEV_ONLY) == {"numpy"}
    assert any("without its default groups" in note for note in found.notes)


def test_one_view_for_each_target(tmp_path: Path) -> None:
    targets = (TARGET, "linux-aarch64-cp312")
    picture = picture_of(write_pair(tmp_path, dev=DEV, prod=PROD, config=CONFIG, targets=targets))
    assert [each.target for each in picture.views] == list(targets)


def test_findings_about_nothing_that_is_drawn_are_kept(tmp_path: Path) -> None:
    wider = plain(package("rich"), requires_python=">=3.11")
    picture = picture_of(write_pair(tmp_path, dev=plain(package("rich")), prod=wider))
    assert [remark.code for remark in picture.remarks] == ["LA111"]


def test_logins_and_control_characters_never_get_in(tmp_path: Path) -> None:
    source = 'registry = "https://user:secret@index.example/\\u202esimple"'
    text = plain(package("rich", source=source))
    picture = picture_of(write_pair(tmp_path, dev=text, prod=text), Overrides())
    assert "secret" not in repr(picture)
    assert "\u202e" not in repr(picture)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_960, "10.0 kB"),
        (10_400, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (766_715_424, "767 MB"),
        (3_104_385_034, "3.1 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes_have_three_digits(count: int | None, text: str) -> None:
    assert size(count) == text
