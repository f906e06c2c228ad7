"""Hand edits of a lock: what `uv lock --check` says of each, and what lockaudit says.

`python -m bench.hand_edits` makes a pair of projects with the real uv from a local index, edits a lock in each way in
which locks get edited, asks both tools, and prints one Markdown table. It exits 1 if a harmful edit goes unnoticed, or
if a harmless one is called an error. The tests run the same table.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.lock_text import (
    another_hash,
    appended,
    duplicated,
    moved,
    older_einops,
    registered_elsewhere,
    replaced,
    to_md5,
    unhashed,
    with_orphan,
    within,
    without,
    zeros,
)
from tests.cli.command import check
from tests.standins import make_world, serve, uv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.lock_text import Change
    from tests.standins import Index

_PROJECT: Final = """\
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = ["einops>=0.8.1", "filelock", "requests[socks]>=2.32"]
{groups}
[tool.uv]
package = false
{indexes}"""
_GROUPS: Final = """
[dependency-groups]
dev = ["pytest"]

[tool.lockaudit]
targets = ["linux-x86_64-cp312"]
"""
_INDEXES: Final = """
[[tool.uv.index]]
name = "local"
url = "{base}/pypi/simple"
default = true

[[tool.uv.index]]
name = "cu124"
url = "{base}/cu124/simple"
explicit = true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One way to edit a lock.

    Attributes:
        number: of the 23 edits of the experiment that uv was put to, or `+` for one beyond it.
        name: what is done.
        change: the new text of the lock.
        harmful: whether something else may be installed, or nothing may be said of it; the rest must be no error.
        locks: which of the two are edited.
        indexed: whether the projects configure their indexes.
    """

    number: str
    name: str
    change: Change
    harmful: bool = True
    locks: tuple[str, ...] = ("prod",)
    indexed: bool = False

    def __str__(self) -> str:
        where = "" if self.locks == ("prod",) else f" ({' and '.join(self.locks)})"
        return f"{self.name}{where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What both tools say: exit codes, and lockaudit's findings as `severity code`."""

    edit: Edit
    uv: int
    lockaudit: int
    findings: tuple[str, ...]

    @property
    def noticed(self) -> bool:
        """Whether lockaudit refuses the lock, or has a finding that is more than information."""
        return self.lockaudit == 2 or any(not text.startswith("info") for text in self.findings)

    @property
    def right(self) -> bool:
        """Whether a harmful edit is noticed, or a harmless one is no error."""
        return self.noticed if self.edit.harmful else self.lockaudit == 0


BOTH: Final = ("dev", "prod")
EDITS: Final = (
    Edit(number="1", name="wheel sha256 replaced by zeros", change=zeros("einops")),
    Edit(number="2", name="wheel URL host changed", change=moved("einops")),
    Edit(number="3", name="sdist hash removed", change=unhashed("einops", ".tar.gz")),
    Edit(number="4", name="wheel hash removed", change=unhashed("einops", ".whl")),
    Edit(number="5", name="sha256 replaced by md5", change=to_md5("einops")),
    Edit(number="6", name="registry of a package changed, no index configured", change=registered_elsewhere("einops")),
    Edit(
        number="7",
        name="registry of a transitive package changed, indexes configured",
        change=registered_elsewhere("idna"),
        indexed=True,
    ),
    Edit(number="8", name="direct dependency pinned below its specifier", change=older_einops()),
    Edit(number="9", name="root edge removed", change=within("app-prod", r'    \{ name = "filelock" \},\n', "")),
    Edit(number="10", name="transitive edge removed", change=within("requests", r'    \{ name = "idna" \},\n', "")),
    Edit(
        number="11",
        name="unknown extra on an edge",
        change=within("app-prod", r'\{ name = "einops" \}', '{ name = "einops", extra = ["gpu"] }'),
    ),
    Edit(number="12", name="orphan package added", change=with_orphan, harmful=False),
    Edit(number="13", name="trailing comment", change=appended("# reviewed\n"), harmful=False),
    Edit(
        number="14",
        name="unknown top-level key",
        change=replaced("version = 1\n", "version = 1\nsurprise = true\n"),
        harmful=False,
    ),
    Edit(
        number="15",
        name="revision 99",
        change=lambda text: re.sub(r"^revision = \d+", "revision = 99", text, count=1, flags=re.MULTILINE),
        harmful=False,
    ),
    Edit(number="16", name="CRLF line endings", change=lambda text: text.replace("\n", "\r\n"), harmful=False),
    Edit(
        number="17",
        name="version that its wheel does not have",
        change=within("einops", r'version = "0\.8\.1"', 'version = "0.9.0"'),
    ),
    Edit(
        number="18",
        name="edge to a package that is not there",
        change=within("requests", r'name = "idna"', 'name = "idnb"'),
    ),
    Edit(number="19", name="package twice", change=duplicated("einops")),
    Edit(number="20", name="lock version 2", change=replaced("version = 1\n", "version = 2\n")),
    Edit(number="21", name="unknown kind of source", change=within("einops", r"\{ registry = ", "{ floppy = ")),
    Edit(
        number="22",
        name="merge markers",
        change=within("einops", r'(version = "0\.8\.1"\n)', r"<<<<<<< ours\n\1=======\n>>>>>>> theirs\n"),
    ),
    Edit(
        number="23",
        name="requires-dist is not the project's",
        change=within("app-prod", r'specifier = ">=0\.8\.1"', 'specifier = ">=0.8"'),
    ),
    Edit(
        number="23",
        name="requires-python is not the project's",
        change=replaced('requires-python = ">=3.11, <3.13"', 'requires-python = ">=3.11"'),
    ),
    # -- beyond the 23: runs of the same experiment, and the same edits where no other lock can tell
    Edit(number="+", name="byte order mark", change=lambda text: "\ufeff" + text, harmful=False),
    Edit(
        number="+",
        name="version spelled v0.8.1",
        change=within("einops", r'version = "0\.8\.1"', 'version = "v0.8.1"'),
        harmful=False,
    ),
    Edit(
        number="+",
        name="version spelled 0.8.1.0",
        change=within("einops", r'version = "0\.8\.1"', 'version = "0.8.1.0"'),
        harmful=False,
    ),
    Edit(
        number="+",
        name="name spelled Charset_Normalizer",
        change=lambda text: text.replace('name = "charset-normalizer"', 'name = "Charset_Normalizer"'),
        harmful=False,
    ),
    Edit(
        number="+",
        name="name spelled Ein_Ops, which is another name",
        change=lambda text: text.replace('name = "einops"', 'name = "Ein_Ops"'),
    ),
    Edit(
        number="+",
        name="registry of a direct dependency changed, indexes configured",
        change=registered_elsewhere("einops"),
        indexed=True,
    ),
    Edit(number="+", name="wheel URL host changed, of a package with one file", change=moved("requests")),
    Edit(number="+", name="wheel sha256 replaced by another", change=another_hash("einops")),
    Edit(number="+", name="wheel sha256 replaced by zeros", change=zeros("einops"), locks=("dev",)),
    Edit(number="+", name="sdist hash removed", change=unhashed("einops", ".tar.gz"), locks=("dev",)),
    Edit(number="+", name="wheel hash removed", change=unhashed("einops", ".whl"), locks=("dev",)),
    Edit(number="+", name="sha256 replaced by md5", change=to_md5("einops"), locks=("dev",)),
    Edit(number="+", name="the only wheel removed, the sdist is left", change=without("einops", ".whl")),
    Edit(number="+", name="zeros for the hash of a tool", change=zeros("pytest"), locks=("dev",)),
    Edit(number="+", name="hash of a tool removed", change=unhashed("pytest", ".whl"), locks=("dev",)),
    Edit(number="+", name="md5 for the hash of a tool", change=to_md5("pytest"), locks=("dev",)),
    Edit(number="+", name="wheel sha256 replaced by zeros", change=zeros("einops"), locks=BOTH),
    Edit(number="+", name="wheel URL host changed", change=moved("einops"), locks=BOTH),
    Edit(number="+", name="host changed, one file", change=moved("requests"), locks=BOTH),
    Edit(number="+", name="sdist hash removed", change=unhashed("einops", ".tar.gz"), locks=BOTH),
    Edit(number="+", name="sha256 replaced by md5", change=to_md5("einops"), locks=BOTH),
    Edit(number="+", name="registry changed, no index configured", change=registered_elsewhere("idna"), locks=BOTH),
    Edit(number="+", name="registry changed", change=registered_elsewhere("idna"), locks=BOTH, indexed=True),
    Edit(number="+", name="direct dependency below its specifier", change=older_einops(), locks=BOTH),
)


# -- the projects -----------------------------------------------------------------------------------------------


def make_index(folder: Path) -> Index:
    """The index: a world in which two packages have an sdist beside their wheel."""
    index = make_world(folder)
    index.sdist("pypi", "einops", "0.8.1")
    index.sdist("pypi", "idna", "3.10")
    return index


def make_projects(folder: Path, base: str) -> None:
    """Write and lock two pairs: `plain`, and `indexed`, whose projects configure their indexes."""
    for title, indexes in (("plain", ""), ("indexed", _INDEXES.format(base=base))):
        for name, groups, place in (("app", _GROUPS, folder / title), ("app-prod", "", folder / title / "prod")):
            place.mkdir(parents=True)
            text = _PROJECT.format(name=name, groups=groups, indexes=indexes)
            (place / "pyproject.toml").write_text(text, encoding="utf-8")
            index = () if indexes else ("--default-index", f"{base}/pypi/simple")
            uv("lock", *index, cwd=place)


def judge(edit: Edit, projects: Path, scratch: Path) -> Verdict:
    """Edit a copy of the projects, and ask both tools."""
    root = shutil.copytree(projects / ("indexed" if edit.indexed else "plain"), scratch / "project")
    codes = []
    for name in edit.locks:
        folder = root if name == "dev" else root / "prod"
        path = folder / "uv.lock"
        path.write_bytes(edit.change(path.read_text(encoding="utf-8")).encode())
        codes.append(uv("lock", "--check", "--offline", cwd=folder, check=False).returncode)
    result = check(root)
    found = result.findings if result.code != 2 else []
    findings = tuple(dict.fromkeys(f"{finding['severity']} {finding['code']}" for finding in found))
    return Verdict(edit=edit, uv=max(codes), lockaudit=result.code, findings=findings)


def verdicts(edits: Sequence[Edit] = EDITS) -> Iterator[Verdict]:
    """Every edit, judged."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serve(make_index(folder / "index").root) as base:
            make_projects(folder / "projects", base)
            for number, edit in enumerate(edits):
                yield judge(edit, folder / "projects", folder / str(number))


def table(rows: Sequence[Verdict]) -> str:
    """The verdicts as a Markdown table."""
    said = {0: "passes", 1: "exit 1", 2: "exit 2"}
    lines = ["| # | edit | harmful | `uv lock --check` | lockaudit |", "|---|---|---|---|---|"]
    for row in rows:
        ours = ", ".join(row.findings) or ("refused, exit 2" if row.lockaudit == 2 else "silent")
        mark = "" if row.right else " **(wrong)**"
        harmful = "yes" if row.edit.harmful else "no"
        lines.append(f"| {row.edit.number} | {row.edit} | {harmful} | {said[row.uv]} | {ours}{mark} |")
    return "\n".join(lines)


def main() -> int:
    """Print the table, and what it comes to."""
    rows = list(verdicts())
    print(table(rows))
    harmful = [row for row in rows if row.edit.harmful]
    passed = sum(row.uv == 0 for row in harmful)
    noticed = sum(row.noticed for row in harmful)
    print(f"\n{len(harmful)} harmful edits: `uv lock --check` passes {passed}, lockaudit notices {noticed}.")
    harmless = [row for row in rows if not row.edit.harmful]
    print(f"{len(harmless)} harmless ones: lockaudit calls {sum(not row.right for row in harmless)} an error.")
    return 0 if all(row.right for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
