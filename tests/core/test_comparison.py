"""Differences equal the published worked examples, stay within their range, and name what they leave out."""

from collections.abc import Mapping
from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.measure.comparison import (
    Scores,
    elicitation_gap,
    mcnemar,
    paired_diff,
    uplift,
)
from leadline.core.measure.estimate import Code
from leadline.core.measure.means import DIFFERENCE, exact_ends


def items(scores: list[float]) -> dict[str, float]:
    """Scores under the names i000, i001, ..."""
    return {f"i{n:03}": score for n, score in enumerate(scores)}


def table(both: int, first: int, second: int, neither: int) -> tuple[Scores, Scores]:
    """Two sides of a 2 x 2 table of single runs."""
    mine = [1.0] * (both + first) + [0.0] * (second + neither)
    theirs = [1.0] * both + [0.0] * first + [1.0] * second + [0.0] * neither
    return items(mine), items(theirs)


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((36, 14, 0, 0), 0.1528, 0.4167),
        ((2, 97, 1, 0), 0.8721, 0.9854),
        ((0, 0, 0, 10), -0.2775, 0.2775),
    ],
)
def test_paired_ends_are_newcombes(
    cells: tuple[int, int, int, int], low: float, high: float
) -> None:
    """Single runs without clusters give method 10 of Newcombe's table III (1998, paired)."""
    found = paired_diff(*table(*cells))
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.point == pytest.approx((cells[1] - cells[2]) / sum(cells))


@pytest.mark.parametrize(
    ("arms", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_uplift_ends_are_newcombes(
    arms: tuple[int, int, int, int], low: float, high: float
) -> None:
    """Two arms give method 10 of Newcombe's table II (1998, independent)."""
    found = uplift(*arms)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_the_error_is_of_the_items_differences() -> None:
    """SE is s_d / sqrt(n) of the differences: pairing takes out what the items have in common."""
    easy = np.array([0.9, 0.8, 0.1, 0.2, 1.0, 0.4, 0.6, 0.0, 0.3, 0.7, 0.5, 0.9])
    gain = np.array([0.1, 0.0, 0.1, 0.2, 0.0, 0.1, 0.1, 0.0, 0.2, 0.1, 0.0, 0.1])
    found = paired_diff(items(list(easy + gain)), items(list(easy)), n_runs=120)
    assert found.point == pytest.approx(gain.mean())
    assert found.se == pytest.approx(gain.std(ddof=1) / sqrt(12))
    assert (found.n_items, found.n_runs, found.n_clusters) == (12, 120, 12)
    assert found.correlation > 0.5
    apart = found.first * (1 - found.first) / 12 + found.second * (1 - found.second) / 12
    assert found.high - found.low < 2 * 1.96 * sqrt(apart)


def test_what_one_side_alone_saw_is_named_and_never_imputed() -> None:
    """Items without a partner change no number; they are named, with a warning."""
    first, second = table(6, 4, 1, 3)
    whole = paired_diff(first, second)
    more = paired_diff({**first, "x": 0.0}, {**second, "y": 1.0, "z": 1.0})
    assert (more.only_first, more.only_second) == (("x",), ("y", "z"))
    assert more.warnings == (*whole.warnings, Code.UNSHARED_ITEMS)
    assert (more.point, more.low, more.high) == (whole.point, whole.low, whole.high)


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ({"a": 1.0}, {"b": 1.0}, "items"),
        ({}, {}, "items"),
        ({"a": float("nan")}, {"a": 1.0}, "score of a"),
        ({"a": 1.0}, {"a": 1.5}, "score of a"),
        ({"a": 1.0}, {"a": 1.0, "b": -1.0}, "score of b"),
        ({"a": 1.0}, {"a": 1e308}, "score of a"),
    ],
)
def test_scores_that_cannot_be_compared_are_refused(
    first: Mapping[str, float], second: Mapping[str, float], field: str
) -> None:
    """No common item, NaN and scores outside of 0 and 1 are errors that name the item."""
    with pytest.raises(Invalid, match=f"^{field}"):
        paired_diff(first, second)
    with pytest.raises(Invalid, match=f"^{field}"):
        elicitation_gap(second, {"one": first}, rng=np.random.default_rng(0))


def test_items_of_one_cluster_do_not_vote_twice() -> None:
    """Copying each item five times into its cluster leaves nearly the interval that it had."""
    first, second = table(5, 4, 1, 4)
    once = paired_diff(first, second)
    copies = [
        {f"{name}/{n}": score for name, score in side.items() for n in range(5)}
        for side in (first, second)
    ]
    clusters = {name: name.split("/")[0] for name in copies[0]}
    often = paired_diff(copies[0], copies[1], clusters=clusters)
    naive = paired_diff(copies[0], copies[1])
    assert (often.n_items, often.n_clusters) == (70, 14)
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.15)
    assert often.high - often.low > 1.8 * (naive.high - naive.low)
    assert often.se == pytest.approx(once.se)
    with pytest.raises(Invalid, match="cluster of i013/4"):
        paired_diff(
            copies[0], copies[1], clusters={k: v for k, v in clusters.items() if k != "i013/4"}
        )


def test_few_clusters_get_the_bound_that_needs_no_spread() -> None:
    """Fewer than six clusters, or items: Hoeffding's ends over items, wide, with the warnings."""
    first, second = table(1, 2, 0, 2)
    few = paired_diff(first, second)
    assert few.warnings == (Code.FEW_ITEMS, Code.FEW_CLUSTERS)
    assert (few.low, few.high) == pytest.approx(
        exact_ends(np.array([0.0, 1, 1, 0, 0]), 5, DIFFERENCE, 0.05)
    )
    first, second = table(5, 4, 1, 4)
    clustered = paired_diff(first, second, clusters={name: "ab"[name[-1] > "4"] for name in first})
    assert (clustered.n_clusters, clustered.warnings) == (2, (Code.FEW_CLUSTERS,))


side = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=6, max_size=30)


@given(pairs=st.lists(st.tuples(*[st.sampled_from([0.0, 0.4, 1.0])] * 2), min_size=1, max_size=30))
def test_paired_ends_hold_the_point_and_mirror(pairs: list[tuple[float, float]]) -> None:
    """The point lies inside -1..1 ends, and swapping the sides swaps the signs."""
    first, second = (items([pair[at] for pair in pairs]) for at in (0, 1))
    found, back = paired_diff(first, second), paired_diff(second, first)
    assert -1 <= found.low <= found.point + 1e-12
    assert found.point - 1e-12 <= found.high <= 1
    assert (back.point, back.low, back.high) == pytest.approx(
        (-found.point, -found.high, -found.low)
    )
    same = paired_diff(first, first)
    assert same.point == 0
    assert same.low < 0 < same.high


def test_mcnemars_p_is_the_binomials() -> None:
    """Of 14 discordant items 2 went one way: p = 2 P(Bin(14, 1/2) <= 2); none discordant: 1."""
    first, second = table(36, 12, 2, 0)
    found = mcnemar(list(first.values()), list(second.values()))
    assert (found.both, found.first_only, found.second_only, found.neither) == (36, 12, 2, 0)
    assert found.p == pytest.approx(2 * sum(comb(14, k) for k in range(3)) / 2**14)
    assert mcnemar([1, 0, 1], [1, 0, 1]).p == 1
    assert mcnemar([1, 0], [0, 1]).p == 1
    assert mcnemar([1] * 10, [0] * 10).p == pytest.approx(2 / 2**10)


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ([1, 0], [1], "items"),
        ([], [], "items"),
        ([[1]], [[1]], "items"),
        ([0.5], [1], "scores"),
        ([float("nan")], [1], "scores"),
    ],
)
def test_mcnemar_takes_single_runs_only(
    first: list[float], second: list[float], field: str
) -> None:
    """Averages of several runs, NaN, and sides of another length are refused with the cure."""
    with pytest.raises(Invalid, match=f"^{field}"):
        mcnemar(first, second)


def test_the_exact_interval_covers_every_pair_of_rates() -> None:
    """Two arms of 4 and 5: over a grid of both rates the exact ends hold the difference at 90 in 100."""
    n1, n2, alpha = 4, 5, 0.1
    ends = {
        (a, b): (one.low, one.high)
        for a in range(n1 + 1)
        for b in range(n2 + 1)
        for one in [uplift(a, n1, b, n2, alpha=alpha, method="exact")]
    }
    for p in np.linspace(0.03, 0.97, 9):
        for q in np.linspace(0.01, 0.99, 9):
            held = sum(
                comb(n1, a) * p**a * (1 - p) ** (n1 - a) * comb(n2, b) * q**b * (1 - q) ** (n2 - b)
                for (a, b), (low, high) in ends.items()
                if low <= p - q <= high
            )
            assert held >= 1 - alpha


def test_the_exact_interval_is_wider_and_mirrors() -> None:
    """It holds Newcombe's centre, swaps with its arms, and reaches the range's ends only where due."""
    found = uplift(9, 10, 3, 10, method="exact")
    back = uplift(3, 10, 9, 10, method="exact")
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low), abs=1e-6)
    assert (found.low, found.high) == pytest.approx((0.161, 0.879), abs=2e-3)
    nothing = uplift(0, 1, 1, 1, method="exact")
    assert (nothing.low, nothing.point) == (-1, -1)
    assert nothing.high > 0.5


def test_a_small_human_trial_leaves_both_signs_open() -> None:
    """5.2 % against 6.6 % of 153 people: the interval holds a gain as well as a loss."""
    trial = uplift(4, 77, 5, 76)
    assert round(100 * trial.share_with, 1) == 5.2
    assert round(100 * trial.share_without, 1) == 6.6
    assert trial.low < -0.05
    assert trial.high > 0.05


@pytest.mark.parametrize(
    ("arms", "field"),
    [
        ((3, 2, 0, 5), "solved_with"),
        ((0, 0, 0, 5), "solved_with"),
        ((0, 5, 6, 5), "solved_without"),
        ((-1, 5, 1, 5), "solved_with"),
    ],
)
def test_arms_that_cannot_be_are_refused(arms: tuple[int, int, int, int], field: str) -> None:
    """More solved than tried, an empty arm and negative counts are refused by name."""
    with pytest.raises(Invalid, match=f"^{field}"):
        uplift(*arms)


def test_arms_too_large_for_the_exact_interval_are_told_so() -> None:
    """The exact interval says where it ends, instead of running for minutes."""
    with pytest.raises(Invalid, match="newcombe"):
        uplift(1, 600, 1, 600, method="exact")
    assert uplift(1, 600, 1, 600).low < 0
    assert uplift(1, 5, 1, 50).warnings == (Code.FEW_ITEMS,)


def test_one_way_of_eliciting_is_a_paired_difference() -> None:
    """With one candidate nothing is chosen: the gap is the paired difference, and its sentence says more."""
    elicited, default = table(6, 4, 1, 3)
    gap = elicitation_gap(default, {"tools": elicited}, rng=np.random.default_rng(0))
    plain = paired_diff(elicited, default)
    assert (gap.point, gap.low, gap.high) == (plain.point, plain.low, plain.high)
    assert (gap.chosen, gap.candidates) == (("tools",), 1)
    assert gap.apparent == pytest.approx(plain.point)
    for part in ("tools", "+21.4 points", "14 items", "held back", "excluded by nothing"):
        assert part in gap.sentence


def test_the_winners_curse_is_not_reported() -> None:
    """Twenty scaffolds of one true rate: the best seems 15 points better, the gap says nothing near it."""
    draw = np.random.default_rng(11)
    apparent, gaps, held = [], [], 0
    for _ in range(60):
        default = items((draw.random(40) < 0.5).astype(float).tolist())
        ways = {
            f"way {n}": items((draw.random(40) < 0.5).astype(float).tolist()) for n in range(20)
        }
        gap = elicitation_gap(default, ways, rng=draw)
        apparent.append(gap.apparent)
        gaps.append(gap.point)
        held += gap.low <= 0 <= gap.high
    assert float(np.mean(apparent)) > 0.1
    assert abs(float(np.mean(gaps))) < 0.04
    assert held >= 52


def test_a_better_way_is_chosen_by_both_halves() -> None:
    """One scaffold far better than the rest is the one chosen, and its own difference is the gap."""
    default = items([0.0] * 24)
    ways = {"bad": items([0.1] * 24), "good": items([0.9, 0.8] * 12), "worse": items([0.0] * 24)}
    gap = elicitation_gap(default, ways, rng=np.random.default_rng(3))
    assert gap.chosen == ("good", "good")
    assert gap.point == gap.apparent == pytest.approx(0.85)
    assert Code.UNSTABLE_CHOICE not in gap.warnings


def test_halves_that_disagree_say_so_and_keep_clusters_whole() -> None:
    """Where each half of the clusters favours another way, the choice is marked as unstable."""
    names = [f"{cluster}{n}" for cluster in "abcdefgh" for n in range(3)]
    clusters = {name: name[0] for name in names}
    default = dict.fromkeys(names, 0.2)
    for seed in range(20):
        draw = np.random.default_rng(seed)
        first = set(np.array(sorted("abcdefgh"))[draw.permutation(8)[:4]].tolist())
        ways = {
            "one": {name: float(name[0] in first) for name in names},
            "two": {name: float(name[0] not in first) for name in names},
        }
        gap = elicitation_gap(default, ways, rng=np.random.default_rng(seed), clusters=clusters)
        # Each half chose what suits it, so that on the other half its choice solves nothing.
        assert gap.chosen == ("one", "two")
        assert gap.elicited == 0
        assert Code.UNSTABLE_CHOICE in gap.warnings
    two = {name: str(name[0] > "d") for name in names}
    ways = {"one": default, "two": default}
    with pytest.raises(Invalid, match="items"):
        elicitation_gap(default, ways, rng=np.random.default_rng(0), clusters=two)


def test_only_items_that_every_way_saw_are_compared() -> None:
    """An item that one candidate lacks is named and left out; no candidate at all is an error."""
    names = [f"i{n}" for n in range(12)]
    default = dict.fromkeys(names, 0.0)
    ways = {"one": dict.fromkeys(names[:-1], 1.0), "two": dict.fromkeys(names, 0.5)}
    gap = elicitation_gap(default, ways, rng=np.random.default_rng(0))
    assert (gap.n_items, gap.left_out) == (11, ("i11",))
    assert Code.UNSHARED_ITEMS in gap.warnings
    with pytest.raises(Invalid, match="elicited"):
        elicitation_gap(default, {}, rng=np.random.default_rng(0))
