"""When a run will have finished: known better as samples end, and honest about what does not fit."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.measure.forecast import (
    ENOUGH,
    NONE_YET,
    Capacity,
    Cost,
    Family,
    LeftOut,
    Sums,
    clock,
    forecast,
    prior_tokens,
    shard_items,
)

FREE = Cost(0.0)


def sums(values: list[float]) -> Sums:
    """What was measured."""
    seen = NONE_YET
    for value in values:
        seen = seen.plus(value)
    return seen


def family(
    name: str = "f",
    first: int = 10,
    repeats: tuple[int, ...] = (),
    *,
    seconds: Cost = Cost(60.0),  # noqa: B008 -- frozen
    tokens: Cost = FREE,
    minimum: int = 0,
) -> Family:
    """Attempts that are left, of a minute each unless told."""
    return Family(name, first, repeats, seconds, tokens, FREE, minimum)


def test_the_work_is_spread_over_the_places() -> None:
    """Ten minutes of work at two a time are five."""
    found = forecast([family()], Capacity(2))
    assert (found.attempts, found.seconds, found.chance) == (10, 300.0, None)
    assert found.low < 300 < found.high
    assert found.fits
    assert found.left_out == ()


def test_a_prior_gives_way_to_what_is_measured() -> None:
    """After many attempts the mean is theirs and the interval narrow."""
    early = forecast([family(first=100)], Capacity(1))
    values = [100.0 + n % 3 for n in range(200)]
    late = forecast([family(first=100, seconds=Cost(60.0, sums(values)))], Capacity(1))
    assert late.seconds == pytest.approx(10_100, rel=0.01)
    assert (late.high - late.low) / late.seconds < 0.1 < (early.high - early.low) / early.seconds


def test_the_endpoints_limit_binds_where_it_is_the_slower() -> None:
    """A million tokens at a thousand a second take as long as they take, however many places."""
    dear = family(tokens=Cost(100_000.0))
    assert forecast([dear], Capacity(1000, 1000.0)).seconds == pytest.approx(1000.0)
    assert forecast([dear], Capacity(1, 1e9)).seconds == pytest.approx(600.0)
    assert forecast([dear], Capacity(1)).tokens == pytest.approx(1_000_000)


def test_a_plan_that_fits_leaves_nothing_out() -> None:
    """The chance is told beside the ceiling."""
    found = forecast([family(repeats=(10,))], Capacity(1), 100_000)
    assert found.chance is not None
    assert found.chance > ENOUGH
    assert found.left_out == ()
    assert "chance of finishing" in found.words()
    assert "does not fit" not in found.words()


def test_repeats_go_before_first_attempts_the_last_round_first() -> None:
    """Breadth first: every item once before any twice."""
    sure = Cost(60.0, sums([60.0] * 500))
    families = [family("a", 10, (10, 10), seconds=sure), family("b", 10, (10, 10), seconds=sure)]
    # room for all first attempts and about half of the second round
    found = forecast(families, Capacity(1), 60.0 * 31)
    assert {(one.what) for one in found.left_out} == {"repeats"}
    assert sum(one.count for one in found.left_out) in range(28, 34)
    counts = [one.count for one in found.left_out]
    assert abs(counts[0] - counts[1]) <= 1
    assert "The plan does not fit: left out first would be" in found.words()


def test_first_attempts_go_down_to_the_minimum_of_each_family_whatever_it_costs() -> None:
    """The dear family keeps its minimum; the larger one loses first, and the rest evenly."""
    cheap = Cost(1.0, sums([1.0] * 100))
    dear = Cost(1000.0, sums([1000.0] * 100))
    families = [
        family("cheap", 20, seconds=cheap, minimum=5),
        family("dear", 10, seconds=dear, minimum=5),
    ]
    found = forecast(families, Capacity(1), 7_600)
    assert found.reaches
    assert [(one.family, one.what) for one in found.left_out] == [
        ("cheap", "first attempts"),
        ("dear", "first attempts"),
    ]
    gone = {one.family: one.count for one in found.left_out}
    assert gone["dear"] == 3
    assert gone["cheap"] in {12, 13}
    never = forecast(families, Capacity(1), 100)
    assert not never.reaches
    assert never.left_out == (
        LeftOut("cheap", "first attempts", 15),
        LeftOut("dear", "first attempts", 5),
    )
    assert never.words().endswith("even the minimum of each family does not fit")


def test_time_that_is_over_leaves_everything_undetermined() -> None:
    """No second left: the chance is nothing, and what may go goes."""
    found = forecast([family(first=3)], Capacity(1), 0)
    assert found.chance == 0.0
    assert found.left_out == (LeftOut("f", "first attempts", 3),)
    assert found.reaches  # with nothing left to do, nothing is missing


def test_nothing_left_is_done() -> None:
    """No attempt left: no time, and certainty."""
    found = forecast([family(first=0)], Capacity(1), 10)
    assert (found.seconds, found.low, found.high, found.chance) == (0, 0, 0, 1.0)
    assert forecast([], Capacity(1)).words() == "0 attempts left, about 0 min (0 min to 0 min)"


def test_a_minimum_that_cannot_fit_with_nothing_to_leave_out_says_so() -> None:
    """All is minimum: nothing may go."""
    found = forecast([family(first=5, minimum=9)], Capacity(1), 1)
    assert found.left_out == ()
    assert "nothing that may go; even the minimum" in found.words()


def test_money_is_told_where_there_is_any() -> None:
    """Expected cost of all that is left."""
    one = Family("f", 4, (2,), Cost(1.0), FREE, Cost(2_500_000.0))
    found = forecast([one], Capacity(1))
    assert found.micro_usd == 15_000_000
    assert "about $15.00" in found.words()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 min"),
        (89, "1 min"),
        (3600, "1 h 00 min"),
        (172_799, "2.0 days"),
        (86_000, "23 h 53 min"),
    ],
)
def test_lengths_of_time_are_readable(seconds: float, words: str) -> None:
    """Minutes, hours, days."""
    assert clock(seconds) == words


def test_bad_input_is_refused() -> None:
    """No place to run at, an attempt that takes no time."""
    with pytest.raises(Invalid):
        Capacity(0)
    with pytest.raises(Invalid):
        shard_items(0, items=1, workers=1, parallel=1)


def test_shards_aim_at_minutes_and_are_never_shorter_than_half_a_minute() -> None:
    """Cheap samples come in hundreds, dear ones alone."""
    assert shard_items(1.0, items=10**6, workers=4, parallel=1) == 300
    assert shard_items(0.01, items=10**6, workers=4, parallel=1) == 1000
    assert shard_items(3600.0, items=10, workers=4, parallel=1) == 1
    assert shard_items(1.0, items=100, workers=2, parallel=1) == 30
    assert shard_items(10.0, items=100, workers=2, parallel=1) == 13
    assert shard_items(60.0, items=1000, workers=1, parallel=4) == 20


def test_known_costs_of_a_suite_come_before_half_of_the_limit() -> None:
    """Never above the limit."""
    known = {"cybench": 709_000.0}
    assert prior_tokens("cybench", 0, known) == 709_000
    assert prior_tokens("cybench", 500_000, known) == 500_000
    assert prior_tokens("planted", 500_000, known) == 250_000


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20), st.integers(0, 30)), max_size=4),
    st.floats(1, 1e5),
    st.floats(0, 1e6),
)
def test_what_is_left_out_is_never_more_than_may_go(
    shapes: list[tuple[int, int, int]], each: float, available: float
) -> None:
    """First attempts stay at the minimum or above, go only once all repeats are gone, and counts add up."""
    families = [
        family(f"f{n}", first, (again,), seconds=Cost(each), minimum=least)
        for n, (first, again, least) in enumerate(shapes)
    ]
    found = forecast(families, Capacity(2), available)
    gone = {(one.family, one.what): one.count for one in found.left_out}
    for one in families:
        assert gone.get((one.name, "first attempts"), 0) <= max(0, one.first - one.minimum)
        assert gone.get((one.name, "repeats"), 0) <= sum(one.repeats)
    if any(what == "first attempts" for _, what in gone):
        for one in families:
            assert gone.get((one.name, "repeats"), 0) == sum(one.repeats)
    assert found.chance is None or 0 <= found.chance <= 1
    assert found.fits or gone or not found.reaches


def test_the_interval_holds_what_it_says() -> None:
    """Over 400 made-up runs of skewed costs, nine in ten finish within the interval."""
    draw = random.Random(4)  # noqa: S311 -- a fixed sequence, nothing secret
    inside = 0
    for _ in range(400):
        typical = draw.uniform(20, 90)
        seen = [draw.expovariate(1 / typical) for _ in range(30)]
        told = forecast([family(first=100, seconds=Cost(60.0, sums(seen)))], Capacity(1))
        inside += told.low <= sum(draw.expovariate(1 / typical) for _ in range(100)) <= told.high
    assert 0.85 <= inside / 400 <= 0.95
