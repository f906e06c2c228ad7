"""Stand-ins for torch and for the packages that compile against it.

The stand-in torch is one importable package with a version, a CUDA version, a C++ ABI flag and one C header. The
stand-in flash-attn and causal-conv1d are source distributions of the legacy kind: a `setup.py` without a
`pyproject.toml`, which imports torch at build time and compiles one C file against that header. Like the real ones
they download or skip unless told otherwise, and then yield a hollow wheel, one without its extension module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .distributions import sdist, wheel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def torch_wheel(
    directory: Path, version: str, *, tag: str, requires: Sequence[str] = (), cxx11_abi: bool = False
) -> Path:
    """Write a stand-in torch wheel.

    Args:
        directory: where to.
        version: with the local part that names its CUDA, as `2.6.0+cu124`; without one the CUDA is 12.4, the
            default of torch 2.6.0.
        tag: `python-abi-platform`.
        requires: PEP 508 requirements.
        cxx11_abi: what `torch._C._GLIBCXX_USE_CXX11_ABI` says.

    Returns:
        The path of the wheel.
    """
    return wheel(directory, "torch", version, tag=tag, requires=requires, files=torch_files(version, cxx11_abi))


def torch_files(version: str, cxx11_abi: bool = False) -> dict[str, str | bytes]:  # noqa: FBT001, FBT002 (a fact)
    """The content of a stand-in torch wheel, by path."""
    local = version.partition("+")[2]
    cuda = f'"{local[2:-1]}.{local[-1]}"' if local.startswith("cu") else '"12.4"' if not local else "None"
    return {
        "torch/__init__.py": (
            '"""A stand-in for torch."""\n\nfrom torch import _C, version\nfrom torch.version import __version__\n\n'
            '__all__ = ["_C", "__version__", "version"]\n'
        ),
        "torch/version.py": f'"""A stand-in for torch.version."""\n\n__version__ = "{version}"\ncuda = {cuda}\n',
        "torch/_C.py": f'"""A stand-in for torch._C."""\n\n_GLIBCXX_USE_CXX11_ABI = {cxx11_abi}\n',
        "torch/include/standin_torch.h": (
            f'/* A stand-in for the headers of torch. */\n#define STANDIN_TORCH_VERSION "{version}"\n'
        ),
    }


def flash_attn_sdist(directory: Path, version: str = "2.8.3") -> Path:
    """Write a stand-in flash-attn source distribution, whose extension is `flash_attn_2_cuda`."""
    return _extension_sdist(directory, "flash-attn", version, "flash_attn_2_cuda", "FLASH_ATTENTION")


def causal_conv1d_sdist(directory: Path, version: str = "1.5.2") -> Path:
    """Write a stand-in causal-conv1d source distribution, whose extension is `causal_conv1d_cuda`."""
    return _extension_sdist(directory, "causal-conv1d", version, "causal_conv1d_cuda", "CAUSAL_CONV1D")


def _extension_sdist(directory: Path, name: str, version: str, extension: str, prefix: str) -> Path:
    module = name.replace("-", "_")
    fields = {"name": name, "version": version, "module": module, "extension": extension, "prefix": prefix}
    return sdist(
        directory,
        name,
        version,
        metadata_version="2.1",  # dynamic, like the real ones: uv cannot lock it without dependency-metadata
        requires=_EXTENSION_REQUIRES,
        files={path.format(**fields): _fill(text, fields) for path, text in _EXTENSION_FILES.items()},
    )


def _fill(text: str, fields: dict[str, str]) -> str:
    for field, value in fields.items():
        text = text.replace(f"@{field}@", value)
    return text


_EXTENSION_REQUIRES = ("torch", "einops")

_EXTENSION_FILES = {
    "{module}/__init__.py": '''\
"""A stand-in for @name@: it works only with the torch that it was compiled against."""

import @extension@
import torch

__version__ = "@version@"

if @extension@.torch_version != torch.__version__:
    raise ImportError(
        f"@name@ was compiled against torch {@extension@.torch_version}, this is torch {torch.__version__}"
    )
''',
    "csrc/{extension}.c": """\
/* A stand-in for the kernels of @name@: it remembers which torch it was compiled against. */
#include <Python.h>
#include "standin_torch.h"

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "@extension@", "A stand-in.", -1, NULL};

PyMODINIT_FUNC PyInit_@extension@(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && PyModule_AddStringConstant(module, "torch_version", STANDIN_TORCH_VERSION) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
""",
    "setup.py": '''\
"""A stand-in for the setup.py of @name@, with the switches of the real one."""

import os
from pathlib import Path

import torch  # the real one does so too: it fails where torch is not installed
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

FORCE_BUILD = os.environ.get("@prefix@_FORCE_BUILD", "FALSE") == "TRUE"
SKIP_CUDA_BUILD = os.environ.get("@prefix@_SKIP_CUDA_BUILD", "FALSE") == "TRUE"


class Compile(build_ext):
    def run(self):
        print(f"COMPILING @name@ jobs={os.environ.get('MAX_JOBS', '')}", flush=True)
        super().run()


class DownloadFirst(bdist_wheel):
    def run(self):
        if not FORCE_BUILD:
            print("DOWNLOADING @name@", flush=True)
        super().run()


extension = Extension(
    "@extension@", ["csrc/@extension@.c"], include_dirs=[str(Path(torch.__file__).parent / "include")]
)
setup(
    name="@name@",
    version="@version@",
    packages=["@module@"],
    install_requires=["torch", "einops"],
    ext_modules=[extension] if FORCE_BUILD and not SKIP_CUDA_BUILD else [],
    cmdclass={"bdist_wheel": DownloadFirst, "build_ext": Compile},
)
''',
}
