"""Person fit and differential functioning: what is seen, what is not, and how strongly it is said."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code
from leadline.core.measure.irt import Responses, ability, fit_irt
from leadline.core.measure.misfit import calibration_lz, dif, lz, person_fit

A, B = np.ones(40), np.linspace(-2, 2, 40)
ONE = np.ones(40)


def test_honest_answers_fit_and_strategic_ones_do_not() -> None:
    """Failing what is easy and solving what is hard is rare at any ability."""
    rng = np.random.default_rng(7)
    honest = (rng.random(40) < expit(0.4 - B)).astype(float)
    strategic = (B > 0).astype(float)
    assert person_fit(A, B, honest, ONE, seed=1, replicates=99).p > 0.05
    told = person_fit(A, B, strategic, ONE, seed=1, replicates=99)
    assert (told.p, told.replicates, told.rank) == (0.01, 99, None)
    assert told.lz < -5


def test_the_bootstrap_is_even_for_honest_subjects() -> None:
    """Of honest subjects about one in ten has a p below a tenth, though the ability is estimated."""
    rng = np.random.default_rng(8)
    small = 0
    for n in range(60):
        answers = (rng.random(40) < expit(rng.normal() - B)).astype(float)
        small += person_fit(A, B, answers, ONE, seed=n, replicates=99).p <= 0.1
    assert 1 <= small <= 14


def test_a_subject_is_ranked_among_honest_ones() -> None:
    """Against calibration subjects the rank counts those whose answers fit as badly."""
    strategic = (B > 0).astype(float)
    calibration = np.array([-9.0, -1.0, 0.2, 0.5])
    told = person_fit(A, B, strategic, ONE, seed=1, replicates=20, calibration=calibration)
    assert told.rank == pytest.approx((1 + int((calibration <= told.lz).sum())) / 5)
    assert told.lz < -1


def test_calibration_leaves_each_model_out() -> None:
    """A model that answers against all others fits worse by their items than by its own fit's."""
    rng = np.random.default_rng(9)
    theta, b = rng.normal(size=12), rng.normal(size=30)
    solved = (rng.random((12, 30)) < expit(theta[:, None] - b)).astype(float)
    solved[0] = (b > np.median(b)).astype(float)
    names = tuple(f"m{n}" for n in range(12)), tuple(f"i{n}" for n in range(30))
    given = Responses(*names, solved, np.ones_like(solved))
    fit = fit_irt(given)
    told = calibration_lz(given, fit)
    assert int(told.argmin()) == 0
    assert told[0] < lz(fit.a, fit.b, solved[:1], given.trials[:1], fit.theta[:1])[0]
    two = replace(given, models=names[0][:2], solved=solved[:2], trials=given.trials[:2])
    both = fit_irt(two)
    with pytest.raises(Invalid, match="needs 2"):
        calibration_lz(two, both)


def test_a_certain_answer_has_no_spread() -> None:
    """Items so far away that nothing is open give l_z of nought."""
    far = np.array([900.0, 900.0])
    assert lz(ONE[:2], far, np.zeros((1, 2)), np.ones((1, 2)), np.zeros(1)).tolist() == [0.0]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"replicates": 5}, "replicates"),
        ({"calibration": np.array([])}, "calibration"),
        ({"calibration": np.array([np.nan])}, "calibration"),
    ],
)
def test_what_person_fit_cannot_use_is_refused(options: dict[str, object], field: str) -> None:
    """Too few replicates, no calibration subjects, or ones without a number."""
    with pytest.raises(Invalid) as raised:
        person_fit(A, B, ONE * (B < 0), ONE, seed=1, **options)  # type: ignore[arg-type]
    assert raised.value.field == field


TWINS = np.tile(np.linspace(-2, 2, 200), 2)
PUBLIC = np.arange(400) < 200
FOUR = np.ones(400)


def answers(learnt: float, seed: int = 3) -> np.ndarray:
    """Of one subject at public and sealed twins; a share of the public ones is known by heart."""
    rng = np.random.default_rng(seed)
    fair = (rng.random(400) < expit(0.2 - TWINS)).astype(float)
    return np.where(PUBLIC & (rng.random(400) < learnt), 1.0, fair)


def test_public_items_known_by_heart_are_seen() -> None:
    """Solving half of the public items for free moves gamma above nought by its whole interval."""
    told = dif(FOUR, TWINS, answers(0.0), FOUR, PUBLIC)
    assert told.low < 0 < told.high
    assert (told.inflation, told.n_families, told.by_family, told.warnings) == (1.0, 0, (), ())
    told = dif(FOUR, TWINS, answers(0.5), FOUR, PUBLIC)
    assert 0 < told.low < told.gamma < told.high


def test_gamma_is_the_likeliest_and_its_ends_the_profiles() -> None:
    """An independent solver finds the same optimum, and the drop of 1.92 at both ends."""
    a = np.exp(np.linspace(-0.5, 0.5, 400))
    solved = answers(0.3)
    told = dif(a, TWINS, solved, FOUR, PUBLIC)

    def loss(at: np.ndarray, gamma: float | None = None) -> float:
        z = a * (at[0] - TWINS) + (at[1] if gamma is None else gamma) * PUBLIC
        return -float((solved * log_expit(z) + (1 - solved) * log_expit(-z)).sum())

    best = minimize(loss, [0.0, 0.0], method="BFGS", options={"gtol": 1e-8})
    assert [told.theta, told.gamma] == pytest.approx(list(best.x), abs=1e-4)
    for end in (told.low, told.high):
        held = minimize(lambda at, end=end: loss(np.array([at[0], end])), [0.0], method="BFGS")
        assert held.fun - best.fun == pytest.approx(1.9207, abs=1e-3)


def test_an_interval_widens_with_confidence() -> None:
    """A smaller error rate asks for more."""
    one, other = (dif(FOUR, TWINS, answers(0.3), FOUR, PUBLIC, alpha=a) for a in (0.2, 0.01))
    assert other.low < one.low < one.high < other.high
    assert one.gamma == other.gamma


def test_families_widen_what_their_items_share() -> None:
    """Where whole families went well or badly, items are no independent witnesses."""
    families = [f"f{n}" for n in np.arange(400) // 20]
    rng = np.random.default_rng(11)
    lucky = np.repeat(rng.random(20) < 0.5, 20)
    alike = np.where(lucky, TWINS < 1.2, TWINS < -0.8).astype(float)
    plain = dif(FOUR, TWINS, alike, FOUR, PUBLIC)
    told = dif(FOUR, TWINS, alike, FOUR, PUBLIC, family=families)
    assert told.gamma == plain.gamma
    assert told.inflation > 1.5
    assert told.high - told.low > 1.2 * (plain.high - plain.low)
    assert (told.n_families, told.warnings) == (20, ())


def test_each_family_tells_its_own() -> None:
    """A family whose public items alone were learnt stands out; one with a single side says nothing."""
    family = ["x"] * 200 + ["y"] * 200
    spread = np.tile([True, False], 200)
    solved = np.concatenate([answers(0.0)[:200], answers(0.0)[200:]])
    solved[:200][spread[:200]] = 1.0
    solved[0] = 0.0
    told = dif(FOUR, TWINS, solved, FOUR, spread, family=family)
    found = {one.family: one for one in told.by_family}
    assert found["x"].low > 0
    assert found["y"].low < 0 < found["y"].high
    assert told.warnings == (Code.FEW_CLUSTERS,)
    sides = dif(FOUR, TWINS, answers(0.2), FOUR, PUBLIC, family=family)
    assert sides.by_family == ()


def test_far_items_and_strong_effects_are_found() -> None:
    """Difficulties of hundreds of logits and an effect of many: still an optimum with its ends."""
    b = np.concatenate([np.full(50, 300.0), np.full(50, 340.0)])
    public = np.arange(100) >= 50
    solved = np.tile([1.0, 0.0], 50)
    told = dif(np.ones(100), b, solved, np.ones(100), public)
    assert told.gamma == pytest.approx(40, abs=1e-6)
    assert told.low < 40 < told.high


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"public": np.ones(400, dtype=bool)}, "public"),
        ({"public": PUBLIC[:3]}, "public"),
        ({"solved": PUBLIC.astype(float)}, "solved"),
        ({"solved": FOUR * np.nan}, "solved"),
        ({"family": ["x"] * 400}, "family"),
        ({"family": ["x", "y"]}, "family"),
        ({"alpha": 0.0}, "alpha"),
    ],
)
def test_differential_functioning_needs_both_sides(changes: dict[str, object], field: str) -> None:
    """All public, a side with one outcome only, one family, no error rate: each is named."""
    given = {"solved": answers(0.0), "public": PUBLIC, "alpha": 0.05, **changes}
    solved, public = given.pop("solved"), given.pop("public")
    with pytest.raises(Invalid) as raised:
        dif(FOUR, TWINS, solved, FOUR, public, **given)  # type: ignore[arg-type]
    assert raised.value.field == field


def test_the_ability_is_estimated_anew_in_every_draw() -> None:
    """The p-value is the one of drawing, estimating and comparing one subject at a time."""
    answered = (np.random.default_rng(21).random(40) < expit(1.8 - B)).astype(float)
    told = person_fit(A, B, answered, ONE, seed=5, replicates=60)
    rng = np.random.default_rng(5)
    rows = rng.binomial(1, expit(A * (told.theta - B)), (60, 40)).astype(np.float64)
    thetas = np.array([ability(A, B, row, ONE).theta for row in rows])
    anew = lz(A, B, rows, np.ones((60, 40)), thetas)
    assert told.p == pytest.approx((1 + int((anew <= told.lz).sum())) / 61)
    held = lz(A, B, rows, np.ones((60, 40)), np.full(60, told.theta))
    assert int((held <= told.lz).sum()) != int((anew <= told.lz).sum())
