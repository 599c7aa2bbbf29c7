"""Whether failures of our own side are frequent, or uneven, enough to doubt a run's scores.

A sample that our side lost says nothing about the subject and is left out of its score. That is without
bias only while losses have nothing to do with who or what was measured. Two signs are looked at (design,
evaluation 5.4): losses above two in a hundred, and losses that differ between the arms of a run by
Fisher's exact test at p < 0.01, Bonferroni-corrected over the pairs of arms (Fisher, Statistical Methods
for Research Workers, 1934).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from leadline.core.errors import Invalid

RATE_MAX = 0.02
P_MAX = 0.01


@dataclass(frozen=True, slots=True)
class Lost:
    """Samples of one arm: *lost* to our own side, of *total* that were begun.

    Raises: Invalid, unless 0 <= lost <= total.
    """

    lost: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.lost <= self.total:
            raise Invalid("lost", f"{self.lost} of {self.total} samples cannot be")

    @property
    def rate(self) -> float:
        """The share that was lost; 0 of none."""
        return self.lost / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Flag:
    """One reason to look: *arms* are whose losses it is about, *p* the test's, where one was made."""

    sign: str  # "rate" or "uneven"
    arms: tuple[str, ...]
    text: str
    p: float | None = None


def flags(arms: Mapping[str, Lost]) -> tuple[Flag, ...]:
    """What the losses of a run's *arms* give reason to look at; empty where nothing does."""
    found = [
        Flag(
            "rate",
            (name,),
            f"{name}: {arm.lost} of {arm.total} samples were lost to our own side, "
            f"more than {RATE_MAX:.0%}",
        )
        for name, arm in sorted(arms.items())
        if arm.rate > RATE_MAX
    ]
    pairs = list(combinations(sorted(arms), 2))
    for one, other in pairs:
        p = min(1.0, _fisher(arms[one], arms[other]) * len(pairs))
        if p < P_MAX:
            text = (
                f"{one} lost {arms[one].rate:.1%} of its samples and {other} "
                f"{arms[other].rate:.1%} (p = {p:.2g}): not by chance alone"
            )
            found.append(Flag("uneven", (one, other), text, p))
    return tuple(found)


def _fisher(one: Lost, other: Lost) -> float:
    """The two-sided p-value that both arms lose samples at one rate."""
    if not one.lost + other.lost:
        return 1.0
    from scipy.stats import fisher_exact  # a second to load, and most runs lose nothing

    table = [[one.lost, one.total - one.lost], [other.lost, other.total - other.lost]]
    return float(fisher_exact(table).pvalue)
