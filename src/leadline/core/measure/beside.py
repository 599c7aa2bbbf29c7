"""Two subjects on the same items, from sample results: the paired difference, and a test of it.

What our own side lost, or never ran, is no result of either: an item counts where both have one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from leadline.core.assessment import SampleResult
from leadline.core.measure.comparison import McNemar, Paired, mcnemar, paired_diff
from leadline.core.measure.estimate import Json
from leadline.core.measure.family import runs_by_item
from leadline.core.measure.means import DIFFERENCE, ClusterTest, cluster_test


@dataclass(frozen=True, slots=True)
class Beside:
    """First minus second; *test* is McNemar's for single runs, else the cluster test over items."""

    paired: Paired
    test: McNemar | ClusterTest

    @property
    def p(self) -> float | None:
        """That both solve alike; None where there are too few items to say."""
        return self.test.p

    def to_dict(self) -> dict[str, Json]:
        """Both parts, as JSON has them."""
        return {"paired": self.paired.to_dict(), "test": self.test.to_dict()}


def beside(
    first: Iterable[SampleResult],
    second: Iterable[SampleResult],
    *,
    rng: np.random.Generator,
    alpha: float = 0.05,
) -> Beside | None:
    """*first* compared with *second*; None where no item was seen by both.

    An item's score is the mean of its runs.

    Raises: Invalid, if *alpha* is no error rate.
    """
    sides = runs_by_item(first), runs_by_item(second)
    common = sorted(sides[0].keys() & sides[1].keys())
    if not common:
        return None
    means = [{item: fmean(runs) for item, runs in side.items()} for side in sides]
    made = sum(len(side[item]) for side in sides for item in common)
    paired = paired_diff(means[0], means[1], alpha=alpha, n_runs=made)
    scores = [np.array([side[item] for item in common]) for side in means]
    test: McNemar | ClusterTest
    if made == 2 * len(common):
        test = mcnemar(scores[0], scores[1], alpha=alpha)
    else:
        test = cluster_test(scores[0] - scores[1], null=0, rng=rng, bounds=DIFFERENCE, alpha=alpha)
    return Beside(paired, test)
