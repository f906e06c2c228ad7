"""Writes small locks as uv writes them, a pair of them and what lies beside, from one line per package.

They are for what takes a real index too long to say; the clean pair is made by the real uv.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

INDEX = "https://index.example/simple"
FILES = "https://files.example"
CU124 = "https://download.example/whl/cu124"
CU128 = "https://download.example/whl/cu128"
TARGET = "linux-x86_64-cp312"
LINUX = "cp312-cp312-manylinux_2_28_x86_64"
MACOS = "cp312-cp312-macosx_14_0_arm64"
WINDOWS = "cp312-cp312-win_amd64"
PURE = "py3-none-any"
QUOTED = '"{}"'
# The rules about a pair. The specimens are too small to be healthy locks of their own, which LA3xx is about.
FAMILIES = ("LA0", "LA1", "LA2")
# The rules of these families that hold one lock against the other, and say nothing of how healthy each of them is.
COMPARING = frozenset({*(f"LA1{number:02}" for number in (*range(1, 12), 14)), "LA201", "LA202"})


def digest(text: str, algorithm: str = "sha256") -> str:
    """A hash as a lock writes it, of any text."""
    return f"{algorithm}:{hashlib.new(algorithm, text.encode()).hexdigest()}"


def wheel(  # one field of an entry is one argument
    name: str,
    version: str = "1.0",
    tag: str = PURE,
    *,
    hash: str | None = "",  # noqa: A002 - the key's name in the lock
    size: int | None = 1000,
    base: str = FILES,
) -> str:
    """One wheel of an entry; `hash` None leaves it out, an empty one is made of the file's name."""
    filename = f"{name.replace('-', '_')}-{version}-{tag}.whl"
    return _artifact(f"{base}/{filename}", digest(filename) if hash == "" else hash, size)


def sdist(name: str, version: str = "1.0", *, hash: str | None = "", size: int | None = 1000) -> str:  # noqa: A002
    """The sdist of an entry; see `wheel`."""
    filename = f"{name.replace('-', '_')}-{version}.tar.gz"
    return _artifact(f"{FILES}/{filename}", digest(filename) if hash == "" else hash, size)


def _artifact(url: str, hash: str | None, size: int | None) -> str:  # noqa: A002
    fields = [f'url = "{url}"']
    fields += [f'hash = "{hash}"'] if hash is not None else []
    fields += [f"size = {size}"] if size is not None else []
    return f"{{ {', '.join(fields)} }}"


def edge(name: str, **fields: str) -> str:
    """A dependency with more than a name: `version`, `source` (the inside of a table), `extra` (one), `marker`."""
    shapes = {"source": "{{ {} }}", "extra": '["{}"]'}
    words = [f'name = "{name}"']
    words += [f"{key} = {shapes.get(key, QUOTED).format(value)}" for key, value in fields.items()]
    return f"{{ {', '.join(words)} }}"


def package(
    name: str,
    version: str | None = "1.0",
    *,
    source: str = "",
    needs: Iterable[str] = (),
    wheels: Iterable[str] | None = None,
    sdist: str = "",
    forks: Iterable[str] = (),
) -> str:
    """One entry of a lock.

    Args:
        name: normalised.
        version: None leaves it out.
        source: an inline table's inside, `git = "..."`; by default the registry `INDEX`.
        needs: names, or edges as `edge` writes them.
        wheels: tags, or wheels as `wheel` writes them; by default one pure wheel for a registry, none elsewhere.
        sdist: as `sdist` writes it.
        forks: its resolution markers.
    """
    from_registry = not source or source.startswith("registry")
    chosen = wheels if wheels is not None else ((PURE,) if from_registry else ())
    files = [each if each.startswith("{") else wheel(name, version or "0", each) for each in chosen]
    lines = ["[[package]]", f'name = "{name}"']
    lines += [f'version = "{version}"'] if version is not None else []
    lines.append(f"source = {{ {source or registry(INDEX)} }}")
    lines += _list("resolution-markers", [f'"{marker}"' for marker in forks])
    lines += _list("dependencies", [_edge(each) for each in needs])
    lines += [f"sdist = {sdist}"] if sdist else []
    lines += _list("wheels", files)
    return "\n".join(lines) + "\n"


def registry(url: str) -> str:
    """The inside of a registry source."""
    return f'registry = "{url}"'


def root(
    name: str = "app",
    *,
    needs: Iterable[str] = (),
    extras: Mapping[str, Iterable[str]] | None = None,
    groups: Mapping[str, Iterable[str]] | None = None,
) -> str:
    """The entry of the project itself."""
    lines = ["[[package]]", f'name = "{name}"', 'version = "0.1.0"', 'source = { virtual = "." }']
    lines += _list("dependencies", [_edge(each) for each in needs])
    for title, tables in (("optional-dependencies", extras), ("dev-dependencies", groups)):
        lines += ["", f"[package.{title}]"] if tables else []
        for key, edges in (tables or {}).items():
            lines += _list(key, [_edge(each) for each in edges])
    if extras:
        lines += ["", "[package.metadata]", f"provides-extras = [{', '.join(map(repr, extras))}]"]
    return "\n".join(lines) + "\n"


def _edge(text: str) -> str:
    return text if text.startswith("{") else edge(text)


def _list(key: str, items: list[str]) -> list[str]:
    return [f"{key} = [", *(f"    {item}," for item in items), "]"] if items else []


def lock(*packages: str, requires_python: str = ">=3.12", top: str = "") -> str:
    """A lock of these entries; `top` goes between its head and them."""
    head = f'version = 1\nrevision = 3\nrequires-python = "{requires_python}"\n{top}'
    return "\n".join([head, *packages])


def plain(*packages: str, requires_python: str = ">=3.12", top: str = "", name: str = "app") -> str:
    """A lock whose project needs every one of these packages."""
    names = [text.split('name = "', 1)[1].split('"', 1)[0] for text in packages]
    return lock(root(name, needs=names), *packages, requires_python=requires_python, top=top)


def write_pair(
    folder: Path,
    *,
    dev: str,
    prod: str,
    config: str = "",
    dockerfile: str = "",
    targets: tuple[str, ...] = (TARGET,),
    select: tuple[str, ...] = FAMILIES,
) -> Path:
    """Write a pair of locks with their pyproject.toml files.

    Args:
        folder: the root, made if missing.
        dev: the text of uv.lock.
        prod: the text of prod/uv.lock.
        config: the inside of `[tool.lockaudit]`, beside `targets`.
        dockerfile: the text of docker/Dockerfile-uv; an empty one writes none.
        targets: none leaves them out.
        select: which rules run.
    """
    (folder / "prod").mkdir(parents=True, exist_ok=True)
    (folder / "uv.lock").write_text(dev, encoding="utf-8")
    (folder / "prod" / "uv.lock").write_text(prod, encoding="utf-8")
    settings = f"targets = {list(targets)}\n" if targets else ""
    settings += f"select = {list(select)}\n"
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "0.1.0"\n\n[tool.lockaudit]\n{settings}{config}', encoding="utf-8"
    )
    (folder / "prod" / "pyproject.toml").write_text(
        '# The dependencies of production.\n[project]\nname = "app"\nversion = "0.1.0"\ndependencies = []\n',
        encoding="utf-8",
    )
    if dockerfile:
        (folder / "docker").mkdir(exist_ok=True)
        (folder / "docker" / "Dockerfile-uv").write_text(dockerfile, encoding="utf-8")
    return folder
