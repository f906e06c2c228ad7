"""Disks that are full or read-only, folders without permission, and the limits of a process: all is as it was."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from bench.faults.folder import read, rebake
from bench.faults.process import Ended, run, shell
from bench.faults.tally import Tally
from tests.cli.command import lockaudit
from tests.privileges import without_privileges

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.faults.folder import Folder

_DISK = 256  # kilobytes
_PAGE = 4096


def disks(scratch: Path) -> Iterator[Tally]:
    """All of them."""
    yield full(scratch / "full")
    yield read_only_system(scratch / "read-only")
    yield read_only_folder(scratch / "folder")
    yield from limits(scratch / "limits")


def full(scratch: Path) -> Tally:
    """A disk that is full after no, one, two or more of the files."""
    tally = Tally(f"`bake` on a full disk (a tmpfs of {_DISK} kB, from no free page on)")
    with _disk(scratch, tally) as where:
        if where is None:
            return tally
        folder, filler = rebake(where / "app"), where / "filler"
        for free in range(64):
            folder.restore()
            _fill(filler, free)
            ended = run("bake", cwd=folder.root)
            if ended.code == 0:
                tally.tried += 1
                tally.codes.add(0)
                break
            tally.ended(ended, 2, says=f"cannot write: {os.strerror(errno.ENOSPC)}")
            _untouched(tally, folder)
            filler.unlink()
            tally.expect("the next run, with space", run("bake", cwd=folder.root).code, 0)
        tally.expect("files after there was space", folder.is_whole(), wanted=True)
    return tally


def read_only_system(scratch: Path) -> Tally:
    """A file system that is mounted read-only."""
    tally = Tally("`bake` on a read-only file system")
    with _disk(scratch, tally) as where:
        if where is None:
            return tally
        folder = rebake(where / "app")
        _mount("-o", "remount,ro", str(where))
        tally.ended(run("bake", cwd=folder.root), 2, says=f"cannot write: {os.strerror(errno.EROFS)}")
        _untouched(tally, folder)
        tally.expect("exit code of `bake --check`", run("bake", "--check", cwd=folder.root).code, 1)
        tally.expect("exit code of `check`", run("check", "--select=LA1", cwd=folder.root).code, 0)
        _mount("-o", "remount,rw", str(where))
    return tally


def read_only_folder(scratch: Path) -> Tally:
    """A folder in which this user may not write."""
    tally = Tally("`bake` in a folder without permission to write")
    folder = rebake(scratch)
    folders = [folder.root, *(path for path in folder.root.rglob("*") if path.is_dir())]
    lockaudit("bake", folder.root, "--check")  # imports everything while that is allowed
    for each in folders:
        each.chmod(0o555)
    try:
        with without_privileges():
            done = lockaudit("bake", folder.root)
        tally.ended(Ended(done.code, done.out, done.err, 0), 2, says=f"cannot write: {os.strerror(errno.EACCES)}")
    except pytest.skip.Exception as reason:
        tally.skipped = str(reason)
        return tally
    finally:
        for each in folders:
            each.chmod(0o755)
    _untouched(tally, folder)
    return tally


def limits(scratch: Path) -> Iterator[Tally]:
    """Limits that the kernel itself keeps."""
    folder = rebake(scratch)
    sizes = Tally("`bake` where files may have 1 to 5 kB (RLIMIT_FSIZE)")
    numbers = Tally("`bake` with 5 to 10 open files allowed (RLIMIT_NOFILE)")
    for tally, prefix, limited, reason in (
        (sizes, "ulimit -f", range(1, 6), errno.EFBIG),
        (numbers, "ulimit -n", range(5, 11), errno.EMFILE),
    ):
        for limit in limited:
            folder.restore()
            ended = shell("bake", prefix=f"{prefix} {limit};", cwd=folder.root)
            tally.ended(ended, 2, 0, says=os.strerror(reason) if ended.code else None)
            if ended.code:
                _untouched(tally, folder)
            else:
                tally.expect("files after a success", folder.is_whole(), wanted=True)
        yield tally


def _untouched(tally: Tally, folder: Folder) -> None:
    found = read(folder.root)
    if found != folder.old:
        tally.lose(f"not as before: {sorted(found.items() ^ folder.old.items())}")


def _fill(filler: Path, free: int) -> None:
    """Leave so many pages of a disk free."""
    filler.unlink(missing_ok=True)
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
        while stream.write(b"\0" * _PAGE) == _PAGE:
            pass
    os.truncate(filler, max(0, filler.stat().st_size - free * _PAGE))


@contextlib.contextmanager
def _disk(scratch: Path, tally: Tally) -> Iterator[Path | None]:
    """A small disk of its own, or None with a reason in the row."""
    scratch.mkdir(parents=True)
    failed = _mount("-t", "tmpfs", "-o", f"size={_DISK}k", "lockaudit-faults", str(scratch))
    if failed:
        tally.skipped = f"no tmpfs can be mounted here: {failed}"
        yield None
        return
    try:
        yield scratch
    finally:
        subprocess.run(["umount", str(scratch)], check=True)


def _mount(*arguments: str) -> str:
    """Mount; what went wrong, or an empty text."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    return done.stderr.strip() or f"mount exited {done.returncode}" if done.returncode else ""
