"""The path of an active decision: the same bets as the decision, and shares that the sequence still holds."""

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from leadline.core.errors import Invalid
from leadline.core.measure.active import Bank, Design, Rule, decide
from leadline.core.measure.held_out import Holdout, Table, subjects
from leadline.core.measure.trace import Trace, subject_of, trace

RULE = Rule(0.5, 0.05, 0.05)


def bank(size: int = 60, *, weighted: bool = False) -> Bank:
    """Items of various difficulty, in two families where weighted."""
    rng = np.random.default_rng(size)
    family = tuple("ab"[n % 2] for n in range(size)) if weighted else ()
    weights = {"a": 0.3, "b": 0.7} if weighted else {}
    names = tuple(f"i{n}" for n in range(size))
    a = np.exp(rng.normal(0, 0.2, size))
    return Bank(names, tuple(a), tuple(rng.normal(size=size)), family, weights)


def traced(rule: Rule, share: float, seed: int, *, weighted: bool = False) -> tuple[Trace, Bank]:
    """A decision about a subject that solves *share* of the items, and its trace."""
    held = bank(weighted=weighted)
    rng = np.random.default_rng(seed)
    own = (rng.random(len(held.items)) < share).astype(float)
    drawn = sha256(str(seed).encode()).digest()
    outcome = decide(Design(held, rule), own.__getitem__, drawn)
    told = trace(held, rule, outcome.order, own[list(outcome.order)].tolist())
    assert (told.state, told.steps[-1].n) == (outcome.state, outcome.n)
    last = told.steps[-1]
    assert last.log10_above == pytest.approx(np.log10(outcome.e_above))
    assert last.log10_below == pytest.approx(np.log10(outcome.e_below))
    return told, held


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_trace_ends_as_the_decision_did(share: float, weighted: bool) -> None:  # noqa: FBT001
    """Same conclusion, same number of items, same wealth on both sides."""
    told, _ = traced(RULE, share, 7, weighted=weighted)
    assert [one.n for one in told.steps] == list(range(len(told.steps)))


def test_a_trace_begins_with_nothing_known() -> None:
    """Wealth 1 on both sides, every share possible, no item."""
    first = traced(RULE, 0.9, 1)[0].steps[0]
    assert (first.log10_above, first.log10_below) == (0.0, 0.0)
    assert (first.low, first.high) == (0.0, 1.0)
    assert (first.n, first.item, first.y) == (0, "", 0.0)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_the_sequence_only_narrows_and_holds_the_truth(share: float) -> None:
    """Lower ends never fall, upper ends never rise, and on these draws the true share stays inside."""
    for seed in range(5):
        held = bank()
        rng = np.random.default_rng(seed)
        own = (rng.random(60) < share).astype(float)
        told, _ = traced(RULE, share, seed)
        lows, highs = ([getattr(one, end) for one in told.steps] for end in ("low", "high"))
        assert lows == sorted(lows)
        assert highs == sorted(highs, reverse=True)
        assert lows[-1] - 1e-9 <= own.mean() <= highs[-1] + 1e-9
        assert len(held.items) == told.items


@pytest.mark.parametrize(("share", "zone"), [(0.95, 0.0), (0.95, 0.1), (0.02, 0.0), (0.02, 0.1)])
def test_the_sequence_says_what_the_decision_says(share: float, zone: float) -> None:
    """Where it was concluded above, no share below the zone is left, and the other way round."""
    rule = replace(RULE, zone=zone)
    told, _ = traced(rule, share, 11)
    last = told.steps[-1]
    if told.state == "above":
        assert last.low >= rule.threshold - zone - 1e-9
    else:
        assert told.state == "below"
        assert last.high <= rule.threshold + zone + 1e-9


def test_an_order_that_ends_early_is_exhausted() -> None:
    """Three items decide nothing; the trace says so."""
    told = trace(bank(), RULE, [0, 1, 2], [1.0, 0.5, 0.0])
    assert told.state == "exhausted"
    assert [(one.item, one.y) for one in told.steps[1:]] == [("i0", 1.0), ("i1", 0.5), ("i2", 0.0)]


def test_a_whole_run_leaves_one_share() -> None:
    """After every item arithmetic alone says the share."""
    own = [1.0, 0.0] * 30
    last = trace(bank(), RULE, range(60), own).steps[-1]
    assert last.low == pytest.approx(0.5, abs=0.003)
    assert last.high == pytest.approx(0.5, abs=0.003)
    assert last.expected == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("order", "scores", "field"),
    [
        ([0], [], "scores"),
        ([99], [1.0], "order"),
        ([-1], [1.0], "order"),
        ([0, 0], [1.0, 1.0], "item"),
        ([0], [1.5], "y"),
        ([0], [float("nan")], "y"),
    ],
)
def test_what_cannot_be_is_named(order: list[int], scores: list[float], field: str) -> None:
    """Lengths, places, repeats and scores are checked."""
    with pytest.raises(Invalid, match=field):
        trace(bank(), RULE, order, scores)


def table() -> Table:
    """Eight models at thirty items, some cells missing."""
    rng = np.random.default_rng(5)
    scores = (rng.random((8, 30)) < np.linspace(0.2, 0.9, 8)[:, None]).astype(float)
    scores[2, 4] = scores[6, 9] = np.nan
    return Table(tuple(f"m{n}" for n in range(8)), tuple(f"i{n}" for n in range(30)), scores)


@pytest.mark.parametrize("holdout", ["loo", "temporal"])
def test_one_subject_is_the_one_among_all(holdout: Holdout) -> None:
    """Items, mean and difficulties are those that the whole replay has for that model."""
    for one in subjects(table(), holdout):
        found = subject_of(table(), holdout, f"m{one.row}")
        assert found.bank.items == one.bank.items
        assert found.bank.b == pytest.approx(one.bank.b, abs=0.02)
        assert found.mean == one.mean
        assert found.held.tolist() == one.held.tolist()


@pytest.mark.parametrize(("holdout", "model"), [("loo", "nobody"), ("temporal", "m0")])
def test_a_model_that_was_not_decided_about_is_refused(holdout: Holdout, model: str) -> None:
    """Neither a stranger nor one that difficulties come from."""
    with pytest.raises(Invalid, match="model"):
        subject_of(table(), holdout, model)
