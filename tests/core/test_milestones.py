"""Steps of chains: means with intervals, shares per step, and curves against budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.assessment import Milestone, SampleResult, SampleState
from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code
from leadline.core.measure.interval import wilson
from leadline.core.measure.milestones import Point, by_step, curve, mean_steps

NAMES = ("a", "b", "c", "d")


def climbed(
    item: str,
    count: int,
    *,
    steps: int = 4,
    state: SampleState = "scored",
    tokens: int = 0,
    names: tuple[str, ...] = NAMES,
) -> SampleResult:
    """An attempt that reached the first *count* steps, ten tokens and one second apart."""
    told = tuple(
        Milestone(
            name,
            number < count,
            (number + 1) * (number < count),
            10 * (number + 1) * (number < count),
        )
        for number, name in enumerate(names[:steps])
    )
    return SampleResult(
        item, 1, state, solved=count == steps, outcome="", milestones=told, tokens=tokens
    )


def test_the_mean_is_of_items_and_so_is_its_interval() -> None:
    """Two attempts at one item weigh as one item; of three items little is known."""
    found = mean_steps([climbed("x", 1), climbed("x", 3), climbed("y", 4), climbed("z", 0)])
    assert (found.mean, found.n_items, found.n_runs, found.whole) == (2.0, 3, 4, 1)
    assert 0 < found.low < 0.4
    assert 3.6 < found.high < 4.0
    assert found.method == "wilson at effective size"
    assert Code.FEW_CLUSTERS in found.warnings
    assert Code.VOID_RESULTS not in found.warnings


def test_many_items_give_wilsons_interval_at_their_effective_size() -> None:
    """Six items of 1, 2, 2, 2, 2, 3 steps: p 1/2, more spread than 24 trials have not: 24 (t23 / t5)^2."""
    found = mean_steps([climbed(str(n), count) for n, count in enumerate((1, 2, 2, 2, 2, 3))])
    size = 24 * (2.0686576 / 2.5705818) ** 2
    assert (found.low, found.high) == pytest.approx(tuple(4 * wilson(size / 2, size)))
    assert found.warnings == ()


def test_items_all_alike_do_not_make_the_mean_certain() -> None:
    """One item, or items that all agree, leave an interval with width."""
    one, alike = mean_steps([climbed("x", 2)]), mean_steps([climbed(str(n), 2) for n in range(24)])
    assert (one.low, one.high) == (0.0, 4.0)
    assert 0 < alike.low < 2.0 < alike.high < 4.0
    assert (one.method, alike.method) == ("hoeffding", "hoeffding")
    assert Code.DEGENERATE in alike.warnings
    assert alike.high - alike.low < one.high - one.low


def test_what_our_side_failed_is_left_out_and_counted() -> None:
    """An infra failure is no attempt with zero steps; a limit is an attempt."""
    found = mean_steps(
        [climbed("x", 2), climbed("y", 3, state="limit"), climbed("z", 0, state="infra")]
    )
    assert (found.mean, found.n_runs, found.left_out) == (2.5, 2, 1)
    assert Code.VOID_RESULTS in found.warnings


def test_nothing_observed_says_nothing() -> None:
    """Without an attempt the interval is everything."""
    found = mean_steps([])
    assert (found.mean, found.low, found.high, found.warnings) == (0.0, 0.0, 0.0, (Code.NO_RUNS,))
    assert by_step([]) == ()
    assert curve([], "tokens").points == (Point(0, 0.0),)


def test_chains_of_different_length_have_no_common_mean() -> None:
    """The mean over chains of three and four steps is refused, and so are their steps."""
    mixed = [climbed("x", 1), climbed("y", 1, steps=3)]
    with pytest.raises(Invalid, match="no common mean"):
        mean_steps(mixed)
    with pytest.raises(Invalid, match="counted apart"):
        by_step(mixed)
    with pytest.raises(Invalid, match="alpha"):
        mean_steps(mixed, alpha=1.0)


def test_every_step_has_its_share_and_median_cost() -> None:
    """Shares fall along the chain; a step that nobody reached costs nothing and may be reachable."""
    steps = by_step([climbed("x", 1), climbed("y", 3), climbed("z", 3)])
    assert [step.reached for step in steps] == [3, 2, 2, 0]
    assert [(step.seconds, step.tokens) for step in steps] == [(1, 10), (2, 20), (3, 30), (0, 0)]
    assert steps[3].low == 0.0 < steps[3].high < 1.0
    assert steps[0].high == 1.0 > steps[0].low > 0.0


def test_the_curve_rises_to_the_mean_and_says_from_where_it_is_censored() -> None:
    """Steps are counted at the tokens they took; the earliest limit starts the censored part."""
    found = curve(
        [
            climbed("x", 1),
            climbed("y", 3, state="limit", tokens=25),
            climbed("z", 0, state="infra"),
        ],
        "tokens",
    )
    assert found.points == (Point(0, 0.0), Point(10, 1.0), Point(20, 1.5), Point(30, 2.0))
    assert found.censored == 25
    assert curve([climbed("x", 1)], "seconds").censored is None


@given(st.lists(st.tuples(st.sampled_from("uvwxyz"), st.integers(0, 4)), min_size=1, max_size=30))
def test_the_interval_holds_its_mean_and_stays_in_bounds(drawn: list[tuple[str, int]]) -> None:
    """Whatever was climbed, 0 <= low <= mean <= high <= steps, and the curve ends at the mean of attempts."""
    results = [climbed(item, count) for item, count in drawn]
    found = mean_steps(results)
    assert 0.0 <= found.low <= found.mean <= found.high <= 4.0
    last = curve(results, "tokens").points[-1]
    assert last.steps == pytest.approx(sum(count for _, count in drawn) / len(drawn))
