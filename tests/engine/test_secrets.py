"""Secrets reach the steps that need them, and no layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.standins import serve

from .docker import compiles, docker
from .project import write_project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins import Index

    from .docker import Engine


def test_a_private_index_takes_a_login(engine: Engine, index: Index, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login reader password open-sesame\n")
    with serve(index.root, login=("reader", "open-sesame")) as base:
        project = write_project(tmp_path / "app", base, env={"NETRC": str(netrc)})
        refused = engine.build(project, "prod", check=False)
        build = engine.build(project, "prod", f"--secret=id=netrc,src={netrc}")
    assert not refused.ok
    assert "401 Unauthorized" in refused.log
    assert compiles(build.log) == 1
    assert "open-sesame" not in build.log
    assert "open-sesame" not in docker("image", "inspect", build.image).stdout
    assert "open-sesame" not in docker("history", "--no-trunc", build.image).stdout
    look = ("grep", "--recursive", "--files-with-matches", "--no-messages", "open-sesame")
    places = ("/etc", "/home", "/opt", "/root", "/run", "/tmp", "/usr/local", "/var")  # noqa: S108
    assert engine.run_as_root(build.image, *look, *places, check=False).stdout == ""
