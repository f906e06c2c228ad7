"""Harmful: the same version from another place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from auditor.lock.model import SourceKind
from bench.drift.kind import Family

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from bench.drift.kind import Expected
    from bench.drift.view import Draft, Victim

SOURCES: Final = Family("source")

_ASKED: Final = "the project asks for the source that it was, by an index, a URL or a repository"
_UNCONFIGURED: Final = "the registry is one that no project configures"
_BESIDE: Final = "torch's CUDA is read from its index, and what stands beside it no longer fits"
_MOVED: Final = "a full commit that is asked for is no longer the one that is locked"
_HOSTS: Final = "the file's host is none that the registry's other files come from"


def _commit(rng: Random) -> str:
    return f"{rng.getrandbits(160):040x}"


def code_of(victim: Victim) -> str:
    """The rule that speaks of a source: torch has its own."""
    return "LA201" if victim.name == "torch" else "LA105"


def _registry(draft: Draft, rng: Random, change: Callable[[str], str], *, torch: bool | None = None) -> Expected | None:
    """Change the address of a registry in prod."""
    victim = draft.view.pick(
        rng,
        lambda each: (
            each.from_registry
            and (torch is None or (each.name == "torch") == torch)
            and "://" in each.prod.source.location
            and change(each.prod.source.location) != each.prod.source.location
        ),
    )
    if victim is None:
        return None
    new = change(victim.prod.source.location)
    draft.set_source("prod", victim.prod, f'{{ registry = "{new}" }}')
    draft.note = f"{victim.name} from {new}"
    return [(code_of(victim), victim.name)]


@SOURCES.kind("registry of another index", LA302=_ASKED, LA311=_UNCONFIGURED, LA304=_HOSTS)
def _other(draft: Draft, rng: Random) -> Expected | None:
    return _registry(draft, rng, lambda _: "https://mirror.example/simple", torch=False)


@SOURCES.kind("registry over http", LA302=_ASKED, LA311=_UNCONFIGURED)
def _http(draft: Draft, rng: Random) -> Expected | None:
    return _registry(draft, rng, lambda url: url.replace("https://", "http://"), torch=False)


@SOURCES.kind("registry path in other case", LA302=_ASKED, LA311=_UNCONFIGURED, LA204=_BESIDE)
def _case(draft: Draft, rng: Random) -> Expected | None:
    return _registry(draft, rng, lambda url: re.sub(r"[^/]+/?$", lambda match: match[0].capitalize(), url))


@SOURCES.kind("registry with a subdomain, port or query", LA302=_ASKED, LA311=_UNCONFIGURED, LA304=_HOSTS)
def _address(draft: Draft, rng: Random) -> Expected | None:
    how = rng.choice((r"https://eu.\1\2", r"https://\1:8443\2", r"https://\1\2?mirror=1"))
    return _registry(draft, rng, lambda url: re.sub(r"^https://([^/]+)(.*)$", how, url), torch=False)


@SOURCES.kind(
    "torch from another CUDA index", LA302=_ASKED, LA311=_UNCONFIGURED, LA204=_BESIDE, LA205=_BESIDE, LA304=_HOSTS
)
def _torch(draft: Draft, rng: Random) -> Expected | None:
    return _registry(draft, rng, lambda _: "https://download.example/whl/cu118", torch=True)


@SOURCES.kind(
    "torch of the default index instead of a CUDA index",
    LA302=_ASKED,
    LA204=_BESIDE,
    LA205=_BESIDE,
    LA206=_BESIDE,
    LA304=_HOSTS,
)
def _torch_default(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(
        rng,
        lambda each: (
            each.from_registry
            and each.name == "torch"
            and each.prod.version is not None
            and bool(each.prod.version.local)
        ),
    )
    if victim is None or victim.prod.version is None:
        return None
    lock = draft.view.lock("prod")
    others = [each.source.location for each in lock.packages if each.source.kind is SourceKind.REGISTRY]
    usual = max(sorted(set(others)), key=others.count)
    known = [(each.version, each.source.location) for each in lock.by_name["torch"]]
    public = type(victim.prod.version)(victim.prod.version.public)
    if usual == victim.prod.source.location or (public, usual) in known:
        return None
    draft.set_pin("prod", victim.prod, str(public), f'{{ registry = "{usual}" }}')
    draft.note = f"torch {public} from {usual}"
    return [("LA201", "torch")]


def _of_kind(draft: Draft, rng: Random, kind: SourceKind) -> Victim | None:
    return draft.view.pick(rng, lambda each: each.is_same and each.prod.source.kind is kind)


def _git(draft: Draft, rng: Random, pattern: str, new: str) -> Expected | None:
    """Change the git source of a package in prod."""
    victim = _of_kind(draft, rng, SourceKind.GIT)
    if victim is None:
        return None
    old = draft.entry("prod", victim.prod).source
    changed = re.sub(pattern, new, old, count=1)
    if changed == old:
        return None
    draft.set_source("prod", victim.prod, changed)
    draft.note = f"{victim.name}: {changed}"
    return [("LA105", victim.name)]


@SOURCES.kind("git commit moved in prod", LA117=_MOVED)
def _sha(draft: Draft, rng: Random) -> Expected | None:
    commit = _commit(rng)
    victim = _of_kind(draft, rng, SourceKind.GIT)
    if victim is None:
        return None
    old = draft.entry("prod", victim.prod).source
    draft.set_source("prod", victim.prod, old.replace(victim.prod.source.revision, commit))
    draft.note = f"{victim.name} at {commit}"
    return [("LA105", victim.name)]


@SOURCES.kind("git commit moved in dev", LA117=_MOVED)
def _sha_in_dev(draft: Draft, rng: Random) -> Expected | None:
    commit = _commit(rng)
    victim = _of_kind(draft, rng, SourceKind.GIT)
    if victim is None:
        return None
    old = draft.entry("dev", victim.dev).source
    draft.set_source("dev", victim.dev, old.replace(victim.dev.source.revision, commit))
    draft.note = f"{victim.name} at {commit} in dev"
    return [("LA105", victim.name)]


@SOURCES.kind("git repository of a fork", LA302=_ASKED)
def _fork(draft: Draft, rng: Random) -> Expected | None:
    return _git(draft, rng, r"(?<=://)([^/]+)/[^/]+/", r"\1/somebody-else/")


@SOURCES.kind("git host changed", LA302=_ASKED)
def _git_host(draft: Draft, rng: Random) -> Expected | None:
    return _git(draft, rng, r"(?<=://)[^/]+", "forge.example")


@SOURCES.kind("git subdirectory changed", LA302=_ASKED)
def _subdirectory(draft: Draft, rng: Random) -> Expected | None:
    victim = _of_kind(draft, rng, SourceKind.GIT)
    if victim is None:
        return None
    old = draft.entry("prod", victim.prod).source
    if "subdirectory=" in old:
        new = re.sub(r"subdirectory=[^&#]*", "subdirectory=other", old)
    else:
        new = old.replace("#", "&subdirectory=other#" if "?" in old else "?subdirectory=other#")
    draft.set_source("prod", victim.prod, new)
    draft.note = f"{victim.name}: {new}"
    return [("LA105", victim.name)]


@SOURCES.kind(
    "git package from an index instead", LA302=_ASKED, LA114="the edited entry has no file", LA311=_UNCONFIGURED
)
def _git_to_registry(draft: Draft, rng: Random) -> Expected | None:
    victim = _of_kind(draft, rng, SourceKind.GIT)
    if victim is None or victim.prod.version is None:
        return None
    locations = [
        each.source.location for each in draft.view.lock("prod").packages if each.source.kind is SourceKind.REGISTRY
    ]
    if not locations:
        return None
    draft.set_source("prod", victim.prod, f'{{ registry = "{max(sorted(set(locations)), key=locations.count)}" }}')
    draft.note = f"{victim.name} from the index"
    return [("LA105", victim.name)]


@SOURCES.kind("index package from git instead", LA302=_ASKED, LA207="what is built from source must be built alike")
def _registry_to_git(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(rng, lambda each: each.from_registry)
    if victim is None:
        return None
    draft.drop_files("prod", victim.prod)
    commit = _commit(rng)
    draft.set_source("prod", victim.prod, f'{{ git = "https://git.example/{victim.name}.git?rev={commit}#{commit}" }}')
    draft.note = f"{victim.name} from git"
    return [(code_of(victim), victim.name)]


@SOURCES.kind("index package by the URL of its wheel", LA302=_ASKED, LA114="the wheel is for one of the targets only")
def _registry_to_url(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(
        rng, lambda each: each.from_registry and any("://" in wheel.location and wheel.hash for wheel in each.usable)
    )
    if victim is None:
        return None
    wheel = next(each for each in victim.usable if each.hash)
    draft.drop_files("prod", victim.prod)
    draft.set_source("prod", victim.prod, f'{{ url = "{wheel.location}" }}')
    draft.entry("prod", victim.prod).add_wheel(f'    {{ url = "{wheel.location}", hash = "{wheel.hash}" }},')
    draft.note = f"{victim.name} from {wheel.location}"
    return [(code_of(victim), victim.name)]


@SOURCES.kind("host of a direct URL changed", LA302=_ASKED)
def _url_host(draft: Draft, rng: Random) -> Expected | None:
    victim = _of_kind(draft, rng, SourceKind.URL)
    if victim is None:
        return None
    old = victim.prod.source.location
    new = re.sub(r"(?<=://)[^/]+", "files.example", old)
    entry = draft.entry("prod", victim.prod)
    draft.set_source("prod", victim.prod, entry.source.replace(old, new))
    entry.text = entry.text.replace(f'{{ url = "{old}", hash', f'{{ url = "{new}", hash')
    draft.note = f"{victim.name} from {new}"
    return [("LA105", victim.name)]


@SOURCES.kind("path of a direct URL changed", LA302=_ASKED)
def _url_path(draft: Draft, rng: Random) -> Expected | None:
    victim = _of_kind(draft, rng, SourceKind.URL)
    if victim is None:
        return None
    old = victim.prod.source.location
    new = re.sub(r"/([^/]+)$", r"/rebuilt/\1", old)
    entry = draft.entry("prod", victim.prod)
    draft.set_source("prod", victim.prod, entry.source.replace(old, new))
    entry.text = entry.text.replace(f'{{ url = "{old}", hash', f'{{ url = "{new}", hash')
    draft.note = f"{victim.name} from {new}"
    return [("LA105", victim.name)]


@SOURCES.kind("another archive in prod's folder", LA302=_ASKED)
def _path(draft: Draft, rng: Random) -> Expected | None:
    victim = _of_kind(draft, rng, SourceKind.PATH)
    if victim is None:
        return None
    entry = draft.entry("prod", victim.prod)
    draft.set_source("prod", victim.prod, entry.source.replace("vendor/", "vendor/new/"))
    draft.note = f"{victim.name} from vendor/new"
    return [("LA105", victim.name)]


_TREE: Final = "an image that copies prod alone does not have the folder"


@SOURCES.kind("source tree outside the repository in prod", LA302=_ASKED)
def _tree_outside(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(rng, lambda each: each.from_registry)
    if victim is None:
        return None
    place = rng.choice((f"../../{victim.name}", f"/srv/{victim.name}"))
    kind = rng.choice(("editable", "directory"))
    draft.drop_files("prod", victim.prod)
    draft.set_source("prod", victim.prod, f'{{ {kind} = "{place}" }}')
    draft.note = f"{victim.name} {kind} {place}"
    return [(code_of(victim), victim.name), ("LA116", victim.name)]


@SOURCES.kind("source tree in prod's own folder", LA302=_ASKED)
def _tree_inside(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(rng, lambda each: each.from_registry)
    if victim is None:
        return None
    draft.drop_files("prod", victim.prod)
    draft.set_source("prod", victim.prod, f'{{ directory = "vendor/{victim.name}" }}')
    draft.note = f"{victim.name} from vendor/"
    return [(code_of(victim), victim.name)]


@SOURCES.kind("first-party package as its source tree in prod", LA302=_ASKED)
def _first_party_tree(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(
        rng, lambda each: each.dev.source.is_local_tree and each.prod.source.kind is SourceKind.GIT
    )
    if victim is None:
        return None
    kind = "editable" if victim.dev.source.kind is SourceKind.EDITABLE else "directory"
    draft.set_source("prod", victim.prod, f'{{ {kind} = "../{victim.dev.source.location}" }}')
    draft.note = f"{victim.name} from ../{victim.dev.source.location}"
    return [("LA116", victim.name)]


@SOURCES.kind("first-party package of another version in prod")
def _first_party_version(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(
        rng,
        lambda each: (
            each.dev.source.is_local_tree and each.prod.source.kind is SourceKind.GIT and each.prod.version is not None
        ),
    )
    if victim is None or victim.prod.version is None:
        return None
    version = victim.prod.version
    draft.set_version("prod", victim.prod, f"{version.major + 1}.0")
    entry = draft.entry("prod", victim.prod)
    draft.set_source("prod", victim.prod, entry.source.replace(f"tag=v{version}#", f"tag=v{version.major + 1}.0#"))
    draft.note = f"{victim.name} {version.major + 1}.0"
    return [("LA103", victim.name)]


@SOURCES.kind("first-party package that the settings do not declare")
def _undeclared(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(
        rng, lambda each: each.dev.source.is_local_tree and each.prod.source.kind is SourceKind.GIT
    )
    if victim is None:
        return None
    settings = draft.project("dev")["tool"]["lockaudit"]
    kept = [each for each in settings["first-party"] if each != victim.name]
    settings["first-party"] = kept
    draft.note = f"first-party without {victim.name}"
    return [("LA105", victim.name)]


@SOURCES.kind("git reference that moves", LA302=_ASKED)
def _branch(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(
        rng,
        lambda each: (
            each.prod.source.kind is SourceKind.GIT and each.prod.source.reference.partition("=")[0] in {"tag", "rev"}
        ),
    )
    if victim is None:
        return None
    new = rng.choice(("?branch=main", ""))
    entry = draft.entry("prod", victim.prod)
    kept = re.search(r"subdirectory=[^&#\"]*", entry.source)
    query = "&".join(part for part in (new.removeprefix("?"), kept[0] if kept else "") if part)
    source = re.sub(r"(?:\?[^#]*)?#", f"?{query}#" if query else "#", entry.source, count=1)
    draft.set_source("prod", victim.prod, source)
    draft.note = f"{victim.name}: {source}"
    return [("LA117", victim.name)]


@SOURCES.kind("git tag of another version", LA302=_ASKED)
def _tag(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(
        rng, lambda each: each.prod.source.kind is SourceKind.GIT and each.prod.version is not None
    )
    if victim is None or victim.prod.version is None:
        return None
    entry = draft.entry("prod", victim.prod)
    kept = re.search(r"subdirectory=[^&#\"]*", entry.source)
    query = f"tag=v{victim.prod.version.major + 7}.0.0" + (f"&{kept[0]}" if kept else "")
    source = re.sub(r"(?:\?[^#]*)?#", f"?{query}#", entry.source, count=1)
    draft.set_source("prod", victim.prod, source)
    draft.note = f"{victim.name}: {source}"
    return [("LA117", victim.name)]


@SOURCES.kind("registry that nobody configures, in both locks")
def _unconfigured(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(
        rng,
        lambda each: (
            each.from_registry
            and each.name != "torch"
            and "://" in each.prod.source.location
            and all(len(draft.view.lock(side).by_name[each.name]) == 1 for side in ("dev", "prod"))
        ),
    )
    if victim is None or len(draft.view.lock("prod").packages) < 4:
        return None
    for side, package in (("dev", victim.dev), ("prod", victim.prod)):
        draft.set_source(side, package, '{ registry = "https://mirror.example/simple" }')  # type: ignore[arg-type]
    draft.note = f"{victim.name} from a mirror"
    return [("LA311", victim.name)]
