"""A decision by bets, in batches: as one walk where nothing is lost, careful where something is."""

from dataclasses import replace
from hashlib import sha256
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.errors import Invalid, Refused, Tampered
from leadline.core.measure import active, adaptive
from leadline.core.measure.adaptive import Adaptive
from leadline.core.measure.deciding import path, replay, resume, start
from leadline.core.measure.estimate import Code
from leadline.core.measure.sequential import (
    Decision,
    Design,
    Plan,
    Result,
    State,
    basis,
    read_record,
)

SIZE = 40
SEED = bytes(range(32))
LEVELS = tuple(float(b) for b in np.random.default_rng(3).normal(size=SIZE))
EASIEST = np.argsort(LEVELS)


def plan(**fields: object) -> Plan:
    """Forty items of three families, drawn five at a time."""
    told: dict[str, object] = {
        "suite_digest": "ab" * 32,
        "items": tuple(f"item-{n:03d}" for n in range(SIZE)),
        "families": tuple("abc"[n % 3] for n in range(SIZE)),
        "threshold": 0.5,
        "alpha_above": 0.05,
        "alpha_below": 0.05,
        "seed_commitment": "cd" * 32,
        "design": Design.ACTIVE,
        "difficulties": LEVELS,
        "batch": 5,
    }
    return Plan(**(told | fields))  # type: ignore[arg-type] # fields of a plan by name


def begun(**fields: object) -> Adaptive:
    """Nothing run yet."""
    decision = start(plan(**fields), SEED)
    assert isinstance(decision, Adaptive)
    return decision


def solving(share: float) -> frozenset[str]:
    """The easiest items, so many of all."""
    return frozenset(f"item-{n:03d}" for n in EASIEST[: round(share * SIZE)])


def run(decision: Decision, solved: frozenset[str], void: frozenset[int] = frozenset()) -> Adaptive:
    """Every batch run until nothing is asked for; steps in *void* are lost, once and for good."""
    while draws := [one for one in decision.next_items(SIZE) if one.step > len(decision.seen)]:
        decision = decision.update(
            Result(
                one.step,
                None if one.step in void else int(one.item in solved),
                7,
                f"log-{one.step}",
            )
            for one in draws
        )
    assert isinstance(decision, Adaptive)
    return decision


@pytest.mark.parametrize("share", [0.05, 0.35, 0.65, 0.95])
def test_one_at_a_time_it_is_the_walk_of_active(share: float) -> None:
    """With batches of one, draws, wealth and the step of the conclusion are those of `active.decide`."""
    solved = solving(share)
    one = run(begun(batch=1), solved)
    design = one.plan.sampling()
    walk = active.decide(design, lambda item: float(one.plan.items[item] in solved), SEED)
    assert [line.item for line in one.log] == [one.plan.items[item] for item in walk.order]
    assert (one.state.value, one.decided_at) == (walk.state, walk.n)
    assert one.status().e_above == pytest.approx(walk.e_above) or one.status().e_above is None


@pytest.mark.parametrize("batch", [1, 5, 13, 40])
@pytest.mark.parametrize(("share", "state"), [(0.9, State.ABOVE), (0.1, State.BELOW)])
def test_far_from_the_threshold_it_ends_early_and_rightly(
    batch: int, share: float, state: State
) -> None:
    """Whatever the size of the batches; a batch that was begun is logged whole."""
    decision = run(begun(batch=batch), solving(share))
    status = decision.status()
    assert status.state is state
    assert 0 < status.decided_at <= status.n <= SIZE
    assert status.n % batch == 0 or status.n == SIZE
    if batch < 40:
        assert status.decided_at < SIZE
    low, high = status.score_bounds
    assert (low >= 0.5 - 1 / 400) if state is State.ABOVE else (high <= 0.5 + 1 / 400)
    assert decision.next_items(1) == ()
    assert status.planner is not None
    assert "telling items" in basis(decision.plan, status)


def test_the_chances_of_a_batch_are_those_of_its_start() -> None:
    """Each draw's chance is its weight at the start of the batch among what the earlier draws left."""
    decision = begun()
    design, walk = decision.sampling, active.begin(decision.sampling)
    weights = active.chances(design, walk, active.predictions(design, walk))
    for draw in decision.next_items(99):
        item = decision.plan.items.index(draw.item)
        assert (draw.weight, draw.total) == (int(weights[item]), int(weights.sum()))
        weights[item] = 0
    assert len(decision.next_items(99)) == 5
    assert decision.next_items(2) == decision.next_items(99)[:2]
    with pytest.raises(Invalid, match="batch"):
        decision.next_items(0)


@pytest.mark.parametrize("weights", [None, {"a": 0.5, "b": 0.3, "c": 0.2}])
def test_within_a_batch_the_bets_are_fair(weights: dict[str, float] | None) -> None:
    """At the threshold itself, wealth expects to stay, over every pair of draws of one batch."""
    score = start(plan(weights=weights), SEED).plan.sampling().value
    solved = np.array([n % 2 for n in range(SIZE)])
    design = replace(
        plan(weights=weights).sampling(),
        rule=replace(plan().sampling().rule, threshold=float(score @ solved)),
    )
    walk = active.begin(design)
    p = active.predictions(design, walk)
    weight = active.chances(design, walk, p)
    grown = 0.0
    for first, second in product(range(SIZE), repeat=2):
        if first == second:
            continue
        left = weight.copy()
        left[first] = 0
        chance = weight[first] / weight.sum() * left[second] / left.sum()
        after = active.advance(design, walk, first, float(solved[first]), p, weight)
        after = active.advance(design, after, second, float(solved[second]), p, left)
        grown += chance * after.e_above
    assert grown == pytest.approx(1.0, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(
    solved=st.sets(st.integers(0, SIZE - 1)),
    void=st.sets(st.integers(1, SIZE), max_size=4),
    batch=st.integers(1, SIZE),
    seed=st.binary(min_size=16, max_size=40),
)
def test_replay_recomputes_the_decision(
    solved: set[int], void: set[int], batch: int, seed: bytes
) -> None:
    """Plan, seed and log alone give the same decision, lost runs and all, in JSON and back."""
    names = frozenset(f"item-{n:03d}" for n in solved)
    decision = run(start(plan(batch=batch), seed), names, frozenset(void))
    log = [read_record(line.to_dict()) for line in decision.log]
    again = resume(decision.plan, seed, log)
    assert again == decision
    assert again.status() == decision.status()
    assert path(again) == path(decision)


@settings(max_examples=25, deadline=None)
@given(
    solved=st.sets(st.integers(0, SIZE - 1)),
    void=st.sets(st.integers(1, SIZE), min_size=1, max_size=5),
)
def test_a_conclusion_with_lost_runs_holds_whatever_they_would_have_shown(
    solved: set[int], void: set[int]
) -> None:
    """Every way of filling in what was lost leads to the same conclusion, no later."""
    names = frozenset(f"item-{n:03d}" for n in solved)
    decision = run(begun(), names, frozenset(void))
    if decision.state is State.UNDECIDED:
        return
    lost = [step for step, y in enumerate(decision.seen, 1) if y is None]
    for filled in product((0, 1), repeat=len(lost)):
        values = dict(zip(lost, filled, strict=True))
        whole = [y if y is not None else values[n] for n, y in enumerate(decision.seen, 1)]
        walk = adaptive._followed(
            decision, replace(decision.firm, walk=active.begin(decision.sampling)), whole
        )
        reached = walk.above if decision.state is State.ABOVE else walk.below
        assert 0 < reached <= decision.decided_at


def test_a_lost_run_is_asked_for_first_and_then_counts() -> None:
    """Step 2 is void: it heads what is asked for, holds the state back, and its rerun settles it."""
    decision = begun()
    draws = decision.next_items(5)
    results = [Result(one.step, None if one.step == 2 else 0) for one in draws]
    lost = decision.update(results)
    assert [one.step for one in lost.next_items(3)] == [2, 6, 7]
    assert lost.next_items(1)[0].item == draws[1].item
    assert lost.status().alarms == (Code.VOID_RESULTS,)
    assert lost.log[1].up is None
    assert lost.log[0].up is not None
    made_up = lost.update([Result(2, 0)])
    assert made_up.status().void == 0
    assert made_up.firm.walk.n == 5
    assert made_up.log[-1].up is not None
    assert resume(made_up.plan, SEED, made_up.log) == made_up


def test_with_too_many_lost_runs_bets_conclude_nothing() -> None:
    """Seven steps void: only arithmetic bounds are left, and no side is ahead."""
    decision = run(begun(), solving(0.05), frozenset(range(1, 8)))
    status = decision.status()
    assert status.state is State.UNDECIDED
    assert (status.e_above, status.e_below) == (1.0, 1.0)
    assert (status.void, status.n) == (7, SIZE)
    (point,) = path(decision)
    assert point.low == pytest.approx(status.successes / SIZE)
    assert point.high == pytest.approx((status.successes + 7) / SIZE)
    six = run(begun(), solving(0.05), frozenset(range(1, 7)))
    assert six.status().state is State.BELOW


def test_all_seen_the_table_speaks() -> None:
    """Exactly half solved is above by arithmetic, one less is below; a zone can hold both."""
    exact = run(begun(batch=SIZE), solving(0.5))
    assert (exact.state, exact.decided_at) == (State.ABOVE, SIZE)
    assert exact.status().score_bounds == pytest.approx((0.5, 0.5))
    short = run(begun(batch=SIZE), solving(0.475))
    assert short.state is State.BELOW
    inside = run(begun(batch=SIZE, zone=0.05), solving(0.5))
    assert inside.state is State.INSIDE_ZONE
    assert "lies from 0.45 to 0.55" in basis(inside.plan, inside.status())


def test_an_early_stop_that_the_full_table_overturns_is_told() -> None:
    """A batch that brings every item after a wrong early conclusion ends in the right one, with an alarm."""
    for number in range(400):
        seed = sha256(b"%d" % number).digest()
        decision = run(start(plan(batch=SIZE, alpha_above=0.6), seed), solving(0.475))
        if decision.overturned:
            break
    else:
        pytest.fail("no early conclusion was overturned in 400 seeds")
    assert decision.state is State.BELOW
    assert Code.ENUMERATION_OVERTURNED in decision.status().alarms


def test_a_subject_that_fits_no_difficulty_raises_the_alarm() -> None:
    """Solving just the hardest items first misleads the planner, not the bets."""
    hardest = frozenset(f"item-{n:03d}" for n in EASIEST[::-1][:23])
    steep = {"discriminations": (3.0,) * SIZE, "tau": 1.0, "batch": 1}
    told = [run(start(plan(**steep), sha256(b"%d" % n).digest()), hardest) for n in range(20)]
    assert {one.state for one in told} == {State.ABOVE}
    assert any(Code.MISFIT in one.status().alarms for one in told)
    assert Code.MISFIT not in run(begun(), solving(0.95)).status().alarms


def test_budgets_end_it_without_a_conclusion() -> None:
    """Runs or tokens spent: exhausted, nothing more is asked for, and no further result is taken."""
    decision = begun(max_runs=3)
    assert len(decision.next_items(9)) == 3
    ended = decision.update(Result(one.step, one.step % 2) for one in decision.next_items(9))
    assert ended.status().state is State.EXHAUSTED
    assert ended.next_items(9) == ()
    with pytest.raises(Refused, match="3 runs"):
        ended.update([Result(4, 1)])
    more = replace(ended.log[-1], step=4, previous=ended.log[-1].digest, p=None)
    with pytest.raises(Tampered, match="3 runs"):
        ended.follow(more, "here")
    assert run(begun(max_tokens=20), solving(0.5)).status().tokens >= 20


@pytest.mark.parametrize(
    "wrong", [Result(2, 1), Result(6, 1), Result(1, 2), Result(1, 1, -1), Result(0, 1)]
)
def test_results_that_do_not_fit_are_refused(wrong: Result) -> None:
    """A gap, a step of the next batch, a score that is none, a negative cost, no step at all."""
    with pytest.raises(Invalid, match="results"):
        begun().update([wrong])


def test_a_step_of_the_next_batch_is_not_drawn_yet() -> None:
    """Four of five results leave the fifth to be asked for and nothing else."""
    decision = begun().update(Result(step, 1) for step in range(1, 5))
    assert [one.step for one in decision.next_items(9)] == [5]
    with pytest.raises(Invalid, match="not drawn"):
        decision.update([Result(5, 1), Result(7, 1)])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"difficulties": (0.0,)}, "b"),
        ({"discriminations": (0.0,) * SIZE}, "a"),
        ({"weights": {"a": 1.0}}, "weights"),
        ({"tau": 0.0}, "tau"),
        ({"batch": 0}, "batch"),
        ({"difficulties": (float("nan"),) * SIZE}, "b"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused(fields: dict[str, object], field: str) -> None:
    """Difficulties, weights and settings that fit no item or no rule are named."""
    with pytest.raises(Invalid, match=f"^{field}"):
        plan(**fields)


def test_a_short_seed_is_refused() -> None:
    """Fewer than 128 bits could be searched."""
    with pytest.raises(Invalid, match="seed"):
        start(plan(), b"short")


@pytest.mark.parametrize(("shift", "believed"), [(1, True), (-1, True), (2, False)])
def test_what_was_expected_may_differ_by_a_unit_and_no_more(shift: int, *, believed: bool) -> None:
    """A log from a processor that rounds otherwise replays as it stands; a larger step is refused."""
    own = begun()
    there = adaptive._opened(replace(own, steps=()), own.steps[0].p + shift)
    decision = run(there, solving(0.9))
    if believed:
        assert resume(decision.plan, SEED, decision.log).log == decision.log
        return
    with pytest.raises(Tampered, match="record 1: what was expected"):
        replay(decision.plan, SEED, decision.log)


@pytest.mark.parametrize("text", ["", "!", "AAAA", "AAAA" * (SIZE + 1)])
def test_what_was_expected_is_told_in_full_or_not_believed(text: str) -> None:
    """No base64, too little or too much of it, or at a step where no batch begins."""
    decision = run(begun(), solving(0.9))
    with pytest.raises(Tampered, match="log, record 1"):
        replay(decision.plan, SEED, [replace(decision.log[0], p=text), *decision.log[1:]])
    moved = replace(decision.log[1], p=decision.log[0].p)
    with pytest.raises(Tampered, match="log, record 2"):
        replay(decision.plan, SEED, [decision.log[0], moved, *decision.log[2:]])


def test_wealth_may_differ_by_two_millionths_and_no_more() -> None:
    """Another processor's logarithm is believed; a wealth that is made up is not."""
    decision = run(begun(), solving(0.9))
    first = decision.log[0]
    assert first.up is not None
    assert begun().follow(replace(first, up=first.up + 2), "here").log[0].up == first.up + 2
    for change in ({"up": first.up + 3}, {"up": None}, {"down": 5_000_000}):
        with pytest.raises(Tampered, match="here"):
            begun().follow(replace(first, **change), "here")


def test_the_path_narrows_around_the_truth() -> None:
    """Bounds never widen, hold the share at every step, and meet when all is seen."""
    decision = run(begun(batch=SIZE), solving(0.6))
    points = path(decision)
    assert [one.n for one in points] == list(range(1, SIZE + 1))
    lows, highs = [one.low for one in points], [one.high for one in points]
    assert lows == sorted(lows)
    assert highs == sorted(highs, reverse=True)
    assert all(one.low - 1e-9 <= 0.6 <= one.high + 1e-9 for one in points)
    assert (lows[-1], highs[-1]) == pytest.approx((0.6, 0.6))
    assert path(begun()) == ()
    assert begun().status().score_bounds == (0.0, 1.0)


def test_a_plan_says_all_that_its_digest_covers() -> None:
    """Every setting of the bets changes the digest; those of the exact design do not enter it."""
    one = plan()
    for change in (
        {"tau": 0.4},
        {"floor": 0.2},
        {"family_share": 0.6},
        {"batch": 6},
        {"difficulties": (0.0,) * SIZE},
        {"discriminations": (1.5,) * SIZE},
        {"weights": {"a": 0.5, "b": 0.3, "c": 0.2}},
        {"design": Design.SRSWOR, "difficulties": ()},
    ):
        assert plan(**change).digest != one.digest
    assert "tau" not in plan(design=Design.SRSWOR, difficulties=()).to_dict()


@pytest.mark.parametrize(("first", "state"), [(0, State.BELOW), (1, State.ABOVE)])
def test_of_bets_won_on_both_sides_the_first_stands(first: int, state: State) -> None:
    """A lost run that is made up for late leads where it would have led in time."""
    loose = begun(alpha_above=0.98, alpha_below=0.98, batch=20)
    outcomes = [first] * 3 + [1 - first] * 11
    late = loose.update(
        Result(step, None if step == 1 else y) for step, y in enumerate(outcomes, 1)
    )
    assert late.state is State.UNDECIDED
    made_up = late.update([Result(1, first)])
    end = adaptive._followed(made_up, loose.firm, outcomes)
    assert end.above
    assert end.below
    in_time = loose.update(Result(step, y) for step, y in enumerate(outcomes, 1))
    assert (made_up.state, made_up.decided_at) == (in_time.state, in_time.decided_at) == (state, 2)


def test_wealth_beyond_a_float_is_told_capped_and_compared_whole() -> None:
    """Logarithms hold what numbers do not; 400 items in one batch outgrow a float at shares far from theirs."""
    walk = replace(active.begin(plan().sampling()), up=np.array([800.0, 900.0]))
    assert walk.log_above == pytest.approx(900 - np.log(2))
    assert walk.e_above == pytest.approx(np.exp(690.0))
    items = tuple(f"item-{n:03d}" for n in range(400))
    big = plan(items=items, families=("a",) * 400, difficulties=(), threshold=0.3, batch=400)
    decision = start(big, SEED)
    decision = decision.update(Result(one.step, 1) for one in decision.next_items(400))
    assert decision.status().score_bounds == pytest.approx((1.0, 1.0))
    assert decision.log[-1].up is not None
    assert decision.log[-1].up > 690_000_000
    assert resume(big, SEED, decision.log) == decision
