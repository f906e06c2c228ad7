"""Earlier states of the repository, read from git into a folder that goes away again, and the files of today's."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from auditor.bake.files import COMPOSE, LOOKUP
from auditor.bake.generate import keys_of
from auditor.cli.workspace import load_all, load_config, load_sides, settings_of_each
from auditor.cost.state import State
from auditor.dockerfile.context import IGNORE, File
from auditor.errors import ConfigError, InputError, LockauditError, SelectionError
from auditor.wheel.build_lock import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from auditor.cli.options import Overrides
    from auditor.config import Config
    from auditor.lock.environment import Target
    from auditor.rules.context import PairContext
    from auditor.wheel.key import BuildKey

# Files whose text decides something, wherever they are: manifests of workspace members among them.
_NAMES: Final = frozenset({"uv.lock", "uv.toml", "pyproject.toml", ".python-version", *LOOKUP, *COMPOSE})
_LINK, _EXECUTABLE, _PLAIN, _MODULE = "120000", "100755", "100644", "160000"

# The repository's own configuration starts no other program.
_NOTHING_ELSE: Final = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")


def keys_at(root: Path, revision: str, overrides: Overrides) -> list[tuple[str, BuildKey]]:
    """(target, key) of every compiled package at a git revision.

    Raises:
        ConfigError: no git, no repository, or no such revision.
        InputError: a file of that revision is unreadable.
    """
    with _exported(root, revision, overrides) as (folder, config, _):
        own = [each for _, each in _all_settings(config, overrides)]
        if not all((folder / each.dev.lock).exists() for each in own):
            return []  # the revision is older than the lock
        try:  # all variants: a key that is new in one may be that of another
            workspaces = load_sides(folder, replace(overrides, variant=None))
        except SelectionError:
            return []  # it has conflicting extras, and is older than the choice
        return [
            (variant_target(workspace.variant, target), key)
            for workspace in workspaces
            for target in workspace.targets
            for key in keys_of(workspace.side, target, workspace.config, workspace.dockerfile)
        ]


def variant_target(variant: str, target: Target) -> str:
    """A target as commands name it, with its variant if it is one's: `linux-x86_64-cp312 (cu124)`."""
    return f"{target} ({variant})" if variant else str(target)


@contextlib.contextmanager
def state_at(root: Path, revision: str, overrides: Overrides) -> Iterator[State]:
    """The state at a git revision, as long as the block runs; its pairs are those whose locks it has.

    Raises:
        ConfigError: no git, no repository, no such revision, or a setting of that revision is wrong.
        InputError: a file of that revision is unreadable.
    """
    with _exported(root, revision, overrides) as (folder, config, files):
        with _naming(revision):
            contexts = tuple(_contexts(folder, config, overrides))
        yield State(root=folder, contexts=contexts, files=files)


def state_now(root: Path, overrides: Overrides) -> State:
    """The working tree: what git knows, and what it would be told of with `git add`; what it ignores is left out.

    Raises:
        ConfigError: a setting or an option is wrong.
        InputError: a file is missing or unreadable.
    """
    return State(root=root, contexts=tuple(load_all(root, overrides)), files=files_now(root))


def commit_of(root: Path, revision: str) -> str:
    """The commit that a revision names. Raises: as `state_at`."""
    found = _run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found.returncode:
        if _run(root, "rev-parse", "--git-dir").returncode:
            raise InputError(
                "this folder is in no git repository", path=root.as_posix(), hint="earlier states are read from git"
            )
        raise ConfigError(
            f"git knows no revision {revision!r}",
            hint="name a commit, a branch or a tag; a shallow clone has few of them",
        )
    return found.stdout.decode().strip()


def files_at(root: Path, commit: str) -> dict[str, File]:
    """The files of a commit below a folder, by path relative to it."""
    found = {}
    for entry in _lines(root, "ls-tree", "-r", "-z", commit):
        about, _, path = entry.partition("\t")
        mode, _, digest = about.split(" ")
        found[path] = File(digest, mode)
    return {path: found[path] for path in sorted(found) if _is_safe(path)}


def files_now(root: Path) -> dict[str, File]:
    """The files of the working tree below a folder, likewise."""
    found: dict[str, File] = {}
    for entry in _lines(root, "ls-files", "-z", "--cached", "--stage"):
        about, _, path = entry.partition("\t")
        mode, digest, _ = about.split(" ")
        found[path] = File(digest, mode)
    silent = _without_filters(root)
    changed = _lines(root, "ls-files", "-z", "--modified", "--others", "--exclude-standard", config=silent)
    modules = {path for path, file in found.items() if file.mode == _MODULE}
    there = {}
    for path in dict.fromkeys(changed):
        if path in modules or path.endswith("/"):  # a repository of its own
            continue
        found.pop(path, None)
        if os.path.lexists(root / path):
            there[path] = _mode(root / path)
    found |= _hashed(root, there)
    return {path: found[path] for path in sorted(found)}


def _without_filters(root: Path) -> tuple[str, ...]:
    """The settings that name programs through which git would send files in order to compare them."""
    pattern = r"^filter\..*\.(clean|smudge|process)$"
    found = _run(root, "config", "--null", "--name-only", "--get-regexp", pattern)
    return tuple(os.fsdecode(name) for name in found.stdout.split(b"\0") if name)


def _hashed(root: Path, modes: Mapping[str, str]) -> dict[str, File]:
    """Files by the hash that git would give them. A link is hashed by where it leads."""
    plain = [path for path, mode in modes.items() if mode != _LINK and "\n" not in path]
    odd = [path for path in modes if path not in set(plain)]
    found: dict[str, File] = {}
    if plain:
        given = b"".join(os.fsencode(path) + b"\n" for path in plain)
        digests = _run(root, "hash-object", "--no-filters", "--stdin-paths", stdin=given).stdout.decode().split()
        found |= {path: File(digest, modes[path]) for path, digest in zip(plain, digests, strict=False)}
    for path in odd:
        link = modes[path] == _LINK
        data = os.fsencode((root / path).readlink()) if link else (root / path).read_bytes()
        digest = _run(root, "hash-object", "--stdin", stdin=data).stdout.decode().strip()
        found[path] = File(digest, modes[path])
    return found


def _mode(path: Path) -> str:
    if path.is_symlink():
        return _LINK
    return _EXECUTABLE if path.stat().st_mode & 0o100 else _PLAIN


@contextlib.contextmanager
def _exported(root: Path, revision: str, overrides: Overrides) -> Iterator[tuple[Path, Config, dict[str, File]]]:
    """A folder with the files of a revision whose text decides something, its settings, and all its files."""
    commit = commit_of(root, revision)
    files = files_at(root, commit)
    with tempfile.TemporaryDirectory(prefix="lockaudit-") as scratch:
        folder = Path(scratch)
        _export(root, files, folder, _decides)
        with _naming(revision):
            config, _ = load_config(folder, overrides)
        named = {config.image.dockerfile, config.bake.file}
        for _, each in _all_settings(config, overrides):
            named |= {each.dev.lock, each.prod.lock, each.image.dockerfile}
        _export(root, files, folder, {PurePosixPath(path).as_posix() for path in named}.__contains__)
        yield folder, config, files


@contextlib.contextmanager
def _naming(revision: str) -> Iterator[None]:
    """Errors say in which revision the file is at fault."""
    try:
        yield
    except LockauditError as error:
        error.message = f"{error.message} (at {revision})"
        raise


def _all_settings(config: Config, overrides: Overrides) -> list[tuple[str, Config]]:
    """(name, settings) of every pair or variant, whichever one was asked for."""
    return list(settings_of_each(config, replace(overrides, pair=None, variant=None)))


def _contexts(folder: Path, config: Config, overrides: Overrides) -> list[PairContext]:
    """The pairs or variants whose locks are there."""
    wanted = overrides.pair or overrides.variant
    found = [(name, each) for name, each in _all_settings(config, overrides) if wanted in {None, name}]
    there = [name for name, each in found if (folder / each.dev.lock).is_file() and (folder / each.prod.lock).is_file()]
    if not there:
        return []
    if len(there) == len(found):
        return load_all(folder, overrides)
    one = [
        replace(overrides, variant=name) if config.variants else replace(overrides, pair=name or None) for name in there
    ]
    return [context for each in one for context in load_all(folder, each)]


def _decides(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name in _NAMES or name.endswith(IGNORE) or path.startswith(f"{FOLDER}/")


def _export(root: Path, files: Mapping[str, File], folder: Path, wanted: Callable[[str], bool]) -> None:
    """Write the files of a commit that are wanted and not there yet."""
    chosen = {
        path: file.digest
        for path, file in files.items()
        if file.mode in {_PLAIN, _EXECUTABLE, _LINK} and wanted(path) and not (folder / path).exists()
    }
    if not chosen:
        return
    given = "".join(f"{digest}\n" for digest in chosen.values()).encode()
    data = _run(root, "cat-file", "--batch", stdin=given).stdout
    at = 0
    for path in chosen:
        end = data.index(b"\n", at)
        size = int(data[at:end].split()[2])  # of `<hash> blob <size>`
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data[end + 1 : end + 1 + size])
        at = end + size + 2


def _is_safe(path: str) -> bool:
    """Whether a path of a commit stays below the folder: git makes no others, but somebody else may."""
    parts = path.split("/")
    return not path.startswith("/") and not {"", ".", "..", ".git"} & set(parts)


def _lines(root: Path, *arguments: str, config: Sequence[str] = ()) -> list[str]:
    found = _run(root, *arguments, unset=config)
    if found.returncode:
        raise InputError(f"git {arguments[0]} failed: {found.stderr.decode(errors='replace').strip()}")
    return [os.fsdecode(each) for each in found.stdout.split(b"\0") if each]


def _run(
    root: Path, *arguments: str, stdin: bytes | None = None, unset: Sequence[str] = ()
) -> subprocess.CompletedProcess[bytes]:
    """Run git; `unset` names settings that are to be empty."""
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    env = dict(os.environ)
    for number, name in enumerate(unset, start=first):
        env |= {"GIT_CONFIG_COUNT": str(number + 1), f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": ""}
    try:
        return subprocess.run(  # noqa: S603 - git, with arguments that cannot be options
            ["git", *_NOTHING_ELSE, "-C", str(root), *arguments],  # noqa: S607 - the git of the user
            input=stdin,
            env=env,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise ConfigError("there is no git on this machine", hint="earlier states are read from git") from None
