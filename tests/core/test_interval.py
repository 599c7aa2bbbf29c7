"""Intervals hold what was seen, whatever is clustered, and a bound carries everything it depends on."""

from math import comb
from typing import TypedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.assessment import Budget, SampleResult
from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code, json_safe
from leadline.core.measure.family import Conditions, by_family
from leadline.core.measure.interval import (
    beta,
    clopper_pearson,
    clustered,
    effective_size,
    exact,
    finite_population_interval,
    in_100,
    interval,
    rare_event_bound,
    wilson,
)


class Basis(TypedDict):
    """What a bound depends on."""

    budget: Budget
    elicitation: str
    scaffold_digest: str


CONDITIONS = Conditions(Budget(runs=20_000), "default", "ab" * 32)


@given(n=st.integers(1, 400), share=st.floats(0, 1), alpha=st.sampled_from([0.01, 0.05, 0.2, 0.6]))
def test_intervals_hold_their_share_and_mirror(n: int, share: float, alpha: float) -> None:
    """The observed share lies inside, and failures give the mirror image of successes."""
    k = round(share * n)
    for form in (wilson, clopper_pearson):
        low, high = form(k, n, alpha=alpha)
        assert 0 <= low <= k / n + 1e-12
        assert k / n - 1e-12 <= high <= 1
        assert form(n - k, n, alpha=alpha) == pytest.approx([1 - high, 1 - low], abs=1e-9)


def test_no_trials_know_nothing() -> None:
    """Without trials the interval is (0, 1) and says so, which is not a rate of zero."""
    assert wilson([0, 1], [0, 2])[0].tolist() == [0, 1]
    nothing = interval(0, 0)
    assert (nothing.low, nothing.high, nothing.warnings) == (0, 1, (Code.NO_RUNS,))


@pytest.mark.parametrize(("k", "n", "alpha"), [(3, 2, 0.05), (-1, 2, 0.05), (1, 2, 0), (1, 2, 1)])
def test_impossible_counts_and_errors_are_refused(k: int, n: int, alpha: float) -> None:
    """More successes than trials, negative counts and error rates of 0 or 1 cannot be right."""
    with pytest.raises(Invalid):
        wilson(k, n, alpha=alpha)


def test_other_impossible_numbers_are_refused() -> None:
    """Infinite counts, a prior without weight and an infinite decimal cannot be right."""
    with pytest.raises(Invalid, match="finite"):
        wilson(1, np.inf)
    with pytest.raises(Invalid, match="prior"):
        beta(1, 2, prior=(0, 1))
    with pytest.raises(Invalid, match="threshold"):
        exact("threshold", float("nan"))


def test_decimals_are_read_as_written() -> None:
    """0.7 is 7/10, so that 0.7 of 500 is exactly 350; an error of 0.05 reads 5 in 100."""
    assert exact("x", 0.7) * 500 == 350
    assert in_100(0.05) == "5 in 100"


@pytest.mark.parametrize("population", [1, 7, 20])
def test_the_finite_interval_covers_every_suite(population: int) -> None:
    """For every total and sample size the interval holds the true share at least 80 % of the time."""
    for seen in range(population + 1):
        ends = [finite_population_interval(k, seen, population, alpha=0.2) for k in range(seen + 1)]
        for total in range(population + 1):
            held = sum(
                comb(total, k) * comb(population - total, seen - k)
                for k, one in enumerate(ends)
                if one.low <= total / population <= one.high
            )
            assert held >= 0.8 * comb(population, seen)


def test_a_full_run_of_a_suite_is_no_estimate() -> None:
    """With every item seen the interval is one point; with none it is everything."""
    full = finite_population_interval(9, 36, 36)
    assert (full.low, full.high, full.estimand) == (0.25, 0.25, "realised")
    assert finite_population_interval(0, 0, 36).high == 1
    for wrong in ((2, 1, 3), (1, 4, 3), (0, 0, 0)):
        with pytest.raises(Invalid):
            finite_population_interval(*wrong)


def test_repeats_of_an_item_are_one_cluster() -> None:
    """Copying every run ten times leaves the interval nearly as it was instead of shrinking it."""
    scores = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]
    once = clustered(scores, range(12), n_runs=12)
    often = clustered(np.repeat(scores, 10), np.repeat(range(12), 10), n_runs=120)
    naive = wilson(70, 120)
    assert (often.n_items, often.n_runs, often.n_clusters) == (120, 120, 12)
    assert often.high - often.low > 2 * float(naive[1] - naive[0])
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.25)


def test_the_effective_size_follows_korn_and_graubard() -> None:
    """Four clusters worked by hand: p 0.5, SE^2 (4/3)(1/64)(4), shrunk by (t7/t3)^2."""
    scores, clusters = [1, 1, 0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 2, 2, 3, 3]
    found = clustered(scores, clusters, n_runs=8)
    size = 0.25 / (4 / 3 * 4 / 64) * (2.3646242510 / 3.1824463053) ** 2
    assert (found.low, found.high) == pytest.approx(tuple(wilson(size / 2, size)))
    assert Code.FEW_CLUSTERS in found.warnings


def test_item_means_and_their_runs_have_one_effective_size() -> None:
    """Five runs of an item say the same as their mean, when told how many they are; never more."""
    rng = np.random.default_rng(3)
    runs = (rng.random((12, 5)) < rng.random((12, 1))).astype(float)
    as_runs = clustered(runs.ravel(), np.repeat(range(12), 5), n_runs=60)
    as_means = clustered(runs.mean(axis=1), range(12), n_runs=60)
    assert (as_runs.low, as_runs.high) == pytest.approx((as_means.low, as_means.high))
    single = [1.0, 0.0, 1.0, 1.0]
    assert effective_size(single, range(4), n_runs=4) == 4
    assert effective_size([0.5] * 7, range(7), n_runs=7) == 7
    assert effective_size([], [], n_runs=0) == 0


def test_a_large_suite_is_inverted_at_once() -> None:
    """2,000 of 20,000 items take bisection, not a walk: the ends bracket the share, drawn in."""
    told = finite_population_interval(1200, 2000, 20_000)
    low, high = wilson(1200, 2000)
    shrink = (1 - 0.1) ** 0.5
    assert told.low == pytest.approx(0.6 - shrink * (0.6 - low), abs=1e-3)
    assert told.high == pytest.approx(0.6 + shrink * (high - 0.6), abs=1e-3)


def test_clusters_without_spread_stay_honest() -> None:
    """All alike counts clusters; one cluster or none knows nothing; balance adds no trials."""
    alike = clustered([1, 1, 1, 1], [0, 0, 1, 1], n_runs=4)
    assert (alike.low, alike.high) == pytest.approx(tuple(wilson(2, 2)))
    one = clustered([1, 0], [0, 0], n_runs=2)
    assert (one.low, one.high) == (0, 1)
    assert clustered([], [], n_runs=0).warnings == (Code.NO_RUNS,)
    balanced = clustered([1, 0] * 8, np.repeat(range(8), 2), n_runs=16)
    plain = wilson(8, 16)
    assert balanced.high - balanced.low > float(plain[1] - plain[0])
    for wrong in ([0.5, 2.0], [0.5, -1.0], [0.5, np.nan]):
        with pytest.raises(Invalid, match="scores"):
            clustered(wrong, [0, 1], n_runs=2)
    with pytest.raises(Invalid, match="clusters"):
        clustered([0.5], [0, 1], n_runs=2)


def test_zero_events_leave_the_rule_of_three() -> None:
    """No success in 300 attempts bounds the rate at 1 - 0.05^(1/300), about 3/300."""
    bound = rare_event_bound(
        300, 0, budget=Budget(tokens=1000), elicitation="e", scaffold_digest="d"
    )
    assert bound.upper == pytest.approx(1 - 0.05 ** (1 / 300))
    assert bound.upper == pytest.approx(0.01, abs=2e-4)
    assert bound.over(10) == pytest.approx(1 - (1 - bound.upper) ** 10)
    assert bound.to_dict()["budget"] == {
        "runs": 0,
        "tokens": 1000,
        "seconds": 0,
        "cost_micro_usd": 0,
    }


def test_a_bound_names_what_it_depends_on() -> None:
    """The sentence gives budget, elicitation, scaffold and error; without one of them none is made."""
    bound = rare_event_bound(
        20, 1, budget=Budget(tokens=5000), elicitation="novice", scaffold_digest="0123456789abcdef"
    )
    for part in ("5,000 tokens", "novice", "0123456789ab", "5 in 100", "1 successes in 20"):
        assert part in bound.sentence
    assert rare_event_bound(
        2, 2, budget=Budget(runs=1), elicitation="e", scaffold_digest="d"
    ).upper == pytest.approx(1)
    good = Basis(budget=Budget(runs=1), elicitation="e", scaffold_digest="d")
    incomplete: list[tuple[str, Basis]] = [
        ("budget", good | {"budget": Budget()}),
        ("elicitation", good | {"elicitation": " "}),
        ("scaffold_digest", good | {"scaffold_digest": ""}),
    ]
    for field, wrong in incomplete:
        with pytest.raises(Invalid, match=field):
            rare_event_bound(5, 0, **wrong)
    with pytest.raises(Invalid, match="events"):
        rare_event_bound(2, 3, budget=Budget(runs=1), elicitation="e", scaffold_digest="d")
    for clusters in (-1, 6):
        with pytest.raises(Invalid, match="clusters"):
            rare_event_bound(5, 0, **good, clusters=clusters)
    for effective in (None, 0.0, 5.5):
        with pytest.raises(Invalid, match="effective"):
            rare_event_bound(5, 1, **good, clusters=3, effective=effective)


def test_events_in_repeated_items_count_by_their_effective_size() -> None:
    """Three events in 40 runs of 10 items bound as the runs' effective size and its share of events."""
    runs = [1, 1, 1, 0, *[0] * 36]
    size = effective_size(runs, np.repeat(range(10), 4), n_runs=40)
    assert 3 < size < 15
    bound = rare_event_bound(
        40,
        3,
        budget=Budget(runs=1),
        elicitation="e",
        scaffold_digest="d",
        clusters=10,
        effective=size,
    )
    naive = rare_event_bound(
        40, 3, budget=Budget(runs=1), elicitation="e", scaffold_digest="d"
    ).upper
    assert bound.upper == pytest.approx(clopper_pearson(size * 3 / 40, size, alpha=0.1)[1])
    assert bound.upper > 1.5 * naive


def test_repeated_items_count_once_in_a_bound() -> None:
    """Ten runs of each of five items bound no better than five runs."""
    bound = rare_event_bound(
        50, 0, budget=Budget(runs=1), elicitation="e", scaffold_digest="d", clusters=5
    )
    assert bound.upper == pytest.approx(1 - 0.05**0.2)
    nothing = rare_event_bound(0, 0, budget=Budget(runs=1), elicitation="e", scaffold_digest="d")
    assert (nothing.upper, nothing.warnings) == (1, (Code.NO_RUNS,))


def sample(
    item: str, epoch: int = 1, state: str = "scored", *, solved: bool = False
) -> SampleResult:
    """One sample result."""
    return SampleResult(item, epoch, state, solved, "solved" if solved else "not_solved")  # type: ignore[arg-type] # one of SampleState


def test_families_keep_infrastructure_apart_from_failure() -> None:
    """Infra and missing samples are counted and never enter the share; a limit is an attempt."""
    families = {"a1": "a", "a2": "a", "a3": "a", "a4": "a", "b1": "b"}
    samples = [
        sample("a1", solved=True),
        sample("a2", state="limit"),
        sample("a3", state="infra"),
        sample("b1"),
    ]
    a, b = by_family(samples, families, CONDITIONS)
    assert (a.family, a.attempted, a.solved, a.infra, a.missing) == ("a", 2, 1, 1, 1)
    assert (a.share.low, a.share.high) == pytest.approx(tuple(wilson(1, 2)))
    assert a.bound is None
    assert b.bound is not None
    record = b.to_dict()
    assert record["upper_bound"] == pytest.approx(0.95)
    assert record["budget"] == "20,000 fuzzer runs"
    assert record["interval"] == pytest.approx(list(wilson(0, 1)))


def test_epochs_widen_to_items() -> None:
    """Two epochs of an item are one cluster, and bound nothing better than one item does."""
    families = {"x": "f", "y": "f", "z": "f"}
    samples = [sample(item, epoch) for item in families for epoch in (1, 2)]
    (none,) = by_family(samples, families, CONDITIONS, epochs=2)
    assert none.share.n_clusters == 3
    assert none.bound is not None
    assert none.bound.upper == pytest.approx(1 - 0.05 ** (1 / 3))
    (missing,) = by_family(samples[:-1], families, CONDITIONS, epochs=2)
    assert missing.missing == 1


def test_unplanned_and_repeated_samples_are_refused() -> None:
    """A sample that the plan does not know, or a second one of the same run, cannot be counted."""
    for wrong in ([sample("q")], [sample("a", 2)], [sample("a"), sample("a")]):
        with pytest.raises(Invalid, match="samples"):
            by_family(wrong, {"a": "f"}, CONDITIONS)


def test_estimates_are_json_safe() -> None:
    """Nested records and codes become plain values, an infinity null; anything else is an error."""
    assert json_safe((1, float("inf"), Code.NO_RUNS, {"a": None})) == [
        1,
        None,
        "NO_RUNS",
        {"a": None},
    ]
    assert interval(1, 2).to_dict()["method"] == "wilson"
    with pytest.raises(TypeError, match="bytes"):
        json_safe(b"")
