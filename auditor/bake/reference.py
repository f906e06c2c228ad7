"""What bake knows: the attributes of a target, the keys of their entries, and what each holds.

bake ignores an attribute or a key that it does not know without a word, and takes a mistyped cache mode for `min`, so
the model asks these tables first. Sources: buildx's bake reference (0.36), the cache and output sections of BuildKit's
README (0.32), and the exporters' pages of Docker's documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias


class Scalar(StrEnum):
    """The kinds of a single value."""

    TEXT = "a string"
    FLAG = "a bool"
    NUMBER = "a whole number"


@dataclass(frozen=True, slots=True)
class OneOf:
    """A string out of a few."""

    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"one of {', '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one shape."""

    item: Shape

    def __str__(self) -> str:
        return "a list"


@dataclass(frozen=True, slots=True)
class MapOf:
    """Keys of the user's choice, values of one shape."""

    item: Shape

    def __str__(self) -> str:
        return "a map"


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """Keys that bake knows.

    Attributes:
        types: value of the `type` key -> the other keys and what they hold. An empty type stands for an object without
            the `type` key.
        required: type -> the key without which the object says nothing.
    """

    types: Mapping[str, Keys]
    required: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return "an object"


Shape: TypeAlias = Scalar | OneOf | ListOf | MapOf | ObjectOf
Keys: TypeAlias = Mapping[str, Shape]

TEXT, FLAG, NUMBER = Scalar.TEXT, Scalar.FLAG, Scalar.NUMBER
TEXTS = ListOf(TEXT)
_TEXT_MAP = MapOf(TEXT)

_COMPRESSION: Keys = {
    "compression": OneOf(("uncompressed", "gzip", "estargz", "zstd")),
    "compression-level": NUMBER,
    "force-compression": FLAG,
}
_EXPORT: Keys = {"mode": OneOf(("min", "max")), "ignore-error": FLAG}
_LAYERS: Keys = {**_EXPORT, **_COMPRESSION, "image-manifest": FLAG, "oci-mediatypes": FLAG}
_GHA: Keys = dict.fromkeys(("scope", "timeout", "url", "url_v2", "token", "version"), TEXT)
_STORE: Keys = dict.fromkeys(("prefix", "blobs_prefix", "manifests_prefix", "name", "secret_access_key"), TEXT)
_AZBLOB: Keys = {**dict.fromkeys(("account_url", "account_name", "container"), TEXT), **_STORE}
_S3: Keys = {
    **dict.fromkeys(("bucket", "region", "endpoint_url", "access_key_id", "session_token", "retry_mode"), TEXT),
    **dict.fromkeys(("use_path_style", "disable_accept_encoding"), FLAG),
    **dict.fromkeys(("upload_parallelism", "retry_max_attempts"), NUMBER),
    "touch_refresh": TEXT,
    **_STORE,
}
_CACHE_FROM = ObjectOf(
    {
        "registry": {"ref": TEXT, "registry.insecure": FLAG},
        "local": {"src": TEXT, "tag": TEXT, "digest": TEXT},
        "gha": _GHA,
        "s3": _S3,
        "azblob": _AZBLOB,
    },
    required={"registry": "ref", "local": "src", "s3": "bucket", "azblob": "account_url"},
)
_CACHE_TO = ObjectOf(
    {
        "registry": {"ref": TEXT, **_LAYERS, "registry.insecure": FLAG},
        "local": {"dest": TEXT, "tag": TEXT, "reset": FLAG, **_LAYERS},
        "gha": {**_GHA, **_EXPORT, "repository": TEXT, "ghtoken": TEXT},
        "s3": {**_S3, **_EXPORT},
        "azblob": {**_AZBLOB, **_EXPORT},
        "inline": {},
    },
    required={"registry": "ref", "local": "dest", "s3": "bucket", "azblob": "account_url"},
)
_IMAGE: Keys = {
    **dict.fromkeys(("name", "dangling-name-prefix"), TEXT),
    **dict.fromkeys(("push", "push-by-digest", "registry.insecure", "name-canonical", "unpack", "store"), FLAG),
    **dict.fromkeys(("rewrite-timestamp", "oci-mediatypes", "oci-artifact"), FLAG),
    **_COMPRESSION,
}
_ARCHIVE: Keys = {
    **dict.fromkeys(("dest", "name"), TEXT),
    **dict.fromkeys(("tar", "rewrite-timestamp", "oci-mediatypes"), FLAG),
    **_COMPRESSION,
}
_OUTPUT = ObjectOf(
    {
        "cacheonly": {},
        "image": _IMAGE,
        "registry": _IMAGE,
        "local": {"dest": TEXT, "platform-split": FLAG},
        "tar": {"dest": TEXT},
        "oci": _ARCHIVE,
        "docker": {**_ARCHIVE, "context": TEXT},
    },
    required={"local": "dest"},
)
_SECRET = ObjectOf(
    {
        "": {"id": TEXT, "env": TEXT, "src": TEXT},
        "env": {"id": TEXT, "env": TEXT},
        "file": {"id": TEXT, "src": TEXT},
    },
    required={"": "id", "env": "id", "file": "id"},
)
_SSH = ObjectOf({"": {"id": TEXT, "paths": TEXTS}}, required={"": "id"})
_ATTEST = ObjectOf(
    {
        "provenance": {
            "mode": OneOf(("min", "max")),
            **dict.fromkeys(("disabled", "inline-only", "reproducible"), FLAG),
            **dict.fromkeys(("builder-id", "filename", "version"), TEXT),
        },
        "sbom": {"disabled": FLAG, "generator": TEXT},
    }
)
_POLICY = ObjectOf({"": {"filename": TEXT, **dict.fromkeys(("reset", "disabled", "strict"), FLAG), "log-level": TEXT}})
_RESOURCES = ObjectOf(
    {
        "": {
            **dict.fromkeys(("memory", "memory-swap", "cpuset-cpus", "cpuset-mems"), TEXT),
            **dict.fromkeys(("cpu-shares", "cpu-period", "cpu-quota"), NUMBER),
        }
    }
)

# Attributes of a target, in the order in which a reader wants them: what it is, what it is made of, what makes it
# differ, what it makes.
ATTRIBUTES: Keys = MappingProxyType(
    {
        "description": TEXT,
        "name": TEXT,
        "matrix": MapOf(TEXTS),
        "inherits": TEXTS,
        "context": TEXT,
        "dockerfile": TEXT,
        "dockerfile-inline": TEXT,
        "target": TEXT,
        "contexts": _TEXT_MAP,
        "args": _TEXT_MAP,
        "platforms": TEXTS,
        "labels": _TEXT_MAP,
        "annotations": TEXTS,
        "tags": TEXTS,
        "secret": ListOf(_SECRET),
        "ssh": ListOf(_SSH),
        "network": OneOf(("default", "host", "none")),
        "extra-hosts": _TEXT_MAP,
        "shm-size": TEXT,
        "ulimits": TEXTS,
        "resources": _RESOURCES,
        "entitlements": TEXTS,
        "policy": ListOf(_POLICY),
        "attest": ListOf(_ATTEST),
        "call": OneOf(("build", "check", "lint", "outline", "targets")),
        "pull": FLAG,
        "no-cache": FLAG,
        "no-cache-filter": TEXTS,
        "cache-from": ListOf(_CACHE_FROM),
        "cache-to": ListOf(_CACHE_TO),
        "output": ListOf(_OUTPUT),
    }
)


def cache_attribute(name: str) -> ObjectOf:
    """The entries of `cache-from` or `cache-to`: per backend, its attributes."""
    return {"cache-from": _CACHE_FROM, "cache-to": _CACHE_TO}[name]
