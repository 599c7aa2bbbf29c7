"""The time horizon: METR's estimator, its bootstrap by counts, and what is said of exhausted suites."""

from dataclasses import replace
from itertools import product
from math import inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, multinomial

from leadline.core.errors import Invalid
from leadline.core.measure import horizon, regression
from leadline.core.measure.estimate import Code
from leadline.core.measure.horizon import (
    Horizons,
    Runs,
    ceilings,
    first_solve_ceiling,
    horizon_ratio,
    horizon_trend,
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


HELD = ([0, 1], [2], [3])  # tasks of three families


def law_of_rows() -> dict[tuple[int, ...], float]:
    """The chance of every outcome of drawing three families, and in each as many tasks as it has."""
    chances: dict[tuple[int, ...], float] = {}
    for families in product(HELD, repeat=3):
        drawn = [task for family in families for task in [family] * len(family)]
        for tasks in product(*drawn):
            key = tuple(tasks.count(n) for n in range(4))
            chances[key] = chances.get(key, 0) + 1 / 27 / np.prod([len(d) for d in drawn])
    return chances


def law_of_counts() -> dict[tuple[int, ...], float]:
    """The same of counts: a multinomial of families, then one of tasks in each."""
    chances: dict[tuple[int, ...], float] = {}
    for times in product(range(4), repeat=3):
        if sum(times) != 3:
            continue
        chance = multinomial.pmf(times, 3, [1 / 3] * 3)
        for first in range(2 * times[0] + 1):
            key = (first, 2 * times[0] - first, times[1], times[2])
            chances[key] = chances.get(key, 0) + chance * binom.pmf(first, 2 * times[0], 0.5)
    return chances


def test_counts_have_the_law_of_rows() -> None:
    """Every outcome is as likely drawn as counts as drawn as rows; the draws have its exact moments."""
    law, other = law_of_rows(), law_of_counts()
    assert {key: law[key] for key in sorted(law)} == pytest.approx(other)
    assert sum(law.values()) == pytest.approx(1)
    outcomes, chance = np.array(list(law)), np.array(list(law.values()))
    mean = chance @ outcomes
    covariance = (outcomes - mean).T @ ((outcomes - mean) * chance[:, None])
    names = np.array(["a", "b", "c", "d"])
    tasks = horizon._Tasks(names, np.zeros(4), np.array([0, 0, 1, 2]), ("f", "g", "h"), names)
    drawn = horizon._multiplicities(tasks, 60_000, np.random.default_rng(5))
    assert drawn.mean(axis=1) == pytest.approx(mean, abs=0.02)
    assert np.cov(drawn) == pytest.approx(covariance, abs=0.03)


def test_nothing_solved_is_a_horizon_of_nought() -> None:
    """No fit is made, nothing is called exhausted, and five failures of the shortest tasks bound it."""
    made = replace(runs(), score=np.zeros(40))
    told = fitted(made).of("m")
    fifth = sorted(dict(zip(made.task.tolist(), made.minutes.tolist(), strict=True)).values())[4]
    assert (told.point, told.low, told.saturated) == (0.0, 0.0, False)
    assert told.high == pytest.approx(fifth)
    assert Code.NONE_SOLVED in told.warnings


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_a_single_run_bounds_nothing(score: float) -> None:
    """One outcome alone is no length: neither an upper end nor "at least" of anything."""
    made = runs()
    one = replace(
        made,
        model=made.model[:1],
        task=made.task[:1],
        family=made.family[:1],
        minutes=made.minutes[:1],
        score=np.array([score]),
    )
    told = fitted(one).of("m")
    assert (told.low, told.high) == (0.0, inf)


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
    monkeypatch.setattr(regression, "STEPS_MAX", 1)
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


def test_a_ceiling_is_of_every_model_with_its_attempts() -> None:
    """Full scores count, halves do not; the two next stand with their tasks."""
    table = runs(tasks=12, repeats=2)
    score = np.where(table.minutes < 30, 1.0, 0.5)
    told = ceilings(both(replace(table, score=score), replace(table, model=np.array(["n"] * 24))))
    one = told["m"]
    assert one is not None
    assert (one.attempts, len(one.next_tasks)) == (2, 2)
    solved = sorted({(t, n) for t, n in zip(table.minutes, table.task, strict=True) if t < 30})
    assert [(one.minutes, one.task), *zip(one.next_minutes, one.next_tasks, strict=True)] == list(
        reversed(solved[-3:])
    )
    assert ceilings(replace(table, score=np.zeros(24)))["m"] is None


def test_how_times_were_got_stands_beside_the_horizon() -> None:
    """Shares of the model's tasks by source, in the data's words; what says nothing is unstated."""
    table = runs()
    source = np.array(["estimate"] * 30 + ["censored"] * 8 + [""] * 2)
    told = fitted(replace(table, source=source))
    assert told.of("m").sources == (("censored", 0.2), ("estimate", 0.75), ("unstated", 0.05))
    assert fitted(table).of("m").sources == (("unstated", 1.0),)
    assert told.families == (("f0", 10), ("f1", 10), ("f2", 10), ("f3", 10))
    assert (told.shortest, told.longest) == pytest.approx((1, 1024))
    assert told.of("m").to_dict()["sources"][1] == ["estimate", 0.75]  # type: ignore[index]


def test_tasks_of_one_length_have_no_horizon() -> None:
    """The error names the model; where only a replicate has one length, it lies above or below."""
    table = runs()
    with pytest.raises(Invalid, match="take the same time"):
        fitted(replace(table, minutes=np.full(40, 5.0)))
    two = replace(
        runs(tasks=2),
        family=np.array(["f", "g"]),
        score=np.array([0.9, 0.4]),
        minutes=np.array([2.0, 60.0]),
    )
    told = fitted(two)
    assert {0.0, np.inf} <= set(told.replicates[0, 0].tolist())
    assert told.of("m").warnings[0] is Code.FEW_ITEMS


def test_one_model_and_huge_weights_and_times_are_answered_or_refused() -> None:
    """A hundred million minutes are a time, a weight beyond a thousand million is none."""
    table = runs()
    far = fitted(replace(table, minutes=table.minutes * 1e5)).of("m")
    assert far.point == pytest.approx(fitted(table).of("m").point * 1e5, rel=1e-4)
    for weight in (1e12, 1e-12, np.inf, np.nan):
        with pytest.raises(Invalid, match="weight, row 1"):
            fitted(replace(table, weight=np.full(40, weight)))


def test_a_weight_is_of_model_and_task() -> None:
    """Two weights for the attempts of one task are no weighting that the estimator knows."""
    table = runs(repeats=2)
    with pytest.raises(Invalid, match="weight, row 2"):
        fitted(replace(table, weight=np.arange(1.0, 81.0)))
    with pytest.raises(Invalid, match="source, row 2"):
        fitted(replace(table, source=np.array(["a", "b"] * 40)))


def test_attempts_are_drawn_within_their_task() -> None:
    """Repeats of a task move weight and counts, never the number of tasks; fractions as whole scores do."""
    table = runs(repeats=3, tasks=60)
    told = fitted(table, replicates=300).of("m")
    assert (told.n_items, told.n_runs) == (60, 180)
    nearly = replace(table, score=np.where(table.score == 1, 1 - 1e-9, 0.0))
    other = fitted(nearly, replicates=300).of("m")
    assert other.point == pytest.approx(told.point, rel=1e-6)
    assert np.log([other.low, other.high]) == pytest.approx(
        list(np.log([told.low, told.high])), abs=0.35
    )


def test_bounds_follow_alpha() -> None:
    """A stricter error rate widens the interval and lowers what is said to be at least."""
    table = runs(tasks=120)
    wide, narrow = (time_horizon(table, replicates=200, alpha=a).of("m") for a in (0.01, 0.2))
    assert wide.low < narrow.low < narrow.high < wide.high
    easy = runs(half=600.0)
    strict, loose = (time_horizon(easy, replicates=200, alpha=a).of("m") for a in (0.01, 0.2))
    assert strict.saturated
    assert loose.saturated
    assert strict.low < loose.low


def test_a_trend_leaves_out_what_has_no_horizon() -> None:
    """Nothing solved, or a rising curve: named, and no part of the line."""
    good = [runs(f"m{n}", half=4.0 * 2**n, tasks=100, seed=n) for n in range(4)]
    none = replace(runs("n", tasks=100), score=np.zeros(100))
    up = runs("u", tasks=100)
    table = both(*good, none, replace(up, score=1 - up.score))
    told = fitted(table, replicates=40)
    trend = horizon_trend(told, families_of(told))
    assert trend.left_out == ("n", "u")
    assert trend.models == ("m0", "m1", "m2", "m3")
    assert 0 < trend.replicates <= 40
    assert trend.sd > 0


def test_a_trend_needs_levels_days_and_more_than_bounds() -> None:
    """A level that was not fitted, a day that is none, and models that all exhaust the suite."""
    told = fitted(both(*(runs(f"m{n}", half=900.0, seed=n) for n in range(3))))
    with pytest.raises(Invalid, match="was not fitted"):
        horizon_trend(told, {}, 0.3)
    with pytest.raises(Invalid, match="is no day"):
        horizon_trend(told, {"m0": np.nan})
    assert all(told.of(name).saturated for name in told.models)
    with pytest.raises(Invalid, match="no bound"):
        horizon_trend(told, families_of(told))


def test_a_trend_without_replicates_that_hold_a_line_has_no_interval() -> None:
    """Where every replicate exhausts the suite, the point stands and the interval is everything."""
    told = fitted(both(*(runs(f"m{n}", half=4.0 * 2**n, tasks=100, seed=n) for n in range(3))))
    told = replace(told, replicates=np.full_like(told.replicates, np.inf))
    trend = horizon_trend(told, families_of(told))
    assert (trend.replicates, trend.low, trend.high) == (0, 0.0, np.inf)


def test_the_exhausted_suite_of_a_few_replicates_bounds_at_nought() -> None:
    """Where no replicate has a number, nothing is said to be at least."""
    table = runs(tasks=3)
    model = horizon._model(replace(table, score=np.ones(3)), "m", horizon._tasks(table))
    told = horizon._at_least(model, horizon._tasks(table), 0.5, np.empty(0), 0.05)
    assert told == 0.0


def test_a_ratio_is_paired() -> None:
    """Models that fail the same tasks differ less surely than their intervals apart would say."""
    table = runs("a", tasks=120)
    worse = np.where((table.minutes > 20) & (table.minutes < 60), 0.0, table.score)
    told = fitted(both(table, replace(runs("b", tasks=120), score=worse)), replicates=300)
    ratio = horizon_ratio(told, "a", "b")
    one, other = told.of("a"), told.of("b")
    assert ratio.point == pytest.approx(one.point / other.point)
    assert 1 <= ratio.low < ratio.point < ratio.high
    apart = np.log(one.high / one.low) ** 2 + np.log(other.high / other.low) ** 2
    assert np.log(ratio.high / max(ratio.low, 1e-9)) ** 2 < 0.7 * apart
    turned = horizon_ratio(told, "b", "a")
    assert turned.point == pytest.approx(1 / ratio.point)
    assert turned.low == pytest.approx(1 / ratio.high, rel=0.02)
    assert ratio.replicates == 300


def test_a_ratio_with_an_exhausted_suite_is_open() -> None:
    """Upwards, downwards, or on both sides; of nothing solved nothing is known."""
    names = ("a", "easy", "none")
    zero = replace(runs("none"), score=np.zeros(40))
    table = both(runs("a"), replace(runs("easy"), score=np.ones(40)), zero)
    told = fitted(table, replicates=100)
    assert told.models == names
    up, down = horizon_ratio(told, "easy", "a"), horizon_ratio(told, "a", "easy")
    assert (up.point, up.high, down.point, down.low) == (np.inf, np.inf, 0.0, 0.0)
    assert up.low > 0
    assert horizon_ratio(told, "none", "a").high == 0.0
    twins = replace(told, models=("none", "a", "x"), replicates=np.zeros_like(told.replicates))
    blank = horizon_ratio(twins, "none", "a")
    assert (blank.replicates, blank.low, blank.high) == (0, 0.0, np.inf)


def test_a_ratio_is_of_two_fitted_models() -> None:
    """No such model, one model twice, no such level: each is named."""
    told = fitted(both(runs("a"), runs("b", seed=3)))
    for one, other, level in (("a", "z", 0.5), ("a", "a", 0.5), ("a", "b", 0.3)):
        with pytest.raises(Invalid):
            horizon_ratio(told, one, other, level)


@settings(max_examples=10)
@given(st.floats(1e-3, 1e3), st.integers(0, 1_000))
def test_names_and_the_size_of_weights_say_nothing(size: float, seed: int) -> None:
    """Weights times a constant, and other names in the same order, give the same horizons."""
    table = runs(repeats=2, seed=seed % 20)
    weight = np.repeat(np.random.default_rng(seed).random(40) + 0.1, 2)
    plain = fitted(replace(table, weight=weight), replicates=5)
    scaled = fitted(replace(table, weight=weight * size), replicates=5)
    renamed = replace(
        table,
        weight=weight,
        model=np.array(["other"] * 80),
        task=np.char.add("x", table.task),
        family=np.char.add("y", table.family),
    )
    assert scaled.of("m").point == pytest.approx(plain.of("m").point, rel=1e-9)
    assert fitted(renamed, replicates=5).replicates == pytest.approx(plain.replicates)


def test_a_family_weighs_as_the_square_root_of_its_tasks() -> None:
    """In families of unequal size, handing in 1 / (runs x square root of the family's tasks) changes nothing."""
    table = runs(tasks=40, repeats=2)
    family = np.where(np.arange(80) < 60, "large", "small")
    table = replace(table, family=family)
    rule = 1 / (2 * np.sqrt(np.where(family == "large", 30, 10)))
    plain = fitted(table).of("m").point
    assert fitted(replace(table, weight=rule)).of("m").point == pytest.approx(plain, rel=1e-12)
    even = fitted(replace(table, weight=np.ones(80))).of("m").point
    assert abs(even / plain - 1) > 1e-3


@pytest.mark.parametrize(("failures", "saturated"), [(4, True), (5, False)])
def test_too_few_failures_alone_exhaust_a_suite(failures: int, saturated: bool) -> None:  # noqa: FBT001
    """Four failures above the point are too few, though every replicate lies within the tasks; five are not."""
    many, minutes = 200, np.concatenate([np.full(200, 1.0), np.full(failures, 900.0)])
    size = many + failures
    score = np.concatenate([np.ones(many), np.zeros(failures)])
    score[0] = 0.0
    table = Runs(
        np.array(["m"] * size),
        np.array([f"t{n:03d}" for n in range(size)]),
        np.array(["f"] * many + ["g"] * failures),
        minutes,
        score,
        np.concatenate([np.full(many, 1 / many), np.full(failures, 1 / failures)]),
    )
    told = horizon._horizon(
        horizon._model(table, "m", tasks := horizon._tasks(table)),
        tasks,
        np.full(100, 30.0),
        0.5,
        (-1.0, np.log2(30.0)),
        0.05,
    )
    assert told.saturated is saturated
    assert told.high == (np.inf if saturated else 30.0)


def test_replicates_beyond_the_longest_task_alone_exhaust_a_suite() -> None:
    """Many failures above the point, but an interval that leaves the tasks: only "at least" is said."""
    table = runs(tasks=60)
    tasks = horizon._tasks(table)
    model = horizon._model(table, "m", tasks)
    line = horizon._point(model, tasks)
    inside, beyond = (
        horizon._horizon(model, tasks, np.linspace(10, top, 200), 0.5, line, 0.05)
        for top in (1_000.0, 1_200.0)
    )
    assert (inside.saturated, inside.high < 1_000) == (False, True)
    assert (beyond.saturated, beyond.high) == (True, np.inf)


def test_runs_of_a_task_are_drawn_with_their_own_noise() -> None:
    """Of four runs, three solved, drawn twice: eight draws of three quarters, binomial; halves likewise."""
    for scores, values in (
        (np.array([1.0, 1, 1, 0]), 0.1875),
        (np.array([1.0, 0.5, 0.5, 1]), 0.0625),
    ):
        one = np.zeros(1, dtype=np.int64)
        model = horizon._Model("m", one, one + 4, np.array([0.75]), np.array([0.25]), (scores,))
        drawn = np.full((1, 20_000), 2.0)
        told = horizon._successes(model, drawn, one, 1, np.random.default_rng(1))
        assert told.mean() == pytest.approx(8 * 0.75 * 0.25, rel=0.01)
        assert told.var() == pytest.approx(8 * values * 0.25**2, rel=0.05)


def test_a_saturated_model_keeps_its_bound_in_every_replicate() -> None:
    """What a replicate draws for it moves no slope: it says "at least", and nothing else."""
    at, bounds = np.arange(5.0), np.array([np.nan] * 4 + [3.0])
    y = np.tile(np.array([0.0, 1.1, 1.9, 3.2, 0.0]), (3, 1))
    y[:, 4] = [-8.0, 4.0, 9.0]
    slopes = horizon._slopes(at, bounds, y, np.zeros((3, 5), dtype=np.int64))
    assert slopes == pytest.approx(np.full(3, slopes[0]))
    assert 1.0 < slopes[0] < 1.2


def test_a_ceiling_counts_any_attempt() -> None:
    """A task solved first and failed afterwards is solved."""
    table = runs(tasks=12, repeats=2)
    told = ceilings(replace(table, score=np.tile([1.0, 0.0], 12)))["m"]
    assert told is not None
    assert told.minutes == table.minutes.max()


def test_a_ratio_takes_no_replicate_beyond_the_tasks() -> None:
    """A replicate at a million minutes says "the longest task or more", above and below the line."""
    told = fitted(both(runs("a"), runs("b", seed=3)), replicates=4)
    drawn = told.replicates.copy()
    drawn[0, 0], drawn[1, 0] = 1e6, 64.0
    above = horizon_ratio(replace(told, replicates=drawn), "a", "b")
    assert above.low == pytest.approx(told.longest / 64)
    assert horizon_ratio(replace(told, replicates=drawn), "b", "a").high == pytest.approx(
        64 / told.longest
    )


def test_more_replicates_continue_fewer() -> None:
    """The first blocks are the same whatever is drawn after them, and memory is asked for beforehand."""
    table = both(runs("a", repeats=2), runs("b", seed=3, repeats=2))
    block = horizon.BLOCK
    few, more = (fitted(table, replicates=n).replicates for n in (block, block + 40))
    assert np.array_equal(few, more[:, :, :block], equal_nan=True)
    many = both(*(runs(f"m{n:03d}", tasks=2) for n in range(300)))
    with pytest.raises(Invalid, match="with 300 models, 83,333 at most"):
        fitted(many, replicates=100_000)


def test_the_seed_hardly_decides_whether_a_suite_is_exhausted() -> None:
    """The upper end is given the noise of its own draws: ranks, and everything where nothing was drawn."""
    drawn = np.arange(1.0, 1_001.0)
    assert horizon._surely(drawn, 0.975) == 985.0
    assert horizon._surely(drawn[:20], 0.975) == 20.0
    assert horizon._surely(drawn[:0], 0.975) == np.inf
    table = runs(tasks=60)
    tasks = horizon._tasks(table)
    model = horizon._model(table, "m", tasks)
    noisy = np.concatenate([np.full(980, 50.0), np.full(20, 5_000.0)])
    told = horizon._horizon(model, tasks, noisy, 0.5, horizon._point(model, tasks), 0.05)
    assert np.quantile(noisy, 0.975) < 1_024
    assert told.saturated
