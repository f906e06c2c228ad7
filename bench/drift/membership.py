"""Harmful: what prod installs, dev's production selection does not."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import tomlkit

from auditor.lock.model import LOCAL_TREES, SourceKind
from auditor.lock.selection import known_groups
from bench.drift.artifacts import digest
from bench.drift.kind import Family
from bench.drift.text import Entry

if TYPE_CHECKING:
    from random import Random

    from auditor.lock.model import Package
    from auditor.rules.context import TargetContext
    from bench.drift.kind import Expected
    from bench.drift.view import Draft, View

MEMBERSHIP: Final = Family("membership")

_PARENT: Final = "the packages that depend on it have another edge than in dev"


def _installable(view: View, on: TargetContext, name: str) -> Package | None:
    """Dev's only entry of a name, if the target can install it and prod's lock does not have it."""
    found = view.lock("dev").by_name.get(name, ())
    if len(found) != 1 or name in view.lock("prod").by_name or found[0].source.kind in LOCAL_TREES:
        return None
    return found[0] if found[0].source.kind is SourceKind.REGISTRY and on.target.chosen(found[0]) else None


def _add(draft: Draft, rng: Random, code: str, names: dict[str, str], on: TargetContext) -> Expected | None:
    """Let prod depend on one of dev's packages, with all that it needs."""
    view = draft.view
    pool = [each for each in sorted(names) if _installable(view, on, each) is not None]
    if not pool or not view.roots("prod"):
        return None
    name = rng.choice(pool)
    package = view.lock("dev").by_name[name][0]
    if not draft.copy_closure(package):
        return None
    draft.add_dependency("prod", name)
    draft.note = f"{name} ({names[name]}) added to prod"
    return [(code, name)]


@MEMBERSHIP.kind("package of a dev group added to prod")
def _from_group(draft: Draft, rng: Random) -> Expected | None:
    on = rng.choice(draft.view.on_targets)
    return _add(draft, rng, "LA102", draft.view.only_in_groups(on), on)


@MEMBERSHIP.kind("package of an unselected extra added to prod")
def _from_extra(draft: Draft, rng: Random) -> Expected | None:
    on = rng.choice(draft.view.on_targets)
    return _add(draft, rng, "LA104", draft.view.by_extras(on), on)


def invented(draft: Draft, rng: Random) -> str | None:
    """Add a package to prod's lock that nobody knows, from the registry that prod has; its name."""
    lock = draft.view.lock("prod")
    files = [
        (each, wheel)
        for each in lock.packages
        if each.source.kind is SourceKind.REGISTRY
        for wheel in each.wheels
        if "://" in wheel.location
    ]
    if not files:
        return None
    package, wheel = rng.choice(files)
    name = f"{rng.choice(('left', 'fast', 'open'))}-{rng.choice(('pad', 'tools', 'kit'))}{rng.randint(1, 999)}"
    file = f"{name.replace('-', '_')}-1.0.0-py3-none-any.whl"
    url = f"{wheel.location.rpartition('/')[0]}/{file}"
    text = f'[[package]]\nname = "{name}"\nversion = "1.0.0"\nsource = {{ registry = "{package.source.location}" }}\n'
    text += f'wheels = [\n    {{ url = "{url}", hash = "{digest(rng)}", size = 1234 }},\n]\n\n'
    draft.lock("prod").copy_entry(Entry(text))
    return name


@MEMBERSHIP.kind("package that dev does not have, asked for by prod")
def _absent(draft: Draft, rng: Random) -> Expected | None:
    name = invented(draft, rng) if draft.view.roots("prod") else None
    if name is None:
        return None
    draft.add_dependency("prod", name)
    draft.note = f"{name} added"
    return [("LA101", name)]


@MEMBERSHIP.kind("package that dev does not have, below one that it has")
def _transitive(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(rng, lambda each: each.from_registry)
    if victim is None:
        return None
    entry = draft.entry("prod", victim.prod)
    name = invented(draft, rng)
    if name is None:
        return None
    entry.add_edge(f'    {{ name = "{name}" }},')
    draft.note = f"{victim.name} -> {name}"
    return [("LA101", name), ("LA113", victim.name)]


@MEMBERSHIP.kind("package renamed in prod", LA113=_PARENT)
def _renamed(draft: Draft, rng: Random) -> Expected | None:
    victim = draft.view.pick(
        rng,
        lambda each: (
            each.from_registry
            and each.name not in draft.view.direct
            and each.name != "torch"
            and not each.prod.optional
            and len(draft.view.lock("prod").by_name[each.name]) == 1
        ),
    )
    if victim is None:
        return None
    new = f"{victim.name}-ng"
    lock = draft.lock("prod")
    for each in lock.entries:
        each.text = each.text.replace(f'{{ name = "{victim.name}"', f'{{ name = "{new}"')
    entry = draft.entry("prod", victim.prod)
    entry.replace(f'\nname = "{victim.name}"\n', f'\nname = "{new}"\n')
    for line in list(entry.files()):
        stem = re.sub(r"-\d.*$", "", line.filename)
        entry.replace(line.line, line.line.replace(f"/{stem}-", f"/{new.replace('-', '_')}-"))
    draft.note = f"{victim.name} renamed to {new}"
    return [("LA101", new)]


@MEMBERSHIP.kind("package for another platform reached on the target", LA113=_PARENT)
def _off_target(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    lock = view.lock("prod")
    on = rng.choice(view.on_targets)
    selected = {each.index for each in on.prod.packages}
    reachable = view.only_in_groups(on).keys() | view.by_extras(on).keys() | {each.name for each in on.dev.packages}
    found = []
    for package in on.prod.dependencies:
        for line in view.texts["prod"].entries[package.index].edges():
            target = lock.by_name.get(line.name, ())
            if (
                not line.section
                and "marker = " in line.line
                and "extra ==" not in line.line
                and len(target) == 1
                and target[0].index not in selected
                and line.name not in reachable
                and line.name in view.lock("dev").by_name
                and on.target.chosen(target[0]) is not None
            ):
                found.append((package, line))
    if not found:
        return None
    package, line = rng.choice(found)
    entry = draft.entry("prod", package)
    entry.replace(line.line, re.sub(r', marker = "[^"]*"', "", line.line))
    draft.note = f"{package.name} -> {line.name} everywhere"
    return [("LA101", line.name)]


def _moved(draft: Draft, rng: Random, kind: str, code: str) -> Expected | None:
    """Move a dependency of dev's project to a group or an extra, consistently."""
    view = draft.view
    if not view.roots("dev") or view.lock("dev").conflicts or "[package.metadata]" not in view.texts["dev"].root.text:
        return None
    on = rng.choice(view.on_targets)
    roots = [edge for edge in view.texts["dev"].root.edges() if not edge.section]
    names = [each.name for each in roots if "version = " not in each.line]
    pool = []
    for name in names:
        others = {each.name for each in roots if each.name != name}
        shared = any(
            edge.name == name
            for package in view.lock("dev").packages
            if package.index not in {root.index for root in view.lock("dev").roots}
            for edge in view.texts["dev"].entries[package.index].edges()
        )
        elsewhere = [edge for edge in view.texts["dev"].root.edges() if edge.section and edge.name == name]
        taken = any(each.name == name for each in on.prod.dependencies)
        if taken and not shared and not elsewhere and name not in view.accepted and others:
            pool.append(name)
    requires = view.texts["dev"].root.metadata("requires-dist")
    pool = [name for name in pool if sum(f'name = "{name}"' in each for each in requires) == 1]
    if not pool:
        return None
    name = rng.choice(pool)
    place = "moved-here"
    if not _move_in_project(draft, name, kind, place):
        return None
    root = draft.lock("dev").root
    line = next(each.line for each in root.edges() if each.name == name)
    root.drop_line(line)
    root.add_edge(line, f"{kind} {place}")
    entry = next(each for each in root.metadata("requires-dist") if f'name = "{name}"' in each)
    kept = [each for each in root.metadata("requires-dist") if each != entry]
    if kind == "extra":
        if "marker = " in entry:
            return None
        kept.append(entry.replace(" }", f", marker = \"extra == '{place}'\" }}"))
        root.set_metadata("requires-dist", kept)
        root.set_metadata("provides-extras", [*root.metadata("provides-extras"), f'"{place}"'])
    else:
        root.set_metadata("requires-dist", kept)
        if "[package.metadata.requires-dev]" in root.text:
            root.replace("[package.metadata.requires-dev]\n", f"[package.metadata.requires-dev]\n{place} = [{entry}]\n")
        else:
            root.text = f"{root.text.rstrip()}\n\n[package.metadata.requires-dev]\n{place} = [{entry}]\n\n"
    draft.note = f"{name} moved to the {kind} {place} in dev"
    return [(code, name)]


def _move_in_project(draft: Draft, name: str, kind: str, place: str) -> bool:
    document: Any = draft.project("dev")
    items = document.get("project", {}).get("dependencies")
    if items is None:
        return False
    found = [
        index
        for index, each in enumerate(items)
        if re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", str(each).strip())[0]).lower() == name
    ]
    if len(found) != 1:
        return False
    text = str(items[found[0]])
    del items[found[0]]
    if kind == "extra":
        tables = document["project"].setdefault("optional-dependencies", tomlkit.table())
    else:
        tables = document.setdefault("dependency-groups", tomlkit.table())
    tables[place] = [text]
    return True


_BELOW: Final = "what else only that dependency brings is told with it or beside it"


@MEMBERSHIP.kind("dependency moved to a group in dev", LA102=_BELOW)
def _to_group(draft: Draft, rng: Random) -> Expected | None:
    return _moved(draft, rng, "group", "LA102")


@MEMBERSHIP.kind("dependency moved to an extra in dev", LA104=_BELOW)
def _to_extra(draft: Draft, rng: Random) -> Expected | None:
    return _moved(draft, rng, "extra", "LA104")


@MEMBERSHIP.kind("extra no longer selected of dev", LA104=_BELOW, LA113="an extra of a package brought the edge")
def _extra_dropped(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    extras = list(view.context.dev.request.extras)
    if not extras or view.lock("dev").conflicts:
        return None
    extra = rng.choice(extras)
    kept = tuple(each for each in extras if each != extra)
    on = rng.choice(view.on_targets)
    rest = view.reached(on, extras=kept, groups=view.context.dev.request.groups)
    lost = sorted(view.direct & {each.name for each in on.prod.dependencies} - rest - view.accepted)
    if not lost:
        return None
    draft.project("dev")["tool"]["lockaudit"]["dev"]["extras"] = list(kept)
    draft.note = f"dev without the extra {extra}"
    return [("LA104", name) for name in lost[:1]]


@MEMBERSHIP.kind("group no longer counts as production in dev", LA102=_BELOW)
def _group_dropped(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    groups = view.context.dev.request.groups
    if not groups:
        return None
    on = rng.choice(view.on_targets)
    rest = view.reached(on, extras=view.context.dev.request.extras)
    prod = {each.name for each in on.prod.dependencies}
    sections = {line.name for line in view.texts["prod"].root.edges()}
    lost = sorted(sections & prod - rest - view.accepted)
    if not lost:
        return None
    draft.project("dev")["tool"]["lockaudit"]["dev"]["groups"] = []
    draft.note = "dev without its group"
    return [("LA102", name) for name in lost[:1]]


@MEMBERSHIP.kind("dependency removed from dev", LA101=_BELOW, LA113=_PARENT)
def _removed_from_dev(draft: Draft, rng: Random) -> Expected | None:
    """What only dev's project asks for is removed there, consistently."""
    view = draft.view
    if not view.roots("dev") or view.lock("dev").conflicts or "[package.metadata]" not in view.texts["dev"].root.text:
        return None
    root = view.texts["dev"].root
    edges = [each.name for each in root.edges()]
    selected = {each.name for on in view.on_targets for each in on.prod.dependencies}
    others = {line.name for entry in view.texts["dev"].entries if entry.source != root.source for line in entry.edges()}
    requires = [name for each in root.metadata("requires-dist") for name in re.findall(r'name = "([^"]+)"', each)]
    pool = [
        name
        for name in sorted(set(edges) & selected - others - view.accepted)
        if edges.count(name) == 1
        and requires.count(name) == 1
        and len(view.lock("dev").by_name[name]) == 1
        and not any(each.name == name and each.section.startswith("group") for each in root.edges())
    ]
    if not pool:
        return None
    name = rng.choice(pool)
    draft.remove_dependency("dev", name)
    if view.lock("dev").manifest.members:
        return None  # a member stays, though nothing needs it
    draft.lock("dev").prune()
    draft.note = f"{name} removed from dev"
    return [("LA101", name)]


@MEMBERSHIP.kind("nothing left for prod to install")
def _emptied(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    if not view.roots("prod") or view.lock("prod").conflicts or view.context.prod.request.groups:
        return None
    del rng
    lock = draft.lock("prod")
    names = [each.name for each in lock.root.edges()]
    if view.lock("prod").manifest.raw:
        return None  # its overrides would be about packages that are no longer there
    for name in dict.fromkeys(names):
        draft.remove_dependency("prod", name)
    lock.entries = [lock.root]
    draft.note = "no dependencies"
    return [("LA110", None)]


@MEMBERSHIP.kind("every dependency of prod moved to a group")
def _grouped(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    request = view.context.prod.request
    if not view.roots("prod") or request.groups or request.extras or view.lock("prod").conflicts:
        return None
    group = rng.choice(("serve", "main"))
    root = draft.lock("prod").root
    if "[package.metadata]" not in root.text or "requires-dev" in root.text or any(e.section for e in root.edges()):
        return None
    for edge in list(root.edges()):
        root.drop_line(edge.line)
        root.add_edge(edge.line, f"group {group}")
    entries = root.metadata("requires-dist")
    root.set_metadata("requires-dist", [])
    root.text = f"{root.text.rstrip()}\n\n[package.metadata.requires-dev]\n{group} = [\n"
    root.text += "".join(f"    {each},\n" for each in entries) + "]\n\n"
    document = draft.project("prod")
    items = list(document["project"]["dependencies"])
    document["project"]["dependencies"] = []
    groups = tomlkit.table()
    groups[group] = items
    document["dependency-groups"] = groups
    draft.note = f"everything in the group {group}"
    return [("LA110", None)]


@MEMBERSHIP.kind("another group of prod selected in the settings")
def _more_groups(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    chosen = view.context.prod.request
    others = [each for each in known_groups(view.lock("prod")) if each not in chosen.groups]
    if not others or "prod" not in draft.project("dev")["tool"]["lockaudit"]:
        return None
    groups = (*chosen.groups, rng.choice(others))
    on = rng.choice(view.on_targets)
    more = view.context.prod.select(on.target, replace(chosen, groups=groups)).packages
    new = sorted(
        {each.name for each in more} - {each.name for each in on.prod.packages} - view.lock("dev").by_name.keys()
    )
    if not new:
        return None
    draft.project("dev")["tool"]["lockaudit"]["prod"]["groups"] = list(groups)
    draft.note = f"prod with the groups {', '.join(groups)}"
    return [("LA101", name) for name in new]


@MEMBERSHIP.kind("selected group of prod forgotten in the settings")
def _forgotten(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    request = view.context.prod.request
    del rng
    root = view.texts["prod"].root if view.roots("prod") else None
    if root is None or not request.groups or any(not each.section for each in root.edges()):
        return None
    draft.project("dev")["tool"]["lockaudit"]["prod"]["groups"] = []
    draft.note = "prod without its group"
    return [("LA110", None)]
