"""Environments that markers tell apart: two markers mean the same if they agree on all of them.

uv rewrites every marker that it locks (`python_version` becomes `python_full_version`, what `requires-python` implies
is dropped), so texts cannot be compared. A marker looks at few variables and compares each with few literals: one
environment for each literal and for the gaps between them is enough to know it everywhere.
"""

from __future__ import annotations

import itertools
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from auditor.lock.marker import AllOf, AnyOf, Comparison, allows, parse, parse_version, split_specifiers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auditor.lock.marker import Marker, Node

Release = tuple[int, int, int]

LIMIT: Final = 4096  # environments; a set of markers that needs more is not compared
_LAST: Final = 99  # stands for the last patch release of a minor

_PYTHON: Final = frozenset({"python_version", "python_full_version", "implementation_version"})
_EXTRA: Final = frozenset({"extra", "extras", "dependency_groups"})
# sys_platform, os_name and platform_system go together; so do the two names of an implementation.
_PLATFORMS: Final = (
    ("linux", "posix", "Linux"),
    ("darwin", "posix", "Darwin"),
    ("win32", "nt", "Windows"),
    ("cygwin", "posix", "CYGWIN_NT-10.0"),
    ("freebsd14", "posix", "FreeBSD"),
    ("emscripten", "posix", "Emscripten"),
    ("ios", "posix", "iOS"),
    ("android", "posix", "Android"),
)
_PLATFORM_VARIABLES: Final = ("sys_platform", "os_name", "platform_system")
_IMPLEMENTATIONS: Final = (("cpython", "CPython"), ("pypy", "PyPy"), ("graalpy", "GraalVM"))
_IMPLEMENTATION_VARIABLES: Final = ("implementation_name", "platform_python_implementation")
_FREE: Final = ("platform_machine", "platform_release", "platform_version")


def comparisons(node: Node) -> Iterator[Comparison]:
    """The atoms of a marker."""
    if isinstance(node, AllOf | AnyOf):
        for part in node.parts:
            yield from comparisons(part)
    else:
        yield node


def conjuncts(marker: Marker) -> tuple[Marker, ...]:
    """The markers that must all hold for this one to hold; what every alternative repeats is taken out of them.

    uv writes `(a and c) or (b and c)`: here it is `a or b`, and `c`.
    """
    if isinstance(marker.root, Comparison):
        return (marker,)
    return tuple(parse(_text(node)) for node in _conjuncts(marker.root))


def _conjuncts(node: Node) -> list[Node]:
    if isinstance(node, AllOf):
        return [each for part in node.parts for each in _conjuncts(part)]
    if isinstance(node, Comparison):
        return [node]
    alternatives = [_conjuncts(part) for part in node.parts]
    common = [each for each in alternatives[0] if all(each in other for other in alternatives[1:])]
    rests = [[each for each in alternative if each not in common] for alternative in alternatives]
    if not common:
        return [node]
    if not all(rests):
        return common
    return [AnyOf(tuple(rest[0] if len(rest) == 1 else AllOf(tuple(rest)) for rest in rests)), *common]


def _text(node: Node) -> str:
    if isinstance(node, AllOf):
        return " and ".join(f"({_text(part)})" if isinstance(part, AnyOf) else _text(part) for part in node.parts)
    if isinstance(node, AnyOf):
        return " or ".join(_text(part) for part in node.parts)
    quote = '"' if "'" in node.literal else "'"
    literal = f"{quote}{node.literal}{quote}"
    if node.swapped:
        return f"{literal} {node.operator} {node.variable}"
    return f"{node.variable} {node.operator} {literal}"


def extras_of(markers: Iterable[Marker]) -> frozenset[str]:
    """The items that `extra` is compared with."""
    return frozenset(atom.literal for marker in markers for atom in comparisons(marker.root) if atom.variable in _EXTRA)


@cache
def environments(
    markers: frozenset[Marker], requires_python: str = "", within: tuple[Marker, ...] = ()
) -> tuple[Mapping[str, str], ...] | None:
    """Enough environments to tell the markers apart.

    Args:
        markers: to be told apart; items of `extra` are left to the caller.
        requires_python: only Pythons that it admits.
        within: only environments where one of these holds for some choice of extras; none means everywhere.

    Returns:
        Marker variables without `extra`; None where there are too many to look at.
    """
    literals: dict[str, set[str]] = {}
    for marker in (*markers, *within):
        for atom in comparisons(marker.root):
            literals.setdefault(atom.variable, set()).add(atom.literal)
    pythons = _pythons(set().union(*(literals.get(name, set()) for name in _PYTHON)), requires_python)
    platforms = _PLATFORMS if literals.keys() & set(_PLATFORM_VARIABLES) else _PLATFORMS[:1]
    implementations = _IMPLEMENTATIONS if literals.keys() & set(_IMPLEMENTATION_VARIABLES) else _IMPLEMENTATIONS[:1]
    free = [sorted(literals.get(name, set()) | {"another"}) for name in _FREE]
    size = len(pythons) * len(platforms) * len(implementations)
    for values in free:
        size *= len(values)
    if size > LIMIT:
        return None
    found = []
    for python, platform, implementation, *rest in itertools.product(pythons, platforms, implementations, *free):
        full = ".".join(map(str, python))
        environment = {
            "python_full_version": full,
            "implementation_version": full,
            "python_version": f"{python[0]}.{python[1]}",
            **dict(zip(_PLATFORM_VARIABLES, platform, strict=True)),
            **dict(zip(_IMPLEMENTATION_VARIABLES, implementation, strict=True)),
            **dict(zip(_FREE, rest, strict=True)),
        }
        if not within or any(marker.without_extras(environment) for marker in within):
            found.append(MappingProxyType(environment))
    return tuple(found)


def same_pythons(first: str, second: str) -> bool:
    """Whether two `requires-python` have the same bounds: uv compares no more, holes (`!=3.11.*`) do not count."""
    literals = {literal for text in (first, second) for _, literal in split_specifiers(text)}
    sample = sorted(_around(literals) | _minors())
    bounds = []
    for text in (first, second):
        allowed = [release for release in sample if allows(text, ".".join(map(str, release)))]
        bounds.append((allowed[0], allowed[-1]) if allowed else None)
    return bounds[0] == bounds[1]


def _pythons(literals: set[str], requires_python: str) -> list[Release]:
    """Releases of Python on every side of each literal, or one where no literal matters."""
    own = {literal for _, literal in split_specifiers(requires_python)}
    allowed = [
        release
        for release in sorted(_around(literals | own) | _minors())
        if allows(requires_python, ".".join(map(str, release)))
    ]
    if not literals:
        return allowed[:1]
    wanted = _around(literals) | {allowed[0], allowed[-1]} if allowed else set()
    return [release for release in allowed if release in wanted]


def _minors() -> set[Release]:
    return {(3, minor, patch) for minor in range(6, 21) for patch in (0, _LAST)}


def _around(literals: Iterable[str]) -> set[Release]:
    """Each release, its neighbours, and the last patch of its minor."""
    found: set[Release] = set()
    for literal in literals:
        version = parse_version(literal.removesuffix(".*"))
        if version is None:
            continue
        major, minor, patch = version.major, version.minor, version.micro
        before = (
            (major, minor, patch - 1) if patch else (major, minor - 1, _LAST) if minor else (major - 1, _LAST, _LAST)
        )
        found |= {before, (major, minor, patch), (major, minor, patch + 1), (major, minor, _LAST)}
    return {release for release in found if release[0] >= 0}
