"""Ends or interrupts lockaudit at one step of its writing: between two calls to the file system, each in its turn."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Final

from bench.faults.process import SCRIPT, begin

if TYPE_CHECKING:
    import signal

    from bench.faults.folder import Folder
    from bench.faults.process import Ended

# A hook of Python that sees every call before it is done. It counts from the first temporary file, and sends the
# signal before call number AT. With AT 0 it tells when, in seconds, the first and the last of them came.
_HOOK: Final = """
import os, sys, time
at, number, since = int(sys.argv.pop(1)), int(sys.argv.pop(1)), float(sys.argv.pop(1))
events = {"open", "tempfile.mkstemp", "fcntl.flock", "os.chmod", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}
seen, moments = 0, []
def hook(event, arguments):
    global seen
    if event == "tempfile.mkstemp" or (seen and event in events):
        seen += 1
        moments.append(time.monotonic() - since)
        if seen == at:
            os.kill(os.getpid(), number)
sys.addaudithook(hook)
import atexit
if not at:
    atexit.register(lambda: sys.stderr.write(f"\\nMOMENTS {moments[0]} {moments[-1]} {seen}\\n"))
"""


def stopped(folder: Folder, at: int, number: signal.Signals) -> Ended:
    """Run the folder's command, and send it a signal before step `at` of its writing (1 is the first)."""
    code = _HOOK + SCRIPT
    command = [sys.executable, "-P", "-c", code, str(at), str(int(number)), "0", *folder.arguments]
    return begin(command, cwd=folder.root, env=folder.env).end()


def writing(folder: Folder) -> tuple[float, float, int]:
    """When the writing begins and ends, in seconds from the start of the process, and how many steps it has."""
    folder.restore()
    command = [sys.executable, "-P", "-c", _HOOK + SCRIPT, "0", "0", str(time.monotonic()), *folder.arguments]
    ended = begin(command, cwd=folder.root, env=folder.env).end()
    folder.restore()
    first, last, steps = json.loads(f"[{','.join(ended.err.rpartition('MOMENTS ')[2].split())}]")
    return first, last, int(steps)
