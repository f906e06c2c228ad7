"""Cache backends: how one named cache is read and written, per backend.

Each name is one place: a tag, a folder, a scope or a manifest. Attributes: facts on bake, table 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.bake.reference import FLAG, NUMBER, ObjectOf, cache_attribute
from auditor.bake.value import Compare, Conditional, Template, Var
from auditor.config import CACHE_BACKENDS, nearest
from auditor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.bake.value import Value
    from auditor.config import CacheConfig

LOCAL_FOLDER: Final = ".lockaudit-cache"
# Attributes that lockaudit sets itself, per cache or per target.
_OURS: Final = frozenset({"type", "ref", "src", "dest", "scope", "name", "mode", "ignore-error", "tag", "digest"})
# The bake file is committed, so that it may not hold them; buildx takes them from its environment.
_CREDENTIALS: Final = frozenset({"secret_access_key", "session_token", "token", "ghtoken"})
_MOST_DIGITS: Final = 18  # of a number in an attribute
_NEEDED: Final = {"s3": ("bucket", "region"), "azblob": ("account_url",)}


@dataclass(frozen=True, slots=True)
class Cache:
    """A backend with its options, checked.

    Attributes:
        backend: one of `config.CACHE_BACKENDS`.
        read_options: attributes of every `cache-from` entry.
        write_options: attributes of every `cache-to` entry.
    """

    backend: str
    read_options: Mapping[str, Value]
    write_options: Mapping[str, Value]

    def read(self, names: Iterable[str]) -> Value:
        """The one `cache-from` list, for every target. An empty CACHE_REPO switches a registry cache off."""
        kind, options = self.backend, self.read_options
        entries: list[Value] = [{"type": kind, **self._place(name, "src"), **options} for name in names]
        if kind == "registry":
            return Conditional(Compare(Var("CACHE_REPO"), "!=", ""), entries, [])
        return entries

    def write(self, name: str, *, mode: str, lossy: bool) -> Value:
        """The `cache-to` of one target: nothing unless CACHE_WRITE.

        Args:
            name: of the cache; one target's only.
            mode: `min` for the last layer, `max` for all of them.
            lossy: whether a failed export may be ignored. A wheel's may not: it is hours that are lost.
        """
        place = self._place(name, "dest")
        entry: dict[str, Value] = {"type": self.backend, **place, "mode": mode, **self.write_options}
        if lossy:
            entry["ignore-error"] = True
        return Conditional(Var("CACHE_WRITE"), [entry], [])

    def _place(self, name: str, local: str) -> dict[str, Value]:
        match self.backend:
            case "registry":
                return {"ref": Template((Var("CACHE_REPO"), f":{name}"))}
            case "local":
                return {local: f"{LOCAL_FOLDER}/{name}"}
            case "gha":
                return {"scope": name}
        return {"name": name}


def read_cache(config: CacheConfig) -> Cache:
    """The backend that the settings choose.

    Raises:
        ConfigError: no such backend, an attribute that it does not have, or one of another kind; one that is missing.
    """
    if config.backend not in CACHE_BACKENDS:
        similar = nearest(config.backend, CACHE_BACKENDS)
        hint = f"did you mean `{similar}`?" if similar else f"backends: {', '.join(CACHE_BACKENDS)}"
        raise ConfigError(f"there is no cache backend {config.backend!r}", hint=hint)
    missing = [name for name in _NEEDED.get(config.backend, ()) if name not in config.options]
    if missing:
        raise ConfigError(
            f"the cache backend {config.backend} needs {', '.join(missing)}",
            hint="set it in [tool.lockaudit.cache.options]",
        )
    read = _checked(config.backend, config.options, cache_attribute("cache-from"), "options")
    shared = _checked(config.backend, config.options, cache_attribute("cache-to"), "options")
    write = _checked(config.backend, config.write_options, cache_attribute("cache-to"), "write-options")
    return Cache(config.backend, read, {**shared, **write})


def _checked(backend: str, options: Mapping[str, str], attribute: ObjectOf, section: str) -> dict[str, Value]:
    known = attribute.types[backend]
    found: dict[str, Value] = {}
    for name, value in options.items():
        shape = known.get(name)
        if shape is None or name in _OURS:
            allowed = [key for key in known if key not in _OURS]
            similar = nearest(name, allowed)
            raise ConfigError(
                f"`{name}` in [tool.lockaudit.cache.{section}] is no attribute of the {backend} cache"
                if name not in _OURS
                else f"`{name}` in [tool.lockaudit.cache.{section}] is set by lockaudit itself",
                hint=f"did you mean `{similar}`?" if similar else f"attributes: {', '.join(allowed)}",
            )
        if name in _CREDENTIALS:
            raise ConfigError(
                f"`{name}` in [tool.lockaudit.cache.{section}] is a credential, which a committed file must not hold",
                hint=f"remove it from the file and revoke it; the {backend} cache takes it from the environment",
            )
        if shape is FLAG:
            if value not in {"true", "false"}:
                raise ConfigError(f'`{name}` of the {backend} cache is "true" or "false", not {value!r}')
            found[name] = value == "true"
        elif shape is NUMBER:
            if not value.isdecimal() or len(value) > _MOST_DIGITS:
                raise ConfigError(f"`{name}` of the {backend} cache is a number, not {value!r}")
            found[name] = int(value)
        else:
            found[name] = value
    return found
