"""Whatever is wrong with a lock is one clear error, with file and line; the real uv refuses the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.errors import InputError
from auditor.lock.environment import Target
from auditor.lock.read import read_lock
from auditor.lock.selection import Request, select
from tests.lock.written import (
    BASE,
    DIGEST,
    INDEX,
    SDIST,
    SECOND,
    SHA,
    SOURCE,
    WHEEL,
    WHEELS,
    changed,
    parsed,
    uv_exports,
)
from tests.privileges import without_privileges

# -- what is wrong ------------------------------------------------------------------------------------------------

MALFORMED = {
    # name: (text, line of the fault, words of the message)
    "not TOML": (changed(("version = 1", "version : 1")), 1, ("not TOML",)),
    "not TOML, later": (changed(('name = "wide" }', 'name = "wide }')), 19, ("not TOML",)),
    "a key twice": (changed(("revision = 3", "revision = 3\nrevision = 3")), 3, ("not TOML", "overwrite")),
    "merge markers": (changed(("revision = 3\n", "<<<<<<< ours\nrevision = 3\n")), 2, ("merge marker",)),
    "empty": ("", 1, ("empty",)),
    "blank": (" \n\t\n", 1, ("empty",)),
    "version 2": (changed(("version = 1", "version = 2")), 1, ("has version 2", "reads version 1")),
    "version 2, below": (changed(("version = 1\n", "# version 1\n\nversion = 2\n")), 3, ("has version 2",)),
    "version 1.0": (changed(("version = 1", "version = 1.0")), 1, ("`version` of the lock", "not a whole number")),
    "version true": (changed(("version = 1", "version = true")), 1, ("`version` of the lock", "not a whole number")),
    "no version": (changed(("version = 1\n", "")), 1, ("not a uv.lock", "no `version`")),
    "revision text": (changed(("revision = 3", 'revision = "3"')), 1, ("`revision`", "not a whole number")),
    "revision negative": (changed(("revision = 3", "revision = -1")), 1, ("`revision`", "not a whole number")),
    "no requires-python": (changed(('requires-python = ">=3.11"\n', "")), 1, ("no `requires-python`",)),
    "requires-python number": (changed(('">=3.11"', "3.11")), 1, ("`requires-python`", "a number", "not a string")),
    "requires-python bare": (changed(('">=3.11"', '"3.11"')), 1, ("`requires-python`", "specifiers", "'3.11'")),
    "requires-python words": (changed(('">=3.11"', '"any"')), 1, ("`requires-python`", "specifiers")),
    "requires-python star": (changed(('">=3.11"', '">=3.11.*"')), 1, ("`requires-python`", "specifiers")),
    "packages are numbers": ('version = 1\nrequires-python = ""\npackage = [1]\n', 1, ("`package`", "list of tables")),
    "package and distribution": (
        BASE + '\n[[distribution]]\nname = "b"\nsource = { virtual = "b" }\n',
        1,
        ("both `package` and `distribution`",),
    ),
    "no name": (changed(('name = "wide"\n', "")), 5, ("a package has no name",)),
    "empty name": (changed(('name = "wide"\n', 'name = ""\n')), 5, ("a package has no name",)),
    "name number": (changed(('name = "wide"\n', "name = 3\n")), 5, ("`name`", "a number")),
    "no source": (changed((SOURCE, "")), 5, ("wide has no source",)),
    "source text": (changed((SOURCE, 'source = "x"\n')), 5, ("source of wide", "not a table")),
    "source empty": (changed((SOURCE, "source = {}\n")), 5, ("source of wide", "none of registry", "empty table")),
    "source unknown": (changed(("registry", "cvs")), 5, ("source of wide", "none of registry", "cvs")),
    "source table": (changed((f'"{INDEX}"', f'{{ url = "{INDEX}" }}')), 5, ("source of wide", "not a string")),
    "source number": (changed((f'"{INDEX}"', "1")), 5, ("registry source of wide", "not a string")),
    "registry without version": (changed(('version = "1.0"\n', "")), 5, ("wide", "registry", "no version")),
    "version words": (changed(('"1.0"', '"one"')), 5, ("`one` of wide is not a version",)),
    "version huge": (changed(('"1.0"', f'"{"9" * 5000}"')), 5, ("is not a version",)),
    "version number": (changed(('"1.0"', "1.0")), 5, ("`version` of wide", "a number")),
    "git branch only": (
        changed((f'registry = "{INDEX}"', 'git = "https://git.example/wide?branch=main"'), (SDIST, ""), (WHEELS, "")),
        5,
        ("git source of wide", "no full commit"),
    ),
    "git short commit": (
        changed((f'registry = "{INDEX}"', f'git = "https://git.example/wide#{SHA[:12]}"'), (SDIST, ""), (WHEELS, "")),
        5,
        ("git source of wide", "no full commit", SHA[:12]),
    ),
    "git of another commit": (
        changed(
            (f'registry = "{INDEX}"', f'git = "https://git.example/wide?rev={"b" * 40}#{SHA}"'),
            (SDIST, ""),
            (WHEELS, ""),
        ),
        5,
        ("git source of wide", f"asks for {'b' * 40}", f"locked to {SHA}"),
    ),
    "git with a hashed wheel": (
        changed((f'registry = "{INDEX}"', f'git = "https://git.example/wide#{SHA}"'), (SDIST, "")),
        5,
        ("wide is a git source", "a wheel with a hash", WHEEL),
    ),
    "directory with a hashed wheel": (
        changed((f'registry = "{INDEX}"', 'directory = "wide"'), (SDIST, "")),
        5,
        ("wide is a directory source", "a wheel with a hash"),
    ),
    "url wheel without hash": (
        changed(
            (f'registry = "{INDEX}"', f'url = "https://files.example/{WHEEL}"'),
            (SDIST, ""),
            (f'.whl", hash = "{DIGEST}", size = 10', '.whl"'),
        ),
        5,
        ("wheel of wide", "url source", "no hash"),
    ),
    "path wheel without hash": (
        changed(
            (f'registry = "{INDEX}"', f'path = "{WHEEL}"'), (SDIST, ""), (f', hash = "{DIGEST}", size = 10 }},', " }")
        ),
        5,
        ("wheel of wide", "path source", "no hash"),
    ),
    "wheel of another version": (
        changed((WHEEL, "wide-1.1-py3-none-any.whl")),
        5,
        ("wide is locked at 1.0", "of version 1.1", "wide-1.1-py3-none-any.whl"),
    ),
    "wheel without the local part": (
        changed(('"1.0"', '"1.0+cu124"')),
        5,
        ("wide is locked at 1.0+cu124", "of version 1.0", WHEEL),
    ),
    "wheel of no version": (changed((WHEEL, "wide-x-py3-none-any.whl")), 5, ("no valid version",)),
    "wheel without tags": (changed((WHEEL, "wide-1.0.whl")), 5, ("no valid file name", "wide-1.0.whl")),
    "wheel of too many parts": (changed((WHEEL, "wide-1.0-1-2-py3-none-any.whl")), 5, ("no valid file name",)),
    "wheel with a number for a Python": (changed((WHEEL, "wide-1.0-3-none-any.whl")), 5, ("no valid file name",)),
    "wheel that is none": (changed((WHEEL, "wide-1.0.zip")), 5, ("wheel of wide", "no wheel", "wide-1.0.zip")),
    "wheel without place": (
        changed(('{ url = "https://files.example/wide-1.0-py3-none-any.whl", ', "{ ")),
        5,
        ("neither url, path nor filename",),
    ),
    "wheels are a table": (changed((WHEELS, "wheels = {}\n")), 5, ("`wheels` of wide", "list of tables")),
    "sdist is a text": (changed((SDIST, 'sdist = "x"\n')), 5, ("sdist of wide", "not a table")),
    "hash without algorithm": (changed((DIGEST, "a1" * 32)), 5, ("hash of wide-1.0.tar.gz", "algorithm:hex")),
    "hash of an unknown algorithm": (changed((DIGEST, "sha1:" + "a" * 40)), 5, ("hash of wide-1.0.tar.gz", "sha1:")),
    "hash too short": (changed((DIGEST, DIGEST[:-1])), 5, ("hash of wide-1.0.tar.gz",)),
    "hash empty": (changed((DIGEST, "sha256:")), 5, ("hash of wide-1.0.tar.gz",)),
    "hash not hexadecimal": (changed((DIGEST, "sha256:" + "xy" * 32)), 5, ("hash of wide-1.0.tar.gz",)),
    "hash number": (changed((f'"{DIGEST}"', "1")), 5, ("`hash` of wide-1.0.tar.gz", "a number")),
    "size text": (changed(("size = 10", 'size = "10"')), 5, ("`size` of wide-1.0.tar.gz", "not a whole number")),
    "size negative": (changed(("size = 10", "size = -10")), 5, ("`size` of wide-1.0.tar.gz", "not a whole number")),
    "dangling edge": (
        changed(('{ name = "wide" }', '{ name = "other" }')),
        14,
        ("app depends on other", "not in this lock"),
    ),
    "edge to another version": (
        changed(('{ name = "wide" }', '{ name = "wide", version = "2.0" }')),
        14,
        ("app depends on wide 2.0", "not in this lock"),
    ),
    "edge to another source": (
        changed(('{ name = "wide" }', '{ name = "wide", source = { virtual = "." } }')),
        14,
        ("app depends on wide", "not in this lock"),
    ),
    "edge of words": (changed(('    { name = "wide" },\n', '"wide"')), 14, ("`dependencies` of app", "list of tables")),
    "edge without name": (
        changed(('{ name = "wide" }', '{ version = "1.0" }')),
        14,
        ("dependency of app has no name",),
    ),
    "ambiguous edge": (BASE + SECOND, 14, ("app depends on wide", "which of 2 entries")),
    "ambiguous edge with version": (
        changed(('{ name = "wide" }', '{ name = "wide", version = "2.0" }')) + SECOND,
        14,
        ("app depends on wide", "which of 2 entries"),
    ),
    "ambiguous edge with source": (
        changed(('{ name = "wide" }', f'{{ name = "wide", source = {{ registry = "{INDEX}" }} }}')) + SECOND,
        14,
        ("app depends on wide", "not in this lock"),
    ),
    "marker of words": (
        changed(('{ name = "wide" }', '{ name = "wide", marker = "linux" }')),
        14,
        ("a marker of app", "unknown marker variable 'linux'"),
    ),
    "marker number": (
        changed(('{ name = "wide" }', '{ name = "wide", marker = 3 }')),
        14,
        ("a marker of app", "a number"),
    ),
    "extras text": (
        changed(('{ name = "wide" }', '{ name = "wide", extra = "x" }')),
        14,
        ("`extra` of app", "list of strings"),
    ),
    "duplicate package": (
        BASE + SECOND.replace("2.0", "1.0"),
        25,
        ("wide is here twice", "same version and source", "first at line 5"),
    ),
    "duplicate package, spelled apart": (
        BASE + SECOND.replace("2.0", "v1.0.0").replace('"wide"', '"Wide"'),
        25,
        ("wide is here twice", "first at line 5"),
    ),
    "duplicate edge": (
        changed(('    { name = "wide" },\n', '    { name = "wide" },\n' * 2)),
        14,
        ("app depends on wide twice",),
    ),
    "duplicate edge, spelled apart": (
        changed(
            (
                '    { name = "wide" },\n',
                """\
    { name = "wide", extra = ["a", "b"], marker = "os_name == 'nt'" },
    { name = "Wide", extra = ["b", "a"], marker = "(os_name=='nt')" },
""",
            )
        ),
        14,
        ("app depends on wide twice",),
    ),
    "fork marker of words": (
        changed(("revision = 3\n", 'revision = 3\nresolution-markers = ["linux"]\n')),
        1,
        ("a marker of the lock", "'linux'"),
    ),
    "fork markers are a text": (
        changed(("revision = 3\n", "revision = 3\nresolution-markers = \"os_name == 'nt'\"\n")),
        1,
        ("`resolution-markers` of the lock", "a string, not a list"),
    ),
    "conflict of one": (
        changed(("revision = 3\n", 'revision = 3\nconflicts = [[{ package = "app", extra = "a" }]]\n')),
        1,
        ("`conflicts`", "fewer than two"),
    ),
    "conflict without package": (
        changed(("revision = 3\n", 'revision = 3\nconflicts = [[{ extra = "a" }, { extra = "b" }]]\n')),
        1,
        ("`conflicts`", "names no package"),
    ),
    "conflict of both kinds": (
        changed(
            (
                "revision = 3\n",
                'revision = 3\nconflicts = [[{ package = "app", extra = "a", group = "a" }, { package = "app" }]]\n',
            )
        ),
        1,
        ("`conflicts`", "both an extra and a group"),
    ),
    "conflicts flat": (
        changed(("revision = 3\n", 'revision = 3\nconflicts = [{ package = "app" }]\n')),
        1,
        ("`conflicts`", "list of lists"),
    ),
    "manifest number": (changed(("revision = 3\n", "revision = 3\nmanifest = 3\n")), 1, ("`manifest`", "a number")),
    "members text": (
        changed(("revision = 3\n", 'revision = 3\nmanifest = { members = "app" }\n')),
        1,
        ("`members` of the manifest", "list of strings"),
    ),
    "options list": (changed(("revision = 3\n", "revision = 3\noptions = []\n")), 1, ("`options`", "a list")),
    "groups under both names": (
        BASE.replace(
            "[package.metadata]", "[package.dev-dependencies]\n[package.dependency-groups]\n[package.metadata]"
        ),
        14,
        ("both `dev-dependencies` and `dependency-groups`",),
    ),
    "extras are a number": (
        changed(("dependencies = [", "optional-dependencies = 3\ndependencies = [")),
        14,
        ("`optional-dependencies` of app", "a number"),
    ),
    "metadata of words": (
        changed(("requires-dist = [{", "requires-dev = 3\nrequires-dist = [{")),
        14,
        ("metadata of app",),
    ),
    "default groups are a number": (
        changed(("dependencies = [", "default-groups = 3\ndependencies = [")),
        14,
        ("`default-groups` of app", "list of strings"),
    ),
}


@pytest.mark.parametrize("case", MALFORMED, ids=str)
def test_what_uv_refuses_is_one_error_with_file_and_line(case: str, tmp_path: Path) -> None:
    text, line, words = MALFORMED[case]
    path = tmp_path / "prod" / "uv.lock"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_lock(path, tmp_path)
    error = caught.value
    assert (error.path, error.line) == ("prod/uv.lock", line), error
    assert str(error).startswith(f"prod/uv.lock:{line}:")
    for word in words:
        assert word in error.message
    assert error.exit_code == 2
    assert not uv_exports(text, tmp_path)


# A lock that uv itself reads, but would never have written.
STRICTER = {
    "two sources": (changed((" }\nsdist", ', virtual = "." }\nsdist')), ("source of wide", "registry, virtual")),
}


@pytest.mark.parametrize("case", STRICTER, ids=str)
def test_what_no_uv_writes_is_refused_too(case: str, tmp_path: Path) -> None:
    text, words = STRICTER[case]
    assert uv_exports(text, tmp_path)
    with pytest.raises(InputError) as caught:
        read_lock(tmp_path / "uv.lock", tmp_path)
    for word in words:
        assert word in caught.value.message


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    for deep in ("[" * 50_000, "[" * 50_000 + "]" * 50_000, "{a=" * 50_000):
        with pytest.raises(InputError, match="nests too deeply"):
            parsed(f"version = 1\nx = {deep}\n")


def test_numbers_of_any_length_are_an_error_and_no_crash() -> None:
    digits = "9" * 5000
    with pytest.raises(InputError, match="not TOML that can be read"):
        parsed(f"version = {digits}\n")
    with pytest.raises(InputError, match="`version` of the lock is not a whole number of 64 bits"):
        parsed(f"version = 0x{'f' * 5000}\n")
    marker = f"python_version == '{digits}'"  # no version, and so no equal one
    lock = parsed(changed(('{ name = "wide" }', f'{{ name = "wide", marker = "{marker}" }}')))
    target = Target.parse("linux-x86_64-cp312")
    assert [found.name for found in select(lock, target, Request()).packages] == ["app"]


# -- what is unreadable -------------------------------------------------------------------------------------------


def refusal(path: Path, root: Path) -> InputError:
    """The error of reading a path."""
    with pytest.raises(InputError) as caught:
        read_lock(path, root, what="prod lock")
    return caught.value


def test_a_missing_lock(tmp_path: Path) -> None:
    error = refusal(tmp_path / "prod" / "uv.lock", tmp_path)
    assert error.path == "prod/uv.lock"
    assert error.message == "no prod lock here: the file does not exist"
    assert error.hint is not None
    assert "uv lock" in error.hint


def test_a_folder(tmp_path: Path) -> None:
    error = refusal(tmp_path, tmp_path)
    assert error.path == "."
    assert error.message == "this is a directory, not a prod lock"


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "prod").write_text("", encoding="utf-8")
    error = refusal(tmp_path / "prod" / "uv.lock", tmp_path)
    assert error.path == "prod/uv.lock"
    assert error.message == "no prod lock here: a parent of the path is a file"


def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "uv.lock"
    path.write_text(BASE, encoding="utf-8")
    path.chmod(0)
    with without_privileges():
        error = refusal(path, tmp_path)
    assert error.path == "uv.lock"
    assert error.message == "no permission to read this prod lock"
    assert error.hint == "make it readable for the user who runs lockaudit"


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="only Linux has a file that even root cannot read")
def test_a_file_that_nobody_can_read() -> None:
    error = refusal(Path("/proc/self/mem"), Path("/proc/self"))
    assert error.path == "mem"
    assert error.message.startswith("cannot read this prod lock: ")


def test_a_loop_of_links(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").symlink_to(tmp_path / "uv.lock")
    assert refusal(tmp_path / "uv.lock", tmp_path).message.startswith("cannot read this prod lock: ")


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (BASE.replace("files", "fil\xe9s").encode("latin-1"), 9),
        (BASE.encode("utf-16"), 1),
        (b"\x80", 1),
    ],
)
def test_other_encodings(data: bytes, line: int, tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_bytes(data)
    error = refusal(tmp_path / "uv.lock", tmp_path)
    assert (error.path, error.line) == ("uv.lock", line)
    assert "not UTF-8" in error.message
