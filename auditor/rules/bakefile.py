"""LA5xx: the bake file, what lies beside it, and the build locks.

Nothing is parsed while the committed bake file is what `lockaudit bake` would write and no override lies beside it:
then comparing its text is enough. What parses and looks into files is imported only when there is something to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.errors import InputError, LockauditError
from auditor.finding import Finding, Severity
from auditor.position import Position
from auditor.rules.context import other_side
from auditor.rules.rule import pair_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.bake.files import BakeFiles
    from auditor.bake.generate import Written
    from auditor.bake.inspect import Flaw, Place
    from auditor.bake.merged import Merged
    from auditor.rules.context import PairContext
    from auditor.rules.rule import Rule
    from auditor.source import SourceFile

_RUN: Final = "run `lockaudit bake`"
_KEY: Final = "key"  # the file of a build lock that names its build key


@pair_rule("LA501", "bake-file-stale", Severity.ERROR)
def bake_file_stale(context: PairContext) -> Iterator[Finding]:
    """The committed bake file is not what `lockaudit bake` would write.

    What:
        The bake file says that `lockaudit bake` wrote it, and differs from what it would write now: a lock, a pin or a
        setting has changed since, or somebody edited it. Also told where it cannot be written at all.
    Why:
        The names of the wheels' caches are in it. With an old name, a build compiles for hours what nobody needs, or
        takes the wheel of another torch and fails at the end.

    Example:
        torch moved from 2.6.0 to 2.7.1 in both locks; docker-bake.hcl still names `...-torch2.6.0-...`.
    Fix:
        Run `lockaudit bake` and commit what it writes. Own settings belong into docker-bake.override.hcl.
    """
    disk, generated = context.bake, context.generated
    if disk is None or not disk.is_ours or disk.committed is None:
        return
    if isinstance(generated, LockauditError):
        where = Position(generated.path, generated.line or 1, generated.column or 1) if generated.path else None
        yield bake_file_stale.finding(
            f"{disk.name} cannot be written anew: {generated.message}",
            where or disk.committed.at(1),
            help=generated.hint or _RUN,
        )
    elif generated and generated[-1].changed:
        number, wanted = _first_difference(disk.committed, generated[-1].new or "")
        yield bake_file_stale.finding(
            f"{disk.name} is not what `lockaudit bake` would write",
            disk.committed.at(number),
            help=f"{_RUN}; own settings belong into docker-bake.override.hcl",
            notes=(wanted,),
        )


@pair_rule("LA502", "build-lock-stale", Severity.ERROR)
def build_lock_stale(context: PairContext) -> Iterator[Finding]:
    """A build lock is not what `lockaudit bake` would write.

    What:
        `docker/wheels/<package>` is for another build key than the locks ask for, was edited by hand, lacks a file, or
        belongs to a package that is compiled no more.
    Why:
        This folder is all that the compile stage sees. What stands there is what the wheel is compiled with, whatever
        the locks say; and every edit of it compiles the wheel anew.

    Example:
        `docker/wheels/flash-attn/key` names torch 2.6.0, uv.lock has torch 2.7.1.
    Fix:
        Run `lockaudit bake` and commit what it writes.
    """
    disk, generated = context.bake, context.generated
    if disk is None or isinstance(generated, LockauditError):
        return  # LA501 says so
    folders: dict[str, list[Written]] = {}
    for file in generated[:-1]:
        folders.setdefault(file.path.rpartition("/")[0], []).append(file)
    compiled = {folder.rpartition("/")[2] for folder, files in folders.items() if any(file.new for file in files)}
    for folder, files in folders.items():
        if any(file.changed for file in files):
            yield _stale_build_lock(disk, folder, files, compiled)


@pair_rule("LA503", "shared-cache-ref", Severity.ERROR)
def shared_cache_ref(context: PairContext) -> Iterator[Finding]:
    """Two targets write one cache.

    What:
        Two targets that are built have a `cache-to` of one place (a ref, a folder, a scope), or one target does that a
        matrix makes several of: in a bake file that is not generated, or through an override.
    Why:
        An export writes the whole of one target's cache and replaces what was there. The last one wins, in an order
        that nobody controls: every other build finds nothing of its own, and a wheel is compiled again.

    Example:
        `cache-to = ["type=registry,ref=example.org/app:cache"]` in `target "_common"`, which dev and prod inherit.
    Fix:
        Give each target a ref of its own. `cache-from` may and should list all of them.
    """
    merged = _merged(context)
    if merged is not None:
        from auditor.bake.inspect import shared_caches  # noqa: PLC0415 - see the module's first lines

        for flaw in shared_caches(merged):
            yield _finding(context, shared_cache_ref, flaw)


@pair_rule("LA504", "override-undoes-cache", Severity.ERROR)
def override_undoes_cache(context: PairContext) -> Iterator[Finding]:
    """An override undoes what the bake file does for the caches.

    What:
        docker-bake.override.hcl, docker-bake.override.json or docker-bake.json, which bake merges with the bake file
        unasked, switch a cache off, change what the wheels are compiled with behind their cache's name, unlink a target
        from the wheels, or set `network`, `shm-size`, `ulimits`, `extra-hosts` or `cache-from` for some targets only.
        An error where wheels are compiled because of it, else a warning. A compose file at the root is a note.
    Why:
        The bake file's caches work because every target reads the same ones and every stage has one key. Nobody sees
        that they do not, except by the hours.

    Example:
        `target "wheel-prod" { no-cache = true }`, left over from a test.
    Fix:
        Set it on `_common` or `_cache`, which every target inherits; change pins where they are written; pass MAX_JOBS
        in the environment.
    """
    disk, merged = context.bake, _merged(context)
    if disk is None or disk.committed is None:
        return
    if disk.beside and merged is not None:
        from auditor.bake.overrides import undone_caches  # noqa: PLC0415

        for flaw in undone_caches(merged, disk.name, context.dockerfile):
            yield _finding(context, override_undoes_cache, flaw)
    for source in disk.compose:
        from auditor.bake.overrides import compose_targets  # noqa: PLC0415

        yield _finding(context, override_undoes_cache, compose_targets(source, merged))


@pair_rule("LA505", "bake-cache-weak", Severity.WARNING)
def bake_cache_weak(context: PairContext) -> Iterator[Finding]:
    """A bake file that was written by hand will build what it could have found.

    What:
        A target that makes wheels keeps no cache of its own, keeps all layers instead of the last one, or produces an
        image; targets read different caches; or a variable holds a pin under a name that environments export.
    Why:
        A wheel takes hours, so its cache should be small, its own, and found by everybody. Targets with different
        `cache-from` lists that are built together lose hits (moby/buildkit#4674). An exported CUDA_VERSION, which CUDA
        images set, silently overrides the variable of that name.

    Example:
        `variable "CUDA_VERSION" { default = "12.4.1" }`.
    Fix:
        Let `lockaudit bake` write the file, or do as it does: `lockaudit bake --stdout` shows it.
    """
    merged = _merged(context)
    if merged is not None and context.bake is not None and not context.bake.is_ours:
        from auditor.bake.inspect import weak_caches  # noqa: PLC0415

        for flaw in weak_caches(merged):
            yield _finding(context, bake_cache_weak, flaw)


@pair_rule("LA506", "bake-unknown-attribute", Severity.ERROR)
def bake_unknown_attribute(context: PairContext) -> Iterator[Finding]:
    """A bake file says something that bake ignores.

    What:
        A block, an attribute of a block, or a key of a cache, output, secret or attestation entry that bake does not
        know, in a bake file that is not generated or in an override. What resembles nothing that bake knows may be of a
        newer bake: that is a warning, and so is a key, or a file that cannot be read here.
    Why:
        bake ignores what it does not know without a word: a cache that is misspelt is no cache.

    Example:
        `cache_from = [...]` instead of `cache-from = [...]`.
    Fix:
        Correct the name; `docker buildx bake --print` shows what bake has read.
    """
    disk = context.bake
    for source in _sources(context):
        from auditor.bake.inspect import unknown_names  # noqa: PLC0415

        document = disk.document(source) if disk is not None else None
        if isinstance(document, InputError):
            yield bake_unknown_attribute.finding(
                f"{source.name} cannot be read, so nothing in it was checked: {document.message}",
                source.at(document.line or 1, document.column or 1),
                severity=Severity.WARNING,
                help=document.hint or "`docker buildx bake --print` shows how bake itself reads it",
            )
        elif document is not None:
            for flaw in unknown_names(document):
                yield _finding(context, bake_unknown_attribute, flaw)


def _first_difference(committed: SourceFile, wanted: str) -> tuple[int, str]:
    """The first line that differs, and what should stand there."""
    for number, line in enumerate(wanted.splitlines(), start=1):
        if committed.line(number) != line or number > len(committed.lines):
            return min(number, len(committed.lines)), f"line {number} would be: {line.strip() or 'empty'}"
    extra = len(wanted.splitlines()) + 1
    if extra <= len(committed.lines):
        return extra, "the file would end before this line"
    return 1, "only line endings or a byte order mark differ"


def _stale_build_lock(disk: BakeFiles, folder: str, files: list[Written], compiled: set[str]) -> Finding:
    package = folder.rpartition("/")[2]
    names = {file.path.rpartition("/")[2]: file for file in files}
    key = names.get(_KEY)
    missing = [name for name, file in names.items() if file.old is None]
    changed = [name for name, file in names.items() if file.changed]
    at = _KEY
    if all(file.new is None for file in files) and package in compiled:
        message = f"{folder} is a build lock that nothing is built from"
    elif all(file.new is None for file in files):
        message = f"{folder} is the build lock of {package}, which is compiled no more"
    elif len(missing) == len(files):
        message, at = f"{folder} is missing: {package} is compiled, and has no build lock", ""
    elif key is not None and key.changed and key.old is not None:
        message = f"{folder} is for {key.old.strip()}, and the locks ask for {(key.new or '').strip()}"
    elif missing:
        message, at = f"{folder} lacks {' and '.join(missing)}", next(name for name in names if name not in missing)
    else:
        message, at = f"{folder} was edited: {', '.join(changed)} would be written otherwise", changed[0]
    source = disk.source(f"{folder}/{at}") if at else disk.committed
    number = 1
    if source is not None and at in changed and names[at].new is not None:
        number, _ = _first_difference(source, names[at].new or "")
    position = source.at(number) if source is not None else Position(f"{folder}/{_KEY}", 1)
    return build_lock_stale.finding(message, position, help=_RUN)


def _sources(context: PairContext) -> tuple[SourceFile, ...]:
    """The files to look into, in the order in which bake merges them; none where the text alone was enough."""
    disk, generated = context.bake, context.generated
    if disk is None:
        return ()
    differs = isinstance(generated, LockauditError) or (bool(generated) and generated[-1].changed)
    beside = disk.beside
    if disk.committed is None or (disk.is_ours and not differs and not beside):
        return beside if disk.committed is None else ()
    before = tuple(source for source in beside if "override" not in source.name)
    return (*before, disk.committed, *(source for source in beside if source not in before))


def _merged(context: PairContext) -> Merged | None:
    """The files together, or None where there is nothing to look into, or one of them cannot be read."""
    disk = context.bake
    documents = [disk.document(source) for source in _sources(context)] if disk is not None else []
    readable = [document for document in documents if not isinstance(document, InputError)]
    if not documents or len(readable) < len(documents):
        return None  # LA506 says so
    from auditor.bake.merged import Merged  # noqa: PLC0415

    return Merged(tuple(readable))


def _finding(context: PairContext, rule: Rule, flaw: Flaw) -> Finding:
    return rule.finding(
        flaw.message,
        _position(context, flaw.at),
        severity=flaw.severity,
        help=flaw.help,
        notes=flaw.notes,
        related=other_side(_position(context, flaw.other[0]), flaw.other[1]) if flaw.other is not None else (),
    )


def _position(context: PairContext, place: Place) -> Position:
    source = context.bake.source(place.file) if context.bake is not None else None
    found = source.find(place.word, place.line, place.line) if source is not None and place.word else None
    return found or Position(place.file, place.line)
