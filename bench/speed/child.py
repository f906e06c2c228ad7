"""Runs one command and prints what it cost: CPU seconds, wall seconds, peak memory in KiB, exit code.

A process of its own for each measurement, as small as Python can be (`python -I -S child.py COMMAND...`): the kernel
counts the memory of whoever starts a process as that process's own peak, and the bench itself is large.
"""

import os
import sys
import time


def main() -> None:
    """Start the command with its output thrown away, and wait for it."""
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, stream) for stream in (0, 1, 2)]
    command = sys.argv[1:]
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    sys.stdout.write(
        f"{usage.ru_utime + usage.ru_stime} {wall} {usage.ru_maxrss} {os.waitstatus_to_exitcode(status)}\n"
    )


main()
