"""Means of item scores with clusters: their standard error, and a test that holds with few clusters.

The unit is the item: repeats (epochs) are averaged into one score per item first, and the error of a
mean over items already contains the noise of the runs. Items that share a cluster (a code base, a
template, a chain) do not vote independently, so that clusters are what is counted.

Scores are numbers in *bounds*: 0 to 1, or -1 to 1 for paired differences. Ends are in the same unit.

Sources: Miller, arXiv 2411.00640, for the clustered standard error; Cameron, Gelbach and Miller, Review
of Economics and Statistics 90 (2008) 414-427, and Webb, Canadian Journal of Economics 56 (2023) 839-858,
for the wild cluster bootstrap; Hoeffding, JASA 58 (1963) 13-30, theorem 1, for the bound that needs no
spread.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product
from math import log, sqrt
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, xlogy

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code, Estimate
from leadline.core.measure.interval import (
    CLUSTERS_MIN,
    ITEMS_MIN,
    FloatArray,
    check_alpha,
    clopper_pearson,
    clustered,
)

Bounds = tuple[float, float]

SHARE: Bounds = (0.0, 1.0)
DIFFERENCE: Bounds = (-1.0, 1.0)
STUDENT_MIN = 30  # clusters from which Student's law takes the bootstrap's place
RADEMACHER_MIN = 12  # below, the 2^G sign vectors are too few for a p-value of 5 in 100
WEBB = (-sqrt(1.5), -1.0, -sqrt(0.5), sqrt(0.5), 1.0, sqrt(1.5))
REPLICATES = 9999
_ALIKE = 1e-12  # spread below this share of the scale is rounding
_HALVINGS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean(Estimate):
    """A mean of item scores in [0, 1], its clustered standard error, and the ends of its interval."""

    point: float
    se: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterTest(Estimate):
    """The hypothesis that the mean is *null*, and the means that the same test leaves standing.

    *p* is None where no test can be made: with fewer than six clusters nothing is known of how they
    spread, and the ends are then of the exact interval over items, which takes them as independent.
    """

    null: float
    point: float
    statistic: float | None
    p: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Grouped:
    """Values and the cluster of each: *labels* count from 0, *sizes* are items per cluster."""

    values: FloatArray
    labels: npt.NDArray[np.intp]
    sizes: FloatArray

    @property
    def point(self) -> float:
        """The mean over items."""
        return float(self.values.mean())

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return self.sizes.size

    def covariance(self, other: "Grouped") -> float:
        """The clustered covariance of this mean and *other*'s, with the same items; 0 in one cluster."""
        if self.count <= 1:
            return 0.0
        mine = np.bincount(self.labels, weights=self.values - self.point)
        theirs = np.bincount(self.labels, weights=other.values - other.point)
        shrink = self.count / (self.count - 1)
        return shrink * float((mine * theirs).sum()) / self.values.size**2


def grouped(
    scores: npt.ArrayLike, clusters: npt.ArrayLike | None, bounds: Bounds = SHARE
) -> Grouped:
    """*scores* by cluster; without *clusters* every item is one of its own.

    Raises: Invalid, if there is no score, one lies outside *bounds* or is no number, or clusters and
    scores differ in number.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise Invalid("scores", "one score per item is due, and one item at least")
    low, high = bounds
    if not np.all(np.isfinite(values)) or np.any((values < low) | (values > high)):
        raise Invalid("scores", f"every score must be a number from {low:g} to {high:g}")
    if clusters is None:
        return Grouped(values, np.arange(values.size), np.ones(values.size))
    _, labels = np.unique(np.asarray(clusters), return_inverse=True)
    if labels.shape != values.shape:
        raise Invalid("clusters", "one cluster per score is due")
    return Grouped(values, labels, np.bincount(labels).astype(np.float64))


def codes(items: int, clusters: int) -> tuple[Code, ...]:
    """The warnings that small numbers of items and clusters carry."""
    few = (Code.FEW_ITEMS,) if items < ITEMS_MIN else ()
    return (*few, *((Code.FEW_CLUSTERS,) if clusters < CLUSTERS_MIN else ()))


def mean_se(
    scores: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    *,
    alpha: float = 0.05,
    population: int | None = None,
    n_runs: int | None = None,
) -> Mean:
    """The mean of item scores with its standard error: SE^2 = G/(G-1) / n^2 * sum of U_g^2.

    U_g is the sum over cluster g of score - mean. The ends are Wilson's at Korn and Graubard's
    effective number of items, in which Student's t on G - 1 degrees of freedom stands: they stay
    within 0 and 1 and do not collapse where all scores are alike. With *population* the estimand is
    the suite of that many items itself, and error and ends shrink by sqrt(1 - n / population).
    *n_runs* are the runs behind the scores, if more than one each.

    Raises: Invalid, as `grouped`; if *alpha* is no error rate, or *population* below the items seen.
    """
    group = grouped(scores, clusters)
    n = group.values.size
    if population is not None and population < n:
        raise Invalid("population", f"{population} items, of which {n} were seen, cannot be")
    left = 1.0 if population is None else sqrt(1 - n / population)
    runs = n_runs or n
    whole = clustered(group.values, group.labels, n_runs=runs, alpha=alpha)
    return Mean(
        method="mean, clustered; wilson at Korn-Graubard effective size",
        n_items=n,
        n_runs=runs,
        n_clusters=group.count,
        alpha=alpha,
        estimand="rate" if population is None else "realised",
        warnings=codes(n, group.count),
        point=group.point,
        se=left * sqrt(group.covariance(group)),
        low=group.point - left * (group.point - whole.low),
        high=group.point + left * (whole.high - group.point),
    )


def cluster_test(
    scores: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    *,
    null: float,
    rng: np.random.Generator,
    bounds: Bounds = SHARE,
    alpha: float = 0.05,
    replicates: int = REPLICATES,
) -> ClusterTest:
    """Test that the mean is *null*, by the wild cluster bootstrap with the null imposed.

    t = D / S with u_i = s_i - null, D = sum u / n and S^2 = G/(G-1) * sum (U_g - n_g D)^2 / n^2. Each
    replicate multiplies every U_g by a weight; p is the share of replicates with |t*| >= |t|. Weights:
    Webb's six points for 6 to 11 clusters (all 6^6 of them at six), every sign vector at 12, random
    signs up to 29; from 30 on the law is Student's on G - 1. The interval holds every mean that the
    test does not reject at *alpha*, by bisection with the same weights, within *bounds*. It is meant
    for differences: where a share lies near 0 or 1 and its clusters are skewed it was measured to cover
    92 to 93 in 100 instead of 95, and `mean_se` has the interval to print.

    Fewer than six clusters: no test (p is None), the exact interval over items, FEW_CLUSTERS. Clusters
    that agree exactly have no spread: p is that of all signs alike, 2^(1-G), DEGENERATE, and the
    interval the exact one over clusters.

    Raises: Invalid, as `grouped`, or if *alpha* is no error rate, *null* lies outside *bounds*, or
    there are fewer than 99 *replicates*.
    """
    check_alpha(alpha)
    group = grouped(scores, clusters, bounds)
    _check_test(null, bounds, replicates)
    n, count = group.values.size, group.count
    sums = _Sums(group)
    if count < CLUSTERS_MIN:
        method, statistic, p = "exact over items", None, None
        low, high = exact_ends(group.values, n, bounds, alpha)
    elif sums.alike:
        method, statistic = "sign flips; exact over clusters", None
        p = 1.0 if abs(group.point - null) <= _ALIKE else 2.0 ** (1 - count)
        low, high = exact_ends(group.values, count, bounds, alpha)
    else:
        law = _law(sums, rng, replicates)
        method, statistic, p = law.name, (group.point - null) / sums.se, law.p(null)
        low, high = (_end(law, group.point, bound, alpha) for bound in bounds)
    degenerate = (Code.DEGENERATE,) if method.startswith("sign") else ()
    return ClusterTest(
        method=method,
        n_items=n,
        n_runs=n,
        n_clusters=count,
        alpha=alpha,
        estimand="rate",
        warnings=(*codes(n, count), *degenerate),
        null=null,
        point=group.point,
        statistic=statistic,
        p=p,
        low=low,
        high=high,
    )


def _check_test(null: float, bounds: Bounds, replicates: int) -> None:
    if not bounds[0] <= null <= bounds[1]:
        raise Invalid("null", f"{null} is no mean of scores from {bounds[0]:g} to {bounds[1]:g}")
    if replicates < 99:  # noqa: PLR2004 -- below, 1 in 100 cannot be told from 2
        raise Invalid("replicates", f"{replicates} are too few for a p-value; draw 99 or more")


def exact_ends(values: FloatArray, size: int, bounds: Bounds, alpha: float) -> tuple[float, float]:
    """An interval for the mean that holds whatever the spread, from *size* independent values.

    Clopper and Pearson's where every value is one of the two bounds; otherwise the means m with
    size * KL(observed, m) <= log(2/alpha), which Hoeffding's inequality leaves standing for any values
    within *bounds*.
    """
    bottom, width = bounds[0], bounds[1] - bounds[0]
    share = (float(values.mean()) - bottom) / width
    if np.all((values == bounds[0]) | (values == bounds[1])):
        low, high = clopper_pearson(share * size, size, alpha=alpha).tolist()
    else:
        low, high = (_kl_end(share, side, log(2 / alpha) / size) for side in (0.0, 1.0))
    return bottom + width * low, bottom + width * high


def _kl_end(share: float, side: float, most: float) -> float:
    """The mean towards *side* whose Kullback-Leibler distance from *share* is *most*."""
    inside, outside = share, side
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        distance = xlogy(share, share / middle) if share else 0.0
        distance += xlogy(1 - share, (1 - share) / (1 - middle)) if share < 1 else 0.0
        inside, outside = (middle, outside) if distance <= most else (inside, middle)
    return outside


class _Sums:
    """What the test needs of the data: each cluster's sum and size, and the error of the mean."""

    def __init__(self, group: Grouped) -> None:
        self.total = np.bincount(group.labels, weights=group.values)
        self.size = group.sizes
        self.n = float(group.values.size)
        self.point = group.point
        self.se = sqrt(group.covariance(group))

    @property
    def alike(self) -> bool:
        """Whether all clusters have one mean, so that nothing is known of their spread."""
        return self.se <= _ALIKE


class _Law(Protocol):
    """The reference distribution of |t|."""

    name: str

    def p(self, null: float) -> float:
        """The chance of |t| at least as large as the one seen, were *null* the mean."""


class _Student:
    """Student's t on one degree of freedom less than there are clusters."""

    def __init__(self, sums: _Sums) -> None:
        self._sums, self._free = sums, sums.size.size - 1
        self.name = "student, clustered"

    def p(self, null: float) -> float:
        """As `_Law.p`."""
        return 2 * float(stdtr(self._free, -abs(self._sums.point - null) / self._sums.se))


class _Wild:
    """The wild cluster bootstrap: every product that does not depend on the null is made once."""

    def __init__(self, sums: _Sums, weights: FloatArray, *, name: str, whole: bool) -> None:
        self.name = f"wild cluster bootstrap, {name}"
        self._sums, self._whole = sums, whole
        t, n = sums.total, sums.size
        squares = weights * weights
        self._sum = weights @ t, weights @ n
        self._cross = weights @ (t * n), weights @ (n * n)
        self._square = squares @ (t * t), squares @ (t * n), squares @ (n * n)
        self._shrink = n.size / (n.size - 1)

    def p(self, null: float) -> float:
        """As `_Law.p`; where not all weights were tried, the data's own signs count as one try."""
        n = self._sums.n
        mean = (self._sum[0] - null * self._sum[1]) / n
        cross = self._cross[0] - null * self._cross[1]
        square = self._square[0] - 2 * null * self._square[1] + null * null * self._square[2]
        spread = square - 2 * mean * cross + mean * mean * float((self._sums.size**2).sum())
        # |t*| >= |t| without a division, as S* may be 0; ties, which are many, survive rounding.
        least = (self._sums.point - null) ** 2 * self._shrink / n**2 * (spread - _ALIKE * square)
        reached = int(np.count_nonzero(mean**2 * self._sums.se**2 >= least * (1 - 1e-9)))
        tries = mean.size
        return reached / tries if self._whole else (reached + 1) / (tries + 1)


@cache
def _all_signs(count: int) -> FloatArray:
    return np.array(list(product((-1.0, 1.0), repeat=count)))


@cache
def _all_webb(count: int) -> FloatArray:
    return np.array(list(product(WEBB, repeat=count)))


def _law(sums: _Sums, rng: np.random.Generator, replicates: int) -> _Law:
    """The law of |t| for that many clusters."""
    count = sums.size.size
    if count >= STUDENT_MIN:
        return _Student(sums)
    if count == CLUSTERS_MIN:
        return _Wild(sums, _all_webb(count), name="every vector of Webb weights", whole=True)
    if count < RADEMACHER_MIN:
        drawn = rng.choice(np.array(WEBB), size=(replicates, count))
        return _Wild(sums, drawn, name="Webb weights", whole=False)
    if count == RADEMACHER_MIN:
        return _Wild(sums, _all_signs(count), name="every vector of signs", whole=True)
    drawn = rng.choice(np.array((-1.0, 1.0)), size=(replicates, count))
    return _Wild(sums, drawn, name="random signs", whole=False)


def null_p(
    scores: npt.ArrayLike,
    clusters: npt.ArrayLike,
    *,
    null: float,
    rng: np.random.Generator,
    bounds: Bounds = SHARE,
    replicates: int = REPLICATES,
) -> float:
    """The p-value of `cluster_test` alone, where six clusters or more differ: for campaigns.

    Raises: Invalid, as `cluster_test`, or where that would make no such test.
    """
    group = grouped(scores, clusters, bounds)
    _check_test(null, bounds, replicates)
    sums = _Sums(group)
    if group.count < CLUSTERS_MIN or sums.alike:
        raise Invalid("clusters", "six clusters or more are due, with means that differ")
    return _law(sums, rng, replicates).p(null)


def _end(law: _Law, point: float, bound: float, alpha: float) -> float:
    """The mean farthest from *point* towards *bound* that *law* does not reject at *alpha*."""
    if law.p(bound) > alpha:
        return bound
    inside, outside = point, bound
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if law.p(middle) > alpha else (inside, middle)
    return outside
