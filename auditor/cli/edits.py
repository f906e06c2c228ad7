"""Edits of a pyproject.toml for `lockaudit init`: added text, and nothing that is there moves or changes."""

from __future__ import annotations

from typing import Any, Final

from auditor.change.pyproject import appended, below_header, edited, listed

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


def replaced(text: str, table: str) -> str:
    """`[tool.lockaudit]` replaced where it stands."""
    import tomlkit  # noqa: PLC0415 - only `init --force` needs it

    wanted: Any = tomlkit.parse(table)

    def edit(document: Any) -> None:  # noqa: ANN401 - tomlkit's document
        document["tool"]["lockaudit"] = wanted["tool"]["lockaudit"]

    return edited(text, edit)


def with_group(text: str) -> str:
    """The group `wheel-build` added to `[dependency-groups]`."""
    lines = ["wheel-build = [", *(f'    "{tool}",' for tool in TOOLS), "]", ""]
    group = "# What compiles the wheels, beside torch: locked like everything else.\n" + "\n".join(lines)
    below = below_header(text, r"[\"']?dependency-groups[\"']?", group)
    if below is not None:
        return below

    def edit(document: Any) -> None:  # noqa: ANN401 - tomlkit's document
        if "dependency-groups" in document:
            document["dependency-groups"]["wheel-build"] = list(TOOLS)

    text_with = edited(text, edit)
    return text_with if text_with != text else appended(text, f"[dependency-groups]\n{group}")


def with_exclusions(text: str, folders: list[str]) -> str:
    """Folders added to `tool.uv.workspace.exclude`."""
    below = None

    def edit(document: Any) -> None:  # noqa: ANN401 - tomlkit's document
        nonlocal below
        workspace = document["tool"]["uv"]["workspace"]
        if "exclude" in workspace:
            workspace["exclude"].extend(folders)
            return
        below = below_header(text, r"tool\.uv\.workspace", f"exclude = {listed(folders)}\n")
        if below is None:
            workspace["exclude"] = folders

    new = edited(text, edit)
    return new if below is None else below
