"""Environment markers as uv.lock writes them, parsed once each and evaluated with a set of activated items.

`packaging.markers` reads these strings but cannot evaluate uv's: a lock with conflict sets encodes "extra cu124 of
package app is activated" as `extra == 'extra-3-app-cu124'`, several of which hold at once, while a PEP 508 environment
has a single `extra`. So the grammar of PEP 508 is implemented here with `extra` as set membership; the tests compare
everything else with `packaging`.

Sources: PEP 508, the dependency specifiers specification, and uv's universal markers (facts on uv.lock, 1.5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from packaging.version import Version

from auditor.source import hide_logins

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Set as AbstractSet

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<string>'[^']*'|"[^"]*")
      | (?P<op>===|==|~=|!=|<=|>=|<|>|not\s+in\b|in\b)
      | (?P<bool>and\b|or\b)
      | (?P<paren>[()])
      | (?P<name>[A-Za-z_][A-Za-z0-9_.]*))""",
    re.VERBOSE,
)
_VARIABLES: Final = frozenset(
    {
        "python_version",
        "python_full_version",
        "os_name",
        "sys_platform",
        "platform_release",
        "platform_system",
        "platform_version",
        "platform_machine",
        "platform_python_implementation",
        "implementation_name",
        "implementation_version",
        "extra",
        "extras",
        "dependency_groups",
    }
)
# Spellings of PEP 345 and setuptools that PEP 508 keeps alive.
_ALIASES: Final = {
    "os.name": "os_name",
    "sys.platform": "sys_platform",
    "platform.version": "platform_version",
    "platform.machine": "platform_machine",
    "platform.python_implementation": "platform_python_implementation",
    "python_implementation": "platform_python_implementation",
}
_VERSION_VARIABLES: Final = frozenset(
    {"python_version", "python_full_version", "implementation_version", "platform_release"}
)
_SET_VARIABLES: Final = frozenset({"extra", "extras", "dependency_groups"})
_OPERATORS: Final = ("===", "~=", "==", "!=", "<=", ">=", "<", ">")
_MAX_DEPTH: Final = 100


class MarkerError(ValueError):
    """A marker that is not in PEP 508's grammar."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`variable op literal`; `swapped` when it was written `literal op variable`."""

    variable: str
    operator: str
    literal: str
    swapped: bool = False


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part must hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One part must hold."""

    parts: tuple[Node, ...]


Node = Comparison | AllOf | AnyOf


@dataclass(frozen=True, slots=True, eq=False)
class Marker:
    """A parsed marker. `parse` gives the same object for the same text, so identity is a good cache key."""

    text: str
    root: Node

    def __str__(self) -> str:
        return self.text

    def evaluate(self, environment: Mapping[str, str], activated: AbstractSet[str] = frozenset()) -> bool:
        """Whether the marker holds.

        Args:
            environment: the marker variables of PEP 508, without `extra`.
            activated: items for which `extra == '...'` holds, uv-encoded or plain extra names.
        """
        return _evaluate(self.root, environment, lambda name: name in activated)

    def without_extras(self, environment: Mapping[str, str]) -> bool:
        """Whether the marker holds for some choice of extras, as uv strips them from a lock's fork markers."""
        return _evaluate(self.root, environment, None)

    def mentions_extras(self) -> bool:
        """Whether the value can depend on what is activated."""
        return any(variable in self.text for variable in _SET_VARIABLES)


@cache
def parse(text: str) -> Marker:
    """Parse a marker.

    Raises:
        MarkerError: not a marker; the message says at which character.
    """
    return Marker(text, _Parser(text).parse())


class _Parser:
    """Recursive descent over PEP 508: or < and < comparison or parenthesis."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        position = 0
        end = len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                position = end - len(text[position:end].lstrip())
                message = f"cannot read the marker at character {position + 1}: {hide_logins(text[position:])[:20]!r}"
                raise MarkerError(message)
            kind = match.lastgroup or ""
            self.tokens.append((kind, match.group(kind), match.start(kind)))
            position = match.end()
        self.next = 0
        self.depth = 0

    def parse(self) -> Node:
        node = self.any_of()
        if self.next < len(self.tokens):
            raise self.error("`and`, `or` or the end")
        return node

    def any_of(self) -> Node:
        parts = [self.all_of()]
        while self.take("bool", "or"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def all_of(self) -> Node:
        parts = [self.atom()]
        while self.take("bool", "and"):
            parts.append(self.atom())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def atom(self) -> Node:
        if self.take("paren", "("):
            self.depth += 1
            if self.depth > _MAX_DEPTH:
                message = f"the marker nests more than {_MAX_DEPTH} parentheses"
                raise MarkerError(message)
            node = self.any_of()
            if not self.take("paren", ")"):
                raise self.error("`)`")
            self.depth -= 1
            return node
        return self.comparison()

    def comparison(self) -> Comparison:
        left_kind, left = self.value()
        kind, operator, _ = self.peek()
        if kind != "op":
            raise self.error("an operator")
        self.next += 1
        operator = " ".join(operator.split())
        right_kind, right = self.value()
        if left_kind == right_kind:
            message = f"a marker compares a variable with a quoted string: {self.text!r}"
            raise MarkerError(message)
        swapped = left_kind == "string"
        variable, literal = (right, left) if swapped else (left, right)
        if variable in _SET_VARIABLES:  # names, which PEP 685 compares normalised
            literal = re.sub(r"[-_.]+", "-", literal).lower()
        return Comparison(variable, operator, literal, swapped)

    def value(self) -> tuple[str, str]:
        kind, text, _ = self.peek()
        if kind == "string":
            self.next += 1
            return kind, text[1:-1]
        if kind == "name":
            name = _ALIASES.get(text, text)
            if name not in _VARIABLES:
                message = f"unknown marker variable {text!r}"
                raise MarkerError(message)
            self.next += 1
            return kind, name
        raise self.error("a variable or a quoted string")

    def peek(self) -> tuple[str, str, int]:
        return self.tokens[self.next] if self.next < len(self.tokens) else ("end", "", len(self.text))

    def take(self, kind: str, text: str) -> bool:
        if self.peek()[:2] == (kind, text):
            self.next += 1
            return True
        return False

    def error(self, expected: str) -> MarkerError:
        return MarkerError(f"expected {expected} at character {self.peek()[2] + 1} of the marker {self.text!r}")


def _evaluate(node: Node, environment: Mapping[str, str], active: Callable[[str], bool] | None) -> bool:
    """`active` decides `extra` atoms; None takes every one of them as true."""
    if isinstance(node, AllOf):
        return all(_evaluate(part, environment, active) for part in node.parts)
    if isinstance(node, AnyOf):
        return any(_evaluate(part, environment, active) for part in node.parts)
    if node.variable in _SET_VARIABLES:
        if active is None:
            return True
        return active(node.literal) != (node.operator in {"!=", "not in"})
    left, right = environment.get(node.variable, ""), node.literal
    if node.swapped:
        left, right = right, left
    if node.variable in _VERSION_VARIABLES:
        return compare_versions(left, node.operator, right)
    return _compare_strings(left, node.operator, right)


def _compare_strings(left: str, operator: str, right: str) -> bool:
    """Strings have no order: `<=` and `>=` hold for equal ones only, as in `packaging` and uv."""
    match operator:
        case "in":
            return left in right
        case "not in":
            return left not in right
        case "==" | "===" | "<=" | ">=":
            return left == right
        case "!=":
            return left != right
    return False


@cache
def parse_version(text: str) -> Version | None:
    """`text` as a PEP 440 version, or None. Cached: a lock repeats its versions at every edge and marker."""
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or more digits than Python reads
        return None


@cache
def compare_versions(value: str, operator: str, literal: str) -> bool:
    """PEP 440's `value operator literal` for versions of a Python, with `==3.12.*` and `~=`.

    Where `operator literal` is no version specifier, text is compared, as PEP 508 says.
    """
    wanted = literal.strip()
    if not _is_specifier(operator, wanted):
        return _compare_strings(value, operator, literal)
    if operator == "===":
        return value.lower() == wanted.lower()
    left, right = parse_version(value), parse_version(wanted.removesuffix(".*"))
    if left is None or right is None:
        return False
    if wanted.endswith(".*"):
        same = left.epoch == right.epoch and _release(left, len(right.release)) == right.release
        return same == (operator == "==")
    return _compare_parsed(left, operator, right)


def _is_specifier(operator: str, literal: str) -> bool:
    """Whether the two make a version specifier of PEP 440."""
    if operator == "===":
        return len(literal.split()) == 1
    version = parse_version(literal.removesuffix(".*"))
    if version is None or operator not in _OPERATORS:
        return False
    if literal.endswith(".*"):
        return operator in {"==", "!="} and version.public == version.base_version and version.local is None
    if version.local is not None:
        return operator in {"==", "!="}
    return operator != "~=" or len(version.release) > 1


def _compare_parsed(left: Version, operator: str, right: Version) -> bool:  # noqa: PLR0911 - one for each operator
    public = Version(left.public)
    match operator:
        case "==":
            return (left if right.local else public) == right
        case "!=":
            return (left if right.local else public) != right
        case "<":  # PEP 440: `<3.12` excludes 3.12's own pre-releases
            early = left.is_prerelease and not right.is_prerelease and _same_release(left, right)
            return left < right and not early
        case "<=":
            return public <= right
        case ">":  # and `>3.12` excludes 3.12's post-releases and local versions
            late = _same_release(left, right) and (
                (left.is_postrelease and not right.is_postrelease) or left.local is not None
            )
            return left > right and not late
        case ">=":
            return public >= right
        case "~=":
            width = len(right.release) - 1
            return public >= right and left.epoch == right.epoch and _release(left, width) == right.release[:width]
    return False


def _same_release(left: Version, right: Version) -> bool:
    return Version(left.base_version) == Version(right.base_version)


def _release(version: Version, width: int) -> tuple[int, ...]:
    return (version.release + (0,) * width)[:width]


def split_specifiers(text: str) -> list[tuple[str, str]]:
    """`>=3.10, !=3.11.*` as [(">=", "3.10"), ("!=", "3.11.*")]."""
    found = []
    for part in (piece.strip() for piece in text.split(",")):
        operator = next((sign for sign in _OPERATORS if part.startswith(sign)), "")
        if operator:
            found.append((operator, part.removeprefix(operator).strip()))
    return found


def is_specifier_set(text: str) -> bool:
    """Whether `text` is a list of version specifiers, which `allows` can judge; an empty one admits everything."""
    specifiers = split_specifiers(text)
    return len(specifiers) == (text.count(",") + 1 if text.strip() else 0) and all(
        _is_specifier(operator, literal) for operator, literal in specifiers
    )


def allows(specifier: str, version: str) -> bool:
    """Whether a `requires-python` admits a version of Python."""
    return all(compare_versions(version, operator, literal) for operator, literal in split_specifiers(specifier))
