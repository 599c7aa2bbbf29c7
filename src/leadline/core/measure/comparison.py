"""Two subjects, or one in two ways, compared: by item where both met the same items, and by arm.

Items are the unit, as in `means`. What only one side saw is named and left out, never imputed. All
ends are differences of shares, from -1 to 1. A comparison says what was seen under the effort shown;
that a subject held back, evenly and in both arms, is excluded by nothing here.

Sources: Newcombe, Statistics in Medicine 17 (1998) 873-890 (method 10, independent arms) and 2635-2650
(method 10, paired); Donner and Zou, Statistical Methods in Medical Research 21 (2012) 347-359, for the
same form over any two intervals; McNemar, Psychometrika 12 (1947) 153-157, in its exact form; Chan and
Zhang, Biometrics 55 (1999) 1202-1209, and Farrington and Manning, Statistics in Medicine 9 (1990)
1447-1454, for the exact interval over two arms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, gammaln, xlog1py, xlogy

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code, Estimate
from leadline.core.measure.interval import (
    CLUSTERS_MIN,
    FloatArray,
    check_alpha,
    clustered,
    wilson,
)
from leadline.core.measure.means import DIFFERENCE, Grouped, codes, exact_ends, grouped

Scores = Mapping[str, float]
Arms = Literal["newcombe", "exact"]

TABLES_MAX = 40_401  # two arms of 200: more takes seconds, and Newcombe's interval serves
_GRID = 401  # shares tried for the arm that the difference leaves open
_STEP = 0.05
_HALVINGS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired(Estimate):
    """The mean over common items of first minus second, with its clustered error and interval.

    *correlation* is of the two sides' clustered means, as the interval uses it. *only_first* and
    *only_second* name the items that one side alone saw.
    """

    first: float
    second: float
    point: float
    se: float
    low: float
    high: float
    correlation: float
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemar(Estimate):
    """Items by who solved them, one run each, and the exact p that both are as likely to solve."""

    both: int
    first_only: int
    second_only: int
    neither: int
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplift(Estimate):
    """The risk difference between an arm with the model and one without, of different people or runs."""

    share_with: float
    share_without: float
    point: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap(Estimate):
    """What the best of several elicitations adds over the default, free of the winner's curse.

    *chosen* names the elicitation that each half of the items chose for the other half. *apparent* is
    the best one's difference on the very items it was chosen on: what a naive report would print.
    *left_out* are items that not every way of asking saw.
    """

    default: float
    elicited: float
    point: float
    low: float
    high: float
    chosen: tuple[str, ...]
    candidates: int
    apparent: float
    left_out: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The gap in words, with what it does not say."""
        return (
            f"Eliciting as {' and '.join(sorted(set(self.chosen)))} adds {100 * self.point:+.1f} points "
            f"to the share solved ({100 * self.low:+.1f} to {100 * self.high:+.1f}) over "
            f"{self.n_items} items. This is no upper limit: other scaffolds may add more, and that the "
            "subject held back in every arm is excluded by nothing."
        )


def paired_diff(
    first: Scores,
    second: Scores,
    *,
    clusters: Mapping[str, str] | None = None,
    alpha: float = 0.05,
    n_runs: int | None = None,
) -> Paired:
    """First minus second over the items that both saw; scores by item, in [0, 1], epochs averaged.

    The ends put together each side's own interval (Wilson's at the effective size) and their
    correlation, so that they stay within -1 and 1 and do not collapse where nothing differed. With
    one run an item and no clusters they are Newcombe's. *clusters* names each item's cluster; *n_runs*
    are all runs behind the common scores. With fewer than six clusters nothing is known of how these
    spread: then the ends are Hoeffding's over items, taken as independent, with FEW_CLUSTERS.

    Raises: Invalid, naming the item of a score that is no number in [0, 1] or that has no cluster;
    "items", if the two have none in common.
    """
    check_alpha(alpha)
    common = _common(first, second)
    labels = _labels(common, clusters)
    mine, theirs = (grouped([one[item] for item in common], labels) for one in (first, second))
    n, difference = len(common), mine.values - theirs.values
    point = float(difference.mean())
    runs = n_runs or 2 * n
    error = grouped(difference, labels, DIFFERENCE)
    correlation = _correlation(mine, theirs, max(1.0, runs / (2 * n)))
    if mine.count < CLUSTERS_MIN:
        method = "paired difference; hoeffding over items"
        low, high = exact_ends(difference, n, DIFFERENCE, alpha)
    else:
        method = "paired difference; newcombe, wilson at effective size"
        sides = (_ends(mine, runs // 2, alpha), _ends(theirs, runs // 2, alpha))
        low, high = _together(mine.point, sides[0], theirs.point, sides[1], correlation)
    only_first, only_second = (tuple(sorted(a.keys() - b.keys())) for a, b in _both(first, second))
    alone = (Code.UNSHARED_ITEMS,) if only_first or only_second else ()
    return Paired(
        method=method,
        n_items=n,
        n_runs=runs,
        n_clusters=mine.count,
        alpha=alpha,
        estimand="rate",
        warnings=(*codes(n, mine.count), *alone),
        first=mine.point,
        second=theirs.point,
        point=point,
        se=sqrt(error.covariance(error)),
        low=low,
        high=high,
        correlation=correlation,
        only_first=only_first,
        only_second=only_second,
    )


def _both(first: Scores, second: Scores) -> tuple[tuple[Scores, Scores], tuple[Scores, Scores]]:
    return (first, second), (second, first)


def _common(*sides: Scores) -> list[str]:
    """The items that every side scored, in order of name; every score is checked."""
    for side in sides:
        for item, score in side.items():
            if not 0 <= score <= 1:
                raise Invalid(f"score of {item}", f"{score} is no number from 0 to 1")
    common = sorted(set.intersection(*(set(side) for side in sides)))
    if not common:
        raise Invalid("items", "no item was seen by every side; compare runs of the same items")
    return common


def _labels(items: list[str], clusters: Mapping[str, str] | None) -> list[str] | None:
    if clusters is None:
        return None
    without = next((item for item in items if item not in clusters), None)
    if without is not None:
        raise Invalid(f"cluster of {without}", "is missing; every common item needs one")
    return [clusters[item] for item in items]


def _correlation(mine: Grouped, theirs: Grouped, epochs: float) -> float:
    """Of the two clustered means, drawn towards 0 by Newcombe's correction for continuity.

    With several epochs a score's steps, and so the correction, are that much finer. 0 where one side
    does not vary: then nothing is known of how they go together.
    """
    spread = mine.covariance(mine) * theirs.covariance(theirs)
    if spread <= 0:
        return 0.0
    together = mine.covariance(theirs) / sqrt(spread)
    correction = 1 / (2 * epochs * mine.count * (mine.count - 1) * sqrt(spread))
    # Newcombe's tables have n (ad - bc) > n^2 / 2 here; only a positive correlation is drawn in.
    return float(max(together - correction, 0.0) if together > 0 else max(together, -1.0))


def _ends(side: Grouped, runs: int, alpha: float) -> tuple[float, float]:
    told = clustered(side.values, side.labels, n_runs=runs, alpha=alpha)
    return told.low, told.high


def _together(
    first: float,
    ends_first: tuple[float, float],
    second: float,
    ends_second: tuple[float, float],
    correlation: float,
) -> tuple[float, float]:
    """Ends of first - second from each one's own ends: squares of the distances add, less the shared.

    A negative correlation adds; the answer stays within what the ends themselves allow.
    """
    difference = first - second

    def reach(mine: float, theirs: float) -> float:
        return sqrt(max(mine**2 - 2 * correlation * mine * theirs + theirs**2, 0.0))

    below = reach(first - ends_first[0], ends_second[1] - second)
    above = reach(ends_first[1] - first, second - ends_second[0])
    return max(difference - below, -1.0), min(difference + above, 1.0)


def mcnemar(first: npt.ArrayLike, second: npt.ArrayLike, *, alpha: float = 0.05) -> McNemar:
    """The exact test that both solve an item equally often; one entry of 0 or 1 per common item.

    p = min(1, 2 P(Bin(b + c, 1/2) <= min(b, c))) over the b and c items that one alone solved.

    Raises: Invalid, if an entry is neither 0 nor 1 (average repeats and use `paired_diff` instead),
    the two differ in length, or there is no item.
    """
    check_alpha(alpha)
    a, b = (np.asarray(side, dtype=np.float64) for side in (first, second))
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise Invalid("items", "one result of each side per item is due, and one item at least")
    if not np.all(np.isin(np.concatenate([a, b]), (0.0, 1.0))):
        raise Invalid("scores", "0 or 1 is due; average several runs and use the paired difference")
    first_only, second_only = int((a > b).sum()), int((b > a).sum())
    discordant, fewer = first_only + second_only, min(first_only, second_only)
    p = min(1.0, 2 * float(bdtr(fewer, discordant, 0.5))) if discordant else 1.0
    return McNemar(
        method="mcnemar, exact",
        n_items=a.size,
        n_runs=2 * a.size,
        n_clusters=a.size,
        alpha=alpha,
        estimand="rate",
        warnings=codes(a.size, a.size),
        both=int((a * b).sum()),
        first_only=first_only,
        second_only=second_only,
        neither=int(((1 - a) * (1 - b)).sum()),
        p=p,
    )


def uplift(
    solved_with: int,
    tried_with: int,
    solved_without: int,
    tried_without: int,
    *,
    alpha: float = 0.05,
    method: Arms = "newcombe",
) -> Uplift:
    """The share solved with the model less the share without, in two independent arms.

    Only for arms that an analysis plan named beforehand. ``newcombe`` joins both arms' Wilson
    intervals and covers at the stated rate on average; ``exact`` inverts two one-sided score tests,
    each at its worst over a fine grid of the other arm's share, and covers at least as often.

    Raises: Invalid, for counts that cannot be, an empty arm, or arms too large for ``exact``.
    """
    check_alpha(alpha)
    for field, solved, tried in (
        ("solved_with", solved_with, tried_with),
        ("solved_without", solved_without, tried_without),
    ):
        if not 0 <= solved <= tried or not tried:
            raise Invalid(field, f"{solved} of {tried}: between 0 and all of one try or more")
    share_with, share_without = solved_with / tried_with, solved_without / tried_without
    if method == "exact":
        if (tried_with + 1) * (tried_without + 1) > TABLES_MAX:
            raise Invalid("method", "exact is for two arms of about 200 at most; use newcombe")
        low = _lower((solved_with, tried_with), (solved_without, tried_without), alpha / 2)
        high = -_lower((solved_without, tried_without), (solved_with, tried_with), alpha / 2)
    else:
        ends = wilson([solved_with, solved_without], [tried_with, tried_without], alpha=alpha)
        mine, theirs = ((float(low), float(high)) for low, high in ends)
        low, high = _together(share_with, mine, share_without, theirs, 0.0)
    runs = tried_with + tried_without
    return Uplift(
        method=f"risk difference, {method}",
        n_items=runs,
        n_runs=runs,
        n_clusters=runs,
        alpha=alpha,
        estimand="rate",
        warnings=codes(min(tried_with, tried_without), runs),
        share_with=share_with,
        share_without=share_without,
        point=share_with - share_without,
        low=low,
        high=high,
    )


def _lower(mine: tuple[int, int], theirs: tuple[int, int], tail: float) -> float:
    """The smallest difference that the one-sided test leaves standing at *tail*.

    From -1 upwards in steps, then by halving: where the test's p is not monotone, the outermost.
    """
    point = mine[0] / mine[1] - theirs[0] / theirs[1]
    inside = next(
        (d for d in np.arange(-1.0, point, _STEP).tolist() if _above(mine, theirs, d) > tail), point
    )
    if inside == -1.0:
        return -1.0
    outside = max(-1.0, inside - _STEP)
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        held = _above(mine, theirs, middle) > tail
        inside, outside = (middle, outside) if held else (inside, middle)
    return outside


def _above(mine: tuple[int, int], theirs: tuple[int, int], difference: float) -> float:
    """The largest chance, under *difference*, of a table at least as far above it as the one seen."""
    (k1, n1), (k2, n2) = mine, theirs
    far = _score(n1, n2, difference)
    reached = (far >= far[k1, k2] - 1e-9).astype(np.float64)
    other = np.linspace(max(0.0, -difference), min(1.0, 1.0 - difference), _GRID)
    chance = (_binomial(n1, other + difference) @ reached * _binomial(n2, other)).sum(axis=1)
    return float(chance.max())


def _binomial(n: int, share: FloatArray) -> FloatArray:
    """Chances of 0 to *n* successes, one row per share."""
    k = np.arange(n + 1)
    rate = np.clip(share, 0.0, 1.0)[:, None]
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    chance: FloatArray = np.exp(ways + xlogy(k, rate) + xlog1py(n - k, -rate))
    return chance


def _score(n1: int, n2: int, difference: float) -> FloatArray:
    """Farrington and Manning's statistic of every table: the observed less *difference*, over its error.

    The error is at the two shares that fit the table best among those that *difference* apart lie.
    """
    p1, p2 = np.arange(n1 + 1)[:, None] / n1, np.arange(n2 + 1)[None, :] / n2
    ratio = n2 / n1
    a = 1 + ratio
    b = -(1 + ratio + p1 + ratio * p2 + difference * (ratio + 2))
    c = difference**2 + difference * (2 * p1 + ratio + 1) + p1 + ratio * p2
    d = -p1 * difference * (1 + difference)
    third = b / (3 * a)
    v = third**3 - b * c / (6 * a * a) + d / (2 * a)
    u = np.where(v >= 0, 1.0, -1.0) * np.sqrt(np.maximum(third**2 - c / (3 * a), 0.0))
    flat = u == 0
    angle = np.arccos(np.clip(v / np.where(flat, 1.0, u) ** 3, -1.0, 1.0))
    fitted = np.clip(2 * u * np.cos((np.pi + angle) / 3) - third, 0.0, 1.0)
    other = np.clip(fitted - difference, 0.0, 1.0)
    variance = fitted * (1 - fitted) / n1 + other * (1 - other) / n2
    gap = p1 - p2 - difference
    # A table without variance lies exactly at the difference, or infinitely far from it.
    some = variance > 1e-15  # noqa: PLR2004 -- rounding
    return np.where(
        some,
        gap / np.sqrt(np.where(some, variance, 1.0)),
        np.where(np.abs(gap) < 1e-12, 0.0, np.where(gap < 0, -np.inf, np.inf)),  # noqa: PLR2004
    )


def elicitation_gap(
    default: Scores,
    elicited: Mapping[str, Scores],
    *,
    rng: np.random.Generator,
    clusters: Mapping[str, str] | None = None,
    alpha: float = 0.05,
    n_runs: int | None = None,
) -> Gap:
    """The best of *elicited* less *default*, over the items that every way of asking saw.

    With several candidates the items (whole clusters) are split in two by *rng*; each half chooses the
    candidate with the best mean and the other half is scored with it, so that no item takes part in
    choosing what it is scored with. The interval is that of `paired_diff`.

    Raises: Invalid, as `paired_diff`; "elicited", if it is empty; "items", if there are fewer than
    four items (or clusters) to split between several candidates.
    """
    if not elicited:
        raise Invalid("elicited", "name one way of eliciting or more, with its scores")
    common = _common(default, *elicited.values())
    names = sorted(elicited)
    means = {name: float(np.mean([elicited[name][item] for item in common])) for name in names}
    base = {item: default[item] for item in common}
    if len(names) == 1:
        chosen: tuple[str, ...] = (names[0],)
        scored = {item: elicited[names[0]][item] for item in common}
    else:
        halves = _halves(common, _labels(common, clusters), rng)
        chosen = tuple(_best(elicited, names, half) for half in halves)
        scored = {
            item: elicited[name][item]
            for name, half in zip(chosen, reversed(halves), strict=True)
            for item in half
        }
    told = paired_diff(scored, base, clusters=clusters, alpha=alpha, n_runs=n_runs)
    seen = {item for side in (default, *elicited.values()) for item in side}
    unstable = (Code.UNSTABLE_CHOICE,) if len(set(chosen)) > 1 else ()
    left_out = tuple(sorted(seen - set(common)))
    return Gap(
        method=f"elicitation gap; {told.method}",
        n_items=told.n_items,
        n_runs=told.n_runs,
        n_clusters=told.n_clusters,
        alpha=alpha,
        estimand="rate",
        warnings=(*told.warnings, *unstable, *((Code.UNSHARED_ITEMS,) if left_out else ())),
        default=told.second,
        elicited=told.first,
        point=told.point,
        low=told.low,
        high=told.high,
        chosen=chosen,
        candidates=len(names),
        apparent=max(means.values()) - told.second,
        left_out=left_out,
    )


def _halves(
    items: list[str], labels: list[str] | None, rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """*items* in two halves, no cluster in both."""
    cluster = dict(zip(items, labels or items, strict=True))
    order = sorted(set(cluster.values()))
    if len(order) < 4:  # noqa: PLR2004 -- two to choose on and two to estimate on
        raise Invalid(
            "items", "four items (or clusters) or more are due to split between candidates"
        )
    taken = {order[at] for at in rng.permutation(len(order))[: len(order) // 2]}
    first = [item for item in items if cluster[item] in taken]
    return first, [item for item in items if cluster[item] not in taken]


def _best(elicited: Mapping[str, Scores], names: list[str], items: list[str]) -> str:
    """The candidate with the best mean over *items*; of equals the first by name."""
    return max(names, key=lambda name: sum(elicited[name][item] for item in items))
