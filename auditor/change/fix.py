"""`fix`: prod re-derived from dev, what disagrees with the locks mended, and what only a person can decide told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auditor.change.apply import Result
from auditor.change.derive import derive, told
from auditor.change.fixers import REMEDIES, blamed
from auditor.change.readable import settle_read
from auditor.change.repair import Repair
from auditor.change.tree import mirror
from auditor.errors import UvError
from auditor.finding import Severity
from auditor.rules.context import PairContext
from auditor.rules.run import audit

if TYPE_CHECKING:
    from auditor.change.tree import Tree
    from auditor.finding import Finding
    from auditor.rules.run import Outcome

Load = Callable[[Path], list[PairContext]]

_ROUNDS: Final = 8
_ATTEMPTS: Final = 4
# What says, at dev's own files, that nothing may be built on dev's lock.
_FAULTS: Final = ("LA108", "LA109", "LA301", "LA302", "LA304", "LA306", "LA309", "LA310", "LA311")
# What says so once prod's lock is what uv makes of it: the index has another file than dev's lock.
_CONTRADICTED: Final = frozenset({"LA106", "LA108"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A change that was not made: its finding's code and package, and what it would change."""

    code: str
    package: str | None
    what: str


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """What `fix` would change, and what is left.

    Attributes:
        result: the changes and their lines.
        offers: what needs `--unsafe`.
        faults: why a pair was left as it is, one line each.
        contexts: the pairs as they are afterwards.
        outcome: what is found in them.
    """

    result: Result
    offers: tuple[Offer, ...]
    faults: tuple[str, ...]
    contexts: Sequence[PairContext]
    outcome: Outcome


def fix(root: Path, load: Load, program: str | None, *, only: tuple[str, ...] = (), unsafe: bool = False) -> Fixed:
    """Work out what mends the findings of every pair. Nothing is written to the repository.

    Args:
        root: of the repository.
        load: reads the pairs below a folder: the repository's, or the mirror's.
        program: uv's path, or None where there is none.
        only: beginnings of codes; empty for every finding.
        unsafe: also change what prod says itself.

    Raises:
        UvError: there is no uv, or it could not resolve.
        LockauditError: as `load` and `audit`.
    """
    pairs = load(root)
    with mirror(root) as tree:
        settle_read(tree, pairs)
        lines: list[str] = []
        offers: list[Offer] = []
        faults: list[str] = []
        for index in range(len(pairs)):
            pair = _Pair(tree, load, index, program, only)
            repair = pair.repair(unsafe=unsafe)
            lines += [each for each in repair.lines if each not in lines]
            offers += [Offer(code=code, package=name, what=what) for (code, name), what in repair.offers.items()]
            faults += [each for each in pair.faults if each not in faults]
        contexts = load(tree.folder)
        return Fixed(
            result=Result(changes=tree.changes(), lines=tuple(lines)),
            offers=tuple(dict.fromkeys(offers)),
            faults=tuple(faults),
            contexts=contexts,
            outcome=audit(*contexts),
        )


class _Pair:
    """One pair: rounds of edits and of deriving prod's lock, until nothing changes any more."""

    def __init__(self, tree: Tree, load: Load, index: int, program: str | None, only: tuple[str, ...]) -> None:
        self.tree = tree
        self.load = load
        self.index = index
        self.program = program
        self.only = only
        self.faults: list[str] = []
        self.is_derived = False

    def context(self) -> PairContext:
        return self.load(self.tree.folder)[self.index]

    def wanted(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings that can be mended, and that are to be."""
        return [each for each in findings if each.code in REMEDIES and each.code.startswith(self.only or ("",))]

    def repair(self, *, unsafe: bool) -> Repair:
        contexts = self.load(self.tree.folder)
        context = contexts[self.index]
        repair = Repair(self.tree, context, unsafe=unsafe)
        before = audit(context)
        wanted = self.wanted(before.findings)
        if not wanted:
            return repair
        self.faults = _faults_of_dev(context, before.findings)
        if self.faults:
            return repair
        marked = self.tree.mark()
        all_before = _weight(audit(*contexts))
        old = context.prod.lock
        self.rounds(repair, before)
        after = audit(repair.context)
        is_better = _weight(audit(*self.load(self.tree.folder))) < all_before
        contradicted = [each for each in after.findings if each.code in _CONTRADICTED] if self.is_derived else []
        if contradicted or not is_better:
            is_changed = bool(repair.lines)
            self.tree.restore(marked)
            repair.lines.clear()
            name = context.dev.lock.file.name
            for each in contradicted:
                self.faults.append(f"{name} is not what uv locks now ({each.message}): restore it, or lock it anew")
            if is_changed and not contradicted:
                self.faults.append(f"{old.file.name} as {name} has it would have as many findings")
        elif self.is_derived and repair.context.prod.lock.file.text != old.file.text:
            change = told(old, repair.context.prod.lock)
            line = f"{old.file.name}: derived from {context.dev.lock.file.name}" + (f": {change}" if change else "")
            repair.lines.insert(0, line)
        return repair

    def rounds(self, repair: Repair, outcome: Outcome) -> None:
        """Edit and derive until nothing changes; `repair.context` is the pair afterwards."""
        for _ in range(_ROUNDS):
            repair.findings = outcome.findings
            repair.offers.clear()
            repair.is_edited = repair.is_stale = False
            wanted = self.wanted(outcome.findings)
            self.steps(repair, wanted)
            self.is_derived = self.is_derived and not repair.is_stale
            needs_lock = repair.is_stale or any(REMEDIES[each.code].derives for each in wanted)
            if not self.is_derived and needs_lock:
                if not self.derive(repair, wanted):
                    return
                self.is_derived = True
            elif not repair.is_edited:
                return
            repair.context = self.context()
            outcome = audit(repair.context)

    def steps(self, repair: Repair, wanted: Sequence[Finding], *, early: bool = False) -> None:
        """Ask the fixers; those of a finding that a derived lock may mend only once it is derived, or `early`."""
        for each in wanted:
            remedy = REMEDIES[each.code]
            if self.is_derived or early or not remedy.derives:
                for step in remedy.steps:
                    step(repair, each)

    def derive(self, repair: Repair, wanted: Sequence[Finding]) -> bool:
        """Derive prod's lock; where uv cannot, it may lack a setting that dev has. Whether there is a new lock.

        Raises:
            UvError: uv cannot, and no change is known that would help.
        """
        context = repair.context
        for attempt in range(_ATTEMPTS):
            try:
                derive(self.tree, context.config.dev.lock, context.config.prod.lock, self.program)
            except UvError as error:
                if self.program is None:
                    raise
                repair.is_edited = False
                if not attempt:
                    self.steps(repair, wanted, early=True)
                if error.package or not error.is_offline:
                    blamed(repair, replace(wanted[0], package=error.package), fetched=not error.is_offline)
                if not repair.is_edited:
                    if repair.offers and not error.is_offline:
                        return False
                    raise _with_offers(error, repair) from None
            else:
                return True
        return False


def _faults_of_dev(context: PairContext, findings: Sequence[Finding]) -> list[str]:
    """Why nothing may be built on dev's lock: findings at dev's own files."""
    dev = context.dev
    files = {dev.lock.file.name, *([dev.project.file.name] if dev.project is not None else [])}
    return [
        f"nothing is built on a dev lock that is at fault: {each.code} at {each.position.path}:{each.position.line}"
        for each in findings
        if each.severity is Severity.ERROR and each.code in _FAULTS and each.position.path in files
    ]


def _with_offers(error: UvError, repair: Repair) -> UvError:
    """The error, with what `--unsafe` would change beside it."""
    offered = "; ".join(dict.fromkeys(repair.offers.values()))
    if offered:
        error.hint = f"{error.hint}; `--unsafe` would change this: {offered}"
    return error


def _weight(outcome: Outcome) -> tuple[int, ...]:
    """How bad it is: errors, then warnings, then the rest."""
    return tuple(outcome.count(severity) for severity in Severity)
