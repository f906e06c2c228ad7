"""Pairs made by the real uv, from stand-in packages on a local index: what the corpus has little or nothing of."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.drift import toml
from bench.drift.pair import DEV_LOCK, DEV_PROJECT, PROD_LOCK, PROD_PROJECT, Pair
from tests.standins import Index, make_world, serve, uv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Table = dict[str, Any]

# What the pairs have instead of the addresses of this machine.
HOST: Final = "https://index.example"
FORGE: Final = "https://git.example/team"

_PLATFORMS: Final = ("manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "win_amd64", "macosx_11_0_arm64")
_LIBRARIES: Final = {
    "gateway": ["routing>=1.0", "schemas", "typing-extensions", "hf-xet; platform_machine == 'x86_64'"],
    "routing": ["anyio", "idna", "colorama; sys_platform == 'win32'"],
    "anyio": ["idna", "sniffio"],
    "schemas": ["annotated-types", "schemas-core"],
    "models": ["filelock", "hub>=1.0", "numpy", "pyyaml", "requests"],
    "hub": ["filelock", "fsspec", "pyyaml", "requests", "hf-xet; platform_machine == 'x86_64'"],
    "accelerate": ["hub", "numpy", "psutil", "pyyaml", "torch>=2.0"],
    "jinja2": ["markupsafe"],
    "tracing": ["protobuf", "typing-extensions"],
    "bench-tools": ["psutil", "jinja2"],
}
_EXTRAS: Final = {"gateway": {"cli": ["clickish"], "metrics": ["tracing"]}, "models": {"vision": ["pillow", "numpy"]}}
_LEAVES: Final = ("annotated-types", "clickish", "fsspec", "pillow", "protobuf", "psutil", "sniffio")
_NATIVE: Final = ("hf-xet", "markupsafe", "pyyaml", "schemas-core")
_FLASH_LOCAL: Final = "+cu12torch2.6cxx11abiTRUE"

_FLASH: Final[Table] = {"name": "flash-attn", "version": "2.8.3", "requires-dist": ["torch", "einops"]}
_BUILD: Final[Table] = {
    "extra-build-dependencies": {"flash-attn": [{"requirement": "torch", "match-runtime": True}]},
    "extra-build-variables": {"flash-attn": {"FLASH_ATTENTION_FORCE_BUILD": "TRUE"}},
    "dependency-metadata": [_FLASH],
}
_BOTH_CUDAS: Final[Table] = {
    name: [{"index": "cu124", "extra": "cu124"}, {"index": "cu128", "extra": "cu128"}]
    for name in ("torch", "torchvision")
}
_TORCH: Final = ["torch==2.6.0", "torchvision"]


@dataclass(frozen=True, kw_only=True)
class Project:
    """One pyproject.toml.

    Attributes:
        name: of the project.
        version: of the project.
        needs: its dependencies.
        extras: by name.
        groups: by name.
        sources: `[tool.uv.sources]`.
        settings: the rest of `[tool.uv]`.
        python: `requires-python`.
        has_project: False leaves `[project]` out.
    """

    name: str = "app"
    version: str = "0.1.0"
    needs: Sequence[str] = ()
    extras: Mapping[str, Sequence[str]] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sources: Table = field(default_factory=dict)
    settings: Table = field(default_factory=dict)
    python: str = ">=3.11,<3.13"
    has_project: bool = True

    def text(self, indexes: Sequence[Table]) -> str:
        """As TOML, one dependency a line."""
        text = ""
        if self.has_project:
            text += f'[project]\nname = "{self.name}"\nversion = "{self.version}"\nrequires-python = "{self.python}"\n'
            text += toml.lines("dependencies", list(self.needs)) + "\n"
        for header, lists in (("project.optional-dependencies", self.extras), ("dependency-groups", self.groups)):
            if lists:
                text += f"[{header}]\n" + "".join(toml.lines(key, list(items)) for key, items in lists.items()) + "\n"
        settings = {"index": list(indexes), **({"package": False} if self.has_project else {}), **self.settings}
        text += "[tool.uv]\n" + "".join(f"{key} = {toml.value(item)}\n" for key, item in settings.items() if item)
        text += f"package = {toml.value(settings['package'])}\n" if settings.get("package") is False else ""
        if self.sources:
            text += "\n[tool.uv.sources]\n"
            text += "".join(f"{toml.key(key)} = {toml.value(item)}\n" for key, item in self.sources.items())
        return text


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A pair to make.

    Attributes:
        name: what is special about it.
        dev: the development project.
        prod: the production project.
        config: `[tool.lockaudit]`.
        members: members of dev's workspace, by folder.
        files: further files.
    """

    name: str
    dev: Project
    prod: Project
    config: Table = field(default_factory=dict)
    members: Mapping[str, Project] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


_X86: Final = ["linux-x86_64-cp311", "linux-x86_64-cp312"]
_SERVICE: Final = ["gateway[cli]", "models", "einops", "jinja2"]
_DEV_GROUPS: Final = {"dev": ["pytest", "ruff"], "docs": ["bench-tools", "pluggy"]}
_CONFLICT: Final[Table] = {"conflicts": [[{"extra": "cu124"}, {"extra": "cu128"}]]}
_CUDA_EXTRAS: Final = {name: [*_TORCH, "flash-attn==2.8.3"] for name in ("cu124", "cu128")}
_LINUX: Final[Table] = {"environments": ["sys_platform == 'linux'"]}


def _cuda(name: str, settings: Table) -> Plan:
    """Dev has two CUDA extras that conflict; prod has the torch of one of them."""
    return Plan(
        name=f"uv: conflicting CUDA extras in dev, {name} in prod",
        dev=Project(
            needs=_SERVICE,
            extras={**_CUDA_EXTRAS, "viz": ["pillow"]},
            groups=_DEV_GROUPS,
            sources=_BOTH_CUDAS,
            settings={**_CONFLICT, **_BUILD, **settings},
        ),
        prod=Project(
            name="app-prod",
            needs=["gateway", "models", "einops", *_CUDA_EXTRAS[name]],
            sources={each: {"index": name} for each in ("torch", "torchvision")},
            settings={**_BUILD, **settings},
        ),
        config={"targets": _X86, "dev": {"extras": [name]}},
    )


def _plans(base: str, core: str) -> list[Plan]:
    git = {
        "core-lib": {"git": core, "tag": "v1.0"},
        "core-plugin": {"git": core, "tag": "v1.0", "subdirectory": "plugin"},
    }
    url = f"{base}/pypi/simple/gateway/gateway-1.0-py3-none-any.whl"
    wheel = "tracing-1.0-py3-none-any.whl"
    member = Project(name="core-lib", version="1.0", needs=["filelock", "jinja2"], settings={"package": True})
    return [
        _cuda("cu124", _LINUX),
        _cuda("cu128", {}),
        Plan(
            name="uv: conflicting CUDA extras in both",
            dev=Project(
                needs=_SERVICE,
                extras=_CUDA_EXTRAS,
                groups=_DEV_GROUPS,
                sources=_BOTH_CUDAS,
                settings={**_CONFLICT, **_BUILD},
            ),
            prod=Project(needs=["models"], extras=_CUDA_EXTRAS, sources=_BOTH_CUDAS, settings={**_CONFLICT, **_BUILD}),
            config={"targets": ["linux-x86_64-cp312"], "dev": {"extras": ["cu128"]}, "prod": {"extras": ["cu128"]}},
        ),
        Plan(
            name="uv: packages from git, one of them in a subdirectory",
            dev=Project(needs=["core-lib", "core-plugin", "hub"], groups=_DEV_GROUPS, sources=git),
            prod=Project(name="app-prod", needs=["core-lib", "core-plugin"], sources=git),
            config={"targets": ["linux-x86_64-cp311", "linux-aarch64-cp311"]},
        ),
        Plan(
            name="uv: a wheel by its URL",
            dev=Project(needs=["gateway[metrics]", "hub"], groups=_DEV_GROUPS, sources={"gateway": {"url": url}}),
            prod=Project(name="app-prod", needs=["gateway[metrics]"], sources={"gateway": {"url": url}}),
            config={"targets": ["linux-x86_64-cp312", "macos-arm64-cp312"]},
        ),
        Plan(
            name="uv: a wheel in a folder of prod",
            dev=Project(
                needs=["tracing", "models"],
                extras={"viz": ["pillow"]},
                sources={"tracing": {"path": f"prod/vendor/{wheel}"}},
            ),
            prod=Project(
                name="app-prod", needs=["tracing", "models"], sources={"tracing": {"path": f"vendor/{wheel}"}}
            ),
            config={"targets": ["linux-x86_64-cp311"]},
        ),
        Plan(
            name="uv: groups that count as production on both sides",
            dev=Project(needs=[], groups={"serve": ["gateway", "hub"], **_DEV_GROUPS}),
            prod=Project(name="app-prod", groups={"serve": ["gateway", "hub"], "extra-tools": ["einops"]}),
            config={"targets": _X86, "dev": {"groups": ["serve"]}, "prod": {"groups": ["serve"]}},
        ),
        Plan(
            name="uv: a workspace member in dev, its git tag in prod",
            dev=Project(
                needs=["core-lib", "models[vision]"],
                groups=_DEV_GROUPS,
                sources={"core-lib": {"workspace": True}},
                settings={"workspace": {"members": ["packages/*"]}},
            ),
            prod=Project(name="app-prod", needs=["core-lib", "models"], sources={"core-lib": git["core-lib"]}),
            members={"packages/core": member},
            config={"targets": ["linux-x86_64-cp312"], "first-party": ["core-lib"]},
        ),
        Plan(
            name="uv: a workspace without a root project",
            dev=Project(has_project=False, groups=_DEV_GROUPS, settings={"workspace": {"members": ["packages/*"]}}),
            prod=Project(name="app-prod", needs=["filelock", "jinja2", "gateway"]),
            members={
                "packages/core": member,
                "packages/api": Project(name="api", needs=["gateway", "einops"], extras={"viz": ["pillow"]}),
            },
            config={"targets": ["linux-x86_64-cp311"]},
        ),
        Plan(
            name="uv: constraints, overrides and an exclusion in both",
            dev=Project(needs=["accelerate", "gateway", "models"], groups=_DEV_GROUPS, settings=_LISTS),
            prod=Project(name="app-prod", needs=["accelerate", "gateway"], settings=_LISTS),
            config={"targets": ["linux-x86_64-cp312"]},
        ),
        Plan(
            name="uv: flash-attn as a wheel that names its torch",
            dev=Project(
                needs=["flash-attn", "hub", "torch==2.6.0"],
                groups=_DEV_GROUPS,
                sources={"flash-attn": {"index": "wheels"}, "torch": {"index": "cu124"}},
                settings={"environments": ["sys_platform == 'linux' and platform_machine == 'x86_64'"]},
            ),
            prod=Project(
                name="app-prod",
                needs=["flash-attn", "torch==2.6.0"],
                sources={"flash-attn": {"index": "wheels"}, "torch": {"index": "cu124"}},
                settings={"environments": ["sys_platform == 'linux' and platform_machine == 'x86_64'"]},
            ),
            config={"targets": _X86},
        ),
        Plan(
            name="uv: torch of the default index on two machines, no target named",
            dev=Project(
                needs=["accelerate", "numpy", "flash-attn==2.8.3", "torch==2.6.0"], groups=_DEV_GROUPS, settings=_BUILD
            ),
            prod=Project(name="app-prod", needs=["flash-attn==2.8.3", "numpy", "torch==2.6.0"], settings=_BUILD),
            files={".python-version": "3.12\n"},
        ),
        Plan(
            name="uv: two extras of prod, a fork of numpy by Python",
            dev=Project(needs=["models[vision]"], extras={"api": ["gateway"], "viz": ["tracing"]}, groups=_DEV_GROUPS),
            prod=Project(name="app-prod", needs=["numpy", "models"], extras={"api": ["gateway"], "batch": ["hub"]}),
            config={
                "targets": [*_X86, "linux-aarch64-cp312"],
                "dev": {"extras": ["api"]},
                "prod": {"extras": ["api", "batch"]},
            },
        ),
    ]


_LISTS: Final[Table] = {
    "constraint-dependencies": ["filelock<3.17"],
    "override-dependencies": ["idna==3.9"],
    "exclude-dependencies": ["hf-xet"],
    "build-constraint-dependencies": ["setuptools<81"],
}


@contextlib.contextmanager
def living_pairs(*only: str) -> Iterator[list[Pair]]:
    """The pairs with the addresses of a local index and repository that are there while the block runs.

    Args:
        *only: parts of the names of those to make; none for all.

    Raises: as `made_pairs`.
    """
    with tempfile.TemporaryDirectory(prefix="drift-uv-") as name:
        folder = Path(name)
        index = _index(folder / "index")
        core = folder / "core-lib"
        _commit(core)
        with serve(index.root) as base:
            plans = [
                plan for plan in _plans(base, core.as_uri()) if not only or any(each in plan.name for each in only)
            ]
            yield [
                _made(plan, folder / str(number), index, base, core, lives=True) for number, plan in enumerate(plans)
            ]


def made_pairs() -> list[Pair]:
    """Lock every pair with the real uv.

    Raises:
        UvMissingError: there is no uv.
        subprocess.CalledProcessError: uv or git failed.
    """
    with tempfile.TemporaryDirectory(prefix="drift-uv-") as name:
        folder = Path(name)
        index = _index(folder / "index")
        core = folder / "core-lib"
        _commit(core)
        with serve(index.root) as base:
            return [
                _made(plan, folder / str(number), index, base, core)
                for number, plan in enumerate(_plans(base, core.as_uri()))
            ]


def _made(plan: Plan, root: Path, index: Index, base: str, core: Path, *, lives: bool = False) -> Pair:
    indexes: list[Table] = [
        {"name": name, "url": f"{base}/{name}/simple", "explicit": True} for name in ("cu124", "cu128", "wheels")
    ]
    indexes.append({"name": "local", "url": f"{base}/pypi/simple", "default": True})
    vendor = root / "prod" / "vendor"
    vendor.mkdir(parents=True)
    wheel = next(index.folder("pypi", "tracing").glob("*.whl"))
    (vendor / wheel.name).write_bytes(wheel.read_bytes())
    texts = {DEV_PROJECT: plan.dev.text(indexes), PROD_PROJECT: plan.prod.text(indexes), **plan.files}
    texts |= {f"{folder}/pyproject.toml": member.text([]) for folder, member in plan.members.items()}
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    for place in (root, root / "prod"):
        uv("lock", cwd=place)
    texts |= {path: (root / path).read_text(encoding="utf-8") for path in (DEV_LOCK, PROD_LOCK)}
    files = (
        texts
        if lives
        else {
            path: text.replace(base, HOST).replace(core.as_uri(), f"{FORGE}/core-lib.git")
            for path, text in texts.items()
        }
    )
    files[DEV_PROJECT] += "\n" + _config(plan.config)
    archives = {f"prod/vendor/{wheel.name}": wheel.read_bytes()} if lives else {}
    return Pair(name=plan.name, origin="uv", files=files, archives=archives)


def _config(table: Table) -> str:
    plain = {key: item for key, item in table.items() if not isinstance(item, dict)}
    text = "[tool.lockaudit]\n" + "".join(f"{key} = {toml.value(item)}\n" for key, item in plain.items())
    for key in table.keys() - plain.keys():
        text += f"\n[tool.lockaudit.{key}]\n"
        text += "".join(f"{name} = {toml.value(item)}\n" for name, item in table[key].items())
    return text


def _index(folder: Path) -> Index:
    index = make_world(folder)
    for name in (*_LEAVES, *_NATIVE):
        tags = [f"cp311-abi3-{platform}" for platform in _PLATFORMS] if name in _NATIVE else ["py3-none-any"]
        for tag in tags:
            index.wheel("pypi", name, "1.0", tag=tag)
        if name in _NATIVE:
            index.sdist("pypi", name, "1.0")
    for name, needs in _LIBRARIES.items():
        index.wheel("pypi", name, "1.0", requires=needs, extras=_EXTRAS.get(name))
        index.sdist("pypi", name, "1.0", requires=needs, extras=_EXTRAS.get(name))
    index.wheel("pypi", "ruff", "0.9.4", tag="py3-none-manylinux_2_17_aarch64", requires_python=">=3.7")
    for python in ("cp311", "cp312"):
        tag = f"{python}-{python}-linux_x86_64"
        index.wheel("wheels", "flash-attn", f"2.8.3{_FLASH_LOCAL}", tag=tag, requires=["torch", "einops"])
        for where in ("pypi", "cu124", "cu128"):  # as there, builds for aarch64 have no local version
            for platform in ("manylinux_2_28_aarch64", "macosx_11_0_arm64"):
                tag = f"{python}-{python}-{platform}"
                index.wheel(where, "torchvision", "0.21.0", tag=tag, requires=["numpy", "torch==2.6.0"])
    return index


def _commit(repository: Path) -> None:
    """A repository with two packages, and the tag v1.0; its commit is the same on every machine."""
    for folder, name, needs in (("", "core-lib", ["filelock", "jinja2"]), ("plugin", "core-plugin", ["idna"])):
        path = repository / folder
        path.mkdir(parents=True, exist_ok=True)
        project = Project(name=name, version="1.0", needs=needs, python=">=3.11")
        (path / "pyproject.toml").write_text(project.text([]).partition("[tool.uv]")[0], encoding="utf-8")
    _git(repository, "init", "--quiet", "--initial-branch=main")
    _git(repository, "add", "--all")
    _git(repository, "commit", "--quiet", "--message", "The first release")
    _git(repository, "tag", "v1.0")


def _git(folder: Path, *arguments: str) -> None:
    author = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", "A Tester"), ("EMAIL", "tester@example.org"), ("DATE", "2026-01-01T00:00:00Z"))
    }
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **author}
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True)
