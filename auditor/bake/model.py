"""The bake file as values: what `docker buildx bake` reads, without a character of HCL in it.

Every value is structured (a literal, a reference, a template, a choice), so that no string can end its own quotes and
become code: quoting is the writer's, `auditor.bake.write`, and happens in one place. Building a model checks it against
bake's reference, because bake itself ignores an attribute or a cache key that it does not know without a word.

Two kinds of refusal: `ConfigError` for what a configuration can reach (a name, a mode), `ValueError` for what only code
can get wrong (an unknown attribute, a list where a string belongs, a reference to a variable that is not declared).

bake puts every string into Unicode normalisation form C when it reads the file; the model keeps what it is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from auditor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TARGET_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_VARIABLE_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

# Words with a meaning in HCL expressions. The language allows most of them as names somewhere; a reader should not have
# to know where.
RESERVED_WORDS = frozenset({"true", "false", "null", "for", "for_each", "in", "if", "else", "endif", "endfor"})


class VariableType(StrEnum):
    """The types of a bake variable, as HCL spells them. Typed variables need buildx 0.24."""

    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"
    STRINGS = "list(string)"


_SCALARS = frozenset({VariableType.STRING, VariableType.NUMBER, VariableType.BOOL})

# Variables that bake sets itself.
_BUILTIN = {"BAKE_CMD_CONTEXT": VariableType.STRING, "BAKE_LOCAL_PLATFORM": VariableType.STRING}


class Kind(StrEnum):
    """What an attribute or a key holds. A tuple of strings in the place of a kind is an enumeration."""

    TEXT = "a string"
    FLAG = "a bool"
    NUMBER = "a whole number"
    TEXTS = "a list of strings"
    TEXT_MAP = "a map of strings"
    TEXTS_MAP = "a map of lists of strings"
    ENTRIES = "a list of objects"
    RESOURCES = "an object"


Shape: TypeAlias = Kind | tuple[str, ...]
Keys: TypeAlias = Mapping[str, Shape]

_TEXT, _FLAG, _NUMBER, _TEXTS, _TEXT_MAP = Kind.TEXT, Kind.FLAG, Kind.NUMBER, Kind.TEXTS, Kind.TEXT_MAP

# Attributes of a target, in the order in which the writer puts them. Source: buildx's bake reference, 0.36.
ATTRIBUTES: Keys = MappingProxyType(
    {
        "description": _TEXT,
        "name": _TEXT,
        "matrix": Kind.TEXTS_MAP,
        "inherits": _TEXTS,
        "context": _TEXT,
        "dockerfile": _TEXT,
        "dockerfile-inline": _TEXT,
        "target": _TEXT,
        "contexts": _TEXT_MAP,
        "args": _TEXT_MAP,
        "platforms": _TEXTS,
        "labels": _TEXT_MAP,
        "annotations": _TEXTS,
        "tags": _TEXTS,
        "secret": Kind.ENTRIES,
        "ssh": Kind.ENTRIES,
        "network": ("default", "host", "none"),
        "extra-hosts": _TEXT_MAP,
        "shm-size": _TEXT,
        "ulimits": _TEXTS,
        "resources": Kind.RESOURCES,
        "entitlements": _TEXTS,
        "policy": Kind.ENTRIES,
        "attest": Kind.ENTRIES,
        "call": ("build", "check", "lint", "outline", "targets"),
        "pull": _FLAG,
        "no-cache": _FLAG,
        "no-cache-filter": _TEXTS,
        "cache-from": Kind.ENTRIES,
        "cache-to": Kind.ENTRIES,
        "output": Kind.ENTRIES,
    }
)

_COMPRESSION: Keys = {
    "compression": ("uncompressed", "gzip", "estargz", "zstd"),
    "compression-level": _NUMBER,
    "force-compression": _FLAG,
}
_EXPORT: Keys = {"mode": ("min", "max"), "ignore-error": _FLAG}
_LAYERS: Keys = {**_EXPORT, **_COMPRESSION, "image-manifest": _FLAG, "oci-mediatypes": _FLAG}
_GHA = dict.fromkeys(("scope", "timeout", "url", "url_v2", "token", "version"), _TEXT)
_AZBLOB = dict.fromkeys(
    ("account_url", "account_name", "container", "secret_access_key", "prefix", "blobs_prefix", "manifests_prefix", "name"),
    _TEXT,
)
_S3: Keys = {
    **dict.fromkeys(("bucket", "region", "prefix", "blobs_prefix", "manifests_prefix", "name", "endpoint_url"), _TEXT),
    "use_path_style": _FLAG,
    **dict.fromkeys(("access_key_id", "secret_access_key", "session_token", "touch_refresh", "retry_mode"), _TEXT),
    "upload_parallelism": _NUMBER,
    "retry_max_attempts": _NUMBER,
    "disable_accept_encoding": _FLAG,
}
_IMAGE: Keys = {
    "name": _TEXT,
    **dict.fromkeys(("push", "push-by-digest", "registry.insecure", "name-canonical"), _FLAG),
    "dangling-name-prefix": _TEXT,
    **_COMPRESSION,
    **dict.fromkeys(("rewrite-timestamp", "oci-mediatypes", "oci-artifact", "unpack", "store"), _FLAG),
}
_ARCHIVE: Keys = {"dest": _TEXT, "name": _TEXT, "tar": _FLAG, **_COMPRESSION, "rewrite-timestamp": _FLAG}

# attribute -> value of `type` -> key -> what it holds. An empty type stands for an entry that may leave it out.
# Source: the READMEs of BuildKit 0.32 (cache, output) and buildx's bake reference (secret, ssh, attest, policy).
ENTRY_KEYS: Mapping[str, Mapping[str, Keys]] = MappingProxyType(
    {
        "cache-from": {
            "registry": {"ref": _TEXT, "registry.insecure": _FLAG},
            "local": {"src": _TEXT, "tag": _TEXT, "digest": _TEXT},
            "gha": _GHA,
            "s3": _S3,
            "azblob": _AZBLOB,
        },
        "cache-to": {
            "registry": {"ref": _TEXT, **_LAYERS, "registry.insecure": _FLAG},
            "local": {"dest": _TEXT, "tag": _TEXT, "reset": _FLAG, **_LAYERS},
            "gha": {**_GHA, "repository": _TEXT, "ghtoken": _TEXT, **_EXPORT},
            "s3": {**_S3, **_EXPORT},
            "azblob": {**_AZBLOB, **_EXPORT},
            "inline": {},
        },
        "output": {
            "cacheonly": {},
            "image": _IMAGE,
            "registry": _IMAGE,
            "local": {"dest": _TEXT, "platform-split": _FLAG},
            "tar": {"dest": _TEXT},
            "oci": {**_ARCHIVE, "oci-mediatypes": _FLAG},
            "docker": {**_ARCHIVE, "context": _TEXT},
        },
        "secret": {
            "": {"id": _TEXT, "env": _TEXT, "src": _TEXT},
            "env": {"id": _TEXT, "env": _TEXT},
            "file": {"id": _TEXT, "src": _TEXT},
        },
        "ssh": {"": {"id": _TEXT, "paths": _TEXTS}},
        "attest": {
            "provenance": {"mode": ("min", "max"), "disabled": _FLAG, "builder-id": _TEXT, "inline-only": _FLAG},
            "sbom": {"disabled": _FLAG, "generator": _TEXT},
        },
        "policy": {"": {"filename": _TEXT, "reset": _FLAG, "disabled": _FLAG, "strict": _FLAG, "log-level": _TEXT}},
    }
)
_RESOURCES: Keys = {
    **dict.fromkeys(("memory", "memory-swap", "cpuset-cpus", "cpuset-mems"), _TEXT),
    **dict.fromkeys(("cpu-shares", "cpu-period", "cpu-quota"), _NUMBER),
}
# Without these an entry says nothing.
_REQUIRED = frozenset(
    {
        *(("cache-from", "registry", "ref"), ("cache-from", "local", "src"), ("cache-from", "s3", "bucket")),
        *(("cache-to", "registry", "ref"), ("cache-to", "local", "dest"), ("cache-to", "s3", "bucket")),
        *(("output", "local", "dest"), ("secret", "", "id"), ("secret", "env", "id"), ("secret", "file", "id")),
    }
)


@dataclass(frozen=True, slots=True)
class Var:
    """A reference to a variable: `CACHE_REPO`."""

    name: str

    def __post_init__(self) -> None:
        _check_variable_name(self.name)


@dataclass(frozen=True, slots=True)
class Compare:
    """A string variable held against a literal: `WHEELS_FROM != ""`."""

    variable: Var
    operator: Literal["==", "!="]
    literal: str

    def __post_init__(self) -> None:
        if self.operator not in {"==", "!="}:
            raise ValueError(f"a comparison is == or !=, not {self.operator!r}")
        _check_text(self.literal, "the literal of a comparison")


@dataclass(frozen=True, slots=True)
class Template:
    """Text with references in it: `Template((Var("CACHE_REPO"), ":dev"))` is `"${CACHE_REPO}:dev"`.

    Attributes:
        parts: literal strings and references; neighbouring strings are joined and empty ones dropped.
    """

    parts: tuple[str | Var, ...]

    def __post_init__(self) -> None:
        parts: list[str | Var] = []
        for part in self.parts:
            if isinstance(part, str):
                _check_text(part, "a template")
                if parts and isinstance(parts[-1], str):
                    parts[-1] += part
                elif part:
                    parts.append(part)
            else:
                parts.append(part)
        object.__setattr__(self, "parts", tuple(parts))


@dataclass(frozen=True, slots=True)
class Conditional:
    """A choice: `CACHE_WRITE ? [...] : []`. Both arms have the shape that the attribute asks for."""

    test: Var | Compare
    then: Value
    otherwise: Value


Value: TypeAlias = "str | bool | int | Var | Template | Conditional | Sequence[Value] | Mapping[str, Value]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable block. A default is required: buildx 0.29 rejects an argument whose variable has none.

    Raises:
        ConfigError: the name is not an identifier, or is a word of the language.
        ValueError: the default is not of the type.
    """

    name: str
    type: VariableType
    default: str | bool | int | tuple[str, ...]
    description: str
    comment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_variable_name(self.name)
        where = f'variable "{self.name}"'
        shape = {"string": _TEXT, "bool": _FLAG, "number": _NUMBER, "list(string)": _TEXTS}[self.type]
        uses: list[_Use] = []
        object.__setattr__(self, "default", _checked(self.default, shape, f"{where}, default", uses))
        if uses or isinstance(self.default, Template):
            raise ValueError(f"{where}, default: a literal is needed")
        _check_text(self.description, f"{where}, description")
        object.__setattr__(self, "comment", _lines(self.comment))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group block: a name for several targets or groups."""

    name: str
    targets: tuple[str, ...]
    description: str
    comment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_target_name(self.name, "group")
        for target in self.targets:
            _check_target_name(target, "target")
        _check_text(self.description, f'group "{self.name}", description')
        object.__setattr__(self, "targets", tuple(self.targets))
        object.__setattr__(self, "comment", _lines(self.comment))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target block.

    Attributes:
        name: letters, digits, `_` and `-`; a leading `_` marks a target that is only inherited from.
        attributes: name -> value, in any order; the writer has its own. Kept as read-only tuples and mappings.
        comment: lines above the block.
        notes: attribute -> lines above it.

    Raises:
        ConfigError: the name, or the value of an enumeration (`mode`, `compression`).
        ValueError: an attribute or key that bake does not know, or a value of the wrong shape.
    """

    name: str
    attributes: Mapping[str, Value]
    comment: tuple[str, ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_target_name(self.name, "target")
        checked = {}
        for name, value in self.attributes.items():
            where = f'target "{self.name}", {name}'
            if name not in ATTRIBUTES:
                raise ValueError(f"{where}: bake has no such attribute and would ignore it")
            checked[name] = _checked(value, ATTRIBUTES[name], where, [])
        if stray := set(self.notes) - set(checked):
            raise ValueError(f'target "{self.name}": notes on attributes that it does not set: {sorted(stray)}')
        object.__setattr__(self, "attributes", MappingProxyType(checked))
        object.__setattr__(self, "comment", _lines(self.comment))
        notes = {name: _lines(lines) for name, lines in self.notes.items()}
        object.__setattr__(self, "notes", MappingProxyType(notes))

    @property
    def is_abstract(self) -> bool:
        """Whether it is only there to be inherited from."""
        return self.name.startswith("_")


Block: TypeAlias = Variable | Group | Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Blocks that belong together, under a comment."""

    blocks: tuple[Block, ...]
    comment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))
        object.__setattr__(self, "comment", _lines(self.comment))


@dataclass(frozen=True, slots=True, kw_only=True)
class BakeFile:
    """A whole file: a header and sections, in the order in which they are written.

    Raises:
        ConfigError: two blocks of one kind and name, which bake would merge without a word.
        ValueError: a reference to a variable that is not declared, or whose type does not fit its place.
    """

    sections: tuple[Section, ...]
    header: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sections", tuple(self.sections))
        object.__setattr__(self, "header", _lines(self.header))
        seen = set()
        for block in self._blocks():
            key = (type(block).__name__.lower(), block.name)
            if key in seen:
                raise ConfigError(f'two blocks named {key[0]} "{key[1]}" in one bake file', hint="rename one of them")
            seen.add(key)
        types = _BUILTIN | {name: variable.type for name, variable in self.variables.items()}
        for target in self.targets.values():
            _check_uses(target, types)

    def _blocks(self) -> Iterator[Block]:
        for section in self.sections:
            yield from section.blocks

    @property
    def variables(self) -> dict[str, Variable]:
        """Variables by name, in file order."""
        return {block.name: block for block in self._blocks() if isinstance(block, Variable)}

    @property
    def groups(self) -> dict[str, Group]:
        """Groups by name, in file order."""
        return {block.name: block for block in self._blocks() if isinstance(block, Group)}

    @property
    def targets(self) -> dict[str, Target]:
        """Targets by name, in file order."""
        return {block.name: block for block in self._blocks() if isinstance(block, Target)}


# What a value refers to: where, the variable, the types that fit there.
_Use: TypeAlias = tuple[str, str, "frozenset[VariableType]"]


def _checked(value: Value, shape: Shape, where: str, uses: list[_Use]) -> Value:
    """`value` as read-only data if it has the shape; the variables it names are added to `uses`."""
    match value:
        case Conditional(Var() as test):
            uses.append((where, test.name, frozenset({VariableType.BOOL})))
        case Conditional(Compare(Var() as test)):
            uses.append((where, test.name, frozenset({VariableType.STRING})))
        case Var():
            uses.append((where, value.name, _fitting(shape)))
            return value
        case Template() if shape is Kind.TEXT or isinstance(shape, tuple):
            uses.extend((where, part.name, _SCALARS) for part in value.parts if isinstance(part, Var))
            return value
        case _:
            return _checked_literal(value, shape, where, uses)
    then = _checked(value.then, shape, where, uses)
    return Conditional(value.test, then, _checked(value.otherwise, shape, where, uses))


def _fitting(shape: Shape) -> frozenset[VariableType]:
    if shape is Kind.FLAG:
        return frozenset({VariableType.BOOL})
    if shape is Kind.NUMBER:
        return frozenset({VariableType.NUMBER})
    if shape is Kind.TEXTS:
        return frozenset({VariableType.STRINGS})
    return _SCALARS if shape is Kind.TEXT or isinstance(shape, tuple) else frozenset()


def _checked_literal(value: Value, shape: Shape, where: str, uses: list[_Use]) -> Value:
    match shape, value:
        case tuple(), str():
            if value not in shape:
                raise ConfigError(f"{where}: {value!r} is not one of {', '.join(shape)}")
            return value
        case Kind.TEXT, str():
            _check_text(value, where)
            return value
        case (Kind.FLAG, bool()):
            return value
        case (Kind.NUMBER, int()) if not isinstance(value, bool):
            return value
        case (Kind.TEXTS, Sequence()) if not isinstance(value, str):
            return tuple(_checked(item, _TEXT, f"{where}[{at}]", uses) for at, item in enumerate(value))
        case (Kind.TEXT_MAP, Mapping()):
            return _mapping(value, dict.fromkeys(value, _TEXT), where, uses)
        case (Kind.TEXTS_MAP, Mapping()):
            return _mapping(value, dict.fromkeys(value, _TEXTS), where, uses)
        case (Kind.RESOURCES, Mapping()):
            return _mapping(value, _RESOURCES, where, uses)
        case (Kind.ENTRIES, Sequence()) if not isinstance(value, str):
            return tuple(_entry(item, f"{where}[{at}]", uses) for at, item in enumerate(value))
    wanted = f"one of {', '.join(shape)}" if isinstance(shape, tuple) else shape.value
    raise ValueError(f"{where} is {wanted}, not {type(value).__name__}")


def _entry(value: Value, where: str, uses: list[_Use]) -> Value:
    ...
