"""Reading a lock: what uv accepts is accepted, and every form that uv writes becomes the model, with its lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st
from packaging.version import Version

from auditor.errors import InputError
from auditor.lock.model import Artifact, ConflictItem, Edge, Lock, Package, Source, SourceKind
from auditor.lock.read import read_lock
from auditor.names import normalize
from tests.lock.written import (
    BASE,
    DIGEST,
    EVERYTHING,
    INDEX,
    SDIST,
    SECOND,
    SHA,
    SOURCE,
    WHEEL,
    WHEELS,
    changed,
    package,
    parsed,
    uv_exports,
)
from tests.support import corpus_locks

if TYPE_CHECKING:
    from pathlib import Path


# -- what is accepted ---------------------------------------------------------------------------------------------

ACCEPTED = {
    "as it is": BASE,
    "a byte order mark": "\ufeff" + BASE,
    "CRLF": BASE.replace("\n", "\r\n"),
    "revision 99": changed(("revision = 3", "revision = 99")),
    "no revision": changed(("revision = 3\n", "")),
    "unknown keys": changed(
        ("revision = 3", 'revision = 3\nnew = { a = [1] }\nmood = "good"'),
        ('{ name = "wide" }', '{ name = "wide", why = "because" }'),
        ("size = 10", "size = 10, zstd = {}"),
    ),
    "distribution": BASE.replace("[[package]]", "[[distribution]]").replace("[package.", "[distribution."),
    "dependency-groups": BASE.replace(
        "[package.metadata]", '[package.dependency-groups]\ndev = [{ name = "wide" }]\n[package.metadata]'
    ),
    "a name to normalise": changed(('name = "wide"\n', 'name = "Wide"\n')),
    "any Python": changed(('">=3.11"', '""')),
    "spaced specifiers": changed(('">=3.11"', '" >= 3.11 , != 3.12.* , < 4 "')),
    "no hash": changed((f', hash = "{DIGEST}"', ""), (f', hash = "{DIGEST}"', "")),
    "no size": changed((", size = 10", ""), (", size = 10", "")),
    "a hash in capitals": changed((DIGEST, "sha256:" + "A1" * 32)),
    "md5": changed((DIGEST, "md5:" + "a" * 32)),
    "a local part of the wheel alone": changed((WHEEL, "wide-1.0+cu124-py3-none-any.whl")),
    "a local part, version spelled apart": changed((WHEEL, "wide-1.0.0+cu124-py3-none-any.whl")),
    "a version spelled apart": changed((WHEEL, "wide-1-py3-none-any.whl")),
    "a build number": changed((WHEEL, "wide-1.0-7b-py3-none-any.whl")),
    "tags that nobody knows": changed((WHEEL, "wide-1.0-py9.zz-none-plan9_vax.whl")),
    "a stray point": changed((WHEEL, "wide-1.0-py3.-none-any.whl")),
    "extras that the target lacks": changed(('{ name = "wide" }', '{ name = "wide", extra = ["none"] }')),
    "an edge that says all": changed(
        ('{ name = "wide" }', f'{{ name = "wide", version = "1.0", source = {{ registry = "{INDEX}" }} }}')
    ),
    "two versions": changed(
        ('{ name = "wide" }', f'{{ name = "wide", version = "2.0", source = {{ registry = "{INDEX}" }} }}')
    )
    + SECOND,
    "no metadata": BASE.partition("\n[package.metadata]")[0],
    "an sdist without hash": changed(
        (f'registry = "{INDEX}"', 'url = "https://files.example/wide-1.0.tar.gz"'),
        (SDIST, "sdist = {}\n"),
        (WHEELS, ""),
    ),
}


@pytest.mark.parametrize("case", ACCEPTED, ids=str)
def test_what_uv_accepts_is_accepted(case: str, tmp_path: Path) -> None:
    text = ACCEPTED[case]
    assert uv_exports(text.encode(), tmp_path)
    lock = read_lock(tmp_path / "uv.lock", tmp_path)
    (app,) = lock.roots
    assert app.name == "app"
    assert lock.packages[app.dependencies[0].target].name == "wide"


def test_what_the_accepted_ones_mean() -> None:
    def wide(case: str) -> Package:
        return parsed(ACCEPTED[case].removeprefix("\ufeff")).packages[0]

    plain = wide("as it is")
    for case in ("CRLF", "revision 99", "unknown keys", "distribution", "a hash in capitals", "a name to normalise"):
        assert wide(case) == replace(plain, line=wide(case).line, last_line=wide(case).last_line), case
    assert parsed(ACCEPTED["revision 99"]).revision == 99
    assert parsed(ACCEPTED["no revision"]).revision == 0
    assert parsed(ACCEPTED["dependency-groups"]).roots[0].groups == {"dev": (Edge(0),)}
    assert parsed(ACCEPTED["two versions"]).roots[0].dependencies == (Edge(2),)
    assert parsed(ACCEPTED["extras that the target lacks"]).roots[0].dependencies == (Edge(0, ("none",)),)


def test_an_edge_without_a_version_means_the_entry_that_has_none(tmp_path: Path) -> None:
    text = changed(
        (SOURCE + SDIST + WHEELS, 'source = { directory = "wide" }\n'),
        ('version = "1.0"\n', ""),
        ('{ name = "wide" }', '{ name = "wide", source = { directory = "wide" } }'),
    )
    assert uv_exports(text + SECOND, tmp_path)
    lock = parsed(text + SECOND)
    assert lock.roots[0].dependencies == (Edge(0),)
    assert lock.packages[0].version is None


# -- every form that uv writes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "source", "shown"),
    [
        (
            'registry = "https://Index.example/simple/"',
            Source(kind=SourceKind.REGISTRY, location="https://Index.example/simple/"),
            "registry https://Index.example/simple/",
        ),
        ('registry = "../wheels"', Source(kind=SourceKind.REGISTRY, location="../wheels"), "registry ../wheels"),
        (
            f'git = "https://git.example/org/wide.git?subdirectory=libs%2Fwide&tag=v1.0#{SHA}"',
            Source(
                kind=SourceKind.GIT,
                location="https://git.example/org/wide.git",
                revision=SHA,
                reference="tag=v1.0",
                subdirectory="libs/wide",
            ),
            "git https://git.example/org/wide.git@0123456789ab (tag=v1.0, subdirectory=libs/wide)",
        ),
        (
            f'git = "https://git.example/wide?branch=main&lfs=true#{SHA.upper()}"',
            Source(
                kind=SourceKind.GIT,
                location="https://git.example/wide",
                revision=SHA,
                reference="branch=main",
                extra=(("lfs", "true"),),
            ),
            "git https://git.example/wide@0123456789ab (branch=main)",
        ),
        (
            f'git = "ssh://git@git.example/wide?rev={SHA}&subdirectory=.#{SHA}"',
            Source(kind=SourceKind.GIT, location="ssh://git@git.example/wide", revision=SHA, reference=f"rev={SHA}"),
            f"git ssh://git@git.example/wide@0123456789ab (rev={SHA})",
        ),
        (
            f'git = "https://git.example/wide#{SHA}"',
            Source(kind=SourceKind.GIT, location="https://git.example/wide", revision=SHA),
            "git https://git.example/wide@0123456789ab",
        ),
        (
            'url = "https://files.example/all.zip", subdirectory = "wide"',
            Source(kind=SourceKind.URL, location="https://files.example/all.zip", subdirectory="wide"),
            "url https://files.example/all.zip (subdirectory=wide)",
        ),
        (
            'path = "vendor/wide-1.0.tar.gz"',
            Source(kind=SourceKind.PATH, location="vendor/wide-1.0.tar.gz"),
            "path vendor/wide-1.0.tar.gz",
        ),
        ('directory = "../"', Source(kind=SourceKind.DIRECTORY, location="../"), "directory ../"),
        ('editable = "."', Source(kind=SourceKind.EDITABLE, location="."), "editable ."),
        (
            'virtual = "packages/wide"',
            Source(kind=SourceKind.VIRTUAL, location="packages/wide"),
            "virtual packages/wide",
        ),
    ],
)
def test_sources(written: str, source: Source, shown: str) -> None:
    found = package('version = "1.0"', f"source = {{ {written} }}").source
    assert found == source
    assert str(found) == shown
    assert found.is_local_tree is (source.kind in {SourceKind.DIRECTORY, SourceKind.EDITABLE, SourceKind.VIRTUAL})


ANY = "wide-1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("source", "written", "artifact"),
    [
        (
            'registry = "https://index.example/simple"',
            f'wheels = [{{ url = "https://files.example/x/{ANY}", hash = "{DIGEST}", size = 7, upload-time = "x" }}]',
            Artifact(filename=ANY, location=f"https://files.example/x/{ANY}", hash=DIGEST, size=7, is_wheel=True),
        ),
        (
            'registry = "https://index.example/simple"',
            'wheels = [{ url = "https://files.example/wide-1.0%2Bcu124-py3-none-any.whl#frag" }]',
            Artifact(
                filename="wide-1.0+cu124-py3-none-any.whl",
                location="https://files.example/wide-1.0%2Bcu124-py3-none-any.whl#frag",
                hash=None,
                size=None,
                is_wheel=True,
            ),
        ),
        (
            'registry = "https://index.example/simple"',
            f'sdist = {{ url = "https://files.example/wide-1.0.tar.gz?a=b/c", hash = "{DIGEST}" }}',
            Artifact(
                filename="wide-1.0.tar.gz",
                location="https://files.example/wide-1.0.tar.gz?a=b/c",
                hash=DIGEST,
                size=None,
                is_wheel=False,
            ),
        ),
        (
            'registry = "../wheels"',
            f'wheels = [{{ path = "{ANY}" }}]',
            Artifact(filename=ANY, location=ANY, hash=None, size=None, is_wheel=True),
        ),
        (
            'registry = "../wheels"',
            'sdist = { path = "sub/wide-1.0.tar.gz" }',
            Artifact(filename="wide-1.0.tar.gz", location="sub/wide-1.0.tar.gz", hash=None, size=None, is_wheel=False),
        ),
        (
            f'url = "https://files.example/{ANY}"',
            f'wheels = [{{ url = "https://files.example/{ANY}", hash = "{DIGEST}" }}]',
            Artifact(filename=ANY, location=f"https://files.example/{ANY}", hash=DIGEST, size=None, is_wheel=True),
        ),
        (
            'url = "https://files.example/wide-1.0%2Bx.tar.gz"',
            f'sdist = {{ hash = "{DIGEST}" }}',
            Artifact(filename="wide-1.0+x.tar.gz", location="", hash=DIGEST, size=None, is_wheel=False),
        ),
        (
            f'path = "vendor/{ANY}"',
            f'wheels = [{{ filename = "{ANY}", hash = "{DIGEST}" }}]',
            Artifact(filename=ANY, location=ANY, hash=DIGEST, size=None, is_wheel=True),
        ),
        (
            'path = "vendor/wide-1.0.zip"',
            f'sdist = {{ hash = "{DIGEST}" }}',
            Artifact(filename="wide-1.0.zip", location="", hash=DIGEST, size=None, is_wheel=False),
        ),
        (
            f'git = "https://git.example/wide?path=dist%2F{ANY}#{SHA}"',
            f'wheels = [{{ filename = "{ANY}", hash = "{DIGEST}" }}]',
            Artifact(filename=ANY, location=ANY, hash=DIGEST, size=None, is_wheel=True),
        ),
    ],
)
def test_artifacts(source: str, written: str, artifact: Artifact) -> None:
    found = package('version = "1.0"', f"source = {{ {source} }}", written)
    assert found.artifacts == (artifact,)
    assert found.wheels == ((artifact,) if artifact.is_wheel else ())
    assert found.sdist == (None if artifact.is_wheel else artifact)


@pytest.mark.parametrize(
    "digest", ["md5:" + "0" * 32, DIGEST, "sha384:" + "0" * 96, "sha512:" + "0" * 128, "blake2b:" + "0" * 64]
)
def test_hashes_of_every_algorithm(digest: str, tmp_path: Path) -> None:
    text = changed((DIGEST, digest))
    assert uv_exports(text, tmp_path)
    sdist = parsed(text).packages[0].sdist
    assert sdist is not None
    assert sdist.hash == digest


def test_every_part_of_a_lock() -> None:
    lock = parsed(EVERYTHING)
    app, core, git, old, new = lock.packages
    assert (lock.revision, lock.requires_python) == (5, ">=3.11, <3.14")
    assert [str(marker) for marker in lock.resolution_markers][1] == "python_full_version < '3.12'"
    assert [str(marker) for marker in lock.supported_markers] == ["sys_platform == 'linux'"]
    assert [str(marker) for marker in lock.required_markers] == ["platform_machine == 'x86_64'"]
    assert lock.conflicts == (
        (ConflictItem("app", extra="cu124"), ConflictItem("app", extra="cu128")),
        (ConflictItem("app", group="old-torch"), ConflictItem("core")),
    )
    assert lock.options == {"resolution-mode": "lowest-direct", "exclude-newer": "2026-01-01T00:00:00Z"}
    assert (lock.manifest.members, lock.manifest.default_groups) == (("app", "core"), ("all",))
    (requirement,) = lock.manifest.requirements
    assert (requirement.name, requirement.extras, str(requirement.marker)) == (
        "wide",
        ("fast-io",),
        "os_name == 'posix'",
    )
    assert list(lock.manifest.groups) == ["test"]
    assert lock.manifest.raw["constraints"] == [{"name": "wide", "specifier": "<2"}]
    assert lock.roots == (app,)
    assert (app.version, app.label, app.default_groups) == (None, "app", ("dev", "lint-er"))
    assert [(edge.target, edge.extras) for edge in app.dependencies] == [(1, ()), (3, ("fast-io",))]
    assert {extra: [edge.target for edge in edges] for extra, edges in app.optional.items()} == {
        "cu124": [4],
        "empty-one": [],
    }
    assert {group: [edge.target for edge in edges] for group, edges in app.groups.items()} == {"dev": [2]}
    assert set(app.metadata) == {"requires-dist", "provides-extras", "requires-dev"}
    assert (core.version, core.label, core.default_groups) == (Version("1.2"), "core 1.2", None)
    assert git.source.reference == "tag=v1"
    assert [str(marker) for marker in old.resolution_markers] == ["python_full_version < '3.12'"]
    assert [str(edge.marker) for edge in old.optional["fast-io"]] == ["sys_platform == 'linux'"]
    assert [wheel.filename.count("-") for wheel in new.wheels] == [5, 4]
    assert lock.by_name["wide"] == (old, new)
    assert [found.index for found in lock.packages] == [0, 1, 2, 3, 4]


# -- lines ----------------------------------------------------------------------------------------------------------


def check_lines(lock: Lock) -> None:
    """Each package begins at its header, is called there, and ends where the next one begins."""
    packages = lock.packages
    for found, following in zip(packages, [*packages[1:], None], strict=True):
        assert lock.file.line(found.line).strip() == "[[package]]"
        text = [lock.file.line(number) for number in range(found.line, found.last_line + 1)]
        assert any(line.startswith("name = ") and found.name in normalize(line) for line in text)
        assert sum(line.strip() == "[[package]]" for line in text) == 1
        if following is not None:
            assert following.line == found.last_line + 1
    if packages:
        assert packages[-1].last_line >= len(lock.file.lines)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_packages_know_their_lines(ending: str) -> None:
    check_lines(parsed(EVERYTHING.replace("\n", ending)))


@pytest.mark.corpus
@pytest.mark.parametrize("path", corpus_locks()[::3], ids=lambda path: "/".join(path.parts[-3:]))
def test_packages_of_real_locks_know_their_lines(path: Path) -> None:
    check_lines(read_lock(path))


def test_what_ends_a_line_elsewhere_ends_none_in_a_lock() -> None:
    """Only a line feed ends a line of TOML, whatever `str.splitlines` thinks."""
    text = BASE.replace("revision", '# \x85 \u2028 \u2029\nx = "\u2028"\nrevision')
    lock = parsed(text)
    check_lines(lock)
    assert lock.packages[0].line == 7
    with pytest.raises(InputError) as caught:
        parsed(text.replace("size = 10", "size = {}"))
    assert caught.value.line == 7


def test_packages_that_cannot_be_told_apart_by_their_headers_get_the_whole_file() -> None:
    inline = 'version = 1\nrequires-python = ""\npackage = [{ name = "a", source = { virtual = "." } }]\n'
    (found,) = parsed(inline).packages
    assert (found.line, found.last_line) == (1, 4)
    quoted = BASE.replace("revision", 'x = """\n[[package]]\n"""\nrevision')
    assert {(found.line, found.last_line) for found in parsed(quoted).packages} == {(1, quoted.count("\n") + 1)}


def test_a_lock_without_packages() -> None:
    lock = parsed('version = 1\nrequires-python = ">=3.11"\n')
    assert (lock.packages, lock.roots) == ((), ())


@given(st.text(alphabet="aB-_.1", min_size=1, max_size=12))
def test_names_are_normalised_once(name: str) -> None:
    once = normalize(name)
    assert normalize(once) == once
    assert normalize(name.upper()) == normalize(name.replace("-", "_")) == once
