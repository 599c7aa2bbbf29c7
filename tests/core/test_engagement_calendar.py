"""The calendar: which dates an engagement, duties, grants and the register give, and to whom."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from desk_world import DeskWorld
from leadline.core.engagement.calendar import (
    Dated,
    What,
    dates,
    of_party,
    of_person,
    partner_ends,
    reading_ends,
)
from leadline.core.engagement.engagement import Engagement, Standing
from leadline.core.engagement.obligation import Obligation, Sent, Stage
from leadline.core.engagement.regime import Event
from leadline.core.engagement.register import Entry
from leadline.core.grant import Grant, Scope
from leadline.core.record.act import Act, Kind, Value, instant

NOW = make.NOW
DAY = timedelta(days=1)
REGIME = DeskWorld().on.regime
FACTS = Engagement(
    make.ENGAGEMENT, REGIME.id, REGIME.digest, make.DEVELOPER, "m", "d" * 64, NOW - DAY
)


def act(number: int, kind: Kind, **detail: Value) -> Act:
    """The *number*-th act, a minute after the one before."""
    made = make.act(number, kind)
    return replace(made, at=NOW + timedelta(minutes=number), detail=detail)


def anchor(number: int, at: datetime) -> Act:
    """The developer's own date."""
    return act(
        number, Kind.ANCHOR_SET, party="developer", anchor=instant(at), zone="UTC", under=REGIME.id
    )


def terms(number: int, party: str, at: datetime) -> Act:
    """Terms that end."""
    until = instant(at)
    return act(number, Kind.TERMS_AGREED, party=party, terms="t" * 64, expires=until, until=until)


def shown(*acts: Act, now: datetime = NOW) -> dict[What, Dated]:
    """The dates of the engagement after these acts."""
    return {one.what: one for one in dates(now, [Standing(FACTS, REGIME, acts)])}


def test_before_access_opens_the_anchor_and_the_earliest_opening_are_shown() -> None:
    """Each with its reason; an anchor that moves keeps its id, and the moves are counted."""
    first = shown(anchor(1, NOW + 40 * DAY))
    assert first[What.ANCHOR].at == NOW + 40 * DAY
    assert first[What.ACCESS_NOT_BEFORE].at == NOW + 10 * DAY
    second = shown(anchor(1, NOW + 40 * DAY), anchor(2, NOW + 50 * DAY))
    assert second[What.ANCHOR].id == first[What.ANCHOR].id
    assert (first[What.ANCHOR].moved, second[What.ANCHOR].moved) == (0, 1)
    assert shown() == {}


def open_acts() -> tuple[Act, ...]:
    """Access opened under terms of sixty days, twenty before the anchor."""
    return (
        anchor(1, NOW + 20 * DAY),
        terms(2, "developer", NOW + 60 * DAY),
        terms(3, "government", NOW + 60 * DAY),
        act(4, Kind.ACCESS_OPENED, party="developer", regime=REGIME.digest, under=REGIME.id),
    )


def test_open_access_shows_when_it_ends_and_why() -> None:
    """At the anchor here; the terms end later, once."""
    found = shown(*open_acts())
    assert found[What.ACCESS_ENDS].at == NOW + 20 * DAY
    assert "planned partner release" in found[What.ACCESS_ENDS].why
    assert found[What.TERMS_END].at == NOW + 60 * DAY
    assert What.ACCESS_NOT_BEFORE not in found
    assert not any(one.due or one.stands_out for one in found.values())


def test_after_a_withdrawal_only_what_outlives_it_is_shown() -> None:
    """The end of access as it was, and the determination; no anchor, no terms."""
    until = instant(NOW + 90 * DAY)
    acts = (
        *open_acts(),
        act(5, Kind.DETERMINATION_RECORDED, until=until),
        act(6, Kind.ENGAGEMENT_WITHDRAWN, party="developer"),
    )
    found = shown(*acts)
    assert set(found) == {What.ACCESS_ENDS, What.DETERMINATION_ENDS}
    assert found[What.ACCESS_ENDS].at == acts[-1].at
    assert found[What.ACCESS_ENDS].why == "the developer withdrew"
    unopened = shown(
        anchor(1, NOW + 40 * DAY), act(2, Kind.ENGAGEMENT_WITHDRAWN, party="developer")
    )
    assert unopened == {}


def test_an_end_that_an_act_sets_is_moved_or_taken_away_by_later_ones() -> None:
    """A partner's end is renewed, then gone; a result is one person's; other ends are listed as such."""
    first, later = (instant(NOW + days * DAY) for days in (10, 20))
    proposed = act(1, Kind.PARTNER_PROPOSED, partner="a-utility", until=first)
    agreed = act(2, Kind.PARTNER_AGREED, partner="a-utility", until=later)
    again = act(3, Kind.PARTNER_AGREED, partner="a-utility", until=later)
    one = shown(proposed, agreed, again)[What.PARTNER_ENDS]
    assert (one.at, one.moved) == (NOW + 20 * DAY, 1)
    assert one.words.endswith(": a-utility")
    ended = act(4, Kind.PARTNER_ENDED, partner="a-utility")
    assert shown(proposed, agreed, ended) == {}
    result = replace(act(1, Kind.RESULT_SENT, to="official", until=first), about="result-1")
    recalled = replace(act(3, Kind.RESULT_RECALLED, to="official"), about="result-1")
    mine = shown(result)[What.RESULT_ENDS]
    assert mine.person == "official"
    assert mine.id == reading_ends("result-1", make.ENGAGEMENT, mine.at, "official").id
    assert shown(result, recalled) == {}
    assert partner_ends("a-utility", make.ENGAGEMENT, one.at).id == one.id
    for kind in (Kind.GRANT_GIVEN, Kind.RESULT_READ, Kind.USE_RECORDED):
        assert shown(act(1, kind, until=first)) == {}
    other = shown(act(1, Kind.EXPORT_MADE, until=first))[What.OTHER_ENDS]
    assert other.why.startswith("export.made of ")


def partner_rests(number: int, since: datetime, until: datetime | None = None) -> Act:
    """A partner's use rests for an interval, or ends."""
    told = {"since": instant(since)} | ({"until": instant(until)} if until else {})
    return act(number, Kind.PARTNER_ENDED, partner="a-utility", **told)


def test_a_rest_of_a_partner_leaves_the_end_of_its_access_where_it_is() -> None:
    """The rest has an end of its own, with the partner's name; a later rest moves nothing either."""
    agreed = act(1, Kind.PARTNER_AGREED, partner="a-utility", until=instant(NOW + 20 * DAY))
    found = shown(agreed, partner_rests(2, NOW, NOW + 10 * DAY))
    assert found[What.PARTNER_ENDS].at == NOW + 20 * DAY
    assert found[What.PARTNER_ENDS].moved == 0
    rest = found[What.PARTNER_REST_ENDS]
    assert rest.at == NOW + 10 * DAY
    assert rest.words == "A trusted partner's use goes on after a rest: a-utility"


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (timedelta(0), {}),
        (5 * DAY, {What.PARTNER_ENDS: 5 * DAY}),
        (10 * DAY, {What.PARTNER_ENDS: 10 * DAY, What.PARTNER_REST_ENDS: 10 * DAY}),
        (15 * DAY, {What.PARTNER_ENDS: 15 * DAY, What.PARTNER_REST_ENDS: 10 * DAY}),
        (20 * DAY, {What.PARTNER_ENDS: 20 * DAY, What.PARTNER_REST_ENDS: 10 * DAY}),
        (30 * DAY, {What.PARTNER_ENDS: 20 * DAY, What.PARTNER_REST_ENDS: 10 * DAY}),
    ],
)
def test_an_end_for_good_counts_from_its_own_date(
    ends: timedelta, expected: dict[What, timedelta]
) -> None:
    """At once, or later; a rest that it cuts short goes on to nothing."""
    agreed = act(1, Kind.PARTNER_AGREED, partner="a-utility", until=instant(NOW + 20 * DAY))
    found = shown(agreed, partner_rests(2, NOW, NOW + 10 * DAY), partner_rests(3, NOW + ends))
    assert {what: one.at - NOW for what, one in found.items()} == expected


def obligation(due: datetime | None, stage: Stage = Stage.DUE) -> Obligation:
    """A report that the developer owes."""
    return Obligation(
        "l/r/i/1",
        "l",
        "d" * 64,
        "r",
        "developer",
        "a-body",
        Event.INCIDENT_KNOWN,
        "i",
        make.ENGAGEMENT,
        NOW,
        due,
        "w",
        "c",
        stage,
        sent=Sent("l/r/i/1", NOW) if stage is Stage.SENT else None,
    )


@pytest.mark.parametrize(
    ("one", "at", "due", "stands_out", "words"),
    [
        (obligation(NOW + DAY), NOW + DAY, True, False, ": due"),
        (obligation(NOW - DAY, Stage.OVERDUE), NOW - DAY, True, True, "overdue: not on record"),
        (obligation(NOW - DAY, Stage.SENT), NOW - DAY, False, False, ": sent"),
        (obligation(None), NOW, True, False, "without undue delay"),
    ],
)
def test_a_report_is_due_until_it_is_on_record_as_sent(
    one: Obligation, at: datetime, words: str, *, due: bool, stands_out: bool
) -> None:
    """One without a number is owed from its start on."""
    (found,) = dates(NOW, (), [one])
    assert (found.at, found.due, found.stands_out) == (at, due, stands_out)
    assert words in found.words
    assert found.party == "developer"


def test_entries_of_the_register_and_grants_have_their_days() -> None:
    """Overdue from the day after; done ones are not due; others' are shown and nothing to do."""
    today = NOW.date()
    late = Entry("late", "task", "Late", date(2027, 1, 1), due=today - DAY)
    now = Entry("now", "task", "Now", date(2027, 1, 1), due=today, until=today + DAY)
    done = Entry("done", "task", "Done", date(2027, 1, 1), due=today - DAY, done=today - DAY)
    ends = Entry("ends", "waiver", "Ends", date(2027, 1, 1), until=today)
    assert [one.what for one in dates(NOW, (), (), [ends])] == [What.ENTRY_ENDS]
    found = {one.id: one for one in dates(NOW, (), (), [late, now, done])}
    marks = {id_: (one.due, one.stands_out) for id_, one in found.items()}
    assert marks == {
        "entry//late/entry-due": (True, True),
        "entry//now/entry-due": (True, False),
        "entry//now/entry-ends": (False, False),
        "entry//done/entry-due": (False, False),
    }
    assert all(one.whole_day for one in found.values())
    assert not any(one.due for one in dates(NOW, theirs=[late]))
    grant = Grant("p", Scope.ENGAGEMENT, "e", NOW + DAY, "admin", NOW)
    (mine,) = dates(NOW, grants=[grant])
    assert (mine.person, mine.at) == ("p", NOW + DAY)


def test_a_person_sees_its_own_its_partys_and_everybodys() -> None:
    """And nobody else's."""
    every = Dated("a", NOW, What.ANCHOR, "w")
    mine = replace(every, id="b", person="p")
    ours = replace(every, id="c", party="developer")
    others = [replace(every, id="d", person="q"), replace(every, id="e", party="government")]
    found = of_person([every, mine, ours, *others], "p", "developer")
    assert [one.id for one in found] == ["a", "b", "c"]
    side = of_party([every, mine, ours, *others], {"p"}, "developer")
    assert [(one.id, one.words) for one in side] == [
        ("a", "w"),
        ("b", "w (p)"),
        ("c", "w"),
    ]


@given(st.permutations([obligation(NOW + n * DAY) for n in range(4)]))
def test_dates_come_in_order_of_time(some: list[Obligation]) -> None:
    """Whatever order they are given in."""
    found = dates(NOW, (), some)
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert found[0].at.tzinfo is UTC
