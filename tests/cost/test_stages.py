"""Which stages run again, of Dockerfiles of a few lines; what BuildKit does with the recipe is in tests/engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from auditor.dockerfile.context import File
from auditor.dockerfile.outputs import gathers_manifests, manifests
from auditor.dockerfile.read import read_dockerfile
from tests.rules.specimens import package, plain, write_pair
from tests.support import REPOSITORY

from .repository import cause, commit, plan, stages

if TYPE_CHECKING:
    from pathlib import Path

YES, NO, PERHAPS = "yes", "no", "perhaps"


def state(root: Path, dockerfile: str, bake: str = "", **files: str) -> Path:
    """Write a pair with a Dockerfile, a bake file and other files; `__` in a name is a slash, `_` a dot."""
    text = plain(package("rich"))
    write_pair(root, dev=text, prod=text, dockerfile=dockerfile)
    if bake:
        (root / "docker-bake.hcl").write_text(bake)
    for name, content in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


FILES: Final = "FROM alpine AS dev\nCOPY src/ /src/\nRUN build\n"
BYTECODE: Final = """\
FROM alpine AS one
ENV UV_COMPILE_BYTECODE=1
COPY uv.lock src/a.py /app/
WORKDIR /app
RUN uv sync --locked
FROM alpine AS dev
COPY --from=one /app/.venv /app/.venv
"""
# the Dockerfile, what is written in the second state, the stages, why the first one runs
CASES: Final = {
    "a file that is copied": (FILES, {"src__a_py": "2"}, {"dev": YES}, ("file", "src/a.py")),
    "a file that is not": (FILES, {"other_py": "2"}, {"dev": NO}, None),
    "a pattern": ("FROM alpine AS dev\nCOPY src/*.py /x/\n", {"src__a_py": "2"}, {"dev": YES}, ("file", "src/a.py")),
    "a pattern that it does not match": (
        "FROM alpine AS dev\nCOPY src/*.md /x/\n",
        {"src__a_py": "2"},
        {"dev": NO},
        None,
    ),
    "an exclusion": ("FROM alpine AS dev\nCOPY --exclude=src . /x/\n", {"src__a_py": "2"}, {"dev": NO}, None),
    "a mount": (
        "FROM alpine AS dev\nRUN --mount=type=bind,source=src,target=/x build\n",
        {"src__a_py": "2"},
        {"dev": YES},
        ("file", "src/a.py"),
    ),
    "a mount of something else": (
        "FROM alpine AS dev\nRUN --mount=type=bind,source=uv.lock,target=/x build\n",
        {"src__a_py": "2"},
        {"dev": NO},
        None,
    ),
    "a stage that is copied from, by its bytes": (
        "FROM scratch AS one\nCOPY src/a.py /a\nCOPY uv.lock /b\nFROM alpine AS dev\nCOPY --from=one /b /b\n",
        {"src__a_py": "2"},
        {"one": YES, "dev": NO},
        ("file", "src/a.py"),
    ),
    "a command's files, which nobody can tell": (
        "FROM alpine AS one\nCOPY src/a.py /a\nRUN make >/b\nFROM alpine AS dev\nCOPY --from=one /b /b\n",
        {"src__a_py": "2"},
        {"one": YES, "dev": PERHAPS},
        ("file", "src/a.py"),
    ),
    "a stage that is built on": (
        "FROM alpine AS one\nCOPY src/a.py /a\nFROM one AS dev\nRUN build\n",
        {"src__a_py": "2"},
        {"one": YES, "dev": YES},
        ("file", "src/a.py"),
    ),
    "an environment with compiled files": (
        BYTECODE,
        {"src__a_py": "2"},
        {"one": YES, "dev": YES},
        ("file", "src/a.py"),
    ),
    "a link": (
        "FROM alpine AS dev\nCOPY src/ /src/\nCOPY --link uv.lock /b\n",
        {"src__a_py": "2"},
        {"dev": YES},
        ("file", "src/a.py"),
    ),
    ".dockerignore": (FILES, {"_dockerignore": "src\n"}, {"dev": YES}, ("file", "src/a.py")),
    "a stage that nothing needs": (
        "FROM alpine AS left\nCOPY src /x\nFROM alpine AS dev\nRUN a\nFROM dev AS prod\nRUN b\n",
        {"uv_lock": plain(package("rich", "2.0"))},
        {"prod": NO, "dev": NO},
        None,
    ),
}


@pytest.mark.parametrize(("dockerfile", "written", "expected", "why"), CASES.values(), ids=CASES)
def test_a_changed_file(
    tmp_path: Path, dockerfile: str, written: dict[str, str], expected: dict[str, str], why: tuple[str, str] | None
) -> None:
    commit(state(tmp_path, dockerfile, src__a_py="1", src__b_py="1"))
    state(tmp_path, dockerfile, **written)
    document = plan(tmp_path)
    last = document["pairs"][0]["builds"][-1]["build"]
    assert stages(document, last) == expected
    first = next((stage for stage, runs in expected.items() if runs != NO), None)
    assert (cause(document, last, first)[:2] if first else None) == why


# the Dockerfile before and after, and why the stage dev runs: (kind, name, before, after)
EDITS: Final = {
    "an image": (
        "FROM alpine:1 AS dev\nRUN a\n",
        "FROM alpine:2 AS dev\nRUN a\n",
        ("image", "FROM", "alpine:1", "alpine:2"),
    ),
    "an ARG of an image": (
        "ARG V=1\nFROM alpine:$V AS dev\nRUN a\n",
        "ARG V=2\nFROM alpine:$V AS dev\nRUN a\n",
        ("argument", "V", "1", "2"),
    ),
    "an ARG that chooses a stage": (
        "ARG V=x\nFROM alpine AS in-x\nFROM debian AS in-y\nFROM in-$V AS dev\nRUN a\n",
        "ARG V=y\nFROM alpine AS in-x\nFROM debian AS in-y\nFROM in-$V AS dev\nRUN a\n",
        ("argument", "V", "x", "y"),
    ),
    "an ARG that is declared, even if nothing uses it": (
        "FROM alpine AS dev\nARG V=1\nRUN a\n",
        "FROM alpine AS dev\nARG V=2\nRUN a\n",
        ("argument", "V", "1", "2"),
    ),
    "an ENV": (
        "FROM alpine AS dev\nENV V=1\nRUN a\n",
        "FROM alpine AS dev\nENV V=2\nRUN a\n",
        ("variable", "V", "1", "2"),
    ),
    "a new ENV": ("FROM alpine AS dev\nRUN a\n", "FROM alpine AS dev\nENV V=2\nRUN a\n", ("variable", "V", None, "2")),
    "a command": ("FROM alpine AS dev\nRUN a\n", "FROM alpine AS dev\nRUN b\n", ("instruction", "RUN", None, None)),
    "a folder": (
        "FROM alpine AS dev\nWORKDIR /a\nRUN a\n",
        "FROM alpine AS dev\nWORKDIR /b\nRUN a\n",
        ("instruction", "WORKDIR", None, None),
    ),
    "a user": (
        "FROM alpine AS dev\nUSER 1\nRUN a\n",
        "FROM alpine AS dev\nUSER 2\nRUN a\n",
        ("setting", "USER", "1", "2"),
    ),
    "a step more": (
        "FROM alpine AS dev\nRUN a\n",
        "FROM alpine AS dev\nRUN a\nRUN b\n",
        ("instruction", "RUN", None, None),
    ),
    "a text": (
        "FROM alpine AS dev\nCOPY <<EOF /a\n1\nEOF\n",
        "FROM alpine AS dev\nCOPY <<EOF /a\n2\nEOF\n",
        ("instruction", "/a", None, None),
    ),
    "an ARG after the last step": (
        "FROM alpine AS dev\nRUN a\nARG V=1\n",
        "FROM alpine AS dev\nRUN a\nARG V=2\n",
        None,
    ),
    "an ARG that the stage does not declare": (
        "ARG V=1\nFROM alpine AS dev\nRUN a\n",
        "ARG V=2\nFROM alpine AS dev\nRUN a\n",
        None,
    ),
    "a label": ("FROM alpine AS dev\nRUN a\n", "FROM alpine AS dev\nLABEL v=1\nRUN a\n", None),
    "another name of the stage": ("FROM alpine AS one\nRUN a\n", "FROM alpine AS dev\nRUN a\n", None),
    "a comment": ("FROM alpine AS dev\nRUN a\n", "# Hello\nFROM alpine AS dev\nRUN a\n", None),
}


@pytest.mark.parametrize(("old", "new", "why"), EDITS.values(), ids=EDITS)
def test_an_edit_of_the_dockerfile(
    tmp_path: Path, old: str, new: str, why: tuple[str, str, str | None, str | None] | None
) -> None:
    commit(state(tmp_path, old))
    state(tmp_path, new)
    document = plan(tmp_path)
    assert stages(document, "dev")["dev"] == (NO if why is None else YES)
    if why is not None:
        assert cause(document, "dev", "dev")[:4] == why


BAKE: Final = """\
target "wheel-prod" {
  dockerfile = "docker/Dockerfile-uv"
  target     = "wheel-prod"
  args       = { SPEED = "1" }
}
target "dev" {
  dockerfile = "docker/Dockerfile-uv"
  target     = "dev"
  contexts   = { wheel-prod = "target:wheel-prod" }
  args       = { NAME = "a" }
}
"""
LINKED: Final = """\
FROM scratch AS wheel-prod
COPY src/a.py /
FROM alpine AS dev
ARG NAME
RUN --mount=type=bind,from=wheel-prod,target=/wheels install
FROM alpine AS other
RUN nothing
"""


def test_targets_of_bake_have_arguments_and_links(tmp_path: Path) -> None:
    commit(state(tmp_path, LINKED, BAKE, src__a_py="1"))
    state(tmp_path, LINKED, BAKE.replace('"a"', '"b"'))
    document = plan(tmp_path)
    assert [build["build"] for build in document["pairs"][0]["builds"]] == ["dev"]
    assert stages(document, "dev") == {"wheel-prod": NO, "dev": YES}
    assert cause(document, "dev", "dev") == ("argument", "NAME", "a", "b", None)
    state(tmp_path, LINKED, BAKE, src__a_py="2")
    document = plan(tmp_path)
    assert stages(document, "dev") == {"wheel-prod": YES, "dev": YES}
    assert cause(document, "dev", "dev")[:2] == ("file", "src/a.py")


# an attribute of the target -> whether the commands of the stage dev run again
ATTRIBUTES: Final = {
    'network = "host"': YES,
    'shm-size = "2g"': YES,
    "no-cache = true": YES,
    'no-cache-filter = ["dev"]': YES,
    'no-cache-filter = ["other"]': NO,
    'labels = { release = "2" }': NO,
    'tags = ["app:2"]': NO,
    'cache-to = ["type=registry,ref=a"]': NO,
    'platforms = ["linux/arm64"]': YES,
}


@pytest.mark.parametrize(("line", "runs"), ATTRIBUTES.items())
def test_attributes_of_bake(tmp_path: Path, line: str, runs: str) -> None:
    commit(state(tmp_path, LINKED, BAKE, src__a_py="1"))
    state(tmp_path, LINKED, BAKE.replace("  contexts ", f"  {line}\n  contexts "))
    assert stages(plan(tmp_path), "dev")["dev"] == runs


def test_what_causes_it_and_by_which_stage(tmp_path: Path) -> None:
    dockerfile = (
        "FROM scratch AS locks\nCOPY uv.lock /\nFROM alpine AS deps\nRUN --mount=type=bind,from=locks,target=/x sync\n"
        "FROM deps AS dev\nRUN more\n"
    )
    commit(state(tmp_path, dockerfile))
    state(tmp_path, dockerfile, uv_lock=plain(package("rich", "2.0")))
    document = plan(tmp_path)
    assert cause(document, "dev", "locks") == ("file", "uv.lock", "there", "there", None)
    assert cause(document, "dev", "dev") == ("file", "uv.lock", "there", "there", "deps")
    assert document["verdict"] == "compiles nothing; dev 0 B; 3 of 3 stages run again"


def test_several_files_are_counted(tmp_path: Path) -> None:
    commit(state(tmp_path, FILES, src__a_py="1", src__b_py="1", src__c_py="1"))
    state(tmp_path, FILES, src__b_py="2", src__c_py="2", src__d_py="2")
    (build,) = plan(tmp_path)["pairs"][0]["builds"]
    assert (build["stages"][0]["cause"]["name"], build["stages"][0]["cause"]["others"]) == ("src/b.py", 2)


def test_many_stages_on_each_other_are_no_trouble(tmp_path: Path) -> None:
    lines = ["FROM alpine AS s0", "COPY src/a.py /", "RUN a"]
    for number in range(1, 199):
        lines += [f"FROM s{number - 1} AS s{number}", f"RUN step {number}"]
    text = "\n".join(lines) + "\n"
    commit(state(tmp_path, text, src__a_py="1"))
    state(tmp_path, text, src__a_py="2")
    assert plan(tmp_path)["verdict"].endswith("199 of 199 stages run again")


def test_many_stages_that_copy_from_each_other_crosswise_are_no_trouble(tmp_path: Path) -> None:
    lines = ["FROM scratch AS s0", "COPY src/a.py /x/a"]
    for number in range(1, 199):
        copy = f"COPY --from=s{number - 1} /x /x"
        lines += [f"FROM {'scratch' if number % 2 else 'alpine'} AS s{number}", copy, copy]
    text = "\n".join(lines) + "\nRUN make\n"
    commit(state(tmp_path, text, src__a_py="1"))
    state(tmp_path, text, src__a_py="2")
    document = plan(tmp_path)
    assert document["verdict"].endswith("199 of 199 stages run again")
    assert cause(document, "s198", "s198")[:2] == ("file", "src/a.py")


def test_many_commands_that_read_each_other_s_files_are_no_trouble(tmp_path: Path) -> None:
    lines = ["FROM alpine AS s0", "COPY src/a.py /x/a", "RUN make"]
    for number in range(1, 199):
        mount = f"--mount=type=bind,from=s{number - 1},source=/x,target=/y"
        lines += [f"FROM alpine AS s{number}", f"RUN {mount} make"]
    text = "\n".join(lines) + "\n"
    commit(state(tmp_path, text, src__a_py="1"))
    state(tmp_path, text, src__a_py="2")
    document = plan(tmp_path)
    assert document["verdict"].endswith("2 of 199 stages run again, 197 more perhaps")
    assert cause(document, "s198", "s198")[:2] == ("file", "src/a.py")


def test_what_git_ignores_is_not_looked_at_and_what_is_new_is(tmp_path: Path) -> None:
    commit(state(tmp_path, FILES, src__a_py="1", _gitignore="*.log\n"))
    state(tmp_path, FILES, src__x_log="1")
    assert stages(plan(tmp_path), "dev") == {"dev": NO}
    state(tmp_path, FILES, src__new_py="1")
    assert stages(plan(tmp_path), "dev") == {"dev": YES}


def test_the_recipe_gathers_manifests_by_a_step_that_is_known() -> None:
    """Whoever edits that step gives its hash to `auditor.dockerfile.outputs`, and looks whether it leaves the same."""
    recipe = read_dockerfile(REPOSITORY / "docker" / "Dockerfile-uv")
    (stage,) = [stage for stage in recipe.stages if stage.name == "manifests"]
    assert [gathers_manifests(each) for each in stage.instructions if each.name == "RUN"] == [True]


def test_manifests_of_a_project_in_a_folder_and_of_its_members() -> None:
    lock = 'source = { editable = "packages/a" }\nsource = { directory = "../b" }\nsource = { path = "x-1.tar.gz" }\n'
    names = ("pyproject.toml", "uv.lock", "packages/a/setup.py", "packages/c/pyproject.toml", "x-1.tar.gz", "app.py")
    files = {f"dev/{name}": File("0") for name in names} | {"b/pyproject.toml": File("0"), "uv.lock": File("0")}
    found = dict(manifests(files, {"dev/uv.lock": lock}.get, "dev"))
    assert {path.removeprefix("/manifests/") for path in found} == {
        "dev/pyproject.toml",
        "dev/uv.lock",
        "dev/packages/a/setup.py",
        "b/pyproject.toml",
        "dev/x-1.tar.gz",
    }
