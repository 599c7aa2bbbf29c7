"""Incidents as facts and acts: what can be on record, and what obligations are computed from."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

import make
from core.test_obligation import CRA, SB53
from leadline.core.engagement.incident import (
    Began,
    Incident,
    began,
    began_occurrences,
    categories_of,
    ended,
    knowledge,
    occurrences,
    reported,
    sendings,
)
from leadline.core.engagement.obligation import UNKNOWN, Occurrence
from leadline.core.engagement.regime import Event
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Kind, instant

NOW = make.NOW
HOUR = timedelta(hours=1)
ONE = Incident("incident-1", "d", "e", NOW - 3 * HOUR, "p", "c" * 64, NOW, "p")
KNOWN = make.act(
    1, Kind.INCIDENT_REPORTED, about=ONE.id, party="developer", known=instant(NOW - HOUR),
    categories=("breach",),
)  # fmt: skip
THEIRS = make.act(
    2, Kind.INCIDENT_REPORTED, about=ONE.id, party="government", known=instant(NOW - 2 * HOUR)
)
FIXED = make.act(
    3,
    Kind.INCIDENT_RESOLVED,
    about=ONE.id,
    party="developer",
    event="fix-available",
    at=instant(NOW),
)


def test_the_categories_are_those_that_texts_use_and_unknown() -> None:
    """Nobody invents one."""
    assert categories_of([SB53, CRA]) == {
        UNKNOWN,
        "critical-safety-incident",
        "imminent-harm",
        "exploited-vulnerability",
    }


def test_knowledge_without_a_category_is_of_an_unknown_one() -> None:
    """And the act holds times and words alone."""
    words = frozenset({UNKNOWN, "breach"})
    assert knowledge(ONE.happened, NOW, NOW, (), words) == {
        "known": instant(NOW),
        "categories": (UNKNOWN,),
    }
    said = knowledge(ONE.happened, NOW, NOW, ("breach", UNKNOWN), words)
    assert said["categories"] == ("breach", UNKNOWN)
    with pytest.raises(Invalid, match="known"):
        knowledge(ONE.happened, NOW + HOUR, NOW, (), words)
    with pytest.raises(Invalid, match="category: no text speaks of x; there are breach, unknown"):
        knowledge(ONE.happened, NOW, NOW, ("x",), words)


def test_an_event_in_the_future_is_no_incident() -> None:
    """It is refused before anything else is read."""
    assert reported(ONE, {}, "developer")["happened"] == instant(ONE.happened)
    with pytest.raises(Invalid, match=r"happened: .* in the future"):
        reported(replace(ONE, happened=NOW + HOUR), {}, "developer")


def test_acts_become_occurrences_each_of_the_party_that_told() -> None:
    """Knowledge keeps its time and party; a fix has an id of its own and the same thing."""
    found = occurrences(ONE, [KNOWN, THEIRS, FIXED, make.act(4, Kind.REPORT_SENT)])
    assert [(one.event, one.party, one.moment, one.about) for one in found] == [
        (Event.INCIDENT_KNOWN, "developer", NOW - HOUR, ONE.id),
        (Event.INCIDENT_KNOWN, "government", NOW - 2 * HOUR, ONE.id),
        (Event.FIX_AVAILABLE, "developer", NOW, ONE.id),
    ]
    assert [one.categories for one in found[:2]] == [{"breach"}, frozenset()]
    model = Began("began-1", "d", Event.DEPLOYED, "m", NOW)
    (one,) = began_occurrences([model])
    assert (one.id, one.event, one.about, one.at) == ("began-1", Event.DEPLOYED, "m", NOW)


def test_an_end_is_refused_where_it_cannot_be() -> None:
    """Another event, the future, before anybody knew, or twice."""
    acts = [KNOWN, THEIRS, FIXED]
    assert ended(acts, Event.INCIDENT_RESOLVED, NOW, NOW)["event"] == "incident-resolved"
    for event, at, problem in (
        (Event.DEPLOYED, NOW, "event: choose one of incident-resolved, fix-available"),
        (Event.INCIDENT_RESOLVED, NOW + HOUR, "at: .* in the future"),
        (Event.INCIDENT_RESOLVED, NOW - 5 * HOUR, "at: .* before anybody knew"),
    ):
        with pytest.raises(Invalid, match=problem):
            ended(acts, event, at, NOW)
    with pytest.raises(Refused, match="fix-available is on record"):
        ended(acts, Event.FIX_AVAILABLE, NOW, NOW)


def test_what_begins_is_one_of_three_events_and_has_begun() -> None:
    """Nothing is put on record ahead of its time."""
    began(Event.TRAINING_BEGUN, NOW, NOW)
    with pytest.raises(Invalid, match="event: choose one of training-begun"):
        began(Event.IN_FORCE, NOW, NOW)
    with pytest.raises(Invalid, match=r"at: .* in the future"):
        began(Event.DEPLOYED, NOW + HOUR, NOW)


def test_a_year_that_cannot_be_meant_is_refused_everywhere() -> None:
    """The first year of the calendar in a zone east of it has no moment in UTC."""
    odd = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))
    words = frozenset({UNKNOWN})
    for attempt in (
        lambda: knowledge(odd, NOW, NOW, (), words),
        lambda: knowledge(odd, odd, NOW, (), words),
        lambda: reported(replace(ONE, happened=odd), {}, "developer"),
        lambda: ended([KNOWN], Event.INCIDENT_RESOLVED, odd, NOW),
        lambda: began(Event.DEPLOYED, odd, NOW),
        lambda: Occurrence("x", Event.DEPLOYED, odd),
    ):
        with pytest.raises(Invalid, match="the year 1 is not from 2000 to 2999"):
            attempt()


def test_only_acts_that_say_so_are_sendings() -> None:
    """With who said it."""
    said = make.act(
        1, Kind.REPORT_SENT, obligation="o", at=instant(NOW), to="A body", reference="no. 1"
    )
    (one,) = sendings([said, KNOWN])
    assert (one.obligation, one.at, one.to, one.reference, one.by) == (
        "o",
        NOW,
        "A body",
        "no. 1",
        "person-0001",
    )
