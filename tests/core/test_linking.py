"""Linking of suites by common items, and the scale of points."""

from dataclasses import replace
from math import log

import numpy as np
import pytest
from scipy.special import expit

from leadline.core.errors import Invalid
from leadline.core.measure.irt import Fit, Responses, expected_score, fit_irt
from leadline.core.measure.linking import (
    POINTS_PER_LOGIT,
    drawn_items,
    link,
    on_scale,
    scale_points,
)


def fit_of(a: np.ndarray, b: np.ndarray, *, rasch: bool = False, prefix: str = "i") -> Fit:
    """A fit with given item parameters, of two models."""
    names = tuple(f"{prefix}{n:03d}" for n in range(len(a)))
    none = np.zeros(len(a), dtype=bool)
    two = np.zeros(2)
    return Fit(
        names, ("m", "n"), a, b, two, two + 1, rasch, -1.0, 1, converged=True, prior_driven=none
    )


def simulated(
    models: int, items: int, shift: float = 0.0, spread: float = 1.0, seed: int = 1
) -> Responses:
    """Answers of models around *shift* with sd *spread* at the same items whatever the models."""
    fixed = np.random.default_rng(99)
    a, b = np.exp(fixed.normal(0, 0.25, 400))[:items], fixed.normal(0, 1.2, 400)[:items]
    rng = np.random.default_rng(seed)
    theta = shift + spread * rng.normal(size=models)
    solved = (rng.random((models, items)) < expit(a * (theta[:, None] - b))).astype(float)
    names = tuple(f"m{n}" for n in range(models)), tuple(f"i{n:03d}" for n in range(items))
    return Responses(*names, solved, np.ones_like(solved))


def test_a_moved_scale_is_found_exactly() -> None:
    """Items that are the same but for slope and shift are linked by these, without error."""
    rng = np.random.default_rng(2)
    a, b = np.exp(rng.normal(0, 0.3, 120)), rng.normal(size=120)
    told = link(fit_of(a, b), fit_of(a * 1.4, (b - 0.6) / 1.4), seed=0)
    assert (told.slope, told.shift) == pytest.approx((1.4, 0.6), abs=1e-8)
    assert np.abs(told.covariance).max() < 1e-15
    assert (told.anchors, told.families, told.moved) == (120, 0, ())
    linked = told.items(fit_of(a * 1.4, (b - 0.6) / 1.4))
    assert linked[0] == pytest.approx(a)
    assert linked[1] == pytest.approx(b)


def test_linked_abilities_carry_the_error_of_linking() -> None:
    """Stronger models, fitted apart and linked, are expected by the old items to do as they did."""
    old = fit_irt(simulated(400, 100))
    given = simulated(400, 100, shift=1.2, spread=0.7, seed=5)
    new = fit_irt(given)
    told = link(old, new, seed=0)
    assert told.shift == pytest.approx(1.2, abs=0.15)
    shares = given.solved.mean(axis=1)
    linked = expected_score(old.a, old.b, told.abilities(new.theta, new.theta_sd)[0])
    plain = expected_score(old.a, old.b, new.theta)
    assert np.abs(linked - shares).mean() < 0.02
    assert np.abs(plain - shares).mean() > 0.15
    theta, sd = told.abilities([0.0, 2.0], [0.0, 0.0])
    assert theta == pytest.approx([told.shift, told.shift + 2 * told.slope])
    assert 0.005 < sd[0] < 0.15
    assert told.abilities(0.0, 0.5)[1] > told.slope * 0.5


def test_the_error_shrinks_with_anchors() -> None:
    """Four times the anchors have about half the error."""
    old, new = fit_irt(simulated(300, 160)), fit_irt(simulated(300, 160, seed=5))

    def first(fit: Fit, count: int) -> Fit:
        held = slice(0, count)
        return replace(
            fit,
            items=fit.items[held],
            a=fit.a[held],
            b=fit.b[held],
            prior_driven=fit.prior_driven[held],
        )

    wide, narrow = (
        link(first(old, n), first(new, n), seed=1).covariance[1][1] ** 0.5 for n in (40, 160)
    )
    assert 1.2 < wide / narrow < 3.5


def test_rasch_has_one_slope() -> None:
    """Two Rasch fits differ by a shift alone."""
    b = np.linspace(-2, 2, 50)
    told = link(
        fit_of(np.ones(50), b, rasch=True), fit_of(np.ones(50), b - 2.0, rasch=True), seed=0
    )
    assert (told.slope, told.shift) == pytest.approx((1.0, 2.0))


def test_an_anchor_that_moved_is_named() -> None:
    """An item that became three logits easier lies off the line and hardly bends it."""
    rng = np.random.default_rng(3)
    b = rng.normal(size=100)
    moved = b + rng.normal(0, 0.05, 100)
    moved[7] -= 3.0
    told = link(fit_of(np.ones(100), b), fit_of(np.ones(100), moved), seed=0)
    assert told.moved == ("i007",)
    assert told.shift == pytest.approx(0, abs=0.06)


def test_families_of_anchors_move_together() -> None:
    """Displacements that families share make the link less sure than independent ones."""
    rng = np.random.default_rng(4)
    b = rng.normal(size=100)
    family = {f"i{n:03d}": f"f{n // 10}" for n in range(100)}
    moved = b + np.repeat(rng.normal(0, 0.3, 10), 10)
    old, new = fit_of(np.ones(100), b), fit_of(np.ones(100), moved)
    plain, told = link(old, new, seed=0), link(old, new, seed=0, family=family)
    assert told.families == 10
    assert told.covariance[1][1] > 3 * plain.covariance[1][1]


def test_what_cannot_be_linked_is_refused() -> None:
    """Too few common items, anchors that are the prior's alone, one without a family, few replicates."""
    whole = fit_of(np.ones(50), np.linspace(-2, 2, 50))
    driven = replace(whole, prior_driven=np.arange(50) >= 9)
    for old, new in ((whole, fit_of(whole.a, whole.b, prefix="j")), (whole, driven)):
        with pytest.raises(Invalid, match="a link needs 10"):
            link(old, new, seed=0)
    with pytest.raises(Invalid, match="'i000' has none"):
        link(whole, whole, seed=0, family={})
    with pytest.raises(Invalid, match="at least 20"):
        link(whole, whole, seed=0, replicates=3)


def test_items_are_drawn_by_family() -> None:
    """Counts sum to the items of the families drawn; a single family, or none alike, draws items."""
    rng = np.random.default_rng(5)
    drawn = drawn_items(["x"] * 6 + ["y"] * 2, 400, rng)
    assert set(drawn.sum(axis=1).tolist()) <= {12.0, 8.0, 4.0}
    for family in (["x"] * 8, [str(n) for n in range(8)]):
        assert (drawn_items(family, 50, rng).sum(axis=1) == 8).all()


def test_two_hundred_points_are_three_times_the_odds() -> None:
    """The anchor has its own points, and log 3 more logits 200 more."""
    assert scale_points([0.3, 0.3 + log(3)], 0.3, 500.0) == pytest.approx([500, 700])


def test_a_scale_stands_on_its_reference() -> None:
    """The reference has its points without error; others have an interval of their distance from it."""
    given = simulated(40, 200)
    fit = fit_irt(given)
    told = on_scale(given, fit, reference="m3", reference_points=1000.0, seed=0)
    placed = {one.model: one for one in told.models}
    anchor = placed["m3"]
    assert (anchor.points, anchor.low, anchor.high) == (1000.0, 1000.0, 1000.0)
    assert told.discrimination == pytest.approx(np.exp(np.log(fit.a).mean()))
    far = [one for one in told.models if one.model != "m3"]
    assert all(one.low < one.points < one.high for one in far)
    apart = [one.points - 1000 for one in told.models]
    assert np.corrcoef(apart, fit.theta)[0, 1] == pytest.approx(1)


def test_points_of_rasch_are_logits_times_the_constant() -> None:
    """With discriminations of 1 the distance is 182.05 points a logit."""
    given = simulated(20, 60)
    fit = fit_irt(given, rasch=True)
    told = on_scale(given, fit, reference="m0", reference_points=0.0, seed=0)
    assert told.discrimination == 1.0
    assert told.models[5].points == pytest.approx(POINTS_PER_LOGIT * (fit.theta[5] - fit.theta[0]))
    assert pytest.approx(182.0478) == POINTS_PER_LOGIT


def test_families_widen_the_scale() -> None:
    """Items drawn by family vary more where families differ between models."""
    given = simulated(20, 120)
    names = tuple(f"f{n // 20}" for n in range(120))
    solved = given.solved.copy()
    rng = np.random.default_rng(8)
    for block in range(6):
        lucky = rng.random(20) < 0.5
        solved[:, 20 * block : 20 * (block + 1)][lucky] *= 0.2
    given = replace(given, solved=solved)
    fit = fit_irt(given)

    def width(table: Responses) -> float:
        told = on_scale(table, fit, reference="m0", reference_points=0.0, seed=0)
        assert told.families == (6 if table.family else 0)
        return float(np.mean([one.high - one.low for one in told.models]))

    assert width(replace(given, family=names)) > 1.15 * width(given)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"reference": "nobody"}, "reference"),
        ({"reference_points": np.nan}, "reference_points"),
        ({"reference_points": 1e30}, "reference_points"),
        ({"replicates": 2}, "replicates"),
        ({"alpha": 1.0}, "alpha"),
    ],
)
def test_a_scale_that_cannot_be_is_refused(options: dict[str, object], field: str) -> None:
    """No such model, no such points, too few replicates: each is named."""
    given = simulated(6, 30)
    fit = fit_irt(given)
    about = {"reference": "m0", "reference_points": 0.0, "seed": 0, **options}
    with pytest.raises(Invalid) as raised:
        on_scale(given, fit, **about)  # type: ignore[arg-type]
    assert raised.value.field == field
    with pytest.raises(Invalid, match="other models"):
        on_scale(simulated(7, 30), fit, reference="m0", reference_points=0.0, seed=0)


def test_an_interval_holds_both_abilities_posteriors() -> None:
    """No narrower than the posteriors of the model and of the reference together would make it."""
    given = simulated(12, 60)
    fit = fit_irt(given, rasch=False)
    fit = replace(fit, a=fit.a * 1.5)
    told = on_scale(given, fit, reference="m0", reference_points=0.0, seed=0, replicates=400)
    assert told.discrimination == pytest.approx(np.exp(np.log(fit.a).mean()))
    per_logit = POINTS_PER_LOGIT * told.discrimination
    ratios = []
    for n, one in enumerate(told.models[1:], 1):
        assert one.points == pytest.approx(per_logit * (fit.theta[n] - fit.theta[0]))
        apart = 2 * 1.96 * per_logit * float(np.hypot(fit.theta_sd[n], fit.theta_sd[0]))
        ratios.append((one.high - one.low) / apart)
    assert min(ratios) > 1
    assert np.mean(ratios) > 1.15
