"""A report of a finding on its way to a case: its states, its receipt, and whose credit it is.

States are computed from acts whenever asked. What no longer moves is opened again by new evidence; a
report in a case has left intake, and its finder cannot take it back.
Source: clearinghouse reference, sections 4 and 11.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from leadline.core.clearing.finding import Finding, Origin
from leadline.core.clearing.product import Fault
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind, Value

CREDIT_SHARED = timedelta(hours=24)
FIRST_ANSWER_DAYS = 3  # working days, as VINCE's documentation for reporters aims at
_SATURDAY = 5


class Stage(StrEnum):
    """Where a report stands."""

    RECEIVED = "received"
    SCREENED = "screened"
    DEDUPLICATED = "deduplicated"
    REPRODUCING = "reproducing"
    CONFIRMED = "confirmed"
    NOT_REPRODUCED = "not-reproduced"
    OUT_OF_THREAT_MODEL = "out-of-threat-model"
    ALREADY_FIXED = "already-fixed"
    DUPLICATE = "duplicate"
    SCORED = "scored"
    QUEUED = "queued"
    CASE = "case"
    WITHDRAWN = "withdrawn"

    @property
    def waits(self) -> bool:
        """Whether it is still on its way to a case, and so has a place in the queue."""
        return self not in _ENDS and self is not Stage.CASE

    @property
    def ends(self) -> bool:
        """Whether only new evidence opens it again."""
        return self in _ENDS


_FOUND_OUT = frozenset({Stage.OUT_OF_THREAT_MODEL, Stage.ALREADY_FIXED, Stage.DUPLICATE})
_ENDS = _FOUND_OUT | {Stage.NOT_REPRODUCED, Stage.WITHDRAWN}
_ON = {
    Stage.RECEIVED: {Stage.SCREENED},
    Stage.SCREENED: {Stage.DEDUPLICATED, Stage.REPRODUCING},
    Stage.DEDUPLICATED: {Stage.REPRODUCING},
    # A fault of the environment puts it back: it is never counted against the finder.
    Stage.REPRODUCING: {Stage.CONFIRMED, Stage.NOT_REPRODUCED, Stage.DEDUPLICATED},
    Stage.CONFIRMED: {Stage.SCORED},
    Stage.SCORED: {Stage.QUEUED},
    Stage.QUEUED: {Stage.CASE},
}

# What a replay shows; every word that is not here confirms. A flaky proof is for a person to decide on.
_REPLAYED = {
    "flaky": Stage.REPRODUCING,
    "not-reproduced": Stage.NOT_REPRODUCED,
    "trivial-oracle": Stage.NOT_REPRODUCED,
    "environment-fault": Stage.DEDUPLICATED,
}


def onward(stage: Stage) -> frozenset[Stage]:
    """The states that may follow *stage*; none follows a case."""
    if stage.ends:
        return frozenset({Stage.RECEIVED})
    if stage is Stage.CASE:
        return frozenset()
    return frozenset(_ON[stage]) | _FOUND_OUT | {Stage.WITHDRAWN}


def check_move(stage: Stage, to: Stage, reason: str) -> None:
    """Return if a report at *stage* may go *to*, for a reason that is said.

    Raises: Refused, naming what may follow; Invalid, without a reason.
    """
    if to not in onward(stage):
        follows = ", ".join(sorted(onward(stage))) or "nothing here: it is in a case"
        raise Refused(f"this report is {stage.value}; what may follow is {follows}")
    if not reason.strip():
        raise Invalid("reason", "say why; the finder reads it")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a parcel in the vault: where they begin, and how many."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Report:
    """What the installation keeps of one report beside the finding, in the erasable store.

    *parcel* is the digest of what lies in the vault, marked TLP:RED; *text*, *proof* and *files* say
    where in it the report, its proof and its attachments are. *blinder* opens *commitment*; both in hex.
    *withheld* names what looked secret or personal, and where, never the thing itself.
    """

    finding: str
    by: str
    org: str
    parcel: str
    text: Span
    commitment: str
    blinder: str
    proof: Span | None = None
    files: tuple[tuple[str, Span], ...] = ()
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """The finding that stands for one proof for one piece of software; *doubled* once another came."""

    id: str
    finding: str
    doubled: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """One report as a form was read: the finding, the very bytes, the proof and files beside it."""

    finding: Finding
    raw: bytes
    proof: bytes | None = None
    files: Mapping[str, bytes] | None = None


Beside = Callable[[str], bytes | None]  # the bytes of a file beside the report, by its path


def nothing_beside(path: str) -> bytes | None:  # noqa: ARG001 -- whatever the path is
    """For a report that comes alone."""
    return None


@dataclass(frozen=True, slots=True)
class Told:
    """What whoever hands a report in says besides, for forms that cannot say it themselves."""

    at: datetime
    origin: Origin | None = None
    found_by: str = ""
    consent: str = ""
    confirmed_by: str = ""
    purl: str = ""
    project: str = ""


class Faulty(Invalid):
    """A report that is not taken, with every fault and its place."""

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        super().__init__(f"{name}{self.faults[0].place}", self.faults[0].problem + more)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What whoever hands in gets at once. *known*: this was here already, and nothing was added.

    *commitment* is on record in place of the finding, *index* is the place of the act in the
    log. *place* counts from 1; *expected* is None where no date can be told, which *reason* explains.
    """

    finding: str
    at: datetime
    commitment: str
    index: int
    stage: Stage
    reason: str
    known: bool = False
    place: int | None = None
    expected: datetime | None = None
    asks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """One step of a report: when, by whom, to which state, and why."""

    at: datetime
    by: str
    stage: Stage
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one report stands by its acts. *lane* names the queue; *urgent* says why it waits for none.

    *answers* are digests of a coordinator's words, or the word of a replay; *confirmed_text* says the
    finder stands by a text that looked secret. *claims* are the people whose report it is, the first of
    them first, *gave_up* those who took theirs back.
    """

    finding: str
    by: str
    at: datetime
    commitment: str
    contract: str
    lane: str
    severity: str
    needs: tuple[tuple[str, ...], ...]
    steps: tuple[Passed, ...]
    answers: tuple[tuple[datetime, str], ...] = ()
    urgent: str = ""
    case: str = ""
    withheld: bool = False
    confirmed_text: bool = False
    claims: tuple[str, ...] = ()
    gave_up: tuple[str, ...] = ()

    @property
    def stage(self) -> Stage:
        """The last state."""
        return self.steps[-1].stage

    @property
    def reason(self) -> str:
        """Why it is in the last state."""
        return self.steps[-1].reason


def standing(acts: Iterable[Act]) -> Standing | None:
    """Where a report stands after *acts*, in the order of the log; None before it was handed in.

    Acts are the record: what they say counts, whether or not it ought to have been recorded.
    """
    found: Standing | None = None
    for act in acts:
        if act.kind in {Kind.FINDING_SUBMITTED, Kind.FINDING_RECORDED}:
            found = _claimed(found, act) if found else _submitted(act)
        elif found is not None:
            found = _after(found, act)
    return found


def _submitted(act: Act) -> Standing:
    told = {name: str(value) for name, value in act.detail.items() if isinstance(value, str)}
    stage = _stage(told.get("state", "")) or Stage.RECEIVED
    first = Passed(act.at, act.actor, Stage.RECEIVED, "received")
    step = Passed(act.at, act.actor, stage, told.get("reason", ""))
    return Standing(
        act.about,
        act.actor,
        act.at,
        told.get("commitment", ""),
        told.get("contract", ""),
        told.get("lane", ""),
        told.get("severity", ""),
        _sets(act.detail.get("needs")),
        (first,) if stage is Stage.RECEIVED else (first, step),
        withheld=act.detail.get("withheld") is True,
        claims=(act.actor,),
    )


def _claimed(found: Standing, act: Act) -> Standing:
    """The very same report by somebody else: it is theirs as well, and open again if it was withdrawn."""
    again = _claims(found, act.actor)
    told = {name: str(value) for name, value in act.detail.items() if isinstance(value, str)}
    stage = _stage(told.get("state", "")) if found.stage is Stage.WITHDRAWN else None
    return again if stage is None else _at(again, act, stage, told.get("reason", ""))


def _claims(found: Standing, person: str) -> Standing:
    left = tuple(one for one in found.gave_up if one != person)
    return replace(found, claims=tuple(dict.fromkeys((*found.claims, person))), gave_up=left)


def _taken_back(found: Standing, act: Act) -> Standing:
    """One of its finders takes it back; it is withdrawn once none is left."""
    left = tuple(one for one in found.claims if one != act.actor)
    now = replace(found, claims=left, gave_up=(*found.gave_up, act.actor))
    return now if left else _at(now, act, Stage.WITHDRAWN, "withdrawn by its finder")


def _sets(value: Value) -> tuple[tuple[str, ...], ...]:
    sets = value if isinstance(value, tuple) else ()
    return tuple(tuple(str(one) for one in any_of) for any_of in sets if isinstance(any_of, tuple))


def _after(found: Standing, act: Act) -> Standing:
    told = {name: str(value) for name, value in act.detail.items() if isinstance(value, str)}
    match act.kind:
        case Kind.FINDING_MOVED:
            return _moved(found, act, told)
        case Kind.FINDING_WITHDRAWN:
            return _taken_back(found, act)
        case Kind.FINDING_REPLAYED if found.stage is not Stage.CASE:
            verdict = told.get("verdict", "")
            return _at(found, act, _REPLAYED.get(verdict, Stage.CONFIRMED), verdict)
        case Kind.FINDING_ANSWERED if act.detail.get("stands_by_text") is True:
            return replace(found, confirmed_text=True)
        case Kind.FINDING_ANSWERED:
            return replace(found, answers=(*found.answers, (act.at, told.get("answer", ""))))
        case _:
            return found


def _moved(found: Standing, act: Act, told: Mapping[str, str]) -> Standing:
    stage = _stage(told.get("state", ""))
    if stage is None:
        return found
    case = told.get("case", "") if stage is Stage.CASE else found.case
    if act.actor in found.gave_up:
        found = _claims(found, act.actor)  # handed in again
    found = replace(
        found,
        urgent=told.get("urgent", found.urgent),
        case=case,
        lane=told.get("lane", found.lane),
        contract=told.get("contract", found.contract),
    )
    return _at(found, act, stage, told.get("reason", f"in {case}" if case else ""))


def _at(found: Standing, act: Act, stage: Stage, reason: str) -> Standing:
    return replace(found, steps=(*found.steps, Passed(act.at, act.actor, stage, reason)))


_STAGES = frozenset(Stage)


def _stage(word: str) -> Stage | None:
    return Stage(word) if word in _STAGES else None


def answer_due(at: datetime) -> datetime:
    """When a coordinator's first answer is due: three working days of 24 hours, in UTC."""
    due, left = at.astimezone(UTC), FIRST_ANSWER_DAYS
    while left:
        due += timedelta(days=1)
        left -= due.weekday() < _SATURDAY
    return due


@dataclass(frozen=True, slots=True)
class Claim:
    """One finder's claim to a root cause, at the time of its commitment.

    *valid* is false where a commitment was opened to something else than was committed to.
    """

    finding: str
    by: str
    at: datetime
    valid: bool = True


@dataclass(frozen=True, slots=True)
class Credit:
    """Who is credited for one root cause, earliest first; who came later; whose claim is void."""

    shared: tuple[Claim, ...]
    later: tuple[Claim, ...] = ()
    void: tuple[Claim, ...] = ()


def credit(claims: Iterable[Claim]) -> Credit:
    """The earliest valid claim, and every one within 24 hours of it; a finder counts once.

    The answer does not depend on the order of *claims*.
    """
    ordered = sorted(claims, key=lambda one: (one.at, one.finding, one.by))
    valid: dict[str, Claim] = {}
    for one in ordered:
        if one.valid:
            valid.setdefault(one.by, one)
    first = min((one.at for one in valid.values()), default=None)
    void = tuple(one for one in ordered if not one.valid)
    if first is None:
        return Credit((), (), void)
    shared = tuple(one for one in valid.values() if one.at - first <= CREDIT_SHARED)
    return Credit(shared, tuple(one for one in valid.values() if one not in shared), void)
