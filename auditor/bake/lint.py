"""What is wrong with a bake file that bake itself would accept, as far as the model alone can tell.

Each rule has cost somebody hours of compiling or a cache that was never hit; the function that checks it says how.
Not decided here: whether a stage exists in the Dockerfile, what an override file does, what lies beside the file.
Nulls need no rule: the model has none.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.bake.value import Conditional, Template, Value, Var
from auditor.errors import ConfigError

if TYPE_CHECKING:
    from auditor.bake.model import BakeFile, Target

CACHE_TARGET = "_cache"
WHEEL_PREFIX = "wheel-"

# Names that shells, CI systems and base images export. A variable of the environment overrides a bake variable of the
# same name: the CUDA images set CUDA_VERSION, the python images PYTHON_VERSION.
EXPORTED_NAMES = frozenset(
    {
        *("ARCH", "BRANCH", "CC", "CFLAGS", "CI", "COMMIT", "CUDA_HOME", "CUDA_VERSION", "CXX", "DEBUG", "DISPLAY"),
        *("EDITOR", "ENV", "HOME", "HOSTNAME", "IMAGE", "LANG", "LC_ALL", "LDFLAGS", "LOGNAME", "MAKEFLAGS"),
        *("MAX_JOBS", "NAME", "NVIDIA_VISIBLE_DEVICES", "NVCC_THREADS", "OLDPWD", "PATH", "PLATFORM", "PORT", "PWD"),
        *("PYTHON_VERSION", "PYTHONPATH", "REGISTRY", "SHELL", "SOURCE_DATE_EPOCH", "TAG", "TERM", "TMPDIR"),
        *("TORCH_CUDA_ARCH_LIST", "TZ", "USER", "UV_VERSION", "VERSION", "VIRTUAL_ENV"),
    }
)

_REMOTE = re.compile(r"target:|docker-image:|git@|[a-z][a-z0-9+.-]*://")
_LOCAL_SCHEMES = ("cwd://", "oci-layout://")
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        rule: kebab-case name of the rule.
        block: the block it is about, `target "prod"`.
        message: what is wrong, naming the values.
    """

    rule: str
    block: str
    message: str

    def __str__(self) -> str:
        return f"{self.block}: {self.message}"


def lint(bake: BakeFile) -> list[Problem]:
    """Every problem, rule by rule in the order of `RULES`, within a rule in file order."""
    return [problem for rule in RULES for problem in rule(bake)]


def refuse_problems(bake: BakeFile) -> None:
    """Raise if `lint` has anything to say.

    Raises:
        ConfigError: with every problem, a line each.
    """
    if problems := lint(bake):
        raise ConfigError("\n".join(["this bake file would build something wrong", *map(str, problems)]))


def refuse_shared_cache_refs(bake: BakeFile) -> None:
    """Raise if two targets write one place; the writer asks this of every file.

    Raises:
        ConfigError: naming the targets and the place.
    """
    for problem in shared_cache_refs(bake):
        raise ConfigError(str(problem), hint="give every target its own `cache-to` ref")


def shared_cache_refs(bake: BakeFile) -> Iterator[Problem]:
    """Two `cache-to` of one place: each export replaces the whole of the other, and the order is random.

    In one target they are an error of BuildKit's, between targets nobody says a word.
    """
    writers: dict[str, str] = {}
    for target in _built(bake):
        value = _effective(bake, target, "cache-to")
        own: set[str] = set()
        for items in _arms(value):
            in_list: set[str] = set()
            for item in items:
                places = {place for entry in _entries(item) for place in _places(entry, bake)}
                for place in sorted(places & in_list):
                    yield Problem("shared-cache-ref", _name(target), f"cache-to has {place} twice")
                in_list |= places
            own |= in_list
        for place in sorted(own):
            if place in writers:
                other = f'target "{writers[place]}"'
                yield Problem("shared-cache-ref", _name(target), f"cache-to writes {place}, and so does {other}")
            writers.setdefault(place, target.name)


def cache_not_inherited(bake: BakeFile) -> Iterator[Problem]:
    """A target without the common list of caches: BuildKit then loses hits when it builds several targets at once."""
    for target in _built(bake):
        if CACHE_TARGET not in [ancestor.name for ancestor in _lineage(bake, target)]:
            yield Problem("cache-not-inherited", _name(target), f"does not inherit {CACHE_TARGET}")


def wheel_targets(bake: BakeFile) -> Iterator[Problem]:
    """A wheel target that exports more than its one layer, or whose compile changes with the commit's time.

    buildx passes SOURCE_DATE_EPOCH of the environment to every target that does not set it, and CI sets it to the time
    of the commit: below a WORKDIR that is another cache key for each commit.
    """
    for target in _built(bake):
        if not target.name.startswith(WHEEL_PREFIX):
            continue
        outputs = list(_arms(_effective(bake, target, "output")))
        kinds = [entry["type"] for items in outputs for item in items for entry in _entries(item)]
        if not all(outputs) or not kinds or set(kinds) != {"cacheonly"}:
            yield Problem("wheel-target", _name(target), 'output is not [{ type = "cacheonly" }]')
        caches = _entries(_effective(bake, target, "cache-to"))
        if any(mode != "min" for entry in caches for mode in _texts(entry.get("mode", "min"), bake)):
            yield Problem("wheel-target", _name(target), 'cache-to has a mode other than "min"')
        if not isinstance(_merged(bake, target, "args").get("SOURCE_DATE_EPOCH"), str):
            yield Problem("wheel-target", _name(target), "args do not pin SOURCE_DATE_EPOCH to a literal")


def paths_outside(bake: BakeFile) -> Iterator[Problem]:
    """A path outside the project: bake asks for permission on a terminal and fails where there is none, as in CI."""
    for target in bake.targets.values():
        for attribute, value in _path_values(target):
            for path in _texts(value, bake):
                if _is_outside(path):
                    yield Problem("path-outside-project", _name(target), f"{attribute} is outside the project: {path}")


def secret_form(bake: BakeFile) -> Iterator[Problem]:
    """A secret that is not `{ id, env }`: with a `type` or a file, `--print` fails where the secret is not set."""
    for target in bake.targets.values():
        for entry in _entries(target.attributes.get("secret", ())):
            if set(entry) != {"id", "env"}:
                yield Problem("secret-form", _name(target), f"a secret has {', '.join(entry)}, not id and env")


def exported_names(bake: BakeFile) -> Iterator[Problem]:
    """A variable that somebody's environment already sets, and so overrides."""
    for name in bake.variables:
        if name in EXPORTED_NAMES:
            text = "environments commonly export this name, and an exported one overrides the default"
            yield Problem("exported-name", f'variable "{name}"', text)


def unknown_targets(bake: BakeFile) -> Iterator[Problem]:
    """A group, an `inherits` or a `target:` context that names no target of the file."""
    known = {*bake.targets, *bake.groups}
    for group in bake.groups.values():
        for name in group.targets:
            if name not in known:
                yield Problem("unknown-target", f'group "{group.name}"', f'no target or group "{name}"')
    for target in bake.targets.values():
        for name in _texts(target.attributes.get("inherits", ()), bake):
            if name not in bake.targets:
                yield Problem("unknown-target", _name(target), f'inherits "{name}", which is no target')
        for context in _texts(target.attributes.get("contexts", ()), bake):
            linked = context.removeprefix("target:")
            if linked != context and linked not in bake.targets:
                yield Problem("unknown-target", _name(target), f'a context is linked to "{linked}", which is no target')


RULES: tuple[Callable[[BakeFile], Iterator[Problem]], ...] = (
    shared_cache_refs,
    cache_not_inherited,
    wheel_targets,
    paths_outside,
    secret_form,
    exported_names,
    unknown_targets,
)


def _name(target: Target) -> str:
    return f'target "{target.name}"'


def _built(bake: BakeFile) -> list[Target]:
    return [target for target in bake.targets.values() if not target.is_abstract]


def _lineage(bake: BakeFile, target: Target, below: tuple[str, ...] = ()) -> Iterator[Target]:
    """What a target inherits from and itself, in the order in which bake merges them: the last one wins."""
    for name in _texts(target.attributes.get("inherits", ()), bake):
        if name in bake.targets and name not in below:
            yield from _lineage(bake, bake.targets[name], (*below, target.name))
    yield target


def _effective(bake: BakeFile, target: Target, attribute: str) -> Value:
    """The value after inheritance of an attribute that replaces, as `output` and `cache-to` do."""
    values = [each.attributes[attribute] for each in _lineage(bake, target) if attribute in each.attributes]
    return values[-1] if values else ()


def _merged(bake: BakeFile, target: Target, attribute: str) -> dict[str, Value]:
    """The value after inheritance of an attribute that merges key by key, as `args` does; choices are left out."""
    merged: dict[str, Value] = {}
    for each in _lineage(bake, target):
        value = each.attributes.get(attribute)
        merged |= value if isinstance(value, Mapping) else {}
    return merged


def _arms(value: Value) -> Iterator[tuple[Value, ...]]:
    """The lists that a list with choices around it can be."""
    if isinstance(value, Conditional):
        yield from _arms(value.then)
        yield from _arms(value.otherwise)
    elif isinstance(value, tuple):
        yield value


def _entries(value: Value) -> Iterator[Mapping[str, Value]]:
    """The objects in a list, an object or a choice of either."""
    if isinstance(value, Conditional):
        yield from _entries(value.then)
        yield from _entries(value.otherwise)
    elif isinstance(value, Mapping):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _entries(item)


def _texts(value: Value, bake: BakeFile) -> Iterator[str]:
    """The strings that a value can be when every variable has its default."""
    match value:
        case str():
            yield value
        case Var(name):
            yield from _default(name, bake)
        case Template(parts):
            yield "".join(part if isinstance(part, str) else "".join(_default(part.name, bake)) for part in parts)
        case Conditional(then=then, otherwise=otherwise):
            yield from _texts(then, bake)
            yield from _texts(otherwise, bake)
        case tuple():
            for item in value:
                yield from _texts(item, bake)
        case Mapping():
            for item in value.values():
                yield from _texts(item, bake)


def _default(name: str, bake: BakeFile) -> Iterator[str]:
    if name in bake.variables:
        default = bake.variables[name].default
        yield from default if isinstance(default, tuple) else [str(default)]


def _path_values(target: Target) -> Iterator[tuple[str, Value]]:
    attributes = target.attributes
    for name in ("context", "dockerfile", "contexts"):
        if name in attributes:
            yield name, attributes[name]
    for name in ("cache-from", "cache-to", "output", "secret", "ssh", "policy"):
        for entry in _entries(attributes.get(name, ())):
            for key in ("src", "dest", "paths", "filename"):
                if key in entry:
                    yield f"{name} {key}", entry[key]


def _is_outside(path: str) -> bool:
    for scheme in _LOCAL_SCHEMES:
        path = path.removeprefix(scheme)
    if _REMOTE.match(path):
        return False
    return path.startswith(("/", "\\", "~")) or bool(_DRIVE.match(path)) or ".." in re.split(r"[\\/]", path)


# type of cache -> the keys that make one place of it, and what BuildKit takes where one is left out.
_PLACE_KEYS: Mapping[str, Mapping[str, str]] = {
    "registry": {"ref": ""},
    "local": {"dest": "", "tag": "latest"},
    "gha": {"scope": "buildkit"},
    "s3": {"bucket": "", "prefix": "", "manifests_prefix": "", "name": "buildkit"},
    "azblob": {"account_url": "", "container": "", "prefix": "", "manifests_prefix": "", "name": "buildkit"},
}


def _places(entry: Mapping[str, Value], bake: BakeFile) -> Iterator[str]:
    """Where a cache is written, as text that is equal for equal places."""
    kind = str(entry["type"])
    keys = _PLACE_KEYS.get(kind)
    if keys is None:  # an inline cache is part of its own image
        return
    choices = [list(_texts(entry.get(key, default), bake)) for key, default in keys.items()]
    for texts in itertools.product(*choices):
        named = [f"{key}={_tagged(text) if key == 'ref' else text}" for key, text in zip(keys, texts, strict=True)]
        yield " ".join((kind, *named))


def _tagged(ref: str) -> str:
    """A reference with the tag that it has when it names none."""
    return ref if "@" in ref or ":" in ref.rpartition("/")[2] else f"{ref}:latest"
