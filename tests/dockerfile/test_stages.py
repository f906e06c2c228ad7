"""What a stage sees and does: files, locks, environments, variables and scripts; and that no text brings it down."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given, settings, strategies as st

from auditor.dockerfile.environments import existence
from auditor.dockerfile.images import bases, ends
from auditor.dockerfile.read import parse_dockerfile
from auditor.dockerfile.script import run
from auditor.dockerfile.shell import UNKNOWN, Shell
from auditor.dockerfile.stages import analyse
from auditor.errors import InputError
from auditor.source import SourceFile
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from auditor.dockerfile.facts import StageFacts, Step
    from auditor.dockerfile.model import Dockerfile

LOCKS: Final = ("uv.lock", "prod/uv.lock")


def parsed(text: str) -> Dockerfile:
    return parse_dockerfile(SourceFile(Path("Dockerfile"), "Dockerfile", dedent(text)))


def stages(text: str) -> dict[str, StageFacts]:
    """The stages of a Dockerfile by name; the last one is called `last` too."""
    found = analyse(parsed(text), LOCKS)
    return {**{facts.stage.name: facts for facts in found}, "last": found[-1]}


def calls(facts: StageFacts) -> list[Step]:
    """Its calls of uv."""
    return [step for step in facts.steps if step.uv is not None]


def commands(script: str, **variables: str) -> list[tuple[str, ...]]:
    """The words of the commands of a script, with `?` for what cannot be told."""
    return [tuple(word.replace(UNKNOWN, "?") for word in command.words) for command in run(script, shell(**variables))]


def shell(**variables: str) -> Shell:
    return Shell(
        variables=variables,
        exported=set(variables),
        arguments=frozenset({"EMPTY"}),
        cwd="/app",
        env_known=True,
        script={"/run.sh": "echo script $A", "/env": "export A=sourced\n"}.get,
    )


# --- scripts


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a && b; c | d\ne", [("a",), ("b",), ("c",), ("d",), ("e",)]),
        ("echo 'a b' \"$A c\" $A d\\ e # no", [("echo", "a b", "x y c", "x", "y", "d e")]),
        ("echo '$A' \\$A \"\\$A\"", [("echo", "$A", "$A", "$A")]),
        ('echo $B ${B} "$B" $1 $@ $?', [("echo", "?", "?", "?", "?", "?", "?")]),
        ("echo ${A:-d} ${C:-d} ${B:-d} ${C-d} ${A:+d} ${C:+d}.", [("echo", "x", "y", "d", "?", "d", ".")]),
        ("echo $EMPTY", [("echo", "?")]),
        ("A=1 env B=2 sudo -u me nice -n 5 app", [("app",)]),
        ("A=1; echo $A; unset A; echo $A", [("echo", "1"), ("echo", "?")]),
        (
            "if t; then A=1; echo $A; else echo $A; fi; echo $A",
            [("t",), ("echo", "1"), ("echo", "x", "y"), ("echo", "?")],
        ),
        ("for i in 1 2; do echo $i; done", [("echo", "?")]),
        ("case $A in a|b) c ;; *) d ;; esac; e", [("c",), ("d",), ("e",)]),
        ("case $A in\n  a) c\n  ;;\nesac\ne", [("c",), ("e",)]),
        ("f() { echo $A; }; A=1; f; f", [("echo", "1"), ("echo", "1")]),
        ("(A=1; echo $A); echo $A", [("echo", "1"), ("echo", "x", "y")]),
        ("echo $(a; b) `c` <(d)", [("a",), ("b",), ("c",), ("d",), ("echo", "?", "?", "?")]),
        ("cat <<EOF >f && b\nuv sync\nEOF\nc", [("cat",), ("b",), ("c",)]),
        ("bash -e <<'EOF'\nuv sync\nEOF", [("uv", "sync")]),
        ("cat <<-EOF\n\tuv sync\n\tEOF\nc", [("cat",), ("c",)]),
        ("a 2>&1 >/dev/null <in &>x; b", [("a",), ("b",)]),
        ("sh -euxo pipefail -c 'a; b' c", [("a",), ("b",)]),
        ("sh /run.sh; /run.sh; bash -x /run.sh", [("echo", "script", "x", "y")] * 3),
        (". /env; echo $A", [("echo", "sourced")]),
        ("sh other.sh", [("sh", "other.sh")]),
        ("command -v uv || exec uv sync", [("command", "-v", "uv"), ("uv", "sync")]),
        ("a \\\n  b", [("a", "b")]),
        ("! a; { b; }; time c", [("a",), ("b",), ("c",)]),
        ("", []),
    ],
)
def test_commands_of_a_script(script: str, expected: list[tuple[str, ...]]) -> None:
    assert commands(script, A="x y", C="") == expected


@pytest.mark.parametrize(
    ("script", "folder"),
    [
        ("cd b; pwd", "/app/b"),
        ("cd b && cd ../c && pwd", "/app/c"),
        ("cd /x; (cd y); pwd", "/x"),
        ("(cd y; pwd)", "/app/y"),
        ("if t; then cd y; fi; pwd", UNKNOWN),
        ("if t; then cd y; pwd; fi", "/app/y"),
        ("test -d y && cd y; pwd", UNKNOWN),
        ("test -d y && cd y && pwd", "/app/y"),
        ("cd y || exit 1; pwd", "/app/y"),
        ("cd $X; pwd", UNKNOWN),
        ("cd; pwd", UNKNOWN),
        ("cd $X; cd /z; pwd", "/z"),
        ("f() { cd y; }; f; pwd", "/app/y"),
    ],
)
def test_folder_of_a_command(script: str, folder: str) -> None:
    assert run(script, shell())[-1].cwd == folder


@pytest.mark.parametrize(
    ("script", "value"),
    [
        ("A=1 app", "1"),
        ("export A=1; app", "1"),
        ("A=1; app", None),
        ("set -a; A=1; app", "1"),
        ("A=1; export A; app", "1"),
        ("env A=1 app", "1"),
        (". ./unknown; app", UNKNOWN),
        ('eval "$(x)"; app', UNKNOWN),
        ("export $(cat .env); app", UNKNOWN),
        ("(. ./unknown); app", None),
        ("if t; then export A=1; fi; app", UNKNOWN),
        ("export A=1; if t; then export A=1; fi; app", "1"),
        ("export A=1; sh -c app", "1"),
        ("app", None),
    ],
)
def test_variable_of_a_command(script: str, value: str | None) -> None:
    assert run(script, shell())[-1].variable("A") == value


def test_what_a_command_feeds() -> None:
    feeds = {command.words[0]: command.feeds for command in run('a | b | sh; bash -c "$(c)"; d', shell())}
    assert feeds == {"a": "sh", "b": "sh", "sh": "", "c": "bash", "bash": "", "d": ""}


# --- files and locks


@pytest.mark.parametrize(
    ("instructions", "lock"),
    [
        ("COPY uv.lock pyproject.toml ./", "uv.lock"),
        ("COPY uv.lock /app", "uv.lock"),
        ("COPY . .", "uv.lock"),
        ("COPY ./ /app/", "uv.lock"),
        ('COPY ["uv.lock", "."]', "uv.lock"),
        ("COPY *.lock ./", "uv.lock"),
        ("ADD prod /app", "prod/uv.lock"),
        ("COPY prod/ ./", "prod/uv.lock"),
        ("COPY prod/uv.lock uv.lock", "prod/uv.lock"),
        ("COPY uv.lock .\nCOPY prod .", "prod/uv.lock"),
        ("COPY prod .\nCOPY uv.lock .", "uv.lock"),
        ("COPY uv.lock .\nCOPY src .", "uv.lock"),
        ("COPY staging/uv.lock ./", "staging/uv.lock"),
        ("COPY --parents prod/uv.lock /\nWORKDIR /prod", "prod/uv.lock"),
        ("COPY . /app\nWORKDIR /app/prod", "prod/uv.lock"),
        ("COPY . /app\nWORKDIR /app/packages/member", "uv.lock"),
        ("ARG WHERE=prod\nCOPY ${WHERE}/uv.lock ./", "prod/uv.lock"),
        ("ARG WHERE\nCOPY ${WHERE}/ ./", UNKNOWN),
        ("COPY --from=team.example/image /app /app", UNKNOWN),
        ("COPY --from=first /prod /app", "prod/uv.lock"),
        ("COPY --from=0 /prod /app", "prod/uv.lock"),
        ("COPY --from=first /elsewhere /app", UNKNOWN),
        ("RUN cp /tmp/uv.lock /app/uv.lock", UNKNOWN),
        ("COPY <<EOF /app/uv.lock\nversion = 1\nEOF", UNKNOWN),
        ("COPY pyproject.toml .", ""),
        ("COPY staging .", ""),
        ("", ""),
    ],
)
def test_lock_of_a_sync(instructions: str, lock: str) -> None:
    text = f"FROM scratch AS first\nCOPY . /\nFROM python:3.11 AS second\nWORKDIR /app\n{instructions}\nRUN uv sync\n"
    assert calls(stages(text)["second"])[0].lock == lock


@pytest.mark.parametrize(
    ("flags", "lock"),
    [
        ("--mount=type=bind,source=uv.lock,target=uv.lock", "uv.lock"),
        ("--mount=src=prod/uv.lock,dst=/app/uv.lock", "prod/uv.lock"),
        ("--mount=type=bind,target=/app", "uv.lock"),
        ("--mount=type=bind,source=prod,target=.", "prod/uv.lock"),
        ("--mount=type=bind,from=first,source=/prod,target=/app", "prod/uv.lock"),
        ("--mount=type=cache,target=/app", ""),
    ],
)
def test_lock_of_a_sync_by_mount(flags: str, lock: str) -> None:
    text = f"FROM scratch AS first\nCOPY . /\nFROM python:3.11\nWORKDIR /app\nRUN {flags} uv sync\nRUN uv sync\n"
    mounted, after = calls(stages(text)["last"])
    assert (mounted.lock, after.lock) == (lock, "")


@pytest.mark.parametrize(
    ("call", "lock", "venv"),
    [
        ("uv sync", "uv.lock", "/app/.venv"),
        ("uv sync --directory prod", "prod/uv.lock", "/app/prod/.venv"),
        ("uv --project prod sync", "prod/uv.lock", "/app/prod/.venv"),
        ("cd prod && uv sync", "prod/uv.lock", "/app/prod/.venv"),
        ("UV_PROJECT=prod uv sync", "prod/uv.lock", "/app/prod/.venv"),
        ("UV_PROJECT_ENVIRONMENT=env uv sync", "uv.lock", "/app/env"),
        ("UV_PROJECT_ENVIRONMENT=/opt/venv uv sync --directory prod", "prod/uv.lock", "/opt/venv"),
        ("UV_PROJECT_ENVIRONMENT=$X uv sync", "uv.lock", UNKNOWN),
        ("VIRTUAL_ENV=/v uv sync --active", "uv.lock", "/v"),
        ("cd $X && uv sync", UNKNOWN, UNKNOWN),
        ("uv sync --directory $X", UNKNOWN, UNKNOWN),
    ],
)
def test_project_of_a_sync(call: str, lock: str, venv: str) -> None:
    step = calls(stages(f"FROM python:3.11\nWORKDIR /app\nCOPY . .\nRUN {call}\n")["last"])[0]
    assert (step.lock, step.venv) == (lock, venv)


# --- stages


def test_a_stage_begins_as_the_one_below_has_ended() -> None:
    found = stages(
        """\
        ARG VERSION=1
        FROM python:3.11 AS base
        ARG VERSION
        ARG OWN=2
        ENV A=$VERSION B="$OWN b" C=$NOBODY
        ENV A=${A}x
        WORKDIR /a
        WORKDIR b
        FROM base AS top
        RUN echo "$A" "$B" "$C" "$OWN"
        """
    )
    command = found["top"].steps[0].command
    assert (command.words, command.cwd) == (("echo", "1x", "2 b", UNKNOWN, "2"), "/a/b")
    assert [facts.stage.name for facts in found["top"].chain] == ["base", "top"]
    assert found["top"].image == "python:3.11"


def test_an_env_goes_over_an_arg_and_a_secret_has_no_value() -> None:
    text = "FROM a\nENV A=env\nARG A=arg\nRUN --mount=type=secret,id=x,env=B echo $A $B\n"
    assert stages(text)["last"].steps[0].command.words == ("echo", "env", UNKNOWN)


def test_scripts_of_another_stage_are_followed() -> None:
    found = stages(
        """\
        FROM scratch AS scripts
        COPY <<'A' <<'B' /scripts/
        . /run/b.sh
        build() { uv sync --locked; }
        A
        helper() { echo helped; }
        B
        FROM python:3.11 AS mounted
        RUN --mount=type=bind,from=scripts,source=/scripts/A,target=/run/a.sh \\
            --mount=type=bind,from=scripts,source=/scripts/B,target=/run/b.sh <<EOF
        . /run/a.sh
        helper
        build
        EOF
        FROM python:3.11 AS copied
        COPY --from=scripts /scripts /run
        RUN . /run/A && build
        """
    )
    assert [step.command.words for step in found["mounted"].steps] == [("echo", "helped"), ("uv", "sync", "--locked")]
    assert [step.command.words for step in found["copied"].steps] == [("uv", "sync", "--locked")]
    assert not found["copied"].hidden


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ('RUN ["uv", "sync", "$A"]', ("uv", "sync", "$A")),
        ("RUN uv sync $A", ("uv", "sync", "1")),
        ('RUN ["sh", "-c", "uv sync"]', ("uv", "sync")),
        ("RUN <<EOF\nuv sync\nEOF", ("uv", "sync")),
        ("RUN <<EOF bash -eu\nuv sync\nEOF", ("uv", "sync")),
        ('RUN <<"EOF" bash -exu -o pipefail\nuv sync\nEOF', ("uv", "sync")),
    ],
)
def test_forms_of_run(instruction: str, expected: tuple[str, ...]) -> None:
    assert stages(f"FROM a\nENV A=1\n{instruction}\n")["last"].steps[0].command.words == expected


@pytest.mark.parametrize(
    "text", ["RUN <<EOF\n#!/usr/bin/env python3\nuv = sync\nEOF", 'SHELL ["pwsh", "-c"]\nRUN uv sync']
)
def test_what_is_no_shell_is_not_read(text: str) -> None:
    assert stages(f"FROM python:3.11\n{text}\n")["last"].steps == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('CMD ["a"]', [("a",)]),
        ("CMD a b", [("a", "b")]),
        ('ENTRYPOINT ["a"]\nCMD ["b"]', [("a", "b")]),
        ('ENTRYPOINT ["tini", "--"]\nCMD b c', [("b", "c")]),
        ('ENTRYPOINT a\nCMD ["b"]', [("a",)]),
        ('CMD ["b"]\nFROM base\nENTRYPOINT ["a"]', [("a",)]),
        ('CMD ["b"]\nFROM base\nCMD ["c"]', [("c",)]),
        ('CMD ["b"]\nFROM base', [("b",)]),
        ('HEALTHCHECK --interval=5s CMD a b\nCMD ["c"]', [("c",), ("a", "b")]),
        ('HEALTHCHECK CMD ["a", "b"]', [("a", "b")]),
        ("HEALTHCHECK NONE", []),
        ("CMD []", []),
    ],
)
def test_what_a_container_runs(text: str, expected: list[tuple[str, ...]]) -> None:
    found = stages(f"FROM python:3.11 AS base\n{text}\n")["last"]
    assert [step.command.words for step in found.starts] == expected


def test_environments_travel() -> None:
    found = stages(
        """\
        FROM python:3.11 AS build
        WORKDIR /app
        COPY . .
        RUN uv sync --locked
        FROM python:3.11 AS same
        COPY --from=build /app /app
        FROM python:3.11 AS moved
        COPY --from=build /app/.venv /venv
        FROM same AS above
        """
    )
    paths = {name: [(each.path, each.made_at) for each in facts.environments] for name, facts in found.items()}
    assert paths["build"] == paths["same"] == paths["above"] == [("/app/.venv", "/app/.venv")]
    assert paths["moved"] == [("/venv", "/app/.venv")]
    assert ("/venv", "uv.lock") in found["moved"].changing


def test_existence_of_an_environment() -> None:
    found = analyse(
        parsed(
            """\
            FROM python:3.11 AS build
            RUN uv venv /a && python -m venv /b && virtualenv /c
            FROM python:3.11
            COPY --from=build / /
            FROM team.example/base:1
            """
        ),
        LOCKS,
    )
    build, copied, team = found
    assert [existence(found, build, path) for path in ("/a", "/b", "/c", "/d")] == ["yes", "yes", "yes", "no"]
    assert [existence(found, copied, path) for path in ("/a", "/d")] == ["yes", "no"]
    assert existence(found, team, "/a") == "maybe"


def test_values_of_an_arg_that_a_comment_documents() -> None:
    dockerfile = parsed(
        """\
        # The flavor: base | runtime
        ARG FLAVOR=base
        ARG NAME=a
        FROM x:${FLAVOR}-${NAME} AS one
        FROM one AS two
        """
    )
    one, two = dockerfile.stages
    assert [(base.reference, base.chosen) for base in bases(dockerfile, one)] == [
        ("x:base-a", ""),
        ("x:runtime-a", "FLAVOR=runtime"),
    ]
    assert [base.reference for base in ends(dockerfile, two, {"NAME": "b"})] == ["x:base-a", "x:runtime-a", "x:base-b"]


# --- whatever the text

WORDS: Final = (
    *(
        "uv",
        "sync",
        "run",
        "pip",
        "wheel",
        "install",
        "--locked",
        "--extra",
        "--",
        "-r",
        "uv.lock",
        ".",
        "..",
        "/",
        "$A",
    ),
    *("${A:-b}", "${", "$(", ")", "(", "`", '"', "'", "\\", "<<EOF", "EOF", "\n", ";", "&&", "||", "|", "if", "then"),
    *("fi", "case", "in", "esac", "for", "do", "done", "{", "}", "f()", "A=1", "cd", "export", "set", "-a", "sh", "-c"),
    *("source", "eval", "flash-attn==2.8.3", "git", "clone", "https://x/y.git", "http://[", "\0", "#", "<(", ">", "é"),
)
INSTRUCTIONS: Final = (
    *("FROM", "RUN", "COPY", "ADD", "ENV", "ARG", "WORKDIR", "CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL", "USER"),
    *("COPY --from=a", "COPY --from=0", "RUN --mount=type=bind,from=a,target=/x", "ONBUILD", "LABEL", "FROM a AS"),
)
scripts = st.lists(st.sampled_from(WORDS), max_size=25).flatmap(
    lambda words: st.sampled_from([" ", ""]).map(lambda space: space.join(words))
)
lines = st.tuples(st.sampled_from(INSTRUCTIONS), scripts).map(" ".join)
texts = st.one_of(
    st.lists(lines, max_size=8).map(lambda found: "\n".join(["FROM python:3.11 AS a", *found])),
    st.lists(lines, max_size=4).map("\n".join),
    st.text(max_size=80),
)


@given(text=texts)
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_dockerfile_or_an_input_error(text: str) -> None:
    try:
        dockerfile = parsed(text)
    except InputError:
        return
    found = analyse(dockerfile, LOCKS)
    assert [facts.stage for facts in found] == list(dockerfile.stages)
    for facts in found:
        assert all(facts.stage.index == step.stage for step in facts.steps)
        assert list(ends(dockerfile, facts.stage))


@given(script=scripts)
@settings(max_examples=400, deadline=None)
def test_any_script_runs(script: str) -> None:
    state = shell(A="1")
    assert all(command.words for command in run(script, state))


@pytest.mark.parametrize("script", ["$(" * 500 + ")" * 500, "${A:-" * 500, "(" * 500, "f() { f; f; }; f", "if " * 500])
def test_deep_scripts_end(script: str) -> None:
    assert len(run(script, shell())) <= 2000


def test_what_is_known_of_our_own() -> None:
    source = SourceFile(Path("Dockerfile"), "Dockerfile", (REPOSITORY / "docker" / "Dockerfile-uv").read_text("utf-8"))
    found = {facts.stage.name: facts for facts in analyse(parse_dockerfile(source), LOCKS)}
    assert found["compile"].changing == ()
    assert [step.reasons for step in found["compile"].steps if step.install is not None] == [()] * 2
    assert [(step.lock, step.venv) for step in calls(found["deps-prod"])] == [("prod/uv.lock", "/opt/venv")]
    assert [each.path for each in found["prod"].environments] == ["/opt/venv"]
