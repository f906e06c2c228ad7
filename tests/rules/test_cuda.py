"""LA201 to LA203: torch, its CUDA, and what is compiled against them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.cases import Case, ids, verify
from tests.rules.specimens import CU124, CU128, INDEX, LINUX, edge, lock, package, plain, registry, root, sdist

if TYPE_CHECKING:
    from pathlib import Path

FROM_CU124 = 'source = { registry = "https://download.example/whl/cu124" }'


def torch(version: str = "2.6.0+cu124", index: str = CU124) -> str:
    """A torch for linux."""
    return package("torch", version, source=registry(index), wheels=[LINUX])


def dockerfile(cuda: str) -> str:
    """A Dockerfile whose images have a CUDA version."""
    return f"ARG CUDA_VERSION={cuda}\nFROM nvidia/cuda:${{CUDA_VERSION}}-runtime-ubuntu22.04\n"


TORCH = torch()
RUNTIME = package("nvidia-cuda-runtime-cu12", "12.4.127")
FLASH_ATTN = package("flash-attn", "2.8.3", wheels=(), sdist=sdist("flash-attn", "2.8.3"), needs=["torch"])
# Its metadata does not name torch, or somebody removed the edge.
EDGELESS = package("flash-attn", "2.8.3", wheels=(), sdist=sdist("flash-attn", "2.8.3"))
FILELOCK = package("filelock")

CASES = (
    Case(
        rule="LA201",
        name="another local part",
        dev=plain(TORCH),
        prod=plain(torch("2.6.0+cu126")),
        found=('error[LA201] torch prod/uv.lock: version = "2.6.0+cu126"',),
    ),
    Case(
        rule="LA201",
        name="no local part",
        dev=plain(TORCH),
        prod=plain(torch("2.6.0")),
        found=('error[LA201] torch prod/uv.lock: version = "2.6.0"',),
    ),
    Case(
        rule="LA201",
        name="another version",
        dev=plain(TORCH),
        prod=plain(torch("2.7.1+cu124")),
        found=('error[LA201] torch prod/uv.lock: version = "2.7.1+cu124"',),
    ),
    Case(
        rule="LA201",
        name="another index",
        dev=plain(torch("2.6.0", INDEX)),
        prod=plain(torch("2.6.0", CU124)),
        found=(f"error[LA201] torch prod/uv.lock: {FROM_CU124}",),
    ),
    Case(
        rule="LA201",
        name="the chosen extra decides",
        dev=lock(
            root(
                extras={
                    "cu124": [edge("torch", version="2.6.0+cu124", source=registry(CU124))],
                    "cu128": [edge("torch", version="2.6.0+cu128", source=registry(CU128))],
                }
            ),
            TORCH,
            torch("2.6.0+cu128", CU128),
            top='conflicts = [[{ package = "app", extra = "cu124" }, { package = "app", extra = "cu128" }]]\n',
        ),
        prod=plain(TORCH),
        config='dev.extras = ["cu128"]\n',
        found=('error[LA201] torch prod/uv.lock: version = "2.6.0+cu124"',),
    ),
    Case(rule="LA201", name="the same build", dev=plain(TORCH), prod=plain(TORCH)),
    Case(rule="LA201", name="an index with a slash", dev=plain(TORCH), prod=plain(torch(index=f"{CU124}/"))),
    Case(
        rule="LA201",
        name="only dev has torch",
        dev=plain(TORCH, FILELOCK),
        prod=plain(FILELOCK),
    ),
    Case(
        rule="LA202",
        name="nothing to compile against",
        dev=plain(FLASH_ATTN, TORCH, FILELOCK),
        prod=plain(FILELOCK),
        config='compiled = ["flash-attn"]\n',
        found=("error[LA202] flash-attn prod/pyproject.toml: dependencies = []",),
    ),
    Case(
        rule="LA202",
        name="prod has torch",
        dev=plain(FLASH_ATTN, TORCH),
        prod=plain(FLASH_ATTN, TORCH),
        config='compiled = ["flash-attn"]\n',
    ),
    Case(
        rule="LA202",
        name="without its edge to torch, dev tells that prod's is compiled",
        dev=plain(FLASH_ATTN, TORCH),
        prod=plain(EDGELESS),
        found=("error[LA202] flash-attn prod/pyproject.toml: dependencies = []",),
        select=("LA202",),
    ),
    Case(
        rule="LA202",
        name="prod has a wheel of what dev compiles",
        dev=plain(FLASH_ATTN, TORCH),
        prod=plain(package("flash-attn", "2.8.3", wheels=[LINUX])),
        select=("LA202",),
    ),
    Case(
        rule="LA202",
        name="dev does not compile it either",
        dev=plain(package("flash-attn", "2.8.3", wheels=[LINUX], needs=["torch"]), TORCH),
        prod=plain(EDGELESS),
        select=("LA202",),
    ),
    Case(
        rule="LA202",
        name="what dev builds without torch is not compiled against it",
        dev=plain(EDGELESS, TORCH),
        prod=plain(EDGELESS),
        select=("LA202",),
    ),
    Case(
        rule="LA202",
        name="the settings say that it is not compiled",
        dev=plain(FLASH_ATTN, TORCH),
        prod=plain(EDGELESS),
        config='not-compiled = ["flash-attn"]\n',
        select=("LA202",),
    ),
    Case(rule="LA202", name="nothing is compiled", dev=plain(TORCH, FILELOCK), prod=plain(FILELOCK)),
    Case(
        rule="LA203",
        name="another major version",
        dev=plain(TORCH),
        prod=plain(TORCH),
        dockerfile=dockerfile("13.0.1"),
        found=("error[LA203] torch docker/Dockerfile-uv: ARG CUDA_VERSION=13.0.1",),
    ),
    Case(
        rule="LA203",
        name="another minor version is a warning",
        dev=plain(TORCH),
        prod=plain(TORCH),
        dockerfile=dockerfile("12.6.3"),
        found=("warning[LA203] torch docker/Dockerfile-uv: ARG CUDA_VERSION=12.6.3",),
    ),
    Case(
        rule="LA203",
        name="the CUDA of a torch without a local part",
        dev=lock(root(needs=["torch", RUNTIME.split('"')[1]]), torch("2.6.0", INDEX), RUNTIME),
        prod=lock(root(needs=["torch", RUNTIME.split('"')[1]]), torch("2.6.0", INDEX), RUNTIME),
        dockerfile=dockerfile("12.1.1"),
        found=("warning[LA203] torch docker/Dockerfile-uv: ARG CUDA_VERSION=12.1.1",),
    ),
    Case(
        rule="LA203",
        name="an image that is written out",
        dev=plain(TORCH),
        prod=plain(TORCH),
        dockerfile="FROM nvidia/cuda:11.8.0-cudnn8-devel-ubuntu22.04 AS build\nFROM build\n",
        found=("error[LA203] torch docker/Dockerfile-uv: FROM nvidia/cuda:11.8.0-cudnn8-devel-ubuntu22.04 AS build",),
    ),
    Case(
        rule="LA203",
        name="the setting counts before the Dockerfile",
        dev=plain(TORCH),
        prod=plain(TORCH),
        config='image.cuda = "13.0.1"\n',
        dockerfile=dockerfile("12.4.1"),
        found=('error[LA203] torch pyproject.toml: image.cuda = "13.0.1"',),
    ),
    Case(rule="LA203", name="the same", dev=plain(TORCH), prod=plain(TORCH), dockerfile=dockerfile("12.4.1")),
    Case(
        rule="LA203",
        name="the setting corrects the Dockerfile",
        dev=plain(TORCH),
        prod=plain(TORCH),
        config='image.cuda = "12.4.1"\n',
        dockerfile=dockerfile("13.0.1"),
    ),
    Case(
        rule="LA203",
        name="a torch for the CPU",
        dev=plain(torch("2.6.0+cpu", "https://download.example/whl/cpu")),
        prod=plain(torch("2.6.0+cpu", "https://download.example/whl/cpu")),
        dockerfile=dockerfile("13.0.1"),
    ),
    Case(rule="LA203", name="no Dockerfile", dev=plain(TORCH), prod=plain(TORCH)),
    Case(
        rule="LA203",
        name="no CUDA image",
        dev=plain(TORCH),
        prod=plain(TORCH),
        dockerfile="FROM debian:12\n",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)
