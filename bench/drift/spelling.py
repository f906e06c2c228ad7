"""Harmless: another order or another spelling of the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from packaging.version import Version

from bench.drift.kind import Family

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from bench.drift.kind import Expected
    from bench.drift.text import Entry
    from bench.drift.view import Draft, Side

SPELLING: Final = Family("harmless")
NOTHING: Final[Expected] = ()
_SIDES: Final[tuple[Side, Side]] = ("dev", "prod")
_MARKER: Final = re.compile(r'marker = "(?P<text>[^"]*)"')
_LIST: Final = re.compile(r"^(?P<lead>[A-Za-z0-9_-]+ = \[\n)(?P<items>(?:    .*\n)+)(?=\]$)", re.MULTILINE)


def a_side(rng: Random) -> Side:
    """One of the two."""
    return rng.choice(_SIDES)


def replace_in_entries(draft: Draft, side: Side, pattern: str, new: str | Callable[[re.Match[str]], str]) -> bool:
    """Replace in every entry of a lock; whether anything changed."""
    changed = False
    for each in draft.lock(side).entries:
        text = re.sub(pattern, new, each.text, flags=re.MULTILINE)
        changed |= text != each.text
        each.text = text
    return changed


# -- order ---------------------------------------------------------------------------------------------------------


@SPELLING.kind("packages in another order", noise=True)
def _packages(draft: Draft, rng: Random) -> Expected | None:
    entries = draft.lock(a_side(rng)).entries
    for each in entries:
        each.text = each.text.rstrip() + "\n\n"
    rng.shuffle(entries)
    return NOTHING


def _shuffled(rng: Random, entry: Entry, wanted: Callable[[str], bool]) -> None:
    def shuffle(match: re.Match[str]) -> str:
        items = match["items"].splitlines(keepends=True)
        if not wanted(items[0]):
            return match[0]
        rng.shuffle(items)
        return match["lead"] + "".join(items)

    entry.text = _LIST.sub(shuffle, entry.text)


@SPELLING.kind("wheels in another order", noise=True)
def _wheels(draft: Draft, rng: Random) -> Expected | None:
    for each in draft.lock(a_side(rng)).entries:
        _shuffled(rng, each, lambda item: "name = " not in item)
    return NOTHING


@SPELLING.kind("edges and requirements in another order", noise=True)
def _edges(draft: Draft, rng: Random) -> Expected | None:
    for each in draft.lock(a_side(rng)).entries:
        _shuffled(rng, each, lambda item: "name = " in item)
    return NOTHING


@SPELLING.kind("keys of a file in another order", noise=True)
def _keys(draft: Draft, rng: Random) -> Expected | None:
    pattern = r'\{ (url = "[^"]*"), (hash = "[^"]*"), (size = \d+)'
    return NOTHING if replace_in_entries(draft, a_side(rng), pattern, r"{ \3, \2, \1") else None


@SPELLING.kind("forks in another order", noise=True)
def _forks(draft: Draft, rng: Random) -> Expected | None:
    lock = draft.lock(a_side(rng))
    match = re.search(r"^resolution-markers = \[\n((?:    .*\n)+)\]", lock.head, re.MULTILINE)
    if match is None:
        return None
    items = match[1].splitlines(keepends=True)
    rng.shuffle(items)
    lock.head = lock.head.replace(match[1], "".join(items), 1)
    return NOTHING


@SPELLING.kind("dependencies of pyproject.toml in another order")
def _dependencies(draft: Draft, rng: Random) -> Expected | None:
    project = draft.project("prod")["project"]
    items = [str(each) for each in project["dependencies"]]
    rng.shuffle(items)
    project["dependencies"] = items
    return NOTHING


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
    for each in draft.lock(a_side(rng)).entries:
        body, rest = each.body, each.text[len(each.body) :]
        new = body + change(rest) if metadata else change(body) + rest
        changed |= new != each.text
        each.text = new
    return NOTHING if changed else None


@SPELLING.kind("markers of edges with other spaces and parentheses", noise=True)
def _spaces(draft: Draft, rng: Random) -> Expected | None:
    return _parts(draft, rng, lambda text: _MARKER.sub(_respelled(rng), text), metadata=False)


@SPELLING.kind("markers of requirements with other spaces and parentheses")
def _requirement_spaces(draft: Draft, rng: Random) -> Expected | None:
    return _parts(draft, rng, lambda text: _MARKER.sub(_respelled(rng), text), metadata=True)


@SPELLING.kind("markers with the literal first", noise=True)
def _swapped(draft: Draft, rng: Random) -> Expected | None:
    pattern = r"(?P<name>sys_platform|platform_machine|os_name) (?P<sign>==|!=) (?P<literal>'[^']*')"

    def spell(match: re.Match[str]) -> str:
        return re.sub(pattern, r"\g<literal> \g<sign> \g<name>", match[0])

    return NOTHING if replace_in_entries(draft, a_side(rng), _MARKER.pattern, spell) else None


@SPELLING.kind("markers with their conditions in another order", noise=True)
def _conditions(draft: Draft, rng: Random) -> Expected | None:
    def spell(match: re.Match[str]) -> str:
        text = match["text"]
        if "(" in text or " or " in text:
            return match[0]
        parts = text.split(" and ")
        rng.shuffle(parts)
        return f'marker = "{" and ".join(parts)}"'

    return NOTHING if replace_in_entries(draft, a_side(rng), _MARKER.pattern, spell) else None


@SPELLING.kind("markers that repeat what is so anyway")
def _redundant(draft: Draft, rng: Random) -> Expected | None:
    """As locks of an older uv do: every edge repeats the environments of the lock."""

    def spell(match: re.Match[str]) -> str:
        return f"marker = \"({match['text']}) and python_full_version >= '3'\""

    side = a_side(rng)
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
    return NOTHING if changed else None


@SPELLING.kind("trailing slash of an index")
def _slash(draft: Draft, rng: Random) -> Expected | None:
    return (
        NOTHING
        if replace_in_entries(draft, a_side(rng), r'registry = "(https?://[^"]*[^/"])"', r'registry = "\1/"')
        else None
    )


@SPELLING.kind("scheme and host of an index in other case")
def _host(draft: Draft, rng: Random) -> Expected | None:
    def spell(match: re.Match[str]) -> str:
        return f'registry = "HTTPS://{match[1].title()}/'

    return NOTHING if replace_in_entries(draft, a_side(rng), r'registry = "https://([^/"]+)/', spell) else None


@SPELLING.kind("%2B for a plus, or the reverse", noise=True)
def _plus(draft: Draft, rng: Random) -> Expected | None:
    def spell(match: re.Match[str]) -> str:
        path, file = match[1], match[2]
        return f"{path}{file.replace('%2B', '+') if '%2B' in file else file.replace('+', '%2B')}"

    return (
        NOTHING
        if replace_in_entries(draft, a_side(rng), r'(\{ url = "[^"]*/)([^/"]*\.whl)(?=", (?:hash|size))', spell)
        else None
    )


@SPELLING.kind("local part of a file name in capitals")
def _capitals(draft: Draft, rng: Random) -> Expected | None:
    def spell(match: re.Match[str]) -> str:
        return match[1] + match[2].upper() + match[3]

    pattern = r'(\{ url = "[^"]*/[^/"-]*-[^/"-]*(?:\+|%2B))([a-z0-9.]+)(-[^/"]*\.whl", (?:hash|size))'
    changed = False
    for each in draft.lock(a_side(rng)).entries:
        if '\nsource = { registry = "' in each.text:
            text = re.sub(pattern, spell, each.text)
            changed |= text != each.text
            each.text = text
    return NOTHING if changed else None


@SPELLING.kind("versions in another spelling of PEP 440")
def _versions(draft: Draft, rng: Random) -> Expected | None:
    def spell(match: re.Match[str]) -> str:
        version = Version(match[2])
        plain = not (version.is_prerelease or version.is_postrelease or version.local or version.epoch)
        forms = [f"v{match[2]}", *([f"{match[2]}.0"] if plain else [])]
        return f'{match[1]}"{forms[len(match[2]) % len(forms)]}"'

    side = a_side(rng)
    changed = False
    for each in draft.lock(side).entries:
        if '\nsource = { registry = "' in each.text:
            text = re.sub(r'^(version = )"([^"]+)"$', spell, each.text, count=1, flags=re.MULTILINE)
            changed |= text != each.text
            each.text = text
    return NOTHING if changed else None


@SPELLING.kind("names that are not normalised", noise=True)
def _names(draft: Draft, rng: Random) -> Expected | None:
    def spell(match: re.Match[str]) -> str:
        return f'{match[1]}"{match[2].replace("-", "_").title()}"'

    side = a_side(rng)
    pattern = r'^(name = |    \{ name = )"([a-z][a-z0-9-]*)"'
    return NOTHING if replace_in_entries(draft, side, pattern, spell) else None


@SPELLING.kind("requires-python with other spaces and another order", noise=True)
def _python(draft: Draft, rng: Random) -> Expected | None:
    lock = draft.lock(a_side(rng))

    def spell(match: re.Match[str]) -> str:
        parts = [re.sub(r"^([<>=!~]+)\s*", r"\1 ", each.strip()) for each in match[1].split(",")]
        rng.shuffle(parts)
        return f'requires-python = "{" ,".join(parts)}"'

    lock.head = re.sub(r'^requires-python = "([^"]*)"$', spell, lock.head, count=1, flags=re.MULTILINE)
    return NOTHING


@SPELLING.kind("hash in capitals", noise=True)
def _hash(draft: Draft, rng: Random) -> Expected | None:
    pattern = r'(?<=hash = "sha256:)[0-9a-f]{64}(?=")'
    return NOTHING if replace_in_entries(draft, a_side(rng), pattern, lambda match: match[0].upper()) else None


@SPELLING.kind("spelling of a git source")
def _git(draft: Draft, rng: Random) -> Expected | None:
    """`.git`, a full commit instead of a tag, a commit in capitals, the case of a host that folds it."""
    side = a_side(rng)
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
    return NOTHING if replace_in_entries(draft, side, pattern, spell) else None


@SPELLING.kind("names in pyproject.toml that are not normalised")
def _project_names(draft: Draft, rng: Random) -> Expected | None:
    del rng
    items: Any = draft.project("prod").get("project", {}).get("dependencies", [])
    changed = False
    for place, each in enumerate(items):
        name = re.match(r"[a-z][a-z0-9-]*", str(each))
        if name is not None and " @ " not in str(each):
            items[place] = name[0].replace("-", "_").title() + str(each)[name.end() :]
            changed = True
    return NOTHING if changed else None
