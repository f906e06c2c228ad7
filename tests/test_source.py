"""Files: read once and whole, with errors that name them; written whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import stat
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from auditor.errors import InputError, OutputError
from auditor.source import (
    SourceFile,
    alone,
    display_name,
    hide_logins,
    read_source,
    sweep,
    write_atomic,
    write_together,
)
from tests.privileges import without_privileges

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
IN_ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def source(text: str) -> SourceFile:
    """A file of that text."""
    return SourceFile(Path("uv.lock"), "uv.lock", text)


# -- reading --------------------------------------------------------------------------------------------------------


@IN_ONE_FOLDER
@given(TEXTS)
def test_what_is_written_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file"
    write_atomic(path, text)
    assert path.read_bytes() == text.encode()
    if not any(line.startswith(("<<<<<<< ", ">>>>>>> ", "||||||| ")) for line in source(text).lines):
        assert read_source(path).text == text.removeprefix("\ufeff")


@given(st.lists(st.sampled_from(("a", "b", "\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\x1c"))).map("".join))
def test_lines_end_where_editors_and_toml_end_them(text: str) -> None:
    lines = source(text).lines
    assert len(lines) == text.count("\n") + bool(text and not text.endswith("\n"))
    assert "\n".join(lines) == text.replace("\r\n", "\n").removesuffix("\n").removesuffix("\r" * text.endswith("\r"))
    assert all("\n" not in line for line in lines)


def test_lines_by_number() -> None:
    file = source("one\r\ntwo\n\nfour")
    assert file.lines == ["one", "two", "", "four"]
    assert [file.line(number) for number in range(-1, 6)] == ["", "", "one", "two", "", "four", ""]


@given(
    text=st.text(alphabet="ab\n", max_size=30), needle=st.text(alphabet="ab", min_size=1, max_size=2), data=st.data()
)
def test_find_gives_the_first_place(text: str, needle: str, data: st.DataObject) -> None:
    file = source(text)
    first, last = data.draw(st.integers(1, 8)), data.draw(st.none() | st.integers(1, 8))
    within = [
        (number, line.index(needle) + 1)
        for number, line in enumerate(file.lines, start=1)
        if needle in line and first <= number <= (last or len(file.lines))
    ]
    found = file.find(needle, first, last)
    assert (None if found is None else (found.line, found.column)) == (within[0] if within else None)


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"a\nb\xff\n", 2, ("not UTF-8", "byte 3")),
        (b"\xff\xfea\x00", 1, ("not UTF-8", "byte 0")),
        (b"a\n\n<<<<<<< HEAD\nb\n=======\n", 3, ("merge marker",)),
        (b"a\r\n>>>>>>> theirs\r\n", 2, ("merge marker",)),
        (b"\xef\xbb\xbf||||||| base\n", 1, ("merge marker",)),
    ],
)
def test_what_is_no_text_is_refused_at_its_line(data: bytes, line: int, words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "prod" / "uv.lock"
    path.parent.mkdir()
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_source(path, tmp_path, what="prod lock")
    assert (caught.value.path, caught.value.line) == ("prod/uv.lock", line)
    for word in (*words, "this prod lock"):
        assert word in caught.value.message


def test_what_only_looks_like_a_merge_marker_is_read(tmp_path: Path) -> None:
    text = "a <<<<<<< b\n =======\n<<<<<<<\n# >>>>>>> x\n"
    (tmp_path / "file").write_text(text, encoding="utf-8")
    assert read_source(tmp_path / "file").text == text


def unreadable() -> Iterator[tuple[str, Callable[[Path], Path], str]]:
    """Name, how to make the path in an empty folder, the message."""
    yield "missing", lambda folder: folder / "x", "no thing here: the file does not exist"
    yield "below nothing", lambda folder: folder / "x" / "y", "no thing here: the file does not exist"
    yield "a folder", lambda folder: folder, "this is a directory, not a thing"
    yield "below a file", lambda folder: _file(folder) / "y", "no thing here: a parent of the path is a file"
    yield "a loop", _loop, "cannot read this thing: "
    yield "too long", lambda folder: folder / ("x" * 5000), "cannot read this thing: "
    yield "a null character", lambda folder: folder / "a\0b", "no thing here: the path holds a null character"


def _file(folder: Path) -> Path:
    (folder / "file").write_text("", encoding="utf-8")
    return folder / "file"


def _loop(folder: Path) -> Path:
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop"


@pytest.mark.parametrize(("make", "message"), [pytest.param(*case[1:], id=case[0]) for case in unreadable()])
def test_what_cannot_be_read_is_one_error(make: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    path = make(tmp_path)
    with pytest.raises(InputError) as caught:
        read_source(path, tmp_path, what="thing", hint="make one")
    assert caught.value.path == path.relative_to(tmp_path).as_posix()
    assert caught.value.message.startswith(message)
    assert caught.value.line is None


def test_names_are_relative_to_the_root(tmp_path: Path) -> None:
    root = tmp_path / "project"
    assert display_name(root / "prod" / "uv.lock", root) == "prod/uv.lock"
    assert display_name(tmp_path / "uv.lock", root) == "../uv.lock"
    assert display_name(root, root) == "."
    (tmp_path / "uv.lock").write_text("x", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_source(tmp_path / "uv.lock", root)
    assert caught.value.path == "../uv.lock"
    assert read_source(tmp_path / "uv.lock").name == (tmp_path / "uv.lock").as_posix()


# -- writing --------------------------------------------------------------------------------------------------------


def fails(*_: object, **__: object) -> NoReturn:
    """A disk without space."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file with text."""
    path = tmp_path / "docker-bake.hcl"
    path.write_text("old", encoding="utf-8")
    return path


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod", "fdopen"])
def test_a_full_disk_leaves_the_old_file(call: str, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, call, fails)
    with pytest.raises(OutputError) as caught:
        write_atomic(old, "new", name="docker-bake.hcl")
    assert caught.value.message == f"cannot write: {os.strerror(errno.ENOSPC)}"
    assert (caught.value.path, caught.value.hint) == ("docker-bake.hcl", "nothing was changed")
    assert caught.value.exit_code == 2
    assert old.read_text(encoding="utf-8") == "old"
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError()])
def test_an_interrupt_leaves_the_old_file_and_nothing_beside_it(
    error: BaseException, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: int) -> NoReturn:
        raise error

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(type(error)):
        write_atomic(old, "new")
    assert old.read_text(encoding="utf-8") == "old"
    assert list(old.parent.iterdir()) == [old]


def test_text_that_has_no_bytes_leaves_the_old_file(old: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_atomic(old, "\ud800")
    assert old.read_text(encoding="utf-8") == "old"
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_device_without_space() -> None:
    with pytest.raises(OutputError, match=os.strerror(errno.ENOSPC)):
        write_atomic(Path("/dev/full"), "new")


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody can enter, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_folder_without_permission_keeps_its_files(public: Path) -> None:
    path = public / "uv.lock"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o666)
    public.chmod(0o555)
    with without_privileges(), pytest.raises(OutputError) as caught:
        write_atomic(path, "new", name="uv.lock")
    public.chmod(0o755)
    assert caught.value.message == f"cannot write: {os.strerror(errno.EACCES)}"
    assert caught.value.hint == "nothing was changed"
    assert path.read_text(encoding="utf-8") == "old"
    assert list(public.iterdir()) == [path]


def test_what_is_no_place_for_a_file(tmp_path: Path, old: Path) -> None:
    # For a parent that is a file, making it as a folder is what fails.
    for path, code in ((tmp_path, errno.EISDIR), (old / "below", errno.EEXIST), (old / "a" / "b", errno.ENOTDIR)):
        with pytest.raises(OutputError) as caught:
            write_atomic(path, "new")
        assert caught.value.path == path.as_posix()
        assert caught.value.message == f"cannot write: {os.strerror(code)}"
    assert old.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o664])
def test_the_mode_of_a_file_is_kept(mode: int, old: Path) -> None:
    old.chmod(mode)
    write_atomic(old, "new")
    assert stat.S_IMODE(old.stat().st_mode) == mode
    assert old.read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_mode_of_any_new_file(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        write_atomic(tmp_path / "a" / "b" / "new", "text")
        (tmp_path / "plain").write_text("text", encoding="utf-8")
        after = os.umask(mask)
    finally:
        os.umask(before)
    assert after == mask
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a" / "b" / "new", tmp_path / "plain")]
    assert modes[0] == modes[1] == 0o666 & ~mask
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["new"]


def test_a_link_is_written_through(tmp_path: Path, old: Path) -> None:
    for name, target in (("link", old), ("dangling", tmp_path / "sub" / "made")):
        link = tmp_path / "links" / name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(target)
        write_atomic(link, f"through {name}")
        assert link.is_symlink()
        assert not target.is_symlink()
        assert target.read_text(encoding="utf-8") == f"through {name}"
    assert sorted(path.name for path in (tmp_path / "links").iterdir()) == ["dangling", "link"]


# -- several files --------------------------------------------------------------------------------------------------


def test_several_files_are_written_or_none(tmp_path: Path, old: Path) -> None:
    other = tmp_path / "docker" / "wheel.lock"
    write_together([(old, "new", "one"), (other, "new", "two")])
    assert [path.read_text(encoding="utf-8") for path in (old, other)] == ["new", "new"]
    with pytest.raises(OutputError) as caught:
        write_together([(old, "newer", "one"), (tmp_path, "newer", "two"), (other, "newer", "three")])
    assert (caught.value.path, caught.value.hint) == ("two", "nothing was changed")
    assert [path.read_text(encoding="utf-8") for path in (old, other)] == ["new", "new"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docker", "docker-bake.hcl"]
    assert list(other.parent.iterdir()) == [other]


def test_a_failure_in_the_last_step_says_what_was_written(
    tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, other = os.replace, tmp_path / "other"

    def fails_for_other(source: Path, target: Path) -> None:
        (fails if target == other else real)(source, target)

    monkeypatch.setattr(os, "replace", fails_for_other)
    with pytest.raises(OutputError) as caught:
        write_together([(old, "new", "one"), (other, "new", "two"), (tmp_path / "third", "new", "three")])
    assert (caught.value.path, caught.value.hint) == ("two", "already written: one")
    assert old.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [old]


def left_by_a_killed_process(path: Path) -> Path:
    """A temporary file for a file, which nobody holds any more."""
    left = path.with_name(f".{path.name}.lockaudit-a1b2c3d4.tmp")
    left.write_text("half", encoding="utf-8")
    return left


def test_what_a_killed_process_has_left_goes_with_the_next_write(old: Path) -> None:
    others = [old.with_name(name) for name in (".docker-bake.hcl.swp", ".docker-bake.hcl.x.tmp", "x.lockaudit-a.tmp")]
    for other in others:
        other.write_text("theirs", encoding="utf-8")
    left_by_a_killed_process(old)
    write_atomic(old, "new")
    assert sorted(old.parent.iterdir()) == sorted([old, *others])


def test_what_a_living_process_holds_stays(old: Path) -> None:
    held = left_by_a_killed_process(old)
    with held.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        sweep(old)
        assert held.exists()
    sweep(old)
    assert not held.exists()


def test_a_temporary_file_that_is_swept_before_it_is_held_is_made_again(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, names = tempfile.mkstemp, []

    def swept_once(**options: Any) -> tuple[int, str]:  # noqa: ANN401 - what mkstemp takes
        handle, name = real(**options)
        names.append(name)
        if len(names) == 1:
            Path(name).unlink()
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", swept_once)
    write_atomic(old, "new")
    assert (old.read_text(encoding="utf-8"), len(names)) == ("new", 2)
    assert list(old.parent.iterdir()) == [old]


def test_all_is_on_disk_before_it_counts(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text before the name, the name before success: what a power cut leaves is whole too."""
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def flush(handle: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "text")
        fsync(handle)

    def rename(source: Path, target: Path) -> None:
        steps.append("name")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, "replace", rename)
    write_together([(old, "new", "one"), (old.with_name("two"), "new", "two")])
    assert steps == ["text", "text", "name", "name", "folder"]


def test_an_interrupt_waits_until_all_files_are_replaced(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, real = old.with_name("other"), os.replace

    def interrupted(source: Path, target: Path) -> None:
        signal.raise_signal(signal.SIGINT)
        real(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_together([(old, "new", "one"), (other, "new", "two")])
    assert [path.read_text(encoding="utf-8") for path in (old, other)] == ["new", "new"]
    assert sorted(old.parent.iterdir()) == sorted([old, other])
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_one_at_a_time(tmp_path: Path) -> None:
    order: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with alone(tmp_path, lambda: order.append("the first waits")):
            inside.set()
            leave.wait()
            order.append("the first leaves")

    def waits() -> None:
        order.append("the second waits")
        leave.set()

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    with alone(tmp_path, waits):
        order.append("the second")
    thread.join()
    assert order == ["the second waits", "the first leaves", "the second"]
    assert list(tmp_path.iterdir()) == []
    with alone(tmp_path / "missing", waits):  # whatever is wrong with the folder is for others to say
        pass


# -- files that change while they are read ----------------------------------------------------------------------------


def test_a_file_that_is_written_in_place_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path, text = tmp_path / "uv.lock", "line\n" * 10_000
    path.write_text(text[:20_480], encoding="utf-8")  # as far as the other program has come

    def finish() -> None:
        time.sleep(0.01)
        with path.open("a", encoding="utf-8") as file:
            file.write(text[20_480:])

    thread = threading.Thread(target=finish)
    thread.start()
    read = read_source(path).text
    thread.join()
    assert read == text


def test_a_file_that_never_stops_changing_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "uv.lock"
    path.write_text("x" * 8192, encoding="utf-8")
    now = time.time_ns()
    monkeypatch.setattr("auditor.source.time.sleep", lambda _: None)
    monkeypatch.setattr("auditor.source.time.time_ns", lambda: now)
    os.utime(path, ns=(now, now))
    with pytest.raises(InputError, match="another program keeps changing this prod lock"):
        read_source(path, tmp_path, what="prod lock")


# -- logins ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("registry https://user:token@index.example/simple", "registry https://***@index.example/simple"),
        ("https://token@index.example", "https://***@index.example"),
        ("HTTPS://a:b@c https://d:e@f", "HTTPS://***@c https://***@f"),
        ("https://user:p@ss@index.example/x@y", "https://***@index.example/x@y"),
        ("ssh://git@git.example/a", "ssh://git@git.example/a"),
        ("git+ssh://git:secret@git.example/a", "git+ssh://git@git.example/a"),
        ("somebody@mail.example", "somebody@mail.example"),
        ("https://index.example/a@1.0", "https://index.example/a@1.0"),
    ],
)
def test_logins_are_hidden(text: str, shown: str) -> None:
    assert hide_logins(text) == shown


@given(
    before=st.text(alphabet='ab "(:', max_size=6),
    scheme=st.sampled_from(("http", "https", "git+https", "ftp", "git+ssh")),
    user=st.text(alphabet="uvw.-%", max_size=5),
    after=st.text(alphabet="xyz/@?#: ", max_size=8),
)
def test_no_secret_survives(before: str, scheme: str, user: str, after: str) -> None:
    assert "SECRET" not in hide_logins(f"{before}{scheme}://{user}:SECRET@index.example{after}")
