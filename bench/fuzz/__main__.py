"""`python -m bench.fuzz`: feeds every reader and every writer with broken input, prints a table, writes docs/fuzz.md.

    python -m bench.fuzz --executions 1000000
    python -m bench.fuzz --seconds 60 --harness lock --harness dockerfile

Each harness runs in short-lived processes, a part of them guided by coverage where atheris is installed (`uv sync
--group fuzz`). New findings are written to build/fuzz, and make the exit code 1. A run with `--harness` writes no page.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.fuzz.harnesses import HARNESSES
from bench.fuzz.report import page, table
from bench.fuzz.result import Score, as_document
from bench.fuzz.run import Watch, fuzz
from bench.fuzz.showing import remove_scratch
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from bench.fuzz.harness import Harness

FOUND: Final = REPOSITORY / "build" / "fuzz"
PAGE: Final = REPOSITORY / "docs" / "fuzz.md"
_BATCH: Final = 50_000  # executions of one process: what lockaudit remembers of texts it has read must not pile up
_GUIDED: Final = 4  # one batch in so many follows coverage
_LONGEST: Final = 3600.0


def main() -> int:
    """Run what the command line asks for."""
    arguments = _arguments()
    if arguments.worker:
        return _work(arguments.worker, arguments.seed, arguments.seconds or _LONGEST, arguments.executions)
    chosen = [each for each in HARNESSES if not arguments.harness or each.name in arguments.harness]
    if arguments.again:
        return _again(chosen, arguments)
    weights = sum(each.weight for each in chosen)

    def run(each: Harness) -> Score:
        share = each.weight / weights
        seconds = arguments.seconds * share * arguments.jobs if arguments.seconds else _LONGEST
        # Rounded up, so that all of them are as many as was asked for.
        score = _run(each, seconds, -int(-arguments.executions * share // 1), arguments.seed)
        print(f"{each.name}: {score.executions} executions", file=sys.stderr, flush=True)
        return score

    with ThreadPoolExecutor(arguments.jobs) as pool:
        scores = dict(zip([each.name for each in chosen], pool.map(run, chosen), strict=True))
    FOUND.mkdir(parents=True, exist_ok=True)
    saved = {name: asdict(score) for name, score in scores.items()}
    (FOUND / "scores.json").write_text(json.dumps(saved), "utf-8")
    return _tell(chosen, scores, arguments)


def _again(chosen: list[Harness], arguments: argparse.Namespace) -> int:
    """The scores of the last run, with what it found tried again."""
    saved = json.loads((FOUND / "scores.json").read_text("utf-8"))
    scores = {name: Score(**values) for name, values in saved.items()}
    for each in chosen:
        watch = Watch(each)
        for text, _ in scores[each.name].findings.values():
            watch.run(text)
        scores[each.name].findings = {
            finding.kind: (finding.text, finding.details) for finding in watch.findings.values()
        }
    remove_scratch()
    return _tell(chosen, scores, arguments)


def _tell(chosen: list[Harness], scores: dict[str, Score], arguments: argparse.Namespace) -> int:
    print(table(chosen, scores))
    if not arguments.harness:
        PAGE.write_text(page(chosen, scores, datetime.now(UTC).date().isoformat(), arguments.seed), "utf-8")
    return int(any(score.findings for score in scores.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("--executions", type=int, default=1_000_000, help="in all; %(default)s unless told")
    parser.add_argument("--seconds", type=float, help="in all; the executions end there at the latest")
    parser.add_argument("--harness", action="append", choices=[each.name for each in HARNESSES], help="repeatable")
    parser.add_argument("--jobs", type=int, default=1, help="harnesses at a time")
    parser.add_argument("--again", action="store_true", help="try what the last run found, and tell its scores anew")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(harness: Harness, seconds: float, executions: int, seed: str) -> Score:
    """One process after the other, until the executions are done or the time is over."""
    score = Score()
    started = time.monotonic()
    batch = 0
    while score.executions < executions and time.monotonic() - started < seconds:
        guided = batch % _GUIDED == 1 and importlib.util.find_spec("atheris") is not None
        left = seconds - (time.monotonic() - started)
        count = min(_BATCH, executions - score.executions, max(1, executions // _GUIDED))
        score.add(_process(harness, count, left, f"{seed}{batch:03}", guided=guided))
        batch += 1
    for kind, (text, details) in score.findings.items():
        FOUND.mkdir(parents=True, exist_ok=True)
        name = f"{harness.name}-{hashlib.sha256(kind.encode()).hexdigest()[:8]}"
        (FOUND / f"{name}.input").write_bytes(text.encode("utf-8", "surrogatepass"))
        (FOUND / f"{name}.txt").write_text(f"{kind}\n\n{details}\n", "utf-8", "backslashreplace")
        print(f"{harness.name}: {kind}: {FOUND / name}.input", file=sys.stderr)
    return score


def _process(harness: Harness, count: int, seconds: float, seed: str, *, guided: bool) -> dict[str, object]:
    """What a process found; a process that dies is a finding too."""
    with tempfile.TemporaryDirectory(prefix="lockaudit-fuzz-") as folder:
        result = Path(folder) / "result.json"
        if guided:
            how = ["-m", "bench.fuzz.guided", harness.name, str(count), str(seconds), seed, str(result)]
        else:
            how = ["-m", "bench.fuzz", "--worker", harness.name, "--seed", seed, "--executions", str(count)]
            how += ["--seconds", str(seconds)]
        started = time.monotonic()
        done = subprocess.run([sys.executable, *how], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        text = result.read_text("utf-8") if result.exists() else done.stdout
        if done.returncode == 0 and text.strip():
            document: dict[str, object] = json.loads(text)
            return document
        ended = {f"the process ended with {done.returncode}": ["", done.stderr[-4000:]]}
        took = time.monotonic() - started
        empty = {"executions": 1, "guided": guided, "refused": 0, "slowest": 0.0}
        return {**empty, "seconds": took, "findings": ended}


def _work(name: str, seed: str, seconds: float, executions: int) -> int:
    """One process: its result goes to stdout."""
    watch = Watch(next(each for each in HARNESSES if each.name == name))
    started = time.monotonic()
    try:
        fuzz(watch, seed, seconds, executions)
    finally:
        remove_scratch()
    print(json.dumps(as_document(watch, time.monotonic() - started, guided=False)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
