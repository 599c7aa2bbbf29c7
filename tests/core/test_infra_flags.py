"""Losses of our own side: told when frequent, told when uneven, and never a part of the score."""

import random
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.measure.infra import P_MAX, Lost, flags


def test_few_and_even_losses_give_no_flag() -> None:
    """Two in a hundred are allowed; an arm that never began says nothing."""
    assert flags({"a": Lost(2, 100), "b": Lost(1, 100), "c": Lost(0, 0)}) == ()
    assert flags({}) == ()


def test_more_than_two_in_a_hundred_is_flagged() -> None:
    """The arm, its counts and the bound are named."""
    [flag] = flags({"a": Lost(3, 100), "b": Lost(2, 100)})
    assert (flag.sign, flag.arms, flag.p) == ("rate", ("a",), None)
    assert flag.text == "a: 3 of 100 samples were lost to our own side, more than 2%"


def test_losses_that_differ_between_arms_are_flagged() -> None:
    """Both rates may be low: that one arm loses more is a sign by itself."""
    found = flags({"a": Lost(0, 1000), "b": Lost(15, 1000)})
    assert [(flag.sign, flag.arms) for flag in found] == [("uneven", ("a", "b"))]
    assert found[0].p is not None
    assert found[0].p < P_MAX


def test_counts_that_cannot_be_are_refused() -> None:
    """More lost than there were, or fewer than none."""
    for lost, total in ((3, 2), (-1, 2)):
        with pytest.raises(Invalid):
            Lost(lost, total)


def exact(one: Lost, other: Lost) -> float:
    """Fisher's p by summing every table with these margins that is no more likely."""
    lost, everybody = one.lost + other.lost, one.total + other.total

    def weight(k: int) -> int:
        return comb(one.total, k) * comb(other.total, lost - k)

    possible = range(max(0, lost - other.total), min(lost, one.total) + 1)
    return sum(weight(k) for k in possible if weight(k) <= weight(one.lost)) / comb(everybody, lost)


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 30), st.integers(1, 30))
def test_the_test_is_fishers(lost: int, total: int, lost2: int, total2: int) -> None:
    """Against the sum over all tables, in whole numbers."""
    one, other = Lost(min(lost, total), total), Lost(min(lost2, total2), total2)
    uneven = [flag for flag in flags({"a": one, "b": other}) if flag.sign == "uneven"]
    p = exact(one, other)
    assert bool(uneven) == (p < P_MAX)
    if uneven:
        assert uneven[0].p == pytest.approx(p)


def test_several_arms_are_corrected_for() -> None:
    """With ten arms, a difference that two would show is no longer beyond chance."""
    arms = {"a": Lost(0, 500), "b": Lost(8, 500)}
    assert [flag.sign for flag in flags(arms)] == ["uneven"]
    many = arms | {f"c{n}": Lost(4, 500) for n in range(8)}
    assert flags(many) == ()


def test_injected_faults_are_flagged_and_leave_the_score_without_bias() -> None:
    """Five in a hundred lost at random, over 400 runs: always flagged, the mean score unmoved."""
    draw = random.Random(21)  # noqa: S311 -- a fixed sequence, nothing secret
    drift, seen = 0.0, 0
    for _ in range(400):
        solved = [draw.random() < 0.3 for _ in range(600)]
        kept = [one for one in solved if draw.random() >= 0.05]
        seen += any(flag.sign == "rate" for flag in flags({"a": Lost(600 - len(kept), 600)}))
        drift += sum(kept) / len(kept) - sum(solved) / len(solved)
    assert seen >= 395
    assert abs(drift / 400) < 0.001
