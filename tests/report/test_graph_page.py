"""The page in a real browser: the keyboard alone, no request, both colour schemes, a telephone's width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from auditor.report.graph.html import render_html
from tests.report.chromium import Browser, chromium, find_chromium
from tests.report.pictures import CONFIG, DEV, PROD, picture_of, write_project
from tests.rules.specimens import package, plain, write_pair
from tests.support import REPOSITORY, missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOCUSED: Final = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
CARD: Final = "document.querySelector('#v0 .card').textContent"
BUILD_CARD: Final = "document.querySelector('#b0 .card').textContent"
ROWS: Final = "[...document.querySelectorAll('#v0 .row')].filter(row => row.checkVisibility()).map(row => row.id)"
WIDE: Final = 1280
NARROW: Final = 390

# Every text that is shown, against what is really behind it; WCAG 2's formula, as in the tests of the style sheet.
CONTRAST: Final = """(() => {
  const parse = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
  const over = (top, below) => top.slice(0, 3)
    .map((part, at) => part * (top[3] ?? 1) + below[at] * (1 - (top[3] ?? 1)));
  const ground = (element) => {
    if (!element) return parse(getComputedStyle(document.body).backgroundColor);
    const color = parse(getComputedStyle(element).backgroundColor);
    return (color[3] ?? 1) === 1 ? color : over(color, ground(element.parentElement));
  };
  const light = (color) => color.slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest(".said, script, .skip")) continue;
    const back = ground(element), front = over(parse(getComputedStyle(element).color), back);
    const [low, high] = [light(front), light(back)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) found.push([element.tagName, element.className, element.textContent.slice(0, 30), ratio]);
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser, for all of these tests."""
    path = find_chromium()
    if path is None:
        missing("Chromium is not installed (Debian's package chromium)")
        raise AssertionError
    with chromium(path, tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of this repository."""
    return _page(tmp_path_factory.mktemp("own"), REPOSITORY)


@pytest.fixture(scope="module")
def specimen(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a pair with one package of each kind."""
    folder = tmp_path_factory.mktemp("specimen")
    return _page(folder, write_project(folder / "project"))


def _page(folder: Path, root: Path) -> str:
    path = folder / "graph.html"
    path.write_text(render_html(picture_of(root)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Browser, specimen: str) -> Browser:
    """The specimen's page, freshly loaded on a wide screen."""
    _resize(browser, WIDE)
    browser.open(specimen)
    return browser


def _resize(browser: Browser, width: int) -> None:
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width == NARROW
    )


def test_nothing_is_requested_and_nothing_goes_wrong(browser: Browser, own: str) -> None:
    browser.open(own)
    requested = [event["request"]["url"] for event in browser.happened("Network.requestWillBeSent")]
    assert set(requested) == {own}
    assert browser.happened("Log.entryAdded") == []
    assert browser.happened("Runtime.exceptionThrown") == []
    assert browser.evaluate("document.querySelector('#v0-p-torch b').textContent") == "torch"


def test_search_and_selection_by_keyboard_alone(page: Browser) -> None:
    page.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.press(*"numpy")
    assert page.evaluate(ROWS) == ["v0-p-numpy"]
    assert page.evaluate("document.querySelector('#hits').textContent").startswith("1 package,")
    page.press("ArrowDown")
    assert page.evaluate(FOCUSED) == "numpy, differs: 2.1.0 1.0 kB in dev, 2.0.0 1.0 kB in prod"
    page.press("Enter")
    assert page.evaluate("document.querySelector('#v0-p-numpy button').getAttribute('aria-current')") == "true"
    assert "LA103 numpy 2.0.0 in prod, 2.1.0 in dev" in page.evaluate(CARD)
    assert page.evaluate("document.querySelector('#said').textContent").startswith("Selected: numpy, differs")
    assert page.evaluate("location.hash") == "#q=numpy&select=v0-p-numpy"
    page.press("Escape")
    assert "What you see" in page.evaluate(CARD)
    assert page.evaluate(FOCUSED).startswith("numpy,")
    page.press("Escape")
    assert page.evaluate("document.querySelector('#q').value") == ""
    assert len(page.evaluate(ROWS)) == 8


def test_arrow_keys_go_through_all_packages(page: Browser) -> None:
    page.press("/", "ArrowDown")
    seen = [page.evaluate(FOCUSED).partition(",")[0]]
    for _ in range(7):
        page.press("ArrowDown")
        seen.append(page.evaluate(FOCUSED).partition(",")[0])
    assert seen == ["numpy", "orjson", "flash-attn", "torch", "matplotlib", "pytest", "rich", "iniconfig"]
    page.press("ArrowUp")
    assert page.evaluate(FOCUSED).startswith("rich,")
    page.press("Home")
    assert page.evaluate(FOCUSED).startswith("numpy,")
    page.press("End")
    assert page.evaluate(FOCUSED).startswith("iniconfig,")


def test_tab_stops_once_in_each_list_and_reaches_the_build(page: Browser) -> None:
    page.press("/")
    places, stops = ".row, .node, .tile, summary, .tables", []
    for _ in range(17):
        page.press("Tab")
        stops.append(page.evaluate(f"document.activeElement.closest('{places}')?.className"))
    tiles = [stop for stop in stops if stop and stop.startswith("tile")]
    rows = [stop for stop in stops if stop and stop.startswith("row")]
    nodes = [stop for stop in stops if stop and stop.startswith("node")]
    assert (len(tiles), len(rows), len(nodes)) == (5, 5, 1)
    assert stops[-1] == "tables"


def test_focus_can_be_seen(page: Browser) -> None:
    page.press("/", "ArrowDown")
    outline = page.evaluate("getComputedStyle(document.activeElement).outline")
    assert "3px" in outline
    assert "solid" in outline


def test_the_build_by_keyboard_alone(page: Browser) -> None:
    page.evaluate("document.querySelector('#b0 .node[tabindex=\"0\"]').focus()")
    page.press("Home", "ArrowDown")
    seen = {page.evaluate("document.activeElement.id")}
    for _ in range(8):
        page.press("ArrowDown")
        seen.add(page.evaluate("document.activeElement.id"))
    assert {"b0-b-input-uv-lock", "b0-b-input-prod-uv-lock", "b0-b-input-sources"} <= seen
    while page.evaluate("document.activeElement.id") != "b0-b-input-prod-uv-lock":
        page.press("ArrowUp")
    page.press("Enter")
    shown = page.evaluate(BUILD_CARD)
    assert "A change of it builds again" in shown
    assert "stages deps-prod, prod, dev" in shown
    marked = "[...document.querySelectorAll('#b0 .node.{0}')].map(node => node.id.slice(5))"
    assert page.evaluate(marked.format("sure")) == [
        "stage-deps-prod",
        *sorted(["stage-prod", "stage-dev"], key=["stage-dev", "stage-prod"].index),
        *sorted(["target-prod", "target-dev"], key=["target-dev", "target-prod"].index),
        "cache-prod",
    ]
    assert page.evaluate(marked.format("late")) == []
    page.press("ArrowRight")
    assert page.evaluate("document.activeElement.id").startswith("b0-b-stage-")
    page.press("Escape")
    assert page.evaluate(marked.format("sure")) == []


def test_a_dev_lock_reaches_the_wheel_only_through_its_key(page: Browser) -> None:
    page.evaluate("document.querySelector('#b0-b-input-uv-lock').click()")
    marked = "document.querySelector('#b0-b-stage-compile').className"
    assert "late" in page.evaluate(marked).split()
    assert "Builds again only if a build key differs" in page.evaluate(BUILD_CARD)


def test_links_in_details_select_what_they_name(page: Browser) -> None:
    page.evaluate("document.querySelector('#v0-p-flash-attn button').click()")
    page.evaluate("document.querySelector('#v0 .card a[href=\"#v0-p-torch\"]').click()")
    assert page.evaluate(FOCUSED).startswith("torch,")
    assert "Needed byflash-attn" in page.evaluate(CARD)


def test_tiles_show_only_their_own(page: Browser) -> None:
    page.press("/", "Tab", "Enter")
    assert page.evaluate(ROWS) == ["v0-p-numpy"]
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    page.press(" ")
    assert len(page.evaluate(ROWS)) == 8


def test_an_address_can_be_shared(browser: Browser, specimen: str) -> None:
    browser.open(f"{specimen}#q=torch&select=v0-p-torch")
    assert browser.evaluate(ROWS) == ["v0-p-flash-attn", "v0-p-torch"]  # flash-attn's build key names torch
    assert browser.evaluate(FOCUSED).startswith("torch,")
    browser.open(f"{specimen}#v0-p-rich")
    assert browser.evaluate(FOCUSED).startswith("rich,")


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_letter_is_legible(browser: Browser, own: str, specimen: str, scheme: str, width: int) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.call("Emulation.setEmulatedMedia", media="", features=features)
    _resize(browser, width)
    try:
        for address in (own, f"{specimen}#select=v0-p-numpy&select=b0-b-input-uv-lock"):
            browser.open(address)
            ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (ground == "rgb(255, 255, 255)") is (scheme == "light")
            assert browser.evaluate(CONTRAST) == []
            assert browser.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        browser.call("Emulation.setEmulatedMedia", media="", features=[])


def test_everything_that_can_be_used_has_a_name(page: Browser) -> None:
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    used = [each for each in nodes if each["role"]["value"] in {"button", "link", "searchbox", "region", "table"}]
    assert len(used) > 50
    assert [each for each in used if not each["name"]["value"].strip()] == []


def test_several_targets_are_shown_one_at_a_time(browser: Browser, tmp_path: Path) -> None:
    targets = ("linux-x86_64-cp312", "linux-aarch64-cp312")
    root = write_pair(tmp_path / "pair", dev=DEV, prod=PROD, config=CONFIG, targets=targets)
    browser.open(_page(tmp_path, root))
    shown = "[...document.querySelectorAll('.view')].filter(view => !view.hidden).map(view => view.id)"
    assert browser.evaluate(shown) == ["v0"]
    browser.evaluate("document.querySelector('[data-show=v1]').click()")
    assert browser.evaluate(shown) == ["v1"]


def test_a_hostile_lock_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    evil = "</script><script>window.evil=1</script><img src=x onerror=window.evil=1>"
    text = plain(package("rich", source=f"registry = 'https://index.example/{evil}'"))
    address = _page(tmp_path, write_pair(tmp_path / "pair", dev=text, prod=text))
    browser.open(f"{address}#select=v0-p-rich")
    assert browser.evaluate("window.evil") is None
    assert "<img src=x" in browser.evaluate(CARD)
    assert {event["request"]["url"].partition("#")[0] for event in browser.happened("Network.requestWillBeSent")} == {
        address
    }


def test_six_hundred_packages_are_searched_at_once(browser: Browser, tmp_path: Path) -> None:
    text = plain(*(package(f"package-{number}") for number in range(600)))
    browser.open(_page(tmp_path, write_pair(tmp_path / "pair", dev=text, prod=text)))
    assert len(browser.evaluate(ROWS)) == 10  # the largest; the others are folded away
    browser.press("/", *"package-599")
    assert browser.evaluate(ROWS) == ["v0-p-package-599"]
