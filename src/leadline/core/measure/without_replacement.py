"""The exact confidence sequence for a fixed suite, and the decision table that follows from it.

N items, S of them solved in truth; n were seen in simple random order, s of those solved. Under a
uniform prior over S the ratio prior/posterior of a total is

    1 / ((n + 1) * P(s | n, S, N)),    P hypergeometric,

a nonnegative martingale from 1 when S is the truth. By Ville's inequality the truth is ever excluded
(ratio at least 1/alpha, or S impossible) with probability at most alpha, however often one looks and
whenever one stops. Everything is integer arithmetic: the same table on every machine.

Source: Waudby-Smith and Ramdas, NeurIPS 2020 (arXiv 2006.04347), uniform working prior.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, comb
from typing import Literal

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Json
from leadline.core.measure.interval import check_alpha, exact

Side = Literal["above", "below"]


@dataclass(frozen=True, slots=True)
class Table:
    """The whole decision, to be published with the plan.

    After n items, *above_from*[n] successes or more reject every share up to the lower end of the
    zone, and *below_to*[n] or fewer reject every share from its upper end on. n + 1 and -1 stand for
    "no count does". *low_total* is the largest total that `above` rejects, *high_total* the smallest
    that `below` rejects.
    """

    n_items: int
    low_total: int
    high_total: int
    above_from: tuple[int, ...]
    below_to: tuple[int, ...]

    def above(self, seen: int, successes: int) -> bool:
        """Whether totals up to *low_total* are rejected."""
        return successes >= self.above_from[seen]

    def below(self, seen: int, successes: int) -> bool:
        """Whether totals from *high_total* on are rejected."""
        return successes <= self.below_to[seen]

    def to_dict(self) -> dict[str, Json]:
        """JSON-safe; lists are indexed by the number of items seen."""
        return {
            "n_items": self.n_items,
            "low_total": self.low_total,
            "high_total": self.high_total,
            "above_from": list(self.above_from),
            "below_to": list(self.below_to),
        }


def evidence(n_items: int, total: int, seen: int, successes: int) -> Fraction | None:
    """How many times less plausible *total* has become: prior/posterior; None if now impossible.

    Starts at 1 and, when *total* is the truth, exceeds 1/alpha ever with probability at most alpha.
    """
    ways = comb(total, successes) * comb(n_items - total, seen - successes)
    return Fraction(comb(n_items, seen), (seen + 1) * ways) if ways else None


def excluded(n_items: int, total: int, seen: int, successes: int, alpha: Fraction) -> bool:
    """Whether *total* has left the confidence sequence at level *alpha*."""
    ratio = evidence(n_items, total, seen, successes)
    return ratio is None or ratio * alpha >= 1


def wor_table(
    n_items: int, threshold: float, alpha_above: float, alpha_below: float, zone: float = 0.0
) -> Table:
    """The table for "the share of the suite solved is at least *threshold*".

    `above` tests shares below threshold - zone, `below` shares of threshold + zone and more; numbers
    are read as the decimals they were written as.

    Raises: Invalid, naming the number, if no total of the suite lies on each side.
    """
    low_total, high_total = totals(n_items, threshold, zone)
    check_alpha(alpha_above, "alpha_above")
    check_alpha(alpha_below, "alpha_below")
    above, below = exact("alpha_above", alpha_above), exact("alpha_below", alpha_below)
    above_from = _frontier(
        n_items,
        lambda seen, s: (
            s * n_items > low_total * seen and excluded(n_items, low_total, seen, s, above)
        ),
    )
    # Failures mirror successes: few successes reject a high total as many failures reject a low one.
    mirrored = _frontier(
        n_items,
        lambda seen, f: (
            f * n_items > (n_items - high_total) * seen
            and excluded(n_items, n_items - high_total, seen, f, below)
        ),
    )
    below_to = tuple(seen - failures for seen, failures in enumerate(mirrored))
    return Table(n_items, low_total, high_total, above_from, below_to)


def totals(n_items: int, threshold: float, zone: float) -> tuple[int, int]:
    """The largest total that `above` must reject, and the smallest that `below` must.

    Raises: Invalid, if there is none.
    """
    if n_items < 1:
        raise Invalid("n_items", "a suite holds at least one item")
    level, width = exact("threshold", threshold), exact("zone", zone)
    if width < 0:
        raise Invalid("zone", f"{zone} is negative")
    low, high = ceil((level - width) * n_items) - 1, ceil((level + width) * n_items)
    if low < 0 or high > n_items:
        problem = f"{threshold} with zone {zone} leaves no total of {n_items} items on one side"
        raise Invalid("threshold", f"{problem}; move it away from 0 and 1")
    return low, high


def _frontier(n_items: int, rejects: Callable[[int, int], bool]) -> tuple[int, ...]:
    """For each number seen, the fewest successes that reject; never falls as more are seen."""
    fewest, found = 0, []
    for seen in range(n_items + 1):
        while fewest <= seen and not rejects(seen, fewest):
            fewest += 1
        found.append(fewest)
    return tuple(found)


def bounds(
    n_items: int, seen: int, successes: int, alpha_above: float, alpha_below: float
) -> tuple[float, float]:
    """The shares still in the sequence: lower end at *alpha_above*, upper end at *alpha_below*."""
    above, below = exact("alpha_above", alpha_above), exact("alpha_below", alpha_below)
    possible = range(successes, n_items - seen + successes + 1)
    mode = next(
        total for total in possible if total * seen >= successes * n_items or total == possible[-1]
    )
    low = next(
        total
        for total in possible
        if total >= mode or not excluded(n_items, total, seen, successes, above)
    )
    high = next(
        total
        for total in reversed(possible)
        if total <= mode or not excluded(n_items, total, seen, successes, below)
    )
    return low / n_items, high / n_items


def error_rate(table: Table, total: int, side: Side) -> float:
    """The exact probability that the rule ever says *side* when *total* items are solved in truth.

    By dynamic programming over (items seen, successes), stopping at the first decision of either
    side. At *total* = `low_total` this is the largest chance of a wrong ``above``; at `high_total`
    of a wrong ``below``.
    """
    alive, reached = {0: 1.0}, 0.0
    for seen in range(1, table.n_items + 1):
        left, after = table.n_items - seen + 1, dict[int, float]()
        for successes, mass in alive.items():
            up = (total - successes) / left
            for count, share in ((successes + 1, up), (successes, 1 - up)):
                if share > 0:
                    after[count] = after.get(count, 0.0) + mass * share
        alive = {}
        for count, mass in after.items():
            decides = {"above": table.above(seen, count), "below": table.below(seen, count)}
            if decides[side]:
                reached += mass
            elif not any(decides.values()):
                alive[count] = mass
    return reached
