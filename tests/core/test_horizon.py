"""The time horizon: METR's estimator, its bootstrap by counts, and what is said of exhausted suites."""

from dataclasses import replace
from math import inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from leadline.core.errors import Invalid
from leadline.core.measure import horizon
from leadline.core.measure.estimate import Code
from leadline.core.measure.horizon import (
    PENALTY,
    Horizons,
    Runs,
    first_solve_ceiling,
    horizon_trend,
    logistic,
    time_horizon,
)


def runs(
    model: str = "m", *, tasks: int = 40, half: float = 30.0, repeats: int = 1, seed: int = 1
) -> Runs:
    """Runs at tasks of 1 to 1,000 minutes in four families, solved by half at *half* minutes."""
    rng = np.random.default_rng(seed)
    minutes = np.exp2(np.linspace(0, 10, tasks)).repeat(repeats)
    names = np.array([f"t{n:03d}" for n in range(tasks)]).repeat(repeats)
    families = np.array([f"f{n % 4}" for n in range(tasks)]).repeat(repeats)
    solved = rng.random(tasks * repeats) < 1 / (1 + (minutes / half) ** 1.2)
    return Runs(np.array([model] * len(names)), names, families, minutes, solved.astype(float))


def both(*tables: Runs) -> Runs:
    """Several models' runs in one table."""
    columns = ("model", "task", "family", "minutes", "score")
    return Runs(*(np.concatenate([getattr(one, name) for one in tables]) for name in columns))


def fitted(table: Runs, **options: int) -> Horizons:
    """The horizons with few replicates."""
    return time_horizon(table, replicates=options.pop("replicates", 60), **options)  # type: ignore[arg-type]


def test_the_fit_is_the_optimum_of_its_objective() -> None:
    """An independent optimiser finds no better slope and intercept, row by row."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=30)
    solved, failed = rng.random((5, 30)), rng.random((5, 30))
    slopes, intercepts = logistic(x, solved, failed)
    for row in range(5):

        def loss(at: np.ndarray, row: int = row) -> float:
            z = at[0] * x + at[1]
            each = solved[row] * np.logaddexp(0, -z) + failed[row] * np.logaddexp(0, z)
            return float(each.sum() + PENALTY / 2 * at[0] ** 2)

        other = minimize(loss, [0.0, 0.0], method="BFGS", options={"gtol": 1e-10}).x
        assert slopes[row] == pytest.approx(other[0], abs=1e-6)
        assert intercepts[row] == pytest.approx(other[1], abs=1e-6)


def test_what_separates_perfectly_is_held_by_the_penalty() -> None:
    """Without overlap the slope is finite and the halfway point lies between the two sides."""
    slope, intercept = logistic(
        np.array([0.0, 1.0, 4.0, 5.0]),
        np.array([[1.0, 1.0, 0.0, 0.0]]) / 4,
        np.array([[0.0, 0.0, 1.0, 1.0]]) / 4,
    )
    assert np.isfinite(slope[0])
    assert 1 < -intercept[0] / slope[0] < 4


def test_a_known_horizon_is_found() -> None:
    """Of many tasks, the estimate lies near the truth and its interval holds it."""
    told = fitted(runs(tasks=800)).of("m")
    assert told.low < 30 < told.high
    assert told.point == pytest.approx(30, rel=0.35)
    assert told.point > fitted(runs(tasks=800)).of("m", 0.8).point
    assert (told.n_items, told.n_runs, told.n_clusters, told.warnings) == (800, 800, 4, ())


def test_the_order_of_rows_says_nothing() -> None:
    """Shuffled rows give the same numbers to the last bit."""
    table = both(runs("a", repeats=2), runs("b", half=90, seed=2, repeats=2))
    order = np.random.default_rng(0).permutation(len(table.model))
    columns = ("model", "task", "family", "minutes", "score")
    turned = Runs(*(getattr(table, name)[order] for name in columns))
    one, other = fitted(table), fitted(turned)
    assert [(e.model, e.point, e.slope) for e in one.estimates] == [
        (e.model, e.point, e.slope) for e in other.estimates
    ]


def test_weights_are_those_of_the_family_unless_given() -> None:
    """The weights that the rule gives, handed in, change nothing; others do."""
    table = runs(repeats=2)
    rule = np.full(len(table.model), 1 / (2 * np.sqrt(10)))
    assert fitted(replace(table, weight=rule)).of("m").point == pytest.approx(
        fitted(table).of("m").point, rel=1e-12
    )
    other = np.where(table.minutes > 30, 3.0, 1.0)
    assert fitted(replace(table, weight=other)).of("m").point != fitted(table).of("m").point


def test_differences_between_models_are_paired() -> None:
    """Two names for the same runs give equal replicates, so that their difference is nought."""
    told = fitted(both(runs("a"), runs("b")))
    assert np.array_equal(told.replicates[0], told.replicates[1], equal_nan=True)
    assert not told.replicates.flags.writeable


def test_counts_have_the_law_of_rows() -> None:
    """Mean and covariance of how often tasks are drawn equal those of drawing families, then tasks."""
    tasks = horizon._Tasks(np.array(["a", "b", "c", "d"]), np.zeros(4), np.array([0, 0, 1, 2]), 3)
    drawn = horizon._multiplicities(tasks, 60_000, np.random.default_rng(5))
    rng = np.random.default_rng(6)
    rows = np.zeros((60_000, 4))
    held = ([0, 1], [2], [3])
    for at, families in enumerate(rng.integers(0, 3, (60_000, 3))):
        for family in families:
            for task in rng.choice(held[family], len(held[family])):
                rows[at, task] += 1
    assert drawn.mean(axis=0) == pytest.approx(rows.mean(axis=0), abs=0.03)
    assert np.cov(drawn.T) == pytest.approx(np.cov(rows.T), abs=0.06)


def test_nothing_solved_is_a_horizon_of_nought() -> None:
    """No fit is made, and nothing is called exhausted."""
    told = fitted(replace(runs(), score=np.zeros(40))).of("m")
    assert (told.point, told.low, told.high, told.saturated) == (0.0, 0.0, 0.0, False)


def test_everything_solved_says_only_at_least() -> None:
    """The point is infinite, the suite exhausted, and no upper limit is printed."""
    told = fitted(replace(runs(), score=np.ones(40))).of("m")
    assert (told.point, told.high, told.saturated) == (inf, inf, True)
    assert Code.SATURATED in told.warnings


def test_few_failures_above_the_point_exhaust_the_suite() -> None:
    """The bound is below the point, and the upper end never beyond the longest task."""
    told = fitted(runs(half=600.0), replicates=400).of("m")
    assert told.saturated
    assert told.high == inf
    assert 0 < told.low < told.point


def test_longer_tasks_solved_more_often_are_flagged() -> None:
    """A rising curve has no horizon in the sense of the word; the numbers say so."""
    table = runs()
    told = fitted(replace(table, score=1 - table.score)).of("m")
    assert Code.SLOPE_POSITIVE in told.warnings


def test_few_tasks_and_points_outside_of_them_are_flagged() -> None:
    """Below ten tasks, and where the point lies beyond every task."""
    table = runs(tasks=8)
    told = fitted(replace(table, score=np.array([1.0, 1, 1, 1, 1, 1, 1, 0.5]))).of("m")
    assert {Code.FEW_ITEMS, Code.SATURATED} <= set(told.warnings)
    easy = fitted(replace(runs(), score=np.where(runs().minutes < 2, 0.2, 0.0))).of("m")
    assert Code.EXTRAPOLATED in easy.warnings


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"minutes": np.full(40, np.nan)}, "minutes, row 1"),
        ({"minutes": np.zeros(40)}, "minutes, row 1"),
        ({"minutes": np.full(40, 1e12)}, "minutes, row 1"),
        ({"score": np.full(40, 1.5)}, "score, row 1"),
        ({"score": np.full(40, np.nan)}, "score, row 1"),
        ({"weight": np.zeros(40)}, "weight, row 1"),
        ({"score": np.ones(3)}, "score"),
        ({"task": np.array(["t"] * 40)}, "minutes, row 2"),
    ],
)
def test_a_table_that_cannot_be_is_refused(change: dict[str, np.ndarray], field: str) -> None:
    """The error names the column and the row; no number comes of it."""
    with pytest.raises(Invalid) as raised:
        fitted(replace(runs(), **change))
    assert raised.value.field == field


def test_a_task_has_one_family() -> None:
    """The same task under two families is refused."""
    table = runs(repeats=2)
    family = table.family.copy()
    family[1] = "f3"
    with pytest.raises(Invalid, match="another family elsewhere"):
        fitted(replace(table, family=family))


def test_options_out_of_range_are_refused() -> None:
    """No rows, no levels, too few replicates: each is named."""
    empty = Runs(*(np.array([], dtype=str),) * 3, np.array([]), np.array([]))
    with pytest.raises(Invalid, match="no rows"):
        fitted(empty)
    with pytest.raises(Invalid, match="levels"):
        time_horizon(runs(), levels=(1.0,))
    with pytest.raises(Invalid, match="replicates"):
        time_horizon(runs(), replicates=1)
    with pytest.raises(KeyError):
        fitted(runs()).of("nobody")


@settings(max_examples=15, deadline=None)
@given(st.floats(0.2, 5.0))
def test_time_scales_with_time(factor: float) -> None:
    """Tasks that take longer by a factor move the horizon by that factor."""
    table = runs()
    moved = fitted(replace(table, minutes=table.minutes * factor), replicates=2).of("m")
    assert moved.point == pytest.approx(
        fitted(table, replicates=2).of("m").point * factor, rel=1e-4
    )


def families_of(told: Horizons) -> dict[str, float]:
    """A day for each model, a hundred apart."""
    return {name: 100.0 * n for n, name in enumerate(told.models)}


def test_a_trend_is_found_and_its_interval_holds_it() -> None:
    """Horizons that double every hundred days give about a hundred days."""
    table = both(*(runs(f"m{n}", half=4.0 * 2**n, tasks=200, seed=n) for n in range(5)))
    told = fitted(table, replicates=200)
    trend = horizon_trend(told, families_of(told))
    assert trend.low < 100 < trend.high
    assert trend.doubling_days == pytest.approx(100, rel=0.3)
    assert trend.censored == ()


def test_an_exhausted_suite_enters_the_trend_as_a_bound() -> None:
    """With its last model saturated the slope is no smaller than with the bound taken as the truth."""
    table = both(
        *(runs(f"m{n}", half=4.0 * 4**n, tasks=120, seed=n) for n in range(4)),
        replace(runs("m9", tasks=120), score=np.ones(120)),
    )
    told = fitted(table, replicates=120)
    trend = horizon_trend(told, families_of(told))
    assert "m9" in trend.censored
    days = np.array(list(families_of(told).values()))
    bounds = np.log2([e.low if e.saturated else e.point for e in map(told.of, told.models)])
    assert trend.slope >= np.polyfit(days, bounds, 1)[0] - 1e-6


def test_a_trend_needs_three_models_of_several_days() -> None:
    """Two models, or one day, give no trend."""
    told = fitted(both(runs("a"), runs("b"), runs("c")))
    for days in ({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 1.0, "c": 1.0}):
        with pytest.raises(Invalid, match="three models"):
            horizon_trend(told, days)


def test_falling_horizons_have_no_doubling_time_above() -> None:
    """An interval that includes no growth ends in infinity, not in a negative number of days."""
    table = both(*(runs(f"m{n}", half=60.0 / 3**n, tasks=120, seed=n) for n in range(4)))
    told = fitted(table, replicates=60)
    trend = horizon_trend(told, families_of(told))
    assert (trend.low, trend.high) == (inf, inf)


def test_replicates_that_fit_no_line_are_left_out() -> None:
    """A model that solved almost nothing has replicates of nought, which no logarithm holds."""
    one = replace(runs("c"), score=np.array([1.0] + [0.0] * 39))
    told = fitted(both(runs("a"), runs("b"), one), replicates=80)
    assert (told.replicates[2] == 0).any()
    assert horizon_trend(told, families_of(told)).models == ("a", "b", "c")


def test_replicates_without_a_models_tasks_are_left_out() -> None:
    """A model measured on one family alone is absent from replicates that drew none of it."""
    table, part = runs("a"), runs("b")
    own = part.family == "f0"
    columns = ("model", "task", "family", "minutes", "score")
    told = fitted(both(table, Runs(*(getattr(part, name)[own] for name in columns))))
    assert np.isnan(told.replicates[1]).any()
    assert not np.isnan([told.of("b").low, told.of("b").high]).any()


def test_the_profile_says_nothing_where_it_is_flat() -> None:
    """Three tasks hold too little to bound anything: then the bootstrap's quantile stands alone."""
    table = runs(tasks=3)
    told = fitted(replace(table, score=np.array([1.0, 1.0, 0.5]))).of("m")
    assert told.saturated
    assert told.low <= told.point


def test_a_fit_that_does_not_settle_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off after one step there is no number, and the estimate says so."""
    monkeypatch.setattr(horizon, "STEPS_MAX", 1)
    told = fitted(runs()).of("m")
    assert np.isnan(told.point)
    assert Code.UNSETTLED in told.warnings


def test_the_longest_first_solve_names_its_task() -> None:
    """With the two next, and the attempts without which it says nothing."""
    tasks = {"a": (5.0, True), "b": (90.0, False), "c": (30.0, True), "d": (7.0, True)}
    told = first_solve_ceiling(tasks, 3)
    assert told is not None
    assert (told.minutes, told.task, told.next_minutes, told.attempts) == (30.0, "c", (7.0, 5.0), 3)
    assert first_solve_ceiling({"a": (5.0, False)}, 1) is None
    with pytest.raises(Invalid, match="attempts"):
        first_solve_ceiling(tasks, 0)
    with pytest.raises(Invalid, match="no working time"):
        first_solve_ceiling({"a": (-1.0, True)}, 1)


def test_the_level_moves_the_point_along_the_curve() -> None:
    """At 80 % the point is where the fitted curve has 80 %."""
    told = fitted(runs(tasks=200))
    for level in (0.5, 0.8):
        one = told.of("m", level)
        share = one.slope * np.log2(one.point) + one.intercept
        assert share == pytest.approx(log(level / (1 - level)), abs=1e-9)
