"""pass@k and pass^k are unbiased, ordered, and uncertain over items."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.measure.attempts import pass_at_k, pass_hat_k
from leadline.core.measure.estimate import Code


def rng() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(7)


@given(trials=st.integers(1, 7), data=st.data())
def test_both_equal_the_mean_over_all_choices_of_k_runs(trials: int, data: st.DataObject) -> None:
    """Each equals the share of k-subsets of the runs with any, and with only, successes."""
    successes = data.draw(st.integers(0, trials))
    k = data.draw(st.integers(1, trials))
    runs = [1] * successes + [0] * (trials - successes)
    chosen = list(combinations(runs, k))
    some = sum(any(one) for one in chosen) / len(chosen)
    every = sum(all(one) for one in chosen) / len(chosen)
    assert pass_at_k([successes], [trials], k, rng=rng()).point == pytest.approx(some)
    assert pass_hat_k([successes], [trials], k, rng=rng()).point == pytest.approx(every)


def test_the_interval_is_over_items_and_repeats_exactly() -> None:
    """The ends enclose the point, follow the given stream alone, and count items and runs."""
    successes, trials = [0, 1, 2, 5, 5, 3, 0, 4], [5] * 8
    first, again = (pass_at_k(successes, trials, 2, rng=rng()) for _ in range(2))
    assert first == again
    assert first.low < first.point < first.high
    assert (first.n_items, first.n_runs, first.n_clusters, first.k) == (8, 40, 8, 2)
    assert first.warnings == ()
    assert pass_hat_k(successes, trials, 2, rng=rng()).high < first.high


def test_items_that_all_agree_get_the_exact_interval() -> None:
    """Nothing solved in five items leaves rates up to the exact bound open, not zero."""
    none = pass_at_k([0] * 5, [3] * 5, 3, rng=rng())
    assert (none.point, none.low) == (0, 0)
    assert none.high == pytest.approx(1 - 0.025**0.2)
    assert set(none.warnings) == {Code.DEGENERATE, Code.FEW_CLUSTERS}


@pytest.mark.parametrize(
    ("successes", "trials", "k", "field"),
    [
        ([1], [3], 4, "k"),
        ([1, 1], [3, 2], 3, "k"),
        ([1], [3], 0, "k"),
        ([4], [3], 1, "successes"),
        ([1], [3, 3], 1, "trials"),
        ([], [], 1, "trials"),
    ],
)
def test_more_attempts_than_trials_cannot_be_judged(
    successes: list[int], trials: list[int], k: int, field: str
) -> None:
    """K beyond the fewest trials, and counts that do not fit, are refused by name."""
    with pytest.raises(Invalid, match=f"^{field}"):
        pass_at_k(successes, trials, k, rng=rng())
