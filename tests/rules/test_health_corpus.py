"""The rules of LA3xx and the rest of LA1xx on real locks: everything that they say, each with its reason."""

from __future__ import annotations

import itertools
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auditor.config import Config, SideConfig
from auditor.errors import SelectionError
from auditor.lock.contradictions import contradictions
from auditor.lock.declarations import lowering_of
from auditor.lock.environment import Target
from auditor.lock.pair import Pair, Side, read_side
from auditor.lock.read import parse_lock, read_lock
from auditor.lock.selection import Request, known_extras, known_groups, uncovered_reason
from auditor.lock.staleness import staleness
from auditor.rules import RULES
from auditor.rules.context import PairContext, TargetContext
from auditor.rules.resolution import edges_differ, two_live_versions
from auditor.rules.run import audit
from auditor.source import SourceFile
from tests.support import corpus, corpus_locks, require_corpus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.lock.model import Edge, Lock, Package

pytestmark = pytest.mark.corpus

CHOSEN = [rule for rule in RULES if rule.code in {"LA112", "LA113", "LA115", "LA116", "LA117"} or rule.code >= "LA3"]
CHOSEN = [rule for rule in CHOSEN if rule.code < "LA4"]
VLM = ("VLMHyperBenchTeam__model_qwen2.5_vl_lora", "VLMHyperBenchTeam__vlmhyperbench_playground")
TRANDELIK = "TrandeLik__tabular_fms_nirvana"

# Each lock audited as both sides of a pair, in its own folder. A lock that is not here has no finding at all.
SINGLE = {
    # Its workspace lives in git submodules that the corpus does not have: members are missing, as for uv. It has
    # editable members, and flash-linear-attention at a default branch.
    "PrimeIntellect-ai__prime-rl/uv.lock": {"LA116", "LA117", "LA301"},
    # A workspace whose member openpi-client is editable.
    "Physical-Intelligence__openpi/uv.lock": {"LA116"},
    # A private index with md5 alone.
    f"{TRANDELIK}/uv.lock": {"LA303"},
    f"{TRANDELIK}/docker/uv.lock": {"LA303"},
    # ai2-molmo2 at a default branch; pyproject.toml lost its vllm, which uv says too.
    "allenai__molmoweb/uv.lock": {"LA117", "LA301"},
    # English-to-IPA at a default branch.
    "drivendataorg__childrens-speech-recognition-runtime/runtime/uv.lock": {"LA117"},
    # Editable neighbours outside of the audited folder.
    "langchain-ai__langgraph/libs/langgraph/uv.lock": {"LA116"},
    "langchain-ai__langgraph/libs/checkpoint-postgres/uv.lock": {"LA116"},
    # A project called "turkish-legal-qa/training", which uv cannot read; its lock is for another name.
    "knightscode139__turkish-legal-qa-lora/training/uv.lock": {"LA301"},
    **{
        f"{repository}/{lock}": codes
        for repository in VLM
        for lock, codes in {
            # Members that the corpus does not have, editable; in one repository a path that moved.
            "uv.lock": {"LA116", "LA301"},
            # Tag 0.0.1 of a package whose version is 0.0.1.dev1.
            "prod/uv.lock": {"LA117"},
            # Made when its project took the members from ../packages, and not since.
            "staging/uv.lock": {"LA116", "LA301"},
        }.items()
    },
}
# dev, prod -> what is said of the pair.
PAIRS = {
    **{(f"{repository}/uv.lock", f"{repository}/prod/uv.lock"): {"LA117", "LA301"} for repository in VLM},
    **{(f"{repository}/uv.lock", f"{repository}/staging/uv.lock"): {"LA116", "LA301"} for repository in VLM},
    (f"{TRANDELIK}/uv.lock", f"{TRANDELIK}/docker/uv.lock"): {"LA303"},
    ("allenai__molmoweb/uv.lock", "allenai__molmoweb/train/uv.lock"): {"LA301"},
    (
        "huggingface__text-generation-inference/integration-tests/uv.lock",
        "huggingface__text-generation-inference/server/uv.lock",
    ): set(),
    (
        "langchain-ai__langgraph/libs/langgraph/uv.lock",
        "langchain-ai__langgraph/libs/checkpoint/uv.lock",
    ): set(),
}
# Locks that `uv lock --check --offline` (0.13.9) accepts with an interpreter that fits. Of the others, TrandeLik and
# drivendata ask for Pythons that are rarely installed, verifiers builds its version, and the rest is stale (`SINGLE`).
ACCEPTED_BY_UV = {
    "NVIDIA__Megatron-LM/uv.lock",
    "Physical-Intelligence__openpi/uv.lock",
    *(f"{repository}/prod/uv.lock" for repository in VLM),
    "allenai__molmoweb/train/uv.lock",
    "huggingface__text-generation-inference/integration-tests/uv.lock",
    "huggingface__text-generation-inference/server/uv.lock",
    "knightscode139__turkish-legal-qa-lora/serving/uv.lock",
    "langchain-ai__langgraph/libs/checkpoint-postgres/uv.lock",
    "langchain-ai__langgraph/libs/checkpoint/uv.lock",
    "langchain-ai__langgraph/libs/cli/uv-examples/monorepo/uv.lock",
    "langchain-ai__langgraph/libs/langgraph/uv.lock",
    "pallets__click/uv.lock",
    "zizmorcore__zizmor/uv.lock",
}
# Packages that two repositories have at one version and source, with other edges. Two are overridden in one of them;
# two are folders of one name in two repositories; and torch 2.5.1 of one lock lacks the nvidia packages: uv took its
# dependencies from another index, where the same version has none. That lock is wrong.
UNLIKE = {
    ("quack-kernels", "warning"),
    ("torch-c-dlpack-ext", "warning"),
    ("bench-utils", "warning"),
    ("model-qwen2-5-vl", "warning"),
    ("torch", "error"),
}


def name_of(path: Path) -> str:
    """A lock's path below the corpus."""
    found = corpus()
    return path.as_posix() if found is None else path.relative_to(found).as_posix()


def targets_of(*locks: Lock) -> tuple[Target, ...]:
    """A Linux and a macOS target that all of them cover, where there is one."""
    found = []
    for platform in ("linux-x86_64", "macos-arm64"):
        for minor in (12, 11, 10, 13):
            target = Target.parse(f"{platform}-cp3{minor}").fitted([lock.requires_python for lock in locks])
            if not any(uncovered_reason(lock, target) for lock in locks):
                found.append(target)
                break
    return tuple(found)


def side_of(role: str, path: Path, root: Path) -> Side:
    """A side; the locks of single packages have no project."""
    if path.name == "uv.lock":
        return read_side(root, role, SideConfig(lock=path.relative_to(root).as_posix(), extras=()))
    return plain_side(role, read_lock(path, root), Request(default_groups=False))


def plain_side(role: str, lock: Lock, request: Request) -> Side:
    """A side without a project."""
    return Side(role=role, lock=lock, project=None, request=request, folder=".")


def codes_of(root: Path, dev: Path, prod: Path) -> set[str]:
    """What the rules say of a pair on the targets that both locks cover."""
    sides = side_of("dev", dev, root), side_of("prod", prod, root)
    targets = targets_of(*(side.lock for side in sides))
    assert targets
    context = PairContext(Pair(root=root, dev=sides[0], prod=sides[1]), Config(), targets)
    return {finding.code for finding in audit(context, rules=CHOSEN).findings}


@pytest.mark.parametrize("path", corpus_locks(), ids=name_of)
def test_each_lock_alone(path: Path) -> None:
    assert codes_of(path.parent, path, path) == SINGLE.get(name_of(path), set())


@pytest.mark.parametrize(("dev", "prod"), PAIRS, ids=lambda path: path)
def test_pairs_of_one_repository(dev: str, prod: str) -> None:
    folder = require_corpus()
    root = folder / dev.partition("/")[0]
    assert codes_of(root, folder / dev, folder / prod) == PAIRS[dev, prod]


def test_no_lock_that_uv_accepts_is_stale() -> None:
    folder = require_corpus()
    for name in ACCEPTED_BY_UV:
        path = folder / name
        assert list(staleness(side_of("dev", path, path.parent), path.parent)) == []


def test_edges_of_one_release_agree_across_repositories() -> None:
    """Tens of thousands of packages at one version and source in two locks: what depends on what is the same."""
    locks = [read_lock(path, require_corpus()) for path in corpus_locks()]
    unlike: set[tuple[str | None, str]] = set()
    compared = 0
    for one, other in itertools.combinations(locks, 2):
        target = Target.parse("linux-x86_64-cp312").fitted([one.requires_python, other.requires_python])
        if uncovered_reason(one, target) or uncovered_reason(other, target):
            continue
        sides = [plain_side(role, lock, widest(lock, target)) for role, lock in (("dev", one), ("prod", other))]
        context = PairContext(Pair(root=require_corpus(), dev=sides[0], prod=sides[1]), Config(), (target,))
        on_target = TargetContext(context, target)
        compared += sum(prod.version == dev.version for prod, dev in on_target.common)
        for rule in (edges_differ, two_live_versions):
            unlike |= {(found.package, found.severity.value) for found in rule.check(on_target)}  # type: ignore[arg-type,call-arg]
    assert compared > 4000
    assert unlike == UNLIKE


def widest(lock: Lock, target: Target) -> Request:
    """As much of a lock as can be selected at once."""
    for extras in (known_extras(lock), ()):
        request = Request(extras=extras, groups=known_groups(lock), default_groups=False)
        try:
            plain_side("dev", lock, request).select(target)
        except SelectionError:
            continue
        return request
    return Request(default_groups=False)


@pytest.mark.parametrize("path", [path for path in corpus_locks() if path.name == "uv.lock"], ids=name_of)
def test_every_removed_edge_of_a_project_is_noticed(path: Path) -> None:
    """Of roots and members, in every section, one edge after the other; but for edges that no environment follows."""
    side = side_of("dev", path, path.parent)
    lowering = lowering_of(side, path.parent)
    assert list(contradictions(side.lock, lowering)) == []
    trees = [package for package in side.lock.packages if package.metadata and package.source.is_local_tree]
    edits = [edit for package in trees for edit in without_each(package)]
    for edge, changed in edits[:: len(edits) // MOST + 1]:
        if edge.marker is None or "'never'" not in str(edge.marker):
            assert list(contradictions(replaced(side.lock, changed), lowering)), side.lock.packages[edge.target]


def without_each(package: Package) -> Iterator[tuple[Edge, Package]]:
    """(edge, the package without it) for every edge of a package."""
    for edge in package.dependencies:
        yield edge, replace(package, dependencies=tuple(each for each in package.dependencies if each is not edge))
    for extra, edges in package.optional.items():
        for edge in edges:
            rest = tuple(each for each in edges if each is not edge)
            yield edge, replace(package, optional={**package.optional, extra: rest})
    for group, edges in package.groups.items():
        for edge in edges:
            rest = tuple(each for each in edges if each is not edge)
            yield edge, replace(package, groups={**package.groups, group: rest})


def replaced(lock: Lock, package: Package) -> Lock:
    """A lock with another entry in place of one."""
    packages = (*lock.packages[: package.index], package, *lock.packages[package.index + 1 :])
    same_name = tuple(packages[each.index] for each in lock.by_name[package.name])
    return replace(lock, packages=packages, by_name={**lock.by_name, package.name: same_name})


# All that is stale in the 343 commits of the history; `uv lock --check` says the same of each. The workspace has its
# members in git submodules, which the bundle does not have (77 commits), or had conflicts that are gone (16 of them);
# five times, somebody committed a pyproject.toml without its lock.
HISTORY = {
    "the workspace has other members",
    "other conflicts",
    "prime-rl has other dependencies",
    "zeroband has other dependencies",
    "it was resolved for Python >=3.11, the project asks for ==3.11.*",
}
EVERY = 5  # commits
REGISTRY = [rule for rule in RULES if rule.code in {"LA303", "LA304", "LA305", "LA309", "LA310", "LA311"}]
MOST = 150  # edges of one lock


def test_a_history_of_locks(tmp_path: Path) -> None:
    """Locks of two years, by many versions of uv: none contradicts itself."""
    repository = tmp_path / "history"
    (bundle,) = (require_corpus() / "history").glob("*.bundle")
    subprocess.run(["git", "clone", "--quiet", bundle, repository], check=True, capture_output=True)
    found: set[str] = set()
    commits = git(repository, "log", "--format=%h").split()
    folder = tmp_path / "project"
    folder.mkdir()
    for commit in commits[::EVERY]:
        for name in ("uv.lock", "pyproject.toml"):
            (folder / name).write_text(git(repository, "show", f"{commit}:{name}"), encoding="utf-8")
        side = read_side(folder, "dev", SideConfig(lock="uv.lock", extras=()))
        assert list(contradictions(side.lock, None)) == []
        found |= {difference.what for difference in staleness(side, folder)}
        context = PairContext(Pair(root=folder, dev=side, prod=side), Config(), ())
        assert audit(context, rules=REGISTRY).findings == ()
    assert len(commits) == 343
    assert found
    assert found <= HISTORY


def git(repository: Path, *arguments: str) -> str:
    """What git prints."""
    done = subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True, text=True)
    return done.stdout


def test_an_unreadable_requirement_is_no_finding() -> None:
    """A shape of tomorrow in the metadata says nothing."""
    text = (
        'version = 1\nrevision = 3\nrequires-python = ">=3.12"\n\n[[package]]\nname = "app"\nversion = "1"\n'
        'source = { virtual = "." }\n\n[package.metadata]\nrequires-dist = [{ name = "x", specifier = "^1" }]\n'
    )
    lock = parse_lock(SourceFile(Path("uv.lock"), "uv.lock", text))
    assert list(contradictions(lock, None)) == []
