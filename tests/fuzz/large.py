"""Files of about a megabyte, each as bad as possible for one reader. They are made, and never kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

PER_MEGABYTE: Final = 2.0  # seconds of processor time
# What the parsers that are not ours take by themselves; how much they are given is limited instead.
OF_PARSERS: Final = {"bake": 60.0, "dockerfile": 10.0}
FLOOR: Final = 1.0  # seconds that count for nothing: a first import
MEMORY: Final = 20  # times the size of the input
BASE: Final = 150_000_000  # bytes that count for nothing

MEGABYTE: Final = 1_000_000
_LOCK: Final = 'version = 1\nrequires-python = ">=3.11"\n'
_ROOT: Final = '[[package]]\nname = "app"\nsource = { virtual = "." }\n'
_HASH: Final = "sha256:" + "a1" * 32


@dataclass(frozen=True, slots=True)
class Large:
    """One file.

    Attributes:
        harness: of `bench.fuzz` that reads it.
        name: what is large about it.
        make: makes it.
    """

    harness: str
    name: str
    make: Callable[[], str]

    def __str__(self) -> str:
        return f"{self.harness}-{self.name.replace(' ', '-')}"


def repeated(text: str, size: int = MEGABYTE, *, head: str = "", tail: str = "") -> Callable[[], str]:
    """`text` again and again; `@` in it is the number of the repetition."""

    def make() -> str:
        count = max(1, size // len(text))
        return head + "".join(text.replace("@", str(number)) for number in range(count)) + tail

    return make


def marker(text: str) -> Callable[[], str]:
    """A lock with this marker."""
    return lambda: f'{_LOCK}{_ROOT}dependencies = [{{ name = "app", marker = "{text}" }}]\n'


def listed(text: str) -> Callable[[], str]:
    """The root's dependencies, one after the other."""
    return repeated(text, head=f"{_LOCK}{_ROOT}dependencies = [\n", tail="]\n")


def script(text: str) -> Callable[[], str]:
    """A RUN of this script."""
    return lambda: f"FROM scratch\nRUN <<EOF\n{text}\nEOF\n"


_PROJECT: Final = '[project]\nname = "app"\n'
_FROM: Final = "FROM scratch\n"

LARGE: Final = (
    Large("lock", "open brackets", lambda: "x = " + "[" * MEGABYTE),
    Large("lock", "nested arrays", lambda: "x = " + "[" * 400_000 + "]" * 400_000),
    Large("lock", "nested tables", lambda: f"[{'.'.join('a' * 400_000)}]\n"),
    Large("lock", "a long dotted key", lambda: f"{_LOCK}{'a.' * 400_000}a = 1\n"),
    Large("lock", "an array of a million numbers", repeated("1,", head=f"{_LOCK}x = [", tail="]\n")),
    Large("lock", "one long line", lambda: f'{_LOCK}x = "{"a" * MEGABYTE}"\n'),
    Large("lock", "one long comment", lambda: f"{_LOCK}#{'a' * MEGABYTE}\n"),
    Large("lock", "empty lines", lambda: _LOCK + "\n" * MEGABYTE),
    Large("lock", "spaces before no header", lambda: _LOCK + "\n" + " " * MEGABYTE),
    Large("lock", "packages", repeated('[[package]]\nname = "p@"\nsource = { virtual = "@" }\n', head=_LOCK)),
    Large("lock", "roots", repeated('[[package]]\nname = "p@"\nsource = { editable = "." }\n', head=_LOCK)),
    Large(
        "lock",
        "one name many times",
        repeated('[[package]]\nname = "p"\nversion = "@"\nsource = { registry = "r" }\n', head=_LOCK + _ROOT),
    ),
    Large("lock", "one edge many times", listed('{ name = "app", marker = "os_name == \'@\'" },\n')),
    Large(
        "lock",
        "edges with extras",
        listed('{ name = "app", extra = ["e@", "x"] },\n'),
    ),
    Large("lock", "alternatives of a marker", marker(" or ".join(f"os_name == '{n}'" for n in range(40_000)))),
    Large("lock", "conditions of a marker", marker(" and ".join(f"os_name != '{n}'" for n in range(40_000)))),
    Large("lock", "parentheses of a marker", marker("(" * 500_000 + ")" * 500_000)),
    Large("lock", "an open parenthesis of a marker", marker("(" * MEGABYTE)),
    Large("lock", "deep and wide markers", marker(" or ".join(["(" * 90 + "os_name == 'a'" + ")" * 90] * 5000))),
    Large("lock", "spaces in a marker", marker("os_name" + " " * MEGABYTE + "x")),
    Large("lock", "a negation in a marker", marker("os_name not" + " " * MEGABYTE + "x")),
    Large("lock", "a long version in a marker", marker(f"python_version < '{'1.' * 400_000}1'")),
    Large(
        "lock",
        "different markers",
        listed("{ name = \"app\", marker = \"python_full_version < '3.@' or extra == '@'\" },\n"),
    ),
    Large("lock", "versions", lambda: f'{_LOCK}{_ROOT}version = "{"1." * 400_000}1"\n'),
    Large("lock", "a version that is none", lambda: f'{_LOCK}{_ROOT}version = "{"1." * 400_000}x"\n'),
    Large("lock", "specifiers", lambda: f'version = 1\nrequires-python = "{">=3.1," * 140_000}<4"\n{_ROOT}'),
    Large(
        "lock",
        "other specifiers",
        lambda: f'version = 1\nrequires-python = "{",".join(f"!=3.{n}" for n in range(99_000))}"\n{_ROOT}',
    ),
    Large(
        "lock",
        "resolution markers",
        repeated("\"os_name == '@'\",", head=f"{_LOCK}resolution-markers = [", tail=f"]\n{_ROOT}"),
    ),
    Large(
        "lock",
        "conflicts",
        repeated(
            '[{ package = "app", extra = "a@" }, { package = "app", extra = "b@" }],',
            head=f"{_LOCK}conflicts = [",
            tail=f"]\n{_ROOT}",
        ),
    ),
    Large(
        "lock",
        "one large conflict",
        repeated('{ package = "app", extra = "a@" },', head=f"{_LOCK}conflicts = [[", tail=f"]]\n{_ROOT}"),
    ),
    Large("lock", "extras", repeated("e@ = []\n", head=f"{_LOCK}{_ROOT}[package.optional-dependencies]\n")),
    Large("lock", "groups", repeated("g@ = [{ name = 'app' }]\n", head=f"{_LOCK}{_ROOT}[package.dev-dependencies]\n")),
    Large(
        "lock",
        "wheels",
        repeated(
            f'{{ url = "https://f/p-1-@-py3-none-any.whl", hash = "{_HASH}" }},\n',
            head=f'{_LOCK}{_ROOT}[[package]]\nname = "p"\nversion = "1"\nsource = {{ registry = "r" }}\nwheels = [\n',
            tail="]\n",
        ),
    ),
    Large(
        "lock",
        "tags of one wheel",
        lambda: (
            f'{_LOCK}{_ROOT}[[package]]\nname = "p"\nversion = "1"\nsource = {{ registry = "r" }}\n'
            'wheels = [{ url = "p-1-'
            + "-".join(".".join(f"{kind}{n}" for n in range(2000)) for kind in "pax")
            + '.whl" }]\n'
        ),
    ),
    Large("lock", "a file name that is none", lambda: f'{_LOCK}{_ROOT}wheels = [{{ url = "{"a-" * 500_000}.whl" }}]\n'),
    Large(
        "lock",
        "a git address",
        lambda: f'{_LOCK}[[package]]\nname = "p"\nsource = {{ git = "https://g?{"a=b&" * 200_000}#{"0" * 40}" }}\n',
    ),
    Large(
        "lock",
        "requires-dist",
        repeated(
            '{ name = "p@", marker = "extra == \'e@\'" },\n',
            head=f"{_LOCK}{_ROOT}[package.metadata]\nrequires-dist = [\n",
            tail="]\n",
        ),
    ),
    Large("lock", "merge markers", repeated("a<<<<<<< \n", head=_LOCK)),
    Large("project", "open brackets", lambda: "x = " + "[" * MEGABYTE),
    Large("project", "dependencies", repeated('"p@>=1",', head=f"{_PROJECT}dependencies = [", tail="]\n")),
    Large("project", "a requirement of spaces", lambda: f'{_PROJECT}dependencies = ["a{" " * MEGABYTE}@"]\n'),
    Large("project", "a requirement of one name", lambda: f'{_PROJECT}dependencies = ["{"a-" * 500_000}"]\n'),
    Large(
        "project",
        "extras of a requirement",
        lambda: f'{_PROJECT}dependencies = ["a[{",".join(f"e{n}" for n in range(150_000))}]"]\n',
    ),
    Large(
        "project",
        "markers of requirements",
        repeated("\"p; os_name == '@' or python_version < '3.@'\",", head=f"{_PROJECT}dependencies = [", tail="]\n"),
    ),
    Large("project", "extras", repeated('e@ = ["p@"]\n', head=f"{_PROJECT}[project.optional-dependencies]\n")),
    Large(
        "project",
        "extras that need each other",
        repeated('e@ = ["app[e@]", "app[e1]"]\n', 300_000, head=f"{_PROJECT}[project.optional-dependencies]\n"),
    ),
    Large(
        "project",
        "groups in a circle",
        repeated(
            'g@ = [{ include-group = "g1" }, { include-group = "g0" }]\n', head=f"{_PROJECT}[dependency-groups]\n"
        ),
    ),
    Large(
        "project",
        "groups that double",
        lambda: (
            f"{_PROJECT}[dependency-groups]\ng0 = ['a']\n"
            + "".join(f'g{n + 1} = [{{ include-group = "g{n}" }}, {{ include-group = "g{n}" }}]\n' for n in range(60))
        ),
    ),
    Large(
        "project",
        "a chain of groups",
        lambda: (
            f"{_PROJECT}[dependency-groups]\ng0 = ['a']\n"
            + "".join(f'g{n + 1} = [{{ include-group = "g{n}" }}]\n' for n in range(20_000))
        ),
    ),
    Large(
        "project",
        "sources",
        repeated('p@ = { git = "https://g/@" }\n', head=f'{_PROJECT}dependencies = ["p1"]\n[tool.uv.sources]\n'),
    ),
    Large(
        "project",
        "sources and dependencies",
        lambda: (
            f"{_PROJECT}dependencies = {[f'p{n}' for n in range(15_000)]}\n[tool.uv.sources]\n"
            + "".join(f'p{n} = {{ git = "https://g/{n}" }}\n' for n in range(15_000))
        ),
    ),
    Large(
        "project",
        "one source many times",
        repeated(
            "{ index = 'i', marker = \"os_name == '@'\" },",
            head=f'{_PROJECT}dependencies = ["p"]\n[tool.uv]\nindex = [{{ name = "i", url = "https://i" }}]\n'
            "[tool.uv.sources]\np = [",
            tail="]\n",
        ),
    ),
    Large("project", "members", repeated('"m@/*",', head=f"{_PROJECT}[tool.uv.workspace]\nmembers = [", tail="]\n")),
    Large(
        "project",
        "stars of an exclusion",
        lambda: f'{_PROJECT}[tool.uv.workspace]\nmembers = ["a"]\nexclude = ["{"*a" * 300_000}"]\n',
    ),
    Large(
        "project",
        "conflicts",
        repeated('[{ extra = "a@" }, { group = "b@" }],', head=f"{_PROJECT}[tool.uv]\nconflicts = [", tail="]\n"),
    ),
    Large("settings", "ignored codes", repeated('"LA@" = "x"\n', head="[tool.lockaudit.ignore]\n")),
    Large("settings", "packages", repeated("[tool.lockaudit.package.p@]\nignore = { LA103 = 'x' }\n")),
    Large("settings", "pairs", repeated("[[tool.lockaudit.pair]]\nname = 'p@'\nprod.lock = 'p@/uv.lock'\n")),
    Large(
        "settings",
        "pairs of which the last is wrong",
        repeated(
            "[[tool.lockaudit.pair]]\nname = 'p@'\nprod.lock = 'p@/uv.lock'\n",
            tail="[[tool.lockaudit.pair]]\nname = 1\n",
        ),
    ),
    Large("settings", "unknown keys", repeated("k@ = 1\n", head="[tool.lockaudit]\n")),
    Large("settings", "one long unknown key", lambda: f"[tool.lockaudit]\n{'a' * MEGABYTE} = 1\n"),
    Large("settings", "a name that is none", lambda: f'[tool.lockaudit]\ncompiled = ["{"a-" * 500_000}"]\n'),
    Large("texts", "letters", lambda: "a" * MEGABYTE),
    Large("texts", "letters and an at", lambda: "a" * MEGABYTE + "@"),
    Large("texts", "digits", lambda: "9" * MEGABYTE),
    Large("texts", "schemes", lambda: "a://" * 250_000 + "@"),
    Large("texts", "dots", lambda: "1." * 500_000),
    Large("texts", "dashes", lambda: "-" * MEGABYTE),
    Large("texts", "names and dashes", lambda: "a-" * 500_000),
    Large("texts", "spaces", lambda: "a" + " " * MEGABYTE + "b"),
    Large("texts", "plus signs", lambda: "1+" * 500_000),
    Large("texts", "brackets", lambda: "a[" * 500_000),
    Large("texts", "an image", lambda: "nvidia/cuda:12.4-" + "a-" * 500_000 + "!"),
    Large("texts", "folders of an image", lambda: "a/" * 500_000),
    Large("texts", "architectures", lambda: "8.0;" * 250_000),
    Large("texts", "control characters", lambda: "\x1b" * MEGABYTE),
    Large("dockerfile", "stages", repeated("FROM scratch AS s@\n")),
    Large(
        "dockerfile",
        "stages one upon the other",
        lambda: "FROM scratch AS s0\n" + "".join(f"FROM s{n} AS s{n + 1}\nRUN a\n" for n in range(3000)),
    ),
    Large(
        "dockerfile",
        "stages that copy all",
        lambda: (
            "FROM scratch AS s0\n"
            + "".join(f"FROM scratch AS s{n + 1}\nCOPY --from=s{n} / /\nCOPY --from=s{n} / /x\n" for n in range(2000))
        ),
    ),
    Large("dockerfile", "arguments", repeated("ARG A@=1\n", tail=_FROM)),
    Large(
        "dockerfile",
        "arguments that double",
        lambda: (
            "ARG A0=aaaaaaaaaa\n" + "".join(f"ARG A{n + 1}=${{A{n}}}${{A{n}}}\n" for n in range(60)) + "FROM $A60\n"
        ),
    ),
    Large(
        "dockerfile",
        "variables that double",
        lambda: (
            f"{_FROM}ENV A0=aaaaaaaaaa\n"
            + "".join(f"ENV A{n + 1}=${{A{n}}}${{A{n}}}\n" for n in range(60))
            + "RUN $A60\n"
        ),
    ),
    Large(
        "dockerfile",
        "shell variables that double",
        lambda: (
            f"{_FROM}RUN <<EOF\nA0=aaaaaaaaaa\n"
            + "".join(f"A{n + 1}=$A{n}$A{n}\n" for n in range(60))
            + "echo $A60\nEOF\n"
        ),
    ),
    Large("dockerfile", "nested references", lambda: f"ARG A=1\nFROM {'${A:-' * 5000}{'}' * 5000}\n"),
    Large("dockerfile", "nested references without an end", lambda: f"ARG A\nFROM {'${A:-' * 10_000}\n"),
    Large("dockerfile", "commands of one instruction", lambda: f"{_FROM}RUN <<EOF\n" + "a b c\n" * 160_000 + "EOF\n"),
    Large("dockerfile", "instructions", repeated("RUN a\n", head=_FROM)),
    Large("dockerfile", "copies of a lock", repeated("COPY uv.lock ./@/\n", 300_000, head=_FROM)),
    Large(
        "dockerfile",
        "syncs",
        repeated("RUN uv sync --extra e@\n", 200_000, head=f"{_FROM}COPY uv.lock pyproject.toml ./\n"),
    ),
    Large("dockerfile", "environments", repeated("RUN uv venv /v@\n", 200_000, head=_FROM)),
    Large("dockerfile", "variables", repeated("ENV A@=1\n", 300_000, head=_FROM)),
    Large("dockerfile", "one long word", lambda: f"{_FROM}RUN {'a' * 60_000}\n"),
    Large("dockerfile", "one long line", lambda: f"{_FROM}RUN {'a ' * 500_000}\n"),
    Large("dockerfile", "continued lines", repeated(" b \\\n", head=f"{_FROM}RUN a", tail="\n")),
    Large("dockerfile", "open substitutions", script("$(" * 300_000)),
    Large("dockerfile", "nested substitutions", script("$(' * 100_000}{')" * 100_000)),
    Large("dockerfile", "substitutions in quotes", script('"$(' * 100_000)),
    Large("dockerfile", "backquotes", script("`a`" * 200_000)),
    Large("dockerfile", "arithmetic", script("$((" * 200_000)),
    Large("dockerfile", "defaults in defaults", script("${A:-' * 50_000}{'}" * 50_000)),
    Large("dockerfile", "defaults in quotes", script("\"${A:-' * 50_000}{'}\"" * 50_000)),
    Large("dockerfile", "open quotes", script('"a' * 300_001)),
    Large("dockerfile", "braces", script("{ " * 300_000)),
    Large("dockerfile", "subshells", script("(" * 300_000)),
    Large(
        "dockerfile",
        "branches",
        lambda: f"{_FROM}RUN <<EOF\n" + "if a; then A=1\n" * 50_000 + "fi\n" * 50_000 + "EOF\n",
    ),
    Large(
        "dockerfile",
        "branches of a case",
        lambda: f"{_FROM}RUN <<EOF\ncase $a in\n" + "a) B=1;;\n" * 80_000 + "esac\nEOF\n",
    ),
    Large(
        "dockerfile",
        "variables and subshells",
        lambda: f"{_FROM}RUN <<EOF\n" + "".join(f"A{n}=1\n" for n in range(5000)) + "(a)\n" * 5000 + "EOF\n",
    ),
    Large(
        "dockerfile",
        "functions that call themselves",
        lambda: f"{_FROM}RUN <<EOF\n" + "f() { f; f; f; f; f; f; f; f; }\n" * 2000 + "f\n" * 2000 + "EOF\n",
    ),
    Large(
        "dockerfile",
        "scripts that call themselves",
        lambda: f"{_FROM}COPY <<EOF /x.sh\n" + ". /x.sh\nsh /x.sh\n" * 3000 + "EOF\nRUN sh /x.sh\n",
    ),
    Large("dockerfile", "here-documents", repeated("RUN <<E@\na\nE@\n", 300_000, head=_FROM)),
    Large("dockerfile", "an open here-document", lambda: f"{_FROM}RUN <<EOF\n" + "a\n" * 400_000),
    Large("dockerfile", "lists in a comment", lambda: "# " + "a, " * 300_000 + "\nARG A=a\nFROM $A\n"),
    Large("dockerfile", "spaces in a comment", lambda: "# a" + " " * MEGABYTE + "b\nARG A=a\nFROM $A\n"),
    Large("dockerfile", "accepting comments", repeated("# lockaudit: ignore[LA401] x\n", 300_000, head=_FROM)),
    Large(
        "dockerfile", "codes of an accepting comment", lambda: f"{_FROM}# lockaudit: ignore[{'LA401,' * 150_000}] x\n"
    ),
    Large("dockerfile", "an exec form", lambda: f"{_FROM}RUN {json.dumps(['a'] * 10_000)}\n"),
    Large("dockerfile", "nested exec forms", lambda: f"{_FROM}RUN {'[' * 30_000}\n"),
    Large("dockerfile", "requirements of pip", script("pip install " + "a==1 " * 50_000)),
    Large("dockerfile", "spaces in a requirement", script("pip install 'a" + " " * 300_000 + "@\n'")),
    Large("dockerfile", "mounts", lambda: f"{_FROM}RUN {'--mount=type=bind,source=uv.lock,target=/a ' * 1000} a\n"),
    Large("bake", "targets", repeated('target "t@" {}\n', 30_000)),
    Large("bake", "attributes", repeated("a@ = 1\n", 30_000)),
    Large("bake", "nested lists", lambda: 'target "t" {\n  tags = ' + "[" * 2_000 + "]" * 2_000 + "\n}\n"),
    Large("bake", "nested blocks", lambda: 'target "t" {\n' * 1_000 + "}\n" * 1_000),
    Large("bake", "nested parentheses", lambda: "a = " + "(" * 2_000 + "1" + ")" * 2_000 + "\n"),
    Large("bake", "nested interpolations", lambda: 'a = "' + '${"' * 1_000 + '"}' * 1_000 + '"\n'),
    Large("bake", "nested conditions", lambda: "a = " + "x ? 1 : " * 2_000 + "1\n"),
    Large("bake", "operators", lambda: "a = 1" + " + 1" * 6_000 + "\n"),
    Large("bake", "one long string", lambda: f'a = "{"x" * 300_000}"\n'),
    Large("bake", "one long number", lambda: f"a = {'9' * 30_000}\n"),
    Large("bake", "escapes", lambda: f'a = "{"$${" * 10_000}"\n'),
    Large("bake", "open interpolations", lambda: f'a = "{"${" * 10_000}"\n'),
    Large("bake", "an open heredoc", lambda: "a = <<EOF\n" + "x\n" * 15_000),
    Large("bake", "an open comment", lambda: "/*" + "x\n" * 15_000),
    Large("bake", "slashes", lambda: "/" * 30_000),
    Large(
        "bake",
        "a chain of parents",
        lambda: 'target "t0" {}\n' + "".join(f'target "t{n + 1}" {{\n  inherits = ["t{n}"]\n}}\n' for n in range(400)),
    ),
    Large(
        "bake",
        "parents that double",
        lambda: (
            'target "t0" {}\n'
            + "".join(f'target "t{n + 1}" {{\n  inherits = ["t{n}", "t{n}"]\n}}\n' for n in range(60))
        ),
    ),
    Large(
        "bake",
        "parents in a circle",
        lambda: "".join(
            f'target "t{n}" {{\n  inherits = {json.dumps([f"t{m}" for m in range(12)])}\n}}\n' for n in range(12)
        ),
    ),
    Large(
        "bake",
        "functions that call each other",
        lambda: (
            "".join(f'function "f{n}" {{\n  params = []\n  result = f{n + 1}()\n}}\n' for n in range(150))
            + 'target "t" {\n  cache-to = [f0()]\n}\n'
        ),
    ),
    Large(
        "bake",
        "functions in a circle",
        lambda: (
            "".join(
                f'function "f{n}" {{\n  params = []\n  result = [{", ".join(f"f{m}()" for m in range(12))}]\n}}\n'
                for n in range(12)
            )
            + 'target "t" {\n  cache-to = [f0()]\n}\n'
        ),
    ),
    Large(
        "bake",
        "objects in an expression",
        lambda: 'target "t" {\n  cache-to = concat([' + '{ type = "gha" }, ' * 1_000 + "])\n}\n",
    ),
    Large(
        "bake",
        "strings in an expression",
        lambda: 'target "t" {\n  cache-to = concat([' + '"type=gha", ' * 2_000 + "])\n}\n",
    ),
    Large(
        "bake", "words in an object", lambda: 'target "t" {\n  cache-to = concat([{ a = ' + "a" * 20_000 + " }])\n}\n"
    ),
    Large(
        "bake",
        "caches of targets",
        repeated('target "t@" {\n  cache-to = ["type=registry,ref=r:@"]\n  cache-from = ["r:@"]\n}\n', 20_000),
    ),
    Large("bake", "wheels", repeated('target "wheel-@" {\n  output = ["type=image"]\n}\n', 20_000)),
    Large("bake-json", "open brackets", lambda: "[" * MEGABYTE),
    Large("bake-json", "open braces", lambda: '{"a":' * 200_000),
    Large(
        "bake-json", "targets", lambda: json.dumps({"target": {f"t{n}": {"args": {"a": "b"}} for n in range(20_000)}})
    ),
    Large(
        "bake-json", "attributes", lambda: json.dumps({"target": {"t": {f"a{n}": n for n in range(60_000)}}}, indent=1)
    ),
    Large("bake-json", "one long number", lambda: '{"a": ' + "9" * MEGABYTE + "}"),
    Large("bake-json", "references", lambda: json.dumps({"target": {"t": {"tags": ["${" * 200_000]}}})),
    Large("bake-json", "open strings", lambda: json.dumps({"target": {"t": {"cache-to": ['${x}{"' * 100_000]}}})),
    Large("bake-json", "csv", lambda: json.dumps({"target": {"t": {"cache-to": ["a=b," * 200_000, '"' * 200_001]}}})),
    Large("compose", "services", repeated("  s@:\n    image: a\n", head="services:\n")),
    Large("compose", "spaces", lambda: "services:\n" + " " * MEGABYTE + "x"),
    Large("compose", "dashes", lambda: "services:\n  " + "-" * MEGABYTE),
)
