"""Decisions about rows that are known: from others' difficulties alone, against the full row."""

import numpy as np
import pytest
from scipy.special import expit

from leadline.core.errors import Invalid
from leadline.core.measure.active import Outcome, Rule
from leadline.core.measure.held_out import (
    Decided,
    HeldOut,
    Table,
    decide_all,
    subjects,
)

RULE = Rule(0.5, 0.05, 0.05)
RNG = np.random.default_rng(8)
THETA, B = RNG.normal(0, 1.5, 24), RNG.normal(size=80)
SCORES = (RNG.random((24, 80)) < expit(THETA[:, None] - B)).astype(float)
MODELS = tuple(f"m{n}" for n in range(24))
ITEMS = tuple(f"i{n}" for n in range(80))


def test_later_rows_are_decided_from_earlier_ones() -> None:
    """Half of the rows teach, the other half is decided upon, mostly from a part of its items."""
    told = decide_all(Table(MODELS, ITEMS, SCORES), RULE, holdout="temporal")
    assert [one.model for one in told.decided] == list(MODELS[12:])
    assert (told.false_above, told.false_below, told.undetermined) == (0, 0, 0)
    assert np.median(told.fractions) < 0.6


def test_each_row_in_turn_is_decided_from_all_others() -> None:
    """Its own answers teach nothing: a row that is turned round is judged by its own mean."""
    turned = SCORES.copy()
    turned[0] = 1 - turned[0]
    told = decide_all(Table(MODELS, ITEMS, turned), RULE)
    assert len(told.decided) == 24
    one = told.decided[0]
    assert (one.outcome.state == "above") == (one.mean >= 0.5)


def test_what_is_missing_is_left_out() -> None:
    """A row is decided upon from the items it has, also one that nobody else was tried at."""
    some = SCORES.copy()
    some[:, :10] = np.nan
    some[0, :10] = 1.0
    some[1, 20:] = np.nan
    told = decide_all(Table(MODELS, ITEMS, some), RULE)
    assert [told.decided[n].items for n in (0, 1, 2)] == [80, 10, 70]
    assert told.decided[0].mean == pytest.approx(np.nanmean(some[0]))


def test_equal_seeds_give_equal_decisions() -> None:
    """Another seed draws other items."""
    one, again, other = (
        decide_all(Table(MODELS, ITEMS, SCORES), RULE, holdout="temporal", seed=n)
        for n in (1, 1, 2)
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
            decide_all(Table(models, items, scores), RULE)
    bare = SCORES.copy()
    bare[5, 1:] = np.nan
    with pytest.raises(Invalid, match="model m5"):
        decide_all(Table(MODELS, ITEMS, bare), RULE)
    apart = np.full((24, 80), np.nan)
    apart[:12, :5], apart[12:] = 1.0, 1.0
    with pytest.raises(Invalid, match="too few"):
        decide_all(Table(MODELS, ITEMS, apart), RULE, holdout="temporal")


FAMILIES = ("easy",) * 50 + ("hard",) * 30
WEIGHTS = {"easy": 0.2, "hard": 0.8}


def test_families_with_weights_are_decided_by_their_weighted_mean() -> None:
    """A row that solves one family and fails the other lies where the weights say, either way."""
    rows = SCORES.copy()
    rows[0] = np.array(FAMILIES) == "hard"
    rows[1] = np.array(FAMILIES) == "easy"
    told = decide_all(Table(MODELS, ITEMS, rows, FAMILIES, WEIGHTS), RULE)
    assert [told.decided[n].mean for n in (0, 1)] == pytest.approx([0.8, 0.2])
    assert [told.decided[n].outcome.state for n in (0, 1)] == ["above", "below"]
    assert (told.false_above, told.false_below, told.undetermined) == (0, 0, 0)


def test_what_was_drawn_is_told_in_the_table_s_places() -> None:
    """Items that a row lacks are never among those drawn; drawing all of them sums to its mean."""
    some = SCORES.copy()
    some[0, ::2] = np.nan
    one = decide_all(Table(MODELS, ITEMS, some, FAMILIES), RULE).decided[0]
    assert len(one.drawn) == one.outcome.n
    assert all(place % 2 for place in one.drawn)
    named = next(subjects(Table(MODELS, ITEMS, some, FAMILIES), "loo"))
    assert named.bank.items == tuple(ITEMS[n] for n in named.held)
    assert named.bank.family == tuple(FAMILIES[n] for n in named.held)


@pytest.mark.parametrize("holdout", ["loo", "temporal"])
def test_only_the_rows_asked_for_are_decided_and_all_others_teach(holdout: str) -> None:
    """A row's difficulties are the same, whichever other rows are decided about."""
    table = Table(MODELS, ITEMS, SCORES)
    every = {
        one.row: one for one in subjects(table, "temporal" if holdout == "temporal" else "loo")
    }
    (one,) = subjects(table, "temporal" if holdout == "temporal" else "loo", [20])
    assert one.row == 20
    assert one.bank == every[20].bank


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"models": ("m0",) * 24}, "models"),
        ({"items": ("i0",) * 80}, "items"),
        ({"scores": np.full((24, 80), 1.5)}, "score, m0, i0"),
        ({"scores": np.full((24, 80), -np.inf)}, "score, m0, i0"),
        ({"families": ("easy",)}, "families"),
        ({"weights": WEIGHTS}, "model m0"),
        ({"families": FAMILIES, "weights": {"easy": 0.5, "other": 0.5}}, "model m0"),
        ({"families": FAMILIES, "weights": {"easy": 0.5, "hard": 0.6}}, "weights"),
    ],
)
def test_a_table_that_cannot_be_is_refused_by_name(change: dict[str, object], field: str) -> None:
    """Names given twice, scores that are none, families that do not fit: each is named."""
    given: dict[str, object] = {"models": MODELS, "items": ITEMS, "scores": SCORES} | change
    with pytest.raises(Invalid) as raised:
        decide_all(Table(**given), RULE)  # type: ignore[arg-type]
    assert raised.value.field == field
