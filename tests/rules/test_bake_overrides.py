"""LA504: what lies beside the bake file and undoes what it does for the caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.baked import CACHE, DEV, OVERRIDE, PROD, WHEEL, Baked, by_hand, override, ref, target
from tests.rules.cases import Case, ids, verify

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = (
    "ARG CUDA_VERSION=12.4.1\nARG CUDA_VARIANT=cudnn\nARG UBUNTU_VERSION=22.04\nARG UV_VERSION=0.13.9\n"
    "ARG CMAKE_VERSION=3.26.1\nFROM scratch AS compile\nARG MAX_JOBS\n"
    "FROM scratch AS wheel-prod\nCOPY --from=compile / /\n"
)

CASES = (
    Baked(
        rule="LA504",
        name="no cache for the wheel",
        files=override(target("wheel-prod", "no-cache = true")),
        found=(f"error[LA504] - {OVERRIDE}: no-cache = true",),
    ),
    Baked(
        rule="LA504",
        name="no cache for all",
        files=override(target("_common", "no-cache = true")),
        found=(f"error[LA504] - {OVERRIDE}: no-cache = true",),
    ),
    Baked(
        rule="LA504",
        name="no cache for an image",
        files=override(target("dev", "no-cache = true")),
        found=(f"warning[LA504] - {OVERRIDE}: no-cache = true",),
    ),
    Baked(
        rule="LA504",
        name="no cache for the stage that compiles",
        files={**override(target("_common", 'no-cache-filter = ["compile"]')), "docker/Dockerfile-uv": DOCKERFILE},
        found=(f'error[LA504] - {OVERRIDE}: no-cache-filter = ["compile"]',),
    ),
    Baked(
        rule="LA504",
        name="no cache for another stage",
        files={**override(target("_common", 'no-cache-filter = ["dev"]')), "docker/Dockerfile-uv": DOCKERFILE},
        found=(f'warning[LA504] - {OVERRIDE}: no-cache-filter = ["dev"]',),
    ),
    Baked(
        rule="LA504",
        name="more caches for one target",
        files=override(target("prod", f"cache-from = {ref('mine')}")),
        found=(f"warning[LA504] - {OVERRIDE}: cache-from = {ref('mine')}",),
    ),
    *(
        Baked(
            rule="LA504",
            name=f"{line} for one target",
            files=override(target("prod", line)),
            found=(f"warning[LA504] - {OVERRIDE}: {line}",),
        )
        for line in (
            'network = "host"',
            'shm-size = "2g"',
            'ulimits = ["nofile=1024:1024"]',
            'extra-hosts = { a = "1.2.3.4" }',
        )
    ),
    Baked(
        rule="LA504",
        name="a network for one of two wheels that nobody links",
        baked=None,
        files={
            **by_hand(
                CACHE, WHEEL, WHEEL.replace("wheel-prod", "wheel-dev").replace(":wheel", ":wheel-dev"), DEV, PROD
            ),
            **override(target("wheel-dev", 'network = "host"')),
        },
        found=(f'error[LA504] - {OVERRIDE}: network = "host"',),
    ),
    Baked(
        rule="LA504",
        name="a number of jobs that is hashed",
        files={**override(target("_common", 'args = { MAX_JOBS = "4" }')), "docker/Dockerfile-uv": DOCKERFILE},
        found=(f'error[LA504] - {OVERRIDE}: args = {{ MAX_JOBS = "4" }}',),
    ),
    Baked(
        rule="LA504",
        name="a number of jobs that nobody reads",
        files=override(target("_common", 'args = { MAX_JOBS = "4" }')),
        found=(f'warning[LA504] - {OVERRIDE}: args = {{ MAX_JOBS = "4" }}',),
    ),
    Baked(
        rule="LA504",
        name="another CUDA behind the name of the cache",
        files=override(target("_common", 'args = { CUDA_VERSION = "12.8.1" }')),
        found=(f'error[LA504] - {OVERRIDE}: args = {{ CUDA_VERSION = "12.8.1" }}',),
    ),
    Baked(
        rule="LA504",
        name="another CUDA for production",
        files=override(target("prod", 'args = { CUDA_VERSION = "12.8.1" }')),
        found=(f'warning[LA504] - {OVERRIDE}: args = {{ CUDA_VERSION = "12.8.1" }}',),
    ),
    Baked(
        rule="LA504",
        name="wheels that every bake exports",
        files=override(target("wheel-prod", 'output = ["type=local,dest=dist"]')),
        found=(f'warning[LA504] - {OVERRIDE}: output = ["type=local,dest=dist"]',),
    ),
    Baked(
        rule="LA504",
        name="every layer of the compile",
        files=override(target("wheel-prod", f"cache-to = {ref('wheel', 'mode=max')}")),
        found=(f"warning[LA504] - {OVERRIDE}: cache-to = {ref('wheel', 'mode=max')}",),
    ),
    Baked(
        rule="LA504",
        name="unlinked",
        files=override(target("prod", 'contexts = { wheel-prod = "" }')),
        found=(f'error[LA504] - {OVERRIDE}: contexts = {{ wheel-prod = "" }}',),
    ),
    Baked(
        rule="LA504",
        name="in JSON",
        files={"docker-bake.override.json": '{"target": {"wheel-prod": {"no-cache": true}}}\n'},
        found=('error[LA504] - docker-bake.override.json: {"target": {"wheel-prod": {"no-cache": true}}}',),
    ),
    Baked(
        rule="LA504",
        name="in the file that bake reads first",
        files={"docker-bake.json": '{"target": {"wheel-prod": {"no-cache": true}}}\n'},
        found=('error[LA504] - docker-bake.json: {"target": {"wheel-prod": {"no-cache": true}}}',),
    ),
    Baked(
        rule="LA504",
        name="a compose file",
        files={"compose.yaml": "services:\n  database:\n    image: postgres\n"},
        found=("info[LA504] - compose.yaml: database:",),
    ),
    Baked(
        rule="LA504",
        name="a service with the name of a target",
        files={
            **override(target("_common", "pull = true")),
            "compose.yml": "name: x\nservices:\n  # the app\n  prod:\n    build: .\n",
        },
        found=("warning[LA504] - compose.yml: prod:",),
    ),
    Baked(
        rule="LA504",
        name="a switch that is off",
        files=override(
            'variable "FRESH" {\n  default = false\n}\n' + target("_common", "no-cache = FRESH", "no-cache-filter = []")
        ),
    ),
    Baked(
        rule="LA504",
        name="for every target",
        files=override(
            target("_common", 'network = "host"', 'ulimits = ["nofile=1024:1024"]')
            + target("_cache", f"cache-from = {ref('mine')}")
        ),
    ),
    Baked(
        rule="LA504",
        name="for every target, one by one",
        files=override(
            "".join(
                target(name, 'network = "host"') for name in ("wheel-prod", "wheel-dev", "wheelhouse", "dev", "prod")
            )
        ),
    ),
    Baked(
        rule="LA504",
        name="what an override is for",
        files=override(
            'variable "CACHE_REPO" {\n  default = "example.org/cache"\n}\n'
            + target("prod", 'tags = ["example.org/app:1"]', 'labels = { a = "b" }', 'args = { BUILD_DATE = "today" }')
            + target("dev", 'contexts = { wheel-prod = "docker-image://example.org/wheels:1" }', "no-cache = false")
            + target("test", 'inherits = ["dev"]', 'target = "test"', "cache-to = []")
        ),
    ),
    Baked(
        rule="LA504",
        name="a bake file of another name has no override",
        baked=None,
        config='bake.file = "docker/bake.hcl"\n',
        files={
            "docker/bake.hcl": f"{CACHE}\n{WHEEL}\n{DEV}\n{PROD}",
            **override(target("wheel-prod", "no-cache = true")),
        },
    ),
)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)
