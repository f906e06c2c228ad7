"""Harmful: edges of the project that contradict the metadata in the same lock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bench.drift.edges import MARKER, ORPHAN, held
from bench.drift.kind import Family
from bench.drift.membership import invented
from bench.drift.text import edge_line
from bench.drift.versions import raised

if TYPE_CHECKING:
    from random import Random

    from bench.drift.kind import Expected
    from bench.drift.view import Draft, View

METADATA: Final = Family("metadata")


def has_metadata(view: View) -> bool:
    """Whether prod's lock says what its project asks for."""
    return view.roots("prod") and "requires-dist = [" in view.texts["prod"].root.text


@METADATA.kind("edge of the project removed, its requirement kept", LA305=ORPHAN, LA110="nothing is left to install")
def _root_edge(draft: Draft, rng: Random) -> Expected | None:
    if not has_metadata(draft.view):
        return None
    lines = list(draft.view.texts["prod"].root.edges())
    pool = sorted({each.name for each in lines if "'extra-" not in each.line})
    changed = {
        str(each.get("name", ""))
        for key in ("overrides", "excludes")
        for each in draft.view.lock("prod").manifest.raw.get(key, [])
        if isinstance(each, dict)
    }
    pool = [name for name in pool if name not in changed]
    if not pool:
        return None
    name = rng.choice(pool)
    section = rng.choice([each.section for each in lines if each.name == name])
    for line in lines:
        if line.name == name and line.section == section:
            draft.lock("prod").root.drop_line(line.line)
    draft.note = f"edge to {name} removed"
    return [("LA302", name)]


@METADATA.kind("edge of the project without a requirement")
def _surplus(draft: Draft, rng: Random) -> Expected | None:
    if not has_metadata(draft.view):
        return None
    view = draft.view
    everywhere = set.intersection(*({prod.name for prod, _ in on.common} for on in view.on_targets))
    pool = [name for name in sorted(everywhere - view.direct) if len(view.lock("prod").by_name[name]) == 1]
    if not pool:
        return None
    name = rng.choice(pool)
    draft.lock("prod").root.add_edge(edge_line(name))
    draft.note = f"edge to {name} added"
    return [("LA302", name)]


@METADATA.kind("edge of the project narrowed to another platform", LA110="nothing is left to install")
def _root_narrowed(draft: Draft, rng: Random) -> Expected | None:
    if not has_metadata(draft.view):
        return None
    found = [each for each in held(draft.view, root=True) if "'extra-" not in each[3].line]
    if not found:
        return None
    _, _, _, line = rng.choice(found)
    new = MARKER.sub("", line.line).replace(" },", ", marker = \"sys_platform == 'cygwin'\" },")
    draft.lock("prod").root.replace(line.line, new)
    draft.note = f"edge to {line.name} on cygwin"
    return [("LA302", line.name)]


@METADATA.kind("extra of the project's edge dropped", LA305=ORPHAN)
def _root_extra(draft: Draft, rng: Random) -> Expected | None:
    if not has_metadata(draft.view):
        return None
    found = [
        (line, edge)
        for _, _, edge, line in held(draft.view, root=True)
        if any(each in draft.view.lock("prod").packages[edge.target].optional for each in edge.extras)
    ]
    if not found:
        return None
    line, _ = rng.choice(found)
    draft.lock("prod").root.replace(line.line, re.sub(r", extra = \[[^\]]*\]", "", line.line))
    draft.note = f"edge to {line.name} without its extra"
    return [("LA302", line.name)]


@METADATA.kind("requirement that the locked version does not satisfy")
def _unsatisfied(draft: Draft, rng: Random) -> Expected | None:
    """In metadata and pyproject.toml alike, so that only the version is wrong."""
    view = draft.view
    if not has_metadata(view):
        return None
    root = view.texts["prod"].root
    entries = root.metadata("requires-dist")
    pool = []
    for victim in view.victims:
        mine = [each for each in entries if f'name = "{victim.name}"' in each]
        plain = len(mine) == 1 and "extra ==" not in mine[0] and "specifier" not in mine[0]
        if (
            plain
            and victim.from_registry
            and victim.prod.version
            and f'"{victim.name}"' in view.pair.files["prod/pyproject.toml"]
        ):
            pool.append((victim, mine[0]))
    pool = [(v, m) for v, m in pool if v.name in view.direct]
    if not pool:
        return None
    victim, entry = rng.choice(pool)
    if victim.prod.version is None:
        return None
    specifier = f">={raised(victim.prod.version).partition('+')[0]}"
    changed = entry.replace(" }", f', specifier = "{specifier}" }}')
    draft.lock("prod").root.set_metadata("requires-dist", [changed if each == entry else each for each in entries])
    items = draft.project("prod")["project"]["dependencies"]
    for place, each in enumerate(items):
        if str(each) == victim.name:
            items[place] = f"{victim.name}{specifier}"
            draft.note = f"{victim.name}{specifier}, locked at {victim.prod.version}"
            return [("LA302", victim.name)]
    return None


@METADATA.kind("entry that nothing needs")
def _orphan(draft: Draft, rng: Random) -> Expected | None:
    name = invented(draft, rng)
    if name is None:
        return None
    draft.note = f"{name}, and no edge to it"
    return [("LA305", name)]
