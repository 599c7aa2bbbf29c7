"""No maintainer gets more than they said they can take, and every report that waits knows its place."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.contract import Claims, Contract, judge
from leadline.core.clearing.finding import Severity
from leadline.core.clearing.pacing import WEEK, Delivered, Slot, Waiting, schedule
from leadline.core.clearing.report import Stage
from leadline.core.errors import Invalid
from reporting import reported, terms

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
PEOPLE = ("Ada", "Bob", "Eve")


def project(name: str, **fields: object) -> Contract:
    """A project that takes two a week and keeps many open."""
    held: dict[str, object] = {"per_week": 2, "max_open": 1000, "maintainers": ("Ada",)}
    return terms(name, **(held | fields))


def waiting(contract: Contract, count: int, **fields: Any) -> list[Waiting]:
    """Reports for one project, a minute apart."""
    return [
        Waiting(
            f"{contract.project}-{n}", contract.lane, NOW + timedelta(minutes=n - count), **fields
        )
        for n in range(count)
    ]


def most_in_a_week(moments: list[datetime]) -> int:
    """The largest number in any seven days, both ends taken so that the end is another week's."""
    ordered = sorted(moments)
    return max(
        (sum(start <= one < start + WEEK for one in ordered) for start in ordered), default=0
    )


def test_a_week_takes_what_was_asked_for_and_no_more() -> None:
    """Two now, two in seven days, and the fifth in fourteen."""
    one = project("p")
    found = schedule([one], waiting(one, 5), [], NOW)
    assert [found[f"p-{n}"].at for n in range(5)] == [
        NOW,
        NOW,
        NOW + WEEK,
        NOW + WEEK,
        NOW + 2 * WEEK,
    ]
    assert [found[f"p-{n}"].place for n in range(5)] == [1, 2, 3, 4, 5]
    assert found["p-0"].due(NOW)
    assert not found["p-2"].due(NOW)
    assert "2 reports in 7 days" in found["p-2"].why


def test_one_maintainer_of_two_projects_has_one_pace() -> None:
    """The larger of the two; what one project took, the other does not get."""
    one, two = project("p", per_week=1), project("q", per_week=3)
    found = schedule([one, two], waiting(one, 2) + waiting(two, 5), [], NOW)
    assert most_in_a_week([slot.at for slot in found.values() if slot.at]) == 3
    apart = project("r", maintainers=("Bob",))
    more = schedule([one, two, apart], waiting(apart, 2) + waiting(two, 5), [], NOW)
    assert more["r-1"].at == NOW


def test_what_is_exploited_passes_at_once_and_takes_its_tokens() -> None:
    """Whatever comes after waits longer; what went before the pace was full is not recalled."""
    one = project("p", per_week=1)
    urgent = [Waiting("x", one.lane, NOW, urgent="listed on 1 March")]
    past = [Delivered(one.lane, NOW - timedelta(days=1))]
    found = schedule([one], waiting(one, 1) + urgent, past, NOW)
    assert (found["x"].at, found["x"].place, found["x"].why) == (
        NOW,
        1,
        "at once: listed on 1 March",
    )
    assert found["p-0"].at == NOW + WEEK
    assert found["p-0"].place == 2


def test_a_pause_and_a_full_desk_are_told_apart() -> None:
    """A pause with an end gives a date; one without gives none; a full desk says what must close."""
    until = NOW + timedelta(days=2)
    paused = project("p", paused_until=until, paused=True)
    found = schedule([paused], waiting(paused, 1), [], NOW)["p-0"]
    assert (found.at, found.free, "paused until then" in found.why) == (until, True, True)
    later = schedule([paused], waiting(paused, 1), [], until)["p-0"]
    assert later.due(until)
    still = project("p", paused=True)
    none = schedule([still], waiting(still, 1), [], NOW)["p-0"]
    assert (none.at, none.free) == (None, False)
    assert "has not said until when" in none.why
    full = project("p", max_open=1, per_week=1)
    past = [Delivered(full.lane, NOW - 2 * WEEK)]
    shut = schedule([full], waiting(full, 1), past, NOW)["p-0"]
    assert (shut.at, shut.free) == (NOW, False)
    assert "once one of the 1 reports" in shut.why
    closed = [Delivered(full.lane, NOW - 2 * WEEK, open=False)]
    assert schedule([full], waiting(full, 1), closed, NOW)["p-0"].due(NOW)


def test_what_is_not_confirmed_has_a_place_and_is_not_handed_out() -> None:
    """It keeps its place meanwhile."""
    one = project("p", per_week=1)
    found = schedule([one], waiting(one, 2, ready=False), [], NOW)
    assert not found["p-0"].due(NOW)
    assert found["p-0"].why == "a replay, or a person, has to confirm first that it is real"
    assert "1 report in 7 days" in found["p-1"].why


def test_a_project_that_nobody_asked_gets_one_a_week() -> None:
    """Without a contract, nobody has said that more is wanted."""
    found = schedule([], [Waiting(str(n), "lane", NOW) for n in range(3)], [], NOW)
    assert sorted(slot.at - NOW for slot in found.values() if slot.at) == [WEEK * 0, WEEK, 2 * WEEK]


@pytest.mark.parametrize("field", ["per_week", "max_open"])
@pytest.mark.parametrize("number", [0, -1, 1001])
def test_a_pace_that_is_none_is_refused(field: str, number: int) -> None:
    """To take nothing, one pauses."""
    with pytest.raises(Invalid, match="paused = true"):
        terms(**dict[str, Any]({field: number}))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Contract], list[Waiting], list[Delivered]]:
    """A few projects with shared maintainers, what waits and what arrived, at or below their pace."""
    contracts = [
        project(
            f"p{n}",
            per_week=draw(st.integers(1, 4)),
            max_open=draw(st.integers(1, 50)),
            maintainers=tuple(draw(st.sets(st.sampled_from(PEOPLE), max_size=3))),
            paused=draw(st.booleans()) and draw(st.booleans()),
            paused_until=NOW + timedelta(days=draw(st.integers(1, 9)))
            if draw(st.booleans())
            else None,
        )
        for n in range(draw(st.integers(1, 4)))
    ]
    lanes = st.sampled_from([one.lane for one in contracts] + ["no contract"])
    hours = st.integers(-500, -1).map(lambda number: NOW + timedelta(hours=number))
    queue = draw(
        st.lists(
            st.builds(Waiting, st.uuids().map(str), lanes, hours, st.integers(0, 3), st.just("")),
            max_size=30,
        )
    )
    return contracts, queue, []


@unhurried
@given(worlds(), st.integers(0, 3), st.randoms(use_true_random=False))
def test_nobody_is_above_their_rate_whatever_comes(
    world: tuple[list[Contract], list[Waiting], list[Delivered]], weeks: int, order: Random
) -> None:
    """In every seven days, for each project and person, also when what was due went out before."""
    contracts, queue, past = world
    now = NOW
    for _ in range(weeks + 1):
        found = schedule(contracts, queue, past, now)
        gone = [one for one in queue if found[one.finding].due(now)]
        past = [*past, *(Delivered(one.lane, now, open=False) for one in gone)]
        queue = [one for one in queue if one not in gone]
        now += timedelta(days=5)
    found = schedule(contracts, queue, past, now)
    order.shuffle(queue)
    order.shuffle(past)
    assert schedule(contracts, queue, past, now) == found
    by_name = defaultdict[str, list[datetime]](list)
    sizes = defaultdict[str, int](int)
    of = {one.lane: one for one in contracts}
    arrivals = [(one.lane, one.at) for one in past]
    arrivals += [(one.lane, at) for one in queue if (at := found[one.finding].at)]
    for lane, at in arrivals:
        by_name[lane].append(at)
        sizes[lane] = of[lane].per_week if lane in of else 1
        for person in of[lane].maintainers if lane in of else ():
            by_name[person].append(at)
            sizes[person] = max(one.per_week for one in contracts if person in one.maintainers)
    for name, moments in by_name.items():
        assert most_in_a_week(moments) <= sizes[name]


@unhurried
@given(worlds())
def test_nothing_overtakes_in_its_own_queue(
    world: tuple[list[Contract], list[Waiting], list[Delivered]],
) -> None:
    """Places count from 1 without a gap; a better place never comes later."""
    contracts, queue, past = world
    found = schedule(contracts, queue, past, NOW)
    by_lane = defaultdict[str, list[Slot]](list)
    for one in queue:
        by_lane[one.lane].append(found[one.finding])
    for slots in by_lane.values():
        slots.sort(key=lambda slot: slot.place)
        assert [slot.place for slot in slots] == list(range(1, len(slots) + 1))
        moments = [slot.at for slot in slots if slot.at]
        assert moments == sorted(moments)
    ranks = {one.finding: (one.rank, one.lane, one.since) for one in queue}
    for a in queue:
        for b in queue:
            if a.lane == b.lane and ranks[a.finding][0] > ranks[b.finding][0]:
                assert found[a.finding].place < found[b.finding].place


def test_ten_thousand_findings_of_fifty_contracts() -> None:
    """A18: each has a state, a reason and a place or an end, and no maintainer is above their rate."""
    random = Random(7)  # noqa: S311 -- a test's own numbers
    contracts = [
        terms(
            f"p{n}",
            packages=(f"pkg:pypi/p{n}",),
            per_week=random.randint(1, 9),
            maintainers=(f"person {random.randrange(20)}",),
            minimum_severity=random.choice([Severity.UNKNOWN, Severity.MEDIUM]),
        )
        for n in range(50)
    ]
    queue, claims = list[Waiting](), Claims(contracts)
    states = defaultdict[Stage, int](int)
    for number in range(10_000):
        severity = random.choice(list(Severity))
        made = reported(
            str(number).encode(), purl=f"pkg:pypi/p{random.randrange(52)}@1", severity=severity
        ).finding
        judged = judge(claims, made)
        assert judged.reason
        states[judged.stage] += 1
        if judged.stage is Stage.SCREENED:
            at = NOW - timedelta(seconds=number)
            queue.append(Waiting(made.id, judged.lane, at, severity.rank))
    assert set(states) == {Stage.SCREENED, Stage.OUT_OF_THREAT_MODEL}
    found = schedule(contracts, queue, [], NOW)
    assert set(found) == {one.finding for one in queue}
    people = {one.lane: one.maintainers[0] for one in contracts}
    rate = defaultdict[str, int](int)
    for one in contracts:
        rate[one.maintainers[0]] = max(rate[one.maintainers[0]], one.per_week)
    arrivals = defaultdict[str, list[datetime]](list)
    for each in queue:
        slot = found[each.finding]
        assert slot.at is not None
        assert slot.why
        arrivals[people.get(each.lane, each.lane)].append(slot.at)
    for name, moments in arrivals.items():
        moments.sort()
        size = rate.get(name, 1)
        assert all(b - a >= WEEK for a, b in zip(moments, moments[size:], strict=False))
