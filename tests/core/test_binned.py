"""Observed success by length of task: what a bin holds, how runs weigh, and what its interval rests on."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.measure.binned import BINS_MAX, binned
from leadline.core.measure.horizon import Runs, time_horizon
from leadline.core.measure.interval import wilson


def runs(
    score: list[float],
    minutes: list[float],
    *,
    task: list[str] | None = None,
    family: list[str] | None = None,
    model: list[str] | None = None,
    weight: list[float] | None = None,
) -> Runs:
    """One model at one task a row, each task a family, unless told."""
    names = task or [f"t{n}" for n in range(len(score))]
    return Runs(
        np.array(model or ["m"] * len(score)),
        np.array(names),
        np.array(family or names),
        np.array(minutes),
        np.array(score),
        None if weight is None else np.array(weight),
    )


def test_every_run_stands_in_one_bin_of_its_length() -> None:
    """Counts of tasks and runs add up, and bins do not overlap."""
    rng = np.random.default_rng(3)
    minutes = (2.0 ** rng.uniform(-2, 9, 80)).tolist()
    told = binned(runs(rng.integers(0, 2, 80).astype(float).tolist(), minutes), bins=8)
    assert len(told) == 8
    assert {one.n_items for one in told} == {10}
    assert sum(one.n_runs for one in told) == 80
    for shorter, longer in pairwise(told):
        assert shorter.longest < longer.shortest
    for one in told:
        assert one.shortest <= one.middle <= one.longest
        assert one.low <= one.share <= one.high


def test_a_bin_of_equal_tasks_has_wilsons_interval() -> None:
    """With equal weights the effective number of tasks is their number."""
    told = binned(runs([1.0, 1.0, 0.0, 1.0], [1, 2, 3, 4]), bins=1)
    assert [one.share for one in told] == [0.75]
    low, high = wilson(3, 4)
    assert (told[0].low, told[0].high) == pytest.approx((low, high))


def test_a_family_of_many_tasks_weighs_by_its_root() -> None:
    """Four tasks of one family count 1/2 each beside one task alone: as the fit weighs them."""
    table = runs([1, 1, 1, 1, 0], [2] * 5, family=["a"] * 4 + ["b"])
    (one,) = binned(table)
    assert one.share == pytest.approx(2 / 3)
    size = 3**2 / (4 * 0.25 + 1)
    assert (one.low, one.high) == pytest.approx(tuple(wilson(2 / 3 * size, size)))


def test_attempts_at_one_task_are_one_task() -> None:
    """Repeating a run narrows no interval."""
    once = binned(runs([1.0, 0.0], [2, 2]))[0]
    often = binned(runs([1.0] * 9 + [0.0], [2] * 10, task=["a"] * 9 + ["b"]))[0]
    assert (once.share, once.low, once.high) == pytest.approx((often.share, often.low, often.high))
    assert (often.n_items, often.n_runs) == (2, 10)


def test_the_datas_own_weights_count() -> None:
    """Where the table gives weights, those are taken."""
    (one,) = binned(runs([1.0, 0.0], [2, 2], weight=[3.0, 1.0]))
    assert one.share == pytest.approx(0.75)


def test_a_model_has_no_bin_where_it_was_not_tried() -> None:
    """Bins are the table's; one that a model has no run in is left out, not taken for nought."""
    table = runs(
        [1.0, 0.0, 1.0],
        [1, 64, 1],
        task=["short", "long", "short"],
        model=["whole", "whole", "half"],
    )
    assert [(one.model, one.longest) for one in binned(table, bins=2)] == [
        ("half", 1.0),
        ("whole", 1.0),
        ("whole", 64.0),
    ]


def test_tasks_of_one_time_stay_together() -> None:
    """Equal times give one bin however many are asked for."""
    assert len(binned(runs([1.0, 0.0, 0.5], [7, 7, 7]), bins=8)) == 1


@pytest.mark.parametrize("bins", [0, BINS_MAX + 1])
def test_a_number_of_bins_out_of_range_is_refused(bins: int) -> None:
    """The error names the field."""
    with pytest.raises(Invalid, match="bins"):
        binned(runs([1.0], [1]), bins=bins)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 5000)), min_size=1, max_size=30))
def test_the_mean_over_bins_is_the_weighted_mean(rows: list[tuple[float, int]]) -> None:
    """No run is lost or counted twice: bins weighted by tasks give the whole again."""
    table = runs([score for score, _ in rows], [float(minutes) for _, minutes in rows])
    told = binned(table, bins=5)
    whole = sum(one.share * one.n_items for one in told) / len(rows)
    assert whole == pytest.approx(float(np.mean([score for score, _ in rows])))


def test_bins_follow_the_fitted_curve_they_stand_beside() -> None:
    """On data from a logistic, observed shares lie where the fit puts them, within their intervals."""
    rng = np.random.default_rng(8)
    minutes = 2.0 ** rng.uniform(0, 10, 600)
    solved = rng.random(600) < 1 / (1 + (minutes / 30) ** 0.9)
    table = runs(solved.astype(float).tolist(), minutes.tolist())
    fit = time_horizon(table, replicates=2).of("m")
    for one in binned(table):
        expected = 1 / (1 + np.exp(-(fit.slope * np.log2(one.middle) + fit.intercept)))
        assert one.low - 0.03 < expected < one.high + 0.03
