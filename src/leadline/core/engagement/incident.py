"""Incidents and other events that texts count from: who knew when, of what kind, and how it ended.

An incident is a row of fixed facts; who knew when, what kind it was found to be, and its resolution are
acts, so that every clock can be computed again. What happened in words is content for the vault; an act
holds its digest. Nothing here ranks incidents, and none is ever closed: a resolution is a fact with a
time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from leadline.core.engagement.clock import time_in
from leadline.core.engagement.engagement import sound
from leadline.core.engagement.obligation import UNKNOWN, Occurrence, Sent
from leadline.core.engagement.regime import Event, Party, Regime
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind, Value, instant

ENDS: Final = (Event.INCIDENT_RESOLVED, Event.FIX_AVAILABLE)
BEGINS: Final = (Event.TRAINING_BEGUN, Event.INTERNAL_USE_BEGUN, Event.DEPLOYED)


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened, as the organisation *org* (a developer) has it on record.

    *notifies* is the person who owns telling third parties, named from the first moment. *content* is
    the digest of what happened in words. *engagement* is empty for what belongs to none.
    """

    id: str
    org: str
    engagement: str
    happened: datetime
    notifies: str
    content: str
    reported_at: datetime
    reported_by: str


@dataclass(frozen=True, slots=True)
class Began:
    """That something of *org* began, such as the internal use of the model *about*."""

    id: str
    org: str
    event: Event
    about: str
    at: datetime


def categories_of(texts: Iterable[Regime]) -> frozenset[str]:
    """Every word that a report of *texts* uses to say which incidents it is about, and `UNKNOWN`."""
    words = {word for text in texts for report in text.reports for word in report.categories}
    return frozenset({UNKNOWN, *words})


def reported(incident: Incident, knowledge: dict[str, Value], party: Party) -> dict[str, Value]:
    """The detail of the act that puts *incident* on record, with its first *knowledge*.

    Raises: Invalid, for an event in the future of its own report.
    """
    sound("happened", incident.happened)
    if incident.happened > incident.reported_at:
        raise Invalid("happened", f"{instant(incident.happened)} is in the future; correct it")
    return {
        **knowledge,
        "party": party,
        "happened": instant(incident.happened),
        "notifies": incident.notifies,
    }


def knowledge(
    happened: datetime,
    known: datetime,
    now: datetime,
    categories: Iterable[str],
    words: frozenset[str],
) -> dict[str, Value]:
    """What somebody knew of an incident and from when; *words* are the categories there are.

    Raises: Invalid, for knowledge before the event or in the future, or a category that no text has.
    """
    sound("happened", happened)
    sound("known", known)
    Occurrence("incident", Event.INCIDENT_KNOWN, happened, known)
    if known > now:
        raise Invalid("known", f"{instant(known)} is in the future; say when it was known")
    said = frozenset(categories) or frozenset({UNKNOWN})
    if not said <= words:
        strange, there = ", ".join(sorted(said - words)), ", ".join(sorted(words))
        raise Invalid("category", f"no text speaks of {strange}; there are {there}")
    return {"known": instant(known), "categories": tuple(sorted(said))}


def ended(acts: Sequence[Act], event: Event, at: datetime, now: datetime) -> dict[str, Value]:
    """The detail of the act that ends an incident, or says that a fix is there.

    Raises: Invalid, for another event, a time before anybody knew, or in the future; Refused, if it is
    on record already.
    """
    if event not in ENDS:
        raise Invalid("event", f"choose one of {', '.join(ENDS)}")
    sound("at", at)
    if at > now:
        raise Invalid("at", f"{instant(at)} is in the future; say when it happened")
    first = min(time_in(act, "known") for act in acts if act.kind is Kind.INCIDENT_REPORTED)
    if at < first:
        raise Invalid("at", f"{instant(at)} is before anybody knew, {instant(first)}; correct it")
    for act in acts:
        if act.kind is Kind.INCIDENT_RESOLVED and act.detail.get("event") == event.value:
            known = f"{event.value} is on record for {act.detail.get('at')}"
            raise Refused(f"{known}; report a further incident if it came back")
    return {"event": event.value, "at": instant(at)}


def began(event: Event, at: datetime, now: datetime) -> None:
    """Return if this can be put on record.

    Raises: Invalid, for another event, or one in the future.
    """
    if event not in BEGINS:
        raise Invalid("event", f"choose one of {', '.join(BEGINS)}")
    sound("at", at)
    if at > now:
        raise Invalid("at", f"{instant(at)} is in the future; record it when it has happened")


def occurrences(incident: Incident, acts: Iterable[Act]) -> tuple[Occurrence, ...]:
    """What obligations are computed from: each knowledge, and each end, of one incident."""
    found = list[Occurrence]()
    for act in acts:
        party: Party = "developer" if act.detail.get("party") == "developer" else "government"
        said = act.detail.get("categories")
        words = frozenset(map(str, said)) if isinstance(said, tuple | list) else frozenset()
        if act.kind is Kind.INCIDENT_REPORTED:
            happened, known = incident.happened, time_in(act, "known")
            one = Occurrence(incident.id, Event.INCIDENT_KNOWN, happened, known, words)
        elif act.kind is Kind.INCIDENT_RESOLVED:
            event = Event(str(act.detail.get("event")))
            one = Occurrence(f"{incident.id}-{event.value}", event, time_in(act, "at"))
        else:
            continue
        found.append(replace(one, engagement=incident.engagement, about=incident.id, party=party))
    return tuple(found)


def began_occurrences(found: Iterable[Began]) -> tuple[Occurrence, ...]:
    """The same for what began."""
    return tuple(Occurrence(one.id, one.event, one.at, about=one.about) for one in found)


def sendings(acts: Iterable[Act]) -> tuple[Sent, ...]:
    """What people say they sent, from their acts."""
    return tuple(
        Sent(
            str(act.detail.get("obligation")),
            time_in(act, "at"),
            str(act.detail.get("to")),
            str(act.detail.get("reference")),
            act.actor,
        )
        for act in acts
        if act.kind is Kind.REPORT_SENT
    )
