"""How often each default interval holds the truth: by summation over outcomes, or by simulation.

Summed, without chance: the binomial forms over rates .02 to .98, the hypergeometric one over every total
of a suite, Newcombe's over grids of two rates (and a correlation, where paired). Simulated, as there is
no end of ways to be clustered: means over clusters and epochs, attempts, steps of chains. `coverage` is
what `bench/decide.py` prints; the tests take the same functions.
"""

from collections.abc import Callable, Iterator
from itertools import product
from math import comb
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, xlog1py, xlogy

from leadline.core.assessment import Milestone, SampleResult
from leadline.core.errors import Invalid
from leadline.core.measure.attempts import pass_at_k, pass_hat_k
from leadline.core.measure.comparison import paired_diff, uplift
from leadline.core.measure.effort import success_curve
from leadline.core.measure.interval import (
    beta,
    clopper_pearson,
    clustered,
    finite_population_interval,
    wilson,
)
from leadline.core.measure.means import DIFFERENCE, cluster_test, mean_se, null_p
from leadline.core.measure.milestones import mean_steps

FloatArray = npt.NDArray[np.float64]
Ends = tuple[float, float]

RATES = np.arange(2, 99) / 100
FORMS: dict[str, Callable[[npt.ArrayLike, npt.ArrayLike], FloatArray]] = {
    "wilson": wilson,
    "clopper_pearson": clopper_pearson,
    "beta": beta,
}
PAIRED_RATES = (0.05, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95)
CORRELATIONS = (-0.25, 0.0, 0.25, 0.5, 0.75)
MEANS = tuple(round(0.05 + 0.1 * at, 2) for at in range(10))
SEED = 20_251_121
ROUNDING = 1e-9
ALPHA = 0.05
BUDGET, CUT = 100_000, 0.2


def binomial(form: str, n: int) -> FloatArray:
    """The chance that a form's interval of *n* trials holds the rate, for each of RATES."""
    ends = FORMS[form](np.arange(n + 1), n)
    held = (ends[:, 0] <= RATES[:, None]) & (RATES[:, None] <= ends[:, 1])
    covered: FloatArray = (_chances(n, RATES) * held).sum(axis=1)
    return covered


def _chances(n: int, rates: FloatArray) -> FloatArray:
    """Of 0 to n successes, one row per rate."""
    k = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    chances: FloatArray = np.exp(ways + xlogy(k, rates[:, None]) + xlog1py(n - k, -rates[:, None]))
    return chances


def hypergeometric(population: int, seen: int) -> FloatArray:
    """The chance that the interval of *seen* items of a suite holds its share, for every total."""
    ends = [finite_population_interval(k, seen, population) for k in range(seen + 1)]
    ways = comb(population, seen)
    return np.array(
        [
            sum(
                comb(total, k) * comb(population - total, seen - k)
                for k, one in enumerate(ends)
                if one.low <= total / population <= one.high
            )
            / ways
            for total in range(population + 1)
        ]
    )


def independent(n1: int, n2: int) -> FloatArray:
    """The chance that the uplift's interval holds the difference, for each pair of RATES."""
    ends = np.array(
        [
            [(one.low, one.high) for b in range(n2 + 1) for one in [uplift(a, n1, b, n2)]]
            for a in range(n1 + 1)
        ]
    )
    rates = RATES[::4]
    first, second = _chances(n1, rates), _chances(n2, rates)
    covered = np.empty((rates.size, rates.size))
    for i, p in enumerate(rates):
        for j, q in enumerate(rates):
            held = (ends[..., 0] <= p - q + ROUNDING) & (p - q - ROUNDING <= ends[..., 1])
            covered[i, j] = first[i] @ held @ second[j]
    return covered


def paired(n: int) -> FloatArray:
    """The chance that the paired interval of *n* single runs holds the difference, over the grid."""
    tables = [
        (both, first, second, n - both - first - second)
        for both in range(n + 1)
        for first in range(n + 1 - both)
        for second in range(n + 1 - both - first)
    ]
    counts = np.array(tables)
    ends = np.array([_paired_ends(table) for table in tables])
    ways = gammaln(n + 1) - gammaln(counts + 1).sum(axis=1)
    covered = []
    for cells in _cells():
        chance = np.exp(ways + xlogy(counts, np.array(cells)).sum(axis=1))
        truth = cells[1] - cells[2]
        held = (ends[:, 0] <= truth + ROUNDING) & (truth - ROUNDING <= ends[:, 1])
        covered.append(float((chance * held).sum()))
    return np.array(covered)


def _paired_ends(table: tuple[int, int, int, int]) -> Ends:
    both, first, second, neither = table
    mine = [1.0] * (both + first) + [0.0] * (second + neither)
    theirs = [1.0] * both + [0.0] * first + [1.0] * second + [0.0] * neither
    sides = [{str(at): score for at, score in enumerate(side)} for side in (mine, theirs)]
    found = paired_diff(*sides)
    return found.low, found.high


def _cells() -> Iterator[tuple[float, float, float, float]]:
    """Chances of solved by both, by the first only, by the second only, by neither."""
    for p in PAIRED_RATES:
        for q in PAIRED_RATES:
            for correlation in CORRELATIONS:
                both = p * q + correlation * (p * (1 - p) * q * (1 - q)) ** 0.5
                cells = (both, p - both, q - both, 1 - p - q + both)
                if min(cells) >= 0:
                    yield cells


class _Ended(Protocol):
    """Any estimate with two ends."""

    @property
    def low(self) -> float:
        """The lower end."""

    @property
    def high(self) -> float:
        """The upper end."""


def _holds(found: _Ended, truth: float) -> bool:
    return found.low - ROUNDING <= truth <= found.high + ROUNDING


def _clusters(draw: np.random.Generator, mean: float, count: int) -> tuple[FloatArray, FloatArray]:
    """Single runs in *count* unequal clusters that share their luck more or less."""
    sizes = draw.integers(1, 7, size=count)
    tightness = draw.choice([0.7, 2.0, 6.0, 40.0])
    rates = draw.beta(mean * tightness, (1 - mean) * tightness, size=count)
    labels = np.repeat(np.arange(count), sizes)
    return (draw.random(labels.size) < rates[labels]).astype(float), labels.astype(float)


def in_clusters(draw: np.random.Generator, mean: float, count: int) -> bool:
    """A clustered share."""
    runs, labels = _clusters(draw, mean, count)
    found = clustered(runs, labels, n_runs=runs.size)
    return _holds(found, mean)


def mean_in_clusters(draw: np.random.Generator, mean: float, count: int) -> bool:
    """A mean of item scores that are averages of three runs each, in clusters."""
    first, labels = _clusters(draw, mean, count)
    rates = draw.beta(mean * 4, (1 - mean) * 4, size=count)[labels.astype(int)]
    scores = draw.binomial(3, rates) / 3
    found = mean_se(scores, labels, n_runs=3 * first.size)
    return _holds(found, mean)


def mean_of_a_suite(draw: np.random.Generator, mean: float, count: int) -> bool:
    """Half of a fixed suite's items, each with its known score."""
    suite = draw.beta(mean * 3, (1 - mean) * 3, size=2 * count)
    found = mean_se(draw.permutation(suite)[:count], population=2 * count)
    return _holds(found, float(suite.mean()))


def tested(draw: np.random.Generator, mean: float, count: int) -> bool:
    """Whether the cluster test leaves the true difference to a subject that solves half standing."""
    runs, labels = _clusters(draw, mean, count)
    rates = draw.beta(3, 3, size=count)[labels.astype(int)]
    differences = runs - (draw.random(runs.size) < rates)
    try:
        p = null_p(
            differences, labels, null=mean - 0.5, rng=draw, bounds=DIFFERENCE, replicates=499
        )
    except Invalid:  # clusters that agree have the exact interval
        found = cluster_test(differences, labels, null=0, rng=draw, bounds=DIFFERENCE)
        return found.low <= mean - 0.5 <= found.high
    return p > ALPHA


def _attempted(
    draw: np.random.Generator, mean: float, count: int
) -> tuple[FloatArray, list[int], float]:
    """True rates of items are Beta; answers five runs of each, and the Beta's weight."""
    weight = float(draw.choice([0.7, 2.0, 8.0]))
    rates = draw.beta(mean * weight, (1 - mean) * weight, size=count)
    return rates, draw.binomial(5, rates).tolist(), weight


def any_of_three(draw: np.random.Generator, mean: float, count: int) -> bool:
    """pass@3 from five runs: the truth is 1 - E[(1 - rate)^3] of the Beta."""
    _, solved, weight = _attempted(draw, mean, count)
    found = pass_at_k(solved, [5] * count, 3)
    return _holds(found, 1 - _third_moment((1 - mean) * weight, weight))


def all_of_three(draw: np.random.Generator, mean: float, count: int) -> bool:
    """pass^3 from five runs: the truth is E[rate^3] of the Beta."""
    _, solved, weight = _attempted(draw, mean, count)
    found = pass_hat_k(solved, [5] * count, 3)
    return _holds(found, _third_moment(mean * weight, weight))


def _third_moment(a: float, total: float) -> float:
    """E[x^3] of a Beta(a, total - a)."""
    return a * (a + 1) * (a + 2) / (total * (total + 1) * (total + 2))


def paired_epochs(draw: np.random.Generator, mean: float, count: int) -> bool:
    """Two subjects, three runs each of the same items, the second a little less able at each."""
    weight = float(draw.choice([0.7, 2.0, 8.0]))
    rates = draw.beta(mean * weight, (1 - mean) * weight, size=count)
    sides = [
        {str(at): run / 3 for at, run in enumerate(draw.binomial(3, part * rates).tolist())}
        for part in (1.0, 0.8)
    ]
    found = paired_diff(*sides, n_runs=6 * count)
    return _holds(found, 0.2 * mean)


def steps(draw: np.random.Generator, mean: float, count: int) -> bool:
    """The mean number of steps of four, climbed one after the other with one chance each."""
    reached = (draw.random((count, 4)) < mean**0.25).cumprod(axis=1).astype(bool)
    results = [
        SampleResult(
            str(item),
            1,
            "scored",
            bool(row.all()),
            "",
            milestones=tuple(Milestone(str(at), bool(one)) for at, one in enumerate(row)),
        )
        for item, row in enumerate(reached)
    ]
    found = mean_steps(results)
    truth = sum(mean ** (0.25 * step) for step in range(1, 5))
    return _holds(found, truth)


def in_epochs(draw: np.random.Generator, mean: float, count: int) -> bool:
    """A family's share over five runs of each item."""
    _, solved, _ = _attempted(draw, mean, count)
    runs = [float(at < times) for times in solved for at in range(5)]
    return _holds(clustered(runs, np.repeat(range(count), 5), n_runs=5 * count), mean)


def _spent(draw: np.random.Generator, mean: float, count: int, epochs: int) -> bool:
    """The last point of success against tokens, a fifth of the attempts cut off by time."""
    weight = float(draw.choice([0.7, 2.0, 8.0]))
    rates = draw.beta(mean * weight, (1 - mean) * weight, size=count)
    samples = []
    for item, epoch in product(range(count), range(1, epochs + 1)):
        solved = draw.random() < rates[item]
        end = int(draw.integers(1, BUDGET)) if solved else BUDGET
        cut = int(draw.integers(1, BUDGET)) if draw.random() < CUT else BUDGET
        over = cut < end
        samples.append(
            SampleResult(
                str(item),
                epoch,
                "limit" if over else "scored",
                bool(solved and not over),
                "",
                reason="time limit" if over else "",
                tokens=min(cut, end),
            )
        )
    return _holds(success_curve(samples, BUDGET).steps[-1], mean)


def spent(draw: np.random.Generator, mean: float, count: int) -> bool:
    """Success against tokens from single runs."""
    return _spent(draw, mean, count, 1)


def spent_in_epochs(draw: np.random.Generator, mean: float, count: int) -> bool:
    """Success against tokens from three runs of each item."""
    return _spent(draw, mean, count, 3)


SIMULATED: dict[str, Callable[[np.random.Generator, float, int], bool]] = {
    "clustered": in_clusters,
    "mean": mean_in_clusters,
    "mean_of_a_suite": mean_of_a_suite,
    "cluster_test": tested,
    "pass_at_k": any_of_three,
    "pass_hat_k": all_of_three,
    "paired_epochs": paired_epochs,
    "steps": steps,
    "epochs": in_epochs,
    "spent": spent,
    "spent_in_epochs": spent_in_epochs,
}


SLOW = frozenset({"spent", "spent_in_epochs"})  # a curve a data set: fewer, and smaller ones


def simulated(name: str, count: int, sets: int) -> float:
    """The share of *sets* simulated data sets at each of MEANS whose interval holds the truth."""
    draw = np.random.default_rng([SEED, count, *name.encode()])
    held = 0
    for mean in MEANS:
        for _ in range(sets):
            held += SIMULATED[name](draw, mean, count)
    return held / (sets * len(MEANS))


def coverage(*, quick: bool = False) -> dict[str, float]:
    """The mean coverage of each default interval at nominal 95 %, at the size where it is least.

    Sizes begin at ten items (or clusters). Values are shares of 1; all are due at .94 or more.
    ``clopper_pearson_worst`` and ``hypergeometric_worst`` are the least at any rate: .95 or more.
    """
    sizes = (10, 20, 40, 100, 300) if quick else tuple(range(10, 301))
    found = {form: min(float(binomial(form, n).mean()) for n in sizes) for form in FORMS}
    found["clopper_pearson_worst"] = min(float(binomial("clopper_pearson", n).min()) for n in sizes)
    suites = [hypergeometric(total, seen) for total, seen in ((20, 10), (40, 10), (60, 30))]
    found["hypergeometric"] = min(float(one.mean()) for one in suites)
    found["hypergeometric_worst"] = min(float(one.min()) for one in suites)
    arms = ((10, 10), (10, 30)) if quick else ((10, 10), (10, 30), (20, 20), (40, 40))
    found["newcombe_independent"] = min(float(independent(*pair).mean()) for pair in arms)
    found["newcombe_paired"] = min(
        float(paired(n).mean()) for n in ((10,) if quick else (10, 15, 20, 30))
    )
    counts, sets = ((10, 30), 300) if quick else ((10, 12, 20, 30, 60), 500)
    for name in SIMULATED:
        sizes_made, each = (counts[:-1], sets // 2) if name in SLOW else (counts, sets)
        found[name] = min(simulated(name, count, each) for count in sizes_made)
    return found
