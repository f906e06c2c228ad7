"""Harmless: another spelling, another order, or something that no target installs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from packaging.version import Version

from auditor.lock.environment import Target
from auditor.lock.read import normalize
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

_FAMILY: Final = Family("harmless")
_NOTHING: Final[Expected] = ()
_SIDES: Final[tuple[Side, Side]] = ("dev", "prod")
_MARKER: Final = re.compile(r'marker = "(?P<text>[^"]*)"')
_LIST: Final = re.compile(r"^(?P<lead>[A-Za-z0-9_-]+ = \[\n)(?P<items>(?:    .*\n)+)(?=\]$)", re.MULTILINE)


def _side(rng: Random) -> Side:
    return rng.choice(_SIDES)


def _sub(draft: Draft, side: Side, pattern: str, new: str | Callable[[re.Match[str]], str]) -> bool:
    """Replace in every entry of a lock; whether anything changed."""
    changed = False
    for each in draft.lock(side).entries:
        text = re.sub(pattern, new, each.text, flags=re.MULTILINE)
        changed |= text != each.text
        each.text = text
    return changed


# -- order ---------------------------------------------------------------------------------------------------------


@_FAMILY.kind("packages in another order", noise=True)
def _packages(draft: Draft, rng: Random) -> Expected | None:
    entries = draft.lock(_side(rng)).entries
    for each in entries:
        each.text = each.text.rstrip() + "\n\n"
    rng.shuffle(entries)
    return _NOTHING


def _shuffled(rng: Random, entry: Entry, wanted: Callable[[str], bool]) -> None:
    def shuffle(match: re.Match[str]) -> str:
        items = match["items"].splitlines(keepends=True)
        if not wanted(items[0]):
            return match[0]
        rng.shuffle(items)
        return match["lead"] + "".join(items)

    entry.text = _LIST.sub(shuffle, entry.text)


@_FAMILY.kind("wheels in another order", noise=True)
def _wheels(draft: Draft, rng: Random) -> Expected | None:
    for each in draft.lock(_side(rng)).entries:
        _shuffled(rng, each, lambda item: "name = " not in item)
    return _NOTHING


@_FAMILY.kind("edges and requirements in another order", noise=True)
def _edges(draft: Draft, rng: Random) -> Expected | None:
    for each in draft.lock(_side(rng)).entries:
        _shuffled(rng, each, lambda item: "name = " in item)
    return _NOTHING


@_FAMILY.kind("keys of a file in another order", noise=True)
def _keys(draft: Draft, rng: Random) -> Expected | None:
    pattern = r'\{ (url = "[^"]*"), (hash = "[^"]*"), (size = \d+)'
    return _NOTHING if _sub(draft, _side(rng), pattern, r"{ \3, \2, \1") else None


@_FAMILY.kind("forks in another order", noise=True)
def _forks(draft: Draft, rng: Random) -> Expected | None:
    lock = draft.lock(_side(rng))
    match = re.search(r"^resolution-markers = \[\n((?:    .*\n)+)\]", lock.head, re.MULTILINE)
    if match is None:
        return None
    items = match[1].splitlines(keepends=True)
    rng.shuffle(items)
    lock.head = lock.head.replace(match[1], "".join(items), 1)
    return _NOTHING


@_FAMILY.kind("dependencies of pyproject.toml in another order")
def _dependencies(draft: Draft, rng: Random) -> Expected | None:
    project = draft.project("prod")["project"]
    items = [str(each) for each in project["dependencies"]]
    rng.shuffle(items)
    project["dependencies"] = items
    return _NOTHING


# -- spelling ------------------------------------------------------------------------------------------------------


def _respelled(rng: Random) -> Callable[[re.Match[str]], str]:
    def spell(match: re.Match[str]) -> str:
        text = re.sub(
            r"\s*(==|!=|>=|<=|(?<![<>=!])[<>](?!=))\s*",
            lambda sign: rng.choice((f" {sign[1]} ", sign[1])),
            match["text"],
        )
        return f'marker = "{rng.choice((text, f"({text})", f"  {text} "))}"'

    return spell


def _parts(draft: Draft, rng: Random, change: Callable[[str], str], *, metadata: bool) -> Expected | None:
    """Change the edges of every entry, or its metadata."""
    changed = False
    for each in draft.lock(_side(rng)).entries:
        body, rest = each.body, each.text[len(each.body) :]
        new = body + change(rest) if metadata else change(body) + rest
        changed |= new != each.text
        each.text = new
    return _NOTHING if changed else None


@_FAMILY.kind("markers of edges with other spaces and parentheses", noise=True)
def _spaces(draft: Draft, rng: Random) -> Expected | None:
    return _parts(draft, rng, lambda text: _MARKER.sub(_respelled(rng), text), metadata=False)


@_FAMILY.kind("markers of requirements with other spaces and parentheses")
def _requirement_spaces(draft: Draft, rng: Random) -> Expected | None:
    return _parts(draft, rng, lambda text: _MARKER.sub(_respelled(rng), text), metadata=True)


@_FAMILY.kind("markers with the literal first", noise=True)
def _swapped(draft: Draft, rng: Random) -> Expected | None:
    pattern = r"(?P<name>sys_platform|platform_machine|os_name) (?P<sign>==|!=) (?P<literal>'[^']*')"

    def spell(match: re.Match[str]) -> str:
        return re.sub(pattern, r"\g<literal> \g<sign> \g<name>", match[0])

    return _NOTHING if _sub(draft, _side(rng), _MARKER.pattern, spell) else None


@_FAMILY.kind("markers with their conditions in another order", noise=True)
def _conditions(draft: Draft, rng: Random) -> Expected | None:
    def spell(match: re.Match[str]) -> str:
        text = match["text"]
        if "(" in text or " or " in text:
            return match[0]
        parts = text.split(" and ")
        rng.shuffle(parts)
        return f'marker = "{" and ".join(parts)}"'

    return _NOTHING if _sub(draft, _side(rng), _MARKER.pattern, spell) else None


@_FAMILY.kind("markers that repeat what is so anyway")
def _redundant(draft: Draft, rng: Random) -> Expected | None:
    """As locks of an older uv do: every edge repeats the environments of the lock."""

    def spell(match: re.Match[str]) -> str:
        return f"marker = \"({match['text']}) and python_full_version >= '3'\""

    side = _side(rng)
    changed = False
    for each in draft.lock(side).entries:
        place = len(each.body)
        body = re.sub(_MARKER.pattern, spell, each.text[:place])
        body = re.sub(
            r'^(    \{ name = "[^"]+") \},$',
            r"""\1, marker = "python_full_version >= '3'" },""",
            body,
            flags=re.MULTILINE,
        )
        changed |= body != each.text[:place]
        each.text = body + each.text[place:]
    return _NOTHING if changed else None


@_FAMILY.kind("trailing slash of an index")
def _slash(draft: Draft, rng: Random) -> Expected | None:
    return _NOTHING if _sub(draft, _side(rng), r'registry = "(https?://[^"]*[^/"])"', r'registry = "\1/"') else None


@_FAMILY.kind("scheme and host of an index in other case")
def _host(draft: Draft, rng: Random) -> Expected | None:
    def spell(match: re.Match[str]) -> str:
        return f'registry = "HTTPS://{match[1].title()}/'

    return _NOTHING if _sub(draft, _side(rng), r'registry = "https://([^/"]+)/', spell) else None


@_FAMILY.kind("%2B for a plus, or the reverse", noise=True)
def _plus(draft: Draft, rng: Random) -> Expected | None:
    def spell(match: re.Match[str]) -> str:
        path, file = match[1], match[2]
        return f"{path}{file.replace('%2B', '+') if '%2B' in file else file.replace('+', '%2B')}"

    return _NOTHING if _sub(draft, _side(rng), r'(\{ url = "[^"]*/)([^/"]*\.whl)(?=", (?:hash|size))', spell) else None


@_FAMILY.kind("local part of a file name in capitals")
def _capitals(draft: Draft, rng: Random) -> Expected | None:
    def spell(match: re.Match[str]) -> str:
        return match[1] + match[2].upper() + match[3]

    pattern = r'(\{ url = "[^"]*/[^/"-]*-[^/"-]*(?:\+|%2B))([a-z0-9.]+)(-[^/"]*\.whl", (?:hash|size))'
    changed = False
    for each in draft.lock(_side(rng)).entries:
        if '\nsource = { registry = "' in each.text:
            text = re.sub(pattern, spell, each.text)
            changed |= text != each.text
            each.text = text
    return _NOTHING if changed else None


@_FAMILY.kind("versions in another spelling of PEP 440")
def _versions(draft: Draft, rng: Random) -> Expected | None:
    def spell(match: re.Match[str]) -> str:
        version = Version(match[2])
        plain = not (version.is_prerelease or version.is_postrelease or version.local or version.epoch)
        forms = [f"v{match[2]}", *([f"{match[2]}.0"] if plain else [])]
        return f'{match[1]}"{forms[len(match[2]) % len(forms)]}"'

    side = _side(rng)
    changed = False
    for each in draft.lock(side).entries:
        if '\nsource = { registry = "' in each.text:
            text = re.sub(r'^(version = )"([^"]+)"$', spell, each.text, count=1, flags=re.MULTILINE)
            changed |= text != each.text
            each.text = text
    return _NOTHING if changed else None


@_FAMILY.kind("names that are not normalised", noise=True)
def _names(draft: Draft, rng: Random) -> Expected | None:
    def spell(match: re.Match[str]) -> str:
        return f'{match[1]}"{match[2].replace("-", "_").title()}"'

    side = _side(rng)
    pattern = r'^(name = |    \{ name = )"([a-z][a-z0-9-]*)"'
    return _NOTHING if _sub(draft, side, pattern, spell) else None


@_FAMILY.kind("requires-python with other spaces and another order", noise=True)
def _python(draft: Draft, rng: Random) -> Expected | None:
    lock = draft.lock(_side(rng))

    def spell(match: re.Match[str]) -> str:
        parts = [re.sub(r"^([<>=!~]+)\s*", r"\1 ", each.strip()) for each in match[1].split(",")]
        rng.shuffle(parts)
        return f'requires-python = "{" ,".join(parts)}"'

    lock.head = re.sub(r'^requires-python = "([^"]*)"$', spell, lock.head, count=1, flags=re.MULTILINE)
    return _NOTHING


@_FAMILY.kind("hash in capitals", noise=True)
def _hash(draft: Draft, rng: Random) -> Expected | None:
    pattern = r'(?<=hash = "sha256:)[0-9a-f]{64}(?=")'
    return _NOTHING if _sub(draft, _side(rng), pattern, lambda match: match[0].upper()) else None


@_FAMILY.kind("spelling of a git source")
def _git(draft: Draft, rng: Random) -> Expected | None:
    """`.git`, a full commit instead of a tag, a commit in capitals, the case of a host that folds it."""
    side = _side(rng)
    how = rng.randrange(4)

    def spell(match: re.Match[str]) -> str:
        url, query, commit = match["url"], match["query"] or "", match["commit"]
        if how == 0:
            url = url.removesuffix(".git") if url.endswith(".git") else f"{url}.git"
        elif how == 1:
            kept = [each for each in query.lstrip("?").split("&") if each.startswith(("subdirectory=", "lfs="))]
            query = "?" + "&".join([*kept, f"rev={commit}"])
        elif how == 2:
            commit = commit.upper()
        else:
            url = re.sub(r"^https://[^/]+", lambda host: host[0].upper().replace("HTTPS", "https"), url)
        return f'git = "{url}{query}#{commit}"'

    pattern = r'git = "(?P<url>[^"?#]+)(?P<query>\?[^"#]*)?#(?P<commit>[0-9a-f]{40})"'
    return _NOTHING if _sub(draft, side, pattern, spell) else None


@_FAMILY.kind("names in pyproject.toml that are not normalised")
def _project_names(draft: Draft, rng: Random) -> Expected | None:
    del rng
    items: Any = draft.project("prod").get("project", {}).get("dependencies", [])
    changed = False
    for place, each in enumerate(items):
        name = re.match(r"[a-z][a-z0-9-]*", str(each))
        if name is not None and " @ " not in str(each):
            items[place] = name[0].replace("-", "_").title() + str(each)[name.end() :]
            changed = True
    return _NOTHING if changed else None


# -- what no target installs, and what no installation reads --------------------------------------------------------


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
    return _NOTHING if changed else None


def _wheel(tag: str) -> Any:  # noqa: ANN401 - an artifact of which only the name matters
    from auditor.lock.model import Artifact  # noqa: PLC0415

    return Artifact(filename=f"a-1-{tag}.whl", location="", hash=None, size=None, is_wheel=True)


@_FAMILY.kind("wheels for other platforms removed in prod")
def _fewer_wheels(draft: Draft, rng: Random) -> Expected | None:
    found = [each for each in _off_target(draft, "prod") if rng.random() < 0.7]
    for entry, line in found:
        entry.drop_line(line)
    return _NOTHING if found else None


@_FAMILY.kind("wheels for other platforms only in dev")
def _dev_wheels(draft: Draft, rng: Random) -> Expected | None:
    found = [each for each in _off_target(draft, "dev") if rng.random() < 0.5]
    for entry, line in found:
        entry.drop_line(line)
    return _NOTHING if found else None


@_FAMILY.kind("sdists left out, where a wheel is installed")
def _no_sdists(draft: Draft, rng: Random) -> Expected | None:
    side = _side(rng)
    targets = [each.target for each in draft.view.on_targets]
    changed = False
    for package, entry in zip(draft.view.lock(side).packages, draft.lock(side).entries, strict=True):
        if package.source.kind == "registry" and all(target.usable(package) for target in targets):
            for each in [each for each in entry.files() if not each.is_wheel]:
                entry.drop_line(each.line)
                changed = True
    return _NOTHING if changed else None


@_FAMILY.kind("upload times left out", noise=True)
def _upload_times(draft: Draft, rng: Random) -> Expected | None:
    return _NOTHING if _sub(draft, _side(rng), r', upload-time = "[^"]*"', "") else None


@_FAMILY.kind("upload times added", noise=True)
def _more_upload_times(draft: Draft, rng: Random) -> Expected | None:
    pattern = r'(hash = "[^"]*"(?:, size = \d+)?) \}'
    return _NOTHING if _sub(draft, _side(rng), pattern, r'\1, upload-time = "2025-06-01T12:00:00Z" }') else None


@_FAMILY.kind("sizes left out")
def _sizes(draft: Draft, rng: Random) -> Expected | None:
    return _NOTHING if _sub(draft, _side(rng), r", size = \d+", "") else None


@_FAMILY.kind("another known revision")
def _revision(draft: Draft, rng: Random) -> Expected | None:
    side = _side(rng)
    lock = draft.lock(side)
    known = draft.view.lock(side).revision
    if not known:
        return None
    others = [each for each in (1, 2, 3, 4) if each != known and (each < 4 or known > 3)]
    lock.head = re.sub(r"^revision = \d+$", f"revision = {rng.choice(others)}", lock.head, flags=re.MULTILINE)
    # From revision 5 on the groups are in the lock; before, only a project's own setting has them.
    return _NOTHING


@_FAMILY.kind("key that nobody knows", noise=True)
def _unknown_key(draft: Draft, rng: Random) -> Expected | None:
    lock = draft.lock(_side(rng))
    lock.head = lock.head.replace("version = 1\n", 'version = 1\na-new-key = "a value"\n', 1)
    for each in lock.entries:
        if rng.random() < 0.3:
            each.text = each.text.replace("\nsource = ", '\nnew-field = ["x"]\nsource = ', 1)
    return _NOTHING


# -- the file itself -----------------------------------------------------------------------------------------------


def _lines(draft: Draft, path: str, change: Callable[[str], str]) -> Expected | None:
    old = draft.file(path)
    new = change(old)
    if new == old:
        return None
    draft.set_file(path, new)
    return _NOTHING


@_FAMILY.kind("comments and empty lines in a lock", noise=True)
def _comments(draft: Draft, rng: Random) -> Expected | None:
    lock = draft.lock(_side(rng))
    lock.head = "# Nobody should edit this file.\n\n" + lock.head
    for each in lock.entries:
        if rng.random() < 0.3:
            each.text = each.text.replace("\nsource = ", "  # a note\n# another\n\nsource = ", 1)
    return _NOTHING


@_FAMILY.kind("comments in pyproject.toml")
def _project_comments(draft: Draft, rng: Random) -> Expected | None:
    return _lines(draft, PROJECTS[_side(rng)], lambda text: f"# A comment.\n{text}\n# The end: nothing follows.\n")


@_FAMILY.kind("CRLF in a lock", noise=True, last=True)
def _crlf(draft: Draft, rng: Random) -> Expected | None:
    return _lines(draft, LOCKS[_side(rng)], lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n"))


@_FAMILY.kind("CRLF in pyproject.toml")
def _project_crlf(draft: Draft, rng: Random) -> Expected | None:
    return _lines(draft, PROJECTS[_side(rng)], lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n"))


@_FAMILY.kind("byte order mark", noise=True, last=True)
def _bom(draft: Draft, rng: Random) -> Expected | None:
    path = rng.choice(sorted(LOCKS.values()))
    return _lines(draft, path, lambda text: "\ufeff" + text.removeprefix("\ufeff"))


@_FAMILY.kind("lists on one line")
def _one_line(draft: Draft, rng: Random) -> Expected | None:
    def join(match: re.Match[str]) -> str:
        items = [each.strip().removesuffix(",") for each in match["items"].splitlines()]
        return f"{match['lead'].rstrip()}{', '.join(items)}"

    side = _side(rng)
    for each in draft.lock(side).entries:
        each.text = _LIST.sub(join, each.text)
    return _NOTHING


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
    return _NOTHING


@_FAMILY.kind("targets of the settings named twice or in another order")
def _targets(draft: Draft, rng: Random) -> Expected | None:
    settings = draft.project("dev").get("tool", {}).get("lockaudit", {})
    if "targets" not in settings:
        return None
    names = [str(each) for each in settings["targets"]]
    settings["targets"] = [*reversed(names), str(Target.parse(rng.choice(names)))]
    return _NOTHING


HARMLESS: Final[tuple[Kind, ...]] = tuple(_FAMILY.kinds)
