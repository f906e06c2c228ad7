"""Every step of a build with its cache key, as BuildKit makes it, without building: from the files and the arguments.

A FROM passes everything on; COPY and mounts of the context go by content; COPY --from and mounts of a stage go by the
bytes that they take. Those are known where they come from the context or from a text in the Dockerfile, or where
`outputs` knows the step that makes them. What any other RUN leaves is taken to change whenever that step runs, or, with
`hopeful`, to stay the same wherever that is possible: what both agree about is certain.

Sources: BuildKit's keys (facts on bake, 3.1), checked against its own log by `bench.plan`.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from auditor.dockerfile.built import Built, Files, Ran, Solve, Taken
from auditor.dockerfile.context import taken
from auditor.dockerfile.files import below
from auditor.dockerfile.images import global_values, named_stage
from auditor.dockerfile.layer import Kind, Layer, Part
from auditor.dockerfile.outputs import compiled_by, compiling_lines, file_part, gathers_manifests, manifests, volatile
from auditor.dockerfile.scan import scan_quoted, scan_value
from auditor.dockerfile.script import expand_value
from auditor.dockerfile.shell import UNKNOWN, is_known, join

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from auditor.dockerfile.model import Instruction, Stage

SCRATCH: Final = "scratch"
_REMOTE: Final = ("http://", "https://", "git@", "ssh://", "git://")
_EPOCH: Final = "SOURCE_DATE_EPOCH"
_FOLDER: Final = "DEV_FOLDER"


class Builds:
    """All builds of one state of a repository.

    Args:
        solves: them; those that are linked included.
        hopeful: see the module.
        knows_manifests: whether the recipe's step that gathers manifests counts as known: in both of two states, or
            in none.
    """

    def __init__(self, solves: Sequence[Solve], *, hopeful: bool = False, knows_manifests: bool = True) -> None:
        self.solves = {solve.name: solve for solve in solves}
        self.hopeful = hopeful
        self.knows_manifests = knows_manifests
        self._built: dict[tuple[str, int], Built] = {}
        self._contents: dict[tuple[str, int, str], tuple[Part, ...]] = {}

    def built(self, name: str) -> Built:
        """The stage that a solve builds."""
        solve = self.solves[name]
        for stage in solve.dockerfile.stages[: solve.stage]:  # one by one, however deep they stand on each other
            self.stage(solve, stage)
        return self.stage(solve, solve.dockerfile.stages[solve.stage])

    def needed(self, name: str) -> list[Built]:
        """Every stage that a solve needs, those of linked solves included."""
        found: dict[tuple[str, int], Built] = {}
        pending = [self.built(name)]
        while pending:
            each = pending.pop()
            place = (each.solve.name, each.stage.index)
            if place not in found:
                found[place] = each
                pending += [*each.takes, *([each.base] if each.base is not None else [])]
        return sorted(found.values(), key=lambda each: each.stage.index)

    def stage(self, solve: Solve, stage: Stage) -> Built:
        """A stage of a solve; each is read once."""
        place = (solve.name, stage.index)
        if place not in self._built:
            self._built[place] = _Reader(self, solve, stage).read()
        return self._built[place]

    def find(self, solve: Solve, reference: str, before: int) -> Built | str:
        """What FROM or `--from` means: a stage, or an image."""
        given = next((value for name, value in solve.contexts.items() if name.lower() == reference.lower()), None)
        if given is not None:
            linked = given.removeprefix("target:")
            if linked != given and linked in self.solves and linked != solve.name:
                return self.built(linked)
            return given.removeprefix("docker-image://")
        named = named_stage(solve.dockerfile, reference, before)
        return reference if named is None else self.stage(solve, named)

    def content(self, source: Built | str, path: str) -> tuple[Part, ...]:
        """What decides the bytes at a path of a stage or an image, the latest first."""
        if isinstance(source, str):
            return (Part(kind=Kind.IMAGE, name=source, value=f"{source}\n{path}"),)
        place = (source.solve.name, source.stage.index, path)
        if place not in self._contents:  # stages that copy from each other crosswise ask for one thing over and over
            self._contents[place] = self._content(source, path)
        return self._contents[place]

    def _content(self, source: Built, path: str) -> tuple[Part, ...]:
        found: list[Part] = []
        for effect in reversed(source.all_effects):
            if isinstance(effect, Files):
                found += _placed(effect.at, path)
                if path in effect.at:
                    return tuple(found)
            elif isinstance(effect, Taken):
                taken = self._taken(effect, path)
                found += [Part.of(_described(effect.source, effect.path), taken)] if taken else []
            elif effect.left is not None and any(_overlap(path, where) for where in effect.left):
                found += _placed(effect.left, path)
                return tuple(found)
            elif not self.hopeful or any(_overlap(path, where) for where in effect.volatile):
                return (*found, effect.layer.as_part())
        if source.image != SCRATCH:
            found.append(source.last.chain[0].parts[0])
        return tuple(found)

    def _taken(self, effect: Taken, path: str) -> tuple[Part, ...]:
        rest = below(effect.destination, path)
        if rest is None:
            return self.content(effect.source, effect.path) if _overlap(path, effect.destination) else ()
        found = self.content(effect.source, join(effect.path, rest or "."))
        if rest and rest.partition("/")[0] == posixpath.basename(effect.path):  # a file into a folder
            found += self.content(effect.source, join(posixpath.dirname(effect.path), rest))
        return found


class _Reader:
    """Reads one stage, instruction by instruction."""

    def __init__(self, builds: Builds, solve: Solve, stage: Stage) -> None:
        self.builds = builds
        self.solve = solve
        self.stage = stage
        dockerfile = solve.dockerfile
        declared = {**dockerfile.arguments}
        declared |= {name: value for name, value in solve.arguments.items() if name in declared}
        self.globals = global_values(replace(dockerfile, arguments=declared))
        facts = solve.facts[stage.index] if stage.index < len(solve.facts) else None
        self.compiling = compiling_lines(facts) if facts is not None else frozenset()
        self.volatile = volatile(facts) if facts is not None else ()
        self.always = "" in solve.uncached or (stage.name and stage.name in solve.uncached)
        self.built = self.begin()

    def begin(self) -> Built:
        stage = self.stage
        reference = expand_value(scan_quoted(stage.base), self.globals)
        used = tuple(
            Part(kind=Kind.ARGUMENT, name=name, value=value)
            for name, value in self.globals.items()
            if expand_value(scan_quoted(stage.base), {**self.globals, name: UNKNOWN}) != reference
        )
        found = SCRATCH if reference == SCRATCH else self.builds.find(self.solve, reference, stage.index)
        if isinstance(found, str):
            value = f"{found}\n{self.solve.platform}" if found != SCRATCH else found
            part = Part(kind=Kind.IMAGE, name="FROM", value=value, inner=used)
            start = Layer(stage=stage.name or str(stage.index), instruction="", line=stage.line, parts=(part,))
            return Built(self.solve, stage, start, None, found)
        last = found.last
        if used and last.parent is None and last.parts[0].kind is Kind.IMAGE:  # FROM devel-${CUDA_VARIANT}
            last = replace(last, parts=(replace(last.parts[0], inner=(*used, *last.parts[0].inner)),))
        return Built(
            self.solve,
            stage,
            last,
            found,
            found.image,
            env=dict(found.env),
            arguments=dict(found.arguments),
            cwd=found.cwd,
            user=found.user,
            shell=found.shell,
        )

    def read(self) -> Built:
        for instruction in self.stage.instructions:
            match instruction.name:
                case "ENV":
                    values = self.built.values
                    words = instruction.arguments
                    for name, text in zip(words[::3], words[1::3], strict=False):
                        self.built.env[name] = expand_value(scan_value(text), values)
                case "ARG":
                    self.declare(instruction)
                case "WORKDIR":
                    self.change_folder(instruction)
                case "USER":
                    self.built.user = self.built.expand(" ".join(instruction.arguments))
                case "SHELL":
                    self.built.shell = instruction.arguments
                case "COPY" | "ADD":
                    self.copy(instruction)
                case "RUN":
                    self.run(instruction)
                case _:
                    pass
        return self.built

    def add(self, instruction: Instruction, parts: Sequence[Part], *, linked: bool = False) -> Layer:
        layer = Layer(
            stage=self.built.name,
            instruction=instruction.name,
            line=instruction.line,
            parts=tuple(parts),
            parent=self.built.last,
            linked=linked,
            always=bool(self.always),
        )
        self.built.own.append(layer)
        self.built.last = layer
        _ = layer.result  # worked out from the first step on, not from the last one back
        return layer

    def declare(self, instruction: Instruction) -> None:
        for word in instruction.arguments:
            name, separator, text = word.partition("=")
            if name in self.solve.arguments:
                value: str | None = self.solve.arguments[name]
            elif separator:
                value = self.built.expand(text)
            else:
                value = self.globals.get(name)
            if value is not None and value != UNKNOWN:
                self.built.arguments[name] = value

    def change_folder(self, instruction: Instruction) -> None:
        self.built.cwd = join(self.built.cwd, self.built.expand(" ".join(instruction.arguments)))
        if self.built.cwd == "/":
            return
        parts = [Part(kind=Kind.INSTRUCTION, name="WORKDIR", value=self.built.cwd, line=instruction.line)]
        epoch = self.solve.arguments.get(_EPOCH)
        parts += [Part(kind=Kind.ARGUMENT, name=_EPOCH, value=f"{_EPOCH}={epoch}")] if epoch is not None else []
        self.add(instruction, parts)

    # --- COPY and ADD

    def copy(self, instruction: Instruction) -> None:
        if not instruction.arguments:
            return
        built = self.built
        *written, last = instruction.arguments
        destination = join(built.cwd, built.expand(last))
        is_folder = last.endswith("/") or last in {".", ".."} or len(written) > 1
        flags = tuple(map(built.expand, instruction.flags))
        given = instruction.flag("from")
        bodies = list(instruction.heredocs)
        sources = [built.expand(word) for word in written if not word.startswith("<<")]
        text = "\n".join((instruction.name, *flags, *sources, destination, *("/" if is_folder else "",)))
        parts = [Part(kind=Kind.INSTRUCTION, name=instruction.name, value=text, line=instruction.line)]
        placed: dict[str, Part] = {}
        for word in written:
            if word.startswith("<<") and bodies:
                name = word.lstrip("<-").strip("'\"")
                body = bodies.pop(0)
                body = body if "'" in word or '"' in word else expand_value(scan_quoted(body), built.values)
                path = join(destination, name) if is_folder else destination
                part = Part(kind=Kind.INSTRUCTION, name=path, value=body, line=instruction.line)
                parts.append(part)
                placed[path] = part
        effects: list[Files | Taken | Ran] = []
        for source in sources:
            if given is not None:
                found = self.builds.find(self.solve, built.expand(given), self.stage.index)
                built.takes += [found] if isinstance(found, Built) else []
                effects.append(Taken(found, join("/", source), destination))
                where = _described(found, join("/", source))
                parts.append(Part.of(where, self.builds.content(found, join("/", source))))
            elif not source.startswith(_REMOTE):
                parts.append(self.from_context(source, destination, placed, instruction, is_folder=is_folder))
        linked = any(flag in {"--link", "--link=true"} for flag in flags) and instruction.flag("chmod") is None
        self.add(instruction, parts, linked=linked)
        built.effects += [*effects, *([Files(placed)] if placed else [])]

    def from_context(
        self, source: str, destination: str, placed: dict[str, Part], instruction: Instruction, *, is_folder: bool
    ) -> Part:
        excluded = [flag.removeprefix("--exclude=") for flag in instruction.flags if flag.startswith("--exclude=")]
        keeps_parents = any(flag in {"--parents", "--parents=true"} for flag in instruction.flags)
        found = []
        for path, rest in taken(self.solve.files, source, excluded):
            part = file_part(path, self.solve.files[path], path if keeps_parents else rest)
            found.append(part)
            inside = path if keeps_parents else rest or (posixpath.basename(path) if is_folder else "")
            placed[join(destination, inside or ".")] = replace(part, value=part.value.partition("\n")[2])
        return Part.of(source or "the build context", found)

    # --- RUN

    def run(self, instruction: Instruction) -> None:
        built = self.built
        text = "\n".join((*instruction.arguments, *instruction.heredocs, str(instruction.exec_form)))
        flags = "\n".join(map(built.expand, instruction.flags))
        parts = [Part(kind=Kind.INSTRUCTION, name="RUN", value=f"{flags}\n{text}", line=instruction.line)]
        parts += [
            Part(kind=Kind.VARIABLE if name in built.env else Kind.ARGUMENT, name=name, value=f"{name}={value}")
            for name, value in built.values.items()
        ]
        settings = (("WORKDIR", built.cwd), ("USER", built.user), ("SHELL", " ".join(built.shell)))
        parts += [
            Part(kind=Kind.SETTING, name=name, value=f"{name}={value}")
            for name, value in (*settings, *self.solve.settings)
        ]
        mounted = list(self.mounts(instruction))
        layer = self.add(instruction, [*parts, *mounted])
        left: dict[str, Part] | None = None
        changing = tuple(path for line, path in self.volatile if line == instruction.line)
        if self.builds.knows_manifests and gathers_manifests(instruction):
            found = manifests(self.solve.files, self.solve.text, built.values.get(_FOLDER, ""))
            left = {path: replace(part, value=part.value.partition("\n")[2]) for path, part in found}
        elif instruction.line in self.compiling and (packages := compiled_by(mounted)):
            layer = built.own[-1] = built.last = replace(layer, compiles=packages)
            changing = (UNKNOWN,)  # a wheel holds the names of the folders that it was compiled in
        built.effects.append(Ran(layer, left, changing))

    def mounts(self, instruction: Instruction) -> Iterator[Part]:
        """What its mounts add to the key: content for files, nothing for caches and secrets."""
        built = self.built
        for flag in instruction.flags:
            if not flag.startswith("--mount="):
                continue
            written = dict(item.partition("=")[::2] for item in flag.removeprefix("--mount=").split(","))
            items = {key: built.expand(value) for key, value in written.items()}
            kind, source = items.get("type", "bind"), items.get("source", items.get("src", ""))
            if kind not in {"bind", "cache"}:
                continue
            if "from" in items:
                found = self.builds.find(self.solve, items["from"], self.stage.index)
                built.takes += [found] if isinstance(found, Built) else []
                path = join("/", source)
                if kind == "bind":
                    yield Part.of(_described(found, path), self.builds.content(found, path))
                else:
                    yield found.last.as_part() if isinstance(found, Built) else self.builds.content(found, path)[0]
            elif kind == "bind":
                files = self.solve.files
                parts = [file_part(path, files[path], rest) for path, rest in taken(files, source)]
                yield Part.of(source or "the build context", parts)


def _described(source: Built | str, path: str) -> str:
    return f"{path} of {source.name if isinstance(source, Built) else source}"


def _placed(files: Mapping[str, Part], path: str) -> list[Part]:
    """Those at a path or below it, by where they are."""
    found = []
    for where, part in files.items():
        rest = below(path, where) if is_known(path) and is_known(where) else where
        if rest is not None:
            found.append(replace(part, value=f"{rest}\n{part.value}"))
        elif below(where, path) is not None:  # below a folder whose files are not known one by one
            found.append(part)
    return found


def _overlap(path: str, place: str) -> bool:
    """Whether one of two folders holds the other; what is not known may be anywhere."""
    if not is_known(path) or not is_known(place):
        return True
    return below(path, place) is not None or below(place, path) is not None
