"""`lockaudit plan` of a repository whose images have variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.rules.specimens import package, plain, write_pair
from tests.wheel.specimens import COMPILED

from .repository import commit, packages, plan

if TYPE_CHECKING:
    from pathlib import Path

ONE: Final = '\n[[tool.lockaudit.variant]]\nname = "{name}"\ncuda = "{cuda}"\n'


def test_each_variant_is_one_with_its_name(tmp_path: Path) -> None:
    variants = ONE.format(name="old", cuda="12.4.1") + ONE.format(name="new", cuda="12.8.1")
    commit(COMPILED.write(tmp_path, config=variants))
    assert [pair["name"] for pair in plan(tmp_path)["pairs"]] == ["old", "new"]
    moved = ONE.format(name="old", cuda="12.4.1") + ONE.format(name="new", cuda="12.9.1")
    COMPILED.write(tmp_path, config=moved)
    document = plan(tmp_path)
    assert document["verdict"] == "compiles flash-attn (hours): cuda 12.8.1 -> 12.9.1; no package changes"
    old, new = document["pairs"]
    assert old["targets"][0]["compiles"] == []
    assert [each["package"] for each in new["targets"][0]["compiles"]] == ["flash-attn"]
    assert plan(tmp_path, "--variant", "old")["compiles"] == []


def test_a_key_that_another_variant_has_compiled_is_not_compiled_again(tmp_path: Path) -> None:
    one = ONE.format(name="old", cuda="12.4.1")
    commit(COMPILED.write(tmp_path, config=one))
    COMPILED.write(tmp_path, config=one + ONE.format(name="twin", cuda="12.4.1"))
    document = plan(tmp_path)
    assert [(pair["name"], pair["new"]) for pair in document["pairs"]] == [("old", False), ("twin", True)]
    assert document["compiles"] == []


def test_a_repository_that_gets_its_first_variants(tmp_path: Path) -> None:
    write_pair(tmp_path, dev=plain(package("rich")), prod=plain(package("rich")))
    commit(tmp_path)
    text = plain(package("rich", "2.0"))
    write_pair(tmp_path, dev=text, prod=text, config=ONE.format(name="only", cuda="12.4.1"))
    assert packages(plan(tmp_path), "prod") == {"rich": ("moved", "1.0", "2.0", 0)}
