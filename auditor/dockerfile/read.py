"""Dockerfile -> `Dockerfile`, through a port of BuildKit's own parser (heredocs, escapes, flags, JSON form)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.dockerfile.model import Dockerfile, Instruction, Stage, expand
from auditor.errors import InputError
from auditor.source import read_source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from e2b_dockerfile_utils import DockerfileInstruction

    from auditor.source import SourceFile

_FROM_WITH_NAME = 3  # FROM image AS name
# An image has 127 layers at most. What is far beyond that was made to take long: stages are held against each other.
_LONGEST = 1_048_576  # characters
_MOST_INSTRUCTIONS = 2000
_MOST_STAGES = 200
_STAGE_NAME = re.compile(r"[a-z][a-z0-9._-]*")


def read_dockerfile(path: Path, root: Path | None = None) -> Dockerfile:
    """Read a Dockerfile.

    Raises:
        InputError: missing, unreadable, or not a Dockerfile that BuildKit would take; with file and line.
    """
    return parse_dockerfile(read_source(path, root, what="Dockerfile"))


def parse_dockerfile(source: SourceFile) -> Dockerfile:
    """The Dockerfile in a file that has been read. Raises: as `read_dockerfile`."""
    arguments: dict[str, str | None] = {}
    lines: dict[str, int] = {}
    stages: list[Stage] = []
    pending: list[Instruction] = []
    opened: Instruction | None = None
    for node in _nodes(source):
        instruction = _instruction(node)
        if instruction.name == "FROM":
            if opened is not None:
                stages.append(_stage(len(stages), opened, pending, source))
            opened, pending = instruction, []
        elif opened is not None:
            pending.append(instruction)
        elif instruction.name == "ARG":
            for word in instruction.arguments:
                name, separator, value = word.partition("=")
                arguments[name] = _default(value, arguments) if separator else None
                lines[name] = instruction.line
        else:
            raise InputError(
                f"{instruction.name} stands before the first FROM", path=source.name, line=instruction.line
            )
    if opened is None:
        raise InputError("this Dockerfile has no FROM", path=source.name, line=1)
    stages.append(_stage(len(stages), opened, pending, source))
    if len(stages) > _MOST_STAGES:
        message = f"this Dockerfile has more than {_MOST_STAGES} stages; lockaudit reads no more"
        raise InputError(message, path=source.name, line=stages[_MOST_STAGES].line)
    return Dockerfile(file=source, arguments=arguments, argument_lines=lines, stages=tuple(stages))


def _nodes(source: SourceFile) -> list[DockerfileInstruction]:
    """The instructions as the parser has them."""
    # Only commands that look at a Dockerfile pay for the import.
    from e2b_dockerfile_utils import DockerfileSyntaxError, parse_dockerfile_ast  # noqa: PLC0415

    if len(source.text) > _LONGEST:
        raise InputError(f"this Dockerfile has more than {_LONGEST} characters", path=source.name)
    try:
        parsed = parse_dockerfile_ast(source.text)
    except DockerfileSyntaxError as error:
        message = str(error).partition(": ")[2] or str(error)
        raise InputError(f"not a Dockerfile: {message}", path=source.name, line=error.line) from None
    except RecursionError:
        raise InputError("an exec form of this Dockerfile nests too deeply to be read", path=source.name) from None
    if len(parsed.instructions) > _MOST_INSTRUCTIONS:
        message = f"this Dockerfile has more than {_MOST_INSTRUCTIONS} instructions; lockaudit reads no more"
        raise InputError(message, path=source.name, line=parsed.instructions[_MOST_INSTRUCTIONS].start_line)
    return list(parsed.instructions)


def _instruction(node: DockerfileInstruction) -> Instruction:
    return Instruction(
        name=node.name.upper(),
        flags=tuple(node.flags),
        arguments=tuple(node.args),
        heredocs=tuple(heredoc.content for heredoc in node.heredocs),
        line=node.start_line,
        last_line=node.end_line,
        exec_form=node.json,
    )


def _stage(index: int, opened: Instruction, instructions: list[Instruction], source: SourceFile) -> Stage:
    words = opened.arguments
    named = len(words) == _FROM_WITH_NAME and words[1].lower() == "as"
    if len(words) != 1 and not named:
        raise InputError("FROM takes an image, or `image AS name`", path=source.name, line=opened.line)
    name = words[2].lower() if named else ""
    if named and not _STAGE_NAME.fullmatch(name):
        raise InputError(f"{words[2]!r} is no name for a stage", path=source.name, line=opened.line)
    return Stage(
        index=index,
        name=name,
        base=words[0],
        platform=opened.flag("platform"),
        instructions=tuple(instructions),
        line=opened.line,
    )


def _default(value: str, above: Mapping[str, str | None]) -> str:
    """The default of an ARG: without its quotes, and with the ARGs above it put in unless the quotes are single."""
    quote = value[0] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else ""
    text = value[1:-1] if quote else value
    return text if quote == "'" else expand(text, above)
