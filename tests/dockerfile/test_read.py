"""Reading a Dockerfile: our own, and each form of the language by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.dockerfile.model import Dockerfile, expand
from auditor.dockerfile.read import parse_dockerfile, read_dockerfile
from auditor.errors import InputError
from auditor.source import SourceFile
from tests.support import REPOSITORY

OURS = Path("docker/Dockerfile-uv")


def read(text: str) -> Dockerfile:
    """A Dockerfile with this text."""
    return parse_dockerfile(SourceFile(Path("Dockerfile"), "Dockerfile", text))


@pytest.fixture(scope="module")
def ours() -> Dockerfile:
    """The Dockerfile of this repository."""
    return read_dockerfile(REPOSITORY / OURS, REPOSITORY)


def test_our_stages(ours: Dockerfile) -> None:
    names = [stage.name for stage in ours.stages]
    assert {"base", "deps-dev", "deps-prod", "compile", "wheel-dev", "wheel-prod", "dev", "prod"} <= set(names)
    assert all(names)
    for stage in ours.stages:
        assert ours.file.line(stage.line).startswith("FROM ")
        assert ours.stage(stage.name.upper()) is stage
        lines = [(instruction.line, instruction.last_line) for instruction in stage.instructions]
        assert lines == sorted(lines)
        assert all(first <= last for first, last in lines)


def test_our_instructions_stand_where_they_say(ours: Dockerfile) -> None:
    for stage in ours.stages:
        for instruction in stage.instructions:
            assert ours.file.line(instruction.line).split()[0].upper() == instruction.name


def test_our_arguments(ours: Dockerfile) -> None:
    variant = ours.argument("CUDA_VARIANT")
    assert variant is not None
    assert variant[0] == "cudnn"
    assert ours.file.line(variant[1].line) == "ARG CUDA_VARIANT=cudnn"
    assert variant[1].path == OURS.as_posix()
    for name, value in ours.arguments.items():
        assert value is not None
        assert ours.argument(name) == (value, ours.file.at(ours.argument_lines[name]))


def test_our_images_exist_for_the_variant(ours: Dockerfile) -> None:
    """`runtime-devel` and its like do not; see the facts on CUDA, 3.1."""
    images = {
        name: ours.image_of(stage) for name in ("base", "compile", "prod", "wheel-prod") if (stage := ours.stage(name))
    }
    assert images == {
        "base": "nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04",
        "compile": "nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04",
        "prod": "nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04",
        "wheel-prod": None,
    }


def test_our_scripts_are_read_with_their_heredocs(ours: Dockerfile) -> None:
    scripts = ours.stage("scripts")
    assert scripts is not None
    assert scripts.base == "scratch"
    copied = {instruction.arguments[-1]: instruction.heredocs for instruction in scripts.instructions}
    assert set(copied) == {"/steps.sh", "/compile.sh", "/install-wheels.sh"}
    assert "COMPILED" in copied["/install-wheels.sh"][0]
    prod = ours.stage("deps-prod")
    assert prod is not None
    (run,) = [instruction for instruction in prod.instructions if instruction.name == "RUN"]
    assert "uv sync" in run.script
    assert run.flag("mount") == "type=bind,from=scripts,source=/steps.sh,target=/run/steps.sh"
    assert run.flag("network") is None


# text, then (name, flags, arguments, heredocs, first line, last line) of the only stage's instructions
INSTRUCTIONS = {
    "shell": ("RUN a && b", [("RUN", (), ("a && b",), (), 2, 2)]),
    "JSON": ('CMD ["a", "b c"]', [("CMD", (), ("a", "b c"), (), 2, 2)]),
    "continued": ("RUN a \\\n  && b \\\n  && c", [("RUN", (), ("a   && b   && c",), (), 2, 4)]),
    "comment inside": ("RUN a \\\n  # why\n  && b", [("RUN", (), ("a   && b",), (), 2, 4)]),
    "empty line inside": ("RUN a \\\n\n  && b", [("RUN", (), ("a   && b",), (), 2, 4)]),
    "flags": (
        "COPY --from=x --chown=1:1 /a /b",
        [("COPY", ("--from=x", "--chown=1:1"), ("/a", "/b"), (), 2, 2)],
    ),
    "heredoc": (
        "RUN <<EOF\na\nb\nEOF\nRUN c",
        [("RUN", (), ("<<EOF",), ("a\nb\n",), 2, 5), ("RUN", (), ("c",), (), 6, 6)],
    ),
    "quoted heredoc": ("RUN <<'EOF'\n$A \\\nEOF", [("RUN", (), ("<<'EOF'",), ("$A \\\n",), 2, 4)]),
    "indented heredoc": ("RUN <<-EOF\n\ta\n\tEOF", [("RUN", (), ("<<-EOF",), ("\ta\n",), 2, 4)]),
    "heredoc for a command": ("RUN python - <<E\nx\nE", [("RUN", (), ("python - <<E",), ("x\n",), 2, 4)]),
    "two heredocs": ("COPY <<A <<B /x/\n1\nA\n2\nB", [("COPY", (), ("<<A", "<<B", "/x/"), ("1\n", "2\n"), 2, 6)]),
    "heredoc that looks like instructions": ("RUN <<EOF\nFROM x\nEOF", [("RUN", (), ("<<EOF",), ("FROM x\n",), 2, 4)]),
    "no heredoc": ("RUN cat <<< x", [("RUN", (), ("cat <<< x",), (), 2, 2)]),
    "lower case": ("run a", [("RUN", (), ("a",), (), 2, 2)]),
    "comments between": ("# one\nRUN a\n # two\nRUN b", [("RUN", (), ("a",), (), 3, 3), ("RUN", (), ("b",), (), 5, 5)]),
    "Windows line ends": ("RUN a\r\nRUN b\r\n", [("RUN", (), ("a",), (), 2, 2), ("RUN", (), ("b",), (), 3, 3)]),
}


@pytest.mark.parametrize(("text", "expected"), INSTRUCTIONS.values(), ids=INSTRUCTIONS)
def test_instructions(text: str, expected: list[tuple[object, ...]]) -> None:
    (stage,) = read(f"FROM debian\n{text}\n").stages
    assert [(i.name, i.flags, i.arguments, i.heredocs, i.line, i.last_line) for i in stage.instructions] == expected


def test_another_escape_character() -> None:
    (stage,) = read("# escape=`\nFROM debian\nRUN a `\n  b\n").stages
    assert [(i.line, i.last_line) for i in stage.instructions] == [(3, 4)]


# text, then (name, base, platform, image) of each stage
STAGES = {
    "one": ("FROM debian:12", [("", "debian:12", None, "debian:12")]),
    "named": ("FROM debian AS Build", [("build", "debian", None, "debian")]),
    "stage on stage": (
        "FROM debian AS a\nFROM a AS b\nFROM B",
        [("a", "debian", None, "debian"), ("b", "a", None, "debian"), ("", "B", None, "debian")],
    ),
    "platform": ("FROM --platform=linux/arm64 debian AS a", [("a", "debian", "linux/arm64", "debian")]),
    "platform of the builder": ("FROM --platform=$BUILDPLATFORM debian", [("", "debian", "$BUILDPLATFORM", "debian")]),
    "scratch": (
        "FROM debian AS a\nFROM scratch\nCOPY --from=a / /",
        [("a", "debian", None, "debian"), ("", "scratch", None, None)],
    ),
    "stage chosen by an argument": (
        "ARG V=b\nFROM debian AS x-a\nFROM alpine AS x-b\nFROM x-$V",
        [("x-a", "debian", None, "debian"), ("x-b", "alpine", None, "alpine"), ("", "x-$V", None, "alpine")],
    ),
    "the name of a later stage is an image": (
        "FROM debian AS a\nFROM b\nFROM alpine AS b",
        [("a", "debian", None, "debian"), ("", "b", None, "b"), ("b", "alpine", None, "alpine")],
    ),
    "a stage named as its image": ("FROM debian AS debian", [("debian", "debian", None, "debian")]),
    "the last of one name": (
        "FROM one AS a\nFROM two AS a\nFROM a",
        [("a", "one", None, "one"), ("a", "two", None, "two"), ("", "a", None, "two")],
    ),
    "digest": ("FROM debian@sha256:0123", [("", "debian@sha256:0123", None, "debian@sha256:0123")]),
}


@pytest.mark.parametrize(("text", "expected"), STAGES.values(), ids=STAGES)
def test_stages(text: str, expected: list[tuple[object, ...]]) -> None:
    dockerfile = read(text + "\n")
    assert [(s.name, s.base, s.platform, dockerfile.image_of(s)) for s in dockerfile.stages] == expected


# the lines before FROM, then the arguments
ARGUMENTS = {
    "a default": ("ARG A=1", {"A": "1"}),
    "no default": ("ARG A", {"A": None}),
    "an empty default": ("ARG A=", {"A": ""}),
    "quotes": ("ARG A=\"a b\"\nARG B='c d'", {"A": "a b", "B": "c d"}),
    "several": ("ARG A=1 B C=3", {"A": "1", "B": None, "C": "3"}),
    "the last counts": ("ARG A=1\nARG A=2", {"A": "2"}),
    "one in another": ("ARG A=1\nARG B=${A}.2\nARG C=${B}.3", {"A": "1", "B": "1.2", "C": "1.2.3"}),
    "one in itself": ("ARG A=1\nARG A=${A}.2", {"A": "1.2"}),
    "one that comes later": ("ARG A=${B}\nARG B=1", {"A": "${B}", "B": "1"}),
    "quotes that keep a reference": ("ARG A=1\nARG B='${A}'\nARG C=\"${A}\"", {"A": "1", "B": "${A}", "C": "1"}),
    "a default of a default": ("ARG A\nARG B=${A:-x}", {"A": None, "B": "x"}),
    "a comment": ("# ARG A=0\nARG A=1 ", {"A": "1"}),
}


@pytest.mark.parametrize(("text", "expected"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments(text: str, expected: dict[str, str | None]) -> None:
    dockerfile = read(f"{text}\nFROM debian\nARG Z=1\n")
    assert dict(dockerfile.arguments) == expected
    for name, value in expected.items():
        assert (dockerfile.argument(name) is None) == (value is None)
        line = dockerfile.file.line(dockerfile.argument_lines[name])
        assert line.startswith("ARG ")
        assert name in line


VALUES = {"SET": "s", "EMPTY": "", "NONE": None}
# As BuildKit documents it: `:` makes an empty value count as none.
EXPANSIONS = {
    "$SET": "s",
    "${SET}": "s",
    "a${SET}b": "asb",
    "$SET-x": "s-x",
    "${SET:-w}": "s",
    "${SET-w}": "s",
    "${SET:+w}": "w",
    "${SET+w}": "w",
    "${SET:?w}": "s",
    "${EMPTY:-w}": "w",
    "${EMPTY-w}": "",
    "${EMPTY:+w}": "",
    "${EMPTY+w}": "w",
    "${NONE:-w}": "w",
    "${NONE-w}": "w",
    "${NONE:+w}": "",
    "${NONE+w}": "",
    "${OTHER:-w}": "w",
    "${OTHER:-}": "",
    "$OTHER": "$OTHER",
    "${OTHER}": "${OTHER}",
    "${OTHER:-$SET}": "s",
    "${OTHER:-${SET}}": "s",
    "${OTHER:-${EMPTY:-w}}": "w",
    "${OTHER:-a-b:c}": "a-b:c",
    "${SET:+${SET}${SET}}": "ss",
    "$": "$",
    "100%": "100%",
}


@pytest.mark.parametrize(("text", "expected"), EXPANSIONS.items())
def test_expansion(text: str, expected: str) -> None:
    assert expand(text, VALUES) == expected


# text, line, part of the message
BROKEN = {
    "nothing": ("", 1, "has no FROM"),
    "comments only": ("# one\n# two\n", 1, "has no FROM"),
    "arguments only": ("ARG A=1\n", 1, "has no FROM"),
    "an instruction before the first stage": ("ARG A=1\nRUN a\nFROM debian\n", 2, "RUN stands before the first FROM"),
    "an instruction that does not exist": ("FROM debian\nRUM a\n", 2, "unknown instruction: RUM"),
    "a heredoc without an end": ("FROM debian\n\nRUN <<EOF\na\n", 3, "unterminated heredoc"),
    "the second heredoc without an end": ("FROM debian\nRUN <<A <<B\n1\nA\n2\n", 2, "unterminated heredoc"),
    "no image": ("FROM\n", 1, "FROM takes an image"),
    "two images": ("FROM one two\n", 1, "FROM takes an image"),
    "three images": ("ARG A\nFROM one two three\n", 2, "FROM takes an image"),
    "a name that is none": ("FROM debian AS 1st\n", 1, "'1st' is no name for a stage"),
    "a variable without a value": ("FROM debian\nENV A=b\\\n c\n", 2, "can't find ="),
}


@pytest.mark.parametrize(("text", "line", "message"), BROKEN.values(), ids=BROKEN)
def test_what_buildkit_would_not_take(text: str, line: int, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert message in caught.value.message
    assert (caught.value.path, caught.value.line) == ("Dockerfile", line)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no Dockerfile here"):
        read_dockerfile(tmp_path / "Dockerfile", tmp_path)
