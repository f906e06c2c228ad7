"""`lockaudit set`, worked out in a mirror: edits, locks by uv, generated files, and what an audit says about them."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING

from packaging.version import Version

from auditor.bake.generate import keys_of
from auditor.change.assign import Places, assign, look, pinned, without_settings
from auditor.change.places import Scope
from auditor.change.readable import settle_read
from auditor.change.seed import seed
from auditor.change.settle import Present, settle
from auditor.change.tree import mirror
from auditor.change.uv import lock
from auditor.dockerfile.pins import read_pins
from auditor.errors import ConfigError, InputError
from auditor.lock.workspace import workspace_of
from auditor.rules import RULES
from auditor.rules.run import audit
from auditor.wheel.changes import key_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from auditor.bake.generate import Written
    from auditor.change.settle import Settled
    from auditor.change.tree import Change, Tree
    from auditor.change.wanted import Wanted
    from auditor.lock.pair import Side
    from auditor.rules.context import PairContext
    from auditor.rules.run import Outcome
    from auditor.wheel.changes import KeyChange
    from auditor.wheel.key import BuildKey

    Builds = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What `set` would change.

    Attributes:
        edits: files that people write, changed.
        changes: every file that differs afterwards, these included; empty where nothing is to be done.
        notes: what was set along, what stays, and what is not known; one line each.
        keys: what becomes of the compiled wheels.
        contexts: the pairs afterwards.
        outcome: of an audit of them.
    """

    edits: tuple[Change, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    keys: tuple[KeyChange, ...]
    contexts: tuple[PairContext, ...]
    outcome: Outcome


def set_versions(
    root: Path,
    wanted: Wanted,
    load: Callable[[Path], Sequence[PairContext]],
    generate: Callable[[Sequence[PairContext]], Sequence[Written]],
    uv: str | None,
    variant: str = "",
) -> Setting:
    """Work out every change; the repository itself stays as it is.

    Args:
        root: of the repository.
        wanted: what to set.
        load: reads every pair or variant of a folder.
        generate: every generated file of a pair, or of all variants.
        uv: path of the program, or None where there is none.
        variant: the one of the images to set it for; an empty string for all.

    Raises:
        ConfigError: a combination that does not exist, or a place that cannot be set.
        InputError: a file that cannot be read or edited.
        UvError: uv is needed and missing, or cannot resolve.
        RefusedError: dev and prod could not share one wheel afterwards.
    """
    before = load(root)
    chosen = [context for context in before if variant in {"", context.name}]
    _refuse_ambiguous(chosen, wanted, variant)
    with mirror(root) as tree:
        settle_read(tree, before)
        where = _places(tree, before, variant)
        declared, builds = look(tree, where)
        if variant:
            _refuse_common(look(tree, _places(tree, before, ""))[0] - declared, wanted, variant)
        settled, *_ = [settle(wanted, _present(context, declared, builds)) for context in chosen]
        if variant:
            settled = _held(settled, chosen[0], builds, declared)
        notes = (*settled.notes, *assign(tree, where, settled, chosen[0].targets, builds))
        edits = tree.changes()
        if _must_lock(edits, before, settled):
            _lock(tree, before, _loose(tree, where, settled, chosen[0], builds), uv)
        after = load(tree.folder)
        _refuse_other_versions(after, settled)
        keys = key_changes(*_keys(before, after))
        _bake(tree, after, generate)
        baked = load(tree.folder)  # what is generated counts in an audit, too
        return Setting(
            edits=edits,
            changes=tree.changes(),
            notes=notes,
            keys=keys,
            contexts=tuple(baked),
            outcome=audit(*baked),
        )


def _refuse_ambiguous(contexts: Sequence[PairContext], wanted: Wanted, variant: str) -> None:
    """Raise where a part of the images differs among the variants, or is one for all of them.

    Raises:
        ConfigError: with the variants to choose from.
    """
    if variant:
        for name in ("uv", "cmake"):
            if wanted.image(name):
                raise ConfigError(f"all variants have one {name}", hint="leave --variant out")
        return
    if not contexts[0].is_variant:
        return
    choice = " or ".join(f"--variant {context.name}" for context in contexts)
    pins = [read_pins(context.config, context.dockerfile) for context in contexts]
    values = {
        "cuda": [each.cuda.value for each in pins],
        "variant": [each.variant.value for each in pins],
        "ubuntu": [each.ubuntu.value for each in pins],
        "python": [context.targets[0].python for context in contexts],
    }
    for name, found in values.items():
        if wanted.image(name) and len(set(found)) > 1:
            shown = " and ".join(dict.fromkeys(found))
            raise ConfigError(f"{name}={wanted.image(name)} is ambiguous: the variants have {shown}", hint=choice)


def _refuse_common(common: frozenset[str], wanted: Wanted, variant: str) -> None:
    """Raise where a package is declared for all variants, not for the chosen one. Raises: ConfigError."""
    for name in wanted.packages:
        if name in common:
            raise ConfigError(
                f"{name} is declared for all variants alike, not by an extra of {variant} alone",
                hint="leave --variant out, and it is set for all of them",
            )


def _places(tree: Tree, contexts: Sequence[PairContext], variant: str) -> Places:
    """The files that may have what is set: of every lock, and of every pair's images; of a variant, its own part.

    A project that no other variant uses is the variant's own as a whole.
    """
    groups: dict[str, tuple[str, ...]] = {}
    users: dict[str, list[tuple[str, Scope]]] = {}
    for context in contexts:
        for side, config in ((context.dev, context.config.dev), (context.prod, context.config.prod)):
            workspace = workspace_of(side)
            members = workspace.folders if workspace is not None else ()
            folders = [side.folder, *(posixpath.normpath(posixpath.join(side.folder, each)) for each in members)]
            paths = [posixpath.normpath(posixpath.join(folder, "pyproject.toml")) for folder in folders]
            paths.append(posixpath.normpath(posixpath.join(side.folder, "uv.toml")))
            groups[side.folder] = tuple(path for path in paths if (tree.folder / path).is_file())
            scope = Scope(frozenset(config.extras or ()), frozenset(config.groups))
            users.setdefault(side.folder, []).append((context.name, scope))
    scopes: dict[str, Scope | None] = {}
    for folder, found in users.items():
        own = next((scope for name, scope in found if name == variant), None) if variant else None
        if not variant or own is not None:
            scopes[folder] = own if {name for name, _ in found} != {variant} else None
    dockerfiles = [context.dockerfile.file.name for context in contexts if context.dockerfile is not None]
    return Places(
        projects=tuple(groups[folder] for folder in scopes),
        scopes=tuple(scopes.values()),
        dockerfiles=tuple(dict.fromkeys(dockerfiles)),
        variant=variant,
    )


def _present(context: PairContext, declared: frozenset[str], builds: Builds) -> Present:
    target = context.targets[0]
    pins = read_pins(context.config, context.dockerfile)
    selected = context.dev.select(target).packages
    return Present(
        declared=declared,
        locked={package.name: package.version for package in selected if package.version is not None},
        others=frozenset(name for side in (context.dev, context.prod) for name in side.lock.by_name),
        builds=builds,
        minor=target.minor,
        cuda=pins.cuda.value if pins.cuda.position is not None else "",
        variant=pins.variant.value,
        ubuntu=pins.ubuntu.value,
    )


def _must_lock(edits: Sequence[Change], contexts: Sequence[PairContext], settled: Settled) -> bool:
    """Whether uv has to lock: what it reads has changed, has another version, or had before."""
    read = [change for change in edits if PurePosixPath(change.path).name in {"pyproject.toml", "uv.toml"}]
    if any(without_settings(change.old or "") != without_settings(change.new or "") for change in read):
        return True
    for side in (side for context in contexts for side in (context.dev, context.prod)):
        for name, version in settled.wanted.packages.items():
            if side.lock.by_name.get(name) and not _has(side, name, version):
                return True
    stale = [rule for rule in RULES if rule.code == "LA301"]
    return bool(audit(*contexts, rules=stale).findings)


def _has(side: Side, name: str, version: Version) -> bool:
    """Whether a lock has a version of a package, in any build of it."""
    found = (package.version for package in side.lock.by_name.get(name, ()))
    return any(each is not None and version in {each, Version(each.public)} for each in found)


def _loose(tree: Tree, where: Places, settled: Settled, context: PairContext, builds: Builds) -> dict[str, Version]:
    """The packages that no requirement pins to the version that they are to have: the lock has to be told."""
    if where.variant:  # the lock has other versions for other variants: this one's are pinned
        return {}
    wanted = {**_of_builds(settled, context, builds), **settled.wanted.packages}
    fixed = pinned(tree, where)
    return {name: version for name, version in wanted.items() if name not in fixed}


def _held(settled: Settled, context: PairContext, builds: Builds, declared: frozenset[str]) -> Settled:
    """What is to be set for one variant, with the versions that are to stay when only their build changes."""
    stay = {name: version for name, version in _of_builds(settled, context, builds).items() if name in declared}
    packages = MappingProxyType({**stay, **settled.wanted.packages})
    return replace(settled, wanted=replace(settled.wanted, packages=packages))


def _of_builds(settled: Settled, context: PairContext, builds: Builds) -> dict[str, Version]:
    """The packages whose build changes, with the version that they have."""
    if not settled.build:
        return {}
    return {
        package.name: Version(package.version.public)
        for package in context.dev.select(context.targets[0]).packages
        if package.version is not None and (package.version.local,) in builds
    }


def _lock(tree: Tree, contexts: Sequence[PairContext], loose: Mapping[str, Version], uv: str | None) -> None:
    """Lock every dev project, then every prod project with the versions of its dev. Raises: UvError."""
    arguments = [f"--upgrade-package={name}=={version}" for name, version in loose.items()]
    done: set[str] = set()
    for context in contexts:
        if context.dev.folder not in done:
            lock(tree, context.dev.folder, uv, arguments=arguments)
            done.add(context.dev.folder)
        if context.prod.folder not in done:
            path = context.prod.lock.file.name
            tree.replace(path, seed(tree.text(context.dev.lock.file.name) or "", tree.text(path)))
            lock(tree, context.prod.folder, uv)
            done.add(context.prod.folder)


def _refuse_other_versions(contexts: Sequence[PairContext], settled: Settled) -> None:
    """Raise where uv has locked another version than the one that was asked for."""
    for side in (side for context in contexts for side in (context.dev, context.prod)):
        for name, version in settled.wanted.packages.items():
            found = side.lock.by_name.get(name, ())
            if found and not _has(side, name, version):
                raise InputError(
                    f"uv has locked {found[0].label} in {side.role}, not {version}",
                    path=side.lock.file.name,
                    hint="nothing was changed; see which requirement or constraint holds it there",
                )


def _bake(
    tree: Tree, contexts: Sequence[PairContext], generate: Callable[[Sequence[PairContext]], Sequence[Written]]
) -> None:
    """Write the bake file and the build locks in the mirror, where the repository has them."""
    first = contexts[0]
    baked = first.baking.disk if first.baking is not None else None
    if baked is None or first.dockerfile is None or not (baked.is_ours or baked.build_locks()):
        return
    for file in generate(contexts if first.is_variant else contexts[:1]):
        if file.changed:
            tree.replace(file.path, file.new)


def _keys(
    before: Sequence[PairContext], after: Sequence[PairContext]
) -> tuple[list[tuple[str, BuildKey]], list[tuple[str, BuildKey]]]:
    """The build keys, old and new, by the target as it is now."""
    old: list[tuple[str, BuildKey]] = []
    new: list[tuple[str, BuildKey]] = []
    for was, now in zip(before, after, strict=True):
        renamed = dict(zip(was.targets, now.targets, strict=False)) if len(was.targets) == len(now.targets) else {}
        for found, context in ((old, was), (new, now)):
            for target in context.targets:
                label = str(renamed.get(target, target) if context is was else target)
                keys = keys_of(context.dev, target, context.config, context.dockerfile)
                found += [(f"{label} ({context.name})" if context.name else label, key) for key in keys]
    return old, new
