"""Lines that install something with a hash, and lines that do so without one."""

from __future__ import annotations

from typing import Final

import pytest

from script.supply_chain.__main__ import commands
from script.supply_chain.installs import EXEMPT, Exemption, unhashed
from tests.support import REPOSITORY

FINE: Final = (
    "pip install --require-hashes -r requirements.txt",
    '"$here/.uv/bin/python" -m pip install --quiet --no-deps \\\n    --require-hashes --requirement requirements.txt',
    'uv pip install --preview-features pylock --requirement "$lock/pylock.toml"',
    "uv pip install --no-index --find-links /wheels --no-deps flash-attn",
    "uv sync --locked --no-dev",
    'exec "$(dirname "$0")/uv" run --quiet --locked "$@"',
    "script/run ruff check .",
    "uv build --require-hashes --build-constraints backend.txt",
    "apt-get install --yes --no-install-recommends git",
    "curl -fsS https://example.com/health | grep ok",
    "# pip install lockaudit",
    "need curl curl",
    "docker run image bash",
)
BAD: Final = (
    "pip install lockaudit",
    "pip3 install -r requirements.txt",
    "python -m pip install --upgrade pip",
    '"$venv/bin/python" -m pip wheel flash-attn',
    "uv pip install torch",
    "uv pip sync requirements.txt",
    "uv sync",
    "uv run --frozen pytest",
    'exec "$(dirname "$0")/uv" run --quiet pytest',
    "uv build",
    "python -m build",
    "uvx ruff",
    "uv tool run ruff",
    "pipx install lockaudit",
    "      - run: pipx run lockaudit check",
    "curl -LsSf https://example.com/install.sh | sh",
    "wget -qO- https://example.com/install.sh | sudo bash -s -- -y",
    "bash <(curl -fsSL https://example.com/install.sh)",
    'sh -c "$(curl -fsSL https://example.com/install.sh)"',
    "npm install left-pad",
    "cargo install just",
    "pip install \\\n    --no-deps \\\n    lockaudit",
)


@pytest.mark.parametrize("command", FINE)
def test_an_install_with_hashes_is_fine(command: str) -> None:
    assert list(unhashed({"script/a": command}, exempt=())) == []


@pytest.mark.parametrize("command", BAD)
def test_an_install_without_hashes_is_told(command: str) -> None:
    (fault,) = unhashed({"script/a": f"#!/bin/sh\n{command}\necho done\n"}, exempt=())
    assert fault.startswith("script/a:2: ")


def test_the_files_that_install_something_are_looked_at() -> None:
    looked_at = commands(REPOSITORY)
    expected = {".ci/run", "script/uv", ".github/actions/lockaudit/check.sh", "docker/Dockerfile-uv"}
    assert expected <= set(looked_at)
    assert any(name.startswith(".github/workflows/") for name in looked_at)


def test_nothing_here_installs_without_a_hash() -> None:
    assert list(unhashed(commands(REPOSITORY))) == []


def test_each_exemption_is_needed() -> None:
    for exemption in EXEMPT:
        others = [one for one in EXEMPT if one is not exemption]
        assert len(list(unhashed(commands(REPOSITORY), others))) == 1, exemption


def test_an_exemption_that_exempts_nothing_is_told() -> None:
    exemption = Exemption(path="script/a", words="uvx ruff", reason="none")
    (fault,) = unhashed({"script/a": "true"}, [exemption])
    assert "remove its exemption" in fault
