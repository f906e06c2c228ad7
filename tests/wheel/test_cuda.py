"""Which CUDA and which C++ ABI a locked torch has: the real releases against the facts, and each signal by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.lock.environment import Target
from auditor.lock.read import read_lock
from auditor.lock.selection import Request, select as select_from
from auditor.wheel.cuda import Cuda, CudaImage, cuda_of, cxx11_abi, parse_build, parse_image, parse_version
from tests.rules.specimens import CU124, INDEX, TARGET, package, plain, registry
from tests.support import corpus, require_corpus
from tests.wheel.specimens import select

if TYPE_CHECKING:
    from auditor.lock.selection import Selection

# Facts on CUDA, table 3.2: torch on the public index -> its default CUDA, and the C++ ABI of its wheel.
RELEASES = {
    "2.4.1": ("12.1", 0),
    "2.5.1": ("12.4", 0),
    "2.6.0": ("12.4", 0),
    "2.7.1": ("12.6", 1),
    "2.8.0": ("12.8", 1),
    "2.9.1": ("12.8", 1),
    "2.10.0": ("12.8", 1),
    "2.11.0": ("13.0", 1),
    "2.12.1": ("13.0", 1),
    "2.13.0": ("13.0", 1),
    "2.14.1": ("13.0", 1),
    "2.15.0": ("13.2", 1),
}
FOLDER = "torch-on-index"


def lock_names() -> list[str]:
    """The locks of single torch releases; empty without the corpus."""
    found = corpus()
    return sorted(path.name for path in (found / FOLDER).glob("*.lock")) if found is not None else []


def release(name: str, target: str) -> Selection:
    """What a lock of one torch release installs on a target, at the first Python that it covers."""
    lock = read_lock(require_corpus() / FOLDER / name)
    for minor in (12, 11):
        environment = Target.parse(f"{target}-cp3{minor}").fitted([lock.requires_python])
        selection = select_from(lock, environment, Request())
        if not selection.uncovered:
            return selection
    raise AssertionError(name)


@pytest.mark.corpus
def test_the_corpus_has_every_release_of_the_table() -> None:
    require_corpus()
    assert {name.removeprefix("torch-").removesuffix(".uv.lock").split("-")[0] for name in lock_names()} == set(
        RELEASES
    )


@pytest.mark.corpus
@pytest.mark.parametrize("name", lock_names())
def test_cuda_and_abi_of_a_release(name: str) -> None:
    selection = release(name, "linux-x86_64")
    (torch,) = selection.get("torch")
    cuda, abi = RELEASES[str(torch.version)]
    signal = cuda_of(selection.packages, selection.target)
    assert signal is not None
    assert str(signal.cuda) == cuda
    assert cxx11_abi(torch, selection.target) == abi


@pytest.mark.corpus
@pytest.mark.parametrize("name", [name for name in lock_names() if "-locked-" not in name])
def test_the_public_index_has_cuda_for_arm_since_2_11(name: str) -> None:
    selection = release(name, "linux-aarch64")
    (torch,) = selection.get("torch")
    signal = cuda_of(selection.packages, selection.target)
    assert torch.version is not None
    assert (signal is not None) == (torch.version.release >= (2, 11))
    assert signal is None or str(signal.cuda) == RELEASES[str(torch.version)][0]


RUNTIME = package("nvidia-cuda-runtime-cu12", "12.4.127")
TOOLKIT = package("cuda-toolkit", "13.0.2")
CUDNN = package("nvidia-cudnn-cu12", "9.1.0.70")
# Versions of these follow no toolkit.
MISLEADING = (
    package("nvidia-nvjitlink-cu12", "12.9.86"),
    package("nvidia-cublas", "13.5.37"),
    package("cuda-bindings", "12.9.4"),
)


def torch(version: str, index: str = INDEX, wheel_version: str = "") -> str:
    """A torch with a wheel for the target."""
    name = f"torch-{wheel_version or version}-cp312-cp312-manylinux_2_28_x86_64.whl"
    file = f'{{ url = "https://files.example/{name}", hash = "sha256:{"0" * 64}" }}'
    return package("torch", version, source=registry(index), wheels=[file])


# packages -> CUDA and how it was read
SIGNALS = {
    "local version": ((torch("2.6.0+cu124"), RUNTIME), "12.4", "local version +cu124"),
    "local version before all else": ((torch("2.6.0+cu118", CU124), RUNTIME, TOOLKIT), "11.8", "local version +cu118"),
    "three digits": ((torch("2.9.1+cu130"),), "13.0", "local version +cu130"),
    "CPU": ((torch("2.6.0+cpu"), RUNTIME), "cpu", "local version +cpu"),
    "ROCm": ((torch("2.6.0+rocm6.2.4"),), "rocm6.2.4", "local version +rocm6.2.4"),
    "index": ((torch("2.6.0", CU124), TOOLKIT), "12.4", "index cu124"),
    "index with a slash": ((torch("2.6.0", f"{CU124}/"),), "12.4", "index cu124"),
    "index of nightlies": ((torch("2.6.0", "https://download.example/whl/nightly/cu128"),), "12.8", "index cu128"),
    "index of the CPU": ((torch("2.6.0", "https://download.example/whl/cpu"), RUNTIME), "cpu", "index cpu"),
    "name of the wheel": ((torch("2.6.0", wheel_version="2.6.0%2Bcu126"), RUNTIME), "12.6", "wheel torch-2.6.0+cu126"),
    "runtime": ((torch("2.6.0"), CUDNN, RUNTIME, *MISLEADING), "12.4", "nvidia-cuda-runtime-cu12 12.4.127"),
    "runtime without a suffix": (
        (torch("2.11.0"), package("nvidia-cuda-runtime", "13.0.96"), *MISLEADING),
        "13.0",
        "nvidia-cuda-runtime 13.0.96",
    ),
    "toolkit": ((torch("2.11.0"), TOOLKIT, CUDNN, *MISLEADING), "13.0", "cuda-toolkit 13.0.2"),
    "cuDNN": ((torch("2.6.0"), CUDNN, *MISLEADING), "12", "nvidia-cudnn-cu12"),
}


@pytest.mark.parametrize(("packages", "cuda", "evidence"), SIGNALS.values(), ids=SIGNALS)
def test_signal(packages: tuple[str, ...], cuda: str, evidence: str) -> None:
    _, selection = select(plain(*packages))
    signal = cuda_of(selection.packages, selection.target)
    assert signal is not None
    assert str(signal.cuda) == cuda
    assert signal.evidence.startswith(evidence)


@pytest.mark.parametrize("packages", [(torch("2.6.0"), *MISLEADING), (RUNTIME, CUDNN)], ids=["misleading", "no torch"])
def test_no_signal(packages: tuple[str, ...]) -> None:
    _, selection = select(plain(*packages))
    assert cuda_of(selection.packages, selection.target) is None


# version, platform of the wheel, ABI
ABIS = (
    ("2.5.1", "manylinux1_x86_64", 0),
    ("2.6.0", "manylinux1_x86_64", 0),
    ("2.6.0+cu124", "linux_x86_64", 0),
    ("2.6.0+cu126", "manylinux_2_28_x86_64", 1),
    ("2.6.0+cu126", "linux_x86_64", 1),
    ("2.7.0+cu118", "manylinux_2_28_x86_64", 1),
    ("2.10.0", "manylinux_2_28_x86_64", 1),
    ("2.6.0", "win_amd64", None),
)


@pytest.mark.parametrize(("version", "platform", "abi"), ABIS)
def test_abi(version: str, platform: str, abi: int | None) -> None:
    entry = package("torch", version, wheels=[f"cp312-cp312-{platform}"])
    _, selection = select(plain(entry))
    assert cxx11_abi(selection.get("torch")[0], Target.parse(TARGET)) == abi


BUILDS = {
    "cu118": Cuda(11, 8),
    "cu124": Cuda(12, 4),
    "cu130": Cuda(13, 0),
    "cu1210": Cuda(12, 10),
    "cpu": Cuda(None, build="cpu"),
    "rocm6.2": Cuda(None, build="rocm6.2"),
    "xpu": Cuda(None, build="xpu"),
    "cu12": None,
    "cxx11abi": None,
    "": None,
}


@pytest.mark.parametrize(("text", "cuda"), BUILDS.items())
def test_names_of_builds(text: str, cuda: Cuda | None) -> None:
    assert parse_build(text) == cuda
    assert cuda is None or cuda.tag == text


VERSIONS = {
    "12.4.1": (Cuda(12, 4), "12.4", "cu124"),
    "13.0": (Cuda(13, 0), "13.0", "cu130"),
    "12.10.3": (Cuda(12, 10), "12.10", "cu1210"),
}


@pytest.mark.parametrize(("text", "expected"), VERSIONS.items())
def test_versions(text: str, expected: tuple[Cuda, str, str]) -> None:
    cuda = parse_version(text)
    assert cuda is not None
    assert (cuda, str(cuda), cuda.tag) == expected


@pytest.mark.parametrize("text", ["12", "", "latest", "1.2.3", "12.x", "v12.4.1", "12.4-devel"])
def test_no_versions(text: str) -> None:
    assert parse_version(text) is None


IMAGES = {
    "nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04": CudaImage("12.4.1", "cudnn-devel", "ubuntu22.04", "22.04"),
    "nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu20.04": CudaImage("11.8.0", "cudnn8-runtime", "ubuntu20.04", "20.04"),
    "nvidia/cuda:12.4.1-base-ubi9": CudaImage("12.4.1", "base", "ubi9", ""),
    "docker.io/nvidia/cuda:13.0.1-devel-ubuntu24.04": CudaImage("13.0.1", "devel", "ubuntu24.04", "24.04"),
    "mirror.example:5000/nvidia/cuda:13.0.1-runtime-ubuntu24.04@sha256:" + "0" * 64: CudaImage(
        "13.0.1", "runtime", "ubuntu24.04", "24.04"
    ),
}


@pytest.mark.parametrize(("reference", "image"), IMAGES.items())
def test_images(reference: str, image: CudaImage) -> None:
    assert parse_image(reference) == image
    assert image.cuda == parse_version(image.version)


@pytest.mark.parametrize(
    "reference",
    [
        "debian:12",
        "nvidia/cuda",
        "nvidia/cuda:latest",
        "nvidia/cuda:${CUDA_VERSION}-devel-ubuntu22.04",
        "pytorch:2.6.0",
    ],
)
def test_no_images(reference: str) -> None:
    assert parse_image(reference) is None
