"""Small inputs to begin with, and the words that belong in them. Nothing here is taken from anybody's repository."""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import Final

from tests.lock.written import EVERYTHING
from tests.rules.specimens import TARGET, plain
from tests.rules.test_junk import LOCK as EVERY_TABLE, PROJECT as EVERY_KEY
from tests.support import REPOSITORY, corpus
from tests.wheel.specimens import COMPILED

SECRET_INDEX: Final = "https://user:s3cr3t@index.example/simple"  # noqa: S105 - a login that must not be shown
LOCK: Final = COMPILED.lock()
TINY_LOCK: Final = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "app"
source = { virtual = "." }
"""
TINY_PROJECT: Final = '[project]\nname = "app"\nversion = "0.1.0"\n'
BAKE: Final = (REPOSITORY / "docker-bake.hcl").read_text("utf-8")
_SMALL: Final = 6_000  # bytes of a file that is mutated often
_SOME: Final = 12  # files of the corpus

SETTINGS: Final = """\
[project]
name = "app"

[tool.lockaudit]
targets = ["linux-x86_64-cp312", "linux-aarch64-cp311"]
first-party = ["core-lib"]
compiled = ["xformers"]
not-compiled = ["vllm"]
allowed-registries = ["https://index.example"]
select = ["LA1", "LA201"]
ignore = { LA103 = "until the next release" }
severity = { LA104 = "warning" }

[tool.lockaudit.package.torch]
ignore = { LA105 = "rebuilt here" }

[tool.lockaudit.dev]
lock = "uv.lock"
extras = ["cu124"]
groups = []

[tool.lockaudit.prod]
lock = "prod/uv.lock"

[[tool.lockaudit.pair]]
name = "serving"
prod.lock = "serving/uv.lock"
dev.extras = ["cu128"]

[[tool.lockaudit.pair]]
name = "training"
targets = ["linux-x86_64-cp312"]
prod = { lock = "training/uv.lock", groups = ["gpu"] }
dockerfile = "docker/Dockerfile-training"

[tool.lockaudit.image]
cuda = "12.4.1"
variant = "cudnn"

[tool.lockaudit.bake]
image = "registry.example/app"
cache-repo = "registry.example/app-cache"

[tool.lockaudit.cache]
backend = "s3"
options = { bucket = "b", region = "r" }

[tool.lockaudit.wheel.flash-attn]
env = { TORCH_CUDA_ARCH_LIST = "8.0;9.0" }
modules = ["flash_attn"]
"""
_SCRIPT: Final = """\
ARG CUDA_VERSION=12.4.1
ARG UBUNTU_VERSION=22.04
ARG PYTHON_VERSION="3.12"
FROM --platform=linux/amd64 nvidia/cuda:${CUDA_VERSION}-cudnn-devel-ubuntu${UBUNTU_VERSION} AS base
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ENV UV_LINK_MODE=copy PATH="/opt/venv/bin:${PATH:+:$PATH}" A='b c' \\
    VIRTUAL_ENV=${B:-/opt/venv}
COPY --from=ghcr.io/astral-sh/uv:0.8.0 /uv /uvx /bin/
WORKDIR /app/$PYTHON_VERSION
COPY --link pyproject.toml uv.lock* ./
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,source=prod/uv.lock,target=uv.lock <<EOF
set -ex
if [ -n "$CI" ]; then
  for each in a b; do uv sync --locked --no-install-package "$each"; done
elif command -v uv >/dev/null 2>&1; then
  (cd prod && env UV_PROJECT_ENVIRONMENT=/opt/venv uv sync --frozen --extra cu124) || exit 1
else
  case "$MODE" in a|b) export MODE=c;; *) . /opt/venv/bin/activate;; esac
fi
install() { pip wheel --no-deps -w /wheels "flash-attn==2.8.3" && echo "${1%%=*}" | tee $(pwd)/log; }
install 'x' & wait; : "${X:=`date`}"
EOF
FROM base AS wheel
RUN ["uv", "pip", "install", "--python=/opt/venv/bin/python", "https://files.example/torch-2.6.0+cu124-cp312.whl"]
# lockaudit: ignore[LA403] it is meant
ADD --checksum=sha256:00 https://github.com/x/y/archive/v1.tar.gz /tmp/
FROM scratch
COPY --from=wheel --chown=1:1 /wheels/ /
ENTRYPOINT exec python -m app "$@"
HEALTHCHECK --interval=1s CMD curl -f http://localhost || exit 1
ONBUILD RUN true
"""
_BAKE: Final = """\
variable "TAG" { default = "a" }
variable "N" {
  type = number
  default = -1.5e3
  validation { condition = N > 0  error_message = "no" }
}
function "ref" {
  params = [name]
  result = "type=registry,ref=${TAG}/${name}:${N}"
}
group "default" { targets = ["dev", "wheel-prod"] }
target "_cache" { cache-from = [ref("x"), { type = "gha", scope = "s" }] }
target "dev" {
  inherits = ["_cache"]
  matrix = { tgt = ["a", "b"] }
  name = "dev-${tgt}"
  args = { "A\\u0020B" = "$${x}", C = TAG == "" ? null : "c" /* why */ }
  cache-to = concat(["type=local,dest=d"], [for r in ["a"] : { type = "registry", ref = r }])
  # a comment
  dockerfile-inline = <<EOT
FROM scratch
EOT
}
target "wheel-prod" { no-cache = true, output = ["type=cacheonly"] }
"""
_BAKE_JSON: Final = """\
{"variable": {"TAG": {"default": "a"}}, "group": {"default": {"targets": ["dev"]}},
 "target": {"dev": {"inherits": ["_c"], "args": {"A": "${TAG}", "MAX_JOBS": 4}, "cache-to": ["type=gha,scope=s"],
  "no-cache": true, "output": [{"type": "image"}], "matrix": {"x": ["a", "b"]}}, "_c": {"cache-from": ["r/x:y"]}}}
"""
_COMPOSE: Final = 'services:\n  dev:\n    build: .\n  "prod":  # x\n    image: a\nvolumes:\n  x:\n'
_REPORT: Final = """\
["torch 2.6.0 in prod, 2.5.1 in dev", "prod/uv.lock",
 {"note": "https://user:pw@index.example/simple", "a": "x\\u001b[2J"},
 ["linux-x86_64-cp312", "flash-attn"], "::error file=x::y%0A", "</failure>]]>", "a|b`c`", "\\u202e", ""]
"""
_TEXTS: Final = (
    "python_full_version >= '3.12' and (sys_platform == 'linux' or extra == 'extra-3-app-cu124') and os_name != 'nt'",
    "'3.11' <= python_version and platform_machine not in 'arm64 aarch64' and 'x' in extras",
    "torch[cuda] >=2.6,!=2.7.*,<3 ; python_version < '3.13' and implementation_name == 'cpython'",
    "core-lib @ git+https://user:pw@git.example/core.git@v1.0#subdirectory=lib ; sys_platform == 'linux'",
    "app @ https://files.example/app-1.0-py3-none-any.whl",
    ">=3.11, <3.14, !=3.12.1, ~=3.11, ===3.13",
    "1!2.0.0rc1.post2.dev3+cu124.cxx11abi",
    "torch-2.6.0+cu124-1-cp312-cp312-manylinux_2_28_x86_64.manylinux2014_x86_64.whl",
    "flash_attn-2.8.3+cu12torch2.6cxx11abiFALSE-cp312-cp312-linux_x86_64.whl",
    "linux-x86_64-cp312",
    "nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04@sha256:00",
    "8.0;8.6+PTX 9.0a",
    "https://download.example/whl/cu124/torch",
)
_NAMES: Final = ("app", "torch", "wide", "idna", "core-lib", "flash-attn", "cu124", "dev", "prod", "all", "Fast_IO")
_ADDRESSES: Final = (
    SECRET_INDEX,
    "https://index.example/simple",
    "https://git.example/x?tag=v1&subdirectory=a%2Fb#0123456789abcdef0123456789abcdef01234567",
    "git+ssh://git@git.example/x.git@v1",
    "https://files.example/wide-1.0-py3-none-any.whl",
    "https://files.example/wide-1.0.tar.gz",
    "file:///etc/passwd",
    "../x",
)
TEXT_WORDS: Final = (
    *_NAMES,
    *_ADDRESSES,
    *("python_version", "python_full_version", "sys_platform", "platform_machine", "extra", "extras", "os_name"),
    *("and", "or", "not in", "in", "==", "!=", ">=", "<=", "<", ">", "~=", "===", "'3.12'", "'linux'", "(", ")", ";"),
    *("3.12.*", "1.0", "2.6.0+cu124", "*", "cp312", "abi3", "py3", "none", "any", ".whl", "-", "+", "1!", ".post1"),
)
LOCK_WORDS: Final = (
    *TEXT_WORDS,
    *("version", "revision", "requires-python", "package", "[[package]]", "name", "source", "registry", "git", "url"),
    *("path", "directory", "editable", "virtual", "dependencies", "optional-dependencies", "dev-dependencies"),
    *("metadata", "requires-dist", "requires-dev", "provides-extras", "wheels", "sdist", "hash", "size", "marker"),
    *("extra", "resolution-markers", "conflicts", "manifest", "options", "default-groups", "members", "subdirectory"),
    *("sha256:" + "a1" * 32, "md5:" + "0" * 32, "<<<<<<< ", "=======", ">>>>>>> "),
)
SETTINGS_WORDS: Final = (
    *TEXT_WORDS,
    *("tool", "lockaudit", "targets", "first-party", "compiled", "ignore", "severity", "error", "warning", "LA103"),
    *("package", "pair", "lock", "extras", "groups", "image", "dockerfile", "cuda", "variant", "cudnn", "bake", "file"),
    *("cache", "backend", "options", "wheel", "group", "env", "modules", "select", "LA1", "*", "[]", "/etc/passwd"),
)
PROJECT_WORDS: Final = (
    *SETTINGS_WORDS,
    *("project", "dynamic", "dependencies", "optional-dependencies", "dependency-groups", "include-group", "uv"),
    *("sources", "index", "workspace", "members", "exclude", "managed", "package", "conflicts", "environments"),
    *("constraint-dependencies", "override-dependencies", "dev-dependencies", "default-groups", "[a-", "[z-a]", "**"),
)
DOCKERFILE_WORDS: Final = (
    *("FROM", "AS", "ARG", "ENV", "RUN", "COPY", "ADD", "WORKDIR", "USER", "SHELL", "CMD", "ENTRYPOINT", "ONBUILD"),
    *("HEALTHCHECK", "--from=base", "--mount=type=bind,from=wheel,source=/w,target=/w", "--platform=linux/amd64"),
    *("scratch", "base", "0", "nvidia/cuda:12.4.1-devel-ubuntu22.04", "uv.lock", "prod/uv.lock", "./", "/opt/venv"),
    *(
        "uv sync --locked",
        "uv pip install",
        "pip wheel",
        "flash-attn==2.8.3",
        "uv run",
        "uv venv",
        "curl -O",
        "git clone",
    ),
    *("if", "then", "elif", "else", "fi", "for", "do", "done", "while", "case", "esac", ";;", "in", "{", "}", "(", ")"),
    *(
        "&&",
        "||",
        "|",
        "&",
        ";",
        "$(",
        "`",
        "${X:-",
        "${X%%",
        "$((",
        "<<EOF\n",
        "EOF\n",
        "<<-'E'\n",
        "2>&1",
        ">",
        "\\\n",
    ),
    *(
        "export",
        "cd",
        "source",
        ".",
        "eval",
        "set -a",
        "env",
        "sudo",
        "bash -c",
        "exec",
        "f() {",
        "f",
        "local",
        "unset",
    ),
    *("# syntax=docker/dockerfile:1\n", "# escape=`\n", "# lockaudit: ignore[LA403] x\n", '["a", "b"]', "[", "]"),
)
BAKE_WORDS: Final = (
    *("target", "group", "variable", "function", "validation", "default", "inherits", "args", "contexts", "cache-to"),
    *("cache-from", "output", "matrix", "no-cache", "type=registry,ref=a/b:c", "type=gha", "null", "true", "for", "in"),
    *(
        '"',
        "${",
        "$${",
        "%{if x}",
        "%{endif}",
        "}",
        "{",
        "[",
        "]",
        "=",
        ":",
        ",",
        "?",
        "<<EOT\n",
        "EOT\n",
        "#",
        "/*",
        "*/",
    ),
    *(
        "\\u0041",
        "\\U0010ffff",
        "\\x",
        "\\n",
        "-1",
        "1e5",
        "concat(",
        "TAG",
        "_cache",
        "wheel-prod",
        "x.y",
        "...",
        "=>",
    ),
)
COMPOSE_WORDS: Final = (
    "services:",
    "\n  ",
    "\n    ",
    "dev:",
    '"prod":',
    "'x' :",
    "#",
    "- ",
    "&a",
    "*a",
    "<<: *a",
    "|",
    ">",
)
REPORT_WORDS: Final = (*_ADDRESSES, "::", "%0A", "]]>", "</failure>", "&#0;", "\\u0000", "\ud800", "\ufffe", "x" * 200)


def locks() -> list[str]:
    """Every part of a lock, a lock of a few packages, the smallest."""
    return [EVERYTHING, EVERY_TABLE, LOCK, TINY_LOCK, *_of_corpus("*uv.lock")]


def projects() -> list[str]:
    """Every key that is read, settings, the smallest."""
    return [EVERY_KEY, SETTINGS, TINY_PROJECT, *_of_corpus("*pyproject.toml")]


def settings() -> list[str]:
    """Settings of every kind."""
    return [SETTINGS, '[tool.lockaudit]\ntargets = ["linux-x86_64-cp312"]\n']


def texts() -> list[str]:
    """One of each kind."""
    return list(_TEXTS)


@cache
def _specimens() -> tuple[str, ...]:
    folder = REPOSITORY / "tests" / "dockerfile" / "specimens"
    return tuple(path.read_text("utf-8") for path in sorted(folder.glob("*.Dockerfile")))


def dockerfiles() -> list[str]:
    """What the tests have, and a script of everything that a shell has."""
    return [_SCRIPT, *_specimens(), "FROM scratch\n"]


def bakes() -> list[str]:
    """One of everything that bake has, and what lockaudit writes."""
    return [_BAKE, 'target "a" {}\n', BAKE[:1500].rpartition("\n}\n")[0] + "\n}\n"]


def bakes_json() -> list[str]:
    """One of everything."""
    return [_BAKE_JSON, '{"target": {"a": {}}}']


def composes() -> list[str]:
    """One."""
    return [_COMPOSE]


def strings() -> list[str]:
    """What breaks a careless writer."""
    return [
        "",
        "a",
        "${",
        "%{ if x }",
        "$${a}",
        '"\n}\ntarget "evil" {',
        "\\u0041",
        "e\u0301 \U0001f600",
        "<<EOF\nx\nEOF\n",
    ]


def reports() -> list[str]:
    """Words of findings."""
    return [_REPORT, '["a"]']


def repositories() -> list[str]:
    """Whole repositories: their files one after the other."""
    project = f'{TINY_PROJECT}\n[tool.lockaudit]\ntargets = ["{TARGET}"]\n'
    prod = COMPILED.lock(prod=True)
    login = LOCK.replace("https://index.example/simple", SECRET_INDEX)
    small = plain('[[package]]\nname = "idna"\nversion = "1.0"\nsource = { registry = "%s" }\n' % SECRET_INDEX)  # noqa: UP031 - braces
    every = EVERY_KEY.replace("[tool.uv]", f'[tool.lockaudit]\ntargets = ["{TARGET}"]\n\n[tool.uv]')
    files = [
        {"pyproject.toml": project, "uv.lock": LOCK, "prod/pyproject.toml": TINY_PROJECT, "prod/uv.lock": prod},
        {
            "pyproject.toml": f'{project}\n[tool.lockaudit.bake]\nimage = "r.example/app"\n',
            "uv.lock": login,
            "prod/pyproject.toml": TINY_PROJECT,
            "prod/uv.lock": prod,
            "docker/Dockerfile-uv": _SCRIPT,
            "docker-bake.hcl": BAKE,
            "docker-bake.override.hcl": _BAKE,
            "compose.yaml": _COMPOSE,
        },
        {
            "pyproject.toml": every,
            "uv.lock": EVERY_TABLE,
            "prod/pyproject.toml": EVERY_KEY,
            "prod/uv.lock": EVERY_TABLE,
            "prod/uv.toml": 'index = [{ url = "https://user:s3cr3t@index.example/simple" }]\n',
        },
        {"pyproject.toml": project, "uv.lock": small, "prod/pyproject.toml": TINY_PROJECT, "prod/uv.lock": small},
    ]
    return ["".join(f"=== {path}\n{text}" for path, text in each.items()) for each in files]


ALL_WORDS: Final = (
    *LOCK_WORDS,
    *PROJECT_WORDS,
    *DOCKERFILE_WORDS,
    *BAKE_WORDS,
    "\n=== uv.toml\n",
    "\n=== prod/uv.lock\n",
)


def _of_corpus(pattern: str) -> list[str]:
    """A few small real files, where they are beside the repository: read in place."""
    folder = corpus()
    found = sorted(folder.rglob(pattern)) if folder is not None else []
    return [path.read_text("utf-8") for path in islice((p for p in found if p.stat().st_size < _SMALL), _SOME)]
