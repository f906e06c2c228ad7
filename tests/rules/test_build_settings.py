"""LA207 and LA209: how what is not a wheel gets built."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import pytest

from auditor.wheel.cuda import Cuda
from auditor.wheel.nvcc import read_architectures, refusal
from tests.cli.command import lockaudit
from tests.rules.cases import Case, ids, verify
from tests.rules.specimens import CU124, LINUX, package, plain, registry, sdist
from tests.support import require_corpus

if TYPE_CHECKING:
    from pathlib import Path

TORCH = package("torch", "2.6.0+cu124", source=registry(CU124), wheels=[LINUX])
SHA = "0123456789abcdef0123456789abcdef01234567"
COMMIT = f'git = "https://git.example/tool?rev={SHA}#{SHA}"'
FIRST = "# The dependencies of production."


def flash(version: str = "2.8.3") -> str:
    """A package that is compiled against torch."""
    return package("flash-attn", version, wheels=(), sdist=sdist("flash-attn", version), needs=["torch"])


def built(name: str = "pyrouge") -> str:
    """A package that is built, but not against torch."""
    return package(name, wheels=(), sdist=sdist(name))


class Same(TypedDict):
    """The two locks of a case."""

    dev: str
    prod: str


def both(*packages: str) -> Same:
    """The same on both sides."""
    return {"dev": plain(*packages), "prod": plain(*packages)}


@dataclass(frozen=True, kw_only=True)
class Built(Case):
    """A pair whose projects have settings of uv.

    Attributes:
        dev_uv: what the root's pyproject.toml has beside.
        prod_uv: what prod's has.
        uv_toml: text of prod/uv.toml; an empty one writes none.
    """

    dev_uv: str = ""
    prod_uv: str = ""
    uv_toml: str = ""

    def write(self, folder: Path) -> Path:
        """Write it to a folder."""
        super().write(folder)
        for path, text in (("pyproject.toml", self.dev_uv), ("prod/pyproject.toml", self.prod_uv)):
            with (folder / path).open("a", encoding="utf-8") as file:
                file.write(f"\n{text}")
        if self.uv_toml:
            (folder / "prod" / "uv.toml").write_text(self.uv_toml, encoding="utf-8")
        return folder


FORCE = 'flash-attn = { FLASH_ATTENTION_FORCE_BUILD = "TRUE" }'
VARIABLES = f"[tool.uv.extra-build-variables]\n{FORCE}\n"
DEPENDENCIES = '[tool.uv.extra-build-dependencies]\nflash-attn = ["torch", "ninja >= 1.11"]\n'
METADATA = (
    '[[tool.uv.dependency-metadata]]\nname = "flash-attn"\nversion = "2.8.3"\nrequires-dist = ["torch", "einops"]\n'
)
IMAGE = "FROM nvidia/cuda:{cuda}-devel-ubuntu22.04\n{rest}"


def archs(value: str, name: str = "FLASH_ATTN_CUDA_ARCHS", of: str = "flash-attn") -> str:
    """A list of architectures, as a setting."""
    return f'wheel.{of}.env = {{ {name} = "{value}" }}\n'


def image(cuda: str, *lines: str) -> str:
    """A Dockerfile of one stage."""
    return IMAGE.format(cuda=cuda, rest="".join(f"{line}\n" for line in lines))


CASES = (
    Built(
        rule="LA207",
        name="variables of the build in dev alone",
        **both(TORCH, flash()),
        dev_uv=VARIABLES,
        found=(f"error[LA207] flash-attn prod/pyproject.toml: {FIRST}",),
    ),
    Built(
        rule="LA207",
        name="another value",
        **both(TORCH, flash()),
        dev_uv=VARIABLES,
        prod_uv=VARIABLES.replace("TRUE", "true"),
        found=("error[LA207] flash-attn prod/pyproject.toml: [tool.uv.extra-build-variables]",),
    ),
    Built(
        rule="LA207",
        name="dependencies of the build in prod alone",
        **both(TORCH, flash()),
        prod_uv=DEPENDENCIES,
        found=("error[LA207] flash-attn prod/pyproject.toml: [tool.uv.extra-build-dependencies]",),
    ),
    Built(
        rule="LA207",
        name="one dependency follows the runtime",
        **both(TORCH, flash()),
        dev_uv='[tool.uv.extra-build-dependencies]\nflash-attn = [{ requirement = "torch", match-runtime = true }]\n',
        prod_uv='[tool.uv.extra-build-dependencies]\nflash-attn = ["torch"]\n',
        found=("error[LA207] flash-attn prod/pyproject.toml: [tool.uv.extra-build-dependencies]",),
    ),
    Built(
        rule="LA207",
        name="isolated in prod alone",
        **both(TORCH, flash()),
        dev_uv='[tool.uv]\nno-build-isolation-package = ["flash_attn"]\n',
        prod_uv="[tool.uv]\npackage = false\n",
        found=("error[LA207] flash-attn prod/pyproject.toml: [tool.uv]",),
    ),
    Built(
        rule="LA207",
        name="a package that is not compiled against torch",
        **both(built()),
        prod_uv="[tool.uv]\nno-build-isolation = true\n",
        found=("warning[LA207] pyrouge prod/pyproject.toml: no-build-isolation = true",),
    ),
    Built(
        rule="LA207",
        name="a commit",
        **both(package("tool", "1.0", source=COMMIT)),
        dev_uv='[tool.uv]\nconfig-settings = { editable_mode = "compat" }\n',
        prod_uv='[tool.uv.config-settings-package]\ntool = { editable_mode = "strict" }\n',
        found=("warning[LA207] tool prod/pyproject.toml: [tool.uv.config-settings-package]",),
    ),
    Built(
        rule="LA207",
        name="prod builds what dev downloads",
        **both(package("tool", "1.0", sdist=sdist("tool"))),
        prod_uv='[tool.uv]\nno-binary-package = ["tool"]\n',
        found=('warning[LA207] tool prod/pyproject.toml: no-binary-package = ["tool"]',),
    ),
    Built(
        rule="LA207",
        name="metadata in dev alone",
        **both(TORCH, flash()),
        dev_uv=METADATA,
        select=("LA2",),
        found=(f"error[LA207] flash-attn prod/pyproject.toml: {FIRST}",),
    ),
    Built(rule="LA207", name="no settings", **both(TORCH, flash(), built())),
    Built(
        rule="LA207",
        name="the same settings",
        **both(TORCH, flash(), built()),
        dev_uv=VARIABLES + DEPENDENCIES + METADATA,
        prod_uv=VARIABLES + DEPENDENCIES + METADATA,
    ),
    Built(
        rule="LA207",
        name="the same in another spelling",
        **both(TORCH, flash()),
        dev_uv=f"[tool.uv]\nno-build-isolation = true\n\n{DEPENDENCIES}",
        prod_uv='[tool.uv]\nno-build-isolation-package = ["Flash_Attn"]\n\n[tool.uv.extra-build-dependencies]\n'
        'Flash_Attn = ["ninja>=1.11", "Torch"]\n',
    ),
    Built(
        rule="LA207",
        name="a uv.toml with the same settings",
        **both(TORCH, flash()),
        dev_uv=VARIABLES,
        uv_toml=VARIABLES.replace("tool.uv.", ""),
        select=("LA207",),
    ),
    Built(
        rule="LA207",
        name="a uv.toml hides the same settings",
        **both(TORCH, flash()),
        dev_uv=VARIABLES,
        prod_uv=VARIABLES,
        uv_toml="[extra-build-variables]\n",
        select=("LA207",),
        found=("error[LA207] flash-attn prod/uv.toml: [extra-build-variables]",),
    ),
    Built(
        rule="LA207",
        name="metadata of another version",
        **both(TORCH, flash()),
        dev_uv=METADATA,
        prod_uv=METADATA + METADATA.replace("2.8.3", "2.7.4").replace("einops", "numpy"),
    ),
    Built(
        rule="LA207",
        name="a wheel is not built",
        **both(package("tool")),
        prod_uv="[tool.uv]\nno-build-isolation = true\n",
    ),
    Built(
        rule="LA207",
        name="settings of another package",
        **both(built()),
        prod_uv=VARIABLES,
    ),
    Case(
        rule="LA209",
        name="an architecture that the compiler does not know",
        **both(TORCH, flash()),
        config=archs("80;120"),
        dockerfile=image("12.4.1"),
        found=("error[LA209] flash-attn pyproject.toml: " + archs("80;120").strip(),),
    ),
    Case(
        rule="LA209",
        name="one that it knows no more",
        **both(TORCH, flash()),
        config=archs("7.0;8.0", "TORCH_CUDA_ARCH_LIST", "apex") + 'image.cuda = "13.0.1"\n',
        select=("LA209",),
        found=("error[LA209] apex pyproject.toml: " + archs("7.0;8.0", "TORCH_CUDA_ARCH_LIST", "apex").strip(),),
    ),
    Case(
        rule="LA209",
        name="an argument of a stage",
        **both(TORCH, flash()),
        dockerfile=image("11.7.1", "ARG FLASH_ATTN_CUDA_ARCHS=80;90"),
        select=("LA209",),
        found=("error[LA209] flash-attn docker/Dockerfile-uv: ARG FLASH_ATTN_CUDA_ARCHS=80;90",),
    ),
    Case(
        rule="LA209",
        name="the environment of a stage",
        **both(TORCH),
        dockerfile=image("12.4.1", 'ENV A=1 TORCH_CUDA_ARCH_LIST="9.0 10.0+PTX"'),
        found=('error[LA209] - docker/Dockerfile-uv: ENV A=1 TORCH_CUDA_ARCH_LIST="9.0 10.0+PTX"',),
    ),
    Case(
        rule="LA209",
        name="a command",
        **both(TORCH),
        dockerfile=image("12.4.1", 'RUN export TORCH_CUDA_ARCH_LIST="9.0;12.0" && pip wheel .'),
        found=('error[LA209] - docker/Dockerfile-uv: RUN export TORCH_CUDA_ARCH_LIST="9.0;12.0" && pip wheel .',),
    ),
    Case(
        rule="LA209",
        name="a version that does not read the list",
        **both(TORCH, flash("2.6.1")),
        config=archs("80;90"),
        dockerfile=image("12.4.1"),
        found=("warning[LA209] flash-attn pyproject.toml: " + archs("80;90").strip(),),
    ),
    Case(
        rule="LA209",
        name="a list that it does not read",
        **both(TORCH, flash()),
        config=archs("8.0;9.0", "TORCH_CUDA_ARCH_LIST"),
        found=("warning[LA209] flash-attn pyproject.toml: " + archs("8.0;9.0", "TORCH_CUDA_ARCH_LIST").strip(),),
    ),
    Case(
        rule="LA209", name="a list that fits", **both(TORCH, flash()), config=archs("80;90"), dockerfile=image("12.4.1")
    ),
    Case(rule="LA209", name="no list", **both(TORCH, flash()), dockerfile=image("12.4.1")),
    Case(rule="LA209", name="nobody knows the CUDA", **both(TORCH, flash()), config=archs("80;120")),
    Case(
        rule="LA209",
        name="a list that only the build knows",
        **both(TORCH, flash()),
        dockerfile=image("12.4.1", "ARG ARCHS", "ARG FLASH_ATTN_CUDA_ARCHS=$ARCHS", "ENV TORCH_CUDA_ARCH_LIST=native"),
    ),
    Case(
        rule="LA209",
        name="the stage's own image decides",
        **both(TORCH),
        dockerfile=image("12.8.1", 'ENV TORCH_CUDA_ARCH_LIST="12.0"') + "FROM nvidia/cuda:12.4.1-base-ubuntu22.04\n",
        select=("LA209",),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("80;90", ("80", "90")),
        ("8.0 9.0+PTX", ("80", "90")),
        ("8.0,10.0a;12.0f", ("80", "100a", "120f")),
        ("Ampere;Hopper+PTX", ("80", "90")),
        ('"80;90a"', ("80", "90a")),
        ("native", None),
        ("80;all", None),
        ("${ARCHS}", None),
        ("", None),
    ],
)
def test_lists_of_architectures(text: str, read: tuple[str, ...] | None) -> None:
    assert read_architectures(text) == read


@pytest.mark.parametrize(
    ("architecture", "first"),
    [
        ("80", (11, 0)),
        ("86", (11, 1)),
        ("89", (11, 8)),
        ("90", (11, 8)),
        ("90a", (12, 0)),
        ("100", (12, 8)),
        ("100f", (12, 9)),
        ("103", (12, 9)),
        ("120", (12, 8)),
        ("121", (12, 9)),
        ("110", (13, 0)),
    ],
)
def test_the_first_toolkit(architecture: str, first: tuple[int, int]) -> None:
    toolkits = [(11, 0), (11, 1), (11, 7), (11, 8), (12, 0), (12, 4), (12, 6), (12, 8), (12, 9), (13, 0), (13, 2)]
    assert next(each for each in toolkits if not refusal(architecture, Cuda(*each))) == first


@pytest.mark.parametrize(("architecture", "last"), [("37", (11, 8)), ("52", (12, 9)), ("70", (12, 9)), ("75", (13, 2))])
def test_the_last_toolkit(architecture: str, last: tuple[int, int]) -> None:
    toolkits = [(11, 0), (11, 8), (12, 0), (12, 9), (13, 0), (13, 2)]
    assert [each for each in toolkits if not refusal(architecture, Cuda(*each))][-1] == last


def test_an_unknown_toolkit_refuses_nothing() -> None:
    assert refusal("120", Cuda(12)) == refusal("120", Cuda(None, build="cpu")) == ""


@pytest.mark.corpus
def test_a_real_pair_that_builds_flash_attn_alike(tmp_path: Path) -> None:
    """Two projects with the same settings: silent. Without them in one of the two: an error, and nothing else new."""
    source = require_corpus() / "TrandeLik__tabular_fms_nirvana"
    for path in ("pyproject.toml", "uv.lock", "docker/pyproject.toml", "docker/uv.lock"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes((source / path).read_bytes())
    arguments = ["--prod-lock", "docker/uv.lock", "--target", "linux-x86_64-cp312", "--output-format", "json"]
    groups = ["--prod-group", "dev", "--dev-group", "dev"]

    def found() -> list[tuple[str, str, str]]:
        document = json.loads(lockaudit("check", tmp_path, *arguments, *groups).out)
        return [
            (each["severity"], each["code"], each["package"])
            for each in document["findings"]
            if each["code"] == "LA207"
        ]

    assert found() == []
    prod = tmp_path / "docker" / "pyproject.toml"
    prod.write_text(
        prod.read_text("utf-8").replace("[tool.uv.extra-build-variables]", "[tool.other]"), encoding="utf-8"
    )
    assert found() == [("error", "LA207", "flash-attn")]
