"""Two locks mean the same thing, however they spell it: sources and file names (numbers: edge cases of the facts)."""

from __future__ import annotations

import posixpath
from urllib.parse import quote

import pytest
from hypothesis import assume, given, strategies as st

from auditor.lock.compare import canonical, canonical_filename, is_tree_against_release, same_source
from auditor.lock.model import Artifact, Source, SourceKind
from tests.lock.written import SHA, package

OTHER_SHA = SHA[::-1]
WORDS = st.text(alphabet="abcXYZ019", min_size=1, max_size=5)
LOCAL = (SourceKind.DIRECTORY, SourceKind.EDITABLE, SourceKind.VIRTUAL)


def registry(location: str) -> Source:
    """A package of an index or of a folder of files."""
    return Source(kind=SourceKind.REGISTRY, location=location)


def git(written: str) -> Source:
    """A git source as a lock writes it, with its commit after the `#`."""
    return package(f'source = {{ git = "{written}" }}').source


def artifact(filename: str) -> Artifact:
    """A file of that name."""
    return Artifact(filename=filename, location=filename, hash=None, size=None, is_wheel=filename.endswith(".whl"))


def same(first: Source, second: Source, first_folder: str = ".", second_folder: str = "prod") -> bool:
    """Whether the two are the same, asked in both directions."""
    forth = same_source(first, second, first_folder, second_folder)
    assert forth is same_source(second, first, second_folder, first_folder)
    assert forth is (canonical(first, first_folder) == canonical(second, second_folder))
    return forth


# -- indexes (15) -------------------------------------------------------------------------------------------------


@st.composite
def spellings(draw: st.DrawFn, scheme: str, host: str, path: list[str]) -> str:
    """One of the ways to write an address: case of scheme and host, a login, a final slash, percent signs."""
    scheme = draw(st.sampled_from((scheme, scheme.upper(), scheme.capitalize())))
    host = draw(st.sampled_from((host, host.upper(), host.title())))
    login = draw(st.sampled_from(("", "", "user@", "user:secret@")))
    parts = [draw(st.sampled_from((part, quote(part, safe=""), part))) for part in path]
    slash = draw(st.sampled_from(("", "/")))
    return f"{scheme}://{login}{host}/" + "/".join(parts) + slash


SEGMENTS = st.lists(st.text(alphabet="aB1+~", min_size=1, max_size=4), min_size=1, max_size=3)
HOSTS = st.sampled_from(("index.example", "files.example:8443", "127.0.0.1:3141"))
SCHEMES = st.sampled_from(("http", "https"))


@given(data=st.data(), scheme=SCHEMES, host=HOSTS, path=SEGMENTS)
def test_an_index_is_itself_however_it_is_spelled(data: st.DataObject, scheme: str, host: str, path: list[str]) -> None:
    first, second = (data.draw(spellings(scheme, host, path)) for _ in range(2))
    assert same(registry(first), registry(second))


@given(data=st.data(), scheme=SCHEMES, host=HOSTS, path=SEGMENTS)
def test_another_index_is_another(data: st.DataObject, scheme: str, host: str, path: list[str]) -> None:
    other = data.draw(
        st.one_of(
            st.just(("http" if scheme == "https" else "https", host, path)),
            HOSTS.filter(lambda each: each != host).map(lambda each: (scheme, each, path)),
            SEGMENTS.filter(lambda each: each != path).map(lambda each: (scheme, host, each)),
            st.just((scheme, host, [part.swapcase() for part in path])).filter(lambda each: each[2] != path),
            st.just((scheme, host + "0", path)),
        )
    )
    assert not same(registry(data.draw(spellings(scheme, host, path))), registry(data.draw(spellings(*other))))


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ("https://index.example/pypi", "https://index.example/pypi/", True),
        ("https://index.example", "https://index.example/", True),
        ("https://index.example/pypi", "https://index.example/pypi//", False),
        ("https://Index.example/pypi", "https://index.example/pypi", True),
        ("https://index.example/PyPI", "https://index.example/pypi", False),
        ("http://index.example/pypi", "https://index.example/pypi", False),
        ("https://index.example/whl/cu124", "https://index.example/whl/cu128", False),
        ("https://index.example:bad/x", "https://index.example:bad/x", True),
        ("https://[::1/x", "https://[::1/x", True),
        ("https://index.example/x?a=1", "https://index.example/x?a=2", False),
    ],
)
def test_indexes(first: str, second: str, equal: bool) -> None:  # noqa: FBT001 - the expected answer
    assert same(registry(first), registry(second)) is equal


def test_a_folder_of_files_is_relative_to_its_lock() -> None:
    assert same(registry("wheels"), registry("../wheels"))
    assert same(registry("./wheels/"), registry("../wheels"))
    assert not same(registry("wheels"), registry("wheels"))
    assert same(registry("/srv/wheels"), registry("/srv/wheels/"))
    assert same(registry("/srv/wheels"), registry("file:///srv/wheels"))
    assert same(registry("file:///srv/my%20wheels"), registry("file:///srv/x/../my wheels"))


# -- git (33, 34) ---------------------------------------------------------------------------------------------------


@given(
    host=st.sampled_from(("git.example", "github.com", "gitlab.com")),
    path=st.lists(WORDS, min_size=2, max_size=3),
    data=st.data(),
)
def test_a_commit_is_itself_however_it_was_asked_for(host: str, path: list[str], data: st.DataObject) -> None:
    def spelled() -> Source:
        place = "/".join(path)
        if host != "git.example":
            place = data.draw(st.sampled_from((place, place.upper(), place.swapcase())))
        suffix = data.draw(st.sampled_from(("", ".git", "/", ".git/")))
        name = data.draw(st.sampled_from((host, host.upper())))
        wanted = data.draw(st.sampled_from(("", "tag=v1", "branch=main", f"rev={SHA}", f"rev={SHA[:7]}")))
        nothing = data.draw(st.sampled_from(("", "subdirectory=.", "subdirectory=", "subdirectory=.%2F")))
        query = "&".join(part for part in (wanted, nothing) if part)
        commit = data.draw(st.sampled_from((SHA, SHA.upper())))
        return git(f"https://{name}/{place}{suffix}" + (f"?{query}" if query else "") + f"#{commit}")

    assert same(spelled(), spelled())


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        # 34: the tag was moved
        (f"https://git.example/a?tag=v1#{SHA}", f"https://git.example/a?tag=v1#{OTHER_SHA}", False),
        (f"https://git.example/a?tag=v1#{SHA}", f"https://git.example/a?tag=v2#{SHA}", True),
        (f"https://git.example/a#{SHA}", f"https://git.example/b#{SHA}", False),
        (f"https://git.example/a#{SHA}", f"https://git.example/A#{SHA}", False),
        (f"https://github.com/org/a#{SHA}", f"https://GitHub.com/Org/A.git#{SHA}", True),
        (f"ssh://git@github.com/Org/a#{SHA}", f"ssh://git@github.com/org/a.git#{SHA}", True),
        (f"https://github.com/org/a#{SHA}", f"ssh://git@github.com/org/a#{SHA}", False),
        (f"https://git.example/a?subdirectory=x#{SHA}", f"https://git.example/a?subdirectory=x%2F#{SHA}", True),
        (f"https://git.example/a?subdirectory=x#{SHA}", f"https://git.example/a?subdirectory=.%2Fx#{SHA}", True),
        (f"https://git.example/a?subdirectory=x#{SHA}", f"https://git.example/a?subdirectory=y#{SHA}", False),
        (f"https://git.example/a?subdirectory=x#{SHA}", f"https://git.example/a#{SHA}", False),
        (f"https://git.example/a?lfs=true#{SHA}", f"https://git.example/a#{SHA}", False),
        (f"https://git.example/a?path=a.whl&lfs=true#{SHA}", f"https://git.example/a?lfs=true&path=a.whl#{SHA}", True),
    ],
)
def test_git(first: str, second: str, equal: bool) -> None:  # noqa: FBT001 - the expected answer
    assert same(git(first), git(second)) is equal


# -- paths (30) -------------------------------------------------------------------------------------------------------

FOLDERS = st.lists(st.sampled_from(("prod", "deploy", "a")), max_size=3).map(lambda parts: "/".join(parts) or ".")


@st.composite
def relative(draw: st.DrawFn, place: str, folder: str) -> str:
    """A place below the root, as a lock in `folder` may write it."""
    path = posixpath.relpath(posixpath.join("/", place), posixpath.join("/", folder))
    return draw(st.sampled_from((path, f"{path}/", f"./{path}", f"x/../{path}")))


@given(data=st.data(), place=FOLDERS, first=FOLDERS, second=FOLDERS)
def test_a_tree_is_itself_from_wherever_a_lock_sees_it(
    data: st.DataObject, place: str, first: str, second: str
) -> None:
    """The root is `virtual = "."` to itself and `directory = "../"` to its neighbour."""
    sources = [
        Source(kind=data.draw(st.sampled_from(LOCAL)), location=data.draw(relative(place, folder)))
        for folder in (first, second)
    ]
    assert same(sources[0], sources[1], first, second)


@given(
    data=st.data(), places=st.tuples(FOLDERS, FOLDERS), folder=FOLDERS, kind=st.sampled_from((*LOCAL, SourceKind.PATH))
)
def test_another_place_is_another(data: st.DataObject, places: tuple[str, str], folder: str, kind: SourceKind) -> None:
    assume(places[0] != places[1])
    first, second = (Source(kind=kind, location=data.draw(relative(place, folder))) for place in places)
    assert not same(first, second, folder, folder)


def test_paths() -> None:
    archive = Source(kind=SourceKind.PATH, location="vendor/a-1.0.whl")
    assert same(archive, Source(kind=SourceKind.PATH, location="../vendor/a-1.0.whl"))
    assert not same(archive, archive)
    assert not same(archive, Source(kind=SourceKind.DIRECTORY, location="../vendor/a-1.0.whl"))
    tree = Source(kind=SourceKind.DIRECTORY, location="/srv/a")
    assert same(tree, Source(kind=SourceKind.EDITABLE, location="/srv/x/../a/"))


# -- direct URLs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        (("https://files.example/a%2Bb.whl", ""), ("https://FILES.example/a+b.whl", ""), True),
        (("https://files.example/a.whl", ""), ("https://files.example/b.whl", ""), False),
        (("https://files.example/a.zip", "x"), ("https://files.example/a.zip", "./x"), True),
        (("https://files.example/a.zip", "x"), ("https://files.example/a.zip", ""), False),
        (("https://files.example/a.zip", ""), ("https://files.example/a.zip#sha256=00", ""), True),
    ],
)
def test_direct_urls(first: tuple[str, str], second: tuple[str, str], equal: bool) -> None:  # noqa: FBT001 - likewise
    sources = [
        Source(kind=SourceKind.URL, location=location, subdirectory=subdirectory)
        for location, subdirectory in (first, second)
    ]
    assert same(sources[0], sources[1]) is equal


def test_kinds_are_never_mixed_up() -> None:
    """One location of every kind: only the three kinds of trees are one thing."""
    sources = [Source(kind=kind, location="https://files.example/a", revision=SHA) for kind in SourceKind]
    for first in sources:
        for second in sources:
            trees = first.kind in LOCAL and second.kind in LOCAL
            assert same(first, second, ".", ".") is (trees or first is second)


def test_a_tree_in_dev_and_a_release_in_prod() -> None:
    """29: first-party packages look so, and need a declared policy."""
    for dev in SourceKind:
        for prod in SourceKind:
            pair = Source(kind=dev, location="a"), Source(kind=prod, location="b")
            assert is_tree_against_release(*pair) is (dev in LOCAL and prod not in LOCAL)


# -- file names (17, 18) ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ("torch-2.6.0%2Bcu124-cp312-cp312-linux_x86_64.whl", "torch-2.6.0+cu124-cp312-cp312-linux_x86_64.whl", True),
        (
            "flash_attn-2.8.3+cu12torch2.6cxx11abiTRUE-cp312-cp312-linux_x86_64.whl",
            "flash_attn-2.8.3+cu12torch2.6cxx11abitrue-cp312-cp312-linux_x86_64.whl",
            True,
        ),
        (
            "flash_attn-2.8.3+cu12torch2.6cxx11abiTRUE-cp312-cp312-linux_x86_64.whl",
            "flash_attn-2.8.3+cu12torch2.6cxx11abiFALSE-cp312-cp312-linux_x86_64.whl",
            False,
        ),
        ("PyYAML-6.0.2-cp312-cp312-win_amd64.whl", "pyyaml-6.0.2-cp312-cp312-win_amd64.whl", True),
        ("jaraco.classes-3.4.0-py3-none-any.whl", "jaraco_classes-3.4.0-py3-none-any.whl", True),
        ("a-1.0-1-py3-none-any.whl", "a-1.0-2-py3-none-any.whl", False),
        ("a-1.0-py3-none-any.whl", "a-1.1-py3-none-any.whl", False),
        ("a-1.0-py3-none-any.whl", "a-1.0-py3-none-win32.whl", False),
        ("a-x-py3-none-any.whl", "a-x-py3-none-any.whl", True),
        ("a.whl", "a.whl", True),
        ("a-1.0%2Bx.tar.gz", "a-1.0+x.tar.gz", True),
        ("a-1.0.tar.gz", "a-1.1.tar.gz", False),
        ("a-1.0.tar.gz", "a-1.0.zip", False),
    ],
)
def test_file_names(first: str, second: str, equal: bool) -> None:  # noqa: FBT001 - the expected answer
    assert (canonical_filename(artifact(first)) == canonical_filename(artifact(second))) is equal


@given(
    name=st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,4}([._][a-zA-Z0-9]{1,3})?", fullmatch=True),
    version=st.sampled_from(("2.6.0", "1.0rc1", "2.6.0+cu124", "2.8.3+cu12torch2.6cxx11abiTRUE", "1!2.0.post1")),
    tags=st.sampled_from(("cp312-cp312-linux_x86_64", "7b-py3-none-any")),
    data=st.data(),
)
def test_a_wheel_is_itself_however_it_is_spelled(name: str, version: str, tags: str, data: st.DataObject) -> None:
    def spelled() -> Artifact:
        own = data.draw(st.sampled_from((name, name.lower(), name.upper(), name.replace(".", "_"))))
        public, plus, local = version.partition("+")
        local = data.draw(st.sampled_from((local, local.lower(), local.upper(), local.replace(".", "_"))))
        written = public + (data.draw(st.sampled_from(("+", "%2B", "%2b"))) if plus else "") + local
        return artifact(f"{own}-{written}-{tags}.whl")

    assert canonical_filename(spelled()) == canonical_filename(spelled())
