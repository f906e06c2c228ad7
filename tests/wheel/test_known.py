"""What is known of the packages that compile against torch, held against the facts."""

from __future__ import annotations

import pytest

from auditor.wheel.cuda import Cuda, parse_version
from auditor.wheel.known import HOLLOWING, KNOWN, SPEED_KNOBS, architectures, build_environment, modules

CUDA = Cuda(12, 8)
# Facts on CUDA, 3.4 and table 3.8: package -> the environment that makes its wheel a whole one.
ENVIRONMENTS = {
    "flash-attn": {"FLASH_ATTENTION_FORCE_BUILD": "TRUE", "FLASH_ATTN_CUDA_ARCHS": "80;90;100;120"},
    "causal-conv1d": {"CAUSAL_CONV1D_FORCE_BUILD": "TRUE"},
    "mamba-ssm": {"MAMBA_FORCE_BUILD": "TRUE", "MAMBA_KEEP_CUDA_BUILD": "TRUE"},
    "transformer-engine-torch": {
        "NVTE_FRAMEWORK": "pytorch",
        "NVTE_PYTORCH_FORCE_BUILD": "TRUE",
        "NVTE_CUDA_ARCHS": "80;90;100;120",
    },
    "apex": {"APEX_CPP_EXT": "1", "APEX_CUDA_EXT": "1", "TORCH_CUDA_ARCH_LIST": "8.0;9.0;10.0;12.0"},
    "grouped-gemm": {"GROUPED_GEMM_FORCE_BUILD": "TRUE", "TORCH_CUDA_ARCH_LIST": "8.0;9.0;10.0;12.0"},
    "nv-grouped-gemm": {"GROUPED_GEMM_FORCE_BUILD": "TRUE", "TORCH_CUDA_ARCH_LIST": "8.0;9.0;10.0;12.0"},
    "xformers": {
        "FORCE_CUDA": "1",
        "XFORMERS_BUILD_TYPE": "Release",
        "TORCH_CUDA_ARCH_LIST": "8.0;9.0;10.0;12.0",
    },
    "deepspeed": {"DS_BUILD_OPS": "1", "TORCH_CUDA_ARCH_LIST": "8.0;9.0;10.0;12.0"},
    "natten": {"NATTEN_CUDA_ARCH": "8.0;9.0;10.0;12.0"},
    "unheard-of": {},
}


@pytest.mark.parametrize(("package", "environment"), ENVIRONMENTS.items(), ids=ENVIRONMENTS)
def test_environment(package: str, environment: dict[str, str]) -> None:
    found = build_environment(package, CUDA, {})
    assert found == environment
    assert list(found) == sorted(found)


def test_every_known_package_is_in_the_table() -> None:
    assert set(KNOWN) | {"unheard-of"} == set(ENVIRONMENTS)


def test_settings_come_on_top() -> None:
    found = build_environment("flash-attn", CUDA, {"FLASH_ATTN_CUDA_ARCHS": "90", "A": "1"})
    assert found == {"A": "1", "FLASH_ATTENTION_FORCE_BUILD": "TRUE", "FLASH_ATTN_CUDA_ARCHS": "90"}


def test_nothing_that_is_known_is_a_speed_knob_or_hollows_a_wheel() -> None:
    names = {name for package in KNOWN for name in build_environment(package, CUDA, {})}
    assert names & (SPEED_KNOBS | HOLLOWING) == set()


# Facts, 3.3: sm_90 needs 11.8, sm_100 and sm_120 need 12.8, sm_110 needs 13.0.
ARCHITECTURES = {
    "11.7.1": "80",
    "11.8.0": "80;90",
    "12.1.1": "80;90",
    "12.4.1": "80;90",
    "12.6.3": "80;90",
    "12.8.1": "80;90;100;120",
    "12.9.1": "80;90;100;120",
    "13.0.1": "80;90;100;110;120",
    "13.2.0": "80;90;100;110;120",
    "unknown": "80;90",
}


@pytest.mark.parametrize(("version", "expected"), ARCHITECTURES.items())
def test_a_toolkit_compiles_what_it_knows(version: str, expected: str) -> None:
    assert architectures(parse_version(version)) == expected


MODULES = (
    ("flash-attn", (), ("flash_attn",)),
    ("transformer-engine-torch", (), ("transformer_engine",)),
    ("nv-grouped-gemm", (), ("grouped_gemm",)),
    ("some-kernels", (), ("some_kernels",)),
    ("flash-attn", ("flash_attn.layers",), ("flash_attn.layers",)),
)


@pytest.mark.parametrize(("package", "configured", "expected"), MODULES)
def test_what_production_must_import(package: str, configured: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert modules(package, configured) == expected
