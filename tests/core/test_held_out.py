"""Decisions about rows that are known: from others' difficulties alone, against the full row."""

import numpy as np
import pytest
from scipy.special import expit

from leadline.core.errors import Invalid
from leadline.core.measure.active import Outcome, Rule
from leadline.core.measure.held_out import Decided, HeldOut, hold_out

RULE = Rule(0.5, 0.05, 0.05)
RNG = np.random.default_rng(8)
THETA, B = RNG.normal(0, 1.5, 24), RNG.normal(size=80)
SCORES = (RNG.random((24, 80)) < expit(THETA[:, None] - B)).astype(float)
MODELS = tuple(f"m{n}" for n in range(24))
ITEMS = tuple(f"i{n}" for n in range(80))


def test_later_rows_are_decided_from_earlier_ones() -> None:
    """Half of the rows teach, the other half is decided upon, mostly from a part of its items."""
    told = hold_out(MODELS, ITEMS, SCORES, RULE, holdout="temporal")
    assert [one.model for one in told.decided] == list(MODELS[12:])
    assert (told.false_above, told.false_below, told.undetermined) == (0, 0, 0)
    assert np.median(told.fractions) < 0.6


def test_each_row_in_turn_is_decided_from_all_others() -> None:
    """Its own answers teach nothing: a row that is turned round is judged by its own mean."""
    turned = SCORES.copy()
    turned[0] = 1 - turned[0]
    told = hold_out(MODELS, ITEMS, turned, RULE)
    assert len(told.decided) == 24
    one = told.decided[0]
    assert (one.outcome.state == "above") == (one.mean >= 0.5)


def test_what_is_missing_is_left_out() -> None:
    """A row is decided upon from the items it has, also one that nobody else was tried at."""
    some = SCORES.copy()
    some[:, :10] = np.nan
    some[0, :10] = 1.0
    some[1, 20:] = np.nan
    told = hold_out(MODELS, ITEMS, some, RULE)
    assert [told.decided[n].items for n in (0, 1, 2)] == [80, 10, 70]
    assert told.decided[0].mean == pytest.approx(np.nanmean(some[0]))


def test_equal_seeds_give_equal_decisions() -> None:
    """Another seed draws other items."""
    one, again, other = (
        hold_out(MODELS, ITEMS, SCORES, RULE, holdout="temporal", seed=n) for n in (1, 1, 2)
    )
    assert one == again
    assert one != other


def test_outcomes_are_counted_against_the_zone() -> None:
    """Inside of the zone neither answer is wrong."""

    def said(state: str, mean: float) -> Decided:
        return Decided("m", Outcome(state, 5, 1.0, 1.0, misfit=False), 10, mean)

    told = HeldOut(
        (
            said("above", 0.46),
            said("above", 0.44),
            said("below", 0.54),
            said("below", 0.55),
            said("inside_zone", 0.5),
            said("exhausted", 0.5),
        ),
        0.5,
        0.05,
    )
    assert (told.false_above, told.false_below, told.undetermined) == (1, 1, 2)
    assert told.fractions.tolist() == [0.5] * 6


def test_too_little_is_refused() -> None:
    """Two models, nine items, a row with one item, another shape: each is named."""
    for models, items, scores, words in (
        (MODELS[:2], ITEMS, SCORES[:2], "needs 3"),
        (MODELS, ITEMS[:9], SCORES[:, :9], "and 10"),
        (MODELS, ITEMS, SCORES[:3], "shape"),
    ):
        with pytest.raises(Invalid, match=words):
            hold_out(models, items, scores, RULE)
    bare = SCORES.copy()
    bare[5, 1:] = np.nan
    with pytest.raises(Invalid, match="model m5"):
        hold_out(MODELS, ITEMS, bare, RULE)
    apart = np.full((24, 80), np.nan)
    apart[:12, :5], apart[12:] = 1.0, 1.0
    with pytest.raises(Invalid, match="too few"):
        hold_out(MODELS, ITEMS, apart, RULE, holdout="temporal")
