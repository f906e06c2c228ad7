"""What the images are made of, as the locks have it: CUDA, versions in the Dockerfile, bake file, build locks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.change.dockerfile import with_default_at
from auditor.dockerfile.pins import read_pins
from auditor.dockerfile.tags import newest_patch
from auditor.errors import LockauditError
from auditor.finding import Severity
from auditor.wheel.cuda import cuda_of, parse_version

if TYPE_CHECKING:
    from auditor.change.repair import Repair
    from auditor.dockerfile.pins import Pin
    from auditor.finding import Finding

_CUDA = "CUDA_VERSION"


def cuda_alike(repair: Repair, finding: Finding) -> None:
    """The CUDA of the images as prod's lock has it: the setting if there is one, else the Dockerfile's ARG."""
    context = repair.context
    pins = read_pins(context.config, context.dockerfile)
    for target in context.targets:
        signal = cuda_of(context.prod.select(target).packages, target)
        image = parse_version(pins.cuda.value)
        if signal is None or signal.cuda.minor is None or image is None:
            continue
        if (image.major, image.minor) == (signal.cuda.major, signal.cuda.minor):
            continue
        found = newest_patch(str(signal.cuda), pins.ubuntu.value)
        if found is None or (pins.variant.value == "cudnn" and not found[1]):
            continue
        what = f"CUDA {pins.cuda.value} of the images is another major than the lock's {signal.cuda}"
        if image.major != signal.cuda.major and not repair.may(finding, what):
            return
        _set_cuda(repair, pins.cuda, found[0])
        return


def _set_cuda(repair: Repair, pin: Pin, version: str) -> None:
    """Write the version where the old one stands: in a setting of lockaudit, or in the Dockerfile."""
    context = repair.context
    where = pin.position
    if where is None:
        return
    if context.dockerfile is not None and where.path == context.dockerfile.file.name:
        _set_argument(repair, where.line, _CUDA, version)
        return
    lines = (repair.tree.text(where.path) or "").split("\n")
    old = lines[where.line - 1]
    lines[where.line - 1] = re.sub(rf"""(cuda\s*=\s*["']){re.escape(pin.value)}(?=["'])""", rf"\g<1>{version}", old)
    if lines[where.line - 1] != old:
        repair.tree.replace(where.path, "\n".join(lines))
        repair.edited(f"{where.path}: cuda {version} in place of {pin.value}, as prod's torch has it", project=False)


def version_as_locked(repair: Repair, finding: Finding) -> None:
    """The default of an ARG that names another version of a package than the locks."""
    context = repair.context
    name = finding.package or ""
    versions = {
        str(package.version)
        for side in (context.dev, context.prod)
        for package in side.lock.by_name.get(name, ())
        if package.version is not None
    }
    if finding.severity is not Severity.ERROR or len(versions) != 1 or context.dockerfile is None:
        return
    spelled = name.replace("-", "_").upper()
    for argument in (f"{spelled}_VERSION", f"{spelled}_VER"):
        if _set_argument(repair, finding.position.line, argument, versions.pop() if versions else ""):
            return


def _set_argument(repair: Repair, line: int, name: str, value: str) -> bool:
    dockerfile = repair.context.dockerfile
    if dockerfile is None or not value:
        return False
    path = dockerfile.file.name
    old = repair.tree.text(path) or ""
    new = with_default_at(old, line, name, value)
    if new is None or new == old:
        return False
    repair.tree.replace(path, new)
    repair.edited(f"{path}: ARG {name}={value}, as the locks have it", project=False)
    return True


def baked(repair: Repair, finding: Finding) -> None:
    """The bake file and the build locks as `lockaudit bake` writes them, once dev and prod agree."""
    del finding
    disk, generated = repair.context.bake, repair.context.generated
    differs = any(each.severity is Severity.ERROR and each.code.startswith(("LA1", "LA2")) for each in repair.findings)
    if disk is None or isinstance(generated, LockauditError) or differs:
        return
    for file in generated:
        if not file.changed or (file is generated[-1] and disk.committed is not None and not disk.is_ours):
            continue
        repair.tree.replace(file.path, file.new)
        verb = "removed" if file.new is None else "as `lockaudit bake` writes it"
        repair.edited(f"{file.path}: {verb}", project=False)
