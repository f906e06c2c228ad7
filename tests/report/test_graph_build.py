"""The build graph: what stands in it, and what a change reaches, in any case or under a condition."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from auditor.report.graph.layout import NODE_HEIGHT, lay_out
from auditor.report.graph.model import Build, BuildEdge, BuildNode, Kind, Reach
from auditor.report.graph.parts import reduce_edges
from tests.report.pictures import DEV, DOCKERFILE, PROD, node, picture_of, write_project
from tests.rules.specimens import write_pair
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """The specimen."""
    (found,) = picture_of(write_project(tmp_path)).builds
    return found


@pytest.fixture(scope="module")
def own() -> Build:
    """This repository's."""
    (found,) = picture_of(REPOSITORY).builds
    return found


def reached(build: Build, kind: str, label: str) -> dict[str, Reach]:
    """`stage prod` -> how surely a change of a node reaches it."""
    found = build.invalidated(node(build, kind, label).id)
    return {f"{build.by_id[name].kind} {build.by_id[name].label}": level for name, level in found.items()}


def test_what_stands_in_it(build: Build) -> None:
    assert [(each.kind.value, each.label) for each in build.nodes if each.kind is not Kind.KEY] == [
        ("input", "pyproject.toml"),
        ("input", "uv.lock"),
        ("input", "prod/pyproject.toml"),
        ("input", "prod/uv.lock"),
        ("input", "docker/wheels/flash-attn"),
        ("input", "sources"),
        ("image", "nvidia/cuda:12.6.3-devel-ubuntu22.04"),  # with the argument that the bake file sets
        ("image", "nvidia/cuda:12.6.3-base-ubuntu22.04"),
        ("stage", "build-locks"),
        ("stage", "compile"),
        ("stage", "wheel-prod"),
        ("stage", "deps-prod"),
        ("stage", "prod"),
        ("stage", "dev"),
        ("target", "wheel-prod"),
        ("target", "prod"),
        ("target", "dev"),
        ("cache", "wheel"),
        ("cache", "prod"),
    ]
    assert node(build, "key", "flash-attn-2.8.3-cu124-torch2.6.0-cp312-").facts[0] == ("package", "flash-attn")
    assert build.notes == ("Not built with these settings: left-out.",)


def test_the_prod_lock_reaches_the_image_for_sure(build: Build) -> None:
    assert reached(build, "input", "prod/uv.lock") == {
        "stage deps-prod": Reach.SURE,
        "stage prod": Reach.SURE,  # what is copied from deps-prod is what `uv sync` made of the lock
        "stage dev": Reach.SURE,  # COPY .
        "target prod": Reach.SURE,
        "target dev": Reach.SURE,
        "cache prod": Reach.SURE,
    }


def test_the_dev_lock_reaches_the_wheel_through_the_key_only(build: Build) -> None:
    found = reached(build, "input", "uv.lock")
    assert found["stage dev"] is Reach.SURE
    behind_the_key = {"input docker/wheels/flash-attn", "stage build-locks", "stage compile", "stage wheel-prod"}
    behind_the_key |= {"stage prod", "target prod", "target wheel-prod", "cache wheel", "cache prod"}
    assert {name for name, level in found.items() if level is Reach.KEY} >= behind_the_key


def test_the_build_lock_reaches_the_compile_and_the_wheels_bytes_decide_then(build: Build) -> None:
    found = reached(build, "input", "docker/wheels/flash-attn")
    assert found["stage compile"] is Reach.SURE
    assert found["stage wheel-prod"] is Reach.BYTES
    assert found["stage prod"] is Reach.BYTES


def test_sources_reach_nothing_but_the_development_image(build: Build) -> None:
    assert reached(build, "input", "sources") == {"stage dev": Reach.SURE, "target dev": Reach.SURE}


def test_an_image_goes_through_from_and_by_bytes_through_copies(build: Build) -> None:
    found = reached(build, "image", "nvidia/cuda:12.6.3-devel")
    assert (found["stage deps-prod"], found["stage compile"]) == (Reach.SURE, Reach.SURE)
    assert (found["stage prod"], found["stage wheel-prod"]) == (Reach.BYTES, Reach.BYTES)


def test_what_a_part_is_made_of(build: Build) -> None:
    parts = {build.by_id[name].label for name in build.made_of(node(build, "target", "prod").id)}
    assert parts >= {"prod/uv.lock", "deps-prod", "wheel-prod", "compile", "docker/wheels/flash-attn", "uv.lock"}
    assert "sources" not in parts


def test_where_the_hours_are(build: Build) -> None:
    assert [each.label for each in build.nodes if each.compiles] == ["compile"]
    on_the_way = {f"{each.kind} {each.label}" for each in build.nodes if each.wheel and each.kind is not Kind.KEY}
    assert on_the_way == {
        "input docker/wheels/flash-attn",
        "stage build-locks",
        "stage compile",
        "stage wheel-prod",
        "target wheel-prod",
        "cache wheel",
    }


def test_targets_and_caches_say_what_they_are(build: Build) -> None:
    prod = node(build, "target", "prod")
    assert prod.about == "What runs"
    assert ("cache mode", "max") in prod.facts
    assert node(build, "cache", "wheel").about == "cache in cache.example/app"


def test_a_sync_that_compiles_is_where_the_hours_are(tmp_path: Path) -> None:
    text = DOCKERFILE.replace("--locked --no-install-package flash-attn", "--locked")
    (found,) = picture_of(write_project(tmp_path, dockerfile=text)).builds
    assert {each.label for each in found.nodes if each.compiles} == {"compile", "deps-prod", "dev"}


def test_findings_stand_at_their_stage(tmp_path: Path) -> None:
    (found,) = picture_of(write_project(tmp_path, dockerfile=DOCKERFILE)).builds
    assert not any(remark.code.startswith("LA4") for each in found.nodes for remark in each.remarks)
    text = (tmp_path / "pyproject.toml").read_text("utf-8").replace('"LA0",', '"LA0", "LA4",')
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    (found,) = picture_of(tmp_path).builds
    assert {each.label for each in found.nodes if each.remarks} <= {"compile", "deps-prod", "dev", "prod"}


def test_without_a_dockerfile_there_is_nothing_to_draw(tmp_path: Path) -> None:
    (found,) = picture_of(write_pair(tmp_path, dev=DEV, prod=PROD)).builds
    assert (found.nodes, found.edges) == ((), ())
    assert found.notes[0] == "There is no Dockerfile at docker/Dockerfile-uv, so there is no build to draw."


def test_without_a_bake_file_the_stages_are_drawn(tmp_path: Path) -> None:
    (found,) = picture_of(write_project(tmp_path, bake="")).builds
    assert {each.label for each in found.nodes if each.kind is Kind.STAGE} >= {"prod", "dev", "compile"}
    assert not [each for each in found.nodes if each.kind in {Kind.TARGET, Kind.CACHE}]
    assert "There is no docker-bake.hcl; `lockaudit bake` writes one." in found.notes


def test_a_bake_file_that_cannot_be_read_is_a_note(tmp_path: Path) -> None:
    (found,) = picture_of(write_project(tmp_path, bake='target "prod" {')).builds
    assert any(note.startswith("docker-bake.hcl cannot be read") for note in found.notes)


def test_a_source_that_no_key_can_name_is_a_note(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    text = (project / "uv.lock").read_text("utf-8")
    start = text.index("hash", text.index("flash_attn-2.8.3.tar.gz"))
    end = text.index(",", start) + 2
    (project / "uv.lock").write_text(text[:start] + text[end:], "utf-8")
    (found,) = picture_of(project).builds
    assert any("has no sha256 in the lock" in note for note in found.notes)
    assert not [each for each in found.nodes if each.kind is Kind.KEY]


@pytest.mark.parametrize(
    ("copied", "path", "carried"),
    [
        ("COPY prod/ /app/", "/app", {"uv.lock", "pyproject.toml"}),
        ("COPY prod/ /app/", "/app/uv.lock", {"uv.lock"}),
        ("COPY prod/ /app/", "/", {"uv.lock", "pyproject.toml"}),
        ("COPY prod/ /app/", "/other", set()),
        ("COPY prod/uv.lock /app/", "/app/uv.lock", {"uv.lock"}),
        ("COPY prod/uv.lock prod/pyproject.toml /app/", "/app/pyproject.toml", {"pyproject.toml"}),
        ("COPY prod/uv.lock /app/other.lock", "/app/other.lock", {"uv.lock"}),
        ("COPY . /src/", "/src/prod/uv.lock", {"uv.lock"}),
        ("COPY --exclude=prod/uv.lock prod/ /app/", "/app", {"pyproject.toml"}),
        ('COPY ["prod/", "/app/"]', "/app/uv.lock", {"uv.lock"}),
        ("ADD prod /app", "/app/pyproject.toml", {"pyproject.toml"}),
        ("RUN --mount=type=bind,source=prod,target=/app cp /app/uv.lock /x", "/x", set()),
    ],
)
def test_bytes_go_through_where_their_file_is_copied(tmp_path: Path, copied: str, path: str, carried: set[str]) -> None:
    text = f"FROM scratch AS one\n{copied}\nFROM scratch AS two\nCOPY --from=one {path} /x/\n"
    (found,) = picture_of(write_project(tmp_path, dockerfile=text, bake="")).builds
    (through,) = found.taken(node(found, "stage", "two").id)
    labels = {found.by_id[name].label for name in through.carried}
    assert {label.removeprefix("prod/") for label in labels if label.startswith("prod/")} == carried


# --- this repository


def test_own_locks_reach_the_wheel_through_the_key_only(own: Build) -> None:
    dev, prod = reached(own, "input", "uv.lock"), reached(own, "input", "prod/uv.lock")
    assert dev["stage compile"] is Reach.KEY
    assert dev["stage deps-dev"] is Reach.SURE
    assert "stage compile" not in prod
    assert prod["target prod"] is Reach.SURE


def test_own_sources_stop_at_the_manifests(own: Build) -> None:
    found = reached(own, "input", "sources")
    assert found["stage manifests"] is Reach.SURE
    assert found["stage deps-dev"] is Reach.BYTES
    assert not {"stage compile", "stage deps-prod", "stage prod", "target prod"} & found.keys()


def test_own_hours_are_in_the_compile_stage(own: Build) -> None:
    assert [each.label for each in own.nodes if each.compiles] == ["compile"]


# --- edges and places


def edge(source: str, target: str, reach: Reach = Reach.SURE, *, quiet: bool = False) -> BuildEdge:
    return BuildEdge(source=source, target=target, how="", reach=reach, quiet=quiet)


@pytest.mark.parametrize(
    ("others", "redundant"),
    [
        ([], False),
        ([edge("a", "b"), edge("b", "c")], True),
        ([edge("a", "b"), edge("b", "c", Reach.BYTES)], False),  # a less sure way says less
        ([edge("a", "b", quiet=True), edge("b", "c")], False),  # a way that is not drawn leads nowhere
    ],
)
def test_an_edge_is_redundant_where_others_lead_as_surely(others: list[BuildEdge], *, redundant: bool) -> None:
    found = list(reduce_edges([edge("a", "c"), edge("a", "d"), *others]))
    assert found[0].redundant is redundant
    assert not found[1].redundant


def test_what_has_quiet_edges_only_keeps_them() -> None:
    (found,) = reduce_edges([edge("a", "b", quiet=True)])
    assert found.is_drawn


def test_bytes_that_go_through_make_a_change_sure() -> None:
    nodes = tuple(BuildNode(id=name, kind=Kind.STAGE, label=name) for name in "abc")
    through = BuildEdge(source="b", target="c", how="", reach=Reach.BYTES, carried=frozenset("a"))
    found = Build(pair="", nodes=nodes, edges=(edge("a", "b"), through))
    assert found.invalidated("a") == {"b": Reach.SURE, "c": Reach.SURE}
    assert found.invalidated("b") == {"c": Reach.BYTES}


@pytest.mark.parametrize("which", ["build", "own"])
def test_places_do_not_overlap_and_edges_go_to_the_right(which: str, request: pytest.FixtureRequest) -> None:
    drawn: Build = request.getfixturevalue(which)
    layout = lay_out(drawn)
    assert layout == lay_out(drawn)
    boxes = sorted(layout.boxes.values(), key=lambda box: (box.column, box.y))
    for one, other in pairwise(boxes):
        if one.column == other.column:
            assert other.y >= one.y + NODE_HEIGHT
            assert one.x == other.x
        else:
            assert other.x >= one.x + one.width
    assert max(box.x + box.width for box in boxes) <= layout.width
    assert max(box.y for box in boxes) + NODE_HEIGHT <= layout.height
    for each in drawn.edges:
        assert layout.boxes[each.source].column <= layout.boxes[each.target].column


def test_own_picture_fits_a_laptop(own: Build) -> None:
    assert lay_out(own).width <= 1240
