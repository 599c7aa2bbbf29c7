"""Regressions of many replicates at once, against independent solvers of one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, root
from scipy.stats import norm

from leadline.core.measure import regression
from leadline.core.measure.regression import (
    FLOOR,
    PENALTY,
    censored_line,
    logistic,
    profile,
)


def loss(at: np.ndarray, x: np.ndarray, solved: np.ndarray, weight: np.ndarray) -> float:
    """What a logistic fit minimises, at (slope, intercept)."""
    z = at[0] * x + at[1]
    return float((weight * np.logaddexp(0, z) - solved * z).sum() + PENALTY / 2 * at[0] ** 2)


def turn(at: np.ndarray, x: np.ndarray, solved: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The derivative of `loss`."""
    left = weight / (1 + np.exp(-(at[0] * x + at[1]))) - solved
    return np.array([left @ x + PENALTY * at[0], left.sum()])


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 40),
    st.sampled_from([0.01, 1.0, 6.0, 40.0]),
    st.floats(-30, 30),
)
def test_a_fit_is_the_only_optimum(seed: int, size: int, steep: float, middle: float) -> None:
    """Whatever the data, the objective's derivative is nought at every column's answer."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 3, size) + middle
    x[0] += 1e-3
    weight = rng.random((size, 5)) + 0.01
    weight /= weight.sum(axis=0)
    share = 1 / (1 + np.exp(steep * (x[:, None] - middle) + rng.normal(size=(size, 5))))
    solved = weight * np.clip(share, 1e-6, 1 - 1e-6)
    slopes, intercepts = logistic(x, solved, weight)
    for n in range(5):
        rise = turn(np.array([slopes[n], intercepts[n]]), x, solved[:, n], weight[:, n])
        assert np.abs(rise) == pytest.approx(0, abs=1e-9 * (1 + np.abs(x).max()))


def test_an_independent_solver_ends_where_we_do() -> None:
    """Powell's hybrid method finds the same slope and intercept of each column, to a billionth."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=30)
    weight = rng.random((30, 5))
    solved = weight * rng.random((30, 5))
    slopes, intercepts = logistic(x, solved, weight)
    for n in range(5):
        other = root(turn, [0.0, 0.0], (x, solved[:, n], weight[:, n]), tol=1e-14)
        assert [slopes[n], intercepts[n]] == pytest.approx(list(other.x), abs=1e-9)


def test_where_it_begins_moves_no_optimum() -> None:
    """From a far start, and alone or among others, a column has the same answer."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=50)
    weight = rng.random((50, 8))
    solved = weight * rng.random((50, 8))
    plain = np.array(logistic(x, solved, weight))
    far = np.array(logistic(x, solved, weight, start=(-6.0, 9.0)))
    alone = np.array([logistic(x, solved[:, [n]], weight[:, [n]]) for n in range(8)])[:, :, 0].T
    assert far == pytest.approx(plain, abs=1e-11)
    assert alone == pytest.approx(plain, abs=1e-11)


def test_what_separates_perfectly_is_held_by_the_penalty() -> None:
    """Without overlap the slope is finite and the halfway point lies between the two sides."""
    solved = np.array([[1.0, 1.0, 0.0, 0.0]]).T / 4
    slope, intercept = logistic(np.array([0.0, 1.0, 4.0, 5.0]), solved, np.full((4, 1), 0.25))
    assert np.isfinite(slope[0])
    assert 1 < -intercept[0] / slope[0] < 4


def test_what_does_not_settle_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off after a step, the answer is nan."""
    monkeypatch.setattr(regression, "STEPS_MAX", 1)
    x = np.arange(4.0)
    slope, intercept = logistic(x, np.array([[0.9, 0.6, 0.5, 0.1]]).T, np.ones((4, 1)))
    assert np.isnan([slope[0], intercept[0]]).all()


def test_a_profile_is_the_least_loss_of_falling_curves() -> None:
    """At every place, no slope at most nought does better; a rising one is not taken."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=25)
    weight = np.full(25, 1 / 25)
    solved = weight / (1 + np.exp(1.3 * x + 0.4))
    places = np.array([-4.0, -0.5, 0.1, 3.0])
    told = profile(x, solved, weight, places, 0.3)
    for at, least in zip(places, told, strict=True):
        tried = [
            loss(np.array([b, 0.3 - b * at]), x, solved, weight) for b in -np.linspace(0, 20, 4_001)
        ]
        assert least == pytest.approx(min(tried), abs=1e-6)
        assert least <= min(tried) + 1e-9


def line_loss(at: np.ndarray, x: np.ndarray, y: np.ndarray, side: np.ndarray) -> float:
    """The censored regression's loss in its plain parameters: intercept, slope, log sd."""
    sd = float(np.exp(at[2]))
    left = (y - at[0] - at[1] * x) / sd
    seen = norm.logpdf(left) - at[2]
    each = np.where(side == 0, seen, norm.logcdf(-side * left))
    return float(-each.sum() + (FLOOR / sd) ** 2 / 2)


def test_a_censored_line_is_the_likeliest() -> None:
    """With bounds from below and above, an independent solver finds no better line."""
    rng = np.random.default_rng(6)
    x = np.linspace(-2, 5, 12)
    y = 1 + 0.7 * x + rng.normal(0, 0.5, (4, 12))
    side = np.zeros((4, 12), dtype=np.int64)
    side[1, -3:], side[2, :2], side[3, [0, -1]] = 1, -1, [-1, 1]
    intercepts, slopes, sds = censored_line(x, y, side)
    assert [intercepts[0], slopes[0]] == pytest.approx(np.polyfit(x, y[0], 1)[::-1])
    for n in range(4):
        own = np.array([intercepts[n], slopes[n], np.log(sds[n])])
        other = minimize(line_loss, own + 0.3, (x, y[n], side[n]), method="BFGS")
        assert other.x == pytest.approx(own, abs=1e-4)
        assert line_loss(own, x, y[n], side[n]) <= other.fun + 1e-9


def test_a_bound_pulls_only_where_it_is_broken() -> None:
    """A lower bound far below the line says nothing; one above it lifts the line."""
    x = np.arange(6.0)
    y = np.array([[0, 1.1, 1.9, 3.1, 4.0, v] for v in (-40.0, 9.0)])
    side = np.array([[0, 0, 0, 0, 0, 1]] * 2)
    slopes = censored_line(x, y, side)[1]
    assert slopes[0] == pytest.approx(np.polyfit(x[:5], y[0, :5], 1)[0], abs=1e-6)
    assert slopes[1] > slopes[0] + 0.1


def test_a_value_that_is_missing_says_nothing() -> None:
    """Not a number in a row is as if the column were not there."""
    x = np.arange(6.0)
    y = np.array([0.3, 1.1, 1.7, 3.3, 4.0, 4.6])
    missing = y.copy()
    missing[2] = np.nan
    kept = [0, 1, 3, 4, 5]
    whole = censored_line(x, missing[None], np.zeros((1, 6), dtype=np.int64))
    part = censored_line(x[kept], y[None, kept], np.zeros((1, 5), dtype=np.int64))
    assert [float(one[0]) for one in whole] == pytest.approx([float(one[0]) for one in part])


def test_points_on_a_line_have_a_floor_under_their_spread() -> None:
    """Two values and a bound fit exactly: the sd is the floor's, and a number."""
    told = censored_line(np.arange(3.0), np.array([[0.0, 1.0, 1.5]]), np.array([[0, 0, 1]]))
    assert 0 < told[2][0] < 0.5
    assert told[1][0] == pytest.approx(1.0, abs=0.05)


def test_a_line_that_does_not_settle_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off after a step, the answer is nan."""
    monkeypatch.setattr(regression, "LINE_STEPS_MAX", 1)
    y = np.array([[0.0, 1.0, 5.0, 2.0]])
    assert np.isnan(censored_line(np.arange(4.0), y, np.array([[0, 0, 0, 1]]))[1][0])
