"""Whether `lockaudit plan` tells which stages run again: its predictions against BuildKit's own log.

    python -m bench.plan                 all kinds of change, about 4 minutes; prints Markdown
    python -m bench.plan --write         writes docs/plan-bench.md
    python -m bench.plan KIND...         those whose name has one of these words

For each kind: a copy of a project whose unchanged state the builder has built, the change, the prediction, and
`docker buildx bake dev prod`. A stage ran if one of its steps did: a RUN, COPY, ADD or WORKDIR that the log shows, and
does not show as CACHED. A stage that no image needs is in neither list. The prediction is exact if both lists are equal
and nothing is predicted as `perhaps`.

Needs a Docker Engine, root and `dockerd` on PATH. The packages are stand-ins. Exits 1 if a prediction is wrong: a stage
ran that it does not name, or one did not run that it is sure of.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.changes import Change, Row
from bench.kinds import KINDS, add_member
from bench.lab import Lab, open_lab, other_uv
from tests.engine.baking import ONLY_CACHE, bake, lockaudit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.engine.builder import Builder

PAGE: Final = Path(__file__).parents[1] / "docs" / "plan-bench.md"
_PAGE: Final = """\
# Plan bench

<!-- Written by `python -m bench.plan --write`. -->

Does [`lockaudit plan`](how-to/plan.md) tell which stages run again? For each kind of change: the stages that it
predicts, and those that BuildKit's log shows after `docker buildx bake dev prod` on a builder that has built the
unchanged project. A stage ran if one of its steps did: a RUN, COPY, ADD or WORKDIR that is in the log and is not CACHED
there. Stages that no image needs are left out.

**{exact} of {count} predictions are exact.**{others}

The project has a workspace member, tests, one compiled wheel and this repository's `docker/Dockerfile-uv`; its packages
are stand-ins of a few kilobytes, whose index tells no sizes.

| kind of change | predicted | ran | |
|---|---|---|---|
{rows}

An edit of the commands that gather the manifests is like any other command: nobody can tell what they leave without
running them, so what takes their files runs perhaps.

## What it said

| kind of change | verdict |
|---|---|
{verdicts}

Not measured: another Python, which the stand-in images do not have, and an image that was pushed again under the same
tag, which nobody can see without asking a registry.
"""
_STEP: Final = re.compile(r"^(#\d+) \[(?:\S+ )?(\S+) +\d+/\d+\] (?:RUN|COPY|ADD|WORKDIR) ", re.MULTILINE)
_DONE: Final = re.compile(r"^(#\d+) DONE", re.MULTILINE)
_CACHED: Final = re.compile(r"^(#\d+) CACHED$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Result:
    """One kind of change: what was predicted, and what BuildKit ran.

    Attributes:
        kind: what was changed.
        verdict: of the prediction.
        predicted: stages that run again, for sure.
        perhaps: stages that may.
        ran: stages that ran, by BuildKit's log.
    """

    kind: str
    verdict: str
    predicted: frozenset[str]
    perhaps: frozenset[str]
    ran: frozenset[str]

    @property
    def is_exact(self) -> bool:
        """Whether the prediction was right, and sure of it."""
        return self.predicted == self.ran and not self.perhaps

    @property
    def is_right(self) -> bool:
        """Whether everything ran that was sure, and nothing that was not named."""
        return self.predicted <= self.ran <= self.predicted | self.perhaps

    @property
    def mark(self) -> str:
        """In one word."""
        return "exact" if self.is_exact else "unsure" if self.is_right else "WRONG"


def stages_in(log: str) -> frozenset[str]:
    """The stages of which a step ran, according to a log of `--progress=plain`."""
    ran = set(_DONE.findall(log)) - set(_CACHED.findall(log))
    return frozenset(stage for step, stage in _STEP.findall(log) if step in ran)


def base_project(lab: Lab) -> Path:
    """A project under git, with a workspace member."""
    project = lab.copy("base")
    add_member(project)
    lockaudit(project, "bake")
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.invalid"]
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=base"]):
        subprocess.run([*git, *arguments], cwd=project, check=True, capture_output=True)
    return project


def measure(lab: Lab, builder: Builder, base: Path, change: Change, name: str) -> Result:
    """Predict one kind of change, then build it."""
    project = Path(shutil.copytree(base, lab.scratch / "rows" / name, symlinks=True))
    with contextlib.ExitStack() as stack:
        row = Row(lab, project, stack)
        change.apply(row)
        document = predict(project)  # before `lockaudit bake` has written what follows from the change
        lockaudit(project, "bake")
        log = bake(project, "dev", "prod", ONLY_CACHE, env={"CACHE_REPO": "", **row.env, **builder.environment}).log
    predicted, perhaps = stages_of(document)
    return Result(change.name, document["verdict"], predicted, perhaps, stages_in(log))


def predict(project: Path) -> dict[str, Any]:
    """What `lockaudit plan` says of a working tree."""
    document: dict[str, Any] = json.loads(lockaudit(project, "plan", "--output-format=json"))
    return document


def stages_of(document: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """(stages that run, stages that may) of a prediction."""
    found: dict[str, set[str]] = {"yes": set(), "perhaps": set(), "no": set()}
    for pair in document["pairs"]:
        for build in pair["builds"]:
            for stage in build["stages"]:
                found[stage["runs"]].add(stage["stage"])
    return frozenset(found["yes"]), frozenset(found["perhaps"] - found["yes"])


def results(changes: Sequence[Change]) -> Iterator[Result]:
    """Every kind on one builder, which has built the unchanged project."""
    with tempfile.TemporaryDirectory(prefix="lockaudit-bench-") as scratch, open_lab(Path(scratch)) as lab:
        base = base_project(lab)
        with lab.builder() as builder:
            other_uv(builder)
            bake(base, "dev", "prod", ONLY_CACHE, env={"CACHE_REPO": "", **builder.environment})
            for number, change in enumerate(changes):
                yield measure(lab, builder, base, change, f"plan-{number}")


def page(found: Sequence[Result]) -> str:
    """The results as Markdown."""
    exact = sum(result.is_exact for result in found)
    unsure = sum(result.is_right and not result.is_exact for result in found)
    rows = [
        f"| {result.kind} | {_names(result.predicted)}{_perhaps(result)} | {_names(result.ran)} | {result.mark} |"
        for result in found
    ]
    verdicts = [f"| {result.kind} | {result.verdict.replace('|', '&#124;')} |" for result in found]
    others = f" {unsure} named a stage that it was not sure of." if unsure else ""
    return _PAGE.format(
        exact=exact, count=len(found), others=others, rows="\n".join(rows), verdicts="\n".join(verdicts)
    )


def _perhaps(result: Result) -> str:
    return f"; perhaps {_names(result.perhaps)}" if result.perhaps else ""


def _names(stages: frozenset[str]) -> str:
    return ", ".join(sorted(stages)) or "none"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the page or write it."""
    parser = argparse.ArgumentParser(prog="python -m bench.plan", description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="words that the names of kinds contain")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args(arguments)
    wanted = [each for each in KINDS if not options.kinds or any(word in each.name for word in options.kinds)]
    found = []
    for result in results(wanted):
        found.append(result)
        about = f"{_names(result.predicted)}{_perhaps(result)}; ran {_names(result.ran)}"
        print(f"{result.mark}  {result.kind}: {about}", file=sys.stderr, flush=True)
    text = page(found)
    if options.write:
        PAGE.write_text(text, "utf-8")
    else:
        print(text, end="")
    return any(not result.is_right for result in found)


if __name__ == "__main__":
    raise SystemExit(main())
