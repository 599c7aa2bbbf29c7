"""Who was told what and when, and whether anybody was favoured: computed from the acts of one case.

What an act of release says of its own number lets a reader see that no act before it is kept back; what
is kept back is counted. Matches are computed once more from the inventories as they were given, by rules
written apart from those that sent the notices; a difference without a reason stays a difference.
Source: clearinghouse reference, section 11.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadline.core.clearing.receipt import State, best, receipts
from leadline.core.record.act import Act, Kind

RECEIPTS = (
    Kind.NOTICE_SENT,
    Kind.NOTICE_OPENED,
    Kind.NOTICE_ANSWERED,
    Kind.NOTICE_CORRECTED,
    Kind.REMEDY_PROVED,
)
# Acts about something else that belong to a case, which they name in their detail. The numbers of acts
# count these and those about the case itself: whoever adds a kind here begins a new form of report.
BESIDE = (
    *RECEIPTS,
    Kind.FINDING_SUBMITTED,
    Kind.FINDING_ANSWERED,
    Kind.FINDING_MOVED,
    Kind.FINDING_REPLAYED,
    Kind.EVIDENCE_ADDED,
    Kind.EVIDENCE_RETRACTED,
    Kind.DRAFT_WRITTEN,
    Kind.DRAFT_SENT,
    Kind.FIX_PROPOSED,
    Kind.FIX_TESTED,
    Kind.FIX_MOVED,
    Kind.PRIORITY_SET,
    Kind.ADVISORY_DRAFTED,
    Kind.ADVISORY_PUBLISHED,
    Kind.ADVISORY_WITHDRAWN,
)
# What everybody may read once a case is public: nothing that names a party's person or what it answered.
OPEN = frozenset(
    {
        Kind.CASE_OPENED,
        Kind.CASE_JOINED,
        Kind.CASE_MOVED,
        Kind.CASE_CLOSED,
        Kind.DISCLOSURE_CHOSEN,
        Kind.EMBARGO_BEGUN,
        Kind.EMBARGO_REVISED,
        Kind.EMBARGO_ENDED,
        Kind.CLOCK_FELL_DUE,
        Kind.ADVISORY_PUBLISHED,
        Kind.ADVISORY_WITHDRAWN,
        Kind.NOTICE_ISSUED,
        Kind.NOTICE_SENT,
        Kind.NOTICE_CORRECTED,
        Kind.CREDIT_DECIDED,
    }
)
LIMITS = (
    "It proves what was recorded, and when. What somebody was told by word of mouth leaves no act.",
    "A log without witnesses outside shows one reader one history and could show another one another.",
    "Matches were computed again by this installation from inventories that nobody else may read.",
    "An operator is named by another word in each case; acts kept back are counted and not shown.",
    "It says nothing about any model, and nothing about whether a repair is good.",
)
VENDORS = frozenset({"owner", "upstream", "downstream"})
PUBLIC_MOVES = frozenset({"public", "public-elsewhere", "public-fix", "exploit-public"})


@dataclass(frozen=True, slots=True)
class Numbered:
    """An act of the case, its place among all of them from 1, and in the log."""

    number: int
    index: int
    act: Act


@dataclass(frozen=True, slots=True)
class Expected:
    """What one operator was due at one stage, computed apart. *due* says that a notice was.

    *match*: a component is affected, or unknown once it is public. *why* is the rule that kept a
    matching operator out, or the reason for a notice without a match.
    """

    operator: str
    stage: str
    match: bool
    due: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """From the first to the last notice of one stage to one tier, in whole seconds."""

    stage: str
    tier: str
    notices: int
    first: datetime
    last: datetime
    seconds: int


class Fault(StrEnum):
    """A difference between what was sent and what was due."""

    NOT_TOLD = "match-without-notice"
    NO_MATCH = "notice-without-match"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; without a *why* it is not explained."""

    fault: Fault
    operator: str
    stage: str
    why: str


@dataclass(frozen=True, slots=True)
class Period:
    """How long the case was in one state, in whole seconds; *until* is None for the present one."""

    state: str
    since: datetime
    until: datetime | None
    seconds: int


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who read before publication: an operator by its name in this case, or a party."""

    who: str
    role: str
    stage: str
    first: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Extension:
    """A date that was moved, to when, and the reason on record."""

    at: datetime
    until: str
    reason: str


@dataclass(frozen=True, slots=True)
class Credited:
    """Whom a coordinator decided to credit; *name* is a commitment to the name as it was given."""

    party: str
    shared: bool
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Numbering:
    """Whether acts are kept back: all, shown, withheld, and up to which number the acts vouch for it."""

    acts: int
    shown: int
    withheld: int
    vouched: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fairness:
    """The report of one case. Without the acts of answers, *silent* and *readers* are empty."""

    case: str
    opened: datetime | None
    public: datetime | None
    told: int
    spreads: tuple[Spread, ...]
    differences: tuple[Difference, ...]
    silent: tuple[str, ...]
    silent_parties: tuple[str, ...]
    extensions: tuple[Extension, ...]
    periods: tuple[Period, ...]
    readers: tuple[Reader, ...]
    credits: tuple[Credited, ...]
    numbering: Numbering

    @property
    def unexplained(self) -> int:
        """How many differences have no reason."""
        return sum(not one.why for one in self.differences)


def fairness(
    case: str, acts: Sequence[Numbered], total: int, expected: Sequence[Expected], made: datetime
) -> Fairness:
    """The report from the acts that are shown, of *total* acts of the case, as of *made*."""
    plain = [one.act for one in acts]
    opened = next((act.at for act in plain if act.kind is Kind.CASE_OPENED), None)
    public = _public(plain)
    found = receipts(plain)
    corrections = {str(act.detail["by"]) for act in plain if act.kind is Kind.NOTICE_CORRECTED}
    by_operator = defaultdict(list)
    for one in found.values():
        by_operator[one.operator].append(one)
    answers = any(act.kind not in OPEN for act in plain)
    quiet = (name for name, held in by_operator.items() if best(held).state is State.NO_ANSWER)
    sent = {(one.operator, one.stage) for one in found.values() if one.notice not in corrections}
    return Fairness(
        case=case,
        opened=opened,
        public=public,
        told=len(by_operator),
        spreads=_spreads(plain, corrections),
        differences=_differences(sent, expected),
        silent=tuple(sorted(quiet)) if answers else (),
        silent_parties=_silent_parties(plain),
        extensions=_extensions(plain),
        periods=_periods(plain, public, made),
        readers=_readers(plain, public),
        credits=tuple(
            Credited(
                _text(act, "party"), act.detail.get("shared") is True, _text(act, "name"), act.at
            )
            for act in plain
            if act.kind is Kind.CREDIT_DECIDED
        ),
        numbering=_numbering(acts, total),
    )


def for_all(acts: Sequence[Act], k: int) -> frozenset[str]:
    """The ids of the acts that everybody may read once the case is public.

    Nothing that tells of fewer than *k* operators: the notices of one stage to one tier are shown where
    there are as many, and the counts of a release where all its tiers have them.
    """
    group = {
        act.about: (_text(act, "stage"), _text(act, "tier"))
        for act in acts
        if act.kind is Kind.NOTICE_SENT
    }
    sizes = Counter(group.values())
    small = {one for one, size in sizes.items() if size < k}
    stages = {stage for stage, _ in small}
    return frozenset(
        act.id
        for act in acts
        if act.kind in OPEN
        and group.get(act.about) not in small
        and not (act.kind is Kind.NOTICE_ISSUED and _text(act, "stage") in stages)
    )


def _public(acts: Sequence[Act]) -> datetime | None:
    """The first moment at which acts say that it is public, or that its secrecy ended."""
    found = [
        act.at
        for act in acts
        if act.kind in {Kind.ADVISORY_PUBLISHED, Kind.EMBARGO_ENDED}
        or (act.kind is Kind.CASE_MOVED and _text(act, "move") in PUBLIC_MOVES)
    ]
    return min(found, default=None)


def _spreads(acts: Sequence[Act], corrections: set[str]) -> tuple[Spread, ...]:
    groups = defaultdict[tuple[str, str], list[datetime]](list)
    for act in acts:
        if act.kind is Kind.NOTICE_SENT:
            stage = "correction" if act.about in corrections else _text(act, "stage")
            groups[stage, _text(act, "tier")].append(act.at)
    return tuple(
        Spread(stage, tier, len(at), min(at), max(at), int((max(at) - min(at)).total_seconds()))
        for (stage, tier), at in groups.items()
    )


def _differences(
    sent: set[tuple[str, str]], expected: Sequence[Expected]
) -> tuple[Difference, ...]:
    known = {(one.operator, one.stage): one for one in expected}
    missing = (
        Difference(Fault.NOT_TOLD, one.operator, one.stage, "" if one.due else one.why)
        for key, one in sorted(known.items())
        if one.match and key not in sent
    )
    beyond = (
        Difference(Fault.NO_MATCH, operator, stage, _reason(known.get((operator, stage))))
        for operator, stage in sorted(sent)
        if (operator, stage) not in known or not known[operator, stage].match
    )
    return tuple(sorted((*missing, *beyond), key=lambda one: (one.fault, one.operator, one.stage)))


def _reason(one: Expected | None) -> str:
    return one.why if one is not None and one.due else ""


def _silent_parties(acts: Sequence[Act]) -> tuple[str, ...]:
    asked = {
        _text(act, "party"): None
        for act in acts
        if act.kind is Kind.PARTICIPANT_ADDED and _text(act, "role") in VENDORS
    }
    spoken = {_text(act, "party") for act in acts if act.kind is Kind.STATUS_STATED}
    return tuple(party for party in asked if party not in spoken)


def _extensions(acts: Sequence[Act]) -> tuple[Extension, ...]:
    return tuple(
        Extension(act.at, _text(act, "until"), _text(act, "reason"))
        for act in acts
        if act.kind is Kind.EMBARGO_REVISED
        or (act.kind is Kind.CASE_MOVED and _text(act, "move") == "extended")
    )


def _periods(acts: Sequence[Act], public: datetime | None, made: datetime) -> tuple[Period, ...]:
    marks = list[tuple[datetime, str]]()
    for kind, state in (
        (Kind.CASE_OPENED, "opened"),
        (Kind.EMBARGO_BEGUN, "date agreed"),
        (Kind.CASE_CLOSED, "closed"),
    ):
        marks += [(act.at, state) for act in acts if act.kind is kind][:1]
    if public is not None:
        marks.append((public, "public"))
    marks.sort(key=lambda one: one[0])
    ends = [at for at, _ in marks[1:]]
    periods = [
        Period(state, since, until, int((until - since).total_seconds()))
        for (since, state), until in zip(marks, ends, strict=False)
    ]
    if marks:
        since, state = marks[-1]
        periods.append(Period(state, since, None, int((made - since).total_seconds())))
    return tuple(periods)


def _readers(acts: Sequence[Act], public: datetime | None) -> tuple[Reader, ...]:
    """Who opened a notice or looked at who was told, and parties that were added, before it was public."""
    stage_of = {act.about: _text(act, "stage") for act in acts if act.kind is Kind.NOTICE_SENT}
    found = dict[tuple[str, str, str], Reader]()
    for act in acts:
        if public is not None and act.at >= public:
            break
        if act.kind is Kind.NOTICE_OPENED and act.about in stage_of:
            key = (_text(act, "operator"), "operator", stage_of[act.about])
        elif act.kind is Kind.NOTICE_OPENED:
            key = (act.actor, "coordinator", "who was told")
        elif act.kind is Kind.PARTICIPANT_ADDED:
            key = (_text(act, "party"), _text(act, "role"), "")
        else:
            continue
        held = found.get(key)
        found[key] = Reader(*key, held.first if held else act.at, held.times + 1 if held else 1)
    return tuple(found.values())


def _numbering(acts: Sequence[Numbered], total: int) -> Numbering:
    faults, vouched = list[str](), 0
    for one in acts:
        said = one.act.detail.get("n")
        if said is None:
            continue
        vouched = max(vouched, one.number)
        if said != one.number:
            faults.append(f"act {one.number} of the case says that it is number {said}")
    return Numbering(total, len(acts), total - len(acts), vouched, tuple(faults))


def _text(act: Act, name: str) -> str:
    found = act.detail.get(name)
    return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class History:
    """What acts say of one operator, and what it stated: all that the rules of `owed` read."""

    enrolled: datetime
    local: bool
    vetted: datetime | None
    ended: datetime | None
    competes: frozenset[str]
    inventories: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Turn:
    """A release as `in_turn` reads it: before publication or not, when, and what the case and tiers say.

    *days* is how old an inventory may be when the case is opened.
    """

    early: bool
    opened: datetime
    at: datetime
    owners: frozenset[str]
    days: int


def in_turn(one: History, turn: Turn) -> tuple[str, str]:
    """The inventory by which *one* is judged at a release, or nothing and the rule that keeps it out.

    Written apart from `operator.participation`, step by step, so that one can be held against the other.
    """
    rules: list[tuple[bool, str]] = [
        (one.ended is not None and one.ended <= turn.at, "its enrolment has ended"),
        (one.local, "it matches on its own host; it is told on publication"),
    ]
    usable = {id_: when for id_, when in one.inventories.items() if when <= turn.at}
    if turn.early:
        usable = {id_: when for id_, when in usable.items() if when < turn.opened}
        rules += [
            (
                one.vetted is None or not one.vetted < turn.opened,
                "it was not vetted before the case was opened",
            ),
            (
                bool(one.competes & turn.owners),
                "it names the owner of the software as a competitor",
            ),
            (not usable, "it gave no inventory before the case was opened"),
        ]
    rules.append((not usable, "it gave no inventory"))
    for holds, why in rules:
        if holds:
            return "", why
    newest = max(usable, key=lambda id_: (usable[id_], id_))
    if turn.early and (turn.opened - usable[newest]).total_seconds() > turn.days * 86_400:
        return "", "its inventory was too old when the case was opened"
    return newest, ""
