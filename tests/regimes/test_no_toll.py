"""Nothing pauses the order's clock: what is asked and not answered moves no date of any text.

A toll exists only where a file cites one. No shipped file does, and `us-eo-14409` least of all: here
its own dates are compared with and without every request that nobody answered.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk_world import DeskWorld
from leadline.app import engagement as desk
from leadline.app import exchange
from leadline.core.engagement.clock import window
from leadline.core.engagement.obligation import Asked, Occurrence, obligations
from leadline.core.engagement.regime import Event, Regime, Report, Toll, Unit
from leadline.core.record.act import Act, Kind, Value, instant
from leadline.wiring.regimes import library

HELD = library()
ORDER = HELD.newest("us-eo-14409")
START = datetime(2026, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASKS = (Kind.INFORMATION_ASKED, Kind.MESSAGE_SENT, Kind.RECONSIDERATION_ASKED)
CATEGORIES = frozenset(
    word for text in HELD.texts for report in text.reports for word in report.categories
)


def act(kind: Kind, hour: int, party: str = "developer", **detail: Value) -> Act:
    """An act of one party, some hours after the start."""
    return Act(
        f"{kind}-{hour}-{party}",
        kind,
        START + hour * HOUR,
        party,
        "e",
        "e",
        {"party": party, **detail},
    )


def story(anchor: int, opened: int) -> list[Act]:
    """From an anchor to open access, under terms of both parties."""
    expires = instant(START + 2000 * HOUR)
    return [
        act(Kind.ANCHOR_SET, 0, anchor=instant(START + anchor * HOUR), zone="UTC"),
        act(Kind.TERMS_AGREED, 1, terms="t", expires=expires),
        act(Kind.TERMS_AGREED, 2, "government", terms="t", expires=expires),
        act(Kind.ACCESS_OPENED, opened, regime=ORDER.digest),
    ]


asked = st.lists(st.tuples(st.sampled_from(ASKS), st.integers(0, 1000)), max_size=8)


@given(st.integers(100, 900), st.integers(3, 90), asked)
def test_an_unanswered_request_moves_no_date(
    anchor: int, opened: int, requests: list[tuple[Kind, int]]
) -> None:
    """However many were asked, and whenever: the window is the one without them, to the second."""
    acts = story(anchor, opened)
    more = [act(kind, hour, "government", question="q") for kind, hour in requests]
    together = sorted([*acts, *more], key=lambda one: one.at)
    assert window(ORDER, together) == window(ORDER, acts)


@given(st.lists(st.integers(0, 2000), max_size=4), st.integers(0, 3000))
def test_an_unanswered_request_moves_no_report_of_a_shipped_text(
    hours: list[int], now: int
) -> None:
    """Every clock of every file: equal with and without a request to its body."""
    at = datetime(2027, 1, 1, tzinfo=UTC)
    facts = [Occurrence("i", Event.INCIDENT_KNOWN, at, categories=CATEGORIES)]
    requests = [Asked(text.id, at + hour * HOUR) for text in HELD.texts for hour in hours]
    classes = {"ca-sb53": frozenset({"large"}), "eu-ai-act-gpai": frozenset({"signatory"})}
    later = at + now * HOUR
    plain = obligations(HELD.texts, facts, classes=classes, now=later)
    assert obligations(HELD.texts, facts, classes=classes, now=later, requests=requests) == plain
    assert len(plain) > 10


def test_a_text_with_a_cited_toll_moves_its_own_report_alone() -> None:
    """The same request under an invented text that has one: one report later, the other not."""
    reports = tuple(
        Report(id_, "developer", Event.INCIDENT_KNOWN, "public", "w", "s", (10, Unit.DAYS))
        for id_ in ("tolled", "other")
    )
    text: Regime = replace(ORDER, id="x", reports=reports, toll=Toll(("tolled",), "w", "s"))
    facts = [Occurrence("i", Event.INCIDENT_KNOWN, START)]
    due = {
        one.rule: one.due
        for one in obligations(
            [text],
            facts,
            classes={},
            now=START + 96 * HOUR,
            requests=[Asked("x", START + 24 * HOUR, START + 72 * HOUR)],
        )
    }
    assert due == {"tolled": START + 288 * HOUR, "other": START + 240 * HOUR}


@pytest.mark.parametrize("answered", [False, True])
def test_at_the_desk_a_question_is_counted_and_nothing_else(answered: bool) -> None:  # noqa: FBT001 -- a row of the table
    """Two installations, one with a question: the same window, before and after the answer."""
    worlds = DeskWorld(), DeskWorld()
    for world in worlds:
        world.open_access()
    world = worlds[1]
    exchange.ask(world.at("official"), world.on, "How is it trained?")
    if answered:
        (question,) = world.acts(Kind.INFORMATION_ASKED)
        exchange.answer(world.at("developer"), world.on, question.id, "On text.")
    found = [desk.standing(one.at("developer"), one.on).window for one in worlds]
    assert found[0] == found[1]
    assert found[0].ends is not None
