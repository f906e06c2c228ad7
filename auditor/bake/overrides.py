"""What the files beside a bake file do to its caches: docker-bake.override.hcl and its like, and compose files.

An override is where a team's own settings belong; these are the ones that cost hours without a word. Which of them
change a layer's cache key was measured (facts on bake, 3.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from auditor.bake.inspect import WHEEL, Flaw, Place, at_setting
from auditor.finding import Severity
from auditor.wheel.known import SPEED_KNOBS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.bake.merged import Merged, Setting
    from auditor.bake.read import BakeValue
    from auditor.dockerfile.model import Dockerfile
    from auditor.source import SourceFile

# Attributes that are in the cache key of every RUN; those that add up over files, and those that replace.
_ADDED: Final = ("ulimits", "extra-hosts")
_KEYED: Final = ("network", "shm-size", *_ADDED)
# Arguments that decide what a wheel is, which the name of its cache already says.
_PINS: Final = frozenset(
    {
        *("CUDA_VERSION", "CUDA_VARIANT", "UBUNTU_VERSION", "UV_VERSION", "PYTHON_VERSION", "CMAKE_VERSION"),
        *("PACKAGE", "WHEELS", "SOURCE_DATE_EPOCH"),
    }
)
_SERVICE: Final = re.compile(r"(?P<indent> +)[\"']?(?P<name>[\w.-]+)[\"']?\s*:\s*(?:#.*)?")


def undone_caches(merged: Merged, base: str, dockerfile: Dockerfile | None) -> Iterator[Flaw]:
    """What the other files do to the caches of the bake file named `base`."""
    overrides = _Overrides(merged, base, dockerfile)
    yield from overrides.no_cache()
    yield from overrides.more_caches_for_some()
    for attribute in _KEYED:
        yield from overrides.keyed_for_some(attribute)
    yield from overrides.arguments()
    yield from overrides.wheel_outputs()
    yield from overrides.unlinked()


def compose_targets(source: SourceFile, merged: Merged | None) -> Flaw:
    """A compose file, whose services become targets: a fact to know, or two meanings of one name."""
    services = list(_services(source))
    clash = next((each for each in services if merged is not None and each[0] in merged.targets), None)
    instead = "name the bake file where that is not meant: `docker buildx bake -f docker-bake.hcl`"
    if clash is None:
        return Flaw(
            message=f"bake reads {source.name} too: its services become targets",
            at=Place(source.name, services[0][1] if services else 1),
            help=instead,
            severity=Severity.INFO,
        )
    name, line = clash
    return Flaw(
        message=f'bake reads {source.name} too: its service "{name}" is merged into target "{name}"',
        at=Place(source.name, line, name),
        help=f"rename the service, or {instead}",
        severity=Severity.WARNING,
    )


class _Overrides:
    def __init__(self, merged: Merged, base: str, dockerfile: Dockerfile | None) -> None:
        self.merged = merged
        self.base = base
        self.dockerfile = dockerfile
        self.wheels = tuple(name for name in merged.built if WHEEL.search(name))

    def told(self, attribute: str) -> list[tuple[Setting, list[str]]]:
        """The settings of an attribute that are not the bake file's, each with the targets that it reaches."""
        found: dict[tuple[str, int], tuple[Setting, list[str]]] = {}
        for name in self.merged.built:
            for setting in self.merged.settings(name, attribute):
                if setting.document.name != self.base:
                    found.setdefault((setting.document.name, setting.attribute.line), (setting, []))[1].append(name)
        return list(found.values())

    def no_cache(self) -> Iterator[Flaw]:
        for setting, names in self.told("no-cache"):
            if self.merged.text(setting.value) == "true":
                compiles = any(name in self.wheels for name in names)
                yield self.rebuilt(f"no-cache builds {_named(names)} anew each time", setting, compiles=compiles)
        stages = self.wheel_stages()
        for setting, names in self.told("no-cache-filter"):
            chosen = self.merged.texts(setting.value)
            if not chosen:
                continue
            compiles = any(stage in stages for stage in chosen)
            what = f"no-cache-filter builds {', '.join(chosen)} of {_named(names)} anew each time"
            yield self.rebuilt(what, setting, compiles=compiles)

    def rebuilt(self, message: str, setting: Setting, *, compiles: bool) -> Flaw:
        return Flaw(
            message=f"{message}: every build compiles the wheels" if compiles else message,
            at=at_setting(setting),
            help="remove it, and say `--no-cache` to `docker buildx bake` when it is needed",
            severity=None if compiles else Severity.WARNING,
        )

    def more_caches_for_some(self) -> Iterator[Flaw]:
        for setting, names in self.told("cache-from"):
            others = [name for name in self.merged.built if name not in names]
            if others and self.merged.texts(setting.value):
                yield Flaw(
                    message=f"cache-from gives {_named(names)} caches that {_named(others)} cannot see: built together,"
                    " they lose hits",
                    at=at_setting(setting),
                    help='add them to target "_cache", which every target inherits',
                    severity=Severity.WARNING,
                )

    def keyed_for_some(self, attribute: str) -> Iterator[Flaw]:
        told = self.told(attribute)
        values = {name: self.effective(name, attribute) for name in self.merged.built}
        if not told or len(set(values.values())) == 1:
            return
        setting, names = told[0]
        others = [name for name, value in values.items() if value != values[names[0]]]
        compiling = {values[name] for name in self.wheels if not self.links(name)}
        yield Flaw(
            message=f"{attribute} is set for {_named(names)} and not for {_named(others)}: it is in the cache key"
            " of every RUN, so the stages that they share are built twice",
            at=at_setting(setting),
            help='set it in target "_common", which every target inherits',
            severity=None if len(compiling) > 1 else Severity.WARNING,
        )

    def effective(self, name: str, attribute: str) -> tuple[str, ...]:
        settings = self.merged.settings(name, attribute)
        counted = settings if attribute in _ADDED else settings[-1:]
        return tuple(sorted({text for each in counted for text in self.texts(each.value)}))

    def texts(self, value: BakeValue) -> list[str]:
        """Every text in a value, with the keys of a mapping."""
        if isinstance(value, Mapping):
            return [f"{key}={text}" for key, each in value.items() for text in self.merged.texts(each)]
        return list(self.merged.texts(value))

    def arguments(self) -> Iterator[Flaw]:
        told: set[tuple[str, int, str]] = set()
        for name in (*self.wheels, *self.merged.built):  # the wheels first: there it matters most
            for key, setting in self.merged.mapping(name, "args").items():
                place = (setting.document.name, setting.attribute.line, key)
                if setting.document.name != self.base and place not in told:
                    told.add(place)
                    yield from self.argument(name, key, setting)

    def argument(self, name: str, key: str, setting: Setting) -> Iterator[Flaw]:
        at = Place(setting.document.name, setting.attribute.line, setting.attribute.name)
        if key in SPEED_KNOBS:
            declared = self.declares(key)
            yield Flaw(
                message=f'args.{key} of target "{name}" is in the cache key: another number compiles everything anew'
                if declared
                else f'args.{key} of target "{name}" does nothing: no stage of the Dockerfile declares it',
                at=at,
                help=f"set {key} in the environment of `docker buildx bake`, which passes it as a secret",
                severity=None if declared else Severity.WARNING,
            )
            return
        given, pinned = self.given(setting, key), self.pinned(name, key)
        if key in _PINS and pinned and given != pinned:
            compiles = name in self.wheels
            yield Flaw(
                message=f'args.{key} of target "{name}" is {given} instead of {pinned}'
                + (", and the cache of the wheel keeps the name of the other" if compiles else ""),
                at=at,
                help="change the Dockerfile's ARG or [tool.lockaudit.image], and run `lockaudit bake`",
                severity=None if compiles else Severity.WARNING,
            )

    def given(self, setting: Setting, key: str) -> str:
        return self.merged.text(setting.value[key]) if isinstance(setting.value, Mapping) else ""

    def pinned(self, name: str, key: str) -> str:
        """An argument's value in the bake file alone."""
        settings = [each for each in self.merged.settings(name, "args") if each.document.name == self.base]
        found = [each for each in settings if isinstance(each.value, Mapping) and key in each.value]
        return self.given(found[-1], key) if found else ""

    def declares(self, argument: str) -> bool:
        stages = self.dockerfile.stages if self.dockerfile is not None else ()
        declared = (each for stage in stages for each in stage.instructions if each.name == "ARG")
        return any(word.partition("=")[0] == argument for each in declared for word in each.arguments)

    def wheel_outputs(self) -> Iterator[Flaw]:
        for name in self.wheels:
            output, cache = self.merged.last(name, "output"), self.merged.last(name, "cache-to")
            if output is not None and output.document.name != self.base:
                kinds = {entry.get("type", "local") for entry in self.merged.entries(output.value)}
                if kinds != {"cacheonly"}:
                    yield Flaw(
                        message=f'output of target "{name}" is no longer cacheonly: each bake exports the wheels',
                        at=at_setting(output),
                        help="export them with `--set` of `docker buildx bake` when they are needed",
                        severity=Severity.WARNING,
                    )
            if cache is not None and cache.document.name != self.base:
                modes = {entry.get("mode", "min") for entry in self.merged.entries(cache.value)}
                if modes - {"min"}:
                    yield Flaw(
                        message=f'cache-to of target "{name}" keeps every layer of the compile',
                        at=at_setting(cache),
                        help='write mode = "min": the last layer holds the wheels',
                        severity=Severity.WARNING,
                    )

    def links(self, name: str, document: str | None = None) -> set[str]:
        """The contexts of a target that are another target, in one file or in all."""
        return {
            key
            for setting in self.merged.settings(name, "contexts")
            if isinstance(setting.value, Mapping) and document in {None, setting.document.name}
            for key, value in setting.value.items()
            if any(text.startswith("target:") for text in self.merged.texts(value))
        }

    def unlinked(self) -> Iterator[Flaw]:
        for name in self.merged.built:
            linked = self.links(name, self.base)
            for key, setting in self.merged.mapping(name, "contexts").items():
                if setting.document.name == self.base or key not in linked or not isinstance(setting.value, Mapping):
                    continue
                texts = self.merged.texts(setting.value[key])
                if not any(text.startswith(("target:", "docker-image:", "oci-layout:")) for text in texts):
                    yield Flaw(
                        message=f'contexts.{key} of target "{name}" is no longer linked: it builds that stage itself',
                        at=at_setting(setting),
                        help="remove it; with WHEELS_FROM, bake takes the wheels from an image instead",
                    )

    def wheel_stages(self) -> set[str]:
        """The stages that the wheel targets are made of, by name."""
        settings = [last for name in self.wheels if (last := self.merged.last(name, "target"))]
        pending = [text.lower() for setting in settings for text in self.merged.texts(setting.value)]
        found: set[str] = set()
        while pending:
            name = pending.pop()
            stage = self.dockerfile.stage(name) if self.dockerfile is not None and name not in found else None
            found.add(name)
            if stage is not None and self.dockerfile is not None:
                pending.append(self.dockerfile.expand(stage.base).lower())
                pending += [source.lower() for each in stage.instructions if (source := each.flag("from"))]
        return found


def _named(names: Iterable[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    return f"target {quoted[0]}" if len(quoted) == 1 else f"the targets {', '.join(quoted)}"


def _services(source: SourceFile) -> Iterator[tuple[str, int]]:
    """(name, line) of the services of a compose file, by its indentation."""
    inside, indent = False, ""
    for number, line in enumerate(source.lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line.startswith(" "):
            inside, indent = line.split("#")[0].strip() == "services:", ""
        elif inside and (match := _SERVICE.fullmatch(line)):
            indent = indent or match["indent"]
            if match["indent"] == indent:
                yield match["name"], number
