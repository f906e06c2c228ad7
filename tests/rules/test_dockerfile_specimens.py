"""Whole Dockerfiles: one with every defect of LA4xx, and good ones in which nothing may be found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.cli.command import check
from tests.rules.dockerfiles import PLACE, PLAIN, WITH_WHEEL, WITHOUT_GROUPS
from tests.rules.specimens import write_pair
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

SPECIMENS: Final = REPOSITORY / "tests" / "dockerfile" / "specimens"

# What is wrong in every-defect.Dockerfile: (what, code, severity, the beginning of the line).
DEFECTS: Final = (
    ("the documented variant `runtime` makes a tag that does not exist", "LA402", "error", "FROM nvidia/cuda:"),
    ("so does `base`", "LA402", "error", "FROM nvidia/cuda:"),
    ("uv is downloaded unhashed", "LA410", "warning", "RUN curl -LsSf https://astral.sh/uv"),
    ("dev's lock is not enforced", "LA409", "warning", "RUN uv sync"),
    ("dev's extra, which chooses its torch, is not passed", "LA406", "error", "RUN uv sync"),
    ("prod's lock is installed with a command that does not read it", "LA409", "error", "RUN uv venv /env/prod"),
    ("a speed knob is part of the key of dev's wheel", "LA411", "warning", "ARG MAX_JOBS"),
    ("CMake is downloaded unhashed", "LA410", "warning", "RUN wget -q https://github.com/Kitware"),
    ("dev's wheel stands on the dependencies", "LA401", "error", "RUN FLASH_ATTN_CUDA_ARCHS"),
    ("dev's wheel may be a download", "LA405", "error", "RUN FLASH_ATTN_CUDA_ARCHS"),
    ("dev's flash-attn is in neither lock", "LA408", "warning", "RUN FLASH_ATTN_CUDA_ARCHS"),
    ("dev's flash-attn does not read the list", "LA413", "warning", "RUN FLASH_ATTN_CUDA_ARCHS"),
    ("a speed knob is part of the key of prod's wheel", "LA411", "warning", "ENV NVCC_THREADS"),
    ("CMake is downloaded unhashed once more", "LA410", "warning", "ADD https://github.com/Kitware"),
    ("prod's wheel stands on the dependencies", "LA401", "error", "RUN python3 -m pip wheel"),
    ("prod's wheel may be a download", "LA405", "error", "RUN python3 -m pip wheel"),
    ("prod's flash-attn is in neither lock", "LA408", "warning", "RUN python3 -m pip wheel"),
    ("prod's flash-attn does not read the list", "LA413", "warning", "RUN python3 -m pip wheel"),
    ("dev activates an environment where none was made", "LA404", "error", "ENV VIRTUAL_ENV=/opt/venv"),
    ("production stands on the devel image", "LA403", "error", "FROM system AS prod"),
    ("prod's extra is not passed", "LA406", "error", "RUN uv sync --locked"),
    ("prod gets the development group", "LA406", "warning", "RUN uv sync --locked"),
    ("prod is synced twice", "LA414", "warning", "RUN uv sync --locked"),
    ("the container syncs once more when it starts", "LA407", "error", 'CMD ["uv", "run"'),
)


def found_in(folder: Path, dockerfile: str, *, locked: str = PLAIN, config: str = "") -> list[tuple[str, str, str]]:
    """(code, severity, line) of each finding of LA4xx in a Dockerfile."""
    write_pair(folder, dev=locked, prod=locked, config=config, dockerfile=dockerfile, select=("LA4",))
    lines = dockerfile.splitlines()
    findings = check(folder).findings
    return [(each["code"], each["severity"], lines[each["line"] - 1]) for each in findings]


def test_every_defect_of_the_specimen_is_found_and_nothing_else(tmp_path: Path) -> None:
    text = (SPECIMENS / "every-defect.Dockerfile").read_text(encoding="utf-8")
    found = found_in(tmp_path, text, config='dev.extras = ["gpu"]\nprod.extras = ["gpu"]\n')
    assert len(found) == len(DEFECTS)
    for what, code, severity, start in DEFECTS:
        match = next((each for each in found if each[:2] == (code, severity) and each[2].startswith(start)), None)
        assert match is not None, what
        found.remove(match)


@pytest.mark.parametrize("path", sorted(SPECIMENS.glob("good-*")), ids=lambda path: path.stem)
@pytest.mark.parametrize("locked", [PLAIN, WITHOUT_GROUPS], ids=["groups", "no-groups"])
def test_nothing_is_found_in_good_ones(path: Path, locked: str, tmp_path: Path) -> None:
    assert found_in(tmp_path, path.read_text(encoding="utf-8"), locked=locked) == []


def test_nothing_is_found_where_the_wheel_is_kept_out_of_the_sync(tmp_path: Path) -> None:
    text = (SPECIMENS / "good-keyed-wheel.Dockerfile").read_text(encoding="utf-8")
    assert found_in(tmp_path, text, locked=WITH_WHEEL) == []


def test_nothing_is_found_in_our_own() -> None:
    assert [each for each in check(REPOSITORY).findings if each["code"].startswith("LA4")] == []


def test_ours_serves_a_project_without_a_wheel_and_one_with_a_selection(tmp_path: Path) -> None:
    text = (REPOSITORY / PLACE).read_text(encoding="utf-8")
    assert found_in(tmp_path / "plain", text) == []
    # What its syncs install is also in "$@", and `lockaudit bake` fills in the selections: nothing can be told.
    settings = 'dev.extras = ["gpu"]\nprod.extras = ["gpu"]\n'
    assert found_in(tmp_path / "chosen", text, config=settings) == []


def test_every_message_says_what_to_do(tmp_path: Path) -> None:
    text = (SPECIMENS / "every-defect.Dockerfile").read_text(encoding="utf-8")
    write_pair(tmp_path, dev=PLAIN, prod=PLAIN, dockerfile=text, select=("LA4",))
    for finding in check(tmp_path).findings:
        assert finding["help"]
        assert "\0" not in finding["message"]
        assert "\n" not in finding["message"]
