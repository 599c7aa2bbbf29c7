"""Active sampling: unbiased whatever the model says, errors held, replayable to the bit."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.measure import active
from leadline.core.measure.active import (
    Bank,
    Design,
    Rule,
    Walk,
    advance,
    begin,
    chances,
    concluded,
    decide,
    drawn,
    planner,
    predictions,
    uniform,
)

RNG = np.random.default_rng(11)
B = RNG.normal(size=60)
ITEMS = tuple(f"i{n}" for n in range(60))
BANK = Bank(ITEMS, (1.0,) * 60, tuple(B))
FAMILIES = tuple("abc"[n % 3] for n in range(60))
WEIGHTED = replace(BANK, family=FAMILIES, weights={"a": 0.5, "b": 0.3, "c": 0.2})
RULE = Rule(0.5, 0.05, 0.05)


def seed(number: int) -> bytes:
    """A seed of its own for each number."""
    return hashlib.sha256(str(number).encode()).digest()


def row(share: float, number: int = 0, *, model: bool = True) -> np.ndarray:
    """Answers with exactly so many solved: the easiest by the model, or any."""
    order = np.argsort(B) if model else np.random.default_rng(number).permutation(60)
    told = np.zeros(60)
    told[order[: round(share * 60)]] = 1
    return told


def asked(answers: np.ndarray) -> Callable[[int], float]:
    """What answers for an item."""
    return lambda item: float(answers[item])


def walked(design: Design, answers: np.ndarray, steps: int, number: int = 0) -> Walk:
    """A walk after *steps* draws."""
    walk = begin(design)
    for step in range(1, steps + 1):
        p = predictions(design, walk)
        weights = chances(design, walk, p)
        item = drawn(weights, uniform(seed(number), step))
        walk = advance(design, walk, item, float(answers[item]), p, weights)
    return walk


@pytest.mark.parametrize("bank", [BANK, WEIGHTED], ids=["plain", "weighted"])
@pytest.mark.parametrize("steps", [0, 1, 17, 58])
def test_the_estimate_is_without_bias_whatever_the_model_says(bank: Bank, steps: int) -> None:
    """Over all next draws, the expected estimate is the score, at any point of any walk."""
    design = Design(bank, RULE)
    answers = row(0.4, 3, model=False)
    walk = walked(design, answers, steps)
    p = predictions(design, walk)
    weights = chances(design, walk, p)
    q, share = weights / weights.sum(), p / active.UNIT
    known = walk.scored + float((design.value * share)[walk.left].sum())
    each = [
        known + design.value[n] * (answers[n] - share[n]) / q[n] for n in np.flatnonzero(walk.left)
    ]
    expected = float(np.sum(q[walk.left] * np.array(each)))
    assert expected == pytest.approx(float(design.value @ answers), abs=1e-12)


@pytest.mark.parametrize("bank", [BANK, WEIGHTED], ids=["plain", "weighted"])
def test_wealth_is_fair_at_the_threshold(bank: Bank) -> None:
    """Where the score is the threshold itself, wealth expects to stay as it is, on either side."""
    answers = row(0.5, 5, model=False)
    design = Design(bank, replace(RULE, threshold=float(Design(bank, RULE).value @ answers)))
    walk = walked(design, answers, 9)
    p = predictions(design, walk)
    weights = chances(design, walk, p)
    q = weights / weights.sum()
    grown = np.zeros((2, len(active.KAPPAS)))
    for item in np.flatnonzero(walk.left):
        after = advance(design, walk, int(item), float(answers[item]), p, weights)
        grown[0] += q[item] * np.exp(after.up - walk.up)
        grown[1] += q[item] * np.exp(after.down - walk.down)
    assert grown == pytest.approx(np.ones_like(grown), abs=1e-9)


def test_far_from_the_threshold_few_items_do() -> None:
    """A subject that the model fits is decided upon long before its items end, and rightly."""
    design = Design(BANK, RULE)
    for share, state in ((0.9, "above"), (0.1, "below")):
        told = [decide(design, asked(row(share)), seed(k)) for k in range(10)]
        assert {one.state for one in told} == {state}
        assert np.median([one.n for one in told]) < 30


@pytest.mark.parametrize("model", [True, False])
def test_errors_are_held_at_the_hardest_place(*, model: bool) -> None:
    """Half an item below the threshold "above" is rare, half an item above it "below" is."""
    wrong = 0
    for k in range(200):
        answers = row(0.5, k, model=model)
        design = Design(BANK, replace(RULE, threshold=0.5 + 0.5 / 60))
        wrong += decide(design, asked(answers), seed(k)).state == "above"
    assert wrong / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_a_subject_that_fails_what_is_most_telling_is_judged_rightly() -> None:
    """Failing the twenty most informative items and solving the rest turns no decision."""
    answers = np.ones(60)
    answers[np.argsort(np.abs(B))[:20]] = 0
    design = Design(BANK, replace(RULE, threshold=0.55))
    for k in range(25):
        told = decide(design, asked(answers), seed(k))
        assert told.state == "above"
    easy = 1 - answers
    ended = {decide(design, asked(easy), seed(k)).state for k in range(25)}
    assert ended == {"below"}


def test_planner_and_certificate_can_part_and_it_is_told() -> None:
    """Where the first items mislead the model, the conclusion comes with a sign of misfit."""
    upside = np.zeros(60)
    upside[np.argsort(-B)[:34]] = 1
    design = Design(replace(BANK, a=(3.0,) * 60), replace(RULE, tau=1.0))
    told = [decide(design, asked(upside), seed(k)) for k in range(30)]
    assert {one.state for one in told} == {"above"}
    assert any(one.misfit for one in told)
    assert not decide(Design(BANK, RULE), asked(row(0.9)), seed(1)).misfit


def test_the_same_seed_draws_the_same_items() -> None:
    """Order, conclusion and wealth repeat; another seed draws others."""
    design = Design(WEIGHTED, RULE)
    one, again, other = (decide(design, asked(row(0.6)), seed(k)) for k in (1, 1, 2))
    assert one == again
    assert one.order != other.order
    assert len(set(one.order)) == one.n


def test_draws_are_those_of_the_hash_alone() -> None:
    """The first 53 bits of SHA-256 over seed and step, and integer sums: known by hand."""
    assert (
        uniform(bytes(32), 1)
        == int.from_bytes(hashlib.sha256(bytes(32) + (1).to_bytes(8, "big")).digest()[:8], "big")
        >> 11
    )
    weights = np.array([0, 1, 0, 3], dtype=np.int64)
    assert [drawn(weights, bits) for bits in (0, (1 << 51) - 1, 1 << 51, (1 << 53) - 1)] == [
        1,
        1,
        3,
        3,
    ]


def test_every_item_left_has_a_chance_and_none_drawn_has() -> None:
    """Chances are whole numbers, at least one, and a family keeps a share however sure the model is."""
    design = Design(WEIGHTED, RULE)
    walk = walked(design, row(0.9), 20)
    weights = chances(design, walk, predictions(design, walk))
    assert (weights[walk.left] >= 1).all()
    assert (weights[~walk.left] == 0).all()
    of_a = weights[[n for n in range(60) if FAMILIES[n] == "a"]].sum() / weights.sum()
    assert of_a >= 0.5 * 0.5 - 1e-9


def test_a_family_that_is_used_up_leaves_its_share_to_the_others() -> None:
    """The last items are drawn though a family is empty."""
    design = Design(WEIGHTED, RULE)
    walk = walked(design, row(0.5, 2, model=False), 59)
    weights = chances(design, walk, predictions(design, walk))
    assert weights.sum() == weights[walk.left].sum() > 0


def test_arithmetic_ends_what_bets_do_not() -> None:
    """At the last item at the latest there is a conclusion, for any row without a zone."""
    design = Design(BANK, RULE)
    for share in (0.5, 0.5 - 1 / 60):
        told = decide(design, asked(row(share)), seed(4))
        assert told.state == ("above" if share >= 0.5 else "below")
    assert decide(design, asked(row(0.5)), seed(4), most=3).state == "exhausted"


def test_a_zone_may_hold_the_score() -> None:
    """With a wide zone, both sides can be shown: the score is inside."""
    rule = replace(RULE, zone=0.3)
    states = [decide(Design(BANK, rule), asked(row(0.5)), seed(k)).state for k in range(20)]
    assert set(states) <= {"above", "below", "inside_zone"}
    design = Design(BANK, rule)
    walk = walked(design, row(0.5), 60)
    assert concluded(design, walk) == "inside_zone"


def test_both_by_bets_is_settled_by_arithmetic() -> None:
    """Without a zone, where both wealths have grown, what is certain decides."""
    design, much = Design(BANK, RULE), np.full(len(active.KAPPAS), 9.0)
    none_left = np.zeros(60, dtype=bool)
    for scored, state in ((0.6, "above"), (0.4, "below")):
        walk = replace(begin(design), up=much, down=much, scored=scored, left=none_left)
        assert concluded(design, walk) == state
    assert concluded(design, begin(design)) == ""


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=60, max_size=60), st.integers(0, 99))
def test_fractions_are_scores_too(scores: list[float], number: int) -> None:
    """Any scores within 0 and 1 lead to a conclusion that is true once everything was seen."""
    design = Design(BANK, RULE)
    told = decide(design, lambda n: scores[n], seed(number))
    assert told.state in {"above", "below"}
    if told.n == 60:
        assert (told.state == "above") == (np.mean(scores) >= 0.5 - 1e-9)


def test_the_planner_is_sure_of_what_is_certain() -> None:
    """With everything solved the chance is near one, with nothing near nought."""
    design = Design(BANK, RULE)
    assert planner(design, walked(design, np.ones(60), 40)) > 0.99
    assert planner(design, walked(design, np.zeros(60), 40)) < 0.01


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Bank((), (), ()), "items"),
        (lambda: Bank(("a", "a"), (1.0, 1.0), (0.0, 0.0)), "items"),
        (lambda: Bank(("a",), (1.0, 2.0), (0.0,)), "a"),
        (lambda: Bank(("a",), (1.0,), (float("nan"),)), "b"),
        (lambda: Bank(("a",), (0.0,), (0.0,)), "a"),
        (lambda: Bank(("a",), (1.0,), (0.0,), ("f", "g")), "family"),
        (lambda: Bank(("a",), (1.0,), (0.0,), ("f",), {"f": 0.5}), "weights"),
        (lambda: Bank(("a",), (1.0,), (0.0,), ("f",), {"g": 1.0}), "weights"),
        (lambda: Rule(1.0, 0.05, 0.05), "threshold, zone"),
        (lambda: Rule(0.5, 0.05, 0.05, zone=0.5), "threshold, zone"),
        (lambda: Rule(0.5, 0.0, 0.05), "alpha_above"),
        (lambda: Rule(0.5, 0.05, 0.05, tau=0), "tau"),
    ],
)
def test_what_cannot_be_is_refused_by_name(make: object, field: str) -> None:
    """The error names the field before a first draw."""
    with pytest.raises(Invalid) as raised:
        make()  # type: ignore[operator]
    assert raised.value.field == field


def test_a_step_that_cannot_be_is_refused() -> None:
    """No score outside 0 and 1, and no item twice."""
    design = Design(BANK, RULE)
    walk = walked(design, row(0.5), 1)
    p = predictions(design, walk)
    weights = chances(design, walk, p)
    gone = int(np.flatnonzero(~walk.left)[0])
    with pytest.raises(Invalid, match="drawn before"):
        advance(design, walk, gone, 1.0, p, weights)
    with pytest.raises(Invalid, match="no score"):
        advance(design, walk, 0, float("nan"), p, weights)
