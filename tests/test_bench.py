"""The speed bench still runs: every command of it once, and what it measures is what a process costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.speed import subjects
from bench.speed.measure import Command, CommandFailedError, measure
from tests.support import REPOSITORY, require_corpus


@pytest.fixture(scope="module")
def quick() -> str:
    """What `python -m bench --quick` prints."""
    command = [sys.executable, "-m", "bench", "--quick"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_command_of_the_bench_runs(quick: str) -> None:
    rows = [line.split("|")[1].strip() for line in quick.splitlines() if line.startswith("|")]
    assert {*subjects.SUBJECTS, *subjects.BASES} <= set(rows)
    assert "packages" in rows
    assert "pairs" in rows
    assert "`bake --check` takes at most 1.3 times `check`, on every pair" in rows


@pytest.mark.corpus
def test_every_command_of_the_bench_runs_on_a_pair_of_the_corpus(quick: str) -> None:
    require_corpus()
    assert "### Small: locks of 90 kB and 88 kB" in quick


def python(name: str, code: str) -> Command:
    """A command that runs Python code."""
    return Command(name=name, runs=((Path.cwd(), (sys.executable, "-c", code)),))


def test_costs_are_those_of_the_process(tmp_path: Path) -> None:
    commands = [
        python("nothing", "pass"),
        python("memory", "b = bytearray(64 * 2**20); b[::4096] = b[::4096].replace(b'\\0', b'x')"),
        python("sleep", "import time; time.sleep(0.2)"),
        python("work", "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"),
    ]
    measured = measure(commands, 1, tmp_path)
    assert measured.spread("nothing", "memory").high < 32
    assert 64 <= measured.spread("memory", "memory").median < 128
    assert measured.spread("sleep", "wall").low >= 0.2
    assert measured.spread("sleep", "cpu").high < 0.2
    assert measured.spread("work", "cpu").low >= 0.3
    assert measured.ratio("work", "sleep", "cpu").median > 1


def test_a_command_that_fails_is_named_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match=r"(?s)broken: exit 3 of .*it said so"):
        measure([python("broken", "import sys; sys.stderr.write('it said so'); sys.exit(3)")], 1, tmp_path)
