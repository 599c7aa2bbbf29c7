"""Item response: recovery, missing cells, person fit, differential functioning, and the scale."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as drawing
from hypothesis import settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp

from leadline.core.errors import Invalid
from leadline.core.measure import irt
from leadline.core.measure.estimate import Code
from leadline.core.measure.irt import (
    FEW_MODELS,
    Responses,
    ability,
    expected_score,
    fit_irt,
    information,
    item_fit,
    theta_at,
    wright_map,
)

A, B = np.ones(40), np.linspace(-2, 2, 40)
ONE = np.ones(40)


def drawn(
    models: int = 60, items: int = 40, seed: int = 1, sd: float = 0.3
) -> tuple[Responses, np.ndarray, np.ndarray, np.ndarray]:
    """Answers of models with normal abilities, and the true theta, a and b."""
    rng = np.random.default_rng(seed)
    theta, b = rng.normal(size=models), rng.normal(size=items)
    a = np.exp(rng.normal(0, sd, items))
    solved = (rng.random((models, items)) < expit(a * (theta[:, None] - b))).astype(float)
    solved[0], solved[1] = 0, 1
    names = tuple(f"m{n}" for n in range(models)), tuple(f"i{n}" for n in range(items))
    return Responses(*names, solved, np.ones_like(solved)), theta, a, b


def r(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation."""
    return float(np.corrcoef(one, other)[0, 1])


def test_simulated_parameters_are_recovered() -> None:
    """Of 400 models by 60 items, difficulties, abilities and discriminations come back."""
    given, theta, a, b = drawn(400, 60, sd=0.5)
    fit = fit_irt(given)
    assert not fit.rasch
    assert fit.converged
    assert r(fit.b, b) > 0.98
    assert r(fit.theta[2:], theta[2:]) > 0.93
    assert r(np.log(fit.a), np.log(a)) > 0.8
    covered = np.abs(fit.theta - theta)[2:] < 1.96 * fit.theta_sd[2:]
    assert 0.9 < covered.mean() < 0.98


def test_few_models_get_rasch() -> None:
    """Below thirty models every discrimination is one unless asked otherwise."""
    given, *_ = drawn(FEW_MODELS - 1)
    assert (fit_irt(given).a == 1).all()
    assert (fit_irt(given, rasch=False).a != 1).any()
    with pytest.raises(ValueError, match="read-only"):
        fit_irt(given).b[0] = 0


def test_missing_cells_change_nothing_but_information() -> None:
    """What was not tried is no failure: the fit of half the cells is near the whole, and less sure."""
    given, _, _, b = drawn(300, 40)
    rng = np.random.default_rng(2)
    seen = (rng.random(given.solved.shape) < 0.5).astype(float)
    part = replace(given, solved=given.solved * seen, trials=seen)
    whole, half = fit_irt(given, rasch=True), fit_irt(part, rasch=True)
    assert r(half.b, b) > 0.95
    assert abs(half.b.mean() - whole.b.mean()) < 0.15
    assert half.theta_sd.mean() > 1.2 * whole.theta_sd.mean()


def test_several_trials_are_so_many_answers() -> None:
    """Three of three at one item tell more than one of one."""
    one, three = ability(A, B, ONE * (B < 0), ONE), ability(A, B, 3 * ONE * (B < 0), 3 * ONE)
    assert three.sd < one.sd
    assert one.theta == pytest.approx(three.theta, abs=0.2)


def test_items_solved_by_all_or_none_are_the_priors() -> None:
    """They are marked, and so is the fit."""
    given, *_ = drawn()
    solved = given.solved.copy()
    solved[:, 0], solved[:, 1] = 0, 1
    fit = fit_irt(replace(given, solved=solved))
    assert fit.prior_driven[:2].tolist() == [True, True]
    assert Code.PRIOR_DRIVEN in fit.warnings
    assert fit.b[0] > 2 > -2 > fit.b[1]


def test_human_minutes_help_where_answers_are_few() -> None:
    """With six models the difficulties lie nearer the truth when minutes speak of them."""
    given, _, _, b = drawn(8, 60, seed=5)
    minutes = np.exp2(3 + 2 * b)
    minutes[::7] = np.nan
    plain, helped = fit_irt(given), fit_irt(replace(given, minutes=minutes))
    assert r(helped.b, b) > r(plain.b, b) + 0.05
    flat = fit_irt(replace(given, minutes=np.full(60, 5.0)))
    assert np.allclose(flat.b, plain.b)


def test_cut_off_before_it_settles_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fit that was not finished is no fit to rely on."""
    monkeypatch.setattr(irt, "ROUNDS_MAX", 2)
    fit = fit_irt(drawn()[0])
    assert not fit.converged
    assert Code.UNSETTLED in fit.warnings


def bad(**changes: object) -> Responses:
    """Responses with something changed."""
    return replace(drawn(12)[0], **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (bad(models=("m",), solved=np.ones((1, 40)), trials=np.ones((1, 40))), "responses"),
        (bad(items=tuple("abcdefghi")), "responses"),
        (bad(models=("m0",) * 12), "models"),
        (bad(items=("i0",) * 40), "items"),
        (bad(solved=np.ones((3, 40))), "solved"),
        (bad(trials=np.full((12, 40), np.nan)), "trials, m0, i0"),
        (bad(solved=np.full((12, 40), -1.0)), "solved, m0, i0"),
        (bad(solved=np.full((12, 40), 2.0)), "solved, m0, i0"),
        (bad(solved=np.zeros((12, 40)), trials=np.eye(12, 40)), "items"),
        (
            bad(
                solved=np.zeros((12, 40)), trials=np.vstack([np.zeros((1, 40)), np.ones((11, 40))])
            ),
            "models",
        ),
        (bad(trials=np.full((12, 40), 1e300)), "trials, m0, i0"),
        (bad(minutes=np.full(40, 1e12)), "minutes, i0"),
        (bad(minutes=np.ones(3)), "minutes"),
        (bad(minutes=np.zeros(40)), "minutes, i0"),
    ],
)
def test_responses_that_cannot_be_are_refused(given: Responses, field: str) -> None:
    """The error names the model and the item, and no number comes of it."""
    with pytest.raises(Invalid) as raised:
        fit_irt(given)
    assert raised.value.field == field


def test_a_table_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded beforehand."""
    monkeypatch.setattr(irt, "CELLS_MAX", 100)
    with pytest.raises(Invalid, match="at most 100"):
        fit_irt(drawn()[0])


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ((A[:3], B, ONE, ONE), "b"),
        ((A, B * np.nan, ONE, ONE), "b"),
        ((-A, B, ONE, ONE), "a"),
        ((A * 1e9, B, ONE, ONE), "a"),
        ((A, B * 1e9, ONE, ONE), "b"),
        ((A, B, ONE, ONE * 1e300), "trials"),
        ((A, B, 2 * ONE, ONE), "solved"),
        ((A, B, 0 * ONE, 0 * ONE), "solved"),
    ],
)
def test_a_row_that_cannot_be_is_refused(row: tuple[np.ndarray, ...], field: str) -> None:
    """Shapes, signs and counts are looked at before anything is computed."""
    with pytest.raises(Invalid) as raised:
        ability(*row)
    assert raised.value.field == field


def test_the_ability_at_a_score_expects_that_score() -> None:
    """The characteristic curve and its inverse agree; a score of one is expected nowhere."""
    theta = theta_at(A, B, 0.7)
    assert expected_score(A, B, theta)[0] == pytest.approx(0.7)
    assert expected_score(A, B, [-1, 0, 1]) == pytest.approx([0.316, 0.5, 0.684], abs=3e-3)
    with pytest.raises(Invalid, match="no ability"):
        theta_at(A, B, 1.0)


def test_information_is_largest_where_the_items_are() -> None:
    """An item tells most at its own difficulty: a^2 / 4."""
    told = information(np.array([2.0]), np.array([0.5]), [-1, 0.5, 2])
    assert told[1] == pytest.approx(1.0)
    assert told[1] > max(told[0], told[2])


def test_items_that_better_models_fail_are_flagged() -> None:
    """A reversed item has a negative discrimination; the others are left alone."""
    given, *_ = drawn(200, 30)
    solved = given.solved.copy()
    solved[:, 0] = 1 - solved[:, 0]
    given = replace(given, solved=solved)
    told = item_fit(given, fit_irt(given))
    assert [one.item for one in told if one.flagged] == ["i0"]
    assert told[0].residual > 5 * float(np.median([one.residual for one in told]))
    with pytest.raises(Invalid, match="bins"):
        item_fit(given, fit_irt(given), bins=1)
    assert len(told) == len(given.items)


def test_item_fit_of_constant_items_is_a_number() -> None:
    """An item with one outcome has no discrimination, and is not flagged."""
    given, *_ = drawn(40)
    solved, trials = given.solved.copy(), given.trials.copy()
    solved[:, 0] = 0
    trials[2:, 1], solved[2:, 1] = 0, 0
    told = item_fit(replace(given, solved=solved, trials=trials), fit_irt(given), bins=30)
    assert (told[0].discrimination, told[0].flagged) == (0.0, False)


def test_the_map_holds_items_models_and_the_threshold() -> None:
    """One scale: difficulties, abilities with their sd, information, and where a score is expected."""
    given, *_ = drawn()
    fit = fit_irt(given)
    told = wright_map(fit, 0.5)
    assert [name for name, _ in told.items] == list(given.items)
    assert len(told.models) == len(given.models)
    assert told.threshold is not None
    assert expected_score(fit.a, fit.b, told.threshold)[0] == pytest.approx(0.5)
    assert told.at_threshold == pytest.approx(information(fit.a, fit.b, told.threshold)[0])
    assert wright_map(fit, points=(0.0,)).threshold is None
    assert len(wright_map(fit, points=(0.0,)).information) == 1


def test_a_fit_may_begin_at_another() -> None:
    """It ends where it would have ended, in fewer rounds; another table's fit is refused."""
    given, *_ = drawn(60, 40)
    cold = fit_irt(given)
    warm = fit_irt(given, start=cold)
    assert warm.rounds < cold.rounds
    assert np.abs(warm.b - cold.b).max() < 0.02
    assert (fit_irt(given, rasch=True, start=cold).a == 1).all()
    with pytest.raises(Invalid, match="other items"):
        fit_irt(drawn(60, 41)[0], start=cold)


def test_what_a_doubling_of_minutes_is_worth_is_told() -> None:
    """The prior's slope is learnt in the fit; without minutes, or with one time for all, there is none."""
    given, _, _, b = drawn(200, 60, seed=6)
    minutes = np.exp2(3 + b / 0.6)
    assert fit_irt(replace(given, minutes=minutes)).by_minutes == pytest.approx(0.6, abs=0.06)
    assert np.isnan(fit_irt(given).by_minutes)
    assert np.isnan(fit_irt(replace(given, minutes=np.full(60, 5.0))).by_minutes)


def test_families_move_the_prior_with_the_minutes() -> None:
    """Where a family is harder than its minutes say, few answers come out nearer the truth with it."""
    rng = np.random.default_rng(13)
    family = tuple(f"f{n % 3}" for n in range(60))
    apart = np.array([(-2.0, 0.0, 2.0)[n % 3] for n in range(60)])
    x = rng.normal(0, 1, 60)
    b = 0.5 * x + apart + rng.normal(0, 0.2, 60)
    solved = (rng.random((6, 60)) < expit(rng.normal(0, 1, (6, 1)) - b)).astype(float)
    names = tuple(f"m{n}" for n in range(6)), tuple(f"i{n}" for n in range(60))
    given = Responses(*names, solved, np.ones((6, 60)), np.exp2(4 + x))
    plain, helped = fit_irt(given), fit_irt(replace(given, family=family))
    assert np.abs(helped.b - b).mean() < 0.85 * np.abs(plain.b - b).mean()
    assert fit_irt(replace(given, family=("f",) * 60)).b == pytest.approx(plain.b)


def test_an_item_without_a_time_is_the_least_known() -> None:
    """Its prior has the mean of the others and is wider than theirs."""
    given, _, _, b = drawn(20, 40, seed=7)
    minutes = np.exp2(3 + 2 * b)
    minutes[:5] = np.nan
    given = replace(given, minutes=minutes)
    times = irt._times(given)
    assert times is not None
    priors = irt._priors(given, times, b, np.zeros(40))
    assert (priors.b_sd[:5] > priors.b_sd[5]).all()
    assert priors.b_mean[:5] == pytest.approx(np.full(5, priors.b_mean[5:].mean()))


def test_families_are_one_for_each_item() -> None:
    """A list of another length is refused."""
    with pytest.raises(Invalid, match="family"):
        fit_irt(bad(family=("f",)))


def test_a_fit_is_the_optimum_of_its_likelihood() -> None:
    """By an independent optimiser over all parameters: the penalised marginal likelihood's maximum."""
    given, *_ = drawn(80, 12, seed=8)
    fit = fit_irt(given, rasch=False)
    nodes, log_weight = irt._nodes()

    def loss(at: np.ndarray) -> float:
        log_a, b = at[:12], at[12:]
        z = np.exp(log_a)[:, None] * (nodes - b[:, None])
        log_p = given.solved @ log_expit(z) + (1 - given.solved) @ log_expit(-z) + log_weight
        prior = (log_a**2).sum() / (2 * irt.LOG_A_SD**2) + (b**2).sum() / (2 * irt.B_SD**2)
        return float(prior - logsumexp(log_p, axis=1).sum())

    own = np.concatenate([np.log(fit.a), fit.b])
    other = minimize(loss, own, method="BFGS")
    assert loss(own) - other.fun < 0.01
    assert np.abs(other.x - own).max() < 0.03


def test_several_rows_are_as_each_alone() -> None:
    """Abilities of a table are those of its rows, whoever stands beside them."""
    given, *_ = drawn(5, 40)
    theta, sd = irt.abilities(A, B, given.solved, given.trials)
    for row in range(5):
        one = ability(A, B, given.solved[row], given.trials[row])
        assert (one.theta, one.sd) == pytest.approx((theta[row], sd[row]), abs=1e-9)


@pytest.mark.soak
def test_two_thousand_models_at_a_thousand_items_are_recovered() -> None:
    """Correlation of b above .99 and of log a above .97; Rasch data gives discriminations of one."""
    rng = np.random.default_rng(14)
    theta, b = rng.normal(size=2_000), rng.normal(size=1_000)
    names = tuple(f"m{n}" for n in range(2_000)), tuple(f"i{n}" for n in range(1_000))
    for spread in (0.4, 0.0):
        a = np.exp(rng.normal(0, spread, 1_000))
        solved = (rng.random((2_000, 1_000)) < expit(a * (theta[:, None] - b))).astype(float)
        fit = fit_irt(Responses(*names, solved, np.ones_like(solved)))
        assert r(fit.b, b) > 0.99
        if spread:
            assert r(np.log(fit.a), np.log(a)) > 0.97
        else:
            plain = fit_irt(Responses(*names, solved, np.ones_like(solved)), rasch=True)
            assert np.abs(np.log(fit.a)).mean() < 0.1
            assert r(plain.b, fit.b) > 0.995


def test_models_that_solve_nothing_or_everything_have_an_ability() -> None:
    """All-zero and all-one rows, and a table of nothing but noughts: finite, ordered, and less sure."""
    given, *_ = drawn(40)
    fit = fit_irt(given)
    assert fit.theta[0] == fit.theta.min()
    assert fit.theta[1] == fit.theta.max()
    assert np.isfinite(fit.theta).all()
    assert min(fit.theta_sd[0], fit.theta_sd[1]) > float(np.median(fit.theta_sd))
    nothing = fit_irt(replace(given, solved=np.zeros_like(given.solved)))
    assert nothing.prior_driven.all()
    assert np.ptp(nothing.theta) == pytest.approx(0, abs=1e-9)
    assert Code.PRIOR_DRIVEN in nothing.warnings


def test_epochs_are_trials_of_an_item_not_items() -> None:
    """Three runs of each item in three trials are surer than one run, and no surer than the runs are."""
    rng = np.random.default_rng(15)
    once, theta, a, b = drawn(60, 40, sd=0.0)
    p = expit(a * (theta[:, None] - b))
    thrice = rng.binomial(3, p).astype(float)
    fit = fit_irt(replace(once, solved=thrice, trials=np.full_like(thrice, 3)), rasch=True)
    assert len(fit.items) == 40
    assert r(fit.theta, theta) > r(fit_irt(once, rasch=True).theta[2:], theta[2:])


@settings(max_examples=8)
@drawing(st.integers(0, 1_000))
def test_the_order_of_models_and_items_says_nothing(seed: int) -> None:
    """Rows and columns in another order give the same numbers, with other names."""
    given, *_ = drawn(35, 15, seed=seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(35), rng.permutation(15)
    turned = Responses(
        tuple(f"x{n}" for n in rows),
        tuple(f"y{n}" for n in columns),
        given.solved[np.ix_(rows, columns)],
        given.trials[np.ix_(rows, columns)],
    )
    fit, other = fit_irt(given), fit_irt(turned)
    assert other.theta == pytest.approx(fit.theta[rows], abs=1e-7)
    assert other.b == pytest.approx(fit.b[columns], abs=1e-7)


@settings(max_examples=8)
@drawing(st.integers(0, 1_000))
def test_solving_more_never_lowers_an_ability(seed: int) -> None:
    """One more item solved moves the ability up."""
    rng = np.random.default_rng(seed)
    solved = (rng.random(40) < 0.5).astype(float)
    solved[int(rng.integers(40))] = 0
    more = solved.copy()
    more[int(np.flatnonzero(solved == 0)[0])] = 1
    a = np.exp(rng.normal(0, 0.5, 40))
    assert ability(a, B, more, ONE).theta > ability(a, B, solved, ONE).theta


def test_difficulties_that_are_hardly_known_keep_their_prior_wide() -> None:
    """The prior's spread counts how unsure the difficulties are, and does not fall on few answers."""
    given, _, _, b = drawn(20, 40, seed=7)
    given = replace(given, minutes=np.exp2(3 + 2 * b))
    times = irt._times(given)
    assert times is not None
    sure, unsure = (irt._priors(given, times, b, np.full(40, s)).b_sd[0] for s in (0.0, 4.0))
    assert sure == irt.MINUTES_SD_MIN
    assert unsure == pytest.approx(2.0)
