"""A clustered mean's error is the published formula, and its test keeps its level with few clusters."""

import itertools
from math import log, sqrt

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code
from leadline.core.measure.interval import clopper_pearson, wilson
from leadline.core.measure.means import (
    DIFFERENCE,
    WEBB,
    cluster_test,
    exact_ends,
    grouped,
    mean_se,
    null_p,
)

FloatArray = npt.NDArray[np.float64]


def rng(seed: int = 7) -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(seed)


def test_the_standard_error_worked_by_hand() -> None:
    """Clusters with sums .5, -.5, 0 about the mean of 6 scores: SE^2 = 3/2 / 36 * .5."""
    scores = [1.0, 0.5, 0.0, 0.5, 0.5, 0.5]
    found = mean_se(scores, ["a", "a", "b", "b", "c", "c"])
    assert found.point == 0.5
    assert found.se == pytest.approx(sqrt(1.5 / 36 * 0.5))
    assert (found.n_items, found.n_clusters, found.estimand) == (6, 3, "rate")
    assert set(found.warnings) == {Code.FEW_ITEMS, Code.FEW_CLUSTERS}


def test_items_of_their_own_have_the_ordinary_error() -> None:
    """Without clusters the error is s / sqrt(n), and single runs give Wilson's interval."""
    scores = np.array([1.0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1])
    found = mean_se(scores)
    assert found.se == pytest.approx(scores.std(ddof=1) / sqrt(11))
    assert (found.low, found.high) == pytest.approx(tuple(wilson(8, 11)))
    assert found.warnings == ()


def test_a_suite_that_was_seen_whole_has_no_error() -> None:
    """With the suite as the estimand error and interval shrink by sqrt(1 - n/N), to nothing at n = N."""
    scores = [1.0, 0, 1, 1, 0, 1, 0, 1, 1, 1]
    whole, half, rate = (mean_se(scores, population=size) for size in (10, 20, None))
    assert (whole.se, whole.low, whole.high, whole.estimand) == (0, 0.7, 0.7, "realised")
    assert half.se == pytest.approx(rate.se * sqrt(0.5))
    assert half.high - half.low == pytest.approx((rate.high - rate.low) * sqrt(0.5))
    with pytest.raises(Invalid, match="population"):
        mean_se(scores, population=9)


@pytest.mark.parametrize(
    ("scores", "clusters", "field"),
    [
        ([], None, "scores"),
        ([[0.5]], None, "scores"),
        ([0.5, np.nan], None, "scores"),
        ([0.5, 1.5], None, "scores"),
        ([-0.5], None, "scores"),
        ([0.5], [1, 2], "clusters"),
    ],
)
def test_scores_that_cannot_be_are_refused(
    scores: list[float], clusters: list[int] | None, field: str
) -> None:
    """No scores, tables, NaN, scores outside of 0 and 1, and clusters of another number: by name."""
    with pytest.raises(Invalid, match=f"^{field}"):
        mean_se(scores, clusters)
    with pytest.raises(Invalid, match=f"^{field}"):
        cluster_test(scores, clusters, null=0.5, rng=rng())


def brute(
    scores: FloatArray, labels: npt.NDArray[np.intp], null: float, weights: FloatArray
) -> float:
    """The share of weight vectors with |t*| >= |t|, as the reference spells it, without shortcuts."""
    n, sizes = scores.size, np.bincount(labels).astype(float)
    count = sizes.size
    sums = np.bincount(labels, weights=scores - null).astype(np.float64)

    def t(own: FloatArray) -> float:
        mean = own.sum() / n
        spread = sqrt(count / (count - 1) * ((own - sizes * mean) ** 2).sum()) / n
        return abs(mean) / spread if spread > 1e-12 else (np.inf if abs(mean) > 1e-12 else 0.0)

    seen = t(sums)
    return float(np.mean([t(row * sums) >= seen * (1 - 1e-9) for row in weights]))


def test_six_clusters_try_every_vector_of_webb_weights() -> None:
    """The p-value equals the definition over all 6^6 vectors, for unequal clusters and scores between 0 and 1."""
    labels = np.repeat(range(6), [1, 2, 3, 4, 5, 1])
    scores = np.round(rng(3).random(16), 2)
    weights = np.array(list(itertools.product(WEBB, repeat=6)))[::7]
    found = cluster_test(scores, labels, null=0.35, rng=rng())
    assert "Webb" in found.method
    # A seventh of the vectors, taken evenly, is a sample of the whole.
    assert found.p == pytest.approx(brute(scores, labels, 0.35, weights), abs=0.01)


def test_twelve_clusters_try_every_vector_of_signs() -> None:
    """The p-value equals the definition over all 2^12 vectors, ties counted."""
    labels = np.repeat(range(12), [1, 2, 3] * 4)
    scores = (rng(4).random(24) < 0.6).astype(float)
    weights = np.array(list(itertools.product((-1.0, 1.0), repeat=12)))
    found = cluster_test(scores, labels, null=0.4, rng=rng())
    assert found.p == brute(scores, labels, 0.4, weights)
    assert found.p == null_p(scores, labels, null=0.4, rng=rng())


def test_thirty_clusters_are_students() -> None:
    """With every item a cluster of its own the test is the one-sample t test, and so is its interval."""
    scores = np.round(rng(5).random(35), 3)
    found = cluster_test(scores, null=0.45, rng=rng())
    known = ttest_1samp(scores, 0.45)
    assert (found.statistic, found.p) == pytest.approx((known.statistic, known.pvalue))
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval(0.95)))


@pytest.mark.parametrize("count", [6, 8, 12, 20, 40])
def test_the_interval_is_what_the_test_leaves_standing(count: int) -> None:
    """At each end p is alpha, within the grain of the weights; beyond it smaller, inside it larger."""
    sizes = rng(count).integers(1, 5, size=count)
    labels = np.repeat(range(count), sizes)
    scores = (rng(count + 1).random(sizes.sum()) < 0.5).astype(float)
    found = cluster_test(scores, labels, null=found_null(scores), rng=rng(1))
    assert found.p == pytest.approx(1)
    assert 0 <= found.low < found.point < found.high <= 1
    for end, inwards in ((found.low, 0.02), (found.high, -0.02)):
        inside = null_p(scores, labels, null=end + inwards, rng=rng(1))
        assert inside > 0.05
        if 0 < end < 1:
            assert null_p(scores, labels, null=end - np.sign(inwards) * 1e-6, rng=rng(1)) <= 0.05


def found_null(scores: FloatArray) -> float:
    """The null that the scores' own mean is."""
    return float(scores.mean())


def test_the_stream_alone_decides_what_is_drawn() -> None:
    """The same generator gives the same answer; the data's own signs keep p above 0."""
    scores, labels = np.repeat([1.0, 0.9, 0.8, 1.0, 0.7, 0.9, 1.0, 0.8], 2), np.repeat(range(8), 2)
    first, again = (cluster_test(scores, labels, null=0.05, rng=rng(2)) for _ in range(2))
    assert first == again
    assert first.p is not None
    assert 0 < first.p < 0.02


def test_five_clusters_are_not_tested() -> None:
    """Fewer than six: no p, the exact interval over items, and FEW_CLUSTERS; never a silent number."""
    binary = cluster_test(
        [1.0, 0, 1, 1, 0, 1, 1, 1, 0, 1], np.repeat(range(5), 2), null=0.5, rng=rng()
    )
    assert (binary.p, binary.statistic, binary.warnings) == (None, None, (Code.FEW_CLUSTERS,))
    assert (binary.low, binary.high) == pytest.approx(tuple(clopper_pearson(7, 10)))
    shares = cluster_test([0.5, 0.25, 0.75], None, null=0.5, rng=rng())
    assert shares.method == "exact over items"
    assert set(shares.warnings) == {Code.FEW_ITEMS, Code.FEW_CLUSTERS}


def test_clusters_that_agree_are_judged_by_their_signs() -> None:
    """Eight clusters of the same mean have no spread: p is 2 in 2^8, or 1 at that very mean."""
    labels = np.repeat(range(8), 2)
    scores = np.tile([0.25, 0.75], 8)
    found = cluster_test(scores, labels, null=0.1, rng=rng())
    assert (found.p, found.statistic) == (2 / 2**8, None)
    assert Code.DEGENERATE in found.warnings
    assert (found.low, found.high) == pytest.approx(exact_ends(scores, 8, (0, 1), 0.05))
    assert cluster_test(scores, labels, null=0.5, rng=rng()).p == 1
    with pytest.raises(Invalid, match="clusters"):
        null_p(scores, labels, null=0.1, rng=rng())
    with pytest.raises(Invalid, match="clusters"):
        null_p([0.1, 0.2], [1, 2], null=0.1, rng=rng())


def test_nothing_and_everything_are_within_their_bounds() -> None:
    """All ones stay below certainty by the clusters' exact interval; differences may be negative."""
    ones = cluster_test([1.0] * 14, np.repeat(range(7), 2), null=0.5, rng=rng())
    assert (ones.low, ones.high) == pytest.approx(tuple(clopper_pearson(7, 7)))
    minus = cluster_test([-1.0] * 7, None, null=0.0, rng=rng(), bounds=DIFFERENCE)
    assert (minus.low, minus.high) == pytest.approx(tuple(2 * clopper_pearson(0, 7) - 1))
    with pytest.raises(Invalid, match="null"):
        cluster_test([0.5] * 7, None, null=-0.1, rng=rng())
    with pytest.raises(Invalid, match="replicates"):
        cluster_test([0.5] * 7, None, null=0.1, rng=rng(), replicates=98)
    with pytest.raises(Invalid, match="alpha"):
        cluster_test([0.5] * 7, None, null=0.1, rng=rng(), alpha=1)


@given(
    scores=st.lists(st.floats(0, 1), min_size=1, max_size=40),
    alpha=st.sampled_from([0.01, 0.05, 0.3]),
)
def test_hoeffdings_ends_are_where_the_distance_is_spent(scores: list[float], alpha: float) -> None:
    """Each end within (0, 1) lies at n KL(mean, end) = log(2/alpha), and the ends mirror."""
    values = np.array([*scores, 0.5])
    n, mean = values.size, float(values.mean())
    low, high = exact_ends(values, n, (0, 1), alpha)
    assert 0 <= low <= mean <= high <= 1
    for end in (low, high):
        distance = mean * log(mean / end) + (1 - mean) * log((1 - mean) / (1 - end))
        assert n * distance == pytest.approx(log(2 / alpha), rel=1e-4)
    assert exact_ends(1 - values, n, (0, 1), alpha) == pytest.approx((1 - high, 1 - low), abs=1e-8)


@settings(max_examples=20)
@given(st.permutations(range(12)))
def test_order_and_names_of_clusters_do_not_matter(order: list[int]) -> None:
    """Rows in another order, and clusters under other names, give the same mean, error and p."""
    labels = np.repeat(range(6), 2)
    scores = np.round(rng(9).random(12), 2)
    at = np.array(order)
    one = mean_se(scores, labels)
    other = mean_se(scores[at], [f"cluster {5 - label}" for label in labels[at]])
    assert (other.point, other.se) == pytest.approx((one.point, one.se))
    assert null_p(scores[at], labels[at], null=0.3, rng=rng()) == pytest.approx(
        null_p(scores, labels, null=0.3, rng=rng()), abs=1e-4
    )


def test_one_cluster_has_no_covariance() -> None:
    """Of one cluster the spread is not known; nothing is made of it."""
    one = grouped([0.1, 0.9], ["a", "a"])
    assert one.covariance(one) == 0
    assert (mean_se([0.1, 0.9], ["a", "a"]).low, mean_se([0.1, 0.9], ["a", "a"]).high) == (0, 1)


def rejections(count: int, sets: int, seed: int) -> float:
    """How often a true null is rejected at 5 in 100: paired differences in clusters of 1 to 8 items."""
    draw = rng(seed)
    rejected = made = 0
    while made < sets:
        sizes = draw.integers(1, 9, size=count)
        labels = np.repeat(range(count), sizes)
        # Two subjects of one mean, whose luck is shared within clusters, and twice in one of them.
        shared = draw.normal(0, 0.25, size=count)[labels]
        chance = np.clip(0.5 + shared, 0, 1), np.clip(0.5 - shared, 0, 1)
        a, b = (draw.random(labels.size) < side for side in chance)
        difference = a.astype(float) - b
        means = np.bincount(labels, weights=difference) / sizes
        if np.ptp(means) == 0:
            continue
        made += 1
        p = null_p(difference, labels, null=0, rng=draw, bounds=DIFFERENCE, replicates=999)
        rejected += p <= 0.05
    return rejected / sets


@pytest.mark.parametrize(("count", "sets"), [(6, 150), (12, 300), (30, 300)])
def test_a_true_null_is_rejected_at_its_rate(count: int, sets: int) -> None:
    """Unequal clusters: 5 in 100, within the luck of so few data sets (1 to 10 in 100)."""
    assert 0.01 <= rejections(count, sets, seed=count) <= 0.10


@pytest.mark.soak
@pytest.mark.parametrize("count", [6, 12, 30])
def test_a_true_null_is_rejected_at_its_rate_whole(count: int) -> None:
    """Unequal clusters: of 5,000 data sets 3 to 7 in 100."""
    assert 0.03 <= rejections(count, 5000, seed=count) <= 0.07
