"""What leaves of scores: few runs, the Ladder, bands.

A score is a number of solved items; all arithmetic is in whole items, so that the same runs give the
same answers everywhere. The attacks this was measured against were not adapted to the Ladder; one
that is exists ("Climbing a shaky ladder", 2017), so that a quiet answer is no guarantee.

Source: Blum and Hardt, The Ladder (2015); trust.md 4.4.
"""

from dataclasses import dataclass, replace
from math import isqrt

from leadline.core.errors import Invalid, Refused
from leadline.core.sealed.exposure import Limits


@dataclass(frozen=True, slots=True)
class Account:
    """What one model family has been told about one set in one cycle. *best* counts items."""

    id: str
    pack: str
    family: str
    cycle: int
    used: int = 0
    best: int = 0


@dataclass(frozen=True, slots=True)
class Band:
    """A range of percent in which something lies, the low end included, the high end only at 100."""

    low: int
    high: int


def step(items: int) -> int:
    """The Ladder's step 2/sqrt(n), in items, rounded up: 29 of 200.

    Raises: Invalid, if there are no items.
    """
    if items < 1:
        raise Invalid("items", "a score needs at least one item")
    return isqrt(4 * items - 1) + 1


def climbed(best: int, solved: int, items: int) -> int:
    """The Ladder's new value: *best*, unless *solved* is a whole step above it.

    A new value is rounded to the nearest multiple of the step, and never above all items.

    Raises: Invalid, if the counts do not fit.
    """
    if not 0 <= best <= items or not 0 <= solved <= items:
        raise Invalid("solved", f"from 0 to {items} items can be solved")
    width = step(items)
    if solved < best + width:
        return best
    return min(items, (2 * solved + width) // (2 * width) * width)


def band(value: int, items: int, limits: Limits) -> Band:
    """The band that holds *value* of *items*."""
    width = limits.band_percent
    low = min(100 * value // items // width * width, (100 - 1) // width * width)
    return Band(low, min(100, low + width))


def widened(low: float, high: float, limits: Limits) -> Band:
    """An interval, in fractions of 1, with both ends moved outwards to ends of bands."""
    width = limits.band_percent
    below = int(low * 100) // width * width
    above = -(-round(high * 100_000) // (1000 * width)) * width
    return Band(min(below, 100 - 1), min(100, max(above, below + width)))


def debit(account: Account, solved: int, items: int, limits: Limits, restored: str) -> Account:
    """The account after one more scored run; *restored* says when rotation opens a new one.

    Raises: Refused, if the budget is spent.
    """
    require_left(account, limits, restored)
    best = climbed(account.best, solved, items)
    return replace(account, used=account.used + 1, best=best)


def require_left(account: Account, limits: Limits, restored: str) -> None:
    """Return if a scored run is left.

    Raises: Refused, saying when rotation restores the budget.
    """
    if account.used >= limits.runs_max:
        raise Refused(
            f"{account.used} of {limits.runs_max} scored runs of this family on this set are used; "
            f"rotation restores them on {restored}"
        )
