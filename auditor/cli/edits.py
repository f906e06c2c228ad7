"""Edits of a pyproject.toml for `lockaudit init`: added text, and nothing that is there moves or changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# What compiles a wheel against torch, beside torch itself.
TOOLS: Final = ("cmake==3.26.1", "ninja", "packaging", "pip", "psutil", "setuptools<81", "wheel")


def settings_table(target: str, first_party: list[str], extras: tuple[str, ...]) -> str:
    """`[tool.lockaudit]`, as text."""
    lines = ["[tool.lockaudit]", f"targets = {listed([target])}"]
    if first_party:
        lines.append(f"first-party = {listed(first_party)}")
    if extras:
        lines += ["", "[tool.lockaudit.dev]", f"extras = {listed(extras)}"]
    return "\n".join(lines) + "\n"


def listed(names: Iterable[str]) -> str:
    """An array of strings, as TOML."""
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def appended(text: str, table: str) -> str:
    """A table after all others, so that no byte before it changes."""
    end = "" if not text or text.endswith("\n") else "\n"
    return text + same_endings(f"{end}\n{table}" if text.strip() else table, text)


def replaced(text: str, table: str) -> str:
    """`[tool.lockaudit]` replaced where it stands."""
    import tomlkit  # noqa: PLC0415 - only `init --force` needs it

    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    document = tomlkit.parse(body)
    wanted: Any = tomlkit.parse(table)
    tool: Any = document["tool"]
    tool["lockaudit"] = wanted["tool"]["lockaudit"]
    return mark + same_endings(tomlkit.dumps(document), text)


def with_group(text: str) -> str:
    """The group `wheel-build` added to `[dependency-groups]`."""
    import tomlkit  # noqa: PLC0415 - only `init` edits a pyproject.toml

    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    document = tomlkit.parse(body)
    lines = ["wheel-build = [", *(f'    "{tool}",' for tool in TOOLS), "]", ""]
    group = "# What compiles the wheels, beside torch: locked like everything else.\n" + "\n".join(lines)
    if "dependency-groups" not in document:
        return appended(text, f"[dependency-groups]\n{group}")
    below = _below_header(text, r"[\"']?dependency-groups[\"']?", group)
    if below is not None:
        return below
    groups: Any = document["dependency-groups"]
    tools = tomlkit.array()
    tools.extend(TOOLS)
    groups["wheel-build"] = tools
    return mark + same_endings(tomlkit.dumps(document), text)


def with_exclusions(text: str, folders: list[str]) -> str:
    """Folders added to `tool.uv.workspace.exclude`."""
    import tomlkit  # noqa: PLC0415 - only `init` edits a pyproject.toml

    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    document = tomlkit.parse(body)
    tables: Any = document
    workspace = tables["tool"]["uv"]["workspace"]
    if "exclude" not in workspace:
        line = f"exclude = {listed(folders)}\n"
        below = _below_header(text, r"tool\.uv\.workspace", line)
        if below is not None:
            return below
        workspace["exclude"] = folders
    else:
        workspace["exclude"].extend(folders)
    return mark + tomlkit.dumps(document)


def _below_header(text: str, name: str, added: str) -> str | None:
    """Lines added at the top of a table, where nothing that is there moves; None where it has no header of its own."""
    header = re.search(rf"^[ \t]*\[[ \t]*{name}[ \t]*\][ \t]*(?:#[^\n]*)?\r?\n", text, re.MULTILINE)
    if header is None:
        return None
    return text[: header.end()] + same_endings(added, text) + text[header.end() :]


def same_endings(added: str, text: str) -> str:
    """`added` with the line endings of `text`."""
    crlf = "\r\n" in text and text.count("\n") == text.count("\r\n")
    return re.sub(r"\r?\n", "\r\n", added) if crlf else added
