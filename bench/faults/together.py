"""Others at the same time: a lock that is rewritten while it is read, and two bakes at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from bench.faults.folder import State, prepared, read
from bench.faults.process import run, start
from bench.faults.tally import Tally
from tests.rules.specimens import package, plain, write_pair
from tests.wheel.specimens import COMPILED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from random import Random

_PACKAGES: Final = 1500  # in the lock that is rewritten: about half a megabyte
_CHUNK: Final = 65536


class Write(Protocol):
    """Brings a new text into a file."""

    def __call__(self, path: Path, data: bytes) -> None:
        """Write it."""


def replace(path: Path, data: bytes) -> None:
    """By a new file in one step, as `uv lock` does."""
    beside = path.with_name("beside")
    beside.write_bytes(data)
    beside.replace(path)


def in_place(path: Path, data: bytes) -> None:
    """Emptied and filled again, as most programs do."""
    path.write_bytes(data)


def in_parts(path: Path, data: bytes) -> None:
    """Emptied and filled again, with a pause after each part."""
    with path.open("wb", buffering=0) as stream:
        for begin in range(0, len(data), _CHUNK):
            stream.write(data[begin : begin + _CHUNK])
            time.sleep(0.002)


WRITES: Final = (
    ("replaced in one step", replace),
    ("emptied and filled again", in_place),
    ("filled again in parts", in_parts),
)


def rewritten(scratch: Path, count: int, random: Random) -> Iterator[Tally]:
    """Check a pair whose prod lock another program rewrites all the time, from one version to another and back."""
    others = [package(f"package-{number}") for number in range(_PACKAGES)]
    versions = [plain(package("filelock", version), *others).encode() for version in ("1.0", "1.1")]
    write_pair(scratch, dev=versions[0].decode(), prod=versions[0].decode())
    lock = scratch / "prod" / "uv.lock"
    allowed = set()
    for data in versions:
        lock.write_bytes(data)
        ended = run("check", "--output-format=json", "--select=LA1", cwd=scratch)
        allowed.add((ended.code, ended.out))
    for name, write in WRITES:
        tally = Tally(f"prod's lock {name} while `check` reads it")
        with _writer(lock, versions, write, random):
            for _ in range(count):
                ended = run("check", "--output-format=json", "--select=LA1", cwd=scratch)
                tally.ended(ended, 0, 1, 2)
                tally.seen.append(str(ended.code))
                if ended.code != 2 and (ended.code, ended.out) not in allowed:
                    tally.lose(f"a verdict about neither version: {ended.out[:500]}")
        counts = [f"{tally.seen.count(str(code))} times {code}" for code in (0, 1, 2) if str(code) in tally.seen]
        tally.note = f"each verdict was one version's, and 2 is an error: exit code {', '.join(counts)}"
        yield tally


class _writer:  # noqa: N801 - used as a function
    """Rewrites a file in a thread while a block runs, with pauses in which it can be read."""

    def __init__(self, path: Path, versions: list[bytes], write: Write, random: Random) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(path, versions, write, random))

    def _run(self, path: Path, versions: list[bytes], write: Write, random: Random) -> None:
        number = 0
        while not self._stop.is_set():
            write(path, versions[number % 2])
            number += 1
            time.sleep(random.uniform(0, 0.06))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def two_bakes(scratch: Path, count: int, random: Random) -> Tally:
    """Two bakes at once, of two Dockerfiles: the files in the end are those of one of them."""
    other = "docker/Dockerfile-other"

    def make(root: Path) -> None:
        COMPILED.write(root)
        text = (root / "docker" / "Dockerfile-uv").read_text("utf-8")
        (root / other).write_text(text.replace("12.4.1", "12.8.1"), "utf-8")

    folder = prepared(scratch, ["bake"], make)
    commands: list[list[str]] = [["bake"], ["bake", "--dockerfile", other]]
    complete: list[State] = []
    for command in commands:
        folder.restore()
        run(*command, cwd=scratch)
        complete.append(read(scratch))
    tally = Tally("two `bake` at once, which write different files")
    if complete[0] == complete[1]:
        tally.lose("the two commands write the same")
    for _ in range(count):
        folder.restore()
        processes = []
        for command in random.sample(commands, 2):
            processes.append(start(*command, cwd=scratch))
            time.sleep(random.choice((0, 0, random.uniform(0, 0.1))))
        ends = [process.end() for process in processes]
        tally.tried += 1
        for ended in ends:
            tally.codes.add(ended.code)
            tally.expect("exit code", ended.code, 0)
            tally.seen += ["waited"] * ("waiting for another" in ended.err)
        if read(scratch) not in complete:
            tally.lose("the files in the end are of both")
    tally.line = "waiting for another `lockaudit bake` here"
    tally.note = f"in {tally.seen.count('waited')} of them one had to wait"
    return tally


def wait_for(happens: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Whether something happens within some seconds."""
    deadline = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
