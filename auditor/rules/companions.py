"""LA2xx, second part: what stands beside torch was made for that torch, its CUDA and its C++ ABI."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.finding import Finding, Severity
from auditor.lock.places import at_artifact, at_key
from auditor.rules.context import other_side
from auditor.rules.rule import target_rule
from auditor.wheel.cuda import Cuda, cuda_of, cxx11_abi, parse_build, parse_version
from auditor.wheel.local_tag import index_build, parse_local, wheel_local
from auditor.wheel.pairing import STABLE_TORCHAUDIO, default_cuda, fitting_torches, is_known_torch, is_misnamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auditor.lock.model import Artifact, Package
    from auditor.lock.selection import Selection
    from auditor.rules.context import TargetContext
    from auditor.rules.rule import Rule
    from auditor.wheel.local_tag import LocalTag

_SIBLINGS: Final = ("torchvision", "torchaudio")
# The libraries that torch's own wheels ask for by name. Others with such a suffix may stand beside any torch.
_LIBRARY: Final = re.compile(
    r"nvidia-(?:cublas|cuda-cupti|cuda-nvrtc|cuda-runtime|cudnn|cufft|cufile|curand|cusolver|cusparse|cusparselt|nccl"
    r"|nvjitlink|nvshmem|nvtx)-cu(?P<major>\d\d)"
)
_TOOLKIT: Final = re.compile(r"nvidia-cuda-runtime(?:-cu\d\d)?|cuda-toolkit")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Misfit:
    """One package that does not fit torch: why, how bad it is, what to do, and its file where the file says it."""

    package: Package
    torch: Package
    why: str
    help: str
    severity: Severity = Severity.ERROR
    wheel: Artifact | None = None


@target_rule("LA204", "companions-differ", Severity.ERROR)
def companions_differ(context: TargetContext) -> Iterator[Finding]:
    """A companion of torch was made for another torch, or for another CUDA.

    What:
        In one selection, torchvision, torchaudio or triton belongs to another release of torch, or torchvision,
        torchaudio, the nvidia libraries or cuda-toolkit belong to another CUDA than torch does. Where the CUDA of a
        build is not in its name but follows from where it comes from, another minor version is a warning; so is a
        library of another CUDA that something else than torch needs, and torch has no build of.
    Why:
        torchvision and torchaudio load libraries that are linked against one torch: the import fails, or operators
        such as `torchvision::nms` do not exist. Libraries of another CUDA major are not the ones that torch loads.
        The usual cause is torch from one index and a companion from another.

    Example:
        `torchvision 0.19.1+cu121` beside `torch 2.4.1+cu124`.
    Fix:
        Take torch and its companions from one index, `[tool.uv.sources]` for each of them, and run `uv lock`.
    """
    yield from _report(context, companions_differ, _companions)


@target_rule("LA205", "wheel-for-another-torch", Severity.ERROR)
def wheel_for_another_torch(context: TargetContext) -> Iterator[Finding]:
    """A compiled wheel was built for another torch, CUDA or Python.

    What:
        The local version or the build tag of a locked wheel names the torch, the CUDA or the Python that it was built
        for, and the selection that installs it has another one. Another minor version of CUDA is a warning, and only
        for a wheel that names its torch as well.
    Why:
        Such a wheel installs without complaint, since nothing in its metadata says what it needs, and fails with an
        undefined symbol or a missing library when it is imported.

    Example:
        `flash-attn 2.8.1+cu13torch2.10` beside `torch 2.11.0+cu130`.
    Fix:
        Point `[tool.uv.sources]` at the wheel for the locked torch, or lock the sdist and let the image compile it.
    """
    yield from _report(context, wheel_for_another_torch, _other_torch)


@target_rule("LA206", "abi-differs", Severity.ERROR)
def abi_differs(context: TargetContext) -> Iterator[Finding]:
    """Two C++ ABIs meet.

    What:
        The torch of dev and the torch of prod were built with different C++ ABIs, or a locked wheel was built with
        another one than the torch that it is installed beside (`cxx11abiTRUE`, `cxx11abiFALSE` in its name).
    Why:
        Every function with a string in its signature has another name in the other ABI: importing the extension fails
        with an undefined symbol. torch 2.6.0 exists in both: the builds for CUDA 12.6 have the new one.

    Example:
        `torch 2.6.0+cu124` in dev, `torch 2.6.0+cu126` in prod.
    Fix:
        Lock one build of torch on both sides, and the wheel that was built with its ABI.
    """
    if context.target.platform != "linux":
        return
    dev, prod = _torch_of(context.dev), _torch_of(context.prod)
    if dev is not None and prod is not None:
        theirs, ours = cxx11_abi(dev, context.target), cxx11_abi(prod, context.target)
        if theirs is not None and ours is not None and theirs != ours:
            yield abi_differs.finding(
                f"{prod.label} in prod has the {_abi(ours)} C++ ABI, {dev.label} in dev the {_abi(theirs)} one",
                at_key(context.of.prod.lock, prod, "version"),
                package="torch",
                target=context.target,
                help="lock one build of torch on both sides",
                related=other_side(at_key(context.of.dev.lock, dev, "version"), f"{dev.label} in dev"),
            )
    yield from _report(context, abi_differs, _other_abi)


def _report(context: TargetContext, rule: Rule, check: Callable[[Selection], Iterator[_Misfit]]) -> Iterator[Finding]:
    """What a check finds in prod, and what it finds in dev and not in prod."""
    ours, theirs = list(check(context.prod)), list(check(context.dev))
    told = {_key(each) for each in ours}
    same = {_key(each): each for each in theirs}
    for side, misfits in (
        (context.of.prod, ours),
        (context.of.dev, [each for each in theirs if _key(each) not in told]),
    ):
        for each in misfits:
            if each.wheel is not None and (each.package.version is None or not each.package.version.local):
                position = at_artifact(side.lock, each.package, each.wheel)
            else:
                position = at_key(side.lock, each.package, "version")
            related = other_side(at_key(side.lock, each.torch, "version"), f"{each.torch.label} in {side.role}")
            twin = same.get(_key(each)) if side is context.of.prod else None
            if twin is not None and context.of.dev.lock.file.name != side.lock.file.name:
                related += other_side(at_key(context.of.dev.lock, twin.package, "version"), "the same in dev")
            yield rule.finding(
                f"{each.package.label} does not fit {each.torch.label} in {side.role}: {each.why}",
                position,
                package=each.package.name,
                target=context.target,
                severity=each.severity,
                help=each.help,
                related=related,
            )


def _key(misfit: _Misfit) -> tuple[str, str, str]:
    return (misfit.package.label, misfit.torch.label, misfit.why)


# -- LA204 --------------------------------------------------------------------------------------------------------


def _companions(selection: Selection) -> Iterator[_Misfit]:
    torch = _torch_of(selection)
    if torch is None or torch.version is None:
        return
    yield from _other_releases(selection, torch)
    signal = cuda_of(selection.packages, selection.target)
    if signal is None:
        return
    for name in _SIBLINGS:
        for package in selection.get(name):
            yield from _other_build(package, torch, signal.cuda, selection)
    yield from _other_libraries(selection, torch, signal.cuda)
    if signal.package is torch:  # else the CUDA was read from these libraries
        yield from _other_toolkit(selection, torch, signal.cuda)


def _other_releases(selection: Selection, torch: Package) -> Iterator[_Misfit]:
    """Companions of another release of torch, by the tables."""
    version = torch.version
    if version is None or not is_known_torch(version):
        return
    asked = _asked(selection, torch)
    for name in (*_SIBLINGS, "triton"):
        for package in selection.get(name):
            if name == "triton" and package.index not in asked:
                continue  # on this target it is somebody else's
            fitting = fitting_torches(name, package.version) if package.version is not None else ()
            if fitting and (version.major, version.minor) not in fitting:
                made = " and ".join(f"{major}.{minor}" for major, minor in fitting)
                yield _Misfit(
                    package=package,
                    torch=torch,
                    why=f"it goes with torch {made}",
                    help=f"lock the {name} that was released with torch {version.major}.{version.minor}",
                )


def _other_build(package: Package, torch: Package, cuda: Cuda, selection: Selection) -> Iterator[_Misfit]:
    """A companion of another CUDA: as its version says, or its index, or, for a plain release, the table."""
    local = package.version.local if package.version is not None else None
    named = parse_build(local) if local else None
    build = named or index_build(package.source.location) or _plain_build(package, selection)
    if build is None:
        return
    distance = _distance(build, cuda)
    if not distance:
        return
    exact = named is not None and torch.version is not None and torch.version.local is not None
    how = "" if named else ", as its index says" if index_build(package.source.location) else ", as plain releases are"
    yield _Misfit(
        package=package,
        torch=torch,
        why=f"it is built for {_shown(build)}{how}, torch for {_shown(cuda)}",
        help=f"take torch and {package.name} from one index: `[tool.uv.sources]` for both, then `uv lock`",
        severity=Severity.ERROR if exact or distance != "minor" else Severity.WARNING,
    )


def _plain_build(package: Package, selection: Selection) -> Cuda | None:
    """The CUDA of a companion without a local version: that of the torch that it was released with.

    Only where builds are as on PyPI: x86_64 and linux, a wheel of an index that is not one of PyTorch's own.
    """
    target, version = selection.target, package.version
    if (target.platform, target.machine) != ("linux", "x86_64") or version is None or version.local:
        return None
    if package.source.kind != "registry" or "://" not in package.source.location or not target.usable(package):
        return None
    if package.name == "torchaudio" and version.release[:2] >= STABLE_TORCHAUDIO:
        return None
    builds = {default_cuda(torch) for torch in fitting_torches(package.name, version)}
    return builds.pop() if len(builds) == 1 else None


def _other_libraries(selection: Selection, torch: Package, cuda: Cuda) -> Iterator[_Misfit]:
    """Libraries of torch of another CUDA major, told together at the first one.

    Two builds of one library write into one folder, and torch may load either. One that torch has no counterpart of
    is something else's: it is only told.
    """
    names = {package.name for package in selection.dependencies}
    asked = _asked(selection, torch)
    found: list[Package] = []
    shared = False
    for package in selection.dependencies:
        match = _LIBRARY.fullmatch(package.name)
        if match and cuda.major is not None and int(match["major"]) != cuda.major:
            found.append(package)
            own = f"{package.name.removesuffix(match['major'])}{cuda.major}"
            shared = shared or own in names or package.index in asked
    if found:
        others = [package.name for package in found[1:]]
        also = f", and so {'are' if len(others) > 1 else 'is'} {', '.join(others)}" if others else ""
        yield _Misfit(
            package=found[0],
            torch=torch,
            why=f"it is of CUDA {found[0].name[-2:]}{also}, torch is built for {_shown(cuda)}",
            help="find who asks for it (`uv tree --invert --package NAME`), and take its release for torch's CUDA",
            severity=Severity.ERROR if shared else Severity.WARNING,
        )


def _other_toolkit(selection: Selection, torch: Package, cuda: Cuda) -> Iterator[_Misfit]:
    """The CUDA runtime that torch itself asks for, of another version than torch's own name says."""
    asked = _asked(selection, torch)
    for package in selection.dependencies:
        if package.index not in asked or not _TOOLKIT.fullmatch(package.name):
            continue
        theirs = parse_version(str(package.version))
        if theirs is None or (_LIBRARY.fullmatch(package.name) and theirs.major != cuda.major):
            continue
        distance = _distance(theirs, cuda)
        if distance:
            yield _Misfit(
                package=package,
                torch=torch,
                why=f"it is of {_shown(theirs)}, torch is built for {_shown(cuda)}",
                help="remove the override that moved it: torch's own metadata names the version that it needs",
                severity=Severity.WARNING if distance == "minor" else Severity.ERROR,
            )


# -- LA205 and LA206 ----------------------------------------------------------------------------------------------


def _tagged(selection: Selection) -> Iterator[tuple[Package, Artifact, LocalTag]]:
    """The selected wheels of packages that are coupled to torch, with what their names say."""
    packages = selection.lock.packages
    for package in selection.dependencies:
        if package.name == "torch" or package.name in _SIBLINGS or _LIBRARY.fullmatch(package.name):
            continue
        wheel = selection.target.chosen(package)
        if wheel is None or not wheel.is_wheel:
            continue
        tag = parse_local(wheel_local(wheel.filename))
        needs_torch = any(packages[edge.target].name == "torch" for edge in selection.edges.get(package.index, ()))
        if tag.torch or needs_torch:
            yield package, wheel, tag


def _other_torch(selection: Selection) -> Iterator[_Misfit]:
    torch = _torch_of(selection)
    if torch is None or torch.version is None:
        return
    signal = cuda_of(selection.packages, selection.target)
    for package, wheel, tag in _tagged(selection):
        reasons: list[str] = []
        severity = Severity.WARNING
        if not tag.fits_torch(torch.version):
            reasons.append(f"it is built for torch {tag.torch_text}")
            severity = Severity.ERROR
        if tag.python is not None and tag.python != selection.target.minor:
            reasons.append(f"it is built for Python 3.{tag.python}")
            severity = Severity.ERROR
        build = tag.cuda or _index_build(package, wheel)
        if build is not None and signal is not None:
            distance = _distance(build, signal.cuda)
            if distance and (distance != "minor" or tag.torch):
                reasons.append(f"it is built for {_shown(build)}, torch for {_shown(signal.cuda)}")
                without = build.build == "cpu"  # loads, but has no kernels
                severity = severity if distance == "minor" or without else Severity.ERROR
        if reasons:
            yield _Misfit(
                package=package,
                torch=torch,
                wheel=wheel,
                why=" and ".join(reasons),
                help=f"take the wheel that is built for {torch.label}, or lock the sdist and let the image compile it",
                severity=severity,
            )


def _index_build(package: Package, wheel: Artifact) -> Cuda | None:
    """The CUDA that the index names, for a wheel with compiled code in it."""
    return None if wheel.filename.endswith("-any.whl") else index_build(package.source.location)


def _other_abi(selection: Selection) -> Iterator[_Misfit]:
    torch = _torch_of(selection)
    abi = cxx11_abi(torch, selection.target) if torch is not None else None
    if torch is None or torch.version is None or abi is None:
        return
    for package, wheel, tag in _tagged(selection):
        if tag.cxx11_abi is None or not tag.fits_torch(torch.version):
            continue  # LA205 says that it is for another torch
        misnamed = package.version is not None and is_misnamed(package.name, package.version, tag)
        built = 1 if misnamed else tag.cxx11_abi
        if built != abi:
            named = ", although its name says otherwise (Dao-AILab/flash-attention#1783)" if misnamed else ""
            yield _Misfit(
                package=package,
                torch=torch,
                wheel=wheel,
                why=f"it is built with the {_abi(built)} C++ ABI{named}, torch with the {_abi(abi)} one",
                help="let the image compile it from the sdist, or take a wheel that is built with torch's ABI",
            )


def _asked(selection: Selection, torch: Package) -> set[int]:
    """What torch itself depends on in this selection, by index."""
    return {edge.target for edge in selection.edges.get(torch.index, ())}


# -- shared -------------------------------------------------------------------------------------------------------


def _torch_of(selection: Selection) -> Package | None:
    return next(iter(selection.get("torch")), None)


def _distance(build: Cuda, torch: Cuda) -> str:
    """How far two builds are apart: `major`, `minor` or, where they agree or nobody knows, an empty string."""
    if build.major is None or torch.major is None:
        same = build.major == torch.major and build.build[:3] == torch.build[:3]
        return "" if same else "major"
    if build.major != torch.major:
        return "major"
    known = build.minor is not None and torch.minor is not None
    return "minor" if known and build.minor != torch.minor else ""


def _shown(cuda: Cuda) -> str:
    return cuda.build or f"CUDA {cuda}"


def _abi(abi: int) -> str:
    return "new" if abi else "old"
