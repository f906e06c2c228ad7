"""The bake targets that are there, from the bake file and what bake merges with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from auditor.bake.inspect import WHEEL
from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.bake.files import BakeFiles
    from auditor.bake.merged import Entry, Merged

_DOCKERFILE: Final = "Dockerfile"  # what bake takes where a target names none
_LINK: Final = "target:"
# Attributes that are in the cache key of every RUN (facts on bake, 3.2).
KEYED: Final = ("network", "shm-size", "ulimits", "extra-hosts")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """A target that is built.

    Attributes:
        name: of the target.
        description: or an empty string.
        dockerfile: path; an empty string where its Dockerfile stands in the bake file.
        stage: that it builds, or an empty string.
        linked: targets whose results it takes.
        arguments: build arguments with a plain value.
        inline: its Dockerfile, where that stands in the bake file.
        context: the folder that is its build context.
        contexts: (name, value) of its named contexts: `target:wheel-prod`, `docker-image://...`, a folder.
        all_arguments: (name, value) of every build argument; a variable counts with its default.
        keyed: (attribute, value) of what is in the cache key of every RUN: `network`, `shm-size` and their like.
        uncached: the stages that are always built anew; an empty name is all of them.
        platforms: that it is built for, separated by commas; an empty string where it does not say.
        writes: its caches.
        reads: the caches that it looks into.
        facts: (what, value) of whatever else is worth a look.
        lines: (file, line) of its blocks' first lines and of their attributes.
    """

    name: str
    description: str
    dockerfile: str
    stage: str
    linked: tuple[str, ...]
    arguments: tuple[tuple[str, str], ...]
    writes: tuple[str, ...]
    reads: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    lines: frozenset[tuple[str, int]]
    inline: str = ""
    context: str = "."
    contexts: tuple[tuple[str, str], ...] = ()
    all_arguments: tuple[tuple[str, str], ...] = ()
    keyed: tuple[tuple[str, str], ...] = ()
    uncached: tuple[str, ...] = ()
    platforms: str = ""

    @property
    def makes_wheels(self) -> bool:
        """Whether its name says so."""
        return bool(WHEEL.search(self.name))


@dataclass(frozen=True, slots=True)
class Baked:
    """All targets, and what there is to say about the files."""

    targets: tuple[TargetFacts, ...] = ()
    notes: tuple[str, ...] = ()

    def arguments(self, dockerfile: str) -> dict[str, str]:
        """What the targets of a Dockerfile set in common: the arguments on whose value they agree."""
        found: dict[str, set[str]] = {}
        for target in self.targets:
            if target.dockerfile == dockerfile:
                for name, value in target.arguments:
                    found.setdefault(name, set()).add(value)
        return {name: values.pop() for name, values in found.items() if len(values) == 1}


def of_builds(baked: Baked, names: tuple[Sequence[str], Sequence[str]]) -> Baked:
    """The targets of some builds: without those that are called after another one, unless they are linked.

    Args:
        baked: all targets.
        names: the names of the builds, and those of the others.
    """
    own, others = names
    by_name = {target.name: target for target in baked.targets}

    def suffix(target: str) -> str:
        fitting = [name for name in (*own, *others) if name and target.endswith(f"-{name}")]
        return max(fitting, key=len, default="")

    pending = [target for target in by_name if suffix(target) not in others]
    kept: set[str] = set()
    while pending:
        name = pending.pop()
        if name in by_name and name not in kept:
            kept.add(name)
            pending += by_name[name].linked
    return replace(baked, targets=tuple(target for target in baked.targets if target.name in kept))


def read_targets(disk: BakeFiles) -> Baked:
    """The targets of the bake file and of what lies beside it."""
    committed = disk.committed
    if committed is None:
        return Baked()
    beside = disk.beside
    before = tuple(source for source in beside if "override" not in source.name)
    sources = (*before, committed, *(source for source in beside if source not in before))
    documents, notes = [], []
    for source in sources:
        document = disk.document(source)
        if isinstance(document, InputError):
            notes.append(f"{source.name} cannot be read: {document.message}")
        else:
            documents.append(document)
    from auditor.bake.merged import Merged  # noqa: PLC0415 - for projects that bake

    merged = Merged(tuple(documents))
    return Baked(tuple(_target(merged, name) for name in merged.built), tuple(notes))


def _target(merged: Merged, name: str) -> TargetFacts:
    inline = merged.last(name, "dockerfile-inline")
    reads = tuple(
        dict.fromkeys(
            place
            for setting in merged.settings(name, "cache-from")
            for entry in merged.entries(setting.value)
            if (place := _place(entry))
        )
    )
    cache = merged.last(name, "cache-to")
    writes = [place for entry in merged.entries(cache.value) if (place := _place(entry))] if cache is not None else []
    modes = [entry["mode"] for entry in merged.entries(cache.value) if "mode" in entry] if cache is not None else []
    facts = [(attribute, text) for attribute in ("tags", "platforms") if (text := _text(merged, name, attribute))]
    facts += [("cache mode", ", ".join(dict.fromkeys(modes)))] if modes else []
    facts += [("reads caches", str(len(reads)))] if reads else []
    return TargetFacts(
        name=name,
        description=_text(merged, name, "description"),
        dockerfile="" if inline is not None else _text(merged, name, "dockerfile") or _DOCKERFILE,
        stage=_text(merged, name, "target"),
        linked=tuple(dict.fromkeys(_linked(merged, name))),
        arguments=tuple(_arguments(merged, name)),
        writes=tuple(dict.fromkeys(writes)),
        reads=reads,
        facts=tuple(facts),
        lines=frozenset(
            (document.name, line)
            for document, block in merged.targets.get(name, ())
            for line in (block.line, *(attribute.line for attribute in block.attributes.values()))
        ),
        inline=merged.text(inline.value) if inline is not None else "",
        context=_text(merged, name, "context") or ".",
        contexts=tuple(_contexts(merged, name)),
        all_arguments=tuple(
            (key, merged.text(value))
            for key, setting in merged.mapping(name, "args").items()
            if (value := setting.value[key]) is not None  # type: ignore[index,call-overload] # `mapping` has looked
        ),
        keyed=tuple(
            (attribute, text)
            for attribute in KEYED
            if (text := " ".join(str(setting.value) for setting in merged.settings(name, attribute)))
        ),
        uncached=tuple(_uncached(merged, name)),
        platforms=_text(merged, name, "platforms"),
    )


def _text(merged: Merged, name: str, attribute: str) -> str:
    setting = merged.last(name, attribute)
    return ", ".join(merged.texts(setting.value)) if setting is not None else ""


def _linked(merged: Merged, name: str) -> Iterator[str]:
    for key, setting in merged.mapping(name, "contexts").items():
        for text in merged.texts(setting.value[key]):  # type: ignore[index,call-overload] # `mapping` has looked
            if text.startswith(_LINK):
                yield text.removeprefix(_LINK)


def _contexts(merged: Merged, name: str) -> Iterator[tuple[str, str]]:
    for key, setting in merged.mapping(name, "contexts").items():
        value = setting.value[key]  # type: ignore[index,call-overload] # likewise
        yield key, merged.chosen(value)


def _uncached(merged: Merged, name: str) -> Iterator[str]:
    setting = merged.last(name, "no-cache")
    if setting is not None and merged.text(setting.value) == "true":
        yield ""
    for each in merged.settings(name, "no-cache-filter"):
        yield from merged.texts(each.value)


def _arguments(merged: Merged, name: str) -> Iterator[tuple[str, str]]:
    for key, setting in merged.mapping(name, "args").items():
        value = setting.value[key]  # type: ignore[index,call-overload] # likewise
        if isinstance(value, str):
            yield key, value


def _place(entry: Entry) -> str:
    """A cache by the one word that tells it from the others, with where it is: `localhost:5000/cache:dev`."""
    kind = entry.get("type", "")
    name = next((entry[key] for key in ("ref", "src", "dest", "scope", "name") if entry.get(key)), "")
    if kind == "registry" or not name:
        return name
    return f"{kind}:{name}"
