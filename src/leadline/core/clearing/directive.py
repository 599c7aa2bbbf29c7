"""A directive with dates for fixes, as data, and the days that follow from it for one vulnerability.

The rows are a published decision table; beside it stand what each outcome means in calendar days, from
when they count, whom the directive binds and since when. While the outcome is undetermined no day is
owed; the earliest possible one only sorts. An outcome without days has no date, ever.

A vulnerability without a CVE id, or under embargo, is outside such a directive. It has a notice clock
of the clearinghouse's own, under its own name, that starts when a fix or mitigation is available.
Source: programme reference, section 3; clearinghouse reference, section 7.4.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from leadline.core.clearing.exploited import cve_id
from leadline.core.clearing.ssvc import Decision, Table
from leadline.core.errors import Invalid


class Start(StrEnum):
    """From when the days of a directive count."""

    EARLIER = "earlier-of-listing-and-detection"
    LISTING = "listing"
    DETECTION = "detection"


class Standing(StrEnum):
    """What the directive is for one vulnerability at one operator."""

    BINDS = "binds"
    NOT_YET = "not-yet-in-effect"
    ADVICE = "advice"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Term:
    """One outcome of the table: *days* to fix, None where it has no date; *words* say it for people."""

    key: str
    words: str
    days: int | None
    forensics: bool


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive. *in_effect* is the first day on which it binds; confidence marks as in regimes.

    *kev* is the input that the list of known exploited vulnerabilities answers, *kev_age_max* the age up
    to which its silence is an answer. *notice* names the clock of what is outside.

    Raises: Invalid, if an outcome of the table has no term, or a more urgent one has more days.
    """

    id: str
    title: str
    binds: str
    table: Table
    terms: tuple[Term, ...]
    start: Start
    start_confidence: str
    in_effect: date
    in_effect_confidence: str
    kev: str
    kev_age_max: timedelta
    notice: str

    def __post_init__(self) -> None:
        outcomes = [value.key for value in self.table.outcome.values]
        if [term.key for term in self.terms] != outcomes:
            keys = ", ".join(outcomes)
            raise Invalid(f"{self.id}: outcomes", f"give one term each, in the order {keys}")
        self.table.input(self.kev)
        days = [term.days for term in self.terms if term.days is not None]
        dated = [term.days is not None for term in self.terms]
        if days != sorted(days, reverse=True) or dated != sorted(dated) or min(days, default=1) < 1:
            problem = (
                "a more urgent outcome has no more days than a less urgent one, and at least one"
            )
            raise Invalid(f"{self.id}: outcomes", problem)

    def term(self, key: str) -> Term:
        """What the outcome *key* means.

        Raises: Invalid, if the table has no such outcome.
        """
        return self.terms[self.table.outcome.level(key)]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one vulnerability at one operator; None or nothing where it is not known.

    *bound* says that the operator is one whom the directive binds. *listed* is the day of the listing as
    published, *detected* the first detection at the operator, *fix* when a fix or mitigation was released
    to it.

    Raises: Invalid, if *cve* is neither empty nor an id.
    """

    cve: str = ""
    embargoed: bool = False
    bound: bool = False
    listed: date | None = None
    detected: datetime | None = None
    fix: datetime | None = None

    def __post_init__(self) -> None:
        if self.cve:
            cve_id(self.cve)


@dataclass(frozen=True, slots=True)
class Due:
    """The days that follow. *clock* is whose clock it is; *started* its first day, None before it starts.

    *owed* is the last day that the outcome gives, None while it is undetermined, has no days or has not
    started. *from_fix* counts the same days from the release of the fix to this operator. *sorts* is the
    earliest day still possible, for order alone. *words* say all of it, unknowns included.
    """

    clock: str
    standing: Standing
    decision: Decision
    started: date | None
    owed: date | None
    from_fix: date | None
    sorts: date | None
    forensics: bool
    words: tuple[str, ...]


def due(directive: Directive, decision: Decision, facts: Facts, now: datetime, zone: tzinfo) -> Due:
    """The days for *facts*, with calendar days counted in the operator's *zone*.

    Raises: Invalid, for a decision by another table, a moment without an offset, or a day that no
    calendar has.
    """
    if decision.table != directive.table.id:
        problem = f"decided by {decision.table}; {directive.id} uses {directive.table.id}"
        raise Invalid("decision", problem)
    standing = _standing(directive, facts, _day(now, zone, "now"))
    fix = None if facts.fix is None else _day(facts.fix, zone, "fix")
    outside = standing is Standing.OUTSIDE
    started = fix if outside else _started(directive, facts, zone)
    most = directive.term(decision.most.key)
    owed = _after(started, most) if decision.determined else None
    from_fix = _after(fix, most) if decision.determined else None
    earliest = [day for day in (_after(started, most), _after(fix, most)) if day is not None]
    clock = directive.notice if outside else directive.title
    return Due(
        clock=clock,
        standing=standing,
        decision=decision,
        started=started,
        owed=owed,
        from_fix=from_fix,
        sorts=min(earliest, default=None),
        forensics=decision.determined and most.forensics,
        words=(
            f"{clock}: {_standing_words(directive, standing)}",
            _outcome_words(directive, decision),
            *_start_words(directive, started, most, outside=outside),
        ),
    )


def end_of(day: date, zone: tzinfo) -> datetime:
    """The moment, in UTC, at which *day* is over in *zone*: the midnight that ends it.

    Raises: Invalid, for the last day of the calendar.
    """
    try:
        return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    except OverflowError:
        raise Invalid("day", f"{day} is too close to an end of the calendar") from None


def _standing(directive: Directive, facts: Facts, today: date) -> Standing:
    if facts.embargoed or not facts.cve:
        return Standing.OUTSIDE
    if not facts.bound:
        return Standing.ADVICE
    return Standing.BINDS if today >= directive.in_effect else Standing.NOT_YET


def _started(directive: Directive, facts: Facts, zone: tzinfo) -> date | None:
    detected = None if facts.detected is None else _day(facts.detected, zone, "detected")
    days = {
        Start.EARLIER: (facts.listed, detected),
        Start.LISTING: (facts.listed,),
        Start.DETECTION: (detected,),
    }[directive.start]
    return min((day for day in days if day is not None), default=None)


def _day(at: datetime, zone: tzinfo, field: str) -> date:
    if at.tzinfo is None:
        raise Invalid(field, "a moment without an offset; give it one")
    try:
        return at.astimezone(zone).date()
    except OverflowError:
        raise Invalid(field, f"{at} is too close to an end of the calendar") from None


def _after(start: date | None, term: Term) -> date | None:
    if start is None or term.days is None:
        return None
    try:
        return start + timedelta(days=term.days)
    except OverflowError:
        raise Invalid("start", f"{start} is too close to an end of the calendar") from None


def _standing_words(directive: Directive, standing: Standing) -> str:
    since = f"{directive.in_effect} (confidence {directive.in_effect_confidence})"
    return {
        Standing.BINDS: f"binds {directive.binds} since {since}",
        Standing.NOT_YET: f"binds {directive.binds} from {since}; until then it is advice",
        Standing.ADVICE: f"advice here: it binds {directive.binds} only",
        Standing.OUTSIDE: (
            "the clearinghouse's own clock, no obligation of law; "
            "it starts when a fix or mitigation is available"
        ),
    }[standing]


def _outcome_words(directive: Directive, decision: Decision) -> str:
    if decision.determined:
        return directive.term(decision.most.key).words
    earliest = directive.term(decision.most.key).words
    latest = directive.term(decision.least.key).words
    asked = " and ".join(point.name for point in decision.needed)
    return (
        f"undetermined: earliest possible {earliest}; latest possible {latest}; "
        f"no date is owed yet; to settle it, find out: {asked}"
    )


def _start_words(
    directive: Directive, started: date | None, term: Term, *, outside: bool
) -> tuple[str, ...]:
    if term.days is None:
        return ()
    if started is None:
        cause = "no fix or mitigation is known" if outside else "no listing or detection is known"
        return (f"the days have not begun: {cause}",)
    if outside:
        return (f"calendar days from {started}, when the fix or mitigation came",)
    rule = directive.start.replace("-", " ")
    words = f"calendar days from {started} ({rule}, confidence {directive.start_confidence})"
    return (words,)
