"""What the packages that compile against torch need to be built right: dated facts, each overridable.

Read from the packages' own setup files (facts on CUDA, section 3.4 and table 3.8; 2026-11). A package that is not here
is compiled too, with an empty environment: what is known about one makes its build honest, not possible.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.wheel.cuda import Cuda

# Variables that change how fast a wheel is compiled and nothing in it. They stay out of keys and layers: bake passes
# the first two as secrets, whose values BuildKit does not hash.
SPEED_KNOBS: Final = frozenset(
    {
        "MAX_JOBS",
        "NVCC_THREADS",
        "CMAKE_BUILD_PARALLEL_LEVEL",
        "NVTE_BUILD_MAX_JOBS",
        "NVTE_BUILD_THREADS_PER_JOB",
        "NATTEN_N_WORKERS",
        "MAKEFLAGS",
        "NINJAFLAGS",
    }
)
# Variables that make a wheel without its extension.
HOLLOWING: Final = frozenset(
    {
        "FLASH_ATTENTION_SKIP_CUDA_BUILD",
        "CAUSAL_CONV1D_SKIP_CUDA_BUILD",
        "MAMBA_SKIP_CUDA_BUILD",
        "GROUPED_GEMM_SKIP_CUDA_BUILD",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a package.

    Attributes:
        env: environment of its compile.
        arch_variable: the variable that lists the GPU architectures it is compiled for, or an empty string.
        dotted: whether that variable wants `8.0;9.0` instead of `80;90`.
        modules: what the production image must import; by default the name with underscores.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    arch_variable: str = ""
    dotted: bool = False
    modules: tuple[str, ...] = ()


KNOWN: Final[Mapping[str, Known]] = MappingProxyType(
    {
        # Without FORCE_BUILD it downloads an unhashed wheel and compiles only if there is none.
        "flash-attn": Known(env={"FLASH_ATTENTION_FORCE_BUILD": "TRUE"}, arch_variable="FLASH_ATTN_CUDA_ARCHS"),
        "causal-conv1d": Known(env={"CAUSAL_CONV1D_FORCE_BUILD": "TRUE"}),  # its architectures are fixed in setup.py
        # Without KEEP_CUDA_BUILD the default has been a wheel without kernels.
        "mamba-ssm": Known(env={"MAMBA_FORCE_BUILD": "TRUE", "MAMBA_KEEP_CUDA_BUILD": "TRUE"}),
        "transformer-engine-torch": Known(
            env={"NVTE_FRAMEWORK": "pytorch", "NVTE_PYTORCH_FORCE_BUILD": "TRUE"},
            arch_variable="NVTE_CUDA_ARCHS",
            modules=("transformer_engine",),
        ),
        "apex": Known(
            env={"APEX_CPP_EXT": "1", "APEX_CUDA_EXT": "1"}, arch_variable="TORCH_CUDA_ARCH_LIST", dotted=True
        ),
        "grouped-gemm": Known(
            env={"GROUPED_GEMM_FORCE_BUILD": "TRUE"}, arch_variable="TORCH_CUDA_ARCH_LIST", dotted=True
        ),
        "nv-grouped-gemm": Known(
            env={"GROUPED_GEMM_FORCE_BUILD": "TRUE"},
            arch_variable="TORCH_CUDA_ARCH_LIST",
            dotted=True,
            modules=("grouped_gemm",),
        ),
        # There is no GPU while an image is built, so torch's own test would leave the CUDA part out.
        "xformers": Known(
            env={"FORCE_CUDA": "1", "XFORMERS_BUILD_TYPE": "Release"}, arch_variable="TORCH_CUDA_ARCH_LIST", dotted=True
        ),
        "deepspeed": Known(env={"DS_BUILD_OPS": "1"}, arch_variable="TORCH_CUDA_ARCH_LIST", dotted=True),
        "natten": Known(arch_variable="NATTEN_CUDA_ARCH", dotted=True),
    }
)

# The architectures that a toolkit's compiler knows (facts, 3.3), data centre first: the newest that it can.
_ARCHITECTURES: Final = (
    ((13, 0), "80;90;100;110;120"),
    ((12, 8), "80;90;100;120"),
    ((11, 8), "80;90"),
    ((11, 0), "80"),
)


def architectures(cuda: Cuda | None) -> str:
    """The default list of architectures for a toolkit, as `80;90`; every one it knows that flash-attn supports."""
    if cuda is None or cuda.major is None:
        return "80;90"
    version = (cuda.major, cuda.minor or 0)
    return next((archs for least, archs in _ARCHITECTURES if version >= least), "80")


def build_environment(package: str, cuda: Cuda | None, configured: Mapping[str, str]) -> dict[str, str]:
    """The environment of a package's compile, sorted: what is known, with the settings on top."""
    known = KNOWN.get(package, Known())
    env = dict(known.env)
    if known.arch_variable:
        archs = architectures(cuda)
        if known.dotted:
            archs = ";".join(f"{arch[:-1]}.{arch[-1]}" for arch in archs.split(";"))
        env[known.arch_variable] = archs
    return dict(sorted({**env, **configured}.items()))


def modules(package: str, configured: tuple[str, ...]) -> tuple[str, ...]:
    """What the production image must import to prove that the wheel fits."""
    return configured or KNOWN.get(package, Known()).modules or (package.replace("-", "_"),)
