"""Reports that a text asks for: who, to whom, about what, by when; computed from acts and never stored.

A clock of an incident runs from when somebody of the party first knew of it, every other clock from
the event itself; and only where the text had effect at that moment, in UTC. What was known before the
first day starts nothing. A duty that repeats while something goes on, such as internal use, counts
from the first day where that something had begun before it. Two texts that speak of one fact give two
obligations; no text moves another's dates; nobody's silence moves any, but where a text itself has a
cited toll.

An hour is 3,600 seconds, a day 24 hours, a week seven days. Months and years go by the calendar in
UTC, each counted from the start, and a day that a month lacks is that month's last: 31 January and one
month is the end of February, 29 February and one year is 28 February.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from leadline.core.engagement.engagement import sound
from leadline.core.engagement.regime import Contest, Event, Party, Regime, Report, Unit
from leadline.core.errors import Invalid
from leadline.core.record.act import instant

UNKNOWN = "unknown"  # the category of an incident of which no more is known yet
GOES_ON = frozenset({Event.TRAINING_BEGUN, Event.INTERNAL_USE_BEGUN, Event.DEPLOYED})
_EXACT = {
    Unit.HOURS: timedelta(hours=1),
    Unit.DAYS: timedelta(days=1),
    Unit.WEEKS: timedelta(weeks=1),
}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened at *at*, and when *party* first knew of it.

    Several with one id, event and party are one fact told by several people: the earliest knowledge
    counts. *about* names the thing (an incident, a model): its resolution has the same *about*.
    *categories* are words of the texts, or `UNKNOWN`; more knowledge takes the place of `UNKNOWN`.

    Raises: Invalid, for a time that `sound` refuses, or knowledge before the event.
    """

    id: str
    event: Event
    at: datetime
    known_at: datetime | None = None
    categories: frozenset[str] = frozenset()
    engagement: str = ""
    about: str = ""
    party: Party = "developer"

    def __post_init__(self) -> None:
        sound("at", self.at)
        if self.known_at is not None:
            sound("known_at", self.known_at)
        if self.known_at is not None and self.known_at < self.at:
            early = f"{instant(self.known_at)} is before the event, {instant(self.at)}"
            raise Invalid("known_at", f"{early}; correct one of the two")

        if len(self.categories) > 1 and UNKNOWN in self.categories:
            object.__setattr__(self, "categories", self.categories - {UNKNOWN})

    @property
    def thing(self) -> str:
        """What it is about; without a name for that, itself."""
        return self.about or self.id

    @property
    def moment(self) -> datetime:
        """What a clock counts from, in UTC: the knowledge of an incident, else the event."""
        known = self.known_at if self.event is Event.INCIDENT_KNOWN else None
        return (known or self.at).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the party to the body of a text, and when it was answered, if it was."""

    regime: str
    asked: datetime
    answered: datetime | None = None

    def __post_init__(self) -> None:
        instant(self.asked)
        if self.answered and self.answered < self.asked:
            raise Invalid("answered", f"is before the question, {instant(self.asked)}; correct it")


@dataclass(frozen=True, slots=True)
class Sent:
    """That somebody says an obligation's report was sent; *obligation* is its id."""

    obligation: str
    at: datetime
    to: str = ""
    reference: str = ""
    by: str = ""


class Stage(StrEnum):
    """Where an obligation stands, by what is on record."""

    DUE = "due"
    SENT = "sent"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Obligation:
    """One report owed by *who* under the text *regime* with the SHA-256 *digest*.

    *rule* is the report's id in the text, *cites* a source of it, *number* its place in a series. *due*
    None stands for words without a number, such as "without undue delay". *presumed* says that it is
    listed because a category or a class is still unknown. *keep_until* is the last moment for which the
    text wants it kept, as it stands now.
    """

    id: str
    regime: str
    digest: str
    rule: str
    who: Party
    to: str
    event: Event
    about: str
    engagement: str
    started: datetime
    due: datetime | None
    words: str
    cites: str
    stage: Stage
    number: int = 1
    parts: tuple[str, ...] = ()
    sent: Sent | None = None
    contested: tuple[Contest, ...] = ()
    keep_until: datetime | None = None
    presumed: bool = False

    @property
    def late(self) -> bool:
        """Whether it was sent after it was due."""
        return self.sent is not None and self.due is not None and self.sent.at > self.due


@dataclass(frozen=True, slots=True)
class _Known:
    """What there is to go by at *now*: facts, classes by regime, what was asked, what was sent."""

    facts: tuple[Occurrence, ...]
    classes: Mapping[str, frozenset[str]]
    asked: tuple[Asked, ...]
    sent: Mapping[str, Sent]
    now: datetime

    def first(self, event: Event | None, like: Occurrence) -> Occurrence | None:
        """The earliest fact of this kind about the same thing, as the same party knows it."""
        found = [
            one
            for one in self.facts
            if (one.event, one.thing, one.party) == (event, like.thing, like.party)
        ]
        return min(found, key=lambda one: one.moment, default=None)


@dataclass(frozen=True, slots=True)
class _Clock:
    """One report whose clock a fact started."""

    text: Regime
    report: Report
    fact: Occurrence
    start: datetime
    presumed: bool


def obligations(
    regimes: Iterable[Regime],
    occurrences: Iterable[Occurrence],
    *,
    classes: Mapping[str, frozenset[str]],
    now: datetime,
    requests: Iterable[Asked] = (),
    sent: Iterable[Sent] = (),
) -> tuple[Obligation, ...]:
    """What *regimes* ask for after *occurrences*, as of *now*: those without a due time first, then by it.

    *classes* are the classes of developers, such as ``large``, that the party belongs to under a
    regime's id; where a regime's id is missing, that is unknown. Of a series everything up to now and
    the next one is listed. What lies after *now* is not known yet.

    Raises: Invalid, for a time without offset or beyond the calendar.
    """
    instant(now)
    # The earliest word that a report was sent is the one that stays.
    told = sorted(sent, key=lambda one: (one.at, one.reference, one.by), reverse=True)
    known = _Known(
        tuple(one for one in _merged(occurrences) if one.moment <= now),
        classes,
        tuple(one for one in requests if one.asked <= now),
        {one.obligation: one for one in told if one.at <= now},
        now,
    )
    found = [
        _owed(clock, known, number, due)
        for text in regimes
        for report in text.reports
        for clock in _clocks(text, report, known)
        for number, due in _dues(clock, known)
    ]
    return tuple(sorted(found, key=lambda one: (one.due is not None, one.due or now, one.id)))


def after(start: datetime, span: tuple[int, Unit], times: int = 1) -> datetime:
    """The moment *times* spans after *start*, in UTC.

    Raises: Invalid, for a span below nothing or an end that no calendar has.
    """
    number, unit = span
    if number < 0:
        raise Invalid("span", f"{number} {unit.value} lead back in time; give nothing or more")
    utc = start.astimezone(UTC)
    try:
        if unit in _EXACT:
            return utc + _EXACT[unit] * number * times
        months = utc.month - 1 + number * times * (12 if unit is Unit.YEARS else 1)
        year, month = utc.year + months // 12, months % 12 + 1
        return utc.replace(year=year, month=month, day=min(utc.day, monthrange(year, month)[1]))
    except (OverflowError, ValueError):
        problem = f"{number * times} {unit.value} after it are beyond the calendar"
        raise Invalid(instant(start), f"{problem}; correct the date") from None


def _merged(occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    """One fact for each id, event and party: first knowledge, all categories."""
    found = dict[tuple[str, Event, Party], Occurrence]()
    for one in occurrences:
        key = one.id, one.event, one.party
        other = found.get(key, one)
        first = min(one, other, key=lambda each: (each.moment, each.at, each.thing))
        found[key] = replace(first, categories=one.categories | other.categories)
    return list(found.values())


def _clocks(text: Regime, report: Report, known: _Known) -> Iterator[_Clock]:
    """The clocks of *report* that facts started, where text, category and class fit."""
    classes = known.classes.get(text.id)
    if report.only and classes is not None and report.only not in classes:
        return
    unclassed = bool(report.only) and classes is None
    day = text.in_force.since
    since = datetime.combine(day, time(), UTC) if day else None
    facts = [one for one in known.facts if (one.event, one.party) == (report.event, report.who)]
    if report.event is Event.IN_FORCE and since and since <= known.now:
        facts = [Occurrence(Event.IN_FORCE.value, Event.IN_FORCE, since, party=report.who)]
    for fact in facts:
        start, root = fact.moment, known.first(Event.INCIDENT_KNOWN, fact)
        if report.every and since and fact.event in GOES_ON:
            start = max(start, since)
        if start > known.now or not text.applies(start):
            continue
        if root and not text.applies(root.moment):
            continue
        fits = _fits(report, fact.categories | (root.categories if root else frozenset()))
        if fits is not False:
            yield _Clock(text, report, fact, start, unclassed or fits is None)


def _fits(report: Report, categories: frozenset[str]) -> bool | None:
    """Whether an incident of these categories is one that *report* is about; None while unknown."""
    if not report.categories or categories & set(report.categories):
        return True
    return False if categories - {UNKNOWN} else None


def _dues(clock: _Clock, known: _Known) -> Iterator[tuple[int, datetime | None]]:
    """Numbers and due times: of one report its own, of a series all up to now and the next."""
    report, start = clock.report, clock.start
    first = after(start, report.within) if report.within else None
    if report.every is None:
        yield 1, first and _tolled(clock, first, known)
        return
    if report.every[0] < 1:
        raise Invalid(report.id, "a series needs a span of one or more between two reports")
    end = known.first(report.until, clock.fact)
    number, due = 0, clock.start
    while due <= known.now:
        number += 1
        due = (
            after(first, report.every, number - 1) if first else after(start, report.every, number)
        )
        if (end and due >= end.moment) or not clock.text.applies(due):
            return
        yield number, _tolled(clock, due, known)


def _tolled(clock: _Clock, due: datetime, known: _Known) -> datetime:
    """*due*, later by the time that the body owed an answer, where the text has a cited toll."""
    toll = clock.text.toll
    if toll is None or clock.report.id not in toll.reports:
        return due
    last = clock.start
    waits = [
        (one.asked, min(one.answered or known.now, known.now))
        for one in known.asked
        if one.regime == clock.text.id
    ]
    for asked, answered in sorted(waits):
        begun = max(asked, last)
        if begun < due and begun < answered:
            due, last = due + (answered - begun), answered
    return due


def _owed(clock: _Clock, known: _Known, number: int, due: datetime | None) -> Obligation:
    text, report, fact = clock.text, clock.report, clock.fact
    # Reports under a later text are others than those of the same number under the one before it.
    law = f"{text.id}.{text.digest[:8]}" if text.supersedes else text.id
    id_ = f"{law}/{report.id}/{fact.id}/{number}"
    sent, day = known.sent.get(id_), known.now.astimezone(UTC).date()
    overdue = due is not None and due < known.now
    kept = (sent.at if sent else due) or clock.start
    return Obligation(
        id=id_,
        regime=text.id,
        digest=text.digest,
        rule=report.id,
        who=report.who,
        to=report.to,
        event=report.event,
        about=fact.thing,
        engagement=fact.engagement,
        started=clock.start,
        due=due,
        words=report.words,
        cites=report.cites,
        stage=Stage.SENT if sent else Stage.OVERDUE if overdue else Stage.DUE,
        number=number,
        parts=report.parts,
        sent=sent,
        contested=tuple(
            one
            for one in text.contested
            if (one.since is None or one.since <= day) and (one.until is None or day <= one.until)
        ),
        keep_until=after(kept, (report.keep_years, Unit.YEARS)) if report.keep_years else None,
        presumed=clock.presumed,
    )
