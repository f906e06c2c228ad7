"""`init` in a new project, with the real uv: settings, Dockerfile, hooks, prod/, both locks, then check and bake."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.faults.folder import Folder, prepared
from tests.engine.project import INDEXES
from tests.standins import FLASH_ATTN_METADATA, add_build_tools, make_world, serve, uv, uv_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROJECT: Final = """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["requests==2.32.3", "torch==2.6.0", "flash-attn==2.8.3"]

"""


@contextlib.contextmanager
def adopted(scratch: Path) -> Iterator[Folder]:
    """A project with a root lock only, and an index of stand-ins for as long as the block runs."""
    index = make_world(scratch / "index")
    add_build_tools(index)
    with serve(index.root) as base:

        def make(root: Path) -> None:
            (root / "pyproject.toml").write_text(
                _PROJECT + INDEXES.replace("@base@", base) + "\n" + FLASH_ATTN_METADATA, "utf-8"
            )
            uv("lock", cwd=root)

        env = {
            "PATH": f"{Path(uv_binary()).parent}{os.pathsep}{os.environ['PATH']}",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_CACHE_DIR": str(scratch / "cache"),
            "XDG_CONFIG_HOME": str(scratch / "config"),
        }
        folder = prepared(scratch / "app", ["init", "--create-prod"], make, env)
        folder.between = {"prod/uv.lock": folder.new["uv.lock"]}  # from which uv starts
        yield folder
