"""Dockerfile -> `Dockerfile`, through a port of BuildKit's own parser (heredocs, escapes, flags, JSON form)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.dockerfile.model import Dockerfile, Instruction, Stage
from auditor.errors import InputError
from auditor.source import read_source

if TYPE_CHECKING:
    from pathlib import Path

    from e2b_dockerfile_utils import DockerfileInstruction

    from auditor.source import SourceFile

_FROM_WITH_NAME = 3  # FROM image AS name


def read_dockerfile(path: Path, root: Path | None = None) -> Dockerfile:
    """Read a Dockerfile.

    Raises:
        InputError: missing, unreadable, or not a Dockerfile that BuildKit would take; with file and line.
    """
    return parse_dockerfile(read_source(path, root, what="Dockerfile"))


def parse_dockerfile(source: SourceFile) -> Dockerfile:
    """The Dockerfile in a file that has been read. Raises: as `read_dockerfile`."""
    # Only commands that look at a Dockerfile pay for the import.
    from e2b_dockerfile_utils import DockerfileSyntaxError, parse_dockerfile_ast  # noqa: PLC0415

    try:
        parsed = parse_dockerfile_ast(source.text)
    except DockerfileSyntaxError as error:
        message = str(error).partition(": ")[2] or str(error)
        raise InputError(f"not a Dockerfile: {message}", path=source.name, line=error.line) from None
    arguments: dict[str, str | None] = {}
    lines: dict[str, int] = {}
    stages: list[Stage] = []
    pending: list[Instruction] = []
    opened: Instruction | None = None
    for node in parsed.instructions:
        instruction = _instruction(node)
        if instruction.name == "FROM":
            if opened is not None:
                stages.append(_stage(len(stages), opened, pending))
            opened, pending = instruction, []
        elif opened is not None:
            pending.append(instruction)
        elif instruction.name == "ARG":
            for word in instruction.arguments:
                name, separator, value = word.partition("=")
                arguments[name] = _unquote(value) if separator else None
                lines[name] = instruction.line
        else:
            raise InputError(
                f"{instruction.name} stands before the first FROM", path=source.name, line=instruction.line
            )
    if opened is None:
        raise InputError("this Dockerfile has no FROM", path=source.name, line=1)
    stages.append(_stage(len(stages), opened, pending))
    return Dockerfile(file=source, arguments=arguments, argument_lines=lines, stages=tuple(stages))


def _instruction(node: DockerfileInstruction) -> Instruction:
    return Instruction(
        name=node.name.upper(),
        flags=tuple(node.flags),
        arguments=tuple(node.args),
        heredocs=tuple(heredoc.content for heredoc in node.heredocs),
        line=node.start_line,
        last_line=node.end_line,
    )


def _stage(index: int, opened: Instruction, instructions: list[Instruction]) -> Stage:
    words = opened.arguments
    named = len(words) >= _FROM_WITH_NAME and words[1].lower() == "as"
    return Stage(
        index=index,
        name=words[2].lower() if named else "",
        base=words[0] if words else "",
        platform=opened.flag("platform"),
        instructions=tuple(instructions),
        line=opened.line,
    )


def _unquote(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
