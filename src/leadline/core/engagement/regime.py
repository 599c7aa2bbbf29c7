"""A regime: one law or programme as dated data, read from one file.

A regime says who may do what and when; it has no code. Words taken from the law carry the id of
their source. A statement of a government power over a release, as some reports had it, can be kept
as cited text (`Statement`); no clock, state or rule reads it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from leadline.core.errors import Refused

Party = Literal["developer", "government"]
Confidence = Literal["P", "2+", "1", "?", "B"]  # primary text ... background, not checked


class Status(StrEnum):
    """What standing the text has."""

    IN_FORCE = "in-force"
    NOT_YET_IN_FORCE = "not-yet-in-force"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    NEVER_IN_FORCE = "never-in-force"
    PRIVATE_PROGRAMME = "private-programme"


class Participation(StrEnum):
    """Whether a developer comes of its own will."""

    VOLUNTARY = "voluntary"
    CONTRACT = "contract"
    STATUTE = "statute"
    REPORTED_MANDATORY = "reported-mandatory"  # as reported, never confirmed: text only


@dataclass(frozen=True, slots=True)
class InForce:
    """First and last day in force, days of UTC; an open end is None.

    *words* say what the days alone do not, such as a month whose day no source names.
    """

    since: date | None = None
    until: date | None = None
    words: str = ""
    cites: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The moment that the access window is counted from, and who names it."""

    id: str
    words: str
    set_by: Party
    cites: str


@dataclass(frozen=True, slots=True)
class AccessRule:
    """The ceiling on government access; a day is 24 hours.

    Access opens at most *days_before_anchor_max* before the anchor and lasts at most
    *days_open_max*. Nothing follows when it ends. *days_before_anchor_min* is a floor that a text, or
    a report of one, named: shown and compared; nothing computes with it.
    """

    days_before_anchor_max: int
    days_open_max: int
    words: str
    cites: str
    days_before_anchor_min: int = 0

    def earliest(self, anchor: datetime) -> datetime:
        """Before this, access does not open."""
        return anchor - timedelta(days=self.days_before_anchor_max)

    def latest(self, anchor: datetime) -> datetime | None:
        """The moment that a floor names, where the text, or a report of one, has a floor."""
        floor = self.days_before_anchor_min
        return anchor - timedelta(days=floor) if floor else None

    def lasts_until(self, opened: datetime) -> datetime:
        """Access that opened at *opened* lasts no longer than to this."""
        return opened + timedelta(days=self.days_open_max)


@dataclass(frozen=True, slots=True)
class Body:
    """A body with its part under the regime; *body* is an id of `data/bodies.toml`."""

    role: str
    body: str
    cites: str


@dataclass(frozen=True, slots=True)
class Decider(Body):
    """Who decides. *role* is the id of a role file; *quorum* counts the decider.

    *concurs* are the roles whose concurrence counts towards the quorum; *reconsiders* says that the
    text, or the body's own published practice, offers to look again.
    """

    quorum: int = 1
    concurs: tuple[str, ...] = ()
    reconsiders: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence of the text, in words, with its citation."""

    words: str
    cites: str


class Fact(StrEnum):
    """What is asked of a developer about itself and its model; every answer may be unknown."""

    TRAINING_OPERATIONS = "training-operations"  # integer or floating-point operations, a number
    YEARLY_REVENUE = "yearly-revenue-usd"  # of the developer with its affiliates, a number
    PLACES = "places"  # where the model is or will be offered or used, short words
    OPEN_WEIGHTS = "open-weights"  # yes or no
    STAGE = "stage"  # under-development, with-partners or public
    AGREEMENTS = "agreements"  # what the developer has signed or joined, short words
    DETERMINATION = "determination"  # never asked of a developer: the deciding body alone can say


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one fact; exactly one of *above*, *at_least*, *any_of* and *yes* is set.

    A text covers a model where all conditions without *of* are met. *of* names a narrower class of
    developers, such as ``large``, that some duties are limited to.
    """

    fact: Fact
    words: str
    cites: str
    above: float | None = None
    at_least: float | None = None
    any_of: tuple[str, ...] = ()
    yes: bool | None = None
    of: str = ""


@dataclass(frozen=True, slots=True)
class Duty:
    """What a party takes on, in words; *only* limits it to a class of developers.

    *since* is its first day, where that is later than the text's.
    """

    who: Party
    words: str
    cites: str
    only: str = ""
    since: date | None = None


class Unit(StrEnum):
    """A unit of a clock. A day is 24 hours, a week seven days; months and years go by the calendar."""

    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


class Event(StrEnum):
    """What starts, or ends, the clock of a report. Each is recorded with its own time."""

    IN_FORCE = "in-force"  # the first day on which the text has effect, at 00:00 UTC
    TRAINING_BEGUN = "training-begun"
    INTERNAL_USE_BEGUN = "internal-use-begun"
    DEPLOYED = "deployed"
    INCIDENT_KNOWN = "incident-known"  # somebody of the developer became aware, or had reason to
    INCIDENT_RESOLVED = "incident-resolved"
    FIX_AVAILABLE = "fix-available"


@dataclass(frozen=True, slots=True)
class Report:
    """A report that the text asks of *who*: to whom, about what, within what time of which event.

    *within* None stands for words without a number, such as "without undue delay". *every* repeats it
    until *until*, if that event comes. *categories* narrows an incident (any of them; none: each
    incident); *only* a class of developers. *parts* are what a draft contains. *keep_years* is how long
    it is kept.
    """

    id: str
    who: Party
    event: Event
    to: str  # an id of `data/bodies.toml`; "public" for a publication
    words: str
    cites: str
    within: tuple[int, Unit] | None = None
    every: tuple[int, Unit] | None = None
    until: Event | None = None
    categories: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    only: str = ""
    keep_years: int = 0


class Trigger(StrEnum):
    """What raises the question of a determination again."""

    NEW_WEIGHTS = "new-weights-version"
    NEW_VARIANT = "new-variant"
    EXPIRY = "expiry"
    NEW_TEXT = "new-text"


@dataclass(frozen=True, slots=True)
class AskAgain:
    """A trigger with its words."""

    trigger: Trigger
    words: str
    cites: str


@dataclass(frozen=True, slots=True)
class PackPart:
    """A part of a submission that the text, or its practice, speaks of; *part* as in `submission`."""

    part: str
    words: str
    cites: str


@dataclass(frozen=True, slots=True)
class Toll:
    """A cited rule by which the clocks of *reports* stand still while the body owes an answer.

    It moves due dates of those reports alone, never access and never anything of a release.
    """

    reports: tuple[str, ...]
    words: str
    cites: str


@dataclass(frozen=True, slots=True)
class Contest:
    """A dispute about the text, shown beside everything that follows from it; dates may be open."""

    words: str
    cites: str
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """A dated task of the text: *days* after *starts_at*, falling on *due* where that is fixed."""

    id: str
    starts_at: str
    days: int
    words: str
    cites: str
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim about a power over a release, kept as text with its source. Nothing reads it."""

    kind: str
    words: str
    cites: str


@dataclass(frozen=True, slots=True)
class Source:
    """A text that the regime cites, how it was read, and how sure its reading is."""

    id: str
    citation: str
    url: str
    read: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Regime:
    """One regime file. *digest* is the SHA-256 of its bytes in hex; acts record it."""

    id: str
    title: str
    digest: str
    status: Status
    in_force: InForce
    participation: Participation
    consequences: str
    confidence: Confidence
    last_checked: date
    sources: tuple[Source, ...]
    anchor: Anchor | None = None
    window: AccessRule | None = None
    decides: Decider | None = None
    consults: tuple[Body, ...] = ()
    duties: tuple[Duty, ...] = ()
    clocks: tuple[Term, ...] = ()
    statements: tuple[Statement, ...] = ()
    advises: tuple[Body, ...] = ()
    covers: tuple[Condition, ...] = ()
    recusal: Clause | None = None
    lapse: Clause | None = None
    asks_again: tuple[AskAgain, ...] = ()
    reports: tuple[Report, ...] = ()
    pack: tuple[PackPart, ...] = ()
    toll: Toll | None = None
    contested: tuple[Contest, ...] = ()
    supersedes: str = ""  # digest of the text that this one takes the place of
    consequences_cites: str = ""

    def source(self, id_: str) -> Source:
        """The source with this id; the file's reader has checked that it is there."""
        return next(source for source in self.sources if source.id == id_)

    def applies(self, now: datetime) -> bool:
        """Whether the text has effect at *now*: by its days, of UTC; one never in force has none.

        A text that was superseded or revoked on a day no source names has no effect at all, nor has
        one to come whose first day is open.
        """
        day, days = now.astimezone(UTC).date(), self.in_force
        if self.status is Status.NEVER_IN_FORCE:
            return False
        if self.status in {Status.SUPERSEDED, Status.REVOKED} and days.until is None:
            return False
        if self.status is Status.NOT_YET_IN_FORCE and days.since is None:
            return False
        begun = days.since is None or days.since <= day
        return begun and (days.until is None or day <= days.until)


def require_effect(regime: Regime, now: datetime) -> None:
    """Return if acts may be recorded under *regime*.

    Raises: Refused, if its text has no effect at *now*.
    """
    if not regime.applies(now):
        day = now.astimezone(UTC).date()
        problem = f"{regime.id} has no effect on {day} ({regime.status.value})"
        raise Refused(f"{problem}; choose a regime that has")
