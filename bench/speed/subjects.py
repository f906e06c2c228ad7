"""Which commands are measured on a repository, and what they are held against."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.speed.measure import Command

if TYPE_CHECKING:
    from bench.speed.pairs import Repository

BARE: Final = "`python -c pass`"
CLICK: Final = "`python -c 'import click'`"
EXPORT: Final = "`uv export --frozen --offline` of both locks"
LOCK: Final = "`uv lock --check --offline` of both locks"
BASES: Final = (BARE, CLICK, EXPORT, LOCK)
VERSION: Final = "`lockaudit --version`"
CHECK: Final = "`lockaudit check`, the locks alone"
SELECT: Final = "`lockaudit select`, dev"
CHECK_BAKED: Final = "`lockaudit check`, with Dockerfile and bake file"
BAKE: Final = "`lockaudit bake --check`"
SUBJECTS: Final = (VERSION, CHECK, SELECT, CHECK_BAKED, BAKE)
_LOCKAUDIT: Final = str(Path(sys.executable).with_name("lockaudit"))
RULES: Final = "... and both selections, the rules and the report: `check`"
_ANY: Final = frozenset({0, 1, 2})


def of_pair(plain: Repository, baked: Repository) -> tuple[Command, ...]:
    """Every command, ours between theirs. `baked` is the same pair, with a Dockerfile and a bake file."""
    here = plain.folder
    sides = (here / plain.dev, here / plain.prod)
    codes = frozenset({0}) if plain.is_clean else frozenset({0, 1})
    return (
        Command(name=BARE, runs=((here, (sys.executable, "-c", "pass")),)),
        Command(name=VERSION, runs=((here, (_LOCKAUDIT, "--version")),)),
        Command(name=CLICK, runs=((here, (sys.executable, "-c", "import click")),)),
        Command(name=CHECK, runs=((here, (_LOCKAUDIT, "check")),), codes=codes),
        Command(name=EXPORT, runs=tuple((side, ("uv", "export", "--frozen", "--offline")) for side in sides)),
        Command(name=SELECT, runs=((sides[0], (_LOCKAUDIT, "select", "--target", plain.target)),)),
        # Where uv would have to resolve again, it gives up without a network; the tables say so.
        Command(
            name=LOCK,
            runs=tuple((side, ("uv", "lock", "--check", "--offline")) for side in sides),
            codes=codes if plain.is_clean else _ANY,
        ),
        Command(name=CHECK_BAKED, runs=((baked.folder, (_LOCKAUDIT, "check")),), codes=codes),
        Command(name=BAKE, runs=((baked.folder, (_LOCKAUDIT, "bake", "--check")),)),
    )


def stages_of(repository: Repository) -> tuple[Command, ...]:
    """What `check` of a pair consists of: each command does what the one before it does, and more."""
    here = repository.folder
    paths = [str(Path(side, "uv.lock").as_posix()) for side in (repository.dev, repository.prod)]
    both = f"for path in {paths}]"
    steps = {
        "the interpreter": "",
        "... and click": "import click",
        "... and the other libraries": "import dataclasses, pathlib, typing, urllib.parse, packaging.version, rtoml",
        "... and lockaudit's modules": "import auditor.cli.check",
        "... and both locks as TOML": f"kept = [rtoml.loads(pathlib.Path(path).read_text('utf-8')) {both}",
        # Reads the TOML itself: the step before is left out of this one.
        "... and both locks as types": f"kept = [auditor.lock.read.read_lock(pathlib.Path(path)) {both}",
    }
    codes: dict[str, str] = {}
    done = "import gc\ngc.disable()\n"  # as lockaudit does
    for name, step in steps.items():
        codes[name] = done + step
        done = f"{codes[name]}\n" if "kept" not in step else done
    commands = [Command(name=name, runs=((here, (sys.executable, "-c", code)),)) for name, code in codes.items()]
    check = Command(name=RULES, runs=((here, (_LOCKAUDIT, "check")),), codes=frozenset({0, 1}))
    return (*commands, check)


def bake(repository: Repository) -> Command:
    """Writes the bake file of a repository; runs before anything is measured."""
    return Command(name="`lockaudit bake`", runs=((repository.folder, (_LOCKAUDIT, "bake")),))


def check_of(repository: Repository) -> Command:
    """`lockaudit check` of a generated repository, under its title."""
    return Command(name=repository.title, runs=((repository.folder, (_LOCKAUDIT, "check")),))


def export_of(repository: Repository) -> Command:
    """`uv export` of both locks of a generated repository."""
    sides = (repository.folder / repository.dev, repository.folder / repository.prod)
    runs = tuple((side, ("uv", "export", "--frozen", "--offline")) for side in sides)
    return Command(name=f"uv export, {repository.title}", runs=runs)
