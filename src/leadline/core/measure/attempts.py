"""Several attempts at each item: at least one success in k, and success in all of k.

Offence with free retries is pass@k at the attacker's budget; a dependable assistant is pass^k. The
two differ widely, so a determination names which and why. Items are the unit of uncertainty: the
interval resamples items, never runs.

Source: Chen et al., arXiv 2107.03374, for the unbiased form of pass@k.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code, Estimate
from leadline.core.measure.interval import (
    CLUSTERS_MIN,
    FloatArray,
    check_alpha,
    clopper_pearson,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts(Estimate):
    """A share over items at *k* attempts each, with the ends of its interval."""

    k: int
    point: float
    low: float
    high: float


def pass_at_k(
    successes: Sequence[int],
    trials: Sequence[int],
    k: int,
    *,
    rng: np.random.Generator,
    alpha: float = 0.05,
    replicates: int = 2000,
) -> Attempts:
    """The chance that at least one of *k* attempts at an item succeeds, mean over items.

    *successes* and *trials* have one entry per item; the answer is unbiased for every item with at
    least *k* trials: mean of 1 - C(n-c, k)/C(n, k).

    Raises: Invalid, if *k* is below 1 or above the smallest number of trials.
    """
    _check(successes, trials, k)
    values = [1 - comb(n - c, k) / comb(n, k) for c, n in zip(successes, trials, strict=True)]
    return _estimate(f"pass@{k}", values, sum(trials), k, rng, alpha, replicates)


def pass_hat_k(
    successes: Sequence[int],
    trials: Sequence[int],
    k: int,
    *,
    rng: np.random.Generator,
    alpha: float = 0.05,
    replicates: int = 2000,
) -> Attempts:
    """The chance that all of *k* attempts at an item succeed: mean over items of C(c, k)/C(n, k).

    Raises: Invalid, as `pass_at_k`.
    """
    _check(successes, trials, k)
    values = [comb(c, k) / comb(n, k) for c, n in zip(successes, trials, strict=True)]
    return _estimate(f"pass^{k}", values, sum(trials), k, rng, alpha, replicates)


def _check(successes: Sequence[int], trials: Sequence[int], k: int) -> None:
    if len(successes) != len(trials) or not trials:
        raise Invalid("trials", "one number of successes and one of trials per item are due")
    if any(not 0 <= c <= n for c, n in zip(successes, trials, strict=True)):
        raise Invalid("successes", "each count must lie between 0 and its trials")
    if not 1 <= k <= min(trials):
        problem = f"{k} attempts cannot be judged from {min(trials)} trials of an item"
        raise Invalid("k", f"{problem}; give 1 to {min(trials)}, or run more epochs")


def _estimate(  # noqa: PLR0917 -- both forms of k share it
    name: str,
    values: list[float],
    runs: int,
    k: int,
    rng: np.random.Generator,
    alpha: float,
    replicates: int,
) -> Attempts:
    """The mean with a percentile interval over resampled items.

    Where all items agree, resampling shows no spread at all: the ends then are those of the exact
    interval over items.
    """
    check_alpha(alpha)
    shares: FloatArray = np.asarray(values, dtype=np.float64)
    items, point = shares.size, float(shares.mean())
    alike = bool(np.all(shares == shares[0]))
    if alike:
        low, high = clopper_pearson(point * items, items, alpha=alpha)
    else:
        drawn = rng.integers(0, items, size=(replicates, items))
        low, high = np.quantile(shares[drawn].mean(axis=1), [alpha / 2, 1 - alpha / 2])
    codes = ((Code.DEGENERATE,) if alike else ()) + (
        (Code.FEW_CLUSTERS,) if items < CLUSTERS_MIN else ()
    )
    return Attempts(
        method=f"{name}, {'exact over items' if alike else 'bootstrap over items'}",
        n_items=items,
        n_runs=runs,
        n_clusters=items,
        alpha=alpha,
        estimand="rate",
        warnings=codes,
        k=k,
        point=point,
        low=float(low),
        high=float(high),
    )
