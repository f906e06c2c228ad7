"""Bad input and bad usage: one message on stderr that says what, where and what to do, exit code 2, no traceback."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import Result, lockaudit
from tests.rules.clean_pair import git
from tests.rules.specimens import TARGET, edge, lock, package, plain, root as project, wheel, write_pair
from tests.wheel.specimens import COMPILED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILELOCK = plain(package("filelock"))
CHECK = ("check", "@root@")
TORCHES = lock(
    project(extras={"cu124": ["filelock"], "cu128": ["filelock"]}),
    package("filelock"),
    top='conflicts = [[{ package = "app", extra = "cu124" }, { package = "app", extra = "cu128" }]]\n',
)


def write(path: str, content: str | bytes) -> Callable[[Path], object]:
    """Write a file."""
    data = content.encode() if isinstance(content, str) else content
    return lambda root: (root / path).write_bytes(data)


def remove(path: str) -> Callable[[Path], object]:
    """Remove a file."""
    return lambda root: (root / path).unlink()


def folder_at(path: str) -> Callable[[Path], object]:
    """Put a folder where a file belongs."""

    def spoil(root: Path) -> None:
        (root / path).unlink(missing_ok=True)
        (root / path).mkdir()

    return spoil


def settings(text: str) -> Callable[[Path], object]:
    """Add settings to the root's pyproject.toml."""

    def spoil(root: Path) -> None:
        with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(text)

    return spoil


def nothing(_: Path) -> None:
    """Leave the pair as it is."""


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One mistake: what is done to a clean pair, the command (@root@ is its folder), and what stderr must have."""

    name: str
    spoil: Callable[[Path], object] = nothing
    arguments: tuple[str, ...] = CHECK
    says: tuple[str, ...]


PROD, DEV = "prod/uv.lock", "uv.lock"
MISTAKES = (
    # files that are not there, or are something else
    Mistake(name="no dev lock", spoil=remove(DEV), says=("error: uv.lock: no dev lock here", "help: run `uv lock`")),
    Mistake(name="no prod lock", spoil=remove(PROD), says=("error: prod/uv.lock: no prod lock here", "--prod-lock")),
    Mistake(
        name="no pyproject.toml of prod",
        spoil=remove("prod/pyproject.toml"),
        says=("error: prod/pyproject.toml: the prod lock has no pyproject.toml beside it",),
    ),
    Mistake(
        name="no root", arguments=("check", "@root@/none"), says=("Error: Invalid value for '[ROOT]'", "@root@/none")
    ),
    Mistake(name="a file as root", arguments=("check", "@root@/uv.lock"), says=("Error: Invalid value for '[ROOT]'",)),
    Mistake(name="a folder as lock", spoil=folder_at(PROD), says=("error: prod/uv.lock: this is a directory",)),
    Mistake(
        name="a folder named as lock",
        arguments=(*CHECK, "--prod-lock", "prod"),
        says=("error: prod: this is a directory, not a prod lock",),
    ),
    Mistake(
        name="a file where a folder belongs",
        arguments=(*CHECK, "--prod-lock", "uv.lock/uv.lock"),
        says=("error: uv.lock/uv.lock: no prod lock here: a parent of the path is a file",),
    ),
    Mistake(name="an empty name", arguments=(*CHECK, "--dev-lock", ""), says=("error: .: this is a directory",)),
    Mistake(
        name="a folder as pyproject.toml", spoil=folder_at("pyproject.toml"), says=("pyproject.toml: this is a dir",)
    ),
    # locks that are none
    Mistake(name="an empty lock", spoil=write(PROD, ""), says=("error: prod/uv.lock:1: this lock is empty",)),
    Mistake(
        name="no TOML", spoil=write(PROD, "version = 1\n[[package]\n"), says=("error: prod/uv.lock:2:10: not TOML: ",)
    ),
    Mistake(
        name="other TOML", spoil=write(PROD, "[project]\n"), says=("error: prod/uv.lock:1: this is not a uv.lock",)
    ),
    Mistake(
        name="not UTF-8",
        spoil=write(PROD, b"version = 1\n# \xff\n"),
        says=("prod/uv.lock:2: this prod lock is not UTF-8",),
    ),
    Mistake(name="zeros", spoil=write(PROD, b"\0" * 64), says=("error: prod/uv.lock:",)),
    Mistake(name="endless nesting", spoil=write(PROD, "x = " + "[" * 100_000), says=("error: prod/uv.lock",)),
    Mistake(
        name="a merge",
        spoil=write(PROD, FILELOCK.replace("[[package]]", "<<<<<<< HEAD\n[[package]]", 1)),
        says=("error: prod/uv.lock:5: unresolved git merge marker", "help: resolve the merge"),
    ),
    Mistake(
        name="another version of locks",
        spoil=write(PROD, FILELOCK.replace("version = 1", "version = 2", 1)),
        says=("error: prod/uv.lock:1: the lock has version 2",),
    ),
    Mistake(
        name="a package twice",
        spoil=write(PROD, plain(package("filelock")) + "\n" + package("filelock")),
        says=("error: prod/uv.lock:21: filelock is here twice", "first at line 13"),
    ),
    Mistake(
        name="an edge to nothing",
        spoil=write(PROD, lock(project(needs=["filelock"]))),
        says=("error: prod/uv.lock:5: app depends on filelock, which is not in this lock",),
    ),
    Mistake(
        name="a marker that is none",
        spoil=write(PROD, lock(project(needs=[edge("filelock", marker="sys_platform ~ 'x'")]), package("filelock"))),
        says=("error: prod/uv.lock:5: ",),
    ),
    Mistake(
        name="a wheel of another version",
        spoil=write(PROD, plain(package("filelock", "1.1", wheels=[wheel("filelock", "1.0")]))),
        says=("error: prod/uv.lock:13: filelock is locked at 1.1, but its wheel is of version 1.0",),
    ),
    # settings
    Mistake(
        name="settings that are no TOML",
        spoil=settings("targets = [\n"),
        says=("error: pyproject.toml:", "not TOML: "),
    ),
    Mistake(
        name="an unknown key",
        spoil=settings('first-part = ["core"]\n'),
        says=("error: pyproject.toml:8: unknown key `first-part`", "help: did you mean `first-party`?"),
    ),
    Mistake(
        name="an unknown code",
        spoil=settings('ignore = { LA999 = "x" }\n'),
        says=("error: pyproject.toml:8: unknown code `LA999`", "help: "),
    ),
    Mistake(
        name="a setting that leaves the root",
        spoil=settings('prod.lock = "../../etc/uv.lock"\n'),
        says=("error: pyproject.toml:8: `prod.lock` of [tool.lockaudit] leaves the project",),
    ),
    Mistake(
        name="a table that is a list", spoil=write("pyproject.toml", "tool = []\n"), says=("`tool` is not a table",)
    ),
    Mistake(
        name="a variant that has no images",
        spoil=COMPILED.but(variant="devel").write,
        arguments=("key", "@root@"),
        says=(
            "error: docker/Dockerfile-uv:2: 'devel' is no variant of the CUDA images",
            "help: variants: cudnn, runtime, base",
        ),
    ),
    # options
    *(
        Mistake(
            name=f"{option} that leaves the root", arguments=(*CHECK, option, path), says=(f"{option} leaves ROOT",)
        )
        for option in ("--dev-lock", "--prod-lock", "--dockerfile")
        for path in ("../uv.lock", "/etc/passwd", "prod/../../uv.lock")
    ),
    *(
        Mistake(name=f"the target {target}", arguments=(*CHECK, "--target", target), says=(f"'{target}'", "help: "))
        for target in ("linux", "linux-x86_64", "linux-x86_64-cp27", "beos-x86_64-cp312", "linux-sparc-cp312", "")
    ),
    Mistake(
        name="an extra that does not exist",
        arguments=(*CHECK, "--dev-extra", "viz"),
        says=("error: uv.lock: the root of this lock has no extra 'viz'", "help: it has: none"),
    ),
    Mistake(
        name="a group that does not exist",
        arguments=(*CHECK, "--prod-group", "serve"),
        says=("error: prod/uv.lock: the root of this lock has no dependency group 'serve'",),
    ),
    Mistake(
        name="extras that conflict",
        spoil=write(DEV, TORCHES),
        arguments=(*CHECK, "--dev-extra", "cu124", "--dev-extra", "cu128"),
        says=("error: uv.lock: the selection contains extra cu124 and extra cu128", "help: choose one of them"),
    ),
    Mistake(
        name="extras of which none is chosen",
        spoil=write(DEV, TORCHES),
        says=("error: uv.lock:4: the extras cu124, cu128 of the dev project conflict", "--dev-extra cu124"),
    ),
    Mistake(name="a pair that is not there", arguments=(*CHECK, "--pair", "serving"), says=("no pair 'serving'",)),
    Mistake(
        name="options that contradict each other",
        arguments=(*CHECK, "--no-prod-extras", "--prod-extra", "a"),
        says=("Error: --no-prod-extras and --prod-extra contradict each other",),
    ),
    Mistake(
        name="an unknown format", arguments=(*CHECK, "--output-format", "xml"), says=("'xml' is not one of 'text'",)
    ),
    Mistake(name="an unknown option", arguments=(*CHECK, "--targett", "x"), says=("No such option", "--target")),
    Mistake(
        name="a first-party package that is in no lock",
        arguments=(*CHECK, "--first-party", "filelok"),
        says=("'filelok'", "help: did you mean filelock?"),
    ),
    Mistake(name="a Dockerfile that is not there", arguments=(*CHECK, "--dockerfile", "x"), says=("x: no Dockerfile",)),
    # other commands
    Mistake(name="an unknown command", arguments=("chek",), says=("No such command 'chek'", "Did you mean `check`?")),
    Mistake(name="no command that is like it", arguments=("zzz",), says=("No such command 'zzz'",)),
    Mistake(
        name="an unknown rule", arguments=("rule", "LA100"), says=("there is no rule 'LA100'", "help: did you mean LA")
    ),
    Mistake(
        name="an unknown rule's name", arguments=("rule", "version-difers"), says=("did you mean version-differs?",)
    ),
    Mistake(
        name="selecting what the lock does not cover",
        arguments=("select", "@root@", "--target", "linux-x86_64-cp311"),
        says=("error: uv.lock: the lock does not cover linux-x86_64-cp311: its requires-python is >=3.12",),
    ),
    Mistake(
        name="selecting a group that does not exist",
        arguments=("select", "@root@", "--target", TARGET, "--group", "serve"),
        says=("the root of this lock has no dependency group 'serve'",),
    ),
    Mistake(name="selecting on no target", arguments=("select", "@root@"), says=("Missing option '--target'",)),
    Mistake(name="baking without a Dockerfile", arguments=("bake", "@root@"), says=("no Dockerfile here to bake",)),
    *(
        Mistake(name=f"bake {' '.join(flags)}", arguments=("bake", "@root@", *flags), says=("exclude each other",))
        for flags in (("--check", "--diff"), ("--diff", "--stdout"), ("--check", "--stdout"))
    ),
    Mistake(name="baking into a folder", arguments=("bake", "@root@", "-o", "@root@"), says=("is a directory",)),
    Mistake(
        name="no repository to compare with",
        arguments=("key", "@root@", "--diff", "HEAD"),
        says=("this folder is in no git repository", "help: earlier states are read from git"),
    ),
    Mistake(
        name="no such revision",
        spoil=lambda root: git(root, "init", "--quiet"),
        arguments=("key", "@root@", "--diff", "no-such"),
        says=("git knows no revision 'no-such'",),
    ),
    Mistake(
        name="an option as revision",
        spoil=lambda root: git(root, "init", "--quiet"),
        arguments=("key", "@root@", "--diff", "--output=x"),
        says=("git knows no revision '--output=x'",),
    ),
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name.replace(" ", "-"))
def test_mistake(mistake: Mistake, tmp_path: Path) -> None:
    root = write_pair(tmp_path / "root", dev=FILELOCK, prod=FILELOCK)
    mistake.spoil(root)
    before = sorted(root.rglob("*"))
    result = lockaudit(*(argument.replace("@root@", str(root)) for argument in mistake.arguments))
    assert result.code == 2
    assert result.out == ""
    assert re.match(r"error: |Usage: ", result.err)
    assert "Traceback" not in result.err
    assert [text for text in mistake.says if text.replace("@root@", str(root)) not in result.err] == []
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize(
    ("dockerfile", "says"),
    [
        ("FROM debian\nRUN <<EOF\necho\n", "docker/Dockerfile-uv:2: not a Dockerfile"),
        ("RUN true\n", "docker/Dockerfile-uv:1: RUN stands before the first FROM"),
        ("", "docker/Dockerfile-uv:1: "),
    ],
    ids=["unterminated", "no stage", "empty"],
)
@pytest.mark.parametrize("command", ["check", "key", "bake"])
def test_a_dockerfile_that_is_none(tmp_path: Path, command: str, dockerfile: str, says: str) -> None:
    root = COMPILED.write(tmp_path)
    (root / "docker" / "Dockerfile-uv").write_text(dockerfile)
    result = lockaudit(command, root)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {says}")


def test_what_is_no_mistake_of_the_user_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_pair(tmp_path, dev=FILELOCK, prod=FILELOCK)
    monkeypatch.setattr("auditor.cli.check.audit", lambda *_, **_options: 1 // 0)
    result = lockaudit("check", root)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Traceback (most recent call last):")
    assert "ZeroDivisionError" in result.err
    assert result.err.endswith("lockaudit: this is a bug in lockaudit; please report it with the lines above\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=FILELOCK, prod=FILELOCK)
    (root / "uv.lock").chmod(0)
    result = lockaudit("check", root)
    assert result.code == 2
    assert "error: uv.lock: no permission to read this dev lock" in result.err


def test_an_interruption_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code of a process that a signal ended, and no traceback."""

    def interrupted(*_: object, **_options: object) -> None:
        raise KeyboardInterrupt

    root = write_pair(tmp_path, dev=FILELOCK, prod=FILELOCK)
    monkeypatch.setattr("auditor.cli.check.audit", interrupted)
    assert lockaudit("check", root) == Result(130, "", "lockaudit: interrupted\n")
