"""Runs uv in a mirror: lock files are only ever written by uv, which alone knows how to resolve."""

from __future__ import annotations

import re
import subprocess
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from auditor.errors import UvError
from auditor.source import hide_logins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.change.tree import Tree

# How uv names what it could not resolve, the most telling first (uv 0.5 to 0.13).
_NAME: Final = r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
_CULPRITS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:Failed to parse entry:|Source entry for) `{_NAME}`",
        rf"Failed to [a-z ]+ `{_NAME}(?: @ |==)",
        rf"[Bb]ecause {_NAME}(?:\[[^\]]*\])? was not found in",
        rf"there (?:is|are) no versions? of {_NAME}",
        rf"[Bb]ecause only (?:the following versions of )?{_NAME}",
        rf"[Bb]ecause all versions of {_NAME}",
        rf"[Bb]ecause {_NAME}(?:\[[^\]]*\])?[<>=!~]",
        rf"your project depends on {_NAME}",
        rf"Failed to fetch: \S*/{_NAME}/? ",
        rf"Distribution not found at: \S*/{_NAME}(?: |$)",
    )
)
_OFFLINE: Final = re.compile(
    r"network (?:was|is|connectivity is) disabled|error sending request|dns error|Connection refused|timed out"
    r"|Failed to fetch|client error \(Connect\)",
    re.IGNORECASE,
)
MISSING_HINT: Final = "install uv, or put it on PATH"


def lock(tree: Tree, folder: str, uv: str | None, *, arguments: Sequence[str] = ()) -> None:
    """Run `uv lock` for the project in a folder of the mirror; its uv.lock is then what uv wrote.

    The caller's environment decides about index, cache, network and Python, as it does without lockaudit.

    Args:
        tree: the mirror.
        folder: with a pyproject.toml, relative to the root, `.` for the root.
        uv: path of the program, or None where there is none.
        arguments: further ones, such as `--upgrade-package=torch`.

    Raises:
        UvError: there is no uv, or it could not resolve; the message names the package where uv does.
    """
    if uv is None:
        raise UvError("uv is not on PATH, and only uv writes a lock", hint=MISSING_HINT)
    path = "uv.lock" if folder == "." else f"{folder}/uv.lock"
    place = tree.own(path)
    for above in PurePosixPath(folder).parents:  # uv takes another lock where the folder is a member of a workspace
        tree.own((above / "uv.lock").as_posix())
    try:
        done = subprocess.run(  # noqa: S603 - uv, in a folder of ours
            [uv, "lock", "--quiet", "--color=never", *arguments],
            cwd=place.parent,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise UvError(f"cannot run uv: {error.strerror or error}", hint=MISSING_HINT) from None
    if done.returncode:
        raise _failure(tree, folder, done.stderr or done.stdout)
    text = tree.text(path)
    if text is not None:
        tree.replace(path, tree.as_real(text))


def _failure(tree: Tree, folder: str, output: str) -> UvError:
    said = "\n".join(line.rstrip() for line in hide_logins(tree.without_scratch(output)).strip().splitlines())
    name = culprit(said)
    what = f"uv could not resolve {name}" if name else "uv could not lock this project"
    is_offline = bool(_OFFLINE.search(said))
    hint = "nothing was changed; mend what uv says, then run this again"
    if is_offline:
        hint = "nothing was changed; uv needs the package index, or a cache that holds the package"
    project = "pyproject.toml" if folder == "." else f"{folder}/pyproject.toml"
    return UvError(f"{what}\n{said}", path=project, hint=hint, package=name, is_offline=is_offline)


def culprit(output: str) -> str | None:
    """The package that uv could not resolve, out of what it printed; None where it names none."""
    flat = " ".join(re.sub(r"[^ -~]+", " ", output).split()) + " "  # without line breaks and the lines around them
    return next((match["name"] for pattern in _CULPRITS if (match := pattern.search(flat))), None)
