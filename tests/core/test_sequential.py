"""The sequential decision is exact, replayable, and honest about what it does not know."""

from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise, permutations
from math import comb
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.errors import Invalid, LeadlineError, Refused, Tampered
from leadline.core.measure.deciding import path, replay, resume
from leadline.core.measure.estimate import Code
from leadline.core.measure.in_order import InOrder
from leadline.core.measure.order import derive_seed, draw_all, index, word
from leadline.core.measure.sequential import Plan, Point, Record, Result, State, basis, read_record
from leadline.core.measure.without_replacement import (
    bounds,
    error_rate,
    evidence,
    excluded,
    wor_table,
)

SEED = bytes(range(32))


def plan(n_items: int = 36, threshold: float = 0.75, **fields: object) -> Plan:
    """A plan over numbered items of one family."""
    given_fields: dict[str, object] = {
        "suite_digest": "ab" * 32,
        "items": tuple(f"item-{n:03d}" for n in range(n_items)),
        "families": ("one",) * n_items,
        "threshold": threshold,
        "alpha_above": 0.05,
        "alpha_below": 0.05,
        "seed_commitment": "cd" * 32,
    }
    return Plan(**(given_fields | fields))  # type: ignore[arg-type] # fields of a plan by name


def run(decision: InOrder, solved: frozenset[str] | set[str], batch: int = 36) -> InOrder:
    """The decision after running draws until it asks for no more; items in *solved* succeed."""
    while draws := decision.next_items(batch):
        decision = decision.update(
            Result(one.step, int(one.item in solved), 10, f"log-{one.step}") for one in draws
        )
    return decision


def some(n_solved: int, n_items: int = 36) -> frozenset[str]:
    """The first *n_solved* items."""
    return frozenset(f"item-{n:03d}" for n in range(n_items) if n < n_solved)


@given(
    n_items=st.integers(1, 24),
    data=st.data(),
    alpha=st.sampled_from(["0.01", "0.05", "0.2", "0.6"]),
)
def test_the_table_is_the_confidence_sequence(
    n_items: int, data: st.DataObject, alpha: str
) -> None:
    """Cell by cell the table says what excluding every total on the wrong side says."""
    total = data.draw(st.integers(0, n_items - 1))
    threshold = float(Fraction(2 * total + 1, 2 * n_items))
    table = wor_table(n_items, threshold, float(alpha), float(alpha))
    assert (table.low_total, table.high_total) == (total, total + 1)
    level = Fraction(alpha)
    for seen in range(n_items + 1):
        for s in range(seen + 1):
            lower = all(excluded(n_items, t, seen, s, level) for t in range(total + 1))
            higher = all(
                excluded(n_items, t, seen, s, level) for t in range(total + 1, n_items + 1)
            )
            assert table.above(seen, s) == lower
            assert table.below(seen, s) == higher


@given(n_items=st.integers(1, 30), total=st.integers(0, 30), seen=st.integers(0, 30))
def test_the_evidence_is_a_fair_bet_under_the_truth(n_items: int, total: int, seen: int) -> None:
    """Averaged over what the true total makes of the next item, the ratio stays what it was."""
    total, seen = min(total, n_items), min(seen, n_items - 1)
    for s in range(max(0, total - (n_items - seen)), min(seen, total) + 1):
        before = evidence(n_items, total, seen, s)
        assert before is not None
        up = Fraction(total - s, n_items - seen)
        after = Fraction(0)
        for count, chance in ((s + 1, up), (s, 1 - up)):
            ratio = evidence(n_items, total, seen + 1, count)
            if chance:
                assert ratio is not None
                after += chance * ratio
        # The average leaves out outcomes that the truth makes impossible, so it may only fall.
        assert after <= before


@pytest.mark.parametrize("n_items", [8, 20, 36, 60])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.75])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
@pytest.mark.parametrize("zone", [0.0, 0.1])
def test_each_error_is_within_its_bound_exactly(
    n_items: int, threshold: float, alpha: float, zone: float
) -> None:
    """At and beyond the boundary, by dynamic programming over every path, no error exceeds alpha."""
    table = wor_table(n_items, threshold, alpha, alpha / 2, zone)
    for total in range(table.low_total + 1):
        assert error_rate(table, total, "above") <= alpha
    for total in range(table.high_total, n_items + 1):
        assert error_rate(table, total, "below") <= alpha / 2
    if n_items > 8:  # a suite of eight allows no early stop at all
        assert error_rate(table, table.low_total, "above") > 0
    assert error_rate(table, n_items, "above") == pytest.approx(1)


def test_the_demonstrations_errors_are_known_exactly() -> None:
    """36 items at three quarters: wrong answers are rarer than the stated 5 in 100 by far."""
    table = wor_table(36, 0.75, 0.05, 0.05)
    assert error_rate(table, 26, "above") == pytest.approx(0.00624, abs=5e-6)
    assert error_rate(table, 27, "below") == pytest.approx(0.02053, abs=5e-6)


def test_the_table_in_the_documentation_is_the_table() -> None:
    """The page that explains the rule shows the numbers that the rule uses."""
    page = Path(__file__).parents[2] / "docs" / "explanation" / "statistics.md"
    rows = {
        cells[0].strip(): [cell.strip() for cell in cells[1:]]
        for line in page.read_text("utf-8").splitlines()
        if (cells := line.strip("|").split("|"))[0].strip()
        in {"seen", "`below` up to", "`above` from"}
    }
    table = wor_table(36, 0.75, 0.05, 0.05)
    steps = [int(cell) for cell in rows["seen"]]
    assert rows["`below` up to"] == [str(table.below_to[n]) for n in steps]
    above = [str(count) if (count := table.above_from[n]) <= n else "-" for n in steps]
    assert rows["`above` from"] == above


def test_the_exact_error_agrees_with_every_order() -> None:
    """On six items the dynamic programme equals a count over all orders."""
    table, total = wor_table(6, 0.5, 0.3, 0.3), 2
    hits, orders = 0, set(permutations([1] * total + [0] * (6 - total)))
    for order in orders:
        for seen in range(1, 7):
            if table.above(seen, sum(order[:seen])):
                hits += 1
                break
            if table.below(seen, sum(order[:seen])):
                break
    assert error_rate(table, total, "above") == pytest.approx(hits / len(orders))


@pytest.mark.parametrize(("solved", "wrong"), [(26, State.ABOVE), (27, State.BELOW)])
def test_committed_orders_err_rarely_at_the_boundary(solved: int, wrong: State) -> None:
    """One item from the threshold, 200 seeds: wrong stops stay within alpha and its sampling error."""
    count = 0
    for number in range(200):
        decision = InOrder.start(plan(), sha256(str(number).encode()).digest())
        count += run(decision, some(solved), batch=1).state is wrong
    assert count <= 200 * 0.05 + 3 * (200 * 0.05 * 0.95) ** 0.5


@given(
    n_items=st.integers(2, 40),
    share=st.integers(1, 18),
    alphas=st.sampled_from([(0.05, 0.05), (0.01, 0.2)]),
    zone=st.sampled_from([0.0, 0.05]),
)
def test_the_table_is_monotone_and_mirrors(
    n_items: int, share: int, alphas: tuple[float, float], zone: float
) -> None:
    """One more success never argues against; swapping success and failure swaps the sides."""
    level = Fraction(share, 20) + Fraction(1, 1000)
    table = wor_table(n_items, float(level), *alphas, zone)
    mirror = wor_table(n_items, float(1 - level), alphas[1], alphas[0], zone)
    for side in (table.above_from, table.below_to):
        assert all(later - earlier in {0, 1} for earlier, later in pairwise(side))
    for seen in range(n_items + 1):
        assert mirror.above_from[seen] == seen - table.below_to[seen]
    assert table.above_from[-1] == table.low_total + 1
    assert table.below_to[-1] == table.high_total - 1


@given(
    n_items=st.integers(1, 30),
    counts=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    alpha=st.sampled_from([0.05, 0.3]),
)
def test_bounds_are_the_totals_that_remain(
    n_items: int, counts: tuple[int, int], alpha: float
) -> None:
    """The ends are the least and greatest total not excluded, and all seen leaves one."""
    seen = min(counts[0], n_items)
    s = min(counts[1], seen)
    left = [
        t for t in range(n_items + 1) if not excluded(n_items, t, seen, s, Fraction(str(alpha)))
    ]
    assert bounds(n_items, seen, s, alpha, alpha) == (left[0] / n_items, left[-1] / n_items)
    assert bounds(n_items, n_items, s, alpha, alpha) == (s / n_items, s / n_items)


def test_evidence_is_checked_by_hand() -> None:
    """Three failures against 27 of 36: 1 / (4 * C(9,3)/C(36,3)) = 21.25 times less plausible."""
    assert evidence(36, 27, 3, 0) == Fraction(comb(36, 3), 4 * comb(9, 3)) == Fraction(85, 4)
    assert wor_table(36, 0.75, 0.05, 0.05).below_to[3] == 0


def test_a_total_leaves_at_equality() -> None:
    """Ville's bound is reached, not crossed: twice 1/40 is exactly 1/20, and the total is out."""
    assert evidence(40, 1, 1, 1) == 20
    assert excluded(40, 1, 1, 1, Fraction(1, 20))


def test_a_seed_with_the_same_order_is_still_another_seed() -> None:
    """Two items have two orders; the log tells the seed that was used from one that agrees with it."""
    small = plan(2, 0.5)
    decision = run(InOrder.start(small, SEED), {"item-000"}, batch=1)
    others = (sha256(b"%d" % number).digest() for number in range(20))
    same = next(seed for seed in others if InOrder.start(small, seed).order == decision.order)
    with pytest.raises(Tampered, match="record 1"):
        replay(small, same, decision.log)


@pytest.mark.parametrize(
    ("threshold", "zone", "n_items", "field"),
    [
        (0.0, 0.0, 10, "threshold"),
        (1.01, 0.0, 10, "threshold"),
        (0.95, 0.1, 10, "threshold"),
        (0.5, -0.1, 10, "zone"),
        (0.5, 0.0, 0, "n_items"),
    ],
)
def test_a_threshold_with_one_empty_side_is_refused(
    threshold: float, zone: float, n_items: int, field: str
) -> None:
    """A rule that could only ever give one answer is no rule."""
    with pytest.raises(Invalid, match=f"^{field}"):
        wor_table(n_items, threshold, 0.05, 0.05, zone)


def test_draws_follow_the_published_recipe() -> None:
    """Step 1 worked from SHA-256 by hand, and a word in the biased tail is drawn again."""
    digest = int.from_bytes(sha256(SEED + (1).to_bytes(8, "big")).digest(), "big")
    assert word(SEED, 1) == digest >> (256 - 53)
    assert index(SEED, 1, 36) == (digest >> 203) // ((1 << 53) // 36)
    below = (1 << 52) + 1  # half of all words are rejected
    retried = [step for step in range(1, 40) if word(SEED, step) >= below]
    for step in retried:
        again = next(r for r in range(1, 99) if word(SEED, step, r) < below)
        assert index(SEED, step, below) == word(SEED, step, again)
    assert len(retried) > 5
    with pytest.raises(Invalid, match="below"):
        index(SEED, 1, 0)


def test_every_order_is_equally_likely() -> None:
    """Over 6,000 seeds each of the six orders of three items comes up a sixth of the time."""
    seen: dict[tuple[str, ...], int] = {}
    for number in range(6000):
        order = draw_all(derive_seed(SEED, str(number).encode()), "abc")
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 6
    assert sum((count - 1000) ** 2 / 1000 for count in seen.values()) < 20.5  # chi2_5 at .999


def test_a_short_seed_is_refused() -> None:
    """Fewer than 128 bits could be searched."""
    with pytest.raises(Invalid, match="seed"):
        InOrder.start(plan(), b"short")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"design": "best"}, "design"),
        ({"difficulties": (0.0,) * 36}, "difficulties"),
        ({"batch": 0}, "batch"),
        ({"estimand": "rate"}, "estimand"),
        ({"weights": {"one": 1.0}}, "weights"),
        ({"items": ("a", "a"), "families": ("f", "f")}, "items"),
        ({"families": ("f",)}, "items"),
        ({"max_runs": 0}, "max_runs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"threshold": 0.0}, "threshold"),
        ({"alpha_below": 1.0}, "alpha_below"),
    ],
)
def test_a_plan_this_version_cannot_keep_is_refused(fields: dict[str, object], field: str) -> None:
    """Another design, estimand or weighting is refused by name instead of being passed over."""
    with pytest.raises(Invalid, match=f"^{field}"):
        plan(**fields)  # type: ignore[arg-type] # fields of a plan by name


def test_half_of_the_suite_is_decided_below_before_its_end() -> None:
    """18 of 36 against three quarters: below, with items to spare, and the sentence says so."""
    decision = run(InOrder.start(plan(), SEED), some(18), batch=1)
    status = decision.status()
    assert status.state is State.BELOW
    assert status.n == status.decided_at == len(decision.log) < 36
    assert status.e_below is not None
    assert status.e_below >= 20
    assert status.score_bounds[1] < 0.75
    assert status.tokens == 10 * status.n
    sentence = basis(decision.plan, status)
    assert "below 0.75, with error at most 5 in 100" in sentence
    assert f"of {status.n} items solved, of 36" in sentence
    assert decision.next_items(1) == ()


def test_a_suite_run_whole_in_one_batch_stops_where_single_steps_do() -> None:
    """Results that came with the batch are logged, and the decision is dated to its own step."""
    single = run(InOrder.start(plan(), SEED), some(18), batch=1).status()
    whole = run(InOrder.start(plan(), SEED), some(18), batch=36).status()
    assert (whole.state, whole.decided_at, whole.n) == (State.BELOW, single.decided_at, 36)
    assert whole.score_bounds == (0.5, 0.5)
    assert whole.alarms == ()


@settings(max_examples=40, deadline=None)
@given(solved=st.sets(st.integers(0, 35)), batch=st.integers(1, 36), seed=st.binary(min_size=16))
def test_replay_recomputes_the_decision(solved: set[int], batch: int, seed: bytes) -> None:
    """Plan, seed and log alone give the same decision, in JSON and back."""
    decision = run(InOrder.start(plan(), seed), {f"item-{n:03d}" for n in solved}, batch)
    log = [read_record(line.to_dict()) for line in decision.log]
    assert resume(decision.plan, seed, log) == decision
    assert replay(decision.plan, seed, log).to_dict() == decision.status().to_dict()


@pytest.mark.parametrize(
    "name", ["previous", "item", "sample", "step", "epoch", "y", "cost", "weight", "total"]
)
def test_a_changed_record_is_refused_where_it_stands(name: str) -> None:
    """Any field of record 3 changed: the replay stops there, or at 4 where only the hash can tell."""
    decision = run(InOrder.start(plan(), SEED), some(18), batch=1)
    log = list(decision.log)
    old = getattr(log[2], name)
    new = 1 - old if name == "y" else old + 1 if isinstance(old, int) else old[:-1] + "x"
    log[2] = read_record({**log[2].to_dict(), name: new})
    expected = 4 if name in {"y", "cost", "sample"} else 3
    with pytest.raises(Tampered, match=f"record {expected}"):
        replay(decision.plan, SEED, log)


def test_another_plan_or_seed_is_refused_at_the_first_record() -> None:
    """One bit of seed, one digit of the plan, a dropped or swapped record: none replays."""
    decision = run(InOrder.start(plan(), SEED), some(18), batch=1)
    flipped = bytes([SEED[0] ^ 1]) + SEED[1:]
    with pytest.raises(Tampered, match="record 1"):
        replay(decision.plan, flipped, decision.log)
    for change in ({"threshold": 0.76}, {"alpha_above": 0.049}, {"suite_digest": "x"}):
        with pytest.raises(Tampered, match="record 1"):
            replay(plan(**change), SEED, decision.log)
    log = list(decision.log)
    with pytest.raises(Tampered, match="record 2"):
        replay(decision.plan, SEED, [log[0], *log[2:]])
    with pytest.raises(Tampered, match="record 2"):
        replay(decision.plan, SEED, [log[0], log[2], log[1]])


def test_a_record_with_a_strange_field_is_refused() -> None:
    """A missing, further or mistyped field of a record is no record."""
    good = run(InOrder.start(plan(), SEED), some(18), batch=1).log[0].to_dict()
    assert read_record(good) == Record(**good)  # type: ignore[arg-type] # its own fields
    for wrong in (
        {**good, "more": 1},
        {key: value for key, value in good.items() if key != "y"},
        {**good, "y": True},
        {**good, "cost": "10"},
        {**good, "item": 3},
    ):
        with pytest.raises(Tampered, match="record"):
            read_record(wrong)


def test_a_void_result_keeps_its_step_and_counts_against_both_sides() -> None:
    """Infrastructure failed on the third draw: it is drawn again first, and helps nobody till then."""
    decision = InOrder.start(plan(), SEED)
    void = decision.update([Result(1, 0), Result(2, 0), Result(3, None)])
    assert void.status().state is State.UNDECIDED
    assert void.status().void == 1
    assert void.status().alarms == (Code.VOID_RESULTS,)
    assert [draw.step for draw in void.next_items(2)] == [3, 4]
    assert void.next_items(1)[0].item == decision.order[2]
    settled = void.update([Result(3, 0)]).status()
    assert (settled.state, settled.decided_at, settled.runs) == (State.BELOW, 3, 4)
    assert settled.alarms == (Code.VOID_RESULTS,)


@given(st.sets(st.integers(1, 36)), st.sets(st.integers(1, 36), min_size=1))
@settings(max_examples=60, deadline=None)
def test_void_steps_never_create_a_decision(solved: set[int], void: set[int]) -> None:
    """A state reached with voids in place holds whatever the voids would have shown."""
    decision = InOrder.start(plan(), SEED).update(
        Result(step, None if step in void else int(step in solved)) for step in range(1, 37)
    )
    table, n = decision.table, decision.decided_at
    if decision.state is State.ABOVE:
        assert table.above(n, sum(step in solved - void for step in range(1, n + 1)))
    elif decision.state is State.BELOW:
        assert table.below(n, sum(step in solved | void for step in range(1, n + 1)))


def test_results_that_do_not_fit_the_order_are_refused() -> None:
    """A gap, a second valid result, a step beyond the suite, a score between 0 and 1."""
    decision = InOrder.start(plan(), SEED).update([Result(1, 1)])
    wrong: tuple[Result, ...] = (
        Result(3, 1),
        Result(1, 1),
        Result(0, 1),
        Result(37, 1),
        Result(2, 2),
        Result(2, y=True),
        Result(2, 1, cost=-1),
    )
    for result in wrong:
        with pytest.raises(Invalid, match="results"):
            decision.update([result])
    full = InOrder.start(plan(), SEED).update(Result(step, 1) for step in range(1, 37))
    with pytest.raises(Invalid, match="results"):
        full.update([Result(37, 1)])
    with pytest.raises(Invalid, match="batch"):
        decision.next_items(0)


def test_a_spent_budget_ends_without_a_tie_break() -> None:
    """Runs or tokens used up first: exhausted, with bounds still wide, and no further draw."""
    for fields in ({"max_runs": 4}, {"max_tokens": 40}):
        decision = run(InOrder.start(plan(**fields), SEED), set(some(27)), batch=2)
        status = decision.status()
        assert status.state is State.EXHAUSTED
        assert status.runs == 4
        assert status.score_bounds[0] < 0.75 < status.score_bounds[1]
        assert "do not settle" in basis(decision.plan, status)
    capped = InOrder.start(plan(max_runs=2), SEED)
    assert len(capped.next_items(5)) == 2
    with pytest.raises(Refused, match="2 runs"):
        capped.update([Result(1, 0), Result(2, 1), Result(3, 0)])


def test_a_full_table_outweighs_an_early_stop() -> None:
    """Where all items ran in one batch, the known share decides, and the change raises an alarm."""
    seed = next(
        seed
        for number in range(2000)
        if run(InOrder.start(plan(), seed := sha256(b"%d" % number).digest()), some(27), 1).state
        is State.BELOW
    )
    status = run(InOrder.start(plan(), seed), some(27), batch=36).status()
    assert (status.state, status.decided_at) == (State.ABOVE, 36)
    assert status.alarms == (Code.ENUMERATION_OVERTURNED,)


def test_a_zone_gives_its_own_answer() -> None:
    """With a zone of ten points the middle is reported as such, and both sides keep their words."""
    zoned = plan(40, 0.5, zone=0.1)
    words = {}
    for solved in (8, 20, 32):
        decision = InOrder.start(zoned, SEED)
        results = [
            Result(one.step, int(one.item in some(solved, 40))) for one in decision.next_items(40)
        ]
        status = decision.update(results).status()
        words[solved] = status.state
        assert "5 in 100" in basis(zoned, status)
    assert words == {8: State.BELOW, 20: State.INSIDE_ZONE, 32: State.ABOVE}


def test_the_path_for_a_chart_narrows_to_the_truth() -> None:
    """One point per step; bounds enclose the running share's truth and meet at the end."""
    decision = InOrder.start(plan(), SEED).update(
        Result(step, None if step == 2 else step % 2) for step in range(1, 37)
    )
    points = path(decision)
    assert [point.n for point in points] == list(range(1, 37))
    assert (points[-1].low, points[-1].high) == (0.5, 19 / 36)
    resolved = decision.update([Result(2, 0)])
    assert path(resolved)[-1] == Point(36, 0.5, 0.5, 0.5)


def test_draws_carry_their_chance_and_the_log_its_chain() -> None:
    """The t-th draw is one of N - t + 1 left; each record names the digest of the one before."""
    decision = run(InOrder.start(plan(), SEED), some(18), batch=1)
    draw = InOrder.start(plan(), SEED).next_items(2)[1]
    assert draw.q == 1 / 35
    assert decision.log[1].previous == decision.log[0].digest
    assert sorted(InOrder.start(plan(), SEED).order) == sorted(plan().items)
    assert "seed" not in repr(decision).replace("seed_commitment", "")


def test_a_large_suite_stays_quick_and_finite() -> None:
    """2,000 items: ratios beyond a float are capped, and the table is JSON-safe."""
    big = plan(2000, 0.5)
    decision = InOrder.start(big, SEED).update(Result(step, 1) for step in range(1, 1000))
    status = decision.status()
    assert status.state is State.ABOVE
    assert status.e_above == 1e300
    assert status.to_dict()["score_bounds"] == list(status.score_bounds)
    assert big.table().to_dict()["low_total"] == 999


def test_errors_are_the_houses_own() -> None:
    """A replay raises nothing but the house's errors, so that edges can map them."""
    decision = run(InOrder.start(plan(), SEED), some(18), batch=1)
    with pytest.raises(LeadlineError):
        replay(decision.plan, SEED, [replace(decision.log[0], y=7)])
