"""Harmful: the same pin, and another file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bench.drift.kind import Family
from bench.drift.text import with_hash

if TYPE_CHECKING:
    from random import Random

    from auditor.lock.model import Artifact
    from bench.drift.kind import Expected
    from bench.drift.view import Draft, Side, Victim

ARTIFACTS: Final = Family("artifact")

_SIDES: Final[tuple[Side, Side]] = ("dev", "prod")
_HALF: Final = 0.5
_SIZE: Final = re.compile(r"size = (\d+)")


def digest(rng: Random, algorithm: str = "sha256") -> str:
    """A hash that nothing has."""
    size = {"md5": 32, "sha256": 64, "sha384": 96, "sha512": 128}[algorithm]
    return f"{algorithm}:{rng.getrandbits(4 * size):0{size}x}"


def _twin(victim: Victim, artifact: Artifact) -> Artifact | None:
    """Dev's entry of the same file."""
    return next((each for each in victim.dev.artifacts if each.filename == artifact.filename), None)


# LA304 takes five other packages of a registry that agree on a host.
_TELLING = 6


def _pick(
    draft: Draft, rng: Random, *, wheel: bool = True, installed: bool = True, registry: bool = False
) -> tuple[Victim, Artifact] | None:
    """A package and one file of it that both locks list with its hash.

    Args:
        draft: of a pair.
        rng: chooses.
        wheel: else the sdist.
        installed: what the target can install; else what it cannot.
        registry: of an index only.
    """
    found = []
    for victim in draft.view.victims:
        if not victim.is_same or (registry and not victim.from_registry):
            continue
        usable = victim.usable or tuple(each for each in (victim.prod.sdist,) if each is not None)
        for artifact in victim.prod.artifacts:
            twin = _twin(victim, artifact)
            fits = artifact in usable if installed else not _fits_any(draft, victim, artifact)
            if artifact.is_wheel == wheel and fits and twin is not None and twin.hash and artifact.hash:
                found.append((victim, artifact))
    return rng.choice(found) if found else None


def _fits_any(draft: Draft, victim: Victim, artifact: Artifact) -> bool:
    """Whether any target of the pair can install a file."""
    for on in draft.view.on_targets:
        usable = on.target.usable(victim.prod)
        if artifact in usable or (not usable and artifact is victim.prod.sdist):
            return True
    return False


def _change(draft: Draft, side: Side, victim: Victim, artifact: Artifact, new: str) -> None:
    package = victim.prod if side == "prod" else victim.dev
    wanted = artifact if side == "prod" else _twin(victim, artifact)
    if wanted is not None:
        draft.entry(side, package).replace(draft.line_of(side, package, wanted).line, new)


def _line(draft: Draft, side: Side, victim: Victim, artifact: Artifact) -> str:
    package = victim.prod if side == "prod" else victim.dev
    wanted = artifact if side == "prod" else _twin(victim, artifact) or artifact
    return draft.line_of(side, package, wanted).line


def _rehash(
    draft: Draft,
    rng: Random,
    new: str | None,
    codes: tuple[str, ...],
    *,
    side: Side = "prod",
    wheel: bool = True,
    installed: bool = True,
    registry: bool = False,
) -> Expected | None:
    """Give one file another hash, or none."""
    found = _pick(draft, rng, wheel=wheel, installed=installed, registry=registry or new is None)
    if found is None:
        return None
    victim, artifact = found
    _change(draft, side, victim, artifact, with_hash(_line(draft, side, victim, artifact), new))
    draft.note = f"{artifact.filename}: {new} in {side}"
    return [(code, victim.name) for code in codes]


@ARTIFACTS.kind("wheel hash changed in prod")
def _wheel_hash(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, digest(rng), ("LA106",))


@ARTIFACTS.kind("wheel hash changed in dev")
def _wheel_hash_in_dev(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, digest(rng), ("LA106",), side="dev")


@ARTIFACTS.kind("hash changed of a wheel for another platform")
def _other_wheel_hash(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, digest(rng), ("LA106",), installed=False)


@ARTIFACTS.kind("one digit of a wheel hash changed")
def _one_digit(draft: Draft, rng: Random) -> Expected | None:
    found = _pick(draft, rng)
    if found is None:
        return None
    victim, artifact = found
    place = rng.randrange(len("sha256:"), len(artifact.hash or ""))
    old = artifact.hash or ""
    new = old[:place] + rng.choice([each for each in "0123456789abcdef" if each != old[place]]) + old[place + 1 :]
    _change(draft, "prod", victim, artifact, with_hash(_line(draft, "prod", victim, artifact), new))
    draft.note = f"{artifact.filename}: {new}"
    return [("LA106", victim.name)]


@ARTIFACTS.kind("hashes of two wheels swapped")
def _hashes_swapped(draft: Draft, rng: Random) -> Expected | None:
    found = _pick(draft, rng, registry=True)
    if found is None:
        return None
    victim, artifact = found
    others = [each for each in victim.prod.wheels if each.hash and each.hash != artifact.hash and each != artifact]
    if not others:
        return None
    other = rng.choice(others)
    lines = [_line(draft, "prod", victim, each) for each in (artifact, other)]
    entry = draft.entry("prod", victim.prod)
    entry.replace(lines[0], with_hash(lines[0], other.hash))
    entry.replace(lines[1], with_hash(lines[1], artifact.hash))
    draft.note = f"{artifact.filename} and {other.filename}"
    return [("LA106", victim.name)]


@ARTIFACTS.kind("wheel hash zeroed")
def _zeroed(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, "sha256:" + "0" * 64, ("LA106",))


def _in_both(draft: Draft, rng: Random, new: str) -> Expected | None:
    found = _pick(draft, rng)
    if found is None:
        return None
    victim, artifact = found
    for side in _SIDES:
        _change(draft, side, victim, artifact, with_hash(_line(draft, side, victim, artifact), new))
    draft.note = f"{artifact.filename}: {new} in both"
    return [("LA303", victim.name)]


@ARTIFACTS.kind("wheel hash zeroed in both locks")
def _zeroed_in_both(draft: Draft, rng: Random) -> Expected | None:
    return _in_both(draft, rng, "sha256:" + "0" * 64)


@ARTIFACTS.kind("wheel hash removed in prod")
def _no_hash(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, None, ("LA108",))


@ARTIFACTS.kind("wheel hash removed in dev")
def _no_hash_in_dev(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, None, ("LA108",), side="dev")


@ARTIFACTS.kind("sdist hash removed in dev, where the sdist is installed")
def _no_sdist_hash_in_dev(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, None, ("LA108",), side="dev", wheel=False)


@ARTIFACTS.kind("hash removed of a wheel for another platform")
def _no_other_hash(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, None, ("LA303",), installed=False, side=rng.choice(_SIDES))


@ARTIFACTS.kind("sdist hash changed, where the sdist is installed")
def _sdist_hash(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, digest(rng), ("LA106",), wheel=False)


@ARTIFACTS.kind("sdist hash changed, where a wheel is installed")
def _other_sdist_hash(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, digest(rng), ("LA106",), wheel=False, installed=False)


@ARTIFACTS.kind("sdist hash removed, where the sdist is installed")
def _no_sdist_hash(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, None, ("LA108",), wheel=False)


@ARTIFACTS.kind("hash by md5 in prod")
def _md5(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, digest(rng, "md5"), ("LA106",))


@ARTIFACTS.kind("hash by sha512 in prod")
def _sha512(draft: Draft, rng: Random) -> Expected | None:
    return _rehash(draft, rng, digest(rng, "sha512"), ("LA106",))


@ARTIFACTS.kind("hash by md5 in both locks")
def _md5_in_both(draft: Draft, rng: Random) -> Expected | None:
    return _in_both(draft, rng, digest(rng, "md5"))


@ARTIFACTS.kind("size changed, one hash")
def _size(draft: Draft, rng: Random) -> Expected | None:
    found = _pick(draft, rng)
    if found is None:
        return None
    victim, artifact = found
    line = _line(draft, "prod", victim, artifact)
    if artifact.size is None or (_twin(victim, artifact) or artifact).size is None:
        return None
    _change(draft, "prod", victim, artifact, _SIZE.sub(f"size = {artifact.size + rng.randint(1, 999)}", line))
    draft.note = f"{artifact.filename}: another size"
    return [("LA106", victim.name)]


@ARTIFACTS.kind("wheel only in prod, for the target")
def _unknown(draft: Draft, rng: Random) -> Expected | None:
    found = _pick(draft, rng, registry=True)
    if found is None:
        return None
    victim, artifact = found
    parts = artifact.filename.split("-")
    tag = f"py3-none-{parts[-1]}"
    if any(each.filename.endswith(tag) for each in victim.prod.wheels):
        return None
    new = "-".join([*parts[:2], tag])
    line = _line(draft, "prod", victim, artifact).replace(draft.line_of("prod", victim.prod, artifact).filename, new)
    draft.entry("prod", victim.prod).add_wheel(with_hash(line, digest(rng)))
    draft.note = f"{new} added"
    return [("LA107", victim.name)]


@ARTIFACTS.kind("wheel that prod installs removed in dev")
def _removed_in_dev(draft: Draft, rng: Random) -> Expected | None:
    found = _pick(draft, rng, registry=True)
    twin = _twin(*found) if found is not None else None
    if found is None or twin is None:
        return None
    victim, artifact = found
    draft.entry("dev", victim.dev).drop_line(draft.line_of("dev", victim.dev, twin).line)
    draft.note = f"{artifact.filename} removed in dev"
    return [("LA107", victim.name)]


@ARTIFACTS.kind("wheel of a higher build only in prod")
def _build(draft: Draft, rng: Random) -> Expected | None:
    found = _pick(draft, rng, registry=True)
    if found is None:
        return None
    victim, artifact = found
    parts = draft.line_of("prod", victim.prod, artifact).filename.split("-")
    if len(parts) != 5:
        return None
    new = "-".join([*parts[:2], str(rng.randint(1, 12)), *parts[2:]])
    line = _line(draft, "prod", victim, artifact).replace("-".join(parts), new)
    draft.entry("prod", victim.prod).add_wheel(with_hash(line, digest(rng)))
    draft.note = f"{new} added"
    return [("LA107", victim.name)]


@ARTIFACTS.kind("wheel replaced by another of the same version")
def _replaced(draft: Draft, rng: Random) -> Expected | None:
    found = _pick(draft, rng, registry=True)
    if found is None:
        return None
    victim, artifact = found
    parts = draft.line_of("prod", victim.prod, artifact).filename.split("-")
    if len(parts) != 5:
        return None
    new = "-".join([*parts[:2], "1rebuilt", *parts[2:]])
    line = _line(draft, "prod", victim, artifact).replace("-".join(parts), new)
    _change(draft, "prod", victim, artifact, with_hash(line, digest(rng)))
    draft.note = f"{new} instead"
    return [("LA107", victim.name)]


@ARTIFACTS.kind("host of a wheel's URL changed in prod")
def _host(draft: Draft, rng: Random) -> Expected | None:
    found = _pick(draft, rng, registry=True)
    if found is None or "://" not in found[1].location:
        return None
    victim, artifact = found
    line = re.sub(r"(?<=://)[^/]+", "files.attacker.example", _line(draft, "prod", victim, artifact), count=1)
    _change(draft, "prod", victim, artifact, line)
    draft.note = f"{artifact.filename} from another host"
    return [("LA304", victim.name)]


@ARTIFACTS.kind("host of a wheel's URL changed in both locks")
def _host_in_both(draft: Draft, rng: Random) -> Expected | None:
    found = _pick(draft, rng, registry=True)
    if found is None:
        return None
    victim, artifact = found
    same = [each for each in draft.view.victims if each.prod.source == victim.prod.source]
    if len(same) < _TELLING:
        return None  # too few files of that registry to tell which host is the foreign one
    for side in _SIDES:
        line = re.sub(r"(?<=://)[^/]+", "files.attacker.example", _line(draft, side, victim, artifact), count=1)
        _change(draft, side, victim, artifact, line)
    draft.note = f"{artifact.filename} from another host in both"
    return [("LA304", victim.name)]


@ARTIFACTS.kind("host of an sdist's URL changed in prod")
def _sdist_host(draft: Draft, rng: Random) -> Expected | None:
    found = _pick(draft, rng, wheel=False, installed=rng.random() < _HALF, registry=True)
    if found is None or "://" not in found[1].location:
        return None
    victim, artifact = found
    line = re.sub(r"(?<=://)[^/]+", "files.attacker.example", _line(draft, "prod", victim, artifact), count=1)
    _change(draft, "prod", victim, artifact, line)
    draft.note = f"{artifact.filename} from another host"
    return [("LA304", victim.name)]


@ARTIFACTS.kind("file of another package in both locks")
def _other_file(draft: Draft, rng: Random) -> Expected | None:
    found = _pick(draft, rng, registry=True)
    if found is None:
        return None
    victim, artifact = found
    old = draft.line_of("prod", victim.prod, artifact).filename
    for side in _SIDES:
        line = _line(draft, side, victim, artifact)
        _change(draft, side, victim, artifact, line.replace(old, f"evil_{old}"))
    draft.note = f"evil_{old}"
    return [("LA304", victim.name)]


@ARTIFACTS.kind("one file twice, with two hashes", LA106="the second entry differs from the other lock's")
def _twice(draft: Draft, rng: Random) -> Expected | None:
    side = rng.choice(_SIDES)
    found = _pick(draft, rng, registry=True)
    if found is None:
        return None
    victim, artifact = found
    line = with_hash(_line(draft, side, victim, artifact), digest(rng))
    draft.entry(side, victim.prod if side == "prod" else victim.dev).add_wheel(line)
    draft.note = f"{artifact.filename} twice in {side}"
    return [("LA309", victim.name)]
