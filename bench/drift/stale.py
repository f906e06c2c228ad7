"""Harmful: a lock that does not belong to the pyproject.toml beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import tomlkit

from auditor.lock.model import SourceKind
from auditor.names import normalize
from bench.drift.kind import Family
from bench.drift.metadata import has_metadata

if TYPE_CHECKING:
    from random import Random

    from bench.drift.kind import Expected
    from bench.drift.view import Draft, Side, View

STALE: Final = Family("stale lock")
_LAST_WITH_METADATA: Final = 3  # later revisions may leave it out


def _requirement_name(text: str) -> str:
    return normalize(re.split(r"[^A-Za-z0-9._-]", text.strip())[0])


def _root_name(view: View, side: Side) -> str:
    return view.lock(side).roots[0].name


@STALE.kind("dependency added to pyproject.toml alone")
def _stale_added(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("prod", "dev"))
    view = draft.view
    project = draft.project(side).get("project", {})
    if not view.roots(side) or "dependencies" not in project or "[package.metadata]" not in view.texts[side].root.text:
        return None
    project["dependencies"].append("a-new-dependency>=1")
    draft.note = f"a dependency added in {side}"
    return [("LA301", _root_name(view, side))]


@STALE.kind("specifier changed in pyproject.toml alone")
def _stale_specifier(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    if not has_metadata(view):
        return None
    items = draft.project("prod")["project"]["dependencies"]
    indexed = {each.name for each in view.lock("prod").packages if each.source.kind is SourceKind.REGISTRY}
    places = [place for place, each in enumerate(items) if _requirement_name(str(each)) in indexed]
    if not places:  # elsewhere the source is the version: uv drops the specifier
        return None
    place = rng.choice(places)
    name = _requirement_name(str(items[place]))
    if str(items[place]) == f"{name}>=0.0.1":
        return None
    items[place] = f"{name}>=0.0.1"
    draft.note = f"{name}>=0.0.1 in pyproject.toml"
    return [("LA301", _root_name(view, "prod"))]


@STALE.kind("dependency removed from pyproject.toml alone")
def _stale_removed(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    if not has_metadata(view):
        return None
    items = draft.project("prod")["project"]["dependencies"]
    if not len(items):
        return None
    place = rng.randrange(len(items))
    draft.note = f"{items[place]} removed from pyproject.toml"
    del items[place]
    return [("LA301", _root_name(view, "prod"))]


@STALE.kind("source changed in pyproject.toml alone")
def _stale_source(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    if not has_metadata(view):
        return None
    found = [
        each.name
        for each in view.victims
        if each.from_registry
        and each.name in view.direct
        and f'"{each.name}"' in view.pair.files["prod/pyproject.toml"]
    ]
    document = draft.project("prod")
    sources = document["tool"]["uv"].setdefault("sources", tomlkit.table())
    found = [each for each in found if each not in sources]
    if not found:
        return None
    name = rng.choice(sorted(set(found)))
    sources[name] = {"git": f"https://git.example/{name}.git", "tag": "v1"}
    draft.note = f"{name} from git in pyproject.toml"
    return [("LA301", _root_name(view, "prod"))]


@STALE.kind("constraint added to pyproject.toml alone")
def _stale_constraint(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    victim = view.pick(rng, lambda each: each.prod.source.kind is SourceKind.REGISTRY)
    if victim is None:
        return None
    uv = draft.project("prod")["tool"]["uv"]
    uv["constraint-dependencies"] = [*uv.get("constraint-dependencies", []), f"{victim.name}<9999"]
    draft.note = f"{victim.name}<9999 in pyproject.toml"
    return [("LA301", None)]


@STALE.kind("requires-python changed in pyproject.toml alone")
def _stale_python(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("prod", "dev"))
    project = draft.project(side).get("project", {})
    old = str(project.get("requires-python", ""))
    if not old or not draft.view.roots(side) or draft.view.lock(side).manifest.members:
        return None  # of a workspace, what every member admits counts
    project["requires-python"] = f">=3.{7 if '3.7' not in old else 6}"
    draft.note = f"requires-python {project['requires-python']} in {side}'s pyproject.toml"
    return [("LA301", None)]


@STALE.kind("requirement of the metadata changed in the lock alone")
def _stale_metadata(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    if not has_metadata(view):
        return None
    root = draft.lock("prod").root
    entries = root.metadata("requires-dist")
    places = [place for place, each in enumerate(entries) if "specifier" in each]
    if not places:
        return None
    place = rng.choice(places)
    entries[place] = re.sub(r'specifier = "[^"]*"', 'specifier = ">=0.0.1"', entries[place])
    root.set_metadata("requires-dist", entries)
    draft.note = entries[place]
    return [("LA301", _root_name(view, "prod"))]


@STALE.kind("metadata of the project removed from the lock", LA302="every dependency has no requirement any more")
def _no_metadata(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    del rng
    if not has_metadata(view) or view.lock("prod").revision > _LAST_WITH_METADATA or not view.direct:
        return None
    root = draft.lock("prod").root
    root.text = root.body.rstrip() + "\n\n"
    draft.note = "no metadata"
    return [("LA302", name) for name in sorted(view.direct)[:1]]


@STALE.kind("conflicts removed from the lock alone", LA302="the edges were resolved with them")
def _no_conflicts(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("prod", "dev"))
    lock = draft.lock(side)
    old = lock.head
    lock.head = re.sub(r"^conflicts = \[\[\n(?:.*\n)*?\]\]?\n", "", lock.head, flags=re.MULTILINE)
    if lock.head == old:
        return None
    draft.note = f"no conflicts in {side}"
    return [("LA301", None)]


@STALE.kind("extra of the metadata added in the lock alone")
def _stale_extra(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("prod", "dev"))
    view = draft.view
    if not view.roots(side) or "[package.metadata]" not in view.texts[side].root.text or not view.lock(side).revision:
        return None
    root = draft.lock(side).root
    root.set_metadata("provides-extras", [*root.metadata("provides-extras"), '"more"'])
    draft.note = f"an extra more in {side}"
    return [("LA301", _root_name(view, side))]


@STALE.kind("lock of another project")
def _other_project(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    if not view.roots("prod") or view.lock("prod").conflicts:
        return None
    del rng
    root = draft.lock("prod").root
    root.replace(f'\nname = "{root.name}"\n', '\nname = "another-project"\n')
    draft.note = "the lock of another-project"
    return [("LA301", None)]


@STALE.kind("environments of pyproject.toml changed alone")
def _stale_environments(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("prod", "dev"))
    uv = draft.project(side).get("tool", {}).get("uv")
    if uv is None:
        return None
    uv["environments"] = ["sys_platform == 'linux' and platform_machine == 'riscv64'"]
    draft.note = f"other environments in {side}"
    return [("LA301", None)]


@STALE.kind("version of the project raised in pyproject.toml alone")
def _stale_version(draft: Draft, rng: Random) -> Expected | None:
    del rng
    project = draft.project("prod").get("project", {})
    if "version" not in project or not draft.view.roots("prod"):
        return None
    project["version"] = "9.9.9"
    draft.note = "the project at 9.9.9"
    return [("LA301", _root_name(draft.view, "prod"))]
