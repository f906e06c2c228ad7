"""A repository full of bait: no command starts a process, opens a socket, or imports what the repository holds.

Two witnesses that lockaudit does not know: an audit hook of Python, and strace, which sees every system call.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import lockaudit
from tests.rules.clean_pair import git
from tests.support import missing
from tests.wheel.specimens import COMPILED

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGET = "linux-x86_64-cp312"
COMMANDS = (
    *(("check", "--output-format", name) for name in ("text", "sarif", "junit")),
    ("bake", "--check"),
    ("bake", "--diff"),
    ("bake",),
    ("key", "--explain"),
    ("graph", "--output-format", "html"),
    ("graph", "--output-format", "dot"),
    ("config",),
    ("select", "--target", TARGET),
    ("rule", "LA103"),
)
# What a careless program imports, runs or asks when it stands in a folder.
MODULES = ("setup", "conftest", "sitecustomize", "usercustomize", "auditor", "click", "json", "rtoml", "hcl2", "lark")
PROGRAMS = ("uv", "docker", "git", "python", "python3", "sh", "bash", "ssh", "less", "buildx", "hclfmt")
HOOK = """
    import atexit, os, sys

    log = os.open({log!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    watched = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.fork", "ctypes.",
               "pty.", "urllib.", "http.", "ftplib.", "webbrowser.")

    def hook(event, arguments):
        if event.startswith(watched):
            os.write(log, f"{{event}} {{arguments!r}}\\n".encode("utf-8", "replace"))

    def origins():
        for module in list(sys.modules.values()):
            place = getattr(module, "__file__", None) or ""
            if os.path.abspath(place).startswith({root!r} + os.sep):
                os.write(log, f"imported {{place}}\\n".encode())

    sys.addaudithook(hook)
    atexit.register(origins)
    os.write(log, b"watching\\n")
"""


@pytest.fixture(scope="module")
def bait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder: `root` is the repository, `bin` what must not be started; `mark` is there if something was."""
    folder = tmp_path_factory.mktemp("bait")
    root, mark = folder / "root", folder / "mark"
    COMPILED.write(root)
    assert lockaudit("bake", root).code == 0
    settings = root / "pyproject.toml"
    build = f'\n[build-system]\nrequires = []\nbuild-backend = "setup"\nbackend-path = ["."]\n# {mark}\n'
    settings.write_text(settings.read_text("utf-8") + build, encoding="utf-8")
    for name in MODULES:
        (root / f"{name}.py").write_text(f"open({str(mark)!r}, 'a').write({name!r})\n", encoding="utf-8")
    (root / ".pth").write_text(f"import os; open({str(mark)!r}, 'a')\n", encoding="utf-8")
    programs = folder / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        for place in (programs / name, root / "bin" / name):
            place.parent.mkdir(exist_ok=True)
            place.write_text(f"#!/bin/sh\necho {name} >>{mark}\n", encoding="utf-8")
            place.chmod(0o755)
    (root / ".gitattributes").write_text("* filter=bait\n", encoding="utf-8")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Bait")
    for name in ("post-index-change", "reference-transaction", "post-checkout"):
        (root / ".git" / "hooks" / name).write_text(f"#!/bin/sh\necho hook >>{mark}\n", encoding="utf-8")
        (root / ".git" / "hooks" / name).chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "gpg.program", "core.editor"):
        git(root, "config", key, str(programs / "sh"))
    for key in ("clean", "smudge", "process"):
        git(root, "config", f"filter.bait.{key}", str(programs / "sh"))
    (root / "pyproject.toml").touch()  # git has to compare it
    assert not mark.exists()
    return folder


def environment(bait: Path, hook: Path | None = None, path: str = "") -> Mapping[str, str]:
    """Nothing of this process, but for where Python finds lockaudit's dependencies."""
    libraries = os.pathsep.join(place for place in sys.path if place and Path(place).is_dir())
    own = [str(hook), libraries] if hook is not None else [libraries]
    return {"PATH": path or str(bait / "bin"), "PYTHONPATH": os.pathsep.join(own), "HOME": str(bait)}


def command(bait: Path, arguments: tuple[str, ...]) -> list[str]:
    """The command as the entry point starts it: from a script elsewhere, so that no folder of ours is searched."""
    script = bait / "lockaudit-entry"
    script.write_text("from auditor.__main__ import main\nmain()\n", encoding="utf-8")
    where = [] if arguments[0] == "rule" else ["."]
    return [sys.executable, "-B", str(script), arguments[0], *where, *arguments[1:]]


def watched(bait: Path, arguments: tuple[str, ...], path: str = "") -> list[str]:
    """What the audit hook saw of a command in the repository."""
    log, hook = bait / "log", bait / "hook"
    log.unlink(missing_ok=True)
    hook.mkdir(exist_ok=True)
    text = dedent(HOOK).format(log=str(log), root=str(bait / "root"))
    (hook / "sitecustomize.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        command(bait, arguments),
        cwd=bait / "root",
        env=environment(bait, hook, path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    first, *rest = log.read_text("utf-8").splitlines()
    assert first == "watching"
    return rest


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nothing_is_started_fetched_or_imported(bait: Path, arguments: tuple[str, ...]) -> None:
    assert watched(bait, arguments) == []
    assert not (bait / "mark").exists()


@pytest.mark.parametrize("arguments", [("key", "--diff", "HEAD"), ("plan",)], ids=" ".join)
def test_key_diff_and_plan_start_git_alone(bait: Path, arguments: tuple[str, ...]) -> None:
    real = shutil.which("git")
    assert real is not None
    seen = watched(bait, arguments, path=str(Path(real).parent))
    started = [line for line in seen if line.startswith("subprocess.Popen")]
    assert started
    assert all(re.match(r"subprocess\.Popen \('git', \['git', ", line) for line in started)
    # How Python starts a process: with one of these, which the other hook says nothing about.
    assert {line.split()[0] for line in seen} <= {"subprocess.Popen", "os.posix_spawn", "os.fork"}
    assert not (bait / "mark").exists()


def test_run_as_a_module_it_imports_nothing_of_the_folder(bait: Path) -> None:
    """`python -m` searches the folder that one stands in, so what it finds there first must be lockaudit itself."""
    root = bait / "elsewhere"
    shutil.copytree(bait / "root", root, ignore=shutil.ignore_patterns("auditor.py", ".git"), dirs_exist_ok=True)
    for name in ("sitecustomize", "usercustomize", "json", "click"):  # Python itself, or before main, imports these
        (root / f"{name}.py").unlink()
    done = subprocess.run(
        [sys.executable, "-B", "-m", "auditor", "bake", "--check"],
        cwd=root,
        env=environment(bait),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (bait / "mark").exists()


def traced(bait: Path, arguments: tuple[str, ...], path: str = "") -> list[str]:
    """Every system call about networks and processes of a command in the repository."""
    strace = shutil.which("strace")
    if strace is None:
        missing("strace is not installed: `apt-get install strace`")
        raise AssertionError
    log = bait / "trace"
    log.unlink(missing_ok=True)
    done = subprocess.run(
        [strace, "-f", "-qq", "-e", "trace=network,process", "-o", str(log), *command(bait, arguments)],
        cwd=bait / "root",
        env=environment(bait, path=path),
        capture_output=True,
        text=True,
        check=False,
    )
    if not log.exists() or not log.read_text("utf-8"):
        missing(f"strace may not look at processes here: {done.stderr.strip()}")
    assert done.returncode in {0, 1}, done.stderr
    return log.read_text("utf-8").splitlines()


def told(calls: list[str]) -> list[str]:
    """The calls that start a program, make a process or open a socket; not those that end, wait or make a thread."""
    harmless = re.compile(r"\d+ +(?:exit|exit_group|wait4|waitid|\+\+\+|---|<\.\.\.|arch_prctl|set_tid_address)")
    return [call for call in calls if not harmless.match(call) and "CLONE_THREAD" not in call]


@pytest.mark.parametrize("arguments", COMMANDS[::2], ids=" ".join)  # the slower witness sees every other one
def test_the_kernel_sees_one_program_and_no_socket(bait: Path, arguments: tuple[str, ...]) -> None:
    first, *others = told(traced(bait, arguments))
    assert " execve(" in first
    assert others == []


def test_the_kernel_sees_git_for_key_diff(bait: Path) -> None:
    real = shutil.which("git")
    assert real is not None
    calls = told(traced(bait, ("key", "--diff", "HEAD"), path=str(Path(real).parent)))
    started = [match[1] for call in calls if (match := re.search(r'execve\("([^"]+)"', call))]
    assert set(started[1:]) == {real}
    assert [call for call in calls if re.search(r"\b(?:socket|connect|bind|sendto)\(", call)] == []


def test_the_witnesses_see_what_they_are_to_see(bait: Path, tmp_path: Path) -> None:
    """Else their silence would say nothing."""
    script = tmp_path / "script.py"
    script.write_text("import socket, subprocess\nsubprocess.run(['/bin/true'])\nsocket.socket()\n", encoding="utf-8")
    hook, log = tmp_path / "hook", tmp_path / "log"
    hook.mkdir()
    text = dedent(HOOK).format(log=str(log), root=str(tmp_path))
    (hook / "sitecustomize.py").write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, script], env=environment(bait, hook), check=True)
    seen = {line.split()[0] for line in log.read_text("utf-8").splitlines()}
    assert {"subprocess.Popen", "socket.__new__", "imported"} <= seen
    strace = shutil.which("strace")
    if strace is None:
        missing("strace is not installed: `apt-get install strace`")
        return
    trace = tmp_path / "trace"
    subprocess.run(
        [strace, "-f", "-qq", "-e", "trace=network,process", "-o", trace, sys.executable, script], check=True
    )
    calls = "\n".join(told(trace.read_text("utf-8").splitlines()))
    assert '"/bin/true"' in calls
    assert "socket(" in calls
