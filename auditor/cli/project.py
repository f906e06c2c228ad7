"""From a workspace to everything that `bake` and `key` work out: keys, build locks and the files to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.bake.generate import keys_of
from auditor.errors import InputError, RefusedError
from auditor.finding import Severity
from auditor.rules import RULES
from auditor.rules.context import covers
from auditor.rules.run import audit
from auditor.wheel.compiled import compiled_packages

if TYPE_CHECKING:
    from auditor.dockerfile.model import Dockerfile
    from auditor.finding import Finding
    from auditor.lock.environment import Target
    from auditor.rules.context import PairContext

# What decides whether both images need one wheel. The health of a lock (LA3xx), the Dockerfile (LA4xx) and what is on
# disk (LA5xx) do not; nor do uv's own build settings (LA207), and a list of architectures (LA209) is in the key.
_ASKED: Final = tuple(
    rule for rule in RULES if rule.code.startswith(("LA1", "LA2")) and rule.code not in {"LA207", "LA209"}
)


def refuse_unsafe(context: PairContext, target: Target) -> None:
    """Raise if dev and prod cannot share one wheel, or a lock says nothing about what they run.

    Raises:
        RefusedError: with the findings: torch or a compiled package differs, or a lock does not cover the target.
    """
    outcome = audit(context, rules=_ASKED)
    where = f"{context.name}: " if context.is_variant else ""
    void = [reason for side in (context.dev, context.prod) if (reason := covers(side, target))]
    if void:  # a lock that does not cover the target selects nothing: that is no proof that nothing is compiled
        raise RefusedError(
            f"{where}nothing is known of {target}, which the images run: {'; '.join(dict.fromkeys(void))}",
            [finding for finding in outcome.findings if finding.code == "LA109"],
            hint="nothing was written; lock for this target, or correct `targets` of [tool.lockaudit]",
        )
    compiled: set[str] = set()
    for side in (context.dev, context.prod):
        selection = side.select(target)
        found = compiled_packages(selection, also=context.config.compiled, never=context.config.not_compiled)
        compiled |= {package.name for package in found}
    if not compiled:
        return
    decisive = {"torch", *compiled}
    unsafe = [finding for finding in outcome.findings if _is_unsafe(finding, decisive)]
    differing = _differing_components(context, target) if not unsafe else []
    if unsafe or differing:
        count = f"{len(unsafe)} finding{'s' if len(unsafe) > 1 else ''}"
        raise RefusedError(
            f"{where}dev and prod cannot share one wheel of {', '.join(sorted(compiled))}: "
            + ("; ".join(differing) if differing else count),
            unsafe,
            hint="nothing was written; mend what differs, then run `lockaudit bake` again",
        )


def _differing_components(context: PairContext, target: Target) -> list[str]:
    """Components in which the two sides' keys differ: what no finding about torch or the package itself shows.

    CMake is left out: it comes from the build tools' group, which only dev's lock has.
    """
    values: dict[str, dict[tuple[str, str], str]] = {}
    for side in (context.dev, context.prod):
        keys = keys_of(side, target, context.config, context.dockerfile)
        values[side.role] = {(key.name, c.name): c.value for key in keys for c in key.components if c.name != "cmake"}
    dev, prod = values["dev"], values["prod"]
    shared = {package for package, _ in dev.keys() & prod.keys()}
    return [
        f"{name} of {package} is {dev.get((package, name))} in dev, {prod.get((package, name))} in prod"
        for package, name in sorted(dev.keys() | prod.keys())
        if package in shared and dev.get((package, name)) != prod.get((package, name))
    ]


def _is_unsafe(finding: Finding, decisive: set[str]) -> bool:
    """Whether a finding means that the two images would need two wheels, or that nothing is known of one of them."""
    if finding.severity is not Severity.ERROR:
        return False
    return finding.package in decisive or finding.code in {"LA109", "LA110"}


def primary(context: PairContext) -> Target:
    """The target that the images are built for: the first one."""
    return context.targets[0]


def require_dockerfile(context: PairContext) -> Dockerfile:
    """The Dockerfile, which a bake file needs.

    Raises:
        InputError: there is none.
    """
    if context.dockerfile is None:
        raise InputError(
            "no Dockerfile here to bake",
            path=context.config.image.dockerfile,
            hint="name it in [tool.lockaudit.image] dockerfile, or take docker/Dockerfile-uv of lockaudit's repository",
        )
    return context.dockerfile
