"""Large files, as bad as possible: no hang, and no memory beyond a few times their size.

Each is read in a process of its own, split off this one, so that what is imported already costs nothing.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from auditor.errors import LockauditError
from bench.fuzz.harnesses import HARNESSES
from tests.fuzz.large import BASE, FLOOR, LARGE, MEMORY, OF_PARSERS, PER_MEGABYTE

if TYPE_CHECKING:
    from bench.fuzz.harness import Harness
    from tests.fuzz.large import Large

# All of them take minutes; LOCKAUDIT_FUZZ_LARGE=1 reads all, else one in six is.
CHOSEN = LARGE if os.environ.get("LOCKAUDIT_FUZZ_LARGE") else LARGE[::6]
_END = 60  # seconds of processor time, after which the kernel ends the process


@pytest.fixture(scope="module")
def harnesses() -> dict[str, Harness]:
    """By name, each having read its seeds, with whatever that imports."""
    for harness in HARNESSES:
        for seed in harness.seeds()[:2]:
            try:
                harness.run(seed)
            except LockauditError:
                continue
    return {harness.name: harness for harness in HARNESSES}


def measured(harness: Harness, text: str) -> dict[str, Any]:
    """Seconds of processor time and bytes that reading it takes, and how it ends; empty where the process died."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read)
            resource.setrlimit(resource.RLIMIT_CPU, (_END, _END))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            started = time.process_time()
            try:
                harness.run(text)
                ended = "read"
            except LockauditError as error:
                ended = f"refused: {str(error)[:200]}"
            except Exception as error:  # noqa: BLE001 - what it is, is said
                ended = f"broke: {type(error).__name__}: {str(error)[:200]}"
            took = time.process_time() - started
            held = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
            os.write(write, json.dumps({"seconds": took, "bytes": held, "ended": ended}).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        said = stream.read()
    _, status = os.waitpid(child, 0)
    return json.loads(said) if said else {"ended": f"died of {signal.Signals(os.WTERMSIG(status)).name}"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # newer Pythons warn of forks beside threads; there is none
@pytest.mark.parametrize("large", CHOSEN, ids=str)
def test_neither_a_hang_nor_all_of_the_memory(large: Large, harnesses: dict[str, Harness]) -> None:
    text = large.make()
    size = len(text.encode())
    result = measured(harnesses[large.harness], text)
    assert result["ended"].startswith(("read", "refused"))
    assert result["seconds"] <= FLOOR + OF_PARSERS.get(large.harness, PER_MEGABYTE) * size / 1e6
    assert result["bytes"] <= BASE + MEMORY * size
