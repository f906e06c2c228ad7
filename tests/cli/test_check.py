"""`lockaudit check`: exit codes, formats, streams, what is accepted, and a real repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pytest

from auditor.cli.check import check as command
from auditor.cli.main import run
from auditor.cli.terminal import wants_color
from tests.cli.command import Result, check, lockaudit, process
from tests.rules.specimens import COMPARING, LINUX, MACOS, TARGET, package, plain, registry, wheel, write_pair
from tests.support import REPOSITORY, require_corpus
from tests.wheel.specimens import COMPILED

if TYPE_CHECKING:
    from pathlib import Path

FILELOCK = plain(package("filelock"))
NEWER = plain(package("filelock", "1.1"))
WIDER = plain(package("filelock"), requires_python=">=3.11")
OTHER_PYTHON = "linux-x86_64-cp313"
(_FORMATS,) = [parameter.type for parameter in command.params if parameter.name == "output_format"]
assert isinstance(_FORMATS, click.Choice)
FORMATS = tuple(_FORMATS.choices)

# dev, prod, arguments, exit code
EXIT_CODES = {
    "clean": (FILELOCK, FILELOCK, (), 0),
    "an error": (FILELOCK, NEWER, (), 1),
    "a warning": (FILELOCK, WIDER, (), 0),
    "an error that nobody minds": (FILELOCK, NEWER, ("--exit-zero",), 0),
    "a target that is not covered": (FILELOCK, FILELOCK, ("--target", "linux-x86_64-cp311"), 1),
    "bad input, whoever minds": (FILELOCK, "", ("--exit-zero",), 2),
    "bad usage, whoever minds": (FILELOCK, FILELOCK, ("--exit-zero", "--no-such-option"), 2),
}


@pytest.fixture
def drifted(tmp_path: Path) -> Path:
    """A pair with one error."""
    return write_pair(tmp_path, dev=FILELOCK, prod=NEWER)


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize(("dev", "prod", "arguments", "code"), EXIT_CODES.values(), ids=EXIT_CODES)
def test_exit_code(  # the table's columns, the format that must not matter, and a folder
    tmp_path: Path, output_format: str, dev: str, prod: str, arguments: tuple[str, ...], code: int
) -> None:
    root = write_pair(tmp_path, dev=dev, prod=prod)
    result = lockaudit("check", root, "--output-format", output_format, *arguments)
    assert result.code == code
    assert bool(result.err) == (code == 2)
    assert not (result.out and result.err)


def test_concise_is_one_line_for_each_finding(drifted: Path) -> None:
    assert lockaudit("check", drifted, "--output-format", "concise").out.splitlines() == [
        "prod/uv.lock:15:1: LA103 filelock 1.1 in prod, 1.0 in dev",
        f"found 1 error; compared 1 package on {TARGET}",
    ]


def test_clean_says_what_was_proven(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=FILELOCK, prod=FILELOCK, targets=(TARGET, OTHER_PYTHON))
    expected = f"prod is a consistent subset of dev: 1 package on {TARGET}, 1 package on {OTHER_PYTHON}\n"
    assert lockaudit("check", root).out == expected
    assert lockaudit("check", root, "--output-format", "concise").out == expected


def test_json_has_the_promised_shape(drifted: Path) -> None:
    """The shape that was promised is frozen: keys may be added, none may go or change."""
    document = check(drifted).document
    assert document["version"] == 1
    assert document["tool"]["name"] == "lockaudit"
    (finding,) = document["findings"]
    promised = {
        "code": "LA103",
        "name": "version-differs",
        "severity": "error",
        "message": "filelock 1.1 in prod, 1.0 in dev",
        "package": "filelock",
        "target": TARGET,
        "path": "prod/uv.lock",
        "line": 15,
        "column": 1,
        "help": "run `uv lock --upgrade-package filelock==1.0` in prod",
    }
    assert {key: finding[key] for key in promised} == promised
    assert finding["related"] == [
        {"path": "uv.lock", "line": 15, "column": 1, "message": "filelock 1.0 in dev"},
    ]
    summary = document["summary"]
    assert (summary["error"], summary["warning"], summary["info"]) == (1, 0, 0)
    assert summary["targets"] == [TARGET]
    assert summary["compared"] == {TARGET: 1}


def test_json_of_a_clean_pair(tmp_path: Path) -> None:
    document = check(write_pair(tmp_path, dev=FILELOCK, prod=FILELOCK)).document
    assert document["findings"] == []
    assert document["summary"]["error"] == 0


def test_one_finding_names_every_target_that_has_it(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=FILELOCK, prod=NEWER, targets=(TARGET, OTHER_PYTHON))
    assert [finding["target"] for finding in check(root).findings] == [f"{TARGET}, {OTHER_PYTHON}"]


def test_the_command_line_counts_before_the_settings(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=FILELOCK, prod=NEWER, targets=("windows-amd64-cp312",))
    assert [finding["target"] for finding in check(root, "--target", TARGET).findings] == [TARGET]


def test_other_places_of_the_locks(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=FILELOCK, prod=NEWER)
    (root / "uv.lock").rename(root / "dev.lock")
    (root / "prod").rename(root / "serving")
    result = check(root, "--dev-lock", "dev.lock", "--prod-lock", "serving/uv.lock")
    assert [finding["path"] for finding in result.findings] == ["serving/uv.lock"]


def test_findings_are_in_the_order_of_their_places(tmp_path: Path) -> None:
    names = ("a", "b", "c")
    root = write_pair(
        tmp_path,
        dev=plain(*map(package, names), requires_python=">=3.12, <3.13"),
        prod=plain(*(package(name, "2.0") for name in reversed(names))),
    )
    places = [(finding["path"], finding["line"]) for finding in check(root).findings]
    assert places == sorted(places)
    assert len(places) == 4


ACCEPTED = 'ignore = { LA103 = "the release is tested by hand" }\n'


def test_the_reason_is_shown_and_the_code_is_zero(tmp_path: Path) -> None:
    root = write_pair(tmp_path, dev=FILELOCK, prod=NEWER, config=ACCEPTED)
    result = lockaudit("check", root)
    assert result.code == 0
    assert result.out == (
        "accepted[LA103]: 1 finding: the release is tested by hand\n\n"
        f"prod is a consistent subset of dev: 1 package on {TARGET} (1 accepted)\n"
    )


def test_they_are_in_the_json_with_their_reason(tmp_path: Path) -> None:
    document = check(write_pair(tmp_path, dev=FILELOCK, prod=NEWER, config=ACCEPTED)).document
    assert document["findings"] == []
    assert [(item["code"], item["reason"]) for item in document["ignored"]] == [
        ("LA103", "the release is tested by hand")
    ]


def test_other_codes_stay(tmp_path: Path) -> None:
    prod = plain(package("filelock", "1.1"), package("orjson"))
    result = lockaudit("check", write_pair(tmp_path, dev=FILELOCK, prod=prod, config=ACCEPTED))
    assert result.code == 1
    assert "error[LA101]: orjson" in result.out
    assert "error[LA103]" not in result.out


# what would move a cursor, switch direction, break a line or colour a terminal
HOSTILE = "\x1b[31m\u202e\u2066\x07\r\u200b"
ESCAPED = HOSTILE.encode("unicode_escape").decode().replace("\\x", "\\u00").replace("\\r", "\\u000d")
HOSTILE_PAIRS = {
    "the name of a package": {"prod": plain(package("filelock"), package(f"or{ESCAPED}json"))},
    "the address of an index": {"prod": plain(package("filelock", source=registry(f"https://x.example/{ESCAPED}")))},
    "an address as it stands in the lock": {
        "prod": plain(package("filelock", source=registry("https://x.example/\u202e\u200b")))
    },
    "the name of a file": {
        "prod": plain(package("filelock", wheels=[wheel("filelock", base="https://x.example", hash=None), LINUX])),
    },
    "the reason of what is accepted": {"prod": NEWER, "config": f'ignore = {{ LA103 = "so{ESCAPED}" }}\n'},
    "a comment in the settings": {"prod": FILELOCK, "config": f'ignore = {{ LA103 = "x" }} # {HOSTILE[1:3]}\n'},
}


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("pair", HOSTILE_PAIRS.values(), ids=HOSTILE_PAIRS)
def test_control_characters_are_shown_escaped(tmp_path: Path, pair: dict[str, Any], output_format: str) -> None:
    root = write_pair(tmp_path, dev=FILELOCK, **pair, select=("LA",))
    result = lockaudit("check", root, "--output-format", output_format)
    assert result.err == ""
    assert [line for line in result.out.split("\n") if not line.isprintable()] == []


LOGIN = "https://ci-user:s3cret@index.example/simple"
UNNAMED = "https://s3cret@mirror.example/simple"
GIT = f'git = "https://ci-user:s3cret@git.example/core?tag=v1#{"a" * 40}"'
LEAKING_PAIRS = {
    "an index with a login": plain(package("filelock", "1.1", source=registry(LOGIN))),
    "an index with a token": plain(package("filelock", "1.0", source=registry(UNNAMED))),
    "a commit": plain(package("filelock", "1.0", source=GIT)),
    "a file": plain(
        package(
            "filelock", wheels=[wheel("filelock", hash=None, base="https://ci-user:s3cret@files.example/" + "x" * 90)]
        )
    ),
    "a file that is cut out of a long line": plain(
        package(
            "filelock", wheels=[wheel("filelock", hash=None, base="https://ci-user:s3cret@" + "x" * 90 + ".example")]
        )
    ),
    "nothing to find": plain(package("filelock", source=registry(LOGIN))),
    "no file for the target": plain(package("filelock", source=registry(LOGIN), wheels=[MACOS])),
}


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("prod", LEAKING_PAIRS.values(), ids=LEAKING_PAIRS)
def test_logins_are_never_shown(tmp_path: Path, prod: str, output_format: str) -> None:
    result = lockaudit("check", write_pair(tmp_path, dev=FILELOCK, prod=prod), "--output-format", output_format)
    assert "s3cret" not in result.out + result.err


@pytest.mark.parametrize("output_format", FORMATS)
def test_logins_of_settings_are_never_shown(tmp_path: Path, output_format: str) -> None:
    """Every rule runs, on projects whose indexes and sources have a login and disagree with the locks."""
    torch = "https://ci-user:s3cret@download.example/whl/cu124"
    root = COMPILED.but(torch_index=torch, prod_torch="2.6.0").write(tmp_path)
    for path in (root / "pyproject.toml", root / "prod" / "pyproject.toml"):
        kept = [line for line in path.read_text().splitlines() if not line.startswith("select")]
        text = "\n".join(kept).replace("dependencies = []", f'dependencies = ["core @ {LOGIN}/core-1.0.tar.gz"]')
        path.write_text(
            f'{text}\n[tool.uv.sources]\ncore = {{ git = "{LOGIN}" }}\ntorch = {{ index = "cu124" }}\n'
            f'[[tool.uv.index]]\nname = "cu124"\nurl = "{torch}"\n'
            f'[[tool.uv.index]]\nname = "local"\nurl = "{LOGIN}"\ndefault = true\n'
        )
    result = lockaudit("check", root, "--output-format", output_format)
    assert (result.code, result.err) == (1, "")
    assert "s3cret" not in result.out


def test_a_login_is_masked_in_the_line_that_is_shown(tmp_path: Path) -> None:
    prod = plain(package("filelock", source=registry("https://ci-user:s3cret@mirror.example/simple")))
    shown = lockaudit("check", write_pair(tmp_path, dev=FILELOCK, prod=prod)).out
    assert '16 | source = { registry = "https://***@mirror.example/simple" }' in shown
    assert "registry https://***@mirror.example/simple in prod" in shown


def test_the_caret_stays_below_its_place(tmp_path: Path) -> None:
    rebuilt = wheel("filelock", hash=f"sha256:{'0' * 64}", size=None, base="https://ci-user:s3cret@f")
    prod = plain(package("filelock", wheels=[rebuilt]))
    lines = lockaudit("check", write_pair(tmp_path, dev=FILELOCK, prod=prod)).out.splitlines()
    (shown,) = [line for line in lines if "hash = " in line]
    assert lines[lines.index(shown) + 1].index("^") == shown.index("hash = ")


def test_a_reader_that_leaves(drifted: Path) -> None:
    result = process("check", drifted, suffix="| head -1")
    assert result == Result(0, "error[LA103]: filelock 1.1 in prod, 1.0 in dev\n", "")


@pytest.mark.parametrize("arguments", [("rule", "--all"), ("--help",), ("check",)], ids=lambda words: words[0])
def test_a_reader_that_has_left_is_no_finding(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write_pair(tmp_path, dev=FILELOCK, prod=FILELOCK)
    # The reader is gone before the command starts.
    result = process(*arguments, cwd=tmp_path, prefix="exec 3> >(exit); wait $!;", suffix=">&3")
    assert result == Result(2, "", "")


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize(("prod", "code"), [(FILELOCK, 0), (NEWER, 1), ("", 2)], ids=["clean", "found", "broken"])
def test_closed_streams_leave_the_exit_code(tmp_path: Path, redirection: str, prod: str, code: int) -> None:
    result = process("check", write_pair(tmp_path, dev=FILELOCK, prod=prod), suffix=redirection)
    assert result.code == code
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    "env",
    [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}],
    ids=["C", "ascii", "POSIX"],
)
def test_a_locale_without_utf8(tmp_path: Path, env: dict[str, str]) -> None:
    config = 'ignore = { LA103 = "geprüft \u2014 проверено" }\n'
    root = write_pair(tmp_path / "größe", dev=FILELOCK, prod=NEWER, config=config)
    result = process("check", root, env=env)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("accepted[LA103]: 1 finding: gepr")
    assert process("check", tmp_path / "größe" / "prod", env=env).code == 2


# --color, the environment, whether stdout is a terminal, whether to colour
COLOURS: tuple[tuple[str, dict[str, str], bool, bool], ...] = (
    ("always", {"NO_COLOR": "1"}, False, True),
    ("never", {"FORCE_COLOR": "1"}, True, False),
    ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
    ("auto", {"FORCE_COLOR": "1"}, False, True),
    ("auto", {"NO_COLOR": ""}, True, True),
    ("auto", {"TERM": "dumb"}, True, False),
    ("auto", {}, True, True),
    ("auto", {}, False, False),
)


class _Terminal:
    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(("choice", "env", "terminal", "expected"), COLOURS)
def test_when_to_colour(
    monkeypatch: pytest.MonkeyPatch,
    choice: str,
    env: dict[str, str],
    *,
    terminal: bool,
    expected: bool,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert wants_color(choice, _Terminal(terminal=terminal)) == expected  # type: ignore[arg-type]


def test_colour_changes_nothing_but_colours(drifted: Path) -> None:
    plainly = lockaudit("check", drifted, "--color", "never").out
    coloured = lockaudit("check", drifted, "--color", "always").out
    assert "\x1b" not in plainly
    assert click.unstyle(coloured) == plainly
    assert coloured.startswith("\x1b[1;31merror[LA103]\x1b[0m: ")


DRIFTED = ("bench-utils", "model-interface", "model-qwen2-5-vl", "print-utils")
ARGUMENTS = ("--dev-extra", "cu124", "--compiled", "flash-attn")


@pytest.fixture
def playground() -> Path:
    """Its folder in the corpus."""
    return require_corpus() / "VLMHyperBenchTeam__vlmhyperbench_playground"


def found(result: Result) -> set[tuple[str, str | None]]:
    """(code, package) of the rules that compare the two locks."""
    return {(f["code"], f["package"]) for f in result.findings if f["code"] in COMPARING}


@pytest.mark.corpus
def test_exactly_what_drifted_is_found(playground: Path) -> None:
    result = check(playground, "--target", TARGET, *ARGUMENTS)
    assert result.code == 1
    assert found(result) == {
        *(("LA103", name) for name in DRIFTED),
        *(("LA105", name) for name in (*DRIFTED, "prompt-handler")),
        ("LA111", None),
        ("LA202", "flash-attn"),
    }


@pytest.mark.corpus
def test_declared_first_party_packages_still_compare_their_versions(playground: Path) -> None:
    names = [word for name in (*DRIFTED, "prompt-handler") for word in ("--first-party", name)]
    result = check(playground, "--target", TARGET, *ARGUMENTS, *names)
    assert found(result) == {
        *(("LA103", name) for name in DRIFTED),
        ("LA111", None),
        ("LA202", "flash-attn"),
    }


@pytest.mark.corpus
def test_a_python_that_dev_excludes(playground: Path) -> None:
    result = check(playground, "--target", "linux-x86_64-cp311", *ARGUMENTS)
    assert result.code == 1
    assert found(result) == {("LA109", None), ("LA111", None)}
    (uncovered,) = [finding for finding in result.findings if finding["code"] == "LA109"]
    assert uncovered["path"] == "uv.lock"


@pytest.mark.corpus
def test_without_a_choice_it_asks_for_one(playground: Path) -> None:
    result = lockaudit("check", playground, "--target", TARGET)
    assert (result.code, result.out) == (2, "")
    assert "cu124, cu128" in result.err
    assert "--dev-extra cu124" in result.err


def test_select_runs_the_named_rules_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(REPOSITORY), "--select", "LA1", "--select", "la201"]) == 0
    assert run(["check", str(REPOSITORY), "--select", "LA9"]) == 2
    assert "no rule's code begins with 'LA9'" in capsys.readouterr().err
