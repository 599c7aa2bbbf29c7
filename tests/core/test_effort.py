"""Success against tokens is a right-censored curve."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.assessment import SampleResult
from leadline.core.errors import Invalid
from leadline.core.measure.effort import Curve, success_curve

SOLVED = SampleResult("i", 1, "scored", solved=True, outcome="solved", tokens=100)
GAVE_UP = replace(SOLVED, solved=False, outcome="not_solved")
OUT_OF_TOKENS = replace(GAVE_UP, state="limit", reason="token limit of 1000 reached", tokens=1000)
OUT_OF_TIME = replace(GAVE_UP, state="limit", reason="working limit of 60 reached", tokens=300)
LOST = replace(GAVE_UP, state="infra")


def shares(curve: Curve) -> list[tuple[int, float]]:
    """Tokens and share of each step."""
    return [(step.tokens, round(step.share, 6)) for step in curve.steps]


def apart(samples: Iterable[SampleResult]) -> list[SampleResult]:
    """Each attempt at an item of its own."""
    return [replace(one, item=f"i{n}") for n, one in enumerate(samples)]


def test_repeats_of_an_item_do_not_narrow_the_interval() -> None:
    """Ten items tried once or three times alike: one interval, and one item alone leaves everything open."""
    once = apart([SOLVED] * 4 + [GAVE_UP] * 6)
    single = success_curve(once, 1000)
    often = success_curve([replace(one, epoch=n) for one in once for n in (1, 2, 3)], 1000)
    for step, repeated in zip(single.steps, often.steps, strict=True):
        assert repeated.share == pytest.approx(step.share)
        assert repeated.high - repeated.low >= 0.9 * (step.high - step.low)
    assert often.steps[0].high == pytest.approx(single.steps[0].high)
    lonely = success_curve([SOLVED, GAVE_UP, GAVE_UP], 1000).steps[-1]
    assert (lonely.low, lonely.high) == (0, 1)


def test_without_censoring_it_is_the_share_solved() -> None:
    """Attempts that gave up, or used up their tokens, count to the end of the budget."""
    late = replace(SOLVED, tokens=500)
    curve = success_curve(apart([SOLVED, late, GAVE_UP, OUT_OF_TOKENS, LOST]), 1000)
    assert (curve.attempts, curve.cut_at) == (4, ())
    assert shares(curve) == [(0, 0.0), (100, 0.25), (500, 0.5)]
    assert curve.steps[-1].low == pytest.approx(0.150039, abs=1e-6)  # Wilson, 2 of 4
    assert curve.steps[-1].high == pytest.approx(0.849961, abs=1e-6)


def test_what_time_cut_off_is_known_only_so_far() -> None:
    """It counts as unsolved up to its own tokens, and as nothing beyond (product limit by hand)."""
    curve = success_curve([SOLVED, OUT_OF_TIME, replace(SOLVED, tokens=500), GAVE_UP], 1000)
    assert curve.cut_at == (300,)
    assert shares(curve) == [(0, 0.0), (100, 0.25), (500, 0.625)]  # 1 - 3/4 * 1/2
    assert [step.at_risk for step in curve.steps] == [4, 4, 2]


def test_nothing_measured_is_no_number() -> None:
    """Without attempts the interval is everything, and the share 0 of nothing."""
    [start] = success_curve([LOST], 1000).steps
    assert (start.at_risk, start.low, start.high) == (0, 0.0, 1.0)


def test_a_budget_is_asked_for() -> None:
    """Without a budget in tokens there is no such curve; a score beyond it is a mistake."""
    with pytest.raises(Invalid, match="budget in tokens"):
        success_curve([SOLVED], 0)
    with pytest.raises(Invalid, match="i was solved with 100 tokens of 60"):
        success_curve([SOLVED], 60)
    assert shares(success_curve([SOLVED], 90)) == [(0, 0.0), (90, 1.0)]


@given(
    st.lists(
        st.tuples(st.integers(0, 1000), st.sampled_from([SOLVED, GAVE_UP, OUT_OF_TIME])),
        max_size=30,
    )
)
def test_the_curve_only_rises_and_its_interval_holds_it(
    drawn: list[tuple[int, SampleResult]],
) -> None:
    """Shares never fall, lie in their intervals, and end at the plain share where nothing was cut."""
    samples = [replace(one, tokens=tokens) for tokens, one in drawn]
    curve = success_curve(samples, 1000)
    last = 0.0
    for step in curve.steps:
        assert last <= step.share <= 1
        assert 0 <= step.low <= step.share <= step.high <= 1
        last = step.share
    if samples and not curve.cut_at:
        assert last == pytest.approx(sum(one.solved for one in samples) / len(samples))
