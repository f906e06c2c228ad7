"""What is wrong with bake files that somebody wrote by hand, alone or merged with others.

The counterpart of `lint`, which checks the model of a file that is about to be written; here values may be expressions
that only bake can evaluate, and whatever cannot be told is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.bake.lint import EXPORTED_NAMES
from auditor.bake.merged import place_of
from auditor.bake.reference import ATTRIBUTES, ListOf, ObjectOf
from auditor.config import nearest
from auditor.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.bake.merged import Merged, Setting
    from auditor.bake.read import BakeBlock, BakeDocument
    from auditor.bake.reference import Shape

WHEEL: Final = re.compile(r"(?:^|[-_])wheels?(?:$|[-_])")
# Variables that hold a version or a list which decides what is built.
_PINS: Final = frozenset(
    {name for name in EXPORTED_NAMES if name.endswith("_VERSION")}
    | {"MAX_JOBS", "NVCC_THREADS", "SOURCE_DATE_EPOCH", "TORCH_CUDA_ARCH_LIST"}
)
_IMAGES: Final = frozenset({"image", "registry", "docker"})
# What each kind of block may hold.
_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "target": tuple(ATTRIBUTES),
    "group": ("targets", "description"),
    "variable": ("type", "default", "description"),
    "function": ("params", "variadic_params", "result"),
    "validation": ("condition", "error_message"),
}
_INNER: Final = ("validation",)
_BUILDX: Final = "0.36"  # whose reference the tables are from


@dataclass(frozen=True, slots=True)
class Place:
    """A 1-based line of a file, and the word in it that is meant; an empty one is the line's start."""

    file: str
    line: int
    word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing that is wrong.

    Attributes:
        message: what, naming the target.
        at: where.
        help: what to do.
        severity: None for that of its rule.
        notes: further facts.
        other: a second place, with what is there.
    """

    message: str
    at: Place
    help: str
    severity: Severity | None = None
    notes: tuple[str, ...] = ()
    other: tuple[Place, str] | None = None


def shared_caches(merged: Merged) -> Iterator[Flaw]:
    """Two `cache-to` of one place, among the targets that are built."""
    writers: dict[str, tuple[str, Setting]] = {}
    for name in merged.built:
        setting = merged.last(name, "cache-to")
        if setting is None:
            continue
        places = [place for entry in merged.entries(setting.value) if (place := place_of(entry))]
        several = _several(merged, name)
        for place in dict.fromkeys(places):
            if several is not None and any(re.search(rf"\b{re.escape(key)}\b", place) for key in several):
                continue
            first = writers.setdefault(place, (name, setting))
            if first[0] != name:
                why = f'and so does target "{first[0]}"'
            elif several is not None:
                why = "and so does every other target of its matrix"
            elif places.count(place) > 1:
                why = "twice"
            else:
                continue
            yield Flaw(
                message=f'target "{name}" writes its cache to {place}, {why}',
                at=at_setting(setting),
                help="give each target a `cache-to` of its own",
                other=None if first[1] == setting else (at_setting(first[1]), f'of target "{first[0]}"'),
            )


def weak_caches(merged: Merged) -> Iterator[Flaw]:
    """Targets that will build what they could have found, and pins that an environment overrides."""
    for name in merged.built:
        reasons = list(_weak_wheel(merged, name)) if WHEEL.search(name) else []
        if reasons:
            yield Flaw(
                message=f'target "{name}" makes wheels, but {" and ".join(reasons)}',
                at=_at_block(*merged.targets[name][0]),
                help='give it a `cache-to` of its own with mode=min, and `output = ["type=cacheonly"]`',
            )
    yield from _different_caches(merged)
    for name, blocks in merged.variables.items():
        document, block = blocks[-1]
        if name in _PINS and block.value("default") not in {None, ""}:
            yield Flaw(
                message=f'variable "{name}" holds a pin, and environments that export this name override it',
                at=_at_block(document, block),
                help="write the pin where it is used, or give the variable a name that nobody exports",
            )


def unknown_names(document: BakeDocument) -> Iterator[Flaw]:
    """Blocks, attributes and keys that bake does not know, and ignores."""
    for block in document.blocks:
        yield from _unknown(document, block, tuple(kind for kind in _KNOWN if kind not in _INNER))


def at_setting(setting: Setting) -> Place:
    """Where a setting stands."""
    return Place(setting.document.name, setting.attribute.line, setting.attribute.name)


def _at_block(document: BakeDocument, block: BakeBlock) -> Place:
    return Place(document.name, block.line)


def _several(merged: Merged, name: str) -> tuple[str, ...] | None:
    """The variables of a matrix that makes several targets of one; None without such a matrix."""
    setting = merged.last(name, "matrix")
    value = setting.value if setting is not None else None
    if not isinstance(value, Mapping):
        return None
    return tuple(value) if any(not isinstance(each, tuple) or len(each) > 1 for each in value.values()) else None


def _weak_wheel(merged: Merged, name: str) -> Iterator[str]:
    cache = merged.last(name, "cache-to")
    entries = list(merged.entries(cache.value)) if cache is not None else []
    if not any(place_of(entry) for entry in entries):
        yield "keeps no cache of its own (`cache-to`)"
    elif any(entry.get("mode", "min") != "min" for entry in entries):
        yield "keeps every layer of the compile (`mode` is not min)"
    output = merged.last(name, "output")
    kinds = {entry.get("type", "local") for entry in merged.entries(output.value)} if output is not None else set()
    if not kinds or kinds & _IMAGES:
        yield "produces an image (`output` is not cacheonly)"


def _different_caches(merged: Merged) -> Iterator[Flaw]:
    """The targets that do not read what most of the others read, told together at the first of them."""
    lists: dict[frozenset[str], list[str]] = {}
    for name in merged.built:
        settings = merged.settings(name, "cache-from")
        entries = [str(sorted(entry.items())) for setting in settings for entry in merged.entries(setting.value)]
        lists.setdefault(frozenset(entries), []).append(name)
    if len(lists) <= 1 or not any(lists):
        return
    common = max((entries for entries in lists if entries), key=lambda entries: (len(lists[entries]), len(entries)))
    odd = [name for entries, names in lists.items() if entries != common for name in names]
    names = ", ".join(f'"{name}"' for name in odd)
    yield Flaw(
        message=f"target {names} reads other caches than the rest"
        if len(odd) == 1
        else f"the targets {names} read other caches than the rest",
        at=_at_block(*merged.targets[odd[0]][0]),
        help="let every target inherit one target whose `cache-from` lists every ref",
        notes=(f'the rest read what target "{lists[common][0]}" reads',),
    )


def _unknown(document: BakeDocument, block: BakeBlock, kinds: tuple[str, ...]) -> Iterator[Flaw]:
    label = f'{block.kind} "{block.name}"' if block.name else block.kind
    if block.kind not in kinds:
        yield _ignored(document, block.line, block.kind, kinds, f"bake knows no block {block.kind} here")
        return
    known = _KNOWN[block.kind]
    for name, attribute in block.attributes.items():
        if name not in known:
            yield _ignored(document, attribute.line, name, known, f"{label}: bake has no attribute {name}")
        elif block.kind == "target":
            where = f"{label}, {name}"
            for key, keys, kind in _unknown_keys(attribute.value, ATTRIBUTES[name]):
                message = f"{where}: bake knows no key {key} of {kind or 'this'}"
                yield _ignored(document, attribute.line, key, keys, message, Severity.WARNING)
    for inner in block.blocks:
        yield from _unknown(document, inner, _INNER if block.kind == "variable" else ())


def _unknown_keys(value: object, shape: Shape) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """(key, known keys, type) of entries; values that only bake can evaluate are left alone."""
    if isinstance(shape, ListOf) and isinstance(value, tuple):
        for each in value:
            yield from _unknown_keys(each, shape.item)
    elif isinstance(shape, ObjectOf) and isinstance(value, Mapping):
        kind = value.get("type", "")
        keys = shape.types.get(kind) if isinstance(kind, str) else None
        for key in value:
            if keys is not None and key != "type" and key not in keys:
                yield key, tuple(keys), kind


def _ignored(
    document: BakeDocument,
    line: int,
    word: str,
    known: Iterable[str],
    message: str,
    severity: Severity | None = None,
) -> Flaw:
    known = tuple(known)
    similar = nearest(word, known) or nearest(word.replace("_", "-"), known)
    return Flaw(
        message=f"{message}, and ignores it",
        at=Place(document.name, line, word),
        severity=severity or (None if similar else Severity.WARNING),
        help=f"did you mean `{similar}`?"
        if similar
        else f"remove it, or see whether a bake newer than {_BUILDX} has it",
    )
