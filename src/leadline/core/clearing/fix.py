"""Fixes: what a drafted patch must have shown to be a candidate, and how far each flaw has come.

A candidate is a proposal for people to read. It is marked as made by a model or a tool, a person sends
it, and only that person's word, the project's commit, its release and operators' own reports move it on.
Where a flaw stands is computed from acts.
Source: clearinghouse reference, sections 5 and 8; programme reference, section 3.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import accumulate
from pathlib import PurePosixPath

from leadline.core.clearing.finding import ReplayVerdict
from leadline.core.clearing.replaying import Replay
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind, Value

VARIANTS_MIN = 20  # held-out inputs on which a candidate must be silent
WORDS_MAX = 500
_TEST_FOLDERS = frozenset({"test", "tests", "testing", "spec", "testdata", "fixtures"})


class FixState(StrEnum):
    """How far a flaw has come; in this order."""

    CANDIDATE = "candidate"  # somebody reports it
    REPRODUCED = "reproduced"
    PATCHED = "patched"  # a candidate patch stands
    SENT = "sent"  # by a person, to the project
    MERGED = "merged"
    RELEASED = "released"
    APPLIED = "applied"  # by operators

    @property
    def rank(self) -> int:
        """0 for the first."""
        return list(FixState).index(self)


MOVES = (FixState.SENT, FixState.MERGED, FixState.RELEASED, FixState.APPLIED)
RECALLED = "recalled"
_DUE: Mapping[FixState, str] = {
    FixState.SENT: "where it was sent: an address or the number of a report",
    FixState.MERGED: "the commit that holds it",
    FixState.RELEASED: "the version that holds it",
    FixState.APPLIED: "who says so, or what shows it",
}
_CONFIRMED = frozenset(
    {
        ReplayVerdict.CONFIRMED.value,
        ReplayVerdict.CONFIRMED_BY_SCRIPT.value,
        ReplayVerdict.CONFIRMED_BY_PERSON.value,
        ReplayVerdict.FIX_EFFECTIVE.value,
        ReplayVerdict.FIX_INEFFECTIVE.value,
    }
)


@dataclass(frozen=True, slots=True)
class Fix:
    """One drafted patch, as it is kept. *patch* is the digest of the difference, which is in the vault.

    *origin* and *made_by* are the label that every page carries; *base* is the commit it applies to,
    *touches* the paths it changes, *supersedes* the fix in whose place it stands.
    """

    id: str
    finding: str
    case: str
    patch: str
    origin: str
    made_by: str
    subject: str
    base: str
    touches: tuple[str, ...]
    at: datetime
    supersedes: str = ""

    @property
    def label(self) -> str:
        """What stands on every copy of it."""
        by = (
            "written by an AI system"
            if self.origin == "ai"
            else "written by a tool without a model"
        )
        return f"{by} ({self.made_by}); a person has to read it before it is used"


@dataclass(frozen=True, slots=True)
class Drafted:
    """What a subject handed in, and what trying it showed. Pairs count those that held, of how many.

    *outcome* is the judge's word and *reason* what it rests on, *problem* what kept the work from being
    done. *removed* are names that
    the interface lost. *tests* says whether the project's own tests passed before and after; None
    stands for not run.
    """

    base: str
    subject: str
    origin: str
    made_by: str
    outcome: str = ""
    reason: str = ""
    problem: str = ""
    patch: bytes = b""
    touches: tuple[str, ...] = ()
    replay: Replay | None = None
    variants: tuple[int, int] = (0, 0)
    samples: tuple[int, int] = (0, 0)
    tests: tuple[bool | None, bool | None] = (None, None)
    removed: tuple[str, ...] = ()

    def shortfalls(self) -> tuple[str, ...]:
        """Why this is no candidate, in plain words; empty if it is one."""
        if self.problem:
            return (self.problem,)
        if not self.patch:
            return ("the subject handed in nothing that changes the program",)
        return tuple(self._short())

    def _short(self) -> Iterable[str]:
        silent, tried = self.variants
        if self.outcome != "fixed":
            yield f"the judge: {self.outcome or 'no word'}{': ' * bool(self.reason)}{self.reason}"
            return
        if self.replay is None or self.replay.verdict is not ReplayVerdict.FIX_EFFECTIVE:
            told = self.replay.verdict.value if self.replay else "it was not run"
            yield f"the proof on a clean rebuild: {told}"
        if tried < VARIANTS_MIN:
            yield f"only {tried} held-out variants could be made; {VARIANTS_MIN} are due"
        if silent < tried:
            yield f"{tried - silent} of {tried} held-out variants still show the flaw"
        if self.samples[0] < self.samples[1]:
            yield f"{self.samples[1] - self.samples[0]} ordinary inputs are answered otherwise"
        if self.tests[0] is not True:
            yield "the project's own tests do not succeed without the patch, so that they show nothing"
        elif self.tests[1] is not True:
            yield "the project's own tests do not succeed with the patch"
        if self.removed:
            yield f"{self.removed[0]} is gone from the program's interface"
        touched = touched_tests(self.touches)
        if touched:
            yield f"it changes {touched[0]}, which belongs to the tests"


def touched_tests(paths: Iterable[str]) -> tuple[str, ...]:
    """Those of *paths* that look like a project's tests."""
    return tuple(path for path in paths if _is_test(PurePosixPath(path)))


def _is_test(path: PurePosixPath) -> bool:
    stem = path.name.lower().split(".")[0]
    named = stem.startswith("test_") or stem.endswith(("_test", "-test")) or stem == "test"
    return named or any(part.lower() in _TEST_FOLDERS for part in path.parts[:-1])


@dataclass(frozen=True, slots=True)
class Moved:
    """One step of a fix: the state, when, by whom, and what it rests on."""

    state: str
    at: datetime
    by: str
    where: str


@dataclass(frozen=True, slots=True)
class FixStanding:
    """Where one fix stands, as its acts say. *superseded_by* and *recalled* end it."""

    id: str
    finding: str
    case: str
    at: datetime
    candidate: bool
    state: FixState
    moves: tuple[Moved, ...]
    superseded_by: str = ""
    recalled: str = ""

    @property
    def stands(self) -> bool:
        """Whether it is a candidate, or more, and nothing ended it."""
        return self.candidate and not self.superseded_by and not self.recalled

    def check_move(self, to: FixState, where: str) -> None:
        """Return if this fix may go on to *to*.

        Raises: Refused, if it ended or would go back; Invalid, if *to* is no move, or *where* says
        nothing or too much.
        """
        if to not in MOVES:
            raise Invalid("state", f"a fix moves to {', '.join(MOVES)} or is {RECALLED}")
        if not self.stands:
            raise Refused(f"this fix {self.ended}; another stands in its place, or none")
        if to.rank <= self.state.rank:
            raise Refused(f"this fix is {self.state.value} already; it goes on, not back")
        if not where.strip() or len(where) > WORDS_MAX:
            raise Invalid("where", f"say {_DUE[to]}, in at most {WORDS_MAX} characters")

    @property
    def ended(self) -> str:
        """How it ended, in words; empty if it stands."""
        if self.recalled:
            return f"was recalled: {self.recalled}"
        if self.superseded_by:
            return f"was superseded by {self.superseded_by}"
        return "" if self.candidate else "never became a candidate"


def standings(acts: Sequence[Act]) -> Mapping[str, FixStanding]:
    """Where every fix stands, by id, from acts of fixes in order of the record; others are passed over."""
    held: dict[str, list[Act]] = {}
    for act in acts:
        if act.kind in {Kind.FIX_PROPOSED, Kind.FIX_TESTED, Kind.FIX_MOVED}:
            held.setdefault(act.about, []).append(act)
    later = {
        _text(act.detail.get("supersedes")): act.about
        for act in acts
        if act.kind is Kind.FIX_PROPOSED and act.detail.get("supersedes")
    }
    return {id_: _standing(id_, own, later.get(id_, "")) for id_, own in held.items()}


def _standing(id_: str, acts: Sequence[Act], superseded_by: str) -> FixStanding:
    first = acts[0].detail
    moves = [
        Moved(_text(act.detail.get("state")), act.at, act.actor, _text(act.detail.get("where")))
        for act in acts
        if act.kind is Kind.FIX_MOVED
    ]
    reached = [FixState(one.state) for one in moves if one.state in set(MOVES)]
    return FixStanding(
        id_,
        _text(first.get("finding")),
        _text(first.get("case")),
        acts[0].at,
        any(act.kind is Kind.FIX_PROPOSED for act in acts),
        max((FixState.PATCHED, *reached), key=lambda state: state.rank),
        tuple(moves),
        superseded_by,
        next((one.where for one in reversed(moves) if one.state == RECALLED), ""),
    )


@dataclass(frozen=True, slots=True)
class Instead:
    """The candidate in whose place another stands, and why; empty where it is the first."""

    fix: str = ""
    reason: str = ""


FIRST = Instead()


def check_proposal(
    fixes: Iterable[FixStanding], finding: str, same: frozenset[str], instead: Instead
) -> None:
    """Return if a flaw may have this candidate: one at a time, and another only in its place.

    *same* are findings that are one flaw with *finding*.

    Raises: Refused, naming the one that stands; Invalid, if what it supersedes is none of them, or no
    reason is given.
    """
    of, supersedes, reason = {finding} | same, instead.fix, instead.reason
    standing = [one for one in fixes if one.stands and one.finding in of]
    if supersedes and supersedes not in {one.id for one in standing}:
        raise Invalid("supersedes", f"{supersedes} is no candidate that stands for this flaw")
    if supersedes and not reason.strip():
        raise Invalid(
            "reason", "say why the earlier candidate is to be replaced; its readers see it"
        )
    if len(reason) > WORDS_MAX:
        raise Invalid("reason", f"at most {WORDS_MAX} characters")
    others = [one.id for one in standing if one.id != supersedes]
    if others:
        raise Refused(
            f"{others[0]} stands for this flaw already; name it with --supersedes, and say why"
        )


@dataclass(frozen=True, slots=True)
class Place:
    """One finding on the board: how far its flaw has come, since when, and by which fix."""

    finding: str
    case: str
    state: FixState
    since: datetime
    fix: str = ""


def place(finding: str, case: str, acts: Sequence[Act], fixes: Iterable[FixStanding]) -> Place:
    """Where a flaw stands, from the acts about its finding, in order, and the fixes for it.

    A later replay that shows nothing takes a flaw back to candidate, unless a fix was made meanwhile.

    Raises: Invalid, if there is no act.
    """
    if not acts:
        raise Invalid("finding", f"nothing is recorded of {finding}")
    state, since = FixState.CANDIDATE, acts[0].at
    for act in acts:
        if act.kind is Kind.FINDING_REPLAYED:
            confirmed = _text(act.detail.get("verdict")) in _CONFIRMED
            now = FixState.REPRODUCED if confirmed else FixState.CANDIDATE
            state, since = (now, act.at) if now is not state else (state, since)
    best = max(
        (one for one in fixes if one.stands and one.finding == finding),
        key=lambda one: (one.state.rank, one.id),
        default=None,
    )
    if best is None:
        return Place(finding, case, state, since)
    reached = [one.at for one in best.moves if one.state == best.state.value]
    return Place(finding, case, best.state, reached[0] if reached else best.at, best.id)


@dataclass(frozen=True, slots=True)
class Board:
    """How many flaws have come how far: *counts* are of those that reached a state or went beyond."""

    places: tuple[Place, ...]
    fixes: tuple[FixStanding, ...]

    @property
    def counts(self) -> Mapping[FixState, int]:
        """By state, in order; each is at most the one before."""
        at = Counter(one.state for one in self.places)
        reached = list(accumulate(at[state] for state in reversed(FixState)))
        return dict(zip(FixState, reversed(reached), strict=True))


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""
