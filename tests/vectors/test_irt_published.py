"""SWE-bench Verified: the source's own estimates agree with ours, and scores are predicted from samples."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from leadline.core.measure.irt import Responses, fit_irt, theta_at
from leadline.core.measure.linking import on_scale
from leadline.core.measure.misfit import calibration_lz, person_fit
from leadline.core.measure.predicted import Holdout, rehearse
from vectors.stats import published_1pl, swe_bench


def test_abilities_and_difficulties_are_those_of_the_source(vectors: Path) -> None:
    """Up to scale and prior: correlations of abilities and of difficulties that the data speaks of."""
    fit = fit_irt(swe_bench(vectors), rasch=True)
    theta, b = published_1pl(vectors, "abilities", "theta"), published_1pl(vectors, "items", "b")
    own = fit.prior_driven
    assert own.sum() == 32
    abilities = np.corrcoef(fit.theta, [theta[name] for name in fit.models])[0, 1]
    told = np.array([b[name] for name in fit.items])
    assert abilities > 0.997
    assert np.corrcoef(fit.b[~own], told[~own])[0, 1] > 0.997


@pytest.mark.parametrize(("holdout", "most"), [("folds", 0.022), ("temporal", 0.024)])
def test_a_fifth_of_the_items_predicts_the_score(
    vectors: Path, holdout: Holdout, most: float
) -> None:
    """From 100 of 500 items, mean of 50 draws: 2.2 points ten-fold, 2.4 for later agents by earlier ones."""
    told = rehearse(swe_bench(vectors), 100, seed=1, draws=50, holdout=holdout)
    assert told.mae <= most
    assert told.mae < 0.75 * told.plain_mae
    assert told.covered > 0.92


def test_the_strategic_agent_is_a_rare_pattern_and_honest_ones_are_not(vectors: Path) -> None:
    """One that fails the items that tell most about one half lies below nine in ten honest agents."""
    given = swe_bench(vectors)
    fit = fit_irt(given)
    best = int(fit.theta.argmax())
    fewer = np.flatnonzero(np.arange(134) % 6 == 0)
    part = Responses(
        tuple(given.models[n] for n in fewer),
        given.items,
        given.solved[fewer],
        given.trials[fewer],
    )
    honest = calibration_lz(part, fit_irt(part))
    feigned = given.solved[best].copy()
    p = expit(fit.a * (theta_at(fit.a, fit.b, 0.5) - fit.b))
    feigned[np.argsort(-(fit.a**2) * p * (1 - p), kind="stable")[:50]] = 0
    own = (fit.a, fit.b, given.solved[best], given.trials[best])
    fair = person_fit(*own, seed=1, replicates=99, calibration=honest)
    found = person_fit(
        fit.a, fit.b, feigned, given.trials[best], seed=1, replicates=99, calibration=honest
    )
    assert found.lz < fair.lz - 2
    assert found.rank is not None
    assert fair.rank is not None
    assert found.rank < 0.1 < fair.rank
    assert found.p <= 0.05


def test_the_scale_has_its_reference_and_intervals(vectors: Path) -> None:
    """In points the best agent stands where its logits put it, and the reference has no interval."""
    given = swe_bench(vectors)
    fit = fit_irt(given)
    name = given.models[60]
    told = on_scale(given, fit, reference=name, reference_points=1000.0, seed=0, replicates=40)
    placed = {one.model: one for one in told.models}
    assert placed[name].points == placed[name].low == placed[name].high == 1000.0
    best = placed[given.models[int(fit.theta.argmax())]]
    assert 1000.0 < best.low < best.points < best.high
