"""What the stages of a Dockerfile stand on: FROM with its ARGs put in, for every value of an ARG that is documented."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.dockerfile.scan import scan_quoted
from auditor.dockerfile.script import expand_value
from auditor.dockerfile.shell import UNKNOWN, is_known

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.dockerfile.model import Dockerfile, Stage

_REFERENCE: Final = re.compile(r"\$(?:\{(\w+)|(\w+))")
# Items do not give letters back, and a list begins where an item does: without that, a long word takes minutes.
_ITEM: Final = r"[A-Za-z0-9][\w.-]*+"
_LIST: Final = re.compile(rf"(?<![\w.-]){_ITEM}(?:(?:\s*[,|/]\s*(?:or\s+|and\s+)?|\s+(?:or|and)\s+){_ITEM})+")
_SEPARATOR: Final = re.compile(r"\s*[,|/]\s*(?:or\s+|and\s+)?|\s+(?:or|and)\s+")
_VERSION: Final = re.compile(r"\d+(?:\.\d+)+")
_FLAVOR: Final = re.compile(r"(?:cudnn\d*|base|runtime|devel)(?:-(?:base|runtime|devel))?")
_LOOSE: Final = re.compile(r"(?:^|[-_.])devel(?:$|[-_.])")

# Images that set no variable of uv or of a wheel's build and have no environment of their own. Whatever a team's own
# image sets or has, its Dockerfile alone cannot tell.
_PLAIN: Final = (
    *("nvidia/cuda", "docker.io/nvidia/cuda", "nvcr.io/nvidia/cuda", "nvcr.io/nvidia/cuda-dl-base"),
    *("nvcr.io/nvidia/pytorch", "pytorch/pytorch", "ghcr.io/astral-sh/uv", "astral/uv", "docker.io/astral/uv"),
)
_PLAIN_FOLDERS: Final = (
    *("docker.io/library/", "public.ecr.aws/docker/library/", "mcr.microsoft.com/", "gcr.io/distroless/"),
    *("registry.access.redhat.com/", "rocm/"),
)


@dataclass(frozen=True, slots=True)
class Base:
    """What FROM names.

    Attributes:
        reference: expanded; `UNKNOWN` where an ARG has no value.
        given: (ARG, value) of those that are not at their default.
    """

    reference: str
    given: tuple[tuple[str, str], ...] = ()

    @property
    def chosen(self) -> str:
        """`NAME=value` where that is not the default, or an empty string."""
        return " ".join(f"{name}={value}" for name, value in self.given)


def global_values(dockerfile: Dockerfile) -> dict[str, str]:
    """The ARGs before the first FROM with their defaults; `UNKNOWN` where there is none."""
    values: dict[str, str] = {}
    for name, default in dockerfile.arguments.items():
        values[name] = UNKNOWN if default is None else expand_value(scan_quoted(default), values)
    return values


def bases(
    dockerfile: Dockerfile,
    stage: Stage,
    settings: Mapping[str, str] | None = None,
    given: tuple[tuple[str, str], ...] = (),
) -> tuple[Base, ...]:
    """What a stage's FROM may name.

    Args:
        dockerfile: the whole of it.
        stage: the stage.
        settings: values that a build is known to pass, by ARG, all of them together.
        given: ARGs that have been given another value already: the others keep their defaults.

    Returns:
        With the defaults first; then one for each other value that a comment names for one of its ARGs; then with the
        settings.
    """
    values = global_values(dockerfile)
    if given:
        return (Base(expand_value(scan_quoted(stage.base), {**values, **dict(given)}), given),)
    found: dict[str, tuple[tuple[str, str], ...]] = {expand_value(scan_quoted(stage.base), values): ()}
    for match in _REFERENCE.finditer(stage.base):
        name = match[1] or match[2]
        if name not in values:
            continue
        for other in documented(dockerfile, name, values[name]):
            reference = expand_value(scan_quoted(stage.base), {**values, name: other})
            found.setdefault(reference, ((name, other),))
    passed = tuple((name, value) for name, value in (settings or {}).items() if values.get(name, value) != value)
    found.setdefault(expand_value(scan_quoted(stage.base), {**values, **dict(passed)}), passed)
    return tuple(Base(reference, own) for reference, own in found.items())


def documented(dockerfile: Dockerfile, name: str, default: str) -> tuple[str, ...]:
    """The values that a comment lists for an ARG: a list, above the ARG or naming it, that holds its default.

    Only lists of versions, or of flavors of CUDA images: other lists are prose.
    """
    line = dockerfile.argument_lines[name]
    above = _comments_above(dockerfile, line)
    shape = _VERSION if _VERSION.fullmatch(default) else _FLAVOR
    for number, comment in dockerfile.comments:
        if number not in above and name not in comment:
            continue
        for match in _LIST.finditer(re.sub(r"[`'\"]", "", comment)):
            items = [item.rstrip(".") for item in _SEPARATOR.split(match[0])]
            if default in items and all(shape.fullmatch(item) for item in items):
                return tuple(item for item in items if item != default)
    return ()


def _comments_above(dockerfile: Dockerfile, line: int) -> range:
    """The lines of the comment above an ARG, or above the block of ARGs that it stands in."""
    last = line - 1
    while last > 0 and dockerfile.file.line(last).lstrip().upper().startswith("ARG "):
        last -= 1
    first = last
    while first > 0 and dockerfile.file.line(first).lstrip().startswith("#"):
        first -= 1
    return range(first + 1, last + 1)


def named_stage(dockerfile: Dockerfile, reference: str, before: int) -> Stage | None:
    """The stage that a FROM or a `--from` means, or None for an image."""
    earlier = dockerfile.stages[:before]
    named = next((stage for stage in reversed(earlier) if stage.name and stage.name == reference.lower()), None)
    if named is None and reference.isdecimal() and len(reference) <= len(str(before)) and int(reference) < before:
        return earlier[int(reference)]
    return named


def ends(
    dockerfile: Dockerfile,
    stage: Stage,
    settings: Mapping[str, str] | None = None,
    given: tuple[tuple[str, str], ...] = (),
) -> Iterator[Base]:
    """The images that a stage may stand on in the end, `scratch` included."""
    for base in bases(dockerfile, stage, settings, given):
        parent = named_stage(dockerfile, base.reference, stage.index)
        if parent is None:
            yield base
        else:
            yield from ends(dockerfile, parent, settings, base.given)


def is_plain(reference: str) -> bool:
    """Whether an image is one of those that set nothing and bring no environment."""
    folder, slash, last = reference.partition("@")[0].rpartition("/")
    name = f"{folder}{slash}{last.partition(':')[0]}"
    return is_known(name) and (name in _PLAIN or name.startswith(_PLAIN_FOLDERS) or not folder)


def is_devel(reference: str) -> bool:
    """Whether an image's tag says that it has compilers and headers: a development flavor."""
    tag = reference.partition("@")[0].rpartition("/")[2].partition(":")[2]
    return is_known(tag) and bool(_LOOSE.search(tag))


def tag_of(reference: str) -> str:
    """The tag of an image, `latest` if it has none; an empty string if a digest names it or it cannot be told."""
    if "@" in reference or not is_known(reference):
        return ""
    return reference.rpartition("/")[2].partition(":")[2] or "latest"
