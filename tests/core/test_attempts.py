"""pass@k and pass^k are unbiased, ordered and uncertain over items; epochs follow from the components."""

from itertools import combinations
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.measure.attempts import (
    Components,
    epochs_plan,
    pass_at_k,
    pass_hat_k,
    variance_components,
)
from leadline.core.measure.estimate import Code
from leadline.core.measure.interval import wilson


@given(trials=st.integers(1, 7), data=st.data())
def test_both_equal_the_mean_over_all_choices_of_k_runs(trials: int, data: st.DataObject) -> None:
    """Each equals the share of k-subsets of the runs with any, and with only, successes."""
    successes = data.draw(st.integers(0, trials))
    k = data.draw(st.integers(1, trials))
    runs = [1] * successes + [0] * (trials - successes)
    chosen = list(combinations(runs, k))
    some = sum(any(one) for one in chosen) / len(chosen)
    every = sum(all(one) for one in chosen) / len(chosen)
    assert pass_at_k([successes], [trials], k).point == pytest.approx(some)
    assert pass_hat_k([successes], [trials], k).point == pytest.approx(every)


def test_the_interval_is_over_items() -> None:
    """The ends enclose the point and count items and runs; more runs of no more items barely help."""
    successes, trials = [0, 1, 2, 5, 5, 3, 0, 4, 5, 2], [5] * 10
    found = pass_at_k(successes, trials, 2)
    assert found.low < found.point < found.high
    assert (found.n_items, found.n_runs, found.n_clusters, found.k) == (10, 50, 10, 2)
    assert found.warnings == ()
    assert pass_hat_k(successes, trials, 2).high < found.high
    tenfold = pass_at_k([10 * c for c in successes], [50] * 10, 2)
    assert tenfold.high - tenfold.low > 0.85 * (found.high - found.low)


def test_one_attempt_at_each_item_is_a_plain_share() -> None:
    """pass@1 of single runs is the share with Wilson's interval."""
    found = pass_at_k([1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1], [1] * 12, 1)
    assert (found.low, found.high) == pytest.approx(tuple(wilson(9, 12)))


def test_items_of_one_cluster_count_once() -> None:
    """Copying every item six times within its cluster leaves nearly the interval it had."""
    successes = [0, 1, 3, 2, 3, 0, 1, 2, 3, 3, 0, 2]
    once = pass_at_k(successes, [3] * 12, 3)
    often = pass_at_k(
        np.repeat(successes, 6).tolist(), [3] * 72, 3, clusters=np.repeat(range(12), 6)
    )
    assert often.n_clusters == 12
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.2)


def test_items_that_all_agree_do_not_collapse() -> None:
    """Nothing solved in five items leaves rates up to what five trials leave open, not zero."""
    none = pass_at_k([0] * 5, [3] * 5, 3)
    assert (none.point, none.low) == (0, 0)
    assert none.high == pytest.approx(float(wilson(0, 5)[1]))
    assert set(none.warnings) == {Code.DEGENERATE, Code.FEW_CLUSTERS, Code.FEW_ITEMS}


@pytest.mark.parametrize(
    ("successes", "trials", "k", "field"),
    [
        ([1], [3], 4, "k"),
        ([1, 1], [3, 2], 3, "k"),
        ([1], [3], 0, "k"),
        ([4], [3], 1, "successes"),
        ([1], [3, 3], 1, "trials"),
        ([], [], 1, "trials"),
    ],
)
def test_more_attempts_than_trials_cannot_be_judged(
    successes: list[int], trials: list[int], k: int, field: str
) -> None:
    """K beyond the fewest trials, and counts that do not fit, are refused by name."""
    with pytest.raises(Invalid, match=f"^{field}"):
        pass_at_k(successes, trials, k)


def components(within: float, between: float) -> Components:
    """Components as if measured."""
    return Components(
        method="given",
        n_items=88,
        n_runs=440,
        n_clusters=88,
        alpha=0.05,
        estimand="rate",
        within=within,
        between=between,
    )


def test_components_worked_by_hand() -> None:
    """Three items with 2 of 2, 1 of 3 and 0 of 1: sums of squares 2/3 and 4/3, n0 of 5/3."""
    found = variance_components([2, 1, 0, 0], [2, 3, 1, 0])
    assert (found.n_items, found.n_runs) == (3, 6)
    assert found.within == pytest.approx((2 / 3) / 3)
    runs = (6 - 14 / 6) / 2
    across = (2 * (1 / 2) ** 2 + 3 * (1 / 6) ** 2 + 1 * (1 / 2) ** 2) / 2
    assert found.between == pytest.approx((across - found.within) / runs)


def test_components_are_recovered() -> None:
    """From 4,000 items of Beta(1, 1) rates: between 1/12, within 1/6, whatever the numbers of runs."""
    rng = np.random.default_rng(5)
    trials = rng.integers(1, 6, size=4000)
    successes = rng.binomial(trials, rng.random(4000))
    found = variance_components(successes.tolist(), trials.tolist())
    assert found.between == pytest.approx(1 / 12, abs=0.006)
    assert found.within == pytest.approx(1 / 6, abs=0.006)


def test_items_alike_have_nothing_between_them() -> None:
    """Where items differ less than their runs do, nothing is left between them, and no less."""
    assert variance_components([1, 1, 1], [2, 2, 2]).between == 0
    for successes, trials in (([1], [3]), ([1, 0], [1, 1]), ([1, 0], [2, 0])):
        with pytest.raises(Invalid, match="trials"):
            variance_components(successes, trials)


def test_published_errors_of_a_score_come_out() -> None:
    """Terminal-Bench 2.0's components give the published errors of five designs: breadth first."""
    found = components(0.084, 0.126)
    designs = ((88, 1), (88, 2), (88, 5), (44, 2), (18, 5))
    errors = [round(found.se(*design, population=88), 3) for design in designs]
    assert errors == [0.031, 0.022, 0.014, 0.049, 0.081]
    assert found.se(88, 1) == pytest.approx(((0.084 + 0.126) / 88) ** 0.5)
    for wrong in ((0, 1), (1, 0), (89, 1)):
        with pytest.raises(Invalid, match="items"):
            found.se(*wrong, population=88)


def test_epochs_follow_the_square_root_rule() -> None:
    """0.8 sqrt(s/r) on those components, 1.6 sqrt(s/r) with what a response model leaves between."""
    plain = epochs_plan(components(0.084, 0.126), setup=4, run=1, budget=500)
    assert plain.optimum == pytest.approx(0.8 * 2, abs=0.05)
    assert (plain.epochs, plain.items) == (2, 83)
    assert plain.se == pytest.approx(components(0.084, 0.126).se(83, 2))
    completed = epochs_plan(components(0.084, 0.034), setup=4, run=1, budget=500)
    assert completed.optimum == pytest.approx(1.6 * 2, abs=0.06)
    assert completed.epochs == 3


@given(
    within=st.floats(0, 0.25),
    between=st.floats(0.001, 0.25),
    setup=st.floats(0, 50),
    budget=st.floats(60, 1e4),
)
def test_no_other_number_of_epochs_buys_less_error(
    within: float, between: float, setup: float, budget: float
) -> None:
    """The chosen number has the least variance per cost of all whole numbers that can be paid."""
    plan = epochs_plan(components(within, between), setup=setup, run=1.0, budget=budget)
    cost = {k: (between + within / k) * (setup + k) for k in range(1, 101) if setup + k <= budget}
    assert cost[plan.epochs] == pytest.approx(min(cost.values()))
    assert plan.items * (setup + plan.epochs) <= budget


def test_items_that_do_not_differ_are_run_as_often_as_can_be() -> None:
    """Without variance between items one item is as good as many: the optimum has no end."""
    plan = epochs_plan(components(0.2, 0.0), setup=1, run=1, budget=1000)
    assert (plan.optimum, plan.epochs) == (inf, 100)
    assert plan.to_dict()["optimum"] is None
    assert epochs_plan(components(0.2, 0.0), setup=1e16, run=1, budget=1e16).epochs == 1
    for field, wrong in (
        ("setup", {"setup": -1.0, "run": 1.0, "budget": 9.0}),
        ("run", {"setup": 1.0, "run": 0.0, "budget": 9.0}),
        ("run", {"setup": 1.0, "run": inf, "budget": 9.0}),
        ("budget", {"setup": 1.0, "run": 1.0, "budget": 1.5}),
        ("budget", {"setup": 0.0, "run": 1e-300, "budget": 1e300}),
    ):
        with pytest.raises(Invalid, match=f"^{field}"):
            epochs_plan(components(0.1, 0.1), **wrong)
