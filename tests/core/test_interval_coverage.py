"""Every default interval covers at the rate it states, on the same grids that the benchmark prints."""

import pytest
from bench import _coverage as grids

PUBLISHED = {  # n: (Wilson, Clopper-Pearson, Beta(1,1)), mean and mean over rates near 0 and 1
    10: ((0.956, 0.958), (0.983, 0.991), (0.954, 0.925)),
    20: ((0.953, 0.953), (0.976, 0.988), (0.952, 0.941)),
    40: ((0.951, 0.960), (0.970, 0.983), (0.951, 0.953)),
    100: ((0.950, 0.956), (0.965, 0.975), (0.950, 0.950)),
    300: ((0.950, 0.950), (0.958, 0.962), (0.950, 0.950)),
}
NEED, LUCK = 0.94, 0.02  # three standard errors of a coverage near .95 in 1,000 data sets


@pytest.mark.parametrize("n", PUBLISHED)
def test_exact_coverage_equals_the_published_grid(n: int) -> None:
    """Mean coverage, over all rates and over extreme ones, agrees to three digits."""
    extreme = (grids.RATES < 0.1) | (grids.RATES > 0.9)
    for form, published in zip(grids.FORMS, PUBLISHED[n], strict=True):
        found = grids.binomial(form, n)
        assert (round(found.mean(), 3), round(found[extreme].mean(), 3)) == published


def test_the_worst_rates_at_twenty_are_the_published_ones() -> None:
    """At n = 20: Wilson .925, Clopper-Pearson .959, Beta .880; the mean hides it."""
    worst = [round(float(grids.binomial(form, 20).min()), 3) for form in grids.FORMS]
    assert worst == pytest.approx([0.925, 0.959, 0.880], abs=0.001)


def binomials(sizes: range) -> None:
    """Assert what is due of each form at each size."""
    for n in sizes:
        assert grids.binomial("clopper_pearson", n).min() >= 0.95
        if n >= 10:
            for form in grids.FORMS:
                assert grids.binomial(form, n).mean() >= NEED


def test_the_exact_interval_never_covers_less_than_it_says() -> None:
    """Clopper-Pearson holds at least 95 % at every rate and size; the others do so on average."""
    binomials(range(1, 301, 13))


@pytest.mark.soak
def test_the_exact_interval_never_covers_less_than_it_says_whole() -> None:
    """The same at every size from 1 to 300."""
    binomials(range(1, 301))


def test_a_suite_of_twenty_is_covered_whatever_it_holds() -> None:
    """Half of it seen: at least 95 % for each of its 21 totals."""
    assert grids.hypergeometric(20, 10).min() >= 0.95


def test_two_small_arms_and_ten_pairs_are_covered_in_the_mean() -> None:
    """Newcombe's forms, by summation over every table, at ten a side."""
    assert grids.independent(10, 10).mean() >= NEED
    assert grids.paired(10).mean() >= NEED


@pytest.mark.parametrize("name", grids.SIMULATED)
def test_simulated_intervals_cover_in_the_mean(name: str) -> None:
    """Fifteen clusters (or items), 100 data sets at each of ten means."""
    assert grids.simulated(name, 15, 100) >= NEED - LUCK


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_default_interval_covers_in_the_mean_whole() -> None:
    """All sizes from ten on: mean coverage of 94 % or more, and where 95 is guaranteed, no less."""
    found = grids.coverage()
    least = {name: 0.95 if name.endswith("_worst") else NEED for name in found}
    assert {name: share for name, share in found.items() if share < least[name]} == {}
