"""The writer: the bytes of a whole file, the layout against hclfmt, the values against `docker buildx bake`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings

from auditor.bake.model import BakeFile, Group, Section, Target, Variable
from auditor.bake.value import Compare, Conditional, Template, Value, Var, VariableType
from auditor.bake.write import render
from auditor.errors import ConfigError
from tests.bake.hclfmt import hclfmt
from tests.bake.strategies import bake_files, writable


def text_of(target: Target) -> str:
    """The text of a target in a file that declares a variable of each type."""
    declared = (
        Variable(name="S", type=VariableType.STRING, default="", description=""),
        Variable(name="B", type=VariableType.BOOL, default=False, description=""),
        Variable(name="N", type=VariableType.NUMBER, default=1, description=""),
    )
    text = render(BakeFile(sections=(Section(blocks=declared), Section(blocks=(target,)))))
    return text.split("}\n\n", 3)[3]


def line_of(attribute: str, value: Value) -> str:
    """The one line of an attribute."""
    return text_of(Target(name="t", attributes={attribute: value})).split("\n")[1].strip()


EXAMPLE = BakeFile(
    header=("What this is.", "", "  docker buildx bake prod"),
    sections=(
        Section(
            comment=("Knobs.",),
            blocks=(
                Variable(
                    name="CACHE_REPO",
                    type=VariableType.STRING,
                    default="example.org/cache",
                    description="Where the caches are",
                    comment=("No tag.",),
                ),
                Variable(name="CACHE_WRITE", type=VariableType.BOOL, default=False, description="Write them too"),
                Variable(name="JOBS", type=VariableType.NUMBER, default=4, description="How many"),
                Variable(
                    name="PLATFORMS", type=VariableType.STRINGS, default=("linux/amd64",), description="For these"
                ),
            ),
        ),
        Section(blocks=(Group(name="default", targets=("dev", "prod"), description="Both"),)),
        Section(
            comment=("Targets.",),
            blocks=(
                Target(
                    name="_cache",
                    attributes={
                        "cache-from": [
                            {"type": "registry", "ref": Template((Var("CACHE_REPO"), ":dev"))},
                            {"type": "registry", "ref": Template((Var("CACHE_REPO"), ":prod"))},
                        ]
                    },
                ),
                Target(
                    name="dev",
                    comment=("Everything.",),
                    notes={"args": ("Pinned here: the environment cannot change a literal.",)},
                    attributes={
                        "output": [{"type": "cacheonly"}],
                        "platforms": Var("PLATFORMS"),
                        "cache-to": Conditional(
                            Var("CACHE_WRITE"),
                            [{"type": "registry", "ref": Template((Var("CACHE_REPO"), ":dev")), "mode": "max"}],
                            [],
                        ),
                        "args": {"CUDA_VERSION": "12.4.1", "JOBS": Var("JOBS"), "a.b": ""},
                        "inherits": ["_cache"],
                        "description": "To develop",
                    },
                ),
                Target(
                    name="prod",
                    attributes={
                        "inherits": ["_cache"],
                        "contexts": {"wheel": "target:dev"},
                        "secret": [{"id": "jobs", "env": "MAX_JOBS"}],
                        "cache-to": Conditional(
                            Var("CACHE_WRITE"),
                            [
                                {
                                    "type": "registry",
                                    "ref": Template((Var("CACHE_REPO"), ":a-rather-long-tag-for-the-cache")),
                                    "mode": "max",
                                    "ignore-error": True,
                                }
                            ],
                            [],
                        ),
                        "tags": ["app:prod", "app:latest"],
                    },
                ),
            ),
        ),
    ),
)

EXAMPLE_TEXT = """\
# What this is.
#
#   docker buildx bake prod

# Knobs.

# No tag.
variable "CACHE_REPO" {
  type        = string
  default     = "example.org/cache"
  description = "Where the caches are"
}

variable "CACHE_WRITE" {
  type        = bool
  default     = false
  description = "Write them too"
}

variable "JOBS" {
  type        = number
  default     = 4
  description = "How many"
}

variable "PLATFORMS" {
  type        = list(string)
  default     = ["linux/amd64"]
  description = "For these"
}

group "default" {
  description = "Both"
  targets = [
    "dev",
    "prod",
  ]
}

# Targets.

target "_cache" {
  cache-from = [
    { type = "registry", ref = "${CACHE_REPO}:dev" },
    { type = "registry", ref = "${CACHE_REPO}:prod" },
  ]
}

# Everything.
target "dev" {
  description = "To develop"
  inherits    = ["_cache"]
  # Pinned here: the environment cannot change a literal.
  args = {
    CUDA_VERSION = "12.4.1"
    JOBS         = JOBS
    "a.b"        = ""
  }
  platforms = PLATFORMS
  cache-to  = CACHE_WRITE ? [{ type = "registry", ref = "${CACHE_REPO}:dev", mode = "max" }] : []
  output    = [{ type = "cacheonly" }]
}

target "prod" {
  inherits = ["_cache"]
  contexts = { wheel = "target:dev" }
  tags = [
    "app:prod",
    "app:latest",
  ]
  secret = [{ id = "jobs", env = "MAX_JOBS" }]
  cache-to = CACHE_WRITE ? [
    { type = "registry", ref = "${CACHE_REPO}:a-rather-long-tag-for-the-cache", mode = "max", ignore-error = true },
  ] : []
}
"""


def test_the_bytes_of_a_whole_file() -> None:
    assert render(EXAMPLE) == EXAMPLE_TEXT


def test_the_order_of_attributes_is_the_writers_own() -> None:
    attributes: dict[str, Value] = {"output": [{"type": "cacheonly"}], "tags": ["a"], "context": "."}
    turned = dict(reversed(list(attributes.items())))
    assert text_of(Target(name="t", attributes=attributes)) == text_of(Target(name="t", attributes=turned))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", '""'),
        ('say "hi" \\ ', r'"say \"hi\" \\ "'),
        ("a\nb\rc\td", r'"a\nb\rc\td"'),
        ("${x} %{y} $x 100% $$ {", '"$${x} %%{y} $x 100% $$ {"'),
        ("$${x}", '"$$${x}"'),
        ("\0\x1b\x7f\x85\u2028\u202e\ufeff", r'"\u0000\u001b\u007f\u0085\u2028\u202e\ufeff"'),
        ("\U000e0041", r'"\U000e0041"'),
        ("é 日本 😀", '"é 日本 😀"'),
        (Var("S"), "S"),
        (Template((Var("S"),)), "S"),
        (Template(()), '""'),
        (Template((Var("S"), ":a", "b")), '"${S}:ab"'),
        (Template(("${S}", Var("S"))), '"$${S}${S}"'),
        (Template(("$", Var("S"), "{")), r'"\u0024${S}{"'),
        (Template(("%", Var("N"), Var("B"))), '"%${N}${B}"'),
        (Conditional(Var("B"), "a", Var("S")), 'B ? "a" : S'),
        (Conditional(Compare(Var("S"), "!=", '"'), "a", "b"), r'S != "\"" ? "a" : "b"'),
        (Conditional(Var("B"), "a", Conditional(Var("B"), "b", "c")), 'B ? "a" : (B ? "b" : "c")'),
    ],
)
def test_a_string(value: Value, text: str) -> None:
    assert line_of("target", value) == f"target = {text}"


@pytest.mark.parametrize(
    ("attribute", "value", "text"),
    [
        ("pull", True, "true"),
        ("no-cache", Var("B"), "B"),
        ("tags", [], "[]"),
        ("tags", ["a"], '["a"]'),
        ("labels", {}, "{}"),
        ("labels", {"a-b": "c"}, '{ a-b = "c" }'),
        ("labels", {"a.b": "c"}, '{ "a.b" = "c" }'),
        ("labels", {"for": "c"}, '{ "for" = "c" }'),
        ("labels", {"9": "c"}, '{ "9" = "c" }'),
        ("labels", {"größe": "c"}, '{ "größe" = "c" }'),
        ("labels", {"日\u0301": "c"}, r'{ "\u65e5\u0301" = "c" }'),
        ("output", [{"type": "image", "push": False, "compression-level": -1}], None),
        ("matrix", {"a": ["b"]}, '{ a = ["b"] }'),
        ("cache-from", Conditional(Var("B"), [], []), "B ? [] : []"),
    ],
)
def test_other_values(attribute: str, value: Value, text: str | None) -> None:
    text = text or '[{ type = "image", push = false, compression-level = -1 }]'
    assert line_of(attribute, value) == f"{attribute} = {text}"


def test_a_comment_stays_a_comment() -> None:
    text = text_of(Target(name="t", attributes={}, comment=('a\n} target "evil" {\r\x0bb', "", "\tc \u202e\u2028\0")))
    assert text == '# a\n# } target "evil" {\n#\n# b\n#\n#     c \\u202e\n# \\u0000\ntarget "t" {\n}\n'


def test_two_targets_with_one_cache_ref_are_refused() -> None:
    cache: Value = [{"type": "registry", "ref": "example.org/cache"}]
    targets = [Target(name=name, attributes={"cache-to": cache}) for name in ("dev", "prod")]
    with pytest.raises(ConfigError, match=r'target "prod": cache-to writes registry ref=example\.org/cache:latest'):
        render(BakeFile(sections=(Section(blocks=tuple(targets)),)))


# Recorded from hclfmt of hcl 2.14: what the checker below must agree with.
UNFORMATTED = """\
variable "A" {
 default=[ 1,-2,  3 ] # two
 x = "a"   # words
 yyyyyy="b${  A }c${A}${ B }"
 z = A!=""?( B ?-1:2):[ for x in [ 1 ]:x]

 f = g( 1,2 )[ 0 ].b
   # alone
 q = {a=1,b={}, "c.d" = { e=!f } }
   many = A ? [
 {a=1,bb=2},
 ] : []
 n = 1
 nn = a - -1
}
"""
FORMATTED = """\
variable "A" {
  default = [1, -2, 3] # two
  x       = "a"        # words
  yyyyyy  = "b${A}c${A}${B}"
  z       = A != "" ? (B ? -1 : 2) : [for x in [1] : x]

  f = g(1, 2)[0].b
  # alone
  q = { a = 1, b = {}, "c.d" = { e = !f } }
  many = A ? [
    { a = 1, bb = 2 },
  ] : []
  n  = 1
  nn = a - -1
}
"""


def test_the_checker_formats_as_the_original() -> None:
    assert hclfmt(UNFORMATTED) == FORMATTED
    assert hclfmt(FORMATTED) == FORMATTED


def test_the_formatter_leaves_the_example_alone() -> None:
    assert hclfmt(EXAMPLE_TEXT) == EXAMPLE_TEXT


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bake=bake_files())
def test_the_formatter_leaves_every_file_alone(bake: BakeFile) -> None:
    assume(writable(bake))
    text = render(bake)
    assert hclfmt(text) == text
    assert render(bake) == text
