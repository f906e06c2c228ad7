"""LA3xx, fourth part: prod stands on its own, as the image sees it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from auditor.finding import Finding, Severity
from auditor.lock.places import at_top
from auditor.lock.shape import table, tables
from auditor.lock.workspace import settings_of, workspace_of
from auditor.names import normalize
from auditor.rules.context import other_side
from auditor.rules.rule import pair_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.lock.pair import Side
    from auditor.position import Position
    from auditor.rules.context import PairContext

# Settings that decide what is locked or what is installed; the others (caches, concurrency) may be inherited in peace.
_DECISIVE: Final = frozenset(
    {
        "config-settings",
        "dependency-metadata",
        "exclude-newer",
        "exclude-newer-package",
        "extra-build-dependencies",
        "extra-build-variables",
        "extra-index-url",
        "find-links",
        "fork-strategy",
        "index",
        "index-strategy",
        "index-url",
        "minimum-libc-version",
        "no-binary",
        "no-binary-package",
        "no-build",
        "no-build-isolation",
        "no-build-isolation-package",
        "no-build-package",
        "no-index",
        "no-sources",
        "no-sources-package",
        "prerelease",
        "python-downloads",
        "python-preference",
        "resolution",
    }
)


@pair_rule("LA306", "dead-lock", Severity.ERROR)
def dead_lock(context: PairContext) -> Iterator[Finding]:
    """The prod lock is dead: prod is a member of the root's workspace.

    What:
        `tool.uv.workspace.members` of the root project names prod's folder, and `exclude` does not.
    Why:
        A workspace has one lock, the root's. `uv sync` in prod/ uses that one, and never reads prod/uv.lock, even if it
        is garbage. In the image, where prod/ stands alone, the dead lock comes to life.

    Example:
        `members = ["*"]` in the root's pyproject.toml.
    Fix:
        Add `exclude = ["prod"]` to `[tool.uv.workspace]`, and lock both projects.
    """
    workspace = workspace_of(context.dev)
    if workspace is None:
        return
    folder = posixpath.relpath(context.prod.folder, context.dev.folder)
    if folder in workspace.folders and (context.prod.project is None or context.prod.project.uv.get("managed", True)):
        file = workspace.root.file
        yield dead_lock.finding(
            f"uv ignores {context.prod.lock.file.name}: {context.prod.folder} is a member of the root's workspace",
            file.find("[tool.uv.workspace]") or file.find("workspace") or file.at(1),
            help=f'add `exclude = ["{folder}"]` to [tool.uv.workspace], and lock both projects',
            related=other_side(at_top(context.prod.lock, "version"), "the lock that is not read"),
        )


@pair_rule("LA307", "inherited-settings", Severity.WARNING)
def inherited_settings(context: PairContext) -> Iterator[Finding]:
    """Prod takes settings from a folder above it, which the image does not have.

    What:
        prod/ has neither a uv.toml nor a `[tool.uv]` of its own, so uv uses the nearest one above, and that one sets
        indexes, cut-off dates, static metadata or build options. Or a source of prod says `workspace = true`, without a
        workspace in prod.
    Why:
        The image is built from prod/ alone. There the settings are gone: another index, another build of the wheel, or
        a lock that `--locked` calls stale.

    Example:
        `[[tool.uv.index]]` in the root's pyproject.toml, and no `[tool.uv]` in prod/pyproject.toml.
    Fix:
        Copy the settings to prod/pyproject.toml. An empty `[tool.uv]` there is enough to inherit nothing.
    """
    prod = context.prod
    settings = settings_of(context.pair.root, prod.folder)
    if settings is not None and settings.folder != posixpath.normpath(prod.folder):
        keys = sorted(settings.values.keys() & _DECISIVE)
        if keys:
            place = settings.file.find(keys[0]) or settings.file.at(1)
            yield inherited_settings.finding(
                f"{prod.folder} has no uv settings of its own, and takes {', '.join(keys)} from {settings.file.name}",
                _at_project(prod),
                help=f"copy them to [tool.uv] of {prod.folder}/pyproject.toml; an empty [tool.uv] inherits nothing",
                related=other_side(place, "what is inherited"),
            )
    project = prod.project
    if project is None or "workspace" in project.uv:
        return
    for name, value in table(project.uv.get("sources")).items():
        sources = tables(value if isinstance(value, list) else [value])
        if normalize(name) != project.name and any(item.get("workspace") is True for item in sources):
            yield inherited_settings.finding(
                f"{normalize(name)} comes from a workspace that {prod.folder} does not have when it stands alone",
                project.file.find(name, _sources_line(prod)) or project.file.at(1),
                package=normalize(name),
                help=f"give {normalize(name)} a git tag, a release or a path below {prod.folder}",
            )


def _at_project(side: Side) -> Position:
    if side.project is None:
        return at_top(side.lock, "version")
    return side.project.file.find("[project]") or side.project.file.at(1)


def _sources_line(side: Side) -> int:
    found = side.project.file.find("[tool.uv.sources]") if side.project is not None else None
    return found.line if found is not None else 1
