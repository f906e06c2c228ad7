"""The tables of torch's builds agree with each other and with the corpus of real locks."""

from __future__ import annotations

import re

import pytest
from packaging.version import Version

from auditor.wheel.builds import cudas_of, pythons_of, torches_of, torches_with_python
from auditor.wheel.cuda import Cuda, parse_build
from auditor.wheel.pairing import companion_of, default_cuda, fitting_torches, is_known_torch
from tests.support import corpus_locks, require_corpus

RELEASES = [(2, minor) for minor in range(16)]
# Released together: torch, torchvision, torchaudio (None: not known).
TOGETHER = {
    "2.0.0": ("0.15.0", "2.0.0"),
    "2.0.1": (None, None),
    "2.2.2": ("0.17.2", "2.2.2"),
    "2.4.1": ("0.19.1", "2.4.1"),
    "2.5.1": ("0.20.1", "2.5.1"),
    "2.6.0": ("0.21.0", "2.6.0"),
    "2.7.1": ("0.22.1", "2.7.1"),
    "2.8.0": ("0.23.0", "2.8.0"),
    "2.12.0": ("0.27.0", None),
    "2.8.0rc1": (None, None),
    "2.99.0": (None, None),
}


@pytest.mark.parametrize("release", RELEASES)
def test_the_default_build_is_one_of_the_builds(release: tuple[int, int]) -> None:
    assert is_known_torch(Version(f"{release[0]}.{release[1]}.0"))
    known = cudas_of(release)
    assert not known or default_cuda(release) in known
    assert all(release in torches_of(cuda) for cuda in known)
    assert all(release in torches_with_python(minor) for minor in pythons_of(release))


def test_what_is_not_known_is_empty() -> None:
    assert (cudas_of((2, 99)), pythons_of((2, 99))) == ((), range(0))
    assert torches_of(Cuda(99, 0)) == ()
    assert torches_with_python(99) == ()


@pytest.mark.parametrize(("torch", "companions"), TOGETHER.items())
def test_companions_of_a_torch_fit_it(torch: str, companions: tuple[str | None, str | None]) -> None:
    version = Version(torch)
    for name, expected in zip(("torchvision", "torchaudio"), companions, strict=True):
        found = companion_of(name, version)
        assert found == (Version(expected) if expected else None)
        assert found is None or (version.major, version.minor) in fitting_torches(name, found)


@pytest.mark.corpus
def test_no_real_lock_contradicts_the_tables() -> None:
    """Each wheel of torch that a public lock names is one that the tables let through."""
    require_corpus()
    wheels = set()
    for path in corpus_locks():
        text = path.read_text("utf-8", errors="replace")
        wheels |= set(
            re.findall(r"/torch-(2\.\d+)\.\d+(?:(?:%2B|\+)(cu\d+))?-cp3(\d+)-cp3\d+-[\w.]*linux[\w.]*x86_64", text)
        )
    assert len(wheels) > 20
    for release, build, minor in wheels:
        torch = (2, int(release.partition(".")[2]))
        assert not pythons_of(torch) or int(minor) in pythons_of(torch), (release, minor)
        assert not build or not cudas_of(torch) or parse_build(build) in cudas_of(torch), (release, build)
