"""Intervals for proportions: binomial, clustered, over a fixed suite, and bounds on rare events.

Counts may be fractional where they are effective sizes. Array forms (`wilson`, `clopper_pearson`,
`beta`) broadcast and answer ``(..., 2)``, lower and upper end as fractions of 1; the other functions
answer records. Only `clopper_pearson` covers at the stated rate for every true rate; `wilson` and
`beta` do so on average.

Sources: Wilson, JASA 22 (1927) 209-212; Clopper and Pearson, Biometrika 26 (1934) 404-413; Korn and
Graubard, Survey Methodology 24 (1998) 193-201.
"""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtri, stdtrit

from leadline.core.assessment import Budget
from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code, Estimand, Estimate

FloatArray = npt.NDArray[np.float64]
Method = Literal["wilson", "clopper-pearson", "beta"]

CLUSTERS_MIN = 6
ITEMS_MIN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Estimate):
    """A share with the ends of its interval, all fractions of 1."""

    point: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RareEventBound(Estimate):
    """The largest chance of success per attempt that *events* in *attempts* leave open.

    It holds for this budget, under this elicitation, with this scaffold, and for nothing else.
    """

    attempts: int
    events: int
    upper: float
    budget: Budget
    elicitation: str
    scaffold_digest: str

    def over(self, attempts: int) -> float:
        """The bound on at least one success in *attempts* independent attempts."""
        return 1.0 - (1.0 - self.upper) ** attempts

    @property
    def sentence(self) -> str:
        """The bound in words, with everything it depends on."""
        return (
            f"{self.events} successes in {self.attempts} attempts: the chance of success is at most"
            f" {self.upper:.3f} per attempt, at this budget ({self.budget.words()}), under this"
            f" elicitation ({self.elicitation}; scaffold {self.scaffold_digest[:12]}), with error at"
            f" most {in_100(self.alpha)}."
        )


def in_100(alpha: float) -> str:
    """An error rate as people read it: 0.05 is ``5 in 100``."""
    return f"{100 * alpha:.6g} in 100"


def exact(field: str, number: float) -> Fraction:
    """The decimal that was written, as a fraction: 0.7 is 7/10 and not its nearest double.

    Raises: Invalid, naming *field*, if *number* is not finite.
    """
    if not np.isfinite(number):
        raise Invalid(field, f"{number} is no finite number")
    return Fraction(repr(float(number)))


def check_alpha(alpha: float, field: str = "alpha") -> None:
    """Return if *alpha* is an error rate.

    Raises: Invalid, unless it is strictly between 0 and 1.
    """
    if not 0.0 < alpha < 1.0:
        raise Invalid(field, f"{alpha} is no error rate; give one between 0 and 1, such as 0.05")


def wilson(successes: npt.ArrayLike, trials: npt.ArrayLike, *, alpha: float = 0.05) -> FloatArray:
    """Wilson's score interval without continuity correction.

    No trials give (0, 1): nothing is known, which is not a rate of zero. Repeats of one item are not
    independent trials: they belong in `clustered`.

    Raises: Invalid, if successes exceed trials, either is negative, or *alpha* is no error rate.
    """
    k, n = _counts(successes, trials, alpha)
    z = float(ndtri(1 - alpha / 2))
    some = np.where(n > 0, n, 1.0)
    share = k / some
    centre = (share + z * z / (2 * some)) / (1 + z * z / some)
    half = z * np.sqrt(share * (1 - share) / some + z * z / (4 * some * some)) / (1 + z * z / some)
    low = np.where(k == 0, 0.0, centre - half)
    high = np.where(k == n, 1.0, centre + half)
    return _ends(low, high, n)


def clopper_pearson(
    successes: npt.ArrayLike, trials: npt.ArrayLike, *, alpha: float = 0.05
) -> FloatArray:
    """The exact interval: coverage is at least 1 - *alpha* whatever the true rate.

    Raises: Invalid, as `wilson`.
    """
    k, n = _counts(successes, trials, alpha)
    low = np.where(k > 0, betaincinv(np.where(k > 0, k, 1.0), n - k + 1, alpha / 2), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.where(k < n, n - k, 1.0), 1 - alpha / 2), 1.0)
    return _ends(low, high, n)


def beta(
    successes: npt.ArrayLike,
    trials: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    prior: tuple[float, float] = (1.0, 1.0),
) -> FloatArray:
    """The equal-tailed credible interval under a Beta prior; credible, not guaranteed.

    Raises: Invalid, as `wilson`, or if a prior count is not positive.
    """
    k, n = _counts(successes, trials, alpha)
    if min(prior) <= 0:
        raise Invalid("prior", f"both counts must be above 0, not {prior}")
    a, b = k + prior[0], n - k + prior[1]
    return np.stack([betaincinv(a, b, alpha / 2), betaincinv(a, b, 1 - alpha / 2)], axis=-1)


def interval(
    successes: int,
    trials: int,
    *,
    alpha: float = 0.05,
    method: Method = "wilson",
    estimand: Estimand = "rate",
) -> Interval:
    """A share with its interval, one independent run per item.

    Raises: Invalid, as `wilson`.
    """
    low, high = _BINOMIAL[method](successes, trials, alpha=alpha)
    return Interval(
        method=method,
        n_items=trials,
        n_runs=trials,
        n_clusters=trials,
        alpha=alpha,
        estimand=estimand,
        warnings=() if trials else (Code.NO_RUNS,),
        point=successes / trials if trials else 0.5,
        low=float(low),
        high=float(high),
    )


_BINOMIAL = {"wilson": wilson, "clopper-pearson": clopper_pearson, "beta": beta}


def clustered(
    scores: npt.ArrayLike,
    clusters: npt.ArrayLike,
    *,
    n_runs: int,
    alpha: float = 0.05,
    method: Method = "wilson",
) -> Interval:
    """A mean of item scores in [0, 1] whose items fall into clusters (or whose runs repeat items).

    *scores* and *clusters* have one entry per item, or per run with the item as its cluster; *n_runs*
    are the runs behind them. The interval is the binomial one at `effective_size`. Fewer than two
    clusters give (0, 1), unless every score is alike. Source: Korn and Graubard (1998).

    Raises: Invalid, if the two differ in length or a score lies outside [0, 1].
    """
    values, group = _clusters(scores, clusters)
    n, count = values.size, int(group.max()) + 1 if group.size else 0
    share = float(values.mean()) if n else 0.5
    size = effective_size(values, group, n_runs=n_runs, alpha=alpha)
    low, high = _BINOMIAL[method](size * share, size, alpha=alpha)
    codes = () if n else (Code.NO_RUNS,)
    if 0 < count < CLUSTERS_MIN:
        codes = (*codes, Code.FEW_CLUSTERS)
    return Interval(
        method=f"{method}, Korn-Graubard effective size",
        n_items=n,
        n_runs=n_runs,
        n_clusters=count,
        alpha=alpha,
        estimand="rate",
        warnings=codes,
        point=share,
        low=float(low),
        high=float(high),
    )


def _clusters(
    scores: npt.ArrayLike, clusters: npt.ArrayLike
) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Scores, and the number of each one's cluster, checked."""
    values = np.asarray(scores, dtype=np.float64)
    _, group = np.unique(np.asarray(clusters), return_inverse=True)
    if values.ndim != 1 or values.shape != group.shape:
        raise Invalid("clusters", "one cluster per score is due")
    if np.any((values < 0) | (values > 1)) or not np.all(np.isfinite(values)):
        raise Invalid("scores", "every score must lie between 0 and 1")
    return values, group


def effective_size(
    scores: npt.ArrayLike, clusters: npt.ArrayLike, *, n_runs: int, alpha: float = 0.05
) -> float:
    """How many independent trials *scores* are worth: p(1-p)/SE^2, shrunk by (t_{r-1}/t_{G-1})^2.

    r is the number of scores, or of *n_runs* where each score is an item's mean over several runs and
    a cluster of its own. The size is never above r: little spread between clusters does not make more
    trials than there were runs. Where every score is 0 or every score 1 it
    is the number of clusters G; where items are single runs and clusters of their own, the number of
    items. One cluster, or none, says nothing of spread: 0. Source: Korn and Graubard (1998).

    Raises: Invalid, as `clustered`.
    """
    check_alpha(alpha)
    values, group = _clusters(scores, clusters)
    n, count = values.size, int(group.max()) + 1 if group.size else 0
    share = float(values.mean()) if n else 0.5
    if n and share in {0.0, 1.0}:
        return float(count)
    if count <= 1:
        return 0.0
    runs = max(n, n_runs) if count == n else n
    if runs == count and np.all((values == 0) | (values == 1)):
        return float(n)
    sums = np.bincount(group, weights=values - share)
    variance = count / (count - 1) * float((sums**2).sum()) / n**2
    shrink = float(stdtrit(runs - 1, 1 - alpha / 2) / stdtrit(count - 1, 1 - alpha / 2)) ** 2
    # Scores that all agree short of 0 and 1 leave rounding, or nothing, for a variance.
    known = variance > share * (1 - share) * 1e-12
    return (min(share * (1 - share) / variance, float(runs)) if known else float(n)) * shrink


def finite_population_interval(
    successes: int, seen: int, population: int, *, alpha: float = 0.05
) -> Interval:
    """The share of a fixed suite of *population* items, *seen* of them drawn at random.

    The hypergeometric law is inverted in exact integer arithmetic; a full run gives a single point.
    Coverage is at least 1 - *alpha* whatever the suite holds.

    Raises: Invalid, unless 0 <= successes <= seen <= population and population > 0.
    """
    check_alpha(alpha)
    if not 0 <= successes <= seen <= population or population == 0:
        problem = (
            f"{successes} of {seen} seen of {population}: need 0 <= successes <= seen <= items"
        )
        raise Invalid("successes", problem)
    tail = exact("alpha", alpha) / 2
    lowest = _fewest(successes, seen, population, tail)
    # The lower tail of successes is the upper tail of failures.
    highest = population - _fewest(seen - successes, seen, population, tail)
    return Interval(
        method="hypergeometric inversion",
        n_items=population,
        n_runs=seen,
        n_clusters=seen,
        alpha=alpha,
        estimand="realised",
        warnings=() if seen else (Code.NO_RUNS,),
        point=successes / seen if seen else 0.5,
        low=lowest / population,
        high=highest / population,
    )


def _fewest(successes: int, seen: int, population: int, tail: Fraction) -> int:
    """The smallest total under which *successes* or more have a chance above *tail*."""
    totals = range(successes, population - seen + successes + 1)

    def chance(total: int) -> Fraction:
        return _at_least(successes, seen, total, population)

    # The chance grows with the total, up to 1 at the largest.
    return totals[bisect_right(totals, tail, key=chance)]


def _at_least(successes: int, seen: int, total: int, population: int) -> Fraction:
    """P(at least *successes* among *seen*) when *total* of *population* are successes."""
    first, others = max(successes, seen - (population - total)), population - total - seen
    ways, term = 0, comb(total, first) * comb(population - total, seen - first)
    for x in range(first, min(total, seen) + 1):
        ways += term
        term = term * (total - x) * (seen - x) // ((x + 1) * (others + x + 1))
    return Fraction(ways, comb(population, seen))


def rare_event_bound(
    attempts: int,
    events: int,
    *,
    budget: Budget,
    elicitation: str,
    scaffold_digest: str,
    alpha: float = 0.05,
    clusters: int | None = None,
    effective: float | None = None,
) -> RareEventBound:
    """One-sided exact upper bound on the chance of success per attempt.

    With no event it is 1 - alpha^(1/n). *clusters* is the number of independent items when attempts
    repeat items; without an event it then takes the place of n. With events *effective* does, the
    attempts' `effective_size`, and events shrink in proportion.

    Raises: Invalid, naming what is missing: a bound without its budget, its elicitation or its
    scaffold is no result.
    """
    check_alpha(alpha)
    if not 0 <= events <= attempts:
        raise Invalid("events", f"{events} of {attempts} attempts cannot be")
    if budget == Budget():
        raise Invalid(
            "budget", "a bound needs the budget of one attempt: runs, tokens, time or cost"
        )
    for field, value in (("elicitation", elicitation), ("scaffold_digest", scaffold_digest)):
        if not value.strip():
            raise Invalid(field, "a bound holds only under a named elicitation and scaffold")
    independent = attempts if clusters is None else clusters
    if not 0 <= independent <= attempts:
        raise Invalid("clusters", "give at most one cluster per attempt")
    size, happened = _independent(attempts, events, independent, effective)
    left = size - happened
    upper = float(betaincinv(happened + 1, left, 1 - alpha)) if left > 0 else 1.0
    return RareEventBound(
        method="clopper-pearson, one-sided upper",
        n_items=independent,
        n_runs=attempts,
        n_clusters=independent,
        alpha=alpha,
        estimand="rate",
        warnings=() if attempts else (Code.NO_RUNS,),
        attempts=attempts,
        events=events,
        upper=upper,
        budget=budget,
        elicitation=elicitation,
        scaffold_digest=scaffold_digest,
    )


def _independent(
    attempts: int, events: int, clusters: int, effective: float | None
) -> tuple[float, float]:
    """The trials that attempts with repeats are worth, and the events among as many."""
    if clusters == attempts or not events:
        return float(clusters), float(events)
    if effective is None or not 0 < effective <= attempts:
        problem = "events in repeated items need the attempts' effective size, above 0 and at most"
        raise Invalid("effective", f"{problem} {attempts}: see effective_size")
    return effective, effective * events / attempts


def _counts(
    successes: npt.ArrayLike, trials: npt.ArrayLike, alpha: float
) -> tuple[FloatArray, FloatArray]:
    """Both as arrays of one shape, checked."""
    check_alpha(alpha)
    k, n = np.broadcast_arrays(
        np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    )
    if not (np.all(np.isfinite(k)) and np.all(np.isfinite(n))):
        raise Invalid("successes", "counts must be finite")
    if np.any(k < 0) or np.any(k > n):
        raise Invalid("successes", "each count must lie between 0 and its trials")
    return k, n


def _ends(low: FloatArray, high: FloatArray, trials: FloatArray) -> FloatArray:
    """Both ends beside each other, (0, 1) where there were no trials."""
    known = trials > 0
    return np.stack([np.where(known, low, 0.0), np.where(known, high, 1.0)], axis=-1)
