"""The table of nvidia/cuda's tags, against the facts that it was made from."""

from __future__ import annotations

import pytest

from auditor.dockerfile.tags import check_tag, known_tags, newest_patch

# The facts on CUDA, 3.1: how many tags with cuDNN and compilers the registry had on Ubuntu.
CUDNN_DEVEL = 83


def test_table_has_what_the_registry_had() -> None:
    tags = list(known_tags())
    assert len(tags) == len(set(tags))
    assert sum("cudnn" in tag and "-devel-" in tag for tag in tags) == CUDNN_DEVEL
    assert all(check_tag(f"nvidia/cuda:{tag}") is None for tag in tags)


@pytest.mark.parametrize(
    ("tag", "nearest"),
    [
        ("12.4.1-runtime-devel-ubuntu22.04", "12.4.1-devel-ubuntu22.04"),
        ("12.4.1-base-devel-ubuntu22.04", "12.4.1-devel-ubuntu22.04"),
        ("12.4.1-cudnn-base-ubuntu22.04", "12.4.1-cudnn-runtime-ubuntu22.04"),
        ("12.4.0-cudnn-devel-ubuntu22.04", "12.4.1-cudnn-devel-ubuntu22.04"),
        ("12.4.1-cudnn9-devel-ubuntu22.04", "12.4.1-cudnn-devel-ubuntu22.04"),
        ("12.2.2-cudnn-devel-ubuntu22.04", "12.2.2-cudnn8-devel-ubuntu22.04"),
        ("12.3.2-cudnn8-runtime-ubuntu20.04", "12.3.2-cudnn9-runtime-ubuntu20.04"),
        ("12.8.2-cudnn-devel-ubuntu24.04", "12.8.1-cudnn-devel-ubuntu24.04"),
        ("12.4-devel-ubuntu22.04", "12.4.1-devel-ubuntu22.04"),
        ("12.6-runtime-ubuntu24.04", "12.6.3-runtime-ubuntu24.04"),
        ("12.7.0-base-ubuntu22.04", "12.6.3-base-ubuntu22.04"),
        ("12.4.1-devel-ubuntu24.04", "12.4.1-devel-ubuntu22.04"),
        ("12.4.1-devel", "12.4.1-devel-ubuntu22.04"),
        ("12.4.1-devel-cudnn-ubuntu22.04", "12.4.1-cudnn-devel-ubuntu22.04"),
        ("12.4.1-ubuntu22.04", "12.4.1-devel-ubuntu22.04"),
        ("12.4.1-devel-runtime-ubi9", "12.4.1-devel-ubuntu22.04"),
        ("latest", ""),
        ("devel", ""),
    ],
)
def test_tags_that_do_not_exist(tag: str, nearest: str) -> None:
    problem = check_tag(f"nvidia/cuda:{tag}")
    assert problem is not None
    assert (problem.nearest, problem.newer) == (nearest, False)


@pytest.mark.parametrize(
    "tag", ["13.3.0-devel-ubuntu24.04", "12.9.2-base-ubuntu22.04", "14.0.0-base-ubuntu26.04", "13.2.1-base-ubuntu26.04"]
)
def test_tags_that_may_be_newer(tag: str) -> None:
    problem = check_tag(f"nvidia/cuda:{tag}")
    assert problem is not None
    assert problem.newer


@pytest.mark.parametrize(
    "reference",
    [
        "nvcr.io/nvidia/cuda:12.4.1-devel-ubuntu22.04",
        "docker.io/nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04",
        "nvidia/cuda:13.0.0-tensorrt-devel-ubuntu24.04",
        "nvidia/cuda:12.4.1-devel-ubi9",
        "nvidia/cuda:12.4.0-cudnn-devel-ubuntu22.04@sha256:00",
        "nvidia/cuda:${CUDA}-devel",
        "nvidia/cuda:\0-devel",
        "mirror.example/nvidia/cuda:latest",
        "nvidia/cudagl:latest",
        "python:3.11",
        "scratch",
        "",
    ],
)
def test_what_nobody_can_say_is_wrong(reference: str) -> None:
    assert check_tag(reference) is None


@pytest.mark.parametrize(
    ("cuda", "ubuntu", "newest"),
    [
        ("12.4", "22.04", ("12.4.1", True)),
        ("12.6", "24.04", ("12.6.3", True)),
        ("12.8", "22.04", ("12.8.1", True)),  # 12.8.2 is newer, and has no cuDNN
        ("13.1", "22.04", ("13.1.2", True)),
        ("11.8", "22.04", ("11.8.0", False)),  # `cudnn8`
        ("12.1", "22.04", ("12.1.1", False)),
        ("12.3", "22.04", ("12.3.2", False)),  # `cudnn9`
        ("12", "22.04", None),
        ("99.9", "22.04", None),
        ("12.4", "24.04", None),
    ],
)
def test_the_newest_patch_of_a_release(cuda: str, ubuntu: str, newest: tuple[str, bool] | None) -> None:
    assert newest_patch(cuda, ubuntu) == newest


@pytest.mark.parametrize("cuda", sorted({".".join(tag.split(".")[:2]) for tag in known_tags()}))
def test_the_images_that_init_writes_exist(cuda: str) -> None:
    """The variant cudnn where it is called so, else runtime: of both, what compiles and what runs."""
    image = newest_patch(cuda, "22.04")
    if image is None:
        assert not [tag for tag in known_tags() if tag.startswith(f"{cuda}.") and tag.endswith("-ubuntu22.04")]
        return
    version, plain = image
    flavors = ("cudnn-devel", "cudnn-runtime") if plain else ("devel", "runtime")
    assert [check_tag(f"nvidia/cuda:{version}-{flavor}-ubuntu22.04") for flavor in flavors] == [None, None]
