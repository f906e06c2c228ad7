"""What names of wheels say: every scheme that was seen, what says nothing, and the parser against made-up names."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, strategies as st
from packaging.version import Version

from auditor.wheel.cuda import Cuda
from auditor.wheel.local_tag import LocalTag, index_build, parse_local, parse_wheel, wheel_local

NOTHING = LocalTag()
LINUX = "cp312-cp312-linux_x86_64.whl"

# What the name says as (torch, CUDA, C++ ABI, Python).
NAMES = {
    # The makers of flash-attn, causal-conv1d and mamba-ssm: CUDA's major only, its minor too up to 2.6.
    f"flash_attn-2.8.3+cu12torch2.8cxx11abiTRUE-{LINUX}": (((2, 8),), "12", 1, None),
    f"flash_attn-2.6.3+cu123torch2.4cxx11abiFALSE-{LINUX}": (((2, 4),), "12.3", 0, None),
    f"causal_conv1d-1.5.0.post8+cu12torch2.5cxx11abiFALSE-{LINUX}": (((2, 5),), "12", 0, None),
    f"flash_attn-2.3.6+cu118torch1.13cxx11abiFALSE-{LINUX}": (((1, 13),), "11.8", 0, None),
    # Prebuilt wheels of others.
    f"flash_attn-2.8.3+cu128torch2.11-{LINUX}": (((2, 11),), "12.8", None, None),
    f"flash_attn-2.8.1+cu13torch2.10-{LINUX}": (((2, 10),), "13", None, None),
    f"prime_kernels-0.1.0+cu128torch2.11.0-{LINUX}": (((2, 11),), "12.8", None, None),
    f"flash_attn-2.8.3%2Bcu128torch2.11-{LINUX}": (((2, 11),), "12.8", None, None),
    # An index with dots.
    f"flash_attn-2.8.3+cu.12.8.torch.2.11-{LINUX}": (((2, 11),), "12.8", None, None),
    f"flash_attn-2.8.3+cu.13.0.torch.2.11-{LINUX}": (((2, 11),), "13.0", None, None),
    # Nightly builds: a date, a commit and architectures around it.
    f"flash_attn-2.8.4+20260610.cu130torch2110cxx11abitrue.fb02fc.sm80sm89sm90sm100-{LINUX}": (
        ((2, 11),),
        "13.0",
        1,
        None,
    ),
    # The key in the build tag; torch's CUDA and the toolkit's.
    f"flash_mla-1.0.0+9241ae3-1torch211cu130cuda131sm90asm100f-{LINUX}": (((2, 11), (2, 1)), "13.0", None, None),
    f"flash_mla-1.0.0-1torch2.11cuda131-{LINUX}": (((2, 11),), "13.1", None, None),
    # Extensions of other projects.
    f"torch_scatter-2.1.2+pt25cu124-{LINUX}": (((2, 5),), "12.4", None, None),
    f"torch_scatter-2.1.2+pt25cpu-{LINUX}": (((2, 5),), "cpu", None, None),
    f"pytorch3d-0.7.8+5043d15pt2.6.0cu124-{LINUX}": (((2, 6),), "12.4", None, None),
    f"pytorch3d-0.7.5+py310_cu118_pyt201-{LINUX}": (((2, 0),), "11.8", None, 10),
    f"natten-0.17.5+torch260cu126-{LINUX}": (((2, 6),), "12.6", None, None),
    f"gsplat-1.5.3+pt24cu124-{LINUX}": (((2, 4),), "12.4", None, None),
    # CUDA alone, or another build.
    "vllm-0.26.0+cu129-cp38-abi3-manylinux_2_28_x86_64.whl": ((), "12.9", None, None),
    f"torchvision-0.26.0%2Bcu128-{LINUX}": ((), "12.8", None, None),
    f"torch-2.6.0+rocm6.2.4-{LINUX}": ((), "rocm6.2.4", None, None),
    f"torch-2.6.0+cpu-{LINUX}": ((), "cpu", None, None),
    f"torch-2.6.0+xpu-{LINUX}": ((), "xpu", None, None),
    # Digits that can mean two releases.
    f"x-1+torch210-{LINUX}": (((2, 10), (2, 1)), None, None, None),
    f"x-1+torch271cu1281-{LINUX}": (((2, 7),), "12.8", None, None),
    # A commit right after it.
    f"x-1+cu12.7d8e9f1-{LINUX}": ((), "12", None, None),
    f"x-1+torch2.8.7d8e9f1-{LINUX}": (((2, 8),), None, None, None),
    # Nothing: no local version, commits, dates, other words.
    "flash_attn_3-3.0.0-cp39-abi3-manylinux_2_34_aarch64.whl": ((), None, None, None),
    f"deep_gemm-2.5.0+891d57b-{LINUX}": ((), None, None, None),
    f"torchao-0.17.0+git02105d46c-{LINUX}": ((), None, None, None),
    f"torch-2.10.0-3-{LINUX}": ((), None, None, None),
    f"torch-2.5.0a0+872d972e41.nv24.08-{LINUX}": ((), None, None, None),
    f"x-1+local-{LINUX}": ((), None, None, None),
    f"x-1+opt2.6.script24.vacuum12-{LINUX}": ((), None, None, None),
    f"x-1+d20230628-{LINUX}": ((), None, None, None),
    "not a wheel": ((), None, None, None),
    "": ((), None, None, None),
}


def shown(cuda: Cuda | None) -> str | None:
    """A CUDA as the table writes it."""
    return None if cuda is None else str(cuda)


@pytest.mark.parametrize("name", NAMES)
def test_name(name: str) -> None:
    tag = parse_wheel(name)
    assert (tag.torch, shown(tag.cuda), tag.cxx11_abi, tag.python) == NAMES[name]


@pytest.mark.parametrize("name", [name for name in NAMES if "+" in name])
def test_normalised_and_other_case_say_the_same(name: str) -> None:
    local = wheel_local(name)
    normal = Version(f"1+{name.partition('+')[2].partition('-')[0]}").local or ""
    build = local.removeprefix(name.partition("+")[2].partition("-")[0])
    assert parse_local(normal + build) == parse_local(local.upper()) == parse_local(local)


@pytest.mark.parametrize(
    ("text", "version", "fits"),
    [
        ("torch2.8", "2.8.0+cu128", True),
        ("torch2.8", "2.8.1", True),
        ("torch2.8", "2.9.0", False),
        ("torch2.10", "2.1.0", False),
        ("torch210", "2.10.0", True),
        ("torch210", "2.1.2", True),
        ("torch210", "2.11.0", False),
        ("cu128", "2.9.0", True),
    ],
)
def test_torch_fits(text: str, version: str, *, fits: bool) -> None:
    assert parse_local(text).fits_torch(Version(version)) is fits


def test_torch_as_messages_write_it() -> None:
    assert parse_local("torch210").torch_text == "2.10 or 2.1"


@pytest.mark.parametrize(
    ("location", "build"),
    [
        ("https://download.example/whl/cu128", "12.8"),
        ("https://download.example/whl/test/cu128/", "12.8"),
        ("https://download.example/whl/nightly/cu130", "13.0"),
        ("https://download.example/whl/cpu", "cpu"),
        ("https://download.example/whl/rocm6.2", "rocm6.2"),
        ("https://download.example/whl", None),
        ("https://index.example/simple", None),
        ("https://index.example/cu128/simple", None),
    ],
)
def test_index(location: str, build: str | None) -> None:
    assert shown(index_build(location)) == build


RELEASES = st.tuples(st.sampled_from([1, 2, 3]), st.integers(0, 25), st.none() | st.integers(0, 9))
CUDAS = st.tuples(st.integers(10, 15), st.none() | st.integers(0, 9))
ENDINGS = st.sampled_from(["", "cxx11abiTRUE", "cxx11abiFALSE"])
COMMITS = st.just("") | st.text("0123456789abcdef", min_size=6, max_size=9)


def dotted(release: tuple[int, int, int | None], join: str = ".") -> str:
    """A release, `2.8` or `2.8.0`."""
    return join.join(str(part) for part in release if part is not None)


@given(RELEASES, CUDAS, ENDINGS, COMMITS, COMMITS)
def test_every_scheme_is_read_back(
    release: tuple[int, int, int | None], cuda: tuple[int, int | None], ending: str, before: str, after: str
) -> None:
    """A name that is made by a scheme says what went into it, whatever stands around."""
    major, minor = cuda
    glued = f"cu{major}{'' if minor is None else minor}"
    names = [
        f"{glued}torch{dotted(release)}{ending}",
        f"{before}pt{dotted(release)}{glued}{ending}",
        f"{before}.{glued}torch{dotted(release)}{ending}",
        f"{glued}_pyt{dotted(release)}{ending}",
    ]
    if minor is not None:
        names.append(f"cu.{major}.{minor}.torch.{dotted(release)}{ending}")
    for name in (*names, *(f"{name}.{after}" for name in names)):
        tag = parse_local(name)
        assert tag.torch == ((release[0], release[1]),), name
        assert tag.cuda == Cuda(major, minor), name
        assert tag.cxx11_abi == {"": None, "cxx11abiTRUE": 1, "cxx11abiFALSE": 0}[ending], name


@given(RELEASES, CUDAS)
def test_digits_that_run_together_contain_what_was_meant(
    release: tuple[int, int, int | None], cuda: tuple[int, int | None]
) -> None:
    major, minor = cuda
    tag = parse_local(f"torch{dotted(release, '')}cu{major}{'' if minor is None else minor}")
    assert (release[0], release[1]) in tag.torch
    assert tag.cuda == Cuda(major, minor)


@given(st.text("0123456789abcdef.", max_size=40))
def test_a_commit_or_a_date_says_nothing(text: str) -> None:
    assert parse_local(text) == NOTHING


@given(st.text(string.printable, max_size=60) | st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    assert isinstance(parse_wheel(text), LocalTag)
    assert isinstance(parse_local(text), LocalTag)
