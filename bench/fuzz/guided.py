"""Executions that follow coverage: atheris instruments lockaudit, and mutates what reached something new.

`python -m bench.fuzz.guided HARNESS EXECUTIONS SECONDS SEED RESULT`. It is a process of its own, because atheris
instruments what is imported after it, and ends the process when it is done.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any, Final

_LONGEST: Final = 4096  # bytes


def main(arguments: list[str]) -> None:
    """Run one harness until executions or seconds are used up, and write what was found."""
    name, most, seconds, seed, result = arguments
    atheris: Any = importlib.import_module("atheris")  # it has no types, and is there on few platforms
    with atheris.instrument_imports(include=["auditor"]):
        from bench.fuzz.harnesses import HARNESSES  # noqa: PLC0415 - what it imports is instrumented
        from bench.fuzz.mutate import Mutator  # noqa: PLC0415 - likewise
        from bench.fuzz.result import as_document  # noqa: PLC0415 - likewise
        from bench.fuzz.run import Watch, end_hangs  # noqa: PLC0415 - likewise
    harness = next(each for each in HARNESSES if each.name == name)
    seeds = harness.seeds()
    watch = Watch(harness)
    started = time.monotonic()
    watch.run(seeds[0])
    watch.findings.clear()  # the first one imports what it needs, which takes long
    end_hangs()

    def one(data: bytes) -> None:
        watch.run(data.decode("utf-8", "ignore"))
        if watch.executions >= int(most) or time.monotonic() - started > float(seconds):
            took = time.monotonic() - started
            Path(result).write_text(json.dumps(as_document(watch, took, guided=True)), "utf-8")
            shutil.rmtree(folder)
            os._exit(0)  # atheris would end the process too, with words of its own

    def mutated(data: bytes, most_bytes: int, number: int) -> bytes:
        random = Random(number)  # noqa: S311 - a seed must give the same run again
        if random.random() < 0.3:
            changed: bytes = atheris.Mutate(data, most_bytes)
            return changed
        text = Mutator(random, harness, seeds).next(data.decode("utf-8", "ignore"))
        return text.encode("utf-8", "ignore")[:most_bytes]

    folder = Path(tempfile.mkdtemp(prefix="lockaudit-fuzz-"))
    for number, text in enumerate(seeds):
        (folder / str(number)).write_text(text, "utf-8")
    options = [f"-max_len={_LONGEST}", "-timeout=120", "-rss_limit_mb=4096", f"-seed={seed}", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, str(folder)], one, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
