"""Power, detectable difference and items due are one formula; several comparisons keep their error."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.measure.power import (
    Spread,
    e_combined,
    holm,
    items_needed,
    mde,
    power,
)


def test_items_due_worked_by_hand() -> None:
    """Variance 1/9 + two times 1/6 an item, 3 points, 80 in 100: (1.96 + .8416)^2 * (4/9) / .03^2."""
    spread = Spread(1 / 9, (1 / 6, 1 / 6))
    due = items_needed(0.03, spread)
    assert due.n_items == 3876
    assert due.chance == pytest.approx(0.8, abs=1e-3)
    assert due.n_runs == 2 * 3876
    # With many runs of each item only the items' own variance is left: a quarter of it.
    assert items_needed(0.03, Spread(1 / 9, (1 / 6, 1 / 6), (10**9, 10**9))).n_items == 969


@given(
    items=st.integers(1, 10**6),
    between=st.floats(1e-4, 0.5),
    within=st.floats(0, 0.25),
    epochs=st.integers(1, 20),
    inflation=st.floats(1, 10),
    chance=st.floats(0.1, 0.99),
)
def test_the_three_are_each_others_inverse(
    items: int, between: float, within: float, epochs: int, inflation: float, chance: float
) -> None:
    """The difference that n items find takes n items again, and is found with that very chance."""
    spread = Spread(between, (within, within), (epochs, 1), inflation)
    found = mde(items, spread, chance=chance)
    if found.difference <= 1:
        assert power(found.difference, items, spread).chance == pytest.approx(chance)
        assert items_needed(found.difference, spread, chance=chance).n_items == items
    assert mde(4 * items, spread, chance=chance).difference == pytest.approx(found.difference / 2)


def test_clustered_items_count_for_less() -> None:
    """Inflation by n over the effective n multiplies the items due; without variance one item will do."""
    assert items_needed(0.1, Spread(0.2, (0, 0), inflation=3)).n_items == 471
    assert items_needed(0.1, Spread(0.2, (0, 0))).n_items == 157
    assert power(0.1, 1, Spread(0, (0, 0))).chance == 1
    assert items_needed(0.1, Spread(0, (0, 0))).n_items == 1
    assert mde(2, Spread(0.5, (0.25, 0.25))).difference > 1
    assert power(0.1, 100, Spread(0.25, (0, 0))).chance == pytest.approx(0.5160, abs=1e-3)


def test_plans_that_cannot_be_are_refused() -> None:
    """Negative variances, no epochs, no item, a chance below alpha and endless runs, by name."""
    good = Spread(0.1, (0.1, 0.1))
    for field, spread in (
        ("spread", (-0.1, (0.1, 0.1))),
        ("spread", (0.1, (float("nan"), 0.1))),
        ("spread", (float("inf"), (0.1, 0.1))),
    ):
        with pytest.raises(Invalid, match=field):
            Spread(*spread)
    with pytest.raises(Invalid, match="epochs"):
        Spread(0.1, (0.1, 0.1), (0, 1))
    for inflation in (0.5, float("inf"), float("nan")):
        with pytest.raises(Invalid, match="inflation"):
            Spread(0.1, (0.1, 0.1), inflation=inflation)
    for difference in (0, -0.1, 1.1, float("nan")):
        with pytest.raises(Invalid, match="difference"):
            power(difference, 10, good)
    for items in (0, 10**10):
        with pytest.raises(Invalid, match="items"):
            mde(items, good)
    for chance in (0.05, 1, 0):
        with pytest.raises(Invalid, match="chance"):
            mde(10, good, chance=chance)
    with pytest.raises(Invalid, match="difference"):
        items_needed(1e-9, good)


def test_holm_worked_by_hand() -> None:
    """Four p of .01, .04, .03, .005 become .03, .06, .06, .02: the smaller is never adjusted above the larger."""
    p = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}
    found = {one.name: one for one in holm(p, "abcd").declared}
    assert [found[name].adjusted for name in "abcd"] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [found[name].found for name in "abcd"] == [True, False, False, True]
    assert holm({"x": 0.7, "y": 0.9}, "xy").declared[0].adjusted == 1


def test_what_nobody_declared_is_exploratory() -> None:
    """It changes nothing for the declared ones and carries its plain p; one not run keeps its place."""
    found = holm({"a": 0.03, "later": 1e-9, "lost": None}, ["a", "lost", "never run"])
    assert [(one.name, one.p, one.adjusted) for one in found.declared] == [
        ("a", 0.03, pytest.approx(0.09)),
        ("lost", None, 1),
        ("never run", None, 1),
    ]
    assert found.exploratory == (("later", 1e-9),)
    assert found.n_items == 3


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_finds_more_than_plain_or_less_than_bonferroni(p: list[float]) -> None:
    """Adjusted p lies between the plain one and its Bonferroni multiple, in the same order."""
    named = {str(n): value for n, value in enumerate(p)}
    rows = holm(named, list(named)).declared
    for one in rows:
        assert one.p is not None
        assert one.p <= one.adjusted <= min(1, len(p) * one.p) + 1e-12
    ordered = sorted(rows, key=lambda one: (one.p, one.name))
    assert [one.adjusted for one in ordered] == sorted(one.adjusted for one in rows)


def test_lists_that_cannot_be_are_refused() -> None:
    """A p that is no chance, a name twice, and an empty list."""
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(Invalid, match="p of a"):
            holm({"a": wrong}, ["a"])
    for declared in ([], ["a", "a"]):
        with pytest.raises(Invalid, match="declared"):
            holm({"a": 0.5}, declared)


def test_e_values_multiply_only_where_they_are_independent() -> None:
    """Product of independent ones, mean otherwise; p is one over e and never above 1."""
    product, mean = (e_combined([4.0, 10.0, 0.5], independent=way) for way in (True, False))
    assert (product.e, product.p) == (20, 0.05)
    assert mean.e == pytest.approx(14.5 / 3)
    assert e_combined([0.0, 5.0], independent=True).p == 1
    assert e_combined([0.2], independent=False).p == 1
    for wrong in ([], [-1.0], [float("nan")], [float("inf")]):
        with pytest.raises(Invalid, match="e_values"):
            e_combined(wrong, independent=True)


def test_the_error_of_a_design_is_its_variance_over_items() -> None:
    """Power at one standard error above the critical value is that of the normal: 84 in 100."""
    spread = Spread(0.16, (0, 0))
    error = sqrt(0.16 / 64)
    assert power((1.959964 + 1) * error, 64, spread).chance == pytest.approx(0.8413, abs=1e-4)
