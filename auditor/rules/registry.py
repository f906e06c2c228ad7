"""LA3xx, third part: where the files of a lock come from."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from auditor.finding import Finding, Severity
from auditor.lock.compare import canonical, canonical_filename
from auditor.lock.model import Source, SourceKind
from auditor.lock.places import at_key, at_url
from auditor.lock.shape import tables, texts
from auditor.lock.workspace import settings_of, workspace_of
from auditor.names import normalize
from auditor.rules.context import other_side
from auditor.rules.rule import pair_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.lock.model import Artifact, Lock, Package
    from auditor.lock.pair import Side
    from auditor.rules.context import PairContext

_ENOUGH: Final = 5  # packages of a registry that must agree on a host before one that does not is foreign


@pair_rule("LA304", "registry-not-allowed", Severity.ERROR)
def registry_not_allowed(context: PairContext) -> Iterator[Finding]:
    """A file comes from a place that it should not come from.

    What:
        With `allowed-registries` in [tool.lockaudit], a registry or a direct URL that begins with none of them. Without
        it, a file on a host that no other file of its registry or package comes from, or a file that is named after
        another package. The two locks taking one registry's files from two hosts is information, or a warning where the
        hosts have nothing in common.
    Why:
        A lock can be edited to download from anywhere, and uv does as it says. `uv lock --check` does not look.

    Example:
        A wheel's `url` on another host than the files of all other packages from its registry.
    Fix:
        Restore the lock, or run `uv lock --refresh-package NAME`. Name the registries that you trust in the settings.
    """
    allowed = [_registry_key(url) for url in context.config.allowed_registries]
    of_dev, of_prod = _hosts(context.dev.lock), _hosts(context.prod.lock)
    foreign: set[str] = set()
    for side, hosts in ((context.dev, of_dev), (context.prod, of_prod)):
        if allowed:
            yield from _not_allowed(side, allowed)
        for package, artifact, reason in _foreign(side.lock, hosts):
            foreign.add(_host(artifact.location))
            yield registry_not_allowed.finding(
                f"{artifact.filename}{reason}",
                at_url(side.lock, package, artifact),
                package=package.name,
                help=f"restore the lock, or run `uv lock --refresh-package {package.name}` for {side.role}'s lock",
                notes=(f"its registry is {package.source.location}",),
            )
    yield from _other_hosts(context, foreign, of_dev, of_prod)


def _not_allowed(side: Side, allowed: list[str]) -> Iterator[Finding]:
    by_place: dict[str, list[Package]] = defaultdict(list)
    for package in side.lock.packages:
        if package.source.kind in {SourceKind.REGISTRY, SourceKind.URL} and "://" in package.source.location:
            key = _registry_key(package.source.location)
            if not _is_allowed(key, allowed):
                place = package.source.location
                by_place[place].append(package)
    for place, packages in by_place.items():
        yield registry_not_allowed.finding(
            f"{_names(packages)} from {place}, which is not in `allowed-registries`",
            at_key(side.lock, packages[0], "source"),
            package=packages[0].name,
            help="take it from an allowed registry, or add this one to `allowed-registries` of [tool.lockaudit]",
        )


def _hosts(lock: Lock) -> dict[int, Counter[str]]:
    """Hosts of the files of each package from an index, by the package's position, with the number of files."""
    return {
        package.index: Counter(_host(artifact.location) for artifact in package.artifacts)
        for package in lock.packages
        if package.source.kind is SourceKind.REGISTRY and "://" in package.source.location
    }


def _foreign(lock: Lock, hosts: Mapping[int, Counter[str]]) -> Iterator[tuple[Package, Artifact, str]]:
    """Files of registries that do not come from where they should: (package, file, why)."""
    by_registry: dict[str, Counter[str]] = defaultdict(Counter)
    for index, own in hosts.items():
        by_registry[lock.packages[index].source.location].update({_domain(host) for host in own})
    for index, own in hosts.items():
        package = lock.packages[index]
        usual = _usual(package, own, by_registry[package.source.location])
        strange = {host for host in own if host and _domain(host) != usual} if usual else set()
        moved = [each for each in package.artifacts if _host(each.location) in strange] if strange else []
        if moved:
            more = f" and {len(moved) - 1} more files come" if len(moved) > 1 else " comes"
            yield package, moved[0], f"{more} from {_host(moved[0].location)}, unlike the other files of {usual}"
        beginnings = (f"{package.name.replace('-', '_')}-", f"{package.name}-")
        for artifact in package.artifacts:
            if not artifact.filename.startswith(beginnings) and not _is_named_after(artifact, package.name):
                yield package, artifact, f" is named after another package than {package.name}"


def _usual(package: Package, hosts: Counter[str], registry: Counter[str]) -> str:
    """The domain that the files of a package must come from; an empty string where nothing tells.

    It is told where all other packages of the registry agree, or all but one file of the package. A registry's own
    domain is never foreign.
    """
    host = _host(package.source.location)
    own: Counter[str] = Counter()
    for each, count in hosts.items():
        own[_domain(each)] += count
    if own.keys() <= {_domain(host)}:
        return ""
    others = {domain: count - (domain in own) for domain, count in registry.items()}
    agreed = [domain for domain, count in others.items() if count]
    if len(agreed) == 1 and others[agreed[0]] >= _ENOUGH:
        return agreed[0]
    most, count = own.most_common(1)[0]
    return most if count > 1 and own.total() - count == 1 else ""


def _is_named_after(artifact: Artifact, name: str) -> bool:
    """Whether a file's name begins with its package's, in any spelling."""
    if artifact.is_wheel:
        return normalize(artifact.filename.partition("-")[0]) == name
    return normalize(artifact.filename).startswith(f"{name}-")


def _other_hosts(
    context: PairContext, foreign: set[str], of_dev: Mapping[int, Counter[str]], of_prod: Mapping[int, Counter[str]]
) -> Iterator[Finding]:
    """One registry whose files come from one host in dev and from another in prod (the same files, by name)."""
    told: set[tuple[str, str]] = set()
    for index, own in of_prod.items():
        package = context.prod.lock.packages[index]
        for theirs in context.dev.lock.by_name.get(package.name, ()):
            if of_dev.get(theirs.index, Counter()).keys() == own.keys() or theirs.version != package.version:
                continue
            if _registry_of(theirs) != _registry_of(package):
                continue
            places = {canonical_filename(each): each for each in theirs.artifacts}
            for artifact in package.artifacts:
                other = places.get(canonical_filename(artifact))
                pair = (_host(artifact.location), _host(other.location) if other is not None else "")
                if other is None or "" in pair or pair[0] == pair[1] or pair in told or foreign & set(pair):
                    continue
                told.add(pair)
                related = _domain(pair[0]) == _domain(pair[1])
                yield registry_not_allowed.finding(
                    f"files of {package.source.location} come from {pair[0]} in prod, from {pair[1]} in dev",
                    at_url(context.prod.lock, package, artifact),
                    package=package.name,
                    severity=Severity.INFO if related else Severity.WARNING,
                    help="lock both sides at one time, so that both take the files from one place",
                    related=other_side(at_url(context.dev.lock, theirs, other), "the same file in dev"),
                )


@pair_rule("LA311", "registry-unconfigured", Severity.ERROR)
def registry_unconfigured(context: PairContext) -> Iterator[Finding]:
    """A lock names a registry that its project does not configure.

    What:
        Packages come from a registry that is neither the default index nor an index of the project's settings, while
        most packages come from the default one. A mirror that replaces the default index everywhere, as
        `UV_DEFAULT_INDEX` does, is no finding.
    Why:
        uv takes a package from the registry that the lock names. Without a configured index, `uv lock --check` does not
        look at it, and with one it looks at direct dependencies only: an edited `source` stays.

    Example:
        `idna` from `https://other.example/simple`, which no `[[tool.uv.index]]` names.
    Fix:
        Restore the lock. If the registry is right, configure it as `[[tool.uv.index]]`, or name it in
        `allowed-registries`.
    """
    allowed = [_registry_key(url) for url in context.config.allowed_registries]
    by_side = [(side, *_configured(context, side), _by_registry(side)) for side in (context.dev, context.prod)]
    # Without a default in the settings, it is what most packages of both locks come from: uv's own default index, or
    # the mirror that stands for it in the environment.
    counts: Counter[str] = Counter()
    for _, configured, _, packages_of in by_side:
        counts.update({key: len(packages) for key, packages in packages_of.items() if key not in configured})
    usual = counts.most_common(1)[0][0] if counts else ""
    for side, configured, default, packages_of in by_side:
        if side.project is None:
            continue
        for key, packages in packages_of.items():
            expected = key in configured or key == (default or usual)
            if expected or _is_allowed(key, allowed):
                continue
            yield registry_unconfigured.finding(
                f"{_names(packages)} from {packages[0].source.location}, which the project does not configure",
                at_key(side.lock, packages[0], "source"),
                package=packages[0].name,
                help="restore the lock; if the registry is right, configure it as `[[tool.uv.index]]` or allow it",
            )


def _by_registry(side: Side) -> dict[str, list[Package]]:
    """Packages from an index, by its address as it is compared."""
    found: dict[str, list[Package]] = defaultdict(list)
    for package in side.lock.packages:
        if package.source.kind is SourceKind.REGISTRY and "://" in package.source.location:
            found[_registry_key(package.source.location)].append(package)
    return found


def _configured(context: PairContext, side: Side) -> tuple[set[str], str]:
    """(indexes that a side's settings name, the default one or an empty string)."""
    places: list[Mapping[str, Any]] = []
    settings = settings_of(context.pair.root, side.folder)
    if settings is not None:
        places.append(settings.values)
    workspace = workspace_of(side)
    if workspace is not None:
        places += [workspace.root.uv, *(member.project.uv for member in (workspace.members or {}).values())]
    found: set[str] = set()
    default = ""
    for values in places:
        for item in tables(values.get("index")):
            url = str(item.get("url", ""))
            found.add(_registry_key(url))
            if item.get("default") is True and not default:
                default = _registry_key(url)
        for key in ("index-url", "extra-index-url", "find-links"):
            value = values.get(key)
            found |= {_registry_key(url) for url in texts(value)}
            if key == "index-url" and isinstance(value, str) and not default:
                default = _registry_key(value)
    return found, default


def _registry_key(url: str) -> str:
    """A registry's address as it is compared: no credentials, no trailing slash, host in small letters."""
    return canonical(Source(kind=SourceKind.REGISTRY, location=url), ".")[1].removesuffix("/")


def _is_allowed(key: str, allowed: list[str]) -> bool:
    """Whether an address, as it is compared, is one of the allowed ones or lies below it."""
    return any(key == prefix or key.startswith(f"{prefix}/") for prefix in allowed)


def _registry_of(package: Package) -> str:
    return _registry_key(package.source.location) if package.source.kind is SourceKind.REGISTRY else ""


def _host(url: str) -> str:
    """Host of a URL without user and port, in small letters; an empty string for a path."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme == "file":
        return ""
    return rest.partition("/")[0].rpartition("@")[2].partition(":")[0].lower()


def _domain(host: str) -> str:
    """The last two labels of a host: a CDN's hosts share them. An address of numbers is its own domain."""
    labels = host.split(".")
    return host if labels[-1].isdigit() else ".".join(labels[-2:])


def _names(packages: list[Package]) -> str:
    """`idna 3.10 comes`, `idna 3.10 and 3 more come`."""
    if len(packages) == 1:
        return f"{packages[0].label} comes"
    return f"{packages[0].label} and {len(packages) - 1} more come"
