"""A pair whose images compile flash-attn, in which one thing at a time can be another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.config import Config, WheelConfig
from auditor.dockerfile.pins import Pin, Pins
from auditor.lock.environment import Target
from auditor.lock.pair import Side
from auditor.lock.read import parse_lock
from auditor.lock.selection import Request
from auditor.source import SourceFile
from auditor.wheel.key import build_keys
from tests.rules.specimens import CU124, PURE, TARGET, lock, package, registry, root, sdist, wheel, write_pair

if TYPE_CHECKING:
    from auditor.lock.selection import Selection
    from auditor.wheel.key import BuildKey


def select(text: str, target: str = TARGET, extras: tuple[str, ...] = ()) -> tuple[Side, Selection]:
    """A dev side with this lock, and what it installs on a target without its default groups."""
    side = Side(
        role="dev",
        lock=parse_lock(SourceFile(Path("uv.lock"), "uv.lock", text)),
        project=None,
        request=Request(extras=extras, default_groups=False),
        folder=".",
    )
    return side, side.select(Target.parse(target))


def make_pins(*, cuda: str = "12.4.1", variant: str = "cudnn", ubuntu: str = "22.04", uv: str = "0.13.9") -> Pins:
    """Pins of images."""
    return Pins(cuda=Pin(cuda), variant=Pin(variant), ubuntu=Pin(ubuntu), cmake=Pin("3.26.1"), uv=Pin(uv))


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """What decides the pair. The first half decides the wheel too, the second must not.

    Attributes:
        name: of the compiled package.
        flash_attn: its version.
        flash_attn_sha: hash of its sdist, or an empty string for one made of its name.
        torch: its version.
        torch_index: where it comes from.
        torch_sha: hash of its wheel, likewise.
        torch_tag: platform of its wheel.
        cuda: of the images; `variant` and `ubuntu` too.
        cmake: in the group of build tools.
        env: more variables of the compile.
        target: what the images run.
        filelock: a transitive dependency of torch.
        pytest: a tool of dev.
        ninja: a build tool.
        backwards: write the packages in the other order.
        prod_torch: version of prod's torch, where it is another.
    """

    name: str = "flash-attn"
    flash_attn: str = "2.8.3"
    flash_attn_sha: str = ""
    torch: str = "2.6.0+cu124"
    torch_index: str = CU124
    torch_sha: str = ""
    torch_tag: str = "manylinux_2_28"
    cuda: str = "12.4.1"
    variant: str = "cudnn"
    ubuntu: str = "22.04"
    cmake: str = "3.26.1"
    env: tuple[tuple[str, str], ...] = ()
    target: str = TARGET

    filelock: str = "3.16.1"
    pytest: str = "8.3.4"
    ninja: str = "1.11.1"
    backwards: bool = False
    prod_torch: str = ""

    def lock(self, *, prod: bool = False) -> str:
        """The text of one side's lock."""
        torch = (self.prod_torch if prod else "") or self.torch
        _, machine, python = self.target.split("-")
        tag = f"{python}-{python}-{self.torch_tag}_{machine}"
        source = sdist(self.name, self.flash_attn, hash=self.flash_attn_sha)
        needs = ["torch", "einops"]
        packages = [
            package("einops", "0.8.1"),
            package("filelock", self.filelock),
            package(self.name, self.flash_attn, needs=needs, wheels=(), sdist=source),
            package(
                "torch",
                torch,
                source=registry(self.torch_index),
                needs=["filelock"],
                wheels=[wheel("torch", torch, tag, hash=self.torch_sha)],
            ),
        ]
        groups = {}
        if not prod:
            groups = {"dev": ["pytest"], "wheel-build": ["cmake", "ninja"]}
            packages += [
                package("cmake", self.cmake, wheels=[PURE]),
                package("ninja", self.ninja, wheels=[PURE]),
                package("pytest", self.pytest),
            ]
        own = root("app-prod" if prod else "app", needs=["torch", self.name, "einops"], groups=groups)
        ordered = [own, *packages]
        return lock(*(reversed(ordered) if self.backwards else ordered), requires_python=">=3.11")

    def write(self, folder: Path, config: str = "") -> Path:
        """Write the pair.

        Args:
            folder: the root; what is there is written over.
            config: more of `[tool.lockaudit]`.
        """
        env = "".join(f'{name} = "{value}"\n' for name, value in self.env)
        table = f"\n[tool.lockaudit.wheel.{self.name}.env]\n{env}" if env else ""
        return write_pair(
            folder,
            dev=self.lock(),
            prod=self.lock(prod=True),
            config=config + table,
            targets=(self.target,),
            dockerfile=(
                f"ARG CUDA_VERSION={self.cuda}\nARG CUDA_VARIANT={self.variant}\nARG UBUNTU_VERSION={self.ubuntu}\n"
                "ARG UV_VERSION=0.13.9\nARG CMAKE_VERSION=3.26.1\nFROM scratch\n"
            ),
        )

    def keys(self) -> tuple[BuildKey, ...]:
        """Its build keys, worked out in memory."""
        config = Config(wheels={self.name: WheelConfig(env=dict(self.env))} if self.env else {})
        pins = make_pins(cuda=self.cuda, variant=self.variant, ubuntu=self.ubuntu)
        side, selection = select(self.lock(), self.target)
        return build_keys(side, selection, config, pins)

    def key(self) -> BuildKey:
        """Its one build key."""
        (key,) = self.keys()
        return key

    def but(self, **changes: object) -> Compiled:
        """The same with something else."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the tables of the tests name the fields


COMPILED = Compiled()
