"""Requirements as uv locks them: what a pyproject.toml asks for, and what `package.metadata` says it asked for.

Both become the same type, so that they can be compared by meaning. Sources: PEP 508, PEP 440, and uv's
`Requirement` (`uv-distribution-types/src/requirement.rs`) with `normalize_requirement` of its lock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from auditor.lock.compare import canonical
from auditor.lock.marker import MarkerError, compare_versions, parse as parse_marker, parse_version
from auditor.lock.model import Source, SourceKind
from auditor.lock.shape import texts
from auditor.lock.space import conjuncts, environments, extras_of
from auditor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from packaging.version import Version

    from auditor.lock.marker import Marker

# No part gives back what it has taken (`*+`): a line of any length is read in one go.
_PEP508: Final = re.compile(
    r"""\s*+(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*+)(?<![._-])
        \s*+(?:\[(?P<extras>[^\]]*+)\])?
        \s*+(?:@\s*+(?P<url>\S++)|\(\s*+(?P<inside>[^)]*+)\)|(?P<specifiers>[^;@()\[\]]*+))
        \s*+(?:;\s*+(?P<marker>.++))?""",
    re.VERBOSE | re.DOTALL,
)
_SPECIFIER: Final = re.compile(r"\s*(?P<operator>===|~=|==|!=|<=|>=|<|>)\s*(?P<version>[^\s,]+)\s*")
_KINDS: Final = (SourceKind.EDITABLE, SourceKind.VIRTUAL, SourceKind.DIRECTORY, SourceKind.PATH, SourceKind.URL)

Specifiers = frozenset[tuple[str, object]]
Key = tuple[str, tuple[str, ...], Specifiers, tuple[str, ...]]


class UnknownRequirementError(ValueError):
    """A requirement that only uv can read: nothing may be concluded from it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a requirement counts: all of `needed` hold and none of `excluded`."""

    needed: tuple[Marker, ...] = ()
    excluded: tuple[Marker, ...] = ()

    @property
    def markers(self) -> tuple[Marker, ...]:
        """Every marker that it looks at."""
        return self.needed + self.excluded

    def holds(self, environment: Mapping[str, str], extras: AbstractSet[str] = frozenset()) -> bool:
        """Whether it holds with these extras active."""
        return all(marker.evaluate(environment, extras) for marker in self.needed) and not any(
            marker.evaluate(environment, extras) for marker in self.excluded
        )

    def __str__(self) -> str:
        parts = [f"({marker})" if " or " in str(marker) else str(marker) for marker in self.needed]
        return " and ".join([*parts, *(f"not ({marker})" for marker in self.excluded)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One requirement.

    Attributes:
        name: normalised.
        extras: normalised, sorted.
        specifiers: (operator, version) of each; `==*` and `!=*` for prefixes.
        constraint: the specifiers as text.
        source: canonical, or empty for "any configured index".
        condition: when it counts.
    """

    name: str
    extras: tuple[str, ...] = ()
    specifiers: Specifiers = frozenset()
    constraint: str = ""
    source: tuple[str, ...] = ()
    condition: Condition = Condition()

    @property
    def key(self) -> Key:
        """What must be equal; conditions of equal keys are compared by meaning."""
        return self.name, self.extras, self.specifiers, self.source

    def admits(self, version: Version) -> bool:
        """Whether a locked version satisfies the specifiers (PEP 440: a local part counts only where one is named)."""
        for part in self.constraint.split(","):
            match = _SPECIFIER.fullmatch(part)
            if match and not compare_versions(str(version), match["operator"], match["version"]):
                return False
        return True

    def __str__(self) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        source = f" from {' '.join(part for part in self.source if part)}" if self.source else ""
        condition = str(self.condition)
        return f"{self.name}{extras}{self.constraint}{source}{f' ; {condition}' if condition else ''}"


def parse_requirement(text: str) -> Declared:
    """A PEP 508 string.

    Raises:
        UnknownRequirementError: not one, or a URL whose meaning depends on the machine.
    """
    match = _PEP508.fullmatch(text)
    if match is None:
        message = f"not a requirement: {text!r}"
        raise UnknownRequirementError(message)
    constraint = match["inside"] or match["specifiers"] or ""
    url = match["url"]
    return Declared(
        name=normalize(match["name"]),
        extras=_extras((match["extras"] or "").split(",")),
        specifiers=parse_specifiers(constraint),
        constraint=_spaced(constraint),
        source=_source_of_url(url) if url else (),
        condition=_condition(match["marker"]),
    )


def read_requirement(table: Mapping[str, Any]) -> Declared:
    """An entry of `requires-dist`, of a group or of the manifest.

    Raises:
        UnknownRequirementError: of a shape that this version does not know.
    """
    name, marker, specifier = table.get("name"), table.get("marker"), table.get("specifier") or ""
    extras = table.get("extras", [])
    if not isinstance(name, str) or not isinstance(specifier, str) or texts(extras) != extras:
        message = f"not a requirement: {table!r}"
        raise UnknownRequirementError(message)
    constraint = "" if specifier == "*" else specifier
    return Declared(
        name=normalize(name),
        extras=_extras(extras),
        specifiers=parse_specifiers(constraint),
        constraint=_spaced(constraint),
        source=_source_of_table(table),
        condition=_condition(marker),
    )


def read_requirements(tables: object) -> tuple[Declared, ...] | None:
    """A list of such entries; None where one of them has an unknown shape."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        return None
    try:
        return tuple(read_requirement(table) for table in tables)
    except UnknownRequirementError:
        return None


def parse_specifiers(text: str) -> Specifiers:
    """`>=1,<2` as a set: order, repetition and the spelling of a version do not count.

    Raises:
        UnknownRequirementError: not specifiers of PEP 440.
    """
    found: set[tuple[str, object]] = set()
    for part in text.split(","):
        if not part.strip():
            continue
        match = _SPECIFIER.fullmatch(part)
        prefix = match["version"].removesuffix(".*") if match else ""
        version = parse_version(prefix)
        if match is None or (version is None and match["operator"] != "==="):
            message = f"not a version specifier: {part.strip()!r}"
            raise UnknownRequirementError(message)
        star = "*" if prefix != match["version"] else ""
        found.add((match["operator"] + star, match["version"] if match["operator"] == "===" else version))
    return frozenset(found)


def marker_of(text: object) -> Marker:
    """A marker. Raises: `UnknownRequirementError`."""
    try:
        return parse_marker(str(text))
    except (MarkerError, RecursionError) as error:
        raise UnknownRequirementError(str(error)) from None


def git_source(url: str, reference: str, subdirectory: str = "") -> tuple[str, ...]:
    """A git requirement: repository, what is asked for (`tag=v1`), subdirectory. The commit is not part of it."""
    clean = url.strip().removeprefix("git+")
    folder = "" if subdirectory == "." else subdirectory.strip("/")
    return canonical(Source(kind=SourceKind.GIT, location=clean, revision=reference, subdirectory=folder), ".")


def index_source(url: str) -> tuple[str, ...]:
    """A requirement of a given index.

    Raises:
        UnknownRequirementError: a folder, or an address with a variable of the environment: it differs by machine.
    """
    if "$" in url or "://" not in url or url.startswith("file:"):
        message = f"an index that depends on the machine: {url}"
        raise UnknownRequirementError(message)
    return canonical(Source(kind=SourceKind.REGISTRY, location=url), ".")


def differences(
    expected: Sequence[Declared], actual: Sequence[Declared], requires_python: str
) -> tuple[list[Declared], list[Declared]]:
    """What only one side asks for, or asks for under another condition.

    Args:
        expected: of the pyproject.toml.
        actual: of the lock.
        requires_python: of the lock: uv drops from conditions what it implies.

    Returns:
        (only in `expected`, only in `actual`), in the order given.
    """
    sides: list[dict[Key, list[Declared]]] = [{}, {}]
    for side, declared in zip(sides, (expected, actual), strict=True):
        for each in declared:
            side.setdefault(each.key, []).append(each)
    wanted, locked = sides
    unequal = {
        key for key in wanted.keys() & locked.keys() if not _same_conditions(wanted[key], locked[key], requires_python)
    }
    missing = [each for each in expected if each.key not in locked or each.key in unequal]
    surplus = [each for each in actual if each.key not in wanted or each.key in unequal]
    return missing, surplus


def flattened(declared: Sequence[Declared], name: str) -> tuple[Declared, ...]:
    """Requirements with references to the project's own extras (`app[all]` needs `app[x]`) written out."""
    found = {each: None for each in declared if each.name != name}
    pending = [each for each in declared if each.name == name]
    seen: set[tuple[tuple[str, ...], Condition]] = set()
    while pending:
        reference = pending.pop()
        if (reference.extras, reference.condition) in seen:
            continue
        seen.add((reference.extras, reference.condition))
        # By meaning, not by text: another writer may leave the spaces out.
        for wanted in (marker_of(f"extra == '{extra}'").root for extra in reference.extras):
            for each in declared:
                rest = tuple(other for other in each.condition.needed if other.root != wanted)
                if len(rest) < len(each.condition.needed):
                    condition = Condition((*rest, *reference.condition.needed), each.condition.excluded)
                    new = replace(each, condition=condition)
                    if new.name == name:
                        pending.append(new)
                    else:
                        found[new] = None
    return tuple(found)


def _same_conditions(first: Iterable[Declared], second: Iterable[Declared], requires_python: str) -> bool:
    one, other = ([each.condition for each in side] for side in (first, second))
    if {str(condition) for condition in one} == {str(condition) for condition in other}:
        return True
    markers = frozenset(marker for condition in (*one, *other) for marker in condition.markers)
    sample = environments(markers, requires_python)
    extras = extras_of(markers)
    choices = [frozenset[str](), extras, *(frozenset({extra}) for extra in extras)]
    return sample is None or all(
        any(condition.holds(environment, choice) for condition in one)
        == any(condition.holds(environment, choice) for condition in other)
        for environment in sample
        for choice in choices
    )


def _condition(marker: object) -> Condition:
    return Condition() if marker is None else Condition(conjuncts(marker_of(str(marker).strip())))


def _extras(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({normalize(name.strip()) for name in names if name.strip()}))


def _spaced(constraint: str) -> str:
    return ",".join(part.strip().replace(" ", "") for part in constraint.split(",") if part.strip())


def _source_of_url(url: str) -> tuple[str, ...]:
    if "$" in url or url.startswith("file:") or "://" not in url:
        message = f"a URL that depends on the machine: {url}"
        raise UnknownRequirementError(message)
    plain, _, fragment = url.partition("#")
    subdirectory = _items(fragment).get("subdirectory", "")
    if plain.startswith("git+"):
        scheme, _, rest = plain.partition("://")
        host, _, path = rest.partition("/")
        path, _, reference = path.partition("@")
        return git_source(f"{scheme}://{host}/{path}", f"rev={reference}" if reference else "", subdirectory)
    return canonical(Source(kind=SourceKind.URL, location=plain, subdirectory=subdirectory), ".")


def _source_of_table(table: Mapping[str, Any]) -> tuple[str, ...]:
    subdirectory = str(table.get("subdirectory") or "")
    if "git" in table:
        try:
            parts = urlsplit(str(table["git"]))
        except ValueError as error:  # an address that nobody could reach
            raise UnknownRequirementError(str(error)) from None
        items = _items(parts.query)
        reference = next((f"{key}={items[key]}" for key in ("tag", "branch", "rev") if key in items), "")
        return git_source(
            parts._replace(query="", fragment="").geturl(), reference, items.get("subdirectory", subdirectory)
        )
    if "index" in table:
        return index_source(str(table["index"]))
    for kind in _KINDS:
        if kind.value in table:
            return canonical(Source(kind=kind, location=str(table[kind.value]), subdirectory=subdirectory), ".")
    return ()


def _items(query: str) -> dict[str, str]:
    """`a=b&c=d`, unquoted; a plus is a plus."""
    pairs = (item.partition("=") for item in query.split("&") if item)
    return {key: unquote(value) for key, _, value in pairs}
