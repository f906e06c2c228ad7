"""One execution of one harness, measured: processor time, and the most memory that it held at a time."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from auditor.errors import LockauditError
from bench.fuzz.harnesses import HARNESSES


def main(name: str, path: str) -> None:
    """Print seconds, bytes and how it ended, as JSON."""
    harness = next(each for each in HARNESSES if each.name == name)
    for seed in harness.seeds():  # what is imported on the way counts for nothing
        try:
            harness.run(seed)
        except LockauditError:
            continue
    text = Path(path).read_text("utf-8")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    ended = "read"
    try:
        harness.run(text)
    except LockauditError as error:
        ended = str(error)
    took = time.process_time() - started
    held = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    sys.stdout.write(json.dumps({"seconds": took, "bytes": held, "size": len(text.encode()), "ended": ended}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
