"""What uv starts from when it locks prod after dev: dev's versions, so that prod stays a subset of it.

uv keeps the version that the lock beside a project has, as long as it fits. So prod's lock is replaced, before uv runs,
by one that prefers what dev has locked; of what dev does not have, prod's own entries stay, commits of git sources
among them. uv writes every line of the result.
"""

from __future__ import annotations

from typing import Any, Final

import rtoml

_KEPT: Final = ("name", "version", "source", "resolution-markers", "sdist", "wheels")
_REMOTE: Final = ("registry", "url", "git")


def seed(dev: str, prod: str | None) -> str:
    """The text of a lock that uv reads preferences from; never one that it would leave as it is.

    Args:
        dev: text of the dev lock.
        prod: text of the prod lock, or None where there is none yet.
    """
    document: dict[str, Any] = rtoml.loads(dev)
    theirs = _remote(document)
    names = {entry["name"] for entry in theirs}
    own = [entry for entry in _remote(rtoml.loads(prod or "")) if entry["name"] not in names]
    # Without edges uv cannot take the lock for the wanted one: it resolves, with these versions first.
    document["package"] = [{key: entry[key] for key in _KEPT if key in entry} for entry in (*theirs, *own)]
    document.pop("manifest", None)
    return rtoml.dumps(document)


def _remote(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The packages that come from elsewhere, not from a source tree."""
    return [entry for entry in document.get("package", []) if any(kind in entry.get("source", {}) for kind in _REMOTE)]
