"""What leaves of scores, and how little an attacker gets out of it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sealed_world as sw
from leadline.core.errors import Invalid, Refused
from leadline.core.sealed import budget
from leadline.core.sealed.budget import Account, Band

LIMITS = sw.limits()
ACCOUNT = Account("account", "pack", "family", 0)


@pytest.mark.parametrize(("items", "step"), [(1, 2), (25, 10), (100, 20), (200, 29), (5000, 142)])
def test_the_step_is_two_over_the_root_of_n(items: int, step: int) -> None:
    """In items, rounded up."""
    assert budget.step(items) == step
    assert (step - 1) / items < 2 / items**0.5 <= step / items


@given(items=st.integers(1, 5000), data=st.data())
def test_the_ladder_never_falls_and_moves_in_steps(items: int, data: st.DataObject) -> None:
    """Below a step nothing is told; a new value is a multiple of the step, or all items."""
    best = budget.climbed(0, data.draw(st.integers(0, items)), items)
    solved = data.draw(st.integers(0, items))
    after = budget.climbed(best, solved, items)
    assert best <= after <= items
    assert after == items or after % budget.step(items) == 0
    if solved < best + budget.step(items):
        assert after == best


@given(items=st.integers(1, 5000), data=st.data(), width=st.sampled_from([1, 3, 7, 10, 33, 50]))
def test_a_band_holds_its_value(items: int, data: st.DataObject, width: int) -> None:
    """Bands cover 0 to 100 percent without a gap; the widened interval holds the interval."""
    limits = replace(LIMITS, band_percent=width)
    value = data.draw(st.integers(0, items))
    found = budget.band(value, items, limits)
    assert 0 <= found.low < found.high <= 100
    assert found.low <= 100 * value / items <= found.high
    low, high = sorted(data.draw(st.tuples(st.floats(0, 1), st.floats(0, 1))))
    wide = budget.widened(low, high, limits)
    assert 0 <= wide.low < wide.high <= 100
    assert wide.low <= 100 * low + 1e-3
    assert wide.high >= 100 * high - 1e-3


def test_five_runs_are_told_and_the_sixth_is_refused() -> None:
    """The refusal names the day on which rotation restores the budget."""
    account = ACCOUNT
    for number in range(5):
        account = budget.debit(account, 18, 25, LIMITS, "2027-05-30")
        assert (account.used, account.best) == (number + 1, 20)
    with pytest.raises(Refused, match=r"5 of 5 .* on 2027-05-30"):
        budget.debit(account, 25, 25, LIMITS, "2027-05-30")


def test_counts_that_cannot_be_are_refused() -> None:
    """No items, more solved than there are, a best that is none."""
    with pytest.raises(Invalid, match="items"):
        budget.step(0)
    for best, solved in ((0, 26), (26, 0), (-1, 0), (0, -1)):
        with pytest.raises(Invalid, match="solved"):
            budget.climbed(best, solved, 25)


def exact(best: int, solved: int, items: int) -> float:
    """What telling every score gives."""
    return solved / items


def hundredths(best: int, solved: int, items: int) -> float:
    """What rounding to a hundredth gives."""
    return round(solved / items, 2)


def attacked(items: int, queries: int, told: Callable[[int, int, int], float], seed: int) -> float:
    """The share that an attacker of skill one half scores after *queries* random submissions.

    It takes the majority of those submissions that were told to be above one half, the attack of
    trust.md 4.4, which is not adapted to the Ladder.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, items)
    tries = rng.integers(0, 2, (queries, items))
    best, heard = 0, np.zeros(queries)
    for number, one in enumerate(tries):
        solved = int((one == truth).sum())
        heard[number] = told(best, solved, items)
        best = budget.climbed(best, solved, items)
    # Of the Ladder only a rise tells of a submission; of a score, its place above one half.
    if told is ladder:
        heard = np.diff(heard, prepend=0.0)
        votes = np.where(heard > 0, 1.0, 0.0)
    else:
        votes = np.sign(heard - 0.5)
    lean = votes @ (2 * tries - 1)
    final = np.where(lean > 0, 1, np.where(lean < 0, 0, rng.integers(0, 2, items)))
    return float((final == truth).mean())


def ladder(best: int, solved: int, items: int) -> float:
    """What the Ladder tells."""
    return budget.climbed(best, solved, items) / items


@pytest.mark.parametrize(("items", "queries"), [(200, 100), (1000, 100)])
def test_the_ladder_tells_an_attacker_little_where_exact_scores_tell_much(
    items: int, queries: int
) -> None:
    """Exact and rounded scores inflate the attacker's result; the Ladder leaves it near one half.

    The attack is not adapted to the Ladder; the figures are no guarantee.
    """

    def mean(told: Callable[[int, int, int], float]) -> float:
        return float(np.mean([attacked(items, queries, told, seed) for seed in range(20)]))

    assert mean(exact) > 0.55
    assert abs(mean(exact) - mean(hundredths)) < 0.05
    assert abs(mean(ladder) - 0.5) < 0.03


def test_a_whole_set_solved_is_in_the_last_band() -> None:
    """The upper end of the last band is included."""
    assert budget.band(25, 25, LIMITS) == Band(90, 100)
    assert budget.band(0, 25, LIMITS) == Band(0, 10)
