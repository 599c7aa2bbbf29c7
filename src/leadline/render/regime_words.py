"""What a regime file says, sentence by sentence, each with the clause that it rests on.

A sentence about the file as a whole, such as its status, cites the key that says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from leadline.core.engagement.coverage import plain
from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import (
    Condition,
    Confidence,
    Event,
    Participation,
    Regime,
    Report,
    Status,
    Unit,
)

CONFIDENCE: dict[Confidence, str] = {
    "P": "primary text, or a public register that quotes it",
    "2+": "two independent secondary sources agree",
    "1": "one source",
    "?": "sources conflict, or inferred",
    "B": "background, not checked",
}
STATUS = {
    Status.IN_FORCE: "in force",
    Status.NOT_YET_IN_FORCE: "not yet in force",
    Status.SUPERSEDED: "superseded: another text has taken its place",
    Status.REVOKED: "revoked",
    Status.NEVER_IN_FORCE: "never in force",
    Status.PRIVATE_PROGRAMME: "a private programme, not a law",
}
TAKING_PART = {
    Participation.VOLUNTARY: "voluntary",
    Participation.CONTRACT: "by contract",
    Participation.STATUTE: "by statute",
    Participation.REPORTED_MANDATORY: "mandatory as reported, never confirmed",
}
EVENT = {
    Event.IN_FORCE: "the first day on which the text has effect",
    Event.TRAINING_BEGUN: "the start of training",
    Event.INTERNAL_USE_BEGUN: "the start of internal use",
    Event.DEPLOYED: "deployment",
    Event.INCIDENT_KNOWN: "knowledge of the incident",
    Event.INCIDENT_RESOLVED: "the end of the incident",
    Event.FIX_AVAILABLE: "a fix being available",
}
_LEADS = "Has a lead in building the process, and does not decide"
STALE_DAYS = 90
PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence with what it cites."""

    words: str
    cites: str

    def line(self) -> str:
        """The sentence with its citation behind it."""
        return f"{self.words} [{self.cites}]"


@dataclass(frozen=True, slots=True)
class TextOn:
    """A regime as it is read on *day*, with the names that its bodies have then."""

    regime: Regime
    library: Library
    day: date

    def from_source(self, words: str, cites: str) -> Said:
        """A sentence that rests on one of the file's sources."""
        return Said(_ended(words), self.regime.source(cites).citation)

    def from_file(self, words: str, key: str) -> Said:
        """A sentence that rests on a key of the file itself."""
        return Said(_ended(words), f"regime file, {key}")

    def body(self, id_: str) -> str:
        """A body's name on the day; ``public`` is everybody."""
        return "the public" if id_ == PUBLIC else self.library.body(id_, self.day)

    def standing(self) -> Said:
        """Status and participation."""
        regime = self.regime
        words = f"Its status: {STATUS[regime.status]}; taking part is {TAKING_PART[regime.participation]}"
        return self.from_file(words, "status and participation")

    def in_force(self) -> Said:
        """The days on which the text has effect."""
        days_, told = self.regime.in_force, days_of(self.regime)
        words = f"{told}. {days_.words}" if days_.words else told
        return self.from_source(words, days_.cites)

    def consequences(self) -> Said:
        """What follows for a developer, as the file says it."""
        words = f"What follows for a developer: {self.regime.consequences}"
        return self.from_source(words, self.regime.consequences_cites)

    def covers(self) -> Iterator[Said]:
        """Whom the text speaks to."""
        for one in self.regime.covers:
            of = f"A developer counts as “{one.of}” where: " if one.of else ""
            yield self.from_source(f"{of}{one.words.rstrip('.')} ({limit_of(one)})", one.cites)
        if not self.regime.covers:
            yield self.from_file("It names no condition of its own", "covers")

    def anchor(self) -> Iterator[Said]:
        """The moment that access is counted from, and who names it."""
        if self.regime.anchor:
            who = f"Only the {self.regime.anchor.set_by} names that time, and moves it"
            yield self.from_source(self.regime.anchor.words, self.regime.anchor.cites)
            yield self.from_file(who, "[anchor] set_by")

    def window(self) -> Iterator[Said]:
        """The floor and ceiling on access."""
        if rule := self.regime.window:
            yield self.from_source(rule.words, rule.cites)
            most = f"Access opens at most {days(rule.days_before_anchor_max)} before that time"
            most += f" and stays open for {days(rule.days_open_max)} at most"
            yield self.from_source(f"{most}; a day is 24 hours", rule.cites)
            if rule.days_before_anchor_min:
                least = f"At least {days(rule.days_before_anchor_min)} before it were named too"
                yield self.from_source(f"{least}; nothing is computed with them", rule.cites)

    def duties(self, who: str) -> Iterator[Said]:
        """What a party takes on, other than reports."""
        for one in self.regime.duties:
            if one.who == who:
                only = f"Only a “{one.only}” developer: " if one.only else ""
                since = f"From {day_of(one.since)}: " if one.since else ""
                yield self.from_source(f"{since}{only}{one.words}", one.cites)

    def reports(self, who: str) -> Iterator[Said]:
        """The reports of one party, with their clocks."""
        for one in self.regime.reports:
            if one.who == who:
                yield self.from_source(self._report(one), one.cites)

    def _report(self, one: Report) -> str:
        told = [f"{one.words.rstrip('.')}: to {self.body(one.to)}, {clock_of(one)}"]
        if one.categories:
            told.append(f"where it is {' or '.join(map(_spaced, one.categories))}")
        if one.only:
            told.append(f"only a “{one.only}” developer")
        if one.parts:
            told.append(f"with {', '.join(map(_spaced, one.parts))}")
        if one.keep_years:
            told.append(f"kept for {one.keep_years} years")
        return "; ".join(told)

    def people(self) -> Iterator[Said]:
        """Who decides, and who is only heard."""
        regime = self.regime
        if one := regime.decides:
            more = f"; {one.quorum} officials together" if one.quorum > 1 else ""
            more += (
                f", with {' or '.join(map(_spaced, one.concurs))} concurring" if one.concurs else ""
            )
            words = f"Decides: {self.body(one.body)} ({_spaced(one.role)}){more}"
            yield self.from_source(words, one.cites)
            if one.reconsiders:
                yield self.from_source("The deciding body offers to look again", one.cites)
        else:
            yield self.from_file(
                "Nobody is named who decides anything about a model", "no [decides]"
            )
        for body in regime.consults:
            part = _LEADS if body.role == "lead" else "Is consulted, and does not decide"
            yield self.from_source(f"{part}: {self.body(body.body)}", body.cites)
        for body in regime.advises:
            part = body.role[:1].upper() + body.role[1:]
            yield self.from_source(f"{part}: {self.body(body.body)}", body.cites)
        if regime.recusal:
            yield self.from_source(regime.recusal.words, regime.recusal.cites)

    def silence(self) -> Iterator[Said]:
        """What follows when nobody says anything."""
        regime = self.regime
        if regime.lapse:
            yield self.from_source(regime.lapse.words, regime.lapse.cites)
        else:
            yield self.from_file("Silence has no effect: the file gives it none", "no [lapse]")
        if regime.toll:
            names = ", ".join(regime.toll.reports)
            words = f"{regime.toll.words.rstrip('.')}; that moves the due times of {names} and nothing else"
            yield self.from_source(words, regime.toll.cites)
        else:
            words = "An unanswered question moves no date: the file lets no clock stand still"
            yield self.from_file(words, "no [toll]")

    def reported(self) -> Iterator[Said]:
        """Claims that the file keeps as text."""
        for one in self.regime.statements:
            yield self.from_source(f"As reported, and read by no rule: {one.words}", one.cites)

    def contested(self) -> Iterator[Said]:
        """Disputes about the text."""
        for one in self.regime.contested:
            since = f" since {day_of(one.since)}" if one.since else ""
            until = f" until {day_of(one.until)}" if one.until else ""
            yield self.from_source(f"Contested{since}{until}: {one.words}", one.cites)

    def again(self) -> Iterator[Said]:
        """What raises the question of coverage anew."""
        for one in self.regime.asks_again:
            yield self.from_source(one.words, one.cites)

    def pack(self) -> Iterator[Said]:
        """What a submission consists of."""
        for one in self.regime.pack:
            yield self.from_source(f"{_spaced(one.part).capitalize()}: {one.words}", one.cites)

    def terms(self) -> Iterator[Said]:
        """The text's own dated tasks."""
        for one in self.regime.clocks:
            due = f", {day_of(one.due)}" if one.due else ""
            words = f"{one.words.rstrip('.')}: {days(one.days)} from {one.starts_at}{due}"
            yield self.from_source(words, one.cites)


def clock_of(one: Report) -> str:
    """Within what time of which event a report is due, and how often again."""
    event = EVENT[one.event]
    told = (
        f"within {span(one.within)} of {event}" if one.within else f"from {event}, no number stated"
    )
    if one.every:
        told = f"{told if one.within else f'from {event}'}, every {span(one.every)}"
    return f"{told}, until {EVENT[one.until]}" if one.until else told


def span(length: tuple[int, Unit]) -> str:
    """A length of time in words: ``15 days``, ``24 hours``."""
    count, unit = length
    return f"{count} {unit.value[:-1] if count == 1 else unit.value}"


def days(count: int) -> str:
    """A count of days in words."""
    return span((count, Unit.DAYS))


def day_of(day: date) -> str:
    """``2 June 2026``, whatever the machine's language is."""
    months = "January February March April May June July August September October November December"
    return f"{day.day} {months.split()[day.month - 1]} {day.year}"


def days_of(regime: Regime) -> str:
    """When a text has effect, in words."""
    since, until = regime.in_force.since, regime.in_force.until
    if regime.status is Status.NEVER_IN_FORCE:
        return "It was never in force"
    begin = f"from {day_of(since)}" if since else "with no first day stated"
    return f"It has effect {begin}{f' until {day_of(until)}' if until else ', with no end stated'}"


def is_stale(regime: Regime, day: date) -> bool:
    """Whether the sources were last read more than `STALE_DAYS` before *day*."""
    return (day - regime.last_checked).days > STALE_DAYS


def limit_of(one: Condition) -> str:
    """The fact that a condition asks for, with the number or words it compares with."""
    if one.above is not None:
        limit = f"above {plain(one.above)}"
    elif one.at_least is not None:
        limit = f"at least {plain(one.at_least)}"
    elif one.any_of:
        limit = " or ".join(map(_spaced, one.any_of))
    else:
        limit = "yes" if one.yes else "no"
    return f"{_spaced(one.fact.value)}: {limit}"


def _spaced(name: str) -> str:
    return name.replace("-", " ")


def _ended(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words}."
