"""The confidence sequence that the bets of an active decision give, beside the decision itself.

Every share of a grid is bet against by the same draws. A share stays in the sequence until it and every
share below it (above it) have been rejected at 1 / alpha, which bounds the chance that the true share ever
leaves by alpha on each side. Wealth is kept as logarithms, whatever it grows to.

Source: design, statistics 5.1; Waudby-Smith and Ramdas, arXiv 2010.09686.
"""

from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from leadline.core.measure.active import KAPPAS, BoolArray, Estimated, Rule, bets

FloatArray = npt.NDArray[np.float64]
GRID = 400  # shares are multiples of 1 / GRID: the sequence is as coarse as that


@dataclass(frozen=True, slots=True)
class BetSequence:
    """Shares, ascending, tested by the same draws: log wealth by bettor, and which were rejected."""

    shares: FloatArray
    up: FloatArray
    down: FloatArray
    too_low: BoolArray
    too_high: BoolArray

    @classmethod
    def of(cls, rule: Rule) -> "BetSequence":
        """None rejected yet; the ends of the zone are among them."""
        ends = [rule.threshold - rule.zone, rule.threshold + rule.zone]
        shares = np.unique([*np.linspace(0, 1, GRID + 1), *ends])
        nothing, none = np.zeros((len(KAPPAS), len(shares))), np.zeros(len(shares), dtype=bool)
        return cls(shares, nothing, nothing, none, none)

    def after(self, found: Estimated, rule: Rule) -> "BetSequence":
        """One draw later; a share once rejected stays so."""
        up = self.up + bets(found, self.shares, 1)
        down = self.down + bets(found, self.shares, -1)
        goals = (log(len(KAPPAS) / rule.alpha_above), log(len(KAPPAS) / rule.alpha_below))
        return BetSequence(
            self.shares,
            up,
            down,
            self.too_low | (np.logaddexp.reduce(up, axis=0) >= goals[0]),
            self.too_high | (np.logaddexp.reduce(down, axis=0) >= goals[1]),
        )

    @property
    def ends(self) -> tuple[float, float]:
        """The shares that, with all beyond them, were not rejected: lower and upper end."""
        low = int(np.argmin(self.too_low)) if not self.too_low.all() else len(self.shares)
        high = int(np.argmin(self.too_high[::-1])) if not self.too_high.all() else len(self.shares)
        return (
            float(self.shares[low - 1]) if low else 0.0,
            float(self.shares[len(self.shares) - high]) if high else 1.0,
        )
