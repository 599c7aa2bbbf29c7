"""A regime: one law or programme as dated data, read from one file.

A regime says who may do what and when; it has no code. Words taken from the law carry the id of
their source. A statement of a government power over a release, as some reports had it, can be kept
as cited text (`Statement`); no clock, state or rule reads it.
"""

from dataclasses import dataclass
from datetime import date, datetime
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
    """First and last day in force; an open end is None."""

    since: date | None = None
    until: date | None = None


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
    *days_open_max*. Nothing follows when it ends.
    """

    days_before_anchor_max: int
    days_open_max: int
    words: str
    cites: str


@dataclass(frozen=True, slots=True)
class Body:
    """A body with the role it has under the regime; *role* is the id of a role file."""

    role: str
    body: str
    cites: str


@dataclass(frozen=True, slots=True)
class Duty:
    """What a party takes on, in words."""

    who: Party
    words: str
    cites: str


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
    decides: Body | None = None
    consults: tuple[Body, ...] = ()
    duties: tuple[Duty, ...] = ()
    clocks: tuple[Term, ...] = ()
    statements: tuple[Statement, ...] = ()

    def source(self, id_: str) -> Source:
        """The source with this id; the file's reader has checked that it is there."""
        return next(source for source in self.sources if source.id == id_)

    def applies(self, now: datetime) -> bool:
        """Whether the text has effect at *now*, by its status and its days."""
        day, days = now.date(), self.in_force
        current = self.status in {Status.IN_FORCE, Status.PRIVATE_PROGRAMME}
        begun = days.since is None or days.since <= day
        return current and begun and (days.until is None or day <= days.until)


def require_effect(regime: Regime, now: datetime) -> None:
    """Return if acts may be recorded under *regime*.

    Raises: Refused, if its text has no effect at *now*.
    """
    if not regime.applies(now):
        problem = f"{regime.id} has no effect on {now.date()} ({regime.status.value})"
        raise Refused(f"{problem}; choose a regime that has")
