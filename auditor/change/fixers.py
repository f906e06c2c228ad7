"""What mends which finding: a table of codes, and one short function for each way to mend something.

A later rule adds a row. A fixer looks at the files as they are, edits the mirror, and says what it did; where it would
change what prod says itself, it asks `Repair.may` first. Most findings need no more than prod's lock derived anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.change import images, requirements
from auditor.change.settings import LISTS, MAPPINGS, entries_of, listed_names, name_of, settings_in
from auditor.finding import Finding
from auditor.lock.marker import allows
from auditor.lock.selection import uncovered_reason
from auditor.lock.shape import items
from auditor.lock.workspace import settings_of

if TYPE_CHECKING:
    from auditor.change.repair import Repair

Fixer = Callable[["Repair", Finding], None]

_OPTIONS: Final = ("exclude-newer", "resolution", "prerelease", "fork-strategy", "minimum-libc-version")
_ABOUT_PACKAGES: Final = (
    "constraint-dependencies",
    "override-dependencies",
    "exclude-dependencies",
    "build-constraint-dependencies",
    "dependency-metadata",
)
_BUILD: Final = (
    "dependency-metadata",
    "extra-build-dependencies",
    "extra-build-variables",
    "config-settings-package",
    "no-build-isolation-package",
    "no-binary-package",
    "no-build-package",
)
_ENVIRONMENTS: Final = ("environments", "required-environments")
_MINORS: Final = tuple(f"3.{minor}.99" for minor in range(30))
_BUILD_OF_ALL: Final = ("no-build-isolation", "no-binary", "no-build", "config-settings")


@dataclass(frozen=True, slots=True)
class Remedy:
    """How findings of one code are mended.

    Attributes:
        steps: tried in this order.
        derives: whether prod's lock is derived anew first, after which the finding may be gone.
    """

    steps: tuple[Fixer, ...] = ()
    derives: bool = True


def options_alike(repair: Repair, finding: Finding) -> None:
    """Resolver options as dev has them."""
    if finding.package is not None:
        return
    for key in _OPTIONS:
        repair.carry(finding, key)
    names = repair.context.prod.lock.by_name
    for key in ("exclude-newer-package",):
        place = settings_in(repair.tree, repair.dev, key)
        for name in listed_names(place.values.get(key)) if place is not None else []:
            if name in names:
                repair.carry(finding, key, name)


def lists_alike(repair: Repair, finding: Finding) -> None:
    """Constraints, overrides, exclusions and static metadata about a package as dev has them."""
    if finding.package is not None:
        for key in _ABOUT_PACKAGES:
            repair.carry(finding, key, finding.package)


def builds_alike(repair: Repair, finding: Finding) -> None:
    """Build settings of a package as dev has them."""
    for key in _BUILD:
        repair.carry(finding, key, finding.package)
    for key in _BUILD_OF_ALL:
        repair.carry(finding, key)


def source_alike(repair: Repair, finding: Finding) -> None:
    """The source of a package as dev has it; a package that only others ask for is asked for directly then."""
    name = finding.package or ""
    if name in repair.context.config.first_party or _is_tree_of_dev(repair, name):
        return  # which release of it prod is to have is for a person to say
    wanted, origin = repair.of_dev("sources", name)
    mine, theirs = repair.asked_by_prod(name), repair.asked_by_dev(name)
    if not mine and wanted:
        asked = theirs or [_pinned(repair, name)]
        if requirements.add(repair.tree, repair.prod, asked, origin):
            repair.edited(f"{requirements.project_of(repair.prod)}: asks for {name} itself, for its source")
    if mine or wanted:
        repair.carry(finding, "sources", name)
    if any(" @ " in each for each in (*mine, *theirs)):
        requirement_alike(repair, finding)
    if not wanted:
        default_indexes_alike(repair, finding)


def _is_tree_of_dev(repair: Repair, name: str) -> bool:
    return any(package.source.is_local_tree for package in repair.context.dev.lock.by_name.get(name, ()))


def _pinned(repair: Repair, name: str) -> str:
    versions = [package.version for package in repair.context.dev.lock.by_name.get(name, ()) if package.version]
    return f"{name}=={versions[0]}" if len(versions) == 1 else name


def default_indexes_alike(repair: Repair, finding: Finding) -> None:
    """The indexes that every package may come from, as dev has them."""
    place = settings_in(repair.tree, repair.dev, "index")
    for entry in items(place.values.get("index")) if place is not None else []:
        if entry.get("explicit") is not True and entry.get("name"):
            repair.carry(finding, "index", name_of(entry))


def indexes_alike(repair: Repair, finding: Finding) -> None:
    """Every index that prod has under dev's name, at dev's address."""
    default_indexes_alike(repair, finding)
    place = settings_in(repair.tree, repair.prod, "index")
    for name in listed_names(place.values.get("index")) if place is not None else []:
        if repair.of_dev("index", name)[0]:
            repair.carry(finding, "index", name)


def requirement_alike(repair: Repair, finding: Finding) -> None:
    """A requirement whose specifier is not dev's, as dev has it."""
    name = finding.package or ""
    if name in repair.context.config.first_party:
        return
    mine, theirs = repair.asked_by_prod(name), repair.asked_by_dev(name)
    if not mine or mine == theirs:
        return
    path = requirements.project_of(repair.prod)
    shown = ", ".join(theirs) or "nothing about it"
    if repair.may(finding, f"{path} asks for {', '.join(mine)}, where dev asks for {shown}") and requirements.restate(
        repair.tree, repair.prod, repair.context.config.prod, name, theirs
    ):
        repair.edited(f"{path}: asks for {name} as dev does")


def dropped(repair: Repair, finding: Finding) -> None:
    """What prod asks for and dev does not install: the dependency that brings it, or the extra that does."""
    path = requirements.project_of(repair.prod)
    config = repair.context.config.prod
    for target in repair.context.targets:
        selection = repair.context.prod.select(target)
        for package in selection.get(finding.package or ""):
            chain = selection.path_to(package)
            direct = chain[1] if len(chain) > 1 else ""
            mine = repair.asked_by_prod(direct) if direct else []
            if not mine:
                continue
            extra = requirements.extras_of(mine) - requirements.extras_of(repair.asked_by_dev(direct))
            if direct != package.name and _is_in_dev(repair, direct) and extra:
                listed = ", ".join(sorted(extra))
                if repair.may(finding, f"{path} asks for {direct}[{listed}], which dev does not") and (
                    requirements.narrow(repair.tree, repair.prod, config, direct, extra)
                ):
                    repair.edited(f"{path}: no longer asks for {direct}[{listed}], which dev does not")
            elif (direct == package.name or not _is_in_dev(repair, direct)) and (
                repair.may(finding, f"{path} asks for {direct}, which dev does not install in production")
                and requirements.drop(repair.tree, repair.prod, config, direct)
            ):
                repair.edited(f"{path}: no longer asks for {direct}, which dev does not install in production")


def blamed(repair: Repair, finding: Finding, *, fetched: bool) -> None:
    """What uv could not resolve for prod: as dev has it, or no longer asked for where dev does not have it.

    Args:
        repair: of the pair.
        finding: about that package.
        fetched: whether uv reached what it asked: else only the source can be wrong.
    """
    name = finding.package or ""
    project = repair.context.prod.project
    if project is not None and _is_wider(project.requires_python, repair.context.dev.lock.requires_python):
        python_alike(repair, finding)
    if fetched:
        own_environments_alike(repair, finding)
    if not name or not repair.asked_by_prod(name):
        return
    if _is_in_dev(repair, name):
        source_alike(repair, finding)
        if fetched:
            requirement_alike(repair, finding)
        return
    if not fetched:
        return
    path = requirements.project_of(repair.prod)
    what = f"{path} asks for {name}, which dev does not install in production"
    if repair.may(finding, what) and requirements.drop(repair.tree, repair.prod, repair.context.config.prod, name):
        repair.edited(f"{path}: no longer asks for {name}, which dev does not install in production")


def _is_wider(mine: str, theirs: str) -> bool:
    """Whether a `requires-python` admits a minor release that another does not."""
    return any(allows(mine, version) and not allows(theirs, version) for version in _MINORS) if mine else False


def _is_in_dev(repair: Repair, name: str) -> bool:
    return any(repair.context.dev.select(target).get(name) for target in repair.context.targets)


def python_alike(repair: Repair, finding: Finding) -> None:
    """`requires-python` no wider than dev's: prod is proven for nothing else."""
    project = repair.context.dev.project
    wanted = (project.requires_python if project is not None else "") or repair.context.dev.lock.requires_python
    if finding.code == "LA109" and not _prod_excludes(repair):
        return
    path = requirements.project_of(repair.prod)
    mine = repair.context.prod.project.requires_python if repair.context.prod.project is not None else ""
    if mine == wanted or not mine:
        return
    if finding.code == "LA109" and not repair.may(
        finding, f"{path} has requires-python {mine}, where dev has {wanted}"
    ):
        return
    if requirements.with_python(repair.tree, repair.prod, wanted):
        repair.edited(f"{path}: requires-python {wanted} as in dev")


def environments_alike(repair: Repair, finding: Finding) -> None:
    """The environments that are locked, as dev has them."""
    if _prod_excludes(repair):
        for key in _ENVIRONMENTS:
            repair.carry(finding, key)


def own_environments_alike(repair: Repair, finding: Finding) -> None:
    """The environments that prod itself asks for: uv resolves for each of them, and one may have no wheels."""
    for key in _ENVIRONMENTS:
        if entries_of(repair.tree, repair.prod, key, None):
            repair.carry(finding, key)


def _prod_excludes(repair: Repair) -> bool:
    return any(uncovered_reason(repair.context.prod.lock, target) for target in repair.context.targets)


def inherited(repair: Repair, finding: Finding) -> None:
    """The settings that prod takes from above it, as its own."""
    if finding.package is not None:  # a source that says `workspace`, and prod is in none
        repair.carry(finding, "sources", finding.package)
        return
    settings = settings_of(repair.tree.folder, repair.prod)
    if settings is None or settings.folder == repair.prod:
        return
    known = repair.context.prod.lock.by_name
    for key, value in settings.values.items():
        if key == "index":
            for name in dict.fromkeys(name_of(each) for each in items(value) if _is_wanted(repair, each)):
                repair.carry(finding, key, name)
        elif key in LISTS or key in MAPPINGS or key == "dependency-metadata":
            for name in dict.fromkeys(listed_names(value)):
                if name in known:
                    repair.carry(finding, key, name)
        else:
            repair.carry(finding, key)


def _is_wanted(repair: Repair, index: object) -> bool:
    """Whether prod takes packages from an index, or may take any from it."""
    if not isinstance(index, dict) or index.get("explicit") is not True:
        return True
    url = str(index.get("url", "")).rstrip("/")
    return any(package.source.location.rstrip("/") == url for package in repair.context.prod.lock.packages)


REMEDIES: Final[dict[str, Remedy]] = {
    "LA101": Remedy((dropped,)),
    "LA102": Remedy((dropped,)),
    "LA103": Remedy((source_alike, requirement_alike)),
    "LA104": Remedy((dropped,)),
    "LA105": Remedy((source_alike,)),
    "LA106": Remedy(),
    "LA107": Remedy(),
    "LA108": Remedy(),
    "LA109": Remedy((python_alike, environments_alike)),
    "LA110": Remedy(),
    "LA111": Remedy((python_alike,)),
    "LA112": Remedy((options_alike, lists_alike)),
    "LA113": Remedy(),
    "LA114": Remedy(),
    "LA115": Remedy(),
    "LA116": Remedy((source_alike,)),
    "LA117": Remedy((source_alike,)),
    "LA118": Remedy(),
    "LA201": Remedy((source_alike, requirement_alike)),
    "LA202": Remedy(),
    "LA203": Remedy((images.cuda_alike,), derives=False),
    "LA204": Remedy(),
    "LA205": Remedy(),
    "LA206": Remedy(),
    "LA207": Remedy((builds_alike,), derives=False),
    "LA301": Remedy(),
    "LA302": Remedy(),
    "LA303": Remedy(),
    "LA304": Remedy(),
    "LA305": Remedy(),
    "LA307": Remedy((inherited,), derives=False),
    "LA308": Remedy(),
    "LA309": Remedy(),
    "LA310": Remedy(),
    "LA311": Remedy((indexes_alike,)),
    "LA408": Remedy((images.version_as_locked,), derives=False),
    "LA501": Remedy((images.baked,), derives=False),
    "LA502": Remedy((images.baked,), derives=False),
}

# What follows from no lock: how the images are built, what lockaudit is told, and where prod stands.
FOR_A_PERSON: Final = frozenset(
    {
        "LA001",
        "LA209",
        "LA306",
        "LA401",
        "LA402",
        "LA403",
        "LA404",
        "LA405",
        "LA406",
        "LA407",
        "LA409",
        "LA410",
        "LA411",
        "LA412",
        "LA413",
        "LA414",
        "LA503",
        "LA504",
        "LA505",
        "LA506",
    }
)
