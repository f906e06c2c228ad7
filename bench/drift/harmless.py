"""Harmless: what no target installs, what no installation reads, and another form of the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from auditor.lock.environment import Target
from auditor.names import normalize
from bench.drift.artifacts import digest
from bench.drift.kind import Family, Kind
from bench.drift.text import with_hash
from bench.drift.view import LOCKS, PROJECTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from bench.drift.kind import Expected
    from bench.drift.text import Entry
    from bench.drift.view import Draft, Side

from bench.drift.spelling import NOTHING, SPELLING, a_side, replace_in_entries

_FAMILY: Final = Family("harmless")
_LIST: Final = re.compile(r"^(?P<lead>[A-Za-z0-9_-]+ = \[\n)(?P<items>(?:    .*\n)+)(?=\]$)", re.MULTILINE)


def _off_target(draft: Draft, side: Side) -> list[tuple[Entry, str]]:
    """(entry, line) of the wheels that no target of the pair can install."""
    found = []
    targets = [each.target for each in draft.view.on_targets]
    for package, entry in zip(draft.view.lock(side).packages, draft.lock(side).entries, strict=True):
        if package.source.kind != "registry" or package.name in draft.view.accepted:
            continue
        lines = {each.location: each.line for each in entry.files() if each.is_wheel}
        found += [
            (entry, lines[wheel.location])
            for wheel in package.wheels
            if all(target.rank(wheel) is None for target in targets)
        ]
    return found


@_FAMILY.kind("wheels for other platforms added in prod")
def _more_wheels(draft: Draft, rng: Random) -> Expected | None:
    targets = [each.target for each in draft.view.on_targets]
    tag = next(
        each
        for each in ("cp312-cp312-win_arm64", "cp27-none-win32", "cp36-cp36m-win32")
        if all(target.rank(_wheel(each)) is None for target in targets)
    )
    changed = False
    for package, entry in zip(draft.view.lock("prod").packages, draft.lock("prod").entries, strict=True):
        wheels = [each for each in entry.files() if each.is_wheel and "://" in each.location]
        if package.source.kind == "registry" and wheels and rng.random() < 0.5:
            parts = wheels[0].filename.split("-")
            new = "-".join([*parts[:2], tag]) + ".whl"
            if new not in entry.text:
                entry.add_wheel(with_hash(wheels[0].line.replace(wheels[0].filename, new), digest(rng)))
                changed = True
    return NOTHING if changed else None


def _wheel(tag: str) -> Any:  # noqa: ANN401 - an artifact of which only the name matters
    from auditor.lock.model import Artifact  # noqa: PLC0415

    return Artifact(filename=f"a-1-{tag}.whl", location="", hash=None, size=None, is_wheel=True)


@_FAMILY.kind("wheels for other platforms removed in prod")
def _fewer_wheels(draft: Draft, rng: Random) -> Expected | None:
    found = [each for each in _off_target(draft, "prod") if rng.random() < 0.7]
    for entry, line in found:
        entry.drop_line(line)
    return NOTHING if found else None


@_FAMILY.kind("wheels for other platforms only in dev")
def _dev_wheels(draft: Draft, rng: Random) -> Expected | None:
    found = [each for each in _off_target(draft, "dev") if rng.random() < 0.5]
    for entry, line in found:
        entry.drop_line(line)
    return NOTHING if found else None


@_FAMILY.kind("sdists left out, where a wheel is installed")
def _no_sdists(draft: Draft, rng: Random) -> Expected | None:
    side = a_side(rng)
    targets = [each.target for each in draft.view.on_targets]
    changed = False
    for package, entry in zip(draft.view.lock(side).packages, draft.lock(side).entries, strict=True):
        if package.source.kind == "registry" and all(target.usable(package) for target in targets):
            for each in [each for each in entry.files() if not each.is_wheel]:
                entry.drop_line(each.line)
                changed = True
    return NOTHING if changed else None


@_FAMILY.kind("upload times left out", noise=True)
def _upload_times(draft: Draft, rng: Random) -> Expected | None:
    return NOTHING if replace_in_entries(draft, a_side(rng), r', upload-time = "[^"]*"', "") else None


@_FAMILY.kind("upload times added", noise=True)
def _more_upload_times(draft: Draft, rng: Random) -> Expected | None:
    pattern = r'(hash = "[^"]*"(?:, size = \d+)?) \}'
    return (
        NOTHING
        if replace_in_entries(draft, a_side(rng), pattern, r'\1, upload-time = "2025-06-01T12:00:00Z" }')
        else None
    )


@_FAMILY.kind("sizes left out")
def _sizes(draft: Draft, rng: Random) -> Expected | None:
    return NOTHING if replace_in_entries(draft, a_side(rng), r", size = \d+", "") else None


@_FAMILY.kind("another known revision")
def _revision(draft: Draft, rng: Random) -> Expected | None:
    side = a_side(rng)
    lock = draft.lock(side)
    known = draft.view.lock(side).revision
    own = [each for each in lock.entries if each.source in {'{ virtual = "." }', '{ editable = "." }'}]
    if not known or not own or any("[package.metadata]" not in each.text for each in own):
        return None  # up to revision 3, a lock without metadata is none that uv would write
    # Not 5: from then on the groups that are installed by default are in the lock.
    others = [each for each in (1, 2, 3, 4) if each != known]
    lock.head = re.sub(r"^revision = \d+$", f"revision = {rng.choice(others)}", lock.head, flags=re.MULTILINE)
    return NOTHING


@_FAMILY.kind("key that nobody knows", noise=True)
def _unknown_key(draft: Draft, rng: Random) -> Expected | None:
    lock = draft.lock(a_side(rng))
    lock.head = lock.head.replace("version = 1\n", 'version = 1\na-new-key = "a value"\n', 1)
    for each in lock.entries:
        if rng.random() < 0.3:
            each.text = each.text.replace("\nsource = ", '\nnew-field = ["x"]\nsource = ', 1)
    return NOTHING


# -- the file itself -----------------------------------------------------------------------------------------------


def _lines(draft: Draft, path: str, change: Callable[[str], str]) -> Expected | None:
    old = draft.file(path)
    new = change(old)
    if new == old:
        return None
    draft.set_file(path, new)
    return NOTHING


@_FAMILY.kind("comments and empty lines in a lock", noise=True)
def _comments(draft: Draft, rng: Random) -> Expected | None:
    lock = draft.lock(a_side(rng))
    lock.head = "# Nobody should edit this file.\n\n" + lock.head
    for each in lock.entries:
        if rng.random() < 0.3:
            each.text = each.text.replace("\nsource = ", "  # a note\n# another\n\nsource = ", 1)
    return NOTHING


@_FAMILY.kind("comments in pyproject.toml")
def _project_comments(draft: Draft, rng: Random) -> Expected | None:
    return _lines(draft, PROJECTS[a_side(rng)], lambda text: f"# A comment.\n{text}\n# The end: nothing follows.\n")


@_FAMILY.kind("CRLF in a lock", noise=True, last=True)
def _crlf(draft: Draft, rng: Random) -> Expected | None:
    return _lines(draft, LOCKS[a_side(rng)], lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n"))


@_FAMILY.kind("CRLF in pyproject.toml")
def _project_crlf(draft: Draft, rng: Random) -> Expected | None:
    return _lines(draft, PROJECTS[a_side(rng)], lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n"))


@_FAMILY.kind("byte order mark", noise=True, last=True)
def _bom(draft: Draft, rng: Random) -> Expected | None:
    path = rng.choice(sorted(LOCKS.values()))
    return _lines(draft, path, lambda text: "\ufeff" + text.removeprefix("\ufeff"))


@_FAMILY.kind("lists on one line")
def _one_line(draft: Draft, rng: Random) -> Expected | None:
    def join(match: re.Match[str]) -> str:
        items = [each.strip().removesuffix(",") for each in match["items"].splitlines()]
        return f"{match['lead'].rstrip()}{', '.join(items)}"

    side = a_side(rng)
    for each in draft.lock(side).entries:
        each.text = _LIST.sub(join, each.text)
    return NOTHING


@_FAMILY.kind("what only dev's groups use, changed", noise=True)
def _dev_only(draft: Draft, rng: Random) -> Expected | None:
    """A hash of a package that prod does not have."""
    prod = {each.name for each in draft.view.texts["prod"].entries}
    pool = [
        each
        for each in draft.lock("dev").entries
        if normalize(each.name) not in prod
        and '\nsource = { registry = "' in each.text
        and 'hash = "sha256:' in each.text
    ]
    if not pool:
        return None
    entry = rng.choice(pool)
    entry.text = re.sub(r"sha256:[0-9a-f]{64}", lambda _: digest(rng), entry.text)
    return NOTHING


@_FAMILY.kind("targets of the settings named twice or in another order")
def _targets(draft: Draft, rng: Random) -> Expected | None:
    settings = draft.project("dev").get("tool", {}).get("lockaudit", {})
    if "targets" not in settings:
        return None
    names = [str(each) for each in settings["targets"]]
    settings["targets"] = [*reversed(names), str(Target.parse(rng.choice(names)))]
    return NOTHING


HARMLESS: Final[tuple[Kind, ...]] = (*SPELLING.kinds, *_FAMILY.kinds)
