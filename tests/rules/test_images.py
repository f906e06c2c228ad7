"""LA402 and LA403: the images of a Dockerfile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.cases import Case, ids, verify
from tests.rules.dockerfiles import DEVEL, case

if TYPE_CHECKING:
    from pathlib import Path

LA402 = (
    case(
        "LA402",
        "a variant of a devel image",
        """\
        # CUDA_VARIANT: cudnn, runtime or base
        ARG CUDA_VARIANT=cudnn
        FROM nvidia/cuda:12.4.1-${CUDA_VARIANT}-devel-ubuntu22.04
        """,
        ("error", "-", "FROM nvidia/cuda:12.4.1-${CUDA_VARIANT}-devel-ubuntu22.04"),
        ("error", "-", "FROM nvidia/cuda:12.4.1-${CUDA_VARIANT}-devel-ubuntu22.04"),
    ),
    case(
        "LA402",
        "the setting's variant",
        "ARG CUDA_VARIANT=cudnn\nFROM nvidia/cuda:12.4.1-${CUDA_VARIANT}-devel-ubuntu22.04\n",
        ("error", "-", "FROM nvidia/cuda:12.4.1-${CUDA_VARIANT}-devel-ubuntu22.04"),
        config='image.variant = "runtime"\n',
    ),
    case(
        "LA402",
        "no stage for a variant",
        """\
        # One of cudnn | runtime | base.
        ARG CUDA_VARIANT=cudnn
        FROM nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04 AS devel-cudnn
        FROM nvidia/cuda:12.4.1-devel-ubuntu22.04 AS devel-runtime
        FROM devel-${CUDA_VARIANT}
        """,
        ("error", "-", "FROM devel-${CUDA_VARIANT}"),
    ),
    *(
        case("LA402", f"tag {tag}", f"FROM nvidia/cuda:{tag}\n", ("error", "-", f"FROM nvidia/cuda:{tag}"))
        for tag in (
            "latest",
            "12.4-devel-ubuntu22.04",
            "12.4.0-cudnn-devel-ubuntu22.04",
            "12.4.1-base-devel-ubuntu22.04",
            "12.4.1-cudnn-base-ubuntu22.04",
            "12.4.1-cudnn9-devel-ubuntu22.04",
            "12.4.1-devel-ubuntu24.04",
            "12.4.1-devel",
            "12.7.0-devel-ubuntu22.04",
        )
    ),
    case(
        "LA402",
        "newer than the table",
        "FROM nvidia/cuda:13.3.0-base-ubuntu24.04\n",
        ("warning", "-", "FROM nvidia/cuda:13.3.0-base-ubuntu24.04"),
    ),
    case(
        "LA402",
        "copied from",
        "FROM debian:12\nCOPY --from=nvidia/cuda:12.4.1-cudnn-base-ubuntu22.04 /usr/local/cuda /cuda\n",
        ("error", "-", "COPY --from=nvidia/cuda:12.4.1-cudnn-base-ubuntu22.04 /usr/local/cuda /cuda"),
    ),
    case(
        "LA402",
        "a stage for each variant",
        """\
        # One of cudnn | runtime | base.
        ARG CUDA_VARIANT=cudnn
        ARG CUDA=12.4.1
        FROM nvidia/cuda:${CUDA}-cudnn-devel-ubuntu22.04 AS devel-cudnn
        FROM nvidia/cuda:${CUDA}-devel-ubuntu22.04 AS devel-runtime
        FROM devel-runtime AS devel-base
        FROM devel-${CUDA_VARIANT}
        """,
    ),
    case("LA402", "an ARG without a value", "ARG CUDA\nFROM nvidia/cuda:${CUDA}-devel-ubuntu22.04\n"),
    case("LA402", "a digest", f"FROM nvidia/cuda:12.4.0-cudnn-devel-ubuntu22.04@sha256:{'0' * 64}\n"),
    case("LA402", "another image", "FROM team.example/nvidia/cuda:latest\n"),
    case(
        "LA402",
        "words in a comment that are no values",
        "# The builder, runtime or base stage.\nARG FLAVOR=runtime\nFROM nvidia/cuda:12.4.1-${FLAVOR}-ubuntu22.04\n",
    ),
)
LA403 = (
    case(
        "LA403",
        "by its own name",
        f"{DEVEL} AS prod\nFROM python:3.11 AS dev\n",
        ("error", "-", f"{DEVEL} AS prod"),
    ),
    case(
        "LA403",
        "through stages and ARGs",
        "ARG FLAVOR=devel\nFROM nvidia/cuda:12.4.1-${FLAVOR}-ubuntu22.04 AS base\nFROM base AS tools\nFROM tools\n",
        ("error", "-", "FROM tools"),
    ),
    case(
        "LA403",
        "with a documented value",
        "# runtime or devel\nARG FLAVOR=runtime\nFROM nvidia/cuda:12.4.1-${FLAVOR}-ubuntu22.04 AS production\n",
        ("error", "-", "FROM nvidia/cuda:12.4.1-${FLAVOR}-ubuntu22.04 AS production"),
    ),
    case(
        "LA403",
        "another image's devel",
        "FROM pytorch/pytorch:2.6.0-cuda12.4-cudnn9-devel\n",
        ("error", "-", "FROM pytorch/pytorch:2.6.0-cuda12.4-cudnn9-devel"),
    ),
    case("LA403", "a runtime image", f"{DEVEL} AS build\nFROM nvidia/cuda:12.4.1-runtime-ubuntu22.04 AS prod\n"),
    case("LA403", "only development", f"{DEVEL} AS dev\n"),
    case("LA403", "an image of the team", "FROM team.example/cuda-devel/base:1\n"),
)
CASES = (*LA402, *LA403)


@pytest.mark.parametrize("each", CASES, ids=ids(CASES))
def test_rule(each: Case, tmp_path: Path) -> None:
    verify(each, tmp_path)
