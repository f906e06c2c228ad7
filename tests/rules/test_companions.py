"""LA204 to LA206: what stands beside torch; on made-up locks, and on every real one of the corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import pytest

from auditor.config import Config
from auditor.errors import SelectionError
from auditor.lock.environment import Target
from auditor.lock.pair import Pair, Side
from auditor.lock.read import read_lock
from auditor.lock.selection import Request, known_extras, known_groups
from auditor.rules.companions import abi_differs, companions_differ, wheel_for_another_torch
from auditor.rules.context import PairContext
from auditor.rules.run import audit
from tests.rules.cases import Case, ids, verify
from tests.rules.specimens import CU124, CU128, INDEX, LINUX, PURE, package, plain, registry, wheel
from tests.support import corpus_locks, require_corpus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CU126 = "https://download.example/whl/cu126"
CU130 = "https://download.example/whl/cu130"
TEST_CU128 = "https://download.example/whl/test/cu128"
OLD = "cp312-cp312-manylinux1_x86_64"  # the tag of wheels with the old C++ ABI
ARM = "cp312-cp312-manylinux_2_28_aarch64"
KEYED = "1torch211cu130cuda131sm90a-cp312-cp312-linux_x86_64"  # with a build tag
ABI3 = "cp39-abi3-manylinux_2_28_x86_64"


def torch(version: str = "2.6.0+cu124", index: str = CU124, *, needs: tuple[str, ...] = (), tag: str = LINUX) -> str:
    """A torch for linux."""
    return package("torch", version, source=registry(index), wheels=[tag], needs=needs)


def beside(name: str, version: str, index: str = INDEX, *, needs: tuple[str, ...] = (), tag: str = LINUX) -> str:
    """A package beside it, with one wheel."""
    return package(name, version, source=registry(index), wheels=[tag], needs=needs)


def flash(version: str = "2.8.3+cu12torch2.6cxx11abiTRUE", tag: str = LINUX, name: str = "flash-attn") -> str:
    """A wheel that is compiled against torch, from a URL as such wheels are."""
    file = wheel(name, version, tag)
    url = file.split('"')[1]
    return package(name, version.lower(), source=f'url = "{url}"', wheels=[file], needs=["torch"])


class Same(TypedDict):
    """The two locks of a case."""

    dev: str
    prod: str


def both(*packages: str) -> Same:
    """The same on both sides."""
    return {"dev": plain(*packages), "prod": plain(*packages)}


RUNTIME = beside("nvidia-cuda-runtime-cu12", "12.4.127", tag=PURE)
TRITON = beside("triton", "3.2.0")
CUDA_11 = (beside("nvidia-cublas-cu11", "11.11.3.6", tag=PURE), beside("nvidia-nccl-cu11", "2.21.5", tag=PURE))
CUDA_12 = beside("nvidia-nccl-cu12", "2.21.5", tag=PURE)

CASES = (
    Case(
        rule="LA204",
        name="torchvision of another CUDA",
        **both(torch("2.4.1+cu124"), beside("torchvision", "0.19.1+cu121", "https://download.example/whl/cu121")),
        found=('error[LA204] torchvision prod/uv.lock: version = "0.19.1+cu121"',),
    ),
    Case(
        rule="LA204",
        name="only in dev",
        dev=plain(torch(), beside("torchvision", "0.21.0+cu126", CU126)),
        prod=plain(torch()),
        found=('error[LA204] torchvision uv.lock: version = "0.21.0+cu126"',),
    ),
    Case(
        rule="LA204",
        name="torchvision of another torch",
        **both(torch(), beside("torchvision", "0.20.1+cu124", CU124)),
        found=('error[LA204] torchvision prod/uv.lock: version = "0.20.1+cu124"',),
    ),
    Case(
        rule="LA204",
        name="torchaudio of another torch",
        **both(torch(), beside("torchaudio", "2.7.0+cu124", CU124)),
        found=('error[LA204] torchaudio prod/uv.lock: version = "2.7.0+cu124"',),
    ),
    Case(
        rule="LA204",
        name="a plain torchvision beside another minor of CUDA",
        **both(torch("2.9.1+cu126", CU126), beside("torchvision", "0.24.1")),
        found=('warning[LA204] torchvision prod/uv.lock: version = "0.24.1"',),
    ),
    Case(
        rule="LA204",
        name="a plain torchvision beside another major of CUDA",
        **both(torch("2.11.0+cu128", CU128), beside("torchvision", "0.26.0")),
        found=('error[LA204] torchvision prod/uv.lock: version = "0.26.0"',),
    ),
    Case(
        rule="LA204",
        name="a plain torchvision beside a torch without CUDA",
        **both(torch("2.6.0+cpu", "https://download.example/whl/cpu"), beside("torchvision", "0.21.0")),
        found=('error[LA204] torchvision prod/uv.lock: version = "0.21.0"',),
    ),
    Case(
        rule="LA204",
        name="triton that torch did not ask for in this version",
        **both(torch(needs=("triton",)), beside("triton", "3.1.0")),
        found=('error[LA204] triton prod/uv.lock: version = "3.1.0"',),
    ),
    Case(
        rule="LA204",
        name="the runtime of another CUDA than torch",
        **both(torch(needs=("nvidia-cuda-runtime-cu12",)), beside("nvidia-cuda-runtime-cu12", "12.6.77", tag=PURE)),
        found=('warning[LA204] nvidia-cuda-runtime-cu12 prod/uv.lock: version = "12.6.77"',),
    ),
    Case(
        rule="LA204",
        name="the toolkit of another CUDA than torch",
        **both(torch("2.11.0+cu128", CU128, needs=("cuda-toolkit",)), beside("cuda-toolkit", "13.0.2", tag=PURE)),
        found=('error[LA204] cuda-toolkit prod/uv.lock: version = "13.0.2"',),
    ),
    Case(
        rule="LA204",
        name="libraries of another CUDA beside torch's own",
        **both(torch(needs=("nvidia-nccl-cu12",)), *CUDA_11, CUDA_12),
        found=('error[LA204] nvidia-cublas-cu11 prod/uv.lock: version = "11.11.3.6"',),
    ),
    Case(
        rule="LA204",
        name="a library of another CUDA that something else needs",
        **both(torch("2.11.0+cu130", CU130), beside("nvidia-cuda-runtime-cu12", "12.9.79", tag=PURE)),
        found=('warning[LA204] nvidia-cuda-runtime-cu12 prod/uv.lock: version = "12.9.79"',),
    ),
    Case(
        rule="LA204",
        name="all of one index",
        **both(
            torch(needs=("triton", "nvidia-cuda-runtime-cu12")),
            beside("torchvision", "0.21.0+cu124", CU124),
            beside("torchaudio", "2.6.0+cu124", CU124),
            TRITON,
            RUNTIME,
        ),
    ),
    Case(
        rule="LA204",
        name="all plain",
        **both(
            torch("2.6.0", INDEX, needs=("triton", "nvidia-cuda-runtime-cu12")),
            beside("torchvision", "0.21.0"),
            beside("torchaudio", "2.6.0"),
            TRITON,
            RUNTIME,
        ),
    ),
    Case(
        rule="LA204",
        name="torchaudio with a stable ABI",
        **both(
            torch("2.13.0", INDEX, needs=("cuda-toolkit",)),
            beside("torchaudio", "2.11.0"),
            beside("cuda-toolkit", "13.0.3", tag=PURE),
        ),
    ),
    Case(
        rule="LA204",
        name="torchvision that fits two releases",
        **both(
            torch("2.15.0", INDEX, needs=("cuda-toolkit",)),
            beside("torchvision", "0.29.2"),
            beside("cuda-toolkit", "13.2.2", tag=PURE),
        ),
    ),
    Case(
        rule="LA204",
        name="releases that nobody knows yet",
        **both(torch("2.31.0+cu150", "https://download.example/whl/cu150"), beside("torchvision", "0.45.0"), TRITON),
    ),
    Case(
        rule="LA204",
        name="an index without local versions for this machine",
        dev=plain(torch("2.7.1", CU128, tag=ARM), beside("torchvision", "0.22.1", CU128, tag=ARM)),
        prod=plain(torch("2.7.1", CU128, tag=ARM), beside("torchvision", "0.22.1", CU128, tag=ARM)),
        targets=("linux-aarch64-cp312",),
    ),
    Case(
        rule="LA204",
        name="triton that something else needs",
        **both(torch(), beside("triton", "3.1.0"), package("liger-kernel", needs=["triton"])),
    ),
    Case(
        rule="LA204",
        name="other packages with such a suffix",
        **both(
            torch(),
            package("cupy-cuda11x", "13.3.0"),
            package("nvidia-cutlass-dsl-libs-cu13", "4.5.0"),
            package("nvidia-ml-py", "13.595.45"),
        ),
    ),
    Case(rule="LA204", name="no torch", **both(beside("torchvision", "0.19.1+cu121"), *CUDA_11)),
    Case(
        rule="LA205",
        name="another torch",
        **both(torch("2.11.0+cu130", CU130), flash("2.8.1+cu13torch2.10")),
        found=('error[LA205] flash-attn prod/uv.lock: version = "2.8.1+cu13torch2.10"',),
    ),
    Case(
        rule="LA205",
        name="another major of CUDA",
        **both(torch("2.11.0+cu130", CU130), flash("2.8.3+cu128torch2.11")),
        found=('error[LA205] flash-attn prod/uv.lock: version = "2.8.3+cu128torch2.11"',),
    ),
    Case(
        rule="LA205",
        name="another minor of CUDA",
        **both(torch("2.9.1+cu126", CU126), flash("2.8.3+cu128torch2.9")),
        found=('warning[LA205] flash-attn prod/uv.lock: version = "2.8.3+cu128torch2.9"',),
    ),
    Case(
        rule="LA205",
        name="the key in the build tag",
        **both(
            torch("2.10.0+cu128", CU128),
            flash("1.0.0", KEYED, "flash-mla"),
        ),
        found=(f"error[LA205] flash-mla prod/uv.lock: flash_mla-1.0.0-{KEYED}.whl",),
    ),
    Case(
        rule="LA205",
        name="another Python in its name",
        **both(torch(), flash("0.7.5+py310_cu124_pyt260", PURE, "pytorch3d")),
        found=('error[LA205] pytorch3d prod/uv.lock: version = "0.7.5+py310_cu124_pyt260"',),
    ),
    Case(
        rule="LA205",
        name="CUDA beside a torch without it",
        **both(torch("2.6.0+cpu", "https://download.example/whl/cpu"), flash("2.1.2+pt26cu124", name="torch-scatter")),
        found=('error[LA205] torch-scatter prod/uv.lock: version = "2.1.2+pt26cu124"',),
    ),
    Case(
        rule="LA205",
        name="no CUDA beside a torch with it",
        **both(torch(), flash("2.1.2+pt26cpu", name="torch-scatter")),
        found=('warning[LA205] torch-scatter prod/uv.lock: version = "2.1.2+pt26cpu"',),
    ),
    Case(
        rule="LA205",
        name="an index of another CUDA",
        **both(torch("2.11.0+cu130", CU130), beside("flash-attn-3", "3.0.0", TEST_CU128, needs=("torch",), tag=ABI3)),
        found=("error[LA205] flash-attn-3 prod/uv.lock: flash_attn_3-3.0.0-cp39-abi3-manylinux_2_28_x86_64.whl",),
    ),
    Case(
        rule="LA205",
        name="another torch in dev alone",
        dev=plain(torch(), flash("2.8.3+cu12torch2.5cxx11abiTRUE")),
        prod=plain(torch()),
        found=('error[LA205] flash-attn uv.lock: version = "2.8.3+cu12torch2.5cxx11abitrue"',),
    ),
    *(
        Case(rule="LA205", name=f"good: {version}", **both(torch(pin, index), flash(version)))
        for version, pin, index in (
            ("2.8.3+cu128torch2.10", "2.10.0+cu128", CU128),
            ("2.8.3+cu128torch2.11", "2.11.0+cu128", CU128),
            ("2.8.3+cu.13.0.torch.2.11", "2.11.0+cu130", CU130),
            ("2.8.4+20260610.cu130torch2110cxx11abitrue.fb02fc.sm80sm90", "2.11.0+cu130", CU130),
            ("2.5.0+891d57b", "2.11.0+cu128", CU128),
            ("0.26.0+cu129", "2.11.0+cu128", CU128),
        )
    ),
    Case(
        rule="LA205",
        name="an index of the same CUDA",
        **both(torch("2.11.0+cu128", CU128), beside("flash-attn-3", "3.0.0", TEST_CU128, needs=("torch",), tag=ABI3)),
    ),
    Case(
        rule="LA205",
        name="CUDA in the name of what does not use torch",
        **both(torch(), beside("jaxlib", "0.4.20+cu118", needs=())),
    ),
    Case(
        rule="LA206",
        name="two builds of torch",
        dev=plain(torch(tag=OLD)),
        prod=plain(torch("2.6.0+cu126", CU126, tag=LINUX)),
        found=(
            'error[LA201] torch prod/uv.lock: version = "2.6.0+cu126"',
            'error[LA206] torch prod/uv.lock: version = "2.6.0+cu126"',
        ),
    ),
    Case(
        rule="LA206",
        name="a wheel of the other ABI",
        **both(torch(tag=OLD), flash("2.7.4+cu12torch2.6cxx11abiTRUE")),
        found=('error[LA206] flash-attn prod/uv.lock: version = "2.7.4+cu12torch2.6cxx11abitrue"',),
    ),
    Case(
        rule="LA206",
        name="a wheel whose name is known to be wrong",
        **both(torch(tag=OLD), flash("2.8.2+cu12torch2.6cxx11abiFALSE")),
        found=('error[LA206] flash-attn prod/uv.lock: version = "2.8.2+cu12torch2.6cxx11abifalse"',),
    ),
    Case(
        rule="LA206",
        name="the same wrong name beside a torch that it fits",
        **both(torch("2.6.0+cu126", CU126), flash("2.8.2+cu12torch2.6cxx11abiFALSE")),
    ),
    Case(
        rule="LA206", name="the old ABI on both sides", **both(torch(tag=OLD), flash("2.7.4+cu12torch2.6cxx11abiFALSE"))
    ),
    Case(
        rule="LA206",
        name="the new ABI on both sides",
        **both(torch("2.8.0+cu128", CU128), flash("2.8.3+cu12torch2.8cxx11abiTRUE")),
    ),
    Case(
        rule="LA206",
        name="another torch is told once",
        **both(torch(tag=OLD), flash("2.8.3+cu12torch2.7cxx11abiTRUE")),
        found=('error[LA205] flash-attn prod/uv.lock: version = "2.8.3+cu12torch2.7cxx11abitrue"',),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)


# Everything that these rules find in the real locks, on every target and with every extra and group.
PLAIN_BESIDE_CU126 = (
    "torchvision 0.24.1 does not fit torch 2.9.1+cu126 in prod: it is built for CUDA 12.8, as plain releases are,"
    " torch for CUDA 12.6"
)
REAL = {
    "drivendataorg__childrens-speech-recognition-runtime/runtime/uv.lock": {("warning", "LA204", PLAIN_BESIDE_CU126)},
}
TARGETS = [
    Target.parse(f"{machine}-cp3{minor}") for machine in ("linux-x86_64", "linux-aarch64") for minor in (10, 11, 12, 13)
]


def requests(known: tuple[str, ...], groups: tuple[str, ...]) -> Iterator[Request]:
    """Each extra and each group alone, none, and all together."""
    yield Request(default_groups=False)
    yield Request(extras=known, groups=groups, default_groups=False)
    yield from (Request(extras=(extra,), default_groups=False) for extra in known)
    yield from (Request(groups=(group,), default_groups=False) for group in groups)


@pytest.mark.corpus
@pytest.mark.parametrize("path", corpus_locks(), ids=lambda path: "/".join(path.parts[-3:]))
def test_a_real_lock_has_exactly_these(path: Path) -> None:
    corpus = require_corpus()
    real = read_lock(path, corpus)
    rules = (companions_differ, wheel_for_another_torch, abi_differs)
    found = set()
    for request in requests(known_extras(real), known_groups(real)):
        dev, prod = (Side(role=role, lock=real, project=None, request=request, folder=".") for role in ("dev", "prod"))
        context = PairContext(Pair(root=corpus, dev=dev, prod=prod), Config(), tuple(TARGETS))
        try:
            outcome = audit(context, rules=rules)
        except SelectionError:  # extras that conflict, chosen together
            continue
        found |= {(str(finding.severity), finding.code, finding.message) for finding in outcome.findings}
    assert found == REAL.get(path.relative_to(corpus).as_posix(), set())


@pytest.mark.corpus
def test_the_corpus_has_wheels_that_name_their_torch() -> None:
    """Silence about them is a verdict, not blindness."""
    corpus = require_corpus()
    real = read_lock(corpus / "PrimeIntellect-ai__prime-rl" / "uv.lock", corpus)
    versions = {
        str(package.version)
        for name in ("torch", "flash-attn", "prime-kernels", "vllm")
        for package in real.by_name[name]
    }
    assert versions == {"2.11.0+cu128", "2.8.3+cu128torch2.11", "0.1.0+cu128torch2.11.0", "0.26.0+cu129"}
