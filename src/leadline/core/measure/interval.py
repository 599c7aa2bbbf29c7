"""Intervals for proportions: binomial, clustered, over a fixed suite, and bounds on rare events.

Counts may be fractional where they are effective sizes. Array forms (`wilson`, `clopper_pearson`,
`beta`) broadcast and answer ``(..., 2)``, lower and upper end as fractions of 1; the other functions
answer records. Only `clopper_pearson` covers at the stated rate for every true rate; `wilson` and
`beta` do so on average.

Sources: Wilson, JASA 22 (1927) 209-212; Clopper and Pearson, Biometrika 26 (1934) 404-413; Korn and
Graubard, Survey Methodology 24 (1998) 193-201.
"""

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

    *scores* and *clusters* have one entry per item, or per run with the item as its cluster. The
    effective size is p(1-p)/SE^2, shrunk by (t_{n-1}/t_{G-1})^2, into the binomial interval; where
    every score is alike (p of 0 or 1) it is the number of clusters G. Fewer than two clusters give
    (0, 1). Source: Korn and Graubard (1998).

    Raises: Invalid, if the two differ in length or a score lies outside [0, 1].
    """
    check_alpha(alpha)
    values = np.asarray(scores, dtype=np.float64)
    labels, group = np.unique(np.asarray(clusters), return_inverse=True)
    if values.ndim != 1 or values.shape != group.shape:
        raise Invalid("clusters", "one cluster per score is due")
    if np.any((values < 0) | (values > 1)) or not np.all(np.isfinite(values)):
        raise Invalid("scores", "every score must lie between 0 and 1")
    n, count = values.size, labels.size
    share = float(values.mean()) if n else 0.5
    size = _effective(values, group, share, count, alpha)
    low, high = _BINOMIAL[method](size * share, size, alpha=alpha)
    codes = ((Code.NO_RUNS,) if not n else ()) + (
        (Code.FEW_CLUSTERS,) if 0 < count < CLUSTERS_MIN else ()
    )
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


def _effective(
    values: FloatArray, group: npt.NDArray[np.intp], share: float, count: int, alpha: float
) -> float:
    """Korn and Graubard's effective number of trials; 0 where one cluster says nothing of spread."""
    if share in {0.0, 1.0}:
        return float(count)
    if count <= 1:
        return 0.0
    n = values.size
    sums = np.bincount(group, weights=values - share)
    variance = count / (count - 1) * float((sums**2).sum()) / n**2
    shrink = float(stdtrit(n - 1, 1 - alpha / 2) / stdtrit(count - 1, 1 - alpha / 2)) ** 2
    # Little spread between clusters does not make more trials than there were scores.
    return min(share * (1 - share) / variance, float(n)) * shrink if variance > 0 else n * shrink


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
    totals = range(successes, population - seen + successes + 1)
    lowest = next(s for s in totals if _at_least(successes, seen, s, population) > tail)
    # The lower tail of successes is the upper tail of failures.
    failures = seen - successes
    highest = next(
        s for s in reversed(totals) if _at_least(failures, seen, population - s, population) > tail
    )
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


def _at_least(successes: int, seen: int, total: int, population: int) -> Fraction:
    """P(at least *successes* among *seen*) when *total* of *population* are successes."""
    ways = sum(
        comb(total, x) * comb(population - total, seen - x)
        for x in range(successes, min(total, seen) + 1)
    )
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
) -> RareEventBound:
    """One-sided exact upper bound on the chance of success per attempt.

    With no event it is 1 - alpha^(1/n). *clusters* is the number of independent items when attempts
    repeat items; it then takes the place of n, which needs *events* to be 0.

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
    if independent > attempts or (independent < attempts and events):
        raise Invalid("clusters", "give at most one cluster per attempt, and only without events")
    left = independent - events
    upper = float(betaincinv(events + 1, left, 1 - alpha)) if left else 1.0
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
