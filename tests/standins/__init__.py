"""Stand-in packages: kilobyte-sized distributions, a local index that serves them, and a runner for the real uv.

Tests make real locks with the real uv, but not of gigabyte-sized wheels from a public index. They make a *world*
(`make_world`), serve it (`serve`) and lock against it (`uv`)::

    index = make_world(tmp_path / "index")
    with serve(index.root) as base:
        (project / "pyproject.toml").write_text(...)   # [[tool.uv.index]] url = f"{base}/cu124/simple"
        uv("lock", cwd=project)

Everything here is a stand-in: the names and versions are those of real packages, the content is not.
"""

from .distributions import sdist, wheel
from .index import Index, serve
from .native import causal_conv1d_sdist, flash_attn_sdist, torch_wheel
from .tools import add_build_tools
from .uv import UvMissingError, uv, uv_binary
from .world import FLASH_ATTN_METADATA, make_world

__all__ = [
    "FLASH_ATTN_METADATA",
    "Index",
    "UvMissingError",
    "add_build_tools",
    "causal_conv1d_sdist",
    "flash_attn_sdist",
    "make_world",
    "sdist",
    "serve",
    "torch_wheel",
    "uv",
    "uv_binary",
    "wheel",
]
