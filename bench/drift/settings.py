"""Harmful: what the two locks were resolved for or under, and what the settings say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import tomlkit

from auditor.lock.environment import Target
from auditor.lock.model import SourceKind
from bench.drift.kind import Family

if TYPE_CHECKING:
    from random import Random

    from bench.drift.kind import Expected
    from bench.drift.view import Draft, Side, View

SETTINGS: Final = Family("settings")

_WIDER: Final = "prod allows more Pythons than dev at the same time"
_ADDRESS: Final = "the lock and its metadata have the old address"
_EDGES: Final = "the edges hold where the lock was resolved, not where it says now"
_MEMBERS: Final = "dev's lock does not have the new member"


def _set_python(draft: Draft, side: Side, text: str) -> bool:
    """Change `requires-python` of a lock and its project alike; whether that is possible."""
    project = draft.project(side).get("project", {})
    view = draft.view
    if "requires-python" not in project or view.lock(side).manifest.members or not view.roots(side):
        return False
    if any("python" in str(marker) for marker in view.lock(side).supported_markers):
        return False  # uv works the old bounds into the environments
    project["requires-python"] = text
    lock = draft.lock(side)
    lock.head = re.sub(
        r'^requires-python = ".*"$', f'requires-python = "{text}"', lock.head, count=1, flags=re.MULTILINE
    )
    return True


def _is_named(view: View) -> bool:
    """Whether the settings name the targets: else another Python is another target."""
    return bool(view.context.config.targets)


@SETTINGS.kind("requires-python wider in prod")
def _wider(draft: Draft, rng: Random) -> Expected | None:
    if not _is_named(draft.view) or not _set_python(draft, "prod", rng.choice((">=3.6", ">=3.7", ">=3.7,<4"))):
        return None
    draft.note = "prod allows older Pythons"
    return [("LA111", None)]


@SETTINGS.kind("requires-python excludes the target in prod", LA111=_WIDER)
def _excludes(draft: Draft, rng: Random) -> Expected | None:
    minor = max(each.target.minor for each in draft.view.on_targets)
    text = rng.choice((f">=3.{minor + 1}", f"!=3.{minor}.*,>=3.{minor}"))
    if not _is_named(draft.view) or draft.view.accepted or not _set_python(draft, "prod", text):
        return None
    draft.note = f"prod for {text}"
    return [("LA109", None)]


@SETTINGS.kind("requires-python excludes the target in dev", LA111=_WIDER)
def _excludes_in_dev(draft: Draft, rng: Random) -> Expected | None:
    minor = max(each.target.minor for each in draft.view.on_targets)
    text = rng.choice((f">=3.{minor + 1}", f"!=3.{minor}.*,>=3.{minor}"))
    if not _is_named(draft.view) or draft.view.accepted or not _set_python(draft, "dev", text):
        return None
    draft.note = f"dev for {text}"
    return [("LA109", None)]


def _set_forks(draft: Draft, side: Side, markers: list[str]) -> None:
    lock = draft.lock(side)
    text = "resolution-markers = [\n" + "".join(f'    "{marker}",\n' for marker in markers) + "]\n"
    if "\nresolution-markers = [\n" in lock.head:
        lock.head = re.sub(r"^resolution-markers = \[\n(?:.*\n)*?\]\n", text, lock.head, flags=re.MULTILINE)
    else:
        lock.head = re.sub(r'^(requires-python = ".*"\n)', rf"\g<1>{text}", lock.head, flags=re.MULTILINE)


def _forks(draft: Draft, rng: Random, side: Side) -> Expected | None:
    if draft.view.accepted:
        return None  # what is accepted cannot be seen on a target that is not covered
    target = draft.view.on_targets[0].target
    markers = target.markers
    text = rng.choice(
        (
            f"sys_platform != '{markers['sys_platform']}'",
            f"platform_machine != '{markers['platform_machine']}'",
            f"python_full_version >= '3.{target.minor + 1}' and sys_platform == 'win32'",
        )
    )
    _set_forks(draft, side, [text])
    draft.note = f"{side} resolved for {text}"
    return [("LA109", None)]


@SETTINGS.kind("resolution-markers exclude the target in prod", LA302=_EDGES)
def _forks_in_prod(draft: Draft, rng: Random) -> Expected | None:
    return _forks(draft, rng, "prod")


@SETTINGS.kind("resolution-markers exclude the target in dev", LA111=_WIDER, LA302=_EDGES)
def _forks_in_dev(draft: Draft, rng: Random) -> Expected | None:
    return _forks(draft, rng, "dev")


@SETTINGS.kind("target added that a lock does not cover")
def _target(draft: Draft, rng: Random) -> Expected | None:
    settings = draft.project("dev")["tool"]["lockaudit"]
    if "targets" not in settings:
        return None
    covered = [str(each.target) for each in draft.view.on_targets]
    known = Target.parse(covered[0])
    new = rng.choice((f"{known.platform}-{known.machine}-cp36", f"{known.platform}-{known.machine}-cp37"))
    settings["targets"] = [*settings["targets"], new]
    draft.note = f"target {new}"
    return [("LA109", None)]


@SETTINGS.kind("another Python in .python-version", LA111=_WIDER)
def _python_version(draft: Draft, rng: Random) -> Expected | None:
    if ".python-version" not in draft.view.pair.files or _is_named(draft.view):
        return None
    new = rng.choice(("3.8", "3.9.18", "3.16"))
    draft.set_file(".python-version", f"{new}\n")
    draft.note = f".python-version {new}"
    return [("LA109", None)]


# -- how the locks were resolved -----------------------------------------------------------------------------------


def _option(draft: Draft, side: Side, line: str) -> None:
    lock = draft.lock(side)
    key = line.partition(" =")[0]
    head = re.sub(rf"^{key} = .*\n", "", lock.head, flags=re.MULTILINE)
    if "\n[options]\n" in head:
        lock.head = head.replace("\n[options]\n", f"\n[options]\n{line}\n", 1)
        return
    place = head.find("\n[manifest")
    text = f"\n[options]\n{line}\n"
    lock.head = f"{head.rstrip()}\n{text}\n" if place < 0 else f"{head[:place]}{text}{head[place:]}"


@SETTINGS.kind("exclude-newer of another day")
def _newer(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("dev", "prod"))
    if "exclude-newer-span" in draft.view.texts[side].head:
        _option(draft, side, 'exclude-newer-span = "P30D"')
    else:
        _option(draft, side, f'exclude-newer = "2024-0{rng.randint(1, 9)}-01T00:00:00Z"')
    draft.note = f"exclude-newer in {side}"
    return [("LA112", None)]


def _mode(draft: Draft, rng: Random, key: str, value: str) -> Expected | None:
    side: Side = rng.choice(("dev", "prod"))
    _option(draft, side, f'{key} = "{value}"')
    draft.note = f"{key} in {side}"
    return [("LA112", None)]


@SETTINGS.kind("resolution mode of one side")
def _resolution(draft: Draft, rng: Random) -> Expected | None:
    return _mode(draft, rng, "resolution-mode", rng.choice(("lowest", "lowest-direct")))


@SETTINGS.kind("pre-releases allowed on one side")
def _prerelease(draft: Draft, rng: Random) -> Expected | None:
    if "prerelease-mode" in draft.view.texts["dev"].head:
        return None
    return _mode(draft, rng, "prerelease-mode", "allow")


@SETTINGS.kind("fork strategy of one side")
def _fork_strategy(draft: Draft, rng: Random) -> Expected | None:
    return _mode(draft, rng, "fork-strategy", "fewest")


def _manifest(draft: Draft, side: Side, key: str, item: str) -> None:
    """Add an item to a list of the manifest."""
    lock = draft.lock(side)
    pattern = re.compile(rf"^{key} = \[(?P<items>(?:.*\]$|\n(?:.*\n)*?\]$))", re.MULTILINE)
    match = pattern.search(lock.head)
    if match:
        inside = match["items"].rstrip("]").rstrip().rstrip(",")
        lock.head = lock.head[: match.start()] + f"{key} = [{inside}, {item}]" + lock.head[match.end() :]
    elif "\n[manifest]\n" in lock.head:
        lock.head = lock.head.replace("\n[manifest]\n", f"\n[manifest]\n{key} = [{item}]\n", 1)
    else:
        place = lock.head.find("\n[[manifest")
        text = f"\n[manifest]\n{key} = [{item}]\n"
        head = lock.head
        lock.head = f"{head.rstrip()}\n{text}\n" if place < 0 else f"{head[:place]}{text}{head[place:]}"


def _list(
    draft: Draft, rng: Random, setting: str, key: str, specifier: str, *, is_name: bool = False
) -> Expected | None:
    """Add an entry about a package to a list of one side, in its lock and its pyproject.toml."""
    side: Side = rng.choice(("dev", "prod"))
    view = draft.view
    raw: dict[str, Any] = dict(view.lock("dev").manifest.raw)
    taken = {str(each.get("name", each) if isinstance(each, dict) else each) for each in raw.get(key, [])}
    pool = sorted(
        {
            each.name
            for each in view.victims
            if each.prod.source.kind is SourceKind.REGISTRY
            and each.name not in taken
            and each.name not in view.direct
            and (not is_name or each.name != "torch")
        }
    )
    uv = draft.project(side).get("tool", {}).get("uv")
    if not pool or uv is None:
        return None
    name = rng.choice(pool)
    item = f'"{name}"' if is_name else f'{{ name = "{name}", specifier = "{specifier}" }}'
    _manifest(draft, side, key, item)
    uv[setting] = [*uv.get(setting, []), name if is_name else f"{name}{specifier}"]
    draft.note = f"{setting} about {name} in {side}"
    return [("LA112", name)]


@SETTINGS.kind("constraint of one side")
def _constraint(draft: Draft, rng: Random) -> Expected | None:
    return _list(draft, rng, "constraint-dependencies", "constraints", "<9999")


@SETTINGS.kind("override of one side", LA302="an override replaces what the project's own packages ask for")
def _override(draft: Draft, rng: Random) -> Expected | None:
    return _list(draft, rng, "override-dependencies", "overrides", "<9999")


@SETTINGS.kind("exclusion of one side", LA302="an excluded package has edges")
def _exclusion(draft: Draft, rng: Random) -> Expected | None:
    return _list(draft, rng, "exclude-dependencies", "excludes", "", is_name=True)


@SETTINGS.kind("build constraint of one side")
def _build_constraint(draft: Draft, rng: Random) -> Expected | None:
    return _list(draft, rng, "build-constraint-dependencies", "build-constraints", "<9999")


@SETTINGS.kind("static metadata of one side", LA207="it is a build setting, too, of what is built from source")
def _metadata(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("dev", "prod"))
    view = draft.view
    known = {str(each.get("name")) for each in view.lock("dev").manifest.raw.get("dependency-metadata", [])}
    victim = view.pick(rng, lambda each: each.from_registry and each.name not in known)
    uv = draft.project(side).get("tool", {}).get("uv")
    if victim is None or uv is None:
        return None
    version = str(victim.prod.version)
    lock = draft.lock(side)
    lock.head = f'{lock.head.rstrip()}\n\n[[manifest.dependency-metadata]]\nname = "{victim.name}"\n'
    lock.head += f'version = "{version}"\n\n'
    new: dict[str, Any] = {"name": victim.name, "version": version, "requires-dist": []}
    if "dependency-metadata" in uv:
        uv["dependency-metadata"].append(new)
    else:
        uv["dependency-metadata"] = [new]
    draft.note = f"dependency-metadata of {victim.name} in {side}"
    return [("LA112", victim.name)]


# -- where prod stands ---------------------------------------------------------------------------------------------


@SETTINGS.kind("prod made a member of the root's workspace", LA301=_MEMBERS)
def _member(draft: Draft, rng: Random) -> Expected | None:
    document = draft.project("dev")
    tool = document.setdefault("tool", tomlkit.table(is_super_table=True))
    uv = tool.setdefault("uv", tomlkit.table())
    workspace = uv.setdefault("workspace", tomlkit.table())
    workspace["members"] = [*workspace.get("members", []), rng.choice(("prod", "*", "pro[a-z]"))]
    draft.note = f"members {list(workspace['members'])}"
    return [("LA306", None)]


@SETTINGS.kind(
    "prod takes the root's settings, its own are gone", LA207="build settings are among those that the image lacks"
)
def _inherits(draft: Draft, rng: Random) -> Expected | None:
    del rng
    view = draft.view
    uv = draft.project("prod")["tool"]["uv"]
    mine = set(uv) - {"package", "index", "dependency-metadata", "extra-build-dependencies", "extra-build-variables"}
    root = view.context.dev.project
    if mine or root is None or not {"index", "exclude-newer", "dependency-metadata"} & set(root.uv):
        return None
    del draft.project("prod")["tool"]["uv"]
    draft.note = "no [tool.uv] in prod"
    return [("LA307", None)]


@SETTINGS.kind("index of prod's pyproject.toml at another address", LA301=_ADDRESS, LA302=_ADDRESS)
def _index(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    indexes = draft.project("prod")["tool"]["uv"].get("index", [])
    locked = [each for each in view.lock("prod").packages if each.source.kind is SourceKind.REGISTRY]
    places = [each.source.location.rstrip("/") for each in locked]
    usual = max(sorted(set(places)), key=places.count, default="")
    found = [each for each in indexes if str(each["url"]).rstrip("/") in set(places) - {usual}]
    if not found:
        return None
    chosen = rng.choice(found)
    first = next(each.name for each in locked if each.source.location.rstrip("/") == str(chosen["url"]).rstrip("/"))
    chosen["url"] = "https://mirror.example/moved"
    draft.note = "an index at another address"
    return [("LA311", first)]


@SETTINGS.kind("source of prod that says workspace")
def _workspace_source(draft: Draft, rng: Random) -> Expected | None:
    uv = draft.project("prod")["tool"]["uv"]
    pool = sorted(name for name in draft.view.direct if name not in uv.get("sources", {}))
    if not pool or "workspace" in uv:
        return None
    name = rng.choice(pool)
    uv.setdefault("sources", tomlkit.table())[name] = {"workspace": True}
    draft.note = f"{name} from a workspace"
    return [("LA307", name)]


# -- the settings of lockaudit -------------------------------------------------------------------------------------


@SETTINGS.kind("registry that the policy does not allow", alone=True)
def _policy(draft: Draft, rng: Random) -> Expected | None:
    view = draft.view
    places = {
        each.source.location.rstrip("/")
        for side in ("dev", "prod")
        for each in view.lock(side).packages
        if each.source.kind in {SourceKind.REGISTRY, SourceKind.URL} and "://" in each.source.location
    }
    found = [each for each in view.lock("prod").packages if each.source.location.rstrip("/") in places]
    if not found:
        return None
    left_out = rng.choice(sorted({each.source.location.rstrip("/") for each in found}))
    allowed = sorted(places - {left_out})
    if any(left_out.startswith(f"{each}/") for each in allowed):
        return None
    sides = [view.lock(side).packages for side in ("dev", "prod")]
    first = {
        next((each.name for each in packages if each.source.location.rstrip("/") == left_out), None)
        for packages in sides
    }
    draft.project("dev")["tool"]["lockaudit"]["allowed-registries"] = allowed or ["https://other.example"]
    draft.note = f"{left_out} is not allowed"
    return [("LA304", name) for name in first if name is not None]


@SETTINGS.kind("finding accepted that is not there")
def _unused(draft: Draft, rng: Random) -> Expected | None:
    settings = draft.project("dev")["tool"]["lockaudit"]
    code = rng.choice(("LA103", "LA106", "LA111"))
    table = tomlkit.inline_table()
    table[code] = "until the next release"
    if "ignore" in settings:
        return None
    settings.add("ignore", table)
    draft.note = f"ignore {code}"
    return [("LA001", None)]


@SETTINGS.kind(
    "revision that nobody knows", LA301="from revision 5 on, a lock says which groups are installed by default"
)
def _revision(draft: Draft, rng: Random) -> Expected | None:
    side: Side = rng.choice(("dev", "prod"))
    lock = draft.lock(side)
    number = rng.randint(7, 99)
    if "\nrevision = " in lock.head:
        lock.head = re.sub(r"^revision = \d+$", f"revision = {number}", lock.head, flags=re.MULTILINE)
    else:
        lock.head = lock.head.replace("version = 1\n", f"version = 1\nrevision = {number}\n", 1)
    draft.note = f"revision {number} in {side}"
    return [("LA308", None)]
