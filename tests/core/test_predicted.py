"""Scores predicted from a sample: exact where it can be checked by hand, and rehearsed on known models."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code
from leadline.core.measure.irt import Responses
from leadline.core.measure.predicted import predict, rehearse

RNG = np.random.default_rng(1)
A, B = np.exp(RNG.normal(0, 0.3, 60)), RNG.normal(size=60)
TRIED = (np.arange(60) % 3 == 0).astype(float)
SOLVED = TRIED * (RNG.random(60) < expit(A * (0.5 - B)))


def simulated(models: int = 60, items: int = 120, seed: int = 1) -> Responses:
    """Answers as the model has them."""
    rng = np.random.default_rng(seed)
    theta, b = rng.normal(size=models), rng.normal(size=items)
    solved = (rng.random((models, items)) < expit(theta[:, None] - b)).astype(float)
    names = tuple(f"m{n}" for n in range(models)), tuple(f"i{n}" for n in range(items))
    return Responses(*names, solved, np.ones_like(solved))


def test_the_mean_is_the_models_to_the_last_digits() -> None:
    """What was seen as it is, the rest by an integral over the ability's posterior."""
    told = predict(A, B, SOLVED, TRIED)

    def weight(theta: float) -> float:
        z = A * (theta - B)
        seen = SOLVED * z - TRIED * np.logaddexp(0, z)
        return float(np.exp(seen.sum() - theta**2 / 2 + 15))

    def rest(theta: float) -> float:
        return weight(theta) * float(((1 - TRIED) * expit(A * (theta - B))).sum())

    expected = quad(rest, -6, 6, limit=200)[0] / quad(weight, -6, 6, limit=200)[0]
    assert told.point == pytest.approx((SOLVED.sum() + expected) / 60, abs=1e-8)
    assert (told.n_items, told.seen, told.n_runs, told.method) == (60, 20, 20, "p-irt")
    assert told.shown == pytest.approx(SOLVED.sum() / 20)
    assert told.low < told.point < told.high


def test_the_spread_is_that_of_the_answers_to_come() -> None:
    """By the law of total variance over every outcome of two items left, at the posterior's nodes."""
    a, b = np.ones(12), np.linspace(-1, 1, 12)
    trials = np.array([1.0] * 10 + [0, 0])
    solved = np.array([1.0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0])
    nodes = np.linspace(-8, 8, 4_001)
    z = nodes[:, None] - b
    weight = np.exp((solved * z - trials * np.logaddexp(0, z)).sum(axis=1) - nodes**2 / 2)
    weight /= weight.sum()
    p = expit(z[:, 10:])
    mean = square = 0.0
    for outcome in product((0, 1), repeat=2):
        chance = float(weight @ np.prod(np.where(outcome, p, 1 - p), axis=1))
        mean += chance * sum(outcome)
        square += chance * sum(outcome) ** 2
    told = predict(a, b, solved, trials)
    assert told.sd * 12 == pytest.approx(np.sqrt(square - mean**2), abs=1e-6)


def test_a_whole_row_is_known() -> None:
    """With nothing left there is no error, and the interval is the score."""
    told = predict(A, B, (B < 0).astype(float), np.ones(60))
    assert told.point == told.low == told.high == pytest.approx((B < 0).mean())


def test_several_runs_of_an_item_count_as_one_item() -> None:
    """Two of four runs are half an item seen, whatever the number of runs."""
    twice = predict(A, B, 0.5 * np.ones(60) * 4, np.ones(60) * 4)
    assert twice.point == pytest.approx(0.5)
    assert twice.n_runs == 240


def test_an_interval_stays_where_the_score_can_be() -> None:
    """It never reaches below what was solved nor above what is still open; it widens as asked."""
    none = predict(A, B, 0 * TRIED, TRIED, widening=50.0)
    assert none.low == 0.0
    assert none.high == pytest.approx(40 / 60)
    plain, wide = (predict(A, B, SOLVED, TRIED, widening=w) for w in (1.0, 1.5))
    assert wide.high - wide.point == pytest.approx(1.5 * (plain.high - plain.point))
    strict = predict(A, B, SOLVED, TRIED, alpha=0.01)
    assert strict.high > plain.high


def test_few_items_seen_are_flagged() -> None:
    """Below ten, read the interval."""
    tried = (np.arange(60) < 5).astype(float)
    assert predict(A, B, 0 * tried, tried).warnings == (Code.FEW_ITEMS,)
    assert predict(A, B, SOLVED, TRIED).warnings == ()


@pytest.mark.parametrize(
    ("row", "options", "field"),
    [
        ((A[:9], B[:9], SOLVED[:9], TRIED[:9]), {}, "items"),
        ((A, B, SOLVED, 0 * TRIED), {}, "solved"),
        ((A, B, SOLVED * np.nan, TRIED), {}, "solved"),
        ((A, B, SOLVED + 2, TRIED), {}, "solved"),
        ((A, B, SOLVED, TRIED), {"widening": 0.5}, "widening"),
        ((A, B, SOLVED, TRIED), {"widening": np.nan}, "widening"),
        ((A, B, SOLVED, TRIED), {"alpha": 0.0}, "alpha"),
    ],
)
def test_what_cannot_be_predicted_is_refused(
    row: tuple[np.ndarray, ...], options: dict[str, float], field: str
) -> None:
    """Few items, nothing tried, numbers out of range: each is named."""
    with pytest.raises(Invalid) as raised:
        predict(*row, **options)  # type: ignore[arg-type]
    assert raised.value.field == field


def test_rehearsals_beat_the_plain_mean_and_cover() -> None:
    """Where the model is true its errors are smaller than the sample's, and its intervals hold."""
    told = rehearse(simulated(), 30, seed=1, draws=20)
    assert (len(told.models), told.errors.shape) == (60, (60, 20))
    assert told.mae < 0.92 * told.plain_mae
    assert 0.9 < told.covered < 0.99
    assert 1 <= told.widening < 1.3
    assert abs(told.errors.mean()) < 0.01


def test_a_rehearsal_of_later_models_knows_only_earlier_ones() -> None:
    """The second half is predicted; what it answered cannot have moved the items it is predicted by."""
    given = simulated()
    told = rehearse(given, 30, seed=1, draws=5, holdout="temporal")
    assert told.models == given.models[30:]
    turned = given.solved.copy()
    turned[31:] = 1 - turned[31:]
    other = rehearse(replace(given, solved=turned), 30, seed=1, draws=5, holdout="temporal")
    assert other.errors[0] == pytest.approx(told.errors[0])
    assert np.abs(other.errors[1:]).mean() > told.mae


def test_cells_that_were_not_tried_are_no_part_of_a_score() -> None:
    """A model with half of the items is rehearsed on these."""
    given = simulated()
    trials = given.trials.copy()
    trials[3, :60] = 0
    told = rehearse(
        replace(given, solved=given.solved * trials, trials=trials), 30, seed=1, draws=5
    )
    row = told.models.index("m3")
    assert np.abs(told.errors[row]).max() < 0.35


def test_a_wrong_model_is_widened() -> None:
    """Answers that come in blocks have larger errors than the model allows: the factor says so."""
    given = simulated(60, 120)
    rng = np.random.default_rng(6)
    blocks = np.repeat(rng.normal(0, 2.5, (60, 4)), 30, axis=1)
    theta, b = rng.normal(size=60), rng.normal(size=120)
    solved = (rng.random((60, 120)) < expit(theta[:, None] + blocks - b)).astype(float)
    told = rehearse(replace(given, solved=solved), 20, seed=1, draws=20)
    assert told.widening > 1.05


@pytest.mark.parametrize(
    ("seen", "options", "field"),
    [
        (9, {}, "seen"),
        (120, {}, "seen"),
        (30, {"folds": 1}, "folds, draws"),
        (30, {"folds": 61}, "folds, draws"),
        (30, {"draws": 0}, "folds, draws"),
        (30, {"alpha": 2.0}, "alpha"),
    ],
)
def test_a_rehearsal_that_cannot_be_is_refused(
    seen: int, options: dict[str, object], field: str
) -> None:
    """Sample, folds and draws out of range are named."""
    with pytest.raises(Invalid) as raised:
        rehearse(simulated(), seen, seed=1, **options)  # type: ignore[arg-type]
    assert raised.value.field == field


def test_one_earlier_model_fits_nothing() -> None:
    """Three models leave one to learn from."""
    with pytest.raises(Invalid, match="1 are left to fit"):
        rehearse(simulated(3), 30, seed=1, holdout="temporal")
