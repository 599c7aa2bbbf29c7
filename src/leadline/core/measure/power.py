"""Before and after a comparison: how many items it takes, and what several comparisons leave standing.

A paired comparison of two subjects over n items has the variance (between + within_a / epochs_a +
within_b / epochs_b) / n: *between* is of the true difference over items, *within* of one run of an item.

Sources: Miller, arXiv 2411.00640, section 5, for the power of paired evaluations; Holm, Scandinavian
Journal of Statistics 6 (1979) 65-70; Vovk and Wang, Annals of Statistics 49 (2021) 1736-1754, for
merging e-values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, fsum, isfinite, prod, sqrt

from scipy.special import ndtr, ndtri

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Estimate
from leadline.core.measure.interval import check_alpha

ITEMS_MAX = 10**9


@dataclass(frozen=True, slots=True)
class Spread:
    """What a planned comparison's error is made of.

    *between* is the variance over items of the true difference of the two sides, *within* each side's
    variance between runs of one item, *epochs* each side's runs per item. *inflation* is n over the
    effective n where items are clustered, 1 otherwise.

    Raises: Invalid, for a variance that is negative or no number, epochs below 1, or inflation below 1.
    """

    between: float
    within: tuple[float, float]
    epochs: tuple[int, int] = (1, 1)
    inflation: float = 1.0

    def __post_init__(self) -> None:
        if not all(isfinite(part) and part >= 0 for part in (self.between, *self.within)):
            raise Invalid("spread", "variances are 0 or more; take them from variance_components")
        if min(self.epochs) < 1:
            raise Invalid("epochs", "each side runs every item once or more")
        if not 1 <= self.inflation < float("inf"):
            raise Invalid("inflation", "is n over the effective n: 1 or more")

    @property
    def variance(self) -> float:
        """Of one item's difference, inflated."""
        runs = (noise / count for noise, count in zip(self.within, self.epochs, strict=True))
        return self.inflation * (self.between + sum(runs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Power(Estimate):
    """With *n_items*, a true *difference* is found at *alpha*, two-sided, with this *chance*.

    A *difference* above 1 cannot be: so few items find none at this chance.
    """

    difference: float
    chance: float
    spread: Spread


def power(difference: float, items: int, spread: Spread, *, alpha: float = 0.05) -> Power:
    """The chance that *items* find a true *difference*.

    Raises: Invalid, unless 0 < difference <= 1, there is an item, and *alpha* is an error rate.
    """
    _check_difference(difference)
    _check_items(items)
    check_alpha(alpha)
    error = sqrt(spread.variance / items)
    if not error:
        return _planned(items, difference, 1.0, spread, alpha)
    return _planned(
        items,
        difference,
        float(ndtr(difference / error - float(ndtri(1 - alpha / 2)))),
        spread,
        alpha,
    )


def items_needed(
    difference: float, spread: Spread, *, chance: float = 0.8, alpha: float = 0.05
) -> Power:
    """The fewest items that find a true *difference* with *chance*: n = (z + z')^2 * variance / d^2.

    Raises: Invalid, as `power`; if *chance* does not lie above *alpha* and below 1; "difference", if
    more than 10^9 items were due.
    """
    _check_difference(difference)
    due = _quantiles(chance, alpha) ** 2 * spread.variance / difference**2
    if due > ITEMS_MAX:
        raise Invalid("difference", f"{difference:g} takes {due:.3g} items; ask for a larger one")
    items = max(1, ceil(due * (1 - 1e-12)))  # a whole number is not pushed up by rounding
    return power(difference, items, spread, alpha=alpha)


def mde(items: int, spread: Spread, *, chance: float = 0.8, alpha: float = 0.05) -> Power:
    """The smallest true difference that *items* find with *chance*: the inverse of `items_needed`.

    Raises: Invalid, as `items_needed`.
    """
    _check_items(items)
    difference = _quantiles(chance, alpha) * sqrt(spread.variance / items)
    return _planned(items, difference, chance, spread, alpha)


def _quantiles(chance: float, alpha: float) -> float:
    check_alpha(alpha)
    if not alpha < chance < 1:
        raise Invalid("chance", f"{chance} must lie above alpha ({alpha}) and below 1")
    return float(ndtri(1 - alpha / 2) + ndtri(chance))


def _check_difference(difference: float) -> None:
    if not 0 < difference <= 1:
        raise Invalid("difference", f"{difference} is no difference of shares above 0, up to 1")


def _check_items(items: int) -> None:
    if not 1 <= items <= ITEMS_MAX:
        raise Invalid("items", f"{items}: from 1 to {ITEMS_MAX:,}")


def _planned(items: int, difference: float, chance: float, spread: Spread, alpha: float) -> Power:
    return Power(
        method="paired difference, normal",
        n_items=items,
        n_runs=items * sum(spread.epochs),
        n_clusters=items,
        alpha=alpha,
        estimand="rate",
        difference=difference,
        chance=chance,
        spread=spread,
    )


@dataclass(frozen=True, slots=True)
class Adjusted:
    """One declared comparison: its own p and Holm's; None, and 1, where no p came of it."""

    name: str
    p: float | None
    adjusted: float
    found: bool  # the adjusted p is at most alpha


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplicity(Estimate):
    """All *declared* comparisons by Holm's rule: any false finding among them has chance *alpha*.

    Here the items are the declared comparisons. *exploratory* are those that nobody declared
    beforehand, with their plain p: they count for nothing and are printed as such.
    """

    declared: tuple[Adjusted, ...]
    exploratory: tuple[tuple[str, float | None], ...]


def holm(
    p_values: Mapping[str, float | None], declared: Sequence[str], *, alpha: float = 0.05
) -> Multiplicity:
    """Holm's step-down adjustment over the list that was *declared* beforehand.

    A declared comparison without a p-value (not run, or None) keeps its place in the list, with 1.

    Raises: Invalid, for a p outside [0, 1], a name declared twice, or nothing declared.
    """
    check_alpha(alpha)
    wrong = next((name for name, p in p_values.items() if p is not None and not 0 <= p <= 1), None)
    if wrong is not None:
        raise Invalid(f"p of {wrong}", f"{p_values[wrong]} is no chance")
    if len(set(declared)) != len(declared) or not declared:
        raise Invalid("declared", "name every comparison once, and one at least")
    known = {name: p_values.get(name) for name in declared}
    ordered = sorted(declared, key=lambda name: (_or_one(known[name]), name))
    scaled = (
        min(1.0, (len(ordered) - at) * _or_one(known[name])) for at, name in enumerate(ordered)
    )
    adjusted = dict(zip(ordered, accumulate(scaled, max), strict=True))
    return Multiplicity(
        method="holm",
        n_items=len(declared),
        n_runs=len(declared),
        n_clusters=len(declared),
        alpha=alpha,
        estimand="rate",
        declared=tuple(
            Adjusted(name, known[name], adjusted[name], adjusted[name] <= alpha)
            for name in declared
        ),
        exploratory=tuple((name, p) for name, p in sorted(p_values.items()) if name not in known),
    )


def _or_one(p: float | None) -> float:
    return 1.0 if p is None else p


@dataclass(frozen=True, slots=True, kw_only=True)
class EValue(Estimate):
    """Evidence against one hypothesis from several e-values, and *p* = min(1, 1/e), which it implies."""

    e: float
    p: float


def e_combined(e_values: Sequence[float], *, independent: bool, alpha: float = 0.05) -> EValue:
    """One e-value of several: their product where they are *independent*, else their mean.

    The mean holds whatever their dependence. Here the items are the e-values.

    Raises: Invalid, if there is none, or one is negative or no finite number.
    """
    check_alpha(alpha)
    if not e_values or not all(isfinite(e) and e >= 0 for e in e_values):
        raise Invalid("e_values", "one finite e-value of 0 or more is due, or several")
    count = len(e_values)
    e = prod(e_values) if independent else fsum(e_values) / count
    return EValue(
        method="product of e-values" if independent else "mean of e-values",
        n_items=count,
        n_runs=count,
        n_clusters=count,
        alpha=alpha,
        estimand="rate",
        e=float(e),
        p=min(1.0, 1.0 / e) if e else 1.0,
    )
