"""LA503, LA505 and LA506: bake files that somebody wrote by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.baked import BAKE, CACHE, DEV, OVERRIDE, PROD, WHEEL, Baked, by_hand, override, ref, target
from tests.rules.cases import Case, ids, verify

if TYPE_CHECKING:
    from pathlib import Path

SHARED = f"cache-to = {ref('cache')}"

CASES = (
    Baked(
        rule="LA503",
        name="inherited by both",
        baked=None,
        files=by_hand(
            target("_common", SHARED), target("dev", 'inherits = ["_common"]'), target("prod", 'inherits = ["_common"]')
        ),
        found=(f"error[LA503] - {BAKE}: {SHARED}",),
    ),
    Baked(
        rule="LA503",
        name="objects with variables",
        baked=None,
        files=by_hand(
            'variable "REPO" {\n  default = "example.org/app"\n}\n',
            target("a", 'cache-to = [{ type = "registry", ref = "${REPO}:cache", mode = "max" }]'),
            target("b", f"cache-to = {ref('cache')}"),
        ),
        found=(f"error[LA503] - {BAKE}: cache-to = {ref('cache')}",),
    ),
    Baked(
        rule="LA503",
        name="a tag that is not written",
        baked=None,
        files=by_hand(
            target("a", 'cache-to = ["type=registry,ref=localhost:5000/app"]'),
            target("b", 'cache-to = ["type=registry,ref=localhost:5000/app:latest"]'),
        ),
        found=(f'error[LA503] - {BAKE}: cache-to = ["type=registry,ref=localhost:5000/app:latest"]',),
    ),
    Baked(
        rule="LA503",
        name="a function",
        baked=None,
        files=by_hand(
            'function "cache" {\n  params = []\n  result = ["type=registry,ref=example.org/app:ci,mode=max"]\n}\n',
            target("test", "cache-to = cache()"),
            target("wheels", "cache-to = cache()", 'output = ["type=cacheonly"]'),
        ),
        select=("LA503",),
        found=(f"error[LA503] - {BAKE}: cache-to = cache()",),
    ),
    Baked(
        rule="LA503",
        name="behind a choice",
        baked=None,
        files=by_hand(
            target("a", f"cache-to = CI ? {ref('x')} : []"), target("b", f"cache-to = CI ? {ref('x')} : {ref('y')}")
        ),
        found=(f"error[LA503] - {BAKE}: cache-to = CI ? {ref('x')} : {ref('y')}",),
    ),
    Baked(
        rule="LA503",
        name="every target of a matrix",
        baked=None,
        files=by_hand(target("app", "name = tgt", 'matrix = { tgt = ["a", "b"] }', SHARED)),
        found=(f"error[LA503] - {BAKE}: {SHARED}",),
    ),
    Baked(
        rule="LA503",
        name="twice in one target",
        baked=None,
        files=by_hand(target("app", f"cache-to = [{ref('x')[1:-1]}, {ref('x')[1:-1]}]")),
        found=(f"error[LA503] - {BAKE}: cache-to = [{ref('x')[1:-1]}, {ref('x')[1:-1]}]",),
    ),
    Baked(
        rule="LA503",
        name="through an override",
        files=override(
            target("prod", 'cache-to = [{ type = "registry", ref = "app-cache:x" }]')
            + target("dev", 'cache-to = ["type=registry,ref=app-cache:x"]')
        ),
        found=(f'error[LA503] - {OVERRIDE}: cache-to = [{{ type = "registry", ref = "app-cache:x" }}]',),
    ),
    Baked(rule="LA503", name="a ref each", baked=None, files=by_hand(CACHE, WHEEL, DEV, PROD)),
    Baked(
        rule="LA503",
        name="each target of a matrix has its own",
        baked=None,
        files=by_hand(target("app", "name = tgt", 'matrix = { tgt = ["a", "b"] }', f"cache-to = {ref('${tgt}')}")),
    ),
    Baked(
        rule="LA503",
        name="a function with other arguments",
        baked=None,
        files=by_hand(
            'function "cache" {\n  params = [tag]\n  result = ["type=registry,ref=example.org/app:${tag}"]\n}\n',
            target("a", 'cache-to = cache("a")'),
            target("b", 'cache-to = cache("b")'),
        ),
    ),
    Baked(
        rule="LA503",
        name="inline caches and empty lists",
        baked=None,
        files=by_hand(
            target("a", 'cache-to = ["type=inline"]'),
            target("b", 'cache-to = ["type=inline"]', "tags = []"),
            target("c", "cache-to = []"),
        ),
    ),
    Baked(
        rule="LA505",
        name="a wheel without a cache",
        baked=None,
        files=by_hand(CACHE, target("wheel-prod", 'inherits = ["_cache"]'), DEV, PROD),
        found=(f'warning[LA505] - {BAKE}: target "wheel-prod" {{',),
    ),
    Baked(
        rule="LA505",
        name="a wheel that keeps every layer",
        baked=None,
        files=by_hand(CACHE, WHEEL.replace("mode=min", "mode=max"), DEV, PROD),
        found=(f'warning[LA505] - {BAKE}: target "wheel-prod" {{',),
    ),
    Baked(
        rule="LA505",
        name="targets that read other caches",
        baked=None,
        files=by_hand(CACHE, WHEEL, DEV, target("prod", f"cache-from = {ref('prod')}"), target("test")),
        found=(f'warning[LA505] - {BAKE}: target "prod" {{',),
    ),
    Baked(
        rule="LA505",
        name="a pin under a name that is exported",
        baked=None,
        files=by_hand('variable "CUDA_VERSION" {\n  default = "12.4.1"\n}\n', CACHE, WHEEL, DEV, PROD),
        found=(f'warning[LA505] - {BAKE}: variable "CUDA_VERSION" {{',),
    ),
    Baked(rule="LA505", name="as it should be", baked=None, files=by_hand(CACHE, WHEEL, DEV, PROD)),
    Baked(rule="LA505", name="generated"),
    Baked(
        rule="LA505",
        name="a wheel that is exported to a folder",
        baked=None,
        files=by_hand(CACHE, WHEEL.replace("type=cacheonly", "type=local,dest=dist"), DEV, PROD),
    ),
    Baked(
        rule="LA505",
        name="a variable without a pin, and one with another name",
        baked=None,
        files=by_hand(
            'variable "CUDA_VERSION" {}\n',
            'variable "APP_CUDA" {\n  default = "12.4.1"\n}\n',
            DEV.replace("_cache", "x"),
        ),
    ),
    Baked(rule="LA505", name="nothing is cached", baked=None, files=by_hand(target("a"), target("b", 'tags = ["b"]'))),
    Baked(
        rule="LA506",
        name="an underscore",
        baked=None,
        files=by_hand(target("app", 'cache_from = ["type=registry,ref=x"]')),
        found=(f'error[LA506] - {BAKE}: cache_from = ["type=registry,ref=x"]',),
    ),
    Baked(
        rule="LA506",
        name="a block and an attribute of each kind",
        baked=None,
        files=by_hand(
            'targt "a" {\n}\n',
            'group "default" {\n  target = ["app"]\n}\n',
            'variable "X" {\n  defualt = "1"\n  validation {\n    conditoin = true\n  }\n}\n',
            target("app", 'dockerfle = "x"', 'colour = "red"'),
        ),
        found=(
            f'error[LA506] - {BAKE}: targt "a" {{',
            f'error[LA506] - {BAKE}: target = ["app"]',
            f'error[LA506] - {BAKE}: defualt = "1"',
            f"error[LA506] - {BAKE}: conditoin = true",
            f'error[LA506] - {BAKE}: dockerfle = "x"',
            f'warning[LA506] - {BAKE}: colour = "red"',
        ),
    ),
    Baked(
        rule="LA506",
        name="a key of a cache",
        baked=None,
        files=by_hand(target("app", 'cache-to = [{ type = "registry", ref = "x", mod = "max" }]')),
        found=(f'warning[LA506] - {BAKE}: cache-to = [{{ type = "registry", ref = "x", mod = "max" }}]',),
    ),
    Baked(
        rule="LA506",
        name="in an override",
        files={
            "docker-bake.override.json": '{\n  "target": {\n    "prod": {\n      "dockerfiles": "x"\n    }\n  }\n}\n'
        },
        found=('error[LA506] - docker-bake.override.json: "dockerfiles": "x"',),
    ),
    Baked(
        rule="LA506",
        name="a file that cannot be read",
        files=override('target "prod" {\n  tags = [\n}\n'),
        found=(f"warning[LA506] - {OVERRIDE}: }}",),
    ),
    Baked(
        rule="LA506",
        name="JSON that is none",
        files={"docker-bake.override.json": "{\n  nothing\n}\n"},
        found=("warning[LA506] - docker-bake.override.json: nothing",),
    ),
    Baked(
        rule="LA506",
        name="all that bake knows",
        baked=None,
        files=by_hand(
            'ORGANISATION = "example"\n',
            'variable "X" {\n  type = string\n  default = "1"\n  description = "x"\n'
            '  validation {\n    condition = X != ""\n    error_message = "x"\n  }\n}\n',
            'function "f" {\n  params = [a]\n  variadic_params = rest\n  result = a\n}\n',
            'group "default" {\n  description = "x"\n  targets = ["app"]\n}\n',
            target("app", "no-cache = false", 'labels = { any = "thing" }', 'secret = [{ id = "x", env = "X" }]'),
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Case, tmp_path: Path) -> None:
    verify(case, tmp_path)
