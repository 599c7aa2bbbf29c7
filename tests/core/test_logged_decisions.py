"""Claims about decisions replayed over runs that were made elsewhere."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.measure.active import Rule
from leadline.core.measure.logged import LoggedRun, OtherRows, from_logs

RULE = Rule(0.5, 0.05, 0.05)


def runs(
    scores: Sequence[float | None], model: str = "m", task: str = "t", epoch: int = 1
) -> list[LoggedRun]:
    """One run of each of some items, a hundred tokens each."""
    return [LoggedRun(model, task, f"i{n}", epoch, y, 100) for n, y in enumerate(scores)]


def others(models: int = 12, items: int = 40, prefix: str = "i") -> OtherRows:
    """Rows in which items get harder from first to last and models abler."""
    rng = np.random.default_rng(5)
    chance = (np.arange(models)[:, None] + 1) / models * np.linspace(1, 0.2, items)[None, :]
    scores = (rng.random((models, items)) < chance).astype(float)
    names = tuple(f"{prefix}{n}" for n in range(items))
    return OtherRows(tuple(f"o{n}" for n in range(models)), names, scores)


def test_a_clear_row_is_decided_from_a_part_of_it() -> None:
    """Far from the threshold some of the items do; the full row is told beside."""
    (high,) = from_logs(runs([1.0] * 36 + [0.0] * 4), RULE).replayed
    (low,) = from_logs(runs([0.0] * 36 + [1.0] * 4), RULE).replayed
    assert (high.decided.outcome.state, low.decided.outcome.state) == ("above", "below")
    assert max(high.decided.outcome.n, low.decided.outcome.n) < 30
    assert (high.reaches, low.reaches) == (True, False)
    assert high.decided.mean == pytest.approx(0.9)
    assert high.tokens == (100 * high.decided.outcome.n, 4000)


def test_the_mean_over_repeats_is_an_items_score() -> None:
    """Two repeats, one solved: half a point, counted as a fraction; repeats that failed do not count."""
    held = runs([1.0] * 12) + runs([0.0] * 6 + [None] * 3, epoch=2)
    (told,) = from_logs(held, RULE).replayed
    assert told.decided.mean == pytest.approx((6 * 0.5 + 6) / 12)
    assert (told.fractional, told.repeats) == (6, (1, 2))
    assert (told.runs, told.runs_missing, told.items_missing) == (21, 3, 0)


def test_what_is_missing_is_counted_and_never_a_failure() -> None:
    """An item without a score is in no mean; what it could have been is told."""
    (told,) = from_logs(runs([1.0] * 15 + [None] * 5), RULE).replayed
    assert (told.decided.items, told.items_missing) == (15, 5)
    assert told.decided.mean == 1
    assert (told.lowest, told.highest) == (0.75, 1.0)


def test_every_model_has_its_decision_and_tasks_are_families() -> None:
    """Equal ids in two tasks are two items; a plain mean over all of them is decided on."""
    held = runs([1.0] * 20) + runs([0.0] * 10, task="u") + runs([0.0] * 12, model="n")
    told = from_logs(held, RULE)
    first, second = told.replayed
    assert (first.decided.model, second.decided.model) == ("m", "n")
    assert dict(first.families) == {"t": 20, "u": 10}
    assert first.decided.mean == pytest.approx(2 / 3)
    assert dict(told.items) == {"t": 20, "u": 10}
    assert (told.summary.false_above, told.summary.false_below) == (0, 0)
    assert len(told.summary.fractions) == 2


def test_difficulties_come_from_other_models_only() -> None:
    """A row of the model itself among the others changes nothing; items are found by id or task/id."""
    known = others()
    own = np.concatenate([known.scores, 1 - known.scores[-1:]])
    with_own = OtherRows((*known.models, "m"), known.items, own)
    held = runs([1.0, 0.0] * 20)
    plain, same = (from_logs(held, RULE, others=rows).replayed[0] for rows in (known, with_own))
    assert plain == same
    assert plain.known == 40
    named = from_logs(held, RULE, others=others(prefix="t/i")).replayed[0]
    assert named.decided.outcome == plain.decided.outcome


def test_an_id_in_two_tasks_takes_no_difficulty_by_id_alone() -> None:
    """Which of the two a column is cannot be told, so both items are middling."""
    held = runs([1.0, 0.0] * 10) + runs([1.0], task="u")
    assert from_logs(held, RULE, others=others()).replayed[0].known == 19


def test_seed_and_names_alone_choose_the_order() -> None:
    """Equal seeds give equal orders whatever the order of the runs; another seed gives another."""
    held = runs([1.0, 0.0, 1.0, 1.0] * 6)
    one, again, other = (
        from_logs(rows, RULE, seed=seed).replayed[0].decided.outcome.order
        for rows, seed in ((held, 0), (held[::-1], 0), (held, 1))
    )
    assert one == again != other


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=10, max_size=30))
def test_what_the_items_left_cannot_change_is_never_contradicted(scores: list[float]) -> None:
    """With errors of one in a million the decision is that of the full row."""
    (told,) = from_logs(runs(scores), Rule(0.5, 1e-6, 1e-6)).replayed
    assert told.decided.outcome.state == ("above" if told.reaches else "below")


@pytest.mark.parametrize(
    ("held", "rows", "words"),
    [
        ([], None, "no sample"),
        (runs([1.0] * 9), None, "9 items have a score; at least 10"),
        (runs([1.0] * 9 + [None] * 9), None, "9 items have a score"),
        (runs([1.0] * 12) + runs([0.0]), None, "given twice"),
        (runs([float("nan")] * 12), None, "no score from 0 to 1"),
        (runs([1e308] * 12), None, "no score from 0 to 1"),
        (runs([-0.1] * 12), None, "no score from 0 to 1"),
        (runs([1.0] * 12), others(models=1), "needs 2 and 10"),
        (runs([1.0] * 12, model="o0"), others(models=2), "1 models other than o0"),
        (runs([1.0] * 12), others(items=9), "needs 2 and 10"),
        (runs([1.0] * 12), others(prefix="x"), "shares no item"),
    ],
)
def test_what_cannot_be_decided_is_named(
    held: list[LoggedRun], rows: OtherRows | None, words: str
) -> None:
    """Too little, twice, or out of range: an error, never a number."""
    with pytest.raises(Invalid, match=words):
        from_logs(held, RULE, others=rows)


def test_rows_have_the_shape_of_their_names() -> None:
    """A table that does not fit its names is refused."""
    with pytest.raises(Invalid, match="shape"):
        OtherRows(("a",), ("i", "j"), np.zeros((1, 3)))


def test_models_decided_together_are_decided_as_if_alone() -> None:
    """What one model's row is has no influence on another's decision, with known difficulties too."""
    first, second = runs([1.0, 0.0] * 20), runs([0.0, 1.0, 1.0, 1.0] * 10, model="n")
    together = from_logs(first + second, RULE, others=others()).replayed
    alone = [from_logs(rows, RULE, others=others()).replayed[0] for rows in (first, second)]
    assert list(together) == alone


@pytest.mark.parametrize("side", ["above", "below"])
@pytest.mark.parametrize("known", [False, True])
def test_fractions_at_the_threshold_err_no_more_than_allowed(side: str, *, known: bool) -> None:
    """Means over repeats, the full row a hair on the other side: wrong answers within three errors of 5 %."""
    scores = [(n % 5) / 4 for n in range(40)]  # mean one half
    rule = Rule(0.5 + 1e-6 if side == "above" else 0.5, 0.05, 0.05)
    rows = others() if known else None
    states = [
        from_logs(runs(scores), rule, others=rows, seed=seed).replayed[0].decided.outcome.state
        for seed in range(80)
    ]
    assert states.count(side) <= 80 * (0.05 + 3 * (0.05 * 0.95 / 80) ** 0.5)
